//! `/api/v1/webhooks/endpoints`: whom events are sent to. A secret is shown when it is made, and
//! never again.

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use showrunner_engine::at::Millis;
use showrunner_journal::query::endpoints::Endpoint;
use showrunner_providers::signing::{SECRET_BYTES, Secret};
use showrunner_runtime::webhooks::EVENT_TYPES;

use super::deliveries::DeliveryJson;
use crate::App;
use crate::auth::Caller;
use crate::body::Json;
use crate::page::{Cursor, Listing, Query};
use crate::problem::{Code, FieldError, Problem, codes, shown};
use crate::routes::{Gives, Permission, Route};
use crate::view::Instant;

/// Endpoints of an organisation, at most: each event is sent to each.
const ENDPOINTS_MAX: u64 = 50;
/// A replaced secret signs as well for so long where nobody says.
const OVERLAP_USUAL_SECS: u64 = 24 * 3600;
/// The longest that it may.
const OVERLAP_MAX_SECS: u64 = 7 * 24 * 3600;

/// What can be wrong with any change of an endpoint.
const CHANGE: &[&Code] = &[&codes::UNKNOWN_ENDPOINT, &codes::STORAGE_FULL, &codes::NOT_SERVING];

pub(super) fn table() -> Vec<Route> {
    let own = |method: Method, path, operation| {
        Route::new(method, path, operation)
            .permit(Permission::Operate)
            .owned_by("id")
            .problems(CHANGE)
    };
    const ALL: &str = "/api/v1/webhooks/endpoints";
    const ONE: &str = "/api/v1/webhooks/endpoints/{id}";
    vec![
        Route::post(ALL, "create_webhook_endpoint")
            .says("Sends events to a URL from now on; answers with the secret, once.")
            .permit(Permission::Operate)
            .takes_json::<EndpointBody>()
            .gives::<EndpointWithSecret>(201)
            .problems(&[&codes::ADDRESS_REFUSED, &codes::TOO_MANY_ENDPOINTS])
            .problems(&[&codes::STORAGE_FULL, &codes::NOT_SERVING])
            .repeated("Makes another endpoint, which is sent everything as well.")
            .to(create_endpoint),
        Route::get(ALL, "list_webhook_endpoints")
            .says("Lists the URLs that events are sent to, newest first.")
            .permit(Permission::Operate)
            .paged()
            .gives::<Listing<EndpointJson>>(200)
            .to(list_endpoints),
        own(Method::GET, ONE, "get_webhook_endpoint")
            .says("Reads an endpoint.")
            .gives::<EndpointJson>(200)
            .to(get_endpoint),
        own(Method::PATCH, ONE, "update_webhook_endpoint")
            .says("Changes an endpoint, or enables one that was disabled.")
            .takes_json::<EndpointPatch>()
            .gives::<EndpointJson>(200)
            .problems(&[&codes::ADDRESS_REFUSED])
            .repeated("Changes nothing more.")
            .to(update_endpoint),
        own(Method::DELETE, ONE, "delete_webhook_endpoint")
            .says("Sends nothing any more to an endpoint, not even what was queued.")
            .answers(204, Gives::Nothing)
            .repeated("Answers that there is no such endpoint.")
            .to(delete_endpoint),
        own(Method::POST, "/api/v1/webhooks/endpoints/{id}/rotate", "rotate_webhook_secret")
            .says("Makes a new secret; both sign for a while.")
            .takes_json_or_nothing::<RotateBody>()
            .gives::<EndpointWithSecret>(200)
            .repeated("Makes another secret; the one before it signs as well, older ones no more.")
            .to(rotate_secret),
        own(Method::POST, "/api/v1/webhooks/endpoints/{id}/test", "send_webhook_test")
            .says("Sends a `webhook.test` message.")
            .gives::<DeliveryJson>(202)
            .repeated("Sends another message.")
            .to(send_test),
    ]
}

/// An endpoint.
#[derive(Debug, Serialize, JsonSchema)]
struct EndpointJson {
    id: String,
    /// Where messages are posted to.
    url: String,
    description: String,
    /// Types of messages; all when empty.
    events: Vec<String>,
    enabled: bool,
    /// Why it is not.
    disabled_reason: Option<String>,
    /// Since when nothing has arrived.
    failing_since: Option<Instant>,
    /// It asked to be left alone until then.
    held_until: Option<Instant>,
    /// The secret before this one signs as well until then.
    rotation_until: Option<Instant>,
    created_at: Instant,
    created_by: String,
    updated_at: Instant,
}

