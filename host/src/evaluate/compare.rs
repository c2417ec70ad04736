//! Two detectors on the same frames.

use serde::Serialize;

use super::{
    film::{Filmed, FrameResult},
    interval::{Block, Interval, bootstrap_mean, mean, unseen},
};

/// Differences that do not matter to the user.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Margins {
    /// Of the mean distance from the truth, in pixels.
    pub distance: f64,
    /// Of missed balls per ball, and of false positives per frame.
    pub rate: f64,
}

impl Default for Margins {
    fn default() -> Self {
        Self { distance: 0.001, rate: 0.001 }
    }
}

/// What the comparison says about the challenger, with a difference of which
/// less is better and the largest one that does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The interval lies below minus the margin.
    Better,
    /// The interval lies above the margin.
    Worse,
    /// The interval lies within the margin, on both sides of 0 or not.
    NoRelevantDifference,
    /// The interval reaches across an end of the margin, or there is none.
    Undecided,
}

impl Verdict {
    fn of(interval: Option<Interval>, margin: f64) -> Self {
        match interval {
            Some(i) if i.high < -margin => Self::Better,
            Some(i) if i.low > margin => Self::Worse,
            Some(i) if i.low >= -margin && i.high <= margin => Self::NoRelevantDifference,
            _ => Self::Undecided,
        }
    }

    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::NoRelevantDifference => "no relevant difference",
            Self::Undecided => "too few frames to tell",
        }
    }

    /// For people, of something that is counted.
    pub fn count_text(self) -> &'static str {
        match self {
            Self::Better => "fewer",
            Self::Worse => "more",
            other => other.text(),
        }
    }
}

/// A mean difference, challenger minus reference; less is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The mean.
    pub difference: Option<f64>,
    /// Its 95 % interval by block bootstrap, with few segments by Student.
    pub interval: Option<Interval>,
    /// The largest difference that does not matter.
    pub margin: f64,
    /// What follows.
    pub verdict: Verdict,
}

impl Difference {
    fn of(blocks: &[Block], margin: f64, seed: u64) -> Self {
        Self::with(mean(blocks), bootstrap_mean(blocks, seed), margin)
    }

    /// Of something that happens or not. What never happened in a run may still
    /// happen, so the interval keeps the room that so many cases leave, as far as
    /// differences from the first to the second of `possible` are.
    fn of_rate(blocks: &[Block], margin: f64, seed: u64, possible: (f64, f64)) -> Self {
        let (mean, count) = (mean(blocks), blocks.iter().map(|b| b.count).sum::<f64>());
        let (least, most) = possible;
        let widened = |i: Interval, mean: f64| Interval {
            low: i.low.min(mean - unseen(count)).max(least),
            high: i.high.max(mean + unseen(count)).min(most),
        };
        let interval = bootstrap_mean(blocks, seed).zip(mean).map(|(i, m)| widened(i, m));
        Self::with(mean, interval, margin)
    }

    fn with(difference: Option<f64>, interval: Option<Interval>, margin: f64) -> Self {
        Self { difference, interval, margin, verdict: Verdict::of(interval, margin) }
    }
}

/// A detector held against another one. The three differences are judged
/// apart: what a miss or a false positive costs in pixels depends on the use.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// The detector that is judged.
    pub challenger: String,
    /// The one that it is compared with.
    pub reference: String,
    /// Distance from the truth in pixels, over the balls that both found.
    pub distance: Difference,
    /// Missed balls per ball.
    pub misses: Difference,
    /// False positives per frame.
    pub false_positives: Difference,
}

impl Pair {
    /// The verdict on the distance, for people. Where one of the two found nothing, more
    /// frames need not help.
    pub fn distance_text(&self) -> &'static str {
        match self.distance.difference {
            None if self.misses.difference.is_none() => "no balls to find",
            None => "no ball that both found",
            Some(_) => self.distance.verdict.text(),
        }
    }

    /// The verdict on the misses, for people.
    pub fn misses_text(&self) -> &'static str {
        match self.misses.difference {
            None => "no balls to find",
            Some(_) => self.misses.verdict.count_text(),
        }
    }
}

