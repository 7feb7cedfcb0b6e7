//! What the rows of the projections hold, column by column.

use showrunner_engine::at::Timestamp;
use showrunner_engine::id::{OrgId, RunId, StepKey};

use super::{FACTS, INDEXED, STATE};
use crate::append::{Append, ChainHash, Idempotency, OutboxRow};
use crate::cell::{Cell, CellRef, signed};
use crate::project::{
    AssetRow, CheckpointChange, CheckpointOpening, DeadLetterRow, Resolution, RunFacts, RunOutcome,
    RunState, StepRow,
};

fn at(at: Timestamp) -> CellRef<'static> {
    CellRef::Int(at.0)
}

fn maybe_at(at: Option<Timestamp>) -> CellRef<'static> {
    at.map_or(CellRef::Null, |at| CellRef::Int(at.0))
}

fn count(value: u64) -> CellRef<'static> {
    CellRef::Int(signed(value))
}

pub(crate) fn journal<'a>(
    append: &'a Append,
    hash: &'a ChainHash,
    object: Option<&'a str>,
) -> [CellRef<'a>; 7] {
    let body = if object.is_some() { CellRef::Null } else { CellRef::Text(&append.body) };
    [
        append.run_id.as_str().into(),
        count(append.seq_first()),
        count(append.seq_last),
        at(append.at),
        CellRef::Bytes(hash),
        body,
        object.into(),
    ]
}

pub(crate) fn facts<'a>(
    run: &'a RunId,
    facts: &'a RunFacts,
    labels: &'a str,
) -> [CellRef<'a>; FACTS] {
    [
        run.as_str().into(),
        facts.org.as_str().into(),
        (&facts.slug).into(),
        CellRef::Int(i64::from(facts.version)),
        facts.digest.as_str().into(),
        facts.title.as_deref().into(),
        labels.into(),
        (&facts.started_by).into(),
        facts.parent_run.as_ref().map(RunId::as_str).into(),
        facts.parent_step.as_ref().map(StepKey::as_str).into(),
        facts.forked_from.as_ref().map(RunId::as_str).into(),
        at(facts.started_at),
        maybe_at(facts.deadline),
        facts.budget.cost.map(|cost| cost.0).into(),
        facts.budget.tokens.map(signed).into(),
        CellRef::Int(i64::from(facts.priority)),
    ]
}

pub(crate) fn state<'a>(state: &'a RunState, hash: &'a ChainHash) -> [CellRef<'a>; STATE] {
    [
        state.phase.as_deref().into(),
        count(state.seq),
        CellRef::Bytes(hash),
        at(state.updated_at),
        count(state.due),
        state.waits.as_deref().into(),
        CellRef::Int(state.spent.cost.0),
        count(state.spent.tokens),
        CellRef::Int(state.reserved.cost.0),
        count(state.reserved.tokens),
        CellRef::Int(i64::from(state.simulated)),
    ]
}

pub(crate) fn indexed(state: &RunState) -> [CellRef<'_>; INDEXED] {
    [state.status.into(), maybe_at(state.wake_at), CellRef::Int(i64::from(state.open))]
}

pub(crate) fn outcome<'a>(outcome: &'a RunOutcome, object: Option<&'a str>) -> [CellRef<'a>; 7] {
    let output = if object.is_some() { None } else { outcome.output.as_deref() };
    [
        maybe_at(outcome.delivered_at),
        maybe_at(outcome.ended_at),
        outcome.failure.as_deref().into(),
        output.into(),
        object.into(),
        outcome.close_reason.as_deref().into(),
        outcome.closed_by.as_deref().into(),
    ]
}

pub(crate) fn step<'a>(run: &'a RunId, row: &'a StepRow) -> [CellRef<'a>; 18] {
    [
        run.as_str().into(),
        CellRef::Int(i64::from(row.position)),
        row.key.as_str().into(),
        (&row.def).into(),
        row.kind.into(),
        row.agent.as_deref().into(),
        (&row.label_en).into(),
        row.label_ja.as_deref().into(),
        row.phase.as_deref().into(),
        row.status.into(),
        CellRef::Int(i64::from(row.attempt)),
        at(row.since),
        maybe_at(row.started_at),
        maybe_at(row.ended_at),
        row.failure.as_deref().into(),
        CellRef::Int(row.spent.cost.0),
        count(row.spent.tokens),
        row.wait.as_deref().into(),
    ]
}

