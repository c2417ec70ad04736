//! OpenCV's `EdgeDrawing` (ximgproc) as a detector: EDCircles by Akinlar and
//! Topal (Pattern Recognition 46, 2013), the baseline for accuracy.
//!
//! Edges are drawn from anchor to anchor, split into lines and arcs, and arcs
//! are joined to circles and ellipses, which are fitted to the edge pixels. The
//! pixels are whole numbers, so an answer is as good as many of them average
//! out. OpenCV gives no measure of quality; the score is the share of the
//! circle that lies on edge pixels, from 0 to 1. Centres are in our convention:
//! integer coordinates are pixel centres. On exact discs of radius 40 the RMSE
//! is 0.022 px per axis (measured in the tests with OpenCV 4.6).
//!
//! Answers are not repeatable to the last digit: with `sigma = 0` the same frame,
//! given to one instance again and again while other instances were at work in
//! other threads, gave centres up to 0.03 px apart. The cause was not looked for.

mod config;
#[cfg(test)]
mod tests;

use std::f64::consts::TAU;

use opencv::{
    core::{Mat, MatTraitConst, MatTraitConstManual, Ptr, Vec6d},
    ximgproc::{EdgeDrawing, EdgeDrawingTrait, create_edge_drawing},
};
use plumbline_opencv_input::{Input, use_threads};
use plumbline_plugin_api::prelude::*;

pub use crate::config::{Config, Operator};

/// Side of the smallest frame that is looked at, in pixels. Smaller ones hold
/// no circle, and `EdgeDrawing` does not expect them.
const MIN_SIDE: u32 = 8;

/// The detector.
pub struct EdCircles {
    config: Config,
    input: Input,
    drawing: Ptr<EdgeDrawing>,
    packed: Mat,
    edges: Mat,
}

impl Detector for EdCircles {
    type Config = Config;

    fn new(config: Config, _host: &HostInfo) -> Result<Self, PluginError> {
        let parameters = config.parameters()?;
        let input = Input::new(config.blur)?;
        use_threads(config.threads)?;
        let mut drawing = create_edge_drawing()?;
        drawing.set_params(parameters);
        Ok(Self { config, input, drawing, packed: Mat::default(), edges: Mat::default() })
    }

    fn detect(&mut self, frame: &Frame<'_>, found: &mut Detections) -> Result<(), PluginError> {
        if frame.width() < MIN_SIDE || frame.height() < MIN_SIDE {
            return Ok(());
        }
        let Self { config, input, drawing, packed, edges } = self;
        // New for each frame, since OpenCV leaves it alone when it finds nothing.
        let mut ellipses = Mat::default();
        input.with_grey(frame, |grey| {
            // `EdgeDrawing` takes rows to follow each other without a gap.
            if grey.is_continuous() {
                drawing.detect_edges(grey)?;
            } else {
                grey.copy_to(packed)?;
                drawing.detect_edges(packed)?;
            }
            drawing.detect_ellipses(&mut ellipses)?;
            Ok(drawing.get_edge_image(edges)?)
        })?;
        if ellipses.empty() {
            return Ok(());
        }
        for ellipse in ellipses.data_typed::<Vec6d>()? {
            let [x, y, radius, a, b, _] = ellipse.0;
            let radius = match radius > 0.0 {
                true => radius,
                false if a.max(b) <= config.max_axis_ratio * a.min(b) => (a * b).sqrt(),
                false => continue,
            };
            if x.is_finite() && y.is_finite() && config.takes(radius) {
                let score = support(edges, x, y, radius)?;
                found.push(Detection::new(x, y, radius, score));
            }
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(())
    }
}

/// The share of a circle's points that have an edge pixel within one pixel.
fn support(edges: &Mat, x: f64, y: f64, radius: f64) -> Result<f64, PluginError> {
    let (columns, rows) = (edges.cols(), edges.rows());
    let pixels = edges.data_bytes()?;
    let points = (TAU * radius).clamp(16.0, 720.0) as u32;
    let hits = (0..points).filter(|&i| {
        let (sin, cos) = (TAU * f64::from(i) / f64::from(points)).sin_cos();
        let (px, py) = ((x + radius * cos).round() as i32, (y + radius * sin).round() as i32);
        (-1..=1).any(|dy| {
            (-1..=1).any(|dx| {
                let (px, py) = (px.saturating_add(dx), py.saturating_add(dy));
                (0..columns).contains(&px)
                    && (0..rows).contains(&py)
                    && pixels[(py * columns + px) as usize] != 0
            })
        })
    });
    Ok(hits.count() as f64 / f64::from(points))
}

plumbline_plugin_api::export_plugin! {
    detector: EdCircles,
    name: "edcircles-opencv",
    description: "OpenCV EdgeDrawing (EDCircles), the baseline for accuracy",
}
