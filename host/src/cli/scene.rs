//! `host scene`: films a scene into files that any other program can be scored on.

use std::path::{Path, PathBuf};

use anyhow::Context;
use plumbline_plugin_api::{Frame, PixelFormat};
use serde::Serialize;
use tracing::warn;

use super::{
    Exit,
    options::{UsageError, make_directory},
};
use crate::{
    config::Config,
    evaluate::bound::bound,
    scene::{GAUNTLET_FRAMES, Preset, Scene},
};

/// Frames that can be filmed in one go; their names have six digits.
const MOST: u64 = 1_000_000;

/// Every preset but the gauntlet itself.
const WHOLE_GAUNTLET: u64 = GAUNTLET_FRAMES * (Preset::ALL.len() as u64 - 1);

/// Film a scene: frames as PNG files and the ground truth as CSV
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Example: host scene --preset noisy --out frames --frames 100 --seed 7\n\n\
    truth.csv has one row per frame and ball; integer coordinates are pixel centres.\n\
    Ball 0 is the one that is scored. `host evaluate --pictures DIR` scores on the frames.")]
pub struct Args {
    /// Which scene; the configuration says the rest
    #[arg(long, value_name = "NAME", value_enum, hide_possible_values = true)]
    pub preset: Option<Preset>,
    /// Directory for the files; made if it is not there
    #[arg(long, value_name = "DIR", required_unless_present = "list")]
    pub out: Option<PathBuf>,
    /// How many frames [default: 60, or the whole gauntlet]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..=MOST))]
    pub frames: Option<u64>,
    /// Same seed, same frames
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// List the presets and film nothing
    #[arg(long)]
    pub list: bool,
    /// With --list: as JSON
    #[arg(long, requires = "list")]
    pub json: bool,
}

/// Runs the verb.
///
/// # Errors
///
/// When a file cannot be written, or a scene cannot be filmed.
pub fn run(args: &Args, config: &Config) -> anyhow::Result<Exit> {
    if args.list {
        list(args.json)?;
        return Ok(Exit::Done);
    }
    let mut scene_config = match args.preset {
        Some(preset) => config.scene.with_preset(preset),
        None => config.scene.clone(),
    };
    scene_config.seed = args.seed.unwrap_or(scene_config.seed);
    let mut scene = Scene::new(&scene_config).map_err(|e| UsageError(e.to_string()))?;
    let out = args.out.as_deref().unwrap_or(Path::new("."));
    make_directory("--out", out)?;
    let frames = args.frames.unwrap_or(match scene_config.preset {
        Preset::Gauntlet => WHOLE_GAUNTLET,
        _ => 60,
    });
    if scene_config.preset == Preset::Gauntlet && frames < WHOLE_GAUNTLET {
        warn!(
            "{frames} frames are not the whole gauntlet: it goes through {} scenes of \
             {GAUNTLET_FRAMES} frames, {WHOLE_GAUNTLET} in all",
            WHOLE_GAUNTLET / GAUNTLET_FRAMES
        );
    }
    film(&mut scene, out, frames)?;
    println!(
        "{frames} frames of {} (seed {}) and truth.csv in {}",
        scene_config.preset.name(),
        scene_config.seed,
        out.display()
    );
    Ok(Exit::Done)
}

/// Writes `frames` frames of `scene` as `000000.png` and so on, `truth.csv`,
/// and `clutter.csv` when there are circles that are not the ball.
fn film(scene: &mut Scene, out: &Path, frames: u64) -> anyhow::Result<()> {
    let table = |name: &str| {
        let path = out.join(name);
        csv::Writer::from_path(&path).with_context(|| format!("cannot write {}", path.display()))
    };
    let mut truth = table("truth.csv")?;
    let mut clutter = None;
    for n in 0..frames {
        if n > 0 {
            scene.step();
        }
        let file = format!("{n:06}.png");
        write_png(&scene.frame(), &out.join(&file))?;
        let (part, known) = (scene.part_config(), scene.truth());
        for (ball, b) in known.balls.iter().enumerate() {
            let bound = bound(&part, known, ball);
            truth.serialize(TruthRow {
                frame: known.frame,
                ball,
                x: b.x,
                y: b.y,
                radius: b.radius,
                visible: b.visible,
                visible_arc: b.visible_arc,
                vx: b.velocity[0],
                vy: b.velocity[1],
                centroid_x: b.centroid[0],
                centroid_y: b.centroid[1],
                projection_x: b.projection[0],
                projection_y: b.projection[1],
                preset: part.preset.name(),
                file: &file,
                contrast: b.contrast,
                bound: bound.map(|b| b.center),
                bound_radius: bound.and_then(|b| b.radius),
            })?;
        }
        for c in &known.clutter {
            if clutter.is_none() {
                clutter = Some(table("clutter.csv")?);
            }
            if let Some(clutter) = &mut clutter {
                clutter.serialize(ClutterRow { frame: n, x: c.x, y: c.y, radius: c.radius })?;
            }
        }
        // Whoever is interrupted has the truth of every picture.
        truth.flush()?;
        clutter.as_mut().map_or(Ok(()), csv::Writer::flush)?;
    }
    warn_of_earlier(out, frames, clutter.is_some());
    Ok(())
}

