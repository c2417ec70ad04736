//! How long to wait before trying again.

use std::time::Duration;

/// Pauses that double from `min` up to `max`, each shortened by chance by up to
/// a half, so that clients which lost the same server do not come back at once.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    next: Duration,
    max: Duration,
}

impl Backoff {
    pub(super) fn new(min: Duration, max: Duration) -> Self {
        Self { next: min.min(max), max }
    }

    /// The next pause; `chance` in `0.0..1.0`.
    pub(super) fn pause(&mut self, chance: f64) -> Duration {
        let pause = self.next.mul_f64(1.0 - 0.5 * chance);
        self.next = (self.next * 2).min(self.max);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn pauses_double_up_to_the_cap() {
        let mut backoff = Backoff::new(100 * MS, 700 * MS);
        let pauses: Vec<_> = (0..5).map(|_| backoff.pause(0.0)).collect();
        assert_eq!(pauses, [100, 200, 400, 700, 700].map(|ms| ms * MS));
    }

    #[test]
    fn chance_shortens_by_up_to_a_half() {
        let pause = |chance| Backoff::new(100 * MS, 100 * MS).pause(chance);
        assert_eq!((pause(0.0), pause(0.5), pause(1.0)), (100 * MS, 75 * MS, 50 * MS));
    }

    #[test]
    fn a_cap_below_the_start_wins() {
        assert_eq!(Backoff::new(100 * MS, 10 * MS).pause(0.0), 10 * MS);
    }
}
