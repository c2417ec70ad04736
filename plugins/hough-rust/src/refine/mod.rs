//! Maximum-likelihood fit of a blurred disc at full resolution.
//!
//! Model of a pixel at distance rho from the centre, with (u, v) its offset
//! from the centre over the radius and F the disc's share of the pixel:
//!
//! ```text
//! d = rho + s^2 / (rho + r) - r      a blur of s moves a curved edge inwards
//! F = share of the pixel inside a blurred edge at distance d (`edge_model`)
//! I = (B + Bu u + Bv v + Bd d (1 - F)) + (A + Au u + Av v + Ad d) F
//! ```
//!
//! `s^2 / (rho + r)` is the expansion of the exact profile of a blurred disc
//! (Marcum's Q function) to second order in s / r.
//!
//! Gauss-Newton over the pixels of an annulus. Shading terms (Au, Av, Bu, Bv)
//! and slopes (Ad, Bd) join when they lower chi squared by more than noise
//! would; with gross outliers, Tukey's weights come in and sectors that are
//! hidden are left out.

mod kernel;
mod sectors;

use kernel::{BASE, MIN_WIDTH, N, Pixels, Sums, accumulate};

use crate::{
    image::{Image, Weights},
    linalg,
    rays::{Circle, median},
};

/// Result of a fit.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// Where the disc is, at full resolution.
    pub circle: Circle,
    /// Width of the edge (standard deviation, pixels), sampling included.
    pub width: f64,
    /// Grey levels inside minus outside.
    pub contrast: f64,
    /// Standard deviation of the residuals, grey levels.
    pub noise: f64,
    /// Covariance of (x, y, r), square pixels.
    pub covariance: [[f64; 3]; 3],
    /// Share of the directions in which the picture agrees with the disc.
    pub support: f64,
}

/// Fits discs; keeps its memory.
#[derive(Debug, Default)]
pub struct Refiner {
    pixels: Pixels,
    scratch: Vec<f32>,
}

/// Passes over the pixels, at most; three to five are usual.
const MAX_ROUNDS: usize = 14;
/// A step below this share of the answer's standard deviation ends the fit.
const CLOSE_ENOUGH: f64 = 0.1;
/// Rounds in which further terms may join.
const TESTS: [usize; 2] = [1, 2];
/// Rounds before a fit with outliers may end: the limit narrows until then.
const ROBUST_ROUNDS: usize = 4;
/// A fit with less support than this after the tests is given up.
const HOPELESS: f64 = 0.3;
/// A fit that wanders further than this from where it began is lost.
const CAPTURE: f64 = 4.0;

/// Variance of rounding to bytes. Flat parts of a clean picture show none of
/// it, but the edge, which tells the position, does.
const ROUNDING: f64 = 1.0 / 12.0;

