//! The client's life: wait for the server, one session, goodbye.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use plumbline_plugin_api::PixelFormat;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::{
    SOFTWARE,
    detecting::{self, Busy, Detected, Queue},
    ending::Ending,
    serving::say,
    showing::{MakeDisplay, Picture, Showing},
};
use crate::{
    config::{Config, QueuePolicy},
    plugin::Detector,
    score::Rate,
    signaling::{self, Connected, SignalingLink},
    transport::{Channel, Receiver, Sender},
    wire::{
        self, Answer, CODEC_RAW, ClientInfo, Finding, Hello, Limits, MAX_SIDE, Message, Policy,
        Reassembler, Side,
    },
};

/// How long the server may take to say hello.
const HELLO: Duration = Duration::from_secs(5);
/// How long the frame that the detector is looking at may take at the end.
const LAST_FRAME: Duration = Duration::from_millis(300);
/// How long sending the last answers and the goodbye may take.
const GOODBYE: Duration = Duration::from_millis(200);
/// How long the server may take to end its side after our goodbye.
const FAREWELL: Duration = Duration::from_millis(400);
/// How long an end of the signaling connection may precede the goodbye on the
/// data channel, which travels on another way.
const GRACE: Duration = Duration::from_millis(500);
/// A detector that looks at one frame for so long is worth a warning.
const SLOW: Duration = Duration::from_secs(5);
/// How long a display may take to end.
const CLOSE_DISPLAY: Duration = Duration::from_millis(300);
/// Answers that wait for the channel at most.
const QUEUED: usize = 64;
/// Buffers that wait to be used again at most.
const SPARE: usize = 8;

/// What a client needs.
pub struct ClientSettings {
    /// The configuration.
    pub config: Config,
    /// The detector that is qualified.
    pub detector: Detector,
    /// Makes the display.
    pub display: MakeDisplay,
}

/// Waits for the server, takes part in one session, and says how it ended.
///
/// # Errors
///
/// When the display cannot be made, or the handshake fails for good.
pub async fn run(settings: ClientSettings, stop: CancellationToken) -> anyhow::Result<Ending> {
    let ClientSettings { config, detector, display } = settings;
    let showing = Showing::start(&config.client.display, display, stop.clone())?;
    let connected = tokio::select! {
        connected = signaling::connect(&config.signaling, &config.transport) => connected?,
        () = stop.cancelled() => {
            showing.close(CLOSE_DISPLAY);
            return Ok(Ending::Interrupted);
        }
    };
    let Connected { channel, mut link, peer_addr } = connected;
    debug!("connected to {peer_addr}");
    let ending = attend(channel, &mut link, &config, detector, &showing, &stop).await;
    link.close(ending.reason().as_deref()).await;
    showing.end_session(CLOSE_DISPLAY);
    showing.close(CLOSE_DISPLAY);
    match &ending {
        ending if ending.is_orderly() => info!("the session is over: {ending}"),
        ending => warn!("the session is over: {ending}"),
    }
    Ok(ending)
}

/// Buffers on their way back from the display and the detector to the reader.
#[derive(Default)]
struct Pool(Mutex<Vec<Vec<u8>>>);

impl Pool {
    fn put(&self, buffer: Vec<u8>) {
        let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buffers.len() < SPARE {
            buffers.push(buffer);
        }
    }

