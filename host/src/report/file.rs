//! Files that a reader never finds half-written.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The name of a records file does not say what it should hold.
    #[error(
        "{}: records are written as .csv, .jsonl or .ndjson; give the file one of these extensions",
        .0.display()
    )]
    Extension(PathBuf),
    /// The operating system refused.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
}

impl ReportError {
    pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |cause| Self::Write { path: path.to_owned(), cause }
    }
}

/// Writes a file as a whole: a reader finds the old content or the new, and a
/// failure leaves the old. What is no regular file (`/dev/stdout`, a pipe) is
/// written to directly.
///
/// # Errors
///
/// [`ReportError::Write`].
pub fn write_atomically(path: &Path, content: &[u8]) -> Result<(), ReportError> {
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return fs::OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut file| file.write_all(content))
            .map_err(ReportError::at(path));
    }
    // Through a symbolic link, so that the link stays one.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    replace(&target, content).map_err(ReportError::at(path))
}

fn replace(target: &Path, content: &[u8]) -> io::Result<()> {
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".plumbline-").suffix(".tmp");
    // Temporary files are private by default; a report is as readable as the
    // user's umask makes any file.
    #[cfg(unix)]
    let permissions = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(permissions);
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(content)?;
    file.persist(target)?;
    Ok(())
}

/// Makes room for the file of another session: renames `summary.json` to
/// `summary.session-1.json` when `session` is 1. Says what the new name is, or
/// `None` when there is no such file, or no regular one.
///
/// # Errors
///
/// [`ReportError::Write`].
pub fn rotate(path: &Path, session: u64) -> Result<Option<PathBuf>, ReportError> {
    if !fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Ok(None);
    }
    let mut name = OsString::from(path.file_stem().unwrap_or_default());
    name.push(format!(".session-{session}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    let kept = path.with_file_name(name);
    fs::rename(path, &kept).map_err(ReportError::at(path))?;
    Ok(Some(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.json");
        write_atomically(&path, b"a long first version").unwrap();
        write_atomically(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_links_stay_what_they_are() {
        use std::os::unix::fs::FileTypeExt;

        write_atomically(Path::new("/dev/null"), b"x").unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_atomically(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert_eq!(rotate(Path::new("/dev/null"), 1).unwrap(), None);
    }

    #[test]
    fn a_missing_folder_is_an_error_with_the_path() {
        let error = write_atomically(Path::new("/no/such/folder/s.json"), b"").unwrap_err();
        assert!(error.to_string().starts_with("cannot write /no/such/folder/s.json: "), "{error}");
    }

    #[test]
    fn earlier_sessions_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.v2.csv");
        assert_eq!(rotate(&path, 1).unwrap(), None);
        fs::write(&path, "one").unwrap();
        let kept = rotate(&path, 1).unwrap().unwrap();
        assert_eq!(kept.file_name().unwrap(), "rows.v2.session-1.csv");
        assert_eq!(fs::read_to_string(kept).unwrap(), "one");
        assert!(!path.exists());
    }
}
