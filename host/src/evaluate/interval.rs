//! Intervals: Wilson's for shares; for means the block bootstrap, of few blocks Student's.

use std::f64::consts::FRAC_1_SQRT_2;

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use serde::Serialize;

/// Resamples of every bootstrap.
pub const RESAMPLES: usize = 2000;

/// The 97.5 % point of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Interval {
    /// Whether `value` is in it.
    pub fn holds(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// Wilson's 95 % interval of a share of `hits` out of `n` (Wilson, "Probable
/// inference, the law of succession, and statistical inference", 1927);
/// `None` when `n` is 0.
pub fn wilson(hits: u64, n: u64) -> Option<Interval> {
    if n == 0 {
        return None;
    }
    let (hits, n) = (hits as f64, n as f64);
    let p = hits / n;
    let scale = 1.0 / (1.0 + Z * Z / n);
    let middle = scale * (p + Z * Z / (2.0 * n));
    let half = scale * Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    // At 0 and 1 the end is exact; rounding must not move it.
    let low = if hits == 0.0 { 0.0 } else { middle - half };
    let high = if hits == n { 1.0 } else { middle + half };
    Some(Interval { low, high })
}

/// The share that may hide behind none in `n`: the upper end of Wilson's
/// interval for 0 of `n`.
pub fn unseen(n: f64) -> f64 {
    Z * Z / (n + Z * Z)
}

/// How many cases without one it takes until [`unseen`] is `share`; infinite for 0.
pub fn cases(share: f64) -> f64 {
    Z * Z * (1.0 - share) / share
}

/// One block of a series: the sum of its values and how many they are.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Block {
    /// Sum of the values.
    pub sum: f64,
    /// How many.
    pub count: f64,
}

impl Block {
    /// The block of these values.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        values
            .into_iter()
            .fold(Self::default(), |b, v| Self { sum: b.sum + v, count: b.count + 1.0 })
    }
}

/// The mean over all blocks; `None` without a value.
pub fn mean(blocks: &[Block]) -> Option<f64> {
    let (sum, count) = blocks.iter().fold((0.0, 0.0), |(s, n), b| (s + b.sum, n + b.count));
    (count > 0.0).then(|| sum / count)
}

/// Blocks from which on they are resampled; of fewer there are too few different samples.
const RESAMPLED: usize = 10;

