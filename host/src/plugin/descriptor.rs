//! What a plugin says about itself.

use std::path::PathBuf;

use plumbline_plugin_api::abi::PluginKind;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a plugin is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Finds discs in frames.
    Detector,
    /// Shows frames and scores.
    Display,
}

impl Kind {
    /// The kind that a plugin declares; `None` for one that this host does not know.
    pub(super) fn of(kind: PluginKind) -> Option<Self> {
        [(PluginKind::DETECTOR, Self::Detector), (PluginKind::DISPLAY, Self::Display)]
            .into_iter()
            .find_map(|(declared, ours)| (declared == kind).then_some(ours))
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Detector => "detector",
            Self::Display => "display",
        })
    }
}

/// What a plugin says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Descriptor {
    /// The name by which `config.toml` selects it.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// Its own version.
    pub version: String,
    /// The version of the plugin interface that it was built with.
    pub api_version: String,
    /// One sentence for people.
    pub description: String,
    /// The library that it was loaded from.
    pub path: PathBuf,
    /// The JSON Schema of `[plugin.<name>]`.
    pub schema: Value,
    /// Its configuration where `[plugin.<name>]` says nothing.
    pub default_config: Map<String, Value>,
}

impl Descriptor {
    /// The plugin's whole configuration: `table` (its `[plugin.<name>]`) over its defaults.
    pub fn config(&self, table: Option<&Map<String, Value>>) -> Map<String, Value> {
        let mut config = self.default_config.clone();
        for (key, value) in table.into_iter().flatten() {
            config.insert(key.clone(), value.clone());
        }
        config
    }
}

/// Is `name` one that `config.toml` can select: lower case, digits and single hyphens?
pub(super) fn well_formed_name(name: &str) -> bool {
    !name.is_empty()
        && name.split('-').all(|part| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_words_joined_by_hyphens() {
        for good in ["hough-rust", "a", "2nd-try", "x1-y2-z3"] {
            assert!(well_formed_name(good), "{good}");
        }
        for bad in ["", "-", "a-", "-a", "a--b", "Hough", "hough_rust", "a b", "ä", "a/b"] {
            assert!(!well_formed_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_table_goes_over_the_defaults_key_by_key() {
        let object = |v: Value| v.as_object().unwrap().clone();
        let descriptor = Descriptor {
            name: "x".into(),
            kind: Kind::Detector,
            version: "1".into(),
            api_version: "1.0.0".into(),
            description: String::new(),
            path: "x.so".into(),
            schema: Value::Bool(true),
            default_config: object(serde_json::json!({"a": 1, "b": {"c": 2}})),
        };
        let table = object(serde_json::json!({"b": {"d": 3}}));
        assert_eq!(
            Value::Object(descriptor.config(Some(&table))),
            serde_json::json!({"a": 1, "b": {"d": 3}})
        );
        assert_eq!(descriptor.config(None), descriptor.default_config);
    }
}
