//! Definitions by name and version, compiled once.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use showrunner_engine::definition::{self, Definition, Problem};
use showrunner_engine::event::DefinitionRef;
use showrunner_engine::id::{Digest, OrgId};
use showrunner_journal::query::definitions::{NewDefinition, StoredDefinition};
use showrunner_journal::{Journal, JournalError};

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
    compiled: RwLock<BTreeMap<Digest, BTreeMap<u32, Arc<Definition>>>>,
    newest: RwLock<BTreeMap<(OrgId, String), Arc<Definition>>>,
}

impl Library {
    pub(crate) fn new(journal: Arc<dyn Journal>, clock: Arc<dyn Clock>) -> Self {
        Self { journal, clock, compiled: RwLock::default(), newest: RwLock::default() }
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
            let key = (org.clone(), slug.to_owned());
            self.newest.write().insert(key, Arc::clone(&definition));
        }
        Ok(definition)
    }

    /// Checks a text without publishing it.
    pub fn check(source: &str, file_name: &str) -> Result<Definition, LibraryError> {
        definition::load(source, file_name, 0).map_err(LibraryError::Invalid)
    }

    /// Publishes a text as the next version of the definition it names. The same text again is
    /// the same version.
    pub async fn publish(
        &self,
        org: &OrgId,
        source: &str,
        by: &str,
    ) -> Result<Published, LibraryError> {
        let checked = Self::check(source, "definition")?;
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
        let key = (org.clone(), stored.slug);
        self.newest.write().insert(key, Arc::clone(&definition));
        Ok(Published { definition, is_new })
    }

    fn compile(&self, stored: &StoredDefinition) -> Result<Arc<Definition>, LibraryError> {
        if let Some(found) = self.cached(&stored.digest, stored.version) {
            return Ok(found);
        }
        let loaded = definition::load(&stored.source, &stored.slug, stored.version);
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
