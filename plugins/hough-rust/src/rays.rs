//! Radius and coverage: rays from a centre look for the edge, a robust fit to
//! what they hit moves the circle, and the share of rays that hit it is the
//! angular coverage.

use crate::{
    image::{Image, Weights},
    linalg,
    ring::{Circle, Ring},
    simd::dispatch,
};

/// How rays look for the edge of a disc.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// How far from the circle, in pixels.
    pub window: f32,
    /// 1 for a disc that is brighter than its surroundings, -1 for a darker one.
    pub sign: f32,
    /// A drop from which on an edge counts, grey levels over 2 pixels.
    pub step: f32,
    /// What it takes for an edge.
    pub manner: Manner,
}

/// What rays take for an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// The steepest place, and edge points are left out that are likely to be something
    /// else's: what finds a disc.
    Peak,
    /// The middle of the slope, and few edge points are as far off as the limit: what tells
    /// where one is. Of 350 discs in noisy photographs the scatter is two thirds of the
    /// other's.
    Mean,
    /// As [`Self::Peak`], but a step of either sign in any channel: what shows a disc in front of
    /// a ground that is brighter than it here and darker there.
    Either,
}

impl Manner {
    /// How far off the circle an edge point counts, in standard deviations of them all.
    fn limit(self) -> f64 {
        match self {
            Self::Peak | Self::Either => 4.0,
            Self::Mean => 6.0,
        }
    }
}

/// The part of the steepest drop that belongs to an edge at least, and how far from it, in
/// samples.
const SLOPE: f32 = 0.3;
const EXTENT: usize = 6;

/// Where between the samples near number `k` of `n` a drop is largest, from there.
fn summit(drop: impl Fn(usize) -> f32, k: usize, n: usize) -> f32 {
    if k <= 2 || k + 3 >= n {
        return 0.0;
    }
    let (a, b, c) = (drop(k - 1), drop(k), drop(k + 1));
    let bend = a - 2.0 * b + c;
    if bend < 0.0 { (0.5 * (a - c) / bend).clamp(-0.5, 0.5) } else { 0.0 }
}

/// The centroid of what the drops around number `k` of `n` have beyond a part of it, from
/// there.
fn centroid(drop: impl Fn(usize) -> f32, k: usize, n: usize) -> f32 {
    let floor = SLOPE * drop(k);
    let (mut sum, mut weight) = (0.0, 0.0);
    let mut add = |i: usize| {
        let beyond = drop(i) - floor;
        if beyond <= 0.0 {
            return false;
        }
        sum += beyond * (i as f32 - k as f32);
        weight += beyond;
        true
    };
    // As far as the slope goes without a break.
    let _ = (k + 1..(k + EXTENT + 1).min(n - 2)).all(&mut add);
    let _ = (k.saturating_sub(EXTENT).max(2)..=k).rev().all(&mut add);
    if weight > 0.0 { sum / weight } else { 0.0 }
}

/// Directions that are looked at.
pub const RAYS: usize = 64;
const MAX_SAMPLES: usize = 28;
/// Spread of edge points from which a circle may have been led astray, pixels.
const LOOSE: f64 = 0.225;
/// Distance from a circle up to which an edge point agrees with it, pixels.
const AGREES: f32 = 0.5;
/// Share of the edge points on an oval, at least.
const OVAL_POINTS: f64 = 0.9;
/// The least swing of an oval's radius, in pixels, and the most, as a share of it.
const OVAL: (f64, f64) = (0.3, 0.11);

/// Drops over four samples, around each of them but the first and the last two.
fn drops(values: &[f32]) -> [f32; MAX_SAMPLES] {
    let mut drops = [0.0; MAX_SAMPLES];
    for (drop, around) in drops[2..].iter_mut().zip(values.windows(5)) {
        *drop = around[0] - around[4];
    }
    drops
}

/// The last of the steepest drops of `n` samples.
fn steepest(drops: &[f32; MAX_SAMPLES], n: usize) -> Option<usize> {
    let drops = drops.get(2..n.checked_sub(2)?)?;
    let most =
        drops.iter().fold(f32::NEG_INFINITY, |most, &drop| if drop > most { drop } else { most });
    drops.iter().rposition(|drop| *drop == most).map(|k| k + 2)
}

/// Where samples are taken: half a pixel apart, from the distance `first` on.
#[derive(Clone, Copy, Debug)]
struct Ray {
    from: (f32, f32),
    along: (f32, f32),
    first: f32,
}

