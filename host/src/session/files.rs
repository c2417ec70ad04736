//! Files of a server: the summary and the records of each session.

use std::{io::Write as _, path::PathBuf};

use tracing::{error, info};

use crate::report::{RecordWriter, ReportError, Summary, rotate};

/// The output files. The latest session has the names that the user gave; what
/// an earlier session of this run left there is renamed first, so nothing is lost.
pub(super) struct Files {
    summary: Option<PathBuf>,
    records: Option<PathBuf>,
    columns: bool,
    failure: Option<String>,
}

impl Files {
    /// `columns`: standard output is taken, what is for people goes to standard error.
    pub(super) fn new(summary: Option<PathBuf>, records: Option<PathBuf>, columns: bool) -> Self {
        Self { summary, records, columns, failure: None }
    }

    /// The records file of a session that begins.
    pub(super) fn records(&mut self, session: u64) -> Option<RecordWriter> {
        let path = self.records.clone()?;
        let writer = keep_earlier(&path, session).and_then(|()| RecordWriter::create(&path));
        writer.map_err(|e| self.note_failure(Some(&e.to_string()))).ok()
    }

    /// Writes the summary of a session that is over, and shows it.
    pub(super) fn report(&mut self, summary: &Summary) {
        let text = summary.human();
        // A reader that has gone is no reason to fail.
        let _ = if self.columns {
            write!(std::io::stderr(), "\n{text}")
        } else {
            write!(std::io::stdout(), "\n{text}")
        };
        self.write(summary);
    }

    /// Writes a summary and shows nothing.
    pub(super) fn write(&mut self, summary: &Summary) {
        let Some(path) = &self.summary else { return };
        let written = keep_earlier(path, summary.run.session).and_then(|()| summary.write(path));
        if let Err(e) = written {
            self.note_failure(Some(&e.to_string()));
        }
    }

    /// Remembers that something could not be written.
    pub(super) fn note_failure(&mut self, reason: Option<&str>) {
        if let Some(reason) = reason
            && self.failure.is_none()
        {
            error!("{reason}");
            self.failure = Some(reason.to_owned());
        }
    }

    /// Whether everything was written.
    pub(super) fn result(self) -> anyhow::Result<()> {
        self.failure.map_or(Ok(()), |reason| Err(anyhow::anyhow!(reason)))
    }
}

fn keep_earlier(path: &std::path::Path, session: u64) -> Result<(), ReportError> {
    if session > 1
        && let Some(kept) = rotate(path, session - 1)?
    {
        info!("the file of session {} is kept as {}", session - 1, kept.display());
    }
    Ok(())
}
