//! Work is done again: a person retries a step, a checkpoint or gate sends it back, the run rolls
//! back to an earlier phase, or a step is skipped.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::outcome::replaces;
use super::{Decider, shared, wrong_step_state};
use crate::command::Principal;
use crate::definition::{OnFailure, StepIx, StepKind};
use crate::event::Event;
use crate::id::StepKey;
use crate::refusal::Refusal;
use crate::run::{Run, ScopeNo, StepNo, StepStatus, Wait};
use crate::schema::Breach;

/// What is said when work is done again.
#[derive(Default)]
pub(super) struct Wish {
    /// What was wrong with the former output.
    pub(super) feedback: Option<Arc<Value>>,
    /// Merge patch on the input.
    pub(super) edits: Option<Arc<Value>>,
}

impl Decider<'_> {
    pub(super) fn retry_step(
        &mut self,
        key: &StepKey,
        edits: Option<Value>,
        feedback: Option<Value>,
        by: &Principal,
    ) -> Result<(), Refusal> {
        let no = self.known(key)?;
        let Some(target) = to_retry(self.run, no) else {
            return Err(wrong_step_state(self.run.step(no), "retry_step"));
        };
        if edits.is_some() {
            self.refuse_lost_edits(no, target)?;
        }
        let set = again(self.run, target);
        self.refuse_doubts(&set, "retry_step")?;
        self.reopen(by);
        let wish = Wish { feedback: feedback.map(shared), edits: edits.map(shared) };
        self.reset_set(target, &set, wish, &by.id);
        Ok(())
    }

    fn refuse_doubts(&self, set: &BTreeSet<StepNo>, command: &str) -> Result<(), Refusal> {
        match doubt_within(self.run, set) {
            Some(no) => Err(wrong_step_state(self.run.step(no), command)),
            None => Ok(()),
        }
    }

    /// Edits are for the input of the one step that is done again.
    fn refuse_lost_edits(&self, no: StepNo, target: StepNo) -> Result<(), Refusal> {
        let kind = &self.run.def(no).kind;
        let message = if target != no {
            let whole = &self.run.step(target).key;
            format!("it is over, and only the whole of {whole} can be done again")
        } else if kind.agent().is_none() && !matches!(kind, StepKind::Orchestration(_)) {
            format!("a {} step has no input", kind.name())
        } else {
            return Ok(());
        };
        let breaches = vec![Breach { pointer: "/edits".into(), message }];
        Err(Refusal::Invalid { what: format!("the retry of {}", self.run.step(no).key), breaches })
    }

    pub(super) fn skip_step(
        &mut self,
        key: &StepKey,
        output: Option<Value>,
        reason: String,
        by: &Principal,
    ) -> Result<(), Refusal> {
        let no = self.known(key)?;
        let step = self.run.step(no);
        if !can_skip(self.run, no) {
            return Err(wrong_step_state(step, "skip_step"));
        }
        let is_over = is_over(self.run, no);
        // Without an output dependents see null; one that is given is one that they can rely on.
        if let Some(output) = &output {
            self.refuse_unfit(no, output)?;
        }
        if is_over {
            let set = again(self.run, no);
            self.reopen(by);
            self.reset_set(no, &set, Wish::default(), &by.id);
        }
        self.abandon(no);
        self.cancel_inside(no);
        self.skip(no, reason, Some(by.id.clone()), output.map(shared));
        Ok(())
    }

    pub(super) fn roll_back(
        &mut self,
        phase: &str,
        reason: Option<String>,
        by: &Principal,
    ) -> Result<(), Refusal> {
        let definition = Arc::clone(&self.run.definition);
        let reached = self.run.phase.map_or(0, |now| usize::from(now) + 1);
        let Some(ix) = definition.phase_index(phase).filter(|&ix| ix < reached) else {
            let known = definition.phases.iter().take(reached).cloned().collect();
            return Err(Refusal::UnknownPhase { phase: phase.to_owned(), known });
        };
        let stands_in = |step: StepIx| {
            let steps = definition.steps.iter();
            let mut inner = steps.filter(|inner| outermost(&definition, inner.ix) == step);
            inner.any(|inner| inner.phase.is_some_and(|phase| usize::from(phase) >= ix))
        };
        let roots: Vec<StepIx> =
            definition.root.iter().copied().filter(|&step| stands_in(step)).collect();
        let mut set: BTreeSet<StepNo> = dependents(self.run, 0, &roots).into_iter().collect();
        if self.run.is_ended() {
            resume_block(self.run, 0, &mut set);
        }
        let set = without_inner(self.run, set);
        self.refuse_doubts(&set, "roll_back")?;
        self.reopen(by);
        self.emit(Event::RunRolledBack {
            phase: phase.to_owned(),
            by: by.id.clone(),
            reason: reason.clone(),
        });
        let feedback =
            reason.map(|reason| shared(serde_json::json!({ "reason": reason, "by": by.id })));
        if let Some(&first) = set.first() {
            self.reset_set(first, &set, Wish { feedback, edits: None }, &by.id);
        }
        Ok(())
    }

    /// A run that failed goes on, with as much time as it had at first.
    fn reopen(&mut self, by: &Principal) {
        if self.run.is_ended() {
            let deadline = self.run.definition.timeout.map(|timeout| self.at.now.plus(timeout));
            self.emit(Event::RunReopened { by: by.id.clone(), deadline });
        }
    }

    /// Resets a step with everything after it.
    pub(super) fn reset(&mut self, no: StepNo, wish: Wish, by: &str) {
        let step = self.run.step(no);
        let set = dependents(self.run, step.scope, &[step.def]).into_iter().collect();
        self.reset_set(no, &set, wish, by);
    }

    fn reset_set(&mut self, from: StepNo, set: &BTreeSet<StepNo>, wish: Wish, by: &str) {
        for &no in set {
            self.abandon(no);
            self.cancel_inside(no);
        }
        let steps = set.iter().map(|&no| self.key(no)).collect();
        let from = self.key(from);
        self.dirty.extend(set.iter().map(|&no| self.run.step(no).scope));
        let Wish { feedback, edits } = wish;
        self.emit(Event::StepsReset { steps, from, feedback, edits, by: by.to_owned() });
    }
}

