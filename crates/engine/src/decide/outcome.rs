//! How a step ends: with its output, for good, or not at all; and what that means for the step it
//! stands in for, for its block and for those who need it.

use std::sync::Arc;

use serde_json::Value;

use super::Decider;
use super::reset::dependents;
use crate::definition::{OnFailure, StepIx};
use crate::event::{Ending, Event};
use crate::failure::{ErrorClass, Failure};
use crate::run::{Run, RunState, ScopeNo, StepNo, StepStatus, Wait};
use crate::schema::Schema;

impl Decider<'_> {
    /// A step has its output. A step that stood in for another hands it on.
    pub(super) fn succeed(&mut self, no: StepNo, event: Event) {
        self.send_home(no);
        self.emit_and_look(no, event);
        self.hand_on(no);
    }

    fn hand_on(&mut self, no: StepNo) {
        let Some(original) = stands_in_for(self.run, no) else { return };
        let output = self.run.step(no).output.clone().unwrap_or_default();
        if let Some(failure) = misfit(self.run.def(original).output_schema.as_ref(), &output) {
            return self.fail_for_good(original, failure);
        }
        let event = Event::StepSucceeded {
            step: self.key(original),
            token: None,
            output,
            calls: Vec::new(),
            assets: self.run.step(no).assets.clone(),
            by: None,
            cached: false,
            failure: self.run.step(original).failure.clone(),
        };
        self.emit_and_look(original, event);
        self.hand_on(original);
    }

    /// A step failed: another takes its place when its turn comes, or it has failed for good.
    pub(super) fn fail_step(&mut self, no: StepNo, failure: Failure) {
        self.cancel_inside(no);
        if self.run.state == RunState::Active
            && let OnFailure::Fallback(ix) = self.run.def(no).on_failure
        {
            let to = self.sibling(no, ix);
            if self.run.step(to).status == StepStatus::Pending {
                let event = Event::StepFellBack { step: self.key(no), failure, to: self.key(to) };
                return self.emit_and_look(no, event);
            }
        }
        self.fail_for_good(no, failure);
    }

    /// A failure that nothing makes good: its block goes on without the step, or fails.
    fn fail_for_good(&mut self, no: StepNo, failure: Failure) {
        let goes_on = self.run.def(no).on_failure == OnFailure::Continue;
        let mut last = no;
        let event = Event::StepFailed { step: self.key(no), failure: failure.clone() };
        self.emit_and_look(no, event);
        while let Some(original) = stands_in_for(self.run, last) {
            let event = Event::StepFailed { step: self.key(original), failure: failure.clone() };
            self.emit_and_look(original, event);
            last = original;
        }
        if goes_on || self.run.state != RunState::Active {
            return;
        }
        if self.run.def(last).background {
            self.skip_behind(last);
        } else {
            self.block_failed(self.run.step(last).scope, failure);
        }
    }

    /// A step will not run. When it should have stood in for another, a person's word counts for
    /// both; a condition leaves the other failed.
    pub(super) fn skip(
        &mut self,
        no: StepNo,
        reason: String,
        by: Option<String>,
        output: Option<Arc<Value>>,
    ) {
        self.send_home(no);
        let original = stands_in_for(self.run, no);
        let event = Event::StepSkipped {
            step: self.key(no),
            reason: reason.clone(),
            by: by.clone(),
            output: output.clone(),
        };
        self.emit_and_look(no, event);
        let Some(original) = original else { return };
        if by.is_some() {
            return self.skip(original, reason, by, output);
        }
        let failure = self.run.step(original).failure.clone();
        let failure = failure.unwrap_or_else(|| {
            Failure::new(ErrorClass::Internal, "no_fallback", "no fallback ran")
        });
        self.fail_for_good(original, failure);
    }

    /// The step that stands in for `no` is no longer needed.
    fn send_home(&mut self, no: StepNo) {
        let Some(Wait::Fallback { step }) = &self.run.step(no).wait else { return };
        let Some(stand_in) = self.run.find(step) else { return };
        self.send_home(stand_in);
        self.cancel_step(stand_in);
    }

    /// What needs a background step that failed cannot run, and nobody waits for it.
    fn skip_behind(&mut self, no: StepNo) {
        let step = self.run.step(no);
        let reason = format!("{} failed", self.run.def(no).id);
        for behind in dependents(self.run, step.scope, &[step.def]) {
            if self.run.step(behind).status == StepStatus::Pending {
                let (step, reason) = (self.key(behind), reason.clone());
                let event = Event::StepSkipped { step, reason, by: None, output: None };
                self.emit_and_look(behind, event);
            }
        }
    }

    fn block_failed(&mut self, scope: ScopeNo, failure: Failure) {
        match self.run.scope(scope).container {
            None => self.close(Ending::Failed, None, None, Some(failure)),
            Some(container) => self.round_failed(container, scope, failure),
        }
    }

    /// The instance of another step of the same block.
    pub(super) fn sibling(&self, no: StepNo, ix: StepIx) -> StepNo {
        let scope = self.run.scope(self.run.step(no).scope);
        scope.first + StepNo::from(self.run.definition.step(ix).position)
    }

    pub(super) fn skip_unused_fallbacks(&mut self, scope: ScopeNo) {
        for no in self.run.steps_of(scope) {
            if self.run.step(no).status == StepStatus::Pending && self.run.def(no).is_fallback {
                let step = self.key(no);
                let reason = "not_needed".to_owned();
                self.emit(Event::StepSkipped { step, reason, by: None, output: None });
            }
        }
    }
}

/// Why an output cannot be taken.
pub(super) fn misfit(schema: Option<&Schema>, output: &Value) -> Option<Failure> {
    let breach = schema?.breaches(output).into_iter().next()?;
    let message = format!("output{}: {}", breach.pointer, breach.message);
    Some(Failure::new(ErrorClass::Validation, "output_invalid", message))
}

/// The step whose place `no` takes.
pub(super) fn stands_in_for(run: &Run, no: StepNo) -> Option<StepNo> {
    if !run.def(no).is_fallback {
        return None;
    }
    let step = run.step(no);
    run.steps_of(step.scope).find(|&other| {
        matches!(&run.step(other).wait, Some(Wait::Fallback { step: key }) if *key == step.key)
    })
}

/// The step whose place `no` would take.
pub(super) fn replaces(run: &Run, no: StepNo) -> Option<StepNo> {
    let def = run.def(no);
    let names = |&other: &StepNo| run.def(other).on_failure == OnFailure::Fallback(def.ix);
    run.steps_of(run.step(no).scope).find(|other| def.is_fallback && names(other))
}

/// Whether the run is delivered without this step.
pub(super) fn is_background(run: &Run, no: StepNo) -> bool {
    let def = run.def(no);
    def.background || replaces(run, no).is_some_and(|original| run.def(original).background)
}
