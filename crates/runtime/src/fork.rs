//! A new run that takes over the results of another up to a step.

use std::collections::BTreeSet;

use serde_json::Value;
use showrunner_engine::at::Timestamp;
use showrunner_engine::command::StartRun;
use showrunner_engine::event::Reused;
use showrunner_engine::id::{RunId, StepKey};
use showrunner_engine::patch;
use showrunner_engine::refusal::Refusal;
use showrunner_engine::run::{Run, StepNo, StepStatus};

use crate::Runtime;
use crate::submit::{StartRequest, Started, SubmitError};

/// A fork to be made.
#[derive(Clone, Debug)]
pub struct ForkRequest {
    /// The step that is done again, with everything that depends on it; everything when absent.
    pub from: Option<StepKey>,
    /// Merge patch on the input of the run.
    pub input_edits: Option<Value>,
    /// Who asks.
    pub by: String,
    /// As of [`StartRequest`].
    pub idempotency: Option<(String, String, String)>,
}

impl Runtime {
    /// Starts a fork. Steps of the outermost block that do not depend on `from` keep their results
    /// at no cost; with edits on the input, only those whose definition does not look at it do.
    /// What was undone is no result any more. Name, labels, priority, the run's own budget and the
    /// time it was given go along; its parent does not.
    ///
    /// # Errors
    /// As [`SubmitError`] says.
    pub async fn fork(&self, id: &RunId, request: ForkRequest) -> Result<Started, SubmitError> {
        let run = self.load_shared(id).await?;
        let again = steps_again(&run, &request)?;
        let reused = run
            .steps_of(0)
            .filter(|no| !again.contains(no))
            .filter_map(|no| {
                let step = run.step(no);
                let output = step.output.clone()?;
                (step.status == StepStatus::Succeeded).then(|| Reused {
                    step: step.key.clone(),
                    output,
                    assets: step.assets.clone(),
                    simulated: step.simulated,
                })
            })
            .collect();
        let mut input = (*run.input).clone();
        if let Some(edits) = &request.input_edits {
            patch::merge(&mut input, edits);
        }
        let start = StartRun {
            org: Some(run.org.clone()),
            input,
            title: run.title.clone(),
            labels: run.labels.clone(),
            started_by: request.by,
            forked_from: Some(id.clone()),
            reused,
            budget: run.budget,
            deadline: self.as_much_time(&run),
            priority: run.priority,
            parent: None,
        };
        let definition = std::sync::Arc::clone(&run.definition);
        let idempotency = request.idempotency;
        self.start(StartRequest { definition, start, id: None, idempotency }).await
    }

    /// When a fork must have ended that gets as much time as the run got, where that was less than
    /// the definition gives every run.
    fn as_much_time(&self, run: &Run) -> Option<Timestamp> {
        let span = run.deadline?.millis_since(run.started_at);
        let is_own = run.definition.timeout.is_none_or(|timeout| span < timeout);
        is_own.then(|| self.clock().now().plus(span))
    }
}

/// The outermost steps that must be done again.
fn steps_again(run: &Run, request: &ForkRequest) -> Result<BTreeSet<StepNo>, SubmitError> {
    let mut again = BTreeSet::new();
    match &request.from {
        Some(key) => {
            let no = run.find(key).ok_or_else(|| Refusal::UnknownStep {
                step: key.clone(),
                known: run.steps_of(0).map(|no| run.step(no).key.to_string()).collect(),
            })?;
            again.insert(outermost(run, no));
        },
        None if request.input_edits.is_none() => again.extend(run.steps_of(0)),
        None => {},
    }
    again.extend(run.compensated.iter().map(|&no| outermost(run, no)));
    if request.input_edits.is_some() {
        again.extend(run.steps_of(0).filter(|&no| run.definition.reads_input(run.def(no).ix)));
    }
    loop {
        let more: Vec<StepNo> = run
            .steps_of(0)
            .filter(|no| !again.contains(no))
            .filter(|&no| {
                let first = run.scope(0).first;
                let needs = run.def(no).needs.iter();
                needs
                    .map(|&ix| first + StepNo::from(run.definition.step(ix).position))
                    .any(|need| again.contains(&need))
            })
            .collect();
        if more.is_empty() {
            return Ok(again);
        }
        again.extend(more);
    }
}

/// The outermost container a step stands in, or the step itself.
fn outermost(run: &Run, mut no: StepNo) -> StepNo {
    while let Some(container) = run.scope(run.step(no).scope).container {
        no = container;
    }
    no
}
