//! One paid call, made at most once: asked about where it may have been made before, and sent
//! again only where that cannot cost twice.

use std::sync::Arc;

use async_trait::async_trait;
use showrunner_engine::at::Millis;
use showrunner_engine::command::Command;
use showrunner_engine::due::CallAgent;
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_engine::money::Spend;
use showrunner_engine::refusal::Refusal;
use showrunner_engine::turn::CallRecord;
use showrunner_providers::{CallFailure, CallSafety, LookUp, Unpriced};

use crate::Runtime;
use crate::dispatch::Work;
use crate::lease::SentCall;
use crate::submit::SubmitError;

/// How often a call in doubt is sent again under the same key before a person is asked.
const RESENDS_MAX: u32 = 4;
/// The first pause between two of those; doubled each time.
const RESEND_PAUSE: Millis = Millis(250);

/// The longest pause before it is looked again whether others have left money.
const MONEY_PAUSE_LONGEST: Millis = Millis(2_000);

/// Something that is paid for: a model's answer, or an order of media.
#[async_trait]
pub(crate) trait Paid: Sync {
    /// What is got for it.
    type Answer: Send;

    /// Who is paid.
    fn provider(&self) -> &str;

    /// What can be done when the answer is lost.
    fn safety(&self) -> CallSafety;

    /// Whether nobody is paid: then nothing has to be found out.
    fn is_free(&self) -> bool;

    /// Whether it may be a job that goes on after the call.
    fn is_job(&self) -> bool {
        false
    }

    /// The most that it can cost.
    fn ceiling(&self) -> Result<Spend, Unpriced> {
        Ok(Spend::ZERO)
    }

    /// What was billed for a call that came to nothing, where that is known.
    fn bill(&self, _failure: &mut CallFailure) -> Option<CallRecord> {
        None
    }

    /// The call, for whoever has to find out what became of it.
    fn as_sent(&self) -> SentCall;

    /// Makes the call.
    async fn send(&self) -> Result<Self::Answer, CallFailure>;

    /// What became of it.
    async fn look_up(&self) -> Result<LookUp<Self::Answer>, CallFailure>;
}

/// Why there is no answer.
pub(crate) enum Unpaid {
    /// It was not made, or refused, or was paid for in vain: then with what it cost.
    Failed(Failure, Option<Arc<CallRecord>>),
    /// Nobody can say.
    InDoubt {
        /// Which call of the attempt.
        no: u16,
        /// What is known.
        message: String,
    },
    /// Whoever stopped this goes on with it.
    TakenOver,
}

/// Whose call it is.
#[derive(Clone, Copy)]
pub(crate) struct Payer<'a> {
    pub work: &'a Work,
    pub call: &'a CallAgent,
    /// Which call of the attempt, from 0.
    pub no: u16,
}

impl Payer<'_> {
    fn in_doubt(&self, message: String) -> Unpaid {
        Unpaid::InDoubt { no: self.no, message }
    }
}

impl Runtime {
    pub(crate) async fn pay_once<P: Paid>(
        &self,
        payer: Payer<'_>,
        paid: &P,
    ) -> Result<P::Answer, Unpaid> {
        if let Some(answer) = self.paid_before(payer, paid).await? {
            return Ok(answer);
        }
        let mut pause = RESEND_PAUSE;
        for _ in 0..RESENDS_MAX {
            if paid.safety() == CallSafety::Neither {
                self.note_dispatch(payer).await?;
            }
            payer.work.lease.note_sent(paid.as_sent());
            let sent = self.in_time(payer, paid.send()).await.ok_or(Unpaid::TakenOver)?;
            let failure = match sent {
                Ok(answer) => return Ok(answer),
                Err(failure) if !failure.is_in_doubt() => {
                    return Err(in_vain(paid, failure));
                },
                Err(failure) => failure,
            };
            match paid.safety() {
                CallSafety::Neither => return Err(payer.in_doubt(failure.to_string())),
                CallSafety::LookUp => {
                    let found = self.look_up(payer, paid).await?;
                    return found.ok_or_else(|| in_vain(paid, failure));
                },
                CallSafety::Idempotent => {
                    let run = &payer.work.run;
                    tracing::debug!(run.id = %run, step.key = %payer.call.step, %failure, "asking again under the same key");
                    self.pause(payer, pause).await?;
                    pause = Millis(pause.0 * 2);
                },
            }
        }
        Err(payer.in_doubt(format!("{} did not say what became of it", paid.provider())))
    }

    /// The answer to a call that may have been made before. `None`: it may be sent.
    async fn paid_before<P: Paid>(
        &self,
        payer: Payer<'_>,
        paid: &P,
    ) -> Result<Option<P::Answer>, Unpaid> {
        let Payer { work, call, no } = payer;
        // Leave to send it again is no knowledge that it was not sent since: who can be asked is.
        let is_asked_first = paid.safety() == CallSafety::LookUp || !call.may_resend;
        let may_have_left = (work.is_recovered || call.timed_out)
            && usize::from(no) == call.calls.len()
            && is_asked_first;
        if !may_have_left {
            return Ok(None);
        }
        let found = match paid.safety() {
            _ if paid.is_free() => None,
            CallSafety::LookUp => self.look_up(payer, paid).await?,
            // Only one who cannot be asked is noted down. Whoever would be paid now, another one
            // perhaps since the server was started with other keys, knows nothing of it.
            CallSafety::Idempotent | CallSafety::Neither if call.dispatched == Some(no) => {
                let message = "whoever was asked cannot be asked what became of it".to_owned();
                return Err(payer.in_doubt(message));
            },
            CallSafety::Idempotent | CallSafety::Neither => None,
        };
        // What may be sent again under its key is, even late: the answer says what became of it.
        let tells_when_sent = paid.safety() == CallSafety::Idempotent && !paid.is_free();
        if found.is_none() && call.timed_out && !tells_when_sent {
            return Err(Unpaid::Failed(over_time(), None));
        }
        Ok(found)
    }

