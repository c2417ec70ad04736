//! What one detector did in one scene.

use plumbline_plugin_api::Covariance;
use serde::Serialize;

use super::{
    film::{Ball, Filmed, FrameResult, Hit},
    interval::{Block, Interval, bootstrap_mean, mean, quantile, wilson},
    series::{Locking, locking, spearman},
};

/// A mean with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean.
    pub value: f64,
    /// By block bootstrap, with few segments by Student; `None` with fewer than two.
    pub interval: Option<Interval>,
}

/// What one detector did in one scene. Pixels; `None` where nothing can be
/// said. `docs/evaluate.md` has every formula.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// The detector.
    pub detector: String,
    /// Frames filmed.
    pub frames: u64,
    /// Balls that count.
    pub balls: u64,
    /// Balls of which too little is visible.
    pub ignored: u64,
    /// Balls that were found.
    pub found: u64,
    /// Share of the balls that were found.
    pub recall: Option<f64>,
    /// Wilson's 95 % interval of it.
    pub recall_interval: Option<Interval>,
    /// Detections that belong to no ball.
    pub false_positives: u64,
    /// Of these, the ones on circles that are not balls.
    pub on_clutter: u64,
    /// False positives per frame.
    pub false_positives_per_frame: f64,
    /// found / (found + false positives).
    pub precision: Option<f64>,
    /// Mean error of x and of y.
    pub bias: Option<[Estimate; 2]>,
    /// Per axis: sqrt(mean((dx^2 + dy^2) / 2)).
    pub rmse: Option<f64>,
    /// sqrt(mean(dx^2 + dy^2)).
    pub rmse_l2: Option<f64>,
    /// Per axis over the balls with a known bound, divided by the bound.
    pub rmse_over_bound: Option<f64>,
    /// The bound: root of the mean variance per axis over the found balls that have one.
    pub bound: Option<f64>,
    /// Found balls with a known bound.
    pub bound_count: u64,
    /// Quantiles of the distance from the truth.
    pub l2: Option<Quantiles>,
    /// Scatter of the answers for balls that stand still: per axis, the standard
    /// deviation of the error within a segment. `None` when all balls move.
    pub jitter: Option<f64>,
    /// Errors of the radius; `None` for detectors that estimate none.
    pub radius: Option<RadiusMetrics>,
    /// Pixel locking of x and y.
    pub locking: [Option<Locking>; 2],
    /// Mean of e' S^-1 e over x and y; 2 is right.
    pub calibration: Option<Estimate>,
    /// Found balls without a usable covariance.
    pub without_covariance: u64,
    /// Spearman's correlation of score and distance; -1 orders perfectly.
    pub score_correlation: Option<f64>,
    /// Frames on which the detector failed.
    pub faults: u64,
    /// The first of the faults, with its frame's number in the scene, or its file.
    pub first_fault: Option<String>,
    /// Frames whose answer broke the rules of the interface. Detections that are not finite or
    /// beyond the limit are removed, and in no other number; those that came unsorted or with
    /// an impossible covariance stay.
    pub misbehaved: u64,
    /// How the first of these did, with its frame.
    pub first_misbehaved: Option<String>,
    /// Time per frame; the only entry that differs between runs.
    pub ms: Option<Times>,
}

/// Exact quantiles of the distance from the truth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quantiles {
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Largest.
    pub max: f64,
}

/// Errors of the radius.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RadiusMetrics {
    /// Mean error.
    pub bias: f64,
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Over the balls with a known bound of the radius, divided by that.
    pub rmse_over_bound: Option<f64>,
}

/// Time per frame in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Times {
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
}

/// The found balls of detector `d` in these frames.
pub(super) fn hits(
    frames: &[FrameResult],
    d: usize,
) -> impl Iterator<Item = (&Ball, Hit)> + use<'_> {
    frames.iter().flat_map(move |frame| {
        let pairs = frame.balls.iter().zip(&frame.looks[d].hits);
        pairs.filter_map(|(ball, hit)| hit.map(|hit| (ball, hit)))
    })
}

