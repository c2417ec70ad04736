//! Discs next to others of their size, as in a heap of beads, which hide each other's rims.
//!
//! A disc that others touch shows little of its rim, and what it shows is in pieces. But where
//! many discs of one size were found, edges vote for centres at just that distance, and whatever
//! touches one of these and has their size needs little more to be one of them.

use super::{Found, HoughRust, MANY, MORE, Way, drop_edges, overlaps};
use crate::{
    belief::Demand,
    climb::{Seed, between},
    gradient::Wanted,
    image::Image,
    pyramid::MAX_LEVELS,
    ring::Circle,
    votes::Side,
};

/// Radii that are of one size, the largest over the smallest, and how far others of that size
/// may be beyond, as a share: rays see the rim between two discs that touch further in.
const ALIKE: f64 = 1.15;
const BEYOND: f64 = 0.09;
/// Sizes that are looked for, those of the most discs, at most.
const SIZES: usize = 4;
/// How often is looked for what touches those that were found in the round before.
const ROUNDS: usize = 8;
/// Smallest radius in pixels of the level that is searched, where the picture has more.
const LEAST: f64 = 6.0;
/// What the radius of a vote is off, in pixels of a level.
const DOUBT: f64 = 0.7;
/// Edges that vote, at most.
const BUDGET: usize = 40_000;
/// Peaks that are put forward at a time, and those without a rim after which there are no more.
const PEAKS: usize = 64;
const PEAK_MISSES: usize = 100;
/// Share of the rim that a peak's edges must show.
const MIN_RIM: f32 = 0.12;
/// Seeds that may lead to nothing, those with the best rim first.
const MISSES: usize = 200;
/// The gap between neighbours, as a share of the radius; below 0 they overlap. In pictures
/// of heaps 26 of 37 circles that were no discs had another one, 21 of them the holes between
/// discs that they overlapped by more; 90 of 964 discs.
const GAP: (f64, f64) = (-1.1, 0.3);
/// By how much a disc is larger than what is a part of it, as a highlight.
const PART: f64 = 1.25;

/// A size that many discs have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// How many have it.
    discs: usize,
    /// 1 for discs brighter than their surroundings, -1 for darker ones.
    sign: f32,
    /// The smallest and the largest radius.
    radii: (f64, f64),
}

impl Size {
    fn holds(&self, circle: &Circle) -> bool {
        (self.radii.0..=self.radii.1).contains(&circle.r)
    }
}

impl HoughRust {
    /// Looks for neighbours of the discs that were found, for those of these, and so on, with
    /// radii between two.
    pub(super) fn search_neighbours(&mut self, image: &Image<'_>, limits: (f64, f64)) {
        for round in 0..ROUNDS {
            let before = self.found.len();
            self.list_sizes();
            self.round = round + 1;
            for i in 0..self.sizes.len() {
                let size = self.sizes[i];
                // What was a candidate and no disc may be one after all.
                self.candidates.retain(|c| size.holds(&c.ring.circle));
                self.seed_neighbours(image, &size, limits);
                self.follow_neighbours(image);
                let found = &self.found;
                let is_part = |at: &Circle| found.iter().any(|f| is_part_of(at, &f.fit.circle));
                self.candidates.retain(|c| size.holds(&c.ring.circle) && !is_part(&c.ring.circle));
                self.refine_neighbours(image);
            }
            if self.found.len() == before {
                break;
            }
        }
    }

    /// Lists the sizes that many discs have. The largest come first: what lies in these is none
    /// of the others.
    fn list_sizes(&mut self) {
        let of = |f: &Found| {
            let r = f.fit.circle.r;
            Size { discs: 1, sign: f.fit.contrast.signum() as f32, radii: (r, r) }
        };
        self.sizes.clear();
        self.sizes.extend(self.found.iter().map(of));
        self.sizes.sort_unstable_by(|a, b| {
            a.sign.total_cmp(&b.sign).then(a.radii.0.total_cmp(&b.radii.0))
        });
        self.sizes.dedup_by(|next, size| {
            let is_alike = next.sign == size.sign && next.radii.0 <= ALIKE * size.radii.0;
            if is_alike {
                size.discs += 1;
                size.radii.1 = next.radii.1;
            }
            is_alike
        });
        self.sizes.retain(|size| size.discs >= MANY);
        let by_radius = |a: &Size, b: &Size| b.radii.0.total_cmp(&a.radii.0);
        self.sizes.sort_unstable_by(|a, b| b.discs.cmp(&a.discs).then(by_radius(a, b)));
        self.sizes.truncate(SIZES);
        self.sizes.sort_unstable_by(by_radius);
        for Size { radii, .. } in &mut self.sizes {
            *radii = ((1.0 - BEYOND) * radii.0, (1.0 + BEYOND) * radii.1);
        }
    }

