//! Every table, for what treats all of them alike: archives, comparing, refusing a full database.

/// A table with all columns that are kept in archives, and the order of its rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static str,
    pub(crate) order: &'static str,
    /// Derived from the journal.
    pub(crate) is_projection: bool,
}

const fn truth(name: &'static str, columns: &'static str, order: &'static str) -> Whole {
    Whole { name, columns, order, is_projection: false }
}

const fn projection(name: &'static str, columns: &'static str, order: &'static str) -> Whole {
    Whole { name, columns, order, is_projection: true }
}

/// All tables. `journal` comes first and in order of arrival: that order is not kept as a number.
pub(crate) const ALL: &[Whole] = &[
    truth("journal", "run_id, seq_first, seq_last, at_us, hash, body, object", "no"),
    projection(
        "runs",
        "id, org, slug, version, digest, title, labels, started_by, parent_run, parent_step, \
         forked_from, started_at, deadline, budget_cost, budget_tokens, priority, phase, seq, \
         last_hash, updated_at, due, waits, spent_cost, spent_tokens, reserved_cost, \
         reserved_tokens, simulated, status, wake_at, open, delivered_at, ended_at, failure, output, \
         output_object, close_reason, closed_by",
        "id",
    ),
    projection("run_labels", "run_id, key, value", "run_id, key"),
    projection(
        "steps",
        "run_id, position, key, def, kind, agent, label_en, label_ja, phase, status, attempt, \
         since, started_at, ended_at, failure, spent_cost, spent_tokens, wait",
        "run_id, position",
    ),
    projection(
        "checkpoints",
        "run_id, step, seq, org, question, question_ja, show, digest, options, roles, quorum, \
         opened_at, until, escalated, status, closed_at",
        "run_id, step, seq",
    ),
    projection("checkpoint_answers", "run_id, step, seq, answer, decides", "run_id, step, seq"),
    projection(
        "assets",
        "run_id, id, org, step, kind, mime, name, bytes, sha256, width, height, duration_ms, alt, \
         simulated, created_at",
        "run_id, id",
    ),
    projection(
        "dead_letters",
        "id, run_id, org, step, agent, class, code, message, attempts, snapshot, created_at, \
         resolved_at, resolution",
        "id",
    ),
    projection("spend", "org, day, cost, tokens", "org, day"),
    truth(
        "outbox",
        "id, run_id, seq, topic, payload, due_at, attempts, last_error, delivered_at",
        "id",
    ),
    truth("idempotency", "scope, key, fingerprint, run_id, response, created_at", "scope, key"),
    truth(
        "definitions",
        "org, slug, version, digest, source, status, created_at, created_by",
        "org, slug, version",
    ),
    truth("tokens", "id, org, principal, roles, digest, created_at, revoked_at", "id"),
    truth("brands", "id, org, name, profile, updated_at", "id"),
    truth("dead_letter_notes", "letter, org, resolved_at, resolved_by, notes", "letter"),
    truth("cache", "key, output, assets, created_at", "key"),
    truth("meta", "key, value", "key"),
    truth(
        "webhook_endpoints",
        "id, org, url, description, events, run_id, secret, secret_before, secret_before_until, \
         status, disabled_why, failing_since, held_until, created_at, created_by, updated_at",
        "id",
    ),
    truth(
        "webhook_deliveries",
        "id, org, endpoint, message, type, run_id, seq, body, status, attempts, created_at, \
         next_at, ended_at, last_status, last_error",
        "id",
    ),
    truth(
        "webhook_attempts",
        "delivery, no, at, status, duration_ms, error, excerpt",
        "delivery, no",
    ),
    truth("callback_jobs", "provider, job, run_id, org, step, token, accepted_at", "provider, job"),
    truth("callback_receipts", "source, id, digest, job, payload, received_at", "source, id"),
];

impl Whole {
    pub(crate) fn select(&self) -> String {
        format!("SELECT {} FROM {} ORDER BY {}", self.columns, self.name, self.order)
    }

    pub(crate) fn insert(&self) -> String {
        let count = self.columns.split(',').count();
        let places: Vec<String> = (1..=count).map(|n| format!("${n}")).collect();
        format!("INSERT INTO {} ({}) VALUES ({})", self.name, self.columns, places.join(", "))
    }
}

pub(crate) fn projections() -> impl Iterator<Item = &'static Whole> {
    ALL.iter().filter(|table| table.is_projection)
}
