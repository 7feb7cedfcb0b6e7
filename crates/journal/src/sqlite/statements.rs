//! Prepared once, run a million times: the statements of the writer.

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement};

use crate::cell::CellRef;
use crate::columns::{
    ANSWER_SQL, ASSETS, CHECKPOINTS, CLOSE_SQL, DEAD_LETTERS, ESCALATE_SQL, FACTS, IDEMPOTENCY,
    INDEXED, JOURNAL, LABELS, OUTBOX, OUTCOME, RESOLVE_SQL, RUNS, STATE, STEPS, Table, assignments,
};

impl ToSql for CellRef<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            CellRef::Null => ValueRef::Null,
            CellRef::Int(value) => ValueRef::Integer(value),
            CellRef::Text(value) => ValueRef::Text(value.as_bytes()),
            CellRef::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}

/// The statements of one connection.
pub(crate) struct Statements<'c> {
    pub(crate) conn: &'c Connection,
    pub(crate) find_run: Statement<'c>,
    pub(crate) find_key: Statement<'c>,
    pub(crate) journal: Statement<'c>,
    pub(crate) run: Statement<'c>,
    pub(crate) run_state: Statement<'c>,
    pub(crate) run_indexed: Statement<'c>,
    pub(crate) run_outcome: Statement<'c>,
    pub(crate) label: Statement<'c>,
    pub(crate) step: Statement<'c>,
    pub(crate) checkpoint: Statement<'c>,
    pub(crate) answer: Statement<'c>,
    pub(crate) escalate: Statement<'c>,
    pub(crate) close: Statement<'c>,
    pub(crate) asset: Statement<'c>,
    pub(crate) dead_letter: Statement<'c>,
    pub(crate) resolve: Statement<'c>,
    pub(crate) spend: Statement<'c>,
    pub(crate) outbox: Statement<'c>,
    pub(crate) idempotency: Statement<'c>,
    pub(crate) begin: Statement<'c>,
    pub(crate) commit: Statement<'c>,
    pub(crate) rollback: Statement<'c>,
}

/// SQLite numbers `$n` by first appearance; `?n` means what it says.
pub(crate) fn dialect(sql: &str) -> String {
    sql.replace('$', "?")
}

impl<'c> Statements<'c> {
    pub(crate) fn prepare(conn: &'c Connection) -> rusqlite::Result<Self> {
        let make = |sql: &str| conn.prepare(&dialect(sql));
        let insert = |table: &Table| make(&table.insert_sql());
        let upsert = |table: &Table| make(&table.upsert_sql());
        let update_run = |columns: &[(&str, crate::columns::Kind)]| {
            let set = assignments(columns);
            make(&format!("UPDATE runs SET {set} WHERE no = ${}", columns.len() + 1))
        };
        Ok(Self {
            conn,
            find_run: make(
                "SELECT no, seq, last_hash, status, wake_at, open FROM runs WHERE id = $1",
            )?,
            find_key: make(
                "SELECT fingerprint, run_id, response FROM idempotency
                 WHERE scope = $1 AND key = $2",
            )?,
            journal: insert(&JOURNAL)?,
            run: insert(&RUNS)?,
            run_state: update_run(RUNS.columns.get(FACTS..FACTS + STATE).unwrap_or_default())?,
            run_indexed: update_run(
                RUNS.columns.get(FACTS + STATE..FACTS + STATE + INDEXED).unwrap_or_default(),
            )?,
            run_outcome: update_run(OUTCOME)?,
            label: upsert(&LABELS)?,
            // Every column is given and no other index stands on it: replacing the row is the
            // same as changing it, and a tenth cheaper.
            step: make(&STEPS.insert_sql().replacen("INSERT", "INSERT OR REPLACE", 1))?,
            checkpoint: upsert(&CHECKPOINTS)?,
            answer: make(ANSWER_SQL)?,
            escalate: make(ESCALATE_SQL)?,
            close: make(CLOSE_SQL)?,
            asset: upsert(&ASSETS)?,
            dead_letter: upsert(&DEAD_LETTERS)?,
            resolve: make(RESOLVE_SQL)?,
            spend: make(
                "INSERT INTO spend (org, day, cost, tokens) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (org, day) DO UPDATE SET
                   cost = spend.cost + excluded.cost, tokens = spend.tokens + excluded.tokens",
            )?,
            outbox: insert(&OUTBOX)?,
            idempotency: insert(&IDEMPOTENCY)?,
            begin: make("BEGIN IMMEDIATE")?,
            commit: make("COMMIT")?,
            rollback: make("ROLLBACK")?,
        })
    }
}

/// Runs a statement with these values, in order.
pub(crate) fn run<'v>(
    statement: &mut Statement<'_>,
    values: impl IntoIterator<Item = CellRef<'v>>,
) -> rusqlite::Result<usize> {
    for (index, value) in (1..).zip(values) {
        statement.raw_bind_parameter(index, value)?;
    }
    statement.raw_execute()
}
