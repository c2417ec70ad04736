//! The plots, as SVG.

use plotters::{data::float::pretty_print_float, prelude::*};

use super::super::{
    Summary,
    film::Filmed,
    interval::quantile,
    metrics::{hits, mahalanobis},
    table::number,
};
use super::chart::{Axis, FONT, chart, decades};

/// Colours of the detectors, told apart with any colour vision (Okabe and Ito, 2008).
pub(super) const COLORS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];

/// The colour of detector number `d`: after the first round the same ones darker, then paler.
pub(super) fn color(d: usize) -> RGBColor {
    let RGBColor(r, g, b) = COLORS[d % COLORS.len()];
    let (toward, share) = [(0.0, 0.0), (0.0, 0.5), (255.0, 0.45)][d / COLORS.len() % 3];
    let [r, g, b] =
        [r, g, b].map(|c| (f64::from(c) + share * (toward - f64::from(c))).round() as u8);
    RGBColor(r, g, b)
}

/// Errors below this are drawn at it, in pixels; and times, in milliseconds.
pub(super) const LEAST: f64 = 1e-5;
/// Points of a scatter plot; more only make the file large.
const POINTS: usize = 1500;
/// A plot that has a line of the page to itself, and one of several side by
/// side, in CSS pixels.
const WIDE: (u32, u32) = (500, 300);
const LARGE: (u32, u32) = (720, 420);
const SMALL: (u32, u32) = (380, 240);
const SQUARE: (u32, u32) = (310, 260);

/// Share of the counted balls with an error up to x. A curve that stays below
/// 100 % has missed balls.
pub(super) fn cdf(filmed: &Filmed, count: usize) -> String {
    let frames = || filmed.segments.iter().flatten();
    let balls = frames().flat_map(|f| &f.balls).filter(|b| !b.ignored).count().max(1) as f64;
    let errors: Vec<Vec<f64>> = (0..count)
        .map(|d| {
            let mut errors: Vec<f64> = filmed
                .segments
                .iter()
                .flat_map(|s| hits(s, d))
                .map(|(_, h)| h.l2().max(LEAST))
                .collect();
            errors.sort_unstable_by(f64::total_cmp);
            errors
        })
        .collect();
    // The best percent of a good detector would stretch the axis.
    let ends = errors.iter().flat_map(|e| [quantile(e, 0.01), quantile(e, 1.0)]).flatten();
    let (x, (low, high)) = decades("distance from the truth, px", ends, LEAST);
    let y = Axis { range: 0.0..102.0, title: "balls, %", ticks: 11, label: &whole };
    chart(WIDE, x, y, |chart| {
        for (d, errors) in errors.iter().enumerate() {
            let every = errors.len().div_ceil(600).max(1);
            let steps = errors.iter().enumerate();
            let corners = steps
                .filter(|(k, _)| k % every == 0 || k + 1 == errors.len())
                .map(|(k, e)| (e.clamp(low, high), 100.0 * (k + 1) as f64 / balls));
            // Up at each error, and on until the next.
            let (mut line, mut height) = (Vec::new(), 0.0);
            for (at, top) in corners {
                line.extend([(at, height), (at, top)]);
                height = top;
            }
            line.push((high, height));
            chart.draw_series(LineSeries::new(line, color(d).stroke_width(2)))?;
        }
        Ok(())
    })
}

/// Error of one axis against the sub-pixel phase of the truth: a point per
/// ball, and the means of ten bins. Flat at 0 is right.
pub(super) fn phase(filmed: &Filmed, d: usize) -> String {
    let points: Vec<(f64, f64)> = filmed
        .segments
        .iter()
        .flat_map(|s| hits(s, d))
        .flat_map(|(b, h)| {
            [(b.truth.x, h.error[0]), (b.truth.y, h.error[1])].map(|(p, e)| (p - p.floor(), e))
        })
        .collect();
    let mut sizes: Vec<f64> = points.iter().map(|p| p.1.abs()).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    let reach = quantile(&sizes, 0.98).unwrap_or(1.0).max(1e-6) * 1.25;
    let means: Vec<(f64, f64)> = (0..10)
        .filter_map(|k| {
            let bin: Vec<f64> =
                points.iter().filter(|p| (p.0 * 10.0).floor() as i32 == k).map(|p| p.1).collect();
            let mean = bin.iter().sum::<f64>() / bin.len() as f64;
            (!bin.is_empty()).then(|| (f64::from(k) / 10.0 + 0.05, mean.clamp(-reach, reach)))
        })
        .collect();
    let x = Axis {
        range: 0.0..1.0,
        title: "sub-pixel phase of the truth, px",
        ticks: 5,
        label: &plain,
    };
    let label = |v: &f64| tick(*v, reach);
    let y = Axis { range: -reach..reach, title: "error, px", ticks: 5, label: &label };
    chart(SMALL, x, y, |chart| {
        let dots = thin(&points).map(|p| (p.0, p.1.clamp(-reach, reach)));
        let faint = color(d).mix(0.3).filled();
        chart.draw_series(dots.map(|p| Circle::new(p, 2, faint)))?;
        chart.draw_series(LineSeries::new(means.clone(), BLACK.stroke_width(2)))?;
        chart.draw_series(means.into_iter().map(|p| Circle::new(p, 3, BLACK.filled())))?;
        Ok(())
    })
}

