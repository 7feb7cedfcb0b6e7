//! Google's side of generateContent.

use serde_json::{Value, json};

use super::KEY;
use super::asked::{Asked, Denied, End, Said, demand, frame, pieces};
use super::serve::Request;

pub(super) fn asked(request: &Request, body: &Value) -> Result<Asked, Denied> {
    if request.header("x-goog-api-key") != Some(KEY) {
        return Err(Denied::new(
            400,
            "key_invalid",
            "API key not valid. Please pass a valid API key.",
        ));
    }
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    // Both versions are served; the SDK asks the first by itself.
    let place = path.strip_prefix("/v1/").or_else(|| path.strip_prefix("/v1beta/"));
    let place = place.and_then(|rest| rest.strip_prefix("models/")?.split_once(':'));
    let Some((model, verb)) = place else {
        return Err(Denied::new(404, "not_found_error", "Not found"));
    };
    let streams = match verb {
        "streamGenerateContent" => {
            demand(query.contains("alt=sse"), "this fake streams with alt=sse only")?;
            true
        },
        "generateContent" => false,
        _ => return Err(Denied::new(404, "not_found_error", "no such method")),
    };
    check_contents(body["contents"].as_array().map_or(&[][..], Vec::as_slice))?;
    let config = &body["generationConfig"];
    let schema = ["responseJsonSchema", "responseSchema"].iter().find_map(|n| config.get(*n));
    if schema.is_some() {
        demand(
            config["responseMimeType"] == "application/json",
            "response_mime_type must be application/json with a response schema",
        )?;
    }
    let declared = body["tools"][0]["functionDeclarations"].as_array();
    let tools = declared.map_or(&[][..], Vec::as_slice);
    demand(schema.is_none() || tools.is_empty(), "a response schema and tools together")?;
    let mode = body["toolConfig"]["functionCallingConfig"]["mode"].as_str();
    let forced = tools.last().filter(|_| mode == Some("ANY"));
    let schema = forced.map(|tool| &tool["parametersJsonSchema"]).or(schema).cloned();
    Ok(Asked {
        model: model.to_owned(),
        streams,
        schema,
        answer_tool: forced.and_then(|tool| tool["name"].as_str()).map(str::to_owned),
        wants_usage: true,
        bytes: request.body.len(),
    })
}

/// Roles take turns, and each call of a function is answered in the turn after it.
fn check_contents(contents: &[Value]) -> Result<(), Denied> {
    demand(!contents.is_empty(), "contents is not specified")?;
    let mut before = 0;
    for content in contents {
        let role = content["role"].as_str().unwrap_or("user");
        demand(matches!(role, "user" | "model"), "Please use a valid role: user, model.")?;
        let parts = content["parts"].as_array().map_or(&[][..], Vec::as_slice);
        demand(!parts.is_empty(), "contents.parts must not be empty")?;
        let count = |name: &str| parts.iter().filter(|part| part.get(name).is_some()).count();
        demand(
            count("functionResponse") == before,
            "the number of function response parts is not equal to the number of function call parts of the function call turn",
        )?;
        for part in parts {
            for name in ["functionCall", "functionResponse"] {
                if let Some(call) = part.get(name) {
                    demand(
                        call["name"].as_str().is_some_and(|n| !n.is_empty()),
                        "a call without a name",
                    )?;
                }
            }
        }
        before = count("functionCall");
    }
    demand(before == 0, "a function call turn must be followed by its responses")
}

pub(super) fn error(denied: &Denied) -> Value {
    let mut details = Vec::new();
    let status = match (denied.code, denied.status) {
        ("key_invalid", _) => {
            details.push(json!({
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
            }));
            "INVALID_ARGUMENT"
        },
        ("spent" | "rate_limit_error", _) => "RESOURCE_EXHAUSTED",
        ("authentication_error", _) => "UNAUTHENTICATED",
        ("permission_error", _) => "PERMISSION_DENIED",
        ("not_found_error", _) => "NOT_FOUND",
        ("conflict_error", _) => "ABORTED",
        ("overloaded_error", _) => "UNAVAILABLE",
        ("timeout_error", _) => "DEADLINE_EXCEEDED",
        ("api_error", _) => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    };
    let code = if denied.status == 529 { 503 } else { denied.status };
    json!({ "error": {
        "code": code, "message": denied.words, "status": status, "details": details,
    } })
}

fn finish_reason(said: &Said) -> &'static str {
    match said.end {
        End::Done => "STOP",
        End::Cut => "MAX_TOKENS",
        End::Refused => "PROHIBITED_CONTENT",
        End::Filtered => "SAFETY",
    }
}

fn usage(said: &Said) -> Value {
    let used = said.used;
    // A third of the output are thoughts, which are told apart and billed alike.
    let thoughts = used.output / 3;
    json!({
        "promptTokenCount": used.input + used.cached,
        "cachedContentTokenCount": used.cached,
        "candidatesTokenCount": used.output - thoughts,
        "thoughtsTokenCount": thoughts,
        "totalTokenCount": used.input + used.cached + used.output,
    })
}

fn chunk(asked: &Asked, parts: &[Value], end: Option<&Said>) -> Value {
    let mut candidate = json!({ "index": 0, "content": { "role": "model", "parts": parts } });
    let mut chunk = json!({ "modelVersion": asked.model, "responseId": "fake-1" });
    if let Some(said) = end {
        candidate["finishReason"] = json!(finish_reason(said));
        if said.tells_usage {
            chunk["usageMetadata"] = usage(said);
        }
    }
    chunk["candidates"] = json!([candidate]);
    chunk
}

fn calls(said: &Said) -> Vec<Value> {
    let calls = said.tools.iter().map(|(name, arguments)| {
        // Google's arguments are objects: what is no JSON cannot travel, and the model is cut off.
        let args: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
        json!({ "functionCall": { "name": name, "args": args } })
    });
    calls.collect()
}

pub(super) fn whole(asked: &Asked, said: &Said) -> Value {
    let words = (!said.words.is_empty()).then(|| json!({ "text": said.words }));
    chunk(asked, &words.into_iter().chain(calls(said)).collect::<Vec<_>>(), Some(said))
}

pub(super) fn frames(asked: &Asked, said: &Said) -> Vec<Vec<u8>> {
    let thought = json!({ "text": "Let me see.", "thought": true });
    let mut frames = vec![frame("", &chunk(asked, &[thought], None))];
    frames.extend(
        pieces(&said.words)
            .into_iter()
            .map(|piece| frame("", &chunk(asked, &[json!({ "text": piece })], None))),
    );
    frames.extend(calls(said).into_iter().map(|call| frame("", &chunk(asked, &[call], None))));
    frames.push(frame("", &chunk(asked, &[json!({ "text": "" })], Some(said))));
    frames
}
