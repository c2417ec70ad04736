//! The client's view: the frame with what was found in it.

use std::f64::consts::TAU;

use embedded_graphics::{
    geometry::{Point, Size},
    pixelcolor::Rgb888,
    primitives::Rectangle,
    text::Alignment,
};
use plumbline_plugin_api::{Frame, Overlay, PixelFormat};

use crate::canvas::{Canvas, MEDIUM, SMALL, colour};

/// Rows of the caption below the frame, in pixels.
pub(crate) const CAPTION: i32 = 54;

/// Draws everything anew on a canvas that was reset.
pub(crate) fn draw(canvas: &mut Canvas, frame: &Frame<'_>, overlay: &Overlay<'_>) {
    let (w, h) = (f64::from(frame.width()), f64::from(frame.height()));
    let room = (f64::from(canvas.width()), f64::from(canvas.height() - CAPTION));
    let scale = (room.0 / w).min(room.1 / h);
    if w > 0.0 && h > 0.0 && scale > 0.0 {
        let left = ((room.0 - w * scale) / 2.0).max(0.0) as i32;
        let top = ((room.1 - h * scale) / 2.0).max(0.0) as i32;
        let view = View { scale, left, top };
        view.draw_pixels(canvas, frame);
        for (i, d) in overlay.detections.iter().take(32).enumerate().rev() {
            let shade = if i == 0 { colour::ESTIMATE } else { colour::ERROR };
            view.mark(canvas, d.x, d.y, d.radius, shade);
        }
        if let Some(truth) = overlay.truth.into_option() {
            view.mark(canvas, truth.x, truth.y, truth.radius, colour::ACTUAL);
        }
    }
    draw_caption(canvas, frame, overlay);
}

/// How the frame lies on the canvas.
struct View {
    /// Pixels of the canvas for one of the frame.
    scale: f64,
    left: i32,
    top: i32,
}

impl View {
    /// Each pixel is the mean of 2 x 2 samples, which smooths frames that are made smaller.
    fn draw_pixels(&self, canvas: &mut Canvas, frame: &Frame<'_>) {
        let (w, h) = (frame.width() as usize, frame.height() as usize);
        let bytes = frame.format().bytes_per_pixel();
        let grey = frame.format() == PixelFormat::GRAY8;
        let samples = |length: usize| -> Vec<[usize; 2]> {
            (0..(length as f64 * self.scale) as usize)
                .map(|i| {
                    [0.25, 0.75]
                        .map(|part| (((i as f64 + part) / self.scale) as usize).min(length - 1))
                })
                .collect()
        };
        let columns = samples(w);
        for (i, ys) in samples(h).iter().enumerate() {
            let rows = ys.map(|y| frame.row(y as u32));
            let target = canvas.row_mut(self.top as usize + i, self.left as usize);
            for (pixel, xs) in target.iter_mut().zip(&columns) {
                let channel = |c: usize| {
                    let sum: u32 =
                        rows.iter().flat_map(|row| xs.map(|x| u32::from(row[x * bytes + c]))).sum();
                    (sum + 2) / 4
                };
                *pixel = if grey {
                    channel(0) * 0x0001_0101
                } else {
                    channel(2) << 16 | channel(1) << 8 | channel(0)
                };
            }
        }
    }

    /// A circle with a cross at its centre, in the frame's coordinates.
    fn mark(&self, canvas: &mut Canvas, x: f64, y: f64, radius: f64, shade: Rgb888) {
        const CROSS: i32 = 7;
        // Integer coordinates are pixel centres, hence the halves.
        let at = |x: f64, y: f64| {
            let place = |v: f64| ((v + 0.5) * self.scale).round() as i32;
            Point::new(place(x).saturating_add(self.left), place(y).saturating_add(self.top))
        };
        if !x.is_finite() || !y.is_finite() {
            return;
        }
        let c = at(x, y);
        for (dx, dy) in [(CROSS, 0), (0, CROSS)] {
            let from = Point::new(c.x.saturating_sub(dx), c.y.saturating_sub(dy));
            let to = Point::new(c.x.saturating_add(dx), c.y.saturating_add(dy));
            canvas.line(from, to, 1, shade);
        }
        if radius.is_finite() {
            let corners: Vec<Point> = (0..=96)
                .map(|i| (f64::from(i) * TAU / 96.0).sin_cos())
                .map(|(sin, cos)| at(x + radius * cos, y + radius * sin))
                .collect();
            corners.windows(2).for_each(|pair| canvas.line(pair[0], pair[1], 2, shade));
        }
    }
}

