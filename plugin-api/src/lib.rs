//! The interface between Plumbline and its plugins.
//!
//! A plugin is a dynamic library (`crate-type = ["cdylib"]`) that exports one
//! detector or one display. This is a whole one, a detector that answers with
//! the centroid of everything brighter than a threshold:
//!
//! ```
//! use plumbline_plugin_api::prelude::*;
//!
//! /// Settings, from `[plugin.centroid]` in `config.toml`.
//! #[derive(Default, Serialize, Deserialize, JsonSchema)]
//! #[serde(default, deny_unknown_fields)]
//! struct Config {
//!     /// Grey level above which a pixel belongs to the ball.
//!     threshold: u8,
//! }
//!
//! struct Centroid(Config);
//!
//! impl Detector for Centroid {
//!     type Config = Config;
//!
//!     fn new(config: Config, _host: &HostInfo) -> Result<Self, PluginError> {
//!         Ok(Self(config))
//!     }
//!
//!     fn detect(&mut self, frame: &Frame<'_>, found: &mut Detections) -> Result<(), PluginError> {
//!         let (mut n, mut sx, mut sy) = (0.0, 0.0, 0.0);
//!         for y in 0..frame.height() {
//!             for (x, pixel) in frame.row(y).chunks_exact(frame.format().bytes_per_pixel()).enumerate() {
//!                 if pixel.iter().any(|&v| v > self.0.threshold) {
//!                     (n, sx, sy) = (n + 1.0, sx + x as f64, sy + f64::from(y));
//!                 }
//!             }
//!         }
//!         if n > 0.0 {
//!             found.push(Detection::new(sx / n, sy / n, (n / std::f64::consts::PI).sqrt(), 1.0));
//!         }
//!         Ok(())
//!     }
//! }
//!
//! plumbline_plugin_api::export_plugin! {
//!     detector: Centroid,
//!     name: "centroid",
//!     description: "Centroid of the bright pixels",
//! }
//! ```
//!
//! # Layout
//!
//! | module | what is in it | who uses it |
//! |---|---|---|
//! | [`frame`], [`detection`], [`score`] | the data that crosses the boundary | everyone |
//! | [`author`] | the traits that a plugin implements | plugin authors |
//! | [`abi`] | the stable binary interface underneath | the host |
//!
//! # Coordinates
//!
//! Integer coordinates are pixel centres: (0, 0) is the centre of the top-left
//! pixel, x grows to the right, y grows down, and every length is in pixels.
//!
//! # Versions
//!
//! The version of this crate is the version of the interface. A plugin built
//! for any 1.x loads in a host that speaks any later 1.y.

#![allow(
    non_local_definitions,
    non_camel_case_types,
    reason = "the macros of abi_stable expand to such items"
)]

pub mod abi;
pub mod author;
pub mod detection;
pub mod error;
mod export;
pub mod frame;
mod logging;
pub mod score;

pub use author::{Detections, Detector, Display, HostInfo, NoConfig};
pub use detection::{Covariance, Detection};
pub use error::{ErrorKind, PluginError};
pub use frame::{Frame, FrameError, PixelFormat};
pub use score::{Circle, Flow, Outcome, Overlay, Progress, ScoreRow};

/// The version of the interface that this crate describes, as `major.minor.patch`.
pub const API_VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a plugin usually needs, in one `use`.
pub mod prelude {
    pub use crate::{
        Circle, Covariance, Detection, Detections, Detector, Display, Flow, Frame, HostInfo,
        NoConfig, Outcome, Overlay, PixelFormat, PluginError, Progress, ScoreRow,
    };
    pub use schemars::JsonSchema;
    pub use serde::{Deserialize, Serialize};
}

#[doc(hidden)]
pub mod __private {
    pub use crate::export::{
        default_config, new_detector, new_display, no_detector, no_display, schema,
    };
    pub use abi_stable;
    pub use schemars;
    pub use serde;
}
