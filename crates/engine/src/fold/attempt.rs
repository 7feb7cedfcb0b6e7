//! Events about attempts: their rights, their calls, their bill.

use std::sync::Arc;

use super::{add_step, step_mut};
use crate::at::Timestamp;
use crate::call::{self, CallRecord};
use crate::event::{DoubtVerdict, Event, FailedProvider};
use crate::failure::ErrorClass;
use crate::id::Token;
use crate::money::Spend;
use crate::run::{Attempt, Doubt, Run, Step, StepNo, StepStatus, Wait};

pub(super) fn apply(run: &mut Run, at: Timestamp, no: StepNo, event: &Event) {
    match event {
        Event::StepStarted { .. } => begin(run, at, no, event),
        Event::ReservationRaised { reserved, token, .. } => hold(run, no, *token, *reserved),
        Event::CallDispatched { call, token, .. } => {
            current(run, no, *token, |attempt| {
                attempt.dispatched = Some(*call);
                // The leave to send it again is for once.
                attempt.may_resend = false;
            });
        },
        Event::CallRecorded { call, token, .. } => {
            take_calls(run, no, Some(*token), std::slice::from_ref(call));
            current(run, no, *token, |attempt| attempt.may_resend = false);
        },
        Event::ProviderChosen { .. } | Event::JobGivenUp { .. } => elect(run, at, no, event),
        Event::JobAccepted { job, token, .. } => {
            current(run, no, *token, |attempt| {
                attempt.job = Some(job.clone());
                attempt.doubt = None;
            });
            let until = run.step(no).attempt.as_ref().and_then(|attempt| attempt.deadline);
            super::step::wait_for(run, at, no, Wait::Job { job: job.clone(), until });
        },
        Event::AttemptInDoubt { call, message, token, .. } => {
            let doubt = Doubt { call: *call, message: message.clone(), since: at };
            current(run, no, *token, |attempt| attempt.doubt = Some(doubt));
            super::step::wait_for(run, at, no, Wait::Doubt);
        },
        Event::AttemptTimedOut { until, token, .. } => {
            current(run, no, *token, |attempt| {
                attempt.timed_out = true;
                attempt.deadline = Some(*until);
            });
            if let Some(Wait::Job { until: end, .. }) = &mut step_mut(run, no).wait {
                *end = Some(*until);
            }
        },
        Event::DoubtResolved { .. } => doubt_resolved(run, at, no, event),
        Event::AttemptFailed { failure, calls, retry_at, token, .. } => {
            take_calls(run, no, Some(*token), calls);
            release_reservation(run, no);
            let chosen = run.step(no).attempt.as_ref().and_then(|attempt| attempt.provider.clone());
            if let Some(provider) = chosen {
                shun(run, no, &FailedProvider { provider, failure: failure.clone() });
            }
            step_mut(run, no).failure = Some(failure.clone());
            if let Some(until) = retry_at {
                super::step::wait_for(run, at, no, Wait::Retry { until: *until });
            }
        },
        Event::AttemptAbandoned { token, .. } => abandon(run, no, *token),
        Event::AttemptSettled { calls, token, unknown, .. } => {
            if unknown.is_some() {
                keep_held(run, no, *token);
            }
            settle(run, no, *token, calls);
        },
        _ => {},
    }
}

fn begin(run: &mut Run, at: Timestamp, no: StepNo, event: &Event) {
    let Event::StepStarted { attempt, token, reserved, deadline, child, .. } = event else {
        return;
    };
    super::step::begin(run, at, no);
    let step = step_mut(run, no);
    step.attempts = *attempt;
    step.failure = None;
    step.attempt = Some(Attempt {
        no: *attempt,
        token: *token,
        started_at: at,
        deadline: *deadline,
        reserved: Spend::ZERO,
        calls: Vec::new(),
        dispatched: None,
        provider: None,
        job: None,
        child: child.clone(),
        doubt: None,
        may_resend: false,
        timed_out: false,
    });
    if let Some(child) = child {
        super::step::wait_for(run, at, no, Wait::Child { run: child.clone() });
    }
    hold(run, no, *token, *reserved);
}