fn draw_caption(canvas: &mut Canvas, frame: &Frame<'_>, overlay: &Overlay<'_>) {
    let (width, top) = (canvas.width(), canvas.height() - CAPTION);
    let bar = Rectangle::new(Point::new(0, top), Size::new(width as u32, CAPTION as u32));
    canvas.fill(bar, colour::CARD);
    let found = overlay.detections.as_slice();
    let (text, shade) = match found.first() {
        Some(d) => {
            let radius =
                if d.radius.is_finite() { format!("  r {:.2}", d.radius) } else { String::new() };
            (format!("{:.2}, {:.2}{radius}  score {:.3}", d.x, d.y, d.score), colour::ESTIMATE)
        }
        None => ("nothing found".to_owned(), colour::BAD),
    };
    canvas.text(&text, Point::new(12, top + 7), MEDIUM, Alignment::Left, shade);
    let detect = if overlay.detect_ms.is_finite() {
        format!("detect {:.2} ms", overlay.detect_ms)
    } else {
        "detect -".to_owned()
    };
    let numbers = format!(
        "{:.1} fps   {detect}   frame {}   {} x {}   received {}   dropped {}",
        overlay.fps,
        frame.id(),
        frame.width(),
        frame.height(),
        overlay.received,
        overlay.dropped,
    );
    canvas.text(&numbers, Point::new(12, top + 32), SMALL, Alignment::Left, colour::LABEL);
}

#[cfg(test)]
mod tests {
    use plumbline_plugin_api::Detection;

    use super::*;

    fn drawn(width: usize, height: usize, frame: &Frame<'_>, found: &[Detection]) -> Canvas {
        let mut canvas = Canvas::default();
        canvas.reset(width, height);
        draw(&mut canvas, frame, &Overlay::new(found));
        canvas
    }

    #[test]
    fn a_frame_keeps_its_colours_and_its_aspect() {
        let data = [10, 20, 30, 40, 50, 60];
        let frame = Frame::packed(&data, 2, 1, PixelFormat::BGR8).unwrap();
        let canvas = drawn(40, 20 + CAPTION as usize, &frame, &[]);
        assert_eq!(canvas.pixels()[0], 0x001e_140a);
        assert_eq!(canvas.pixels()[19 * 40 + 39], 0x003c_3228);
    }

    #[test]
    fn the_cross_is_where_the_detection_is() {
        let data = vec![0; 100 * 100];
        let frame = Frame::packed(&data, 100, 100, PixelFormat::GRAY8).unwrap();
        let canvas = drawn(
            200,
            200 + CAPTION as usize,
            &frame,
            &[Detection::new(60.0, 30.0, f64::NAN, 1.0)],
        );
        // (60 + 0.5) * 2 and (30 + 0.5) * 2.
        assert_eq!(canvas.pixels()[61 * 200 + 121], 0x0050_dc78);
        assert_eq!(canvas.pixels()[61 * 200 + 130], 0);
    }

    #[test]
    fn odd_frames_windows_and_detections_are_drawn_without_a_panic() {
        let data = vec![128; 64 * 64 * 3];
        let wild = [
            Detection::new(f64::NAN, 0.0, 1.0, 0.0),
            Detection::new(1e300, -1e300, 1e300, f64::NAN),
            Detection::new(2.0, 2.0, 1.0, 1.0),
        ];
        for (w, h) in [(0, 0), (0, 5), (1, 1), (1, 64), (64, 1), (7, 5), (63, 64)] {
            for format in [PixelFormat::GRAY8, PixelFormat::BGR8] {
                let frame = Frame::new(&data, w, h, 64 * format.bytes_per_pixel(), format).unwrap();
                for size in [(1, 1), (3, 200), (300, 20), (200, 100)] {
                    drawn(size.0, size.1, &frame, &wild);
                }
            }
        }
    }
}
