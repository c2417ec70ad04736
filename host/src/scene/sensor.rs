//! What the sensor makes of the light: noise, tone, defects.

use super::{
    degradation::{Exposure, Noise},
    gauss::Normal,
    rng::Counter,
};

/// The noise of one scene.
#[derive(Clone)]
pub(crate) struct NoiseSource {
    normal: Normal,
    gaussian: f32,
    /// Grey levels per photo-electron; 0 is none.
    shot: f32,
    salt_pepper: f64,
    key: Counter,
}

impl std::fmt::Debug for NoiseSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NoiseSource({}, {}, {})", self.gaussian, self.shot, self.salt_pepper)
    }
}

/// Sub-streams of a frame.
const SHOT: u64 = 0;
const READ: u64 = 1;
const DEFECTS: u64 = 2;

/// Means below this many electrons are drawn by inversion, which is exact;
/// above it the Cornish-Fisher expansion is good to 1 % of the spread.
const FEW_ELECTRONS: f32 = 12.0;

impl NoiseSource {
    /// `None` when there is no noise.
    pub(crate) fn new(noise: &Noise, seed: u64) -> Option<Self> {
        let any = noise.gaussian > 0.0 || noise.shot > 0.0 || noise.salt_pepper > 0.0;
        any.then(|| Self {
            normal: Normal::new(),
            gaussian: noise.gaussian as f32,
            shot: noise.shot as f32,
            salt_pepper: noise.salt_pepper,
            key: Counter::new(seed),
        })
    }

    /// Adds the noise of row `y` of frame `frame`, in linear grey levels.
    pub(crate) fn row(&self, values: &mut [f32], frame: u64, y: u64) {
        let key = self.key.child(frame);
        if self.shot > 0.0 {
            let (key, per_level) = (key.child(SHOT).child(y), 1.0 / self.shot);
            for (pair, n) in values.chunks_mut(2).zip(0..) {
                let bits = key.at(n);
                for (v, bits) in pair.iter_mut().zip([bits as u32, (bits >> 32) as u32]) {
                    *v = self.electrons(v.max(0.0) * per_level, bits) * self.shot;
                }
            }
        }
        if self.gaussian > 0.0 {
            let key = key.child(READ).child(y);
            for (pair, n) in values.chunks_mut(2).zip(0..) {
                let bits = key.at(n);
                for (v, bits) in pair.iter_mut().zip([bits as u32, (bits >> 32) as u32]) {
                    *v += self.gaussian * self.normal.draw(bits);
                }
            }
        }
    }

    /// A Poisson variable with this mean.
    fn electrons(&self, mean: f32, bits: u32) -> f32 {
        if mean < FEW_ELECTRONS {
            let u = (f64::from(bits) + 0.5) / 4_294_967_296.0;
            let mut term = libm::exp(-f64::from(mean));
            let (mut sum, mut n) = (term, 0.0);
            while sum < u && n < 100.0 {
                n += 1.0;
                term *= f64::from(mean) / n;
                sum += term;
            }
            return n as f32;
        }
        // Cornish and Fisher, "Moments and cumulants", 1938, to second order.
        let z = self.normal.draw(bits);
        let root = mean.sqrt();
        let n = mean + root * z + (z * z - 1.0) / 6.0 + (z - z * z * z) / (72.0 * root);
        (n + 0.5).floor().max(0.0)
    }

    /// Sets pixels of a finished picture to black or white.
    pub(crate) fn defects(&self, canvas: &mut [u8], channels: usize, frame: u64) {
        if self.salt_pepper <= 0.0 {
            return;
        }
        let key = self.key.child(frame).child(DEFECTS);
        let pixels = (canvas.len() / channels) as f64;
        // The gaps between hits are geometric: floor(ln u / ln(1 - p)).
        let rate = if self.salt_pepper < 1.0 { 1.0 / libm::log1p(-self.salt_pepper) } else { 0.0 };
        let mut place = -1.0;
        for n in 0.. {
            let bits = key.at(n);
            let u = ((bits >> 12) as f64 + 0.5) / (1u64 << 52) as f64;
            place += 1.0 + (libm::log(u) * rate).floor();
            if place >= pixels {
                break;
            }
            let at = place as usize * channels;
            canvas[at..at + channels].fill(if bits & 1 == 0 { 0 } else { 255 });
        }
    }
}

/// Black level, gamma, clipping and rounding.
#[derive(Debug, Clone)]
pub(crate) struct Tone {
    black: f32,
    /// For each grey level the least linear value that rounds to it; `None` at gamma 1.
    thresholds: Option<Box<[f32; 257]>>,
    /// For each quarter of a linear grey level the output at its start.
    starts: Vec<u8>,
}

const QUARTERS: usize = 1024;

