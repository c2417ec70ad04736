//! `host detect`: run a detector on pictures.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use anyhow::Context;
use image::{DynamicImage, Rgb, RgbImage};
use plumbline_plugin_api::{Detection, Detections, Frame};
use serde::Serialize;

use super::{
    Common, Exit,
    choice::{Choice, Chosen},
    options::make_directory,
    plugins,
};
use crate::{
    evaluate::answers::Found,
    picture_file,
    plugin::{
        Catalog, Detector,
        remote::{self, Pool},
    },
};

/// Arguments of `host detect`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  host detect --plugin hough-rust --annotate out coins.jpg frame-*.png

Prints a line of JSON per picture, best detection first. Grey pictures stay grey
(gray8), others become bgr8; 16 bits are reduced to 8, transparency is dropped.
A photograph is turned as its camera noted (EXIF), as viewers do.
Exit status 1 if a picture could not be read, or the detector failed on it: it runs in a
process of its own, and goes on with the next picture when that ends or takes more than
a minute; after five such pictures in a row it is not asked any more.")]
pub struct Args {
    /// Detector plugin: its name, or the path of its library; settings may follow
    #[arg(long, value_name = "NAME|PATH[:KEY=VALUE...]")]
    plugin: Choice,
    /// Write each picture with what was found drawn into it into this directory, as NAME.found.png
    #[arg(long, value_name = "DIR")]
    annotate: Option<PathBuf>,
    /// PNG, JPEG, BMP, TIFF or PGM pictures
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Line {
    file: String,
    width: u32,
    height: u32,
    detect_us: u64,
    detections: Vec<Found>,
}

/// In place of a [`Line`].
#[derive(Debug, Serialize)]
struct Unread {
    file: String,
    error: String,
}

/// Runs `host detect`.
///
/// # Errors
///
/// When the detector cannot be loaded or made, or the directory for the
/// annotated pictures cannot be written. A picture that cannot be read is no
/// error here: it gets its line, and the exit status says so.
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    let loaded = common.load(Vec::new())?;
    let catalog = Catalog::new(&common.plugin_path, &loaded.config.plugins.paths);
    plugins::warn_of_misspelt(&loaded, &catalog);
    let Chosen { plugin, table, .. } = args.plugin.load(&loaded, &catalog)?;
    // In a process of its own: what ends that is a fault of one picture.
    let pool = Pool::new(&plugin.descriptor().path, remote::DEADLINE);
    let mut detector = plugin.remote_detector(Some(&table), &pool)?;
    let annotate = match &args.annotate {
        Some(dir) => {
            make_directory("--annotate", dir)?;
            Some(dir.canonicalize().unwrap_or_else(|_| dir.clone()))
        }
        None => None,
    };
    // Pictures that must not be replaced.
    let mut taken: HashSet<PathBuf> =
        args.images.iter().filter_map(|image| image.canonicalize().ok()).collect();
    let mut exit = Exit::Done;
    for (id, file) in args.images.iter().enumerate() {
        match look(&mut detector, file, id as u64) {
            Ok((line, image, found)) => {
                plugins::print(serde_json::to_string(&line)?)?;
                if let Some(dir) = &annotate {
                    let path = free_name(&mut taken, dir, file);
                    annotated(&image, &found)
                        .save(&path)
                        .with_context(|| format!("cannot write {}", path.display()))?;
                }
            }
            Err(error) => {
                exit = Exit::Failed;
                let line = Unread { file: file.display().to_string(), error: format!("{error:#}") };
                plugins::print(serde_json::to_string(&line)?)?;
            }
        }
    }
    Ok(exit)
}

fn look(
    detector: &mut Detector,
    file: &Path,
    id: u64,
) -> anyhow::Result<(Line, DynamicImage, Vec<Detection>)> {
    let image = picture_file::read(file)?;
    let (data, format) = picture_file::pixels(&image);
    let frame = Frame::packed(&data, image.width(), image.height(), format)?.with_id(id);
    let mut found = Detections::new();
    // Every picture stands for itself: nothing is learnt from the one before.
    detector.reset()?;
    detector.detect(&frame, &mut found)?;
    let detect_us = detector.took().unwrap_or_default().as_micros() as u64;
    let detections = found.iter().map(Found::from).collect();
    let (width, height) = (image.width(), image.height());
    let line = Line { file: file.display().to_string(), width, height, detect_us, detections };
    Ok((line, image, found.to_vec()))
}

