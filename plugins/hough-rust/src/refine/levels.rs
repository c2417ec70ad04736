//! Directions whose outside has a level of its own: a disc in front of others has
//! a different ground on each side.
//!
//! A sector in which the disc's profile goes from the level inside to another one
//! outside is stretched about the level inside until it has the contrast of the
//! others, and weighs less by the square of that. Where the ground is on the other
//! side of the disc's own level, the stretch is negative.

use super::{kernel::Pixels, noise::densest};
use crate::sector::SECTORS;

/// Contrast that a sector must have, as a share of the disc's and over the noise.
const LEAST: (f32, f32) = (0.1, 3.0);
/// By how much its level must be off to be one of its own, as a share of the disc's
/// contrast and in standard deviations.
const OWN: (f32, f32) = (0.1, 3.0);
/// Such sectors, at least: fewer are left out of the fit like others that do not
/// agree with it.
const FEWEST: usize = 4;
/// What its profile may leave, as a share of its own variance.
const LEFT: f32 = 0.2;
/// How far its edge may be off, in pixels.
const SHIFT: f32 = 0.75;

/// What maps the values of each sector to those of a disc on even ground:
/// `offset + gain v`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Levels {
    offset: [f32; SECTORS],
    gain: [f32; SECTORS],
}

impl Default for Levels {
    fn default() -> Self {
        Self { offset: [0.0; SECTORS], gain: [1.0; SECTORS] }
    }
}

/// Sums over the pixels of a sector.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    /// Pixels outside and inside, off the edge: their number, values and squares.
    flat: [(f32, f32, f32); 2],
    n: f32,
    v: f32,
    vv: f32,
    f: f32,
    ff: f32,
    vf: f32,
    /// The edge's shift by a pixel per unit of contrast, with 1, f, v and itself.
    j: f32,
    jf: f32,
    jv: f32,
    jj: f32,
}

impl Levels {
    /// Whether a sector has a level of its own.
    pub(super) fn is_any(&self) -> bool {
        self.gain.iter().any(|g| *g != 1.0)
    }

    /// The weight of a sector's pixels.
    pub(super) fn weight(&self, sector: u8) -> f32 {
        let gain = self.gain[usize::from(sector) % SECTORS];
        1.0 / (gain * gain)
    }

    /// Maps the values of the pixels.
    pub(super) fn apply(&self, pixels: &mut Pixels) {
        for (v, k) in pixels.value.iter_mut().zip(&pixels.sector) {
            let k = usize::from(*k) % SECTORS;
            *v = self.offset[k] + self.gain[k] * *v;
        }
    }

    /// Takes back what [`Self::apply`] did.
    pub(super) fn undo(&self, pixels: &mut Pixels) {
        let gain = self.gain.map(|g| 1.0 / g);
        let offset = std::array::from_fn(|k| -self.offset[k] * gain[k]);
        Self { offset, gain }.apply(pixels);
    }

    /// The levels of `pixels` after a pass in which an edge had the `contrast`, with those
    /// that most sectors have, outside and inside; `None` when too few sectors have another.
    pub(super) fn of(
        pixels: &Pixels,
        contrast: f32,
        noise: f32,
        scratch: &mut Vec<f32>,
    ) -> Option<(Self, [f32; 2])> {
        let sums = collect(pixels, contrast);
        let mut most = |side: usize, fits: &dyn Fn(usize) -> bool| {
            scratch.clear();
            let fitting = (0..SECTORS).filter(|&k| sums[k].flat[side].0 >= 3.0 && fits(k));
            scratch.extend(fitting.map(|k| sums[k].mean(side)));
            (scratch.len() >= SECTORS / 4).then(|| densest(scratch))
        };
        let inside = most(1, &|_| true)?;
        let own: [_; SECTORS] = std::array::from_fn(|k| own_contrast(&sums[k], inside, noise));
        let outside = most(0, &|k| own[k].is_some())?;
        let usual = inside - outside;
        let mut levels = Self::default();
        let mut found = 0;
        for (k, (s, own)) in sums.iter().zip(own).enumerate() {
            let Some(own) = own else { continue };
            let off = OWN.0 * usual.abs() + OWN.1 * noise / s.flat[0].0.sqrt();
            if (own - usual).abs() > off && own.abs() > LEAST.0 * usual.abs() {
                levels.gain[k] = usual / own;
                levels.offset[k] = inside * (1.0 - levels.gain[k]);
                found += 1;
            }
        }
        (found >= FEWEST).then_some((levels, [outside, inside]))
    }
}

fn collect(pixels: &Pixels, contrast: f32) -> [Sums; SECTORS] {
    let mut sums = [Sums::default(); SECTORS];
    for i in 0..pixels.len() {
        let s = &mut sums[usize::from(pixels.sector[i]) % SECTORS];
        let (f, v, j) = (pixels.share[i], pixels.value[i], pixels.by_radius[i] / contrast);
        if !(0.02..=0.98).contains(&f) {
            let side = &mut s.flat[usize::from(f > 0.5)];
            *side = (side.0 + 1.0, side.1 + v, side.2 + v * v);
        }
        s.n += 1.0;
        s.v += v;
        s.vv += v * v;
        s.f += f;
        s.ff += f * f;
        s.vf += v * f;
        s.j += j;
        s.jf += j * f;
        s.jv += j * v;
        s.jj += j * j;
    }
    sums
}

impl Sums {
    /// Mean level outside or inside.
    fn mean(&self, side: usize) -> f32 {
        self.flat[side].1 / self.flat[side].0
    }
}

/// The contrast of a sector that shows a disc of the level `inside`.
fn own_contrast(s: &Sums, inside: f32, noise: f32) -> Option<f32> {
    let [(n, _, vv), (n_in, ..)] = s.flat;
    if n < 3.0 || n_in < 1.0 {
        return None;
    }
    let outside = s.mean(0);
    let own = inside - outside;
    let even = (vv / n - outside * outside).max(0.0).sqrt() < 0.05 * own.abs() + 1.5 * noise;
    let is_disc = (s.mean(1) - inside).abs() < 0.15 * own.abs() + 2.0 * noise / n_in.sqrt();
    // Residuals e = v - outside - own f: their squares, and the shift that they tell.
    let ee = s.vv + s.n * outside * outside + own * own * s.ff
        - 2.0 * (outside * s.v + own * s.vf - outside * own * s.f);
    let je = s.jv - outside * s.j - own * s.jf;
    let shift = je / (own * s.jj).abs().max(1e-9);
    let variance = own * own * (s.ff - s.f * s.f / s.n);
    let explains = ee < LEFT * variance + 1.5 * noise * noise * s.n;
    let is_clear = own.abs() > LEAST.1 * noise;
    (is_clear && even && is_disc && explains && shift.abs() < SHIFT).then_some(own)
}