    /// Takes those peaks of one size for seeds that are next to a disc of the last round.
    fn seed_neighbours(&mut self, full: &Image<'_>, wanted: &Size, limits: (f64, f64)) {
        self.seeds.clear();
        let (least, most) = (wanted.radii.0.max(limits.0), wanted.radii.1.min(limits.1));
        if least > most {
            return;
        }
        let level = ((most / LEAST).log2().floor().max(0.0) as usize).min(MAX_LEVELS - 1);
        let scale = f64::from(1_u32 << level);
        let radii = ((least / scale - DOUBT) as f32, (most / scale + DOUBT) as f32);
        let image = self.pyramid.level(full, level);
        let size = (image.width, image.height);
        self.edges.begin(&self.pyramid.level(full, level + 1), Wanted::Times(MORE));
        self.edges.find(&image);
        for f in &self.found {
            drop_edges(&mut self.edges.edges, &f.fit.circle, level);
        }
        self.table.fill(&self.edges.edges);
        let step = 0.5 * f32::from(self.edges.threshold) / 4.0;
        let side = if wanted.sign > 0.0 { Side::Brighter } else { Side::Darker };
        self.votes.vote(size, (&self.table, BUDGET), side, radii, PEAKS);
        let (mut next, mut misses) = (0, 0);
        while misses < PEAK_MISSES
            && (next < self.votes.peaks.len() || self.votes.more_peaks(PEAKS))
        {
            let at = (self.votes.peaks[next].x, self.votes.peaks[next].y);
            next += 1;
            match self.rims.around(&self.table, at, radii, side, size) {
                Some(rim) if rim.coverage >= MIN_RIM => {
                    let circle = Circle { x: at.0.into(), y: at.1.into(), r: rim.r.into() };
                    let (coverage, sign) = (rim.coverage, wanted.sign);
                    let seed = Seed { level, circle, coverage, sign, step };
                    if self.is_new(&between(&circle, level, 0)) {
                        self.seeds.push(seed);
                    }
                }
                _ => misses += 1,
            }
        }
        self.seeds.sort_unstable_by(|a, b| b.coverage.total_cmp(&a.coverage));
    }

    /// Whether a circle may be a neighbour that was not looked at in the last round.
    fn is_new(&self, at: &Circle) -> bool {
        let touches_new = |f: &Found| f.round + 1 >= self.round && gap(&f.fit.circle, at) <= GAP.1;
        !self.found.iter().any(|f| overlaps(&f.fit.circle, at))
            && self.found.iter().any(touches_new)
            && is_neighbour(&self.found, at)
    }

    fn follow_neighbours(&mut self, image: &Image<'_>) {
        let mut misses = 0;
        for i in 0..self.seeds.len() {
            let seed = self.seeds[i];
            misses += usize::from(self.follow(image, &seed) == Way::Nowhere);
            if misses == MISSES {
                break;
            }
        }
    }

    /// Fits discs to the candidates next to one that was found, then to those next to these.
    fn refine_neighbours(&mut self, image: &Image<'_>) {
        loop {
            let before = self.found.len();
            let mut far = 0;
            for i in 0..self.candidates.len() {
                if !is_neighbour(&self.found, &self.candidates[i].ring.circle) {
                    self.candidates.swap(i, far);
                    far += 1;
                }
            }
            self.refine(image, far, Demand::Neighbour);
            self.candidates.truncate(far);
            if self.found.len() == before {
                break;
            }
        }
    }
}

/// Whether a circle is next to one of the discs and does not cover too much of any.
fn is_neighbour(found: &[Found], at: &Circle) -> bool {
    let others = found.iter().map(|f| &f.fit.circle).filter(|of| !is_part_of(of, at));
    let least = others.map(|of| gap(of, at)).min_by(f64::total_cmp);
    least.is_some_and(|gap| (GAP.0..=GAP.1).contains(&gap))
}

/// The gap between two circles, as a share of the radius of the second.
fn gap(of: &Circle, at: &Circle) -> f64 {
    (of.distance(at) - of.r) / at.r - 1.0
}

/// Whether a circle begins within a larger disc, as a highlight does.
fn is_part_of(circle: &Circle, disc: &Circle) -> bool {
    disc.r > PART * circle.r && disc.distance(circle) < disc.r
}
