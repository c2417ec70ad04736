//! What is written for people and for programs: the summary of a session, one
//! record per frame, and the original's four columns. Rows come from
//! [`crate::score`] in frame order; the caller owns the clock.

mod columns;
mod file;
mod human;
mod records;
mod summary;

pub use columns::FourColumns;
pub use file::{ReportError, rotate, write_atomically};
pub use records::{COLUMNS, RecordFormat, RecordWriter};
pub use summary::{
    Answers, ErrorPx, Exit, Frames, L1, L2, Millis, RadiusPx, Run, SCHEMA, Scene, Summary,
};
