//! Maximum-likelihood fit of a blurred disc at full resolution.
//!
//! Model of a pixel at distance rho from the centre, with (u, v) its offset
//! from the centre over the radius and F the disc's share of the pixel:
//!
//! ```text
//! d = rho + s^2 / (rho + r) - r      a blur of s moves a curved edge inwards
//! F = share of the pixel inside a blurred edge at distance d (`edge_model`)
//! I = (B + Bu u + Bv v + Bd d (1 - F)) + (A + Au u + Av v + Ad d) F
//! ```
//!
//! `s^2 / (rho + r)` is the expansion of the exact profile of a blurred disc
//! (Marcum's Q function) to second order in s / r.
//!
//! Gauss-Newton over the pixels of an annulus. Shading terms (Au, Av, Bu, Bv) and slopes
//! (Ad, Bd) join when they lower chi squared by more than noise would, the simplest first:
//! shading on the disc alone (Bu = 0), or one that it shares with its ground, somewhere
//! between the same (Au = 0) and in proportion to the levels (Au / A = Bu / B). When there is
//! shading, terms of second order join in the same way. Where the edge is shifted by twice
//! the angle, as in an ellipse or a disc in motion, r and s get terms in cos 2t and sin 2t. In
//! directions whose level has structure (a highlight, a texture) only the rim counts. Where it
//! is noisier inside than outside, or the other way, the pixels are weighed by it; a side
//! without noise weighs as much as one pixel. With gross outliers, Tukey's weights come in and
//! sectors that are hidden are left out; those with a ground of their own are made like the
//! others. A large annulus is first fitted by a part of its pixels. In the end the levels are
//! made more certain by pixels beyond the annulus.
//!
//! A matte ball that is lit from one side has another model: see `ball`.

mod ball;
mod course;
mod fit;
mod flats;
mod kernel;
mod levels;
mod limb;
mod noise;
mod others;
mod outliers;
mod registration;
mod sectors;
mod start;

use std::ops::Range;

pub use ball::{Ball, Hopes};
use course::{Course, learn, solve, solve_for};
pub use fit::Fit;
use kernel::{BASE, CURVED, MIN_WIDTH, N, Pixels, ROUND, Sums, accumulate, follow};
use levels::Levels;
use noise::ROUNDING;
pub use others::Other;
pub use registration::Offset;
pub(crate) use sectors::MOST_GAPS;
use sectors::{Disc, Seen, Support};
use start::{Annulus, Piece};

use crate::{
    image::{Image, Weights},
    ring::{Circle, Ring},
};

/// Where a fit takes place: an annulus of a picture in a mix of its channels.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    image: &'a Image<'a>,
    weights: &'a Weights,
    /// Around where it begins.
    annulus: Annulus,
}

/// The end of a fit: its last pass, and what the sectors saw after it if that is known.
struct End {
    pass: Sums,
    seen: Option<Seen>,
}

/// Fits discs; keeps its memory.
#[derive(Debug, Default)]
pub struct Refiner {
    pixels: Pixels,
    /// Where in the picture they are, or some of them.
    pieces: Vec<Piece>,
    scratch: Vec<f32>,
    /// Discs beside the one at hand, and the level of the ground between them to begin with.
    others: Vec<Other>,
    ground: f64,
}

