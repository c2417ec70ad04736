//! The Cramer-Rao bound: how good any unbiased estimate can be.
//!
//! A rim with the level profile L(t) across it carries, per pixel of its
//! length, the Fisher information I = integral of L'(t)^2 / sigma^2(L(t)) dt,
//! summed over the channels. The profile is an error function of the width
//! `sigma_e`, `sigma_e^2` = defocus^2 + 1/12 (the pixel's own area), and
//! sigma^2(v) = gaussian^2 + shot v + 1/12 (rounding). With u(t) = (cos t,
//! sin t, 1) the information on (x, y, radius) is r I integral of u u' dt over
//! the visible directions. For a full circle and constant noise this is
//! `sigma_x` = 1.062 (sigma / A) `sqrt(sigma_e` / r), `sigma_r` = `sigma_x` / sqrt(2).
//!
//! The levels on both sides of the rim are not told. Where there is noise, the many
//! pixels of a side tell its level. Without noise and in even light all of them are
//! rounded alike: the level is known to a variance of 1/12, and to what the pixels that
//! the rim goes through add. With the information on the levels L, and that on levels
//! and rim together C, this takes C' L^-1 C away (Schur's complement).
//!
//! Clipping and an unknown blur only take information away, so the bound stays
//! a bound; where the model itself does not hold there is none.

use std::f64::consts::{FRAC_1_SQRT_2, PI, TAU};

use crate::scene::degradation::Texture;
use crate::scene::{BallTruth, Edge, Format, SceneConfig, Truth};

/// The least standard deviations that are possible, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// Of the centre: root of the mean of the variances of x and y.
    pub center: f64,
    /// Of the radius; `None` where too little is known about the visible arc.
    pub radius: Option<f64>,
}

/// Directions in which the rim is looked at.
const DIRECTIONS: u32 = 72;
/// The profile is integrated over this many `sigma_e` to either side, in this many steps.
const REACH: f64 = 5.0;
const STEPS: u32 = 60;
/// Objects closer to the rim than this (plus the blur) change its profile, in pixels.
const CLEARANCE: f64 = 3.0;
/// The rim changes pixels that are closer to it than half a pixel's width and this many
/// standard deviations of the blur.
const BLURRED: f64 = 4.0;
/// Terms of the series for the error of a rounded mean.
const TERMS: u32 = 50;

/// The bound for ball number `n` of `truth`; `None` where the model does not
/// hold: textured ground, another circle at its rim, motion blur, rolling
/// shutter, perspective or distortion, a hard edge, gamma, or no contrast.
pub fn bound(config: &SceneConfig, truth: &Truth, n: usize) -> Option<Bound> {
    let ball = truth.balls.get(n)?;
    if !modelled(config) || !stands_alone(config, truth, n) {
        return None;
    }
    let a = PI * ball.visible_arc;
    let rim = rim_information(config, ball, ball.contrast, a);
    (rim.shift > 0.0 && a > 0.0).then(|| arc_bound(&rim, a, in_one_piece(config, ball)))
}

/// What the rim tells, per radian.
#[derive(Debug, Clone, Copy)]
struct Rim {
    /// Information on a shift of the rim along its normal, the levels known.
    shift: f64,
    /// What the unknown levels take away, over the square of the visible angle.
    lost: f64,
}

/// The bound for a visible arc of the half-angle `a`. When the arc is not in one piece
/// only its length is known, and the bound is the least that any arrangement allows (the
/// mean of the two eigenvalues of the inverse is at least the inverse of their mean).
fn arc_bound(rim: &Rim, a: f64, in_one_piece: bool) -> Bound {
    let Rim { shift: k, lost } = *rim;
    if !in_one_piece {
        return Bound { center: (1.0 / (k * a)).sqrt(), radius: None };
    }
    let (sin, sin2) = (libm::sin(a), libm::sin(2.0 * a));
    // Of x, which points to the middle of the arc, and the radius, and of both; y has
    // nothing to do with them.
    let xx = k * (a + 0.5 * sin2) - lost * 4.0 * sin * sin;
    let xr = k * 2.0 * sin - lost * 4.0 * a * sin;
    let rr = k * 2.0 * a - lost * 4.0 * a * a;
    let yy = k * (a - 0.5 * sin2);
    let determinant = xx * rr - xr * xr;
    let (along, radius) = (rr / determinant, xx / determinant);
    Bound { center: (0.5 * (along + 1.0 / yy)).sqrt(), radius: Some(radius.sqrt()) }
}

