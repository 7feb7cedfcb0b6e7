//! Anthropic Messages.
//!
//! Source: the reference of `POST /v1/messages` and of its streaming events, and the types of the
//! Python SDK 2.10.0. Models from Sonnet 5.5 and Opus 5.5 on refuse a forced tool, a sampling
//! temperature and a prefilled answer (their migration guides): a profile says which way a model
//! is made to answer in a form.

use serde_json::{Map, Value, json};
use showrunner_engine::turn::{Answer, Message};

use super::form::{ANTHROPIC, Form};
use super::reading::{Reading, Stop};
use super::{Flow, answer_tool};
use crate::model::ModelRequest;
use crate::profiles::Structured;

/// The version of the interface that is spoken.
pub(super) const VERSION: &str = "2023-06-01";
/// What the tool that stands for the answer says of itself.
const ANSWER_SAYS: &str = "Takes your answer. Call it once, with the whole answer.";

pub(super) fn body(request: &ModelRequest, form: Option<&Form>) -> Value {
    let (profile, call) = (&request.profile, &request.call);
    let by_tool = form.filter(|_| profile.structured == Structured::Tool);
    let mut body = json!({
        "model": profile.model,
        "max_tokens": profile.output_tokens_max(call),
        "stream": true,
        "messages": messages(request, by_tool),
    });
    let mut system = call.system.to_string();
    if let (Some(form), Structured::Words) = (form, profile.structured) {
        system = format!("{system}\n\n{}", form.in_words());
    }
    if !system.trim().is_empty() {
        body["system"] = Value::String(system);
    }
    if let (Some(temperature), true) = (call.settings.temperature, profile.temperature) {
        body["temperature"] = json!(temperature);
    }
    let mut tools: Vec<Value> = call
        .tools
        .iter()
        .map(|tool| {
            json!({
                "name": tool.name,
                "description": tool.description,
                "input_schema": tool.parameters,
            })
        })
        .collect();
    if let Some(form) = by_tool {
        let name = answer_tool(call);
        body["tool_choice"] = if tools.is_empty() {
            json!({ "type": "tool", "name": name, "disable_parallel_tool_use": true })
        } else {
            json!({ "type": "any" })
        };
        tools.push(json!({
            "name": name,
            "description": ANSWER_SAYS,
            "input_schema": form.whole(),
        }));
    }
    if !tools.is_empty() {
        body["tools"] = Value::Array(tools);
    }
    let mut config = Map::new();
    if let Some(effort) = &profile.effort {
        config.insert("effort".into(), json!(effort));
    }
    if let (Some(form), Structured::Schema) = (form, profile.structured) {
        let schema = form.narrowed(ANTHROPIC);
        config.insert("format".into(), json!({ "type": "json_schema", "schema": schema }));
    }
    if !config.is_empty() {
        body["output_config"] = Value::Object(config);
    }
    body
}

/// The conversation. Where the answer is a tool's arguments, a correction is that tool's result.
fn messages(request: &ModelRequest, by_tool: Option<&Form>) -> Vec<Value> {
    let user = |content: Value| json!({ "role": "user", "content": content });
    let mut emitted: Option<String> = None;
    let mut messages = Vec::new();
    for (at, message) in request.call.messages.iter().enumerate() {
        messages.push(match message {
            Message::Answered(answer) => {
                let id = format!("toolu_answer_{at}");
                let content = match (&**answer, by_tool) {
                    (Answer::Output(value), Some(form)) => {
                        let name = answer_tool(&request.call);
                        emitted = Some(id.clone());
                        vec![tool_use(&id, name, &form.wrap(value))]
                    },
                    (Answer::Tools { text, calls }, _) => {
                        let said = (!text.trim().is_empty()).then(|| said(text));
                        let calls = calls
                            .iter()
                            .map(|call| tool_use(&call.id, &call.name, &call.arguments));
                        said.into_iter().chain(calls).collect()
                    },
                    _ => vec![said(&message.to_text())],
                };
                json!({ "role": "assistant", "content": content })
            },
            Message::ToolResults(results) => {
                let results = results.iter().map(|result| {
                    json!({
                        "type": "tool_result",
                        "tool_use_id": result.id,
                        "content": result.value.to_string(),
                        "is_error": result.value.get("error").is_some(),
                    })
                });
                user(results.collect())
            },
            Message::Correction(_) => match emitted.take() {
                Some(id) => user(json!([{
                    "type": "tool_result",
                    "tool_use_id": id,
                    "content": message.to_text(),
                    "is_error": true,
                }])),
                None => user(json!([said(&message.to_text())])),
            },
            Message::Task { .. } => user(json!([said(&message.to_text())])),
        });
    }
    messages
}

