//! Typed configuration.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{scene::SceneConfig, signaling::SignalingConfig, transport::TransportConfig};

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
    /// Where plugins are looked for.
    pub plugins: PluginsConfig,
    /// What each plugin is configured with, by its name.
    pub plugin: BTreeMap<String, serde_json::Map<String, serde_json::Value>>,
}

/// `[plugins]`: where plugins are looked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PluginsConfig {
    /// Directories, relative ones from the configuration file's place.
    pub paths: Vec<PathBuf>,
}
