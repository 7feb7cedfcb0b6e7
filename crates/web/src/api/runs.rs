//! `/api/v1/runs`: start, list, read, and everything that is asked of a run as a whole.

use std::collections::BTreeMap;

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use showrunner_engine::command::{Command, LABEL_KEY_MAX, LABEL_VALUE_MAX, LABELS_MAX, StartRun};
use showrunner_engine::id::StepKey;
use showrunner_engine::money::{Budget, MicroUsd};
use showrunner_journal::query::runs::RunFilter;
use showrunner_runtime::{ForkRequest, Receipt, StartRequest, Started};

use crate::auth::Caller;
use crate::body::{Any, Json};
use crate::page::{Cursor, Listing, Query};
use crate::problem::{FieldError, Problem, codes};
use crate::routes::{DONE_AGAIN, Permission, REFUSED_AGAIN, Route};
use crate::view::run::{RunJson, RunRow};
use crate::{App, api};

/// What can be wrong with any change of a run.
const CHANGE: &[&crate::problem::Code] =
    &[&codes::UNKNOWN_RUN, &codes::RUN_STATE, &codes::STORAGE_FULL, &codes::NOT_SERVING];

pub(super) fn table() -> Vec<Route> {
    let mut table = vec![
        Route::post("/api/v1/runs", "start_run")
            .says("Starts a run of a definition.")
            .takes_json::<StartBody>()
            .idempotent()
            .gives::<RunAnswer>(202)
            .problems(&[&codes::UNKNOWN_DEFINITION, &codes::OVER_BUDGET, &codes::STORAGE_FULL])
            .problems(&[&codes::ADDRESS_REFUSED])
            .to(start_run),
        Route::get("/api/v1/runs", "list_runs")
            .says("Lists runs, newest first.")
            .paged()
            .query("status", "string", "One or more statuses, separated by commas.")
            .query("definition", "string", "The name of a definition.")
            .query("text", "string", "Part of the title.")
            .query("label", "string", "`key:value`; a fact to find it by.")
            .gives::<Listing<RunRow>>(200)
            .to(list_runs),
        Route::get("/api/v1/runs/{id}", "get_run")
            .says("Reads a run.")
            .owned_by("id")
            .gives::<RunJson>(200)
            .problems(&[&codes::UNKNOWN_RUN])
            .to(get_run),
    ];
    table.extend(changes());
    table
}

/// What is asked of a run as a whole.
fn changes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/runs/{id}/cancel", "cancel_run")
            .repeated(REFUSED_AGAIN)
            .says("Ends a run.")
            .owned_by("id")
            .takes_json_or_nothing::<CancelBody>()
            .gives::<CommandAnswer>(200)
            .problems(CHANGE)
            .to(cancel_run),
        Route::post("/api/v1/runs/{id}/pause", "pause_run")
            .repeated(REFUSED_AGAIN)
            .says("Starts nothing new in a run until it is resumed.")
            .owned_by("id")
            .gives::<CommandAnswer>(200)
            .problems(CHANGE)
            .to(pause_run),
        Route::post("/api/v1/runs/{id}/resume", "resume_run")
            .repeated(REFUSED_AGAIN)
            .says("Lets a paused run go on.")
            .owned_by("id")
            .gives::<CommandAnswer>(200)
            .problems(CHANGE)
            .to(resume_run),
        Route::post("/api/v1/runs/{id}/rollback", "roll_back_run")
            .repeated(DONE_AGAIN)
            .says("Puts a run back into an earlier phase.")
            .owned_by("id")
            .takes_json::<RollbackBody>()
            .gives::<CommandAnswer>(200)
            .problems(CHANGE)
            .problems(&[&codes::UNKNOWN_PHASE])
            .to(roll_back_run),
        Route::post("/api/v1/runs/{id}/fork", "fork_run")
            .says("Starts a new run that takes over results up to a step.")
            .owned_by("id")
            .takes_json_or_nothing::<ForkBody>()
            .idempotent()
            .gives::<RunAnswer>(202)
            .problems(CHANGE)
            .problems(&[&codes::UNKNOWN_STEP])
            .to(fork_run),
        Route::post("/api/v1/runs/{id}/callbacks/{key}", "receive_callback")
            .repeated("While nobody has taken it, the first under a key counts, and another changes nothing.")
            .says("Tells a run that something outside has happened.")
            .permit(Permission::Make)
            .owned_by("id")
            .takes(crate::routes::Takes::AnyJson)
            .gives::<CommandAnswer>(202)
            .problems(CHANGE)
            .to(receive_callback),
    ]
}

