//! `/api/v1/dlq`: tasks that failed for good, and what somebody did about them.
//!
//! A letter is *retried* when its task was done again, by whatever way; it is *noted* when a
//! person says that it is dealt with, and nothing is done again. Skipping a task is neither.

mod explain;

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::{Path, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use showrunner_engine::command::Command;
use showrunner_engine::decide::possible_on;
use showrunner_engine::id::RunId;
use showrunner_engine::run::Run;
use showrunner_journal::query::dead_letters::{DeadLetterView, LetterFilter, LetterNote};
use showrunner_web::body::Json;
use showrunner_web::page::{Cursor, Query};
use showrunner_web::problem::codes;
use showrunner_web::routes::{Permission, Route};
use showrunner_web::view::{Instant, LabelView};
use showrunner_web::{App, Caller, Problem};
use tokio::sync::Mutex;

use super::api::{Enveloped, Page, Retry, enveloped};
use super::brief::RequestType;
use super::request::find;
use super::task;

/// How a letter ends whose task was done again; the journal's word.
const RETRIED: &str = "retried";
/// How a letter ends that somebody noted; the journal's word.
const NOTED: &str = "noted";
/// Sent again, neither route does anything.
const NOTHING_AGAIN: &str = "Sent again, it changes nothing and is answered with what was done the \
    first time, with `idempotent: true`.";

/// Looking at a letter and acting on it is one thing: of two at the same moment, one acts. One
/// process writes to a journal, so a lock within it is enough.
type Door = Arc<Mutex<()>>;

pub(super) fn table() -> Vec<Route> {
    let door = Door::default();
    let again = Arc::clone(&door);
    let change = |path, operation| {
        Route::post(path, operation)
            .permit(Permission::Operate)
            .repeated(NOTHING_AGAIN)
            .gives::<Enveloped<Dealt>>(200)
            .problems(&[&codes::UNKNOWN_DEAD_LETTER, &codes::STORAGE_FULL, &codes::NOT_SERVING])
            .problems(&[&codes::DEAD_LETTER_STATE])
    };
    vec![
        Route::get("/api/v1/dlq", "list_failed_tasks")
            .says("Lists tasks that failed for good, newest first.")
            .permit(Permission::Operate)
            .paged()
            .query("resolved", "integer", "1: also those that were dealt with.")
            .query("request_id", "string", "Those of one request.")
            .gives::<Page<Letter>>(200)
            .to(list),
        change("/api/v1/dlq/{id}/retry", "retry_failed_task")
            .says("Does a task that failed for good again.")
            .takes_json_or_nothing::<Retry>()
            .problems(&[&codes::RUN_STATE, &codes::STEP_STATE, &codes::UNKNOWN_STEP])
            .to(move |State(app), caller: Caller, Path(id): Path<String>, Json(body)| async move {
                let _alone = again.lock().await;
                retry(&app, &caller, &id, body).await
            }),
        change("/api/v1/dlq/{id}/resolve", "resolve_failed_task")
            .says("Notes that a failure is dealt with; nothing is done again.")
            .takes_json::<Resolution>()
            .to(move |State(app), caller: Caller, Path(id): Path<String>, Json(body)| async move {
                let _alone = door.lock().await;
                resolve(&app, &caller, &id, body).await
            }),
    ]
}

/// A task that failed for good.
#[derive(Debug, Serialize, JsonSchema)]
struct Letter {
    id: String,
    request_id: String,
    /// `<request>:<step>`.
    task_id: String,
    /// `TRANSIENT`, `RATE_LIMITED`, `QUOTA_EXCEEDED`, `VALIDATION`, `PROVIDER`, `INTERNAL`,
    /// `NETWORK`; beside these `TIMEOUT`, `BUDGET`, `CANCELLED`, `REJECTED`.
    error_category: String,
    /// A stable short code within the category.
    error_code: String,
    error_message: String,
    failed_attempts: u32,
    last_attempt_at: Instant,
    /// The task as it was when it failed for good, with what it was given.
    task_snapshot: Value,
    /// What happened and what can be done about it, for whoever made the request.
    explanation: LabelView,
    created_at: Instant,
    resolved: bool,
    resolved_at: Option<Instant>,
    /// Who noted it; a retry has its author among the request's events.
    resolved_by: Option<String>,
    /// Their words, or how else it ended: `retried`, `skipped`, `completed by hand`.
    resolution_notes: Option<String>,
}

impl Letter {
    fn of(view: DeadLetterView) -> Self {
        let task_snapshot = snapshot(&view);
        Self {
            task_id: task::id(view.run_id.as_str(), view.step.as_str()),
            request_id: view.run_id.to_string(),
            explanation: explain::explain(&view),
            id: view.id,
            error_category: view.class.to_ascii_uppercase(),
            error_code: view.code,
            error_message: view.message,
            failed_attempts: view.attempts,
            last_attempt_at: view.created_at.into(),
            task_snapshot,
            created_at: view.created_at.into(),
            resolved: view.resolved_at.is_some(),
            resolved_at: view.resolved_at.map(Instant),
            resolved_by: view.noted_by,
            resolution_notes: view.notes.or(view.resolution),
        }
    }
}

/// The task by the names of tasks, from what the journal kept of it.
fn snapshot(view: &DeadLetterView) -> Value {
    let kept = &view.snapshot;
    let task_name = kept.pointer("/name/en").cloned().unwrap_or_else(|| json!(view.step));
    json!({
        "id": task::id(view.run_id.as_str(), view.step.as_str()),
        "request_id": view.run_id,
        "agent_role": view.step,
        "agent": view.agent,
        "task_name": task_name,
        "status": "failed",
        "phase": kept.get("phase"),
        "started_at": kept.get("started_at").and_then(Value::as_i64).map(at),
        "completed_at": at(view.created_at.0),
        "retry_count": view.attempts.saturating_sub(1),
        "input_data": kept.get("input"),
        "edits": kept.get("edits"),
        "feedback": kept.get("feedback"),
        "error_message": view.message,
        "error": kept.get("failure"),
        "spent": kept.get("spent"),
        "token": kept.get("token"),
    })
}

fn at(us: i64) -> Instant {
    Instant(showrunner_engine::at::Timestamp(us))
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    query: Query,
) -> Result<Answer<Page<Letter>>, Problem> {
    let paging = query.paging()?;
    let filter = LetterFilter {
        slugs: RequestType::ALL.map(|kind| kind.slug().to_owned()).to_vec(),
        run: query.get("request_id").map(RunId::from),
        with_resolved: query.number("resolved")?.is_some_and(|number| number > 0),
        after: paging.after.clone().map(|cursor| (cursor.at, cursor.id)),
        limit: paging.limit,
        ..LetterFilter::of(&caller.org)
    };
    let rows = app.runtime().journal().dead_letters(&filter).await?;
    let last = || rows.last().map(|row| Cursor { at: row.created_at, id: row.id.clone() });
    let next_cursor = paging.next(rows.len(), last);
    let data = rows.into_iter().map(Letter::of).collect();
    Ok(Answer(Page { success: true, data, next_cursor }))
}

/// What became of a letter.
#[derive(Debug, Serialize, JsonSchema)]
struct Dealt {
    #[serde(flatten)]
    letter: Letter,
    /// Whether this had been done before, and nothing happened now.
    idempotent: bool,
    /// What may be asked of the task now.
    allowed: Vec<&'static str>,
}

async fn retry(
    app: &App,
    caller: &Caller,
    id: &str,
    body: Retry,
) -> Result<Answer<Enveloped<Dealt>>, Problem> {
    let (letter, run) = open(app, caller, id).await?;
    match letter.resolution.as_deref() {
        None => {
            let command = Command::RetryStep {
                step: letter.step.clone(),
                edits: body.edits,
                feedback: body.feedback,
                by: caller.principal(),
            };
            app.runtime().submit(&run.id, command).await?;
            dealt(app, caller, id, false).await
        },
        Some(RETRIED) => dealt(app, caller, id, true).await,
        Some(how) => Err(wrong_state(&letter, &run, how)),
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Resolution {
    /// What was done about it.
    #[schemars(length(min = 1, max = 5000), regex(pattern = r"\S"))]
    notes: String,
}

async fn resolve(
    app: &App,
    caller: &Caller,
    id: &str,
    body: Resolution,
) -> Result<Answer<Enveloped<Dealt>>, Problem> {
    let (letter, run) = open(app, caller, id).await?;
    match letter.resolution.as_deref() {
        None => {
            let at = app.runtime().clock().now();
            let note =
                LetterNote { letter: letter.id, at, by: caller.id.clone(), notes: body.notes };
            app.runtime().journal().note_dead_letter(&note).await?;
            dealt(app, caller, id, false).await
        },
        Some(NOTED) => dealt(app, caller, id, true).await,
        Some(how) => Err(wrong_state(&letter, &run, how)),
    }
}

/// A letter of a request of the caller's organisation, and the request.
async fn open(app: &App, caller: &Caller, id: &str) -> Result<(DeadLetterView, Arc<Run>), Problem> {
    let unknown = || {
        Problem::new(&codes::UNKNOWN_DEAD_LETTER, format!("there is no dead letter {id}"))
            .with_hint("GET /api/v1/dlq?resolved=1 lists them")
    };
    let letter = app.runtime().journal().dead_letter(id).await?;
    let letter = letter.filter(|letter| letter.org == caller.org).ok_or_else(unknown)?;
    let run = find(app, caller, letter.run_id.as_str()).await.map_err(|problem| {
        if problem.code() == codes::UNKNOWN_RUN.code { unknown() } else { problem }
    })?;
    Ok((letter, run))
}

/// The letter as it is now.
async fn dealt(
    app: &App,
    caller: &Caller,
    id: &str,
    idempotent: bool,
) -> Result<Answer<Enveloped<Dealt>>, Problem> {
    let (letter, run) = open(app, caller, id).await?;
    let allowed = possible(&run, &letter);
    Ok(enveloped(Dealt { letter: Letter::of(letter), idempotent, allowed }))
}

fn possible(run: &Run, letter: &DeadLetterView) -> Vec<&'static str> {
    run.find(&letter.step).map(|no| possible_on(run, no)).unwrap_or_default()
}

fn wrong_state(letter: &DeadLetterView, run: &Run, how: &str) -> Problem {
    let task = task::id(run.id.as_str(), letter.step.as_str());
    let allowed = possible(run, letter);
    let words = format!("the dead letter {} was dealt with: {how}", letter.id);
    let problem = Problem::new(&codes::DEAD_LETTER_STATE, words).with("resolution", how);
    let problem = if allowed.contains(&"retry_step") {
        problem.with_hint(format!("POST /api/v1/tasks/{task}/retry does the task again"))
    } else {
        problem
    };
    problem.with_allowed(allowed.into_iter().map(str::to_owned).collect())
}
