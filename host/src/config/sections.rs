//! The sections that have no module of their own.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[server]`: the side that films and scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Name of the display plugin.
    #[schemars(length(min = 1))]
    pub display: String,
    /// Frames after which the session is complete and the server ends; 0 = no end.
    pub frames: u64,
    /// Frames that may be on their way without an answer.
    #[schemars(range(min = 1, max = 1024))]
    pub max_in_flight: u32,
    /// What happens to a new frame when that many are on their way: "wait" (the
    /// scene waits) or "drop" (the scene goes on and the frame is not sent).
    pub when_full: WhenFull,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            display: "display-terminal".into(),
            frames: 0,
            max_in_flight: 8,
            when_full: WhenFull::Wait,
        }
    }
}

/// What happens to a new frame when too many are on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// The scene waits: every frame is sent.
    Wait,
    /// The scene goes on: the frame is counted as not sent.
    Drop,
}

/// `[client]`: the side that detects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClientConfig {
    /// Name of the detector plugin.
    #[schemars(length(min = 1))]
    pub detector: String,
    /// Name of the display plugin.
    #[schemars(length(min = 1))]
    pub display: String,
    /// What happens when the detector is slower than the frames: "every-frame"
    /// (the server is held back) or "latest" (stale frames are dropped and counted).
    pub policy: QueuePolicy,
    /// Frames that may wait for the detector under "every-frame".
    #[schemars(range(min = 1, max = 64))]
    pub queue: u32,
    /// Frames that the server may have without an answer, whatever it would
    /// allow itself; 0 = as it likes.
    #[schemars(range(max = 1024))]
    pub max_in_flight: u32,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            detector: "hough-rust".into(),
            display: "display-null".into(),
            policy: QueuePolicy::EveryFrame,
            queue: 4,
            max_in_flight: 8,
        }
    }
}

/// What the client does when the detector is slower than the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QueuePolicy {
    /// Every frame is looked at; back-pressure reaches the server.
    EveryFrame,
    /// Only the latest frame is looked at; the others are dropped, counted and
    /// reported to the server.
    Latest,
}

/// `[scoring]`: how answers are judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScoringConfig {
    /// Milliseconds after which a frame without an answer counts as timed out.
    #[schemars(range(min = 10, max = 600_000))]
    pub timeout_ms: u32,
}

impl Default for ScoringConfig {
    fn default() -> Self {
        Self { timeout_ms: 5000 }
    }
}

/// `[plugins]`: where plugins are looked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PluginsConfig {
    /// Directories; relative ones are taken from the place of the configuration file.
    pub paths: Vec<PathBuf>,
}
