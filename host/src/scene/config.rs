//! `[scene]` of the configuration.
//!
//! A preset is a set of values under the keys that the user wrote: reading
//! `[scene]` lays the written keys over the preset's, and these over the
//! defaults. What is read is therefore complete, and code may set any field.

use plumbline_plugin_api::PixelFormat;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Map, Value};

use super::{
    degradation::{
        Background, Clutter, Exposure, Lens, Noise, Occlusion, Shading, Shutter, Surface,
    },
    preset::Preset,
};

/// `[scene]`: what is filmed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[schemars(rename = "SceneConfig")]
pub struct SceneConfig {
    /// Where the values come from that are not given here.
    pub preset: Preset,
    /// Columns, in pixels.
    #[schemars(range(min = 64, max = 8192))]
    pub width: u32,
    /// Rows, in pixels.
    #[schemars(range(min = 64, max = 8192))]
    pub height: u32,
    /// How pixels are stored. Colours become grey as 0.114 B + 0.587 G + 0.299 R (Rec. 601).
    pub format: Format,
    /// Frames a second; 0 means as fast as the pipeline goes.
    #[schemars(range(min = 0, max = 10000))]
    pub fps: f64,
    /// Same seed, same frames, byte for byte, on every machine.
    pub seed: u64,
    /// The ball.
    pub ball: BallConfig,
    /// What is behind the ball.
    pub background: Background,
    /// Circles that are not the ball.
    pub clutter: Clutter,
    /// What hides the ball.
    pub occlusion: Occlusion,
    /// Uneven illumination of the picture.
    pub shading: Shading,
    /// Uneven brightness of the ball itself.
    pub surface: Surface,
    /// Defocus, perspective and distortion.
    pub lens: Lens,
    /// Motion blur and rolling shutter.
    pub shutter: Shutter,
    /// Gain, offset and gamma.
    pub exposure: Exposure,
    /// Noise.
    pub noise: Noise,
    /// Which keys the user wrote; another preset is laid under these.
    #[serde(skip)]
    pub written: Written,
}

/// The keys of `[scene]` that were written, with their tables. It says where
/// values came from and not what they are, so two of them are always equal.
#[derive(Debug, Clone, Default)]
pub struct Written(Map<String, Value>);

impl PartialEq for Written {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// How pixels are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// One byte a pixel.
    Gray8,
    /// Three bytes a pixel: blue, green, red.
    #[default]
    Bgr8,
}

impl From<Format> for PixelFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Gray8 => Self::GRAY8,
            Format::Bgr8 => Self::BGR8,
        }
    }
}

/// `[scene.ball]`: the ball, or several of them; the first one is scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BallConfig {
    /// How many balls there are. They pass each other; of two the one with the
    /// lower number is in front, so the first one is in front of all.
    #[schemars(range(min = 1, max = 100))]
    pub count: u32,
    /// Radius in pixels.
    #[schemars(range(min = 0.5, max = 4096))]
    pub radius: f64,
    /// Radius of the other balls, least and greatest, in pixels; each has its
    /// own, uniform between them.
    pub other_radius: [f64; 2],
    /// Contrast of the other balls as a share of the first one's, least and
    /// greatest; each has its own, uniform between them. Below 1 the first ball
    /// stands out where they overlap.
    pub other_contrast: [f64; 2],
    /// Amplitude of a change of the radius in time, as a share of it:
    /// r(n) = radius (1 + pulse sin(2 pi n / `pulse_period`)) in frame n. All
    /// balls swell together; the walls are those of the greatest radius.
    #[schemars(range(min = 0, max = 0.9))]
    pub pulse: f64,
    /// Period of that change, in frames.
    #[schemars(range(min = 2, max = 1e6))]
    pub pulse_period: f64,
    /// Least and greatest speed in pixels per frame; a new one, uniform between
    /// them, is drawn at every bounce.
    pub speed: [f64; 2],
    /// Greatest deviation of a bounce from the mirrored direction, in degrees;
    /// uniform to either side. At least a fifth of the speed leads away from
    /// the wall, so that no ball creeps along one.
    #[schemars(range(min = 0, max = 180))]
    pub turn: f64,
    /// Where the first ball starts, x and y in pixels; `"anywhere"` draws a place.
    #[serde(with = "start")]
    #[schemars(with = "start::Start")]
    pub start: Option<[f64; 2]>,
    /// Share of the diameter by which the ball may leave the canvas.
    #[schemars(range(min = 0, max = 0.95))]
    pub overhang: f64,
    /// Colour: blue, green, red; grey levels of the linear camera.
    pub color: [f64; 3],
    /// Contrast: 1 draws `color`, 0 the background's colour, values between mix
    /// them. The polarity follows from the two colours.
    #[schemars(range(min = 0, max = 1))]
    pub contrast: f64,
    /// How the ball moves.
    pub motion: Motion,
    /// How the ball's rim is drawn.
    pub edge: Edge,
}