impl Ray {
    /// Where sample number `k` is.
    #[allow(clippy::inline_always, reason = "must be vectorised inside the caller's loop")]
    #[inline(always)]
    fn at(&self, k: usize) -> (f32, f32) {
        let rho = self.first + 0.5 * k as f32;
        (self.from.0 + self.along.0 * rho, self.from.1 + self.along.1 * rho)
    }
}

dispatch! {
    /// Takes `n` samples, which all lie inside the picture.
    fn sample(
        image: &Image<'_>, weights: &Weights, ray: Ray, n: usize, values: &mut [f32; MAX_SAMPLES],
    ) {
        let (mut x, mut y) = ([0.0_f32; MAX_SAMPLES], [0.0_f32; MAX_SAMPLES]);
        for k in 0..MAX_SAMPLES {
            (x[k], y[k]) = ray.at(k);
        }
        image.sample_all((&x, &y), n, weights, values);
    }
}

/// What a ray saw.
#[derive(Clone, Copy, Debug)]
struct Profile {
    drops: [f32; MAX_SAMPLES],
    /// From one end to the other.
    contrast: f32,
}

impl Profile {
    fn of(values: &[f32]) -> Self {
        let n = values.len();
        let contrast = values[0].max(values[1]) - values[n - 1].min(values[n - 2]);
        Self { drops: drops(values), contrast }
    }

    /// The same whatever the sign.
    fn unsigned(values: &[f32]) -> Self {
        let n = values.len();
        let contrast = (values[0] + values[1] - values[n - 1] - values[n - 2]) / 2.0;
        Self { drops: drops(values).map(f32::abs), contrast: contrast.abs() }
    }

    /// That of two channels: the length of the difference.
    fn with(mut self, other: Self) -> Self {
        for (a, b) in self.drops.iter_mut().zip(other.drops) {
            *a = (*a * *a + b * b).sqrt();
        }
        self.contrast = (self.contrast * self.contrast + other.contrast * other.contrast).sqrt();
        self
    }
}

/// Unit vectors and scratch memory.
#[derive(Debug)]
pub struct Rays {
    directions: [(f32, f32); RAYS],
}

impl Default for Rays {
    fn default() -> Self {
        let mut directions = [(0.0, 0.0); RAYS];
        for (i, d) in directions.iter_mut().enumerate() {
            *d = direction(i);
        }
        Self { directions }
    }
}

pub(crate) fn direction(i: usize) -> (f32, f32) {
    let (s, c) = libm::sincosf(std::f32::consts::TAU * (i as f32 + 0.5) / RAYS as f32);
    (c, s)
}

