//! The detector on exact discs and on frames that are none.

use super::*;

const HOST: HostInfo = HostInfo { version: "0", role: "tool" };

fn detector(config: Config) -> HoughOpencv {
    HoughOpencv::new(config, &HOST).unwrap()
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

fn found(detector: &mut HoughOpencv, frame: &Frame<'_>) -> Vec<Detection> {
    let mut found = Detections::new();
    detector.detect(frame, &mut found).unwrap();
    found.into_vec()
}

fn grey(data: &[u8], size: usize) -> Frame<'_> {
    Frame::packed(data, size as u32, size as u32, PixelFormat::GRAY8).unwrap()
}

fn at_dp(method: Method, dp: f64) -> Config {
    // Fewer votes than the default, since a fine accumulator spreads them.
    let param2 = (method == Method::Gradient).then_some(10.0);
    Config { method, dp: Some(dp), param2, ..Config::default() }
}

/// Mean and root mean square of the error in x over discs at `centres`.
fn errors(config: &Config, centres: impl Iterator<Item = f64>) -> (f64, f64) {
    const SIZE: usize = 128;
    let mut detector = detector(config.clone());
    let errors: Vec<f64> = centres
        .map(|x| {
            let data = disc(SIZE, x, 62.0, 19.0);
            found(&mut detector, &grey(&data, SIZE)).first().expect("the disc is found").x - x
        })
        .collect();
    let n = errors.len() as f64;
    (errors.iter().sum::<f64>() / n, (errors.iter().map(|e| e * e).sum::<f64>() / n).sqrt())
}

/// Evenly over four cells of the accumulator.
fn sub_pixel(dp: f64) -> impl Iterator<Item = f64> {
    (0..40).map(move |i| 50.0 + (f64::from(i) + 0.5) * 0.1 * dp)
}

#[test]
fn the_ball_of_the_original_system_is_found_with_the_defaults() {
    let data = disc(400, 280.0, 60.0, 20.0);
    let found = found(&mut detector(Config::default()), &grey(&data, 400));
    assert_eq!(found.len(), 1, "{found:?}");
    let best = &found[0];
    assert!((best.x - 280.0).abs() <= 1.75 && (best.y - 60.0).abs() <= 1.75, "{best:?}");
    assert!((best.radius - 20.0).abs() <= 2.0, "{best:?}");
    assert!(best.score >= 20.0, "{best:?}");
}

#[test]
fn a_cell_of_gradient_reports_its_middle_and_a_disc_on_its_corner_is_half_a_cell_off() {
    for (dp, raw) in [(1.0, 0.5), (2.0, 1.0)] {
        let config = at_dp(Method::Gradient, dp);
        assert_eq!(errors(&config, [60.0].into_iter()).0, raw);
        let removed = Config { remove_offset: true, ..config };
        assert_eq!(errors(&removed, [60.0].into_iter()).0, 0.0);
    }
}

#[test]
fn over_sub_pixel_positions_both_methods_are_unbiased_and_quantised_to_a_cell() {
    for method in [Method::Gradient, Method::GradientAlt] {
        for dp in [1.0, 2.0, 3.5] {
            let (bias, rmse) = errors(&at_dp(method, dp), sub_pixel(dp));
            assert!(bias.abs() < 0.1 * dp, "{method:?} dp {dp}: bias {bias}");
            // The standard deviation of an even distribution over a cell; a tie
            // between cells costs `gradient-alt` some more.
            let cell = dp / 12_f64.sqrt();
            assert!((0.8..1.5).contains(&(rmse / cell)), "{method:?} dp {dp}: RMSE {rmse}");
        }
    }
}

#[test]
fn removing_the_offset_moves_gradient_by_half_a_cell_and_gradient_alt_not_at_all() {
    let shift = |method, dp| {
        let config = at_dp(method, dp);
        let removed = Config { remove_offset: true, ..config.clone() };
        errors(&removed, sub_pixel(dp)).0 - errors(&config, sub_pixel(dp)).0
    };
    assert!((shift(Method::Gradient, 3.5) + 1.75).abs() < 1e-9);
    assert_eq!(shift(Method::GradientAlt, 3.5), 0.0);
}

#[test]
fn several_discs_come_with_the_most_votes_first() {
    let mut data = disc(200, 50.0, 50.0, 20.0);
    let dim: Vec<u8> = disc(200, 140.0, 140.0, 18.0).iter().map(|v| v / 2).collect();
    data.iter_mut().zip(&dim).for_each(|(a, b)| *a = (*a).max(*b));
    // Half of the second one is hidden.
    data[140 * 200..].fill(20);
    let found = found(&mut detector(at_dp(Method::Gradient, 2.0)), &grey(&data, 200));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!((found[0].x - 50.0).abs() < 3.0 && found[0].score > found[1].score, "{found:?}");
}

#[test]
fn nothing_is_found_in_an_empty_picture_also_after_one_with_a_disc() {
    for method in [Method::Gradient, Method::GradientAlt] {
        let mut detector = detector(Config { method, ..Config::default() });
        let data = disc(128, 60.0, 60.0, 20.0);
        assert_eq!(found(&mut detector, &grey(&data, 128)).len(), 1, "{method:?}");
        assert_eq!(found(&mut detector, &grey(&[7; 128 * 128], 128)), [], "{method:?}");
    }
}

#[test]
fn padding_and_colour_change_nothing_and_the_frame_is_left_alone() {
    let data = disc(128, 60.3, 62.8, 20.0);
    let mut detector = detector(Config { blur: 0, ..Config::default() });
    let expected = found(&mut detector, &grey(&data, 128));
    assert_eq!(expected.len(), 1);

    let mut padded = Vec::new();
    data.chunks(128).for_each(|row| padded.extend(row.iter().chain(&[255; 5])));
    let before = padded.clone();
    let frame = Frame::new(&padded, 128, 128, 133, PixelFormat::GRAY8).unwrap();
    assert_eq!(found(&mut detector, &frame), expected);
    assert_eq!(padded, before);

    let colour: Vec<u8> = data.iter().flat_map(|&v| [v; 3]).collect();
    let frame = Frame::packed(&colour, 128, 128, PixelFormat::BGR8).unwrap();
    assert_eq!(found(&mut detector, &frame), expected);
}

#[test]
fn frames_that_are_no_pictures_give_nothing_and_do_no_harm() {
    let noise: Vec<u8> =
        (0..70_u32 * 70 * 3).map(|i| (i.wrapping_mul(2654435761) >> 24) as u8).collect();
    for method in [Method::Gradient, Method::GradientAlt] {
        for (blur, max_radius) in [(0, 22), (5, 22), (31, 0)] {
            let mut detector = detector(Config { method, blur, max_radius, ..Config::default() });
            for (w, h) in
                [(0, 0), (0, 9), (9, 0), (1, 1), (1, 64), (64, 1), (2, 3), (33, 35), (64, 64)]
            {
                for format in [PixelFormat::GRAY8, PixelFormat::BGR8] {
                    for stride in [w as usize, 67].map(|s| s * format.bytes_per_pixel()) {
                        for data in [&noise[..], &[0; 70 * 70 * 3], &[255; 70 * 70 * 3]] {
                            let frame = Frame::new(data, w, h, stride, format).unwrap();
                            for d in found(&mut detector, &frame) {
                                assert!(d.x.is_finite() && d.y.is_finite() && d.radius > 0.0);
                            }
                        }
                    }
                }
            }
        }
    }
}
