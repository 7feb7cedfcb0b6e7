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
    /// When it was taken up again, or noted.
    pub resolved_at: Option<Timestamp>,
    /// How: `retried`, `skipped`, `completed by hand`, `noted`.
    pub resolution: Option<String>,
    /// Who noted it.
    pub noted_by: Option<String>,
    /// What they noted.
    pub notes: Option<String>,
}

/// Which dead letters are wanted.
#[derive(Clone, Debug)]
pub struct LetterFilter {
    /// Whose.
    pub org: OrgId,
    /// Of runs of these definitions; of any when empty.
    pub slugs: Vec<String>,
    /// Of this run.
    pub run: Option<RunId>,
    /// Also those that were taken up again or noted.
    pub with_resolved: bool,
    /// Older than this one: the last of the page before.
    pub after: Option<(Timestamp, String)>,
    /// At most so many, and at most [`PAGE_MAX`].
    pub limit: u32,
}

impl LetterFilter {
    /// The newest of an organisation that nobody has dealt with.
    pub fn of(org: &OrgId) -> Self {
        Self {
            org: org.clone(),
            slugs: Vec::new(),
            run: None,
            with_resolved: false,
            after: None,
            limit: PAGE_MAX,
        }
    }
}

/// That somebody has dealt with a dead letter, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterNote {
    /// Which.
    pub letter: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What they did about it, in their words.
    pub notes: String,
}

const SELECT: &str = "SELECT d.id, d.run_id, d.org, d.step, d.agent, d.class, d.code, d.message,
    d.attempts, d.snapshot, d.created_at, COALESCE(d.resolved_at, n.resolved_at),
    COALESCE(d.resolution, CASE WHEN n.letter IS NULL THEN NULL ELSE 'noted' END),
    n.resolved_by, n.notes
    FROM dead_letters d LEFT JOIN dead_letter_notes n ON n.letter = d.id";

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
        noted_by: row.text_or_none()?,
        notes: row.text_or_none()?,
    })
}

impl dyn Journal {
    /// Dead letters, newest first.
    pub async fn dead_letters(
        &self,
        filter: &LetterFilter,
    ) -> Result<Vec<DeadLetterView>, JournalError> {
        let org = filter.org.as_str();
        let mut question = Statement::new(format!("{SELECT} WHERE d.org = $1")).bind(org);
        if !filter.with_resolved {
            question.push(" AND d.resolved_at IS NULL AND n.letter IS NULL");
        }
        if let Some(run) = &filter.run {
            let place = question.place(run.as_str());
            question.push(&format!(" AND d.run_id = {place}"));
        }
        if !filter.slugs.is_empty() {
            let places: Vec<String> =
                filter.slugs.iter().map(|slug| question.place(slug.as_str())).collect();
            question.push(&format!(
                " AND EXISTS (SELECT 1 FROM runs r WHERE r.id = d.run_id AND r.slug IN ({}))",
                places.join(", ")
            ));
        }
        if let Some((at, id)) = &filter.after {
            let (at, id) = (question.place(at.0), question.place(id.as_str()));
            question.push(&format!(" AND (d.created_at, d.id) < ({at}, {id})"));
        }
        let limit = question.place(i64::from(filter.limit.clamp(1, PAGE_MAX)));
        question.push(&format!(" ORDER BY d.created_at DESC, d.id DESC LIMIT {limit}"));
        self.fetch(question).await?.into_iter().map(read_letter).collect()
    }

    /// One dead letter.
    pub async fn dead_letter(&self, id: &str) -> Result<Option<DeadLetterView>, JournalError> {
        let question = Statement::new(format!("{SELECT} WHERE d.id = $1")).bind(id);
        self.fetch(question).await?.into_iter().next().map(read_letter).transpose()
    }

    /// The dead letters of a run, in order.
    pub async fn dead_letters_of(&self, run: &RunId) -> Result<Vec<DeadLetterView>, JournalError> {
        let sql = format!("{SELECT} WHERE d.run_id = $1 ORDER BY d.created_at, d.id");
        let rows = self.fetch(Statement::new(sql).bind(run.as_str())).await?;
        rows.into_iter().map(read_letter).collect()
    }

    /// Notes that a dead letter was dealt with, once: one that was noted or taken up before stays
    /// as it is. The run is not touched.
    pub async fn note_dead_letter(&self, note: &LetterNote) -> Result<(), JournalError> {
        let insert = Statement::new(
            "INSERT INTO dead_letter_notes (letter, org, resolved_at, resolved_by, notes)
             SELECT d.id, d.org, $1, $2, $3 FROM dead_letters d
             WHERE d.id = $4 AND d.resolved_at IS NULL
             ON CONFLICT (letter) DO NOTHING",
        )
        .bind(note.at.0)
        .bind(note.by.as_str())
        .bind(note.notes.as_str())
        .bind(note.letter.as_str());
        self.write(vec![insert]).await.map(drop)
    }
}
