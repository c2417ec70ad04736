//! A frame as half-block characters: two pixels a character, one above the other.

use plumbline_plugin_api::{Circle, Frame, PixelFormat};
use ratatui::{buffer::Buffer, layout::Rect, style::Color};

/// How many colours the terminal is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Palette {
    /// 24-bit colours.
    True,
    /// The 256 colours of xterm.
    Indexed,
}

impl Palette {
    /// What the environment says that the terminal can show.
    pub(crate) fn of_terminal() -> Self {
        match std::env::var("COLORTERM").as_deref() {
            Ok("truecolor" | "24bit") => Self::True,
            _ => Self::Indexed,
        }
    }

    fn colour(self, [r, g, b]: [u8; 3]) -> Color {
        match self {
            Self::True => Color::Rgb(r, g, b),
            // xterm: 24 greys from 232 in steps of 10, else a cube of 6 x 6 x 6 from 16.
            Self::Indexed if r == g && g == b => match r {
                0..=3 => Color::Indexed(16),
                247..=255 => Color::Indexed(231),
                _ => Color::Indexed(232 + ((u16::from(r) - 3) / 10).min(23) as u8),
            },
            Self::Indexed => {
                let level = |v: u8| ((u16::from(v) * 5 + 127) / 255) as u8;
                Color::Indexed(16 + 36 * level(r) + 6 * level(g) + level(b))
            }
        }
    }
}

/// A frame made small, with what was found in it.
#[derive(Default)]
pub(crate) struct Picture {
    width: usize,
    height: usize,
    /// Red, green, blue; rows from top to bottom.
    pixels: Vec<[u8; 3]>,
}

const MARK: [u8; 3] = [80, 255, 80];

impl Picture {
    /// Makes `frame` fit into `columns` x `lines` characters, its aspect kept
    /// (a character is taken to be twice as high as wide), and draws `circles`.
    pub(crate) fn take(&mut self, frame: &Frame<'_>, circles: &[Circle], columns: u16, lines: u16) {
        let (columns, rows) = (f64::from(columns), f64::from(lines) * 2.0);
        let (w, h) = (f64::from(frame.width()), f64::from(frame.height()));
        let scale = (columns / w).min(rows / h).min(1.0);
        if w == 0.0 || h == 0.0 || scale == 0.0 {
            *self = Self::default();
            return;
        }
        self.width = ((w * scale) as usize).max(1);
        self.height = ((h * scale) as usize).max(1);
        self.pixels.clear();
        self.sample(frame);
        for circle in circles {
            self.mark(circle, self.width as f64 / w, self.height as f64 / h);
        }
    }

    /// Averages a grid of at most 4 x 4 pixels of the frame for each one of the picture.
    fn sample(&mut self, frame: &Frame<'_>) {
        let (w, h) = (frame.width() as usize, frame.height() as usize);
        let bytes = frame.format().bytes_per_pixel();
        let grey = frame.format() == PixelFormat::GRAY8;
        for y in 0..self.height {
            let ys = (y * h / self.height, ((y + 1) * h / self.height).min(h));
            for x in 0..self.width {
                let xs = (x * w / self.width, ((x + 1) * w / self.width).min(w));
                let (mut sum, mut n) = ([0_u32; 3], 0);
                for row in (ys.0..ys.1.max(ys.0 + 1)).step_by((ys.1 - ys.0).div_ceil(4).max(1)) {
                    let row = frame.row(row as u32);
                    for i in (xs.0..xs.1.max(xs.0 + 1)).step_by((xs.1 - xs.0).div_ceil(4).max(1)) {
                        let p = &row[i * bytes..(i + 1) * bytes];
                        let rgb = if grey { [p[0]; 3] } else { [p[2], p[1], p[0]] };
                        sum.iter_mut().zip(rgb).for_each(|(s, v)| *s += u32::from(v));
                        n += 1;
                    }
                }
                self.pixels.push(sum.map(|s| (s / n) as u8));
            }
        }
    }

    /// Draws a circle of the frame with a cross at its centre.
    fn mark(&mut self, circle: &Circle, scale_x: f64, scale_y: f64) {
        // Integer coordinates are pixel centres, hence the halves.
        let (x, y) = ((circle.x + 0.5) * scale_x, (circle.y + 0.5) * scale_y);
        let radius = if circle.radius.is_finite() { circle.radius } else { 0.0 };
        self.set(x, y);
        for i in 0..256 {
            let (sin, cos) = (f64::from(i) * std::f64::consts::TAU / 256.0).sin_cos();
            self.set(x + radius * scale_x * cos, y + radius * scale_y * sin);
        }
    }

