//! Runs and their steps.

use std::collections::BTreeMap;

use serde_json::Value;
use showrunner_engine::at::Timestamp;
use showrunner_engine::failure::Failure;
use showrunner_engine::id::{Digest, OrgId, RunId, StepKey};
use showrunner_engine::money::{Budget, MicroUsd, Spend};

use crate::cell::{Row, Statement};
use crate::error::JournalError;
use crate::{Journal, cell};

/// At most so many rows a page, whatever is asked for.
pub const PAGE_MAX: u32 = 200;

/// A run as lists and pages show it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunView {
    /// Its id.
    pub id: RunId,
    /// Whose.
    pub org: OrgId,
    /// Its definition's name.
    pub slug: String,
    /// Its definition's version.
    pub version: u32,
    /// Its definition's digest.
    pub digest: Digest,
    /// For people.
    pub title: Option<String>,
    /// Facts to find it by.
    pub labels: BTreeMap<String, String>,
    /// Who started it.
    pub started_by: String,
    /// The run that waits for it.
    pub parent_run: Option<RunId>,
    /// The step that waits for it.
    pub parent_step: Option<StepKey>,
    /// The run it is a fork of.
    pub forked_from: Option<RunId>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it must have ended.
    pub deadline: Option<Timestamp>,
    /// Its limit.
    pub budget: Budget,
    /// Larger goes first.
    pub priority: i64,
    /// The phase it stands in.
    pub phase: Option<String>,
    /// The number of its newest event.
    pub seq: u64,
    /// The hash of its newest append.
    pub last_hash: Vec<u8>,
    /// When its newest event happened.
    pub updated_at: Timestamp,
    /// How many effects are due.
    pub due: u64,
    /// The first few things it waits for.
    pub waits: Vec<WaitView>,
    /// What it has cost.
    pub spent: Spend,
    /// What is held back.
    pub reserved: Spend,
    /// Whether anything in it was made up by the shipped double.
    pub simulated: bool,
    /// `running`, `waiting` …
    pub status: String,
    /// When time must be looked at next.
    pub wake_at: Option<Timestamp>,
    /// Whether anything may still happen to it.
    pub open: bool,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What it handed out. `None` in lists.
    pub output: Option<Value>,
    /// Why it was ended, in words.
    pub close_reason: Option<String>,
    /// Who ended it.
    pub closed_by: Option<String>,
}

/// Something a run or step waits for.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct WaitView {
    /// Which step; absent in the step's own row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepKey>,
    /// `person`, `retry`, `time`, `callback`, `child`, `job`, `doubt`, `fallback`.
    #[serde(rename = "for")]
    pub what: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The callback's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The child run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The provider's job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<Value>,
    /// The step that takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<StepKey>,
}

/// Which runs, and from where on. Everything set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Whose; always needed.
    pub org: Option<OrgId>,
    /// With one of these statuses; any when empty.
    pub statuses: Vec<String>,
    /// Of this definition.
    pub slug: Option<String>,
    /// Of one of these definitions; of any when empty.
    pub slugs: Vec<String>,
    /// With these labels.
    pub labels: Vec<(String, String)>,
    /// Started by this run.
    pub parent_run: Option<RunId>,
    /// With this in the title, in any case of Latin letters.
    pub text: Option<String>,
    /// Started not before.
    pub started_from: Option<Timestamp>,
    /// Started before.
    pub started_before: Option<Timestamp>,
    /// Older than this run: the last one of the page before.
    pub after: Option<(Timestamp, RunId)>,
    /// How many; at most [`PAGE_MAX`].
    pub limit: u32,
}

const COLUMNS: &str = "r.id, r.org, r.slug, r.version, r.digest, r.title, r.labels, r.started_by,
  r.parent_run, r.parent_step, r.forked_from, r.started_at, r.deadline, r.budget_cost,
  r.budget_tokens, r.priority, r.phase, r.seq, r.last_hash, r.updated_at, r.due, r.waits,
  r.spent_cost, r.spent_tokens, r.reserved_cost, r.reserved_tokens, r.simulated, r.status, r.wake_at, r.open,
  r.delivered_at, r.ended_at, r.failure, r.close_reason, r.closed_by";

