//! Results that an equal call may reuse.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use showrunner_engine::at::Timestamp;
use showrunner_engine::event::Asset;
use showrunner_engine::id::Digest;

use crate::Journal;
use crate::cell::Statement;
use crate::error::JournalError;

/// A result that may be reused.
#[derive(Clone, Debug, PartialEq)]
pub struct CachedResult {
    /// The output.
    pub output: Value,
    /// The assets.
    pub assets: Vec<Asset>,
    /// Whether anything in it came from nobody real.
    pub simulated: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What stands in the column `assets`.
#[derive(Serialize, Deserialize)]
struct Kept {
    assets: Vec<Asset>,
    simulated: bool,
}

impl dyn Journal {
    /// The result under a key: the digest of everything that it depends on.
    pub async fn cached(&self, key: &Digest) -> Result<Option<CachedResult>, JournalError> {
        let question =
            Statement::new("SELECT output, assets, created_at FROM cache WHERE key = $1")
                .bind(key.as_str());
        let Some(mut row) = self.fetch(question).await?.into_iter().next() else {
            return Ok(None);
        };
        let output = row.json()?;
        let Kept { assets, simulated } = row.json()?;
        Ok(Some(CachedResult { output, assets, simulated, created_at: Timestamp(row.int()?) }))
    }

    /// Keeps a result. The first one under a key stays.
    pub async fn put_cached(
        &self,
        key: &Digest,
        result: &CachedResult,
    ) -> Result<(), JournalError> {
        let kept = Kept { assets: result.assets.clone(), simulated: result.simulated };
        let kept = serde_json::to_string(&kept).map_err(JournalError::storage)?;
        let insert = Statement::new(
            "INSERT INTO cache (key, output, assets, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (key) DO NOTHING",
        )
        .bind(key.as_str())
        .bind(result.output.to_string())
        .bind(kept)
        .bind(result.created_at.0);
        self.write(vec![insert]).await.map(drop)
    }
}
