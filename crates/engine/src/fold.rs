//! What a run is after an event. One arm per event; cannot fail: whatever is in the journal loads.

mod attempt;
mod container;
mod step;

use std::sync::Arc;

use crate::at::Timestamp;
use crate::event::{Ending, Event, RunStarted};
use crate::id::StepKey;
use crate::run::{Run, RunState, Scope, ScopeNo, Step, StepNo, StepStatus};

/// The run after `event`, which happened at `at`. Events about steps that do not exist change
/// nothing but the sequence number.
pub fn fold(mut run: Run, at: Timestamp, event: &Event) -> Run {
    apply(&mut run, at, event);
    run
}

/// [`fold`] in place.
pub fn apply(run: &mut Run, at: Timestamp, event: &Event) {
    run.seq += 1;
    run.updated_at = at;
    match event {
        Event::RunStarted(started) => start(run, at, started),
        Event::PhaseEntered { phase } | Event::RunRolledBack { phase, .. } => enter(run, phase),
        Event::RunDelivered { output } => {
            run.delivered_at = Some(at);
            run.output = Some(Arc::clone(output));
        },
        Event::RunClosing { ending, reason, by, failure, compensate } => {
            run.state = RunState::Closing(*ending);
            run.close_reason.clone_from(reason);
            run.closed_by.clone_from(by);
            run.failure.clone_from(failure);
            run.compensating = *compensate;
            run.paused = false;
        },
        Event::RunCompleted { output } => {
            run.output = Some(Arc::clone(output));
            end(run, at, Ending::Completed);
        },
        Event::RunFailed { failure } => {
            run.failure = Some(failure.clone());
            end(run, at, Ending::Failed);
        },
        Event::RunCancelled { .. } => end(run, at, Ending::Cancelled),
        Event::RunPaused { .. } => run.paused = true,
        Event::RunResumed { .. } => run.paused = false,
        Event::RunReopened { deadline, .. } => {
            run.state = RunState::Active;
            run.ended_at = None;
            run.failure = None;
            run.delivered_at = None;
            run.deadline = *deadline;
            run.close_reason = None;
            run.closed_by = None;
            run.compensating = false;
        },
        Event::ParentNotified => run.parent_notified = true,
        Event::StepsReset { steps, from, feedback, edits, .. } => {
            for key in steps {
                on(run, key, |run, no| step::reset(run, at, no));
            }
            on(run, from, |run, no| {
                let step = step_mut(run, no);
                step.feedback.clone_from(feedback);
                if edits.is_some() {
                    step.edits.clone_from(edits);
                }
            });
        },
        Event::CallbackReceived { key, payload } => {
            run.inbox.insert(key.clone(), Arc::clone(payload));
        },
        _ => {
            if let Some(key) = event.step().cloned() {
                attempt::ensure_compensation(run, at, event);
                on(run, &key, |run, no| about_step(run, at, no, event));
            }
        },
    }
}

fn about_step(run: &mut Run, at: Timestamp, no: StepNo, event: &Event) {
    match event {
        Event::StepStarted { .. }
        | Event::ReservationRaised { .. }
        | Event::CallDispatched { .. }
        | Event::CallRecorded { .. }
        | Event::ProviderChosen { .. }
        | Event::JobAccepted { .. }
        | Event::JobGivenUp { .. }
        | Event::AttemptTimedOut { .. }
        | Event::AttemptInDoubt { .. }
        | Event::DoubtResolved { .. }
        | Event::AttemptFailed { .. }
        | Event::AttemptAbandoned { .. }
        | Event::AttemptSettled { .. } => attempt::apply(run, at, no, event),
        Event::IterationStarted { .. }
        | Event::IterationFinished { .. }
        | Event::ItemsExpanded { .. }
        | Event::ItemStarted { .. }
        | Event::ItemFinished { .. } => container::apply(run, at, no, event),
        _ => step::apply(run, at, no, event),
    }
}

