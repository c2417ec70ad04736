//! What a plugin says when it cannot do what it was asked.

use abi_stable::{StableAbi, std_types::RString};

/// What kind of failure a [`PluginError`] is. An open set of values.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorKind(u32);

impl ErrorKind {
    /// The plugin could not do what it was asked.
    pub const FAILED: Self = Self(1);
    /// The plugin's configuration is wrong.
    pub const CONFIG: Self = Self(2);
    /// The plugin panicked; its state is not to be trusted any more.
    pub const PANICKED: Self = Self(3);
}

/// An error that crosses the plugin boundary: a kind and a sentence for people.
///
/// Anything that implements `std::error::Error` turns into one with `?`.
#[repr(C)]
#[derive(StableAbi, Clone, Debug, PartialEq)]
pub struct PluginError {
    kind: ErrorKind,
    message: RString,
}

impl PluginError {
    /// The plugin could not do what it was asked; `message` says why.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::FAILED, message: message.into().into() }
    }

    /// The configuration is wrong; `message` names the key, the value and what would be right.
    pub fn config(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::CONFIG, message: message.into().into() }
    }

    pub(crate) fn panicked(payload: &(dyn std::any::Any + Send)) -> Self {
        let message = payload
            .downcast_ref::<&str>()
            .map(|s| (*s).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a message".to_owned());
        Self { kind: ErrorKind::PANICKED, message: message.into() }
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The sentence for people.
    pub fn message(&self) -> &str {
        &self.message
    }
}

// `PluginError` itself is no `std::error::Error`; that is what makes room for
// this conversion.
impl<E: std::error::Error> From<E> for PluginError {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message = format!("{message}: {cause}");
            source = cause.source();
        }
        Self::failed(message)
    }
}

impl std::fmt::Display for PluginError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            ErrorKind::PANICKED => write!(f, "panicked: {}", self.message),
            _ => f.write_str(&self.message),
        }
    }
}
