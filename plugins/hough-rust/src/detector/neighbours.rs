//! Discs next to others of their size, as in a heap of beads, which hide each other's rims.
//!
//! A disc that others touch shows little of its rim, and what it shows is in pieces. But where
//! many discs of one size were found, edges vote for centres at just that distance, and whatever
//! touches one of these and has their size needs little more to be one of them.

use super::{Found, HoughRust, LEVEL_RADII, MANY, MORE, drop_edges, overlaps};
use crate::{
    belief::Demand,
    climb::{Candidate, between},
    gradient::Wanted,
    image::Image,
    pyramid::MAX_LEVELS,
    rays::{RAYS, direction, median},
    refine::Fit,
    ring::Circle,
    votes::Side,
};

/// The levels are built as far as the largest radius needs, and one more.
const _: () = assert!((1.0 + BEYOND) * LEVEL_RADII.1 < 2.0 * LEAST);
/// Radii that are of one size, the largest over the smallest, and how far others of that size
/// may be beyond, as a share: rays see the rim between two discs that touch further in.
const ALIKE: f64 = 1.15;
pub(super) const BEYOND: f64 = 0.09;
/// One in so many of the discs touches another at least where they lie in heaps, or is cut by
/// what was not found: of the first that are found in pictures of heaps nearly a half touch
/// another, of beads apart one in ten.
const HEAPED: usize = 5;
/// Share of the directions that show it below which a disc is cut by something.
const CUT: f64 = 0.9;
/// Sizes that are looked for, those of the most discs, at most.
const SIZES: usize = 4;
/// How often is looked for what touches those that were found in the round before, at most, and
/// the discs of which one more makes it worth while.
const ROUNDS: usize = 8;
const ENOUGH: usize = 20;
/// Smallest radius in pixels of the level that is searched, where the picture has more.
const LEAST: f64 = 6.0;
/// What the radius of a vote is off, in pixels of a level.
const DOUBT: f64 = 0.7;
/// Edges that vote, at most.
const BUDGET: usize = 40_000;
/// Peaks that are put forward at a time, and those without a rim after which there are no more.
const AT_A_TIME: usize = 64;
const PEAK_MISSES: usize = 100;
/// Share of the rim that a peak's edges must show.
const LEAST_RIM: f32 = 0.12;
/// Seeds that may lead to nothing for every disc that was found, those with the best rim first.
const MISSES: usize = 2;
/// The gap between neighbours, as a share of the radius; below 0 they overlap. In pictures
/// of heaps 26 of 37 circles that were no discs had another one, 21 of them the holes between
/// discs that they overlapped by more; 90 of 964 discs.
const GAP: (f64, f64) = (-1.1, 0.3);
/// The radius in pixels up to which what is behind the rim is looked for at the same depth, and the
/// share of the contrast from which on the inside is something else.
const DEEP: f32 = 14.0;
const HOLLOW: f32 = 0.6;
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
    /// The sum of their contrasts, in grey levels.
    contrasts: f64,
}

impl Size {
    fn holds(&self, c: &Candidate) -> bool {
        c.sign == self.sign && self.has(&c.ring.circle)
    }

    /// Mean contrast of the discs, in grey levels.
    fn contrast(&self) -> f32 {
        (self.contrasts / self.discs as f64) as f32
    }

    fn has(&self, circle: &Circle) -> bool {
        (self.radii.0..=self.radii.1).contains(&circle.r)
    }
}

