//! One process owns the file: it holds a lock of the operating system for as long as it lives.
//! The lock ends with the process, whatever ends it, and never before.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use rustix::fs::FlockOperation;
use tokio::sync::oneshot;

use crate::error::JournalError;

pub(super) struct LockFile(File);

impl LockFile {
    /// `<database>.lock`: not the database itself, whose locks are SQLite's business.
    pub(super) fn beside(database: &Path) -> Result<Self, JournalError> {
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(name)
            .map_err(JournalError::storage)?;
        Ok(Self(file))
    }

    pub(super) fn try_lock(&self) -> Result<bool, JournalError> {
        match rustix::fs::flock(&self.0, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(JournalError::storage(error)),
        }
    }

    pub(super) fn unlock(&self) {
        if let Err(error) = rustix::fs::flock(&self.0, FlockOperation::Unlock) {
            tracing::warn!(%error, "giving up the journal's lock");
        }
    }
}

/// Waits for the lock. The thread that waits is nobody's: it must not keep a process alive that
/// wants to end.
pub(super) async fn wait(lock: &Arc<LockFile>) -> Result<(), JournalError> {
    let (reply, locked) = oneshot::channel();
    let file = Arc::clone(lock);
    std::thread::Builder::new()
        .name("journal-standby".into())
        .spawn(move || {
            let result = loop {
                match rustix::fs::flock(&file.0, FlockOperation::LockExclusive) {
                    Err(rustix::io::Errno::INTR) => {},
                    result => break result,
                }
            };
            if reply.send(result).is_err() {
                // Nobody wants to own it any more.
                file.unlock();
            }
        })
        .map_err(JournalError::storage)?;
    locked.await.map_err(JournalError::storage)?.map_err(JournalError::storage)
}

/// Counts owners. In the same file as the journal, so that a copy of it counts on.
pub(super) fn next_epoch(conn: &Connection) -> Result<u64, JournalError> {
    let epoch: i64 = conn
        .query_row(
            "INSERT INTO meta (key, value) VALUES ('epoch', '1')
         ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)
         RETURNING CAST(value AS INTEGER)",
            [],
            |row| row.get(0),
        )
        .map_err(JournalError::storage)?;
    Ok(epoch.unsigned_abs())
}
