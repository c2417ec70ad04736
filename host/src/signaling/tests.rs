//! Both sides over real sockets on loopback, and clients that misbehave.

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::*;
use crate::transport::{Peer, Route, TransportConfig};

/// Long enough for anything that works; what does not work hangs.
const SOON: Duration = Duration::from_secs(10);

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(SOON, future).await.expect("this never ends")
}

/// A listener on a free port and a configuration for its clients.
async fn listener(signaling: SignalingConfig) -> (Listener, SignalingConfig) {
    let mut signaling = SignalingConfig { listen: "127.0.0.1:0".into(), ..signaling };
    let listener = Listener::bind(&signaling, &TransportConfig::default()).await.unwrap();
    signaling.connect = listener.local_addr().to_string();
    (listener, signaling)
}

async fn meet(listener: &mut Listener, signaling: &SignalingConfig) -> (Connected, Connected) {
    let transport = TransportConfig::default();
    let (server, client) =
        soon(async { tokio::join!(listener.accept(), connect(signaling, &transport)) }).await;
    (server, client.unwrap())
}

async fn talk(server: &mut Connected, client: &mut Connected) {
    server.channel.sender.send(Bytes::from_static(b"frame")).await.unwrap();
    assert_eq!(soon(client.channel.receiver.recv()).await.unwrap(), "frame");
    client.channel.sender.send(Bytes::from_static(b"answer")).await.unwrap();
    assert_eq!(soon(server.channel.receiver.recv()).await.unwrap(), "answer");
}

/// A client that speaks bytes.
struct Raw(BufReader<TcpStream>);

impl Raw {
    async fn dial(signaling: &SignalingConfig) -> Self {
        Self(BufReader::new(TcpStream::connect(&signaling.connect).await.unwrap()))
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        soon(self.0.read_line(&mut line)).await.unwrap();
        line
    }

    async fn message(&mut self) -> Message {
        Message::parse(self.line().await.trim_end()).unwrap()
    }

    async fn offer(&mut self) -> String {
        match self.message().await {
            Message::Offer(sdp) => sdp,
            other => panic!("{other:?}"),
        }
    }

    async fn say(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).await.unwrap();
    }

    /// The reason of the goodbye that comes next, and that nothing follows it.
    async fn refused(&mut self) -> String {
        let Message::Bye { reason } = self.message().await else { panic!("no goodbye") };
        assert_eq!(self.line().await, "", "something follows the goodbye");
        reason.unwrap_or_default()
    }
}

