//! `Run > Scope > Step > Attempt`: the folded state, top down. Only [`crate::fold`] writes it.

pub mod step;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::at::{Millis, Timestamp};
use crate::definition::{Definition, StepDef};
use crate::event::{Ending, ParentLink};
use crate::failure::Failure;
use crate::id::{Digest, OrgId, RunId, StepKey};
use crate::money::{Budget, Spend};
pub use step::{Attempt, Body, CheckpointState, Doubt, Step, StepStatus, Wait};

/// The position of a step instance in [`Run::steps`].
pub type StepNo = u32;
/// The position of a scope in [`Run::scopes`].
pub type ScopeNo = u32;

/// Where a run stands for the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Not started: the fold of nothing.
    Pending,
    /// Steps start and end.
    Active,
    /// Nothing new starts; what is in flight is called back, what can be undone is undone.
    Closing(Ending),
    /// Over.
    Ended(Ending),
}

/// Where a run stands for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunStatus {
    /// Not started.
    Pending,
    /// At least one attempt is in flight or about to be.
    Running,
    /// Everything open waits for a person, a time, a callback or a child.
    Waiting,
    /// Everything but background work is done.
    Delivered,
    /// Held by a person.
    Paused,
    /// Being ended.
    Closing,
    /// Ended well.
    Completed,
    /// Ended badly.
    Failed,
    /// Ended by somebody.
    Cancelled,
}

impl RunStatus {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Paused => "paused",
            Self::Closing => "closing",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing will happen any more by itself.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// A block that is being worked on: the outermost one, an iteration, or an element.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The loop or `for_each` it belongs to; `None` for the outermost block.
    pub container: Option<StepNo>,
    /// Iteration or element number, from 0.
    pub index: u32,
    /// Its first step; the others follow in definition order.
    pub first: StepNo,
    /// How many steps it has.
    pub count: u16,
    /// The element, in a `for_each`.
    pub item: Option<Arc<Value>>,
    /// The iteration or element has ended.
    pub closed: bool,
}

/// One execution of a definition version.
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each with its own event")]
#[derive(Clone, Debug)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// What it is pinned to.
    pub definition: Arc<Definition>,
    /// The number of its newest event; 0 before the first.
    pub seq: u64,
    /// Whose.
    pub org: OrgId,
    /// Where it stands.
    pub state: RunState,
    /// Held by a person.
    pub paused: bool,
    /// Index into the definition's phases.
    pub phase: Option<u16>,
    /// What it was given.
    pub input: Arc<Value>,
    /// For people.
    pub title: Option<String>,
    /// Facts to find it by.
    pub labels: BTreeMap<String, String>,
    /// Who started it.
    pub started_by: String,
    /// The run that waits for it.
    pub parent: Option<ParentLink>,
    /// Whether the parent has taken the result.
    pub parent_notified: bool,
    /// The run it is a fork of.
    pub forked_from: Option<RunId>,
    /// Larger goes first.
    pub priority: i8,
    /// When its first event happened.
    pub started_at: Timestamp,
    /// When its newest event happened.
    pub updated_at: Timestamp,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When it must have ended.
    pub deadline: Option<Timestamp>,
    /// Its limit.
    pub budget: Budget,
    /// What it has cost.
    pub spent: Spend,
    /// What attempts in flight may still cost, and what is held back for good.
    pub reserved: Spend,
    /// The part of it that is held back for good, for calls whose price nobody knows.
    pub unknown: Spend,
    /// How many calls those are.
    pub unknown_calls: u32,
    /// The last payload taken under each key of a callback, by digest: a doubled one is known.
    pub taken: BTreeMap<String, Digest>,
    /// Whether anything in it was made up by the shipped double.
    pub simulated: bool,
    /// Spent and reserved by agent name, where the definition limits that agent.
    pub by_agent: BTreeMap<String, Spend>,
    /// Blocks, the outermost first.
    pub scopes: Vec<Scope>,
    /// Step instances in order of creation.
    pub steps: Vec<Arc<Step>>,
    /// Step instances by key.
    pub index: BTreeMap<StepKey, StepNo>,
    /// Steps that have not ended, and ended ones with an attempt still to be settled.
    pub open: BTreeSet<StepNo>,
    /// Callbacks that came before their wait.
    pub inbox: BTreeMap<String, Arc<Value>>,
    /// What it hands out.
    pub output: Option<Arc<Value>>,
    /// Why it failed or will fail.
    pub failure: Option<Failure>,
    /// Why it is being ended, in words.
    pub close_reason: Option<String>,
    /// Who ends it.
    pub closed_by: Option<String>,
    /// Whether what can be undone is undone before it ends.
    pub compensating: bool,
    /// Steps whose compensation has been started, in order.
    pub compensated: Vec<StepNo>,
}

