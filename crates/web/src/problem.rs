//! Everything a caller can be refused with, as RFC 9457 problem documents. A problem is a value
//! until the outermost layer writes it down: as JSON for programs, as a page for people.

pub mod codes;
mod map;
mod page;
mod write;

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

pub use codes::{CODES, Code};
pub(crate) use map::shown;
pub use page::problem_page;
pub(crate) use write::dress;

/// One thing wrong with what was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldError {
    /// JSON pointer to it; empty for the whole body.
    pub pointer: String,
    /// What is wrong, and what would be right.
    pub detail: String,
}

impl FieldError {
    /// A fault at a place.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

/// Why a request was not carried out. Small to hand around: what it says is on the heap.
#[derive(Clone, Debug)]
pub struct Problem(Box<Said>);

/// What a problem says.
#[derive(Clone, Debug)]
pub struct Said {
    pub(crate) code: &'static Code,
    pub(crate) detail: String,
    pub(crate) errors: Vec<FieldError>,
    pub(crate) hint: Option<String>,
    pub(crate) allowed: Option<Vec<String>>,
    pub(crate) more: Map<String, Value>,
    pub(crate) retry_after: Option<u32>,
}

impl Problem {
    /// A problem of this code; `detail` says what happened this time.
    pub fn new(code: &'static Code, detail: impl Into<String>) -> Self {
        let retry_after = code.retryable.then_some(2);
        Self(Box::new(Said {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            hint: None,
            allowed: None,
            more: Map::new(),
            retry_after,
        }))
    }

    /// With the places that are wrong.
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.0.errors = errors;
        self
    }

    /// With what to do about it.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// With what would be accepted instead.
    pub fn with_allowed(mut self, allowed: Vec<String>) -> Self {
        self.0.allowed = Some(allowed);
        self
    }

    /// With a member of its own.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.more.insert(name.to_owned(), value.into());
        self
    }

    /// What happened this time.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The places that are wrong.
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// The places that are wrong, to be put into a larger place.
    pub(crate) fn errors_mut(&mut self) -> &mut [FieldError] {
        &mut self.0.errors
    }

    /// Its code.
    pub fn code(&self) -> &'static str {
        self.0.code.code
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl std::ops::Deref for Problem {
    type Target = Said;

    fn deref(&self) -> &Said {
        &self.0
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status();
        if let Some(seconds) = self.0.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// The document as it is described in OpenAPI.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct ProblemDocument {
    /// Where the code is explained.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code in words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// The path that was asked.
    pub instance: String,
    /// Stable, for programs.
    pub code: String,
    /// `title` again, where older clients look for it.
    pub error: String,
    /// What is wrong with the body, all of it at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What would be accepted instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<String>>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// To find it in the log.
    pub request_id: String,
    /// Members that belong to the code.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}
