//! Carries `log` lines from inside a plugin to the host.
//!
//! Every dynamic library has its own copy of `log`'s globals, so lines vanish
//! unless a logger is installed inside the plugin that hands them over.

use std::sync::OnceLock;

use abi_stable::std_types::RStr;

use crate::abi::{Host_Ref, LogLevel};

struct HostLog {
    host: Host_Ref,
    plugin: &'static str,
}

impl log::Log for HostLog {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let level = LogLevel(record.level() as u32);
            let message = record.args().to_string();
            self.host.log()(
                level,
                RStr::from(self.plugin),
                RStr::from(record.target()),
                RStr::from(message.as_str()),
            );
        }
    }

    fn flush(&self) {}
}

/// Makes `log::info!` and its siblings in this library reach `host`.
pub(crate) fn install(host: Host_Ref, plugin: &'static str) {
    static LOGGER: OnceLock<HostLog> = OnceLock::new();
    let logger = LOGGER.get_or_init(|| HostLog { host, plugin });
    // A second instance finds the logger in place; that is fine.
    let _ = log::set_logger(logger);
    log::set_max_level(match host.max_log_level().0 {
        0 => log::LevelFilter::Off,
        1 => log::LevelFilter::Error,
        2 => log::LevelFilter::Warn,
        3 => log::LevelFilter::Info,
        4 => log::LevelFilter::Debug,
        _ => log::LevelFilter::Trace,
    });
}
