//! A function agent works: its code runs in a process of its own, and what it asks of the outside
//! is recorded before the next thing happens.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use showrunner_engine::agent::{AgentRecord, FunctionCode};
use showrunner_engine::due::CallAgent;
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_engine::id::Digest;
use showrunner_engine::money::MicroUsd;
use showrunner_engine::turn::{Answer, CallKind, CallRecord, Usage, digest_of};
use showrunner_providers::error::class_of_status;
use showrunner_sandbox::{Fault, Function, Job, Limits, LogLine, Outcome};

use super::call_agent::{Ended, failed, finished};
use super::function_host::{FETCH_IN_DOUBT, Kept, Stage};
use super::pay::{Payer, Unpaid, over_time};
use crate::dispatch::Work;
use crate::{Functions, Runtime};

/// How long a function may take where its step has no time limit, and the most where it has one.
const WALL_MS: u64 = 120_000;
const WALL_MS_MAX: u64 = 900_000;
/// Longer than the attempt's own deadline, which is to decide where there is one.
const WALL_MARGIN_MS: u64 = 5_000;
/// Log lines that go into the journal, from the last one backwards.
const LOG_LINES_MAX: usize = 50;
/// Bytes of them.
const LOG_BYTES_MAX: usize = 8_192;

/// One function with everything it runs with.
struct Order<'a> {
    functions: &'a Functions,
    agent: &'a AgentRecord,
    code: &'a FunctionCode,
    input: &'a Value,
    settings: &'a Value,
}

impl Runtime {
    /// Runs a function. Requests that were recorded before a crash are not made again.
    pub(crate) async fn function_attempt(
        &self,
        work: &Work,
        call: &CallAgent,
        agent: &AgentRecord,
        (input, settings): (&Value, &Value),
    ) -> Ended {
        let report = |failure: Failure| Ended::Report(failed(call, failure, Vec::new()));
        let no = u16::try_from(call.calls.len()).unwrap_or(u16::MAX);
        // Asked about before the code runs again: it need not come to this request a second time.
        if call.dispatched == Some(no) && !call.may_resend {
            let message = FETCH_IN_DOUBT.to_owned();
            return Ended::without_answer(call, Unpaid::InDoubt { no, message });
        }
        if call.timed_out {
            return report(over_time());
        }
        let Some(functions) = &self.options().functions else {
            let message = "this server runs no functions: it was started without a sandbox";
            return report(Failure::new(ErrorClass::Validation, "sandbox_unavailable", message));
        };
        let Some(code) = &agent.function else {
            let message = format!("agent {} has no code to run", agent.name);
            return report(Failure::new(ErrorClass::Validation, "function_missing", message));
        };
        let order = Order { functions, agent, code, input, settings };
        let began = self.clock().now();
        let stage = Stage::new(self, Payer { work, call, no }, functions);
        let job = Job::Function(Box::new(self.job(&order, call)));
        let (org, _) = self.standing(&work.run);
        let run = functions.pool().run(org.as_str(), &job, &stage);
        let Some(outcome) = self.in_time(Payer { work, call, no }, run).await else {
            return Ended::TakenOver;
        };
        let duration_ms = self.clock().now().millis_since(began).0;
        match stage.ended() {
            Ok(kept) => function_ended(call, &order, kept, (outcome, duration_ms)),
            Err(unpaid) => Ended::without_answer(call, unpaid),
        }
    }

    fn job(&self, order: &Order<'_>, call: &CallAgent) -> Function {
        let left = call.deadline.map(|deadline| deadline.millis_since(self.clock().now()).0);
        // Known to nobody who is not allowed to see the token, and the same after a crash.
        let drawn = Digest::of(call.token.to_string().as_bytes());
        let seed = drawn.as_str().get(..16).and_then(|hex| u64::from_str_radix(hex, 16).ok());
        Function {
            code: order.code.code.to_string(),
            line: order.code.line,
            file: format!("{}.md", order.agent.name),
            input: order.input.clone(),
            settings: order.settings.clone(),
            feedback: call.feedback.as_deref().cloned().unwrap_or_default(),
            env: order.functions.env(&order.agent.env),
            now_ms: call.started_at.0 / 1_000,
            seed: seed.unwrap_or_default(),
            limits: Limits {
                wall_ms: left.map_or(WALL_MS, |left| left.min(WALL_MS_MAX) + WALL_MARGIN_MS),
                ..Limits::default()
            },
        }
    }
}

/// What an ended function is reported as.
fn function_ended(
    call: &CallAgent,
    order: &Order<'_>,
    kept: Kept,
    (outcome, duration_ms): (Outcome, u64),
) -> Ended {
    let secrets = order.functions.env(&order.agent.env);
    let log = shown(&outcome.log, &secrets);
    let record = |answer: Answer| {
        let request = json!({
            "code": Digest::of(order.code.code.as_bytes()),
            "input": order.input, "settings": order.settings,
        });
        Arc::new(CallRecord {
            no: kept.next_no,
            kind: CallKind::Tool,
            request_digest: digest_of(&request),
            provider: "sandbox".into(),
            model: None,
            answer,
            usage: Usage::default(),
            cost: MicroUsd(0),
            duration_ms,
            simulated: false,
            billed_key: String::new(),
            estimated: false,
        })
    };
    let output = match outcome.result {
        Ok(output) => output,
        Err(fault) => {
            let failure = failure_of(&fault, &secrets);
            return Ended::Report(failed(call, failure, vec![record(Answer::Output(log))]));
        },
    };
    if let Some(failure) = misfit(order.agent, call, &output) {
        return Ended::Report(failed(call, failure, vec![record(Answer::Output(log))]));
    }
    let is_silent = outcome.log.is_empty();
    let answer = if is_silent { Answer::AsOutput } else { Answer::Output(log) };
    Ended::Report(finished(call, output, vec![record(answer)], kept.assets, false))
}

