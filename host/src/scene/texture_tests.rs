//! Patterns in the picture against what is documented of them.

use std::f64::consts::TAU;

use super::super::{
    Scene, SceneConfig,
    testing::{assert_uniform, grey, level, pixels},
};
use super::*;

#[test]
fn patterns_are_seeded_stay_in_range_and_have_contrast() {
    for texture in
        [Texture::Clouds, Texture::Grain, Texture::Waves, Texture::Checker, Texture::Bricks]
    {
        let make = |seed| pattern(texture, 12.0, seed, [120, 90]).unwrap();
        let t = make(4);
        assert_eq!(t, make(4));
        assert_ne!(t, make(5), "{texture:?}");
        let mean = t.iter().sum::<f32>() / t.len() as f32;
        let variance = t.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / t.len() as f32;
        assert!(t.iter().all(|v| v.abs() <= 1.0), "{texture:?}");
        assert!(variance > 0.04, "{texture:?}: {variance}");
    }
    assert!(pattern(Texture::Flat, 12.0, 4, [120, 90]).is_none());
}

const MIDDLE: f64 = 128.0;
const AMPLITUDE: f64 = 100.0;

/// A picture of the pattern alone, but for the ball's half pixel in the corner.
fn picture(texture: Texture, scale: f64, seed: u64) -> Scene {
    let mut config = grey(480, 360, MIDDLE, MIDDLE);
    (config.ball.radius, config.ball.speed, config.ball.start) = (0.5, [0.0; 2], Some([0.0; 2]));
    config.background.texture = texture;
    (config.background.amplitude, config.background.scale) = (AMPLITUDE, scale);
    Scene::new(&SceneConfig { seed, ..config }).unwrap()
}

/// The pattern's value at a pixel, rounded to a grey level.
fn value(scene: &Scene, x: u32, y: u32) -> f64 {
    (level(scene, x, y) - MIDDLE) / AMPLITUDE
}

/// Mean over the picture, without the corner.
fn mean(scene: &Scene, of: impl Fn(f64) -> f64) -> f64 {
    let values: Vec<f64> = pixels(scene.config())
        .filter(|(x, y)| x + y > 1)
        .map(|(x, y)| of(value(scene, x, y)))
        .collect();
    values.iter().sum::<f64>() / values.len() as f64
}

const ROUNDING: f64 = 0.5 / AMPLITUDE;

/// Gradient noise is 0 at its lattice points. Between them its variance is that
/// of four independent gradients with components of the variance 1/3, each
/// faded by 1 - 6 s^5 + 15 s^4 - 10 s^3 along either axis.
#[test]
fn clouds_are_four_octaves_of_gradient_noise() {
    let scene = picture(Texture::Clouds, 32.0, 4);
    for (x, y) in pixels(scene.config()).filter(|(x, y)| x % 32 == 0 && y % 32 == 0 && x + y > 0) {
        assert_eq!(value(&scene, x, y), 0.0, "{x} {y}");
    }
    let expected: f64 = (0..4)
        .map(|octave| {
            let period = 8 >> octave;
            let over = |power: i32| {
                let term = |k: i32| {
                    let s = f64::from(k) / f64::from(period);
                    (1.0 - s.powi(3) * (s * (6.0 * s - 15.0) + 10.0)).powi(2) * s.powi(power)
                };
                // The two neighbours along an axis are one function mirrored.
                let mirrored = |k: i32| term(k) + term(period - k);
                (0..period).map(mirrored).sum::<f64>() / f64::from(period)
            };
            0.25f64.powi(octave) * 2.0 / 3.0 * over(0) * over(2)
        })
        .sum();
    for seed in 0..3 {
        let scene = picture(Texture::Clouds, 8.0, seed);
        let deviation = mean(&scene, |t| t * t).sqrt();
        let exact = 1.6 * expected.sqrt();
        assert!((deviation / exact - 1.0).abs() < 0.03, "{seed}: {deviation} {exact}");
    }
}

#[test]
fn grain_is_uniform_at_its_points_and_bilinear_between_them() {
    let scene = picture(Texture::Grain, 12.0, 4);
    let points = pixels(scene.config()).filter(|(x, y)| x % 12 == 0 && y % 12 == 0 && x + y > 0);
    let values = points.map(|(x, y)| value(&scene, x, y)).collect();
    assert_uniform("grain", values, [-1.0, 1.0], ROUNDING);
    for (x, y) in pixels(scene.config()).filter(|(x, y)| *x < 468 && *y < 348 && x + y > 24) {
        let (i, j) = (x - x % 12, y - y % 12);
        let (s, t) = (f64::from(x % 12) / 12.0, f64::from(y % 12) / 12.0);
        let along = |y| value(&scene, i, y) * (1.0 - s) + value(&scene, i + 12, y) * s;
        let exact = along(j) * (1.0 - t) + along(j + 12) * t;
        assert!((value(&scene, x, y) - exact).abs() < 2.0 * ROUNDING + 1e-6, "{x} {y}");
    }
}

