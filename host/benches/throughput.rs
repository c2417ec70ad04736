//! Throughput over loopback: our transport between two processes, beside other
//! implementations in the same run.
//!
//! `host/benches/peers/run.sh` installs the others and calls this. Every pair is
//! two processes; the offering one sends `--bytes` in messages of `--message`
//! bytes over one reliable, ordered data channel and stops the clock when the
//! other one has confirmed that all of them arrived.

use std::{
    error::Error,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use clap::Parser;
use plumbline_host::{
    signaling::{Connected, Listener, SignalingConfig, connect},
    transport::TransportConfig,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What the receiving side says when it has everything.
const DONE: &[u8] = b"done";

const MIB: f64 = 1024.0 * 1024.0;

#[derive(Debug, Parser)]
struct Arguments {
    /// Bytes to send.
    #[arg(long, default_value_t = 256 << 20)]
    bytes: u64,
    /// Bytes of one message.
    #[arg(long, default_value_t = 65_536)]
    message: usize,
    /// How often each pair is measured, in turn; the table shows the median.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Measure another pair too: NAME=COMMAND, or NAME/N=COMMAND for one that is
    /// so slow that an N-th of the bytes tells its rate. The command is called
    /// with `offer BYTES MESSAGE`, prints `listening PORT` and at the end `seconds S`;
    /// a second one is called with `answer BYTES MESSAGE PORT`.
    #[arg(long = "peer")]
    peers: Vec<String>,
    /// The least ratios that ours must reach: NAME=RATIO.
    #[arg(long = "require")]
    required: Vec<String>,
    /// `[transport]` in JSON.
    #[arg(long, default_value = "{}")]
    transport: String,
    /// Be one side of a pair: offer or answer.
    #[arg(long, hide = true)]
    role: Option<String>,
    /// The offering side's port.
    #[arg(long, hide = true, default_value_t = 0)]
    port: u16,
    // `cargo bench` passes it.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    match arguments.role.as_deref() {
        None => compare(&arguments),
        Some(role) => {
            let tokio = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()?;
            tokio.block_on(side(role, &arguments))
        }
    }
}

async fn side(role: &str, arguments: &Arguments) -> Outcome<()> {
    let transport: TransportConfig = serde_json::from_str(&arguments.transport)?;
    if role == "offer" {
        let signaling =
            SignalingConfig { listen: "127.0.0.1:0".into(), ..SignalingConfig::default() };
        let mut listener = Listener::bind(&signaling, &transport).await?;
        println!("listening {}", listener.local_addr().port());
        let seconds = send(listener.accept().await, arguments).await?;
        println!("seconds {seconds}");
    } else {
        let signaling = SignalingConfig {
            connect: format!("127.0.0.1:{}", arguments.port),
            ..SignalingConfig::default()
        };
        receive(connect(&signaling, &transport).await?, arguments).await?;
    }
    Ok(())
}

async fn send(mut connected: Connected, arguments: &Arguments) -> Outcome<f64> {
    let sender = &connected.channel.sender;
    let payload = Bytes::from(vec![0x5A; arguments.message.min(sender.max_message())]);
    let begun = Instant::now();
    let mut left = arguments.bytes;
    while left > 0 {
        // A message of its own each time, as frames are.
        let size = left.min(payload.len() as u64);
        sender.send(Bytes::copy_from_slice(&payload[..size as usize])).await?;
        left -= size;
    }
    let answer = connected.channel.receiver.recv().await?;
    let seconds = begun.elapsed().as_secs_f64();
    if answer != DONE {
        return Err(format!("the receiver said {answer:?}").into());
    }
    let stats = sender.stats().await;
    eprintln!("  cipher {}, path {:?}", stats.cipher.unwrap_or_default(), stats.path);
    sender.close(Duration::from_secs(5)).await;
    connected.link.close(None).await;
    Ok(seconds)
}

async fn receive(mut connected: Connected, arguments: &Arguments) -> Outcome<()> {
    let mut received = 0;
    while received < arguments.bytes {
        received += connected.channel.receiver.recv().await?.len() as u64;
    }
    connected.channel.sender.send(Bytes::from_static(DONE)).await?;
    connected.link.ended().await;
    Ok(())
}

fn compare(arguments: &Arguments) -> Outcome<()> {
    let ours = std::env::current_exe()?.display().to_string();
    let mut pairs =
        vec![Pair { name: "plumbline".into(), command: vec![ours], bytes: arguments.bytes }];
    for peer in &arguments.peers {
        let (name, command) = peer.split_once('=').ok_or("--peer takes NAME[/N]=COMMAND")?;
        let (name, part) = name.split_once('/').unwrap_or((name, "1"));
        pairs.push(Pair {
            name: name.to_owned(),
            command: command.split(' ').map(str::to_owned).collect(),
            bytes: arguments.bytes / part.parse::<std::num::NonZeroU64>()?,
        });
    }
    // Ours and libdatachannel's pair each fill two cores, so other work shows.
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut measured = vec![Vec::new(); pairs.len()];
    // Round by round, so that what else the machine does hits all alike.
    for round in 1..=arguments.rounds {
        for (pair @ Pair { name, .. }, rates) in pairs.iter().zip(&mut measured) {
            let rate = pair.bytes as f64 / MIB / run(pair, arguments)?;
            eprintln!("round {round}: {name} {rate:.1} MiB/s");
            rates.push(rate);
        }
    }
    let medians: Vec<f64> = measured.iter().map(|rates| median(rates)).collect();
    println!(
        "messages of {} bytes, {} rounds, load {} before",
        arguments.message,
        arguments.rounds,
        load.split(' ').next().unwrap_or("unknown")
    );
    println!(
        "{:<16} {:>8} {:>8} {:>8} {:>8} {:>10}",
        "MiB/s", "MiB", "median", "min", "max", "plumbline"
    );
    for ((Pair { name, bytes, .. }, rates), middle) in pairs.iter().zip(&measured).zip(&medians) {
        let least = rates.iter().copied().fold(f64::INFINITY, f64::min);
        let most = rates.iter().copied().fold(0.0, f64::max);
        let ratio = medians[0] / middle;
        let mib = bytes / (1 << 20);
        println!("{name:<16} {mib:>8} {middle:>8.1} {least:>8.1} {most:>8.1} {ratio:>9.1}x");
    }
    for required in &arguments.required {
        let (name, least) = required.split_once('=').ok_or("--require takes NAME=RATIO")?;
        let at = pairs.iter().position(|pair| pair.name == name);
        let ratio = medians[0] / medians[at.ok_or("--require names an unknown pair")?];
        if ratio < least.parse()? {
            return Err(format!("{ratio:.1} times {name}, required are {least}").into());
        }
    }
    Ok(())
}

/// Two processes that are measured.
struct Pair {
    name: String,
    command: Vec<String>,
    bytes: u64,
}

/// Seconds that one pair took.
fn run(pair: &Pair, arguments: &Arguments) -> Outcome<f64> {
    let command = &pair.command;
    let mut offering = Process(side_of(pair, arguments, "offer", "0").spawn()?);
    let lines = offering.0.stdout.take().ok_or("no output")?;
    let mut lines = BufReader::new(lines).lines();
    let mut value = |key: &str| -> Outcome<String> {
        for line in lines.by_ref() {
            if let Some(value) = line?.strip_prefix(key) {
                return Ok(value.trim().to_owned());
            }
        }
        Err(format!("{} ended without `{key}`", command.join(" ")).into())
    };
    let port = value("listening")?;
    let _answering = Process(side_of(pair, arguments, "answer", &port).spawn()?);
    Ok(value("seconds")?.parse()?)
}

fn side_of(pair: &Pair, arguments: &Arguments, role: &str, port: &str) -> Command {
    let command = &pair.command;
    let (bytes, message) = (pair.bytes.to_string(), arguments.message.to_string());
    let mut side = Command::new(&command[0]);
    side.args(&command[1..]).stdout(Stdio::piped());
    if command.len() == 1 {
        side.args(["--role", role, "--port", port, "--bytes", &bytes, "--message", &message]);
        side.args(["--transport", &arguments.transport]);
    } else {
        side.args([role, &bytes, &message, port]);
    }
    side
}

/// A process that ends with us.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn median(rates: &[f64]) -> f64 {
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