/// What is logged on this thread while the guard lives.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn capture() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(tracing::Level::INFO)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// Asserts that one line has all `parts`.
    fn assert_has(&self, parts: &[&str]) {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let found = text.lines().any(|line| parts.iter().all(|part| line.contains(part)));
        assert!(found, "no line with {parts:?} in\n{text}");
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_client_and_a_server_meet_and_part() {
    let (mut listener, signaling) = listener(SignalingConfig::default()).await;
    let (mut server, mut client) = meet(&mut listener, &signaling).await;
    assert!(server.peer_addr.ip().is_loopback());
    assert_eq!(client.peer_addr, listener.local_addr());
    talk(&mut server, &mut client).await;
    client.link.close(Some("all frames were seen")).await;
    let end = soon(server.link.ended()).await;
    assert_eq!(end, LinkEnd::Bye(Some("all frames were seen".into())));
}

#[tokio::test]
async fn the_client_may_come_first() {
    let (log, _guard) = Log::capture();
    let reserved = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = reserved.local_addr().unwrap().to_string();
    drop(reserved);
    let signaling = SignalingConfig {
        listen: address.clone(),
        connect: address.clone(),
        ..SignalingConfig::default()
    };
    let transport = TransportConfig::default();
    let mut client = std::pin::pin!(connect(&signaling, &transport));
    // Until the client has been refused and says so.
    while log.0.lock().unwrap().is_empty() {
        assert!(timeout(Duration::from_millis(10), &mut client).await.is_err());
    }
    log.assert_has(&["waiting for the server at", &address, "refused", "next try in"]);
    let mut listener = Listener::bind(&signaling, &transport).await.unwrap();
    let (mut server, client) = soon(async { tokio::join!(listener.accept(), client) }).await;
    talk(&mut server, &mut client.unwrap()).await;
}

#[tokio::test]
async fn one_client_after_another_is_served() {
    let (mut listener, signaling) = listener(SignalingConfig::default()).await;
    for _ in 0..3 {
        let (mut server, mut client) = meet(&mut listener, &signaling).await;
        talk(&mut server, &mut client).await;
    }
}

#[tokio::test]
async fn a_client_that_connects_before_accept_is_kept() {
    let (mut listener, signaling) = listener(SignalingConfig::default()).await;
    let transport = TransportConfig::default();
    let mut client = soon(connect(&signaling, &transport)).await.unwrap();
    let mut server = soon(listener.accept()).await;
    talk(&mut server, &mut client).await;
}

#[tokio::test]
async fn garbage_is_answered_logged_and_survived() {
    let (log, _guard) = Log::capture();
    let (mut listener, signaling) = listener(SignalingConfig::default()).await;
    let garbage: [(&[u8], &str); 6] = [
        (b"GET / HTTP/1.1\r\n\r\n", "not a JSON object"),
        (b"\xff\xfe\x00\n", "not UTF-8"),
        (b"{\"type\": \"hello\"}\n", "known are offer"),
        (b"{\"type\": \"answer\", \"sdp\": \"nonsense\"}\n", "v=0"),
        (b"{\"type\": \"offer\", \"sdp\": \"v=0\"}\n", "sent offer where an answer was expected"),
        (
            b"{\"type\": \"candidate\", \"candidate\": \"\", \"id\": \"0\", \"label\": 0}\n",
            "candidate:",
        ),
    ];
    for (bytes, reason) in garbage {
        let mut raw = Raw::dial(&signaling).await;
        raw.offer().await;
        raw.say(bytes).await;
        let given = raw.refused().await;
        assert!(given.contains(reason), "{given}");
        let address = raw.0.get_ref().local_addr().unwrap().to_string();
        log.assert_has(&["WARN", &address, "no session", reason]);
    }
    let (mut server, mut client) = meet(&mut listener, &signaling).await;
    talk(&mut server, &mut client).await;
}

#[tokio::test]
async fn a_line_without_an_end_is_cut_off() {
    let (mut listener, signaling) = listener(SignalingConfig::default()).await;
    let mut raw = Raw::dial(&signaling).await;
    raw.offer().await;
    raw.say(&vec![b'x'; 2 * MAX_LINE]).await;
    let given = raw.refused().await;
    assert!(given.contains("longer than 65535 bytes"), "{given}");
    let (mut server, mut client) = meet(&mut listener, &signaling).await;
    talk(&mut server, &mut client).await;
}

#[tokio::test]
async fn a_silent_connection_holds_up_nobody_and_is_ended() {
    let (log, _guard) = Log::capture();
    let limits = SignalingConfig { handshake_timeout_ms: 1500, ..SignalingConfig::default() };
    let (mut listener, signaling) = listener(limits).await;
    let mut silent = Raw::dial(&signaling).await;
    silent.offer().await;
    let given = silent.refused().await;
    assert!(
        given.contains("timed out after 1.5 s, while waiting for the peer's answer"),
        "{given}"
    );
    log.assert_has(&["WARN", "no session: timed out"]);

    let mut silent = Raw::dial(&signaling).await;
    silent.offer().await;
    let (mut server, mut client) = meet(&mut listener, &signaling).await;
    talk(&mut server, &mut client).await;
    assert!(silent.refused().await.contains("busy with another client"));
}

#[tokio::test]
async fn a_port_probe_is_noticed_at_once() {
    let (log, _guard) = Log::capture();
    let (mut listener, signaling) = listener(SignalingConfig::default()).await;
    for _ in 0..20 {
        drop(TcpStream::connect(&signaling.connect).await.unwrap());
    }
    let (mut server, mut client) = meet(&mut listener, &signaling).await;
    talk(&mut server, &mut client).await;
    log.assert_has(&["WARN", "127.0.0.1:", "a port probe?"]);
}

#[tokio::test]
async fn a_second_client_is_told_that_the_server_is_busy() {
    let (mut listener, signaling) = listener(SignalingConfig::default()).await;
    let (mut server, mut client) = meet(&mut listener, &signaling).await;
    for _ in 0..3 {
        let mut second = Raw::dial(&signaling).await;
        let line = second.line().await;
        let Message::Bye { reason } = Message::parse(line.trim_end()).unwrap() else {
            panic!("{line}")
        };
        assert!(reason.unwrap().contains("busy with another client"));
    }
    talk(&mut server, &mut client).await;
    // Our own client waits for its turn.
    let transport = TransportConfig::default();
    let mut waiting = std::pin::pin!(connect(&signaling, &transport));
    assert!(timeout(Duration::from_millis(500), &mut waiting).await.is_err());
    drop((server, client));
    let (mut server, client) = soon(async { tokio::join!(listener.accept(), waiting) }).await;
    talk(&mut server, &mut client.unwrap()).await;
}

#[tokio::test]
async fn a_half_finished_handshake_does_not_stop_the_next_client() {
    let (mut listener, signaling) = listener(SignalingConfig::default()).await;
    let transport = TransportConfig::default();
    // Answers, and then nobody is there.
    let mut half = Raw::dial(&signaling).await;
    let (peer, answer) =
        Peer::answer(&transport, &Route::loopback(), &half.offer().await).await.unwrap();
    drop(peer);
    half.say((Message::Answer(answer).line().unwrap() + "\n").as_bytes()).await;
    // Leaves in the middle of its answer.
    let mut torn = Raw::dial(&signaling).await;
    torn.offer().await;
    torn.say(b"{\"type\": \"answer\", \"sdp\": \"v=0").await;
    drop(torn);
    let (mut server, mut client) = meet(&mut listener, &signaling).await;
    talk(&mut server, &mut client).await;
    assert!(matches!(half.message().await, Message::Bye { reason: Some(_) }));
}

#[tokio::test]
async fn the_oldest_of_too_many_pending_connections_has_to_go() {
    let limits = SignalingConfig { max_pending: 2, ..SignalingConfig::default() };
    let (mut listener, signaling) = listener(limits).await;
    let mut first = Raw::dial(&signaling).await;
    first.offer().await;
    let mut others = Vec::new();
    for _ in 0..2 {
        let mut other = Raw::dial(&signaling).await;
        other.offer().await;
        others.push(other);
    }
    assert!(first.refused().await.contains("too many clients"));
    let (mut server, mut client) = meet(&mut listener, &signaling).await;
    talk(&mut server, &mut client).await;
}

#[tokio::test]
async fn every_end_of_the_link_is_an_end_of_the_session() {
    let (mut listener, signaling) = listener(SignalingConfig::default()).await;
    // Dropped: a goodbye all the same, because Python would spin at an end of file.
    let (server, mut client) = meet(&mut listener, &signaling).await;
    drop(server.link);
    assert_eq!(soon(client.link.ended()).await, LinkEnd::Bye(None));
    drop((server.channel, client));

    let sockets = async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let dialled = TcpStream::connect(address).await.unwrap();
        let (accepted, peer) = listener.accept().await.unwrap();
        (SignalingLink::new(accepted, peer), dialled)
    };
    let (mut link, peer) = sockets().await;
    drop(peer);
    assert_eq!(soon(link.ended()).await, LinkEnd::Eof);

    let (mut link, peer) = sockets().await;
    socket2::SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
    drop(peer);
    let end = soon(link.ended()).await;
    assert!(matches!(end, LinkEnd::Broken(_)), "{end}");

    // What comes late or makes no sense does not end it.
    let (mut link, mut peer) = sockets().await;
    peer.write_all(b"nonsense\n{\"type\": \"offer\", \"sdp\": \"\"}\n").await.unwrap();
    peer.write_all(&vec![b'x'; 3 * MAX_LINE]).await.unwrap();
    peer.write_all(b"\n{\"type\": \"bye\"}\n").await.unwrap();
    assert_eq!(soon(link.ended()).await, LinkEnd::Bye(None));
}

