//! One row per detector, frame and ball.

use std::io::Write;

use serde::Serialize;

use super::{Plan, film::Filmed, plan::segment_seed};

#[derive(Serialize)]
struct Row<'a> {
    scene: &'a str,
    detector: &'a str,
    segment: usize,
    segment_seed: u64,
    segment_frame: usize,
    frame: u64,
    ball: usize,
    outcome: &'a str,
    actual_x: f64,
    actual_y: f64,
    actual_radius: f64,
    visible: f64,
    visible_arc: f64,
    estimated_x: Option<f64>,
    estimated_y: Option<f64>,
    estimated_radius: Option<f64>,
    score: Option<f64>,
    dx: Option<f64>,
    dy: Option<f64>,
    l2: Option<f64>,
    bound: Option<f64>,
    bound_radius: Option<f64>,
    sd_x: Option<f64>,
    sd_y: Option<f64>,
    frame_false_positives: u32,
    fault: Option<&'a str>,
}

/// Writes the rows as CSV: scene by scene, detector by detector, in frame order.
///
/// # Errors
///
/// What `out` says.
pub fn write_records(
    plan: &Plan,
    filmed: &[Filmed],
    names: &[String],
    out: impl Write,
) -> csv::Result<()> {
    let mut out = csv::Writer::from_writer(out);
    for scene in filmed {
        for (d, detector) in names.iter().enumerate() {
            let frames = scene.segments.iter().enumerate();
            let frames = frames.flat_map(|(k, s)| (0..).zip(s).map(move |(n, f)| (k, n, f)));
            for ((segment, segment_frame, result), frame) in frames.zip(0..) {
                let look = &result.looks[d];
                for (ball, (b, hit)) in result.balls.iter().zip(&look.hits).enumerate() {
                    let sd = hit.and_then(|h| h.covariance).map(|c| [c.xx.sqrt(), c.yy.sqrt()]);
                    let t = &b.truth;
                    out.serialize(Row {
                        scene: scene.config.preset.name(),
                        detector,
                        segment,
                        segment_seed: segment_seed(plan.seed, segment as u64),
                        segment_frame,
                        frame,
                        ball,
                        outcome: match (hit, b.ignored) {
                            (Some(_), _) => "found",
                            (None, true) => "ignored",
                            (None, false) => "missed",
                        },
                        actual_x: t.x,
                        actual_y: t.y,
                        actual_radius: t.radius,
                        visible: t.visible,
                        visible_arc: t.visible_arc,
                        estimated_x: hit.map(|h| t.x + h.error[0]),
                        estimated_y: hit.map(|h| t.y + h.error[1]),
                        estimated_radius: hit
                            .map(|h| t.radius + h.error[2])
                            .filter(|r| r.is_finite()),
                        score: hit.map(|h| h.score),
                        dx: hit.map(|h| h.error[0]),
                        dy: hit.map(|h| h.error[1]),
                        l2: hit.map(|h| h.l2()),
                        bound: b.bound.map(|b| b.center),
                        bound_radius: b.bound.and_then(|b| b.radius),
                        sd_x: sd.map(|s| s[0]),
                        sd_y: sd.map(|s| s[1]),
                        frame_false_positives: look.false_positives,
                        fault: look.fault.as_deref(),
                    })?;
                }
            }
        }
    }
    out.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::metrics::tests::filmed;

    #[test]
    fn every_detector_frame_and_ball_has_a_row() {
        let filmed = filmed(&[vec![Some([0.25, 0.0]); 3], vec![None; 3]], 2);
        let mut out = Vec::new();
        write_records(&Plan { frames: 3, seed: 1 }, &[filmed], &["a".into(), "b".into()], &mut out)
            .unwrap();
        let mut reader = csv::Reader::from_reader(out.as_slice());
        let header = reader.headers().unwrap().clone();
        let column = |name: &str| header.iter().position(|h| h == name).unwrap();
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 6);
        assert_eq!((&rows[2][column("frame")], &rows[2][column("segment")]), ("2", "1"));
        let again = (&rows[2][column("segment_frame")], &rows[2][column("segment_seed")]);
        assert_eq!(again, ("0", segment_seed(1, 1).to_string().as_str()));
        assert_eq!((&rows[2][column("dx")], &rows[2][column("outcome")]), ("0.25", "found"));
        assert_eq!((&rows[5][column("dx")], &rows[5][column("outcome")]), ("", "missed"));
    }
}
