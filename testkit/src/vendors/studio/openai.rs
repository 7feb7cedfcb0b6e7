//! OpenAI's side of images.

use serde_json::{Value, json};

use super::super::KEY;
use super::super::asked::{Denied, demand};
use super::super::picture::png;
use super::super::serve::Request;
use super::{Answer, Books};

/// Three bytes as four letters (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at > three.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

pub(super) fn answer(books: &Books, request: &Request) -> Result<Answer, Denied> {
    let bearer = format!("Bearer {KEY}");
    if request.header("authorization") != Some(bearer.as_str()) {
        return Err(Denied::new(401, "authentication_error", "Incorrect API key provided"));
    }
    if request.method != "POST" || request.path != "/v1/images/generations" {
        return Err(Denied::new(404, "not_found_error", "Invalid URL"));
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let model = body["model"].as_str().unwrap_or_default();
    if !model.starts_with("gpt-image-") || model == "gpt-image-1" {
        return Err(Denied::new(404, "not_found_error", "The model does not exist"));
    }
    demand(body["prompt"].as_str().is_some_and(|text| !text.is_empty()), "prompt")?;
    // Only the retired models took these.
    demand(body["response_format"].is_null(), "Unknown parameter: 'response_format'.")?;
    demand(body["style"].is_null(), "Unknown parameter: 'style'.")?;
    let (width, height, tokens) = match body["size"].as_str() {
        Some("1024x1024") => (1_024, 1_024, 1_056),
        Some("1536x1024") => (1_536, 1_024, 1_584),
        Some("1024x1536") => (1_024, 1_536, 1_584),
        _ => return Err(Denied::wrong("Invalid value: 'size'.")),
    };
    demand(body["quality"] == json!("medium"), "the fake counts medium quality only")?;
    let read = body["prompt"].as_str().map_or(0, |text| text.len().div_ceil(4));
    books.take(model, body.clone());
    Ok(Answer::json(
        200,
        &json!({
            "created": 1_795_176_000,
            "data": [{ "b64_json": base64(&png(width, height)) }],
            "output_format": "png",
            "quality": "medium",
            "size": body["size"],
            "usage": {
                "input_tokens": read,
                "input_tokens_details": { "text_tokens": read, "image_tokens": 0 },
                "output_tokens": tokens,
                "total_tokens": read + tokens,
            },
        }),
    ))
}
