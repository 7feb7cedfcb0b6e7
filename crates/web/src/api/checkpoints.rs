//! `/api/v1/approvals` and the checkpoints of a run: what waits for people, and their answers.

use axum::Json as Answer;
use axum::extract::{Path, State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use showrunner_engine::command::{AnswerCheckpoint, Command};
use showrunner_engine::definition::Verb;
use showrunner_engine::id::{Digest, StepKey};
use showrunner_journal::query::checkpoints::CheckpointView;
use showrunner_journal::query::runs::RunFilter;

use super::load::step_of;
use super::runs::CommandAnswer;
use crate::App;
use crate::auth::Caller;
use crate::body::Json;
use crate::page::{Cursor, Listing, Paging, Query};
use crate::problem::{Problem, codes};
use crate::routes::{ANSWERED_AGAIN, Permission, Route};
use crate::view::asset::AssetJson;
use crate::view::checkpoint::CheckpointJson;

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/api/v1/approvals", "list_approvals")
            .says("Lists what waits for people, the longest waiting first; or what was answered.")
            .paged()
            .query("status", "string", "`open` (usual) or `answered`.")
            .gives::<Listing<CheckpointJson>>(200)
            .to(list_approvals),
        Route::get("/api/v1/runs/{id}/checkpoints/{step}", "get_checkpoint")
            .says("Reads a checkpoint: the question, what is shown, and the answers offered.")
            .owned_by("id")
            .gives::<CheckpointJson>(200)
            .problems(&[&codes::UNKNOWN_RUN, &codes::UNKNOWN_STEP, &codes::UNKNOWN_CHECKPOINT])
            .to(get_checkpoint),
        Route::post("/api/v1/runs/{id}/checkpoints/{step}/answer", "answer_checkpoint")
            .repeated(ANSWERED_AGAIN)
            .says("Answers a checkpoint; with `digest` the answer is bound to what was shown.")
            .permit(Permission::Decide)
            .owned_by("id")
            .takes_json::<AnswerBody>()
            .gives::<CommandAnswer>(200)
            .problems(&[
                &codes::UNKNOWN_RUN,
                &codes::UNKNOWN_STEP,
                &codes::RUN_STATE,
                &codes::STEP_STATE,
                &codes::ALREADY_ANSWERED,
                &codes::ALREADY_VOTED,
                &codes::NOT_OFFERED,
                &codes::STALE_CONTENT,
                &codes::STORAGE_FULL,
                &codes::NOT_SERVING,
            ])
            .to(answer_checkpoint),
    ]
}

async fn list_approvals(
    State(app): State<App>,
    caller: Caller,
    query: Query,
) -> Result<Answer<Listing<CheckpointJson>>, Problem> {
    let paging = query.paging()?;
    let (rows, next_cursor) = match query.get("status") {
        None | Some("open") => open(&app, &caller, &paging).await?,
        Some("answered") => answered(&app, &caller, &paging).await?,
        Some(_) => {
            return Err(Problem::new(&codes::BAD_QUERY, "`status` is `open` or `answered`")
                .with_allowed(vec!["open".into(), "answered".into()]));
        },
    };
    let mut data = Vec::with_capacity(rows.len());
    for row in &rows {
        data.push(with_files(&app, row).await?);
    }
    Ok(Answer(Listing { data, next_cursor }))
}

/// A page of checkpoints, and the cursor of the next.
type Page = (Vec<CheckpointView>, Option<String>);

async fn open(app: &App, caller: &Caller, paging: &Paging) -> Result<Page, Problem> {
    let after = paging.after.clone().map(Cursor::of_run);
    let journal = app.runtime().journal();
    let rows = journal.open_checkpoints(&caller.org, after, paging.limit).await?;
    let last = || rows.last().map(|row| Cursor { at: row.opened_at, id: row.run_id.to_string() });
    let next = paging.next(rows.len(), last);
    Ok((rows, next))
}

/// What was asked and answered in the newest runs; a page is so many runs.
async fn answered(app: &App, caller: &Caller, paging: &Paging) -> Result<Page, Problem> {
    let journal = app.runtime().journal();
    let filter = RunFilter {
        org: Some(caller.org.clone()),
        after: paging.after.clone().map(Cursor::of_run),
        limit: paging.limit,
        ..RunFilter::default()
    };
    let runs = journal.list_runs(&filter).await?;
    let last = || runs.last().map(|run| Cursor { at: run.started_at, id: run.id.to_string() });
    let next = paging.next(runs.len(), last);
    let mut found = Vec::new();
    for run in &runs {
        let asked = journal.checkpoints_of(&run.id).await?;
        found.extend(asked.into_iter().filter(|asked| asked.status != "open"));
    }
    Ok((found, next))
}

/// A checkpoint with the files that stand in what it shows.
async fn with_files(app: &App, row: &CheckpointView) -> Result<CheckpointJson, Problem> {
    let mut shown = CheckpointJson::of_row(row);
    let text = row.show.to_string();
    let assets = app.runtime().journal().assets_of(&row.run_id).await?;
    let there = assets.iter().filter(|asset| text.contains(asset.asset.id.as_str()));
    shown.assets = there.map(|row| AssetJson::of(&row.asset, row.step.as_str())).collect();
    Ok(shown)
}

async fn get_checkpoint(
    State(app): State<App>,
    caller: Caller,
    Path((id, step)): Path<(String, String)>,
) -> Result<Answer<CheckpointJson>, Problem> {
    let run = app.run_of(&caller, &id).await?;
    let no = step_of(&run, &step)?;
    CheckpointJson::of(&run, no).map(Answer).ok_or_else(|| {
        Problem::new(&codes::UNKNOWN_CHECKPOINT, format!("step {step} has not asked anything"))
    })
}

/// An answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AnswerBody {
    /// `continue`, `retry` or `abort`.
    verb: Verbs,
    /// For the record; needed for `retry`.
    #[schemars(length(max = 5000))]
    comment: Option<String>,
    /// Merge patch on what was shown, where the checkpoint allows it.
    modifications: Option<Value>,
    /// The digest of what was looked at.
    digest: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Verbs {
    Continue,
    Retry,
    Abort,
}

async fn answer_checkpoint(
    State(app): State<App>,
    caller: Caller,
    Path((id, step)): Path<(String, String)>,
    Json(body): Json<AnswerBody>,
) -> Result<Answer<CommandAnswer>, Problem> {
    let verb = match body.verb {
        Verbs::Continue => Verb::Continue,
        Verbs::Retry => Verb::Retry,
        Verbs::Abort => Verb::Abort,
    };
    let answer = AnswerCheckpoint {
        step: StepKey::from(step),
        verb,
        by: caller.principal(),
        comment: body.comment,
        modifications: body.modifications,
        digest: body.digest.map(Digest::from),
    };
    let command = Command::AnswerCheckpoint(Box::new(answer));
    Ok(Answer(app.ask(&caller, &id, command).await?.into()))
}
