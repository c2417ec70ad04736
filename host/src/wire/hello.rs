//! The first message each way.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Name, WireError, text::at_most};

/// What every hello begins with, behind the number of its kind.
pub const MAGIC: [u8; 4] = *b"PLMB";
/// The version of the protocol that this code speaks.
pub const VERSION: Version = Version { major: 1, minor: 0 };
/// Features in a hello at most.
pub const MAX_FEATURES: usize = 32;
/// Pixel formats, and codecs, in a hello at most.
pub const MAX_FORMATS: usize = 16;

/// A version of the protocol. Sides with the same major number understand each
/// other; what a minor number added is only used when the peer announced it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Changes when old peers would misunderstand.
    pub major: u16,
    /// Changes when something was added.
    pub minor: u16,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// What all hellos of all versions begin with.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Prefix {
    pub(super) magic: [u8; 4],
    pub(super) version: Version,
}

/// The first message each way: who speaks, and what it supports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    magic: [u8; 4],
    /// The version that the side speaks.
    pub version: Version,
    /// Name and version of the program, for logs and reports.
    pub software: Name,
    /// Names of optional parts that the side supports; unknown ones are ignored.
    #[serde(deserialize_with = "at_most::<MAX_FEATURES, _, _>")]
    pub features: Vec<Name>,
    /// Which role the side has, and what the other must know about it.
    pub side: Side,
}

/// The role of a side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Side {
    /// Makes frames and scores answers.
    Server(SceneInfo),
    /// Runs the detector.
    Client(ClientInfo),
}

/// What the server is going to send.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SceneInfo {
    /// Columns of a frame, in pixels.
    pub width: u32,
    /// Rows of a frame, in pixels.
    pub height: u32,
    /// Pixel format of the frames: a code of `plumbline_plugin_api::PixelFormat`.
    pub format: u32,
    /// Frames per second that the server aims at; 0 means as fast as the pipeline goes.
    pub fps: f64,
    /// The scene's seed.
    pub seed: u64,
    /// Frames that the session will have; 0 when it has no end.
    pub frames: u64,
}

/// What the client accepts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClientInfo {
    /// Name of the detector.
    pub detector: Name,
    /// What the client does when frames come faster than the detector works.
    pub policy: Policy,
    /// Frames that may be without an answer at one time; 0 means any number.
    pub max_in_flight: u32,
    /// Bytes of pixels that a frame may have.
    pub max_frame_bytes: u64,
    /// Pixel formats that are accepted: codes of `plumbline_plugin_api::PixelFormat`.
    #[serde(deserialize_with = "at_most::<MAX_FORMATS, _, _>")]
    pub formats: Vec<u32>,
    /// Codecs that are accepted; [`super::CODEC_RAW`] always is.
    #[serde(deserialize_with = "at_most::<MAX_FORMATS, _, _>")]
    pub codecs: Vec<u32>,
}

/// What a client does when frames come faster than its detector works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Policy {
    /// Every frame is looked at; the server has to wait.
    EveryFrame,
    /// Only the newest frame is looked at; the others are answered as dropped.
    Latest,
}

impl Hello {
    /// A hello of this version.
    pub fn new(software: &str, side: Side) -> Self {
        Self {
            magic: MAGIC,
            version: VERSION,
            software: software.into(),
            features: Vec::new(),
            side,
        }
    }

    /// The same hello with features.
    #[must_use]
    pub fn with_features(mut self, features: &[&str]) -> Self {
        self.features = features.iter().map(|&name| name.into()).collect();
        self
    }

    /// Whether the side announced this feature.
    pub fn has_feature(&self, name: &str) -> bool {
        self.features.iter().any(|feature| feature.as_str() == name)
    }

    pub(super) fn check(&self) -> Result<(), WireError> {
        let check = |what, count, limit| {
            if count > limit { Err(WireError::TooMany { what, count, limit }) } else { Ok(()) }
        };
        check("features", self.features.len(), MAX_FEATURES)?;
        if let Side::Client(client) = &self.side {
            check("pixel formats", client.formats.len(), MAX_FORMATS)?;
            check("codecs", client.codecs.len(), MAX_FORMATS)?;
        }
        Ok(())
    }
}

impl Prefix {
    /// Whether the rest of the hello can be understood.
    pub(super) fn check(self) -> Result<(), WireError> {
        if self.magic != MAGIC {
            return Err(WireError::Magic(self.magic));
        }
        if self.version.major != VERSION.major {
            return Err(WireError::Version { theirs: self.version });
        }
        Ok(())
    }
}
