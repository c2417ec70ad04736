//! Running mean, variance and sums that stay exact over any number of samples.

/// Mean, variance and extremes of a stream of numbers.
///
/// Welford's recurrence (Technometrics 4, 1962, p. 419): no sum of squares is
/// kept, so nothing cancels when the mean is large beside the deviation.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
    max: f64,
}

impl Moments {
    /// Takes one number, which must be finite.
    pub fn add(&mut self, value: f64) {
        self.max = if self.count == 0 { value } else { self.max.max(value) };
        self.count += 1;
        let delta = value - self.mean;
        self.mean += delta / self.count as f64;
        self.squares += delta * (value - self.mean);
    }

    /// Numbers taken.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; `None` before the first.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// Variance of the numbers taken (divided by n, not n - 1), so that mean
    /// square = mean squared + variance holds exactly.
    pub fn variance(&self) -> Option<f64> {
        (self.count > 0).then(|| self.squares / self.count as f64)
    }

    /// Square root of [`Moments::variance`].
    pub fn sd(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }

    /// Mean of the squares.
    pub fn mean_square(&self) -> Option<f64> {
        self.variance().map(|variance| self.mean * self.mean + variance)
    }

    /// The largest number.
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }
}

/// A sum with Neumaier's compensation: small terms are not lost in a large sum.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    /// Adds one number.
    pub fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() {
            (self.sum - sum) + value
        } else {
            (value - sum) + self.sum
        };
        self.sum = sum;
    }

    /// The sum so far.
    pub fn value(&self) -> f64 {
        self.sum + self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_samples_are_what_a_pocket_calculator_says() {
        let mut moments = Moments::default();
        assert_eq!((moments.mean(), moments.sd(), moments.max()), (None, None, None));
        for value in [-2.0, -4.0, -4.0, -4.0, -5.0, -5.0, -7.0, -9.0] {
            moments.add(value);
        }
        assert_eq!((moments.mean(), moments.sd()), (Some(-5.0), Some(2.0)));
        assert_eq!((moments.max(), moments.mean_square()), (Some(-2.0), Some(29.0)));
    }

    #[test]
    fn ten_million_samples_lose_nothing() {
        // Deviations of ±1e-3 around 1e3: a sum of squares in f64 would keep
        // about three digits of the variance.
        let (mut moments, mut sum) = (Moments::default(), Sum::default());
        for i in 0..10_000_000 {
            moments.add(if i % 2 == 0 { 1000.001 } else { 999.999 });
            sum.add(0.1);
        }
        assert!((moments.mean().unwrap() - 1000.0).abs() < 1e-9);
        assert!((moments.sd().unwrap() - 1e-3).abs() < 1e-9);
        // Plain addition is off by 1.6e-4 here.
        assert!((sum.value() - 1e6).abs() < 1e-8, "{:e}", sum.value() - 1e6);
    }
}
