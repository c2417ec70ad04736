use std::time::Duration;

use bytes::Bytes;

use super::*;

const SOON: Duration = Duration::from_secs(10);

async fn pair(config: &TransportConfig) -> (Channel, Channel) {
    let route = Route::loopback();
    let (mut a, offer) = Peer::offer(config, &route).await.unwrap();
    let (mut b, answer) = Peer::answer(config, &route, &offer).await.unwrap();
    a.accept_answer(&answer).await.unwrap();
    let (a, b) = tokio::join!(a.open(SOON), b.open(SOON));
    (a.unwrap(), b.unwrap())
}

#[tokio::test]
async fn messages_arrive_both_ways_in_order() {
    let (mut a, mut b) = pair(&TransportConfig::default()).await;
    for n in 0..100_u32 {
        a.sender.send(Bytes::copy_from_slice(&n.to_le_bytes())).await.unwrap();
        b.sender.send(Bytes::copy_from_slice(&(n + 1000).to_le_bytes())).await.unwrap();
    }
    for n in 0..100_u32 {
        assert_eq!(b.receiver.recv().await.unwrap(), n.to_le_bytes().as_slice());
        assert_eq!(a.receiver.recv().await.unwrap(), (n + 1000).to_le_bytes().as_slice());
    }
    let stats = a.sender.stats().await;
    println!("{stats:?}");
    assert_eq!((stats.sent_bytes, stats.received_bytes), (400, 400));
    a.sender.close(SOON).await;
    let end = b.receiver.recv().await.unwrap_err();
    assert!(matches!(end, TransportError::Closed(_)), "{end}");
}
