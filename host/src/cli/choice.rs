//! A detector as the command line names it, with settings of its own.

use std::{convert::Infallible, path::Path, str::FromStr};

use serde_json::{Map, Value};

use super::{options::UsageError, plugins};
use crate::{
    config::{self, Loaded, Override},
    plugin::{Catalog, Descriptor, Plugin},
};

/// `NAME|PATH[:KEY=VALUE]...`: a detector, and settings that lie over its
/// `[plugin.<name>]`. A value is TOML, a number that begins or ends with its point, or a
/// string without its quotes; a colon that is not followed by a key and `=` is part of what
/// stands before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    given: String,
    plugin: String,
    settings: Vec<(String, Value)>,
}

/// A detector that was loaded, with its checked configuration.
pub struct Chosen {
    /// The detector.
    pub plugin: Plugin,
    /// What the user set, here or in `[plugin.<name>]`.
    pub table: Map<String, Value>,
    /// Its declared name and the settings that it was chosen with.
    pub label: String,
    /// The argument.
    pub given: String,
}

impl From<&str> for Choice {
    fn from(given: &str) -> Self {
        let mut parts: Vec<String> = Vec::new();
        for part in given.split(':') {
            match parts.last_mut() {
                Some(last) if !is_setting(part) => *last = format!("{last}:{part}"),
                _ => parts.push(part.to_owned()),
            }
        }
        let mut parts = parts.into_iter();
        let plugin = parts.next().unwrap_or_default();
        let setting = |part: String| {
            let (key, text) = part.split_once('=')?;
            Some((key.to_owned(), config::value(text)))
        };
        Self { given: given.to_owned(), plugin, settings: parts.filter_map(setting).collect() }
    }
}

impl FromStr for Choice {
    type Err = Infallible;

    fn from_str(given: &str) -> Result<Self, Infallible> {
        Ok(given.into())
    }
}

/// A list of [`Choice`]s with commas between them; those within brackets or quotes belong to
/// a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Choices(pub Vec<Choice>);

impl FromStr for Choices {
    type Err = Infallible;

    fn from_str(given: &str) -> Result<Self, Infallible> {
        let (mut depth, mut quoted) = (0_i32, false);
        let split = given.split(|c| {
            match c {
                '"' => quoted = !quoted,
                '[' | '{' if !quoted => depth += 1,
                ']' | '}' if !quoted => depth -= 1,
                _ => {}
            }
            c == ',' && depth <= 0 && !quoted
        });
        Ok(Self(split.map(|part| Choice::from(part.trim())).collect()))
    }
}

/// Whether this is a key, `=` and anything.
fn is_setting(part: &str) -> bool {
    part.split_once('=').is_some_and(|(key, _)| {
        !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-".contains(c))
    })
}

fn misplaced(given: &str, setting: &str) -> UsageError {
    UsageError(format!(
        "{given}: {setting} is a setting; those stand behind a detector, each after a colon: \
         NAME:{setting}"
    ))
}

impl Choice {
    /// Loads the detector and checks its settings.
    ///
    /// # Errors
    ///
    /// When there is no such detector, or a setting is not one of its own.
    pub fn load(&self, loaded: &Loaded, catalog: &Catalog) -> anyhow::Result<Chosen> {
        self.check_name()?;
        self.configure(catalog.load_detector(&self.plugin)?, loaded)
    }

    /// What is no setting counts as part of the name, and no plugin has such a name.
    ///
    /// # Errors
    ///
    /// When there is a colon in the name or it is a setting, and no such file.
    pub fn check_name(&self) -> Result<(), UsageError> {
        if Path::new(&self.plugin).exists() {
            return Ok(());
        }
        if is_setting(&self.plugin) {
            return Err(misplaced(&self.given, &self.plugin));
        }
        match self.plugin.split_once(':') {
            Some((_, rest)) => Err(UsageError(format!(
                "{}: {rest:?} is no setting; settings are KEY=VALUE with a colon before each",
                self.given
            ))),
            None => Ok(()),
        }
    }

    /// The name or path of the detector, without the settings.
    pub fn plugin(&self) -> &str {
        &self.plugin
    }

