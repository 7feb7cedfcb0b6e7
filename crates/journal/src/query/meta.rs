//! Small facts about this installation, and answers kept for repeated requests.

use crate::Journal;
use crate::cell::Statement;
use crate::error::{JournalError, StoredAnswer};

impl dyn Journal {
    /// A fact; `None` when it was never set.
    pub async fn meta(&self, key: &str) -> Result<Option<String>, JournalError> {
        let question = Statement::new("SELECT value FROM meta WHERE key = $1").bind(key);
        self.fetch(question).await?.into_iter().next().map(|mut row| row.text()).transpose()
    }

    /// Sets a fact that is not set; returns what it is now.
    pub async fn set_meta_once(&self, key: &str, value: &str) -> Result<String, JournalError> {
        let insert = Statement::new(
            "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING",
        )
        .bind(key)
        .bind(value);
        self.write(vec![insert]).await?;
        let now = self.meta(key).await?;
        now.ok_or_else(|| JournalError::Corrupt(format!("{key} was stored and is not there")))
    }

    /// Sets a fact.
    pub async fn set_meta(&self, key: &str, value: &str) -> Result<(), JournalError> {
        let upsert = Statement::new(
            "INSERT INTO meta (key, value) VALUES ($1, $2)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .bind(key)
        .bind(value);
        self.write(vec![upsert]).await.map(drop)
    }

    /// What was answered to the first request with this key.
    pub async fn stored_answer(
        &self,
        scope: &str,
        key: &str,
    ) -> Result<Option<StoredAnswer>, JournalError> {
        let question = Statement::new(
            "SELECT fingerprint, run_id, response FROM idempotency WHERE scope = $1 AND key = $2",
        )
        .bind(scope)
        .bind(key);
        let Some(mut row) = self.fetch(question).await?.into_iter().next() else {
            return Ok(None);
        };
        Ok(Some(StoredAnswer {
            fingerprint: row.text()?,
            run_id: row.text()?.into(),
            response: row.text()?,
        }))
    }
}
