//! Settings, from `[plugin.hough-rust]` in `config.toml`.

use plumbline_plugin_api::{PluginError, prelude::*};

/// Which discs are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Polarity {
    /// Brighter than their surroundings.
    Bright,
    /// Darker than their surroundings.
    Dark,
    /// Either.
    #[default]
    Both,
}

impl Polarity {
    /// Whether a disc with this sign is wanted: 1 when it is brighter than its surroundings,
    /// -1 when it is darker.
    pub(crate) fn allows(self, sign: f32) -> bool {
        match self {
            Self::Both => true,
            Self::Bright => sign > 0.0,
            Self::Dark => sign < 0.0,
        }
    }
}

/// Settings of the detector.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Smallest radius that is looked for, in pixels.
    #[schemars(range(min = 2.0, max = 4096.0))]
    pub min_radius: f64,
    /// Largest radius that is looked for, in pixels; 0 for 0.6 of the picture's shorter side.
    /// With 0 a picture full of edges is also searched for pieces of rims, which finds more
    /// and takes longer; otherwise only when nothing or many discs were found. A picture in which
    /// nothing was found is searched a second time for what a coarser level shows.
    #[schemars(range(min = 0.0, max = 8192.0))]
    pub max_radius: f64,
    /// Which discs are looked for: brighter than their surroundings, darker, or both.
    pub polarity: Polarity,
    /// How many discs are reported, at most.
    #[schemars(range(min = 1, max = 4096))]
    pub max_circles: usize,
    /// Discs with a lower score are not reported. The score is the share of the
    /// directions that show the disc (nine in ten count as all), less for an oval, over
    /// 1 + five times the standard deviation of the centre in pixels. At least half of the
    /// directions must show it in any case, up to three quarters of them for a radius below
    /// 15, or 42 % where they are a circle's to 0.035 pixels; four fifths of that are enough
    /// of one that touches others of its size, or where the gaps between these show it, and with
    /// `tracking` of a disc that the last frame showed.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_score: f64,
    /// Look where the last answers should be first, and be content there with four fifths
    /// of the directions that a new disc must show, so that fewer come and go. The whole
    /// picture is searched when one of them is not there again, and for what is new: after
    /// one frame, then after twice as many each time that there is nothing new, up to 30.
    /// What is lost is looked for on its way for 10 frames more.
    pub tracking: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            min_radius: 6.0,
            max_radius: 0.0,
            polarity: Polarity::Both,
            max_circles: 256,
            min_score: 0.2,
            tracking: false,
        }
    }
}

impl Config {
    /// Checks what the schema cannot say.
    ///
    /// # Errors
    ///
    /// When the largest radius is below the smallest.
    pub fn check(&self) -> Result<(), PluginError> {
        if self.max_radius != 0.0 && self.max_radius < self.min_radius {
            return Err(PluginError::config(format!(
                "max_radius = {} is below min_radius = {}; use 0 for no limit",
                self.max_radius, self.min_radius
            )));
        }
        Ok(())
    }
}
