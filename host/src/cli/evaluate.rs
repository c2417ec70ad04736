//! `host evaluate`: detectors against the exact truth, offline.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value};

use super::{
    Common, Exit,
    choice::{Choice, Choices, Chosen},
    options::{UsageError, make_directory},
    plugins,
};
use crate::{
    config::Loaded,
    evaluate::{
        self, Answers, DetectorInfo, Footage, Margins, Plan, Requirements, Summary,
        film::{self, FilmError, Filmed},
        footage::FootageError,
        shown, timing,
    },
    plugin::{
        self, Catalog, Detector, PluginFault,
        remote::{self, Pool},
    },
    report::write_atomically,
    scene::{Preset, SceneConfig},
};

/// Measure detectors on scenes, offline, and compare them
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  host evaluate                                            the configured detector and scene
  host evaluate --detector hough-rust,hough-opencv --scene clean,noisy --frames 500
  host evaluate --detector hough-opencv,hough-opencv:method=gradient-alt:dp=2
  host evaluate --detector old/liba.so,new/liba.so         two builds of one detector
  host evaluate --detector a,b --scene gauntlet --report out    then open out/index.html
  host evaluate --scene clean --require rmse=0.05,recall=0.999  for CI: exit status 3 if not met
  host evaluate --detector a --pictures frames --answers mine=mine.csv   on pictures in files

All detectors see the same frames. Each is compared with the first: better,
worse, no relevant difference, or too few frames to tell. Same arguments, same
result on any number of cores, apart from the times. docs/evaluate.md has every
formula. Jitter: let the ball stand still with -c scene.ball.speed=[0,0].")]
pub struct Args {
    /// Detector plugins, the reference first, each with settings of its own if you like [default:
    /// the configured one]
    #[arg(long, value_name = "NAME|PATH[:KEY=VALUE...],...")]
    detector: Vec<Choices>,
    /// Presets, `gauntlet` for all; [scene] of the configuration says the rest [default: that scene]
    #[arg(
        long,
        value_name = "NAME,...",
        value_delimiter = ',',
        value_enum,
        hide_possible_values = true
    )]
    scene: Vec<Preset>,
    /// Pictures with known truth instead of scenes: a directory with truth.csv, as `host scene`
    /// or a person writes it
    #[arg(long, value_name = "DIR", conflicts_with_all = ["scene", "frames"])]
    pictures: Option<PathBuf>,
    /// What another program found in the pictures: CSV (file, x, y, ...) or lines of `host detect`
    #[arg(long, value_name = "NAME=FILE", requires = "pictures", value_parser = named_file)]
    answers: Vec<(String, PathBuf)>,
    /// Frames per scene
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    frames: u64,
    /// Same seed, same frames [default: scene.seed]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Write the report into this directory: index.html, summary.json and two CSV files
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Thresholds for every detector and scene, e.g. rmse=0.05,recall=0.999. At least: recall,
    /// precision; at most: `false_positives` (per frame), rmse, `rmse_l2`, `rmse_over_bound`, bias, p50,
    /// p95, p99, max, `radius_rmse`, calibration, jitter, ms
    #[arg(long, value_name = "KEY=VALUE,...")]
    require: Option<String>,
    /// Mean distances from the truth that differ by less are alike, in pixels
    #[arg(long, value_name = "PX", allow_negative_numbers = true, default_value_t = Margins::default().distance, value_parser = margin)]
    least_difference: f64,
    /// Misses per ball and false positives per frame that differ by less are alike
    #[arg(long, value_name = "RATE", allow_negative_numbers = true, default_value_t = Margins::default().rate, value_parser = margin)]
    least_rate_difference: f64,
    /// Circles whose radius is off by more than this share of a ball's do not belong to it;
    /// those without a radius do [default: any radius will do]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, value_parser = margin)]
    max_radius_error: Option<f64>,
    /// Seconds for a frame; a detector that takes longer has failed on it
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, default_value_t = remote::DEADLINE.as_secs_f64(), value_parser = seconds)]
    time_limit: f64,
    /// Do not tell detectors the range of the balls' radii
    #[arg(long)]
    no_radius_hint: bool,
}

fn named_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => {
            Ok((name.to_owned(), file.into()))
        }
        _ => Err("NAME=FILE is needed: how to call the program, and where its answers are".into()),
    }
}

