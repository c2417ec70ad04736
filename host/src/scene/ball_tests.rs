//! Balls over many frames and seeds against what is documented of them.

use super::super::{
    BallTruth, Scene,
    testing::{assert_disc, assert_uniform, grey, level, pixels},
};
use super::*;

/// The difference of two directions, between -pi and pi.
fn between(a: f64, b: f64) -> f64 {
    (b - a + PI).rem_euclid(TAU) - PI
}

#[test]
fn the_plate_turns_by_two_degrees_a_frame_and_moves_with_the_ball() {
    let mut config = grey(160, 140, 0.0, 0.0);
    (config.ball.radius, config.ball.speed) = (12.0, [0.5, 0.9]);
    config.occlusion.cover = 0.3;
    config.occlusion.color = [255.0; 3];
    let mut scene = Scene::new(&config).unwrap();
    let (mut start, mut whole) = (None, 0);
    for n in 0..400 {
        let ball = scene.truth().balls[0];
        let (mut sum, mut mx, mut my) = (0.0, 0.0, 0.0);
        for (x, y) in pixels(&config) {
            let v = level(&scene, x, y);
            let (dx, dy) = (f64::from(x) - ball.x, f64::from(y) - ball.y);
            (sum, mx, my) = (sum + v, mx + v * dx, my + v * dy);
        }
        scene.step();
        let free = ball.x.min(ball.y).min(159.0 - ball.x).min(139.0 - ball.y);
        if free < 2.0 * ball.radius {
            // The canvas' edge may cut the plate.
            continue;
        }
        // y points down, so that directions grow clockwise.
        let direction = libm::atan2(my, mx);
        let first = *start.get_or_insert(direction - f64::from(n) * 2f64.to_radians());
        let off = between(first + f64::from(n) * 2f64.to_radians(), direction);
        assert!(off.abs() < 0.1f64.to_radians(), "frame {n}: {}", off.to_degrees());
        // Its near side is the chord over 30 % of the rim.
        let near = 12.0 * (0.3 * PI).cos();
        assert!((mx / sum).hypot(my / sum) > near, "frame {n}");
        whole += 1;
    }
    assert!(whole > 100, "{whole}");
}

#[test]
fn the_radius_follows_its_formula_and_so_does_the_picture() {
    let mut config = grey(160, 120, 0.0, 255.0);
    config.ball.count = 2;
    (config.ball.radius, config.ball.pulse, config.ball.pulse_period) = (20.0, 0.25, 37.5);
    config.ball.other_contrast = [0.0; 2];
    let mut scene = Scene::new(&config).unwrap();
    let other = scene.truth().balls[1].radius;
    for n in 0..90 {
        let [ball, second] = scene.truth().balls[..] else { panic!("two balls") };
        let swell = 1.0 + 0.25 * (TAU * f64::from(n) / 37.5).sin();
        assert!((ball.radius - 20.0 * swell).abs() < 1e-9, "frame {n}: {}", ball.radius);
        assert!((second.radius - other * swell).abs() < 1e-9, "frame {n}: {}", second.radius);
        assert_disc(&scene, ([ball.x, ball.y], ball.radius), [255.0, 0.0], |_, _| true);
        scene.step();
    }
}

#[test]
fn the_rim_comes_as_far_out_of_the_canvas_as_it_may() {
    for (overhang, pulse) in [(0.0, 0.0), (0.4, 0.0), (0.15, 0.0), (0.4, 0.2)] {
        let mut config = grey(110, 90, 0.0, 255.0);
        (config.ball.radius, config.ball.overhang, config.ball.pulse) = (20.0, overhang, pulse);
        (config.ball.speed, config.ball.pulse_period) = ([1.0, 2.0], 2.0);
        let mut scene = Scene::new(&config).unwrap();
        let mut furthest = [f64::NEG_INFINITY; 4];
        // The walls are those of the ball at its largest.
        let r = 20.0 * (1.0 + pulse);
        for _ in 0..4000 {
            let BallTruth { x, y, .. } = scene.truth().balls[0];
            let beyond = [r - x - 0.5, r - y - 0.5, x + r - 109.5, y + r - 89.5];
            for (worst, beyond) in furthest.iter_mut().zip(beyond) {
                *worst = worst.max(beyond);
            }
            scene.step();
        }
        for out in furthest {
            let allowed = overhang * 2.0 * r;
            assert!(out <= allowed + 1e-9 && out > allowed - 0.3, "{out} of {allowed}");
        }
    }
}

/// What becomes of a ball in one frame: where its centre hits a wall of
/// [`low`, `high`] first, on which axis, and what time is left then.
fn first_wall(ball: &BallTruth, low: [f64; 2], high: [f64; 2]) -> Option<([f64; 2], usize, f64)> {
    let (p, v) = ([ball.x, ball.y], ball.velocity);
    let time = [0, 1].map(|a| ((if v[a] > 0.0 { high[a] } else { low[a] }) - p[a]) / v[a]);
    let axis = usize::from(time[1] < time[0]);
    let t = time[axis];
    (t < 1.0).then(|| ([p[0] + v[0] * t, p[1] + v[1] * t], axis, 1.0 - t))
}

