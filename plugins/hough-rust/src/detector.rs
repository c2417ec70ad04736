//! The stages put together.

mod bare;
mod lit;
mod luma;
mod neighbours;
mod parting;
mod tracking;

use std::cell::OnceCell;

use neighbours::{BEYOND, Size};
use parting::{Body, SWEEPS};
use plumbline_plugin_api::{
    Covariance, Detection, Detections, Detector, Frame, HostInfo, PluginError,
};

use crate::{
    arcs::{Arc, Arcs},
    belief::{self, Demand},
    climb::{CLEAR_RIM, Candidate, Climber, Seed, between},
    config::{Config, Polarity},
    coverage::Rims,
    gradient::{Edge, EdgeFinder, EdgeTable, Wanted},
    grain::Grain,
    image::{Image, Weights},
    outline::Outline,
    pyramid::{MAX_LEVELS, Pyramid},
    rays::Rays,
    refine::{Fit, Other, Refiner},
    ring::Circle,
    tracks::Tracks,
    votes::{Accumulator, Side},
};

/// Radii that one level looks for, in its pixels. Each level's range overlaps
/// its neighbours' by a fifth.
const LEVEL_RADII: (f64, f64) = (4.5, 11.0);
/// Up to this multiple of the largest wanted radius is looked for where nothing was found: faint
/// rims and thin rings are first seen at a level that is coarser than their radius asks for.
const SEEN_AS: f64 = 1.6;
/// Edges that vote in one level, at most.
const EDGE_BUDGET: usize = 2500;
/// Discs from which on pieces of rims are looked for, too, and how many times as many edges
/// as usual may belong to these.
const MANY: usize = 3;
const MORE: f64 = 16.0;
/// Radii of the rims that they are pieces of, in pixels of a level. Those of full resolution
/// begin with the smallest wanted.
const ARC_RADII: (f64, f64) = (6.0, 24.0);
/// Arcs that may lead to nothing, those with the best rim first, before the rest is given up.
const ARC_MISSES: usize = 50;
/// Peaks that one level and polarity puts forward at a time, and those without a
/// rim after which it puts forward no more.
const PEAKS: usize = 16;
/// Share of the rim that a peak's edges must show for it to be followed.
const MIN_RIM: f32 = 0.43;
/// A poorer rim than this (7 pairs of sectors of 16) is no reason for a level to put
/// more peaks forward.
const POOR_RIM: f32 = 0.45;
/// Clear peaks in one level and polarity that may lead to nothing before the
/// others have to wait.
const CLEAR_MISSES: usize = 12;
/// Waiting peaks that may lead to nothing, the best first, before the rest is
/// given up.
const OTHER_MISSES: usize = 24;
/// The same of those with a poor rim.
const POOR_MISSES: usize = 1;
/// Seeds that led nowhere that are remembered, at most.
const LOST: usize = 256;
/// Coverage from which a candidate's edges are taken for its own.
const EXPLAINS: f32 = 0.8;

/// Two circles with the same centre are one disc above this ratio of their radii:
/// the two sides of a rim that has a colour of its own.
const NESTED: f64 = 0.8;

/// Where following a seed led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// A candidate that was there before: no work was done.
    Known,
    /// Full resolution.
    Up,
    /// There is no disc.
    Nowhere,
}

#[derive(Clone, Copy, Debug)]
struct Found {
    fit: Fit,
    score: f64,
    /// The candidate that led to it.
    candidate: Candidate,
    /// The round of the search for neighbours that found it, from 1 on; 0 for what is none.
    round: usize,
    /// Its contrast in the mix of channels in which it was found, in grey levels.
    mixed: f64,
    /// Whether it is a matte ball.
    is_ball: bool,
    /// Whether it is a part of what a ball looks like.
    lies_on_ball: bool,
    /// How far the last fit together with those that it touches moved it, in pixels, if it was
    /// fitted so and that need not begin anew.
    moved: Option<f64>,
    /// Whether its outline was made to end at its neighbours.
    is_ended: bool,
    /// Whether it was taken out of the picture.
    is_out: bool,
}

