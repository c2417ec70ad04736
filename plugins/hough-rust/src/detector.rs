//! The stages put together.

use plumbline_plugin_api::{
    Covariance, Detection, Detections, Detector, Frame, HostInfo, PluginError,
};

use crate::{
    config::{Config, Polarity},
    gradient::EdgeFinder,
    image::{Image, Weights},
    pyramid::{MAX_LEVELS, Pyramid, to_full, to_level},
    rays::{Circle, Rays, Ring},
    refine::{Fit, Refiner},
    votes::{Accumulator, Side},
};

/// Radii that one level looks for, in its pixels. Each level's range overlaps
/// its neighbours' by a fifth.
const LEVEL_RADII: (f64, f64) = (4.5, 11.0);
/// Edges that vote in one level, at most.
const EDGE_BUDGET: usize = 6000;
/// Peaks that one level and polarity puts forward.
const PEAKS: usize = 24;
/// Coverage below which a candidate is dropped on its way up.
const MIN_COVERAGE: f32 = 0.4;
/// Candidates with a spread beyond this and gaps in their rim are given up.
/// On one picture of polygons the 26 false ones that reached full resolution
/// had 0.49 to 0.66, the disc 0.11.
const SCATTERED: f32 = 0.45;

/// Coverage that a peak needs, by a rough look, to be followed.
const MIN_PROBED: f32 = 0.45;

/// Coverage from which a candidate's edges are taken for its own.
const EXPLAINS: f32 = 0.8;

/// Share of the directions that must show the disc for it to be believed.
const MIN_SUPPORT: f64 = 0.45;

#[derive(Clone, Copy, Debug)]
struct Candidate {
    ring: Ring,
    sign: f32,
    weights: Weights,
}

/// A peak with its radius, in the pixels of its level.
#[derive(Clone, Copy, Debug)]
struct Probed {
    x: f32,
    y: f32,
    r: f32,
    coverage: f32,
    weights: Weights,
}

impl Probed {
    /// Whether both look alike. Centres further apart both go on: with 40 % of
    /// the rim hidden, 0.3 radii lost one disc in seven.
    fn is_within(&self, better: &Self) -> bool {
        (self.x - better.x).hypot(self.y - better.y) < 0.1 * better.r
    }
}

#[derive(Clone, Copy, Debug)]
struct Found {
    fit: Fit,
    score: f64,
}

