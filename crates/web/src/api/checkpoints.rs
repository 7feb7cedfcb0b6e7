//! `/api/v1/approvals` and the checkpoints of a run: what waits for people, and their answers.

use axum::Json as Answer;
use axum::extract::{Path, State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use showrunner_engine::command::{AnswerCheckpoint, Command};
use showrunner_engine::definition::Verb;
use showrunner_engine::id::{Digest, StepKey};

use super::load::step_of;
use super::runs::CommandAnswer;
use crate::App;
use crate::auth::Caller;
use crate::body::Json;
use crate::page::{Cursor, Listing, Query};
use crate::problem::{Problem, codes};
use crate::routes::{Permission, Route};
use crate::view::asset::AssetJson;
use crate::view::checkpoint::CheckpointJson;

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/api/v1/approvals", "list_approvals")
            .says("Lists what waits for people, the longest waiting first.")
            .paged()
            .gives::<Listing<CheckpointJson>>(200)
            .to(list_approvals),
        Route::get("/api/v1/runs/{id}/checkpoints/{step}", "get_checkpoint")
            .says("Reads a checkpoint: the question, what is shown, and the answers offered.")
            .owned_by("id")
            .gives::<CheckpointJson>(200)
            .problems(&[&codes::UNKNOWN_RUN, &codes::UNKNOWN_STEP, &codes::UNKNOWN_CHECKPOINT])
            .to(get_checkpoint),
        Route::post("/api/v1/runs/{id}/checkpoints/{step}/answer", "answer_checkpoint")
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
    let journal = app.runtime().journal();
    let after = paging.after.clone().map(Cursor::of_run);
    let rows = journal.open_checkpoints(&caller.org, after, paging.limit).await?;
    let last = || rows.last().map(|row| Cursor { at: row.opened_at, id: row.run_id.to_string() });
    let next_cursor = paging.next(rows.len(), last);
    let mut data = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut shown = CheckpointJson::of_row(row);
        let text = row.show.to_string();
        let assets = journal.assets_of(&row.run_id).await?;
        let shown_there = assets.iter().filter(|asset| text.contains(asset.asset.id.as_str()));
        shown.assets =
            shown_there.map(|asset| AssetJson::of(&asset.asset, asset.step.as_str())).collect();
        data.push(shown);
    }
    Ok(Answer(Listing { data, next_cursor }))
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
