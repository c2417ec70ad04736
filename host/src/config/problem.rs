//! Violations of a JSON Schema, in words: what is wrong, and what would be right.

use jsonschema::error::{ValidationError, ValidationErrorKind};
use jsonschema::paths::{Location, LocationSegment};
use serde_json::Value;

use super::document::{Step, dotted};

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) path: Vec<Step>,
    /// Whether the key itself is wrong, and not its value.
    pub(super) at_key: bool,
    pub(super) title: String,
    /// What would be right.
    pub(super) label: String,
}

/// Everything in `value`, which stands at `prefix` in the document, that `schema`
/// does not allow.
///
/// # Errors
///
/// The reason when `schema` itself is no JSON Schema.
pub(super) fn problems(
    schema: &Value,
    value: &Value,
    prefix: &[Step],
) -> Result<Vec<Problem>, String> {
    let validator = jsonschema::validator_for(schema).map_err(|e| e.to_string())?;
    let mut found: Vec<Problem> = Vec::new();
    for problem in validator.iter_errors(value).flat_map(|e| explain(schema, value, prefix, &e)) {
        if !found.contains(&problem) {
            found.push(problem);
        }
    }
    Ok(found)
}

fn explain(
    schema: &Value,
    value: &Value,
    prefix: &[Step],
    error: &ValidationError<'_>,
) -> Vec<Problem> {
    let steps = error.instance_path().iter().map(|segment| match segment {
        LocationSegment::Property(name) => Step::Key(name.into_owned()),
        LocationSegment::Index(index) => Step::Index(index),
    });
    let path: Vec<Step> = prefix.iter().cloned().chain(steps).collect();
    if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
        let known = properties(schema, error.schema_path());
        return unexpected.iter().map(|name| unknown_key(&path, name, &known)).collect();
    }
    if matches!(error.kind(), ValidationErrorKind::FalseSchema) {
        // How the validator reports any key of a table that allows none.
        let table = value.pointer(error.instance_path().as_str()).and_then(Value::as_object);
        let keys = table.into_iter().flat_map(|table| table.keys());
        return keys.map(|key| unknown_key(&path, key, &[])).collect();
    }
    let name = if path.is_empty() { "the document".into() } else { dotted(&path) };
    let found = error.instance();
    let (title, label) = match error.kind() {
        // TOML has no null; it stands for what JSON cannot hold.
        ValidationErrorKind::Type { .. } if found.is_null() => {
            (format!("`{name}` cannot be that"), "must be a finite number".into())
        }
        ValidationErrorKind::Type { kind } => (
            format!("`{name}` has the wrong type"),
            format!("{found} is {}, expected {}", type_name(found), expected_type(kind)),
        ),
        ValidationErrorKind::Minimum { limit }
        | ValidationErrorKind::Maximum { limit }
        | ValidationErrorKind::ExclusiveMinimum { limit }
        | ValidationErrorKind::ExclusiveMaximum { limit } => (
            format!("`{name}` is out of range"),
            range(schema, error.schema_path())
                .unwrap_or_else(|| format!("{} of {limit}", error.kind().keyword())),
        ),
        ValidationErrorKind::Enum { options } => choice(&name, found, &as_strings(options)),
        ValidationErrorKind::Constant { expected_value } => {
            choice(&name, found, &as_strings(expected_value))
        }
        ValidationErrorKind::OneOfNotValid { .. } | ValidationErrorKind::AnyOf { .. } => {
            match constants(schema, error.schema_path()) {
                options if options.is_empty() => (
                    format!("`{name}` is not one of the forms that are allowed"),
                    error.to_string(),
                ),
                options => choice(&name, found, &options),
            }
        }
        ValidationErrorKind::Required { property } => {
            (format!("`{name}` lacks the key {property}"), format!("add {property} here"))
        }
        _ => (format!("`{name}` is not allowed"), error.to_string()),
    };
    vec![Problem { path, at_key: false, title, label }]
}

fn unknown_key(path: &[Step], name: &str, known: &[String]) -> Problem {
    let section = dotted(path);
    let title = if section.is_empty() {
        format!("unknown section or key `{name}`")
    } else {
        format!("unknown key `{name}` in [{section}]")
    };
    let label = match suggestion(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "no keys are allowed here".into(),
        None => format!("known keys: {}", known.join(", ")),
    };
    let path = [path, &[Step::Key(name.to_owned())]].concat();
    Problem { path, at_key: true, title, label }
}

