//! A detector that is told the radius finds what one finds that is not.

mod support;

use plumbline_hough_rust::{Config, HoughRust};
use plumbline_plugin_api::{Detections, Detector, Frame, PixelFormat};
use support::{Canvas, Disc, Random};

const SIZE: (usize, usize) = (160, 140);

fn detect(data: &[u8], (min_radius, max_radius): (f64, f64)) -> Detections {
    let (w, h) = (SIZE.0 as u32, SIZE.1 as u32);
    let frame = Frame::packed(data, w, h, PixelFormat::GRAY8).unwrap();
    let mut found = Detections::new();
    let config = Config { min_radius, max_radius, ..Config::default() };
    HoughRust::with_config(config).unwrap().detect(&frame, &mut found).unwrap();
    found
}

/// Both are first seen at a level that is coarse for their radius: a line of less than a pixel,
/// and a step of two and a half times the noise.
#[test]
fn thin_rings_and_faint_discs_are_found_also_by_who_knows_their_radius() {
    for thin in [true, false] {
        let (mut told, mut untold) = (0, 0);
        for seed in 0..30 {
            let mut random = Random(seed);
            let r = random.range(13.0, 40.0);
            let (x, y) = (80.0 + random.unit(), 70.0 + random.unit());
            let disc = Disc { x, y, r, blur: 0.7 };
            let mut canvas = Canvas::new(SIZE.0, SIZE.1, 90.0);
            let (contrast, noise) = if thin { (60.0, 2.0) } else { (12.5, 5.0) };
            canvas.light(disc, contrast);
            if thin {
                canvas.light(Disc { r: r - 0.9, ..disc }, -contrast);
            }
            let data = canvas.bytes(noise, &mut random);
            let is_it = |found: Detections| {
                found.iter().any(|f| (f.x - x).hypot(f.y - y) < 2.0 && (f.radius - r).abs() < 3.0)
            };
            untold += i32::from(is_it(detect(&data, (6.0, 0.0))));
            told += i32::from(is_it(detect(&data, (0.8 * r, 1.2 * r))));
        }
        assert!(told >= untold - 1 && untold > 24, "{told} told, {untold} not, thin: {thin}");
    }
}
