//! Webhooks: whom events are sent to, how it went, and sending again.

use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use showrunner_journal::query::deliveries::{Delivery, DeliveryFilter};
use showrunner_journal::query::endpoints::Endpoint;

use super::parts::since;
use super::shell::{Frame, Reader};
use super::words::Texts;
use crate::App;
use crate::auth::Caller;
use crate::problem::{Problem, codes, shown};
use crate::routes::{Gives, Permission, Route, Takes};

/// Endpoints and deliveries that are shown.
const SHOWN_MAX: u32 = 50;

pub(super) fn table() -> Vec<Route> {
    let act = |path, operation| {
        Route::post(path, operation)
            .permit(Permission::Operate)
            .owned_by("id")
            .takes(Takes::Form(&[]))
            .answers(303, Gives::Nothing)
            .problems(&[&codes::STORAGE_FULL, &codes::NOT_SERVING])
    };
    vec![
        Route::get("/webhooks", "show_webhooks")
            .says("Whom events are sent to, and how it went.")
            .permit(Permission::Operate)
            .answers(200, Gives::Media("text/html"))
            .to(show),
        act("/webhooks/endpoints/{id}/test", "form_webhook_test")
            .says("Sends a test message.")
            .problems(&[&codes::UNKNOWN_ENDPOINT])
            .to(test),
        act("/webhooks/deliveries/{id}/resend", "form_webhook_resend")
            .says("Sends a message again.")
            .problems(&[&codes::UNKNOWN_DELIVERY])
            .to(resend),
    ]
}

async fn show(State(app): State<App>, caller: Caller, reader: Reader) -> Result<Markup, Problem> {
    let journal = app.runtime().journal();
    let endpoints = journal.endpoints(&caller.org, None, SHOWN_MAX).await?;
    let filter = DeliveryFilter { limit: SHOWN_MAX, ..DeliveryFilter::default() };
    let deliveries = journal.deliveries(&caller.org, &filter).await?;
    let frame = Frame::new(&app, &caller, reader);
    let words = frame.look.words();
    let content = html! {
        div class="page-head" { div { h1 { (words.hooks_title) } p class="lead" { (words.hooks_about) } } }
        section id="endpoints" {
            h2 { (words.hooks_endpoints) }
            @if endpoints.is_empty() { p class="muted empty" { (words.hooks_none) } }
            @else { (endpoint_rows(&frame, words, &endpoints)) }
        }
        section id="deliveries" {
            h2 { (words.hooks_deliveries) }
            @if deliveries.is_empty() { p class="muted empty" { (words.hooks_nothing) } }
            @else { (delivery_rows(&frame, words, &deliveries)) }
        }
    };
    Ok(frame.page(words.hooks_title, None, &content))
}

fn endpoint_rows(frame: &Frame<'_>, words: &Texts, endpoints: &[Endpoint]) -> Markup {
    html! {
        div class="table-wrap" { table class="rows" {
            thead { tr {
                th { (words.hooks_url) } th { (words.hooks_events) } th { (words.hooks_state) } th { (words.hooks_made) } th {}
            } }
            tbody { @for endpoint in endpoints { tr {
                td { (place(&endpoint.url)) br; span class="muted small" { (endpoint.description) } }
                td class="small" {
                    @if endpoint.events.is_empty() { (words.hooks_all) } @else { (endpoint.events.join(", ")) }
                }
                td {
                    @match (&endpoint.disabled_why, endpoint.failing_since) {
                        (Some(why), _) => { span class="badge" { (words.hooks_disabled) } " " span class="small" { (why) } }
                        (None, Some(at)) => { span class="badge" { (words.hooks_failing) } " " (since(at)) }
                        (None, None) => span class="badge" { (words.hooks_enabled) },
                    }
                }
                td { (since(endpoint.created_at)) }
                td {
                    form method="post" action=(format!("/webhooks/endpoints/{}/test", endpoint.id)) {
                        (frame.form_key())
                        button class="small" { (words.hooks_test) }
                    }
                }
            } } }
        } }
    }
}

fn delivery_rows(frame: &Frame<'_>, words: &Texts, deliveries: &[Delivery]) -> Markup {
    let state = |status: &str| match status {
        "delivered" => words.hooks_delivered,
        "failed" => words.hooks_failed,
        _ => words.hooks_pending,
    };
    html! {
        div class="table-wrap" { table class="rows" {
            thead { tr {
                th { (words.hooks_event) } th { (words.hooks_state) } th class="num" { (words.hooks_tries) }
                th { (words.hooks_answer) } th { (words.hooks_made) } th {}
            } }
            tbody { @for delivery in deliveries { tr {
                td {
                    code { (delivery.new.event) }
                    @if let Some(run) = &delivery.new.run_id {
                        br; a class="small" href=(format!("/runs/{run}")) { (run) }
                    }
                }
                td {
                    span class="badge" { (state(&delivery.status)) }
                    @if let Some(at) = delivery.next_at.filter(|_| delivery.attempts > 0) {
                        br; span class="muted small" { (words.hooks_next) " " (since(at)) }
                    }
                }
                td class="num" { (delivery.attempts) }
                td class="small" {
                    @if let Some(status) = delivery.last_status { (status) " " }
                    @if let Some(error) = &delivery.last_error { (shown(error)) }
                }
                td { (since(delivery.new.created_at)) }
                td {
                    form method="post" action=(format!("/webhooks/deliveries/{}/resend", delivery.new.id)) {
                        (frame.form_key())
                        button class="small" { (words.hooks_resend) }
                    }
                }
            } } }
        } }
    }
}

/// An address without its query, which may be a key.
fn place(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

async fn test(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    let endpoint = app.endpoint_of(&caller, &id).await?;
    app.runtime().send_test(&endpoint).await?;
    Ok(Redirect::to("/webhooks"))
}

async fn resend(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    let (delivery, _) = app.delivery_of(&caller, &id).await?;
    app.runtime().resend(&delivery).await?;
    Ok(Redirect::to("/webhooks"))
}
