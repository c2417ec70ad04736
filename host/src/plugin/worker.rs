//! A child process that answers line by line, with deadlines, so that a
//! library that crashes or hangs does so somewhere else.

use std::{
    collections::VecDeque,
    ffi::OsStr,
    fs::File,
    io::{BufRead, BufReader, Read},
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Lines of standard error that are kept, and bytes of each.
const TAIL_LINES: usize = 4;
const TAIL_BYTES: usize = 400;

/// A running child process.
pub(super) struct Worker {
    child: Child,
    lines: Receiver<String>,
    stderr: Option<JoinHandle<VecDeque<String>>>,
}

/// What a worker did next.
pub(super) enum Event {
    /// It said something.
    Line(String),
    /// It ended, for this reason.
    Ended(String),
    /// It said nothing for too long and was killed.
    Hung,
}

impl Worker {
    /// Starts this same program with other arguments.
    pub(super) fn start<I, S>(arguments: I) -> std::io::Result<Self>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        Self::spawn(arguments, Stdio::null(), false).map(|(worker, _)| worker)
    }

    /// The same, with its standard input. What it says on standard error is passed on.
    pub(super) fn start_fed<I, S>(arguments: I) -> std::io::Result<(Self, ChildStdin)>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let (worker, stdin) = Self::spawn(arguments, Stdio::piped(), true)?;
        Ok((worker, stdin.ok_or_else(|| std::io::Error::other("it has no standard input"))?))
    }

    fn spawn<I, S>(
        arguments: I,
        stdin: Stdio,
        pass_on: bool,
    ) -> std::io::Result<(Self, Option<ChildStdin>)>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut child = Command::new(program()?)
            .args(arguments)
            // Only the last lines are kept; they shall be the message and not a backtrace.
            .env("RUST_BACKTRACE", "0")
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (sender, lines) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        let stderr = child.stderr.take().map(|e| std::thread::spawn(move || tail(e, pass_on)));
        let stdin = child.stdin.take();
        Ok((Self { child, lines, stderr }, stdin))
    }

    /// The next line, or how it ended; waits no longer than `deadline`.
    pub(super) fn next(&mut self, deadline: Duration) -> Event {
        match self.lines.recv_timeout(deadline) {
            Ok(line) => Event::Line(line),
            Err(RecvTimeoutError::Timeout) => {
                self.kill();
                Event::Hung
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.reap();
                Event::Ended(self.describe(status))
            }
        }
    }

    /// The last lines of its standard error, after it ended.
    pub(super) fn last_words(&mut self) -> String {
        let tail = self.stderr.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        Vec::from(tail).join(" | ")
    }

    fn describe(&mut self, status: Option<ExitStatus>) -> String {
        let mut text = match status.map(|s| (s.signal(), s.code())) {
            Some((Some(signal), _)) => format!("it was killed by {}", signal_name(signal)),
            Some((None, Some(code))) => format!("its process ended with exit status {code}"),
            _ => "its process ended in an unknown way".to_owned(),
        };
        let words = self.last_words();
        if !words.is_empty() {
            text = format!("{text}; it last said: {words}");
        }
        text
    }

    /// Standard output is closed, so the process is ending; a second is plenty.
    fn reap(&mut self) -> Option<ExitStatus> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(1) {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        self.kill();
        None
    }

    fn kill(&mut self) {
        // Fails only when it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The running program, even if its file was replaced meanwhile.
fn program() -> std::io::Result<PathBuf> {
    let link = PathBuf::from("/proc/self/exe");
    if link.exists() { Ok(link) } else { std::env::current_exe() }
}

/// The last lines, and all of them to this program's own standard error if they are to be
/// passed on.
fn tail(stderr: impl Read, pass_on: bool) -> VecDeque<String> {
    let mut kept = VecDeque::new();
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    // An endless line is read in pieces, so that it takes no more memory than a short one.
    while let Ok(n @ 1..) = reader.by_ref().take(1 << 16).read_until(b'\n', &mut line) {
        let text: String = String::from_utf8_lossy(&line[..n.min(TAIL_BYTES)]).trim().to_owned();
        // The hint that follows every panic helps nobody here.
        if !text.is_empty() && !text.starts_with("note: run with `RUST_BACKTRACE") {
            if pass_on {
                eprintln!("{text}");
            }
            kept.push_back(text);
            if kept.len() > TAIL_LINES {
                kept.pop_front();
            }
        }
        line.clear();
    }
    kept
}

/// A signal for people.
pub fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        4 => "SIGILL (illegal instruction)",
        5 => "SIGTRAP",
        6 => "SIGABRT (abort)",
        7 => "SIGBUS (bus error)",
        8 => "SIGFPE (arithmetic error)",
        9 => "SIGKILL (killed, out of memory?)",
        11 => "SIGSEGV (segmentation fault)",
        15 => "SIGTERM",
        31 => "SIGSYS (forbidden system call)",
        _ => return format!("signal {signal}"),
    };
    name.to_owned()
}

/// Called first in a worker: it ends with its parent, leaves no core files, and
/// nothing that a library prints gets into the answers. Returns where they go.
pub(super) fn enter() -> std::io::Result<File> {
    use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
    set_parent_process_death_signal(Some(Signal::KILL))?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    let answers = File::from(rustix::io::dup(rustix::stdio::stdout())?);
    let null = File::options().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(null)?;
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_the_hint_about_backtraces_is_not() {
        let text = "1\n2\n\n3\n4\n5\nnote: run with `RUST_BACKTRACE=1` ...\n";
        assert_eq!(Vec::from(tail(text.as_bytes(), false)), ["2", "3", "4", "5"]);
    }

    #[test]
    fn a_flood_without_line_ends_is_cut() {
        let flood = vec![b'x'; 1 << 20];
        let kept = tail(flood.as_slice(), false);
        assert!(kept.len() <= TAIL_LINES && kept.iter().all(|l| l.len() <= TAIL_BYTES));
    }
}
