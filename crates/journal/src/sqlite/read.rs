//! Reading beside the writer: a few read-only connections, opened when needed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tokio::sync::{Semaphore, mpsc};

use super::open::{Role, open_connection};
use super::statements::dialect;
use crate::cell::{Cell, Row, Statement};
use crate::error::JournalError;
use crate::{Snapshot, Written};

/// How many read at once; more would only wait for the same two cores.
const READERS_MAX: usize = 4;

/// Connections for reading.
pub(super) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            idle: Arc::default(),
            permits: Arc::new(Semaphore::new(READERS_MAX)),
        }
    }

    pub(super) async fn fetch(&self, statement: Statement) -> Result<Vec<Row>, JournalError> {
        self.with(move |conn| query(conn, &statement).map_err(JournalError::storage)).await
    }

    pub(super) fn snapshot(&self, questions: Vec<Statement>) -> Result<Snapshot, JournalError> {
        let (sender, receiver) = mpsc::channel(4);
        // A connection of its own: it is held for as long as somebody listens.
        let conn = open_connection(&self.path, Role::Reader)?;
        tokio::task::spawn_blocking(move || {
            if let Err(error) = send_snapshot(&conn, &questions, &sender) {
                drop(sender.blocking_send(Err(JournalError::storage(error))));
            }
        });
        Ok(receiver)
    }

    /// Runs `work` with a connection on a thread that may block.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let permit =
            Arc::clone(&self.permits).acquire_owned().await.map_err(JournalError::storage)?;
        let (idle, path) = (Arc::clone(&self.idle), self.path.clone());
        let work = tokio::task::spawn_blocking(move || {
            let known = idle.lock().pop();
            let conn = match known {
                Some(conn) => conn,
                None => open_connection(&path, Role::Reader)?,
            };
            let result = work(&conn);
            idle.lock().push(conn);
            drop(permit);
            result
        });
        work.await.map_err(JournalError::storage)?
    }
}

pub(super) fn query(conn: &Connection, statement: &Statement) -> rusqlite::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for_each_row(conn, statement, |row| rows.push(row))?;
    Ok(rows)
}

fn for_each_row(
    conn: &Connection,
    statement: &Statement,
    mut take: impl FnMut(Row),
) -> rusqlite::Result<()> {
    let mut prepared = conn.prepare_cached(&dialect(&statement.sql))?;
    for (index, value) in (1..).zip(&statement.values) {
        prepared.raw_bind_parameter(index, value.as_ref())?;
    }
    let columns = prepared.column_count();
    let mut found = prepared.raw_query();
    while let Some(row) = found.next()? {
        let cells: rusqlite::Result<Vec<Cell>> =
            (0..columns).map(|column| row.get_ref(column).map(cell)).collect();
        take(Row::new(cells?));
    }
    Ok(())
}

/// Rows that are sent at once.
const PORTION: usize = 200;

/// Sends the answers to all questions from one read transaction.
fn send_snapshot(
    conn: &Connection,
    questions: &[Statement],
    to: &mpsc::Sender<Result<(usize, Vec<Row>), JournalError>>,
) -> rusqlite::Result<()> {
    conn.execute_batch("BEGIN")?;
    let sent = questions.iter().enumerate().try_for_each(|(number, question)| {
        let mut portion = Vec::with_capacity(PORTION);
        // Who has stopped listening gets no more; the rows are still walked through.
        let send = |rows: Vec<Row>| drop(to.blocking_send(Ok((number, rows))));
        for_each_row(conn, question, |row| {
            portion.push(row);
            if portion.len() == PORTION {
                send(std::mem::take(&mut portion));
            }
        })?;
        send(portion);
        Ok(())
    });
    conn.execute_batch("COMMIT")?;
    sent
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(value) => Cell::Int(value),
        // No column holds fractions; a computed one is cut.
        #[expect(clippy::cast_possible_truncation, reason = "as said")]
        ValueRef::Real(value) => Cell::Int(value as i64),
        ValueRef::Text(value) => Cell::Text(String::from_utf8_lossy(value).into_owned()),
        ValueRef::Blob(value) => Cell::Bytes(value.to_owned()),
    }
}

/// Executes statements one after the other; all of them, or none.
pub(super) fn execute_all(
    conn: &Connection,
    statements: &[Statement],
) -> rusqlite::Result<Vec<Written>> {
    statements
        .iter()
        .map(|statement| {
            let rows = query(conn, statement)?;
            Ok(Written { changed: conn.changes(), rows })
        })
        .collect()
}
