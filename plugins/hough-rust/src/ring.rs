//! A circle with what rays saw of it.

use crate::{
    linalg,
    rays::{RAYS, direction, normal},
    sector::sector,
};

/// Share of the rays with which a rim counts as whole.
const WHOLE: f32 = 0.95;
/// Width of an edge, in pixels, from which it may be a moving disc's.
const WIDE: f64 = 1.2;
/// The most that neighbouring edge points count as alike.
const MOST_ALIKE: f64 = 0.8;

/// A circle in the coordinates of the picture at hand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circle {
    /// Centre, column.
    pub x: f64,
    /// Centre, row.
    pub y: f64,
    /// Radius.
    pub r: f64,
}

impl Circle {
    /// The distance between the centres.
    pub fn distance(&self, other: &Self) -> f64 {
        let (dx, dy) = (self.x - other.x, self.y - other.y);
        (dx * dx + dy * dy).sqrt()
    }

    /// How far another one is off: its centre, and its radius, in pixels.
    pub fn apart(&self, other: &Self) -> f64 {
        self.distance(other) + (self.r - other.r).abs()
    }
}

/// A circle with what the rays saw of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ring {
    /// Where it is.
    pub circle: Circle,
    /// Share of the rays inside the picture that meet the edge at the circle.
    pub coverage: f32,
    /// The rays that do, as bits.
    pub hits: u64,
    /// Share of the rays that stay inside the picture.
    pub visible: f32,
    /// Median of (inside - outside), in grey levels.
    pub contrast: f32,
    /// Median steepness at the edge, in grey levels a pixel.
    pub slope: f32,
    /// Root mean square distance of the edge points from the circle, or from the oval.
    pub spread: f32,
    /// Correlation of the distances of neighbouring edge points from it.
    pub alike: f32,
    /// What cos and sin of twice the direction add to the radius: of an oval, as a disc
    /// is seen from the side, if the rays saw one.
    pub shape: [f32; 2],
}

impl Ring {
    /// The standard deviation of the edge's profile that its steepness tells.
    ///
    /// The steepness is a difference over 2 pixels: `erf(1 / (sqrt(2) s))` of
    /// the contrast for a Gaussian edge, in which the bilinear samples are worth
    /// a variance of 1/6. The inverse of erf is Winitzki's.
    pub fn width(&self) -> f64 {
        const A: f64 = 0.147;
        let q = f64::from(2.0 * self.slope / self.contrast).clamp(0.05, 0.999);
        let log = libm::log(1.0 - q * q);
        let half = 2.0 / (std::f64::consts::PI * A) + log / 2.0;
        let inverse = ((half * half - log / A).sqrt() - half).sqrt();
        let variance = 0.5 / (inverse * inverse) - 1.0 / 6.0;
        variance.max(0.08).sqrt()
    }

    /// The disc whose blurred edge is steepest at this circle: `s^2 / 2r` larger, for the
    /// edge of a blurred disc lies further in (see [`crate::refine`]). The blur is that
    /// across the edge and that of the bilinear samples along it, 1/6.
    pub fn disc(&self) -> Circle {
        let blur = self.width().powi(2) + 1.0 / 6.0;
        Circle { r: self.circle.r + blur / (2.0 * self.circle.r), ..self.circle }
    }

    /// By how much an oval's radius swings.
    pub fn swing(&self) -> f32 {
        self.shape[0].hypot(self.shape[1])
    }

    /// Whether the edge is narrower than that of a disc in motion.
    pub fn is_sharp(&self) -> bool {
        self.width() < WIDE
    }

    /// How many edge points tell as much as one: those that are off alike count as fewer, as
    /// in a series whose correlation falls by the same factor from each to the next.
    pub fn redundancy(&self) -> f64 {
        let alike = f64::from(self.alike).clamp(0.0, MOST_ALIKE);
        (1.0 + alike) / (1.0 - alike)
    }

    /// Covariance of the circle's (x, y, r), square pixels, from how far its edge points are
    /// off. `None` where they do not tell a circle.
    pub fn covariance(&self) -> Option<[[f64; 3]; 3]> {
        let mut a = [[0.0; 3]; 3];
        for i in (0..RAYS).filter(|i| self.hits >> i & 1 == 1) {
            let (c, s) = direction(i);
            normal(&mut a, &mut [0.0; 3], &[c.into(), s.into(), 1.0], 0.0, 1.0);
        }
        let variance = f64::from(self.spread).powi(2) * self.redundancy();
        let mut covariance = [[0.0; 3]; 3];
        for (k, row) in covariance.iter_mut().enumerate() {
            let mut unit = [0.0; 3];
            unit[k] = variance;
            *row = linalg::solve(&a, &unit, 3)?;
        }
        Some(covariance)
    }

    /// The sectors, as bits, in which no ray met the edge. None when the rays
    /// saw a whole disc, where one that missed is chance.
    pub fn unseen(&self) -> u32 {
        if self.coverage >= WHOLE {
            return 0;
        }
        let seen = (0..RAYS).filter(|i| self.hits >> i & 1 == 1).fold(0_u32, |seen, i| {
            let (dx, dy) = direction(i);
            seen | 1 << sector(dx, dy)
        });
        !seen
    }
}
