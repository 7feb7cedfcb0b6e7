//! The server about itself: health, metrics, descriptions, and what its codes mean.

use std::path::{Path, PathBuf};

use axum::Json as Answer;
use axum::extract::{Path as Place, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use showrunner_journal::{JournalError, Ownership};

use super::registry::providers;
use crate::App;
use crate::auth::Caller;
use crate::body::Json;
use crate::problem::{self, FieldError, Problem, codes};
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
        Route::post("/api/v1/system/backup", "back_up")
            .repeated(
                "The folder must be empty, so that a second backup into the same one is refused.",
            )
            .says("Copies everything into an empty folder of the server's machine, while serving.")
            .permit(Permission::Operate)
            .endless()
            .takes_json::<BackupBody>()
            .gives::<BackupJson>(200)
            .problems(&[&codes::STORAGE_FULL])
            .to(back_up),
        Route::post("/api/v1/system/verify", "verify")
            .repeated("It changes nothing.")
            .says("Computes every run's chain of hashes again.")
            .permit(Permission::Operate)
            .endless()
            .gives::<VerifiedJson>(200)
            .to(verify),
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
    Place(code): Place<String>,
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

/// Where a backup goes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BackupBody {
    /// A folder of the server's machine, as an absolute path; empty or not there yet.
    #[schemars(length(min = 1, max = 4096))]
    to: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct BackupJson {
    /// The folder.
    path: String,
    /// How large it is.
    bytes: u64,
    /// How many runs it holds.
    runs: u64,
    /// How many stored objects it holds.
    objects: u64,
}

async fn back_up(
    State(app): State<App>,
    Json(body): Json<BackupBody>,
) -> Result<Answer<BackupJson>, Problem> {
    let wrong = |words: String| Problem::invalid(vec![FieldError::new("/to", words)]);
    let to = PathBuf::from(&body.to);
    if !to.is_absolute() {
        return Err(wrong("give an absolute path of the server's machine".into()));
    }
    let report = app.runtime().journal().backup(&to).await.map_err(|error| match error {
        JournalError::Unusable(words) => wrong(words),
        other => other.into(),
    })?;
    let bytes = tokio::task::spawn_blocking(move || size_of(&to)).await.unwrap_or_default();
    let runs = report.rows.get("runs").copied().unwrap_or_default();
    Ok(Answer(BackupJson { path: body.to, bytes, runs, objects: report.objects }))
}

/// The bytes of all files below a folder; what cannot be read counts as nothing.
fn size_of(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(facts) if facts.is_dir() => size_of(&entry.path()),
            Ok(facts) => facts.len(),
            Err(_) => 0,
        })
        .sum()
}

#[derive(Debug, Serialize, JsonSchema)]
struct VerifiedJson {
    runs: u64,
    /// Appends looked at.
    batches: u64,
    events: u64,
    /// The first break of each run that has one.
    broken: Vec<BrokenJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct BrokenJson {
    run: String,
    /// The number of the first event that does not fit.
    seq: u64,
    what: String,
}

async fn verify(State(app): State<App>) -> Result<Answer<VerifiedJson>, Problem> {
    let verified = app.runtime().journal().verify().await?;
    let broken = verified.breaks.into_iter().map(|found| BrokenJson {
        run: found.run_id.to_string(),
        seq: found.seq_first,
        what: found.reason,
    });
    Ok(Answer(VerifiedJson {
        runs: verified.runs,
        batches: verified.appends,
        events: verified.events,
        broken: broken.collect(),
    }))
}