/// The detector: see the crate's documentation.
#[derive(Debug)]
pub struct HoughRust {
    config: Config,
    pyramid: Pyramid,
    edges: EdgeFinder,
    votes: Accumulator,
    rays: Rays,
    refiner: Refiner,
    probed: Vec<Probed>,
    candidates: Vec<Candidate>,
    found: Vec<Found>,
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
        self.search(&image);
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
            votes: Accumulator::default(),
            rays: Rays::default(),
            refiner: Refiner::default(),
            probed: Vec::with_capacity(3 * PEAKS),
            candidates: Vec::with_capacity(256),
            found: Vec::with_capacity(256),
        })
    }

    fn search(&mut self, image: &Image<'_>) {
        self.candidates.clear();
        self.found.clear();
        if image.width < 12 || image.height < 12 {
            return;
        }
        let side = image.width.min(image.height) as f64;
        let smallest = self.config.min_radius;
        let largest =
            if self.config.max_radius > 0.0 { self.config.max_radius } else { 0.6 * side };
        let level_of =
            |r: f64| ((r / LEVEL_RADII.0).log2().floor().max(0.0) as usize).min(MAX_LEVELS);
        // Small radii are looked for at half size: averaging is worth more
        // than resolution, and it costs a quarter.
        let bottom = level_of(smallest).max(usize::from(smallest >= 6.0));
        let mut top = bottom;
        while LEVEL_RADII.1 * f64::from(1_u32 << top) < largest && top < MAX_LEVELS {
            top += 1;
        }
        self.pyramid.build(image, top);
        // From the top, where a picture has the fewest edges: those of a disc
        // that is found there no longer vote further down.
        for level in (bottom..=top).rev() {
            let scale = f64::from(1_u32 << level);
            let from = if level == bottom { smallest / scale } else { LEVEL_RADII.0 };
            self.search_level(
                image,
                level,
                (from as f32 - 0.5, (largest / scale).min(LEVEL_RADII.1) as f32),
            );
        }
        self.candidates.sort_by(|a, b| {
            let key = |c: &Candidate| c.ring.coverage * c.ring.visible;
            key(b).total_cmp(&key(a)).then(b.ring.circle.r.total_cmp(&a.ring.circle.r))
        });
        self.refine(image);
    }

    fn search_level(&mut self, full: &Image<'_>, level: usize, radii: (f32, f32)) {
        let image = self.pyramid.level(full, level);
        if image.width < 8 || image.height < 8 {
            return;
        }
        self.edges.find(&image, EDGE_BUDGET);
        self.drop_explained(level);
        let image = self.pyramid.level(full, level);
        let step = 0.75 * f32::from(self.edges.threshold) / 4.0;
        for side in [Side::Brighter, Side::Darker] {
            let wanted = match self.config.polarity {
                Polarity::Both => true,
                Polarity::Bright => side == Side::Brighter,
                Polarity::Dark => side == Side::Darker,
            };
            if !wanted && image.channels() == 1 {
                continue;
            }
            self.votes.vote((image.width, image.height), &self.edges.edges, side, radii, PEAKS);
            let sign = if side == Side::Brighter { 1.0 } else { -1.0 };
            self.probed.clear();
            for peak in &self.votes.peaks {
                for c in 0..image.channels() {
                    let mut weights = [0.0; 3];
                    weights[c] = 1.0;
                    let seen =
                        self.rays.probe(&image, &weights, (peak.x, peak.y), radii, sign, step);
                    if let Some((r, coverage)) = seen
                        && coverage >= MIN_PROBED
                    {
                        self.probed.push(Probed { x: peak.x, y: peak.y, r, coverage, weights });
                    }
                }
            }
            // Of several centres in one disc the best goes on.
            self.probed.sort_by(|a, b| b.coverage.total_cmp(&a.coverage));
            for i in 0..self.probed.len() {
                let p = self.probed[i];
                if self.probed[..i].iter().any(|better| p.is_within(better)) {
                    continue;
                }
                let circle = Circle { x: f64::from(p.x), y: f64::from(p.y), r: f64::from(p.r) };
                let climbed = self.climb(full, level, circle, sign, p.weights, step);
                if let Some(candidate) = climbed
                    && !is_known(&mut self.candidates, &candidate)
                {
                    self.candidates.push(candidate);
                }
            }
        }
    }

    /// Takes out the edges that belong to candidates with a nearly whole rim.
    fn drop_explained(&mut self, level: usize) {
        let scale = f64::from(1_u32 << level);
        for c in self.candidates.iter().filter(|c| c.ring.coverage >= EXPLAINS) {
            let at = c.ring.circle;
            let (x, y, r) = (to_level(at.x, level), to_level(at.y, level), at.r / scale);
            let (x, y, r) = (x as f32, y as f32, r as f32);
            self.edges.edges.retain(|e| {
                let (dx, dy) = (f32::from(e.x) - x, f32::from(e.y) - y);
                let rho2 = dx * dx + dy * dy;
                if rho2 > (r + 2.0) * (r + 2.0) || rho2 < (r - 2.0).max(0.0).powi(2) {
                    return true;
                }
                // Within 30 degrees of the radius, on either side.
                let (gx, gy) = (f32::from(e.gx), f32::from(e.gy));
                let dot = gx * dx + gy * dy;
                dot * dot < 0.75 * rho2 * (gx * gx + gy * gy)
            });
        }
    }

    /// Follows a candidate from its level to full resolution.
    fn climb(
        &self,
        full: &Image<'_>,
        level: usize,
        circle: Circle,
        sign: f32,
        weights: Weights,
        step: f32,
    ) -> Option<Candidate> {
        let (mut circle, mut sign, mut weights) = (circle, sign, weights);
        let mut ring = None;
        for n in (0..=level).rev() {
            let image = self.pyramid.level(full, n);
            let mut window = if n == level { 2.0 } else { 2.5 };
            if circle.r < 6.0 {
                window = 1.5;
            }
            let mut fit = self.rays.fit(&image, &weights, circle, window, sign, step)?;
            if fit.coverage < 0.7 {
                // Far off, or partly hidden: a second look from where it is now.
                fit = self.rays.fit(&image, &weights, fit.circle, window, sign, step)?;
            }
            let scattered = n == 0 && fit.spread > SCATTERED && fit.coverage < 0.7;
            if fit.coverage < MIN_COVERAGE || fit.circle.r < 2.0 || scattered {
                return None;
            }
            if image.channels() == 3 {
                (weights, sign) = self.rays.channel_weights(&image, &fit.circle)?;
            }
            circle = fit.circle;
            ring = Some(fit);
            if n > 0 {
                let (x, y) = (to_full(circle.x, n), to_full(circle.y, n));
                circle = Circle { x: to_level(x, n - 1), y: to_level(y, n - 1), r: 2.0 * circle.r };
            }
        }
        ring.map(|ring| Candidate { ring, sign, weights })
    }

    fn refine(&mut self, image: &Image<'_>) {
        let side = image.width.max(image.height) as f64;
        for i in 0..self.candidates.len() {
            if self.found.len() >= self.config.max_circles {
                break;
            }
            let c = self.candidates[i];
            let at = c.ring.circle;
            if self.found.iter().any(|f| overlaps(&f.fit.circle, &at)) {
                continue;
            }
            let contrast = f64::from(c.sign * c.ring.contrast);
            let Some(fit) = self.refiner.fit(image, &c.weights, at, c.ring.width(), contrast)
            else {
                continue;
            };
            let sd = f64::midpoint(fit.covariance[0][0], fit.covariance[1][1]).sqrt();
            let score = fit.support / (1.0 + sd);
            let largest =
                if self.config.max_radius > 0.0 { 1.05 * self.config.max_radius } else { side };
            let inside = fit.circle.r >= 0.95 * self.config.min_radius && fit.circle.r < largest;
            if fit.support >= MIN_SUPPORT
                && score >= self.config.min_score
                && inside
                && fit.contrast * contrast > 0.0
                && !self.found.iter().any(|f| overlaps(&f.fit.circle, &fit.circle))
            {
                self.found.push(Found { fit, score });
            }
        }
        self.found.sort_by(|a, b| b.score.total_cmp(&a.score));
    }
}

/// Whether two circles describe one disc.
fn overlaps(a: &Circle, b: &Circle) -> bool {
    (a.x - b.x).hypot(a.y - b.y) < 0.5 * a.r.max(b.r)
}

/// Whether `new` is among `candidates` already; the better of the two stays.
fn is_known(candidates: &mut [Candidate], new: &Candidate) -> bool {
    let same = candidates.iter_mut().find(|old| {
        let (a, b) = (&old.ring.circle, &new.ring.circle);
        (a.x - b.x).hypot(a.y - b.y) < 0.2 * a.r && (a.r - b.r).abs() < 0.2 * a.r
    });
    if let Some(old) = same {
        if new.ring.coverage > old.ring.coverage {
            *old = *new;
        }
        return true;
    }
    false
}
