//! How a session can end.

use std::time::Duration;

use tokio::time::timeout;

use crate::{
    signaling::{LinkEnd, SignalingLink},
    transport::TransportError,
    wire::{Bye, WireError},
};

/// How long the signaling connection may take to say why the data channel has
/// ended without a goodbye. Both ends leave the peer at about the same time.
const LAST_WORD: Duration = Duration::from_millis(250);

/// Why a session is over.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// Everything that was to be done is done.
    Completed,
    /// A user ended it, here or at the peer: a signal, a closed window.
    Interrupted,
    /// The peer vanished without a goodbye.
    PeerLost(String),
    /// The two sides have no version, pixel format or size in common.
    Unsupported(String),
    /// The peer sent something that is against the protocol.
    Violation(String),
    /// Something went wrong; the reason is for people.
    Failed(String),
}

impl Ending {
    /// What to tell the peer.
    pub(super) fn goodbye(&self) -> Bye {
        match self {
            Self::Completed => Bye::Completed,
            Self::Interrupted => Bye::Interrupted,
            Self::Unsupported(reason) => Bye::Unsupported(reason.as_str().into()),
            Self::Violation(reason) => Bye::Violation(reason.as_str().into()),
            Self::PeerLost(reason) | Self::Failed(reason) => Bye::Failed(reason.as_str().into()),
        }
    }

    /// What the peer's goodbye means here.
    pub(super) fn from_peer(bye: Bye) -> Self {
        match bye {
            Bye::Completed => Self::Completed,
            Bye::Interrupted => Self::Interrupted,
            Bye::Unsupported(reason) => Self::Failed(format!("the peer cannot serve us: {reason}")),
            Bye::Violation(reason) => {
                Self::Failed(format!("the peer refused what we sent: {reason}"))
            }
            Bye::Failed(reason) => Self::Failed(format!("the peer failed: {reason}")),
        }
    }

    /// What the end of the signaling connection means when there was no goodbye
    /// on the data channel. A goodbye there has a reason unless it is an orderly
    /// one; an aiortc program never gives a reason.
    pub(super) fn from_link(gone: LinkEnd) -> Self {
        match gone {
            LinkEnd::Bye(None) => Self::Interrupted,
            LinkEnd::Bye(Some(reason)) => Self::PeerLost(format!("it left us: {reason}")),
            gone => Self::PeerLost(gone.to_string()),
        }
    }

    /// A data channel that ended without a goodbye does not say whether the peer
    /// was lost or whether its goodbye was: packets are dropped when a process
    /// stands still, and what is closed sends nothing again. The signaling
    /// connection loses nothing, so a goodbye there decides.
    pub(super) async fn or_last_word(self, link: &mut SignalingLink) -> Self {
        if !matches!(self, Self::PeerLost(_)) {
            return self;
        }
        match timeout(LAST_WORD, link.ended()).await {
            Ok(gone @ LinkEnd::Bye(_)) => Self::from_link(gone),
            _ => self,
        }
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Completed => f.write_str("completed"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::PeerLost(reason) => write!(f, "the peer is lost: {reason}"),
            Self::Violation(reason) => write!(f, "the peer broke the protocol: {reason}"),
            Self::Unsupported(reason) | Self::Failed(reason) => f.write_str(reason),
        }
    }
}

impl From<TransportError> for Ending {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Closed(reason) | TransportError::Lost(reason) => Self::PeerLost(reason),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<WireError> for Ending {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Version { .. } => Self::Unsupported(error.to_string()),
            // Nothing that was sent is wrong; the rest of it did not come in time,
            // be it that the peer stood still or that we did.
            WireError::Stale { .. } => Self::PeerLost(error.to_string()),
            _ => Self::Violation(error.to_string()),
        }
    }
}

impl Ending {
    /// Whether the session ended as it should, or as a user wanted.
    pub fn is_orderly(&self) -> bool {
        matches!(self, Self::Completed | Self::Interrupted)
    }

    /// Why, where there is more to say than the name.
    pub fn reason(&self) -> Option<String> {
        (!self.is_orderly()).then(|| self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goodbye_with_a_reason_is_no_orderly_end() {
        assert!(Ending::from_link(LinkEnd::Bye(None)).is_orderly());
        let given_up = Ending::from_link(LinkEnd::Bye(Some("nothing came for 3.5 s".into())));
        assert!(matches!(&given_up, Ending::PeerLost(reason) if reason.contains("3.5 s")));
        assert!(!Ending::from_link(LinkEnd::Eof).is_orderly());
        assert!(!Ending::from_link(LinkEnd::Broken("reset".into())).is_orderly());
    }

    #[test]
    fn a_frame_that_does_not_go_on_is_a_lost_peer_and_no_violation() {
        let limit = Duration::from_secs(30);
        let stale = WireError::Stale { id: 12, age: Duration::from_secs(41), limit };
        let ending = Ending::from(stale);
        assert!(matches!(ending, Ending::PeerLost(_)), "{ending}");
        assert!(matches!(Ending::from(WireError::Stray { id: 12 }), Ending::Violation(_)));
    }
}
