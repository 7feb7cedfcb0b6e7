//! One call of a model, made at most once: asked about where it may have been made before, and
//! sent again only where that cannot cost twice.

use std::sync::Arc;

use showrunner_engine::at::Millis;
use showrunner_engine::command::Command;
use showrunner_engine::due::CallAgent;
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_engine::turn::{CallRecord, ModelCall};
use showrunner_providers::{
    CallFailure, CallSafety, LookUp, ModelAnswer, ModelProvider, ModelRequest, NoDeltas, Resolved,
};

use super::call_key;
use crate::Runtime;
use crate::dispatch::Work;
use crate::submit::SubmitError;

/// How often a call in doubt is sent again under the same key before a person is asked.
const RESENDS_MAX: u32 = 4;
/// The first pause between two of those; doubled each time.
const RESEND_PAUSE: Millis = Millis(250);

/// What became of a call.
pub(crate) enum Called {
    /// It was answered.
    Answered(CallRecord),
    /// It was not made, or refused, or was paid for in vain: then with what it cost.
    Failed(Failure, Option<CallRecord>),
    /// Nobody can say.
    InDoubt {
        /// Which call.
        no: u16,
        /// What is known.
        message: String,
    },
    /// Whoever stopped this goes on with it.
    TakenOver,
}

/// What became of one sending.
enum Sent {
    Answered(ModelAnswer),
    Failed(CallFailure),
    TakenOver,
}

impl Runtime {
    pub(crate) async fn call_model(
        &self,
        work: &Work,
        call: &CallAgent,
        asked: Arc<ModelCall>,
    ) -> Called {
        let Resolved { provider, profile } = match self.providers().resolve_model(&asked.model) {
            Ok(resolved) => resolved,
            Err(fault) => return Called::Failed(fault.into_failure(), None),
        };
        let request = ModelRequest {
            key: call_key(&work.run, call.token, asked.no),
            run: work.run.clone(),
            step: call.step.clone(),
            variation: call.attempt.saturating_sub(1),
            profile,
            call: asked,
        };
        if let Err(failure) =
            self.afford(work, (call, request.call.no), provider.ceiling(&request)).await
        {
            return Called::Failed(failure, None);
        }
        let began = self.clock().now();
        let called = self.call_once(work, call, &*provider, &request).await;
        let duration_ms = self.clock().now().millis_since(began).0;
        match called {
            Ok(answer) => {
                let name = provider.name().into();
                Called::Answered(answer.into_record(&request, name, duration_ms))
            },
            Err(Called::Failed(failure, paid)) => {
                let paid = paid.map(|record| CallRecord { duration_ms, ..record });
                Called::Failed(failure, paid)
            },
            Err(other) => other,
        }
    }

    async fn call_once(
        &self,
        work: &Work,
        call: &CallAgent,
        provider: &dyn ModelProvider,
        request: &ModelRequest,
    ) -> Result<ModelAnswer, Called> {
        let no = request.call.no;
        // Leave to send it again is no knowledge that it was not sent since: who can be asked is.
        let is_asked_first = provider.safety() == CallSafety::LookUp || !call.may_resend;
        let may_have_left = (work.is_recovered || call.timed_out)
            && usize::from(no) == call.calls.len()
            && is_asked_first;
        if may_have_left {
            match self.find_out(call, provider, request).await? {
                Some(answer) => return Ok(answer),
                None if call.timed_out && provider.safety() != CallSafety::Idempotent => {
                    return Err(Called::Failed(over_time(), None));
                },
                None => {},
            }
        }
        let mut pause = RESEND_PAUSE;
        for _ in 0..RESENDS_MAX {
            if provider.safety() == CallSafety::Neither {
                self.note_dispatch(work, call, no).await?;
            }
            let failure = match self.send(work, call, provider, request).await {
                Sent::Answered(answer) => return Ok(answer),
                Sent::TakenOver => return Err(Called::TakenOver),
                Sent::Failed(failure) if !failure.is_in_doubt() => {
                    return Err(failed(failure, provider, request));
                },
                Sent::Failed(failure) => failure,
            };
            match provider.safety() {
                CallSafety::Neither => {
                    return Err(Called::InDoubt { no, message: failure.to_string() });
                },
                CallSafety::LookUp => match self.look_up(no, provider, &request.key).await? {
                    Some(answer) => return Ok(answer),
                    None => return Err(failed(failure, provider, request)),
                },
                CallSafety::Idempotent => {
                    tracing::debug!(run.id = %work.run, step.key = %call.step, %failure, "asking again under the same key");
                    self.clock().sleep(pause).await;
                    pause = Millis(pause.0 * 2);
                },
            }
        }
        let message = format!("{} did not say what became of it", provider.name());
        Err(Called::InDoubt { no, message })
    }

    /// Asks about a call that may have been made before. `None`: it may be sent.
    async fn find_out(
        &self,
        call: &CallAgent,
        provider: &dyn ModelProvider,
        request: &ModelRequest,
    ) -> Result<Option<ModelAnswer>, Called> {
        let no = request.call.no;
        match provider.safety() {
            CallSafety::LookUp => self.look_up(no, provider, &request.key).await,
            // Only one who cannot be asked is noted down. Whoever serves the model now, another
            // one perhaps since the server was started with other keys, knows nothing of it.
            CallSafety::Idempotent | CallSafety::Neither if call.dispatched == Some(no) => {
                let message = "whoever was asked cannot be asked what became of it".to_owned();
                Err(Called::InDoubt { no, message })
            },
            CallSafety::Idempotent | CallSafety::Neither => Ok(None),
        }
    }

