//! Checks of displays: nothing that the host may show them makes them fail.

use abi_stable::std_types::ROption;
use plumbline_plugin_api::{
    Circle, Detection, Outcome as FrameOutcome, Overlay, PixelFormat, Progress, ScoreRow,
};

use super::{
    detector::{EMPTY_SIZES, ODD_SIZES},
    work::{Bench, Outcome},
};
use crate::plugin::{Disc, Picture};

const DISC: Disc = Disc { x: 201.3, y: 120.8, radius: 20.0, inside: 220, outside: 30 };

fn row(frame: u64) -> ScoreRow {
    let actual = Circle { x: frame as f64, y: 100.0, radius: 20.0 };
    ScoreRow {
        frame,
        outcome: FrameOutcome::SCORED,
        actual,
        estimate: ROption::RSome(Circle { x: actual.x + 0.5, ..actual }),
        score: 0.9,
        l1: 0.5,
        l2: 0.5,
        cumulative_l1: frame as f64 * 0.5,
        latency_ms: 12.0,
        detect_ms: 3.0,
    }
}

pub(super) fn shows_frames(bench: &mut Bench) -> Outcome {
    let mut display = bench.display()?;
    for i in 0..8 {
        let format = if i % 2 == 0 { PixelFormat::GRAY8 } else { PixelFormat::BGR8 };
        bench.step(format!("frame {i}, {format}"))?;
        let picture = Picture::disc(400, 300, format, DISC);
        let seen =
            [Detection::new(201.0, 121.0, 20.1, 0.9), Detection::new(9.0, 9.0, f64::NAN, 0.1)];
        let mut overlay = Overlay::new(&seen[..i as usize % 3]);
        if i > 4 {
            overlay.truth = ROption::RSome(Circle { x: DISC.x, y: DISC.y, radius: DISC.radius });
        }
        display.show_frame(&picture.frame(i), &overlay)?;
        display.idle()?;
    }
    bench.step("finish")?;
    display.finish()?;
    Ok(String::new())
}

pub(super) fn shows_scores(bench: &mut Bench) -> Outcome {
    let mut display = bench.display()?;
    for i in 0..20 {
        bench.step(format!("rows from {}", i * 10))?;
        let rows: Vec<ScoreRow> = (i * 10..(i + 1) * 10).map(row).collect();
        let done = (i + 1) * 10;
        let progress = Progress {
            generated: done,
            sent: done,
            scored: done,
            target: 200,
            fps: 60.0,
            elapsed_s: done as f64 / 60.0,
            l1_mean: 0.5,
            l1_p95: 0.5,
            rmse: 0.5,
            latency_p50_ms: 12.0,
            latency_p95_ms: 12.0,
            ..Progress::default()
        };
        display.show_scores(&rows, &progress)?;
        display.idle()?;
    }
    bench.step("finish")?;
    display.finish()?;
    Ok(String::new())
}

pub(super) fn empty_frames(bench: &mut Bench) -> Outcome {
    sizes(bench, &EMPTY_SIZES)
}

pub(super) fn odd_sizes(bench: &mut Bench) -> Outcome {
    sizes(bench, &ODD_SIZES)
}

fn sizes(bench: &mut Bench, sizes: &[(u32, u32)]) -> Outcome {
    let mut display = bench.display()?;
    for (i, &(width, height)) in sizes.iter().enumerate() {
        for format in [PixelFormat::GRAY8, PixelFormat::BGR8] {
            bench.step(format!("frame {i}, {width}x{height} {format}"))?;
            let picture = Picture::plain(width, height, format, 99).padded(3, 0);
            let seen = [Detection::new(-50.0, 1e6, 1e5, 0.9)];
            display.show_frame(&picture.frame(i as u64), &Overlay::new(&seen))?;
        }
    }
    Ok(format!("{} sizes", sizes.len()))
}

pub(super) fn odd_scores(bench: &mut Bench) -> Outcome {
    let mut display = bench.display()?;
    bench.step("no rows, no progress")?;
    display.show_scores(&[], &Progress::default())?;
    let nothing = Circle { x: f64::NAN, y: f64::NAN, radius: f64::NAN };
    let outcomes = [
        FrameOutcome::MISSED,
        FrameOutcome::DROPPED,
        FrameOutcome::TIMED_OUT,
        FrameOutcome::NOT_SENT,
    ];
    bench.step("rows without numbers")?;
    let rows: Vec<ScoreRow> = outcomes
        .into_iter()
        .enumerate()
        .map(|(i, outcome)| ScoreRow {
            outcome,
            actual: nothing,
            estimate: ROption::RNone,
            score: f64::NAN,
            l1: f64::NAN,
            l2: f64::NAN,
            latency_ms: f64::NAN,
            detect_ms: f64::NAN,
            ..row(i as u64)
        })
        .collect();
    let progress =
        Progress { fps: f64::NAN, rmse: f64::INFINITY, target: u64::MAX, ..Progress::default() };
    display.show_scores(&rows, &progress)?;
    bench.step("ten thousand rows and huge errors")?;
    let rows: Vec<ScoreRow> =
        (0..10_000).map(|i| ScoreRow { l1: 1e300, cumulative_l1: 1e300, ..row(i) }).collect();
    display.show_scores(&rows, &progress)?;
    bench.step("finish after nothing else")?;
    bench.display()?.finish()?;
    Ok(String::new())
}
