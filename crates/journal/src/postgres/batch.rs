//! Many appends as one transaction of a few statements, all sent before the first is answered.

use std::collections::HashMap;
use std::pin::Pin;
use std::task::Poll;

use futures_util::poll;
use showrunner_engine::id::OrgId;
use showrunner_engine::money::Spend;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Statement};

use super::arrays::{Arrays, insert_sql, update_sql, upsert_sql};
use crate::append::{Append, ChainHash, Spilled};
use crate::cell::{Cell, CellRef, signed};
use crate::columns::{
    self, ASSETS, FACTS, IDEMPOTENCY, INDEXED, JOURNAL, Kind, LABELS, OUTBOX, OUTCOME, RUNS, STATE,
    STEPS,
};
use crate::project::CheckpointChange;

/// The statements of the writer.
pub(super) struct Prepared {
    guard: Statement,
    pub(super) heads: Statement,
    pub(super) keys: Statement,
    journal: Statement,
    new_runs: Statement,
    known_runs: Statement,
    outcomes: Statement,
    labels: Statement,
    steps: Statement,
    assets: Statement,
    spend: Statement,
    outbox: Statement,
    idempotency: Statement,
    checkpoint: Statement,
    answer: Statement,
    escalate: Statement,
    close: Statement,
    dead_letter: Statement,
    resolve: Statement,
}

/// The columns that change with every append, after the id that finds the row.
fn state_columns() -> Vec<(&'static str, Kind)> {
    let state = RUNS.columns.get(FACTS..FACTS + STATE + INDEXED).unwrap_or_default();
    [("id", Kind::Text)].into_iter().chain(state.iter().copied()).collect()
}

fn outcome_columns() -> Vec<(&'static str, Kind)> {
    [("id", Kind::Text)].into_iter().chain(OUTCOME.iter().copied()).collect()
}

const SPEND: &[(&str, Kind)] =
    &[("org", Kind::Text), ("day", Kind::Int), ("cost", Kind::Int), ("tokens", Kind::Int)];

impl Prepared {
    pub(super) async fn new(client: &Client) -> Result<Self, Error> {
        Ok(Self {
            guard: client.prepare("SELECT journal_guard($1, $2)").await?,
            heads: client.prepare("SELECT id, seq, last_hash FROM runs WHERE id = ANY($1)").await?,
            keys: client
                .prepare(
                    "SELECT i.scope, i.key, i.fingerprint, i.run_id, i.response FROM idempotency i
                     JOIN UNNEST($1::TEXT[], $2::TEXT[]) AS u (scope, key)
                       ON i.scope = u.scope AND i.key = u.key",
                )
                .await?,
            journal: client.prepare(&insert_sql(&JOURNAL)).await?,
            new_runs: client.prepare(&insert_sql(&RUNS)).await?,
            known_runs: client.prepare(&update_sql("runs", &state_columns())).await?,
            outcomes: client.prepare(&update_sql("runs", &outcome_columns())).await?,
            labels: client.prepare(&upsert_sql(&LABELS)).await?,
            steps: client.prepare(&upsert_sql(&STEPS)).await?,
            assets: client.prepare(&upsert_sql(&ASSETS)).await?,
            spend: client
                .prepare(
                    "INSERT INTO spend (org, day, cost, tokens)
                     SELECT * FROM UNNEST($1::TEXT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[])
                     ON CONFLICT (org, day) DO UPDATE SET
                       cost = spend.cost + excluded.cost, tokens = spend.tokens + excluded.tokens",
                )
                .await?,
            outbox: client.prepare(&insert_sql(&OUTBOX)).await?,
            idempotency: client.prepare(&insert_sql(&IDEMPOTENCY)).await?,
            checkpoint: client.prepare(&columns::CHECKPOINTS.upsert_sql()).await?,
            answer: client.prepare(columns::ANSWER_SQL).await?,
            escalate: client.prepare(columns::ESCALATE_SQL).await?,
            close: client.prepare(columns::CLOSE_SQL).await?,
            dead_letter: client.prepare(&columns::DEAD_LETTERS.upsert_sql()).await?,
            resolve: client.prepare(columns::RESOLVE_SQL).await?,
        })
    }
}

