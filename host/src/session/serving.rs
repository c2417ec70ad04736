//! One session, seen from the server: hello, frames out, answers in, goodbye.

use std::{pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use plumbline_plugin_api::PixelFormat;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{
    SOFTWARE,
    ending::Ending,
    filming::{Filming, FilmingError},
    outputs::Outputs,
    scorebook::Scorebook,
};
use crate::{
    score::{Ledger, LedgerConfig, Row, Verdict},
    signaling::{LinkEnd, SignalingLink},
    transport::{Channel, Receiver, Sender},
    wire::{self, ClientInfo, Hello, Message, SceneInfo, Side, WireError},
};

/// How long the peer may take to say hello.
const HELLO: Duration = Duration::from_secs(5);
/// How long the client may take to answer our goodbye, by which it ends what
/// its detector is working on.
const LAST_ANSWERS: Duration = Duration::from_millis(600);
/// How long sending one message may take at the end.
const GOODBYE: Duration = Duration::from_millis(200);
/// How long an end of the signaling connection may precede the goodbye on the
/// data channel, which travels on another way.
const GRACE: Duration = Duration::from_millis(500);
/// How often the session is looked at even if nothing arrives.
const TICK: Duration = Duration::from_millis(250);
/// How often it is warned of frames without an answer, at most.
const WARNINGS: Duration = Duration::from_secs(1);
/// Answers and pixels that wait between the tasks at most.
const QUEUED: usize = 64;

/// What a session is about.
pub(super) struct Plan {
    pub(super) filming: Filming,
    pub(super) scene: SceneInfo,
    pub(super) answer_timeout: Duration,
}

/// What came of a session.
pub(super) struct Served {
    pub(super) ending: Ending,
    pub(super) scene: SceneInfo,
    pub(super) client: Option<ClientInfo>,
    pub(super) client_software: Option<String>,
    pub(super) ledger: Ledger,
    pub(super) elapsed: Duration,
}

/// Serves one client until the frames are made, the user stops, or the peer goes.
pub(super) async fn serve(
    channel: Channel,
    link: &mut SignalingLink,
    mut plan: Plan,
    outputs: &mut Outputs<'_>,
    stop: &CancellationToken,
) -> Served {
    let Channel { sender, receiver } = channel;
    let (incoming, messages) = mpsc::channel(QUEUED);
    let reader = tokio::spawn(read(receiver, incoming));
    let capacity = (plan.filming.max_in_flight as usize * 4).max(4096);
    let config = LedgerConfig { timeout: plan.answer_timeout, capacity };
    let book = Arc::new(Scorebook::new(Ledger::new(config)));
    let scene = plan.scene;

    let mut session = Session {
        sender: &sender,
        messages,
        link,
        book: &book,
        outputs,
        stop,
        heard_bye: false,
        expired: 0,
        warned: None,
    };
    let (mut client, mut client_software) = (None, None);
    let ending = match session.greet(&scene).await {
        Ok((software, info)) => {
            if info.max_in_flight > 0 {
                let limit = &mut plan.filming.max_in_flight;
                *limit = (*limit).min(info.max_in_flight.into());
            }
            (client, client_software) = (Some(info), Some(software));
            session.run(plan.filming, scene.frames).await
        }
        Err(ending) => ending,
    };
    let ending = session.part(ending).await;
    sender.close(GOODBYE).await;
    reader.abort();

    let elapsed = book.now();
    let mut rows = Vec::new();
    book.with(|ledger| {
        ledger.finish();
        ledger.drain_ready(&mut rows);
    });
    outputs.rows(&rows, elapsed);
    outputs.refresh(true, || book.with(|ledger| ledger.progress(elapsed, scene.frames)));
    let ledger = book.with(|ledger| std::mem::replace(ledger, Ledger::new(config)));
    Served { ending, scene, client, client_software, ledger, elapsed }
}

type Incoming = Result<Message, Ending>;

/// Decodes what comes in, so that the channel is always drained.
async fn read(mut receiver: Box<dyn Receiver>, to: mpsc::Sender<Incoming>) {
    loop {
        let message = match receiver.recv().await {
            Ok(bytes) => wire::decode(&bytes).map_err(Ending::from),
            Err(error) => Err(error.into()),
        };
        let last = message.is_err();
        if to.send(message).await.is_err() || last {
            return;
        }
    }
}

/// Hands messages to the channel; ends when filming does or the channel is closed.
async fn pump(sender: Arc<dyn Sender>, mut messages: mpsc::Receiver<Bytes>) {
    while let Some(message) = messages.recv().await {
        if let Err(error) = sender.send(message).await {
            debug!("sending ended: {error}");
            return;
        }
    }
}

pub(super) async fn say(sender: &dyn Sender, message: &Message) -> Result<(), Ending> {
    let bytes = wire::encode(message, sender.max_message())
        .map_err(|e| Ending::Failed(format!("cannot encode a message: {e}")))?;
    sender.send(bytes).await.map_err(Ending::from)
}

struct Session<'a, 'b> {
    sender: &'a Arc<dyn Sender>,
    messages: mpsc::Receiver<Incoming>,
    link: &'a mut SignalingLink,
    book: &'a Arc<Scorebook>,
    outputs: &'a mut Outputs<'b>,
    stop: &'a CancellationToken,
    heard_bye: bool,
    /// Frames that expired and were not warned of yet.
    expired: u64,
    warned: Option<Instant>,
}

impl Session<'_, '_> {
    /// The exchange of hellos: the client's program, and what it said of itself.
    async fn greet(&mut self, scene: &SceneInfo) -> Result<(String, ClientInfo), Ending> {
        let hello = Message::Hello(Hello::new(SOFTWARE, Side::Server(*scene)));
        say(&**self.sender, &hello).await?;
        let first = tokio::select! {
            first = timeout(HELLO, self.messages.recv()) => first,
            () = self.stop.cancelled() => return Err(Ending::Interrupted),
            gone = self.link.ended() => {
                return Err(Ending::PeerLost(format!("before its hello: {gone}")));
            }
        };
        let Ok(first) = first else {
            return Err(Ending::Failed(format!("the peer said no hello within {HELLO:?}")));
        };
        match first.unwrap_or_else(|| Err(closed()))? {
            Message::Bye(bye) => {
                self.heard_bye = true;
                Err(Ending::from_peer(bye))
            }
            Message::Hello(Hello { software, side: Side::Client(client), .. }) => {
                match unsupported(scene, &client) {
                    Some(reason) => Err(Ending::Unsupported(reason)),
                    None => Ok((software.as_str().to_owned(), client)),
                }
            }
            Message::Hello(_) => Err(Ending::Unsupported("the peer is a server, too".into())),
            _ => Err(Ending::Violation("the first message was not a hello".into())),
        }
    }

    /// Frames out, answers in, until one side has enough; says why.
    async fn run(&mut self, filming: Filming, target: u64) -> Ending {
        let (pixels, to_send) = mpsc::channel(QUEUED);
        let filming = match filming.start(Arc::clone(self.book), pixels) {
            Ok(filming) => filming,
            Err(e) => return Ending::Failed(format!("cannot start the filming thread: {e}")),
        };
        let mut filming = pin!(filming);
        let pump = tokio::spawn(pump(Arc::clone(self.sender), to_send));
        let mut filmed = false;
        let ending = loop {
            self.publish(target, false);
            if filmed && self.book.with(|ledger| ledger.counts().in_flight()) == 0 {
                break Ending::Completed;
            }
            let wake = self.next_wake();
            tokio::select! {
                biased;
                () = self.stop.cancelled() => break Ending::Interrupted,
                result = &mut filming, if !filmed => {
                    filmed = true;
                    match result {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => break film_failed(&error),
                        Err(_) => break Ending::Failed("the scene panicked".into()),
                    }
                }
                message = self.messages.recv() => {
                    if let Err(ending) = self.take(message) {
                        break ending.or_last_word(self.link).await;
                    }
                }
                gone = self.link.ended() => break self.after_link(gone).await,
                () = sleep_until(wake) => self.expire(),
            }
        };
        self.book.stop();
        pump.abort();
        self.publish(target, true);
        ending
    }

    /// Says goodbye and takes what the client still answers; how it really ended.
    async fn part(&mut self, ending: Ending) -> Ending {
        if matches!(ending, Ending::PeerLost(_)) {
            return ending;
        }
        let bye = Message::Bye(ending.goodbye());
        if !matches!(timeout(GOODBYE, say(&**self.sender, &bye)).await, Ok(Ok(()))) {
            return ending;
        }
        let until = Instant::now() + LAST_ANSWERS;
        while ending.is_orderly() && !self.heard_bye {
            let Ok(message) = tokio::time::timeout_at(until, self.messages.recv()).await else {
                debug!("the client did not say goodbye");
                break;
            };
            if self.take(message).is_err() {
                break;
            }
        }
        ending
    }

    /// When something has to be looked at even if nothing arrives.
    fn next_wake(&self) -> Instant {
        let tick = Instant::now() + TICK;
        let deadline = self.book.with(|ledger| ledger.next_deadline());
        deadline.map_or(tick, |d| tick.min(Instant::from_std(self.book.instant(d))))
    }

    fn expire(&mut self) {
        let now = self.book.now();
        self.expired += self.book.with(|ledger| ledger.expire(now)) as u64;
        // A detector that hangs lets every frame expire; one line a second says so.
        if self.expired > 0 && self.warned.is_none_or(|at| at.elapsed() >= WARNINGS) {
            warn!("{} frame(s) without an answer in time", self.expired);
            (self.expired, self.warned) = (0, Some(Instant::now()));
        }
    }

    fn take(&mut self, message: Option<Incoming>) -> Result<(), Ending> {
        match message.unwrap_or_else(|| Err(closed()))? {
            Message::Bye(bye) => {
                debug!("the client says goodbye: {bye:?}");
                self.heard_bye = true;
                // A client that has had enough before we are done has left.
                Err(match Ending::from_peer(bye) {
                    Ending::Completed => Ending::Interrupted,
                    other => other,
                })
            }
            Message::Answer(answer) => {
                let (id, now) = (answer.id, self.book.now());
                let verdict = self.book.with(|ledger| ledger.answer(answer, now));
                if verdict != Verdict::Accepted {
                    debug!("answer to frame {id}: {verdict:?}");
                }
                Ok(())
            }
            _ => Err(Ending::Violation(
                "a message that only a server sends, or a second hello".into(),
            )),
        }
    }

    /// The signaling connection has ended: what is still on the data channel
    /// decides whether that was a goodbye.
    async fn after_link(&mut self, gone: LinkEnd) -> Ending {
        let until = Instant::now() + GRACE;
        while let Ok(message) = tokio::time::timeout_at(until, self.messages.recv()).await {
            match self.take(message) {
                Ok(()) => {}
                Err(Ending::PeerLost(_)) => break,
                Err(ending) => return ending,
            }
        }
        Ending::from_link(gone)
    }

    fn publish(&mut self, target: u64, force: bool) {
        let mut rows: Vec<Row> = Vec::new();
        self.book.with(|ledger| ledger.drain_ready(&mut rows));
        self.outputs.rows(&rows, self.book.now());
        let book = self.book;
        self.outputs.refresh(force, || {
            let now = book.now();
            book.with(|ledger| ledger.progress(now, target))
        });
    }
}

fn closed() -> Ending {
    Ending::PeerLost("the channel closed".into())
}

/// Why the client cannot take the frames of this scene, if it cannot.
fn unsupported(scene: &SceneInfo, client: &ClientInfo) -> Option<String> {
    let format = PixelFormat::from_code(scene.format)?;
    if !client.formats.contains(&scene.format) {
        return Some(format!("the client does not take {format} frames"));
    }
    let bytes = u64::from(scene.width) * u64::from(scene.height) * format.bytes_per_pixel() as u64;
    (bytes > client.max_frame_bytes).then(|| {
        format!("frames have {bytes} bytes and the client takes {}", client.max_frame_bytes)
    })
}

fn film_failed(error: &FilmingError) -> Ending {
    match error {
        FilmingError::Wire(WireError::MessageLimit(limit)) => Ending::Unsupported(format!(
            "the peer takes messages of {limit} bytes at most, which is too small for frames"
        )),
        other => Ending::Failed(format!("filming failed: {other}")),
    }
}