    /// Checks the settings for a `plugin` that was loaded already.
    ///
    /// # Errors
    ///
    /// When a setting is not one of its own.
    pub fn configure(&self, plugin: Plugin, loaded: &Loaded) -> anyhow::Result<Chosen> {
        let (table, label) = self.table(plugin.descriptor(), loaded)?;
        Ok(Chosen { plugin, table, label, given: self.given.clone() })
    }

    /// A setting of the plugin that a comma parts from the text before it. A text may have
    /// commas, but without quotes hardly a known setting behind one.
    fn behind_a_comma<'a>(&self, text: &'a str, descriptor: &Descriptor) -> Option<&'a str> {
        let known = &descriptor.schema["properties"];
        let is_known = |(key, _): (&str, &str)| known.get(key).is_some();
        let mut parts = text.split(',').skip(1).map(str::trim);
        parts.find(|part| part.split_once('=').is_some_and(is_known) && !self.given.contains('"'))
    }

    /// `[plugin.<name>]` with the settings over it, checked, and the name with the settings.
    ///
    /// # Errors
    ///
    /// When a setting is not one of the plugin's own.
    pub fn table(
        &self,
        descriptor: &Descriptor,
        loaded: &Loaded,
    ) -> anyhow::Result<(Map<String, Value>, String)> {
        let mut label = descriptor.name.clone();
        let mut overrides = Vec::new();
        for (n, (key, value)) in self.settings.iter().enumerate() {
            if self.settings[..n].iter().any(|(earlier, _)| earlier == key) {
                return Err(UsageError(format!("{}: {key} is set twice", self.given)).into());
            }
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if let Some(other) = self.behind_a_comma(&text, descriptor) {
                return Err(misplaced(&self.given, other).into());
            }
            label = format!("{label}:{key}={text}");
            overrides.push(Override::of_plugin(
                &descriptor.name,
                key,
                value.clone(),
                self.given.clone(),
            ));
        }
        Ok((plugins::table_with(loaded, descriptor, &overrides)?, label))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn split(text: &str) -> (String, Vec<(String, Value)>) {
        let Choice { plugin, settings, .. } = text.into();
        (plugin, settings)
    }

    #[test]
    fn settings_follow_the_name() {
        assert_eq!(split("hough-rust"), ("hough-rust".into(), vec![]));
        let (plugin, settings) = split("./x.so:method=gradient-alt:dp=1.5:on=true:label=\"7\"");
        assert_eq!(plugin, "./x.so");
        let found: Vec<_> = settings.iter().map(|(k, v)| (k.as_str(), v.clone())).collect();
        assert_eq!(
            found,
            [
                ("method", json!("gradient-alt")),
                ("dp", json!(1.5)),
                ("on", json!(true)),
                ("label", json!("7"))
            ]
        );
    }

    #[test]
    fn a_comma_within_a_value_does_not_end_it() {
        let Choices(list) = "a:on=[1,2]:t=\"x,]y\",b,./c.so:k=1".parse().unwrap();
        let given: Vec<_> = list.iter().map(|c| c.given.as_str()).collect();
        assert_eq!(given, ["a:on=[1,2]:t=\"x,]y\"", "b", "./c.so:k=1"]);
        assert_eq!(list[0].settings[0].1, json!([1, 2]));
        assert_eq!(list[0].settings[1].1, json!("x,]y"));
    }

    #[test]
    fn spaces_around_a_comma_belong_to_no_name() {
        let Choices(list) = " a, b:k=1 ".parse().unwrap();
        let plugins: Vec<_> = list.iter().map(|c| c.plugin.as_str()).collect();
        assert_eq!(plugins, ["a", "b"]);
    }

    #[test]
    fn a_colon_without_a_key_behind_it_is_just_a_colon() {
        assert_eq!(split("/a:b/x.so"), ("/a:b/x.so".into(), vec![]));
        let (plugin, settings) = split("net:model=/m/a:b.onnx:classes=3");
        assert_eq!((plugin.as_str(), settings.len()), ("net", 2));
        assert_eq!(settings[0].1, json!("/m/a:b.onnx"));
    }
}