impl Found {
    fn new(fit: Fit, candidate: Candidate, is_ball: bool) -> Self {
        Self {
            fit,
            score: belief::score(&fit),
            candidate,
            round: 0,
            mixed: fit.contrast,
            is_ball,
            lies_on_ball: false,
            moved: None,
            is_ended: false,
            is_out: false,
        }
    }
}

/// The detector: see the crate's documentation.
#[derive(Debug)]
pub struct HoughRust {
    config: Config,
    pyramid: Pyramid,
    edges: EdgeFinder,
    table: EdgeTable,
    votes: Accumulator,
    rims: Rims,
    rays: Rays,
    arcs: Arcs,
    /// The noise of the picture at hand, once it is asked for.
    grain: OnceCell<Option<Grain>>,
    refiner: Refiner,
    seeds: Vec<Seed>,
    waiting: Vec<Seed>,
    /// Those that led nowhere.
    lost: Vec<Seed>,
    candidates: Vec<Candidate>,
    found: Vec<Found>,
    /// Sizes that many of the discs have.
    sizes: Vec<Size>,
    /// What touches what, while they are fitted together, and what is beside the one at hand.
    bodies: Vec<Body>,
    others: Vec<Other>,
    gaps: Vec<f64>,
    /// The picture without the discs that were found.
    bare: Vec<u8>,
    /// Which edges are near discs of the last round.
    near: Vec<bool>,
    /// The round of the search for neighbours, from 1 on; 0 before.
    round: usize,
    tracks: Tracks,
    /// What tracking has found so far in this picture, and the numbers of the tracks that led
    /// there.
    followed: Vec<(Option<usize>, Found)>,
}

impl Detector for HoughRust {
    type Config = Config;

    fn new(config: Config, _host: &HostInfo) -> Result<Self, PluginError> {
        Self::with_config(config)
    }

    fn detect(&mut self, frame: &Frame<'_>, found: &mut Detections) -> Result<(), PluginError> {
        let image = Image::of_frame(frame).ok_or_else(|| {
            PluginError::failed(format!("pixel format {} is not gray8 or bgr8", frame.format()))
        })?;
        if self.config.tracking {
            self.track(&image);
        } else {
            self.search_all(&image);
            self.part(&image, SWEEPS);
        }
        self.leave_out(&image);
        self.leave_out_parts();
        self.rank();
        for f in &self.found {
            let c = &f.fit.covariance;
            found.push(
                Detection::new(f.fit.circle.x, f.fit.circle.y, f.fit.circle.r, f.score)
                    .with_covariance(Covariance {
                        xx: c[0][0],
                        xy: c[0][1],
                        xr: c[0][2],
                        yy: c[1][1],
                        yr: c[1][2],
                        rr: c[2][2],
                    }),
            );
        }
        Ok(())
    }
}

impl HoughRust {
    /// Makes a detector.
    ///
    /// # Errors
    ///
    /// When the settings contradict each other.
    pub fn with_config(config: Config) -> Result<Self, PluginError> {
        config.check()?;
        Ok(Self {
            config,
            pyramid: Pyramid::default(),
            edges: EdgeFinder::default(),
            table: EdgeTable::default(),
            votes: Accumulator::default(),
            rims: Rims::default(),
            rays: Rays::default(),
            arcs: Arcs::default(),
            grain: OnceCell::new(),
            refiner: Refiner::default(),
            seeds: Vec::with_capacity(PEAKS),
            waiting: Vec::with_capacity(2 * PEAKS * MAX_LEVELS),
            lost: Vec::with_capacity(LOST),
            candidates: Vec::with_capacity(256),
            found: Vec::with_capacity(256),
            sizes: Vec::with_capacity(256),
            bodies: Vec::with_capacity(256),
            others: Vec::with_capacity(16),
            gaps: Vec::with_capacity(16),
            bare: Vec::new(),
            near: Vec::new(),
            round: 0,
            tracks: Tracks::default(),
            followed: Vec::with_capacity(256),
        })
    }

    /// Looks for discs in the whole picture.
    fn search_all(&mut self, image: &Image<'_>) {
        let radii = self.radii(image);
        let mut top = self.search(image, radii);
        if self.found.is_empty() && self.config.max_radius > 0.0 {
            top = self.search(image, (radii.0, SEEN_AS * radii.1));
        }
        if let Some(top) = top.filter(|_| self.may_have_more()) {
            self.search_arcs(image, top, radii);
            let before = self.found.len();
            self.search_neighbours(image, radii);
            // Where nothing touches what was found there is no heap.
            if self.found.len() > before {
                self.search_between(image, top + 1, radii);
            }
        }
    }

