//! The driver: films every segment once and shows each frame to all detectors.

use plumbline_plugin_api::{Circle, Covariance, Detection, Detections};
use rayon::prelude::*;

use super::{
    bound::{Bound, bound},
    matching::{Target, gate, matching},
    plan::Plan,
};
use crate::{
    plugin::{Detector, PluginFault},
    scene::{BallTruth, Scene, SceneConfig, SceneError, Truth},
};

/// A ball counts when at least this share of its rim and of its area is visible.
pub const LEAST_VISIBLE: f64 = 0.5;
/// False positives of a frame that are kept with their place.
pub const KEPT: usize = 256;

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum FilmError {
    /// A scene cannot be filmed.
    #[error(transparent)]
    Scene(#[from] SceneError),
    /// A detector cannot be made.
    #[error(transparent)]
    Detector(#[from] PluginFault),
}

/// One ball in one frame.
#[derive(Debug, Clone)]
pub struct Ball {
    /// Where it is.
    pub truth: BallTruth,
    /// Too little of it is visible.
    pub ignored: bool,
    /// Distance up to which a detection belongs to it, in pixels.
    pub gate: f64,
    /// How good an estimate can be.
    pub bound: Option<Bound>,
}

/// A detection that belongs to a ball.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Estimate minus truth: x, y, radius (NaN without one), in pixels.
    pub error: [f64; 3],
    /// The detector's score.
    pub score: f64,
    /// What the detector says about its error.
    pub covariance: Option<Covariance>,
}

impl Hit {
    /// Distance from the truth, in pixels.
    pub fn l2(&self) -> f64 {
        self.error[0].hypot(self.error[1])
    }
}

/// A detection that belongs to no ball.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wrong {
    /// Where it is; the radius is NaN without one.
    pub circle: Circle,
    /// The detector's score.
    pub score: f64,
}

/// What one detector made of one frame.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// For every ball the detection that belongs to it.
    pub hits: Vec<Option<Hit>>,
    /// Detections that belong to no ball.
    pub false_positives: u32,
    /// How many of them sit on a circle that is not a ball.
    pub on_clutter: u32,
    /// The first [`KEPT`] of them.
    pub wrong: Vec<Wrong>,
    /// Why the detector gave no answer.
    pub fault: Option<String>,
}

/// One frame.
#[derive(Debug, Clone)]
pub struct FrameResult {
    /// The balls in it.
    pub balls: Vec<Ball>,
    /// What every detector made of it.
    pub looks: Vec<Look>,
}

/// A scene with all that was seen in it.
#[derive(Debug, Clone)]
pub struct Filmed {
    /// The configuration.
    pub config: SceneConfig,
    /// The frames of every segment.
    pub segments: Vec<Vec<FrameResult>>,
    /// Milliseconds of every detector on frames of its own pass, sorted.
    pub times: Vec<Vec<f64>>,
}

/// Makes the detectors of scene number n, always in the same order.
pub type Cast<'a> = dyn Fn(usize) -> Result<Vec<Detector>, PluginFault> + Sync + 'a;

