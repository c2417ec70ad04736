//! The worst frames: a cut-out, enlarged, with truth and estimates over it.

use std::io::Cursor;

use base64::{Engine, engine::general_purpose::STANDARD};
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use maud::{Markup, html};
use plumbline_plugin_api::{Circle, Frame, PixelFormat};

use super::super::{
    Plan,
    film::{FilmError, Filmed, Wrong},
    plan::segment_seed,
    table::number,
};

/// Balls that were found worst, per detector and scene.
const WORST: usize = 3;
/// Balls that were missed; and one frame with false positives.
const MISSED: usize = 2;
/// Side of a picture on the page, in CSS pixels.
const SIDE: u32 = 230;
/// Least side of a cut-out, in pixels of the frame.
const LEAST_CUT: f64 = 48.0;
/// A cut-out that is larger is made smaller to this side.
const LARGEST: u32 = 400;

/// A frame worth a look.
struct Case {
    segment: usize,
    frame: usize,
    ball: Option<usize>,
}

/// The worst frames of detector `d`.
///
/// # Errors
///
/// [`FilmError`] when the scene cannot be filmed again.
pub(super) fn worst(plan: &Plan, filmed: &Filmed, d: usize) -> Result<Vec<Markup>, FilmError> {
    cases(filmed, d).iter().map(|case| picture(plan, filmed, d, case)).collect()
}

fn cases(filmed: &Filmed, d: usize) -> Vec<Case> {
    let (mut found, mut missed) = (Vec::new(), Vec::new());
    let mut wrong = None;
    for (segment, frames) in filmed.segments.iter().enumerate() {
        for (frame, result) in frames.iter().enumerate() {
            let look = &result.looks[d];
            for (n, ball) in result.balls.iter().enumerate().filter(|(_, b)| !b.ignored) {
                let case = Case { segment, frame, ball: Some(n) };
                match look.hits[n] {
                    Some(hit) => found.push((hit.l2() / ball.gate, case)),
                    // The most visible one first: it is the hardest to excuse.
                    None => missed.push((ball.truth.visible.min(ball.truth.visible_arc), case)),
                }
            }
            let worst = wrong.as_ref().map_or(0, |w: &(u32, Case)| w.0);
            if look.false_positives > worst {
                wrong = Some((look.false_positives, Case { segment, frame, ball: None }));
            }
        }
    }
    let worst = first_of_segments(found).into_iter().take(WORST);
    let missed = first_of_segments(missed).into_iter().take(MISSED);
    worst.chain(missed).chain(wrong.map(|w| w.1)).collect()
}

/// The cases from the largest value down, one of each segment: neighbouring frames look alike.
fn first_of_segments(mut cases: Vec<(f64, Case)>) -> Vec<Case> {
    cases.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut seen = Vec::new();
    cases.retain(|(_, case)| {
        let new = !seen.contains(&case.segment);
        seen.push(case.segment);
        new
    });
    cases.into_iter().map(|(_, case)| case).collect()
}

fn picture(plan: &Plan, filmed: &Filmed, d: usize, case: &Case) -> Result<Markup, FilmError> {
    let at = (case.segment, case.frame);
    filmed.again(plan, at, |frame| drawing(plan, filmed, d, case, frame))
}

