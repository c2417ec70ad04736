//! What makes a configuration of a scene impossible.

use super::{
    camera::Camera,
    config::{Edge, SceneConfig},
    degradation::FOCAL_RANGE,
    objects::distractor_radii,
};

/// A value that cannot be filmed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("scene.{key}: {message}")]
pub struct SceneError {
    /// The key below `[scene]`, e.g. `ball.radius`.
    pub key: String,
    /// The value and what is allowed.
    pub message: String,
}

impl SceneError {
    pub(crate) fn new(key: &str, message: String) -> Self {
        Self { key: key.to_owned(), message }
    }
}

/// Checks every value and how the values go together.
///
/// # Errors
///
/// The first value that is wrong.
pub(crate) fn check(config: &SceneConfig) -> Result<(), SceneError> {
    let c = config;
    let (ball, lens, noise) = (&c.ball, &c.lens, &c.noise);
    within("width", f64::from(c.width), 64.0, 8192.0)?;
    within("height", f64::from(c.height), 64.0, 8192.0)?;
    within("fps", c.fps, 0.0, 10_000.0)?;
    within("ball.count", f64::from(ball.count), 1.0, 100.0)?;
    within("ball.radius", ball.radius, 0.5, 4096.0)?;
    within("ball.pulse", ball.pulse, 0.0, 0.9)?;
    within("ball.pulse_period", ball.pulse_period, 2.0, 1e6)?;
    range("ball.other_radius", ball.other_radius, 0.5, 4096.0)?;
    range("ball.other_contrast", ball.other_contrast, 0.0, 1.0)?;
    range("ball.speed", ball.speed, 0.0, 10_000.0)?;
    within("ball.turn", ball.turn, 0.0, 180.0)?;
    within("ball.overhang", ball.overhang, 0.0, 0.95)?;
    within("ball.contrast", ball.contrast, 0.0, 1.0)?;
    color("ball.color", ball.color)?;
    color("background.color", c.background.color)?;
    within("background.amplitude", c.background.amplitude, 0.0, 255.0)?;
    within("background.scale", c.background.scale, 2.0, 4096.0)?;
    within("clutter.count", f64::from(c.clutter.count), 0.0, 1000.0)?;
    range("clutter.radius", c.clutter.radius, 0.5, 4096.0)?;
    within("clutter.contrast", c.clutter.contrast, 0.0, 1.0)?;
    within("occlusion.bars", f64::from(c.occlusion.bars), 0.0, 100.0)?;
    within("occlusion.width", c.occlusion.width, 0.5, 4096.0)?;
    within("occlusion.angle", c.occlusion.angle, -180.0, 180.0)?;
    within("occlusion.cover", c.occlusion.cover, 0.0, 0.75)?;
    color("occlusion.color", c.occlusion.color)?;
    within("shading.linear", c.shading.linear, 0.0, 1.0)?;
    within("shading.angle", c.shading.angle, -180.0, 180.0)?;
    within("shading.radial", c.shading.radial, 0.0, 1.0)?;
    within("surface.linear", c.surface.linear, 0.0, 1.0)?;
    within("surface.angle", c.surface.angle, -180.0, 180.0)?;
    within("surface.limb", c.surface.limb, 0.0, 1.0)?;
    within("surface.highlight", c.surface.highlight, 0.0, 1000.0)?;
    within("surface.highlight_size", c.surface.highlight_size, 0.01, 1.0)?;
    within("lens.defocus", lens.defocus, 0.0, 50.0)?;
    within("lens.focal", lens.focal, FOCAL_RANGE[0], FOCAL_RANGE[1])?;
    for (key, k) in [("lens.k1", lens.k1), ("lens.k2", lens.k2), ("lens.k3", lens.k3)] {
        within(key, k, -1.0, 1.0)?;
    }
    within("lens.p1", lens.p1, -0.1, 0.1)?;
    within("lens.p2", lens.p2, -0.1, 0.1)?;
    within("shutter.open", c.shutter.open, 0.0, 1.0)?;
    within("shutter.readout", c.shutter.readout, 0.0, 1.0)?;
    within("exposure.gain", c.exposure.gain, 0.0, 100.0)?;
    within("exposure.black", c.exposure.black, -255.0, 255.0)?;
    within("exposure.gamma", c.exposure.gamma, 0.1, 10.0)?;
    within("noise.gaussian", noise.gaussian, 0.0, 255.0)?;
    within("noise.shot", noise.shot, 0.0, 255.0)?;
    within("noise.salt_pepper", noise.salt_pepper, 0.0, 1.0)?;
    fits(c)
}

