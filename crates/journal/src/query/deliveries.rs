//! Deliveries: what is to be sent to whom, what became of it, and how it was tried.

use showrunner_engine::at::Timestamp;
use showrunner_engine::id::{OrgId, RunId};

use super::endpoints::Endpoint;
use super::follow::{Reached, note_reached};
use super::runs::{PAGE_MAX, instant_or_none, small};
use crate::cell::{Row, Statement};
use crate::error::JournalError;
use crate::{Journal, Ownership};

/// A message to be sent to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its own id; one that is known already is not made again.
    pub id: String,
    /// Whose.
    pub org: OrgId,
    /// To whom.
    pub endpoint: String,
    /// The message's id, which receivers know it by.
    pub message: String,
    /// What type of event.
    pub event: String,
    /// About which run.
    pub run_id: Option<RunId>,
    /// The number of the event it is about.
    pub seq: u64,
    /// JSON text, exactly as it is signed and sent.
    pub body: String,
    /// Since when, and not before.
    pub created_at: Timestamp,
}

/// A delivery as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// What was to be sent.
    pub new: NewDelivery,
    /// `pending`, `delivered`, `failed`.
    pub status: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next.
    pub next_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// The status of the last answer.
    pub last_status: Option<u32>,
    /// What was wrong last.
    pub last_error: Option<String>,
}

/// One try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    /// Counted from 1.
    pub no: u32,
    /// When it began.
    pub at: Timestamp,
    /// The status of the answer, when there was one.
    pub status: Option<u32>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What was wrong.
    pub error: Option<String>,
    /// The beginning of the answer's body.
    pub excerpt: Option<String>,
}

/// What a try led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has arrived.
    Delivered,
    /// It is tried again then.
    Again(Timestamp),
    /// It is given up.
    GivenUp,
}

/// Which deliveries to list.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// To this endpoint.
    pub endpoint: Option<String>,
    /// With this status.
    pub status: Option<String>,
    /// About this run.
    pub run: Option<RunId>,
    /// Behind this one.
    pub before: Option<(Timestamp, String)>,
    /// How many.
    pub limit: u32,
}

const SELECT: &str = "SELECT id, org, endpoint, message, type, run_id, seq, body, created_at,
    status, attempts, next_at, ended_at, last_status, last_error FROM webhook_deliveries";

fn read_delivery(mut row: Row) -> Result<Delivery, JournalError> {
    let new = NewDelivery {
        id: row.text()?,
        org: row.text()?.into(),
        endpoint: row.text()?,
        message: row.text()?,
        event: row.text()?,
        run_id: row.text_or_none()?.map(RunId::from),
        seq: row.count()?,
        body: row.text()?,
        created_at: Timestamp(row.int()?),
    };
    Ok(Delivery {
        new,
        status: row.text()?,
        attempts: small(&mut row)?,
        next_at: instant_or_none(&mut row)?,
        ended_at: instant_or_none(&mut row)?,
        last_status: row.int_or_none()?.and_then(|status| u32::try_from(status).ok()),
        last_error: row.text_or_none()?,
    })
}

