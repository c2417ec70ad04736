//! The traits that a plugin implements.

use abi_stable::std_types::RVec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Detection, Flow, Frame, Overlay, PluginError, Progress, ScoreRow};

/// What a detector found in one frame, best first. Used like a `Vec`.
pub type Detections = RVec<Detection>;

/// What a plugin may know about the program that loaded it.
#[derive(Debug, Clone, Copy)]
pub struct HostInfo {
    /// The host's version.
    pub version: &'static str,
    /// What the host is doing: `server`, `client`, or `tool` for the offline commands.
    pub role: &'static str,
}

/// The configuration of a plugin that has none.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

/// Finds discs in frames.
///
/// An instance is used by one thread at a time, though not always by the one
/// that made it.
pub trait Detector: Sized + Send + 'static {
    /// The table `[plugin.<name>]` of `config.toml`. Its JSON Schema is checked
    /// by the host before the plugin sees it, so doc comments, ranges
    /// (`#[schemars(range(min = 0, max = 1))]`) and `#[serde(deny_unknown_fields)]`
    /// become error messages that name the line.
    type Config: Default + Serialize + DeserializeOwned + JsonSchema;

    /// Makes an instance.
    ///
    /// # Errors
    ///
    /// [`PluginError::config`] for a combination of values that the schema
    /// cannot express, [`PluginError::failed`] for anything else.
    fn new(config: Self::Config, host: &HostInfo) -> Result<Self, PluginError>;

    /// Finds discs in `frame` and pushes them to `found` (which is empty), best
    /// first. Finding nothing is not an error.
    ///
    /// # Errors
    ///
    /// When the frame could not be looked at. It counts as missed, with this
    /// error as the reason.
    fn detect(&mut self, frame: &Frame<'_>, found: &mut Detections) -> Result<(), PluginError>;

    /// Forgets what was learnt from earlier frames; called between sessions.
    fn reset(&mut self) {}
}

/// Shows frames, scores, or both.
///
/// An instance lives on one thread: the one that made it.
pub trait Display: Sized + 'static {
    /// The table `[plugin.<name>]` of `config.toml`; see [`Detector::Config`].
    type Config: Default + Serialize + DeserializeOwned + JsonSchema;

    /// Makes an instance.
    ///
    /// # Errors
    ///
    /// As [`Detector::new`]: no display to connect to, for example.
    fn new(config: Self::Config, host: &HostInfo) -> Result<Self, PluginError>;

    /// Shows a frame with what was found in it. Frames that arrive while the
    /// display is busy are skipped, never queued.
    ///
    /// # Errors
    ///
    /// Ends the display and not the session.
    fn show_frame(
        &mut self,
        frame: &Frame<'_>,
        overlay: &Overlay<'_>,
    ) -> Result<Flow, PluginError> {
        let _ = (frame, overlay);
        Ok(Flow::CONTINUE)
    }

    /// Shows the rows that are new since the last call, in frame order (none
    /// are skipped), and where the session stands.
    ///
    /// # Errors
    ///
    /// Ends the display and not the session.
    fn show_scores(&mut self, rows: &[ScoreRow], progress: &Progress) -> Result<Flow, PluginError> {
        let _ = (rows, progress);
        Ok(Flow::CONTINUE)
    }

    /// Called about every 30 ms while there is nothing to show, for windows and
    /// keyboards that want attention.
    ///
    /// # Errors
    ///
    /// Ends the display and not the session.
    fn idle(&mut self) -> Result<Flow, PluginError> {
        Ok(Flow::CONTINUE)
    }

    /// The session is over; nothing follows.
    ///
    /// # Errors
    ///
    /// Logged.
    fn finish(&mut self) -> Result<(), PluginError> {
        Ok(())
    }
}