impl Rays {
    /// Moves `circle` to the edge points that rays find near it.
    pub fn fit(
        &self,
        image: &Image<'_>,
        weights: &Weights,
        circle: Circle,
        look: &Look,
    ) -> Option<Ring> {
        let Look { window, sign, step, manner } = *look;
        // A degenerate fit can end in any radius, a negative one included.
        if !(circle.r >= 1.0 && circle.r < 1e5 && window >= 1.0) {
            return None;
        }
        let mut rho = [f64::NAN; RAYS];
        let mut slopes = [0.0_f32; RAYS];
        let mut contrasts = [0.0_f32; RAYS];
        let (mut found, mut visible) = (0, 0);
        let first = (circle.r as f32 - window - 1.0).max(0.0);
        let n = (((circle.r as f32 + window + 1.0 - first) / 0.5) as usize + 1).min(MAX_SAMPLES);
        for (i, &(dx, dy)) in self.directions.iter().enumerate() {
            let ray = Ray { from: (circle.x as f32, circle.y as f32), along: (dx, dy), first };
            let (from, to) = (ray.at(0), ray.at(n - 1));
            if !image.contains(from.0, from.1) || !image.contains(to.0, to.1) {
                continue;
            }
            visible += 1;
            let sample = |image: &Image<'_>| {
                let mut values = [0.0_f32; MAX_SAMPLES];
                sample(image, weights, ray, n, &mut values);
                values.map(|v| sign * v)
            };
            let profile = if manner == Manner::Either {
                let profile = |c| Profile::unsigned(&sample(&image.channel(c))[..n]);
                (0..image.channels()).map(profile).reduce(Profile::with)
            } else {
                Some(Profile::of(&sample(image)[..n]))
            };
            let Some(Profile { drops, contrast }) = profile else { continue };
            let drop = |k: usize| drops[k];
            let Some(k) = steepest(&drops, n).filter(|k| drop(*k) >= step) else { continue };
            let shift = match manner {
                Manner::Peak | Manner::Either => summit(drop, k, n),
                Manner::Mean => centroid(drop, k, n),
            };
            rho[i] = f64::from(first + 0.5 * (k as f32 + shift));
            slopes[found] = drop(k) / 2.0;
            contrasts[found] = contrast;
            found += 1;
        }
        if visible < RAYS / 4 || found < 8 {
            return None;
        }
        let Through { circle, shape, spread, alike, hits } =
            self.robust_circle(circle, &rho, manner.limit())?;
        Some(Ring {
            circle,
            coverage: hits.count_ones() as f32 / visible as f32,
            hits,
            visible: visible as f32 / RAYS as f32,
            contrast: median(&mut contrasts[..found]),
            slope: median(&mut slopes[..found]),
            spread,
            alike,
            shape,
        })
    }

    /// The circle through the edge points, its shape if it is an oval, their spread,
    /// and the rays of those on it, as bits. Where many points lie off the first answer
    /// and an oval has almost all, it is one; otherwise, as on a bar that hides a part
    /// of the disc, what most points agree on is where a second one begins.
    fn robust_circle(&self, circle: Circle, rho: &[f64; RAYS], limit: f64) -> Option<Through> {
        let start = [0.0, 0.0, circle.r];
        let mut best = self.reweighted(rho, start, f64::INFINITY, limit)?;
        if best.n * 4 < RAYS * 3 || best.spread() > LOOSE {
            let [x, y, r] = best.centre;
            if let Some(oval) = self.oval(rho, [x, y, r, 0.0, 0.0], best.spread(), limit) {
                let [x, y, r, c, s] = oval.centre;
                let fitted = Circle { x: circle.x + x, y: circle.y + y, r };
                return Some(oval.through(fitted, [c as f32, s as f32]));
            }
            let start = self.consensus(rho);
            let other = start.and_then(|start| self.reweighted(rho, start, AGREES.into(), limit));
            if let Some(other) = other
                && other.n >= best.n
                && other.spread() < best.spread()
            {
                best = other;
            }
        }
        let [x, y, r] = best.centre;
        let fitted = Circle { x: circle.x + x, y: circle.y + y, r };
        (best.n >= 6).then(|| best.through(fitted, [0.0; 2]))
    }

    /// The oval that almost all edge points lie on, if it has less than half of the
    /// `spread` of a circle.
    fn oval(
        &self,
        rho: &[f64; RAYS],
        start: [f64; 5],
        spread: f64,
        limit: f64,
    ) -> Option<Agreement<5>> {
        let seen = rho.iter().filter(|rho| !rho.is_nan()).count();
        if seen * 8 < RAYS * 7 {
            return None;
        }
        let oval = self.reweighted(rho, start, f64::INFINITY, limit)?;
        let [_, _, r, c, s] = oval.centre;
        let is_oval = oval.n as f64 >= OVAL_POINTS * seen as f64
            && oval.spread() < 0.5 * spread
            && (OVAL.0..OVAL.1 * r).contains(&c.hypot(s));
        is_oval.then_some(oval)
    }

    fn residual<const N: usize>(&self, rho: &[f64; RAYS], p: &[f64; N], i: usize) -> f64 {
        let row = self.row::<N>(i);
        rho[i] - row.iter().zip(p).map(|(row, p)| row * p).sum::<f64>()
    }

    /// How far ray `i` meets the edge per unit of dx, dy and r, and of an oval's shape.
    fn row<const N: usize>(&self, i: usize) -> [f64; N] {
        let (c, s) = self.directions[i];
        let (c, s) = (f64::from(c), f64::from(s));
        let all = [c, s, 1.0, c * c - s * s, 2.0 * c * s];
        std::array::from_fn(|k| all[k])
    }

    /// Of circles through three edge points, the one with the most points near
    /// it: its offset and radius.
    fn consensus(&self, rho: &[f64; RAYS]) -> Option<[f64; 3]> {
        let distances = rho.map(|v| v as f32);
        let mut best = (0, None);
        for apart in [RAYS / 7, RAYS / 4] {
            for first in (0..RAYS).step_by(4) {
                let three = [first, (first + apart) % RAYS, (first + 2 * apart) % RAYS];
                if three.iter().any(|&i| rho[i].is_nan()) {
                    continue;
                }
                let (mut a, mut b) = ([[0.0; 3]; 3], [0.0; 3]);
                for i in three {
                    normal(&mut a, &mut b, &self.row(i), rho[i], 1.0);
                }
                let Some(p) = linalg::solve(&a, &b, 3) else { continue };
                let n = agreeing(&self.directions, &distances, p.map(|v| v as f32));
                if n > best.0 {
                    best = (n, Some(p));
                }
            }
        }
        best.1
    }

    /// Reweighted least squares on rho = r + dx cos + dy sin, and of an oval the terms in
    /// twice the angle, from `centre` on, with a scale of the residuals that is at most `widest`
    /// and no weight beyond `limit` times that.
    fn reweighted<const N: usize>(
        &self,
        rho: &[f64; RAYS],
        centre: [f64; N],
        widest: f64,
        limit: f64,
    ) -> Option<Agreement<N>> {
        let (mut centre, mut scale) = (centre, widest);
        for round in 0..6 {
            let mut a = [[0.0; N]; N];
            let mut b = [0.0; N];
            for (i, &measured) in rho.iter().enumerate() {
                if measured.is_nan() {
                    continue;
                }
                let e = self.residual(rho, &centre, i);
                let w =
                    if scale.is_finite() { tukey(e, limit * scale) } else { 1.0 / (1.0 + e * e) };
                normal(&mut a, &mut b, &self.row(i), measured, w);
            }
            let old = centre;
            centre = linalg::solve(&a, &b, N)?;
            let moved = (0..3).map(|k| (centre[k] - old[k]).abs()).fold(0.0, f64::max);
            let mut sizes = [0.0_f32; RAYS];
            let mut n = 0;
            for i in (0..RAYS).filter(|&i| !rho[i].is_nan()) {
                sizes[n] = self.residual(rho, &centre, i).abs() as f32;
                n += 1;
            }
            scale = f64::from(1.4826 * median(&mut sizes[..n])).clamp(0.05, widest);
            if round >= 2 && moved < 0.01 {
                break;
            }
        }
        let tolerance = (3.0 * scale).clamp(0.6, 1.0);
        let mut found = Agreement { centre, sum: 0.0, pairs: (0.0, 0.0), n: 0, hits: 0 };
        let is_on = |e: &f64| e.abs() <= tolerance;
        let mut before = Some(self.residual(rho, &centre, RAYS - 1)).filter(is_on);
        for i in 0..RAYS {
            let here = Some(self.residual(rho, &centre, i)).filter(is_on);
            if let Some(e) = here {
                found.sum += e * e;
                found.n += 1;
                found.hits |= 1 << i;
                if let Some(before) = before {
                    found.pairs.0 += e * before;
                    found.pairs.1 += 1.0;
                }
            }
            before = here;
        }
        Some(found)
    }
}