/// A file in `dir` that no other picture of this run has: `a/x.png` and `b/x.png` differ.
/// Its name tells that it is annotated, so that it replaces at most an earlier one of that
/// name; none of the `taken` either, not even through a link.
fn free_name(taken: &mut HashSet<PathBuf>, dir: &Path, file: &Path) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let first = std::iter::once(format!("{stem}.found.png"));
    let names = first.chain((2_u32..).map(|n| format!("{stem}.found-{n}.png")));
    let is_taken = |path: &PathBuf| {
        taken.contains(path) || path.canonicalize().is_ok_and(|path| taken.contains(&path))
    };
    let mut paths = names.map(|name| dir.join(name)).skip_while(is_taken);
    let path = paths.next().unwrap_or_else(|| dir.join("found.png"));
    taken.insert(path.clone());
    path
}

const BEST: Rgb<u8> = Rgb([0, 220, 0]);
const OTHER: Rgb<u8> = Rgb([240, 180, 0]);
const CENTRE: Rgb<u8> = Rgb([230, 0, 0]);
/// Half the length of the cross at a centre, pixels.
const CROSS: i64 = 4;

/// The picture with a circle and a cross per detection, the best in green.
fn annotated(image: &DynamicImage, found: &[Detection]) -> RgbImage {
    let mut canvas = image.to_rgb8();
    // The best last, so that nothing is drawn over it.
    for (i, detection) in found.iter().enumerate().rev() {
        let colour = if i == 0 { BEST } else { OTHER };
        circle(&mut canvas, detection, colour);
        let (x, y) = (detection.x.round() as i64, detection.y.round() as i64);
        for d in -CROSS..=CROSS {
            put(&mut canvas, x + d, y, CENTRE);
            put(&mut canvas, x, y + d, CENTRE);
        }
    }
    canvas
}

fn put(canvas: &mut RgbImage, x: i64, y: i64, colour: Rgb<u8>) {
    if (0..i64::from(canvas.width())).contains(&x) && (0..i64::from(canvas.height())).contains(&y) {
        canvas.put_pixel(x as u32, y as u32, colour);
    }
}

/// Draws the pixels that the circle passes within 0.7 px of.
fn circle(canvas: &mut RgbImage, d: &Detection, colour: Rgb<u8>) {
    const HALF_WIDTH: f64 = 0.7;
    if d.radius.is_nan() {
        return;
    }
    let outer = d.radius + HALF_WIDTH;
    let inner = (d.radius - HALF_WIDTH).max(0.0);
    let rows = (d.y - outer).ceil().max(0.0) as u32..canvas.height();
    for y in rows {
        let dy = f64::from(y) - d.y;
        if dy > outer {
            break;
        }
        let reach = (outer * outer - dy * dy).max(0.0).sqrt();
        let first = (d.x - reach).ceil().max(0.0) as u32;
        let last = (d.x + reach).floor().min(f64::from(canvas.width()) - 1.0);
        for x in first..canvas.width() {
            let dx = f64::from(x) - d.x;
            if f64::from(x) > last {
                break;
            }
            if dx * dx + dy * dy >= inner * inner {
                canvas.put_pixel(x, y, colour);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::GrayImage;

    #[test]
    fn circle_and_centre_are_where_they_belong_even_across_the_edge() {
        let image = DynamicImage::ImageLuma8(GrayImage::new(40, 40));
        let found = [Detection::new(20.0, 20.0, 10.0, 1.0), Detection::new(-1.0, 39.0, 8.0, 0.5)];
        let drawn = annotated(&image, &found);
        assert_eq!(*drawn.get_pixel(30, 20), BEST);
        assert_eq!(*drawn.get_pixel(20, 10), BEST);
        assert_eq!(*drawn.get_pixel(20, 20), CENTRE);
        assert_eq!(*drawn.get_pixel(7, 39), OTHER);
        assert_eq!(*drawn.get_pixel(35, 35), Rgb([0, 0, 0]));
        for radius in [f64::NAN, 0.0, 1e12] {
            annotated(&image, &[Detection::new(1e12, -1e12, radius, 1.0)]);
        }
    }

    #[test]
    fn an_annotated_picture_replaces_no_other() {
        let mut taken = HashSet::from(["o/y.found.png".into()]);
        let mut name = |file: &str| free_name(&mut taken, Path::new("o"), Path::new(file));
        assert_eq!(name("a/x.png"), Path::new("o/x.found.png"));
        assert_eq!(name("b/x.jpg"), Path::new("o/x.found-2.png"));
        assert_eq!(name("c/x.png"), Path::new("o/x.found-3.png"));
        // Among the pictures of this run is one of that name.
        assert_eq!(name("o/y.png"), Path::new("o/y.found-2.png"));
    }

    #[test]
    fn an_annotated_picture_replaces_none_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        let source = dir.join("source.png");
        std::fs::write(&source, "").unwrap();
        std::os::unix::fs::symlink(&source, dir.join("x.found.png")).unwrap();
        let name = free_name(&mut HashSet::from([source]), &dir, Path::new("x.png"));
        assert_eq!(name, dir.join("x.found-2.png"));
    }
}
