//! `[signaling]` of the configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[signaling]`: how the two sides find each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SignalingConfig {
    /// Address and port that the server listens on; `0.0.0.0:8080` for clients on
    /// other machines, port 0 for a free one.
    #[schemars(length(min = 1))]
    pub listen: String,
    /// Address (or name) and port that the client connects to.
    #[schemars(length(min = 1))]
    pub connect: String,
    /// Milliseconds from the connection to the open data channel. A peer on
    /// aiortc may take 5 s to find its own addresses before it says anything.
    #[schemars(range(min = 500, max = 600_000))]
    pub handshake_timeout_ms: u32,
    /// Milliseconds of the client's first pause before it tries again.
    #[schemars(range(min = 10, max = 60_000))]
    pub retry_min_ms: u32,
    /// Milliseconds that this pause grows to.
    #[schemars(range(min = 10, max = 600_000))]
    pub retry_max_ms: u32,
    /// Handshakes that the server carries on at once; one more ends the oldest.
    #[schemars(range(min = 1, max = 64))]
    pub max_pending: u32,
}

impl Default for SignalingConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            connect: "127.0.0.1:8080".into(),
            handshake_timeout_ms: 20_000,
            retry_min_ms: 100,
            retry_max_ms: 2000,
            max_pending: 8,
        }
    }
}
