//! `host plugins bench`

use std::{hint::black_box, time::Instant};

use plumbline_plugin_api::{Detection, Detections, PixelFormat};
use serde::Serialize;

use crate::{
    cli::{Exit, choice::Choice},
    config::Loaded,
    evaluate::matching::gate,
    plugin::{Catalog, Detector, Disc, Durations, Picture, Role},
};

/// Frames before the clock runs: caches, branch predictors and buffers are warm.
const WARM_UP: u32 = 10;
/// Different sub-pixel positions, so that no detector sees the same picture twice in a row.
const PICTURES: u32 = 8;
const SIZES: [(u32, u32, f64); 2] = [(640, 480, 40.0), (1920, 1080, 90.0)];

/// Arguments of `host plugins bench`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  host plugins bench hough-rust hough-opencv hough-opencv:method=gradient-alt --frames 300

All detectors see the same frames in turn in one run: a bright disc on a dark
background, of 40 px on 640x480 and of 90 px on 1920x1080, other sub-pixel
positions every time. Found is one of which an answer
is within half its radius of the disc. Each uses its [plugin.<name>],
and the settings that follow its name.")]
pub(super) struct Args {
    /// Names of detectors, or paths of libraries; settings may follow
    #[arg(value_name = "NAME|PATH[:KEY=VALUE...]", required = true)]
    plugins: Vec<Choice>,
    /// Frames per detector and size
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    frames: u32,
    /// Pixel format of the frames: gray8 or bgr8
    #[arg(long, value_name = "FORMAT", default_value = "gray8", value_parser = ["gray8", "bgr8"])]
    format: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One detector at one size.
#[derive(Debug, Serialize)]
struct Row {
    detector: String,
    width: u32,
    height: u32,
    frames: u32,
    /// Frames on which the disc was found: an answer is within half its radius of its centre.
    found: u32,
    /// Frames on which it failed.
    failed: u32,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

pub(super) fn run(args: &Args, catalog: &Catalog, loaded: &Loaded) -> anyhow::Result<Exit> {
    let format = if args.format == "bgr8" { PixelFormat::BGR8 } else { PixelFormat::GRAY8 };
    let mut rows = Vec::new();
    let mut plugins = Vec::new();
    for choice in &args.plugins {
        plugins.push(choice.load(loaded, catalog)?);
    }
    let labels: Vec<&str> = plugins.iter().map(|chosen| chosen.label.as_str()).collect();
    for (width, height, radius) in SIZES {
        let mut detectors = plugins
            .iter()
            .map(|chosen| chosen.plugin.detector(Some(&chosen.table), Role::Tool))
            .collect::<Result<Vec<_>, _>>()?;
        rows.extend(measure(&mut detectors, &labels, args.frames, (width, height), radius, format));
    }
    if args.json {
        super::print_json(&rows)?;
    } else {
        super::print(table(&rows))?;
    }
    for row in rows.iter().filter(|row| row.found + row.failed < row.frames) {
        tracing::warn!(
            "{} found the disc on {} of {} frames of {}x{}: its time is not that of finding it",
            row.detector,
            row.found,
            row.frames,
            row.width,
            row.height
        );
    }
    Ok(if rows.iter().all(|row| row.failed == 0) { Exit::Done } else { Exit::Failed })
}

/// Every detector in turn on every frame, so that all have the same share of
/// whatever else the machine does.
fn measure(
    detectors: &mut [Detector],
    labels: &[&str],
    frames: u32,
    (width, height): (u32, u32),
    radius: f64,
    format: PixelFormat,
) -> Vec<Row> {
    let pictures: Vec<(Picture, Disc)> = (0..PICTURES)
        .map(|i| {
            let (dx, dy) = (f64::from(i) * 17.37, f64::from(i) * 11.71);
            let (x, y) = (f64::from(width) * 0.4 + dx, f64::from(height) * 0.4 + dy);
            let disc = Disc { x, y, radius, inside: 220, outside: 30 };
            (Picture::disc(width, height, format, disc), disc)
        })
        .collect();
    let mut rows: Vec<(Row, Durations)> = labels
        .iter()
        .map(|&label| {
            let row = Row {
                detector: label.to_owned(),
                width,
                height,
                frames,
                found: 0,
                failed: 0,
                p50_ms: 0.0,
                p95_ms: 0.0,
                p99_ms: 0.0,
                max_ms: 0.0,
            };
            (row, Durations::default())
        })
        .collect();
    let mut found = Detections::new();
    for i in 0..frames + WARM_UP {
        let (picture, disc) = &pictures[(i % PICTURES) as usize];
        let frame = picture.frame(u64::from(i));
        let at_disc = |d: &Detection| (d.x - disc.x).hypot(d.y - disc.y) <= gate(disc.radius);
        for (detector, (row, durations)) in detectors.iter_mut().zip(&mut rows) {
            let start = Instant::now();
            let result = black_box(detector.detect(black_box(&frame), &mut found));
            let elapsed = start.elapsed();
            if i < WARM_UP {
                continue;
            }
            durations.record(elapsed);
            match result {
                Ok(()) => row.found += u32::from(found.iter().any(at_disc)),
                Err(fault) => {
                    row.failed += 1;
                    tracing::warn!("{fault}");
                }
            }
        }
    }
    rows.into_iter()
        .map(|(row, durations)| Row {
            p50_ms: durations.quantile_ms(0.50),
            p95_ms: durations.quantile_ms(0.95),
            p99_ms: durations.quantile_ms(0.99),
            max_ms: durations.max_ms(),
            ..row
        })
        .collect()
}

fn table(rows: &[Row]) -> comfy_table::Table {
    let mut table = super::new_table(&[
        "detector", "frame", "found", "failed", "p50 ms", "p95 ms", "p99 ms", "max ms",
    ]);
    for row in rows {
        table.add_row([
            row.detector.clone(),
            format!("{}x{}", row.width, row.height),
            format!("{}/{}", row.found, row.frames),
            row.failed.to_string(),
            format!("{:.3}", row.p50_ms),
            format!("{:.3}", row.p95_ms),
            format!("{:.3}", row.p99_ms),
            format!("{:.3}", row.max_ms),
        ]);
    }
    table
}
