//! OpenCV's `HoughCircles` as a detector, with both of its methods.
//!
//! Without settings it is the detector of the original system: median blur 5,
//! `HOUGH_GRADIENT` with dp 3.5, minDist 30, param1 50, param2 20, radius 16 to 22.
//!
//! Circles come in OpenCV's order, the ones with the most votes first; the
//! score is the number of votes (for `gradient-alt` the number of edge pixels
//! on the circle). Centres are in our convention (integer coordinates are pixel
//! centres).
//!
//! # What the centres are worth
//!
//! Both methods quantise to the cells of the accumulator. A cell of `gradient`
//! takes the votes of an interval and reports its middle, (cell + 0.5) * dp; a
//! cell of `gradient-alt` is a point, cell * dp. Error in x on exact discs of
//! radius 19, mean and RMSE in pixels, measured in the tests with OpenCV 4.6:
//!
//! | dp | `gradient`, evenly over sub-pixel positions | centre at 60.00 | `gradient-alt`, evenly | centre at 60.00 |
//! |---|---|---|---|---|
//! | 1 | 0.00, 0.29 | +0.5 | 0.00, 0.40 | 0.0 |
//! | 2 | 0.00, 0.57 | +1.0 | 0.00, 0.57 | 0.0 |
//! | 3.5 | 0.05, 1.01 | +1.25 | 0.05, 1.01 | -0.5 |
//!
//! So the half cell is an offset only where discs sit on multiples of dp, as
//! balls that move by whole pixels do at dp 1; that is when `remove_offset` helps.

mod config;
#[cfg(test)]
mod tests;

use opencv::{
    core::{Vec4f, Vector},
    imgproc::hough_circles,
};
use plumbline_opencv_input::{Input, use_threads};
use plumbline_plugin_api::prelude::*;

use crate::config::Arguments;
pub use crate::config::{Config, Method};

/// The detector.
pub struct HoughOpencv {
    arguments: Arguments,
    input: Input,
    circles: Vector<Vec4f>,
}

impl Detector for HoughOpencv {
    type Config = Config;

    fn new(config: Config, _host: &HostInfo) -> Result<Self, PluginError> {
        if !(1..=256).contains(&config.threads) {
            return Err(PluginError::config(format!(
                "threads = {}: 1 to 256 are possible",
                config.threads
            )));
        }
        let arguments = Arguments::try_from(&config)?;
        let input = Input::new(config.blur)?;
        use_threads(config.threads)?;
        Ok(Self { arguments, input, circles: Vector::new() })
    }

    fn detect(&mut self, frame: &Frame<'_>, found: &mut Detections) -> Result<(), PluginError> {
        if frame.width() == 0 || frame.height() == 0 {
            return Ok(());
        }
        let Self { arguments: a, input, circles } = self;
        // OpenCV leaves the vector as it was when it finds nothing.
        circles.clear();
        input.with_grey(frame, |grey| {
            Ok(hough_circles(
                grey,
                circles,
                a.method,
                a.dp,
                a.min_dist,
                a.param1,
                a.param2,
                a.min_radius,
                a.max_radius,
            )?)
        })?;
        found.extend(circles.iter().map(|circle| {
            let [x, y, radius, votes] = circle.0.map(f64::from);
            Detection::new(x - a.offset, y - a.offset, radius, votes)
        }));
        Ok(())
    }
}

plumbline_plugin_api::export_plugin! {
    detector: HoughOpencv,
    name: "hough-opencv",
    description: "OpenCV HoughCircles, gradient and gradient-alt",
}
