//! What travels on the data channel: messages, their encoding, the fragments
//! of a frame and how they are put together again. Sans-IO: bytes and the time
//! come in as arguments. `docs/wire.md` describes the same for a peer in
//! another language, and its examples are checked against this code.
//!
//! Used by both roles in [`crate::session`]; nothing in here trusts the peer.

mod answer;
mod codec;
mod error;
mod fragment;
mod frame;
mod hello;
mod reassembly;
mod text;

#[cfg(test)]
mod examples;

pub use answer::{Answer, Bye, Estimate, Finding, MAX_COORDINATE, MAX_ESTIMATES};
pub use codec::{MAX_CONTROL, Message, decode, encode};
pub use error::WireError;
pub use fragment::{FrameMessages, MIN_MESSAGE};
pub use frame::{CODEC_RAW, FRAGMENT_HEADER, FRAME_HEADER, FragmentHeader, FrameHeader, MAX_SIDE};
pub use hello::{
    ClientInfo, Hello, MAGIC, MAX_FEATURES, MAX_FORMATS, Policy, SceneInfo, Side, VERSION, Version,
};
pub use reassembly::{Limits, Reassembler, ReceivedFrame};
pub use text::{Name, Reason, Text};
