//! Pictures whose truth stands in a file, and what other programs found in them.
//!
//! A directory of pictures has `truth.csv` as `host scene` writes it, or as a person
//! does: columns by name, in any order, more of them do no harm. `docs/evaluate.md` has
//! the list.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use plumbline_plugin_api::{Circle, Covariance, Detection};
use serde::Deserialize;

use super::{
    bound::Bound,
    film::{Ball, LEAST_VISIBLE},
    matching::gate,
    rows::{Row, Rows},
};
use crate::scene::BallTruth;

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
}

/// One picture.
#[derive(Debug, Clone)]
pub struct Shot {
    /// The file, relative to the directory.
    pub file: String,
    /// The balls in it.
    pub balls: Vec<Ball>,
    /// Circles that are not balls.
    pub clutter: Vec<Circle>,
}

/// Files of a directory of pictures.
const TRUTH: &str = "truth.csv";
const CLUTTER: &str = "clutter.csv";

impl Footage {
    /// Reads the truth of a directory of pictures.
    ///
    /// # Errors
    ///
    /// [`FootageError`] when there is no `truth.csv`, or something in it is no truth.
    pub fn read(dir: &Path) -> Result<Vec<Self>, FootageError> {
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
        groups(&truth, &clutter, &name.to_string_lossy(), dir)
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

fn read(path: &Path) -> Result<String, FootageError> {
    std::fs::read_to_string(path).map_err(|why| FootageError {
        place: path.display().to_string(),
        problem: format!("cannot read it: {why}"),
    })
}

/// Puts the rows of the truth together, picture by picture and preset by preset.
fn groups(
    truth: &Rows,
    clutter: &Rows,
    name: &str,
    dir: &Path,
) -> Result<Vec<Footage>, FootageError> {
    truth.need(&["x", "y", "radius"])?;
    let mut groups: Vec<Footage> = Vec::new();
    let mut places: HashMap<String, [usize; 2]> = HashMap::new();
    for row in truth.iter() {
        let file = file_of(&row)?;
        let group = row.text("preset").unwrap_or(name);
        let g = groups.iter().position(|g| g.name == group).unwrap_or_else(|| {
            let (name, dir) = (group.to_owned(), dir.to_owned());
            groups.push(Footage { name, dir, shots: Vec::new() });
            groups.len() - 1
        });
        let [at, shot] = *places.entry(file.clone()).or_insert_with(|| {
            groups[g].shots.push(Shot { file, balls: Vec::new(), clutter: Vec::new() });
            [g, groups[g].shots.len() - 1]
        });
        if at != g {
            return Err(row.error(format!(
                "this picture was one of {} before, and is one of {group} here",
                groups[at].name
            )));
        }
        groups[g].shots[shot].balls.extend(ball(&row)?);
    }
    if groups.is_empty() {
        return Err(truth.error("there is no picture in it".into()));
    }
    for row in clutter.iter() {
        let Some(&[g, shot]) = places.get(&file_of(&row)?) else { continue };
        let [x, y, radius] = ["x", "y", "radius"].map(|key| row.needed(key));
        groups[g].shots[shot].clutter.push(Circle { x: x?, y: y?, radius: radius? });
    }
    Ok(groups)
}

/// The picture of a row: its `file`, or the name that `host scene` gives to its `frame`.
fn file_of(row: &Row<'_>) -> Result<String, FootageError> {
    if let Some(file) = row.text("file") {
        return Ok(file.to_owned());
    }
    let frame = row.text("frame").ok_or_else(|| {
        row.error("which picture? A `file`, or the number of a `frame`, is needed".into())
    })?;
    let number: u64 = frame
        .parse()
        .map_err(|_| row.error(format!("frame = {frame:?} is not a number from 0 up")))?;
    Ok(format!("{number:06}.png"))
}

/// The ball of a row; `None` where the row only says that there is a picture.
fn ball(row: &Row<'_>) -> Result<Option<Ball>, FootageError> {
    if ["x", "y", "radius"].iter().all(|key| row.text(key).is_none()) {
        return Ok(None);
    }
    let [x, y, radius] = [row.needed("x")?, row.needed("y")?, row.needed("radius")?];
    if radius <= 0.0 {
        return Err(row.error(format!("radius = {radius} is not above 0")));
    }
    let or = |key: &str, default: f64| row.number(key).map(|v| v.unwrap_or(default));
    let truth = BallTruth {
        x,
        y,
        radius,
        centroid: [x, y],
        projection: [x, y],
        // Not known: it does not stand still for sure.
        velocity: [or("vx", f64::NAN)?, or("vy", f64::NAN)?],
        visible: or("visible", 1.0)?,
        visible_arc: or("visible_arc", 1.0)?,
        contrast: or("contrast", f64::NAN)?,
    };
    let bound = row.number("bound")?.filter(|b| *b > 0.0);
    let bound_radius = row.number("bound_radius")?.filter(|b| *b > 0.0);
    Ok(Some(Ball {
        truth,
        ignored: truth.visible.min(truth.visible_arc) < LEAST_VISIBLE,
        gate: gate(radius),
        bound: bound.map(|center| Bound { center, radius: bound_radius }),
    }))
}

/// What another program found in the pictures.
#[derive(Debug, Clone)]
pub struct Answers {
    /// The program.
    pub name: String,
    /// Where the answers are from.
    pub path: PathBuf,
    by_file: ByFile,
}

impl Answers {
    /// Reads answers: CSV with a row for every detection, or a JSON object per line and
    /// picture, as `host detect` prints them.
    ///
    /// # Errors
    ///
    /// [`FootageError`] with the line of what is no answer to one of these pictures.
    pub fn read(name: &str, path: &Path, footage: &[Footage]) -> Result<Self, FootageError> {
        let (text, place) = (read(path)?, path.display().to_string());
        let by_file = answers(&place, &text, &Known::of(footage))?;
        Ok(Self { name: name.to_owned(), path: path.to_owned(), by_file })
    }

    /// The answer to a picture, or why there is none. A picture that no answer speaks of
    /// was seen without finding anything.
    ///
    /// # Errors
    ///
    /// What the program said in place of an answer.
    pub fn to(&self, shot: &Shot) -> Result<&[Detection], &str> {
        match self.by_file.get(&shot.file) {
            None => Ok(&[]),
            Some(Ok(found)) => Ok(found),
            Some(Err(why)) => Err(why),
        }
    }
}

/// The pictures by their name in the truth, and by the last part of it.
struct Known<'a>(HashMap<&'a str, Option<&'a str>>);

impl<'a> Known<'a> {
    fn of(footage: &'a [Footage]) -> Self {
        let mut known = HashMap::new();
        let files = || footage.iter().flat_map(|g| &g.shots).map(|shot| shot.file.as_str());
        for file in files() {
            let last = last_part(file);
            // Two pictures of one name in different directories: only the whole name tells.
            known.entry(last).and_modify(|of| *of = None).or_insert(Some(file));
        }
        for file in files() {
            known.insert(file, Some(file));
        }
        Self(known)
    }

    fn find(&self, file: &str) -> Option<&'a str> {
        let whole = self.0.get(file).copied();
        whole.or_else(|| self.0.get(last_part(file)).copied()).flatten()
    }
}

fn last_part(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

/// A line of `host detect`.
#[derive(Deserialize)]
struct Line {
    file: String,
    #[serde(default)]
    detections: Vec<Found>,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Deserialize)]
struct Found {
    x: f64,
    y: f64,
    #[serde(default)]
    radius: Option<f64>,
    #[serde(default)]
    score: Option<f64>,
    #[serde(default)]
    covariance: Option<Spread>,
}

#[derive(Deserialize)]
struct Spread {
    xx: f64,
    xy: f64,
    yy: f64,
    #[serde(default)]
    xr: f64,
    #[serde(default)]
    yr: f64,
    #[serde(default)]
    rr: f64,
}

impl Found {
    fn detection(&self) -> Detection {
        let (radius, score) = (self.radius.unwrap_or(f64::NAN), self.score.unwrap_or(1.0));
        let detection = Detection::new(self.x, self.y, radius, score);
        match self.covariance {
            Some(Spread { xx, xy, yy, xr, yr, rr }) => {
                detection.with_covariance(Covariance { xx, xy, xr, yy, yr, rr })
            }
            None => detection,
        }
    }
}

type ByFile = HashMap<String, Result<Vec<Detection>, String>>;

fn answers(place: &str, text: &str, known: &Known<'_>) -> Result<ByFile, FootageError> {
    let mut answers = ByFile::new();
    let unknown = |file: &str| format!("there is no picture {file:?} in the truth");
    if !text.trim_start().starts_with('{') {
        let rows = Rows::read(place, text)?;
        rows.need(&["x", "y"])?;
        for row in rows.iter() {
            let file = file_of(&row)?;
            let file = known.find(&file).ok_or_else(|| row.error(unknown(&file)))?;
            let found = answers.entry(file.to_owned()).or_insert_with(|| Ok(Vec::new()));
            if let (Some(detection), Ok(found)) = (detection(&row)?, found) {
                found.push(detection);
            }
        }
        return Ok(answers);
    }
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let error = |problem| FootageError { place: format!("{place}, line {}", n + 1), problem };
        let Line { file, detections, error: failed } =
            serde_json::from_str(line).map_err(|why| error(why.to_string()))?;
        let file = known.find(&file).ok_or_else(|| error(unknown(&file)))?;
        let answer = match failed {
            Some(why) => Err(why),
            None => Ok(detections.iter().map(Found::detection).collect()),
        };
        if answers.insert(file.to_owned(), answer).is_some() {
            return Err(error(format!("this is the second answer to {file:?}")));
        }
    }
    Ok(answers)
}

