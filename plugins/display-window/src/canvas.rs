//! Pixels to draw on, and the few things that the views draw.

use std::convert::Infallible;

use embedded_graphics::{
    mono_font::{MonoFont, MonoTextStyle, ascii},
    pixelcolor::{Rgb888, RgbColor},
    prelude::*,
    primitives::Rectangle,
    text::{Alignment, Baseline, Text, TextStyleBuilder},
};

/// Dark, with colours that stay apart for colour-blind eyes.
pub(crate) mod colour {
    use super::Rgb888;

    pub(crate) const GROUND: Rgb888 = Rgb888::new(17, 20, 26);
    pub(crate) const CARD: Rgb888 = Rgb888::new(28, 33, 42);
    pub(crate) const GRID: Rgb888 = Rgb888::new(52, 60, 74);
    pub(crate) const LABEL: Rgb888 = Rgb888::new(142, 152, 170);
    pub(crate) const TEXT: Rgb888 = Rgb888::new(228, 232, 240);
    pub(crate) const ACTUAL: Rgb888 = Rgb888::new(86, 180, 233);
    pub(crate) const ESTIMATE: Rgb888 = Rgb888::new(80, 220, 120);
    pub(crate) const ERROR: Rgb888 = Rgb888::new(240, 200, 70);
    pub(crate) const BAD: Rgb888 = Rgb888::new(235, 110, 70);
}

/// Labels.
pub(crate) const SMALL: &MonoFont<'_> = &ascii::FONT_7X13;
/// Numbers.
pub(crate) const MEDIUM: &MonoFont<'_> = &ascii::FONT_9X18_BOLD;
/// The largest one there is; [`Canvas::large_text`] doubles it.
pub(crate) const LARGE: &MonoFont<'_> = &ascii::FONT_8X13_BOLD;

/// A picture of `0xRRGGBB` pixels; what lies outside is not drawn.
#[derive(Default)]
pub(crate) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u32>,
}

impl Canvas {
    /// Makes it this large and of one colour.
    pub(crate) fn reset(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        self.pixels.clear();
        self.pixels.resize(width * height, raw(colour::GROUND));
    }

    pub(crate) fn width(&self) -> i32 {
        self.width as i32
    }

    pub(crate) fn height(&self) -> i32 {
        self.height as i32
    }

    pub(crate) fn pixels(&self) -> &[u32] {
        &self.pixels
    }

    /// The part of row `y` from `left` on that lies inside, to be written to.
    pub(crate) fn row_mut(&mut self, y: usize, left: usize) -> &mut [u32] {
        if y >= self.height || left >= self.width {
            return &mut [];
        }
        &mut self.pixels[y * self.width + left..(y + 1) * self.width]
    }

    pub(crate) fn fill(&mut self, area: Rectangle, colour: Rgb888) {
        let Ok(()) = self.fill_solid(&area, colour);
    }

    /// A line of `width` x `width` squares. Its ends may lie anywhere.
    pub(crate) fn line(&mut self, from: Point, to: Point, width: u32, colour: Rgb888) {
        let (x, y) = (f64::from(from.x), f64::from(from.y));
        let (dx, dy) = (f64::from(to.x) - x, f64::from(to.y) - y);
        // Liang and Barsky: the part of the line, from 0 to 1, that is inside.
        let margin = f64::from(width);
        let (mut first, mut last) = (0.0_f64, 1.0_f64);
        for (start, step, end) in [(x, dx, self.width as f64), (y, dy, self.height as f64)] {
            let (low, high) = (-margin - start, end + margin - start);
            if step == 0.0 {
                if low > 0.0 || high < 0.0 {
                    return;
                }
                continue;
            }
            let (a, b) = (low / step, high / step);
            first = first.max(a.min(b));
            last = last.min(a.max(b));
        }
        if first > last {
            return;
        }
        let length = (last - first) * dx.abs().max(dy.abs());
        let steps = length.ceil().max(1.0);
        let corner = (width / 2) as i32;
        for i in 0..=steps as u32 {
            let share = first + (last - first) * f64::from(i) / steps;
            let at = Point::new((x + share * dx).round() as i32, (y + share * dy).round() as i32);
            self.fill(
                Rectangle::new(at - Point::new_equal(corner), Size::new_equal(width)),
                colour,
            );
        }
    }

