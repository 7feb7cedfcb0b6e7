//! A folder that lives as long as one piece of work.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process,
};

use tempfile::TempDir;

use crate::error::MediaError;

/// What its folders are called, before the number of the process.
const NAME: &str = "showrunner-media-";

/// Removed with everything in it when dropped. What a killed process left is removed by the next.
#[derive(Debug)]
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Result<Self, MediaError> {
        let base = std::env::temp_dir();
        for folder in abandoned(&base).unwrap_or_default() {
            // Another process may be faster: gone is gone.
            let _gone = fs::remove_dir_all(folder);
        }
        let name = format!("{NAME}{}-", process::id());
        let folder = tempfile::Builder::new().prefix(&name).tempdir_in(base);
        folder.map(Self).map_err(|error| MediaError::Drawing {
            reason: format!("no temporary folder could be made: {error}"),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Folders whose process is no more.
fn abandoned(base: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !Path::new("/proc/self").exists() {
        return Ok(found);
    }
    for entry in fs::read_dir(base)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix(NAME).and_then(|rest| rest.split('-').next());
        let is_number = |pid: &&str| !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit());
        if let Some(pid) = owner.filter(is_number)
            && is_gone(pid)
        {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// A process that has ended has no program any more, be it awaited by its parent or not yet.
fn is_gone(pid: &str) -> bool {
    let program = fs::read_link(Path::new("/proc").join(pid).join("exe"));
    program.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_work_and_what_was_left_goes_with_the_next() {
        // No process has this number: the kernel's largest is 2^22.
        let left = std::env::temp_dir().join(format!("{NAME}99999999-x"));
        fs::create_dir_all(left.join("deep")).unwrap();
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().to_owned();
        assert!(path.is_dir() && !left.exists());
        assert!(Scratch::new().is_ok() && path.is_dir(), "a living one's folder stays");
        drop(scratch);
        assert!(!path.exists());
    }
}
