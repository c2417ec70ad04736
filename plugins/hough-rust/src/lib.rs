//! Pure-Rust gradient Hough detector with sub-pixel refinement.
//!
//! A frame goes through stages, one module each:
//!
//! | stage | module |
//! |---|---|
//! | halving, again and again, until the largest disc is small | [`pyramid`] |
//! | gradient, threshold, thinning: a list of edges per level | [`gradient`] |
//! | votes along the gradient for radii of 4 to 11 pixels of the level | [`votes`] |
//! | radius and coverage by the edges around a peak | [`coverage`] |
//! | in pictures that are full of edges: pieces of rims by edges that follow each other | [`arcs`] |
//! | the circle by rays | [`rays`] |
//! | the way back to full resolution | [`climb`] |
//! | maximum-likelihood fit of a blurred disc, covariance | [`refine`] |
//! | where colours do not lie on the brightness: the fit in brightness | `detector::luma` |
//! | where no model of a disc is true: the outline by rays | `outline` |
//! | where light from one side explains more: a matte ball | `detector::lit` |
//! | where many of one size touch each other: what touches these | `detector::neighbours` |
//! | discs that touch each other are fitted together | `detector::parting` |
//! | what shows when these are taken out of the picture | `detector::bare` |
//! | optionally: where the discs of the last picture are now | [`tracks`] |
//!
//! [`HoughRust`] puts them together.

pub mod arcs;
mod belief;
pub mod climb;
pub mod config;
pub mod coverage;
pub mod detector;
pub mod edge_model;
pub mod gradient;
mod grain;
pub mod image;
pub mod linalg;
mod outline;
pub mod pyramid;
pub mod rays;
pub mod refine;
pub mod ring;
mod sector;
pub mod simd;
pub mod tracks;
pub mod votes;

pub use config::{Config, Polarity};
pub use detector::HoughRust;

plumbline_plugin_api::export_plugin! {
    detector: HoughRust,
    name: "hough-rust",
    description: "Gradient Hough with maximum-likelihood refinement, pure Rust",
}