fn margin(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0);
    number.ok_or_else(|| "not a number from 0 up".to_owned())
}

fn seconds(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|n| (0.001..=86_400.0).contains(n));
    number.ok_or_else(|| "not a number of seconds from 0.001 to 86400".to_owned())
}

/// What the detectors are shown.
enum What {
    Scenes(Vec<SceneConfig>),
    Pictures { footage: Vec<Footage>, answers: Vec<Answers> },
}

impl What {
    fn pictures(
        dir: &Path,
        answers: &[(String, PathBuf)],
        radius_error: f64,
    ) -> Result<Self, UsageError> {
        let usage = |e: FootageError| UsageError(e.to_string());
        let footage = Footage::read(dir, radius_error).map_err(usage)?;
        let answers = answers.iter().map(|(name, path)| Answers::read(name, path, &footage));
        let answers: Vec<Answers> = answers.collect::<Result<_, _>>().map_err(usage)?;
        for Answers { path, unknown, .. } in answers.iter().filter(|a| !a.unknown.is_empty()) {
            tracing::warn!("{}: {} mean nothing here", path.display(), unknown.join(", "));
        }
        Ok(Self::Pictures { footage, answers })
    }

    /// The number of pictures; scenes have as many frames as one likes.
    fn frames(&self) -> Option<u64> {
        match self {
            Self::Scenes(_) => None,
            Self::Pictures { footage, .. } => {
                Some(footage.iter().map(|group| group.shots.len() as u64).sum())
            }
        }
    }

    fn names(&self) -> Vec<&str> {
        match self {
            Self::Scenes(scenes) => scenes.iter().map(|scene| scene.preset.name()).collect(),
            Self::Pictures { footage, .. } => footage.iter().map(|g| g.name.as_str()).collect(),
        }
    }

    /// The range of radii of every scene, where there are balls.
    fn radii(&self) -> Vec<Option<[f64; 2]>> {
        match self {
            Self::Scenes(scenes) => scenes.iter().map(|s| Some(evaluate::radii(s))).collect(),
            Self::Pictures { footage, .. } => footage.iter().map(Footage::radii).collect(),
        }
    }

    fn answers(&self) -> &[Answers] {
        match self {
            Self::Scenes(_) => &[],
            Self::Pictures { answers, .. } => answers,
        }
    }
}

/// A detector with its configuration for every scene.
struct Candidate {
    chosen: Chosen,
    hints: Vec<Map<String, Value>>,
    /// Where it runs: what ends a process must not end the evaluation.
    pool: Pool,
}

impl Candidate {
    fn detector(&self, scene: usize) -> Result<Detector, PluginFault> {
        let mut table = self.chosen.table.clone();
        table.extend(self.hints[scene].clone());
        self.chosen.plugin.remote_detector(Some(&table), &self.pool)
    }

    fn info(&self) -> DetectorInfo {
        let descriptor = self.chosen.plugin.descriptor();
        let settings = descriptor.config(Some(&self.chosen.table));
        let unset = plugin::keys(&descriptor.schema, &settings).into_iter();
        let unset = unset.filter(|key| key.default.is_null());
        DetectorInfo {
            name: self.chosen.label.clone(),
            plugin: descriptor.name.clone(),
            argument: self.chosen.given.clone(),
            version: descriptor.version.clone(),
            answers: None,
            answered: None,
            config: self.chosen.table.clone(),
            settings,
            unset: unset.map(|key| (key.name, key.description.into())).collect(),
            radius_hint: self.hints.clone(),
        }
    }
}

