//! What the client answers, and how either side says goodbye.

use abi_stable::std_types::ROption;
use plumbline_plugin_api::{Covariance, Detection};
use serde::{Deserialize, Serialize};

use super::{Reason, WireError, text::at_most};

/// Estimates in an answer at most.
pub const MAX_ESTIMATES: usize = 64;
/// The farthest that a centre may be from the origin on either axis, and the
/// largest radius, in pixels: far outside any picture, and small enough that
/// sums of squares stay exact to a thousandth of a pixel.
pub const MAX_COORDINATE: f64 = 1e6;

/// What became of a frame at the client. Every frame gets exactly one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The frame.
    pub id: u64,
    /// What was found.
    pub finding: Finding,
    /// What the detector took for this frame, in nanoseconds on the client's clock.
    pub detect_ns: u64,
}

/// What a detector found in a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Finding {
    /// Discs, best first: at least one, at most [`MAX_ESTIMATES`].
    Found(#[serde(deserialize_with = "at_most::<MAX_ESTIMATES, _, _>")] Vec<Estimate>),
    /// The detector ran and found nothing.
    Nothing,
    /// The detector never saw the frame because a newer one was there.
    Dropped,
    /// The detector failed on this frame.
    Failed(Reason),
}

/// A disc that a detector found. Integer coordinates are pixel centres.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Centre, pixels to the right of the centre of the top-left pixel.
    pub x: f64,
    /// Centre, pixels below the centre of the top-left pixel.
    pub y: f64,
    /// Radius in pixels; NaN when the detector does not estimate it.
    pub radius: f64,
    /// How sure the detector is: higher is better; NaN when it does not say.
    pub score: f64,
    /// Covariance of (x, y, radius) in square pixels: xx, xy, xr, yy, yr, rr.
    pub covariance: Option<[f64; 6]>,
}

/// The last message of a side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Bye {
    /// Everything that was to be done is done.
    Completed,
    /// A user ended it: a signal, a closed window.
    Interrupted,
    /// The two sides have no version, pixel format or size in common.
    Unsupported(Reason),
    /// The peer sent something that is against the protocol.
    Violation(Reason),
    /// This side failed.
    Failed(Reason),
}

impl Finding {
    /// What a detector returned, best first; what is beyond [`MAX_ESTIMATES`]
    /// is left out. Numbers that the protocol forbids (a NaN centre, say) make
    /// a [`Finding::Failed`] that names them.
    pub fn from_detections(detections: &[Detection]) -> Self {
        let estimates: Vec<_> =
            detections.iter().take(MAX_ESTIMATES).copied().map(Estimate::from).collect();
        if estimates.is_empty() {
            return Self::Nothing;
        }
        match check(&estimates) {
            Ok(()) => Self::Found(estimates),
            Err(error) => Self::Failed(error.to_string().into()),
        }
    }
}

impl Answer {
    pub(super) fn check(&self) -> Result<(), WireError> {
        match &self.finding {
            Finding::Found(estimates) => check(estimates),
            _ => Ok(()),
        }
    }
}

fn check(estimates: &[Estimate]) -> Result<(), WireError> {
    if estimates.is_empty() || estimates.len() > MAX_ESTIMATES {
        return Err(WireError::TooMany {
            what: "estimates in an answer that found something (and not fewer than 1)",
            count: estimates.len(),
            limit: MAX_ESTIMATES,
        });
    }
    for (index, estimate) in estimates.iter().enumerate() {
        let error = |field, value| Err(WireError::Estimate { index, field, value });
        for (field, value) in [("x", estimate.x), ("y", estimate.y)] {
            // Written so that NaN fails.
            if !(-MAX_COORDINATE..=MAX_COORDINATE).contains(&value) {
                return error(field, value);
            }
        }
        if !estimate.radius.is_nan() && !(0.0..=MAX_COORDINATE).contains(&estimate.radius) {
            return error("radius", estimate.radius);
        }
        if estimate.score.is_infinite() {
            return error("score", estimate.score);
        }
        if let Some(&value) = estimate.covariance.iter().flatten().find(|v| !v.is_finite()) {
            return error("covariance", value);
        }
    }
    Ok(())
}

impl From<Detection> for Estimate {
    fn from(found: Detection) -> Self {
        Self {
            x: found.x,
            y: found.y,
            radius: found.radius,
            score: found.score,
            covariance: match found.covariance {
                ROption::RSome(c) => Some([c.xx, c.xy, c.xr, c.yy, c.yr, c.rr]),
                ROption::RNone => None,
            },
        }
    }
}

impl From<Estimate> for Detection {
    fn from(estimate: Estimate) -> Self {
        let found = Self::new(estimate.x, estimate.y, estimate.radius, estimate.score);
        match estimate.covariance {
            Some([xx, xy, xr, yy, yr, rr]) => {
                found.with_covariance(Covariance { xx, xy, xr, yy, yr, rr })
            }
            None => found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detector_that_returns_nonsense_has_failed_on_that_frame() {
        let good = Detection::new(1.0, 2.0, f64::NAN, 0.5);
        let bad = Detection::new(1.0, f64::INFINITY, 3.0, 0.5);
        assert!(matches!(Finding::from_detections(&[good]), Finding::Found(_)));
        let Finding::Failed(reason) = Finding::from_detections(&[good, bad]) else {
            panic!("an infinite centre went through");
        };
        assert!(reason.contains("estimate 1 has y = inf"), "{reason}");
        assert_eq!(Finding::from_detections(&[]), Finding::Nothing);
    }

    #[test]
    fn only_the_best_estimates_travel() {
        let many: Vec<_> = (0..100).map(|i| Detection::new(f64::from(i), 0.0, 1.0, 1.0)).collect();
        let Finding::Found(kept) = Finding::from_detections(&many) else { panic!() };
        assert_eq!(kept.len(), MAX_ESTIMATES);
        assert_eq!(kept[63].x, 63.0);
    }

    #[test]
    fn a_covariance_survives_the_way_through_an_estimate() {
        let covariance = Covariance { xx: 1.0, xy: 2.0, xr: 3.0, yy: 4.0, yr: 5.0, rr: 6.0 };
        let detection = Detection::new(1.0, 2.0, 3.0, 4.0).with_covariance(covariance);
        assert_eq!(Detection::from(Estimate::from(detection)), detection);
    }
}
