//! The live view of frames and detections.

use plumbline_plugin_api::{Circle, Detection, Frame, Overlay};
use ratatui::{
    layout::{Constraint, Layout, Rect},
    style::Color,
    text::Line,
    widgets::{Block, Borders},
};

use crate::{
    format,
    picture::{Palette, Picture},
    server::{DIM, draw_log, draw_title, labelled},
};

/// The last frame and what was found in it.
pub(crate) struct ClientView {
    last: Option<Shown>,
    picture: Option<Picture>,
    palette: Palette,
    /// Characters that the picture had at the last drawing.
    room: (u16, u16),
}

/// The numbers of one frame.
struct Shown {
    frame: u64,
    size: (u32, u32),
    found: usize,
    best: Option<Detection>,
    detect_ms: f64,
    fps: f64,
    received: u64,
    dropped: u64,
}

impl ClientView {
    pub(crate) fn new(picture: bool) -> Self {
        Self {
            last: None,
            picture: picture.then(Picture::default),
            palette: Palette::of_terminal(),
            room: (0, 0),
        }
    }

    /// Whether no frame has come yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// Takes a frame over; its picture only if it is `drawn` before the next one comes.
    pub(crate) fn update(&mut self, frame: &Frame<'_>, overlay: &Overlay<'_>, drawn: bool) {
        let found = overlay.detections.as_slice();
        self.last = Some(Shown {
            frame: frame.id(),
            size: (frame.width(), frame.height()),
            found: found.len(),
            best: found.first().copied(),
            detect_ms: overlay.detect_ms,
            fps: overlay.fps,
            received: overlay.received,
            dropped: overlay.dropped,
        });
        if let Some(picture) = self.picture.as_mut().filter(|_| drawn) {
            let circles: Vec<Circle> = found
                .iter()
                .take(16)
                .map(|d| Circle { x: d.x, y: d.y, radius: d.radius })
                .collect();
            picture.take(frame, &circles, self.room.0, self.room.1);
        }
    }

    /// Draws what fits: the numbers first, then the picture, then the log.
    pub(crate) fn draw(&mut self, frame: &mut ratatui::Frame<'_>, role: &str, log: &[String]) {
        let height = frame.area().height;
        let log_lines = if height < 14 { 0 } else { log.len().min(3) } as u16;
        let log_height = if log_lines == 0 { 0 } else { log_lines + 1 };
        let [title, speed, best, picture, log_area] = Layout::vertical([
            Constraint::Length(u16::from(height >= 3)),
            Constraint::Length(1),
            Constraint::Length(u16::from(height >= 2)),
            Constraint::Fill(1),
            Constraint::Length(log_height),
        ])
        .areas(frame.area());

        draw_title(frame, title, role, 0.0);
        if let Some(shown) = &self.last {
            draw_speed(frame, speed, shown);
            draw_best(frame, best, shown);
        }
        self.draw_picture(frame, picture);
        draw_log(frame, log_area, &log[log.len() - usize::from(log_lines)..]);
    }

    fn draw_picture(&mut self, frame: &mut ratatui::Frame<'_>, area: Rect) {
        let (Some(picture), Some(shown)) = (&self.picture, &self.last) else { return };
        let (width, height) = shown.size;
        let title = format!(" frame {}, {width} x {height} ", shown.frame);
        let block = Block::new().borders(Borders::TOP).title(title).border_style(DIM);
        let inner = block.inner(area);
        frame.render_widget(block, area);
        self.room = (inner.width, inner.height);
        picture.draw(frame.buffer_mut(), inner, self.palette);
    }
}

fn draw_speed(frame: &mut ratatui::Frame<'_>, area: Rect, shown: &Shown) {
    let mut spans = labelled("fps", format!("{:.1}", shown.fps), Color::Reset);
    spans.extend(labelled("detect", format::millis(shown.detect_ms), Color::Reset));
    spans.extend(labelled("received", shown.received.to_string(), Color::Reset));
    let colour = if shown.dropped == 0 { Color::Reset } else { Color::Yellow };
    spans.extend(labelled("dropped", shown.dropped.to_string(), colour));
    frame.render_widget(Line::from(spans), area);
}

fn draw_best(frame: &mut ratatui::Frame<'_>, area: Rect, shown: &Shown) {
    let Some(best) = &shown.best else {
        let nothing = labelled("found", "nothing".to_owned(), Color::Yellow);
        frame.render_widget(Line::from(nothing), area);
        return;
    };
    let mut spans = labelled("found", shown.found.to_string(), Color::Green);
    spans.extend(labelled("at", format!("{:.2}, {:.2}", best.x, best.y), Color::Green));
    spans.extend(labelled("radius", format::pixels(best.radius), Color::Reset));
    spans.extend(labelled("score", format::pixels(best.score), Color::Reset));
    frame.render_widget(Line::from(spans), area);
}

#[cfg(test)]
mod tests {
    use plumbline_plugin_api::PixelFormat;

    use super::*;
    use crate::server::tests::screen;

    fn view() -> ClientView {
        let mut view = ClientView::new(true);
        let pixels = vec![90; 64 * 48];
        let frame = Frame::packed(&pixels, 64, 48, PixelFormat::GRAY8).unwrap().with_id(12);
        let found = [Detection::new(30.25, 20.5, 8.0, 0.75)];
        let overlay =
            Overlay { detect_ms: 1.5, fps: 59.9, received: 13, dropped: 2, ..Overlay::new(&found) };
        view.update(&frame, &overlay, true);
        // The first drawing tells how much room there is.
        screen(80, 24, |f| view.draw(f, "client", &[]));
        view.update(&frame, &overlay, true);
        view
    }

    #[test]
    fn the_numbers_and_the_picture_are_on_a_screen_of_80_by_24() {
        let text = screen(80, 24, |f| view().draw(f, "client", &["INFO connected".to_owned()]));
        for part in [
            "client",
            "fps 59.9",
            "detect 1.50 ms",
            "received 13",
            "dropped 2",
            "at 30.25, 20.50",
            "radius 8.000",
            "frame 12, 64 x 48",
            "INFO connected",
            "▀",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn every_size_is_drawn_without_a_panic() {
        let mut view = view();
        let log = vec!["line".to_owned(); 8];
        for (width, height) in (1..90).step_by(7).flat_map(|w| (1..40).map(move |h| (w, h))) {
            screen(width, height, |f| view.draw(f, "client", &log));
        }
        assert!(screen(40, 2, |f| view.draw(f, "client", &[])).contains("fps"));
    }
}