/// `ball.start`: a place, or `"anywhere"`, so that a preset's place can be taken back.
mod start {
    use super::{Deserialize, Deserializer, JsonSchema, Serialize, Serializer};

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(untagged, expecting = "two numbers, x and y, or \"anywhere\"")]
    pub(super) enum Start {
        At([f64; 2]),
        Anywhere(Anywhere),
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case")]
    pub(super) enum Anywhere {
        Anywhere,
    }

    #[allow(clippy::ref_option, reason = "the form that serde asks for")]
    pub(super) fn serialize<S: Serializer>(at: &Option<[f64; 2]>, s: S) -> Result<S::Ok, S::Error> {
        at.map_or(Start::Anywhere(Anywhere::Anywhere), Start::At).serialize(s)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<[f64; 2]>, D::Error> {
        Ok(match Start::deserialize(d)? {
            Start::At(place) => Some(place),
            Start::Anywhere(_) => None,
        })
    }
}

/// How a ball moves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Motion {
    /// Sub-pixel positions; bounces with a random direction and speed.
    #[default]
    Continuous,
    /// Whole pixels; at a wall that axis' speed is drawn from {1, 2, 3, 4}.
    WholePixels,
}

/// How a ball's rim is drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Edge {
    /// Every pixel gets the share of its area that the ball covers.
    #[default]
    Area,
    /// A pixel belongs to the ball when its centre does.
    Hard,
}

impl Default for SceneConfig {
    fn default() -> Self {
        Self {
            preset: Preset::Clean,
            width: 640,
            height: 480,
            format: Format::Bgr8,
            fps: 60.0,
            seed: 1,
            ball: BallConfig::default(),
            background: Background::default(),
            clutter: Clutter::default(),
            occlusion: Occlusion::default(),
            shading: Shading::default(),
            surface: Surface::default(),
            lens: Lens::default(),
            shutter: Shutter::default(),
            exposure: Exposure::default(),
            noise: Noise::default(),
            written: Written::default(),
        }
    }
}

impl Default for BallConfig {
    fn default() -> Self {
        Self {
            count: 1,
            radius: 24.0,
            other_radius: [12.0, 30.0],
            other_contrast: [0.4, 0.75],
            pulse: 0.0,
            pulse_period: 120.0,
            speed: [2.0, 7.0],
            turn: 35.0,
            start: None,
            overhang: 0.0,
            color: [40.0, 150.0, 245.0],
            contrast: 1.0,
            motion: Motion::Continuous,
            edge: Edge::Area,
        }
    }
}

impl SceneConfig {
    /// The same choices over another preset: every key that was written is
    /// kept, and every value in which `self` differs from its own preset.
    ///
    /// ```
    /// use plumbline_host::scene::{Preset, SceneConfig};
    ///
    /// let mine = SceneConfig { seed: 7, ..SceneConfig::default() };
    /// let noisy = mine.with_preset(Preset::Noisy);
    /// assert_eq!((noisy.seed, noisy.noise), (7, Preset::Noisy.config().noise));
    /// ```
    #[must_use]
    pub fn with_preset(&self, preset: Preset) -> Self {
        let mine = object(self);
        let mut own = self.preset.on(self.width, self.height);
        if self.lens.focal == self.preset.config().lens.focal {
            // Code that set nothing but the size did not choose it either.
            own.lens.focal = self.lens.focal;
        }
        let canvas = self.preset.config();
        (own.width, own.height) = (canvas.width, canvas.height);
        let mut changed = difference(&mine, &object(&own));
        overlay(&mut changed, picked(&mine, &self.written.0));
        let mut merged = laid_under(preset, &changed);
        overlay(&mut merged, changed);
        merged.insert("preset".into(), Value::from(preset.name()));
        // Both sides were made from valid values of the same types.
        let config = Self::deserialize(Value::Object(merged)).unwrap_or_else(|_| preset.config());
        Self { written: self.written.clone(), ..config }
    }

