//! The inner loop of the fit: model, residuals, normal equations.

use crate::{
    edge_model::{PIXEL, SHARP, along, blurred_root, sharp, soft},
    sector::sector,
    simd::dispatch,
};

/// Unknowns: x, y, r, s, B, A, then shading Bu, Bv, Au, Av, then slopes Bd, Ad,
/// then shape: cos and sin of twice the angle t in the radius and in the width,
/// then curved light: B and A in cos 2t and sin 2t, the slope Ad in cos t and sin t.
pub(super) const N: usize = 22;
/// Those without which there is no disc.
pub(super) const BASE: usize = 6;
/// Those of a round disc in even or linear light.
pub(super) const ROUND: usize = 12;
/// Where those of curved light begin.
pub(super) const CURVED: usize = 16;
/// Smallest total width of an edge: sampling alone, almost.
pub(super) const MIN_WIDTH: f64 = 0.28885;

/// Pixels that are worked on together, and those of one vector.
pub(super) const BLOCK: usize = 64;
pub(super) const LANES: usize = 8;
/// Blocks that are summed in single precision.
const FLUSHED: usize = 16;
const SUMS: usize = N * (N + 1) / 2 + N + 2;

/// The pixels of an annulus: offsets from where the fit began, grey value, a
/// weight of 0 or 1, and what the last pass made of them.
#[derive(Debug, Default)]
pub(super) struct Pixels {
    pub(super) dx: Vec<f32>,
    pub(super) dy: Vec<f32>,
    pub(super) value: Vec<f32>,
    pub(super) mask: Vec<f32>,
    pub(super) residual: Vec<f32>,
    pub(super) share: Vec<f32>,
    pub(super) by_radius: Vec<f32>,
    by_width: Vec<f32>,
    /// The direction from where the fit began.
    pub(super) sector: Vec<u8>,
    /// The grey value without what other discs add, and the share that they have; nothing where
    /// there are none.
    pub(super) alone: Vec<f32>,
    pub(super) others: Vec<f32>,
}

impl Pixels {
    pub(super) fn clear(&mut self) {
        self.dx.clear();
        self.dy.clear();
        self.value.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.value.len()
    }

    /// Readies the outputs for the pixels that were pushed.
    pub(super) fn seal(&mut self) {
        let n = self.len();
        self.mask.clear();
        self.mask.resize(n, 1.0);
        self.mask_others();
        self.residual.resize(n, 0.0);
        self.share.resize(n, 0.0);
        self.by_radius.resize(n, 0.0);
        self.by_width.resize(n, 0.0);
        self.sector.resize(n, 0);
        sectors(&self.dx, &self.dy, &mut self.sector);
    }
}

dispatch! {
    fn sectors(dx: &[f32], dy: &[f32], out: &mut [u8]) {
        let n = out.len();
        let (dx, dy) = (&dx[..n], &dy[..n]);
        for i in 0..n {
            out[i] = sector(dx[i], dy[i]) as u8;
        }
    }
}

/// Normal equations of one pass.
#[derive(Clone)]
pub(super) struct Sums {
    /// J'WJ.
    pub(super) a: [[f64; N]; N],
    /// J'We.
    pub(super) b: [f64; N],
    /// Weighted sum of the squared residuals.
    pub(super) chi2: f64,
    /// Sum of the robust weights.
    pub(super) weight: f64,
}

/// What the parameters mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Model {
    /// A flat disc.
    Disc,
    /// A matte ball: see [`super::ball`].
    Ball,
}

/// How residuals are weighed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weighing {
    /// Residuals beyond weigh nothing, smaller ones by Tukey's biweight.
    pub(super) limit: f32,
    /// Variance inside over variance outside, less 1: shot noise grows with light.
    pub(super) excess: f32,
    /// Whether the limit is one of residuals over what noise makes of them where they are: of
    /// those inside it is as much wider.
    pub(super) is_relative: bool,
}

impl Weighing {
    /// All alike.
    pub(super) const EQUAL: Self = Self::within(f32::INFINITY);

    /// All alike up to a limit.
    pub(super) const fn within(limit: f32) -> Self {
        Self { limit, excess: 0.0, is_relative: false }
    }

