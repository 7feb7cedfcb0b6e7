//! What is wrong with a definition: where, what, why, and what to do. All of it at once, so that
//! an author does not learn of ten mistakes in ten rounds.

use std::fmt;

use serde::Serialize;

/// Most problems reported for one definition; who has more of them starts at the top anyway.
pub(super) const PROBLEMS_MAX: usize = 50;

/// A place in the author's text; line and column are counted from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) column: u32,
}

/// One mistake in a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file's name as the caller gave it.
    pub file: String,
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1, in characters.
    pub column: u32,
    /// Where in the definition, `steps[3].loop.until`; empty for the whole.
    pub path: String,
    /// What is wrong.
    pub what: String,
    /// Why it cannot be accepted.
    pub why: String,
    /// What to do about it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, what, why, .. } = self;
        write!(f, "{file}:{line}:{column}: {what} — {why}")?;
        match &self.hint {
            Some(hint) => write!(f, "; hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// A mistake before it is filed.
#[derive(Debug)]
pub(super) struct Complaint {
    what: String,
    why: String,
    hint: Option<String>,
    is_newer: bool,
}

/// Starts a complaint.
pub(super) fn complaint(what: impl Into<String>, why: impl Into<String>) -> Complaint {
    Complaint { what: what.into(), why: why.into(), hint: None, is_newer: false }
}

impl Complaint {
    /// Files it.
    pub(super) fn at(self, file: &str, place: Place, path: &str) -> Problem {
        let Self { what, why, hint, is_newer: _ } = self;
        let (line, column) = (place.line, place.column);
        Problem { file: file.to_owned(), line, column, path: path.to_owned(), what, why, hint }
    }

    /// Says what to do about it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Breaks a rule that came after definitions had been published: those that break it still run.
    pub(super) fn newer(mut self) -> Self {
        self.is_newer = true;
        self
    }

    /// Names the candidate that was probably meant, if one is near.
    pub(super) fn meant<'c>(
        mut self,
        word: &str,
        candidates: impl Iterator<Item = &'c str>,
    ) -> Self {
        if let Some(near) = crate::template::nearest(word, candidates) {
            self.hint = Some(format!("did you mean `{near}`?"));
        }
        self
    }
}

/// The problems found so far.
#[derive(Debug)]
pub(super) struct Report {
    file: String,
    problems: Vec<Problem>,
    /// Whether there is anything but breaches of newer rules.
    is_broken: bool,
}

impl Report {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), problems: Vec::new(), is_broken: false }
    }

    /// Files a complaint, unless there are enough.
    pub(super) fn add(&mut self, place: Place, path: &str, complaint: Complaint) {
        self.is_broken |= !complaint.is_newer;
        if self.is_full() {
            return;
        }
        let problem = complaint.at(&self.file, place, path);
        self.problems.push(problem);
    }

    pub(super) fn is_full(&self) -> bool {
        self.problems.len() >= PROBLEMS_MAX
    }

    pub(super) fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// Whether what was published once can still be run.
    pub(super) fn is_sound(&self) -> bool {
        !self.is_broken
    }

    /// The problems in the order of the text.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| (problem.line, problem.column));
        self.problems.dedup();
        self.problems
    }
}
