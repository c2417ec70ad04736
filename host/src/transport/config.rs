//! `[transport]` of the configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[transport]`: the data channel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TransportConfig {}
