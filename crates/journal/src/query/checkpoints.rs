//! Questions to people, open and answered.

use std::collections::BTreeMap;

use serde_json::Value;
use showrunner_engine::at::Timestamp;
use showrunner_engine::event::Answer;
use showrunner_engine::id::{Digest, OrgId, RunId, StepKey};

use super::runs::{PAGE_MAX, instant_or_none, small};
use crate::Journal;
use crate::cell::{Row, Statement};
use crate::error::JournalError;

/// A question, as people see it.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckpointView {
    /// Which run.
    pub run_id: RunId,
    /// Which step.
    pub step: StepKey,
    /// The number of the event that opened it; a step may ask more than once.
    pub seq: u64,
    /// Whose.
    pub org: OrgId,
    /// The question.
    pub question: String,
    /// The question in Japanese.
    pub question_ja: Option<String>,
    /// What is shown.
    pub show: Value,
    /// Its digest; an answer is bound to it.
    pub digest: Digest,
    /// The answers offered: `[{"verb", "label"?}]`.
    pub options: Value,
    /// Who may answer; everybody who may decide when empty.
    pub roles: Vec<String>,
    /// Who was asked in addition.
    pub escalated: Vec<String>,
    /// How many voices it takes.
    pub quorum: u32,
    /// Since when.
    pub opened_at: Timestamp,
    /// Until when.
    pub until: Option<Timestamp>,
    /// `open`, the verb that decided, `expired` or `withdrawn`.
    pub status: String,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// The run's title.
    pub run_title: Option<String>,
    /// The run's definition.
    pub run_slug: String,
    /// The voices so far.
    pub answers: Vec<Answer>,
}

const SELECT: &str = "SELECT c.run_id, c.step, c.seq, c.org, c.question, c.question_ja, c.show,
    c.digest, c.options, c.roles, c.escalated, c.quorum, c.opened_at, c.until, c.status,
    c.closed_at, r.title, r.slug
  FROM checkpoints c JOIN runs r ON r.id = c.run_id";

fn read_checkpoint(row: &mut Row) -> Result<CheckpointView, JournalError> {
    Ok(CheckpointView {
        run_id: row.text()?.into(),
        step: row.text()?.into(),
        seq: row.count()?,
        org: row.text()?.into(),
        question: row.text()?,
        question_ja: row.text_or_none()?,
        show: row.json()?,
        digest: row.text()?.into(),
        options: row.json()?,
        roles: row.json()?,
        escalated: row.json_or_none()?.unwrap_or_default(),
        quorum: small(row)?,
        opened_at: Timestamp(row.int()?),
        until: instant_or_none(row)?,
        status: row.text()?,
        closed_at: instant_or_none(row)?,
        run_title: row.text_or_none()?,
        run_slug: row.text()?,
        answers: Vec::new(),
    })
}

impl dyn Journal {
    /// What waits for people of an organisation, oldest first; after the one that was opened
    /// then in that run.
    pub async fn open_checkpoints(
        &self,
        org: &OrgId,
        after: Option<(Timestamp, RunId)>,
        limit: u32,
    ) -> Result<Vec<CheckpointView>, JournalError> {
        let mut question =
            Statement::new(format!("{SELECT} WHERE c.org = $1 AND c.status = 'open'"))
                .bind(org.as_str());
        if let Some((opened_at, run)) = after {
            let (at, run) = (question.place(opened_at.0), question.place(run.as_str()));
            question.push(&format!(" AND (c.opened_at, c.run_id) > ({at}, {run})"));
        }
        let limit = question.place(i64::from(limit.clamp(1, PAGE_MAX)));
        question.push(&format!(" ORDER BY c.opened_at, c.run_id, c.step LIMIT {limit}"));
        self.checkpoints(question).await
    }

    /// Everything a run asked, in order.
    pub async fn checkpoints_of(&self, run: &RunId) -> Result<Vec<CheckpointView>, JournalError> {
        let sql = format!("{SELECT} WHERE c.run_id = $1 ORDER BY c.seq");
        self.checkpoints(Statement::new(sql).bind(run.as_str())).await
    }

    async fn checkpoints(&self, question: Statement) -> Result<Vec<CheckpointView>, JournalError> {
        let rows = self.fetch(question).await?;
        let mut found: Vec<CheckpointView> =
            rows.into_iter().map(|mut row| read_checkpoint(&mut row)).collect::<Result<_, _>>()?;
        self.add_answers(&mut found).await?;
        Ok(found)
    }

    /// The voices of these questions: those that were raised between one opening and the next.
    async fn add_answers(&self, found: &mut [CheckpointView]) -> Result<(), JournalError> {
        let mut runs: Vec<&RunId> = found.iter().map(|checkpoint| &checkpoint.run_id).collect();
        runs.sort();
        runs.dedup();
        if runs.is_empty() {
            return Ok(());
        }
        let mut question = Statement::new(
            "SELECT a.run_id, a.step, a.seq, a.answer,
               (SELECT MAX(c.seq) FROM checkpoints c
                WHERE c.run_id = a.run_id AND c.step = a.step AND c.seq < a.seq)
             FROM checkpoint_answers a WHERE a.run_id IN (",
        );
        let places: Vec<String> = runs.iter().map(|run| question.place(run.as_str())).collect();
        question.push(&places.join(", "));
        question.push(") ORDER BY a.run_id, a.seq");
        let mut answers: BTreeMap<(String, String, u64), Vec<Answer>> = BTreeMap::new();
        for mut row in self.fetch(question).await? {
            let (run, step, _) = (row.text()?, row.text()?, row.count()?);
            let answer: Answer = row.json()?;
            if let Some(opened) = row.int_or_none()? {
                answers.entry((run, step, opened.unsigned_abs())).or_default().push(answer);
            }
        }
        for checkpoint in found {
            let (run, step) = (checkpoint.run_id.to_string(), checkpoint.step.to_string());
            checkpoint.answers = answers.remove(&(run, step, checkpoint.seq)).unwrap_or_default();
        }
        Ok(())
    }
}
