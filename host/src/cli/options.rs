//! Options of `--role` and `demo`, and what they set in the configuration.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{config::Override, report::RecordFormat};

/// Which side of a session to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Films, sends and scores.
    Server,
    /// Shows, detects and answers.
    Client,
}

impl Role {
    /// `server` or `client`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

/// Arguments that do not go together.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Options that win over the configuration file.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct RunOptions {
    /// Show nothing; the server prints actual centre, estimated centre, error and
    /// cumulative error of every frame to standard output
    #[arg(long)]
    pub no_graphics: bool,
    /// Stop after N frames; 0 = no end
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub frames: Option<u64>,
    /// Frames per second; 0 = as fast as the pipeline goes
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub fps: Option<f64>,
    /// Seed of the scene: the same seed gives the same frames
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Detector plugin of the client; settings may follow
    #[arg(long, value_name = "NAME|PATH[:KEY=VALUE...]")]
    pub detector: Option<String>,
    /// Display plugin
    #[arg(long, value_name = "NAME", conflicts_with = "no_graphics")]
    pub display: Option<String>,
    /// Address on which the server waits for clients
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Address of the server that the client goes to
    #[arg(long, value_name = "ADDR")]
    pub connect: Option<String>,
    /// Write a summary of the session (JSON; server and demo)
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// Write one row per frame (.csv or .jsonl; server and demo)
    #[arg(long, value_name = "FILE")]
    pub records: Option<PathBuf>,
    /// End when the parent process ends
    #[arg(long, hide = true)]
    pub die_with_parent: bool,
}

impl RunOptions {
    /// What these options set in the configuration of `role`.
    pub fn overrides(&self, role: Role) -> Vec<Override> {
        let mut list = Vec::new();
        if let Some(n) = self.frames {
            list.push(Override::new("server.frames", n, format!("--frames {n}")));
        }
        if let Some(fps) = self.fps {
            list.push(Override::new("scene.fps", fps, format!("--fps {fps}")));
        }
        if let Some(seed) = self.seed {
            list.push(Override::new("scene.seed", seed, format!("--seed {seed}")));
        }
        let display_key = format!("{}.display", role.name());
        if self.no_graphics {
            list.push(Override::new(&display_key, "display-null", "--no-graphics"));
        }
        let texts = [
            ("client.detector", "--detector", &self.detector),
            (display_key.as_str(), "--display", &self.display),
            ("signaling.listen", "--listen", &self.listen),
            ("signaling.connect", "--connect", &self.connect),
        ];
        for (key, option, value) in texts {
            if let Some(value) = value {
                list.push(Override::new(key, value.as_str(), format!("{option} {value}")));
            }
        }
        list
    }

    /// Refuses output that would never be written, or not where it is wanted.
    ///
    /// # Errors
    ///
    /// [`UsageError`] with the option and the reason.
    pub fn check(&self, role: Role) -> Result<(), UsageError> {
        let outputs = [("--summary", &self.summary), ("--records", &self.records)];
        for (option, path) in outputs {
            let Some(path) = path else { continue };
            if role == Role::Client {
                return Err(UsageError(format!(
                    "{option} belongs to the server, which does the scoring; this is --role client"
                )));
            }
            writable(path)
                .map_err(|why| UsageError(format!("{option} {}: {why}", path.display())))?;
        }
        if let Some(path) = &self.records {
            RecordFormat::of(path).map_err(|e| UsageError(format!("--records: {e}")))?;
        }
        Ok(())
    }

    /// Warns of options that mean nothing to `role`: one script may start both
    /// sides with the same options.
    pub fn warn_of_ignored(&self, role: Role) {
        let (other, ignored) = match role {
            Role::Server => (
                Role::Client,
                [("--detector", self.detector.is_some()), ("--connect", self.connect.is_some())]
                    .to_vec(),
            ),
            Role::Client => (
                Role::Server,
                [
                    ("--frames", self.frames.is_some()),
                    ("--fps", self.fps.is_some()),
                    ("--seed", self.seed.is_some()),
                    ("--listen", self.listen.is_some()),
                ]
                .to_vec(),
            ),
        };
        for (option, _) in ignored.into_iter().filter(|(_, given)| *given) {
            tracing::warn!("{option} belongs to the {}; it does nothing here", other.name());
        }
    }
}

/// Makes the directory that `option` names, and those around it.
///
/// # Errors
///
/// [`UsageError`] with the option and the reason.
pub fn make_directory(option: &str, dir: &Path) -> Result<(), UsageError> {
    let cannot = |why: &dyn std::fmt::Display| {
        UsageError(format!("{option}: cannot write into {}: {why}", dir.display()))
    };
    if dir.exists() && !dir.is_dir() {
        return Err(cannot(&"it is not a directory"));
    }
    std::fs::create_dir_all(dir).map_err(|e| cannot(&e))?;
    rustix::fs::access(dir, rustix::fs::Access::WRITE_OK).map_err(|e| cannot(&io::Error::from(e)))
}

/// Why the file `path` could not be made or replaced, if that can be seen beforehand.
fn writable(path: &Path) -> Result<(), String> {
    // Through a symbolic link, so that the link stays one.
    let file = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = match file.metadata() {
        Ok(there) if there.is_dir() => return Err("this is a directory, not a file".into()),
        Ok(there) if there.is_file() => vec![folder, &file],
        Ok(_) => vec![file.as_path()],
        Err(_) if folder.is_dir() => vec![folder],
        Err(_) => return Err(format!("there is no directory {}", folder.display())),
    };
    for place in written {
        rustix::fs::access(place, rustix::fs::Access::WRITE_OK)
            .map_err(|e| format!("cannot write to {}: {}", place.display(), io::Error::from(e)))?;
    }
    Ok(())
}
