//! A display that writes what it is shown into a file, a line each.

use std::{fs::File, io::Write};

use plumbline_plugin_api::prelude::*;

/// Settings, from `[plugin.recorder]`.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// The file; nothing is written without one.
    file: String,
    /// Asks to end the session after this many frames.
    quit_after: Option<u64>,
    /// Panics on the first frame with this number or a later one.
    panic_on: Option<u64>,
}

struct Recorder {
    config: Config,
    file: Option<File>,
    frames: u64,
}

impl Recorder {
    fn write(&mut self, line: &str) -> Result<(), PluginError> {
        if let Some(file) = &mut self.file {
            writeln!(file, "{line}")?;
        }
        Ok(())
    }
}

impl Display for Recorder {
    type Config = Config;

    fn new(config: Config, host: &HostInfo) -> Result<Self, PluginError> {
        let file = if config.file.is_empty() { None } else { Some(File::create(&config.file)?) };
        let mut recorder = Self { config, file, frames: 0 };
        recorder.write(&format!("role {}", host.role))?;
        Ok(recorder)
    }

    fn show_frame(
        &mut self,
        frame: &Frame<'_>,
        overlay: &Overlay<'_>,
    ) -> Result<Flow, PluginError> {
        let bad = self.config.panic_on.is_some_and(|first| frame.id() >= first);
        assert!(!bad, "cannot look at this one");
        self.write(&format!("frame {} {}", frame.id(), overlay.detections.len()))?;
        self.frames += 1;
        let quit = self.config.quit_after.is_some_and(|n| self.frames >= n);
        Ok(if quit { Flow::QUIT } else { Flow::CONTINUE })
    }

    fn show_scores(&mut self, rows: &[ScoreRow], _: &Progress) -> Result<Flow, PluginError> {
        for row in rows {
            self.write(&format!("score {} {:?} {}", row.frame, row.outcome, row.l1))?;
        }
        Ok(Flow::CONTINUE)
    }

    fn finish(&mut self) -> Result<(), PluginError> {
        self.write("finish")
    }
}

plumbline_plugin_api::export_plugin! {
    display: Recorder,
    name: "recorder",
    description: "Writes what it is shown into a file",
}
