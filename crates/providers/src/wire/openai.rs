//! OpenAI chat completions, and those who speak it: OpenRouter, Ollama, vLLM and many more.
//!
//! Source: the reference of `POST /v1/chat/completions` and the types of the Python SDK 3.51.0.
//! Chat completions rather than responses, because that is what all the others speak.

use serde_json::{Value, json};
use showrunner_engine::turn::{Answer, Message};

use super::form::{Form, OPENAI};
use super::reading::{Reading, Stop};
use super::{Flow, answer_tool};
use crate::model::ModelRequest;
use crate::profiles::{Structured, Tokens};

/// `is_own`: a server of one's own, which may know the older names only.
pub(super) fn body(request: &ModelRequest, form: Option<&Form>, is_own: bool) -> Value {
    let (profile, call) = (&request.profile, &request.call);
    let by_tool = form.filter(|_| profile.structured == Structured::Tool);
    let mut body = json!({
        "model": profile.model,
        "messages": messages(request, form),
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    let limit = if is_own { "max_tokens" } else { "max_completion_tokens" };
    body[limit] = json!(profile.output_tokens_max(call));
    if let (Some(temperature), true) = (call.settings.temperature, profile.temperature) {
        body["temperature"] = json!(temperature);
    }
    if let Some(effort) = &profile.effort {
        body["reasoning_effort"] = json!(effort);
    }
    let function = |name: &str, description: &str, parameters: &Value| {
        let function =
            json!({ "name": name, "description": description, "parameters": parameters });
        json!({ "type": "function", "function": function })
    };
    let mut tools: Vec<Value> = call
        .tools
        .iter()
        .map(|tool| function(&tool.name, &tool.description, &tool.parameters))
        .collect();
    if let Some(form) = by_tool {
        let name = answer_tool(call);
        body["tool_choice"] = if tools.is_empty() {
            json!({ "type": "function", "function": { "name": name } })
        } else {
            json!("required")
        };
        tools.push(function(name, "Takes your whole answer.", form.whole()));
    }
    if !tools.is_empty() {
        body["tools"] = Value::Array(tools);
    }
    if let (Some(form), Structured::Schema) = (form, profile.structured) {
        let strict = form.is_strict();
        let schema = if strict { form.narrowed(OPENAI) } else { form.whole().clone() };
        body["response_format"] = json!({
            "type": "json_schema",
            "json_schema": { "name": "answer", "schema": schema, "strict": strict },
        });
    }
    body
}

fn messages(request: &ModelRequest, form: Option<&Form>) -> Vec<Value> {
    let mut system = request.call.system.to_string();
    if let (Some(form), Structured::Words) = (form, request.profile.structured) {
        system = format!("{system}\n\n{}", form.in_words());
    }
    let mut messages = Vec::new();
    if !system.trim().is_empty() {
        messages.push(json!({ "role": "system", "content": system }));
    }
    for message in &request.call.messages {
        match message {
            Message::Answered(answer) => messages.push(match &**answer {
                Answer::Tools { text, calls } => {
                    let calls = calls.iter().map(|call| {
                        // The arguments travel as text; what was no JSON goes back as it came.
                        let arguments = call.arguments.as_str().map(str::to_owned);
                        let arguments = arguments.unwrap_or_else(|| call.arguments.to_string());
                        let function = json!({ "name": call.name, "arguments": arguments });
                        json!({ "id": call.id, "type": "function", "function": function })
                    });
                    let calls: Vec<Value> = calls.collect();
                    let text = (!text.is_empty()).then_some(text);
                    json!({ "role": "assistant", "content": text, "tool_calls": calls })
                },
                Answer::Output(value) => {
                    let value = form.map_or_else(|| value.clone(), |form| form.wrap(value));
                    json!({ "role": "assistant", "content": value.to_string() })
                },
                Answer::Text(_) | Answer::AsOutput => {
                    json!({ "role": "assistant", "content": message.to_text() })
                },
            }),
            Message::ToolResults(results) => messages.extend(results.iter().map(|result| {
                let content = result.value.to_string();
                json!({ "role": "tool", "tool_call_id": result.id, "content": content })
            })),
            Message::Task { .. } | Message::Correction(_) => {
                messages.push(json!({ "role": "user", "content": message.to_text() }));
            },
        }
    }
    messages
}

pub(super) fn read(chunk: &Value, reading: &mut Reading<'_>) -> Flow {
    if let Some(model) = chunk.get("model").and_then(Value::as_str) {
        reading.model = Some(model.to_owned());
    }
    if let Some(usage) = chunk.get("usage").filter(|usage| usage.is_object()) {
        reading.tokens = tokens(usage).or(reading.tokens);
    }
    let Some(choice) = chunk.pointer("/choices/0") else { return Flow::More };
    reading.begin();
    let text = |pointer: &str| choice.pointer(pointer).and_then(Value::as_str);
    reading.say(text("/delta/content").unwrap_or_default());
    reading.refusal.push_str(text("/delta/refusal").unwrap_or_default());
    let calls = choice.pointer("/delta/tool_calls").and_then(Value::as_array);
    for call in calls.into_iter().flatten() {
        read_tool(call, reading);
    }
    if let Some(reason) = text("/finish_reason") {
        reading.stop = Some(stop(reason));
    }
    Flow::More
}

fn read_tool(call: &Value, reading: &mut Reading<'_>) {
    let text = |pointer: &str| call.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let index = call.get("index").and_then(Value::as_u64).unwrap_or_default();
    let (name, arguments) = (text("/function/name"), text("/function/arguments"));
    if name == answer_tool(&reading.request().call) {
        reading.answer_at = reading.answer_at.or(Some(index));
    }
    if reading.answer_at == Some(index) {
        return reading.emit(arguments);
    }
    let asked = reading.tool(index);
    asked.id.push_str(text("/id"));
    asked.name.push_str(name);
    asked.arguments.push_str(arguments);
}

fn stop(reason: &str) -> Stop {
    match reason {
        "stop" | "tool_calls" | "function_call" => Stop::Done,
        "length" => Stop::Cut,
        "content_filter" => Stop::Filtered,
        other => Stop::Other(other.to_owned()),
    }
}

/// `prompt_tokens` counts the cached ones and those written to the cache too.
fn tokens(usage: &Value) -> Option<Tokens> {
    let count = |pointer: &str| usage.pointer(pointer).and_then(Value::as_u64);
    let (read, output) = (count("/prompt_tokens")?, count("/completion_tokens")?);
    let cached = count("/prompt_tokens_details/cached_tokens").unwrap_or_default().min(read);
    let kept = count("/prompt_tokens_details/cache_write_tokens").unwrap_or_default();
    let kept = kept.min(read - cached);
    Some(Tokens { input: read - cached - kept, cached, cache_written: kept, output })
}