/// Runs `host evaluate`.
///
/// # Errors
///
/// When a detector cannot be loaded or made, a scene cannot be filmed, or the
/// report cannot be written.
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    let require = args
        .require
        .as_deref()
        .map(str::parse::<Requirements>)
        .transpose()
        .map_err(|e| UsageError(e.to_string()))?
        .unwrap_or_default();
    let loaded = common.load(Vec::new())?;
    let config = &loaded.config;
    let seed = args.seed.unwrap_or(config.scene.seed);
    let radius_error = args.max_radius_error.unwrap_or(f64::INFINITY);
    let what = if let Some(dir) = &args.pictures {
        let given = common.set.iter().find(|key| key.starts_with("scene."));
        if let Some(given) = given {
            tracing::warn!("-c {given} changes no picture: {} has them", dir.display());
        }
        What::pictures(dir, &args.answers, radius_error)?
    } else {
        let scene = SceneConfig { seed, ..config.scene.clone() };
        What::Scenes(evaluate::scenes(&scene, &args.scene))
    };
    let plan = Plan { frames: what.frames().unwrap_or(args.frames), seed };
    let catalog = Catalog::new(&common.plugin_path, &config.plugins.paths);
    plugins::warn_of_misspelt(&loaded, &catalog);
    let mut wanted: Vec<Choice> = args.detector.iter().flat_map(|list| list.0.clone()).collect();
    if wanted.is_empty() && args.answers.is_empty() {
        wanted.push(config.client.detector.as_str().into());
    }
    let limit = Duration::from_secs_f64(args.time_limit);
    let mut candidates = Vec::new();
    for chosen in choose(&wanted, &loaded, &catalog)? {
        let descriptor = chosen.plugin.descriptor();
        let hint = |radii: Option<[f64; 2]>| match radii {
            Some(radii) if !args.no_radius_hint => {
                evaluate::radius_hint(&descriptor.schema, &chosen.table, radii)
            }
            _ => Map::new(),
        };
        let hints = what.radii().into_iter().map(hint).collect();
        let pool = Pool::new(&descriptor.path, limit);
        candidates.push(Candidate { chosen, hints, pool });
    }
    let infos: Vec<DetectorInfo> = candidates
        .iter()
        .map(Candidate::info)
        .chain(what.answers().iter().map(DetectorInfo::of_answers))
        .collect();
    for (n, info) in infos.iter().enumerate() {
        if infos[..n].iter().any(|earlier| earlier.name == info.name) {
            let text = format!("--answers: {} is the name of another detector", info.name);
            return Err(UsageError(text).into());
        }
    }
    rehearse(&what.names(), &candidates)?;
    if let Some(dir) = &args.report {
        prepare(dir)?;
    }
    let filmed = film_all(&plan, &what, radius_error, &candidates)?;
    let margins = Margins { distance: args.least_difference, rate: args.least_rate_difference };
    let mut summary = Summary::of(&plan, &filmed, infos, margins);
    summary.unmet = require.unmet(&summary.scenes);
    summary.required = require;
    summary.command = command_line(std::env::args_os().map(|a| a.to_string_lossy().into_owned()));
    summary.max_radius_error = args.max_radius_error;
    // Before the report, which may fail.
    if args.json {
        plugins::print(serde_json::to_string_pretty(&summary)?)?;
    } else {
        plugins::print(evaluate::text(&summary).trim_end())?;
    }
    if let Some(dir) = &args.report {
        report(dir, &plan, &filmed, &summary)?;
        eprintln!("report: {}", dir.join("index.html").display());
    }
    if summary.unmet.is_empty() && !summary.required.is_empty() {
        eprintln!("all thresholds were met: {}", summary.required);
    }
    for unmet in &summary.unmet {
        eprintln!("not met: {unmet}");
    }
    let mute = summary.mute();
    for detector in &mute {
        eprintln!("{detector} failed on every frame");
    }
    Ok(match (summary.unmet.is_empty(), mute.is_empty()) {
        (false, _) => Exit::Threshold,
        (true, false) => Exit::Failed,
        (true, true) => Exit::Done,
    })
}

