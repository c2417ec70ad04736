//! Puts frames together again.
//!
//! The channel is ordered and a frame's messages follow one another, so at most
//! one frame is ever incomplete. Its memory grows with the bytes that really
//! arrived, never with what a header announces: [`Reassembler::memory`] is at
//! most twice the bytes received, plus the buffers that were given back.

use std::time::Duration;

use super::{FragmentHeader, FrameHeader, WireError};

/// What a [`Reassembler`] accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of pixels that a frame may have.
    pub max_frame_bytes: u64,
    /// How long a frame may stay incomplete.
    pub max_age: Duration,
    /// Buffers that are kept for coming frames.
    pub max_spare: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // The largest frame of the protocol: 8192 x 8192 in bgr8.
            max_frame_bytes: 3 * 8192 * 8192,
            max_age: Duration::from_secs(30),
            max_spare: 4,
        }
    }
}

/// A whole frame. Hand `pixels` back with [`Reassembler::recycle`] when done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedFrame {
    /// What the frame is.
    pub header: FrameHeader,
    /// Its pixels, rows without padding.
    pub pixels: Vec<u8>,
}

struct Partial {
    header: FrameHeader,
    pixels: Vec<u8>,
    since: Duration,
}

/// Takes the pixels of frame and fragment messages in the order of arrival.
/// After an error the session is to be ended.
pub struct Reassembler {
    limits: Limits,
    partial: Option<Partial>,
    last: Option<u64>,
    spare: Vec<Vec<u8>>,
}

impl Reassembler {
    /// One that has seen nothing yet.
    pub fn new(limits: Limits) -> Self {
        Self { limits, partial: None, last: None, spare: Vec::new() }
    }

    /// A frame begins. Returns it when `pixels` are all of it.
    ///
    /// # Errors
    ///
    /// What [`FrameHeader::check`] says, [`WireError::FrameTooLarge`],
    /// [`WireError::Order`], [`WireError::Unfinished`], [`WireError::NoPixels`]
    /// or [`WireError::Overrun`].
    pub fn frame(
        &mut self,
        header: FrameHeader,
        pixels: &[u8],
        now: Duration,
    ) -> Result<Option<ReceivedFrame>, WireError> {
        header.check()?;
        let id = header.id;
        if let Some(partial) = &self.partial {
            return Err(WireError::Unfinished {
                id: partial.header.id,
                received: partial.pixels.len() as u64,
                expected: partial.header.payload_len,
                next: id,
            });
        }
        if let Some(last) = self.last.filter(|&last| id <= last) {
            return Err(WireError::Order { id, last });
        }
        if header.payload_len > self.limits.max_frame_bytes {
            return Err(WireError::FrameTooLarge {
                id,
                bytes: header.payload_len,
                limit: self.limits.max_frame_bytes,
            });
        }
        self.last = Some(id);
        let buffer = self.spare.pop().unwrap_or_default();
        self.append(Partial { header, pixels: buffer, since: now }, pixels)
    }

    /// A frame goes on. Returns it when it is complete.
    ///
    /// # Errors
    ///
    /// [`WireError::Stray`], [`WireError::Offset`], [`WireError::NoPixels`],
    /// [`WireError::Overrun`] or [`WireError::Stale`].
    pub fn fragment(
        &mut self,
        header: FragmentHeader,
        pixels: &[u8],
        now: Duration,
    ) -> Result<Option<ReceivedFrame>, WireError> {
        self.check_age(now)?;
        let FragmentHeader { id, offset } = header;
        let Some(partial) = self.partial.take_if(|partial| partial.header.id == id) else {
            return Err(WireError::Stray { id });
        };
        let expected = partial.pixels.len() as u64;
        if offset != expected {
            return Err(WireError::Offset { id, offset, expected });
        }
        self.append(partial, pixels)
    }

    fn append(
        &mut self,
        mut partial: Partial,
        pixels: &[u8],
    ) -> Result<Option<ReceivedFrame>, WireError> {
        let Partial { header, pixels: buffer, .. } = &mut partial;
        let FrameHeader { id, payload_len: expected, .. } = *header;
        let received = (buffer.len() + pixels.len()) as u64;
        if pixels.is_empty() {
            return Err(WireError::NoPixels { id });
        }
        if received > expected {
            return Err(WireError::Overrun { id, received, expected });
        }
        if received > buffer.capacity() as u64 {
            // Doubles, but never beyond the frame.
            let wanted = (2 * buffer.len() as u64).clamp(received, expected) as usize;
            buffer.reserve_exact(wanted - buffer.len());
        }
        buffer.extend_from_slice(pixels);
        if received == expected {
            return Ok(Some(ReceivedFrame { header: *header, pixels: partial.pixels }));
        }
        self.partial = Some(partial);
        Ok(None)
    }

