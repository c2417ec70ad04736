//! Decimation: every level halves the one below by averaging 2 x 2 pixels.
//!
//! Index i of level n lies at `2^n i + (2^n - 1) / 2` at full resolution (the
//! half-pixel rule).

use crate::{
    image::Image,
    simd::{LINE, dispatch, prefetch},
};

/// Levels above full resolution that a picture of 8192 x 8192 can want.
pub const MAX_LEVELS: usize = 10;

/// Position at full resolution of position `v` of level `level`.
#[inline]
pub fn to_full(v: f64, level: usize) -> f64 {
    let scale = f64::from(1_u32 << level);
    scale * v + (scale - 1.0) / 2.0
}

/// Position in level `level` of position `v` at full resolution.
#[inline]
pub fn to_level(v: f64, level: usize) -> f64 {
    let scale = f64::from(1_u32 << level);
    (v - (scale - 1.0) / 2.0) / scale
}

#[derive(Debug, Default)]
struct Level {
    planes: [Vec<u8>; 3],
    width: usize,
    height: usize,
}

/// The reduced pictures of one frame. Memory is kept between frames.
#[derive(Debug, Default)]
pub struct Pyramid {
    levels: [Level; MAX_LEVELS],
    channels: usize,
}

impl Pyramid {
    /// Fills levels 1 to `top`.
    pub fn build(&mut self, full: &Image<'_>, top: usize) {
        self.channels = full.channels();
        for n in 1..=top.min(MAX_LEVELS) {
            let (below, above) = self.levels.split_at_mut(n - 1);
            let level = &mut above[0];
            let source = match below.last() {
                None => *full,
                Some(below) => below.image(self.channels),
            };
            level.halve(&source);
        }
    }

    /// Level `n` of the picture that was built last; level 0 is `full`.
    pub fn level<'a>(&'a self, full: &Image<'a>, n: usize) -> Image<'a> {
        if n == 0 { *full } else { self.levels[n - 1].image(self.channels) }
    }
}

impl Level {
    fn image(&self, channels: usize) -> Image<'_> {
        let [a, b, c] = &self.planes;
        Image::planar([a, b, c], channels, self.width, self.height)
    }

    fn halve(&mut self, source: &Image<'_>) {
        self.width = source.width / 2;
        self.height = source.height / 2;
        for c in 0..source.channels() {
            let plane = &mut self.planes[c];
            plane.resize(self.width * self.height, 0);
            if self.width == 0 {
                continue;
            }
            for (y, out) in plane.chunks_exact_mut(self.width).enumerate() {
                let (top, bottom) = (source.row(c, 2 * y), source.row(c, 2 * y + 1));
                if source.step() == 1 {
                    let ahead = (2 * y + AHEAD + 1 < source.height).then_some(2 * y + AHEAD);
                    let ahead = ahead.map(|y| [source.row(c, y), source.row(c, y + 1)]);
                    halve_row(top, bottom, ahead.unwrap_or_default(), out);
                } else {
                    halve_interleaved_row(top, bottom, out);
                }
            }
        }
    }
}

/// Rows by which memory is asked for before it is read. The processor's own
/// prefetching begins anew in every page, and a row of a large picture fills one.
const AHEAD: usize = 4;

dispatch! {
    /// Averages 2 x 2 pixels of two rows of single bytes; `ahead` are rows that
    /// will be read soon.
    fn halve_row(top: &[u8], bottom: &[u8], ahead: [&[u8]; 2], out: &mut [u8]) {
        let n = 2 * out.len();
        let (tops, top) = top[..n].as_chunks::<LINE>();
        let (bottoms, bottom) = bottom[..n].as_chunks::<LINE>();
        let (outs, out) = out.as_chunks_mut::<{ LINE / 2 }>();
        for (k, ((out, top), bottom)) in outs.iter_mut().zip(tops).zip(bottoms).enumerate() {
            for row in ahead {
                prefetch(row, LINE * k);
            }
            halve(top, bottom, out);
        }
        halve(top, bottom, out);
    }
}

#[allow(clippy::inline_always, reason = "must be vectorised inside the caller's loop")]
#[inline(always)]
fn halve(top: &[u8], bottom: &[u8], out: &mut [u8]) {
    let pairs = top.chunks_exact(2).zip(bottom.chunks_exact(2));
    for (out, (a, b)) in out.iter_mut().zip(pairs) {
        let a = u16::from_le_bytes([a[0], a[1]]);
        let b = u16::from_le_bytes([b[0], b[1]]);
        let sum = (a & 0xff) + (a >> 8) + (b & 0xff) + (b >> 8);
        *out = ((sum + 2) >> 2) as u8;
    }
}

dispatch! {
    /// Averages 2 x 2 pixels of two rows with three bytes a pixel.
    fn halve_interleaved_row(top: &[u8], bottom: &[u8], out: &mut [u8]) {
        for (x, out) in out.iter_mut().enumerate() {
            let i = 6 * x;
            let sum = u16::from(top[i])
                + u16::from(top[i + 3])
                + u16::from(bottom[i])
                + u16::from(bottom[i + 3]);
            *out = ((sum + 2) >> 2) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_the_mean_of_four_pixels_and_drops_the_odd_edge() {
        let data = [1, 3, 10, 20, 9, 5, 7, 10, 20, 9];
        let full = Image::grey(&data, 5, 2, 5);
        let mut pyramid = Pyramid::default();
        pyramid.build(&full, 1);
        let half = pyramid.level(&full, 1);
        assert_eq!((half.width, half.height), (2, 1));
        assert_eq!(half.row(0, 0), [4, 15]);
    }

    #[test]
    fn interleaved_channels_become_planes() {
        let data: Vec<u8> = (0..24).collect();
        let frame = plumbline_plugin_api::Frame::packed(
            &data,
            4,
            2,
            plumbline_plugin_api::PixelFormat::BGR8,
        )
        .unwrap();
        let full = Image::of_frame(&frame).unwrap();
        let mut pyramid = Pyramid::default();
        pyramid.build(&full, 1);
        let half = pyramid.level(&full, 1);
        for c in 0..3 {
            // Means of {0, 3, 12, 15} + c and {6, 9, 18, 21} + c, rounded half up.
            assert_eq!(half.row(c, 0), [8 + c as u8, 14 + c as u8]);
        }
    }

    #[test]
    fn the_half_pixel_rule_holds_both_ways() {
        assert_eq!(to_full(3.0, 1), 6.5);
        assert_eq!(to_full(3.0, 2), 13.5);
        assert_eq!(to_level(to_full(7.25, 3), 3), 7.25);
    }
}
