//! An attempt is called back: whoever was asked is told to stop, and the bill is settled.

use std::sync::Arc;

use serde_json::{Value, json};
use showrunner_engine::at::Millis;
use showrunner_engine::command::{Command, FinishAttempt};
use showrunner_engine::event::Job;
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_engine::id::{Digest, StepKey, Token};
use showrunner_engine::money::MicroUsd;
use showrunner_engine::turn::{Answer, CallKind, CallRecord, Usage};
use showrunner_providers::{
    CallFailure, CallSafety, LookUp, MediaJob, MediaProvider, MediaStatus, Mode, ModelProvider,
    NoDeltas, Outcome, Submitted,
};

use super::call_agent::fail;
use super::call_key;
use super::call_media::{Place, Unkept};
use super::choice::Payee;
use super::function_host::FETCH_IN_DOUBT;
use super::pay::over_time;
use crate::Runtime;
use crate::dispatch::Work;
use crate::lease::SentCall;

/// How often a provider is asked what became of something before the bill is called unknown.
const ASKS_MAX: u32 = 6;
/// The first pause between two of those; doubled each time.
const ASK_PAUSE: Millis = Millis(250);

/// An attempt whose outcome must be found out.
pub(crate) struct Lost {
    /// Who worked on it.
    pub agent: String,
    /// With what.
    pub input: Value,
    /// With which settings.
    pub settings: Value,
    /// Who was to be paid, where that was decided.
    pub provider: Option<String>,
    /// The job a provider accepted.
    pub job: Option<Job>,
    /// How many calls are recorded.
    pub calls: usize,
    /// The last call that is known to have left.
    pub dispatched: Option<u16>,
    /// Its time is over, rather than somebody having called it back.
    pub timed_out: bool,
}

/// The attempt that is settled.
struct Settling<'a> {
    work: &'a Work,
    step: &'a StepKey,
    token: Token,
    lost: &'a Lost,
}

/// How a vendor's job ended.
enum Stopped {
    /// It was faster than we.
    Done(MediaJob),
    /// At this price.
    Cancelled(MicroUsd),
}

impl Settling<'_> {
    /// Which call it is about.
    fn no(&self) -> u16 {
        u16::try_from(self.lost.calls).unwrap_or(u16::MAX)
    }

    fn key(&self) -> String {
        call_key(&self.work.run, self.token, self.no())
    }

    /// Whether the call certainly stayed here: nobody was at work, nothing has left since this
    /// process began, or it was never noted as gone.
    fn never_left(&self, safety: CallSafety) -> bool {
        let (lease, is_noted) = (&self.work.lease, self.lost.dispatched == Some(self.no()));
        lease.is_untouched() || lease.is_unsent() || (safety == CallSafety::Neither && !is_noted)
    }

    fn ended(&self, calls: Vec<Arc<CallRecord>>) -> Command {
        let failure = if self.lost.timed_out {
            over_time()
        } else {
            Failure::new(ErrorClass::Cancelled, "called_back", "the attempt was called back")
        };
        fail(self.step, self.token, failure, calls)
    }

    fn in_doubt(&self, message: String) -> Command {
        Command::DoubtAttempt {
            step: self.step.clone(),
            token: self.token,
            call: self.no(),
            message,
        }
    }
}

impl Runtime {
    pub(crate) async fn abort_attempt(
        &self,
        work: &Work,
        (step, token): (StepKey, Token),
        lost: Lost,
    ) {
        let settling = Settling { work, step: &step, token, lost: &lost };
        let report = match &lost.job {
            Some(job) => self.stop_job(&settling, job).await,
            None => match self.payee(
                &lost.agent,
                (&lost.input, &lost.settings),
                lost.provider.as_deref(),
            ) {
                Some(Payee::Model(provider)) => self.settle_answer(&settling, &*provider).await,
                Some(Payee::Media(provider)) => self.settle_order(&settling, &*provider).await,
                // A request of its own that had left may have done something.
                Some(Payee::Function) if !settling.never_left(CallSafety::Neither) => {
                    settling.in_doubt(FETCH_IN_DOUBT.to_owned())
                },
                Some(Payee::Function) | None => settling.ended(Vec::new()),
            },
        };
        self.deliver(work, Some(token), report).await;
    }

    /// Stops a vendor's job. One that was faster than we is taken as it is.
    async fn stop_job(&self, settling: &Settling<'_>, job: &Job) -> Command {
        let Some(provider) = self.providers().media_provider(&job.provider).cloned() else {
            let message =
                format!("{} is not configured any more; nobody could be told", job.provider);
            return settling.in_doubt(message);
        };
        match self.insist(|| try_stop(&*provider, &job.id)).await {
            Ok(Stopped::Done(done)) => self.adopt(settling, &*provider, &job.id, done).await,
            Ok(Stopped::Cancelled(cost)) => {
                let call = cancelled_job(settling, &*provider, job, cost);
                settling.ended(vec![Arc::new(call)])
            },
            Err(failure) => settling.in_doubt(format!(
                "{} could not be told to stop job {}: {failure}",
                job.provider, job.id
            )),
        }
    }

