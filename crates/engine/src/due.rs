//! What the world must do for a run in its present state. After a crash this, and nothing else,
//! says what goes on.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use crate::at::Timestamp;
use crate::call::CallRecord;
use crate::command::ChildOutcome;
use crate::definition::{AgentStep, StepDef, StepKind};
use crate::event::{Ending, Event, FailedProvider, Job, ParentLink};
use crate::failure::{ErrorClass, Failure};
use crate::id::{Digest, RunId, StepKey, Token};
use crate::money::{Budget, Spend};
use crate::patch;
use crate::run::{Attempt, Run, RunState, Step, StepNo, StepStatus, Wait};
use crate::schema::Schema;
use crate::template::{EvalFault, Mapping};
use crate::turn::{Answer, CallKind, Usage};
use crate::view::View;

/// What an agent is to do.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the call")]
pub struct CallAgent {
    /// Which step.
    pub step: StepKey,
    /// The right to report.
    pub token: Token,
    /// Counted from 1.
    pub attempt: u32,
    /// When it began; the same after a crash.
    pub started_at: Timestamp,
    /// Who.
    pub agent: String,
    /// With what; a fault fails the attempt.
    pub input: Result<Arc<Value>, EvalFault>,
    /// Settings over the agent's own.
    pub settings: Result<Value, EvalFault>,
    /// What the output must look like.
    pub output_schema: Option<Schema>,
    /// What was said about a former output.
    pub feedback: Option<Arc<Value>>,
    /// Calls that were answered before; they are not made again.
    pub calls: Vec<Arc<CallRecord>>,
    /// The last call that is known to have left.
    pub dispatched: Option<u16>,
    /// Who is paid for it, where that is decided already.
    pub provider: Option<String>,
    /// Who could not do it; they are not asked again.
    pub shunned: Vec<FailedProvider>,
    /// A person allowed the call in doubt to be sent again.
    pub may_resend: bool,
    /// What is reserved for it.
    pub reserved: Spend,
    /// Whether any budget limits it.
    pub is_budgeted: bool,
    /// When it counts as timed out.
    pub deadline: Option<Timestamp>,
    /// Whether an equal call's result may be reused.
    pub cache: bool,
    /// Its time is over: find out what became of it, send nothing that might be paid twice.
    pub timed_out: bool,
    /// The bottleneck it must pass, and how wide that is.
    pub bottleneck: Option<(String, u32)>,
}

/// What the world must do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Let an agent work.
    CallAgent(Box<CallAgent>),
    /// Start a child run.
    StartChild {
        /// The waiting step.
        step: StepKey,
        /// The waiting attempt.
        token: Token,
        /// The child's id; starting it twice starts one.
        child: RunId,
        /// Its definition.
        definition: String,
        /// Its version; the newest when absent.
        version: Option<u32>,
        /// Its input.
        input: Result<Value, EvalFault>,
        /// The most that it may cost, where anything limits it.
        budget: Budget,
    },
    /// Find out what became of an attempt that is no longer wanted, stop it, and report its cost.
    AbortAttempt {
        /// Which step.
        step: StepKey,
        /// Whose report is awaited.
        token: Token,
        /// The agent that works on it.
        agent: String,
        /// What it was given.
        input: Value,
        /// The settings it works with.
        settings: Value,
        /// The job a provider accepted.
        job: Option<Job>,
        /// Who was to be paid, where that was decided.
        provider: Option<String>,
        /// How many calls were answered.
        calls: usize,
        /// The last call that is known to have left.
        dispatched: Option<u16>,
        /// Its time is over, rather than somebody having called it back: a result is welcome.
        timed_out: bool,
    },
    /// End a child run, and report how it ended.
    CancelChild {
        /// The waiting step.
        step: StepKey,
        /// The waiting attempt.
        token: Token,
        /// The child.
        child: RunId,
    },
    /// Ask a provider how far a job is, until it is done.
    FollowJob {
        /// Which step.
        step: StepKey,
        /// The right to report.
        token: Token,
        /// The agent that works on it.
        agent: String,
        /// The job.
        job: Job,
    },
    /// Tell the waiting run how this one ended.
    NotifyParent {
        /// Who waits.
        parent: ParentLink,
        /// What it is told.
        outcome: ChildOutcome,
        /// What this run has cost, as one call.
        calls: Vec<Arc<CallRecord>>,
    },
}

impl Effect {
    /// The attempt it works for; `None` for what concerns the whole run.
    pub fn token(&self) -> Option<Token> {
        match self {
            Self::CallAgent(call) => Some(call.token),
            Self::StartChild { token, .. }
            | Self::AbortAttempt { token, .. }
            | Self::CancelChild { token, .. }
            | Self::FollowJob { token, .. } => Some(*token),
            Self::NotifyParent { .. } => None,
        }
    }

