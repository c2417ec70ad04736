//! Discs that touch each other are fitted together.
//!
//! Between blurred discs that touch there is no edge: rays see one further in, and a fit that
//! takes what is around a disc for one ground makes it smaller. Here every disc is fitted again
//! without what its neighbours add to its pixels ([`crate::refine::Other`]), one after the other
//! until none moves (Gauss and Seidel's method for the fit of all at once).

use super::{Found, HoughRust};
use crate::{
    belief,
    image::{Image, Weights},
    rays::{RAYS, direction},
    refine::{Fit, Other},
    ring::{Circle, Ring},
};

/// How often all are fitted, at most, how often those that the model does not describe, and a
/// move in pixels after which neighbours are not fitted again.
pub(super) const SWEEPS: usize = 4;
pub(super) const FEW_SWEEPS: usize = 2;
const STILL: f64 = 0.05;
/// Discs are beside each other up to this gap, in widths of the edge and pixels, and overlap by
/// this at most, as a share of the smaller radius and in pixels: those that lie on others add
/// nothing to them.
const GAP: (f64, f64) = (3.0, 1.0);
const OVERLAP: (f64, f64) = (0.06, 1.0);
/// Widths of an edge that are reckoned with.
const WIDTHS: (f64, f64) = (0.3, 2.0);
/// The gap up to which two outlines touch, in widths of their edge, which are within these bounds,
/// and neighbours whose outlines touch it from which on one ends at them.
const TOUCHING: f64 = 2.5;
const SOFT: (f64, f64) = (0.9, 1.5);
const ENOUGH: usize = 2;
/// How far around a disc, in radii, the ground may be looked for.
const AROUND: f64 = 8.0;
/// Depths below a neighbour's edge at which its level is seen, in widths of the edge, but for
/// half a pixel; and the least radius there, as a share of its own.
const DEPTHS: [f64; 3] = [3.0, 4.0, 5.0];
const CORE: f64 = 0.3;
/// What a fit may leave, over the picture's noise; its support, less than before, or where there
/// was none or what is left is so much less; and how far it may move, as a share of the radius
/// and in pixels.
const STRAIN: f64 = 3.0;
const LESS: f64 = 0.05;
const HALF: f64 = 0.5;
const LOWER: f64 = 0.5;
const MOVED: (f64, f64) = (0.1, 1.0);
/// What a fit may leave, over its contrast, to say where an outline is.
const FAIR: f64 = 0.07;
/// By how much what is not known of the neighbours makes the variance larger: measured in
/// pictures of heaps.
const UNCERTAIN: f64 = 2.0;

/// A disc on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body {
    circle: Circle,
    width: f64,
    /// Where it began: an outline ends at its neighbours.
    start: Circle,
    /// Whether others are beside it, and none lies on it.
    is_beside: bool,
    /// How far the last fit moved it, in pixels.
    moved: f64,
    /// The place around it that looks most like the ground, and that of all discs around.
    place: (f32, f32),
    ground_at: (f32, f32),
    /// Its last fit.
    fit: Option<Fit>,
}

impl Found {
    /// Whether it was fitted together with those that it touches, and need not be from the
    /// beginning.
    pub(super) fn is_parted(&self) -> bool {
        self.moved.is_some()
    }
}

impl Body {
    fn of(found: &Found) -> Self {
        let (circle, width) = (found.fit.circle, edge_width(&found.fit));
        let moved = found.moved.unwrap_or(f64::INFINITY);
        let place = (circle.x as f32, circle.y as f32);
        let start = circle;
        Self { circle, width, start, is_beside: false, moved, place, ground_at: place, fit: None }
    }

    /// Where the ground is that is around it.
    pub(super) fn ground_at(&self) -> (f32, f32) {
        self.ground_at
    }

    /// The gap between the two, in pixels.
    fn gap(&self, other: &Self) -> f64 {
        self.circle.distance(&other.circle) - self.circle.r - other.circle.r
    }

    fn is_beside(&self, other: &Self) -> bool {
        self.gap(other) < GAP.0 * self.width.max(other.width) + GAP.1
    }

    fn lies_on(&self, other: &Self) -> bool {
        self.gap(other) < -OVERLAP.0 * self.circle.r.min(other.circle.r) - OVERLAP.1
    }
}

/// The width of a disc's edge that is reckoned with, in pixels.
pub(super) fn edge_width(fit: &Fit) -> f64 {
    fit.width.clamp(WIDTHS.0, WIDTHS.1)
}

/// All but number `i`.
fn others(bodies: &[Body], i: usize) -> impl Iterator<Item = &Body> {
    bodies.iter().enumerate().filter(move |(j, _)| *j != i).map(|(_, body)| body)
}

