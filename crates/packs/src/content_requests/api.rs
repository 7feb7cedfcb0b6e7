//! `/api/v1/requests` and `/api/v1/tasks`: the interface that clients of content requests know.

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use showrunner_engine::command::{AnswerCheckpoint, Command};
use showrunner_engine::definition::{StepKind, Verb};
use showrunner_engine::id::{Digest, StepKey};
use showrunner_engine::run::Run;
use showrunner_journal::query::runs::{PAGE_MAX, RunFilter};
use showrunner_web::api::{key, mark_accepted};
use showrunner_web::body::{Any, Json};
use showrunner_web::page::{Cursor, Paging, Query};
use showrunner_web::problem::{Code, codes};
use showrunner_web::routes::{ANSWERED_AGAIN, DONE_AGAIN, Permission, REFUSED_AGAIN, Route};
use showrunner_web::view::Instant;
use showrunner_web::{App, Caller, Problem};

use super::brand::{BrandsJson, list_brands};
use super::brief::{Brief, RequestType};
use super::create::create;
use super::estimate::Estimate;
use super::event::{RequestEvent, tell};
use super::request::{RequestJson, RequestRow, find, row_status, status};
use super::task::{self, TaskJson};

/// What can be wrong with any change of a request.
const CHANGE: &[&Code] = &[
    &codes::UNKNOWN_RUN,
    &codes::UNKNOWN_STEP,
    &codes::RUN_STATE,
    &codes::STEP_STATE,
    &codes::STORAGE_FULL,
    &codes::NOT_SERVING,
];
const DECIDE: &[&Code] =
    &[&codes::ALREADY_ANSWERED, &codes::ALREADY_VOTED, &codes::NOT_OFFERED, &codes::STALE_CONTENT];
/// Statuses of a request.
const STATUSES: [&str; 7] =
    ["intake", "draft", "production", "qa", "published", "cancelled", "failed"];

pub(super) fn table() -> Vec<Route> {
    let mut table = vec![
        Route::get("/api/v1/brands", "list_brands")
            .says("Lists the brands.")
            .gives::<BrandsJson>(200)
            .to(list_brands),
        Route::post("/api/v1/requests", "create_request")
            .says("Asks for content; work begins at once.")
            .takes_json::<Brief>()
            .idempotent()
            .gives::<Enveloped<Accepted>>(202)
            .problems(&[&codes::UNKNOWN_BRAND, &codes::STORAGE_FULL])
            .to(create_request),
        Route::get("/api/v1/requests", "list_requests")
            .says("Lists requests, newest first.")
            .paged()
            .query("status", "string", "A status of requests.")
            .query("brand_id", "string", "UUID of a brand.")
            .query("type", "string", "`image`, `video_with_vo`, `video_no_vo`.")
            .gives::<Page<RequestRow>>(200)
            .to(list_requests),
        Route::get("/api/v1/requests/{id}", "get_request")
            .says("Reads a request.")
            .owned_by("id")
            .gives::<Enveloped<RequestJson>>(200)
            .problems(&[&codes::UNKNOWN_RUN])
            .to(get_request),
        Route::get("/api/v1/requests/{id}/tasks", "list_tasks")
            .says("Lists the tasks of a request.")
            .owned_by("id")
            .gives::<Enveloped<Vec<TaskJson>>>(200)
            .problems(&[&codes::UNKNOWN_RUN])
            .to(list_tasks),
        Route::get("/api/v1/requests/{id}/events", "list_request_events")
            .says("Lists what happened to a request.")
            .owned_by("id")
            .gives::<Enveloped<Vec<RequestEvent>>>(200)
            .problems(&[&codes::UNKNOWN_RUN])
            .to(list_events),
    ];
    table.extend(changes());
    table.extend(super::dlq::table());
    table
}

/// What is asked of a request or a task that is there.
fn changes() -> Vec<Route> {
    let change = |path, operation| {
        Route::post(path, operation)
            .owned_by("id")
            .gives::<Enveloped<Changed>>(200)
            .problems(CHANGE)
    };
    vec![
        change("/api/v1/requests/{id}/approve", "approve_request")
            .repeated(ANSWERED_AGAIN)
            .says("Approves and publishes.")
            .permit(Permission::Decide)
            .takes_json_or_nothing::<Approval>()
            .problems(DECIDE)
            .to(approve),
        change("/api/v1/requests/{id}/reject", "reject_request")
            .repeated(ANSWERED_AGAIN)
            .says("Sends the work back with what should change.")
            .permit(Permission::Decide)
            .takes_json::<Rejection>()
            .problems(DECIDE)
            .to(reject),
        change("/api/v1/requests/{id}/cancel", "cancel_request")
            .repeated(REFUSED_AGAIN)
            .says("Ends a request.")
            .takes_json_or_nothing::<Cancellation>()
            .to(cancel),
        change("/api/v1/requests/{id}/rollback", "roll_back_request")
            .repeated(DONE_AGAIN)
            .says("Puts a request back into an earlier status.")
            .takes_json::<Rollback>()
            .problems(&[&codes::UNKNOWN_PHASE])
            .to(roll_back),
        change("/api/v1/tasks/{id}/retry", "retry_task")
            .repeated(DONE_AGAIN)
            .says("Does a task again, with everything that depends on it.")
            .takes_json_or_nothing::<Retry>()
            .to(retry_task),
    ]
}

