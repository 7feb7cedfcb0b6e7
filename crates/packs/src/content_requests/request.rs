//! A run, seen as a request.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use showrunner_engine::event::Ending;
use showrunner_engine::run::{Run, RunState, RunStatus};
use showrunner_journal::query::actuals::Actual;
use showrunner_journal::query::runs::RunView;
use showrunner_web::problem::codes;
use showrunner_web::view::asset::AssetJson;
use showrunner_web::view::run::{Progress, RunJson};
use showrunner_web::view::step::WaitJson;
use showrunner_web::view::{FailureView, Instant};
use showrunner_web::{App, Caller, Problem};

use super::brief::RequestType;
use super::estimate::Estimate;

/// A request, whole.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RequestJson {
    pub(super) id: String,
    /// `intake`, `draft`, `production`, `qa`, `published`, `cancelled`, `failed`.
    pub(super) status: String,
    /// As of the run: `running`, `waiting` …
    run_status: String,
    title: Option<String>,
    request_type: String,
    brand_id: Option<String>,
    prompt: Option<String>,
    /// Dollars.
    estimated_cost: f64,
    estimated_time_seconds: u64,
    /// Dollars.
    actual_cost: f64,
    /// Once it is over, from its creation to its end.
    actual_time_seconds: Option<f64>,
    /// What was expected when it was accepted.
    estimate: Estimate,
    /// Once it is over: dollars more than expected, or less.
    cost_difference: Option<f64>,
    /// Once it is over: `actual_time_seconds` without the time in which people were asked.
    working_time_seconds: Option<f64>,
    /// Once it is over: seconds of work more than expected, or less.
    time_difference_seconds: Option<f64>,
    created_by: String,
    created_at: Instant,
    updated_at: Instant,
    /// What it waits for.
    waiting: Vec<WaitingJson>,
    failure: Option<FailureView>,
    /// Whether anything in it comes from nobody real.
    simulated: bool,
    /// What it made, the newest file of each step.
    assets: Vec<AssetJson>,
    progress: Progress,
    /// What may be asked of it now.
    allowed: Vec<String>,
    /// Its page.
    page: String,
}

/// What a request waits for.
#[derive(Debug, Serialize, JsonSchema)]
struct WaitingJson {
    #[serde(flatten)]
    wait: WaitJson,
    /// What a person is asked.
    question: Option<String>,
}

impl RequestJson {
    pub(super) fn of(run: &Run, actual: Option<Actual>) -> Self {
        let json = RunJson::of(run);
        let text = |name: &str| run.input.get(name).and_then(|v| v.as_str()).map(str::to_owned);
        let estimate = Estimate::kept(run);
        let taken = actual.map(|actual| seconds(actual.work.0));
        let waiting = json.waits.into_iter().map(|wait| {
            let question = (wait.what == "person").then(|| wait.detail.clone()).flatten();
            WaitingJson { wait, question }
        });
        Self {
            id: json.id,
            status: status(run).into(),
            run_status: json.status,
            title: json.title,
            request_type: run.labels.get("request_type").cloned().unwrap_or_default(),
            brand_id: run.labels.get("brand_id").cloned(),
            prompt: text("prompt"),
            estimated_cost: estimate.cost.median,
            estimated_time_seconds: estimate.whole_seconds(),
            estimate,
            cost_difference: actual.map(|actual| actual.cost.as_usd() - estimate.cost.median),
            working_time_seconds: taken,
            time_difference_seconds: taken.map(|taken| taken - estimate.time_seconds.median),
            actual_cost: json.cost_usd,
            actual_time_seconds: run.ended_at.map(|_| seconds(run.duration().0)),
            created_by: run.started_by.clone(),
            created_at: run.started_at.into(),
            updated_at: run.updated_at.into(),
            waiting: waiting.collect(),
            failure: json.failure,
            simulated: json.simulated,
            assets: AssetJson::of_run(run),
            progress: json.progress,
            allowed: json.allowed,
            page: format!("/runs/{}", run.id),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "2^53 ms is longer than any request takes")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

/// The status of a request: the run's phase, until it has ended in another way.
pub(super) fn status(run: &Run) -> &str {
    match (run.status(), run.state) {
        (RunStatus::Completed | RunStatus::Delivered, _) => "published",
        (RunStatus::Failed, _) | (_, RunState::Closing(Ending::Failed)) => "failed",
        (RunStatus::Cancelled, _) | (_, RunState::Closing(Ending::Cancelled)) => "cancelled",
        _ => run.phase_name().unwrap_or("intake"),
    }
}

/// The same of a row.
pub(super) fn row_status(row: &RunView) -> &str {
    match row.status.as_str() {
        "completed" | "delivered" => "published",
        "failed" => "failed",
        "cancelled" => "cancelled",
        _ => row.phase.as_deref().unwrap_or("intake"),
    }
}

/// A request in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RequestRow {
    id: String,
    status: String,
    run_status: String,
    title: Option<String>,
    request_type: String,
    brand_id: Option<String>,
    /// Dollars.
    actual_cost: f64,
    created_by: String,
    created_at: Instant,
    updated_at: Instant,
}

impl RequestRow {
    pub(super) fn of(row: &RunView) -> Self {
        Self {
            id: row.id.to_string(),
            status: row_status(row).into(),
            run_status: row.status.clone(),
            title: row.title.clone(),
            request_type: row.labels.get("request_type").cloned().unwrap_or_default(),
            brand_id: row.labels.get("brand_id").cloned(),
            actual_cost: row.spent.cost.as_usd(),
            created_by: row.started_by.clone(),
            created_at: row.started_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

/// The run behind a request; runs of other definitions are no requests.
pub(super) async fn find(app: &App, caller: &Caller, id: &str) -> Result<Arc<Run>, Problem> {
    let run = app.run_of(caller, id).await?;
    if RequestType::ALL.iter().any(|kind| kind.slug() == run.definition.slug) {
        return Ok(run);
    }
    let words = format!("run {id} is no content request");
    Err(Problem::new(&codes::UNKNOWN_RUN, words).with_hint("GET /api/v1/requests lists them"))
}
