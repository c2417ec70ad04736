//! Two peers in one process, over real sockets on loopback.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

use super::*;

/// Long enough for anything that works; what does not work hangs.
const SOON: Duration = Duration::from_secs(10);

async fn pair(config: &TransportConfig) -> (Channel, Channel) {
    let mut peers = peers(config, |answer| answer).await;
    let (a, b) = tokio::join!(peers.0.open(SOON), peers.1.open(SOON));
    (a.unwrap(), b.unwrap())
}

async fn peers(config: &TransportConfig, change: impl Fn(String) -> String) -> (Peer, Peer) {
    let route = Route::loopback();
    let (mut a, offer) = Peer::offer(config, &route).await.unwrap();
    let (b, answer) = Peer::answer(config, &route, &offer).await.unwrap();
    a.accept_answer(&change(answer)).await.unwrap();
    (a, b)
}

async fn recv(channel: &mut Channel) -> Result<Bytes, TransportError> {
    timeout(SOON, channel.receiver.recv()).await.expect("no message came")
}

#[tokio::test]
async fn messages_arrive_both_ways_in_order() {
    let (mut a, mut b) = pair(&TransportConfig::default()).await;
    for n in 0..100_u32 {
        a.sender.send(Bytes::copy_from_slice(&n.to_le_bytes())).await.unwrap();
        b.sender.send(Bytes::copy_from_slice(&(n + 1000).to_le_bytes())).await.unwrap();
    }
    for n in 0..100_u32 {
        assert_eq!(recv(&mut b).await.unwrap(), n.to_le_bytes().as_slice());
        assert_eq!(recv(&mut a).await.unwrap(), (n + 1000).to_le_bytes().as_slice());
    }
    let stats = a.sender.stats().await;
    assert_eq!((stats.sent_bytes, stats.received_bytes), (400, 400));
    let (ours, theirs) = stats.path.expect("a path");
    assert_eq!(b.sender.stats().await.path, Some((theirs, ours)));
    assert!(stats.round_trip.is_some());
}

