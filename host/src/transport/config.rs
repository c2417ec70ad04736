//! `[transport]` of the configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[transport]`: the data channel.
///
/// The defaults carry some 200 MiB/s between two processes over loopback
/// (`make bench-throughput`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TransportConfig {
    /// Bytes asked of the kernel for the receive and the send buffer of each UDP
    /// socket. The setting that matters most; the kernel grants at most
    /// `net.core.rmem_max` and `net.core.wmem_max`.
    #[schemars(range(min = 65_536, max = 67_108_864))]
    pub socket_buffer_bytes: u32,
    /// Bytes that the peer may have on their way to us without an
    /// acknowledgement. No more is announced than the kernel granted to the socket.
    #[schemars(range(min = 262_144, max = 33_554_432))]
    pub window_bytes: u32,
    /// Largest SCTP packet in bytes. DTLS, UDP and IP add up to 85 bytes; where
    /// the path is narrower, the packets are made smaller by themselves.
    #[schemars(range(min = 576, max = 8192))]
    pub mtu: u32,
    /// Bytes that may be handed over and unacknowledged before sending waits.
    #[schemars(range(min = 65_536, max = 268_435_456))]
    pub send_buffer_bytes: u32,
    /// Largest message in bytes that we send and accept; the peer's limit holds as well.
    #[schemars(range(min = 1200, max = 262_144))]
    pub message_bytes: u32,
    /// Milliseconds of silence after which a peer counts as lost.
    #[schemars(range(min = 1000, max = 120_000))]
    pub lost_after_ms: u32,
    /// Milliseconds that finding our own addresses (STUN and TURN servers) may take.
    #[schemars(range(min = 100, max = 60_000))]
    pub gather_timeout_ms: u32,
    /// Cipher suites that we offer, best first. `ChaCha20` derives its nonces from
    /// the record number; AES-GCM draws them at random, which limits how much a
    /// session may carry, so it comes last.
    #[schemars(length(min = 1, max = 2))]
    pub ciphers: Vec<Cipher>,
    /// STUN and TURN servers, for peers behind address translation.
    pub ice_servers: Vec<IceServer>,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            socket_buffer_bytes: 4 * 1024 * 1024,
            window_bytes: 3_000_000,
            mtu: 1400,
            send_buffer_bytes: 4 * 1024 * 1024,
            message_bytes: 65_536,
            lost_after_ms: 3500,
            gather_timeout_ms: 2000,
            ciphers: vec![Cipher::Chacha20Poly1305, Cipher::Aes128Gcm],
            ice_servers: Vec::new(),
        }
    }
}

/// A DTLS cipher suite (ECDHE, ECDSA certificates).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cipher {
    /// ChaCha20-Poly1305.
    #[serde(rename = "chacha20-poly1305")]
    Chacha20Poly1305,
    /// AES-128-GCM.
    #[serde(rename = "aes128-gcm")]
    Aes128Gcm,
}

/// A STUN or TURN server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IceServer {
    /// Its addresses, such as `stun:stun.example.org:3478` or
    /// `turn:turn.example.org:3478?transport=udp`.
    #[schemars(length(min = 1))]
    pub urls: Vec<String>,
    /// The user name at a TURN server.
    #[serde(default)]
    pub username: String,
    /// The password at a TURN server.
    #[serde(default)]
    pub credential: String,
}
