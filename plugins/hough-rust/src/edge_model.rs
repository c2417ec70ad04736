//! How the edge of a disc looks: the share of a pixel's light that comes from
//! the disc, as a function of the pixel's distance from the edge.

/// exp(x) for -87 < x <= 0 with a relative error below 2e-7, from operations
/// that every CPU rounds alike.
#[allow(clippy::inline_always, reason = "must be vectorised inside the caller's loop")]
#[inline(always)]
pub fn exp_negative(x: f32) -> f32 {
    let x = if x > -87.0 { x } else { -87.0 };
    let y = x * std::f32::consts::LOG2_E;
    let n = (y - 0.5) as i32;
    let nf = n as f32;
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
    let e = exp_negative(-0.5 * t * t);
    let z = t.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let k = 1.0 / (1.0 + 0.327_591_1 * z);
    let poly = ((((1.061_405_4 * k - 1.453_152_1) * k + 1.421_413_8) * k - 0.284_496_72) * k
        + 0.254_829_6)
        * k;
    let tail = 0.5 * poly * e;
    (if t > 0.0 { tail } else { 1.0 - tail }, e * 0.398_942_3)
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
}
