//! Anthropic's side of Messages.

use serde_json::{Value, json};

use super::KEY;
use super::asked::{Asked, Denied, End, Said, demand, frame, pieces};
use super::serve::Request;

/// Models that refuse a forced tool and a temperature (the migration guides of the 5.5 models).
const STRICT: &[&str] = &["claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5"];

pub(super) fn asked(request: &Request, body: &Value) -> Result<Asked, Denied> {
    let bearer = format!("Bearer {KEY}");
    let is_known = request.header("x-api-key") == Some(KEY)
        || request.header("authorization") == Some(bearer.as_str());
    if !is_known {
        return Err(Denied::new(401, "authentication_error", "invalid x-api-key"));
    }
    let path = request.path.split('?').next();
    if request.method != "POST" || path != Some("/v1/messages") {
        return Err(Denied::new(404, "not_found_error", "Not found"));
    }
    let version = request.header("anthropic-version").unwrap_or_default();
    demand(version.len() == 10 && version.starts_with("202"), "anthropic-version: Field required")?;
    let model = body["model"].as_str().unwrap_or_default().to_owned();
    demand(!model.is_empty(), "model: Field required")?;
    demand(body["max_tokens"].as_u64().is_some_and(|n| n > 0), "max_tokens: Field required")?;
    demand(body["system"] != json!(""), "system: text content blocks must be non-empty")?;
    check_messages(body["messages"].as_array().map_or(&[][..], Vec::as_slice))?;
    let is_strict = STRICT.iter().any(|name| model.starts_with(name));
    let choice = body["tool_choice"]["type"].as_str().unwrap_or("auto");
    if is_strict {
        let forced = matches!(choice, "tool" | "any");
        demand(!forced, "tool_choice: forced tool use is not supported for this model")?;
        demand(body["temperature"].is_null(), "temperature: not supported for this model")?;
    }
    let tools = body["tools"].as_array().map_or(&[][..], Vec::as_slice);
    for tool in tools {
        demand(tool["input_schema"]["type"] == "object", "tools: input_schema: type: object")?;
    }
    let format = &body["output_config"]["format"];
    let mut schema = None;
    if !format.is_null() {
        demand(format["type"] == "json_schema", "output_config.format.type")?;
        check_closed(&format["schema"])?;
        schema = Some(format["schema"].clone());
    }
    // A forced tool: the named one, or the last of several.
    let forced = match choice {
        "tool" => tools.iter().find(|tool| tool["name"] == body["tool_choice"]["name"]),
        "any" => tools.last(),
        _ => None,
    };
    demand(choice != "tool" || forced.is_some(), "tool_choice: no such tool")?;
    let answer_tool = forced.and_then(|tool| tool["name"].as_str()).map(str::to_owned);
    Ok(Asked {
        model,
        streams: body["stream"] == json!(true),
        schema: forced.map(|tool| tool["input_schema"].clone()).or(schema),
        answer_tool,
        wants_usage: true,
        bytes: request.body.len(),
    })
}

/// A conversation begins with the user, ends with them, has no empty text, and answers every tool.
fn check_messages(messages: &[Value]) -> Result<(), Denied> {
    demand(!messages.is_empty(), "messages: at least one message is required")?;
    demand(messages[0]["role"] == "user", "messages: first message must use the user role")?;
    let last = &messages[messages.len() - 1];
    demand(last["role"] == "user", "messages: must end with a user message")?;
    let mut open: Vec<&str> = Vec::new();
    for message in messages {
        let blocks = match &message["content"] {
            content @ Value::String(_) => std::slice::from_ref(content),
            content => content.as_array().map_or(&[][..], Vec::as_slice),
        };
        demand(!blocks.is_empty(), "messages: content must not be empty")?;
        let answered: Vec<&str> =
            blocks.iter().filter_map(|block| block["tool_use_id"].as_str()).collect();
        demand(
            open.iter().all(|id| answered.contains(id)),
            "messages: `tool_use` ids were found without `tool_result` blocks immediately after",
        )?;
        demand(
            answered.iter().all(|id| open.contains(id)),
            "messages: unexpected `tool_use_id` found in `tool_result` blocks",
        )?;
        for block in blocks {
            if block["type"] == "text" {
                let text = block["text"].as_str().unwrap_or_default();
                demand(!text.trim().is_empty(), "messages: text content blocks must be non-empty")?;
            }
            if block["type"] == "tool_use" {
                demand(block["input"].is_object(), "messages: tool_use.input: must be an object")?;
            }
        }
        let uses = blocks.iter().filter(|block| block["type"] == "tool_use");
        open = uses.filter_map(|block| block["id"].as_str()).collect();
    }
    Ok(())
}

