//! When to stop trying: a plugin that panics on every frame would otherwise be
//! started anew for ever.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Panics in a row that put a plugin out of use...
pub(super) const LIMIT: usize = 5;
/// ...if they happen within this time.
pub(super) const WINDOW: Duration = Duration::from_secs(60);

/// Counts panics without a good answer in between.
#[derive(Debug, Default)]
pub(super) struct Quarantine {
    panics: VecDeque<Instant>,
    reason: Option<String>,
}

impl Quarantine {
    /// The plugin answered.
    pub(super) fn answered(&mut self) {
        self.panics.clear();
    }

    /// The plugin panicked at `now` with `message`; the fifth time in a row it is out of use.
    pub(super) fn panicked(&mut self, now: Instant, message: &str) {
        self.panics.push_back(now);
        if self.panics.len() > LIMIT {
            self.panics.pop_front();
        }
        let in_window = self.panics.front().is_some_and(|&first| now - first <= WINDOW);
        if self.panics.len() == LIMIT && in_window {
            self.reason = Some(format!(
                "it panicked or crashed {LIMIT} times in a row within {} seconds, the last time with: {message}; \
                 start the host again to give it another try",
                WINDOW.as_secs()
            ));
        }
    }

    /// Why the plugin is out of use, if it is.
    pub(super) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_panics_in_a_row_are_enough_and_the_reason_is_kept() {
        let (mut quarantine, start) = (Quarantine::default(), Instant::now());
        for i in 0..4 {
            quarantine.panicked(start + Duration::from_secs(i), "boom");
            assert_eq!(quarantine.reason(), None);
        }
        quarantine.panicked(start + Duration::from_secs(4), "the last");
        assert!(quarantine.reason().unwrap().contains("the last"));
    }

    #[test]
    fn a_good_answer_starts_the_count_anew() {
        let (mut quarantine, now) = (Quarantine::default(), Instant::now());
        for _ in 0..10 {
            for _ in 0..4 {
                quarantine.panicked(now, "boom");
            }
            quarantine.answered();
        }
        assert_eq!(quarantine.reason(), None);
    }

    #[test]
    fn rare_panics_are_borne_for_ever() {
        let (mut quarantine, start) = (Quarantine::default(), Instant::now());
        for i in 0..100 {
            quarantine.panicked(start + Duration::from_secs(i * 16), "boom");
        }
        assert_eq!(quarantine.reason(), None);
    }
}
