//! What one append writes, inside the transaction of its group.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, params};
use showrunner_engine::id::{OrgId, RunId};
use showrunner_engine::money::Spend;

use super::statements::{Statements, run};
use crate::append::{Append, ChainHash, Spilled, chain};
use crate::cell::{Cell, CellRef, signed};
use crate::columns;
use crate::error::{AppendError, StoredAnswer};
use crate::project::CheckpointChange;

/// Where a run stands, as the writer remembers it. The writer is the only one who writes, so
/// what it remembers is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    no: i64,
    pub(super) seq: u64,
    pub(super) hash: ChainHash,
    indexed: Indexed,
}

/// The state that is indexed; written only when it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Indexed {
    status: StatusName,
    wake_at: Option<i64>,
    open: bool,
}

/// A status name without its text: short names that differ differ in these bytes.
type StatusName = [u8; 12];

fn status_name(status: &str) -> StatusName {
    let mut name = StatusName::default();
    for (to, from) in name.iter_mut().zip(status.bytes()) {
        *to = from;
    }
    name
}

/// The heads of this database.
pub(super) type Heads = crate::heads::Heads<Head>;

/// Why an append was not written: refused before anything was, or by the database.
#[derive(Debug)]
pub(super) enum NotWritten {
    Refused(AppendError),
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for NotWritten {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// Money of one group by organisation and day: one row however many appends.
pub(super) type GroupSpend = HashMap<(OrgId, i64), Spend>;

/// Checks and writes one append. Whatever is refused is refused before the first write.
pub(super) fn write(
    statements: &mut Statements<'_>,
    heads: &mut Heads,
    append: &Append,
    spilled: &Spilled,
    spend: &mut GroupSpend,
) -> Result<Head, NotWritten> {
    let known = match heads.get(&append.run_id) {
        Some(head) => Some(head),
        None => find_head(statements, &append.run_id)?,
    };
    // A repeated request first: its run has moved on, and that is no conflict.
    if let Some(answer) = stored_answer(statements, append)? {
        return Err(NotWritten::Refused(AppendError::DuplicateKey(Box::new(answer))));
    }
    let found_seq = known.map_or(0, |head| head.seq);
    if found_seq != append.expected_seq {
        return Err(NotWritten::Refused(AppendError::Conflict { found_seq }));
    }
    if known.is_none() && append.rows.facts.is_none() {
        let reason = format!("the first append of {} does not start it", append.run_id);
        return Err(NotWritten::Refused(AppendError::Corrupt(reason.into())));
    }
    let previous = known.map_or([0; 32], |head| head.hash);
    let hash = chain(&previous, &append.run_id, append.seq_first(), append.at, &append.body_digest);
    run(&mut statements.journal, columns::journal(append, &hash, spilled.body.as_deref()))?;
    let head = write_projections(statements, append, known, hash, spilled)?;
    add_spend(spend, append);
    for row in &append.outbox {
        run(&mut statements.outbox, columns::outbox(append, row))?;
    }
    if let Some(row) = &append.idempotency {
        run(&mut statements.idempotency, columns::idempotency(append, row))?;
    }
    heads.put(&append.run_id, head);
    Ok(head)
}

/// The rows that follow from an append, and nothing of the append itself.
pub(super) fn write_projections(
    statements: &mut Statements<'_>,
    append: &Append,
    known: Option<Head>,
    hash: ChainHash,
    spilled: &Spilled,
) -> rusqlite::Result<Head> {
    let head = write_run(statements, append, known, hash)?;
    write_rows(statements, append, spilled, head.no)?;
    Ok(head)
}

pub(super) fn add_spend(spend: &mut GroupSpend, append: &Append) {
    if let Some(row) = &append.rows.spend {
        let sum = spend.entry((row.org.clone(), row.day)).or_default();
        *sum = sum.plus(row.spend);
    }
}

fn find_head(statements: &mut Statements<'_>, id: &RunId) -> rusqlite::Result<Option<Head>> {
    statements
        .find_run
        .query_row(params![id.as_str()], |row| {
            let status: String = row.get(3)?;
            Ok(Head {
                no: row.get(0)?,
                seq: row.get::<_, i64>(1)?.unsigned_abs(),
                hash: row.get(2)?,
                indexed: Indexed {
                    status: status_name(&status),
                    wake_at: row.get(4)?,
                    open: row.get(5)?,
                },
            })
        })
        .optional()
}

fn stored_answer(
    statements: &mut Statements<'_>,
    append: &Append,
) -> rusqlite::Result<Option<StoredAnswer>> {
    let Some(row) = &append.idempotency else { return Ok(None) };
    statements
        .find_key
        .query_row(params![row.scope, row.key], |row| {
            let run_id: String = row.get(1)?;
            Ok(StoredAnswer {
                fingerprint: row.get(0)?,
                run_id: run_id.into(),
                response: row.get(2)?,
            })
        })
        .optional()
}

fn write_run(
    statements: &mut Statements<'_>,
    append: &Append,
    known: Option<Head>,
    hash: ChainHash,
) -> rusqlite::Result<Head> {
    let state = &append.rows.state;
    let indexed = Indexed {
        status: status_name(state.status),
        wake_at: state.wake_at.map(|at| at.0),
        open: state.open,
    };
    let no = match (known, &append.rows.facts) {
        (Some(head), _) => {
            let no = [CellRef::Int(head.no)];
            run(&mut statements.run_state, columns::state(state, &hash).into_iter().chain(no))?;
            if head.indexed != indexed {
                let values = columns::indexed(state).into_iter().chain(no);
                run(&mut statements.run_indexed, values)?;
            }
            head.no
        },
        (None, Some(facts)) => {
            let labels = serde_json::to_string(&facts.labels).unwrap_or_default();
            let values = columns::facts(&append.run_id, facts, &labels)
                .into_iter()
                .chain(columns::state(state, &hash))
                .chain(columns::indexed(state));
            run(&mut statements.run, values)?;
            let no = statements.conn.last_insert_rowid();
            for (key, value) in &facts.labels {
                let run_id = append.run_id.as_str();
                run(&mut statements.label, [run_id.into(), key.into(), value.into()])?;
            }
            no
        },
        // Refused before anything was written, see `write`.
        (None, None) => return Err(rusqlite::Error::QueryReturnedNoRows),
    };
    Ok(Head { no, seq: append.seq_last, hash, indexed })
}

/// Every row but the run's own state.
fn write_rows(
    statements: &mut Statements<'_>,
    append: &Append,
    spilled: &Spilled,
    no: i64,
) -> rusqlite::Result<()> {
    let (id, org, rows) = (&append.run_id, &append.org, &append.rows);
    if let Some(outcome) = &rows.outcome {
        let values = columns::outcome(outcome, spilled.output.as_deref());
        run(&mut statements.run_outcome, values.into_iter().chain([CellRef::Int(no)]))?;
    }
    for row in &rows.steps {
        run(&mut statements.step, columns::step(id, row))?;
    }
    for change in &rows.checkpoints {
        write_checkpoint(statements, id, org, change)?;
    }
    for row in &rows.assets {
        run(&mut statements.asset, columns::asset(id, org, row))?;
    }
    for row in &rows.resolutions {
        let values = columns::resolution(id, row);
        run(&mut statements.resolve, values.iter().map(Cell::as_ref))?;
    }
    for row in &rows.dead_letters {
        run(&mut statements.dead_letter, columns::dead_letter(id, org, row))?;
    }
    Ok(())
}

fn write_checkpoint(
    statements: &mut Statements<'_>,
    id: &RunId,
    org: &OrgId,
    change: &CheckpointChange,
) -> rusqlite::Result<()> {
    let statement = match change {
        CheckpointChange::Nothing => return Ok(()),
        CheckpointChange::Opened(_) => &mut statements.checkpoint,
        CheckpointChange::Answered { .. } => &mut statements.answer,
        CheckpointChange::Escalated { .. } => &mut statements.escalate,
        CheckpointChange::Closed { .. } => &mut statements.close,
    };
    let values = columns::checkpoint_change(id, org, change);
    run(statement, values.iter().map(Cell::as_ref)).map(drop)
}

/// Adds what a group spent.
pub(super) fn write_spend(
    statements: &mut Statements<'_>,
    spend: &mut GroupSpend,
) -> rusqlite::Result<()> {
    for ((org, day), spend) in spend.drain() {
        let cost = CellRef::Int(spend.cost.0);
        let tokens = CellRef::Int(signed(spend.tokens));
        run(&mut statements.spend, [org.as_str().into(), CellRef::Int(day), cost, tokens])?;
    }
    Ok(())
}