fn choice(name: &str, found: &Value, options: &[String]) -> (String, String) {
    let near = found.as_str().and_then(|f| suggestion(f, options.iter().map(String::as_str)));
    let list = options.iter().map(|o| format!("\"{o}\"")).collect::<Vec<_>>().join(", ");
    let label = match near {
        Some(near) => format!("did you mean \"{near}\"? allowed: {list}"),
        None => format!("allowed: {list}"),
    };
    (format!("`{name}` cannot be {found}"), label)
}

/// The candidate that `word` is most likely a misspelling of.
pub(crate) fn suggestion<'a>(
    word: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .map(|c| (strsim::normalized_damerau_levenshtein(&word.to_lowercase(), c), c))
        .filter(|(similarity, _)| *similarity >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, c)| c)
}

/// The part of the schema that the failing keyword stands in, references followed.
fn enclosing<'a>(schema: &'a Value, keyword: &Location) -> Option<&'a Value> {
    let pointer = keyword.as_str();
    let mut node = schema;
    let parts: Vec<&str> = pointer.split('/').skip(1).collect();
    for part in &parts[..parts.len().saturating_sub(1)] {
        if *part == "$ref" {
            node = follow(schema, node)?;
            continue;
        }
        let key = part.replace("~1", "/").replace("~0", "~");
        node = match node {
            Value::Array(items) => items.get(key.parse::<usize>().ok()?)?,
            other => other.get(&key)?,
        };
    }
    Some(node)
}

fn follow<'a>(schema: &'a Value, node: &Value) -> Option<&'a Value> {
    schema.pointer(node.get("$ref")?.as_str()?.strip_prefix('#')?)
}

fn properties(schema: &Value, keyword: &Location) -> Vec<String> {
    enclosing(schema, keyword)
        .and_then(|s| s.get("properties")?.as_object())
        .map(|p| p.keys().cloned().collect())
        .unwrap_or_default()
}

fn constants(schema: &Value, keyword: &Location) -> Vec<String> {
    let Some(node) = enclosing(schema, keyword) else { return Vec::new() };
    let variants = ["oneOf", "anyOf"].iter().filter_map(|k| node.get(*k)?.as_array()).flatten();
    variants
        .map(|variant| follow(schema, variant).unwrap_or(variant))
        .flat_map(|variant| {
            let one = variant.get("const").map(as_strings).unwrap_or_default();
            let many = variant.get("enum").map(as_strings).unwrap_or_default();
            let nested = variant.get("oneOf").and_then(Value::as_array).into_iter().flatten();
            let nested = nested.filter_map(|v| v.get("const")).flat_map(as_strings);
            [one, many, nested.collect()].concat()
        })
        .collect()
}

fn range(schema: &Value, keyword: &Location) -> Option<String> {
    let node = enclosing(schema, keyword)?;
    let get = |key: &str| node.get(key).map(ToString::to_string);
    let low = get("minimum")
        .map(|v| format!("at least {v}"))
        .or_else(|| get("exclusiveMinimum").map(|v| format!("more than {v}")));
    let high = get("maximum")
        .map(|v| format!("at most {v}"))
        .or_else(|| get("exclusiveMaximum").map(|v| format!("less than {v}")));
    match (low, high) {
        (Some(low), Some(high)) => Some(format!("must be {low} and {high}")),
        (low, high) => low.or(high).map(|bound| format!("must be {bound}")),
    }
}

fn as_strings(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(as_strings).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Null => Vec::new(),
        other => vec![other.to_string()],
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(n) if n.is_f64() => "a number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "a table",
    }
}

fn expected_type(kind: &jsonschema::error::TypeKind) -> String {
    use jsonschema::error::TypeKind;
    let names: Vec<String> = match kind {
        TypeKind::Single(one) => vec![one.to_string()],
        TypeKind::Multiple(set) => set.iter().map(|t| t.to_string()).collect(),
    };
    let words: Vec<&str> = names
        .iter()
        .filter_map(|name| match name.as_str() {
            "boolean" => Some("a boolean"),
            "integer" => Some("an integer"),
            "number" => Some("a number"),
            "string" => Some("a string"),
            "array" => Some("an array"),
            "object" => Some("a table"),
            _ => None,
        })
        .collect();
    words.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::suggestion;

    #[test]
    fn a_misspelling_gets_a_suggestion_and_a_stranger_does_not() {
        let suggested =
            |word| suggestion(word, ["hough-rust", "hough-opencv", "height"].into_iter());
        assert_eq!(suggested("huogh-rust"), Some("hough-rust"));
        assert_eq!(suggested("Hough-openvc"), Some("hough-opencv"));
        assert_eq!(suggested("heigth"), Some("height"));
        assert_eq!(suggested("yolo"), None);
    }
}
