//! A good detector: the centroid of the bright pixels.

use plumbline_plugin_api::prelude::*;

/// Settings, from `[plugin.centroid]`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// Grey level from which a pixel belongs to the ball.
    #[schemars(range(min = 1, max = 255))]
    threshold: u8,
}

impl Default for Config {
    fn default() -> Self {
        Self { threshold: 128 }
    }
}

struct Centroid(Config);

impl Detector for Centroid {
    type Config = Config;

    fn new(config: Config, _: &HostInfo) -> Result<Self, PluginError> {
        Ok(Self(config))
    }

    fn detect(&mut self, frame: &Frame<'_>, found: &mut Detections) -> Result<(), PluginError> {
        let (mut n, mut sx, mut sy) = (0_u32, 0.0, 0.0);
        for y in 0..frame.height() {
            for (x, pixel) in
                frame.row(y).chunks_exact(frame.format().bytes_per_pixel()).enumerate()
            {
                if pixel.iter().any(|&v| v >= self.0.threshold) {
                    n += 1;
                    sx += x as f64;
                    sy += f64::from(y);
                }
            }
        }
        // All of the picture is no ball.
        if n > 0 && n < frame.width() * frame.height() {
            let n = f64::from(n);
            found.push(Detection::new(sx / n, sy / n, (n / std::f64::consts::PI).sqrt(), 1.0));
        }
        Ok(())
    }
}

plumbline_plugin_api::export_plugin! {
    detector: Centroid,
    name: "centroid",
    description: "Centroid of the bright pixels",
}
