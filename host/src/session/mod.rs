//! The two roles: what happens between a handshake and a goodbye.
//!
//! | file | subject |
//! |---|---|
//! | `server` | the server's life: one session after another, summaries |
//! | `serving` | one session, seen from the server |
//! | `filming` | the thread that makes frames: scene, pacing, fragments |
//! | `scorebook` | the ledger, shared between filming and serving |
//! | `files` | the summary and the records of each session |
//! | `outputs` | where finished rows go: records, columns, display |
//! | `client` | the client's life: one session |
//! | `detecting` | the thread that runs the detector, and the queue before it |
//! | `showing` | the thread that runs a display plugin |
//! | `ending` | how a session can end |
//!
//! Plugins run on threads of their own; everything between the threads is
//! bounded. Only the verbs of [`crate::cli`] call into this module.

mod client;
mod detecting;
mod ending;
mod files;
mod filming;
mod outputs;
mod scorebook;
mod server;
mod serving;
mod showing;

pub use client::{ClientSettings, run as run_client};
pub use ending::Ending;
pub use server::{ServerSettings, run as run_server};
pub use showing::MakeDisplay;

/// Name and version of this program, for the peer's log and the reports.
pub const SOFTWARE: &str = concat!("plumbline ", env!("CARGO_PKG_VERSION"));
