//! One record per frame, as CSV or JSON Lines.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Serialize;

use super::ReportError;
use crate::score::{Hit, Row};

/// The columns of a record, in order.
pub const COLUMNS: [&str; 14] = [
    "frame",
    "outcome",
    "actual_x",
    "actual_y",
    "actual_radius",
    "estimated_x",
    "estimated_y",
    "estimated_radius",
    "score",
    "l1",
    "l2",
    "cumulative_l1",
    "latency_ms",
    "detect_ms",
];

const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordFormat {
    /// Comma-separated values with a header line; an empty cell has no value.
    Csv,
    /// One JSON object a line; `null` has no value. Also has the `reason` why
    /// a detector failed.
    JsonLines,
}

impl RecordFormat {
    /// What the extension of `path` asks for: `.csv`, `.jsonl` or `.ndjson`.
    ///
    /// # Errors
    ///
    /// [`ReportError::Extension`].
    pub fn of(path: &Path) -> Result<Self, ReportError> {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        match extension.to_str() {
            Some("csv") => Ok(Self::Csv),
            Some("jsonl" | "ndjson") => Ok(Self::JsonLines),
            _ => Err(ReportError::Extension(path.to_owned())),
        }
    }
}

/// Units as in [`COLUMNS`]: pixels and milliseconds.
#[derive(Serialize)]
struct Record {
    frame: u64,
    outcome: &'static str,
    actual_x: Option<f64>,
    actual_y: Option<f64>,
    actual_radius: Option<f64>,
    estimated_x: Option<f64>,
    estimated_y: Option<f64>,
    estimated_radius: Option<f64>,
    score: Option<f64>,
    l1: Option<f64>,
    l2: Option<f64>,
    cumulative_l1: f64,
    latency_ms: Option<f64>,
    detect_ms: Option<f64>,
}

#[derive(Serialize)]
struct WithReason<'a> {
    #[serde(flatten)]
    record: Record,
    reason: Option<&'a str>,
}

impl From<&Row> for Record {
    fn from(row: &Row) -> Self {
        let ball = row.truth.ball;
        let hit = row.hit();
        let milliseconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64() * 1e3);
        // What is not known is NaN further inside; no file ever says NaN.
        let known = |value: Option<f64>| value.filter(|value| value.is_finite());
        Self {
            frame: row.frame,
            outcome: row.ending.outcome().name(),
            actual_x: known(Some(ball.x)),
            actual_y: known(Some(ball.y)),
            actual_radius: known(Some(ball.radius)),
            estimated_x: known(hit.map(|hit| hit.estimate.x)),
            estimated_y: known(hit.map(|hit| hit.estimate.y)),
            estimated_radius: known(hit.map(|hit| hit.estimate.radius)),
            score: known(hit.map(|hit| hit.estimate.score)),
            l1: known(hit.map(Hit::l1)),
            l2: known(hit.map(Hit::l2)),
            cumulative_l1: row.cumulative_l1,
            latency_ms: milliseconds(row.latency()),
            detect_ms: milliseconds(row.detect()),
        }
    }
}

type Out = Box<dyn Write + Send>;

enum Encoder {
    Csv(Box<csv::Writer<Out>>),
    JsonLines(BufWriter<Out>),
}

/// Writes rows as they come: buffered, and handed to the operating system at
/// least every second and at the end.
pub struct RecordWriter {
    path: PathBuf,
    encoder: Encoder,
    flushed: Duration,
}

impl RecordWriter {
    /// Creates the file; its extension says the format.
    ///
    /// # Errors
    ///
    /// [`ReportError::Extension`] or [`ReportError::Write`].
    pub fn create(path: &Path) -> Result<Self, ReportError> {
        let format = RecordFormat::of(path)?;
        let file = File::create(path).map_err(ReportError::at(path))?;
        Self::new(path, format, Box::new(file))
    }

    /// Writes to `out`, which is called `path` in errors.
    ///
    /// # Errors
    ///
    /// [`ReportError::Write`].
    pub fn new(
        path: &Path,
        format: RecordFormat,
        out: Box<dyn Write + Send>,
    ) -> Result<Self, ReportError> {
        let encoder = match format {
            RecordFormat::Csv => {
                let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(out);
                csv.write_record(COLUMNS).map_err(|error| from_csv(path, error))?;
                Encoder::Csv(Box::new(csv))
            }
            RecordFormat::JsonLines => Encoder::JsonLines(BufWriter::new(out)),
        };
        Ok(Self { path: path.to_owned(), encoder, flushed: Duration::ZERO })
    }

    /// Writes one row. `now` is any clock that does not run backwards.
    ///
    /// # Errors
    ///
    /// [`ReportError::Write`]; when the disk is full, that may be told a few
    /// rows later.
    pub fn write(&mut self, row: &Row, now: Duration) -> Result<(), ReportError> {
        match &mut self.encoder {
            Encoder::Csv(csv) => {
                csv.serialize(Record::from(row)).map_err(|error| from_csv(&self.path, error))?;
            }
            Encoder::JsonLines(out) => {
                let record = WithReason { record: row.into(), reason: row.reason() };
                serde_json::to_writer(&mut *out, &record)
                    .map_err(std::io::Error::from)
                    .and_then(|()| out.write_all(b"\n"))
                    .map_err(ReportError::at(&self.path))?;
            }
        }
        self.tick(now)
    }

    /// Flushes when the last time was a second ago. Call it now and then while
    /// no rows come.
    ///
    /// # Errors
    ///
    /// [`ReportError::Write`].
    pub fn tick(&mut self, now: Duration) -> Result<(), ReportError> {
        if now.saturating_sub(self.flushed) >= FLUSH_EVERY {
            self.flushed = now;
            self.flush()?;
        }
        Ok(())
    }

    /// Hands everything to the operating system. Call it at the end: dropping
    /// the writer flushes too, but cannot tell of a failure.
    ///
    /// # Errors
    ///
    /// [`ReportError::Write`].
    pub fn flush(&mut self) -> Result<(), ReportError> {
        match &mut self.encoder {
            Encoder::Csv(csv) => csv.flush(),
            Encoder::JsonLines(out) => out.flush(),
        }
        .map_err(ReportError::at(&self.path))
    }
}

fn from_csv(path: &Path, error: csv::Error) -> ReportError {
    let cause = match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    };
    ReportError::Write { path: path.to_owned(), cause }
}

#[cfg(test)]
#[path = "records_tests.rs"]
pub(super) mod tests;
