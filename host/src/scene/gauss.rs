//! The normal distribution: its integrals for the point spread, its inverse
//! for noise. Everything comes from `libm`, so tables are the same everywhere.

use std::sync::LazyLock;

const SQRT_2: f64 = std::f64::consts::SQRT_2;
/// 1 / sqrt(2 pi)
const DENSITY: f64 = 0.398_942_280_401_432_7;

/// Density of the standard normal distribution.
pub(crate) fn density(t: f64) -> f64 {
    DENSITY * libm::exp(-0.5 * t * t)
}

/// Its integral from minus infinity.
pub(crate) fn cumulative(t: f64) -> f64 {
    0.5 * libm::erfc(-t / SQRT_2)
}

/// Where the tables end; beyond it the integrals are 0 and 1 to 4e-9.
pub(crate) const REACH: f64 = 6.0;
const PER_UNIT: usize = 64;
const SPACING: f64 = 1.0 / PER_UNIT as f64;
const NODES: usize = 2 * REACH as usize * PER_UNIT + 1;

/// Nodes of Phi and of its integral H(t) = t Phi(t) + phi(t). Cubic Hermite
/// interpolation between them is good to 1e-9.
static TABLE: LazyLock<Box<[[f64; 3]]>> = LazyLock::new(|| {
    (0..=NODES)
        .map(|k| {
            let t = k as f64 / PER_UNIT as f64 - REACH;
            let (d, c) = (density(t), cumulative(t));
            [d, c, t * c + d]
        })
        .collect()
});

/// [`cumulative`] out of the table.
#[inline]
pub(crate) fn step(t: f64) -> f64 {
    lookup(t, 0).unwrap_or(if t < 0.0 { 0.0 } else { 1.0 })
}

/// The integral of [`cumulative`] out of the table.
#[inline]
pub(crate) fn ramp(t: f64) -> f64 {
    lookup(t, 1).unwrap_or(if t < 0.0 { 0.0 } else { t })
}

/// Column `c + 1` of the table, whose derivative is column `c`.
#[inline]
fn lookup(t: f64, c: usize) -> Option<f64> {
    if t.abs() >= REACH {
        return None;
    }
    let place = (t + REACH) * PER_UNIT as f64;
    let k = place as usize;
    let s = place - k as f64;
    let (a, b) = (&TABLE[k], &TABLE[k + 1]);
    let (p, q, dp, dq) = (a[c + 1], b[c + 1], SPACING * a[c], SPACING * b[c]);
    let rise = q - p;
    Some(p + s * (dp + s * (3.0 * rise - 2.0 * dp - dq + s * (dp + dq - 2.0 * rise))))
}

const QUANTILES: usize = 4096;
/// Cells at either end that are not interpolated but solved.
const TAIL: usize = 8;

static INVERSE: LazyLock<Box<[f32]>> = LazyLock::new(|| {
    (0..=QUANTILES)
        .map(|k| match k {
            0 | QUANTILES => 0.0, // in the tail, never read
            _ => quantile(k as f64 / QUANTILES as f64) as f32,
        })
        .collect()
});

/// The inverse of [`cumulative`], solved by Halley's method.
pub(crate) fn quantile(p: f64) -> f64 {
    // Work in the lower half; start from the bound exp(-t^2 / 2) > p.
    let q = p.min(1.0 - p);
    let mut t = -(-2.0 * libm::log(2.0 * q).min(0.0)).sqrt();
    for _ in 0..6 {
        let e = (cumulative(t) - q) / density(t);
        t -= e / (1.0 + 0.5 * t * e);
    }
    if p <= 0.5 { t } else { -t }
}

/// Kept out of the loop over pixels: one draw in 256 comes here.
#[cold]
#[inline(never)]
fn tail(bits: u32) -> f32 {
    quantile((f64::from(bits) + 0.5) / 4_294_967_296.0) as f32
}

/// Turns 32 uniform bits into a standard normal number.
#[derive(Clone, Copy)]
pub(crate) struct Normal(&'static [f32]);

impl Normal {
    pub(crate) fn new() -> Self {
        Self(&INVERSE)
    }

    #[inline]
    pub(crate) fn draw(self, bits: u32) -> f32 {
        let cell = (bits >> 20) as usize;
        if (TAIL..QUANTILES - TAIL).contains(&cell) {
            let (a, b) = (self.0[cell], self.0[cell + 1]);
            return a + (b - a) * ((bits & 0xF_FFFF) as f32 * (1.0 / 1_048_576.0));
        }
        tail(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_agree_with_the_functions() {
        for k in -7000..7000 {
            let t = f64::from(k) * 1e-3 + 3e-4;
            assert!((step(t) - cumulative(t)).abs() < 5e-9, "{t}");
            assert!((ramp(t) - (t * cumulative(t) + density(t))).abs() < 5e-9, "{t}");
        }
    }

    #[test]
    fn the_quantile_inverts_the_distribution() {
        for p in [1e-10, 1e-5, 0.01, 0.3, 0.5, 0.7, 0.999, 1.0 - 1e-9] {
            assert!((cumulative(quantile(p)) - p).abs() < 1e-12, "{p}");
        }
    }

    #[test]
    fn draws_have_the_moments_of_the_normal_distribution() {
        let normal = Normal::new();
        let n = 1 << 20;
        // Evenly spread bits: no sampling error, only that of the method.
        let moments = (0..n)
            .map(|k| f64::from(normal.draw((k << 12) + 2048)))
            .fold([0.0; 4], |m, z| [m[0] + z, m[1] + z * z, m[2] + z.powi(3), m[3] + z.powi(4)]);
        let m = moments.map(|v| v / f64::from(n));
        assert!(m[0].abs() < 1e-5 && (m[1] - 1.0).abs() < 2e-4, "{m:?}");
        assert!(m[2].abs() < 1e-4 && (m[3] - 3.0).abs() < 5e-3, "{m:?}");
    }
}
