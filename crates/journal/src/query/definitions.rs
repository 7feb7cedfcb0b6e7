//! Definitions: every version is kept, none is changed.

use showrunner_engine::at::Timestamp;
use showrunner_engine::id::{Digest, OrgId};

use super::runs::small;
use crate::Journal;
use crate::cell::{Row, Statement};
use crate::error::JournalError;

/// A stored version of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDefinition {
    /// Whose.
    pub org: OrgId,
    /// Its name.
    pub slug: String,
    /// Its version, from 1.
    pub version: u32,
    /// SHA-256 of its source.
    pub digest: Digest,
    /// The author's text.
    pub source: String,
    /// `draft`, `published` or `archived`.
    pub status: String,
    /// When it was stored.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// A version to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDefinition {
    /// Whose.
    pub org: OrgId,
    /// Its name.
    pub slug: String,
    /// SHA-256 of its source.
    pub digest: Digest,
    /// The author's text.
    pub source: String,
    /// `draft` or `published`.
    pub status: &'static str,
    /// When.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

const COLUMNS: &str = "org, slug, version, digest, source, status, created_at, created_by";

fn read_definition(mut row: Row) -> Result<StoredDefinition, JournalError> {
    let row = &mut row;
    Ok(StoredDefinition {
        org: row.text()?.into(),
        slug: row.text()?,
        version: small(row)?,
        digest: row.text()?.into(),
        source: row.text()?,
        status: row.text()?,
        created_at: Timestamp(row.int()?),
        created_by: row.text()?,
    })
}

impl dyn Journal {
    /// The newest version of each definition of an organisation, by name.
    pub async fn definitions(&self, org: &OrgId) -> Result<Vec<StoredDefinition>, JournalError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM definitions d WHERE org = $1 AND version =
               (SELECT MAX(version) FROM definitions n WHERE n.org = d.org AND n.slug = d.slug)
             ORDER BY slug"
        );
        let rows = self.fetch(Statement::new(sql).bind(org.as_str())).await?;
        rows.into_iter().map(read_definition).collect()
    }

    /// Every version of a definition, newest first.
    pub async fn definition_versions(
        &self,
        org: &OrgId,
        slug: &str,
    ) -> Result<Vec<StoredDefinition>, JournalError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM definitions WHERE org = $1 AND slug = $2 ORDER BY version DESC"
        );
        let rows = self.fetch(Statement::new(sql).bind(org.as_str()).bind(slug)).await?;
        rows.into_iter().map(read_definition).collect()
    }

    /// One version; the newest published one when none is named.
    pub async fn definition(
        &self,
        org: &OrgId,
        slug: &str,
        version: Option<u32>,
    ) -> Result<Option<StoredDefinition>, JournalError> {
        let start = format!("SELECT {COLUMNS} FROM definitions WHERE org = $1 AND slug = $2");
        let question = match version {
            Some(version) => Statement::new(format!("{start} AND version = $3"))
                .bind(org.as_str())
                .bind(slug)
                .bind(version),
            None => Statement::new(format!(
                "{start} AND status = 'published' ORDER BY version DESC LIMIT 1"
            ))
            .bind(org.as_str())
            .bind(slug),
        };
        self.fetch(question).await?.into_iter().next().map(read_definition).transpose()
    }

    /// Stores a version and returns it. A text that is the newest version already is that
    /// version: storing it again stores nothing.
    pub async fn put_definition(
        &self,
        new: NewDefinition,
    ) -> Result<StoredDefinition, JournalError> {
        // The number is found inside the statement: two that publish at once get two numbers.
        let insert = Statement::new(
            "INSERT INTO definitions (org, slug, version, digest, source, status, created_at,
               created_by)
             SELECT $1, $2, COALESCE((SELECT MAX(version) FROM definitions
                                      WHERE org = $1 AND slug = $2), 0) + 1, $3, $4, $5, $6, $7
             WHERE NOT EXISTS (
               SELECT 1 FROM definitions d WHERE d.org = $1 AND d.slug = $2 AND d.digest = $3
                 AND d.version = (SELECT MAX(version) FROM definitions
                                  WHERE org = $1 AND slug = $2))",
        )
        .bind(new.org.as_str())
        .bind(new.slug.as_str())
        .bind(new.digest.as_str())
        .bind(new.source)
        .bind(new.status)
        .bind(new.created_at.0)
        .bind(new.created_by);
        self.write(vec![insert]).await?;
        let newest = self.definition_versions(&new.org, &new.slug).await?;
        newest
            .into_iter()
            .find(|version| version.digest == new.digest)
            .ok_or_else(|| JournalError::Corrupt(format!("{} was stored and is gone", new.slug)))
    }

    /// Publishes or archives a version. False when there is no such version.
    pub async fn set_definition_status(
        &self,
        org: &OrgId,
        slug: &str,
        version: u32,
        status: &'static str,
    ) -> Result<bool, JournalError> {
        let update = Statement::new(
            "UPDATE definitions SET status = $4 WHERE org = $1 AND slug = $2 AND version = $3",
        )
        .bind(org.as_str())
        .bind(slug)
        .bind(version)
        .bind(status);
        let written = self.write(vec![update]).await?;
        Ok(written.first().is_some_and(|written| written.changed > 0))
    }
}
