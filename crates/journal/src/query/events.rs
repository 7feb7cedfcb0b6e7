//! The events of a run: in batches as they were appended, or numbered one by one.

use serde_json::value::RawValue;
use showrunner_engine::at::Timestamp;
use showrunner_engine::event::Event;
use showrunner_engine::id::RunId;

use crate::append::ChainHash;
use crate::cell::{Row, Statement, signed};
use crate::error::JournalError;
use crate::{Journal, Objects};

/// One append as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBatch {
    /// The number of its first event.
    pub seq_first: u64,
    /// The number of its last event.
    pub seq_last: u64,
    /// When its events happened.
    pub at: Timestamp,
    /// The run's hash after it.
    pub hash: ChainHash,
    /// JSON array of the events, as hashed.
    pub body: String,
}

impl StoredBatch {
    /// The batch of a row, and where its body is when it is not in it.
    fn from_row(mut row: Row) -> Result<(Self, Option<String>), JournalError> {
        let (seq_first, seq_last) = (row.count()?, row.count()?);
        let at = Timestamp(row.int()?);
        let hash: ChainHash = row
            .bytes()?
            .try_into()
            .ok()
            .ok_or_else(|| JournalError::Corrupt("a hash has 32 bytes".into()))?;
        let (inline, object) = (row.text_or_none()?, row.text_or_none()?);
        if inline.is_none() && object.is_none() {
            let reason = format!("the append at {seq_first} has no body");
            return Err(JournalError::Corrupt(reason));
        }
        Ok((Self { seq_first, seq_last, at, hash, body: inline.unwrap_or_default() }, object))
    }

    /// The batch of a row, whole, on a thread that may block.
    pub(crate) fn whole_from_row(row: Row, objects: &dyn Objects) -> Result<Self, JournalError> {
        let (batch, object) = Self::from_row(row)?;
        let Some(digest) = object else { return Ok(batch) };
        Ok(Self { body: text_object(objects, &digest)?, ..batch })
    }

    /// The events, decoded.
    pub fn events(&self) -> Result<Vec<Event>, JournalError> {
        let events: Vec<Event> = serde_json::from_str(&self.body).map_err(|fault| {
            JournalError::Corrupt(format!("the append at {}: {fault}", self.seq_first))
        })?;
        let count = u64::try_from(events.len()).unwrap_or(u64::MAX);
        if self.seq_first + count != self.seq_last + 1 {
            let (first, last) = (self.seq_first, self.seq_last);
            return Err(JournalError::Corrupt(format!(
                "the append of events {first} to {last} holds {count}"
            )));
        }
        Ok(events)
    }
}

/// One event with its number, as every interface shows it.
#[derive(Clone, Debug)]
pub struct NumberedEvent {
    /// Its number in the run; also the cursor.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// The event's JSON, exactly as it is stored.
    pub json: Box<RawValue>,
}

/// So many runs are read with one question: enough to make its own cost small, few enough to
/// keep what is in memory at once small.
const RUNS_AT_ONCE: usize = 100;
/// A page of batches is at most so long, whatever is asked for.
const BATCHES_MAX: i64 = 1000;

impl dyn Journal {
    /// Everything that happened to a run after event `after_seq`, in batches; a batch that
    /// begins before and ends after it is whole.
    pub async fn read(
        &self,
        run: &RunId,
        after_seq: u64,
    ) -> Result<Vec<StoredBatch>, JournalError> {
        let mut batches: Vec<StoredBatch> = Vec::new();
        loop {
            let after = batches.last().map_or(after_seq, |batch| batch.seq_last);
            let page = self.read_page(run, after, BATCHES_MAX).await?;
            let is_last = i64::try_from(page.len()).unwrap_or(i64::MAX) < BATCHES_MAX;
            batches.extend(page);
            if is_last {
                return Ok(batches);
            }
        }
    }

