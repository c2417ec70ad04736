//! A ball: its motion, its size and the mask of its image.

use super::{
    config::{BallConfig, Edge, Motion, SceneConfig},
    disc,
    motion::{Bouncing, Room, WholePixels},
    patch::Patch,
    rng::Dice,
    truth::BallTruth,
};

/// Streams of the seed: balls count from here.
const BALL_STREAM: u64 = 1000;

/// A ball on its way.
#[derive(Debug, Clone)]
pub(crate) struct Ball {
    mover: Mover,
    /// Radius at rest, in pixels.
    base_radius: f64,
    radius: f64,
    config: BallConfig,
    patch: Patch,
}

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
        let base_radius = match n {
            0 => ball.radius,
            _ => dice.between(ball.other_radius[0], ball.other_radius[1]),
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
        Self {
            mover,
            base_radius,
            radius: base_radius,
            config: ball.clone(),
            patch: Patch::new(config.width, config.height),
        }
    }

    pub(crate) fn step(&mut self) {
        match &mut self.mover {
            Mover::Bouncing(m) => m.step(),
            Mover::WholePixels(m) => m.step(),
        }
    }

    /// Makes the mask of frame `age` of the scene.
    pub(crate) fn draw(&mut self, age: u64) {
        let [x, y] = self.position();
        let phase = std::f64::consts::TAU * (age as f64 / self.config.pulse_period);
        self.radius = self.base_radius * (1.0 + self.config.pulse * libm::sin(phase));
        match self.config.edge {
            Edge::Area => disc::cover(&mut self.patch, x, y, self.radius),
            Edge::Hard => disc::cover_hard(&mut self.patch, x, y, self.radius),
        }
    }

    pub(crate) fn patch(&self) -> &Patch {
        &self.patch
    }

    pub(crate) fn truth(&self) -> BallTruth {
        let [x, y] = self.position();
        BallTruth {
            x,
            y,
            radius: self.radius,
            centroid: [x, y],
            projection: [x, y],
            velocity: self.velocity(),
            visible: 1.0,
            visible_arc: 1.0,
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