#[tokio::test]
async fn a_client_gives_a_wrong_server_up_and_tries_again() {
    let (log, _guard) = Log::capture();
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let signaling = SignalingConfig {
        connect: server.local_addr().unwrap().to_string(),
        retry_min_ms: 10,
        ..SignalingConfig::default()
    };
    let transport = TransportConfig::default();
    let wrong_servers = async {
        let (mut web, _) = server.accept().await.unwrap();
        web.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let mut said = String::new();
        web.read_to_string(&mut said).await.unwrap();
        assert!(said.contains("\"bye\""), "{said}");
        let (closing, _) = server.accept().await.unwrap();
        drop(closing);
        let (mut busy, _) = server.accept().await.unwrap();
        busy.write_all(b"{\"type\": \"bye\", \"reason\": \"busy\"}\n").await.unwrap();
        server.accept().await.unwrap()
    };
    let mut client = std::pin::pin!(connect(&signaling, &transport));
    let _last = tokio::select! {
        accepted = soon(wrong_servers) => accepted,
        _ = &mut client => panic!("connected to nobody"),
    };
    log.assert_has(&["waiting for the server", "not a JSON object"]);
    log.assert_has(&["waiting for the server", "without a goodbye"]);
    log.assert_has(&["waiting for the server", "the peer said goodbye: busy"]);
}

