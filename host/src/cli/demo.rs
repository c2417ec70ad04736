//! `host demo`: both sides on this machine, as two processes over loopback.

use std::{
    io::IsTerminal as _, net::SocketAddr, os::unix::process::ExitStatusExt as _, process::Stdio,
    time::Duration,
};

use anyhow::Context as _;
use rustix::process::{Pid, Signal};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{
    Common, Exit,
    options::{Role, RunOptions},
    plugins, role,
};
use crate::{
    config::Override,
    plugin::{Catalog, signal_name},
    session,
};

/// Frames that a demo has unless told otherwise.
const FRAMES: u64 = 600;
/// How long one side may take to end by itself after the other did.
const GOODBYE: Duration = Duration::from_millis(300);

/// Arguments of `host demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  host demo
  host demo --frames 2000 --fps 0 --detector hough-opencv --summary summary.json
  host demo --no-graphics -c scene.ball.radius=8")]
pub struct Args {
    #[command(flatten)]
    run: RunOptions,
}

/// Runs the demo: this process serves, a child is the client.
///
/// # Errors
///
/// What kept either side from doing its work.
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    let options = &args.run;
    options.check(Role::Server)?;
    if options.connect.is_some() {
        warn!("--connect does nothing here; a demo's client goes to its own server");
    }
    let mut overrides = options.overrides(Role::Server);
    if options.frames.is_none() {
        overrides.push(Override::new("server.frames", FRAMES, "demo"));
    }
    if options.listen.is_none() {
        overrides.push(Override::new("signaling.listen", "127.0.0.1:0", "demo"));
    }
    let wanted = options.display.is_some()
        || common
            .set
            .iter()
            .any(|set| set.split('=').next().map(str::trim) == Some("server.display"));
    if !wanted && !std::io::stdout().is_terminal() {
        overrides.push(Override::new("server.display", "display-null", "demo"));
    }
    let loaded = common.load(overrides)?;
    let catalog = Catalog::new(&common.plugin_path, &loaded.config.plugins.paths);
    plugins::warn_of_misspelt(&loaded, &catalog);
    let settings = role::server_settings(&loaded, &catalog, options)?.single();
    role::runtime()?.block_on(async {
        let stop = role::stop_on_signals()?;
        let over = CancellationToken::new();
        let mut client = None;
        let ending = session::run_server(settings, stop.clone(), |address| {
            let child = start_client(options, common, address)?;
            let detector = loaded.config.client.detector.clone();
            client = Some(watch(child, detector, stop.clone(), over.clone()));
            Ok(())
        })
        .await;
        over.cancel();
        let status = match client {
            Some(task) => task.await.context("the client's watcher")??,
            None => None,
        };
        let ending = ending?;
        match status {
            Some(code) if code != 0 => Ok(if code == 2 { Exit::Usage } else { Exit::Failed }),
            _ => Ok(role::exit_of(&ending)),
        }
    })
}

fn start_client(
    options: &RunOptions,
    common: &Common,
    server: SocketAddr,
) -> anyhow::Result<Child> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut command = Command::new(program);
    command.args(["--role", "client", "--die-with-parent", "--connect", &server.to_string()]);
    command.args(["--log", common.log.as_deref().unwrap_or("warn")]);
    if let Some(file) = &common.config {
        command.arg("--config").arg(file);
    }
    for set in &common.set {
        command.args(["-c", set]);
    }
    for dir in &common.plugin_path {
        command.arg("--plugin-path").arg(dir);
    }
    if let Some(detector) = &options.detector {
        command.args(["--detector", detector]);
    }
    if options.no_graphics {
        command.arg("--no-graphics");
    }
    // The terminal's Ctrl+C reaches this process; the client hears of it from
    // its server, so that both end in order.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null());
    command.kill_on_drop(true);
    command.spawn().context("cannot start the client")
}

/// Waits for the client; one that ends early takes the server with it, and one
/// that outlives it is ended. Its exit status, if it ended by itself.
fn watch(
    mut child: Child,
    detector: String,
    stop: CancellationToken,
    over: CancellationToken,
) -> tokio::task::JoinHandle<anyhow::Result<Option<i32>>> {
    tokio::spawn(async move {
        let early = tokio::select! {
            status = child.wait() => Some(status?),
            () = over.cancelled() => tokio::time::timeout(GOODBYE, child.wait()).await.ok().transpose()?,
        };
        let Some(status) = early else {
            end(&mut child).await?;
            return Ok(None);
        };
        // In a session the server notices the loss itself, and calls it that.
        if status.code() != Some(0)
            && tokio::time::timeout(GOODBYE, over.cancelled()).await.is_err()
        {
            stop.cancel();
        }
        if let Some(signal) = status.signal() {
            warn!(
                "the client was ended by {}; if that was its detector, `host plugins check \
                 {detector}` can tell",
                signal_name(signal)
            );
        }
        Ok(Some(status.code().unwrap_or(Exit::Failed as i32)))
    })
}

/// Ends a client that no session has told of the end.
async fn end(child: &mut Child) -> anyhow::Result<()> {
    let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    if let Some(pid) = pid {
        // It may have ended meanwhile.
        let _ = rustix::process::kill_process(pid, Signal::TERM);
    }
    if tokio::time::timeout(role::CHILD_LIMIT, child.wait()).await.is_err() {
        child.kill().await?;
    }
    Ok(())
}
