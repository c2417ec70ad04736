//! The driver: films every segment once and shows each frame to all detectors.

use std::path::PathBuf;

use plumbline_plugin_api::{Circle, Covariance, Detection, Detections, Frame};
use rayon::prelude::*;

use super::{
    bound::{Bound, bound},
    footage::Footage,
    matching::{Target, gate, matching},
    plan::Plan,
    shown::open,
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
    /// A picture cannot be read.
    #[error("{}: {why}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
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
    /// By how much its radius may be off, in pixels.
    pub radius_gate: f64,
    /// How good an estimate can be.
    pub bound: Option<Bound>,
}

impl Ball {
    /// A ball to which detections belong whose radius is off by up to a share of
    /// `radius_error`.
    pub fn new(truth: BallTruth, bound: Option<Bound>, radius_error: f64) -> Self {
        Self {
            truth,
            ignored: truth.visible.min(truth.visible_arc) < LEAST_VISIBLE,
            gate: gate(truth.radius),
            radius_gate: radius_error * truth.radius,
            bound,
        }
    }
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
    /// How the answer broke the rules of the interface, and what was done about it.
    pub misbehaved: Option<String>,
}

/// One frame.
#[derive(Debug, Clone)]
pub struct FrameResult {
    /// The balls in it.
    pub balls: Vec<Ball>,
    /// What every detector made of it.
    pub looks: Vec<Look>,
}

/// What the detectors were shown.
#[derive(Debug, Clone)]
pub enum Subject {
    /// A scene, which can be filmed again.
    Scene(Box<SceneConfig>),
    /// Pictures in files.
    Pictures(Footage),
}

impl Subject {
    /// The preset, or what the pictures are called.
    pub fn name(&self) -> &str {
        match self {
            Self::Scene(config) => config.preset.name(),
            Self::Pictures(footage) => &footage.name,
        }
    }
}

/// A scene, or pictures, with all that was seen in it.
#[derive(Debug, Clone)]
pub struct Filmed {
    /// What was shown.
    pub subject: Subject,
    /// The frames of every segment.
    pub segments: Vec<Vec<FrameResult>>,
    /// Milliseconds of every detector on frames of its own pass, sorted.
    pub times: Vec<Vec<f64>>,
}

impl Filmed {
    /// The file of a frame; a scene has none.
    pub fn file(&self, frame: u64) -> Option<&str> {
        match &self.subject {
            Subject::Scene(_) => None,
            Subject::Pictures(footage) => {
                footage.shots.get(frame as usize).map(|shot| shot.file.as_str())
            }
        }
    }

