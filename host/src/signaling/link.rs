//! One signaling connection.

use std::{io, net::SocketAddr, time::Duration};

use bytes::BytesMut;
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::timeout,
};
use tokio_util::codec::{Decoder, LinesCodec, LinesCodecError};

use super::message::{MAX_LINE, Message, MessageError};
use crate::transport::Route;

/// How long a goodbye may take, and the peer's own end after it.
const FAREWELL: Duration = Duration::from_millis(300);

/// Headers of a TCP packet without options: IPv4 20 or IPv6 40, and 20.
const TCP_IPV4: u32 = 40;
const TCP_IPV6: u32 = 60;

/// Why nothing more can be read.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The peer closed the connection.
    #[error("the peer closed the connection without a goodbye")]
    Eof,
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(#[source] io::Error),
    /// A line without an end.
    #[error("a line is longer than {MAX_LINE} bytes")]
    LineTooLong,
    /// A line that is no message.
    #[error(transparent)]
    Message(#[from] MessageError),
}

/// How the peer ended a session; all of them are normal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkEnd {
    /// With a goodbye, perhaps with a reason.
    Bye(Option<String>),
    /// By closing the connection.
    Eof,
    /// By breaking the connection.
    Broken(String),
}

impl std::fmt::Display for LinkEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bye(None) => f.write_str("the peer said goodbye"),
            Self::Bye(Some(reason)) => write!(f, "the peer said goodbye: {reason}"),
            Self::Eof => f.write_str("the peer closed the signaling connection"),
            Self::Broken(error) => write!(f, "the signaling connection broke: {error}"),
        }
    }
}

/// A signaling connection. It says goodbye when it is dropped, because a Python
/// peer spins at a bare end of file.
#[derive(Debug)]
pub struct SignalingLink {
    stream: TcpStream,
    peer: SocketAddr,
    codec: LinesCodec,
    buffer: BytesMut,
    said_bye: bool,
    /// Held while the listener must refuse other clients.
    session: Option<OwnedSemaphorePermit>,
}

impl SignalingLink {
    pub(super) fn new(stream: TcpStream, peer: SocketAddr) -> Self {
        // Messages are written whole; waiting for more only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%peer, %error, "set_nodelay");
        }
        Self {
            stream,
            peer,
            codec: LinesCodec::new_with_max_length(MAX_LINE - 1),
            buffer: BytesMut::new(),
            said_bye: false,
            session: None,
        }
    }

    /// The peer's address.
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// Waits for the end of the session on the peer's side. Cancel-safe.
    pub async fn ended(&mut self) -> LinkEnd {
        let mut warned = false;
        loop {
            match self.recv().await {
                Ok(Message::Bye { reason }) => return LinkEnd::Bye(reason),
                Ok(message) => {
                    tracing::debug!(peer = %self.peer, "ignored a late {}", message.kind());
                }
                Err(LinkError::Eof) => return LinkEnd::Eof,
                Err(LinkError::Broken(error)) => return LinkEnd::Broken(error.to_string()),
                Err(error) if !warned => {
                    warned = true;
                    tracing::warn!(peer = %self.peer, %error, "ignored on the signaling connection");
                }
                Err(_) => {}
            }
        }
    }

    /// Says goodbye, with a reason for people if there is one, and closes.
    pub async fn close(mut self, reason: Option<&str>) {
        let peer = self.peer;
        let farewell = async {
            self.send(&Message::Bye { reason: reason.map(str::to_owned) }).await?;
            self.stream.shutdown().await?;
            // Closing with unread bytes resets the connection, and a reset may
            // overtake the goodbye.
            let mut rest = [0; 1024];
            while self.stream.read(&mut rest).await? > 0 {}
            io::Result::Ok(())
        };
        match timeout(FAREWELL, farewell).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%peer, %error, "saying goodbye"),
            Err(_) => tracing::debug!(%peer, "the peer keeps the signaling connection open"),
        }
    }

    /// What this connection knows about the way to the peer.
    pub(super) fn route(&self) -> io::Result<Route> {
        let local = self.stream.local_addr()?.ip().to_canonical();
        let headers = if local.is_ipv4() { TCP_IPV4 } else { TCP_IPV6 };
        let segment = SockRef::from(&self.stream).tcp_mss().ok();
        Ok(Route {
            local,
            remote: self.peer.ip().to_canonical(),
            mtu: segment.map(|bytes| bytes.saturating_add(headers)),
        })
    }

    /// The next message. Cancel-safe.
    pub(super) async fn recv(&mut self) -> Result<Message, LinkError> {
        loop {
            match self.codec.decode(&mut self.buffer) {
                Ok(Some(line)) => return Ok(Message::parse(&line)?),
                Ok(None) => {}
                Err(LinesCodecError::MaxLineLengthExceeded) => return Err(LinkError::LineTooLong),
                Err(LinesCodecError::Io(_)) => {
                    let text = "bytes that are not UTF-8".into();
                    return Err(MessageError::NotJson { text }.into());
                }
            }
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) => return Err(LinkError::Eof),
                Ok(_) => {}
                Err(error) => return Err(LinkError::Broken(error)),
            }
        }
    }

    pub(super) async fn send(&mut self, message: &Message) -> io::Result<()> {
        let mut line = message.line().map_err(io::Error::other)?;
        line.push('\n');
        self.said_bye |= matches!(message, Message::Bye { .. });
        self.stream.write_all(line.as_bytes()).await
    }

    pub(super) fn hold(&mut self, session: OwnedSemaphorePermit) {
        self.session = Some(session);
    }
}

impl Drop for SignalingLink {
    fn drop(&mut self) {
        if !self.said_bye {
            // The peer may be gone, and nobody is left to be told.
            let _ = self.stream.try_write(b"{\"type\": \"bye\"}\n");
        }
    }
}
