//! Makes the pictures of `docs/scenes.md`: one frame of each preset, 320 x 240.
//!
//! `cargo run -p plumbline-host --example scene_pictures -- docs/scenes`

use std::path::PathBuf;

use plumbline_host::{
    cli::scene::{Args, run},
    config::Config,
    scene::{Preset, Scene, SceneConfig},
};

fn main() -> anyhow::Result<()> {
    let out = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "docs/scenes".into()));
    std::fs::create_dir_all(&out)?;
    for preset in Preset::ALL {
        let frames = tempfile::tempdir()?;
        let size = match preset {
            Preset::SeedCompat => (400, 400),
            _ => (320, 240),
        };
        let scene =
            SceneConfig { width: size.0, height: size.1, seed: 7, ..SceneConfig::default() };
        // A frame that shows what the preset is about.
        let shown = match preset {
            Preset::Occluded => most_hidden(&scene)?,
            Preset::Lens => farthest_out(&scene)?,
            Preset::Gauntlet => 5 * 60 + 20,
            _ => 20,
        };
        let args = Args {
            preset: Some(preset),
            out: Some(frames.path().into()),
            frames: Some(shown + 1),
            seed: None,
            list: false,
            json: false,
        };
        run(&args, &Config { scene, ..Config::default() })?;
        let name = format!("{}.png", preset.name());
        std::fs::copy(frames.path().join(format!("{shown:06}.png")), out.join(name))?;
    }
    Ok(())
}

/// Among the first frames, the one with most of the rim hidden that still shows half of it.
fn most_hidden(config: &SceneConfig) -> anyhow::Result<u64> {
    let mut scene = Scene::new(&config.with_preset(Preset::Occluded))?;
    let (mut best, mut least) = (0, 1.0);
    for _ in 0..200 {
        let arc = scene.truth().balls[0].visible_arc;
        if arc < least && arc > 0.5 {
            (best, least) = (scene.truth().frame, arc);
        }
        scene.step();
    }
    Ok(best)
}

/// Among the first frames, the one with the ball farthest from the middle.
fn farthest_out(config: &SceneConfig) -> anyhow::Result<u64> {
    let mut scene = Scene::new(&config.with_preset(Preset::Lens))?;
    let (mut best, mut farthest) = (0, 0.0);
    for _ in 0..200 {
        let ball = &scene.truth().balls[0];
        let (dx, dy) =
            (ball.x - f64::from(config.width) / 2.0, ball.y - f64::from(config.height) / 2.0);
        if dx.hypot(dy) > farthest {
            (best, farthest) = (scene.truth().frame, dx.hypot(dy));
        }
        scene.step();
    }
    Ok(best)
}
