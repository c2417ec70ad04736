//! The server's view: the four values of the frame, the error over time and in
//! the plane, and where the session stands.

use std::collections::VecDeque;

use embedded_graphics::{
    geometry::{Point, Size},
    pixelcolor::Rgb888,
    primitives::Rectangle,
    text::Alignment,
};
use plumbline_plugin_api::{Progress, ScoreRow};

use crate::{
    canvas::{Canvas, MEDIUM, SMALL, colour},
    plot,
};

/// Rows that the plots show.
const HISTORY: usize = 400;
/// Between everything, in pixels.
const GAP: i32 = 10;
const CARD_HEIGHT: i32 = 96;
const STATUS_HEIGHT: i32 = 78;

/// The scores so far.
#[derive(Default)]
pub(crate) struct Panel {
    rows: VecDeque<ScoreRow>,
    progress: Progress,
}

impl Panel {
    pub(crate) fn update(&mut self, rows: &[ScoreRow], progress: &Progress) {
        let rows = &rows[rows.len().saturating_sub(HISTORY)..];
        let surplus = (self.rows.len() + rows.len()).saturating_sub(HISTORY);
        self.rows.drain(..surplus);
        self.rows.extend(rows);
        self.progress = *progress;
    }

    /// Draws everything anew on a canvas that was reset.
    pub(crate) fn draw(&self, canvas: &mut Canvas) {
        self.draw_cards(canvas);
        let (width, height) = (canvas.width(), canvas.height());
        let top = CARD_HEIGHT + 2 * GAP;
        let middle = height - top - STATUS_HEIGHT - 2 * GAP;
        let scatter = middle.min(width / 3);
        let split = width - GAP - scatter;
        plot::draw_history(canvas, area(GAP, top, split - 2 * GAP, middle), &self.rows);
        plot::draw_scatter(canvas, area(split, top, scatter, middle), &self.rows);
        self.draw_status(
            canvas,
            area(GAP, height - STATUS_HEIGHT - GAP, width - 2 * GAP, STATUS_HEIGHT),
        );
    }

    fn draw_cards(&self, canvas: &mut Canvas) {
        let width = (canvas.width() - 5 * GAP) / 4;
        let card = |i: i32| area(GAP + i * (width + GAP), GAP, width, CARD_HEIGHT);
        let (mut actual, mut estimate) = (vec!["-".to_owned()], vec!["-".to_owned()]);
        let (mut error, mut cumulative) = ("-".to_owned(), "-".to_owned());
        let mut shade = colour::ESTIMATE;
        if let Some(row) = self.rows.back() {
            let place = |x: f64, y: f64| vec![format!("x {x:7.2}"), format!("y {y:7.2}")];
            actual = place(row.actual.x, row.actual.y);
            if let Some(circle) = row.estimate.into_option() {
                estimate = place(circle.x, circle.y);
            } else {
                estimate = vec![row.outcome.name().replace('_', " ")];
                shade = colour::BAD;
            }
            if row.l1.is_finite() {
                error = decimal(row.l1);
            }
            cumulative = format!("{:.2}", row.cumulative_l1);
        }
        draw_card(canvas, card(0), "actual centre, px", &actual, colour::ACTUAL);
        draw_card(canvas, card(1), "estimated centre, px", &estimate, shade);
        draw_card(canvas, card(2), "this error, px", &[error], colour::ERROR);
        draw_card(canvas, card(3), "cumulative error, px", &[cumulative], colour::TEXT);
    }

    fn draw_status(&self, canvas: &mut Canvas, area: Rectangle) {
        canvas.fill(area, colour::CARD);
        let p = &self.progress;
        let flag = |count: u64| if count == 0 { colour::TEXT } else { colour::BAD };
        let first = [
            ("scored", p.scored.to_string(), colour::TEXT),
            ("missed", p.missed.to_string(), flag(p.missed)),
            ("dropped", p.dropped.to_string(), flag(p.dropped)),
            ("timed out", p.timed_out.to_string(), flag(p.timed_out)),
            ("fps", format!("{:.1}", p.fps), colour::TEXT),
            ("time", format!("{:.1} s", p.elapsed_s), colour::TEXT),
        ];
        let second = [
            ("mean L1", length(p.l1_mean), colour::TEXT),
            ("p95", length(p.l1_p95), colour::TEXT),
            ("RMSE", length(p.rmse), colour::TEXT),
            ("latency p50", time(p.latency_p50_ms), colour::TEXT),
            ("p95", time(p.latency_p95_ms), colour::TEXT),
        ];
        draw_values(canvas, area.top_left + Point::new(12, 10), &first);
        draw_values(canvas, area.top_left + Point::new(12, 38), &second);
        self.draw_bar(canvas, area);
    }

