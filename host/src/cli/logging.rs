//! Log lines go to standard error; standard output belongs to results.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// Crates whose inner life is only of interest to who asks for it.
const NOISY: &str = "rtc=error,webrtc=error,rtc_ice=error,rtc_dtls=error,rtc_sctp=error";

/// Starts logging at `level` (a level or a filter); without one at `info`, or
/// at `warn` when `quiet`.
///
/// # Errors
///
/// When `level` is neither.
pub fn init(level: Option<&str>, quiet: bool) -> anyhow::Result<()> {
    let default = if quiet { "warn" } else { "info" };
    let level = level.unwrap_or(default);
    let directives = match level.parse::<tracing::level_filters::LevelFilter>() {
        Ok(_) => format!("{level},{NOISY}"),
        Err(_) => level.to_owned(),
    };
    let filter = EnvFilter::builder().parse(&directives).with_context(|| {
        format!("--log {level}: neither a level (error, warn, info, debug, trace) nor a filter")
    })?;
    let lines = fmt::layer()
        .compact()
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    if std::io::stderr().is_terminal() {
        registry.with(lines.without_time()).init();
    } else {
        registry.with(lines.with_timer(fmt::time::uptime())).init();
    }
    Ok(())
}
