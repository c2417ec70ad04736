//! Pictures whose truth stands in a file.
//!
//! A directory of pictures has `truth.csv` as `host scene` writes it, or as a person
//! does: columns by name, in any order, more of them do no harm. `docs/evaluate.md` has
//! the list.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use plumbline_plugin_api::Circle;

use super::{
    bound::Bound,
    film::Ball,
    plan::Plan,
    rows::{Row, Rows},
};
use crate::{picture_file, scene::BallTruth};

/// Why a file with truth or answers cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct FootageError {
    /// File, and line where there is one.
    pub place: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// Pictures that belong together: those of a preset, or all of a directory.
#[derive(Debug, Clone)]
pub struct Footage {
    /// The preset, or the directory.
    pub name: String,
    /// Where the pictures are.
    pub dir: PathBuf,
    /// The pictures in the order of their first rows.
    pub shots: Vec<Shot>,
    /// Whether they follow each other: they have numbers (`frame`).
    pub is_film: bool,
}

/// One picture.
#[derive(Debug, Clone)]
pub struct Shot {
    /// The file, relative to the directory.
    pub file: String,
    /// Its number in the truth, where it has one.
    pub frame: Option<u64>,
    /// The balls in it.
    pub balls: Vec<Ball>,
    /// Circles that are not balls.
    pub clutter: Vec<Circle>,
}

/// A place beyond this is in no picture, in pixels.
pub(super) const FARTHEST: f64 = 1e6;
/// Files of a directory of pictures.
const TRUTH: &str = "truth.csv";
const CLUTTER: &str = "clutter.csv";

impl Footage {
    /// Reads the truth of a directory of pictures. The radius of a detection that belongs to
    /// a ball may be off by a share of `radius_error`.
    ///
    /// # Errors
    ///
    /// [`FootageError`] when there is no `truth.csv`, or something in it is no truth.
    pub fn read(dir: &Path, radius_error: f64) -> Result<Vec<Self>, FootageError> {
        let path = dir.join(TRUTH);
        let text = read(&path)?;
        let clutter = dir.join(CLUTTER);
        let clutter = if clutter.exists() {
            Rows::read(&clutter.display().to_string(), &read(&clutter)?)?
        } else {
            Rows::default()
        };
        let name = dir.canonicalize().ok();
        let name = name.as_deref().and_then(Path::file_name).unwrap_or(dir.as_os_str());
        let truth = Rows::read(&path.display().to_string(), &text)?;
        let footage = groups((&truth, &clutter), &name.to_string_lossy(), dir, radius_error)?;
        for shot in footage.iter().flat_map(|group| &group.shots) {
            shot.check(dir).map_err(|problem| truth.error(problem))?;
        }
        Ok(footage)
    }

    /// Pictures of a segment: neighbours of a film depend on each other, photographs do not.
    pub fn segment_length(&self) -> usize {
        if self.is_film {
            Plan { frames: self.shots.len() as u64, seed: 0 }.segment_frames() as usize
        } else {
            1
        }
    }

    /// The least and the largest radius of the balls that count; `None` without any.
    pub fn radii(&self) -> Option<[f64; 2]> {
        let balls = self.shots.iter().flat_map(|shot| &shot.balls).filter(|ball| !ball.ignored);
        balls.map(|ball| ball.truth.radius).fold(None, |range, r| {
            let [least, most] = range.unwrap_or([r, r]);
            Some([least.min(r), most.max(r)])
        })
    }
}

impl Shot {
    /// Sees that the picture is there, and that the balls that count can be in it.
    fn check(&self, dir: &Path) -> Result<(), String> {
        let [width, height] = picture_file::size(&dir.join(&self.file))
            .map_err(|why| format!("picture {}: {why}", self.file))?;
        for Ball { truth: BallTruth { x, y, radius, .. }, ignored, .. } in &self.balls {
            let inside =
                |at: f64, size: u32| at > -radius - 0.5 && at < f64::from(size) - 0.5 + radius;
            if !(*ignored || inside(*x, width) && inside(*y, height)) {
                return Err(format!(
                    "{} has {width} x {height} pixels, and no part of a ball of radius {radius} \
                     at x = {x}, y = {y} is in it",
                    self.file
                ));
            }
        }
        Ok(())
    }
}