    /// Text whose left, middle or right end (by `alignment`) is at `at.x` and whose top is at `at.y`.
    pub(crate) fn text(
        &mut self,
        text: &str,
        at: Point,
        font: &MonoFont<'_>,
        alignment: Alignment,
        colour: Rgb888,
    ) {
        let layout = TextStyleBuilder::new().alignment(alignment).baseline(Baseline::Top).build();
        let style = MonoTextStyle::new(font, colour);
        let Ok(_) = Text::with_text_style(text, at, style, layout).draw(self);
    }

    /// Text of [`LARGE`], twice as large, from its top left corner on.
    pub(crate) fn large_text(&mut self, text: &str, at: Point, colour: Rgb888) {
        let style = MonoTextStyle::new(LARGE, colour);
        let mut target = Doubled { canvas: self, at };
        let Ok(_) =
            Text::with_baseline(text, Point::zero(), style, Baseline::Top).draw(&mut target);
    }
}

fn raw(colour: Rgb888) -> u32 {
    u32::from(colour.r()) << 16 | u32::from(colour.g()) << 8 | u32::from(colour.b())
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.width as u32, self.height as u32)
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Infallible> {
        for Pixel(point, colour) in pixels {
            if let (Ok(x), Ok(y)) = (usize::try_from(point.x), usize::try_from(point.y))
                && x < self.width
                && y < self.height
            {
                self.pixels[y * self.width + x] = raw(colour);
            }
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, colour: Rgb888) -> Result<(), Infallible> {
        let area = area.intersection(&self.bounding_box());
        for y in area.rows() {
            let left = area.top_left.x as usize;
            self.row_mut(y as usize, left)[..area.size.width as usize].fill(raw(colour));
        }
        Ok(())
    }
}

/// Draws every pixel as 2 x 2.
struct Doubled<'a> {
    canvas: &'a mut Canvas,
    at: Point,
}

impl Dimensions for Doubled<'_> {
    fn bounding_box(&self) -> Rectangle {
        self.canvas.bounding_box()
    }
}

impl DrawTarget for Doubled<'_> {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Infallible> {
        for Pixel(point, colour) in pixels {
            self.canvas.fill(Rectangle::new(self.at + point * 2, Size::new(2, 2)), colour);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_is_not_drawn() {
        let mut canvas = Canvas::default();
        canvas.reset(4, 3);
        canvas.fill(Rectangle::new(Point::new(-5, 2), Size::new(7, 99)), colour::TEXT);
        let lit: Vec<usize> =
            (0..12).filter(|&i| canvas.pixels()[i] == raw(colour::TEXT)).collect();
        assert_eq!(lit, [8, 9]);
        canvas.line(Point::new(i32::MIN, 0), Point::new(i32::MAX, 0), 2, colour::TEXT);
        canvas.large_text("far", Point::new(1000, -1000), colour::TEXT);
        assert!(canvas.row_mut(3, 0).is_empty() && canvas.row_mut(0, 4).is_empty());
    }

    #[test]
    fn a_line_runs_from_end_to_end_whatever_is_cut_off() {
        let lit = |from: (i32, i32), to: (i32, i32)| {
            let mut canvas = Canvas::default();
            canvas.reset(5, 5);
            canvas.line(Point::new(from.0, from.1), Point::new(to.0, to.1), 1, colour::TEXT);
            (0..25).filter(|&i| canvas.pixels()[i] == raw(colour::TEXT)).collect::<Vec<_>>()
        };
        assert_eq!(lit((1, 1), (3, 3)), [6, 12, 18]);
        assert_eq!(lit((-1000, 2), (1000, 2)), [10, 11, 12, 13, 14]);
        assert_eq!(lit((2, 2), (2, 2)), [12]);
        assert_eq!(lit((i32::MIN, i32::MIN), (i32::MAX, i32::MAX)), [0, 6, 12, 18, 24]);
        assert!(lit((-9, 20), (9, 20)).is_empty() && lit((-9, 0), (0, -9)).is_empty());
    }

    #[test]
    fn colours_are_red_green_blue_from_the_top() {
        assert_eq!(raw(Rgb888::new(1, 2, 3)), 0x0001_0203);
    }
}