impl Metrics {
    /// The metrics of detector number `d`; `seed` is for the bootstraps.
    pub fn of(filmed: &Filmed, d: usize, detector: &str, seed: u64) -> Self {
        let frames = || filmed.segments.iter().flatten();
        let all: Vec<(&Ball, Hit)> = filmed.segments.iter().flat_map(|s| hits(s, d)).collect();
        let balls = frames().flat_map(|f| &f.balls);
        let ignored = balls.clone().filter(|b| b.ignored).count() as u64;
        let count = balls.count() as u64 - ignored;
        let found = all.len() as u64;
        let sum =
            |of: fn(&super::film::Look) -> u64| frames().map(|f| of(&f.looks[d])).sum::<u64>();
        let false_positives = sum(|l| u64::from(l.false_positives));
        let n = frames().count() as u64;
        let estimate = |of: &dyn Fn(&Hit) -> Option<f64>| {
            let blocks: Vec<Block> = filmed
                .segments
                .iter()
                .map(|s| Block::of(hits(s, d).filter_map(|(_, hit)| of(&hit))))
                .collect();
            mean(&blocks).map(|value| Estimate { value, interval: bootstrap_mean(&blocks, seed) })
        };
        let square = |h: &Hit| h.error[0] * h.error[0] + h.error[1] * h.error[1];
        let rms = |of: &dyn Fn(&Ball, &Hit) -> Option<f64>| {
            let block = Block::of(all.iter().filter_map(|(ball, hit)| of(ball, hit)));
            mean(&[block]).map(f64::sqrt)
        };
        let bound = rms(&|b, _| b.bound.map(|b| b.center * b.center));
        let rmse_where_bound = rms(&|b, h| b.bound.map(|_| square(h) / 2.0));
        let mut l2: Vec<f64> = all.iter().map(|(_, h)| h.l2()).collect();
        l2.sort_unstable_by(f64::total_cmp);
        let phases = |axis: usize| -> Vec<[f64; 2]> {
            all.iter().map(|(b, h)| [[b.truth.x, b.truth.y][axis], h.error[axis]]).collect()
        };
        let scores: Vec<[f64; 2]> = all.iter().map(|(_, h)| [h.score, h.l2()]).collect();
        let first = |of: fn(&super::film::Look) -> Option<&String>| {
            let said = frames().zip(0..).find_map(|(f, n)| Some((n, of(&f.looks[d])?)));
            said.map(|(n, text)| match filmed.file(n) {
                Some(file) => format!("{file}: {text}"),
                None => format!("frame {n}: {text}"),
            })
        };
        let times = filmed.times.get(d).map_or(&[][..], Vec::as_slice);
        Self {
            detector: detector.to_owned(),
            frames: n,
            balls: count,
            ignored,
            found,
            recall: (count > 0).then(|| found as f64 / count as f64),
            recall_interval: wilson(found, count),
            false_positives,
            on_clutter: sum(|l| u64::from(l.on_clutter)),
            false_positives_per_frame: false_positives as f64 / n.max(1) as f64,
            precision: (found + false_positives > 0)
                .then(|| found as f64 / (found + false_positives) as f64),
            bias: estimate(&|h| Some(h.error[0]))
                .zip(estimate(&|h| Some(h.error[1])))
                .map(|(x, y)| [x, y]),
            rmse: rms(&|_, h| Some(square(h) / 2.0)),
            rmse_l2: rms(&|_, h| Some(square(h))),
            rmse_over_bound: rmse_where_bound.zip(bound).map(|(e, b)| e / b),
            bound,
            bound_count: all.iter().filter(|(b, _)| b.bound.is_some()).count() as u64,
            l2: quantiles(&l2),
            jitter: jitter(filmed, d),
            radius: radius_metrics(&all),
            locking: [locking(&phases(0)), locking(&phases(1))],
            calibration: estimate(&|h| mahalanobis(h)),
            without_covariance: all.iter().filter(|(_, h)| mahalanobis(h).is_none()).count() as u64,
            score_correlation: spearman(&scores),
            faults: sum(|l| u64::from(l.fault.is_some())),
            first_fault: first(|l| l.fault.as_ref()),
            misbehaved: sum(|l| u64::from(l.misbehaved.is_some())),
            first_misbehaved: first(|l| l.misbehaved.as_ref()),
            ms: quantile(times, 0.5)
                .zip(quantile(times, 0.95))
                .map(|(p50, p95)| Times { p50, p95 }),
        }
    }

    /// The larger of the two components of the bias, without its sign.
    pub fn largest_bias(&self) -> Option<f64> {
        self.bias.map(|[x, y]| x.value.abs().max(y.value.abs()))
    }
}