/// Warns of files of an earlier run that this one has not replaced.
fn warn_of_earlier(out: &Path, frames: u64, clutter: bool) {
    let later = (frames..MOST).take_while(|n| out.join(format!("{n:06}.png")).exists()).count();
    if later > 0 {
        warn!("{later} more pictures in {} are of an earlier run", out.display());
    }
    if !clutter && out.join("clutter.csv").exists() {
        warn!("clutter.csv in {} is of an earlier run", out.display());
    }
}

#[derive(Serialize)]
struct TruthRow<'a> {
    frame: u64,
    ball: usize,
    x: f64,
    y: f64,
    radius: f64,
    visible: f64,
    visible_arc: f64,
    vx: f64,
    vy: f64,
    centroid_x: f64,
    centroid_y: f64,
    projection_x: f64,
    projection_y: f64,
    preset: &'a str,
    file: &'a str,
    contrast: f64,
    bound: Option<f64>,
    bound_radius: Option<f64>,
}

#[derive(Serialize)]
struct ClutterRow {
    frame: u64,
    x: f64,
    y: f64,
    radius: f64,
}

/// Writes a frame losslessly.
fn write_png(frame: &Frame<'_>, path: &Path) -> anyhow::Result<()> {
    let bytes: Vec<u8> = (0..frame.height()).flat_map(|y| frame.row(y)).copied().collect();
    let (bytes, color) = if frame.format() == PixelFormat::GRAY8 {
        (bytes, image::ExtendedColorType::L8)
    } else {
        let rgb = bytes.chunks_exact(3).flat_map(|p| [p[2], p[1], p[0]]).collect();
        (rgb, image::ExtendedColorType::Rgb8)
    };
    image::save_buffer(path, &bytes, frame.width(), frame.height(), color)
        .with_context(|| format!("cannot write {}", path.display()))
}

fn list(json: bool) -> anyhow::Result<()> {
    if json {
        let presets: Vec<_> = Preset::ALL
            .iter()
            .map(|p| serde_json::json!({ "name": p.name(), "description": p.description() }))
            .collect();
        println!("{}", serde_json::to_string_pretty(&presets)?);
        return Ok(());
    }
    for preset in Preset::ALL {
        println!("{:<12} {}", preset.name(), preset.description());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::SceneConfig;

    fn args(out: &Path) -> Args {
        Args {
            preset: Some(Preset::Crowded),
            out: Some(out.into()),
            frames: Some(3),
            seed: Some(4),
            list: false,
            json: false,
        }
    }

    #[test]
    fn files_hold_the_frames_and_the_truth() {
        let dir = tempfile::tempdir().unwrap();
        let scene = SceneConfig { width: 200, height: 120, ..SceneConfig::default() };
        let config = Config { scene, ..Config::default() };
        assert_eq!(run(&args(dir.path()), &config).unwrap(), Exit::Done);

        let chosen = SceneConfig { seed: 4, ..config.scene.with_preset(Preset::Crowded) };
        let mut scene = Scene::new(&chosen).unwrap();
        scene.step();
        let picture = image::open(dir.path().join("000001.png")).unwrap().to_rgb8();
        let frame = scene.frame();
        assert_eq!((picture.width(), picture.height()), (200, 120));
        for (rgb, bgr) in picture.pixels().zip(frame.data().chunks_exact(3)) {
            assert_eq!([rgb[2], rgb[1], rgb[0]], bgr);
        }
        let mut rows = csv::Reader::from_path(dir.path().join("truth.csv")).unwrap();
        let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 3 * 8);
        let row = &rows[8];
        assert_eq!((&row[0], &row[1], &row[14]), ("1", "0", "000001.png"));
        // Read back without a loss.
        assert_eq!(row[2].parse::<f64>().unwrap(), scene.truth().balls[0].x);
    }

    #[test]
    fn an_empty_film_is_refused() {
        use clap::Parser as _;
        #[derive(Debug, clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: Args,
        }
        let line = |frames| Line::try_parse_from(["scene", "--out", "x", "--frames", frames]);
        assert!(line("0").is_err() && line("-1").is_err());
        assert_eq!(line("1").unwrap().args.frames, Some(1));
    }

    #[test]
    fn an_impossible_scene_is_a_usage_error() {
        let dir = tempfile::tempdir().unwrap();
        let scene = SceneConfig { width: 10, ..SceneConfig::default() };
        let config = Config { scene, ..Config::default() };
        assert!(run(&args(dir.path()), &config).unwrap_err().is::<UsageError>());
    }
}
