//! One append: the events of one decision about one run, with everything that becomes true with
//! them. It is stored whole or not at all.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use sha2::{Digest as _, Sha256};
use showrunner_engine::at::Timestamp;
use showrunner_engine::event::Event;
use showrunner_engine::id::{OrgId, RunId};
use showrunner_engine::run::Run;
use tokio::sync::oneshot;

use crate::error::{AppendError, JournalError};
use crate::objects::Objects;
use crate::project::{Rows, project};

/// The hash of a run's newest append; all zero before the first.
pub type ChainHash = [u8; 32];

/// Bodies and outputs longer than this go to object storage; the row keeps their digest.
pub const INLINE_MAX_BYTES: usize = 64 * 1024;

/// The events of one decision, and the rows that follow from them.
#[derive(Debug)]
pub struct Append {
    /// Which run.
    pub run_id: RunId,
    /// Whose; for the live feed.
    pub org: OrgId,
    /// The number of the newest event before these; 0 for a new run.
    pub expected_seq: u64,
    /// The number of the last of these events.
    pub seq_last: u64,
    /// When all of them happened.
    pub at: Timestamp,
    /// JSON array of the events, exactly as it is stored and hashed.
    pub body: Arc<str>,
    pub(crate) body_digest: ChainHash,
    /// What is derived from them.
    pub rows: Rows,
    /// Messages that leave once this is durable.
    pub outbox: Vec<OutboxRow>,
    /// The request that this answers.
    pub idempotency: Option<Idempotency>,
}

impl Append {
    /// The append of `events`, all of which happened at `at` and are folded into `run_after`.
    ///
    /// # Errors
    /// An event that cannot be written as JSON: nothing of it must be stored.
    pub fn new(run_after: &Run, at: Timestamp, events: &[Event]) -> Result<Self, AppendError> {
        let body: Arc<str> = serde_json::to_string(events)
            .map_err(|fault| AppendError::Corrupt(format!("an event has no JSON: {fault}").into()))?
            .into();
        let count = u64::try_from(events.len()).unwrap_or(u64::MAX);
        Ok(Self {
            run_id: run_after.id.clone(),
            org: run_after.org.clone(),
            expected_seq: run_after.seq.saturating_sub(count),
            seq_last: run_after.seq,
            at,
            body_digest: Sha256::digest(body.as_bytes()).into(),
            body,
            rows: project(run_after, events),
            outbox: Vec::new(),
            idempotency: None,
        })
    }

    /// Also stores the answer to a request, once.
    pub fn answering(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = Some(idempotency);
        self
    }

    /// Also stores messages to be delivered.
    pub fn sending(mut self, outbox: Vec<OutboxRow>) -> Self {
        self.outbox = outbox;
        self
    }

    /// The number of the first event.
    pub fn seq_first(&self) -> u64 {
        self.expected_seq + 1
    }

    /// What the live feed is told.
    pub(crate) fn committed(&self) -> Committed {
        Committed {
            run_id: self.run_id.clone(),
            org: self.org.clone(),
            seq_first: self.seq_first(),
            seq_last: self.seq_last,
            at: self.at,
            body: Arc::clone(&self.body),
            status: self.rows.state.status,
            open: self.rows.state.open,
            wake_at: self.rows.state.wake_at,
        }
    }
}

/// The link of the hash chain after `previous`: SHA-256 over the previous hash, the run id, the
/// number of the first event, the instant, and the SHA-256 of the body. The body's own digest is
/// made by the caller, so that the writer hashes two blocks whatever the body's size.
pub fn chain(
    previous: &ChainHash,
    run_id: &RunId,
    seq_first: u64,
    at: Timestamp,
    body_digest: &ChainHash,
) -> ChainHash {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update(u64::try_from(run_id.as_str().len()).unwrap_or(u64::MAX).to_be_bytes());
    hasher.update(run_id.as_str().as_bytes());
    hasher.update(seq_first.to_be_bytes());
    hasher.update(at.0.to_be_bytes());
    hasher.update(body_digest);
    hasher.finalize().into()
}