fn quantiles(sorted: &[f64]) -> Option<Quantiles> {
    Some(Quantiles {
        p50: quantile(sorted, 0.5)?,
        p95: quantile(sorted, 0.95)?,
        p99: quantile(sorted, 0.99)?,
        max: quantile(sorted, 1.0)?,
    })
}

/// Root of the pooled variance of x and y of every ball that has no velocity in
/// a segment, each around its own mean there.
fn jitter(filmed: &Filmed, d: usize) -> Option<f64> {
    let (mut squares, mut freedom) = (0.0, 0.0);
    for segment in &filmed.segments {
        for n in 0..segment.first().map_or(0, |frame| frame.balls.len()) {
            // Balls of a person's pictures come and go.
            let moves = |b: &Ball| b.truth.velocity != [0.0; 2];
            if segment.iter().any(|frame| frame.balls.get(n).is_none_or(moves)) {
                continue;
            }
            let errors = || segment.iter().filter_map(|frame| frame.looks[d].hits[n]);
            for axis in [0, 1] {
                let of = || errors().map(|hit| hit.error[axis]);
                let Some(middle) = mean(&[Block::of(of())]) else { continue };
                let around = Block::of(of().map(|e| (e - middle) * (e - middle)));
                squares += around.sum;
                freedom += around.count - 1.0;
            }
        }
    }
    (freedom > 0.0).then(|| (squares / freedom).sqrt())
}

fn radius_metrics(all: &[(&Ball, Hit)]) -> Option<RadiusMetrics> {
    let errors = || all.iter().map(|(b, h)| (b, h.error[2])).filter(|(_, e)| e.is_finite());
    let bias = mean(&[Block::of(errors().map(|(_, e)| e))])?;
    let rmse = mean(&[Block::of(errors().map(|(_, e)| e * e))])?.sqrt();
    let bounded =
        || errors().filter_map(|(b, e)| Some((e, b.bound.and_then(|bound| bound.radius)?)));
    let squares = mean(&[Block::of(bounded().map(|(e, _)| e * e))]);
    let bounds = mean(&[Block::of(bounded().map(|(_, b)| b * b))]);
    let rmse_over_bound = squares.zip(bounds).map(|(s, b)| (s / b).sqrt());
    Some(RadiusMetrics { bias, rmse, rmse_over_bound })
}

