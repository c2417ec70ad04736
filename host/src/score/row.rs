//! One frame's verdict.

use std::time::Duration;

use abi_stable::std_types::ROption;
use plumbline_plugin_api::{Circle, Outcome, ScoreRow};

use crate::wire::{Estimate, Reason};

/// Where the balls of a frame are.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// The ball that is scored.
    pub ball: Circle,
    /// Further balls in the picture, which are not.
    pub others: Vec<Circle>,
}

impl From<Circle> for Truth {
    fn from(ball: Circle) -> Self {
        Self { ball, others: Vec::new() }
    }
}

/// How a frame ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// The detector found the ball.
    Scored(Hit),
    /// The detector found nothing, or failed for the reason given.
    Missed {
        /// From the frame leaving the scene to its answer.
        latency: Duration,
        /// What the detector took.
        detect: Duration,
        /// Why it failed, if it did.
        reason: Option<Reason>,
    },
    /// The client dropped the frame because a newer one was there.
    Dropped,
    /// No answer came in time.
    TimedOut,
    /// The server dropped the frame before sending it.
    NotSent,
}

/// An estimate that was scored.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The best estimate of the answer.
    pub estimate: Estimate,
    /// Estimate minus truth, in pixels: x and y.
    pub error: [f64; 2],
    /// From the frame leaving the scene to its answer.
    pub latency: Duration,
    /// What the detector took.
    pub detect: Duration,
}

/// One frame's verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The frame's number.
    pub frame: u64,
    /// Where the balls were.
    pub truth: Truth,
    /// How the frame ended.
    pub ending: Ending,
    /// Sum of the L1 errors of all scored frames up to this one, in pixels.
    pub cumulative_l1: f64,
}

impl Hit {
    /// `estimate` against the ball at `truth`.
    pub fn new(estimate: Estimate, truth: Circle, latency: Duration, detect: Duration) -> Self {
        let error = [estimate.x - truth.x, estimate.y - truth.y];
        Self { estimate, error, latency, detect }
    }

    /// |dx| + |dy|, in pixels.
    pub fn l1(&self) -> f64 {
        self.error[0].abs() + self.error[1].abs()
    }

    /// sqrt(dx^2 + dy^2), in pixels.
    pub fn l2(&self) -> f64 {
        let [dx, dy] = self.error;
        (dx * dx + dy * dy).sqrt()
    }
}

impl Ending {
    /// The same as a plugin sees it.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Scored(_) => Outcome::SCORED,
            Self::Missed { .. } => Outcome::MISSED,
            Self::Dropped => Outcome::DROPPED,
            Self::TimedOut => Outcome::TIMED_OUT,
            Self::NotSent => Outcome::NOT_SENT,
        }
    }
}

impl Row {
    /// The estimate that was scored, with its errors.
    pub fn hit(&self) -> Option<&Hit> {
        match &self.ending {
            Ending::Scored(hit) => Some(hit),
            _ => None,
        }
    }

    /// From the frame leaving the scene to the detector's answer.
    pub fn latency(&self) -> Option<Duration> {
        match self.ending {
            Ending::Scored(Hit { latency, .. }) | Ending::Missed { latency, .. } => Some(latency),
            _ => None,
        }
    }

    /// What the detector took, on the client's clock.
    pub fn detect(&self) -> Option<Duration> {
        match self.ending {
            Ending::Scored(Hit { detect, .. }) | Ending::Missed { detect, .. } => Some(detect),
            _ => None,
        }
    }

    /// Why the detector failed on this frame, if it did.
    pub fn reason(&self) -> Option<&str> {
        match &self.ending {
            Ending::Missed { reason, .. } => reason.as_deref(),
            _ => None,
        }
    }

    /// The row as a display gets it.
    pub fn to_score_row(&self) -> ScoreRow {
        let hit = self.hit();
        let milliseconds =
            |duration: Option<Duration>| duration.map_or(f64::NAN, |d| d.as_secs_f64() * 1e3);
        ScoreRow {
            frame: self.frame,
            outcome: self.ending.outcome(),
            actual: self.truth.ball,
            estimate: hit.map_or(ROption::RNone, |hit| {
                let Estimate { x, y, radius, .. } = hit.estimate;
                ROption::RSome(Circle { x, y, radius })
            }),
            score: hit.map_or(f64::NAN, |hit| hit.estimate.score),
            l1: hit.map_or(f64::NAN, Hit::l1),
            l2: hit.map_or(f64::NAN, Hit::l2),
            cumulative_l1: self.cumulative_l1,
            latency_ms: milliseconds(self.latency()),
            detect_ms: milliseconds(self.detect()),
        }
    }
}
