//! Tokens. Only their digests are stored.

use showrunner_engine::at::Timestamp;
use showrunner_engine::id::{Digest, OrgId};

use super::runs::instant_or_none;
use crate::Journal;
use crate::cell::{Row, Statement};
use crate::error::JournalError;

/// What a token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredToken {
    /// Its id; not the token.
    pub id: String,
    /// Which organisation.
    pub org: OrgId,
    /// Who.
    pub principal: String,
    /// With which roles.
    pub roles: Vec<String>,
    /// SHA-256 of the token.
    pub digest: Digest,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

const SELECT: &str = "SELECT id, org, principal, roles, digest, created_at, revoked_at FROM tokens";

fn read_token(mut row: Row) -> Result<StoredToken, JournalError> {
    Ok(StoredToken {
        id: row.text()?,
        org: row.text()?.into(),
        principal: row.text()?,
        roles: row.json()?,
        digest: row.text()?.into(),
        created_at: Timestamp(row.int()?),
        revoked_at: instant_or_none(&mut row)?,
    })
}

impl dyn Journal {
    /// The token with this digest, revoked or not.
    pub async fn token(&self, digest: &Digest) -> Result<Option<StoredToken>, JournalError> {
        let question = Statement::new(format!("{SELECT} WHERE digest = $1")).bind(digest.as_str());
        self.fetch(question).await?.into_iter().next().map(read_token).transpose()
    }

    /// An organisation's tokens, newest first.
    pub async fn tokens(&self, org: &OrgId) -> Result<Vec<StoredToken>, JournalError> {
        let question =
            Statement::new(format!("{SELECT} WHERE org = $1 ORDER BY created_at DESC, id"))
                .bind(org.as_str());
        self.fetch(question).await?.into_iter().map(read_token).collect()
    }

    /// How many tokens there are, over all organisations: none means a first start.
    pub async fn token_count(&self) -> Result<u64, JournalError> {
        let question = Statement::new("SELECT COUNT(*) FROM tokens");
        match self.fetch(question).await?.into_iter().next() {
            Some(mut row) => row.count(),
            None => Ok(0),
        }
    }

    /// Stores a token.
    pub async fn put_token(&self, token: &StoredToken) -> Result<(), JournalError> {
        let roles = serde_json::Value::from(token.roles.clone()).to_string();
        let insert = Statement::new(
            "INSERT INTO tokens (id, org, principal, roles, digest, created_at, revoked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(token.id.as_str())
        .bind(token.org.as_str())
        .bind(token.principal.as_str())
        .bind(roles)
        .bind(token.digest.as_str())
        .bind(token.created_at.0)
        .bind(token.revoked_at.map(|at| at.0));
        self.write(vec![insert]).await.map(drop)
    }

    /// Revokes a token. False when there is none, or it was revoked before.
    pub async fn revoke_token(
        &self,
        org: &OrgId,
        id: &str,
        now: Timestamp,
    ) -> Result<bool, JournalError> {
        let update = Statement::new(
            "UPDATE tokens SET revoked_at = $3
             WHERE org = $1 AND id = $2 AND revoked_at IS NULL",
        )
        .bind(org.as_str())
        .bind(id)
        .bind(now.0);
        let written = self.write(vec![update]).await?;
        Ok(written.first().is_some_and(|written| written.changed > 0))
    }
}
