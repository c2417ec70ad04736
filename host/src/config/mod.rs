//! Typed configuration: the file, the overrides of the command line, and
//! errors that name the file, the line, the column and what would be right.
//!
//! | file | subject |
//! |---|---|
//! | `sections` | the sections that have no module of their own |
//! | `document` | a TOML document whose every value knows its place |
//! | `problem` | violations of a JSON Schema, in words |
//! | `load` | all of it together |
//!
//! Every section is described by a Rust type; its JSON Schema is what the
//! document is checked against, exactly as `[plugin.<name>]` is checked against
//! the schema that the plugin ships.

mod document;
mod load;
mod problem;
mod sections;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{scene::SceneConfig, signaling::SignalingConfig, transport::TransportConfig};

pub use load::{ConfigError, Loaded, Override, load, value};
pub(crate) use problem::suggestion;
pub use sections::{
    ClientConfig, PluginsConfig, QueuePolicy, ScoringConfig, ServerConfig, WhenFull,
};

/// The whole of `config.toml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How the two sides find each other.
    pub signaling: SignalingConfig,
    /// The data channel.
    pub transport: TransportConfig,
    /// What is filmed.
    pub scene: SceneConfig,
    /// The side that films and scores.
    pub server: ServerConfig,
    /// The side that detects.
    pub client: ClientConfig,
    /// How answers are judged.
    pub scoring: ScoringConfig,
    /// Where plugins are looked for.
    pub plugins: PluginsConfig,
    /// What each plugin is configured with, by its name.
    pub plugin: BTreeMap<String, serde_json::Map<String, serde_json::Value>>,
}
