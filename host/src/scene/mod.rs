//! What is filmed: motion, rendering, degradations, ground truth, pacing.
//!
//! | module | what lives there |
//! |---|---|
//! | [`config`](SceneConfig), [`degradation`], [`preset`](Preset) | `[scene]` of the configuration |
//! | `motion`, `ball` | where the balls are |
//! | `camera`, `optics` | the outline of a ball's image; point spread and exposure |
//! | `disc`, `scanline`, `strip` | what an outline covers of each pixel, exactly |
//! | `texture`, `objects` | what is behind and in front of the balls |
//! | `compose`, `light`, `sensor` | from masks to pixels: layers, illumination, noise, tone |
//! | `stage`, `visibility`, [`Truth`] | one frame and what is known about it |
//! | [`pacer`] | when the next frame is due |
//!
//! Nothing here knows a clock, a socket or a thread. The n-th frame of a
//! configuration is the same bytes on every machine: all arithmetic is IEEE
//! addition, multiplication, division and square root, everything beyond these
//! comes from `libm`, and all randomness comes from the seed.

mod ball;
mod camera;
mod check;
mod compose;
mod config;
pub mod degradation;
mod disc;
mod gauss;
mod light;
mod motion;
mod objects;
mod optics;
pub mod pacer;
mod patch;
mod preset;
mod rng;
mod scanline;
mod sensor;
mod stage;
mod strip;
mod texture;
mod truth;
mod visibility;

use plumbline_plugin_api::{Frame, PixelFormat};

pub use check::SceneError;
pub use config::{BallConfig, Edge, Format, Motion, SceneConfig};
pub use preset::Preset;
use stage::Stage;
pub use truth::{BallTruth, Truth};

/// Frames that the gauntlet films of each preset.
pub const GAUNTLET_FRAMES: u64 = 60;

/// A scene at one of its frames.
///
/// ```
/// use plumbline_host::scene::{Scene, SceneConfig};
///
/// let mut scene = Scene::new(&SceneConfig::default())?;
/// for n in 0..3 {
///     assert_eq!((scene.frame().id(), scene.truth().frame), (n, n));
///     scene.step();
/// }
/// # Ok::<(), plumbline_host::scene::SceneError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Scene {
    config: SceneConfig,
    stage: Stage,
}

impl Scene {
    /// Makes the scene and draws frame 0.
    ///
    /// # Errors
    ///
    /// [`SceneError`] names the value that cannot be filmed.
    pub fn new(config: &SceneConfig) -> Result<Self, SceneError> {
        check::check(config)?;
        let stage = Stage::new(&config_at(config, 0), 0)?;
        // Every part of the gauntlet has to be possible on this canvas, so
        // that no later frame can fail.
        for part in 1..parts(config) {
            let here = config_at(config, part * GAUNTLET_FRAMES);
            check::check(&here).map_err(|error| SceneError {
                message: format!(
                    "in the gauntlet's part {}: {}",
                    here.preset.name(),
                    error.message
                ),
                ..error
            })?;
        }
        Ok(Self { config: config.clone(), stage })
    }

    /// Moves on by one frame and redraws what changed.
    pub fn step(&mut self) {
        let next = self.truth().frame + 1;
        if parts(&self.config) > 1 && next.is_multiple_of(GAUNTLET_FRAMES) {
            // `new` has checked every part.
            if let Ok(stage) = Stage::new(&config_at(&self.config, next), next) {
                self.stage = stage;
                return;
            }
        }
        self.stage.step();
    }

    /// The current frame; its id is its number, counted from 0.
    pub fn frame(&self) -> Frame<'_> {
        let format = PixelFormat::from(self.config.format);
        Frame::packed(self.stage.canvas(), self.config.width, self.config.height, format)
            .expect("the canvas was made for this size and format")
            .with_id(self.truth().frame)
    }

    /// What is known about the current frame.
    pub fn truth(&self) -> &Truth {
        self.stage.truth()
    }

    /// The preset that the current frame shows; changes only in the gauntlet.
    pub fn part(&self) -> Preset {
        self.part_config().preset
    }

    /// The configuration that the current frame shows; another one than [`Self::config`]
    /// only in the gauntlet.
    pub fn part_config(&self) -> SceneConfig {
        config_at(&self.config, self.truth().frame)
    }

    /// The configuration that the scene was made from.
    pub fn config(&self) -> &SceneConfig {
        &self.config
    }
}

fn parts(config: &SceneConfig) -> u64 {
    match config.preset {
        Preset::Gauntlet => Preset::ALL.len() as u64 - 1,
        _ => 1,
    }
}

/// The configuration of frame `frame`: in the gauntlet, that of its preset on
/// the canvas that was asked for, with a seed of its own.
fn config_at(config: &SceneConfig, frame: u64) -> SceneConfig {
    let count = parts(config);
    if count == 1 {
        return config.clone();
    }
    let part = frame / GAUNTLET_FRAMES;
    let mut here = config.with_preset(Preset::ALL[(part % count) as usize]);
    (here.width, here.height, here.format) = (config.width, config.height, config.format);
    here.seed = config.seed.wrapping_add(part);
    here.ball.start = config.ball.start;
    here
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
