//! All scenes together: what a choice between detectors starts from.

use serde::Serialize;

use super::{Metrics, Pair, SceneSummary, Verdict};

/// What one detector did over all scenes. Errors of different scenes are not added up: the
/// hardest scene would stand for all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overall {
    /// The detector.
    pub detector: String,
    /// Found balls / balls, of all scenes together; `None` where there are none.
    pub recall: Option<f64>,
    /// The scene with the least recall; `None` where all balls were found.
    pub least_recall: Option<InScene>,
    /// False positives per frame, of all scenes together.
    pub false_positives_per_frame: f64,
    /// The scene with the most false positives per frame; `None` where there are none at all.
    pub most_false_positives: Option<InScene>,
    /// Scenes in which its mean distance from the truth was judged better than that of every
    /// other detector that found any of the same balls, over the balls that both found.
    pub ahead: usize,
    /// Scenes in which no other detector's was judged better.
    pub unbeaten: usize,
    /// Least and largest median time per frame of a scene, in milliseconds.
    pub ms: Option<[f64; 2]>,
    /// Frames on which it failed.
    pub faults: u64,
}

/// A value, and the scene that has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InScene {
    /// The scene.
    pub scene: String,
    /// The value.
    pub value: f64,
}

impl Overall {
    /// Detector number `d` in all of `scenes`.
    pub fn of(scenes: &[SceneSummary], d: usize, detector: &str) -> Self {
        let sum = |of: fn(&Metrics) -> u64| {
            scenes.iter().map(|scene| of(&scene.detectors[d])).sum::<u64>()
        };
        let (balls, found) = (sum(|m| m.balls) as f64, sum(|m| m.found) as f64);
        let largest = |of: &dyn Fn(&Metrics) -> Option<f64>| {
            let values = scenes.iter().filter_map(|scene| Some((of(&scene.detectors[d])?, scene)));
            values.fold(None, |most: Option<(f64, &SceneSummary)>, value| match most {
                Some(most) if most.0 >= value.0 => Some(most),
                _ => Some(value),
            })
        };
        let in_scene =
            |(value, scene): (f64, &SceneSummary)| InScene { scene: scene.name.clone(), value };
        let times = scenes.iter().filter_map(|scene| Some(scene.detectors[d].ms?.p50));
        let ms = times.fold(None, |range: Option<[f64; 2]>, t| {
            let [least, most] = range.unwrap_or([t, t]);
            Some([least.min(t), most.max(t)])
        });
        let against: Vec<Vec<Verdict>> = scenes
            .iter()
            .filter(|scene| scene.detectors[d].found > 0)
            .map(|scene| scene.pairs.iter().filter_map(|pair| seen_by(pair, detector)).collect())
            .collect();
        let scenes_where = |is: fn(Verdict) -> bool| {
            against.iter().filter(move |verdicts| verdicts.iter().all(|v| is(*v)))
        };
        Self {
            detector: detector.to_owned(),
            recall: (balls > 0.0).then(|| found / balls),
            least_recall: largest(&|m| m.recall.filter(|r| *r < 1.0).map(|r| -r))
                .map(|(minus, scene)| in_scene((-minus, scene))),
            false_positives_per_frame: sum(|m| m.false_positives) as f64
                / sum(|m| m.frames).max(1) as f64,
            most_false_positives: largest(&|m| {
                Some(m.false_positives_per_frame).filter(|rate| *rate > 0.0)
            })
            .map(in_scene),
            ahead: scenes_where(|v| v == Verdict::Better).filter(|v| !v.is_empty()).count(),
            unbeaten: scenes_where(|v| v != Verdict::Worse).count(),
            ms,
            faults: sum(|m| m.faults),
        }
    }
}

/// The verdict on the distance, as it is for `detector`; `None` for a pair of two others, or
/// without a ball that both found.
fn seen_by(pair: &Pair, detector: &str) -> Option<Verdict> {
    pair.distance.difference?;
    let verdict = pair.distance.verdict;
    if pair.challenger == detector {
        return Some(verdict);
    }
    (pair.reference == detector).then_some(match verdict {
        Verdict::Better => Verdict::Worse,
        Verdict::Worse => Verdict::Better,
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{Margins, metrics::tests::filmed};

    fn scene(name: &str, errors: [Option<f64>; 3]) -> SceneSummary {
        // The sign changes from ball to ball, or the differences would have no scatter.
        let series = errors
            .map(|e| (0..40).map(|n| e.map(|e| [if n % 2 == 0 { e } else { -e }, 0.0])).collect());
        let names = ["a", "b", "c"].map(str::to_owned);
        let summary = SceneSummary::of(&filmed(&series, 2), &names, Margins::default(), 1);
        SceneSummary { name: name.to_owned(), ..summary }
    }

    #[test]
    fn who_leads_and_where_each_is_weakest() {
        let mut scenes = [
            scene("easy", [Some(0.1), Some(0.2), Some(0.3)]),
            scene("even", [Some(0.1), Some(0.1), Some(0.3)]),
            scene("hard", [Some(0.3), Some(0.2), None]),
        ];
        scenes[1].detectors[2].false_positives = 6;
        scenes[1].detectors[2].false_positives_per_frame = 0.15;
        let of = |d: usize, name: &str| Overall::of(&scenes, d, name);
        let [a, b, c] = [of(0, "a"), of(1, "b"), of(2, "c")];
        // Who found nothing takes no lead away.
        assert_eq!([a.ahead, b.ahead, c.ahead], [1, 1, 0]);
        assert_eq!([a.unbeaten, b.unbeaten, c.unbeaten], [2, 2, 0]);
        assert_eq!(c.recall, Some(2.0 / 3.0));
        assert_eq!(c.least_recall, Some(InScene { scene: "hard".into(), value: 0.0 }));
        assert_eq!(c.most_false_positives.unwrap().scene, "even");
        assert_eq!((a.least_recall, a.most_false_positives), (None, None));
        assert_eq!(a.ms, Some([2.0, 2.0]));
        assert!((c.false_positives_per_frame - 0.05).abs() < 1e-12);
    }
}
