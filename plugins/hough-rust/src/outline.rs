//! Discs of which no model is true: where they are is what their outline says.
//!
//! A coin with relief, a sweet, a marble: what the model of a disc in even light leaves of
//! them is many times the picture's noise. Which of the model's terms take part, and which
//! pixels, is then a matter of chance, and the answer jumps from picture to picture. The edge
//! points that rays find do not.

use crate::{
    belief::{self, Demand},
    climb::Candidate,
    image::Image,
    rays::{Look, Manner, Rays},
    refine::Fit,
    ring::Ring,
};

/// The edge that rays which look at an outline from close by take for a part of it at
/// least, as a share of its contrast.
const FAINTEST: f32 = 0.25;
/// Looks from close by at most, and the step in pixels after which none is needed.
const LOOKS: usize = 4;
const STILL: f64 = 0.01;
/// How far from a circle of which one side of the contrast led to it, as a share of the radius and
/// in pixels, and in the end, edges of either sign are looked for; the least step over two
/// pixels, in grey levels.
const WIDE: f32 = 0.1;
const WIDE_BOUNDS: (f32, f32) = (2.5, 5.0);
const NARROW: f32 = 2.0;
const LEAST_STEP: f32 = 8.0;
/// Residuals of a fit over the picture's noise from which on the model is not all there is.
/// A disc that fits has 0.8 to 1.7 times the noise that the quietest parts show, coins,
/// sweets, berries and cells have 2 to 15 times.
const STRAINED: f64 = 1.65;
/// What texture of a fit makes it count for less, and by how much at most.
const TEXTURED: (f64, f64) = (2.0, 3.0);
/// The standard deviation of the outline's centre over that of the fit's from which on the
/// fit alone counts, and the one up to which the outline alone does. In scenes that are what
/// the model says it is above 1.17 for 95 of 100 fits with more than even light.
const BETTER: (f64, f64) = (1.1, 0.55);
/// Swing of an edge's width and width, in pixels, from which on a disc is in motion. Of 650
/// fits in photographs of things that lie still one in 80 has such a swing.
const IN_MOTION: (f64, f64) = (0.55, 3.0);

/// What looks at one candidate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outline<'a> {
    pub(crate) rays: &'a Rays,
    pub(crate) image: &'a Image<'a>,
    pub(crate) candidate: &'a Candidate,
}

impl Outline<'_> {
    /// A look from close by, as close as `narrow` widths of the edge.
    fn look(&self, ring: &Ring, narrow: f32, manner: Manner) -> Option<Ring> {
        let look = Look {
            window: 1.0 + narrow * ring.width() as f32 + ring.swing(),
            sign: self.candidate.sign,
            step: FAINTEST * ring.contrast,
            manner,
        };
        self.rays.fit(self.image, &self.candidate.weights, ring.circle, &look)
    }

    /// What the rays alone tell of a candidate that is like no model.
    pub(crate) fn alone(&self, demand: Demand) -> Option<Fit> {
        if !self.candidate.is_seen {
            return None;
        }
        let ring = self.of_one_sign(demand).or_else(|| self.of_either_sign(demand))?;
        Fit::of_rays(&ring, self.candidate.sign)
    }

    /// The outline of one that is brighter than all that is around it, or darker.
    fn of_one_sign(&self, demand: Demand) -> Option<Ring> {
        let far = &self.candidate.ring;
        if !belief::is_worth_another_look(far, demand) {
            return None;
        }
        let look = |ring: Ring| self.look(&ring, 1.0, Manner::Peak);
        let is_disc = |ring: &Ring| belief::is_disc_to_rays(ring, demand);
        let close = look(*far).and_then(look).filter(is_disc);
        // From close by they may see the rim of something else.
        let is_clear = |ring: &Ring| is_disc(ring) && belief::is_clear_to_rays(ring);
        let shows = |ring: &Ring| belief::is_neighbour_to_rays(ring, demand);
        match close.or_else(|| Some(*far).filter(is_clear)) {
            Some(ring) => self.settled(ring).or(Some(ring)),
            None if shows(far) => self.settled(*far).or(Some(*far)),
            // From close by a soft outline is any part of its slope.
            None => Some(*far).filter(|ring| belief::is_soft_to_rays(ring, demand)),
        }
    }

    /// The outline of one in front of a ground that is brighter here and darker there, or of
    /// another colour.
    fn of_either_sign(&self, demand: Demand) -> Option<Ring> {
        let look = |ring: &Ring, window: f32| {
            let look = Look { window, sign: 1.0, step: LEAST_STEP, manner: Manner::Either };
            self.rays.fit(self.image, &self.candidate.weights, ring.circle, &look)
        };
        let far = &self.candidate.ring;
        let wide = (WIDE * far.circle.r as f32).clamp(WIDE_BOUNDS.0, WIDE_BOUNDS.1);
        let ring = look(far, wide)?;
        let ring = look(&ring, NARROW)?;
        belief::is_two_signed(&ring, demand).then_some(ring)
    }

    /// Looks again and again from where the last look led to, until it leads nowhere else.
    fn settled(&self, mut ring: Ring) -> Option<Ring> {
        for _ in 0..LOOKS {
            let from = ring.circle;
            ring = self.look(&ring, 1.5, Manner::Mean)?;
            if ring.circle.distance(&from) < STILL {
                break;
            }
        }
        Some(ring)
    }

    /// Moves a fit to where the outline is if that is more certain, in a picture with this
    /// `noise`, which is asked for where it matters. In between it moves a part of the way, so
    /// that nothing jumps. The wide edge of a disc in motion, which may have bounced, is
    /// steepest anywhere: the fit stays.
    pub(crate) fn steady(&self, fit: Fit, noise: impl FnOnce() -> f64) -> Fit {
        if fit.blur_swing > IN_MOTION.0 || fit.width > IN_MOTION.1 {
            return fit;
        }
        let far = Ring { circle: fit.circle, ..self.candidate.ring };
        let Some(ring) = self.settled(far) else { return fit };
        let Some(outline) = Fit::of_rays(&ring, self.candidate.sign) else { return fit };
        let strain = (fit.noise / (STRAINED * noise())).powi(2);
        let strain = strain.max((fit.texture / TEXTURED.0).min(TEXTURED.1)).max(1.0);
        // Edge points that are off alike are so in every picture, which the fit suffers from
        // as much.
        let scatter = outline.deviation() / ring.redundancy().sqrt();
        let ratio = scatter / (strain * fit.deviation());
        let (worse, better) = BETTER;
        let share = libm::log(worse / ratio) / libm::log(worse / better);
        fit.towards(&outline, share.clamp(0.0, 1.0))
    }
}
