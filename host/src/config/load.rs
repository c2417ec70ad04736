//! Reading, overriding, checking: from a file and arguments to a [`Config`].

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde_json::{Map, Value};

use super::{
    Config,
    document::{Document, Place, Step, steps},
    problem::{Problem, problems},
};

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "config.toml";

/// A key that the command line sets.
#[derive(Debug, Clone)]
pub struct Override {
    path: Vec<Step>,
    value: Value,
    origin: String,
}

impl Override {
    /// Sets `key` (dotted) to `value`; `origin` is the argument as the user wrote it.
    pub fn new(key: &str, value: impl Into<Value>, origin: impl Into<String>) -> Self {
        Self { path: steps(key), value: value.into(), origin: origin.into() }
    }

    /// Sets `key` in `[plugin.<name>]`.
    pub fn of_plugin(name: &str, key: &str, value: Value, origin: impl Into<String>) -> Self {
        let path = ["plugin", name, key].map(|step| Step::Key(step.to_owned())).to_vec();
        Self { path, value, origin: origin.into() }
    }

    /// Parses the argument of `-c`: `KEY=VALUE`, with [`value`].
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when there is no `=` or no key.
    pub fn parse(argument: &str) -> Result<Self, ConfigError> {
        let split = argument.split_once('=').map(|(k, v)| (k.trim(), v.trim()));
        let Some((key, text)) = split.filter(|(k, _)| !k.split('.').any(str::is_empty)) else {
            return Err(ConfigError::new(format!(
                "error: `-c {argument}` is not of the form KEY=VALUE, for example -c scene.seed=7\n"
            )));
        };
        Ok(Self { path: steps(key), value: value(text), origin: format!("-c {argument}") })
    }
}

/// A value on the command line: TOML, a number that begins or ends with its point, or else
/// the text as a string, so that quotes can be left out.
pub fn value(text: &str) -> Value {
    Document::parse(&format!("v = {text}"))
        .ok()
        .filter(|doc| doc.value.as_object().is_some_and(|o| o.len() == 1))
        .map(|doc| doc.value["v"].clone())
        .or_else(|| number(text))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

/// A number without a digit on one side of its point, which TOML does not know.
fn number(text: &str) -> Option<Value> {
    let digits = text.trim_start_matches(['-', '+']);
    (digits.starts_with('.') || digits.ends_with('.'))
        .then(|| text.parse().ok().and_then(serde_json::Number::from_f64))
        .flatten()
        .map(Value::Number)
}

/// A configuration that cannot be used, with every problem in it spelt out.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{report}")]
pub struct ConfigError {
    report: String,
}

impl ConfigError {
    fn new(mut report: String) -> Self {
        report.truncate(report.trim_end().len());
        Self { report }
    }
}

impl ConfigError {
    /// The same with more lines behind it.
    #[must_use]
    pub fn followed_by(mut self, lines: &str) -> Self {
        if !lines.is_empty() {
            self.report.push('\n');
            self.report.push_str(lines.trim_end());
        }
        self
    }
}

/// A checked configuration and the document it came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    document: Document,
    file: Option<PathBuf>,
    text: String,
}

/// Reads `file` (or `config.toml`, or nothing when there is none), lays
/// `overrides` over it, and checks the whole.
///
/// # Errors
///
/// [`ConfigError`] with every problem: file, line, column, what is allowed.
pub fn load(file: Option<&Path>, overrides: &[Override]) -> Result<Loaded, ConfigError> {
    let default = Path::new(DEFAULT_FILE);
    let file = file.or_else(|| default.is_file().then_some(default));
    let text = match file {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|e| ConfigError::new(format!("error: cannot read {}: {e}", path.display())))?,
        None => String::new(),
    };
    from_text(file, text, overrides)
}

fn from_text(
    file: Option<&Path>,
    text: String,
    overrides: &[Override],
) -> Result<Loaded, ConfigError> {
    let name = file.map(|f| f.display().to_string()).unwrap_or_default();
    let mut document = Document::parse(&text).map_err(|(span, message)| {
        let end = text.len();
        ConfigError::new(in_file(&name, &text, span.unwrap_or(end..end), &message, ""))
    })?;
    for o in overrides {
        document.set(o.path.clone(), o.value.clone(), o.origin.clone());
    }
    let schema = schemars::schema_for!(Config).to_value();
    let mut loaded =
        Loaded { config: Config::default(), document, file: file.map(Path::to_owned), text };
    let found = problems(&schema, &loaded.document.value, &[])
        .map_err(|e| ConfigError::new(format!("error: the schema of the configuration: {e}")))?;
    loaded.refuse(&found)?;
    // What the schema allows, serde accepts; a difference is reported as it is.
    loaded.config = serde_json::from_value(loaded.document.value.clone())
        .map_err(|e| ConfigError::new(format!("error: {name}: {e}")))?;
    loaded.refuse(&addresses(&loaded.config))?;
    if let Some(base) = file.and_then(Path::parent) {
        for path in &mut loaded.config.plugins.paths {
            *path = base.join(&path);
        }
    }
    Ok(loaded)
}

