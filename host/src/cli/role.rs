//! `host --role server` and `host --role client`.

use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    Common, Exit,
    choice::{Choice, Chosen},
    options::{Role, RunOptions},
    plugins,
};
use crate::{
    config::Loaded,
    plugin::{self, Catalog, Plugin},
    session::{self, ClientSettings, Ending, MakeDisplay, ServerSettings},
};

/// Runs one side of a session.
///
/// # Errors
///
/// What kept the side from doing its work.
pub fn run(role: Role, options: &RunOptions, common: &Common) -> anyhow::Result<Exit> {
    options.check(role)?;
    options.warn_of_ignored(role);
    if options.die_with_parent {
        end_with_parent()?;
    }
    let loaded = common.load(options.overrides(role))?;
    let catalog = Catalog::new(&common.plugin_path, &loaded.config.plugins.paths);
    // A demo has said it for its client.
    if !options.die_with_parent {
        plugins::warn_of_misspelt(&loaded, &catalog);
    }
    match role {
        Role::Server => {
            let settings = server_settings(&loaded, &catalog, options)?;
            runtime()?.block_on(async {
                let stop = stop_on_signals()?;
                let ending = session::run_server(settings, stop, |_| Ok(())).await?;
                Ok(exit_of(&ending))
            })
        }
        Role::Client => {
            let settings = client_settings(&loaded, &catalog)?;
            runtime()?.block_on(async {
                let stop = stop_on_signals()?;
                Ok(exit_of(&Box::pin(session::run_client(settings, stop)).await?))
            })
        }
    }
}

/// What the server needs, checked before anything is started.
///
/// # Errors
///
/// [`crate::config::ConfigError`], or a plugin that cannot be loaded.
pub fn server_settings(
    loaded: &Loaded,
    catalog: &Catalog,
    options: &RunOptions,
) -> anyhow::Result<ServerSettings> {
    let config = loaded.config.clone();
    let name = &config.server.display;
    let display = make_display(loaded, catalog, "server.display", name, plugin::Role::Server)?;
    Ok(ServerSettings::new(loaded, display)?
        .with_columns(options.no_graphics)
        .with_summary(options.summary.clone())
        .with_records(options.records.clone()))
}

fn client_settings(loaded: &Loaded, catalog: &Catalog) -> anyhow::Result<ClientSettings> {
    let config = loaded.config.clone();
    let name = &config.client.display;
    let display = make_display(loaded, catalog, "client.display", name, plugin::Role::Client)?;
    let choice = Choice::from(config.client.detector.as_str());
    let found = named(loaded, "client.detector", catalog.load_detector(choice.plugin()))?;
    let Chosen { plugin, table, .. } = choice.configure(found, loaded)?;
    let detector = plugin.detector(Some(&table), plugin::Role::Client)?;
    Ok(ClientSettings { config, detector, display })
}

fn make_display(
    loaded: &Loaded,
    catalog: &Catalog,
    key: &str,
    name: &str,
    role: plugin::Role,
) -> anyhow::Result<MakeDisplay> {
    let plugin = named(loaded, key, catalog.load_display(name))?;
    let table = plugins::table(loaded, plugin.descriptor())?;
    Ok(Box::new(move || plugin.display(Some(&table), role)))
}

/// A plugin that cannot be had is an error of the key that names it.
fn named(
    loaded: &Loaded,
    key: &str,
    found: Result<Plugin, plugin::FindError>,
) -> anyhow::Result<Plugin> {
    found.map_err(|e| {
        let report = format!("{e:#}");
        let (title, label) = report.split_once('\n').unwrap_or((&report, ""));
        let place = loaded.error(key, title, "named here");
        anyhow::Error::new(place.followed_by(label))
    })
}

/// The runtime of one side: the work is done by its own threads, these two
/// carry messages.
///
/// # Errors
///
/// When the threads cannot be started.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

/// A token that the first Ctrl+C (or SIGTERM, SIGHUP) cancels; the second ends
/// the process on the spot.
///
/// # Errors
///
/// When the signals cannot be watched.
pub fn stop_on_signals() -> anyhow::Result<CancellationToken> {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [mut int, mut term, mut hup] = {
        let watched: Result<Vec<Signal>, _> = kinds.into_iter().map(signal).collect();
        let watched = watched.context("cannot watch for signals")?;
        <[Signal; 3]>::try_from(watched)
            .map_err(|_| anyhow::anyhow!("three signals were asked for"))?
    };
    let stop = CancellationToken::new();
    let for_task = stop.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = int.recv() => {}
                _ = term.recv() => {}
                _ = hup.recv() => {}
            }
        };
        next().await;
        info!("asked to end");
        for_task.cancel();
        // A shell or a supervisor may deliver the same request twice (to the
        // process and to its group); only a later one is impatience.
        let settled = tokio::time::Instant::now() + ORDERLY;
        loop {
            next().await;
            if tokio::time::Instant::now() >= settled {
                warn!("ended at once");
                std::process::exit(Exit::Failed as i32);
            }
        }
    });
    Ok(stop)
}

/// How long an orderly end takes at most.
const ORDERLY: Duration = Duration::from_secs(1);

/// The exit status of a side whose last session ended so.
pub fn exit_of(ending: &Ending) -> Exit {
    if ending.is_orderly() { Exit::Done } else { Exit::Failed }
}

fn end_with_parent() -> anyhow::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))
        .context("cannot ask for a signal when the parent ends")
}

/// How long a demo's client may take to end when it is asked to.
pub const CHILD_LIMIT: Duration = Duration::from_secs(2);
