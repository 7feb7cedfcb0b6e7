//! The agent turn: what one attempt of an agent asks the outside for, call by call.
//!
//! A machine without I/O. [`Turn::next`] says what is wanted, [`Turn::on_model`] and
//! [`Turn::on_tools`] take what came back, as [`CallRecord`]s. A turn rebuilt from its recorded
//! calls asks for exactly what is missing, so a crash in the middle repeats no paid call.

mod call;
mod canonical;
mod record;

use std::sync::Arc;

use serde_json::Value;

use crate::agent::AgentRecord;
use crate::failure::{ErrorClass, Failure};
use crate::money::Spend;
use crate::schema::{Breach, Schema};

pub use call::{Message, ModelCall, ModelSettings, OutputForm, ToolCall, ToolResult, ToolSpec};
pub use canonical::digest_of;
pub use record::{Answer, AskedTool, CallKind, CallRecord, Divergence, Usage};

/// Calls in one turn, model and tools together. A turn that needs more goes in circles.
pub const CALLS_MAX: u16 = 16;
/// The largest answer that is taken, in bytes of text. Larger things are assets, not answers.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;
/// How often an answer that breaks its schema goes back to the model.
pub const REPAIRS_MAX: u8 = 2;

/// Everything a turn begins with. Equal starts make equal turns.
#[derive(Clone, Copy, Debug)]
pub struct TurnStart<'a> {
    /// Who works.
    pub agent: &'a AgentRecord,
    /// What it is given.
    pub input: &'a Value,
    /// What the step demands of the output; the agent's own schema when absent.
    pub output_schema: Option<&'a Schema>,
    /// What a reviewer, a gate or a person said about the previous attempt.
    pub feedback: Option<&'a Value>,
    /// Settings of the step that override the agent's own: `model`, `temperature`,
    /// `max_output_tokens`. Null or an object.
    pub settings: &'a Value,
    /// The tools it may call, already allowed.
    pub tools: &'a [ToolSpec],
}

/// What a turn wants next.
#[derive(Clone, Debug)]
pub enum TurnStep {
    /// One call of a model. Asking again before it was answered gives the same call.
    CallModel(Arc<ModelCall>),
    /// Tool calls, free to run side by side; those already answered are not among them.
    CallTools(Vec<ToolCall>),
    /// The work is done.
    Done {
        /// The output, true to the schema.
        output: Value,
        /// What all calls of the turn cost together, replayed ones included.
        spend: Spend,
    },
    /// The turn cannot succeed.
    Failed(Failure),
}

/// One attempt of an agent, between two calls.
#[derive(Clone, Debug)]
pub struct Turn {
    base: ModelCall,
    state: State,
    /// Calls asked for so far.
    asked: u16,
    repairs: u8,
    spend: Spend,
}

#[derive(Clone, Debug)]
enum State {
    Model(Arc<ModelCall>),
    Tools { calls: Vec<ToolCall>, results: Vec<Option<ToolResult>> },
    Done(Value),
    Failed(Failure),
}

impl Turn {
    /// A fresh turn. What is wrong with its start shows as [`TurnStep::Failed`].
    pub fn new(start: TurnStart<'_>) -> Self {
        match ModelCall::first(start) {
            Ok(base) => {
                let state = State::Model(Arc::new(base.clone()));
                Self { base, state, asked: 1, repairs: 0, spend: Spend::ZERO }
            },
            Err(failure) => Self {
                base: ModelCall::nothing(),
                state: State::Failed(failure),
                asked: 0,
                repairs: 0,
                spend: Spend::ZERO,
            },
        }
    }

    /// A turn with these calls already made. Stops at the first that is not what this turn asks
    /// for: such a record is reported, never silently used.
    pub fn resume(start: TurnStart<'_>, recorded: &[CallRecord]) -> Result<Self, Divergence> {
        let mut turn = Self::new(start);
        for record in recorded {
            match record.kind {
                CallKind::Model => turn.on_model(record)?,
                CallKind::Tool => turn.on_tools(std::slice::from_ref(record))?,
                CallKind::Media | CallKind::Run | CallKind::Cache => {
                    return Err(turn.unexpected(record));
                },
            }
        }
        Ok(turn)
    }

    /// What is wanted now. Changes nothing.
    pub fn next(&self) -> TurnStep {
        match &self.state {
            State::Model(call) => TurnStep::CallModel(Arc::clone(call)),
            State::Tools { calls, results } => TurnStep::CallTools(
                calls
                    .iter()
                    .zip(results)
                    .filter(|(_, result)| result.is_none())
                    .map(|(call, _)| call.clone())
                    .collect(),
            ),
            State::Done(output) => TurnStep::Done { output: output.clone(), spend: self.spend },
            State::Failed(failure) => TurnStep::Failed(failure.clone()),
        }
    }

    /// What the calls so far have cost.
    pub fn spend(&self) -> Spend {
        self.spend
    }

    /// The model has answered.
    pub fn on_model(&mut self, record: &CallRecord) -> Result<(), Divergence> {
        let State::Model(call) = &self.state else { return Err(self.unexpected(record)) };
        record.check(CallKind::Model, call.no, &call.request_digest)?;
        self.spend = self.spend.plus(record.spend());
        if record.answer.weight() > ANSWER_BYTES_MAX {
            self.fail("answer_too_large", format!("the answer is over {ANSWER_BYTES_MAX} bytes"));
            return Ok(());
        }
        self.base.messages.push(Message::Answered(Arc::new(record.answer.clone())));
        match &record.answer {
            Answer::Tools { calls, .. } => self.ask_tools(calls),
            Answer::Output(value) => self.finish(value.clone()),
            Answer::AsOutput => return Err(Divergence::AfterEnd { recorded: record.no }),
            Answer::Text(text) if self.base.output.is_some() => match parse_json(text) {
                Ok(value) => self.finish(value),
                Err(error) => self.repair(vec![Breach {
                    pointer: String::new(),
                    message: format!("the answer is not JSON: {error}"),
                }]),
            },
            Answer::Text(text) => self.finish(Value::String(text.clone())),
        }
        Ok(())
    }