fn insert(delivery: &NewDelivery) -> [Statement; 2] {
    let log = Statement::new(
        "INSERT INTO webhook_deliveries (id, org, endpoint, message, type, run_id, seq, body,
           created_at, status, attempts, next_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending', 0, $9)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(delivery.id.as_str())
    .bind(delivery.org.as_str())
    .bind(delivery.endpoint.as_str())
    .bind(delivery.message.as_str())
    .bind(delivery.event.as_str())
    .bind(delivery.run_id.as_ref().map(RunId::as_str))
    .bind(delivery.seq)
    .bind(delivery.body.as_str())
    .bind(delivery.created_at.0);
    // One that was known before and is over is not queued again.
    let queue = Statement::new(
        "INSERT INTO outbox (id, run_id, seq, topic, payload, due_at)
         SELECT id, COALESCE(run_id, ''), seq, 'webhook/' || endpoint, '{}', created_at
         FROM webhook_deliveries WHERE id = $1 AND status = 'pending' AND attempts = 0
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(delivery.id.as_str());
    [log, queue]
}

impl dyn Journal {
    /// Queues deliveries, and notes how far the follower has come that made them, in one
    /// transaction.
    pub async fn queue_deliveries(
        &self,
        deliveries: &[NewDelivery],
        reached: Option<(&str, &Reached)>,
    ) -> Result<(), JournalError> {
        let mut statements: Vec<Statement> = deliveries.iter().flat_map(insert).collect();
        statements.extend(reached.map(|(follower, reached)| note_reached(follower, reached)));
        if statements.is_empty() {
            return Ok(());
        }
        self.write(statements).await.map(drop)
    }

    /// Claims what is due at `now` and claimed by nobody who is still alive, with the endpoints
    /// it goes to (none when the endpoint is gone). Of each endpoint at most `each` are under way
    /// at once, so that a slow one delays no other.
    pub async fn claim_deliveries(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
        (limit, each): (u32, u32),
    ) -> Result<Vec<(Delivery, Option<Endpoint>)>, JournalError> {
        let claim = Statement::new(
            "UPDATE outbox SET lease_epoch = $1, lease_until = $2, attempts = attempts + 1
             WHERE id IN (SELECT id FROM (
               SELECT id, due_at, lease_epoch, lease_until, ROW_NUMBER() OVER (
                 PARTITION BY topic ORDER BY
                   CASE WHEN lease_epoch = $1 AND lease_until > $3 THEN 0 ELSE 1 END,
                   due_at, id) AS place
               FROM outbox
               WHERE delivered_at IS NULL AND due_at <= $3 AND topic LIKE 'webhook/%') AS due
             WHERE place <= $5
               AND (lease_epoch IS NULL OR lease_epoch <> $1 OR lease_until <= $3)
             ORDER BY due_at, id LIMIT $4)
             RETURNING id",
        )
        .bind(self.own_epoch()?)
        .bind(lease_until.0)
        .bind(now.0)
        .bind(i64::from(limit))
        .bind(i64::from(each));
        let written = self.write(vec![claim]).await?;
        let ids: Vec<String> = written
            .into_iter()
            .flat_map(|written| written.rows)
            .map(|mut row| row.text())
            .collect::<Result<_, _>>()?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut question = Statement::new(format!("{SELECT} WHERE id IN ("));
        let places: Vec<String> = ids.iter().map(|id| question.place(id.as_str())).collect();
        question.push(&places.join(", "));
        question.push(") ORDER BY created_at, run_id, seq, id");
        let rows = self.fetch(question).await?.into_iter();
        let claimed: Vec<Delivery> = rows.map(read_delivery).collect::<Result<_, _>>()?;
        let mut wanted: Vec<&str> = claimed.iter().map(|d| d.new.endpoint.as_str()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let endpoints = self.endpoints_of(&wanted).await?;
        let of = |delivery: &Delivery| {
            endpoints.iter().find(|endpoint| endpoint.id == delivery.new.endpoint).cloned()
        };
        Ok(claimed
            .into_iter()
            .map(|delivery| {
                let endpoint = of(&delivery);
                (delivery, endpoint)
            })
            .collect())
    }

    /// Notes a try of a claimed delivery and what it led to. False when the claim was no longer
    /// ours: somebody else may send it again.
    pub async fn note_try(
        &self,
        delivery: &Delivery,
        tried: &Try,
        verdict: Verdict,
    ) -> Result<bool, JournalError> {
        let (id, endpoint) = (delivery.new.id.as_str(), delivery.new.endpoint.as_str());
        let ended = tried.at.plus(showrunner_engine::at::Millis(tried.duration_ms));
        let (status, next_at) = match verdict {
            Verdict::Delivered => ("delivered", None),
            Verdict::Again(at) => ("pending", Some(at.0)),
            Verdict::GivenUp => ("failed", None),
        };
        let log = Statement::new(
            "INSERT INTO webhook_attempts (delivery, no, at, status, duration_ms, error, excerpt)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (delivery, no) DO NOTHING",
        )
        .bind(id)
        .bind(tried.no)
        .bind(tried.at.0)
        .bind(tried.status)
        .bind(tried.duration_ms)
        .bind(tried.error.as_deref())
        .bind(tried.excerpt.as_deref());
        let update = Statement::new(
            "UPDATE webhook_deliveries SET status = $2, attempts = $3, next_at = $4,
               ended_at = $5, last_status = $6, last_error = $7
             WHERE id = $1 AND EXISTS
               (SELECT 1 FROM outbox WHERE outbox.id = $1 AND outbox.lease_epoch = $8)",
        )
        .bind(id)
        .bind(status)
        .bind(tried.no)
        .bind(next_at)
        .bind(next_at.is_none().then_some(ended.0))
        .bind(tried.status)
        .bind(tried.error.as_deref())
        .bind(self.own_epoch()?);
        let health = match verdict {
            Verdict::Delivered => Statement::new(
                "UPDATE webhook_endpoints SET failing_since = NULL, held_until = NULL
                 WHERE id = $1 AND (failing_since IS NOT NULL OR held_until IS NOT NULL)",
            )
            .bind(endpoint),
            Verdict::Again(_) | Verdict::GivenUp => Statement::new(
                "UPDATE webhook_endpoints SET failing_since = $2
                 WHERE id = $1 AND failing_since IS NULL",
            )
            .bind(endpoint)
            .bind(tried.at.0),
        };
        let release = self.release(id, next_at)?;
        let written = self.write(vec![log, update, health, release]).await?;
        Ok(written.last().is_some_and(|written| written.changed > 0))
    }

    /// Gives a claimed delivery back untried, to be looked at again then.
    pub async fn put_off(&self, id: &str, until: Timestamp) -> Result<(), JournalError> {
        let log = Statement::new(
            "UPDATE webhook_deliveries SET next_at = $2 WHERE id = $1 AND status = 'pending'",
        )
        .bind(id)
        .bind(until.0);
        let release = self.release(id, Some(until.0))?;
        self.write(vec![log, release]).await.map(drop)
    }

    /// Gives a claimed delivery up untried.
    pub async fn give_up(&self, id: &str, why: &str, now: Timestamp) -> Result<(), JournalError> {
        let log = Statement::new(
            "UPDATE webhook_deliveries SET status = 'failed', next_at = NULL, ended_at = $3,
               last_error = $2
             WHERE id = $1 AND status = 'pending'",
        )
        .bind(id)
        .bind(why)
        .bind(now.0);
        let release = self.release(id, None)?;
        self.write(vec![log, release]).await.map(drop)
    }

    /// Takes a claimed delivery out of the queue, or puts it back for later.
    fn release(&self, id: &str, next_at: Option<i64>) -> Result<Statement, JournalError> {
        let epoch = self.own_epoch()?;
        Ok(match next_at {
            None => Statement::new("DELETE FROM outbox WHERE id = $1 AND lease_epoch = $2")
                .bind(id)
                .bind(epoch),
            Some(at) => Statement::new(
                "UPDATE outbox SET due_at = $3, lease_epoch = NULL, lease_until = NULL
                 WHERE id = $1 AND lease_epoch = $2",
            )
            .bind(id)
            .bind(epoch)
            .bind(at),
        })
    }

    /// Sends nothing to an endpoint before then.
    pub async fn hold_endpoint(&self, id: &str, until: Timestamp) -> Result<(), JournalError> {
        let update = Statement::new(
            "UPDATE webhook_endpoints SET held_until = $2
             WHERE id = $1 AND (held_until IS NULL OR held_until < $2)",
        )
        .bind(id)
        .bind(until.0);
        self.write(vec![update]).await.map(drop)
    }

    /// When the next delivery is due that nobody works on.
    pub async fn next_delivery_at(&self) -> Result<Option<Timestamp>, JournalError> {
        let question = Statement::new(
            "SELECT MIN(due_at) FROM outbox
             WHERE delivered_at IS NULL AND topic LIKE 'webhook/%'
               AND (lease_epoch IS NULL OR lease_epoch <> $1)",
        )
        .bind(self.own_epoch()?);
        match self.fetch(question).await?.into_iter().next() {
            Some(mut row) => instant_or_none(&mut row),
            None => Ok(None),
        }
    }

    /// An organisation's deliveries, newest first.
    pub async fn deliveries(
        &self,
        org: &OrgId,
        filter: &DeliveryFilter,
    ) -> Result<Vec<Delivery>, JournalError> {
        let mut question = Statement::new(format!("{SELECT} WHERE org = $1")).bind(org.as_str());
        let equal = [
            ("endpoint", filter.endpoint.as_deref()),
            ("status", filter.status.as_deref()),
            ("run_id", filter.run.as_ref().map(RunId::as_str)),
        ];
        for (column, value) in equal {
            if let Some(value) = value {
                let place = question.place(value);
                question.push(&format!(" AND {column} = {place}"));
            }
        }
        if let Some((at, id)) = &filter.before {
            let (at, id) = (question.place(at.0), question.place(id.as_str()));
            question
                .push(&format!(" AND (created_at < {at} OR (created_at = {at} AND id < {id}))"));
        }
        let limit = question.place(i64::from(filter.limit.clamp(1, PAGE_MAX)));
        question.push(&format!(" ORDER BY created_at DESC, id DESC LIMIT {limit}"));
        self.fetch(question).await?.into_iter().map(read_delivery).collect()
    }

    /// One delivery of an organisation, and how it was tried.
    pub async fn delivery(
        &self,
        org: &OrgId,
        id: &str,
    ) -> Result<Option<(Delivery, Vec<Try>)>, JournalError> {
        let question = Statement::new(format!("{SELECT} WHERE org = $1 AND id = $2"))
            .bind(org.as_str())
            .bind(id);
        let Some(row) = self.fetch(question).await?.into_iter().next() else { return Ok(None) };
        let delivery = read_delivery(row)?;
        let tries = Statement::new(
            "SELECT no, at, status, duration_ms, error, excerpt FROM webhook_attempts
             WHERE delivery = $1 ORDER BY no",
        )
        .bind(id);
        let read = |mut row: Row| {
            Ok(Try {
                no: small(&mut row)?,
                at: Timestamp(row.int()?),
                status: row.int_or_none()?.and_then(|status| u32::try_from(status).ok()),
                duration_ms: row.count()?,
                error: row.text_or_none()?,
                excerpt: row.text_or_none()?,
            })
        };
        let tries: Result<Vec<Try>, JournalError> =
            self.fetch(tries).await?.into_iter().map(read).collect();
        Ok(Some((delivery, tries?)))
    }

    /// Forgets deliveries that were over before `before`. Returns how many.
    pub async fn forget_deliveries(&self, before: Timestamp) -> Result<u64, JournalError> {
        let tries = Statement::new(
            "DELETE FROM webhook_attempts WHERE delivery IN
               (SELECT id FROM webhook_deliveries WHERE ended_at < $1)",
        )
        .bind(before.0);
        let own =
            Statement::new("DELETE FROM webhook_deliveries WHERE ended_at < $1").bind(before.0);
        let written = self.write(vec![tries, own]).await?;
        Ok(written.last().map_or(0, |written| written.changed))
    }

    fn own_epoch(&self) -> Result<u64, JournalError> {
        match self.ownership() {
            Ownership::Owner { epoch } => Ok(epoch),
            Ownership::Standby => Err(JournalError::Fenced),
        }
    }
}
