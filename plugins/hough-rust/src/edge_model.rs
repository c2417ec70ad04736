//! How the edge of a disc looks: the share of a pixel's light that comes from
//! the disc, as a function of the pixel's distance from the edge.

/// exp(x) for -87 < x <= 0 with a relative error below 2e-7, from operations
/// that every CPU rounds alike.
#[allow(clippy::inline_always, reason = "must be vectorised inside the caller's loop")]
#[inline(always)]
pub fn exp_negative(x: f32) -> f32 {
    let x = if x > -87.0 { x } else { -87.0 };
    let y = x * std::f32::consts::LOG2_E;
    // Adding 1.5 * 2^23 rounds to the nearest integer, which then sits in the
    // low bits.
    let shifted = y + 12_582_912.0;
    let n = (shifted.to_bits() as i32).wrapping_sub(0x4B40_0000);
    let nf = shifted - 12_582_912.0;
    // x - n ln 2 in two steps, so that no digits are lost.
    let f = (x - nf * 0.693_359_4) - nf * -2.121_944_4e-4;
    let p = 1.0 / 5040.0;
    let p = p * f + 1.0 / 720.0;
    let p = p * f + 1.0 / 120.0;
    let p = p * f + 1.0 / 24.0;
    let p = p * f + 1.0 / 6.0;
    let p = p * f + 0.5;
    let p = p * f + 1.0;
    let p = p * f + 1.0;
    p * f32::from_bits(((n + 127) << 23) as u32)
}

/// The normal distribution at `t`: 1 - Phi(t), and its density.
///
/// Phi by Abramowitz and Stegun 7.1.26, absolute error below 2e-7.
#[allow(clippy::inline_always, reason = "must be vectorised inside the caller's loop")]
#[inline(always)]
pub fn normal(t: f32) -> (f32, f32) {
    // Further down, products of two of these leave the range of normal
    // numbers, and each costs a hundred times as much.
    let x = -0.5 * t * t;
    let e = exp_negative(if x > -30.0 { x } else { -30.0 });
    let z = t.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let k = 1.0 / (1.0 + 0.327_591_1 * z);
    let poly = ((((1.061_405_4 * k - 1.453_152_1) * k + 1.421_413_8) * k - 0.284_496_72) * k
        + 0.254_829_6)
        * k;
    let tail = 0.5 * poly * e;
    (if t > 0.0 { tail } else { 1.0 - tail }, e * 0.398_942_3)
}

/// How far a place at distance `rho` from the centre of a disc of radius `r` is from its edge of
/// width `s`, in widths: a blur moves a curved edge inwards (see [`crate::refine`]).
#[allow(clippy::inline_always, reason = "must be vectorised inside the caller's loop")]
#[inline(always)]
pub fn widths_off(rho: f32, r: f32, s: f32) -> f32 {
    (rho + s * s / (rho + r) - r) / s
}

/// The share of a pixel that a blurred half plane covers, by its distance `d`
/// from the edge, and the derivatives.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// The share, 1 deep inside and 0 far outside.
    pub value: f32,
    /// Minus its derivative by `d`.
    pub density: f32,
    /// Its derivative by the edge's width.
    pub by_width: f32,
}

/// Variance of the position inside a pixel, along any direction.
pub const PIXEL: f32 = 1.0 / 12.0;

/// Blur below which [`sharp`] is to be used; above, [`soft`] is as good.
pub const SHARP: f32 = 0.45;

/// Edge of total width `s` (`s^2` = blur squared + 1/12) whose normal has the
/// components `c4` = cos^4 + sin^4 and `c6` = cos^6 + sin^6: the normal
/// distribution with the Edgeworth terms of a square pixel (cumulants
/// `-c4 / 120` and `c6 / 252`).
#[allow(clippy::inline_always, reason = "must be vectorised inside the caller's loop")]
#[inline(always)]
pub fn soft(d: f32, s: f32, c4: f32, c6: f32) -> Share {
    let over = 1.0 / s;
    let t = d * over;
    let (tail, density) = normal(t);
    let over2 = over * over;
    let k4 = c4 * over2 * over2 * (-1.0 / (120.0 * 24.0));
    let k6 = c6 * over2 * over2 * over2 * (1.0 / (252.0 * 720.0));
    let t2 = t * t;
    let he3 = t * (t2 - 3.0);
    let he4 = t2 * (t2 - 6.0) + 3.0;
    let he5 = t * (t2 * (t2 - 10.0) + 15.0);
    let he6 = t2 * (t2 * (t2 - 15.0) + 45.0) - 15.0;
    Share {
        value: tail + density * (k4 * he3 + k6 * he5),
        density: density * over * (1.0 + k4 * he4 + k6 * he6),
        by_width: density * t * over,
    }
}