impl Tone {
    pub(crate) fn new(exposure: &Exposure) -> Self {
        let black = exposure.black as f32;
        if exposure.gamma == 1.0 {
            return Self { black, thresholds: None, starts: Vec::new() };
        }
        let mut thresholds = Box::new([f32::INFINITY; 257]);
        for (k, t) in thresholds.iter_mut().enumerate().take(256) {
            let level = (k as f64 - 0.5) / 255.0;
            *t = if k == 0 { -1.0 } else { (255.0 * libm::pow(level, exposure.gamma)) as f32 };
        }
        let starts = (0..QUARTERS)
            .map(|q| (thresholds.partition_point(|t| *t <= q as f32 * 0.25) - 1) as u8)
            .collect();
        Self { black, thresholds: Some(thresholds), starts }
    }

    pub(crate) fn is_identity(&self) -> bool {
        self.black == 0.0 && self.thresholds.is_none()
    }

    pub(crate) fn row(&self, linear: &[f32], out: &mut [u8]) {
        let Some(thresholds) = &self.thresholds else {
            for (out, v) in out.iter_mut().zip(linear) {
                *out = quantise(v + self.black);
            }
            return;
        };
        for (out, v) in out.iter_mut().zip(linear) {
            let v = (v + self.black).max(0.0);
            let mut level = self.starts[((v * 4.0) as usize).min(QUARTERS - 1)] as usize;
            while thresholds[level + 1] <= v {
                level += 1;
            }
            *out = level as u8;
        }
    }
}

/// The nearest grey level, within 0..255.
#[inline]
pub(crate) fn quantise(v: f32) -> u8 {
    // The cast truncates and saturates.
    (v + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(gaussian: f64, shot: f64, salt_pepper: f64) -> NoiseSource {
        NoiseSource::new(&Noise { gaussian, shot, salt_pepper }, 11).unwrap()
    }

    fn moments(values: &[f32]) -> [f64; 3] {
        let n = values.len() as f64;
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        let power = |k| values.iter().map(|v| (f64::from(*v) - mean).powi(k)).sum::<f64>() / n;
        [mean, power(2), power(3)]
    }

    fn rows(source: &NoiseSource, level: f32) -> Vec<f32> {
        (0..400)
            .flat_map(|y| {
                let mut row = vec![level; 1001];
                source.row(&mut row, 3, y);
                row
            })
            .collect()
    }

    #[test]
    fn shot_noise_has_the_moments_of_poisson() {
        for (level, shot) in [(0.4f32, 0.5), (5.0, 0.5), (7.0, 0.5), (100.0, 0.5), (200.0, 0.05)] {
            let [mean, variance, third] = moments(&rows(&source(0.0, shot, 0.0), level));
            let (m, v) = (f64::from(level), f64::from(level) * shot);
            let t = f64::from(level) * shot * shot;
            assert!((mean - m).abs() < 0.01 * v.sqrt(), "{level}: mean {mean}");
            assert!((variance / v - 1.0).abs() < 0.02, "{level}: variance {variance} {v}");
            assert!((third - t).abs() < 0.05 * v.powf(1.5), "{level}: third {third} {t}");
        }
    }

    #[test]
    fn read_noise_is_gaussian_and_independent() {
        let values = rows(&source(4.0, 0.0, 0.0), 100.0);
        let [mean, variance, third] = moments(&values);
        assert!((mean - 100.0).abs() < 0.03 && (variance - 16.0).abs() < 0.2 && third.abs() < 1.0);
        for lag in [1, 2, 1001] {
            let product: f64 = values
                .iter()
                .zip(&values[lag..])
                .map(|(a, b)| (f64::from(*a) - 100.0) * (f64::from(*b) - 100.0))
                .sum();
            let correlation = product / (values.len() as f64 * 16.0);
            assert!(correlation.abs() < 0.008, "lag {lag}: {correlation}");
        }
    }

    #[test]
    fn salt_and_pepper_hit_the_share_that_was_asked_for() {
        for share in [0.003, 0.2, 1.0] {
            let mut canvas = vec![100u8; 3 * 100_000];
            source(0.0, 0.0, share).defects(&mut canvas, 3, 9);
            let salt = canvas.chunks(3).filter(|p| *p == [255; 3]).count() as f64 / 1e5;
            let pepper = canvas.chunks(3).filter(|p| *p == [0; 3]).count() as f64 / 1e5;
            let spread = 5.0 * (share / 2.0 / 1e5f64).sqrt();
            assert!((salt - share / 2.0).abs() < spread, "{share}: {salt}");
            assert!((pepper - share / 2.0).abs() < spread, "{share}: {pepper}");
        }
    }

    #[test]
    fn the_tone_curve_is_the_formula() {
        for gamma in [1.0, 0.45, 2.2] {
            let tone = Tone::new(&Exposure { gamma, black: 3.0, ..Exposure::default() });
            for k in -100..6000 {
                let v = f64::from(k) * 0.05;
                let mut out = [0];
                tone.row(&[v as f32], &mut out);
                let exact = 255.0 * (((v + 3.0).max(0.0) / 255.0).powf(1.0 / gamma));
                let off = (exact.min(255.0) - f64::from(out[0])).abs();
                assert!(off < 0.501, "gamma {gamma}, {v}: {} for {exact}", out[0]);
            }
        }
    }
}
