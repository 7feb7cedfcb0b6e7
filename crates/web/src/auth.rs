//! Who asks: a bearer token, or the session that a browser got for one.

mod secret;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use showrunner_engine::command::Principal;
use showrunner_engine::id::{Digest, OrgId};

use crate::App;
use crate::problem::{Problem, codes};

pub(crate) use secret::{SESSION_SPAN, Secret};

/// The cookie that holds a session.
pub(crate) const SESSION_COOKIE: &str = "sr_session";

/// Somebody who is known.
#[derive(Clone, Debug)]
pub struct Caller {
    /// For the record.
    pub id: String,
    /// In the organisation.
    pub roles: Vec<String>,
    /// Which organisation.
    pub org: OrgId,
    /// The session, when a browser asks.
    pub(crate) session: Option<String>,
}

impl Caller {
    /// As the engine wants to know them.
    pub fn principal(&self) -> Principal {
        Principal { id: self.id.clone(), roles: self.roles.clone() }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(unauthenticated)
    }
}

/// The caller behind these headers. Whatever is missing or wrong, the answer is the same.
pub(crate) async fn identify(app: &App, headers: &HeaderMap) -> Result<Caller, Problem> {
    if let Some(token) = bearer(headers) {
        return by_digest(app, &Digest::of(token.as_bytes()), None).await;
    }
    if let Some(session) = cookie(headers, SESSION_COOKIE) {
        let now = app.runtime().clock().now();
        if let Some(digest) = app.secret().open_session(session, now) {
            return by_digest(app, &digest, Some(session.to_owned())).await;
        }
    }
    Err(unauthenticated())
}

/// Tokens are found by their SHA-256: how long a look-up takes says nothing about a token.
pub(crate) async fn by_digest(
    app: &App,
    digest: &Digest,
    session: Option<String>,
) -> Result<Caller, Problem> {
    let stored = app.runtime().journal().token(digest).await.map_err(Problem::from)?;
    match stored {
        Some(token) if token.revoked_at.is_none() => {
            Ok(Caller { id: token.principal, roles: token.roles, org: token.org, session })
        },
        _ => Err(unauthenticated()),
    }
}

pub(crate) fn unauthenticated() -> Problem {
    Problem::new(&codes::UNAUTHENTICATED, "a valid token is needed")
        .with_hint("send `Authorization: Bearer <token>`, or open /login in a browser")
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The value of a cookie.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';')).find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    })
}