/// A sampled sine fulfils f(x - n) + f(x + n) = 2 cos(n w) f(x).
#[test]
fn waves_are_a_sine_with_their_period() {
    for (scale, seed) in [(40.0, 4), (64.0, 5), (25.5, 6)] {
        let scene = picture(Texture::Waves, scale, seed);
        let n = (scale / 4.0) as u32;
        let frequency = |dx: u32, dy: u32| {
            let inner = pixels(scene.config())
                .filter(|(x, y)| (n..480 - n).contains(x) && (n..360 - n).contains(y));
            let (mut above, mut below) = (0.0, 0.0);
            for (x, y) in inner {
                let f = value(&scene, x, y);
                let sides = value(&scene, x + dx, y + dy) + value(&scene, x - dx, y - dy);
                (above, below) = (above + f * sides, below + 2.0 * f * f);
            }
            libm::acos(above / below) / f64::from(n)
        };
        let period = TAU / frequency(n, 0).hypot(frequency(0, n));
        assert!((period / scale - 1.0).abs() < 0.005, "{period} {scale}");
        let greatest = mean(&scene, |t| t.abs().powi(2)) * 2.0;
        assert!((greatest - 1.0).abs() < 0.03, "{greatest}");
        assert!(pixels(scene.config()).all(|(x, y)| value(&scene, x, y).abs() <= 1.0));
    }
}

/// Lines of fields cross the picture in two directions at right angles, each
/// `scale` pixels apart. Of unit steps at the angle a to one of them the shares
/// |cos a| / scale and |sin a| / scale cross a line, and the level changes where
/// just one does. Of diagonal steps these are the sum and the difference of both.
#[test]
fn a_checker_has_two_levels_and_fields_of_its_scale() {
    for (scale, seed) in [(20.0, 4), (31.0, 5), (20.0, 6)] {
        let scene = picture(Texture::Checker, scale, seed);
        let changes = |dx: u32, dy: u32| {
            let inner = pixels(scene.config()).filter(|(x, y)| *x < 479 && *y < 359 && x + y > 1);
            let steps = inner.map(|(x, y)| {
                let (from, to) = (value(&scene, x, y), value(&scene, x + dx, y + dy));
                f64::from(u8::from((from > 0.0) != (to > 0.0)))
            });
            steps.sum::<f64>() / (479.0 * 359.0)
        };
        let (straight, diagonal) = (0.5 * (changes(1, 0) + changes(0, 1)), changes(1, 1));
        let (mut more, mut less) = (0.0, 0.0);
        for _ in 0..30 {
            // straight = more + less - 2 more less, and likewise for the diagonal.
            more = 0.5 * diagonal + more * more - less * less;
            less = straight - more + 2.0 * more * less;
        }
        let measured = 1.0 / more.hypot(less);
        assert!((measured / scale - 1.0).abs() < 0.02, "{measured} {scale}");
        // Only where a line passes a pixel is it between the levels.
        let whole = mean(&scene, |t| f64::from(u8::from(t.abs() == 1.0)));
        assert!(whole > 1.0 - 3.0 / scale, "{whole}");
        assert!(pixels(scene.config()).all(|(x, y)| value(&scene, x, y).abs() <= 1.0));
    }
}

/// The runs of `true`, as first and last place.
fn runs(dark: impl Iterator<Item = bool>) -> Vec<[f64; 2]> {
    let mut found: Vec<[f64; 2]> = Vec::new();
    for (at, _) in dark.enumerate().filter(|(_, dark)| *dark) {
        match found.last_mut() {
            Some([_, last]) if *last == at as f64 - 1.0 => *last = at as f64,
            _ => found.push([at as f64; 2]),
        }
    }
    found
}

#[test]
fn bricks_lie_in_rows_with_joints_between_them() {
    let scene = picture(Texture::Bricks, 30.0, 4);
    let dark = |x: u32, y: u32| value(&scene, x, y) == -1.0;
    let middle = |[first, last]: [f64; 2]| 0.5 * (first + last);
    let joints = runs((0..360).map(|y| (2..480).all(|x| dark(x, y))));
    assert!((11..=13).contains(&joints.len()), "{joints:?}");
    let mut levels = Vec::new();
    let mut before: Option<f64> = None;
    for pair in joints.windows(2) {
        // 3 pixels wide: at least 2 are whole.
        assert!((1.0..=2.0).contains(&(pair[0][1] - pair[0][0])), "{pair:?}");
        let [above, below] = [pair[0], pair[1]].map(middle);
        assert!((below - above - 30.0).abs() <= 1.0, "{above} {below}");
        let y = (0.5 * (above + below)) as u32;
        let upright = runs((0..480).map(|x| dark(x, y)));
        let ends: Vec<f64> = upright.into_iter().map(middle).collect();
        for pair in ends.windows(2) {
            assert!((pair[1] - pair[0] - 60.0).abs() <= 1.0, "{pair:?}");
            levels.push(value(&scene, (0.5 * (pair[0] + pair[1])) as u32, y));
        }
        if let Some(before) = before {
            let shift = (ends[1] - before).rem_euclid(60.0);
            assert!((shift - 30.0).abs() <= 1.0, "{before} {ends:?}");
        }
        before = Some(ends[1]);
    }
    let rows = (joints.len() - 1) as f64;
    let spacing = (middle(joints[joints.len() - 1]) - middle(joints[0])) / rows;
    assert!((spacing - 30.0).abs() < 0.1, "{spacing}");
    assert!(pixels(scene.config()).all(|(x, y)| value(&scene, x, y) >= -1.0));
    assert_uniform("bricks", levels, [0.0, 1.0], ROUNDING);
}
