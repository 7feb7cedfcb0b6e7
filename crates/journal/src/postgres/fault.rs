//! What an error of the database means for what may still be promised.

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::error::{AppendError, JournalError};

/// What an error of the database means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// No space: this was not written, everything else goes on.
    Full,
    /// Another process owns the journal.
    Fenced,
    /// The transaction before this one failed; this one can be sent again.
    Chained,
    /// It does not take anything now, or not in this order: trying again may help.
    Busy(String),
    /// A uniqueness rule was broken.
    Exists(String),
    /// This statement was wrong; others are not touched by it.
    Statement(String),
    /// The session is gone, and with it the right to write.
    Lost(String),
}

pub(super) fn fault_of(error: &Error) -> Fault {
    let Some(found) = error.as_db_error() else { return Fault::Lost(error.to_string()) };
    let text = found.to_string();
    match found.code() {
        code if *code == SqlState::DISK_FULL => Fault::Full,
        code if code.code() == "SR001" => Fault::Fenced,
        code if code.code() == "SR002" => Fault::Chained,
        code if *code == SqlState::UNIQUE_VIOLATION => Fault::Exists(text),
        code if is_passing(code.code()) => Fault::Busy(text),
        code if code.code().starts_with("57") || code.code().starts_with("58") => Fault::Lost(text),
        _ => Fault::Statement(text),
    }
}

/// Read-only for now, a lock not got in time, a statement cancelled, resources used up, or a
/// transaction rolled back for the sake of others. Source: Postgres' appendix A, error codes.
fn is_passing(code: &str) -> bool {
    matches!(code, "25006" | "55P03" | "57014") || code.starts_with("40") || code.starts_with("53")
}

impl Fault {
    pub(super) fn to_append_error(&self) -> AppendError {
        match self {
            Self::Full => AppendError::Full,
            Self::Busy(reason) => AppendError::Busy(reason.as_str().into()),
            Self::Fenced => AppendError::Fenced,
            Self::Chained => AppendError::Unavailable("the transaction before it failed".into()),
            Self::Exists(reason) | Self::Statement(reason) => {
                AppendError::Corrupt(reason.as_str().into())
            },
            Self::Lost(reason) => AppendError::Unavailable(reason.as_str().into()),
        }
    }

    pub(super) fn to_journal_error(&self) -> JournalError {
        match self {
            Self::Full => JournalError::Full,
            Self::Fenced => JournalError::Fenced,
            Self::Chained => JournalError::Storage("the transaction before it failed".into()),
            Self::Exists(what) => JournalError::Exists(what.clone()),
            Self::Busy(reason) | Self::Statement(reason) | Self::Lost(reason) => {
                JournalError::Storage(reason.clone())
            },
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
pub(super) fn journal_error(error: Error) -> JournalError {
    fault_of(&error).to_journal_error()
}
