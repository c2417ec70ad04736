//! Live table of scores in a terminal, or plain lines where there is none.
//!
//! | module | what is in it |
//! |---|---|
//! | `server` | the live view of a session's scores: gauge, counts, error bars, table |
//! | `client` | the live view of frames and detections |
//! | `picture` | a frame as half-block characters |
//! | `plain` | one line a frame, for files and pipes |
//! | `format` | the columns that the live table and the plain lines share |
//! | `screen` | the terminal: entering, keys, and leaving it as it was |
//! | `stderr` | log lines while the screen is ours |
//!
//! The live view takes over the screen of the terminal on standard output and
//! leaves it as it was at the end, also when something panics or the program
//! exits. Standard error is read along meanwhile if it is the same terminal:
//! its last lines show in the view, and all of them are written out at the end.
//! Ctrl+C stays a signal to the host; `q` and Esc end the session too.

mod client;
mod format;
mod picture;
mod plain;
mod screen;
mod server;
mod stderr;

use std::{
    io::{self, IsTerminal, Stdout},
    time::{Duration, Instant},
};

use plumbline_plugin_api::prelude::*;

use crate::{client::ClientView, plain::Plain, screen::Screen, server::ServerView};

/// When the live view is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Live on a terminal, plain lines otherwise.
    #[default]
    Auto,
    /// Live, or an error without a terminal.
    Live,
    /// One line a frame.
    Plain,
}

/// The table `[plugin.display-terminal]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// When the live view is used: `auto`, `live` or `plain`.
    pub mode: Mode,
    /// Redraws of the live view a second, at most.
    #[schemars(range(min = 1, max = 60))]
    pub redraws_per_second: u32,
    /// Show the client's frames as a coarse picture.
    pub picture: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { mode: Mode::Auto, redraws_per_second: 20, picture: true }
    }
}

/// The display. Server and client both use it; it shows what it is given.
pub struct TerminalDisplay {
    output: Output,
}

enum Output {
    Plain(Plain<Stdout>),
    Live(Box<Live>),
    /// Finished, or nobody reads the lines any more.
    Closed,
}

struct Live {
    screen: Screen,
    server: ServerView,
    client: ClientView,
    role: &'static str,
    interval: Duration,
    drawn: Option<Instant>,
    stale: bool,
}

impl Live {
    fn new(config: &Config, host: &HostInfo) -> Result<Self, PluginError> {
        let mut live = Self {
            screen: Screen::enter()?,
            server: ServerView::default(),
            client: ClientView::new(config.picture),
            role: host.role,
            interval: Duration::from_secs(1) / config.redraws_per_second,
            drawn: None,
            stale: true,
        };
        live.tick()?;
        Ok(live)
    }

    fn due(&self) -> bool {
        self.drawn.is_none_or(|t| t.elapsed() >= self.interval)
    }

    /// Looks at the keyboard and redraws, each only as often as the interval says.
    fn tick(&mut self) -> Result<Flow, PluginError> {
        if !self.due() {
            return Ok(Flow::CONTINUE);
        }
        self.drawn = Some(Instant::now());
        let logs = self.screen.new_log_lines();
        if self.stale || logs || self.screen.resized() {
            self.stale = false;
            let Self { screen, server, client, role, .. } = self;
            screen.draw(|frame, log| {
                if client.is_empty() {
                    server.draw(frame, role, log);
                } else {
                    client.draw(frame, role, log);
                }
            })?;
        }
        Ok(if self.screen.quit_pressed() { Flow::QUIT } else { Flow::CONTINUE })
    }
}

impl Display for TerminalDisplay {
    type Config = Config;

    fn new(config: Config, host: &HostInfo) -> Result<Self, PluginError> {
        if !(1..=60).contains(&config.redraws_per_second) {
            return Err(PluginError::config(format!(
                "redraws_per_second = {}: 1 to 60 are possible",
                config.redraws_per_second
            )));
        }
        let live = match config.mode {
            Mode::Plain => false,
            Mode::Auto => io::stdout().is_terminal() && screen::in_foreground(),
            Mode::Live if io::stdout().is_terminal() => true,
            Mode::Live => {
                return Err(PluginError::config(
                    "mode = \"live\" needs a terminal on standard output; \
                     use \"auto\" or \"plain\" to write to a file or a pipe",
                ));
            }
        };
        let output = if live {
            Output::Live(Box::new(Live::new(&config, host)?))
        } else {
            Output::Plain(Plain::new(io::stdout()))
        };
        Ok(Self { output })
    }

    fn show_frame(
        &mut self,
        frame: &Frame<'_>,
        overlay: &Overlay<'_>,
    ) -> Result<Flow, PluginError> {
        match &mut self.output {
            Output::Plain(plain) => {
                let result = plain.frame(frame, overlay);
                self.unless_pipe_closed(result)
            }
            Output::Live(live) => {
                live.client.update(frame, overlay, live.due());
                live.stale = true;
                live.tick()
            }
            Output::Closed => Ok(Flow::CONTINUE),
        }
    }

    fn show_scores(&mut self, rows: &[ScoreRow], progress: &Progress) -> Result<Flow, PluginError> {
        match &mut self.output {
            Output::Plain(plain) => {
                let result = plain.scores(rows);
                self.unless_pipe_closed(result)
            }
            Output::Live(live) => {
                live.server.update(rows, progress);
                live.stale = true;
                live.tick()
            }
            Output::Closed => Ok(Flow::CONTINUE),
        }
    }

    fn idle(&mut self) -> Result<Flow, PluginError> {
        match &mut self.output {
            Output::Live(live) => live.tick(),
            Output::Plain(_) | Output::Closed => Ok(Flow::CONTINUE),
        }
    }

    fn finish(&mut self) -> Result<(), PluginError> {
        // Dropping the screen restores the terminal.
        self.output = Output::Closed;
        Ok(())
    }
}

impl TerminalDisplay {
    /// Whoever closes the pipe (`| head`) has seen enough.
    fn unless_pipe_closed(&mut self, result: io::Result<()>) -> Result<Flow, PluginError> {
        match result {
            Ok(()) => Ok(Flow::CONTINUE),
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {
                self.output = Output::Closed;
                Ok(Flow::QUIT)
            }
            Err(e) => Err(e.into()),
        }
    }
}

plumbline_plugin_api::export_plugin! {
    display: TerminalDisplay,
    name: "display-terminal",
    description: "Live table of scores, or plain lines without a terminal",
}
