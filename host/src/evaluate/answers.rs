//! What other programs found in pictures: a CSV with a row for every detection, or the
//! lines of JSON that `host detect` prints.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use plumbline_plugin_api::{Covariance, Detection};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    footage::{FARTHEST, Footage, FootageError, Name, Shot, by_frame, plain, radius, read},
    rows::{Row, Rows},
};

/// What another program found in the pictures.
#[derive(Debug, Clone)]
pub struct Answers {
    /// The program.
    pub name: String,
    /// Where the answers are from.
    pub path: PathBuf,
    /// Columns or keys that mean nothing here.
    pub unknown: Vec<String>,
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
        let (by_file, unknown) = answers(&place, &text, Known::of(footage))?;
        Ok(Self { name: name.to_owned(), path: path.to_owned(), unknown, by_file })
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
    of_frame: HashMap<u64, Option<String>>,
    called: HashMap<&'a str, String>,
}

impl<'a> Known<'a> {
    fn of(footage: &'a [Footage]) -> Self {
        let mut pictures: HashMap<&str, Vec<&str>> = HashMap::new();
        for shot in footage.iter().flat_map(|g| &g.shots) {
            pictures.entry(last_part(&shot.file)).or_default().push(&shot.file);
        }
        Self { pictures, of_frame: by_frame(footage), called: HashMap::new() }
    }

    /// The picture of a row.
    fn of_row(&mut self, row: &Row<'_>) -> Result<&'a str, String> {
        match Name::of(row).map_err(|e| e.problem)? {
            Name::File(file) => self.find(&file),
            Name::Frame(n) => match self.of_frame.get(&n).cloned() {
                Some(Some(file)) => self.find(&file),
                Some(None) => Err(format!("several pictures of the truth are frame {n}")),
                None => Err(format!("there is no frame {n} in the truth")),
            },
        }
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

/// What is read of a line of `host detect`.
#[derive(Deserialize)]
struct Line {
    file: String,
    detections: Option<Vec<Found>>,
    error: Option<String>,
}

/// A detection, as `host detect` prints it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Found {
    /// Column of the centre, in pixels.
    pub x: f64,
    /// Row of the centre.
    pub y: f64,
    /// `null` when the detector does not estimate it.
    pub radius: Option<f64>,
    /// The detector's score.
    pub score: Option<f64>,
    /// What the detector says about its error; `null` when it says nothing.
    pub covariance: Option<Spread>,
    /// Keys of other programs.
    #[serde(flatten, skip_serializing)]
    unknown: Map<String, Value>,
}

/// The covariance of (x, y, radius) in square pixels: the upper triangle.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    xx: f64,
    #[serde(default)]
    xy: f64,
    #[serde(default)]
    xr: f64,
    yy: f64,
    #[serde(default)]
    yr: f64,
    #[serde(default)]
    rr: f64,
}

impl From<&Detection> for Found {
    fn from(d: &Detection) -> Self {
        let covariance = d.covariance.into_option().and_then(|covariance| {
            let Covariance { xx, xy, xr, yy, yr, rr } = covariance;
            // JSON has no other numbers.
            let finite = [xx, xy, xr, yy, yr, rr].iter().all(|v| v.is_finite());
            finite.then_some(Spread { xx, xy, xr, yy, yr, rr })
        });
        let radius = (!d.radius.is_nan()).then_some(d.radius);
        Self { x: d.x, y: d.y, radius, score: Some(d.score), covariance, unknown: Map::new() }
    }
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
        let Some(&Spread { xx, xy, yy, xr, yr, rr }) = self.covariance.as_ref() else {
            return Ok(detection);
        };
        if xx <= 0.0 || yy <= 0.0 {
            return Err(format!("the variances xx = {xx} and yy = {yy} are not both above 0"));
        }
        Ok(detection.with_covariance(Covariance { xx, xy, xr, yy, yr, rr }))
    }
}

type ByFile = HashMap<String, Result<Vec<Detection>, String>>;

