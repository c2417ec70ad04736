//! Whoever else talks to the signaling port disturbs nobody.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use plumbline_tests::{Running, SMALL, SOON, Server};

fn stranger(server: &Server, says: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(says).unwrap();
    stream
}

/// Reads until the server closes.
fn rest(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn completes(server: Server, client: Running) {
    let _ = client.end().with_status(0);
    let _ = server.running.end().with_status(0);
}

#[test]
fn strangers_on_the_port_of_a_waiting_server_are_refused_and_logged() {
    let server = Server::start(&[&SMALL[..], &["--frames", "20"]].concat());
    let silent = stranger(&server, b"");
    drop(stranger(&server, b""));
    for garbage in
        [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], b"\xff\xfe\x00\n", b"{\"type\": 7}\n"]
    {
        let answer = rest(stranger(&server, garbage));
        assert!(answer.contains("\"bye\""), "{answer}");
    }
    let endless = vec![b'x'; 70_000];
    rest(stranger(&server, &endless));
    server.running.log_line("WARN");
    let client = server.client(&[]);
    completes(server, client);
    drop(silent);
}

#[test]
fn a_handshake_that_stops_half_way_does_not_hold_up_a_real_client() {
    let server = Server::start(&[&SMALL[..], &["--frames", "20"]].concat());
    let half = stranger(&server, b"{\"type\": \"answer\", \"sdp\": \"v=0\"}\n");
    let client = server.client(&[]);
    completes(server, client);
    drop(half);
}

#[test]
fn a_second_client_is_sent_away_with_the_reason_and_comes_back() {
    let server = Server::start(&SMALL);
    let first = server.client(&[]);
    server.running.out_line("(");
    let answer = rest(stranger(&server, b""));
    assert!(answer.contains("\"bye\"") && answer.contains("reason"), "{answer}");
    let second = server.client(&[]);
    second.log_line("next try in");
    first.signal(plumbline_tests::Signal::INT);
    let _ = first.end().with_status(0);
    server.running.log_line("session 2: client");
    second.log_line("films 160 x 120");
    server.running.signal(plumbline_tests::Signal::INT);
    completes(server, second);
}

#[test]
fn garbage_while_streaming_changes_nothing() {
    let server = Server::start(&[&SMALL[..], &["--frames", "300"]].concat());
    let client = server.client(&[]);
    server.running.out_line("(");
    for _ in 0..20 {
        rest(stranger(&server, b"garbage\n"));
    }
    completes(server, client);
}

#[test]
fn a_port_that_is_taken_is_an_error_that_says_what_to_do() {
    let first = Server::start(&[]);
    let mut command = plumbline_tests::host(["--role", "server", "--no-graphics", "--listen"]);
    command.arg(&first.address);
    let ended = Running::start(command).end().with_status(1);
    for part in [first.address.as_str(), "another program has this port", "--listen"] {
        assert!(ended.err.contains(part), "{}", ended.err);
    }
}
