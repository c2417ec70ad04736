//! The headers of messages that carry pixels.

use plumbline_plugin_api::{Frame, PixelFormat};
use serde::{Deserialize, Serialize};

use super::WireError;

/// Pixels as they are, rows from top to bottom without padding.
pub const CODEC_RAW: u32 = 0;
/// The longest side of a frame, in pixels.
pub const MAX_SIDE: u32 = 8192;
/// Bytes before the pixels of a frame message.
pub const FRAME_HEADER: usize = 4 + 40;
/// Bytes before the pixels of a fragment message.
pub const FRAGMENT_HEADER: usize = 4 + 16;

/// What a frame is; its first pixels follow in the same message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameHeader {
    /// The frame's number in its session; numbers rise, gaps are allowed.
    pub id: u64,
    /// When the frame left the scene: nanoseconds on the server's clock since its session began.
    pub captured_ns: u64,
    /// Columns, in pixels.
    pub width: u32,
    /// Rows, in pixels.
    pub height: u32,
    /// A code of [`PixelFormat`].
    pub format: u32,
    /// How the pixels are encoded: [`CODEC_RAW`].
    pub codec: u32,
    /// Bytes of all pixels, those in the fragments included.
    pub payload_len: u64,
}

/// Which pixels follow in the same message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FragmentHeader {
    /// The frame.
    pub id: u64,
    /// How many bytes of the frame's pixels came before.
    pub offset: u64,
}

impl FrameHeader {
    /// The header of a frame that travels as raw pixels.
    pub fn of(frame: &Frame<'_>) -> Self {
        let row = frame.width() as usize * frame.format().bytes_per_pixel();
        Self {
            id: frame.id(),
            captured_ns: frame.captured_ns(),
            width: frame.width(),
            height: frame.height(),
            format: frame.format().code(),
            codec: CODEC_RAW,
            payload_len: (row * frame.height() as usize) as u64,
        }
    }

    /// The pixel format, once [`FrameHeader::check`] passed.
    ///
    /// # Errors
    ///
    /// [`WireError::Format`] for a code that this version does not know.
    pub fn pixel_format(&self) -> Result<PixelFormat, WireError> {
        PixelFormat::from_code(self.format).ok_or(WireError::Format(self.format))
    }

    /// Whether the numbers fit together and into the protocol's limits.
    ///
    /// # Errors
    ///
    /// [`WireError::FrameSize`], [`WireError::Format`], [`WireError::Codec`] or
    /// [`WireError::Payload`].
    pub fn check(&self) -> Result<(), WireError> {
        let &Self { id, width, height, payload_len: given, .. } = self;
        if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
            return Err(WireError::FrameSize { width, height });
        }
        if self.codec != CODEC_RAW {
            return Err(WireError::Codec(self.codec));
        }
        let bytes_per_pixel = self.pixel_format()?.bytes_per_pixel() as u64;
        let needed = u64::from(width) * u64::from(height) * bytes_per_pixel;
        if given != needed {
            return Err(WireError::Payload { id, given, needed });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> FrameHeader {
        FrameHeader {
            id: 3,
            captured_ns: 0,
            width: 4,
            height: 2,
            format: 2,
            codec: CODEC_RAW,
            payload_len: 24,
        }
    }

    #[test]
    fn a_header_must_fit_its_payload() {
        assert_eq!(header().check(), Ok(()));
        assert_eq!(
            FrameHeader { payload_len: 25, ..header() }.check(),
            Err(WireError::Payload { id: 3, given: 25, needed: 24 })
        );
    }

    #[test]
    fn sizes_formats_and_codecs_have_limits() {
        for (width, height) in [(0, 1), (1, 0), (MAX_SIDE + 1, 1), (1, u32::MAX)] {
            assert_eq!(
                FrameHeader { width, height, ..header() }.check(),
                Err(WireError::FrameSize { width, height })
            );
        }
        assert_eq!(FrameHeader { format: 9, ..header() }.check(), Err(WireError::Format(9)));
        assert_eq!(FrameHeader { codec: 1, ..header() }.check(), Err(WireError::Codec(1)));
    }
}
