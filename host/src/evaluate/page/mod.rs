//! The report as one self-contained page.

mod chart;
mod choice;
mod overview;
mod pictures;
mod plots;
mod rows;
mod section;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    LABELLED, Plan, Summary, Verdict,
    film::{FilmError, Filmed, KEPT},
    table::hints,
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
        .map(|(filmed, scene)| section::section(plan, filmed, summary, scene))
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
                h1 id="top" { "Detectors compared" }
                p.soft {
                    @if summary.pictures().is_some() {
                        (summary.frames) @if summary.frames == 1 { " picture" } @else { " pictures" }
                        " with known truth, seed of the intervals " (summary.seed) ". All detectors saw the same ones. "
                    } @else {
                        (summary.frames) " frames per scene in independent segments of "
                        (summary.segment_frames) ", seed " (summary.seed) ". All detectors saw the same frames. "
                    }
                    (hints(summary))
                }
                @for silence in summary.silence() { p.warn { (silence) "." } }
                @if summary.labelled() { p { (LABELLED) "." } }
                (requirements(summary))
                (choice::choice(summary))
                (overview::overview(summary))
                @for scene in &scenes { (scene) }
                (again(summary))
            }
        }
    };
    Ok(page.into_string())
}

/// How to get this page again.
fn again(summary: &Summary) -> Markup {
    html! {
        h2 { "This run again" }
        p { code { (summary.command) } }
        p.soft {
            "with the same configuration file gives the same page, but for the times. Beside this page, "
            code { "frames.csv" } " has a row for every detector, frame and ball, "
            code { "false_positives.csv" } " the places of false positives (at most " (KEPT) " of a frame), and " code { "summary.json" }
            " every number of its tables. Written by host " (env!("CARGO_PKG_VERSION")) "."
        }
    }
}

fn requirements(summary: &Summary) -> Markup {
    html! {
        @if summary.unmet.is_empty() && !summary.required.is_empty() {
            div.met {
                strong { "All thresholds were met" }
                " by every detector in every scene: " (summary.required) "."
            }
        }
        @if !summary.unmet.is_empty() {
            div.unmet {
                strong { "Thresholds that were not met" }
                ul { @for unmet in &summary.unmet { li { (unmet) } } }
            }
        }
    }
}

/// A detector's name at the head of a column: its settings in lines of their own.
fn head(name: &str) -> Markup {
    let mut parts = name.split(':');
    html! {
        (parts.next().unwrap_or_default())
        @for setting in parts { small.setting { ":" (setting) } }
    }
}

fn key(d: usize) -> Markup {
    let c = plots::color(d);
    html! { span.key style=(format!("background:rgb({},{},{})", c.0, c.1, c.2)) {} }
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::NoRelevantDifference | Verdict::Undecided => "neutral",
    }
}
