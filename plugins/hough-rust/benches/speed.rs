//! Time of one call of `detect`, picture by picture, in one thread: the
//! fastest and the median of N calls.
//!
//! `cargo bench -p plumbline-hough-rust --bench speed -- [N] [part of a case's name]`
//!
//! On a busy machine count instructions instead, with one case and two values
//! of N: `valgrind --tool=callgrind target/release/deps/speed-* 1 "vga gray clean"`.

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Instant;

use plumbline_hough_rust::{Config, HoughRust};
use plumbline_plugin_api::{Detections, Detector, Frame, PixelFormat};
use support::{Canvas, Disc, Random, texture};

struct Case {
    name: &'static str,
    size: (usize, usize),
    radius: f64,
    noise: f64,
    blur: f64,
    colour: bool,
    /// The background, from `support::texture`, and its strength.
    texture: &'static str,
    strength: f64,
}

const VGA: Case = Case {
    name: "vga gray clean",
    size: (640, 480),
    radius: 24.0,
    noise: 0.0,
    blur: 0.7,
    colour: false,
    texture: "flat",
    strength: 0.0,
};

const CASES: [Case; 16] = [
    VGA,
    Case { name: "vga gray sharp", blur: 0.0, ..VGA },
    Case { name: "vga bgr sharp", blur: 0.0, colour: true, ..VGA },
    Case { name: "vga gray noise 6", noise: 6.0, ..VGA },
    Case { name: "vga bgr noise 6", noise: 6.0, colour: true, ..VGA },
    Case { name: "vga gray noise 2", noise: 2.0, radius: 60.0, ..VGA },
    Case { name: "vga polygons", texture: "polygons", strength: 25.0, noise: 2.0, ..VGA },
    Case { name: "vga fractal", texture: "fractal", strength: 25.0, noise: 2.0, ..VGA },
    Case { name: "vga grain", texture: "grain", strength: 25.0, noise: 2.0, ..VGA },
    Case {
        name: "qqvga bgr sharp",
        size: (160, 120),
        radius: 14.0,
        blur: 0.0,
        colour: true,
        ..VGA
    },
    Case { name: "1080p gray clean", size: (1920, 1080), radius: 60.0, ..VGA },
    Case { name: "1080p gray noise 2", size: (1920, 1080), radius: 120.0, noise: 2.0, ..VGA },
    Case { name: "1080p gray noise 6", size: (1920, 1080), radius: 60.0, noise: 6.0, ..VGA },
    Case { name: "4k gray clean", size: (3840, 2160), radius: 120.0, ..VGA },
    Case { name: "4k gray noise 2", size: (3840, 2160), radius: 240.0, noise: 2.0, ..VGA },
    Case { name: "4k gray noise 6", size: (3840, 2160), radius: 120.0, noise: 6.0, ..VGA },
];

/// Blue, green, red: outside and inside.
const COLOURS: [(f64, f64); 3] = [(42.0, 60.0), (32.0, 150.0), (26.0, 245.0)];

fn picture(case: &Case) -> Vec<u8> {
    let (w, h) = case.size;
    let mut random = Random(5);
    let disc = Disc {
        x: (0.47 * w as f64).round() + 0.3,
        y: (0.55 * h as f64).round() - 0.3,
        r: case.radius,
        blur: case.blur,
    };
    let mut plane = |low: f64, high: f64| {
        let mut canvas = if case.texture == "flat" {
            Canvas::new(w, h, low)
        } else {
            texture(case.texture, w, h, case.strength, &mut random)
        };
        canvas.disc(disc, |_, _| high);
        canvas.bytes(case.noise, &mut random)
    };
    if !case.colour {
        return plane(26.0, 245.0);
    }
    let planes = COLOURS.map(|(low, high)| plane(low, high));
    (0..w * h).flat_map(|i| [planes[0][i], planes[1][i], planes[2][i]]).collect()
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let n = args.iter().find_map(|a| a.parse().ok()).unwrap_or(50);
    let only = args.iter().find(|a| a.parse::<usize>().is_err()).cloned().unwrap_or_default();
    println!("{:<20} {:>9} {:>9} {:>6}", "case", "best ms", "median ms", "found");
    for case in CASES.iter().filter(|c| c.name.contains(&only)) {
        let data = picture(case);
        let format = if case.colour { PixelFormat::BGR8 } else { PixelFormat::GRAY8 };
        let (w, h) = (case.size.0 as u32, case.size.1 as u32);
        let frame = Frame::packed(&data, w, h, format).expect("sizes fit");
        let mut detector = HoughRust::with_config(Config::default()).expect("defaults are valid");
        let mut found = Detections::new();
        let mut times: Vec<f64> = (0..n)
            .map(|_| {
                found.clear();
                let start = Instant::now();
                detector.detect(&frame, &mut found).expect("the frame is valid");
                1e3 * start.elapsed().as_secs_f64()
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!("{:<20} {:>9.3} {:>9.3} {:>6}", case.name, times[0], times[n / 2], found.len());
    }
}
