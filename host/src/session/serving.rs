//! One session, seen from the server: hello, frames out, answers in, goodbye.

use std::{pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use plumbline_plugin_api::PixelFormat;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

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
    wire::{self, Bye, ClientInfo, Hello, Message, SceneInfo, Side, WireError},
};

/// How long the peer may take to say hello.
const HELLO: Duration = Duration::from_secs(10);
/// How long the last answers may take after a user ended the session.
const LAST_ANSWERS: Duration = Duration::from_millis(400);
/// How long the goodbye may take to arrive.
const GOODBYE: Duration = Duration::from_millis(300);
/// How long an end of the signaling connection may precede the goodbye on the
/// data channel, which travels on another way.
const GRACE: Duration = Duration::from_millis(500);
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
    plan: Plan,
    outputs: &mut Outputs<'_>,
    stop: &CancellationToken,
) -> Served {
    let Channel { sender, receiver } = channel;
    let (incoming, mut messages) = mpsc::channel(QUEUED);
    let reader = tokio::spawn(read(receiver, incoming));
    let capacity = (plan.filming.max_in_flight as usize * 4).max(4096);
    let config = LedgerConfig { timeout: plan.answer_timeout, capacity };
    let book = Arc::new(Scorebook::new(Ledger::new(config)));

    let scene = plan.scene;
    let mut client = None;
    let mut ending = tokio::select! {
        greeted = greet(&*sender, &mut messages, &plan) => match greeted {
            Ok(hello) => {
                client = Some(hello);
                None
            }
            Err(ending) => Some(ending),
        },
        () = stop.cancelled() => Some(Ending::Interrupted),
        gone = link.ended() => Some(Ending::PeerLost(format!("before its hello: {gone}"))),
    };
    if ending.is_none() {
        let mut session = Session { sender: &sender, messages, link, book: &book, outputs, stop };
        ending = Some(session.run(plan).await);
    }
    let ending = ending.unwrap_or(Ending::Completed);
    let _ = timeout(GOODBYE, send(&*sender, &Message::Bye(ending.goodbye()))).await;
    sender.close(GOODBYE).await;
    reader.abort();

    let elapsed = book.now();
    let mut rows = Vec::new();
    book.with(|ledger| {
        ledger.finish();
        ledger.drain_ready(&mut rows);
    });
    outputs.rows(&rows, elapsed);
    outputs.refresh(true, || book.with(|ledger| ledger.progress(elapsed, 0)));
    let (software, info) = client.unzip();
    let ledger = book.with(|ledger| std::mem::replace(ledger, Ledger::new(config)));
    Served { ending, scene, client: info, client_software: software, ledger, elapsed }
}

