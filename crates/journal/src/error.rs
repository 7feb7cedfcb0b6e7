//! What can go wrong in storage, as types that decide.

use std::sync::Arc;

use showrunner_engine::id::RunId;

/// Why an append was not made. Nothing of it is stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The run has other events than the writer of this append knew.
    #[error("the run stands at {found_seq}, not where this append expected it")]
    Conflict {
        /// The number of the run's newest event.
        found_seq: u64,
    },
    /// The idempotency key was used before.
    #[error("this idempotency key was used before")]
    DuplicateKey(Box<StoredAnswer>),
    /// There is no space left. Everything else goes on; so do appends once there is space again.
    #[error("the disk or database is full")]
    Full,
    /// The database or the object store does not take it now: somebody holds a lock, it only
    /// reads, too many files are open. Nothing was written; trying again may help.
    #[error("the database does not take it now: {0}")]
    Busy(Arc<str>),
    /// Another process owns the journal.
    #[error("this process does not own the journal (any more)")]
    Fenced,
    /// It is not known whether the append is stored: the journal stopped before it could say.
    /// After a restart the journal tells.
    #[error("the journal stopped: {0}")]
    Unavailable(Arc<str>),
    /// What is stored cannot be right.
    #[error("the journal is damaged: {0}")]
    Corrupt(Arc<str>),
}

/// What was answered to the first request with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The digest of that request, to tell a repetition from another use of the same key.
    pub fingerprint: String,
    /// The run that it started or changed.
    pub run_id: RunId,
    /// The answer, as JSON text.
    pub response: String,
}

/// Why something other than an append failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// There is no space left.
    #[error("the disk or database is full")]
    Full,
    /// Another process owns the journal.
    #[error("this process does not own the journal (any more)")]
    Fenced,
    /// A uniqueness rule says that this exists already.
    #[error("it exists already: {0}")]
    Exists(String),
    /// The database or file system did not do what it was asked.
    #[error("storage: {0}")]
    Storage(String),
    /// What is stored cannot be right.
    #[error("the journal is damaged: {0}")]
    Corrupt(String),
    /// The place is not as it has to be (not empty, too new, too old a library …).
    #[error("{0}")]
    Unusable(String),
}

impl JournalError {
    pub(crate) fn storage(error: impl std::fmt::Display) -> Self {
        Self::Storage(error.to_string())
    }
}
