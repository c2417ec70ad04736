//! Tracking gives what a full search gives, for less work.

mod support;

use plumbline_hough_rust::{Config, HoughRust};
use plumbline_plugin_api::{Detections, Detector, Frame, PixelFormat};
use support::{Canvas, Disc, Random};

const SIZE: (usize, usize) = (320, 240);

fn detector(tracking: bool) -> HoughRust {
    HoughRust::with_config(Config { tracking, ..Config::default() }).unwrap()
}

fn detect(detector: &mut HoughRust, data: &[u8]) -> Vec<[f64; 3]> {
    let frame = Frame::packed(data, SIZE.0 as u32, SIZE.1 as u32, PixelFormat::GRAY8).unwrap();
    let mut found = Detections::new();
    detector.detect(&frame, &mut found).unwrap();
    let mut all: Vec<_> = found.iter().map(|d| [d.x, d.y, d.radius]).collect();
    all.sort_by(|a, b| a[0].total_cmp(&b[0]));
    all
}

fn picture(discs: &[(f64, f64)], random: &mut Random) -> Vec<u8> {
    let mut canvas = Canvas::new(SIZE.0, SIZE.1, 60.0);
    for &(x, y) in discs {
        canvas.disc(Disc { x, y, r: 14.0, blur: 0.7 }, |_, _| 180.0);
    }
    canvas.bytes(3.0, random)
}

#[test]
fn discs_in_motion_are_followed_as_a_full_search_finds_them() {
    let mut random = Random(6);
    let (mut full, mut tracking) = (detector(false), detector(true));
    for k in 0..50 {
        let t = f64::from(k);
        // One goes into the border's reach, the other bounces at half time.
        let bounce = if k < 25 { 3.1 * t } else { 3.1 * (50.0 - t) };
        let data = picture(&[(30.0 + 1.7 * t, 60.2), (200.0, 40.0 + bounce)], &mut random);
        let (a, b) = (detect(&mut full, &data), detect(&mut tracking, &data));
        assert_eq!(a.len(), 2, "picture {k}");
        assert_eq!(b.len(), 2, "picture {k}");
        for (a, b) in a.iter().flatten().zip(b.iter().flatten()) {
            assert!((a - b).abs() < 0.01, "picture {k}: {a} and {b}");
        }
    }
}

#[test]
fn a_disc_that_jumps_is_found_in_the_same_picture() {
    let mut random = Random(6);
    let mut tracking = detector(true);
    for (x, y) in [(60.0, 60.0), (62.0, 60.0), (250.0, 180.0), (252.0, 180.0)] {
        let found = detect(&mut tracking, &picture(&[(x, y)], &mut random));
        assert_eq!(found.len(), 1);
        assert!((found[0][0] - x).abs() < 0.1 && (found[0][1] - y).abs() < 0.1, "{found:?}");
    }
}

#[test]
fn a_disc_that_comes_in_is_found_within_thirty_pictures() {
    let mut random = Random(6);
    let mut tracking = detector(true);
    assert_eq!(detect(&mut tracking, &picture(&[(60.0, 60.0)], &mut random)).len(), 1);
    let both = picture(&[(60.0, 60.0), (250.0, 180.0)], &mut random);
    let seen = (0..31).any(|_| detect(&mut tracking, &both).len() == 2);
    assert!(seen);
}

#[test]
fn a_disc_that_leaves_is_not_reported() {
    let mut random = Random(6);
    let mut tracking = detector(true);
    assert_eq!(detect(&mut tracking, &picture(&[(60.0, 60.0)], &mut random)).len(), 1);
    assert!(detect(&mut tracking, &picture(&[], &mut random)).is_empty());
}

/// Discs of which just enough shows come and go from picture to picture.
#[test]
fn a_disc_that_was_seen_is_kept_where_a_new_one_would_not_be_reported() {
    let mut random = Random(9);
    let (mut full, mut tracking) = (detector(false), detector(true));
    let places = [(40.0, 50.0), (120.4, 60.3), (210.7, 50.6), (60.2, 170.1), (150.5, 180.8)];
    let mut canvas = Canvas::new(SIZE.0, SIZE.1, 100.0);
    for (x, y) in places {
        canvas.disc(Disc { x, y, r: 14.0, blur: 1.0 }, |_, _| 150.0);
    }
    // Bars of the ground's level, a little more than half of the disc under them.
    canvas.each(|x, y, v| {
        let under = |p: &(f64, f64)| {
            let (dx, dy) = (x as f64 - p.0, y as f64 - p.1);
            dx.hypot(dy) < 20.0 && dy > 0.5
        };
        if places.iter().any(under) { 100.0 } else { v }
    });
    // One that is always seen: it must neither lose the others nor be lost with them.
    canvas.disc(Disc { x: 270.3, y: 170.4, r: 16.0, blur: 1.0 }, |_, _| 200.0);
    let (mut by_full, mut by_tracking, mut strangers) = (0, 0, 0);
    for _ in 0..40 {
        let data = canvas.bytes(4.0, &mut random);
        let mut count = |found: &[[f64; 3]]| {
            let is_near = |d: &[f64; 3], p: &(f64, f64)| (d[0] - p.0).hypot(d[1] - p.1) < 3.0;
            assert!(found.iter().any(|d| is_near(d, &(270.3, 170.4))));
            let known = places.iter().filter(|p| found.iter().any(|d| is_near(d, p))).count();
            strangers += found.len() - 1 - known;
            known
        };
        by_full += count(&detect(&mut full, &data));
        by_tracking += count(&detect(&mut tracking, &data));
    }
    let all = 40 * places.len();
    assert!((all / 4..all * 9 / 10).contains(&by_full), "{by_full} of {all}: no test");
    assert!(all - by_tracking < (all - by_full) / 3, "{by_full}, {by_tracking} of {all}");
    assert_eq!(strangers, 0);
}

#[test]
fn of_two_discs_where_one_is_wanted_it_is_always_the_same() {
    let mut random = Random(6);
    let config = Config { tracking: true, max_circles: 1, ..Config::default() };
    let mut detector = HoughRust::with_config(config).unwrap();
    let mut first = None;
    for k in 0..40 {
        let found = detect(&mut detector, &picture(&[(80.3, 60.0), (220.4, 170.7)], &mut random));
        assert_eq!(found.len(), 1, "picture {k}");
        let x = *first.get_or_insert(found[0][0]);
        assert!((found[0][0] - x).abs() < 0.3, "picture {k}: {x}, then {found:?}");
    }
}