fn modelled(config: &SceneConfig) -> bool {
    let lens = &config.lens;
    let flat = config.background.texture == Texture::Flat || config.background.amplitude == 0.0;
    let straight = !lens.perspective && [lens.k1, lens.k2, lens.k3, lens.p1, lens.p2] == [0.0; 5];
    let still = config.shutter.open == 0.0 && config.shutter.readout == 0.0;
    flat && straight && still && config.exposure.gamma == 1.0 && config.ball.edge == Edge::Area
}

/// Whether nothing but bars, a plate or the canvas' edge touches the ball's rim.
fn stands_alone(config: &SceneConfig, truth: &Truth, n: usize) -> bool {
    let me = &truth.balls[n];
    let clearance = CLEARANCE + 4.0 * config.lens.defocus;
    let apart = |x: f64, y: f64, r: f64| {
        let d = (x - me.x).hypot(y - me.y);
        // Beside it, or so large that the ball is in its middle.
        d > me.radius + r + clearance || d + me.radius + clearance < r
    };
    let balls = truth.balls.iter().enumerate().filter(|(other, _)| *other != n);
    balls.map(|(_, b)| b).all(|b| apart(b.x, b.y, b.radius))
        && truth.clutter.iter().all(|c| {
            let r = c.radius;
            let d = (c.x - me.x).hypot(c.y - me.y);
            d > me.radius + r + clearance || d + r + clearance < me.radius
        })
}

/// Whether the visible rim is a single arc: nothing hides it, or only the
/// plate does, or only one side of the canvas.
fn in_one_piece(config: &SceneConfig, ball: &BallTruth) -> bool {
    if ball.visible_arc > 0.998 {
        return true;
    }
    let reach = ball.radius - 0.5;
    let sides = [
        ball.x < reach,
        ball.y < reach,
        ball.x > f64::from(config.width) - 1.0 - reach,
        ball.y > f64::from(config.height) - 1.0 - reach,
    ];
    let hidden_by =
        sides.iter().filter(|s| **s).count() + usize::from(config.occlusion.cover > 0.0);
    config.occlusion.bars == 0 && hidden_by == 1
}

/// What the visible rim of the half-angle `a` tells: the mean over its directions.
fn rim_information(config: &SceneConfig, ball: &BallTruth, contrast: f64, a: f64) -> Rim {
    let per_radian = ball.radius * (1.0 - config.noise.salt_pepper);
    let mut sums = [Profile::default(); 3];
    let mut levels = [[0.0; 2]; 3];
    for k in 0..DIRECTIONS {
        let (sin, cos) = libm::sincos(TAU * f64::from(k) / f64::from(DIRECTIONS));
        let at = [ball.x + ball.radius * cos, ball.y + ball.radius * sin];
        let light = shading(config, at) * config.exposure.gain;
        let pixel = 0.5 * (cos.abs() + sin.abs());
        for (n, sides) in channels(config, contrast, [cos, sin]).into_iter().enumerate() {
            levels[n] = sides.map(|v| v * light);
            sums[n].add(&profile_information(config, levels[n], pixel));
        }
    }
    let lost = |(sum, levels): (&Profile, [f64; 2])| {
        let share = per_radian / f64::from(DIRECTIONS);
        let [outside, inside] = levels.map(|v| 1.0 / rounded_mean(config, v).max(1e-12));
        let [oo, oi, ii] = sum.levels.map(|v| 2.0 * a * share * v);
        let (oo, ii) = (oo + outside, ii + inside);
        let [o, i] = sum.cross.map(|v| share * v);
        (o * o * ii - 2.0 * o * i * oi + i * i * oo) / (oo * ii - oi * oi)
    };
    let channels = sums.iter().zip(levels).filter(|(sum, _)| sum.shift > 0.0);
    let lost = if is_evenly_lit(config) { channels.map(lost).sum() } else { 0.0 };
    let shift = sums.iter().map(|s| s.shift).sum::<f64>() / f64::from(DIRECTIONS) * per_radian;
    Rim { shift, lost }
}

