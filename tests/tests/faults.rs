//! Detectors that misbehave, and detectors that are slow: every frame still has
//! one outcome.

use plumbline_tests::{Running, SMALL, Server, json_lines, scratch, summary};

struct Outcome {
    summary: serde_json::Value,
    rows: Vec<serde_json::Value>,
    client: plumbline_tests::Ended,
}

/// A session of `frames` frames with the detector `moody`, configured by `sets`.
fn session(frames: &str, server: &[&str], sets: &[&str]) -> Outcome {
    let dir = scratch();
    let (json, records) = (dir.path().join("s.json"), dir.path().join("r.jsonl"));
    let files = ["--summary", json.to_str().unwrap(), "--records", records.to_str().unwrap()];
    let server = Server::start(&[&SMALL[..], &["--frames", frames], server, &files].concat());
    let mut args = vec!["--detector", "moody"];
    args.extend(sets.iter().flat_map(|set| ["-c", set]));
    let client = server.client(&args).end();
    let _ = server.running.end().with_status(0);
    Outcome { summary: summary(&json), rows: json_lines(&records), client }
}

#[test]
fn a_panic_costs_one_frame_and_is_named() {
    let done = session("30", &[], &["plugin.moody.panic_on=[5, 17]"]);
    assert_eq!(done.summary["frames"]["missed"], 2);
    assert_eq!(done.summary["frames"]["scored"], 28);
    for frame in [5, 17] {
        let row = &done.rows[frame];
        assert_eq!(row["outcome"], "missed");
        assert!(row["reason"].as_str().unwrap().contains("panicked"), "{row}");
        let named = format!("moody (frame {frame}) panicked");
        assert!(done.client.err.contains(&named), "{}", done.client.err);
    }
    assert_eq!(done.client.status.code(), Some(0));
}

#[test]
fn a_detector_that_always_panics_is_taken_out_of_use_with_the_reason() {
    let done = session("40", &[], &["plugin.moody.panic_from=3"]);
    assert_eq!(done.summary["frames"]["scored"], 3);
    assert_eq!(done.summary["frames"]["missed"], 37);
    assert!(done.rows[39]["reason"].as_str().unwrap().contains("out of use"), "{}", done.rows[39]);
}

#[test]
fn errors_and_nonsense_are_missed_with_a_reason() {
    let done = session(
        "20",
        &[],
        &["plugin.moody.error_on=[2]", "plugin.moody.nan_on=[4]", "plugin.moody.nothing_on=[6]"],
    );
    assert_eq!(done.rows[2]["outcome"], "missed");
    assert!(done.rows[2]["reason"].is_string(), "{}", done.rows[2]);
    assert_eq!(done.rows[6]["outcome"], "missed");
    assert!(done.rows[6]["reason"].is_null(), "{}", done.rows[6]);
    // The bad one among its detections is taken out; the others count.
    assert!(
        done.client.err.contains("NaN") || done.client.err.contains("finite"),
        "{}",
        done.client.err
    );
    assert_eq!(done.rows.len(), 20);
}

#[test]
fn a_slow_detector_holds_the_server_back_under_every_frame() {
    let done = session("25", &[], &["plugin.moody.sleep_ms=20"]);
    assert_eq!(done.summary["frames"]["scored"], 25);
    assert_eq!(done.summary["frames"]["dropped"], 0);
}

#[test]
fn stale_frames_are_dropped_and_counted_under_latest() {
    let done = session("40", &[], &["plugin.moody.sleep_ms=30", "client.policy=latest"]);
    let n = |key: &str| done.summary["frames"][key].as_u64().unwrap();
    assert!(n("dropped") > 0, "{}", done.summary["frames"]);
    assert_eq!(n("scored") + n("dropped"), 40);
    let dropped = done.rows.iter().filter(|row| row["outcome"] == "dropped").count() as u64;
    assert_eq!(dropped, n("dropped"));
}

#[test]
fn a_server_that_drops_counts_what_it_never_sent() {
    let server = ["-c", "server.when_full=drop", "-c", "server.max_in_flight=1", "--fps", "200"];
    let done = session("60", &server, &["plugin.moody.sleep_ms=30"]);
    let n = |key: &str| done.summary["frames"][key].as_u64().unwrap();
    assert_eq!(n("generated"), 60);
    assert!(n("dropped_before_sending") > 0, "{}", done.summary["frames"]);
    let unsent = done.rows.iter().filter(|row| row["outcome"] == "not_sent").count() as u64;
    assert_eq!(unsent, n("dropped_before_sending"));
}

#[test]
fn a_detector_that_hangs_lets_its_frames_time_out_and_is_named() {
    let server = ["-c", "scoring.timeout_ms=500", "-c", "server.max_in_flight=3"];
    let dir = scratch();
    let json = dir.path().join("s.json");
    let files = ["--summary", json.to_str().unwrap(), "--frames", "12"];
    let server = Server::start(&[&SMALL[..], &server, &files].concat());
    let client = server.client(&["--detector", "moody", "-c", "plugin.moody.hang_on=[4]"]);
    server.running.log_line("without an answer in time");
    client.log_line("does not return from frame 4");
    client.end();
    let _ = server.running.end().with_status(0);
    let frames = &summary(&json)["frames"];
    assert_eq!((&frames["scored"], &frames["timed_out"]), (&4.into(), &8.into()), "{frames}");
}

#[test]
fn a_detector_that_takes_its_process_along_is_a_lost_peer() {
    let server = Server::start(&SMALL);
    let client = server.client(&["--detector", "moody", "-c", "plugin.moody.abort_on=[10]"]);
    let _: Running = client;
    server.running.log_line("session 1: the peer is lost");
}
