//! What a display is shown.

use abi_stable::{
    StableAbi,
    std_types::{ROption, RSlice},
};

use crate::Detection;

/// A circle in the picture, in pixels.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq)]
pub struct Circle {
    /// Centre, pixels to the right of the centre of the top-left pixel.
    pub x: f64,
    /// Centre, pixels below the centre of the top-left pixel.
    pub y: f64,
    /// Radius in pixels; NaN where it is not known.
    pub radius: f64,
}

/// How a frame ended. An open set of values.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Outcome(u32);

impl Outcome {
    /// The detector found the ball; the estimate was scored.
    pub const SCORED: Self = Self(1);
    /// The detector answered that it found nothing, or failed on this frame.
    pub const MISSED: Self = Self(2);
    /// The client dropped the frame because a newer one was there.
    pub const DROPPED: Self = Self(3);
    /// No answer came in time.
    pub const TIMED_OUT: Self = Self(4);
    /// The server dropped the frame before sending it.
    pub const NOT_SENT: Self = Self(5);

    /// The name used in records: `scored`, `missed`, `dropped`, `timed_out` or `not_sent`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            1 => "scored",
            2 => "missed",
            3 => "dropped",
            4 => "timed_out",
            5 => "not_sent",
            _ => "unknown",
        }
    }
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// One frame's verdict. Rows come in frame order.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq)]
pub struct ScoreRow {
    /// The frame's number in its session, counted from 0.
    pub frame: u64,
    /// How the frame ended.
    pub outcome: Outcome,
    /// Where the ball was.
    pub actual: Circle,
    /// Where the detector saw it; `RNone` unless the frame was scored.
    pub estimate: ROption<Circle>,
    /// The detector's own score; NaN unless the frame was scored.
    pub score: f64,
    /// |dx| + |dy| in pixels; NaN unless the frame was scored.
    pub l1: f64,
    /// sqrt(dx^2 + dy^2) in pixels; NaN unless the frame was scored.
    pub l2: f64,
    /// Sum of the L1 errors of all scored frames up to this one, in pixels.
    pub cumulative_l1: f64,
    /// From the frame leaving the scene to its answer, in milliseconds; NaN without an answer.
    pub latency_ms: f64,
    /// What the detector took, in milliseconds on the client's clock; NaN without an answer.
    pub detect_ms: f64,
}

/// Where a session stands.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Frames that the scene made.
    pub generated: u64,
    /// Frames that left for the client.
    pub sent: u64,
    /// Frames with a scored estimate.
    pub scored: u64,
    /// Frames in which the detector found nothing.
    pub missed: u64,
    /// Frames that the client dropped.
    pub dropped: u64,
    /// Frames without an answer in time.
    pub timed_out: u64,
    /// Frames that the session will have; 0 when it has no end.
    pub target: u64,
    /// Answered frames per second over the last second or so.
    pub fps: f64,
    /// Seconds since the session began.
    pub elapsed_s: f64,
    /// Mean L1 error, in pixels; NaN, as the four that follow, when there is none yet.
    pub l1_mean: f64,
    /// 95th percentile of the L1 error, in pixels.
    pub l1_p95: f64,
    /// Root of the mean squared L2 error, in pixels.
    pub rmse: f64,
    /// Median latency, in milliseconds.
    pub latency_p50_ms: f64,
    /// 95th percentile of the latency, in milliseconds.
    pub latency_p95_ms: f64,
    // Zero today; a later minor version may give them a meaning.
    #[doc(hidden)]
    pub reserved: [f64; 8],
}

/// What to draw over a frame.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct Overlay<'a> {
    /// What the detector found in this frame, best first.
    pub detections: RSlice<'a, Detection>,
    /// Where the ball really is, where that is known.
    pub truth: ROption<Circle>,
    /// What the detector took for this frame, in milliseconds.
    pub detect_ms: f64,
    /// Frames per second over the last second or so.
    pub fps: f64,
    /// Frames received in this session.
    pub received: u64,
    /// Frames dropped unseen in this session.
    pub dropped: u64,
    // Zero today; a later minor version may give them a meaning.
    #[doc(hidden)]
    pub reserved: [f64; 4],
}

impl<'a> Overlay<'a> {
    /// An overlay of detections and nothing else.
    pub fn new(detections: &'a [Detection]) -> Self {
        Self {
            detections: RSlice::from_slice(detections),
            truth: ROption::RNone,
            detect_ms: f64::NAN,
            fps: 0.0,
            received: 0,
            dropped: 0,
            reserved: [0.0; 4],
        }
    }
}

/// What a display wants next. An open set of values.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow(u32);

impl Flow {
    /// Go on.
    pub const CONTINUE: Self = Self(0);
    /// The user asked to end the session (closed the window, pressed a key).
    pub const QUIT: Self = Self(1);
}
