//! The settings, and what OpenCV makes of them.

use opencv::imgproc::{HOUGH_GRADIENT, HOUGH_GRADIENT_ALT};
use plumbline_plugin_api::prelude::*;

/// Which of OpenCV's two circle detectors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// `HOUGH_GRADIENT`: votes along the gradient.
    #[default]
    Gradient,
    /// `HOUGH_GRADIENT_ALT`: fewer false circles; wants at least about half of the arc.
    GradientAlt,
}

/// The table `[plugin.hough-opencv]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `gradient` or `gradient-alt`.
    pub method: Method,
    /// Side of the median blur before everything else, in pixels: 0 for none, or odd.
    #[schemars(range(min = 0, max = 31))]
    pub blur: u32,
    /// Side of a cell of the accumulator, in pixels. Without it 3.5 for
    /// `gradient` and 1.5 for `gradient-alt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub dp: Option<f64>,
    /// Least distance between two centres, in pixels.
    #[schemars(range(min = 1, max = 16384))]
    pub min_dist: f64,
    /// Upper threshold of the Canny edges on the gradient (Sobel for `gradient`,
    /// Scharr, which is 4 times as large, for `gradient-alt`); the lower one is
    /// half of it. Without it 50 for `gradient` and 300 for `gradient-alt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10000))]
    pub param1: Option<f64>,
    /// For `gradient` the votes that a centre needs, 1 or more, 20 without it.
    /// For `gradient-alt` how perfect the circle must be, between 0 and 1, 0.9
    /// without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000000))]
    pub param2: Option<f64>,
    /// Smallest radius, in pixels.
    #[schemars(range(min = 0, max = 8192))]
    pub min_radius: u32,
    /// Largest radius, in pixels, above `min_radius`; 0 for as large as the frame.
    #[schemars(range(min = 0, max = 8192))]
    pub max_radius: u32,
    /// Subtract half a cell, 0.5 * dp, from the centres of `gradient`, which are
    /// (cell + 0.5) * dp. It makes discs exact whose centre is a multiple of dp
    /// (whole pixels at dp 1); over sub-pixel positions the centres are without
    /// bias as they are. Nothing changes for `gradient-alt`.
    pub remove_offset: bool,
    /// Threads that OpenCV may use, in the whole process.
    #[schemars(range(min = 1, max = 256))]
    pub threads: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            method: Method::Gradient,
            blur: 5,
            dp: None,
            min_dist: 30.0,
            param1: None,
            param2: None,
            min_radius: 16,
            max_radius: 22,
            remove_offset: false,
            threads: 1,
        }
    }
}

/// The arguments of `HoughCircles`, in range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Arguments {
    pub(crate) method: i32,
    pub(crate) dp: f64,
    pub(crate) min_dist: f64,
    pub(crate) param1: f64,
    pub(crate) param2: f64,
    pub(crate) min_radius: i32,
    pub(crate) max_radius: i32,
    /// Subtracted from both coordinates of a centre, in pixels.
    pub(crate) offset: f64,
}

impl TryFrom<&Config> for Arguments {
    type Error = PluginError;

    fn try_from(config: &Config) -> Result<Self, PluginError> {
        let (method, dp, param1, param2) = match config.method {
            Method::Gradient => (HOUGH_GRADIENT, 3.5, 50.0, 20.0),
            Method::GradientAlt => (HOUGH_GRADIENT_ALT, 1.5, 300.0, 0.9),
        };
        let dp = within("dp", config.dp.unwrap_or(dp), 1.0, 64.0)?;
        let param2 = config.param2.unwrap_or(param2);
        match config.method {
            Method::Gradient if !(1.0..=1e6).contains(&param2) => {
                return Err(PluginError::config(format!(
                    "param2 = {param2}: with method = \"gradient\" it is the number of votes that \
                     a centre needs, 1 to 1000000 (20 is usual)"
                )));
            }
            Method::GradientAlt if !(param2 > 0.0 && param2 < 1.0) => {
                return Err(PluginError::config(format!(
                    "param2 = {param2}: with method = \"gradient-alt\" it says how perfect a \
                     circle must be, above 0 and below 1 (0.9 is usual); a number of votes is \
                     for method = \"gradient\""
                )));
            }
            _ => {}
        }
        let (min, max) = (config.min_radius, config.max_radius);
        if min > 8192 || max > 8192 || (max != 0 && max <= min) {
            return Err(PluginError::config(format!(
                "min_radius = {min}, max_radius = {max}: both at most 8192, and max_radius above \
                 min_radius or 0 for no limit"
            )));
        }
        // The centre of an edge's cell is what `gradient` reports; the cells of
        // `gradient-alt` are points.
        let half_cell = config.remove_offset && config.method == Method::Gradient;
        Ok(Self {
            method,
            dp,
            min_dist: within("min_dist", config.min_dist, 1.0, 16384.0)?,
            param1: within("param1", config.param1.unwrap_or(param1), 1.0, 10000.0)?,
            param2,
            min_radius: min as i32,
            max_radius: max as i32,
            offset: if half_cell { 0.5 * dp } else { 0.0 },
        })
    }
}

