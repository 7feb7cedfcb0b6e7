//! An agent works: its turn is driven call by call until it is done, and every call is recorded
//! before the next one leaves.

use std::sync::Arc;

use serde_json::Value;
use showrunner_engine::agent::{AgentKind, AgentRecord};
use showrunner_engine::at::Timestamp;
use showrunner_engine::command::{Command, FinishAttempt};
use showrunner_engine::due::CallAgent;
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_engine::id::{Digest, StepKey, Token};
use showrunner_engine::money::MicroUsd;
use showrunner_engine::template::EvalFault;
use showrunner_engine::turn::{Answer, CallKind, CallRecord, Turn, TurnStart, TurnStep, Usage};
use showrunner_journal::query::cache::CachedResult;

use super::pay::{Unpaid, over_time};
use crate::Runtime;
use crate::dispatch::Work;

/// How an attempt ended, to be reported.
#[expect(clippy::large_enum_variant, reason = "one at a time, and nearly always a report")]
pub(crate) enum Ended {
    /// With this report.
    Report(Command),
    /// Somebody else has taken it over, or nobody wants it any more.
    TakenOver,
}

impl Ended {
    /// What is to be said of a call that was not answered.
    pub(crate) fn without_answer(call: &CallAgent, unpaid: Unpaid) -> Self {
        match unpaid {
            Unpaid::Failed(failure, paid) => {
                Self::Report(failed(call, failure, paid.into_iter().collect()))
            },
            Unpaid::InDoubt { no, message } => {
                let (step, token) = (call.step.clone(), call.token);
                Self::Report(Command::DoubtAttempt { step, token, call: no, message })
            },
            Unpaid::TakenOver => Self::TakenOver,
        }
    }
}

impl Runtime {
    pub(crate) async fn call_agent(&self, work: &Work, call: CallAgent) {
        if call.timed_out && work.lease.is_untouched() {
            let report = failed(&call, over_time(), Vec::new());
            return self.deliver(work, Some(call.token), report).await;
        }
        let (agent, input, settings) = match self.prepare(&call) {
            Ok(prepared) => prepared,
            Err(failure) => {
                let report = failed(&call, failure, Vec::new());
                return self.deliver(work, Some(call.token), report).await;
            },
        };
        if !call.cache {
            if let Ended::Report(report) =
                self.attempt(work, &call, &agent, (&input, &settings)).await
            {
                self.deliver(work, Some(call.token), report).await;
            }
            return;
        }
        let key = cache_key(&agent, &input, &settings, &call);
        // An attempt that may have called somebody before must find out what that cost.
        if !work.is_recovered
            && let Ok(Some(hit)) = self.journal().cached(&key).await
        {
            let record = from_cache(&key, hit.simulated);
            let report = finished(&call, hit.output, vec![record], hit.assets, true);
            return self.deliver(work, Some(call.token), report).await;
        }
        if let Ended::Report(report) = self.attempt(work, &call, &agent, (&input, &settings)).await
        {
            let result = cacheable(&report, self.clock().now());
            self.deliver(work, Some(call.token), report).await;
            self.remember(work, &key, result).await;
        }
    }

    /// Keeps a result for equal work. Only once it is journalled: whoever finds it pays nothing.
    async fn remember(&self, work: &Work, key: &Digest, result: Option<CachedResult>) {
        let Some(result) = result else { return };
        if let Err(error) = self.journal().put_cached(key, &result).await {
            tracing::warn!(run.id = %work.run, %error, "a result was not cached");
        }
    }

    async fn attempt(
        &self,
        work: &Work,
        call: &CallAgent,
        agent: &AgentRecord,
        (input, settings): (&Value, &Value),
    ) -> Ended {
        match agent.kind {
            AgentKind::Media => self.media_attempt(work, call, agent, (input, settings)).await,
            AgentKind::Function => {
                self.function_attempt(work, call, agent, (input, settings)).await
            },
            _ => self.model_attempt(work, call, agent, (input, settings)).await,
        }
    }

    fn prepare(&self, call: &CallAgent) -> Result<(Arc<AgentRecord>, Arc<Value>, Value), Failure> {
        let fault = |fault: &EvalFault| {
            Failure::new(ErrorClass::Validation, "input_fault", fault.to_string())
        };
        let input = call.input.as_ref().map_err(fault)?;
        let settings = call.settings.as_ref().map_err(fault)?;
        let agent = self.agents().get(&call.agent).ok_or_else(|| {
            let message = format!("there is no agent {}", call.agent);
            Failure::new(ErrorClass::Validation, "agent_unknown", message)
        })?;
        Ok((agent, Arc::clone(input), settings.clone()))
    }

