//! Pictures in files before the detectors, beside the answers of other programs.

use std::path::Path;

use plumbline_plugin_api::{Detections, Frame, PixelFormat};
use rayon::prelude::*;

use super::{
    answers::Answers,
    film::{Cast, FilmError, Filmed, FrameResult, Subject, ask, look},
    footage::{Footage, Shot},
};
use crate::{picture_file, plugin::Detector};

/// Shows pictures to all detectors, and beside their answers takes those of other programs.
/// As [`film`](super::film::film) otherwise; the numbers of `cast` are those of `footage`.
///
/// # Errors
///
/// [`FilmError`].
pub fn show(
    footage: &[Footage],
    cast: &Cast<'_>,
    answers: &[Answers],
    done: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Filmed>, FilmError> {
    let segments = |group: &Footage| group.shots.len().div_ceil(group.segment_length());
    let jobs: Vec<(usize, usize)> =
        (0..footage.len()).flat_map(|g| (0..segments(&footage[g])).map(move |k| (g, k))).collect();
    let results = jobs
        .par_iter()
        .map(|&(g, k)| {
            let length = footage[g].segment_length();
            let shots = footage[g].shots.chunks(length).nth(k).unwrap_or_default();
            let segment = pictures(&footage[g].dir, shots, k * length, &mut cast(g)?, answers)?;
            done(segment.len() as u64);
            Ok((g, segment))
        })
        .collect::<Result<Vec<_>, FilmError>>()?;
    let mut filmed: Vec<Filmed> = footage
        .iter()
        .map(|footage| Filmed {
            subject: Subject::Pictures(footage.clone()),
            segments: Vec::new(),
            times: Vec::new(),
        })
        .collect();
    for (g, segment) in results {
        filmed[g].segments.push(segment);
    }
    Ok(filmed)
}

/// A segment: `shots` from number `first` on.
fn pictures(
    dir: &Path,
    shots: &[Shot],
    first: usize,
    detectors: &mut [Detector],
    answers: &[Answers],
) -> Result<Vec<FrameResult>, FilmError> {
    let mut found = Detections::new();
    let mut results = Vec::with_capacity(shots.len());
    for (shot, n) in shots.iter().zip(first..) {
        let mut looks = Vec::with_capacity(detectors.len() + answers.len());
        if !detectors.is_empty() {
            let picture = open(&dir.join(&shot.file))?;
            for detector in detectors.iter_mut() {
                let frame = picture.frame(n as u64);
                looks.push(ask(detector, &frame, &mut found, &shot.balls, &shot.clutter));
            }
        }
        looks.extend(answers.iter().map(|answers| match answers.to(shot) {
            Ok(found) => look(&shot.balls, &shot.clutter, found, None),
            Err(why) => look(&shot.balls, &shot.clutter, &[], Some(why.to_owned())),
        }));
        results.push(FrameResult { balls: shot.balls.clone(), looks });
    }
    Ok(results)
}

/// A picture from a file.
pub struct Opened {
    data: Vec<u8>,
    size: [u32; 2],
    format: PixelFormat,
}

impl Opened {
    /// The picture as detectors get it.
    pub fn frame(&self, id: u64) -> Frame<'_> {
        let [width, height] = self.size;
        Frame::packed(&self.data, width, height, self.format)
            .expect("the pixels are those of a picture of this size")
            .with_id(id)
    }
}

/// Reads a picture.
///
/// # Errors
///
/// [`FilmError::Picture`].
pub fn open(path: &Path) -> Result<Opened, FilmError> {
    let error = |why: String| FilmError::Picture { path: path.to_owned(), why };
    let image = picture_file::read(path).map_err(|why| error(why.to_string()))?;
    let (data, format) = picture_file::pixels(&image);
    let size = [image.width(), image.height()];
    // Also what detectors do not get, like a picture without any pixels.
    Frame::packed(&data, size[0], size[1], format).map_err(|why| error(why.to_string()))?;
    Ok(Opened { data, size, format })
}
