//! A media agent works: a job is handed to a provider, and what it makes becomes an asset.

use std::sync::Arc;

use serde_json::{Value, json};
use showrunner_engine::agent::AgentRecord;
use showrunner_engine::command::Command;
use showrunner_engine::due::CallAgent;
use showrunner_engine::event::{Asset, Job};
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_engine::id::{AssetId, Digest, RunId, StepKey, Token};
use showrunner_engine::turn::{Answer, CallKind, CallRecord, Usage};
use showrunner_providers::{
    CallSafety, LookUp, MediaJob, MediaKind, MediaProvider, MediaRequest, MediaResult, Mode,
    Submitted,
};

use super::call_agent::{Ended, failed, finished};
use super::call_key;
use super::call_model::over_time;
use crate::Runtime;
use crate::dispatch::{STORE_RETRY, Work};

/// Whom a media result is for.
pub(crate) struct Place<'a> {
    pub run: &'a RunId,
    pub step: &'a StepKey,
    pub token: Token,
}

/// A finished job with its file stored.
pub(crate) struct Made {
    pub output: Value,
    pub call: Arc<CallRecord>,
    pub asset: Asset,
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
        let (kind, provider) = match self.media_choice(agent, input, settings) {
            Ok(choice) => choice,
            Err(failure) => return report(failure),
        };
        let request = MediaRequest {
            key: call_key(&work.run, call.token, 0),
            run: work.run.clone(),
            step: call.step.clone(),
            agent: call.agent.clone(),
            kind,
            spec: spec(input, call),
        };
        if let Err(failure) = self.afford(work, (call, 0), provider.ceiling(&request)).await {
            return report(failure);
        }
        let began = self.clock().now();
        match self.submit_media(work, call, &*provider, &request).await {
            Ok(Submitted::Done(job)) => {
                let place = Place { run: &work.run, step: &call.step, token: call.token };
                let duration_ms = self.clock().now().millis_since(began).0;
                match self.keep(&place, &*provider, (request.digest(), duration_ms), job).await {
                    Ok(made) => Ended::Report(finished(
                        call,
                        made.output,
                        vec![made.call],
                        vec![made.asset],
                        false,
                    )),
                    Err(failure) => report(failure),
                }
            },
            Ok(Submitted::Accepted { job_id }) => {
                let job = Job { provider: provider.name().to_owned(), id: job_id };
                let (step, token) = (call.step.clone(), call.token);
                Ended::Report(Command::AcceptJob { step, token, job })
            },
            Err(ended) => ended,
        }
    }

    /// What is to be made, and by whom.
    fn media_choice(
        &self,
        agent: &AgentRecord,
        input: &Value,
        settings: &Value,
    ) -> Result<(MediaKind, Arc<dyn MediaProvider>), Failure> {
        let invalid =
            |code: &str, message: String| Failure::new(ErrorClass::Validation, code, message);
        let field = |name: &str| {
            settings.get(name).or_else(|| input.get(name)).filter(|value| !value.is_null())
        };
        let kind = field("kind").cloned().unwrap_or_else(|| "image".into());
        let kind: MediaKind = serde_json::from_value(kind.clone()).map_err(|_unknown| {
            invalid(
                "media_kind",
                format!("agent {} cannot make {kind}: image, video or voice", agent.name),
            )
        })?;
        let named = field("provider").and_then(Value::as_str);
        let provider = match named {
            Some(name) => self.providers().media_provider(name).filter(|p| p.makes(kind)).cloned(),
            None => self.providers().media_for(kind).next().cloned(),
        };
        let provider = provider.ok_or_else(|| {
            let known: Vec<&str> = self.providers().media_for(kind).map(|p| p.name()).collect();
            let wanted = named.unwrap_or("any provider");
            invalid(
                "media_provider",
                format!("{wanted} cannot make it; configured are: {}", known.join(", ")),
            )
        })?;
        Ok((kind, provider))
    }

    async fn submit_media(
        &self,
        work: &Work,
        call: &CallAgent,
        provider: &dyn MediaProvider,
        request: &MediaRequest,
    ) -> Result<Submitted, Ended> {
        let in_doubt = |message: String| {
            let (step, token) = (call.step.clone(), call.token);
            Ended::Report(Command::DoubtAttempt { step, token, call: 0, message })
        };
        let safety = provider.safety();
        // Leave to send it again is no knowledge that it was not sent since: who can be asked is.
        let is_asked_first = safety == CallSafety::LookUp || !call.may_resend;
        if (work.is_recovered || call.timed_out) && is_asked_first {
            let found = match safety {
                CallSafety::Idempotent => None,
                CallSafety::LookUp => {
                    self.find_media(provider, &request.key).await.map_err(in_doubt)?
                },
                CallSafety::Neither if call.dispatched.is_none() => None,
                CallSafety::Neither => {
                    let message = format!("{} cannot be asked what became of it", provider.name());
                    return Err(in_doubt(message));
                },
            };
            if let Some(found) = found {
                return Ok(found);
            }
            if call.timed_out {
                return Err(Ended::Report(failed(call, over_time(), Vec::new())));
            }
        }
        if safety == CallSafety::Neither {
            let (step, token) = (call.step.clone(), call.token);
            // It leaves only when the journal knows that it does.
            let noted =
                self.submit(&work.run, Command::DispatchCall { step, token, call: 0 }).await;
            if let Err(error) = noted {
                let failure = Failure::new(ErrorClass::Transient, "not_noted", error.to_string());
                return Err(Ended::Report(failed(call, failure, Vec::new())));
            }
        }
        match self.in_time(work, call, provider.submit(request)).await {
            None => Err(Ended::TakenOver),
            Some(Ok(submitted)) => Ok(submitted),
            Some(Err(failure)) if !failure.is_in_doubt() => {
                Err(Ended::Report(failed(call, failure.into_failure(), Vec::new())))
            },
            Some(Err(failure)) => match safety {
                CallSafety::Neither => Err(in_doubt(failure.to_string())),
                CallSafety::Idempotent => match provider.submit(request).await {
                    Ok(submitted) => Ok(submitted),
                    Err(again) => Err(in_doubt(again.to_string())),
                },
                CallSafety::LookUp => {
                    let found = self.find_media(provider, &request.key).await.map_err(in_doubt)?;
                    found.ok_or_else(|| {
                        Ended::Report(failed(call, failure.into_failure(), Vec::new()))
                    })
                },
            },
        }
    }

    async fn find_media(
        &self,
        provider: &dyn MediaProvider,
        key: &str,
    ) -> Result<Option<Submitted>, String> {
        match provider.look_up(key).await {
            Ok(LookUp::Found(submitted)) => Ok(Some(submitted)),
            Ok(LookUp::Denied) => Ok(None),
            Ok(LookUp::CannotSay) => {
                Err(format!("{} cannot say what became of it", provider.name()))
            },
            Err(failure) => Err(failure.to_string()),
        }
    }

    /// Stores what a job made, and says so as an agent's output.
    pub(crate) async fn keep(
        &self,
        place: &Place<'_>,
        provider: &dyn MediaProvider,
        (request_digest, duration_ms): (Digest, u64),
        job: MediaJob,
    ) -> Result<Made, Failure> {
        let drawn = matches!(job.result, MediaResult::Render(_));
        let file = self.file_of(job.result).await?;
        let id = AssetId::of(place.run, place.token, 0);
        let bytes = file.bytes.len() as u64;
        let sha256 = self.store(file.bytes).await?;
        let extension = file.mime.rsplit('/').next().unwrap_or("bin");
        let asset = Asset {
            id: id.clone(),
            kind: file.mime.split('/').next().unwrap_or("document").to_owned(),
            name: format!("{}.{extension}", place.step),
            mime: file.mime,
            bytes,
            sha256: sha256.clone(),
            width: file.width,
            height: file.height,
            duration_ms: None,
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
        let call = CallRecord {
            no: 0,
            kind: CallKind::Media,
            request_digest,
            provider: provider.name().into(),
            model: None,
            answer: Answer::Output(json!({ "sha256": sha256 })),
            usage: Usage::default(),
            cost: job.cost,
            duration_ms,
            simulated: job.simulated,
            billed_key: call_key(place.run, place.token, 0),
            estimated: false,
        };
        Ok(Made { output, call: Arc::new(call), asset })
    }

    /// Stores what was paid for. While there is no room it is held on to: making it again would
    /// be paying again.
    async fn store(&self, bytes: Vec<u8>) -> Result<Digest, Failure> {
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
                return Err(Failure::new(ErrorClass::Transient, "not_stored", fault));
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
