//! Bars and circles in the picture against what is documented of them.

use super::super::{
    Scene,
    degradation::{Clutter, Occlusion},
    testing::{assert_disc, assert_uniform, grey, level, pixels},
};
use super::*;

/// Where the middles of white bars are along the lines of pixels that cross
/// them most steeply; bars that are cut by the canvas' edge are left out.
fn middles(scene: &Scene, along_x: bool) -> Vec<[f64; 2]> {
    let (w, h) = (scene.config().width, scene.config().height);
    let (lines, length) = if along_x { (h, w) } else { (w, h) };
    let mut found = Vec::new();
    for line in 0..lines {
        let (mut sum, mut moment, mut cut) = (0.0, 0.0, true);
        for k in 0..length {
            let v = if along_x { level(scene, k, line) } else { level(scene, line, k) };
            if v > 0.0 {
                (sum, moment) = (sum + v, moment + v * f64::from(k));
                continue;
            }
            if sum > 0.0 && !cut {
                let (at, line) = (moment / sum, f64::from(line));
                found.push(if along_x { [at, line] } else { [line, at] });
            }
            (sum, moment, cut) = (0.0, 0.0, false);
        }
    }
    found
}

/// The distance to a bar's middle line is normal, and so the point spread
/// makes a difference of two error functions of it; a pixel is the mean of that.
#[test]
fn bars_are_the_integral_over_point_spread_and_pixel() {
    for (angle, sigma) in [(75.0, 1.5), (30.0, 1.0), (-50.0, 2.0), (140.0, 1.5), (0.0, 1.2)] {
        let mut config = grey(200, 150, 0.0, 0.0);
        config.lens.defocus = sigma;
        config.occlusion =
            Occlusion { bars: 4, width: 9.0, angle, color: [255.0; 3], ..Occlusion::default() };
        let scene = Scene::new(&config).unwrap();
        // Along a bar x goes by cos and y, which points down, by sin.
        let (sin, cos) = f64::to_radians(angle).sin_cos();
        let across = |x: f64, y: f64| cos * y - sin * x;
        let corners = [[-0.5, -0.5], [199.5, -0.5], [-0.5, 149.5], [199.5, 149.5]];
        let ends = corners.map(|[x, y]| across(x, y));
        let start = ends.iter().copied().fold(f64::INFINITY, f64::min);
        let spacing = (ends.iter().copied().fold(f64::NEG_INFINITY, f64::max) - start) / 4.0;
        let phases: Vec<f64> = middles(&scene, sin.abs() > cos.abs())
            .into_iter()
            .map(|[x, y]| ((across(x, y) - start) / spacing).rem_euclid(1.0))
            .collect();
        let phase = phases.iter().sum::<f64>() / phases.len() as f64;
        assert!(phases.len() > 150, "{angle}: {} middles", phases.len());
        assert!((0.23..0.77).contains(&phase), "{angle}: {phase}");
        for other in &phases {
            assert!((other - phase).abs() * spacing < 0.05, "{angle}: {other} {phase}");
        }
        let below = |d: f64| 0.5 + 0.5 * libm::erf(d / (sigma * 2f64.sqrt()));
        let n = 5;
        for (x, y) in pixels(&config) {
            let sum: f64 = (0..n * n)
                .map(|k| {
                    let at = |k: u32| (f64::from(k) + 0.5) / f64::from(n) - 0.5;
                    let (px, py) = (f64::from(x) + at(k % n), f64::from(y) + at(k / n));
                    let place = across(px, py) - start;
                    (0..4)
                        .map(|bar| place - (f64::from(bar) + phase) * spacing)
                        .map(|d| below(d + 4.5) - below(d - 4.5))
                        .sum::<f64>()
                })
                .sum();
            let exact = 255.0 * sum / f64::from(n * n);
            let ours = level(&scene, x, y);
            // Rounding, and what the measured phase is off.
            assert!((ours - exact).abs() < 0.8, "{angle} {sigma}: {x} {y}: {ours} {exact}");
        }
    }
}

