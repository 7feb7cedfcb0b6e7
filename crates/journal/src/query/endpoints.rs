//! Endpoints: whom events are sent to.

use showrunner_engine::at::Timestamp;
use showrunner_engine::id::{OrgId, RunId};

use super::runs::{PAGE_MAX, instant_or_none};
use crate::Journal;
use crate::cell::{Row, Statement};
use crate::error::JournalError;

/// Whom events are sent to. Debug says neither secrets nor the path and query of the URL.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: String,
    /// Whose.
    pub org: OrgId,
    /// Where to.
    pub url: String,
    /// For people.
    pub description: String,
    /// Types of events; all when empty.
    pub events: Vec<String>,
    /// Only what happens to this run.
    pub run_id: Option<RunId>,
    /// What is signed with; nothing is when absent.
    pub secret: Option<String>,
    /// What is signed with as well, until then.
    pub secret_before: Option<(String, Timestamp)>,
    /// Why nothing is sent at present.
    pub disabled_why: Option<String>,
    /// Since when nothing has arrived.
    pub failing_since: Option<Timestamp>,
    /// Nothing is sent before.
    pub held_until: Option<Timestamp>,
    /// Since when it is there.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// When a person changed it last.
    pub updated_at: Timestamp,
}

impl Endpoint {
    /// Whether events are sent to it.
    pub fn is_enabled(&self) -> bool {
        self.disabled_why.is_none()
    }

    /// Whether it wants events of this type, of this run.
    pub fn wants(&self, event: &str, run: &RunId) -> bool {
        let is_type = self.events.is_empty() || self.events.iter().any(|wanted| wanted == event);
        is_type && self.run_id.as_ref().is_none_or(|own| own == run)
    }

    /// The secrets that sign now.
    pub fn signing(&self, now: Timestamp) -> Vec<&str> {
        let before = self.secret_before.as_ref().filter(|(_, until)| now < *until);
        let before = before.map(|(secret, _)| secret.as_str());
        self.secret.as_deref().into_iter().chain(before).collect()
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("id", &self.id)
            .field("org", &self.org)
            .field("disabled_why", &self.disabled_why)
            .finish_non_exhaustive()
    }
}

const SELECT: &str = "SELECT id, org, url, description, events, run_id, secret, secret_before,
    secret_before_until, status, disabled_why, failing_since, held_until, created_at, created_by,
    updated_at FROM webhook_endpoints";

fn read_endpoint(mut row: Row) -> Result<Endpoint, JournalError> {
    let (id, org, url, description) = (row.text()?, row.text()?, row.text()?, row.text()?);
    let (events, run_id, secret) = (row.json()?, row.text_or_none()?, row.text_or_none()?);
    let before = row.text_or_none()?.zip(instant_or_none(&mut row)?);
    let is_enabled = row.text()? == "enabled";
    let why = row.text_or_none()?;
    Ok(Endpoint {
        id,
        org: org.into(),
        url,
        description,
        events,
        run_id: run_id.map(RunId::from),
        secret,
        secret_before: before,
        disabled_why: (!is_enabled).then(|| why.unwrap_or_default()),
        failing_since: instant_or_none(&mut row)?,
        held_until: instant_or_none(&mut row)?,
        created_at: Timestamp(row.int()?),
        created_by: row.text()?,
        updated_at: Timestamp(row.int()?),
    })
}

impl dyn Journal {
    /// Stores an endpoint, over an earlier one with its id.
    pub async fn put_endpoint(&self, endpoint: &Endpoint) -> Result<(), JournalError> {
        let (before, until) = endpoint.secret_before.clone().unzip();
        let upsert = Statement::new(
            "INSERT INTO webhook_endpoints (id, org, url, description, events, run_id, secret,
               secret_before, secret_before_until, status, disabled_why, failing_since,
               held_until, created_at, created_by, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
             ON CONFLICT (id) DO UPDATE SET url = excluded.url,
               description = excluded.description, events = excluded.events,
               secret = excluded.secret, secret_before = excluded.secret_before,
               secret_before_until = excluded.secret_before_until, status = excluded.status,
               disabled_why = excluded.disabled_why, failing_since = excluded.failing_since,
               held_until = excluded.held_until, updated_at = excluded.updated_at",
        )
        .bind(endpoint.id.as_str())
        .bind(endpoint.org.as_str())
        .bind(endpoint.url.as_str())
        .bind(endpoint.description.as_str())
        .bind(serde_json::Value::from(endpoint.events.clone()).to_string())
        .bind(endpoint.run_id.as_ref().map(RunId::as_str))
        .bind(endpoint.secret.as_deref())
        .bind(before)
        .bind(until.map(|until| until.0))
        .bind(if endpoint.is_enabled() { "enabled" } else { "disabled" })
        .bind(endpoint.disabled_why.as_deref())
        .bind(endpoint.failing_since.map(|at| at.0))
        .bind(endpoint.held_until.map(|at| at.0))
        .bind(endpoint.created_at.0)
        .bind(endpoint.created_by.as_str())
        .bind(endpoint.updated_at.0);
        self.write(vec![upsert]).await.map(drop)
    }

    /// One endpoint of an organisation.
    pub async fn endpoint(&self, org: &OrgId, id: &str) -> Result<Option<Endpoint>, JournalError> {
        let question = Statement::new(format!("{SELECT} WHERE org = $1 AND id = $2"))
            .bind(org.as_str())
            .bind(id);
        self.fetch(question).await?.into_iter().next().map(read_endpoint).transpose()
    }

