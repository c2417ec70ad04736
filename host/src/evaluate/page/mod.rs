//! The report as one self-contained page.

mod pictures;
mod plots;
mod rows;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    Metrics, Pair, Plan, SceneSummary, Summary,
    film::{FilmError, Filmed},
    table::{hints, number, percent, ratio},
};

const STYLE: &str = include_str!("style.css");

/// The page: no script, nothing from elsewhere.
///
/// # Errors
///
/// [`FilmError`] when a frame cannot be filmed again for its picture.
pub fn page(plan: &Plan, filmed: &[Filmed], summary: &Summary) -> Result<String, FilmError> {
    let scenes = filmed
        .iter()
        .zip(&summary.scenes)
        .map(|(filmed, scene)| section(plan, filmed, scene))
        .collect::<Result<Vec<_>, _>>()?;
    let names: Vec<&str> = summary.detectors.iter().map(|d| d.name.as_str()).collect();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Detectors compared: " (names.join(", ")) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Detectors compared" }
                p.soft {
                    (summary.frames) " frames per scene in independent segments of "
                    (summary.segment_frames) ", seed " (summary.seed) ". All detectors saw the same frames. "
                    (hints(summary))
                }
                (requirements(summary))
                (overview(summary))
                (reading(summary))
                @for scene in &scenes { (scene) }
            }
        }
    };
    Ok(page.into_string())
}

fn requirements(summary: &Summary) -> Markup {
    html! {
        @if !summary.unmet.is_empty() {
            div.unmet {
                strong { "Thresholds that were not met" }
                ul { @for unmet in &summary.unmet { li { (unmet) } } }
            }
        }
    }
}

fn key(d: usize) -> Markup {
    let c = plots::color(d);
    html! { span.key style=(format!("background:rgb({},{},{})", c.0, c.1, c.2)) {} }
}

/// The answer first: a row per scene, a column per detector.
fn overview(summary: &Summary) -> Markup {
    html! {
        div.scroll { table {
            thead { tr {
                th { "scene" }
                @for (d, info) in summary.detectors.iter().enumerate() {
                    th { (key(d)) (info.name) " " small.soft { (info.version) } }
                }
            } }
            tbody { @for scene in &summary.scenes { tr {
                td { a href={ "#" (scene.name) } { (scene.name) } small { (scene.description) } }
                @for m in &scene.detectors { td {
                    (number(m.rmse)) " px"
                    @if let Some(over) = m.rmse_over_bound { " (" (ratio(Some(over))) " × bound)" }
                    small {
                        (percent(m.recall)) " % found, " (number(Some(m.false_positives_per_frame)))
                        " false/frame, " (number(m.ms.map(|t| t.p50))) " ms"
                    }
                    @if let Some(pair) = scene.against_first(&m.detector) {
                        small class=(class(pair)) { (pair.verdict.text()) }
                    }
                } }
            } } }
        } }
    }
}

fn reading(summary: &Summary) -> Markup {
    html! {
        p {
            "The large number is the RMSE per axis of the balls that were found. "
            @if let Some(first) = summary.detectors.first().filter(|_| summary.detectors.len() > 1) {
                "The verdict compares with " strong { (first.name) } " ball by ball: the loss is the distance "
                "from the truth, a missed ball costs the gate (half a radius, at least 2 px); it does not count "
                "false positives and time. “Better” and “worse” mean that the 95 % interval of the mean "
                "difference leaves 0 out. "
            }
            "Balls of which less than " (100.0 * summary.least_visible)
            " % is visible do not count. Times were taken on at most " (summary.timed_frames)
            " frames on one thread of this machine."
        }
    }
}

fn class(pair: &Pair) -> &'static str {
    match pair.verdict {
        super::Verdict::Better => "better",
        super::Verdict::Worse => "worse",
        super::Verdict::NoDifferenceSeen => "no-difference-seen",
    }
}

fn section(plan: &Plan, filmed: &Filmed, scene: &SceneSummary) -> Result<Markup, FilmError> {
    let count = scene.detectors.len();
    let worst = (0..count)
        .map(|d| pictures::worst(plan, filmed, d))
        .collect::<Result<Vec<_>, FilmError>>()?;
    let ignored = scene.detectors.first().map_or(0, |m| m.ignored);
    Ok(html! {
        h2 id=(scene.name) { (scene.name) }
        p.soft {
            (scene.description)
            @if ignored > 0 { "; " (ignored) " balls that are too little visible do not count" }
        }
        (metrics(&scene.detectors))
        @if !scene.pairs.is_empty() {
            h3 { "Ball by ball on the same frames" }
            ul { @for pair in &scene.pairs { li class=(class(pair)) { (super::table::verdict(pair)) } } }
        }
        h3 { "Share of the balls within a distance" }
        p.legend { @for (d, m) in scene.detectors.iter().enumerate() { span { (key(d)) (m.detector) } } }
        (PreEscaped(plots::cdf(filmed, count)))
        h3 { "Pixel locking: error against sub-pixel phase (black: means of bins; flat is right)" }
        div.plots { @for (d, m) in scene.detectors.iter().enumerate().filter(|(_, m)| m.found > 0) {
            figure { (PreEscaped(plots::phase(filmed, d))) figcaption { (key(d)) (m.detector) } }
        } }
        h3 { "Does the score tell good answers from bad ones?" }
        div.plots { @for (d, m) in scene.detectors.iter().enumerate().filter(|(_, m)| m.found > 0) {
            figure { (PreEscaped(plots::score(filmed, d))) figcaption { (key(d)) (m.detector) } }
        } }
        @for (d, m) in scene.detectors.iter().enumerate() {
            h3 { (key(d)) "Worst frames of " (m.detector) }
            div.pictures { @for picture in &worst[d] { (picture) } }
        }
        p.soft { "Green: truth. Magenta, dashed: estimate. Amber: false positive." }
    })
}

/// Everything: a row per metric, a column per detector.
fn metrics(detectors: &[Metrics]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr {
                th {}
                @for (d, m) in detectors.iter().enumerate() { th { (key(d)) (m.detector) } }
            } }
            tbody { @for (group, rows) in rows::GROUPS {
                tr.group { td colspan=(detectors.len() + 1) { (group) } }
                @for row in rows {
                    tr {
                        td title=(row.title) { (row.name) }
                        @for (d, m) in detectors.iter().enumerate() {
                            @let below = (row.below)(m);
                            td.best[best(detectors, d, row)] {
                                (row_value(row, m))
                                @if !below.is_empty() { small { (below) } }
                            }
                        }
                    }
                }
            } }
        } }
    }
}

fn row_value(row: &rows::Row, m: &Metrics) -> String {
    (row.value)(m)
}

/// Whether detector `d` has the best value of a row, alone.
fn best(detectors: &[Metrics], d: usize, row: &rows::Row) -> bool {
    let Some(rank) = row.rank else { return false };
    let Some(mine) = rank(&detectors[d]) else { return false };
    detectors.len() > 1
        && detectors
            .iter()
            .enumerate()
            .all(|(other, m)| other == d || rank(m).is_none_or(|theirs| mine < theirs))
}
