//! What happens when somebody asks for something: events, or a refusal that names what is
//! allowed instead. One line per command; the work is in the file named like the command.

mod answer_checkpoint;
mod by_hand;
mod callback;
mod finish_attempt;
mod reset;
mod start_run;
mod stop;
mod timers;

mod advance;
mod budget;
mod gate;
mod outcome;
mod possible;
mod round;
mod settle;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::at::At;
use crate::command::Command;
use crate::event::Event;
use crate::fold;
use crate::id::{StepKey, Token};
use crate::money::Spend;
use crate::refusal::Refusal;
use crate::run::{Run, RunState, ScopeNo, Step, StepNo, StepStatus};
pub(crate) use budget::child_budget;
pub use budget::waits_for_money;
pub use possible::{possible, possible_in, possible_on};

/// What `command` would do to `run`. The run itself is left alone.
///
/// # Errors
/// The refusal says why, and what is possible instead; nothing has happened.
pub fn decide(run: &Run, command: Command, at: At) -> Result<Vec<Event>, Refusal> {
    advance(&mut run.clone(), command, at)
}

/// [`decide`], and `run` becomes what it is after the events. A refused run is unchanged.
///
/// # Errors
/// As [`decide`].
pub fn advance(run: &mut Run, command: Command, at: At) -> Result<Vec<Event>, Refusal> {
    let reserved_before = run.reserved;
    let (events, dirty) = (Vec::new(), BTreeSet::new());
    let mut door = Decider { run, at, events, dirty, drawn: 0, reserved_before };
    door.take(command)?;
    door.settle();
    Ok(door.events)
}

/// A decision in the making: every event is folded in as it is made, so that what follows is
/// decided on the state it finds. Refusals come before the first event.
struct Decider<'a> {
    run: &'a mut Run,
    at: At,
    events: Vec<Event>,
    /// Blocks in which something may be able to go on.
    dirty: BTreeSet<ScopeNo>,
    /// How many tokens were drawn.
    drawn: u32,
    /// What was held back before; less of it may let somebody start.
    reserved_before: Spend,
}

impl Decider<'_> {
    fn take(&mut self, command: Command) -> Result<(), Refusal> {
        self.refuse_in_wrong_state(&command)?;
        match command {
            Command::StartRun(start) => self.start_run(*start),
            Command::FinishAttempt(finish) => self.finish_attempt(*finish),
            Command::FailAttempt { step, token, failure, calls } => {
                self.fail_attempt(&step, token, failure, calls)
            },
            Command::ProgressAttempt { step, token, percent, message } => {
                self.progress_attempt(&step, token, percent, message)
            },
            Command::RecordCall { step, token, call } => self.record_call(&step, token, call),
            Command::ChooseProvider { step, token, provider, failed } => {
                self.choose_provider(&step, token, provider, failed)
            },
            Command::AcceptJob { step, token, job } => self.accept_job(&step, token, job),
            Command::GiveUpJob { step, token, failed } => self.give_up_job(&step, token, failed),
            Command::DispatchCall { step, token, call } => self.dispatch_call(&step, token, call),
            Command::RaiseReservation { step, token, spend } => {
                self.raise_reservation(&step, token, spend)
            },
            Command::DoubtAttempt { step, token, call, message } => {
                self.doubt_attempt(&step, token, call, message)
            },
            Command::ResolveDoubt { step, verdict, cost, since, by } => {
                self.is_this_doubt(&step, since.as_deref())?;
                self.resolve_doubt(&step, (verdict, cost), &by)
            },
            Command::CompleteByHand { step, output, by } => {
                self.complete_by_hand(&step, output, &by)
            },
            Command::AnswerCheckpoint(answer) => self.answer_checkpoint(*answer),
            Command::ReceiveCallback { key, payload } => self.receive_callback(key, payload),
            Command::FireTimers => {
                self.fire_timers();
                Ok(())
            },
            Command::JoinChild { step, token, outcome, calls } => {
                self.join_child(&step, token, outcome, calls)
            },
            Command::ConfirmParent => {
                self.confirm_parent();
                Ok(())
            },
            Command::RetryStep { step, edits, feedback, by } => {
                self.retry_step(&step, edits, feedback, &by)
            },
            Command::SkipStep { step, output, reason, by } => {
                self.skip_step(&step, output, reason, &by)
            },
            Command::RollBack { phase, reason, by } => self.roll_back(&phase, reason, &by),
            Command::Cancel { reason, compensate, by } => {
                self.cancel(reason, &by, compensate);
                Ok(())
            },
            Command::Pause { by } => {
                self.emit(Event::RunPaused { by: by.id });
                Ok(())
            },
            Command::Resume { by } => {
                self.emit(Event::RunResumed { by: by.id });
                self.dirty.extend(self.open_scopes());
                Ok(())
            },
        }
    }

    /// Records an event, and what it makes of the run.
    fn emit(&mut self, event: Event) {
        fold::apply(self.run, self.at.now, &event);
        self.events.push(event);
    }

    /// Records an event about a step; its block may go on after it.
    fn emit_and_look(&mut self, no: StepNo, event: Event) {
        self.dirty.insert(self.run.step(no).scope);
        self.emit(event);
    }

    fn fresh_token(&mut self) -> Token {
        self.drawn += 1;
        self.at.token(self.drawn)
    }

    fn key(&self, no: StepNo) -> StepKey {
        self.run.step(no).key.clone()
    }

    fn open_scopes(&self) -> BTreeSet<ScopeNo> {
        self.run.open.iter().map(|&no| self.run.step(no).scope).chain([0]).collect()
    }

    /// The step a command names.
    fn known(&self, key: &StepKey) -> Result<StepNo, Refusal> {
        const SHOWN_MAX: usize = 20;
        self.run.find(key).ok_or_else(|| Refusal::UnknownStep {
            step: key.clone(),
            known: self.run.index.keys().take(SHOWN_MAX).map(ToString::to_string).collect(),
        })
    }

    /// The step whose current attempt may report with `token`.
    fn reporting(&self, key: &StepKey, token: Token) -> Result<StepNo, Refusal> {
        let no = self.known(key)?;
        if self.run.step(no).is_current(token) {
            Ok(no)
        } else {
            Err(Refusal::StaleAttempt { step: key.clone() })
        }
    }

    /// The one place that says which command is possible in which state of a run.
    fn refuse_in_wrong_state(&self, command: &Command) -> Result<(), Refusal> {
        if is_possible(self.run, command) {
            return Ok(());
        }
        if let Command::AnswerCheckpoint(ask) = command
            && let Some(first) =
                self.run.find(&ask.step).and_then(|no| self.run.step(no).decision())
        {
            let (step, first) = (ask.step.clone(), Box::new(first.clone()));
            return Err(Refusal::AlreadyAnswered { step, first });
        }
        Err(Refusal::RunState {
            command: command.name().into(),
            state: self.run.status().name().into(),
            allowed: possible(self.run).iter().map(ToString::to_string).collect(),
        })
    }
}

