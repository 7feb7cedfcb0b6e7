//! Which columns the rows of the projections have, once for both databases.

use showrunner_engine::at::Timestamp;
use showrunner_engine::id::{OrgId, RunId};

use crate::append::{Append, ChainHash, Idempotency, OutboxRow};
use crate::cell::{CellRef, signed};
use crate::project::{
    AssetRow, CheckpointOpening, DeadLetterRow, RunFacts, RunOutcome, RunState, StepRow,
};

/// A table that rows are put into: its name, its columns, and those that tell rows apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, Kind)],
    pub(crate) key: &'static [&'static str],
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Text,
    Bytes,
}
use Kind::{Bytes, Int, Text};

pub(crate) const JOURNAL: Table = Table {
    name: "journal",
    columns: &[
        ("run_id", Text),
        ("seq_first", Int),
        ("seq_last", Int),
        ("at_us", Int),
        ("hash", Bytes),
        ("body", Text),
        ("object", Text),
    ],
    key: &["run_id", "seq_first"],
};

/// What is known of a run at its first append: facts, state, and what is indexed.
pub(crate) const RUNS: Table = Table {
    name: "runs",
    columns: &[
        ("id", Text),
        ("org", Text),
        ("slug", Text),
        ("version", Int),
        ("digest", Text),
        ("title", Text),
        ("labels", Text),
        ("started_by", Text),
        ("parent_run", Text),
        ("parent_step", Text),
        ("forked_from", Text),
        ("started_at", Int),
        ("deadline", Int),
        ("budget_cost", Int),
        ("budget_tokens", Int),
        ("priority", Int),
        ("phase", Text),
        ("seq", Int),
        ("last_hash", Bytes),
        ("updated_at", Int),
        ("due", Int),
        ("wake_at", Int),
        ("waits", Text),
        ("spent_cost", Int),
        ("spent_tokens", Int),
        ("reserved_cost", Int),
        ("reserved_tokens", Int),
        ("status", Text),
        ("timer_at", Int),
        ("open", Int),
    ],
    key: &["id"],
};

/// How many of the columns of [`RUNS`] are facts.
pub(crate) const FACTS: usize = 16;
/// How many of them change with every append.
pub(crate) const STATE: usize = 11;
/// How many of them are indexed and written when they change.
pub(crate) const INDEXED: usize = 3;

/// The columns of `runs` that are written when a run is delivered, ended or reopened.
pub(crate) const OUTCOME: &[(&str, Kind)] = &[
    ("delivered_at", Int),
    ("ended_at", Int),
    ("failure", Text),
    ("output", Text),
    ("output_object", Text),
    ("close_reason", Text),
    ("closed_by", Text),
];

pub(crate) const LABELS: Table = Table {
    name: "run_labels",
    columns: &[("run_id", Text), ("key", Text), ("value", Text)],
    key: &["run_id", "key"],
};

pub(crate) const STEPS: Table = Table {
    name: "steps",
    columns: &[
        ("run_id", Text),
        ("position", Int),
        ("key", Text),
        ("def", Text),
        ("kind", Text),
        ("agent", Text),
        ("label_en", Text),
        ("label_ja", Text),
        ("phase", Text),
        ("status", Text),
        ("attempt", Int),
        ("since", Int),
        ("started_at", Int),
        ("ended_at", Int),
        ("failure", Text),
        ("spent_cost", Int),
        ("spent_tokens", Int),
        ("wait", Text),
    ],
    key: &["run_id", "position"],
};

pub(crate) const CHECKPOINTS: Table = Table {
    name: "checkpoints",
    columns: &[
        ("run_id", Text),
        ("step", Text),
        ("seq", Int),
        ("org", Text),
        ("question", Text),
        ("question_ja", Text),
        ("show", Text),
        ("digest", Text),
        ("options", Text),
        ("roles", Text),
        ("quorum", Int),
        ("opened_at", Int),
        ("until", Int),
        ("status", Text),
    ],
    key: &["run_id", "step", "seq"],
};

pub(crate) const ASSETS: Table = Table {
    name: "assets",
    columns: &[
        ("run_id", Text),
        ("id", Text),
        ("org", Text),
        ("step", Text),
        ("kind", Text),
        ("mime", Text),
        ("name", Text),
        ("bytes", Int),
        ("sha256", Text),
        ("width", Int),
        ("height", Int),
        ("duration_ms", Int),
        ("alt", Text),
        ("simulated", Int),
        ("created_at", Int),
    ],
    key: &["run_id", "id"],
};

pub(crate) const DEAD_LETTERS: Table = Table {
    name: "dead_letters",
    columns: &[
        ("id", Text),
        ("run_id", Text),
        ("org", Text),
        ("step", Text),
        ("agent", Text),
        ("class", Text),
        ("code", Text),
        ("message", Text),
        ("attempts", Int),
        ("snapshot", Text),
        ("created_at", Int),
    ],
    key: &["id"],
};

pub(crate) const OUTBOX: Table = Table {
    name: "outbox",
    columns: &[
        ("id", Text),
        ("run_id", Text),
        ("seq", Int),
        ("topic", Text),
        ("payload", Text),
        ("due_at", Int),
    ],
    key: &["id"],
};

pub(crate) const IDEMPOTENCY: Table = Table {
    name: "idempotency",
    columns: &[
        ("scope", Text),
        ("key", Text),
        ("fingerprint", Text),
        ("run_id", Text),
        ("response", Text),
        ("created_at", Int),
    ],
    key: &["scope", "key"],
};

impl Table {
    /// Stores a row, over one with the same key. Nothing but the key's own index is looked at.
    pub(crate) fn upsert_sql(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        let places: Vec<String> = (1..=names.len()).map(|n| format!("${n}")).collect();
        let changes: Vec<String> = names
            .iter()
            .filter(|name| !self.key.contains(name))
            .map(|name| format!("{name} = excluded.{name}"))
            .collect();
        format!(
            "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}",
            self.name,
            names.join(", "),
            places.join(", "),
            self.key.join(", "),
            changes.join(", "),
        )
    }

    /// Stores a row; one with the same key is an error.
    pub(crate) fn insert_sql(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        let places: Vec<String> = (1..=names.len()).map(|n| format!("${n}")).collect();
        format!("INSERT INTO {} ({}) VALUES ({})", self.name, names.join(", "), places.join(", "))
    }
}

/// `a = $1, b = $2 …`
pub(crate) fn assignments(columns: &[(&str, Kind)]) -> String {
    let parts: Vec<String> =
        columns.iter().zip(1..).map(|((name, _), n)| format!("{name} = ${n}")).collect();
    parts.join(", ")
}

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
        facts.parent_step.as_ref().map(|step| step.as_str()).into(),
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
        maybe_at(state.wake_at),
        state.waits.as_deref().into(),
        CellRef::Int(state.spent.cost.0),
        count(state.spent.tokens),
        CellRef::Int(state.reserved.cost.0),
        count(state.reserved.tokens),
    ]
}

pub(crate) fn indexed(state: &RunState, timer_at: Option<i64>) -> [CellRef<'_>; INDEXED] {
    [state.status.into(), timer_at.into(), CellRef::Int(i64::from(state.open))]
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

pub(crate) fn checkpoint<'a>(
    run: &'a RunId,
    org: &'a OrgId,
    row: &'a CheckpointOpening,
) -> [CellRef<'a>; 14] {
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