/// Decodes what comes in, so that the channel is always drained.
async fn read(mut receiver: Box<dyn Receiver>, to: mpsc::Sender<Result<Message, Ending>>) {
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

async fn send(sender: &dyn Sender, message: &Message) -> Result<(), Ending> {
    let bytes = wire::encode(message, sender.max_message())
        .map_err(|e| Ending::Failed(format!("cannot encode a message: {e}")))?;
    sender.send(bytes).await.map_err(Ending::from)
}

/// The exchange of hellos; what the client said of itself.
async fn greet(
    sender: &dyn Sender,
    messages: &mut mpsc::Receiver<Result<Message, Ending>>,
    plan: &Plan,
) -> Result<(String, ClientInfo), Ending> {
    let hello = Hello::new(SOFTWARE, Side::Server(plan.scene));
    send(sender, &Message::Hello(hello)).await?;
    let Ok(first) = timeout(HELLO, messages.recv()).await else {
        return Err(Ending::Failed(format!("the peer said no hello within {HELLO:?}")));
    };
    let refuse = async |bye: Bye, reason: String| {
        let _ = send(sender, &Message::Bye(bye)).await;
        Err(Ending::Failed(reason))
    };
    match first {
        None => Err(Ending::PeerLost("the channel closed before a hello".into())),
        Some(Err(ending)) => Err(ending),
        Some(Ok(Message::Bye(bye))) => Err(Ending::from_peer(bye)),
        Some(Ok(Message::Hello(Hello { software, side: Side::Client(client), .. }))) => {
            match unsupported(&plan.scene, &client) {
                Some(reason) => {
                    refuse(Bye::Unsupported(reason.as_str().into()), reason.clone()).await
                }
                None => Ok((software.as_str().to_owned(), client)),
            }
        }
        Some(Ok(Message::Hello(_))) => {
            let reason = "the peer is a server too";
            refuse(Bye::Unsupported(reason.into()), reason.into()).await
        }
        Some(Ok(_)) => {
            let reason = "the first message was not a hello";
            refuse(Bye::Violation(reason.into()), format!("the peer broke the protocol: {reason}"))
                .await
        }
    }
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

struct Session<'a, 'b> {
    sender: &'a Arc<dyn Sender>,
    messages: mpsc::Receiver<Result<Message, Ending>>,
    link: &'a mut SignalingLink,
    book: &'a Arc<Scorebook>,
    outputs: &'a mut Outputs<'b>,
    stop: &'a CancellationToken,
}

impl Session<'_, '_> {
    async fn run(&mut self, plan: Plan) -> Ending {
        let target = plan.filming.frames;
        let (pixels, to_send) = mpsc::channel(QUEUED);
        let filming = match plan.filming.start(Arc::clone(self.book), pixels) {
            Ok(filming) => filming,
            Err(e) => return Ending::Failed(format!("cannot start the filming thread: {e}")),
        };
        let mut filming = pin!(filming);
        let pump = tokio::spawn(pump(Arc::clone(self.sender), to_send));
        let mut filmed = false;
        let mut finish_by: Option<Instant> = None;
        let mut ending: Option<Ending> = None;
        let ending = loop {
            self.publish(target, false);
            let in_flight = self.book.with(|ledger| ledger.counts().in_flight());
            if let Some(ending) = &ending
                && (in_flight == 0 && filmed
                    || !matches!(ending, Ending::Completed | Ending::Interrupted))
            {
                break ending.clone();
            }
            let wake = self.next_wake(finish_by);
            tokio::select! {
                biased;
                () = self.stop.cancelled(), if ending.is_none() || finish_by.is_none() => {
                    self.book.stop();
                    ending = Some(Ending::Interrupted);
                    finish_by = Some(Instant::now() + LAST_ANSWERS);
                }
                result = &mut filming, if !filmed => {
                    filmed = true;
                    match result {
                        Ok(Ok(())) => { ending.get_or_insert(Ending::Completed); }
                        Ok(Err(error)) => ending = Some(film_failed(&error)),
                        Err(_) => ending = Some(Ending::Failed("the scene panicked".into())),
                    }
                }
                message = self.messages.recv() => match self.take(message) {
                    Ok(()) => {}
                    Err(end) => ending = Some(end),
                },
                gone = self.link.ended() => {
                    break self.after_link(gone, ending).await;
                }
                () = sleep_until(wake) => {
                    let now = self.book.now();
                    let expired = self.book.with(|ledger| ledger.expire(now));
                    if expired > 0 {
                        warn!("{expired} frame(s) without an answer in time");
                    }
                    if finish_by.is_some_and(|by| by <= Instant::now()) {
                        break Ending::Interrupted;
                    }
                }
            }
        };
        self.book.stop();
        pump.abort();
        self.publish(target, true);
        ending
    }

    /// When something has to be looked at even if nothing arrives.
    fn next_wake(&self, finish_by: Option<Instant>) -> Instant {
        let tick = Instant::now() + Duration::from_millis(250);
        let deadline = self.book.with(|ledger| ledger.next_deadline());
        let deadline = deadline.map(|d| Instant::from_std(self.book.instant(d)));
        [finish_by, deadline].into_iter().flatten().fold(tick, Instant::min)
    }

    fn take(&mut self, message: Option<Result<Message, Ending>>) -> Result<(), Ending> {
        match message {
            None => Err(Ending::PeerLost("the channel closed".into())),
            Some(Err(ending)) => Err(ending),
            Some(Ok(Message::Bye(bye))) => {
                debug!("the client says goodbye: {bye:?}");
                // A client that has nothing more to do before we are done left.
                Err(match Ending::from_peer(bye) {
                    Ending::Completed => Ending::Interrupted,
                    other => other,
                })
            }
            Some(Ok(Message::Answer(answer))) => {
                let (id, now) = (answer.id, self.book.now());
                let verdict = self.book.with(|ledger| ledger.answer(answer, now));
                if verdict != Verdict::Accepted {
                    debug!("answer to frame {id}: {verdict:?}");
                }
                Ok(())
            }
            Some(Ok(_)) => {
                Err(Ending::Failed("the client sent a message that only a server sends".into()))
            }
        }
    }

    /// The signaling connection has ended: what is still on the data channel
    /// decides whether that was a goodbye.
    async fn after_link(&mut self, gone: LinkEnd, before: Option<Ending>) -> Ending {
        let until = Instant::now() + GRACE;
        while let Ok(message) = tokio::time::timeout_at(until, self.messages.recv()).await {
            match self.take(message) {
                Ok(()) => {}
                Err(Ending::PeerLost(_)) => break,
                Err(ending) => return ending,
            }
        }
        info!("the signaling connection ended: {gone}");
        match before {
            Some(ending) => ending,
            None if matches!(gone, LinkEnd::Bye(_)) => Ending::Interrupted,
            None => Ending::PeerLost(gone.to_string()),
        }
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

fn film_failed(error: &FilmingError) -> Ending {
    match error {
        FilmingError::Wire(WireError::MessageLimit(limit)) => Ending::Failed(format!(
            "the peer takes messages of {limit} bytes at most, which is too small for frames"
        )),
        other => Ending::Failed(format!("filming failed: {other}")),
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