    /// How much of the session is done, along the lower edge.
    fn draw_bar(&self, canvas: &mut Canvas, area: Rectangle) {
        const HEIGHT: u32 = 6;
        let p = &self.progress;
        if p.target == 0 || area.size.height < HEIGHT {
            return;
        }
        let done = (p.scored + p.missed + p.dropped + p.timed_out).min(p.target);
        let corner = area.top_left + Point::new(0, (area.size.height - HEIGHT) as i32);
        canvas.fill(Rectangle::new(corner, Size::new(area.size.width, HEIGHT)), colour::GRID);
        let filled = (done as f64 / p.target as f64 * f64::from(area.size.width)) as u32;
        canvas.fill(Rectangle::new(corner, Size::new(filled, HEIGHT)), colour::ACTUAL);
    }
}

/// A rectangle; without an extent where one would be negative.
fn area(x: i32, y: i32, width: i32, height: i32) -> Rectangle {
    Rectangle::new(Point::new(x, y), Size::new(width.max(0) as u32, height.max(0) as u32))
}

fn length(value: f64) -> String {
    if value.is_finite() { format!("{} px", decimal(value)) } else { "-".to_owned() }
}

/// With the places that an error of a good detector needs.
fn decimal(value: f64) -> String {
    let places = if value.abs() < 0.01 { 5 } else { 3 };
    format!("{value:.places$}")
}

fn time(value: f64) -> String {
    if value.is_finite() { format!("{value:.2} ms") } else { "-".to_owned() }
}

fn draw_card(canvas: &mut Canvas, area: Rectangle, label: &str, lines: &[String], shade: Rgb888) {
    canvas.fill(area, colour::CARD);
    canvas.text(label, area.top_left + Point::new(12, 8), SMALL, Alignment::Left, colour::LABEL);
    let first = if lines.len() == 1 { 46 } else { 30 };
    for (i, line) in lines.iter().enumerate() {
        let at = area.top_left + Point::new(12, first + 31 * i as i32);
        // A large character is 16 pixels wide.
        if 16 * line.len() as u32 + 24 <= area.size.width {
            canvas.large_text(line, at, shade);
        } else {
            canvas.text(line, at, MEDIUM, Alignment::Left, shade);
        }
    }
}

/// Labels and values in a row.
fn draw_values(canvas: &mut Canvas, mut at: Point, values: &[(&str, String, Rgb888)]) {
    for (label, value, shade) in values {
        canvas.text(label, at + Point::new(0, 3), SMALL, Alignment::Left, colour::LABEL);
        at.x += 7 * (label.len() as i32 + 1);
        canvas.text(value, at, MEDIUM, Alignment::Left, *shade);
        at.x += 9 * value.len() as i32 + 22;
    }
}

#[cfg(test)]
mod tests {
    use plumbline_plugin_api::{Circle, Outcome};

    use super::*;

    fn row(frame: u64, found: bool) -> ScoreRow {
        let actual = Circle { x: 200.0, y: 100.0, radius: 20.0 };
        let or_nan = |value: f64| if found { value } else { f64::NAN };
        ScoreRow {
            frame,
            outcome: if found { Outcome::SCORED } else { Outcome::MISSED },
            actual,
            estimate: found.then_some(Circle { x: 200.5, ..actual }).into(),
            score: or_nan(1.0),
            l1: or_nan(0.5),
            l2: or_nan(0.5),
            cumulative_l1: 1.0,
            latency_ms: 1.0,
            detect_ms: 1.0,
        }
    }

    #[test]
    fn every_size_is_drawn_without_a_panic() {
        let mut canvas = Canvas::default();
        let mut full = Panel::default();
        let rows: Vec<_> = (0..50).map(|i| row(i, i % 7 != 3)).collect();
        full.update(&rows, &Progress { target: 100, scored: 43, missed: 7, ..Progress::default() });
        let mut one = Panel::default();
        one.update(&rows[3..4], &Progress { fps: f64::NAN, ..Progress::default() });
        for panel in [Panel::default(), full, one] {
            for (width, height) in [(1, 1), (40, 30), (200, 900), (900, 200), (960, 640)] {
                canvas.reset(width, height);
                panel.draw(&mut canvas);
            }
        }
    }

    #[test]
    fn a_missed_frame_shows_in_its_colour() {
        let coloured = |found: bool| {
            let mut canvas = Canvas::default();
            canvas.reset(960, 640);
            let mut panel = Panel::default();
            panel.update(&[row(0, found)], &Progress::default());
            panel.draw(&mut canvas);
            canvas.pixels().contains(&0x00eb_6e46)
        };
        assert!(coloured(false) && !coloured(true));
    }

    #[test]
    fn the_history_is_bounded() {
        let mut panel = Panel::default();
        let rows: Vec<_> = (0..1000).map(|i| row(i, true)).collect();
        panel.update(&rows[..700], &Progress::default());
        panel.update(&rows[700..], &Progress::default());
        assert_eq!(panel.rows.len(), HISTORY);
        assert_eq!(panel.rows[0].frame, 600);
    }
}
