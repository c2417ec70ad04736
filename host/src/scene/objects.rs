//! What stands still in a scene: circles behind the balls, bars in front.

use plumbline_plugin_api::Circle;

use super::{
    camera::{Camera, Image},
    config::SceneConfig,
    optics::Optics,
    patch::Patch,
    rng::Dice,
    strip::Strip,
};

/// Stream of the seed.
const STREAM: u64 = 2;

/// A circle that is not the ball.
#[derive(Debug, Clone)]
pub(crate) struct Distractor {
    pub(crate) circle: Circle,
    /// Contrast against the background in units of the ball's, with its sign.
    pub(crate) contrast: f64,
    pub(crate) patch: Patch,
}

/// Radii that are too close to the ball's: this share of it on either side.
const LIKE_THE_BALL: f64 = 0.25;

/// The radii that a distractor may have: below the ball's and above it.
pub(crate) fn distractor_radii(config: &SceneConfig) -> [[f64; 2]; 2] {
    let [low, high] = config.clutter.radius;
    let ball = config.ball.radius;
    let least = ball * (1.0 - config.ball.pulse) * (1.0 - LIKE_THE_BALL);
    let most = ball * (1.0 + config.ball.pulse) * (1.0 + LIKE_THE_BALL);
    [[low, high.min(least)], [low.max(most), high]]
}

/// The circles of `[scene.clutter]`, back to front.
pub(crate) fn distractors(
    config: &SceneConfig,
    camera: &Camera,
    optics: &mut Optics,
) -> Vec<Distractor> {
    let mut dice = Dice::new(config.seed, STREAM);
    let [below, above] = distractor_radii(config);
    let (below_width, above_width) =
        ((below[1] - below[0]).max(0.0), (above[1] - above[0]).max(0.0));
    (0..config.clutter.count)
        .map(|_| {
            let at = dice.between(0.0, below_width + above_width);
            let radius = if at < below_width || above_width == 0.0 {
                below[0] + at
            } else {
                above[0] + (at - below_width)
            };
            let center = [config.width, config.height].map(|n| dice.between(0.0, f64::from(n)));
            let strength = config.clutter.contrast * dice.between(0.6, 1.0);
            let contrast = if dice.below(2) == 0 { strength } else { -strength };
            let image: Image = camera.image(center, radius, [0.0; 2]);
            let mut patch = Patch::new(config.width, config.height);
            optics.expose(camera, &image, &mut patch);
            let [x, y] = image.centroid;
            Distractor { circle: Circle { x, y, radius: image.radius }, contrast, patch }
        })
        .collect()
}

/// The bars of `[scene.occlusion]`, evenly spaced with a random phase.
pub(crate) fn bars(config: &SceneConfig) -> Vec<Strip> {
    let occlusion = &config.occlusion;
    let angle = occlusion.angle.to_radians();
    let (sin, cos) = libm::sincos(angle);
    let size = [config.width, config.height].map(f64::from);
    let reach = size[0] * sin.abs() + size[1] * cos.abs();
    let middle = 0.5 * (size[1] * cos - size[0] * sin);
    let spacing = reach / f64::from(occlusion.bars.max(1));
    let phase = Dice::new(config.seed, STREAM + 1).between(0.25, 0.75);
    (0..occlusion.bars)
        .map(|k| {
            let offset = middle - 0.5 * reach + (f64::from(k) + phase) * spacing;
            Strip::new(angle, offset, occlusion.width, config.lens.defocus)
        })
        .collect()
}

#[cfg(test)]
#[path = "objects_tests.rs"]
mod tests;