/// The agent's own schema, where the step has none; the step's is checked by the engine.
fn misfit(agent: &AgentRecord, call: &CallAgent, output: &Value) -> Option<Failure> {
    let schema = agent.output_schema.as_ref().filter(|_| call.output_schema.is_none())?;
    if schema.accepts(output) {
        return None;
    }
    let breaches = schema.breaches(output);
    let shown: Vec<String> = breaches
        .iter()
        .take(3)
        .map(|breach| format!("{}: {}", breach.pointer, breach.message))
        .collect();
    let message = format!(
        "what the function of {} returned breaks the agent's output_schema: {}",
        agent.name,
        shown.join("; ")
    );
    Some(Failure::new(ErrorClass::Validation, "output_invalid", message))
}

/// The newest lines, as they go into the journal.
fn shown(log: &[LogLine], secrets: &BTreeMap<String, String>) -> Value {
    let (mut lines, mut bytes) = (Vec::new(), 0);
    for line in log.iter().rev().take(LOG_LINES_MAX) {
        bytes += line.text.len();
        if bytes > LOG_BYTES_MAX {
            break;
        }
        lines.push(json!({ "level": line.level, "text": scrubbed(&line.text, secrets) }));
    }
    lines.reverse();
    json!({ "log": lines })
}

/// A text without the values of variables. Short ones are words that occur anyway.
fn scrubbed(text: &str, secrets: &BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    for (name, value) in secrets.iter().filter(|(_, value)| value.len() >= 6) {
        if text.contains(value.as_str()) {
            text = text.replace(value.as_str(), &format!("[{name}]"));
        }
    }
    text
}

/// The class comes from what kind of fault it is and from the status that an error carries, never
/// from its words.
fn failure_of(fault: &Fault, secrets: &BTreeMap<String, String>) -> Failure {
    let class = match fault {
        Fault::Thrown { status: Some(status), .. } => class_of_status(*status).0,
        Fault::Thrown { code: Some(code), .. } if is_network(code) => ErrorClass::Network,
        Fault::Busy { .. } | Fault::TimedOut { .. } => ErrorClass::Timeout,
        Fault::Crowded { .. } => ErrorClass::Transient,
        Fault::Unavailable { .. } | Fault::Garbled { .. } | Fault::Stopped => ErrorClass::Internal,
        _ => ErrorClass::Validation,
    };
    Failure::new(class, fault.code(), scrubbed(&fault.to_string(), secrets))
}

/// What axios calls a connection that did not come about.
fn is_network(code: &str) -> bool {
    matches!(
        code,
        "ECONNREFUSED" | "ECONNRESET" | "ECONNABORTED" | "ETIMEDOUT" | "ENOTFOUND" | "ERR_NETWORK"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_error_carries_decides_about_trying_again() {
        let thrown = |code: Option<&str>, status| Fault::Thrown {
            name: "AxiosError".into(),
            message: "no key-123456".into(),
            stack: String::new(),
            code: code.map(str::to_owned),
            status,
        };
        let secrets = BTreeMap::from([("API_KEY".to_owned(), "key-123456".to_owned())]);
        let class = |fault: &Fault| failure_of(fault, &secrets).class;
        assert_eq!(class(&thrown(Some("ERR_BAD_RESPONSE"), Some(503))), ErrorClass::Transient);
        assert_eq!(class(&thrown(None, Some(429))), ErrorClass::RateLimited);
        assert_eq!(class(&thrown(Some("ECONNREFUSED"), None)), ErrorClass::Network);
        assert_eq!(class(&thrown(Some("ERR_REFUSED"), None)), ErrorClass::Validation);
        assert_eq!(class(&Fault::Busy { limit_ms: 1 }), ErrorClass::Timeout);
        let failure = failure_of(&thrown(None, None), &secrets);
        assert_eq!(
            (failure.code.as_str(), failure.message.as_str()),
            ("function_threw", "AxiosError: no [API_KEY]")
        );
    }

    #[test]
    fn the_newest_lines_are_kept_without_secrets() {
        use showrunner_sandbox::Level;
        let line = |text: String| LogLine { level: Level::Info, text };
        let mut log: Vec<LogLine> = (0..80).map(|no| line(format!("line {no}"))).collect();
        log.push(line("with key-123456".to_owned()));
        let secrets = BTreeMap::from([("API_KEY".to_owned(), "key-123456".to_owned())]);
        let shown = shown(&log, &secrets);
        let lines = shown["log"].as_array().unwrap();
        assert_eq!(lines.len(), LOG_LINES_MAX);
        assert_eq!(lines[49]["text"], "with [API_KEY]");
        assert_eq!(lines[0]["text"], "line 31");
    }
}