/// Distance from the truth against the score. Points that fall to the right
/// mean that the score can be trusted.
pub(super) fn score(filmed: &Filmed, d: usize) -> String {
    let points: Vec<(f64, f64)> = filmed
        .segments
        .iter()
        .flat_map(|s| hits(s, d))
        .map(|(_, h)| (h.score, h.l2().max(LEAST)))
        .collect();
    let (least, most) =
        points.iter().fold((f64::MAX, f64::MIN), |(a, b), p| (a.min(p.0), b.max(p.0)));
    let (least, most) = if least > most { (0.0, 1.0) } else { (least, most) };
    let room = ((most - least) * 0.05).max(1e-3 * most.abs()).max(1e-9);
    let x = Axis { range: least - room..most + room, title: "score", ticks: 5, label: &plain };
    let (y, _) = decades("distance, px", points.iter().map(|p| p.1), LEAST);
    chart(SMALL, x, y, |chart| {
        let faint = color(d).mix(0.4).filled();
        chart.draw_series(thin(&points).map(|p| Circle::new(p, 2, faint)))?;
        Ok(())
    })
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that plotters asks for")]
fn whole(v: &f64) -> String {
    format!("{v:.0}")
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that plotters asks for")]
fn plain(v: &f64) -> String {
    pretty_print_float(*v, false)
}

/// A value on an axis from -`reach` to `reach`; rounding must not hide the zero.
fn tick(v: f64, reach: f64) -> String {
    number(Some(if v.abs() < 1e-9 * reach { 0.0 } else { v }))
}

/// How much of the answers lies within the ellipses that the covariance
/// promises to hold x per cent: the diagonal is right, below it the detector is
/// too confident. `None` without covariances.
pub(super) fn calibration(filmed: &Filmed, d: usize) -> Option<String> {
    let mut levels: Vec<f64> = filmed
        .segments
        .iter()
        .flat_map(|s| hits(s, d))
        .filter_map(|(_, h)| mahalanobis(&h))
        // e' S^-1 e of two normal variables is exponential with the mean 2.
        .map(|m| 100.0 * -(-0.5 * m).exp_m1())
        .collect();
    if levels.is_empty() {
        return None;
    }
    levels.sort_unstable_by(f64::total_cmp);
    let n = levels.len();
    let every = n.div_ceil(400);
    let mut line = vec![(0.0, 0.0)];
    let points = levels.iter().enumerate().filter(|(k, _)| k % every == 0 || k + 1 == n);
    line.extend(points.map(|(k, level)| (*level, 100.0 * (k + 1) as f64 / n as f64)));
    let percent = |title| Axis { range: 0.0..100.0, title, ticks: 5, label: &whole };
    let (x, y) = (percent("promised by the covariance, %"), percent("answers within, %"));
    Some(chart(SQUARE, x, y, |chart| {
        chart.draw_series(LineSeries::new([(0.0, 0.0), (100.0, 100.0)], BLACK.stroke_width(1)))?;
        chart.draw_series(LineSeries::new(line, color(d).stroke_width(2)))?;
        Ok(())
    }))
}

/// Whether [`speed`] has points that belong further down or left.
pub(super) fn out_of_scale(summary: &Summary) -> bool {
    let all = summary.scenes.iter().flat_map(|scene| &scene.detectors);
    all.filter_map(|m| Some(m.ms?.p50.min(m.rmse?))).any(|least| least < LEAST)
}

/// Accuracy against time: a point for every scene and detector.
pub(super) fn speed(summary: &Summary) -> String {
    let all = summary
        .scenes
        .iter()
        .zip(1..)
        .flat_map(|(scene, n)| scene.detectors.iter().enumerate().map(move |(d, m)| (n, d, m)));
    let points: Vec<(u32, usize, (f64, f64))> = all
        .filter_map(|(n, d, m)| Some((n, d, (m.ms?.p50.max(LEAST), m.rmse?.max(LEAST)))))
        .collect();
    let (times, errors) = (points.iter().map(|p| p.2.0), points.iter().map(|p| p.2.1));
    let (x, _) = decades("median time per frame, ms", times, LEAST);
    let (y, _) = decades("RMSE per axis, px", errors, LEAST);
    chart(LARGE, x, y, |chart| {
        chart.draw_series(points.iter().map(|&(n, d, at)| {
            let number = Text::new(n.to_string(), (6, -6), (FONT, 11).into_font().color(&color(d)));
            EmptyElement::at(at) + Circle::new((0, 0), 4, color(d).filled()) + number
        }))?;
        Ok(())
    })
}

/// Evenly spaced points, at most [`POINTS`] of them.
fn thin(points: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> {
    points.iter().copied().step_by(points.len().div_ceil(POINTS).max(1))
}
