//! Finding a plugin by its name, listing all of them.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::suggestion;

use super::{
    Descriptor, Kind, LoadError, Plugin, SearchDir, probe,
    search::{self, PATH_VARIABLE},
};

/// Where plugins are looked for.
#[derive(Debug, Clone)]
pub struct Catalog {
    dirs: Vec<SearchDir>,
}

/// A library in the search path.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// The library.
    pub path: PathBuf,
    /// What came of looking into it.
    #[serde(flatten)]
    pub status: EntryStatus,
}

/// What came of looking into a library.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum EntryStatus {
    /// A plugin.
    Ok {
        /// What it says about itself.
        descriptor: Box<Descriptor>,
    },
    /// A plugin whose name one earlier in the search path has.
    Shadowed {
        /// What it says about itself.
        descriptor: Box<Descriptor>,
        /// The library that is used instead.
        by: PathBuf,
    },
    /// No plugin that can be used.
    Broken {
        /// Why.
        reason: String,
    },
}

impl Entry {
    /// What the library says about itself, shadowed or not.
    pub fn descriptor(&self) -> Option<&Descriptor> {
        match &self.status {
            EntryStatus::Ok { descriptor } | EntryStatus::Shadowed { descriptor, .. } => {
                Some(descriptor)
            }
            EntryStatus::Broken { .. } => None,
        }
    }
}

/// Why there is no such plugin.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// No library in the search path declares the name.
    #[error("{}", not_found(name, suggestion.as_deref(), found, broken, dirs))]
    NotFound {
        /// The name that was asked for.
        name: String,
        /// One that is nearly the same.
        suggestion: Option<String>,
        /// What was found instead.
        found: Vec<(String, Kind)>,
        /// Why other libraries could not be used.
        broken: Vec<String>,
        /// Where it was looked for.
        dirs: Vec<SearchDir>,
    },
    /// A library with that name, or that file, cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A display where a detector is needed, or the other way round.
    #[error("{name} is a {kind}, but a {wanted} is needed here")]
    WrongKind {
        /// The plugin.
        name: String,
        /// What it is.
        kind: Kind,
        /// What is needed.
        wanted: Kind,
    },
}

fn not_found(
    name: &str,
    suggestion: Option<&str>,
    found: &[(String, Kind)],
    broken: &[String],
    dirs: &[SearchDir],
) -> String {
    use std::fmt::Write;
    let mut text = format!("there is no plugin {name:?}");
    if let Some(suggestion) = suggestion {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "; did you mean {suggestion:?}?");
    }
    let list: Vec<_> = found.iter().map(|(name, kind)| format!("{name} ({kind})")).collect();
    let list = if list.is_empty() { "none".to_owned() } else { list.join(", ") };
    let _ = write!(text, "\n  found: {list}");
    for reason in broken {
        let _ = write!(text, "\n  not usable: {reason}");
    }
    for SearchDir { path, origin } in dirs {
        let missing = if path.is_dir() { "" } else { ", not there" };
        let _ = write!(text, "\n  looked in: {} ({origin}{missing})", path.display());
    }
    text
}

impl Catalog {
    /// The search path of this process: `flags` (`--plugin-path`), the environment
    /// variable `PLUMBLINE_PLUGIN_PATH`, `config` (`[plugins] paths`), the
    /// directory of the binary, `lib/plumbline/plugins` beside that.
    pub fn new(flags: &[PathBuf], config: &[PathBuf]) -> Self {
        let environment = std::env::var_os(PATH_VARIABLE);
        let binary = std::env::current_exe().ok();
        Self { dirs: search::search_path(flags, environment.as_deref(), config, binary.as_deref()) }
    }

    /// The directories, in the order in which they are looked into.
    pub fn dirs(&self) -> &[SearchDir] {
        &self.dirs
    }

    /// Loads the plugin that declares this name, or the library at this path
    /// (anything with a slash in it or ending in `.so`).
    ///
    /// By name, only libraries whose file name fits are opened in this process,
    /// and they are looked at first, wherever they are in the search path; the
    /// others are asked in a child process.
    ///
    /// # Errors
    ///
    /// [`FindError::NotFound`] lists what there is and where it was looked for;
    /// [`FindError::Load`] when the library is there and cannot be used.
    pub fn load(&self, name_or_path: &str) -> Result<Plugin, FindError> {
        if search::is_path(name_or_path) {
            return Ok(Plugin::open(Path::new(name_or_path))?);
        }
        let mut failures = Vec::new();
        let libraries: Vec<_> = self.dirs.iter().map(|dir| search::libraries(&dir.path)).collect();
        let (likely, others): (Vec<PathBuf>, Vec<PathBuf>) = libraries
            .into_iter()
            .flatten()
            .partition(|path| search::named_like(path, name_or_path));
        for path in likely {
            match Plugin::open(&path) {
                Ok(plugin) if plugin.descriptor().name == name_or_path => {
                    warn_of(&failures);
                    return Ok(plugin);
                }
                Ok(_) => {}
                Err(error) => failures.push(error),
            }
        }
        for (path, result) in others.iter().zip(probe::probe(&others)) {
            match result {
                Ok(descriptor) if descriptor.name == name_or_path => {
                    warn_of(&failures);
                    return Ok(Plugin::open(path)?);
                }
                Ok(_) => {}
                Err(reason) => tracing::debug!("{reason}"),
            }
        }
        if failures.is_empty() {
            return Err(self.missing(name_or_path));
        }
        let first = failures.remove(0);
        warn_of(&failures);
        Err(first.into())
    }