/// e' S^-1 e over x and y; `None` without a covariance that is positive definite.
pub(super) fn mahalanobis(hit: &Hit) -> Option<f64> {
    let Covariance { xx, xy, yy, .. } = hit.covariance?;
    let det = xx * yy - xy * xy;
    let [dx, dy, _] = hit.error;
    let value = (yy * dx * dx - 2.0 * xy * dx * dy + xx * dy * dy) / det;
    (xx > 0.0 && det > 0.0 && value.is_finite()).then_some(value)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        evaluate::{
            bound::Bound,
            film::{Look, Subject},
        },
        scene::BallTruth,
    };

    /// One ball a frame; an error for each detector, `None` is a miss.
    pub(in super::super) fn filmed(errors: &[Vec<Option<[f64; 2]>>], block: usize) -> Filmed {
        let frames = (0..errors[0].len()).map(|n| {
            let truth = BallTruth {
                x: 50.0 + 0.37 * n as f64,
                y: 40.0 + 0.61 * n as f64,
                radius: 10.0,
                centroid: [0.0; 2],
                projection: [0.0; 2],
                velocity: [0.0; 2],
                visible: 1.0,
                visible_arc: 1.0,
                contrast: 1.0,
            };
            let bound = Some(Bound { center: 0.1, radius: Some(0.05) });
            let hit = |e: [f64; 2]| Hit {
                error: [e[0], e[1], 0.1],
                score: 1.0 / (1.0 + e[0].hypot(e[1])),
                covariance: Some(Covariance {
                    xx: 0.04,
                    xy: 0.0,
                    xr: 0.0,
                    yy: 0.01,
                    yr: 0.0,
                    rr: 1.0,
                }),
            };
            let looks =
                errors.iter().map(|e| Look { hits: vec![e[n].map(hit)], ..Look::default() });
            FrameResult {
                balls: vec![Ball {
                    truth,
                    ignored: false,
                    gate: 5.0,
                    radius_gate: f64::INFINITY,
                    bound,
                }],
                looks: looks.collect(),
            }
        });
        let frames: Vec<FrameResult> = frames.collect();
        Filmed {
            subject: Subject::Scene(Box::default()),
            segments: frames.chunks(block).map(<[_]>::to_vec).collect(),
            times: vec![vec![1.0, 2.0, 3.0]; errors.len()],
        }
    }

    #[test]
    fn a_known_series_has_the_known_metrics() {
        let errors =
            vec![Some([0.2, 0.0]), Some([-0.1, 0.1]), None, Some([0.2, -0.1]), Some([-0.1, 0.0])];
        let mut filmed = filmed(&[errors], 2);
        filmed.segments[0][0].looks[0].false_positives = 2;
        filmed.segments[0][0].looks[0].on_clutter = 1;
        filmed.segments[1][0].looks[0].fault = Some("no light".into());
        filmed.segments[2][0].looks[0].misbehaved = Some("too many".into());
        let m = Metrics::of(&filmed, 0, "x", 1);
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert_eq!((m.frames, m.balls, m.found, m.faults), (5, 5, 4, 1));
        assert!(close(m.recall.unwrap(), 0.8) && close(m.precision.unwrap(), 4.0 / 6.0));
        assert!(close(m.false_positives_per_frame, 0.4) && m.on_clutter == 1);
        let [x, y] = m.bias.unwrap();
        assert!(
            close(x.value, 0.05) && close(y.value, 0.0) && close(m.largest_bias().unwrap(), 0.05)
        );
        // Squares: 0.04, 0.02, 0.05, 0.01 have the mean 0.03.
        assert!(close(m.rmse_l2.unwrap(), 0.03f64.sqrt()));
        assert!(close(m.rmse.unwrap(), 0.015f64.sqrt()));
        assert!(close(m.rmse_over_bound.unwrap(), 0.015f64.sqrt() / 0.1));
        let l2 = m.l2.unwrap();
        assert!(close(l2.max, 0.05f64.sqrt()) && close(l2.p50, 0.5 * (0.2 + 0.02f64.sqrt())));
        let radius = m.radius.unwrap();
        assert!(close(radius.bias, 0.1) && close(radius.rmse_over_bound.unwrap(), 2.0));
        // dx^2 / 0.04 + dy^2 / 0.01: 1, 1.25, 2, 0.25.
        assert!(close(m.calibration.unwrap().value, 1.125) && m.without_covariance == 0);
        assert!(close(m.score_correlation.unwrap(), -1.0));
        assert_eq!(m.ms, Some(Times { p50: 2.0, p95: 2.9 }));
        assert_eq!(m.first_fault.as_deref(), Some("frame 2: no light"));
        assert_eq!((m.misbehaved, m.first_misbehaved.as_deref()), (1, Some("frame 4: too many")));
    }

    #[test]
    fn a_detector_that_finds_nothing_has_no_errors() {
        let m = Metrics::of(&filmed(&[vec![None; 4]], 2), 0, "blind", 1);
        assert_eq!((m.recall, m.precision, m.rmse, m.l2), (Some(0.0), None, None, None));
        assert_eq!((m.bias, m.calibration, m.score_correlation), (None, None, None));
    }

    #[test]
    fn jitter_is_the_scatter_around_each_still_balls_own_mean() {
        // Two segments of two: x is off by 0.1 and 0.3 around 0.2, then by 1.
        let errors = [0.1, 0.3, 1.0, 1.0].map(|x| Some([x, 0.5]));
        let mut filmed = filmed(&[errors.to_vec()], 2);
        let m = Metrics::of(&filmed, 0, "x", 1);
        // One squared deviation of 0.01 for each of two, and four degrees of freedom.
        assert!((m.jitter.unwrap() - (0.02f64 / 4.0).sqrt()).abs() < 1e-12, "{:?}", m.jitter);
        filmed.segments[0][1].balls[0].truth.velocity = [0.0, 0.1];
        assert_eq!(Metrics::of(&filmed, 0, "x", 1).jitter, Some(0.0));
        filmed.segments[1][0].balls[0].truth.velocity = [0.1, 0.0];
        assert_eq!(Metrics::of(&filmed, 0, "x", 1).jitter, None);
    }

    #[test]
    fn ignored_balls_are_not_missed() {
        let mut filmed = filmed(&[vec![None, Some([0.0, 0.0])]], 1);
        filmed.segments[0][0].balls[0].ignored = true;
        let m = Metrics::of(&filmed, 0, "x", 1);
        assert_eq!((m.balls, m.ignored, m.recall), (1, 1, Some(1.0)));
    }
}
