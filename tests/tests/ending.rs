//! How sessions end: signals, and peers that vanish.

use plumbline_tests::{Running, SMALL, Server, Signal, client, host, scratch, summary};

/// Streams until the first row is out.
fn streaming(args: &[&str]) -> (Server, Running) {
    let server = Server::start(&[&SMALL[..], args].concat());
    let client = server.client(&[]);
    server.running.out_line("(");
    (server, client)
}

#[test]
fn a_signal_to_the_server_ends_both_sides() {
    for signal in [Signal::INT, Signal::TERM] {
        let dir = scratch();
        let json = dir.path().join("s.json");
        let (server, client) = streaming(&["--summary", json.to_str().unwrap()]);
        server.running.signal(signal);
        let ended = server.running.end().with_status(0);
        let _ = client.end().with_status(0);
        assert_eq!(summary(&json)["exit"], "interrupted", "{}", ended.err);
    }
}

#[test]
fn a_signal_to_the_client_ends_the_session_and_not_the_server() {
    let dir = scratch();
    let json = dir.path().join("s.json");
    let (mut server, client) = streaming(&["--summary", json.to_str().unwrap()]);
    client.signal(Signal::INT);
    let _ = client.end().with_status(0);
    server.running.log_line("session 1: interrupted");
    assert!(server.running.is_running());
    let summary = summary(&json);
    assert_eq!(summary["exit"], "interrupted");
    // The client answers what it has: an orderly end leaves little unanswered.
    let frames = &summary["frames"];
    assert!(frames["scored"].as_u64().unwrap() > 0, "{frames}");
}

#[test]
fn sides_that_wait_end_as_well() {
    let dir = scratch();
    let json = dir.path().join("s.json");
    let server = Server::start(&["--summary", json.to_str().unwrap()]);
    server.running.signal(Signal::INT);
    let _ = server.running.end().with_status(0);
    assert_eq!(summary(&json)["frames"]["generated"], 0);

    let client = client("127.0.0.1:9", &[]);
    client.log_line("waiting for the server");
    client.signal(Signal::TERM);
    let _ = client.end().with_status(0);
}

#[test]
fn a_killed_client_is_noticed_and_the_next_one_is_served() {
    let dir = scratch();
    let json = dir.path().join("s.json");
    let (server, client) = streaming(&["--summary", json.to_str().unwrap()]);
    client.signal(Signal::KILL);
    drop(client);
    server.running.log_line("session 1: the peer is lost");
    assert_eq!(summary(&json)["exit"], "peer_lost");
    let next = server.client(&[]);
    server.running.log_line("session 2: client");
    next.log_line("films 160 x 120");
    server.running.signal(Signal::INT);
    let _ = server.running.end().with_status(0);
    let _ = next.end().with_status(0);
}

#[test]
fn a_killed_server_is_noticed() {
    let (server, client) = streaming(&[]);
    server.running.signal(Signal::KILL);
    let ended = client.end().with_status(1);
    assert!(ended.err.contains("the peer is lost"), "{}", ended.err);
}

#[test]
fn a_demo_whose_client_dies_at_once_fails_and_says_so() {
    let mut command = host(["demo", "--no-graphics", "--detector", "crash-on-load"]);
    command.env_remove("RUST_BACKTRACE");
    let ended = Running::start(command).end().with_status(1);
    assert!(ended.err.contains("the client was ended by SIGABRT"), "{}", ended.err);
}

#[test]
fn a_demo_whose_client_dies_in_the_session_has_lost_its_peer() {
    let dir = scratch();
    let json = dir.path().join("s.json");
    let mut command = host(["demo", "--no-graphics", "--detector", "moody"]);
    command.args(["-c", "plugin.moody.abort_on=[5]", "--summary", json.to_str().unwrap()]);
    let ended = Running::start(command).end().with_status(1);
    assert!(ended.err.contains("the client was ended by SIGABRT"), "{}", ended.err);
    assert_eq!(summary(&json)["exit"], "peer_lost");
}

#[test]
fn a_demo_that_is_interrupted_before_its_session_ends_its_client_too() {
    let demo = Running::start(host(["demo", "--no-graphics", "--log", "info"]));
    demo.log_line("listening for a client on ");
    demo.signal(Signal::INT);
    let ended = demo.end().with_status(0);
    assert!(ended.took < std::time::Duration::from_secs(2), "{:?}", ended.took);
}

#[test]
fn a_demo_that_is_interrupted_leaves_no_process() {
    let dir = scratch();
    let json = dir.path().join("s.json");
    let mut command = host(["demo", "--no-graphics", "--frames", "1000000"]);
    command.args(SMALL).args(["--summary", json.to_str().unwrap()]);
    let demo = Running::start(command);
    demo.out_line("(");
    let children = format!("/proc/{0}/task/{0}/children", demo.id());
    let client = std::fs::read_to_string(children).expect("the list of children");
    let client: u32 = client.trim().parse().expect("one child, the client");
    demo.signal(Signal::INT);
    let _ = demo.end().with_status(0);
    assert_eq!(summary(&json)["exit"], "interrupted");
    let left = std::fs::read_to_string(format!("/proc/{client}/comm"));
    assert!(left.is_err(), "the client is still there");
}
