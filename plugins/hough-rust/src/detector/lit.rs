//! Discs that are matte balls, lit from one side ([`crate::refine::Ball`]).
//!
//! The limb of a lit ball is no edge between two levels: on one side it fades out, on another it
//! may be darker than the ground, and where the two are alike nothing shows. Flat discs that are
//! fitted to it are off by tenths of a pixel up to whole ones, and seldom know.

use super::{Found, HoughRust, overlaps};
use crate::{
    belief,
    climb::{Candidate, between},
    image::{Image, Weights},
    refine::{Ball, Fit, Hopes},
    ring::{Circle, Ring},
};

/// What a fit leaves over the picture's noise up to which a flat disc is all there is, and from
/// which on it is not; the same of the share of the directions that show it.
const STRAINED: (f64, f64) = (1.2, 1.5);
const PARTLY: (f64, f64) = (0.9, 0.75);
/// With these a disc of which the model left nothing is a ball after all, none up to the first of
/// each: the light from where the picture is seen over its standard deviation, and over the
/// contrast; and, the other way, what the ball leaves over what the disc does.
const ROUND: (f64, f64) = (6.0, 12.0);
const LIT: (f64, f64) = (0.15, 0.3);
const NOT_BETTER: (f64, f64) = (1.1, 1.2);
/// What a ball leaves over the picture's noise up to which it is one, and from which on it is
/// none; the share of the directions; by how much these differ more than noise makes them; and
/// the standard deviation of its centre over that of the disc.
const EXPLAINS: (f64, f64) = (2.0, 3.0);
const SHOWN: (f64, f64) = (0.65, 0.5);
const UNEVEN: (f64, f64) = (10.0, 20.0);
const LESS_CERTAIN: (f64, f64) = (1.5, 4.0);
/// The same over that of an outline.
const LESS_THAN_OUTLINE: (f64, f64) = (1.2, 1.5);
/// The latter up to which a ball beyond doubt is one, whatever the disc leaves.
const MORE_CERTAIN: (f64, f64) = (0.25, 0.5);
/// The same of one where there is no disc: what it leaves, the shares of the directions and of the
/// rim in sight, by how much the directions differ, and a standard deviation in pixels. Of balls
/// that are drawn by Lambert's law nearly all are like that, and nothing in photographs.
const LEAVES: f64 = 1.6;
const ALL_AROUND: f64 = 0.9;
const IN_SIGHT: f64 = 0.75;
const ALIKE: f64 = 4.0;
const CERTAIN: f64 = 0.2;
/// What a glimpse of the ball leaves over the picture's noise up to which it may be one, where
/// there is a disc that lacks something and where there is none; over what the disc leaves where
/// that lacks nothing; or over the light, for it may be far off yet.
const PROMISING: f64 = 6.0;
const PROMISING_ALONE: f64 = 2.5;
const NOT_WORSE: f64 = 1.5;
const OF_LIGHT: (f64, f64) = (0.08, 0.03);
/// Share of what even levels leave that light must explain for a glimpse, where there is a disc and
/// where there is none. Of 130 balls in the latter four have less, of 300 places that are none all
/// but one in ten.
const EXPLAINED: (f64, f64) = (0.2, 0.3);
/// Noise that is reckoned with at least, in grey levels.
const LEAST_NOISE: f64 = 0.5;
/// Light that there may be, in grey levels.
const BRIGHTEST: f64 = 800.0;
/// Radius from which on there are enough pixels, in pixels.
const LEAST_RADIUS: f64 = 6.0;
/// Places without a disc that may lead to nothing, the best first, before the rest is given up, and
/// the width of an edge there.
const MISSES: usize = 6;
const WIDTH: f64 = 1.0;
/// Size up to which what lies on a ball is a part of its picture, over that of the ball.
const SMALLER: f64 = 0.8;
/// Parts that a ball has at most.
const LAMPS: usize = 2;

/// How far a value is on the way to the second of two bounds, from 0 to 1.
fn ramp(value: f64, (from, to): (f64, f64)) -> f64 {
    ((value - from) / (to - from)).clamp(0.0, 1.0)
}

/// The same from the second to the first.
fn fall(value: f64, bounds: (f64, f64)) -> f64 {
    1.0 - ramp(value, bounds)
}