fn doubt_resolved(run: &mut Run, at: Timestamp, no: StepNo, event: &Event) {
    let Event::DoubtResolved { verdict, token, cost, deadline, .. } = event else { return };
    book(run, no, *token, Spend { cost: *cost, tokens: 0 });
    current(run, no, *token, |attempt| {
        attempt.doubt = None;
        attempt.may_resend = *verdict == DoubtVerdict::Resend;
        if attempt.may_resend {
            // When it leaves again, that is noted again: a crash after it is a doubt of its own.
            attempt.dispatched = None;
            attempt.timed_out = false;
            attempt.deadline = *deadline;
            attempt.job = None;
        }
    });
    super::step::begin(run, at, no);
}

/// Who is paid has been decided, or has to be decided again.
fn elect(run: &mut Run, at: Timestamp, no: StepNo, event: &Event) {
    match event {
        Event::ProviderChosen { provider, failed, token, .. } => {
            current(run, no, *token, |attempt| {
                attempt.provider = Some(provider.clone());
                attempt.dispatched = None;
            });
            if let Some(failed) = failed {
                shun(run, no, failed);
            }
        },
        Event::JobGivenUp { token, failed, .. } => {
            current(run, no, *token, |attempt| {
                attempt.dispatched = None;
                attempt.job = None;
            });
            shun(run, no, failed);
            super::step::begin(run, at, no);
        },
        _ => {},
    }
}

/// A provider that cannot do it is not asked again for the same task.
fn shun(run: &mut Run, no: StepNo, failed: &FailedProvider) {
    let step = step_mut(run, no);
    let is_known = step.shunned.iter().any(|known| known.provider == failed.provider);
    if failed.failure.class == ErrorClass::Provider && !is_known {
        step.shunned.push(failed.clone());
    }
}

fn current(run: &mut Run, no: StepNo, token: Token, change: impl FnOnce(&mut Attempt)) {
    let attempt = step_mut(run, no).attempt.as_mut();
    if let Some(attempt) = attempt.filter(|attempt| attempt.token == token) {
        change(attempt);
    }
}

/// Calls the current attempt back; what it may still report is only counted. What is held back for
/// it stays held back until then: a call that is under way may still have to be paid.
fn abandon(run: &mut Run, no: StepNo, token: Token) {
    let step = step_mut(run, no);
    if let Some(attempt) = step.attempt.take_if(|attempt| attempt.token == token) {
        step.past.push(attempt);
    }
    run.open.insert(no);
}

fn settle(run: &mut Run, no: StepNo, token: Token, calls: &[Arc<CallRecord>]) {
    take_calls(run, no, Some(token), calls);
    release(run, no, token);
    let step = step_mut(run, no);
    step.past.retain(|past| past.token != token);
    if step.past.is_empty() && step.status.is_terminal() {
        run.open.remove(&no);
    }
}

/// Nobody knows what the attempt has cost: what was held back for it stays so for good.
fn keep_held(run: &mut Run, no: StepNo, token: Token) {
    let step = step_mut(run, no);
    let Some(attempt) = attempt_mut(step, token) else { return };
    let held = std::mem::take(&mut attempt.reserved);
    step.unknown = step.unknown.plus(held);
    step.unknown_calls += 1;
    run.unknown = run.unknown.plus(held);
    run.unknown_calls += 1;
}

/// Books calls on the attempt with this token, current or past, and on the run.
pub(super) fn take_calls(
    run: &mut Run,
    no: StepNo,
    token: Option<Token>,
    calls: &[Arc<CallRecord>],
) {
    let Some(token) = token else { return };
    let simulated = calls.iter().any(|call| call.simulated);
    run.simulated |= simulated;
    let step = step_mut(run, no);
    step.simulated |= simulated;
    if let Some(attempt) = attempt_mut(step, token) {
        for call in calls {
            let place = attempt.calls.partition_point(|other| other.no <= call.no);
            attempt.calls.insert(place, Arc::clone(call));
        }
    }
    book(run, no, token, call::total(calls.iter().map(Arc::as_ref)));
}