    /// Tools have answered; one, some or all of those asked for, in any order.
    pub fn on_tools(&mut self, records: &[CallRecord]) -> Result<(), Divergence> {
        for record in records {
            let unexpected = self.unexpected(record);
            let State::Tools { calls, results } = &mut self.state else { return Err(unexpected) };
            let place = calls.iter().position(|call| call.no == record.no);
            let Some((call, slot)) =
                place.and_then(|at| Some((calls.get(at)?, results.get_mut(at)?)))
            else {
                return Err(unexpected);
            };
            record.check(CallKind::Tool, call.no, &call.request_digest)?;
            if slot.is_some() {
                return Err(Divergence::Number { recorded: record.no, asked: self.asked });
            }
            *slot = Some(ToolResult { id: call.id.clone(), value: record.answer.to_value() });
            self.spend = self.spend.plus(record.spend());
            if record.answer.weight() > ANSWER_BYTES_MAX {
                let limit = format!("a tool's answer is over {ANSWER_BYTES_MAX} bytes");
                self.fail("answer_too_large", limit);
                return Ok(());
            }
        }
        self.tools_answered();
        Ok(())
    }

    /// Goes on when every tool of the batch has answered.
    fn tools_answered(&mut self) {
        let State::Tools { results, .. } = &mut self.state else { return };
        if results.iter().any(Option::is_none) {
            return;
        }
        let results = std::mem::take(results).into_iter().flatten().collect();
        self.base.messages.push(Message::ToolResults(results));
        self.ask_model();
    }

    fn ask_model(&mut self) {
        if self.asked >= CALLS_MAX {
            return self.too_many_calls();
        }
        let call = self.base.numbered(self.asked);
        self.asked += 1;
        self.state = State::Model(Arc::new(call));
    }

    fn ask_tools(&mut self, asked: &[AskedTool]) {
        let count = u16::try_from(asked.len()).unwrap_or(u16::MAX);
        if asked.is_empty() || self.asked.saturating_add(count) > CALLS_MAX {
            return self.too_many_calls();
        }
        let mut calls = Vec::with_capacity(asked.len());
        let mut results = Vec::with_capacity(asked.len());
        for tool in asked {
            let known = self.base.tools.iter().any(|spec| spec.name == tool.name);
            calls.push(ToolCall::new(self.asked, tool));
            self.asked += 1;
            // The model is told at once that there is no such tool; nobody outside is asked.
            results.push((!known).then(|| ToolResult::unknown_tool(tool)));
        }
        self.state = State::Tools { calls, results };
        self.tools_answered();
    }

    fn finish(&mut self, output: Value) {
        let breaches = match &self.base.output {
            Some(form) if !form.schema.accepts(&output) => form.schema.breaches(&output),
            _ => return self.state = State::Done(output),
        };
        self.repair(breaches);
    }

    /// Hands the breaches back to the model, or gives up.
    fn repair(&mut self, breaches: Vec<Breach>) {
        if self.repairs >= REPAIRS_MAX {
            let what = breaches
                .iter()
                .take(3)
                .map(|b| format!("{}: {}", shown_pointer(&b.pointer), clipped(&b.message, 200)))
                .collect::<Vec<_>>()
                .join("; ");
            return self.fail(
                "output_invalid",
                format!(
                    "after {REPAIRS_MAX} corrections the output still breaks its schema: {what}"
                ),
            );
        }
        self.repairs += 1;
        self.base.messages.push(Message::Correction(breaches));
        self.ask_model();
    }

    fn too_many_calls(&mut self) {
        self.fail("too_many_calls", format!("the turn asked for more than {CALLS_MAX} calls"));
    }

    fn fail(&mut self, code: &str, message: String) {
        self.state = State::Failed(Failure::new(ErrorClass::Validation, code, message));
    }

    /// Why `record` has no place here.
    fn unexpected(&self, record: &CallRecord) -> Divergence {
        match &self.state {
            State::Model(call) => record
                .check(CallKind::Model, call.no, &call.request_digest)
                .err()
                .unwrap_or(Divergence::AfterEnd { recorded: record.no }),
            State::Tools { calls, .. } if record.kind != CallKind::Tool => Divergence::Kind {
                no: calls.first().map_or(0, |call| call.no),
                recorded: record.kind,
                asked: CallKind::Tool,
            },
            State::Tools { calls, .. } => Divergence::Number {
                recorded: record.no,
                asked: calls.first().map_or(0, |call| call.no),
            },
            State::Done(_) | State::Failed(_) => Divergence::AfterEnd { recorded: record.no },
        }
    }
}

/// Reads JSON that a model wrote as text, in a code fence or bare.
fn parse_json(text: &str) -> Result<Value, serde_json::Error> {
    let bare = text.trim();
    let bare = bare
        .strip_prefix("```")
        .and_then(|rest| rest.strip_suffix("```"))
        .map_or(bare, |rest| rest.trim_start_matches("json").trim());
    serde_json::from_str(bare)
}

fn shown_pointer(pointer: &str) -> &str {
    if pointer.is_empty() { "the whole output" } else { pointer }
}

/// At most `chars` characters of `text`.
fn clipped(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

#[cfg(test)]
mod tests;