/// The values of the statement that carries out a change: `ANSWER_SQL` and its neighbours, or the
/// row of a question that is asked.
pub(crate) fn checkpoint_change(id: &RunId, org: &OrgId, change: &CheckpointChange) -> Vec<Cell> {
    let id_text = id.as_str();
    match change {
        CheckpointChange::Nothing => Vec::new(),
        CheckpointChange::Opened(row) => checkpoint(id, org, row).map(CellRef::to_cell).into(),
        CheckpointChange::Answered { step, seq, answer, decides } => {
            let answer = serde_json::to_string(answer).unwrap_or_default();
            vec![
                id_text.into(),
                step.as_str().into(),
                (*seq).into(),
                answer.into(),
                (*decides).into(),
            ]
        },
        CheckpointChange::Escalated { step, roles, until } => vec![
            id_text.into(),
            step.as_str().into(),
            roles.as_str().into(),
            until.map(|until| until.0).into(),
        ],
        CheckpointChange::Closed { step, status, at } => {
            vec![id_text.into(), step.as_str().into(), (*status).into(), at.0.into()]
        },
    }
}

/// The values of `RESOLVE_SQL`.
pub(crate) fn resolution(id: &RunId, row: &Resolution) -> Vec<Cell> {
    vec![id.as_str().into(), row.step.as_str().into(), row.at.0.into(), row.how.into()]
}

fn checkpoint<'a>(run: &'a RunId, org: &'a OrgId, row: &'a CheckpointOpening) -> [CellRef<'a>; 14] {
    [
        run.as_str().into(),
        row.step.as_str().into(),
        count(row.seq),
        org.as_str().into(),
        (&row.question).into(),
        row.question_ja.as_deref().into(),
        (&row.show).into(),
        row.digest.as_str().into(),
        (&row.options).into(),
        (&row.roles).into(),
        CellRef::Int(i64::from(row.quorum)),
        at(row.opened_at),
        maybe_at(row.until),
        "open".into(),
    ]
}

pub(crate) fn asset<'a>(run: &'a RunId, org: &'a OrgId, row: &'a AssetRow) -> [CellRef<'a>; 15] {
    let asset = &row.asset;
    [
        run.as_str().into(),
        asset.id.as_str().into(),
        org.as_str().into(),
        row.step.as_str().into(),
        (&asset.kind).into(),
        (&asset.mime).into(),
        (&asset.name).into(),
        count(asset.bytes),
        asset.sha256.as_str().into(),
        asset.width.map(i64::from).into(),
        asset.height.map(i64::from).into(),
        asset.duration_ms.map(signed).into(),
        asset.alt.as_deref().into(),
        CellRef::Int(i64::from(asset.simulated)),
        at(row.created_at),
    ]
}

pub(crate) fn dead_letter<'a>(
    run: &'a RunId,
    org: &'a OrgId,
    row: &'a DeadLetterRow,
) -> [CellRef<'a>; 11] {
    [
        (&row.id).into(),
        run.as_str().into(),
        org.as_str().into(),
        row.step.as_str().into(),
        (&row.agent).into(),
        row.failure.class.name().into(),
        (&row.failure.code).into(),
        (&row.failure.message).into(),
        CellRef::Int(i64::from(row.attempts)),
        (&row.snapshot).into(),
        at(row.created_at),
    ]
}

pub(crate) fn outbox<'a>(append: &'a Append, row: &'a OutboxRow) -> [CellRef<'a>; 6] {
    [
        (&row.id).into(),
        append.run_id.as_str().into(),
        count(append.seq_last),
        (&row.topic).into(),
        (&row.payload).into(),
        at(row.due_at),
    ]
}

pub(crate) fn idempotency<'a>(append: &'a Append, row: &'a Idempotency) -> [CellRef<'a>; 6] {
    [
        (&row.scope).into(),
        (&row.key).into(),
        (&row.fingerprint).into(),
        append.run_id.as_str().into(),
        (&row.response).into(),
        at(append.at),
    ]
}