/// Films all scenes on all cores. `done` is told about every finished segment's
/// number of frames. The result depends on no order of execution.
///
/// # Errors
///
/// [`FilmError`].
pub fn film(
    plan: &Plan,
    scenes: &[SceneConfig],
    cast: &Cast<'_>,
    done: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Filmed>, FilmError> {
    let jobs: Vec<(usize, u64, u64)> = (0..scenes.len())
        .flat_map(|s| plan.segments().zip(0..).map(move |(frames, k)| (s, k, frames)))
        .collect();
    let results = jobs
        .par_iter()
        .map(|&(s, k, frames)| {
            let segment = segment(&plan.scene(&scenes[s], k), frames, &mut cast(s)?)?;
            done(frames);
            Ok((s, segment))
        })
        .collect::<Result<Vec<_>, FilmError>>()?;
    let mut filmed: Vec<Filmed> = scenes
        .iter()
        .map(|config| Filmed { config: config.clone(), segments: Vec::new(), times: Vec::new() })
        .collect();
    for (s, segment) in results {
        filmed[s].segments.push(segment);
    }
    Ok(filmed)
}

fn segment(
    config: &SceneConfig,
    frames: u64,
    detectors: &mut [Detector],
) -> Result<Vec<FrameResult>, FilmError> {
    let mut scene = Scene::new(config)?;
    let mut results = Vec::with_capacity(frames as usize);
    let mut found = Detections::new();
    for n in 0..frames {
        if n > 0 {
            scene.step();
        }
        let balls = balls(config, scene.truth());
        let looks = detectors
            .iter_mut()
            .map(|detector| {
                let fault = detector.detect(&scene.frame(), &mut found).err();
                look(&balls, scene.truth(), &found, fault)
            })
            .collect();
        results.push(FrameResult { balls, looks });
    }
    Ok(results)
}

fn balls(config: &SceneConfig, truth: &Truth) -> Vec<Ball> {
    let balls = truth.balls.iter().enumerate();
    balls
        .map(|(n, ball)| Ball {
            truth: *ball,
            ignored: ball.visible.min(ball.visible_arc) < LEAST_VISIBLE,
            gate: gate(ball.radius),
            bound: bound(config, truth, n),
        })
        .collect()
}

/// Judges the answer of one detector to one frame.
pub fn look(
    balls: &[Ball],
    truth: &Truth,
    found: &[Detection],
    fault: Option<PluginFault>,
) -> Look {
    let targets: Vec<Target> = balls
        .iter()
        .map(|Ball { truth: t, ignored, .. }| Target {
            circle: Circle { x: t.x, y: t.y, radius: t.radius },
            ignored: *ignored,
        })
        .collect();
    let places: Vec<[f64; 2]> = found.iter().map(|d| [d.x, d.y]).collect();
    let matched = matching(&targets, &truth.clutter, &places);
    let hit = |(ball, detection): (&Ball, &Option<usize>)| {
        detection.map(|d| {
            let (d, t) = (&found[d], &ball.truth);
            Hit {
                error: [d.x - t.x, d.y - t.y, d.radius - t.radius],
                score: d.score,
                covariance: d.covariance.into_option(),
            }
        })
    };
    let wrong = |d: &usize| {
        let Detection { x, y, radius, score, .. } = found[*d];
        Wrong { circle: Circle { x, y, radius }, score }
    };
    Look {
        hits: balls.iter().zip(&matched.of_ball).map(hit).collect(),
        false_positives: matched.false_positives.len() as u32,
        on_clutter: matched.on_clutter as u32,
        wrong: matched.false_positives.iter().take(KEPT).map(wrong).collect(),
        fault: fault.map(|f| f.to_string()),
    }
}

/// Frames on which every detector is timed.
pub const TIMED_FRAMES: u64 = 40;
/// Frames before the clock runs.
const WARM_UP: u64 = 3;

/// Times every detector of every scene, one after the other on this thread, on
/// frames of the first segments. Call it while nothing else runs.
///
/// # Errors
///
/// [`FilmError`].
pub fn time(plan: &Plan, filmed: &mut [Filmed], cast: &Cast<'_>) -> Result<(), FilmError> {
    for (s, scene) in filmed.iter_mut().enumerate() {
        let mut detectors = cast(s)?;
        scene.times = vec![Vec::new(); detectors.len()];
        let mut found = Detections::new();
        let mut left = TIMED_FRAMES;
        for (frames, k) in plan.segments().zip(0..) {
            let frames = frames.min(left);
            left -= frames;
            if frames == 0 {
                break;
            }
            let mut camera = Scene::new(&plan.scene(&scene.config, k))?;
            for (detector, times) in detectors.iter_mut().zip(&mut scene.times) {
                if k == 0 {
                    for _ in 0..WARM_UP {
                        let _ = detector.detect(&camera.frame(), &mut found);
                    }
                }
                times.reserve(frames as usize);
            }
            for n in 0..frames {
                if n > 0 {
                    camera.step();
                }
                for (detector, times) in detectors.iter_mut().zip(&mut scene.times) {
                    // Faults were reported by the first pass, and take no time.
                    let _ = detector.detect(&camera.frame(), &mut found);
                    times.extend(detector.took().map(|took| took.as_secs_f64() * 1e3));
                }
            }
        }
        scene.times.iter_mut().for_each(|t| t.sort_unstable_by(f64::total_cmp));
    }
    Ok(())
}
