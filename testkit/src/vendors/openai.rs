//! OpenAI's side of chat completions.

use serde_json::{Value, json};

use super::KEY;
use super::asked::{Asked, Denied, End, Said, demand, frame, pieces};
use super::serve::Request;

pub(super) fn asked(request: &Request, body: &Value) -> Result<Asked, Denied> {
    let bearer = format!("Bearer {KEY}");
    if request.header("authorization") != Some(bearer.as_str()) {
        return Err(Denied::new(401, "authentication_error", "Incorrect API key provided"));
    }
    if request.method != "POST" || request.path != "/v1/chat/completions" {
        return Err(Denied::new(404, "not_found_error", "Invalid URL"));
    }
    let model = body["model"].as_str().unwrap_or_default().to_owned();
    demand(!model.is_empty(), "you must provide a model parameter")?;
    // The models since GPT-5 think: they take the new limit only, and no temperature meanwhile.
    if model.starts_with("gpt-6") {
        demand(
            body["max_tokens"].is_null(),
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
        )?;
        let thinks = body["reasoning_effort"] != json!("none");
        demand(
            !thinks || body["temperature"].is_null(),
            "Unsupported parameter: 'temperature' is not supported with this model.",
        )?;
        let has_tools = body["tools"].as_array().is_some_and(|tools| !tools.is_empty());
        demand(!thinks || !has_tools, "Function tools need reasoning_effort 'none' here.")?;
    }
    check_messages(body["messages"].as_array().map_or(&[][..], Vec::as_slice))?;
    let streams = body["stream"] == json!(true);
    demand(
        streams || body["stream_options"].is_null(),
        "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
    )?;
    let format = &body["response_format"];
    let mut schema = None;
    if format["type"] == "json_schema" {
        let form = &format["json_schema"];
        demand(form["name"].is_string(), "Missing required parameter: response_format.name")?;
        if form["strict"] == json!(true) {
            check_strict(&form["schema"])?;
        }
        schema = Some(form["schema"].clone());
    }
    let tools = body["tools"].as_array().map_or(&[][..], Vec::as_slice);
    let forced = match &body["tool_choice"] {
        Value::Object(choice) => {
            tools.iter().find(|tool| tool["function"]["name"] == choice["function"]["name"])
        },
        choice if choice == "required" => tools.last(),
        _ => None,
    };
    Ok(Asked {
        model,
        streams,
        schema: forced.map(|tool| tool["function"]["parameters"].clone()).or(schema),
        answer_tool: forced.and_then(|tool| tool["function"]["name"].as_str()).map(str::to_owned),
        wants_usage: body["stream_options"]["include_usage"] == json!(true),
        bytes: request.body.len(),
    })
}

/// Every tool call is answered by a message of the role `tool` at once.
fn check_messages(messages: &[Value]) -> Result<(), Denied> {
    demand(!messages.is_empty(), "Invalid 'messages': empty array.")?;
    let mut open: Vec<&str> = Vec::new();
    for message in messages {
        let role = message["role"].as_str().unwrap_or_default();
        let known = matches!(role, "system" | "developer" | "user" | "assistant" | "tool");
        demand(known, "Invalid value for 'role'.")?;
        if role == "tool" {
            let id = message["tool_call_id"].as_str().unwrap_or_default();
            demand(open.contains(&id), "messages with role 'tool' must follow 'tool_calls'")?;
            open.retain(|known| *known != id);
            continue;
        }
        demand(
            open.is_empty(),
            "An assistant message with 'tool_calls' must be followed by tool messages",
        )?;
        let calls = message["tool_calls"].as_array();
        demand(
            message["content"].is_string() || message["content"].is_array() || calls.is_some(),
            "Invalid value for 'content': expected a string, got null.",
        )?;
        open = calls.into_iter().flatten().filter_map(|call| call["id"].as_str()).collect();
    }
    demand(open.is_empty(), "tool calls without an answer")
}

/// A strict schema closes every object and requires every member.
fn check_strict(schema: &Value) -> Result<(), Denied> {
    const REFUSED: &[&str] = &["minLength", "maxLength", "oneOf", "allOf", "default"];
    for word in REFUSED {
        let words = format!("Invalid schema for response_format: '{word}' is not permitted.");
        demand(schema.get(word).is_none(), &words)?;
    }
    if schema["type"] == "object" {
        demand(
            schema["additionalProperties"] == json!(false),
            "Invalid schema: 'additionalProperties' is required to be supplied and to be false.",
        )?;
        let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
        let mut names = schema["properties"].as_object().into_iter().flat_map(|map| map.keys());
        demand(
            names.all(|name| required.iter().any(|item| item == name)),
            "Invalid schema: 'required' must include every key in properties.",
        )?;
    }
    for inner in schema["properties"].as_object().into_iter().flat_map(|map| map.values()) {
        check_strict(inner)?;
    }
    if schema.get("items").is_some() {
        check_strict(&schema["items"])?;
    }
    Ok(())
}

