//! The thread that makes frames: scene, pacing, fragments.

use std::{sync::Arc, thread};

use bytes::Bytes;
use plumbline_plugin_api::Circle;
use tokio::sync::{mpsc, oneshot};

use super::scorebook::Scorebook;
use crate::{
    config::WhenFull,
    scene::{
        Scene,
        pacer::{Pace, Pacer},
    },
    score::{LedgerError, Truth},
    wire::{FrameMessages, WireError},
};

/// What is filmed, and how fast.
pub(super) struct Filming {
    pub(super) scene: Scene,
    pub(super) pacer: Pacer,
    /// Frames to make; 0 = no end.
    pub(super) frames: u64,
    /// Frames that may be on their way.
    pub(super) max_in_flight: u64,
    pub(super) when_full: WhenFull,
    /// Bytes that the channel takes in one message.
    pub(super) max_message: usize,
}

/// Why filming had to end early.
#[derive(Debug, thiserror::Error)]
pub(super) enum FilmingError {
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Filming {
    /// Films on a thread of its own until all frames are made, the scorebook
    /// is stopped, or `messages` is closed. The receiver gets the result.
    pub(super) fn start(
        mut self,
        book: Arc<Scorebook>,
        messages: mpsc::Sender<Bytes>,
    ) -> std::io::Result<oneshot::Receiver<Result<(), FilmingError>>> {
        let (done, result) = oneshot::channel();
        thread::Builder::new().name("filming".into()).spawn(move || {
            let _ = done.send(self.film(&book, &messages));
        })?;
        Ok(result)
    }

    fn film(
        &mut self,
        book: &Scorebook,
        messages: &mpsc::Sender<Bytes>,
    ) -> Result<(), FilmingError> {
        let mut made = 0;
        while self.frames == 0 || made < self.frames {
            if !self.wait_for_turn(book) {
                return Ok(());
            }
            // A scene is made with its first frame drawn.
            if made > 0 {
                self.scene.step();
            }
            made += 1;
            let room = book.room(self.max_in_flight);
            if !self.register(book, room)? {
                continue;
            }
            let frame = self.scene.frame();
            let captured = book.now().as_nanos() as u64;
            for message in FrameMessages::new(frame.with_captured_ns(captured), self.max_message)? {
                if messages.blocking_send(message).is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn wait_for_turn(&mut self, book: &Scorebook) -> bool {
        if self.when_full == WhenFull::Wait && !book.wait_for_room(self.max_in_flight) {
            return false;
        }
        loop {
            match self.pacer.next(book.now()) {
                Pace::Go => return book.wait_until(book.now()),
                Pace::WaitUntil(time) if !book.wait_until(time) => return false,
                Pace::WaitUntil(_) => {}
            }
        }
    }

    /// Enters the frame into the ledger; whether it is to be sent. It counts as
    /// sent before its first byte leaves, so that no answer can overtake that.
    fn register(&self, book: &Scorebook, room: bool) -> Result<bool, FilmingError> {
        let id = self.scene.frame().id();
        let truth = truth(&self.scene);
        let now = book.now();
        book.with(|ledger| {
            if !ledger.has_room() {
                // Only possible under `drop`, with thousands of frames behind
                // one that has no answer yet; the frame is left out entirely.
                return Ok(false);
            }
            ledger.generated(id, truth, now)?;
            if room || self.when_full == WhenFull::Wait {
                ledger.sent(id, now);
            } else {
                ledger.not_sent(id);
            }
            Ok(room)
        })
    }
}

fn truth(scene: &Scene) -> Truth {
    let circles = scene.truth().balls.iter().map(|b| Circle { x: b.x, y: b.y, radius: b.radius });
    Truth { ball: scene.truth().circle(), others: circles.skip(1).collect() }
}