/// What is done again when a person asks for `no`; `None` where that is not possible.
pub(super) fn to_retry(run: &Run, no: StepNo) -> Option<StepNo> {
    let step = run.step(no);
    let possible = match step.status {
        StepStatus::Pending | StepStatus::Cancelled => run.is_ended(),
        StepStatus::Skipped => !run.def(no).is_fallback,
        StepStatus::Running | StepStatus::Waiting | StepStatus::Succeeded | StepStatus::Failed => {
            true
        },
    };
    target(run, no).filter(|_| possible && step.compensates.is_none())
}

/// A step in doubt among these or inside them. Doing something again that may have been paid for
/// already is for whoever has said what became of it.
fn doubt_within(run: &Run, set: &BTreeSet<StepNo>) -> Option<StepNo> {
    let around =
        |no: StepNo| std::iter::successors(Some(no), |&no| run.scope(run.step(no).scope).container);
    run.open.iter().copied().find(|&no| {
        matches!(run.step(no).wait, Some(Wait::Doubt)) && around(no).any(|at| set.contains(&at))
    })
}

/// Whether a person may have this step done again now.
pub(super) fn can_retry(run: &Run, no: StepNo) -> bool {
    to_retry(run, no).is_some_and(|target| doubt_within(run, &again(run, target)).is_none())
}

/// Whether a run can go on without `no`.
pub(super) fn can_skip(run: &Run, no: StepNo) -> bool {
    let step = run.step(no);
    let possible = match step.status {
        StepStatus::Succeeded | StepStatus::Skipped => false,
        StepStatus::Cancelled => run.is_ended(),
        StepStatus::Failed | StepStatus::Pending | StepStatus::Running | StepStatus::Waiting => {
            true
        },
    };
    let is_target = !is_over(run, no) || target(run, no) == Some(no);
    possible && is_target && step.compensates.is_none()
}

fn is_over(run: &Run, no: StepNo) -> bool {
    run.is_ended() || run.scope(run.step(no).scope).closed
}

/// What is done again when a person asks for `no`: the step itself where its block can go on from
/// there, otherwise the container, or the step that it stood in for. `None` when a later
/// iteration has begun on what it made.
fn target(run: &Run, no: StepNo) -> Option<StepNo> {
    let mut target = no;
    let mut scope = run.step(no).scope;
    while let Some(container) = run.scope(scope).container {
        let step = run.step(container);
        if run.scope(scope).closed && !can_revive(run, container, scope) {
            let is_live = !step.status.is_terminal() && step.wait.is_none();
            let is_current = step.body.as_ref().is_some_and(|body| body.scopes.contains(&scope));
            if is_live && is_current {
                return None;
            }
            target = container;
        }
        scope = step.scope;
    }
    let has_ended = run.step(target).status.is_terminal();
    match replaces(run, target).filter(|_| has_ended) {
        Some(original) if !is_waiting_for(run, original, target) => self::target(run, original),
        _ => Some(target),
    }
}

fn is_waiting_for(run: &Run, original: StepNo, stand_in: StepNo) -> bool {
    let key = &run.step(stand_in).key;
    matches!(&run.step(original).wait, Some(Wait::Fallback { step }) if step == key)
}

/// Whether a block that is over can be opened again where it stopped: an element can, whose
/// result is only its own, and an iteration that was not finished.
fn can_revive(run: &Run, container: StepNo, scope: ScopeNo) -> bool {
    let step = run.step(container);
    let Some(body) = step.body.as_ref().filter(|_| step.wait.is_none()) else { return false };
    if !body.scopes.contains(&scope) {
        return false;
    }
    match &run.def(container).kind {
        StepKind::ForEach(_) => true,
        _ => body.scopes.last() == Some(&scope) && !body.has_finished(run.scope(scope).index),
    }
}

