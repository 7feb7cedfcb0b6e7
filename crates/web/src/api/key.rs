//! `Idempotency-Key`: what makes it safe to send a request again.

use axum::http::HeaderMap;
use serde_json::Value;
use showrunner_engine::turn::digest_of;

use crate::auth::Caller;
use crate::problem::{Problem, codes};

/// Keys are at most so long.
const KEY_MAX: usize = 255;

/// The caller's key for this request, as [`showrunner_runtime::StartRequest`] wants it: whose
/// keys, the key, and the digest of what was asked. `None` when there is no such header.
///
/// # Errors
/// A key that is empty, too long, or not printable.
pub fn of(
    headers: &HeaderMap,
    caller: &Caller,
    operation: &str,
    body: &Value,
) -> Result<Option<(String, String, String)>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    // As a structured header it is quoted; most clients send it bare.
    let key = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    if key.is_empty() || key.len() > KEY_MAX {
        let words = format!("Idempotency-Key: 1 to {KEY_MAX} printable ASCII characters");
        return Err(Problem::new(&codes::BAD_HEADER, words));
    }
    let scope = format!("{} {} {operation}", caller.org, caller.id);
    Ok(Some((scope, key.to_owned(), digest_of(body).to_string())))
}
