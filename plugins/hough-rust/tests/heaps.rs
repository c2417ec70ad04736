//! Discs that touch others of their size, and what only looks like one beside them.

mod support;

use plumbline_hough_rust::{Config, HoughRust};
use plumbline_plugin_api::{Detections, Detector, Frame, PixelFormat};
use support::{Canvas, Disc, Random};

const SIZE: (usize, usize) = (400, 300);

fn detect(canvas: &Canvas, random: &mut Random) -> Detections {
    detect_with(&mut HoughRust::with_config(Config::default()).unwrap(), canvas, random)
}

fn detect_with(detector: &mut HoughRust, canvas: &Canvas, random: &mut Random) -> Detections {
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

/// Root mean square of the errors of the centre per axis and of the radius, and the mean of
/// e' S^-1 e of the centre.
fn errors(discs: &[Disc], found: &Detections) -> (f64, f64, f64) {
    let mut sums = [0.0; 4];
    for d in discs {
        let near = |f: &&plumbline_plugin_api::Detection| (f.x - d.x).hypot(f.y - d.y) < 0.2 * d.r;
        let Some(f) = found.iter().find(near) else { continue };
        let (dx, dy, dr) = (f.x - d.x, f.y - d.y, f.radius - d.r);
        let c = f.covariance.into_option().unwrap();
        let square =
            (c.yy * dx * dx - 2.0 * c.xy * dx * dy + c.xx * dy * dy) / (c.xx * c.yy - c.xy * c.xy);
        let terms = [1.0, 0.5 * (dx * dx + dy * dy), dr * dr, square];
        sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
    }
    let [n, center, radius, square] = sums;
    ((center / n).sqrt(), (radius / n).sqrt(), square / n)
}

/// Between two that touch there is no edge; what each adds to the other must not move either.
#[test]
fn discs_that_touch_have_the_centres_and_radii_of_discs_alone() {
    let mut random = Random(8);
    for (r, most) in [(13.0, (0.02, 0.02)), (9.0, (0.02, 0.02))] {
        let discs = packed(r, (7, 7));
        let mut canvas = Canvas::new(SIZE.0, SIZE.1, 40.0);
        for disc in &discs {
            canvas.light(*disc, random.range(120.0, 170.0));
        }
        let found = detect(&canvas, &mut random);
        let (of, others) = count(&discs, &found);
        assert!(of >= 48 && others == 0, "{of} of 49, {others} others, r {r}");
        let (center, radius, square) = errors(&discs, &found);
        let text = format!("r {r}: centre {center:.4}, radius {radius:.4}, {square:.2}");
        assert!(center < most.0 && radius < most.1 && (0.4..6.0).contains(&square), "{text}");
    }
}

/// Those at the rim of a large heap touch none of each other, but what was not found yet; and
/// inside it is found what shows hardly any of its rim.
#[test]
fn small_discs_deep_in_a_heap_are_found_also_by_who_knows_their_radius() {
    for (seed, (min_radius, max_radius)) in [(9, (3.0, 0.0)), (10, (7.6, 8.4))] {
        let mut random = Random(seed);
        let discs = packed(8.0, (14, 14));
        let mut canvas = Canvas::new(SIZE.0, SIZE.1, 130.0);
        for disc in &discs {
            canvas.disc(*disc, |_, _| 60.0);
        }
        let config = Config { min_radius, max_radius, ..Config::default() };
        let mut detector = HoughRust::with_config(config).unwrap();
        let (of, others) = count(&discs, &detect_with(&mut detector, &canvas, &mut random));
        assert!(of >= 186 && others == 0, "{of} of 196, {others} others, from {min_radius}");
    }
}

/// Rims that the picture's border cuts are no wider ones.
#[test]
fn a_heap_that_the_border_cuts_is_found_with_its_radius() {
    let mut random = Random(5);
    for shift in [9.0, 13.5, 17.5] {
        let mut discs = packed(14.0, (8, 9));
        for disc in &mut discs {
            disc.y += 2.0 * shift;
        }
        let mut canvas = Canvas::new(SIZE.0, SIZE.1, 40.0);
        for disc in &discs {
            canvas.disc(*disc, |_, _| 170.0);
        }
        let (of, others) = count(&discs, &detect(&canvas, &mut random));
        let inside = discs.iter().filter(|d| d.y + d.r < 300.0).count();
        assert!(of + 4 >= inside && others == 0, "{of} of {inside}, {others} others, {shift}");
    }
}

#[test]
fn a_heap_that_lies_still_is_followed() {
    let mut random = Random(6);
    let discs = packed(13.0, (8, 8));
    let mut canvas = Canvas::new(SIZE.0, SIZE.1, 40.0);
    for disc in &discs {
        canvas.disc(*disc, |_, _| 190.0);
    }
    let config = Config { tracking: true, ..Config::default() };
    let mut detector = HoughRust::with_config(config).unwrap();
    for frame in 0..8 {
        let (of, others) = count(&discs, &detect_with(&mut detector, &canvas, &mut random));
        assert!(of >= 60 && others == 0, "{of} of 64, {others} others, frame {frame}");
    }
}

/// Of two sizes each has its heap.
#[test]
fn discs_of_two_sizes_that_touch_are_found() {
    let mut random = Random(7);
    let mut discs = packed(10.0, (6, 9));
    discs.extend(packed(16.0, (4, 6)).into_iter().map(|d| Disc { x: d.x + 150.0, ..d }));
    let mut canvas = Canvas::new(SIZE.0, SIZE.1, 210.0);
    for disc in &discs {
        canvas.disc(*disc, |_, _| 60.0);
    }
    let (of, others) = count(&discs, &detect(&canvas, &mut random));
    assert!(of + 8 >= discs.len() && others == 0, "{of} of {}, {others} others", discs.len());
}

/// As letters between round ones.
#[test]
fn arcs_next_to_discs_of_their_size_are_none() {
    let mut random = Random(3);
    let mut canvas = Canvas::new(SIZE.0, SIZE.1, 220.0);
    let (mut discs, mut arcs) = (Vec::new(), Vec::new());
    for i in 0..84 {
        let (x, y) = (30.0 + 24.0 * f64::from(i % 14), 40.0 + 40.0 * f64::from(i / 14));
        let of = Disc { x: x + random.unit(), y: y + random.unit(), r: 11.0, blur: 0.6 };
        if i % 3 == 2 { &mut arcs } else { &mut discs }.push(of);
    }
    for disc in &discs {
        canvas.disc(*disc, |_, _| 40.0);
    }
    for arc in &arcs {
        // A stroke along a third of a circle.
        for k in 0..60 {
            let (s, c) = (f64::from(k) / 60.0 * 2.1).sin_cos();
            let (x, y) = (arc.x + 9.5 * c, arc.y + 9.5 * s);
            canvas.disc(Disc { x, y, r: 1.5, blur: 0.6 }, |_, _| 40.0);
        }
    }
    let (of, others) = count(&discs, &detect(&canvas, &mut random));
    assert_eq!((of, others), (discs.len(), 0));
}

#[test]
fn between_discs_in_rows_and_columns_is_none() {
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
