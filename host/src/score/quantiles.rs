//! Percentiles of a stream in bounded memory.

use hdrhistogram::Histogram;

/// Percentiles of numbers that are not negative, to three significant digits,
/// with the maximum exact.
///
/// Numbers are counted in steps of a fixed `unit`, so anything below it is 0.
/// Memory grows with the logarithm of the largest number, to 0.4 MB at most.
#[derive(Debug, Clone)]
pub struct Quantiles {
    histogram: Histogram<u64>,
    unit: f64,
    max: f64,
}

impl Quantiles {
    /// One that counts in steps of `unit`.
    pub fn new(unit: f64) -> Self {
        let histogram = Histogram::new(3).expect("3 is a valid number of digits");
        Self { histogram, unit, max: 0.0 }
    }

    /// Takes one number, which must not be negative or NaN.
    pub fn add(&mut self, value: f64) {
        // `as` saturates, and a histogram made by `new` resizes itself for any
        // u64; it only fails where usize is too small for its index.
        self.histogram
            .record((value / self.unit).round() as u64)
            .expect("an index of at most 56,320 fits usize");
        self.max = self.max.max(value);
    }

    /// The number that a share `q` (0 to 1) of all numbers does not exceed;
    /// `None` before the first.
    pub fn at(&self, q: f64) -> Option<f64> {
        if self.histogram.is_empty() {
            return None;
        }
        let value = self.histogram.value_at_quantile(q) as f64 * self.unit;
        // A histogram names the upper end of its class.
        Some(value.min(self.max))
    }

    /// The largest number; `None` before the first.
    pub fn max(&self) -> Option<f64> {
        (!self.histogram.is_empty()).then_some(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_three_digits() {
        let mut quantiles = Quantiles::new(1e-6);
        assert_eq!((quantiles.at(0.5), quantiles.max()), (None, None));
        for i in 1..=10_000 {
            quantiles.add(f64::from(i) * 1.234e-4);
        }
        for (q, exact) in [(0.5, 0.617), (0.95, 1.1723), (0.99, 1.22166)] {
            let error = quantiles.at(q).unwrap() / exact - 1.0;
            assert!(error.abs() < 1e-3, "{q}: {error}");
        }
        assert_eq!(quantiles.at(1.0), Some(1.234));
        assert_eq!(quantiles.max(), Some(1.234));
    }

    #[test]
    fn no_number_is_too_large() {
        let mut quantiles = Quantiles::new(1.0);
        for value in [0.0, 1e3, 1e300] {
            quantiles.add(value);
        }
        assert_eq!(quantiles.at(0.3), Some(0.0));
        assert_eq!(quantiles.max(), Some(1e300));
    }
}
