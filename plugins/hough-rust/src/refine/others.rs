//! Discs beside the one that is fitted.
//!
//! Where blurred discs touch, each adds its light to the pixels of the others, and there is no
//! edge between them. With F the share of a pixel that a disc has, B the ground and L the
//! levels of the discs, the picture is
//!
//! ```text
//! I = B + sum (L - B) F
//! ```
//!
//! so that what the others add can be taken out: they leave the ground, whose level the fit
//! finds. Pixels that are others' for the most part tell their levels alone.

use super::kernel::Pixels;
use crate::{
    edge_model::{normal, widths_off},
    ring::Circle,
    simd::dispatch,
};

/// A disc beside the one that is fitted.
#[derive(Clone, Copy, Debug)]
pub struct Other {
    /// Where it is.
    pub circle: Circle,
    /// Width of its edge (standard deviation, pixels).
    pub width: f64,
    /// Its grey level, in the mix of channels of the fit.
    pub level: f64,
}

/// Widths of an edge from it at which it ends.
const END: f32 = 4.5;
/// Share of a pixel from which on it is the others'.
const MOSTLY: f32 = 0.6;

dispatch! {
    /// Works out what `pixels`, whose offsets are from `from`, are without other discs, and
    /// the share that these have of them.
    pub(super) fn take_out(pixels: &mut Pixels, from: &Circle, others: &[Other]) {
        let n = if others.is_empty() { 0 } else { pixels.len() };
        pixels.alone.clear();
        pixels.alone.extend_from_slice(&pixels.value[..n]);
        pixels.others.clear();
        pixels.others.resize(n, 0.0);
        for other in others {
            let (x, y) = ((other.circle.x - from.x) as f32, (other.circle.y - from.y) as f32);
            let (r, s, level) = (other.circle.r as f32, other.width as f32, other.level as f32);
            let Pixels { dx, dy, alone, others, .. } = pixels;
            let (dx, dy, alone, others) = (&dx[..n], &dy[..n], &mut alone[..n], &mut others[..n]);
            for i in 0..n {
                let (u, v) = (dx[i] - x, dy[i] - y);
                let rho = (u * u + v * v).sqrt();
                let share = normal(widths_off(rho, r, s).clamp(-END, END)).0;
                alone[i] -= level * share;
                others[i] += share;
            }
        }
    }
}

impl Pixels {
    /// Puts a ground of this level in the place of other discs.
    pub(super) fn put_ground(&mut self, level: f64) {
        let level = level as f32;
        let seen = self.alone.iter().zip(&self.others);
        for (value, (alone, others)) in self.value.iter_mut().zip(seen) {
            *value = alone + level * others;
        }
    }

    /// Masks what is other discs' for the most part.
    pub(super) fn mask_others(&mut self) {
        for (mask, others) in self.mask.iter_mut().zip(&self.others) {
            if *others > MOSTLY {
                *mask = 0.0;
            }
        }
    }
}
