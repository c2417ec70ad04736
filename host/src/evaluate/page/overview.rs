//! The answer first: all scenes in one table and one plot.

use maud::{Markup, PreEscaped, html};

use super::{
    super::{
        Pair, Summary, Verdict,
        compare::Difference,
        interval::cases,
        table::{bounded, frames, margin_text, margins, number, percent, ratio},
    },
    class, head, key, plots,
};

/// The answer first: a row per scene, a column per detector.
pub(super) fn overview(summary: &Summary) -> Markup {
    let several = summary.scenes.len() > 1;
    html! {
        div.scroll { table.overview {
            thead { tr {
                th { "scene" }
                @for (d, info) in summary.detectors.iter().enumerate() {
                    th {
                        (key(d)) (head(&info.name)) " " small.soft { (info.version) }
                        @if d == 0 && summary.detectors.len() > 1 { small.soft { ", the reference" } }
                    }
                }
            } }
            tbody {
                @for (n, scene) in summary.scenes.iter().enumerate() { tr {
                    td {
                        @if several { (n + 1) ". " }
                        a href={ "#" (scene.name) } { (scene.name) } small { (scene.sentence()) }
                    }
                    @for m in &scene.detectors { td {
                        @if m.rmse.is_some() { "RMSE " (number(m.rmse)) " px" }
                        @else if m.balls == 0 { "no balls to find" }
                        @else { "nothing found" }
                        @if let Some(over) = m.rmse_over_bound {
                            " " span.whole { "(" (ratio(Some(over))) " × bound)" }
                            @if let Some(share) = bounded(m) { small { "bound known for " (share) } }
                        }
                        @if let Some(q) = m.l2 { small { "median distance " (number(Some(q.p50))) " px" } }
                        (detection(m.recall, m.false_positives_per_frame))
                        @if let Some(ms) = m.ms { small { (number(Some(ms.p50))) " ms" } }
                        (troubles("failed on", m.faults, m.first_fault.as_deref()))
                        (troubles("broke the rules of answers on", m.misbehaved, m.first_misbehaved.as_deref()))
                        @if let Some(pair) = scene.against_first(&m.detector) { (verdict(pair)) }
                    } }
                } }
                @if several { tr.total {
                    td { "all scenes" small { "all balls and frames together" } }
                    @for (d, (info, all)) in summary.detectors.iter().zip(&summary.overall).enumerate() { td {
                        (detection(all.recall, all.false_positives_per_frame))
                        (troubles("failed on", all.faults, None))
                        @if d > 0 {
                            (tally(summary, &info.name, "distance", Pair::distance_text))
                            (tally(summary, &info.name, "misses", Pair::misses_text))
                            (tally(summary, &info.name, "false positives", |p| p.false_positives.verdict.count_text()))
                        }
                    } }
                } }
            }
        } }
        (reading(summary))
        @if several {
            h3 {
                "Accuracy against time, a point for every scene, with its number (lower left is better"
                @if plots::out_of_scale(summary) { "; what is below " (format!("{:e}", plots::LEAST)) " is drawn there" }
                ")"
            }
            p.legend {
                @for (d, info) in summary.detectors.iter().enumerate() { span { (key(d)) (info.name) } }
            }
            (PreEscaped(plots::speed(summary)))
        }
    }
}

/// Below this share of found balls, and above this many false positives per
/// frame, an accuracy says little, and the page warns.
const WARN: (f64, f64) = (0.99, 0.01);

fn detection(recall: Option<f64>, false_positives: f64) -> Markup {
    html! {
        @if let Some(share) = recall {
            small class=[(share < WARN.0).then_some("warn")] { (percent(recall)) " % found" }
        }
        small class=[(false_positives > WARN.1).then_some("warn")] {
            (number(Some(false_positives))) " false/frame"
        }
    }
}

/// On how many frames a detector did what it should not, and how it did first.
fn troubles(what: &str, count: u64, first: Option<&str>) -> Markup {
    html! {
        @if count > 0 {
            small.warn {
                (what) " " (frames(count))
                @if let Some(first) = first { ": " (first) }
            }
        }
    }
}

/// The distance's verdict always, the others when they tell the two apart.
fn verdict(pair: &Pair) -> Markup {
    let counted = [(pair.misses, "misses"), (pair.false_positives, "false positives")];
    let apart = |d: &Difference| matches!(d.verdict, Verdict::Better | Verdict::Worse);
    html! {
        small class=(class(pair.distance.verdict)) { "distance: " (pair.distance_text()) }
        @for (d, what) in counted.iter().filter(|(d, _)| apart(d)) {
            small class=(class(d.verdict)) { (d.verdict.count_text()) " " (what) }
        }
    }
}

/// In how many scenes each verdict was given.
fn tally(
    summary: &Summary,
    challenger: &str,
    what: &str,
    text: fn(&Pair) -> &'static str,
) -> Markup {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for said in summary.scenes.iter().filter_map(|s| s.against_first(challenger)).map(text) {
        match counts.iter_mut().find(|(known, _)| *known == said) {
            Some((_, count)) => *count += 1,
            None => counts.push((said, 1)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let said: Vec<String> =
        counts.iter().map(|(verdict, count)| format!("{verdict} in {count}")).collect();
    html! { small { (what) ": " (said.join(", ")) } }
}

/// How many balls or frames without a difference show that there is none.
fn least_frames(summary: &Summary) -> Option<String> {
    let n = cases(summary.margins.rate);
    // Two digits are enough.
    let unit = 10f64.powf(n.log10().floor() - 1.0).max(1.0);
    (n.is_finite() && n > 0.0).then(|| format!("{:.0}", (n / unit).ceil() * unit))
}

fn reading(summary: &Summary) -> Markup {
    html! {
        p {
            "RMSE is per axis, over the balls that were found: with few of them "
            "found, it tells of the easy ones only. × bound: divided by the Cramér-Rao bound, which no unbiased "
            "detector can beat. Times are medians per frame, on at most " (summary.timed_frames)
            " frames on one thread of this machine. Balls of which less than " (100.0 * summary.least_visible)
            " % is visible do not count. Amber warns: of less than " (margin_text(100.0 * WARN.0)) " % found, of more than "
            (margin_text(WARN.1)) " false per frame, and of frames without a proper answer."
            @if let Some(share) = summary.max_radius_error {
                " A find has a radius that is off by " (margin_text(100.0 * share)) " % at most, or none."
            }
        }
        @if let Some(first) = summary.detectors.first().filter(|_| summary.detectors.len() > 1) {
            p {
                "The verdicts compare with " strong { (first.name) } " on the same frames: “better” and “worse” "
                "tell of the mean distance from the truth, over the balls that both found. Misses and false positives "
                "are judged apart, and time not at all. " (margins(summary)) ". A verdict is given when "
                "the whole 95 % interval of the difference lies on one side of that, or within it; otherwise there "
                "are “too few frames to tell”."
                @if let Some(frames) = least_frames(summary) {
                    " To show that two detectors that never miss and are never wrong are alike takes about " (frames)
                    " balls and frames of a scene."
                }
            }
        }
    }
}
