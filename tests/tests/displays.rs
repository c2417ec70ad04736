//! Display plugins: what they are shown, and that they cannot harm a session.

use std::{fs, path::Path};

use plumbline_tests::{Running, SMALL, Server, Signal, host, scratch, summary};

fn lines(file: &Path) -> Vec<String> {
    fs::read_to_string(file).expect("the recorder's file").lines().map(str::to_owned).collect()
}

fn recorder(file: &Path) -> String {
    format!("plugin.recorder.file={}", file.display())
}

/// A client with the display `recorder`.
fn client(address: &str, sets: &[&str]) -> Running {
    let mut command = host(["--role", "client", "--connect", address, "--display", "recorder"]);
    command.args(sets.iter().flat_map(|set| ["-c", set]));
    Running::start(command)
}

#[test]
fn a_display_that_asks_to_end_ends_the_session_in_order() {
    let dir = scratch();
    let (json, file) = (dir.path().join("s.json"), dir.path().join("shown"));
    let server = Server::start(&[&SMALL[..], &["--summary", json.to_str().unwrap()]].concat());
    let client = client(&server.address, &[&recorder(&file), "plugin.recorder.quit_after=5"]);
    let _ = client.end().with_status(0);
    server.running.log_line("session 1: interrupted");
    assert_eq!(summary(&json)["exit"], "interrupted");
    let shown = lines(&file);
    assert_eq!(shown[0], "role client");
    assert!(shown.iter().filter(|line| line.starts_with("frame ")).count() >= 5, "{shown:?}");
    assert_eq!(shown.last().unwrap(), "finish");
}

#[test]
fn a_display_that_panics_ends_itself_and_not_the_session() {
    let server = Server::start(&[&SMALL[..], &["--frames", "30"]].concat());
    let client = client(&server.address, &["plugin.recorder.panic_on=0"]);
    let ended = client.end().with_status(0);
    assert!(ended.err.contains("recorder") && ended.err.contains("panicked"), "{}", ended.err);
    let _ = server.running.end().with_status(0);
}

#[test]
fn every_session_has_its_display_and_every_row_is_shown_in_order() {
    let dir = scratch();
    let file = dir.path().join("shown");
    let mut command = host(["--role", "server", "--listen", "127.0.0.1:0"]);
    command.args(["--display", "recorder", "-c", &recorder(&file)]).args(SMALL);
    let server = Running::start(command);
    let line = server.log_line("listening for a client on ");
    let address = line.rsplit(' ').next().unwrap();
    for session in 1..=2 {
        let client = plumbline_tests::client(address, &[]);
        client.log_line("films 160 x 120");
        server.log_line(&format!("session {session}: client"));
        client.signal(Signal::INT);
        let _ = client.end().with_status(0);
        server.log_line(&format!("session {session}: interrupted"));
        // Each session's display makes the file anew.
        let shown = lines(&file);
        assert_eq!((shown[0].as_str(), shown.last().unwrap().as_str()), ("role server", "finish"));
        let rows = shown.iter().filter_map(|line| line.strip_prefix("score "));
        for (n, row) in rows.enumerate() {
            assert_eq!(row.split(' ').next(), Some(n.to_string().as_str()), "{shown:?}");
        }
    }
    server.signal(Signal::INT);
    let _ = server.end().with_status(0);
}