/// What a schema cannot say well: an address needs a port, and there are 65,536 of them.
fn addresses(config: &Config) -> Vec<Problem> {
    let signaling = &config.signaling;
    let given =
        [("signaling.listen", &signaling.listen), ("signaling.connect", &signaling.connect)];
    let has_port = |address: &str| {
        address
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
    };
    let wrong = given.into_iter().filter(|(_, address)| !has_port(address));
    wrong
        .map(|(key, address)| Problem {
            path: steps(key),
            at_key: false,
            title: format!("`{key}` cannot be {address:?}"),
            label: "must be ADDRESS:PORT, such as 127.0.0.1:8080; a port is at most 65535".into(),
        })
        .collect()
}

impl Loaded {
    /// `[plugin.<name>]` with `overrides` of that table laid over it, checked against the
    /// schema of the plugin.
    ///
    /// # Errors
    ///
    /// As of [`Self::plugin_config`].
    pub fn plugin_config_with(
        &self,
        name: &str,
        schema: &Value,
        overrides: &[Override],
    ) -> Result<Value, ConfigError> {
        let mut own = self.clone();
        for o in overrides {
            own.document.set(o.path.clone(), o.value.clone(), o.origin.clone());
        }
        if let Some(Value::Object(table)) = own.document.value["plugin"].get(name) {
            own.config.plugin.insert(name.to_owned(), table.clone());
        }
        own.plugin_config(name, schema)
    }

    /// Checks `[plugin.<name>]` against the schema of that plugin and returns
    /// it (an empty table when there is none).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every problem, at its line.
    pub fn plugin_config(&self, name: &str, schema: &Value) -> Result<Value, ConfigError> {
        let table = Value::Object(self.config.plugin.get(name).cloned().unwrap_or_else(Map::new));
        let place = [Step::Key("plugin".into()), Step::Key(name.into())];
        let found = problems(schema, &table, &place).map_err(|e| {
            ConfigError::new(format!("error: plugin {name} ships a broken JSON Schema: {e}"))
        })?;
        self.refuse(&found)?;
        Ok(table)
    }

    /// An error about the value of `key` (dotted): what is wrong, what would be right.
    pub fn error(
        &self,
        key: &str,
        title: impl Into<String>,
        label: impl Into<String>,
    ) -> ConfigError {
        let problem =
            Problem { path: steps(key), at_key: false, title: title.into(), label: label.into() };
        ConfigError::new(self.render(&problem))
    }

    fn refuse(&self, problems: &[Problem]) -> Result<(), ConfigError> {
        if problems.is_empty() {
            return Ok(());
        }
        let report: Vec<String> = problems.iter().map(|p| self.render(p)).collect();
        Err(ConfigError::new(report.join("\n")))
    }

    fn render(&self, problem: &Problem) -> String {
        let Problem { title, label, .. } = problem;
        match self.document.place(&problem.path) {
            Place::File { key, value } => {
                let span = if problem.at_key { key.unwrap_or(value) } else { value };
                let name = self.file.as_ref().map(|f| f.display().to_string()).unwrap_or_default();
                in_file(&name, &self.text, span, title, label)
            }
            Place::Argument(origin) => {
                format!("error: {title}\n  in the argument `{origin}`: {label}\n")
            }
            Place::Default => format!("error: {title}: {label}\n"),
        }
    }
}

fn in_file(name: &str, text: &str, span: Range<usize>, title: &str, label: &str) -> String {
    let annotation = AnnotationKind::Primary.span(clip(text, span));
    let annotation = if label.is_empty() { annotation } else { annotation.label(label) };
    let snippet = Snippet::source(text).path(name).annotation(annotation);
    let report = [Level::ERROR.primary_title(title).element(snippet)];
    Renderer::plain().render(&report) + "\n"
}

