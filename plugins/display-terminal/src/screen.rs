//! The terminal: entering it, its keys, and leaving it as it was.

#![allow(unsafe_code, reason = "registering an exit handler with libc")]

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal},
    os::fd::AsFd,
    sync::{Mutex, Once, PoisonError, TryLockError},
};

use ratatui::{
    Terminal,
    backend::CrosstermBackend,
    crossterm::{
        cursor::{Hide, Show},
        queue,
        terminal::{EnterAlternateScreen, LeaveAlternateScreen},
    },
    layout::Size,
};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};

use crate::stderr::Capture;

/// Log lines that a view may show.
const LOG_LINES: usize = 8;

/// What has to be put back. There is one terminal, so there is one of these;
/// it is global for the exit handler and the panic hook.
static ENTERED: Mutex<Option<Entered>> = Mutex::new(None);

struct Entered {
    /// The settings of the terminal on standard input.
    settings: Option<Termios>,
    stderr: Option<Capture>,
}

impl Entered {
    fn put_back(self) {
        // Through the descriptor: a lock on `Stdout` may be held by a thread that is gone.
        let mut bytes = Vec::new();
        let _ = queue!(bytes, Show, LeaveAlternateScreen);
        let _ = rustix::io::write(rustix::stdio::stdout(), &bytes);
        if let Some(settings) = self.settings {
            let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Flush, &settings);
        }
        if let Some(capture) = self.stderr {
            let _ = capture.release();
        }
    }
}

/// Leaves the screen if it was entered.
fn restore() {
    let entered = match ENTERED.try_lock() {
        Ok(mut guard) => guard.take(),
        Err(TryLockError::Poisoned(guard)) => guard.into_inner().take(),
        // Someone is at it.
        Err(TryLockError::WouldBlock) => None,
    };
    if let Some(entered) = entered {
        entered.put_back();
    }
}

extern "C" fn restore_at_exit() {
    let _ = std::panic::catch_unwind(restore);
}

/// A panic message, and whatever an exiting program prints, belong on a normal screen.
fn restore_on_panic_and_exit() {
    static ONCE: Once = Once::new();
    unsafe extern "C" {
        safe fn atexit(handler: extern "C" fn()) -> std::ffi::c_int;
    }
    ONCE.call_once(|| {
        atexit(restore_at_exit);
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            restore();
            before(info);
        }));
    });
}

/// Whether the terminal is ours to draw on, and not that of a job in the background.
pub(crate) fn in_foreground() -> bool {
    tcgetpgrp(rustix::stdio::stdout()).is_ok_and(|group| group == rustix::process::getpgrp())
}

/// The screen of the terminal on standard output, until it is dropped.
pub(crate) struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<File>>>,
    size: Size,
    keys: bool,
    log_seen: u64,
    log: Vec<String>,
}

impl Screen {
    pub(crate) fn enter() -> io::Result<Self> {
        restore_on_panic_and_exit();
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let mut terminal = Terminal::new(CrosstermBackend::new(BufWriter::new(out)))?;
        let keys = io::stdin().is_terminal();
        let settings = if keys { Some(read_keys_at_once()?) } else { None };
        let stderr = if io::stderr().is_terminal() { Capture::start().ok() } else { None };
        *ENTERED.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Entered { settings, stderr });
        // From here on dropping puts everything back.
        let size = terminal.size()?;
        queue!(terminal.backend_mut(), EnterAlternateScreen, Hide)?;
        terminal.clear()?;
        Ok(Self { terminal, size, keys, log_seen: 0, log: Vec::new() })
    }

    /// Takes over new log lines; false when there are none.
    pub(crate) fn new_log_lines(&mut self) -> bool {
        let guard = ENTERED.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(capture) = guard.as_ref().and_then(|entered| entered.stderr.as_ref()) else {
            return false;
        };
        let seen = capture.seen();
        if seen == self.log_seen {
            return false;
        }
        self.log_seen = seen;
        self.log = capture.tail(LOG_LINES);
        true
    }

    /// Whether the terminal has another size than at the last call.
    pub(crate) fn resized(&mut self) -> bool {
        match self.terminal.size() {
            Ok(size) => std::mem::replace(&mut self.size, size) != size,
            Err(_) => false,
        }
    }

    /// Draws with `view`, which gets the last log lines.
    pub(crate) fn draw(
        &mut self,
        view: impl FnOnce(&mut ratatui::Frame<'_>, &[String]),
    ) -> io::Result<()> {
        let log = &self.log;
        self.terminal.draw(|frame| view(frame, log)).map(|_| ())
    }

    /// Whether `q`, Esc or Ctrl+C was pressed since the last call.
    pub(crate) fn quit_pressed(&self) -> bool {
        let mut bytes = [0; 64];
        self.keys
            && rustix::io::read(rustix::stdio::stdin(), &mut bytes)
                .is_ok_and(|n| means_quit(&bytes[..n]))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// No line editing and no echo, and reads that return at once. Signals stay on,
/// so that Ctrl+C reaches the host as ever; suspending is off, since the shell
/// would inherit our screen. Returns the settings before.
fn read_keys_at_once() -> io::Result<Termios> {
    let stdin = rustix::stdio::stdin();
    let before = tcgetattr(stdin)?;
    let mut settings = before.clone();
    settings.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
    settings.special_codes[SpecialCodeIndex::VMIN] = 0;
    settings.special_codes[SpecialCodeIndex::VTIME] = 0;
    settings.special_codes[SpecialCodeIndex::VSUSP] = 0;
    tcsetattr(stdin, OptionalActions::Now, &settings)?;
    Ok(before)
}

/// Esc alone is the key; with more behind it, it opens the sequence of another key.
fn means_quit(bytes: &[u8]) -> bool {
    const ESC: u8 = 0x1b;
    const CTRL_C: u8 = 0x03;
    match bytes {
        [ESC] => true,
        [ESC, rest @ ..] => rest.contains(&CTRL_C),
        _ => bytes.iter().any(|b| matches!(b, b'q' | b'Q' | &CTRL_C)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_escape_and_ctrl_c_quit_and_arrow_keys_do_not() {
        for bytes in [&b"q"[..], b"Q", b"\x1b", b"\x03", b"xq"] {
            assert!(means_quit(bytes), "{bytes:?}");
        }
        for bytes in [&b""[..], b"x", b"\x1b[A", b"\x1bOq"] {
            assert!(!means_quit(bytes), "{bytes:?}");
        }
    }
}
