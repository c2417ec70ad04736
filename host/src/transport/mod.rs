//! The data channel behind our own trait, so that another implementation can
//! be put in its place. Only this folder names the `webrtc` crate.
//!
//! A [`Peer`] is one side of a handshake: it makes an offer or answers one, and
//! ends up as a [`Channel`]: one reliable, ordered data channel for messages of
//! at most [`Sender::max_message`] bytes. [`crate::signaling`] carries offer and
//! answer.
//!
//! | file | subject |
//! |---|---|
//! | `addresses` | which local addresses a peer offers (pure) |
//! | `sdp` | what is read from the other side's description (pure) |
//! | `runtime` | sockets with buffers that are large enough |
//! | `peer` | the handshake |
//! | `connection` | what one connection knows about its life and end |
//! | `channel` | the open channel |

mod addresses;
mod channel;
mod config;
mod connection;
mod peer;
mod runtime;
mod sdp;
#[cfg(test)]
mod tests;

use std::{net::SocketAddr, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

pub use addresses::Route;
pub use config::{Cipher, IceServer, TransportConfig};
pub use peer::Peer;

/// Label of the one data channel of a session.
pub const CHANNEL_LABEL: &str = "frames";

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
    #[error("a message of {size} bytes is larger than the {limit} bytes that both sides accept")]
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
    /// Bytes of messages taken with [`Receiver::recv`].
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
    /// Hands one binary message over; waits while the send buffer is full. An
    /// empty message is allowed.
    ///
    /// Cancel-safe: a future that is dropped before it is ready sent nothing.
    ///
    /// # Errors
    ///
    /// [`TransportError::TooLarge`]; [`TransportError::Closed`] or
    /// [`TransportError::Lost`] when the channel has ended, also while waiting.
    async fn send(&self, message: Bytes) -> Result<(), TransportError>;

    /// Bytes handed over and not yet acknowledged by the peer.
    async fn outstanding(&self) -> usize;

    /// The largest message, in bytes, that both sides accept.
    fn max_message(&self) -> usize;

    /// Counters and facts.
    async fn stats(&self) -> ChannelStats;

    /// Waits until what was sent is acknowledged, then closes; after `deadline`
    /// it closes regardless. Never takes much longer than `deadline`.
    ///
    /// An acknowledged message has reached the peer's machine and perhaps not
    /// yet its application: end a conversation with a message of its own.
    async fn close(&self, deadline: Duration);
}

/// The receiving half of an open data channel.
#[async_trait]
pub trait Receiver: Send {
    /// The next message. While nobody receives, at most a few hundred messages
    /// are kept; then the peer's [`Sender::send`] waits.
    ///
    /// Cancel-safe: no message is lost with a dropped future.
    ///
    /// # Errors
    ///
    /// [`TransportError::Closed`] after an orderly end, [`TransportError::Lost`]
    /// when the peer vanished. Both are final.
    async fn recv(&mut self) -> Result<Bytes, TransportError>;
}

/// An open data channel. Dropping both halves closes it at once.
pub struct Channel {
    /// The sending half.
    pub sender: std::sync::Arc<dyn Sender>,
    /// The receiving half.
    pub receiver: Box<dyn Receiver>,
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel")
            .field("max_message", &self.sender.max_message())
            .finish_non_exhaustive()
    }
}