impl HoughRust {
    /// Fits those of the discs that were found together that touch each other, at most so often.
    pub(super) fn part(&mut self, image: &Image<'_>, sweeps: usize) {
        let mut bodies = std::mem::take(&mut self.bodies);
        bodies.clear();
        bodies.extend(self.found.iter().map(Body::of));
        for i in 0..bodies.len() {
            let body = bodies[i];
            let beside = || others(&bodies, i).filter(|other| body.is_beside(other));
            let is_beside = !self.found[i].is_ball
                && beside().next().is_some()
                && !beside().any(|other| body.lies_on(other));
            bodies[i].is_beside = is_beside;
        }
        if bodies.iter().any(|body| body.is_beside) {
            self.end_at_neighbours(&mut bodies);
            self.fit_together(image, &mut bodies, sweeps);
            self.keep_parted(image, &bodies);
        }
        self.bodies = bodies;
    }

    /// Makes outlines end half-way to the neighbours that they touch: rays see the rim between
    /// two too far in.
    fn end_at_neighbours(&mut self, bodies: &mut [Body]) {
        for (i, found) in self.found.iter().enumerate() {
            let body = bodies[i];
            if !body.is_beside || !found.fit.is_outline() || found.is_ended {
                continue;
            }
            let width = body.width.clamp(SOFT.0, SOFT.1);
            let gaps = &mut self.gaps;
            gaps.clear();
            let seen = self.found.iter().enumerate().filter(|(j, _)| *j != i);
            gaps.extend(seen.map(|(_, other)| Body::of(other).gap(&Body::of(found))));
            gaps.retain(|gap| (0.0..TOUCHING * width).contains(gap));
            if gaps.len() >= ENOUGH {
                gaps.sort_unstable_by(f64::total_cmp);
                bodies[i].circle.r += 0.5 * gaps[gaps.len() / 2];
                bodies[i].start = bodies[i].circle;
            }
        }
    }

    /// Finds the ground around all discs.
    pub(super) fn look_for_ground(&mut self, image: &Image<'_>) {
        let mut bodies = std::mem::take(&mut self.bodies);
        self.find_ground(image, &mut bodies);
        self.bodies = bodies;
    }

    fn fit_together(&mut self, image: &Image<'_>, bodies: &mut [Body], sweeps: usize) {
        self.find_ground(image, bodies);
        for sweep in 0..sweeps {
            let mut goes_on = false;
            for i in 0..bodies.len() {
                let body = bodies[i];
                let is_hopeless = sweep >= FEW_SWEEPS && !self.describes(image, &body, i);
                let is_due = |other: &Body| body.is_beside(other) && other.moved > STILL;
                if body.is_beside
                    && !is_hopeless
                    && (body.moved > STILL || others(bodies, i).any(is_due))
                {
                    self.fit_beside(image, bodies, i);
                    goes_on |= bodies[i].moved > STILL;
                } else {
                    bodies[i].moved = 0.0;
                }
            }
            if !goes_on {
                break;
            }
        }
    }

    /// Finds the ground around the discs.
    fn find_ground(&self, image: &Image<'_>, bodies: &mut [Body]) {
        for (body, found) in bodies.iter_mut().zip(&self.found) {
            body.place = ground_beside(image, found);
        }
        for i in 0..bodies.len() {
            let (circle, Found { fit, candidate, .. }) = (bodies[i].circle, &self.found[i]);
            let around = bodies.iter().zip(&self.found).filter(|(other, found)| {
                found.fit.contrast * fit.contrast > 0.0
                    && other.circle.distance(&circle) < AROUND * circle.r
            });
            let places = around.filter_map(|(Body { place, .. }, _)| {
                let level = image.sample(place.0, place.1, &candidate.weights)?;
                Some((level * fit.contrast.signum() as f32, *place))
            });
            let lowest = places.min_by(|a, b| a.0.total_cmp(&b.0));
            bodies[i].ground_at = lowest.map_or(bodies[i].place, |(_, place)| place);
        }
    }

