//! What surrounds all routes: compression, panics caught, headers that browsers obey, ids.

use std::any::Any;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};

use crate::App;
use crate::problem::{Problem, codes, dress};

/// Only what this server itself sends is shown or run.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; media-src 'self'; \
    style-src 'self'; script-src 'self'; connect-src 'self'; object-src 'none'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

pub(crate) fn around(router: Router<App>, app: App) -> Router {
    let squeezed = DefaultPredicate::new()
        .and(NotForContentType::const_new("text/event-stream"))
        .and(NotForContentType::const_new("video/"))
        .and(NotForContentType::const_new("audio/"));
    router
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
        .layer(CatchPanicLayer::custom(caught))
        .layer(from_fn_with_state(app.clone(), dress))
        .layer(from_fn(guarded_headers))
        .layer(CompressionLayer::new().compress_when(squeezed))
        .with_state(app)
}

async fn nothing_here(request: Request) -> Problem {
    Problem::not_found(request.uri().path())
}

/// The path is known, the method is not. `Allow` is added by the router.
async fn other_method(request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let words = format!("{} does not know {}", request.uri().path(), request.method());
    Problem::new(&codes::METHOD_NOT_ALLOWED, words).into_response()
}

#[expect(clippy::needless_pass_by_value, reason = "the layer gives it away")]
fn caught(panic: Box<dyn Any + Send + 'static>) -> Response {
    let words = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(panic = words, "a handler panicked");
    let words = "the server's log says more, under the request id";
    Problem::new(&codes::INTERNAL, words).into_response()
}

async fn guarded_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &'static str); 4] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
