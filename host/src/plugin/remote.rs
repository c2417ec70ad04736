//! A detector in a process of its own: frames go in, answers come out. What ends that
//! process or keeps it busy for too long is a fault of one frame.
//!
//! A request is a bincode header on the process's standard input, followed by the frame's
//! bytes; an answer is a line of JSON on its standard output.

use std::{
    ffi::OsStr,
    io::{BufReader, Read, Write},
    path::{Path, PathBuf},
    process::ChildStdin,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use plumbline_plugin_api::{
    Covariance, Detection, Detections, Frame, PixelFormat, PluginError, abi::DetectorBox,
};
use serde::{Deserialize, Serialize};

use super::{
    FaultCause, Plugin, Role, probe,
    worker::{self, Event, Worker},
};

/// How long a frame, or making an instance, may take unless one is told otherwise.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Bytes that may be under way to a process.
const PIPE: usize = 1 << 20;

#[derive(Serialize, Deserialize)]
enum Request {
    /// Make an instance with this configuration, instead of the one that there was.
    New { config: String },
    /// Let the instance forget the frames before.
    Reset,
    /// Look at the frame whose bytes follow.
    Frame {
        id: u64,
        captured_ns: u64,
        width: u32,
        height: u32,
        stride: u64,
        format: u32,
        bytes: u64,
    },
}

#[derive(Serialize, Deserialize)]
enum Answer {
    Done,
    Found { nanoseconds: u64, detections: Vec<Bits> },
    Failed(FaultCause),
}

/// A detection as the bits of its numbers, which are the same afterwards.
#[derive(Serialize, Deserialize)]
struct Bits {
    place: [u64; 4],
    covariance: Option<[u64; 6]>,
}

impl From<&Detection> for Bits {
    fn from(d: &Detection) -> Self {
        let place = [d.x, d.y, d.radius, d.score].map(f64::to_bits);
        let upper = |c: Covariance| [c.xx, c.xy, c.xr, c.yy, c.yr, c.rr].map(f64::to_bits);
        Self { place, covariance: d.covariance.into_option().map(upper) }
    }
}

impl From<&Bits> for Detection {
    fn from(bits: &Bits) -> Self {
        let [x, y, radius, score] = bits.place.map(f64::from_bits);
        let detection = Self::new(x, y, radius, score);
        match bits.covariance.map(|c| c.map(f64::from_bits)) {
            Some([xx, xy, xr, yy, yr, rr]) => {
                detection.with_covariance(Covariance { xx, xy, xr, yy, yr, rr })
            }
            None => detection,
        }
    }
}

/// Processes of one plugin that wait for something to do.
#[derive(Clone)]
pub struct Pool {
    path: PathBuf,
    limit: Duration,
    idle: Arc<Mutex<Vec<Process>>>,
}

impl Pool {
    /// A pool without processes yet, of the library at `path`. A frame, and making an
    /// instance, may take as long as `limit`.
    pub fn new(path: &Path, limit: Duration) -> Self {
        Self { path: path.to_owned(), limit, idle: Arc::default() }
    }

    /// Makes an instance in a process that waits, or in a new one.
    pub(super) fn instance(&self, config: &str) -> Result<Remote, FaultCause> {
        while let Some(waiting) = self.idle.lock().ok().and_then(|mut idle| idle.pop()) {
            match self.make(waiting, config) {
                // What went wrong with it while it waited says nothing about a new one.
                Err(FaultCause::Died(_)) => {}
                made => return made,
            }
        }
        let process = Process::start(&self.path)
            .map_err(|e| FaultCause::Failed(format!("its process does not start: {e}")))?;
        self.make(process, config)
    }

    fn make(&self, process: Process, config: &str) -> Result<Remote, FaultCause> {
        let mut remote = Remote { pool: self.clone(), process: Some(process) };
        match remote.ask(&Request::New { config: config.to_owned() }, &[])? {
            Answer::Failed(cause) => Err(cause),
            _ => Ok(remote),
        }
    }
}

struct Process {
    worker: Worker,
    requests: ChildStdin,
}

impl Process {
    fn start(path: &Path) -> std::io::Result<Self> {
        let arguments = [OsStr::new(probe::VERB), OsStr::new("serve"), path.as_os_str()];
        let (worker, requests) = Worker::start_fed(arguments)?;
        // So that a frame goes over in one piece; a smaller pipe is only slower.
        let _ = rustix::pipe::fcntl_setpipe_size(&requests, PIPE);
        Ok(Self { worker, requests })
    }
}

/// An instance in a process, which goes back to its pool afterwards.
pub(super) struct Remote {
    pool: Pool,
    /// `None` after it died.
    process: Option<Process>,
}

impl Drop for Remote {
    fn drop(&mut self) {
        if let (Some(process), Ok(mut idle)) = (self.process.take(), self.pool.idle.lock()) {
            idle.push(process);
        }
    }
}

impl Remote {
    /// As of a detector in this process; also returns how long it took over there.
    pub(super) fn detect(
        &mut self,
        frame: &Frame<'_>,
        found: &mut Detections,
    ) -> Result<Duration, FaultCause> {
        let data = frame.data();
        let request = Request::Frame {
            id: frame.id(),
            captured_ns: frame.captured_ns(),
            width: frame.width(),
            height: frame.height(),
            stride: frame.stride() as u64,
            format: frame.format().code(),
            bytes: data.len() as u64,
        };
        match self.ask(&request, data)? {
            Answer::Found { nanoseconds, detections } => {
                for detection in &detections {
                    found.push(detection.into());
                }
                Ok(Duration::from_nanos(nanoseconds))
            }
            Answer::Failed(cause) => Err(cause),
            Answer::Done => Err(FaultCause::Failed("an answer that makes no sense".into())),
        }
    }

    /// As of a detector in this process.
    pub(super) fn reset(&mut self) -> Result<(), FaultCause> {
        match self.ask(&Request::Reset, &[])? {
            Answer::Failed(cause) => Err(cause),
            _ => Ok(()),
        }
    }

    /// Sends a request with the bytes that belong to it and waits for the answer.
    fn ask(&mut self, request: &Request, data: &[u8]) -> Result<Answer, FaultCause> {
        let Some(Process { worker, requests }) = &mut self.process else {
            return Err(FaultCause::Died("its process is gone".into()));
        };
        // A process that is gone says why below.
        let config = bincode::config::standard();
        if let Ok(header) = bincode::serde::encode_to_vec(request, config) {
            let _ = requests.write_all(&header).and_then(|()| requests.write_all(data));
        }
        let how = match worker.next(self.pool.limit) {
            Event::Line(line) => match serde_json::from_str(&line) {
                Ok(answer) => return Ok(answer),
                Err(_) => format!("its process gave an answer that makes no sense: {line:.80}"),
            },
            Event::Ended(how) => how,
            Event::Hung => {
                format!("it did not come back within {} s", self.pool.limit.as_secs_f64())
            }
        };
        self.process = None;
        Err(FaultCause::Died(how))
    }
}

/// The process's side: opens the library at `path` and does what it is asked until there
/// is nobody who asks.
///
/// # Errors
///
/// When the answers cannot be written.
pub fn answer(path: &Path) -> std::io::Result<()> {
    let mut answers = worker::enter()?;
    let plugin = Plugin::open(path);
    let mut requests = BufReader::new(std::io::stdin().lock());
    let mut instance = None;
    let mut data = Vec::new();
    let config = bincode::config::standard();
    while let Ok(request) = bincode::serde::decode_from_std_read(&mut requests, config) {
        let result = match request {
            Request::New { config } => {
                instance = None;
                let made = match &plugin {
                    Ok(plugin) => plugin.instance(&config, Role::Tool),
                    Err(error) => Err(PluginError::failed(error.to_string())),
                };
                made.map(|made| {
                    instance = Some(made);
                    Answer::Done
                })
            }
            Request::Reset => match &mut instance {
                Some(instance) => instance.reset().into_result().map(|()| Answer::Done),
                None => Ok(Answer::Done),
            },
            Request::Frame { id, captured_ns, width, height, stride, format, bytes } => {
                data.resize(bytes as usize, 0);
                requests.read_exact(&mut data)?;
                PixelFormat::from_code(format)
                    .ok_or_else(|| PluginError::failed("a pixel format that is not known"))
                    .and_then(|format| {
                        Frame::new(&data, width, height, stride as usize, format)
                            .map_err(|e| PluginError::failed(e.to_string()))
                    })
                    .map(|frame| frame.with_id(id).with_captured_ns(captured_ns))
                    .and_then(|frame| look(instance.as_mut(), &frame))
            }
        };
        let answer = result.unwrap_or_else(|error| Answer::Failed(FaultCause::of(&error)));
        writeln!(answers, "{}", serde_json::to_string(&answer)?)?;
    }
    Ok(())
}

fn look(instance: Option<&mut DetectorBox>, frame: &Frame<'_>) -> Result<Answer, PluginError> {
    let instance = instance.ok_or_else(|| PluginError::failed("there is no instance"))?;
    let mut found = Detections::new();
    let start = Instant::now();
    instance.detect(*frame, &mut found).into_result()?;
    let nanoseconds = start.elapsed().as_nanos() as u64;
    Ok(Answer::Found { nanoseconds, detections: found.iter().map(Bits::from).collect() })
}
