//! What tests of pictures share.

use super::{BallConfig, Format, Scene, SceneConfig};

/// A grey scene of one sharp ball without noise.
pub(super) fn grey(width: u32, height: u32, background: f64, ball: f64) -> SceneConfig {
    let mut config = SceneConfig { width, height, format: Format::Gray8, ..SceneConfig::default() };
    config.background.color = [background; 3];
    config.ball = BallConfig { color: [ball; 3], ..BallConfig::default() };
    config
}

/// The grey level of pixel (`x`, `y`).
pub(super) fn level(scene: &Scene, x: u32, y: u32) -> f64 {
    f64::from(scene.frame().row(y)[x as usize])
}

/// All pixels of a canvas of this size.
pub(super) fn pixels(config: &SceneConfig) -> impl Iterator<Item = (u32, u32)> + use<> {
    let (width, height) = (config.width, config.height);
    (0..height).flat_map(move |y| (0..width).map(move |x| (x, y)))
}

/// Asserts that the values are a sample of the uniform distribution on
/// [`low`, `high`], with the test of Kolmogorov and Smirnov at a level of 1e-3.
/// `slack` is the error of a value.
pub(super) fn assert_uniform(what: &str, mut values: Vec<f64>, [low, high]: [f64; 2], slack: f64) {
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let (least, greatest) = (values[0], values[values.len() - 1]);
    assert!(least >= low - slack && greatest <= high + slack, "{what}: {least} to {greatest}");
    let distance = values.iter().zip(0..).fold(0.0f64, |worst, (v, k)| {
        let place = (v - low) / (high - low);
        worst.max(place - f64::from(k) / n).max(f64::from(k + 1) / n - place)
    });
    assert!(distance < 1.95 / n.sqrt() + slack / (high - low), "{what}: off by {distance}");
}

/// Asserts that a disc of the level `inside` on `outside` has this centre and
/// radius in the picture, wherever `free` says that nothing else is. Its
/// coverage is summed over the chords of each pixel that cross the rim most steeply.
pub(super) fn assert_disc(
    scene: &Scene,
    ([cx, cy], radius): ([f64; 2], f64),
    [inside, outside]: [f64; 2],
    free: impl Fn(f64, f64) -> bool,
) {
    const CHORDS: u32 = 16;
    for (x, y) in pixels(scene.config()) {
        let (px, py) = (f64::from(x), f64::from(y));
        let (dx, dy) = (px - cx, py - cy);
        if (dx.hypot(dy) - radius).abs() > 3.0 || !free(px, py) {
            continue;
        }
        let (along, across) = (dx.abs().max(dy.abs()), dx.abs().min(dy.abs()));
        let covered: f64 = (0..CHORDS)
            .map(|k| {
                let h = across + (f64::from(k) + 0.5) / f64::from(CHORDS) - 0.5;
                let half = (radius * radius - h * h).max(0.0).sqrt();
                ((along + 0.5).min(half) - (along - 0.5).max(-half)).max(0.0)
            })
            .sum();
        let exact = outside + covered / f64::from(CHORDS) * (inside - outside);
        let ours = level(scene, x, y);
        // Rounding, also of `inside`, and the sum over chords.
        assert!((ours - exact).abs() < 1.1, "{x} {y}: {ours} {exact}");
    }
}
