//! What the residuals say of the picture's noise.

use super::kernel::{BLOCK, LANES, N, Pixels, Weighing};
use crate::{rays::median, simd::dispatch};

/// Variance of rounding to bytes. Flat parts of a clean picture show none of
/// it, but the edge, which tells the position, does.
pub(super) const ROUNDING: f64 = 1.0 / 12.0;

/// What is still noise at the rim, as a share of that of all: more is an edge that is not
/// the model's, which the directions tell better.
const MUCH_NOISIER: f64 = 1.3;

/// Variance up to which the pixels of a side are one level, rounded.
const SAME: f32 = 0.02;
/// Pixels that are looked at to see whether it is that, about.
const SAMPLE: usize = 512;

impl Pixels {
    /// A side without noise has one and the same level in all its flat pixels,
    /// and one and the same rounding error: together they weigh as much as one
    /// pixel. Returns the levels of such sides, outside and inside.
    pub(super) fn count_once(&mut self, p: &[f64; N]) -> [Option<f64>; 2] {
        let (outside, contrast) = (p[4] as f32, p[5] as f32);
        let n = self.len();
        let (value, share, mask) = (&self.value[..n], &self.share[..n], &mut self.mask[..n]);
        // What the edge adds there is less than half of the rounding; far from it, nothing.
        let off_edge = 0.25 / contrast.abs().max(1.0);
        let far_off = 0.02 / contrast.abs().max(1.0);
        let (mut weights, mut levels) = ([None; 2], [None; 2]);
        for inside in 0..2 {
            let level = outside + contrast * inside as f32;
            let edge = |i: usize| if inside == 1 { 1.0 - share[i] } else { share[i] };
            let (mut sum, mut of_v, mut of_vv) = (0.0_f32, 0.0_f32, 0.0_f32);
            // Few tell whether there is noise.
            for i in (0..n).step_by((n / SAMPLE) | 1) {
                let is_flat = if edge(i) < far_off && mask[i] > 0.0 { 1.0 } else { 0.0 };
                let v = value[i] - level;
                sum += is_flat;
                of_v += is_flat * v;
                of_vv += is_flat * v * v;
            }
            if sum >= 32.0 && of_vv - of_v * of_v / sum < SAME * sum {
                let alike = (0..n).filter(|&i| edge(i) < off_edge && mask[i] > 0.0).count();
                weights[inside] = Some(1.0 / alike as f32);
                levels[inside] = Some(f64::from(level + of_v / sum));
            }
        }
        if levels == [None; 2] {
            return levels;
        }
        for i in 0..n {
            let inside = usize::from(share[i] > 0.5);
            let far = if inside == 1 { 1.0 - share[i] } else { share[i] };
            if let Some(weight) = weights[inside].filter(|_| far < off_edge && mask[i] > 0.0) {
                mask[i] = weight;
            }
        }
        levels
    }

    /// Variance of the residuals inside over that outside, less 1.
    pub(super) fn excess_inside(&self) -> f32 {
        let [out, n_out, inside, n_in] = sizes(&self.residual, &self.share, &self.mask);
        if n_out < 64.0 || n_in < 64.0 {
            return 0.0;
        }
        let rms = |sum: f32, n: f32| (sum / n * 1.2533).powi(2) + ROUNDING as f32;
        (rms(inside, n_in) / rms(out, n_out)).clamp(0.05, 20.0) - 1.0
    }

    /// The variance that, times the inverse of J'WJ, is the covariance of an
    /// M-estimate: n E\[w\] E\[psi^2\] / E\[psi'\]^2 (Huber 1981, section 7.6).
    pub(super) fn robust_variance(&self, weighing: Weighing, free: f64) -> f64 {
        let (mut w, mut psi2, mut slope, mut n) = (0.0, 0.0, 0.0, 0.0);
        for i in 0..self.len() {
            let mask = f64::from(self.mask[i]);
            let e = f64::from(self.residual[i]);
            let q = (e / f64::from(weighing.limit)).powi(2);
            let q =
                if weighing.is_relative { q / f64::from(weighing.scale(self.share[i])) } else { q };
            n += mask;
            if q < 1.0 {
                let robust = (1.0 - q) * (1.0 - q);
                let scale = 1.0 + f64::from(weighing.excess * self.share[i]);
                w += mask * robust;
                psi2 += mask * robust * robust * e * e / scale;
                slope += mask * (1.0 - q) * (1.0 - 5.0 * q);
            }
        }
        w * psi2 / (slope * slope).max(1e-9) * n / (n - free).max(1.0)
    }

    /// Mean square of the residuals where they tell the place of the edge over that of all:
    /// more than 1 where noise is stronger there, as between two levels of which one is
    /// clipped. The answer's variance grows by it (the sandwich of Huber 1967).
    pub(super) fn rim_noise(&self, weighing: Weighing) -> f64 {
        let [at_rim, of_rim, all, n] = squares(self, weighing);
        let (at_rim, all) = (at_rim / of_rim.max(1e-9), all / n.max(1.0));
        f64::from(at_rim / all.max(1e-9)).min(MUCH_NOISIER)
    }

