//! A detector that misbehaves on demand.

use plumbline_plugin_api::prelude::*;

/// When to misbehave, and how. Frame numbers are those of the session.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// Frames on which it panics.
    panic_on: Vec<u64>,
    /// Panics on every frame from this one on.
    panic_from: Option<u64>,
    /// Frames on which it returns an error.
    error_on: Vec<u64>,
    /// Frames on which it returns a NaN among its detections.
    nan_on: Vec<u64>,
    /// Frames on which it returns ten thousand detections.
    flood_on: Vec<u64>,
    /// Frames on which it finds nothing.
    nothing_on: Vec<u64>,
    /// Frames on which it ends the process with SIGABRT.
    abort_on: Vec<u64>,
    /// Frames on which it never returns.
    hang_on: Vec<u64>,
    /// Ends the process with SIGABRT when it is dropped.
    abort_in_drop: bool,
    /// Milliseconds that it sleeps on every frame.
    sleep_ms: u64,
    /// Bytes that it leaks on every frame.
    leak: usize,
    /// Panics when it is made.
    panic_in_new: bool,
    /// Panics when it is dropped.
    panic_in_drop: bool,
    /// Writes a line on every frame to standard output and to the log.
    chatty: bool,
    /// Answers with a place that depends on how many frames it saw.
    drift: bool,
}

struct Moody {
    config: Config,
    frames: u64,
}

impl Detector for Moody {
    type Config = Config;

    fn new(config: Config, _: &HostInfo) -> Result<Self, PluginError> {
        assert!(!config.panic_in_new, "no wish to be made");
        Ok(Self { config, frames: 0 })
    }

    fn detect(&mut self, frame: &Frame<'_>, found: &mut Detections) -> Result<(), PluginError> {
        let (id, config) = (frame.id(), &self.config);
        self.frames += 1;
        if config.chatty {
            println!("frame {id}");
            eprintln!("looking at frame {id}");
        }
        if config.leak > 0 {
            std::mem::forget(vec![1_u8; config.leak]);
        }
        if config.sleep_ms > 0 {
            std::thread::sleep(std::time::Duration::from_millis(config.sleep_ms));
        }
        if config.abort_on.contains(&id) {
            eprintln!("this is the end");
            std::process::abort();
        }
        while config.hang_on.contains(&id) {
            std::thread::park();
        }
        let panics = config.panic_on.contains(&id) || config.panic_from.is_some_and(|n| id >= n);
        assert!(!panics, "in a bad mood");
        if config.error_on.contains(&id) {
            return Err(PluginError::failed("not in the mood"));
        }
        if config.nothing_on.contains(&id) {
            return Ok(());
        }
        let drift = if config.drift { self.frames as f64 } else { 0.0 };
        let (x, y) = (f64::from(frame.width()) / 2.0, f64::from(frame.height()) / 2.0);
        if config.nan_on.contains(&id) {
            found.push(Detection::new(f64::NAN, y, 20.0, 1.0));
        }
        let count = if config.flood_on.contains(&id) { 10_000 } else { 1 };
        for _ in 0..count {
            found.push(Detection::new(x + drift, y, 20.0, 0.5));
        }
        Ok(())
    }
}

impl Drop for Moody {
    fn drop(&mut self) {
        if self.config.abort_in_drop {
            std::process::abort();
        }
        assert!(!self.config.panic_in_drop, "no wish to go");
    }
}

plumbline_plugin_api::export_plugin! {
    detector: Moody,
    name: "moody",
    description: "Misbehaves on demand",
}
