//! The way of a seed from the level that it was found in to full resolution.

use crate::{
    image::{Image, Weights},
    pyramid::{Pyramid, to_full, to_level},
    rays::{Look, Manner, Rays},
    ring::{Circle, Ring},
};

/// Peaks with at least this share of the rim are followed at once; the others
/// wait until all levels have been searched.
pub const CLEAR_RIM: f32 = 0.75;
/// Share of the rim, by rays, that a whole disc shows at least.
const WHOLE_RIM: f32 = 0.8;
/// Coverage below which a candidate is dropped on its way up.
const MIN_COVERAGE: f32 = 0.4;
/// Candidates with a spread beyond this and gaps in their rim are given up.
/// On one picture of polygons the 26 false ones that reached full resolution
/// had 0.49 to 0.66, the disc 0.11.
const MOST_SPREAD: f32 = 0.45;

/// How far a seed and a fit may be off, in pixels of their level.
const SEED_DOUBT: f32 = 0.7;
const FIT_DOUBT: f32 = 0.25;

/// A disc that the rays have seen.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// What they saw, in the pixels of the level that they looked at.
    pub ring: Ring,
    /// 1 for a disc brighter than its surroundings, -1 for a darker one.
    pub sign: f32,
    /// Weights of the channels.
    pub weights: Weights,
    /// Whether the rays saw it in this picture, or only in an earlier one.
    pub is_seen: bool,
}

impl Candidate {
    /// The same at full resolution, for a candidate of level `level`.
    fn at_full(mut self, level: usize) -> Self {
        let scale = (1_u32 << level) as f32;
        self.ring.circle = between(&self.ring.circle, level, 0);
        self.ring.slope /= scale;
        self.ring.spread *= scale;
        self.ring.shape = self.ring.shape.map(|v| scale * v);
        self
    }
}

/// A peak with its rim, in the pixels of its level.
#[derive(Clone, Copy, Debug)]
pub struct Seed {
    /// The level.
    pub level: usize,
    /// Where it is there.
    pub circle: Circle,
    /// Share of the rim that edges were found on.
    pub coverage: f32,
    /// As of a candidate.
    pub sign: f32,
    /// A drop from which on an edge counts, grey levels over 2 pixels.
    pub step: f32,
}

impl Seed {
    /// Whether `known` is this seed's disc already.
    pub fn is_part_of(&self, known: &Circle) -> bool {
        let c = between(&self.circle, self.level, 0);
        c.distance(known) < 0.25 * known.r && (c.r - known.r).abs() < 0.3 * known.r
    }
}

/// Looks for discs around seeds.
#[derive(Clone, Copy, Debug)]
pub struct Climber<'a> {
    /// The picture at full resolution.
    pub full: &'a Image<'a>,
    /// Its levels.
    pub pyramid: &'a Pyramid,
    /// What looks.
    pub rays: &'a Rays,
}

impl Climber<'_> {
    /// Follows a seed from its level to full resolution, two levels at a time.
    /// Where a rim that was whole is not seen any more, as that of a disc in
    /// motion whose edge is wide, what the coarser level saw is taken.
    pub fn climb(&self, seed: &Seed) -> Option<Candidate> {
        // Not in the seed's own level: at so few pixels a disc that is cut off
        // looks like a smaller one.
        let mut n = seed.level.saturating_sub(2);
        let mut circle = between(&seed.circle, seed.level, n);
        let mut doubt = SEED_DOUBT * (1_u32 << (seed.level - n)) as f32;
        let mut coarse = None;
        loop {
            let found = self.look(n, seed, &circle, doubt);
            let is_whole = |c: &Candidate| c.ring.coverage >= WHOLE_RIM;
            if n == 0 {
                // A sharp arc is a disc that is partly hidden.
                let is_good = |c: &Candidate| {
                    let ring = &c.ring;
                    ring.coverage >= CLEAR_RIM
                        || ring.spread < 0.5 * MOST_SPREAD
                        || (ring.coverage >= 0.5 && ring.is_sharp())
                };
                if !found.as_ref().is_some_and(is_good) && seed.coverage >= CLEAR_RIM {
                    coarse = coarse.or_else(|| {
                        let own = self.look(seed.level, seed, &seed.circle, 0.5);
                        own.filter(is_whole).map(|c| c.at_full(seed.level))
                    });
                    return coarse.or(found);
                }
                return found;
            }
            let found = found?;
            if is_whole(&found) {
                coarse = Some(found.at_full(n));
            }
            let next = n.saturating_sub(2);
            circle = between(&found.ring.circle, n, next);
            doubt = (FIT_DOUBT + found.ring.swing()) * (1_u32 << (n - next)) as f32;
            n = next;
        }
    }

    /// Looks again where a disc was, at full resolution, within `doubt` pixels.
    pub fn look_again(&self, seed: &Seed, doubt: f32) -> Option<Candidate> {
        self.look(0, seed, &seed.circle, doubt)
    }

    /// A disc as it was seen in an earlier picture, in this one.
    pub fn remember(&self, ring: &Ring, sign: f32) -> Option<Candidate> {
        let (weights, sign) = self.mix(self.full, &ring.circle, sign)?;
        Some(Candidate { ring: *ring, sign, weights, is_seen: false })
    }

    /// Fits a circle in level `n` that may be off by `doubt` pixels.
    fn look(&self, n: usize, seed: &Seed, circle: &Circle, doubt: f32) -> Option<Candidate> {
        let image = self.pyramid.level(self.full, n);
        let (mut weights, mut sign) = self.mix(&image, circle, seed.sign)?;
        let largest = (0.4 * circle.r as f32).max(1.5);
        let window = (doubt + 1.5).min(largest);
        let look = Look { window, sign, step: seed.step, manner: Manner::Peak };
        let mut ring = self.rays.fit(&image, &weights, *circle, &look)?;
        if ring.coverage < 0.7 {
            // Far off, or partly hidden: a second look from where it is now.
            let window = (2.5 + ring.swing()).min(largest);
            ring = self.rays.fit(&image, &weights, ring.circle, &Look { window, ..look })?;
        }
        let scattered = n == 0 && ring.spread > MOST_SPREAD && ring.coverage < 0.7;
        if ring.coverage < MIN_COVERAGE || ring.circle.r < 2.0 || scattered {
            return None;
        }
        if n == 0 {
            (weights, sign) = self.mix(&image, &ring.circle, sign)?;
        }
        Some(Candidate { ring, sign, weights, is_seen: true })
    }

    /// The weights of the channels for a disc, and its sign under them, `sign` in a grey picture.
    pub(crate) fn mix(
        &self,
        image: &Image<'_>,
        circle: &Circle,
        sign: f32,
    ) -> Option<(Weights, f32)> {
        if image.channels() == 3 {
            self.rays.channel_weights(image, circle)
        } else {
            Some(([1.0, 0.0, 0.0], sign))
        }
    }
}

/// A circle of level `from` in the pixels of level `to`.
pub fn between(circle: &Circle, from: usize, to: usize) -> Circle {
    let place = |v: f64| to_level(to_full(v, from), to);
    let scale = 2.0_f64.powi(from as i32 - to as i32);
    Circle { x: place(circle.x), y: place(circle.y), r: scale * circle.r }
}