fn read_run(row: &mut Row) -> Result<RunView, JournalError> {
    Ok(RunView {
        id: row.text()?.into(),
        org: row.text()?.into(),
        slug: row.text()?,
        version: small(row)?,
        digest: row.text()?.into(),
        title: row.text_or_none()?,
        labels: row.json()?,
        started_by: row.text()?,
        parent_run: row.text_or_none()?.map(Into::into),
        parent_step: row.text_or_none()?.map(Into::into),
        forked_from: row.text_or_none()?.map(Into::into),
        started_at: Timestamp(row.int()?),
        deadline: instant_or_none(row)?,
        budget: Budget {
            cost: row.int_or_none()?.map(MicroUsd),
            tokens: row.int_or_none()?.map(i64::unsigned_abs),
        },
        priority: row.int()?,
        phase: row.text_or_none()?,
        seq: row.count()?,
        last_hash: row.bytes()?,
        updated_at: Timestamp(row.int()?),
        due: row.count()?,
        waits: row.json_or_none()?.unwrap_or_default(),
        spent: spend(row)?,
        reserved: spend(row)?,
        simulated: row.flag()?,
        status: row.text()?,
        wake_at: instant_or_none(row)?,
        open: row.flag()?,
        delivered_at: instant_or_none(row)?,
        ended_at: instant_or_none(row)?,
        failure: row.json_or_none()?,
        close_reason: row.text_or_none()?,
        closed_by: row.text_or_none()?,
        output: None,
    })
}

pub(super) fn instant_or_none(row: &mut Row) -> Result<Option<Timestamp>, JournalError> {
    Ok(row.int_or_none()?.map(Timestamp))
}

pub(super) fn small(row: &mut Row) -> Result<u32, JournalError> {
    Ok(u32::try_from(row.count()?).unwrap_or(u32::MAX))
}

pub(super) fn spend(row: &mut Row) -> Result<Spend, JournalError> {
    Ok(Spend { cost: MicroUsd(row.int()?), tokens: row.count()? })
}

/// A step instance that something has happened to. Steps without a row are pending.
#[derive(Clone, Debug, PartialEq)]
pub struct StepView {
    /// Its number within the run.
    pub position: u32,
    /// Its key.
    pub key: StepKey,
    /// Its id in the definition.
    pub def: String,
    /// `agent`, `checkpoint` …
    pub kind: String,
    /// Who works on it.
    pub agent: Option<String>,
    /// For people.
    pub label_en: String,
    /// For people who read Japanese.
    pub label_ja: Option<String>,
    /// Its phase.
    pub phase: Option<String>,
    /// Where it stands.
    pub status: String,
    /// Attempts so far.
    pub attempt: u32,
    /// Since when it stands there.
    pub since: Timestamp,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Its last failure.
    pub failure: Option<Failure>,
    /// What it has cost.
    pub spent: Spend,
    /// What it waits for.
    pub wait: Option<WaitView>,
}

impl dyn Journal {
    /// Runs, newest first.
    pub async fn list_runs(&self, filter: &RunFilter) -> Result<Vec<RunView>, JournalError> {
        let rows = self.fetch(list_statement(filter)).await?;
        rows.into_iter().map(|mut row| read_run(&mut row)).collect()
    }

    /// One run with its output; `None` when there is no such run.
    pub async fn run(&self, id: &RunId) -> Result<Option<RunView>, JournalError> {
        let sql =
            format!("SELECT {COLUMNS}, r.output, r.output_object FROM runs r WHERE r.id = $1");
        let rows = self.fetch(Statement::new(sql).bind(id.as_str())).await?;
        let Some(mut row) = rows.into_iter().next() else { return Ok(None) };
        let mut run = read_run(&mut row)?;
        let (inline, object) = (row.text_or_none()?, row.text_or_none()?);
        let output = self.whole(inline, object).await?;
        run.output = output
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|fault| JournalError::Corrupt(format!("output of {id}: {fault}")))?;
        Ok(Some(run))
    }

    /// The steps of a run that something has happened to, in order. Of steps that were made
    /// anew under the same key only the newest is there.
    pub async fn steps(&self, run: &RunId) -> Result<Vec<StepView>, JournalError> {
        let question = Statement::new(
            "SELECT position, key, def, kind, agent, label_en, label_ja, phase, status, attempt,
               since, started_at, ended_at, failure, spent_cost, spent_tokens, wait
             FROM steps WHERE run_id = $1 ORDER BY position",
        )
        .bind(run.as_str());
        let rows = self.fetch(question).await?;
        let mut newest: BTreeMap<StepKey, StepView> = BTreeMap::new();
        for mut row in rows {
            let step = read_step(&mut row)?;
            newest.insert(step.key.clone(), step);
        }
        let mut steps: Vec<StepView> = newest.into_values().collect();
        steps.sort_by_key(|step| step.position);
        Ok(steps)
    }

    /// Text that is stored in its row, or by its digest in object storage.
    pub(crate) async fn whole(
        &self,
        inline: Option<String>,
        object: Option<String>,
    ) -> Result<Option<String>, JournalError> {
        let Some(digest) = object else { return Ok(inline) };
        let objects = std::sync::Arc::clone(self.objects());
        let found = tokio::task::spawn_blocking(move || {
            super::events::text_object(objects.as_ref(), &digest).map(Some)
        });
        found.await.map_err(JournalError::storage)?
    }
}

