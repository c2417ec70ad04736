//! The live view of a session's scores.

use std::collections::VecDeque;

use plumbline_plugin_api::{Outcome, Progress, ScoreRow};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Block, Borders, Cell, LineGauge, Paragraph, Row, Sparkline, Table},
};

use crate::format;

/// Rows kept for the table and the bars: more than the widest terminal shows.
const HISTORY: usize = 512;

/// The scores so far.
#[derive(Default)]
pub(crate) struct ServerView {
    rows: VecDeque<ScoreRow>,
    progress: Progress,
}

impl ServerView {
    pub(crate) fn update(&mut self, rows: &[ScoreRow], progress: &Progress) {
        let rows = &rows[rows.len().saturating_sub(HISTORY)..];
        let surplus = (self.rows.len() + rows.len()).saturating_sub(HISTORY);
        self.rows.drain(..surplus);
        self.rows.extend(rows);
        self.progress = *progress;
    }

    /// Draws what fits: the table and the numbers first, then the bars, then the log.
    pub(crate) fn draw(&self, frame: &mut Frame<'_>, role: &str, log: &[String]) {
        let height = frame.area().height;
        let bars = match height {
            0..=12 => 0,
            13..=17 => 4,
            18..=29 => 5,
            _ => 8,
        };
        let log_lines = match height {
            0..=15 => 0,
            16..=29 => log.len().min(3),
            _ => log.len(),
        } as u16;
        let log_height = if log_lines == 0 { 0 } else { log_lines + 1 };
        let [title, gauge, counts, speed, chart, table, log_area] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(u16::from(height >= 4)),
            Constraint::Length(u16::from(height >= 6)),
            Constraint::Length(u16::from(height >= 7)),
            Constraint::Length(bars),
            Constraint::Fill(1),
            Constraint::Length(log_height),
        ])
        .areas(frame.area());

        draw_title(frame, title, role, self.progress.elapsed_s);
        self.draw_gauge(frame, gauge);
        self.draw_counts(frame, counts);
        self.draw_speed(frame, speed);
        self.draw_bars(frame, chart);
        self.draw_table(frame, table);
        draw_log(frame, log_area, &log[log.len() - usize::from(log_lines)..]);
    }

    fn done(&self) -> u64 {
        let p = &self.progress;
        p.scored + p.missed + p.dropped + p.timed_out
    }

    fn draw_gauge(&self, frame: &mut Frame<'_>, area: Rect) {
        let (done, target) = (self.done(), self.progress.target);
        if target == 0 {
            let text = match done {
                0 => "waiting for the first answer".to_owned(),
                _ => format!("{done} frames"),
            };
            frame.render_widget(Paragraph::new(text), area);
            return;
        }
        let gauge = LineGauge::default()
            .ratio((done as f64 / target as f64).clamp(0.0, 1.0))
            .label(format!("{done}/{target} frames"))
            .filled_style(Style::new().fg(Color::Cyan))
            .unfilled_style(Style::new().fg(Color::DarkGray));
        frame.render_widget(gauge, area);
    }

    fn draw_counts(&self, frame: &mut Frame<'_>, area: Rect) {
        let p = &self.progress;
        let mut spans = labelled("scored", p.scored.to_string(), Color::Green);
        for (label, count) in
            [("missed", p.missed), ("dropped", p.dropped), ("timed out", p.timed_out)]
        {
            let colour = if count == 0 { Color::Reset } else { Color::Yellow };
            spans.extend(labelled(label, count.to_string(), colour));
        }
        frame.render_widget(Line::from(spans), area);
    }

    fn draw_speed(&self, frame: &mut Frame<'_>, area: Rect) {
        let p = &self.progress;
        let mut spans = labelled("fps", format!("{:.1}", p.fps), Color::Reset);
        spans.extend(labelled("latency p50", format::millis(p.latency_p50_ms), Color::Reset));
        spans.extend(labelled("p95", format::millis(p.latency_p95_ms), Color::Reset));
        frame.render_widget(Line::from(spans), area);
    }

    fn draw_bars(&self, frame: &mut Frame<'_>, area: Rect) {
        if area.is_empty() {
            return;
        }
        let shown = self.rows.len().min(area.width.into());
        let recent = self.rows.range(self.rows.len() - shown..);
        // Sparklines take integers: millionths of a pixel.
        let value = |row: &ScoreRow| row.l1.is_finite().then(|| (row.l1 * 1e6).round() as u64);
        let top = recent.clone().filter_map(value).max().unwrap_or(0);
        let p = &self.progress;
        let title = format!(
            " L1 error, px: mean {}  p95 {}  RMSE {}  bars to {} ",
            format::pixels(p.l1_mean),
            format::pixels(p.l1_p95),
            format::pixels(p.rmse),
            format::pixels(top as f64 / 1e6),
        );
        let bars = Sparkline::default()
            .block(Block::new().borders(Borders::TOP).title(title).border_style(DIM))
            .data(recent.map(value))
            .max(top.max(1))
            .absent_value_symbol("×")
            .absent_value_style(Style::new().fg(Color::Yellow))
            .style(Style::new().fg(Color::Cyan));
        frame.render_widget(bars, area);
    }

    fn draw_table(&self, frame: &mut Frame<'_>, area: Rect) {
        // The widths of five columns with two between them; narrow terminals get
        // the ones that fit.
        const WIDTHS: [u16; 5] = [8, 18, 18, 9, 12];
        const NAMES: [&str; 5] =
            ["frame", "actual centre", "estimated centre", "error", "cumulative"];
        let columns: &[usize] = match area.width {
            73.. => &[0, 1, 2, 3, 4],
            53..73 => &[0, 2, 3, 4],
            33..53 => &[0, 3, 4],
            _ => &[3, 4],
        };
        // With the header and the line above it.
        let capacity = usize::from(area.height).saturating_sub(2);
        let newest_first = self.rows.iter().rev().take(capacity).map(|row| {
            let style = match row.outcome {
                Outcome::SCORED => Style::new(),
                _ => Style::new().fg(Color::Yellow),
            };
            let cells = [
                row.frame.to_string(),
                format::centre(&row.actual),
                format::estimate(row),
                format::pixels(row.l1),
                format::pixels(row.cumulative_l1),
            ];
            Row::new(columns.iter().map(|&i| right(cells[i].clone()))).style(style)
        });
        let header = columns.iter().map(|&i| right(NAMES[i].to_owned()));
        let widths = columns.iter().map(|&i| match (columns.len(), i) {
            (2, 3) => Constraint::Fill(1),
            _ => Constraint::Length(WIDTHS[i]),
        });
        let table = Table::new(newest_first, widths)
            .header(Row::new(header).style(BOLD))
            .column_spacing(2)
            .block(Block::new().borders(Borders::TOP).border_style(DIM));
        frame.render_widget(table, area);
    }
}