/// A run to be started.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StartBody {
    /// The name of a published definition.
    definition: String,
    /// Its version; the newest when absent.
    version: Option<u32>,
    /// What the run is given; the definition says what that must be.
    #[serde(default)]
    input: Value,
    /// For people.
    #[schemars(length(max = 255))]
    title: Option<String>,
    /// Facts to find it by: 64 at most.
    #[serde(default)]
    #[schemars(schema_with = "labels_schema")]
    labels: BTreeMap<String, String>,
    /// A tighter limit than the definition's.
    budget: Option<BudgetBody>,
    /// Larger goes first.
    #[serde(default)]
    priority: i8,
    /// Where the run's ending is told, beside the organisation's webhook endpoints; n8n's
    /// `$execution.resumeUrl`, say. Its query is sent as it stands.
    #[schemars(length(min = 1, max = 2048))]
    callback_url: Option<String>,
    /// `whsec_…`: what is signed with; nothing is when absent.
    callback_secret: Option<String>,
    /// Types of messages; `run.completed`, `run.failed`, `run.canceled` when absent.
    #[serde(default)]
    #[schemars(length(max = 50))]
    callback_events: Vec<String>,
}

/// One limit at least: what was meant as a limit and is none (many clients write a NaN as null)
/// must not start a run without one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
struct BudgetBody {
    /// Dollars at most.
    #[serde(default)]
    #[schemars(with = "f64", range(min = 0, max = 1_000_000))]
    usd: Option<f64>,
    /// Model tokens at most.
    #[serde(default)]
    #[schemars(with = "u64")]
    tokens: Option<u64>,
}

/// The limits that the engine keeps, said before it is asked.
fn labels_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "maxProperties": LABELS_MAX,
        "propertyNames": { "minLength": 1, "maxLength": LABEL_KEY_MAX },
        "additionalProperties": { "type": "string", "maxLength": LABEL_VALUE_MAX },
        "default": {},
    })
}

/// A run that was started.
#[derive(Debug, Serialize, JsonSchema)]
struct RunAnswer {
    /// It, as it stands.
    run: RunJson,
}

/// What a command led to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CommandAnswer {
    /// The run.
    pub(crate) run: String,
    /// Where it stands now.
    pub(crate) status: String,
    /// The number of its newest event.
    pub(crate) seq: u64,
}

impl From<Receipt> for CommandAnswer {
    fn from(receipt: Receipt) -> Self {
        Self {
            run: receipt.run.to_string(),
            status: receipt.status.name().into(),
            seq: receipt.seq,
        }
    }
}

async fn start_run(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Any(asked): Any,
    Json(body): Json<StartBody>,
) -> Result<Response, Problem> {
    let idempotency = api::key::of(&headers, &caller, "start_run", &asked)?;
    let library = app.runtime().library();
    let definition = library.get(&caller.org, &body.definition, body.version).await?;
    let secret = body.callback_secret.as_deref();
    let callback = match &body.callback_url {
        Some(url) => Some(app.callback(url, secret, &body.callback_events).await?),
        None => None,
    };
    let start = StartRun {
        org: Some(caller.org.clone()),
        input: if body.input.is_null() { serde_json::json!({}) } else { body.input },
        title: body.title,
        labels: body.labels,
        started_by: caller.id.clone(),
        budget: body.budget.map(Budget::try_from).transpose()?.unwrap_or_default(),
        priority: body.priority,
        ..StartRun::default()
    };
    let request = StartRequest { definition, start, id: None, idempotency };
    let started = app.start(&caller, request, callback).await;
    accepted(&app, &caller, &started.map_err(|problem| under(problem, "/input"))?).await
}

/// A run's input stands inside the body.
fn under(mut problem: Problem, place: &str) -> Problem {
    for error in problem.errors_mut() {
        error.pointer = format!("{place}{}", error.pointer);
    }
    problem
}

impl TryFrom<BudgetBody> for Budget {
    type Error = Problem;

    fn try_from(body: BudgetBody) -> Result<Self, Problem> {
        #[expect(clippy::cast_possible_truncation, reason = "the schema allows a million at most")]
        let micros = |usd: f64| MicroUsd((usd * 1_000_000.0).round() as i64);
        if body.usd.is_some_and(|usd| !usd.is_finite()) {
            return Err(Problem::invalid(vec![FieldError::new("/budget/usd", "not a number")]));
        }
        Ok(Self { cost: body.usd.map(micros), tokens: body.tokens })
    }
}

/// 202 with the run, where to look, and when to look again.
async fn accepted(app: &App, caller: &Caller, started: &Started) -> Result<Response, Problem> {
    let run = app.run_of(caller, started.run.as_str()).await?;
    let mut response =
        (StatusCode::ACCEPTED, Answer(RunAnswer { run: RunJson::of(&run) })).into_response();
    mark_accepted(&mut response, &format!("/api/v1/runs/{}", run.id), started.is_new);
    Ok(response)
}

