//! What a detector answers.

use abi_stable::{StableAbi, std_types::ROption};

/// Covariance of an estimate of (x, y, radius), in square pixels: the upper
/// triangle of a symmetric 3 x 3 matrix.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq)]
pub struct Covariance {
    /// Variance of x.
    pub xx: f64,
    /// Covariance of x and y.
    pub xy: f64,
    /// Covariance of x and the radius.
    pub xr: f64,
    /// Variance of y.
    pub yy: f64,
    /// Covariance of y and the radius.
    pub yr: f64,
    /// Variance of the radius.
    pub rr: f64,
}

/// One disc that a detector found.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Centre, pixels to the right of the centre of the top-left pixel.
    pub x: f64,
    /// Centre, pixels below the centre of the top-left pixel.
    pub y: f64,
    /// Radius in pixels; NaN when the detector does not estimate it.
    pub radius: f64,
    /// How sure the detector is: higher is better, comparable within one detector.
    pub score: f64,
    /// How far off the detector believes it can be, if it says.
    pub covariance: ROption<Covariance>,
}

impl Detection {
    /// A detection without a covariance.
    pub fn new(x: f64, y: f64, radius: f64, score: f64) -> Self {
        Self { x, y, radius, score, covariance: ROption::RNone }
    }

    /// The same detection with its covariance.
    #[must_use]
    pub fn with_covariance(mut self, covariance: Covariance) -> Self {
        self.covariance = ROption::RSome(covariance);
        self
    }
}