// A table's value can span many lines; the first is enough to find it.
fn clip(text: &str, span: Range<usize>) -> Range<usize> {
    let start = span.start.min(text.len());
    let end = span.end.clamp(start, text.len());
    match text[start..end].find('\n') {
        Some(line) => start..start + line,
        None => start..end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, overrides: &[&str]) -> String {
        let overrides: Vec<_> = overrides.iter().map(|o| Override::parse(o).unwrap()).collect();
        from_text(Some(Path::new("c.toml")), text.into(), &overrides).unwrap_err().to_string()
    }

    fn assert_says(report: &str, parts: &[&str]) {
        for part in parts {
            assert!(report.contains(part), "`{part}` is missing in:\n{report}");
        }
    }

    #[test]
    fn a_misspelt_key_has_its_place_and_a_suggestion() {
        let report = refused("[server]\nmax_in_flght = 3\n", &[]);
        assert_says(
            &report,
            &[
                "c.toml:2:1",
                "unknown key `max_in_flght` in [server]",
                "^^^^^^^^^^^^ did you mean `max_in_flight`?",
            ],
        );
    }

    #[test]
    fn an_unknown_section_is_named() {
        assert_says(
            &refused("[sever]\n", &[]),
            &["c.toml:1:2", "`sever`", "did you mean `server`?"],
        );
    }

    #[test]
    fn a_wrong_type_says_what_was_found_and_what_is_right() {
        let report = refused("[server]\nframes = \"ten\"\n", &[]);
        assert_says(&report, &["c.toml:2:10", "\"ten\" is a string, expected an integer"]);
    }

    #[test]
    fn a_value_out_of_range_says_the_range() {
        let report = refused("[server]\nmax_in_flight = 0\n", &[]);
        assert_says(&report, &["c.toml:2:17", "must be at least 1 and at most 1024"]);
    }

    #[test]
    fn a_wrong_choice_lists_the_choices() {
        let report = refused("[client]\npolicy = \"lates\"\n", &[]);
        assert_says(&report, &["c.toml:2:10", "did you mean \"latest\"?", "\"every-frame\""]);
    }

    #[test]
    fn an_address_needs_a_port_that_exists() {
        let report = refused("[signaling]\nlisten = \"here:99999\"\n", &["signaling.connect=nas"]);
        assert_says(&report, &["c.toml:2:10", "`signaling.listen`", "-c signaling.connect=nas"]);
        let fine = Override::parse("signaling.connect=[::1]:80").unwrap();
        assert!(from_text(None, String::new(), &[fine]).is_ok());
    }

    #[test]
    fn a_syntax_error_has_its_place() {
        assert_says(&refused("[server\nframes = 1\n", &[]), &["c.toml:1:8"]);
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let report = refused("[server]\nframes = -1\nfoo = 2\n[client]\nqueue = 1000\n", &[]);
        assert_says(&report, &["c.toml:2:10", "c.toml:3:1", "c.toml:5:9"]);
    }

    #[test]
    fn a_number_may_begin_or_end_with_its_point() {
        for (text, number) in [(".2", 0.2), ("-.5", -0.5), ("3.", 3.0), ("+.25", 0.25)] {
            assert_eq!(value(text), serde_json::json!(number), "{text}");
        }
        for text in [".", "", "a.", ".so", "1.2.", "..", "./x"] {
            assert_eq!(value(text), serde_json::json!(text));
        }
    }

    #[test]
    fn a_bad_argument_is_shown_as_it_was_written() {
        let report = refused("", &["server.frames=many"]);
        assert_says(
            &report,
            &["-c server.frames=many", "\"many\" is a string, expected an integer"],
        );
    }

    #[test]
    fn arguments_win_over_the_file_and_need_no_quotes() {
        let set = ["client.detector=other", "server.frames=5"].map(|o| Override::parse(o).unwrap());
        let loaded = from_text(None, "[server]\nframes = 1\n".into(), &set).unwrap();
        assert_eq!(loaded.config.server.frames, 5);
        assert_eq!(loaded.config.client.detector, "other");
        assert!(Override::parse("server.frames").is_err());
        assert!(Override::parse("server..frames=1").is_err());
    }

    #[test]
    fn a_plugins_table_is_checked_against_its_schema() {
        let text = "[plugin.demo]\nthreshold = 300\n";
        let loaded = from_text(Some(Path::new("c.toml")), text.into(), &[]).unwrap();
        let schema = serde_json::json!({
            "type": "object",
            "properties": {"threshold": {"type": "integer", "minimum": 0, "maximum": 255}},
            "additionalProperties": false,
        });
        let report = loaded.plugin_config("demo", &schema).unwrap_err().to_string();
        assert_says(&report, &["c.toml:2:13", "`plugin.demo.threshold`", "at most 255"]);
        assert_eq!(loaded.plugin_config("other", &schema).unwrap(), serde_json::json!({}));
    }
}
