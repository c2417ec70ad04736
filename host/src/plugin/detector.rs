//! A detector instance: started anew after a panic, its answers vetted.

use std::time::{Duration, Instant};

use plumbline_plugin_api::{Detections, Frame, PluginError, abi::DetectorBox};

use super::{
    FaultCause, PluginFault,
    quarantine::Quarantine,
    remote::Remote,
    vet::{self, Nonsense},
};

/// Where the instance runs.
enum Engine {
    /// In this process, behind the boundary that catches panics.
    InProcess(DetectorBox),
    /// In another one, which it may end.
    Remote(Remote),
}

impl Engine {
    /// Also returns how long the plugin took.
    fn detect(
        &mut self,
        frame: &Frame<'_>,
        found: &mut Detections,
    ) -> Result<Duration, FaultCause> {
        match self {
            Self::InProcess(instance) => {
                let start = Instant::now();
                let result = instance.detect(*frame, found).into_result();
                result.map(|()| start.elapsed()).map_err(|error| FaultCause::of(&error))
            }
            Self::Remote(remote) => remote.detect(frame, found),
        }
    }

    fn reset(&mut self) -> Result<(), FaultCause> {
        match self {
            Self::InProcess(instance) => {
                instance.reset().into_result().map_err(|error| FaultCause::of(&error))
            }
            Self::Remote(remote) => remote.reset(),
        }
    }
}

type Start = Box<dyn Fn() -> Result<Engine, FaultCause> + Send>;

/// A detector instance. Used by one thread at a time; may move between threads.
pub struct Detector {
    name: String,
    start: Start,
    /// `None` after a panic: the state of an instance that panicked is not to be trusted.
    engine: Option<Engine>,
    quarantine: Quarantine,
    /// Answers so far that broke the rules, and how the last one did.
    nonsense: (u64, Nonsense),
    took: Option<Duration>,
}

impl std::fmt::Debug for Detector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Detector({})", self.name)
    }
}

impl Detector {
    /// Makes the first instance; `start` is kept to make others after panics.
    pub(super) fn start(
        name: &str,
        start: impl Fn() -> Result<DetectorBox, PluginError> + Send + 'static,
    ) -> Result<Self, PluginFault> {
        Self::begin(name, move || {
            start().map(Engine::InProcess).map_err(|error| FaultCause::of(&error))
        })
    }

    /// The same for instances in other processes.
    pub(super) fn start_remote(
        name: &str,
        start: impl Fn() -> Result<Remote, FaultCause> + Send + 'static,
    ) -> Result<Self, PluginFault> {
        Self::begin(name, move || start().map(Engine::Remote))
    }

    fn begin(
        name: &str,
        start: impl Fn() -> Result<Engine, FaultCause> + Send + 'static,
    ) -> Result<Self, PluginFault> {
        let fault = |cause| PluginFault { plugin: name.to_owned(), frame: None, cause };
        let engine = start().map_err(fault)?;
        Ok(Self {
            name: name.to_owned(),
            start: Box::new(start),
            engine: Some(engine),
            quarantine: Quarantine::default(),
            nonsense: (0, Nonsense::default()),
            took: None,
        })
    }

    /// The plugin's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Finds discs in `frame`: `found` holds them afterwards, best first, finite,
    /// at most 1024; it is empty after an error. What it held before is dropped.
    ///
    /// # Errors
    ///
    /// The frame then counts as missed, with the fault as the reason; the next
    /// frame can be given all the same. After a panic the instance is made anew;
    /// after five in a row the detector is out of use and says so on every frame.
    pub fn detect(&mut self, frame: &Frame<'_>, found: &mut Detections) -> Result<(), PluginFault> {
        found.clear();
        let result = self.ready().and_then(|engine| engine.detect(frame, found));
        self.took = result.as_ref().ok().copied();
        match result {
            Ok(_) => {
                self.quarantine.answered();
                let nonsense = vet::vet(found);
                if !nonsense.is_none() {
                    self.warn(frame.id(), nonsense);
                }
                Ok(())
            }
            Err(cause) => {
                found.clear();
                if let FaultCause::Panicked(message)
                | FaultCause::Restart(message)
                | FaultCause::Died(message) = &cause
                {
                    self.engine = None;
                    self.quarantine.panicked(Instant::now(), message);
                }
                Err(self.fault(Some(frame.id()), cause))
            }
        }
    }

    /// Forgets what was learnt from earlier frames; call it between sessions.
    ///
    /// # Errors
    ///
    /// When the plugin panics; the next frame gets a new instance.
    pub fn reset(&mut self) -> Result<(), PluginFault> {
        let Some(engine) = &mut self.engine else { return Ok(()) };
        let Err(cause) = engine.reset() else { return Ok(()) };
        self.engine = None;
        Err(self.fault(None, cause))
    }

    /// How long the plugin took for the last frame, if it answered.
    pub fn took(&self) -> Option<Duration> {
        self.took
    }

    /// Why the detector is out of use, if it is.
    pub fn quarantined(&self) -> Option<&str> {
        self.quarantine.reason()
    }

    /// Answers so far that broke the interface's rules (see the log for what they were).
    pub fn nonsense(&self) -> u64 {
        self.nonsense.0
    }

    /// How the last of them broke the rules.
    pub fn last_nonsense(&self) -> String {
        self.nonsense.1.to_string()
    }

    fn ready(&mut self) -> Result<&mut Engine, FaultCause> {
        if let Some(reason) = self.quarantine.reason() {
            return Err(FaultCause::Quarantined(reason.to_owned()));
        }
        match &mut self.engine {
            Some(engine) => Ok(engine),
            slot @ None => {
                let engine = (self.start)().map_err(|cause| match cause {
                    FaultCause::Failed(why)
                    | FaultCause::Config(why)
                    | FaultCause::Panicked(why)
                    | FaultCause::Died(why) => FaultCause::Restart(why),
                    other => other,
                })?;
                tracing::info!(plugin = self.name, "made anew");
                Ok(slot.insert(engine))
            }
        }
    }

