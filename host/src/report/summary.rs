//! The summary of a session: what `--summary` writes.
//!
//! Keys may be added, and are never renamed within a schema number. A number
//! of which there is no sample (the mean error when nothing was scored) is
//! `null`: 0 would read as perfection. Counts, sums, `fps` and `elapsed_s` are
//! always numbers.

use std::{path::Path, time::Duration};

use serde::{Deserialize, Serialize};

use super::{ReportError, write_atomically};
use crate::score::{Ledger, Quantiles, Statistics};

/// The schema of [`Summary`].
pub const SCHEMA: u32 = 1;

/// What is known about a session before its first frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Which session of the server's run it was, from 1.
    pub session: u64,
    /// The scene's seed.
    pub seed: u64,
    /// The detector's name.
    pub detector: String,
    /// The server's program and version.
    pub server_software: String,
    /// The client's program and version.
    pub client_software: String,
    /// Where the client was.
    pub client_address: Option<String>,
    /// What was filmed.
    pub scene: Scene,
}

/// What was filmed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// Columns of a frame, in pixels.
    pub width: u32,
    /// Rows of a frame, in pixels.
    pub height: u32,
    /// `gray8` or `bgr8`.
    pub format: String,
    /// Frames per second aimed at; 0 is as fast as the pipeline goes.
    pub fps: f64,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// All frames were made, or the client had enough.
    Completed,
    /// A user ended it.
    Interrupted,
    /// The peer vanished.
    PeerLost,
    /// Something went wrong.
    Failed,
}

impl Exit {
    /// The name used in the summary.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Interrupted => "interrupted",
            Self::PeerLost => "peer_lost",
            Self::Failed => "failed",
        }
    }
}

/// What a session came to. `docs/metrics.md` says what each number means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What is known about the session.
    #[serde(flatten)]
    pub run: Run,
    /// Where the frames went.
    pub frames: Frames,
    /// Answers that decided nothing.
    pub answers: Answers,
    /// How far off the estimates were.
    pub error_px: ErrorPx,
    /// From a frame leaving the scene to its answer reaching the ledger.
    pub latency_ms: Millis,
    /// What the detector took, on the client's clock.
    pub detect_ms: Millis,
    /// Frames per second that the detector looked at.
    pub fps: f64,
    /// From the first frame leaving the scene to the end, in seconds.
    pub elapsed_s: f64,
    /// How the session ended.
    pub exit: Exit,
    /// Why, when there is more to say.
    pub reason: Option<String>,
}

/// `generated = sent + dropped_before_sending`,
/// `sent = scored + missed + dropped + timed_out + in_flight`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of the outcomes, see docs/metrics.md")]
pub struct Frames {
    pub generated: u64,
    pub sent: u64,
    pub scored: u64,
    pub missed: u64,
    pub dropped: u64,
    pub timed_out: u64,
    pub dropped_before_sending: u64,
    pub in_flight: u64,
}

/// Answers that decided nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// To frames that had timed out.
    pub late: u64,
    /// To frames that had an answer.
    pub duplicate: u64,
    /// To frames that do not exist.
    pub unknown: u64,
}

/// Errors of the scored estimates, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ErrorPx {
    /// |dx| + |dy|: the headline.
    pub l1: L1,
    /// sqrt(dx^2 + dy^2).
    pub l2: L2,
    /// Mean signed error, x and y.
    pub bias: Option<[f64; 2]>,
    /// Standard deviation of the signed error, x and y.
    pub sd: Option<[f64; 2]>,
    /// Standard error of `bias`, x and y.
    pub bias_sd: Option<[f64; 2]>,
    /// Signed error of the radius.
    pub radius: RadiusPx,
}

/// L1 errors, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of statistics, see docs/metrics.md")]
pub struct L1 {
    pub mean: Option<f64>,
    pub sd: Option<f64>,
    pub max: Option<f64>,
    pub cumulative: f64,
    pub p50: Option<f64>,
    pub p95: Option<f64>,
    pub p99: Option<f64>,
}

/// L2 errors, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of statistics, see docs/metrics.md")]
pub struct L2 {
    pub mean: Option<f64>,
    pub sd: Option<f64>,
    pub rmse: Option<f64>,
    pub max: Option<f64>,
    pub p50: Option<f64>,
    pub p95: Option<f64>,
    pub p99: Option<f64>,
}

/// Signed errors of the radius, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RadiusPx {
    /// Scored estimates that have a radius.
    pub count: u64,
    /// Mean signed error.
    pub bias: Option<f64>,
    /// Standard deviation of the signed error.
    pub sd: Option<f64>,
    /// Root of the mean squared error.
    pub rmse: Option<f64>,
}

/// Percentiles of a time, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of statistics, see docs/metrics.md")]
pub struct Millis {
    pub p50: Option<f64>,
    pub p95: Option<f64>,
    pub p99: Option<f64>,
    pub max: Option<f64>,
}

impl Summary {
    /// What `ledger` has published, at the end of the session.
    pub fn new(
        run: Run,
        ledger: &Ledger,
        now: Duration,
        exit: Exit,
        reason: Option<String>,
    ) -> Self {
        let counts = ledger.counts();
        let statistics = ledger.statistics();
        Self {
            schema: SCHEMA,
            run,
            frames: Frames {
                generated: counts.generated,
                sent: counts.sent,
                scored: counts.scored,
                missed: counts.missed,
                dropped: counts.dropped,
                timed_out: counts.timed_out,
                dropped_before_sending: counts.not_sent,
                in_flight: counts.in_flight(),
            },
            answers: Answers {
                late: counts.late,
                duplicate: counts.duplicate,
                unknown: counts.unknown,
            },
            error_px: ErrorPx::of(statistics),
            latency_ms: Millis::of(&statistics.latency),
            detect_ms: Millis::of(&statistics.detect),
            fps: ledger.fps(),
            elapsed_s: ledger.elapsed(now).as_secs_f64(),
            exit,
            reason,
        }
    }

    /// The summary as JSON, with a line break at the end.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self)
            .expect("numbers, texts and structures always make JSON");
        json.push('\n');
        json
    }

    /// Writes the JSON as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`ReportError::Write`].
    pub fn write(&self, path: &Path) -> Result<(), ReportError> {
        write_atomically(path, self.to_json().as_bytes())
    }
}

impl ErrorPx {
    fn of(statistics: &Statistics) -> Self {
        let Statistics { l1, l2, radius, l1_quantiles, l2_quantiles, .. } = statistics;
        Self {
            l1: L1 {
                mean: l1.mean(),
                sd: l1.sd(),
                max: l1.max(),
                cumulative: statistics.cumulative_l1.value(),
                p50: l1_quantiles.at(0.5),
                p95: l1_quantiles.at(0.95),
                p99: l1_quantiles.at(0.99),
            },
            l2: L2 {
                mean: l2.mean(),
                sd: l2.sd(),
                rmse: statistics.rmse(),
                max: l2.max(),
                p50: l2_quantiles.at(0.5),
                p95: l2_quantiles.at(0.95),
                p99: l2_quantiles.at(0.99),
            },
            bias: statistics.bias(),
            sd: statistics.sd(),
            bias_sd: statistics.bias_sd(),
            radius: RadiusPx {
                count: radius.count(),
                bias: radius.mean(),
                sd: radius.sd(),
                rmse: radius.mean_square().map(f64::sqrt),
            },
        }
    }
}

impl Millis {
    fn of(quantiles: &Quantiles) -> Self {
        Self {
            p50: quantiles.at(0.5),
            p95: quantiles.at(0.95),
            p99: quantiles.at(0.99),
            max: quantiles.max(),
        }
    }
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
