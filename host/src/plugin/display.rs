//! A display instance: after a fault it is over, the session is not.

use abi_stable::std_types::RSlice;
use plumbline_plugin_api::{
    Flow, Frame, Overlay, PluginError, Progress, ScoreRow, abi::DisplayBox,
};

use super::{FaultCause, PluginFault};

/// A display instance. Lives on the thread that made it.
pub struct Display {
    name: String,
    /// `None` once it failed.
    instance: Option<DisplayBox>,
}

impl std::fmt::Debug for Display {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Display({})", self.name)
    }
}

impl Display {
    pub(super) fn new(
        name: &str,
        made: Result<DisplayBox, PluginError>,
    ) -> Result<Self, PluginFault> {
        let name = name.to_owned();
        match made {
            Ok(instance) => Ok(Self { name, instance: Some(instance) }),
            Err(error) => {
                Err(PluginFault { plugin: name, frame: None, cause: FaultCause::of(&error) })
            }
        }
    }

    /// The plugin's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Is it still showing anything? After a fault it is not.
    pub fn is_alive(&self) -> bool {
        self.instance.is_some()
    }

    /// Shows a frame with what was found in it.
    ///
    /// # Errors
    ///
    /// Once; from then on the display is over and every call is an empty one.
    pub fn show_frame(
        &mut self,
        frame: &Frame<'_>,
        overlay: &Overlay<'_>,
    ) -> Result<Flow, PluginFault> {
        self.call(Some(frame.id()), |d| d.show_frame(*frame, *overlay).into_result())
    }

    /// Shows new rows, in frame order, and where the session stands.
    ///
    /// # Errors
    ///
    /// As [`Self::show_frame`].
    pub fn show_scores(
        &mut self,
        rows: &[ScoreRow],
        progress: &Progress,
    ) -> Result<Flow, PluginFault> {
        let last = rows.last().map(|row| row.frame);
        self.call(last, |d| d.show_scores(RSlice::from_slice(rows), progress).into_result())
    }

    /// Nothing to show; call it about every 30 ms.
    ///
    /// # Errors
    ///
    /// As [`Self::show_frame`].
    pub fn idle(&mut self) -> Result<Flow, PluginFault> {
        self.call(None, |d| d.idle().into_result())
    }

    /// The session is over; nothing follows.
    ///
    /// # Errors
    ///
    /// For the log.
    pub fn finish(&mut self) -> Result<(), PluginFault> {
        let ended = self.call(None, |d| d.finish().into_result().map(|()| Flow::CONTINUE));
        self.instance = None;
        ended.map(drop)
    }

    fn call(
        &mut self,
        frame: Option<u64>,
        f: impl FnOnce(&mut DisplayBox) -> Result<Flow, PluginError>,
    ) -> Result<Flow, PluginFault> {
        let Some(instance) = &mut self.instance else { return Ok(Flow::CONTINUE) };
        f(instance).map_err(|error| {
            self.instance = None;
            PluginFault { plugin: self.name.clone(), frame, cause: FaultCause::of(&error) }
        })
    }
}

#[cfg(test)]
mod tests {
    use plumbline_plugin_api::{__private::new_display, prelude::*};

    use super::Display;
    use crate::plugin::Role;

    struct Fragile;

    impl plumbline_plugin_api::Display for Fragile {
        type Config = NoConfig;

        fn new(_: NoConfig, _: &HostInfo) -> Result<Self, PluginError> {
            Ok(Self)
        }

        fn show_scores(&mut self, rows: &[ScoreRow], _: &Progress) -> Result<Flow, PluginError> {
            assert!(!rows.is_empty(), "nothing to divide by");
            Ok(Flow::CONTINUE)
        }

        fn idle(&mut self) -> Result<Flow, PluginError> {
            Ok(Flow::QUIT)
        }
    }

    #[test]
    fn a_panic_ends_the_display_once_and_quietly_from_then_on() {
        let made = new_display::<Fragile>("{}".into(), Role::Tool.host(), "fragile");
        let mut display = Display::new("fragile", made.into_result()).unwrap();
        assert_eq!(display.idle().unwrap(), Flow::QUIT);
        let fault = display.show_scores(&[], &Progress::default()).unwrap_err();
        assert_eq!(fault.to_string(), "plugin fragile panicked: nothing to divide by");
        assert!(!display.is_alive());
        assert_eq!(display.idle().unwrap(), Flow::CONTINUE);
        assert_eq!(display.finish(), Ok(()));
    }
}