fn read_step(row: &mut Row) -> Result<StepView, JournalError> {
    Ok(StepView {
        position: small(row)?,
        key: row.text()?.into(),
        def: row.text()?,
        kind: row.text()?,
        agent: row.text_or_none()?,
        label_en: row.text()?,
        label_ja: row.text_or_none()?,
        phase: row.text_or_none()?,
        status: row.text()?,
        attempt: small(row)?,
        since: Timestamp(row.int()?),
        started_at: instant_or_none(row)?,
        ended_at: instant_or_none(row)?,
        failure: row.json_or_none()?,
        spent: spend(row)?,
        wait: row.json_or_none()?,
    })
}

fn list_statement(filter: &RunFilter) -> Statement {
    let mut question = Statement::new(format!("SELECT {COLUMNS} FROM runs r WHERE "));
    let org = question.place(filter.org.as_ref().map_or("", OrgId::as_str));
    question.push(&format!("r.org = {org}"));
    if !filter.statuses.is_empty() {
        let places: Vec<String> =
            filter.statuses.iter().map(|status| question.place(status.as_str())).collect();
        question.push(&format!(" AND r.status IN ({})", places.join(", ")));
    }
    if let Some(slug) = &filter.slug {
        let place = question.place(slug.as_str());
        question.push(&format!(" AND r.slug = {place}"));
    }
    if !filter.slugs.is_empty() {
        let places: Vec<String> =
            filter.slugs.iter().map(|slug| question.place(slug.as_str())).collect();
        question.push(&format!(" AND r.slug IN ({})", places.join(", ")));
    }
    if let Some(parent) = &filter.parent_run {
        let place = question.place(parent.as_str());
        question.push(&format!(" AND r.parent_run = {place}"));
    }
    for (key, value) in &filter.labels {
        let (key, value) = (question.place(key.as_str()), question.place(value.as_str()));
        question.push(&format!(
            " AND EXISTS (SELECT 1 FROM run_labels l
                WHERE l.run_id = r.id AND l.key = {key} AND l.value = {value})"
        ));
    }
    if let Some(text) = &filter.text {
        let place = question.place(like_pattern(text));
        question.push(&format!(" AND LOWER(r.title) LIKE {place} ESCAPE '\\'"));
    }
    let spans = [(filter.started_from, ">="), (filter.started_before, "<")];
    for (instant, comparison) in spans {
        if let Some(instant) = instant {
            let place = question.place(instant.0);
            question.push(&format!(" AND r.started_at {comparison} {place}"));
        }
    }
    if let Some((started_at, id)) = &filter.after {
        let (at, id) = (question.place(started_at.0), question.place(id.as_str()));
        question.push(&format!(" AND (r.started_at, r.id) < ({at}, {id})"));
    }
    let limit = question.place(i64::from(filter.limit.clamp(1, PAGE_MAX)));
    question.push(&format!(" ORDER BY r.started_at DESC, r.id DESC LIMIT {limit}"));
    question
}

/// What a person typed, to be found anywhere; their `%` and `_` are just characters.
fn like_pattern(text: &str) -> cell::Cell {
    let mut pattern = String::from("%");
    for character in text.to_ascii_lowercase().chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern.into()
}
