//! Found and false discs: on textures without a disc, and with one on them.
//!
//! `cargo bench -p plumbline-hough-rust --bench detection`

#[path = "../tests/support/mod.rs"]
mod support;

use plumbline_hough_rust::{Config, HoughRust};
use plumbline_plugin_api::{Detections, Detector, Frame, PixelFormat};
use support::{Canvas, Disc, Random, TEXTURES, texture};

fn main() {
    let frames: usize = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(20);
    println!(
        "{:<12} {:>9} {:>12} {:>12} {:>12}",
        "background", "strength", "false/empty", "found/disc", "false/disc"
    );
    for name in TEXTURES {
        for strength in [8.0, 25.0] {
            let mut random = Random(3);
            let mut detector =
                HoughRust::with_config(Config::default()).expect("defaults are valid");
            let (mut empty, mut found, mut wrong) = (0, 0, 0);
            for _ in 0..frames {
                let (w, h) = (400, 300);
                let mut canvas = texture(name, w, h, strength, &mut random);
                let answers = detect(&mut detector, &canvas, &mut random);
                empty += answers.len();
                let verbose = std::env::var_os("VERBOSE").is_some();
                if verbose && !answers.is_empty() {
                    println!(
                        "  empty: {:?}",
                        answers.iter().map(|d| (d.x, d.y, d.radius, d.score)).collect::<Vec<_>>()
                    );
                }
                let r = random.range(8.0, 80.0);
                let disc = Disc {
                    x: random.range(r + 3.0, w as f64 - r - 3.0),
                    y: random.range(r + 3.0, h as f64 - r - 3.0),
                    r,
                    blur: 0.5,
                };
                let level = 128.0 + 4.0 * strength.max(8.0);
                canvas.disc(disc, |_, _| level);
                let answers = detect(&mut detector, &canvas, &mut random);
                let hits =
                    answers.iter().filter(|d| (d.x - disc.x).hypot(d.y - disc.y) < 1.0).count();
                found += hits.min(1);
                wrong += answers.len() - hits.min(1);
                if verbose && (hits != 1 || answers.len() > 1) {
                    println!(
                        "  {disc:?}: {:?}",
                        answers.iter().map(|d| (d.x, d.y, d.radius, d.score)).collect::<Vec<_>>()
                    );
                }
            }
            println!("{name:<12} {strength:>9} {empty:>12} {found:>9}/{frames:<2} {wrong:>12}");
        }
    }
}

fn detect(detector: &mut HoughRust, canvas: &Canvas, random: &mut Random) -> Detections {
    let data = canvas.bytes(2.0, random);
    let frame = Frame::packed(&data, canvas.width as u32, canvas.height as u32, PixelFormat::GRAY8)
        .expect("sizes fit");
    let mut answers = Detections::new();
    detector.detect(&frame, &mut answers).expect("the frame is valid");
    answers
}
