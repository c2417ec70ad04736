use plumbline_plugin_api::Circle;
use serde_json::{Value, json};

use super::*;
use crate::{
    score::LedgerConfig,
    wire::{Answer, Estimate, Finding},
};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn run() -> Run {
    Run {
        session: 1,
        seed: 7,
        detector: "hough-rust".to_owned(),
        server_software: "plumbline 0.1.0".to_owned(),
        client_software: "plumbline 0.1.0".to_owned(),
        client_address: Some("127.0.0.1:40000".to_owned()),
        scene: Scene { width: 640, height: 480, format: "gray8".to_owned(), fps: 60.0 },
    }
}

/// Four frames: found with an error of (3, 4), nothing found, no answer, not sent.
fn summary() -> Summary {
    let mut ledger = Ledger::new(LedgerConfig::default());
    let ball = Circle { x: 10.0, y: 20.0, radius: 5.0 };
    for id in 0..4 {
        ledger.generated(id, ball, ms(1000)).unwrap();
    }
    for id in 0..3 {
        ledger.sent(id, ms(1000));
    }
    let best = Estimate { x: 13.0, y: 24.0, radius: 5.5, score: 1.0, covariance: None };
    let found = Finding::Found(vec![best]);
    for (id, finding) in [(0, found.clone()), (0, found), (1, Finding::Nothing)] {
        ledger.answer(Answer { id, finding, detect_ns: 1_500_000 }, ms(1500));
    }
    ledger.finish();
    ledger.drain_ready(&mut Vec::new());
    Summary::new(run(), &ledger, ms(3000), Exit::PeerLost, Some("no heartbeat".to_owned()))
}

#[test]
fn the_promised_keys_are_there_with_their_values() {
    let json: Value = serde_json::from_str(&summary().to_json()).unwrap();
    let promised = json!({
        "schema": 1, "seed": 7, "detector": "hough-rust",
        "frames": {"generated": 4, "sent": 3, "scored": 1, "missed": 1, "dropped": 0,
                   "timed_out": 1, "dropped_before_sending": 1, "in_flight": 0},
        "error_px": {
            "l1": {"mean": 7.0, "max": 7.0, "cumulative": 7.0, "p50": 7.0, "p95": 7.0, "p99": 7.0},
            "l2": {"mean": 5.0, "rmse": 5.0, "max": 5.0}, "bias": [3.0, 4.0],
            "radius": {"count": 1, "bias": 0.5}},
        "latency_ms": {"p50": 500.0, "p95": 500.0, "p99": 500.0, "max": 500.0},
        "detect_ms": {"p50": 1.5, "max": 1.5},
        "answers": {"late": 0, "duplicate": 1, "unknown": 0},
        "fps": 4.0, "elapsed_s": 2.0, "exit": "peer_lost", "reason": "no heartbeat",
    });
    contains(&json, &promised, "");
}

fn contains(whole: &Value, part: &Value, at: &str) {
    match part {
        Value::Object(map) => {
            for (key, value) in map {
                contains(&whole[key], value, &format!("{at}.{key}"));
            }
        }
        _ => assert_eq!(whole, part, "{at}"),
    }
}

#[test]
fn the_outcomes_add_up() {
    let f = summary().frames;
    assert_eq!(f.generated, f.sent + f.dropped_before_sending);
    assert_eq!(f.sent, f.scored + f.missed + f.dropped + f.timed_out + f.in_flight);
}

#[test]
fn a_program_reads_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("summary.json");
    summary().write(&path).unwrap();
    let read: Summary = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(read, summary());
}

#[test]
fn where_nothing_was_measured_there_is_null_and_never_nan() {
    let ledger = Ledger::new(LedgerConfig::default());
    let summary = Summary::new(run(), &ledger, ms(0), Exit::Completed, None);
    let json: Value = serde_json::from_str(&summary.to_json()).unwrap();
    contains(
        &json,
        &json!({
            "error_px": {"l1": {"mean": null, "cumulative": 0.0, "p99": null}, "bias": null,
                         "l2": {"rmse": null}},
            "latency_ms": {"p50": null}, "fps": 0.0, "elapsed_s": 0.0, "exit": "completed",
        }),
        "",
    );
    let text = summary.human();
    assert!(!text.contains("NaN") && !text.contains("null"), "{text}");
}

#[test]
fn people_see_every_frame_accounted_for() {
    let text = summary().human();
    assert!(text.starts_with("Session 1: peer lost after 2.00 s\n  no heartbeat\n"), "{text}");
    for expected in [
        "  4 generated = 3 sent + 1 dropped before sending\n",
        "  3 sent = 1 scored + 1 missed + 0 dropped + 1 timed out + 0 in flight\n",
        "  answers not counted: 0 late, 1 repeated, 0 to unknown frames\n",
        "  cumulative L1 7.0000; RMSE 5.0000; bias x +3.0000 ± 0.0000;\n",
        "    bias y +4.0000 ± 0.0000; radius +0.5000, sd 0.0000\n",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[test]
fn a_peer_without_a_name_leaves_no_gap() {
    let mut summary = summary();
    (summary.run.detector, summary.run.client_software) = (String::new(), String::new());
    let text = summary.human();
    assert!(!text.contains("()") && !text.contains(" on "), "{text}");
}

#[test]
fn small_errors_have_more_digits_and_a_zero_has_no_sign() {
    let mut summary = summary();
    summary.error_px.l1.max = Some(0.0005);
    summary.error_px.l1.mean = Some(0.000_202);
    summary.error_px.bias = Some([-4e-7, -0.000_017]);
    let text = summary.human();
    assert!(text.contains("L1, |dx| + |dy|           0.000202"), "{text}");
    assert!(text.contains("bias x 0.000000 ± 0.000000;"), "{text}");
    assert!(text.contains("bias y -0.000017 ± 0.000000;"), "{text}");
}

#[test]
fn the_human_summary_fits_80_columns_whatever_the_numbers() {
    let mut summary = summary();
    summary.frames.scored = 123_456_789_012;
    summary.frames.timed_out = 123_456_789_012;
    summary.frames.sent = 123_456_789_012;
    summary.reason = Some("a long story ".repeat(20));
    summary.run.detector = "a-detector-with-a-rather-long-name".to_owned();
    summary.error_px.l1.cumulative = 123_456_789.0;
    summary.error_px.l1.max = Some(2e6);
    summary.error_px.l1.p99 = Some(999_999.96);
    summary.latency_ms.max = Some(1.8e13);
    let text = summary.human();
    assert!(text.contains(" 1000000.0    2.00e6\n"), "{text}");
    let longest = text.lines().max_by_key(|line| line.chars().count()).unwrap();
    assert!(longest.chars().count() <= 80, "{longest}\n{text}");
}
