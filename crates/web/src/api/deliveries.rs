//! `/api/v1/webhooks/deliveries`: what was sent, how it went, and sending it again.

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use showrunner_engine::id::RunId;
use showrunner_journal::query::deliveries::{Delivery, DeliveryFilter, NewDelivery, Try};

use crate::App;
use crate::auth::Caller;
use crate::page::{Cursor, Listing, Query};
use crate::problem::{Problem, codes, shown};
use crate::routes::{Permission, Route};
use crate::view::Instant;

/// What a delivery can be.
const STATUSES: [&str; 3] = ["pending", "delivered", "failed"];

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/api/v1/webhooks/deliveries", "list_webhook_deliveries")
            .says("Lists what was sent or is to be, newest first.")
            .permit(Permission::Operate)
            .paged()
            .query("endpoint", "string", "The id of an endpoint.")
            .query("status", "string", "`pending`, `delivered`, `failed`.")
            .query("run", "string", "The id of a run.")
            .gives::<Listing<DeliveryJson>>(200)
            .to(list_deliveries),
        Route::get("/api/v1/webhooks/deliveries/{id}", "get_webhook_delivery")
            .says("Reads a delivery, with its body and each try.")
            .permit(Permission::Operate)
            .owned_by("id")
            .gives::<DeliveryDetail>(200)
            .problems(&[&codes::UNKNOWN_DELIVERY])
            .to(get_delivery),
        Route::new(
            Method::POST,
            "/api/v1/webhooks/deliveries/{id}/resend",
            "resend_webhook_delivery",
        )
        .says("Sends a message again, under its old id.")
        .permit(Permission::Operate)
        .owned_by("id")
        .gives::<DeliveryJson>(202)
        .problems(&[&codes::UNKNOWN_DELIVERY, &codes::STORAGE_FULL, &codes::NOT_SERVING])
        .repeated("Sends the same message once more, under the same id.")
        .to(resend),
    ]
}

/// A message on its way to an endpoint.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct DeliveryJson {
    id: String,
    endpoint: String,
    /// `webhook-id`: the same for all endpoints, tries and resends.
    message_id: String,
    /// `run.completed` …
    event: String,
    run: Option<String>,
    /// The number of the event it is about.
    seq: u64,
    /// `pending`, `delivered`, `failed`.
    status: String,
    attempts: u32,
    created_at: Instant,
    /// When it is tried next.
    next_attempt_at: Option<Instant>,
    ended_at: Option<Instant>,
    /// The status of the last answer.
    last_status: Option<u32>,
    last_error: Option<String>,
}

/// A delivery and everything about it.
#[derive(Debug, Serialize, JsonSchema)]
struct DeliveryDetail {
    #[serde(flatten)]
    delivery: DeliveryJson,
    /// What was sent.
    body: Value,
    tries: Vec<TryJson>,
}

/// One try.
#[derive(Debug, Serialize, JsonSchema)]
struct TryJson {
    /// From 1.
    no: u32,
    at: Instant,
    /// Of the answer; absent when there was none.
    status: Option<u32>,
    duration_ms: u64,
    error: Option<String>,
    /// The beginning of the answer's body.
    response_excerpt: Option<String>,
}

impl DeliveryJson {
    pub(super) fn of_new(new: &NewDelivery) -> Self {
        Self {
            id: new.id.clone(),
            endpoint: new.endpoint.clone(),
            message_id: new.message.clone(),
            event: new.event.clone(),
            run: new.run_id.as_ref().map(ToString::to_string),
            seq: new.seq,
            status: "pending".into(),
            attempts: 0,
            created_at: Instant(new.created_at),
            next_attempt_at: Some(Instant(new.created_at)),
            ended_at: None,
            last_status: None,
            last_error: None,
        }
    }

    fn of(delivery: &Delivery) -> Self {
        Self {
            status: delivery.status.clone(),
            attempts: delivery.attempts,
            next_attempt_at: delivery.next_at.map(Instant),
            ended_at: delivery.ended_at.map(Instant),
            last_status: delivery.last_status,
            last_error: delivery.last_error.clone(),
            ..Self::of_new(&delivery.new)
        }
    }
}

impl TryJson {
    fn of(tried: Try) -> Self {
        Self {
            no: tried.no,
            at: Instant(tried.at),
            status: tried.status,
            duration_ms: tried.duration_ms,
            error: tried.error,
            response_excerpt: tried.excerpt,
        }
    }
}

async fn list_deliveries(
    State(app): State<App>,
    caller: Caller,
    query: Query,
) -> Result<Answer<Listing<DeliveryJson>>, Problem> {
    let paging = query.paging()?;
    let status = query.get("status");
    if let Some(status) = status.filter(|status| !STATUSES.contains(status)) {
        let words = format!("there is no status `{}`", shown(status));
        let known = STATUSES.map(str::to_owned).to_vec();
        return Err(Problem::new(&codes::BAD_QUERY, words).with_allowed(known));
    }
    let filter = DeliveryFilter {
        endpoint: query.get("endpoint").map(str::to_owned),
        status: status.map(str::to_owned),
        run: query.get("run").map(RunId::from),
        before: paging.after.clone().map(|cursor| (cursor.at, cursor.id)),
        limit: paging.limit,
    };
    let rows = app.runtime().journal().deliveries(&caller.org, &filter).await?;
    let last = || rows.last().map(|row| Cursor { at: row.new.created_at, id: row.new.id.clone() });
    let next_cursor = paging.next(rows.len(), last);
    Ok(Answer(Listing { data: rows.iter().map(DeliveryJson::of).collect(), next_cursor }))
}

async fn get_delivery(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<DeliveryDetail>, Problem> {
    let (delivery, tries) = app.delivery_of(&caller, &id).await?;
    let body = serde_json::from_str(&delivery.new.body).unwrap_or_default();
    let tries = tries.into_iter().map(TryJson::of).collect();
    Ok(Answer(DeliveryDetail { delivery: DeliveryJson::of(&delivery), body, tries }))
}

async fn resend(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (delivery, _) = app.delivery_of(&caller, &id).await?;
    let again = app.runtime().resend(&delivery).await?;
    Ok((StatusCode::ACCEPTED, Answer(DeliveryJson::of_new(&again))).into_response())
}

impl App {
    pub(crate) async fn delivery_of(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<(Delivery, Vec<Try>), Problem> {
        self.runtime().journal().delivery(&caller.org, id).await?.ok_or_else(|| {
            let words = format!("there is no delivery {}", shown(id));
            Problem::new(&codes::UNKNOWN_DELIVERY, words)
                .with_hint("GET /api/v1/webhooks/deliveries lists them")
        })
    }
}
