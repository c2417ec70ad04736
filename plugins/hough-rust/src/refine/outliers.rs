//! What in the annulus is not the disc: defect pixels, sectors that are hidden, and
//! those with a ground of their own.

use super::{
    Refiner,
    course::Course,
    kernel::{N, Weighing, accumulate},
    levels::Levels,
    sectors::{self, Disc},
};
use crate::rays::median;

/// A single residual from which on, in grey levels, a pixel is taken for defect.
const DEFECT: f32 = 12.0;
/// A residual from which on, over their scale, a pixel shows something else.
const GROSS: f32 = 6.0;
/// Scale of the residuals, over that of their differences from pixel to pixel, from which
/// there may be more than one ground.
const TWO_GROUNDS: f32 = 3.0;

impl Refiner {
    /// Scale of the residuals, and whether few are beyond what it explains.
    fn scale(&mut self) -> (f32, bool) {
        let pixels = &self.pixels;
        let step = (pixels.len() / 512) | 1;
        self.scratch.clear();
        let kept =
            pixels.residual.iter().zip(&pixels.mask).step_by(step).filter(|(_, m)| **m > 0.0);
        self.scratch.extend(kept.map(|(e, _)| e.abs()));
        if self.scratch.is_empty() {
            return (0.3, true);
        }
        let mut typical = median(&mut self.scratch);
        // A clean picture's flat parts say nothing of how well the edge fits.
        self.scratch.clear();
        let rim = pixels.residual.iter().zip(&pixels.share).zip(&pixels.mask);
        let rim = rim.filter(|((_, f), m)| **m > 0.0 && **f > 0.05 && **f < 0.95);
        self.scratch.extend(rim.step_by(step).map(|((e, _), _)| e.abs()));
        if self.scratch.len() > 16 {
            typical = typical.max(0.4 * median(&mut self.scratch));
        }
        let scale = (1.4826 * typical).max(0.3);
        let outliers = pixels.residual.iter().filter(|e| e.abs() > GROSS * scale).count();
        (scale, outliers * 200 < pixels.len())
    }

    /// Residuals beyond this are outliers: infinity when there are none to
    /// speak of. Sectors full of them are masked.
    pub(super) fn limit(&mut self, course: &mut Course, round: usize) -> f32 {
        let (mut scale, mut few) = self.scale();
        if round == 1 || round == 3 {
            let noise = scale.min(self.pixels.grain(&mut self.scratch));
            // Where half of the ground is another, nothing is far from both.
            let uneven = course.gap || !few || course.levels.is_any();
            let levelled = (uneven || scale > TWO_GROUNDS * noise) && self.level(course, noise);
            if levelled {
                (scale, few) = self.scale();
            }
            if course.gap || !few {
                let (r, contrast) = (course.p[2] as f32, course.p[5] as f32);
                let disc = course.gap.then_some(Disc::new(r, contrast, scale));
                let hidden =
                    sectors::hidden(&self.pixels, Weighing::within(GROSS * scale), disc.as_ref());
                self.hide(course, hidden);
            } else if round == 1 || levelled {
                self.hide(course, 0);
            }
        }
        if few {
            // Single pixels that have nothing to do with the picture.
            let gross = DEFECT.max(GROSS * scale);
            let defects = self.pixels.residual.iter().any(|e| e.abs() > gross);
            return if defects && round > 0 { gross } else { f32::INFINITY };
        }
        // Generous while the guess is rough.
        match round {
            0 => 8.0 * scale,
            1 => 6.0 * scale,
            _ => 5.0 * scale,
        }
    }

    /// Masks the `hidden` sectors and no others.
    fn hide(&mut self, course: &mut Course, hidden: u32) {
        course.hidden = hidden;
        course.left = sectors::mask(&mut self.pixels, hidden, &course.levels);
    }

    /// Looks for sectors with levels of their own. Returns whether the pixels changed: what
    /// was taken for another level while the fit was rough may be none.
    fn level(&mut self, course: &mut Course, noise: f32) -> bool {
        let before = course.levels.is_any();
        if before {
            std::mem::take(&mut course.levels).undo(&mut self.pixels);
        }
        let contrast = course.p[5] as f32;
        let found = Levels::of(&self.pixels, contrast, noise, &mut self.scratch);
        let after = found.is_some();
        if let Some((levels, [outside, inside])) = found {
            levels.apply(&mut self.pixels);
            course.levels = levels;
            (course.p[4], course.p[5]) = (outside.into(), (inside - outside).into());
            // They take up what shading did.
            course.make_even();
        }
        if before || after {
            accumulate(&mut self.pixels, &course.p, course.weighing, &[false; N]);
        }
        before || after
    }
}
