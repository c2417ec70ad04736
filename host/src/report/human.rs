//! The summary for people: plain text of at most 80 columns.

use std::fmt::Write;

use super::{Millis, Summary};

const WIDTH: usize = 80;

impl Summary {
    /// The summary for people: what became of every frame, the errors and the
    /// times. At most 80 columns, no colours, with a line break at the end.
    pub fn human(&self) -> String {
        let mut text = String::new();
        self.headline(&mut text);
        self.accounting(&mut text);
        self.tables(&mut text);
        text
    }

    fn headline(&self, text: &mut String) {
        let run = &self.run;
        let scene = &run.scene;
        let exit = self.exit.name().replace('_', " ");
        line(text, &format!("Session {}: {exit} after {:.2} s", run.session, self.elapsed_s));
        if let Some(reason) = &self.reason {
            wrapped(text, reason.split_whitespace(), " ", "  ");
        }
        let client = run.client_address.as_deref().unwrap_or("an unknown address");
        let film =
            format!("{} x {} {}, seed {}", scene.width, scene.height, scene.format, run.seed);
        // A peer that said no hello did not say what it is either.
        let about = if run.detector.is_empty() {
            format!("{film}, at {client}")
        } else {
            format!("{} on {film}, at {client} ({})", run.detector, run.client_software)
        };
        wrapped(text, about.split(' '), " ", "  ");
    }

    fn accounting(&self, text: &mut String) {
        let f = &self.frames;
        let sum = |text: &mut String, total: u64, name: &str, parts: &[(u64, &str)]| {
            let mut words: Vec<_> = parts.iter().map(|(n, what)| format!("{n} {what}")).collect();
            words[0] = format!("{total} {name} = {}", words[0]);
            wrapped(text, words.iter().map(String::as_str), " + ", "  ");
        };
        line(text, "\nFrames");
        let not_sent = (f.dropped_before_sending, "dropped before sending");
        sum(text, f.generated, "generated", &[(f.sent, "sent"), not_sent]);
        let parts = [
            (f.scored, "scored"),
            (f.missed, "missed"),
            (f.dropped, "dropped"),
            (f.timed_out, "timed out"),
            (f.in_flight, "in flight"),
        ];
        sum(text, f.sent, "sent", &parts);
        let a = &self.answers;
        if a.late + a.duplicate + a.unknown > 0 {
            let parts = [
                format!("answers not counted: {} late", a.late),
                format!("{} repeated", a.duplicate),
                format!("{} to unknown frames", a.unknown),
            ];
            wrapped(text, parts.iter().map(String::as_str), ", ", "  ");
        }
    }

    fn tables(&self, text: &mut String) {
        let (l1, l2) = (&self.error_px.l1, &self.error_px.l2);
        // So that the errors of a good detector are more than a digit.
        let digits = if l1.max.is_some_and(|max| max < 0.1) { 6 } else { 4 };
        let signed = |value| signed(value, digits);
        line(text, "");
        table(
            text,
            "Error in pixels",
            ["mean", "p50", "p95", "p99", "max"],
            digits,
            &[
                ("L1, |dx| + |dy|", [l1.mean, l1.p50, l1.p95, l1.p99, l1.max]),
                ("L2, distance", [l2.mean, l2.p50, l2.p95, l2.p99, l2.max]),
            ],
        );
        let mut parts = vec![format!("cumulative L1 {:.digits$}", l1.cumulative)];
        parts.extend(l2.rmse.map(|rmse| format!("RMSE {rmse:.digits$}")));
        if let (Some([x, y]), Some([sx, sy])) = (self.error_px.bias, self.error_px.bias_sd) {
            parts.push(format!("bias x {} ± {sx:.digits$}", signed(x)));
            parts.push(format!("bias y {} ± {sy:.digits$}", signed(y)));
        }
        if let (Some(bias), Some(sd)) = (self.error_px.radius.bias, self.error_px.radius.sd) {
            parts.push(format!("radius {}, sd {sd:.digits$}", signed(bias)));
        }
        wrapped(text, parts.iter().map(String::as_str), "; ", "  ");
        line(text, "");
        let row = |m: &Millis| [m.p50, m.p95, m.p99, m.max];
        table(
            text,
            "Time in milliseconds",
            ["p50", "p95", "p99", "max"],
            3,
            &[
                ("latency, scene to answer", row(&self.latency_ms)),
                ("detector alone", row(&self.detect_ms)),
            ],
        );
        line(text, &format!("  {:.1} frames per second", self.fps));
    }
}

fn line(text: &mut String, content: &str) {
    text.push_str(content);
    text.push('\n');
}

/// Joins `words` into lines of at most [`WIDTH`] columns, where they can be.
fn wrapped<'a>(
    text: &mut String,
    words: impl Iterator<Item = &'a str>,
    separator: &str,
    indent: &str,
) {
    let mut current = indent.to_owned();
    let mut fresh = true;
    for word in words {
        if !fresh {
            let length = current.chars().count() + separator.len() + word.chars().count();
            if length + separator.trim_end().len() > WIDTH {
                line(text, &format!("{current}{}", separator.trim_end()));
                current = format!("{indent}  ");
            } else {
                current.push_str(separator);
            }
        }
        current.push_str(word);
        fresh = false;
    }
    line(text, &current);
}

fn table<const N: usize>(
    text: &mut String,
    title: &str,
    columns: [&str; N],
    digits: usize,
    rows: &[(&str, [Option<f64>; N])],
) {
    let mut put = |cells: std::fmt::Arguments<'_>| {
        text.write_fmt(cells).expect("writing to a String cannot fail");
    };
    put(format_args!("{title:<26}"));
    for column in columns {
        put(format_args!("{column:>10}"));
    }
    for (name, values) in rows {
        put(format_args!("\n  {name:<24}"));
        for value in values {
            match value {
                Some(value) => put(format_args!("{:>10}", short(*value, digits))),
                None => put(format_args!("{:>10}", "-")),
            }
        }
    }
    put(format_args!("\n"));
}

/// With its sign, which a zero has not.
fn signed(value: f64, digits: usize) -> String {
    let text = format!("{value:+.digits$}");
    if text.contains(|c: char| ('1'..='9').contains(&c)) { text } else { text[1..].to_owned() }
}

/// At most 9 characters, so that columns of 10 never touch.
fn short(value: f64, digits: usize) -> String {
    match value.abs() {
        ..1e3 => format!("{value:.digits$}"),
        ..1e6 => format!("{value:.1}"),
        _ => format!("{value:.2e}"),
    }
}