/// The headers of work that was accepted: where to look, when to look again, and whether the
/// answer was given before.
pub fn mark_accepted(response: &mut Response, location: &str, is_new: bool) {
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::from_str(location) {
        headers.insert("location", location);
    }
    headers.insert("retry-after", HeaderValue::from_static("2"));
    if !is_new {
        headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
}

async fn list_runs(
    State(app): State<App>,
    caller: Caller,
    query: Query,
) -> Result<Answer<Listing<RunRow>>, Problem> {
    let paging = query.paging()?;
    let label = query.get("label").map(|pair| {
        let (key, value) = pair
            .split_once(':')
            .ok_or_else(|| Problem::new(&codes::BAD_QUERY, "`label` is `key:value`"))?;
        Ok::<_, Problem>((key.to_owned(), value.to_owned()))
    });
    let statuses = query.get("status").into_iter().flat_map(|text| text.split(','));
    let filter = RunFilter {
        org: Some(caller.org),
        statuses: statuses.map(|status| known_status(status.trim())).collect::<Result<_, _>>()?,
        slug: query.get("definition").map(str::to_owned),
        labels: label.transpose()?.into_iter().collect(),
        text: query.get("text").map(str::to_owned),
        after: paging.after.clone().map(Cursor::of_run),
        limit: paging.limit,
        ..RunFilter::default()
    };
    let rows = app.runtime().journal().list_runs(&filter).await?;
    let last = || rows.last().map(|row| Cursor { at: row.started_at, id: row.id.to_string() });
    let next_cursor = paging.next(rows.len(), last);
    Ok(Answer(Listing { data: rows.iter().map(RunRow::of).collect(), next_cursor }))
}

/// The statuses that a list can be narrowed to.
pub(crate) const STATUSES: [&str; 9] = [
    "pending",
    "running",
    "waiting",
    "delivered",
    "paused",
    "closing",
    "completed",
    "failed",
    "cancelled",
];

fn known_status(status: &str) -> Result<String, Problem> {
    if STATUSES.contains(&status) {
        return Ok(status.to_owned());
    }
    let words = format!("there is no status `{}`", crate::problem::shown(status));
    Err(Problem::new(&codes::BAD_QUERY, words).with_allowed(STATUSES.map(str::to_owned).to_vec()))
}

async fn get_run(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<RunJson>, Problem> {
    Ok(Answer(RunJson::of(&*app.run_of(&caller, &id).await?)))
}

/// How a run is ended.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CancelBody {
    /// Why, for people.
    #[schemars(length(max = 2000))]
    reason: Option<String>,
    /// Undo what can be undone.
    #[serde(default)]
    compensate: bool,
}

async fn cancel_run(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<CancelBody>,
) -> Result<Answer<CommandAnswer>, Problem> {
    let CancelBody { reason, compensate } = body;
    let command = Command::Cancel { reason, compensate, by: caller.principal() };
    Ok(Answer(app.ask(&caller, &id, command).await?.into()))
}

async fn pause_run(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<CommandAnswer>, Problem> {
    let command = Command::Pause { by: caller.principal() };
    Ok(Answer(app.ask(&caller, &id, command).await?.into()))
}

async fn resume_run(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<CommandAnswer>, Problem> {
    let command = Command::Resume { by: caller.principal() };
    Ok(Answer(app.ask(&caller, &id, command).await?.into()))
}

/// Where a run is put back to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RollbackBody {
    /// The id of an earlier phase.
    phase: String,
    /// Why, for people.
    #[schemars(length(max = 2000))]
    reason: Option<String>,
}

async fn roll_back_run(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<RollbackBody>,
) -> Result<Answer<CommandAnswer>, Problem> {
    let RollbackBody { phase, reason } = body;
    let command = Command::RollBack { phase, reason, by: caller.principal() };
    Ok(Answer(app.ask(&caller, &id, command).await?.into()))
}

/// What a fork does otherwise.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ForkBody {
    /// The step that is done again, with everything that depends on it.
    from: Option<String>,
    /// Merge patch on the input of the run.
    input_edits: Option<Value>,
}

async fn fork_run(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    (Any(asked), Json(body)): (Any, Json<ForkBody>),
) -> Result<Response, Problem> {
    let run = app.run_of(&caller, &id).await?;
    let asked = serde_json::json!({ "of": run.id.as_str(), "body": *asked });
    let request = ForkRequest {
        from: body.from.map(StepKey::from),
        input_edits: body.input_edits,
        by: caller.id.clone(),
        idempotency: api::key::of(&headers, &caller, "fork_run", &asked)?,
    };
    let started = app.runtime().fork(&run.id, request).await?;
    accepted(&app, &caller, &started).await
}

async fn receive_callback(
    State(app): State<App>,
    caller: Caller,
    Path((id, key)): Path<(String, String)>,
    Any(payload): Any,
) -> Result<Response, Problem> {
    let command = Command::ReceiveCallback { key, payload: (*payload).clone() };
    let answer = CommandAnswer::from(app.ask(&caller, &id, command).await?);
    Ok((StatusCode::ACCEPTED, Answer(answer)).into_response())
}