    /// Drives a model's turn. Recorded calls are not made again.
    async fn model_attempt(
        &self,
        work: &Work,
        call: &CallAgent,
        agent: &AgentRecord,
        (input, settings): (&Value, &Value),
    ) -> Ended {
        let start = TurnStart {
            agent,
            input,
            output_schema: call.output_schema.as_ref(),
            feedback: call.feedback.as_deref(),
            settings,
            tools: &[],
        };
        let recorded: Vec<CallRecord> = call.calls.iter().map(|call| (**call).clone()).collect();
        let mut turn = match Turn::resume(start, &recorded) {
            Ok(turn) => turn,
            Err(divergence) => {
                let message = divergence.to_string();
                let failure = Failure::new(ErrorClass::Internal, "turn_diverged", message);
                return Ended::Report(failed(call, failure, Vec::new()));
            },
        };
        // The newest answer goes into the journal with what follows from it.
        let mut unrecorded: Vec<Arc<CallRecord>> = Vec::new();
        loop {
            let asked = match turn.next() {
                TurnStep::Done { output, .. } => {
                    say_once(&mut unrecorded, &output);
                    return Ended::Report(finished(call, output, unrecorded, Vec::new(), false));
                },
                TurnStep::Failed(failure) => {
                    return Ended::Report(failed(call, failure, unrecorded));
                },
                TurnStep::CallTools(_) => {
                    let message = "this server offers no tools yet";
                    let failure =
                        Failure::new(ErrorClass::Validation, "tools_unavailable", message);
                    return Ended::Report(failed(call, failure, unrecorded));
                },
                TurnStep::CallModel(asked) => asked,
            };
            for record in unrecorded.drain(..) {
                let command = Command::RecordCall {
                    step: call.step.clone(),
                    token: call.token,
                    call: record,
                };
                self.deliver(work, None, command).await;
            }
            let record = match self.call_model(work, call, asked).await {
                Ok(record) => record,
                Err(unpaid) => return Ended::without_answer(call, unpaid),
            };
            if let Err(divergence) = turn.on_model(&record) {
                let message = divergence.to_string();
                let failure = Failure::new(ErrorClass::Internal, "turn_diverged", message);
                return Ended::Report(failed(call, failure, vec![Arc::new(record)]));
            }
            unrecorded.push(Arc::new(record));
        }
    }
}

/// The last answer is the step's output: it is journalled there, and not beside it again.
fn say_once(calls: &mut [Arc<CallRecord>], output: &Value) {
    let Some(last) = calls.last_mut().and_then(Arc::get_mut) else { return };
    if matches!(&last.answer, Answer::Output(answer) if answer == output) {
        last.answer = Answer::AsOutput;
    }
}

/// The call that did not have to be made.
fn from_cache(key: &Digest, simulated: bool) -> Arc<CallRecord> {
    Arc::new(CallRecord {
        no: 0,
        kind: CallKind::Cache,
        request_digest: key.clone(),
        provider: "cache".into(),
        model: None,
        answer: Answer::AsOutput,
        usage: Usage::default(),
        cost: MicroUsd::ZERO,
        duration_ms: 0,
        simulated,
        billed_key: String::new(),
        estimated: false,
    })
}

/// What can be kept of a report.
fn cacheable(report: &Command, now: Timestamp) -> Option<CachedResult> {
    let Command::FinishAttempt(finish) = report else { return None };
    Some(CachedResult {
        output: (*finish.output).clone(),
        assets: finish.assets.clone(),
        simulated: finish.calls.iter().any(|call| call.simulated),
        created_at: now,
    })
}

/// The report of success.
pub(crate) fn finished(
    call: &CallAgent,
    output: Value,
    calls: Vec<Arc<CallRecord>>,
    assets: Vec<showrunner_engine::event::Asset>,
    cached: bool,
) -> Command {
    Command::FinishAttempt(Box::new(FinishAttempt {
        step: call.step.clone(),
        token: call.token,
        output: Arc::new(output),
        calls,
        assets,
        cached,
    }))
}

/// The report of failure.
pub(crate) fn failed(call: &CallAgent, failure: Failure, calls: Vec<Arc<CallRecord>>) -> Command {
    fail(&call.step, call.token, failure, calls)
}

pub(crate) fn fail(
    step: &StepKey,
    token: Token,
    failure: Failure,
    calls: Vec<Arc<CallRecord>>,
) -> Command {
    Command::FailAttempt { step: step.clone(), token, failure, calls }
}

/// What makes two pieces of work the same: who does it, with what, how, and what must come out.
fn cache_key(agent: &AgentRecord, input: &Value, settings: &Value, call: &CallAgent) -> Digest {
    let schema = call.output_schema.as_ref().map(showrunner_engine::schema::Schema::source);
    let text = serde_json::json!({
        "agent": agent.name,
        "version": agent.version,
        "instructions": Digest::of(agent.instructions.as_bytes()),
        "input": input,
        "settings": settings,
        "schema": schema,
        "feedback": call.feedback,
    });
    showrunner_engine::turn::digest_of(&text)
}
