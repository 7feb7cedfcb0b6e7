//! What a definition means: the resolved, checked graph of steps. Nothing past the loader sees
//! what was typed; everything here has its defaults applied and its references proven.

pub mod duration;
pub mod step;
mod reads;
mod callee;
mod problem;
mod raw;
mod read;
mod outline;
mod mention;
mod resolve;
mod check;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::at::Millis;
use crate::id::Digest;
use crate::money::Budget;
use crate::schema::Schema;
use crate::template::Mapping;
pub use callee::{Callee, CalleeKind};
pub use problem::Problem;
pub use step::{
    AgentStep, Backoff, CheckpointStep, ConcurrencyLimit, DeadlinePolicy, ForEachStep, GateRule,
    GateStep, GateVerdict, Join, Keep, LoopStep, OnExhausted, OnFailure, OrchestrationStep,
    RetryPolicy, StepDef, StepKind, Verb, WaitStep, WaitUntil,
};

/// Loads a definition: reads the YAML or JSON, resolves it, checks it. `file_name` is only shown;
/// `version` is the store's count, 0 for a mere file.
///
/// # Errors
/// Everything that is wrong with it, in the order of the text, 50 problems at most.
pub fn load(source: &str, file_name: &str, version: u32) -> Result<Definition, Vec<Problem>> {
    let (definition, report) = read_all(source, file_name, version);
    match definition {
        Some(definition) if report.is_empty() => Ok(definition),
        _ => Err(report.into_problems()),
    }
}

/// [`load`], for a definition that was published before: rules that came later do not count. Its
/// runs go on as they began.
///
/// # Errors
/// As [`load`].
pub fn load_published(
    source: &str,
    file_name: &str,
    version: u32,
) -> Result<Definition, Vec<Problem>> {
    let (definition, report) = read_all(source, file_name, version);
    match definition {
        Some(definition) if report.is_sound() => Ok(definition),
        _ => Err(report.into_problems()),
    }
}

fn read_all(source: &str, file_name: &str, version: u32) -> (Option<Definition>, problem::Report) {
    let mut report = problem::Report::new(file_name);
    let (tree, fault) = raw::read(source);
    if let Some((place, complaint)) = fault {
        report.add(place, "", complaint);
    }
    let definition = tree.and_then(|tree| resolve::resolve(&mut report, &tree, source, version));
    (definition, report)
}

/// The JSON Schema of the definition language, for editors and for whoever writes definitions by
/// program. It knows the shape only; what refers to what is checked by [`load`].
pub fn json_schema() -> serde_json::Value {
    #[expect(clippy::expect_used, reason = "a file of this crate, read by a test")]
    serde_json::from_str(include_str!("definition/definition.schema.json"))
        .expect("the schema file is JSON")
}

/// The position of a step in [`Definition::steps`].
pub type StepIx = u16;

/// Text in the languages people read; English is always there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// English.
    pub en: String,
    /// Japanese, when the author gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ja: Option<String>,
}

impl Label {
    /// The label in `language` (`ja` or anything else for English).
    pub fn in_language(&self, language: &str) -> &str {
        match (&self.ja, language) {
            (Some(ja), "ja") => ja,
            _ => &self.en,
        }
    }
}

/// What a step or a whole run is expected to take, before anything was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// Expected time.
    #[serde(default)]
    pub duration: Millis,
    /// Expected money and tokens; also what is reserved before a paid attempt.
    #[serde(default)]
    pub spend: crate::money::Spend,
}

/// An immutable version of a definition, ready to run.
#[derive(Debug)]
pub struct Definition {
    /// Unique name within the organisation.
    pub slug: String,
    /// Counted from 1 by the store that published it; 0 while it is only a file.
    pub version: u32,
    /// SHA-256 of [`Self::source`]; runs are pinned to it.
    pub digest: Digest,
    /// For people.
    pub title: Label,
    /// For people.
    pub description: Label,
    /// What a run of it must be given.
    pub input_schema: Schema,
    /// The coarse states shown to people, in order. May be empty.
    pub phases: Vec<String>,
    /// Labels of the phases, index by index.
    pub phase_labels: Vec<Label>,
    /// Every step, bodies included; a step's index is its identity within this version.
    pub steps: Vec<StepDef>,
    /// The steps of the outermost block, in the author's order.
    pub root: Vec<StepIx>,
    /// What a completed run hands out.
    pub outputs: Mapping,
    /// Limit for the whole run.
    pub budget: Budget,
    /// Limits for the agents by name (a role's share of a run).
    pub agent_budgets: Vec<(String, Budget)>,
    /// How long a run may take, people's time included.
    pub timeout: Option<Millis>,
    /// Whether a failed or aborted run undoes what has a compensation.
    pub compensate_on_failure: bool,
    /// For finding it again: `marketing`, `video` …
    pub tags: Vec<String>,
    /// Whom it calls by name, in the order of the text as far as that is the order of its steps.
    pub callees: Vec<Callee>,
    /// The author's text, exactly.
    pub source: Arc<str>,
}

impl Definition {
    /// The step at `ix`. Indices come from this definition's own loader, so they exist.
    #[expect(
        clippy::indexing_slicing,
        reason = "a StepIx is only made by the loader of this definition"
    )]
    pub fn step(&self, ix: StepIx) -> &StepDef {
        &self.steps[usize::from(ix)]
    }

    /// The steps of a block: the body of `container`, or the outermost block.
    pub fn block(&self, container: Option<StepIx>) -> &[StepIx] {
        match container {
            None => &self.root,
            Some(ix) => match &self.step(ix).kind {
                StepKind::Loop(body) => &body.body,
                StepKind::ForEach(body) => &body.body,
                _ => &[],
            },
        }
    }

    /// The position of a phase in the author's order.
    pub fn phase_index(&self, phase: &str) -> Option<usize> {
        self.phases.iter().position(|p| p == phase)
    }

    /// A step of the outermost block or of any body, by its id.
    pub fn find(&self, id: &str) -> Option<&StepDef> {
        self.steps.iter().find(|step| step.id == id)
    }
}

#[cfg(test)]
mod tests;