/// An append that is written as this says.
pub(super) struct Item {
    pub(super) append: Box<Append>,
    pub(super) spilled: Spilled,
    pub(super) hash: ChainHash,
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<u64, Error>> + Send + 'a>>;

/// Sends a transaction with everything that `items` say, and waits until it is durable.
pub(super) async fn send(
    client: &Client,
    prepared: &Prepared,
    (epoch, commits): (i64, i64),
    items: &[Item],
) -> Result<(), Error> {
    let guard: Vec<Cell> = vec![epoch.into(), commits.into()];
    let labels: Vec<String> = items.iter().map(labels_of).collect();
    let tables = tables_of(prepared, items, &labels, true);
    let single = singles_of(prepared, items);
    let mut answers: Vec<Answer<'_>> = vec![
        Box::pin(async { client.batch_execute("BEGIN").await.map(|()| 0) }),
        Box::pin(execute_cells(client, &prepared.guard, &guard)),
    ];
    answers.extend(table_answers(client, &tables));
    answers.extend(single_answers(client, &single));
    answers.push(Box::pin(async { client.batch_execute("COMMIT").await.map(|()| 0) }));
    in_order(answers).await
}

/// As [`send`], inside a transaction that is open, and only what is derived.
pub(super) async fn send_projections(
    client: &Client,
    prepared: &Prepared,
    items: &[Item],
) -> Result<(), Error> {
    let labels: Vec<String> = items.iter().map(labels_of).collect();
    let tables = tables_of(prepared, items, &labels, false);
    let single = singles_of(prepared, items);
    let mut answers = table_answers(client, &tables);
    answers.extend(single_answers(client, &single));
    in_order(answers).await
}

fn table_answers<'a>(
    client: &'a Client,
    tables: &'a [(&'a Statement, Arrays<'a>)],
) -> Vec<Answer<'a>> {
    tables
        .iter()
        .filter(|(_, arrays)| !arrays.is_empty())
        .map(|(statement, arrays)| -> Answer<'a> {
            Box::pin(async move { client.execute(*statement, &arrays.params()).await })
        })
        .collect()
}

fn single_answers<'a>(
    client: &'a Client,
    single: &'a [(&'a Statement, Vec<Cell>)],
) -> Vec<Answer<'a>> {
    single
        .iter()
        .map(|(statement, values)| -> Answer<'a> {
            Box::pin(execute_cells(client, statement, values))
        })
        .collect()
}

/// Runs a statement with these values. A guard returns a row, so rows are asked for.
async fn execute_cells(
    client: &Client,
    statement: &Statement,
    values: &[Cell],
) -> Result<u64, Error> {
    let params: Vec<&(dyn ToSql + Sync)> =
        values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
    client.execute(statement, &params).await
}

/// Sends everything in order at once, then waits for all. After a failed statement the rest of
/// its transaction fails as well, so the first error is the one that counts.
async fn in_order(mut answers: Vec<Answer<'_>>) -> Result<(), Error> {
    let mut early = Vec::with_capacity(answers.len());
    for answer in &mut answers {
        early.push(poll!(answer.as_mut()));
    }
    let mut result = Ok(());
    for (answer, early) in answers.into_iter().zip(early) {
        let answered = match early {
            Poll::Ready(answered) => answered,
            Poll::Pending => answer.await,
        };
        if let (Ok(()), Err(error)) = (&result, answered) {
            result = Err(error);
        }
    }
    result
}

fn labels_of(item: &Item) -> String {
    let labels = item.append.rows.facts.as_ref().map(|facts| &facts.labels);
    labels.and_then(|labels| serde_json::to_string(labels).ok()).unwrap_or_default()
}

