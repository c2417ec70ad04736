//! Masks against integrals that know nothing of outlines.

#[path = "optics_reference.rs"]
mod reference;

use reference::{Backwards, MIDDLE};

use super::*;
use crate::scene::{
    SceneConfig,
    degradation::{Lens, Shutter},
};

fn image(
    lens: &Lens,
    open: f64,
    readout: f64,
    at: [f64; 2],
    r: f64,
    v: [f64; 2],
) -> (Camera, Image) {
    let config = SceneConfig {
        width: 120,
        height: 100,
        lens: lens.clone(),
        shutter: Shutter { open, readout },
        ..SceneConfig::default()
    };
    let camera = Camera::new(&config);
    let image = camera.image(at, r, v);
    (camera, image)
}

fn mask(camera: &Camera, image: &Image, sigma: f64) -> Patch {
    let mut patch = Patch::new(120, 100);
    Optics::new([120, 100], sigma).expose(camera, image, &mut patch);
    patch
}

/// Independent: the disc's exact coverage at many instants, and for the
/// point spread a plain sum over a fine grid of shifts.
fn integrated(i: i32, j: i32, at: [f64; 2], r: f64, smear: [f64; 2], sigma: f64) -> f64 {
    let times = 4000;
    let (shifts, weights): (Vec<f64>, Vec<f64>) = if sigma == 0.0 {
        (vec![0.0], vec![1.0])
    } else {
        let h = sigma / 4.0;
        (-22..=22)
            .map(|k| {
                (
                    f64::from(k) * h,
                    h / sigma
                        * 0.398_942_280_401_432_7
                        * (-0.5 * (f64::from(k) / 4.0).powi(2)).exp(),
                )
            })
            .unzip()
    };
    let times = if sigma == 0.0 { times } else { 64 };
    let mut sum = 0.0;
    for k in 0..times {
        let t = (f64::from(k) + 0.5) / f64::from(times) - 0.5;
        for (sy, wy) in shifts.iter().zip(&weights) {
            for (sx, wx) in shifts.iter().zip(&weights) {
                let (x, y) = (
                    f64::from(i) - at[0] - t * smear[0] + sx,
                    f64::from(j) - at[1] - t * smear[1] + sy,
                );
                sum += wx * wy * disc::area_in_box(r, [x - 0.5, x + 0.5], [y - 0.5, y + 0.5]);
            }
        }
    }
    sum / f64::from(times)
}

fn rim(at: [f64; 2], r: f64, n: i32) -> impl Iterator<Item = (i32, i32)> {
    (0..n).map(move |k| {
        let t = f64::from(k) * 0.71;
        let s = r + f64::from(k % 5) - 2.0;
        ((at[0] + s * t.cos()).round() as i32, (at[1] + s * t.sin()).round() as i32)
    })
}

#[test]
fn motion_without_defocus_is_the_mean_over_the_exposure() {
    let (at, r, v) = ([50.3, 48.8], 14.2, [9.0, -5.0]);
    let (camera, image) = image(&Lens::default(), 0.6, 0.0, at, r, v);
    let mask = mask(&camera, &image, 0.0);
    for (i, j) in rim(at, r, 25) {
        let exact = integrated(i, j, at, r, image.smear, 0.0);
        assert!(
            (f64::from(mask.at(i, j)) - exact).abs() < 1e-3,
            "{i} {j}: {} {exact}",
            mask.at(i, j)
        );
    }
}

#[test]
fn motion_and_defocus_together_are_the_double_integral() {
    let (at, r, v) = ([50.3, 48.8], 11.2, [6.0, -4.0]);
    let (camera, image) = image(&Lens::default(), 0.5, 0.0, at, r, v);
    let mask = mask(&camera, &image, 0.8);
    for (i, j) in rim(at, r, 8) {
        let exact = integrated(i, j, at, r, image.smear, 0.8);
        assert!(
            (f64::from(mask.at(i, j)) - exact).abs() < 1e-4,
            "{i} {j}: {} {exact}",
            mask.at(i, j)
        );
    }
}

#[test]
fn every_pixel_is_what_its_points_see_back_through_shutter_and_lens() {
    let plain = Lens { focal: 90.0, ..Lens::default() };
    let sphere = Lens { perspective: true, ..plain.clone() };
    let brown = Lens { k1: -0.22, k2: 0.06, k3: -0.01, p1: 0.006, p2: -0.004, ..plain.clone() };
    let both = Lens { perspective: true, ..brown.clone() };
    for (name, lens, open, readout, tolerance) in [
        ("perspective", &sphere, 0.0, 0.0, 3e-4),
        ("distortion", &brown, 0.0, 0.0, 3e-4),
        ("rolling shutter", &plain, 0.0, 0.8, 3e-4),
        ("all of them", &both, 0.0, 0.8, 3e-4),
        ("all of them, moving", &both, 0.5, 0.8, 4e-3),
    ] {
        let (at, r, v) = ([85.3, 27.8], 12.6, [11.0, -7.0]);
        let (camera, image) = image(lens, open, readout, at, r, v);
        let mask = mask(&camera, &image, 0.0);
        let reference = Backwards::new(lens, readout, at, r, v);
        let count = if open > 0.0 { 10 } else { 30 };
        for (i, j) in rim(image.centroid, image.radius, count) {
            let exact = reference.coverage(f64::from(i), f64::from(j), open);
            let ours = f64::from(mask.at(i, j));
            assert!((ours - exact).abs() < tolerance, "{name} {i} {j}: {ours} {exact}");
        }
    }
}