#[tokio::test]
async fn our_own_peers_use_chacha20_and_the_order_can_be_changed() {
    let cipher = async |ciphers| {
        let (a, _b) = pair(&TransportConfig { ciphers, ..Default::default() }).await;
        a.sender.stats().await.cipher.unwrap()
    };
    let both = TransportConfig::default().ciphers;
    assert_eq!(cipher(both).await, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
    let aes = vec![Cipher::Aes128Gcm];
    assert_eq!(cipher(aes).await, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
}

#[tokio::test]
async fn a_message_of_any_size_up_to_the_limit_passes_and_no_larger_one() {
    let (a, mut b) = pair(&TransportConfig::default()).await;
    assert_eq!((a.sender.max_message(), b.sender.max_message()), (65_536, 65_536));
    for size in [0, 1, 1199, 1200, 1400, 65_535, 65_536] {
        let message = Bytes::from(vec![size as u8; size]);
        a.sender.send(message.clone()).await.unwrap();
        assert_eq!(recv(&mut b).await.unwrap(), message);
    }
    let error = a.sender.send(Bytes::from(vec![0; 65_537])).await.unwrap_err();
    assert!(matches!(error, TransportError::TooLarge { size: 65_537, limit: 65_536 }), "{error}");
}

#[tokio::test]
async fn the_smaller_limit_of_both_sides_holds() {
    let large = TransportConfig { message_bytes: 262_144, ..Default::default() };
    let small = TransportConfig { message_bytes: 20_000, ..Default::default() };
    let route = Route::loopback();
    for (offering, answering) in [(&large, &small), (&small, &large)] {
        let (mut a, offer) = Peer::offer(offering, &route).await.unwrap();
        let (mut b, answer) = Peer::answer(answering, &route, &offer).await.unwrap();
        a.accept_answer(&answer).await.unwrap();
        let (a, b) = tokio::join!(a.open(SOON), b.open(SOON));
        let (mut a, mut b) = (a.unwrap(), b.unwrap());
        assert_eq!((a.sender.max_message(), b.sender.max_message()), (20_000, 20_000));
        let message = Bytes::from(vec![7; 20_000]);
        a.sender.send(message.clone()).await.unwrap();
        b.sender.send(message.clone()).await.unwrap();
        assert_eq!(recv(&mut b).await.unwrap(), message);
        assert_eq!(recv(&mut a).await.unwrap(), message);
    }
}

#[tokio::test]
async fn a_peer_without_a_limit_takes_what_we_can_send() {
    let config = TransportConfig { message_bytes: 262_144, ..Default::default() };
    let no_limit = |sdp: String| sdp.replace("a=max-message-size:262144", "a=max-message-size:0");
    let (mut a, mut b) = peers(&config, no_limit).await;
    let (a, b) = tokio::join!(a.open(SOON), b.open(SOON));
    let (a, mut b) = (a.unwrap(), b.unwrap());
    assert_eq!(a.sender.max_message(), 262_144);
    let message = Bytes::from(vec![7; 262_144]);
    a.sender.send(message.clone()).await.unwrap();
    assert_eq!(recv(&mut b).await.unwrap(), message);
}

#[tokio::test]
async fn back_pressure_reaches_the_sender_and_nothing_is_lost() {
    let (a, mut b) = pair(&TransportConfig::default()).await;
    let size = a.sender.max_message();
    let message = |n: usize| Bytes::from(vec![(n % 251) as u8; size]);
    let mut sent = 0;
    // Sending stalls for good: a second is far more than a full window needs.
    while let Ok(done) = timeout(Duration::from_secs(1), a.sender.send(message(sent))).await {
        done.unwrap();
        sent += 1;
        assert!(sent < 4096, "{sent} messages and still no back-pressure");
    }
    // Two queues of 256 messages in the library, the window, and our buffer. The
    // window has twice its size: what is under way when it closes comes on top.
    let config = TransportConfig::default();
    let bound = 512 + (2 * config.window_bytes + config.send_buffer_bytes) as usize / size;
    assert!(sent <= bound, "{sent} messages are on their way, at most {bound} may");
    assert!(a.sender.outstanding().await > 0);
    for n in 0..sent {
        assert_eq!(recv(&mut b).await.unwrap(), message(n), "message {n}");
    }
    a.sender.send(message(sent)).await.unwrap();
    // The one that was given up may have been sent or not; it is whole.
    let next = recv(&mut b).await.unwrap();
    assert_eq!(next, message(sent));
}

#[tokio::test]
async fn closing_delivers_what_was_sent() {
    let (a, mut b) = pair(&TransportConfig::default()).await;
    let total = 200;
    for n in 0..total {
        a.sender.send(Bytes::from(vec![n as u8; 50_000])).await.unwrap();
    }
    let closing = tokio::spawn(async move { a.sender.close(SOON).await });
    for n in 0..total {
        assert_eq!(recv(&mut b).await.unwrap(), vec![n as u8; 50_000]);
    }
    for _ in 0..2 {
        let end = recv(&mut b).await.unwrap_err();
        assert!(matches!(end, TransportError::Closed(_)), "{end}");
    }
    timeout(SOON, closing).await.unwrap().unwrap();
    let error = b.sender.send(Bytes::from_static(b"late")).await.unwrap_err();
    assert!(matches!(error, TransportError::Closed(_)), "{error}");
}

#[tokio::test]
async fn closing_does_not_wait_for_a_peer_that_does_not_read() {
    let (mut a, _b) = pair(&TransportConfig::default()).await;
    while let Ok(sent) =
        timeout(Duration::from_millis(500), a.sender.send(Bytes::from(vec![0; 65_536]))).await
    {
        sent.unwrap();
    }
    timeout(SOON, a.sender.close(Duration::from_millis(200))).await.expect("closing hangs");
    let end = recv(&mut a).await.unwrap_err();
    assert!(matches!(end, TransportError::Closed(_)), "{end}");
}

#[tokio::test]
async fn a_blocked_sender_learns_that_the_channel_was_closed() {
    let (a, _b) = pair(&TransportConfig::default()).await;
    let sender = std::sync::Arc::clone(&a.sender);
    let blocked = tokio::spawn(async move {
        loop {
            if let Err(error) = sender.send(Bytes::from(vec![0; 65_536])).await {
                return error;
            }
        }
    });
    a.sender.close(Duration::from_millis(500)).await;
    let error = timeout(SOON, blocked).await.expect("send hangs").unwrap();
    assert!(matches!(error, TransportError::Closed(_)), "{error}");
}

#[tokio::test]
async fn dropping_a_channel_ends_the_peers_one() {
    let (a, mut b) = pair(&TransportConfig::default()).await;
    drop(a);
    let end = recv(&mut b).await.unwrap_err();
    assert!(matches!(end, TransportError::Closed(_)), "{end}");
}

#[tokio::test]
async fn trickled_candidates_are_taken() {
    let config = TransportConfig::default();
    let (mut a, offer) = Peer::offer(&config, &Route::loopback()).await.unwrap();
    let (candidates, bare): (Vec<&str>, Vec<&str>) = offer
        .lines()
        .filter(|line| !line.starts_with("a=end-of-candidates"))
        .partition(|line| line.starts_with("a=candidate:"));
    let bare = bare.join("\r\n") + "\r\n";
    let (mut b, answer) = Peer::answer(&config, &Route::loopback(), &bare).await.unwrap();
    let silent = answer.lines().filter(|line| !line.starts_with("a=candidate:"));
    a.accept_answer(&(silent.collect::<Vec<_>>().join("\r\n") + "\r\n")).await.unwrap();
    for candidate in candidates {
        b.add_candidate(candidate.strip_prefix("a=").unwrap(), Some("0"), Some(0)).await.unwrap();
    }
    let (a, b) = tokio::join!(a.open(SOON), b.open(SOON));
    a.unwrap();
    b.unwrap();
}

#[tokio::test]
async fn descriptions_have_all_that_aiortc_needs_and_all_candidates() {
    let config = TransportConfig::default();
    let (_a, offer) = Peer::offer(&config, &Route::loopback()).await.unwrap();
    let (_b, answer) = Peer::answer(&config, &Route::loopback(), &offer).await.unwrap();
    for sdp in [offer, answer] {
        for needed in [
            "a=ice-ufrag:",
            "a=ice-pwd:",
            "a=fingerprint:sha-256 ",
            "a=setup:",
            "a=sctp-port:",
            "a=max-message-size:65536",
            "a=end-of-candidates",
            "m=application ",
        ] {
            assert!(sdp.lines().any(|line| line.starts_with(needed)), "no {needed} in\n{sdp}");
        }
        let candidates: Vec<Vec<&str>> = sdp
            .lines()
            .filter_map(|line| line.strip_prefix("a=candidate:"))
            .map(|candidate| candidate.split(' ').collect())
            .collect();
        assert!(candidates.iter().any(|fields| fields[4] == "127.0.0.1"), "{sdp}");
        for fields in candidates {
            assert_eq!((fields[1], fields[2].to_lowercase().as_str()), ("1", "udp"), "{sdp}");
            assert!(fields[4].parse::<std::net::IpAddr>().is_ok(), "{sdp}");
        }
    }
}

#[tokio::test]
async fn a_description_that_is_none_is_refused() {
    let config = TransportConfig::default();
    let (mut a, offer) = Peer::offer(&config, &Route::loopback()).await.unwrap();
    let wrong = [
        "garbage".to_owned(),
        offer.replace("m=application", "m=audio"),
        offer.replace("a=fingerprint:sha-256", "a=fingerprint:"),
    ];
    for sdp in wrong {
        let refused = Peer::answer(&config, &Route::loopback(), &sdp).await;
        assert!(matches!(refused, Err(TransportError::Handshake(_))), "{refused:?}");
        let refused = a.accept_answer(&sdp).await;
        assert!(matches!(refused, Err(TransportError::Handshake(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_peer_that_never_shows_up_is_given_up() {
    let config = TransportConfig { lost_after_ms: 1000, ..Default::default() };
    let (mut a, offer) = Peer::offer(&config, &Route::loopback()).await.unwrap();
    let early = a.open(Duration::from_millis(50)).await.unwrap_err();
    assert!(early.to_string().contains("not connected after 0.1 s"), "{early}");
    // The answer leads to a socket that is deaf, and who made it knows no way to us.
    let lines = |sdp: &str, of: &dyn Fn(&str) -> Option<String>| -> String {
        sdp.lines().filter_map(of).map(|line| line + "\r\n").collect()
    };
    let is_candidate = |line: &str| line.starts_with("a=candidate");
    let offer = lines(&offer, &|line| (!is_candidate(line)).then(|| line.to_owned()));
    let (_b, answer) = Peer::answer(&config, &Route::loopback(), &offer).await.unwrap();
    let deaf = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = deaf.local_addr().unwrap().port().to_string();
    let answer = lines(&answer, &|line| {
        let mut words: Vec<&str> = line.split(' ').collect();
        if is_candidate(line) {
            // Foundation, component, transport, priority, address, port.
            words[5] = &port;
        }
        Some(words.join(" "))
    });
    assert!(answer.contains(&format!(" {port} typ host")), "{answer}");
    a.accept_answer(&answer).await.unwrap();
    let error = timeout(SOON, a.open(Duration::from_secs(60))).await.expect("ICE never gives up");
    assert!(error.unwrap_err().to_string().contains("no path"));
}
