//! Reports of attempts: done, failed, a call answered, a job accepted, in doubt.

use std::sync::Arc;

use super::budget::{fits_later, over_budget};
use super::outcome::misfit;
use super::{Decider, wrong_step_state};
use crate::call::CallRecord;
use crate::command::{ChildOutcome, FinishAttempt, Principal};
use crate::definition::StepKind;
use crate::event::{DoubtVerdict, Event, FailedProvider, Job};
use crate::failure::{ErrorClass, Failure};
use crate::id::{StepKey, Token};
use crate::money::{MicroUsd, Spend};
use crate::refusal::Refusal;
use crate::run::{RunState, StepNo, Wait};

impl Decider<'_> {
    pub(super) fn finish_attempt(&mut self, finish: FinishAttempt) -> Result<(), Refusal> {
        let no = self.known(&finish.step)?;
        let step = self.run.step(no);
        if step.is_current(finish.token) {
            return self.finish_current(no, finish);
        }
        if step.past(finish.token).is_some() {
            // It was called back, but it was paid for: the result is kept and counted.
            let output = Some(finish.output);
            self.settle_past(no, finish.token, finish.calls, output);
            return Ok(());
        }
        Err(Refusal::StaleAttempt { step: finish.step })
    }

    fn finish_current(&mut self, no: StepNo, finish: FinishAttempt) -> Result<(), Refusal> {
        let def = self.run.def(no);
        if let Some(failure) = misfit(def.output_schema.as_ref(), &finish.output) {
            return self.fail_attempt(&finish.step, finish.token, failure, finish.calls);
        }
        let calls = self.not_recorded(no, finish.token, finish.calls);
        if matches!(def.kind, StepKind::Gate(_)) {
            self.judged(no, finish.token, Arc::unwrap_or_clone(finish.output), calls);
            return Ok(());
        }
        let event = Event::StepSucceeded {
            step: finish.step,
            token: Some(finish.token),
            output: finish.output,
            calls,
            assets: finish.assets,
            by: None,
            cached: finish.cached,
            failure: None,
        };
        self.succeed(no, event);
        Ok(())
    }

    pub(super) fn fail_attempt(
        &mut self,
        key: &StepKey,
        token: Token,
        failure: Failure,
        calls: Vec<Arc<CallRecord>>,
    ) -> Result<(), Refusal> {
        let no = self.known(key)?;
        let step = self.run.step(no);
        if step.past(token).is_some() {
            self.settle_past(no, token, calls, None);
            return Ok(());
        }
        if !step.is_current(token) {
            return Err(Refusal::StaleAttempt { step: key.clone() });
        }
        let calls = self.not_recorded(no, token, calls);
        self.attempt_failed(no, token, failure, calls);
        Ok(())
    }

    /// An attempt failed: again later, or the end of the step.
    pub(super) fn attempt_failed(
        &mut self,
        no: StepNo,
        token: Token,
        failure: Failure,
        calls: Vec<Arc<CallRecord>>,
    ) {
        let step = self.run.step(no);
        let def = self.run.def(no);
        let tried = step.attempts.saturating_sub(step.attempts_before_reset);
        // Nothing new starts in a run that ends, but for what undoes.
        let may_retry = self.run.state == RunState::Active || step.compensates.is_some();
        let pause =
            may_retry.then(|| def.retry.verdict(tried, &failure, self.at.bits(0))).flatten();
        let retry_at = pause.map(|pause| self.at.now.plus(pause));
        let event = Event::AttemptFailed {
            step: step.key.clone(),
            token,
            failure: failure.clone(),
            calls,
            retry_at,
        };
        self.emit_and_look(no, event);
        match retry_at {
            None => self.fail_step(no, failure),
            Some(at) if at <= self.at.now && !self.run.paused => self.begin_attempt(no),
            Some(_) => {},
        }
    }

    /// Counts what an abandoned attempt reports.
    fn settle_past(
        &mut self,
        no: StepNo,
        token: Token,
        calls: Vec<Arc<CallRecord>>,
        output: Option<Arc<serde_json::Value>>,
    ) {
        let calls = self.not_recorded(no, token, calls);
        let (step, unknown) = (self.key(no), None);
        self.emit_and_look(no, Event::AttemptSettled { step, token, calls, output, unknown });
    }

    /// The calls of a report that are not in the journal yet: each number counts once.
    fn not_recorded(
        &self,
        no: StepNo,
        token: Token,
        calls: Vec<Arc<CallRecord>>,
    ) -> Vec<Arc<CallRecord>> {
        let step = self.run.step(no);
        let current = step.attempt.as_ref().filter(|attempt| attempt.token == token);
        let attempt = current.or_else(|| step.past(token));
        let recorded = attempt.map_or(&[][..], |attempt| &attempt.calls);
        let mut new: Vec<Arc<CallRecord>> = Vec::new();
        for call in calls {
            if !recorded.iter().chain(&new).any(|other| other.no == call.no) {
                new.push(call);
            }
        }
        new
    }

    pub(super) fn progress_attempt(
        &mut self,
        key: &StepKey,
        token: Token,
        percent: Option<u8>,
        message: Option<String>,
    ) -> Result<(), Refusal> {
        self.reporting(key, token)?;
        let percent = percent.map(|percent| percent.min(100));
        self.emit(Event::AttemptProgressed { step: key.clone(), token, percent, message });
        Ok(())
    }

    pub(super) fn record_call(
        &mut self,
        key: &StepKey,
        token: Token,
        call: Arc<CallRecord>,
    ) -> Result<(), Refusal> {
        let no = self.known(key)?;
        let step = self.run.step(no);
        if step.past(token).is_none() && !step.is_current(token) {
            return Err(Refusal::StaleAttempt { step: key.clone() });
        }
        // The same call reported twice is recorded once.
        if let Some(call) = self.not_recorded(no, token, vec![call]).pop() {
            self.emit(Event::CallRecorded { step: key.clone(), token, call });
        }
        Ok(())
    }

    /// As [`Self::reporting`], of an attempt that makes calls; a child run makes its own.
    fn calling(&self, key: &StepKey, token: Token, command: &str) -> Result<StepNo, Refusal> {
        let no = self.reporting(key, token)?;
        let step = self.run.step(no);
        if step.attempt.as_ref().is_some_and(|attempt| attempt.child.is_some()) {
            return Err(wrong_step_state(step, command));
        }
        Ok(no)
    }

    pub(super) fn choose_provider(
        &mut self,
        key: &StepKey,
        token: Token,
        provider: String,
        failed: Option<FailedProvider>,
    ) -> Result<(), Refusal> {
        let no = self.calling(key, token, "choose_provider")?;
        if self.run.step(no).wait.is_some() {
            return Err(wrong_step_state(self.run.step(no), "choose_provider"));
        }
        let known = self.run.step(no).attempt.as_ref().and_then(|a| a.provider.as_ref());
        if known != Some(&provider) {
            self.emit(Event::ProviderChosen { step: key.clone(), token, provider, failed });
        }
        Ok(())
    }

    pub(super) fn accept_job(
        &mut self,
        key: &StepKey,
        token: Token,
        job: Job,
    ) -> Result<(), Refusal> {
        let no = self.calling(key, token, "accept_job")?;
        let wait = &self.run.step(no).wait;
        if !matches!(wait, Some(Wait::Job { job: known, .. }) if *known == job) {
            self.emit(Event::JobAccepted { step: key.clone(), token, job });
        }
        Ok(())
    }

    pub(super) fn give_up_job(
        &mut self,
        key: &StepKey,
        token: Token,
        failed: FailedProvider,
    ) -> Result<(), Refusal> {
        let no = self.calling(key, token, "give_up_job")?;
        let step = self.run.step(no);
        // Whoever is stopping the job reports by himself.
        let is_stopped = step.attempt.as_ref().is_none_or(|attempt| attempt.timed_out);
        if is_stopped || !matches!(step.wait, Some(Wait::Job { .. })) {
            return Err(wrong_step_state(step, "give_up_job"));
        }
        self.emit(Event::JobGivenUp { step: key.clone(), token, failed });
        Ok(())
    }

    pub(super) fn dispatch_call(
        &mut self,
        key: &StepKey,
        token: Token,
        call: u16,
    ) -> Result<(), Refusal> {
        let no = self.calling(key, token, "dispatch_call")?;
        let known = self.run.step(no).attempt.as_ref().and_then(|attempt| attempt.dispatched);
        if known != Some(call) {
            self.emit(Event::CallDispatched { step: key.clone(), token, call });
        }
        Ok(())
    }

    pub(super) fn raise_reservation(
        &mut self,
        key: &StepKey,
        token: Token,
        spend: Spend,
    ) -> Result<(), Refusal> {
        let no = self.reporting(key, token)?;
        let held = self.run.step(no).attempt.as_ref().map_or(Spend::ZERO, |a| a.reserved);
        let more = spend.minus(held);
        if let Some((whose, what)) = over_budget(self.run, no, more) {
            let may_fit_later = fits_later(self.run, no, spend);
            return Err(Refusal::OverBudget { whose, what, may_fit_later });
        }
        if spend != held {
            self.emit(Event::ReservationRaised { step: key.clone(), token, reserved: spend });
        }
        Ok(())
    }

    pub(super) fn doubt_attempt(
        &mut self,
        key: &StepKey,
        token: Token,
        call: u16,
        message: String,
    ) -> Result<(), Refusal> {
        let no = self.known(key)?;
        if self.run.step(no).past(token).is_some() {
            // Nobody waits for it any more, so nobody is asked; but it is said that the bill may
            // be short of this call.
            let (step, calls, unknown) = (key.clone(), Vec::new(), Some(message));
            let event = Event::AttemptSettled { step, token, calls, output: None, unknown };
            self.emit_and_look(no, event);
            return Ok(());
        }
        let no = self.calling(key, token, "doubt_attempt")?;
        let known = self.run.step(no).attempt.as_ref().and_then(|attempt| attempt.doubt.as_ref());
        if known.is_none_or(|doubt| doubt.call != call) {
            self.emit(Event::AttemptInDoubt { step: key.clone(), token, call, message });
        }
        Ok(())
    }

    /// Refuses an answer to a former doubt.
    pub(super) fn is_this_doubt(&self, key: &StepKey, since: Option<&str>) -> Result<(), Refusal> {
        let step = self.run.step(self.known(key)?);
        let is_other = since.is_some_and(|since| since != step.since.to_rfc3339());
        if is_other && matches!(step.wait, Some(Wait::Doubt)) {
            return Err(Refusal::StaleAttempt { step: key.clone() });
        }
        Ok(())
    }

    pub(super) fn resolve_doubt(
        &mut self,
        key: &StepKey,
        (verdict, cost): (DoubtVerdict, MicroUsd),
        by: &Principal,
    ) -> Result<(), Refusal> {
        let no = self.known(key)?;
        let step = self.run.step(no);
        let (token, call) = match (&step.wait, &step.attempt) {
            (Some(Wait::Doubt), Some(attempt)) => {
                (attempt.token, attempt.doubt.as_ref().map_or(0, |doubt| doubt.call))
            },
            _ => return Err(wrong_step_state(step, "resolve_doubt")),
        };
        let cost = MicroUsd(cost.0.max(0));
        let is_sent_again = verdict == DoubtVerdict::Resend;
        let deadline = is_sent_again.then(|| self.attempt_deadline(step.def));
        let (step, by_id) = (key.clone(), by.id.clone());
        self.emit(Event::DoubtResolved { step, token, verdict, call, cost, by: by_id, deadline });
        if verdict == DoubtVerdict::Failed {
            let message = format!("{} says that the call in doubt failed", by.id);
            let failure = Failure::new(ErrorClass::Provider, "doubt_failed", message);
            self.attempt_failed(no, token, failure, Vec::new());
        }
        Ok(())
    }

    pub(super) fn join_child(
        &mut self,
        key: &StepKey,
        token: Token,
        outcome: ChildOutcome,
        calls: Vec<Arc<CallRecord>>,
    ) -> Result<(), Refusal> {
        match outcome {
            ChildOutcome::Completed(output) => self.finish_attempt(FinishAttempt {
                step: key.clone(),
                token,
                output,
                calls,
                assets: Vec::new(),
                cached: false,
            }),
            ChildOutcome::Failed(mut failure) => {
                let no = self.known(key)?;
                if self.run.step(no).attempt.as_ref().is_some_and(|attempt| attempt.timed_out) {
                    failure.class = ErrorClass::Timeout;
                }
                self.fail_attempt(key, token, failure, calls)
            },
        }
    }
}