/// A block of text; an empty one is refused.
fn said(text: &str) -> Value {
    let text = if text.trim().is_empty() { "(nothing)" } else { text };
    json!({ "type": "text", "text": text })
}

fn tool_use(id: &str, name: &str, input: &Value) -> Value {
    // Arguments that were no JSON are shown to the model as what they were.
    let input = if input.is_object() { input.clone() } else { json!({ "unreadable": input }) };
    json!({ "type": "tool_use", "id": id, "name": name, "input": input })
}

pub(super) fn read(event: &Value, reading: &mut Reading<'_>) -> Flow {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let index = event.get("index").and_then(Value::as_u64).unwrap_or_default();
    match text("/type") {
        Some("message_start") => {
            reading.begin();
            reading.model = text("/message/model").map(str::to_owned);
            if let Some(usage) = event.pointer("/message/usage") {
                read_usage(usage, reading);
            }
        },
        Some("content_block_start") => match text("/content_block/type") {
            Some("text") => reading.say(text("/content_block/text").unwrap_or_default()),
            Some("tool_use") => {
                let name = text("/content_block/name").unwrap_or_default();
                if name == answer_tool(&reading.request().call) {
                    // Of several answers the first counts.
                    reading.answer_at = reading.answer_at.or(Some(index));
                } else {
                    let id = text("/content_block/id").unwrap_or_default().to_owned();
                    let asked = reading.tool(index);
                    (asked.id, asked.name) = (id, name.to_owned());
                }
            },
            _ => {},
        },
        Some("content_block_delta") => match text("/delta/type") {
            Some("text_delta") => reading.say(text("/delta/text").unwrap_or_default()),
            Some("input_json_delta") => {
                let json = text("/delta/partial_json").unwrap_or_default();
                if reading.answer_at == Some(index) {
                    reading.emit(json);
                } else if reading.tools.iter().any(|asked| asked.index == index) {
                    reading.tool(index).arguments.push_str(json);
                }
            },
            // Thinking, signatures, citations.
            _ => {},
        },
        Some("message_delta") => {
            if let Some(usage) = event.get("usage") {
                read_usage(usage, reading);
                let written = usage.get("output_tokens").and_then(Value::as_u64);
                reading.tokens = written.map(|_| reading.memo).or(reading.tokens);
            }
            if let Some(reason) = text("/delta/stop_reason") {
                reading.stop = Some(stop(reason));
            }
            let details = text("/delta/stop_details/explanation").unwrap_or_default();
            reading.refusal.push_str(details);
        },
        Some("message_stop") => return Flow::End,
        // Signs of life, and what is new: “handle unknown event types gracefully”.
        _ => {},
    }
    Flow::More
}

fn stop(reason: &str) -> Stop {
    match reason {
        "end_turn" | "stop_sequence" | "tool_use" => Stop::Done,
        "max_tokens" | "model_context_window_exceeded" => Stop::Cut,
        "refusal" => Stop::Refused,
        other => Stop::Other(other.to_owned()),
    }
}

/// Usage is told at the beginning and, counted together, at the end.
fn read_usage(usage: &Value, reading: &mut Reading<'_>) {
    let count = |name: &str| usage.get(name).and_then(Value::as_u64);
    let memo = &mut reading.memo;
    memo.input = count("input_tokens").unwrap_or(memo.input);
    memo.output = count("output_tokens").unwrap_or(memo.output);
    memo.cached = count("cache_read_input_tokens").unwrap_or(memo.cached);
    memo.cache_written = count("cache_creation_input_tokens").unwrap_or(memo.cache_written);
}
