//! What an error of the database means for what may still be promised.

use rusqlite::ErrorCode;

use crate::error::{AppendError, JournalError};

/// What an error of the database means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// No space: this was not written, everything else goes on.
    Full,
    /// Somebody else is in the way: this was not written, trying again may help.
    Busy(String),
    /// A uniqueness rule was broken.
    Exists(String),
    /// This statement was wrong; others are not touched by it.
    Statement(String),
    /// Nobody knows what the disk holds. A second fsync after a failed one may report success
    /// for pages that were dropped: nothing may be acknowledged any more.
    Fatal(String),
}

pub(super) fn fault_of(error: &rusqlite::Error) -> Fault {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Fault::Full,
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::OperationInterrupted
            | ErrorCode::FileLockingProtocolFailed,
        ) => Fault::Busy(error.to_string()),
        Some(ErrorCode::ConstraintViolation) => Fault::Exists(error.to_string()),
        Some(
            ErrorCode::SystemIoFailure
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::OutOfMemory,
        ) => Fault::Fatal(error.to_string()),
        _ => Fault::Statement(error.to_string()),
    }
}

pub(super) fn append_error(fault: &Fault) -> AppendError {
    match fault {
        Fault::Full => AppendError::Full,
        Fault::Busy(reason) => AppendError::Busy(reason.as_str().into()),
        Fault::Exists(reason) | Fault::Statement(reason) => {
            AppendError::Corrupt(reason.as_str().into())
        },
        Fault::Fatal(reason) => AppendError::Unavailable(reason.as_str().into()),
    }
}

pub(super) fn journal_error(fault: &Fault) -> JournalError {
    match fault {
        Fault::Full => JournalError::Full,
        Fault::Exists(what) => JournalError::Exists(what.clone()),
        Fault::Busy(reason) | Fault::Statement(reason) | Fault::Fatal(reason) => {
            JournalError::Storage(reason.clone())
        },
    }
}
