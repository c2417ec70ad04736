//! Pictures to try detectors on: exact discs on a plain background, padding,
//! noise.

use plumbline_plugin_api::{Frame, PixelFormat};

/// Sub-rows into which a row is cut; along a row the coverage is exact. The
/// centroid of a disc of radius 20 is off by less than 1e-4 px with 32.
const SUB_ROWS: u32 = 32;

/// A disc on a plain background. Coordinates as everywhere: integers are pixel centres.
#[derive(Debug, Clone, Copy)]
pub struct Disc {
    /// Centre, pixels.
    pub x: f64,
    /// Centre, pixels.
    pub y: f64,
    /// Radius, pixels.
    pub radius: f64,
    /// Grey level inside.
    pub inside: u8,
    /// Grey level outside.
    pub outside: u8,
}

/// A picture with its own memory.
#[derive(Debug, Clone)]
pub struct Picture {
    data: Vec<u8>,
    width: u32,
    height: u32,
    stride: usize,
    format: PixelFormat,
}

impl Picture {
    /// A picture of one grey level.
    pub fn plain(width: u32, height: u32, format: PixelFormat, level: u8) -> Self {
        let stride = width as usize * format.bytes_per_pixel();
        let data = vec![level; stride * height as usize];
        Self { data, width, height, stride, format }
    }

    /// A picture of bytes that `next` makes.
    pub fn of(width: u32, height: u32, format: PixelFormat, mut next: impl FnMut() -> u8) -> Self {
        let mut picture = Self::plain(width, height, format, 0);
        picture.data.fill_with(&mut next);
        picture
    }

    /// An area-sampled disc: every pixel is the mean of the scene over its square.
    pub fn disc(width: u32, height: u32, format: PixelFormat, disc: Disc) -> Self {
        let mut picture = Self::plain(width, height, format, disc.outside);
        let step = f64::from(disc.inside) - f64::from(disc.outside);
        let channels = format.bytes_per_pixel();
        let mut coverage = vec![0.0; width as usize];
        for y in 0..height {
            coverage.fill(0.0);
            cover(&mut coverage, f64::from(y), disc);
            let row = &mut picture.data[y as usize * picture.stride..];
            for (pixel, &part) in row.chunks_exact_mut(channels).zip(&coverage) {
                pixel.fill((f64::from(disc.outside) + step * part).round() as u8);
            }
        }
        picture
    }

    /// The same pixels with `bytes` of padding after each row, filled with `filler`.
    #[must_use]
    pub fn padded(&self, bytes: usize, filler: u8) -> Self {
        let stride = self.stride + bytes;
        let mut data = vec![filler; stride * self.height as usize];
        let row = self.width as usize * self.format.bytes_per_pixel();
        for y in 0..self.height as usize {
            data[y * stride..y * stride + row]
                .copy_from_slice(&self.data[y * self.stride..y * self.stride + row]);
        }
        Self { data, stride, ..*self }
    }

    /// All bytes, padding included.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The picture as a frame with this number.
    pub fn frame(&self, id: u64) -> Frame<'_> {
        Frame::new(&self.data, self.width, self.height, self.stride, self.format)
            .expect("the sizes were made to fit")
            .with_id(id)
            .with_captured_ns(id * 16_666_667)
    }
}

/// Adds to each pixel of row `y` the part of its area that `disc` covers.
fn cover(coverage: &mut [f64], y: f64, disc: Disc) {
    for sub in 0..SUB_ROWS {
        let dy = y - 0.5 + (f64::from(sub) + 0.5) / f64::from(SUB_ROWS) - disc.y;
        let half = disc.radius * disc.radius - dy * dy;
        if half <= 0.0 {
            continue;
        }
        let (left, right) = (disc.x - half.sqrt(), disc.x + half.sqrt());
        let first = (left - 0.5).ceil().max(0.0) as usize;
        for (x, part) in coverage.iter_mut().enumerate().skip(first.saturating_sub(1)) {
            let x = x as f64;
            if x - 0.5 >= right {
                break;
            }
            let overlap = (x + 0.5).min(right) - (x - 0.5).max(left);
            *part += overlap.clamp(0.0, 1.0) / f64::from(SUB_ROWS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISC: Disc = Disc { x: 31.3, y: 28.7, radius: 20.0, inside: 255, outside: 0 };

    #[test]
    fn the_disc_has_its_area_and_its_centre() {
        let picture = Picture::disc(64, 64, PixelFormat::GRAY8, DISC);
        let (mut n, mut sx, mut sy) = (0.0, 0.0, 0.0);
        for (i, &v) in picture.data().iter().enumerate() {
            let v = f64::from(v) / 255.0;
            n += v;
            sx += v * (i % 64) as f64;
            sy += v * (i / 64) as f64;
        }
        assert!((n - std::f64::consts::PI * 400.0).abs() < 0.5, "{n}");
        assert!((sx / n - DISC.x).abs() < 2e-3 && (sy / n - DISC.y).abs() < 2e-3);
    }

    #[test]
    fn a_disc_at_the_edge_is_cut_off() {
        let disc = Disc { x: 0.0, y: 0.0, ..DISC };
        let picture = Picture::disc(64, 64, PixelFormat::GRAY8, disc);
        let n: f64 = picture.data().iter().map(|&v| f64::from(v) / 255.0).sum();
        // A quarter of the disc and the half pixels left of and above the axes.
        let expected = std::f64::consts::PI * 100.0 + 2.0 * 0.5 * 20.0 + 0.25;
        assert!((n - expected).abs() < 0.5, "{n} {expected}");
    }

    #[test]
    fn padding_changes_no_pixel() {
        let picture = Picture::disc(33, 17, PixelFormat::BGR8, DISC);
        let padded = picture.padded(7, 0xAA);
        for y in 0..17 {
            assert_eq!(picture.frame(0).row(y), padded.frame(0).row(y));
        }
        assert_eq!(padded.data().len(), (33 * 3 + 7) * 17);
    }
}