    /// An organisation's endpoints, newest first, without those of single runs.
    pub async fn endpoints(
        &self,
        org: &OrgId,
        before: Option<(Timestamp, &str)>,
        limit: u32,
    ) -> Result<Vec<Endpoint>, JournalError> {
        let mut question = Statement::new(format!("{SELECT} WHERE org = $1 AND run_id IS NULL"))
            .bind(org.as_str());
        if let Some((at, id)) = before {
            let (at, id) = (question.place(at.0), question.place(id));
            question
                .push(&format!(" AND (created_at < {at} OR (created_at = {at} AND id < {id}))"));
        }
        let limit = question.place(i64::from(limit.clamp(1, PAGE_MAX)));
        question.push(&format!(" ORDER BY created_at DESC, id DESC LIMIT {limit}"));
        self.fetch(question).await?.into_iter().map(read_endpoint).collect()
    }

    /// How many endpoints an organisation has, without those of single runs.
    pub async fn endpoint_count(&self, org: &OrgId) -> Result<u64, JournalError> {
        let question = Statement::new(
            "SELECT COUNT(*) FROM webhook_endpoints WHERE org = $1 AND run_id IS NULL",
        )
        .bind(org.as_str());
        match self.fetch(question).await?.into_iter().next() {
            Some(mut row) => row.count(),
            None => Ok(0),
        }
    }

    /// The endpoints of organisations that something may be sent to, and whether there are any of
    /// single runs beside them.
    pub async fn endpoints_enabled(&self) -> Result<(Vec<Endpoint>, bool), JournalError> {
        let question = Statement::new(format!(
            "{SELECT} WHERE status = 'enabled' AND run_id IS NULL ORDER BY id"
        ));
        let rows = self.fetch(question).await?;
        let found: Result<Vec<Endpoint>, JournalError> =
            rows.into_iter().map(read_endpoint).collect();
        let of_runs =
            Statement::new("SELECT 1 FROM webhook_endpoints WHERE run_id IS NOT NULL LIMIT 1");
        let has_of_runs = !self.fetch(of_runs).await?.is_empty();
        Ok((found?, has_of_runs))
    }

    /// The endpoints of these runs that something may be sent to.
    pub async fn endpoints_of_runs(&self, runs: &[&RunId]) -> Result<Vec<Endpoint>, JournalError> {
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        let mut question =
            Statement::new(format!("{SELECT} WHERE status = 'enabled' AND run_id IN ("));
        let places: Vec<String> = runs.iter().map(|run| question.place(run.as_str())).collect();
        question.push(&places.join(", "));
        question.push(") ORDER BY id");
        self.fetch(question).await?.into_iter().map(read_endpoint).collect()
    }

    /// Endpoints by their ids.
    pub(crate) async fn endpoints_of(&self, ids: &[&str]) -> Result<Vec<Endpoint>, JournalError> {
        let mut question = Statement::new(format!("{SELECT} WHERE id IN ("));
        let places: Vec<String> = ids.iter().map(|id| question.place(*id)).collect();
        question.push(&places.join(", "));
        question.push(")");
        self.fetch(question).await?.into_iter().map(read_endpoint).collect()
    }

    /// Takes an endpoint away, and what was still to be sent to it. False when there is none.
    pub async fn remove_endpoint(&self, org: &OrgId, id: &str) -> Result<bool, JournalError> {
        let queued = Statement::new("DELETE FROM outbox WHERE topic = $1").bind(lane(id));
        let log = Statement::new(
            "UPDATE webhook_deliveries SET status = 'failed', next_at = NULL,
               ended_at = created_at, last_error = 'the endpoint was removed'
             WHERE endpoint = $1 AND org = $2 AND status = 'pending'",
        )
        .bind(id)
        .bind(org.as_str());
        let own = Statement::new("DELETE FROM webhook_endpoints WHERE org = $1 AND id = $2")
            .bind(org.as_str())
            .bind(id);
        if self.endpoint(org, id).await?.is_none() {
            return Ok(false);
        }
        let written = self.write(vec![queued, log, own]).await?;
        Ok(written.last().is_some_and(|written| written.changed > 0))
    }

    /// Sends nothing any more to an endpoint, and says why. False when that was so already.
    pub async fn disable_endpoint(
        &self,
        id: &str,
        why: &str,
        now: Timestamp,
    ) -> Result<bool, JournalError> {
        let update = Statement::new(
            "UPDATE webhook_endpoints SET status = 'disabled', disabled_why = $2, updated_at = $3
             WHERE id = $1 AND status = 'enabled'",
        )
        .bind(id)
        .bind(why)
        .bind(now.0);
        let written = self.write(vec![update]).await?;
        Ok(written.first().is_some_and(|written| written.changed > 0))
    }

    /// Takes away the endpoints of single runs that were over, or not even there, before `before`,
    /// and that nothing is still to be sent to.
    pub async fn forget_run_endpoints(&self, before: Timestamp) -> Result<u64, JournalError> {
        let delete = Statement::new(
            "DELETE FROM webhook_endpoints WHERE run_id IS NOT NULL AND created_at < $1
               AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.id = webhook_endpoints.run_id
                 AND (runs.open = 1 OR runs.ended_at IS NULL OR runs.ended_at >= $1))
               AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d
                 WHERE d.endpoint = webhook_endpoints.id AND d.status = 'pending')",
        )
        .bind(before.0);
        let written = self.write(vec![delete]).await?;
        Ok(written.first().map_or(0, |written| written.changed))
    }
}

/// The topic under which messages to an endpoint stand in the outbox.
pub(crate) fn lane(endpoint: &str) -> String {
    format!("webhook/{endpoint}")
}
