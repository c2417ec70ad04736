//! Times the detector on a few pictures, in one thread:
//! `cargo run --release -p plumbline-hough-rust --example stages [N]`

use std::time::Instant;

use plumbline_hough_rust::{Config, HoughRust};
use plumbline_plugin_api::{Detections, Detector, Frame, PixelFormat};

struct Case {
    name: &'static str,
    width: u32,
    height: u32,
    radius: f64,
    noise: f64,
    blur: f64,
    colour: bool,
}

fn picture(case: &Case) -> Vec<u8> {
    let (w, h) = (f64::from(case.width), f64::from(case.height));
    let (cx, cy) = (0.47 * w + 0.3, 0.55 * h + 0.7);
    let mut state = 1_u64;
    let mut random = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f64 / f64::from(1 << 24)
    };
    let channels = if case.colour { 3 } else { 1 };
    let width = (case.blur * case.blur + 1.0 / 12.0).sqrt();
    let mut data = Vec::new();
    for y in 0..case.height {
        for x in 0..case.width {
            let d = (f64::from(x) - cx).hypot(f64::from(y) - cy) - case.radius;
            let share = 0.5 * libm::erfc(d / (width * std::f64::consts::SQRT_2));
            for c in 0..channels {
                let (low, high) =
                    [(42.0, 60.0), (32.0, 150.0), (26.0, 245.0)][if case.colour { c } else { 2 }];
                let noise: f64 = (0..12).map(|_| random()).sum::<f64>() - 6.0;
                data.push(
                    (low + (high - low) * share + case.noise * noise).round().clamp(0.0, 255.0)
                        as u8,
                );
            }
        }
    }
    data
}

fn main() {
    let n: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(30);
    let case = |name, width, height, radius, noise, blur, colour| Case {
        name,
        width,
        height,
        radius,
        noise,
        blur,
        colour,
    };
    let cases = [
        case("vga gray sharp", 640, 480, 24.0, 0.0, 0.0, false),
        case("vga gray soft", 640, 480, 24.0, 0.0, 0.7, false),
        case("vga bgr sharp", 640, 480, 24.0, 0.0, 0.0, true),
        case("vga gray noisy", 640, 480, 24.0, 6.0, 0.7, false),
        case("vga bgr noisy", 640, 480, 24.0, 6.0, 0.7, true),
        case("1080p gray soft", 1920, 1080, 60.0, 0.0, 0.7, false),
        case("1080p gray noisy", 1920, 1080, 60.0, 6.0, 0.7, false),
        case("4k gray soft", 3840, 2160, 120.0, 0.0, 0.7, false),
    ];
    for case in cases {
        let data = picture(&case);
        let format = if case.colour { PixelFormat::BGR8 } else { PixelFormat::GRAY8 };
        let frame = Frame::packed(&data, case.width, case.height, format).expect("a whole picture");
        let mut detector = HoughRust::with_config(Config::default()).expect("valid settings");
        let mut best = f64::INFINITY;
        let mut found = Detections::new();
        for _ in 0..n {
            found.clear();
            let start = Instant::now();
            detector.detect(&frame, &mut found).expect("a known format");
            best = best.min(start.elapsed().as_secs_f64());
        }
        println!("{:<18} {:8.3} ms, {} found", case.name, best * 1e3, found.len());
    }
}