/// Whether its light can be.
fn is_lit(ball: &Ball) -> bool {
    let [x, y, z] = ball.light;
    z > 0.0 && x.hypot(y).hypot(z) < BRIGHTEST
}

/// How much a disc lacks of being described by a flat one, in a picture with this noise.
fn lack(fit: &Fit, noise: f64) -> f64 {
    if fit.is_outline() {
        return 1.0;
    }
    ramp(fit.noise / noise, STRAINED).max(ramp(fit.support, PARTLY))
}

/// How much of the way from a disc to a ball is likely.
fn likely(fit: &Fit, ball: &Ball, noise: f64) -> f64 {
    let Ball { fit: of_ball, light, roundness, .. } = ball;
    let is_round = ramp(*roundness, ROUND)
        * ramp(light[2] / fit.contrast.abs(), LIT)
        * fall(of_ball.noise / fit.noise, NOT_BETTER);
    let deviation = of_ball.deviation() / fit.deviation();
    let more_certain = fall(deviation, MORE_CERTAIN);
    let is_clear = if is_clear(ball, noise) { more_certain } else { 0.0 };
    // How far edge points are off says what an outline is worth; a fit may be sure and wrong.
    let less_certain = if fit.is_outline() { LESS_THAN_OUTLINE } else { LESS_CERTAIN };
    lack(fit, noise).max(is_round).max(is_clear)
        * fall(of_ball.noise / noise, EXPLAINS)
        * fall(of_ball.support, SHOWN)
        * fall(of_ball.texture, UNEVEN)
        * fall(deviation, less_certain)
}

/// Whether a ball is beyond doubt.
fn is_clear(ball: &Ball, noise: f64) -> bool {
    is_lit(ball)
        && ball.roundness > ROUND.1
        && ball.in_sight >= IN_SIGHT
        && ball.fit.noise <= LEAVES * noise
        && ball.fit.support >= ALL_AROUND
        && ball.fit.texture <= ALIKE
        && ball.fit.deviation() < CERTAIN
}

/// What is known of an edge: the mix of channels in which it shows, its sign there, and about
/// its width in pixels.
struct Edge {
    weights: Weights,
    sign: f32,
    width: f64,
}

impl Edge {
    /// What rays would have seen of a ball if its edge were one.
    fn candidate(&self, fit: &Fit) -> Candidate {
        let contrast = fit.contrast.abs() as f32;
        let slope = contrast / (std::f64::consts::TAU.sqrt() * fit.width) as f32;
        let ring = Ring {
            circle: fit.circle,
            coverage: fit.support as f32,
            hits: u64::MAX,
            visible: 1.0,
            contrast,
            slope,
            spread: 0.0,
            alike: 0.0,
            shape: [0.0; 2],
        };
        Candidate { ring, sign: self.sign, weights: self.weights, is_seen: true }
    }
}

impl HoughRust {
    /// Noise of a picture in which balls may be told, in a mix of its channels.
    fn noise_of(&self, image: &Image<'_>, weights: &Weights) -> Option<f64> {
        let noise = self.noise(image, weights).max(LEAST_NOISE);
        Some(noise).filter(|noise| noise.is_finite())
    }

    /// What a disc, if it was believed after it had been tried, is in the light of what a ball
    /// would be there; and whether it is a ball.
    pub(super) fn lit(
        &mut self,
        image: &Image<'_>,
        candidate: &Candidate,
        (tried, judged): (Option<Fit>, Option<Fit>),
    ) -> Option<(Fit, bool)> {
        let Some(disc) = judged else {
            let Candidate { ring, weights, sign, .. } = *candidate;
            let (at, width) =
                tried.map_or((ring.disc(), ring.width()), |fit| (fit.circle, fit.width));
            let edge = Edge { weights, sign, width };
            return self.ball_at(image, &at, &edge).map(|fit| (fit, true));
        };
        self.more_like(image, candidate, &disc).or(Some((disc, false)))
    }