impl HoughRust {
    /// Looks for neighbours of the discs that were found, for those of these, and so on, with
    /// radii between two.
    pub(super) fn search_neighbours(&mut self, image: &Image<'_>, limits: (f64, f64)) {
        for round in 1..=ROUNDS {
            let before = self.found.len();
            self.list_sizes();
            self.round = round;
            for i in 0..self.sizes.len() {
                let size = self.sizes[i];
                if self.found.len() >= self.config.max_circles {
                    return;
                }
                // What was a candidate and no disc may be one after all.
                let first = partition(&mut self.candidates, 0, |c| size.holds(c));
                self.seed_neighbours(image, &size, limits);
                self.follow_seeds(image, first, MISSES * self.found.len());
                let found = &self.found;
                let is_part =
                    |c: &Candidate| found.iter().any(|f| is_part_of(&c.ring.circle, &f.fit.circle));
                let first = partition(&mut self.candidates, 0, |c| {
                    size.holds(c) && !is_part(c) && !is_hollow(image, c, size.contrast())
                });
                self.refine_neighbours(image, first);
            }
            if self.found.len() - before < (before / ENOUGH).max(1) {
                return;
            }
        }
    }

    /// Lists the sizes that many discs have, if enough of them all touch another. The largest come
    /// first: what lies in these is none of the others.
    fn list_sizes(&mut self) {
        let found = &self.found;
        let of = |f: &Found| {
            let r = f.fit.circle.r;
            let (sign, contrasts) = (f.mixed.signum() as f32, f.mixed.abs());
            Size { discs: 1, sign, radii: (r, r), contrasts }
        };
        self.sizes.clear();
        let touches = |f: &&Found| is_cut(&f.fit) || is_neighbour(found, &f.fit.circle);
        let touching = found.iter().filter(touches).count();
        if touching * HEAPED < found.len() {
            return;
        }
        self.sizes.extend(found.iter().map(of));
        self.sizes.sort_unstable_by(|a, b| {
            a.sign.total_cmp(&b.sign).then(a.radii.0.total_cmp(&b.radii.0))
        });
        self.sizes.dedup_by(|next, size| {
            let is_alike = next.sign == size.sign && next.radii.0 <= ALIKE * size.radii.0;
            if is_alike {
                size.discs += 1;
                size.contrasts += next.contrasts;
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
        let least = wanted.radii.0.max((1.0 - BEYOND) * limits.0);
        let most = wanted.radii.1.min((1.0 + BEYOND) * limits.1);
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
        if self.round > 1 {
            self.keep_edges_near_new(level, most);
        }
        drop_edges(&mut self.edges.edges, self.found.iter().map(|f| &f.fit.circle), level);
        self.table.fill(&self.edges.edges);
        let side = Side::of(wanted.sign);
        self.votes.vote(size, (&self.table, BUDGET), side, radii, AT_A_TIME);
        let (mut next, mut misses) = (0, 0);
        while misses < PEAK_MISSES
            && (next < self.votes.peaks.len() || self.votes.more_peaks(AT_A_TIME))
        {
            let at = (self.votes.peaks[next].x, self.votes.peaks[next].y);
            next += 1;
            let circle =
                Circle { x: at.0.into(), y: at.1.into(), r: f64::midpoint(least, most) / scale };
            if !self.is_new(&between(&circle, level, 0)) {
                continue;
            }
            match self.seed_at((level, size), at, radii, side, LEAST_RIM) {
                Some(seed) => self.seeds.push(seed),
                None => misses += 1,
            }
        }
    }

    /// Whether a circle may be a neighbour that was not looked at in the last round.
    fn is_new(&self, at: &Circle) -> bool {
        let touches_new = |f: &Found| f.round + 1 >= self.round && gap(&f.fit.circle, at) <= GAP.1;
        !self.found.iter().any(|f| overlaps(&f.fit.circle, at))
            && self.found.iter().any(touches_new)
            && is_neighbour(&self.found, at)
    }

    /// Leaves those edges of a level that may be of a disc with a radius up to `most` next to one
    /// of the last round.
    fn keep_edges_near_new(&mut self, level: usize, most: f64) {
        let edges = &self.edges.edges;
        self.near.clear();
        self.near.resize(edges.len(), false);
        for f in self.found.iter().filter(|f| f.round + 1 >= self.round) {
            let circle = f.fit.circle;
            let reach = circle.r + (2.0 + GAP.1) * most + 2.0;
            let at = between(&Circle { r: reach, ..circle }, 0, level);
            let (x, y, reach) = (at.x as f32, at.y as f32, at.r as f32);
            let from = edges.partition_point(|e| f32::from(e.y) < y - reach);
            let to = edges.partition_point(|e| f32::from(e.y) <= y + reach);
            for (near, e) in self.near[from..to].iter_mut().zip(&edges[from..to]) {
                *near |= (f32::from(e.x) - x).abs() <= reach;
            }
        }
        let mut near = self.near.iter();
        self.edges.edges.retain(|_| near.next() == Some(&true));
    }

    /// Fits discs to the candidates from number `first` on that are next to one that was found,
    /// then to those next to these. They are candidates no longer.
    fn refine_neighbours(&mut self, image: &Image<'_>, first: usize) {
        loop {
            let found = &self.found;
            let before = found.len();
            let near =
                partition(&mut self.candidates, first, |c| is_neighbour(found, &c.ring.circle));
            self.refine(image, near, Demand::Neighbour);
            self.candidates.truncate(near);
            // The fit may lead elsewhere.
            let (round, sizes) = (self.round, &self.sizes);
            self.found.retain(|f| {
                f.is_out || f.round != round || sizes.iter().any(|s| s.has(&f.fit.circle))
            });
            if self.found.len() <= before {
                break;
            }
        }
    }
}

/// Whether most of the inside of a circle is what is around it, by its `contrast`, as that of a
/// letter: not what is behind the rim where rays met it.
fn is_hollow(image: &Image<'_>, c: &Candidate, contrast: f32) -> bool {
    let Circle { x, y, r } = c.ring.circle;
    let (x, y, r) = (x as f32, y as f32, r as f32);
    let level = |rays: u64, radii: [f32; 3]| {
        let mut values = [0.0; 3 * RAYS];
        let mut n = 0;
        for (dx, dy) in (0..RAYS).filter(|k| rays >> k & 1 == 1).map(direction) {
            for rho in radii {
                if let Some(v) = image.sample(x + rho * dx, y + rho * dy, &c.weights) {
                    values[n] = v;
                    n += 1;
                }
            }
        }
        (n > 0).then(|| median(&mut values[..n]))
    };
    let inner = level(u64::MAX, [0.2, 0.35, 0.5].map(|share| share * r));
    let rim = level(c.ring.hits, [1.25, 1.5, 1.75].map(|depth| r - depth * (r / DEEP).max(1.0)));
    inner.zip(rim).is_some_and(|(inner, rim)| c.sign * (rim - inner) > HOLLOW * contrast)
}

/// Puts those candidates from number `first` on that are `wanted` behind the others. Returns the
/// number of the first of them.
fn partition(
    candidates: &mut [Candidate],
    first: usize,
    wanted: impl Fn(&Candidate) -> bool,
) -> usize {
    let mut to = first;
    for i in first..candidates.len() {
        if !wanted(&candidates[i]) {
            candidates.swap(i, to);
            to += 1;
        }
    }
    to
}

/// Whether something hides a part of a disc's rim.
fn is_cut(fit: &Fit) -> bool {
    fit.gaps > 0 && fit.support < CUT
}

/// Whether a circle is next to another disc and does not cover too much of any.
fn is_neighbour(found: &[Found], at: &Circle) -> bool {
    let is_other = |of: &&Circle| *of != at && !is_part_of(of, at);
    let others = found.iter().map(|f| &f.fit.circle).filter(is_other);
    let least = others.map(|of| gap(of, at)).min_by(f64::total_cmp);
    least.is_some_and(|gap| (GAP.0..=GAP.1).contains(&gap))
}

/// The gap between two circles, as a share of the radius of the second.
fn gap(of: &Circle, at: &Circle) -> f64 {
    (of.distance(at) - of.r) / at.r - 1.0
}

/// Whether a circle's centre lies within a larger disc, as that of a highlight.
fn is_part_of(circle: &Circle, disc: &Circle) -> bool {
    disc.r > PART * circle.r && disc.distance(circle) < disc.r
}
