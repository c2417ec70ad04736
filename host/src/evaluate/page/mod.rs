//! The report as one self-contained page.

mod pictures;
mod plots;
mod rows;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    Metrics, Plan, SceneSummary, Summary, Verdict,
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
    let several = summary.scenes.len() > 1;
    html! {
        div.scroll { table.overview {
            thead { tr {
                th { "scene" }
                @for (d, info) in summary.detectors.iter().enumerate() {
                    th { (key(d)) (info.name) " " small.soft { (info.version) } }
                }
            } }
            tbody {
                @for scene in &summary.scenes { tr {
                    td { a href={ "#" (scene.name) } { (scene.name) } small { (scene.description) } }
                    @for m in &scene.detectors { td {
                        (number(m.rmse)) " px"
                        @if let Some(over) = m.rmse_over_bound { " (" (ratio(Some(over))) " × bound)" }
                        (detection(m.recall, m.false_positives_per_frame))
                        small { (number(m.ms.map(|t| t.p50))) " ms" }
                        @if let Some(pair) = scene.against_first(&m.detector) {
                            small class=(class(pair.verdict)) { (pair.verdict.text()) }
                            @if let Some(text) = pair.false_positives.text() {
                                small class=(class(pair.false_positives.verdict)) { (text) }
                            }
                        }
                    } }
                } }
                @if several { tr.total {
                    td { "all scenes" small { "all balls and frames together" } }
                    @for (d, info) in summary.detectors.iter().enumerate() { td {
                        (total(summary, d))
                        @if d > 0 { small { (verdicts(summary, &info.name)) } }
                    } }
                } }
            }
        } }
        @if several {
            h3 { "Accuracy against time, a point for every scene (lower left is better)" }
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
        small class=[recall.filter(|r| *r < WARN.0).map(|_| "warn")] { (percent(recall)) " % found" }
        small class=[(false_positives > WARN.1).then_some("warn")] {
            (number(Some(false_positives))) " false/frame"
        }
    }
}

/// Detection over all scenes. Errors of different scenes are not added up:
/// the hardest scene would stand for all.
fn total(summary: &Summary, d: usize) -> Markup {
    let sum = |of: fn(&Metrics) -> u64| {
        summary.scenes.iter().map(|s| of(&s.detectors[d])).sum::<u64>() as f64
    };
    let balls = sum(|m| m.balls);
    let recall = (balls > 0.0).then(|| sum(|m| m.found) / balls);
    detection(recall, sum(|m| m.false_positives) / sum(|m| m.frames).max(1.0))
}

fn verdicts(summary: &Summary, challenger: &str) -> String {
    let count = |verdict| {
        let pairs = summary.scenes.iter().filter_map(|s| s.against_first(challenger));
        pairs.filter(|p| p.verdict == verdict).count()
    };
    format!(
        "better in {}, worse in {}, no difference seen in {}",
        count(Verdict::Better),
        count(Verdict::Worse),
        count(Verdict::NoDifferenceSeen)
    )
}

fn reading(summary: &Summary) -> Markup {
    html! {
        p {
            "The large number is the RMSE per axis of the balls that were found: with few of them found, it "
            "tells of the easy ones only. "
            @if let Some(first) = summary.detectors.first().filter(|_| summary.detectors.len() > 1) {
                "The verdict compares with " strong { (first.name) } " ball by ball: the loss is the distance "
                "from the truth, a missed ball costs the gate (half a radius, at least 2 px). False positives are "
                "judged apart, and time not at all. “Better”, “worse”, “more” and “fewer” mean that the "
                "95 % interval of the mean difference leaves 0 out; “no difference seen” is no proof of "
                "equality. "
            }
            "Balls of which less than " (100.0 * summary.least_visible)
            " % is visible do not count. Times were taken on at most " (summary.timed_frames)
            " frames on one thread of this machine."
        }
    }
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::NoDifferenceSeen => "no-difference-seen",
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
            ul { @for pair in &scene.pairs {
                li class=(class(pair.verdict)) { (super::table::verdict(pair)) }
                @if let Some(text) = super::table::false_verdict(pair) {
                    li class=(class(pair.false_positives.verdict)) { (text) }
                }
            } }
        }
        h3 { "Share of the balls within a distance" }
        p.legend { @for (d, m) in scene.detectors.iter().enumerate() { span { (key(d)) (m.detector) } } }
        (PreEscaped(plots::cdf(filmed, count)))
        h3 { "Pixel locking: error against sub-pixel phase (black: means of bins; flat is right)" }
        div.plots { @for (d, m) in scene.detectors.iter().enumerate().filter(|(_, m)| m.found > 0) {
            figure { (PreEscaped(plots::phase(filmed, d))) figcaption { (key(d)) (m.detector) } }
        } }
        @if scene.detectors.iter().any(|m| m.calibration.is_some()) {
            h3 { "Is the covariance right? (on the black line it is, below it promises too much)" }
            div.plots { @for (d, m) in scene.detectors.iter().enumerate() {
                @if let Some(plot) = plots::calibration(filmed, d) {
                    figure { (PreEscaped(plot)) figcaption { (key(d)) (m.detector) } }
                }
            } }
        }
        h3 { "Does the score tell good answers from bad ones?" }
        div.plots { @for (d, m) in scene.detectors.iter().enumerate().filter(|(_, m)| m.found > 0) {
            figure { (PreEscaped(plots::score(filmed, d))) figcaption { (key(d)) (m.detector) } }
        } }
        @for (d, m) in scene.detectors.iter().enumerate() {
            h3 { (key(d)) "Worst frames of " (m.detector) }
            div.pictures { @for picture in &worst[d] { (picture) } }
        }
        p.soft { "Green: truth. Magenta, dashed: estimate. Amber: false positive." }
        p.soft {
            "A frame again, as a PNG file with its truth: "
            code {
                "host scene --preset " (scene.name) " --seed SEED --frames N -c scene.ball.pulse_period="
                (plan.scene(&filmed.config, 0).ball.pulse_period) " --out DIR"
            }
            ", with the seed below the picture, N above its number there, and the scene's settings of this run."
        }
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
