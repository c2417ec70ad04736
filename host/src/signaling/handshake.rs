//! Offer and answer over a link, up to the open channel.

use std::{future::Future, io};

use tokio::time::{Instant, timeout_at};

use super::{
    link::{LinkError, SignalingLink},
    message::Message,
};
use crate::transport::{Channel, Peer, TransportConfig, TransportError};

/// Candidates that a peer may trickle; none that we know sends any.
const MAX_TRICKLED: usize = 64;

/// Why a handshake failed.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The peer said goodbye.
    #[error("the peer said goodbye{}", .0.as_ref().map(|r| format!(": {r}")).unwrap_or_default())]
    Bye(Option<String>),
    /// The signaling connection ended or carried garbage.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A message at the wrong moment.
    #[error("the peer sent {got} where {expected} was expected")]
    Unexpected {
        /// What came.
        got: &'static str,
        /// What would have been right.
        expected: &'static str,
    },
    /// More candidates than anybody needs.
    #[error("the peer trickled more than {MAX_TRICKLED} candidates")]
    TooManyCandidates,
    /// Our message could not be sent.
    #[error("sending on the signaling connection: {0}")]
    Send(#[source] io::Error),
    /// Nothing came in time.
    #[error("timed out after {seconds:.1} s, while {waiting}")]
    TimedOut {
        /// What was going on.
        waiting: &'static str,
        /// Seconds since the handshake began.
        seconds: f64,
    },
    /// Offer, answer or the connection itself.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

/// A handshake on its way.
struct Handshake<'a> {
    link: &'a mut SignalingLink,
    begun: Instant,
    deadline: Instant,
    trickled: Vec<Message>,
    candidates: usize,
}

/// The server's side: offers at once, waits for the answer and the open channel.
pub(super) async fn offer(
    link: &mut SignalingLink,
    transport: &TransportConfig,
    deadline: Instant,
) -> Result<Channel, HandshakeError> {
    let mut handshake = Handshake::new(link, deadline);
    let route = handshake.link.route().map_err(HandshakeError::Send)?;
    let offered = Peer::offer(transport, &route);
    let (mut peer, sdp) = handshake.meanwhile("gathering our own addresses", offered).await??;
    handshake.send(Message::Offer(sdp)).await?;
    match handshake.next("an answer").await? {
        Message::Answer(sdp) => peer.accept_answer(&sdp).await?,
        other => return Err(HandshakeError::unexpected(&other, "an answer")),
    }
    handshake.open(peer).await
}

/// The client's side: waits for the offer, answers it, waits for the open channel.
pub(super) async fn answer(
    link: &mut SignalingLink,
    transport: &TransportConfig,
    deadline: Instant,
) -> Result<Channel, HandshakeError> {
    let mut handshake = Handshake::new(link, deadline);
    let offer = match handshake.next("an offer").await? {
        Message::Offer(sdp) => sdp,
        other => return Err(HandshakeError::unexpected(&other, "an offer")),
    };
    let route = handshake.link.route().map_err(HandshakeError::Send)?;
    let answered = Peer::answer(transport, &route, &offer);
    let (peer, sdp) = handshake.meanwhile("gathering our own addresses", answered).await??;
    handshake.send(Message::Answer(sdp)).await?;
    handshake.open(peer).await
}

impl<'a> Handshake<'a> {
    fn new(link: &'a mut SignalingLink, deadline: Instant) -> Self {
        Self { link, begun: Instant::now(), deadline, trickled: Vec::new(), candidates: 0 }
    }

    /// The next message that is no candidate; candidates are put aside.
    async fn next(&mut self, expected: &'static str) -> Result<Message, HandshakeError> {
        let waiting = match expected {
            "an offer" => "waiting for the peer's offer",
            _ => "waiting for the peer's answer",
        };
        loop {
            let received = timeout_at(self.deadline, self.link.recv()).await;
            let message = received.map_err(|_| self.timed_out(waiting))??;
            if let Some(message) = self.set_aside(message)? {
                return Ok(message);
            }
        }
    }

    /// Does `work` and watches the link, so that a peer that leaves ends it.
    async fn meanwhile<T>(
        &mut self,
        doing: &'static str,
        work: impl Future<Output = T>,
    ) -> Result<T, HandshakeError> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                message = self.link.recv() => {
                    if let Some(message) = self.set_aside(message?)? {
                        return Err(HandshakeError::unexpected(&message, "silence"));
                    }
                }
                () = tokio::time::sleep_until(self.deadline) => return Err(self.timed_out(doing)),
            }
        }
    }

    async fn open(mut self, mut peer: Peer) -> Result<Channel, HandshakeError> {
        for message in std::mem::take(&mut self.trickled) {
            add(&peer, message).await?;
        }
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            tokio::select! {
                channel = peer.open(left) => return Ok(channel?),
                message = self.link.recv() => {
                    if let Some(message) = self.set_aside(message?)? {
                        return Err(HandshakeError::unexpected(&message, "a candidate"));
                    }
                }
            }
            for message in std::mem::take(&mut self.trickled) {
                add(&peer, message).await?;
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), HandshakeError> {
        let sent = timeout_at(self.deadline, self.link.send(&message)).await;
        sent.map_err(|_| self.timed_out("sending our description"))?.map_err(HandshakeError::Send)
    }

    fn set_aside(&mut self, message: Message) -> Result<Option<Message>, HandshakeError> {
        match message {
            Message::Candidate { .. } if self.candidates >= MAX_TRICKLED => {
                Err(HandshakeError::TooManyCandidates)
            }
            Message::Candidate { .. } => {
                self.candidates += 1;
                self.trickled.push(message);
                Ok(None)
            }
            Message::Bye { reason } => Err(HandshakeError::Bye(reason)),
            other => Ok(Some(other)),
        }
    }

    fn timed_out(&self, waiting: &'static str) -> HandshakeError {
        HandshakeError::TimedOut { waiting, seconds: self.begun.elapsed().as_secs_f64() }
    }
}

impl HandshakeError {
    fn unexpected(got: &Message, expected: &'static str) -> Self {
        Self::Unexpected { got: got.kind(), expected }
    }
}

async fn add(peer: &Peer, message: Message) -> Result<(), HandshakeError> {
    if let Message::Candidate { candidate, mid, index } = message {
        peer.add_candidate(&candidate, mid.as_deref(), index).await?;
    }
    Ok(())
}
