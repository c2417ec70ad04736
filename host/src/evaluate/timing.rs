//! How long detectors take for a frame.

use std::time::Instant;

use plumbline_plugin_api::{Detections, Frame};

use super::{
    film::{Cast, FilmError, Filmed, Subject},
    footage::Footage,
    plan::Plan,
    shown::open,
};
use crate::{plugin::Detector, scene::Scene};

/// Frames on which every detector is timed.
pub const TIMED_FRAMES: u64 = 40;
/// Frames before the clock runs.
const WARM_UP: u64 = 3;

/// Times every detector of every scene, one after the other on this thread, on
/// frames of the first segments, or on pictures from all over. Call it while nothing else runs.
///
/// # Errors
///
/// [`FilmError`].
pub fn time(plan: &Plan, filmed: &mut [Filmed], cast: &Cast<'_>) -> Result<(), FilmError> {
    for (s, scene) in filmed.iter_mut().enumerate() {
        let mut clock = Clock::new(cast(s)?);
        match &scene.subject {
            Subject::Scene(config) => {
                let mut left = TIMED_FRAMES;
                for (frames, k) in plan.segments().zip(0..) {
                    let frames = frames.min(left);
                    left -= frames;
                    if frames == 0 {
                        break;
                    }
                    let mut camera = Scene::new(&plan.scene(config, k))?;
                    for n in 0..frames {
                        if n > 0 {
                            camera.step();
                        }
                        clock.time(&camera.frame());
                    }
                }
            }
            Subject::Pictures(Footage { dir, shots, .. }) if !clock.detectors.is_empty() => {
                // From all over, since neighbours are alike.
                let (all, some) = (shots.len(), shots.len().min(TIMED_FRAMES as usize));
                for n in (0..some).map(|k| k * all / some) {
                    clock.time(&open(&dir.join(&shots[n].file))?.frame(n as u64));
                }
            }
            Subject::Pictures(_) => {}
        }
        scene.times = clock.sorted();
    }
    Ok(())
}

/// Detectors and how long each took for every frame.
struct Clock {
    detectors: Vec<Detector>,
    times: Vec<Vec<f64>>,
    found: Detections,
}

impl Clock {
    fn new(detectors: Vec<Detector>) -> Self {
        let times = vec![Vec::with_capacity(TIMED_FRAMES as usize); detectors.len()];
        Self { detectors, times, found: Detections::new() }
    }

    /// Shows a frame to all; the first one some times before the clock runs.
    fn time(&mut self, frame: &Frame<'_>) {
        let Self { detectors, times, found } = self;
        for (detector, times) in detectors.iter_mut().zip(times) {
            let warm_up = if times.is_empty() { WARM_UP } else { 0 };
            for _ in 0..warm_up {
                let _ = detector.detect(frame, found);
            }
            if detector.quarantined().is_some() {
                continue;
            }
            let start = Instant::now();
            // Faults were reported by the first pass. They take time, too: that of a
            // detector that does not come back is the limit.
            let _ = detector.detect(frame, found);
            let took = detector.took().unwrap_or_else(|| start.elapsed());
            times.push(took.as_secs_f64() * 1e3);
        }
    }

    fn sorted(mut self) -> Vec<Vec<f64>> {
        self.times.iter_mut().for_each(|t| t.sort_unstable_by(f64::total_cmp));
        self.times
    }
}