fn within(key: &str, value: f64, min: f64, max: f64) -> Result<f64, PluginError> {
    if (min..=max).contains(&value) {
        return Ok(value);
    }
    Err(PluginError::config(format!("{key} = {value}: {min} to {max} are possible")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(config: &Config) -> String {
        Arguments::try_from(config).unwrap_err().message().to_owned()
    }

    #[test]
    fn the_defaults_are_those_of_the_method() {
        let gradient = Arguments::try_from(&Config::default()).unwrap();
        assert_eq!((gradient.dp, gradient.param1, gradient.param2), (3.5, 50.0, 20.0));
        assert_eq!((gradient.min_dist, gradient.min_radius, gradient.max_radius), (30.0, 16, 22));
        let alt = Config { method: Method::GradientAlt, ..Config::default() };
        let alt = Arguments::try_from(&alt).unwrap();
        assert_eq!((alt.dp, alt.param1, alt.param2), (1.5, 300.0, 0.9));
    }

    #[test]
    fn a_key_that_is_given_stands_whatever_the_method() {
        let config = Config {
            method: Method::GradientAlt,
            dp: Some(2.0),
            param2: Some(0.5),
            ..Config::default()
        };
        let arguments = Arguments::try_from(&config).unwrap();
        assert_eq!((arguments.dp, arguments.param1, arguments.param2), (2.0, 300.0, 0.5));
    }

    #[test]
    fn votes_are_refused_where_a_perfectness_is_meant_and_the_other_way_round() {
        for param2 in [0.0, 1.0, 20.0, -0.5, f64::NAN] {
            let method = Method::GradientAlt;
            let config = Config { method, param2: Some(param2), ..Config::default() };
            assert!(refusal(&config).contains("above 0 and below 1"), "{param2}");
        }
        for param2 in [0.9, 0.0, f64::NAN] {
            let config = Config { param2: Some(param2), ..Config::default() };
            assert!(refusal(&config).contains("number of votes"), "{param2}");
        }
    }

    #[test]
    fn values_out_of_range_are_refused_with_their_key() {
        let cases = [
            (Config { dp: Some(0.5), ..Config::default() }, "dp = 0.5: 1 to 64"),
            (Config { param1: Some(0.0), ..Config::default() }, "param1 = 0: 1 to 10000"),
            (Config { min_dist: f64::NAN, ..Config::default() }, "min_dist = NaN"),
            (Config { min_radius: 22, ..Config::default() }, "min_radius = 22, max_radius = 22"),
            (Config { max_radius: 9000, ..Config::default() }, "at most 8192"),
        ];
        for (config, part) in cases {
            assert!(refusal(&config).contains(part), "{part}: {}", refusal(&config));
        }
        let open = Config { max_radius: 0, ..Config::default() };
        assert_eq!(Arguments::try_from(&open).unwrap().max_radius, 0);
    }

    #[test]
    fn only_gradient_has_half_a_cell_to_remove() {
        let config = Config { remove_offset: true, dp: Some(2.0), ..Config::default() };
        assert_eq!(Arguments::try_from(&config).unwrap().offset, 1.0);
        let alt = Config { method: Method::GradientAlt, ..config };
        assert_eq!(Arguments::try_from(&alt).unwrap().offset, 0.0);
    }
}
