//! Plugins: where they are, how they are loaded, and instances that cannot
//! take the host down with a panic, an error or a nonsensical answer.
//!
//! ```text
//! Catalog ── load(name or path) ──> Plugin ── detector(config, role) ──> Detector
//!                                          └─ display(config, role) ───> Display
//! ```
//!
//! | file | subject |
//! |---|---|
//! | `search` | the search path and the libraries in it |
//! | `elf` | is this file a shared library for this machine? |
//! | `load` | opening a library: symbols, interface version, layout |
//! | `load_error` | why a library does not load, in a sentence |
//! | `descriptor` | what a plugin says about itself |
//! | `catalog` | finding a plugin by its name, listing all of them |
//! | `probe` | asking libraries for their descriptors in a child process |
//! | `worker` | a child process that answers line by line, with deadlines |
//! | `remote` | a detector in a process of its own |
//! | `log` | log lines of plugins on their way into the host's log |
//! | `detector`, `display` | instances |
//! | `vet` | what a detector answered, freed of nonsense |
//! | `quarantine` | when to stop trying |
//! | `check` | the test harness: what a host relies on, one check each |
//! | `schema` | the configuration keys that a plugin's schema describes |
//! | `durations` | how long frames took, as percentiles |
//! | `picture` | pictures to try detectors on |
//! | `fault` | what went wrong in a plugin, and on which frame |
//!
//! Libraries are never unloaded.

mod catalog;
pub mod check;
mod descriptor;
mod detector;
mod display;
mod durations;
mod elf;
mod fault;
mod load;
mod load_error;
mod log;
mod picture;
pub mod probe;
mod quarantine;
pub mod remote;
mod schema;
mod search;
mod vet;
mod worker;

pub use catalog::{Catalog, Entry, EntryStatus, FindError};
pub use descriptor::{Descriptor, Kind};
pub use detector::Detector;
pub use display::Display;
pub use durations::Durations;
pub use fault::{FaultCause, PluginFault};
pub use load::Plugin;
pub use load_error::LoadError;
pub use log::Role;
pub use picture::{Disc, Picture};
pub use schema::{Key, keys};
pub use search::{Origin, SearchDir};
pub use worker::signal_name;
