//! `[signaling]` of the configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[signaling]`: how the two sides find each other.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SignalingConfig {}