    fn set(&mut self, x: f64, y: f64) {
        if x >= 0.0 && y >= 0.0 && x < self.width as f64 && y < self.height as f64 {
            self.pixels[y as usize * self.width + x as usize] = MARK;
        }
    }

    /// Draws it in the middle of `area`.
    pub(crate) fn draw(&self, buffer: &mut Buffer, area: Rect, palette: Palette) {
        let columns = self.width.min(area.width.into());
        let lines = self.height.div_ceil(2).min(area.height.into());
        let left = area.x + (area.width - columns as u16) / 2;
        for line in 0..lines {
            for column in 0..columns {
                let at = |y: usize| {
                    let pixel = (y < self.height).then(|| self.pixels[y * self.width + column]);
                    pixel.map_or(Color::Reset, |p| palette.colour(p))
                };
                let cell = &mut buffer[(left + column as u16, area.y + line as u16)];
                cell.set_char('▀').set_fg(at(2 * line)).set_bg(at(2 * line + 1));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(picture: &Picture, width: u16, height: u16) -> Buffer {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        picture.draw(&mut buffer, area, Palette::True);
        buffer
    }

    #[test]
    fn a_pixel_becomes_half_a_character() {
        let mut picture = Picture::default();
        let frame = Frame::packed(&[10, 20, 30, 40], 2, 2, PixelFormat::GRAY8).unwrap();
        picture.take(&frame, &[], 2, 1);
        let buffer = drawn(&picture, 2, 1);
        assert_eq!(buffer[(0, 0)].fg, Color::Rgb(10, 10, 10));
        assert_eq!(buffer[(1, 0)].bg, Color::Rgb(40, 40, 40));
    }

    #[test]
    fn blue_comes_first_in_a_frame_and_last_on_the_terminal() {
        let mut picture = Picture::default();
        let frame = Frame::packed(&[1, 2, 3], 1, 1, PixelFormat::BGR8).unwrap();
        picture.take(&frame, &[], 1, 1);
        assert_eq!(drawn(&picture, 1, 1)[(0, 0)].fg, Color::Rgb(3, 2, 1));
    }

    #[test]
    fn the_mark_lies_where_the_circle_is() {
        let mut picture = Picture::default();
        let pixels = vec![0; 100 * 100];
        let frame = Frame::packed(&pixels, 100, 100, PixelFormat::GRAY8).unwrap();
        picture.take(&frame, &[Circle { x: 70.0, y: 30.0, radius: f64::NAN }], 20, 10);
        let marked: Vec<usize> =
            (0..picture.pixels.len()).filter(|&i| picture.pixels[i] == MARK).collect();
        assert_eq!(marked, [6 * 20 + 14]);
    }

    #[test]
    fn odd_frames_and_areas_are_drawn_without_a_panic() {
        let data = vec![128; 64 * 64 * 3];
        let circle = Circle { x: -1e9, y: f64::NAN, radius: 1e9 };
        for (w, h) in [(0, 0), (1, 1), (1, 64), (64, 1), (7, 5), (63, 64)] {
            for format in [PixelFormat::GRAY8, PixelFormat::BGR8] {
                let frame = Frame::new(&data, w, h, 64 * format.bytes_per_pixel(), format).unwrap();
                for (columns, lines) in [(0, 0), (1, 0), (1, 1), (3, 200), (200, 3)] {
                    let mut picture = Picture::default();
                    picture.take(&frame, &[circle], columns, lines);
                    drawn(&picture, columns, lines);
                    drawn(&picture, 2, 2);
                }
            }
        }
    }

    #[test]
    fn greys_go_to_the_grey_ramp_and_colours_to_the_cube() {
        assert_eq!(Palette::Indexed.colour([0; 3]), Color::Indexed(16));
        assert_eq!(Palette::Indexed.colour([8; 3]), Color::Indexed(232));
        assert_eq!(Palette::Indexed.colour([238; 3]), Color::Indexed(255));
        assert_eq!(Palette::Indexed.colour([255; 3]), Color::Indexed(231));
        assert_eq!(Palette::Indexed.colour([0, 0, 255]), Color::Indexed(21));
    }
}
