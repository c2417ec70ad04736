//! One scene: its numbers, its plots and the worst frames.

use maud::{Markup, PreEscaped, html};

use super::{
    super::{
        Metrics, Plan, SceneSummary, Summary,
        film::{FilmError, Filmed},
        quoted,
        table::{cells, dash},
    },
    class, head, key, pictures, plots, rows,
};
use crate::scene::SceneConfig;

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
        h2 id=(scene.name) { (scene.name) " " a.up href="#top" { "to the top" } }
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
        @if scene.detectors.iter().any(|m| m.found > 0) {
            h3 { "Share of the balls within a distance" }
            p.legend { @for (d, m) in scene.detectors.iter().enumerate() { span { (key(d)) (m.detector) } } }
            (PreEscaped(plots::cdf(filmed, count)))
        }
        @if scene.detectors.iter().any(locks) {
            h3 {
                "Pixel locking: error against sub-pixel phase (black: means of bins; flat is right; each with "
                "its own scale, what is beyond it is drawn at its edge)"
            }
            div.plots { @for (d, m) in scene.detectors.iter().enumerate().filter(|(_, m)| locks(m)) {
                figure { (PreEscaped(plots::phase(filmed, d))) figcaption { (key(d)) (m.detector) } }
            } }
        }
        @if scene.detectors.iter().any(|m| m.calibration.is_some()) {
            h3 { "Is the covariance right? (on the black line it is, below it promises too much)" }
            div.plots { @for (d, m) in scene.detectors.iter().enumerate() {
                @if let Some(plot) = plots::calibration(filmed, d) {
                    figure { (PreEscaped(plot)) figcaption { (key(d)) (m.detector) } }
                }
            } }
        }
        @if scene.detectors.iter().any(|m| m.score_correlation.is_some()) {
            h3 { "Does the score tell good answers from bad ones?" }
            div.plots { @for (d, m) in scene.detectors.iter().enumerate().filter(|(_, m)| m.score_correlation.is_some()) {
                figure { (PreEscaped(plots::score(filmed, d))) figcaption { (key(d)) (m.detector) } }
            } }
        }
        @for (d, m) in scene.detectors.iter().enumerate().filter(|(d, _)| !worst[*d].is_empty()) {
            h3 { (key(d)) "Worst frames of " (m.detector) }
            div.pictures { @for picture in &worst[d] { (picture) } }
        }
        p.soft { "Green: truth; grey, dotted: balls that do not count. Magenta, dashed: estimate. Amber: false positive." }
        @if let Some(config) = &scene.config {
            p.soft {
                "A frame again, as a PNG file with its truth: "
                code { (again(&plan.scene(config, 0))) }
                ", with the seed below the picture, and N above its number there."
            }
        }
    })
}

/// The command that films a segment; its seed and its length are to be filled in.
fn again(segment: &SceneConfig) -> String {
    let changes = segment.changes().into_iter();
    let changes =
        changes.map(|(key, value)| format!("-c {} ", quoted(&format!("scene.{key}={value}"))));
    format!(
        "host scene --preset {} --seed SEED --frames N {}--out DIR",
        segment.preset.name(),
        changes.collect::<String>()
    )
}

/// Whether the balls are so placed that pixel locking can be seen.
fn locks(m: &Metrics) -> bool {
    m.locking.iter().any(Option::is_some)
}

/// What was filmed, and what the detectors were told.
fn settings(summary: &Summary, scene: &SceneSummary) -> Markup {
    let at = summary.scenes.iter().position(|s| s.name == scene.name);
    let told = summary.detectors.iter().filter_map(|info| {
        let mut table = info.settings.clone();
        table.extend(at.and_then(|at| info.radius_hint.get(at)).cloned().unwrap_or_default());
        let text = table.iter().map(|(key, value)| format!("{key} = {value}"));
        let text = text.collect::<Vec<_>>().join(", ");
        let unset: Vec<_> =
            info.unset.iter().filter(|(key, _)| !table.contains_key(*key)).collect();
        (!text.is_empty() || !unset.is_empty()).then_some((&info.name, text, unset))
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
                ul { @for (name, text, unset) in &told { li {
                    (name) ": " code { (text) }
                    @for (key, meaning) in unset {
                        div.soft { code { (key) } " is not set: " (meaning.as_str().unwrap_or_default()) }
                    }
                } } }
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
                th { @if detectors.len() > 1 { small.soft { "bold: the best of a row, alone" } } }
                @for (d, m) in detectors.iter().enumerate() { th { (key(d)) (head(&m.detector)) } }
            } }
            tbody { @for (group, rows) in rows::GROUPS {
                @let rows: Vec<&rows::Row> = rows.iter().filter(|row| says(row, detectors)).collect();
                @if !rows.is_empty() { tr.group { td colspan=(detectors.len() + 1) { (group) } } }
                @for row in rows {
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

/// Whether a row says anything of any detector.
fn says(row: &rows::Row, detectors: &[Metrics]) -> bool {
    row.always || detectors.iter().any(|m| (row.value)(m) != dash() || !(row.below)(m).is_empty())
}

/// Whether detector `d` has the best value of a row, alone, also as it is shown. Who found
/// nothing, or failed always, has nothing that others could be measured by.
fn best(detectors: &[Metrics], d: usize, row: &rows::Row) -> bool {
    let works = |m: &Metrics| m.faults < m.frames && (m.found > 0 || m.balls == 0);
    let me = &detectors[d];
    let Some(rank) = row.rank.filter(|_| works(me)) else { return false };
    let Some(mine) = rank(me) else { return false };
    let others = detectors.iter().enumerate().filter(|(other, m)| *other != d && works(m));
    let mut others = others.filter_map(|(_, m)| Some((rank(m)?, (row.value)(m)))).peekable();
    let shown = (row.value)(me);
    others.peek().is_some() && others.all(|(theirs, text)| mine < theirs && text != shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::metrics::{Times, tests::filmed};

    #[test]
    fn the_best_is_one_that_works_and_is_seen_to_differ() {
        let series = [Some(0.2), Some(0.1), None].map(|e| vec![e.map(|e| [e, 0.0]); 8]);
        let filmed = filmed(&series, 2);
        let mut all: Vec<Metrics> =
            (0..3).map(|d| Metrics::of(&filmed, d, &d.to_string(), 1)).collect();
        let bold = |all: &[Metrics], name: &str| {
            let row = rows::GROUPS.iter().flat_map(|g| g.1).find(|row| row.name == name).unwrap();
            (0..3).filter(|d| best(all, *d, row)).collect::<Vec<_>>()
        };
        assert_eq!(bold(&all, "RMSE per axis"), [1]);
        // All three took as long; the fastest found nothing.
        assert_eq!(bold(&all, "ms per frame, median"), [0; 0]);
        all[2].ms = all[2].ms.map(|t| Times { p50: 1.0, ..t });
        assert_eq!(bold(&all, "ms per frame, median"), [0; 0]);
        // Better by less than is shown.
        all[0].ms = all[0].ms.map(|t| Times { p50: 1.99999, ..t });
        assert_eq!(bold(&all, "ms per frame, median"), [0; 0]);
        all[0].ms = all[0].ms.map(|t| Times { p50: 1.5, ..t });
        assert_eq!(bold(&all, "ms per frame, median"), [0]);
    }
}
