//! A TOML document whose every value knows its place.

use std::{collections::BTreeMap, fmt::Write as _, ops::Range};

use serde_json::{Map, Value};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// One step from the root towards a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// The steps of a dotted key such as `scene.ball.radius`.
pub(super) fn steps(dotted: &str) -> Vec<Step> {
    dotted.split('.').map(|key| Step::Key(key.to_owned())).collect()
}

/// The dotted form of `path`, for people.
pub(super) fn dotted(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        let _ = match step {
            Step::Key(key) if text.is_empty() => write!(text, "{key}"),
            Step::Key(key) => write!(text, ".{key}"),
            Step::Index(index) => write!(text, "[{index}]"),
        };
    }
    text
}

/// A value that came from the command line.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) path: Vec<Step>,
    pub(super) origin: String,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Byte ranges in the file: the key's (absent in arrays) and the value's.
    File { key: Option<Range<usize>>, value: Range<usize> },
    /// An argument of the command line, as the user wrote it.
    Argument(String),
    /// Nowhere: a default.
    Default,
}

/// Byte range and message of a syntax error.
pub(super) type SyntaxError = (Option<Range<usize>>, String);

/// A parsed document with the overrides laid over it.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) value: Value,
    places: Node,
    given: Vec<Given>,
}

/// The shape of the file: where each key and value stands.
#[derive(Debug, Clone)]
enum Node {
    Leaf,
    Table(BTreeMap<String, (Range<usize>, Range<usize>, Node)>),
    Array(Vec<(Range<usize>, Node)>),
}

impl Document {
    pub(super) fn parse(text: &str) -> Result<Self, SyntaxError> {
        let table =
            DeTable::parse(text).map_err(|e| (e.span(), e.message().trim_end().to_owned()))?;
        let (places, value) = read_table(table.get_ref())?;
        Ok(Self { value, places, given: Vec::new() })
    }

    /// Sets `path` to `value`; a table on the way is made where there is none.
    pub(super) fn set(&mut self, path: Vec<Step>, value: Value, origin: String) {
        let mut node = &mut self.value;
        for step in &path {
            let Step::Key(key) = step else { continue };
            if !node.is_object() {
                *node = Value::Object(Map::new());
            }
            let Value::Object(map) = node else { unreachable!("made an object above") };
            node = map.entry(key.clone()).or_insert(Value::Null);
        }
        *node = value;
        self.given.push(Given { path, origin });
    }

    /// Where the value at `path` (or the nearest table around it) came from.
    pub(super) fn place(&self, path: &[Step]) -> Place {
        let given = self.given.iter().rev().find(|g| path.starts_with(&g.path));
        if let Some(given) = given {
            return Place::Argument(given.origin.clone());
        }
        let mut place = Place::Default;
        let mut node = &self.places;
        for step in path {
            match (step, node) {
                (Step::Key(name), Node::Table(table)) if table.contains_key(name) => {
                    let (key, value, next) = &table[name];
                    place = Place::File { key: Some(key.clone()), value: value.clone() };
                    node = next;
                }
                (Step::Index(index), Node::Array(items)) if *index < items.len() => {
                    let (value, next) = &items[*index];
                    place = Place::File { key: None, value: value.clone() };
                    node = next;
                }
                _ => break,
            }
        }
        place
    }
}

fn read_table(table: &DeTable<'_>) -> Result<(Node, Value), SyntaxError> {
    let (mut places, mut values) = (BTreeMap::new(), Map::new());
    for (key, value) in table {
        let (node, json) = read_value(value)?;
        let name = key.get_ref().to_string();
        places.insert(name.clone(), (key.span(), value.span(), node));
        values.insert(name, json);
    }
    Ok((Node::Table(places), Value::Object(values)))
}

fn read_value(value: &Spanned<DeValue<'_>>) -> Result<(Node, Value), SyntaxError> {
    let wrong = |message: String| (Some(value.span()), message);
    let leaf = match value.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map(Value::from)
            .map_err(|_| wrong(format!("{integer} does not fit into 64 bits")))?,
        DeValue::Float(float) => float
            .as_str()
            .parse()
            .ok()
            .and_then(serde_json::Number::from_f64)
            .map(Value::Number)
            .ok_or_else(|| wrong(format!("{float} is not a finite number")))?,
        DeValue::Array(items) => {
            let (mut places, mut values) = (Vec::new(), Vec::new());
            for item in items {
                let (node, json) = read_value(item)?;
                places.push((item.span(), node));
                values.push(json);
            }
            return Ok((Node::Array(places), Value::Array(values)));
        }
        DeValue::Table(table) => return read_table(table),
    };
    Ok((Node::Leaf, leaf))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_knows_its_place() {
        let text = "[a]\nb = 1\nc = [2, 3]\n";
        let doc = Document::parse(text).unwrap();
        let Place::File { key, value } = doc.place(&steps("a.b")) else { panic!() };
        assert_eq!((&text[key.unwrap()], &text[value]), ("b", "1"));
        let path = [steps("a.c"), vec![Step::Index(1)]].concat();
        let Place::File { value, .. } = doc.place(&path) else { panic!() };
        assert_eq!(&text[value], "3");
        assert_eq!(doc.place(&steps("x")), Place::Default);
    }

    #[test]
    fn an_override_wins_and_is_remembered() {
        let mut doc = Document::parse("[a]\nb = 1\n").unwrap();
        doc.set(steps("a.b"), Value::from(2), "-c a.b=2".into());
        doc.set(steps("n.e.w"), Value::from(3), "-c n.e.w=3".into());
        assert_eq!(doc.value, serde_json::json!({"a": {"b": 2}, "n": {"e": {"w": 3}}}));
        assert_eq!(doc.place(&steps("a.b")), Place::Argument("-c a.b=2".into()));
    }

    #[test]
    fn numbers_that_json_cannot_hold_are_refused_where_they_stand() {
        let (span, message) = Document::parse("a = nan").unwrap_err();
        assert_eq!((span, message.as_str()), (Some(4..7), "nan is not a finite number"));
        assert_eq!(Document::parse("a = 0x1F").unwrap().value["a"], 31);
        assert_eq!(Document::parse("a = 1_000.5").unwrap().value["a"], 1000.5);
    }
}
