//! Radius and coverage: rays from a centre look for the edge, a robust fit to
//! what they hit moves the circle, and the share of rays that hit it is the
//! angular coverage.

use crate::{
    image::{Image, Weights},
    linalg,
};

/// A circle in the coordinates of the picture at hand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circle {
    /// Centre, column.
    pub x: f64,
    /// Centre, row.
    pub y: f64,
    /// Radius.
    pub r: f64,
}

/// A circle with what the rays saw of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ring {
    /// Where it is.
    pub circle: Circle,
    /// Share of the rays inside the picture that meet the edge at the circle.
    pub coverage: f32,
    /// Share of the rays that stay inside the picture.
    pub visible: f32,
    /// Median of (inside - outside), in grey levels.
    pub contrast: f32,
    /// Median steepness at the edge, in grey levels a pixel.
    pub slope: f32,
    /// Root mean square distance of the edge points from the circle.
    pub spread: f32,
}

impl Ring {
    /// The standard deviation of the edge's profile that its steepness tells.
    ///
    /// The steepness is a difference over 2 pixels: `erf(1 / (sqrt(2) s))` of
    /// the contrast for a Gaussian edge, in which the bilinear samples are worth
    /// a variance of 1/6. The inverse of erf is Winitzki's.
    pub fn width(&self) -> f64 {
        const A: f64 = 0.147;
        let q = f64::from(2.0 * self.slope / self.contrast).clamp(0.05, 0.999);
        let log = libm::log(1.0 - q * q);
        let half = 2.0 / (std::f64::consts::PI * A) + log / 2.0;
        let inverse = ((half * half - log / A).sqrt() - half).sqrt();
        let variance = 0.5 / (inverse * inverse) - 1.0 / 6.0;
        variance.max(0.08).sqrt()
    }
}

/// Directions that are looked at.
pub const RAYS: usize = 64;
const MAX_SAMPLES: usize = 28;

/// Unit vectors and scratch memory.
#[derive(Debug)]
pub struct Rays {
    directions: [(f32, f32); RAYS],
}

impl Default for Rays {
    fn default() -> Self {
        let mut directions = [(0.0, 0.0); RAYS];
        for (i, d) in directions.iter_mut().enumerate() {
            let (s, c) = libm::sincosf(std::f32::consts::TAU * (i as f32 + 0.5) / RAYS as f32);
            *d = (c, s);
        }
        Self { directions }
    }
}

impl Rays {
    /// Moves `circle` to the edge points that rays find within `window` pixels
    /// of it. An edge counts from a drop of `step` grey levels over 2 pixels on.
    pub fn fit(
        &self,
        image: &Image<'_>,
        weights: &Weights,
        circle: Circle,
        window: f32,
        sign: f32,
        step: f32,
    ) -> Option<Ring> {
        // A degenerate fit can end in any radius, a negative one included.
        if !(circle.r >= 1.0 && circle.r < 1e5 && window >= 1.0) {
            return None;
        }
        let mut rho = [f64::NAN; RAYS];
        let mut slopes = [0.0_f32; RAYS];
        let mut contrasts = [0.0_f32; RAYS];
        let (mut found, mut visible) = (0, 0);
        let first = (circle.r as f32 - window - 1.0).max(0.0);
        let n = (((circle.r as f32 + window + 1.0 - first) / 0.5) as usize + 1).min(MAX_SAMPLES);
        for (i, &(dx, dy)) in self.directions.iter().enumerate() {
            let at = |k: usize| {
                let rho = first + 0.5 * k as f32;
                (circle.x as f32 + dx * rho, circle.y as f32 + dy * rho)
            };
            let (from, to) = (at(0), at(n - 1));
            if !image.contains(from.0, from.1) || !image.contains(to.0, to.1) {
                continue;
            }
            let mut values = [0.0_f32; MAX_SAMPLES];
            for (k, value) in values[..n].iter_mut().enumerate() {
                let (x, y) = at(k);
                *value = sign * image.sample_inside(x, y, weights);
            }
            let m = n;
            visible += 1;
            let drop = |k: usize| values[k - 2] - values[k + 2];
            let Some(k) = (2..m - 2).max_by(|&a, &b| drop(a).total_cmp(&drop(b))) else { continue };
            if drop(k) < step {
                continue;
            }
            let shift = if k > 2 && k + 3 < m {
                let (a, b, c) = (drop(k - 1), drop(k), drop(k + 1));
                let bend = a - 2.0 * b + c;
                if bend < 0.0 { (0.5 * (a - c) / bend).clamp(-0.5, 0.5) } else { 0.0 }
            } else {
                0.0
            };
            rho[i] = f64::from(first + 0.5 * (k as f32 + shift));
            slopes[found] = drop(k) / 2.0;
            contrasts[found] = values[0].max(values[1]) - values[m - 1].min(values[m - 2]);
            found += 1;
        }
        if visible < RAYS / 4 || found < 8 {
            return None;
        }
        let (fitted, spread, hits) = self.robust_circle(circle, &rho)?;
        Some(Ring {
            circle: fitted,
            coverage: hits as f32 / visible as f32,
            visible: visible as f32 / RAYS as f32,
            contrast: median(&mut contrasts[..found]),
            slope: median(&mut slopes[..found]),
            spread,
        })
    }

