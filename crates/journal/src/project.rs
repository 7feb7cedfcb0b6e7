//! Events become rows: once, as data, for both databases. Everything here can be made again from
//! the journal, and must come out the same.

mod checkpoints;
mod rows;

use std::collections::BTreeSet;

use serde_json::json;
use showrunner_engine::definition::StepKind;
use showrunner_engine::due;
use showrunner_engine::event::{Asset, Event, RunStarted};
use showrunner_engine::id::{Digest, StepKey};
use showrunner_engine::money::Spend;
use showrunner_engine::run::{Run, Step, StepNo, Wait};
use showrunner_engine::turn::CallKind;
use showrunner_engine::view::View;

pub use rows::{
    AssetRow, CheckpointChange, CheckpointOpening, DeadLetterRow, Resolution, Rows, RunFacts,
    RunOutcome, RunState, SpendRow, StepRow,
};

/// A run's row lists at most so many of the things it waits for; the steps' rows have them all.
pub const WAITS_SHOWN_MAX: usize = 16;

/// The rows that `events` change, for a run that they are folded into.
pub fn project(run_after: &Run, events: &[Event]) -> Rows {
    let started = events.iter().find_map(|event| match event {
        Event::RunStarted(started) => Some(started.as_ref()),
        _ => None,
    });
    let first_seq = run_after.seq.saturating_sub(events.len() as u64) + 1;
    let touched = touched(run_after, events);
    Rows {
        facts: started.map(|started| facts(run_after, started)),
        state: state(run_after),
        outcome: events.iter().any(is_about_the_end).then(|| outcome(run_after)),
        steps: touched.iter().map(|&no| step_row(run_after, no)).collect(),
        checkpoints: checkpoints::changes(run_after, first_seq, events),
        assets: assets(run_after, events),
        dead_letters: dead_letters(run_after, first_seq, events),
        resolutions: resolutions(run_after, events),
        spend: spend(events).map(|spend| SpendRow {
            org: run_after.org.clone(),
            day: run_after.updated_at.0.div_euclid(DAY_US),
            spend,
        }),
    }
}

/// Money is shown by the day, in UTC.
pub(crate) const DAY_US: i64 = 86_400_000_000;

fn touched(run: &Run, events: &[Event]) -> BTreeSet<StepNo> {
    let mut touched = BTreeSet::new();
    for event in events {
        touched.extend(event.step().and_then(|key| run.find(key)));
        match event {
            Event::StepsReset { steps, .. } => {
                touched.extend(steps.iter().filter_map(|key| run.find(key)));
            },
            Event::RunStarted(started) => {
                touched.extend(started.reused.iter().filter_map(|reused| run.find(&reused.step)));
            },
            _ => {},
        }
    }
    touched
}

fn facts(run: &Run, started: &RunStarted) -> RunFacts {
    RunFacts {
        org: run.org.clone(),
        slug: started.definition.slug.clone(),
        version: started.definition.version,
        digest: started.definition.digest.clone(),
        title: started.title.clone(),
        labels: started.labels.clone(),
        started_by: started.started_by.clone(),
        parent_run: started.parent.as_ref().map(|parent| parent.run.clone()),
        parent_step: started.parent.as_ref().map(|parent| parent.step.clone()),
        forked_from: started.forked_from.clone(),
        started_at: run.started_at,
        deadline: run.deadline,
        budget: run.budget,
        priority: run.priority,
    }
}

fn state(run: &Run) -> RunState {
    let waits: Vec<_> = run
        .waits()
        .take(WAITS_SHOWN_MAX)
        .map(|(step, wait)| wait_json(Some(step), wait, step.since.0))
        .collect();
    RunState {
        status: run.status().name(),
        open: !run.is_ended() || due::count(run) > 0,
        wake_at: run.wake_at(),
        phase: run.phase_name().map(str::to_owned),
        seq: run.seq,
        updated_at: run.updated_at,
        due: due::count(run) as u64,
        waits: if waits.is_empty() { None } else { Some(json!(waits).to_string()) },
        spent: run.spent,
        reserved: run.reserved,
        simulated: run.simulated,
    }
}

fn wait_json(step: Option<&Step>, wait: &Wait, since: i64) -> serde_json::Value {
    let mut object = serde_json::Map::new();
    if let Some(step) = step {
        object.insert("step".into(), json!(step.key));
    }
    object.insert("for".into(), json!(wait.name()));
    object.insert("since".into(), json!(since));
    if let Some(until) = wait.until() {
        object.insert("until".into(), json!(until));
    }
    let detail = match wait {
        Wait::Callback { key, .. } => Some(("key", json!(key))),
        Wait::Child { run } => Some(("run", json!(run))),
        Wait::Job { job, .. } => Some(("job", json!(job))),
        Wait::Fallback { step } => Some(("fallback", json!(step))),
        Wait::Person { .. } | Wait::Retry { .. } | Wait::Time { .. } | Wait::Doubt => None,
    };
    if let Some((name, value)) = detail {
        object.insert(name.into(), value);
    }
    object.into()
}

fn is_about_the_end(event: &Event) -> bool {
    matches!(
        event,
        Event::RunDelivered { .. }
            | Event::RunClosing { .. }
            | Event::RunCompleted { .. }
            | Event::RunFailed { .. }
            | Event::RunCancelled { .. }
            | Event::RunReopened { .. }
    )
}

