//! How offer and answer travel: JSON lines over TCP, as aiortc's
//! `TcpSocketSignaling` has them.
//!
//! The server listens and offers ([`Listener`]), the client dials and answers
//! ([`connect`]); either ends up with a [`Connected`]. The TCP connection stays
//! for the whole session, and its end is the end of the session.
//!
//! | file | subject |
//! |---|---|
//! | `message` | the messages (pure) |
//! | `backoff` | the client's pauses (pure) |
//! | `link` | one signaling connection |
//! | `handshake` | offer and answer over a link, up to the open channel |
//! | `listener` | the server's side |
//! | `dial` | the client's side |

mod backoff;
mod config;
mod dial;
mod handshake;
mod link;
mod listener;
mod message;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use crate::transport::Channel;

pub use config::SignalingConfig;
pub use dial::{ConnectError, connect};
pub use handshake::HandshakeError;
pub use link::{LinkEnd, LinkError, SignalingLink};
pub use listener::{BindError, Listener};
pub use message::{MAX_LINE, Message, MessageError};

/// A handshake that has succeeded.
#[derive(Debug)]
pub struct Connected {
    /// The open data channel.
    pub channel: Channel,
    /// The signaling connection; keep it as long as the session lasts.
    pub link: SignalingLink,
    /// The peer's address on the signaling connection.
    pub peer_addr: SocketAddr,
}
