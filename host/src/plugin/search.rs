//! The search path and the libraries in it.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use serde::Serialize;

/// Environment variable with further directories, separated by colons.
pub(super) const PATH_VARIABLE: &str = "PLUMBLINE_PLUGIN_PATH";

/// Why a directory is in the search path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// `--plugin-path`
    Flag,
    /// `PLUMBLINE_PLUGIN_PATH`
    Environment,
    /// `[plugins] paths`
    Config,
    /// The directory of the binary.
    Binary,
    /// `lib/plumbline/plugins` of the installation.
    Installation,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Flag => "--plugin-path",
            Self::Environment => PATH_VARIABLE,
            Self::Config => "[plugins] paths",
            Self::Binary => "beside the binary",
            Self::Installation => "of the installation",
        })
    }
}

/// A directory in which plugins are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SearchDir {
    /// The directory.
    pub path: PathBuf,
    /// Why it is in the search path.
    pub origin: Origin,
}

/// The search path, first match wins. `binary` is the running program.
pub(super) fn search_path(
    flags: &[PathBuf],
    environment: Option<&OsStr>,
    config: &[PathBuf],
    binary: Option<&Path>,
) -> Vec<SearchDir> {
    let mut dirs: Vec<SearchDir> = Vec::new();
    let mut add = |path: PathBuf, origin| {
        if !path.as_os_str().is_empty() && !dirs.iter().any(|d| d.path == path) {
            dirs.push(SearchDir { path, origin });
        }
    };
    for path in flags {
        add(path.clone(), Origin::Flag);
    }
    for path in environment.map(std::env::split_paths).into_iter().flatten() {
        add(path, Origin::Environment);
    }
    for path in config {
        add(path.clone(), Origin::Config);
    }
    if let Some(dir) = binary.and_then(Path::parent) {
        // Cargo puts test programs into `deps`, one below the libraries.
        let dir = if dir.ends_with("deps") { dir.parent().unwrap_or(dir) } else { dir };
        add(dir.to_owned(), Origin::Binary);
        if let Some(prefix) = dir.parent() {
            add(prefix.join("lib/plumbline/plugins"), Origin::Installation);
        }
    }
    dirs
}

/// The shared libraries in `dir`, sorted by file name; none if it cannot be read.
pub(super) fn libraries(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension() == Some(OsStr::new("so")) && path.is_file())
        .collect();
    found.sort();
    found
}

/// Is `path` named like the library of the plugin `name`? With or without
/// `lib`, with or without the project's prefix, `-` or `_`.
pub(super) fn named_like(path: &Path, name: &str) -> bool {
    let Some(stem) = path.file_stem().and_then(OsStr::to_str) else { return false };
    let stem = stem.replace('-', "_");
    let stem = stem.strip_prefix("lib").unwrap_or(&stem);
    let wanted = name.replace('-', "_");
    stem == wanted || stem.strip_prefix("plumbline_") == Some(&wanted)
}

/// Did the user name a file rather than a plugin?
pub(super) fn is_path(name_or_path: &str) -> bool {
    name_or_path.contains('/') || Path::new(name_or_path).extension() == Some(OsStr::new("so"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_come_before_environment_config_binary_and_installation() {
        let dirs = search_path(
            &["/flag".into()],
            Some(OsStr::new("/env1:/env2::/flag")),
            &["/config".into()],
            Some(Path::new("/opt/plumbline/bin/host")),
        );
        let seen: Vec<_> = dirs.iter().map(|d| (d.path.to_str().unwrap(), d.origin)).collect();
        assert_eq!(
            seen,
            [
                ("/flag", Origin::Flag),
                ("/env1", Origin::Environment),
                ("/env2", Origin::Environment),
                ("/config", Origin::Config),
                ("/opt/plumbline/bin", Origin::Binary),
                ("/opt/plumbline/lib/plumbline/plugins", Origin::Installation),
            ]
        );
    }

    #[test]
    fn test_programs_look_where_cargo_puts_libraries() {
        let dirs = search_path(&[], None, &[], Some(Path::new("/w/target/debug/deps/x-12")));
        assert_eq!(dirs[0].path, Path::new("/w/target/debug"));
    }

    #[test]
    fn file_names_are_recognised_in_all_their_forms() {
        for file in [
            "libhough_rust.so",
            "libplumbline_hough_rust.so",
            "/a/b/hough-rust.so",
            "plumbline-hough-rust.so",
        ] {
            assert!(named_like(Path::new(file), "hough-rust"), "{file}");
        }
        for file in ["libhough.so", "libhough_rust2.so", "libmy_hough_rust.so", ".so"] {
            assert!(!named_like(Path::new(file), "hough-rust"), "{file}");
        }
    }

    #[test]
    fn only_shared_libraries_are_listed_and_in_order() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["b.so", "a.so", "a.d", "c.rlib", "d.so.bak"] {
            std::fs::write(dir.path().join(file), "").unwrap();
        }
        std::fs::create_dir(dir.path().join("dir.so")).unwrap();
        let names: Vec<_> =
            libraries(dir.path()).iter().map(|p| p.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["a.so", "b.so"]);
        assert!(libraries(&dir.path().join("missing")).is_empty());
    }

    #[test]
    fn a_slash_or_the_ending_makes_it_a_path() {
        assert!(is_path("./x") && is_path("libx.so") && is_path("/a/b.so"));
        assert!(!is_path("hough-rust"));
    }
}
