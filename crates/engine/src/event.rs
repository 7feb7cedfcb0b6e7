//! Everything that can have happened. Persisted for ever: a variant never changes its meaning,
//! a field is only ever added with a default.

mod facts;
mod parts;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::at::Timestamp;
use crate::call::CallRecord;
use crate::definition::GateVerdict;
use crate::failure::Failure;
use crate::id::{Digest, RunId, StepKey, Token};
use crate::money::{MicroUsd, Spend};

use parts::present;
pub use parts::{
    Answer, Asset, DefinitionRef, DoubtVerdict, Ending, FailedProvider, Job, ParentLink, Reused,
    RunStarted,
};

/// Everything that can have happened to a run, in the past tense.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// The run exists; its outermost steps are pending.
    #[serde(rename = "run.started")]
    RunStarted(Box<RunStarted>),
    /// The run entered a phase; phases are never skipped.
    #[serde(rename = "run.phase_entered")]
    PhaseEntered {
        /// Its id.
        phase: String,
    },
    /// Everything but background steps has ended; `output` can be used.
    #[serde(rename = "run.delivered")]
    RunDelivered {
        /// What the run hands out so far.
        output: Arc<Value>,
    },
    /// The run will end; nothing new starts, what is in flight is called back.
    #[serde(rename = "run.closing")]
    RunClosing {
        /// How.
        ending: Ending,
        /// Why, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Who asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// The failure that caused it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
        /// Whether compensations run first.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        compensate: bool,
    },
    /// The run ended well.
    #[serde(rename = "run.completed")]
    RunCompleted {
        /// What it hands out.
        output: Arc<Value>,
    },
    /// The run ended badly.
    #[serde(rename = "run.failed")]
    RunFailed {
        /// Why.
        failure: Failure,
    },
    /// The run was ended by somebody.
    #[serde(rename = "run.cancelled")]
    RunCancelled {
        /// Their words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Who.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Nothing new starts until it is resumed.
    #[serde(rename = "run.paused")]
    RunPaused {
        /// Who.
        by: String,
    },
    /// It goes on.
    #[serde(rename = "run.resumed")]
    RunResumed {
        /// Who.
        by: String,
    },
    /// A failed run goes on after a person's retry, skip or roll-back.
    #[serde(rename = "run.reopened")]
    RunReopened {
        /// Who.
        by: String,
        /// When it must have ended now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deadline: Option<Timestamp>,
    },
    /// The run stands in an earlier phase again; a `StepsReset` follows.
    #[serde(rename = "run.rolled_back")]
    RunRolledBack {
        /// The phase it stands in now.
        phase: String,
        /// Who.
        by: String,
        /// Their words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The parent run has taken this ended run's result.
    #[serde(rename = "run.parent_notified")]
    ParentNotified,
    /// An attempt may begin. This is the intent of its first outside call.
    #[serde(rename = "step.started")]
    StepStarted {
        /// Which.
        step: StepKey,
        /// Counted from 1 over the step's whole life.
        attempt: u32,
        /// The right to report on it.
        token: Token,
        /// Held back from the budgets until it ends.
        #[serde(default, skip_serializing_if = "Spend::is_zero")]
        reserved: Spend,
        /// When it counts as timed out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deadline: Option<Timestamp>,
        /// The child run, for an orchestration step.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        child: Option<RunId>,
        /// It undoes this step.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        compensates: Option<StepKey>,
    },
    /// The reservation of the attempt is this now, beside what its calls have cost already.
    #[serde(rename = "attempt.reserved")]
    ReservationRaised {
        /// Which step.
        step: StepKey,
        /// Its attempt.
        token: Token,
        /// The reservation now.
        reserved: Spend,
    },
    /// An outside call that cannot be asked about is leaving now.
    #[serde(rename = "attempt.dispatched")]
    CallDispatched {
        /// Which step.
        step: StepKey,
        /// Its attempt.
        token: Token,
        /// Which call.
        call: u16,
    },
    /// A call within the attempt was answered; the next one may leave.
    #[serde(rename = "attempt.call_recorded")]
    CallRecorded {
        /// Which step.
        step: StepKey,
        /// Its attempt.
        token: Token,
        /// The call.
        call: Arc<CallRecord>,
    },
    /// Who is going to be paid is known; nothing has left to them yet. After a crash they, and
    /// nobody else, are asked first.
    #[serde(rename = "attempt.provider_chosen")]
    ProviderChosen {
        /// Which step.
        step: StepKey,
        /// Its attempt.
        token: Token,
        /// Who.
        provider: String,
        /// In whose place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failed: Option<FailedProvider>,
    },
    /// A provider accepted a job and will answer later.
    #[serde(rename = "attempt.accepted")]
    JobAccepted {
        /// Which step.
        step: StepKey,
        /// Its attempt.
        token: Token,
        /// The job.
        job: Job,
    },
    /// A provider's job came to nothing; the attempt goes on without that provider.
    #[serde(rename = "attempt.job_given_up")]
    JobGivenUp {
        /// Which step.
        step: StepKey,
        /// Its attempt.
        token: Token,
        /// Whose job it was, and why.
        failed: FailedProvider,
    },
    /// The attempt says how far it is.
    #[serde(rename = "attempt.progressed")]
    AttemptProgressed {
        /// Which step.
        step: StepKey,
        /// Its attempt.
        token: Token,
        /// 0–100.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        percent: Option<u8>,
        /// For people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// The attempt's time is over; the outside is asked what became of it.
    #[serde(rename = "attempt.timed_out")]
    AttemptTimedOut {
        /// Which step.
        step: StepKey,
        /// Its attempt.
        token: Token,
        /// When it counts as in doubt without an answer.
        until: Timestamp,
    },
    /// Nobody can say whether the call took effect; a person is asked.
    #[serde(rename = "attempt.in_doubt")]
    AttemptInDoubt {
        /// Which step.
        step: StepKey,
        /// Its attempt.
        token: Token,
        /// Which call.
        call: u16,
        /// What is known.
        message: String,
    },
    /// The doubt was settled. The attempt goes on as at its beginning, or an `AttemptFailed`
    /// follows.
    #[serde(rename = "attempt.doubt_resolved")]
    DoubtResolved {
        /// Which step.
        step: StepKey,
        /// Its attempt.
        token: Token,
        /// How.
        verdict: DoubtVerdict,
        /// Which call it was about.
        #[serde(default)]
        call: u16,
        /// What the call had cost all the same, from the provider's own books.
        #[serde(default, skip_serializing_if = "is_nothing")]
        cost: MicroUsd,
        /// By whom.
        by: String,
        /// When it counts as timed out now, when it is sent again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deadline: Option<Timestamp>,
    },
    /// The attempt failed.
    #[serde(rename = "attempt.failed")]
    AttemptFailed {
        /// Which step.
        step: StepKey,
        /// Its attempt.
        token: Token,
        /// Why.
        failure: Failure,
        /// Calls not recorded before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        calls: Vec<Arc<CallRecord>>,
        /// When it is tried again; absent when it is not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
    },
    /// The attempt is called back: its report will only be counted, not used. Until then its
    /// reservation stays.
    #[serde(rename = "attempt.abandoned")]
    AttemptAbandoned {
        /// Which step.
        step: StepKey,
        /// Its attempt.
        token: Token,
    },
    /// An abandoned attempt reported; its cost is counted.
    #[serde(rename = "attempt.settled")]
    AttemptSettled {
        /// Which step.
        step: StepKey,
        /// Its attempt.
        token: Token,
        /// Calls not recorded before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        calls: Vec<Arc<CallRecord>>,
        /// A result that came too late to be used.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        output: Option<Arc<Value>>,
        /// Nobody could say whether its last call was made: why, and so what is missing on the
        /// bill until somebody compares it with the provider's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unknown: Option<String>,
    },
    /// The step waits for something with a name.
    #[serde(rename = "step.waiting")]
    StepWaiting {
        /// Which.
        step: StepKey,
        /// The callback key; absent when only time passes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        callback: Option<String>,
        /// Until when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// The step has its output; it never changes unless a person resets the step.
    #[serde(rename = "step.succeeded")]
    StepSucceeded {
        /// Which.
        step: StepKey,
        /// The attempt that made it; absent for steps without attempts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<Token>,
        /// The output.
        output: Arc<Value>,
        /// Calls not recorded before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        calls: Vec<Arc<CallRecord>>,
        /// What was produced.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        assets: Vec<Asset>,
        /// The person who gave the output instead of the agent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// Taken from the result cache.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        cached: bool,
        /// A failure that did not stop it (partial results).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// The step failed for good.
    #[serde(rename = "step.failed")]
    StepFailed {
        /// Which.
        step: StepKey,
        /// Why.
        failure: Failure,
    },
    /// The step failed and another takes its place.
    #[serde(rename = "step.fell_back")]
    StepFellBack {
        /// Which.
        step: StepKey,
        /// Why.
        failure: Failure,
        /// The step that takes its place.
        to: StepKey,
    },
    /// The step will not run.
    #[serde(rename = "step.skipped")]
    StepSkipped {
        /// Which.
        step: StepKey,
        /// `condition` or a person's words.
        reason: String,
        /// Who, when a person did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// The output a person gave it.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        output: Option<Arc<Value>>,
    },
    /// The step was taken out because its block or run ended.
    #[serde(rename = "step.cancelled")]
    StepCancelled {
        /// Which.
        step: StepKey,
    },
    /// The steps are pending again; a block that was over is open again where they stand in it,
    /// and so is the container around it. Their former feedback is forgotten, edits are kept.
    #[serde(rename = "steps.reset")]
    StepsReset {
        /// Which, in order of creation.
        steps: Vec<StepKey>,
        /// The step that gets the feedback and edits.
        from: StepKey,
        /// What was said about the former output.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        feedback: Option<Arc<Value>>,
        /// Merge patch on the step's input.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        edits: Option<Arc<Value>>,
        /// Who or what asked.
        by: String,
    },
    /// A person is asked.
    #[serde(rename = "checkpoint.opened")]
    CheckpointOpened {
        /// Which step.
        step: StepKey,
        /// The question.
        question: String,
        /// The question in Japanese.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        question_ja: Option<String>,
        /// What is shown.
        show: Arc<Value>,
        /// SHA-256 of `show`; a decision is bound to it.
        digest: Digest,
        /// When the time is over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// A person answered. While a quorum is missing voices, changed content takes the place of what
    /// was shown, and the voices before it no longer count.
    #[serde(rename = "checkpoint.answered")]
    CheckpointAnswered {
        /// Which step.
        step: StepKey,
        /// The answer.
        answer: Answer,
        /// Whether it decides; `false` while a quorum is missing voices.
        decides: bool,
    },
    /// The time was over; more people are asked.
    #[serde(rename = "checkpoint.escalated")]
    CheckpointEscalated {
        /// Which step.
        step: StepKey,
        /// The roles asked in addition.
        to: Vec<String>,
        /// When their time is over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// A gate decided; its judge has reported. What it sends back is reset next.
    #[serde(rename = "gate.decided")]
    GateDecided {
        /// Which step.
        step: StepKey,
        /// What.
        verdict: GateVerdict,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// An iteration of a loop began.
    #[serde(rename = "loop.iteration_started")]
    IterationStarted {
        /// The loop.
        step: StepKey,
        /// From 0.
        iteration: u32,
    },
    /// An iteration of a loop ended and was judged.
    #[serde(rename = "loop.iteration_finished")]
    IterationFinished {
        /// The loop.
        step: StepKey,
        /// From 0.
        iteration: u32,
        /// What it hands out.
        result: Arc<Value>,
        /// Its score, when the loop keeps the best.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        score: Option<f64>,
        /// Whether it was good enough.
        good: bool,
    },
    /// The list of a `for_each` is known.
    #[serde(rename = "for_each.expanded")]
    ItemsExpanded {
        /// The step.
        step: StepKey,
        /// The elements.
        items: Arc<Vec<Value>>,
    },
    /// Work on an element began.
    #[serde(rename = "for_each.item_started")]
    ItemStarted {
        /// The step.
        step: StepKey,
        /// From 0.
        index: u32,
    },
    /// Work on an element ended.
    #[serde(rename = "for_each.item_finished")]
    ItemFinished {
        /// The step.
        step: StepKey,
        /// From 0.
        index: u32,
        /// What it hands out.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        result: Option<Arc<Value>>,
        /// Why it hands out nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// Something outside reported under a key; kept until a wait step takes it.
    #[serde(rename = "callback.received")]
    CallbackReceived {
        /// The key.
        key: String,
        /// What it said.
        payload: Arc<Value>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_nothing(cost: &MicroUsd) -> bool {
    *cost == MicroUsd::ZERO
}
