//! The rows of the projections. A row knows its columns; the databases know how to store them.

use std::collections::BTreeMap;

use showrunner_engine::at::Timestamp;
use showrunner_engine::event::{Answer, Asset};
use showrunner_engine::failure::Failure;
use showrunner_engine::id::{Digest, OrgId, RunId, StepKey};
use showrunner_engine::money::{Budget, Spend};

/// Everything that one append changes in the projections.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// What never changes about a run; only with its first event.
    pub facts: Option<RunFacts>,
    /// Where the run stands.
    pub state: RunState,
    /// How it ended or was delivered; only when that changed.
    pub outcome: Option<RunOutcome>,
    /// The steps that the events are about.
    pub steps: Vec<StepRow>,
    /// What became of questions, in order.
    pub checkpoints: Vec<CheckpointChange>,
    /// New assets.
    pub assets: Vec<AssetRow>,
    /// Steps that failed for good.
    pub dead_letters: Vec<DeadLetterRow>,
    /// Failed steps that were taken up again.
    pub resolutions: Vec<Resolution>,
    /// What was spent by these events.
    pub spend: Option<SpendRow>,
}

/// What never changes about a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFacts {
    /// Whose.
    pub org: OrgId,
    /// Its definition's name.
    pub slug: String,
    /// Its definition's version.
    pub version: u32,
    /// Its definition's digest.
    pub digest: Digest,
    /// For people.
    pub title: Option<String>,
    /// Facts to find it by.
    pub labels: BTreeMap<String, String>,
    /// Who started it.
    pub started_by: String,
    /// The run that waits for it.
    pub parent_run: Option<RunId>,
    /// The step that waits for it.
    pub parent_step: Option<StepKey>,
    /// The run it is a fork of.
    pub forked_from: Option<RunId>,
    /// When its first event happened.
    pub started_at: Timestamp,
    /// When it must have ended.
    pub deadline: Option<Timestamp>,
    /// Its limit.
    pub budget: Budget,
    /// Larger goes first.
    pub priority: i8,
}

/// Where a run stands after an append. Small, because it is written with every step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunState {
    /// For people.
    pub status: &'static str,
    /// Whether recovery has to look at it: not ended, or something is still due.
    pub open: bool,
    /// When time must be looked at next.
    pub wake_at: Option<Timestamp>,
    /// The phase it stands in.
    pub phase: Option<String>,
    /// The number of its newest event.
    pub seq: u64,
    /// When that happened.
    pub updated_at: Timestamp,
    /// How many effects are due.
    pub due: u64,
    /// The first few things it waits for, as JSON; `None` when it waits for nothing.
    pub waits: Option<String>,
    /// What it has cost.
    pub spent: Spend,
    /// What is held back for attempts in flight.
    pub reserved: Spend,
    /// Whether anything in it was made up by the shipped double.
    pub simulated: bool,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOutcome {
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it failed, as JSON.
    pub failure: Option<String>,
    /// What it handed out, as JSON.
    pub output: Option<String>,
    /// Why it was ended, in words.
    pub close_reason: Option<String>,
    /// Who ended it.
    pub closed_by: Option<String>,
}

/// A step instance as it stands after an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRow {
    /// Its number within the run.
    pub position: u32,
    /// Its key.
    pub key: StepKey,
    /// Its id in the definition.
    pub def: String,
    /// `agent`, `checkpoint` …
    pub kind: &'static str,
    /// Who works, for kinds where somebody does.
    pub agent: Option<String>,
    /// For people.
    pub label_en: String,
    /// For people who read Japanese.
    pub label_ja: Option<String>,
    /// Its phase.
    pub phase: Option<String>,
    /// Where it stands.
    pub status: &'static str,
    /// Attempts so far.
    pub attempt: u32,
    /// Since when it stands there.
    pub since: Timestamp,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Its last failure, as JSON.
    pub failure: Option<String>,
    /// What it has cost.
    pub spent: Spend,
    /// What it waits for, as JSON.
    pub wait: Option<String>,
}

/// A question as it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointOpening {
    /// Which step.
    pub step: StepKey,
    /// The number of the event that opened it.
    pub seq: u64,
    /// The question.
    pub question: String,
    /// The question in Japanese.
    pub question_ja: Option<String>,
    /// What is shown, as JSON.
    pub show: String,
    /// Its digest.
    pub digest: Digest,
    /// The answers offered and their labels, as JSON.
    pub options: String,
    /// Who may answer, as JSON.
    pub roles: String,
    /// How many voices it takes.
    pub quorum: u16,
    /// Since when.
    pub opened_at: Timestamp,
    /// Until when.
    pub until: Option<Timestamp>,
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckpointChange {
    /// Nothing that shows.
    Nothing,
    /// It was asked.
    Opened(Box<CheckpointOpening>),
    /// A voice.
    Answered {
        /// Which step.
        step: StepKey,
        /// The number of the event.
        seq: u64,
        /// The answer.
        answer: Answer,
        /// Whether it decided.
        decides: bool,
    },
    /// More people are asked.
    Escalated {
        /// Which step.
        step: StepKey,
        /// The roles asked in addition, as JSON.
        roles: String,
        /// Until when.
        until: Option<Timestamp>,
    },
    /// It is open no longer. Nothing changes when it was not open.
    Closed {
        /// Which step.
        step: StepKey,
        /// The verb that decided, `expired` or `withdrawn`.
        status: &'static str,
        /// When.
        at: Timestamp,
    },
}

/// An asset of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetRow {
    /// The step that made it.
    pub step: StepKey,
    /// What it is.
    pub asset: Asset,
    /// When it became known.
    pub created_at: Timestamp,
}

/// An agent step that failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterRow {
    /// `dl_` and 26 hexadecimal digits; the same for the same event.
    pub id: String,
    /// Which step.
    pub step: StepKey,
    /// Who failed.
    pub agent: String,
    /// Why.
    pub failure: Failure,
    /// Attempts made.
    pub attempts: u32,
    /// What it was given, as JSON.
    pub snapshot: String,
    /// When.
    pub created_at: Timestamp,
}

/// A dead letter that was taken up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// Which step.
    pub step: StepKey,
    /// How.
    pub how: &'static str,
    /// When.
    pub at: Timestamp,
}

/// Money that was spent on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendRow {
    /// Whose.
    pub org: OrgId,
    /// Days since 1970 in UTC.
    pub day: i64,
    /// How much.
    pub spend: Spend,
}
