//! The detector on exact discs and on frames that are none.

use super::*;

const HOST: HostInfo = HostInfo { version: "0", role: "tool" };

fn detector(config: Config) -> EdCircles {
    EdCircles::new(config, &HOST).unwrap()
}

/// A bright disc on a dark ground, each pixel the mean over its area.
fn disc(size: usize, x: f64, y: f64, radius: f64) -> Vec<u8> {
    const N: usize = 16;
    let sub = |i: usize| (i as f64 + 0.5) / N as f64 - 0.5;
    let coverage = |px: usize, py: usize| {
        let (dx, dy) = (px as f64 - x, py as f64 - y);
        match dx.hypot(dy) - radius {
            d if d > 1.0 => 0.0,
            d if d < -1.0 => 1.0,
            _ => {
                let inside = (0..N * N)
                    .filter(|i| (dx + sub(i % N)).hypot(dy + sub(i / N)) <= radius)
                    .count();
                inside as f64 / (N * N) as f64
            }
        }
    };
    (0..size * size).map(|i| (20.0 + 200.0 * coverage(i % size, i / size)).round() as u8).collect()
}

fn grey(data: &[u8], size: usize) -> Frame<'_> {
    Frame::packed(data, size as u32, size as u32, PixelFormat::GRAY8).unwrap()
}

fn found(detector: &mut EdCircles, frame: &Frame<'_>) -> Vec<Detection> {
    let mut found = Detections::new();
    detector.detect(frame, &mut found).unwrap();
    found.into_vec()
}

fn noise(n: u32) -> Vec<u8> {
    (0..n).map(|i| (i.wrapping_mul(2654435761) >> 24) as u8).collect()
}

/// `EdgeDrawing` itself is not repeatable to the last digit.
fn assert_close(a: &[Detection], b: &[Detection]) {
    assert_eq!(a.len(), b.len(), "{a:?} {b:?}");
    for (a, b) in a.iter().zip(b) {
        let apart = (a.x - b.x).hypot(a.y - b.y).max((a.radius - b.radius).abs());
        assert!(apart < 0.1, "{a:?} {b:?}");
    }
}

#[test]
fn discs_are_found_to_a_tenth_of_a_pixel_over_sub_pixel_positions() {
    let mut detector = detector(Config::default());
    let mut squares = 0.0;
    for i in 0..40 {
        // Evenly spread, the two coordinates independently.
        let (x, y) =
            (100.0 + (f64::from(i) * 0.618_034).fract(), 90.0 + (f64::from(i) * 0.754_878).fract());
        let data = disc(200, x, y, 40.0);
        let found = found(&mut detector, &grey(&data, 200));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!((found[0].radius - 40.0).abs() < 0.7, "{found:?}");
        assert!(found[0].score > 0.95, "{found:?}");
        squares += (found[0].x - x).powi(2) + (found[0].y - y).powi(2);
    }
    let rmse = (squares / 80.0).sqrt();
    assert!(rmse < 0.1, "RMSE per axis {rmse}");
    println!("RMSE per axis {rmse:.4} px");
}

#[test]
fn the_disc_with_all_of_its_edge_comes_first() {
    let mut data = disc(256, 70.0, 70.0, 40.0);
    let other = disc(256, 180.0, 180.0, 40.0);
    data.iter_mut().zip(&other).for_each(|(a, b)| *a = (*a).max(*b));
    // A quarter of the second one is hidden.
    for row in data.chunks_mut(256).skip(180) {
        row[180..].fill(20);
    }
    let found = found(&mut detector(Config::default()), &grey(&data, 256));
    assert!((found[0].x - 70.0).abs() < 0.5, "{found:?}");
    assert!(found[1..].iter().all(|d| d.score < found[0].score), "{found:?}");
}

#[test]
fn the_radius_range_and_the_empty_picture_give_nothing() {
    let data = disc(200, 100.0, 100.0, 40.0);
    for (min_radius, max_radius) in [(5.0, 35.0), (45.0, 0.0)] {
        let mut detector = detector(Config { min_radius, max_radius, ..Config::default() });
        assert_eq!(found(&mut detector, &grey(&data, 200)), []);
    }
    let mut detector = detector(Config::default());
    assert_eq!(found(&mut detector, &grey(&data, 200)).len(), 1);
    assert_eq!(found(&mut detector, &grey(&vec![7; 200 * 200], 200)), []);
}

#[test]
fn padding_and_colour_change_nothing_and_the_frame_is_left_alone() {
    for sigma in [0.0, 1.0] {
        let data = disc(128, 60.3, 62.8, 30.0);
        let mut detector = detector(Config { sigma, ..Config::default() });
        let expected = found(&mut detector, &grey(&data, 128));
        assert_eq!(expected.len(), 1);

        let mut padded = Vec::new();
        data.chunks(128).for_each(|row| padded.extend(row.iter().chain(&[255; 5])));
        let before = padded.clone();
        let frame = Frame::new(&padded, 128, 128, 133, PixelFormat::GRAY8).unwrap();
        assert_close(&found(&mut detector, &frame), &expected);
        assert_eq!(padded, before);

        let colour: Vec<u8> = data.iter().flat_map(|&v| [v; 3]).collect();
        let frame = Frame::packed(&colour, 128, 128, PixelFormat::BGR8).unwrap();
        assert_close(&found(&mut detector, &frame), &expected);
    }
}

#[test]
fn an_instance_answers_as_a_new_one_whatever_it_saw_before() {
    let mut used = detector(Config::default());
    found(&mut used, &grey(&noise(300 * 300), 300));
    let data = disc(100, 50.0, 50.0, 30.0);
    let frame = grey(&data, 100);
    let new = found(&mut detector(Config::default()), &frame);
    assert_close(&found(&mut used, &frame), &new);
}

#[test]
fn frames_that_are_no_pictures_do_no_harm() {
    let noise = noise(70 * 70 * 3);
    for config in [
        Config::default(),
        Config { sigma: 0.0, blur: 5, ..Config::default() },
        Config { parameter_free: true, min_radius: 0.0, ..Config::default() },
        Config { operator: Operator::Lsd, validation: false, ..Config::default() },
    ] {
        let mut detector = detector(config);
        for (w, h) in [
            (0, 0),
            (0, 9),
            (9, 0),
            (1, 1),
            (1, 64),
            (64, 1),
            (2, 3),
            (8, 8),
            (8, 64),
            (33, 35),
            (64, 64),
        ] {
            for format in [PixelFormat::GRAY8, PixelFormat::BGR8] {
                for stride in [w as usize, 67].map(|s| s * format.bytes_per_pixel()) {
                    for data in [&noise[..], &[0; 70 * 70 * 3], &[255; 70 * 70 * 3]] {
                        let frame = Frame::new(data, w, h, stride, format).unwrap();
                        for d in found(&mut detector, &frame) {
                            assert!(d.x.is_finite() && d.y.is_finite() && d.radius.is_finite());
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn large_noise_does_no_harm() {
    let noise = noise(640 * 480);
    let frame = Frame::packed(&noise, 640, 480, PixelFormat::GRAY8).unwrap();
    found(&mut detector(Config::default()), &frame);
    found(&mut detector(Config { sigma: 0.0, gradient_threshold: 1, ..Config::default() }), &frame);
}