    /// Smallest and largest radius in a picture.
    fn radii(&self, image: &Image<'_>) -> (f64, f64) {
        let Config { min_radius, max_radius, .. } = self.config;
        let side = image.width.min(image.height) as f64;
        (min_radius, if max_radius > 0.0 { max_radius } else { 0.6 * side })
    }

    /// Leaves out what is beyond the wanted radii after all.
    fn leave_out(&mut self, image: &Image<'_>) {
        let (least, most) = self.limits(image);
        self.found.retain(|f| (least..=most).contains(&f.fit.circle.r));
    }

    /// Smallest and largest radius that a disc may have in the end.
    fn limits(&self, image: &Image<'_>) -> (f64, f64) {
        let Config { min_radius, max_radius, .. } = self.config;
        let side = image.width.max(image.height) as f64;
        (min_radius, if max_radius > 0.0 { max_radius } else { side })
    }

    /// Puts what was found in order, the best first.
    fn rank(&mut self) {
        self.found.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
    }

    /// Looks for discs with radii between two. Returns the highest level that was searched,
    /// if the picture is large enough for any.
    fn search(&mut self, image: &Image<'_>, (smallest, largest): (f64, f64)) -> Option<usize> {
        self.candidates.clear();
        self.found.clear();
        self.round = 0;
        self.grain = OnceCell::new();
        if image.width < 12 || image.height < 12 {
            return None;
        }
        let level_of =
            |r: f64| ((r / LEVEL_RADII.0).log2().floor().max(0.0) as usize).min(MAX_LEVELS);
        // Small radii are looked for at half size: averaging is worth more
        // than resolution, and it costs a quarter.
        let bottom = level_of(smallest).max(usize::from(smallest >= 6.0));
        let mut top = bottom;
        while LEVEL_RADII.1 * f64::from(1_u32 << top) < largest && top < MAX_LEVELS {
            top += 1;
        }
        self.pyramid.build(image, top + 1);
        self.search_levels(image, (bottom, top), (smallest, largest));
        Some(top)
    }

    /// Whether the last search may have missed some: the edges of a texture, and of other
    /// discs, leave votes little room. Whoever knows the radii looks for something that
    /// stands out.
    fn may_have_more(&self) -> bool {
        let is_full =
            self.edges.left_out && (self.found.is_empty() || self.config.max_radius == 0.0);
        is_full || self.found.len() >= MANY
    }

    /// Looks for discs in the levels from `top` down to `bottom`.
    fn search_levels(
        &mut self,
        image: &Image<'_>,
        (bottom, top): (usize, usize),
        (smallest, largest): (f64, f64),
    ) {
        self.waiting.clear();
        self.lost.clear();
        self.edges.begin(&self.pyramid.level(image, (top + 1).min(MAX_LEVELS)), Wanted::Usual);
        // From the top, where a picture has the fewest edges: those of a disc
        // that is found there no longer vote further down.
        for level in (bottom..=top).rev() {
            let scale = f64::from(1_u32 << level);
            let from = if level == bottom { smallest / scale } else { LEVEL_RADII.0 };
            let radii = (from as f32 - 0.5, (largest / scale).min(LEVEL_RADII.1) as f32);
            self.search_level(image, level, radii);
        }
        self.follow_waiting(image);
        self.refine(image, 0, Demand::Usual);
        self.search_lit(image);
    }

    /// Looks for discs of which a piece of the rim shows, beyond those that were found
    /// before, in the levels from `top` down to full resolution.
    fn search_arcs(&mut self, image: &Image<'_>, top: usize, (smallest, largest): (f64, f64)) {
        let before = self.candidates.len();
        self.seeds.clear();
        let radii = |level: usize| {
            let scale = f64::from(1_u32 << level);
            let least = if level == 0 { 0.0 } else { ARC_RADII.0 };
            (least.max(smallest / scale - 0.5), ARC_RADII.1.min(largest / scale + 0.5))
        };
        let has_any = |level: &usize| radii(*level).0 <= radii(*level).1;
        let Some(top) = (0..=top).rev().find(has_any) else { return };
        let coarser = self.pyramid.level(image, (top + 1).min(MAX_LEVELS));
        self.edges.begin(&coarser, Wanted::Times(MORE));
        for level in (0..=top).rev().filter(has_any) {
            self.seed_arcs(image, level, radii(level));
        }
        self.follow_seeds(image, 0, ARC_MISSES);
        self.refine(image, before, Demand::Clear);
    }

