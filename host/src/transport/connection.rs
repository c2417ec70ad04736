//! What one connection knows about its life and its end.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, watch};
use webrtc::{
    data_channel::DataChannel,
    peer_connection::{
        PeerConnection, PeerConnectionEventHandler, RTCIceCandidate, RTCIceGatheringState,
        RTCPeerConnectionState, StatsSelector,
    },
};

use super::{ChannelStats, TransportError};

/// Data channels that the peer may open before we look; one is expected.
const UNSEEN_CHANNELS: usize = 4;

/// Callbacks run on the task that also serves the network, so each hands its
/// event over and returns at once.
pub(super) struct Events {
    state: watch::Sender<RTCPeerConnectionState>,
    gathered: watch::Sender<bool>,
    channels: mpsc::Sender<Arc<dyn DataChannel>>,
}

/// The receiving ends of [`Events`].
pub(super) struct Signals {
    pub(super) state: watch::Receiver<RTCPeerConnectionState>,
    pub(super) gathered: watch::Receiver<bool>,
    pub(super) channels: mpsc::Receiver<Arc<dyn DataChannel>>,
}

impl Events {
    pub(super) fn new() -> (Self, Signals) {
        let (state, state_seen) = watch::channel(RTCPeerConnectionState::New);
        let (gathered, gathered_seen) = watch::channel(false);
        let (channels, channels_seen) = mpsc::channel(UNSEEN_CHANNELS);
        let signals =
            Signals { state: state_seen, gathered: gathered_seen, channels: channels_seen };
        (Self { state, gathered, channels }, signals)
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Events {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.send_replace(true);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        tracing::debug!(%state, "connection");
        self.state.send_replace(state);
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        if self.channels.try_send(channel).is_err() {
            tracing::warn!("the peer opened one more data channel; it is ignored");
        }
    }
}

/// One connection to a peer. Dropping it closes it.
pub(super) struct Connection {
    pc: Arc<dyn PeerConnection>,
    state: watch::Receiver<RTCPeerConnectionState>,
    lost_after: Duration,
    closed_here: AtomicBool,
    pub(super) sent: AtomicU64,
    pub(super) received: AtomicU64,
}

impl Connection {
    pub(super) fn new(
        pc: Arc<dyn PeerConnection>,
        state: watch::Receiver<RTCPeerConnectionState>,
        lost_after: Duration,
    ) -> Self {
        Self {
            pc,
            state,
            lost_after,
            closed_here: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
        }
    }

    pub(super) fn pc(&self) -> &dyn PeerConnection {
        &*self.pc
    }

    /// How far the connection has come, for people.
    pub(super) fn progress(&self) -> &'static str {
        match *self.state.borrow() {
            RTCPeerConnectionState::New => "no connectivity check was sent",
            RTCPeerConnectionState::Connecting => {
                "no path between the two sides was found, or the encryption handshake is not over"
            }
            RTCPeerConnectionState::Connected => {
                "the connection stands, the data channel is not open"
            }
            RTCPeerConnectionState::Disconnected => "the peer fell silent",
            RTCPeerConnectionState::Failed => "no path between the two sides was found",
            _ => "the connection was closed",
        }
    }

    /// Waits until the connection is dead. Cancel-safe.
    pub(super) async fn dead(&self) {
        let dead = |state: &RTCPeerConnectionState| {
            matches!(state, RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed)
        };
        // An error means that the driver, which holds the sender, is gone.
        let _ = self.state.clone().wait_for(dead).await;
    }

    /// Why the channel has ended.
    pub(super) fn end(&self) -> TransportError {
        if self.closed_here.load(Ordering::Acquire) {
            return TransportError::Closed("by this side".into());
        }
        match *self.state.borrow() {
            RTCPeerConnectionState::Failed | RTCPeerConnectionState::Disconnected => {
                TransportError::Lost(format!(
                    "nothing came from it for {:.1} s",
                    self.lost_after.as_secs_f64()
                ))
            }
            _ => TransportError::Closed("by the peer".into()),
        }
    }

    pub(super) fn mark_closed_here(&self) {
        self.closed_here.store(true, Ordering::Release);
    }

    pub(super) async fn stats(&self) -> ChannelStats {
        let report = self.pc.get_stats(Instant::now(), StatsSelector::None).await;
        let round_trips = report.candidate_pairs().map(|pair| pair.current_round_trip_time);
        let measured = round_trips.filter(|seconds| *seconds > 0.0).min_by(f64::total_cmp);
        let cipher = report.transport().map(|transport| transport.dtls_cipher.clone());
        ChannelStats {
            sent_bytes: self.sent.load(Ordering::Relaxed),
            received_bytes: self.received.load(Ordering::Relaxed),
            round_trip: measured.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
            path: self.path().await,
            cipher: cipher.filter(|name| !name.is_empty()),
        }
    }

    /// The addresses in use: ours and the peer's.
    async fn path(&self) -> Option<(SocketAddr, SocketAddr)> {
        let ice = self.pc.sctp().await?.transport().ice_transport();
        let pair = ice.get_selected_candidate_pair().await.ok()??;
        let address = |candidate: &RTCIceCandidate| {
            Some(SocketAddr::new(candidate.address.parse().ok()?, candidate.port))
        };
        Some((address(pair.local())?, address(pair.remote())?))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Closing tells the peer; without it the peer would have to wait until
        // it takes us for lost. Outside of a runtime, dropping `pc` at least
        // ends its driver.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let pc = Arc::clone(&self.pc);
            runtime.spawn(async move {
                if let Err(error) = pc.close().await {
                    tracing::debug!(%error, "closing a connection");
                }
            });
        }
    }
}
