use plumbline_plugin_api::Circle;
use serde_json::Value;

use super::*;
use crate::{
    score::{Ending, Truth},
    wire::Estimate,
};

const MS: Duration = Duration::from_millis(1);

/// A scored frame, a failed one, one without an answer, a scored one without a radius.
pub(in crate::report) fn rows() -> Vec<Row> {
    let ball = Circle { x: 280.25, y: 60.5, radius: 20.0 };
    let estimate = Estimate { x: 280.5, y: 60.0, radius: 20.125, score: 0.5, covariance: None };
    let scored = |estimate| Ending::Scored(Hit::new(estimate, ball, 4 * MS, 2 * MS));
    let missed =
        Ending::Missed { latency: 3 * MS, detect: MS, reason: Some("it \"broke\", badly".into()) };
    [
        (scored(estimate), 0.75),
        (missed, 0.75),
        (Ending::TimedOut, 0.75),
        (scored(Estimate { radius: f64::NAN, score: f64::NAN, ..estimate }), 1.5),
    ]
    .into_iter()
    .enumerate()
    .map(|(frame, (ending, cumulative_l1))| Row {
        frame: frame as u64,
        truth: Truth::from(ball),
        ending,
        cumulative_l1,
    })
    .collect()
}

fn written(name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let mut writer = RecordWriter::create(&path).unwrap();
    for row in rows() {
        writer.write(&row, Duration::ZERO).unwrap();
    }
    writer.flush().unwrap();
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn csv_has_the_promised_columns_and_empty_cells() {
    assert_eq!(
        written("rows.csv"),
        "frame,outcome,actual_x,actual_y,actual_radius,estimated_x,estimated_y,estimated_radius,\
         score,l1,l2,cumulative_l1,latency_ms,detect_ms\n\
         0,scored,280.25,60.5,20.0,280.5,60.0,20.125,0.5,0.75,0.5590169943749475,0.75,4.0,2.0\n\
         1,missed,280.25,60.5,20.0,,,,,,,0.75,3.0,1.0\n\
         2,timed_out,280.25,60.5,20.0,,,,,,,0.75,,\n\
         3,scored,280.25,60.5,20.0,280.5,60.0,,,0.75,0.5590169943749475,1.5,4.0,2.0\n"
    );
}

#[test]
fn json_lines_have_the_same_keys_and_the_reason() {
    let text = written("rows.JSONL");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    for line in &lines {
        let keys: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected: Vec<_> = COLUMNS.into_iter().chain(["reason"]).collect();
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        expected.sort_unstable();
        assert_eq!(sorted, expected);
    }
    assert_eq!(lines[0]["estimated_radius"], 20.125);
    assert_eq!(lines[1]["reason"], "it \"broke\", badly");
    assert_eq!(lines[2]["latency_ms"], Value::Null);
    assert_eq!(lines[3]["score"], Value::Null);
}

#[test]
fn no_rows_still_make_a_header() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    drop(RecordWriter::create(&path).unwrap());
    assert_eq!(std::fs::read_to_string(path).unwrap(), COLUMNS.join(",") + "\n");
}

#[test]
fn rows_reach_the_file_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["rows.csv", "rows.ndjson"] {
        let path = folder.path().join(name);
        let lines = || std::fs::read_to_string(&path).unwrap().lines().count();
        let mut writer = RecordWriter::create(&path).unwrap();
        writer.write(&rows()[0], 999 * MS).unwrap();
        assert_eq!(lines(), 0, "{name}");
        writer.tick(1000 * MS).unwrap();
        let after_first = lines();
        assert!(after_first > 0, "{name}");
        writer.write(&rows()[1], 1500 * MS).unwrap();
        assert_eq!(lines(), after_first, "{name}");
        writer.write(&rows()[2], 2000 * MS).unwrap();
        assert_eq!(lines(), after_first + 2, "{name}");
    }
}

#[test]
fn an_unknown_extension_names_the_allowed_ones() {
    for name in ["rows.txt", "rows", ".csv"] {
        let error = RecordFormat::of(Path::new(name)).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(".csv, .jsonl or .ndjson"), "{error}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_with_the_path() {
    for format in [RecordFormat::Csv, RecordFormat::JsonLines] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let path = Path::new("out/rows.csv");
        let mut writer = RecordWriter::new(path, format, Box::new(full)).unwrap();
        writer.write(&rows()[0], Duration::ZERO).unwrap();
        let error = writer.flush().unwrap_err().to_string();
        assert!(error.starts_with("cannot write out/rows.csv: No space left"), "{error}");
    }
}