    /// Everything that happened to several runs, by run; for recovery, where one question per
    /// run would take longer than the answer.
    pub async fn read_many(
        &self,
        runs: &[RunId],
    ) -> Result<Vec<(RunId, Vec<StoredBatch>)>, JournalError> {
        let mut found: Vec<(RunId, Vec<StoredBatch>)> = Vec::with_capacity(runs.len());
        for some in runs.chunks(RUNS_AT_ONCE) {
            let mut question = Statement::new(
                "SELECT run_id, seq_first, seq_last, at_us, hash, body, object FROM journal
                 WHERE run_id IN (",
            );
            let places: Vec<String> = some.iter().map(|run| question.place(run.as_str())).collect();
            question.push(&places.join(", "));
            question.push(") ORDER BY run_id, seq_first");
            for mut row in self.fetch(question).await? {
                let run = RunId::from(row.text()?);
                let batch = self.read_batch(row).await?;
                match found.last_mut() {
                    Some((last, batches)) if *last == run => batches.push(batch),
                    _ => found.push((run, vec![batch])),
                }
            }
        }
        Ok(found)
    }

    async fn read_page(
        &self,
        run: &RunId,
        after_seq: u64,
        limit: i64,
    ) -> Result<Vec<StoredBatch>, JournalError> {
        // Only where a batch begins is indexed: the one that holds the wanted event begins at
        // or before it.
        let question = Statement::new(
            "SELECT seq_first, seq_last, at_us, hash, body, object FROM journal
             WHERE run_id = $1 AND seq_last > $2 AND seq_first >= COALESCE(
               (SELECT MAX(seq_first) FROM journal WHERE run_id = $1 AND seq_first <= $3), 0)
             ORDER BY seq_first LIMIT $4",
        )
        .bind(run.as_str())
        .bind(after_seq)
        .bind(signed(after_seq).saturating_add(1))
        .bind(limit);
        let mut batches = Vec::new();
        for row in self.fetch(question).await? {
            batches.push(self.read_batch(row).await?);
        }
        Ok(batches)
    }

    pub(crate) async fn read_batch(&self, row: Row) -> Result<StoredBatch, JournalError> {
        let (batch, object) = StoredBatch::from_row(row)?;
        let body = self.whole(Some(batch.body), object).await?;
        Ok(StoredBatch { body: body.unwrap_or_default(), ..batch })
    }

    /// The events of a run after number `after_seq`, one by one, at most `limit`.
    pub async fn events(
        &self,
        run: &RunId,
        after_seq: u64,
        limit: usize,
    ) -> Result<Vec<NumberedEvent>, JournalError> {
        // A batch holds at least one event: so many batches are enough.
        let batches = i64::try_from(limit).unwrap_or(BATCHES_MAX).clamp(1, BATCHES_MAX);
        let mut events = Vec::new();
        for batch in self.read_page(run, after_seq, batches).await? {
            let values = numbered(batch.seq_first, batch.at, &batch.body)?;
            events.extend(values.into_iter().filter(|event| event.seq > after_seq));
            if events.len() >= limit {
                break;
            }
        }
        events.truncate(limit);
        Ok(events)
    }
}

/// Text in object storage.
pub(crate) fn text_object(objects: &dyn Objects, digest: &str) -> Result<String, JournalError> {
    let bytes = objects
        .get(&digest.into())?
        .ok_or_else(|| JournalError::Corrupt(format!("object {digest} is missing")))?;
    String::from_utf8(bytes)
        .map_err(|fault| JournalError::Corrupt(format!("object {digest} is no text: {fault}")))
}

/// A body taken apart into events that keep their exact text.
pub fn numbered(
    seq_first: u64,
    at: Timestamp,
    body: &str,
) -> Result<Vec<NumberedEvent>, JournalError> {
    let values: Vec<Box<RawValue>> = serde_json::from_str(body)
        .map_err(|fault| JournalError::Corrupt(format!("the append at {seq_first}: {fault}")))?;
    Ok((seq_first..).zip(values).map(|(seq, json)| NumberedEvent { seq, at, json }).collect())
}
