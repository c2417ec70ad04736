//! What went wrong in a plugin, and on which frame.

use plumbline_plugin_api::{ErrorKind, PluginError};
use serde::{Deserialize, Serialize};

/// A plugin did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("plugin {plugin} {}{cause}", at(*frame))]
pub struct PluginFault {
    /// The plugin's name.
    pub plugin: String,
    /// The frame that it was given, if it was given one.
    pub frame: Option<u64>,
    /// What happened.
    pub cause: FaultCause,
}

/// How a plugin failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum FaultCause {
    /// It returned an error.
    #[error("failed: {0}")]
    Failed(String),
    /// It refused its configuration.
    #[error("refused its configuration: {0}")]
    Config(String),
    /// It panicked.
    #[error("panicked: {0}")]
    Panicked(String),
    /// It panicked or died before and could not be started anew.
    #[error("could not be started again: {0}")]
    Restart(String),
    /// It ended its process, or did not come back.
    #[error("died: {0}")]
    Died(String),
    /// It is not asked any more.
    #[error("is out of use: {0}")]
    Quarantined(String),
}

impl PluginFault {
    /// Did it panic or die, now or when it was to be made anew?
    pub fn is_panic(&self) -> bool {
        !matches!(self.cause, FaultCause::Failed(_) | FaultCause::Config(_))
    }
}

fn at(frame: Option<u64>) -> String {
    frame.map_or_else(String::new, |frame| format!("(frame {frame}) "))
}

impl FaultCause {
    /// What a plugin's own error means.
    pub(super) fn of(error: &PluginError) -> Self {
        let message = error.message().to_owned();
        match error.kind() {
            ErrorKind::PANICKED => Self::Panicked(message),
            ErrorKind::CONFIG => Self::Config(message),
            _ => Self::Failed(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_names_plugin_frame_and_cause() {
        let mut fault = PluginFault {
            plugin: "hough-rust".into(),
            frame: Some(12),
            cause: FaultCause::Panicked("index 3 out of range".into()),
        };
        assert_eq!(
            fault.to_string(),
            "plugin hough-rust (frame 12) panicked: index 3 out of range"
        );
        fault.frame = None;
        fault.cause = FaultCause::of(&PluginError::config("threshold"));
        assert_eq!(fault.to_string(), "plugin hough-rust refused its configuration: threshold");
    }
}
