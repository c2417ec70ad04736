//! Discs whose colours do not lie on their brightness ([`crate::refine::Offset`]).

use super::HoughRust;
use crate::{
    climb::Candidate,
    image::{Image, LUMA},
    refine::{Fit, Offset},
    ring::Ring,
};

/// Share of the directions that must show a disc for its places in two mixes of channels to be
/// compared, the texture (a factor of the variance) with which they are not, and the least
/// contrast in brightness over that in the other mix; and how far apart they are at least when
/// the channels do not lie on each other, in pixels and as chi squared of two degrees of
/// freedom: chance has it once in 250 000.
const WHOLE: f64 = 0.8;
const MUCH_TEXTURE: f64 = 1.5;
const FAINT: f64 = 0.15;
const APART: (f64, f64) = (0.02, 25.0);

impl HoughRust {
    /// A candidate and a fit in the picture's brightness, where the disc of a fit is elsewhere in
    /// that.
    pub(super) fn on_luma(
        &mut self,
        image: &Image<'_>,
        candidate: &Candidate,
        fit: &Fit,
    ) -> Option<(Candidate, Fit)> {
        let Candidate { ring, weights, .. } = *candidate;
        // On a texture no step leads to the disc.
        let is_disc = !fit.is_outline() && fit.support >= WHOLE && fit.texture < MUCH_TEXTURE;
        if image.channels() == 1 || !is_disc {
            return None;
        }
        let offset = self.refiner.offset(image, (&weights, &LUMA), fit, APART.1);
        let is_apart = |offset: &Offset| {
            offset.distance > APART.0 && offset.contrast.abs() > FAINT * fit.contrast.abs()
        };
        let Offset { contrast, .. } = offset.filter(is_apart)?;
        let sign = contrast.signum() as f32;
        let contrast = contrast.abs() as f32;
        let slope = ring.slope * contrast / ring.contrast;
        let ring = Ring { circle: fit.circle, contrast, slope, ..ring };
        let on_luma = self.refiner.fit(image, &LUMA, &ring, sign)?;
        let candidate = Candidate { ring, sign, weights: LUMA, ..*candidate };
        (on_luma.support >= WHOLE).then_some((candidate, on_luma))
    }
}
