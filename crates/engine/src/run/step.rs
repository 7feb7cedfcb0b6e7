//! A step instance, its attempts, and what it waits for.

use std::sync::Arc;

use serde_json::Value;

use super::ScopeNo;
use crate::at::Timestamp;
use crate::call::CallRecord;
use crate::definition::StepIx;
use crate::event::{Answer, Asset, FailedProvider, Job};
use crate::failure::Failure;
use crate::id::{Digest, RunId, StepKey, Token};
use crate::money::Spend;

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepStatus {
    /// Its turn has not come.
    Pending,
    /// An attempt is in flight, or its body is being worked on.
    Running,
    /// It waits for something with a name.
    Waiting,
    /// It has its output.
    Succeeded,
    /// It failed for good.
    Failed,
    /// It will not run.
    Skipped,
    /// It was taken out.
    Cancelled,
}

impl StepStatus {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it has ended.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Skipped | Self::Cancelled)
    }
}

/// What a waiting step waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum Wait {
    /// A person's answer.
    Person {
        /// When their time is over.
        until: Option<Timestamp>,
    },
    /// The time of the next attempt.
    Retry {
        /// That time.
        until: Timestamp,
    },
    /// A time.
    Time {
        /// That time.
        until: Timestamp,
    },
    /// A callback.
    Callback {
        /// Its key.
        key: String,
        /// When the wait is given up.
        until: Option<Timestamp>,
    },
    /// A child run.
    Child {
        /// Which.
        run: RunId,
    },
    /// A provider's answer to an accepted job.
    Job {
        /// Which.
        job: Job,
        /// When it is given up.
        until: Option<Timestamp>,
    },
    /// A person who knows whether a call took effect.
    Doubt,
    /// The step that takes its place.
    Fallback {
        /// Which.
        step: StepKey,
    },
}

impl Wait {
    /// The stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Person { .. } => "person",
            Self::Retry { .. } => "retry",
            Self::Time { .. } => "time",
            Self::Callback { .. } => "callback",
            Self::Child { .. } => "child",
            Self::Job { .. } => "job",
            Self::Doubt => "doubt",
            Self::Fallback { .. } => "fallback",
        }
    }

    /// When the wait ends by itself.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Person { until } | Self::Callback { until, .. } | Self::Job { until, .. } => {
                *until
            },
            Self::Retry { until } | Self::Time { until } => Some(*until),
            Self::Child { .. } | Self::Doubt | Self::Fallback { .. } => None,
        }
    }
}

/// Why an attempt is in doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Which call.
    pub call: u16,
    /// What is known.
    pub message: String,
    /// Since when.
    pub since: Timestamp,
}

/// One try of a step.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Counted from 1 over the step's whole life.
    pub no: u32,
    /// The right to report on it.
    pub token: Token,
    /// When it began.
    pub started_at: Timestamp,
    /// When it counts as timed out.
    pub deadline: Option<Timestamp>,
    /// What is held back for it.
    pub reserved: Spend,
    /// Calls answered so far.
    pub calls: Vec<Arc<CallRecord>>,
    /// The last call that is known to have left.
    pub dispatched: Option<u16>,
    /// Who is paid for it, once that is decided.
    pub provider: Option<String>,
    /// The job a provider accepted.
    pub job: Option<Job>,
    /// The child run.
    pub child: Option<RunId>,
    /// Nobody knows whether a call took effect.
    pub doubt: Option<Doubt>,
    /// A person said that the call in doubt did not take effect.
    pub may_resend: bool,
    /// Its time is over; the outside is being asked what became of it.
    pub timed_out: bool,
}

/// What an open checkpoint shows, and the voices so far.
#[derive(Clone, Debug)]
pub struct CheckpointState {
    /// Since when.
    pub opened_at: Timestamp,
    /// The question.
    pub question: String,
    /// The question in Japanese.
    pub question_ja: Option<String>,
    /// What is shown.
    pub show: Arc<Value>,
    /// Its digest.
    pub digest: Digest,
    /// Voices in order.
    pub answers: Vec<Answer>,
    /// The answer that decided.
    pub decided: Option<Answer>,
    /// Roles asked in addition.
    pub escalated_to: Vec<String>,
    /// Whether the escalation has happened.
    pub escalated: bool,
}

impl CheckpointState {
    /// The voices on what is shown: those before somebody changed it do not count.
    pub fn voices(&self) -> &[Answer] {
        let changed = self.answers.iter().rposition(|answer| answer.modified.is_some());
        self.answers.get(changed.unwrap_or(0)..).unwrap_or_default()
    }
}

/// What has become of a container's body.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// The scopes by iteration or element number.
    pub scopes: Vec<ScopeNo>,
    /// The elements, in a `for_each`.
    pub items: Option<Arc<Vec<Value>>>,
    /// What each iteration or element handed out.
    pub results: Vec<Option<Arc<Value>>>,
    /// Which elements failed, and why.
    pub failures: Vec<(u32, Failure)>,
    /// How many elements have ended.
    pub finished: u32,
    /// How many iterations or elements are being worked on.
    pub active: u32,
    /// The best iteration so far and its score.
    pub best: Option<(u32, f64)>,
    /// When the whole of it counts as timed out.
    pub deadline: Option<Timestamp>,
}

