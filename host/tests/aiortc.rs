//! Programs on unmodified aiortc as the other side of our handshake, in both roles.
//!
//! `tests/python/setup.sh` installs aiortc into `target/` at the first run.

use std::{
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use bytes::Bytes;
use plumbline_host::{
    signaling::{Connected, LinkEnd, Listener, SignalingConfig, connect},
    transport::{TransportConfig, TransportError},
};
use tokio::time::timeout;

/// Long enough for anything that works; what does not work hangs.
const SOON: Duration = Duration::from_secs(40);

/// A Python program; it ends with the test.
struct Python {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Python {
    fn start(role: &str, port: u16, more: &[&str]) -> Self {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/python");
        let setup = Command::new(tests.join("setup.sh")).output().expect("setup.sh runs");
        assert!(setup.status.success(), "setup.sh: {}", String::from_utf8_lossy(&setup.stderr));
        let mut process = Command::new(String::from_utf8(setup.stdout).unwrap().trim())
            .arg(tests.join("echo_peer.py"))
            .args([role, &port.to_string()])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python runs");
        let output = BufReader::new(process.stdout.take().expect("a pipe"));
        Self { process, output }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// What else it said, and whether it ended well.
    fn rest(mut self) -> (Vec<String>, bool) {
        let lines = self.output.by_ref().lines().map(Result::unwrap).collect();
        (lines, self.process.wait().unwrap().success())
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn listener() -> Listener {
    let signaling = SignalingConfig { listen: "127.0.0.1:0".into(), ..SignalingConfig::default() };
    Listener::bind(&signaling, &TransportConfig::default()).await.unwrap()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn towards(port: u16) -> SignalingConfig {
    SignalingConfig { connect: format!("127.0.0.1:{port}"), ..SignalingConfig::default() }
}

/// Messages of every kind of size go out and come back.
async fn echo(connected: &mut Connected) {
    assert_eq!(connected.channel.sender.max_message(), 65_536);
    for size in [1, 1000, 65_536, 65_536, 3] {
        let message = Bytes::from((0..size).map(|n| n as u8).collect::<Vec<_>>());
        connected.channel.sender.send(message.clone()).await.unwrap();
        let back = timeout(SOON, connected.channel.receiver.recv()).await.unwrap();
        assert_eq!(back.unwrap(), message);
    }
    let cipher = connected.channel.sender.stats().await.cipher.unwrap();
    assert!(cipher.contains("ECDHE_ECDSA"), "{cipher}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aiortc_client_of_our_server() {
    let mut listener = listener().await;
    let mut python = Python::start("answer", listener.local_addr().port(), &[]);
    let mut connected = timeout(SOON, listener.accept()).await.unwrap();
    assert_eq!(python.line(), "open frames True None");
    echo(&mut connected).await;
    // The goodbye comes last; without it the program would spin at an end of file.
    connected.channel.sender.close(Duration::from_secs(5)).await;
    connected.link.close(Some("that was all")).await;
    let (lines, success) = python.rest();
    assert!(lines.contains(&"closed".into()) && lines.contains(&"bye".into()), "{lines:?}");
    assert!(success);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aiortc_server_of_our_client() {
    let port = free_port();
    let mut python = Python::start("offer", port, &[]);
    // It listens only when it has its offer; our client tries until then.
    let connected = timeout(SOON, connect(&towards(port), &TransportConfig::default())).await;
    let mut connected = connected.unwrap().unwrap();
    assert_eq!(python.line(), "listening");
    assert_eq!(python.line(), "open frames");
    echo(&mut connected).await;
    connected.channel.sender.close(Duration::from_secs(5)).await;
    connected.link.close(None).await;
    let (lines, success) = python.rest();
    assert!(lines.contains(&"closed".into()) && lines.contains(&"bye".into()), "{lines:?}");
    assert!(success);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aiortc_server_that_gathers_for_a_long_time() {
    let port = free_port();
    let mut python = Python::start("offer", port, &["slow"]);
    let connected = timeout(SOON, connect(&towards(port), &TransportConfig::default())).await;
    let mut connected = connected.unwrap().unwrap();
    assert_eq!(python.line(), "listening");
    echo(&mut connected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aiortc_client_that_is_killed_is_noticed_twice() {
    let mut listener = listener().await;
    let mut python = Python::start("answer", listener.local_addr().port(), &[]);
    let mut connected = timeout(SOON, listener.accept()).await.unwrap();
    assert_eq!(python.line(), "open frames True None");
    python.process.kill().unwrap();
    let end = timeout(SOON, connected.link.ended()).await.unwrap();
    assert!(matches!(end, LinkEnd::Eof | LinkEnd::Broken(_)), "{end}");
    // The channel alone notices as well.
    let end = timeout(SOON, connected.channel.receiver.recv()).await.unwrap().unwrap_err();
    assert!(matches!(end, TransportError::Lost(_)), "{end}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_aiortc_client_gets_a_goodbye_that_it_understands() {
    let mut listener = listener().await;
    let port = listener.local_addr().port();
    let mut first = Python::start("answer", port, &[]);
    let mut connected = timeout(SOON, listener.accept()).await.unwrap();
    assert_eq!(first.line(), "open frames True None");
    let (lines, success) = Python::start("answer", port, &[]).rest();
    assert_eq!((lines, success), (vec!["bye".to_owned()], true));
    echo(&mut connected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_may_lose_the_order_is_refused() {
    let port = free_port();
    let python = Python::start("offer-unordered", port, &[]);
    let (signaling, transport) = (towards(port), TransportConfig::default());
    let client = connect(&signaling, &transport);
    // The program leaves at our goodbye; our client would go on trying.
    let mut python = tokio::task::spawn_blocking(move || python.rest());
    tokio::select! {
        connected = client => panic!("{connected:?}"),
        rest = &mut python => {
            let (lines, _) = rest.unwrap();
            assert!(lines.contains(&"bye".to_owned()), "{lines:?}");
        }
    }
}
