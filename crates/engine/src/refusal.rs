//! A command that was not accepted: why, and what would be instead. Nothing has changed.

use serde::{Deserialize, Serialize};

use crate::event::Answer;
use crate::id::{Digest, StepKey};
use crate::schema::Breach;

/// Why a command was not accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Refusal {
    /// The run has not begun or has ended.
    #[error("{command} is not possible while the run is {state}; possible now: {}", list(allowed))]
    RunState {
        /// What was asked.
        command: String,
        /// The run's state.
        state: String,
        /// What may be asked instead.
        allowed: Vec<String>,
    },
    /// The step is in another state.
    #[error(
        "{command} is not possible while step {step} is {state}; possible now: {}",
        list(allowed)
    )]
    StepState {
        /// What was asked.
        command: String,
        /// Of which step.
        step: StepKey,
        /// Its state.
        state: String,
        /// What may be asked of it instead.
        allowed: Vec<String>,
    },
    /// There is no such step in this run.
    #[error("there is no step {step} in this run; there are: {}", list(known))]
    UnknownStep {
        /// As asked.
        step: StepKey,
        /// Some of those that exist.
        known: Vec<String>,
    },
    /// There is no such phase in the definition.
    #[error("there is no phase {phase}; there are: {}", list(known))]
    UnknownPhase {
        /// As asked.
        phase: String,
        /// Those that exist.
        known: Vec<String>,
    },
    /// The report is about an attempt that no longer counts; it was or will be settled.
    #[error("the attempt of step {step} is over: a report on it changes nothing")]
    StaleAttempt {
        /// Of which step.
        step: StepKey,
    },
    /// The checkpoint has its answer.
    #[error("{step} was already answered with {} by {}", first.verb.name(), first.by)]
    AlreadyAnswered {
        /// Which.
        step: StepKey,
        /// The answer that counts.
        first: Box<Answer>,
    },
    /// This person has spoken.
    #[error("{by} has already answered {step}; {missing} more voices are needed")]
    AlreadyVoted {
        /// Which checkpoint.
        step: StepKey,
        /// Who.
        by: String,
        /// Voices still missing.
        missing: u16,
    },
    /// The answer is not offered there.
    #[error("{step} does not offer {verb}; it offers: {}", list(allowed))]
    NotOffered {
        /// Which checkpoint.
        step: StepKey,
        /// As asked.
        verb: String,
        /// What it offers.
        allowed: Vec<String>,
    },
    /// Somebody else must answer.
    #[error("{by} may not answer {step}: {why}")]
    NotAllowed {
        /// Which checkpoint.
        step: StepKey,
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
    /// What was shown has changed.
    #[error("what {step} shows has changed since it was looked at; look again and decide then")]
    StaleContent {
        /// Which checkpoint.
        step: StepKey,
        /// Digest of what it shows now.
        now: Digest,
    },
    /// A value does not fit its schema.
    #[error("{what} does not fit: {}", breaches_text(breaches))]
    Invalid {
        /// Which value.
        what: String,
        /// Where and why.
        breaches: Vec<Breach>,
    },
    /// The reservation does not fit the budget.
    #[error("the budget of {whose} does not allow it: {what}")]
    OverBudget {
        /// The run, step or agent.
        whose: String,
        /// Figures.
        what: String,
        /// Only because of what others hold back: once they have cost less, it may fit.
        may_fit_later: bool,
    },
}

impl Refusal {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::RunState { .. } => "run_state",
            Self::StepState { .. } => "step_state",
            Self::UnknownStep { .. } => "unknown_step",
            Self::UnknownPhase { .. } => "unknown_phase",
            Self::StaleAttempt { .. } => "stale_attempt",
            Self::AlreadyAnswered { .. } => "already_answered",
            Self::AlreadyVoted { .. } => "already_voted",
            Self::NotOffered { .. } => "not_offered",
            Self::NotAllowed { .. } => "not_allowed",
            Self::StaleContent { .. } => "stale_content",
            Self::Invalid { .. } => "invalid",
            Self::OverBudget { .. } => "over_budget",
        }
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "nothing".into() } else { names.join(", ") }
}

fn breaches_text(breaches: &[Breach]) -> String {
    let texts: Vec<String> = breaches
        .iter()
        .map(|b| {
            if b.pointer.is_empty() {
                b.message.clone()
            } else {
                format!("{}: {}", b.pointer, b.message)
            }
        })
        .collect();
    texts.join("; ")
}
