//! Log lines while the screen is ours.
//!
//! Written straight to the terminal they would tear the picture; here they go
//! through a pipe, so that the view can show the last ones and all of them (up
//! to a bound) are written out when the screen is given back.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, PipeReader, Read, Write},
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::stdio::dup2_stderr;

/// Lines kept for the end of the session; older ones are counted and forgotten.
const KEPT_LINES: usize = 2000;
/// Bytes of a line; a longer one is broken.
const LINE_BYTES: u64 = 4096;

/// Standard error, redirected.
pub(crate) struct Capture {
    /// Where standard error went before.
    original: OwnedFd,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    drained: Condvar,
}

#[derive(Default)]
struct State {
    lines: VecDeque<Vec<u8>>,
    forgotten: u64,
    /// Lines seen, ever.
    seen: u64,
    /// The screen is given back: lines pass through from now on.
    released: bool,
    /// The pipe has no writers left.
    drained: bool,
}

impl State {
    fn keep(&mut self, line: Vec<u8>) {
        self.seen += 1;
        if self.lines.len() == KEPT_LINES {
            self.lines.pop_front();
            self.forgotten += 1;
        }
        self.lines.push_back(line);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Capture {
    /// Redirects standard error of this process.
    pub(crate) fn start() -> io::Result<Self> {
        let original = io::stderr().as_fd().try_clone_to_owned()?;
        let (reader, writer) = io::pipe()?;
        let shared = Arc::<Shared>::default();
        let through = std::fs::File::from(original.try_clone()?);
        std::thread::Builder::new().name("stderr".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || pump(reader, through, &shared)
        })?;
        dup2_stderr(&writer)?;
        Ok(Self { original, shared })
    }

    /// Lines seen, ever: tells whether there is something new.
    pub(crate) fn seen(&self) -> u64 {
        self.shared.lock().seen
    }

    /// The last `n` lines as plain text, oldest first.
    pub(crate) fn tail(&self, n: usize) -> Vec<String> {
        let state = self.shared.lock();
        let skip = state.lines.len().saturating_sub(n);
        state.lines.iter().skip(skip).map(|line| plain_text(line)).collect()
    }

    /// Gives standard error back and writes out what was held.
    pub(crate) fn release(self) -> io::Result<()> {
        dup2_stderr(&self.original)?;
        // What is still in the pipe belongs before what comes next. A child
        // process that inherited the pipe can keep it open, hence the limit;
        // its lines pass through later.
        let state = self.shared.lock();
        let (mut state, _) = self
            .shared
            .drained
            .wait_timeout_while(state, Duration::from_millis(100), |s| !s.drained)
            .unwrap_or_else(PoisonError::into_inner);
        state.released = true;
        let mut out = std::fs::File::from(self.original);
        if state.forgotten > 0 {
            writeln!(out, "({} earlier lines are gone)", state.forgotten)?;
        }
        for line in state.lines.drain(..) {
            out.write_all(&line)?;
        }
        Ok(())
    }
}

fn pump(reader: PipeReader, mut through: std::fs::File, shared: &Shared) {
    let mut reader = BufReader::new(reader);
    loop {
        let mut line = Vec::new();
        match reader.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        let mut state = shared.lock();
        if state.released {
            // Nobody is left to tell.
            let _ = through.write_all(&line);
        } else {
            state.keep(line);
        }
    }
    shared.lock().drained = true;
    shared.drained.notify_all();
}

/// The text of a line without escape sequences and control characters.
fn plain_text(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            // ECMA-48: ESC [ parameters, then a final character from @ to ~.
            '\u{1b}' => {
                if chars.next() == Some('[') {
                    chars.by_ref().find(|c| ('@'..='~').contains(c));
                }
            }
            '\t' => plain.push(' '),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_control_characters_are_taken_out() {
        assert_eq!(
            plain_text(b"\x1b[2m12:00\x1b[0m \x1b[1;33mWARN\x1b[0m a\tb\r\n"),
            "12:00 WARN a b"
        );
        assert_eq!(plain_text(b"\x1b"), "");
        assert_eq!(plain_text(b"\x1b["), "");
    }

    #[test]
    fn the_oldest_lines_go_first_and_are_counted() {
        let mut state = State::default();
        for i in 0..KEPT_LINES + 3 {
            state.keep(i.to_string().into_bytes());
        }
        assert_eq!(state.lines.len(), KEPT_LINES);
        assert_eq!(state.forgotten, 3);
        assert_eq!(state.lines[0], b"3");
    }

    #[test]
    fn lines_are_held_until_the_release_and_pass_through_after_it() {
        let (reader, mut writer) = io::pipe().unwrap();
        let (mut out, through) = io::pipe().unwrap();
        let shared = Arc::<Shared>::default();
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            let through = std::fs::File::from(OwnedFd::from(through));
            move || pump(reader, through, &shared)
        });
        writer.write_all(b"held\n").unwrap();
        while shared.lock().seen == 0 {
            std::thread::yield_now();
        }
        shared.lock().released = true;
        writer.write_all(b"through\n").unwrap();
        drop(writer);
        thread.join().unwrap();
        assert_eq!(shared.lock().lines, [b"held\n".to_vec()]);
        let mut text = String::new();
        out.read_to_string(&mut text).unwrap();
        assert_eq!(text, "through\n");
    }
}
