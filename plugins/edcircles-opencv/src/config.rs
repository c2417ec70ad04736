//! The settings, and what OpenCV makes of them.

use opencv::ximgproc::EdgeDrawing_Params;
use plumbline_plugin_api::prelude::*;

/// The operator that the gradient is taken with; the numbers are OpenCV's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Operator {
    /// Prewitt, 3 x 3.
    #[default]
    Prewitt = 0,
    /// Sobel, 3 x 3.
    Sobel = 1,
    /// Scharr, 3 x 3.
    Scharr = 2,
    /// The 2 x 2 operator of LSD; it sits half a pixel off.
    Lsd = 3,
}

/// The table `[plugin.edcircles-opencv]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Side of a median blur before everything else, in pixels: 0 for none, or odd.
    #[schemars(range(min = 0, max = 31))]
    pub blur: u32,
    /// Standard deviation of `EdgeDrawing`'s own Gaussian blur, in pixels; below 1 there is none.
    #[schemars(range(min = 0, max = 10))]
    pub sigma: f32,
    /// The operator that the gradient is taken with: `prewitt`, `sobel`, `scharr` or `lsd`.
    pub operator: Operator,
    /// Gradient (|gx| + |gy|, in the operator's units) from which a pixel can be an edge.
    #[schemars(range(min = 1, max = 4080))]
    pub gradient_threshold: i32,
    /// How far the gradient of an anchor must be above that of its neighbours.
    #[schemars(range(min = 0, max = 4080))]
    pub anchor_threshold: i32,
    /// Every how many rows and columns anchors are looked for.
    #[schemars(range(min = 1, max = 64))]
    pub scan_interval: i32,
    /// Pixels that an edge must have.
    #[schemars(range(min = 1, max = 1000))]
    pub min_path_length: i32,
    /// Edge thresholds by the number of false alarms and not by the settings above.
    pub parameter_free: bool,
    /// Let only circles and ellipses pass that noise would hardly make (Helmholtz' principle).
    pub validation: bool,
    /// Largest mean distance of an edge from the lines fitted to it, in pixels.
    #[schemars(range(min = 0.1, max = 10))]
    pub line_fit_error: f64,
    /// Largest mean distance of an arc from its circle or ellipse, in pixels.
    #[schemars(range(min = 0.1, max = 10))]
    pub max_error: f64,
    /// Ellipses count as circles up to this ratio of their axes; their radius is
    /// the geometric mean. 1 takes circles only.
    #[schemars(range(min = 1, max = 4))]
    pub max_axis_ratio: f64,
    /// Smallest radius, in pixels.
    #[schemars(range(min = 0, max = 8192))]
    pub min_radius: f64,
    /// Largest radius, in pixels, above `min_radius`; 0 for any.
    #[schemars(range(min = 0, max = 8192))]
    pub max_radius: f64,
    /// Threads that OpenCV may use, in the whole process.
    #[schemars(range(min = 1, max = 256))]
    pub threads: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            blur: 0,
            sigma: 1.0,
            operator: Operator::Prewitt,
            gradient_threshold: 20,
            anchor_threshold: 0,
            scan_interval: 1,
            min_path_length: 10,
            parameter_free: false,
            validation: true,
            line_fit_error: 1.0,
            max_error: 1.3,
            max_axis_ratio: 1.2,
            min_radius: 5.0,
            max_radius: 0.0,
            threads: 1,
        }
    }
}

impl Config {
    /// What `EdgeDrawing` takes, once everything is in range.
    pub(crate) fn parameters(&self) -> Result<EdgeDrawing_Params, PluginError> {
        within("sigma", self.sigma.into(), 0.0, 10.0)?;
        within("gradient_threshold", self.gradient_threshold.into(), 1.0, 4080.0)?;
        within("anchor_threshold", self.anchor_threshold.into(), 0.0, 4080.0)?;
        within("scan_interval", self.scan_interval.into(), 1.0, 64.0)?;
        within("min_path_length", self.min_path_length.into(), 1.0, 1000.0)?;
        within("line_fit_error", self.line_fit_error, 0.1, 10.0)?;
        within("max_error", self.max_error, 0.1, 10.0)?;
        within("max_axis_ratio", self.max_axis_ratio, 1.0, 4.0)?;
        within("min_radius", self.min_radius, 0.0, 8192.0)?;
        within("max_radius", self.max_radius, 0.0, 8192.0)?;
        within("threads", self.threads.into(), 1.0, 256.0)?;
        if self.max_radius != 0.0 && self.max_radius <= self.min_radius {
            return Err(PluginError::config(format!(
                "min_radius = {}, max_radius = {}: max_radius must be above min_radius, or 0 for any",
                self.min_radius, self.max_radius
            )));
        }
        if self.parameter_free && self.operator != Operator::Prewitt {
            return Err(PluginError::config(
                "parameter_free = true goes with operator = \"prewitt\" only",
            ));
        }
        Ok(EdgeDrawing_Params {
            p_fmode: self.parameter_free,
            edge_detection_operator: self.operator as i32,
            gradient_threshold_value: self.gradient_threshold,
            anchor_threshold_value: self.anchor_threshold,
            scan_interval: self.scan_interval,
            min_path_length: self.min_path_length,
            sigma: self.sigma,
            sum_flag: true,
            nfa_validation: self.validation,
            // By the size of the frame.
            min_line_length: -1,
            line_fit_error_threshold: self.line_fit_error,
            max_error_threshold: self.max_error,
            ..EdgeDrawing_Params::default()?
        })
    }

    /// Whether a circle of this radius is looked for.
    pub(crate) fn takes(&self, radius: f64) -> bool {
        radius >= self.min_radius && (self.max_radius == 0.0 || radius <= self.max_radius)
    }
}

fn within(key: &str, value: f64, min: f64, max: f64) -> Result<(), PluginError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(PluginError::config(format!("{key} = {value}: {min} to {max} are possible")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_opencv() {
        let ours = Config::default().parameters().unwrap();
        let theirs = EdgeDrawing_Params::default().unwrap();
        assert_eq!(ours, EdgeDrawing_Params { sum_flag: true, ..theirs });
    }

    #[test]
    fn values_out_of_range_are_refused_with_their_key() {
        let cases = [
            (Config { sigma: f32::NAN, ..Config::default() }, "sigma = NaN: 0 to 10"),
            (Config { gradient_threshold: 0, ..Config::default() }, "gradient_threshold = 0"),
            (Config { max_axis_ratio: 0.9, ..Config::default() }, "max_axis_ratio = 0.9"),
            (Config { max_radius: 5.0, ..Config::default() }, "max_radius must be above"),
            (
                Config { parameter_free: true, operator: Operator::Lsd, ..Config::default() },
                "operator = \"prewitt\"",
            ),
        ];
        for (config, part) in cases {
            let error = config.parameters().unwrap_err();
            assert!(error.message().contains(part), "{part}: {error}");
        }
    }
}
