//! How a ball moves: straight lines between walls, a random bounce at each.

use super::rng::Dice;

/// Where the centre may be: `min[axis] <= position[axis] <= max[axis]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Room {
    pub(crate) min: [f64; 2],
    pub(crate) max: [f64; 2],
}

impl Room {
    fn size(&self, axis: usize) -> f64 {
        self.max[axis] - self.min[axis]
    }

    fn clamp(&self, p: [f64; 2]) -> [f64; 2] {
        [0, 1].map(|a| p[a].clamp(self.min[a], self.max[a]))
    }
}

/// Bounces within one frame after which the rest of the frame is spent at the
/// wall. Reached only when the speed is many times the free room.
const MAX_BOUNCES: u32 = 64;

/// The least share of the speed that points away from a wall after a bounce,
/// so that no ball creeps along one.
const MIN_DEPARTURE: f64 = 0.2;

/// Continuous motion. Positions in pixels, velocities in pixels per frame.
#[derive(Debug, Clone)]
pub(crate) struct Bouncing {
    dice: Dice,
    room: Room,
    speed: [f64; 2],
    /// Largest deviation from the mirrored direction, in radians.
    turn: f64,
    position: [f64; 2],
    velocity: [f64; 2],
}

impl Bouncing {
    /// Starts at `start`, or anywhere in `room`, with a random direction.
    pub(crate) fn new(
        mut dice: Dice,
        room: Room,
        speed: [f64; 2],
        turn: f64,
        start: Option<[f64; 2]>,
    ) -> Self {
        let anywhere = [0, 1].map(|a| dice.between(room.min[a], room.max[a]));
        let direction = dice.direction();
        let mut ball = Self {
            position: room.clamp(start.unwrap_or(anywhere)),
            velocity: [0.0; 2],
            dice,
            room,
            speed,
            turn,
        };
        ball.head(direction);
        ball
    }

    pub(crate) fn position(&self) -> [f64; 2] {
        self.position
    }

    pub(crate) fn velocity(&self) -> [f64; 2] {
        self.velocity
    }

    /// Moves by one frame.
    pub(crate) fn step(&mut self) {
        let mut left = 1.0;
        for _ in 0..MAX_BOUNCES {
            let hit = [0, 1].map(|a| self.time_to_wall(a));
            let axis = usize::from(hit[1] < hit[0]);
            let time = hit[axis].min(left);
            for a in [0, 1] {
                self.position[a] += self.velocity[a] * time;
            }
            left -= time;
            if left <= 0.0 {
                break;
            }
            self.bounce(axis);
        }
        self.position = self.room.clamp(self.position);
    }

    fn time_to_wall(&self, axis: usize) -> f64 {
        let v = self.velocity[axis];
        let wall = if v > 0.0 { self.room.max[axis] } else { self.room.min[axis] };
        if v == 0.0 { f64::INFINITY } else { ((wall - self.position[axis]) / v).max(0.0) }
    }

    fn bounce(&mut self, axis: usize) {
        let away = if self.velocity[axis] > 0.0 { -1.0 } else { 1.0 };
        // Exactly on the wall, so that rounding cannot carry over.
        self.position[axis] = if away < 0.0 { self.room.max[axis] } else { self.room.min[axis] };
        let mut v = self.velocity;
        v[axis] = -v[axis];
        let length = (v[0] * v[0] + v[1] * v[1]).sqrt();
        let (sin, cos) = libm::sincos(self.dice.between(-self.turn, self.turn));
        let mut d = [(v[0] * cos - v[1] * sin) / length, (v[0] * sin + v[1] * cos) / length];
        if d[axis] * away < MIN_DEPARTURE {
            d[axis] = away * MIN_DEPARTURE;
            let along = (1.0 - MIN_DEPARTURE * MIN_DEPARTURE).sqrt();
            d[1 - axis] = along.copysign(d[1 - axis]);
        }
        self.head(d);
    }

    /// Draws a speed for `direction`; an axis without room has none.
    fn head(&mut self, mut direction: [f64; 2]) {
        let speed = self.dice.between(self.speed[0], self.speed[1]);
        for a in [0, 1] {
            if self.room.size(a) <= 0.0 {
                direction[a] = 0.0;
                direction[1 - a] = 1.0f64.copysign(direction[1 - a]);
            }
        }
        for a in [0, 1] {
            let fixed = self.room.size(a) <= 0.0;
            self.velocity[a] = if fixed { 0.0 } else { direction[a] * speed };
        }
    }
}