#[test]
fn balls_fly_straight_and_bounce_with_a_random_turn_and_speed() {
    let mut config = grey(72, 64, 0.0, 255.0);
    (config.ball.radius, config.ball.speed, config.ball.turn) = (6.0, [3.0, 9.0], 35.0);
    // Where the rim touches the edge of the canvas, from -1/2 to n - 1/2.
    let (low, high) = ([5.5, 5.5], [65.5, 57.5]);
    let (mut turns, mut speeds) = (Vec::new(), Vec::new());
    let mut scene = Scene::new(&config).unwrap();
    for _ in 0..6000 {
        let before = scene.truth().balls[0];
        scene.step();
        let after = scene.truth().balls[0];
        let (v, w) = (before.velocity, after.velocity);
        let Some((hit, axis, left)) = first_wall(&before, low, high) else {
            let off = (before.x + v[0] - after.x).hypot(before.y + v[1] - after.y);
            assert!(off < 1e-9 && v == w, "{before:?} {after:?}");
            continue;
        };
        let there = BallTruth { x: hit[0] + w[0] * left, y: hit[1] + w[1] * left, ..after };
        if (there.x - after.x).hypot(there.y - after.y) > 1e-9 {
            // Only a second bounce in the same frame leads anywhere else.
            let corner = [0, 1].into_iter().any(|a| {
                let p = [after.x, after.y][a];
                (p - low[a]).min(high[a] - p) < 9.0
            });
            assert!(corner, "{before:?} {after:?}");
            continue;
        }
        let speed = w[0].hypot(w[1]);
        speeds.push(speed);
        let away = if v[axis] > 0.0 { -w[axis] } else { w[axis] };
        assert!(away >= (0.2 - 1e-9) * speed, "{before:?} {after:?}");
        let mut mirrored = v;
        mirrored[axis] = -v[axis];
        // So steep that no turn leads along the wall.
        let steep = mirrored[axis].abs() > 50f64.to_radians().sin() * v[0].hypot(v[1]);
        if steep {
            let [from, to] = [mirrored, w].map(|d| libm::atan2(d[1], d[0]));
            turns.push(between(from, to).to_degrees());
        }
    }
    assert!(turns.len() > 200 && speeds.len() > 500, "{} {}", turns.len(), speeds.len());
    assert_uniform("speed", speeds, [3.0, 9.0], 1e-9);
    assert_uniform("turn", turns, [-35.0, 35.0], 1e-9);
}

#[test]
fn other_balls_have_a_radius_and_a_contrast_of_their_own() {
    let mut config = grey(128, 96, 20.0, 255.0);
    (config.ball.radius, config.ball.contrast, config.ball.count) = (10.0, 0.9, 2);
    config.ball.other_radius = [8.0, 20.0];
    config.ball.other_contrast = [0.3, 0.8];
    let full = 0.9 * 235.0;
    let (mut radii, mut contrasts) = (Vec::new(), Vec::new());
    for seed in 0..250 {
        config.seed = seed;
        let scene = Scene::new(&config).unwrap();
        let [front, other] = scene.truth().balls[..] else { panic!("two balls") };
        radii.push(other.radius);
        let from = |ball: BallTruth, x: f64, y: f64| (x - ball.x).hypot(y - ball.y) - ball.radius;
        let shown = pixels(&config).find(|(x, y)| {
            let (x, y) = (f64::from(*x), f64::from(*y));
            from(other, x, y) < -1.0 && from(front, x, y) > 1.0
        });
        if let Some((x, y)) = shown {
            let inside = level(&scene, x, y);
            contrasts.push((inside - 20.0) / full);
            let free = |x: f64, y: f64| from(front, x, y) > 1.0;
            assert_disc(&scene, ([other.x, other.y], other.radius), [inside, 20.0], free);
        }
    }
    assert_uniform("radius", radii, [8.0, 20.0], 1e-9);
    assert_uniform("contrast", contrasts, [0.3, 0.8], 0.5 / full);
}

#[test]
fn a_ball_is_in_front_of_those_with_a_higher_number() {
    let mut config = grey(128, 96, 0.0, 255.0);
    (config.ball.radius, config.ball.count) = (18.0, 6);
    config.ball.other_radius = [12.0, 25.0];
    let mut overlaps = 0;
    for seed in 0..8 {
        config.seed = seed;
        let scene = Scene::new(&config).unwrap();
        let balls = &scene.truth().balls;
        let mut levels = [None; 6];
        let mut seen = [0.0; 6];
        for (x, y) in pixels(&config) {
            // Distances from the rims, positive inside.
            let depths: Vec<f64> = balls
                .iter()
                .map(|b| b.radius - (f64::from(x) - b.x).hypot(f64::from(y) - b.y))
                .collect();
            if let Some(front) = depths.iter().position(|d| *d > 0.0) {
                seen[front] += 1.0;
            }
            let Some(front) = depths.iter().position(|d| *d > -1.0) else { continue };
            if depths[front] > 1.0 {
                let shown = level(&scene, x, y);
                assert_eq!(*levels[front].get_or_insert(shown), shown, "{x} {y}: ball {front}");
                overlaps += u32::from(depths[front + 1..].iter().any(|d| *d > 1.0));
            }
        }
        assert_eq!(levels[0], Some(255.0));
        for (ball, seen) in balls.iter().zip(seen) {
            let share = seen / (PI * ball.radius * ball.radius);
            assert!((ball.visible - share).abs() < 0.02, "{ball:?}: {share}");
        }
    }
    assert!(overlaps > 2000, "{overlaps}");
}
