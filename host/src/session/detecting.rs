//! The thread that runs the detector, and the queue before it.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use plumbline_plugin_api::Detections;
use tokio::sync::{Notify, mpsc};

use super::showing::view;
use crate::{
    config::QueuePolicy,
    plugin::Detector,
    wire::{Answer, Finding, ReceivedFrame},
};

/// Frames that wait for the detector.
pub(super) struct Queue {
    policy: QueuePolicy,
    room: usize,
    state: Mutex<Waiting>,
    filled: Condvar,
    freed: Notify,
}

#[derive(Default)]
struct Waiting {
    frames: VecDeque<ReceivedFrame>,
    closed: bool,
}

impl Queue {
    pub(super) fn new(policy: QueuePolicy, room: usize) -> Self {
        let room = if policy == QueuePolicy::Latest { 1 } else { room };
        Self { policy, room, state: Mutex::default(), filled: Condvar::new(), freed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a frame. Under `every-frame` this waits for room, which holds the
    /// peer back; under `latest` it returns the stale frame that had to go.
    pub(super) async fn push(&self, frame: ReceivedFrame) -> Option<ReceivedFrame> {
        loop {
            let freed = self.freed.notified();
            {
                let mut state = self.lock();
                if state.closed {
                    return Some(frame);
                }
                let full = state.frames.len() >= self.room;
                if !full || self.policy == QueuePolicy::Latest {
                    let stale = if full { state.frames.pop_front() } else { None };
                    state.frames.push_back(frame);
                    self.filled.notify_one();
                    return stale;
                }
            }
            freed.await;
        }
    }

    /// The next frame; `None` once the queue is closed and empty.
    fn pop(&self) -> Option<ReceivedFrame> {
        let mut state = self.lock();
        loop {
            if let Some(frame) = state.frames.pop_front() {
                self.freed.notify_one();
                return Some(frame);
            }
            if state.closed {
                return None;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends the queue and returns what nobody will look at any more.
    pub(super) fn close(&self) -> Vec<ReceivedFrame> {
        let mut state = self.lock();
        state.closed = true;
        let rest = state.frames.drain(..).collect();
        drop(state);
        self.filled.notify_all();
        self.freed.notify_one();
        rest
    }
}

/// A frame that the detector is done with.
pub(super) struct Detected {
    pub(super) answer: Answer,
    pub(super) frame: ReceivedFrame,
    pub(super) detections: Detections,
}

/// What the detector is doing, for whoever wonders why nothing comes.
#[derive(Default)]
pub(super) struct Busy(Mutex<Option<(u64, Instant)>>);

impl Busy {
    /// The frame that the detector is looking at, and since when.
    pub(super) fn since(&self) -> Option<(u64, Duration)> {
        let state = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.map(|(frame, start)| (frame, start.elapsed()))
    }

    fn set(&self, state: Option<(u64, Instant)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

/// Runs `detector` on every frame of `queue` until it is closed. The thread
/// ends by dropping its side of `results`.
pub(super) fn start(
    mut detector: Detector,
    queue: Arc<Queue>,
    results: mpsc::Sender<Detected>,
    busy: Arc<Busy>,
) -> std::io::Result<()> {
    thread::Builder::new().name("detector".into()).spawn(move || {
        while let Some(frame) = queue.pop() {
            let detected = look(&mut detector, frame, &busy);
            if results.blocking_send(detected).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

fn look(detector: &mut Detector, frame: ReceivedFrame, busy: &Busy) -> Detected {
    let mut detections = Detections::new();
    let start = Instant::now();
    busy.set(Some((frame.header.id, start)));
    let result = match view(&frame) {
        Some(view) => detector.detect(&view, &mut detections).map_err(|fault| fault.to_string()),
        None => Err("the frame's header does not fit its pixels".into()),
    };
    let detect_ns = start.elapsed().as_nanos() as u64;
    busy.set(None);
    let finding = match result {
        Ok(()) => Finding::from_detections(&detections),
        Err(reason) => {
            detections.clear();
            tracing::warn!("frame {} counts as missed: {reason}", frame.header.id);
            Finding::Failed(reason.into())
        }
    };
    let answer = Answer { id: frame.header.id, finding, detect_ns };
    Detected { answer, frame, detections }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{CODEC_RAW, FrameHeader};

    fn frame(id: u64) -> ReceivedFrame {
        let header = FrameHeader {
            id,
            captured_ns: 0,
            width: 1,
            height: 1,
            format: 1,
            codec: CODEC_RAW,
            payload_len: 1,
        };
        ReceivedFrame { header, pixels: vec![0] }
    }

    #[tokio::test]
    async fn latest_keeps_the_newest_frame_and_returns_the_stale_one() {
        let queue = Queue::new(QueuePolicy::Latest, 9);
        assert!(queue.push(frame(0)).await.is_none());
        assert_eq!(queue.push(frame(1)).await.map(|f| f.header.id), Some(0));
        assert_eq!(queue.pop().map(|f| f.header.id), Some(1));
    }

    #[tokio::test]
    async fn every_frame_waits_for_room_and_keeps_the_order() {
        let queue = Arc::new(Queue::new(QueuePolicy::EveryFrame, 2));
        for id in 0..2 {
            assert!(queue.push(frame(id)).await.is_none());
        }
        let waiting = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move { queue.push(frame(2)).await.is_none() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        assert_eq!(queue.pop().map(|f| f.header.id), Some(0));
        assert!(waiting.await.unwrap());
        assert_eq!(queue.pop().map(|f| f.header.id), Some(1));
        assert_eq!(queue.pop().map(|f| f.header.id), Some(2));
    }

    #[tokio::test]
    async fn closing_gives_back_what_was_not_looked_at() {
        let queue = Queue::new(QueuePolicy::EveryFrame, 4);
        queue.push(frame(7)).await;
        assert_eq!(queue.close().len(), 1);
        assert!(queue.pop().is_none());
        assert!(queue.push(frame(8)).await.is_some());
    }
}
