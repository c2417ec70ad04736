//! The ledger, shared between the thread that films and the task that serves.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::score::Ledger;

/// A ledger behind a lock, with the session's clock.
pub(super) struct Scorebook {
    inner: Mutex<Inner>,
    changed: Condvar,
    epoch: Instant,
}

struct Inner {
    ledger: Ledger,
    stopped: bool,
}

impl Scorebook {
    pub(super) fn new(ledger: Ledger) -> Self {
        let inner = Mutex::new(Inner { ledger, stopped: false });
        Self { inner, changed: Condvar::new(), epoch: Instant::now() }
    }

    /// Time since the session began.
    pub(super) fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// The moment `now` of the session's clock.
    pub(super) fn instant(&self, now: Duration) -> Instant {
        self.epoch + now
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the ledger and wakes whoever waits for room in it.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Ledger) -> T) -> T {
        let result = work(&mut self.lock().ledger);
        self.changed.notify_all();
        result
    }

    /// No more frames are to be made.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    /// Waits until `until`; false when the session was stopped before.
    pub(super) fn wait_until(&self, until: Duration) -> bool {
        let mut inner = self.lock();
        loop {
            if inner.stopped {
                return false;
            }
            let left = until.saturating_sub(self.now());
            if left.is_zero() {
                return true;
            }
            inner =
                self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until fewer than `limit` frames are in flight; false when the
    /// session was stopped before.
    pub(super) fn wait_for_room(&self, limit: u64) -> bool {
        let mut inner = self.lock();
        while !inner.stopped && !has_room(&inner.ledger, limit) {
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        !inner.stopped
    }

    /// Whether fewer than `limit` frames are in flight.
    pub(super) fn room(&self, limit: u64) -> bool {
        has_room(&self.lock().ledger, limit)
    }
}

fn has_room(ledger: &Ledger, limit: u64) -> bool {
    ledger.counts().in_flight() < limit && ledger.has_room()
}
