//! The named scenes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    config::{BallConfig, Edge, Motion, SceneConfig},
    degradation::{
        Background, Clutter, Exposure, FOCAL_RANGE, Lens, Noise, Occlusion, Shading, Shutter,
        Surface, Texture,
    },
};

/// A named scene.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// One ball on a dark ground, nothing else.
    #[default]
    Clean,
    /// The numbers of the original system: 400 x 400, whole pixels, no anti-aliasing.
    SeedCompat,
    /// Shot noise, read noise, salt and pepper.
    Noisy,
    /// Few photo-electrons, a low contrast and a tone curve.
    LowLight,
    /// Uneven light on the picture and on the ball, with a highlight.
    Shaded,
    /// Bars in front of the ball, and the canvas' edge.
    Occluded,
    /// A textured ground with circles that are not the ball.
    Clutter,
    /// A fast ball, a long exposure and a rolling shutter.
    Motion,
    /// A ball of 3 to 6 pixels that changes its size.
    Small,
    /// Eight balls at once.
    Crowded,
    /// The perspective image of a sphere through a distorting lens, out of focus.
    Lens,
    /// All of the others, one after the other, 60 frames each.
    Gauntlet,
}

impl Preset {
    /// Every preset, in the order of the documentation.
    pub const ALL: [Self; 12] = [
        Self::Clean,
        Self::SeedCompat,
        Self::Noisy,
        Self::LowLight,
        Self::Shaded,
        Self::Occluded,
        Self::Clutter,
        Self::Motion,
        Self::Small,
        Self::Crowded,
        Self::Lens,
        Self::Gauntlet,
    ];

