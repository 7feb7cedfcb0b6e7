//! Definitions by name and version, compiled once.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use showrunner_engine::definition::{self, Callee, CalleeKind, Definition, Problem};
use showrunner_engine::event::DefinitionRef;
use showrunner_engine::id::{Digest, OrgId};
use showrunner_journal::query::definitions::{NewDefinition, StoredDefinition};
use showrunner_journal::{Journal, JournalError};

use crate::agents::Agents;
use crate::clock::Clock;

/// Compiled definitions kept; the least version of the first name goes first when there are more.
const COMPILED_MAX: usize = 512;

/// Why there is no definition.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// Nobody published it.
    #[error("there is no definition {slug}{}; there are: {}", version_text(*version), known.join(", "))]
    Unknown {
        /// As asked.
        slug: String,
        /// As asked.
        version: Option<u32>,
        /// Those that exist.
        known: Vec<String>,
    },
    /// It has faults; nothing was published.
    #[error("the definition has {} problem(s)", .0.len())]
    Invalid(Vec<Problem>),
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

fn version_text(version: Option<u32>) -> String {
    version.map_or_else(String::new, |version| format!(" version {version}"))
}

/// A published definition.
#[derive(Clone, Debug)]
pub struct Published {
    /// It.
    pub definition: Arc<Definition>,
    /// Whether this call published it; `false` when the newest version already had this text.
    pub is_new: bool,
}

/// The definitions of all organisations.
#[derive(Debug)]
pub struct Library {
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    agents: Arc<Agents>,
    compiled: RwLock<BTreeMap<Digest, BTreeMap<u32, Arc<Definition>>>>,
    newest: RwLock<BTreeMap<(OrgId, String), Arc<Definition>>>,
}

impl Library {
    pub(crate) fn new(
        journal: Arc<dyn Journal>,
        clock: Arc<dyn Clock>,
        agents: Arc<Agents>,
    ) -> Self {
        Self { journal, clock, agents, compiled: RwLock::default(), newest: RwLock::default() }
    }

    /// The definition that a run is pinned to.
    pub async fn pinned(
        &self,
        org: &OrgId,
        to: &DefinitionRef,
    ) -> Result<Arc<Definition>, LibraryError> {
        if let Some(found) = self.cached(&to.digest, to.version) {
            return Ok(found);
        }
        self.get(org, &to.slug, Some(to.version)).await
    }

    /// A definition by name; the newest published version when none is asked for.
    pub async fn get(
        &self,
        org: &OrgId,
        slug: &str,
        version: Option<u32>,
    ) -> Result<Arc<Definition>, LibraryError> {
        if version.is_none()
            && let Some(found) = self.newest.read().get(&(org.clone(), slug.to_owned()))
        {
            return Ok(Arc::clone(found));
        }
        let Some(stored) = self.journal.definition(org, slug, version).await? else {
            let known = self.journal.definitions(org).await?;
            return Err(LibraryError::Unknown {
                slug: slug.to_owned(),
                version,
                known: known.into_iter().map(|d| d.slug).collect(),
            });
        };
        let definition = self.compile(&stored)?;
        if version.is_none() {
            return Ok(self.note_newest(org, definition));
        }
        Ok(definition)
    }

    /// Checks a text by itself, without publishing it.
    pub fn check(source: &str, file_name: &str) -> Result<Definition, LibraryError> {
        definition::load(source, file_name, 0).map_err(LibraryError::Invalid)
    }

    /// Checks that those whom a definition calls by name are there: agents that this server has,
    /// definitions that `org` has published. A definition may call itself.
    pub async fn check_callees(
        &self,
        org: &OrgId,
        definition: &Definition,
        file_name: &str,
    ) -> Result<(), LibraryError> {
        let mut problems = Vec::new();
        for callee in &definition.callees {
            let known = match callee.kind {
                CalleeKind::Agent if self.agents.get(&callee.name).is_none() => {
                    self.agents.all().iter().map(|agent| agent.name.to_string()).collect()
                },
                CalleeKind::Orchestration if !self.can_call(org, definition, callee).await? => {
                    self.journal.definitions(org).await?.into_iter().map(|d| d.slug).collect()
                },
                CalleeKind::Agent | CalleeKind::Orchestration => continue,
            };
            let known: Vec<String> = known;
            problems.push(callee.unknown(file_name, &known));
        }
        problems.sort_by_key(|problem| (problem.line, problem.column));
        if problems.is_empty() { Ok(()) } else { Err(LibraryError::Invalid(problems)) }
    }

    async fn can_call(
        &self,
        org: &OrgId,
        definition: &Definition,
        callee: &Callee,
    ) -> Result<bool, LibraryError> {
        let is_itself = callee.name == definition.slug && callee.version.is_none();
        Ok(is_itself || self.journal.definition(org, &callee.name, callee.version).await?.is_some())
    }

    /// Publishes a text as the next version of the definition it names. The same text again is
    /// the same version. Whom it calls has to be there before.
    pub async fn publish(
        &self,
        org: &OrgId,
        source: &str,
        by: &str,
    ) -> Result<Published, LibraryError> {
        const FILE: &str = "definition";
        let checked = Self::check(source, FILE)?;
        self.check_callees(org, &checked, FILE).await?;
        let new = NewDefinition {
            org: org.clone(),
            slug: checked.slug.clone(),
            digest: checked.digest.clone(),
            source: source.to_owned(),
            status: "published",
            created_at: self.clock.now(),
            created_by: by.to_owned(),
        };
        let before = self.journal.definition(org, &checked.slug, None).await?;
        let stored = self.journal.put_definition(new).await?;
        let is_new = before.is_none_or(|before| before.version != stored.version);
        let definition = self.compile(&stored)?;
        self.note_newest(org, Arc::clone(&definition));
        Ok(Published { definition, is_new })
    }

