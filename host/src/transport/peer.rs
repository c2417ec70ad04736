//! One side of a handshake.

use std::{sync::Arc, time::Duration};

use rtc::{
    ice::mdns::MulticastDnsMode, peer_connection::configuration::setting_engine::SctpMaxMessageSize,
};
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit},
    peer_connection::{
        CipherSuiteId, PeerConnectionBuilder, RTCConfigurationBuilder, RTCIceCandidateInit,
        RTCIceServer, RTCSessionDescription, SettingEngine, SettingEngineBuilder,
    },
};

use super::{
    CHANNEL_LABEL, Channel, Cipher, Route, TransportConfig, TransportError,
    channel::{DataReceiver, DataSender},
    connection::{Connection, Events, Signals},
    runtime::BufferedRuntime,
    sdp::{Remote, without_rtcp_candidates},
};

/// Connectivity checks go out this often until a path is found.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// One side of a handshake, on its way to a [`Channel`].
///
/// The offering side makes the data channel:
///
/// ```text
/// offering side                           answering side
/// Peer::offer ── offer ─────────────────▶ Peer::answer
/// accept_answer ◀──────────── answer ──── open
/// open
/// ```
///
/// Neither side trickles: a description holds all its candidates. Dropping a
/// peer at any point gives back all that it holds.
pub struct Peer {
    connection: Arc<Connection>,
    signals: Signals,
    channel: Option<Arc<dyn DataChannel>>,
    opened: bool,
    remote: Option<Remote>,
    message_bytes: usize,
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer")
            .field("progress", &self.connection.progress())
            .finish_non_exhaustive()
    }
}

impl Peer {
    /// Makes an offer (SDP) with the one data channel in it.
    ///
    /// # Errors
    ///
    /// [`TransportError::Handshake`] when no socket can be had or when the
    /// configuration names a server that is no STUN or TURN address.
    pub async fn offer(
        config: &TransportConfig,
        route: &Route,
    ) -> Result<(Self, String), TransportError> {
        let mut peer = Self::new(config, route, config.message_bytes as usize).await?;
        let reliable = RTCDataChannelInit { ordered: true, ..Default::default() };
        let pc = peer.connection.pc();
        let made = pc.create_data_channel(CHANNEL_LABEL, Some(reliable)).await;
        let channel = made.map_err(failed("creating the data channel"))?;
        let offer = pc.create_offer(None).await.map_err(failed("making the offer"))?;
        peer.channel = Some(channel);
        let sdp = peer.describe(offer, config).await?;
        Ok((peer, sdp))
    }

    /// Takes the answer to the offer.
    ///
    /// # Errors
    ///
    /// [`TransportError::Handshake`] when it cannot be used.
    pub async fn accept_answer(&mut self, sdp: &str) -> Result<(), TransportError> {
        self.remote = Some(Remote::parse(sdp)?);
        let answer = RTCSessionDescription::answer(sdp.to_owned());
        let answer = answer.map_err(failed("reading the peer's answer"))?;
        let taken = self.connection.pc().set_remote_description(answer).await;
        taken.map_err(failed("taking the peer's answer"))
    }

    /// Makes the answer (SDP) to `offer`.
    ///
    /// # Errors
    ///
    /// [`TransportError::Handshake`] when the offer cannot be used or when no
    /// socket can be had.
    pub async fn answer(
        config: &TransportConfig,
        route: &Route,
        offer: &str,
    ) -> Result<(Self, String), TransportError> {
        let remote = Remote::parse(offer)?;
        // The library refuses to receive more than the peer said that *it*
        // accepts, so no more than that is announced to it.
        let limit = remote.max_message(config.message_bytes as usize);
        let mut peer = Self::new(config, route, limit).await?;
        peer.remote = Some(remote);
        let pc = peer.connection.pc();
        let offer = RTCSessionDescription::offer(offer.to_owned());
        let offer = offer.map_err(failed("reading the peer's offer"))?;
        let taken = pc.set_remote_description(offer).await;
        taken.map_err(failed("taking the peer's offer"))?;
        let answer = pc.create_answer(None).await.map_err(failed("making the answer"))?;
        let sdp = peer.describe(answer, config).await?;
        Ok((peer, sdp))
    }