/// For lines and labels that should stay behind the numbers.
pub(crate) const DIM: Style = Style::new().fg(Color::DarkGray);
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);

fn right(text: String) -> Cell<'static> {
    Cell::new(Line::from(text).right_aligned())
}

/// A label and its value, with some room behind.
pub(crate) fn labelled(label: &'static str, value: String, colour: Color) -> Vec<Span<'static>> {
    vec![
        Span::styled(label, Style::new().fg(Color::Gray)),
        Span::raw(" "),
        Span::styled(value, BOLD.fg(colour)),
        Span::raw("   "),
    ]
}

/// The top line: the program, its role, the time, and how to end it.
pub(crate) fn draw_title(frame: &mut Frame<'_>, area: Rect, role: &str, elapsed_s: f64) {
    let left = Line::from(vec![
        Span::styled("plumbline ", BOLD.fg(Color::Cyan)),
        Span::raw(format!("{role}  ")),
        Span::raw(if elapsed_s > 0.0 { format!("{elapsed_s:.1} s") } else { String::new() }),
    ]);
    frame.render_widget(left, area);
    let hint = Line::styled("q ends the session", Style::new().fg(Color::Gray)).right_aligned();
    if area.width >= 60 {
        frame.render_widget(hint, area);
    }
}

/// The last log lines, at the bottom.
pub(crate) fn draw_log(frame: &mut Frame<'_>, area: Rect, lines: &[String]) {
    if area.is_empty() {
        return;
    }
    let text: Vec<Line<'_>> = lines.iter().map(|line| Line::raw(line.as_str())).collect();
    let block = Block::new().borders(Borders::TOP).title(" log ").border_style(DIM);
    frame
        .render_widget(Paragraph::new(text).style(Style::new().fg(Color::Gray)).block(block), area);
}

#[cfg(test)]
pub(crate) mod tests {
    use ratatui::{Terminal, backend::TestBackend};

    use super::*;
    use crate::format::tests::{missed, scored};

    /// The text on a screen of this size after `draw`.
    pub(crate) fn screen(width: u16, height: u16, draw: impl FnOnce(&mut Frame<'_>)) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(draw).unwrap();
        terminal.backend().to_string()
    }

    fn view() -> ServerView {
        let mut view = ServerView::default();
        let rows: Vec<_> = (0..99).map(|i| scored(i, 0.5, -0.25, 0.75 * (i + 1) as f64)).collect();
        let progress = Progress {
            scored: 99,
            missed: 1,
            target: 400,
            fps: 61.5,
            elapsed_s: 12.34,
            l1_mean: 0.75,
            latency_p50_ms: 1.5,
            latency_p95_ms: 3.25,
            ..Progress::default()
        };
        view.update(&rows, &progress);
        view.update(&[missed(99, 74.25)], &progress);
        view
    }

    #[test]
    fn the_newest_row_is_on_top_with_its_four_columns() {
        let text = screen(80, 24, |f| view().draw(f, "server", &[]));
        let lines: Vec<&str> = text.lines().collect();
        let header = lines.iter().position(|l| l.contains("actual centre")).unwrap();
        assert!(lines[header + 1].contains("99") && lines[header + 1].contains("missed"));
        assert!(lines[header + 1].contains("74.250"), "{text}");
        let row = lines[header + 2];
        for column in ["98", "200.25,   100.50", "200.75,   100.25", "0.750", "74.250"] {
            assert!(row.contains(column), "{column} in {row}");
        }
    }

    #[test]
    fn the_numbers_of_the_session_are_on_a_screen_of_80_by_24() {
        let text = screen(80, 24, |f| view().draw(f, "server", &["WARN something".to_owned()]));
        for part in [
            "100/400 frames",
            "scored 99",
            "missed 1",
            "fps 61.5",
            "p50 1.50 ms",
            "p95 3.25 ms",
            "mean 0.750",
            "12.3 s",
            "WARN something",
            "×",
            "█",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn a_tiny_terminal_still_shows_the_last_error() {
        let text = screen(20, 5, |f| view().draw(f, "server", &[]));
        assert!(text.contains("74.250"), "{text}");
        let text = screen(60, 5, |f| view().draw(f, "server", &[]));
        assert!(text.contains("missed"), "{text}");
    }

    #[test]
    fn every_size_is_drawn_without_a_panic() {
        let view = view();
        let log = vec!["line".to_owned(); 8];
        for (width, height) in (1..90).step_by(7).flat_map(|w| (1..40).map(move |h| (w, h))) {
            screen(width, height, |f| view.draw(f, "server", &log));
        }
        screen(20, 5, |f| ServerView::default().draw(f, "server", &[]));
    }

    #[test]
    fn the_history_is_bounded() {
        let mut view = ServerView::default();
        let rows: Vec<_> = (0..2000).map(|i| scored(i, 0.0, 0.0, 0.0)).collect();
        view.update(&rows[..1500], &Progress::default());
        view.update(&rows[1500..], &Progress::default());
        assert_eq!(view.rows.len(), HISTORY);
        assert_eq!(view.rows.back().unwrap().frame, 1999);
    }
}
