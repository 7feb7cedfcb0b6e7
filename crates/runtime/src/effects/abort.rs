//! An attempt is called back: whoever was asked is told to stop, and the bill is settled.

use std::sync::Arc;

use serde_json::{Value, json};
use showrunner_engine::command::{Command, FinishAttempt};
use showrunner_engine::event::Job;
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_engine::id::{Digest, StepKey, Token};
use showrunner_engine::money::MicroUsd;
use showrunner_engine::turn::{Answer, CallKind, CallRecord, Usage};
use showrunner_providers::{CallSafety, LookUp, MediaStatus};

use super::call_agent::fail;
use super::call_key;
use super::call_media::Place;
use crate::Runtime;
use crate::dispatch::Work;

/// An attempt whose outcome must be found out.
pub(crate) struct Lost {
    /// Who worked on it.
    pub agent: String,
    /// With which settings.
    pub settings: Value,
    /// The job a provider accepted.
    pub job: Option<Job>,
    /// How many calls are recorded.
    pub calls: usize,
    /// The last call that is known to have left.
    pub dispatched: Option<u16>,
    /// Its time is over, rather than somebody having called it back.
    pub timed_out: bool,
}

impl Runtime {
    pub(crate) async fn abort_attempt(
        &self,
        work: &Work,
        (step, token): (StepKey, Token),
        lost: Lost,
    ) {
        let report = match &lost.job {
            Some(job) => self.stop_job(work, (&step, token), job, lost.timed_out).await,
            None => self.settle_call(work, (&step, token), &lost).await,
        };
        self.deliver(work, Some(token), report).await;
    }

    /// Stops a vendor's job. One that was faster than we is taken as it is.
    async fn stop_job(
        &self,
        work: &Work,
        (step, token): (&StepKey, Token),
        job: &Job,
        timed_out: bool,
    ) -> Command {
        let ended = ended(timed_out);
        let Some(provider) = self.providers().media_provider(&job.provider).cloned() else {
            return fail(step, token, ended, Vec::new());
        };
        if let Ok(MediaStatus::Done(done)) = provider.poll(&job.id).await {
            let place = Place { run: &work.run, step, token };
            let facts = (Digest::of(job.id.as_bytes()), 0);
            return match self.keep(&place, &*provider, facts, done).await {
                Ok(made) => Command::FinishAttempt(Box::new(FinishAttempt {
                    step: step.clone(),
                    token,
                    output: Arc::new(made.output),
                    calls: vec![made.call],
                    assets: vec![made.asset],
                    cached: false,
                })),
                Err(failure) => fail(step, token, failure, Vec::new()),
            };
        }
        let cost = match provider.cancel(&job.id).await {
            Ok(cost) => cost,
            Err(failure) => {
                tracing::warn!(run.id = %work.run, %failure, "a vendor's job could not be cancelled");
                MicroUsd::ZERO
            },
        };
        let call = CallRecord {
            no: 0,
            kind: CallKind::Media,
            request_digest: Digest::of(job.id.as_bytes()),
            provider: job.provider.as_str().into(),
            model: None,
            answer: Answer::Output(json!({ "cancelled": true })),
            usage: Usage::default(),
            cost,
            duration_ms: 0,
            simulated: provider.mode() == showrunner_providers::Mode::Scripted,
            billed_key: call_key(&work.run, token, 0),
            estimated: false,
        };
        fail(step, token, ended, vec![Arc::new(call)])
    }

    /// A call that may have been made is asked about, so that its price is on the bill.
    async fn settle_call(
        &self,
        work: &Work,
        (step, token): (&StepKey, Token),
        lost: &Lost,
    ) -> Command {
        let no = u16::try_from(lost.calls).unwrap_or(u16::MAX);
        let key = call_key(&work.run, token, no);
        let model = lost.settings.get("model").and_then(Value::as_str).map(str::to_owned);
        let model = model.or_else(|| Some(self.agents().get(&lost.agent)?.model.to_string()));
        let resolved = model.and_then(|model| self.providers().resolve_model(&model).ok());
        let report = |calls| fail(step, token, ended(lost.timed_out), calls);
        let Some(resolved) = resolved else { return report(Vec::new()) };
        let provider = &resolved.provider;
        if provider.safety() == CallSafety::Neither && lost.dispatched != Some(no) {
            return report(Vec::new()); // it never left
        }
        match provider.look_up(&key).await {
            Ok(LookUp::Denied) => report(Vec::new()),
            Ok(LookUp::Found(answer)) => report(vec![Arc::new(CallRecord {
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
            Ok(LookUp::CannotSay) | Err(_) => {
                let message =
                    format!("{} could not say whether call {no} was made", provider.name());
                Command::DoubtAttempt { step: step.clone(), token, call: no, message }
            },
        }
    }
}

fn ended(timed_out: bool) -> Failure {
    if timed_out {
        super::call_model::over_time()
    } else {
        Failure::new(ErrorClass::Cancelled, "called_back", "the attempt was called back")
    }
}
