//! Everything that a run found out, for programs.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Answers, Metrics, Overall, Pair, Plan, Requirements, Unmet,
    compare::{Margins, compare},
    film::{Filmed, LEAST_VISIBLE, Subject},
    footage::Footage,
    interval::RESAMPLES,
    timing::TIMED_FRAMES,
};
use crate::scene::SceneConfig;

/// The result of a run; `--json` and `summary.json`. Keys may be added, never
/// renamed within a schema number.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Version of this layout: 2.
    pub schema: u32,
    /// The command line.
    pub command: String,
    /// The seed.
    pub seed: u64,
    /// Frames per scene, or pictures in all.
    pub frames: u64,
    /// Frames per segment of a scene, the block of the bootstrap; those of pictures differ,
    /// see the scenes.
    pub segment_frames: u64,
    /// Resamples of the bootstrap.
    pub resamples: usize,
    /// Share of a ball's rim and area that must be visible for it to count.
    pub least_visible: f64,
    /// By which share of its radius that of a find may be off; `None` for any.
    pub max_radius_error: Option<f64>,
    /// Frames on which the detectors were timed, at most.
    pub timed_frames: u64,
    /// Differences between detectors that do not matter.
    pub margins: Margins,
    /// The detectors.
    pub detectors: Vec<DetectorInfo>,
    /// The scenes.
    pub scenes: Vec<SceneSummary>,
    /// What every detector did in all of them.
    pub overall: Vec<Overall>,
    /// Thresholds that the user set.
    pub required: Requirements,
    /// Those that were not met.
    pub unmet: Vec<Unmet>,
}

/// A detector that took part.
#[derive(Debug, Clone, Serialize)]
pub struct DetectorInfo {
    /// Its name in this run: the declared one, followed by the settings it was chosen with.
    pub name: String,
    /// The declared name; empty for another program.
    pub plugin: String,
    /// How the user chose it.
    pub argument: String,
    /// Its version; empty for another program.
    pub version: String,
    /// Where its answers are from; `None` for a plugin, which was asked.
    pub answers: Option<String>,
    /// How many pictures the answers speak of; `None` for a plugin.
    pub answered: Option<u64>,
    /// What the user set, in `[plugin.<name>]` or behind the name.
    pub config: Map<String, Value>,
    /// All its settings: that over the plugin's defaults. What it was told about the radius
    /// lies over these.
    pub settings: Map<String, Value>,
    /// Keys without a value, and what they mean: the detector chooses.
    pub unset: Map<String, Value>,
    /// What it was told about the radius, scene by scene; nothing for another program.
    pub radius_hint: Vec<Map<String, Value>>,
}

/// One scene.
#[derive(Debug, Clone, Serialize)]
pub struct SceneSummary {
    /// The preset's name, or what the pictures are called.
    pub name: String,
    /// The preset in a sentence, or how many pictures there are.
    pub description: String,
    /// What was filmed otherwise than the preset says: dotted keys of `[scene]`.
    pub changes: Map<String, Value>,
    /// The whole configuration of the scene; `None` for pictures.
    pub config: Option<SceneConfig>,
    /// Where the pictures are; `None` for a scene.
    pub pictures: Option<String>,
    /// Frames per segment, the block of the bootstrap; the last may have fewer.
    pub segment_frames: usize,
    /// Balls that count and have a bound.
    pub known_bounds: usize,
    /// What every detector did.
    pub detectors: Vec<Metrics>,
    /// Every detector against every one before it.
    pub pairs: Vec<Pair>,
}

impl DetectorInfo {
    /// Another program, of which only the answers are known.
    pub fn of_answers(answers: &Answers) -> Self {
        let Answers { name, path, .. } = answers;
        Self {
            name: name.clone(),
            plugin: String::new(),
            argument: format!("{name}={}", path.display()),
            version: String::new(),
            answers: Some(path.display().to_string()),
            answered: Some(answers.count()),
            config: Map::new(),
            settings: Map::new(),
            unset: Map::new(),
            radius_hint: Vec::new(),
        }
    }
}