    /// What differs from the preset, but for the seed: dotted keys and their values.
    ///
    /// ```
    /// use plumbline_host::scene::{Preset, SceneConfig};
    ///
    /// let mut mine = Preset::Crowded.on(640, 360);
    /// mine.ball.count = 12;
    /// let changes: Vec<String> =
    ///     mine.changes().into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
    /// assert_eq!(changes, ["ball.count = 12", "height = 360"]);
    /// ```
    pub fn changes(&self) -> Map<String, Value> {
        let canvas = self.preset.config();
        let Self { width, height, .. } = canvas;
        let plain = Self { width, height, ..self.preset.on(self.width, self.height) };
        let mut changes = Map::new();
        flatten("", difference(&object(self), &object(&plain)), &mut changes);
        changes.remove("seed");
        changes
    }
}

/// The values of nested tables under dotted keys.
fn flatten(prefix: &str, table: Map<String, Value>, flat: &mut Map<String, Value>) {
    for (key, value) in table {
        let key = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        match value {
            Value::Object(inner) => flatten(&key, inner, flat),
            value => _ = flat.insert(key, value),
        }
    }
}

impl<'de> Deserialize<'de> for SceneConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Map::deserialize(deserializer)?;
        let preset = match given.get("preset") {
            Some(name) => Preset::deserialize(name).map_err(D::Error::custom)?,
            None => Preset::Clean,
        };
        let mut merged = laid_under(preset, &given);
        overlay(&mut merged, given.clone());
        let mut config = Self::deserialize(Value::Object(merged)).map_err(D::Error::custom)?;
        config.written.0 = given;
        config.written.0.remove("preset");
        Ok(config)
    }
}

impl Serialize for SceneConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// The preset on the canvas that `keys` ask for, or its own.
fn laid_under(preset: Preset, keys: &Map<String, Value>) -> Map<String, Value> {
    let own = preset.config();
    let size = |key: &str, own: u32| {
        let asked = keys.get(key).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
        // What is no size is refused with its place when the table is read.
        asked.unwrap_or(own)
    };
    object(&preset.on(size("width", own.width), size("height", own.height)))
}

fn object(config: &SceneConfig) -> Map<String, Value> {
    match serde_json::to_value(config) {
        Ok(Value::Object(map)) => map,
        // A struct of plain values always becomes an object.
        _ => Map::new(),
    }
}