/// Differences without a limit.
const ANY: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

/// Compares detectors `challenger` and `reference` (number and name) over all
/// balls that count.
pub fn compare(
    filmed: &Filmed,
    challenger: (usize, &str),
    reference: (usize, &str),
    margins: Margins,
    seed: u64,
) -> Pair {
    let (c, r) = (challenger.0, reference.0);
    let distances = blocks(filmed, |frame| {
        balls(frame).filter_map(move |n| {
            let [ours, theirs] = [c, r].map(|d| frame.looks[d].hits[n]);
            Some(ours?.l2() - theirs?.l2())
        })
    });
    let misses = blocks(filmed, |frame| {
        let missed =
            move |d: usize, n: usize| f64::from(u8::from(frame.looks[d].hits[n].is_none()));
        balls(frame).map(move |n| missed(c, n) - missed(r, n))
    });
    let false_positives = blocks(filmed, |frame| {
        let of = |d: usize| f64::from(frame.looks[d].false_positives);
        [of(c) - of(r)]
    });
    Pair {
        challenger: challenger.1.to_owned(),
        reference: reference.1.to_owned(),
        distance: Difference::of(&distances, margins.distance, seed),
        misses: Difference::of_rate(&misses, margins.rate, seed, (-1.0, 1.0)),
        false_positives: Difference::of_rate(&false_positives, margins.rate, seed, ANY),
    }
}

/// The numbers of the balls that count.
fn balls(frame: &FrameResult) -> impl Iterator<Item = usize> + use<'_> {
    frame.balls.iter().enumerate().filter(|(_, ball)| !ball.ignored).map(|(n, _)| n)
}