/// Rows by statement. A run that stands in the batch more than once, or a step that does, is
/// written as it stands at the end.
fn tables_of<'a>(
    prepared: &'a Prepared,
    items: &'a [Item],
    labels_json: &'a [String],
    with_truth: bool,
) -> Vec<(&'a Statement, Arrays<'a>)> {
    let mut journal = Arrays::of(JOURNAL.columns);
    let mut outbox = Arrays::of(OUTBOX.columns);
    let mut keys = Arrays::of(IDEMPOTENCY.columns);
    let mut labels = Arrays::of(LABELS.columns);
    let mut last: HashMap<&str, usize> = HashMap::new();
    let mut outcomes_last = HashMap::new();
    let mut steps_last = HashMap::new();
    let mut assets_last = HashMap::new();
    let mut started: Vec<usize> = Vec::new();
    let mut spent: HashMap<(&OrgId, i64), Spend> = HashMap::new();
    for (at, item) in items.iter().enumerate() {
        let (append, rows) = (&item.append, &item.append.rows);
        let id = append.run_id.as_str();
        if with_truth {
            journal.push(columns::journal(append, &item.hash, item.spilled.body.as_deref()));
            append.outbox.iter().for_each(|row| outbox.push(columns::outbox(append, row)));
            append.idempotency.iter().for_each(|row| keys.push(columns::idempotency(append, row)));
        }
        last.insert(id, at);
        if let Some(facts) = &rows.facts {
            started.push(at);
            for (key, value) in &facts.labels {
                labels.push([id.into(), key.into(), value.into()]);
            }
        }
        if rows.outcome.is_some() {
            outcomes_last.insert(id, at);
        }
        for row in &rows.steps {
            steps_last.insert((id, row.position), columns::step(&append.run_id, row));
        }
        for row in &rows.assets {
            let cells = columns::asset(&append.run_id, &append.org, row);
            assets_last.insert((id, row.asset.id.as_str()), cells);
        }
        if let Some(row) = &rows.spend {
            let sum = spent.entry((&row.org, row.day)).or_default();
            *sum = sum.plus(row.spend);
        }
    }
    let (new_runs, known_runs) = runs_of(items, labels_json, &started, &last);
    let outcomes = outcomes_of(items, outcomes_last);
    let steps = Arrays::with(STEPS.columns, steps_last.into_values());
    let assets = Arrays::with(ASSETS.columns, assets_last.into_values());
    let by_day = spent.into_iter().map(|((org, day), sum)| {
        let (cost, tokens) = (CellRef::Int(sum.cost.0), CellRef::Int(signed(sum.tokens)));
        [org.as_str().into(), CellRef::Int(day), cost, tokens]
    });
    let by_day = Arrays::with(SPEND, by_day);
    vec![
        (&prepared.journal, journal),
        (&prepared.new_runs, new_runs),
        (&prepared.known_runs, known_runs),
        (&prepared.outcomes, outcomes),
        (&prepared.labels, labels),
        (&prepared.steps, steps),
        (&prepared.assets, assets),
        (&prepared.spend, by_day),
        (&prepared.outbox, outbox),
        (&prepared.idempotency, keys),
    ]
}

fn outcomes_of<'a>(items: &'a [Item], last: HashMap<&'a str, usize>) -> Arrays<'a> {
    let mut outcomes = Arrays::of(&outcome_columns());
    for (id, at) in last {
        let Some(item) = items.get(at) else { continue };
        if let Some(outcome) = &item.append.rows.outcome {
            let cells = columns::outcome(outcome, item.spilled.output.as_deref());
            outcomes.push([id.into()].into_iter().chain(cells));
        }
    }
    outcomes
}

fn runs_of<'a>(
    items: &'a [Item],
    labels_json: &'a [String],
    started: &[usize],
    last: &HashMap<&'a str, usize>,
) -> (Arrays<'a>, Arrays<'a>) {
    let mut new_runs = Arrays::of(RUNS.columns);
    let mut known_runs = Arrays::of(&state_columns());
    let mut is_new = std::collections::HashSet::new();
    let state_of = |item: &'a Item| {
        let state = &item.append.rows.state;
        columns::state(state, &item.hash).into_iter().chain(columns::indexed(state))
    };
    for &first in started {
        let Some((item, labels)) = items.get(first).zip(labels_json.get(first)) else { continue };
        let id = item.append.run_id.as_str();
        let end = last.get(id).and_then(|&at| items.get(at)).unwrap_or(item);
        if let Some(facts) = &item.append.rows.facts {
            is_new.insert(id);
            let cells = columns::facts(&item.append.run_id, facts, labels);
            new_runs.push(cells.into_iter().chain(state_of(end)));
        }
    }
    for (&id, &at) in last {
        if let Some(item) = items.get(at).filter(|_| !is_new.contains(id)) {
            known_runs.push([CellRef::from(id)].into_iter().chain(state_of(item)));
        }
    }
    (new_runs, known_runs)
}

/// What is rare and depends on order: one statement each, in the order of the appends.
fn singles_of<'a>(prepared: &'a Prepared, items: &[Item]) -> Vec<(&'a Statement, Vec<Cell>)> {
    let mut statements = Vec::new();
    for item in items {
        let append = &item.append;
        let (id, org) = (&append.run_id, &append.org);
        for change in &append.rows.checkpoints {
            let statement = match change {
                CheckpointChange::Nothing => continue,
                CheckpointChange::Opened(_) => &prepared.checkpoint,
                CheckpointChange::Answered { .. } => &prepared.answer,
                CheckpointChange::Escalated { .. } => &prepared.escalate,
                CheckpointChange::Closed { .. } => &prepared.close,
            };
            statements.push((statement, columns::checkpoint_change(id, org, change)));
        }
        for row in &append.rows.resolutions {
            statements.push((&prepared.resolve, columns::resolution(id, row)));
        }
        for row in &append.rows.dead_letters {
            let cells = columns::dead_letter(id, org, row);
            let cells = cells.into_iter().map(CellRef::to_cell).collect();
            statements.push((&prepared.dead_letter, cells));
        }
    }
    statements
}