pub(super) fn read(path: &Path) -> Result<String, FootageError> {
    std::fs::read_to_string(path).map_err(|why| FootageError {
        place: path.display().to_string(),
        problem: format!("cannot read it: {why}"),
    })
}

/// Puts the rows of the truth together, picture by picture and preset by preset.
fn groups(
    (truth, clutter): (&Rows, &Rows),
    name: &str,
    dir: &Path,
    radius_error: f64,
) -> Result<Vec<Footage>, FootageError> {
    truth.need(&["x", "y", "radius"])?;
    let mut groups: Vec<Footage> = Vec::new();
    let mut places: HashMap<String, [usize; 2]> = HashMap::new();
    let mut numbers: HashMap<String, Vec<Option<u64>>> = HashMap::new();
    for row in truth.iter() {
        let (file, frame) = (Name::of(&row)?.file(), row.whole("frame")?);
        let group = row.text("preset").unwrap_or(name);
        let g = groups.iter().position(|g| g.name == group).unwrap_or_else(|| {
            let (name, dir) = (group.to_owned(), dir.to_owned());
            groups.push(Footage { name, dir, shots: Vec::new(), is_film: true });
            groups.len() - 1
        });
        let [at, shot] = *places.entry(file.clone()).or_insert_with(|| {
            let (balls, clutter) = (Vec::new(), Vec::new());
            groups[g].shots.push(Shot { file: file.clone(), frame, balls, clutter });
            [g, groups[g].shots.len() - 1]
        });
        if at != g {
            return Err(row.error(format!(
                "this picture was one of {} before, and is one of {group} here",
                groups[at].name
            )));
        }
        groups[g].is_film &= frame.is_some();
        let shot = &mut groups[g].shots[shot];
        if shot.frame != frame {
            return Err(row.error("this picture had another `frame` before".into()));
        }
        let Some(ball) = ball(&row, radius_error)? else { continue };
        let place = |b: &Ball| [b.truth.x, b.truth.y, b.truth.radius];
        if shot.balls.iter().any(|known| place(known) == place(&ball)) {
            return Err(row.error("this ball was there before".into()));
        }
        shot.balls.push(ball);
        numbers.entry(file).or_default().push(row.whole("ball")?);
    }
    if groups.is_empty() {
        return Err(truth.error("there is no picture in it".into()));
    }
    for shot in groups.iter_mut().flat_map(|g| &mut g.shots) {
        let numbers = numbers.remove(&shot.file).unwrap_or_default();
        let mut balls: Vec<_> = numbers.into_iter().zip(std::mem::take(&mut shot.balls)).collect();
        balls.sort_by_key(|(number, _)| *number);
        shot.balls = balls.into_iter().map(|(_, ball)| ball).collect();
    }
    let of_frame = by_frame(&groups);
    for row in clutter.iter() {
        let file = match Name::of(&row)? {
            Name::File(file) => Some(file),
            Name::Frame(n) => of_frame.get(&n).cloned().flatten(),
        };
        let Some(&[g, shot]) = file.and_then(|file| places.get(&file)) else { continue };
        let (x, y) = (row.needed("x")?, row.needed("y")?);
        let radius = radius(&row)?.ok_or_else(|| row.error("radius is missing".into()))?;
        groups[g].shots[shot].clutter.push(Circle { x, y, radius });
    }
    Ok(groups)
}

/// The picture of every frame number in the truth; `None` where there are several.
pub(super) fn by_frame(groups: &[Footage]) -> HashMap<u64, Option<String>> {
    let mut of_frame = HashMap::new();
    for shot in groups.iter().flat_map(|g| &g.shots) {
        if let Some(n) = shot.frame {
            let file = Some(shot.file.clone());
            of_frame.entry(n).and_modify(|of| *of = None).or_insert(file);
        }
    }
    of_frame
}