/// The envelope of all answers.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Enveloped<T> {
    /// Always true; what went wrong is a problem.
    success: bool,
    data: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

pub(super) fn enveloped<T>(data: T) -> Answer<Enveloped<T>> {
    Answer(Enveloped { success: true, data, message: None })
}

/// The envelope of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Page<T> {
    pub(super) success: bool,
    pub(super) data: Vec<T>,
    pub(super) next_cursor: Option<String>,
}

/// A request that was accepted.
#[derive(Debug, Serialize, JsonSchema)]
struct Accepted {
    id: String,
    /// `intake`.
    status: &'static str,
    title: String,
    request_type: &'static str,
    /// Dollars.
    estimated_cost: f64,
    estimated_time_seconds: u64,
    /// The same with its bounds, and where it comes from.
    estimate: Estimate,
    created_at: Instant,
    /// Members of the request that have no effect on what is asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    without_effect: Vec<&'static str>,
}

async fn create_request(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Any(asked): Any,
    Json(brief): Json<Brief>,
) -> Result<Response, Problem> {
    let key = key::of(&headers, &caller, "create_request", &asked)?;
    let created = create(&app, &caller, &brief, key).await?;
    let data = Accepted {
        id: created.run.id.to_string(),
        status: "intake",
        title: brief.title.clone(),
        request_type: brief.request_type.name(),
        estimated_cost: created.estimate.cost.median,
        estimated_time_seconds: created.estimate.whole_seconds(),
        estimate: created.estimate,
        created_at: created.run.started_at.into(),
        without_effect: brief
            .without_effect(|name| app.runtime().providers().media_meant(name).is_some()),
    };
    let location = format!("/api/v1/requests/{}", data.id);
    let message = Some("Request created and processing started".to_owned());
    let answer = Answer(Enveloped { success: true, data, message });
    let mut response = (StatusCode::ACCEPTED, answer).into_response();
    mark_accepted(&mut response, &location, created.is_new);
    Ok(response)
}

/// How many rows are looked at for one page, where the status must be found among them.
const LOOKED_AT_MAX: usize = 2_000;

async fn list_requests(
    State(app): State<App>,
    caller: Caller,
    query: Query,
) -> Result<Answer<Page<RequestRow>>, Problem> {
    let paging = query.paging()?;
    let wanted = query.get("status");
    let mut filter = filter(&caller, &query, &paging)?;
    let limit = usize::try_from(paging.limit).unwrap_or(1);
    let (mut data, mut looked_at, mut next_cursor) = (Vec::new(), 0, None);
    loop {
        let rows = app.runtime().journal().list_runs(&filter).await?;
        looked_at += rows.len();
        let is_last = rows.len() < usize::try_from(filter.limit).unwrap_or(1);
        for row in &rows {
            filter.after = Some((row.started_at, row.id.clone()));
            if wanted.is_none_or(|wanted| row_status(row) == wanted) {
                data.push(RequestRow::of(row));
            }
            if data.len() == limit {
                break;
            }
        }
        if data.len() == limit || (looked_at >= LOOKED_AT_MAX && !is_last) {
            let last = filter.after.take();
            next_cursor = last.map(|(at, id)| Cursor { at, id: id.to_string() }.to_text());
            break;
        }
        if is_last {
            break;
        }
    }
    Ok(Answer(Page { success: true, data, next_cursor }))
}

/// What the journal can narrow down by itself; a phase it cannot.
fn filter(caller: &Caller, query: &Query, paging: &Paging) -> Result<RunFilter, Problem> {
    let mut statuses: &[&str] = &[];
    match query.get("status") {
        None => {},
        Some("published") => statuses = &["completed", "delivered"],
        Some("failed") => statuses = &["failed"],
        Some("cancelled") => statuses = &["cancelled"],
        Some(status) if STATUSES.contains(&status) => {
            statuses = &["pending", "running", "waiting", "paused", "closing"];
        },
        Some(_) => {
            return Err(Problem::new(&codes::BAD_QUERY, "`status` is no status of requests")
                .with_allowed(STATUSES.map(str::to_owned).to_vec()));
        },
    }
    let brand = query.get("brand_id").map(|id| ("brand_id".to_owned(), id.to_ascii_lowercase()));
    let kinds = match query.get("type") {
        None => RequestType::ALL.to_vec(),
        Some(name) => vec![RequestType::of(&name.to_ascii_lowercase()).ok_or_else(|| {
            Problem::new(&codes::BAD_QUERY, "`type` is no type of requests")
                .with_allowed(RequestType::ALL.map(|kind| kind.name().to_owned()).to_vec())
        })?],
    };
    Ok(RunFilter {
        org: Some(caller.org.clone()),
        statuses: statuses.iter().map(ToString::to_string).collect(),
        slugs: kinds.iter().map(|kind| kind.slug().to_owned()).collect(),
        labels: brand.into_iter().collect(),
        after: paging.after.clone().map(Cursor::of_run),
        limit: if query.get("status").is_some() { PAGE_MAX } else { paging.limit },
        ..RunFilter::default()
    })
}