impl Refiner {
    /// Fits a disc that lies within about 2 pixels of `start`, with an edge
    /// of about `width` and `contrast` grey levels (positive: brighter).
    pub fn fit(
        &mut self,
        image: &Image<'_>,
        weights: &Weights,
        start: Circle,
        width: f64,
        contrast: f64,
    ) -> Option<Fit> {
        let width = width.clamp(0.35, start.r / 2.5);
        let reach = (3.0 * width + 2.5).clamp(3.5, (0.9 * start.r).max(3.5));
        self.gather(image, weights, start, reach);
        let n = self.pixels.len();
        if n < 40 {
            return None;
        }
        let mut p = self.first_guess(start.r, width, contrast);
        let mut active = [true; N];
        active[BASE..].fill(false);
        let mut sums = accumulate(&mut self.pixels, &p, f32::INFINITY, BASE);
        let mut limit = self.limit(&mut 1.0, 0);
        let mut left = 1.0;
        let mut at_bound = 0;
        for round in 0..MAX_ROUNDS {
            let testing = TESTS.contains(&round);
            let rows = if testing || extended(&active) { N } else { BASE };
            // The first pass serves unless it showed outliers.
            if round > 0 || limit < f32::INFINITY {
                sums = accumulate(&mut self.pixels, &p, limit, rows);
            }
            let changed = testing && choose_terms(&sums, &mut active);
            let (step, _) = solve(&sums, &active)?;
            let size = step[0].abs().max(step[1].abs()).max(step[2].abs()).max(0.3 * step[3].abs());
            let variance = (sums.chi2 / (sums.weight - 8.0).max(1.0)).max(ROUNDING);
            let close = CLOSE_ENOUGH * (variance / sums.a[0][0].max(1e-9)).sqrt();
            let gain = if size > 1.0 { 1.0 / size } else { 1.0 };
            for k in 0..N {
                p[k] += gain * step[k];
            }
            // A sharp edge pulls the width below what sampling allows, again
            // and again; the second time it stays there.
            if p[3] < MIN_WIDTH {
                p[3] = MIN_WIDTH;
                at_bound += 1;
            }
            active[3] = at_bound < 2;
            p[3] = p[3].min(start.r / 2.0);
            if p[0].hypot(p[1]) > CAPTURE || (p[2] - start.r).abs() > CAPTURE {
                return None;
            }
            let least = if limit < f32::INFINITY { ROBUST_ROUNDS } else { TESTS[1] };
            if round >= least && size < close && !changed {
                break;
            }
            if round == TESTS[1] && self.support(&p, variance) < HOPELESS {
                return None;
            }
            limit = self.limit(&mut left, round + 1);
        }
        let free = active.iter().filter(|a| **a).count() as f64;
        let variance = (sums.chi2 / (sums.weight - free).max(1.0)).max(ROUNDING);
        self.report(start, &p, &sums, &active, variance)
    }

    fn report(
        &self,
        start: Circle,
        p: &[f64; N],
        sums: &Sums,
        active: &[bool; N],
        variance: f64,
    ) -> Option<Fit> {
        let mut covariance = [[0.0; 3]; 3];
        for (k, column) in covariance.iter_mut().enumerate() {
            let mut unit = [0.0; N];
            unit[k] = variance;
            let x = solve_for(&sums.a, &unit, active)?;
            column.copy_from_slice(&x[..3]);
        }
        Some(Fit {
            circle: Circle { x: start.x + p[0], y: start.y + p[1], r: p[2] },
            width: p[3],
            contrast: p[5],
            noise: variance.sqrt(),
            covariance,
            support: self.support(p, variance),
        })
    }

    fn support(&self, p: &[f64; N], variance: f64) -> f64 {
        let noise = variance.sqrt() as f32;
        f64::from(sectors::support(&self.pixels, p[2] as f32, p[5] as f32, noise))
    }

    fn gather(&mut self, image: &Image<'_>, weights: &Weights, circle: Circle, reach: f64) {
        self.pixels.clear();
        let outer = circle.r + reach;
        let inner = (circle.r - reach).max(0.0);
        let top = (circle.y - outer).ceil().max(0.0) as isize;
        let bottom = (circle.y + outer).floor().min(image.height as f64 - 1.0) as isize;
        for y in top..=bottom {
            let dy = y as f64 - circle.y;
            let half = (outer * outer - dy * dy).max(0.0).sqrt();
            let hole = (inner * inner - dy * dy).max(0.0).sqrt();
            let pixels = &mut self.pixels;
            let mut span = |from: f64, to: f64| {
                let from = from.ceil().max(0.0) as isize;
                let to = to.floor().min(image.width as f64 - 1.0) as isize;
                for x in from..=to {
                    pixels.dx.push((x as f64 - circle.x) as f32);
                    pixels.dy.push(dy as f32);
                    pixels.value.push(image.pixel(x as usize, y as usize, weights));
                }
            };
            if hole > 0.5 {
                span(circle.x - half, circle.x - hole);
                span(circle.x + hole, circle.x + half);
            } else {
                span(circle.x - half, circle.x + half);
            }
        }
        self.pixels.seal();
    }