impl SceneSummary {
    /// What the detectors with these names did in a scene.
    pub fn of(filmed: &Filmed, names: &[String], margins: Margins, seed: u64) -> Self {
        let detectors = names.iter().enumerate();
        let pairs = (0..names.len())
            .flat_map(|r| (r + 1..names.len()).map(move |c| (c, r)))
            .map(|(c, r)| compare(filmed, (c, &names[c]), (r, &names[r]), margins, seed))
            .collect();
        let balls = filmed.segments.iter().flatten().flat_map(|frame| &frame.balls);
        let (description, changes, config, pictures) = match &filmed.subject {
            Subject::Scene(config) => {
                let config = config.as_ref().clone();
                (config.preset.description().to_owned(), config.changes(), Some(config), None)
            }
            Subject::Pictures(Footage { dir, shots, .. }) => {
                let description = match shots.len() {
                    1 => format!("1 picture in {}", dir.display()),
                    n => format!("{n} pictures in {}", dir.display()),
                };
                (description, Map::new(), None, Some(dir.display().to_string()))
            }
        };
        Self {
            name: filmed.subject.name().to_owned(),
            description,
            changes,
            config,
            pictures,
            segment_frames: filmed.segments.first().map_or(0, Vec::len),
            known_bounds: balls.filter(|ball| !ball.ignored && ball.bound.is_some()).count(),
            detectors: detectors.map(|(d, name)| Metrics::of(filmed, d, name, seed)).collect(),
            pairs,
        }
    }

    /// The scene in a sentence: the preset, and what is otherwise.
    pub fn sentence(&self) -> String {
        let changes = self.changes.iter().map(|(key, value)| format!("{key} = {value}"));
        let changes: Vec<String> = changes.collect();
        match changes.as_slice() {
            [] => self.description.clone(),
            changes => format!("{}; but {}", self.description, changes.join(", ")),
        }
    }

    /// How many balls do not count, and why; empty when all do.
    pub fn left_out(&self) -> String {
        match self.detectors.first().map_or(0, |m| m.ignored) {
            0 => String::new(),
            1 => "1 ball that is too little visible does not count".to_owned(),
            n => format!("{n} balls that are too little visible do not count"),
        }
    }

    /// How `challenger` compares with the first detector.
    pub fn against_first(&self, challenger: &str) -> Option<&Pair> {
        let first = &self.detectors.first()?.detector;
        self.pairs.iter().find(|p| p.challenger == challenger && p.reference == *first)
    }
}

impl Summary {
    /// Where the pictures are; `None` when scenes were filmed.
    pub fn pictures(&self) -> Option<&str> {
        self.scenes.first()?.pictures.as_deref()
    }

    /// Which programs answered to some of the pictures only.
    pub fn silence(&self) -> Vec<String> {
        let fewer = |d: &&DetectorInfo| d.answered.is_some_and(|n| n < self.frames);
        let text = |d: &DetectorInfo| {
            format!(
                "{} answered to {} of {} pictures; in the others it counts as having found nothing",
                d.name,
                d.answered.unwrap_or_default(),
                self.frames
            )
        };
        self.detectors.iter().filter(fewer).map(text).collect()
    }

    /// Whether all errors may be those of labels by hand: no ball in a picture has a bound.
    pub fn labelled(&self) -> bool {
        let balls = |scene: &SceneSummary| scene.detectors.iter().any(|m| m.balls > 0);
        self.pictures().is_some()
            && self.scenes.iter().any(balls)
            && self.scenes.iter().all(|scene| scene.known_bounds == 0)
    }

    /// The detectors that failed on every frame.
    pub fn mute(&self) -> Vec<&str> {
        let failed =
            |d: usize| self.scenes.iter().all(|s| s.detectors[d].faults == s.detectors[d].frames);
        let detectors = self.detectors.iter().enumerate();
        detectors.filter(|(d, _)| failed(*d)).map(|(_, info)| info.name.as_str()).collect()
    }

    /// The summary of a run.
    pub fn of(
        plan: &Plan,
        filmed: &[Filmed],
        detectors: Vec<DetectorInfo>,
        margins: Margins,
    ) -> Self {
        let names: Vec<String> = detectors.iter().map(|d| d.name.clone()).collect();
        let scenes: Vec<SceneSummary> =
            filmed.iter().map(|f| SceneSummary::of(f, &names, margins, plan.seed)).collect();
        let overall = names.iter().enumerate().map(|(d, name)| Overall::of(&scenes, d, name));
        Self {
            schema: 2,
            command: String::new(),
            seed: plan.seed,
            frames: plan.frames,
            segment_frames: plan.segment_frames(),
            resamples: RESAMPLES,
            least_visible: LEAST_VISIBLE,
            max_radius_error: None,
            timed_frames: TIMED_FRAMES,
            margins,
            detectors,
            overall: overall.collect(),
            scenes,
            required: Requirements::default(),
            unmet: Vec::new(),
        }
    }
}