    /// Follows the seeds, those with the best rim first, until a number of them led to nothing.
    /// Candidates before number `first` are not looked at.
    fn follow_seeds(&mut self, image: &Image<'_>, first: usize, most: usize) {
        self.seeds.sort_unstable_by(|a, b| b.coverage.total_cmp(&a.coverage));
        let mut misses = 0;
        for i in 0..self.seeds.len() {
            let seed = self.seeds[i];
            misses += usize::from(self.follow(image, &seed, first) == Way::Nowhere);
            if misses >= most {
                break;
            }
        }
    }

    /// A seed around a place in a level of `size`, if its edges show at least a share of a rim.
    fn seed_at(
        &mut self,
        (level, size): (usize, (usize, usize)),
        at: (f32, f32),
        radii: (f32, f32),
        side: Side,
        least: f32,
    ) -> Option<Seed> {
        let rim = self.rims.around(&self.table, at, radii, side, size)?;
        let circle = Circle { x: at.0.into(), y: at.1.into(), r: rim.r.into() };
        let step = 0.5 * f32::from(self.edges.threshold) / 4.0;
        let (coverage, sign) = (rim.coverage, side.sign());
        (coverage >= least).then_some(Seed { level, circle, coverage, sign, step })
    }

    /// Takes those arcs of a level for seeds whose circle shows more of its rim.
    fn seed_arcs(&mut self, full: &Image<'_>, level: usize, radii: (f64, f64)) {
        let image = self.pyramid.level(full, level);
        let size = (image.width, image.height);
        self.edges.find(&image);
        self.drop_explained(level);
        self.table.fill(&self.edges.edges);
        self.arcs.find((&self.edges.edges, &self.table), size, radii);
        for i in 0..self.arcs.arcs.len() {
            let Arc { circle, sign, .. } = self.arcs.arcs[i];
            let (at, r) = ((circle.x as f32, circle.y as f32), circle.r as f32);
            let radii = (r - 0.5, r + 0.5);
            let seed = self.seed_at((level, size), at, radii, Side::of(sign), MIN_RIM);
            self.seeds.extend(seed.map(|seed| Seed { circle, ..seed }));
        }
    }

    fn search_level(&mut self, full: &Image<'_>, level: usize, radii: (f32, f32)) {
        let image = self.pyramid.level(full, level);
        if image.width < 8 || image.height < 8 {
            return;
        }
        let (size, channels) = ((image.width, image.height), image.channels());
        self.edges.find(&image);
        self.drop_explained(level);
        self.table.fill(&self.edges.edges);
        for side in [Side::Brighter, Side::Darker] {
            // One channel of a disc may be brighter where all together are darker.
            if channels == 1 && !self.config.polarity.allows(side.sign()) {
                continue;
            }
            self.votes.vote(size, (&self.table, EDGE_BUDGET), side, radii, PEAKS);
            self.seeds.clear();
            let (mut next, mut misses) = (0, 0);
            while misses < PEAKS && (next < self.votes.peaks.len() || self.votes.more_peaks(PEAKS))
            {
                let peak = &self.votes.peaks[next];
                next += 1;
                let at = (peak.x, peak.y);
                match self.seed_at((level, size), at, radii, side, MIN_RIM) {
                    Some(seed) => {
                        misses += usize::from(seed.coverage < POOR_RIM);
                        self.seeds.push(seed);
                    }
                    None => misses += 1,
                }
            }
            self.seeds.sort_unstable_by(|a, b| b.coverage.total_cmp(&a.coverage));
            let mut misses = 0;
            for i in 0..self.seeds.len() {
                let seed = self.seeds[i];
                if misses < CLEAR_MISSES && seed.coverage >= CLEAR_RIM {
                    misses += usize::from(self.follow(full, &seed, 0) == Way::Nowhere);
                } else {
                    self.waiting.push(seed);
                }
            }
        }
    }