/// How a row calls its picture.
pub(super) enum Name {
    File(String),
    Frame(u64),
}

impl Name {
    /// Its `file`, or where it has none its `frame`.
    pub(super) fn of(row: &Row<'_>) -> Result<Self, FootageError> {
        if let Some(file) = row.text("file") {
            return Ok(Self::File(plain(file)));
        }
        row.whole("frame")?.map(Self::Frame).ok_or_else(|| {
            row.error("which picture? A `file`, or the number of a `frame`, is needed".into())
        })
    }

    /// The file, which `host scene` names after the frame.
    fn file(&self) -> String {
        match self {
            Self::File(file) => file.clone(),
            Self::Frame(n) => format!("{n:06}.png"),
        }
    }
}

/// A path with slashes and without a dot at its beginning.
pub(super) fn plain(file: &str) -> String {
    let file = file.replace('\\', "/");
    file.strip_prefix("./").map_or(file.clone(), str::to_owned)
}

/// A radius in pixels.
pub(super) fn radius(row: &Row<'_>) -> Result<Option<f64>, FootageError> {
    match row.place("radius")? {
        Some(r) if r <= 0.0 => Err(row
            .error(format!("radius = {r} is not above 0; where none is known the cell is empty"))),
        r => Ok(r),
    }
}

