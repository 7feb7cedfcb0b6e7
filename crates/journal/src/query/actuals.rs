//! What runs of a definition have really taken.

use showrunner_engine::at::Millis;
use showrunner_engine::id::{OrgId, RunId};
use showrunner_engine::money::MicroUsd;

use super::runs::PAGE_MAX;
use crate::Journal;
use crate::cell::{Row, Statement};
use crate::error::JournalError;

/// What a completed run has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actual {
    /// Everything that was spent on it.
    pub cost: MicroUsd,
    /// From its start to its end without the time in which a person was asked.
    pub work: Millis,
}

/// How long people were asked, in microseconds. At most one asks at a time in most definitions;
/// where several do, their times add up and the work comes out too short, but never below zero.
const ASKED: &str = "COALESCE((SELECT CAST(SUM(c.closed_at - c.opened_at) AS BIGINT)
    FROM checkpoints c WHERE c.run_id = r.id AND c.closed_at IS NOT NULL), 0)";

fn read_actual(mut row: Row) -> Result<Actual, JournalError> {
    let cost = MicroUsd(row.int()?);
    let work_us = u64::try_from(row.int()?).unwrap_or(0);
    Ok(Actual { cost, work: Millis(work_us / 1000) })
}

impl dyn Journal {
    /// The newest completed runs of an organisation's definition, whatever its version. Forks are
    /// not among them: they take over what others have paid for.
    pub async fn actuals(
        &self,
        org: &OrgId,
        slug: &str,
        limit: u32,
    ) -> Result<Vec<Actual>, JournalError> {
        let question = Statement::new(format!(
            "SELECT r.spent_cost, r.ended_at - r.started_at - {ASKED} FROM runs r
             WHERE r.org = $1 AND r.status = 'completed' AND r.slug = $2
               AND r.forked_from IS NULL AND r.ended_at IS NOT NULL
             ORDER BY r.started_at DESC, r.id DESC LIMIT $3"
        ))
        .bind(org.as_str())
        .bind(slug)
        .bind(i64::from(limit.clamp(1, PAGE_MAX)));
        self.fetch(question).await?.into_iter().map(read_actual).collect()
    }

    /// What one run has taken, once it has ended.
    pub async fn actual(&self, run: &RunId) -> Result<Option<Actual>, JournalError> {
        let question = Statement::new(format!(
            "SELECT r.spent_cost, r.ended_at - r.started_at - {ASKED} FROM runs r
             WHERE r.id = $1 AND r.ended_at IS NOT NULL"
        ))
        .bind(run.as_str());
        self.fetch(question).await?.into_iter().next().map(read_actual).transpose()
    }
}
