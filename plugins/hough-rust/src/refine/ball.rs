//! A matte ball.
//!
//! Lambert's law: a ball in light that comes from one direction and in some that comes from
//! everywhere. With the normal (u, v, z), z = sqrt(1 - u^2 - v^2), and F the ball's share of a
//! pixel, the picture is
//!
//! ```text
//! I = B + L + q L^2
//! L = (Bu u + Bv v) (1 - F) + A F + max(0, (ku u + kv v) F + kz z)
//! ```
//!
//! (Lambert, Photometria, 1760), where z is blurred as the edge is. The light k points to where it
//! comes from; where there is none of it lies the shadow. A blur of s moves the mean of what
//! changes by k / r a pixel across the edge: to `u F` it adds `s^2 / r` times the derivative of F
//! (Stein's lemma). The square is for cameras whose levels are not in proportion to the light, as
//! nearly all: their blur was there before that.
//!
//! Levenberg and Marquardt's method with Tukey's weights: first in a wide annulus, which tells
//! the light, then at the rim. On a texture pixels weigh by the noise inside and outside; what
//! many residuals of a direction are beyond all noise is hidden, or in a shadow that the ball
//! casts.

use super::{
    Fit, Place, Refiner,
    course::{solve, solve_for},
    kernel::{MIN_WIDTH, Model, N, Pixels, Sums, Weighing, accumulate_of},
    levels::Levels,
    limb,
    noise::ROUNDING,
    sectors,
    start::{self, Annulus},
    texture,
};
use crate::{
    image::{Image, Weights},
    ring::Circle,
};

/// Unknowns: x, y, r, s, B, A, Bu, Bv, ku, kv, kz, q.
const UNKNOWNS: usize = 12;
/// The levels alone, and those of levels and light, of which all but the shadow is linear.
const LEVELS: [usize; 2] = [4, 5];
const LIGHT: [usize; 5] = [4, 5, 8, 9, 10];
/// The light towards who looks.
const LOOKING: usize = 10;
/// The ball's contrast without any light, the curvature of the tone, and the standard deviation of
/// the latter before it is seen, in the wide annulus and at the rim, times the range of levels.
const CONTRAST: usize = 5;
const BOW: usize = 11;
const TONE: (f64, f64) = (8.0, 40.0);
/// Where the brightness of the light begins: without any all would be shadow.
const DIM: f64 = 1e-3;
/// Rounds in which the light is found.
const LIGHT_ROUNDS: usize = 3;
/// Pixels with which the light is found, those of the wide annulus and of the rim, about, and at
/// least.
const FEW: usize = 180;
const SAMPLE: usize = 700;
const ENOUGH: usize = 4000;
const FEWEST: usize = 60;
/// Reach of the wide annulus as a share of the radius; of any at most; and of the rim in widths
/// of the edge and pixels.
const WIDE: f64 = 0.3;
const WIDEST: f64 = 0.9;
const RIM: (f64, f64) = (3.0, 2.5);
/// Looks at the wide annulus, and how far the last one led, as a share of the radius, from which
/// on another is needed.
const LOOKS: usize = 3;
const FAR_OFF: f64 = 0.1;
/// What such a look leaves over the picture's noise where no other scale is needed.
const GOOD: f64 = 2.0;
/// Share of the rim's pixels that must be in sight.
const LEFT: f32 = 0.45;
/// Variance outside over that inside up to which they are alike.
const UNEVEN: f32 = 1.6;
/// Damping to begin with and at least, at most, and what a step makes of it that leads down or does
/// not.
const LEAST_DAMPING: (f64, f64) = (1e-3, 1e-6);
const MOST_DAMPING: f64 = 1e4;
const DAMPING: (f64, f64) = (0.2, 8.0);
/// Passes, at most, and by how much chi squared may still fall when they end, in the wide annulus
/// and at the rim.
const ROUNDS: usize = 20;
const ROUGHLY: f64 = 1.0;
const CLOSE: f64 = 0.05;
/// Steps that promise less than this multiple of it and keep nothing are due to the derivatives,
/// which are not exact.
const NEARLY: f64 = 30.0;
/// Rounds after which the light must come from the front.
const TURNED: usize = 4;
/// Rounds in which the limit of outliers follows the residuals, and that limit over these.
const SETTLING: usize = 4;
const LIMIT: f32 = 5.0;
/// The share of the residuals that tells their scale, and how many standard deviations those of
/// normal noise have there: in the wide annulus a half may be as dark as the ground.
const MOST: Scale = (0.8, 1.2816);
const HALF: Scale = (0.5, 0.6745);
/// Residuals that are reckoned with at least, in grey levels.
const LEAST_SCALE: f32 = 0.5;
/// How far it may be from where it began: centre and radius as shares of the radius.
const FAR: (f64, f64) = (0.35, 0.45);

