//! What a vendor says when it refuses or fails: its status, its typed codes, and how long it asks
//! us to wait. The class comes from these and never from the message.
//!
//! Sources: the error pages of the three interfaces (Anthropic “Errors”, OpenAI “Error codes”,
//! Google “Troubleshooting” with `google.rpc.Status`), and the error types of their Python SDKs
//! (anthropic 2.10.0, openai 3.51.0, google-genai 3.3.0).

use jiff::SignedDuration;
use reqwest::header::HeaderMap;
use serde_json::Value;
use showrunner_engine::at::{Millis, Timestamp};
use showrunner_engine::failure::ErrorClass;

use crate::error::{CallFailure, Outcome, RETRY_AFTER_MAX, class_of_status, parse_retry_after};

/// How much of a vendor's own words is passed on, in characters.
const WORDS_MAX: usize = 300;
/// The longest request id or code that is taken for one.
const TOKEN_MAX: usize = 100;

/// A vendor's refusal as far as it could be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Problem {
    /// The HTTP status; none for one that came within an answer.
    pub(super) status: Option<u16>,
    /// The typed codes, the most exact first.
    codes: Vec<String>,
    /// The vendor's words.
    words: String,
    /// How long it asks us to wait.
    retry_after: Option<Millis>,
    /// Its name of the request, for its support.
    pub(super) request_id: Option<String>,
}

impl Problem {
    /// Reads an error body; `None` when it is none.
    pub(super) fn of_body(body: &[u8]) -> Option<Self> {
        Self::of_value(&serde_json::from_slice(body).ok()?)
    }

    /// Reads `{"error": …}` as all three vendors and those who imitate them write it.
    pub(super) fn of_value(value: &Value) -> Option<Self> {
        // Without `alt=sse` Google sends its errors as the first element of a list.
        let value = value.as_array().and_then(|list| list.first()).unwrap_or(value);
        let flat = value.get("object").and_then(Value::as_str) == Some("error");
        let error = if flat { value } else { value.get("error").filter(|e| !e.is_null())? };
        let mut problem = Self { request_id: token(value.get("request_id")), ..Self::default() };
        let details = error.get("details");
        problem.codes.extend(token(details.and_then(|details| details.get("error_code"))));
        problem.codes.extend(token(error.get("error_code")));
        for detail in details.and_then(Value::as_array).into_iter().flatten() {
            problem.codes.extend(token(detail.get("reason")));
            let delay = detail.get("retryDelay").and_then(Value::as_str);
            problem.retry_after = problem.retry_after.or_else(|| delay.and_then(go_duration));
        }
        for name in ["code", "type", "status"] {
            problem.codes.extend(token(error.get(name)));
        }
        let words = error.get("message").or(Some(error)).and_then(Value::as_str);
        words.unwrap_or_default().clone_into(&mut problem.words);
        Some(problem)
    }

    /// Reads `{"detail": …}` as vendors of media write it: fal a text or a list with a typed first
    /// entry, ElevenLabs an object with a typed `status`.
    pub(super) fn of_detail(value: &Value) -> Option<Self> {
        let detail = value.get("detail").filter(|detail| !detail.is_null())?;
        let detail = detail.as_array().and_then(|list| list.first()).unwrap_or(detail);
        let mut problem = Self::default();
        for name in ["code", "status", "type"] {
            problem.codes.extend(token(detail.get(name)));
        }
        let words = ["message", "msg"].iter().find_map(|name| detail.get(*name)?.as_str());
        words.or_else(|| detail.as_str()).unwrap_or_default().clone_into(&mut problem.words);
        Some(problem)
    }

    /// A problem of our own finding.
    pub(super) fn of_words(code: &str, words: &str) -> Self {
        Self { codes: vec![code.to_owned()], words: words.to_owned(), ..Self::default() }
    }

    /// Adds what the head of the answer says.
    pub(super) fn with_head(mut self, status: u16, headers: &HeaderMap, now: Timestamp) -> Self {
        self.status = Some(status);
        self.request_id = request_id(headers).or(self.request_id);
        self.retry_after = asked_pause(headers, now).or(self.retry_after);
        if self.retry_after.is_none() && status == 429 {
            self.retry_after = limit_reset(headers, now);
        }
        self
    }

    /// Its class, and whether the call may have been billed.
    fn class(&self) -> (ErrorClass, Outcome) {
        let said = self.codes.iter().find_map(|code| class_of_code(code, self.status.is_none()));
        let status = self.status.or_else(|| {
            // OpenRouter writes an HTTP status where OpenAI writes a code.
            self.codes.iter().find_map(|code| code.parse().ok())
        });
        said.or_else(|| status.map(class_of_status))
            .unwrap_or((ErrorClass::Transient, Outcome::Unknown))
    }

    /// As the failure of a call to `provider`. `begun`: part of an answer had come already, so
    /// that whatever the vendor says now, it may have billed that part.
    pub(super) fn into_failure(self, provider: &str, begun: bool) -> CallFailure {
        let (class, outcome) = self.class();
        let outcome = if begun { Outcome::Unknown } else { outcome };
        let is_number = |code: &&String| code.bytes().all(|byte| byte.is_ascii_digit());
        let code = match (self.codes.iter().find(|code| !is_number(code)), self.status) {
            (Some(code), _) => code.to_ascii_lowercase(),
            (None, Some(status)) => format!("http_{status}"),
            (None, None) => self
                .codes
                .first()
                .map_or_else(|| "vendor_error".to_owned(), |status| format!("http_{status}")),
        };
        let mut message = match self.status {
            Some(status) => format!("{provider} answered with status {status}"),
            None => format!("{provider} reported a failure within its answer"),
        };
        let words = shown(&self.words);
        if !words.is_empty() {
            message = format!("{message}: {words}");
        }
        if let Some(id) = &self.request_id {
            message = format!("{message} (request {id})");
        }
        let mut failure = CallFailure::new(class, outcome, code, message);
        failure.retry_after = self.retry_after.map(|pause| pause.min(RETRY_AFTER_MAX));
        failure.request_id = self.request_id;
        failure
    }
}

