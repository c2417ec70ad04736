//! Matte balls, lit from one side, in front of grounds that are brighter than their dark side or
//! their lit one.

mod support;

use plumbline_hough_rust::{Config, HoughRust, Polarity};
use plumbline_plugin_api::{Detection, Detections, Detector, Frame, PixelFormat};
use support::{Ball, Canvas, Random, texture};

const SIZE: (usize, usize) = (240, 200);
const BLUR: f64 = 0.7;

fn found_with(config: Config, data: &[u8]) -> Vec<Detection> {
    let mut detector = HoughRust::with_config(config).unwrap();
    let frame = Frame::packed(data, SIZE.0 as u32, SIZE.1 as u32, PixelFormat::GRAY8).unwrap();
    let mut found = Detections::new();
    detector.detect(&frame, &mut found).unwrap();
    found.iter().copied().collect()
}

fn found(data: &[u8]) -> Vec<Detection> {
    found_with(Config::default(), data)
}

/// A ball in the middle, in light of 180 grey levels from a direction that is so much towards who
/// looks.
fn ball(front: f64, random: &mut Random) -> Ball {
    let (sin, cos) = random.range(0.0, std::f64::consts::TAU).sin_cos();
    let side = (1.0 - front * front).sqrt();
    let r = (random.range(12.0_f64.ln(), 55.0_f64.ln())).exp();
    Ball {
        x: 120.0 + random.range(-10.0, 10.0),
        y: 100.0 + random.range(-10.0, 10.0),
        r,
        ambient: 20.0,
        light: [180.0 * side * cos, 180.0 * side * sin, 180.0 * front],
    }
}

fn picture(ball: &Ball, ground: f64) -> Canvas {
    let mut canvas = Canvas::new(SIZE.0, SIZE.1, ground);
    canvas.ball(ball);
    canvas.blur(BLUR);
    canvas
}

/// Distance of the centres in pixels, and what it is by the covariance (chi squared, of two
/// degrees of freedom).
fn error(found: &Detection, ball: &Ball) -> (f64, f64) {
    let (x, y) = (found.x - ball.x, found.y - ball.y);
    let s = found.covariance.into_option().unwrap();
    let chi2 = (s.yy * x * x - 2.0 * s.xy * x * y + s.xx * y * y) / (s.xx * s.yy - s.xy * s.xy);
    (x.hypot(y), chi2)
}

/// Whatever the ground, also where it is as bright as the ball here and there, so that half of the
/// outline or more does not show.
#[test]
fn lit_balls_are_found_to_hundredths_of_a_pixel() {
    let mut random = Random(11);
    let (mut square, mut of_radius, mut sum, mut n) = (0.0, 0.0, 0.0, 0.0);
    for ground in [8.0, 30.0, 70.0, 100.0, 130.0, 200.0] {
        for front in [0.2, 0.6, 0.9] {
            for _ in 0..3 {
                let ball = ball(front, &mut random);
                let data = picture(&ball, ground).bytes(3.0, &mut random);
                let found = found(&data);
                let [one] = found[..] else {
                    panic!("{} of {ball:?} on {ground}", found.len());
                };
                let (distance, chi2) = error(&one, &ball);
                assert!(distance < 0.15, "{distance}: {ball:?} on {ground}");
                assert!((one.radius - ball.r).abs() < 0.15, "{}: {ball:?}", one.radius);
                square += distance * distance;
                of_radius += (one.radius - ball.r).powi(2);
                sum += chi2;
                n += 1.0;
            }
        }
    }
    let [rms, of_radius] = [square, of_radius].map(|sum| (sum / n).sqrt());
    let calibration = sum / n;
    assert!(rms < 0.045 && of_radius < 0.045, "{rms}, {of_radius}");
    assert!((0.5..3.0).contains(&calibration), "{calibration}");
}

#[test]
fn without_noise_what_is_left_is_rounding() {
    let mut random = Random(12);
    for ground in [30.0, 70.0, 200.0] {
        for front in [0.4, 0.7] {
            let ball = ball(front, &mut random);
            let found = found(&picture(&ball, ground).bytes(0.0, &mut random));
            let [one] = found[..] else { panic!("{} of {ball:?} on {ground}", found.len()) };
            let (distance, _) = error(&one, &ball);
            assert!(distance < 0.03, "{distance}: {ball:?} on {ground}");
        }
    }
}