/// By how much what the model leaves out makes the variance larger, and how far it may be off
/// without noise, in pixels, and as a share of the edge's width squared over the radius.
const UNCERTAIN: f64 = 2.0;
const OFF: f64 = 0.005;
const OFF_BY_BLUR: f64 = 0.2;

fn only(which: impl IntoIterator<Item = usize>) -> [bool; N] {
    let mut active = [false; N];
    which.into_iter().for_each(|k| active[k] = true);
    active
}

/// What a matte ball says of where it is.
#[derive(Clone, Copy, Debug)]
pub struct Ball {
    /// The ball as a disc, whose contrast is that of the mean level next to its rim.
    pub fit: Fit,
    /// The light, in grey levels: towards the right, downwards, and towards who looks.
    pub light: [f64; 3],
    /// Share of the rim's pixels that nothing hides, and no shadow that the ball casts.
    pub in_sight: f64,
    /// The last of the light over its standard deviation: a flat disc has none.
    pub roundness: f64,
}

/// How the scale of residuals is told: see [`HALF`].
type Scale = (f64, f32);

/// Where a fit takes place.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// In the wide annulus.
    Wide(Scale),
    /// At the rim.
    Rim,
}

/// The last pass of a fit.
struct End {
    pass: Sums,
    weighing: Weighing,
}

/// What a look at the wide annulus says of a ball.
#[derive(Clone, Copy, Debug)]
struct Glimpse {
    /// Variance of the residuals outside, square grey levels.
    variance: f64,
    /// Standard deviation of the residuals inside, in grey levels.
    noise: f64,
    /// Length of the light, in grey levels.
    brightness: f64,
    /// As that of [`Ball`].
    roundness: f64,
}

/// What must be seen of a ball for the fit to go on.
#[derive(Clone, Copy, Debug)]
pub struct Hopes {
    /// Share of what even levels leave that light explains.
    pub explained: f64,
    /// The picture's noise, in grey levels.
    pub noise: f64,
    /// What a glimpse leaves at most, in grey levels, or as a share of the light.
    pub leaves: (f64, f64),
    /// [`Ball::roundness`] at the first glimpse.
    pub roundness: f64,
}

impl Hopes {
    fn allow(&self, glimpse: &Glimpse) -> bool {
        let (most, of_light) = self.leaves;
        glimpse.roundness > self.roundness
            && glimpse.noise < most.max(of_light * glimpse.brightness)
    }
}

