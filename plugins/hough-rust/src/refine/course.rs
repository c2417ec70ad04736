//! Where a fit stands: its parameters, the terms of the model that take part,
//! and the steps that move it.

use super::{
    kernel::{BASE, CURVED, MIN_WIDTH, N, ROUND, Sums, Weighing, chosen},
    levels::Levels,
    noise::ROUNDING,
};
use crate::linalg;

/// The largest deviation from a circle, as a share of the radius: a disc that
/// is seen at 45 degrees.
const FLATTEST: f64 = 0.18;
/// The most that a step is lengthened by, times itself.
const SLOWEST: f64 = 4.0;
/// A fit that wanders further than this from where it began is lost.
const CAPTURE: f64 = 4.0;

/// Where a fit stands.
#[derive(Clone, Debug)]
pub(super) struct Course {
    pub(super) p: [f64; N],
    pub(super) active: [bool; N],
    pub(super) weighing: Weighing,
    /// Whether the rays saw a gap in the rim.
    pub(super) gap: bool,
    /// One pair of so many neighbours takes part.
    pub(super) every: usize,
    /// Sectors that are masked, as bits, and the share of the pixels left.
    pub(super) hidden: u32,
    pub(super) left: f32,
    /// Levels of their own that sectors have outside.
    pub(super) levels: Levels,
    /// Sectors of which only the rim counts, outside and inside.
    pub(super) uneven: [u32; 2],
    /// The levels, outside and inside, of a side without noise, which counts as one pixel.
    pub(super) flat: [Option<f64>; 2],
    /// How much more of a shared light there is on the disc, as a share of what is around it:
    /// none where it is added to the picture, the contrast over the level outside where it is
    /// in proportion to what is lit. Between the two, half of the latter is the most likely.
    tie: f64,
    /// Whether the disc shares its shading and light that is bowed with its ground, but for
    /// as much as it may differ.
    shared: [bool; 2],
    /// The answer's variance over that which the pixels' noise alone gives it.
    pub(super) texture: f64,
    /// The last step that was due, and the one that was made, while steps go on
    /// from each other.
    pub(super) last: Option<([f64; N], [f64; N])>,
    /// How often the width fell below what sampling allows.
    at_bound: usize,
}

impl Course {
    pub(super) fn new(p: [f64; N]) -> Self {
        let mut active = [true; N];
        active[BASE..].fill(false);
        Self {
            p,
            active,
            weighing: Weighing::EQUAL,
            gap: false,
            every: 1,
            hidden: 0,
            left: 1.0,
            levels: Levels::default(),
            uneven: [0; 2],
            flat: [None; 2],
            tie: 0.0,
            shared: [false; 2],
            texture: 1.0,
            last: None,
            at_bound: 0,
        }
    }

    /// Makes a step, from where a new course begins.
    pub(super) fn advance(&mut self, step: &[f64; N], start_r: f64) {
        self.last = None;
        self.go(step, start_r);
    }

    /// Makes a step of reweighted least squares, lengthened by what the last one
    /// left; `a` is J'WJ.
    pub(super) fn hasten(&mut self, due: &[f64; N], a: &[[f64; N]; N], start_r: f64) {
        let step = match &self.last {
            Some((due_before, made)) => anderson(due, due_before, made, a),
            None => *due,
        };
        self.last = Some((*due, step));
        self.go(&step, start_r);
    }

    fn go(&mut self, step: &[f64; N], start_r: f64) {
        for (outside, inside) in TIED {
            self.p[inside] += self.tie * step[outside];
        }
        for (p, step) in self.p.iter_mut().zip(step) {
            *p += step;
        }
        // A sharp edge pulls the width below what sampling allows, again
        // and again; the second time it stays there.
        if self.p[3] < MIN_WIDTH {
            self.p[3] = MIN_WIDTH;
            self.at_bound += 1;
        }
        self.active[3] = self.at_bound < 2;
        self.p[3] = self.p[3].min(start_r / 2.0);
    }

    /// Lets shading and slopes join if they are there.
    pub(super) fn choose_linear(&mut self, sums: &mut Sums) -> bool {
        let before = (self.active, self.shared);
        if !self.is_shaded() {
            self.choose_shading(sums);
        } else if self.shared[0] {
            self.part_if_worth(sums);
        } else {
            self.join_if_worth(sums, SHADING, LIGHT);
        }
        self.join_if_worth(sums, SLOPES, SLOPE);
        (self.active, self.shared) != before
    }