/// Which centre is which: `centroid` is that of what was drawn, `projection`
/// is where the middle of the sphere is seen.
#[test]
fn the_centroid_is_that_of_the_points_that_see_the_ball() {
    let lens = Lens { focal: 90.0, perspective: true, k1: -0.2, p1: 0.005, ..Lens::default() };
    let (at, r, v) = ([85.3, 27.8], 12.6, [11.0, -7.0]);
    let (_, image) = image(&lens, 0.0, 0.8, at, r, v);
    let reference = Backwards::new(&lens, 0.8, at, r, v);
    let (mut area, mut mx, mut my) = (0.0, 0.0, 0.0);
    // Many lines per row of pixels, exact along x.
    let lines = 160;
    for k in 0..lines * 100 {
        let y = -0.5 + (f64::from(k) + 0.5) / f64::from(lines);
        for i in 0..240 {
            let x = [-0.5 + 0.5 * f64::from(i), 0.5 * f64::from(i)];
            let near = (x[0] - image.centroid[0]).hypot(y - image.centroid[1]) < 1.5 * r;
            if near {
                let length = reference.share(y, 0.0, x);
                let starts = reference.inside(x[0], y, 0.0) > 0.0;
                let middle = if starts { x[0] + 0.5 * length } else { x[1] - 0.5 * length };
                (area, mx, my) = (area + length, mx + length * middle, my + length * y);
            }
        }
    }
    let [x, y] = image.centroid;
    let off = [mx / area - x, my / area - y];
    assert!(off[0].abs() < 6e-5 && off[1].abs() < 6e-5, "{off:?}");
    assert!(((area / f64::from(lines) / PI).sqrt() - image.radius).abs() < 1e-4, "{area}");
    // And the other centre: the point in which the ray to the middle of the
    // sphere is seen by the row that shows it.
    let [px, py] = image.projection;
    let t = 0.8 * (py - MIDDLE[1]) / 100.0;
    let drawn = reference.distorted(at);
    let there = [0, 1].map(|a| drawn[a] + t * reference.velocity[a]);
    assert!((there[0] - px).abs() < 1e-6 && (there[1] - py).abs() < 1e-6);
    assert!((px - x).hypot(py - y) > 0.1, "the two centres are different points");
}

#[test]
fn a_mask_has_the_area_and_the_centroid_of_the_truth() {
    let lens = Lens { focal: 90.0, perspective: true, k1: -0.1, p1: 0.004, ..Lens::default() };
    for (sigma, open, readout) in
        [(0.0, 0.0, 0.0), (0.7, 0.0, 0.4), (0.0, 0.5, 0.0), (1.3, 0.7, 0.5)]
    {
        let (camera, image) = image(&lens, open, readout, [74.0, 42.0], 13.0, [6.0, 3.0]);
        let patch = mask(&camera, &image, sigma);
        let (mut area, mut mx, mut my) = (0.0, 0.0, 0.0);
        for j in 0..100 {
            let (row, alpha) = patch.row(j);
            for (i, a) in (row.start..row.end).zip(alpha) {
                let a = f64::from(*a);
                (area, mx, my) = (area + a, mx + a * f64::from(i), my + a * f64::from(j));
            }
        }
        let exact = PI * image.radius * image.radius;
        assert!((area - exact).abs() < 1e-3, "{sigma} {open} {readout}: {area} {exact}");
        // Sampling at whole pixels moves a sharp centroid a little.
        let slack = if sigma > 0.5 { 1e-4 } else { 5e-3 };
        assert!(
            (mx / area - image.centroid[0]).abs() < slack,
            "{sigma}: {}",
            mx / area - image.centroid[0]
        );
        assert!(
            (my / area - image.centroid[1]).abs() < slack,
            "{sigma}: {}",
            my / area - image.centroid[1]
        );
    }
}

#[test]
fn a_plate_is_its_polygon_blurred_or_not() {
    let corners = [[20.3, 20.1], [44.9, 25.0], [40.0, 50.2], [15.5, 45.0]];
    let area: f64 = (0..4)
        .map(|k| {
            let (p, q) = (corners[k], corners[(k + 1) % 4]);
            0.5 * (p[0] * q[1] - q[0] * p[1])
        })
        .sum();
    for sigma in [0.0, 0.9] {
        let mut patch = Patch::new(120, 100);
        Optics::new([120, 100], sigma).expose_plate(&corners, [3.0, 1.0], &mut patch);
        let sum: f64 = (0..100).flat_map(|j| patch.row(j).1.to_vec()).map(f64::from).sum();
        assert!((sum - area).abs() < 1e-2, "{sigma}: {sum} {area}");
        assert!((patch.at(30, 35) - 1.0).abs() < 1e-6);
    }
}
