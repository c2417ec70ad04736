//! What all rows come to.

use super::{Ending, Hit, Moments, Quantiles, Row, Sum};

/// Running statistics over rows, in constant memory. Errors and radii are in
/// pixels, times in milliseconds.
#[derive(Debug, Clone)]
pub struct Statistics {
    /// L1 error, |dx| + |dy|.
    pub l1: Moments,
    /// L2 error, sqrt(dx^2 + dy^2).
    pub l2: Moments,
    /// Signed errors, estimate minus truth: x and y.
    pub error: [Moments; 2],
    /// Signed error of the radius, over the estimates that have one.
    pub radius: Moments,
    /// Sum of the L1 errors.
    pub cumulative_l1: Sum,
    /// Percentiles of the L1 error, in steps of 1e-6 px.
    pub l1_quantiles: Quantiles,
    /// Percentiles of the L2 error, in steps of 1e-6 px.
    pub l2_quantiles: Quantiles,
    /// Percentiles of the latency of detector answers, in steps of 1 ns.
    pub latency: Quantiles,
    /// Percentiles of the detector's time, in steps of 1 ns.
    pub detect: Quantiles,
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            l1: Moments::default(),
            l2: Moments::default(),
            error: [Moments::default(); 2],
            radius: Moments::default(),
            cumulative_l1: Sum::default(),
            l1_quantiles: Quantiles::new(1e-6),
            l2_quantiles: Quantiles::new(1e-6),
            latency: Quantiles::new(1e-6),
            detect: Quantiles::new(1e-6),
        }
    }
}

impl Statistics {
    /// Takes one row and fills in its cumulative error.
    pub fn add(&mut self, row: &mut Row) {
        if let Ending::Scored(hit) = &row.ending {
            self.add_hit(hit, row.truth.ball.radius);
        }
        row.cumulative_l1 = self.cumulative_l1.value();
        for (quantiles, time) in
            [(&mut self.latency, row.latency()), (&mut self.detect, row.detect())]
        {
            if let Some(time) = time {
                quantiles.add(time.as_secs_f64() * 1e3);
            }
        }
    }

    fn add_hit(&mut self, hit: &Hit, true_radius: f64) {
        let (l1, l2) = (hit.l1(), hit.l2());
        self.l1.add(l1);
        self.l2.add(l2);
        self.l1_quantiles.add(l1);
        self.l2_quantiles.add(l2);
        self.cumulative_l1.add(l1);
        for (moments, error) in self.error.iter_mut().zip(hit.error) {
            moments.add(error);
        }
        let radius_error = hit.estimate.radius - true_radius;
        if radius_error.is_finite() {
            self.radius.add(radius_error);
        }
    }

    /// Root of the mean squared L2 error: rmse^2 = bias^2 + sd^2.
    pub fn rmse(&self) -> Option<f64> {
        let [x, y] = &self.error;
        Some((x.mean_square()? + y.mean_square()?).sqrt())
    }

    /// Mean signed error, x and y.
    pub fn bias(&self) -> Option<[f64; 2]> {
        let [x, y] = &self.error;
        Some([x.mean()?, y.mean()?])
    }

    /// Standard deviation of the signed error, x and y.
    pub fn sd(&self) -> Option<[f64; 2]> {
        let [x, y] = &self.error;
        Some([x.sd()?, y.sd()?])
    }

    /// Standard error of the bias, x and y: sd / sqrt(n).
    pub fn bias_sd(&self) -> Option<[f64; 2]> {
        let n = self.l1.count() as f64;
        self.sd().map(|sd| sd.map(|sd| sd / n.sqrt()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use plumbline_plugin_api::Circle;

    use super::*;
    use crate::wire::Estimate;

    fn row(dx: f64, dy: f64, radius: f64) -> Row {
        let ball = Circle { x: 100.0, y: 50.0, radius: 20.0 };
        let estimate =
            Estimate { x: 100.0 + dx, y: 50.0 + dy, radius, score: 1.0, covariance: None };
        let (latency, detect) = (Duration::from_millis(8), Duration::from_millis(2));
        Row {
            frame: 0,
            truth: ball.into(),
            ending: Ending::Scored(Hit::new(estimate, ball, latency, detect)),
            cumulative_l1: 0.0,
        }
    }

    #[test]
    fn l1_and_l2_are_different_things() {
        let mut statistics = Statistics::default();
        let mut one = row(3.0, -4.0, f64::NAN);
        statistics.add(&mut one);
        assert_eq!((one.hit().unwrap().l1(), one.hit().unwrap().l2()), (7.0, 5.0));
        assert_eq!(one.cumulative_l1, 7.0);
        assert_eq!(statistics.rmse(), Some(5.0));
        assert_eq!(statistics.bias(), Some([3.0, -4.0]));
        assert_eq!(statistics.radius.count(), 0);
        assert_eq!(statistics.latency.at(0.5), Some(8.0));
        assert_eq!(statistics.detect.max(), Some(2.0));
    }

    #[test]
    fn squared_rmse_is_squared_bias_and_variance() {
        let mut statistics = Statistics::default();
        let (mut squares, n) = (0.0, 1000);
        for i in 0..n {
            let phase = f64::from(i);
            let (dx, dy) = (0.3 + 0.1 * phase.sin(), -0.2 + 0.05 * (phase * 0.7).cos());
            squares += dx * dx + dy * dy;
            statistics.add(&mut row(dx, dy, 20.5));
        }
        let (rmse, bias) = (statistics.rmse().unwrap(), statistics.bias().unwrap());
        let sd = statistics.sd().unwrap();
        let parts: f64 = bias.iter().chain(&sd).map(|v| v * v).sum();
        assert!((rmse * rmse - parts).abs() < 1e-12);
        assert!((rmse * rmse - squares / f64::from(n)).abs() < 1e-12);
        assert!((statistics.bias_sd().unwrap()[0] - sd[0] / 1000f64.sqrt()).abs() < 1e-15);
        assert!((statistics.radius.mean().unwrap() - 0.5).abs() < 1e-12);
    }
}
