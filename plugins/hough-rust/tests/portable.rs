//! The baseline instruction set gives the same answers, bit for bit, as AVX2.

mod support;

use plumbline_hough_rust::{Config, HoughRust, simd::force_portable};
use plumbline_plugin_api::{Detections, Detector, Frame, PixelFormat};
use support::{Ball, Disc, Random, texture};

/// Position, radius, score and covariance as bits.
fn answers(data: &[u8], w: usize, h: usize, format: PixelFormat) -> Vec<[u64; 6]> {
    let mut detector = HoughRust::with_config(Config::default()).unwrap();
    let frame = Frame::packed(data, w as u32, h as u32, format).unwrap();
    let mut found = Detections::new();
    detector.detect(&frame, &mut found).unwrap();
    let bits = found.iter().map(|d| {
        let s = d.covariance.into_option().unwrap();
        [d.x, d.y, d.radius, d.score, s.xx, s.xy].map(f64::to_bits)
    });
    bits.collect()
}

/// One test, since the switch holds for the whole process.
#[test]
fn both_instruction_sets_agree_to_the_last_bit() {
    let mut random = Random(4);
    // An odd width leaves a rest behind every vector.
    let (w, h) = (323, 241);
    for (blur, noise, name) in [(0.7, 5.0, "flat"), (0.0, 0.0, "flat"), (0.5, 2.0, "cloud")] {
        let mut canvas = texture(name, w, h, 20.0, &mut random);
        canvas.disc(Disc { x: 150.4, y: 120.7, r: 31.3, blur }, |_, _| 240.0);
        let light = [70.0, -90.0, 60.0];
        canvas.ball(&Ball { x: 250.7, y: 60.2, r: 27.9, ambient: 30.0, light });
        let grey = canvas.bytes(noise, &mut random);
        let colour: Vec<u8> = grey.iter().flat_map(|&v| [v / 3, v / 2, v]).collect();
        for (data, format) in [(&grey, PixelFormat::GRAY8), (&colour, PixelFormat::BGR8)] {
            force_portable(false);
            let fast = answers(data, w, h, format);
            force_portable(true);
            let portable = answers(data, w, h, format);
            assert!(fast.len() >= 2, "{name}, blur {blur}");
            assert_eq!(fast, portable, "{name}, blur {blur}, {format}");
        }
    }
}
