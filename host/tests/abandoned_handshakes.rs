//! Handshakes that are given up leave no task, socket or thread behind.
//!
//! The only test of its process, because it counts what the process holds.

use std::time::{Duration, Instant};

use plumbline_host::{
    signaling::{Listener, SignalingConfig, connect},
    transport::{Peer, Route, TransportConfig},
};
use tokio::{net::TcpStream, runtime::Handle, time::timeout};

const ROUNDS: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    files: usize,
    threads: usize,
    tasks: usize,
}

fn held() -> Held {
    let count = |path| std::fs::read_dir(path).unwrap().count();
    let tasks = Handle::current().metrics().num_alive_tasks();
    Held { files: count("/proc/self/fd"), threads: count("/proc/self/task"), tasks }
}

/// Waits until no more is held than before.
async fn returns_to(before: Held, what: &str) {
    let begun = Instant::now();
    loop {
        let now = held();
        let grown =
            now.files > before.files || now.threads > before.threads || now.tasks > before.tasks;
        if !grown {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}: {before:?} became {now:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// One handshake, given up at `stage`.
async fn abandon(stage: usize, config: &TransportConfig) {
    let route = Route::loopback();
    if stage == 1 {
        // Cut off anywhere in the making.
        let _ = timeout(Duration::from_micros(500), Peer::offer(config, &route)).await;
        return;
    }
    let (mut offering, offer) = Peer::offer(config, &route).await.unwrap();
    if stage == 0 {
        return;
    }
    let (mut answering, answer) = Peer::answer(config, &route, &offer).await.unwrap();
    if stage == 2 {
        return;
    }
    offering.accept_answer(&answer).await.unwrap();
    let limit = Duration::from_secs(10);
    let opening = async { tokio::join!(offering.open(limit), answering.open(limit)) };
    let _ = timeout(Duration::from_millis(5), opening).await;
}

#[tokio::test]
async fn abandoned_handshakes_leave_nothing_behind() {
    let config = TransportConfig::default();
    // What is made once and kept: the reactor's thread and its descriptors.
    let empty = held();
    for stage in 0..4 {
        abandon(stage, &config).await;
    }
    let reactor = Held { files: empty.files + 8, threads: empty.threads + 2, ..empty };
    returns_to(reactor, "the reactor").await;
    let before = reactor;
    for round in 0..ROUNDS {
        abandon(round % 4, &config).await;
    }
    returns_to(before, "peers").await;

    let signaling = SignalingConfig { listen: "127.0.0.1:0".into(), ..SignalingConfig::default() };
    let listener = Listener::bind(&signaling, &config).await.unwrap();
    let address = listener.local_addr();
    let before = held();
    for _ in 0..ROUNDS {
        drop(TcpStream::connect(address).await.unwrap());
    }
    returns_to(before, "port probes").await;
    drop(listener);

    let nobody = SignalingConfig { connect: address.to_string(), ..SignalingConfig::default() };
    let before = held();
    for _ in 0..ROUNDS {
        let _ = timeout(Duration::from_millis(2), connect(&nobody, &config)).await;
    }
    returns_to(before, "clients without a server").await;
}
