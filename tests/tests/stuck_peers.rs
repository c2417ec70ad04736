//! Ends that must come although somebody does not move: a detector that hangs, a
//! peer that is stopped, signals to both sides at once.
//!
//! The deadlines are far above what a busy machine needs; they tell an end from a
//! hang, not a fast one from a slow one.

use std::time::{Duration, Instant};

use plumbline_tests::{Ended, Running, SMALL, Server, Signal, scratch, summary};

/// What is promised within a second has to come within this.
const AN_END: Duration = Duration::from_secs(5);
/// What is promised within five seconds has to come within this.
const A_LOSS: Duration = Duration::from_secs(8);

fn within(ended: Ended, deadline: Duration, code: i32) -> Ended {
    assert!(ended.took < deadline, "it took {:?}:\n{}", ended.took, ended.err);
    ended.with_status(code)
}

fn streaming(args: &[&str], client: &[&str]) -> (Server, Running) {
    let server = Server::start(&[&SMALL[..], args].concat());
    let client = server.client(client);
    server.running.out_line("(");
    (server, client)
}

#[test]
fn a_detector_that_hangs_does_not_hold_up_the_end() {
    let dir = scratch();
    let json = dir.path().join("s.json");
    let hang = ["--detector", "moody", "-c", "plugin.moody.hang_on=[4]"];
    let (server, client) = streaming(&["--summary", json.to_str().unwrap()], &hang);
    client.log_line("has been busy with frame 4");
    client.signal(Signal::INT);
    let ended = client.end();
    assert!(ended.took < AN_END, "it took {:?}:\n{}", ended.took, ended.err);
    server.running.log_line("session 1: ");
    server.running.signal(Signal::INT);
    let _ = within(server.running.end(), AN_END, 0);
    assert_eq!(summary(&json)["frames"]["scored"], 4);
}

#[test]
fn signals_to_both_sides_at_once_end_both() {
    let dir = scratch();
    let json = dir.path().join("s.json");
    let (server, client) = streaming(&["--summary", json.to_str().unwrap()], &[]);
    server.running.signal(Signal::INT);
    client.signal(Signal::INT);
    let _ = within(server.running.end(), AN_END, 0);
    let _ = within(client.end(), AN_END, 0);
    assert_eq!(summary(&json)["exit"], "interrupted");
}

#[test]
fn a_server_ends_although_its_client_is_stopped() {
    let dir = scratch();
    let json = dir.path().join("s.json");
    let (server, client) = streaming(&["--summary", json.to_str().unwrap()], &[]);
    client.signal(Signal::STOP);
    server.running.signal(Signal::TERM);
    let _ = within(server.running.end(), AN_END, 0);
    client.signal(Signal::CONT);
    assert_eq!(summary(&json)["exit"], "interrupted");
    client.end();
}

#[test]
fn a_client_ends_although_its_server_is_stopped() {
    let (server, client) = streaming(&[], &[]);
    server.running.signal(Signal::STOP);
    client.signal(Signal::INT);
    let ended = client.end();
    server.running.signal(Signal::CONT);
    let _ = within(ended, AN_END, 0);
}

#[test]
fn a_stopped_client_is_lost_and_learns_it_when_it_goes_on() {
    let dir = scratch();
    let json = dir.path().join("s.json");
    let (server, client) = streaming(&["--summary", json.to_str().unwrap()], &[]);
    client.signal(Signal::STOP);
    let start = Instant::now();
    server.running.log_line("session 1: the peer is lost");
    let noticed = start.elapsed();
    assert!(noticed < A_LOSS, "noticed after {noticed:?}");
    client.signal(Signal::CONT);
    let ended = client.end().with_status(1);
    assert!(ended.err.contains("the session is over: the peer is lost"), "{}", ended.err);
    assert_eq!(summary(&json)["exit"], "peer_lost");
}

#[test]
fn a_killed_peer_is_noticed_by_either_side() {
    let (server, client) = streaming(&[], &[]);
    client.signal(Signal::KILL);
    let start = Instant::now();
    server.running.log_line("session 1: the peer is lost");
    let by_server = start.elapsed();
    let next = server.client(&[]);
    next.log_line("films 160 x 120");
    server.running.signal(Signal::KILL);
    let by_client = next.end().with_status(1).took;
    println!(
        "a killed client was noticed after {by_server:?}, a killed server after {by_client:?}"
    );
    assert!(by_server < A_LOSS && by_client < A_LOSS, "{by_server:?}, {by_client:?}");
}