    /// Warns on the 1st, 2nd, 4th, 8th, ... answer, not on every frame.
    fn warn(&mut self, frame: u64, nonsense: Nonsense) {
        self.nonsense = (self.nonsense.0 + 1, nonsense);
        if self.nonsense.0.is_power_of_two() {
            tracing::warn!(
                plugin = self.name,
                frame,
                "misbehaves, answer {} of this sort: {nonsense}",
                self.nonsense.0
            );
        }
    }

    fn fault(&self, frame: Option<u64>, cause: FaultCause) -> PluginFault {
        PluginFault { plugin: self.name.clone(), frame, cause }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use plumbline_plugin_api::{__private::new_detector, PixelFormat, prelude::*};

    use super::{Detector, *};
    use crate::plugin::Role;

    /// Panics, fails or answers as its configuration says; counts what it saw.
    struct Moody {
        config: MoodyConfig,
        frames: u64,
    }

    #[derive(Default, Serialize, Deserialize, JsonSchema)]
    #[serde(default)]
    struct MoodyConfig {
        panic_on: Vec<u64>,
        fail_on: Vec<u64>,
        nan_on: Vec<u64>,
        panic_in_new_after: Option<usize>,
    }

    static MADE: AtomicUsize = AtomicUsize::new(0);

    impl plumbline_plugin_api::Detector for Moody {
        type Config = MoodyConfig;

        fn new(config: MoodyConfig, _: &HostInfo) -> Result<Self, PluginError> {
            if let Some(limit) = config.panic_in_new_after {
                assert!(MADE.fetch_add(1, Ordering::SeqCst) < limit, "no more of me");
            }
            Ok(Self { config, frames: 0 })
        }

        fn detect(&mut self, frame: &Frame<'_>, out: &mut Detections) -> Result<(), PluginError> {
            self.frames += 1;
            out.push(Detection::new(self.frames as f64, 0.0, 1.0, 1.0));
            assert!(!self.config.panic_on.contains(&frame.id()), "bad mood");
            if self.config.fail_on.contains(&frame.id()) {
                return Err(PluginError::failed("no light"));
            }
            if self.config.nan_on.contains(&frame.id()) {
                out.push(Detection::new(f64::NAN, 0.0, 1.0, 1.0));
            }
            Ok(())
        }
    }

    fn moody(config: &str) -> Detector {
        let config = config.to_owned();
        Detector::start("moody", move || {
            new_detector::<Moody>(config.as_str().into(), Role::Tool.host(), "moody").into_result()
        })
        .unwrap()
    }

    fn detect(detector: &mut Detector, id: u64) -> Result<Vec<f64>, PluginFault> {
        let frame = Frame::packed(&[0; 4], 2, 2, PixelFormat::GRAY8).unwrap().with_id(id);
        let mut found = Detections::new();
        let result = detector.detect(&frame, &mut found);
        assert!(result.is_ok() || found.is_empty(), "nothing is found in a frame that failed");
        result.map(|()| found.iter().map(|d| d.x).collect())
    }

    #[test]
    fn a_panic_names_plugin_and_frame_and_the_next_frame_gets_a_new_instance() {
        let mut detector = moody(r#"{"panic_on": [2]}"#);
        assert_eq!(detect(&mut detector, 0).unwrap(), [1.0]);
        assert_eq!(detect(&mut detector, 1).unwrap(), [2.0]);
        let fault = detect(&mut detector, 2).unwrap_err();
        assert_eq!(fault.to_string(), "plugin moody (frame 2) panicked: bad mood");
        assert_eq!(detect(&mut detector, 3).unwrap(), [1.0], "its count began anew");
    }

    #[test]
    fn an_error_keeps_the_instance() {
        let mut detector = moody(r#"{"fail_on": [1]}"#);
        detect(&mut detector, 0).unwrap();
        let fault = detect(&mut detector, 1).unwrap_err();
        assert_eq!(fault.to_string(), "plugin moody (frame 1) failed: no light");
        assert_eq!(detect(&mut detector, 2).unwrap(), [3.0]);
    }

    #[test]
    fn after_five_panics_in_a_row_it_is_out_of_use_with_the_reason() {
        let mut detector = moody(r#"{"panic_on": [0, 1, 2, 3, 4]}"#);
        for id in 0..5 {
            assert!(matches!(
                detect(&mut detector, id).unwrap_err().cause,
                FaultCause::Panicked(_)
            ));
        }
        assert!(detector.quarantined().unwrap().contains("bad mood"));
        let fault = detect(&mut detector, 9).unwrap_err();
        assert!(matches!(fault.cause, FaultCause::Quarantined(_)));
        assert_eq!(fault.frame, Some(9));
    }

    #[test]
    fn a_plugin_that_cannot_be_made_again_is_tried_a_few_times() {
        let mut detector = moody(r#"{"panic_on": [0], "panic_in_new_after": 1}"#);
        detect(&mut detector, 0).unwrap_err();
        for id in 1..5 {
            let fault = detect(&mut detector, id).unwrap_err();
            assert!(matches!(fault.cause, FaultCause::Restart(_)), "{fault}");
        }
        assert!(detector.quarantined().is_some());
    }

    #[test]
    fn nonsense_is_removed_and_counted() {
        let mut detector = moody(r#"{"nan_on": [0]}"#);
        assert_eq!(detect(&mut detector, 0).unwrap(), [1.0]);
        assert_eq!(detector.nonsense(), 1);
    }
}