#[test]
fn circles_have_any_radius_that_is_not_like_the_balls_and_are_anywhere() {
    for (range, below, above) in [
        ([5.0, 60.0], 16.2 - 5.0, 60.0 - 33.0),
        ([5.0, 20.0], 16.2 - 5.0, 0.0),
        ([20.0, 50.0], 0.0, 50.0 - 33.0),
        ([2.0, 9.0], 7.0, 0.0),
    ] {
        let mut config = grey(80, 64, 0.0, 255.0);
        // The ball is 21.6 to 26.4 pixels large.
        (config.ball.radius, config.ball.pulse) = (24.0, 0.1);
        (config.clutter.count, config.clutter.radius) = (1000, range);
        let scene = Scene::new(&config).unwrap();
        let circles = &scene.truth().clutter;
        assert_eq!(circles.len(), 1000);
        let places = circles.iter().map(|c| {
            assert!(c.radius <= 16.2 + 1e-9 || c.radius >= 33.0 - 1e-9, "{c:?}");
            if c.radius < 24.0 { c.radius - range[0] } else { c.radius - 33.0 + below }
        });
        assert_uniform("radius", places.collect(), [0.0, below + above], 1e-9);
        assert_uniform("x", circles.iter().map(|c| c.x).collect(), [-0.5, 79.5], 0.5);
        assert_uniform("y", circles.iter().map(|c| c.y).collect(), [-0.5, 63.5], 0.5);
    }
}

#[test]
fn circles_are_drawn_as_their_truth_says_with_their_share_of_the_contrast() {
    let mut config = grey(100, 100, 127.0, 255.0);
    config.ball.contrast = 0.9;
    (config.ball.radius, config.ball.speed, config.ball.start) = (3.0, [0.0; 2], Some([4.0; 2]));
    config.clutter = Clutter { count: 1, radius: [8.0, 30.0], contrast: 0.8 };
    let full = 0.9 * 0.8 * 128.0;
    let (mut shares, mut brighter) = (Vec::new(), 0);
    for seed in 0..200 {
        config.seed = seed;
        let scene = Scene::new(&config).unwrap();
        let Circle { x, y, radius } = scene.truth().clutter[0];
        let far_from_the_ball = |x: f64, y: f64| (x - 4.0).hypot(y - 4.0) > 5.0;
        let [i, j] = [x, y].map(|v| v.round().clamp(0.0, 99.0));
        if !far_from_the_ball(i, j) {
            continue;
        }
        let inside = level(&scene, i as u32, j as u32);
        shares.push((inside - 127.0).abs() / full);
        brighter += u32::from(inside > 127.0);
        assert_disc(&scene, ([x, y], radius), [inside, 127.0], far_from_the_ball);
    }
    assert!((75..125).contains(&brighter), "{brighter} of {}", shares.len());
    assert_uniform("contrast", shares, [0.6, 1.0], 0.5 / full);
}

#[test]
fn a_circle_is_over_those_that_the_truth_has_before_it() {
    let mut config = grey(160, 120, 127.0, 255.0);
    (config.ball.radius, config.ball.contrast, config.ball.start) = (0.5, 1.0, Some([0.0; 2]));
    config.clutter = Clutter { count: 12, radius: [15.0, 40.0], contrast: 1.0 };
    let scene = Scene::new(&config).unwrap();
    let circles = &scene.truth().clutter;
    // Signed distance from a rim, positive inside.
    let depth =
        |c: &Circle, x: u32, y: u32| c.radius - (f64::from(x) - c.x).hypot(f64::from(y) - c.y);
    let mut levels = vec![None; circles.len()];
    let mut overlaps = 0;
    for (x, y) in pixels(&config).filter(|(x, y)| x + y > 3) {
        let depths: Vec<f64> = circles.iter().map(|c| depth(c, x, y)).collect();
        let Some(top) = depths.iter().rposition(|d| *d > -1.0) else { continue };
        if depths[top] > 1.0 {
            let shown = level(&scene, x, y);
            assert_eq!(*levels[top].get_or_insert(shown), shown, "{x} {y}: circle {top}");
            overlaps += u32::from(depths[..top].iter().any(|d| *d > 1.0));
        }
    }
    assert!(overlaps > 1000, "{overlaps}");
}
