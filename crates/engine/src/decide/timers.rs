//! Time has passed: pauses end, limits are reached.

use std::sync::Arc;

use serde_json::Value;

use super::Decider;
use crate::at::Millis;
use crate::definition::{CheckpointStep, StepKind, Verb};
use crate::event::{Answer, Ending, Event};
use crate::failure::{ErrorClass, Failure};
use crate::run::{RunState, StepNo, Wait};

/// How long the outside may be asked about an attempt whose time is over.
const LOOK_UP_GRACE: Millis = Millis::from_secs(120);

impl Decider<'_> {
    pub(super) fn fire_timers(&mut self) {
        let now = self.at.now;
        if self.run.state == RunState::Active && self.run.deadline.is_some_and(|at| at <= now) {
            let failure =
                Failure::new(ErrorClass::Timeout, "run_timeout", "the run's time is over");
            return self.close(Ending::Failed, None, None, Some(failure));
        }
        let due: Vec<StepNo> = self
            .run
            .open
            .iter()
            .copied()
            .filter(|&no| self.run.step(no).wake_at(self.run.paused).is_some_and(|at| at <= now))
            .collect();
        for no in due {
            // An earlier timer of the same moment may have ended this one's step or the run.
            let still_due = self.run.step(no).wake_at(self.run.paused).is_some_and(|at| at <= now);
            if still_due {
                self.fire(no);
            }
        }
    }

    fn fire(&mut self, no: StepNo) {
        match self.run.step(no).wait.clone() {
            Some(Wait::Retry { .. }) => self.begin_attempt(no),
            Some(Wait::Time { .. }) => self.succeed_with(no, Value::Null),
            Some(Wait::Person { .. }) => self.checkpoint_over(no),
            Some(Wait::Callback { key, .. }) => {
                let message = format!("no callback {key} came in time");
                self.fail_step(no, Failure::new(ErrorClass::Timeout, "callback_timeout", message));
            },
            Some(Wait::Job { .. } | Wait::Child { .. }) | None => self.attempt_over(no),
            Some(Wait::Doubt | Wait::Fallback { .. }) => {},
        }
    }

    /// An attempt took too long: first the outside is asked, then a person. Of a loop or
    /// `for_each` there is nobody to ask.
    fn attempt_over(&mut self, no: StepNo) {
        let step = self.key(no);
        let Some(attempt) = &self.run.step(no).attempt else {
            let message = "it took longer than its limit".to_owned();
            return self.fail_step(no, Failure::new(ErrorClass::Timeout, "step_timeout", message));
        };
        let token = attempt.token;
        if attempt.timed_out {
            let call = u16::try_from(attempt.calls.len()).unwrap_or(u16::MAX);
            let message = "its time is over, and nobody answered what became of it".to_owned();
            self.emit(Event::AttemptInDoubt { step, token, call, message });
        } else {
            let until = self.at.now.plus(LOOK_UP_GRACE);
            self.emit(Event::AttemptTimedOut { step, token, until });
        }
    }

    fn checkpoint_over(&mut self, no: StepNo) {
        let definition = Arc::clone(&self.run.definition);
        let StepKind::Checkpoint(def) = &definition.step(self.run.step(no).def).kind else {
            return;
        };
        let Some(deadline) = &def.deadline else { return };
        let escalated = self.run.step(no).checkpoint.as_ref().is_some_and(|c| c.escalated);
        if !deadline.escalate_to.is_empty() && !escalated {
            let event = Event::CheckpointEscalated {
                step: self.key(no),
                to: deadline.escalate_to.clone(),
                until: Some(self.at.now.plus(deadline.after)),
            };
            return self.emit(event);
        }
        let may_retry = self.run.step(no).sent_back < def.retries_max;
        match deadline.default {
            Some(verb) if verb != Verb::Retry || may_retry => {
                self.answer_for_nobody(no, def, verb);
            },
            _ => {
                let message = "nobody answered in time";
                self.fail_step(no, Failure::new(ErrorClass::Timeout, "unanswered", message));
            },
        }
    }

    fn answer_for_nobody(&mut self, no: StepNo, def: &CheckpointStep, verb: Verb) {
        let answer = Answer {
            verb,
            by: "deadline".into(),
            comment: Some("nobody answered in time".into()),
            modified: None,
            at: self.at.now,
        };
        self.conclude(no, def, answer);
    }
}