async fn get_request(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<Enveloped<RequestJson>>, Problem> {
    let run = find(&app, &caller, &id).await?;
    let actual = app.runtime().journal().actual(&run.id).await?;
    Ok(enveloped(RequestJson::of(&run, actual)))
}

async fn list_tasks(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<Enveloped<Vec<TaskJson>>>, Problem> {
    Ok(enveloped(task::all(&*find(&app, &caller, &id).await?)))
}

async fn list_events(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<Enveloped<Vec<RequestEvent>>>, Problem> {
    let run = find(&app, &caller, &id).await?;
    let batches = app.runtime().journal().read(&run.id, 0).await?;
    Ok(enveloped(tell(&run, &batches)?))
}

/// Where a request stands after a change.
#[derive(Debug, Serialize, JsonSchema)]
struct Changed {
    id: String,
    status: String,
    run_status: String,
    /// The number of the run's newest event.
    seq: u64,
}

async fn change(
    app: &App,
    caller: &Caller,
    run: &Run,
    command: Command,
) -> Result<Answer<Enveloped<Changed>>, Problem> {
    let receipt = app.runtime().submit(&run.id, command).await?;
    let after = app.run_of(caller, run.id.as_str()).await?;
    Ok(enveloped(Changed {
        id: run.id.to_string(),
        status: status(&after).into(),
        run_status: receipt.status.name().into(),
        seq: receipt.seq,
    }))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Approval {
    /// For the record.
    #[schemars(length(max = 5000))]
    comment: Option<String>,
    /// The digest of what was looked at.
    digest: Option<String>,
}

async fn approve(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Approval>,
) -> Result<Answer<Enveloped<Changed>>, Problem> {
    answer(&app, &caller, &id, (Verb::Continue, body.comment, body.digest)).await
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rejection {
    /// What should change.
    #[schemars(length(min = 1, max = 5000), regex(pattern = r"\S"))]
    feedback: String,
    /// The digest of what was looked at.
    digest: Option<String>,
}

async fn reject(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Rejection>,
) -> Result<Answer<Enveloped<Changed>>, Problem> {
    answer(&app, &caller, &id, (Verb::Retry, Some(body.feedback), body.digest)).await
}

async fn answer(
    app: &App,
    caller: &Caller,
    id: &str,
    (verb, comment, digest): (Verb, Option<String>, Option<String>),
) -> Result<Answer<Enveloped<Changed>>, Problem> {
    let run = find(app, caller, id).await?;
    let command = Command::AnswerCheckpoint(Box::new(AnswerCheckpoint {
        step: approval_of(&run),
        verb,
        by: caller.principal(),
        comment,
        modifications: None,
        digest: digest.map(Digest::from),
    }));
    change(app, caller, &run, command).await
}

/// The step at which a person approves: the one that asks, or else the only one there is, so that
/// the refusal says what state it is in.
fn approval_of(run: &Run) -> StepKey {
    let is_checkpoint = |no: &u32| matches!(run.def(*no).kind, StepKind::Checkpoint(_));
    let all = || (0..).take(run.steps.len()).filter(is_checkpoint);
    let asking = all().find(|&no| showrunner_web::view::run::is_asking(run.step(no)));
    asking.or_else(|| all().next()).map_or_else(|| "approval".into(), |no| run.step(no).key.clone())
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Cancellation {
    /// Why.
    #[schemars(length(max = 2000))]
    reason: Option<String>,
}

async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Cancellation>,
) -> Result<Answer<Enveloped<Changed>>, Problem> {
    let run = find(&app, &caller, &id).await?;
    let command =
        Command::Cancel { reason: body.reason, compensate: false, by: caller.principal() };
    change(&app, &caller, &run, command).await
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rollback {
    /// An earlier status.
    to: String,
    /// Why.
    #[schemars(length(max = 2000))]
    reason: Option<String>,
}

async fn roll_back(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Rollback>,
) -> Result<Answer<Enveloped<Changed>>, Problem> {
    let run = find(&app, &caller, &id).await?;
    let Rollback { to: phase, reason } = body;
    let command = Command::RollBack { phase, reason, by: caller.principal() };
    change(&app, &caller, &run, command).await
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Retry {
    /// Merge patch on the task's input.
    pub(super) edits: Option<Value>,
    /// What was wrong.
    pub(super) feedback: Option<Value>,
}

async fn retry_task(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Retry>,
) -> Result<Answer<Enveloped<Changed>>, Problem> {
    let Some((request, step)) = id.split_once(':') else {
        let words =
            "a task's id is `<request>:<step>`, as GET /api/v1/requests/{id}/tasks gives it";
        return Err(Problem::new(&codes::UNKNOWN_STEP, words));
    };
    let run = find(&app, &caller, request).await?;
    let command = Command::RetryStep {
        step: StepKey::from(step),
        edits: body.edits,
        feedback: body.feedback,
        by: caller.principal(),
    };
    change(&app, &caller, &run, command).await
}
