//! Maximum-likelihood fit of a blurred disc at full resolution.
//!
//! Model of a pixel at distance rho from the centre, with (u, v) its offset
//! from the centre over the radius and F the disc's share of the pixel:
//!
//! ```text
//! d = rho + s^2 / (2 rho) - r        a blur of s moves a curved edge inwards
//! F = 1 - Phi(d / s)
//! I = (B + Bu u + Bv v + Bd d (1 - F)) + (A + Au u + Av v + Ad d) F
//! ```
//!
//! Gauss-Newton over the pixels of an annulus. Shading terms (Au, Av, Bu, Bv)
//! and slopes (Ad, Bd) join when they lower chi squared by more than noise
//! would, Tukey's weights when there are gross outliers.

use crate::{
    edge_model::normal,
    image::{Image, Weights},
    linalg,
    rays::{Circle, median},
    simd::dispatch,
};

/// x, y, r, s, B, A, then shading Bu, Bv, Au, Av, then slopes Bd, Ad.
const N: usize = 12;
const BASE: usize = 6;
const BLOCK: usize = 64;
/// Elements of a symmetric N x N matrix, then N of the right side.
const SUMS: usize = N * (N + 1) / 2 + N;

/// Result of a fit.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// Where the disc is, at full resolution.
    pub circle: Circle,
    /// Width of the edge's blur (standard deviation, pixels), sampling included.
    pub blur: f64,
    /// Grey levels inside minus outside.
    pub contrast: f64,
    /// Standard deviation of the residuals, grey levels.
    pub noise: f64,
    /// Covariance of (x, y, r), square pixels.
    pub covariance: [[f64; 3]; 3],
    /// Share of the annulus' variance that the disc explains.
    pub explained: f64,
}

/// Fits discs; keeps its memory.
#[derive(Debug, Default)]
pub struct Refiner {
    dx: Vec<f32>,
    dy: Vec<f32>,
    value: Vec<f32>,
    residual: Vec<f32>,
    scratch: Vec<f32>,
}

struct Sums {
    a: [[f64; N]; N],
    b: [f64; N],
    chi2: f64,
    weight: f64,
}

impl Refiner {
    /// Fits a disc that lies within about 2 pixels of `start`, with an edge
    /// blur of about `blur`.
    pub fn fit(
        &mut self,
        image: &Image<'_>,
        weights: &Weights,
        start: Circle,
        blur: f64,
        contrast: f64,
    ) -> Option<Fit> {
        let blur = blur.clamp(0.3, start.r / 2.0);
        let reach = (3.0 * blur + 1.5).clamp(3.0, start.r.max(4.0));
        self.gather(image, weights, start, reach);
        let n = self.value.len();
        if n < 40 {
            return None;
        }
        self.residual.clear();
        self.residual.resize(n, 0.0);
        let mut p = self.first_guess(start.r, blur, contrast);
        let mut active = [true; N];
        active[BASE..].fill(false);
        let mut limit = f32::INFINITY;
        let mut sums;
        let mut variance = 0.0;
        for round in 0..14 {
            sums = self.accumulate(&p, limit);
            let scale = self.scale();
            variance = (sums.chi2 / (sums.weight - 8.0).max(1.0)).max(1e-4);
            if round >= 2 {
                Self::choose_terms(&sums, variance, &mut active);
            }
            let step = solve(&sums, &active)?.0;
            let (mut size, mut gain) = (0.0_f64, 1.0_f64);
            for k in 0..3 {
                size = size.max(step[k].abs());
            }
            size = size.max(0.3 * step[3].abs());
            if size > 1.0 {
                gain = 1.0 / size;
            }
            for k in 0..N {
                p[k] += gain * step[k];
            }
            p[3] = p[3].clamp(0.15, start.r / 2.0);
            if p[0].hypot(p[1]) > 4.0 || (p[2] - start.r).abs() > 4.0 {
                return None;
            }
            let outliers = self.residual.iter().filter(|e| e.abs() > 5.0 * scale).count();
            let robust = outliers * 100 > n;
            limit = if robust && round >= 1 { 4.7 * scale } else { f32::INFINITY };
            if round >= 4 && size < 2e-5 {
                break;
            }
        }
        sums = self.accumulate(&p, limit);
        let free = active.iter().filter(|a| **a).count() as f64;
        variance = (sums.chi2 / (sums.weight - free).max(1.0)).max(variance * 0.25).max(1e-4);
        self.report(start, &p, &sums, &active, variance)
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
        let n = self.value.len() as f64;
        let mean = self.value.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let total = self.value.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>();
        let left = self.residual.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
        Some(Fit {
            circle: Circle { x: start.x + p[0], y: start.y + p[1], r: p[2] },
            blur: p[3],
            contrast: p[5],
            noise: variance.sqrt(),
            covariance,
            explained: 1.0 - left / total.max(1e-9),
        })
    }

