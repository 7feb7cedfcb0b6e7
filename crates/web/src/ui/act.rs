//! What the buttons of the run page do: each is a plain form, each ends on the run page again.

use axum::extract::{Path, State};
use axum::response::Redirect;
use showrunner_engine::command::{AnswerCheckpoint, Command};
use showrunner_engine::definition::Verb;
use showrunner_engine::event::DoubtVerdict;
use showrunner_engine::id::{Digest, StepKey};
use showrunner_engine::money::MicroUsd;

use crate::App;
use crate::auth::Caller;
use crate::body::Form;
use crate::problem::{FieldError, Problem, codes};
use crate::routes::{Gives, Permission, Route, Takes};

/// More than any one call costs.
const COST_MAX_USD: f64 = 1_000_000.0;

pub(super) fn table() -> Vec<Route> {
    let act = |path, operation, fields| {
        Route::post(path, operation)
            .owned_by("id")
            .takes(Takes::Form(fields))
            .answers(303, Gives::Nothing)
            .problems(&[&codes::UNKNOWN_RUN, &codes::RUN_STATE, &codes::STORAGE_FULL])
    };
    vec![
        act("/runs/{id}/answer/{step}", "form_answer", &["verb", "comment", "digest"])
            .says("Answers a checkpoint.")
            .permit(Permission::Decide)
            .problems(&[
                &codes::UNKNOWN_STEP,
                &codes::STEP_STATE,
                &codes::ALREADY_ANSWERED,
                &codes::ALREADY_VOTED,
                &codes::NOT_OFFERED,
                &codes::STALE_CONTENT,
            ])
            .to(answer),
        act("/runs/{id}/retry/{step}", "form_retry", &["feedback"])
            .says("Does a step again.")
            .problems(&[&codes::UNKNOWN_STEP, &codes::STEP_STATE])
            .to(retry),
        act("/runs/{id}/skip/{step}", "form_skip", &["reason"])
            .says("Goes on without a step.")
            .problems(&[&codes::UNKNOWN_STEP, &codes::STEP_STATE])
            .to(skip),
        act("/runs/{id}/resolve/{step}", "form_resolve", &["verdict", "cost_usd", "since"])
            .says("Settles a doubt.")
            .permit(Permission::Operate)
            .problems(&[&codes::UNKNOWN_STEP, &codes::STEP_STATE])
            .to(resolve),
        act("/runs/{id}/cancel", "form_cancel", &["reason"]).says("Ends the run.").to(cancel),
        act("/runs/{id}/pause", "form_pause", &[]).says("Pauses the run.").to(pause),
        act("/runs/{id}/resume", "form_resume", &[]).says("Resumes the run.").to(resume),
    ]
}

async fn ask(app: &App, caller: &Caller, id: &str, command: Command) -> Result<Redirect, Problem> {
    let receipt = app.ask(caller, id, command).await?;
    Ok(Redirect::to(&format!("/runs/{}", receipt.run)))
}

/// A field with words in it, or a complaint about the field.
fn needed(form: &Form, name: &str) -> Result<String, Problem> {
    form.get(name).map(str::to_owned).ok_or_else(|| {
        Problem::invalid(vec![FieldError::new(format!("/{name}"), "this field is needed")])
    })
}

async fn answer(
    State(app): State<App>,
    caller: Caller,
    Path((id, step)): Path<(String, String)>,
    form: Form,
) -> Result<Redirect, Problem> {
    let verb = match form.get("verb") {
        Some("continue") => Verb::Continue,
        Some("retry") => Verb::Retry,
        Some("abort") => Verb::Abort,
        _ => {
            let words = "one of continue, retry, abort";
            return Err(Problem::invalid(vec![FieldError::new("/verb", words)]));
        },
    };
    let answer = AnswerCheckpoint {
        step: StepKey::from(step),
        verb,
        by: caller.principal(),
        comment: form.get("comment").map(str::to_owned),
        modifications: None,
        digest: form.get("digest").map(Digest::from),
    };
    ask(&app, &caller, &id, Command::AnswerCheckpoint(Box::new(answer))).await
}

async fn retry(
    State(app): State<App>,
    caller: Caller,
    Path((id, step)): Path<(String, String)>,
    form: Form,
) -> Result<Redirect, Problem> {
    let feedback = form.get("feedback").map(|words| serde_json::json!({ "comment": words }));
    let by = caller.principal();
    let command = Command::RetryStep { step: StepKey::from(step), edits: None, feedback, by };
    ask(&app, &caller, &id, command).await
}

async fn skip(
    State(app): State<App>,
    caller: Caller,
    Path((id, step)): Path<(String, String)>,
    form: Form,
) -> Result<Redirect, Problem> {
    let (reason, by) = (needed(&form, "reason")?, caller.principal());
    let command = Command::SkipStep { step: StepKey::from(step), output: None, reason, by };
    ask(&app, &caller, &id, command).await
}

async fn resolve(
    State(app): State<App>,
    caller: Caller,
    Path((id, step)): Path<(String, String)>,
    form: Form,
) -> Result<Redirect, Problem> {
    let verdict = match form.get("verdict") {
        Some("resend") => DoubtVerdict::Resend,
        Some("failed") => DoubtVerdict::Failed,
        _ => {
            let words = "one of resend, failed";
            return Err(Problem::invalid(vec![FieldError::new("/verdict", words)]));
        },
    };
    let command = Command::ResolveDoubt {
        step: StepKey::from(step),
        verdict,
        cost: cost(&form, verdict)?,
        since: form.get("since").map(str::to_owned),
        by: caller.principal(),
    };
    ask(&app, &caller, &id, command).await
}

/// What a call that counts as failed has cost all the same; a blank field is nothing.
fn cost(form: &Form, verdict: DoubtVerdict) -> Result<MicroUsd, Problem> {
    let Some(text) = form.get("cost_usd").filter(|_| verdict == DoubtVerdict::Failed) else {
        return Ok(MicroUsd::ZERO);
    };
    let usd = text.parse::<f64>().ok().filter(|usd| (0.0..=COST_MAX_USD).contains(usd));
    let Some(usd) = usd else {
        let words = format!("an amount in dollars from 0 to {COST_MAX_USD}, such as 0.04");
        return Err(Problem::invalid(vec![FieldError::new("/cost_usd", words)]));
    };
    #[expect(clippy::cast_possible_truncation, reason = "at most 10^12 micro-dollars")]
    Ok(MicroUsd((usd * 1_000_000.0).round() as i64))
}

async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    form: Form,
) -> Result<Redirect, Problem> {
    let reason = form.get("reason").map(str::to_owned);
    let command = Command::Cancel { reason, compensate: false, by: caller.principal() };
    ask(&app, &caller, &id, command).await
}

async fn pause(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    let command = Command::Pause { by: caller.principal() };
    ask(&app, &caller, &id, command).await
}

async fn resume(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    let command = Command::Resume { by: caller.principal() };
    ask(&app, &caller, &id, command).await
}
