//! After every command: what can go on goes on, what is complete is completed, until nothing
//! changes any more.

use std::sync::Arc;

use super::Decider;
use super::budget::{is_tight, waits_for_money};
use super::outcome::{is_background, stands_in_for};
use super::reset::dependents;
use crate::command::Principal;
use crate::definition::{StepIx, StepKind};
use crate::event::{Ending, Event};
use crate::failure::{ErrorClass, Failure};
use crate::money::Spend;
use crate::run::{Run, RunState, ScopeNo, StepNo, StepStatus};
use crate::view::View;

/// More events than this do not follow from one command: a list of the longest kind with computed
/// elements makes half as many. What follows is one transaction and one message to a feed.
const EVENTS_MAX: usize = 100_000;

impl Decider<'_> {
    pub(super) fn settle(&mut self) {
        let mut reserved = self.reserved_before;
        loop {
            while let Some(scope) = self.dirty.pop_first() {
                self.look_at_block(scope);
                self.stop_when_endless();
            }
            if gave_back(reserved, self.run.reserved) && is_tight(self.run, reserved) {
                self.dirty.extend(self.open_scopes());
            }
            reserved = self.run.reserved;
            let before = self.events.len();
            match self.run.state {
                RunState::Active => self.look_at_active_run(),
                RunState::Closing(ending) => self.look_at_closing_run(ending),
                RunState::Pending | RunState::Ended(_) => {},
            }
            if self.events.len() == before && self.dirty.is_empty() {
                return;
            }
        }
    }

    /// Computed steps can send each other round in circles without anybody waiting for them.
    fn stop_when_endless(&mut self) {
        if self.events.len() > EVENTS_MAX && self.run.state == RunState::Active {
            let message = format!("one command led to more than {EVENTS_MAX} events");
            let failure = Failure::new(ErrorClass::Validation, "too_much_at_once", message);
            self.close(Ending::Failed, None, None, Some(failure));
        }
    }

    /// Starts what is ready in a block, and closes the block when everything in it has ended.
    fn look_at_block(&mut self, scope: ScopeNo) {
        if self.run.state != RunState::Active || self.run.scope(scope).closed {
            return;
        }
        if !self.run.paused {
            for no in self.run.steps_of(scope) {
                let goes = self.run.state == RunState::Active
                    && is_ready(self.run, no)
                    && !waits_for_money(self.run, no);
                if goes {
                    self.begin(no);
                }
            }
        }
        if let Some(container) = self.run.scope(scope).container
            && self.run.state == RunState::Active
            && !self.run.scope(scope).closed
            && is_block_done(self.run, scope, true)
        {
            self.skip_unused_fallbacks(scope);
            self.round_finished(container, scope);
        }
    }

    fn look_at_active_run(&mut self) {
        if !is_block_done(self.run, 0, false) {
            return;
        }
        let all_done = is_block_done(self.run, 0, true);
        if all_done && self.run.open.iter().any(|&no| !self.run.step(no).past.is_empty()) {
            return; // a called-back attempt has not reported its cost yet
        }
        if !all_done && self.run.delivered_at.is_some() {
            return;
        }
        let definition = Arc::clone(&self.run.definition);
        let output = match definition.outputs.render(&View::of_scope(self.run, 0)) {
            Ok(output) => Arc::new(output),
            Err(fault) => {
                let failure =
                    Failure::new(ErrorClass::Validation, "outputs_fault", fault.to_string());
                return self.close(Ending::Failed, None, None, Some(failure));
            },
        };
        if all_done {
            self.skip_unused_fallbacks(0);
            self.enter_last_phase();
            self.emit(Event::RunCompleted { output });
        } else {
            self.emit(Event::RunDelivered { output });
        }
    }

    /// Ends a closing run when everything in flight has reported and everything is undone.
    fn look_at_closing_run(&mut self, ending: Ending) {
        if self.run.open.iter().any(|&no| !self.run.step(no).past.is_empty()) {
            return;
        }
        if self.run.compensating && self.compensate_next() {
            return;
        }
        let (reason, by) = (self.run.close_reason.clone(), self.run.closed_by.clone());
        match ending {
            Ending::Cancelled | Ending::Completed => self.emit(Event::RunCancelled { reason, by }),
            Ending::Failed => {
                let failure = self.run.failure.clone().unwrap_or_else(|| {
                    Failure::new(ErrorClass::Internal, "unknown", "the run failed")
                });
                self.emit(Event::RunFailed { failure });
            },
        }
    }

    /// Starts the next compensation, latest step first. Returns whether one is under way.
    fn compensate_next(&mut self) -> bool {
        let run = &*self.run;
        let under_way = run.open.iter().any(|&no| run.step(no).compensates.is_some());
        if under_way {
            return true;
        }
        let next = (0..)
            .zip(&run.steps)
            .filter(|(no, step)| {
                let named = run.find(&step.key) == Some(*no);
                step.status == StepStatus::Succeeded
                    && run.def(*no).compensate.is_some()
                    && named
                    && !run.compensated.contains(no)
            })
            .max_by_key(|(_, step)| step.ended_seq)
            .map(|(no, _)| no);
        let Some(no) = next else { return false };
        let undone = self.key(no);
        let key = format!("{undone}!undo").into();
        let token = self.fresh_token();
        let Some(ix) = self.run.def(no).compensate else { return false };
        let deadline = Some(self.attempt_deadline(ix));
        self.emit(Event::StepStarted {
            step: key,
            attempt: 1,
            token,
            reserved: Spend::ZERO,
            deadline,
            child: None,
            compensates: Some(undone),
        });
        self.compute_undoing(ix);
        true
    }

    /// A compensation that is only computed has nobody to report on it.
    fn compute_undoing(&mut self, ix: StepIx) {
        let definition = Arc::clone(&self.run.definition);
        let StepKind::Transform(mapping) = &definition.step(ix).kind else { return };
        let begun = self.run.steps.len().checked_sub(1).and_then(|no| StepNo::try_from(no).ok());
        let Some(no) = begun else { return };
        match mapping.render(&View::of_step(self.run, no)) {
            Ok(output) => self.succeed_with(no, output),
            Err(fault) => self.fault(no, &fault),
        }
    }

    /// Ends the run: nothing new starts, what is in flight is called back.
    pub(super) fn close(
        &mut self,
        ending: Ending,
        reason: Option<String>,
        by: Option<&Principal>,
        failure: Option<Failure>,
    ) {
        let compensate = self.run.definition.compensate_on_failure;
        self.close_with(ending, reason, by, (failure, compensate));
    }

    pub(super) fn close_with(
        &mut self,
        ending: Ending,
        reason: Option<String>,
        by: Option<&Principal>,
        (failure, compensate): (Option<Failure>, bool),
    ) {
        let by = by.map(|by| by.id.clone());
        self.emit(Event::RunClosing { ending, reason, by, failure, compensate });
        let open: Vec<StepNo> = self.run.open.iter().copied().collect();
        for no in open {
            self.cancel_step(no);
        }
    }

    /// Takes a step out, whatever it is doing.
    pub(super) fn cancel_step(&mut self, no: StepNo) {
        if self.run.step(no).status.is_terminal() {
            return;
        }
        self.abandon(no);
        self.cancel_inside(no);
        self.emit(Event::StepCancelled { step: self.key(no) });
    }

    /// Calls the attempt in flight back, if there is one: its report will only be counted.
    pub(super) fn abandon(&mut self, no: StepNo) {
        let step = self.run.step(no);
        if let Some(attempt) = step.attempt.as_ref().filter(|a| step.is_current(a.token)) {
            let (step, token) = (step.key.clone(), attempt.token);
            self.emit(Event::AttemptAbandoned { step, token });
        }
    }

    /// Takes out everything in the body of a container.
    pub(super) fn cancel_inside(&mut self, container: StepNo) {
        let scopes = self.run.step(container).body.as_ref().map(|body| body.scopes.clone());
        for scope in scopes.unwrap_or_default() {
            self.cancel_block(scope);
        }
    }

    pub(super) fn cancel_block(&mut self, scope: ScopeNo) {
        for no in self.run.steps_of(scope) {
            // A former round's instance has given its key to a later one: it has ended already.
            if self.run.find(&self.run.step(no).key) == Some(no) {
                self.cancel_step(no);
            }
        }
    }
}