/// Pixels with which a fit finds most of its way, about. Annuli with two times as
/// many are thinned out first.
const SAMPLE: usize = 350;
/// An annulus with as many pixels tells what a narrower one does, of which the reach is so
/// many widths of the edge and so many pixels: what is further off tells the levels alone.
const LARGE: usize = 5000;
const NARROW: (f64, f64) = (2.5, 1.2);
/// Pixels that are enough, and the factors of [`texture`] with which they are: what it does to
/// one pixel it does to its neighbours. The corners of polygons make more of it.
const TEXTURED: usize = 1200;
const MUCH_TEXTURE: Range<f64> = 1.2..4.0;
/// Passes over the pixels, at most; three to five are usual.
const MAX_ROUNDS: usize = 14;
/// A step below this share of the answer's standard deviation ends the fit.
const CLOSE_ENOUGH: f64 = 0.25;
/// The same when all pixels are still to come.
const ROUGHLY: f64 = 1.0;
/// Rounds in which further terms may join.
const TESTS: [usize; 2] = [1, 2];
/// A step up to which, in pixels, the model is linear. If its square over the edge's width
/// is enough, too, nothing is left to be done: Gauss-Newton's method squares what is missing.
const SMALL: f64 = 0.03;
/// A fit whose step is below this multiple of what is enough is examined.
const NEARLY: f64 = 2.0;
/// Chi squared from which a disc is not round: chance has it once in 10^5.
const SHAPED: f32 = 24.0;
/// Rounds before a fit with outliers may end: the limit narrows until then.
const ROBUST_ROUNDS: usize = 4;
/// A fit with less support than this after the tests is given up.
const HOPELESS: f32 = 0.3;
/// Radius up to which one that is made of whole pixels may have even less, in pixels.
const FEW_PIXELS: f64 = 9.0;
/// How much the variance among directions may exceed that among pixels, over
/// that among pixels, and mean nothing: chance has more once in 100 fits.
const CHANCE: f64 = 0.75;

/// By how much the variance of the answer exceeds what the `variance` of the
/// pixels tells: on a texture, pixels of the same direction are off alike, and the
/// `scatter` among the directions is larger.
fn texture(scatter: f32, variance: f64) -> f64 {
    (f64::from(scatter) / variance - CHANCE).max(1.0)
}

/// The place where a fit goes on with all pixels, where it finds enough in a narrower annulus
/// than the one with `n` pixels.
fn narrower<'a>(place: &Place<'a>, course: &Course, n: usize) -> Option<Place<'a>> {
    let Annulus { circle, reach } = place.annulus;
    let p = &course.p;
    let narrow = NARROW.0 * p[3] + NARROW.1;
    let is_plain = course.is_plain() && course.weighing.limit == f32::INFINITY;
    (n >= LARGE && narrow < reach && is_plain).then(|| {
        let circle = Circle { x: circle.x + p[0], y: circle.y + p[1], r: p[2] };
        Place { annulus: Annulus { circle, reach: narrow }, ..*place }
    })
}

/// Whether it is a texture around the disc that makes a fit uncertain, and not the noise of
/// pixels. What has structure inside as well may be no disc: that takes all pixels to tell.
fn is_textured(course: &Course) -> bool {
    let [outside, inside] = course.uneven;
    let has_outliers = course.weighing.limit < f32::INFINITY;
    outside != 0 && inside == 0 && has_outliers && MUCH_TEXTURE.contains(&course.texture)
}

impl Refiner {
    /// Fits a disc that lies within about 2 pixels of where `ring` is. `sign` is
    /// 1 for a disc that is brighter than its surroundings, -1 for a darker one.
    pub fn fit(
        &mut self,
        image: &Image<'_>,
        weights: &Weights,
        ring: &Ring,
        sign: f32,
    ) -> Option<Fit> {
        self.others.clear();
        self.fit_at(image, weights, ring, sign)
    }

    /// The same of one beside `others`, which are known, on a ground of about a level.
    pub fn fit_among(
        &mut self,
        image: &Image<'_>,
        weights: &Weights,
        (ring, sign): (&Ring, f32),
        others: &[Other],
        ground: f64,
    ) -> Option<Fit> {
        self.others.clear();
        self.others.extend_from_slice(others);
        self.ground = ground;
        self.fit_at(image, weights, ring, sign)
    }