    /// Loads a plugin that must be a detector.
    ///
    /// # Errors
    ///
    /// As [`Self::load`], and [`FindError::WrongKind`].
    pub fn load_detector(&self, name_or_path: &str) -> Result<Plugin, FindError> {
        self.load(name_or_path)?.expect_kind(Kind::Detector)
    }

    /// Loads a plugin that must be a display.
    ///
    /// # Errors
    ///
    /// As [`Self::load`], and [`FindError::WrongKind`].
    pub fn load_display(&self, name_or_path: &str) -> Result<Plugin, FindError> {
        self.load(name_or_path)?.expect_kind(Kind::Display)
    }

    /// Every library in the search path, in its order, looked into in a child process.
    pub fn list(&self) -> Vec<Entry> {
        let paths: Vec<PathBuf> =
            self.dirs.iter().flat_map(|dir| search::libraries(&dir.path)).collect();
        let results = probe::probe(&paths);
        entries(paths, results)
    }

    /// The library that has the plugin `name_or_path`, without opening any in
    /// this process. A library that cannot be used counts if its file name fits.
    ///
    /// # Errors
    ///
    /// [`FindError::NotFound`].
    pub fn find(&self, name_or_path: &str) -> Result<PathBuf, FindError> {
        if search::is_path(name_or_path) {
            return Ok(name_or_path.into());
        }
        let entries = self.list();
        let named = |e: &&Entry| e.descriptor().is_some_and(|d| d.name == name_or_path);
        let broken =
            |e: &&Entry| e.descriptor().is_none() && search::named_like(&e.path, name_or_path);
        match entries.iter().find(named).or_else(|| entries.iter().find(broken)) {
            Some(entry) => Ok(entry.path.clone()),
            None => Err(self.missing(name_or_path)),
        }
    }

    fn missing(&self, name: &str) -> FindError {
        let (mut found, mut broken) = (Vec::new(), Vec::new());
        for entry in self.list() {
            match entry.status {
                EntryStatus::Ok { descriptor } => found.push((descriptor.name, descriptor.kind)),
                EntryStatus::Shadowed { .. } => {}
                EntryStatus::Broken { reason } => broken.push(reason),
            }
        }
        FindError::NotFound {
            suggestion: suggestion(name, found.iter().map(|(name, _)| name.as_str()))
                .map(str::to_owned),
            name: name.to_owned(),
            found,
            broken,
            dirs: self.dirs.clone(),
        }
    }
}

/// Libraries that seemed to be the wanted one and are not used.
fn warn_of(failures: &[LoadError]) {
    for error in failures {
        tracing::warn!("{error}");
    }
}

fn entries(paths: Vec<PathBuf>, results: Vec<Result<Descriptor, String>>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::with_capacity(paths.len());
    for (path, result) in paths.into_iter().zip(results) {
        let status = match result {
            Err(reason) => EntryStatus::Broken { reason },
            Ok(descriptor) => {
                let descriptor = Box::new(descriptor);
                match holder(&entries, &descriptor.name) {
                    Some(by) => EntryStatus::Shadowed { by: by.to_owned(), descriptor },
                    None => EntryStatus::Ok { descriptor },
                }
            }
        };
        entries.push(Entry { path, status });
    }
    entries
}

fn holder<'a>(entries: &'a [Entry], name: &str) -> Option<&'a Path> {
    entries
        .iter()
        .find(|e| matches!(&e.status, EntryStatus::Ok { descriptor } if descriptor.name == name))
        .map(|e| e.path.as_path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(name: &str, path: &str) -> Descriptor {
        Descriptor {
            name: name.into(),
            kind: Kind::Detector,
            version: "0.1.0".into(),
            api_version: "1.0.0".into(),
            description: String::new(),
            path: path.into(),
            schema: true.into(),
            default_config: serde_json::Map::new(),
        }
    }

    #[test]
    fn the_first_of_a_name_is_used_and_the_others_say_which_that_is() {
        let all = entries(
            vec!["/a/x.so".into(), "/b/broken.so".into(), "/b/y.so".into()],
            vec![Ok(descriptor("ball", "/a/x.so")), Err("no".into()), Ok(descriptor("ball", "y"))],
        );
        assert!(matches!(all[0].status, EntryStatus::Ok { .. }));
        assert!(matches!(all[1].status, EntryStatus::Broken { .. }));
        let EntryStatus::Shadowed { by, .. } = &all[2].status else { panic!() };
        assert_eq!(by, Path::new("/a/x.so"));
    }

    #[test]
    fn a_missing_plugin_says_what_there_is_and_where_it_was_looked_for() {
        let error = FindError::NotFound {
            name: "huogh".into(),
            suggestion: Some("hough".into()),
            found: vec![("hough".into(), Kind::Detector), ("null".into(), Kind::Display)],
            broken: vec!["/p/b.so: it is a text file, not a shared library".into()],
            dirs: vec![SearchDir { path: "/nowhere".into(), origin: super::super::Origin::Flag }],
        };
        assert_eq!(
            error.to_string(),
            "there is no plugin \"huogh\"; did you mean \"hough\"?\n  \
             found: hough (detector), null (display)\n  \
             not usable: /p/b.so: it is a text file, not a shared library\n  \
             looked in: /nowhere (--plugin-path, not there)"
        );
    }
}
