//! What is taken for a disc, and how good one is.

use crate::{
    refine::{Fit, MOST_GAPS},
    ring::Ring,
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

/// Shares of the rays and of the directions that are enough of a rim whose parts hardly show a
/// disc, as where others touch it: how far off the circle in pixels, and its contrast over
/// the noise. Of 26 such fits in photographs none was no disc; of those that are twice as
/// far off one in four.
const RIM: (f64, f64) = (0.8, 0.4);
const HARDLY_OFF: f64 = 0.07;
const ABOVE_NOISE: f64 = 4.0;

/// What has corners: an edge that is steeper than this, with few directions that show a disc,
/// and either far off the circle in these or met by the rays far off in many arcs; widths and
/// distances in pixels. Of 22 fits in pictures of chequerboards 17 are like that, of 1190 on
/// discs in photographs one. Discs of whole pixels show themselves in more directions.
const STEEP: f64 = 0.4;
const OFF_IN_SOME: (f64, f64) = (0.8, 0.22);
const OFF_IN_MANY: (f64, f32, u32) = (0.6, 0.35, 4);
/// And a polygon of more corners: an edge that is nearly as steep where the circle meets it,
/// which is off by more elsewhere (width, share of the radius and pixels), or one that few
/// rays met and few directions show, in as many arcs as there are corners (share of the rays,
/// of the directions, arcs), around more than a few pixels. Of 960 fits on discs of photographs
/// three are like the former, four like the latter.
const NEARLY_STEEP: f64 = 0.45;
const OFF_ELSEWHERE: (f64, f64) = (0.03, 0.5);
const MET_BY_FEW: (f32, f64, u32) = (0.8, 0.57, 6);
const LARGE: f64 = 12.0;

/// By how much the share of the rays that met the edge may fall short of that. Of 839
/// fits that were believed it did in one, of 259 that were not in 42.
const DOUBTFUL: f64 = 0.05;

/// Width of the edge, as a share of the radius, up to which a spot is a disc: clouds have
/// softer ones.
const SOFTEST: f64 = 1.0 / 3.0;
/// The same of a spot that nothing is beside: this share of the directions shows it, and its
/// contrast is this many times the noise. Fluorescent beads are like that, and few highlights.
const SOFTEST_ALONE: f64 = 0.4;
const ALL_AROUND: f64 = 0.95;
const ABOVE_ALL_NOISE: f64 = 8.0;

/// Share of the rays that must have met the edge where no model describes the disc: this
/// over the radius, or the least. Of 180 candidates in photographs that were discs and
/// that no model described 50 passed, of 1040 that were no discs four.
const MET: f64 = 17.0;
const LEAST_MET: f64 = 0.57;
/// How far their edge points may be off the circle (root mean square): pixels, and a share
/// of the radius.
const OFF: (f64, f64) = (0.33, 0.005);
/// The same where they have not looked from close by, in pixels.
const CLEARLY: f64 = 0.3;
/// Their least contrast, in grey levels: a faint texture gives the rays edges everywhere.
const LEAST_CONTRAST: f32 = 10.0;
/// Or the edge is this close to the circle: share of the rays at least, or this over the
/// radius; how far off in pixels. Of 28 such outlines in pictures that no model describes
/// three were no discs.
const MET_CLOSELY: (f64, f64) = (0.65, 11.0);
const CLOSELY: f64 = 0.3;
/// Or nearly all rays have met an edge that is this round and clear, around so many pixels:
/// share, spread in pixels, contrast in grey levels, radius. Of 33 such outlines in
/// photographs that no model describes three were no discs; most that are smaller are parts
/// of letters.
const NEARLY_ALL: f64 = 0.85;
const ROUND: f64 = 0.2;
const CLEAR: f32 = 30.0;
const NOT_TINY: f64 = 7.0;
/// Or all have met an edge of whole pixels: share, spread and width of the edge in pixels.
const ALL: f64 = 0.97;
const DRAWN: (f64, f64) = (0.25, 0.29);
/// A soft outline, as one that is out of focus or lies on its own shadow: share of the rays
/// that met it, how far off the circle as a share of its width and of the radius, its width in
/// pixels, and its contrast in grey levels. Of 33 such outlines in pictures that no model
/// describes five were no discs.
const SOFTLY_MET: f64 = 0.8;
const SOFTLY_OFF: (f64, f64) = (0.4, 0.03);
const SOFT: f64 = 1.0;
const SEEN: f32 = 20.0;
/// The same of a small one, which others may touch all around: share of the rays, how far off
/// in pixels, radius in pixels. The edge points of polygons are off alike by more than this.
const SMALL_AND_SOFT: (f64, f64, f64) = (0.86, 0.5, 9.0);
const UNLIKE: f32 = 0.68;
/// One that touches others of its size: the share of the rays that met an edge, and how far off
/// the circle as a share of the radius, which is further in where two touch. Or fewer rays, in the
/// gaps alone, and how far off in pixels. Of 203 such outlines in pictures of heaps that are no
/// discs to any other rule all were discs.
const WHOLE_NEIGHBOUR: (f64, f64) = (0.8, 0.05);
const SEEN_NEIGHBOUR: (f64, f64) = (0.4, 0.15);
/// One that is brighter than what is behind it here and darker there: the share of the rays that
/// met an edge of either sign, and how far off the circle, as a share of the radius and in
/// pixels. Of 41 such outlines that no other rule takes for discs all were, of 58 that are off
/// by up to a third more 47.
const TWO_SIGNED: (f64, f64, f64) = (0.7, 0.015, 0.6);
/// Share of the rays with which it is worth while to look from close by.
const HALF_MET: f32 = 0.5;

/// What a disc must show that was looked for by pieces of rims. There are so many of these
/// that chance alone makes circles: of 115 in photographs that were fitted to them 90 were
/// discs, and 79 of those and 6 of the others show as much.
///
/// The share of the rays that met its edge times that of the directions that show it.
const MET_AND_SHOWN: f64 = 0.55;
/// Or an edge that is off the circle by less than this, in pixels.
const VERY_SMOOTH: f64 = 0.08;
/// Contrast over noise.
const STANDS_OUT: f64 = 3.0;
/// As [`OFF`]: of 16 outlines of discs 12 are as round, of 5 others one.
const CLEARLY_ROUND: (f64, f64) = (0.28, 0.004);

/// By how much a standard deviation of the centre of one pixel divides the score, less 1:
/// a fifth of a pixel halves it.
const PRECISION: f64 = 5.0;

/// Share of the directions from which on more of them are no better sign of a disc:
/// noise hides some.
const ENOUGH: f64 = 0.9;

/// What is enough of a disc that the last pictures showed, or that touches others of its size:
/// this share of the directions and the rays that a new one needs, and an outline that is off
/// the circle by as much more.
const KEEP: f64 = 0.8;

/// How much a disc must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// As much as one whose whole rim got votes.
    Usual,
    /// As much as one that a piece of its rim led to.
    Clear,
    /// Less, for the last pictures showed it: one near the limit must not come and go.
    Known,
    /// As little, for it touches others of its size, which hide its rim.
    Neighbour,
}

