//! The tracked text files of the repository, and what can be wrong with one of them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

/// Something that breaks a rule: where, what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offence {
    /// The path from the root of the repository.
    pub file: String,
    /// Counted from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub advice: String,
}

impl Offence {
    /// One on a line; 0 for the file as a whole.
    pub fn new(
        file: &str,
        line: usize,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { file: file.to_owned(), line, what: what.into(), advice: advice.into() }
    }
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => writeln!(f, "{}: {}", self.file, self.what)?,
            line => writeln!(f, "{}:{line}: {}", self.file, self.what)?,
        }
        write!(f, "    do: {}", self.advice)
    }
}

/// The tracked text files, by path from the root.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// The files that git tracks under `root`; those that are no text or were deleted are left out.
    ///
    /// # Errors
    /// `root` is not a checkout, or git is not there.
    pub fn load(root: &Path) -> anyhow::Result<Self> {
        let listed = Command::new("git")
            .args(["ls-files", "-z"])
            .current_dir(root)
            .output()
            .context("git could not be started")?;
        anyhow::ensure!(listed.status.success(), "{} is not a git checkout", root.display());
        let names = String::from_utf8(listed.stdout).context("a file name is not UTF-8")?;
        let read = |name: &str| {
            let text = std::fs::read_to_string(root.join(name)).ok()?;
            Some((name.to_owned(), text))
        };
        let files = names.split('\0').filter(|name| !name.is_empty()).filter_map(read).collect();
        Ok(Self { files })
    }

    /// A tree of these files.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let own = |&(path, text): &(&str, &str)| (path.to_owned(), text.to_owned());
        Self { files: files.iter().map(own).collect() }
    }

    /// All files, by path.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// All Rust files, by path.
    pub fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| has_extension(path, "rs"))
    }

    /// The text of a file.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Whether there is a file at `path`, or anything under it.
    pub fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.files.contains_key(path) || self.files.keys().any(|file| file.starts_with(&folder))
    }
}

/// Whether a path ends with this extension.
pub fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

/// Whether a Rust file is there for tests or examples only.
pub fn is_test(path: &str) -> bool {
    path.starts_with("testkit/")
        || path.contains("/tests/")
        || path.contains("/examples/")
        || path.ends_with("/tests.rs")
}
