//! The command line: one file per verb. Arguments are turned into typed
//! settings here; the work is done in the other modules.

pub mod choice;
pub mod demo;
pub mod detect;
pub mod evaluate;
pub mod logging;
pub mod options;
pub mod plugins;
pub mod role;
pub mod scene;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand};

use crate::{
    config::{self, ConfigError, Loaded, Override},
    plugin::{self, FaultCause, PluginFault},
};
use options::{Role, RunOptions};

/// How the program ends; the numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The run failed.
    Failed = 1,
    /// The arguments or the configuration are wrong.
    Usage = 2,
    /// A threshold that the user set was not met.
    Threshold = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Options that every verb takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Common {
    /// Configuration file [default: config.toml, if there is one]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Set any key of the configuration, e.g. -c scene.seed=7 (repeatable)
    #[arg(short = 'c', value_name = "KEY=VALUE", global = true)]
    pub set: Vec<String>,
    /// Look for plugins here first (repeatable)
    #[arg(long, value_name = "DIR", global = true, value_parser = directory)]
    pub plugin_path: Vec<PathBuf>,
    /// error, warn, info, debug, trace, or a filter such as `info,plumbline_host::transport=debug`
    #[arg(long, value_name = "LEVEL", global = true)]
    pub log: Option<String>,
}

fn directory(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.metadata() {
        Ok(there) if there.is_dir() => Ok(path),
        Ok(_) => Err("this is not a directory".to_owned()),
        Err(e) => Err(e.to_string()),
    }
}

impl Common {
    /// The configuration: file, then `-c`, then the options in `typed`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every problem and its place.
    pub fn load(&self, typed: Vec<Override>) -> Result<Loaded, ConfigError> {
        let mut overrides =
            self.set.iter().map(|s| Override::parse(s)).collect::<Result<Vec<_>, _>>()?;
        overrides.extend(typed);
        config::load(self.config.as_deref(), &overrides)
    }
}

/// Qualifies and calibrates camera-based detection over a real network.
///
/// A server films a bouncing ball whose place it knows, sends the frames over a
/// WebRTC data channel to a client, the client's detector plugin answers where
/// it saw the ball, and the server scores every frame.
#[derive(Debug, Parser)]
#[command(
    name = "host",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  host demo                                         both sides on this machine
  host --role server --listen 0.0.0.0:8080          on the machine that films
  host --role client --connect 192.0.2.7:8080       on the machine that detects
  host plugins list                                 what can be chosen
  host plugins check ./libmine.so                   is a plugin fit for use?
  host detect --plugin hough-rust photo.png         a detector on a picture
  host scene --preset noisy --out frames            frames and truth for other programs
  host evaluate --detector a,b --scene noisy        which detector is better?"
)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Which side of a session to be
    #[arg(long, value_enum)]
    role: Option<Role>,
    #[command(flatten)]
    run: RunOptions,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Both sides of a session on this machine, over loopback
    Demo(demo::Args),
    /// Run a detector on pictures
    Detect(detect::Args),
    /// List, inspect, check and bench plugins
    Plugins(plugins::Args),
    /// Measure detectors on scenes, offline, and compare them
    Evaluate(evaluate::Args),
    /// Film a scene: frames as PNG files and the ground truth as CSV
    Scene(scene::Args),
    /// What this program starts itself with to look into plugins
    #[command(hide = true)]
    PluginWorker(plugins::WorkerArgs),
}

/// Runs the program; what `main` does.
pub fn main() -> ExitCode {
    let cli = Cli::parse_from(verbs_first(std::env::args_os().collect()));
    let log = cli.common.log.as_deref();
    let quiet = matches!(cli.verb, Some(Verb::Demo(_)));
    if let Err(e) = logging::init(log, quiet) {
        eprintln!("error: {e:#}");
        return Exit::Usage.into();
    }
    match dispatch(&cli) {
        Ok(exit) => exit.into(),
        Err(e) if e.is::<ConfigError>() => {
            eprintln!("{e}");
            Exit::Usage.into()
        }
        Err(e) => {
            eprintln!("error: {e:#}");
            if is_usage(&e) { Exit::Usage.into() } else { Exit::Failed.into() }
        }
    }
}

