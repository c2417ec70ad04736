//! What a frame costs: the clean ball at several sizes, then each degradation
//! alone and each preset at 640 x 480, colour.
//!
//! `cargo bench -p plumbline-host --bench scene`

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use plumbline_host::scene::{
    BallConfig, Preset, Scene, SceneConfig,
    degradation::{
        Background, Clutter, Exposure, Lens, Noise, Occlusion, Shading, Shutter, Surface, Texture,
    },
};

fn clean(c: &mut Criterion) {
    let mut group = c.benchmark_group("clean");
    for (width, height) in [(640, 480), (1920, 1080), (3840, 2160)] {
        for radius in [24.0, 120.0, 240.0] {
            if radius * 2.0 > f64::from(height) {
                continue;
            }
            let ball = BallConfig { radius, ..BallConfig::default() };
            let config = SceneConfig { width, height, ball, ..SceneConfig::default() };
            let mut scene = Scene::new(&config).expect("the ball fits");
            let name = BenchmarkId::from_parameter(format!("{width}x{height} r{radius}"));
            group.bench_function(name, |b| b.iter(|| scene.step()));
        }
    }
}

fn degradations(c: &mut Criterion) {
    let base = SceneConfig::default;
    let lens = Lens::default;
    let cases = [
        ("none", base()),
        ("contrast", SceneConfig { ball: BallConfig { contrast: 0.3, ..base().ball }, ..base() }),
        ("pulse", SceneConfig { ball: BallConfig { pulse: 0.3, ..base().ball }, ..base() }),
        ("8 balls", SceneConfig { ball: BallConfig { count: 8, ..base().ball }, ..base() }),
        ("defocus 0.7", SceneConfig { lens: Lens { defocus: 0.7, ..lens() }, ..base() }),
        ("defocus 3", SceneConfig { lens: Lens { defocus: 3.0, ..lens() }, ..base() }),
        ("motion blur", SceneConfig { shutter: Shutter { open: 1.0, readout: 0.0 }, ..base() }),
        (
            "motion blur, defocus 0.7",
            SceneConfig {
                shutter: Shutter { open: 1.0, readout: 0.0 },
                lens: Lens { defocus: 0.7, ..lens() },
                ..base()
            },
        ),
        ("rolling shutter", SceneConfig { shutter: Shutter { open: 0.0, readout: 0.8 }, ..base() }),
        ("perspective", SceneConfig { lens: Lens { perspective: true, ..lens() }, ..base() }),
        ("distortion", SceneConfig { lens: Lens { k1: -0.2, ..lens() }, ..base() }),
        (
            "shading",
            SceneConfig { shading: Shading { linear: 0.3, angle: 20.0, radial: 0.3 }, ..base() },
        ),
        (
            "surface",
            SceneConfig {
                surface: Surface { linear: 0.3, highlight: 100.0, ..Surface::default() },
                ..base()
            },
        ),
        (
            "bars",
            SceneConfig { occlusion: Occlusion { bars: 5, ..Occlusion::default() }, ..base() },
        ),
        (
            "plate",
            SceneConfig { occlusion: Occlusion { cover: 0.3, ..Occlusion::default() }, ..base() },
        ),
        (
            "texture",
            SceneConfig {
                background: Background { texture: Texture::Clouds, ..Background::default() },
                ..base()
            },
        ),
        ("clutter", SceneConfig { clutter: Clutter { count: 24, ..Clutter::default() }, ..base() }),
        (
            "gamma",
            SceneConfig { exposure: Exposure { gamma: 2.2, ..Exposure::default() }, ..base() },
        ),
        (
            "gaussian noise",
            SceneConfig { noise: Noise { gaussian: 5.0, ..Noise::default() }, ..base() },
        ),
        ("shot noise", SceneConfig { noise: Noise { shot: 0.4, ..Noise::default() }, ..base() }),
        (
            "salt and pepper",
            SceneConfig { noise: Noise { salt_pepper: 0.01, ..Noise::default() }, ..base() },
        ),
    ];
    let mut group = c.benchmark_group("640x480");
    for (name, config) in cases {
        let mut scene = Scene::new(&config).expect("the case is possible");
        group.bench_function(name, |b| b.iter(|| scene.step()));
    }
}

fn presets(c: &mut Criterion) {
    let mut group = c.benchmark_group("preset");
    for preset in Preset::ALL.into_iter().filter(|p| *p != Preset::Gauntlet) {
        let mut scene = Scene::new(&preset.config()).expect("presets are possible");
        group.bench_function(preset.name(), |b| b.iter(|| scene.step()));
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(300))
        .measurement_time(std::time::Duration::from_millis(900))
        .sample_size(20);
    targets = clean, degradations, presets
}
criterion_main!(benches);
