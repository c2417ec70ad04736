//! Log lines of plugins on their way into the host's log.
//!
//! They are handed to the `log` crate, which `tracing-subscriber` listens to:
//! a `tracing` event must know its target when it is compiled, a `log` record
//! need not. The target is `plugin::<name>`, so `--log plugin::hough-rust=debug`
//! works.

use std::sync::OnceLock;

use abi_stable::std_types::RStr;
use plumbline_plugin_api::abi::{Host, Host_Ref, LogLevel};

/// What the host is doing, as a plugin is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Makes frames and scores.
    Server,
    /// Shows and detects.
    Client,
    /// One of the offline commands.
    Tool,
}

impl Role {
    /// `server`, `client` or `tool`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Tool => "tool",
        }
    }

    /// The host as plugins see it; set up on first use, after logging is.
    pub(super) fn host(self) -> Host_Ref {
        static HOSTS: [OnceLock<Host_Ref>; 3] = [const { OnceLock::new() }; 3];
        *HOSTS[self as usize].get_or_init(|| {
            use abi_stable::prefix_type::PrefixTypeTrait;
            Host {
                version: RStr::from_str(env!("CARGO_PKG_VERSION")),
                role: RStr::from_str(self.name()),
                max_log_level: LogLevel(::log::max_level() as u32),
                log: forward,
            }
            .leak_into_prefix()
        })
    }
}

extern "C" fn forward(level: LogLevel, plugin: RStr<'_>, target: RStr<'_>, message: RStr<'_>) {
    let level = match level.0 {
        0 | 1 => ::log::Level::Error,
        2 => ::log::Level::Warn,
        3 => ::log::Level::Info,
        4 => ::log::Level::Debug,
        _ => ::log::Level::Trace,
    };
    // A panic must not travel into the plugin; a lost log line is the lesser evil.
    let _ = std::panic::catch_unwind(|| {
        ::log::logger().log(
            &::log::Record::builder()
                .level(level)
                .target(&format!("plugin::{plugin}"))
                .module_path(Some(target.as_str()))
                .args(format_args!("{message}"))
                .build(),
        );
    });
}
