//! Pixel locking and rank correlation.

use std::f64::consts::TAU;

use serde::Serialize;

/// First harmonic of an error against the sub-pixel phase of the truth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Locking {
    /// Amplitude in pixels.
    pub amplitude: f64,
    /// Its standard error in pixels.
    pub standard_error: f64,
}

/// Least-squares fit of e = m + a cos(2 pi x) + b sin(2 pi x) to pairs of
/// (position, error); amplitude = sqrt(a^2 + b^2), its standard error is
/// s sqrt(2 / n) with the residual's standard deviation s. `None` with fewer
/// than 8 pairs, or when the positions do not spread over the phases.
pub fn locking(pairs: &[[f64; 2]]) -> Option<Locking> {
    let n = pairs.len() as f64;
    if pairs.len() < 8 {
        return None;
    }
    // Centred sums: the mean is free.
    let terms = || {
        pairs.iter().map(|[x, e]| {
            let (s, c) = libm::sincos(TAU * x);
            (c, s, *e)
        })
    };
    let (mc, ms, me) =
        terms().fold((0.0, 0.0, 0.0), |a, t| (a.0 + t.0 / n, a.1 + t.1 / n, a.2 + t.2 / n));
    let [mut cc, mut cs, mut ss, mut ce, mut se] = [0.0; 5];
    for (c, s, e) in terms() {
        let (c, s, e) = (c - mc, s - ms, e - me);
        cc += c * c;
        cs += c * s;
        ss += s * s;
        ce += c * e;
        se += s * e;
    }
    let det = cc * ss - cs * cs;
    // With phases spread evenly cc = ss = n / 2.
    if det < 1e-3 * n * n {
        return None;
    }
    let (a, b) = ((ss * ce - cs * se) / det, (cc * se - cs * ce) / det);
    let residual: f64 = terms()
        .map(|(c, s, e)| {
            let r = (e - me) - a * (c - mc) - b * (s - ms);
            r * r
        })
        .sum();
    let standard_error = (residual / (n - 3.0) * 2.0 / n).sqrt();
    Some(Locking { amplitude: a.hypot(b), standard_error })
}

/// Spearman's rank correlation of pairs, ties get their mean rank; `None` with
/// fewer than 3 pairs or when one side has a single value.
pub fn spearman(pairs: &[[f64; 2]]) -> Option<f64> {
    if pairs.len() < 3 {
        return None;
    }
    let (a, b) = (ranks(pairs, 0), ranks(pairs, 1));
    let middle = f64::midpoint(pairs.len() as f64, 1.0);
    let product = |p: &[f64], q: &[f64]| -> f64 {
        p.iter().zip(q).map(|(x, y)| (x - middle) * (y - middle)).sum()
    };
    let scale = product(&a, &a) * product(&b, &b);
    (scale > 0.0).then(|| product(&a, &b) / scale.sqrt())
}

fn ranks(pairs: &[[f64; 2]], side: usize) -> Vec<f64> {
    let mut order: Vec<usize> = (0..pairs.len()).collect();
    order.sort_by(|&i, &j| pairs[i][side].total_cmp(&pairs[j][side]));
    let mut ranks = vec![0.0; pairs.len()];
    let mut rank = 1.0;
    for ties in order.chunk_by(|&i, &j| pairs[i][side] == pairs[j][side]) {
        for &i in ties {
            ranks[i] = rank + (ties.len() as f64 - 1.0) / 2.0;
        }
        rank += ties.len() as f64;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_wave_is_found_and_a_constant_is_none() {
        let pairs: Vec<[f64; 2]> = (0..200)
            .map(|k| {
                let x = f64::from(k) * 0.617;
                [x, 0.3 + 0.05 * (TAU * x).sin() + 0.02 * (TAU * x).cos()]
            })
            .collect();
        let l = locking(&pairs).unwrap();
        assert!((l.amplitude - 0.05f64.hypot(0.02)).abs() < 1e-9 && l.standard_error < 1e-9);
        let flat: Vec<[f64; 2]> = pairs.iter().map(|p| [p[0], 0.3]).collect();
        assert!(locking(&flat).unwrap().amplitude < 1e-12);
        let whole: Vec<[f64; 2]> = pairs.iter().map(|p| [p[0].round(), p[1]]).collect();
        assert_eq!(locking(&whole), None);
    }

    #[test]
    fn rank_correlation_of_published_values() {
        // Spearman's example on Wikipedia: IQ against hours of television.
        let iq = [106., 100., 86., 101., 99., 103., 97., 113., 112., 110.];
        let tv = [7., 27., 2., 50., 28., 29., 20., 12., 6., 17.];
        let pairs: Vec<[f64; 2]> = iq.into_iter().zip(tv).map(|(a, b)| [a, b]).collect();
        assert!((spearman(&pairs).unwrap() + 29.0 / 165.0).abs() < 1e-12);
        // With ties the mean ranks are 1.5 1.5 3 against 1 2.5 2.5.
        let r = spearman(&[[1., 1.], [1., 2.], [2., 2.]]).unwrap();
        assert!((r - 0.5).abs() < 1e-12);
        assert_eq!(spearman(&[[1., 1.], [1., 2.], [1., 3.]]), None);
    }
}
