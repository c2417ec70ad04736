//! The rows of a scene's table: what they are called, mean and hold.

use super::super::{
    Metrics,
    metrics::Estimate,
    series::Locking,
    table::{bounded, dash, frames, number, percent, percent_interval, ratio, significant},
};

/// A row: a name, an explanation, a value and what is below it. The group has the unit.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) value: fn(&Metrics) -> String,
    pub(super) below: fn(&Metrics) -> String,
    /// Whether it is shown also where nothing can be said of any detector.
    pub(super) always: bool,
    /// What is smaller in the best detector; `None` where no value is best.
    pub(super) rank: Option<fn(&Metrics) -> Option<f64>>,
}

const NONE: fn(&Metrics) -> String = |_| String::new();

/// The groups of rows.
pub(super) const GROUPS: [(&str, &[Row]); 4] = [
    (
        "Detection",
        &[
            Row {
                name: "recall, %",
                title: "balls that were found, with Wilson's 95 % interval, which takes balls for independent; the verdicts below do not",
                value: |m| percent(m.recall),
                below: |m| match m.balls {
                    0 => "no balls to find".to_owned(),
                    balls => {
                        format!("{} of {balls}, {}", m.found, percent_interval(m.recall_interval))
                    }
                },
                always: false,
                rank: Some(|m| m.recall.map(|r| -r)),
            },
            Row {
                name: "false positives per frame",
                title: "detections that belong to no ball",
                value: |m| number(Some(m.false_positives_per_frame)),
                below: |m| match m.on_clutter {
                    0 => String::new(),
                    n => format!("{n} of {} on distractors", m.false_positives),
                },
                always: false,
                rank: Some(|m| Some(m.false_positives_per_frame)),
            },
            Row {
                name: "precision, %",
                title: "found / (found + false positives)",
                value: |m| percent(m.precision),
                below: NONE,
                always: false,
                rank: Some(|m| m.precision.map(|r| -r)),
            },
        ],
    ),
    (
        "Accuracy of the centre, px",
        &[
            Row {
                name: "RMSE per axis",
                title: "sqrt(mean((dx² + dy²) / 2)) over the balls that were found",
                value: |m| number(m.rmse),
                below: |m| {
                    m.rmse_l2.map_or_else(String::new, |l2| format!("L2 {}", number(Some(l2))))
                },
                always: false,
                rank: Some(|m| m.rmse),
            },
            Row {
                name: "RMSE / bound (Cramér-Rao)",
                title: "1 is as good as an unbiased estimate can be; – where no bound is known",
                value: |m| ratio(m.rmse_over_bound),
                below: |m| {
                    let share =
                        bounded(m).map_or_else(String::new, |of| format!(", known for {of}"));
                    m.bound
                        .map_or_else(String::new, |b| format!("bound {}{share}", number(Some(b))))
                },
                always: false,
                rank: None,
            },
            Row {
                name: "distance: median, P95",
                title: "quantiles of sqrt(dx² + dy²)",
                value: |m| m.l2.map_or_else(dash, |q| number(Some(q.p50))),
                below: |m| {
                    m.l2.map_or_else(String::new, |q| format!("P95 {}", number(Some(q.p95))))
                },
                always: false,
                rank: Some(|m| m.l2.map(|q| q.p50)),
            },
            Row {
                name: "distance: P99, max",
                title: "quantiles of sqrt(dx² + dy²)",
                value: |m| m.l2.map_or_else(dash, |q| number(Some(q.p99))),
                below: |m| {
                    m.l2.map_or_else(String::new, |q| format!("max {}", number(Some(q.max))))
                },
                always: false,
                rank: Some(|m| m.l2.map(|q| q.p99)),
            },
            Row {
                name: "bias x",
                title: "mean error with its 95 % interval; * when that leaves 0 out",
                value: |m| estimate(m.bias.map(|b| b[0])),
                below: |m| interval(m.bias.map(|b| b[0])),
                always: false,
                rank: None,
            },
            Row {
                name: "bias y",
                title: "mean error with its 95 % interval; * when that leaves 0 out",
                value: |m| estimate(m.bias.map(|b| b[1])),
                below: |m| interval(m.bias.map(|b| b[1])),
                always: false,
                rank: None,
            },
            Row {
                name: "pixel locking x",
                title: "amplitude of the error against the sub-pixel phase, ± its standard error; * beyond 2.5 of these, which is not chance",
                value: |m| locked(m.locking[0]),
                below: |m| standard_error(m.locking[0]),
                always: false,
                rank: None,
            },
            Row {
                name: "pixel locking y",
                title: "amplitude of the error against the sub-pixel phase, ± its standard error; * beyond 2.5 of these, which is not chance",
                value: |m| locked(m.locking[1]),
                below: |m| standard_error(m.locking[1]),
                always: false,
                rank: None,
            },
            Row {
                name: "jitter per axis",
                title: "scatter of the answers for a ball that stands still; – when all balls move",
                value: |m| number(m.jitter),
                below: NONE,
                always: false,
                rank: Some(|m| m.jitter),
            },
        ],
    ),
    (
        "Radius, px",
        &[Row {
            name: "RMSE of the radius",
            title: "below: mean error, and RMSE over its own bound",
            value: |m| number(m.radius.map(|r| r.rmse)),
            below: |m| {
                m.radius.map_or_else(String::new, |r| {
                    let over = r
                        .rmse_over_bound
                        .map_or_else(String::new, |v| format!(", {} × bound", ratio(Some(v))));
                    format!("bias {}{over}", number(Some(r.bias)))
                })
            },
            always: false,
            rank: Some(|m| m.radius.map(|r| r.rmse)),
        }],
    ),
    (
        "Honesty and speed",
        &[
            Row {
                name: "calibration of the covariance",
                title: "mean of e' S⁻¹ e over x and y: 2 is right, more is too confident; – without covariance",
                value: |m| ratio(m.calibration.map(|c| c.value)),
                below: |m| match m.calibration.and_then(|c| c.interval) {
                    Some(i) => format!("[{}, {}]", ratio(Some(i.low)), ratio(Some(i.high))),
                    None => String::new(),
                },
                always: false,
                rank: None,
            },
            Row {
                name: "score against error",
                title: "Spearman's rank correlation: -1 when a higher score always means a smaller distance; – when all scores are equal",
                value: |m| ratio(m.score_correlation),
                below: NONE,
                always: false,
                rank: None,
            },
            Row {
                name: "ms per frame, median",
                title: "one thread, nothing else of this run beside it",
                value: |m| number(m.ms.map(|t| t.p50)),
                below: |m| {
                    m.ms.map_or_else(String::new, |t| format!("P95 {}", number(Some(t.p95))))
                },
                always: false,
                rank: Some(|m| m.ms.map(|t| t.p50)),
            },
            Row {
                name: "frames without an answer",
                title: "the detector failed or panicked; its balls count as missed",
                value: |m| m.faults.to_string(),
                below: |m| m.first_fault.clone().unwrap_or_default(),
                always: true,
                rank: None,
            },
            Row {
                name: "answers that broke the rules",
                title: "detections that are not finite, or beyond the limit, are removed and in no other number; unsorted ones, and those with an impossible covariance, stay",
                value: |m| match m.misbehaved {
                    0 => dash(),
                    n => frames(n),
                },
                below: |m| m.first_misbehaved.clone().unwrap_or_default(),
                always: false,
                rank: None,
            },
        ],
    ),
];

fn estimate(e: Option<Estimate>) -> String {
    e.map_or_else(dash, |e| {
        format!("{}{}", number(Some(e.value)), if significant(&e) { " *" } else { "" })
    })
}

fn interval(e: Option<Estimate>) -> String {
    e.and_then(|e| e.interval).map_or_else(String::new, |i| {
        format!("[{}, {}]", number(Some(i.low)), number(Some(i.high)))
    })
}

/// An amplitude; a star when it is not just chance.
fn locked(l: Option<Locking>) -> String {
    l.map_or_else(dash, |l| {
        let star = if l.amplitude > 2.5 * l.standard_error { " *" } else { "" };
        format!("{}{star}", number(Some(l.amplitude)))
    })
}

fn standard_error(l: Option<Locking>) -> String {
    l.map_or_else(String::new, |l| format!("± {}", number(Some(l.standard_error))))
}