    /// Remembers the newest version, and hands out the one that is. Answers of the journal may
    /// come back in another order than that of the versions; a version is never gone back behind.
    fn note_newest(&self, org: &OrgId, definition: Arc<Definition>) -> Arc<Definition> {
        let mut newest = self.newest.write();
        let key = (org.clone(), definition.slug.clone());
        let known = newest.entry(key).or_insert_with(|| Arc::clone(&definition));
        if definition.version > known.version {
            *known = definition;
        }
        Arc::clone(known)
    }

    fn compile(&self, stored: &StoredDefinition) -> Result<Arc<Definition>, LibraryError> {
        if let Some(found) = self.cached(&stored.digest, stored.version) {
            return Ok(found);
        }
        let loaded = definition::load_published(&stored.source, &stored.slug, stored.version);
        let definition = Arc::new(loaded.map_err(LibraryError::Invalid)?);
        let mut compiled = self.compiled.write();
        if compiled.len() >= COMPILED_MAX {
            compiled.pop_first();
        }
        compiled
            .entry(stored.digest.clone())
            .or_default()
            .insert(stored.version, Arc::clone(&definition));
        Ok(definition)
    }

    fn cached(&self, digest: &Digest, version: u32) -> Option<Arc<Definition>> {
        self.compiled.read().get(digest)?.get(&version).cloned()
    }
}

#[cfg(test)]
mod tests {
    use showrunner_engine::agent::AgentRecord;
    use showrunner_journal::{SqliteJournal, SqliteOptions};

    use super::*;
    use crate::clock::SystemClock;

    fn library(disk: &tempfile::TempDir) -> Library {
        let journal = SqliteJournal::open(SqliteOptions::in_directory(disk.path())).unwrap();
        let agents: Arc<Agents> = Arc::default();
        for name in ["writer", "critic"] {
            let text = format!("---\nname: {name}\n---\nDo it.");
            agents.put(AgentRecord::parse_markdown(&text, "test").unwrap());
        }
        Library::new(journal, Arc::new(SystemClock::new().unwrap()), agents)
    }

    fn text(id: &str, steps: &str) -> String {
        format!("showrunner: 1\nid: {id}\nsteps:\n{steps}")
    }

    fn of_version(slug: &str, version: u32) -> Arc<Definition> {
        let source = text(slug, "  - { id: a, transform: {} }\n");
        Arc::new(definition::load(&source, slug, version).unwrap())
    }

    /// What is wrong with a text, a line each.
    async fn complaints(library: &Library, source: &str) -> String {
        match library.publish(&OrgId::from("org"), source, "author").await {
            Err(LibraryError::Invalid(problems)) => {
                problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
            },
            Err(other) => other.to_string(),
            Ok(published) => format!("version {}", published.definition.version),
        }
    }

    #[tokio::test]
    async fn answers_in_another_order_than_the_versions_leave_the_newest() {
        let disk = tempfile::tempdir().unwrap();
        let (library, org) = (library(&disk), OrgId::from("org"));
        // Two who publish, and one who read before both and comes back last.
        for (version, newest) in [(2, 2), (3, 3), (2, 3), (1, 3)] {
            assert_eq!(library.note_newest(&org, of_version("a", version)).version, newest);
            assert_eq!(library.get(&org, "a", None).await.unwrap().version, newest);
        }
        let other = OrgId::from("other");
        assert_eq!(library.note_newest(&other, of_version("a", 1)).version, 1);
    }

    #[tokio::test]
    async fn whom_a_definition_calls_has_to_be_there() {
        let disk = tempfile::tempdir().unwrap();
        let library = library(&disk);
        let steps = "  - id: a
    agent: writter
    compensate: { agent: undoer }
  - id: g
    gate: { judge: { agent: critc }, rules: [{ when: \"true\", verdict: accept }] }
  - { id: c, orchestration: chidl }
  - { id: d, orchestration: child@2 }
";
        let child = text("child", "  - { id: a, agent: writer }\n");
        assert_eq!(complaints(&library, &child).await, "version 1");
        let why = "a run would fail when it comes here, with what came before it paid for";
        assert_eq!(
            complaints(&library, &text("parent", steps)).await,
            format!(
                "definition:5:12: there is no agent `writter` — {why}; hint: did you mean `writer`?\n\
                 definition:6:26: there is no agent `undoer` — {why}; hint: the agents are critic, writer\n\
                 definition:8:29: there is no agent `critc` — {why}; hint: did you mean `critic`?\n\
                 definition:9:29: no definition `chidl` is published — {why}; hint: did you mean `child`?\n\
                 definition:10:29: definition `child` has no version 2 — {why}; hint: write `child` for the newest"
            )
        );
    }

    #[tokio::test]
    async fn a_definition_may_call_itself_and_what_was_published_before() {
        let disk = tempfile::tempdir().unwrap();
        let library = library(&disk);
        let first = text("a", "  - { id: again, when: \"false\", orchestration: a }\n");
        assert_eq!(complaints(&library, &first).await, "version 1");
        let second = text("b", "  - { id: x, orchestration: a@1 }\n");
        assert_eq!(complaints(&library, &second).await, "version 1");
    }
}
