//! Events about loops and `for_each`.

use std::sync::Arc;

use serde_json::Value;

use super::{open_scope, step_mut};
use crate::at::Timestamp;
use crate::event::Event;
use crate::failure::Failure;
use crate::run::{Body, Run, ScopeNo, StepNo, StepStatus};

pub(super) fn apply(run: &mut Run, at: Timestamp, no: StepNo, event: &Event) {
    match event {
        Event::IterationStarted { iteration, .. } => {
            begin(run, at, no);
            let scope = open_scope(run, at, Some(no), *iteration, None);
            let body = body(run, no);
            body.scopes.push(scope);
            body.results.push(None);
            body.active += 1;
        },
        Event::IterationFinished { iteration, result, score, .. } => {
            let body = body(run, no);
            record(body, *iteration, Some(result), None);
            if let Some(score) = *score
                && body.best.is_none_or(|(_, best)| score > best)
            {
                body.best = Some((*iteration, score));
            }
            close(run, no, *iteration);
        },
        Event::ItemsExpanded { items, .. } => {
            begin(run, at, no);
            body(run, no).items = Some(Arc::clone(items));
        },
        Event::ItemStarted { index, .. } => {
            let item = run
                .step(no)
                .body
                .as_ref()
                .and_then(|body| body.items.as_ref()?.get(*index as usize).cloned())
                .map(Arc::new);
            let scope = open_scope(run, at, Some(no), *index, item);
            let body = body(run, no);
            body.scopes.push(scope);
            body.results.push(None);
            body.active += 1;
        },
        Event::ItemFinished { index, result, failure, .. } => {
            record(body(run, no), *index, result.as_ref(), failure.as_ref());
            close(run, no, *index);
        },
        _ => {},
    }
}

/// Its time counts from its first round.
fn begin(run: &mut Run, at: Timestamp, no: StepNo) {
    super::step::begin(run, at, no);
    if run.step(no).body.is_none() {
        let deadline = run.def(no).timeout.map(|timeout| at.plus(timeout));
        body(run, no).deadline = deadline;
    }
}

fn body(run: &mut Run, no: StepNo) -> &mut Body {
    step_mut(run, no).body.get_or_insert_default()
}

fn record(body: &mut Body, index: u32, result: Option<&Arc<Value>>, failure: Option<&Failure>) {
    body.finished += 1;
    if let Some(slot) = body.results.get_mut(index as usize) {
        *slot = result.cloned();
    }
    if let Some(failure) = failure {
        body.failures.push((index, failure.clone()));
    }
}

fn close(run: &mut Run, no: StepNo, index: u32) {
    let body = body(run, no);
    body.active = body.active.saturating_sub(1);
    if let Some(scope) = body.scopes.get(index as usize).copied() {
        super::close_scope(run, scope);
    }
}

/// Opens a block again that was over, and its container with it: work goes on where it stopped.
pub(super) fn revive(run: &mut Run, at: Timestamp, scope_no: ScopeNo) {
    let Some(scope) = run.scopes.get_mut(scope_no as usize).filter(|scope| scope.closed) else {
        return;
    };
    scope.closed = false;
    let (Some(container), index) = (scope.container, scope.index) else { return };
    let step = step_mut(run, container);
    let outer = step.scope;
    let was_over = step.status.is_terminal();
    let mut item = None;
    if let Some(body) = &mut step.body {
        body.active += 1;
        item = body.items.as_ref().and_then(|items| items.get(index as usize)).cloned();
        if body.has_finished(index) {
            body.finished = body.finished.saturating_sub(1);
        }
        if let Some(slot) = body.results.get_mut(index as usize) {
            *slot = None;
        }
        body.failures.retain(|(failed, _)| *failed != index);
    }
    if was_over {
        step.status = StepStatus::Running;
        step.since = at;
        step.ended_at = None;
        step.output = None;
        step.failure = None;
        run.open.insert(container);
        let deadline = run.def(container).timeout.map(|timeout| at.plus(timeout));
        body(run, container).deadline = deadline;
    }
    if let Some(scope) = run.scopes.get_mut(scope_no as usize) {
        scope.item = item.map(Arc::new);
    }
    revive(run, at, outer);
}
