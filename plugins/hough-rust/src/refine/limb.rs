//! What the directions say of a ball.

use super::{
    kernel::{Pixels, Weighing},
    sectors::Support,
};
use crate::sector::SECTORS;

/// Pixels that a direction has at least.
const FEWEST: f32 = 4.0;
/// A direction in which the edge is less certain than this, in pixels, says nothing of it: the
/// ball is there as bright as the ground.
const UNCERTAIN: f32 = 0.35;
/// How far off the edge may be where it is shown: a share of the radius, and standard deviations.
const OFF: (f32, f32) = (0.02, 2.0);
/// The part of what varies in a direction that may be left.
const LEFT: f32 = 0.5;

/// What a direction saw: weighted sums over its pixels that are in sight, by how much noise there
/// is where they are.
#[derive(Clone, Copy, Debug, Default)]
struct Direction {
    n: f32,
    weight: f32,
    v: f32,
    vv: f32,
    ee: f32,
    je: f32,
    jj: f32,
    /// Those of the edge's shift without outliers.
    kept: (f32, f32),
}

impl Direction {
    /// Whether it shows a ball of radius `r` among `noise`; `None` where it says nothing.
    fn shows(&self, r: f32, noise: f32) -> Option<bool> {
        let spread = noise / self.jj.max(1e-9).sqrt();
        if self.n < FEWEST || spread > UNCERTAIN {
            return None;
        }
        let shift = self.je / self.jj;
        let all = (self.vv - self.v * self.v / self.weight).max(1e-6);
        let left = (self.ee - noise * noise * self.n).max(0.0);
        Some(shift.abs() < OFF.0 * r + OFF.1 * spread && left < LEFT * all)
    }
}

/// What the pixels say of a ball of radius `r` after a pass, of which those outside have this
/// `noise`.
pub(super) fn support(pixels: &Pixels, weighing: Weighing, r: f32, noise: f32) -> Support {
    let mut directions = [Direction::default(); SECTORS];
    for i in (0..pixels.len()).filter(|i| pixels.mask[*i] > 0.0) {
        let d = &mut directions[usize::from(pixels.sector[i]) % SECTORS];
        let (v, e, j) = (pixels.value[i], pixels.residual[i], pixels.by_radius[i]);
        let weight = 1.0 / weighing.scale(pixels.share[i]);
        d.n += 1.0;
        d.weight += weight;
        d.v += weight * v;
        d.vv += weight * v * v;
        d.ee += weight * e * e;
        d.je += weight * j * e;
        d.jj += weight * j * j;
        let q = weighing.over_limit(e, pixels.share[i]);
        let kept = weight * (1.0 - q * q).max(0.0);
        d.kept.0 += kept * j * e;
        d.kept.1 += kept * j * j;
    }
    Support::of(directions.iter().map(|d| (d.kept, d.shows(r, noise))))
}
