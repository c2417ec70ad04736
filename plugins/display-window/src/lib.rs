//! Frames and scores in a window (X11; its libraries are loaded at run time).
//!
//! | module | what is in it |
//! |---|---|
//! | `frame_view` | the client's view: the frame with what was found in it |
//! | `panel` | the server's view: values, plots, where the session stands |
//! | `plot` | the error over time and in the plane |
//! | `canvas` | pixels, text and lines |
//! | `x11` | keeps the failures of Xlib from ending the process |
//!
//! Closing the window, `q` and Esc end the session.

mod canvas;
mod frame_view;
mod panel;
mod plot;
mod x11;

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use minifb::{InputCallback, Key, ScaleMode, Window, WindowOptions};
use plumbline_plugin_api::prelude::*;

use crate::{canvas::Canvas, panel::Panel};

/// How often a window without news is drawn again, for what was covered or resized.
const REFRESH: Duration = Duration::from_millis(250);

/// The table `[plugin.display-window]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Width of the window when it opens, in pixels.
    #[schemars(range(min = 160, max = 8192))]
    pub width: u32,
    /// Height of the window when it opens, in pixels.
    #[schemars(range(min = 120, max = 8192))]
    pub height: u32,
    /// Redraws a second, at most.
    #[schemars(range(min = 1, max = 120))]
    pub redraws_per_second: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { width: 880, height: 620, redraws_per_second: 30 }
    }
}

/// Remembers that a key which ends the session went down. The window's own
/// state forgets a key that is up again before it is looked at.
struct QuitKeys(Rc<Cell<bool>>);

impl InputCallback for QuitKeys {
    fn add_char(&mut self, _: u32) {}

    fn set_key_state(&mut self, key: Key, down: bool) {
        if down && matches!(key, Key::Q | Key::Escape) {
            self.0.set(true);
        }
    }
}

/// The display. Server and client both use it; it shows what it is given.
pub struct WindowDisplay {
    window: Option<Window>,
    quit_key: Rc<Cell<bool>>,
    canvas: Canvas,
    panel: Panel,
    interval: Duration,
    looked: Option<Instant>,
    drawn: Option<Instant>,
    /// There are scores that are not drawn yet.
    stale: bool,
}

impl Display for WindowDisplay {
    type Config = Config;

    fn new(config: Config, host: &HostInfo) -> Result<Self, PluginError> {
        let ranges = [
            ("width", config.width, 160..=8192),
            ("height", config.height, 120..=8192),
            ("redraws_per_second", config.redraws_per_second, 1..=120),
        ];
        for (key, value, range) in ranges {
            if !range.contains(&value) {
                let (min, max) = range.into_inner();
                return Err(PluginError::config(format!(
                    "{key} = {value}: {min} to {max} are possible"
                )));
            }
        }
        let mut window = open(&config, host.role)?;
        let quit_key = Rc::new(Cell::new(false));
        window.set_input_callback(Box::new(QuitKeys(Rc::clone(&quit_key))));
        let mut display = Self {
            window: Some(window),
            quit_key,
            canvas: Canvas::default(),
            panel: Panel::default(),
            interval: Duration::from_secs(1) / config.redraws_per_second,
            looked: None,
            drawn: None,
            // The panel of scores is the server's; a client waits for its first frame.
            stale: host.role != "client",
        };
        display.reset_canvas();
        display.present()?;
        display.drawn = None;
        display.tick()?;
        Ok(display)
    }

    fn show_frame(
        &mut self,
        frame: &Frame<'_>,
        overlay: &Overlay<'_>,
    ) -> Result<Flow, PluginError> {
        if self.due() {
            self.stale = false;
            self.reset_canvas();
            frame_view::draw(&mut self.canvas, frame, overlay);
            self.present()?;
        }
        self.tick()
    }

    fn show_scores(&mut self, rows: &[ScoreRow], progress: &Progress) -> Result<Flow, PluginError> {
        self.panel.update(rows, progress);
        self.stale = true;
        self.tick()
    }

    fn idle(&mut self) -> Result<Flow, PluginError> {
        self.tick()
    }

    fn finish(&mut self) -> Result<(), PluginError> {
        self.close();
        Ok(())
    }
}

impl Drop for WindowDisplay {
    fn drop(&mut self) {
        self.close();
    }
}

impl WindowDisplay {
    fn close(&mut self) {
        let window = self.window.take();
        if x11::check().is_err() {
            // Closing it would talk to a server that is gone.
            std::mem::forget(window);
        }
    }

    fn due(&self) -> bool {
        self.drawn.is_none_or(|t| t.elapsed() >= self.interval)
    }

    fn reset_canvas(&mut self) {
        let (width, height) = self.window.as_ref().map_or((1, 1), Window::get_size);
        self.canvas.reset(width.max(1), height.max(1));
    }

    /// Puts the canvas on the screen.
    fn present(&mut self) -> Result<(), PluginError> {
        self.drawn = Some(Instant::now());
        let (width, height) = (self.canvas.width() as usize, self.canvas.height() as usize);
        if let Some(window) = &mut self.window {
            x11::check()?;
            window.update_with_buffer(self.canvas.pixels(), width, height)?;
        }
        Ok(())
    }

    /// Draws new scores and looks at the window's events, each only as often as
    /// the interval says.
    fn tick(&mut self) -> Result<Flow, PluginError> {
        if self.stale && self.due() {
            self.stale = false;
            self.reset_canvas();
            self.panel.draw(&mut self.canvas);
            self.present()?;
        } else if self.drawn.is_some_and(|t| t.elapsed() >= REFRESH) {
            self.present()?;
        }
        let Some(window) = &mut self.window else { return Ok(Flow::CONTINUE) };
        if self.looked.is_none_or(|t| t.elapsed() >= self.interval) {
            self.looked = Some(Instant::now());
            window.update();
            x11::check()?;
        }
        let quit = x11::gone() || !window.is_open() || self.quit_key.get();
        Ok(if quit { Flow::QUIT } else { Flow::CONTINUE })
    }
}

fn open(config: &Config, role: &str) -> Result<Window, PluginError> {
    const ADVICE: &str = "run with --no-graphics, or choose display-terminal or display-null";
    let display = std::env::var("DISPLAY").unwrap_or_default();
    if display.is_empty() {
        return Err(PluginError::failed(format!(
            "no window can be opened, since DISPLAY is not set: {ADVICE}"
        )));
    }
    let options = WindowOptions {
        resize: true,
        scale_mode: ScaleMode::UpperLeft,
        ..WindowOptions::default()
    };
    let title = format!("Plumbline {role}");
    let mut window = Window::new(&title, config.width as usize, config.height as usize, options)
        .map_err(|e| {
            PluginError::failed(format!("no window on the display {display}: {e}; {ADVICE}"))
        })?;
    x11::survive(&window);
    // We pace ourselves; the session must not wait for the window.
    window.set_target_fps(0);
    Ok(window)
}

plumbline_plugin_api::export_plugin! {
    display: WindowDisplay,
    name: "display-window",
    description: "Frames and scores in a window (X11)",
}
