//! Drives the display with made-up frames and scores: `rehearse_window [server|client] [frames] [fps]`.

use std::{f64::consts::TAU, thread::sleep, time::Duration};

use plumbline_display_window::{Config, WindowDisplay};
use plumbline_plugin_api::prelude::*;

const SIZE: u32 = 400;
const RADIUS: f64 = 40.0;

fn ball(i: u64) -> Circle {
    let t = i as f64 / 120.0;
    Circle {
        x: 200.0 + 120.0 * (TAU * t).sin(),
        y: 200.0 + 90.0 * (1.3 * TAU * t).cos(),
        radius: RADIUS,
    }
}

/// Spread evenly over -0.5 to 0.5, the same on every run.
fn noise(i: u64) -> f64 {
    (i as f64 * 0.618_033_988_749_895).fract() - 0.5
}

fn picture(ball: &Circle) -> Vec<u8> {
    (0..SIZE * SIZE)
        .flat_map(|i| {
            let (x, y) = (f64::from(i % SIZE), f64::from(i / SIZE));
            let inside = (ball.radius - (x - ball.x).hypot(y - ball.y) + 0.5).clamp(0.0, 1.0);
            [40.0 + 200.0 * inside, 30.0 + 90.0 * inside, 20.0].map(|v| v as u8)
        })
        .collect()
}

fn run() -> Result<(), PluginError> {
    let mut args = std::env::args().skip(1);
    let role = if args.next().as_deref() == Some("client") { "client" } else { "server" };
    let frames: u64 = args.next().and_then(|a| a.parse().ok()).unwrap_or(400);
    let fps: f64 = args.next().and_then(|a| a.parse().ok()).unwrap_or(60.0);

    let host = HostInfo { version: "0", role };
    let mut display = WindowDisplay::new(Config::default(), &host)?;
    let mut progress = Progress { target: frames, fps, ..Progress::default() };
    let mut cumulative = 0.0;
    for i in 0..frames {
        let actual = ball(i);
        let found = i % 37 != 36;
        let (dx, dy) = (0.3 * noise(i), 0.2 * noise(3 * i + 1));
        let flow = if role == "client" {
            let pixels = picture(&actual);
            let frame = Frame::packed(&pixels, SIZE, SIZE, PixelFormat::BGR8)?.with_id(i);
            let detections = [Detection::new(actual.x + dx, actual.y + dy, RADIUS, 0.9)];
            let seen = if found { &detections[..] } else { &[] };
            let overlay = Overlay { detect_ms: 0.8, fps, received: i + 1, ..Overlay::new(seen) };
            display.show_frame(&frame, &overlay)?
        } else {
            let l1 = dx.abs() + dy.abs();
            cumulative += if found { l1 } else { 0.0 };
            let or_nan = |value: f64| if found { value } else { f64::NAN };
            let estimate = Circle { x: actual.x + dx, y: actual.y + dy, radius: RADIUS };
            let row = ScoreRow {
                frame: i,
                outcome: if found { Outcome::SCORED } else { Outcome::MISSED },
                actual,
                estimate: found.then_some(estimate).into(),
                score: or_nan(0.9),
                l1: or_nan(l1),
                l2: or_nan(dx.hypot(dy)),
                cumulative_l1: cumulative,
                latency_ms: 2.0 + noise(i),
                detect_ms: 0.8,
            };
            progress.scored += u64::from(found);
            progress.missed += u64::from(!found);
            progress.generated = i + 1;
            progress.sent = i + 1;
            progress.elapsed_s = i as f64 / fps;
            progress.l1_mean = cumulative / progress.scored.max(1) as f64;
            progress.l1_p95 = 0.22;
            progress.rmse = 0.11;
            (progress.latency_p50_ms, progress.latency_p95_ms) = (2.0, 2.45);
            display.show_scores(&[row], &progress)?
        };
        if i % 50 == 10 {
            eprintln!("\x1b[33m WARN\x1b[0m frame {i}: a line from the log");
        }
        if flow == Flow::QUIT {
            break;
        }
        sleep(Duration::from_secs_f64(1.0 / fps));
    }
    display.finish()?;
    eprintln!("mean L1 {:.3} px", progress.l1_mean);
    Ok(())
}

fn main() {
    if let Err(error) = run() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