/// A command line that a shell takes for these arguments.
fn command_line(arguments: impl Iterator<Item = String>) -> String {
    // Wherever the program is.
    let arguments = arguments.skip(1).map(|argument| evaluate::quoted(&argument));
    std::iter::once("host".to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// Makes every detector once for every scene: what is wrong with a configuration should
/// be known before anything is filmed.
fn rehearse(names: &[&str], candidates: &[Candidate]) -> anyhow::Result<()> {
    for candidate in candidates {
        for (s, (name, hint)) in names.iter().zip(&candidate.hints).enumerate() {
            let told: Vec<String> = hint.iter().map(|(key, v)| format!("{key} = {v}")).collect();
            let made = candidate.detector(s).map(drop);
            if told.is_empty() {
                made?;
            } else {
                made.with_context(|| {
                    format!(
                        "{} was told {} for {name}; --no-radius-hint tells it nothing",
                        candidate.chosen.label,
                        told.join(", ")
                    )
                })?;
            }
        }
    }
    Ok(())
}

/// Loads the detectors, each under a name of its own: where the declared name and the
/// settings do not tell two apart (builds of the same plugin), what the user wrote does.
fn choose(wanted: &[Choice], loaded: &Loaded, catalog: &Catalog) -> anyhow::Result<Vec<Chosen>> {
    let mut chosen =
        wanted.iter().map(|c| c.load(loaded, catalog)).collect::<Result<Vec<_>, _>>()?;
    let labels: Vec<String> = chosen.iter().map(|c| c.label.clone()).collect();
    for c in &mut chosen {
        if labels.iter().filter(|label| **label == c.label).count() > 1 {
            c.label.clone_from(&c.given);
        }
    }
    for (n, c) in chosen.iter().enumerate() {
        if chosen[..n].iter().any(|earlier| earlier.label == c.label) {
            return Err(UsageError(format!("--detector names {} twice", c.given)).into());
        }
    }
    Ok(chosen)
}

fn film_all(
    plan: &Plan,
    what: &What,
    radius_error: f64,
    candidates: &[Candidate],
) -> anyhow::Result<Vec<Filmed>> {
    let cast = |s: usize| candidates.iter().map(|c| c.detector(s)).collect::<Result<Vec<_>, _>>();
    let bar = ProgressBar::new(match what {
        What::Scenes(scenes) => plan.frames * scenes.len() as u64,
        What::Pictures { .. } => plan.frames,
    });
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    bar.set_draw_target(target);
    if let Ok(style) =
        ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} frames, {eta} left")
    {
        bar.set_style(style);
    }
    bar.set_message("filming");
    let scene_error = |e: FilmError| match e {
        FilmError::Scene(e) => anyhow::Error::new(UsageError(e.to_string())),
        FilmError::Detector(fault) => fault.into(),
        error @ FilmError::Picture { .. } => error.into(),
    };
    let done = |frames| bar.inc(frames);
    let filmed = match what {
        What::Scenes(scenes) => film::film(plan, scenes, radius_error, &cast, &done),
        What::Pictures { footage, answers } => shown::show(footage, &cast, answers, &done),
    };
    let mut filmed = filmed.map_err(scene_error)?;
    bar.set_message("timing");
    timing::time(plan, &mut filmed, &cast).map_err(scene_error)?;
    bar.finish_and_clear();
    Ok(filmed)
}

/// Files of a report.
const FILES: [&str; 4] = ["frames.csv", "false_positives.csv", "summary.json", "index.html"];

/// Makes the directory of the report, and sees that it can be written to: it is too late
/// for that when everything has been filmed.
fn prepare(dir: &Path) -> Result<(), UsageError> {
    make_directory("--report", dir)?;
    let cannot = |why: &dyn std::fmt::Display| {
        UsageError(format!("--report: cannot write into {}: {why}", dir.display()))
    };
    for name in FILES {
        if dir.join(name).is_dir() {
            return Err(cannot(&format!("its {name} is a directory")));
        }
    }
    tempfile::tempfile_in(dir).map(drop).map_err(|e| cannot(&e))
}

fn report(dir: &Path, plan: &Plan, filmed: &[Filmed], summary: &Summary) -> anyhow::Result<()> {
    let names: Vec<String> = summary.detectors.iter().map(|d| d.name.clone()).collect();
    let mut rows = Vec::new();
    evaluate::write_records(plan, filmed, &names, &mut rows).context("frames.csv")?;
    let mut wrong = Vec::new();
    evaluate::write_false_positives(plan, filmed, &names, &mut wrong)
        .context("false_positives.csv")?;
    let [csv, wrong_csv, json_file, html] = FILES.map(|name| dir.join(name));
    write_atomically(&csv, &rows)?;
    write_atomically(&wrong_csv, &wrong)?;
    let json = serde_json::to_string_pretty(summary)?;
    write_atomically(&json_file, json.as_bytes())?;
    let page = evaluate::page(plan, filmed, summary).context("index.html")?;
    write_atomically(&html, page.as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_given_to_a_shell() {
        let arguments = ["/opt/x/host", "evaluate", "a:b=[1,2]", "my pics", "it's", ""];
        let line = command_line(arguments.map(str::to_owned).into_iter());
        assert_eq!(line, r#"host evaluate 'a:b=[1,2]' 'my pics' "it's" ''"#);
    }
}
