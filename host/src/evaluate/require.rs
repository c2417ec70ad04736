//! Thresholds that the user sets.

use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::{Metrics, SceneSummary};

/// What can be required: name, whether more is better, what it is.
type Known = (&'static str, bool, fn(&Metrics) -> Option<f64>);

const KNOWN: [Known; 15] = [
    ("recall", true, |m| m.recall),
    ("precision", true, |m| m.precision),
    ("false_positives", false, |m| Some(m.false_positives_per_frame)),
    ("rmse", false, |m| m.rmse),
    ("rmse_l2", false, |m| m.rmse_l2),
    ("rmse_over_bound", false, |m| m.rmse_over_bound),
    ("bias", false, Metrics::largest_bias),
    ("p50", false, |m| m.l2.map(|q| q.p50)),
    ("p95", false, |m| m.l2.map(|q| q.p95)),
    ("p99", false, |m| m.l2.map(|q| q.p99)),
    ("max", false, |m| m.l2.map(|q| q.max)),
    ("radius_rmse", false, |m| m.radius.map(|r| r.rmse)),
    ("jitter", false, |m| m.jitter),
    ("calibration", false, |m| m.calibration.map(|c| c.value)),
    ("ms", false, |m| m.ms.map(|t| t.p50)),
];

/// Thresholds that every detector must meet in every scene.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Requirements(Vec<(usize, f64)>);

/// Why a list of thresholds cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "--require {text}: {problem}; write KEY=NUMBER,... with the keys {}",
    KNOWN.map(|(key, more, _)| format!("{key} ({})", if more { "at least" } else { "at most" })).join(", ")
)]
pub struct RequireError {
    text: String,
    problem: String,
}

/// A threshold that was not met.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unmet {
    /// The scene.
    pub scene: String,
    /// The detector.
    pub detector: String,
    /// What was required.
    pub key: &'static str,
    /// The least or the most that was allowed.
    pub required: f64,
    /// What it was; `None` when nothing can be said, which meets no threshold.
    pub value: Option<f64>,
}

impl std::fmt::Display for Unmet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { scene, detector, key, required, value } = self;
        let sign = if KNOWN.iter().any(|k| k.0 == *key && k.1) { "at least" } else { "at most" };
        write!(f, "{detector} in {scene}: {key} is ")?;
        match value {
            Some(value) => write!(f, "{value:.6}")?,
            None => f.write_str("unknown")?,
        }
        write!(f, ", {sign} {required} is required")
    }
}

impl FromStr for Requirements {
    type Err = RequireError;

    fn from_str(text: &str) -> Result<Self, RequireError> {
        let error = |problem: String| RequireError { text: text.to_owned(), problem };
        let one = |part: &str| {
            let (key, value) = part
                .split_once('=')
                .ok_or_else(|| error(format!("there is no `=` in {part:?}")))?;
            let (key, value) = (key.trim(), value.trim());
            let known = KNOWN
                .iter()
                .position(|k| k.0 == key)
                .ok_or_else(|| error(format!("{key:?} is not known")))?;
            let number = value
                .parse()
                .ok()
                .filter(|n: &f64| n.is_finite())
                .ok_or_else(|| error(format!("{value:?} is not a number")))?;
            // Shares, of which more is better, and sizes, of which less is.
            let (_, share, _) = KNOWN[known];
            if number < 0.0 {
                return Err(error(format!("{key} is never negative, and this is {value}")));
            }
            if share && number > 1.0 {
                return Err(error(format!("{key} is a share from 0 to 1, and this is {value}")));
            }
            Ok((known, number))
        };
        let all: Vec<(usize, f64)> = text.split(',').map(one).collect::<Result<_, _>>()?;
        let twice = |n: &usize| all[..*n].iter().any(|earlier| earlier.0 == all[*n].0);
        match (0..all.len()).find(twice) {
            Some(n) => Err(error(format!("{:?} is there twice", KNOWN[all[n].0].0))),
            None => Ok(Self(all)),
        }
    }
}

/// A table of names and values.
impl Serialize for Requirements {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|&(known, value)| (KNOWN[known].0, value)))
    }
}

/// `recall at least 0.999, rmse at most 0.05`
impl std::fmt::Display for Requirements {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, &(known, value)) in self.0.iter().enumerate() {
            let (key, more, _) = KNOWN[known];
            let comma = if n > 0 { ", " } else { "" };
            write!(f, "{comma}{key} {} {value}", if more { "at least" } else { "at most" })?;
        }
        Ok(())
    }
}

impl Requirements {
    /// Whether nothing is required.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The thresholds that were not met.
    pub fn unmet(&self, scenes: &[SceneSummary]) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        for scene in scenes {
            for metrics in &scene.detectors {
                for &(known, required) in &self.0 {
                    let (key, more, of) = KNOWN[known];
                    let value = of(metrics);
                    // Of another program only the answers are known.
                    let is_untimed = key == "ms" && value.is_none();
                    let met = is_untimed
                        || value.is_some_and(|v| if more { v >= required } else { v <= required });
                    if !met {
                        let (scene, detector) = (scene.name.clone(), metrics.detector.clone());
                        unmet.push(Unmet { scene, detector, key, required, value });
                    }
                }
            }
        }
        unmet
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{Margins, metrics::tests::filmed};

    #[test]
    fn what_is_not_met_is_named() {
        let filmed = filmed(&[vec![Some([0.1, 0.0]); 4], vec![None; 4]], 2);
        let scene =
            SceneSummary::of(&filmed, &["good".into(), "blind".into()], Margins::default(), 1);
        let ask = |text: &str| {
            let unmet = text.parse::<Requirements>().unwrap().unmet(std::slice::from_ref(&scene));
            unmet.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            ask("recall=0.9, rmse=0.08,ms=5"),
            [
                "blind in clean: recall is 0.000000, at least 0.9 is required",
                "blind in clean: rmse is unknown, at most 0.08 is required",
            ]
        );
        assert_eq!(ask("rmse=0.07").len(), 2);
        assert!(ask("bias=0.1")[0].starts_with("blind"));
    }

    #[test]
    fn nonsense_is_refused_with_what_is_known() {
        for text in
            ["", "rmse", "rmsd=1", "rmse=a", "rmse=inf", "rmse=1,,p95=2", "recall=99", "rmse=-1"]
        {
            let error = text.parse::<Requirements>().unwrap_err().to_string();
            assert!(error.contains("recall (at least)") && error.contains("p95"), "{error}");
        }
    }
}