    /// The variance of a pixel of which the disc has this share, over that of one outside.
    pub(super) fn scale(self, share: f32) -> f32 {
        1.0 + self.excess * share
    }

    /// A residual over the limit.
    pub(super) fn over_limit(self, residual: f32, share: f32) -> f32 {
        let q = residual / self.limit;
        if self.is_relative { q / self.scale(share).sqrt() } else { q }
    }
}

/// One pass over `pixels` with the parameters `p` of a disc. Only the `wanted` unknowns
/// are worked out; the others' entries are 0.
pub(super) fn accumulate(
    pixels: &mut Pixels,
    p: &[f64; N],
    weighing: Weighing,
    wanted: &[bool; N],
) -> Sums {
    accumulate_of(Model::Disc, pixels, p, weighing, wanted)
}

/// The same of a model.
pub(super) fn accumulate_of(
    model: Model,
    pixels: &mut Pixels,
    p: &[f64; N],
    weighing: Weighing,
    wanted: &[bool; N],
) -> Sums {
    pixels.put_ground(p[4]);
    let (mut index, n) = chosen(wanted);
    // The residual's row comes last.
    index[n] = N;
    let mut raw = [0.0_f64; SUMS];
    normal_equations(model, pixels, &p.map(|v| v as f32), weighing, &index[..=n], &mut raw);
    let rows = &index[..n];
    let mut sums =
        Sums { a: [[0.0; N]; N], b: [0.0; N], chi2: raw[SUMS - 2], weight: raw[SUMS - 1] };
    for (i, &a) in rows.iter().enumerate() {
        for &b in &rows[..=i] {
            let sum = raw[a * (a + 1) / 2 + b];
            sums.a[a][b] = sum;
            sums.a[b][a] = sum;
        }
        sums.b[a] = raw[N * (N + 1) / 2 + a];
    }
    sums
}

/// The indices of the unknowns that are `wanted`, and how many there are; one
/// place behind them is free.
pub(super) fn chosen(wanted: &[bool; N]) -> ([usize; N + 1], usize) {
    // By way of bits: the compiler unrolls loops over N that have a counter
    // inside, and needs minutes to make sense of what it gets.
    let mut bits = wanted.iter().rev().fold(0_u32, |bits, &w| bits << 1 | u32::from(w));
    let mut index = [0; N + 1];
    let mut n = 0;
    while bits != 0 {
        index[n] = bits.trailing_zeros() as usize;
        bits &= bits - 1;
        n += 1;
    }
    (index, n)
}

dispatch! {
    /// Takes what a small `step` of the first six unknowns from `p` on explains out of the
    /// residuals of the last pass, which was made there.
    pub(super) fn follow(pixels: &mut Pixels, p: &[f64; N], step: &[f64; N]) {
        let n = pixels.len();
        let (cx, cy) = (p[0] as f32, p[1] as f32);
        let [x, y, r, s, b, a] = std::array::from_fn(|k| step[k] as f32);
        let Pixels { dx, dy, share, by_radius, by_width, residual, .. } = pixels;
        let (dx, dy, share) = (&dx[..n], &dy[..n], &share[..n]);
        let (by_radius, by_width) = (&by_radius[..n], &by_width[..n]);
        let residual = &mut residual[..n];
        for i in 0..n {
            let (u, v) = (dx[i] - cx, dy[i] - cy);
            let rho = (u * u + v * v).sqrt().max(0.25);
            let along = (u * x + v * y) / rho + r;
            residual[i] -= by_radius[i] * along + by_width[i] * s + b + a * share[i];
        }
    }
}

