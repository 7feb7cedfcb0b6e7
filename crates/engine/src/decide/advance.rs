//! A step's turn has come.

use std::sync::Arc;

use serde_json::Value;

use super::Decider;
use super::budget::{first_hold, over_budget};
use super::outcome::misfit;
use super::settle::has_attempts;
use crate::at::{Millis, Timestamp};
use crate::definition::duration::{LONGEST, LONGEST_DAYS};
use crate::definition::{CheckpointStep, StepIx, StepKind, WaitStep, WaitUntil};
use crate::event::Event;
use crate::failure::{ErrorClass, Failure};
use crate::id::{Digest, RunId};
use crate::run::{RunState, StepNo};
use crate::template::EvalFault;
use crate::view::View;

/// An agent that says nothing for so long is asked what became of it, where its author set no
/// other limit.
const ATTEMPT_TIMEOUT: Millis = Millis::from_secs(600);

impl Decider<'_> {
    pub(super) fn begin(&mut self, no: StepNo) {
        let definition = Arc::clone(&self.run.definition);
        let def = definition.step(self.run.step(no).def);
        match def.when.as_ref().map(|when| when.holds(&View::of_step(self.run, no))) {
            None | Some(Ok(true)) => {},
            Some(Ok(false)) => return self.skip(no, "condition".to_owned(), None, None),
            Some(Err(fault)) => return self.fault(no, &fault),
        }
        if let Some(phase) = def.phase {
            self.enter_phase(phase);
        }
        match &def.kind {
            kind if has_attempts(kind) => self.begin_attempt(no),
            StepKind::Checkpoint(checkpoint) => self.open_checkpoint(no, checkpoint),
            StepKind::Gate(gate) => self.decide_gate(no, gate, None),
            StepKind::Loop(_) => self.begin_round(no, 0),
            StepKind::ForEach(for_each) => self.expand(no, for_each),
            StepKind::Transform(mapping) => match mapping.render(&View::of_step(self.run, no)) {
                Ok(output) => self.succeed_with(no, output),
                Err(fault) => self.fault(no, &fault),
            },
            StepKind::Wait(wait) => self.begin_wait(no, wait, def.timeout),
            StepKind::Agent(_) | StepKind::Orchestration(_) => {},
        }
    }

    /// Begins the first or another attempt, when the budgets allow it.
    pub(super) fn begin_attempt(&mut self, no: StepNo) {
        let def = self.run.def(no);
        let reserved = first_hold(self.run, no);
        let is_child = matches!(def.kind, StepKind::Orchestration(_));
        let ix = def.ix;
        // What was done is undone at any price.
        let is_undoing = self.run.step(no).compensates.is_some();
        if let Some((whose, what)) = over_budget(self.run, no, reserved).filter(|_| !is_undoing) {
            let message = format!("the budget of {whose} does not allow another attempt: {what}");
            return self.fail_step(no, Failure::new(ErrorClass::Budget, "over_budget", message));
        }
        let token = self.fresh_token();
        let child = is_child.then(|| self.child_id(token.0));
        let deadline = if is_child {
            self.run.definition.step(ix).timeout.map(|timeout| self.at.now.plus(timeout))
        } else {
            Some(self.attempt_deadline(ix))
        };
        let event = Event::StepStarted {
            step: self.key(no),
            attempt: self.run.step(no).attempts + 1,
            token,
            reserved,
            deadline,
            child,
            compensates: self.run.step(no).compensates.clone(),
        };
        self.emit(event);
    }

    pub(super) fn attempt_deadline(&self, ix: StepIx) -> Timestamp {
        let timeout = self.run.definition.step(ix).timeout.unwrap_or(ATTEMPT_TIMEOUT);
        self.at.now.plus(timeout)
    }

    /// A child run's id follows from the attempt, so that starting it twice starts one run.
    fn child_id(&self, bits: u64) -> RunId {
        RunId::at(self.at.now, [bits, self.at.bits(u32::MAX)])
    }

    fn open_checkpoint(&mut self, no: StepNo, checkpoint: &CheckpointStep) {
        let view = View::of_step(self.run, no);
        let rendered = (|| {
            let question = checkpoint.question.render_text(&view)?;
            let question_ja =
                checkpoint.question_ja.as_ref().map(|text| text.render_text(&view)).transpose()?;
            Ok((question, question_ja, checkpoint.show.render(&view)?))
        })();
        let (question, question_ja, show) = match rendered {
            Ok(rendered) => rendered,
            Err(fault) => return self.fault(no, &fault),
        };
        let event = Event::CheckpointOpened {
            step: self.key(no),
            question,
            question_ja,
            digest: Digest::of(show.to_string().as_bytes()),
            show: Arc::new(show),
            until: checkpoint.deadline.as_ref().map(|deadline| self.at.now.plus(deadline.after)),
        };
        self.emit(event);
    }

    fn begin_wait(&mut self, no: StepNo, wait: &WaitStep, timeout: Option<Millis>) {
        let view = View::of_step(self.run, no);
        let step = self.key(no);
        let (callback, until) = match &wait.until {
            WaitUntil::Callback(key) => match key.render_text(&view) {
                Ok(key) => match self.run.inbox.get(&key).cloned() {
                    Some(payload) => return self.take_callback(no, key, &payload),
                    None => (Some(key), timeout.map(|timeout| self.at.now.plus(timeout))),
                },
                Err(fault) => return self.fault(no, &fault),
            },
            WaitUntil::Duration(text) => match text.render_text(&view).map(|t| parse_millis(&t)) {
                Ok(Some(span)) => (None, Some(self.at.now.plus(span))),
                Ok(None) => return self.bad_time(no, "a duration such as 90s, 5m, 2h or 3d"),
                Err(fault) => return self.fault(no, &fault),
            },
            WaitUntil::Instant(text) => match text.render_text(&view).map(|t| parse_instant(&t)) {
                Ok(Some(instant)) => (None, Some(instant)),
                Ok(None) => {
                    return self.bad_time(no, "an instant such as 2026-11-20T09:00:00+09:00");
                },
                Err(fault) => return self.fault(no, &fault),
            },
        };
        // What is written down is held to it when it is loaded; what is computed, here.
        if until.is_some_and(|until| until > self.at.now.plus(LONGEST)) {
            return self.bad_time(no, &format!("an end within {LONGEST_DAYS} days"));
        }
        let over = callback.is_none() && until.is_some_and(|until| until <= self.at.now);
        self.emit(Event::StepWaiting { step, callback, until });
        if over {
            self.succeed_with(no, Value::Null);
        }
    }

    /// A callback that came before its wait ends the wait at once.
    fn take_callback(&mut self, no: StepNo, key: String, payload: &Arc<Value>) {
        let step = self.key(no);
        self.emit(Event::StepWaiting { step, callback: Some(key), until: None });
        self.succeed_with(no, (**payload).clone());
    }

    fn bad_time(&mut self, no: StepNo, expected: &str) {
        let message = format!("the wait needs {expected}");
        self.fail_step(no, Failure::new(ErrorClass::Validation, "bad_time", message));
    }

    pub(super) fn fault(&mut self, no: StepNo, fault: &EvalFault) {
        let failure = Failure::new(ErrorClass::Validation, "expression_fault", fault.to_string());
        self.fail_step(no, failure);
    }

    /// A step without attempts has its output.
    pub(super) fn succeed_with(&mut self, no: StepNo, output: Value) {
        if let Some(failure) = misfit(self.run.def(no).output_schema.as_ref(), &output) {
            return self.fail_step(no, failure);
        }
        self.succeed(no, Event::succeeded(self.key(no), Arc::new(output), None));
    }

    /// Enters phases one by one up to `phase`; never backwards, never skipping one.
    pub(super) fn enter_phase(&mut self, phase: u16) {
        let first = self.run.phase.map_or(0, |now| now + 1);
        let definition = Arc::clone(&self.run.definition);
        for ix in first..=phase {
            if let Some(phase) = definition.phases.get(usize::from(ix)) {
                self.emit(Event::PhaseEntered { phase: phase.clone() });
            }
        }
    }

    pub(super) fn enter_last_phase(&mut self) {
        if let Some(last) = self.run.definition.phases.len().checked_sub(1)
            && self.run.state == RunState::Active
        {
            self.enter_phase(u16::try_from(last).unwrap_or(0));
        }
    }
}

/// `90s`, `5m`, `2h`, `3d`, `250ms`, or a bare number of milliseconds.
pub(crate) fn parse_millis(text: &str) -> Option<Millis> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let factor = match unit.trim() {
        "" | "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(factor).map(Millis)
}

fn parse_instant(text: &str) -> Option<Timestamp> {
    let instant: jiff::Timestamp = text.trim().parse().ok()?;
    Some(Timestamp(instant.as_microsecond()))
}
