//! The server's life: one session after another until it is told to end.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use plumbline_plugin_api::PixelFormat;

use super::{
    SOFTWARE,
    ending::Ending,
    files::Files,
    filming::Filming,
    outputs::Outputs,
    serving::{Plan, Served, serve},
    showing::{MakeDisplay, Showing},
};
use crate::{
    config::{Config, ConfigError, Loaded},
    report::{self, Exit, FourColumns, Run, Summary},
    scene::{Scene, pacer::Pacer},
    score::{Ledger, LedgerConfig},
    signaling::{Connected, Listener},
    wire::SceneInfo,
};

/// How long a display may take to end.
const CLOSE_DISPLAY: Duration = Duration::from_millis(300);

/// What a server needs; made and checked before anything is started.
pub struct ServerSettings {
    config: Config,
    display: MakeDisplay,
    columns: bool,
    summary: Option<PathBuf>,
    records: Option<PathBuf>,
    single: bool,
}

impl ServerSettings {
    /// Settings without output files. The scene is made once to see that it can be.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a scene that cannot be filmed.
    pub fn new(loaded: &Loaded, display: MakeDisplay) -> Result<Self, ConfigError> {
        let config = loaded.config.clone();
        if let Err(e) = Scene::new(&config.scene) {
            return Err(loaded.error(&format!("scene.{}", e.key), e.message, "here"));
        }
        Ok(Self { config, display, columns: false, summary: None, records: None, single: false })
    }

    /// Whether the four columns go to standard output.
    #[must_use]
    pub fn with_columns(mut self, columns: bool) -> Self {
        self.columns = columns;
        self
    }

    /// Where the summary of the latest session is written.
    #[must_use]
    pub fn with_summary(mut self, file: Option<PathBuf>) -> Self {
        self.summary = file;
        self
    }

    /// Where the rows of the latest session are written.
    #[must_use]
    pub fn with_records(mut self, file: Option<PathBuf>) -> Self {
        self.records = file;
        self
    }

    /// The server ends after its first session, however that ended.
    #[must_use]
    pub fn single(mut self) -> Self {
        self.single = true;
        self
    }
}

/// Serves until `stop` is cancelled, the frames of a session are complete, or
/// (with [`ServerSettings::single`]) the first session is over; says how the
/// last one ended. `listening` is called once clients can connect.
///
/// # Errors
///
/// When the display or the listener cannot be made, `listening` fails, or an
/// output file cannot be written.
pub async fn run(
    settings: ServerSettings,
    stop: CancellationToken,
    listening: impl FnOnce(SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<Ending> {
    let ServerSettings { config, display, columns, summary, records, single } = settings;
    let showing = Showing::start(&config.server.display, display, stop.clone())?;
    let mut listener = Listener::bind(&config.signaling, &config.transport).await?;
    listening(listener.local_addr())?;
    let mut sessions = 0;
    let mut files = Files::new(summary, records, columns);
    let ending = loop {
        let connected = tokio::select! {
            connected = listener.accept() => connected,
            () = stop.cancelled() => break Ending::Interrupted,
        };
        sessions += 1;
        let Connected { channel, mut link, peer_addr } = connected;
        info!("session {sessions}: client {peer_addr}");
        let plan = plan(&config, channel.sender.max_message())?;
        let columns = columns.then(|| FourColumns::new(std::io::stdout()));
        let mut outputs = Outputs::new(files.records(sessions), columns, &showing);
        let served = serve(channel, &mut link, plan, &mut outputs, &stop).await;
        link.close(served.ending.reason().as_deref()).await;
        // What a display does to the terminal must be over before the summary is printed.
        showing.end_session(CLOSE_DISPLAY);
        files.note_failure(outputs.failure());
        files.report(&summary_of(&config, sessions, Some(peer_addr), &served));
        let ending = served.ending;
        match &ending {
            ending if ending.is_orderly() => info!("session {sessions}: {ending}"),
            ending => warn!("session {sessions}: {ending}"),
        }
        let complete = ending == Ending::Completed && config.server.frames > 0;
        if single || complete || stop.is_cancelled() {
            break ending;
        }
    };
    if sessions == 0 {
        files.write(&nothing_served(&config)?);
    }
    showing.close(CLOSE_DISPLAY);
    files.result().map(|()| ending)
}

fn plan(config: &Config, max_message: usize) -> anyhow::Result<Plan> {
    let scene = Scene::new(&config.scene)?;
    let frame = scene.frame();
    let info = SceneInfo {
        width: frame.width(),
        height: frame.height(),
        format: frame.format().code(),
        fps: config.scene.fps,
        seed: config.scene.seed,
        frames: config.server.frames,
    };
    let filming = Filming {
        pacer: Pacer::new(config.scene.fps),
        frames: config.server.frames,
        max_in_flight: config.server.max_in_flight.into(),
        when_full: config.server.when_full,
        max_message,
        scene,
    };
    let answer_timeout = Duration::from_millis(config.scoring.timeout_ms.into());
    Ok(Plan { filming, scene: info, answer_timeout })
}

/// The summary of a server that nobody came to.
fn nothing_served(config: &Config) -> anyhow::Result<Summary> {
    let served = Served {
        ending: Ending::Interrupted,
        scene: plan(config, usize::MAX)?.scene,
        client: None,
        client_software: None,
        ledger: Ledger::new(LedgerConfig::default()),
        elapsed: Duration::ZERO,
    };
    Ok(summary_of(config, 0, None, &served))
}

fn summary_of(
    config: &Config,
    session: u64,
    client: Option<SocketAddr>,
    served: &Served,
) -> Summary {
    let format = PixelFormat::from_code(served.scene.format).map_or("unknown", PixelFormat::name);
    let run = Run {
        session,
        seed: config.scene.seed,
        detector: served.client.as_ref().map(|c| c.detector.to_string()).unwrap_or_default(),
        server_software: SOFTWARE.to_owned(),
        client_software: served.client_software.clone().unwrap_or_default(),
        client_address: client.map(|c| c.to_string()),
        scene: report::Scene {
            width: served.scene.width,
            height: served.scene.height,
            format: format.to_owned(),
            fps: served.scene.fps,
        },
    };
    let exit = match &served.ending {
        Ending::Completed => Exit::Completed,
        Ending::Interrupted => Exit::Interrupted,
        Ending::PeerLost(_) => Exit::PeerLost,
        Ending::Unsupported(_) | Ending::Violation(_) | Ending::Failed(_) => Exit::Failed,
    };
    let reason = served.ending.reason();
    Summary::new(run, &served.ledger, served.elapsed, exit, reason)
}
