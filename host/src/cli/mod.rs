//! The command line: one file per verb. Arguments are turned into typed
//! settings here; the work is done in the other modules.

pub mod scene;

use std::path::PathBuf;

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
    #[arg(long, value_name = "DIR", global = true)]
    pub plugin_path: Vec<PathBuf>,
    /// error, warn, info, debug, trace, or a filter such as info,plumbline_host::transport=debug
    #[arg(long, value_name = "LEVEL", global = true)]
    pub log: Option<String>,
}
