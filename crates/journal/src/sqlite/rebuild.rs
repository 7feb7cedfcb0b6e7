//! The projections made again, in one transaction on the writer's connection.

use rusqlite::Connection;
use showrunner_engine::id::RunId;

use super::append::{GroupSpend, add_spend, write_projections, write_spend};
use super::read::query;
use super::statements::Statements;
use crate::append::Spilled;
use crate::cell::Statement;
use crate::error::JournalError;
use crate::objects::Objects;
use crate::query::events::StoredBatch;
use crate::replay::{Rebuilt, Resolver, replay};
use crate::tables;

pub(super) fn rebuild(
    conn: &Connection,
    objects: &dyn Objects,
    resolve: &Resolver,
) -> Result<Rebuilt, JournalError> {
    conn.execute_batch("BEGIN IMMEDIATE").map_err(JournalError::storage)?;
    let rebuilt = in_transaction(conn, objects, resolve);
    let end = if rebuilt.is_ok() { "COMMIT" } else { "ROLLBACK" };
    conn.execute_batch(end).map_err(JournalError::storage)?;
    rebuilt
}

fn in_transaction(
    conn: &Connection,
    objects: &dyn Objects,
    resolve: &Resolver,
) -> Result<Rebuilt, JournalError> {
    for table in tables::projections() {
        let sql = format!("DELETE FROM {}", table.name);
        conn.execute(&sql, []).map_err(JournalError::storage)?;
    }
    let mut statements = Statements::prepare(conn).map_err(JournalError::storage)?;
    let mut spend = GroupSpend::default();
    let mut rebuilt = Rebuilt::default();
    let runs = Statement::new("SELECT run_id FROM journal WHERE seq_first = 1 ORDER BY no");
    for mut row in query(conn, &runs).map_err(JournalError::storage)? {
        let id = RunId::from(row.text()?);
        let question = Statement::new(
            "SELECT seq_first, seq_last, at_us, hash, body, object FROM journal
             WHERE run_id = $1 ORDER BY seq_first",
        );
        let rows = query(conn, &question.bind(id.as_str())).map_err(JournalError::storage)?;
        let batches: Result<Vec<StoredBatch>, JournalError> =
            rows.into_iter().map(|row| StoredBatch::whole_from_row(row, objects)).collect();
        let mut head = None;
        for (append, hash) in replay(&id, &batches?, resolve)? {
            let spilled = Spilled::put_again(&append, objects)?;
            let written = write_projections(&mut statements, &append, head, hash, &spilled);
            head = Some(written.map_err(JournalError::storage)?);
            add_spend(&mut spend, &append);
            rebuilt.events += append.seq_last - append.expected_seq;
        }
        rebuilt.runs += 1;
    }
    write_spend(&mut statements, &mut spend).map_err(JournalError::storage)?;
    Ok(rebuilt)
}