    /// The name in `config.toml` and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::SeedCompat => "seed-compat",
            Self::Noisy => "noisy",
            Self::LowLight => "low-light",
            Self::Shaded => "shaded",
            Self::Occluded => "occluded",
            Self::Clutter => "clutter",
            Self::Motion => "motion",
            Self::Small => "small",
            Self::Crowded => "crowded",
            Self::Lens => "lens",
            Self::Gauntlet => "gauntlet",
        }
    }

    /// One line for people.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Clean => "one ball on a dark ground, nothing else",
            Self::SeedCompat => {
                "the numbers of the original system: 400 x 400, whole pixels, no anti-aliasing"
            }
            Self::Noisy => "shot noise, read noise, salt and pepper",
            Self::LowLight => "few photo-electrons, a low contrast and a tone curve",
            Self::Shaded => "uneven light on the picture and on the ball, with a highlight",
            Self::Occluded => "bars in front of the ball, and the canvas' edge",
            Self::Clutter => "a textured ground with circles that are not the ball",
            Self::Motion => "a fast ball, a long exposure and a rolling shutter",
            Self::Small => "a ball of 3 to 6 pixels that changes its size",
            Self::Crowded => "eight balls at once",
            Self::Lens => "a sphere in perspective through a distorting lens, out of focus",
            Self::Gauntlet => "all of the others, one after the other, 60 frames each",
        }
    }

    /// The preset with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }

    /// The preset on a canvas of another size. The focal length goes with the
    /// diagonal, so that the lens does the same to the picture; a ball and
    /// everything else that is given in pixels keeps its size.
    pub fn on(self, width: u32, height: u32) -> SceneConfig {
        let base = self.config();
        let diagonal = |w: u32, h: u32| {
            let (w, h) = (f64::from(w), f64::from(h));
            (w * w + h * h).sqrt()
        };
        let focal = base.lens.focal * diagonal(width, height) / diagonal(base.width, base.height);
        let [least, most] = FOCAL_RANGE;
        let lens = Lens { focal: focal.clamp(least, most), ..base.lens };
        SceneConfig { width, height, lens, ..base }
    }

    /// The scene that the preset stands for, on its own canvas.
    pub fn config(self) -> SceneConfig {
        let base = SceneConfig { preset: self, ..SceneConfig::default() };
        let ball = BallConfig::default();
        match self {
            Self::Clean | Self::Gauntlet => base,
            Self::SeedCompat => SceneConfig {
                width: 400,
                height: 400,
                fps: 20.0,
                ball: BallConfig {
                    radius: 20.0,
                    speed: [2.0, 2.0],
                    start: Some([280.0, 60.0]),
                    color: [255.0, 0.0, 0.0],
                    motion: Motion::WholePixels,
                    edge: Edge::Hard,
                    ..ball
                },
                background: Background { color: [0.0; 3], ..Background::default() },
                ..base
            },
            Self::Noisy => SceneConfig {
                lens: Lens { defocus: 0.7, ..Lens::default() },
                noise: Noise { gaussian: 6.0, shot: 0.4, salt_pepper: 0.002 },
                ..base
            },
            Self::LowLight => SceneConfig {
                ball: BallConfig { contrast: 0.28, ..ball },
                lens: Lens { defocus: 0.9, ..Lens::default() },
                exposure: Exposure { gain: 0.5, black: 2.0, gamma: 2.2 },
                noise: Noise { gaussian: 0.8, shot: 0.12, ..Noise::default() },
                ..base
            },
            Self::Shaded => SceneConfig {
                ball: BallConfig { radius: 40.0, color: [50.0, 140.0, 190.0], ..ball },
                background: Background { color: [60.0, 60.0, 60.0], ..Background::default() },
                shading: Shading { linear: 0.35, angle: 25.0, radial: 0.3 },
                surface: Surface { linear: 0.3, limb: 0.1, highlight: 120.0, ..Surface::default() },
                lens: Lens { defocus: 0.7, ..Lens::default() },
                noise: Noise { gaussian: 2.0, ..Noise::default() },
                ..base
            },
            Self::Occluded => SceneConfig {
                ball: BallConfig { radius: 32.0, overhang: 0.15, ..ball },
                occlusion: Occlusion { bars: 5, ..Occlusion::default() },
                lens: Lens { defocus: 0.7, ..Lens::default() },
                noise: Noise { gaussian: 2.0, ..Noise::default() },
                ..base
            },
            Self::Clutter => SceneConfig {
                background: Background {
                    color: [80.0, 76.0, 70.0],
                    texture: Texture::Clouds,
                    amplitude: 45.0,
                    scale: 64.0,
                },
                clutter: Clutter { count: 16, radius: [6.0, 48.0], ..Clutter::default() },
                lens: Lens { defocus: 0.7, ..Lens::default() },
                noise: Noise { gaussian: 2.0, ..Noise::default() },
                ..base
            },
            Self::Motion => SceneConfig {
                ball: BallConfig { speed: [12.0, 24.0], ..ball },
                shutter: Shutter { open: 0.5, readout: 0.8 },
                lens: Lens { defocus: 0.7, ..Lens::default() },
                noise: Noise { gaussian: 2.0, ..Noise::default() },
                ..base
            },
            Self::Small => SceneConfig {
                ball: BallConfig { radius: 4.5, pulse: 0.33, ..ball },
                lens: Lens { defocus: 0.6, ..Lens::default() },
                noise: Noise { gaussian: 2.0, ..Noise::default() },
                ..base
            },
            Self::Crowded => SceneConfig {
                ball: BallConfig { count: 8, ..ball },
                lens: Lens { defocus: 0.7, ..Lens::default() },
                noise: Noise { gaussian: 2.0, ..Noise::default() },
                ..base
            },
            Self::Lens => SceneConfig {
                ball: BallConfig { radius: 36.0, ..ball },
                lens: Lens {
                    defocus: 1.5,
                    focal: 420.0,
                    perspective: true,
                    k1: -0.18,
                    k2: 0.03,
                    p1: 0.002,
                    p2: -0.001,
                    ..Lens::default()
                },
                noise: Noise { gaussian: 2.0, ..Noise::default() },
                ..base
            },
        }
    }
}