    /// Lets the simplest light join that explains the picture: one that the disc shares with
    /// its ground, or one on the disc alone. Each side's own, freely chosen, makes the centre
    /// of a small blurred disc many times less certain, but where it is strong it is there.
    fn choose_shading(&mut self, sums: &mut Sums) {
        // Of all that could join this explains the most.
        if self.fall(sums, SHADING) <= LIGHT {
            return;
        }
        let mut shared = sums.clone();
        // A mix of channels may be negative.
        let outside = self.p[4].abs().max(DARK).copysign(self.p[4]);
        self.tie = 0.5 * self.p[5] / outside;
        shared.fold(self.tie);
        let (of_both, of_disc) = (self.fall(&shared, OUTSIDE), self.fall(sums, INSIDE));
        let simple = of_both.max(of_disc) > LIGHT && !self.is_strong(sums);
        if simple && of_both >= of_disc {
            *sums = shared;
            self.join_shared(sums, SHADING);
        } else {
            self.tie = 0.0;
            self.join(if simple { INSIDE } else { SHADING });
        }
    }

    /// Whether the light around the disc, or what the disc has more of it, changes by much of
    /// the contrast.
    fn is_strong(&self, sums: &Sums) -> bool {
        solve(sums, &self.with(SHADING)).is_some_and(|(step, _)| {
            size(&step, OUTSIDE).max(size(&step, INSIDE)) > STRONG * self.p[5].abs()
        })
    }

    /// Lets curved light join if it is there.
    pub(super) fn choose_curvature(&mut self, sums: &mut Sums) -> bool {
        let before = (self.active, self.shared);
        if size(&self.p, INSIDE) > STRONG * self.p[5].abs() {
            self.join_if_worth(sums, CURVATURE, STRONG_CURVE);
        } else if self.shared[0] {
            if !self.has(BOWED) && self.fall(sums, BOWED_OUTSIDE) > LIGHT {
                self.join_shared(sums, BOWED);
            }
        } else if !self.has(OUTSIDE) {
            self.join_if_worth(sums, BOWED_INSIDE, LIGHT);
        }
        let worth = if self.has(BOWED_INSIDE) { REST_OF_CURVE } else { CURVE };
        self.join_if_worth(sums, CURVATURE, worth);
        if self.has(CURVATURE) {
            self.shared[1] = false;
        }
        (self.active, self.shared) != before
    }

    /// Takes all light out that is not even.
    pub(super) fn make_even(&mut self) {
        for terms in [(BASE, ROUND), CURVATURE] {
            self.p[terms.0..terms.1].fill(0.0);
            self.active[terms.0..terms.1].fill(false);
        }
        (self.tie, self.shared) = (0.0, [false; 2]);
    }

    /// Whether light that is not even takes part.
    pub(super) fn is_shaded(&self) -> bool {
        self.has(OUTSIDE) || self.has(INSIDE)
    }

    /// Makes a pass one about the light that the disc shares with its ground and what the
    /// disc's own differs from it, which is held back.
    pub(super) fn share(&self, sums: &mut Sums) {
        sums.fold(self.tie);
        for (group, _) in [SHADING, BOWED].into_iter().zip(self.shared).filter(|(_, s)| *s) {
            self.hold(sums, group, size(&self.p, group));
        }
    }

    /// Lets shading or curved light join that the disc shares with its ground.
    fn join_shared(&mut self, sums: &mut Sums, group: Terms) {
        if let Some((step, _)) = solve(sums, &self.with((group.0, group.0 + 2))) {
            self.hold(sums, group, size(&step, group));
        }
        self.join(group);
        self.shared[usize::from(group == BOWED)] = true;
    }

    /// No longer holds the disc's own shading back if chi squared falls by more than noise
    /// would make it.
    fn part_if_worth(&mut self, sums: &Sums) {
        let mut free = sums.clone();
        let weight = -self.holding(sums, size(&self.p, SHADING));
        let penalty = self.add_holding(&mut free, SHADING, weight);
        if let (Some(now), Some(then)) = (solve(sums, &self.active), solve(&free, &self.active))
            && then.1 - now.1 - penalty > LIGHT * sums.variance()
        {
            self.shared = [false; 2];
        }
    }

    /// Holds back what the disc's own part of a light of this size differs from the shared:
    /// a normal prior with the standard deviation of [`Course::tie`] times the size.
    fn hold(&self, sums: &mut Sums, group: Terms, size: f64) {
        self.add_holding(sums, group, self.holding(sums, size));
    }

