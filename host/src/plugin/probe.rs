//! Asking libraries for their descriptors in a child process: opening some
//! costs tens of megabytes, and a broken one may crash or hang.

use std::{
    ffi::OsStr,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    Descriptor, Plugin,
    worker::{self, Event, Worker},
};

/// The hidden verb of the binary that looks into libraries: `plugin-worker probe PATH...`
/// ends up in [`answer`].
pub const VERB: &str = "plugin-worker";

/// How long one library may take.
const DEADLINE: Duration = Duration::from_secs(5);

#[derive(Serialize, Deserialize)]
struct Answer {
    index: usize,
    result: Result<Descriptor, String>,
}

/// The child's side: opens the libraries one after another and prints a line
/// of JSON for each.
///
/// # Errors
///
/// When the answers cannot be written.
pub fn answer(paths: &[PathBuf]) -> std::io::Result<()> {
    let mut answers = worker::enter()?;
    for (index, path) in paths.iter().enumerate() {
        let result = Plugin::open(path).map(|p| p.descriptor().clone()).map_err(|e| e.to_string());
        let line = serde_json::to_string(&Answer { index, result }).unwrap_or_else(|e| {
            serde_json::json!({"index": index, "result": {"Err": e.to_string()}}).to_string()
        });
        writeln!(answers, "{line}")?;
    }
    // Not `return`: a library's own exit handlers are no business of ours.
    answers.flush()
}

/// What the library at `path` says about itself, asked in a child process.
///
/// # Errors
///
/// The reason why it cannot be used, a crash or a hang included.
pub fn one(path: &Path) -> Result<Descriptor, String> {
    probe(&[path.to_owned()]).pop().unwrap_or_else(|| Err("no answer".to_owned()))
}

/// The parent's side: what the libraries at `paths` say about themselves, in
/// the same order. A crash or a hang is the error of the library that it
/// happened in; the others are still asked.
pub(super) fn probe(paths: &[PathBuf]) -> Vec<Result<Descriptor, String>> {
    let mut results = Vec::with_capacity(paths.len());
    while results.len() < paths.len() {
        let rest = &paths[results.len()..];
        let culprit = match ask(rest, &mut results) {
            Some(cause) => Err(format!("{}: {cause}", rest_path(paths, results.len()))),
            None => continue,
        };
        if results.len() < paths.len() {
            results.push(culprit);
        }
    }
    results
}

fn rest_path(paths: &[PathBuf], index: usize) -> std::path::Display<'_> {
    paths.get(index).map_or(Path::new("").display(), |p| p.display())
}

/// Asks one child about `paths`; `None` when it answered about all, else why it did not.
fn ask(paths: &[PathBuf], results: &mut Vec<Result<Descriptor, String>>) -> Option<String> {
    let verb = [VERB, "probe"].into_iter().map(OsStr::new);
    let arguments = verb.chain(paths.iter().map(|path| path.as_os_str()));
    let mut worker = match Worker::start(arguments) {
        Ok(worker) => worker,
        Err(error) => return Some(format!("cannot start a process to look into it: {error}")),
    };
    for expected in 0..paths.len() {
        match worker.next(DEADLINE) {
            Event::Line(line) => match serde_json::from_str::<Answer>(&line) {
                Ok(answer) if answer.index == expected => results.push(answer.result),
                _ => return Some(format!("an answer that makes no sense: {line}")),
            },
            Event::Ended(how) => return Some(format!("crashed while it was loaded: {how}")),
            Event::Hung => {
                return Some(format!("did not finish loading within {} s", DEADLINE.as_secs()));
            }
        }
    }
    None
}
