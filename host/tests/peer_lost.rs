//! A peer that is killed is noticed by the data channel itself.

use std::{
    process::{Child, Command},
    time::Duration,
};

use bytes::Bytes;
use plumbline_host::{
    signaling::{Listener, SignalingConfig, connect},
    transport::{TransportConfig, TransportError},
};
use tokio::time::timeout;

/// The port of the server, for the process that is the client.
const PORT: &str = "PEER_LOST_TEST_PORT";

/// A killed peer must be noticed within this time.
const NOTICED: Duration = Duration::from_secs(5);

struct Client(Child);

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Not a test of its own: the process that is killed.
#[tokio::test]
async fn client_process() {
    let Ok(port) = std::env::var(PORT) else { return };
    let signaling =
        SignalingConfig { connect: format!("127.0.0.1:{port}"), ..SignalingConfig::default() };
    let connected = connect(&signaling, &TransportConfig::default()).await.unwrap();
    connected.channel.sender.send(Bytes::from_static(b"here")).await.unwrap();
    // It reads nothing, so that the server's sender comes to wait.
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_peer_is_lost_to_both_halves() {
    let signaling = SignalingConfig { listen: "127.0.0.1:0".into(), ..SignalingConfig::default() };
    let mut listener = Listener::bind(&signaling, &TransportConfig::default()).await.unwrap();
    let mut client = Client(
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "client_process"])
            .env(PORT, listener.local_addr().port().to_string())
            .spawn()
            .unwrap(),
    );
    let mut connected = listener.accept().await;
    assert_eq!(connected.channel.receiver.recv().await.unwrap(), "here");
    let sender = std::sync::Arc::clone(&connected.channel.sender);
    let sending = tokio::spawn(async move {
        loop {
            if let Err(error) = sender.send(Bytes::from(vec![0; 65_536])).await {
                return error;
            }
        }
    });
    client.0.kill().unwrap();
    let received = timeout(NOTICED, connected.channel.receiver.recv()).await;
    let end = received.expect("the receiving half noticed nothing").unwrap_err();
    assert!(matches!(end, TransportError::Lost(_)), "{end}");
    let end = timeout(NOTICED, sending).await.expect("the sending half hangs").unwrap();
    assert!(matches!(end, TransportError::Lost(_)), "{end}");
    let closing = connected.channel.sender.close(Duration::from_secs(60));
    timeout(NOTICED, closing).await.expect("closing waits for a lost peer");
}