    /// The weight of that prior.
    fn holding(&self, sums: &Sums, size: f64) -> f64 {
        sums.variance() / (self.tie * size).powi(2).max(1e-6)
    }

    /// Adds the prior with a `weight`, and returns what it makes of chi squared.
    fn add_holding(&self, sums: &mut Sums, group: Terms, weight: f64) -> f64 {
        let mut penalty = 0.0;
        for outside in group.0..group.0 + 2 {
            let inside = outside + 2;
            let own = self.p[inside] - self.tie * self.p[outside];
            sums.a[inside][inside] += weight;
            sums.b[inside] -= weight * own;
            penalty += weight * own * own;
        }
        penalty
    }

    fn has(&self, terms: Terms) -> bool {
        self.active[terms.0..terms.1].iter().all(|active| *active)
    }

    /// Those that take part, and more.
    fn with(&self, terms: Terms) -> [bool; N] {
        let mut active = self.active;
        active[terms.0..terms.1].fill(true);
        active
    }

    fn join(&mut self, terms: Terms) {
        self.active = self.with(terms);
    }

    /// Lets terms join for which chi squared falls by more than noise would make it.
    fn join_if_worth(&mut self, sums: &Sums, terms: Terms, worth: f64) {
        if !self.has(terms) && self.fall(sums, terms) > worth {
            self.join(terms);
        }
    }

    /// By how much chi squared falls when terms join, over the noise's variance.
    fn fall(&self, sums: &Sums, terms: Terms) -> f64 {
        match (solve(sums, &self.active), solve(sums, &self.with(terms))) {
            (Some(now), Some(then)) => (then.1 - now.1) / sums.variance(),
            _ => 0.0,
        }
    }

    /// Whether a side counts as one pixel.
    pub(super) fn is_once(&self) -> bool {
        self.flat != [None; 2]
    }

    /// Whether the model is a disc in even light in front of one ground, all of it in sight.
    pub(super) fn is_plain(&self) -> bool {
        self.is_even() && !self.gap && self.hidden == 0
    }

    /// Whether the model is a disc in even light in front of one ground.
    pub(super) fn is_even(&self) -> bool {
        self.is_round() && self.uneven == [0; 2]
    }

    /// Whether the model has no more terms than a round disc with two levels.
    pub(super) fn is_round(&self) -> bool {
        !self.active[BASE..].contains(&true) && !self.levels.is_any()
    }

    /// Settles for whole levels of the sides without noise, as they are drawn, if these
    /// are more likely than others that are rounded to them: if the density that the edge
    /// gives them is above 1, that of all others before (Dickey 1971). `covariance` is
    /// that of x, y, r, s, B and A; it shrinks by what is known then. Otherwise their levels
    /// are known to within rounding.
    pub(super) fn settle(&self, p: &mut [f64; N], covariance: &mut [[f64; BASE]; BASE]) {
        if self.active[BASE..].contains(&true) {
            return;
        }
        let (mut q, mut c, mut density) = (*p, *covariance, 1.0);
        for (inside, level) in self.flat.iter().enumerate() {
            let Some(level) = level else { continue };
            let (lacking, variance) = learn(&mut q, &mut c, inside == 1, *level, 0.0);
            density *= libm::exp(-0.5 * lacking * lacking / variance)
                / (std::f64::consts::TAU * variance).sqrt();
        }
        if density > 1.0 {
            (*p, *covariance) = (q, c);
            return;
        }
        // An edge that is not the model's, as that of a disc of whole pixels, must not tell them.
        for (inside, level) in self.flat.iter().enumerate() {
            if let Some(level) = level {
                learn(p, covariance, inside == 1, *level, ROUNDING);
            }
        }
    }

    pub(super) fn is_lost(&self, start_r: f64) -> bool {
        let p = &self.p;
        p[ROUND].hypot(p[ROUND + 1]) > FLATTEST * p[2]
            || p[0].hypot(p[1]) > CAPTURE
            || (p[2] - start_r).abs() > CAPTURE
    }
}