impl Demand {
    /// What is enough, over what is enough of a new one.
    fn ease(self) -> f64 {
        if matches!(self, Self::Known | Self::Neighbour) { KEEP } else { 1.0 }
    }

    /// The share of the rays that met an edge, less for a disc that the border cuts, and how far
    /// it is off the circle in pixels, each as good as it would have to be of a new one.
    fn eased(self, ring: &Ring) -> (f64, f64) {
        let met = f64::from(ring.coverage * ring.visible.sqrt());
        (met / self.ease(), f64::from(ring.spread) * self.ease())
    }
}

/// Whether what the rays saw can become a disc: directions that they did not see are
/// seldom seen by the fit.
pub(crate) fn is_worth_a_fit(ring: &Ring, demand: Demand) -> bool {
    let least = if demand == Demand::Clear { MET_AND_SHOWN } else { ARC };
    f64::from(ring.coverage) >= least * demand.ease()
}

/// Whether a fit that began with `ring` is a disc.
pub(crate) fn is_disc(fit: &Fit, ring: &Ring, demand: Demand) -> bool {
    // Of a disc that the picture's border cuts there is less to agree with.
    let shown = (fit.support * f64::from(ring.visible).sqrt() / demand.ease()).min(1.0);
    let coverage = (ring.coverage / demand.ease() as f32).min(1.0);
    let ring = &Ring { coverage, ..*ring };
    let is_enough = f64::from(ring.coverage) >= least_share(ring.circle.r, 0) - DOUBTFUL
        && shown >= least_share(fit.circle.r, fit.gaps)
        && (!fit.own_levels || fit.roughness < SMOOTH_ENOUGH || shown > MUCH);
    let is_clear = || {
        (f64::from(ring.coverage) * shown >= MET_AND_SHOWN || fit.roughness < VERY_SMOOTH)
            && fit.contrast.abs() >= STANDS_OUT * fit.noise
    };
    (is_enough || is_smooth_arc(fit, shown) || is_smooth_rim(fit, ring, shown))
        && !has_corners(fit, ring, shown)
        && fit.width <= softest(fit) * fit.circle.r
        && (demand != Demand::Clear || is_clear())
}