impl Refiner {
    /// Fits a matte ball near a circle whose edge has about a width. `None` where light from one
    /// side does not fulfil the hopes, or where the fit is lost.
    pub fn fit_ball(
        &mut self,
        image: &Image<'_>,
        weights: &Weights,
        (from, width): (&Circle, f64),
        hopes: &Hopes,
    ) -> Option<Ball> {
        self.others.clear();
        let width = width.clamp(0.35, from.r / 4.0);
        let place = |circle: &Circle, width: f64, least: f64| {
            let reach = (RIM.0 * width + RIM.1).max(least * circle.r).min(WIDEST * circle.r);
            Place { image, weights, annulus: Annulus { circle: *circle, reach } }
        };
        let mut near = *from;
        let mut p = [0.0; N];
        (p[2], p[3], p[LOOKING]) = (from.r, width, DIM);
        self.gather_some(&place(&near, width, WIDE), FEW)?;
        if self.find_light(&mut p)? < hopes.explained {
            return None;
        }
        let mut noise = 0.0;
        for look in 0..LOOKS {
            self.gather_some(&place(&near, width, WIDE), SAMPLE)?;
            let (begin, before) = (p, noise);
            (p, noise) = self.glance(&begin, near.r, noise, hopes, look == 0)?;
            let to = Circle { x: near.x + p[0], y: near.y + p[1], r: p[2] };
            let moved = to.apart(&near);
            near = to;
            (p[0], p[1]) = (0.0, 0.0);
            if moved < FAR_OFF * near.r && noise == before {
                break;
            }
        }
        let rim = place(&near, p[3], 0.0);
        self.gather_some(&rim, ENOUGH)?;
        let mut end = self.descend(&mut p, near.r, (noise, Stage::Rim))?;
        let (mut hidden, mut in_sight) = (0, 1.0);
        for _ in 0..LOOKS {
            // The shadow that it casts, and what lies before it.
            let more = sectors::hidden(&self.pixels, end.weighing, None) | hidden;
            if more == hidden {
                break;
            }
            hidden = more;
            in_sight = sectors::mask(&mut self.pixels, hidden, &Levels::default());
            if in_sight < LEFT {
                return None;
            }
            end = self.descend(&mut p, near.r, (noise, Stage::Rim))?;
        }
        let ball = self.report_ball(&rim, &p, &end)?;
        Some(Ball { in_sight: in_sight.into(), ..ball })
    }

    /// Looks at the wide annulus that was gathered, with a given unevenness of the noise. Returns
    /// what it leads to and the unevenness then. `None` where there is no hope.
    fn glance(
        &mut self,
        begin: &[f64; N],
        r: f64,
        excess: f32,
        hopes: &Hopes,
        is_first: bool,
    ) -> Option<([f64; N], f32)> {
        let mut best: Option<(f64, [f64; N], f32)> = None;
        // Where much of it is hidden, in a shadow or on a texture, the other scale leads on.
        for scale in [MOST, HALF] {
            let mut p = *begin;
            let end = self.descend(&mut p, r, (excess, Stage::Wide(scale)));
            let glimpse = end.and_then(|end| self.glimpse(&p, &end));
            let Some(glimpse) = glimpse.filter(|g| !is_first || hopes.allow(g)) else { continue };
            if best.is_none_or(|(noise, ..)| glimpse.noise < noise) {
                best = Some((glimpse.noise, p, self.uneven_noise()));
            }
            if glimpse.noise < GOOD * hopes.noise {
                break;
            }
        }
        best.map(|(_, p, excess)| (p, excess))
    }

    /// The variance inside over that outside, less 1, where there is more outside: on a texture.
    /// Inside there is more of what the model leaves out.
    fn uneven_noise(&self) -> f32 {
        let excess = self.pixels.excess_inside();
        if 1.0 + excess < 1.0 / UNEVEN { excess } else { 0.0 }
    }

    /// Takes about so many of the pixels of a place, pairs of neighbours. `None` where there are too
    /// few.
    fn gather_some(&mut self, place: &Place<'_>, most: usize) -> Option<()> {
        let n = start::list(&mut self.pieces, place.image, place.annulus);
        if n < FEWEST {
            return None;
        }
        let every = (n / most) | 1;
        self.gather(place, every);
        Some(())
    }

    fn ball_pass(&mut self, p: &[f64; N], weighing: Weighing, active: &[bool; N]) -> Sums {
        accumulate_of(Model::Ball, &mut self.pixels, p, weighing, active)
    }

    /// Finds levels and light on a given ball. Returns the share of what even levels leave that
    /// the light explains.
    fn find_light(&mut self, p: &mut [f64; N]) -> Option<f64> {
        let levels = only(LEVELS);
        let even = self.ball_pass(p, Weighing::EQUAL, &levels);
        let left = even.chi2 - solve(&even, &levels)?.1;
        let light = only(LIGHT);
        let mut rest = left;
        for _ in 0..LIGHT_ROUNDS {
            let pass = self.ball_pass(p, Weighing::EQUAL, &light);
            let (step, explained) = solve(&pass, &light)?;
            rest = pass.chi2 - explained;
            p.iter_mut().zip(step).for_each(|(p, step)| *p += step);
        }
        Some(1.0 - rest / left.max(1e-9))
    }