dispatch! {
    fn normal_equations(
        model: Model,
        pixels: &mut Pixels,
        p: &[f32; N],
        weighing: Weighing,
        rows: &[usize],
        out: &mut [f64; SUMS],
    ) {
        let n = pixels.len();
        // A disc that is not round, or curved light; the residual's row is last.
        let extended = rows.len() > 1 && rows[rows.len() - 2] >= ROUND;
        let mut lanes = [[0.0_f32; LANES]; SUMS - 1];
        let is_sharp = (p[3] * p[3] - PIXEL).max(0.0).sqrt() < SHARP;
        let mut block = Block::default();
        for start in (0..n).step_by(BLOCK) {
            let m = BLOCK.min(n - start);
            let all = start..start + m;
            // What lies behind the end of a short block has no weight.
            block.mask = [0.0; BLOCK];
            block.dx[..m].copy_from_slice(&pixels.dx[all.clone()]);
            block.dy[..m].copy_from_slice(&pixels.dy[all.clone()]);
            block.value[..m].copy_from_slice(&pixels.value[all.clone()]);
            block.mask[..m].copy_from_slice(&pixels.mask[all.clone()]);
            match (is_sharp, extended) {
                _ if model == Model::Ball => block.evaluate_ball(p, weighing),
                (true, false) => block.evaluate::<true, false>(p, weighing),
                (false, false) => block.evaluate::<false, false>(p, weighing),
                (true, true) => block.evaluate::<true, true>(p, weighing),
                (false, true) => block.evaluate::<false, true>(p, weighing),
            }
            pixels.residual[all.clone()].copy_from_slice(&block.j[N][..m]);
            pixels.by_radius[all.clone()].copy_from_slice(&block.j[2][..m]);
            pixels.by_width[all.clone()].copy_from_slice(&block.j[3][..m]);
            pixels.share[all].copy_from_slice(&block.share[..m]);
            add_products(&block.j, &block.weight, rows, &mut lanes);
            out[SUMS - 1] += f64::from(block.robust.iter().sum::<f32>());
            // Single precision is enough for so many.
            if (start / BLOCK) % FLUSHED == FLUSHED - 1 {
                flush(&mut lanes, out);
            }
        }
        flush(&mut lanes, out);
    }
}

/// Pixels that are worked on together; the last row of `j` is the residual.
struct Block {
    dx: [f32; BLOCK],
    dy: [f32; BLOCK],
    value: [f32; BLOCK],
    mask: [f32; BLOCK],
    weight: [f32; BLOCK],
    /// The weight without the noise model's part.
    robust: [f32; BLOCK],
    share: [f32; BLOCK],
    j: [[f32; BLOCK]; N + 1],
}

impl Default for Block {
    fn default() -> Self {
        let zero = [0.0; BLOCK];
        Self {
            dx: zero,
            dy: zero,
            value: zero,
            mask: zero,
            weight: zero,
            robust: zero,
            share: zero,
            j: [zero; N + 1],
        }
    }
}