    /// Levels from medians inside and outside, which a hidden part leaves alone.
    fn first_guess(&mut self, r: f64, width: f64, contrast: f64) -> [f64; N] {
        let mut levels = [0.0; 2];
        for (inside, level) in levels.iter_mut().enumerate() {
            self.scratch.clear();
            let pixels = &self.pixels;
            for ((dx, dy), v) in pixels.dx.iter().zip(&pixels.dy).zip(&pixels.value) {
                let d = f64::from((dx * dx + dy * dy).sqrt()) - r;
                if (inside == 1 && d < -width) || (inside == 0 && d > width) {
                    self.scratch.push(*v);
                }
            }
            if !self.scratch.is_empty() {
                *level = f64::from(median(&mut self.scratch));
            }
        }
        let [outside, inside] = levels;
        let mut p = [0.0; N];
        (p[2], p[3], p[4], p[5]) = (r, width, outside, inside - outside);
        if (p[5] > 0.0) != (contrast > 0.0) {
            p[5] = contrast;
        }
        p
    }

    /// Residuals beyond this are outliers: infinity when there are none to
    /// speak of. Sectors full of them are masked.
    fn limit(&mut self, left: &mut f32, round: usize) -> f32 {
        let pixels = &self.pixels;
        let step = (pixels.len() / 1024).max(1) | 1;
        self.scratch.clear();
        let kept =
            pixels.residual.iter().zip(&pixels.mask).step_by(step).filter(|(_, m)| **m > 0.0);
        self.scratch.extend(kept.map(|(e, _)| e.abs()));
        if self.scratch.is_empty() {
            return f32::INFINITY;
        }
        let mut typical = median(&mut self.scratch);
        // A clean picture's flat parts say nothing of how well the edge fits.
        self.scratch.clear();
        let rim = pixels.residual.iter().zip(&pixels.share).zip(&pixels.mask);
        let rim = rim.filter(|((_, f), m)| **m > 0.0 && **f > 0.05 && **f < 0.95);
        self.scratch.extend(rim.step_by(step).map(|((e, _), _)| e.abs()));
        if self.scratch.len() > 16 {
            typical = typical.max(0.4 * median(&mut self.scratch));
        }
        let scale = (1.4826 * typical).max(0.3);
        let gross = 6.0 * scale;
        let outliers = pixels.residual.iter().filter(|e| e.abs() > gross).count();
        if outliers * 200 < pixels.len() {
            return f32::INFINITY;
        }
        if round == 1 || round == 3 {
            *left = sectors::mask_hidden(&mut self.pixels, gross);
        }
        // Generous while the guess is rough.
        match round {
            0 => 8.0 * scale,
            1 => 6.0 * scale,
            _ => 5.0 * scale,
        }
    }
}

/// Lets groups of terms join for which chi squared falls by more than in
/// 1 of 500 cases without them (18 for four terms, 14 for two).
fn choose_terms(sums: &Sums, active: &mut [bool; N]) -> bool {
    let variance = (sums.chi2 / (sums.weight - 8.0).max(1.0)).max(ROUNDING);
    let before = *active;
    for (group, worth) in [(6..10, 18.0), (10..12, 14.0)] {
        if active[group.start] {
            continue;
        }
        let mut more = *active;
        more[group].fill(true);
        let (Some(now), Some(then)) = (solve(sums, active), solve(sums, &more)) else {
            continue;
        };
        if (then.1 - now.1) / variance > worth {
            *active = more;
        }
    }
    *active != before
}

/// Whether a term beyond the plain disc is active.
fn extended(active: &[bool; N]) -> bool {
    active[BASE..].iter().any(|a| *a)
}

/// Solves for the active unknowns; also returns by how much chi squared falls.
fn solve(sums: &Sums, active: &[bool; N]) -> Option<([f64; N], f64)> {
    let x = solve_for(&sums.a, &sums.b, active)?;
    Some((x, x.iter().zip(&sums.b).map(|(x, b)| x * b).sum()))
}

fn solve_for(a: &[[f64; N]; N], b: &[f64; N], active: &[bool; N]) -> Option<[f64; N]> {
    let mut index = [0; N];
    let mut n = 0;
    for k in (0..N).filter(|&k| active[k]) {
        index[n] = k;
        n += 1;
    }
    let mut dense = [[0.0; N]; N];
    let mut right = [0.0; N];
    for i in 0..n {
        for j in 0..=i {
            dense[i][j] = a[index[i]][index[j]];
        }
        right[i] = b[index[i]];
    }
    let x = linalg::solve(&dense, &right, n)?;
    let mut out = [0.0; N];
    for i in 0..n {
        out[index[i]] = x[i];
    }
    Some(out)
}
