//! CSV with named columns, and errors that say where.

use csv::{ReaderBuilder, StringRecord, Trim};

use super::footage::{FARTHEST, FootageError};

/// A table.
#[derive(Debug, Default)]
pub(super) struct Rows {
    place: String,
    header: StringRecord,
    /// With their lines.
    records: Vec<(usize, StringRecord)>,
}

/// A row of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    table: &'a Rows,
    line: usize,
    record: &'a StringRecord,
}

impl Rows {
    /// Reads a table that is at `place`.
    pub(super) fn read(place: &str, text: &str) -> Result<Self, FootageError> {
        let error = |problem: String| FootageError { place: place.to_owned(), problem };
        let text = text.trim_start_matches('\u{feff}');
        let mut reader =
            ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(text.as_bytes());
        let header = reader.headers().map_err(|why| error(why.to_string()))?;
        let header: StringRecord = header.iter().map(str::to_lowercase).collect();
        for (n, name) in header.iter().enumerate() {
            if header.iter().take(n).any(|earlier| earlier == name) {
                return Err(error(format!("there are two columns `{name}`")));
            }
        }
        let mut records = Vec::new();
        let (mut line, mut seen) = (1, 0);
        for record in reader.records() {
            let record = record.map_err(|why| error(why.to_string()))?;
            // The place of a record is before the empty lines that it follows.
            let from = record.position().map_or(seen, |p| p.byte() as usize);
            let rest = text.get(from..).unwrap_or_default();
            let start = from + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
            line += text.get(seen..start).map_or(0, |text| text.matches('\n').count());
            seen = start;
            if record.iter().all(str::is_empty) {
                continue;
            }
            if record.len() != header.len() {
                return Err(FootageError {
                    place: format!("{place}, line {line}"),
                    problem: format!(
                        "{} cells, where the header has {}",
                        record.len(),
                        header.len()
                    ),
                });
            }
            records.push((line, record));
        }
        Ok(Self { place: place.to_owned(), header, records })
    }

    /// Sees that these columns are there.
    pub(super) fn need(&self, names: &[&str]) -> Result<(), FootageError> {
        let missing = names.iter().find(|name| !self.header.iter().any(|h| h == **name));
        let Some(name) = missing else { return Ok(()) };
        let columns: Vec<&str> = self.header.iter().collect();
        let other = [";", "\t"].into_iter().find(|s| columns.len() == 1 && columns[0].contains(s));
        Err(self.error(match (other, columns.as_slice()) {
            (Some(separator), _) => format!(
                "the columns are separated by `{}`; commas are needed",
                separator.escape_debug()
            ),
            (None, []) => format!("there is no column `{name}`; the file is empty"),
            (None, columns) => format!(
                "there is no column `{name}`; file (or frame), {} are needed, and there are {}",
                names.join(", "),
                columns.join(", ")
            ),
        }))
    }

    /// The columns that are none of these.
    pub(super) fn unknown(&self, known: &[&str]) -> Vec<String> {
        self.header.iter().filter(|name| !known.contains(name)).map(str::to_owned).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.records.iter().map(|(line, record)| Row { table: self, line: *line, record })
    }

    pub(super) fn error(&self, problem: String) -> FootageError {
        FootageError { place: self.place.clone(), problem }
    }
}

impl<'a> Row<'a> {
    /// What stands in a column; `None` for nothing, or where there is no such column.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let column = self.table.header.iter().position(|h| h == name)?;
        self.record.get(column).filter(|text| !text.is_empty())
    }

    /// A finite number.
    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, FootageError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => Err(self.error(format!("{name} = {text:?} is not a number"))),
        }
    }

    /// A number from 0 up.
    pub(super) fn whole(&self, name: &str) -> Result<Option<u64>, FootageError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let wrong = |_| self.error(format!("{name} = {text:?} is not a whole number from 0 up"));
        text.parse().map(Some).map_err(wrong)
    }

    /// A place or a length, in pixels.
    pub(super) fn place(&self, name: &str) -> Result<Option<f64>, FootageError> {
        match self.number(name)? {
            Some(v) if v.abs() > FARTHEST => {
                let text = self.text(name).unwrap_or_default();
                Err(self.error(format!("{name} = {text} is in no picture")))
            }
            v => Ok(v),
        }
    }

    /// A place that must be there.
    pub(super) fn needed(&self, name: &str) -> Result<f64, FootageError> {
        self.place(name)?.ok_or_else(|| self.error(format!("{name} is missing")))
    }

    pub(super) fn error(&self, problem: String) -> FootageError {
        FootageError { place: format!("{}, line {}", self.table.place, self.line), problem }
    }
}