dispatch! {
    /// How many of the edge points lie near the circle with this offset and radius.
    fn agreeing(directions: &[(f32, f32); RAYS], rho: &[f32; RAYS], circle: [f32; 3]) -> u32 {
        let [x, y, r] = circle;
        let mut n = 0;
        for i in 0..RAYS {
            let (c, s) = directions[i];
            n += u32::from((rho[i] - (x * c + y * s + r)).abs() < AGREES);
        }
        n
    }
}

/// A circle through edge points: see [`Ring`].
#[derive(Debug)]
struct Through {
    circle: Circle,
    shape: [f32; 2],
    spread: f32,
    alike: f32,
    hits: u64,
}

/// A circle and the edge points on it.
struct Agreement<const N: usize> {
    /// Offset from where the rays begin, radius, and shape.
    centre: [f64; N],
    /// Sum of the squared distances.
    sum: f64,
    /// Sum of the products of neighbours, and how many pairs there are.
    pairs: (f64, f64),
    n: usize,
    hits: u64,
}

impl<const N: usize> Agreement<N> {
    fn spread(&self) -> f64 {
        (self.sum / self.n as f64).sqrt()
    }

    /// What it says of a circle of the picture.
    fn through(&self, circle: Circle, shape: [f32; 2]) -> Through {
        let variance = self.sum / self.n as f64;
        let alike = self.pairs.0 / (self.pairs.1 * variance).max(1e-12);
        let (spread, alike) = (self.spread() as f32, alike as f32);
        Through { circle, shape, spread, alike, hits: self.hits }
    }
}

/// Adds an equation to normal equations (the lower triangle).
pub(crate) fn normal<const N: usize>(
    a: &mut [[f64; N]; N],
    b: &mut [f64; N],
    row: &[f64; N],
    value: f64,
    weight: f64,
) {
    for j in 0..N {
        for k in 0..=j {
            a[j][k] += weight * row[j] * row[k];
        }
        b[j] += weight * row[j] * value;
    }
}

fn tukey(e: f64, limit: f64) -> f64 {
    let t = e / limit;
    if t.abs() < 1.0 { (1.0 - t * t) * (1.0 - t * t) } else { 0.0 }
}

/// Median; sorts what it is given.
pub fn median(values: &mut [f32]) -> f32 {
    let mid = values.len() / 2;
    *values.select_nth_unstable_by(mid, f32::total_cmp).1
}