/// Columns of answers.
const COLUMNS: [&str; 12] =
    ["file", "frame", "x", "y", "radius", "score", "xx", "xy", "yy", "xr", "yr", "rr"];

/// The answers, and what in them means nothing.
fn answers(
    place: &str,
    text: &str,
    mut known: Known<'_>,
) -> Result<(ByFile, Vec<String>), FootageError> {
    let text = text.trim_start_matches('\u{feff}');
    let mut answers = ByFile::new();
    if !text.trim_start().starts_with(['{', '[']) {
        let rows = Rows::read(place, text)?;
        rows.need(&["x", "y"])?;
        for row in rows.iter() {
            let file = known.of_row(&row).map_err(|why| row.error(why))?;
            let found = answers.entry(file.to_owned()).or_insert_with(|| Ok(Vec::new()));
            if let (Some(detection), Ok(found)) = (detection(&row)?, found) {
                found.push(detection);
            }
        }
        return Ok((answers, rows.unknown(&COLUMNS)));
    }
    let mut unknown: Vec<String> = Vec::new();
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let error = |problem| FootageError { place: format!("{place}, line {}", n + 1), problem };
        let Line { file, detections, error: failed } =
            serde_json::from_str(line).map_err(|why| {
                error(format!("{why}; one JSON object per line and picture is needed"))
            })?;
        let file = known.find(&file).map_err(error)?;
        for key in detections.iter().flatten().flat_map(|found| found.unknown.keys()) {
            if !unknown.contains(key) {
                unknown.push(key.clone());
            }
        }
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
    Ok((answers, unknown))
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
    let score = row.number("score")?;
    let found = Found { x, y, radius, score, covariance, unknown: Map::new() };
    found.detection().map(Some).map_err(|why| row.error(why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::footage::tests::footage;

    fn two() -> Vec<Footage> {
        footage("file,x,y,radius\ns/a.png,1,2,3\nt/b.png,1,2,3\n", "").unwrap()
    }

    #[test]
    fn answers_come_as_rows_or_as_lines_of_json() {
        let two = two();
        let known = || Known::of(&two);
        let rows = "File,X,y,xx,yy,raduis\na.png,4,5,0.1,0.2,\n\n ,,,,,\na.png,6,7,,,9\nq\\t\\b.png,,,,,\n";
        let (rows, unknown) = answers("f", rows, known()).unwrap();
        assert_eq!(unknown, ["raduis"]);
        let found = rows["s/a.png"].as_ref().unwrap();
        assert_eq!((found.len(), found[0].x, found[1].y), (2, 4.0, 7.0));
        assert_eq!((found[0].score, found[0].radius.is_nan()), (1.0, true));
        assert_eq!(found[0].covariance.into_option().map(|c| [c.xx, c.xy]), Some([0.1, 0.0]));
        assert!(found[1].covariance.is_none() && rows["t/b.png"] == Ok(vec![]));
        let lines = "{\"file\":\"a.png\",\"width\":9,\"detections\":[{\"x\":1.5,\"y\":2,\
                     \"radius\":null,\"score\":0.5,\"label\":1}]}\n\n{\"file\":\"b.png\",\"error\":\"dark\"}\n";
        let (lines, unknown) = answers("f", lines, known()).unwrap();
        assert_eq!(unknown, ["label"]);
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

    #[test]
    fn the_number_of_a_frame_is_that_of_the_truth() {
        let truth = "file,frame,x,y,radius\nimg1.png,0,1,2,3\nimg0.png,1,1,2,3\n\
                     a.png,7,1,2,3\nb.png,7,1,2,3\n";
        let footage = footage(truth, "").unwrap();
        let answers = |text: &str| answers("f", text, Known::of(&footage));
        let (by_file, _) = answers("frame,x,y\n0,4,5\n").unwrap();
        assert_eq!(by_file.keys().collect::<Vec<_>>(), ["img1.png"]);
        for (n, said) in [(7, "several pictures of the truth are frame 7"), (3, "no frame 3")] {
            let error = answers(&format!("frame,x,y\n{n},4,5\n")).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