/// Edge of Gaussian blur `g` (at least 0.01), exactly integrated over a square
/// pixel whose projections on the edge's normal have the half lengths `a` and `b`.
///
/// The pixel's profile is a trapezoid, the convolution of two boxes; its
/// integral against the blur is a second difference of the second
/// antiderivative of the normal distribution.
#[allow(clippy::inline_always, reason = "must be vectorised inside the caller's loop")]
#[inline(always)]
pub fn sharp(d: f32, g: f32, s: f32, a: f32, b: f32) -> Share {
    // A box that is narrower than this is no different, and divides badly.
    let a = a.max(0.02);
    let b = b.max(0.02);
    let over = 1.0 / g;
    let part = |x: f32| {
        let (upper, density) = normal(-x * over);
        let first = x * upper + g * density;
        ((x * first + g * g * upper) * 0.5, first, upper)
    };
    let (p, q, r, w) = (part(a + b - d), part(a - b - d), part(b - a - d), part(-a - b - d));
    let scale = 0.25 / (a * b);
    Share {
        value: ((p.0 - q.0) - (r.0 - w.0)) * scale,
        density: ((p.1 - q.1) - (r.1 - w.1)) * scale,
        by_width: ((p.2 - q.2) - (r.2 - w.2)) * scale * s,
    }
}

/// Mean square of the position along a line that crosses a pixel at the distance
/// `n` from its centre, whose normal the pixel's half lengths `a` and `b` are
/// projected on: 1/12 on average, and less near the corners. So much does a curved edge
/// fall short of its tangent, times half the curvature.
#[allow(clippy::inline_always, reason = "must be vectorised inside the caller's loop")]
#[inline(always)]
pub fn along(n: f32, a: f32, b: f32) -> f32 {
    let (a, b) = (a.max(b), a.min(b).max(0.01));
    let n = n.abs().min(a + b);
    // The line leaves by the far side, and enters by the near one or the bottom.
    let from = ((n - a) / (2.0 * b)).max(-0.5);
    let over = 0.5 / a;
    let (from, to) = ((from - 2.0 * n * b) * over, (0.5 - 2.0 * n * b) * over);
    (from * from + from * to + to * to) * (1.0 / 3.0)
}

