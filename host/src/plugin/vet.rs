//! What a detector answered, freed of nonsense.

use abi_stable::std_types::ROption;
use plumbline_plugin_api::{Covariance, Detection, Detections};

/// A frame with more discs than this is taken for a mistake of the detector.
pub(super) const MAX_DETECTIONS: usize = 1024;

/// How an answer broke the rules; all zero for a good one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Nonsense {
    /// Detections with a centre or a score that is not finite, removed.
    pub(super) not_finite: usize,
    /// Detections with a negative or infinite radius, removed.
    pub(super) bad_radius: usize,
    /// Detections beyond [`MAX_DETECTIONS`], removed.
    pub(super) too_many: usize,
    /// Covariances that are none, removed; their detections stay.
    pub(super) bad_covariance: usize,
    /// The answer did not come best first, and was sorted.
    pub(super) unsorted: bool,
}

impl Nonsense {
    /// Was the answer in order?
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl std::fmt::Display for Nonsense {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        for (count, what) in [
            (self.not_finite, "with a centre or score that is not finite (removed)"),
            (self.bad_radius, "with a negative or infinite radius (removed)"),
            (self.too_many, "beyond the limit of 1024 (removed)"),
            (self.bad_covariance, "with an impossible covariance (covariance removed)"),
        ] {
            if count > 0 {
                let s = if count == 1 { "" } else { "s" };
                parts.push(format!("{count} detection{s} {what}"));
            }
        }
        if self.unsorted {
            parts.push("not best first (sorted)".to_owned());
        }
        f.write_str(&parts.join(", "))
    }
}

/// Removes what makes no sense from `found` and says what that was.
///
/// A centre outside the picture is no nonsense: half of a ball can be seen at
/// its edge. A radius may be NaN: not every detector estimates it.
pub(super) fn vet(found: &mut Detections) -> Nonsense {
    let mut nonsense = Nonsense::default();
    found.retain(|d| {
        if !(d.x.is_finite() && d.y.is_finite() && d.score.is_finite()) {
            nonsense.not_finite += 1;
            return false;
        }
        if d.radius.is_infinite() || d.radius < 0.0 {
            nonsense.bad_radius += 1;
            return false;
        }
        true
    });
    if !best_first(found) {
        nonsense.unsorted = true;
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
    }
    if found.len() > MAX_DETECTIONS {
        nonsense.too_many = found.len() - MAX_DETECTIONS;
        found.truncate(MAX_DETECTIONS);
    }
    for detection in found.iter_mut() {
        if let ROption::RSome(covariance) = &detection.covariance
            && !plausible(covariance)
        {
            detection.covariance = ROption::RNone;
            nonsense.bad_covariance += 1;
        }
    }
    nonsense
}

fn plausible(c: &Covariance) -> bool {
    [c.xx, c.xy, c.xr, c.yy, c.yr, c.rr].iter().all(|v| v.is_finite())
        && c.xx >= 0.0
        && c.yy >= 0.0
        && c.rr >= 0.0
}

fn best_first(found: &[Detection]) -> bool {
    found.is_sorted_by(|a, b| a.score >= b.score)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f64, score: f64) -> Detection {
        Detection::new(x, 1.0, 5.0, score)
    }

    #[test]
    fn a_good_answer_stays_as_it_is() {
        let good = [at(-3.0, 0.9), Detection::new(1.0, 2.0, f64::NAN, 0.9), at(5.0, -2.0)];
        let mut found: Detections = good.to_vec().into();
        assert!(vet(&mut found).is_none());
        assert_eq!(found.len(), 3);
        assert_eq!(found[0], good[0]);
    }

    #[test]
    fn what_is_not_finite_goes_and_the_rest_stays() {
        let mut found: Detections = vec![
            at(f64::NAN, 1.0),
            at(f64::INFINITY, 1.0),
            at(7.0, f64::NAN),
            Detection::new(1.0, 1.0, -1.0, 1.0),
            Detection::new(1.0, 1.0, f64::INFINITY, 1.0),
            at(8.0, 0.5),
        ]
        .into();
        let nonsense = vet(&mut found);
        assert_eq!((nonsense.not_finite, nonsense.bad_radius), (3, 2));
        assert_eq!(found.as_slice(), [at(8.0, 0.5)]);
        assert!(nonsense.to_string().starts_with("3 detections with a centre"));
    }

    #[test]
    fn too_many_are_cut_and_the_best_are_kept() {
        let mut found: Detections = (0..2000).map(|i| at(0.0, -f64::from(i))).collect();
        assert_eq!(vet(&mut found).too_many, 2000 - MAX_DETECTIONS);
        assert_eq!(found.len(), MAX_DETECTIONS);
        assert_eq!(found[0].score, 0.0);
    }

    #[test]
    fn an_answer_in_the_wrong_order_is_sorted() {
        let mut found: Detections = vec![at(1.0, 0.1), at(2.0, 0.9)].into();
        assert!(vet(&mut found).unsorted);
        assert_eq!(found[0].x, 2.0);
    }

    #[test]
    fn an_impossible_covariance_is_dropped_but_not_its_detection() {
        let impossible = Covariance { xx: -1.0, xy: 0.0, xr: 0.0, yy: 1.0, yr: 0.0, rr: 1.0 };
        let mut found: Detections = vec![at(1.0, 1.0).with_covariance(impossible)].into();
        assert_eq!(vet(&mut found).bad_covariance, 1);
        assert_eq!(found.as_slice(), [at(1.0, 1.0)]);
    }
}