    /// The residual over the scale of its noise from which on pixels are outliers.
    fn ball_limit(&mut self, weighing: Weighing, scale: Scale) -> f32 {
        let Pixels { residual, share, mask, .. } = &self.pixels;
        let kept = residual.iter().zip(share).zip(mask).filter(|(_, mask)| **mask > 0.0);
        self.scratch.clear();
        self.scratch.extend(kept.map(|((e, share), _)| e.abs() / weighing.scale(*share).sqrt()));
        if self.scratch.is_empty() {
            return f32::INFINITY;
        }
        let (most, deviations) = scale;
        let rank = (most * (self.scratch.len() - 1) as f64) as usize;
        let (_, size, _) = self.scratch.select_nth_unstable_by(rank, f32::total_cmp);
        LIMIT * (*size / deviations).max(LEAST_SCALE)
    }

    /// Tukey's loss of the last pass, over a third of the limit squared.
    fn loss(&self, weighing: Weighing) -> f64 {
        let Pixels { residual, share, mask, .. } = &self.pixels;
        let loss = |((e, share), mask): ((&f32, &f32), &f32)| {
            let q = weighing.over_limit(*e, *share);
            let rest = (1.0 - q * q).max(0.0);
            f64::from(mask * (1.0 - rest * rest * rest))
        };
        residual.iter().zip(share).zip(mask).map(loss).sum()
    }

    /// Improves all of it, where the noise inside differs by `excess`, until little is left to be
    /// gained. `None` where the fit is lost.
    fn descend(&mut self, p: &mut [f64; N], r: f64, (excess, stage): (f32, Stage)) -> Option<End> {
        let all = only(0..UNKNOWNS);
        let (scale, tone, enough) = match stage {
            Stage::Wide(scale) => (scale, TONE.0, ROUGHLY),
            Stage::Rim => (HALF, TONE.1, CLOSE),
        };
        let mut weighing = Weighing { limit: f32::INFINITY, excess, is_relative: true };
        self.ball_pass(p, weighing, &[false; N]);
        weighing.limit = self.ball_limit(weighing, scale);
        let mut pass = self.ball_pass(p, weighing, &all);
        // A normal prior: tone bends by little unless the picture says so.
        let range = p[CONTRAST].abs().max(p[8].hypot(p[9]).hypot(p[LOOKING])).max(1.0);
        let noise = f64::from(weighing.limit / LIMIT);
        let hold = (noise * range / tone).powi(2);
        let held = |p: &[f64; N], limit: f32| 3.0 * hold * (p[BOW] / f64::from(limit)).powi(2);
        let mut loss = self.loss(weighing) + held(p, weighing.limit);
        let mut damping = LEAST_DAMPING.0;
        let mut is_last = true;
        for round in 0..ROUNDS {
            let (mut a, mut b) = (pass.a, pass.b);
            a[BOW][BOW] += hold;
            b[BOW] -= hold * p[BOW];
            (0..UNKNOWNS).for_each(|k| a[k][k] *= 1.0 + damping);
            let step = solve_for(&a, &b, &all)?;
            let gain: f64 = step.iter().zip(&b).map(|(step, b)| step * b).sum();
            let promised = gain / pass.variance();
            if promised < enough {
                break;
            }
            // Nothing is lit from behind.
            if round > TURNED && p[LOOKING] <= 0.0 {
                return None;
            }
            let mut next = *p;
            next.iter_mut().zip(step).for_each(|(p, step)| *p += step);
            next[3] = next[3].clamp(MIN_WIDTH, r / 3.0);
            let is_far = next[0].hypot(next[1]) > FAR.0 * r || (next[2] / r - 1.0).abs() > FAR.1;
            let then = (!is_far).then(|| {
                let pass = self.ball_pass(&next, weighing, &all);
                (self.loss(weighing) + held(&next, weighing.limit), pass)
            });
            is_last = is_far && is_last;
            match then {
                Some((now, then)) if now <= loss => {
                    let limit = f64::from(weighing.limit);
                    let kept = (loss - now) * limit * limit / 3.0 / then.variance();
                    (*p, pass, loss) = (next, then, now);
                    is_last = true;
                    damping = (damping * DAMPING.0).max(LEAST_DAMPING.1);
                    if kept < enough && promised < NEARLY * enough {
                        break;
                    }
                    if round < SETTLING {
                        weighing.limit = self.ball_limit(weighing, scale);
                        loss = self.loss(weighing) + held(p, weighing.limit);
                    }
                }
                _ => {
                    damping *= DAMPING.1;
                    if promised < NEARLY * enough || damping > MOST_DAMPING {
                        break;
                    }
                }
            }
        }
        if !is_last {
            pass = self.ball_pass(p, weighing, &all);
        }
        Some(End { pass, weighing })
    }

