//! The driver: films every segment once, or reads its pictures, and shows each frame to all
//! detectors.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use plumbline_plugin_api::{Circle, Covariance, Detection, Detections, Frame, PixelFormat};
use rayon::prelude::*;

use super::{
    bound::{Bound, bound},
    footage::{Answers, Footage, Shot},
    matching::{Target, gate, matching},
    plan::Plan,
};
use crate::{
    picture_file,
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
            let config = plan.scene(&scenes[s], k);
            let segment = segment(&config, frames, plan.radius_error, &mut cast(s)?)?;
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

/// Shows pictures to all detectors, and beside their answers takes those of other programs.
/// As [`film`] otherwise; the numbers of `cast` are those of `footage`.
///
/// # Errors
///
/// [`FilmError`].
pub fn show(
    footage: &[Footage],
    cast: &Cast<'_>,
    answers: &[Answers],
    done: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Filmed>, FilmError> {
    let segments = |group: &Footage| group.shots.len().div_ceil(group.segment_length());
    let jobs: Vec<(usize, usize)> =
        (0..footage.len()).flat_map(|g| (0..segments(&footage[g])).map(move |k| (g, k))).collect();
    let results = jobs
        .par_iter()
        .map(|&(g, k)| {
            let length = footage[g].segment_length();
            let shots = footage[g].shots.chunks(length).nth(k).unwrap_or_default();
            let segment = pictures(&footage[g].dir, shots, k * length, &mut cast(g)?, answers)?;
            done(segment.len() as u64);
            Ok((g, segment))
        })
        .collect::<Result<Vec<_>, FilmError>>()?;
    let mut filmed: Vec<Filmed> = footage
        .iter()
        .map(|footage| Filmed {
            subject: Subject::Pictures(footage.clone()),
            segments: Vec::new(),
            times: Vec::new(),
        })
        .collect();
    for (g, segment) in results {
        filmed[g].segments.push(segment);
    }
    Ok(filmed)
}

/// A segment: `shots` from number `first` on.
fn pictures(
    dir: &Path,
    shots: &[Shot],
    first: usize,
    detectors: &mut [Detector],
    answers: &[Answers],
) -> Result<Vec<FrameResult>, FilmError> {
    let mut found = Detections::new();
    let mut results = Vec::with_capacity(shots.len());
    for (shot, n) in shots.iter().zip(first..) {
        let mut looks = Vec::with_capacity(detectors.len() + answers.len());
        if !detectors.is_empty() {
            let picture = open(&dir.join(&shot.file))?;
            for detector in detectors.iter_mut() {
                let fault = detector.detect(&picture.frame(n as u64), &mut found).err();
                let fault = fault.map(|f| format!("{}: {f}", shot.file));
                looks.push(look(&shot.balls, &shot.clutter, &found, fault));
            }
        }
        looks.extend(answers.iter().map(|answers| match answers.to(shot) {
            Ok(found) => look(&shot.balls, &shot.clutter, found, None),
            Err(why) => {
                let fault = Some(format!("{}: {why}", shot.file));
                look(&shot.balls, &shot.clutter, &[], fault)
            }
        }));
        results.push(FrameResult { balls: shot.balls.clone(), looks });
    }
    Ok(results)
}

/// A picture from a file.
pub struct Opened {
    data: Vec<u8>,
    size: [u32; 2],
    format: PixelFormat,
}

impl Opened {
    /// The picture as detectors get it.
    pub fn frame(&self, id: u64) -> Frame<'_> {
        let [width, height] = self.size;
        Frame::packed(&self.data, width, height, self.format)
            .expect("the pixels are those of a picture of this size")
            .with_id(id)
    }
}

/// Reads a picture.
///
/// # Errors
///
/// [`FilmError::Picture`].
pub fn open(path: &Path) -> Result<Opened, FilmError> {
    let error = |why: String| FilmError::Picture { path: path.to_owned(), why };
    let image = picture_file::read(path).map_err(|why| error(picture_file::reason(&why)))?;
    let (data, format) = picture_file::pixels(&image);
    let size = [image.width(), image.height()];
    // Also what detectors do not get, like a picture without any pixels.
    Frame::packed(&data, size[0], size[1], format).map_err(|why| error(why.to_string()))?;
    Ok(Opened { data, size, format })
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
                let fault = detector.detect(&scene.frame(), &mut found).err();
                look(&balls, &scene.truth().clutter, &found, fault.map(|f| f.to_string()))
            })
            .collect();
        results.push(FrameResult { balls, looks });
    }
    Ok(results)
}

fn balls(config: &SceneConfig, truth: &Truth, radius_error: f64) -> Vec<Ball> {
    let balls = truth.balls.iter().enumerate();
    balls
        .map(|(n, ball)| Ball {
            truth: *ball,
            ignored: ball.visible.min(ball.visible_arc) < LEAST_VISIBLE,
            gate: gate(ball.radius),
            radius_gate: radius_error * ball.radius,
            bound: bound(config, truth, n),
        })
        .collect()
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
        .map(|&Ball { truth: t, ignored, radius_gate, .. }| Target {
            circle: Circle { x: t.x, y: t.y, radius: t.radius },
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
    }
}

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
