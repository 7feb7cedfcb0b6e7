//! The numbers of the first page.

use showrunner_engine::at::Timestamp;
use showrunner_engine::id::OrgId;
use showrunner_engine::money::Spend;

use super::runs::spend;
use crate::Journal;
use crate::cell::Statement;
use crate::error::JournalError;
use crate::project::DAY_US;

/// How an organisation stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HomeCounts {
    /// Runs that work.
    pub running: u64,
    /// Runs that wait.
    pub waiting: u64,
    /// Questions that wait for people.
    pub checkpoints_open: u64,
    /// Runs that failed in the last 24 hours.
    pub failed_24h: u64,
    /// Runs that were completed in the last 24 hours.
    pub completed_24h: u64,
    /// What was spent since midnight UTC.
    pub spent_today: Spend,
}

impl dyn Journal {
    /// How an organisation stands at `now`.
    pub async fn home(&self, org: &OrgId, now: Timestamp) -> Result<HomeCounts, JournalError> {
        let question = Statement::new(
            "SELECT
               (SELECT COUNT(*) FROM runs WHERE org = $1 AND status = 'running'),
               (SELECT COUNT(*) FROM runs WHERE org = $1 AND status = 'waiting'),
               (SELECT COUNT(*) FROM checkpoints WHERE org = $1 AND status = 'open'),
               (SELECT COUNT(*) FROM runs
                WHERE org = $1 AND status = 'failed' AND ended_at > $2),
               (SELECT COUNT(*) FROM runs
                WHERE org = $1 AND status = 'completed' AND ended_at > $2),
               COALESCE((SELECT cost FROM spend WHERE org = $1 AND day = $3), 0),
               COALESCE((SELECT tokens FROM spend WHERE org = $1 AND day = $3), 0)",
        )
        .bind(org.as_str())
        .bind(now.0.saturating_sub(DAY_US))
        .bind(now.0.div_euclid(DAY_US));
        let Some(mut row) = self.fetch(question).await?.into_iter().next() else {
            return Ok(HomeCounts::default());
        };
        Ok(HomeCounts {
            running: row.count()?,
            waiting: row.count()?,
            checkpoints_open: row.count()?,
            failed_24h: row.count()?,
            completed_24h: row.count()?,
            spent_today: spend(&mut row)?,
        })
    }
}