    /// Follows the best of the seeds that were put off.
    fn follow_waiting(&mut self, full: &Image<'_>) {
        self.waiting.sort_unstable_by(|a, b| b.coverage.total_cmp(&a.coverage));
        let (mut misses, mut poor) = (0, 0);
        for i in 0..self.waiting.len() {
            let seed = self.waiting[i];
            let is_poor = seed.coverage < POOR_RIM;
            if misses == OTHER_MISSES || (is_poor && poor == POOR_MISSES) {
                break;
            }
            if self.follow(full, &seed, 0) == Way::Nowhere {
                misses += 1;
                poor += usize::from(is_poor);
            }
        }
    }

    fn climber<'a>(&'a self, full: &'a Image<'a>) -> Climber<'a> {
        Climber { full, pyramid: &self.pyramid, rays: &self.rays }
    }

    /// Makes a candidate of a seed, unless it is one already among those from number `first` on.
    fn follow(&mut self, full: &Image<'_>, seed: &Seed, first: usize) -> Way {
        let known = |c: &Candidate| c.ring.coverage >= EXPLAINS && seed.is_part_of(&c.ring.circle);
        if self.candidates[first..].iter().any(known) {
            return Way::Known;
        }
        let Some(candidate) = self.climber(full).climb(seed) else {
            if self.lost.len() < LOST {
                self.lost.push(*seed);
            }
            return Way::Nowhere;
        };
        if !is_known(&mut self.candidates[first..], &candidate) {
            self.candidates.push(candidate);
        }
        Way::Up
    }

    /// Takes out the edges that belong to candidates with a nearly whole rim.
    fn drop_explained(&mut self, level: usize) {
        let whole = self.candidates.iter().filter(|c| c.ring.coverage >= EXPLAINS);
        drop_edges(&mut self.edges.edges, whole.map(|c| &c.ring.circle), level);
    }

    /// Standard deviation of the picture's noise in a mix of its channels, grey levels;
    /// infinity where it does not tell.
    fn noise(&self, image: &Image<'_>, weights: &Weights) -> f64 {
        let grain = self.grain.get_or_init(|| Grain::of(image));
        grain.map_or(f64::INFINITY, |grain| grain.deviation(weights))
    }

    /// What a fit to a candidate and its outline make of it together, if it is a disc.
    fn judged(
        &self,
        image: &Image<'_>,
        candidate: &Candidate,
        fit: Option<Fit>,
        demand: Demand,
    ) -> Option<Fit> {
        let is_good = |fit: &Fit| {
            belief::is_disc(fit, &candidate.ring, demand)
                && belief::score(fit) >= self.config.min_score
        };
        let outline = Outline { rays: &self.rays, image, candidate };
        match fit.filter(is_good) {
            Some(fit) if fit.is_plain => Some(fit),
            Some(fit) => Some(outline.steady(fit, || self.noise(image, &candidate.weights))),
            None => outline.alone(demand),
        }
    }

    /// Fits discs to the candidates from number `first` on, the best first.
    fn refine(&mut self, image: &Image<'_>, first: usize, demand: Demand) {
        self.candidates[first..].sort_unstable_by(|a, b| {
            let key = |c: &Candidate| c.ring.coverage * c.ring.visible;
            key(b).total_cmp(&key(a)).then(b.ring.circle.r.total_cmp(&a.ring.circle.r))
        });
        let (least, most) = self.limits(image);
        let is_told = self.config.max_radius > 0.0;
        // What others touch comes out too small, until it is fitted together with these.
        let beyond = if demand == Demand::Neighbour { BEYOND } else { 0.0 };
        for i in first..self.candidates.len() {
            if self.found.len() >= self.config.max_circles {
                break;
            }
            let mut c = self.candidates[i];
            let at = c.ring.circle;
            if self.found.iter().any(|f| overlaps(&f.fit.circle, &at)) {
                continue;
            }
            // The fit moves a radius by little: what is far out stays out.
            let spread = f64::from(c.ring.spread + c.ring.swing());
            let slack = (0.02 * at.r + 0.5 + 2.0 * spread).min(0.05 * at.r + 2.0);
            let slack = slack.max(beyond * at.r);
            if at.r + slack < least || (is_told && at.r - slack > most) {
                continue;
            }
            if !self.config.polarity.allows(c.sign) {
                continue;
            }
            // Directions that the rays did not see are seldom seen by the fit.
            if !belief::is_worth_a_fit(&c.ring, demand) {
                continue;
            }
            let fit = self.refiner.fit(image, &c.weights, &c.ring, c.sign);
            let judged = self.judged(image, &c, fit, demand);
            let Some((mut fit, is_ball)) = self.lit(image, &c, (fit, judged)) else { continue };
            let mixed = fit.contrast;
            let on_luma = if is_ball { None } else { self.on_luma(image, &c, &fit) };
            if let Some((on_luma, new)) = on_luma {
                if !self.config.polarity.allows(on_luma.sign) {
                    continue;
                }
                if let Some(new) = self.judged(image, &on_luma, Some(new), demand) {
                    (c, fit) = (on_luma, new);
                }
            }
            let contrast = f64::from(c.sign * c.ring.contrast);
            let found = Found { mixed, ..Found::new(fit, c, is_ball) };
            let (low, high) = (1.0 - beyond, 1.0 + beyond);
            let inside = (low * least..=high * most).contains(&fit.circle.r);
            // Of one in front of several grounds the rays may have seen the smaller part.
            let may_turn = (fit.own_levels || is_ball) && self.config.polarity == Polarity::Both;
            if found.score >= self.config.min_score
                && inside
                && (fit.contrast * contrast > 0.0 || may_turn)
                && !self.found.iter().any(|f| overlaps(&f.fit.circle, &fit.circle))
            {
                let round = if demand == Demand::Neighbour { self.round.max(1) } else { 0 };
                self.found.push(Found { round, ..found });
            }
        }
        self.rank();
    }
}