/// Puts a price on the bills of the step, its agent and the run; it need no longer be held back.
fn book(run: &mut Run, no: StepNo, token: Token, spend: Spend) {
    if spend.is_zero() {
        return;
    }
    let step = step_mut(run, no);
    step.spent = step.spent.plus(spend);
    run.spent = run.spent.plus(spend);
    book_on_agent(run, no, |sum| sum.plus(spend));
    consume_reservation(run, no, token, spend);
}

/// The attempt with this token, current or called back.
fn attempt_mut(step: &mut Step, token: Token) -> Option<&mut Attempt> {
    step.attempt.iter_mut().chain(&mut step.past).find(|attempt| attempt.token == token)
}

fn hold(run: &mut Run, no: StepNo, token: Token, spend: Spend) {
    release(run, no, token);
    let Some(attempt) = attempt_mut(step_mut(run, no), token) else { return };
    attempt.reserved = spend;
    if spend.is_zero() {
        return;
    }
    run.reserved = run.reserved.plus(spend);
    book_on_agent(run, no, |sum| sum.plus(spend));
}

/// What was spent needs no longer be held.
fn consume_reservation(run: &mut Run, no: StepNo, token: Token, spent: Spend) {
    let Some(attempt) = attempt_mut(step_mut(run, no), token) else { return };
    let used = Spend {
        cost: attempt.reserved.cost.min(spent.cost),
        tokens: attempt.reserved.tokens.min(spent.tokens),
    };
    give_back(run, no, token, used);
}

/// The attempt holds nothing back any more.
fn release(run: &mut Run, no: StepNo, token: Token) {
    if let Some(attempt) = attempt_mut(step_mut(run, no), token) {
        let held = attempt.reserved;
        give_back(run, no, token, held);
    }
}

fn give_back(run: &mut Run, no: StepNo, token: Token, spend: Spend) {
    if spend.is_zero() {
        return;
    }
    if let Some(attempt) = attempt_mut(step_mut(run, no), token) {
        attempt.reserved = attempt.reserved.minus(spend);
    }
    run.reserved = run.reserved.minus(spend);
    book_on_agent(run, no, |sum| sum.minus(spend));
}

pub(super) fn release_reservation(run: &mut Run, no: StepNo) {
    if let Some(token) = run.step(no).attempt.as_ref().map(|attempt| attempt.token) {
        release(run, no, token);
    }
}

/// Keeps the account of an agent whose share of the run is limited.
fn book_on_agent(run: &mut Run, no: StepNo, change: impl FnOnce(Spend) -> Spend) {
    if run.definition.agent_budgets.is_empty() {
        return;
    }
    let definition = Arc::clone(&run.definition);
    let Some(agent) = definition.step(run.step(no).def).kind.agent() else { return };
    if definition.agent_budgets.iter().any(|(name, _)| *name == agent.agent) {
        let account = run.by_agent.entry(agent.agent.clone()).or_default();
        *account = change(*account);
    }
}

/// A compensation has no instance until it starts.
pub(super) fn ensure_compensation(run: &mut Run, at: Timestamp, event: &Event) {
    let Event::StepStarted { step: key, compensates: Some(undone), .. } = event else { return };
    if run.find(key).is_some() {
        return;
    }
    let Some(undone_no) = run.find(undone) else { return };
    let Some(ix) = run.def(undone_no).compensate else { return };
    let mut step = Step::new(key.clone(), ix, run.step(undone_no).scope, at);
    step.compensates = Some(undone.clone());
    step.status = StepStatus::Pending;
    add_step(run, step);
    run.compensated.push(undone_no);
}