    /// Shows the frame that has this number in this segment.
    ///
    /// # Errors
    ///
    /// [`FilmError`] when it can no longer be filmed or read.
    pub fn again<T>(
        &self,
        plan: &Plan,
        (segment, number): (usize, usize),
        show: impl FnOnce(&Frame<'_>) -> T,
    ) -> Result<T, FilmError> {
        match &self.subject {
            Subject::Scene(config) => {
                let mut scene = Scene::new(&plan.scene(config, segment as u64))?;
                for _ in 0..number {
                    scene.step();
                }
                Ok(show(&scene.frame()))
            }
            Subject::Pictures(Footage { dir, shots, .. }) => {
                let n = self.place((segment, number));
                Ok(show(&open(&dir.join(&shots[n].file))?.frame(n as u64)))
            }
        }
    }

    /// The number of a frame among all of the scene.
    pub fn place(&self, (segment, number): (usize, usize)) -> usize {
        self.segments[..segment].iter().map(Vec::len).sum::<usize>() + number
    }
}

/// Makes the detectors of scene number n, always in the same order.
pub type Cast<'a> = dyn Fn(usize) -> Result<Vec<Detector>, PluginFault> + Sync + 'a;

/// Films all scenes on all cores. The radius of a detection that belongs to a ball may be
/// off by a share of `radius_error`. `done` is told about every finished segment's number of
/// frames. The result depends on no order of execution.
///
/// # Errors
///
/// [`FilmError`].
pub fn film(
    plan: &Plan,
    scenes: &[SceneConfig],
    radius_error: f64,
    cast: &Cast<'_>,
    done: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Filmed>, FilmError> {
    let jobs: Vec<(usize, u64, u64)> = (0..scenes.len())
        .flat_map(|s| plan.segments().zip(0..).map(move |(frames, k)| (s, k, frames)))
        .collect();
    let results = jobs
        .par_iter()
        .map(|&(s, k, frames)| {
            let config = plan.scene(&scenes[s], k);
            let segment = segment(&config, frames, radius_error, &mut cast(s)?)?;
            done(frames);
            Ok((s, segment))
        })
        .collect::<Result<Vec<_>, FilmError>>()?;
    let mut filmed: Vec<Filmed> = scenes
        .iter()
        .map(|config| Filmed {
            subject: Subject::Scene(Box::new(config.clone())),
            segments: Vec::new(),
            times: Vec::new(),
        })
        .collect();
    for (s, segment) in results {
        filmed[s].segments.push(segment);
    }
    Ok(filmed)
}

fn segment(
    config: &SceneConfig,
    frames: u64,
    radius_error: f64,
    detectors: &mut [Detector],
) -> Result<Vec<FrameResult>, FilmError> {
    let mut scene = Scene::new(config)?;
    let mut results = Vec::with_capacity(frames as usize);
    let mut found = Detections::new();
    for n in 0..frames {
        if n > 0 {
            scene.step();
        }
        let balls = balls(config, scene.truth(), radius_error);
        let looks = detectors
            .iter_mut()
            .map(|detector| {
                ask(detector, &scene.frame(), &mut found, &balls, &scene.truth().clutter)
            })
            .collect();
        results.push(FrameResult { balls, looks });
    }
    Ok(results)
}

fn balls(config: &SceneConfig, truth: &Truth, radius_error: f64) -> Vec<Ball> {
    let balls = truth.balls.iter().enumerate();
    balls.map(|(n, ball)| Ball::new(*ball, bound(config, truth, n), radius_error)).collect()
}

/// Shows one frame to a detector, and judges what it answers.
pub(super) fn ask(
    detector: &mut Detector,
    frame: &Frame<'_>,
    found: &mut Detections,
    balls: &[Ball],
    clutter: &[Circle],
) -> Look {
    let before = detector.nonsense();
    let fault = detector.detect(frame, found).err().map(|fault| fault.cause.to_string());
    let misbehaved = (detector.nonsense() > before).then(|| detector.last_nonsense());
    Look { misbehaved, ..look(balls, clutter, found, fault) }
}

/// Judges the answer of one detector to one frame.
pub fn look(
    balls: &[Ball],
    clutter: &[Circle],
    found: &[Detection],
    fault: Option<String>,
) -> Look {
    let targets: Vec<Target> = balls
        .iter()
        .map(|&Ball { truth: t, ignored, gate, radius_gate, .. }| Target {
            circle: Circle { x: t.x, y: t.y, radius: t.radius },
            gate,
            radius_gate,
            ignored,
        })
        .collect();
    let circle = |d: &Detection| Circle { x: d.x, y: d.y, radius: d.radius };
    let circles: Vec<Circle> = found.iter().map(circle).collect();
    let matched = matching(&targets, clutter, &circles);
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
    let wrong = |&d: &usize| Wrong { circle: circles[d], score: found[d].score };
    Look {
        hits: balls.iter().zip(&matched.of_ball).map(hit).collect(),
        false_positives: matched.false_positives.len() as u32,
        on_clutter: matched.on_clutter as u32,
        wrong: matched.false_positives.iter().take(KEPT).map(wrong).collect(),
        fault,
        misbehaved: None,
    }
}