    fn fit_at(
        &mut self,
        image: &Image<'_>,
        weights: &Weights,
        ring: &Ring,
        sign: f32,
    ) -> Option<Fit> {
        let start = ring.circle;
        let contrast = f64::from(sign * ring.contrast);
        let width = ring.width().clamp(0.35, start.r / 2.5);
        let swing = f64::from(ring.swing());
        let reach = (3.0 * width + 2.5 + swing).clamp(3.5, (0.9 * start.r).max(3.5));
        let place = Place { image, weights, annulus: Annulus { circle: start, reach } };
        let n = start::list(&mut self.pieces, image, place.annulus);
        if n < 40 {
            return None;
        }
        // Most of the way goes with few pixels.
        let every = (n / SAMPLE) | 1;
        self.gather(&place, every);
        // Rays see no edge where another disc touches; the pixels do once that is taken out.
        let unseen = if self.others.is_empty() { ring.unseen() } else { 0 };
        let left = sectors::mask(&mut self.pixels, unseen, &Levels::default());
        let hidden = unseen != 0;
        let guess =
            start::first_guess(&self.pixels, &mut self.scratch, ring, width, contrast, hidden);
        let mut course = Course::new(guess);
        if swing > 0.0 {
            course.active[ROUND..CURVED].fill(true);
        }
        (course.hidden, course.left) = (unseen, left);
        // The wide edge of a disc in motion escapes some rays, too.
        course.gap = hidden && ring.is_sharp();
        let close = if every == 1 { CLOSE_ENOUGH } else { ROUGHLY };
        let end = self.converge(&mut course, start.r, 0, close)?;
        if every == 1 {
            return self.report(&place, &course, &end);
        }
        if let Some(narrow) = narrower(&place, &course, n) {
            let mut course = course.clone();
            (course.p[0], course.p[1]) = (0.0, 0.0);
            start::list(&mut self.pieces, image, narrow.annulus);
            self.gather(&narrow, 1);
            let fit = self.finish(&narrow, &mut course);
            if course.is_round() {
                return fit;
            }
            start::list(&mut self.pieces, image, place.annulus);
        }
        if is_textured(&course) {
            course.every = (n / TEXTURED).saturating_sub(1) | 1;
        }
        self.gather(&place, course.every);
        self.finish(&place, &mut course)
    }

    /// Takes one of `every` pairs of neighbours of a place whose pieces are listed.
    fn gather(&mut self, place: &Place<'_>, every: usize) {
        let Place { image, weights, annulus: Annulus { circle, .. } } = place;
        let Self { pixels, pieces, .. } = self;
        if every == 1 {
            start::gather(pixels, image, weights, circle, pieces);
        } else {
            start::gather_some(pixels, image, weights, circle, pieces, every);
        }
        others::take_out(&mut self.pixels, circle, &self.others);
        self.pixels.put_ground(self.ground);
        self.pixels.seal();
    }

    /// Goes on from what a part of the pixels said, with those that were gathered since.
    fn finish(&mut self, place: &Place<'_>, course: &mut Course) -> Option<Fit> {
        if course.levels.is_any() {
            course.levels.apply(&mut self.pixels);
        }
        sectors::mask(&mut self.pixels, course.hidden, &course.levels);
        if course.is_once() || course.gap || course.levels.is_any() {
            // The shares of the pixels are not known before a pass.
            accumulate(&mut self.pixels, &course.p, course.weighing, &[false; N]);
        }
        if course.gap || course.levels.is_any() {
            // With more pixels it is clearer where the hidden part ends.
            course.weighing.limit = self.limit(course, ROBUST_ROUNDS - 1);
        }
        if course.uneven != [0; 2] {
            self.keep_rim(course);
        }
        if course.is_once() {
            course.flat = self.pixels.count_once(&course.p);
        }
        let end = self.converge(course, place.annulus.circle.r, ROBUST_ROUNDS, CLOSE_ENOUGH)?;
        self.report(place, course, &end)
    }

    /// One pass over the pixels, with the tied terms together.
    fn pass(&mut self, course: &Course, wanted: &[bool; N]) -> Sums {
        let mut pass = accumulate(&mut self.pixels, &course.p, course.weighing, wanted);
        course.share(&mut pass);
        pass
    }

