//! Runs as they are shown.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use showrunner_engine::at::Timestamp;
use showrunner_engine::decide::possible_in;
use showrunner_engine::run::{Run, RunState, StepStatus};
use showrunner_journal::query::runs::RunView;

use super::step::{WaitJson, is_simulated};
use super::{BudgetView, FailureView, Instant, LabelView};

/// Which definition a run is pinned to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DefinitionLink {
    /// Its name.
    pub slug: String,
    /// Its version.
    pub version: u32,
    /// For people; null in lists.
    pub title: Option<LabelView>,
}

/// A phase of a run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PhaseJson {
    /// Its id.
    pub id: String,
    /// For people.
    pub label: LabelView,
    /// Whether the run has been in it.
    pub entered: bool,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Progress {
    /// Steps that have ended.
    pub done: usize,
    /// Steps there are so far.
    pub total: usize,
}

impl Progress {
    /// How far a run is, by the steps of its outermost block.
    pub fn of(run: &Run) -> Self {
        if run.scopes.is_empty() {
            return Self { done: 0, total: 0 };
        }
        let steps: Vec<_> = run.steps_of(0).filter(|&no| !run.def(no).is_fallback).collect();
        let done = steps.iter().filter(|&&no| run.step(no).status.is_terminal()).count();
        Self { done, total: steps.len() }
    }
}

/// A run, whole.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RunJson {
    /// Its id.
    pub id: String,
    /// What it is an execution of.
    pub definition: DefinitionLink,
    /// `pending`, `running`, `waiting`, `delivered`, `paused`, `closing`, `completed`, `failed`,
    /// `cancelled`.
    pub status: String,
    /// The phase it stands in.
    pub phase: Option<String>,
    /// All its phases.
    pub phases: Vec<PhaseJson>,
    /// For people.
    pub title: Option<String>,
    /// Facts to find it by.
    pub labels: BTreeMap<String, String>,
    /// What it was given.
    pub input: Value,
    /// Who started it.
    pub started_by: String,
    /// When its first event happened.
    pub started_at: Instant,
    /// When its newest event happened.
    pub updated_at: Instant,
    /// When it was delivered.
    pub delivered_at: Option<Instant>,
    /// When it ended.
    pub ended_at: Option<Instant>,
    /// When it must have ended.
    pub deadline: Option<Instant>,
    /// The number of its newest event.
    pub seq: u64,
    /// How far it is.
    pub progress: Progress,
    /// Everything it waits for.
    pub waits: Vec<WaitJson>,
    /// What it has cost, in dollars.
    pub cost_usd: f64,
    /// What it has cost, in millionths of a dollar.
    pub cost_micros: i64,
    /// Model tokens used.
    pub tokens: u64,
    /// What is held back for work under way.
    pub reserved_micros: i64,
    /// Calls whose price nobody knows: neither we nor their provider could say what became of them.
    pub unknown_calls: u32,
    /// The most that those may have cost, as far as it was held back for them.
    pub unknown_micros: i64,
    /// Its limit.
    pub budget: BudgetView,
    /// Why it failed.
    pub failure: Option<FailureView>,
    /// Why it was ended, in words.
    pub close_reason: Option<String>,
    /// What it hands out.
    pub output: Option<Value>,
    /// The run that waits for it.
    pub parent: Option<String>,
    /// The run it is a fork of.
    pub forked_from: Option<String>,
    /// Whether anything in it comes from nobody real.
    pub simulated: bool,
    /// What may be asked of it now.
    pub allowed: Vec<String>,
    /// Where more about it is.
    pub links: BTreeMap<&'static str, String>,
}

impl RunJson {
    /// A run as it stands.
    pub fn of(run: &Run) -> Self {
        let definition = &run.definition;
        Self {
            id: run.id.to_string(),
            definition: DefinitionLink {
                slug: definition.slug.clone(),
                version: definition.version,
                title: Some((&definition.title).into()),
            },
            status: run.status().name().into(),
            phase: run.phase_name().map(str::to_owned),
            phases: phases(run),
            title: run.title.clone(),
            labels: run.labels.clone(),
            input: (*run.input).clone(),
            started_by: run.started_by.clone(),
            started_at: run.started_at.into(),
            updated_at: run.updated_at.into(),
            delivered_at: run.delivered_at.map(Instant),
            ended_at: run.ended_at.map(Instant),
            deadline: run.deadline.map(Instant),
            seq: run.seq,
            progress: Progress::of(run),
            waits: run.open.iter().filter_map(|&no| WaitJson::of(run.step(no))).collect(),
            cost_usd: run.spent.cost.as_usd(),
            cost_micros: run.spent.cost.0,
            tokens: run.spent.tokens,
            reserved_micros: run.reserved.minus(run.unknown).cost.0,
            unknown_calls: run.unknown_calls,
            unknown_micros: run.unknown.cost.0,
            budget: run.budget.into(),
            failure: run.failure.as_ref().map(FailureView::from),
            close_reason: run.close_reason.clone(),
            output: run.output.as_deref().cloned(),
            parent: run.parent.as_ref().map(|parent| parent.run.to_string()),
            forked_from: run.forked_from.as_ref().map(ToString::to_string),
            simulated: run.steps.iter().any(|step| is_simulated(step)),
            allowed: allowed(run).into_iter().map(str::to_owned).collect(),
            links: links(run.id.as_str()),
        }
    }
}

