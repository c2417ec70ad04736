//! Cuts a frame into messages.

use bytes::Bytes;
use plumbline_plugin_api::Frame;

use super::{
    FRAGMENT_HEADER, FRAME_HEADER, FragmentHeader, FrameHeader, WireError,
    codec::{Packet, write},
};

/// The smallest `max_message` that frames are cut for, in bytes.
pub const MIN_MESSAGE: usize = 1200;

/// The messages of one frame, first to last. Every byte of the picture is
/// copied once, into the message that carries it.
#[derive(Debug)]
pub struct FrameMessages<'a> {
    header: FrameHeader,
    frame: Frame<'a>,
    sent: usize,
    max_message: usize,
}

impl<'a> FrameMessages<'a> {
    /// Cuts `frame` into messages of at most `max_message` bytes.
    ///
    /// # Errors
    ///
    /// [`WireError::MessageLimit`] when `max_message` is below [`MIN_MESSAGE`],
    /// or what [`FrameHeader::check`] says about the frame's size.
    pub fn new(frame: Frame<'a>, max_message: usize) -> Result<Self, WireError> {
        if max_message < MIN_MESSAGE {
            return Err(WireError::MessageLimit(max_message));
        }
        let header = FrameHeader::of(&frame);
        header.check()?;
        Ok(Self { header, frame, sent: 0, max_message })
    }

    /// Bytes of pixels that are not in a message yet.
    pub fn remaining(&self) -> usize {
        self.header.payload_len as usize - self.sent
    }

    fn copy(&self, count: usize, to: &mut Vec<u8>) {
        let row = self.frame.width() as usize * self.frame.format().bytes_per_pixel();
        if self.frame.stride() == row {
            to.extend_from_slice(&self.frame.data()[self.sent..self.sent + count]);
            return;
        }
        let (mut at, end) = (self.sent, self.sent + count);
        while at < end {
            let (y, x) = (at / row, at % row);
            let n = (row - x).min(end - at);
            to.extend_from_slice(&self.frame.row(y as u32)[x..x + n]);
            at += n;
        }
    }
}

impl Iterator for FrameMessages<'_> {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.remaining() == 0 {
            return None;
        }
        let (packet, header_len) = if self.sent == 0 {
            (Packet::Frame(self.header), FRAME_HEADER)
        } else {
            let header = FragmentHeader { id: self.header.id, offset: self.sent as u64 };
            (Packet::Fragment(header), FRAGMENT_HEADER)
        };
        let count = self.remaining().min(self.max_message - header_len);
        let mut message = Vec::with_capacity(header_len + count);
        write(&packet, &mut message);
        debug_assert_eq!(message.len(), header_len);
        self.copy(count, &mut message);
        self.sent += count;
        Some(message.into())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let mut left = self.remaining();
        let mut count = 0;
        if self.sent == 0 {
            left = left.saturating_sub(self.max_message - FRAME_HEADER);
            count = 1;
        }
        count += left.div_ceil(self.max_message - FRAGMENT_HEADER);
        (count, Some(count))
    }
}

impl ExactSizeIterator for FrameMessages<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use plumbline_plugin_api::PixelFormat;

    #[test]
    fn every_message_but_the_last_is_as_large_as_allowed() {
        let pixels = vec![7; 100 * 50];
        let frame = Frame::packed(&pixels, 100, 50, PixelFormat::GRAY8).unwrap();
        let messages = FrameMessages::new(frame, 1200).unwrap();
        assert_eq!(messages.len(), 5);
        let sizes: Vec<_> = messages.map(|m| m.len()).collect();
        assert_eq!(sizes, [1200, 1200, 1200, 1200, 5000 - 1156 - 3 * 1180 + FRAGMENT_HEADER]);
    }

    #[test]
    fn padding_between_rows_does_not_travel() {
        let data = [1, 2, 9, 3, 4, 9, 5, 6];
        let frame = Frame::new(&data, 2, 3, 3, PixelFormat::GRAY8).unwrap();
        let messages: Vec<_> = FrameMessages::new(frame, 1200).unwrap().collect();
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0][FRAME_HEADER..], [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_channel_for_tiny_messages_is_refused() {
        let frame = Frame::packed(&[0], 1, 1, PixelFormat::GRAY8).unwrap();
        assert_eq!(FrameMessages::new(frame, 1199).unwrap_err(), WireError::MessageLimit(1199));
    }
}
