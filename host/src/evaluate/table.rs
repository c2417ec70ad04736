//! The result for people, in at most 100 columns; where these are fewer, a table comes in
//! parts.

use std::fmt::Write;

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets::UTF8_FULL_CONDENSED,
};

use super::{
    Difference, LABELLED, Metrics, Pair, SceneSummary, Summary, interval::Interval,
    metrics::Estimate,
};

const WIDTH: u16 = 100;

/// The tables, one scene after the other.
pub fn text(summary: &Summary) -> String {
    let mut out = String::new();
    for scene in &summary.scenes {
        let _ = writeln!(out, "{}: {}", scene.name, scene.sentence());
        let left_out = scene.left_out();
        if !left_out.is_empty() {
            let _ = writeln!(out, "{left_out}");
        }
        let balls = scene.detectors.iter().any(|m| m.balls > 0);
        let accuracy = balls.then(|| accuracy(scene));
        for table in [Some(detection(scene)), accuracy, comparison(scene)] {
            out.push_str(&table.unwrap_or_default());
        }
        for m in &scene.detectors {
            if let Some(jitter) = m.jitter {
                let _ = writeln!(
                    out,
                    "{}: jitter of the still balls {} px",
                    m.detector,
                    number(Some(jitter))
                );
            }
        }
        for m in &scene.detectors {
            for (count, first, what) in [
                (m.faults, &m.first_fault, "failed on"),
                (m.misbehaved, &m.first_misbehaved, "broke the rules of answers on"),
            ] {
                if let Some(first) = first {
                    let frames = frames(count);
                    let _ = writeln!(out, "{} {what} {frames}, first: {first}", m.detector);
                }
            }
        }
        out.push('\n');
    }
    if summary.scenes.len() > 1 {
        let _ = writeln!(out, "All scenes:");
        out.push_str(&overall(summary));
        let several = summary.detectors.len() > 1;
        out.push_str(if several { AHEAD } else { "" });
        out.push('\n');
    }
    let what = if let Some(dir) = summary.pictures() {
        format!("Pictures and truth from {dir}")
    } else {
        let frames = frames(summary.frames);
        let segment = summary.segment_frames.min(summary.frames);
        format!("{frames} per scene in segments of {segment}, seed {}", summary.seed)
    };
    let _ = writeln!(
        out,
        "{what}; rmse, bias, p95, max, radius and locking in\npixels, times in ms; [..] are 95 % intervals, * a bias whose interval leaves 0 out."
    );
    if summary.detectors.len() > 1 {
        let _ = writeln!(out, "{}.", margins(summary));
    }
    let _ = writeln!(out, "{}", hints(summary));
    if let Some(share) = summary.max_radius_error {
        let share = margin_text(100.0 * share);
        let _ = writeln!(out, "A find has a radius that is off by {share} % at most, or none.");
    }
    for silence in summary.silence() {
        let _ = writeln!(out, "{silence}.");
    }
    if summary.labelled() {
        let _ = writeln!(out, "{LABELLED}.");
    }
    out
}

/// What the detectors were told about the radius.
pub(super) fn hints(summary: &Summary) -> String {
    let told: Vec<&str> = summary
        .detectors
        .iter()
        .filter(|d| d.radius_hint.iter().any(|h| !h.is_empty()))
        .map(|d| d.name.as_str())
        .collect();
    match told.as_slice() {
        [] => "No detector was told the radius of the balls.".to_owned(),
        told => {
            let of = if summary.pictures().is_some() {
                "of the labelled balls"
            } else {
                "of each scene"
            };
            format!("Told the range of radii {of}: {}.", told.join(", "))
        }
    }
}

/// A table of text, of which the first column names the rows and no word is cut in two.
#[derive(Default)]
struct Grid {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Whether the columns but the first are numbers.
    numbers: bool,
}

