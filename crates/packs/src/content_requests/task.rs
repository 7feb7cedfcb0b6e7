//! The agent steps of a request, seen as its tasks.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use showrunner_engine::definition::StepKind;
use showrunner_engine::run::{Run, StepNo, StepStatus};
use showrunner_web::view::Instant;

/// A task.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct TaskJson {
    /// `<request>:<step>`.
    id: String,
    request_id: String,
    /// `executive`, `task_planner`, `strategist`, `copywriter`, `producer`, `qa`.
    agent_role: String,
    task_name: String,
    /// `pending`, `in_progress`, `completed`, `failed`, `skipped`.
    status: String,
    /// From 1.
    sequence_order: u32,
    /// Ids of the tasks before it.
    depends_on: Vec<String>,
    estimated_duration_seconds: u64,
    started_at: Option<Instant>,
    completed_at: Option<Instant>,
    retry_count: u32,
    output_data: Option<Value>,
    output_url: Option<String>,
    error_message: Option<String>,
}

/// The id of a task.
pub(super) fn id(run: &str, step: &str) -> String {
    format!("{run}:{step}")
}

/// The tasks of a request, in order.
pub(super) fn all(run: &Run) -> Vec<TaskJson> {
    if run.scopes.is_empty() {
        return Vec::new();
    }
    let is_task = |no: &StepNo| matches!(run.def(*no).kind, StepKind::Agent(_));
    let planned = planned(run);
    let mut tasks: Vec<TaskJson> = Vec::new();
    for (order, no) in (1..).zip(run.steps_of(0).filter(is_task)) {
        let before = tasks.last().map(|task| task.id.clone());
        tasks.push(task(run, no, (order, before), planned));
    }
    tasks
}

/// What the planner expects each task to take, in seconds by role, once it has planned.
fn planned(run: &Run) -> Option<&Value> {
    let planner = run.steps_of(0).find(|no| run.def(*no).id == "task_planner")?;
    run.step(planner).output.as_deref()?.get("estimated_seconds")
}

fn task(
    run: &Run,
    no: StepNo,
    (order, before): (u32, Option<String>),
    planned: Option<&Value>,
) -> TaskJson {
    let (step, def) = (run.step(no), run.def(no));
    let usual = def.estimate.duration.0.div_ceil(1000);
    TaskJson {
        id: id(run.id.as_str(), step.key.as_str()),
        request_id: run.id.to_string(),
        agent_role: def.id.clone(),
        task_name: def.label.en.clone(),
        status: status(step.status).into(),
        sequence_order: order,
        depends_on: before.into_iter().collect(),
        estimated_duration_seconds: planned
            .and_then(|seconds| seconds.get(&def.id)?.as_u64())
            .unwrap_or(usual),
        started_at: step.started_at.map(Instant),
        completed_at: step.ended_at.map(Instant),
        retry_count: step.attempts.saturating_sub(1),
        output_data: step.output.as_deref().cloned(),
        output_url: step.assets.first().map(|asset| format!("/api/v1/assets/{}/content", asset.id)),
        error_message: step.failure.as_ref().map(|failure| failure.message.clone()),
    }
}

fn status(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Pending => "pending",
        StepStatus::Running | StepStatus::Waiting => "in_progress",
        StepStatus::Succeeded => "completed",
        StepStatus::Failed => "failed",
        StepStatus::Skipped | StepStatus::Cancelled => "skipped",
    }
}
