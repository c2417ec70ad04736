//! Who was right: the ledger that pairs answers with ground truth by frame
//! number, and the statistics of what it finds. Sans-IO: the time comes in as
//! an argument. What the numbers mean is in `docs/metrics.md`.
//!
//! The server's half of [`crate::session`] drives a [`Ledger`] and hands its
//! rows to the display and to [`crate::report`].

mod ledger;
mod moments;
mod quantiles;
mod rate;
mod row;
mod statistics;

pub use ledger::{Counts, Ledger, LedgerConfig, LedgerError, Verdict};
pub use moments::{Moments, Sum};
pub use quantiles::Quantiles;
pub use rate::Rate;
pub use row::{Ending, Hit, Row, Truth};
pub use statistics::Statistics;
