//! Google Gemini.
//!
//! Source: the reference of `models.streamGenerateContent` and the types of the Python SDK
//! google-genai 3.3.0. Calls of tools carry no signatures of thoughts: a turn with tools is
//! answered by Gemini 3 models only where they do not ask for them.

use serde_json::{Value, json};
use showrunner_engine::turn::{Answer, Message};

use super::form::{Form, GOOGLE};
use super::reading::{Reading, Stop};
use super::{Flow, answer_tool};
use crate::model::ModelRequest;
use crate::profiles::{Structured, Tokens};

pub(super) fn body(request: &ModelRequest, form: Option<&Form>) -> Value {
    let (profile, call) = (&request.profile, &request.call);
    let by_tool = form.filter(|_| profile.structured == Structured::Tool);
    let mut config = json!({ "maxOutputTokens": profile.output_tokens_max(call) });
    if let (Some(temperature), true) = (call.settings.temperature, profile.temperature) {
        config["temperature"] = json!(temperature);
    }
    if let Some(effort) = &profile.effort {
        config["thinkingConfig"] = json!({ "thinkingLevel": effort });
    }
    let mut system = call.system.to_string();
    if let Some(form) = form.filter(|_| by_tool.is_none()) {
        // A form and tools together are not taken by every model.
        if profile.structured == Structured::Schema && call.tools.is_empty() {
            config["responseMimeType"] = json!("application/json");
            config["responseJsonSchema"] = form.narrowed(GOOGLE);
        } else {
            system = format!("{system}\n\n{}", form.in_words());
        }
    }
    let mut body = json!({ "contents": contents(request, form), "generationConfig": config });
    if !system.trim().is_empty() {
        body["systemInstruction"] = json!({ "parts": [{ "text": system }] });
    }
    let declared = |name: &str, description: &str, parameters: &Value| json!({ "name": name, "description": description, "parametersJsonSchema": parameters });
    let mut tools: Vec<Value> = call
        .tools
        .iter()
        .map(|tool| declared(&tool.name, &tool.description, &tool.parameters))
        .collect();
    if let Some(form) = by_tool {
        tools.push(declared(answer_tool(call), "Takes your whole answer.", form.whole()));
        body["toolConfig"] = json!({ "functionCallingConfig": { "mode": "ANY" } });
    }
    if !tools.is_empty() {
        body["tools"] = json!([{ "functionDeclarations": tools }]);
    }
    body
}

fn contents(request: &ModelRequest, form: Option<&Form>) -> Vec<Value> {
    let user = |parts: Vec<Value>| json!({ "role": "user", "parts": parts });
    let mut names: Vec<(String, String)> = Vec::new();
    let mut contents = Vec::new();
    for message in &request.call.messages {
        contents.push(match message {
            Message::Answered(answer) => {
                let parts = match &**answer {
                    Answer::Tools { text, calls } => {
                        names.extend(calls.iter().map(|c| (c.id.clone(), c.name.clone())));
                        let said = (!text.is_empty()).then(|| json!({ "text": text }));
                        let calls = calls.iter().map(|call| {
                            let args = object(&call.arguments, "unreadable");
                            json!({ "functionCall": { "id": call.id, "name": call.name, "args": args } })
                        });
                        said.into_iter().chain(calls).collect()
                    },
                    Answer::Output(value) => {
                        let value = form.map_or_else(|| value.clone(), |form| form.wrap(value));
                        vec![json!({ "text": value.to_string() })]
                    },
                    Answer::Text(_) | Answer::AsOutput => vec![json!({ "text": message.to_text() })],
                };
                json!({ "role": "model", "parts": parts })
            },
            Message::ToolResults(results) => {
                let parts = results.iter().map(|result| {
                    let name = names.iter().rev().find(|(id, _)| *id == result.id);
                    let name = name.map_or("", |(_, name)| name);
                    let response = object(&result.value, "result");
                    json!({ "functionResponse": { "id": result.id, "name": name, "response": response } })
                });
                user(parts.collect())
            },
            Message::Task { .. } | Message::Correction(_) => {
                user(vec![json!({ "text": message.to_text() })])
            },
        });
    }
    contents
}

/// Google takes objects only.
fn object(value: &Value, name: &str) -> Value {
    if value.is_object() { value.clone() } else { json!({ name: value }) }
}

pub(super) fn read(chunk: &Value, reading: &mut Reading<'_>) -> Flow {
    let text = |pointer: &str| chunk.pointer(pointer).and_then(Value::as_str);
    if let Some(model) = text("/modelVersion") {
        reading.model = Some(model.to_owned());
    }
    if let Some(usage) = chunk.get("usageMetadata") {
        reading.tokens = tokens(usage).or(reading.tokens);
    }
    if let Some(reason) = text("/promptFeedback/blockReason") {
        reading.begin();
        reason.clone_into(&mut reading.refusal);
        reading.stop = Some(Stop::Filtered);
    }
    let Some(candidate) = chunk.pointer("/candidates/0") else { return Flow::More };
    reading.begin();
    let parts = candidate.pointer("/content/parts").and_then(Value::as_array);
    for part in parts.into_iter().flatten() {
        read_part(part, reading);
    }
    if let Some(reason) = candidate.get("finishReason").and_then(Value::as_str) {
        reading.stop = Some(stop(reason));
    }
    Flow::More
}

fn read_part(part: &Value, reading: &mut Reading<'_>) {
    if part.get("thought").and_then(Value::as_bool) == Some(true) {
        return;
    }
    if let Some(text) = part.get("text").and_then(Value::as_str) {
        reading.say(text);
    }
    let Some(call) = part.get("functionCall") else { return };
    let text = |name: &str| call.get(name).and_then(Value::as_str);
    let arguments = call.get("args").map(Value::to_string).unwrap_or_default();
    let name = text("name").unwrap_or_default().to_owned();
    if name == answer_tool(&reading.request().call) {
        if reading.answer_at.replace(0).is_none() {
            reading.emit(&arguments);
        }
        return;
    }
    let index = u64::try_from(reading.tools.len()).unwrap_or(u64::MAX);
    // Not every model names its calls; a name of ours must be unlike those of earlier calls.
    let id = text("id").map(str::to_owned);
    let id = id.unwrap_or_else(|| format!("call_{}_{index}", reading.request().call.no));
    let asked = reading.tool(index);
    (asked.id, asked.name, asked.arguments) = (id, name, arguments);
}

fn stop(reason: &str) -> Stop {
    match reason {
        "STOP" => Stop::Done,
        "MAX_TOKENS" => Stop::Cut,
        "SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII"
        | "MODEL_ARMOR" => Stop::Filtered,
        other => Stop::Other(other.to_owned()),
    }
}

/// `promptTokenCount` counts the cached ones too; thoughts are billed as output. A count that is
/// zero may be left out.
fn tokens(usage: &Value) -> Option<Tokens> {
    let count = |name: &str| usage.get(name).and_then(Value::as_u64);
    let read =
        count("promptTokenCount")?.saturating_add(count("toolUsePromptTokenCount").unwrap_or(0));
    let cached = count("cachedContentTokenCount").unwrap_or(0).min(read);
    let said = count("candidatesTokenCount").unwrap_or(0);
    let output = said.saturating_add(count("thoughtsTokenCount").unwrap_or(0));
    Some(Tokens { input: read - cached, cached, cache_written: 0, output })
}