impl Rays {
    /// The weights under which a disc stands out most from its surroundings
    /// when the noise of the channels is alike: its contrast, channel by
    /// channel, at unit length. Also returns the disc's sign under them, which
    /// keeps the sense of the sum of the channels.
    pub fn channel_weights(&self, image: &Image<'_>, circle: &Circle) -> Option<(Weights, f32)> {
        let mut contrast = [0.0_f32; 3];
        let (x, y, r) = (circle.x as f32, circle.y as f32, circle.r as f32);
        for (c, contrast) in contrast.iter_mut().enumerate() {
            let channel = image.channel(c);
            let (mut values, mut n) = ([0.0_f32; RAYS], 0);
            for &(dx, dy) in self.directions.iter().step_by(2) {
                let at = |rho: f32| channel.sample(x + dx * rho, y + dy * rho, &[1.0; 3]);
                let inside = at((r - 2.0).min(0.8 * r));
                // A disc that fills the picture has little around it.
                let outside = at((r + 2.0).max(1.2 * r)).or_else(|| at(r + 2.0));
                if let (Some(a), Some(b)) = (inside, outside) {
                    values[n] = a - b;
                    n += 1;
                }
            }
            if n < 8 {
                return None;
            }
            *contrast = median(&mut values[..n]);
        }
        let length = contrast.iter().map(|v| v * v).sum::<f32>().sqrt();
        if length < 1.0 {
            return None;
        }
        let sign = if contrast.iter().sum::<f32>() >= 0.0 { 1.0 } else { -1.0 };
        Some((contrast.map(|v| sign * v / length), sign))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_across_the_rim_does_not_move_the_circle() {
        let rays = Rays::default();
        let circle = Circle { x: 50.0, y: 40.0, r: 30.0 };
        // The disc lies off by (1, 2) and is larger by 2. A chord at x = 20 hides
        // what is beyond, and the picture ends above y = -24.
        let rho = rays.directions.map(|(c, s)| {
            let (c, s) = (f64::from(c), f64::from(s));
            let rim = 32.0 + c + 2.0 * s;
            let seen = if c > 0.0 { rim.min(20.0 / c) } else { rim };
            if seen * s < -24.0 { f64::NAN } else { seen }
        });
        let Through { circle: found, shape, spread, hits, .. } =
            rays.robust_circle(circle, &rho, Manner::Peak.limit()).unwrap();
        assert_eq!(shape, [0.0; 2]);
        for (is, should) in [(found.x, 51.0), (found.y, 42.0), (found.r, 32.0)] {
            assert!((is - should).abs() < 1e-3, "{found:?}");
        }
        assert!(spread < 1e-3, "{spread}");
        assert!((25..40).contains(&hits.count_ones()), "{hits:b}");
    }

    #[test]
    fn edge_points_that_are_off_like_their_neighbours_are_alike() {
        let rays = Rays::default();
        let circle = Circle { x: 50.0, y: 40.0, r: 30.0 };
        let alike = |off: &dyn Fn(f64) -> f64| {
            let rho = std::array::from_fn(|i| 30.0 + off(i as f64));
            rays.robust_circle(circle, &rho, Manner::Mean.limit()).unwrap().alike
        };
        let turn = std::f64::consts::TAU / RAYS as f64;
        let slowly = alike(&|i| 0.1 * (5.0 * turn * i).sin());
        assert!((slowly - libm::cosf(5.0 * turn as f32)).abs() < 0.01, "{slowly}");
        let by_turns = alike(&|i| 0.1 * (std::f64::consts::PI * i).cos());
        assert!((by_turns + 1.0).abs() < 0.01, "{by_turns}");
    }

    #[test]
    fn an_oval_is_one_whole() {
        let rays = Rays::default();
        let circle = Circle { x: 50.0, y: 40.0, r: 30.0 };
        let rho = rays.directions.map(|(c, s)| {
            let (c, s) = (f64::from(c), f64::from(s));
            31.0 + 0.5 * c - 0.3 * s + 1.2 * (c * c - s * s) - 0.9 * 2.0 * c * s
        });
        let Through { circle: found, shape, spread, hits, .. } =
            rays.robust_circle(circle, &rho, Manner::Peak.limit()).unwrap();
        let is = [found.x, found.y, found.r, shape[0].into(), shape[1].into()];
        for (is, should) in is.into_iter().zip([50.5, 39.7, 31.0, 1.2, -0.9]) {
            assert!((is - should).abs() < 1e-3, "{found:?} {shape:?}");
        }
        assert!(spread < 1e-3 && hits == u64::MAX, "{spread} {hits:b}");
    }
}