/// Everything that has to be done again with `target`: what comes after it, in its block and
/// around it, and what was taken out when a block around it ended.
fn again(run: &Run, target: StepNo) -> BTreeSet<StepNo> {
    let mut set = BTreeSet::new();
    let mut inner = target;
    loop {
        let step = run.step(inner);
        set.extend(dependents(run, step.scope, &[step.def]));
        if run.scope(step.scope).closed {
            resume_block(run, step.scope, &mut set);
        }
        let container = run.scope(step.scope).container;
        let Some(container) = container.filter(|&no| run.step(no).status.is_terminal()) else {
            break;
        };
        if was_taken_out(run, container) {
            for scope in unfinished(run, container) {
                resume_block(run, scope, &mut set);
            }
        }
        inner = container;
    }
    if run.is_ended() {
        resume_block(run, 0, &mut set);
    }
    // A container around it goes on where it stopped.
    for container in around(run, target) {
        set.remove(&container);
    }
    without_inner(run, set)
}

/// What stands in a container that is done again as a whole comes back with that.
fn without_inner(run: &Run, mut set: BTreeSet<StepNo>) -> BTreeSet<StepNo> {
    let whole = set.clone();
    set.retain(|&no| !around(run, no).any(|container| whole.contains(&container)));
    set
}

fn around(run: &Run, no: StepNo) -> impl Iterator<Item = StepNo> {
    std::iter::successors(run.scope(run.step(no).scope).container, |&container| {
        run.scope(run.step(container).scope).container
    })
}

/// Adds what has to be done again so that a block that was stopped can go on.
fn resume_block(run: &Run, scope: ScopeNo, set: &mut BTreeSet<StepNo>) {
    for no in run.steps_of(scope).filter(|&no| was_taken_out(run, no)) {
        let mut inner = BTreeSet::new();
        for scope in unfinished(run, no) {
            resume_block(run, scope, &mut inner);
        }
        if inner.is_empty() {
            inner.insert(no);
        }
        set.append(&mut inner);
    }
}

/// Whether a step was stopped with its block or stopped it.
fn was_taken_out(run: &Run, no: StepNo) -> bool {
    let def = run.def(no);
    match run.step(no).status {
        StepStatus::Cancelled => true,
        StepStatus::Failed => def.on_failure != OnFailure::Continue && !def.background,
        StepStatus::Pending
        | StepStatus::Running
        | StepStatus::Waiting
        | StepStatus::Succeeded
        | StepStatus::Skipped => false,
    }
}

/// The blocks of a container that it had not done with when it was stopped, and that can go on.
fn unfinished(run: &Run, container: StepNo) -> Vec<ScopeNo> {
    let Some(body) = &run.step(container).body else { return Vec::new() };
    let is_failed = |index: u32| body.failures.iter().any(|(failed, _)| *failed == index);
    let stops =
        matches!(&run.def(container).kind, StepKind::ForEach(def) if def.stops_at_failure());
    let scopes = body.scopes.iter().copied().filter(|&scope| {
        let index = run.scope(scope).index;
        can_revive(run, container, scope)
            && (!body.has_finished(index) || (stops && is_failed(index)))
    });
    scopes.collect()
}

/// The step of the outermost block that is or holds `ix`.
fn outermost(definition: &crate::definition::Definition, ix: StepIx) -> StepIx {
    std::iter::successors(Some(ix), |&ix| definition.step(ix).parent).last().unwrap_or(ix)
}

/// The instances of these steps in `scope`, and of all that need them: in the same block, and
/// the containers around with what needs those.
pub(super) fn dependents(run: &Run, scope: ScopeNo, roots: &[StepIx]) -> Vec<StepNo> {
    let definition = &run.definition;
    let block = definition.block(run.scope(scope).container.map(|no| run.step(no).def));
    let mut touched: BTreeSet<StepIx> = roots.iter().copied().collect();
    loop {
        let before = touched.len();
        for &ix in block {
            let step = definition.step(ix);
            let stands_in = block.iter().any(|other| {
                touched.contains(other)
                    && matches!(definition.step(*other).on_failure, OnFailure::Fallback(to) if to == ix)
            });
            if stands_in || step.needs.iter().any(|need| touched.contains(need)) {
                touched.insert(ix);
            }
        }
        if touched.len() == before {
            break;
        }
    }
    let first = run.scope(scope).first;
    let mut numbers: Vec<StepNo> = touched
        .iter()
        .filter(|ix| block.contains(ix))
        .map(|&ix| first + StepNo::from(definition.step(ix).position))
        .collect();
    // Steps after the container have seen or will see its output: they are done again only when
    // the container itself had ended, in which case the container was the one that was reset.
    numbers.sort_unstable();
    numbers
}