/// The walls are where the ball touches the canvas' edge (or overhangs it).
fn fits(c: &SceneConfig) -> Result<(), SceneError> {
    let side = f64::from(c.width.min(c.height));
    let largest = side / 2.0 / (1.0 - c.ball.overhang);
    let swell = 1.0 + c.ball.pulse;
    if c.ball.radius * swell > largest {
        let pulse =
            if swell > 1.0 { format!(" times {swell} (ball.pulse)") } else { String::new() };
        return Err(SceneError::new(
            "ball.radius",
            format!(
                "{}{pulse} does not fit the canvas of {} x {} pixels; at most {:.1} does",
                c.ball.radius,
                c.width,
                c.height,
                largest / swell
            ),
        ));
    }
    if c.ball.count > 1 && c.ball.other_radius[1] * swell > largest {
        return Err(SceneError::new(
            "ball.other_radius",
            format!(
                "{} does not fit the canvas of {} x {} pixels; at most {:.1} does",
                c.ball.other_radius[1],
                c.width,
                c.height,
                largest / swell
            ),
        ));
    }
    let [below, above] = distractor_radii(c);
    if c.clutter.count > 0 && below[0] > below[1] && above[0] > above[1] {
        return Err(SceneError::new(
            "clutter.radius",
            format!(
                "every radius from {} to {} is within a quarter of the ball's; leave room below {:.1} or above {:.1}",
                c.clutter.radius[0], c.clutter.radius[1], below[1], above[0]
            ),
        ));
    }
    // Solving for the time of a row needs a ball much slower than the readout.
    let (fastest, rows) = (c.ball.speed[1], f64::from(c.height));
    if c.shutter.readout * fastest > 0.5 * rows {
        return Err(SceneError::new(
            "shutter.readout",
            format!(
                "{} is too slow for a ball of {fastest} pixels per frame on {} rows; at most {:.3}",
                c.shutter.readout,
                c.height,
                0.5 * rows / fastest
            ),
        ));
    }
    hard_edges(c)?;
    unfolded(c)?;
    if let Some(start) = c.ball.start {
        for (v, n) in start.into_iter().zip([c.width, c.height]) {
            within("ball.start", v, 0.0, f64::from(n - 1))?;
        }
    }
    Ok(())
}

/// Where the lens folds the picture over, the outline of a ball crosses itself
/// and has neither an area nor a centre.
fn unfolded(c: &SceneConfig) -> Result<(), SceneError> {
    let camera = Camera::new(c);
    let others = if c.ball.count > 1 { c.ball.other_radius[1] } else { 0.0 };
    let radius = c.ball.radius.max(others) * (1.0 + c.ball.pulse);
    // The centre keeps a radius away from the edge, less the overhang.
    let beyond = camera.reach(radius) - radius * (1.0 - 2.0 * c.ball.overhang);
    let Some([x, y]) = camera.fold(beyond.max(0.0)) else { return Ok(()) };
    Err(SceneError::new(
        "lens.k1",
        format!(
            "with this distortion the lens folds the picture over, at ({x:.0}, {y:.0}) px, where a \
             ball may be; use smaller lens.k1, k2, k3, p1, p2 or a longer lens.focal"
        ),
    ))
}

/// Without anti-aliasing there is nothing that a lens could blur.
fn hard_edges(c: &SceneConfig) -> Result<(), SceneError> {
    let lens = &c.lens;
    let distorts = [lens.k1, lens.k2, lens.k3, lens.p1, lens.p2].iter().any(|k| *k != 0.0);
    let blurs = lens.defocus > 0.0 || c.shutter.open > 0.0 || c.shutter.readout > 0.0;
    if c.ball.edge == Edge::Hard && (lens.perspective || distorts || blurs) {
        let message = "\"hard\" cannot be combined with the lens or the shutter; use \"area\"";
        return Err(SceneError::new("ball.edge", message.into()));
    }
    Ok(())
}

fn within(key: &str, value: f64, min: f64, max: f64) -> Result<(), SceneError> {
    if value >= min && value <= max {
        return Ok(());
    }
    Err(SceneError::new(key, format!("{value} is not between {min} and {max}")))
}

fn range(key: &str, [low, high]: [f64; 2], min: f64, max: f64) -> Result<(), SceneError> {
    within(key, low, min, max)?;
    within(key, high, min, max)?;
    if low <= high {
        return Ok(());
    }
    let message = format!("[{low}, {high}]: the first value must not be above the second");
    Err(SceneError::new(key, message))
}

fn color(key: &str, levels: [f64; 3]) -> Result<(), SceneError> {
    levels.into_iter().try_for_each(|level| within(key, level, 0.0, 255.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{Preset, config::BallConfig};

    #[test]
    fn every_preset_is_possible_and_within_its_schema() {
        for preset in Preset::ALL {
            assert_eq!(check(&preset.config()), Ok(()), "{preset:?}");
        }
    }

    #[test]
    fn an_impossible_value_is_named_with_what_is_allowed() {
        let ball = |ball| SceneConfig { ball, width: 100, height: 64, ..SceneConfig::default() };
        let error = check(&ball(BallConfig { radius: 33.0, ..BallConfig::default() })).unwrap_err();
        assert_eq!(
            error.to_string(),
            "scene.ball.radius: 33 does not fit the canvas of 100 x 64 pixels; at most 32.0 does"
        );
        let speed = ball(BallConfig { speed: [3.0, 1.0], ..BallConfig::default() });
        assert_eq!(check(&speed).unwrap_err().key, "ball.speed");
        let nan = ball(BallConfig { turn: f64::NAN, ..BallConfig::default() });
        assert_eq!(check(&nan).unwrap_err().key, "ball.turn");
        let mut folded = Preset::Lens.config();
        folded.lens.k1 = -0.9;
        let error = check(&folded).unwrap_err();
        assert_eq!(error.key, "lens.k1");
        assert!(error.message.contains("folds the picture over"), "{error}");
        let start = ball(BallConfig { start: Some([10.0, 80.0]), ..BallConfig::default() });
        assert!(check(&start).unwrap_err().message.contains("80 is not between 0 and 63"));
    }
}
