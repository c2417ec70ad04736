//! Whether the channels of a picture lie on each other.
//!
//! Video has its colours at half the resolution, often half a pixel beside the brightness that
//! they belong to, and lenses bend them differently. The mix of channels in which a disc stands
//! out most is then elsewhere than its brightness.

use super::{
    NARROW, Place, Refiner,
    course::{solve, solve_for},
    kernel::{BASE, N, Weighing, accumulate},
    start::{self, Annulus},
};
use crate::{
    image::{Image, Weights},
    refine::Fit,
};

/// How many pixels are enough.
const ENOUGH: usize = 3000;
/// Pixels at least.
const FEWEST: usize = 40;

/// A disc's place in one mix of channels, from where it is in another.
#[derive(Clone, Copy, Debug)]
pub struct Offset {
    /// Distance of the two centres, in pixels.
    pub distance: f64,
    /// Grey levels inside minus outside, in that mix.
    pub contrast: f64,
}

/// Where a disc seems to be in one mix of channels.
#[derive(Clone, Copy)]
struct Seen {
    center: [f64; 2],
    /// Variances of x and y, and their covariance.
    spread: [f64; 3],
    contrast: f64,
}

impl Seen {
    /// The distance of the centres over what noise makes of it, squared.
    fn chi_squared(&self, other: &Self) -> f64 {
        let [x, y] = [0, 1].map(|i| self.center[i] - other.center[i]);
        let [xx, yy, xy] = [0, 1, 2].map(|i| self.spread[i] + other.spread[i]);
        (yy * x * x - 2.0 * xy * x * y + xx * y * y) / (xx * yy - xy * xy)
    }
}

impl Refiner {
    /// Where the disc of a fit, which was made in the mix `of`, is in the mix `to`, by a step of
    /// Gauss and Newton's in both. `None` where chi squared (of two degrees of freedom) of the
    /// offset is not `least`, or too little of the disc is in the picture.
    pub fn offset(
        &mut self,
        image: &Image<'_>,
        (of, to): (&Weights, &Weights),
        fit: &Fit,
        least: f64,
    ) -> Option<Offset> {
        self.others.clear();
        let reach = (NARROW.0 * fit.width + NARROW.1).min(0.9 * fit.circle.r);
        let annulus = Annulus { circle: fit.circle, reach };
        let n = start::list(&mut self.pieces, image, annulus);
        if n < FEWEST {
            return None;
        }
        let every = (n / ENOUGH) | 1;
        let place = |weights| Place { image, weights, annulus };
        let there = self.seen(&place(to), fit, every)?;
        let here = Seen { center: [0.0; 2], spread: [0.0; 3], ..there };
        if there.chi_squared(&here) < least {
            return None;
        }
        // What the model leaves out may move both.
        let from = self.seen(&place(of), fit, every)?;
        let [x, y] = [0, 1].map(|i| there.center[i] - from.center[i]);
        let is_apart = there.chi_squared(&from) >= least;
        is_apart.then(|| Offset { distance: x.hypot(y), contrast: there.contrast })
    }

    fn seen(&mut self, place: &Place<'_>, fit: &Fit, every: usize) -> Option<Seen> {
        self.gather(place, every);
        let mut p = [0.0; N];
        (p[2], p[3]) = (fit.circle.r, fit.width);
        let (mut levels, mut disc) = ([false; N], [false; N]);
        levels[4..BASE].fill(true);
        disc[..BASE].fill(true);
        // Without a contrast the model is linear in both levels.
        let pass = accumulate(&mut self.pixels, &p, Weighing::EQUAL, &levels);
        let (step, _) = solve(&pass, &levels)?;
        (p[4], p[5]) = (step[4], step[5]);
        let pass = accumulate(&mut self.pixels, &p, Weighing::EQUAL, &disc);
        let (step, explained) = solve(&pass, &disc)?;
        let variance = ((pass.chi2 - explained) / (pass.weight - BASE as f64).max(1.0)).max(0.0);
        let column = |k: usize| {
            let mut unit = [0.0; N];
            unit[k] = variance;
            solve_for(&pass.a, &unit, &disc)
        };
        let (x, y) = (column(0)?, column(1)?);
        Some(Seen {
            center: [step[0], step[1]],
            spread: [x[0], y[1], x[1]],
            contrast: p[5] + step[5],
        })
    }
}