fn phases(run: &Run) -> Vec<PhaseJson> {
    let entered = run.phase.map_or(0, |phase| usize::from(phase) + 1);
    let named = run.definition.phases.iter().zip(&run.definition.phase_labels).enumerate();
    let phase = |(ix, (id, label)): (usize, (&String, _))| PhaseJson {
        id: id.clone(),
        label: LabelView::from(label),
        entered: ix < entered,
    };
    named.map(phase).collect()
}

/// What may be asked of a run now, by the names of the API: what the engine says is possible.
pub fn allowed(run: &Run) -> Vec<&'static str> {
    let mut allowed: Vec<_> = possible_in(run).into_iter().filter_map(name).collect();
    // A fork leaves the run as it is, so whatever has begun can be forked.
    if run.state != RunState::Pending && !allowed.contains(&"fork") {
        allowed.push("fork");
    }
    allowed
}

/// What the API calls a command; the others are not for people.
fn name(command: &str) -> Option<&'static str> {
    Some(match command {
        "pause" => "pause",
        "resume" => "resume",
        "cancel" => "cancel",
        "roll_back" => "rollback",
        "answer_checkpoint" => "answer",
        "resolve_doubt" => "resolve",
        "retry_step" => "retry",
        "skip_step" => "skip",
        "complete_by_hand" => "complete",
        "fork" => "fork",
        _ => return None,
    })
}

/// Whether a step waits for a person's answer.
pub fn is_asking(step: &showrunner_engine::run::Step) -> bool {
    step.status == StepStatus::Waiting
        && matches!(step.wait, Some(showrunner_engine::run::Wait::Person { .. }))
}

fn links(id: &str) -> BTreeMap<&'static str, String> {
    let at = |rest: &str| format!("/api/v1/runs/{id}{rest}");
    BTreeMap::from([
        ("self", at("")),
        ("steps", at("/steps")),
        ("events", at("/events")),
        ("stream", at("/events/stream")),
        ("assets", at("/assets")),
        ("page", format!("/runs/{id}")),
    ])
}

/// A run as lists show it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RunRow {
    /// Its id.
    pub id: String,
    /// What it is an execution of.
    pub definition: DefinitionLink,
    /// As of a whole run.
    pub status: String,
    /// The phase it stands in.
    pub phase: Option<String>,
    /// For people.
    pub title: Option<String>,
    /// Facts to find it by.
    pub labels: BTreeMap<String, String>,
    /// Who started it.
    pub started_by: String,
    /// When its first event happened.
    pub started_at: Instant,
    /// When its newest event happened.
    pub updated_at: Instant,
    /// When it ended.
    pub ended_at: Option<Instant>,
    /// The number of its newest event.
    pub seq: u64,
    /// The first few things it waits for.
    pub waits: Vec<RowWait>,
    /// What it has cost, in dollars.
    pub cost_usd: f64,
    /// Whether anything in it was made up by the simulator.
    pub simulated: bool,
    /// What it has cost, in millionths of a dollar.
    pub cost_micros: i64,
    /// Why it failed.
    pub failure: Option<FailureView>,
    /// Where its page is.
    pub page: String,
}

/// What a run in a list waits for.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RowWait {
    /// Which step.
    pub step: Option<String>,
    /// `person`, `retry`, `time` …
    #[serde(rename = "for")]
    pub what: String,
    /// Since when.
    pub since: Instant,
    /// Until when at the latest.
    pub until: Option<Instant>,
}

impl RunRow {
    /// A row of the journal.
    pub fn of(row: &RunView) -> Self {
        let waits = row.waits.iter().map(|wait| RowWait {
            step: wait.step.as_ref().map(ToString::to_string),
            what: wait.what.clone(),
            since: wait.since.into(),
            until: wait.until.map(Instant),
        });
        Self {
            id: row.id.to_string(),
            definition: DefinitionLink {
                slug: row.slug.clone(),
                version: row.version,
                title: None,
            },
            status: row.status.clone(),
            phase: row.phase.clone(),
            title: row.title.clone(),
            labels: row.labels.clone(),
            started_by: row.started_by.clone(),
            started_at: row.started_at.into(),
            updated_at: row.updated_at.into(),
            ended_at: row.ended_at.map(Instant),
            seq: row.seq,
            waits: waits.collect(),
            cost_usd: row.spent.cost.as_usd(),
            simulated: row.simulated,
            cost_micros: row.spent.cost.0,
            failure: row.failure.as_ref().map(FailureView::from),
            page: format!("/runs/{}", row.id),
        }
    }
}

/// How long ago something was, for people; the sign of `now - at` is kept out of it.
pub fn age_ms(at: Timestamp, now: Timestamp) -> u64 {
    now.millis_since(at).0
}