fn start(run: &mut Run, at: Timestamp, started: &RunStarted) {
    run.state = RunState::Active;
    run.org = started.org.clone();
    run.input = Arc::clone(&started.input);
    run.title.clone_from(&started.title);
    run.labels.clone_from(&started.labels);
    run.started_by.clone_from(&started.started_by);
    run.parent.clone_from(&started.parent);
    run.forked_from.clone_from(&started.forked_from);
    run.budget = started.budget;
    run.deadline = started.deadline;
    run.priority = started.priority;
    run.started_at = at;
    run.phase = (!run.definition.phases.is_empty()).then_some(0);
    open_scope(run, at, None, 0, None);
    run.simulated = started.reused.iter().any(|reused| reused.simulated);
    for reused in &started.reused {
        on(run, &reused.step, |run, no| {
            let seq = run.seq;
            let step = step_mut(run, no);
            step.status = StepStatus::Succeeded;
            step.output = Some(Arc::clone(&reused.output));
            step.assets.clone_from(&reused.assets);
            step.simulated = reused.simulated;
            step.ended_at = Some(at);
            step.ended_seq = seq;
            run.open.remove(&no);
        });
    }
}

fn enter(run: &mut Run, phase: &str) {
    run.phase = run.definition.phase_index(phase).and_then(|ix| u16::try_from(ix).ok());
}

fn end(run: &mut Run, at: Timestamp, ending: Ending) {
    run.state = RunState::Ended(ending);
    run.ended_at = Some(at);
    run.paused = false;
}

/// Runs `change` on the step with this key, if there is one.
fn on(run: &mut Run, key: &StepKey, change: impl FnOnce(&mut Run, StepNo)) {
    if let Some(no) = run.find(key) {
        change(run, no);
    }
}

/// The step instance for writing; shared instances are copied first.
#[expect(clippy::indexing_slicing, reason = "a StepNo is only made by the fold of this run")]
fn step_mut(run: &mut Run, no: StepNo) -> &mut Step {
    Arc::make_mut(&mut run.steps[no as usize])
}

/// Opens a block: creates its step instances, or takes up those of a former round.
fn open_scope(
    run: &mut Run,
    at: Timestamp,
    container: Option<StepNo>,
    index: u32,
    item: Option<Arc<serde_json::Value>>,
) -> ScopeNo {
    let definition = Arc::clone(&run.definition);
    let block = definition.block(container.map(|no| run.step(no).def));
    let prefix = container.map(|no| format!("{}[{index}].", run.step(no).key));
    let scope_no = ScopeNo::try_from(run.scopes.len()).unwrap_or(ScopeNo::MAX);
    let first = StepNo::try_from(run.steps.len()).unwrap_or(StepNo::MAX);
    let count = u16::try_from(block.len()).unwrap_or(u16::MAX);
    run.scopes.push(Scope { container, index, first, count, item, closed: false });
    for &ix in block {
        let id = &definition.step(ix).id;
        let key: StepKey = match &prefix {
            None => id.as_str().into(),
            Some(prefix) => format!("{prefix}{id}").into(),
        };
        add_step(run, Step::new(key, ix, scope_no, at));
    }
    scope_no
}

/// Nothing is worked on in a block any more. An element is kept only where undoing needs it.
fn close_scope(run: &mut Run, scope: ScopeNo) {
    let undoes = |no: StepNo| run.def(no).compensate.is_some();
    let keeps_item = run.scopes.get(scope as usize).is_some() && run.steps_of(scope).any(undoes);
    if let Some(scope) = run.scopes.get_mut(scope as usize) {
        scope.closed = true;
        scope.item.take_if(|_| !keeps_item);
    }
}

/// Adds an instance. One of a former round under the same key gives way: its key now names the
/// new one, its attempts still to be settled and its bill go along.
fn add_step(run: &mut Run, mut step: Step) -> StepNo {
    let no = StepNo::try_from(run.steps.len()).unwrap_or(StepNo::MAX);
    if let Some(&former) = run.index.get(&step.key) {
        let former_step = step_mut(run, former);
        step.attempts = former_step.attempts;
        step.attempts_before_reset = former_step.attempts;
        step.past = std::mem::take(&mut former_step.past);
        step.spent = former_step.spent;
        run.open.remove(&former);
    }
    run.index.insert(step.key.clone(), no);
    run.open.insert(no);
    run.steps.push(Arc::new(step));
    no
}