    fn take(&self) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

async fn attend(
    channel: Channel,
    link: &mut SignalingLink,
    config: &Config,
    detector: Detector,
    showing: &Showing,
    stop: &CancellationToken,
) -> Ending {
    let Channel { sender, receiver } = channel;
    let client = &config.client;
    let queue = Arc::new(Queue::new(client.policy, client.queue as usize));
    let pool = Arc::new(Pool::default());
    let busy = Arc::new(Busy::default());
    let stale = Arc::new(AtomicU64::new(0));
    let (results, mut detected) = mpsc::channel(QUEUED);
    let (to_send, outgoing) = mpsc::channel::<Message>(QUEUED);
    let (over, mut reading) = oneshot::channel();

    let _ = to_send.try_send(Message::Hello(hello(config, &detector)));
    if let Err(e) = detecting::start(detector, Arc::clone(&queue), results, Arc::clone(&busy)) {
        return Ending::Failed(format!("cannot start the detector's thread: {e}"));
    }
    let sending = tokio::spawn(send(Arc::clone(&sender), outgoing));
    let reader = Reader {
        receiver,
        reassembler: Reassembler::new(Limits::default()),
        queue: Arc::clone(&queue),
        pool: Arc::clone(&pool),
        dropped: Arc::clone(&stale),
        answers: to_send.clone(),
        begin: Instant::now(),
        greeted: false,
    };
    let reader = tokio::spawn(reader.run(over));
    let mut view = View {
        showing,
        pool: &pool,
        rate: Rate::default(),
        begin: Instant::now(),
        looked_at: 0,
        dropped: &stale,
    };
    let mut warned = None;
    let ending = loop {
        tokio::select! {
            biased;
            Some(done) = detected.recv() => {
                // A full channel to the server holds the detector back, too.
                tokio::select! {
                    sent = to_send.send(Message::Answer(done.answer.clone())) => if sent.is_err() {
                        let closed = Ending::PeerLost("the channel closed".into());
                        break closed.or_last_word(link).await;
                    },
                    () = stop.cancelled() => break Ending::Interrupted,
                }
                view.show(done);
            }
            () = stop.cancelled() => break Ending::Interrupted,
            ended = &mut reading => {
                break ended.unwrap_or_else(|_| reader_gone()).or_last_word(link).await;
            }
            gone = link.ended() => {
                debug!("the signaling connection ended: {gone}");
                break match timeout(GRACE, &mut reading).await {
                    // The channel's end without a goodbye says less than this one.
                    Ok(Ok(Ending::PeerLost(_))) | Err(_) => Ending::from_link(gone),
                    Ok(ending) => ending.unwrap_or_else(|_| reader_gone()),
                };
            }
            () = tokio::time::sleep(SLOW / 5) => {
                if let Some((frame, since)) = busy.since()
                    && since > SLOW && warned != Some(frame)
                {
                    let name = &client.detector;
                    warn!("detector {name} has been busy with frame {frame} for {since:.1?}");
                    warned = Some(frame);
                }
            }
        }
    };
    // Nobody will look at these; the detector finishes what it has.
    for frame in queue.close() {
        let _ = to_send.try_send(dropped(frame.header.id));
    }
    let last = timeout(LAST_FRAME, async {
        while let Some(done) = detected.recv().await {
            let _ = to_send.send(Message::Answer(done.answer.clone())).await;
            view.show(done);
        }
    });
    if last.await.is_err()
        && let Some((frame, since)) = busy.since()
    {
        let name = &client.detector;
        warn!(
            "detector {name} does not return from frame {frame} ({since:.1?}); leaving it behind"
        );
    }
    if !matches!(ending, Ending::PeerLost(_)) {
        let _ = to_send.try_send(Message::Bye(ending.goodbye()));
        // The server closes the channel when it has read our goodbye.
        let _ = timeout(FAREWELL, reader).await;
    }
    sending.abort();
    sender.close(GOODBYE).await;
    ending
}

fn reader_gone() -> Ending {
    Ending::Failed("reading from the channel ended without a reason".into())
}

fn hello(config: &Config, detector: &Detector) -> Hello {
    let client = &config.client;
    let info = ClientInfo {
        detector: detector.name().into(),
        policy: match client.policy {
            QueuePolicy::EveryFrame => Policy::EveryFrame,
            QueuePolicy::Latest => Policy::Latest,
        },
        max_in_flight: client.max_in_flight,
        max_frame_bytes: 3 * u64::from(MAX_SIDE) * u64::from(MAX_SIDE),
        formats: vec![PixelFormat::GRAY8.code(), PixelFormat::BGR8.code()],
        codecs: vec![CODEC_RAW],
    };
    Hello::new(SOFTWARE, Side::Client(info))
}

/// Sends in order; the last message is a goodbye.
async fn send(sender: Arc<dyn Sender>, mut messages: mpsc::Receiver<Message>) {
    while let Some(message) = messages.recv().await {
        if let Err(ending) = say(&*sender, &message).await {
            debug!("sending ended: {ending}");
            return;
        }
    }
}

fn dropped(id: u64) -> Message {
    Message::Answer(Answer { id, finding: Finding::Dropped, detect_ns: 0 })
}

/// Shows what was detected, and gives buffers back.
struct View<'a> {
    showing: &'a Showing,
    pool: &'a Pool,
    rate: Rate,
    begin: Instant,
    looked_at: u64,
    dropped: &'a AtomicU64,
}

