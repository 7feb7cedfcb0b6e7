//! Messages that must leave after what they are about is durable: at least once, with the same id.

use showrunner_engine::at::Timestamp;
use showrunner_engine::id::RunId;

use crate::cell::Statement;
use crate::error::JournalError;
use crate::{Journal, Ownership};

/// A message that was claimed for delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Its id, the same each time it is delivered.
    pub id: String,
    /// The run it is about.
    pub run_id: RunId,
    /// The number of the newest event it is about.
    pub seq: u64,
    /// What kind of message.
    pub topic: String,
    /// JSON text.
    pub payload: String,
    /// Deliveries tried, this one included.
    pub attempts: u64,
}

impl dyn Journal {
    /// Claims what is due at `now` and claimed by nobody who is still alive: the claim ends at
    /// `lease_until`, or with the owner whose epoch it carries.
    pub async fn claim_outbox(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxMessage>, JournalError> {
        let epoch = self.epoch()?;
        let claim = Statement::new(
            "UPDATE outbox SET lease_epoch = $1, lease_until = $2, attempts = attempts + 1
             WHERE id IN (SELECT id FROM outbox
               WHERE delivered_at IS NULL AND due_at <= $3
                 AND (lease_epoch IS NULL OR lease_epoch <> $1 OR lease_until <= $3)
               ORDER BY due_at, id LIMIT $4)
             RETURNING id, run_id, seq, topic, payload, attempts",
        )
        .bind(epoch)
        .bind(lease_until.0)
        .bind(now.0)
        .bind(i64::from(limit));
        let written = self.write(vec![claim]).await?;
        let rows = written.into_iter().flat_map(|written| written.rows);
        let claimed: Result<Vec<OutboxMessage>, JournalError> = rows
            .map(|mut row| {
                Ok(OutboxMessage {
                    id: row.text()?,
                    run_id: row.text()?.into(),
                    seq: row.count()?,
                    topic: row.text()?,
                    payload: row.text()?,
                    attempts: row.count()?,
                })
            })
            .collect();
        let mut claimed = claimed?;
        claimed.sort_by(|a, b| (&a.run_id, a.seq, &a.id).cmp(&(&b.run_id, b.seq, &b.id)));
        Ok(claimed)
    }

    /// A claimed message has arrived. False when the claim was no longer ours: another owner
    /// may deliver it again.
    pub async fn ack_outbox(&self, id: &str, now: Timestamp) -> Result<bool, JournalError> {
        let update = Statement::new(
            "UPDATE outbox SET delivered_at = $3, lease_epoch = NULL, lease_until = NULL
             WHERE id = $1 AND lease_epoch = $2 AND delivered_at IS NULL",
        )
        .bind(id)
        .bind(self.epoch()?)
        .bind(now.0);
        let written = self.write(vec![update]).await?;
        Ok(written.first().is_some_and(|written| written.changed > 0))
    }

    /// A claimed message did not arrive; it is due again at `due_at`.
    pub async fn retry_outbox(
        &self,
        id: &str,
        due_at: Timestamp,
        error: &str,
    ) -> Result<bool, JournalError> {
        let update = Statement::new(
            "UPDATE outbox SET due_at = $3, last_error = $4, lease_epoch = NULL,
               lease_until = NULL
             WHERE id = $1 AND lease_epoch = $2 AND delivered_at IS NULL",
        )
        .bind(id)
        .bind(self.epoch()?)
        .bind(due_at.0)
        .bind(error);
        let written = self.write(vec![update]).await?;
        Ok(written.first().is_some_and(|written| written.changed > 0))
    }

    fn epoch(&self) -> Result<u64, JournalError> {
        match self.ownership() {
            Ownership::Owner { epoch } => Ok(epoch),
            Ownership::Standby => Err(JournalError::Fenced),
        }
    }
}