/// Brings what is known of the level inside or outside into an answer and its covariance,
/// of x, y, r, s, B and A (a step of Kalman's filter). Returns by how much the level was off
/// and the variance of that.
pub(super) fn learn(
    p: &mut [f64; N],
    covariance: &mut [[f64; BASE]; BASE],
    inside: bool,
    level: f64,
    variance: f64,
) -> (f64, f64) {
    // B outside, B + A inside.
    let sum = |v: &[f64]| v[4] + if inside { v[5] } else { 0.0 };
    let with: [f64; BASE] = std::array::from_fn(|i| sum(&covariance[i]));
    let (variance, lacking) = ((sum(&with) + variance).max(1e-12), level - sum(p));
    for i in 0..BASE {
        p[i] += with[i] / variance * lacking;
        (0..BASE).for_each(|j| covariance[i][j] -= with[i] * with[j] / variance);
    }
    (lacking, variance)
}

/// Terms that join together: from the first up to the second.
type Terms = (usize, usize);

/// Shading: of both sides, what the inside has more of it, and both of these.
const OUTSIDE: Terms = (BASE, BASE + 2);
const INSIDE: Terms = (BASE + 2, BASE + 4);
const SHADING: Terms = (OUTSIDE.0, INSIDE.1);
const SLOPES: Terms = (BASE + 4, ROUND);
/// The same of light that changes with twice the angle, and all of curved light.
const BOWED_OUTSIDE: Terms = (CURVED, CURVED + 2);
const BOWED_INSIDE: Terms = (CURVED + 2, CURVED + 4);
const BOWED: Terms = (BOWED_OUTSIDE.0, BOWED_INSIDE.1);
const CURVATURE: Terms = (CURVED, N);
/// The terms of the inside that those of the outside bring with them.
const TIED: [(usize, usize); 4] = [
    (OUTSIDE.0, INSIDE.0),
    (OUTSIDE.0 + 1, INSIDE.0 + 1),
    (BOWED_OUTSIDE.0, BOWED_INSIDE.0),
    (BOWED_OUTSIDE.0 + 1, BOWED_INSIDE.0 + 1),
];

/// By how much chi squared must fall, over the noise's variance, for terms of light: 1 of
/// 8000 cases without them has as much for two, 1 of 800 for four; and for slopes, 1 of
/// 1000.
const LIGHT: f64 = 18.0;
const SLOPE: f64 = 14.0;
/// The same for all of curved light and for what its simplest part leaves: 1 of 1000, and
/// fewer where that was shared.
const CURVE: f64 = 22.0;
const REST_OF_CURVE: f64 = 18.5;
/// The same where the contrast changes much along the rim: what chance has on
/// average. Left out below the other threshold, it pulled the centre by up to 8
/// deviations there.
const STRONG_CURVE: f64 = 6.0;
/// Change of the contrast along the rim, as a share of it, from which that holds.
const STRONG: f64 = 0.25;
/// Grey levels outside that light in proportion to them is reckoned with, at least.
const DARK: f64 = 5.0;

/// Size of the light that a group of terms has in `p`, grey levels.
fn size(p: &[f64; N], group: Terms) -> f64 {
    p[group.0].hypot(p[group.0 + 1])
}

impl Sums {
    /// Variance of the residuals.
    pub(super) fn variance(&self) -> f64 {
        (self.chi2 / (self.weight - 8.0).max(1.0)).max(ROUNDING)
    }

    /// Makes the outside's terms bring the inside's with them, times `tie`.
    fn fold(&mut self, tie: f64) {
        if tie == 0.0 {
            return;
        }
        for (outside, inside) in TIED {
            (0..N).for_each(|k| self.a[outside][k] += tie * self.a[inside][k]);
            (0..N).for_each(|k| self.a[k][outside] += tie * self.a[k][inside]);
            self.b[outside] += tie * self.b[inside];
        }
    }
}

/// The step instead of the one that is `due`, when steps shrink by a constant
/// ratio, from the one that was due before and the one that was made: Anderson's
/// method of depth 1 (1965), in the metric of `a`.
fn anderson(due: &[f64; N], due_before: &[f64; N], made: &[f64; N], a: &[[f64; N]; N]) -> [f64; N] {
    let change: [f64; N] = std::array::from_fn(|k| due[k] - due_before[k]);
    let dot = |x: &[f64; N], y: &[f64; N]| -> f64 {
        let row = |r: &[f64; N]| r.iter().zip(y).map(|(a, y)| a * y).sum::<f64>();
        x.iter().zip(a).map(|(x, r)| x * row(r)).sum()
    };
    let theta = dot(due, &change) / dot(&change, &change).max(1e-30);
    let theta = theta.clamp(-SLOWEST, 0.5);
    std::array::from_fn(|k| due[k] - theta * (made[k] + change[k]))
}