    /// The attempt it works for, and which of its calls is the next: by step, token and number.
    pub fn attempt(&self) -> Option<(StepKey, Token, u16)> {
        let (step, calls) = match self {
            Self::CallAgent(call) => (&call.step, call.calls.len()),
            Self::AbortAttempt { step, calls, .. } => (step, *calls),
            Self::StartChild { step, .. }
            | Self::CancelChild { step, .. }
            | Self::FollowJob { step, .. } => (step, 0),
            Self::NotifyParent { .. } => return None,
        };
        Some((step.clone(), self.token()?, u16::try_from(calls).unwrap_or(u16::MAX)))
    }

    /// The stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CallAgent(_) => "call_agent",
            Self::StartChild { .. } => "start_child",
            Self::AbortAttempt { .. } => "abort_attempt",
            Self::CancelChild { .. } => "cancel_child",
            Self::FollowJob { .. } => "follow_job",
            Self::NotifyParent { .. } => "notify_parent",
        }
    }
}

/// Everything that is due in this state.
pub fn due(run: &Run) -> Vec<Effect> {
    let mut effects: Vec<Effect> = run.open.iter().flat_map(|&no| due_for(run, no)).collect();
    effects.extend(notification(run));
    effects
}

/// What `events` made due, and nothing that was due before them: over a run's life these are what
/// [`due`] would have said, each once, without looking at every step again.
pub fn due_after(run: &Run, events: &[Event]) -> Vec<Effect> {
    let mut released: Vec<(StepNo, Token)> = Vec::new();
    let mut has_ended = false;
    for event in events {
        match event {
            Event::StepStarted { step, token, .. }
            | Event::JobAccepted { step, token, .. }
            | Event::JobGivenUp { step, token, .. }
            | Event::AttemptTimedOut { step, token, .. }
            | Event::DoubtResolved { step, token, .. } => {
                released.extend(run.find(step).map(|no| (no, *token)));
            },
            Event::AttemptAbandoned { step, token } => {
                // The instance that holds the key now holds its former rounds' attempts as well.
                // A child whose time was over had been told to end before.
                let was_told = |no: &StepNo| {
                    let past = run.step(*no).past(*token);
                    past.is_some_and(|past| past.timed_out && past.child.is_some())
                };
                let no = run.find(step).filter(|no| !was_told(no));
                released.extend(no.map(|no| (no, *token)));
            },
            Event::RunCompleted { .. } | Event::RunFailed { .. } | Event::RunCancelled { .. } => {
                has_ended = true;
            },
            _ => {},
        }
    }
    released.sort_unstable();
    released.dedup();
    let effects = released.into_iter().filter_map(|(no, token)| due_for_attempt(run, no, token));
    effects.chain(notification(run).filter(|_| has_ended)).collect()
}

/// How many effects are due, without making them.
pub fn count(run: &Run) -> usize {
    let steps = run.open.iter().map(|&no| {
        let step = run.step(no);
        step.past.len() + usize::from(has_current(step))
    });
    steps.sum::<usize>() + usize::from(notification_due(run))
}

fn has_current(step: &Step) -> bool {
    let in_flight = step.status == StepStatus::Running && step.body.is_none();
    let outside = matches!(step.wait, Some(Wait::Child { .. } | Wait::Job { .. }));
    step.attempt.is_some() && (in_flight || outside)
}

fn due_for(run: &Run, no: StepNo) -> Vec<Effect> {
    let step = run.step(no);
    let past = step.past.iter().map(|past| abort(run, no, past, false));
    past.chain(due_for_current(run, no)).collect()
}

fn due_for_attempt(run: &Run, no: StepNo, token: Token) -> Option<Effect> {
    match run.step(no).past(token) {
        Some(past) => Some(abort(run, no, past, false)),
        None => {
            let attempt = run.step(no).attempt.as_ref()?;
            (attempt.token == token).then(|| due_for_current(run, no)).flatten()
        },
    }
}

fn due_for_current(run: &Run, no: StepNo) -> Option<Effect> {
    let step = run.step(no);
    let attempt = step.attempt.as_ref().filter(|_| has_current(step))?;
    if attempt.timed_out && (attempt.job.is_some() || attempt.child.is_some()) {
        Some(abort(run, no, attempt, true))
    } else {
        work(run, no, attempt)
    }
}

fn abort(run: &Run, no: StepNo, attempt: &Attempt, timed_out: bool) -> Effect {
    let (step, token) = (run.step(no).key.clone(), attempt.token);
    if let Some(child) = &attempt.child {
        return Effect::CancelChild { step, token, child: child.clone() };
    }
    let agent = run.def(no).kind.agent();
    let view = || View::of_step(run, no);
    let input = agent.and_then(|agent| edited(&agent.input, run.step(no), view()).ok());
    let settings = agent.and_then(|agent| agent.settings.render(&view()).ok());
    Effect::AbortAttempt {
        step,
        token,
        agent: agent.map(|agent| agent.agent.clone()).unwrap_or_default(),
        input: input.unwrap_or_default(),
        settings: settings.unwrap_or_default(),
        job: attempt.job.clone(),
        provider: attempt.provider.clone(),
        calls: attempt.calls.len(),
        dispatched: attempt.dispatched,
        timed_out,
    }
}