impl View<'_> {
    fn show(&mut self, done: Detected) {
        let Detected { answer, frame, detections } = done;
        let now = self.begin.elapsed();
        self.rate.add(now);
        self.looked_at += 1;
        let dropped = self.dropped.load(Relaxed);
        let picture = Picture {
            frame,
            detections,
            detect_ms: answer.detect_ns as f64 / 1e6,
            fps: self.rate.per_second(now),
            received: self.looked_at + dropped,
            dropped,
        };
        if let Some(unused) = self.showing.picture(picture) {
            self.pool.put(unused.frame.pixels);
        }
    }
}

/// Turns messages into frames for the detector.
struct Reader {
    receiver: Box<dyn Receiver>,
    reassembler: Reassembler,
    queue: Arc<Queue>,
    pool: Arc<Pool>,
    dropped: Arc<AtomicU64>,
    answers: mpsc::Sender<Message>,
    begin: Instant,
    greeted: bool,
}

impl Reader {
    /// Reads until the session is over, says why through `over`, and goes on
    /// until the server has closed the channel.
    async fn run(mut self, over: oneshot::Sender<Ending>) {
        let ending = loop {
            if let Err(ending) = self.next().await {
                break ending;
            }
        };
        let _ = over.send(ending);
        while self.receiver.recv().await.is_ok() {}
    }

    async fn next(&mut self) -> Result<(), Ending> {
        let now = self.begin.elapsed();
        let limit = match self.reassembler.deadline() {
            _ if !self.greeted => HELLO,
            Some(deadline) => deadline.saturating_sub(now),
            None => Duration::MAX,
        };
        let Ok(message) = timeout(limit, self.receiver.recv()).await else {
            self.reassembler.check_age(self.begin.elapsed() + Duration::from_millis(1))?;
            return Err(Ending::Failed(format!("the server said no hello within {HELLO:?}")));
        };
        let message = wire::decode(&message?)?;
        let now = self.begin.elapsed();
        let frame = match message {
            Message::Bye(bye) => return Err(Ending::from_peer(bye)),
            Message::Hello(Hello { software, side: Side::Server(scene), .. }) if !self.greeted => {
                self.greeted = true;
                info!(
                    "the server ({software}) films {} x {} at {} frames per second",
                    scene.width, scene.height, scene.fps
                );
                None
            }
            Message::Frame(header, pixels) if self.greeted => {
                self.reassembler.frame(header, &pixels, now)?
            }
            Message::Fragment(header, pixels) if self.greeted => {
                self.reassembler.fragment(header, &pixels, now)?
            }
            _ => {
                let reason = "a message that only a client sends, or one out of turn";
                return Err(Ending::Violation(reason.into()));
            }
        };
        let Some(frame) = frame else { return Ok(()) };
        if let Some(stale) = self.queue.push(frame).await {
            let id = stale.header.id;
            self.dropped.fetch_add(1, Relaxed);
            self.reassembler.recycle(stale.pixels);
            if self.answers.send(dropped(id)).await.is_err() {
                return Err(Ending::PeerLost("the channel closed".into()));
            }
        }
        while let Some(buffer) = self.pool.take() {
            self.reassembler.recycle(buffer);
        }
        Ok(())
    }
}
