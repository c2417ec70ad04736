//! `host plugins check`

use std::{
    io::{IsTerminal, Write},
    time::Duration,
};

use anyhow::Context;

use crate::{
    cli::{Exit, choice::Choice, options::UsageError},
    config::Loaded,
    plugin::{
        Catalog,
        check::{self, MAX_LEVEL, Options, Report, Verdict},
        probe,
    },
};

/// Arguments of `host plugins check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  host plugins check ./target/release/libmy_detector.so --level 8

Levels: 1 loads, 2 configuration, 3 finds what is there, 4 odd frames, 5 honest
and repeatable answers (what a host relies on), 6 random input, 7 threads and
lifecycle, 8 memory and speed (advice only). Exit status 1 if a check failed.")]
pub(super) struct Args {
    /// Name of a plugin, or path of a library; settings may follow
    #[arg(value_name = "NAME|PATH[:KEY=VALUE...]")]
    plugin: Choice,
    /// Run the checks up to this level
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_LEVEL)))]
    level: u8,
    /// Where random input comes from; the same seed gives the same input
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Seconds that one step may take before it counts as a hang
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds)]
    deadline: f64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The level of the checks that make an instance with the settings.
const CONFIGURED: u8 = 2;
const NO_WORKER: &str = "no worker process can be started";

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.01..=3600.0).contains(&value) => Ok(value),
        _ => Err("a number from 0.01 to 3600 is needed".to_owned()),
    }
}

pub(super) fn run(args: &Args, catalog: &Catalog, loaded: &Loaded) -> anyhow::Result<Exit> {
    let choice = &args.plugin;
    choice.check_name()?;
    let path = catalog.find(choice.plugin())?;
    // One that does not load has no configuration; that it does not load is the first check.
    let descriptor = probe::one(&path).ok();
    let table = descriptor.as_ref().map(|d| choice.table(d, loaded)).transpose()?;
    let table = table.map(|(table, _)| table).unwrap_or_default();
    let deadline = Duration::from_secs_f64(args.deadline);
    let mut options = Options { level: args.level, seed: args.seed, deadline, table };
    if !options.table.is_empty() {
        // All checks would fail for what is wrong with the settings.
        let level = std::mem::replace(&mut options.level, CONFIGURED);
        let report = check::run(&path, &options, |_| {}).context(NO_WORKER)?;
        options.level = level;
        if let Some(why) = report.refusal() {
            let name = choice.plugin();
            return Err(UsageError(format!("{name}: the settings that you gave it: {why}")).into());
        }
    }
    let mut stderr = std::io::stderr();
    let live = stderr.is_terminal() && !args.json;
    let report = check::run(&path, &options, |check| {
        if live {
            // Progress for people; that it cannot be written does not matter.
            let _ = write!(stderr, "\r\x1b[K{} ...", check.id());
        }
    })
    .context(NO_WORKER)?;
    if live {
        eprint!("\r\x1b[K");
    }
    if args.json {
        super::print_json(&report)?;
    } else {
        show(&report)?;
    }
    Ok(if report.passed { Exit::Done } else { Exit::Failed })
}

fn show(report: &Report) -> anyhow::Result<()> {
    let mut table = super::new_table(&["level", "check", "verdict", "detail"]);
    for line in &report.checks {
        let detail = match line.verdict {
            Verdict::Pass => line.detail.clone(),
            _ if line.detail.is_empty() => line.description.to_owned(),
            _ => format!("{}\n{}", line.description, line.detail),
        };
        table.add_row([line.level.to_string(), line.check.id(), line.verdict.to_string(), detail]);
    }
    super::print(table)?;
    let count = |verdict| report.checks.iter().filter(|line| line.verdict == verdict).count();
    let name = report.name.clone().unwrap_or_else(|| report.path.display().to_string());
    super::print(format!(
        "{name}: {} passed, {} failed, {} warnings, {} skipped (seed {})",
        count(Verdict::Pass),
        count(Verdict::Fail),
        count(Verdict::Warn),
        count(Verdict::Skip),
        report.seed,
    ))
}
