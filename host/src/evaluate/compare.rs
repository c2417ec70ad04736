//! Two detectors on the same frames.

use serde::Serialize;

use super::{
    film::Filmed,
    interval::{Block, Interval, bootstrap_mean, mean},
};

/// What the comparison says about the challenger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Its loss is smaller: the interval lies below 0.
    Better,
    /// Its loss is larger: the interval lies above 0.
    Worse,
    /// The interval holds 0, or there are too few segments for one.
    NoDifferenceSeen,
}

impl Verdict {
    /// The verdict on a difference of which less is better.
    fn of(interval: Option<Interval>) -> Self {
        match interval {
            Some(i) if i.high < 0.0 => Self::Better,
            Some(i) if i.low > 0.0 => Self::Worse,
            _ => Self::NoDifferenceSeen,
        }
    }

    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::NoDifferenceSeen => "no difference seen",
        }
    }
}

/// Mean difference of the loss, challenger minus reference, in pixels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// The detector that is judged.
    pub challenger: String,
    /// The one that it is compared with.
    pub reference: String,
    /// Mean loss of the challenger minus that of the reference.
    pub difference: Option<f64>,
    /// Its 95 % interval by block bootstrap.
    pub interval: Option<Interval>,
    /// What follows.
    pub verdict: Verdict,
    /// The same for the number of false positives.
    pub false_positives: FalsePositives,
}

/// Mean difference of the false positives per frame, challenger minus
/// reference. They are judged apart from the loss: what a false positive costs
/// in pixels depends on the use.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FalsePositives {
    /// Challenger minus reference, per frame.
    pub difference: Option<f64>,
    /// Its 95 % interval by block bootstrap.
    pub interval: Option<Interval>,
    /// Better has fewer.
    pub verdict: Verdict,
}

impl FalsePositives {
    /// For people; `None` when no difference is seen.
    pub fn text(&self) -> Option<&'static str> {
        match self.verdict {
            Verdict::Better => Some("fewer false positives"),
            Verdict::Worse => Some("more false positives"),
            Verdict::NoDifferenceSeen => None,
        }
    }
}

/// The loss of a ball: the distance from the truth; a missed ball costs the gate.
pub(super) fn loss(hit: Option<super::film::Hit>, gate: f64) -> f64 {
    hit.map_or(gate, |hit| hit.l2().min(gate))
}

/// Compares detectors `challenger` and `reference` (number and name) over all
/// balls that count.
pub fn compare(
    filmed: &Filmed,
    challenger: (usize, &str),
    reference: (usize, &str),
    seed: u64,
) -> Pair {
    let blocks: Vec<Block> = filmed
        .segments
        .iter()
        .map(|segment| {
            Block::of(segment.iter().flat_map(|frame| {
                let counted = frame.balls.iter().enumerate().filter(|(_, ball)| !ball.ignored);
                counted.map(|(n, ball)| {
                    let of = |d: usize| loss(frame.looks[d].hits[n], ball.gate);
                    of(challenger.0) - of(reference.0)
                })
            }))
        })
        .collect();
    let interval = bootstrap_mean(&blocks, seed);
    let false_blocks: Vec<Block> = filmed
        .segments
        .iter()
        .map(|segment| {
            Block::of(segment.iter().map(|frame| {
                let of = |d: usize| f64::from(frame.looks[d].false_positives);
                of(challenger.0) - of(reference.0)
            }))
        })
        .collect();
    let false_interval = bootstrap_mean(&false_blocks, seed);
    Pair {
        challenger: challenger.1.to_owned(),
        reference: reference.1.to_owned(),
        difference: mean(&blocks),
        interval,
        verdict: Verdict::of(interval),
        false_positives: FalsePositives {
            difference: mean(&false_blocks),
            interval: false_interval,
            verdict: Verdict::of(false_interval),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::metrics::tests::filmed;

    #[allow(clippy::unnecessary_wraps, reason = "an error or a miss")]
    fn wobble(n: usize, size: f64) -> Option<[f64; 2]> {
        Some([size * (0.5 + ((n * 7) % 11) as f64 / 11.0), 0.0])
    }

    #[test]
    fn better_worse_and_no_difference() {
        let good: Vec<_> = (0..40).map(|n| wobble(n, 0.1)).collect();
        let bad: Vec<_> = (0..40).map(|n| wobble(n + 3, 0.2)).collect();
        let shuffled: Vec<_> = (0..40).map(|n| wobble(n + 5, 0.1)).collect();
        let filmed = filmed(&[good, bad, shuffled], 4);
        let verdict = |c, r| compare(&filmed, (c, "c"), (r, "r"), 1).verdict;
        assert_eq!(verdict(0, 1), Verdict::Better);
        assert_eq!(verdict(1, 0), Verdict::Worse);
        assert_eq!(verdict(2, 0), Verdict::NoDifferenceSeen);
        let same = compare(&filmed, (0, "c"), (0, "r"), 1);
        assert_eq!((same.difference, same.verdict), (Some(0.0), Verdict::NoDifferenceSeen));
    }

    #[test]
    fn false_positives_are_judged_apart() {
        let errors: Vec<_> = (0..40).map(|n| wobble(n, 0.1)).collect();
        let mut filmed = filmed(&[errors.clone(), errors], 4);
        for frame in filmed.segments.iter_mut().flatten() {
            frame.looks[1].false_positives = 3;
        }
        let pair = compare(&filmed, (1, "noisy"), (0, "r"), 1);
        assert_eq!((pair.difference, pair.verdict), (Some(0.0), Verdict::NoDifferenceSeen));
        assert_eq!(pair.false_positives.difference, Some(3.0));
        assert_eq!(pair.false_positives.text(), Some("more false positives"));
        let other = compare(&filmed, (0, "c"), (1, "noisy"), 1);
        assert_eq!(other.false_positives.text(), Some("fewer false positives"));
    }

    #[test]
    fn a_missed_ball_costs_the_gate() {
        let filmed = filmed(&[vec![None; 8], vec![Some([1.0, 0.0]); 8]], 2);
        let pair = compare(&filmed, (0, "blind"), (1, "r"), 1);
        assert_eq!((pair.difference, pair.verdict), (Some(4.0), Verdict::Worse));
    }
}