/// Whether rays that look from close by may show a disc that is like no model.
pub(crate) fn is_worth_another_look(ring: &Ring, demand: Demand) -> bool {
    (ring.coverage >= HALF_MET && ring.contrast >= LEAST_CONTRAST)
        || is_neighbour_to_rays(ring, demand)
}

/// Whether the rays alone show a disc, whatever it looks like.
pub(crate) fn is_disc_to_rays(ring: &Ring, demand: Demand) -> bool {
    let (r, (met, spread)) = (ring.circle.r, demand.eased(ring));
    let off = if demand == Demand::Clear { CLEARLY_ROUND } else { OFF };
    let is_round = met >= LEAST_MET.max(MET / r)
        && spread <= off.0 + off.1 * r
        && ring.contrast >= LEAST_CONTRAST;
    let is_close =
        met >= MET_CLOSELY.0.max(MET_CLOSELY.1 / r) && spread <= CLOSELY && ring.contrast >= SEEN;
    let is_whole = r >= NOT_TINY && met >= NEARLY_ALL && spread <= ROUND && ring.contrast >= CLEAR;
    let is_drawn = met >= ALL && spread <= DRAWN.0 && ring.width() < DRAWN.1;
    is_round || is_close || is_whole || is_drawn
}

/// Whether rays that did not look from close by show the soft outline of one.
pub(crate) fn is_soft_to_rays(ring: &Ring, demand: Demand) -> bool {
    let (r, width, (met, spread)) = (ring.circle.r, ring.width(), demand.eased(ring));
    let (small_met, small_off, small_radius) = SMALL_AND_SOFT;
    let is_round = met >= SOFTLY_MET && spread <= SOFTLY_OFF.1 * r;
    let is_small =
        met >= small_met && spread <= small_off && r >= small_radius && ring.alike < UNLIKE;
    (is_round || is_small)
        && spread <= SOFTLY_OFF.0 * width
        && width >= SOFT
        && ring.contrast >= SEEN
}

/// Whether rays that did not look from close by show one that touches others of its size.
pub(crate) fn is_neighbour_to_rays(ring: &Ring, demand: Demand) -> bool {
    let (met, spread) = (f64::from(ring.coverage), f64::from(ring.spread));
    // What touches it may be as bright: little contrast is enough.
    let is_whole = met >= WHOLE_NEIGHBOUR.0
        && spread <= WHOLE_NEIGHBOUR.1 * ring.circle.r
        && ring.contrast > 0.0;
    let is_seen = met >= SEEN_NEIGHBOUR.0 && spread <= SEEN_NEIGHBOUR.1 && ring.contrast >= SEEN;
    demand == Demand::Neighbour && (is_whole || is_seen)
}

