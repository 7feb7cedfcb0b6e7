//! What must be looked at after a start, and when time must be looked at next.

use showrunner_engine::at::Timestamp;
use showrunner_engine::id::RunId;

use crate::Journal;
use crate::cell::Statement;
use crate::error::JournalError;

/// A run that something is due for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRun {
    /// Which.
    pub id: RunId,
    /// How many effects are due; 0 when only its time has come.
    pub due: u64,
    /// When time must be looked at.
    pub wake_at: Option<Timestamp>,
    /// Larger goes first.
    pub priority: i64,
}

impl dyn Journal {
    /// Open runs with something due, or whose time has come at `now`: in order of ids, those
    /// after `after`, at most `limit`. Runs that only wait are not among them.
    pub async fn runs_to_recover(
        &self,
        now: Timestamp,
        after: Option<&RunId>,
        limit: u32,
    ) -> Result<Vec<OpenRun>, JournalError> {
        let question = Statement::new(
            "SELECT id, due, wake_at, priority FROM runs
             WHERE open = 1 AND id > $1 AND (due > 0 OR wake_at <= $2) ORDER BY id LIMIT $3",
        )
        .bind(after.map_or("", RunId::as_str))
        .bind(now.0)
        .bind(i64::from(limit));
        self.open_runs(question).await
    }

    /// Runs whose time has come at `now`, those that waited longest first.
    pub async fn runs_to_wake(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<OpenRun>, JournalError> {
        let question = Statement::new(
            "SELECT id, due, wake_at, priority FROM runs
             WHERE wake_at IS NOT NULL AND wake_at <= $1 ORDER BY wake_at, id LIMIT $2",
        )
        .bind(now.0)
        .bind(i64::from(limit));
        self.open_runs(question).await
    }

    async fn open_runs(&self, question: Statement) -> Result<Vec<OpenRun>, JournalError> {
        let rows = self.fetch(question).await?;
        rows.into_iter()
            .map(|mut row| {
                Ok(OpenRun {
                    id: row.text()?.into(),
                    due: row.count()?,
                    wake_at: super::runs::instant_or_none(&mut row)?,
                    priority: row.int()?,
                })
            })
            .collect()
    }

    /// The earliest time at which a run must be looked at, after `after`.
    pub async fn next_wake_at(&self, after: Timestamp) -> Result<Option<Timestamp>, JournalError> {
        let question = Statement::new(
            "SELECT MIN(wake_at) FROM runs WHERE wake_at IS NOT NULL AND wake_at > $1",
        )
        .bind(after.0);
        match self.fetch(question).await?.into_iter().next() {
            Some(mut row) => super::runs::instant_or_none(&mut row),
            None => Ok(None),
        }
    }

    /// How many runs are open.
    pub async fn open_run_count(&self) -> Result<u64, JournalError> {
        let question = Statement::new("SELECT COUNT(*) FROM runs WHERE open = 1");
        match self.fetch(question).await?.into_iter().next() {
            Some(mut row) => row.count(),
            None => Ok(0),
        }
    }
}
