//! How long frames took, as percentiles.

use std::time::Duration;

use hdrhistogram::Histogram;

/// One hour: longer than any frame; what takes longer counts as this.
const LONGEST_NS: u64 = 3_600_000_000_000;

/// Durations from 1 ns to an hour, to three significant digits.
///
/// The range is set beforehand: a histogram that grows by itself does not grow
/// for `saturating_record`, it silently clamps to the little it began with.
#[derive(Debug, Clone)]
pub struct Durations(Histogram<u64>);

impl Default for Durations {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, LONGEST_NS, 3);
        Self(histogram.expect("the bounds are in order and three digits are allowed"))
    }
}

impl Durations {
    /// Adds one.
    pub fn record(&mut self, duration: Duration) {
        self.0.saturating_record(u64::try_from(duration.as_nanos()).unwrap_or(LONGEST_NS));
    }

    /// The duration in milliseconds that the part `quantile` (0 to 1) does not exceed.
    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        self.0.value_at_quantile(quantile) as f64 / 1e6
    }

    /// The longest, in milliseconds.
    pub fn max_ms(&self) -> f64 {
        self.0.max() as f64 / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_all_sizes_come_out_as_they_went_in() {
        for ms in [0.0005, 0.4, 40.0, 3000.0, 60_000.0] {
            let mut durations = Durations::default();
            durations.record(Duration::from_secs_f64(ms / 1e3));
            for seen in
                [durations.quantile_ms(0.5), durations.quantile_ms(0.99), durations.max_ms()]
            {
                assert!((seen / ms - 1.0).abs() < 2e-3, "{ms} ms came out as {seen} ms");
            }
        }
    }

    #[test]
    fn the_slow_tail_is_seen_by_the_high_quantiles_only() {
        let mut durations = Durations::default();
        for i in 0..100 {
            durations.record(Duration::from_millis(if i < 90 { 1 } else { 50 }));
        }
        assert!(durations.quantile_ms(0.5) < 1.1);
        assert!(durations.quantile_ms(0.95) > 49.0);
    }
}
