//! Why a library does not load: one sentence each, with the next step.

use std::path::PathBuf;

use super::elf::NotALibrary;

/// Why a library cannot be used as a plugin.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// Not a shared library for this machine.
    #[error("{}: {reason}", path.display())]
    NotALibrary {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        reason: NotALibrary,
    },
    /// A library that it needs is not installed.
    #[error("{}: it needs the system library {library}, which is not installed{}", path.display(), package_hint(library))]
    MissingLibrary {
        /// The file.
        path: PathBuf,
        /// What it needs.
        library: String,
    },
    /// A symbol that it needs is in none of its libraries.
    #[error(
        "{}: it needs the symbol {symbol}, which none of its libraries has; \
         it was built against other versions of them, rebuild it here", path.display()
    )]
    MissingSymbol {
        /// The file.
        path: PathBuf,
        /// What it needs.
        symbol: String,
    },
    /// A system library is older than the one it was built against.
    #[error(
        "{}: it needs version {version} of {library}, the one here is older; \
         rebuild it on this system", path.display()
    )]
    OldLibrary {
        /// The file.
        path: PathBuf,
        /// The library that is too old.
        library: String,
        /// The symbol version that it lacks.
        version: String,
    },
    /// Any other complaint of the dynamic linker.
    #[error("{}: the dynamic linker refused it: {message}", path.display())]
    Linker {
        /// The file.
        path: PathBuf,
        /// What it said.
        message: String,
    },
    /// A shared library that exports no plugin.
    #[error(
        "{}: it is a shared library, but it exports no Plumbline plugin (`export_plugin!` missing?)",
        path.display()
    )]
    NoPlugin {
        /// The file.
        path: PathBuf,
    },
    /// Built with an `abi_stable` that cannot be spoken with.
    #[error(
        "{}: it was built with an incompatible abi_stable ({found}, this host has {ours}); \
         rebuild it with plumbline-plugin-api {}", path.display(), plumbline_plugin_api::API_VERSION
    )]
    AbiStable {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: String,
        /// Our version.
        ours: String,
    },
    /// Built for a plugin interface that this host does not speak.
    #[error("{}: {}", path.display(), version_sentence(found, ours))]
    InterfaceVersion {
        /// The file.
        path: PathBuf,
        /// The plugin's version of the interface.
        found: String,
        /// The host's.
        ours: &'static str,
    },
    /// The interface has the right version and another memory layout.
    #[error(
        "{}: its plugin interface has another memory layout than this host's although both say {version}; \
         rebuild it with the host's plumbline-plugin-api ({mismatch})", path.display()
    )]
    Layout {
        /// The file.
        path: PathBuf,
        /// The version that both declare.
        version: String,
        /// The lines that name the difference.
        mismatch: String,
    },
    /// Its own start-up code failed.
    #[error("{}: it failed to start: {message}", path.display())]
    Start {
        /// The file.
        path: PathBuf,
        /// What it said.
        message: String,
    },
    /// What it says about itself makes no sense.
    #[error("{}: {problem}", path.display())]
    Descriptor {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

fn version_sentence(found: &str, ours: &str) -> String {
    let newer = match (parse_version(found), parse_version(ours)) {
        (Some(found), Some(ours)) => found > ours,
        _ => return format!("it declares the interface version {found:?}, which is no version"),
    };
    if newer {
        format!(
            "it was built for plugin interface {found}, this host speaks {ours}; \
             update the host, or rebuild the plugin with plumbline-plugin-api {ours}"
        )
    } else {
        format!(
            "it was built for plugin interface {found}, which this host ({ours}) no longer speaks; \
             rebuild the plugin with plumbline-plugin-api {ours}"
        )
    }
}

/// Major and minor of `major.minor[.anything]`.
pub(super) fn parse_version(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Can a host that speaks `ours` load a plugin built for `found`? A plugin for
/// any 1.x loads in every host of the same or a later 1.y.
pub(super) fn compatible(found: &str, ours: &str) -> bool {
    match (parse_version(found), parse_version(ours)) {
        (Some((major, minor)), Some((our_major, our_minor))) => {
            major == our_major && minor <= our_minor
        }
        _ => false,
    }
}

/// What `dlopen` said about the library at `path`, understood.
pub(super) fn from_linker(path: PathBuf, message: &str) -> LoadError {
    if let Some((library, _)) = message.split_once(": cannot open shared object file") {
        return LoadError::MissingLibrary { path, library: library.to_owned() };
    }
    if let Some((_, symbol)) = message.split_once("undefined symbol: ") {
        let symbol = symbol.split([' ', ',']).next().unwrap_or(symbol);
        return LoadError::MissingSymbol { path, symbol: symbol.to_owned() };
    }
    if let Some((library, rest)) = message.split_once(": version `")
        && let Some((version, _)) = rest.split_once("' not found")
    {
        let library = library.rsplit('/').next().unwrap_or(library);
        return LoadError::OldLibrary {
            path,
            library: library.to_owned(),
            version: version.to_owned(),
        };
    }
    // The sentence already begins with the path; do not say it twice.
    let own = path.display().to_string();
    let message = message.strip_prefix(&own).map_or(message, |m| m.trim_start_matches([':', ' ']));
    LoadError::Linker { message: message.to_owned(), path }
}

/// The Debian package that has `library`, where it is known.
fn package_hint(library: &str) -> String {
    let stem = library.split(".so").next().unwrap_or(library);
    let version = library.split(".so.").nth(1).unwrap_or("");
    let package = if let Some(module) = stem.strip_prefix("libopencv_") {
        let module = module.replace('_', "-");
        match version {
            // Debian names these packages after the library's soname.
            v if !v.is_empty() && !matches!(module.as_str(), "ximgproc") => {
                format!("libopencv-{module}{v}")
            }
            "" => "libopencv-dev".to_owned(),
            v => format!("libopencv-contrib{v}"),
        }
    } else {
        match stem {
            "libX11" => "libx11-6",
            "libXcursor" => "libxcursor1",
            "libXrandr" => "libxrandr2",
            "libXi" => "libxi6",
            "libwayland-client" => "libwayland-client0",
            "libxkbcommon" => "libxkbcommon0",
            "libgtk-3" => "libgtk-3-0",
            "libstdc++" => "libstdc++6",
            "libgcc_s" => "libgcc-s1",
            "libGL" => "libgl1",
            "libtbb" => "libtbb12",
            _ => return String::new(),
        }
        .to_owned()
    };
    format!(" (on Debian: apt install {package})")
}

/// The lines of a layout error that say what differs: the last four with text in them.
pub(super) fn essence(layout_error: &str) -> String {
    let lines: Vec<&str> =
        layout_error.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(4)..].join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_for_an_older_minor_loads_and_a_newer_one_does_not() {
        assert!(compatible("1.0.0", "1.0.3"));
        assert!(compatible("1.0.9", "1.0.0"), "patches do not matter");
        assert!(compatible("1.2.0", "1.5.0"));
        assert!(!compatible("1.6.0", "1.5.0"));
        assert!(!compatible("2.0.0", "1.5.0"));
        assert!(!compatible("0.9.0", "1.5.0"));
        assert!(!compatible("", "1.5.0"));
        assert!(!compatible("one", "1.5.0"));
    }

    #[test]
    fn the_version_sentence_says_which_side_to_update() {
        assert!(version_sentence("1.7.0", "1.0.0").contains("update the host"));
        assert!(version_sentence("0.3.0", "1.0.0").contains("rebuild the plugin"));
        assert!(version_sentence("soon", "1.0.0").contains("\"soon\""));
    }

    #[test]
    fn a_missing_opencv_names_its_debian_package() {
        let error = from_linker(
            "/p/x.so".into(),
            "libopencv_imgproc.so.406: cannot open shared object file: No such file or directory",
        );
        let text = error.to_string();
        assert!(text.contains("libopencv_imgproc.so.406"), "{text}");
        assert!(text.contains("apt install libopencv-imgproc406"), "{text}");
        assert!(package_hint("libopencv_ximgproc.so.406").contains("libopencv-contrib406"));
        assert_eq!(package_hint("libwhatever.so.1"), "");
    }

    #[test]
    fn missing_symbols_and_old_libraries_are_named() {
        let text = from_linker("/p/x.so".into(), "/p/x.so: undefined symbol: cv_hough, version 4")
            .to_string();
        assert!(text.contains("the symbol cv_hough,"), "{text}");
        let text = from_linker(
            "/p/x.so".into(),
            "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.99' not found (required by /p/x.so)",
        )
        .to_string();
        assert!(text.contains("version GLIBC_2.99 of libc.so.6"), "{text}");
    }

    #[test]
    fn other_complaints_are_passed_on_without_repeating_the_path() {
        let text = from_linker("/p/x.so".into(), "/p/x.so: something new").to_string();
        assert_eq!(text, "/p/x.so: the dynamic linker refused it: something new");
    }

    #[test]
    fn only_the_end_of_a_layout_error_is_kept() {
        let long = (0..1000).map(|i| format!("line {i}")).collect::<Vec<_>>().join("\n\n");
        assert_eq!(essence(&long), "line 996 line 997 line 998 line 999");
        assert_eq!(essence("just this"), "just this");
    }
}
