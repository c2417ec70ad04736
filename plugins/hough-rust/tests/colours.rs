//! Discs in pictures whose colours do not lie on their brightness.

mod support;

use plumbline_hough_rust::{Config, HoughRust};
use plumbline_plugin_api::{Detection, Detections, Detector, Frame, PixelFormat};
use support::{Canvas, Disc, Random};

const SIZE: (usize, usize) = (120, 100);
/// Colours of discs and their grounds: blue, green, red.
const COLOURS: [([f64; 3], [f64; 3]); 3] = [
    ([40.0, 130.0, 240.0], [60.0, 140.0, 60.0]),
    ([40.0, 210.0, 230.0], [170.0, 70.0, 40.0]),
    ([235.0, 235.0, 235.0], [60.0, 140.0, 60.0]),
];

/// The share of every pixel that a disc has.
fn shares(disc: Disc) -> Vec<f64> {
    let mut canvas = Canvas::new(SIZE.0, SIZE.1, 0.0);
    canvas.disc(disc, |_, _| 1.0);
    canvas.values
}

/// A disc whose colours are shifted by so much against its brightness (Rec. 601).
fn detect((of, ground): ([f64; 3], [f64; 3]), disc: Disc, shift: f64, seed: u64) -> Detection {
    let mut random = Random(seed);
    let bright = shares(disc);
    let colour = shares(Disc { x: disc.x + shift, y: disc.y + shift, ..disc });
    let luma = |c: [f64; 3]| 0.114 * c[0] + 0.587 * c[1] + 0.299 * c[2];
    let mix = |share: f64| [0, 1, 2].map(|c| ground[c] + share * (of[c] - ground[c]));
    let data: Vec<u8> = bright
        .iter()
        .zip(&colour)
        .flat_map(|(bright, colour)| {
            let off = luma(mix(*bright)) - luma(mix(*colour)) + 1.5 * random.normal();
            mix(*colour).map(|v| (v + off).round().clamp(0.0, 255.0) as u8)
        })
        .collect();
    let (w, h) = (SIZE.0 as u32, SIZE.1 as u32);
    let frame = Frame::packed(&data, w, h, PixelFormat::BGR8).unwrap();
    let mut found = Detections::new();
    HoughRust::with_config(Config::default()).unwrap().detect(&frame, &mut found).unwrap();
    assert_eq!(found.len(), 1);
    found[0]
}

/// As in video, whose colours lie half a pixel off; and as in a picture where they do not.
#[test]
fn a_disc_is_where_its_brightness_is() {
    for (n, colours) in COLOURS.into_iter().enumerate() {
        for shift in [0.0, 0.5] {
            for seed in 0..6 {
                let mut random = Random(100 * n as u64 + seed);
                let (x, y) = (60.0 + random.unit(), 50.0 + random.unit());
                let disc = Disc { x, y, r: random.range(10.0, 30.0), blur: 0.8 };
                let found = detect(colours, disc, shift, seed);
                let (dx, dy) = (found.x - x, found.y - y);
                let c = found.covariance.into_option().unwrap();
                let square = dx * dx / c.xx + dy * dy / c.yy;
                let text = format!("{colours:?}, {shift}: ({dx:.4}, {dy:.4}), {square:.1}");
                assert!(dx.hypot(dy) < 0.04 && square < 25.0, "{text}");
            }
        }
    }
}
