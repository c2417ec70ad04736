//! A hostile peer: a sequence of messages, each prefixed with its length as a
//! little-endian `u16`, goes through the decoder and the reassembler.
//!
//! Panics, unbounded memory and frames that are not what their header says are
//! findings; errors are what the code is for.

#![no_main]

use std::time::Duration;

use bytes::{Buf, Bytes};
use libfuzzer_sys::fuzz_target;
use plumbline_host::wire::{Limits, Message, Reassembler, decode, encode};

fuzz_target!(|data: &[u8]| {
    let limits = Limits { max_frame_bytes: 1 << 16, ..Limits::default() };
    let mut reassembler = Reassembler::new(limits);
    let mut input = Bytes::copy_from_slice(data);
    let (mut now, mut arrived) = (Duration::ZERO, 0);
    while input.len() >= 2 {
        let length = usize::from(input.get_u16_le()).min(input.len());
        let Ok(message) = decode(&input.split_to(length)) else { continue };
        assert_eq!(
            decode(&encode(&message, 1 << 17).unwrap()).map(|m| m.name()),
            Ok(message.name())
        );
        now += Duration::from_millis(100);
        let result = match &message {
            Message::Frame(header, pixels) => {
                arrived += pixels.len();
                reassembler.frame(*header, pixels, now)
            }
            Message::Fragment(header, pixels) => {
                arrived += pixels.len();
                reassembler.fragment(*header, pixels, now)
            }
            _ => continue,
        };
        if let Ok(Some(frame)) = result {
            assert_eq!(frame.pixels.len() as u64, frame.header.payload_len);
            reassembler.recycle(frame.pixels);
        }
        assert!(reassembler.memory() <= 2 * arrived);
    }
});
