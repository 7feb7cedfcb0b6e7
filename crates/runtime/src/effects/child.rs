//! Child runs: started once, cancelled with their parent, reported when they end.

use std::sync::Arc;

use serde_json::Value;
use showrunner_engine::command::{ChildOutcome, Command, Principal, StartRun};
use showrunner_engine::event::ParentLink;
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_engine::id::{RunId, StepKey, Token};
use showrunner_engine::money::Budget;
use showrunner_engine::refusal::Refusal;
use showrunner_engine::template::EvalFault;
use showrunner_engine::turn::CallRecord;
use showrunner_journal::AppendError;

use super::call_agent::fail;
use crate::Runtime;
use crate::dispatch::{STORE_RETRY, Work};
use crate::library::LibraryError;
use crate::submit::{StartRequest, SubmitError};

/// How deep runs may stand inside each other; deeper ones are a definition that calls itself.
const DEPTH_MAX: usize = 16;

/// The child that is wanted.
pub(crate) struct Wish {
    pub child: RunId,
    pub definition: String,
    pub version: Option<u32>,
    pub input: Result<Value, EvalFault>,
    /// The most that it may cost, where anything limits it.
    pub budget: Budget,
}

impl Runtime {
    pub(crate) async fn start_child(
        &self,
        work: &Work,
        (step, token): (StepKey, Token),
        wish: Wish,
    ) {
        let failure = loop {
            if work.stop().is_cancelled() || self.is_stopping() {
                return; // whoever called it back, or the next start, goes on from here
            }
            match self.try_start_child(work, (&step, token), &wish).await {
                // Called back while it began: it must not go on without anybody who waits for it.
                Ok(()) if work.stop().is_cancelled() => {
                    return self.cancel_child(work, (step, token), wish.child).await;
                },
                Ok(()) => return,
                Err(StartFault::Later) => self.clock().sleep(STORE_RETRY).await,
                Err(StartFault::Never(failure)) => break failure,
            }
        };
        self.deliver(work, Some(token), fail(&step, token, failure, Vec::new())).await;
    }

    async fn try_start_child(
        &self,
        work: &Work,
        (step, token): (&StepKey, Token),
        wish: &Wish,
    ) -> Result<(), StartFault> {
        let invalid = |code: &str, message: String| {
            StartFault::Never(Failure::new(ErrorClass::Validation, code, message))
        };
        let input =
            wish.input.clone().map_err(|fault| invalid("input_fault", fault.to_string()))?;
        // After a restart the child may exist: a second beginning must not stand in its place.
        if work.is_recovered && self.load_shared(&wish.child).await.is_ok() {
            return Ok(());
        }
        let parent = self.load_shared(&work.run).await.map_err(later)?;
        if self.depth(&parent).await >= DEPTH_MAX {
            return Err(invalid(
                "too_deep",
                format!("runs may stand {DEPTH_MAX} deep inside each other"),
            ));
        }
        let definition =
            self.library().get(&parent.org, &wish.definition, wish.version).await.map_err(
                |error| match error {
                    LibraryError::Journal(error) => later(error.into()),
                    unknown => invalid("definition_unknown", unknown.to_string()),
                },
            )?;
        let start = StartRun {
            org: Some(parent.org.clone()),
            input,
            title: parent.title.clone(),
            labels: parent.labels.clone(),
            started_by: parent.started_by.clone(),
            parent: Some(ParentLink { run: work.run.clone(), step: step.clone(), token }),
            priority: parent.priority,
            budget: wish.budget,
            ..StartRun::default()
        };
        let request =
            StartRequest { definition, start, id: Some(wish.child.clone()), idempotency: None };
        match self.start(request).await {
            // The refusal and the conflict say that it was started before this process began.
            Ok(_)
            | Err(
                SubmitError::Refused(Refusal::RunState { .. })
                | SubmitError::NotStored(AppendError::Conflict { .. }),
            ) => Ok(()),
            Err(SubmitError::Refused(refusal)) => {
                Err(invalid("child_refused", refusal.to_string()))
            },
            Err(error) => Err(later(error)),
        }
    }

    /// How many runs this one stands in.
    async fn depth(&self, run: &showrunner_engine::run::Run) -> usize {
        let mut depth = 1;
        let mut next = run.parent.clone();
        while let Some(parent) = next
            && depth < DEPTH_MAX
        {
            depth += 1;
            next = self.load_shared(&parent.run).await.ok().and_then(|run| run.parent.clone());
        }
        depth
    }

    /// Ends a child nobody waits for. It reports by itself when it has ended.
    pub(crate) async fn cancel_child(
        &self,
        work: &Work,
        (step, token): (StepKey, Token),
        child: RunId,
    ) {
        let command = Command::Cancel {
            reason: Some(format!("the run {} that asked for it goes on without it", work.run)),
            compensate: false,
            by: Principal::system(),
        };
        loop {
            match self.submit(&child, command.clone()).await {
                Err(SubmitError::UnknownRun(_)) => {
                    // It was never started, and will not be.
                    let message = "the child was called back before it began";
                    let failure = Failure::new(ErrorClass::Cancelled, "called_back", message);
                    let outcome = ChildOutcome::Failed(failure);
                    let command = Command::JoinChild { step, token, outcome, calls: Vec::new() };
                    return self.deliver(work, Some(token), command).await;
                },
                Err(error) if error.is_transient() && !self.is_stopping() => {
                    self.clock().sleep(STORE_RETRY).await;
                },
                // It is ending or has ended: its report is on the way.
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// Tells the waiting run how this one ended, and notes that it knows.
    pub(crate) async fn notify_parent(
        &self,
        work: &Work,
        parent: ParentLink,
        outcome: ChildOutcome,
        calls: Vec<Arc<CallRecord>>,
    ) {
        let told = Work { run: parent.run, lease: Arc::clone(&work.lease), is_recovered: false };
        let (step, token) = (parent.step, parent.token);
        let command = Command::JoinChild { step, token, outcome, calls };
        // Only a parent that has heard it is noted as knowing; else the next start tells it.
        if self.tell(&told, None, command).await {
            self.deliver(work, None, Command::ConfirmParent).await;
        }
        if let Some(cell) = self.residents().get(&work.run) {
            let mut resident = cell.lock();
            resident.notifying = false;
            self.leave_if_idle(&mut resident);
        }
    }
}

/// It may work a moment later; why not now is for the log.
fn later(error: SubmitError) -> StartFault {
    tracing::debug!(%error, "a child run cannot be started yet");
    drop(error);
    StartFault::Later
}

enum StartFault {
    Later,
    Never(Failure),
}
