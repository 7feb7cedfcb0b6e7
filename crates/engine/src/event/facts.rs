//! What is plain from an event itself: its name, the step it is about, the money it books.

use std::sync::Arc;

use serde_json::Value;

use super::Event;
use crate::failure::Failure;
use crate::id::StepKey;
use crate::money::MicroUsd;

impl Event {
    /// The success of a step that has no attempts.
    pub(crate) fn succeeded(step: StepKey, output: Arc<Value>, failure: Option<Failure>) -> Self {
        Self::StepSucceeded {
            step,
            token: None,
            output,
            calls: Vec::new(),
            assets: Vec::new(),
            by: None,
            cached: false,
            failure,
        }
    }

    /// The stable name, as written in the journal.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RunStarted(_) => "run.started",
            Self::PhaseEntered { .. } => "run.phase_entered",
            Self::RunDelivered { .. } => "run.delivered",
            Self::RunClosing { .. } => "run.closing",
            Self::RunCompleted { .. } => "run.completed",
            Self::RunFailed { .. } => "run.failed",
            Self::RunCancelled { .. } => "run.cancelled",
            Self::RunPaused { .. } => "run.paused",
            Self::RunResumed { .. } => "run.resumed",
            Self::RunReopened { .. } => "run.reopened",
            Self::RunRolledBack { .. } => "run.rolled_back",
            Self::ParentNotified => "run.parent_notified",
            Self::StepStarted { .. } => "step.started",
            Self::ReservationRaised { .. } => "attempt.reserved",
            Self::CallDispatched { .. } => "attempt.dispatched",
            Self::CallRecorded { .. } => "attempt.call_recorded",
            Self::ProviderChosen { .. } => "attempt.provider_chosen",
            Self::JobAccepted { .. } => "attempt.accepted",
            Self::JobGivenUp { .. } => "attempt.job_given_up",
            Self::AttemptProgressed { .. } => "attempt.progressed",
            Self::AttemptTimedOut { .. } => "attempt.timed_out",
            Self::AttemptInDoubt { .. } => "attempt.in_doubt",
            Self::DoubtResolved { .. } => "attempt.doubt_resolved",
            Self::AttemptFailed { .. } => "attempt.failed",
            Self::AttemptAbandoned { .. } => "attempt.abandoned",
            Self::AttemptSettled { .. } => "attempt.settled",
            Self::StepWaiting { .. } => "step.waiting",
            Self::StepSucceeded { .. } => "step.succeeded",
            Self::StepFailed { .. } => "step.failed",
            Self::StepFellBack { .. } => "step.fell_back",
            Self::StepSkipped { .. } => "step.skipped",
            Self::StepCancelled { .. } => "step.cancelled",
            Self::StepsReset { .. } => "steps.reset",
            Self::CheckpointOpened { .. } => "checkpoint.opened",
            Self::CheckpointAnswered { .. } => "checkpoint.answered",
            Self::CheckpointEscalated { .. } => "checkpoint.escalated",
            Self::GateDecided { .. } => "gate.decided",
            Self::IterationStarted { .. } => "loop.iteration_started",
            Self::IterationFinished { .. } => "loop.iteration_finished",
            Self::ItemsExpanded { .. } => "for_each.expanded",
            Self::ItemStarted { .. } => "for_each.item_started",
            Self::ItemFinished { .. } => "for_each.item_finished",
            Self::CallbackReceived { .. } => "callback.received",
        }
    }

    /// The step it is about; `None` for what concerns the whole run.
    pub fn step(&self) -> Option<&StepKey> {
        match self {
            Self::StepStarted { step, .. }
            | Self::ReservationRaised { step, .. }
            | Self::CallDispatched { step, .. }
            | Self::CallRecorded { step, .. }
            | Self::ProviderChosen { step, .. }
            | Self::JobAccepted { step, .. }
            | Self::JobGivenUp { step, .. }
            | Self::AttemptProgressed { step, .. }
            | Self::AttemptTimedOut { step, .. }
            | Self::AttemptInDoubt { step, .. }
            | Self::DoubtResolved { step, .. }
            | Self::AttemptFailed { step, .. }
            | Self::AttemptAbandoned { step, .. }
            | Self::AttemptSettled { step, .. }
            | Self::StepWaiting { step, .. }
            | Self::StepSucceeded { step, .. }
            | Self::StepFailed { step, .. }
            | Self::StepFellBack { step, .. }
            | Self::StepSkipped { step, .. }
            | Self::StepCancelled { step }
            | Self::CheckpointOpened { step, .. }
            | Self::CheckpointAnswered { step, .. }
            | Self::CheckpointEscalated { step, .. }
            | Self::GateDecided { step, .. }
            | Self::IterationStarted { step, .. }
            | Self::IterationFinished { step, .. }
            | Self::ItemsExpanded { step, .. }
            | Self::ItemStarted { step, .. }
            | Self::ItemFinished { step, .. } => Some(step),
            Self::RunStarted(_)
            | Self::PhaseEntered { .. }
            | Self::RunDelivered { .. }
            | Self::RunClosing { .. }
            | Self::RunCompleted { .. }
            | Self::RunFailed { .. }
            | Self::RunCancelled { .. }
            | Self::RunPaused { .. }
            | Self::RunResumed { .. }
            | Self::RunReopened { .. }
            | Self::RunRolledBack { .. }
            | Self::ParentNotified
            | Self::StepsReset { .. }
            | Self::CallbackReceived { .. } => None,
        }
    }

    /// The money that this event adds to the run's bill.
    pub fn cost(&self) -> MicroUsd {
        match self {
            Self::CallRecorded { call, .. } => call.cost,
            Self::DoubtResolved { cost, .. } => *cost,
            Self::AttemptFailed { calls, .. }
            | Self::AttemptSettled { calls, .. }
            | Self::StepSucceeded { calls, .. } => {
                crate::call::total(calls.iter().map(Arc::as_ref)).cost
            },
            _ => MicroUsd::ZERO,
        }
    }
}