    /// Improves `course` until a step is below `enough` standard deviations; the
    /// first round is `first`. `None` when the fit is lost. Returns the last pass.
    fn converge(
        &mut self,
        course: &mut Course,
        start_r: f64,
        first: usize,
        enough: f64,
    ) -> Option<End> {
        let mut sums = None;
        if first == 0 {
            sums = Some(self.pass(course, &course.active));
            course.weighing.limit = self.limit(course, 0);
        }
        let mut examined = false;
        for round in first..MAX_ROUNDS {
            let whole = first > 0 && round == first;
            let testing = whole || TESTS.contains(&round);
            // Pixels that are rounded alike pass for light that is not even.
            if testing && !whole && !course.is_once() {
                course.flat = self.pixels.count_once(&course.p);
            }
            let mut wanted = course.active;
            if testing {
                let curved = whole && course.is_shaded();
                wanted[BASE..if curved { N } else { ROUND }].fill(true);
            }
            // The first pass serves unless it showed outliers.
            let mut pass = match sums.take() {
                Some(pass) if course.weighing.limit == f32::INFINITY => pass,
                _ => self.pass(course, &wanted),
            };
            let mut changed = testing && course.choose_linear(&mut pass);
            // What curved light leaves is seen in the next round.
            let curves = whole && wanted[CURVED] && course.choose_curvature(&mut pass);
            changed |= curves;
            let (step, explained) = solve(&pass, &course.active)?;
            let size = step[0].abs().max(step[1].abs()).max(step[2].abs()).max(0.3 * step[3].abs());
            let variance = pass.variance();
            let robust = course.weighing.limit < f32::INFINITY;
            let texture = if robust { course.texture } else { 1.0 };
            let close = enough * (texture * variance / pass.a[0][0].max(1e-9)).sqrt();
            // The next step would be of the size of the square of this one.
            let last = !changed
                && !robust
                && self.others.is_empty()
                && !course.active[BASE..].contains(&true)
                && size < SMALL
                && size * size < close * course.p[3]
                && course.p[3] + step[3] > MIN_WIDTH;
            if last {
                follow(&mut self.pixels, &course.p, &step);
                pass.chi2 -= explained;
            }
            if size > 1.0 {
                course.advance(&step.map(|s| s / size), start_r);
            } else if robust && !changed {
                course.hasten(&step, &pass.a, start_r);
            } else {
                course.advance(&step, start_r);
            }
            if course.is_lost(start_r) {
                return None;
            }
            let least = if robust { ROBUST_ROUNDS } else { TESTS[1] };
            // Once the fit is near its end, what it leaves is looked at.
            let mut seen = None;
            if round >= least
                && (!changed || whole && !curves)
                && !examined
                && (whole || last || size < NEARLY * close || round > ROBUST_ROUNDS)
            {
                examined = true;
                let now = sectors::collect(&self.pixels, course.weighing);
                // All pixels took part from the first guess on.
                let rough = first == 0 && enough < ROUGHLY;
                changed |= self.extend(course, &now, variance, rough);
                seen = Some(now);
                // Light that changes along the rim is seldom linear.
                if course.is_shaded() && !wanted[CURVED] {
                    pass = self.pass(course, &[true; N]);
                    changed |= course.choose_curvature(&mut pass);
                }
                if changed {
                    course.last = None;
                }
            }
            let done = size < close || last;
            if (round >= least && done && !changed) || round + 1 == MAX_ROUNDS {
                return Some(End { pass, seen: seen.filter(|_| !changed) });
            }
            // Of a few whole pixels the model is only true in the end.
            let is_drawn = course.p[3] <= MIN_WIDTH && course.p[2] < FEW_PIXELS;
            if round == TESTS[1] && !is_drawn {
                let seen = sectors::collect(&self.pixels, course.weighing);
                if self.support(course, &seen, variance).share < HOPELESS {
                    return None;
                }
            }
            // Masks are made before the examination, which narrows them.
            let step = if examined { ROBUST_ROUNDS } else { round + 1 };
            course.weighing.limit = self.limit(course, step);
        }
        None
    }

