//! Events that end a step or make it wait.

use std::sync::Arc;

use super::step_mut;
use crate::at::Timestamp;
use crate::definition::GateVerdict;
use crate::event::{Answer, Event};
use crate::id::Digest;
use crate::run::{CheckpointState, Run, StepNo, StepStatus, Wait};
use crate::turn::digest_of;

pub(super) fn apply(run: &mut Run, at: Timestamp, no: StepNo, event: &Event) {
    match event {
        Event::StepWaiting { callback, until, .. } => {
            let wait = match (callback, until) {
                (Some(key), until) => Wait::Callback { key: key.clone(), until: *until },
                (None, until) => Wait::Time { until: until.unwrap_or(at) },
            };
            begin(run, at, no);
            wait_for(run, at, no, wait);
        },
        Event::StepSucceeded { token, output, calls, assets, failure, .. } => {
            super::attempt::take_calls(run, no, *token, calls);
            let step = step_mut(run, no);
            step.past.retain(|past| Some(past.token) != *token);
            step.output = Some(Arc::clone(output));
            step.assets.clone_from(assets);
            step.failure.clone_from(failure);
            step.started_at.get_or_insert(at);
            end(run, at, no, StepStatus::Succeeded);
        },
        Event::StepFailed { failure, .. } => {
            step_mut(run, no).failure = Some(failure.clone());
            end(run, at, no, StepStatus::Failed);
        },
        Event::StepFellBack { failure, to, .. } => {
            step_mut(run, no).failure = Some(failure.clone());
            super::attempt::release_reservation(run, no);
            drop_callback(run, no);
            close_body(run, no);
            wait_for(run, at, no, Wait::Fallback { step: to.clone() });
        },
        Event::StepSkipped { output, .. } => {
            step_mut(run, no).output.clone_from(output);
            end(run, at, no, StepStatus::Skipped);
        },
        Event::StepCancelled { .. } => end(run, at, no, StepStatus::Cancelled),
        Event::CheckpointOpened { question, question_ja, show, digest, until, .. } => {
            begin(run, at, no);
            step_mut(run, no).checkpoint = Some(Box::new(CheckpointState {
                opened_at: at,
                question: question.clone(),
                question_ja: question_ja.clone(),
                show: Arc::clone(show),
                digest: digest.clone(),
                answers: Vec::new(),
                decided: None,
                escalated_to: Vec::new(),
                escalated: false,
            }));
            wait_for(run, at, no, Wait::Person { until: *until });
        },
        Event::CheckpointAnswered { answer, decides, .. } => answered(run, no, answer, *decides),
        Event::GateDecided { verdict, .. } => {
            super::attempt::release_reservation(run, no);
            let step = step_mut(run, no);
            // The judge has reported: nothing of it is in flight any more.
            step.attempt = None;
            step.sent_back += u32::from(*verdict == GateVerdict::Retry);
        },
        Event::CheckpointEscalated { to, until, .. } => {
            let step = step_mut(run, no);
            if let Some(checkpoint) = &mut step.checkpoint {
                checkpoint.escalated = true;
                checkpoint.escalated_to.clone_from(to);
            }
            step.wait = Some(Wait::Person { until: *until });
        },
        _ => {},
    }
}

fn answered(run: &mut Run, no: StepNo, answer: &Answer, decides: bool) {
    let step = step_mut(run, no);
    if decides && answer.verb == crate::definition::Verb::Retry {
        step.sent_back += 1;
    }
    if let Some(checkpoint) = &mut step.checkpoint {
        checkpoint.answers.push(answer.clone());
        if let Some(modified) = answer.modified.as_ref().filter(|_| !decides) {
            // The next voices are about the changed content.
            checkpoint.digest = Digest::of(modified.to_string().as_bytes());
            checkpoint.show = Arc::clone(modified);
        }
        if decides {
            checkpoint.decided = Some(answer.clone());
        }
    }
}

/// A wait step takes its callback out of the inbox, even when it cannot do with what it says.
fn drop_callback(run: &mut Run, no: StepNo) {
    if let Some(Wait::Callback { key, .. }) = run.step(no).wait.clone()
        && let Some(payload) = run.inbox.remove(&key)
    {
        run.taken.insert(key, digest_of(&payload));
    }
}

/// Marks the beginning of work that has no attempt.
pub(super) fn begin(run: &mut Run, at: Timestamp, no: StepNo) {
    let step = step_mut(run, no);
    step.status = StepStatus::Running;
    step.since = at;
    step.wait = None;
    step.started_at.get_or_insert(at);
}

pub(super) fn wait_for(run: &mut Run, at: Timestamp, no: StepNo, wait: Wait) {
    let step = step_mut(run, no);
    step.status = StepStatus::Waiting;
    step.since = at;
    step.wait = Some(wait);
}

fn end(run: &mut Run, at: Timestamp, no: StepNo, status: StepStatus) {
    super::attempt::release_reservation(run, no);
    drop_callback(run, no);
    let seq = run.seq;
    let step = step_mut(run, no);
    step.status = status;
    step.since = at;
    step.ended_at = Some(at);
    step.ended_seq = seq;
    step.wait = None;
    if let Some(attempt) = &mut step.attempt {
        // The token stays, to tell a doubled report from a strange one; the rest is in the journal.
        attempt.calls = Vec::new();
        attempt.doubt = None;
    }
    close_body(run, no);
    if run.step(no).past.is_empty() {
        run.open.remove(&no);
    }
}

/// Nothing is worked on in the body any more. What it has done stays known, so that it can go on
/// where it stopped when a person wants it to.
fn close_body(run: &mut Run, no: StepNo) {
    let Some(body) = &mut step_mut(run, no).body else { return };
    body.active = 0;
    for scope in body.scopes.clone() {
        super::close_scope(run, scope);
    }
}

/// Makes a step pending again. What its last attempt may still report is only counted.
pub(super) fn reset(run: &mut Run, at: Timestamp, no: StepNo) {
    let step = step_mut(run, no);
    if step.attempt.as_ref().is_some_and(|attempt| step.is_current(attempt.token)) {
        step.past.extend(step.attempt.take());
    }
    super::attempt::release_reservation(run, no);
    let step = step_mut(run, no);
    step.attempt = None;
    step.status = StepStatus::Pending;
    step.since = at;
    step.started_at = None;
    step.ended_at = None;
    step.attempts_before_reset = step.attempts;
    step.output = None;
    step.assets = Vec::new();
    step.failure = None;
    step.feedback = None;
    step.wait = None;
    // A decision stays known until the question is asked again: who answers it late is told.
    step.checkpoint.take_if(|checkpoint| checkpoint.decided.is_none());
    let scope = step.scope;
    let body = step.body.take();
    run.open.insert(no);
    for inner in body.map(|body| body.scopes).unwrap_or_default() {
        super::close_scope(run, inner);
    }
    super::container::revive(run, at, scope);
    let outermost = std::iter::successors(Some(no), |&no| run.scope(run.step(no).scope).container);
    if outermost.last().is_some_and(|no| !run.def(no).background) {
        run.delivered_at = None;
    }
}