    /// Gives a buffer back, so that the next frame need not allocate. A buffer
    /// above the limits, or one too many, is freed.
    pub fn recycle(&mut self, mut buffer: Vec<u8>) {
        if self.spare.len() < self.limits.max_spare
            && buffer.capacity() as u64 <= self.limits.max_frame_bytes
        {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    /// Whether an incomplete frame is older than allowed.
    ///
    /// # Errors
    ///
    /// [`WireError::Stale`].
    pub fn check_age(&self, now: Duration) -> Result<(), WireError> {
        let Some(partial) = &self.partial else { return Ok(()) };
        let (age, limit) = (now.saturating_sub(partial.since), self.limits.max_age);
        if age > limit {
            return Err(WireError::Stale { id: partial.header.id, age, limit });
        }
        Ok(())
    }

    /// When [`Reassembler::check_age`] is worth a call, if no more bytes come.
    pub fn deadline(&self) -> Option<Duration> {
        self.partial.as_ref().map(|partial| partial.since + self.limits.max_age)
    }

    /// Bytes taken for the incomplete frame and for spare buffers.
    pub fn memory(&self) -> usize {
        self.partial.iter().map(|partial| partial.pixels.capacity()).sum::<usize>()
            + self.spare.iter().map(Vec::capacity).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::*, *};
    use bytes::Bytes;
    use plumbline_plugin_api::{Frame, PixelFormat};
    use proptest::prelude::*;

    const NOW: Duration = Duration::ZERO;

    fn limits() -> Limits {
        Limits { max_frame_bytes: 1 << 20, max_age: Duration::from_secs(1), max_spare: 2 }
    }

    fn header(id: u64, width: u32, height: u32) -> FrameHeader {
        FrameHeader {
            id,
            captured_ns: 0,
            width,
            height,
            format: 1,
            codec: CODEC_RAW,
            payload_len: u64::from(width) * u64::from(height),
        }
    }

    fn feed(
        reassembler: &mut Reassembler,
        bytes: &Bytes,
    ) -> Result<Option<ReceivedFrame>, WireError> {
        match decode(bytes)? {
            Message::Frame(header, pixels) => reassembler.frame(header, &pixels, NOW),
            Message::Fragment(header, pixels) => reassembler.fragment(header, &pixels, NOW),
            _ => Ok(None),
        }
    }

    fn messages(id: u64, pixels: &[u8], width: u32, height: u32) -> Vec<Bytes> {
        let frame = Frame::packed(pixels, width, height, PixelFormat::GRAY8).unwrap().with_id(id);
        FrameMessages::new(frame, MIN_MESSAGE).unwrap().collect()
    }

    #[test]
    fn a_header_that_promises_much_costs_nothing() {
        let mut reassembler = Reassembler::new(Limits::default());
        let header = FrameHeader { format: 2, payload_len: 3 << 26, ..header(0, 8192, 8192) };
        assert_eq!(reassembler.frame(header, &[1; 100], NOW), Ok(None));
        assert!(reassembler.memory() <= 200, "{}", reassembler.memory());
    }

    #[test]
    fn a_warm_stream_takes_no_new_memory() {
        let pixels = vec![9; 300 * 200];
        let mut reassembler = Reassembler::new(limits());
        let mut buffer = None;
        for id in 0..5 {
            let mut whole = None;
            for message in messages(id, &pixels, 300, 200) {
                whole = feed(&mut reassembler, &message).unwrap();
            }
            let frame = whole.expect("the last message completes the frame");
            assert_eq!(frame.pixels, pixels);
            let place = (frame.pixels.as_ptr(), frame.pixels.capacity());
            assert_eq!(*buffer.get_or_insert(place), place);
            reassembler.recycle(frame.pixels);
        }
    }

    #[test]
    fn missing_repeated_and_foreign_fragments_are_errors() {
        let pixels = vec![1; 4000];
        let [first, second, third, ..] = &messages(5, &pixels, 100, 40)[..] else { panic!() };
        let run = |sequence: &[&Bytes]| {
            let mut reassembler = Reassembler::new(limits());
            sequence.iter().try_for_each(|&m| feed(&mut reassembler, m).map(drop))
        };
        assert_eq!(run(&[first, second, third]), Ok(()));
        assert_eq!(
            run(&[first, third]),
            Err(WireError::Offset { id: 5, offset: 2336, expected: 1156 })
        );
        assert_eq!(
            run(&[first, second, second]),
            Err(WireError::Offset { id: 5, offset: 1156, expected: 2336 })
        );
        assert_eq!(run(&[second]), Err(WireError::Stray { id: 5 }));
        let other = &messages(6, &pixels, 100, 40);
        assert_eq!(run(&[first, &other[1]]), Err(WireError::Stray { id: 6 }));
        assert_eq!(
            run(&[first, &other[0]]),
            Err(WireError::Unfinished { id: 5, received: 1156, expected: 4000, next: 6 })
        );
    }

    #[test]
    fn frame_numbers_must_rise() {
        let mut reassembler = Reassembler::new(limits());
        assert!(reassembler.frame(header(4, 2, 1), &[1, 2], NOW).unwrap().is_some());
        for id in [4, 3] {
            assert_eq!(
                reassembler.frame(header(id, 2, 1), &[1, 2], NOW),
                Err(WireError::Order { id, last: 4 })
            );
        }
        assert!(reassembler.frame(header(9, 2, 1), &[1, 2], NOW).unwrap().is_some());
    }

    #[test]
    fn empty_overfull_too_large_and_stale_frames_are_errors() {
        let mut reassembler = Reassembler::new(limits());
        assert_eq!(
            reassembler.frame(header(0, 2, 2), &[], NOW),
            Err(WireError::NoPixels { id: 0 })
        );
        assert_eq!(
            reassembler.frame(header(1, 2, 2), &[0; 5], NOW),
            Err(WireError::Overrun { id: 1, received: 5, expected: 4 })
        );
        assert_eq!(
            reassembler.frame(header(2, 2048, 1024), &[0; 5], NOW),
            Err(WireError::FrameTooLarge { id: 2, bytes: 2 << 20, limit: 1 << 20 })
        );
        assert_eq!(reassembler.frame(header(3, 2, 2), &[0; 2], NOW), Ok(None));
        assert_eq!(reassembler.deadline(), Some(Duration::from_secs(1)));
        let late = Duration::from_secs(2);
        let stale = WireError::Stale { id: 3, age: late, limit: Duration::from_secs(1) };
        assert_eq!(reassembler.check_age(late), Err(stale.clone()));
        let next = FragmentHeader { id: 3, offset: 2 };
        assert_eq!(reassembler.fragment(next, &[0; 2], late), Err(stale));
    }

    proptest! {
        #[test]
        fn any_frame_survives_any_cut(
            width in 1u32..80, height in 1u32..80, padding in 0usize..9, bgr in any::<bool>(),
            max_message in MIN_MESSAGE..5000, seed in any::<u8>(),
        ) {
            let format = if bgr { PixelFormat::BGR8 } else { PixelFormat::GRAY8 };
            let row = width as usize * format.bytes_per_pixel();
            let stride = row + padding;
            let data: Vec<u8> =
                (0..stride * height as usize).map(|i| (i * 31) as u8 ^ seed).collect();
            let frame = Frame::new(&data, width, height, stride, format)
                .unwrap().with_id(3).with_captured_ns(9);
            let mut reassembler = Reassembler::new(limits());
            let mut whole = None;
            let messages = FrameMessages::new(frame, max_message).unwrap();
            let announced = messages.len();
            let mut count = 0;
            for message in messages {
                prop_assert!(whole.is_none() && message.len() <= max_message);
                count += 1;
                whole = feed(&mut reassembler, &message).unwrap();
            }
            prop_assert_eq!(count, announced);
            let whole = whole.unwrap();
            prop_assert_eq!(whole.header, FrameHeader::of(&frame));
            let expected: Vec<u8> = (0..height).flat_map(|y| frame.row(y).to_vec()).collect();
            prop_assert_eq!(whole.pixels, expected);
            prop_assert_eq!(reassembler.memory(), 0);
        }

        #[test]
        fn whatever_comes_memory_stays_within_what_arrived(
            steps in proptest::collection::vec(
                (any::<bool>(), 0u64..4, 0u64..40, 1u32..2000, 1u32..2000, 0usize..60), 1..40),
        ) {
            let mut reassembler = Reassembler::new(limits());
            let mut arrived = 0;
            for (is_frame, id, offset, width, height, len) in steps {
                let pixels = vec![0; len];
                arrived += len;
                let result = if is_frame {
                    reassembler.frame(header(id, width, height), &pixels, NOW)
                } else {
                    reassembler.fragment(FragmentHeader { id, offset }, &pixels, NOW)
                };
                if let Ok(Some(frame)) = result {
                    prop_assert_eq!(frame.pixels.len() as u64, frame.header.payload_len);
                    reassembler.recycle(frame.pixels);
                }
                prop_assert!(reassembler.memory() <= 2 * arrived);
            }
        }
    }
}
