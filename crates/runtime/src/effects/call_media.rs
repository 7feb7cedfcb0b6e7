//! A media agent works: a job is handed to a provider, and what it makes becomes an asset.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use showrunner_engine::agent::AgentRecord;
use showrunner_engine::command::Command;
use showrunner_engine::due::CallAgent;
use showrunner_engine::event::{Asset, Job};
use showrunner_engine::failure::Failure;
use showrunner_engine::id::{AssetId, Digest, RunId, StepKey, Token};
use showrunner_engine::money::Spend;
use showrunner_engine::turn::{Answer, CallKind, CallRecord, Usage};
use showrunner_providers::{
    CallFailure, CallSafety, LookUp, MediaJob, MediaProvider, MediaRequest, MediaResult, Mode,
    Submitted, Unpriced,
};
use tokio_util::sync::CancellationToken;

use super::call_agent::{Ended, failed, finished};
use super::call_key;
use super::pay::{Paid, Payer};
use crate::Runtime;
use crate::dispatch::{STORE_RETRY, Work};
use crate::lease::SentCall;

/// Whom a media result is for.
pub(crate) struct Place<'a> {
    pub run: &'a RunId,
    pub step: &'a StepKey,
    pub token: Token,
    /// Cancelled when nobody wants it any more.
    pub stop: &'a CancellationToken,
}

/// Why a finished job has no file here.
pub(crate) enum Unkept {
    /// It is of no use; it was paid for all the same.
    Failed(Failure, Arc<CallRecord>),
    /// The server is on its way out: the next start asks for it again.
    Stopping,
}

/// A finished job with its file stored.
pub(crate) struct Made {
    pub output: Value,
    pub call: Arc<CallRecord>,
    pub asset: Asset,
}

/// An order with whoever is to carry it out.
struct Order {
    provider: Arc<dyn MediaProvider>,
    request: Arc<MediaRequest>,
}

#[async_trait]
impl Paid for Order {
    type Answer = Submitted;

    fn provider(&self) -> &str {
        self.provider.name()
    }
    fn safety(&self) -> CallSafety {
        self.provider.safety()
    }
    fn is_free(&self) -> bool {
        self.provider.mode() == Mode::Local
    }
    fn is_job(&self) -> bool {
        true
    }
    fn ceiling(&self) -> Result<Spend, Unpriced> {
        self.provider.ceiling(&self.request)
    }
    fn as_sent(&self) -> SentCall {
        SentCall::Media(Arc::clone(&self.provider), Arc::clone(&self.request))
    }
    async fn send(&self) -> Result<Submitted, CallFailure> {
        self.provider.submit(&self.request).await
    }
    async fn look_up(&self) -> Result<LookUp<Submitted>, CallFailure> {
        self.provider.look_up(&self.request.key).await
    }
}

impl Runtime {
    pub(crate) async fn media_attempt(
        &self,
        work: &Work,
        call: &CallAgent,
        agent: &AgentRecord,
        (input, settings): (&Value, &Value),
    ) -> Ended {
        let report = |failure: Failure| Ended::Report(failed(call, failure, Vec::new()));
        let (kind, providers) = match self.media_choice(agent, input, settings) {
            Ok(choice) => choice,
            Err(failure) => return report(failure),
        };
        let request = Arc::new(MediaRequest {
            key: call_key(&work.run, call.token, 0),
            run: work.run.clone(),
            step: call.step.clone(),
            agent: call.agent.clone(),
            kind,
            spec: spec(input, call),
        });
        let began = self.clock().now();
        let orders: Vec<Order> = providers
            .into_iter()
            .map(|provider| Order { provider, request: Arc::clone(&request) })
            .collect();
        let payer = Payer { work, call, no: 0 };
        let (order, submitted) = match self.pay_first(payer, &orders).await {
            Ok(paid) => paid,
            Err(unpaid) => return Ended::without_answer(call, unpaid),
        };
        match submitted {
            Submitted::Done(job) => {
                let (step, token) = (&call.step, call.token);
                let place = Place { run: &work.run, step, token, stop: work.stop() };
                let duration_ms = self.clock().now().millis_since(began).0;
                let facts = (request.digest(), duration_ms);
                match self.keep(&place, &*order.provider, facts, job).await {
                    Ok(made) => Ended::Report(finished(
                        call,
                        made.output,
                        vec![made.call],
                        vec![made.asset],
                        false,
                    )),
                    Err(Unkept::Failed(failure, paid)) => {
                        Ended::Report(failed(call, failure, vec![paid]))
                    },
                    Err(Unkept::Stopping) => Ended::TakenOver,
                }
            },
            Submitted::Accepted { job_id } => {
                let job = Job { provider: order.provider.name().to_owned(), id: job_id };
                let (step, token) = (call.step.clone(), call.token);
                Ended::Report(Command::AcceptJob { step, token, job })
            },
        }
    }