/// A schema for structured outputs: closed objects, no numeric bounds, no lengths.
fn check_closed(schema: &Value) -> Result<(), Denied> {
    const REFUSED: &[&str] =
        &["minLength", "maxLength", "minimum", "maximum", "multipleOf", "maxItems", "pattern"];
    for word in REFUSED {
        let words = format!("output_config.format.schema: property '{word}' is not supported");
        demand(schema.get(word).is_none(), &words)?;
    }
    if schema["type"] == "object" {
        demand(
            schema["additionalProperties"] == json!(false),
            "output_config.format.schema: 'additionalProperties' must be explicitly set to false",
        )?;
    }
    for inner in schema["properties"].as_object().into_iter().flat_map(|map| map.values()) {
        check_closed(inner)?;
    }
    if schema.get("items").is_some() {
        check_closed(&schema["items"])?;
    }
    Ok(())
}

pub(super) fn error(denied: &Denied) -> Value {
    let mut error = json!({ "type": denied.code, "message": denied.words });
    if denied.code == "spent" {
        error["type"] = json!("rate_limit_error");
        error["error_code"] = json!("enforced_spend_limit_reached");
        error["details"] = json!({ "error_code": "enforced_spend_limit_reached" });
    }
    json!({ "type": "error", "error": error, "request_id": "req_fake_0001" })
}

fn stop_reason(said: &Said) -> &'static str {
    match said.end {
        End::Done if said.tools.is_empty() => "end_turn",
        End::Done => "tool_use",
        End::Cut => "max_tokens",
        // Anthropic has no filter beside the model's own refusal.
        End::Refused | End::Filtered => "refusal",
    }
}

fn id(at: usize) -> String {
    format!("toolu_fake_{at}")
}

pub(super) fn whole(asked: &Asked, said: &Said) -> Value {
    let mut content = Vec::new();
    if !said.words.is_empty() {
        content.push(json!({ "type": "text", "text": said.words }));
    }
    for (at, (name, arguments)) in said.tools.iter().enumerate() {
        let input: Value = serde_json::from_str(arguments).unwrap_or_default();
        content.push(json!({ "type": "tool_use", "id": id(at), "name": name, "input": input }));
    }
    let mut message = start(asked, said);
    message["content"] = Value::Array(content);
    message["stop_reason"] = json!(stop_reason(said));
    message["usage"]["output_tokens"] = json!(said.used.output);
    message
}

fn start(asked: &Asked, said: &Said) -> Value {
    json!({
        "id": "msg_fake_1",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
        "usage": {
            "input_tokens": said.used.input,
            "cache_read_input_tokens": said.used.cached,
            "cache_creation_input_tokens": 0,
            "output_tokens": 1,
        },
    })
}

pub(super) fn frames(asked: &Asked, said: &Said) -> Vec<Vec<u8>> {
    let event = |data: Value| frame(data["type"].as_str().unwrap_or_default(), &data);
    let mut frames = vec![event(json!({ "type": "message_start", "message": start(asked, said) }))];
    frames.push(event(json!({ "type": "ping" })));
    let mut index = 0;
    let mut block = |start: Value, deltas: Vec<Value>| {
        frames.push(event(json!({
            "type": "content_block_start", "index": index, "content_block": start,
        })));
        frames.extend(deltas.into_iter().map(|delta| {
            event(json!({ "type": "content_block_delta", "index": index, "delta": delta }))
        }));
        frames.push(event(json!({ "type": "content_block_stop", "index": index })));
        index += 1;
    };
    if !said.words.is_empty() {
        let deltas = pieces(&said.words);
        let deltas = deltas.into_iter().map(|text| json!({ "type": "text_delta", "text": text }));
        block(json!({ "type": "text", "text": "" }), deltas.collect());
    }
    for (at, (name, arguments)) in said.tools.iter().enumerate() {
        let deltas = pieces(arguments);
        let deltas = deltas
            .into_iter()
            .map(|json| json!({ "type": "input_json_delta", "partial_json": json }));
        let start = json!({ "type": "tool_use", "id": id(at), "name": name, "input": {} });
        block(start, deltas.collect());
    }
    let mut end = json!({
        "type": "message_delta",
        "delta": { "stop_reason": stop_reason(said), "stop_sequence": null },
    });
    if said.tells_usage {
        end["usage"] = json!({ "output_tokens": said.used.output });
    }
    frames.push(event(end));
    if !said.ends_early {
        frames.push(event(json!({ "type": "message_stop" })));
    }
    frames
}