/// Solves for the active unknowns; also returns by how much chi squared falls.
pub(super) fn solve(sums: &Sums, active: &[bool; N]) -> Option<([f64; N], f64)> {
    let x = solve_for(&sums.a, &sums.b, active)?;
    Some((x, x.iter().zip(&sums.b).map(|(x, b)| x * b).sum()))
}

pub(super) fn solve_for(a: &[[f64; N]; N], b: &[f64; N], active: &[bool; N]) -> Option<[f64; N]> {
    let (index, n) = chosen(active);
    let index = &index[..n];
    let mut dense = [[0.0; N]; N];
    let mut right = [0.0; N];
    for (i, &row) in index.iter().enumerate() {
        for (j, &column) in index[..=i].iter().enumerate() {
            dense[i][j] = a[row][column];
        }
        right[i] = b[row];
    }
    let x = linalg::solve(&dense, &right, n)?;
    let mut out = [0.0; N];
    for (&row, x) in index.iter().zip(x) {
        out[row] = x;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A step in the unknowns that are tied is one in the others.
    #[test]
    fn tied_terms_lead_to_where_free_ones_do() {
        let mut sums = Sums { a: [[0.0; N]; N], b: [0.0; N], chi2: 100.0, weight: 500.0 };
        for i in 0..N {
            for j in 0..N {
                let apart = i as f64 - j as f64;
                sums.a[i][j] = 10.0 / (1.0 + apart * apart) + if i == j { 5.0 } else { 0.0 };
            }
            sums.b[i] = (1.7 * i as f64).sin();
        }
        let start: [f64; N] = std::array::from_fn(|k| if k == 2 { 20.0 } else { 1.0 });
        let arrive = |tie: f64| {
            let mut course = Course::new(start);
            (course.active, course.tie) = ([true; N], tie);
            let mut pass = sums.clone();
            course.share(&mut pass);
            let (step, explained) = solve(&pass, &course.active).unwrap();
            course.advance(&step, 20.0);
            (course.p, explained)
        };
        let ((free, all), (tied, same)) = (arrive(0.0), arrive(-0.4));
        assert!((all - same).abs() < 1e-9, "{all} {same}");
        assert!(free.iter().zip(&tied).all(|(a, b)| (a - b).abs() < 1e-9), "{free:?} {tied:?}");
    }

    /// What is held back moves the less the smaller the light is that it is a part of.
    #[test]
    fn the_own_light_of_a_disc_is_held_to_that_of_its_ground() {
        let mut sums = Sums { a: [[0.0; N]; N], b: [0.0; N], chi2: 400.0, weight: 108.0 };
        (0..N).for_each(|k| sums.a[k][k] = 4.0);
        (sums.b[6], sums.b[8]) = (2.0, 2.0);
        let own = |size: f64| {
            let mut p = [0.0; N];
            (p[2], p[3], p[6], p[8]) = (20.0, 1.0, size, -0.4 * size);
            let mut course = Course::new(p);
            course.join(SHADING);
            (course.tie, course.shared[0]) = (-0.4, true);
            let mut pass = sums.clone();
            course.share(&mut pass);
            let (step, _) = solve(&pass, &course.active).unwrap();
            step[8]
        };
        let (small, large) = (own(0.1), own(100.0));
        assert!(small.abs() < 0.01 && (large - 0.5).abs() < 0.2, "{small} {large}");
    }

    #[test]
    fn steps_that_shrink_by_a_constant_ratio_end_at_once() {
        let mut a = [[0.0; N]; N];
        (0..N).for_each(|k| a[k][k] = 1.0 + k as f64);
        // 0.8 of what is missing is missing after a step.
        let goal: [f64; N] = std::array::from_fn(|k| 0.1 * k as f64 - 0.4);
        let due = |p: &[f64; N]| -> [f64; N] { std::array::from_fn(|k| 0.2 * (goal[k] - p[k])) };
        let mut start = [0.0; N];
        (start[2], start[3]) = (20.0, 1.0);
        let mut course = Course::new(start);
        for _ in 0..2 {
            let step = due(&course.p);
            course.hasten(&step, &a, 20.0);
        }
        let missing = |k: usize| (course.p[k] - goal[k]).abs();
        // The width stays what sampling allows at least.
        assert!((0..N).filter(|k| *k != 3).all(|k| missing(k) < 1e-9), "{:?}", course.p);
    }
}