/// The mean of `sqrt(max(0, t + n))` over normally distributed `n`, and its derivative, to
/// 0.0011 and a tenth: `sqrt(P m)` for the share `P` that is above zero and the mean `m`, times
/// `1 - v / 8` and terms of higher order in the relative variance `v` of what is above.
#[allow(clippy::inline_always, reason = "must be vectorised inside the caller's loop")]
#[inline(always)]
pub fn blurred_root(t: f32) -> (f32, f32) {
    let t = t.max(-4.0);
    let (above, density) = normal(-t);
    let mean = (t * above + density).max(1e-7);
    let square = (t * t + 1.0) * above + t * density;
    let v = (square * above / (mean * mean) - 1.0).clamp(0.0, 1.0);
    let less = 1.0 - v * (0.125 + v * (0.1536 - 0.2228 * v));
    let root = (above * mean).sqrt();
    (root * less, 0.5 * less * (density * mean + above * above) / root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_is_accurate() {
        for i in 0..8000 {
            let x = -f64::from(i) / 100.0;
            let (ours, exact) = (f64::from(exp_negative(x as f32)), libm::exp(f64::from(x as f32)));
            assert!((ours - exact).abs() <= 4e-7 * exact, "exp({x}) = {ours}, not {exact}");
        }
    }

    #[test]
    fn normal_distribution_is_accurate() {
        for i in -600..=600 {
            let t = f64::from(i) / 100.0;
            let exact = 0.5 * libm::erfc(t / std::f64::consts::SQRT_2);
            assert!((f64::from(normal(t as f32).0) - exact).abs() < 4e-7, "at {t}");
        }
    }

    /// Mean over a pixel of a blurred half plane, by brute force.
    fn integrated(d: f64, g: f64, angle: f64) -> f64 {
        let (sin, cos) = libm::sincos(angle);
        let n = 60;
        let at = |i: i32| (f64::from(i) + 0.5) / f64::from(n) - 0.5;
        let mut sum = 0.0;
        for i in 0..n {
            for j in 0..n {
                let x = d + at(i) * cos + at(j) * sin;
                sum += 0.5 * libm::erfc(x / (g * std::f64::consts::SQRT_2));
            }
        }
        sum / f64::from(n * n)
    }

    #[test]
    fn a_sharp_edge_is_exact_at_any_angle() {
        for (g, angle) in [(0.1, 0.0), (0.1, 0.4), (0.3, 0.7), (0.45, 0.05)] {
            let (sin, cos) = libm::sincos(angle);
            let s = (g * g + 1.0 / 12.0_f64).sqrt();
            for i in -20..=20 {
                let d = f64::from(i) / 10.0;
                let ours =
                    sharp(d as f32, g as f32, s as f32, (cos / 2.0) as f32, (sin / 2.0) as f32);
                let exact = integrated(d, g, angle);
                assert!((f64::from(ours.value) - exact).abs() < 4e-4, "g {g} angle {angle} d {d}");
                let slope =
                    (integrated(d - 1e-3, g, angle) - integrated(d + 1e-3, g, angle)) / 2e-3;
                assert!(
                    (f64::from(ours.density) - slope).abs() < 2e-2,
                    "g {g} angle {angle} d {d}"
                );
            }
        }
    }

    #[test]
    fn the_mean_square_along_a_line_is_that_of_its_points_in_the_pixel() {
        for angle in [0.0_f64, 0.2, 0.6, 0.8, 1.3] {
            let (sin, cos) = libm::sincos(angle);
            let mut mean = (0.0, 0.0);
            for i in -70..=70 {
                let n = f64::from(i) / 100.0;
                let inside: Vec<f64> = (-8000..=8000)
                    .map(|k| f64::from(k) / 1e4)
                    .filter(|t| {
                        (n * cos - t * sin).abs() <= 0.5 && (n * sin + t * cos).abs() <= 0.5
                    })
                    .collect();
                if inside.len() < 100 {
                    continue;
                }
                let exact = inside.iter().map(|t| t * t).sum::<f64>() / inside.len() as f64;
                let ours = f64::from(along(n as f32, (cos / 2.0) as f32, (sin / 2.0) as f32));
                assert!((ours - exact).abs() < 6e-3, "angle {angle} n {n}: {ours} {exact}");
                mean.0 += ours * inside.len() as f64;
                mean.1 += inside.len() as f64;
            }
            assert!((mean.0 / mean.1 - 1.0 / 12.0).abs() < 1e-3, "angle {angle}");
        }
    }

    #[test]
    fn a_soft_edge_meets_the_sharp_one_where_they_change_over() {
        let g = f64::from(SHARP);
        let s = (g * g + 1.0 / 12.0).sqrt();
        for angle in [0.0, 0.3, 0.8] {
            let (sin, cos) = libm::sincos(angle);
            let (c4, c6) = (cos.powi(4) + sin.powi(4), cos.powi(6) + sin.powi(6));
            for i in -20..=20 {
                let d = f64::from(i) / 10.0;
                let ours = soft(d as f32, s as f32, c4 as f32, c6 as f32);
                let exact = integrated(d, g, angle);
                assert!((f64::from(ours.value) - exact).abs() < 1.5e-3, "angle {angle} d {d}");
            }
        }
    }

    #[test]
    fn a_blurred_root_is_that_of_the_integral() {
        let exact = |t: f64| {
            let steps = 40_000;
            let width = 8.0 + t.max(0.0);
            // Over m = sqrt(t + n), where nothing has a corner.
            let most = width.sqrt();
            let at = |i: i32| (f64::from(i) + 0.5) / f64::from(steps) * most;
            let density = |n: f64| libm::exp(-0.5 * n * n) / std::f64::consts::TAU.sqrt();
            let sum: f64 =
                (0..steps).map(|i| 2.0 * at(i).powi(2) * density(at(i).powi(2) - t)).sum();
            sum * most / f64::from(steps)
        };
        for i in -30..=80 {
            let t = f64::from(i) / 10.0;
            let (root, slope) = blurred_root(t as f32);
            assert!((f64::from(root) - exact(t)).abs() < 0.0015, "at {t}: {root}, {}", exact(t));
            let rise = (exact(t + 1e-3) - exact(t - 1e-3)) / 2e-3;
            assert!((f64::from(slope) - rise).abs() < 0.1 * rise + 0.01, "at {t}: {slope}, {rise}");
        }
    }
}
