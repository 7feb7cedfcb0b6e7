//! Moves what is in the write-ahead log into the database file, without making a commit wait
//! for it. The bulk is moved by a thread of its own while commits go on; since such a checkpoint
//! never catches up with a busy writer, the writer itself moves the last few pages between two
//! groups, and the log begins anew.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};

use rusqlite::Connection;

use super::open::open_connection;
use crate::error::JournalError;

/// The log is moved when it holds so many pages (16 MiB).
const LOG_PAGES_MAX: u32 = 4096;

/// The way to the checkpointing thread.
pub(super) struct Checkpointer {
    pages: Arc<AtomicU32>,
    is_moving: Arc<AtomicBool>,
    has_moved: Arc<AtomicBool>,
    wake: Sender<()>,
}

impl Checkpointer {
    /// Starts the thread; `writer` reports how long the log is.
    pub(super) fn start(path: &Path, writer: &mut Connection) -> Result<Self, JournalError> {
        let conn = open_connection(path, super::open::Role::Checkpointer)?;
        let pages = Arc::new(AtomicU32::new(0));
        let is_moving = Arc::new(AtomicBool::new(false));
        let has_moved = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&pages);
        writer
            .wal_hook(Some(move |_: &mut _, count: std::ffi::c_int| {
                seen.store(u32::try_from(count).unwrap_or(0), Ordering::Relaxed);
                Ok(())
            }))
            .map_err(JournalError::storage)?;
        let (wake, woken) = channel();
        let (moving, moved) = (Arc::clone(&is_moving), Arc::clone(&has_moved));
        std::thread::Builder::new()
            .name("journal-checkpoint".into())
            .spawn(move || {
                while woken.recv().is_ok() {
                    move_pages(&conn);
                    moved.store(true, Ordering::Release);
                    moving.store(false, Ordering::Release);
                }
            })
            .map_err(JournalError::storage)?;
        Ok(Self { pages, is_moving, has_moved, wake })
    }

    /// Called by the writer between two groups.
    pub(super) fn after_commit(&self, writer: &Connection) {
        if self.pages.load(Ordering::Relaxed) < LOG_PAGES_MAX
            || self.is_moving.load(Ordering::Acquire)
        {
            return;
        }
        if self.has_moved.swap(false, Ordering::Acquire) {
            move_pages(writer);
            self.pages.store(0, Ordering::Relaxed);
        } else {
            self.is_moving.store(true, Ordering::Release);
            if self.wake.send(()).is_err() {
                self.is_moving.store(false, Ordering::Release);
                move_pages(writer);
            }
        }
    }
}

/// Moves what can be moved. What cannot (a reader looks at it, the disk is full) stays in the
/// log, where it is just as durable, and is moved the next time.
fn move_pages(conn: &Connection) {
    let moved = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    if let Err(error) = moved {
        tracing::warn!(%error, "moving the write-ahead log into the database");
    }
}

/// Moves everything and empties the log: a file at rest is whole by itself. A log that is damaged
/// while nobody looks ends where the damage is, unnoticed; in the file the chains would tell.
pub(super) fn move_all(conn: &Connection) {
    let moved = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    if let Err(error) = moved {
        tracing::warn!(%error, "moving the whole write-ahead log into the database");
    }
}
