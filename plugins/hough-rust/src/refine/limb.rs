//! What the directions say of a ball.

use super::kernel::{Pixels, Weighing};
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
/// Directions that say something, at least.
const ENOUGH: usize = SECTORS / 4;

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

/// What all of them say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limb {
    /// The share of those that say something that show the ball.
    pub(super) share: f32,
    /// The arcs in which they do not.
    pub(super) gaps: u32,
    /// The variance of the pixels that the differences between the directions tell.
    pub(super) scatter: f32,
    /// Root mean square distance of the edge from the circle, in pixels, where it is shown.
    pub(super) roughness: f32,
}

impl Direction {
    fn is_seen(&self) -> bool {
        self.n >= FEWEST
    }

    /// Whether it shows a ball of radius `r` among `noise`; `None` where it says nothing.
    fn shows(&self, r: f32, noise: f32) -> Option<bool> {
        let spread = noise / self.jj.max(1e-9).sqrt();
        if !self.is_seen() || spread > UNCERTAIN {
            return None;
        }
        let shift = self.je / self.jj;
        let all = (self.vv - self.v * self.v / self.weight).max(1e-6);
        let left = (self.ee - noise * noise * self.n).max(0.0);
        Some(shift.abs() < OFF.0 * r + OFF.1 * spread && left < LEFT * all)
    }
}

impl Limb {
    /// What the pixels say of a ball of radius `r` after a pass, of which those outside have this
    /// `noise`.
    pub(super) fn of(pixels: &Pixels, weighing: Weighing, r: f32, noise: f32) -> Self {
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
        Self::of_directions(&directions, r, noise)
    }

    fn of_directions(directions: &[Direction; SECTORS], r: f32, noise: f32) -> Self {
        let shown = || directions.iter().map(|d| d.shows(r, noise));
        let all = shown().flatten().count();
        let good = shown().flatten().filter(|shown| *shown).count();
        let mut before = shown().flatten().next_back();
        let mut gaps = 0;
        for shown in shown().flatten() {
            gaps += u32::from(before == Some(true) && !shown);
            before = Some(shown);
        }
        let share = if all >= ENOUGH { good as f32 / all as f32 } else { 0.0 };
        let (mut sum, mut weight) = (0.0, 0.0);
        let (mut squares, mut n) = (0.0, 0.0);
        for (d, shown) in directions.iter().zip(shown()).filter(|(d, _)| d.kept.1 > 0.0) {
            let square = d.kept.0 * d.kept.0 / d.kept.1;
            squares += square;
            n += 1.0;
            if shown == Some(true) {
                sum += square;
                weight += d.kept.1;
            }
        }
        let roughness = if weight > 0.0 { (sum / weight).sqrt() } else { f32::INFINITY };
        // The centre and the radius have taken up what they could.
        let scatter = if n > 6.0 { squares / (n - 3.0) } else { 0.0 };
        Self { share, gaps, scatter, roughness }
    }
}