/// Puts the options of every verb that stand in front of a verb behind it, where they are
/// expected: `host -c scene.seed=3 demo` is `host demo -c scene.seed=3`.
fn verbs_first(mut args: Vec<OsString>) -> Vec<OsString> {
    let root = Cli::command();
    let mut command = &root;
    let (mut verbs, mut at) = (1, 1);
    while let Some(text) = args.get(at).and_then(|arg| arg.to_str()).map(str::to_owned) {
        let takes = if let Some(verb) = command.find_subcommand(&text) {
            command = verb;
            args[verbs..=at].rotate_right(1);
            verbs += 1;
            1
        } else if let Some(takes) = option_of_all(&root, &text) {
            takes
        } else {
            break;
        };
        at += takes;
    }
    args
}

/// How many arguments belong to an option that every verb has, if `text` is one: all of them
/// have a value, behind the option or behind `=`.
fn option_of_all(root: &clap::Command, text: &str) -> Option<usize> {
    root.get_arguments().filter(|arg| arg.is_global_set()).find_map(|arg| {
        let long = arg.get_long().map(|long| format!("--{long}"));
        let short = arg.get_short().map(|short| format!("-{short}"));
        let option = [long, short].into_iter().flatten().find(|o| text.starts_with(o))?;
        match &text[option.len()..] {
            "" => Some(2),
            rest if rest.starts_with('=') || option.len() == 2 => Some(1),
            _ => None,
        }
    })
}

/// Whether the arguments or the configuration are to blame.
fn is_usage(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let fault = cause.downcast_ref::<PluginFault>().map(|fault| &fault.cause);
        cause.is::<options::UsageError>()
            || cause.is::<plugin::FindError>()
            || matches!(fault, Some(FaultCause::Config(_)))
    })
}

fn dispatch(cli: &Cli) -> anyhow::Result<Exit> {
    let common = &cli.common;
    match (&cli.verb, cli.role) {
        (Some(Verb::Demo(args)), _) => demo::run(args, common),
        (Some(Verb::Detect(args)), _) => detect::run(args, common),
        (Some(Verb::Evaluate(args)), _) => evaluate::run(args, common),
        (Some(Verb::Plugins(args)), _) => plugins::run(args, common),
        (Some(Verb::Scene(args)), _) => scene::run(args, &common.load(Vec::new())?.config),
        (Some(Verb::PluginWorker(args)), _) => plugins::run_worker(args),
        (None, Some(role)) => role::run(role, &cli.run, common),
        (None, None) => {
            Cli::command().print_help()?;
            eprintln!("\nerror: say --role server, --role client, or a command such as demo");
            Ok(Exit::Usage)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        let args = std::iter::once("host").chain(line.split(' ')).map(OsString::from);
        Cli::try_parse_from(verbs_first(args.collect()))
    }

    #[test]
    fn what_every_verb_takes_may_stand_before_it_and_nothing_is_lost() {
        let cli = parse("-c a=1 --plugin-path=/ plugins -cb=2 --log debug list -c c=3").unwrap();
        assert!(matches!(cli.verb, Some(Verb::Plugins(_))));
        assert_eq!(cli.common.set, ["a=1", "b=2", "c=3"]);
        assert_eq!(cli.common.plugin_path, [PathBuf::from("/")]);
        assert_eq!(cli.common.log.as_deref(), Some("debug"));
        // A value is no verb.
        let cli = parse("--config demo scene --list").unwrap();
        assert!(matches!(cli.verb, Some(Verb::Scene(_))));
    }

    #[test]
    fn what_a_verb_does_not_take_may_not_stand_before_it() {
        for line in ["--frames 5 demo", "--role server demo", "--log", "-c"] {
            assert!(parse(line).is_err(), "{line}");
        }
        let cli = parse("--role server -c demo=1 --frames 5").unwrap();
        assert_eq!((cli.run.frames, cli.common.set.len()), (Some(5), 1));
    }
}