impl Run {
    /// The run before its first event.
    pub fn new(id: RunId, definition: Arc<Definition>) -> Self {
        Self {
            id,
            definition,
            seq: 0,
            org: OrgId::from(""),
            state: RunState::Pending,
            paused: false,
            phase: None,
            input: Arc::new(Value::Null),
            title: None,
            labels: BTreeMap::new(),
            started_by: String::new(),
            parent: None,
            parent_notified: false,
            forked_from: None,
            priority: 0,
            started_at: Timestamp::default(),
            updated_at: Timestamp::default(),
            delivered_at: None,
            ended_at: None,
            deadline: None,
            budget: Budget::default(),
            spent: Spend::ZERO,
            reserved: Spend::ZERO,
            unknown: Spend::ZERO,
            unknown_calls: 0,
            taken: BTreeMap::new(),
            simulated: false,
            by_agent: BTreeMap::new(),
            scopes: Vec::new(),
            steps: Vec::new(),
            index: BTreeMap::new(),
            open: BTreeSet::new(),
            inbox: BTreeMap::new(),
            output: None,
            failure: None,
            close_reason: None,
            closed_by: None,
            compensating: false,
            compensated: Vec::new(),
        }
    }

    /// The step instance `no`; numbers come from this run.
    #[expect(clippy::indexing_slicing, reason = "a StepNo is only made by the fold of this run")]
    pub fn step(&self, no: StepNo) -> &Step {
        &self.steps[no as usize]
    }

    /// The scope `no`; numbers come from this run.
    #[expect(clippy::indexing_slicing, reason = "a ScopeNo is only made by the fold of this run")]
    pub fn scope(&self, no: ScopeNo) -> &Scope {
        &self.scopes[no as usize]
    }

    /// What the definition says about step instance `no`.
    pub fn def(&self, no: StepNo) -> &StepDef {
        self.definition.step(self.step(no).def)
    }

    /// The step instance with this key.
    pub fn find(&self, key: &StepKey) -> Option<StepNo> {
        self.index.get(key).copied()
    }

    /// The step instances of a scope.
    pub fn steps_of(&self, scope: ScopeNo) -> impl Iterator<Item = StepNo> + use<> {
        let scope = self.scope(scope);
        scope.first..scope.first + StepNo::from(scope.count)
    }

    /// The scope that encloses `scope`.
    pub fn enclosing(&self, scope: ScopeNo) -> Option<ScopeNo> {
        self.scope(scope).container.map(|container| self.step(container).scope)
    }

    /// The current phase's id.
    pub fn phase_name(&self) -> Option<&str> {
        let phase = usize::from(self.phase?);
        self.definition.phases.get(phase).map(String::as_str)
    }

    /// Whether the run is over.
    pub fn is_ended(&self) -> bool {
        matches!(self.state, RunState::Ended(_))
    }

    /// Where it stands for people.
    pub fn status(&self) -> RunStatus {
        match self.state {
            RunState::Pending => RunStatus::Pending,
            RunState::Ended(Ending::Completed) => RunStatus::Completed,
            RunState::Ended(Ending::Failed) => RunStatus::Failed,
            RunState::Ended(Ending::Cancelled) => RunStatus::Cancelled,
            RunState::Closing(_) => RunStatus::Closing,
            RunState::Active if self.paused => RunStatus::Paused,
            RunState::Active if self.delivered_at.is_some() => RunStatus::Delivered,
            RunState::Active if self.is_busy() => RunStatus::Running,
            RunState::Active => RunStatus::Waiting,
        }
    }

    /// Whether an attempt is in flight that this server itself works on.
    pub fn is_busy(&self) -> bool {
        self.open.iter().any(|&no| self.step(no).is_busy())
    }

    /// When time must be looked at next, leaving aside attempts in flight: this is what the
    /// journal remembers, so that it need not be written again at every step.
    pub fn wake_at(&self) -> Option<Timestamp> {
        if self.is_ended() || self.state == RunState::Pending {
            return None;
        }
        let steps = self.open.iter().filter_map(|&no| self.step(no).parked_wake_at(self.paused));
        let deadline = (self.state == RunState::Active).then_some(self.deadline).flatten();
        steps.chain(deadline).min()
    }

    /// Everything the run waits for, by step: for what, since when, until when.
    pub fn waits(&self) -> impl Iterator<Item = (&Step, &Wait)> {
        self.open.iter().filter_map(|&no| {
            let step = self.step(no);
            step.wait.as_ref().map(|wait| (step, wait))
        })
    }

    /// How long it has taken so far or took in all.
    pub fn duration(&self) -> Millis {
        self.ended_at.unwrap_or(self.updated_at).millis_since(self.started_at)
    }
}