pub(super) fn error(denied: &Denied) -> Value {
    let (kind, code) = match denied.code {
        "spent" => ("insufficient_quota", json!("insufficient_quota")),
        "rate_limit_error" => ("requests", json!("rate_limit_exceeded")),
        "authentication_error" => ("invalid_request_error", json!("invalid_api_key")),
        "not_found_error" => ("invalid_request_error", json!("model_not_found")),
        "api_error" | "timeout_error" => ("server_error", Value::Null),
        "overloaded_error" => ("service_unavailable", Value::Null),
        "permission_error" => ("permission_error", Value::Null),
        _ => ("invalid_request_error", Value::Null),
    };
    json!({ "error": { "message": denied.words, "type": kind, "param": null, "code": code } })
}

fn finish_reason(said: &Said) -> &'static str {
    match said.end {
        End::Done | End::Refused if said.tools.is_empty() => "stop",
        End::Done | End::Refused => "tool_calls",
        End::Cut => "length",
        End::Filtered => "content_filter",
    }
}

fn usage(said: &Said) -> Value {
    let used = said.used;
    json!({
        "prompt_tokens": used.input + used.cached,
        "completion_tokens": used.output,
        "total_tokens": used.input + used.cached + used.output,
        "prompt_tokens_details": { "cached_tokens": used.cached, "audio_tokens": 0 },
        "completion_tokens_details": { "reasoning_tokens": 2, "audio_tokens": 0 },
    })
}

fn call(at: usize, name: &str, arguments: &str) -> Value {
    json!({
        "id": format!("call_fake_{at}"),
        "type": "function",
        "function": { "name": name, "arguments": arguments },
    })
}

pub(super) fn whole(asked: &Asked, said: &Said) -> Value {
    let mut message = json!({ "role": "assistant", "content": null, "refusal": null });
    match said.end {
        End::Refused => message["refusal"] = json!("I cannot help with that."),
        _ if said.words.is_empty() => {},
        _ => message["content"] = json!(said.words),
    }
    if !said.tools.is_empty() {
        let calls = said.tools.iter().enumerate();
        message["tool_calls"] = calls.map(|(at, (name, args))| call(at, name, args)).collect();
    }
    json!({
        "id": "chatcmpl-fake-1",
        "object": "chat.completion",
        "created": 1_795_176_000,
        "model": asked.model,
        "choices": [{
            "index": 0, "message": message, "logprobs": null, "finish_reason": finish_reason(said),
        }],
        "usage": usage(said),
    })
}

pub(super) fn frames(asked: &Asked, said: &Said) -> Vec<Vec<u8>> {
    let chunk = |choices: Value, usage: Value| {
        frame(
            "",
            &json!({
                "id": "chatcmpl-fake-1",
                "object": "chat.completion.chunk",
                "created": 1_795_176_000,
                "model": asked.model,
                "choices": choices,
                "usage": usage,
            }),
        )
    };
    let delta = |delta: Value| {
        let choice = json!({ "index": 0, "delta": delta, "logprobs": null, "finish_reason": null });
        chunk(json!([choice]), Value::Null)
    };
    let mut frames = vec![delta(json!({ "role": "assistant", "content": "", "refusal": null }))];
    if said.end == End::Refused {
        frames.extend(
            pieces("I cannot help with that.").into_iter().map(|p| delta(json!({ "refusal": p }))),
        );
    } else {
        frames.extend(pieces(&said.words).into_iter().map(|p| delta(json!({ "content": p }))));
        for (at, (name, arguments)) in said.tools.iter().enumerate() {
            let mut first = call(at, name, "");
            first["index"] = json!(at);
            frames.push(delta(json!({ "tool_calls": [first] })));
            frames.extend(pieces(arguments).into_iter().map(|piece| {
                let more = json!({ "index": at, "function": { "arguments": piece } });
                delta(json!({ "tool_calls": [more] }))
            }));
        }
    }
    let last = json!({
        "index": 0, "delta": {}, "logprobs": null, "finish_reason": finish_reason(said),
    });
    frames.push(chunk(json!([last]), Value::Null));
    if said.ends_early {
        return frames;
    }
    if said.tells_usage && asked.wants_usage {
        frames.push(chunk(json!([]), usage(said)));
    }
    frames.push(b"data: [DONE]\n\n".to_vec());
    frames
}
