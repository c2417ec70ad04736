//! The degradations of a scene, one table each.
//!
//! # How a frame is formed
//!
//! Values are grey levels of an ideal linear camera: 0 is black, 255 the level
//! at which the 8-bit output saturates at gain 1. For every pixel p and every
//! channel, in this order:
//!
//! 1. **Radiance.** B(p): `[background]` with its texture and the `[clutter]`.
//! 2. **Objects.** Balls back to front, then bars and plate of `[occlusion]`. An
//!    object with colour C and coverage a(p) makes L = L + a (C - L). Its
//!    coverage is the exact integral over the pixel's area, over the point
//!    spread of the `[lens]` and over the exposure of the `[shutter]`.
//! 3. **Illumination.** L = L S(p) with the field of `[shading]`, constant
//!    within a pixel.
//! 4. **Exposure.** L = L gain, the signal on the sensor.
//! 5. **Noise.** Shot noise, then Gaussian read noise.
//! 6. **Tone.** Black level, gamma, clipping to 0..255, rounding to 8 bit.
//! 7. **Defects.** Salt and pepper replace finished pixels.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[scene.background]`: what is behind the ball.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Background {
    /// Colour: blue, green, red; grey levels of the linear camera.
    pub color: [f64; 3],
    /// What the background looks like.
    pub texture: Texture,
    /// Amplitude of the texture in grey levels: the background is
    /// `color` + amplitude t(p) with a pattern t between -1 and 1, and never below 0.
    #[schemars(range(min = 0, max = 255))]
    pub amplitude: f64,
    /// Size of the texture's features (period, cell), in pixels.
    #[schemars(range(min = 2, max = 4096))]
    pub scale: f64,
}

/// What a background looks like: the pattern t(p), sampled at pixel centres;
/// where it has edges, the mean of 4 x 4 points of a pixel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Texture {
    /// One level: t = 0.
    #[default]
    Flat,
    /// Clouds: 1.6 times four octaves of gradient noise (Perlin, "Improving
    /// noise", 2002), each with half the period and half the amplitude of the
    /// one before, clipped to -1..1. The first one has its lattice points
    /// `scale` pixels apart, and gradients whose components are uniform in -1..1.
    Clouds,
    /// Grain: independent values, uniform in -1..1, at points `scale` pixels
    /// apart in x and y, bilinearly interpolated between them.
    Grain,
    /// A sine wave in a random direction with the period `scale`.
    Waves,
    /// A chessboard, turned at random, with fields of `scale` pixels.
    Checker,
    /// Bricks: rows of rectangles of 2 `scale` by `scale`, every other row
    /// shifted by half a brick; each has a level of its own, uniform in 0..1,
    /// and the joints between them, a tenth of `scale` wide, have -1.
    Bricks,
}

impl Default for Background {
    fn default() -> Self {
        Self { color: [42.0, 32.0, 26.0], texture: Texture::Flat, amplitude: 30.0, scale: 48.0 }
    }
}

/// `[scene.clutter]`: circles that are not the ball, at rest behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Clutter {
    /// How many there are.
    #[schemars(range(min = 0, max = 1000))]
    pub count: u32,
    /// Least and greatest radius in pixels; uniform between them, but without
    /// the radii within 25 % of any that the first ball takes, so that it is
    /// never in doubt. The centres are anywhere on the canvas.
    pub radius: [f64; 2],
    /// Greatest contrast as a share of the ball's. Each circle has 60 % to 100 %
    /// of it, uniform, and either sign at random; what leaves 0..255 is clipped.
    #[schemars(range(min = 0, max = 1))]
    pub contrast: f64,
}

impl Default for Clutter {
    fn default() -> Self {
        Self { count: 0, radius: [5.0, 60.0], contrast: 0.5 }
    }
}

