//! The server about itself: health, metrics, descriptions, and what its codes mean.

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use showrunner_journal::Ownership;

use super::registry::providers;
use crate::App;
use crate::auth::Caller;
use crate::problem::{self, Problem, codes};
use crate::routes::{Gives, Permission, Route};
use crate::ui::Look;
use crate::view::Instant;

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/healthz", "health")
            .says("Answers as long as the process lives.")
            .permit(Permission::Open)
            .gives::<HealthJson>(200)
            .to(health),
        Route::get("/readyz", "readiness")
            .says("Whether this process takes work.")
            .permit(Permission::Open)
            .gives::<ReadyJson>(200)
            .gives::<ReadyJson>(503)
            .to(readiness),
        Route::get("/metrics", "metrics")
            .says("Figures for Prometheus.")
            .permit(Permission::Operate)
            .answers(200, Gives::Media("text/plain"))
            .problems(&[&codes::NOT_FOUND])
            .to(metrics),
        Route::get("/openapi.json", "openapi")
            .says("This interface, described.")
            .permit(Permission::Open)
            .gives::<Value>(200)
            .to(openapi),
        Route::get("/schemas/definition.json", "definition_schema")
            .says("JSON Schema of a definition, for editors.")
            .permit(Permission::Open)
            .answers(200, Gives::Media("application/schema+json"))
            .to(definition_schema),
        Route::get("/problems/{code}", "explain_problem")
            .says("What a problem code means, and what to do.")
            .permit(Permission::Open)
            .answers(200, Gives::Media("text/html"))
            .answers(200, Gives::Media("text/markdown"))
            .problems(&[&codes::NOT_FOUND])
            .to(explain_problem),
        Route::get("/api/v1/system", "get_system")
            .says("Version, database, what is simulated, how many runs there are.")
            .gives::<SystemJson>(200)
            .to(get_system),
    ]
}

#[derive(Debug, Serialize, JsonSchema)]
struct HealthJson {
    /// `ok`.
    status: String,
    version: String,
}

async fn health(State(app): State<App>) -> Answer<HealthJson> {
    Answer(HealthJson { status: "ok".into(), version: app.facts().version.clone() })
}

#[derive(Debug, Serialize, JsonSchema)]
struct ReadyJson {
    /// `owner`: takes work. `standby`: another process does. `stopping`: on its way out.
    role: String,
    version: String,
}

async fn readiness(State(app): State<App>) -> Response {
    let role = role(&app);
    let status = if role == "owner" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let ready = ReadyJson { role: role.into(), version: app.facts().version.clone() };
    (status, Answer(ready)).into_response()
}

fn role(app: &App) -> &'static str {
    match app.runtime().journal().ownership() {
        _ if app.runtime().is_stopping() => "stopping",
        Ownership::Owner { .. } => "owner",
        Ownership::Standby => "standby",
    }
}

async fn metrics(State(app): State<App>) -> Result<Response, Problem> {
    let Some(metrics) = &app.facts().metrics else {
        return Err(Problem::new(&codes::NOT_FOUND, "metrics are switched off"));
    };
    let media = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(CONTENT_TYPE, media)], metrics.render()).into_response())
}

async fn openapi(State(app): State<App>) -> Response {
    let head = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")];
    (head, app.openapi()).into_response()
}

async fn definition_schema() -> Response {
    let schema = showrunner_engine::definition::json_schema();
    ([(CONTENT_TYPE, "application/schema+json")], schema.to_string()).into_response()
}

async fn explain_problem(
    Path(code): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Some(code) = codes::find(&code) else {
        let words = format!("there is no problem code `{}`", problem::shown(&code));
        let known = problem::CODES.iter().map(|code| code.code.to_owned()).collect();
        return Err(Problem::new(&codes::NOT_FOUND, words).with_allowed(known));
    };
    let accept = headers.get("accept").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") {
        return Ok(problem::problem_page(code, Look::of(&headers)).into_response());
    }
    Ok(([(CONTENT_TYPE, "text/markdown; charset=utf-8")], code.page).into_response())
}

/// How many runs there are.
#[derive(Debug, Serialize, JsonSchema)]
struct RunCounts {
    running: u64,
    waiting: u64,
    /// Questions that wait for people.
    approvals_open: u64,
    failed_24h: u64,
    completed_24h: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SystemJson {
    version: String,
    /// `sqlite` or `postgres`.
    database: String,
    data_dir: Option<String>,
    /// `owner`, `standby`, `stopping`.
    role: String,
    /// The most real provider there is: `scripted`, `local`, `live`.
    mode: String,
    /// Providers whose results are simulated.
    simulated: Vec<String>,
    runs: RunCounts,
    /// What was spent since midnight UTC, in millionths of a dollar.
    spent_today_micros: i64,
    /// Runs in memory.
    residents: usize,
    started_at: Instant,
    boot_id: String,
}

async fn get_system(State(app): State<App>, caller: Caller) -> Result<Answer<SystemJson>, Problem> {
    let runtime = app.runtime();
    let counts = runtime.journal().home(&caller.org, runtime.clock().now()).await?;
    let providers = providers(runtime.providers());
    let simulated = providers.iter().filter(|provider| provider.mode == "scripted");
    let simulated = simulated.map(|provider| provider.name.clone()).collect();
    let is = |mode: &str| providers.iter().any(|provider| provider.mode == mode);
    let mode = ["live", "local", "scripted"].into_iter().find(|mode| is(mode));
    Ok(Answer(SystemJson {
        version: app.facts().version.clone(),
        database: runtime.journal().database().into(),
        data_dir: app.facts().data_dir.as_ref().map(|dir| dir.display().to_string()),
        role: role(&app).into(),
        mode: mode.unwrap_or("scripted").into(),
        simulated,
        runs: RunCounts {
            running: counts.running,
            waiting: counts.waiting,
            approvals_open: counts.checkpoints_open,
            failed_24h: counts.failed_24h,
            completed_24h: counts.completed_24h,
        },
        spent_today_micros: counts.spent_today.cost.0,
        residents: runtime.resident_count(),
        started_at: app.started_at().into(),
        boot_id: app.boot_id().to_owned(),
    }))
}
