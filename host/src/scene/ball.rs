//! A ball: its motion, its size and the mask of its image.

use std::f64::consts::{PI, TAU};

use super::{
    camera::{Camera, Image},
    config::{BallConfig, Edge, Motion, SceneConfig},
    disc,
    motion::{Bouncing, Room, WholePixels},
    optics::Optics,
    patch::{Patch, Rect},
    rng::Dice,
    truth::BallTruth,
};

/// Streams of the seed: balls count from here.
const BALL_STREAM: u64 = 1000;
const PLATE_STREAM: u64 = 999;

/// A ball on its way.
#[derive(Debug, Clone)]
pub(crate) struct Ball {
    mover: Mover,
    /// Radius at rest, in pixels.
    base_radius: f64,
    /// Share of the first ball's contrast.
    contrast: f32,
    config: BallConfig,
    image: Image,
    patch: Patch,
    plate: Option<Plate>,
}

/// What hides a share of a ball's rim and moves with it.
#[derive(Debug, Clone)]
struct Plate {
    /// Share of the rim.
    cover: f64,
    /// Direction at frame 0, in radians.
    start: f64,
    corners: [[f64; 2]; 4],
    patch: Patch,
}

/// How fast the plate turns around the ball, in radians per frame: 2 degrees.
const PLATE_TURN: f64 = PI / 90.0;

#[derive(Debug, Clone)]
enum Mover {
    Bouncing(Bouncing),
    WholePixels(WholePixels),
}

impl Ball {
    /// Ball number `n`; 0 is the one that is scored.
    pub(crate) fn new(config: &SceneConfig, n: u32) -> Self {
        let ball = &config.ball;
        let mut dice = Dice::new(config.seed, BALL_STREAM + u64::from(n));
        let within = |dice: &mut Dice, [low, high]: [f64; 2]| dice.between(low, high);
        let (base_radius, contrast) = match n {
            0 => (ball.radius, 1.0),
            _ => (within(&mut dice, ball.other_radius), within(&mut dice, ball.other_contrast)),
        };
        let room = room(config, base_radius * (1.0 + ball.pulse));
        let start = ball.start.filter(|_| n == 0);
        let mover = match ball.motion {
            Motion::Continuous => {
                let turn = ball.turn.to_radians();
                Mover::Bouncing(Bouncing::new(dice, room, ball.speed, turn, start))
            }
            Motion::WholePixels => {
                Mover::WholePixels(WholePixels::new(dice, room, ball.speed[0], start))
            }
        };
        let patch = Patch::new(config.width, config.height);
        let plate = (n == 0 && config.occlusion.cover > 0.0).then(|| Plate {
            cover: config.occlusion.cover,
            start: Dice::new(config.seed, PLATE_STREAM).between(0.0, TAU),
            corners: [[0.0; 2]; 4],
            patch: patch.clone(),
        });
        let image = Camera::new(config).image([0.0; 2], base_radius, [0.0; 2]);
        Self {
            mover,
            base_radius,
            contrast: contrast as f32,
            config: ball.clone(),
            image,
            patch,
            plate,
        }
    }

    pub(crate) fn step(&mut self) {
        match &mut self.mover {
            Mover::Bouncing(m) => m.step(),
            Mover::WholePixels(m) => m.step(),
        }
    }

    /// Makes the masks of frame `age` of the scene.
    pub(crate) fn draw(&mut self, age: u64, camera: &Camera, optics: &mut Optics) {
        let phase = TAU * ((age as f64 / self.config.pulse_period) % 1.0);
        let radius = self.base_radius * (1.0 + self.config.pulse * libm::sin(phase));
        self.image = camera.image(self.position(), radius, self.velocity());
        match self.config.edge {
            Edge::Area => optics.expose(camera, &self.image, &mut self.patch),
            Edge::Hard => {
                let [x, y] = self.position();
                disc::cover_hard(&mut self.patch, x, y, radius);
            }
        }
        if let Some(plate) = &mut self.plate {
            plate.turn(&self.image, age);
            optics.expose_plate(&plate.corners, self.image.smear, &mut plate.patch);
        }
    }

