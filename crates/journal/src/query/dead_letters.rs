//! Agent steps that failed for good, and what became of them.

use serde_json::Value;
use showrunner_engine::at::Timestamp;
use showrunner_engine::id::{OrgId, RunId, StepKey};

use super::runs::{PAGE_MAX, instant_or_none, small};
use crate::Journal;
use crate::cell::{Row, Statement};
use crate::error::JournalError;

/// An agent step that failed for good.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetterView {
    /// Its id.
    pub id: String,
    /// Which run.
    pub run_id: RunId,
    /// Whose.
    pub org: OrgId,
    /// Which step.
    pub step: StepKey,
    /// Who failed.
    pub agent: String,
    /// What kind of failure.
    pub class: String,
    /// Its stable short code.
    pub code: String,
    /// What happened, for people.
    pub message: String,
    /// Attempts made.
    pub attempts: u32,
    /// What the step was given.
    pub snapshot: Value,
    /// When.
    pub created_at: Timestamp,
    /// When it was taken up again.
    pub resolved_at: Option<Timestamp>,
    /// How.
    pub resolution: Option<String>,
}

const SELECT: &str = "SELECT id, run_id, org, step, agent, class, code, message, attempts,
    snapshot, created_at, resolved_at, resolution FROM dead_letters";

fn read_letter(mut row: Row) -> Result<DeadLetterView, JournalError> {
    let row = &mut row;
    Ok(DeadLetterView {
        id: row.text()?,
        run_id: row.text()?.into(),
        org: row.text()?.into(),
        step: row.text()?.into(),
        agent: row.text()?,
        class: row.text()?,
        code: row.text()?,
        message: row.text()?,
        attempts: small(row)?,
        snapshot: row.json()?,
        created_at: Timestamp(row.int()?),
        resolved_at: instant_or_none(row)?,
        resolution: row.text_or_none()?,
    })
}

impl dyn Journal {
    /// An organisation's dead letters, newest first, older than `before`; those that were taken
    /// up only when asked for.
    pub async fn dead_letters(
        &self,
        org: &OrgId,
        with_resolved: bool,
        before: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<DeadLetterView>, JournalError> {
        let mut question = Statement::new(format!("{SELECT} WHERE org = $1")).bind(org.as_str());
        if !with_resolved {
            question.push(" AND resolved_at IS NULL");
        }
        if let Some(before) = before {
            let place = question.place(before.0);
            question.push(&format!(" AND created_at < {place}"));
        }
        let limit = question.place(i64::from(limit.clamp(1, PAGE_MAX)));
        question.push(&format!(" ORDER BY created_at DESC, id LIMIT {limit}"));
        self.fetch(question).await?.into_iter().map(read_letter).collect()
    }

    /// One dead letter.
    pub async fn dead_letter(&self, id: &str) -> Result<Option<DeadLetterView>, JournalError> {
        let question = Statement::new(format!("{SELECT} WHERE id = $1")).bind(id);
        self.fetch(question).await?.into_iter().next().map(read_letter).transpose()
    }

    /// The dead letters of a run, in order.
    pub async fn dead_letters_of(&self, run: &RunId) -> Result<Vec<DeadLetterView>, JournalError> {
        let sql = format!("{SELECT} WHERE run_id = $1 ORDER BY created_at, id");
        let rows = self.fetch(Statement::new(sql).bind(run.as_str())).await?;
        rows.into_iter().map(read_letter).collect()
    }
}
