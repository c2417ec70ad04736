//! Sessions that go well: either order, one after another, and what they write.

use std::fs;

use plumbline_tests::{SMALL, Server, client, host, json_lines, scratch, summary};

const COLUMNS: &str = "frame,outcome,actual_x,actual_y,actual_radius,estimated_x,estimated_y,\
                       estimated_radius,score,l1,l2,cumulative_l1,latency_ms,detect_ms";

#[test]
fn a_session_ends_both_sides_and_its_files_agree() {
    let dir = scratch();
    let (json, csv) = (dir.path().join("s.json"), dir.path().join("r.csv"));
    let files = ["--summary", json.to_str().unwrap(), "--records", csv.to_str().unwrap()];
    let server = Server::start(&[&SMALL[..], &["--frames", "50", "--seed", "7"], &files].concat());
    let client = server.client(&[]).end().with_status(0);
    assert!(client.out.is_empty(), "standard output belongs to results: {}", client.out);
    let server = server.running.end().with_status(0);

    let summary = summary(&json);
    assert_eq!(summary["schema"], 1);
    assert_eq!(summary["seed"], 7);
    assert_eq!(summary["detector"], "hough-rust");
    assert_eq!(summary["exit"], "completed");
    assert_eq!(summary["frames"]["scored"], 50);

    let text = fs::read_to_string(&csv).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(COLUMNS));
    let mut cumulative = 0.0;
    let mut worst: f64 = 0.0;
    for (n, line) in lines.enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |i: usize| cells[i].parse::<f64>().unwrap();
        assert_eq!((cells[0], cells[1]), (n.to_string().as_str(), "scored"));
        let l1 = (number(5) - number(2)).abs() + (number(6) - number(3)).abs();
        assert!((l1 - number(9)).abs() < 1e-12);
        cumulative += l1;
        worst = worst.max(l1);
        assert!((cumulative - number(11)).abs() < 1e-9);
    }
    let l1 = &summary["error_px"]["l1"];
    assert!((l1["cumulative"].as_f64().unwrap() - cumulative).abs() < 1e-9);
    assert!((l1["mean"].as_f64().unwrap() - cumulative / 50.0).abs() < 1e-9);
    assert!((l1["max"].as_f64().unwrap() - worst).abs() < 1e-12);
    assert!(worst < 0.1, "a clean disc is found within a tenth of a pixel, not {worst}");

    // Four columns and nothing else on standard output.
    let rows: Vec<&str> = server.out.lines().collect();
    assert_eq!(rows.len(), 51);
    for title in ["actual centre", "estimated centre", "error", "cumulative error"] {
        assert!(rows[0].contains(title), "{}", rows[0]);
    }
}

#[test]
fn a_client_that_comes_first_waits_and_says_so() {
    // A port that is free now, and that nobody else is given in this moment.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let client = client(&address, &[]);
    client.log_line(&format!("waiting for the server at {address}"));
    let mut command = host(["--role", "server", "--no-graphics", "--listen", &address]);
    command.args([&SMALL[..], &["--frames", "20"]].concat());
    let _ = plumbline_tests::Running::start(command).end().with_status(0);
    let _ = client.end().with_status(0);
}

#[test]
fn one_session_follows_another_and_no_file_is_lost() {
    let dir = scratch();
    let json = dir.path().join("s.json");
    let records = dir.path().join("r.jsonl");
    let files = ["--summary", json.to_str().unwrap(), "--records", records.to_str().unwrap()];
    let server = Server::start(&[&SMALL[..], &files].concat());
    for session in 1..=2 {
        let client = server.client(&[]);
        client.log_line("films 160 x 120");
        server.running.log_line(&format!("session {session}: client"));
        // The third row was written, so there is something to keep.
        server.running.out_line("(");
        client.signal(plumbline_tests::Signal::INT);
        let _ = client.end().with_status(0);
        server.running.log_line(&format!("session {session}: interrupted"));
    }
    server.running.signal(plumbline_tests::Signal::TERM);
    let _ = server.running.end().with_status(0);
    let (first, second) = (dir.path().join("s.session-1.json"), json);
    assert_eq!(summary(&first)["session"], 1);
    assert_eq!(summary(&second)["session"], 2);
    let kept = json_lines(&dir.path().join("r.session-1.jsonl"));
    let sent = summary(&first)["frames"]["generated"].as_u64().unwrap();
    assert_eq!(kept.len() as u64, sent);
    assert!(kept.iter().zip(0..).all(|(row, n)| row["frame"] == n), "rows are in frame order");
}

#[test]
fn the_same_seed_gives_the_same_truth_and_another_seed_does_not() {
    let dir = scratch();
    let truth = |name: &str, seed: &str| {
        let path = dir.path().join(name);
        let mut command = host(["demo", "--no-graphics", "--frames", "15", "--seed", seed]);
        command.args(SMALL).args(["--records", path.to_str().unwrap()]);
        let _ = plumbline_tests::Running::start(command).end().with_status(0);
        let rows = json_lines(&path);
        rows.iter().map(|r| (r["actual_x"].clone(), r["actual_y"].clone())).collect::<Vec<_>>()
    };
    let first = truth("a.jsonl", "5");
    assert_eq!(first.len(), 15);
    assert_eq!(first, truth("b.jsonl", "5"));
    assert_ne!(first, truth("c.jsonl", "6"));
}

#[test]
fn a_demo_finishes_with_a_summary_and_is_quiet_in_a_pipe() {
    let mut command = host(["demo", "--frames", "20"]);
    command.args(SMALL);
    let ended = plumbline_tests::Running::start(command).end().with_status(0);
    assert!(ended.out.contains("20 sent = 20 scored"), "{}", ended.out);
    assert!(ended.err.is_empty(), "{}", ended.err);
}