impl EndpointJson {
    fn of(endpoint: &Endpoint) -> Self {
        Self {
            id: endpoint.id.clone(),
            url: endpoint.url.clone(),
            description: endpoint.description.clone(),
            events: endpoint.events.clone(),
            enabled: endpoint.is_enabled(),
            disabled_reason: endpoint.disabled_why.clone(),
            failing_since: endpoint.failing_since.map(Instant),
            held_until: endpoint.held_until.map(Instant),
            rotation_until: endpoint.secret_before.as_ref().map(|(_, until)| Instant(*until)),
            created_at: Instant(endpoint.created_at),
            created_by: endpoint.created_by.clone(),
            updated_at: Instant(endpoint.updated_at),
        }
    }
}

/// An endpoint whose secret is new.
#[derive(Debug, Serialize, JsonSchema)]
struct EndpointWithSecret {
    /// It.
    endpoint: EndpointJson,
    /// `whsec_…`: what its messages are signed with. Shown this once.
    secret: String,
}

/// An endpoint to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EndpointBody {
    /// Where messages are posted to: http or https, on the public internet or on the operator's list.
    #[schemars(length(min = 1, max = 2048))]
    url: String,
    /// For people.
    #[serde(default)]
    #[schemars(length(max = 500))]
    description: String,
    /// Types of messages; all when absent or empty.
    #[serde(default)]
    #[schemars(length(max = 50))]
    events: Vec<String>,
}

/// What is to be changed; what is absent stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EndpointPatch {
    /// Where messages are posted to.
    #[schemars(length(min = 1, max = 2048))]
    url: Option<String>,
    /// For people.
    #[schemars(length(max = 500))]
    description: Option<String>,
    /// Types of messages; all when empty.
    #[schemars(length(max = 50))]
    events: Option<Vec<String>>,
    /// Whether anything is sent.
    enabled: Option<bool>,
}

/// How a secret is replaced.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RotateBody {
    /// For how long the former secret signs as well; a day when absent, a week at most.
    #[schemars(range(max = 604_800))]
    overlap_seconds: Option<u64>,
}

async fn create_endpoint(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<EndpointBody>,
) -> Result<Response, Problem> {
    let EndpointBody { url, description, events } = body;
    known_events(&events)?;
    app.vetted(&url, "/url").await?;
    let journal = app.runtime().journal();
    if journal.endpoint_count(&caller.org).await? >= ENDPOINTS_MAX {
        let words = format!("your organisation has {ENDPOINTS_MAX} endpoints already");
        return Err(Problem::new(&codes::TOO_MANY_ENDPOINTS, words));
    }
    let (secret, now) = (fresh_secret()?, app.runtime().clock().now());
    let endpoint = Endpoint {
        id: app.fresh_id("whe"),
        org: caller.org.clone(),
        url,
        description,
        events,
        run_id: None,
        secret: Some(secret.text().to_owned()),
        secret_before: None,
        disabled_why: None,
        failing_since: None,
        held_until: None,
        created_at: now,
        created_by: caller.id,
        updated_at: now,
    };
    journal.put_endpoint(&endpoint).await?;
    app.runtime().endpoints_changed();
    let answer = EndpointWithSecret {
        endpoint: EndpointJson::of(&endpoint),
        secret: secret.text().to_owned(),
    };
    let location = format!("/api/v1/webhooks/endpoints/{}", endpoint.id);
    Ok((StatusCode::CREATED, [("location", location)], Answer(answer)).into_response())
}

async fn list_endpoints(
    State(app): State<App>,
    caller: Caller,
    query: Query,
) -> Result<Answer<Listing<EndpointJson>>, Problem> {
    let paging = query.paging()?;
    let before = paging.after.as_ref().map(|cursor| (cursor.at, cursor.id.as_str()));
    let rows = app.runtime().journal().endpoints(&caller.org, before, paging.limit).await?;
    let last = || rows.last().map(|row| Cursor { at: row.created_at, id: row.id.clone() });
    let next_cursor = paging.next(rows.len(), last);
    Ok(Answer(Listing { data: rows.iter().map(EndpointJson::of).collect(), next_cursor }))
}