/// `[scene.occlusion]`: what hides the ball. (Its leaving the canvas is `ball.overhang`.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Occlusion {
    /// Bars across the canvas in front of the balls: their middle lines divide
    /// its extent across them evenly, with a random phase.
    #[schemars(range(min = 0, max = 100))]
    pub bars: u32,
    /// Width of a bar, in pixels.
    #[schemars(range(min = 0.5, max = 4096))]
    pub width: f64,
    /// Direction of the bars in degrees: 0 is horizontal, 90 vertical, and
    /// between them they fall from the left to the right.
    #[schemars(range(min = -180, max = 180))]
    pub angle: f64,
    /// Share of the first ball's rim that a plate hides in every frame. The
    /// plate moves with the ball and turns around it by 2 degrees a frame,
    /// clockwise in the picture.
    #[schemars(range(min = 0, max = 0.75))]
    pub cover: f64,
    /// Colour of bars and plate: blue, green, red; grey levels of the linear camera.
    pub color: [f64; 3],
}

impl Default for Occlusion {
    fn default() -> Self {
        Self { bars: 0, width: 14.0, angle: 75.0, cover: 0.0, color: [95.0, 88.0, 82.0] }
    }
}

/// `[scene.shading]`: uneven illumination.
///
/// S(p) = (1 + `linear` u(p)) (1 - `radial` q(p)^2), where u runs from -1 to 1
/// across the canvas in the direction `angle`, and q from 0 in the middle to 1
/// in the corners.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Shading {
    /// Change from the middle to either side, as a share.
    #[schemars(range(min = 0, max = 1))]
    pub linear: f64,
    /// Direction of the linear change in degrees: 0 is to the right, 90 down.
    #[schemars(range(min = -180, max = 180))]
    pub angle: f64,
    /// Loss of light in the corners, as a share.
    #[schemars(range(min = 0, max = 1))]
    pub radial: f64,
}

/// `[scene.surface]`: uneven brightness of the balls.
///
/// With d the offset from the centre in radii, the ball's colour is
/// C (1 + `linear` d.u) (1 - `limb` |d|^2) + H exp(-|d - h|^2 / (2 s^2)),
/// where u is the direction `angle`, H the highlight, h its place at 0.45 radii
/// up and to the left, s its size. It is sampled at pixel centres; the coverage is integrated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Surface {
    /// Change from the centre to either side of the rim, as a share.
    #[schemars(range(min = 0, max = 1))]
    pub linear: f64,
    /// Direction of the linear change in degrees: 0 is to the right, 90 down.
    #[schemars(range(min = -180, max = 180))]
    pub angle: f64,
    /// Darkening at the rim, as a share.
    #[schemars(range(min = 0, max = 1))]
    pub limb: f64,
    /// Height of the specular highlight, in grey levels.
    #[schemars(range(min = 0, max = 1000))]
    pub highlight: f64,
    /// Size of the highlight: its standard deviation in radii.
    #[schemars(range(min = 0.01, max = 1))]
    pub highlight_size: f64,
}

impl Default for Surface {
    fn default() -> Self {
        Self { linear: 0.0, angle: -135.0, limb: 0.0, highlight: 0.0, highlight_size: 0.15 }
    }
}

