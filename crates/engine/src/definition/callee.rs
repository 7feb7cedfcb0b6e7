//! Whom a definition calls by name, and where it does: agents and other definitions live outside
//! of it, so whether they exist is for whoever knows them to check.

use super::problem::{Complaint, Place, Problem, complaint};
use super::read::Spot;

/// Most names that a hint lists.
const NAMES_MAX: usize = 12;

/// What kind of thing is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalleeKind {
    /// An agent: of a step, a judge or a compensation.
    Agent,
    /// Another definition, as a child run.
    Orchestration,
}

/// A name that a definition calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callee {
    /// Of what kind.
    pub kind: CalleeKind,
    /// The name.
    pub name: String,
    /// A fixed version of the definition called.
    pub version: Option<u32>,
    /// Where it stands: line and column, counted from 1.
    pub written_at: (u32, u32),
    /// Where in the definition, `steps[3].agent`.
    pub path: String,
}

impl Callee {
    pub(super) fn new(kind: CalleeKind, spot: &Spot<'_>, name: &str, version: Option<u32>) -> Self {
        let place = spot.place();
        let written_at = (place.line, place.column);
        Self { kind, name: name.to_owned(), version, written_at, path: spot.path.clone() }
    }

    /// What to tell the author when there is nobody of this name. `known` are the names of those
    /// that there are.
    pub fn unknown(&self, file: &str, known: &[String]) -> Problem {
        let name = &self.name;
        let why = "a run would fail when it comes here, with what came before it paid for";
        let (what, first) = match (self.kind, self.version) {
            (CalleeKind::Agent, _) => (format!("there is no agent `{name}`"), "the agents are"),
            (CalleeKind::Orchestration, Some(version)) if known.contains(name) => {
                let what = format!("definition `{name}` has no version {version}");
                let hint = format!("write `{name}` for the newest");
                return self.problem(file, complaint(what, why).hint(hint));
            },
            (CalleeKind::Orchestration, _) => {
                let what = format!("no definition `{name}` is published");
                (what, "publish it first; published are")
            },
        };
        let shown: Vec<&str> = known.iter().take(NAMES_MAX).map(String::as_str).collect();
        let more = if known.len() > NAMES_MAX { " …" } else { "" };
        let hint = match (shown.is_empty(), self.kind) {
            (true, CalleeKind::Agent) => "this server has no agents".to_owned(),
            (true, CalleeKind::Orchestration) => "publish it first".to_owned(),
            (false, _) => format!("{first} {}{more}", shown.join(", ")),
        };
        let told = complaint(what, why).hint(hint);
        self.problem(file, told.meant(name, known.iter().map(String::as_str)))
    }

    fn problem(&self, file: &str, complaint: Complaint) -> Problem {
        let (line, column) = self.written_at;
        complaint.at(file, Place { line, column }, &self.path)
    }
}