async fn get_endpoint(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<EndpointJson>, Problem> {
    Ok(Answer(EndpointJson::of(&app.endpoint_of(&caller, &id).await?)))
}

async fn update_endpoint(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<EndpointPatch>,
) -> Result<Answer<EndpointJson>, Problem> {
    let mut endpoint = app.endpoint_of(&caller, &id).await?;
    if let Some(url) = body.url {
        app.vetted(&url, "/url").await?;
        endpoint.url = url;
    }
    if let Some(events) = body.events {
        known_events(&events)?;
        endpoint.events = events;
    }
    if let Some(description) = body.description {
        endpoint.description = description;
    }
    match body.enabled {
        // What was wrong counts from now on again.
        Some(true) => {
            endpoint.disabled_why = None;
            endpoint.failing_since = None;
            endpoint.held_until = None;
        },
        Some(false) if endpoint.is_enabled() => {
            endpoint.disabled_why = Some(format!("disabled by {}", caller.id));
        },
        Some(false) | None => {},
    }
    endpoint.updated_at = app.runtime().clock().now();
    app.runtime().journal().put_endpoint(&endpoint).await?;
    app.runtime().endpoints_changed();
    Ok(Answer(EndpointJson::of(&endpoint)))
}

async fn delete_endpoint(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let endpoint = app.endpoint_of(&caller, &id).await?;
    app.runtime().journal().remove_endpoint(&caller.org, &endpoint.id).await?;
    app.runtime().endpoints_changed();
    Ok(StatusCode::NO_CONTENT)
}

async fn rotate_secret(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<RotateBody>,
) -> Result<Answer<EndpointWithSecret>, Problem> {
    let overlap = body.overlap_seconds.unwrap_or(OVERLAP_USUAL_SECS).min(OVERLAP_MAX_SECS);
    let mut endpoint = app.endpoint_of(&caller, &id).await?;
    let (secret, now) = (fresh_secret()?, app.runtime().clock().now());
    let former = endpoint.secret.replace(secret.text().to_owned());
    let until = now.plus(Millis::from_secs(overlap));
    endpoint.secret_before = former.filter(|_| overlap > 0).map(|former| (former, until));
    endpoint.updated_at = now;
    app.runtime().journal().put_endpoint(&endpoint).await?;
    let endpoint = EndpointJson::of(&endpoint);
    Ok(Answer(EndpointWithSecret { endpoint, secret: secret.text().to_owned() }))
}

async fn send_test(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let endpoint = app.endpoint_of(&caller, &id).await?;
    let delivery = app.runtime().send_test(&endpoint).await?;
    Ok((StatusCode::ACCEPTED, Answer(DeliveryJson::of_new(&delivery))).into_response())
}

fn fresh_secret() -> Result<Secret, Problem> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(|fault| {
        tracing::error!(%fault, "the operating system gives no randomness");
        Problem::new(&codes::INTERNAL, "no secret could be made")
    })?;
    Ok(Secret::of(bytes))
}

/// A type of message that there is none of is a mistake: nothing would ever come.
pub(super) fn known_events(events: &[String]) -> Result<(), Problem> {
    let wrong: Vec<FieldError> = (0..)
        .zip(events)
        .filter(|(_, event)| !EVENT_TYPES.contains(&event.as_str()))
        .map(|(place, event): (usize, _)| {
            let known = EVENT_TYPES.join(", ");
            let words = format!("there is no type `{}`; known are {known}", shown(event));
            FieldError::new(format!("/events/{place}"), words)
        })
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(Problem::invalid(wrong)) }
}

impl App {
    /// A URL that may be asked, as far as is known now; it is looked at again each time.
    pub(super) async fn vetted(&self, url: &str, pointer: &str) -> Result<(), Problem> {
        match self.runtime().providers().egress().vet(url).await {
            Ok(_) => Ok(()),
            Err(refused) => {
                let error = FieldError::new(pointer, refused.detail.clone());
                let problem = Problem::new(&codes::ADDRESS_REFUSED, refused.detail)
                    .with_hint("an operator can allow hosts of the own network: showrunner serve --egress-allow HOST:PORT");
                Err(problem.with_errors(vec![error]))
            },
        }
    }

    pub(crate) async fn endpoint_of(&self, caller: &Caller, id: &str) -> Result<Endpoint, Problem> {
        let found = self.runtime().journal().endpoint(&caller.org, id).await?;
        found.filter(|endpoint| endpoint.run_id.is_none()).ok_or_else(|| {
            let words = format!("there is no endpoint {}", shown(id));
            Problem::new(&codes::UNKNOWN_ENDPOINT, words)
                .with_hint("GET /api/v1/webhooks/endpoints lists them")
        })
    }
}