/// The motion of the original system: whole pixels, and at a wall that axis'
/// speed is drawn anew from {1, 2, 3, 4} pixels per frame and turned around.
/// Unlike there, the ball stops at the wall and never leaves the canvas.
#[derive(Debug, Clone)]
pub(crate) struct WholePixels {
    dice: Dice,
    room: Room,
    position: [f64; 2],
    velocity: [f64; 2],
}

impl WholePixels {
    pub(crate) fn new(mut dice: Dice, room: Room, speed: f64, start: Option<[f64; 2]>) -> Self {
        let room = Room { min: room.min.map(f64::ceil), max: room.max.map(f64::floor) };
        let anywhere = [0, 1].map(|a| dice.between(room.min[a], room.max[a]).round());
        let position = room.clamp(start.map_or(anywhere, |p| p.map(f64::round)));
        Self { dice, room, position, velocity: [speed.round(); 2] }
    }

    pub(crate) fn position(&self) -> [f64; 2] {
        self.position
    }

    pub(crate) fn velocity(&self) -> [f64; 2] {
        self.velocity
    }

    pub(crate) fn step(&mut self) {
        for a in [0, 1] {
            let next = self.position[a] + self.velocity[a];
            self.position[a] = next.clamp(self.room.min[a], self.room.max[a]);
            if next <= self.room.min[a] || next >= self.room.max[a] {
                let speed = f64::from(1 + self.dice.below(4));
                self.velocity[a] = if next <= self.room.min[a] { speed } else { -speed };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_ball_never_leaves_its_room(
            seed: u64, w in 0.0..500.0f64, h in 0.0..500.0f64,
            slow in 0.0..50.0f64, more in 0.0..5000.0f64, turn in 0.0..3.2f64,
        ) {
            let room = Room { min: [10.0, 20.0], max: [10.0 + w, 20.0 + h] };
            let mut ball = Bouncing::new(Dice::new(seed, 1), room, [slow, slow + more], turn, None);
            for _ in 0..200 {
                ball.step();
                let p = ball.position();
                for a in [0, 1] {
                    prop_assert!(p[a] >= room.min[a] && p[a] <= room.max[a], "{p:?} left {room:?}");
                }
            }
        }

        #[test]
        fn the_original_motion_stays_in_its_room(seed: u64, w in 0..30i32, x in 0..400i32, y in 0..400i32) {
            let room = Room { min: [20.0, 20.0], max: [f64::from(20 + w), 379.0] };
            let start = Some([f64::from(x), f64::from(y)]);
            let mut ball = WholePixels::new(Dice::new(seed, 1), room, 2.0, start);
            for _ in 0..500 {
                ball.step();
                for (a, p) in ball.position().into_iter().enumerate() {
                    prop_assert!(p >= room.min[a] && p <= room.max[a] && p.fract() == 0.0);
                }
            }
        }
    }

    #[test]
    fn bounces_are_random_and_positions_are_not_on_a_grid() {
        let room = Room { min: [20.0; 2], max: [300.0; 2] };
        let mut ball = Bouncing::new(Dice::new(1, 1), room, [3.0, 9.0], 0.5, None);
        let mut speeds = std::collections::BTreeSet::new();
        let mut phases = [0u32; 10];
        for _ in 0..5000 {
            ball.step();
            let [x, y] = ball.velocity();
            speeds.insert((x.hypot(y) * 1e6) as i64);
            phases[(ball.position()[0].fract() * 10.0) as usize] += 1;
        }
        assert!(speeds.len() > 50, "{} speeds", speeds.len());
        assert!(phases.iter().all(|&n| n > 300), "{phases:?}");
    }

    #[test]
    fn a_ball_without_room_stays() {
        let room = Room { min: [31.5; 2], max: [31.5; 2] };
        let mut ball = Bouncing::new(Dice::new(1, 1), room, [3.0, 9.0], 0.5, None);
        ball.step();
        assert_eq!(ball.position(), [31.5; 2]);
    }
}
