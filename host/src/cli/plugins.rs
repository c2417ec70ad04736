//! `host plugins`: list, inspect, check, bench.

mod bench;
mod check;
mod inspect;
mod list;

use std::{io::Write, path::PathBuf};

use anyhow::Context as _;
use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

use super::{Common, Exit};
use crate::{
    config::{Loaded, Override, suggestion},
    plugin::{Catalog, check as harness, probe, remote},
};

/// Arguments of `host plugins`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  host plugins list
  host plugins inspect hough-rust
  host plugins check ./target/release/libmy_detector.so --level 8
  host plugins bench hough-rust hough-opencv")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List all plugins in the search path
    List(list::Args),
    /// Show what a plugin says about itself and how it is configured
    Inspect(inspect::Args),
    /// Put a plugin through its paces, in a process of its own
    Check(check::Args),
    /// Measure how long detectors take for a frame
    Bench(bench::Args),
}

/// Runs `host plugins`.
///
/// # Errors
///
/// When the configuration is wrong, or a plugin is not there or cannot be loaded.
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    let loaded = common.load(Vec::new())?;
    let catalog = Catalog::new(&common.plugin_path, &loaded.config.plugins.paths);
    match &args.verb {
        Verb::List(args) => list::run(args, &catalog),
        Verb::Inspect(args) => inspect::run(args, &catalog),
        Verb::Check(args) => check::run(args, &catalog, &loaded),
        Verb::Bench(args) => bench::run(args, &catalog, &loaded),
    }
}

/// Arguments of the hidden verb `plugin-worker`: what this program is started
/// with to look into libraries without being in danger itself.
#[derive(Debug, clap::Args)]
pub struct WorkerArgs {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, clap::Subcommand)]
enum Job {
    /// Print descriptors
    Probe { paths: Vec<PathBuf> },
    /// Run checks
    Check(harness::WorkerArgs),
    /// Detect what one is asked to
    Serve { path: PathBuf },
}

/// Runs `host plugin-worker`.
///
/// # Errors
///
/// When the answers cannot be written.
pub fn run_worker(args: &WorkerArgs) -> anyhow::Result<Exit> {
    match &args.job {
        Job::Probe { paths } => probe::answer(paths)?,
        Job::Check(args) => harness::answer(args)?,
        Job::Serve { path } => remote::answer(path)?,
    }
    Ok(Exit::Done)
}

/// `[plugin.<name>]`, checked against the plugin's schema.
pub(super) fn table(
    loaded: &Loaded,
    descriptor: &crate::plugin::Descriptor,
) -> anyhow::Result<serde_json::Map<String, serde_json::Value>> {
    table_with(loaded, descriptor, &[])
}

/// The same with `overrides` of that table.
pub(super) fn table_with(
    loaded: &Loaded,
    descriptor: &crate::plugin::Descriptor,
    overrides: &[Override],
) -> anyhow::Result<serde_json::Map<String, serde_json::Value>> {
    let table = loaded.plugin_config_with(&descriptor.name, &descriptor.schema, overrides)?;
    Ok(table.as_object().cloned().unwrap_or_default())
}

/// Warns of a `[plugin.<name>]` whose name is nearly that of a plugin: its
/// settings reach nobody. Another name may be that of a plugin elsewhere.
pub(super) fn warn_of_misspelt(loaded: &Loaded, catalog: &Catalog) {
    let config = &loaded.config;
    let named = [&config.client.detector, &config.client.display, &config.server.display];
    let strange: Vec<_> = config.plugin.keys().filter(|name| !named.contains(name)).collect();
    if strange.is_empty() {
        return;
    }
    let found = catalog.list();
    let known = || found.iter().filter_map(|e| Some(e.descriptor()?.name.as_str()));
    for name in strange.into_iter().filter(|name| !known().any(|known| known == *name)) {
        if let Some(near) = suggestion(name, known()) {
            tracing::warn!(
                "there is no plugin \"{name}\" for [plugin.{name}]; did you mean [plugin.{near}]?"
            );
        }
    }
}

/// An empty table in the style of this program.
fn new_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header.iter().copied());
    table
}

/// Prints a line; a reader that went away (`| head`) is no error.
pub(super) fn print(text: impl std::fmt::Display) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to standard output"),
    }
}

/// Prints a value as indented JSON.
fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    print(serde_json::to_string_pretty(value)?)
}
