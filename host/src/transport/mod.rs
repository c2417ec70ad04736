//! The data channel behind our own trait, so that another implementation can
//! be put in its place. Only this folder names the `webrtc` crate.

mod config;

use std::{net::SocketAddr, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

pub use config::TransportConfig;

/// Why a channel or a handshake ended.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TransportError {
    /// The peer, the network or we closed the channel.
    #[error("the channel is closed: {0}")]
    Closed(String),
    /// Nothing came from the peer for too long.
    #[error("the peer is lost: {0}")]
    Lost(String),
    /// A message is larger than what the peer accepts.
    #[error("a message of {size} bytes is larger than the {limit} bytes that the peer accepts")]
    TooLarge {
        /// Bytes of the message.
        size: usize,
        /// Bytes that fit.
        limit: usize,
    },
    /// The connection could not be made.
    #[error("{0}")]
    Handshake(String),
}

/// What a channel knows about itself.
#[derive(Debug, Clone, Default)]
pub struct ChannelStats {
    /// Bytes of messages handed to [`Sender::send`].
    pub sent_bytes: u64,
    /// Bytes of messages received.
    pub received_bytes: u64,
    /// Round-trip time that the connection measured, if it did.
    pub round_trip: Option<Duration>,
    /// The addresses in use: ours and the peer's.
    pub path: Option<(SocketAddr, SocketAddr)>,
    /// The cipher suite in use.
    pub cipher: Option<String>,
}

/// The sending half of an open data channel.
#[async_trait]
pub trait Sender: Send + Sync {
    /// Hands one binary message over; waits while the send buffer is full.
    async fn send(&self, message: Bytes) -> Result<(), TransportError>;

    /// Bytes handed over and not yet acknowledged by the peer.
    fn outstanding(&self) -> usize;

    /// The largest message, in bytes, that both sides accept.
    fn max_message(&self) -> usize;

    /// Counters and facts.
    async fn stats(&self) -> ChannelStats;

    /// Waits until what was sent is acknowledged, then closes; after `deadline`
    /// it closes regardless. Never takes much longer than `deadline`.
    async fn close(&self, deadline: Duration);
}

/// The receiving half of an open data channel.
#[async_trait]
pub trait Receiver: Send {
    /// The next message.
    ///
    /// # Errors
    ///
    /// [`TransportError::Closed`] after an orderly end, [`TransportError::Lost`]
    /// when the peer vanished. Both are final.
    async fn recv(&mut self) -> Result<Bytes, TransportError>;
}

/// An open data channel.
pub struct Channel {
    /// The sending half.
    pub sender: std::sync::Arc<dyn Sender>,
    /// The receiving half.
    pub receiver: Box<dyn Receiver>,
}
