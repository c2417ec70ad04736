//! The levels of a disc and its ground from the pixels beyond the annulus of the fit.
//!
//! The radius is as uncertain as the mean of the two levels: within the annulus an edge
//! of another radius looks much like one between other levels. Where the picture is even
//! further inside and outside it tells the levels better.

use super::{
    Place,
    kernel::{N, Pixels},
    noise::ROUNDING,
    start::{self, Annulus, Piece},
};
use crate::ring::Circle;

/// How far beyond the annulus is looked, outside and inside, in pixels.
const DEPTH: [f64; 2] = [6.0, 12.0];
/// Pixels of a side that are enough, over 2 pi: the annulus of a large disc has many.
const ENOUGH: f64 = 600.0;
/// Pixels of a side, at least.
const FEWEST: usize = 64;
/// Values that are off by more standard deviations are defects.
const DEFECT: f32 = 5.0;
/// Chi squared (of three degrees of freedom) up to which the quarters of a ring have one
/// level: chance has more once in 1000 times.
const EVEN: f32 = 16.0;

/// A level and its variance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Level {
    pub(super) value: f64,
    pub(super) variance: f64,
}

/// The level inside or outside beyond the annulus of a fit with the parameters `p`, where it
/// is even and what the fit has it, up to `noise`. Makes use of `pixels`
/// and `pieces`.
pub(super) fn level(
    (pixels, pieces): (&mut Pixels, &mut Vec<Piece>),
    place: &Place<'_>,
    p: &[f64; N],
    inside: bool,
    noise: f64,
) -> Option<Level> {
    let Place { image, weights, annulus: Annulus { circle: start, reach } } = *place;
    let (level, noise) = ((p[4] + if inside { p[5] } else { 0.0 }) as f32, noise as f32);
    let depth = DEPTH[usize::from(inside)].min(start.r - reach).min(ENOUGH / start.r);
    let half = 0.5 * depth;
    if half < 1.0 {
        return None;
    }
    let r = start.r + if inside { -reach - half } else { reach + half };
    let circle = Circle { x: start.x + p[0], y: start.y + p[1], r };
    start::list(pieces, image, Annulus { circle, reach: half });
    start::gather(pixels, image, weights, &circle, pieces);
    // Number, sum and sum of the squares of what is off the level, by quarters.
    let mut quarters = [(0.0_f32, 0.0_f32, 0.0_f32); 4];
    for ((v, x), y) in pixels.value.iter().zip(&pixels.dx).zip(&pixels.dy) {
        let e = v - level;
        let kept = if e.abs() < DEFECT * noise { 1.0 } else { 0.0 };
        let q = &mut quarters[usize::from(*x > 0.0) + 2 * usize::from(*y > 0.0)];
        *q = (q.0 + kept, q.1 + kept * e, q.2 + kept * e * e);
    }
    let sum = |f: &dyn Fn(&(f32, f32, f32)) -> f32| quarters.iter().map(f).sum::<f32>();
    let n = sum(&|q| q.0);
    if n < FEWEST as f32 || n < 0.95 * pixels.len() as f32 || quarters.iter().any(|q| q.0 < 8.0) {
        return None;
    }
    let mean = sum(&|q| q.1) / n;
    let variance = (sum(&|q| q.2) / n - mean * mean).max(ROUNDING as f32);
    let between = sum(&|q| q.0 * (q.1 / q.0 - mean).powi(2));
    (between < EVEN * variance)
        .then(|| Level { value: f64::from(level + mean), variance: f64::from(variance / n) })
}