impl Block {
    /// Model, residual, weight and Jacobian of every pixel.
    #[allow(clippy::inline_always, reason = "must be compiled inside the dispatched function")]
    #[inline(always)]
    fn evaluate<const SHARP_EDGE: bool, const EXTENDED: bool>(
        &mut self,
        p: &[f32; N],
        weighing: Weighing,
    ) {
        let [
            cx,
            cy,
            r,
            s,
            b0,
            a0,
            bu,
            bv,
            au,
            av,
            bd,
            ad,
            rc,
            rs,
            sc,
            ss,
            bc2,
            bs2,
            ac2,
            as2,
            adu,
            adv,
        ] = *p;
        let (mean_r, mean_s) = (r, s);
        let (over_r, over_limit) = (1.0 / r, 1.0 / weighing.limit);
        let blur = (s * s - PIXEL).max(1e-4).sqrt();
        let Self { dx, dy, value, mask, weight, robust, share, j } = self;
        for k in 0..BLOCK {
            let (x, y) = (dx[k] - cx, dy[k] - cy);
            let rho = (x * x + y * y).sqrt().max(0.25);
            let over_rho = 1.0 / rho;
            let (c, sn) = (x * over_rho, y * over_rho);
            let (c2, s2) = (c * c - sn * sn, 2.0 * c * sn);
            let (r, s, blur) = if EXTENDED {
                let s = (mean_s + sc * c2 + ss * s2).max(MIN_WIDTH as f32);
                (mean_r + rc * c2 + rs * s2, s, (s * s - PIXEL).max(1e-4).sqrt())
            } else {
                (mean_r, mean_s, blur)
            };
            let bend = s / (rho + r);
            let mut d = rho + s * bend - r;
            let f = if SHARP_EDGE {
                let (a, b) = (0.5 * c.abs(), 0.5 * sn.abs());
                d += (along(rho - r, a, b) - PIXEL) / (rho + r);
                sharp(d, blur, s, a, b)
            } else {
                let cs = c * c * sn * sn;
                soft(d, s, 1.0 - 2.0 * cs, 1.0 - 3.0 * cs)
            };
            let (u, v) = (x * over_r, y * over_r);
            let outer = 1.0 - f.value;
            let mut amplitude = a0 + au * u + av * v + ad * d;
            let mut outside = b0 + bu * u + bv * v + bd * d * outer;
            if EXTENDED {
                amplitude += ac2 * c2 + as2 * s2 + d * (adu * u + adv * v);
                outside += bc2 * c2 + bs2 * s2;
            }
            let e = value[k] - (outside + amplitude * f.value);
            let q = e * over_limit;
            let q = (1.0 - q * q).max(0.0);
            robust[k] = mask[k] * q * q;
            weight[k] = robust[k] / (1.0 + weighing.excess * f.value);
            share[k] = f.value;
            let edge = amplitude * f.density;
            j[0][k] = edge * c;
            j[1][k] = edge * sn;
            j[2][k] = edge;
            j[3][k] = amplitude * f.by_width - 2.0 * edge * bend;
            j[4][k] = 1.0;
            j[5][k] = f.value;
            j[6][k] = u;
            j[7][k] = v;
            j[8][k] = u * f.value;
            j[9][k] = v * f.value;
            j[10][k] = d * outer;
            j[11][k] = d * f.value;
            if EXTENDED {
                j[12][k] = j[2][k] * c2;
                j[13][k] = j[2][k] * s2;
                j[14][k] = j[3][k] * c2;
                j[15][k] = j[3][k] * s2;
                j[16][k] = c2;
                j[17][k] = s2;
                j[18][k] = c2 * f.value;
                j[19][k] = s2 * f.value;
                j[20][k] = u * d * f.value;
                j[21][k] = v * d * f.value;
            }
            j[N][k] = e;
        }
    }
}

impl Block {
    /// The same of a matte ball (see [`super::ball`]).
    #[allow(clippy::inline_always, reason = "must be compiled inside the dispatched function")]
    #[inline(always)]
    fn evaluate_ball(&mut self, p: &[f32; N], weighing: Weighing) {
        let [cx, cy, r, s, b0, a0, bu, bv, ku, kv, kz, bow, ..] = *p;
        let (over_r, over_limit) = (1.0 / r, 1.0 / weighing.limit);
        let over_s = 1.0 / s;
        let height = (2.0 * s * over_r).sqrt();
        let Self { dx, dy, value, mask, weight, robust, share, j } = self;
        for k in 0..BLOCK {
            let (x, y) = (dx[k] - cx, dy[k] - cy);
            let rho = (x * x + y * y).sqrt().max(0.25);
            let over_rho = 1.0 / rho;
            let (c, sn) = (x * over_rho, y * over_rho);
            let bend = s / (rho + r);
            let d = rho + s * bend - r;
            let cs = c * c * sn * sn;
            let f = soft(d, s, 1.0 - 2.0 * cs, 1.0 - 3.0 * cs);
            let (root, slope) = blurred_root(-d * over_s);
            let round = (1.0 + 0.5 * d * over_r).max(0.25).sqrt();
            let z = height * root * round;
            let z_by_d = height * (0.25 * root * over_r / round - slope * over_s * round);
            let (u, v) = (x * over_r, y * over_r);
            let outer = 1.0 - f.value;
            let (ground, tilt) = (bu * u + bv * v, ku * u + kv * v);
            // A blur shifts the mean of what changes along the edge (Stein's lemma).
            let lag = s * s * over_r * f.density;
            let (ground_by_d, tilt_by_d) = (bu * c + bv * sn, ku * c + kv * sn);
            let light = tilt * f.value - tilt_by_d * lag + kz * z;
            let lit = if light > 0.0 { 1.0 } else { 0.0 };
            let above = ground * outer + ground_by_d * lag + a0 * f.value + light * lit;
            let model = b0 + above * (1.0 + BOW * bow * above);
            // What the picture gains by more light of the scene, of any and of the lamp's.
            let tone = 1.0 + 2.0 * BOW * bow * above;
            let by_light = tone * lit;
            let e = value[k] - model;
            let over_scale = 1.0 / (1.0 + weighing.excess * f.value.clamp(0.0, 1.0));
            let q = e * over_limit;
            let q = (1.0 - q * q * over_scale).max(0.0);
            robust[k] = mask[k] * q * q;
            weight[k] = robust[k] * over_scale;
            share[k] = f.value;
            let lags = by_light * tilt_by_d - tone * ground_by_d;
            let inner = tone * (a0 - ground) + by_light * tilt;
            let edge = f.density * (inner - lags * d * over_r) - by_light * kz * z_by_d;
            let by_u = (tone * bu * outer + by_light * ku * f.value) * over_r;
            let by_v = (tone * bv * outer + by_light * kv * f.value) * over_r;
            j[0][k] = edge * c - by_u;
            j[1][k] = edge * sn - by_v;
            j[2][k] = edge - by_u * u - by_v * v - 0.5 * by_light * kz * z * over_r;
            let z_by_s = 0.5 * z + height * round * slope * d * over_s;
            j[3][k] = inner * f.by_width - 2.0 * edge * bend + by_light * kz * z_by_s * over_s
                - lags * lag * over_s * (1.0 + d * d * over_s * over_s);
            j[4][k] = 1.0;
            j[5][k] = tone * f.value;
            j[6][k] = tone * (u * outer + c * lag);
            j[7][k] = tone * (v * outer + sn * lag);
            j[8][k] = by_light * (u * f.value - c * lag);
            j[9][k] = by_light * (v * f.value - sn * lag);
            j[10][k] = by_light * z;
            j[11][k] = BOW * above * above;
            j[N][k] = e;
        }
    }
}

