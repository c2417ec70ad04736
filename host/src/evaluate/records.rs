//! One row per detector, frame and ball; a frame without a ball has one, too.

use std::io::Write;

use serde::Serialize;

use super::{
    Plan,
    film::{Filmed, FrameResult, Subject},
    plan::segment_seed,
};

#[derive(Clone, Default, Serialize)]
struct Row<'a> {
    scene: &'a str,
    detector: &'a str,
    segment: usize,
    segment_seed: Option<u64>,
    segment_frame: usize,
    frame: u64,
    ball: Option<usize>,
    outcome: &'a str,
    actual_x: Option<f64>,
    actual_y: Option<f64>,
    actual_radius: Option<f64>,
    visible: Option<f64>,
    visible_arc: Option<f64>,
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
    file: Option<&'a str>,
    cov_xy: Option<f64>,
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
            for (segment, segment_frame, frame, result) in numbered(scene) {
                let look = &result.looks[d];
                let row = Row {
                    scene: scene.subject.name(),
                    detector,
                    segment,
                    segment_seed: seed(plan, scene, segment),
                    segment_frame,
                    frame,
                    frame_false_positives: look.false_positives,
                    fault: look.fault.as_deref(),
                    file: scene.file(frame),
                    outcome: "empty",
                    ..Row::default()
                };
                if result.balls.is_empty() {
                    out.serialize(&row)?;
                }
                for (ball, (b, hit)) in result.balls.iter().zip(&look.hits).enumerate() {
                    let covariance = hit.and_then(|h| h.covariance);
                    let t = &b.truth;
                    out.serialize(Row {
                        ball: Some(ball),
                        outcome: match (hit, b.ignored) {
                            (Some(_), _) => "found",
                            (None, true) => "ignored",
                            (None, false) => "missed",
                        },
                        actual_x: Some(t.x),
                        actual_y: Some(t.y),
                        actual_radius: Some(t.radius),
                        visible: Some(t.visible),
                        visible_arc: Some(t.visible_arc),
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
                        sd_x: covariance.map(|c| c.xx.sqrt()),
                        sd_y: covariance.map(|c| c.yy.sqrt()),
                        cov_xy: covariance.map(|c| c.xy),
                        ..row.clone()
                    })?;
                }
            }
        }
    }
    out.flush()?;
    Ok(())
}

#[derive(Serialize)]
struct WrongRow<'a> {
    scene: &'a str,
    detector: &'a str,
    segment: usize,
    segment_seed: Option<u64>,
    segment_frame: usize,
    frame: u64,
    x: f64,
    y: f64,
    radius: Option<f64>,
    score: f64,
    file: Option<&'a str>,
}

/// Writes the detections that belong to no ball as CSV, in the same order; of a frame and
/// a detector at most the first [`KEPT`](super::film::KEPT).
///
/// # Errors
///
/// What `out` says.
pub fn write_false_positives(
    plan: &Plan,
    filmed: &[Filmed],
    names: &[String],
    out: impl Write,
) -> csv::Result<()> {
    let mut out = csv::WriterBuilder::new().has_headers(false).from_writer(out);
    // Also where there are none.
    out.write_record(WRONG_HEADER)?;
    for scene in filmed {
        for (d, detector) in names.iter().enumerate() {
            for (segment, segment_frame, frame, result) in numbered(scene) {
                for wrong in &result.looks[d].wrong {
                    out.serialize(WrongRow {
                        scene: scene.subject.name(),
                        detector,
                        segment,
                        segment_seed: seed(plan, scene, segment),
                        segment_frame,
                        frame,
                        x: wrong.circle.x,
                        y: wrong.circle.y,
                        radius: Some(wrong.circle.radius).filter(|r| r.is_finite()),
                        score: wrong.score,
                        file: scene.file(frame),
                    })?;
                }
            }
        }
    }
    out.flush()?;
    Ok(())
}

const WRONG_HEADER: [&str; 11] = [
    "scene",
    "detector",
    "segment",
    "segment_seed",
    "segment_frame",
    "frame",
    "x",
    "y",
    "radius",
    "score",
    "file",
];

/// The seed of a segment; pictures have none.
fn seed(plan: &Plan, scene: &Filmed, segment: usize) -> Option<u64> {
    matches!(scene.subject, Subject::Scene(_)).then(|| segment_seed(plan.seed, segment as u64))
}

/// The frames of a scene with their segment, their number there and in the scene.
fn numbered(scene: &Filmed) -> impl Iterator<Item = (usize, usize, u64, &FrameResult)> {
    let frames = scene.segments.iter().enumerate();
    let frames = frames.flat_map(|(k, s)| s.iter().enumerate().map(move |(n, f)| (k, n, f)));
    frames.zip(0..).map(|((k, n, f), frame)| (k, n, frame, f))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{film::Wrong, metrics::tests::filmed};

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

    #[test]
    fn every_false_positive_has_a_row() {
        let mut filmed = filmed(&[vec![None; 3], vec![None; 3]], 2);
        let circle = plumbline_plugin_api::Circle { x: 7.5, y: 3.0, radius: f64::NAN };
        filmed.segments[1][0].looks[1].wrong = vec![Wrong { circle, score: 0.5 }];
        let names = ["a".to_owned(), "b".to_owned()];
        let mut out = Vec::new();
        write_false_positives(&Plan { frames: 3, seed: 1 }, &[filmed], &names, &mut out).unwrap();
        let (text, seed) = (String::from_utf8(out).unwrap(), segment_seed(1, 1));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines, [WRONG_HEADER.join(","), format!("clean,b,1,{seed},0,2,7.5,3.0,,0.5,")]);
    }
}
