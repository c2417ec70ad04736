//! Which frames are filmed.

use crate::scene::{Preset, SceneConfig};

/// How many frames, cut into how long segments.
///
/// Every segment is a scene of its own with a seed of its own: segments are
/// independent, so they can be filmed in any order and are the blocks of the
/// bootstrap, and a single run starts from many places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Frames per scene.
    pub frames: u64,
    /// From which all randomness comes.
    pub seed: u64,
}

/// Segments that a run is cut into, where their length allows.
const SEGMENTS: u64 = 20;
/// Frames of a segment. Errors of neighbouring frames depend on each other
/// while the ball has not moved on by many pixels; 4 frames are the least that
/// show a detector a moving ball.
const LENGTH: (u64, u64) = (4, 25);

impl Plan {
    /// Frames of a segment; the last one may have fewer.
    pub fn segment_frames(&self) -> u64 {
        (self.frames / SEGMENTS).clamp(LENGTH.0, LENGTH.1)
    }

    /// The number of frames of every segment.
    pub fn segments(&self) -> impl Iterator<Item = u64> {
        let length = self.segment_frames();
        let frames = self.frames;
        (0..frames.div_ceil(length)).map(move |k| length.min(frames - k * length))
    }

    /// The scene of segment `k`: its own seed, a pulse that fits into the segment, so that
    /// every radius is seen, and a start anywhere where the preset has a place of its own:
    /// segments that all begin there would be one and the same.
    pub fn scene(&self, config: &SceneConfig, k: u64) -> SceneConfig {
        let mut config = config.clone();
        config.seed = segment_seed(self.seed, k);
        if config.ball.start == config.preset.config().ball.start {
            config.ball.start = None;
        }
        config.ball.pulse_period = config.ball.pulse_period.min(self.segment_frames() as f64);
        config
    }
}

/// `SplitMix64` of the seed and the number, so that neighbouring seeds share
/// no segment. Kept to 53 bits, so that a seed survives any JSON reader.
pub fn segment_seed(seed: u64, k: u64) -> u64 {
    mix(mix(seed).wrapping_add(k.wrapping_mul(0x9E37_79B9_7F4A_7C15))) >> 11
}

fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The scenes of a run: presets laid under the user's own settings, or the
/// configured scene when none is named. `gauntlet` stands for all others.
pub fn scenes(config: &SceneConfig, presets: &[Preset]) -> Vec<SceneConfig> {
    let named = if presets.is_empty() { vec![config.preset] } else { presets.to_vec() };
    let mut chosen = Vec::new();
    for preset in named {
        let parts = match preset {
            Preset::Gauntlet => Preset::ALL.to_vec(),
            one => vec![one],
        };
        for part in parts {
            if part != Preset::Gauntlet && !chosen.contains(&part) {
                chosen.push(part);
            }
        }
    }
    chosen.into_iter().map(|preset| config.with_preset(preset)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_add_up_to_the_frames() {
        for (frames, length, count) in
            [(1, 4, 1), (20, 4, 5), (90, 4, 23), (200, 10, 20), (1001, 25, 41)]
        {
            let plan = Plan { frames, seed: 1 };
            assert_eq!((plan.segment_frames(), plan.segments().count()), (length, count));
            assert_eq!(plan.segments().sum::<u64>(), frames);
        }
    }

    #[test]
    fn segments_of_a_preset_with_a_place_start_anywhere_and_those_of_a_user_there() {
        let plan = Plan { frames: 40, seed: 1 };
        let mut config = Preset::SeedCompat.config();
        assert_eq!(plan.scene(&config, 0).ball.start, None);
        config.ball.start = Some([100.0, 100.0]);
        assert_eq!(plan.scene(&config, 0).ball.start, Some([100.0, 100.0]));
    }

    #[test]
    fn no_two_segments_of_neighbouring_seeds_are_the_same() {
        let mut seeds: Vec<u64> =
            (0..50).flat_map(|s| (0..50).map(move |k| segment_seed(s, k))).collect();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 2500);
    }

    #[test]
    fn the_gauntlet_is_every_other_preset_once() {
        let mine = SceneConfig { seed: 3, ..Preset::Clean.on(800, 480) };
        let all = scenes(&mine, &[Preset::Noisy, Preset::Gauntlet]);
        assert_eq!((all.len(), all[0].preset), (Preset::ALL.len() - 1, Preset::Noisy));
        assert!(all.iter().all(|c| c.width == 800));
        assert_eq!(scenes(&mine, &[]), [mine]);
    }
}