    /// Reweighted least squares on rho = r + dx cos + dy sin. Returns the
    /// circle, the spread of the points on it, and their number.
    fn robust_circle(&self, circle: Circle, rho: &[f64; RAYS]) -> Option<(Circle, f32, usize)> {
        let mut centre = [0.0, 0.0, circle.r];
        let residual = |p: &[f64; 3], i: usize| {
            let (c, s) = self.directions[i];
            rho[i] - (p[2] + p[0] * f64::from(c) + p[1] * f64::from(s))
        };
        let mut scale = f64::INFINITY;
        for round in 0..6 {
            let mut a = [[0.0; 3]; 3];
            let mut b = [0.0; 3];
            for (i, &measured) in rho.iter().enumerate() {
                if measured.is_nan() {
                    continue;
                }
                let e = residual(&centre, i);
                let w = if round == 0 { 1.0 / (1.0 + e * e) } else { tukey(e, 4.0 * scale) };
                let (c, s) = self.directions[i];
                let row = [f64::from(c), f64::from(s), 1.0];
                for j in 0..3 {
                    for k in 0..=j {
                        a[j][k] += w * row[j] * row[k];
                    }
                    b[j] += w * row[j] * measured;
                }
            }
            let old = centre;
            centre = linalg::solve(&a, &b, 3)?;
            let moved = (0..3).map(|k| (centre[k] - old[k]).abs()).fold(0.0, f64::max);
            let mut sizes = [0.0_f32; RAYS];
            let mut n = 0;
            for i in (0..RAYS).filter(|&i| !rho[i].is_nan()) {
                sizes[n] = residual(&centre, i).abs() as f32;
                n += 1;
            }
            scale = f64::from(1.4826 * median(&mut sizes[..n])).max(0.05);
            if round >= 2 && moved < 0.01 {
                break;
            }
        }
        let tolerance = (3.0 * scale).clamp(0.6, 1.0);
        let (mut sum, mut hits) = (0.0, 0);
        for i in 0..RAYS {
            let e = residual(&centre, i);
            if e.abs() <= tolerance {
                sum += e * e;
                hits += 1;
            }
        }
        let fitted = Circle { x: circle.x + centre[0], y: circle.y + centre[1], r: centre[2] };
        (hits >= 6).then(|| (fitted, (sum / f64::from(hits)).sqrt() as f32, hits as usize))
    }
}

fn tukey(e: f64, limit: f64) -> f64 {
    let t = e / limit;
    if t.abs() < 1.0 { (1.0 - t * t) * (1.0 - t * t) } else { 0.0 }
}

/// Median; sorts what it is given.
pub fn median(values: &mut [f32]) -> f32 {
    let mid = values.len() / 2;
    *values.select_nth_unstable_by(mid, f32::total_cmp).1
}

impl Rays {
    /// The weights under which a disc stands out most from its surroundings
    /// when the noise of the channels is alike: its contrast, channel by
    /// channel, at unit length. Also returns the disc's sign under them, which
    /// keeps the sense of the sum of the channels.
    pub fn channel_weights(&self, image: &Image<'_>, circle: &Circle) -> Option<(Weights, f32)> {
        let mut contrast = [0.0_f32; 3];
        let (x, y, r) = (circle.x as f32, circle.y as f32, circle.r as f32);
        for (c, contrast) in contrast.iter_mut().enumerate() {
            let mut weights = [0.0; 3];
            weights[c] = 1.0;
            let (mut values, mut n) = ([0.0_f32; RAYS], 0);
            for &(dx, dy) in self.directions.iter().step_by(2) {
                let (inner, outer) = ((r - 2.0).min(0.8 * r), (r + 2.0).max(1.2 * r));
                let inside = image.sample(x + dx * inner, y + dy * inner, &weights);
                let outside = image.sample(x + dx * outer, y + dy * outer, &weights);
                if let (Some(a), Some(b)) = (inside, outside) {
                    values[n] = a - b;
                    n += 1;
                }
            }
            if n < 8 {
                return None;
            }
            *contrast = median(&mut values[..n]);
        }
        let length = contrast.iter().map(|v| v * v).sum::<f32>().sqrt();
        if length < 1.0 {
            return None;
        }
        let sign = if contrast.iter().sum::<f32>() >= 0.0 { 1.0 } else { -1.0 };
        Some((contrast.map(|v| sign * v / length), sign))
    }
}