/// The 95 % interval of [`mean`], where values within a block may depend on each other.
/// `None` with fewer than two blocks that have values.
///
/// Ten blocks and more are resampled, whole and with replacement. Of fewer it is Student's
/// interval of the ratio of their sums to their counts, linearised (Cochran, "Sampling
/// Techniques", 1977, section 6.3), which two blocks are enough for.
///
/// The percentiles are widened for the number of blocks as in Hesterberg,
/// "What teachers should know about the bootstrap", 2015, section 3.2
/// ("expanded percentile interval"): without that, ten or twenty of them give intervals
/// that are too narrow.
pub fn bootstrap_mean(blocks: &[Block], seed: u64) -> Option<Interval> {
    let full = blocks.iter().filter(|b| b.count > 0.0).copied().collect::<Vec<_>>();
    let n = full.len();
    if n < 2 {
        return None;
    }
    if n < RESAMPLED {
        return ratio_interval(&full);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut means = (0..RESAMPLES)
        .map(|_| {
            let (mut sum, mut count) = (0.0, 0.0);
            for _ in 0..n {
                // Lemire's multiplication; its bias of n / 2^64 is nothing here.
                let at = (u128::from(rng.next_u64()) * n as u128) >> 64;
                sum += full[at as usize].sum;
                count += full[at as usize].count;
            }
            sum / count
        })
        .collect::<Vec<_>>();
    means.sort_unstable_by(f64::total_cmp);
    let tail = expanded_tail(n);
    Some(Interval { low: quantile(&means, tail)?, high: quantile(&means, 1.0 - tail)? })
}

/// Student's interval of the mean of two blocks or more.
fn ratio_interval(blocks: &[Block]) -> Option<Interval> {
    let (n, mean) = (blocks.len() as f64, mean(blocks)?);
    let count = blocks.iter().map(|b| b.count).sum::<f64>();
    let squares = blocks.iter().map(|b| (b.sum - mean * b.count).powi(2)).sum::<f64>();
    let half = student(n - 1.0) * (n / (n - 1.0) * squares).sqrt() / count;
    Some(Interval { low: mean - half, high: mean + half })
}

/// The share below the lower end: Phi(-sqrt(n / (n - 1)) t), t with n - 1
/// degrees of freedom.
fn expanded_tail(n: usize) -> f64 {
    let n = n as f64;
    let t = student(n - 1.0);
    0.5 * libm::erfc((n / (n - 1.0)).sqrt() * t * FRAC_1_SQRT_2)
}

/// The 97.5 % point of Student's distribution (Abramowitz and Stegun 26.7.5
/// with exact values for 1 and 2 degrees of freedom).
fn student(freedom: f64) -> f64 {
    if freedom < 1.5 {
        return 12.706_204_736;
    }
    if freedom < 2.5 {
        return 4.302_652_730;
    }
    let z2 = Z * Z;
    let g1 = Z * (z2 + 1.0) / 4.0;
    let g2 = Z * ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0;
    let g3 = Z * (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0;
    let g4 = Z * ((((79.0 * z2 + 776.0) * z2 + 1482.0) * z2 - 1920.0) * z2 - 945.0) / 92160.0;
    let v = freedom;
    Z + g1 / v + g2 / (v * v) + g3 / (v * v * v) + g4 / (v * v * v * v)
}

/// The value that a share `q` of the sorted values does not exceed, linearly
/// interpolated between neighbours (type 7 of Hyndman and Fan, "Sample
/// quantiles in statistical packages", 1996); `None` without values.
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = q.clamp(0.0, 1.0) * last as f64;
    let below = at.floor() as usize;
    let (a, b) = (sorted[below], sorted[(below + 1).min(last)]);
    Some(a + (b - a) * (at - at.floor()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, tolerance: f64) -> bool {
        (a - b).abs() <= tolerance
    }

    #[test]
    fn wilson_gives_the_published_values() {
        // Newcombe, "Two-sided confidence intervals for the single proportion",
        // 1998, table I, method 3.
        for (hits, n, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
            (29, 29, 0.8830, 1.0),
        ] {
            let i = wilson(hits, n).unwrap();
            assert!(close(i.low, low, 5e-5) && close(i.high, high, 5e-5), "{hits}/{n}: {i:?}");
        }
        assert_eq!(wilson(0, 0), None);
        assert!(close(unseen(20.0), wilson(0, 20).unwrap().high, 1e-12));
    }

    #[test]
    fn student_gives_the_tabulated_values() {
        for (freedom, t) in
            [(1.0, 12.706), (2.0, 4.303), (3.0, 3.182), (4.0, 2.776), (9.0, 2.262), (30.0, 2.042)]
        {
            assert!(close(student(freedom), t, 0.015), "{freedom}: {}", student(freedom));
        }
    }

    #[test]
    fn the_bootstrap_agrees_with_the_t_interval_on_independent_values() {
        // 40 blocks of one value each: 0.5, 1.5, ... 39.5 shuffled has mean 20
        // and standard error sqrt(40 * 41 / 12 / 40) = 1.848; t(39) = 2.0227.
        let blocks: Vec<Block> =
            (0..40).map(|k| Block::of([f64::from(k * 17 % 40) + 0.5])).collect();
        let i = bootstrap_mean(&blocks, 7).unwrap();
        assert!(close(mean(&blocks).unwrap(), 20.0, 1e-12));
        assert!(close(i.low, 20.0 - 3.738, 0.35) && close(i.high, 20.0 + 3.738, 0.35), "{i:?}");
        assert_eq!(Some(i), bootstrap_mean(&blocks, 7));
        assert_ne!(Some(i), bootstrap_mean(&blocks, 8));
    }

    #[test]
    fn a_few_blocks_have_the_t_interval() {
        // Means 1, 2 and 6 of equal counts: 3 +- 4.303 sqrt(7) / sqrt(3).
        let blocks = [[1.0; 4], [2.0; 4], [6.0; 4]].map(Block::of);
        let i = bootstrap_mean(&blocks, 1).unwrap();
        let half = 4.303 * (7.0_f64 / 3.0).sqrt();
        assert!(close(i.low, 3.0 - half, 2e-3) && close(i.high, 3.0 + half, 2e-3), "{i:?}");
        // Of 200 pairs of blocks from -1 to 1, nine in ten hold the mean, 0, and more.
        let pairs = (0..200).map(|k| [f64::from(k * 37 % 200), f64::from(k * 91 % 200)]);
        let pairs = pairs.map(|p| p.map(|v| Block::of([v / 99.5 - 1.0])));
        let held = pairs.filter(|p| bootstrap_mean(p, 1).unwrap().holds(0.0)).count();
        assert!(held >= 180, "{held}");
    }

    #[test]
    fn values_that_repeat_within_a_block_do_not_narrow_the_interval() {
        let single: Vec<Block> = (0..20).map(|k| Block::of([f64::from(k)])).collect();
        let tenfold: Vec<Block> = (0..20).map(|k| Block::of([f64::from(k); 10])).collect();
        assert_eq!(bootstrap_mean(&single, 1), bootstrap_mean(&tenfold, 1));
        assert_eq!(bootstrap_mean(&single[..1], 1), None);
    }

    #[test]
    fn quantiles_interpolate() {
        let v = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(quantile(&v, 0.5), Some(2.5));
        assert_eq!(quantile(&v, 1.0), Some(4.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