    async fn look_up<P: Paid>(
        &self,
        payer: Payer<'_>,
        paid: &P,
    ) -> Result<Option<P::Answer>, Unpaid> {
        let mut pause = RESEND_PAUSE;
        for _ in 0..RESENDS_MAX {
            match self.in_time(payer, paid.look_up()).await.ok_or(Unpaid::TakenOver)? {
                Ok(LookUp::Found(answer)) => return Ok(Some(answer)),
                Ok(LookUp::Denied) => return Ok(None),
                Ok(LookUp::CannotSay) => break,
                Err(failure) => {
                    tracing::debug!(%failure, "a look-up failed; trying again");
                    self.pause(payer, pause).await?;
                    pause = Millis(pause.0 * 2);
                },
            }
        }
        Err(payer.in_doubt(format!("{} could not say what became of it", paid.provider())))
    }

    /// Journals that a call is leaving which nobody can be asked about afterwards.
    async fn note_dispatch(&self, payer: Payer<'_>) -> Result<(), Unpaid> {
        let Payer { work, call, no } = payer;
        let command =
            Command::DispatchCall { step: call.step.clone(), token: call.token, call: no };
        loop {
            match self.submit(&work.run, command.clone()).await {
                Ok(_) => return Ok(()),
                Err(error) if error.is_transient() && !self.is_stopping() => {
                    self.pause(payer, RESEND_PAUSE).await?;
                },
                Err(_) => return Err(Unpaid::TakenOver),
            }
        }
    }

    async fn pause(&self, payer: Payer<'_>, span: Millis) -> Result<(), Unpaid> {
        self.in_time(payer, self.clock().sleep(span)).await.ok_or(Unpaid::TakenOver)
    }

    /// Waits for `answer`, but not when the attempt is stopped. When its time is over the engine
    /// is told, which has somebody else find out what became of it, or asks a person.
    pub(crate) async fn in_time<T>(
        &self,
        Payer { work, call, .. }: Payer<'_>,
        answer: impl Future<Output = T>,
    ) -> Option<T> {
        let over = async {
            let Some(deadline) = call.deadline else { return std::future::pending().await };
            self.clock().sleep_until(deadline).await;
            if let Err(error) = self.submit(&work.run, Command::FireTimers).await {
                tracing::debug!(run.id = %work.run, %error, "time is over for an attempt");
            }
            if !call.timed_out {
                work.stop().cancelled().await;
            }
        };
        tokio::select! {
            biased;
            () = work.stop().cancelled() => None,
            answer = answer => Some(answer),
            () = over => None,
        }
    }

    /// Makes sure that the most a call can cost is reserved.
    pub(super) async fn afford(
        &self,
        payer: Payer<'_>,
        ceiling: Result<Spend, Unpriced>,
    ) -> Result<(), Unpaid> {
        let Payer { work, call, no } = payer;
        let ceiling = ceiling.map_err(|unpriced| Unpaid::Failed(unpriced.into_failure(), None))?;
        // Later calls find their reservation used up by the earlier ones: the engine knows how far.
        let is_first = call.calls.is_empty() && no == 0;
        let covered = is_first
            && ceiling.cost <= call.reserved.cost
            && ceiling.tokens <= call.reserved.tokens;
        if covered || !call.is_budgeted {
            return Ok(());
        }
        let (step, token) = (call.step.clone(), call.token);
        let command = Command::RaiseReservation { step, token, spend: ceiling };
        let failed = |class, code: &str, message: String| {
            Err(Unpaid::Failed(Failure::new(class, code, message), None))
        };
        let mut pause = RESEND_PAUSE;
        loop {
            match self.submit(&work.run, command.clone()).await {
                Ok(_) => return Ok(()),
                // Others hold the money back: when they have cost less, it is there.
                Err(SubmitError::Refused(Refusal::OverBudget { may_fit_later: true, .. })) => {
                    self.pause(payer, pause).await?;
                    pause = Millis(pause.0 * 2).min(MONEY_PAUSE_LONGEST);
                },
                Err(SubmitError::Refused(refusal)) => {
                    return failed(ErrorClass::Budget, refusal.code(), refusal.to_string());
                },
                Err(error) if error.is_transient() && !self.is_stopping() => {
                    self.pause(payer, RESEND_PAUSE).await?;
                },
                Err(error) => {
                    return failed(ErrorClass::Internal, "not_reserved", error.to_string());
                },
            }
        }
    }
}

/// A call that gave no answer, with what was paid for it all the same.
fn in_vain<P: Paid>(paid: &P, mut failure: CallFailure) -> Unpaid {
    let billed = paid.bill(&mut failure).map(Arc::new);
    Unpaid::Failed(failure.into_failure(), billed)
}

/// The attempt's time is over and the call was never made.
pub(crate) fn over_time() -> Failure {
    Failure::new(ErrorClass::Timeout, "attempt_timeout", "the attempt took longer than its limit")
}
