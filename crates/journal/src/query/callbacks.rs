//! Callbacks: which run a vendor's job belongs to, and what was received.

use showrunner_engine::at::Timestamp;
use showrunner_engine::id::{OrgId, RunId, StepKey};

use crate::Journal;
use crate::cell::{Row, Statement};
use crate::error::JournalError;

/// A job that a vendor accepted, and the attempt that waits for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownJob {
    /// Whose.
    pub provider: String,
    /// The vendor's own id.
    pub job: String,
    /// Which run.
    pub run_id: RunId,
    /// Whose run.
    pub org: OrgId,
    /// Which step.
    pub step: StepKey,
    /// The attempt's token, as text.
    pub token: String,
    /// When it was accepted.
    pub accepted_at: Timestamp,
}

/// A message that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Who says so: `n8n`, `fal` …
    pub source: String,
    /// Their id of the message.
    pub id: String,
    /// SHA-256 of its body.
    pub digest: String,
    /// The job it is about, when nobody knows that job yet.
    pub job: Option<String>,
    /// What it says, when nobody knows that job yet. JSON text.
    pub payload: Option<String>,
    /// When it came.
    pub received_at: Timestamp,
}

const JOB: &str = "SELECT provider, job, run_id, org, step, token, accepted_at FROM callback_jobs";
const RECEIPT: &str = "SELECT source, id, digest, job, payload, received_at FROM callback_receipts";

fn read_job(mut row: Row) -> Result<KnownJob, JournalError> {
    Ok(KnownJob {
        provider: row.text()?,
        job: row.text()?,
        run_id: row.text()?.into(),
        org: row.text()?.into(),
        step: row.text()?.into(),
        token: row.text()?,
        accepted_at: Timestamp(row.int()?),
    })
}

fn read_receipt(mut row: Row) -> Result<Receipt, JournalError> {
    Ok(Receipt {
        source: row.text()?,
        id: row.text()?,
        digest: row.text()?,
        job: row.text_or_none()?,
        payload: row.text_or_none()?,
        received_at: Timestamp(row.int()?),
    })
}

impl dyn Journal {
    /// Notes jobs. The first run that a job belongs to is the one it belongs to.
    pub async fn put_jobs(&self, jobs: &[KnownJob]) -> Result<(), JournalError> {
        let insert = |job: &KnownJob| {
            Statement::new(
                "INSERT INTO callback_jobs (provider, job, run_id, org, step, token, accepted_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (provider, job) DO NOTHING",
            )
            .bind(job.provider.as_str())
            .bind(job.job.as_str())
            .bind(job.run_id.as_str())
            .bind(job.org.as_str())
            .bind(job.step.as_str())
            .bind(job.token.as_str())
            .bind(job.accepted_at.0)
        };
        if jobs.is_empty() {
            return Ok(());
        }
        self.write(jobs.iter().map(insert).collect()).await.map(drop)
    }

    /// Which attempt waits for a vendor's job.
    pub async fn job(&self, provider: &str, job: &str) -> Result<Option<KnownJob>, JournalError> {
        let question = Statement::new(format!("{JOB} WHERE provider = $1 AND job = $2"))
            .bind(provider)
            .bind(job);
        self.fetch(question).await?.into_iter().next().map(read_job).transpose()
    }

    /// The newest job of a step.
    pub async fn job_of(&self, run: &RunId, step: &str) -> Result<Option<KnownJob>, JournalError> {
        let question = Statement::new(format!(
            "{JOB} WHERE run_id = $1 AND step = $2 ORDER BY accepted_at DESC, job DESC LIMIT 1"
        ))
        .bind(run.as_str())
        .bind(step);
        self.fetch(question).await?.into_iter().next().map(read_job).transpose()
    }

    /// Remembers a message. `None` when it is new; otherwise the one that was remembered under
    /// its id before, and nothing changes.
    pub async fn receive(&self, receipt: &Receipt) -> Result<Option<Receipt>, JournalError> {
        let insert = Statement::new(
            "INSERT INTO callback_receipts (source, id, digest, job, payload, received_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (source, id) DO NOTHING",
        )
        .bind(receipt.source.as_str())
        .bind(receipt.id.as_str())
        .bind(receipt.digest.as_str())
        .bind(receipt.job.as_deref())
        .bind(receipt.payload.as_deref())
        .bind(receipt.received_at.0);
        let written = self.write(vec![insert]).await?;
        if written.first().is_some_and(|written| written.changed > 0) {
            return Ok(None);
        }
        let question = Statement::new(format!("{RECEIPT} WHERE source = $1 AND id = $2"))
            .bind(receipt.source.as_str())
            .bind(receipt.id.as_str());
        self.fetch(question).await?.into_iter().next().map(read_receipt).transpose()
    }

    /// Forgets a message that could not be dealt with, so that its sender may try again.
    pub async fn forget_receipt(&self, source: &str, id: &str) -> Result<(), JournalError> {
        let delete = Statement::new("DELETE FROM callback_receipts WHERE source = $1 AND id = $2")
            .bind(source)
            .bind(id);
        self.write(vec![delete]).await.map(drop)
    }

    /// What was said about a job before it was known, oldest first.
    pub async fn early_callbacks(
        &self,
        source: &str,
        job: &str,
    ) -> Result<Vec<Receipt>, JournalError> {
        let question = Statement::new(format!(
            "{RECEIPT} WHERE source = $1 AND job = $2 ORDER BY received_at, id"
        ))
        .bind(source)
        .bind(job);
        self.fetch(question).await?.into_iter().map(read_receipt).collect()
    }

    /// What is kept of a sender's messages, oldest first.
    pub async fn kept_callbacks(
        &self,
        source: &str,
        limit: u32,
    ) -> Result<Vec<Receipt>, JournalError> {
        let question = Statement::new(format!(
            "{RECEIPT} WHERE source = $1 AND job IS NOT NULL ORDER BY received_at, id LIMIT $2"
        ))
        .bind(source)
        .bind(i64::from(limit));
        self.fetch(question).await?.into_iter().map(read_receipt).collect()
    }

    /// What was said about a job early has been dealt with; the messages stay remembered.
    pub async fn settle_early(&self, source: &str, job: &str) -> Result<(), JournalError> {
        let update = Statement::new(
            "UPDATE callback_receipts SET job = NULL, payload = NULL
             WHERE source = $1 AND job = $2",
        )
        .bind(source)
        .bind(job);
        self.write(vec![update]).await.map(drop)
    }

    /// Forgets messages that came before `before`. Returns how many.
    pub async fn forget_receipts(&self, before: Timestamp) -> Result<u64, JournalError> {
        let delete =
            Statement::new("DELETE FROM callback_receipts WHERE received_at < $1").bind(before.0);
        let written = self.write(vec![delete]).await?;
        Ok(written.first().map_or(0, |written| written.changed))
    }
}
