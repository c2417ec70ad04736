use super::*;

fn frames(config: &SceneConfig, n: usize) -> Vec<Vec<u8>> {
    let mut scene = Scene::new(config).unwrap();
    (0..n)
        .map(|_| {
            let frame = scene.frame().data().to_vec();
            scene.step();
            frame
        })
        .collect()
}

fn small(preset: Preset, format: Format) -> SceneConfig {
    let mut config = preset.config();
    config.ball.start = None;
    SceneConfig { width: 240, height: 180, format, seed: 5, ..config }
}

/// FNV-1a, 64 bit.
fn digest(frames: &[Vec<u8>]) -> u64 {
    frames
        .iter()
        .flatten()
        .fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn the_same_seed_gives_the_same_frames_and_another_one_others() {
    for preset in Preset::ALL {
        let config = small(preset, Format::Bgr8);
        let other = SceneConfig { seed: 6, ..config.clone() };
        let ours = frames(&config, 5);
        assert_eq!(digest(&ours), digest(&frames(&config, 5)), "{preset:?}");
        assert_ne!(digest(&ours), digest(&frames(&other, 5)), "{preset:?}");
    }
}

#[test]
fn redrawing_what_changed_gives_what_drawing_everything_gives() {
    for preset in Preset::ALL {
        for format in [Format::Gray8, Format::Bgr8] {
            let mut scene = Scene::new(&small(preset, format)).unwrap();
            for _ in 0..40 {
                scene.step();
            }
            let mut fresh = scene.clone();
            fresh.stage.redraw();
            assert!(scene.frame().data() == fresh.frame().data(), "{preset:?} {format:?}");
        }
    }
}

#[test]
fn a_scene_can_be_handed_to_another_thread() {
    fn is_send<T: Send + 'static>() {}
    is_send::<Scene>();
}
