//! Work is done again: a person retries a step, a checkpoint or gate sends it back, the run rolls
//! back to an earlier phase, or a step is skipped.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::{Decider, shared, wrong_step_state};
use crate::command::Principal;
use crate::definition::StepIx;
use crate::event::Event;
use crate::id::StepKey;
use crate::refusal::Refusal;
use crate::run::{Run, RunState, ScopeNo, StepNo, StepStatus};

impl Decider<'_> {
    pub(super) fn retry_step(
        &mut self,
        key: &StepKey,
        edits: Option<Value>,
        feedback: Option<Value>,
        by: &Principal,
    ) -> Result<(), Refusal> {
        let no = self.known(key)?;
        let step = self.run.step(no);
        let reopening = matches!(self.run.state, RunState::Ended(_));
        let closed = self.run.scope(step.scope).closed && !reopening;
        let possible = match step.status {
            StepStatus::Pending => reopening,
            StepStatus::Cancelled => reopening && step.compensates.is_none(),
            _ => step.compensates.is_none(),
        };
        if !possible || closed {
            return Err(wrong_step_state(step, "retry_step"));
        }
        self.reopen(by);
        // A step in a block that is over takes its container along.
        let target = self.outermost_closed(no).unwrap_or(no);
        self.reset_with_cancelled(target, feedback.map(shared), edits.map(shared), &by.id);
        Ok(())
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
        let reopening = matches!(self.run.state, RunState::Ended(_));
        let possible = match step.status {
            StepStatus::Succeeded | StepStatus::Skipped => false,
            StepStatus::Failed => true,
            StepStatus::Cancelled => reopening,
            StepStatus::Pending | StepStatus::Running | StepStatus::Waiting => true,
        };
        if !possible || self.run.scope(step.scope).closed || step.compensates.is_some() {
            return Err(wrong_step_state(step, "skip_step"));
        }
        self.reopen(by);
        if reopening {
            self.reset_with_cancelled(no, None, None, &by.id);
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
        let Some(ix) = definition.phase_index(phase) else {
            let known = definition.phases.clone();
            return Err(Refusal::UnknownPhase { phase: phase.to_owned(), known });
        };
        if self.run.phase.is_none_or(|now| ix > usize::from(now)) {
            return Err(Refusal::UnknownPhase {
                phase: phase.to_owned(),
                known: definition
                    .phases
                    .iter()
                    .take(usize::from(self.run.phase.unwrap_or(0)) + 1)
                    .cloned()
                    .collect(),
            });
        }
        let roots: Vec<StepIx> = definition
            .root
            .iter()
            .copied()
            .filter(|&step| definition.step(step).phase.is_some_and(|p| usize::from(p) >= ix))
            .collect();
        self.reopen(by);
        self.emit(Event::RunRolledBack {
            phase: phase.to_owned(),
            by: by.id.clone(),
            reason: reason.clone(),
        });
        let set = dependents(self.run, 0, &roots);
        let feedback =
            reason.map(|reason| shared(serde_json::json!({ "reason": reason, "by": by.id })));
        if let Some(&first) = set.first() {
            self.reset_set(first, set, feedback, None, &by.id);
        }
        Ok(())
    }

    fn reopen(&mut self, by: &Principal) {
        if matches!(self.run.state, RunState::Ended(_)) {
            self.emit(Event::RunReopened { by: by.id.clone() });
        }
    }

    fn outermost_closed(&self, no: StepNo) -> Option<StepNo> {
        let scopes = std::iter::successors(Some(self.run.step(no).scope), |&scope| {
            self.run.enclosing(scope)
        });
        scopes
            .filter(|&scope| self.run.scope(scope).closed)
            .filter_map(|scope| self.run.scope(scope).container)
            .last()
    }

    /// Resets a step with everything after it.
    pub(super) fn reset(
        &mut self,
        no: StepNo,
        feedback: Option<Arc<Value>>,
        edits: Option<Arc<Value>>,
        by: &str,
    ) {
        let step = self.run.step(no);
        let set = dependents(self.run, step.scope, &[step.def]);
        self.reset_set(no, set, feedback, edits, by);
    }

    /// As [`Self::reset`]; what the former end of the run had taken out comes back as well.
    fn reset_with_cancelled(
        &mut self,
        no: StepNo,
        feedback: Option<Arc<Value>>,
        edits: Option<Arc<Value>>,
        by: &str,
    ) {
        let step = self.run.step(no);
        let mut set = dependents(self.run, step.scope, &[step.def]);
        for other in self.run.steps_of(0) {
            let cancelled = self.run.step(other).status == StepStatus::Cancelled;
            if cancelled && !set.contains(&other) {
                set.push(other);
            }
        }
        set.sort_unstable();
        self.reset_set(no, set, feedback, edits, by);
    }

    fn reset_set(
        &mut self,
        from: StepNo,
        set: Vec<StepNo>,
        feedback: Option<Arc<Value>>,
        edits: Option<Arc<Value>>,
        by: &str,
    ) {
        for &no in &set {
            self.abandon(no);
            self.cancel_inside(no);
        }
        let steps = set.iter().map(|&no| self.key(no)).collect();
        let from = self.key(from);
        self.dirty.extend(set.iter().map(|&no| self.run.step(no).scope));
        self.emit(Event::StepsReset { steps, from, feedback, edits, by: by.to_owned() });
    }
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
                    && matches!(definition.step(*other).on_failure, crate::definition::OnFailure::Fallback(to) if to == ix)
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