fn gave_back(before: Spend, after: Spend) -> bool {
    after.cost < before.cost || after.tokens < before.tokens
}

/// Whether a pending step's turn has come.
fn is_ready(run: &Run, no: StepNo) -> bool {
    let step = run.step(no);
    if step.status != StepStatus::Pending {
        return false;
    }
    let def = run.def(no);
    let first = run.scope(step.scope).first;
    let mut needs =
        def.needs.iter().map(|&ix| first + StepNo::from(run.definition.step(ix).position));
    let is_settled = |need: StepNo| run.step(need).status.is_terminal();
    if !def.is_fallback {
        return needs.all(is_settled);
    }
    let Some(original) = stands_in_for(run, no) else { return false };
    // What itself waits for the failed step cannot be waited for.
    let behind = dependents(run, step.scope, &[run.step(original).def]);
    needs.all(|need| is_settled(need) || behind.contains(&need))
}

/// Whether everything in a block has ended; without background steps when `all` is false.
fn is_block_done(run: &Run, scope: ScopeNo, all: bool) -> bool {
    run.steps_of(scope).all(|no| {
        let step = run.step(no);
        step.status.is_terminal()
            || (step.status == StepStatus::Pending
                && run.def(no).is_fallback
                && stands_in_for(run, no).is_none())
            || (!all && is_background(run, no))
    })
}

/// Whether a step's work is done by attempts.
pub(super) fn has_attempts(kind: &StepKind) -> bool {
    match kind {
        StepKind::Agent(_) | StepKind::Orchestration(_) => true,
        StepKind::Gate(gate) => gate.judge.is_some(),
        StepKind::Checkpoint(_)
        | StepKind::Loop(_)
        | StepKind::ForEach(_)
        | StepKind::Transform(_)
        | StepKind::Wait(_) => false,
    }
}