/// In the shadow that it casts, an ellipse, there is another ground.
#[test]
fn a_shadow_that_is_cast_moves_nothing() {
    let mut random = Random(13);
    let mut good = 0;
    for _ in 0..8 {
        let ball = Ball { r: random.range(20.0, 36.0), ambient: 70.0, ..ball(0.7, &mut random) };
        let ball = Ball { light: ball.light.map(|k| 0.8 * k), ..ball };
        let mut canvas = Canvas::new(SIZE.0, SIZE.1, 120.0);
        let [a, b, c] = ball.light;
        let (side, length) = (a.hypot(b), a.hypot(b).hypot(c));
        canvas.each(|x, y, v| {
            // In radii, along the light and across it.
            let (u, w) = ((x as f64 - ball.x) / ball.r, (y as f64 - ball.y) / ball.r);
            let along = (u * a + w * b) / side;
            let across = (u * b - w * a) / side;
            let d = ((along + side / c) * c / length).hypot(across);
            if d < 1.0 { 40.0 } else { v }
        });
        canvas.ball(&ball);
        canvas.blur(BLUR);
        let found = found(&canvas.bytes(2.0, &mut random));
        good += usize::from(found.iter().any(|d| error(d, &ball).0 < 0.25));
    }
    assert!(good >= 6, "{good} of 8");
}

/// There a fit that takes the ground for even is off by whole pixels.
#[test]
fn a_texture_behind_a_ball_is_not_taken_for_its_limb() {
    let mut random = Random(14);
    let mut good = 0;
    for _ in 0..10 {
        let ball = Ball { r: random.range(20.0, 45.0), ..ball(0.7, &mut random) };
        let mut canvas = texture("cloud", SIZE.0, SIZE.1, 10.0, &mut random);
        canvas.each(|_, _, v| v - 28.0);
        canvas.ball(&ball);
        canvas.blur(BLUR);
        let found = found(&canvas.bytes(2.0, &mut random));
        good += usize::from(found.iter().any(|d| error(d, &ball).0 < 0.3));
    }
    assert!(good >= 8, "{good} of 10");
}

/// A highlight, or the lit part of it, is no disc beside the ball.
#[test]
fn what_lies_on_a_ball_is_a_part_of_it() {
    let mut random = Random(15);
    for _ in 0..6 {
        let ball = Ball { r: random.range(25.0, 45.0), ..ball(0.8, &mut random) };
        let mut canvas = Canvas::new(SIZE.0, SIZE.1, 60.0);
        canvas.ball(&ball);
        let at = (
            ball.x + 0.4 * ball.r * ball.light[0] / 180.0,
            ball.y + 0.4 * ball.r * ball.light[1] / 180.0,
        );
        canvas.each(|x, y, v| {
            let d = (x as f64 - at.0).hypot(y as f64 - at.1);
            if d < 0.25 * ball.r { 250.0 } else { v }
        });
        canvas.blur(BLUR);
        let found = found(&canvas.bytes(2.0, &mut random));
        let [one] = found[..] else { panic!("{found:?} of {ball:?}") };
        assert!(error(&one, &ball).0 < 0.1, "{one:?} of {ball:?}");
    }
}

/// The polarity of a ball is that of its mean level.
#[test]
fn who_looks_for_darker_discs_gets_no_bright_balls() {
    let mut random = Random(16);
    let ball = Ball { r: 30.0, ..ball(0.8, &mut random) };
    let data = picture(&ball, 60.0).bytes(2.0, &mut random);
    let of = |polarity| found_with(Config { polarity, ..Config::default() }, &data).len();
    assert_eq!([Polarity::Both, Polarity::Bright, Polarity::Dark].map(of), [1, 1, 0]);
}

/// A ball that lies still in a film, on a ground between its dark and its lit side.
#[test]
fn fixed_balls_stay_where_they_are() {
    let mut random = Random(17);
    for tracking in [false, true] {
        let ball = Ball { r: 24.3, ..ball(0.6, &mut random) };
        let canvas = picture(&ball, 75.0);
        let config = Config { tracking, ..Config::default() };
        let mut detector = HoughRust::with_config(config).unwrap();
        let mut places = Vec::new();
        for _ in 0..20 {
            let data = canvas.bytes(3.0, &mut random);
            let frame =
                Frame::packed(&data, SIZE.0 as u32, SIZE.1 as u32, PixelFormat::GRAY8).unwrap();
            let mut found = Detections::new();
            detector.detect(&frame, &mut found).unwrap();
            assert_eq!(found.len(), 1, "tracking {tracking}");
            places.push((found[0].x, found[0].y));
        }
        let n = places.len() as f64;
        let mean = places.iter().fold((0.0, 0.0), |m, p| (m.0 + p.0 / n, m.1 + p.1 / n));
        let square = |p: &(f64, f64)| (p.0 - mean.0).powi(2) + (p.1 - mean.1).powi(2);
        let jitter = (places.iter().map(square).sum::<f64>() / (2.0 * n)).sqrt();
        assert!(jitter < 0.03, "tracking {tracking}: {jitter}");
    }
}
