//! The open channel: our trait over the data channel of the `webrtc` crate.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, sleep, timeout_at};
use webrtc::data_channel::{DataChannel, DataChannelEvent, RTCDataChannelState};

use super::{ChannelStats, Receiver, Sender, TransportError, connection::Connection};

/// While closing, the pauses between two looks at what is outstanding: the
/// library reports acknowledgements to the receiving half only.
const FIRST_LOOK: Duration = Duration::from_millis(1);
const LAST_LOOK: Duration = Duration::from_millis(20);

pub(super) struct DataSender {
    connection: Arc<Connection>,
    channel: Arc<dyn DataChannel>,
    limit: usize,
}

impl DataSender {
    pub(super) fn new(
        connection: Arc<Connection>,
        channel: Arc<dyn DataChannel>,
        limit: usize,
    ) -> Self {
        Self { connection, channel, limit }
    }

    /// Until all is acknowledged and the peer has closed its direction too.
    async fn drain(&self) {
        let mut pause = FIRST_LOOK;
        while self.outstanding().await > 0 {
            sleep(pause).await;
            pause = (pause * 2).min(LAST_LOOK);
        }
        if self.channel.close().await.is_err() {
            return;
        }
        pause = FIRST_LOOK;
        while matches!(self.channel.ready_state().await, Ok(state) if state != RTCDataChannelState::Closed)
        {
            sleep(pause).await;
            pause = (pause * 2).min(LAST_LOOK);
        }
    }
}

#[async_trait::async_trait]
impl Sender for DataSender {
    async fn send(&self, message: Bytes) -> Result<(), TransportError> {
        let size = message.len();
        if size > self.limit {
            return Err(TransportError::TooLarge { size, limit: self.limit });
        }
        // A connection that has failed keeps its queue full, so waiting for
        // room alone could last for ever.
        tokio::select! {
            biased;
            sent = self.channel.send(BytesMut::from(message)) => {
                sent.map_err(|error| {
                    tracing::debug!(%error, "sending");
                    self.connection.end()
                })?;
            }
            () = self.connection.dead() => return Err(self.connection.end()),
        }
        self.connection.sent.fetch_add(size as u64, Ordering::Relaxed);
        Ok(())
    }

    async fn outstanding(&self) -> usize {
        self.channel.outstanding_bytes().await.unwrap_or(0)
    }

    fn max_message(&self) -> usize {
        self.limit
    }

    async fn stats(&self) -> ChannelStats {
        self.connection.stats().await
    }

    async fn close(&self, deadline: Duration) {
        let end = Instant::now() + deadline;
        let finished = async {
            tokio::select! {
                () = self.drain() => {}
                () = self.connection.dead() => {}
            }
        };
        if timeout_at(end, finished).await.is_err() {
            tracing::debug!("closing with {} bytes unacknowledged", self.outstanding().await);
        }
        self.connection.mark_closed_here();
        if let Err(error) = self.connection.pc().close().await {
            tracing::debug!(%error, "closing the connection");
        }
    }
}

pub(super) struct DataReceiver {
    connection: Arc<Connection>,
    channel: Arc<dyn DataChannel>,
    ended: Option<TransportError>,
}

impl DataReceiver {
    pub(super) fn new(connection: Arc<Connection>, channel: Arc<dyn DataChannel>) -> Self {
        Self { connection, channel, ended: None }
    }

    /// The next message; `None` at the end.
    async fn next(&self) -> Option<Bytes> {
        loop {
            match self.channel.poll().await? {
                DataChannelEvent::OnMessage(message) => return Some(message.data.freeze()),
                DataChannelEvent::OnClose => return None,
                _ => {}
            }
        }
    }
}

#[async_trait::async_trait]
impl Receiver for DataReceiver {
    async fn recv(&mut self) -> Result<Bytes, TransportError> {
        if let Some(ended) = &self.ended {
            return Err(ended.clone());
        }
        // What has arrived is handed out before the end is reported.
        let message = tokio::select! {
            biased;
            message = self.next() => message,
            () = self.connection.dead() => None,
        };
        let Some(message) = message else {
            return Err(self.ended.insert(self.connection.end()).clone());
        };
        self.connection.received.fetch_add(message.len() as u64, Ordering::Relaxed);
        Ok(message)
    }
}
