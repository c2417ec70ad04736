//! The thread that runs a display plugin.
//!
//! A display can be slow, and nobody waits for it: pictures are shown latest
//! first and the others skipped, score rows wait in a bounded list.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

use plumbline_plugin_api::{Detections, Flow, Frame, Overlay, Progress, ScoreRow};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::{
    plugin::{Display, PluginFault},
    wire::ReceivedFrame,
};

/// How often a display without work is given a moment.
const IDLE: Duration = Duration::from_millis(30);
/// Rows that wait for a slow display at most; at 60 frames a second, an hour.
const MAX_ROWS: usize = 216_000;

/// What makes a display, on the thread that it will live on: one for each session.
pub type MakeDisplay = Box<dyn Fn() -> Result<Display, PluginFault> + Send>;

/// A frame and what was found in it.
pub(super) struct Picture {
    pub(super) frame: ReceivedFrame,
    pub(super) detections: Detections,
    pub(super) detect_ms: f64,
    pub(super) fps: f64,
    pub(super) received: u64,
    pub(super) dropped: u64,
}

#[derive(Default)]
struct State {
    picture: Option<Picture>,
    rows: Vec<ScoreRow>,
    skipped_rows: u64,
    progress: Option<Progress>,
    session_over: bool,
    close: bool,
    done: bool,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A display plugin on a thread of its own.
pub(super) struct Showing {
    name: String,
    shared: Arc<Shared>,
}

impl Showing {
    /// Makes the display with `make` on its thread. `quit` is cancelled when
    /// the user asks the display to end.
    ///
    /// # Errors
    ///
    /// What `make` returned.
    pub(super) fn start(
        name: &str,
        make: MakeDisplay,
        quit: CancellationToken,
    ) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), wake: Condvar::new() });
        let (ready, made) = mpsc::channel();
        let (for_thread, thread_name) = (Arc::clone(&shared), name.to_owned());
        thread::Builder::new().name("display".into()).spawn(move || {
            let result = make().map(|display| {
                let _ = ready.send(Ok(()));
                show(&for_thread, display, &make, &thread_name, &quit);
            });
            if let Err(fault) = result {
                let _ = ready.send(Err(fault));
            }
            for_thread.lock().done = true;
            for_thread.wake.notify_all();
        })?;
        made.recv()
            .map_err(|_| anyhow::anyhow!("the thread of display {name} ended"))?
            .map_err(anyhow::Error::new)?;
        Ok(Self { name: name.to_owned(), shared })
    }

    /// Shows a picture; what is returned can be used again (the picture that
    /// was replaced, or this one when the display is gone).
    pub(super) fn picture(&self, picture: Picture) -> Option<Picture> {
        let mut state = self.shared.lock();
        let unused = if state.done { Some(picture) } else { state.picture.replace(picture) };
        drop(state);
        self.shared.wake.notify_all();
        unused
    }

    /// Shows new rows and where the session stands.
    pub(super) fn scores(&self, rows: &[ScoreRow], progress: Progress) {
        let mut state = self.shared.lock();
        if state.done {
            return;
        }
        let room = MAX_ROWS - state.rows.len();
        state.skipped_rows += rows.len().saturating_sub(room) as u64;
        state.rows.extend(&rows[..rows.len().min(room)]);
        state.progress = Some(progress);
        drop(state);
        self.shared.wake.notify_all();
    }

    /// Tells the display that the session is over (another may follow), and
    /// waits until it has put itself in order, but no longer than `limit`.
    pub(super) fn end_session(&self, limit: Duration) {
        self.shared.lock().session_over = true;
        self.wait(limit, |state| !state.session_over);
    }

    /// Ends the thread; a display that does not return within `limit` is left behind.
    pub(super) fn close(self, limit: Duration) {
        self.shared.lock().close = true;
        self.wait(limit, |state| state.done);
    }

    fn wait(&self, limit: Duration, reached: impl Fn(&State) -> bool) {
        self.shared.wake.notify_all();
        let waiting = |state: &mut State| !state.done && !reached(state);
        let waited = self.shared.wake.wait_timeout_while(self.shared.lock(), limit, waiting);
        let (state, result) = waited.unwrap_or_else(PoisonError::into_inner);
        if result.timed_out() && !state.done {
            warn!("display {} does not return; leaving it behind", self.name);
        }
    }
}

fn show(shared: &Shared, first: Display, make: &MakeDisplay, name: &str, quit: &CancellationToken) {
    let mut current = Some(first);
    loop {
        let mut state = shared.lock();
        let waiting = |s: &mut State| {
            s.picture.is_none() && s.progress.is_none() && !s.session_over && !s.close
        };
        let waited = shared.wake.wait_timeout_while(state, IDLE, waiting);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let picture = state.picture.take();
        let scores = state.progress.take().map(|p| (std::mem::take(&mut state.rows), p));
        let skipped = std::mem::take(&mut state.skipped_rows);
        let (over, close) = (state.session_over, state.close);
        drop(state);
        if skipped > 0 {
            warn!("display {name} is slow: {skipped} rows were not shown");
        }
        // The display of the last session is gone; this is the next one's.
        if current.is_none() && (picture.is_some() || scores.is_some()) {
            match make() {
                Ok(display) => current = Some(display),
                Err(fault) => {
                    error!("{fault}; going on without the display");
                    return;
                }
            }
        }
        let shown = current
            .as_mut()
            .map_or(Ok(Flow::CONTINUE), |display| round(display, picture, scores, over || close));
        match shown {
            Ok(Flow::QUIT) => quit.cancel(),
            Ok(_) => {}
            Err(fault) => {
                error!("{fault}; going on without the display");
                return;
            }
        }
        if over {
            current = None;
            shared.lock().session_over = false;
            shared.wake.notify_all();
        }
        if close {
            return;
        }
    }
}

fn round(
    display: &mut Display,
    picture: Option<Picture>,
    scores: Option<(Vec<ScoreRow>, Progress)>,
    over: bool,
) -> Result<Flow, PluginFault> {
    let mut flow = Flow::CONTINUE;
    let mut note = |answer: Flow| {
        if answer == Flow::QUIT {
            flow = Flow::QUIT;
        }
    };
    if picture.is_none() && scores.is_none() && !over {
        note(display.idle()?);
    }
    if let Some(picture) = picture
        && let Some(frame) = view(&picture.frame)
    {
        let overlay = Overlay {
            detect_ms: picture.detect_ms,
            fps: picture.fps,
            received: picture.received,
            dropped: picture.dropped,
            ..Overlay::new(&picture.detections)
        };
        note(display.show_frame(&frame, &overlay)?);
    }
    if let Some((rows, progress)) = scores {
        note(display.show_scores(&rows, &progress)?);
    }
    if over {
        display.finish()?;
    }
    Ok(flow)
}

/// The frame as plugins see it; `None` only for what the wire refuses anyway.
pub(super) fn view(received: &ReceivedFrame) -> Option<Frame<'_>> {
    let header = &received.header;
    let format = header.pixel_format().ok()?;
    let frame = Frame::packed(&received.pixels, header.width, header.height, format).ok()?;
    Some(frame.with_id(header.id).with_captured_ns(header.captured_ns))
}