    /// Standard deviation that the median difference of neighbouring residuals
    /// tells.
    pub(super) fn grain(&self, scratch: &mut Vec<f32>) -> f32 {
        let Self { dx, dy, residual, .. } = self;
        let step = (residual.len() / 1024).max(1);
        scratch.clear();
        scratch.extend(
            (1..residual.len())
                .step_by(step)
                .filter(|&i| dy[i] == dy[i - 1] && dx[i] - dx[i - 1] < 1.5)
                .map(|i| (residual[i] - residual[i - 1]).abs()),
        );
        if scratch.is_empty() {
            return f32::INFINITY;
        }
        let scale = 1.4826 * std::f32::consts::FRAC_1_SQRT_2;
        (scale * median(scratch)).max(ROUNDING.sqrt() as f32)
    }
}

/// Adds up `terms` of the pixels before `n`, each a few numbers.
#[allow(clippy::inline_always, reason = "must be compiled inside the dispatched function")]
#[inline(always)]
fn sums<const M: usize>(n: usize, terms: impl Fn(usize) -> [f32; M]) -> [f32; M] {
    let mut lanes = [[0.0_f32; LANES]; M];
    let mut of = [[0.0_f32; BLOCK]; M];
    let whole = n - n % BLOCK;
    for i in (0..whole).step_by(BLOCK) {
        for k in 0..BLOCK {
            for (of, term) in of.iter_mut().zip(terms(i + k)) {
                of[k] = term;
            }
        }
        for (sum, of) in lanes.iter_mut().zip(&of) {
            for k in (0..BLOCK).step_by(LANES) {
                for l in 0..LANES {
                    sum[l] += of[k + l];
                }
            }
        }
    }
    let mut all = lanes.map(|sum| sum.iter().sum::<f32>());
    for i in whole..n {
        all.iter_mut().zip(terms(i)).for_each(|(sum, t)| *sum += t);
    }
    all
}

dispatch! {
    /// Sum of the sizes of the residuals off the edge and their number, outside and inside.
    /// A few gross ones must not decide.
    fn sizes(residual: &[f32], share: &[f32], mask: &[f32]) -> [f32; 4] {
        let n = residual.len();
        let (share, mask) = (&share[..n], &mask[..n]);
        sums(n, |i| {
            let kept = if mask[i] > 0.0 { 1.0 } else { 0.0 };
            let (size, f) = (residual[i].abs(), share[i]);
            let outside = if f < 0.02 { kept } else { 0.0 };
            let inside = if f > 0.98 { kept } else { 0.0 };
            [outside * size, outside, inside * size, inside]
        })
    }
}

dispatch! {
    /// Weighted squares of the residuals where they tell the place and their weights, and
    /// those of all.
    fn squares(pixels: &Pixels, weighing: Weighing) -> [f32; 4] {
        let n = pixels.len();
        let (residual, by_radius) = (&pixels.residual[..n], &pixels.by_radius[..n]);
        let (share, mask) = (&pixels.share[..n], &pixels.mask[..n]);
        let over_limit = 1.0 / weighing.limit;
        sums(n, |i| {
            let (e, j) = (residual[i], by_radius[i]);
            let q = e * over_limit;
            let robust = (1.0 - q * q).max(0.0);
            let weight = mask[i] / (1.0 + weighing.excess * share[i]);
            let kept = robust * robust * e;
            let square = weight * kept * kept;
            [square * j * j * weight, weight * j * j, square, mask[i]]
        })
    }
}

/// Middle of the shortest interval that holds half of the values (the least
/// median of squares, Rousseeuw 1984); sorts what it is given.
pub(super) fn densest(values: &mut [f32]) -> f32 {
    values.sort_unstable_by(f32::total_cmp);
    let half = values.len() / 2;
    let width = |i: &usize| values[i + half] - values[*i];
    let first = (0..values.len() - half).min_by(|a, b| width(a).total_cmp(&width(b)));
    values[first.unwrap_or(0) + half / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_at_the_rim_is_that_of_the_pixels_that_tell_the_place() {
        let mut pixels = Pixels::default();
        for i in 0..1200 {
            pixels.dx.push(i as f32);
            pixels.dy.push(0.0);
            pixels.value.push(0.0);
        }
        pixels.seal();
        let noise = |pixels: &mut Pixels, at_rim: f32| {
            for i in 0..1200 {
                let is_rim = i % 4 == 0;
                pixels.by_radius[i] = if is_rim { 30.0 } else { 0.0 };
                pixels.residual[i] = if is_rim { at_rim } else { 2.0 };
            }
            pixels.rim_noise(Weighing::EQUAL)
        };
        assert!((noise(&mut pixels, 2.0) - 1.0).abs() < 1e-5);
        // Of (2.2^2 + 3 2^2) / 4.
        assert!((noise(&mut pixels, 2.2) - 4.84 / 4.21).abs() < 1e-4);
        assert!(noise(&mut pixels, 1.0) < 0.4);
        assert_eq!(noise(&mut pixels, 9.0), MUCH_NOISIER);
    }
}
