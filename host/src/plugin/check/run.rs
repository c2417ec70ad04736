//! The parent's side: starts the worker, waits for verdicts with a deadline,
//! turns a crash or a hang into a failed check and goes on with the next.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Check, Verdict,
    work::{Said, arguments},
};
use crate::plugin::{
    FaultCause, Kind,
    worker::{Event, Worker},
};

/// What to check, and how thoroughly.
#[derive(Debug, Clone)]
pub struct Options {
    /// Checks up to this level run.
    pub level: u8,
    /// Where random configurations and frames come from.
    pub seed: u64,
    /// How long a plugin may be silent within a check before that is a hang.
    pub deadline: Duration,
    /// `[plugin.<name>]`, over the plugin's defaults.
    pub table: Map<String, Value>,
}

/// One line of the verdict.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// The check.
    pub check: Check,
    /// Its level.
    pub level: u8,
    /// What came of it.
    pub verdict: Verdict,
    /// Why, or what was measured.
    pub detail: String,
    /// What the check is about.
    pub description: &'static str,
}

/// All verdicts on one plugin.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The library.
    pub path: PathBuf,
    /// The plugin's name, if it loads.
    pub name: Option<String>,
    /// What it is, if it loads.
    pub kind: Option<Kind>,
    /// The seed, to repeat the run.
    pub seed: u64,
    /// No check failed (warnings are none).
    pub passed: bool,
    /// The verdicts.
    pub checks: Vec<Line>,
}

impl Report {
    /// What the plugin said when it refused the settings of the user, if it did.
    pub fn refusal(&self) -> Option<&str> {
        let made = self.checks.iter().find(|line| line.check == Check::DefaultsWork)?;
        let refused = FaultCause::Config(String::new()).to_string();
        let start = made.detail.find(&refused).filter(|_| made.verdict == Verdict::Fail)?;
        Some(&made.detail[start..])
    }

    fn add(&mut self, check: Check, verdict: Verdict, detail: String) {
        let verdict = match verdict {
            Verdict::Fail if check.is_advice() => Verdict::Warn,
            other => other,
        };
        self.passed &= verdict != Verdict::Fail;
        let (level, description) = (check.level(), check.description());
        self.checks.push(Line { check, level, verdict, detail, description });
    }
}

/// Checks the library at `path`, calling `progress` before each check.
///
/// # Errors
///
/// When no worker can be started.
pub fn run(
    path: &Path,
    options: &Options,
    mut progress: impl FnMut(Check),
) -> std::io::Result<Report> {
    let mut report = Report {
        path: path.to_owned(),
        name: None,
        kind: None,
        seed: options.seed,
        passed: true,
        checks: Vec::new(),
    };
    let mut left: VecDeque<Check> =
        Check::ALL.into_iter().filter(|c| c.level() <= options.level).collect();
    while let Some(&first) = left.front() {
        let mut worker = Worker::start(arguments(path, options, first))?;
        let failure = listen(&mut worker, options, &mut left, &mut report, &mut progress);
        let Some(Failure { step, cause }) = failure else { break };
        // The check that was running is the culprit; a new worker does the rest.
        let Some(culprit) = left.pop_front() else { break };
        let at = if step.is_empty() { String::new() } else { format!(" at {step}") };
        report.add(culprit, Verdict::Fail, format!("{cause}{at}"));
        if culprit == Check::Loads {
            break;
        }
    }
    Ok(report)
}

struct Failure {
    step: String,
    cause: String,
}

/// Takes verdicts until the worker is through (`None`) or in trouble.
fn listen(
    worker: &mut Worker,
    options: &Options,
    left: &mut VecDeque<Check>,
    report: &mut Report,
    progress: &mut impl FnMut(Check),
) -> Option<Failure> {
    let mut step = String::new();
    loop {
        let line = match worker.next(options.deadline) {
            Event::Line(line) => line,
            Event::Ended(cause) => return Some(Failure { step, cause }),
            Event::Hung => {
                let seconds = options.deadline.as_secs_f64();
                return Some(Failure { step, cause: format!("no answer for {seconds} s") });
            }
        };
        match serde_json::from_str(&line) {
            Ok(Said::Plugin { name, kind }) => {
                (report.name, report.kind) = (Some(name), Some(kind));
            }
            Ok(Said::Start { check }) => {
                step.clear();
                // Checks between two starts do not apply to this kind of plugin.
                while left.front().is_some_and(|&c| c != check) {
                    left.pop_front();
                }
                progress(check);
            }
            Ok(Said::Step { what }) => step = what,
            Ok(Said::Done { check, verdict, detail }) => {
                left.pop_front();
                report.add(check, verdict, detail);
                if check == Check::Loads && verdict == Verdict::Fail {
                    return None;
                }
            }
            Ok(Said::End) => {
                left.clear();
                return None;
            }
            Err(_) => {
                return Some(Failure {
                    step,
                    cause: format!("an answer that makes no sense: {line}"),
                });
            }
        }
    }
}
