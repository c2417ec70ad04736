//! The client's side: dials until a server takes it.

use std::{io, time::Duration};

use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use super::{
    Connected, SignalingConfig,
    backoff::Backoff,
    handshake::{self, HandshakeError},
    link::SignalingLink,
};
use crate::transport::TransportConfig;

/// How long a machine that does not answer at all is waited for.
const DIAL_TIMEOUT: Duration = Duration::from_secs(5);

/// The log repeats an unchanged reason after this long.
const REPEAT: Duration = Duration::from_secs(10);

/// Why there is no use in trying again.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Not an address.
    #[error("`{address}` is no address of a server; it must be NAME:PORT, such as 127.0.0.1:8080")]
    Address {
        /// What was configured.
        address: String,
    },
}

/// Connects to the server at `signaling.connect`; tries again, after growing
/// pauses, until there is one that takes us. The log says what it is doing.
///
/// Cancel-safe: a dropped future leaves nothing behind.
///
/// # Errors
///
/// [`ConnectError`] when trying again is no use.
pub async fn connect(
    signaling: &SignalingConfig,
    transport: &TransportConfig,
) -> Result<Connected, ConnectError> {
    let mut backoff = Backoff::new(
        Duration::from_millis(signaling.retry_min_ms.into()),
        Duration::from_millis(signaling.retry_max_ms.into()),
    );
    let mut logged: Option<(String, Instant)> = None;
    loop {
        let reason = match attempt(signaling, transport).await {
            Ok(connected) => return Ok(connected),
            Err(Failure::Address) => {
                return Err(ConnectError::Address { address: signaling.connect.clone() });
            }
            Err(Failure::Dial(error)) => error.to_string(),
            Err(Failure::NoAnswer) => {
                format!("no answer within {} s", DIAL_TIMEOUT.as_secs())
            }
            Err(Failure::Handshake(error)) => error.to_string(),
        };
        let pause = backoff.pause(rand::random());
        let news =
            logged.as_ref().is_none_or(|(last, when)| *last != reason || when.elapsed() >= REPEAT);
        if news {
            tracing::info!(
                "waiting for the server at {} ({reason}), next try in {:.1} s",
                signaling.connect,
                pause.as_secs_f64()
            );
            logged = Some((reason, Instant::now()));
        }
        sleep(pause).await;
    }
}

enum Failure {
    Address,
    Dial(io::Error),
    NoAnswer,
    Handshake(HandshakeError),
}

async fn attempt(
    signaling: &SignalingConfig,
    transport: &TransportConfig,
) -> Result<Connected, Failure> {
    // Names are resolved at every try: the server's container may not be known
    // yet, or come back with another address.
    let dialled = timeout(DIAL_TIMEOUT, TcpStream::connect(&signaling.connect)).await;
    let stream = dialled.map_err(|_| Failure::NoAnswer)?.map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => Failure::Address,
        _ => Failure::Dial(error),
    })?;
    let peer = stream.peer_addr().map_err(Failure::Dial)?;
    let mut link = SignalingLink::new(stream, peer);
    let limit = Duration::from_millis(signaling.handshake_timeout_ms.into());
    match handshake::answer(&mut link, transport, Instant::now() + limit).await {
        Ok(channel) => {
            tracing::info!(%peer, "connected");
            Ok(Connected { channel, link, peer_addr: peer })
        }
        Err(error) => {
            link.close(Some(&error.to_string())).await;
            Err(Failure::Handshake(error))
        }
    }
}