    /// What the last pass says of a ball.
    fn glimpse(&self, p: &[f64; N], end: &End) -> Option<Glimpse> {
        let variance = self.pixels.robust_variance(end.weighing, UNKNOWNS as f64).max(ROUNDING);
        let mut unit = [0.0; N];
        unit[LOOKING] = variance;
        let spread = solve_for(&end.pass.a, &unit, &only(0..UNKNOWNS))?[LOOKING];
        Some(Glimpse {
            variance,
            noise: (variance * f64::from(end.weighing.scale(1.0))).sqrt(),
            brightness: p[8].hypot(p[9]).hypot(p[LOOKING]),
            roundness: p[LOOKING] / spread.max(1e-9).sqrt(),
        })
    }

    /// The mean level inside, next to the rim.
    fn mean_inside(&self) -> f64 {
        let (mut sum, mut n) = (0.0, 0.0);
        for (value, share) in self.pixels.value.iter().zip(&self.pixels.share) {
            if *share > 0.98 {
                sum += f64::from(*value);
                n += 1.0;
            }
        }
        sum / f64::max(n, 1.0)
    }

    fn report_ball(&mut self, place: &Place<'_>, p: &[f64; N], end: &End) -> Option<Ball> {
        let all = only(0..UNKNOWNS);
        let End { pass, weighing } = end;
        let Glimpse { variance, noise: inside, roundness, .. } = self.glimpse(p, end)?;
        let mut noise = variance.sqrt() as f32;
        if weighing.excess == 0.0 {
            noise = noise.min(self.pixels.grain(&mut self.scratch));
        }
        let support = limb::support(&self.pixels, *weighing, p[2] as f32, noise);
        let texture = texture(support.scatter, variance);
        let mut covariance = [[0.0; 3]; 3];
        for (k, column) in covariance.iter_mut().enumerate() {
            let mut unit = [0.0; N];
            unit[k] = UNCERTAIN * texture * variance;
            column.copy_from_slice(&solve_for(&pass.a, &unit, &all)?[..3]);
            column[k] += OFF * OFF + (OFF_BY_BLUR * p[3] * p[3] / p[2]).powi(2);
        }
        let start = place.annulus.circle;
        let fit = Fit {
            circle: Circle { x: start.x + p[0], y: start.y + p[1], r: p[2] },
            width: p[3],
            contrast: self.mean_inside() - p[4],
            ground: p[4],
            noise: inside,
            covariance,
            support: support.share.into(),
            gaps: support.gaps,
            own_levels: false,
            roughness: support.roughness.into(),
            flatness: 0.0,
            texture,
            blur_swing: 0.0,
            is_plain: false,
        };
        Some(Ball { fit, light: [p[8], p[9], p[10]], in_sight: 1.0, roundness })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (120, 100);
    const AT: Circle = Circle { x: 58.3, y: 49.6, r: 27.4 };
    const DIRECTION: [f64; 3] = [0.48, -0.6, 0.64];

    /// A ball that is integrated over 8 x 8 points of each pixel, on a ground of this level, with
    /// noise of this standard deviation.
    fn picture(ground: f64, is_lit: bool, noise: f64) -> Vec<u8> {
        let mut state = 7_u32;
        let mut unit = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1 << 24)
        };
        let level = |x: f64, y: f64| {
            let (u, v) = ((x - AT.x) / AT.r, (y - AT.y) / AT.r);
            let rest = 1.0 - u * u - v * v;
            if rest < 0.0 {
                return ground;
            }
            let [a, b, c] = DIRECTION;
            if is_lit { 20.0 + 170.0 * (a * u + b * v + c * rest.sqrt()).max(0.0) } else { 150.0 }
        };
        let mut data = Vec::new();
        for y in 0..SIZE.1 {
            for x in 0..SIZE.0 {
                let mut sum = 0.0;
                for k in 0..64 {
                    let (i, j) = (f64::from(k % 8), f64::from(k / 8));
                    sum += level(x as f64 + (i - 3.5) / 8.0, y as f64 + (j - 3.5) / 8.0);
                }
                let deviation = (0..12).map(|_| unit()).sum::<f64>() - 6.0;
                data.push((sum / 64.0 + noise * deviation).round().clamp(0.0, 255.0) as u8);
            }
        }
        data
    }

    fn fitted(data: &[u8], from: Circle) -> Option<Ball> {
        let image = Image::grey(data, SIZE.0, SIZE.1, SIZE.0);
        let hopes =
            Hopes { explained: 0.2, noise: 3.0, leaves: (1e9, 0.0), roundness: f64::NEG_INFINITY };
        Refiner::default().fit_ball(&image, &[1.0, 0.0, 0.0], (&from, 0.7), &hopes)
    }

    #[test]
    fn a_ball_is_found_from_far_off_with_its_light() {
        for (ground, noise) in [(20.0, 0.0), (20.0, 3.0), (75.0, 3.0), (210.0, 3.0)] {
            let data = picture(ground, true, noise);
            let from = Circle { x: AT.x + 2.5, y: AT.y - 2.0, r: AT.r - 3.0 };
            let ball = fitted(&data, from).expect("a ball");
            let at = ball.fit.circle;
            let most = if noise > 0.0 { 0.1 } else { 0.02 };
            assert!(at.apart(&AT) < 2.0 * most, "{ground}, {noise}: {at:?}");
            for (k, direction) in ball.light.iter().zip(DIRECTION) {
                assert!((k - 170.0 * direction).abs() < 12.0, "{ground}: {:?}", ball.light);
            }
            assert!((ball.fit.noise - noise).abs() < 0.5, "{}", ball.fit.noise);
            assert!(ball.fit.support > 0.9 && ball.roundness > 12.0 && ball.in_sight > 0.9);
        }
    }

    #[test]
    fn a_flat_disc_is_no_ball() {
        let ball = fitted(&picture(40.0, false, 3.0), AT);
        assert!(ball.is_none_or(|ball| ball.roundness < 6.0), "{ball:?}");
    }

    /// The gradient of chi squared is -2 J'We.
    #[test]
    fn derivatives_are_those_of_the_model() {
        let data = picture(75.0, true, 3.0);
        let image = Image::grey(&data, SIZE.0, SIZE.1, SIZE.0);
        let mut refiner = Refiner::default();
        let annulus = Annulus { circle: AT, reach: 6.0 };
        let place = Place { image: &image, weights: &[1.0, 0.0, 0.0], annulus };
        refiner.gather_some(&place, 10_000).unwrap();
        let mut p = [0.0; N];
        let near = [0.3, -0.2, 27.0, 0.8, 75.0, -55.0, 3.0, -2.0, 80.0, -110.0, 105.0, 0.03];
        p[..UNKNOWNS].copy_from_slice(&near);
        let all = only(0..UNKNOWNS);
        let pass = refiner.ball_pass(&p, Weighing::EQUAL, &all);
        for k in 0..UNKNOWNS {
            let step = 0.02 / (pass.a[k][k] / pass.weight).sqrt();
            let mut at = |step: f64| {
                let mut p = p;
                p[k] += step;
                refiner.ball_pass(&p, Weighing::EQUAL, &all).chi2
            };
            let slope = (at(step) - at(-step)) / (2.0 * step);
            let scale = (pass.chi2 * pass.a[k][k]).sqrt();
            assert!((slope + 2.0 * pass.b[k]).abs() < 0.02 * scale, "{k}: {slope} {}", pass.b[k]);
        }
    }
}
