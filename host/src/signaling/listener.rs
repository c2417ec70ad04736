//! The server's side: many may knock, one is served at a time.

use std::{collections::VecDeque, io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc, oneshot},
    task::{AbortHandle, JoinSet},
    time::Instant,
};

use super::{
    Connected, SignalingConfig,
    handshake::{self, HandshakeError},
    link::{LinkError, SignalingLink},
};
use crate::transport::TransportConfig;

/// Clients that are being told no at the same time; one more is just closed.
const MAX_REFUSALS: usize = 32;

/// Pause after `accept` failed, which happens when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address is in use.
    #[error(
        "cannot listen on {address}: another program has this port; stop it (perhaps another \
         `host --role server`; `ss -ltnp` shows it) or choose another port with --listen"
    )]
    InUse {
        /// The address.
        address: String,
    },
    /// Any other reason.
    #[error("cannot listen on {address}: {error}; it must be ADDRESS:PORT of this machine")]
    Other {
        /// The address.
        address: String,
        /// What the system says.
        error: io::Error,
    },
}

/// Listens for clients and carries out a whole handshake with each.
///
/// Several handshakes go on at once, so that a connection that says nothing
/// holds up nobody; the first that leads to an open channel becomes the
/// session. As long as its [`Connected::link`] lives, every other client gets a
/// goodbye with the reason. Dropping the listener stops listening; a session
/// goes on.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    ready: mpsc::Receiver<Connected>,
    task: AbortHandle,
}

impl Listener {
    /// Listens on `signaling.listen`.
    ///
    /// # Errors
    ///
    /// [`BindError`] with what to do about it.
    pub async fn bind(
        signaling: &SignalingConfig,
        transport: &TransportConfig,
    ) -> Result<Self, BindError> {
        let address = &signaling.listen;
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => BindError::InUse { address: address.clone() },
            _ => BindError::Other { address: address.clone(), error },
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        let (ready, connected) = mpsc::channel(1);
        let server = Server {
            signaling: signaling.clone(),
            transport: Arc::new(transport.clone()),
            session: Arc::new(Semaphore::new(1)),
            handshakes: JoinSet::new(),
            pending: VecDeque::new(),
            refusals: JoinSet::new(),
        };
        let task = tokio::spawn(server.run(listener, ready)).abort_handle();
        tracing::info!("listening for a client on {local}");
        Ok(Self { address: local, ready: connected, task })
    }

    /// The address that clients connect to.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the next session. Cancel-safe: a client that connects while
    /// nobody waits is kept for the next call.
    pub async fn accept(&mut self) -> Connected {
        match self.ready.recv().await {
            Some(connected) => connected,
            // The task ends only with this listener.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Server {
    signaling: SignalingConfig,
    transport: Arc<TransportConfig>,
    /// The one permit belongs to the running session.
    session: Arc<Semaphore>,
    handshakes: JoinSet<Option<Connected>>,
    /// Ends the handshakes that go on, oldest first.
    pending: VecDeque<oneshot::Sender<&'static str>>,
    refusals: JoinSet<()>,
}

impl Server {
    async fn run(mut self, listener: TcpListener, ready: mpsc::Sender<Connected>) {
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => self.greet(stream, peer),
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(done) = self.handshakes.join_next() => {
                    if let Ok(Some(connected)) = done {
                        for handshake in self.pending.drain(..) {
                            let _ = handshake.send("the server is busy with another client");
                        }
                        // The queue has room: its last entry was taken before
                        // the session that this one waited for.
                        if ready.send(connected).await.is_err() {
                            return;
                        }
                    }
                }
                Some(_) = self.refusals.join_next() => {}
            }
        }
    }

    fn greet(&mut self, stream: TcpStream, peer: SocketAddr) {
        let link = SignalingLink::new(stream, peer);
        if self.session.available_permits() == 0 {
            tracing::warn!(%peer, "refused: busy with another client");
            if self.refusals.len() < MAX_REFUSALS {
                let reason = "the server is busy with another client";
                self.refusals.spawn(async move { link.close(Some(reason)).await });
            }
            return;
        }
        self.pending.retain(|handshake| !handshake.is_closed());
        if self.pending.len() >= self.signaling.max_pending as usize
            && let Some(oldest) = self.pending.pop_front()
        {
            let _ = oldest.send("too many clients try to connect");
        }
        let (end, ended) = oneshot::channel();
        self.pending.push_back(end);
        let limit = Duration::from_millis(self.signaling.handshake_timeout_ms.into());
        let transport = Arc::clone(&self.transport);
        let session = Arc::clone(&self.session);
        self.handshakes.spawn(attempt(link, transport, session, limit, ended));
    }
}

/// One handshake, from the greeting to the session or the log line that says
/// why there is none.
async fn attempt(
    mut link: SignalingLink,
    transport: Arc<TransportConfig>,
    session: Arc<Semaphore>,
    limit: Duration,
    ended: oneshot::Receiver<&'static str>,
) -> Option<Connected> {
    let peer = link.peer_addr();
    tracing::debug!(%peer, "a client connects");
    let reason = tokio::select! {
        done = handshake::offer(&mut link, &transport, Instant::now() + limit) => match done {
            Ok(channel) => match session.try_acquire_owned() {
                Ok(permit) => {
                    link.hold(permit);
                    tracing::info!(%peer, "connected");
                    return Some(Connected { channel, link, peer_addr: peer });
                }
                Err(_) => "the server is busy with another client".to_owned(),
            },
            Err(error) => describe(&error),
        },
        Ok(reason) = ended => reason.to_owned(),
    };
    tracing::warn!(%peer, "no session: {reason}");
    link.close(Some(&reason)).await;
    None
}

fn describe(error: &HandshakeError) -> String {
    match error {
        HandshakeError::Link(LinkError::Eof) => {
            "the connection was closed before a handshake (a port probe?)".into()
        }
        error => error.to_string(),
    }
}
