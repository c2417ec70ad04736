//! What is taken for a disc, and how good one is.

use crate::{
    rays::Ring,
    refine::{Annulus, Fit, MOST_GAPS},
};

/// Share of the directions that must show the disc for it to be believed. Where those
/// that do not lie together, as behind a bar, it is this over the radius within the
/// bounds. Of arches, handles and letters in photographs most have less.
const PARTLY: f64 = 7.0;
const PARTLY_BOUNDS: (f64, f64) = (0.5, 0.7);
/// The same where they lie apart, as in front of a texture. Few pixels agree with a
/// small circle by chance: of those in pictures without a disc most had radii below 12.
const SCATTERED: f64 = 7.5;
const SCATTERED_BOUNDS: (f64, f64) = (0.5, 0.75);

/// The same where nothing but the rim is looked at, which leaves fewer pixels that could
/// contradict: of six false ones in photographs all had less, of 13 discs none.
const RIM: f64 = 12.0;
const RIM_BOUNDS: (f64, f64) = (0.52, 0.9);
/// Share of the rays that must have met such a rim, and its least radius.
const RIM_SEEN: f32 = 0.7;
const RIM_RADIUS: f64 = 10.0;

/// Share of the directions that is enough of a smooth arc, its least radius, and the
/// most that its edge may be off the circle, in pixels, noise included. Of 150 fits
/// beside the discs of photographs one was that smooth.
const ARC: f64 = 0.42;
const ARC_RADIUS: f64 = 10.0;
const SMOOTH: f64 = 0.035;
/// What an edge in front of several grounds may be off at most where it shows less than
/// that share: much in photographs has half an edge of one kind and half of another.
const SMOOTH_ENOUGH: f64 = 0.15;
const MUCH: f64 = 0.6;

/// By how much the share of the rays that met the edge may fall short of that. Of 839
/// fits that were believed it did in one, of 259 that were not in 42.
const DOUBTFUL: f64 = 0.05;

/// Width of the edge, as a share of the radius, up to which a spot is a disc: clouds have
/// softer ones.
const SOFTEST: f64 = 1.0 / 3.0;

/// By how much a standard deviation of the centre of one pixel divides the score, less 1:
/// a fifth of a pixel halves it.
const PRECISION: f64 = 5.0;

/// Share of the directions from which on more of them are no better sign of a disc:
/// noise hides some.
const ENOUGH: f64 = 0.9;

/// Whether what the rays saw can become a disc: directions that they did not see are
/// seldom seen by the fit.
pub(crate) fn is_worth_a_fit(ring: &Ring) -> bool {
    f64::from(ring.coverage) >= ARC
}

/// Whether the rays saw so much that the rim alone may show the disc when the picture around
/// it does not.
pub(crate) fn is_worth_a_rim(ring: &Ring) -> bool {
    ring.coverage >= RIM_SEEN && ring.circle.r >= RIM_RADIUS
}

/// Whether a fit that began with `ring` is a disc.
pub(crate) fn is_disc(fit: &Fit, ring: &Ring) -> bool {
    // Of a disc that the picture's border cuts there is less to agree with.
    let shown = fit.support * f64::from(ring.visible).sqrt();
    if fit.annulus == Annulus::Rim {
        let least = (RIM / fit.circle.r).clamp(RIM_BOUNDS.0, RIM_BOUNDS.1);
        return shown >= least && fit.width <= SOFTEST * fit.circle.r;
    }
    let is_enough = f64::from(ring.coverage) >= least_share(ring.circle.r, 0) - DOUBTFUL
        && shown >= least_share(fit.circle.r, fit.gaps)
        && (!fit.own_levels || fit.roughness < SMOOTH_ENOUGH || shown > MUCH);
    (is_enough || is_smooth_arc(fit, shown)) && fit.width <= SOFTEST * fit.circle.r
}

/// The score of a disc, from 0 to 1.
pub(crate) fn score(fit: &Fit) -> f64 {
    let sd = f64::midpoint(fit.covariance[0][0], fit.covariance[1][1]).sqrt();
    (fit.support / ENOUGH).min(1.0) * (1.0 - fit.flatness) / (1.0 + PRECISION * sd)
}

/// The share of the directions that must show a disc of radius `r` that is not seen in
/// a number of arcs.
fn least_share(r: f64, gaps: u32) -> f64 {
    let (over_radius, bounds) =
        if gaps <= MOST_GAPS { (PARTLY, PARTLY_BOUNDS) } else { (SCATTERED, SCATTERED_BOUNDS) };
    (over_radius / r).clamp(bounds.0, bounds.1)
}

/// Whether the part of a disc that is seen is a circle's to within a small part of a pixel.
fn is_smooth_arc(fit: &Fit, shown: f64) -> bool {
    shown >= ARC && fit.gaps <= MOST_GAPS && fit.circle.r >= ARC_RADIUS && fit.roughness < SMOOTH
}
