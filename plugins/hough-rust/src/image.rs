//! Pictures as the stages see them: one or three interleaved or separate
//! planes of bytes, at full or reduced resolution.

use plumbline_plugin_api::{Frame, PixelFormat};

/// Weights of the channels in a grey value; a grey picture uses the first.
pub type Weights = [f32; 3];

/// The weights of blue, green and red in brightness (Rec. 601).
pub const LUMA: Weights = [0.114, 0.587, 0.299];

/// The pixel in front of a position from 0 to 2^22, and how far behind that it is; the pixel
/// before where it is on one, but 0.
#[allow(clippy::inline_always, reason = "must be vectorised inside the caller's loop")]
#[inline(always)]
fn split(v: f32) -> (u32, f32) {
    // Numbers of this size are whole: what is added is rounded.
    const WHOLE: f32 = 12_582_912.0;
    let sum = (v - 0.5) + WHOLE;
    (sum.to_bits().wrapping_sub(WHOLE.to_bits()), v - (sum - WHOLE))
}

/// A borrowed picture of one or three channels.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    planes: [&'a [u8]; 3],
    channels: usize,
    /// Bytes from a pixel to the next in a row.
    step: usize,
    stride: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl<'a> Image<'a> {
    /// The picture in `frame`; `None` when its format is not known.
    pub fn of_frame(frame: &Frame<'a>) -> Option<Self> {
        let data = frame.data();
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let stride = frame.stride();
        match frame.format() {
            PixelFormat::GRAY8 => Some(Self::grey(data, width, height, stride)),
            PixelFormat::BGR8 if data.len() >= 3 => Some(Self {
                planes: [data, &data[1..], &data[2..]],
                channels: 3,
                step: 3,
                stride,
                width,
                height,
            }),
            PixelFormat::BGR8 => Some(Self::grey(&[], 0, 0, 0)),
            _ => None,
        }
    }

    /// A picture of one channel.
    pub fn grey(data: &'a [u8], width: usize, height: usize, stride: usize) -> Self {
        Self { planes: [data, &[], &[]], channels: 1, step: 1, stride, width, height }
    }

    /// A picture of separate, tightly packed planes: one or three.
    pub fn planar(planes: [&'a [u8]; 3], channels: usize, width: usize, height: usize) -> Self {
        Self { planes, channels, step: 1, stride: width, width, height }
    }

    /// The `width` x `height` pixels from column `x` and row `y` on, all of them
    /// inside the picture.
    #[must_use]
    pub fn crop(&self, x: usize, y: usize, width: usize, height: usize) -> Self {
        debug_assert!(x + width <= self.width && y + height <= self.height);
        let mut crop = Self { width, height, ..*self };
        for plane in crop.planes.iter_mut().take(self.channels) {
            *plane = &plane[y * self.stride + x * self.step..];
        }
        crop
    }

    /// One channel as a picture.
    #[must_use]
    pub fn channel(&self, c: usize) -> Self {
        Self { planes: [self.planes[c], &[], &[]], channels: 1, ..*self }
    }

    /// One or three.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Row `y` of channel `c`, from its first pixel on; with [`Image::step`] bytes a pixel.
    pub fn row(&self, c: usize, y: usize) -> &'a [u8] {
        let start = y * self.stride;
        let end = start + (self.width - 1) * self.step + 1;
        &self.planes[c][start..end]
    }

    /// Row `y` with all its interleaved channels.
    pub fn interleaved_row(&self, y: usize) -> &'a [u8] {
        &self.planes[0][y * self.stride..][..self.width * self.step]
    }

    /// Bytes from a pixel of a channel to the next one of its row.
    pub fn step(&self) -> usize {
        self.step
    }

    /// Grey value at a pixel, weighted.
    #[inline]
    pub fn pixel(&self, x: usize, y: usize, weights: &Weights) -> f32 {
        let i = y * self.stride + x * self.step;
        if self.channels == 1 {
            f32::from(self.planes[0][i])
        } else {
            weights[0] * f32::from(self.planes[0][i])
                + weights[1] * f32::from(self.planes[1][i])
                + weights[2] * f32::from(self.planes[2][i])
        }
    }

    /// Whether [`Image::sample`] has a value at a position.
    #[inline]
    pub fn contains(&self, x: f32, y: f32) -> bool {
        x >= 0.0 && y >= 0.0 && (x as usize) + 1 < self.width && (y as usize) + 1 < self.height
    }

    /// Adds the grey values at the first `n` of some positions, which the picture contains,
    /// interpolated bilinearly, to `values`.
    #[allow(clippy::inline_always, reason = "must be compiled inside a dispatched function")]
    #[inline(always)]
    pub fn sample_all<const N: usize>(
        &self,
        (x, y): (&[f32; N], &[f32; N]),
        n: usize,
        weights: &Weights,
        values: &mut [f32; N],
    ) {
        let (mut column, mut row) = ([0_u32; N], [0_u32; N]);
        let (mut fx, mut fy) = ([0.0_f32; N], [0.0_f32; N]);
        for k in 0..N {
            (column[k], fx[k]) = split(x[k]);
            (row[k], fy[k]) = split(y[k]);
        }
        for (plane, weight) in self.planes.iter().zip(weights).take(self.channels) {
            let mut corners = [[0_u8; N]; 4];
            for k in 0..n.min(N) {
                let i = row[k] as usize * self.stride + column[k] as usize * self.step;
                let top = &plane[i..=i + self.step];
                let bottom = &plane[i + self.stride..=i + self.stride + self.step];
                (corners[0][k], corners[1][k]) = (top[0], top[self.step]);
                (corners[2][k], corners[3][k]) = (bottom[0], bottom[self.step]);
            }
            let weight = if self.channels == 1 { 1.0 } else { *weight };
            for k in 0..N {
                let [a, b, c, d] = [0, 1, 2, 3].map(|i: usize| f32::from(corners[i][k]));
                let top = a + (b - a) * fx[k];
                let bottom = c + (d - c) * fx[k];
                values[k] += weight * (top + (bottom - top) * fy[k]);
            }
        }
    }

    /// Grey value at a position, interpolated bilinearly; `None` outside of the
    /// pixel centres.
    #[inline]
    pub fn sample(&self, x: f32, y: f32, weights: &Weights) -> Option<f32> {
        let mut value = [0.0];
        self.contains(x, y).then(|| {
            self.sample_all((&[x], &[y]), 1, weights, &mut value);
            value[0]
        })
    }
}