fn outcome(run: &Run) -> RunOutcome {
    RunOutcome {
        delivered_at: run.delivered_at,
        ended_at: run.ended_at,
        failure: run.failure.as_ref().map(|failure| json!(failure).to_string()),
        output: run.output.as_ref().map(ToString::to_string),
        close_reason: run.close_reason.clone(),
        closed_by: run.closed_by.clone(),
    }
}

fn step_row(run: &Run, no: StepNo) -> StepRow {
    let (step, def) = (run.step(no), run.def(no));
    StepRow {
        position: no,
        key: step.key.clone(),
        def: def.id.clone(),
        kind: def.kind.name(),
        agent: due_agent(run, no).map(str::to_owned),
        label_en: def.label.en.clone(),
        label_ja: def.label.ja.clone(),
        phase: phase_of(run, no),
        status: step.status.name(),
        attempt: step.attempts,
        since: step.since,
        started_at: step.started_at,
        ended_at: step.ended_at,
        failure: step.failure.as_ref().map(|failure| json!(failure).to_string()),
        spent: step.spent,
        wait: step.wait.as_ref().map(|wait| wait_json(None, wait, step.since.0).to_string()),
    }
}

fn phase_of(run: &Run, no: StepNo) -> Option<String> {
    run.def(no).phase.and_then(|ix| run.definition.phases.get(usize::from(ix))).cloned()
}

fn due_agent(run: &Run, no: StepNo) -> Option<&str> {
    match &run.def(no).kind {
        StepKind::Agent(agent) => Some(&agent.agent),
        StepKind::Gate(gate) => gate.judge.as_ref().map(|judge| judge.agent.as_str()),
        StepKind::Orchestration(child) => Some(&child.definition),
        _ => None,
    }
}

fn assets(run: &Run, events: &[Event]) -> Vec<AssetRow> {
    let row = |step: &StepKey, asset: &Asset| AssetRow {
        step: step.clone(),
        asset: asset.clone(),
        created_at: run.updated_at,
    };
    let mut rows = Vec::new();
    for event in events {
        match event {
            Event::StepSucceeded { step, assets, .. } => {
                rows.extend(assets.iter().map(|asset| row(step, asset)));
            },
            Event::RunStarted(started) => rows.extend(
                started
                    .reused
                    .iter()
                    .flat_map(|reused| reused.assets.iter().map(|asset| row(&reused.step, asset))),
            ),
            _ => {},
        }
    }
    rows
}

fn dead_letters(run: &Run, first_seq: u64, events: &[Event]) -> Vec<DeadLetterRow> {
    let failed = (first_seq..).zip(events).filter_map(|(seq, event)| match event {
        Event::StepFailed { step, failure } => Some((seq, step, failure)),
        _ => None,
    });
    failed
        .filter_map(|(seq, key, failure)| {
            let no = run.find(key)?;
            let StepKind::Agent(agent) = &run.def(no).kind else { return None };
            let (step, label) = (run.step(no), &run.def(no).label);
            let snapshot = json!({
                "name": { "en": label.en, "ja": label.in_language("ja") },
                "phase": phase_of(run, no),
                "started_at": step.started_at,
                "failed_at": run.updated_at,
                "attempts": step.attempts,
                "failure": failure,
                "spent": step.spent,
                "input": agent.input.render(&View::of_step(run, no)).ok(),
                "edits": step.edits,
                "feedback": step.feedback,
                "token": step.attempt.as_ref().map(|attempt| attempt.token),
            });
            let digest = Digest::of(format!("{}/{key}/{seq}", run.id).as_bytes());
            Some(DeadLetterRow {
                id: format!("dl_{}", digest.as_str().get(..26).unwrap_or_default()),
                step: key.clone(),
                agent: agent.agent.clone(),
                failure: failure.clone(),
                attempts: step.attempts,
                snapshot: snapshot.to_string(),
                created_at: run.updated_at,
            })
        })
        .collect()
}

/// Failed steps that were taken up again, and how.
fn resolutions(run: &Run, events: &[Event]) -> Vec<Resolution> {
    let resolution = |step: &StepKey, how: &'static str| Resolution {
        step: step.clone(),
        how,
        at: run.updated_at,
    };
    let mut resolutions = Vec::new();
    for event in events {
        match event {
            Event::StepsReset { steps, .. } => {
                resolutions.extend(steps.iter().map(|step| resolution(step, "retried")));
            },
            Event::StepSkipped { step, by: Some(_), .. } => {
                resolutions.push(resolution(step, "skipped"));
            },
            Event::StepSucceeded { step, by: Some(_), .. } => {
                resolutions.push(resolution(step, "completed by hand"));
            },
            _ => {},
        }
    }
    resolutions
}

/// What these events add to the organisation's bill. A child run's price is on it already.
fn spend(events: &[Event]) -> Option<Spend> {
    let calls = events.iter().flat_map(|event| match event {
        Event::CallRecorded { call, .. } => std::slice::from_ref(call),
        Event::AttemptFailed { calls, .. }
        | Event::AttemptSettled { calls, .. }
        | Event::StepSucceeded { calls, .. } => calls,
        _ => &[],
    });
    let own = calls.filter(|call| call.kind != CallKind::Run);
    let doubts = events.iter().filter_map(|event| match event {
        Event::DoubtResolved { cost, .. } => Some(Spend { cost: *cost, tokens: 0 }),
        _ => None,
    });
    let called = showrunner_engine::call::total(own.map(std::sync::Arc::as_ref));
    let spend = doubts.fold(called, Spend::plus);
    (!spend.is_zero()).then_some(spend)
}
