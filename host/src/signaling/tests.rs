use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::transport::TransportConfig;

const SOON: Duration = Duration::from_secs(10);

fn on_any_port() -> SignalingConfig {
    SignalingConfig { listen: "127.0.0.1:0".into(), ..Default::default() }
}

#[tokio::test]
async fn a_client_and_a_server_meet() {
    let transport = TransportConfig::default();
    let mut signaling = on_any_port();
    let mut listener = Listener::bind(&signaling, &transport).await.unwrap();
    signaling.connect = listener.local_addr().to_string();
    let (mut server, client) = tokio::join!(listener.accept(), connect(&signaling, &transport));
    let mut client = client.unwrap();
    server.channel.sender.send(Bytes::from_static(b"frame")).await.unwrap();
    assert_eq!(client.channel.receiver.recv().await.unwrap(), "frame");
    client.channel.sender.send(Bytes::from_static(b"answer")).await.unwrap();
    assert_eq!(server.channel.receiver.recv().await.unwrap(), "answer");
    client.channel.sender.close(SOON).await;
    client.link.close(None).await;
    assert_eq!(server.link.ended().await, LinkEnd::Bye(None));
}
