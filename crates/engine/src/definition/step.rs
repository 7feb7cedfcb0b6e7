//! One step of a definition, with everything its author may say about it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Estimate, Label, StepIx};
use crate::at::Millis;
use crate::failure::ErrorClass;
use crate::money::Budget;
use crate::schema::Schema;
use crate::template::{Expression, Mapping, Template};

/// A node of the graph.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "five independent facts, each read by name")]
pub struct StepDef {
    /// Its own index.
    pub ix: StepIx,
    /// Its id, unique in the whole definition.
    pub id: String,
    /// The loop or `for_each` whose body it stands in.
    pub parent: Option<StepIx>,
    /// Its position within its block.
    pub position: u16,
    /// For people.
    pub label: Label,
    /// The phase that a run enters at the latest when this step starts.
    pub phase: Option<u16>,
    /// Steps of the same block that must have ended before this one starts; written or implied
    /// by a reference.
    pub needs: Vec<StepIx>,
    /// When false at its turn, the step is skipped.
    pub when: Option<Expression>,
    /// What it does.
    pub kind: StepKind,
    /// What its output must look like.
    pub output_schema: Option<Schema>,
    /// Limit of one attempt.
    pub timeout: Option<Millis>,
    /// What happens after a failed attempt.
    pub retry: RetryPolicy,
    /// What happens after the last failed attempt.
    pub on_failure: OnFailure,
    /// Goes on after the run is delivered, and its failure never fails the run.
    pub background: bool,
    /// Reuses an earlier output of the same agent version and input.
    pub cache: bool,
    /// The step that undoes this one; it stands in `steps`, in no block.
    pub compensate: Option<StepIx>,
    /// Limit for all attempts of this step together.
    pub budget: Budget,
    /// Expectation; its spend is reserved before each attempt.
    pub estimate: Estimate,
    /// At most so many attempts with an equal key at once, over all runs.
    pub concurrency: Option<ConcurrencyLimit>,
    /// Runs only when a step names it in `on_failure.fallback`.
    pub is_fallback: bool,
    /// Runs only to undo the step that names it in `compensate`.
    pub is_compensation: bool,
    /// Where it is written: line and column, counted from 1.
    pub written_at: (u32, u32),
}

/// The eight kinds of step.
#[derive(Debug)]
pub enum StepKind {
    /// An agent works.
    Agent(AgentStep),
    /// A person decides.
    Checkpoint(CheckpointStep),
    /// Rules decide.
    Gate(GateStep),
    /// A body runs again until it is good enough.
    Loop(LoopStep),
    /// A body runs once for each element of a list.
    ForEach(ForEachStep),
    /// Another definition runs as a child.
    Orchestration(OrchestrationStep),
    /// Values are computed from values.
    Transform(Mapping),
    /// Time passes, or something outside happens.
    Wait(WaitStep),
}

impl StepKind {
    /// The agent whose attempts do the work: an agent step's own, or a gate's judge.
    pub fn agent(&self) -> Option<&AgentStep> {
        match self {
            Self::Agent(agent) => Some(agent),
            Self::Gate(gate) => gate.judge.as_ref(),
            _ => None,
        }
    }

    /// The word used for it in definitions, events and screens.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Agent(_) => "agent",
            Self::Checkpoint(_) => "checkpoint",
            Self::Gate(_) => "gate",
            Self::Loop(_) => "loop",
            Self::ForEach(_) => "for_each",
            Self::Orchestration(_) => "orchestration",
            Self::Transform(_) => "transform",
            Self::Wait(_) => "wait",
        }
    }
}

/// `agent:` — a named agent gets an input and answers with an output.
#[derive(Debug)]
pub struct AgentStep {
    /// The agent's name in the registry.
    pub agent: String,
    /// What it is given.
    pub input: Mapping,
    /// Settings that override the agent's own (model, temperature …), passed through.
    pub settings: Mapping,
}

/// `checkpoint:` — work stops until a person has answered.
#[derive(Debug)]
pub struct CheckpointStep {
    /// The question, in the language of the reader when given in both.
    pub question: Template,
    /// The question in Japanese.
    pub question_ja: Option<Template>,
    /// What the person is shown; the decision is bound to exactly this.
    pub show: Mapping,
    /// The answers offered; at least one.
    pub options: Vec<Verb>,
    /// Names of options where the product calls them otherwise (`continue` shown as `approve`).
    pub option_labels: BTreeMap<Verb, Label>,
    /// Who may answer; empty means everybody who may decide in the organisation.
    pub roles: Vec<String>,
    /// How many different people must say continue.
    pub quorum: u16,
    /// Whether the person who started the run may answer.
    pub allow_self: bool,
    /// What a person may change: schema of the modified content; none means no modification.
    pub modifications: Option<Schema>,
    /// The step that `retry` goes back to.
    pub retry_from: Option<StepIx>,
    /// How often `retry` may be chosen.
    pub retries_max: u32,
    /// When nobody answers.
    pub deadline: Option<DeadlinePolicy>,
    /// Whether `abort` compensates.
    pub compensate_on_abort: bool,
}

/// The three answers every checkpoint is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Go on.
    Continue,
    /// Do it again, with the comment as feedback.
    Retry,
    /// End the run.
    Abort,
}

impl Verb {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::Retry => "retry",
            Self::Abort => "abort",
        }
    }
}

/// What happens when a checkpoint's time is over.
#[derive(Clone, Debug)]
pub struct DeadlinePolicy {
    /// How long people have.
    pub after: Millis,
    /// Roles that are asked in addition, once, with the same time again.
    pub escalate_to: Vec<String>,
    /// The answer given in nobody's name when time (and escalation) is over; without one the
    /// step fails as timed out.
    pub default: Option<Verb>,
}