/// The ball of a row; `None` where the row only says that there is a picture.
fn ball(row: &Row<'_>, radius_error: f64) -> Result<Option<Ball>, FootageError> {
    if ["x", "y", "radius"].iter().all(|key| row.text(key).is_none()) {
        return Ok(None);
    }
    let [x, y] = [row.needed("x")?, row.needed("y")?];
    let radius = radius(row)?.ok_or_else(|| row.error("radius is missing".into()))?;
    let or = |key: &str, default: f64| row.number(key).map(|v| v.unwrap_or(default));
    let share = |key: &str| match row.number(key)? {
        Some(v) if !(0.0..=1.0).contains(&v) => {
            Err(row.error(format!("{key} = {v} is no share from 0 to 1")))
        }
        v => Ok(v.unwrap_or(1.0)),
    };
    let deviation = |key: &str| match row.number(key)? {
        Some(v) if v <= 0.0 => Err(row.error(format!("{key} = {v} is not above 0"))),
        v => Ok(v),
    };
    let truth = BallTruth {
        x,
        y,
        radius,
        centroid: [x, y],
        projection: [x, y],
        // Not known: it does not stand still for sure.
        velocity: [or("vx", f64::NAN)?, or("vy", f64::NAN)?],
        visible: share("visible")?,
        visible_arc: share("visible_arc")?,
        contrast: or("contrast", f64::NAN)?,
    };
    let (bound, bound_radius) = (deviation("bound")?, deviation("bound_radius")?);
    let bound = bound.map(|center| Bound { center, radius: bound_radius });
    Ok(Some(Ball::new(truth, bound, radius_error)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn footage(
        truth: &str,
        clutter: &str,
    ) -> Result<Vec<Footage>, FootageError> {
        let rows = |name: &str, text: &str| Rows::read(name, text);
        let (truth, clutter) = (rows("truth.csv", truth)?, rows("clutter.csv", clutter)?);
        groups((&truth, &clutter), "mine", Path::new("d"), f64::INFINITY)
    }

    #[test]
    fn what_a_person_writes_is_a_truth() {
        let footage = footage(
            "file, x,y , radius,visible\na.jpg,10.5,20,8,\nb.jpg,,,,\na.jpg,40,20,9,0.2\n",
            "file,x,y,radius\na.jpg,1,2,3\nc.jpg,1,2,3\n",
        );
        let [mine] = &footage.unwrap()[..] else { panic!("one group") };
        assert_eq!((mine.name.as_str(), mine.shots.len()), ("mine", 2));
        let [a, b] = [&mine.shots[0], &mine.shots[1]];
        assert_eq!((a.file.as_str(), a.balls.len(), a.clutter.len()), ("a.jpg", 2, 1));
        assert!(!a.balls[0].ignored && a.balls[1].ignored && b.balls.is_empty());
        assert_eq!((a.balls[0].truth.x, a.balls[0].gate, a.balls[0].bound), (10.5, 4.0, None));
        assert_eq!(mine.radii(), Some([8.0, 8.0]));
    }

    #[test]
    fn a_film_is_cut_into_its_presets() {
        let truth = "frame,x,y,radius,preset,bound,bound_radius\n\
                     0,1,2,3,clean,0.01,0.02\n1,1,2,3,noisy,0.03,\n";
        let footage = footage(truth, "").unwrap();
        let names: Vec<&str> = footage.iter().map(|g| g.name.as_str()).collect();
        assert_eq!(names, ["clean", "noisy"]);
        assert_eq!(footage[1].shots[0].file, "000001.png");
        let bound = |g: usize| footage[g].shots[0].balls[0].bound;
        assert_eq!(bound(0), Some(Bound { center: 0.01, radius: Some(0.02) }));
        assert_eq!(bound(1), Some(Bound { center: 0.03, radius: None }));
    }

    #[test]
    fn what_is_no_truth_is_refused_at_its_line() {
        for (text, said) in [
            ("", "no column `x`"),
            ("file,x,y\n", "no column `radius`"),
            ("x,y,radius\n1,2,3\n", "line 2: which picture?"),
            ("file,x,y,radius\na,1,2,3\nb,1,z,3\n", "line 3: y = \"z\" is not a number"),
            ("file,x,y,radius\na,1,2,\n", "line 2: radius is missing"),
            ("file,x,y,radius\na,1,2,0\n", "radius = 0 is not above 0"),
            ("file,x,y,radius\na,1,2,3\n./a,1,2,3\n", "line 3: this ball was there before"),
            ("file,x,y,radius,visible\na,1,2,3,2\n", "visible = 2 is no share"),
            ("file,x,y,radius,bound\na,1,2,3,-1\n", "bound = -1 is not above 0"),
            ("file,x,y,radius\na,1e9,2,3\n", "x = 1e9 is in no picture"),
            ("file;x;y;radius\na;1;2;3\n", "separated by `;`"),
            ("file,x,y,radius\na,1,inf,3\n", "y = \"inf\" is not a number"),
            ("file,x,y,radius\na,1,2\n", "line 2"),
            ("frame,x,y,radius\n-1,1,2,3\n", "frame = \"-1\""),
            ("file,x,y,radius\r\n\r\n\r\na,1,2,3\r\n ,,,\r\nb,z,2,3\r\n", "line 6: x = \"z\""),
            ("file,frame,x,y,radius\na,1,1,2,3\na,2,5,5,3\n", "another `frame` before"),
            ("file,x,y,radius\n", "no picture"),
            ("file,x,x,y,radius\na,1,2,3,4\n", "two columns `x`"),
        ] {
            let error = footage(text, "").unwrap_err().to_string();
            assert!(error.starts_with("truth.csv") && error.contains(said), "{text:?}: {error}");
        }
    }

    #[test]
    fn balls_are_in_the_order_of_their_numbers() {
        let truth = "frame,ball,x,y,radius\n0,1,5,5,3\n0,0,9,9,3\n1,0,9,9,3\n1,1,5,5,3\n";
        let footage = footage(truth, "frame,x,y,radius\n1,2,2,2\n").unwrap();
        let shots = &footage[0].shots;
        let x = |shot: usize| shots[shot].balls.iter().map(|b| b.truth.x).collect::<Vec<_>>();
        assert_eq!((x(0), x(1)), (vec![9.0, 5.0], vec![9.0, 5.0]));
        assert_eq!((shots[0].clutter.len(), shots[1].clutter.len()), (0, 1));
        assert!(footage[0].is_film);
    }
}