impl Body {
    /// Whether this iteration or element has handed out a result or failed.
    pub fn has_finished(&self, index: u32) -> bool {
        self.results.get(index as usize).is_some_and(Option::is_some)
            || self.failures.iter().any(|(failed, _)| *failed == index)
    }
}

/// A step instance.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its key.
    pub key: StepKey,
    /// What the definition says about it.
    pub def: StepIx,
    /// The scope it stands in.
    pub scope: ScopeNo,
    /// Where it stands.
    pub status: StepStatus,
    /// Attempts begun in its whole life.
    pub attempts: u32,
    /// Attempts begun before its last reset; retry limits count from here.
    pub attempts_before_reset: u32,
    /// The current or last attempt.
    pub attempt: Option<Attempt>,
    /// Attempts that were called back and have not reported yet.
    pub past: Vec<Attempt>,
    /// What it waits for.
    pub wait: Option<Wait>,
    /// Since when it stands where it stands.
    pub since: Timestamp,
    /// When its first attempt (since the last reset) began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Its output.
    pub output: Option<Arc<Value>>,
    /// What it produced.
    pub assets: Vec<Asset>,
    /// The last failure.
    pub failure: Option<Failure>,
    /// Providers that could not do it; they are not asked again.
    pub shunned: Vec<FailedProvider>,
    /// What was said about its former output.
    pub feedback: Option<Arc<Value>>,
    /// Merge patch on its input.
    pub edits: Option<Arc<Value>>,
    /// How often it has sent work back (checkpoints and gates).
    pub sent_back: u32,
    /// The open or answered checkpoint.
    pub checkpoint: Option<Box<CheckpointState>>,
    /// The body of a loop or `for_each`.
    pub body: Option<Box<Body>>,
    /// What all its attempts have cost.
    pub spent: Spend,
    /// What is held back for good, for calls whose price nobody knows.
    pub unknown: Spend,
    /// How many calls those are.
    pub unknown_calls: u32,
    /// Whether any answer it got came from nobody real.
    pub simulated: bool,
    /// The step it undoes.
    pub compensates: Option<StepKey>,
    /// The order in which it ended, for undoing in reverse; the sequence number of that event.
    pub ended_seq: u64,
}

impl Step {
    /// A pending instance.
    pub fn new(key: StepKey, def: StepIx, scope: ScopeNo, since: Timestamp) -> Self {
        Self {
            key,
            def,
            scope,
            status: StepStatus::Pending,
            attempts: 0,
            attempts_before_reset: 0,
            attempt: None,
            past: Vec::new(),
            wait: None,
            since,
            started_at: None,
            ended_at: None,
            output: None,
            assets: Vec::new(),
            failure: None,
            shunned: Vec::new(),
            feedback: None,
            edits: None,
            sent_back: 0,
            checkpoint: None,
            body: None,
            spent: Spend::ZERO,
            unknown: Spend::ZERO,
            unknown_calls: 0,
            simulated: false,
            compensates: None,
            ended_seq: 0,
        }
    }

    /// Whether an attempt of it is in flight that this server itself works on.
    pub fn is_busy(&self) -> bool {
        let in_flight =
            self.status == StepStatus::Running && self.attempt.is_some() && self.body.is_none();
        in_flight || !self.past.is_empty()
    }

    /// The answer that decided its checkpoint, until the question is asked again.
    pub fn decision(&self) -> Option<&Answer> {
        self.checkpoint.as_ref()?.decided.as_ref()
    }

    /// Whether `token` is its current attempt's and that attempt is not over.
    pub fn is_current(&self, token: Token) -> bool {
        !self.status.is_terminal()
            && self.status != StepStatus::Pending
            && !matches!(self.wait, Some(Wait::Retry { .. } | Wait::Fallback { .. }))
            && self.attempt.as_ref().is_some_and(|attempt| attempt.token == token)
    }

    /// The past attempt with this token that has not reported.
    pub fn past(&self, token: Token) -> Option<&Attempt> {
        self.past.iter().find(|past| past.token == token)
    }

    /// When time must be looked at for it, leaving aside attempts in flight: whoever works on
    /// one watches its time as well.
    pub fn parked_wake_at(&self, paused: bool) -> Option<Timestamp> {
        let is_parked = self.wait.is_some() || self.body.is_some();
        is_parked.then(|| self.wake_at(paused)).flatten()
    }

    /// When time must be looked at for it.
    pub fn wake_at(&self, paused: bool) -> Option<Timestamp> {
        if self.status.is_terminal() {
            return None;
        }
        match &self.wait {
            Some(Wait::Retry { .. }) if paused => None,
            Some(
                wait @ (Wait::Retry { .. }
                | Wait::Time { .. }
                | Wait::Person { .. }
                | Wait::Callback { .. }
                | Wait::Job { .. }),
            ) => wait.until(),
            // A child whose time is over has been told to end, and ends.
            Some(Wait::Child { .. }) => self.attempt.as_ref().filter(|a| !a.timed_out)?.deadline,
            Some(Wait::Doubt | Wait::Fallback { .. }) => None,
            None if self.status != StepStatus::Running => None,
            None => match &self.body {
                Some(body) => body.deadline,
                None => self.attempt.as_ref().and_then(|attempt| attempt.deadline),
            },
        }
    }
}