/// A block for every segment, with the values of its frames.
fn blocks<'a, V: IntoIterator<Item = f64>>(
    filmed: &'a Filmed,
    of: impl Fn(&'a FrameResult) -> V,
) -> Vec<Block> {
    filmed.segments.iter().map(|segment| Block::of(segment.iter().flat_map(&of))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::metrics::tests::filmed;

    #[allow(clippy::unnecessary_wraps, reason = "an error or a miss")]
    fn wobble(n: usize, size: f64) -> Option<[f64; 2]> {
        Some([size * (0.5 + ((n * 7) % 11) as f64 / 11.0), 0.0])
    }

    fn wobbles(count: usize, shift: usize, size: f64) -> Vec<Option<[f64; 2]>> {
        (0..count).map(|n| wobble(n + shift, size)).collect()
    }

    #[test]
    fn the_verdict_is_where_the_interval_lies_to_the_margin() {
        let verdict = |low, high, margin| Verdict::of(Some(Interval { low, high }), margin);
        assert_eq!(verdict(-3.0, -1.1, 1.0), Verdict::Better);
        assert_eq!(verdict(1.1, 3.0, 1.0), Verdict::Worse);
        // Surely a difference, and surely none that matters.
        assert_eq!(verdict(0.1, 0.9, 1.0), Verdict::NoRelevantDifference);
        assert_eq!(verdict(-0.9, 0.9, 1.0), Verdict::NoRelevantDifference);
        // Surely a difference, which may matter or not.
        assert_eq!(verdict(0.1, 1.1, 1.0), Verdict::Undecided);
        assert_eq!(verdict(-1.1, -0.1, 1.0), Verdict::Undecided);
        assert_eq!(verdict(-5.0, 5.0, 1.0), Verdict::Undecided);
        assert_eq!(Verdict::of(None, 1.0), Verdict::Undecided);
        // Every difference matters: only the same answers are no difference.
        assert_eq!(verdict(0.0, 0.0, 0.0), Verdict::NoRelevantDifference);
        assert_eq!(verdict(1e-9, 2e-9, 0.0), Verdict::Worse);
        assert_eq!(verdict(-1e-9, 2e-9, 0.0), Verdict::Undecided);
    }

    #[test]
    fn many_frames_do_not_make_a_tiny_difference_matter() {
        let errors = [wobbles(4000, 0, 1e-4), wobbles(4000, 0, 1.1e-4), wobbles(4000, 5, 0.1)];
        let filmed = filmed(&errors, 25);
        let verdict = |c, r, distance| {
            let margins = Margins { distance, ..Margins::default() };
            compare(&filmed, (c, "c"), (r, "r"), margins, 1).distance.verdict
        };
        assert_eq!(verdict(1, 0, 0.001), Verdict::NoRelevantDifference);
        assert_eq!((verdict(1, 0, 0.0), verdict(0, 1, 0.0)), (Verdict::Worse, Verdict::Better));
        assert_eq!((verdict(2, 0, 0.001), verdict(0, 2, 0.001)), (Verdict::Worse, Verdict::Better));
    }

    #[test]
    fn few_frames_leave_it_undecided() {
        let filmed = filmed(&[wobbles(40, 0, 0.1), wobbles(40, 5, 0.1)], 4);
        let pair = compare(&filmed, (1, "c"), (0, "r"), Margins::default(), 1);
        assert_eq!(pair.distance.verdict, Verdict::Undecided);
        let wide = Margins { distance: 0.1, rate: 0.2 };
        let pair = compare(&filmed, (1, "c"), (0, "r"), wide, 1);
        assert_eq!(pair.distance.verdict, Verdict::NoRelevantDifference);
        assert_eq!(pair.misses.verdict, Verdict::NoRelevantDifference);
    }

    #[test]
    fn what_never_happened_is_no_proof_that_it_never_will() {
        let pair = |count: usize| {
            let filmed = filmed(&[wobbles(count, 0, 0.1), wobbles(count, 0, 0.1)], 20);
            compare(&filmed, (1, "c"), (0, "r"), Margins::default(), 1)
        };
        let short = pair(200);
        assert_eq!(short.distance.verdict, Verdict::NoRelevantDifference, "the same answers");
        for difference in [short.misses, short.false_positives] {
            assert_eq!(
                (difference.difference, difference.verdict),
                (Some(0.0), Verdict::Undecided)
            );
            let interval = difference.interval.unwrap();
            assert!((interval.high - 0.0188).abs() < 1e-4 && interval.low == -interval.high);
        }
        let long = pair(4000);
        assert_eq!(long.misses.verdict, Verdict::NoRelevantDifference);
        assert_eq!(long.false_positives.verdict, Verdict::NoRelevantDifference);
    }

    #[test]
    fn misses_and_false_positives_are_judged_apart() {
        let mut errors = wobbles(200, 0, 0.1);
        errors.iter_mut().step_by(5).for_each(|e| *e = None);
        let mut filmed = filmed(&[errors, wobbles(200, 0, 0.1)], 10);
        for frame in filmed.segments.iter_mut().flatten() {
            frame.looks[1].false_positives = 3;
        }
        let pair = compare(&filmed, (1, "c"), (0, "r"), Margins::default(), 1);
        // Where both found the ball they agree.
        assert_eq!(pair.distance.difference, Some(0.0));
        assert_eq!((pair.misses.difference, pair.misses.verdict), (Some(-0.2), Verdict::Better));
        assert_eq!(pair.false_positives.difference, Some(3.0));
        assert_eq!(pair.false_positives.verdict.count_text(), "more");
        let other = compare(&filmed, (0, "c"), (1, "r"), Margins::default(), 1);
        assert_eq!(
            (other.misses.verdict.count_text(), other.false_positives.verdict.count_text()),
            ("more", "fewer")
        );
    }

    #[test]
    fn without_a_ball_that_both_found_nothing_is_said_about_the_distance() {
        let filmed = filmed(&[vec![None; 8], vec![Some([1.0, 0.0]); 8]], 2);
        let pair = compare(&filmed, (0, "blind"), (1, "r"), Margins::default(), 1);
        assert_eq!((pair.distance.difference, pair.distance.verdict), (None, Verdict::Undecided));
        assert_eq!(pair.distance_text(), "no ball that both found");
        assert_eq!((pair.misses.difference, pair.misses.verdict), (Some(1.0), Verdict::Worse));
        assert_eq!(pair.misses.interval.unwrap().high, 1.0);
    }
}
