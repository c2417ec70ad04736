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
//! would, and so do terms of second order when there is shading. Where the edge
//! is shifted by twice the angle, as in an ellipse or a disc in motion, r and s
//! get terms in cos 2t and sin 2t. In directions whose level has structure (a
//! highlight, a texture) only the rim counts. Where it is noisier inside than
//! outside, or the other way, the pixels are weighed by it. With gross outliers,
//! Tukey's weights come in and sectors that are hidden are left out.

mod kernel;
mod sectors;

use kernel::{BASE, CURVED, MIN_WIDTH, N, Pixels, ROUND, Sums, Weighing, accumulate, chosen};

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
/// A fit whose step is below this multiple of [`CLOSE_ENOUGH`] is examined.
const NEARLY: f64 = 4.0;
/// Chi squared from which a disc is not round: chance has it once in 10^5.
const SHAPED: f32 = 24.0;
/// The largest deviation from a circle, as a share of the radius: a disc that
/// is seen at 45 degrees.
const FLATTEST: f64 = 0.18;
/// A single residual from which on, in grey levels, a pixel is taken for defect.
const DEFECT: f32 = 12.0;
/// Rounds before a fit with outliers may end: the limit narrows until then.
const ROBUST_ROUNDS: usize = 4;
/// A fit with less support than this after the tests is given up.
const HOPELESS: f64 = 0.3;
/// A fit that wanders further than this from where it began is lost.
const CAPTURE: f64 = 4.0;

