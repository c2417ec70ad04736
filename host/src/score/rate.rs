//! How often something happened lately.

use std::time::Duration;

const SLOTS: usize = 10;
const SLOT: Duration = Duration::from_millis(100);

/// Events per second over the last second, in constant memory: counts in ten
/// slots of 100 ms. The time must not run backwards.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rate {
    counts: [u64; SLOTS],
    slot: u64,
    first: Option<Duration>,
}

impl Rate {
    /// Counts one event at `now`.
    pub fn add(&mut self, now: Duration) {
        self.advance(now);
        self.first.get_or_insert(now);
        self.counts[self.slot as usize % SLOTS] += 1;
    }

    /// Events per second over the last second, or since the first event when
    /// that was less than a second ago. 0 before the first.
    pub fn per_second(&mut self, now: Duration) -> f64 {
        self.advance(now);
        let Some(first) = self.first else { return 0.0 };
        // The slot of `now` is not over yet.
        let oldest = SLOT * (self.slot.saturating_sub(SLOTS as u64 - 1)) as u32;
        let span = now.saturating_sub(oldest.max(first)).max(SLOT);
        self.counts.iter().sum::<u64>() as f64 / span.as_secs_f64()
    }

    fn advance(&mut self, now: Duration) {
        let slot = (now.as_nanos() / SLOT.as_nanos()) as u64;
        for passed in (self.slot + 1..=slot).rev().take(SLOTS) {
            self.counts[passed as usize % SLOTS] = 0;
        }
        self.slot = self.slot.max(slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_stream_has_its_rate_and_forgets_the_past() {
        let mut rate = Rate::default();
        let at = Duration::from_millis;
        assert_eq!(rate.per_second(at(5)), 0.0);
        for i in 0..500 {
            rate.add(at(i * 10));
        }
        let fps = rate.per_second(at(4999));
        assert!((fps - 100.0).abs() < 1.5, "{fps}");
        assert!((rate.per_second(at(5499)) - 50.0).abs() < 1.5);
        assert_eq!(rate.per_second(at(6100)), 0.0);
    }

    #[test]
    fn the_first_moments_do_not_exaggerate() {
        let mut rate = Rate::default();
        rate.add(Duration::from_secs(1000));
        assert_eq!(rate.per_second(Duration::from_secs(1000)), 10.0);
    }
}
