//! Harness for the end-to-end tests: the real binary with real plugins, as
//! processes whose lines, signals and ends a test can wait for.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

pub use rustix::process::Signal;

/// Long enough for anything that works, even on a busy machine.
pub const SOON: Duration = Duration::from_secs(60);

/// `target/<profile>`, where this test was built.
///
/// # Panics
///
/// When the test runs from an unusual place.
pub fn built() -> PathBuf {
    let exe = std::env::current_exe().expect("a test has a path");
    exe.ancestors().nth(2).expect("tests are built into target/<profile>/deps").to_owned()
}

/// The host, which looks for the tests' own plugins as well.
///
/// # Panics
///
/// When the binary or the plugins were not built.
pub fn host<I: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = I>) -> Command {
    let built = built();
    for needed in ["host", "libplumbline_hough_rust.so", "libplumbline_display_null.so"] {
        assert!(
            built.join(needed).is_file(),
            "{} is missing; build the workspace first: make test",
            built.join(needed).display()
        );
    }
    let mut command = Command::new(built.join("host"));
    command.env("PLUMBLINE_PLUGIN_PATH", built.join("examples"));
    // Away from the repository, so that its config.toml is not read.
    command.current_dir(std::env::temp_dir()).args(args);
    command
}

/// The interpreter of the virtual environment that has aiortc and numpy.
///
/// # Panics
///
/// When it cannot be made.
pub fn python() -> PathBuf {
    let setup = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/setup.sh");
    let output = Command::new(setup).output().expect("setup.sh runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "tests/python/setup.sh: {errors}");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

/// The lines that a process wrote so far.
#[derive(Default)]
struct Lines {
    state: Mutex<(Vec<String>, bool)>,
    changed: Condvar,
}

impl Lines {
    fn follow(from: impl Read + Send + 'static) -> Arc<Self> {
        let lines = Arc::new(Self::default());
        let writer = Arc::clone(&lines);
        thread::spawn(move || {
            for line in BufReader::new(from).split(b'\n') {
                let Ok(line) = line else { break };
                writer.state.lock().unwrap().0.push(String::from_utf8_lossy(&line).into_owned());
                writer.changed.notify_all();
            }
            writer.state.lock().unwrap().1 = true;
            writer.changed.notify_all();
        });
        lines
    }

    fn wait_for(&self, part: &str) -> Option<String> {
        let end = Instant::now() + SOON;
        let mut state = self.state.lock().unwrap();
        loop {
            if let Some(line) = state.0.iter().find(|line| line.contains(part)) {
                return Some(line.clone());
            }
            let left = end.saturating_duration_since(Instant::now());
            if state.1 || left.is_zero() {
                return None;
            }
            state = self.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    fn text(&self) -> String {
        self.state.lock().unwrap().0.join("\n")
    }

    fn wait_for_end(&self) {
        let ended = |state: &mut (Vec<String>, bool)| !state.1;
        drop(self.changed.wait_timeout_while(self.state.lock().unwrap(), SOON, ended).unwrap());
    }
}

/// A process that is running; it is killed when the test forgets it.
pub struct Running {
    child: Child,
    out: Arc<Lines>,
    err: Arc<Lines>,
}

/// A process that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub out: String,
    /// What it wrote to standard error.
    pub err: String,
    /// From the call that waited to its end.
    pub took: Duration,
}

impl Running {
    /// Starts `command`.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the process starts");
        let out = Lines::follow(child.stdout.take().expect("a pipe"));
        let err = Lines::follow(child.stderr.take().expect("a pipe"));
        Self { child, out, err }
    }

    /// Waits for a line on standard error that contains `part`.
    ///
    /// # Panics
    ///
    /// When there will be none.
    pub fn log_line(&self, part: &str) -> String {
        self.err.wait_for(part).unwrap_or_else(|| panic!("no `{part}` in:\n{}", self.err.text()))
    }

    /// Waits for a line on standard output that contains `part`.
    ///
    /// # Panics
    ///
    /// When there will be none.
    pub fn out_line(&self, part: &str) -> String {
        let text = || format!("{}\n{}", self.out.text(), self.err.text());
        self.out.wait_for(part).unwrap_or_else(|| panic!("no `{part}` in:\n{}", text()))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    ///
    /// # Panics
    ///
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("the process is there");
    }

    /// Whether it is still running.
    ///
    /// # Panics
    ///
    /// When the system does not say.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be waited for").is_none()
    }

    /// Waits for the end.
    ///
    /// # Panics
    ///
    /// When it does not end.
    pub fn end(mut self) -> Ended {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                break status;
            }
            assert!(start.elapsed() < SOON, "still running; it said:\n{}", self.err.text());
            thread::sleep(Duration::from_millis(5));
        };
        let took = start.elapsed();
        self.out.wait_for_end();
        self.err.wait_for_end();
        Ended { status, out: self.out.text(), err: self.err.text(), took }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Asserts the exit status.
    ///
    /// # Panics
    ///
    /// When it is another.
    #[must_use]
    pub fn with_status(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{}\n{}", self.out, self.err);
        self
    }
}

/// A small scene, as fast as the pipeline goes.
pub const SMALL: [&str; 6] =
    ["-c", "scene.fps=0", "-c", "scene.width=160", "-c", "scene.height=120"];

/// A server on a free port.
pub struct Server {
    /// The process.
    pub running: Running,
    /// Where it listens.
    pub address: String,
}

impl Server {
    /// Starts one without graphics, with more arguments, and waits until it listens.
    ///
    /// # Panics
    ///
    /// When it does not.
    pub fn start(args: &[&str]) -> Self {
        let mut command = host(["--role", "server", "--listen", "127.0.0.1:0", "--no-graphics"]);
        command.args(args);
        let running = Running::start(command);
        let line = running.log_line("listening for a client on ");
        let address = line.rsplit(' ').next().expect("an address").to_owned();
        Self { running, address }
    }

    /// Starts a client of this server.
    pub fn client(&self, args: &[&str]) -> Running {
        client(&self.address, args)
    }
}

/// Starts a client that connects to `address`.
pub fn client(address: &str, args: &[&str]) -> Running {
    let mut command = host(["--role", "client", "--connect", address, "--no-graphics"]);
    command.args(args);
    Running::start(command)
}

/// A directory for the files of a test.
///
/// # Panics
///
/// When it cannot be made.
pub fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// A summary, once its accounting was checked.
///
/// # Panics
///
/// When it cannot be read, or the frames do not add up.
pub fn summary(path: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(path).expect("a summary");
    let summary: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let n = |key: &str| summary["frames"][key].as_u64().expect(key);
    assert_eq!(n("generated"), n("sent") + n("dropped_before_sending"), "{text}");
    let ends = n("scored") + n("missed") + n("dropped") + n("timed_out") + n("in_flight");
    assert_eq!(n("sent"), ends, "{text}");
    assert_eq!(n("in_flight"), 0, "{text}");
    summary
}

/// The lines of a JSON Lines file.
///
/// # Panics
///
/// When it cannot be read.
pub fn json_lines(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).expect("records");
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect()
}