/// Whether each side of the rim has one level.
fn is_evenly_lit(config: &SceneConfig) -> bool {
    let (light, surface) = (&config.shading, &config.surface);
    let all = [light.linear, light.radial, surface.linear, surface.limb, surface.highlight];
    all == [0.0; 5]
}

/// Variance of the error of the mean of many rounded pixels of the level `v`, over all
/// places of `v` between two whole numbers: 1/12 without noise, and next to nothing when
/// the noise has a standard deviation of half a grey level (Widrow and Kollar,
/// "Quantization Noise", 2008: the rounding error's mean as a Fourier series).
fn rounded_mean(config: &SceneConfig, v: f64) -> f64 {
    let variance = config.noise.gaussian.powi(2) + config.noise.shot * v.max(0.0);
    (1..=TERMS)
        .map(|k| {
            let turns = TAU * f64::from(k);
            2.0 * libm::exp(-turns * turns * variance) / (turns * turns)
        })
        .sum()
}

/// Radiance outside and inside of the rim in the direction `d`, per channel.
fn channels(config: &SceneConfig, contrast: f64, d: [f64; 2]) -> Vec<[f64; 2]> {
    let ground = config.background.color;
    let surface = &config.surface;
    let (sin, cos) = libm::sincos(surface.angle.to_radians());
    let factor = (1.0 + surface.linear * (d[0] * cos + d[1] * sin)) * (1.0 - surface.limb);
    let h = -0.45 * std::f64::consts::FRAC_1_SQRT_2;
    let far = (d[0] - h) * (d[0] - h) + (d[1] - h) * (d[1] - h);
    let size = surface.highlight_size;
    let shine = surface.highlight * libm::exp(-far / (2.0 * size * size));
    let color = |c: usize| {
        [ground[c], (ground[c] + contrast * (config.ball.color[c] - ground[c])) * factor + shine]
    };
    match config.format {
        Format::Bgr8 => (0..3).map(color).collect(),
        Format::Gray8 => {
            let mix = |side: usize| {
                0.114 * color(0)[side] + 0.587 * color(1)[side] + 0.299 * color(2)[side]
            };
            vec![[mix(0), mix(1)]]
        }
    }
}

/// S(p) of `[scene.shading]`.
fn shading(config: &SceneConfig, [x, y]: [f64; 2]) -> f64 {
    let s = &config.shading;
    let half = [config.width, config.height].map(|n| 0.5 * (f64::from(n) - 1.0));
    let (dx, dy) = (x - half[0], y - half[1]);
    let (sin, cos) = libm::sincos(s.angle.to_radians());
    let u = (dx * cos + dy * sin) / (half[0] * cos.abs() + half[1] * sin.abs());
    let q2 = (dx * dx + dy * dy) / (half[0] * half[0] + half[1] * half[1]);
    (1.0 + s.linear * u) * (1.0 - s.radial * q2)
}

/// Information of one channel across the rim, per pixel of its length.
#[derive(Debug, Clone, Copy, Default)]
struct Profile {
    /// On a shift: the integral of L'^2 / sigma^2(L).
    shift: f64,
    /// On a shift together with the level outside and inside, from the pixels that the
    /// rim goes through.
    cross: [f64; 2],
    /// On the levels from those pixels: outside, outside and inside, inside.
    levels: [f64; 3],
}

impl Profile {
    fn add(&mut self, other: &Self) {
        self.shift += other.shift;
        self.cross.iter_mut().zip(other.cross).for_each(|(sum, v)| *sum += v);
        self.levels.iter_mut().zip(other.levels).for_each(|(sum, v)| *sum += v);
    }
}