#[tokio::test]
async fn a_port_that_is_taken_says_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let transport = TransportConfig::default();
    let signaling = SignalingConfig { listen: listen.clone(), ..SignalingConfig::default() };
    let error = Listener::bind(&signaling, &transport).await.unwrap_err().to_string();
    assert!(error.contains(&listen) && error.contains("another program has this port"), "{error}");
    for wrong in ["nowhere", "203.0.113.1:1", "127.0.0.1:99999"] {
        let signaling = SignalingConfig { listen: wrong.into(), ..SignalingConfig::default() };
        let error = Listener::bind(&signaling, &transport).await.unwrap_err().to_string();
        assert!(error.contains(wrong), "{error}");
    }
}

#[tokio::test]
async fn an_address_without_a_port_is_no_use_trying_again() {
    let signaling = SignalingConfig { connect: "server".into(), ..SignalingConfig::default() };
    let error = soon(connect(&signaling, &TransportConfig::default())).await.unwrap_err();
    assert!(error.to_string().contains("`server` is no address"), "{error}");
}

#[tokio::test]
async fn dropping_the_listener_ends_what_is_pending_and_keeps_the_session() {
    let (mut listener, signaling) = listener(SignalingConfig::default()).await;
    let (mut server, mut client) = meet(&mut listener, &signaling).await;
    drop(listener);
    talk(&mut server, &mut client).await;
    let (pending, signaling) = self::listener(SignalingConfig::default()).await;
    let mut raw = Raw::dial(&signaling).await;
    raw.offer().await;
    drop(pending);
    assert_eq!(raw.message().await, Message::Bye { reason: None });
}

#[test]
fn the_handshake_outlasts_a_peer_that_gathers_for_five_seconds() {
    assert!(SignalingConfig::default().handshake_timeout_ms >= 2 * 5000);
}
