//! The error over time and the error in the plane.

use std::collections::VecDeque;

use embedded_graphics::{
    geometry::{Point, Size},
    primitives::Rectangle,
    text::Alignment,
};
use plumbline_plugin_api::ScoreRow;

use crate::canvas::{Canvas, SMALL, colour};

/// The L1 error of the last rows over their frame numbers. Frames without an
/// estimate are marks at the bottom.
pub(crate) fn draw_history(canvas: &mut Canvas, area: Rectangle, rows: &VecDeque<ScoreRow>) {
    canvas.fill(area, colour::CARD);
    caption(canvas, area, "L1 error, px, over the frame number");
    let Some(inner) = inset(area, 58, 30, 14, 26) else { return };
    let top = rows.iter().map(|r| r.l1).filter(|l1| l1.is_finite()).fold(0.0, f64::max);
    let top = round_up(top);
    let (left, bottom) = (inner.top_left.x, inner.top_left.y + inner.size.height as i32 - 1);
    let (width, height) = (f64::from(inner.size.width - 1), f64::from(inner.size.height - 1));

    // Labels are 13 pixels high.
    let steps = if height >= 80.0 { 4 } else { 1 };
    for step in 0..=steps {
        let share = f64::from(step) / f64::from(steps);
        let y = bottom - (share * height) as i32;
        canvas.line(Point::new(left, y), Point::new(left + width as i32, y), 1, colour::GRID);
        let label = number(share * top, top);
        canvas.text(&label, Point::new(left - 6, y - 6), SMALL, Alignment::Right, colour::LABEL);
    }
    let (Some(first), Some(last)) = (rows.front(), rows.back()) else { return };
    let below = bottom + 7;
    for (x, frame, alignment) in
        [(left, first.frame, Alignment::Left), (left + width as i32, last.frame, Alignment::Right)]
    {
        canvas.text(&frame.to_string(), Point::new(x, below), SMALL, alignment, colour::LABEL);
    }

    let steps = (rows.len().max(2) - 1) as f64;
    let mut before: Option<Point> = None;
    for (i, row) in rows.iter().enumerate() {
        let x = left + (i as f64 / steps * width) as i32;
        if row.l1.is_finite() {
            let at = Point::new(x, bottom - (row.l1 / top * height) as i32);
            canvas.line(before.unwrap_or(at), at, 1, colour::ERROR);
            before = Some(at);
        } else {
            canvas.line(Point::new(x, bottom - 5), Point::new(x, bottom), 2, colour::BAD);
            before = None;
        }
    }
}

/// The errors (dx, dy) = estimate - actual of the last rows.
pub(crate) fn draw_scatter(canvas: &mut Canvas, area: Rectangle, rows: &VecDeque<ScoreRow>) {
    canvas.fill(area, colour::CARD);
    caption(canvas, area, "dx, dy, px");
    let Some(inner) = inset(area, 14, 30, 14, 26) else { return };
    let side = inner.size.width.min(inner.size.height) as i32 / 2 * 2;
    let middle = inner.center();
    let half = side / 2;

    let errors = || {
        rows.iter().filter_map(|row| {
            let estimate = row.estimate.into_option()?;
            let (dx, dy) = (estimate.x - row.actual.x, estimate.y - row.actual.y);
            (dx.is_finite() && dy.is_finite()).then_some((dx, dy))
        })
    };
    let reach = round_up(errors().map(|(dx, dy)| dx.abs().max(dy.abs())).fold(0.0, f64::max));
    for share in [-2, -1, 0, 1, 2] {
        let offset = half * share / 2;
        let grid = if share == 0 { colour::LABEL } else { colour::GRID };
        for (along, across) in [((1, 0), (0, 1)), ((0, 1), (1, 0))] {
            let at = middle + Point::new(across.0, across.1) * offset;
            let arm = Point::new(along.0, along.1) * half;
            canvas.line(at - arm, at + arm, 1, grid);
        }
    }
    let below = middle.y + half + 7;
    let labels = if side >= 100 { 2 } else { 0 };
    for (x, value, alignment) in
        [(middle.x - half, -reach, Alignment::Left), (middle.x + half, reach, Alignment::Right)]
            .into_iter()
            .take(labels)
    {
        canvas.text(&number(value, reach), Point::new(x, below), SMALL, alignment, colour::LABEL);
    }
    for (dx, dy) in errors() {
        let place = |v: f64| (v / reach * f64::from(half)) as i32;
        let dot = middle + Point::new(place(dx) - 1, place(dy) - 1);
        canvas.fill(Rectangle::new(dot, Size::new(3, 3)), colour::ESTIMATE);
    }
}

fn caption(canvas: &mut Canvas, area: Rectangle, text: &str) {
    let at = area.top_left + Point::new(12, 8);
    canvas.text(text, at, SMALL, Alignment::Left, colour::LABEL);
}

/// `area` without margins, unless too little is left to draw on.
fn inset(area: Rectangle, left: u32, top: u32, right: u32, bottom: u32) -> Option<Rectangle> {
    let width = area.size.width.checked_sub(left + right).filter(|&w| w >= 20)?;
    let height = area.size.height.checked_sub(top + bottom).filter(|&h| h >= 20)?;
    let corner = area.top_left + Point::new(left as i32, top as i32);
    Some(Rectangle::new(corner, Size::new(width, height)))
}

/// The least number with round quarters that is not below `value`, from 0.001 to 10000.
fn round_up(value: f64) -> f64 {
    const ROUND: [f64; 9] = [1.0, 1.2, 1.6, 2.0, 2.4, 3.2, 4.0, 6.0, 8.0];
    (-3..4)
        .flat_map(|power| ROUND.map(|digit| digit * 10_f64.powi(power)))
        .find(|&round| round >= value)
        .unwrap_or(10_000.0)
}

/// `value` with the decimals that an axis up to `top` needs.
fn number(value: f64, top: f64) -> String {
    let decimals = (2.0 - top.log10().floor()).clamp(0.0, 5.0) as usize;
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        let ends = [0.0, 0.0011, 0.02, 0.21, 0.9, 4.0, 700.0, f64::INFINITY].map(round_up);
        assert_eq!(ends, [0.001, 0.0012, 0.02, 0.24, 1.0, 4.0, 800.0, 10_000.0]);
    }

    #[test]
    fn labels_have_the_decimals_that_tell_them_apart() {
        assert_eq!(number(0.05, 0.2), "0.050");
        assert_eq!(number(2.5, 10.0), "2.5");
        assert_eq!(number(0.00025, 0.001), "0.00025");
    }
}