/// `gate:` — rules over earlier outputs decide; the first rule that holds wins.
#[derive(Debug)]
pub struct GateStep {
    /// An agent that scores first; its output is `score` in the rules' scope as `steps.<id>`.
    pub judge: Option<AgentStep>,
    /// In order; when none holds the verdict is accept.
    pub rules: Vec<GateRule>,
    /// The step that `retry` goes back to.
    pub retry_from: Option<StepIx>,
    /// How often `retry` may be decided before it turns into reject.
    pub retries_max: u32,
}

/// One rule of a gate.
#[derive(Debug)]
pub struct GateRule {
    /// Holds or not.
    pub when: Expression,
    /// Then this is decided.
    pub verdict: GateVerdict,
    /// Why, shown and handed back as feedback.
    pub reason: Option<Template>,
}

/// What a gate may decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateVerdict {
    /// Not good, and trying again would not help.
    Reject,
    /// Again, with the reason as feedback.
    Retry,
    /// Good enough; the reason goes along as a note.
    AcceptWithRevision,
    /// Good.
    Accept,
    /// Better than asked.
    Exemplary,
}

impl GateVerdict {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Retry => "retry",
            Self::AcceptWithRevision => "accept_with_revision",
            Self::Accept => "accept",
            Self::Exemplary => "exemplary",
        }
    }
}

/// `loop:` — the body runs, is judged by `until`, and runs again.
#[derive(Debug)]
pub struct LoopStep {
    /// The steps of one iteration.
    pub body: Vec<StepIx>,
    /// Good enough? Evaluated in the finished iteration's scope.
    pub until: Expression,
    /// How many iterations at most.
    pub max: u32,
    /// What one iteration hands out.
    pub result: Mapping,
    /// Which iteration's result is the loop's output.
    pub keep: Keep,
    /// What happens when `max` iterations were not good enough.
    pub on_exhausted: OnExhausted,
}

/// Which iteration wins.
#[derive(Debug)]
pub enum Keep {
    /// The last one.
    Last,
    /// The one with the highest score, the earliest among equals.
    Best(Expression),
}

/// An exhausted loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExhausted {
    /// Hands out the kept result with `flagged: true`.
    Flag,
    /// Fails.
    Fail,
}

/// `for_each:` — the body runs once per element, so many at a time.
#[derive(Debug)]
pub struct ForEachStep {
    /// The list, known only at run time.
    pub items: Expression,
    /// The steps for one element; `item` and `index` are in scope.
    pub body: Vec<StepIx>,
    /// How many elements are worked on at once.
    pub concurrency: u32,
    /// What one element hands out.
    pub result: Mapping,
    /// When the step is done.
    pub join: Join,
    /// Whether a failed element fails the step (`false`: it becomes null in the output and is
    /// listed in `failures`).
    pub fail_on_item: bool,
    /// Whether the cost of an empty list is an error.
    pub allow_empty: bool,
}

impl ForEachStep {
    /// Whether the first failed element fails the step. Where only so many elements are needed,
    /// it fails when so many can no longer succeed.
    pub fn stops_at_failure(&self) -> bool {
        self.fail_on_item && self.join == Join::All
    }
}

/// When a `for_each` has enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// Every element has ended.
    All,
    /// So many have succeeded; the others are cancelled.
    AtLeast(u32),
}

/// `orchestration:` — a child run.
#[derive(Debug)]
pub struct OrchestrationStep {
    /// The child's definition.
    pub definition: String,
    /// A fixed version; the newest published one when absent.
    pub version: Option<u32>,
    /// The child's input.
    pub input: Mapping,
}

/// `wait:` — nothing is done until something happens.
#[derive(Debug)]
pub struct WaitStep {
    /// What is waited for.
    pub until: WaitUntil,
}

/// What a wait step waits for.
#[derive(Debug)]
pub enum WaitUntil {
    /// So many milliseconds (a template, so that it may depend on data) after its start.
    Duration(Template),
    /// An instant, as RFC 3339 text.
    Instant(Template),
    /// A callback or event under a key of this run; one that came earlier counts. The step's
    /// `timeout` limits the wait.
    Callback(Template),
}

/// `concurrency:` — a named bottleneck shared by all runs of the organisation.
#[derive(Debug)]
pub struct ConcurrencyLimit {
    /// The name of the bottleneck.
    pub key: Template,
    /// How many attempts may be in it at once.
    pub limit: u32,
}

/// `retry:` — when and how often a failed attempt is tried again.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included; 1 means no retry.
    pub attempts_max: u32,
    /// How the pause grows.
    pub backoff: Backoff,
    /// The first pause.
    pub initial: Millis,
    /// The longest pause.
    pub longest: Millis,
    /// The pause is varied by up to this share of itself, up and down; thousandths.
    pub jitter_permille: u32,
    /// Which classes are retried; empty means those that are by default.
    pub on: Vec<ErrorClass>,
}

impl RetryPolicy {
    /// Exponential from one second to one minute, ±20 %, three attempts.
    pub fn usual() -> Self {
        Self {
            attempts_max: 3,
            backoff: Backoff::Exponential,
            initial: Millis(1_000),
            longest: Millis(60_000),
            jitter_permille: 200,
            on: Vec::new(),
        }
    }
}

/// How the pause before the next attempt grows with the number of failed ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backoff {
    /// n × initial.
    Linear,
    /// initial × 2ⁿ⁻¹.
    Exponential,
    /// initial × the nth Fibonacci number.
    Fibonacci,
}

/// `on_failure:` — after the last failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The block fails.
    Stop,
    /// Dependents start all the same, with a null output.
    Continue,
    /// Another step of the block takes its place; its output becomes this step's.
    Fallback(StepIx),
}
