//! Accuracy over random positions and radii, beside the Cramer-Rao bound.
//!
//! `cargo bench -p plumbline-hough-rust --bench accuracy`

#[path = "../tests/support/mod.rs"]
mod support;

use plumbline_hough_rust::{Config, HoughRust};
use plumbline_plugin_api::{Detections, Detector, Frame, PixelFormat};
use support::{Canvas, Disc, Random, bound};

struct Case {
    name: &'static str,
    noise: f64,
    blur: f64,
    contrast: f64,
    shade: f64,
    hidden: f64,
    radii: (f64, f64),
    positive: bool,
}

const BASE: Case = Case {
    name: "",
    noise: 0.0,
    blur: 0.7,
    contrast: 120.0,
    shade: 0.0,
    hidden: 0.0,
    radii: (8.0, 240.0),
    positive: true,
};

fn main() {
    let frames: usize = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(300);
    let cases = [
        Case { name: "clean, blur 0.7", ..BASE },
        Case { name: "clean, no blur", blur: 0.0, ..BASE },
        Case { name: "clean, blur 0.3", blur: 0.3, ..BASE },
        Case { name: "clean, blur 2", blur: 2.0, ..BASE },
        Case { name: "noise 2", noise: 2.0, ..BASE },
        Case { name: "noise 10", noise: 10.0, ..BASE },
        Case { name: "noise 10, no blur, dark", noise: 10.0, blur: 0.0, positive: false, ..BASE },
        Case { name: "noise 10, contrast 40", noise: 10.0, contrast: 40.0, ..BASE },
        Case {
            name: "noise 2, contrast 40, r 8..12",
            noise: 2.0,
            contrast: 40.0,
            radii: (8.0, 12.0),
            ..BASE
        },
        Case {
            name: "noise 10, contrast 40, r 8..12",
            noise: 10.0,
            contrast: 40.0,
            radii: (8.0, 12.0),
            ..BASE
        },
        Case {
            name: "30 % shade, noise 2, r 40",
            noise: 2.0,
            shade: 0.3,
            radii: (40.0, 40.0),
            ..BASE
        },
        Case { name: "30 % shade, noise 2", noise: 2.0, shade: 0.3, ..BASE },
        Case {
            name: "20 % hidden, noise 2",
            noise: 2.0,
            hidden: 0.2,
            radii: (20.0, 120.0),
            ..BASE
        },
        Case {
            name: "40 % hidden, noise 2",
            noise: 2.0,
            hidden: 0.4,
            radii: (20.0, 120.0),
            ..BASE
        },
    ];
    println!(
        "{:<32} {:>6} {:>6} {:>9} {:>7} {:>7} {:>7} {:>8} {:>7}",
        "case", "found", "false", "rmse px", "/bound", "r/bound", "e'S-1e", "max/bnd", "ms"
    );
    let only = std::env::var("CASE").unwrap_or_default();
    for case in cases.iter().filter(|c| c.name.contains(&only)) {
        run(case, frames);
    }
}

fn run(case: &Case, frames: usize) {
    let mut random = Random(7);
    let mut detector = HoughRust::with_config(Config::default()).expect("defaults are valid");
    let (mut found, mut wrong) = (0, 0);
    let (mut sum, mut ratio, mut radius, mut calibration, mut worst) =
        (0.0, 0.0, 0.0, 0.0, 0.0_f64);
    let mut seconds = 0.0;
    for _ in 0..frames {
        let r = case.radii.0 * (case.radii.1 / case.radii.0).powf(random.unit());
        let (w, h) = if r > 100.0 { (960, 720) } else { (640, 480) };
        let (w, h) = if r < 30.0 { (320, 240) } else { (w, h) };
        let reach = r + 6.0;
        let disc = Disc {
            x: random.range(reach, w as f64 - reach),
            y: random.range(reach, h as f64 - reach),
            r,
            blur: case.blur,
        };
        let mut canvas = Canvas::new(w, h, if case.positive { 60.0 } else { 60.0 + case.contrast });
        let ball = if case.positive { 60.0 + case.contrast } else { 60.0 };
        let angle = random.range(0.0, std::f64::consts::TAU);
        let (s, c) = angle.sin_cos();
        canvas.disc(disc, |x, y| {
            ball + case.shade * case.contrast * 0.5 * ((x - disc.x) * c + (y - disc.y) * s) / r
        });
        let mut limit = bound(r, case.contrast, case.noise, case.blur);
        let mut radius_limit = limit / std::f64::consts::SQRT_2;
        if case.hidden > 0.0 {
            // A bar over one side: hides the arc of half-angle `hidden * pi`.
            let edge = r * (case.hidden * std::f64::consts::PI).cos();
            canvas.each(|x, y, v| {
                if (x as f64 - disc.x) * c + (y as f64 - disc.y) * s > edge { 30.0 } else { v }
            });
            let a = (1.0 - case.hidden) * std::f64::consts::PI;
            let sigma2 = case.noise * case.noise + 1.0 / 12.0;
            let edge = (case.blur * case.blur + 1.0 / 12.0).sqrt();
            let k = case.contrast.powi(2) * r / (2.0 * std::f64::consts::PI.sqrt() * edge * sigma2);
            let along = 1.0 / (k * (a + (2.0 * a).sin() / 2.0 - 2.0 * a.sin().powi(2) / a));
            let across = 1.0 / (k * (a - (2.0 * a).sin() / 2.0));
            limit = f64::midpoint(along, across).sqrt();
            radius_limit = limit;
        }
        let data = canvas.bytes(case.noise, &mut random);
        let frame =
            Frame::packed(&data, w as u32, h as u32, PixelFormat::GRAY8).expect("sizes fit");
        let mut answers = Detections::new();
        let start = std::time::Instant::now();
        detector.detect(&frame, &mut answers).expect("the frame is valid");
        seconds += start.elapsed().as_secs_f64();
        let mut hit = false;
        for d in &answers {
            let (ex, ey, er) = (d.x - disc.x, d.y - disc.y, d.radius - r);
            if ex.hypot(ey) > 2.0 || hit {
                wrong += 1;
                continue;
            }
            hit = true;
            found += 1;
            let e2 = f64::midpoint(ex * ex, ey * ey);
            sum += e2;
            ratio += e2 / limit.powi(2);
            worst = worst.max(e2.sqrt() / limit);
            radius += er * er / radius_limit.powi(2);
            let s = d.covariance.into_option().expect("always filled in");
            let det = s.xx * s.yy - s.xy * s.xy;
            calibration += (s.yy * ex * ex - 2.0 * s.xy * ex * ey + s.xx * ey * ey) / det;
        }
        if std::env::var_os("VERBOSE").is_some() && (!hit || answers.len() > 1) {
            println!(
                "  {disc:?} in {w} x {h}: {:?}",
                answers.iter().map(|d| (d.x, d.y, d.radius, d.score)).collect::<Vec<_>>()
            );
        }
    }
    let n = f64::from(found).max(1.0);
    println!(
        "{:<32} {:>6} {:>6} {:>9.5} {:>7.2} {:>7.2} {:>7.2} {:>8.1} {:>7.3}",
        case.name,
        found,
        wrong,
        (sum / n).sqrt(),
        (ratio / n).sqrt(),
        (radius / n).sqrt(),
        calibration / n,
        worst,
        1e3 * seconds / frames as f64,
    );
}