/// Whether a run in this state takes such a command at all.
fn is_possible(run: &Run, command: &Command) -> bool {
    let reopens = matches!(
        command,
        Command::RetryStep { .. } | Command::SkipStep { .. } | Command::RollBack { .. }
    );
    let is_report = matches!(
        command,
        Command::FinishAttempt(_) | Command::FailAttempt { .. } | Command::JoinChild { .. }
    );
    let is_call = matches!(
        command,
        Command::RecordCall { .. }
            | Command::DispatchCall { .. }
            | Command::ChooseProvider { .. }
            | Command::AcceptJob { .. }
            | Command::GiveUpJob { .. }
            | Command::ProgressAttempt { .. }
            | Command::RaiseReservation { .. }
            | Command::DoubtAttempt { .. }
    );
    let is_failed = run.state == RunState::Ended(crate::event::Ending::Failed);
    match (run.state, command) {
        (RunState::Pending, command) => matches!(command, Command::StartRun(_)),
        (_, Command::StartRun(_)) | (RunState::Active, Command::ConfirmParent) => false,
        (RunState::Active, Command::Pause { .. }) => !run.paused,
        (RunState::Active, Command::Resume { .. }) => run.paused,
        // What undoes may be in doubt as well.
        (RunState::Active, _)
        | (RunState::Closing(_), Command::FireTimers | Command::ResolveDoubt { .. }) => true,
        (RunState::Ended(_), _) if is_failed && reopens => {
            run.compensated.is_empty() && run.parent.is_none()
        },
        (RunState::Ended(_), Command::ConfirmParent) => {
            run.parent.is_some() && !run.parent_notified
        },
        (RunState::Closing(_) | RunState::Ended(_), _) => is_report || is_call,
    }
}

/// The names of what people may usually ask of a step in this state.
fn usual_on(step: &Step) -> Vec<String> {
    let names: &[&str] = match step.status {
        StepStatus::Pending => &["skip_step"],
        StepStatus::Running => &["retry_step", "skip_step", "complete_by_hand"],
        StepStatus::Waiting => match &step.wait {
            Some(crate::run::Wait::Person { .. }) => &["answer_checkpoint", "skip_step"],
            Some(crate::run::Wait::Doubt) => &["resolve_doubt", "complete_by_hand", "skip_step"],
            _ => &["retry_step", "skip_step", "complete_by_hand"],
        },
        StepStatus::Succeeded | StepStatus::Skipped => &["retry_step"],
        StepStatus::Failed => &["retry_step", "skip_step"],
        StepStatus::Cancelled => &[],
    };
    names.iter().map(ToString::to_string).collect()
}

fn wrong_step_state(step: &Step, command: &str) -> Refusal {
    Refusal::StepState {
        command: command.into(),
        step: step.key.clone(),
        state: step.status.name().into(),
        // What was refused for another reason than the status is not offered again.
        allowed: usual_on(step).into_iter().filter(|name| name != command).collect(),
    }
}

/// Keeps a value behind an `Arc` without copying it.
fn shared(value: serde_json::Value) -> Arc<serde_json::Value> {
    Arc::new(value)
}