    fn gather(&mut self, image: &Image<'_>, weights: &Weights, circle: Circle, reach: f64) {
        self.dx.clear();
        self.dy.clear();
        self.value.clear();
        let outer = circle.r + reach;
        let inner = (circle.r - reach).max(0.0);
        let top = (circle.y - outer).ceil().max(0.0) as usize;
        let bottom = (circle.y + outer).floor().min(image.height as f64 - 1.0) as isize;
        for y in top as isize..=bottom {
            let dy = y as f64 - circle.y;
            let half = (outer * outer - dy * dy).max(0.0).sqrt();
            let hole = if dy.abs() < inner { (inner * inner - dy * dy).sqrt() } else { 0.0 };
            let mut span = |from: f64, to: f64| {
                let from = from.ceil().max(0.0) as isize;
                let to = to.floor().min(image.width as f64 - 1.0) as isize;
                for x in from..=to {
                    self.dx.push((x as f64 - circle.x) as f32);
                    self.dy.push(dy as f32);
                    self.value.push(image.pixel(x as usize, y as usize, weights));
                }
            };
            if hole > 0.5 {
                span(circle.x - half, circle.x - hole);
                span(circle.x + hole, circle.x + half);
            } else {
                span(circle.x - half, circle.x + half);
            }
        }
    }

    fn first_guess(&mut self, r: f64, blur: f64, contrast: f64) -> [f64; N] {
        let mut levels = [0.0; 2];
        for (inside, level) in levels.iter_mut().enumerate() {
            self.scratch.clear();
            for ((dx, dy), v) in self.dx.iter().zip(&self.dy).zip(&self.value) {
                let d = f64::from((dx * dx + dy * dy).sqrt()) - r;
                if (inside == 1 && d < -blur) || (inside == 0 && d > blur) {
                    self.scratch.push(*v);
                }
            }
            if !self.scratch.is_empty() {
                *level = f64::from(median(&mut self.scratch));
            }
        }
        let [outside, inside] = levels;
        let mut p = [0.0; N];
        (p[2], p[3], p[4], p[5]) = (r, blur, outside, inside - outside);
        if (p[5] > 0.0) != (contrast > 0.0) {
            p[5] = contrast;
        }
        p
    }

    /// Robust standard deviation of the residuals, from a thousand of them.
    fn scale(&mut self) -> f32 {
        let step = (self.residual.len() / 1024).max(1) | 1;
        self.scratch.clear();
        self.scratch.extend(self.residual.iter().step_by(step).map(|e| e.abs()));
        (1.4826 * median(&mut self.scratch)).max(0.3)
    }