    /// Takes a candidate that the peer trickled: `candidate:...`, the `mid` and
    /// the index of the media section that it belongs to.
    ///
    /// # Errors
    ///
    /// [`TransportError::Handshake`] when it is no candidate, or when it comes
    /// before the peer's description.
    pub async fn add_candidate(
        &self,
        candidate: &str,
        mid: Option<&str>,
        index: Option<u16>,
    ) -> Result<(), TransportError> {
        let candidate = RTCIceCandidateInit {
            candidate: candidate.to_owned(),
            sdp_mid: mid.map(str::to_owned),
            sdp_mline_index: index,
            ..Default::default()
        };
        let added = self.connection.pc().add_ice_candidate(candidate).await;
        added.map_err(failed("taking a candidate of the peer"))
    }

    /// Waits until the data channel is open, `deadline` at most. Cancel-safe:
    /// it can be called again. Afterwards the peer is empty.
    ///
    /// # Errors
    ///
    /// [`TransportError::Handshake`] after `deadline`, when no path to the peer
    /// works, or when the peer's channel is not reliable and ordered.
    pub async fn open(&mut self, deadline: Duration) -> Result<Channel, TransportError> {
        let connection = Arc::clone(&self.connection);
        tokio::select! {
            channel = self.opened() => {
                let channel = channel?;
                let remote = self.remote.ok_or_else(|| {
                    TransportError::Handshake("no description of the peer was taken".into())
                })?;
                let limit = remote.max_message(self.message_bytes);
                Ok(Channel {
                    sender: Arc::new(DataSender::new(
                        Arc::clone(&connection), Arc::clone(&channel), limit,
                    )),
                    receiver: Box::new(DataReceiver::new(connection, channel)),
                })
            }
            () = connection.dead() => {
                Err(TransportError::Handshake(connection.progress().into()))
            }
            () = tokio::time::sleep(deadline) => Err(TransportError::Handshake(format!(
                "not connected after {:.1} s: {}", deadline.as_secs_f64(), connection.progress()
            ))),
        }
    }

    async fn opened(&mut self) -> Result<Arc<dyn DataChannel>, TransportError> {
        let ended = || TransportError::Handshake("the connection ended".into());
        let channel = if let Some(channel) = &self.channel {
            channel
        } else {
            let offered = self.signals.channels.recv().await.ok_or_else(ended)?;
            check(&*offered).await?;
            self.channel.insert(offered)
        };
        while !self.opened {
            match channel.poll().await {
                Some(DataChannelEvent::OnOpen) => self.opened = true,
                Some(DataChannelEvent::OnClose | DataChannelEvent::OnError) | None => {
                    return Err(ended());
                }
                Some(_) => {}
            }
        }
        Ok(Arc::clone(channel))
    }

    async fn new(
        config: &TransportConfig,
        route: &Route,
        message_bytes: usize,
    ) -> Result<Self, TransportError> {
        let wanted = config.socket_buffer_bytes as usize;
        let (runtime, granted) =
            BufferedRuntime::new(wanted).map_err(failed("opening a UDP socket"))?;
        let window = (config.window_bytes as usize).min(granted).max(message_bytes);
        let servers = config.ice_servers.iter().map(|server| RTCIceServer {
            urls: server.urls.clone(),
            username: server.username.clone(),
            credential: server.credential.clone(),
        });
        let (events, signals) = Events::new();
        let building = PeerConnectionBuilder::new()
            .with_configuration(
                RTCConfigurationBuilder::new().with_ice_servers(servers.collect()).build(),
            )
            .with_setting_engine(settings(config, route, window, message_bytes))
            .with_runtime(Arc::new(runtime))
            .with_handler(Arc::new(events))
            .with_udp_addrs(route.bind_addresses(&interfaces()))
            .with_dedicated_reactor_pool_size(1)
            .with_data_channel_send_buffer_limit(config.send_buffer_bytes as usize)
            .build();
        // Boxed because it has some 20 KiB.
        let pc = Box::pin(building).await.map_err(failed("opening the connection's sockets"))?;
        let lost_after = Duration::from_millis(config.lost_after_ms.into());
        let connection = Connection::new(Arc::new(pc), signals.state.clone(), lost_after);
        Ok(Self {
            connection: Arc::new(connection),
            signals,
            channel: None,
            opened: false,
            remote: None,
            message_bytes,
        })
    }

