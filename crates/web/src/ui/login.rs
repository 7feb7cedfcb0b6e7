//! Signing in and out. A browser gets a session for a token; the token itself is not kept in it.

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use showrunner_engine::id::Digest;

use super::{Look, shell};
use crate::App;
use crate::auth::{self, SESSION_COOKIE};
use crate::body::Form;
use crate::page::Query;
use crate::problem::Problem;
use crate::routes::{Gives, Permission, Route, Takes};

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/login", "show_login")
            .says("The form to sign in; with `token` the sign-in itself.")
            .permit(Permission::Open)
            .query("token", "string", "Signs in at once.")
            .answers(200, Gives::Media("text/html"))
            .answers(303, Gives::Nothing)
            .answers(403, Gives::Media("text/html"))
            .to(show),
        Route::post("/login", "sign_in")
            .says("Signs in.")
            .permit(Permission::Open)
            .takes(Takes::Form(&["token"]))
            .answers(303, Gives::Nothing)
            .answers(403, Gives::Media("text/html"))
            .to(sign_in),
        Route::post("/logout", "sign_out")
            .says("Ends the session in this browser.")
            .permit(Permission::Read)
            .takes(Takes::Form(&[]))
            .answers(303, Gives::Nothing)
            .to(sign_out),
    ]
}

async fn show(
    State(app): State<App>,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Problem> {
    match query.get("token") {
        Some(token) => enter(&app, &headers, token).await,
        None => Ok(form(Look::of(&headers), false)),
    }
}

async fn sign_in(
    State(app): State<App>,
    headers: HeaderMap,
    fields: Form,
) -> Result<Response, Problem> {
    enter(&app, &headers, fields.get("token").unwrap_or_default()).await
}

/// To the home page with a session, which takes the token out of the address bar.
async fn enter(app: &App, headers: &HeaderMap, token: &str) -> Result<Response, Problem> {
    let digest = Digest::of(token.as_bytes());
    match auth::by_digest(app, &digest, None).await {
        Ok(_) => {},
        Err(problem) if problem.status() == StatusCode::UNAUTHORIZED => {
            return Ok(form(Look::of(headers), true));
        },
        Err(problem) => return Err(problem),
    }
    let session = app.secret().session(&digest, app.runtime().clock().now());
    let span = auth::SESSION_SPAN.0 / 1000;
    let cookie =
        format!("{SESSION_COOKIE}={session}; Path=/; Max-Age={span}; HttpOnly; SameSite=Lax");
    Ok(([(SET_COOKIE, cookie)], Redirect::to("/")).into_response())
}

async fn sign_out() -> Response {
    let cookie = format!("{SESSION_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    ([(SET_COOKIE, cookie)], Redirect::to("/login")).into_response()
}

fn form(look: Look, was_wrong: bool) -> Response {
    let words = look.words();
    let page = shell::plain(
        look,
        words.login_title,
        &html! {
            form class="notice login" method="post" action="/login" {
                h1 { (words.login_title) }
                p { (words.login_about) }
                @if was_wrong { p class="wrong" role="alert" { (words.login_wrong) } }
                label for="token" { (words.login_token) }
                input id="token" name="token" type="password" required autofocus
                    autocomplete="current-password" spellcheck="false";
                button class="primary" { (words.sign_in) }
                p class="muted small" { (words.login_where) }
            }
        },
    );
    let status = if was_wrong { StatusCode::FORBIDDEN } else { StatusCode::OK };
    (status, page).into_response()
}
