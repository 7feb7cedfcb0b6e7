//! Steps as they are shown.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use showrunner_engine::at::Timestamp;
use showrunner_engine::definition::StepKind;
use showrunner_engine::run::{Run, Step, StepNo, Wait};

use super::asset::AssetJson;
use super::{FailureView, Instant, LabelView};

/// What a step waits for.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WaitJson {
    /// Which step.
    pub step: String,
    /// `person`, `retry`, `time`, `callback`, `child`, `job`, `doubt`, `fallback`.
    #[serde(rename = "for")]
    pub what: String,
    /// Since when.
    pub since: Instant,
    /// Until when at the latest; null when only somebody can end it.
    pub until: Option<Instant>,
    /// The question, the callback's key, the child run, the job: whatever tells more.
    pub detail: Option<String>,
}

impl WaitJson {
    /// What a step waits for, if it waits.
    pub fn of(step: &Step) -> Option<Self> {
        let wait = step.wait.as_ref()?;
        let detail = match wait {
            Wait::Person { .. } => step.checkpoint.as_ref().map(|open| open.question.clone()),
            Wait::Callback { key, .. } => Some(key.clone()),
            Wait::Child { run } => Some(run.to_string()),
            Wait::Job { job, .. } => Some(format!("{} {}", job.provider, job.id)),
            Wait::Doubt => step
                .attempt
                .as_ref()
                .and_then(|attempt| attempt.doubt.as_ref())
                .map(|doubt| doubt.message.clone()),
            Wait::Fallback { step } => Some(step.to_string()),
            Wait::Retry { .. } => step.failure.as_ref().map(|failure| failure.message.clone()),
            Wait::Time { .. } => None,
        };
        Some(Self {
            step: step.key.to_string(),
            what: wait.name().into(),
            since: step.since.into(),
            until: wait.until().map(Instant),
            detail,
        })
    }
}

/// A step instance of a run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StepJson {
    /// Its key, unique in the run.
    pub key: String,
    /// Its id in the definition.
    pub id: String,
    /// `agent`, `checkpoint`, `gate`, `loop`, `for_each`, `orchestration`, `transform`, `wait`.
    pub kind: String,
    /// For people.
    pub label: LabelView,
    /// Who works on it.
    pub agent: Option<String>,
    /// The phase it belongs to.
    pub phase: Option<String>,
    /// `pending`, `running`, `waiting`, `succeeded`, `failed`, `skipped`, `cancelled`.
    pub status: String,
    /// Attempts begun.
    pub attempts: u32,
    /// Attempts there may be, those before a person sent it back not counted.
    pub attempts_max: u32,
    /// Since when it stands there.
    pub since: Instant,
    /// When its first attempt began.
    pub started_at: Option<Instant>,
    /// When it ended.
    pub ended_at: Option<Instant>,
    /// How long it has taken.
    pub duration_ms: Option<u64>,
    /// What it waits for.
    pub wait: Option<WaitJson>,
    /// The last failure.
    pub failure: Option<FailureView>,
    /// What it has cost, in millionths of a dollar.
    pub cost_micros: i64,
    /// Whether nobody real answered.
    pub simulated: bool,
    /// What came out.
    pub output: Option<Value>,
    /// What it produced.
    pub assets: Vec<AssetJson>,
}

impl StepJson {
    /// Step `no` of a run, as it stands at `now`.
    pub fn of(run: &Run, no: StepNo, now: Timestamp) -> Self {
        let (step, def) = (run.step(no), run.def(no));
        let agent = match &def.kind {
            StepKind::Agent(agent) => Some(agent.agent.clone()),
            StepKind::Gate(gate) => gate.judge.as_ref().map(|judge| judge.agent.clone()),
            _ => None,
        };
        let phase = def.phase.and_then(|ix| run.definition.phases.get(usize::from(ix)));
        Self {
            key: step.key.to_string(),
            id: def.id.clone(),
            kind: def.kind.name().into(),
            label: (&def.label).into(),
            agent,
            phase: phase.cloned(),
            status: step.status.name().into(),
            attempts: step.attempts,
            attempts_max: def.retry.attempts_max,
            since: step.since.into(),
            started_at: step.started_at.map(Instant),
            ended_at: step.ended_at.map(Instant),
            duration_ms: duration_ms(step, now),
            wait: WaitJson::of(step),
            failure: step.failure.as_ref().map(FailureView::from),
            cost_micros: step.spent.cost.0,
            simulated: is_simulated(step),
            output: step.output.as_deref().cloned(),
            assets: AssetJson::of_step(step),
        }
    }

    /// All steps of a run, each container before what is in it.
    pub fn all(run: &Run, now: Timestamp) -> Vec<Self> {
        in_order(run).into_iter().map(|no| Self::of(run, no, now)).collect()
    }
}

/// The steps of a run as people read them: the outermost in the author's order, and behind each
/// container what is in it.
pub fn in_order(run: &Run) -> Vec<StepNo> {
    let mut order = Vec::with_capacity(run.steps.len());
    if !run.scopes.is_empty() {
        walk(run, 0, &mut order);
    }
    // Compensations stand in no block.
    let loose = (0..).zip(&run.steps).filter(|(_, step)| step.compensates.is_some());
    order.extend(loose.map(|(no, _)| no));
    order
}

fn walk(run: &Run, scope: u32, order: &mut Vec<StepNo>) {
    for no in run.steps_of(scope) {
        let is_untouched_fallback = run.def(no).is_fallback && run.step(no).started_at.is_none();
        if is_untouched_fallback {
            continue; // nobody asked for it
        }
        order.push(no);
        for &inner in run.step(no).body.iter().flat_map(|body| &body.scopes) {
            walk(run, inner, order);
        }
    }
}

/// How long a step has taken; `None` before it began.
pub fn duration_ms(step: &Step, now: Timestamp) -> Option<u64> {
    let started = step.started_at?;
    Some(step.ended_at.unwrap_or(now).millis_since(started).0)
}

/// Whether a step has anything from nobody real.
pub fn is_simulated(step: &Step) -> bool {
    step.simulated || step.assets.iter().any(|asset| asset.simulated)
}