/// Takes out the edges of a level, in the order of their rows, that belong to circles of the
/// picture.
fn drop_edges<'a>(edges: &mut Vec<Edge>, circles: impl Iterator<Item = &'a Circle>, level: usize) {
    let mut some = false;
    for circle in circles {
        let at = between(circle, 0, level);
        let (x, y, r) = (at.x as f32, at.y as f32, at.r as f32);
        let row = |e: &Edge| f32::from(e.y);
        let from = edges.partition_point(|e| row(e) < y - r - 2.0);
        let to = edges.partition_point(|e| row(e) <= y + r + 2.0);
        for e in &mut edges[from..to] {
            let (dx, dy) = (f32::from(e.x) - x, f32::from(e.y) - y);
            let rho2 = dx * dx + dy * dy;
            if rho2 > (r + 2.0) * (r + 2.0) || rho2 < (r - 2.0).max(0.0).powi(2) {
                continue;
            }
            // Within 30 degrees of the radius, on either side.
            let (gx, gy) = (f32::from(e.gx), f32::from(e.gy));
            let dot = gx * dx + gy * dy;
            if dot * dot >= 0.75 * rho2 * (gx * gx + gy * gy) {
                // No edge has none.
                (e.gx, e.gy) = (0, 0);
                some = true;
            }
        }
    }
    if some {
        edges.retain(|e| (e.gx, e.gy) != (0, 0));
    }
}

/// Whether two circles describe one disc, and not a smaller one on a larger.
fn overlaps(a: &Circle, b: &Circle) -> bool {
    a.distance(b) < 0.5 * a.r.max(b.r) && a.r.min(b.r) > NESTED * a.r.max(b.r)
}

/// Whether `new` is among `candidates` already; the better of the two stays.
fn is_known(candidates: &mut [Candidate], new: &Candidate) -> bool {
    let same = candidates.iter_mut().find(|old| {
        let (a, b) = (&old.ring.circle, &new.ring.circle);
        a.distance(b) < 0.05 * a.r + 1.0 && (a.r - b.r).abs() < 0.05 * a.r + 1.0
    });
    if let Some(old) = same {
        if new.ring.coverage > old.ring.coverage {
            *old = *new;
        }
        return true;
    }
    false
}
