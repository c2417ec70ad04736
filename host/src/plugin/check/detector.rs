//! Checks of what detectors answer.

use std::time::Instant;

use plumbline_plugin_api::{Detection, Detections, PixelFormat};

use super::{
    library::{growth, resident},
    work::{Bench, Outcome},
};
use crate::plugin::{Detector, Disc, Durations, Picture, PluginFault};

/// Canvas and radius of the original system, which every detector is set up for.
const CANVAS: u32 = 400;
const RADIUS: f64 = 20.0;
/// Sub-pixel positions, away from the edge.
const CENTRES: [(f64, f64); 6] =
    [(200.0, 200.0), (120.5, 80.5), (301.3, 77.7), (60.25, 330.75), (333.1, 333.9), (150.0, 250.5)];
const FRAMES: u32 = 1000;
const DEADLINE_MS: f64 = 33.0;

pub(super) fn golden_gray(bench: &mut Bench) -> Outcome {
    golden(bench, PixelFormat::GRAY8, 255, 0)
}

pub(super) fn golden_colour(bench: &mut Bench) -> Outcome {
    golden(bench, PixelFormat::BGR8, 255, 0)
}

pub(super) fn golden_dark(bench: &mut Bench) -> Outcome {
    golden(bench, PixelFormat::GRAY8, 20, 230)
}

fn picture(index: usize, format: PixelFormat, inside: u8, outside: u8) -> (Picture, (f64, f64)) {
    let (x, y) = CENTRES[index % CENTRES.len()];
    let disc = Disc { x, y, radius: RADIUS, inside, outside };
    (Picture::disc(CANVAS, CANVAS, format, disc), (x, y))
}

fn golden(bench: &mut Bench, format: PixelFormat, inside: u8, outside: u8) -> Outcome {
    let mut detector = bench.detector()?;
    let mut found = Detections::new();
    let mut worst = 0.0_f64;
    for i in 0..CENTRES.len() {
        let (picture, (x, y)) = picture(i, format, inside, outside);
        bench.step(format!("frame {i}, a disc at ({x}, {y})"))?;
        detector.detect(&picture.frame(i as u64), &mut found)?;
        let Some(best) = found.first() else {
            return Err(format!("the disc at ({x}, {y}) was not found").into());
        };
        let error = (best.x - x).hypot(best.y - y);
        if error > RADIUS / 2.0 {
            let seen = format!("({:.2}, {:.2})", best.x, best.y);
            return Err(format!("the disc at ({x}, {y}) was seen at {seen}").into());
        }
        worst = worst.max(error);
    }
    Ok(format!("largest error {worst:.3} px"))
}

pub(super) fn plain_pictures(bench: &mut Bench) -> Outcome {
    let mut detector = bench.detector()?;
    let mut found = Detections::new();
    for (i, level) in [0, 128, 255].into_iter().enumerate() {
        for format in [PixelFormat::GRAY8, PixelFormat::BGR8] {
            bench.step(format!("frame {i}, plain {format} of level {level}"))?;
            let picture = Picture::plain(CANVAS, CANVAS, format, level);
            detector.detect(&picture.frame(i as u64), &mut found)?;
            if let Some(d) = found.first() {
                let place = format!("({:.1}, {:.1})", d.x, d.y);
                return Err(format!("something at {place} in a plain picture of {level}").into());
            }
        }
    }
    Ok(String::new())
}

/// Shows `picture` to a detector that may answer with an error, but not panic.
fn survives(detector: &mut Detector, picture: &Picture, id: u64) -> Result<(), PluginFault> {
    let mut found = Detections::new();
    match detector.detect(&picture.frame(id), &mut found) {
        Err(fault) if fault.is_panic() => Err(fault),
        _ => Ok(()),
    }
}

pub(super) fn empty_frames(bench: &mut Bench) -> Outcome {
    sizes(bench, &EMPTY_SIZES)
}

pub(super) fn odd_sizes(bench: &mut Bench) -> Outcome {
    sizes(bench, &ODD_SIZES)
}

/// Sizes without a pixel.
pub(super) const EMPTY_SIZES: [(u32, u32); 3] = [(0, 0), (0, 16), (16, 0)];
/// Sizes that leave kernels, vectors and pyramids without their neighbours.
pub(super) const ODD_SIZES: [(u32, u32); 14] = [
    (1, 1),
    (2, 1),
    (1, 2),
    (2, 2),
    (3, 3),
    (5, 7),
    (8, 8),
    (1, 400),
    (400, 1),
    (31, 33),
    (641, 3),
    (3, 641),
    (127, 129),
    (639, 479),
];

fn sizes(bench: &mut Bench, sizes: &[(u32, u32)]) -> Outcome {
    let mut detector = bench.detector()?;
    for (i, &(width, height)) in sizes.iter().enumerate() {
        for format in [PixelFormat::GRAY8, PixelFormat::BGR8] {
            bench.step(format!("frame {i}, {width}x{height} {format}"))?;
            let mut n = 0_u8;
            let checkered = Picture::of(width, height, format, || {
                n = n.wrapping_add(151);
                n
            });
            survives(&mut detector, &checkered, i as u64)?;
            survives(&mut detector, &Picture::plain(width, height, format, 255), i as u64)?;
        }
    }
    Ok(format!("{} sizes", sizes.len()))
}

pub(super) fn padded_rows(bench: &mut Bench) -> Outcome {
    for format in [PixelFormat::GRAY8, PixelFormat::BGR8] {
        let (picture, _) = picture(2, format, 255, 0);
        let plain = answers(&mut bench.detector()?, &[&picture])?;
        for (bytes, filler) in [(1, 0), (5, 255), (64, 255)] {
            bench
                .step(format!("frame 0, {format} with {bytes} bytes of {filler} after each row"))?;
            let padded = picture.padded(bytes, filler);
            if answers(&mut bench.detector()?, &[&padded])? != plain {
                return Err(
                    format!("{bytes} bytes of padding of {filler} change the answer").into()
                );
            }
        }
    }
    Ok(String::new())
}