/// The cut-out of `frame`, with truth and estimates.
fn drawing(plan: &Plan, filmed: &Filmed, d: usize, case: &Case, frame: &Frame<'_>) -> Markup {
    let result = &filmed.segments[case.segment][case.frame];
    let look = &result.looks[d];
    let place = filmed.place((case.segment, case.frame));
    let (middle, caption) = if let Some(n) = case.ball {
        let t = &result.balls[n].truth;
        let what = match look.hits[n] {
            Some(hit) => format!("off by {} px", number(Some(hit.l2()))),
            None => "missed".to_owned(),
        };
        (Circle { x: t.x, y: t.y, radius: t.radius }, format!("frame {place}: {what}"))
    } else {
        let drawn = match look.wrong.len() {
            n if n < look.false_positives as usize => format!(", {n} of them drawn"),
            _ => String::new(),
        };
        let caption = format!("frame {place}: {} false{drawn}", look.false_positives);
        (around(&look.wrong, frame), caption)
    };
    let side = (3.2 * middle.radius + 16.0).max(LEAST_CUT) as u32;
    let side = side.min(frame.width()).min(frame.height());
    let corner = |at: f64, size: u32| {
        (at - f64::from(side) / 2.0).round().clamp(0.0, f64::from(size - side)) as u32
    };
    let (x0, y0) = (corner(middle.x, frame.width()), corner(middle.y, frame.height()));
    let estimates = result.balls.iter().zip(&look.hits).filter_map(|(b, h)| {
        h.map(|h| Circle {
            x: b.truth.x + h.error[0],
            y: b.truth.y + h.error[1],
            radius: b.truth.radius + h.error[2],
        })
    });
    let view = format!("{} {} {side} {side}", f64::from(x0) - 0.5, f64::from(y0) - 0.5);
    html! {
        figure {
            svg viewBox=(view) width=(SIDE) height=(SIDE) role="img" {
                image x=(f64::from(x0) - 0.5) y=(f64::from(y0) - 0.5) width=(side) height=(side)
                    href={ "data:image/png;base64," (STANDARD.encode(png(frame, x0, y0, side))) } {}
                @for b in &result.balls {
                    (mark(if b.ignored { "ignored" } else { "truth" }, Circle { x: b.truth.x, y: b.truth.y, radius: b.truth.radius }))
                }
                @for c in estimates { (mark("estimate", c)) }
                @for w in &look.wrong { (mark("false", w.circle)) }
            }
            figcaption {
                (caption)
                small {
                    @match filmed.file(place as u64) {
                        Some(file) => (file),
                        None => { "seed " (segment_seed(plan.seed, case.segment as u64)) ", frame " (case.frame) },
                    }
                }
            }
        }
    }
}

/// A circle that a cut-out of all of `wrong` is made for.
fn around(wrong: &[Wrong], frame: &Frame<'_>) -> Circle {
    let whole = f64::from(frame.width().max(frame.height()));
    let ends = |of: fn(&Circle) -> f64| {
        let values = || wrong.iter().map(|w| of(&w.circle));
        (values().fold(f64::MAX, f64::min), values().fold(f64::MIN, f64::max))
    };
    let ((left, right), (top, bottom)) = (ends(|c| c.x), ends(|c| c.y));
    let radii = wrong.iter().map(|w| w.circle.radius).filter(|r| r.is_finite());
    let largest = radii.fold(8.0, f64::max);
    let reach = 0.5 * (right - left).max(bottom - top) + largest;
    let radius = reach.clamp(whole / 8.0, whole);
    Circle { x: f64::midpoint(left, right), y: f64::midpoint(top, bottom), radius }
}

/// A circle and the cross of its centre.
fn mark(class: &str, c: Circle) -> Markup {
    let arm = 3.0;
    let cross = format!(
        "M{:.3} {:.3}h{}M{:.3} {:.3}v{}",
        c.x - arm,
        c.y,
        2.0 * arm,
        c.x,
        c.y - arm,
        2.0 * arm
    );
    html! {
        @if c.radius.is_finite() {
            circle class=(class) cx=(format!("{:.3}", c.x)) cy=(format!("{:.3}", c.y))
                r=(format!("{:.3}", c.radius.max(0.0))) {}
        }
        path class=(class) d=(cross) {}
    }
}

/// A square of the frame, losslessly unless it is large.
fn png(frame: &Frame<'_>, x0: u32, y0: u32, side: u32) -> Vec<u8> {
    let n = frame.format().bytes_per_pixel();
    let (from, to) = (x0 as usize * n, (x0 + side) as usize * n);
    let mut bytes: Vec<u8> =
        (y0..y0 + side).flat_map(|y| &frame.row(y)[from..to]).copied().collect();
    let image = if frame.format() == PixelFormat::GRAY8 {
        GrayImage::from_raw(side, side, bytes).map(DynamicImage::from)
    } else {
        bytes.chunks_exact_mut(3).for_each(|p| p.swap(0, 2));
        RgbImage::from_raw(side, side, bytes).map(DynamicImage::from)
    };
    let mut out = Cursor::new(Vec::new());
    // The sizes fit, and writing to memory does not fail.
    let image = image.unwrap_or_default();
    let image = if side > LARGEST { image.thumbnail(LARGEST, LARGEST) } else { image };
    if let Err(error) = image.write_to(&mut out, ImageFormat::Png) {
        tracing::warn!("a picture of the report is missing: {error}");
    }
    out.into_inner()
}
