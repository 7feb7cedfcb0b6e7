//! ElevenLabs' side of text to speech.

use serde_json::{Value, json};

use super::super::KEY;
use super::super::asked::Denied;
use super::super::serve::Request;
use super::{Answer, Books};

/// Two empty frames of MPEG-1 layer III, 128 kbit/s, 44.1 kHz: 417 bytes each.
fn mp3() -> Vec<u8> {
    let mut frame = vec![0xff, 0xfb, 0x90, 0x00];
    frame.resize(417, 0);
    frame.repeat(2)
}

pub(super) fn answer(books: &Books, request: &Request) -> Result<Answer, Denied> {
    if request.header("xi-api-key") != Some(KEY) {
        return Err(Denied::new(401, "authentication_error", "Invalid API key"));
    }
    let path = request.path.split('?').next().unwrap_or_default();
    let voice = path.strip_prefix("/v1/text-to-speech/").filter(|voice| voice.len() == 20);
    if request.method != "POST" || voice.is_none() {
        return Err(Denied::new(404, "not_found_error", "A voice with this id was not found."));
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let is_said = body["text"].as_str().is_some_and(|text| !text.is_empty());
    if !is_said {
        return Err(Denied::new(422, "invalid_request_error", "text: field required"));
    }
    books.take(body["model_id"].as_str().unwrap_or("eleven_multilingual_v2"), body.clone());
    Ok(Answer { status: 200, media: "audio/mpeg", body: mp3() })
}

/// A refusal: `detail` with a typed `status`.
pub(super) fn error(denied: &Denied) -> Value {
    let status = match denied.code {
        "spent" => "quota_exceeded",
        "rate_limit_error" => "too_many_concurrent_requests",
        "authentication_error" => "invalid_api_key",
        "not_found_error" => "voice_not_found",
        "overloaded_error" => "system_busy",
        code => code,
    };
    json!({ "detail": { "status": status, "message": denied.words } })
}