    /// An order whose answer did not come back: it may be done, or be under way.
    async fn settle_order(&self, settling: &Settling<'_>, provider: &dyn MediaProvider) -> Command {
        if provider.mode() == Mode::Local || settling.never_left(provider.safety()) {
            return settling.ended(Vec::new());
        }
        let key = settling.key();
        let found = match settling.work.lease.sent_before() {
            Some(SentCall::Media(provider, request)) if is_repeatable(provider.safety()) => {
                self.insist(|| repeated(provider.submit(&request))).await
            },
            _ => self.insist(|| provider.look_up(&key)).await,
        };
        match found {
            Ok(LookUp::Denied) => settling.ended(Vec::new()),
            Ok(LookUp::Found(Submitted::Done(done))) => {
                self.adopt(settling, provider, &key, done).await
            },
            Ok(LookUp::Found(Submitted::Accepted { job_id })) => {
                let job = Job { provider: provider.name().to_owned(), id: job_id };
                self.stop_job(settling, &job).await
            },
            Ok(LookUp::CannotSay) | Err(_) => settling
                .in_doubt(format!("{} could not say whether it took the order", provider.name())),
        }
    }

    /// A call that may have been made is asked about, so that its price is on the bill.
    async fn settle_answer(
        &self,
        settling: &Settling<'_>,
        provider: &dyn ModelProvider,
    ) -> Command {
        if settling.never_left(provider.safety()) {
            return settling.ended(Vec::new());
        }
        let (no, key) = (settling.no(), settling.key());
        let found = match settling.work.lease.sent_before() {
            Some(SentCall::Model(provider, request)) if is_repeatable(provider.safety()) => {
                self.insist(|| repeated(provider.complete(&request, &NoDeltas))).await
            },
            _ => self.insist(|| provider.look_up(&key)).await,
        };
        match found {
            Ok(LookUp::Denied) => settling.ended(Vec::new()),
            Ok(LookUp::Found(answer)) => settling.ended(vec![Arc::new(CallRecord {
                no,
                kind: CallKind::Model,
                request_digest: Digest::of(key.as_bytes()),
                provider: provider.name().into(),
                model: Some(answer.model),
                answer: answer.answer,
                usage: answer.usage,
                cost: answer.cost,
                duration_ms: 0,
                simulated: answer.simulated,
                billed_key: key,
                estimated: answer.estimated,
            })]),
            Ok(LookUp::CannotSay) | Err(_) => settling
                .in_doubt(format!("{} could not say whether call {no} was made", provider.name())),
        }
    }

    /// What was made after all is paid for, so it is kept.
    async fn adopt(
        &self,
        settling: &Settling<'_>,
        provider: &dyn MediaProvider,
        id: &str,
        done: MediaJob,
    ) -> Command {
        let Settling { work, step, token, .. } = *settling;
        let place = Place { run: &work.run, step, token, stop: work.stop() };
        match self.keep(&place, provider, (Digest::of(id.as_bytes()), 0), done).await {
            Ok(made) => Command::FinishAttempt(Box::new(FinishAttempt {
                step: step.clone(),
                token,
                output: Arc::new(made.output),
                calls: vec![made.call],
                assets: vec![made.asset],
                cached: false,
            })),
            Err(Unkept::Failed(failure, paid)) => fail(step, token, failure, vec![paid]),
            Err(Unkept::Stopping) => {
                settling.in_doubt("the server stopped before it could keep the file".to_owned())
            },
        }
    }

    /// Asks again where asking failed.
    async fn insist<T, F: Future<Output = Result<T, CallFailure>>>(
        &self,
        mut ask: impl FnMut() -> F,
    ) -> Result<T, CallFailure> {
        let mut pause = ASK_PAUSE;
        for _ in 1..ASKS_MAX {
            match ask().await {
                Err(failure) if !self.is_stopping() => {
                    tracing::debug!(%failure, "asking what became of an attempt failed; trying again");
                    self.clock().sleep(pause).await;
                    pause = Millis(pause.0 * 2);
                },
                told => return told,
            }
        }
        ask().await
    }
}

/// Whether sending it again under its key tells what became of it, at no further price.
fn is_repeatable(safety: CallSafety) -> bool {
    safety == CallSafety::Idempotent
}

/// What a call said when it was sent again. One that is refused now was refused before, or had
/// been done and would have been answered.
async fn repeated<T>(
    call: impl Future<Output = Result<T, CallFailure>>,
) -> Result<LookUp<T>, CallFailure> {
    match call.await {
        Ok(answer) => Ok(LookUp::Found(answer)),
        Err(failure)
            if failure.outcome == Outcome::Refused
                && matches!(failure.class, ErrorClass::Validation | ErrorClass::Provider) =>
        {
            Ok(LookUp::Denied)
        },
        Err(failure) => Err(failure),
    }
}

async fn try_stop(provider: &dyn MediaProvider, job: &str) -> Result<Stopped, CallFailure> {
    match provider.poll(job).await {
        Ok(MediaStatus::Done(done)) => return Ok(Stopped::Done(done)),
        Ok(MediaStatus::Working { .. } | MediaStatus::Failed(_)) => {},
        // It does not know the job, or has no way to say: telling it to stop says more.
        Err(failure) if failure.outcome == Outcome::Refused => {},
        Err(failure) => return Err(failure),
    }
    provider.cancel(job).await.map(Stopped::Cancelled)
}

fn cancelled_job(
    settling: &Settling<'_>,
    provider: &dyn MediaProvider,
    job: &Job,
    cost: MicroUsd,
) -> CallRecord {
    CallRecord {
        no: 0,
        kind: CallKind::Media,
        request_digest: Digest::of(job.id.as_bytes()),
        provider: job.provider.as_str().into(),
        model: None,
        answer: Answer::Output(json!({ "cancelled": true })),
        usage: Usage::default(),
        cost,
        duration_ms: 0,
        simulated: provider.mode() == Mode::Scripted,
        billed_key: call_key(&settling.work.run, settling.token, 0),
        estimated: false,
    }
}
