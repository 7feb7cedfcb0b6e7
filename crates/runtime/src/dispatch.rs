//! What is due is done: an effect is admitted, worked on in a task of its own, and reports back
//! through the door.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use showrunner_engine::at::Millis;
use showrunner_engine::command::Command;
use showrunner_engine::due::{CallAgent, Effect};
use showrunner_engine::id::{OrgId, RunId, StepKey, Token};
use tokio_util::sync::CancellationToken;

use crate::Runtime;
use crate::admission::Gate;
use crate::effects::abort::Lost;
use crate::effects::child::Wish;
use crate::lease::Lease;
use crate::submit::{Entry, SubmitError};

/// The pause before a report that could not be stored is tried again.
pub(crate) const STORE_RETRY: Millis = Millis(500);
/// The longest pause before one that the database would not have is offered again.
const STORE_RETRY_LONGEST: Millis = Millis::from_secs(30);

/// One effect being worked on.
#[derive(Debug)]
pub(crate) struct Work {
    /// The run it is for.
    pub run: RunId,
    /// The right to do so.
    pub lease: Arc<Lease>,
    /// It may have been worked on before this process began: whoever was called then must be
    /// asked first.
    pub is_recovered: bool,
}

impl Work {
    /// Cancelled when nobody wants it any more.
    pub(crate) fn stop(&self) -> &CancellationToken {
        self.lease.stop()
    }
}

impl Runtime {
    /// Works on an effect as soon as there is room for it.
    pub(crate) fn dispatch(
        &self,
        run: &RunId,
        effect: Effect,
        lease: Arc<Lease>,
        is_recovered: bool,
    ) {
        let work = Work { run: run.clone(), lease, is_recovered };
        let runtime = self.clone();
        // Finding out what became of something does not wait for room.
        let call = match &effect {
            Effect::CallAgent(call) if !call.timed_out => call,
            _ => {
                self.spawn(async move { runtime.work_on(work, effect).await });
                return;
            },
        };
        let gates = self.gates(call);
        let (org, priority) = self.standing(run);
        self.admission().admit(gates, (org, priority), move |pass| {
            let again = runtime.clone();
            runtime.spawn(async move {
                again.work_on(work, effect).await;
                drop(pass);
            });
        });
    }

    /// The bottlenecks a call must pass.
    fn gates(&self, call: &CallAgent) -> Vec<Gate> {
        let limits = &self.options().limits;
        let mut gates = vec![Gate { name: Arc::clone(&limits.all_gate), limit: limits.all }];
        if let Some((name, limit)) = limits.by_agent.get(&call.agent) {
            gates.push(Gate { name: Arc::clone(name), limit: *limit });
        }
        if let Some((name, limit)) = self.provider_gate(call) {
            gates.push(Gate { name, limit });
        }
        if let Some((key, limit)) = &call.bottleneck {
            gates.push(Gate { name: format!("key/{key}").into(), limit: *limit });
        }
        gates
    }

    /// Whose turn a run's work counts as.
    pub(crate) fn standing(&self, run: &RunId) -> (OrgId, i8) {
        self.residents().get(run).map_or_else(
            || (OrgId::from(""), 0),
            |cell| {
                let resident = cell.lock();
                (resident.run.org.clone(), resident.run.priority)
            },
        )
    }

    /// Works on an effect once whoever worked on it before has let go, and lets go of it whatever
    /// happens.
    async fn work_on(&self, work: Work, effect: Effect) {
        let Some(_working) = work.lease.begin().await else { return };
        let (token, attempt) = (effect.token(), effect.attempt());
        let performed = AssertUnwindSafe(self.perform(&work, effect)).catch_unwind().await;
        if performed.is_err() {
            self.own_up(&work, attempt).await;
        }
        if let Some(token) = token {
            self.let_go(&work.run, token, &work.lease);
        }
    }

    /// A worker of ours broke down over an attempt. What it had done until then nobody knows, so
    /// a person is asked; the other attempts of the run go on.
    async fn own_up(&self, work: &Work, attempt: Option<(StepKey, Token, u16)>) {
        tracing::error!(run.id = %work.run, "a worker broke down; this is an error in the server");
        let Some((step, token, call)) = attempt else { return };
        let message = "the server broke down over it; its log says more".to_owned();
        let command = Command::DoubtAttempt { step, token, call, message };
        self.deliver(work, Some(token), command).await;
    }

    /// The work on an attempt is over. Whoever has taken it over keeps it.
    fn let_go(&self, run: &RunId, token: Token, lease: &Arc<Lease>) {
        let Some(cell) = self.residents().get(run) else { return };
        let mut resident = cell.lock();
        resident.release(token, lease);
        self.leave_if_idle(&mut resident);
    }

    /// A table of contents.
    async fn perform(&self, work: &Work, effect: Effect) {
        match effect {
            Effect::CallAgent(call) => self.call_agent(work, *call).await,
            Effect::StartChild { step, token, child, definition, version, input, budget } => {
                let wish = Wish { child, definition, version, input, budget };
                self.start_child(work, (step, token), wish).await;
            },
            Effect::AbortAttempt {
                step,
                token,
                agent,
                input,
                settings,
                job,
                provider,
                calls,
                dispatched,
                timed_out,
            } => {
                let lost =
                    Lost { agent, input, settings, provider, job, calls, dispatched, timed_out };
                self.abort_attempt(work, (step, token), lost).await;
            },
            Effect::CancelChild { step, token, child } => {
                self.cancel_child(work, (step, token), child).await;
            },
            Effect::FollowJob { step, token, agent, job } => {
                self.follow_job(work, (step, token), &agent, job).await;
            },
            Effect::NotifyParent { parent, outcome, calls } => {
                self.notify_parent(work, parent, outcome, calls).await;
            },
        }
    }

    /// Reports until it is stored: what was paid for is not lost because a disk was full for a
    /// while, or because the database would not have it. A refusal means that nobody waits for the
    /// report any more. `false`: it was not taken, and whether it will ever be only a new start
    /// can tell.
    pub(crate) async fn tell(&self, work: &Work, ends: Option<Token>, command: Command) -> bool {
        let mut pause = STORE_RETRY;
        loop {
            let ends = ends.map(|token| (token, Arc::clone(&work.lease)));
            let entry = Entry { ends, ..Entry::default() };
            match self.submit_as(&work.run, command.clone(), entry).await {
                Err(error) if error.is_certainly_not_stored() && !self.is_stopping() => {
                    tracing::warn!(run.id = %work.run, %error, "a report could not be stored; trying again");
                    self.clock().sleep(pause).await;
                    if !error.is_transient() {
                        pause = Millis(pause.0 * 2).min(STORE_RETRY_LONGEST);
                    }
                },
                Err(SubmitError::Refused(refusal)) => {
                    tracing::debug!(run.id = %work.run, %refusal, "a report came too late");
                    return true;
                },
                Err(error) => {
                    tracing::error!(run.id = %work.run, %error, "a report was lost");
                    return false;
                },
                Ok(_) => return true,
            }
        }
    }

    /// [`Self::tell`] for whoever has nothing to do when nobody listens.
    pub(crate) async fn deliver(&self, work: &Work, ends: Option<Token>, command: Command) {
        let _taken = self.tell(work, ends, command).await;
    }
}
