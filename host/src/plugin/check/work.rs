//! The worker's side: runs the checks one after another and says after every
//! step where it is, so that the parent knows what a crash interrupted.

use std::{
    ffi::OsString,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Check, Options, Verdict, detector, display, fuzz, library};
use crate::plugin::{Detector, Display, Kind, LoadError, Plugin, PluginFault, Role, probe, worker};

/// Arguments of the worker.
#[derive(Debug, clap::Args)]
pub struct WorkerArgs {
    path: PathBuf,
    #[arg(long)]
    level: u8,
    #[arg(long)]
    seed: u64,
    /// Index of the first check
    #[arg(long)]
    from: usize,
    /// `[plugin.<name>]` as JSON
    #[arg(long)]
    table: String,
}

/// The command line that starts a worker at the check `first`.
pub(super) fn arguments(path: &Path, options: &Options, first: Check) -> Vec<OsString> {
    vec![
        probe::VERB.into(),
        "check".into(),
        path.into(),
        "--level".into(),
        options.level.to_string().into(),
        "--seed".into(),
        options.seed.to_string().into(),
        "--from".into(),
        (first as usize).to_string().into(),
        "--table".into(),
        Value::Object(options.table.clone()).to_string().into(),
    ]
}

/// What a worker says, a line each.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "kebab-case")]
pub(super) enum Said {
    Plugin { name: String, kind: Kind },
    Start { check: Check },
    Step { what: String },
    Done { check: Check, verdict: Verdict, detail: String },
    End,
}

/// Why a check did not pass.
#[derive(Debug)]
pub(super) enum Trouble {
    Fail(String),
    Skip(String),
}

impl From<String> for Trouble {
    fn from(detail: String) -> Self {
        Self::Fail(detail)
    }
}

impl From<PluginFault> for Trouble {
    fn from(fault: PluginFault) -> Self {
        Self::Fail(fault.to_string())
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Fail(error.to_string())
    }
}

/// What came of a check: what was measured, or why it did not pass.
pub(super) type Outcome = Result<String, Trouble>;

/// What every check works with.
pub(super) struct Bench {
    pub(super) plugin: Plugin,
    pub(super) table: Map<String, Value>,
    pub(super) seed: u64,
    answers: File,
}

impl Bench {
    /// Says what is being done, in case it never ends.
    pub(super) fn step(&mut self, what: impl Into<String>) -> std::io::Result<()> {
        say(&mut self.answers, &Said::Step { what: what.into() })
    }

    pub(super) fn detector(&self) -> Result<Detector, PluginFault> {
        self.plugin.detector(Some(&self.table), Role::Tool)
    }

    /// A display; where it cannot show anything here, the check is skipped.
    pub(super) fn display(&self) -> Result<Display, Trouble> {
        self.plugin
            .display(Some(&self.table), Role::Tool)
            .map_err(|fault| Trouble::Skip(format!("it cannot be made here: {fault}")))
    }
}

fn say(answers: &mut File, said: &Said) -> std::io::Result<()> {
    let line = serde_json::to_string(said)?;
    writeln!(answers, "{line}")
}

/// Runs the checks that `args` asks for and says what came of them.
///
/// # Errors
///
/// When the answers cannot be written.
pub fn answer(args: &WorkerArgs) -> std::io::Result<()> {
    let mut answers = worker::enter()?;
    let mut checks =
        Check::ALL.into_iter().skip(args.from).filter(|c| c.level() <= args.level).peekable();
    let loading = checks.next_if_eq(&Check::Loads).is_some();
    if loading {
        say(&mut answers, &Said::Start { check: Check::Loads })?;
    }
    let plugin = match Plugin::open(&args.path) {
        Ok(plugin) => plugin,
        Err(error) => return refuse(&mut answers, &error),
    };
    let (name, kind) = (plugin.descriptor().name.clone(), plugin.descriptor().kind);
    say(&mut answers, &Said::Plugin { name, kind })?;
    if loading {
        let detail = format!("interface {}", plugin.descriptor().api_version);
        say(&mut answers, &Said::Done { check: Check::Loads, verdict: Verdict::Pass, detail })?;
    }
    let table = serde_json::from_str(&args.table)?;
    let mut bench = Bench { plugin, table, seed: args.seed, answers };
    for check in checks.filter(|c| c.applies_to(kind)) {
        say(&mut bench.answers, &Said::Start { check })?;
        let (verdict, detail) = match perform(check, kind, &mut bench) {
            Ok(detail) => (Verdict::Pass, detail),
            Err(Trouble::Fail(detail)) => (Verdict::Fail, detail),
            Err(Trouble::Skip(detail)) => (Verdict::Skip, detail),
        };
        say(&mut bench.answers, &Said::Done { check, verdict, detail })?;
    }
    say(&mut bench.answers, &Said::End)
}

fn refuse(answers: &mut File, error: &LoadError) -> std::io::Result<()> {
    let detail = error.to_string();
    say(answers, &Said::Done { check: Check::Loads, verdict: Verdict::Fail, detail })
}

fn perform(check: Check, kind: Kind, bench: &mut Bench) -> Outcome {
    let shows = kind == Kind::Display;
    match check {
        Check::Loads => Ok(String::new()),
        Check::DescribesItself => library::describes_itself(bench),
        Check::SchemaIsValid => library::schema_is_valid(bench),
        Check::DefaultsFitSchema => library::defaults_fit_schema(bench),
        Check::EmptyTableFitsSchema => library::empty_table_fits_schema(bench),
        Check::DefaultsWork => library::defaults_work(bench),
        Check::UnknownKeyRefused => library::unknown_key_refused(bench),
        Check::WrongTypesRefused => library::wrong_types_refused(bench),
        Check::RangeEndsSurvived => library::range_ends_survived(bench),
        Check::GoldenGray => detector::golden_gray(bench),
        Check::GoldenColour => detector::golden_colour(bench),
        Check::GoldenDark => detector::golden_dark(bench),
        Check::PlainPictures => detector::plain_pictures(bench),
        Check::ShowsFrames => display::shows_frames(bench),
        Check::ShowsScores => display::shows_scores(bench),
        Check::EmptyFrames if shows => display::empty_frames(bench),
        Check::EmptyFrames => detector::empty_frames(bench),
        Check::OddSizes if shows => display::odd_sizes(bench),
        Check::OddSizes => detector::odd_sizes(bench),
        Check::PaddedRows => detector::padded_rows(bench),
        Check::Deterministic => detector::deterministic(bench),
        Check::FrameUnmodified => detector::frame_unmodified(bench),
        Check::SaneAnswers => detector::sane_answers(bench),
        Check::OddScores => display::odd_scores(bench),
        Check::FuzzConfig => fuzz::config(bench),
        Check::FuzzFrames if shows => fuzz::display_frames(bench),
        Check::FuzzFrames => fuzz::detector_frames(bench),
        Check::Threads => detector::threads(bench),
        Check::CreateDestroy => library::create_destroy(bench),
        Check::SteadyMemory => detector::steady_memory(bench),
        Check::Deadline => detector::deadline(bench),
    }
}