    async fn look_up(
        &self,
        no: u16,
        provider: &dyn ModelProvider,
        key: &str,
    ) -> Result<Option<ModelAnswer>, Called> {
        let mut pause = RESEND_PAUSE;
        for _ in 0..RESENDS_MAX {
            match provider.look_up(key).await {
                Ok(LookUp::Found(answer)) => return Ok(Some(answer)),
                Ok(LookUp::Denied) => return Ok(None),
                Ok(LookUp::CannotSay) => break,
                Err(failure) => {
                    tracing::debug!(%failure, "a look-up failed; trying again");
                    self.clock().sleep(pause).await;
                    pause = Millis(pause.0 * 2);
                },
            }
        }
        let message = format!("{} could not say what became of it", provider.name());
        Err(Called::InDoubt { no, message })
    }

    /// Journals that a call is leaving which nobody can be asked about afterwards.
    async fn note_dispatch(&self, work: &Work, call: &CallAgent, no: u16) -> Result<(), Called> {
        let command =
            Command::DispatchCall { step: call.step.clone(), token: call.token, call: no };
        loop {
            match self.submit(&work.run, command.clone()).await {
                Ok(_) => return Ok(()),
                Err(error) if error.is_transient() && !self.is_stopping() => {
                    self.clock().sleep(RESEND_PAUSE).await;
                },
                Err(_) => return Err(Called::TakenOver),
            }
        }
    }

    async fn send(
        &self,
        work: &Work,
        call: &CallAgent,
        provider: &dyn ModelProvider,
        request: &ModelRequest,
    ) -> Sent {
        let answer = provider.complete(request, &NoDeltas);
        match self.in_time(work, call, answer).await {
            Some(Ok(answer)) => Sent::Answered(answer),
            Some(Err(failure)) => Sent::Failed(failure),
            None => Sent::TakenOver,
        }
    }

    /// Waits for `answer`, but not when the attempt is stopped. When its time is over the engine
    /// is told, which stops it and has somebody find out what became of it.
    pub(crate) async fn in_time<T>(
        &self,
        work: &Work,
        call: &CallAgent,
        answer: impl Future<Output = T>,
    ) -> Option<T> {
        let Some(deadline) = call.deadline else {
            return tokio::select! {
                biased;
                () = work.stop.cancelled() => None,
                answer = answer => Some(answer),
            };
        };
        let over = async {
            self.clock().sleep_until(deadline).await;
            if let Err(error) = self.submit(&work.run, Command::FireTimers).await {
                tracing::debug!(run.id = %work.run, %error, "time is over for an attempt");
            }
            work.stop.cancelled().await;
        };
        tokio::select! {
            biased;
            () = work.stop.cancelled() => None,
            answer = answer => Some(answer),
            () = over => None,
        }
    }

    /// Makes sure that the most a call can cost is reserved.
    pub(crate) async fn afford(
        &self,
        work: &Work,
        (call, no): (&CallAgent, u16),
        ceiling: Result<showrunner_engine::money::Spend, showrunner_providers::Unpriced>,
    ) -> Result<(), Failure> {
        let ceiling = ceiling.map_err(showrunner_providers::Unpriced::into_failure)?;
        // Later calls find their reservation used up by the earlier ones: the engine knows how far.
        let is_first = call.calls.is_empty() && no == 0;
        let covered = is_first
            && ceiling.cost <= call.reserved.cost
            && ceiling.tokens <= call.reserved.tokens;
        if covered || !call.is_budgeted {
            return Ok(());
        }
        let command = Command::RaiseReservation {
            step: call.step.clone(),
            token: call.token,
            spend: ceiling,
        };
        loop {
            match self.submit(&work.run, command.clone()).await {
                Ok(_) => return Ok(()),
                Err(SubmitError::Refused(refusal)) => {
                    return Err(Failure::new(
                        ErrorClass::Budget,
                        refusal.code(),
                        refusal.to_string(),
                    ));
                },
                Err(error) if error.is_transient() && !self.is_stopping() => {
                    self.clock().sleep(RESEND_PAUSE).await;
                },
                Err(error) => {
                    return Err(Failure::new(
                        ErrorClass::Internal,
                        "not_reserved",
                        error.to_string(),
                    ));
                },
            }
        }
    }
}

/// A call that gave no answer, with what was paid for it all the same.
fn failed(failure: CallFailure, provider: &dyn ModelProvider, request: &ModelRequest) -> Called {
    let mut failure = failure;
    let paid = failure.billed.take();
    let paid = paid.map(|answer| answer.into_record(request, provider.name().into(), 0));
    Called::Failed(failure.into_failure(), paid)
}

/// The attempt's time is over and the call was never made.
pub(crate) fn over_time() -> Failure {
    Failure::new(ErrorClass::Timeout, "attempt_timeout", "the attempt took longer than its limit")
}
