//! What a fit says of a disc.

use crate::ring::{Circle, Ring};

/// Result of a fit.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// Where the disc is, at full resolution.
    pub circle: Circle,
    /// Width of the edge (standard deviation, pixels), sampling included.
    pub width: f64,
    /// Grey levels inside minus outside.
    pub contrast: f64,
    /// Grey level outside; NaN where the rays alone saw the disc.
    pub ground: f64,
    /// Standard deviation of the residuals, grey levels.
    pub noise: f64,
    /// Covariance of (x, y, r), square pixels, for the scatter of the pixels or
    /// that of the directions, whichever is larger.
    pub covariance: [[f64; 3]; 3],
    /// Share of the directions in which the picture agrees with the disc.
    pub support: f64,
    /// Arcs in which it does not.
    pub gaps: u32,
    /// Root mean square distance of the edge from the circle, in pixels, in the
    /// directions that show the disc; noise included.
    pub roughness: f64,
    /// Whether some directions have a level of their own outside.
    pub own_levels: bool,
    /// By how much the radius swings with twice the angle, as a share of it.
    pub flatness: f64,
    /// By how much the directions differ more than the pixels' noise makes them (a factor of
    /// the variance), where the light off the rim has structure; 1 elsewhere.
    pub texture: f64,
    /// By how much the edge's width swings with twice the angle, in pixels: with that of a disc
    /// in motion.
    pub blur_swing: f64,
    /// Whether a disc in even light in front of one ground is all there is, or a picture
    /// without noise.
    pub is_plain: bool,
}

impl Fit {
    /// What the rays say of a disc that is like no model, as one of many colours: where their
    /// edge points are, and nothing of its levels. `sign` is 1 for a disc that is brighter
    /// than its surroundings, -1 for a darker one. `None` where the points do not tell a
    /// circle.
    pub fn of_rays(ring: &Ring, sign: f32) -> Option<Self> {
        Some(Self {
            circle: ring.disc(),
            width: ring.width(),
            contrast: f64::from(sign * ring.contrast),
            ground: f64::NAN,
            noise: 0.0,
            covariance: ring.covariance()?,
            support: f64::from(ring.coverage),
            gaps: 0,
            roughness: f64::from(ring.spread),
            own_levels: false,
            flatness: f64::from(ring.swing()) / ring.circle.r,
            texture: 1.0,
            blur_swing: 0.0,
            is_plain: false,
        })
    }

    /// Whether no model described the disc, and its outline is all there is.
    pub fn is_outline(&self) -> bool {
        self.ground.is_nan()
    }

    /// Standard deviation of the centre in one direction, in pixels.
    pub fn deviation(&self) -> f64 {
        f64::midpoint(self.covariance[0][0], self.covariance[1][1]).sqrt()
    }

    /// The same a part of the way from here to where `other` is, with as much of its
    /// covariance.
    #[must_use]
    pub fn towards(mut self, other: &Self, part: f64) -> Self {
        let mix = |a: f64, b: f64| a + part * (b - a);
        let (a, b) = (self.circle, other.circle);
        self.circle = Circle { x: mix(a.x, b.x), y: mix(a.y, b.y), r: mix(a.r, b.r) };
        for (row, other) in self.covariance.iter_mut().zip(&other.covariance) {
            row.iter_mut().zip(other).for_each(|(a, b)| *a = mix(*a, *b));
        }
        self
    }
}
