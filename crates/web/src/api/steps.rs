//! `/api/v1/runs/{id}/steps`: the steps of a run, and what is asked of one of them.

use axum::Json as Answer;
use axum::extract::{Path, State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use showrunner_engine::command::Command;
use showrunner_engine::event::DoubtVerdict;
use showrunner_engine::id::StepKey;
use showrunner_engine::money::MicroUsd;

use super::load::step_of;
use super::runs::CommandAnswer;
use crate::App;
use crate::auth::Caller;
use crate::body::Json;
use crate::page::Whole;
use crate::problem::{Code, Problem, codes};
use crate::routes::{ANSWERED_AGAIN, DONE_AGAIN, Permission, REFUSED_AGAIN, Route};
use crate::view::step::StepJson;

/// What can be wrong with any change of a step.
const CHANGE: &[&Code] = &[
    &codes::UNKNOWN_RUN,
    &codes::UNKNOWN_STEP,
    &codes::RUN_STATE,
    &codes::STEP_STATE,
    &codes::STORAGE_FULL,
    &codes::NOT_SERVING,
];

pub(super) fn table() -> Vec<Route> {
    let change = |path, operation| {
        Route::post(path, operation).owned_by("id").gives::<CommandAnswer>(200).problems(CHANGE)
    };
    vec![
        Route::get("/api/v1/runs/{id}/steps", "list_steps")
            .says("Lists the steps of a run, each container before what is in it.")
            .owned_by("id")
            .gives::<Whole<StepJson>>(200)
            .problems(&[&codes::UNKNOWN_RUN])
            .to(list_steps),
        Route::get("/api/v1/runs/{id}/steps/{key}", "get_step")
            .says("Reads a step.")
            .owned_by("id")
            .gives::<StepJson>(200)
            .problems(&[&codes::UNKNOWN_RUN, &codes::UNKNOWN_STEP])
            .to(get_step),
        change("/api/v1/runs/{id}/steps/{key}/retry", "retry_step")
            .repeated(DONE_AGAIN)
            .says("Does a step again, with everything that depends on it.")
            .takes_json_or_nothing::<RetryBody>()
            .to(retry_step),
        change("/api/v1/runs/{id}/steps/{key}/skip", "skip_step")
            .repeated(REFUSED_AGAIN)
            .says("Goes on without a step.")
            .takes_json::<SkipBody>()
            .to(skip_step),
        change("/api/v1/runs/{id}/steps/{key}/complete", "complete_step")
            .repeated(REFUSED_AGAIN)
            .says("Gives a step's output in its agent's stead.")
            .takes_json::<CompleteBody>()
            .to(complete_step),
        change("/api/v1/runs/{id}/steps/{key}/resolve", "resolve_doubt")
            .repeated(ANSWERED_AGAIN)
            .says("Says whether a call that is in doubt took effect.")
            .permit(Permission::Operate)
            .takes_json::<ResolveBody>()
            .to(resolve_doubt),
    ]
}

async fn list_steps(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<Whole<StepJson>>, Problem> {
    let run = app.run_of(&caller, &id).await?;
    Ok(Answer(Whole { data: StepJson::all(&run, app.runtime().clock().now()) }))
}

async fn get_step(
    State(app): State<App>,
    caller: Caller,
    Path((id, key)): Path<(String, String)>,
) -> Result<Answer<StepJson>, Problem> {
    let run = app.run_of(&caller, &id).await?;
    let no = step_of(&run, &key)?;
    Ok(Answer(StepJson::of(&run, no, app.runtime().clock().now())))
}

/// What is done otherwise this time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RetryBody {
    /// Merge patch on the step's input.
    edits: Option<Value>,
    /// What was wrong: text, or anything the agent understands.
    feedback: Option<Value>,
}

async fn retry_step(
    State(app): State<App>,
    caller: Caller,
    Path((id, key)): Path<(String, String)>,
    Json(body): Json<RetryBody>,
) -> Result<Answer<CommandAnswer>, Problem> {
    let RetryBody { edits, feedback } = body;
    let command =
        Command::RetryStep { step: StepKey::from(key), edits, feedback, by: caller.principal() };
    Ok(Answer(app.ask(&caller, &id, command).await?.into()))
}

/// Why a step is left out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SkipBody {
    /// Why, for people.
    #[schemars(length(min = 1, max = 2000))]
    reason: String,
    /// What dependents see as its output.
    output: Option<Value>,
}

async fn skip_step(
    State(app): State<App>,
    caller: Caller,
    Path((id, key)): Path<(String, String)>,
    Json(body): Json<SkipBody>,
) -> Result<Answer<CommandAnswer>, Problem> {
    let SkipBody { reason, output } = body;
    let command =
        Command::SkipStep { step: StepKey::from(key), output, reason, by: caller.principal() };
    Ok(Answer(app.ask(&caller, &id, command).await?.into()))
}

/// An output made by a person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CompleteBody {
    /// The output; the definition says what it must be.
    output: Value,
}

async fn complete_step(
    State(app): State<App>,
    caller: Caller,
    Path((id, key)): Path<(String, String)>,
    Json(body): Json<CompleteBody>,
) -> Result<Answer<CommandAnswer>, Problem> {
    let output = body.output;
    let command =
        Command::CompleteByHand { step: StepKey::from(key), output, by: caller.principal() };
    Ok(Answer(app.ask(&caller, &id, command).await?.into()))
}

/// What became of a call.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ResolveBody {
    /// `resend`: it did not take effect. `failed`: it counts as failed.
    verdict: VerdictBody,
    /// What the call has cost all the same, millionths of a dollar, from the provider's own books.
    #[serde(default)]
    cost_micros: i64,
    /// The `since` of the wait that is meant; any other doubt is left as it is. Whoever may have
    /// to send this again gives it.
    since: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum VerdictBody {
    Resend,
    Failed,
}

async fn resolve_doubt(
    State(app): State<App>,
    caller: Caller,
    Path((id, key)): Path<(String, String)>,
    Json(body): Json<ResolveBody>,
) -> Result<Answer<CommandAnswer>, Problem> {
    let verdict = match body.verdict {
        VerdictBody::Resend => DoubtVerdict::Resend,
        VerdictBody::Failed => DoubtVerdict::Failed,
    };
    let command = Command::ResolveDoubt {
        step: StepKey::from(key),
        verdict,
        cost: MicroUsd(body.cost_micros),
        since: body.since,
        by: caller.principal(),
    };
    Ok(Answer(app.ask(&caller, &id, command).await?.into()))
}
