//! What is known about a frame.

use plumbline_plugin_api::Circle;

/// The ground truth of one frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Truth {
    /// The frame's number, counted from 0.
    pub frame: u64,
    /// Every ball in the picture; the first one is the one that is scored.
    pub balls: Vec<BallTruth>,
    /// Circles that are not the ball, back to front.
    pub clutter: Vec<Circle>,
}

impl Truth {
    /// The ball that is scored, as the ledger wants it.
    pub fn circle(&self) -> Circle {
        self.balls.first().map_or(Circle { x: f64::NAN, y: f64::NAN, radius: f64::NAN }, |ball| {
            Circle { x: ball.x, y: ball.y, radius: ball.radius }
        })
    }
}

/// One ball as it was drawn. Pixels; integer coordinates are pixel centres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BallTruth {
    /// The centre that `lens.truth` chose: `centroid` or `projection`.
    pub x: f64,
    /// As `x`.
    pub y: f64,
    /// Radius of the disc; of the disc with the same area where the image is not a disc.
    pub radius: f64,
    /// Centroid of the drawn area, as if nothing hid it, in the middle of the exposure.
    pub centroid: [f64; 2],
    /// The image of the ball's centre, in the middle of the exposure.
    pub projection: [f64; 2],
    /// Velocity in pixels per frame during the exposure.
    pub velocity: [f64; 2],
    /// Share of the ball's area that is in the picture and not hidden, 0 to 1.
    pub visible: f64,
    /// Share of the ball's rim that is in the picture and not hidden, and that differs
    /// from a ball or a distractor right behind it by at least a tenth of the ball's
    /// contrast, 0 to 1.
    pub visible_arc: f64,
    /// Contrast with the ground: `ball.contrast`, for the other balls times the share that
    /// was drawn for them from `ball.other_contrast`.
    pub contrast: f64,
}
