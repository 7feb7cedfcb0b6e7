//! Everything anyone may ask of a run, in the imperative.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::at::Timestamp;
use crate::call::CallRecord;
use crate::definition::Verb;
use crate::event::{Asset, DoubtVerdict, FailedProvider, Job, ParentLink, Reused};
use crate::failure::Failure;
use crate::id::{Digest, OrgId, RunId, StepKey, Token};
use crate::money::{Budget, MicroUsd, Spend};

/// Who asks: a name for the record, and the roles that a checkpoint may require.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// For the record: `user:…`, `key:…`, `system`.
    pub id: String,
    /// Roles in the organisation. `owner` may answer every checkpoint.
    pub roles: Vec<String>,
}

impl Principal {
    /// The server itself.
    pub fn system() -> Self {
        Self { id: "system".into(), roles: Vec::new() }
    }
}

/// How a child run ended, as its parent is told.
#[derive(Clone, Debug, PartialEq)]
pub enum ChildOutcome {
    /// With this output.
    Completed(Arc<Value>),
    /// With this failure; cancelled children have class `cancelled`.
    Failed(Failure),
}

/// Most labels of a run.
pub const LABELS_MAX: usize = 64;

/// Longest name of a label, in characters.
pub const LABEL_KEY_MAX: usize = 64;

/// Longest value of a label, in characters.
pub const LABEL_VALUE_MAX: usize = 255;

/// Everything a run can be started with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StartRun {
    /// Whose.
    pub org: Option<OrgId>,
    /// What it is given.
    pub input: Value,
    /// For people.
    pub title: Option<String>,
    /// Facts to find it by: [`LABELS_MAX`] at most, of [`LABEL_KEY_MAX`] and [`LABEL_VALUE_MAX`].
    pub labels: BTreeMap<String, String>,
    /// Who starts it.
    pub started_by: String,
    /// The run that waits for it.
    pub parent: Option<ParentLink>,
    /// The run it is a fork of.
    pub forked_from: Option<RunId>,
    /// Results taken over.
    pub reused: Vec<Reused>,
    /// A tighter limit than the definition's.
    pub budget: Budget,
    /// An earlier end than the definition's.
    pub deadline: Option<Timestamp>,
    /// Larger goes first.
    pub priority: i8,
}

/// A person's answer, as asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerCheckpoint {
    /// Which step.
    pub step: StepKey,
    /// What.
    pub verb: Verb,
    /// Who.
    pub by: Principal,
    /// Their words; needed for `retry`.
    pub comment: Option<String>,
    /// A JSON merge patch (RFC 7396) on what was shown.
    pub modifications: Option<Value>,
    /// What they saw; refused when it is no longer what is shown.
    pub digest: Option<Digest>,
}

/// The report of a finished attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct FinishAttempt {
    /// Which step.
    pub step: StepKey,
    /// The right to report.
    pub token: Token,
    /// What came out; shared, so that a report that must be repeated costs nothing.
    pub output: Arc<Value>,
    /// Calls not recorded before.
    pub calls: Vec<Arc<CallRecord>>,
    /// What was produced; bytes are stored already.
    pub assets: Vec<Asset>,
    /// Taken from the result cache.
    pub cached: bool,
}