    /// Stores what a job made, and says so as an agent's output.
    pub(crate) async fn keep(
        &self,
        place: &Place<'_>,
        provider: &dyn MediaProvider,
        (request_digest, duration_ms): (Digest, u64),
        job: MediaJob,
    ) -> Result<Made, Unkept> {
        let mut call = CallRecord {
            no: 0,
            kind: CallKind::Media,
            request_digest,
            provider: provider.name().into(),
            model: None,
            answer: Answer::Output(Value::Null),
            usage: Usage::default(),
            cost: job.cost,
            duration_ms,
            simulated: job.simulated,
            billed_key: call_key(place.run, place.token, 0),
            estimated: false,
        };
        let drawn = matches!(job.result, MediaResult::Render(_));
        let file = match self.file_of(place, job.result).await {
            Ok(file) => file,
            Err(failure) => return Err(Unkept::Failed(failure, Arc::new(call))),
        };
        let bytes = file.bytes.len() as u64;
        let sha256 = self.store(file.bytes).await?;
        call.answer = Answer::Output(json!({ "sha256": sha256 }));
        let extension = file.mime.rsplit('/').next().unwrap_or("bin");
        let asset = Asset {
            id: AssetId::of(place.run, place.token, 0),
            kind: file.mime.split('/').next().unwrap_or("document").to_owned(),
            name: format!("{}.{extension}", place.step),
            mime: file.mime,
            bytes,
            sha256,
            width: file.width,
            height: file.height,
            duration_ms: file.duration_ms,
            alt: file.alt,
            // What a scripted vendor "made" was drawn here: the file is real, its maker is not.
            simulated: job.simulated,
        };
        let output = json!({
            "asset": asset,
            "provider": provider.name(),
            "rendered": if drawn { "local" } else { "vendor" },
            "simulated": job.simulated || provider.mode() == Mode::Scripted,
        });
        Ok(Made { output, call: Arc::new(call), asset })
    }

    /// Stores what was paid for. While there is no room it is held on to: making it again would
    /// be paying again.
    pub(crate) async fn store(&self, bytes: Vec<u8>) -> Result<Digest, Unkept> {
        let bytes = Arc::new(bytes);
        loop {
            let (objects, file) = (Arc::clone(self.objects()), Arc::clone(&bytes));
            let stored = tokio::task::spawn_blocking(move || objects.put(&file)).await;
            let fault = match stored {
                Ok(Ok(digest)) => return Ok(digest),
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            if self.is_stopping() {
                return Err(Unkept::Stopping);
            }
            tracing::warn!(fault, "a file could not be stored; trying again");
            self.clock().sleep(STORE_RETRY).await;
        }
    }
}

/// The order as the provider gets it: the agent's input, and what was said about a former result.
fn spec(input: &Value, call: &CallAgent) -> Value {
    let mut spec = input.clone();
    if let Value::Object(fields) = &mut spec {
        if let Some(feedback) = &call.feedback {
            fields.insert("feedback".into(), (**feedback).clone());
        }
        fields.insert("variation".into(), json!(call.attempt.saturating_sub(1)));
    }
    spec
}