/// The answers to `pictures` in bits, so that NaN equals NaN.
fn answers(
    detector: &mut Detector,
    pictures: &[&Picture],
) -> Result<Vec<Vec<[u64; 4]>>, PluginFault> {
    let bits = |d: &Detection| [d.x, d.y, d.radius, d.score].map(f64::to_bits);
    let mut found = Detections::new();
    let answer = |(i, picture): (usize, &&Picture)| {
        detector.detect(&picture.frame(i as u64), &mut found)?;
        Ok(found.iter().map(bits).collect())
    };
    pictures.iter().enumerate().map(answer).collect()
}

fn golden_pictures() -> Vec<Picture> {
    let formats = [PixelFormat::GRAY8, PixelFormat::BGR8];
    (0..CENTRES.len()).map(|i| picture(i, formats[i % 2], 220, 30).0).collect()
}

pub(super) fn deterministic(bench: &mut Bench) -> Outcome {
    let pictures = golden_pictures();
    let pictures: Vec<&Picture> = pictures.iter().collect();
    let first = answers(&mut bench.detector()?, &pictures)?;
    for round in 0..3 {
        bench.step(format!("round {round}"))?;
        if answers(&mut bench.detector()?, &pictures)? != first {
            return Err("a new instance gives other answers to the same frames".to_owned().into());
        }
    }
    Ok(String::new())
}

pub(super) fn frame_unmodified(bench: &mut Bench) -> Outcome {
    let mut detector = bench.detector()?;
    let mut found = Detections::new();
    for (i, picture) in golden_pictures().into_iter().enumerate() {
        let picture = picture.padded(3, 77);
        let copy = picture.clone();
        bench.step(format!("frame {i}"))?;
        detector.detect(&picture.frame(i as u64), &mut found)?;
        // The bytes are behind a shared reference: only a plugin that breaks
        // the rules of its language changes them.
        if std::hint::black_box(&picture).data() != copy.data() {
            return Err(format!("frame {i} was written to").into());
        }
    }
    Ok(String::new())
}

pub(super) fn sane_answers(bench: &mut Bench) -> Outcome {
    let mut detector = bench.detector()?;
    let mut found = Detections::new();
    let mut count = 0;
    for (i, picture) in golden_pictures().iter().enumerate() {
        bench.step(format!("frame {i}"))?;
        detector.detect(&picture.frame(i as u64), &mut found)?;
        if detector.nonsense() > 0 {
            return Err(format!("frame {i}: {}", detector.last_nonsense()).into());
        }
        let inside = |v: f64| (-0.5..f64::from(CANVAS) - 0.5).contains(&v);
        if let Some(d) = found.iter().find(|d| !inside(d.x) || !inside(d.y)) {
            return Err(format!("frame {i}: a centre at ({}, {}), outside", d.x, d.y).into());
        }
        count += found.len();
    }
    Ok(format!("{count} detections"))
}

pub(super) fn threads(bench: &mut Bench) -> Outcome {
    const THREADS: usize = 4;
    let pictures = golden_pictures();
    let pictures: Vec<&Picture> = pictures.iter().collect();
    let alone = answers(&mut bench.detector()?, &pictures)?;
    bench.step(format!("{THREADS} instances at once"))?;
    let detectors = (0..THREADS).map(|_| bench.detector()).collect::<Result<Vec<_>, _>>()?;
    let (alone, pictures) = (&alone, &pictures);
    std::thread::scope(|scope| {
        let running: Vec<_> = detectors
            .into_iter()
            .map(|mut detector| {
                // Made on one thread, used on another, dropped there.
                scope.spawn(move || {
                    for _ in 0..5 {
                        let ours = answers(&mut detector, pictures).map_err(|e| e.to_string())?;
                        if ours != *alone {
                            return Err("other instances change the answers".to_owned());
                        }
                        detector.reset().map_err(|e| e.to_string())?;
                    }
                    Ok(())
                })
            })
            .collect();
        running
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or(Err("a thread panicked".to_owned())))
    })?;
    Ok(format!("{THREADS} threads"))
}

pub(super) fn steady_memory(bench: &mut Bench) -> Outcome {
    let mut detector = bench.detector()?;
    let mut found = Detections::new();
    let pictures = golden_pictures();
    let mut before = 0;
    for i in 0..FRAMES + 100 {
        if i == 100 {
            before = resident()?;
        }
        if i % 50 == 0 {
            bench.step(format!("frame {i}"))?;
        }
        detector.detect(&pictures[i as usize % pictures.len()].frame(i.into()), &mut found)?;
    }
    growth(before, FRAMES as usize, "frames")
}

pub(super) fn deadline(bench: &mut Bench) -> Outcome {
    let mut detector = bench.detector()?;
    let mut found = Detections::new();
    let disc = Disc { x: 301.3, y: 222.8, radius: RADIUS, inside: 220, outside: 30 };
    let picture = Picture::disc(640, 480, PixelFormat::GRAY8, disc);
    let mut durations = Durations::default();
    for i in 0..110_u64 {
        bench.step(format!("frame {i}"))?;
        let start = Instant::now();
        detector.detect(&picture.frame(i), &mut found)?;
        if i >= 10 {
            durations.record(start.elapsed());
        }
    }
    let p95 = durations.quantile_ms(0.95);
    let text = format!("p95 {p95:.3} ms");
    if p95 > DEADLINE_MS { Err(text.into()) } else { Ok(text) }
}
