//! The outermost layer: request ids, and problems written down for whoever asked.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument as _;

use super::{Problem, ProblemDocument};
use crate::App;
use crate::ui;

/// The header that carries a request's id, both ways.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A caller's own id may be so long.
const REQUEST_ID_MAX: usize = 128;

/// Gives every request an id and every problem its document.
pub(crate) async fn dress(State(app): State<App>, request: Request, next: Next) -> Response {
    let id = given_id(request.headers()).unwrap_or_else(|| app.fresh_id("req").into());
    let path = request.uri().path().to_owned();
    let wants_page = wants_page(request.headers(), &path);
    let look = ui::Look::of(request.headers());
    let span = tracing::info_span!("request", id = %id, method = %request.method(), path);
    let response = next.run(request).instrument(span).await;
    let problem = response.extensions().get::<Arc<Problem>>().cloned();
    let mut response = match problem {
        Some(problem) if wants_page => {
            let page = super::page::render(&app, &problem, &id, look);
            dressed(response, page.into_response())
        },
        Some(problem) => dressed(response, document(&problem, &path, &id)),
        None => response,
    };
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response
}

/// A body for a response that has a status and headers already.
fn dressed(bare: Response, body: Response) -> Response {
    let (mut head, _) = bare.into_parts();
    let (body_head, body) = body.into_parts();
    head.headers.remove(CONTENT_LENGTH);
    head.headers.extend(body_head.headers);
    head.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Response::from_parts(head, body)
}

fn document(problem: &Problem, path: &str, request_id: &str) -> Response {
    let document = ProblemDocument {
        kind: format!("/problems/{}", problem.code.code),
        title: problem.code.title.into(),
        status: problem.code.status,
        detail: problem.detail.clone(),
        instance: path.into(),
        code: problem.code.code.into(),
        error: problem.code.title.into(),
        errors: problem.errors.clone(),
        hint: problem.hint.clone(),
        allowed: problem.allowed.clone(),
        retryable: problem.code.retryable,
        request_id: request_id.into(),
        more: problem.more.clone(),
    };
    let text = serde_json::to_string(&document).unwrap_or_default();
    ([(CONTENT_TYPE, "application/problem+json")], Body::from(text)).into_response()
}

/// A browser that walks about gets a page; everything under `/api` speaks JSON.
fn wants_page(headers: &HeaderMap, path: &str) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    !path.starts_with("/api/") && accept.contains("text/html")
}

fn given_id(headers: &HeaderMap) -> Option<Arc<str>> {
    let text = headers.get(X_REQUEST_ID)?.to_str().ok()?;
    let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b));
    (is_plain && !text.is_empty() && text.len() <= REQUEST_ID_MAX).then(|| text.into())
}