    /// Applies our own description and returns it with all candidates.
    async fn describe(
        &mut self,
        description: RTCSessionDescription,
        config: &TransportConfig,
    ) -> Result<String, TransportError> {
        let pc = self.connection.pc();
        let set = pc.set_local_description(description).await;
        set.map_err(failed("applying our description"))?;
        let limit = Duration::from_millis(config.gather_timeout_ms.into());
        let gathered = self.signals.gathered.wait_for(|complete| *complete);
        if tokio::time::timeout(limit, gathered).await.is_err() {
            tracing::warn!(
                "a STUN or TURN server did not answer within {:.1} s; going on without it",
                limit.as_secs_f64()
            );
        }
        let description = pc.local_description().await;
        description.map(|d| without_rtcp_candidates(&d.sdp)).ok_or_else(|| {
            TransportError::Handshake("the connection ended while gathering candidates".into())
        })
    }
}

fn settings(
    config: &TransportConfig,
    route: &Route,
    window: usize,
    message_bytes: usize,
) -> SettingEngine {
    let lost_after = Duration::from_millis(config.lost_after_ms.into());
    // Silence counts as "disconnected" first and as "failed" later; only the
    // sum matters here. At least eight keepalives fit into it.
    let half = lost_after / 2;
    let keepalive = (lost_after / 8).min(Duration::from_secs(1));
    let attempts = lost_after.as_millis() / CHECK_INTERVAL.as_millis();
    SettingEngineBuilder::new()
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_include_loopback_candidate(true)
        .with_ice_timeouts(Some(half), Some(half), Some(keepalive))
        .with_ice_connection_attempts(
            Some(CHECK_INTERVAL),
            Some(u16::try_from(attempts).unwrap_or(u16::MAX)),
        )
        .with_dtls_cipher_suites(config.ciphers.iter().copied().map(suite).collect())
        .with_sctp_max_message_size(SctpMaxMessageSize::Bounded(
            u32::try_from(message_bytes).unwrap_or(u32::MAX),
        ))
        .with_sctp_max_receive_buffer_size(u32::try_from(window).unwrap_or(u32::MAX))
        .with_sctp_mtu(route.sctp_mtu(config.mtu))
        .build()
}

fn suite(cipher: Cipher) -> CipherSuiteId {
    match cipher {
        Cipher::Chacha20Poly1305 => CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
        Cipher::Aes128Gcm => CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
    }
}

/// The addresses of this machine; none when they cannot be listed, since the
/// address of the signaling connection is known anyway.
fn interfaces() -> Vec<std::net::IpAddr> {
    let listed = rtc::shared::ifaces::ifaces().unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot list the network interfaces");
        Vec::new()
    });
    listed.into_iter().filter_map(|interface| interface.addr).map(|addr| addr.ip()).collect()
}

/// Frames must arrive, and in order.
async fn check(channel: &dyn DataChannel) -> Result<(), TransportError> {
    let read = failed("reading the properties of the peer's data channel");
    let label = channel.label().await.map_err(&read)?;
    let partial = channel.max_retransmits().await.map_err(&read)?.is_some()
        || channel.max_packet_life_time().await.map_err(&read)?.is_some();
    if partial || !channel.ordered().await.map_err(&read)? {
        return Err(TransportError::Handshake(format!(
            "the peer's data channel `{label}` is not reliable and ordered; create it with the \
             default options"
        )));
    }
    if label != CHANNEL_LABEL {
        tracing::info!("the peer calls its data channel `{label}`, not `{CHANNEL_LABEL}`");
    }
    Ok(())
}

fn failed<E: std::fmt::Display>(doing: &'static str) -> impl Fn(E) -> TransportError {
    move |error| TransportError::Handshake(format!("{doing}: {error}"))
}
