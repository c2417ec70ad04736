//! Log lines go to standard error; standard output belongs to results.

use std::io::IsTerminal as _;

use anyhow::bail;
use tracing::level_filters::LevelFilter;
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
    let directives = match level.parse::<LevelFilter>() {
        Ok(_) => format!("{level},{NOISY}"),
        Err(_) => level.to_owned(),
    };
    // A lone word would be a filter as well: for a module of that name, which a
    // misspelt level is not.
    let word = |part: &str| part.chars().all(|c| c.is_alphanumeric() || c == '_');
    let misspelt = |part: &str| word(part) && part.parse::<LevelFilter>().is_err();
    let filter = match EnvFilter::builder().parse(&directives) {
        Ok(filter) if !level.split(',').map(str::trim).any(misspelt) => filter,
        _ => bail!(
            "--log {level}: neither a level (error, warn, info, debug, trace) \
             nor a filter such as info,plumbline_host::transport=debug"
        ),
    };
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
