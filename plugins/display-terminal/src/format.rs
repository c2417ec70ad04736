//! The columns that the live table and the plain lines share.

use plumbline_plugin_api::{Circle, ScoreRow};

/// `x, y` in pixels, two decimals, aligned for canvases up to 8192.
pub(crate) fn centre(circle: &Circle) -> String {
    format!("{:8.2}, {:8.2}", circle.x, circle.y)
}

/// A length in pixels, with the places that an error of a good detector needs,
/// or a dash where there is none.
pub(crate) fn pixels(value: f64) -> String {
    let places = if value.abs() < 0.01 { 5 } else { 3 };
    if value.is_finite() { format!("{value:.places$}") } else { "-".to_owned() }
}

/// Milliseconds, or a dash where there are none.
pub(crate) fn millis(value: f64) -> String {
    if value.is_finite() { format!("{value:.2} ms") } else { "-".to_owned() }
}

/// The estimated centre, or what became of the frame instead.
pub(crate) fn estimate(row: &ScoreRow) -> String {
    match row.estimate.into_option() {
        Some(circle) => centre(&circle),
        None => row.outcome.name().replace('_', " "),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use plumbline_plugin_api::Outcome;

    use super::*;

    /// A frame whose estimate is off by (`dx`, `dy`).
    pub(crate) fn scored(frame: u64, dx: f64, dy: f64, cumulative_l1: f64) -> ScoreRow {
        let actual = Circle { x: 200.25, y: 100.5, radius: 20.0 };
        ScoreRow {
            frame,
            outcome: Outcome::SCORED,
            actual,
            estimate: Some(Circle { x: actual.x + dx, y: actual.y + dy, radius: 19.5 }).into(),
            score: 0.9,
            l1: dx.abs() + dy.abs(),
            l2: dx.hypot(dy),
            cumulative_l1,
            latency_ms: 2.5,
            detect_ms: 1.25,
        }
    }

    /// A frame in which nothing was found.
    pub(crate) fn missed(frame: u64, cumulative_l1: f64) -> ScoreRow {
        ScoreRow {
            outcome: Outcome::MISSED,
            estimate: None.into(),
            score: f64::NAN,
            l1: f64::NAN,
            l2: f64::NAN,
            ..scored(frame, 0.0, 0.0, cumulative_l1)
        }
    }

    #[test]
    fn a_small_error_is_more_than_zeros() {
        assert_eq!([0.5, 0.01, 0.000_31].map(pixels), ["0.500", "0.010", "0.00031"]);
        assert_eq!(pixels(f64::NAN), "-");
    }

    #[test]
    fn a_frame_without_an_estimate_says_what_became_of_it() {
        assert_eq!(estimate(&missed(3, 0.0)), "missed");
        assert_eq!(estimate(&scored(3, 1.0, 0.0, 1.0)), "  201.25,   100.50");
        let late = ScoreRow { outcome: Outcome::TIMED_OUT, ..missed(4, 0.0) };
        assert_eq!(estimate(&late), "timed out");
    }
}