    pub(crate) fn patch(&self) -> &Patch {
        &self.patch
    }

    /// The mask of the plate in front of the ball.
    pub(crate) fn plate(&self) -> Option<&Patch> {
        self.plate.as_ref().map(|p| &p.patch)
    }

    /// What the ball and its plate touch.
    pub(crate) fn bounds(&self) -> Rect {
        self.plate().map_or(self.patch.bounds(), |p| p.bounds().union(self.patch.bounds()))
    }

    /// Contrast as a share of the first ball's.
    pub(crate) fn contrast(&self) -> f32 {
        self.contrast
    }

    /// Centroid and radius of the image.
    pub(crate) fn disc(&self) -> ([f64; 2], f64) {
        (self.image.centroid, self.image.radius)
    }

    pub(crate) fn image(&self) -> &Image {
        &self.image
    }

    /// Whether the ball or its plate hides the point (`x`, `y`) from what is behind.
    pub(crate) fn hides(&self, x: f64, y: f64) -> bool {
        self.holds(x, y) || self.plate_hides(x, y)
    }

    /// Whether the point (`x`, `y`) is on the ball.
    pub(crate) fn holds(&self, x: f64, y: f64) -> bool {
        let ([cx, cy], r) = self.disc();
        (x - cx) * (x - cx) + (y - cy) * (y - cy) < r * r
    }

    /// Whether the plate is in front of the point (`x`, `y`).
    pub(crate) fn plate_hides(&self, x: f64, y: f64) -> bool {
        self.plate.as_ref().is_some_and(|plate| {
            (0..4).all(|k| {
                let (p, q) = (plate.corners[k], plate.corners[(k + 1) % 4]);
                (q[0] - p[0]) * (y - p[1]) - (q[1] - p[1]) * (x - p[0]) >= 0.0
            })
        })
    }

    /// The truth, as if nothing hid the ball.
    pub(crate) fn truth(&self, camera: &Camera) -> BallTruth {
        let image = &self.image;
        let [x, y] = camera.truth(image);
        BallTruth {
            x,
            y,
            radius: image.radius,
            centroid: image.centroid,
            projection: image.projection,
            velocity: self.velocity(),
            visible: 1.0,
            visible_arc: 1.0,
            contrast: self.config.contrast * f64::from(self.contrast),
        }
    }

    fn position(&self) -> [f64; 2] {
        match &self.mover {
            Mover::Bouncing(m) => m.position(),
            Mover::WholePixels(m) => m.position(),
        }
    }

    fn velocity(&self) -> [f64; 2] {
        match &self.mover {
            Mover::Bouncing(m) => m.velocity(),
            Mover::WholePixels(m) => m.velocity(),
        }
    }
}

impl Plate {
    /// A plate whose inner side is the chord that cuts off `cover` of the rim.
    fn turn(&mut self, image: &Image, age: u64) {
        let turns = (self.start + PLATE_TURN * (age % 180) as f64) % TAU;
        let (sin, cos) = libm::sincos(turns);
        let ([cx, cy], r) = (image.centroid, image.radius);
        let (near, far, half) = (r * libm::cos(PI * self.cover), r * 1.3, r * 1.3);
        let corner = |d: f64, along: f64| [cx + d * cos - along * sin, cy + d * sin + along * cos];
        self.corners =
            [corner(near, -half), corner(far, -half), corner(far, half), corner(near, half)];
    }
}

/// Where the centre of a ball with the radius `r` may be. The canvas reaches
/// from -1/2 to n - 1/2.
fn room(config: &SceneConfig, r: f64) -> Room {
    let inset = match config.ball.edge {
        // The original keeps whole pixels: 20 to 379 for a radius of 20.
        Edge::Hard => r,
        Edge::Area => r - 0.5,
    } - 2.0 * r * config.ball.overhang;
    let size = [config.width, config.height].map(|n| f64::from(n) - 1.0);
    let max = size.map(|n| n - inset);
    // A ball as large as the canvas has one place; rounding must not turn it around.
    Room { min: max.map(|m| inset.min(m)), max }
}

#[cfg(test)]
#[path = "ball_tests.rs"]
mod tests;
