//! When the next frame is due. Knows no clock: time comes in as an argument.

use std::time::Duration;

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// The frame is due: make it.
    Go,
    /// Too early; ask again at this time (same clock as the argument of [`Pacer::next`]).
    WaitUntil(Duration),
}

/// A schedule of deadlines k / fps, k = 0, 1, 2, ..., counted from the first
/// question. Each deadline is computed from k and never from the deadline
/// before, so nothing adds up to a drift. A pipeline that was held up for
/// longer than a period skips the deadlines that it missed: it does not burst
/// to catch up, and the frames after it are on the same grid as before.
///
/// ```
/// use std::time::Duration;
/// use plumbline_host::scene::pacer::{Pace, Pacer};
///
/// let mut pacer = Pacer::new(50.0);
/// assert_eq!(pacer.next(Duration::from_secs(3)), Pace::Go);
/// let due = Duration::from_millis(3020);
/// assert_eq!(pacer.next(Duration::from_millis(3001)), Pace::WaitUntil(due));
/// assert_eq!(pacer.next(due), Pace::Go);
/// ```
#[derive(Debug, Clone)]
pub struct Pacer {
    fps: f64,
    start: Option<Duration>,
    /// The number of the deadline that comes next.
    next: u64,
    skipped: u64,
}

impl Pacer {
    /// A schedule of `fps` frames a second; 0 (or less) means: always go.
    pub fn new(fps: f64) -> Self {
        Self { fps, start: None, next: 0, skipped: 0 }
    }

    /// What to do at `now`, the time since any fixed moment. Every
    /// [`Pace::Go`] uses up one deadline.
    pub fn next(&mut self, now: Duration) -> Pace {
        if self.fps <= 0.0 {
            return Pace::Go;
        }
        let start = *self.start.get_or_insert(now);
        let due = start + self.deadline(self.next);
        if now < due {
            return Pace::WaitUntil(due);
        }
        // The latest deadline that has passed is the one this frame is for.
        let mut current =
            ((now.saturating_sub(start).as_secs_f64() * self.fps) as u64).max(self.next);
        while start + self.deadline(current + 1) <= now {
            current += 1;
        }
        while current > self.next && start + self.deadline(current) > now {
            current -= 1;
        }
        self.skipped += current - self.next;
        self.next = current + 1;
        Pace::Go
    }

    /// Deadlines that passed without a frame.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    fn deadline(&self, k: u64) -> Duration {
        Duration::try_from_secs_f64(k as f64 / self.fps).unwrap_or(Duration::MAX / 2)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_million_frames_do_not_drift() {
        let mut pacer = Pacer::new(30.0);
        let begin = 5 * MS;
        let mut now = begin;
        for _ in 0..1_000_001 {
            if let Pace::WaitUntil(due) = pacer.next(now) {
                now = due;
                assert_eq!(pacer.next(now), Pace::Go);
            }
            now += MS; // the work of a frame
        }
        let exact = 1_000_000.0 / 30.0;
        assert!((now.saturating_sub(begin + MS).as_secs_f64() - exact).abs() < 1e-6);
        assert_eq!(pacer.skipped(), 0);
    }

    #[test]
    fn after_a_hold_up_there_is_no_burst_and_the_grid_stays() {
        let mut pacer = Pacer::new(100.0);
        assert_eq!(pacer.next(Duration::ZERO), Pace::Go);
        assert_eq!(pacer.next(57 * MS), Pace::Go); // for the deadline at 50
        assert_eq!(pacer.next(57 * MS), Pace::WaitUntil(60 * MS));
        assert_eq!(pacer.skipped(), 4);
        assert_eq!(pacer.next(60 * MS), Pace::Go);
        assert_eq!(pacer.next(60 * MS), Pace::WaitUntil(70 * MS));
    }

    #[test]
    fn no_rate_means_always() {
        let mut pacer = Pacer::new(0.0);
        for _ in 0..10 {
            assert_eq!(pacer.next(Duration::ZERO), Pace::Go);
        }
    }

    proptest! {
        #[test]
        fn no_two_frames_share_a_deadline(fps in 0.5..2000.0f64, gaps in prop::collection::vec(0..40_000u64, 1..200)) {
            let (mut pacer, mut now, mut went) = (Pacer::new(fps), Duration::ZERO, 0u64);
            for gap in gaps {
                now += Duration::from_micros(gap);
                match pacer.next(now) {
                    Pace::Go => went += 1,
                    Pace::WaitUntil(due) => {
                        prop_assert!(due > now);
                        prop_assert!(due.saturating_sub(now).as_secs_f64() <= 1.0 / fps + 1e-8);
                    }
                }
            }
            // As many frames as periods have begun, less those skipped.
            prop_assert!((went + pacer.skipped()) as f64 <= now.as_secs_f64() * fps + 1.0 + 1e-6);
        }
    }
}
