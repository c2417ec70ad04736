//! Detectors on scenes and pictures, offline: every detector sees the same frames, and what
//! it answers is compared with the exact truth.
//!
//! | file | subject |
//! |---|---|
//! | `plan` | scenes, segments and their seeds |
//! | [`film`] | the driver: renders and detects on all cores |
//! | [`footage`], [`answers`], `rows` | the truth of pictures, what others found in them, CSV |
//! | [`shown`] | the driver for pictures |
//! | [`timing`] | how long detectors take, on one core |
//! | `matching` | which detection belongs to which ball |
//! | `bound` | the Cramer-Rao bound of a ball in its frame |
//! | `interval` | Wilson's interval, block bootstrap, quantiles |
//! | `metrics` | what one detector did in one scene |
//! | `series` | pixel locking, rank correlation |
//! | `compare` | two detectors on the same frames |
//! | `overall` | one detector in all scenes |
//! | `hint` | the radius range that a detector is told |
//! | [`require`](Requirements) | thresholds |
//! | [`summary`](Summary), `table`, `records`, `page` | what is written |
//!
//! Only `film` and `shown` know threads, `timing` a clock, and `footage`, `answers` and
//! `shown` files. All results except the times depend on the arguments alone.

use std::borrow::Cow;

pub mod answers;
pub mod bound;
pub mod compare;
pub mod film;
pub mod footage;
pub mod hint;
pub mod interval;
pub mod matching;
pub mod metrics;
pub mod overall;
mod page;
pub mod plan;
pub mod records;
pub mod require;
mod rows;
pub mod series;
pub mod shown;
pub mod summary;
mod table;
pub mod timing;

pub use answers::Answers;
pub use compare::{Difference, Margins, Pair, Verdict};
pub use footage::Footage;
pub use hint::{radii, radius_hint};
pub use interval::Interval;
pub use metrics::Metrics;
pub use overall::Overall;
pub use page::page;
pub use plan::{Plan, scenes};
pub use records::{write_false_positives, write_records};
pub use require::{RequireError, Requirements, Unmet};
pub use summary::{DetectorInfo, SceneSummary, Summary};
pub use table::text;

/// An argument of a command line, for a shell.
pub fn quoted(argument: &str) -> String {
    // Only a null byte cannot be quoted, and no argument has one.
    shlex::try_quote(argument).map_or_else(|_| argument.to_owned(), Cow::into_owned)
}

/// What is said of errors against labels by hand.
const LABELLED: &str = "No bound is known for these pictures. Where they were labelled by hand, errors of a pixel\n\
                        or less are as much those of the labels, and so are calibration, bias and locking";