impl Grid {
    fn new(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Self {
        let header = header.iter().map(|title| (*title).to_owned()).collect();
        Self { header, rows: rows.collect(), numbers: true }
    }

    /// The table in at most so many columns of characters: in parts that all begin with the
    /// first column, where one is not enough.
    fn fitted(&self, width: usize) -> String {
        // A space to either side, and a line.
        let least: Vec<usize> = (0..self.header.len()).map(|c| self.least(c) + 3).collect();
        let mut parts: Vec<Vec<usize>> = vec![Vec::new()];
        let mut taken = 1 + least[0];
        for (column, &need) in least.iter().enumerate().skip(1) {
            let part = parts.last_mut().expect("there is one from the beginning");
            if taken + need > width && !part.is_empty() {
                parts.push(vec![column]);
                taken = 1 + least[0] + need;
            } else {
                part.push(column);
                taken += need;
            }
        }
        parts.iter().map(|columns| self.part(columns, width)).collect()
    }

    /// Characters that a column needs at least: a name and each word of the others are whole.
    fn least(&self, column: usize) -> usize {
        if column == 0 { self.longest(0, &['\n']) } else { self.longest(column, &[' ', '\n']) }
    }

    /// Characters of the longest piece between two of `ends`.
    fn longest(&self, column: usize, ends: &[char]) -> usize {
        let cells = self.rows.iter().map(|row| &row[column]).chain([&self.header[column]]);
        let pieces = cells.flat_map(|cell| cell.split(ends));
        pieces.map(|piece| piece.chars().count()).max().unwrap_or(0)
    }

    /// Characters of these columns, where the first one and they have `width` in all: what is
    /// left of it goes to those that need the least more for lines that are not broken.
    fn widths(&self, columns: &[usize], width: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = columns.iter().map(|&c| self.least(c)).collect();
        let taken = 1 + self.least(0) + 3 + widths.iter().sum::<usize>() + 3 * widths.len();
        let mut left = width.saturating_sub(taken);
        let mut more: Vec<(usize, usize)> = columns
            .iter()
            .enumerate()
            .map(|(at, &c)| (self.longest(c, &['\n']) - widths[at], at))
            .collect();
        more.sort_unstable();
        for (need, at) in more {
            let given = need.min(left);
            widths[at] += given;
            left -= given;
        }
        widths
    }

    fn part(&self, columns: &[usize], width: usize) -> String {
        let pick = |row: &[String]| -> Vec<String> {
            std::iter::once(0).chain(columns.iter().copied()).map(|c| row[c].clone()).collect()
        };
        let widths = self.widths(columns, width);
        let mut table = Table::new();
        table
            .load_style(UTF8_FULL_CONDENSED)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width.try_into().unwrap_or(u16::MAX))
            .set_header(pick(&self.header))
            .add_rows(self.rows.iter().map(|row| pick(row)));
        for (n, column) in table.column_iter_mut().enumerate() {
            if n == 0 {
                column.set_constraint(ColumnConstraint::ContentWidth);
                continue;
            }
            let width = (widths[n - 1] + 2).try_into().unwrap_or(u16::MAX);
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
            if self.numbers {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        format!("{table}\n")
    }
}

/// Narrower in a terminal that is.
fn columns() -> usize {
    Table::new().width().map_or(WIDTH, |width| width.min(WIDTH)).into()
}

/// So many frames, in words.
pub(super) fn frames(n: u64) -> String {
    format!("{n} {}", if n == 1 { "frame" } else { "frames" })
}

fn detection(scene: &SceneSummary) -> String {
    let header =
        ["detector", "balls", "recall %", "false/frame", "precision %", "ms p50", "ms p95"];
    let rows = scene.detectors.iter().map(|m| {
        vec![
            cell(&m.detector),
            m.balls.to_string(),
            format!("{} {}", percent(m.recall), percent_interval(m.recall_interval))
                .trim_end()
                .to_owned(),
            number(Some(m.false_positives_per_frame)),
            percent(m.precision),
            number(m.ms.map(|t| t.p50)),
            number(m.ms.map(|t| t.p95)),
        ]
    });
    Grid::new(&header, rows).fitted(columns())
}

fn accuracy(scene: &SceneSummary) -> String {
    let header =
        ["detector", "rmse", "/bound", "bias", "p95", "max", "radius", "locking", "calib."];
    let rows = scene.detectors.iter().map(|m| {
        vec![
            cell(&m.detector),
            number(m.rmse),
            match bounded(m) {
                Some(share) => format!("{}\n{share}", ratio(m.rmse_over_bound)),
                None => ratio(m.rmse_over_bound),
            },
            bias(m),
            number(m.l2.map(|q| q.p95)),
            number(m.l2.map(|q| q.max)),
            number(m.radius.map(|r| r.rmse)),
            number(largest_locking(m)),
            ratio(m.calibration.map(|c| c.value)),
        ]
    });
    Grid::new(&header, rows).fitted(columns())
}

const AHEAD: &str = "ahead in: scenes in which the mean distance was judged better than every other detector's,\n\
                     over the balls that both found (of those that found any of the same ones); below the\n\
                     numbers the worst scene.\n";

/// All scenes, a row per detector.
fn overall(summary: &Summary) -> String {
    let several = summary.detectors.len() > 1;
    let ahead = format!("ahead in, of {}", summary.scenes.len());
    let mut header = vec!["detector", "recall %", "false/frame", "ms"];
    if several {
        header.insert(1, &ahead);
    }
    let with = |value: String, worst: Option<String>| match worst {
        Some(worst) => format!("{value}\n{worst}"),
        None => value,
    };
    let rows = summary.overall.iter().map(|o| {
        let mut row = vec![
            cell(&o.detector),
            with(
                percent(o.recall),
                o.least_recall.as_ref().map(|w| format!("{}: {}", w.scene, percent(Some(w.value)))),
            ),
            with(
                number(Some(o.false_positives_per_frame)),
                o.most_false_positives
                    .as_ref()
                    .map(|w| format!("{}: {}", w.scene, number(Some(w.value)))),
            ),
            milliseconds(o.ms),
        ];
        if several {
            row.insert(1, o.ahead.to_string());
        }
        row
    });
    Grid::new(&header, rows).fitted(columns())
}

/// From the least to the largest median.
pub(super) fn milliseconds(range: Option<[f64; 2]>) -> String {
    range.map_or_else(dash, |range| {
        let [least, most] = range.map(|t| number(Some(t)));
        if least == most { least } else { format!("{least} to {most}") }
    })
}

/// A detector's name in a table: one that is long has its settings in lines of their own.
fn cell(name: &str) -> String {
    if name.len() > 20 { name.replace(':', "\n:") } else { name.to_owned() }
}

/// The larger amplitude of the two axes.
pub(super) fn largest_locking(m: &Metrics) -> Option<f64> {
    m.locking.iter().flatten().map(|l| l.amplitude).max_by(f64::total_cmp)
}

/// How many of the found balls have a bound, unless all or none have.
pub(super) fn bounded(m: &Metrics) -> Option<String> {
    (1..m.found).contains(&m.bound_count).then(|| format!("{} of {}", m.bound_count, m.found))
}

/// The larger component; a star when it is not just chance.
fn bias(m: &Metrics) -> String {
    m.bias.map_or_else(dash, |[x, y]| {
        let e = if x.value.abs() >= y.value.abs() { x } else { y };
        format!("{}{}", number(Some(e.value)), if significant(&e) { "*" } else { "" })
    })
}

/// Whether the interval leaves 0 out.
pub(super) fn significant(e: &Estimate) -> bool {
    e.interval.is_some_and(|i| !i.holds(0.0))
}

/// Every challenger of a scene against the first detector.
fn comparison(scene: &SceneSummary) -> Option<String> {
    let first = &scene.detectors.first()?.detector;
    let against = match format!("against {first}") {
        long if long.len() > 20 => format!("against\n{}", cell(first)),
        short => short,
    };
    let pairs = scene.pairs.iter().filter(|p| p.reference == *first).map(|pair| {
        let [distance, misses, wrong] =
            cells(pair).map(|(verdict, numbers)| format!("{verdict}\n{numbers}"));
        vec![cell(&pair.challenger), distance, misses, wrong]
    });
    let header = [&*against, "distance, px", "misses, %", "false/frame"];
    let grid = Grid { numbers: false, ..Grid::new(&header, pairs) };
    (scene.detectors.len() > 1).then(|| grid.fitted(columns()))
}

/// What a comparison says about distance, misses and false positives: the
/// verdict, and the difference with its interval.
pub(super) fn cells(pair: &Pair) -> [(&'static str, String); 3] {
    let Pair { distance, misses, false_positives, .. } = pair;
    [
        (pair.distance_text(), numbers(distance, 1.0)),
        (pair.misses_text(), numbers(misses, 100.0)),
        (false_positives.verdict.count_text(), numbers(false_positives, 1.0)),
    ]
}

fn numbers(d: &Difference, unit: f64) -> String {
    let Some(mean) = d.difference else { return dash() };
    match d.interval {
        Some(i) => {
            let [mean, low, high] = [mean, i.low, i.high].map(|v| signed(v * unit));
            format!("{mean} [{low}, {high}]")
        }
        None => signed(mean * unit),
    }
}

fn signed(value: f64) -> String {
    let plus = if value > 0.0 { "+" } else { "" };
    format!("{plus}{}", number(Some(value)))
}

/// As the user wrote it: without the noise of a multiplication, and without zeros.
pub(super) fn margin_text(margin: f64) -> String {
    let text = format!("{margin:.9}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What the verdicts mean.
pub(super) fn margins(summary: &Summary) -> String {
    let [distance, percent, rate] =
        [summary.margins.distance, 100.0 * summary.margins.rate, summary.margins.rate]
            .map(margin_text);
    format!(
        "No relevant difference is one of up to {distance} px, {percent} % of the balls or {rate} false per frame"
    )
}

pub(super) fn dash() -> String {
    "–".to_owned()
}

/// Three significant digits.
pub(super) fn number(value: Option<f64>) -> String {
    value.map_or_else(dash, |v| match v.abs() {
        0.0 => "0".to_owned(),
        a if a < 0.001 => format!("{v:.2e}"),
        a if a < 0.01 => format!("{v:.5}"),
        a if a < 0.1 => format!("{v:.4}"),
        a if a < 1.0 => format!("{v:.3}"),
        a if a < 10.0 => format!("{v:.2}"),
        a if a < 100.0 => format!("{v:.1}"),
        _ => format!("{v:.0}"),
    })
}

/// A ratio around 1: two decimals where they matter.
pub(super) fn ratio(value: Option<f64>) -> String {
    value.map_or_else(dash, |v| match v.abs() {
        a if a < 10.0 => format!("{v:.2}"),
        a if a < 100.0 => format!("{v:.1}"),
        a if a < 1e5 => format!("{v:.0}"),
        _ => format!("{v:.1e}"),
    })
}

/// Per cent; above 99 with a second digit, never rounded up to 100.
pub(super) fn percent(value: Option<f64>) -> String {
    value.map_or_else(dash, |v| {
        let p = 100.0 * v;
        if (99.0..100.0).contains(&p) {
            format!("{:.2}", (100.0 * p).floor() / 100.0)
        } else {
            format!("{p:.1}")
        }
    })
}

pub(super) fn percent_interval(interval: Option<Interval>) -> String {
    interval.map_or_else(String::new, |i| {
        format!("[{}, {}]", percent(Some(i.low)), percent(Some(i.high)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{Margins, Plan, interval, metrics::tests::filmed, summary::DetectorInfo};

    #[test]
    fn a_share_below_one_is_never_a_hundred_per_cent() {
        let texts = [1.0, 0.99996, 0.9995, 0.99, 0.9849].map(|v| percent(Some(v)));
        assert_eq!(texts, ["100.0", "99.99", "99.95", "99.00", "98.5"]);
        let i = interval::wilson(400, 400).unwrap();
        assert_eq!(percent_interval(Some(i)), "[99.04, 100.0]");
    }

    #[test]
    fn numbers_have_three_digits_that_count() {
        let texts = [0.0, 1.5432e-4, -0.0071234, 0.026123, 0.1936, 1.0051, 14.52, -136.47]
            .map(|v| number(Some(v)));
        assert_eq!(texts, ["0", "1.54e-4", "-0.00712", "0.0261", "0.194", "1.01", "14.5", "-136"]);
        let ratios = [0.973, 1.142, 49.18, 192.71, 7443.0, 1.6e6].map(|v| ratio(Some(v)));
        assert_eq!(ratios, ["0.97", "1.14", "49.2", "193", "7443", "1.6e6"]);
    }

    #[test]
    fn a_narrow_table_comes_in_parts_and_cuts_no_word() {
        let words = ["99.99", "[99.97,", "100.0]", "0.00123", "1.25e-4", "192.7"];
        let row = |name: &str| {
            let mut row = vec![name.to_owned(), "99.99 [99.97, 100.0]".to_owned()];
            row.extend(["0.00123", "1.25e-4", "192.7"].map(str::to_owned));
            row
        };
        let rows = ["hough-opencv\n:method=gradient-alt", "edcircles-opencv"].map(row);
        let header = ["detector", "recall %", "false/frame", "precision %", "ms p50"];
        let grid = Grid::new(&header, rows.into_iter());
        for width in [30, 40, 50, 60, 80, 100] {
            let text = grid.fitted(width);
            // The name and one more column are the least.
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= width.max(41), "{width}:\n{text}");
            let plain = text.replace(['│', '┆'], " ");
            let found: Vec<&str> = plain.split_whitespace().collect();
            for word in words.iter().chain(&[":method=gradient-alt", "false/frame"]) {
                assert!(found.contains(word), "{word} at {width}:\n{text}");
            }
        }
    }

    #[test]
    fn the_tables_fit_and_say_what_is_better() {
        let names = ["edcircles-opencv", "hough-opencv"];
        let filmed =
            filmed(&[vec![Some([0.101234, -0.05]); 40], vec![Some([4.0123456, 0.1]); 40]], 2);
        let info = |name: &&str| DetectorInfo {
            name: (*name).to_owned(),
            plugin: (*name).to_owned(),
            argument: (*name).to_owned(),
            version: "1".into(),
            answers: None,
            answered: None,
            config: serde_json::Map::new(),
            settings: serde_json::Map::new(),
            unset: serde_json::Map::new(),
            radius_hint: vec![serde_json::Map::new()],
        };
        let plan = Plan { frames: 40, seed: 1 };
        let text = text(&Summary::of(
            &plan,
            &[filmed],
            names.iter().map(info).collect(),
            Margins::default(),
        ));
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
        let plain = text.replace(['│', '┆'], " ");
        let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("hough-opencv worse too few frames to tell too few"), "{text}");
        assert!(text.contains("+3.90 [+3.90, +3.90]"), "{text}");
        assert!(
            text.contains("up to 0.001 px, 0.1 % of the balls or 0.001 false per frame"),
            "{text}"
        );
        assert!(text.contains("100.0 [91.2, 100.0]"), "{text}");
        assert!(text.contains("0.101*"), "{text}");
    }
}
