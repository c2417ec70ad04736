//! `[scene]` of the configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[scene]`: what is filmed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SceneConfig {}
