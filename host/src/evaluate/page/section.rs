//! One scene: its numbers, its plots and the worst frames.

use maud::{Markup, PreEscaped, html};

use super::{
    super::{
        Metrics, Plan, SceneSummary, Summary,
        film::{FilmError, Filmed},
        table::cells,
    },
    class, head, key, pictures, plots, rows,
};

/// The section of a scene.
///
/// # Errors
///
/// [`FilmError`] when a frame cannot be filmed again for its picture.
pub(super) fn section(
    plan: &Plan,
    filmed: &Filmed,
    summary: &Summary,
    scene: &SceneSummary,
) -> Result<Markup, FilmError> {
    let count = scene.detectors.len();
    let worst = (0..count)
        .map(|d| pictures::worst(plan, filmed, d))
        .collect::<Result<Vec<_>, FilmError>>()?;
    let left_out = scene.left_out();
    Ok(html! {
        h2 id=(scene.name) { (scene.name) }
        p.soft {
            (scene.sentence())
            @if !left_out.is_empty() { "; " (left_out) }
        }
        (settings(summary, scene))
        (metrics(&scene.detectors))
        @if !scene.pairs.is_empty() {
            h3 { "Pair by pair on the same frames (difference, with its 95 % interval; less is better)" }
            (pairs(scene))
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
        p.soft { "Green: truth; grey, dotted: balls that do not count. Magenta, dashed: estimate. Amber: false positive." }
        @if let Some(config) = &scene.config {
            p.soft {
                "A frame again, as a PNG file with its truth: "
                code {
                    "host scene --preset " (scene.name) " --seed SEED --frames N -c scene.ball.pulse_period="
                    (plan.scene(config, 0).ball.pulse_period) " --out DIR"
                }
                ", with the seed below the picture, N above its number there, and the scene's settings of this run."
            }
        }
    })
}

/// What was filmed, and what the detectors were told.
fn settings(summary: &Summary, scene: &SceneSummary) -> Markup {
    let at = summary.scenes.iter().position(|s| s.name == scene.name);
    let told = summary.detectors.iter().filter_map(|info| {
        let mut table = info.settings.clone();
        table.extend(at.and_then(|at| info.radius_hint.get(at)).cloned().unwrap_or_default());
        let text = table.iter().map(|(key, value)| format!("{key} = {value}"));
        let text = text.collect::<Vec<_>>().join(", ");
        (!text.is_empty()).then_some((&info.name, text))
    });
    let told: Vec<_> = told.collect();
    html! {
        @if scene.config.is_some() || !told.is_empty() {
            details {
                summary {
                    @match &scene.config {
                        Some(config) => { (config.width) " x " (config.height) " pixels; all settings" },
                        None => "settings of the detectors",
                    }
                }
                ul { @for (name, text) in &told { li { (name) ": " code { (text) } } } }
                @if let Some(config) = &scene.config { pre { (toml::to_string(config).unwrap_or_default()) } }
            }
        }
    }
}

fn pairs(scene: &SceneSummary) -> Markup {
    html! {
        div.scroll { table {
            thead { tr {
                th { "detector against reference" }
                th { "distance, px" } th { "misses, % of the balls" } th { "false positives per frame" }
            } }
            tbody { @for pair in &scene.pairs { tr {
                td { (pair.challenger) small { "against " (pair.reference) } }
                @let verdicts = [&pair.distance, &pair.misses, &pair.false_positives];
                @for (d, (text, numbers)) in verdicts.iter().zip(cells(pair)) {
                    td { span class=(class(d.verdict)) { (text) } small { (numbers) } }
                }
            } } }
        } }
    }
}

/// Everything: a row per metric, a column per detector.
fn metrics(detectors: &[Metrics]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr {
                th {}
                @for (d, m) in detectors.iter().enumerate() { th { (key(d)) (head(&m.detector)) } }
            } }
            tbody { @for (group, rows) in rows::GROUPS {
                tr.group { td colspan=(detectors.len() + 1) { (group) } }
                @for row in rows.iter() {
                    tr {
                        td { (row.name) small { (row.title) } }
                        @for (d, m) in detectors.iter().enumerate() {
                            @let below = (row.below)(m);
                            td.best[best(detectors, d, row)] {
                                ((row.value)(m))
                                @if !below.is_empty() { small { (below) } }
                            }
                        }
                    }
                }
            } }
        } }
    }
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
