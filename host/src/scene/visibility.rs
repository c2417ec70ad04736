//! How much of a ball can be seen.

use std::f64::consts::{PI, TAU};

use super::{ball::Ball, camera::Camera, objects::Distractor, patch::Rect, strip::Strip};

/// What is in front of a ball and behind it, and where the canvas ends.
pub(crate) struct View<'a> {
    pub(crate) whole: Rect,
    pub(crate) bars: &'a [Strip],
    pub(crate) nearer: &'a [Ball],
    /// The nearest one first.
    pub(crate) farther: &'a [Ball],
    /// Behind all balls, the farthest one first.
    pub(crate) distractors: &'a [Distractor],
    pub(crate) camera: &'a Camera,
}

/// Points on the rim that are looked at.
const RIM_POINTS: u32 = 360;

/// Share of a ball's contrast by which its rim must differ from what is behind it.
const LEAST_STEP: f64 = 0.1;

impl View<'_> {
    /// The shares of the area and of the rim that can be seen.
    pub(crate) fn of(&self, ball: &Ball) -> (f64, f64) {
        let bounds = ball.patch().bounds();
        let inside = bounds.x0 > 0
            && bounds.y0 > 0
            && bounds.x1 < self.whole.x1
            && bounds.y1 < self.whole.y1;
        let apart = |other: Rect| !other.overlaps(bounds);
        let free = ball.plate().is_none()
            && self.bars.is_empty()
            && [self.nearer, self.farther].iter().copied().flatten().all(|b| apart(b.bounds()))
            && self.distractors.iter().all(|d| apart(d.patch.bounds()));
        if inside && free {
            return (1.0, 1.0);
        }
        (self.area(ball), self.arc(ball))
    }

    fn area(&self, ball: &Ball) -> f64 {
        let (_, r) = ball.disc();
        let bounds = ball.patch().bounds();
        let mut sum = 0.0;
        for y in bounds.y0..bounds.y1 {
            let (spans, alpha) = ball.patch().row(y);
            for (x, a) in (spans.start..spans.end).zip(alpha) {
                let mut seen = f64::from(*a);
                for bar in self.bars {
                    seen *= 1.0 - f64::from(bar.coverage(x, y));
                }
                for other in self.nearer {
                    seen *= 1.0 - f64::from(other.patch().at(x, y));
                }
                for plate in self.nearer.iter().chain([ball]).filter_map(Ball::plate) {
                    seen *= 1.0 - f64::from(plate.at(x, y));
                }
                sum += seen;
            }
        }
        (sum / (PI * r * r)).clamp(0.0, 1.0)
    }

    fn arc(&self, ball: &Ball) -> f64 {
        let outline = &ball.image().outline;
        let seen = (0..RIM_POINTS)
            .filter(|k| {
                let t = TAU * f64::from(*k) / f64::from(RIM_POINTS);
                let [x, y] = self.camera.point(outline, t);
                x >= -0.5
                    && y >= -0.5
                    && x <= f64::from(self.whole.x1) - 0.5
                    && y <= f64::from(self.whole.y1) - 0.5
                    && !self.bars.iter().any(|bar| bar.holds(x, y))
                    && !ball.plate_hides(x, y)
                    && !self.nearer.iter().any(|other| other.hides(x, y))
                    && self.stands_out(ball, x, y)
            })
            .count();
        seen as f64 / f64::from(RIM_POINTS)
    }

    /// Whether the ball's rim at (`x`, `y`) can be told from a ball or a distractor
    /// that is right behind it.
    fn stands_out(&self, ball: &Ball, x: f64, y: f64) -> bool {
        let own = f64::from(ball.contrast());
        let ball_behind = self.farther.iter().find(|other| other.holds(x, y));
        let distractor_behind = || {
            let holds = |d: &&Distractor| (x - d.circle.x).hypot(y - d.circle.y) < d.circle.radius;
            self.distractors.iter().rev().find(holds).map(|d| d.contrast)
        };
        let behind = ball_behind.map(|b| f64::from(b.contrast())).or_else(distractor_behind);
        behind.is_none_or(|behind| (own - behind).abs() >= LEAST_STEP * own.abs())
    }
}