fn work(run: &Run, no: StepNo, attempt: &Attempt) -> Option<Effect> {
    let step = run.step(no);
    if let StepKind::Orchestration(def) = &run.def(no).kind {
        return Some(Effect::StartChild {
            step: step.key.clone(),
            token: attempt.token,
            child: attempt.child.clone()?,
            definition: def.definition.clone(),
            version: def.version,
            input: edited(&def.input, step, View::of_step(run, no)),
            budget: super::decide::child_budget(run, no, attempt.reserved),
        });
    }
    let agent = run.def(no).kind.agent()?;
    match &attempt.job {
        Some(job) => Some(Effect::FollowJob {
            step: step.key.clone(),
            token: attempt.token,
            agent: agent.agent.clone(),
            job: job.clone(),
        }),
        None => Some(call_agent(run, no, attempt, agent)),
    }
}

fn call_agent(run: &Run, no: StepNo, attempt: &Attempt, agent: &AgentStep) -> Effect {
    let (step, def, view) = (run.step(no), run.def(no), View::of_step(run, no));
    let bottleneck = def.concurrency.as_ref().and_then(|limit| {
        limit.key.render_text(&view).ok().map(|key| (format!("{}/{key}", run.org), limit.limit))
    });
    Effect::CallAgent(Box::new(CallAgent {
        step: step.key.clone(),
        token: attempt.token,
        attempt: attempt.no,
        started_at: attempt.started_at,
        agent: agent.agent.clone(),
        input: edited(&agent.input, step, view).map(Arc::new),
        settings: agent.settings.render(&view),
        output_schema: def.output_schema.clone(),
        feedback: step.feedback.clone(),
        calls: attempt.calls.clone(),
        dispatched: attempt.dispatched,
        provider: attempt.provider.clone(),
        shunned: step.shunned.clone(),
        may_resend: attempt.may_resend,
        reserved: attempt.reserved,
        is_budgeted: is_budgeted(run, def, &agent.agent),
        deadline: attempt.deadline,
        cache: def.cache,
        timed_out: attempt.timed_out,
        bottleneck,
    }))
}

fn is_budgeted(run: &Run, def: &StepDef, agent: &str) -> bool {
    let none = Budget::default();
    run.budget != none
        || def.budget != none
        || run.definition.agent_budgets.iter().any(|(name, _)| name == agent)
}

/// A step's input with a person's edits in it.
fn edited(input: &Mapping, step: &Step, view: View<'_>) -> Result<Value, EvalFault> {
    let mut value = input.render(&view)?;
    if let Some(edits) = &step.edits {
        patch::merge(&mut value, edits);
    }
    Ok(value)
}

fn notification_due(run: &Run) -> bool {
    matches!(run.state, RunState::Ended(_)) && run.parent.is_some() && !run.parent_notified
}

fn notification(run: &Run) -> Option<Effect> {
    if !notification_due(run) {
        return None;
    }
    let parent = run.parent.clone()?;
    let outcome = match run.state {
        RunState::Ended(Ending::Completed) => {
            ChildOutcome::Completed(run.output.clone().unwrap_or_default())
        },
        RunState::Ended(Ending::Failed) => ChildOutcome::Failed(run.failure.clone()?),
        _ => {
            let reason =
                run.close_reason.as_deref().map_or(Cow::Borrowed(""), |r| format!(": {r}").into());
            let message = format!("the child run {} was cancelled{reason}", run.id);
            ChildOutcome::Failed(Failure::new(ErrorClass::Cancelled, "child_cancelled", message))
        },
    };
    let calls = bill(run).map(Arc::new).into_iter().collect();
    Some(Effect::NotifyParent { parent, outcome, calls })
}

/// All that a child run has cost, for the bill of the run that asked for it.
fn bill(run: &Run) -> Option<CallRecord> {
    if run.spent.is_zero() && !run.simulated {
        return None;
    }
    let millis = run.duration().0;
    Some(CallRecord {
        no: 0,
        kind: CallKind::Run,
        request_digest: Digest::of(run.id.as_str().as_bytes()),
        provider: run.definition.slug.as_str().into(),
        model: None,
        answer: Answer::AsOutput,
        usage: Usage { input_tokens: run.spent.tokens, ..Usage::default() },
        cost: run.spent.cost,
        duration_ms: millis,
        simulated: run.simulated,
        billed_key: run.id.to_string(),
        estimated: false,
    })
}
