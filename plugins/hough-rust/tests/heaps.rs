//! Discs that touch others of their size, and what only looks like one beside them.

mod support;

use plumbline_hough_rust::{Config, HoughRust};
use plumbline_plugin_api::{Detections, Detector, Frame, PixelFormat};
use support::{Canvas, Disc, Random};

const SIZE: (usize, usize) = (400, 300);

fn detect(canvas: &Canvas, random: &mut Random) -> Detections {
    let mut detector = HoughRust::with_config(Config::default()).unwrap();
    let data = canvas.bytes(2.0, random);
    let (w, h) = SIZE;
    let frame = Frame::packed(&data, w as u32, h as u32, PixelFormat::GRAY8).unwrap();
    let mut found = Detections::new();
    detector.detect(&frame, &mut found).unwrap();
    found
}

/// Discs in rows, each in the gaps of the row before, as close as their radius lets them.
fn packed(r: f64, (columns, rows): (usize, usize)) -> Vec<Disc> {
    let at = |i: usize| {
        let (x, y) = ((i % columns) as f64, (i / columns) as f64);
        let shift = if i / columns % 2 == 1 { r } else { 0.0 };
        Disc { x: 80.3 + 2.0 * r * x + shift, y: 60.6 + 3_f64.sqrt() * r * y, r, blur: 0.6 }
    };
    (0..columns * rows).map(at).collect()
}

/// How many of the discs were found, and how many others.
fn count(discs: &[Disc], found: &Detections) -> (usize, usize) {
    let is = |d: &Disc, x: f64, y: f64, r: f64| {
        (x - d.x).hypot(y - d.y) < 0.1 * d.r && (r - d.r).abs() < 0.1 * d.r
    };
    let of = discs.iter().filter(|d| found.iter().any(|f| is(d, f.x, f.y, f.radius))).count();
    (of, found.len() - of)
}

#[test]
fn discs_that_touch_six_others_are_found() {
    for (seed, bright) in [(1, true), (2, false)] {
        let mut random = Random(seed);
        let discs = packed(13.0, (8, 8));
        let mut canvas = Canvas::new(SIZE.0, SIZE.1, if bright { 40.0 } else { 210.0 });
        for disc in &discs {
            let level = if bright { 160.0 } else { 40.0 } + random.range(0.0, 50.0);
            canvas.disc(*disc, |_, _| level);
        }
        let (of, others) = count(&discs, &detect(&canvas, &mut random));
        assert!(of >= 60 && others == 0, "{of} of 64, {others} others, bright: {bright}");
    }
}

/// As those of letters and digits.
#[test]
fn arcs_beside_discs_of_their_size_are_none() {
    let mut random = Random(3);
    let mut canvas = Canvas::new(SIZE.0, SIZE.1, 220.0);
    let (mut discs, mut arcs) = (Vec::new(), Vec::new());
    for i in 0..40 {
        let (x, y) = (40.0 + 42.0 * f64::from(i % 8), 40.0 + 45.0 * f64::from(i / 8));
        let of = Disc { x: x + random.unit(), y: y + random.unit(), r: 11.0, blur: 0.6 };
        if i % 3 == 0 { &mut discs } else { &mut arcs }.push(of);
    }
    for disc in &discs {
        canvas.disc(*disc, |_, _| 40.0);
    }
    for arc in &arcs {
        // A stroke along a third of a circle.
        for k in 0..60 {
            let (s, c) = (f64::from(k) / 60.0 * 2.3).sin_cos();
            let (x, y) = (arc.x + 9.5 * c, arc.y + 9.5 * s);
            canvas.disc(Disc { x, y, r: 1.5, blur: 0.6 }, |_, _| 40.0);
        }
    }
    let (of, others) = count(&discs, &detect(&canvas, &mut random));
    assert_eq!((of, others), (discs.len(), 0));
}

/// A round hole between discs is no disc of the other polarity.
#[test]
fn the_gaps_between_discs_are_none() {
    let mut random = Random(4);
    let r = 16.0;
    let square = |i: usize| {
        let (x, y) = ((i % 6) as f64, (i / 6) as f64);
        Disc { x: 70.2 + 2.0 * r * x, y: 60.8 + 2.0 * r * y, r, blur: 0.6 }
    };
    let discs: Vec<_> = (0..36).map(square).collect();
    let mut canvas = Canvas::new(SIZE.0, SIZE.1, 60.0);
    for disc in &discs {
        canvas.disc(*disc, |_, _| 190.0);
    }
    let (of, others) = count(&discs, &detect(&canvas, &mut random));
    assert!(of >= 34 && others == 0, "{of} of 36, {others} others");
}
