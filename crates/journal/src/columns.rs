//! Which columns the rows of the projections have, once for both databases.

mod cells;

pub(crate) use cells::{
    asset, checkpoint_change, dead_letter, facts, idempotency, indexed, journal, outbox, outcome,
    resolution, state, step,
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
        ("waits", Text),
        ("spent_cost", Int),
        ("spent_tokens", Int),
        ("reserved_cost", Int),
        ("reserved_tokens", Int),
        ("simulated", Int),
        ("status", Text),
        ("wake_at", Int),
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

pub(crate) const ANSWER_SQL: &str =
    "INSERT INTO checkpoint_answers (run_id, step, seq, answer, decides)
     VALUES ($1, $2, $3, $4, $5)";

pub(crate) const ESCALATE_SQL: &str = "UPDATE checkpoints SET escalated = $3, until = $4
     WHERE run_id = $1 AND step = $2 AND status = 'open'";

pub(crate) const CLOSE_SQL: &str = "UPDATE checkpoints SET status = $3, closed_at = $4
     WHERE run_id = $1 AND step = $2 AND status = 'open'";

pub(crate) const RESOLVE_SQL: &str = "UPDATE dead_letters SET resolved_at = $3, resolution = $4
     WHERE run_id = $1 AND step = $2 AND resolved_at IS NULL";

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