    fn accumulate(&mut self, p: &[f64; N], limit: f32) -> Sums {
        let mut raw = [0.0_f64; SUMS + 2];
        let p = p.map(|v| v as f32);
        normal_equations(&self.dx, &self.dy, &self.value, &mut self.residual, &p, limit, &mut raw);
        let mut sums =
            Sums { a: [[0.0; N]; N], b: [0.0; N], chi2: raw[SUMS], weight: raw[SUMS + 1] };
        let mut k = 0;
        for i in 0..N {
            for j in 0..=i {
                sums.a[i][j] = raw[k];
                sums.a[j][i] = raw[k];
                k += 1;
            }
        }
        sums.b.copy_from_slice(&raw[k..k + N]);
        sums
    }

    /// Lets groups of terms join for which chi squared falls by more than in
    /// 1 of 500 cases without them (18 for four terms, 14 for two).
    fn choose_terms(sums: &Sums, variance: f64, active: &mut [bool; N]) {
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
    }
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

dispatch! {
    /// Residuals and normal equations: the lower triangle of J'WJ, then J'We,
    /// then the weighted sum of squares and the sum of weights.
    fn normal_equations(
        dx: &[f32], dy: &[f32], value: &[f32], residual: &mut [f32],
        p: &[f32; N], limit: f32, out: &mut [f64; SUMS + 2],
    ) {
        let n = value.len();
        let [cx, cy, r, s, b0, a0, bu, bv, au, av, bd, ad] = *p;
        let (over_r, over_s, over_limit) = (1.0 / r, 1.0 / s, 1.0 / limit);
        let mut j = [[0.0_f32; BLOCK]; N + 1];
        let mut w = [0.0_f32; BLOCK];
        for start in (0..n).step_by(BLOCK) {
            let m = BLOCK.min(n - start);
            let (mut bx, mut by, mut bi) = ([0.0_f32; BLOCK], [0.0_f32; BLOCK], [0.0_f32; BLOCK]);
            bx[..m].copy_from_slice(&dx[start..start + m]);
            by[..m].copy_from_slice(&dy[start..start + m]);
            bi[..m].copy_from_slice(&value[start..start + m]);
            for k in 0..BLOCK {
                let (x, y) = (bx[k] - cx, by[k] - cy);
                let rho = (x * x + y * y).sqrt().max(0.25);
                let over_rho = 1.0 / rho;
                let d = rho + 0.5 * s * s * over_rho - r;
                let t = d * over_s;
                let (f, density) = normal(t);
                let (u, v) = (x * over_r, y * over_r);
                let amplitude = a0 + au * u + av * v + ad * d;
                let outside = b0 + bu * u + bv * v + bd * d * (1.0 - f);
                let e = bi[k] - (outside + amplitude * f);
                let q = e * over_limit;
                let q = (1.0 - q * q).max(0.0);
                w[k] = if k < m { q * q } else { 0.0 };
                let edge = amplitude * density * over_s;
                j[0][k] = edge * x * over_rho;
                j[1][k] = edge * y * over_rho;
                j[2][k] = edge;
                j[3][k] = edge * (t - s * over_rho);
                j[4][k] = 1.0;
                j[5][k] = f;
                j[6][k] = u;
                j[7][k] = v;
                j[8][k] = u * f;
                j[9][k] = v * f;
                j[10][k] = d * (1.0 - f);
                j[11][k] = d * f;
                j[12][k] = e;
            }
            residual[start..start + m].copy_from_slice(&j[12][..m]);
            let mut at = 0;
            let mut weighted = [0.0_f32; BLOCK];
            for a in 0..=N {
                for k in 0..BLOCK {
                    weighted[k] = w[k] * j[a][k];
                }
                for b in 0..=a {
                    let mut lanes = [0.0_f32; 8];
                    for k in 0..BLOCK / 8 {
                        for l in 0..8 {
                            lanes[l] += weighted[8 * k + l] * j[b][8 * k + l];
                        }
                    }
                    let sum: f32 = ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5]))
                        + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
                    out[at] += f64::from(sum);
                    at += 1;
                }
            }
            out[at] += f64::from(w.iter().sum::<f32>());
        }
    }
}
