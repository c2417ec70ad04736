//! What a choice between detectors starts from: a row per detector, all scenes together.

use maud::{Markup, html};

use super::{
    super::{
        Summary,
        overall::{InScene, Overall},
        table::{milliseconds, number, percent},
    },
    head, key,
};

/// The table; nothing with a single scene, which [`overview`](super::overview) shows as well.
pub(super) fn choice(summary: &Summary) -> Markup {
    let (scenes, several) = (summary.scenes.len(), summary.detectors.len() > 1);
    html! {
        @if scenes > 1 {
            div.scroll { table {
                thead { tr {
                    th { "all " (scenes) " scenes" }
                    @if several { th { "closest to the truth in" } }
                    th { "found, %" } th { "false per frame" } th { "ms per frame" } th { "frames without an answer" }
                } }
                tbody { @for (d, all) in summary.overall.iter().enumerate() { tr {
                    td { (key(d)) (head(&all.detector)) }
                    @if several { td { (all.ahead) " of " (scenes) small { (beaten(all, summary)) } } }
                    td { (percent(all.recall)) (worst(all.least_recall.as_ref(), |v| percent(Some(v)))) }
                    td {
                        (number(Some(all.false_positives_per_frame)))
                        (worst(all.most_false_positives.as_ref(), |v| number(Some(v))))
                    }
                    td { (milliseconds(all.ms)) }
                    td { (all.faults) }
                } } }
            } }
            p.soft {
                @if several {
                    "Closest to the truth: scenes in which the mean distance was judged better than that of every other "
                    "detector that found any of the same balls, over the balls that both found. "
                }
                "Small below the numbers: the scene in which a detector found least, and the one with the most false "
                "positives. Times are medians of the scenes, from the least to the largest."
            }
        }
    }
}

fn beaten(all: &Overall, summary: &Summary) -> String {
    let own = summary.scenes.iter().flat_map(|scene| &scene.detectors);
    let found_none: Vec<_> = own.filter(|m| m.detector == all.detector && m.found == 0).collect();
    let beaten = summary.scenes.len() - found_none.len() - all.unbeaten;
    let silent = found_none.iter().filter(|m| m.balls > 0).count();
    let mut parts = Vec::new();
    if beaten > 0 {
        parts.push(format!("beaten in {beaten}"));
    }
    if silent > 0 {
        parts.push(format!("found nothing in {silent}"));
    }
    parts.join(", ")
}

fn worst(of: Option<&InScene>, text: impl Fn(f64) -> String) -> Markup {
    html! {
        @if let Some(InScene { scene, value }) = of {
            small { a href={ "#" (scene) } { (scene) } " " (text(*value)) }
        }
    }
}