    /// What a disc is if it is more like a ball.
    fn more_like(
        &mut self,
        image: &Image<'_>,
        candidate: &Candidate,
        disc: &Fit,
    ) -> Option<(Fit, bool)> {
        // Where nothing is lacking the noise, which takes a look at the picture, does not matter.
        let is_whole = disc.is_plain && disc.support >= PARTLY.0;
        if is_whole || disc.circle.r < LEAST_RADIUS {
            return None;
        }
        let noise = self.noise_of(image, &candidate.weights)?;
        let lack = lack(disc, noise);
        if disc.is_plain && lack == 0.0 {
            return None;
        }
        // What leaves more than the disc is none, but where that is off.
        let most = if lack > 0.0 { PROMISING * noise } else { NOT_WORSE * disc.noise };
        let leaves = (most, OF_LIGHT.0);
        let hopes = Hopes { explained: EXPLAINED.0, noise, leaves, roundness: ROUND.0 };
        let (at, weights) = ((&disc.circle, disc.width), &candidate.weights);
        let ball = self.refiner.fit_ball(image, weights, at, &hopes).filter(is_lit)?;
        let part = likely(disc, &ball, noise);
        if part <= 0.0 {
            return None;
        }
        let is_ball = part > 0.5;
        let mut fit = disc.towards(&ball.fit, part);
        if is_ball {
            (fit.support, fit.contrast) = (ball.fit.support, ball.fit.contrast);
        }
        Some((fit, is_ball))
    }

    /// A ball where no disc was believed.
    fn ball_at(&mut self, image: &Image<'_>, at: &Circle, edge: &Edge) -> Option<Fit> {
        if at.r < LEAST_RADIUS {
            return None;
        }
        let noise = self.noise_of(image, &edge.weights)?;
        let leaves = (PROMISING_ALONE * noise, OF_LIGHT.1);
        let hopes = Hopes { explained: EXPLAINED.1, noise, leaves, roundness: ROUND.0 };
        let ball = self.refiner.fit_ball(image, &edge.weights, (at, edge.width), &hopes)?;
        let is_one = is_clear(&ball, noise) && belief::score(&ball.fit) >= self.config.min_score;
        is_one.then_some(ball.fit)
    }

    /// Looks for balls where edges pointed to discs that rays did not see.
    pub(super) fn search_lit(&mut self, image: &Image<'_>) {
        self.lost.sort_unstable_by(|a, b| b.coverage.total_cmp(&a.coverage));
        let (least, most) = self.limits(image);
        let mut misses = 0;
        for i in 0..self.lost.len() {
            let seed = self.lost[i];
            let circle = between(&seed.circle, seed.level, 0);
            let is_known = |f: &Found| f.fit.circle.distance(&circle) < f.fit.circle.r;
            if misses == MISSES || self.found.len() >= self.config.max_circles {
                break;
            }
            if self.found.iter().any(is_known) || circle.r < LEAST_RADIUS {
                continue;
            }
            let Some((weights, sign)) = self.climber(image).mix(image, &circle, seed.sign) else {
                continue;
            };
            let edge = Edge { weights, sign, width: WIDTH };
            let Some(fit) = self.ball_at(image, &circle, &edge) else {
                misses += 1;
                continue;
            };
            let is_allowed = (least..=most).contains(&fit.circle.r)
                && self.config.polarity.allows(fit.contrast.signum() as f32)
                && !self.found.iter().any(|f| overlaps(&f.fit.circle, &fit.circle));
            if is_allowed {
                self.found.push(Found::new(fit, edge.candidate(&fit), true));
            }
        }
        self.rank();
    }

    /// Leaves out what lies on balls: highlights, and the end of their light. Where there is more
    /// on one than lamps make it is a bowl.
    pub(super) fn leave_out_parts(&mut self) {
        for i in 0..self.found.len() {
            let Found { fit: ball, is_ball, .. } = self.found[i];
            let is_part = |part: &Found| {
                let at = part.fit.circle;
                !part.is_ball
                    && at.r < SMALLER * ball.circle.r
                    && at.distance(&ball.circle) + at.r < ball.circle.r + ball.width
            };
            if is_ball && self.found.iter().filter(|part| is_part(part)).count() <= LAMPS {
                self.found.iter_mut().for_each(|f| f.lies_on_ball |= is_part(f));
            }
        }
        self.found.retain(|f| !f.lies_on_ball);
    }
}