/// Objects that hold what is too long for a row of an append.
#[derive(Debug, Default)]
pub(crate) struct Spilled {
    pub(crate) body: Option<String>,
    pub(crate) output: Option<String>,
}

impl Spilled {
    /// Puts what is too long where it can be found by its digest. Durable before the append is.
    pub(crate) fn put(append: &Append, objects: &dyn Objects) -> Result<Self, JournalError> {
        let output = append.rows.outcome.as_ref().and_then(|outcome| outcome.output.as_deref());
        Ok(Self {
            body: Self::put_text(Some(&append.body), objects)?,
            output: Self::put_text(output, objects)?,
        })
    }

    /// As [`Self::put`], for an append that is stored already.
    pub(crate) fn put_again(append: &Append, objects: &dyn Objects) -> Result<Self, JournalError> {
        let output = append.rows.outcome.as_ref().and_then(|outcome| outcome.output.as_deref());
        Ok(Self { body: None, output: Self::put_text(output, objects)? })
    }

    fn put_text(text: Option<&str>, objects: &dyn Objects) -> Result<Option<String>, JournalError> {
        match text {
            Some(text) if text.len() > INLINE_MAX_BYTES => {
                objects.put(text.as_bytes()).map(|digest| Some(digest.to_string()))
            },
            _ => Ok(None),
        }
    }
}

/// A message that must leave after its cause is durable, at least once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Unique; the receiver's means against doubles.
    pub id: String,
    /// What kind of message, for the one who delivers it.
    pub topic: String,
    /// JSON text.
    pub payload: String,
    /// Not before.
    pub due_at: Timestamp,
}

/// A request that must not be carried out twice, and what it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// Whose keys: the principal and operation.
    pub scope: String,
    /// The key they gave.
    pub key: String,
    /// SHA-256 of the request.
    pub fingerprint: String,
    /// The answer, as JSON text.
    pub response: String,
}

/// A durable append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The number of the run's newest event.
    pub seq_last: u64,
    /// The run's hash now.
    pub hash: ChainHash,
}

/// What the live feed is told about an append that has just become durable.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Which run.
    pub run_id: RunId,
    /// Whose.
    pub org: OrgId,
    /// The number of the first event.
    pub seq_first: u64,
    /// The number of the last event.
    pub seq_last: u64,
    /// When they happened.
    pub at: Timestamp,
    /// JSON array of the events.
    pub body: Arc<str>,
    /// Where the run stands now.
    pub status: &'static str,
    /// Whether anything can still happen to it.
    pub open: bool,
    /// When time must be looked at next.
    pub wake_at: Option<Timestamp>,
}

/// Resolves when the append is durable, or is known not to be.
#[must_use = "an append counts only when it is durable"]
pub struct AppendFuture(Waiting);

enum Waiting {
    Writer(oneshot::Receiver<Result<Appended, AppendError>>),
    Other(Pin<Box<dyn Future<Output = Result<Appended, AppendError>> + Send>>),
}

impl AppendFuture {
    pub(crate) fn pair() -> (oneshot::Sender<Result<Appended, AppendError>>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(Waiting::Writer(receiver)))
    }

    /// One that is decided by another future; for journals that wrap a journal.
    pub fn from_future(
        future: impl Future<Output = Result<Appended, AppendError>> + Send + 'static,
    ) -> Self {
        Self(Waiting::Other(Box::pin(future)))
    }

    /// One that is decided already.
    pub fn ready(result: Result<Appended, AppendError>) -> Self {
        let (sender, future) = Self::pair();
        // The receiver is alive: it is in our hand.
        drop(sender.send(result));
        future
    }
}

impl Future for AppendFuture {
    type Output = Result<Appended, AppendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Waiting::Writer(receiver) => Pin::new(receiver).poll(cx).map(|received| {
                received.unwrap_or_else(|_| {
                    Err(AppendError::Unavailable("the writer ended before it answered".into()))
                })
            }),
            Waiting::Other(future) => future.as_mut().poll(cx),
        }
    }
}

impl std::fmt::Debug for AppendFuture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppendFuture")
    }
}