/// Variance of rounding to bytes. Flat parts of a clean picture show none of
/// it, but the edge, which tells the position, does.
const ROUNDING: f64 = 1.0 / 12.0;
/// Without noise the rounding errors along a rim are not independent, which is
/// worth this factor in the variance. Measured: e' S^-1 e was 1.9 to 2.4 without
/// it on clean discs of different radii and blurs.
const ALIKE: f64 = 1.15;

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
        let mut weighing = Weighing { limit: f32::INFINITY, excess: 0.0 };
        let mut sums = accumulate(&mut self.pixels, &p, weighing, &active);
        weighing.limit = self.limit(&mut 1.0, 0);
        let mut left = 1.0;
        let mut at_bound = 0;
        let mut examined = false;
        for round in 0..MAX_ROUNDS {
            let testing = TESTS.contains(&round);
            let mut wanted = active;
            if testing {
                wanted[BASE..ROUND].fill(true);
            }
            // The first pass serves unless it showed outliers.
            if round > 0 || weighing.limit < f32::INFINITY {
                sums = accumulate(&mut self.pixels, &p, weighing, &wanted);
            }
            let mut changed = testing && choose_terms(&sums, &mut active, &LINEAR);
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
            if p[ROUND].hypot(p[ROUND + 1]) > FLATTEST * p[2] {
                return None;
            }
            if p[0].hypot(p[1]) > CAPTURE || (p[2] - start.r).abs() > CAPTURE {
                return None;
            }
            let least = if weighing.limit < f32::INFINITY { ROBUST_ROUNDS } else { TESTS[1] };
            // Once the fit is near its end, what it leaves is looked at.
            if round >= least
                && !changed
                && !examined
                && (size < NEARLY * close || round > ROBUST_ROUNDS)
            {
                examined = true;
                changed = self.extend(&p, variance, left, &mut active, &mut weighing);
                // Light that changes along the rim is seldom linear.
                if active[BASE] {
                    sums = accumulate(&mut self.pixels, &p, weighing, &[true; N]);
                    let strong = p[8].hypot(p[9]) > STRONG * p[5].abs();
                    let groups = if strong { &STRONG_CURVATURE } else { &CURVATURE };
                    changed |= choose_terms(&sums, &mut active, groups);
                }
            }
            if round >= least && size < close && !changed {
                break;
            }
            if round == TESTS[1] && self.support(&p, variance) < HOPELESS {
                return None;
            }
            // Masks are made before the examination, which narrows them.
            let step = if examined { ROBUST_ROUNDS } else { round + 1 };
            weighing.limit = self.limit(&mut left, step);
        }
        let free = active.iter().filter(|a| **a).count() as f64;
        let variance = (sums.chi2 / (sums.weight - free).max(1.0)).max(ALIKE * ROUNDING);
        self.report(start, &p, &sums, &active, variance)
    }

    /// Adds to the model what the residuals ask for. Returns whether it did.
    fn extend(
        &mut self,
        p: &[f64; N],
        variance: f64,
        left: f32,
        active: &mut [bool; N],
        weighing: &mut Weighing,
    ) -> bool {
        let found = sectors::misfit(&self.pixels, variance as f32);
        let shaped = found.shape > SHAPED && left > 0.8;
        if shaped {
            active[ROUND..CURVED].fill(true);
        }
        let uneven = found.uneven != [0; 2];
        if uneven {
            let circle = (p[0] as f32, p[1] as f32, p[2] as f32);
            let reach = (1.7 * p[3] + 0.7) as f32;
            sectors::keep_rim(&mut self.pixels, found.uneven, circle, reach);
        }
        let excess = self.excess_inside();
        let noisier = (excess + 1.0).max(1.0 / (excess + 1.0)) > 1.25;
        if noisier {
            weighing.excess = excess;
        }
        shaped || uneven || noisier
    }

    /// Variance of the residuals inside over that outside, less 1.
    fn excess_inside(&self) -> f32 {
        let pixels = &self.pixels;
        let mut sums = [(0.0_f32, 0.0_f32); 2];
        for i in 0..pixels.len() {
            let f = pixels.share[i];
            if pixels.mask[i] > 0.0 && !(0.02..=0.98).contains(&f) {
                let sum = &mut sums[usize::from(f > 0.5)];
                // A few gross ones must not decide.
                sum.0 += pixels.residual[i].abs();
                sum.1 += 1.0;
            }
        }
        if sums[0].1 < 64.0 || sums[1].1 < 64.0 {
            return 0.0;
        }
        let rms = |(sum, n): (f32, f32)| (sum / n * 1.2533).powi(2) + ROUNDING as f32;
        (rms(sums[1]) / rms(sums[0])).clamp(0.05, 20.0) - 1.0
    }

    fn report(
        &mut self,
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

    fn support(&mut self, p: &[f64; N], variance: f64) -> f64 {
        // A misfit must not pass for noise: it raises the variance, but hardly
        // the difference between a pixel's residual and its neighbour's.
        let noise = (variance.sqrt() as f32).min(self.grain());
        f64::from(sectors::support(&self.pixels, p[2] as f32, p[5] as f32, noise))
    }

    /// Standard deviation that the median difference of neighbouring residuals
    /// tells.
    fn grain(&mut self) -> f32 {
        let Pixels { dx, dy, residual, .. } = &self.pixels;
        let step = (residual.len() / 1024).max(1);
        self.scratch.clear();
        self.scratch.extend(
            (1..residual.len())
                .step_by(step)
                .filter(|&i| dy[i] == dy[i - 1] && dx[i] - dx[i - 1] < 1.5)
                .map(|i| (residual[i] - residual[i - 1]).abs()),
        );
        if self.scratch.is_empty() {
            return f32::INFINITY;
        }
        let scale = 1.4826 * std::f32::consts::FRAC_1_SQRT_2;
        (scale * median(&mut self.scratch)).max(ROUNDING.sqrt() as f32)
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
            // Single pixels that have nothing to do with the picture.
            let defects = pixels.residual.iter().any(|e| e.abs() > gross.max(DEFECT));
            return if defects && round > 0 { gross.max(DEFECT) } else { f32::INFINITY };
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

/// Terms that join together, when chi squared falls by more than this.
type Group = (std::ops::Range<usize>, f64);

/// Shading and slopes: 1 of 500 cases without them has as much.
const LINEAR: [Group; 2] = [(BASE..10, 18.0), (10..ROUND, 14.0)];
/// Light that is curved: 1 of 1000 cases without it has as much.
const CURVATURE: [Group; 1] = [(CURVED..N, 22.0)];
/// The same where the contrast changes much along the rim: what chance has on
/// average. Left out below the other threshold, it pulled the centre by up to 8
/// deviations there.
const STRONG_CURVATURE: [Group; 1] = [(CURVED..N, 6.0)];
/// Change of the contrast along the rim, as a share, from which that holds.
const STRONG: f64 = 0.25;

/// Lets groups of terms join for which chi squared falls by more than noise
/// would make it. Returns whether one did.
fn choose_terms(sums: &Sums, active: &mut [bool; N], groups: &[Group]) -> bool {
    let variance = (sums.chi2 / (sums.weight - 8.0).max(1.0)).max(ROUNDING);
    let before = *active;
    for (group, worth) in groups.iter().cloned() {
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

/// Solves for the active unknowns; also returns by how much chi squared falls.
fn solve(sums: &Sums, active: &[bool; N]) -> Option<([f64; N], f64)> {
    let x = solve_for(&sums.a, &sums.b, active)?;
    Some((x, x.iter().zip(&sums.b).map(|(x, b)| x * b).sum()))
}

fn solve_for(a: &[[f64; N]; N], b: &[f64; N], active: &[bool; N]) -> Option<[f64; N]> {
    let (index, n) = chosen(active);
    let index = &index[..n];
    let mut dense = [[0.0; N]; N];
    let mut right = [0.0; N];
    for (i, &row) in index.iter().enumerate() {
        for (j, &column) in index[..=i].iter().enumerate() {
            dense[i][j] = a[row][column];
        }
        right[i] = b[row];
    }
    let x = linalg::solve(&dense, &right, n)?;
    let mut out = [0.0; N];
    for (&row, x) in index.iter().zip(x) {
        out[row] = x;
    }
    Some(out)
}