/// The information across an edge between two signal levels, whose pixels reach `pixel`
/// to either side of their centre along the rim's normal.
fn profile_information(config: &SceneConfig, [outside, inside]: [f64; 2], pixel: f64) -> Profile {
    let noise = &config.noise;
    let blur = config.lens.defocus;
    let width = (blur * blur + 1.0 / 12.0).sqrt();
    let step = 2.0 * REACH / f64::from(STEPS);
    let amplitude = inside - outside;
    let mut sum = Profile::default();
    for k in 0..=STEPS {
        let t = -REACH + step * f64::from(k);
        let slope = amplitude * libm::exp(-0.5 * t * t) / (TAU.sqrt() * width);
        let share = 0.5 * libm::erfc(t * FRAC_1_SQRT_2);
        let level = outside + amplitude * share;
        let variance = noise.gaussian * noise.gaussian + noise.shot * level.max(0.0) + 1.0 / 12.0;
        let per_variance = step * width / variance;
        sum.shift += slope * slope * per_variance;
        // Further out a pixel has the level of its side, rounded like all others of it.
        let moved = amplitude.abs() * share.min(1.0 - share) > 0.5;
        if moved && (t * width).abs() < pixel + BLURRED * blur {
            let by_level = [1.0 - share, share];
            let [o, i] = by_level;
            sum.add(&Profile {
                shift: 0.0,
                cross: by_level.map(|v| v * slope * per_variance),
                levels: [o * o, o * i, i * i].map(|v| v * per_variance),
            });
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use plumbline_plugin_api::Circle;

    fn ball(x: f64, radius: f64, visible_arc: f64) -> BallTruth {
        BallTruth {
            x,
            y: 240.0,
            radius,
            centroid: [x, 240.0],
            projection: [x, 240.0],
            velocity: [0.0; 2],
            visible: visible_arc,
            visible_arc,
            contrast: 1.0,
        }
    }

    fn scene(radius: f64, contrast: f64, sigma: f64, blur: f64) -> (SceneConfig, Truth) {
        let mut config = SceneConfig { format: Format::Gray8, ..SceneConfig::default() };
        config.background.color = [50.0; 3];
        config.ball.color = [50.0 + contrast; 3];
        // The published figures leave rounding out.
        config.noise.gaussian = (sigma * sigma - 1.0 / 12.0).sqrt();
        config.lens.defocus = blur;
        let truth = Truth { balls: vec![ball(320.0, radius, 1.0)], ..Truth::default() };
        (config, truth)
    }

    #[test]
    fn a_full_circle_has_the_tabulated_bound() {
        for (r, contrast, sigma, blur, expected) in [
            (60.0, 120.0, 2.0, 0.7, 0.0020),
            (60.0, 120.0, 10.0, 0.7, 0.0100),
            (12.0, 60.0, 5.0, 1.0, 0.026),
            (8.0, 40.0, 5.0, 1.0, 0.048),
            (240.0, 120.0, 5.0, 0.7, 0.0025),
        ] {
            let (config, truth) = scene(r, contrast, sigma, blur);
            let b = bound(&config, &truth, 0).unwrap();
            let formula =
                1.062 * sigma / contrast * ((blur * blur + 1.0 / 12.0f64).sqrt() / r).sqrt();
            assert!((b.center / formula - 1.0).abs() < 1e-3, "{} {formula}", b.center);
            assert!((b.center / expected - 1.0).abs() < 0.03, "{} {expected}", b.center);
            let radius = b.radius.unwrap() * 2.0f64.sqrt();
            assert!((radius / b.center - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn an_arc_gives_what_the_inverse_of_its_information_matrix_gives() {
        // Integrals of u u' over |t| < a by the midpoint rule, inverted by hand.
        let a = 0.7 * PI;
        let (mut xx, mut yy, mut xr, n) = (0.0, 0.0, 0.0, 20_000);
        for k in 0..n {
            let t = -a + 2.0 * a * (f64::from(k) + 0.5) / f64::from(n);
            let dt = 2.0 * a / f64::from(n);
            xx += t.cos() * t.cos() * dt;
            yy += t.sin() * t.sin() * dt;
            xr += t.cos() * dt;
        }
        let det = xx * 2.0 * a - xr * xr;
        let known = Rim { shift: 3.0, lost: 0.0 };
        let b = arc_bound(&known, a, true);
        let center = (f64::midpoint(2.0 * a / det, 1.0 / yy) / 3.0).sqrt();
        assert!((b.center / center - 1.0).abs() < 1e-6);
        assert!((b.radius.unwrap() / (xx / det / 3.0).sqrt() - 1.0).abs() < 1e-6);
        assert!(arc_bound(&known, a, false).center < b.center);
    }

    #[test]
    fn levels_that_are_not_known_make_the_radius_harder_without_noise() {
        let radius = |change: fn(&mut SceneConfig)| {
            let (mut config, truth) = scene(35.0, 117.7, 1.0, 0.7);
            config.noise.gaussian = 0.0;
            change(&mut config);
            let b = bound(&config, &truth, 0).unwrap();
            (b.radius.unwrap(), b.center)
        };
        // The information on radius, level outside and inside as a matrix with the priors
        // on its diagonal, summed and inverted apart from this program.
        let (unknown, center) = radius(|_| ());
        assert!((unknown / 0.000_464_99 - 1.0).abs() < 0.02, "{unknown}");
        let known = center / 2.0_f64.sqrt();
        assert!(unknown > 1.6 * known);
        // Light that is not even is rounded here this way and there another.
        let (shaded, center) = radius(|c| c.shading.linear = 0.01);
        assert!((shaded * 2.0_f64.sqrt() / center - 1.0).abs() < 1e-9);
        // Noise does the same.
        let (noisy, center) = radius(|c| c.noise.gaussian = 0.5);
        assert!((noisy * 2.0_f64.sqrt() / center - 1.0).abs() < 0.01, "{noisy} {center}");
    }

    #[test]
    fn colours_add_up_and_shot_noise_counts_with_its_level() {
        let (mut config, truth) = scene(30.0, 100.0, 5.0, 0.7);
        let gray = bound(&config, &truth, 0).unwrap().center;
        config.format = Format::Bgr8;
        let color = bound(&config, &truth, 0).unwrap().center;
        assert!((gray / color - 3.0f64.sqrt()).abs() < 1e-9);
        config.noise.shot = 0.25;
        assert!(bound(&config, &truth, 0).unwrap().center > 1.2 * color);
    }

    #[test]
    fn there_is_no_bound_where_the_model_does_not_hold() {
        let (config, truth) = scene(30.0, 100.0, 5.0, 0.7);
        let changes: [fn(&mut SceneConfig); 5] = [
            |c| c.background.texture = Texture::Clouds,
            |c| c.shutter.open = 0.5,
            |c| c.lens.k1 = 0.1,
            |c| c.exposure.gamma = 2.2,
            |c| c.ball.edge = Edge::Hard,
        ];
        for change in changes {
            let mut config = config.clone();
            change(&mut config);
            assert_eq!(bound(&config, &truth, 0), None);
        }
        let mut unseen = truth.clone();
        unseen.balls[0].contrast = 0.0;
        assert_eq!(bound(&config, &unseen, 0), None);
        let mut behind = truth.clone();
        behind.clutter.push(Circle { x: 350.0, y: 240.0, radius: 10.0 });
        assert_eq!(bound(&config, &behind, 0), None);
        behind.clutter[0].x = 450.0;
        assert_eq!(bound(&config, &behind, 0), bound(&config, &truth, 0));
    }

    #[test]
    fn bars_cut_the_rim_into_pieces_and_an_edge_of_the_canvas_does_not() {
        let (mut config, mut truth) = scene(30.0, 100.0, 5.0, 0.7);
        truth.balls[0] = ball(10.0, 30.0, 0.6);
        let edge = bound(&config, &truth, 0).unwrap();
        config.occlusion.bars = 3;
        let bars = bound(&config, &truth, 0).unwrap();
        assert!(edge.radius.is_some() && bars.radius.is_none() && bars.center < edge.center);
    }
}
