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
    plan::Plan,
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
    /// Whether they follow each other: they have numbers (`frame`).
    pub is_film: bool,
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
        let mut footage = groups(&truth, &clutter, &name.to_string_lossy(), dir)?;
        for shot in footage.iter_mut().flat_map(|group| &mut group.shots) {
            shot.check(dir).map_err(|problem| truth.error(problem))?;
            for ball in &mut shot.balls {
                ball.radius_gate = radius_error * ball.truth.radius;
            }
        }
        Ok(footage)
    }

    /// Pictures of a segment: neighbours of a film depend on each other, photographs do not.
    pub fn segment_length(&self) -> usize {
        if self.is_film {
            Plan { frames: self.shots.len() as u64, ..Plan::default() }.segment_frames() as usize
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
    /// Sees that the picture is there, and that its balls can be in it.
    fn check(&self, dir: &Path) -> Result<(), String> {
        let (width, height) = image::image_dimensions(dir.join(&self.file))
            .map_err(|why| format!("cannot read the picture {}: {why}", self.file))?;
        // The camera may have noted that it is to be turned.
        let side = f64::from(width.max(height));
        for Ball { truth: BallTruth { x, y, radius, .. }, .. } in &self.balls {
            if x.max(*y) > side + radius || x.min(*y) < -radius {
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
            groups.push(Footage { name, dir, shots: Vec::new(), is_film: true });
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
        groups[g].is_film &= row.text("frame").is_some();
        let balls = &mut groups[g].shots[shot].balls;
        if let Some(ball) = ball(&row)? {
            let place = |b: &Ball| [b.truth.x, b.truth.y, b.truth.radius];
            if balls.iter().any(|known| place(known) == place(&ball)) {
                return Err(row.error("this ball was there before".into()));
            }
            balls.push(ball);
        }
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
        return Ok(plain(file));
    }
    let frame = row.text("frame").ok_or_else(|| {
        row.error("which picture? A `file`, or the number of a `frame`, is needed".into())
    })?;
    let number: u64 = frame
        .parse()
        .map_err(|_| row.error(format!("frame = {frame:?} is not a number from 0 up")))?;
    Ok(format!("{number:06}.png"))
}

/// A path with slashes and without a dot at its beginning.
fn plain(file: &str) -> String {
    let file = file.replace('\\', "/");
    file.strip_prefix("./").map_or(file.clone(), str::to_owned)
}

/// A radius in pixels.
fn radius(row: &Row<'_>) -> Result<Option<f64>, FootageError> {
    match row.place("radius")? {
        Some(r) if r <= 0.0 => Err(row
            .error(format!("radius = {r} is not above 0; where none is known the cell is empty"))),
        r => Ok(r),
    }
}

/// The ball of a row; `None` where the row only says that there is a picture.
fn ball(row: &Row<'_>) -> Result<Option<Ball>, FootageError> {
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
    Ok(Some(Ball {
        truth,
        ignored: truth.visible.min(truth.visible_arc) < LEAST_VISIBLE,
        gate: gate(radius),
        radius_gate: f64::INFINITY,
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
        let by_file = answers(&place, &text, Known::of(footage))?;
        Ok(Self { name: name.to_owned(), path: path.to_owned(), by_file })
    }

    /// The number of pictures that are spoken of.
    pub fn count(&self) -> u64 {
        self.by_file.len() as u64
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

/// The pictures of the truth, and under which names answers spoke of them.
struct Known<'a> {
    /// By the last part of the path.
    pictures: HashMap<&'a str, Vec<&'a str>>,
    called: HashMap<&'a str, String>,
}

impl<'a> Known<'a> {
    fn of(footage: &'a [Footage]) -> Self {
        let mut pictures: HashMap<&str, Vec<&str>> = HashMap::new();
        for shot in footage.iter().flat_map(|g| &g.shots) {
            pictures.entry(last_part(&shot.file)).or_default().push(&shot.file);
        }
        Self { pictures, called: HashMap::new() }
    }

    /// The picture that an answer calls `name`: of two paths one ends with the other. Of
    /// those whose whole path is in `name` the longest, otherwise the only one.
    fn find(&mut self, name: &str) -> Result<&'a str, String> {
        let name = plain(name);
        let same = self.pictures.get(last_part(&name)).map_or(&[][..], Vec::as_slice);
        let whole = same.iter().filter(|file| ends_with(&name, file)).max_by_key(|f| f.len());
        let file = if let Some(file) = whole {
            *file
        } else {
            let mut longer = same.iter().filter(|file| ends_with(file, &name));
            let file = longer.next();
            let file = *file.ok_or_else(|| format!("there is no picture {name:?} in the truth"))?;
            if let Some(other) = longer.next() {
                return Err(format!("{name:?} may be {file:?} or {other:?} of the truth"));
            }
            file
        };
        let called = self.called.entry(file).or_insert_with(|| name.clone());
        if *called != name {
            return Err(format!(
                "{called:?} and {name:?} are both taken for {file:?} of the truth"
            ));
        }
        Ok(file)
    }
}

fn last_part(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

/// Whether the last parts of `path` are `end`.
fn ends_with(path: &str, end: &str) -> bool {
    let rest = path.strip_suffix(end);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

/// A line of `host detect`.
#[derive(Deserialize)]
struct Line {
    file: String,
    detections: Option<Vec<Found>>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Found {
    x: f64,
    y: f64,
    radius: Option<f64>,
    score: Option<f64>,
    covariance: Option<Spread>,
}

/// The upper triangle of a covariance.
#[derive(Deserialize)]
struct Spread {
    xx: f64,
    #[serde(default)]
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
    /// The detection, or what in it is none.
    fn detection(&self) -> Result<Detection, String> {
        let (radius, score) = (self.radius.unwrap_or(f64::NAN), self.score.unwrap_or(1.0));
        for (key, v) in [("x", self.x), ("y", self.y), ("radius", self.radius.unwrap_or(0.0))] {
            if v.abs() > FARTHEST {
                return Err(format!("{key} = {v:e} is in no picture"));
            }
        }
        if radius <= 0.0 {
            return Err(format!(
                "radius = {radius} is not above 0; where none is known it is null"
            ));
        }
        let detection = Detection::new(self.x, self.y, radius, score);
        let Some(Spread { xx, xy, yy, xr, yr, rr }) = self.covariance else {
            return Ok(detection);
        };
        if xx <= 0.0 || yy <= 0.0 {
            return Err(format!("the variances xx = {xx} and yy = {yy} are not both above 0"));
        }
        Ok(detection.with_covariance(Covariance { xx, xy, xr, yy, yr, rr }))
    }
}

type ByFile = HashMap<String, Result<Vec<Detection>, String>>;

fn answers(place: &str, text: &str, mut known: Known<'_>) -> Result<ByFile, FootageError> {
    let text = text.trim_start_matches('\u{feff}');
    let mut answers = ByFile::new();
    if !text.trim_start().starts_with(['{', '[']) {
        let rows = Rows::read(place, text)?;
        rows.need(&["x", "y"])?;
        for row in rows.iter() {
            let file = known.find(&file_of(&row)?).map_err(|why| row.error(why))?;
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
            serde_json::from_str(line).map_err(|why| {
                error(format!("{why}; one JSON object per line and picture is needed"))
            })?;
        let file = known.find(&file).map_err(error)?;
        let answer = match (failed, detections) {
            (Some(why), _) => Err(why),
            (None, Some(found)) => {
                Ok(found.iter().map(Found::detection).collect::<Result<_, _>>().map_err(error)?)
            }
            (None, None) => return Err(error("neither \"detections\" nor \"error\"".into())),
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
    let covariance = match (row.number("xx")?, row.number("yy")?) {
        (Some(xx), Some(yy)) => Some(Spread {
            xx,
            yy,
            xy: or_zero("xy")?,
            xr: or_zero("xr")?,
            yr: or_zero("yr")?,
            rr: or_zero("rr")?,
        }),
        (None, None) => None,
        _ => return Err(row.error("of the covariance xx and yy are needed, or neither".into())),
    };
    let (x, y, radius) = (row.needed("x")?, row.needed("y")?, radius(row)?);
    let found = Found { x, y, radius, score: row.number("score")?, covariance };
    found.detection().map(Some).map_err(|why| row.error(why))
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
            ("file,x,y,radius\na,1,2,3\n./a,1,2,3\n", "line 3: this ball was there before"),
            ("file,x,y,radius,visible\na,1,2,3,2\n", "visible = 2 is no share"),
            ("file,x,y,radius,bound\na,1,2,3,-1\n", "bound = -1 is not above 0"),
            ("file,x,y,radius\na,1e9,2,3\n", "x = 1e9 is in no picture"),
            ("file;x;y;radius\na;1;2;3\n", "separated by `;`"),
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
        let known = || Known::of(&two);
        let rows = "File,X,y,xx,yy\na.png,4,5,0.1,0.2\n\n ,,,,\na.png,6,7,,\nq\\t\\b.png,,,,\n";
        let rows = answers("f", rows, known()).unwrap();
        let found = rows["s/a.png"].as_ref().unwrap();
        assert_eq!((found.len(), found[0].x, found[1].y), (2, 4.0, 7.0));
        assert_eq!((found[0].score, found[0].radius.is_nan()), (1.0, true));
        assert_eq!(found[0].covariance.into_option().map(|c| [c.xx, c.xy]), Some([0.1, 0.0]));
        assert!(found[1].covariance.is_none() && rows["t/b.png"] == Ok(vec![]));
        let lines = "{\"file\":\"a.png\",\"width\":9,\"detections\":[{\"x\":1.5,\"y\":2,\
                     \"radius\":null,\"score\":0.5}]}\n\n{\"file\":\"b.png\",\"error\":\"dark\"}\n";
        let lines = answers("f", lines, known()).unwrap();
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
            (
                "{\"file\":\"a.png\",\"error\":\"\"}\n{\"file\":\"a.png\",\"error\":\"\"}\n",
                "line 2: this is the second answer",
            ),
            ("{\"file\":\"a.png\",\"detections\":[{\"x\":1}]}\n", "missing field `y`"),
            ("{\"file\":\"a.png\",\"circles\":[]}\n", "neither"),
            ("[{\"file\":\"a.png\"}]", "one JSON object per line"),
            ("file,x,y,radius\na.png,1,2,-5\n", "the cell is empty"),
            ("file,x,y,xx\na.png,1,2,3\n", "or neither"),
            ("file,x,y,xx,yy\na.png,1,2,3,-1\n", "not both above 0"),
            ("file,x,y\na.png,1,2\nv/s/a.png,1,2\n", "line 3: \"a.png\" and \"v/s/a.png\""),
        ] {
            let error = answers("f", text, Known::of(&two)).unwrap_err().to_string();
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }

    #[test]
    fn of_two_names_one_ends_with_the_other() {
        let truth = "file,x,y,radius\na.png,1,2,3\ns/a.png,1,2,3\ns/b.png,1,2,3\nt/b.png,1,2,3\n";
        let footage = footage(truth, "").unwrap();
        let find = |name: &str| Known::of(&footage).find(name);
        assert_eq!(find("/home/me/s/a.png"), Ok("s/a.png"));
        assert_eq!(find("q/a.png"), Ok("a.png"));
        assert_eq!(find("a.png"), Ok("a.png"));
        assert_eq!(find("t/b.png"), Ok("t/b.png"));
        assert!(find("b.png").unwrap_err().contains("may be \"s/b.png\" or \"t/b.png\""));
        assert!(find("q/b.png").unwrap_err().contains("no picture"));
        assert!(find("aa.png").unwrap_err().contains("no picture"));
    }
}
