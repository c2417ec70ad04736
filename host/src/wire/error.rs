//! What can be wrong with a message.

use std::time::Duration;

use super::{
    CODEC_RAW, MAX_COORDINATE, MAX_SIDE, MIN_MESSAGE, hello::MAGIC, hello::VERSION, hello::Version,
};

/// Why a message cannot be read or written. Whatever came from the peer and
/// gives one of these ends the session, and never the program.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WireError {
    /// The message is shorter than the number of its kind.
    #[error("a message of {0} bytes; the number of its kind alone takes 4")]
    Short(usize),
    /// No message of this version has this number.
    #[error("unknown message number {0}; 0 to 4 are known")]
    UnknownMessage(u32),
    /// The bytes are not what the kind of the message asks for.
    #[error("malformed {message}: {cause}")]
    Malformed {
        /// The kind of message.
        message: &'static str,
        /// What the decoder says.
        cause: String,
    },
    /// Bytes after the end of a message that has no tail.
    #[error("{count} bytes too many at the end of a {message}")]
    Trailing {
        /// The kind of message.
        message: &'static str,
        /// Bytes left over.
        count: usize,
    },
    /// A message that is larger than it may be.
    #[error("a {message} of {size} bytes; at most {limit} are allowed")]
    TooLarge {
        /// The kind of message.
        message: &'static str,
        /// Its bytes.
        size: usize,
        /// The bytes that are allowed.
        limit: usize,
    },
    /// A list with too many entries.
    #[error("{count} {what}; at most {limit} are allowed")]
    TooMany {
        /// What is in the list.
        what: &'static str,
        /// Entries.
        count: usize,
        /// Entries that are allowed.
        limit: usize,
    },
    /// The peer speaks something else.
    #[error(
        "the hello begins with {0:02x?} instead of {MAGIC:02x?}: the peer does not speak this protocol"
    )]
    Magic([u8; 4]),
    /// The peer speaks a version that cannot be served.
    #[error(
        "the peer speaks version {theirs} of the protocol and this side {VERSION}; the major numbers must be the same, so update the older side"
    )]
    Version {
        /// The peer's version.
        theirs: Version,
    },
    /// An answer that claims to have found something and does not say what.
    #[error("an answer that found something has no estimate; send \"nothing\" instead")]
    NoEstimate,
    /// A number in an estimate that cannot be a place in a picture.
    #[error(
        "estimate {index} has {field} = {value}; centres lie within ±{MAX_COORDINATE}, radii are not negative, and both, like the covariance, are finite"
    )]
    Estimate {
        /// Place in the answer, from 0.
        index: usize,
        /// Which number.
        field: &'static str,
        /// Its value.
        value: f64,
    },
    /// A frame that is empty or too large on a side.
    #[error("a frame of {width} x {height} pixels; both sides are 1 to {MAX_SIDE}")]
    FrameSize {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// A pixel format that this side does not know.
    #[error("pixel format {0} is unknown; 1 (gray8) and 2 (bgr8) are known")]
    Format(u32),
    /// A codec that this side does not know.
    #[error("codec {0} is unknown; only {CODEC_RAW} (raw pixels) is known")]
    Codec(u32),
    /// The header's length is not what its size and format need.
    #[error("frame {id} announces {given} bytes of pixels, but its size and format need {needed}")]
    Payload {
        /// The frame.
        id: u64,
        /// Bytes announced, or handed to the encoder.
        given: u64,
        /// Bytes that width, height and format make.
        needed: u64,
    },
    /// A frame above the limit that was agreed on.
    #[error("frame {id} takes {bytes} bytes; at most {limit} are accepted")]
    FrameTooLarge {
        /// The frame.
        id: u64,
        /// Bytes announced.
        bytes: u64,
        /// Bytes that are accepted.
        limit: u64,
    },
    /// Frame numbers must rise.
    #[error("frame {id} after frame {last}; the numbers of frames must rise")]
    Order {
        /// The frame.
        id: u64,
        /// The frame before it.
        last: u64,
    },
    /// A new frame begins before the last one is complete.
    #[error("frame {next} begins while frame {id} has {received} of its {expected} bytes")]
    Unfinished {
        /// The frame that is not complete.
        id: u64,
        /// Its bytes so far.
        received: u64,
        /// The bytes that its header announced.
        expected: u64,
        /// The frame that begins.
        next: u64,
    },
    /// A fragment of a frame that is not being received.
    #[error("a fragment of frame {id}, which is not being received")]
    Stray {
        /// The frame that the fragment names.
        id: u64,
    },
    /// A fragment that does not continue where the last one ended.
    #[error("a fragment of frame {id} at byte {offset}; byte {expected} is next")]
    Offset {
        /// The frame.
        id: u64,
        /// Where the fragment says it belongs.
        offset: u64,
        /// Where the next one belongs.
        expected: u64,
    },
    /// A frame or fragment message without pixels.
    #[error("a message of frame {id} without any pixels")]
    NoPixels {
        /// The frame.
        id: u64,
    },
    /// More bytes than the header announced.
    #[error("frame {id} gets {received} bytes of pixels, but its header announced {expected}")]
    Overrun {
        /// The frame.
        id: u64,
        /// Bytes with the last message.
        received: u64,
        /// Bytes that the header announced.
        expected: u64,
    },
    /// A frame that stays incomplete for too long.
    #[error(
        "the rest of frame {id} did not come within {limit:?}: {age:.1?} after its beginning it is still incomplete"
    )]
    Stale {
        /// The frame.
        id: u64,
        /// Time since its header came.
        age: Duration,
        /// Time that is allowed.
        limit: Duration,
    },
    /// The channel's messages are too small to work with.
    #[error("the peer accepts messages of {0} bytes only; at least {MIN_MESSAGE} are needed")]
    MessageLimit(usize),
}