    /// Fits disc number `i` beside the others.
    fn fit_beside(&mut self, image: &Image<'_>, bodies: &mut [Body], i: usize) {
        let (body, Found { fit: before, candidate, .. }) = (bodies[i], self.found[i]);
        let weights = &candidate.weights;
        let beside = others(bodies, i).filter(|other| body.is_beside(other)).map(|other| Other {
            circle: other.circle,
            width: other.width,
            level: level_beside(image, weights, other, &body.circle),
        });
        self.others.clear();
        self.others.extend(beside);
        let sign = before.contrast.signum();
        let known = body.fit.or(Some(before).filter(|_| self.found[i].is_parted()));
        let known = known.map(|fit| fit.ground).filter(|ground| !ground.is_nan());
        let (x, y) = body.ground_at;
        let seen = || image.sample(x, y, weights).map_or(before.ground, f64::from);
        let ground = known.unwrap_or_else(seen);
        let ring = Ring { circle: body.circle, ..candidate.ring };
        let fit =
            self.refiner.fit_among(image, weights, (&ring, candidate.sign), &self.others, ground);
        let body = &mut bodies[i];
        body.moved = 0.0;
        // Noise that is far less is a model that is far better.
        let is_better = |fit: &Fit| before.is_outline() || fit.noise < LOWER * before.noise;
        let fit = fit.filter(|fit| {
            fit.contrast * sign > 0.0
                && fit.circle.apart(&before.circle) < MOVED.0 * body.circle.r + MOVED.1
                && fit.support >= if is_better(fit) { HALF } else { before.support - LESS }
        });
        if let Some(fit) = fit {
            body.moved = fit.circle.apart(&body.circle);
            (body.circle, body.width) = (fit.circle, edge_width(&fit));
            body.fit = Some(fit);
        }
    }

    /// Whether the last fit leaves of disc number `i` little more than noise.
    fn describes(&self, image: &Image<'_>, body: &Body, i: usize) -> bool {
        let noise = || self.noise(image, &self.found[i].candidate.weights);
        body.fit.is_some_and(|fit| fit.noise < STRAIN * noise())
    }

    /// Takes over those of the fits that describe their disc.
    fn keep_parted(&mut self, image: &Image<'_>, bodies: &[Body]) {
        for (i, body) in bodies.iter().enumerate().filter(|(_, body)| body.is_beside) {
            let before = self.found[i].fit;
            let describes = self.describes(image, body, i);
            let (fit, moved) = match body.fit.filter(|_| describes) {
                Some(fit) => {
                    let covariance = fit.covariance.map(|row| row.map(|v| UNCERTAIN * v));
                    (Fit { covariance, ..fit }, Some(body.moved))
                }
                None if before.is_outline() => {
                    let is_fair = |fit: &Fit| fit.noise < FAIR * fit.contrast.abs();
                    let (circle, moved) = match body.fit.filter(is_fair) {
                        Some(fit) => (fit.circle, Some(body.moved)),
                        // With more of its neighbours it may be another matter.
                        None => (body.start, None),
                    };
                    self.found[i].is_ended |= body.start != before.circle;
                    (Fit { circle, ..before }, moved)
                }
                None => (before, Some(body.moved)),
            };
            let score = belief::score(&fit);
            if score >= self.config.min_score {
                self.found[i] = Found { fit, score, moved, ..self.found[i] };
            }
        }
    }
}

/// The place around a disc that looks most like its ground: between three that touch it is
/// 0.155 radii from each.
fn ground_beside(image: &Image<'_>, found: &Found) -> (f32, f32) {
    let Circle { x, y, r } = found.fit.circle;
    let (x, y, r) = (x as f32, y as f32, r as f32);
    let sign = found.fit.contrast.signum() as f32;
    let places = (0..RAYS).map(direction).flat_map(|(dx, dy)| {
        [0.8, 1.25, 2.0, 3.0, (0.155 * r).max(0.8)]
            .map(|depth| (x + (r + depth) * dx, y + (r + depth) * dy))
    });
    let levels = places
        .filter_map(|at| Some((sign * image.sample(at.0, at.1, &found.candidate.weights)?, at)));
    levels.min_by(|a, b| a.0.total_cmp(&b.0)).map_or((x, y), |(_, at)| at)
}

/// The level of a disc inside, on the side of another one.
fn level_beside(image: &Image<'_>, weights: &Weights, disc: &Body, other: &Circle) -> f64 {
    let Circle { x, y, r } = disc.circle;
    let distance = disc.circle.distance(other);
    let (dx, dy) = ((other.x - x) / distance, (other.y - y) / distance);
    let (mut sum, mut n) = (0.0, 0.0);
    for turn in [-0.5, -0.3, 0.0, 0.3, 0.5] {
        let (u, v) = (dx - turn * dy, dy + turn * dx);
        let length = u.hypot(v);
        for depth in DEPTHS {
            let rho = (r - depth * disc.width - 0.5).max(CORE * r) / length;
            let value = image.sample((x + rho * u) as f32, (y + rho * v) as f32, weights);
            if let Some(value) = value {
                sum += f64::from(value);
                n += 1.0;
            }
        }
    }
    sum / f64::max(n, 1.0)
}