/// The detection of a row; `None` where the row only says that a picture was seen.
fn detection(row: &Row<'_>) -> Result<Option<Detection>, FootageError> {
    if row.text("x").is_none() && row.text("y").is_none() {
        return Ok(None);
    }
    let or_zero = |key: &str| row.number(key).map(|v| v.unwrap_or(0.0));
    let covariance = match row.number("xx")?.zip(row.number("yy")?) {
        Some((xx, yy)) => Some(Spread {
            xx,
            yy,
            xy: or_zero("xy")?,
            xr: or_zero("xr")?,
            yr: or_zero("yr")?,
            rr: or_zero("rr")?,
        }),
        None => None,
    };
    let (x, y) = (row.needed("x")?, row.needed("y")?);
    let (radius, score) = (row.number("radius")?, row.number("score")?);
    Ok(Some(Found { x, y, radius, score, covariance }.detection()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn footage(truth: &str, clutter: &str) -> Result<Vec<Footage>, FootageError> {
        let rows = |name: &str, text: &str| Rows::read(name, text);
        groups(&rows("truth.csv", truth)?, &rows("clutter.csv", clutter)?, "mine", Path::new("d"))
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
            ("file,x,y,radius\na,1,inf,3\n", "y = \"inf\" is not a number"),
            ("file,x,y,radius\na,1,2\n", "line 2"),
            ("frame,x,y,radius\n-1,1,2,3\n", "frame = \"-1\""),
            ("file,x,y,radius\n", "no picture"),
            ("file,x,x,y,radius\na,1,2,3,4\n", "two columns `x`"),
        ] {
            let error = footage(text, "").unwrap_err().to_string();
            assert!(error.starts_with("truth.csv") && error.contains(said), "{text:?}: {error}");
        }
    }

    fn two() -> Vec<Footage> {
        footage("file,x,y,radius\ns/a.png,1,2,3\nt/b.png,1,2,3\n", "").unwrap()
    }

    #[test]
    fn answers_come_as_rows_or_as_lines_of_json() {
        let two = two();
        let known = Known::of(&two);
        let rows = "file,x,y,xx,yy\nelsewhere/a.png,4,5,0.1,0.2\na.png,6,7,,\nt/b.png,,,,\n";
        let rows = answers("f", rows, &known).unwrap();
        let found = rows["s/a.png"].as_ref().unwrap();
        assert_eq!((found.len(), found[0].x, found[1].y), (2, 4.0, 7.0));
        assert_eq!((found[0].score, found[0].radius.is_nan()), (1.0, true));
        assert_eq!(found[0].covariance.into_option().map(|c| [c.xx, c.xy]), Some([0.1, 0.0]));
        assert!(found[1].covariance.is_none() && rows["t/b.png"] == Ok(vec![]));
        let lines = "{\"file\":\"a.png\",\"width\":9,\"detections\":[{\"x\":1.5,\"y\":2,\
                     \"radius\":null,\"score\":0.5}]}\n\n{\"file\":\"b.png\",\"error\":\"dark\"}\n";
        let lines = answers("f", lines, &known).unwrap();
        assert_eq!(lines["s/a.png"].as_ref().unwrap()[0].x, 1.5);
        assert_eq!(lines["t/b.png"], Err("dark".to_owned()));
    }

    #[test]
    fn what_is_no_answer_is_refused_at_its_line() {
        let two = two();
        for (text, said) in [
            ("file,x\n", "no column `y`"),
            ("file,x,y\na.png,1,2\nc.png,1,2\n", "line 3: there is no picture \"c.png\""),
            ("file,x,y\na.png,1,\n", "y is missing"),
            ("{\"file\":\"a.png\"}\n{\"file\":\"a.png\"}\n", "line 2: this is the second answer"),
            ("{\"file\":\"a.png\",\"detections\":[{\"x\":1}]}\n", "missing field `y`"),
        ] {
            let error = answers("f", text, &Known::of(&two)).unwrap_err().to_string();
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_name_that_two_directories_have_is_not_enough() {
        let footage = footage("file,x,y,radius\ns/a.png,1,2,3\nt/a.png,1,2,3\n", "").unwrap();
        let known = Known::of(&footage);
        assert_eq!((known.find("a.png"), known.find("t/a.png")), (None, Some("t/a.png")));
    }
}