/// What a vendor's typed code means. `general`: also those which say less than a status does.
fn class_of_code(code: &str, general: bool) -> Option<(ErrorClass, Outcome)> {
    use ErrorClass as Class;
    use Outcome::{Refused, Unknown};
    Some(match code {
        // A spent limit does not come back by waiting a little, whatever status it comes with.
        "enforced_spend_limit_reached"
        | "contract_spend_limit_reached"
        | "linked_organization_spend_limit_reached"
        | "billing_error"
        | "insufficient_quota"
        | "quota_exceeded"
        | "billing_hard_limit_reached"
        | "billing_not_active" => (Class::QuotaExceeded, Refused),
        "rate_limit_error" | "rate_limit_exceeded" | "RESOURCE_EXHAUSTED" => {
            (Class::RateLimited, Refused)
        },
        // The key, the account or the model is wrong: this provider, not the work.
        "authentication_error"
        | "permission_error"
        | "invalid_api_key"
        | "API_KEY_INVALID"
        | "UNAUTHENTICATED"
        | "PERMISSION_DENIED"
        | "FAILED_PRECONDITION"
        | "not_found_error"
        | "model_not_found"
        | "NOT_FOUND" => (Class::Provider, Refused),
        // Another vendor may take what this one will not.
        "content_filter" | "content_policy_violation" | "invalid_prompt" => {
            (Class::Provider, Refused)
        },
        "context_length_exceeded" | "string_above_max_length" | "request_too_large" => {
            (Class::Validation, Refused)
        },
        "not_a_stream" => (Class::Provider, Unknown),
        "overloaded_error" | "UNAVAILABLE" | "conflict_error" | "ABORTED" => {
            (Class::Transient, Refused)
        },
        "timeout_error" | "DEADLINE_EXCEEDED" => (Class::Timeout, Unknown),
        "api_error" | "server_error" | "INTERNAL" | "UNKNOWN" if general => {
            (Class::Transient, Unknown)
        },
        // OpenAI says `invalid_request_error` with 401 and 404 too.
        "invalid_request_error" | "INVALID_ARGUMENT" if general => (Class::Validation, Refused),
        _ => return None,
    })
}

/// The vendor's name of the request.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    let named = ["request-id", "x-request-id", "x-generation-id", "x-goog-request-id"];
    named.iter().find_map(|name| {
        let text = headers.get(*name)?.to_str().ok()?;
        is_token(text).then(|| text.to_owned())
    })
}

/// The pause that the vendor asks for in so many words.
fn asked_pause(headers: &HeaderMap, now: Timestamp) -> Option<Millis> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // Both spellings are what the vendors' own clients honour, the exact one first.
    let millis = text("retry-after-ms").and_then(|text| {
        let whole = text.trim().split('.').next()?;
        whole.parse::<u64>().ok().map(|ms| Millis(ms).min(RETRY_AFTER_MAX))
    });
    millis.or_else(|| parse_retry_after(text("retry-after")?, now))
}

/// When the limit that was hit lets calls through again: the latest reset of those that have
/// nothing left. OpenAI writes a span (`6m0s`), Anthropic an instant (RFC 3339).
fn limit_reset(headers: &HeaderMap, now: Timestamp) -> Option<Millis> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let spent = |name: &str| text(name).is_some_and(|left| left.trim() == "0");
    let spans = ["requests", "tokens"].into_iter().filter_map(|what| {
        let reset = text(&format!("x-ratelimit-reset-{what}"))?;
        spent(&format!("x-ratelimit-remaining-{what}")).then(|| go_duration(reset)).flatten()
    });
    let instants =
        ["requests", "tokens", "input-tokens", "output-tokens"].into_iter().filter_map(|what| {
            let reset = text(&format!("anthropic-ratelimit-{what}-reset"))?;
            let at: jiff::Timestamp = reset.trim().parse().ok()?;
            spent(&format!("anthropic-ratelimit-{what}-remaining"))
                .then(|| Timestamp(at.as_microsecond()).millis_since(now))
        });
    spans.chain(instants).max().map(|pause| pause.min(RETRY_AFTER_MAX))
}

/// A span as Go and protobuf write it: `1s`, `20ms`, `6m0s`, `34.074824224s`.
fn go_duration(text: &str) -> Option<Millis> {
    let span: SignedDuration = text.trim().parse().ok()?;
    let millis = span.as_millis();
    u64::try_from(millis).ok().map(Millis)
}

/// A code as a vendor types it: a short word or a number.
fn token(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if is_token(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn is_token(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte);
    (1..=TOKEN_MAX).contains(&text.len()) && text.bytes().all(is_plain)
}

/// Words of a stranger, fit for a log and a page.
pub(super) fn shown(words: &str) -> String {
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain = words.chars().filter(|c| !c.is_control());
    let mut shown: String = plain.clone().take(WORDS_MAX).collect();
    if plain.count() > WORDS_MAX {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