    /// Adds to the model what the residuals ask for, as `seen` by the sectors. Returns
    /// whether it did. After a `rough` beginning, which pixels lie off the edge is seen anew.
    fn extend(&mut self, course: &mut Course, seen: &Seen, variance: f64, rough: bool) -> bool {
        let found = sectors::misfit(seen, variance as f32);
        course.texture = texture(found.scatter, variance);
        let shaped = found.shape > SHAPED && course.left > 0.8;
        if shaped {
            course.active[ROUND..CURVED].fill(true);
        }
        // A side of one level is off by its rounding, all around.
        let structure: [u32; 2] =
            std::array::from_fn(|i| if course.flat[i].is_some() { 0 } else { found.uneven[i] });
        let uneven = structure != [0; 2];
        if uneven {
            course.uneven = std::array::from_fn(|i| course.uneven[i] | structure[i]);
            self.keep_rim(course);
        }
        let excess = if course.is_once() { 0.0 } else { self.pixels.excess_inside() };
        let noisier = (excess + 1.0).max(1.0 / (excess + 1.0)) > 1.25;
        if noisier {
            course.weighing.excess = excess;
        }
        if course.is_once() && rough {
            sectors::mask(&mut self.pixels, course.hidden, &course.levels);
            self.keep_rim(course);
        }
        let mut once = false;
        if !course.is_once() || rough {
            course.flat = self.pixels.count_once(&course.p);
            once = course.is_once();
        }
        shaped || uneven || noisier || once
    }

    fn keep_rim(&mut self, course: &Course) {
        let p = &course.p;
        let circle = (p[0] as f32, p[1] as f32, p[2] as f32);
        let reach = (1.7 * p[3] + 0.7 + p[ROUND].hypot(p[ROUND + 1])) as f32;
        sectors::keep_rim(&mut self.pixels, course.uneven, circle, reach);
    }

    fn report(&mut self, place: &Place<'_>, course: &Course, end: &End) -> Option<Fit> {
        let sums = &end.pass;
        let active = &course.active;
        let free = active.iter().filter(|a| **a).count() as f64;
        let variance = if course.weighing.limit < f32::INFINITY {
            self.pixels.robust_variance(course.weighing, free)
        } else {
            sums.chi2 / (sums.weight - free).max(1.0)
        };
        let variance = variance.max(ROUNDING);
        let seen = end.seen.unwrap_or_else(|| sectors::collect(&self.pixels, course.weighing));
        let support = self.support(course, &seen, variance);
        let texture = texture(support.scatter, variance);
        // Without noise there is rounding only, which is what the variance is then.
        let rim = if course.is_once() { 1.0 } else { self.pixels.rim_noise(course.weighing) };
        let mut covariance = [[0.0; BASE]; BASE];
        for (k, column) in covariance.iter_mut().enumerate() {
            let mut unit = [0.0; N];
            unit[k] = texture.max(rim) * variance;
            let x = solve_for(&sums.a, &unit, active)?;
            column.copy_from_slice(&x[..BASE]);
        }
        let mut p = course.p;
        if course.is_once() {
            course.settle(&mut p, &mut covariance);
        } else if course.is_plain() && texture <= 1.0 && self.others.is_empty() {
            for inside in [false, true] {
                let seen = flats::level(
                    (&mut self.pixels, &mut self.pieces),
                    place,
                    &p,
                    inside,
                    variance.sqrt(),
                );
                if let Some(seen) = seen {
                    learn(&mut p, &mut covariance, inside, seen.value, seen.variance);
                }
            }
        }
        let start = place.annulus.circle;
        Some(Fit {
            circle: Circle { x: start.x + p[0], y: start.y + p[1], r: p[2] },
            width: p[3],
            contrast: p[5],
            ground: p[4],
            noise: variance.sqrt(),
            covariance: std::array::from_fn(|i| std::array::from_fn(|j| covariance[i][j])),
            support: f64::from(support.share),
            gaps: support.gaps,
            own_levels: course.levels.is_any(),
            roughness: support.roughness.into(),
            flatness: p[ROUND].hypot(p[ROUND + 1]) / p[2],
            texture: if course.uneven == [0; 2] { 1.0 } else { texture },
            blur_swing: p[ROUND + 2].hypot(p[ROUND + 3]),
            is_plain: course.is_once() || (texture <= 1.0 && course.is_even()),
        })
    }

    fn support(&mut self, course: &Course, seen: &Seen, variance: f64) -> Support {
        // A misfit must not pass for noise: it raises the variance, but hardly
        // the difference between a pixel's residual and its neighbour's.
        let noise = (variance.sqrt() as f32).min(self.pixels.grain(&mut self.scratch));
        let mut disc = Disc::new(course.p[2] as f32, course.p[5] as f32, noise);
        disc.every = course.every as f32;
        sectors::support(seen, &disc, course.p[3] <= MIN_WIDTH)
    }
}