/// Whether rays that look for edges of either sign show one.
pub(crate) fn is_two_signed(ring: &Ring, demand: Demand) -> bool {
    let (met, spread) = demand.eased(ring);
    met >= TWO_SIGNED.0
        && spread <= (TWO_SIGNED.1 * ring.circle.r).min(TWO_SIGNED.2)
        && ring.contrast >= SEEN
}

/// Whether rays that did not look from close by are sure of one.
pub(crate) fn is_clear_to_rays(ring: &Ring) -> bool {
    f64::from(ring.spread) < CLEARLY
}

/// The score of a disc, from 0 to 1.
pub(crate) fn score(fit: &Fit) -> f64 {
    let sd = fit.deviation();
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

/// Width of the edge, as a share of the radius, up to which a spot is a disc.
fn softest(fit: &Fit) -> f64 {
    let is_alone = fit.gaps == 0
        && fit.support >= ALL_AROUND
        && fit.texture <= 1.0
        && !fit.own_levels
        && fit.contrast.abs() >= ABOVE_ALL_NOISE * fit.noise;
    if is_alone { SOFTEST_ALONE } else { SOFTEST }
}

/// Whether squares stand for a disc, as those of a chequerboard.
fn has_corners(fit: &Fit, ring: &Ring, shown: f64) -> bool {
    let in_some = shown < OFF_IN_SOME.0 && fit.roughness > OFF_IN_SOME.1;
    let in_many = shown < OFF_IN_MANY.0 && ring.spread > OFF_IN_MANY.1 && fit.gaps >= OFF_IN_MANY.2;
    let r = fit.circle.r;
    let elsewhere = f64::from(ring.spread) > (OFF_ELSEWHERE.0 * r).max(OFF_ELSEWHERE.1);
    let by_few = ring.coverage < MET_BY_FEW.0 && shown < MET_BY_FEW.1 && fit.gaps >= MET_BY_FEW.2;
    (fit.width < STEEP && (in_some || in_many))
        || (r > LARGE && (fit.width < NEARLY_STEEP && elsewhere || by_few))
}

/// Whether most of the rim is a circle's to within a part of a pixel, much of it next to
/// something else.
fn is_smooth_rim(fit: &Fit, ring: &Ring, shown: f64) -> bool {
    f64::from(ring.coverage) >= RIM.0
        && shown >= RIM.1
        && fit.circle.r >= NOT_TINY
        && fit.roughness < HARDLY_OFF
        && fit.contrast.abs() >= ABOVE_NOISE * fit.noise
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::Circle;

    #[test]
    fn little_of_a_rim_is_enough_if_most_of_it_was_met_and_it_is_smooth() {
        let circle = Circle { x: 60.0, y: 48.0, r: 12.0 };
        // A black stone between two others that it touches.
        let fit = Fit {
            circle,
            width: 0.3,
            contrast: -275.0,
            ground: 0.0,
            noise: 14.0,
            covariance: [[1e-3, 0.0, 0.0], [0.0, 1e-3, 0.0], [0.0, 0.0, 1e-3]],
            support: 0.47,
            gaps: 3,
            own_levels: false,
            roughness: 0.054,
            flatness: 0.0,
            texture: 1.0,
            blur_swing: 0.0,
            is_plain: false,
        };
        let ring = Ring {
            circle,
            coverage: 0.84,
            hits: u64::MAX,
            visible: 1.0,
            contrast: -239.0,
            slope: 100.0,
            spread: 0.32,
            alike: 0.0,
            shape: [0.0; 2],
        };
        let is_disc = |fit, ring| is_disc(&fit, &ring, Demand::Usual);
        assert!(is_disc(fit, ring));
        assert!(!is_disc(Fit { roughness: 0.12, ..fit }, ring));
        assert!(!is_disc(Fit { support: 0.35, ..fit }, ring));
        assert!(!is_disc(Fit { noise: 90.0, ..fit }, ring));
        assert!(!is_disc(fit, Ring { coverage: 0.7, ..ring }));
    }
}
