//! What the summary says can be computed again from the rows, in either format.

use std::{collections::BTreeMap, fs, path::Path};

use plumbline_tests::{Running, SMALL, host, json_lines, scratch, summary};
use serde_json::Value;

/// A demo of 60 noisy frames, with a detector that now and then finds nothing.
fn demo(records: &Path, json: &Path) -> Value {
    let mut command = host(["demo", "--no-graphics", "--frames", "60", "--seed", "11"]);
    command.args(SMALL).args(["--detector", "moody"]);
    command.args(["-c", "plugin.moody.nothing_on=[3, 31]", "-c", "plugin.moody.drift=true"]);
    command.arg("--records").arg(records).arg("--summary").arg(json);
    let _ = Running::start(command).end().with_status(0);
    summary(json)
}

/// The smallest value that at least the share `q` of all does not exceed.
fn nearest_rank(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

fn close(said: &Value, computed: f64, what: &str) {
    let said = said.as_f64().expect(what);
    assert!(
        (said - computed).abs() <= 1e-9 * computed.abs().max(1.0),
        "{what}: {said}, {computed}"
    );
}

/// Percentiles come from a histogram of three significant digits.
fn percentile(said: &Value, values: &[f64], q: f64, what: &str) {
    let (said, computed) = (said.as_f64().expect(what), nearest_rank(values, q));
    assert!((said - computed).abs() <= 2e-3 * computed + 2e-6, "{what}: {said}, not {computed}");
}

#[test]
fn the_summary_is_what_the_rows_add_up_to() {
    let dir = scratch();
    let records = dir.path().join("r.jsonl");
    let summary = demo(&records, &dir.path().join("s.json"));
    let rows = json_lines(&records);
    assert_eq!(rows.len(), 60);

    let mut outcomes = BTreeMap::<&str, u64>::new();
    for (row, frame) in rows.iter().zip(0_u64..) {
        assert_eq!(row["frame"], frame, "rows are in frame order");
        *outcomes.entry(row["outcome"].as_str().unwrap()).or_default() += 1;
    }
    assert_eq!(outcomes, BTreeMap::from([("missed", 2), ("scored", 58)]));
    assert_eq!(summary["frames"]["scored"], 58);
    assert_eq!(summary["frames"]["missed"], 2);

    let scored: Vec<&Value> = rows.iter().filter(|row| row["outcome"] == "scored").collect();
    let column = |name: &str| -> Vec<f64> {
        scored.iter().map(|row| row[name].as_f64().expect(name)).collect()
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let max = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);

    let dx: Vec<f64> =
        column("estimated_x").iter().zip(column("actual_x")).map(|(e, a)| e - a).collect();
    let dy: Vec<f64> =
        column("estimated_y").iter().zip(column("actual_y")).map(|(e, a)| e - a).collect();
    let l1: Vec<f64> = dx.iter().zip(&dy).map(|(x, y)| x.abs() + y.abs()).collect();
    let l2: Vec<f64> = dx.iter().zip(&dy).map(|(x, y)| x.hypot(*y)).collect();
    let squares: Vec<f64> = l2.iter().map(|e| e * e).collect();

    let error = &summary["error_px"];
    close(&error["l1"]["mean"], mean(&l1), "l1.mean");
    close(&error["l1"]["max"], max(&l1), "l1.max");
    close(&error["l1"]["cumulative"], l1.iter().sum(), "l1.cumulative");
    close(&error["l2"]["mean"], mean(&l2), "l2.mean");
    close(&error["l2"]["rmse"], mean(&squares).sqrt(), "l2.rmse");
    close(&error["l2"]["max"], max(&l2), "l2.max");
    close(&error["bias"][0], mean(&dx), "bias x");
    close(&error["bias"][1], mean(&dy), "bias y");
    for (key, q) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
        percentile(&error["l1"][key], &l1, q, &format!("l1.{key}"));
    }
    // A frame in which nothing was found has a latency, too.
    let latency: Vec<f64> = rows.iter().map(|row| row["latency_ms"].as_f64().unwrap()).collect();
    for (key, q) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
        percentile(&summary["latency_ms"][key], &latency, q, &format!("latency.{key}"));
    }
    close(&summary["latency_ms"]["max"], max(&latency), "latency.max");
}

#[test]
fn csv_and_json_lines_say_the_same() {
    let dir = scratch();
    let (csv, jsonl) = (dir.path().join("r.csv"), dir.path().join("r.jsonl"));
    demo(&csv, &dir.path().join("a.json"));
    demo(&jsonl, &dir.path().join("b.json"));
    let text = fs::read_to_string(&csv).unwrap();
    let mut lines = text.lines();
    let titles: Vec<&str> = lines.next().unwrap().split(',').collect();
    let objects = json_lines(&jsonl);
    assert_eq!(lines.clone().count(), objects.len());
    for (line, object) in lines.zip(&objects) {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells.len(), titles.len(), "{line}");
        for (title, cell) in titles.iter().zip(cells) {
            // Two runs take different times; everything else is repeatable.
            if ["latency_ms", "detect_ms"].contains(title) {
                continue;
            }
            match &object[*title] {
                Value::Null => assert!(cell.is_empty(), "{title}: {cell}"),
                Value::String(text) => assert_eq!(cell, text, "{title}"),
                number => {
                    let (a, b) = (cell.parse::<f64>().unwrap(), number.as_f64().unwrap());
                    assert!((a - b).abs() <= 1e-12 * b.abs(), "{title}: {a}, {b}");
                }
            }
        }
    }
}
