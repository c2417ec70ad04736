//! Frames: borrowed pictures, never copied on their way to a plugin.

use abi_stable::{StableAbi, std_types::RSlice};

/// How the bytes of a pixel are to be read.
///
/// An open set of values (and not an `enum`), so that formats can be added
/// without breaking plugins that were built before.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PixelFormat(u32);

impl PixelFormat {
    /// One byte a pixel, 0 is black.
    pub const GRAY8: Self = Self(1);
    /// Three bytes a pixel: blue, green, red.
    pub const BGR8: Self = Self(2);

    /// The format with this number, if this version of the interface knows it.
    pub const fn from_code(code: u32) -> Option<Self> {
        match code {
            1 => Some(Self::GRAY8),
            2 => Some(Self::BGR8),
            _ => None,
        }
    }

    /// The number that stands for this format.
    pub const fn code(self) -> u32 {
        self.0
    }

    /// Bytes that one pixel takes; 0 for a format that this version does not know.
    pub const fn bytes_per_pixel(self) -> usize {
        match self.0 {
            1 => 1,
            2 => 3,
            _ => 0,
        }
    }

    /// The name used in `config.toml`: `gray8` or `bgr8`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            1 => "gray8",
            2 => "bgr8",
            _ => "unknown",
        }
    }
}

impl std::fmt::Debug for PixelFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A picture that is too small for what it says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameError {
    /// A row is longer than the distance between two rows.
    Stride {
        /// Bytes from one row to the next, as given.
        stride: usize,
        /// Bytes that a row takes.
        row: usize,
    },
    /// Fewer bytes than the rows take.
    Length {
        /// Bytes given.
        given: usize,
        /// Bytes needed.
        needed: usize,
    },
    /// A pixel format that this version of the interface does not know.
    Format(u32),
}

impl std::fmt::Display for FrameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stride { stride, row } => {
                write!(f, "stride of {stride} bytes, but a row takes {row}")
            }
            Self::Length { given, needed } => {
                write!(f, "{given} bytes of pixels, but {needed} are needed")
            }
            Self::Format(code) => write!(f, "unknown pixel format {code}"),
        }
    }
}

impl std::error::Error for FrameError {}

/// A borrowed picture. Rows run from top to bottom, `stride` bytes apart.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct Frame<'a> {
    data: RSlice<'a, u8>,
    width: u32,
    height: u32,
    stride: u64,
    format: PixelFormat,
    id: u64,
    captured_ns: u64,
    // Zero today; a later minor version may give them a meaning.
    reserved: [u64; 4],
}

impl<'a> Frame<'a> {
    /// A view of `data` as `height` rows of `width` pixels, `stride` bytes apart.
    ///
    /// # Errors
    ///
    /// [`FrameError`] when a row does not fit into `stride`, when `data` ends
    /// before the last row does, or when the format is unknown.
    pub fn new(
        data: &'a [u8],
        width: u32,
        height: u32,
        stride: usize,
        format: PixelFormat,
    ) -> Result<Self, FrameError> {
        if format.bytes_per_pixel() == 0 {
            return Err(FrameError::Format(format.code()));
        }
        let row = width as usize * format.bytes_per_pixel();
        if stride < row {
            return Err(FrameError::Stride { stride, row });
        }
        let needed = match height {
            0 => 0,
            h => stride * (h as usize - 1) + row,
        };
        if data.len() < needed {
            return Err(FrameError::Length { given: data.len(), needed });
        }
        Ok(Self {
            data: RSlice::from_slice(data),
            width,
            height,
            stride: stride as u64,
            format,
            id: 0,
            captured_ns: 0,
            reserved: [0; 4],
        })
    }

    /// A view of tightly packed rows.
    ///
    /// # Errors
    ///
    /// As [`Frame::new`].
    pub fn packed(
        data: &'a [u8],
        width: u32,
        height: u32,
        format: PixelFormat,
    ) -> Result<Self, FrameError> {
        Self::new(data, width, height, width as usize * format.bytes_per_pixel(), format)
    }

    /// The same picture with its number in the session.
    #[must_use]
    pub fn with_id(mut self, id: u64) -> Self {
        self.id = id;
        self
    }

    /// The same picture with its capture time in nanoseconds (see [`Frame::captured_ns`]).
    #[must_use]
    pub fn with_captured_ns(mut self, captured_ns: u64) -> Self {
        self.captured_ns = captured_ns;
        self
    }

    /// Columns, in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows, in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Bytes from the start of one row to the start of the next.
    pub fn stride(&self) -> usize {
        self.stride as usize
    }

    /// How the bytes of a pixel are to be read.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// The frame's number in its session, counted from 0.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// When the frame left the scene: nanoseconds on the server's clock since
    /// its session began. Only differences between frames have a meaning.
    pub fn captured_ns(&self) -> u64 {
        self.captured_ns
    }

    /// All bytes, the padding between rows included.
    pub fn data(&self) -> &'a [u8] {
        self.data.as_slice()
    }

    /// The pixels of row `y`, without padding.
    ///
    /// # Panics
    ///
    /// When `y` is not below [`Frame::height`].
    pub fn row(&self, y: u32) -> &'a [u8] {
        assert!(y < self.height, "row {y} of a frame with {} rows", self.height);
        let start = y as usize * self.stride();
        &self.data.as_slice()[start..start + self.width as usize * self.format.bytes_per_pixel()]
    }
}

impl std::fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({} {}x{} {})", self.id, self.width, self.height, self.format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_skip_the_padding() {
        let data = [1, 2, 9, 3, 4];
        let frame = Frame::new(&data, 2, 2, 3, PixelFormat::GRAY8).unwrap();
        assert_eq!(frame.row(0), [1, 2]);
        assert_eq!(frame.row(1), [3, 4]);
    }

    #[test]
    fn a_picture_that_is_too_small_is_refused_with_its_numbers() {
        assert_eq!(
            Frame::new(&[0; 4], 2, 2, 3, PixelFormat::GRAY8).unwrap_err(),
            FrameError::Length { given: 4, needed: 5 }
        );
        assert_eq!(
            Frame::new(&[0; 99], 2, 2, 5, PixelFormat::BGR8).unwrap_err(),
            FrameError::Stride { stride: 5, row: 6 }
        );
    }

    #[test]
    fn an_empty_picture_is_a_picture() {
        let frame = Frame::packed(&[], 0, 0, PixelFormat::BGR8).unwrap();
        assert_eq!((frame.width(), frame.height(), frame.data().len()), (0, 0, 0));
    }
}
