//! Peers in another language, written from docs/wire.md: a friendly one for
//! either role, and hostile ones.

use std::process::Command;

use plumbline_tests::{Ended, Running, SMALL, Server, client, python, scratch, summary};

fn peer(role: &str, port: &str, how: &str) -> Running {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/wire_peer.py");
    let mut command = Command::new(python());
    command.args([script, role, port, how]);
    Running::start(command)
}

fn port_of(server: &Server) -> &str {
    server.address.rsplit(':').next().unwrap()
}

#[test]
fn the_page_and_the_python_code_agree() {
    let here = env!("CARGO_MANIFEST_DIR");
    let mut command = Command::new(python());
    command.arg(format!("{here}/python/plumbline_wire.py")).arg(format!("{here}/../docs/wire.md"));
    let _ = Running::start(command).end().with_status(0);
}

#[test]
fn a_python_client_takes_part_in_a_session() {
    let dir = scratch();
    let json = dir.path().join("s.json");
    let files = ["--frames", "40", "--summary", json.to_str().unwrap()];
    let server = Server::start(&[&SMALL[..], &files].concat());
    let peer = peer("client", port_of(&server), "").end().with_status(0);
    let log = server.running.end().with_status(0).err;
    let summary = summary(&json);
    assert_eq!(summary["frames"]["scored"], 40, "{log}\n{}", peer.err);
    assert_eq!(summary["detector"], "centroid");
    assert!(summary["error_px"]["l1"]["max"].as_f64().unwrap() < 1.0);
    assert!(peer.out.contains("bye 0"), "{}", peer.out);
}

/// A session of our client with a Python server; the port is free in this moment.
fn served_by_python(how: &str) -> (Ended, Ended) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = peer("server", &port.to_string(), how);
    server.out_line("listening");
    let client = client(&format!("127.0.0.1:{port}"), &[]);
    let client = client.end();
    (client, server.end())
}

#[test]
fn a_python_server_is_answered_by_our_client() {
    let (client, server) = served_by_python("");
    assert_eq!(client.status.code(), Some(0), "{}\n{}", client.err, server.err);
    let line = server.out.lines().find(|l| l.starts_with("scored")).expect(&server.err);
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(words[1], "20", "{line}");
    assert!(words[3].parse::<f64>().unwrap() < 0.5, "{line}");
}

#[test]
fn a_hostile_server_is_refused_with_the_reason() {
    for (how, said) in [
        ("out-of-order", "the peer broke the protocol"),
        ("too-much", "the peer broke the protocol"),
        ("lying", "65536"),
        ("wrong-version", "9.3"),
    ] {
        let (client, server) = served_by_python(how);
        assert_eq!(client.status.code(), Some(1), "{how}: {}", client.err);
        assert!(client.err.contains(said), "{how}: {}", client.err);
        let told = server.out.lines().any(|l| l.starts_with("bye 2") || l.starts_with("bye 3"));
        assert!(told, "{how}: {}", server.out);
    }
}

#[test]
fn a_header_that_announces_much_takes_no_memory() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = peer("server", &port.to_string(), "huge");
    server.out_line("listening");
    let client = client(&format!("127.0.0.1:{port}"), &[]);
    client.log_line("films 160 x 120");
    // The client answered two frames and has read the header of the third.
    let status = || std::fs::read_to_string(format!("/proc/{}/status", client.id())).unwrap();
    let peak = |status: &str| -> u64 {
        let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let before = peak(&status());
    server.out_line("sent 2");
    assert!(peak(&status()) < before + 50_000, "{} KiB, {before} before", peak(&status()));
    client.signal(plumbline_tests::Signal::INT);
    client.end();
}

#[test]
fn hostile_clients_end_their_session_and_not_the_server() {
    let server = Server::start(&SMALL);
    let cases = [
        ("wrong-version", "9.3"),
        ("mute", "no hello within"),
        ("garbage", "the peer broke the protocol"),
        ("unknown-message", "unknown message number 77"),
        ("wrong-role", "a message that only a server sends"),
    ];
    for ((how, said), session) in cases.into_iter().zip(1..) {
        let _peer = peer("client", port_of(&server), how);
        let line = server.running.log_line(&format!("WARN session {session}: "));
        assert!(line.contains(said), "{how}: {line}");
    }
    let friendly = server.client(&[]);
    friendly.log_line("films 160 x 120");
    server.running.signal(plumbline_tests::Signal::INT);
    let _ = server.running.end().with_status(0);
    let _ = friendly.end().with_status(0);
}

#[test]
fn strange_answers_are_counted_and_change_nothing() {
    let dir = scratch();
    let json = dir.path().join("s.json");
    let files = ["--frames", "20", "--summary", json.to_str().unwrap()];
    let server = Server::start(&[&SMALL[..], &files].concat());
    let _ = peer("client", port_of(&server), "strange-answers").end();
    let _ = server.running.end().with_status(0);
    let summary = summary(&json);
    assert_eq!(summary["frames"]["scored"], 19);
    assert_eq!(summary["frames"]["missed"], 1);
    assert_eq!(summary["answers"]["duplicate"], 1);
    assert_eq!(summary["answers"]["unknown"], 1);
}