/// Everything anyone may ask.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Begin.
    StartRun(Box<StartRun>),
    /// An attempt is done.
    FinishAttempt(Box<FinishAttempt>),
    /// An attempt failed.
    FailAttempt {
        /// Which step.
        step: StepKey,
        /// The right to report.
        token: Token,
        /// Why.
        failure: Failure,
        /// Calls not recorded before.
        calls: Vec<Arc<CallRecord>>,
    },
    /// An attempt says how far it is.
    ProgressAttempt {
        /// Which step.
        step: StepKey,
        /// The right to report.
        token: Token,
        /// 0–100.
        percent: Option<u8>,
        /// For people.
        message: Option<String>,
    },
    /// A call in the middle of an attempt was answered.
    RecordCall {
        /// Which step.
        step: StepKey,
        /// The right to report.
        token: Token,
        /// The call.
        call: Arc<CallRecord>,
    },
    /// Who is going to be paid for the attempt, before anything leaves; or, when somebody failed,
    /// who is next.
    ChooseProvider {
        /// Which step.
        step: StepKey,
        /// The right to report.
        token: Token,
        /// The provider.
        provider: String,
        /// Whom it replaces, and why.
        failed: Option<FailedProvider>,
    },
    /// A provider accepted the job.
    AcceptJob {
        /// Which step.
        step: StepKey,
        /// The right to report.
        token: Token,
        /// The job.
        job: Job,
    },
    /// The provider's job came to nothing; somebody else may do it within the same attempt.
    GiveUpJob {
        /// Which step.
        step: StepKey,
        /// The right to report.
        token: Token,
        /// Whose job it was, and why it is given up.
        failed: FailedProvider,
    },
    /// A call that cannot be asked about is about to leave.
    DispatchCall {
        /// Which step.
        step: StepKey,
        /// The right to report.
        token: Token,
        /// Which call.
        call: u16,
    },
    /// The attempt needs a larger reservation than it holds.
    RaiseReservation {
        /// Which step.
        step: StepKey,
        /// The right to report.
        token: Token,
        /// The most that it may still cost, beside what its calls have cost already.
        spend: Spend,
    },
    /// Nobody can say whether a call took effect.
    DoubtAttempt {
        /// Which step.
        step: StepKey,
        /// The right to report.
        token: Token,
        /// Which call.
        call: u16,
        /// What is known.
        message: String,
    },
    /// A person settles a doubt.
    ResolveDoubt {
        /// Which step.
        step: StepKey,
        /// How.
        verdict: DoubtVerdict,
        /// What the call has cost, when the provider's own books show that it was done.
        cost: MicroUsd,
        /// Which doubt is meant, as its wait shows since when it is: an answer that comes again,
        /// because its receipt got lost, must not settle the next doubt of the same step.
        since: Option<String>,
        /// Who.
        by: Principal,
    },
    /// A person or an outside agent gives the output in the agent's stead.
    CompleteByHand {
        /// Which step.
        step: StepKey,
        /// The output.
        output: Value,
        /// Who.
        by: Principal,
    },
    /// A person answers.
    AnswerCheckpoint(Box<AnswerCheckpoint>),
    /// Something outside reports under a key.
    ReceiveCallback {
        /// The key.
        key: String,
        /// What it says.
        payload: Value,
    },
    /// Time has passed.
    FireTimers,
    /// A child run ended.
    JoinChild {
        /// The waiting step.
        step: StepKey,
        /// The waiting attempt.
        token: Token,
        /// How it ended.
        outcome: ChildOutcome,
        /// What it has cost, as one call.
        calls: Vec<Arc<CallRecord>>,
    },
    /// The parent has taken the result.
    ConfirmParent,
    /// Run a step and everything after it again.
    RetryStep {
        /// Which.
        step: StepKey,
        /// Merge patch on its input.
        edits: Option<Value>,
        /// What was wrong.
        feedback: Option<Value>,
        /// Who.
        by: Principal,
    },
    /// Go on without a step.
    SkipStep {
        /// Which.
        step: StepKey,
        /// What dependents shall see as its output.
        output: Option<Value>,
        /// Why.
        reason: String,
        /// Who.
        by: Principal,
    },
    /// Stand in an earlier phase again.
    RollBack {
        /// Which.
        phase: String,
        /// Why.
        reason: Option<String>,
        /// Who.
        by: Principal,
    },
    /// End it.
    Cancel {
        /// Why.
        reason: Option<String>,
        /// Undo what can be undone.
        compensate: bool,
        /// Who.
        by: Principal,
    },
    /// Start nothing new.
    Pause {
        /// Who.
        by: Principal,
    },
    /// Go on.
    Resume {
        /// Who.
        by: Principal,
    },
}

impl Command {
    /// The stable name, for refusals, logs and the transition table.
    pub fn name(&self) -> &'static str {
        match self {
            Self::StartRun(_) => "start_run",
            Self::FinishAttempt(_) => "finish_attempt",
            Self::FailAttempt { .. } => "fail_attempt",
            Self::ProgressAttempt { .. } => "progress_attempt",
            Self::RecordCall { .. } => "record_call",
            Self::ChooseProvider { .. } => "choose_provider",
            Self::AcceptJob { .. } => "accept_job",
            Self::GiveUpJob { .. } => "give_up_job",
            Self::DispatchCall { .. } => "dispatch_call",
            Self::RaiseReservation { .. } => "raise_reservation",
            Self::DoubtAttempt { .. } => "doubt_attempt",
            Self::ResolveDoubt { .. } => "resolve_doubt",
            Self::CompleteByHand { .. } => "complete_by_hand",
            Self::AnswerCheckpoint(_) => "answer_checkpoint",
            Self::ReceiveCallback { .. } => "receive_callback",
            Self::FireTimers => "fire_timers",
            Self::JoinChild { .. } => "join_child",
            Self::ConfirmParent => "confirm_parent",
            Self::RetryStep { .. } => "retry_step",
            Self::SkipStep { .. } => "skip_step",
            Self::RollBack { .. } => "roll_back",
            Self::Cancel { .. } => "cancel",
            Self::Pause { .. } => "pause",
            Self::Resume { .. } => "resume",
        }
    }
}