/// Scale of the square of what is above the ground, over a grey level.
const BOW: f32 = 0.01;

/// Adds the weighted products of all pairs of `rows` of `j`, lane by lane.
#[allow(clippy::inline_always, reason = "must be compiled inside the dispatched function")]
#[inline(always)]
fn add_products(
    j: &[[f32; BLOCK]; N + 1],
    weight: &[f32; BLOCK],
    rows: &[usize],
    lanes: &mut [[f32; LANES]; SUMS - 1],
) {
    let mut weighted = [0.0_f32; BLOCK];
    for (i, &a) in rows.iter().enumerate() {
        for k in 0..BLOCK {
            weighted[k] = weight[k] * j[a][k];
        }
        let first = a * (a + 1) / 2;
        // Four at a time, which load the weighted row once.
        let mut fours = rows[..=i].chunks_exact(4);
        for four in &mut fours {
            let sums = products(&weighted, [four[0], four[1], four[2], four[3]].map(|b| &j[b]));
            for (&b, sum) in four.iter().zip(&sums) {
                add(&mut lanes[first + b], sum);
            }
        }
        for &b in fours.remainder() {
            let [sum] = products(&weighted, [&j[b]]);
            add(&mut lanes[first + b], &sum);
        }
    }
}

/// Products of one row with `M` others, summed over every eighth pixel.
#[allow(clippy::inline_always, reason = "must be compiled inside the dispatched function")]
#[inline(always)]
fn products<const M: usize>(row: &[f32; BLOCK], others: [&[f32; BLOCK]; M]) -> [[f32; LANES]; M] {
    let mut sums = [[0.0; LANES]; M];
    for k in (0..BLOCK).step_by(LANES) {
        for (sum, other) in sums.iter_mut().zip(others) {
            for l in 0..LANES {
                sum[l] += row[k + l] * other[k + l];
            }
        }
    }
    sums
}

#[allow(clippy::inline_always, reason = "must be compiled inside the dispatched function")]
#[inline(always)]
fn add(to: &mut [f32; LANES], values: &[f32; LANES]) {
    for l in 0..LANES {
        to[l] += values[l];
    }
}

/// Moves the sums of the lanes to `out`.
fn flush(lanes: &mut [[f32; LANES]; SUMS - 1], out: &mut [f64; SUMS]) {
    for (lanes, out) in lanes.iter_mut().zip(out) {
        *out += lanes.iter().map(|&v| f64::from(v)).sum::<f64>();
        *lanes = [0.0; LANES];
    }
}