/// Lays `top` over `base`, table by table.
fn overlay(base: &mut Map<String, Value>, top: Map<String, Value>) {
    for (key, value) in top {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => overlay(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// The values of `of` under the keys of `keys`, table by table.
fn picked(of: &Map<String, Value>, keys: &Map<String, Value>) -> Map<String, Value> {
    keys.iter()
        .filter_map(|(key, below)| match (of.get(key)?, below) {
            (Value::Object(a), Value::Object(b)) => {
                Some((key.clone(), Value::Object(picked(a, b))))
            }
            (value, _) => Some((key.clone(), value.clone())),
        })
        .collect()
}

/// What `new` says otherwise than `old`, table by table.
fn difference(new: &Map<String, Value>, old: &Map<String, Value>) -> Map<String, Value> {
    new.iter()
        .filter_map(|(key, value)| match (value, old.get(key)) {
            (Value::Object(a), Some(Value::Object(b))) => {
                let inner = difference(a, b);
                (!inner.is_empty()).then(|| (key.clone(), Value::Object(inner)))
            }
            (a, b) => (Some(a) != b).then(|| (key.clone(), a.clone())),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> SceneConfig {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn nothing_written_is_the_default() {
        assert_eq!(read(""), SceneConfig::default());
    }

    #[test]
    fn a_written_key_wins_over_the_preset_even_with_the_default_value() {
        let preset = Preset::SeedCompat.config();
        assert_eq!(read("preset = 'seed-compat'"), preset);
        let both = read("preset = 'seed-compat'\nwidth = 640\n[ball]\nradius = 24.0");
        assert_eq!((both.width, both.height), (640, preset.height));
        assert_eq!((both.ball.radius, both.ball.edge), (24.0, Edge::Hard));
    }

    #[test]
    fn what_is_written_is_read_back() {
        for preset in Preset::ALL {
            let config = SceneConfig { seed: 9, ..preset.config() };
            let text = toml::to_string(&config).unwrap();
            assert_eq!(read(&text), config, "{text}");
        }
    }

    #[test]
    fn the_place_of_a_preset_can_be_taken_back() {
        let compat = Preset::SeedCompat.config();
        let anywhere = read("preset = 'seed-compat'\n[ball]\nstart = 'anywhere'");
        assert_eq!((compat.ball.start.is_some(), anywhere.ball.start), (true, None));
        assert_eq!(anywhere.changes()["ball.start"], "anywhere");
        assert_eq!(anywhere.with_preset(Preset::SeedCompat), anywhere);
        for wrong in ["'nowhere'", "[1]", "3"] {
            let error =
                toml::from_str::<SceneConfig>(&format!("[ball]\nstart = {wrong}")).unwrap_err();
            assert!(error.to_string().contains("two numbers, x and y, or \"anywhere\""), "{error}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let error = toml::from_str::<SceneConfig>("[ball]\nradios = 3").unwrap_err();
        assert!(error.to_string().contains("radios"), "{error}");
        assert!(toml::from_str::<SceneConfig>("preset = 'cleen'").is_err());
    }

    #[test]
    fn another_preset_keeps_what_was_chosen() {
        let mine = read("preset = 'small'\nseed = 5\n[noise]\ngaussian = 3.5");
        let other = mine.with_preset(Preset::Lens);
        let plain = Preset::Lens.config();
        assert_eq!((other.seed, other.noise.gaussian), (5, 3.5));
        assert_eq!((other.ball, other.preset), (plain.ball, Preset::Lens));
    }

    #[test]
    fn what_was_written_is_kept_also_where_it_is_the_default() {
        let mut quiet = read("[noise]\ngaussian = 0\n[lens]\ndefocus = 0");
        quiet.seed = 8;
        let noisy = quiet.with_preset(Preset::Noisy).with_preset(Preset::Noisy);
        assert_eq!((noisy.noise.gaussian, noisy.lens.defocus, noisy.seed), (0.0, 0.0, 8));
        assert_eq!(noisy.noise.shot, Preset::Noisy.config().noise.shot);
        let compat = read("width = 640").with_preset(Preset::SeedCompat);
        assert_eq!((compat.width, compat.height), (640, 400));
    }

    #[test]
    fn the_lens_does_the_same_on_a_canvas_of_another_size() {
        let plain = Preset::Lens.config().lens.focal;
        assert_eq!(read("preset = 'lens'").lens.focal, plain);
        let large = read("preset = 'lens'\nwidth = 1920\nheight = 1440");
        assert!((large.lens.focal / plain - 3.0).abs() < 1e-12, "{}", large.lens.focal);
        assert_eq!(large.ball.radius, Preset::Lens.config().ball.radius);
        // From any preset, read or made by code, to any other.
        let clean = read("width = 1920\nheight = 1440");
        let code = SceneConfig { width: 1920, height: 1440, ..SceneConfig::default() };
        for config in [&large, &clean, &code] {
            assert_eq!(config.with_preset(Preset::Lens).lens.focal, large.lens.focal);
        }
        assert!((clean.lens.focal / 1800.0 - 1.0).abs() < 1e-12);
        // What was written stays.
        let mine = read("preset = 'lens'\nwidth = 1920\nheight = 1440\n[lens]\nfocal = 420");
        assert_eq!((mine.lens.focal, mine.with_preset(Preset::Clean).lens.focal), (420.0, 420.0));
        assert_eq!(read("preset = 'lens'\nwidth = 64\nheight = 64").lens.focal, 50.0);
    }

    #[test]
    fn the_schema_is_that_of_the_table() {
        let schema = serde_json::to_value(schemars::schema_for!(SceneConfig)).unwrap();
        assert_eq!(schema["properties"]["width"]["maximum"], 8192);
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["title"], "SceneConfig");
    }
}
