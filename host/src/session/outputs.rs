//! Where finished rows go: the records file, the four columns, the display.

use std::{
    io::Stdout,
    time::{Duration, Instant},
};

use plumbline_plugin_api::{Progress, ScoreRow};
use tracing::error;

use super::showing::Showing;
use crate::{
    report::{FourColumns, RecordWriter},
    score::Row,
};

/// How often the display hears of new rows.
const DISPLAY_EVERY: Duration = Duration::from_millis(50);

/// The sinks of one session. A sink that fails is given up and remembered in
/// [`Outputs::failure`]; the session goes on.
pub(super) struct Outputs<'a> {
    records: Option<RecordWriter>,
    columns: Option<FourColumns<Stdout>>,
    display: &'a Showing,
    pending: Vec<ScoreRow>,
    shown: Instant,
    failure: Option<String>,
}

impl<'a> Outputs<'a> {
    pub(super) fn new(
        records: Option<RecordWriter>,
        columns: Option<FourColumns<Stdout>>,
        display: &'a Showing,
    ) -> Self {
        let now = Instant::now();
        let pending = Vec::new();
        Self { records, columns, display, pending, shown: now, failure: None }
    }

    /// Takes rows in frame order; `now` is the session's clock.
    pub(super) fn rows(&mut self, rows: &[Row], now: Duration) {
        if let Some(records) = &mut self.records {
            let written = rows.iter().try_for_each(|row| records.write(row, now));
            let result = written.and_then(|()| records.tick(now));
            self.keep_or_drop_records(result);
        }
        if let Some(columns) = &mut self.columns
            && let Err(e) = columns.rows(rows)
        {
            self.fail(format!("standard output: {e}"));
            self.columns = None;
        }
        self.pending.extend(rows.iter().map(Row::to_score_row));
    }

    /// Brings display and disk up to date when it is time, or when `force`d.
    pub(super) fn refresh(&mut self, force: bool, progress: impl FnOnce() -> Progress) {
        let now = Instant::now();
        if force || now - self.shown >= DISPLAY_EVERY {
            self.display.scores(&self.pending, progress());
            self.pending.clear();
            self.shown = now;
        }
        if force && let Some(records) = &mut self.records {
            let flushed = records.flush();
            self.keep_or_drop_records(flushed);
        }
    }

    /// What a sink failed with, if one did.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    fn keep_or_drop_records<E: std::fmt::Display>(&mut self, result: Result<(), E>) {
        if let Err(e) = result {
            self.fail(e.to_string());
            self.records = None;
        }
    }

    fn fail(&mut self, reason: String) {
        error!("{reason}");
        self.failure.get_or_insert(reason);
    }
}