/// `[scene.lens]`: defocus, perspective and distortion.
///
/// A point of the ideal picture with the offset (x, y) from the canvas' centre,
/// in units of the focal length, is drawn at (Brown, "Decentering distortion
/// of lenses", 1966; the same convention as in `OpenCV`)
///
/// x' = x (1 + k1 q + k2 q^2 + k3 q^3) + 2 p1 x y + p2 (q + 2 x^2)
///
/// y' = y (1 + k1 q + k2 q^2 + k3 q^3) + p1 (q + 2 y^2) + 2 p2 x y
///
/// with q = x^2 + y^2. Balls are drawn through the lens, the background is not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lens {
    /// Defocus: standard deviation of the Gaussian point spread, in pixels.
    #[schemars(range(min = 0, max = 50))]
    pub defocus: f64,
    /// Focal length in pixels; unit of the coefficients below. The default is the
    /// preset's on its own canvas, and goes with the diagonal of any other one.
    #[schemars(range(min = FOCAL_RANGE[0], max = FOCAL_RANGE[1]))]
    pub focal: f64,
    /// Draw each ball as the perspective image of a sphere: an ellipse away
    /// from the centre of the canvas.
    pub perspective: bool,
    /// Radial distortion.
    #[schemars(range(min = -1, max = 1))]
    pub k1: f64,
    /// Radial distortion.
    #[schemars(range(min = -1, max = 1))]
    pub k2: f64,
    /// Radial distortion.
    #[schemars(range(min = -1, max = 1))]
    pub k3: f64,
    /// Tangential distortion.
    #[schemars(range(min = -0.1, max = 0.1))]
    pub p1: f64,
    /// Tangential distortion.
    #[schemars(range(min = -0.1, max = 0.1))]
    pub p2: f64,
    /// Which centre is the ground truth.
    pub truth: Center,
}

/// Least and greatest focal length, in pixels.
pub(super) const FOCAL_RANGE: [f64; 2] = [50.0, 100_000.0];

/// Which point of a ball's image is its centre. They differ only with
/// perspective or distortion.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Center {
    /// The centroid of the area that was drawn: what a detector can see.
    #[default]
    Centroid,
    /// The image of the ball's centre: what a calibration needs.
    Projection,
}

impl Default for Lens {
    fn default() -> Self {
        Self {
            defocus: 0.0,
            focal: 600.0,
            perspective: false,
            k1: 0.0,
            k2: 0.0,
            k3: 0.0,
            p1: 0.0,
            p2: 0.0,
            truth: Center::Centroid,
        }
    }
}

/// `[scene.shutter]`: motion blur and rolling shutter.
///
/// The truth of a frame is where the ball is in the middle of the exposure
/// (global shutter), or in the middle of the exposure of the row through its
/// centre (rolling shutter). Within an exposure the velocity is constant.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Shutter {
    /// Exposure as a share of the frame interval: a ball that moves v pixels
    /// per frame is smeared over open |v| pixels.
    #[schemars(range(min = 0, max = 1))]
    pub open: f64,
    /// Time from the first row's exposure to the last one's, as a share of the
    /// frame interval; 0 is a global shutter.
    #[schemars(range(min = 0, max = 1))]
    pub readout: f64,
}

/// `[scene.exposure]`: what the sensor makes of the light.
///
/// v = 255 (max(0, gain L + noise + black) / 255)^(1 / gamma), clipped to
/// 0..255 and rounded to the nearest whole number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Exposure {
    /// Factor on the light. Above 1 bright parts clip.
    #[schemars(range(min = 0, max = 100))]
    pub gain: f64,
    /// Black level in grey levels, added before gamma.
    #[schemars(range(min = -255, max = 255))]
    pub black: f64,
    /// Exponent of the tone curve; 1 is linear, 2.2 a usual camera.
    #[schemars(range(min = 0.1, max = 10))]
    pub gamma: f64,
}

impl Default for Exposure {
    fn default() -> Self {
        Self { gain: 1.0, black: 0.0, gamma: 1.0 }
    }
}

/// `[scene.noise]`: noise, independent for every frame, pixel and channel.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Noise {
    /// Standard deviation of Gaussian read noise, in grey levels.
    #[schemars(range(min = 0, max = 255))]
    pub gaussian: f64,
    /// Shot noise: grey levels per photo-electron. A level v is a Poisson
    /// variable with mean v / shot and therefore has the variance shot v.
    #[schemars(range(min = 0, max = 255))]
    pub shot: f64,
    /// Share of the pixels that are black or white, half each.
    #[schemars(range(min = 0, max = 1))]
    pub salt_pepper: f64,
}
