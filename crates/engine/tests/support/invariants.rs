//! What holds after every decision, whatever was asked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use showrunner_engine::at::{At, Timestamp};
use showrunner_engine::command::{Command, Principal};
use showrunner_engine::decide;
use showrunner_engine::decide::{possible, possible_on};
use showrunner_engine::due::{self, Effect, due, due_after};
use showrunner_engine::event::{DoubtVerdict, Event};
use showrunner_engine::id::{StepKey, Token};
use showrunner_engine::money::{MicroUsd, Spend};
use showrunner_engine::refusal::Refusal;
use showrunner_engine::run::{Run, RunState, StepStatus};

use super::show;

/// What an effect is known by: its name, its attempt, its job, and whether it only asks.
type EffectId = (&'static str, Option<Token>, Option<String>, bool);

fn id(effect: &Effect) -> EffectId {
    let asks = match effect {
        Effect::CallAgent(call) => call.timed_out,
        Effect::AbortAttempt { timed_out, .. } => *timed_out,
        Effect::StartChild { .. }
        | Effect::CancelChild { .. }
        | Effect::FollowJob { .. }
        | Effect::NotifyParent { .. } => false,
    };
    let job = match effect {
        Effect::FollowJob { job, .. } => Some(job.id.clone()),
        Effect::AbortAttempt { job, .. } => job.as_ref().map(|job| job.id.clone()),
        Effect::CallAgent(_)
        | Effect::StartChild { .. }
        | Effect::CancelChild { .. }
        | Effect::NotifyParent { .. } => None,
    };
    (effect.name(), effect.token(), job, asks)
}

/// What was before a decision.
#[derive(Debug)]
pub(crate) struct Before {
    dump: Option<String>,
    due: BTreeSet<EffectId>,
    state: RunState,
    name: &'static str,
}

/// Books about a run, kept beside it.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    /// A second fold of the same events.
    replayed: Run,
    /// Money by attempt and call number: each counts once.
    paid: BTreeMap<(Token, u16), Spend>,
    /// Money that calls in doubt have cost, as their settling said.
    doubted: Spend,
    /// Attempts that have succeeded.
    succeeded: BTreeSet<(StepKey, Token)>,
    /// Compares whole states, which is slow for large ones.
    pub(crate) is_thorough: bool,
}

impl Ledger {
    pub(crate) fn new(run: &Run) -> Self {
        Self {
            replayed: run.clone(),
            paid: BTreeMap::new(),
            doubted: Spend::ZERO,
            succeeded: BTreeSet::new(),
            is_thorough: true,
        }
    }

    pub(crate) fn before(&self, run: &Run, command: &Command, _at: At) -> Before {
        Before {
            dump: self.is_thorough.then(|| show::dump(run)),
            due: due(run).iter().map(id).collect(),
            state: run.state,
            name: command.name(),
        }
    }

    pub(crate) fn after(
        &mut self,
        before: Before,
        run: &Run,
        outcome: &Result<Vec<Event>, Refusal>,
        at: At,
    ) {
        let Ok(events) = outcome else {
            if let Some(dump) = before.dump {
                assert_eq!(dump, show::dump(run), "a refused {} changed the run", before.name);
            }
            return;
        };
        for event in events {
            self.one(at.now, event);
        }
        if self.is_thorough {
            assert_eq!(show::dump(&self.replayed), show::dump(run), "a replay ends elsewhere");
        }
        assert_eq!(self.replayed.seq, run.seq, "a gap in the numbers");
        effects_are_released_once(&before, run, events);
        self.money(run);
        an_end_is_an_end(&before, run, events);
        steps_are_sane(run);
        if self.is_thorough {
            what_is_offered_is_taken(run, at);
        }
    }

    /// One more event: folded, and checked against the books.
    fn one(&mut self, now: Timestamp, event: &Event) {
        let former: BTreeMap<StepKey, StepStatus> = self.statuses(event);
        let seq = self.replayed.seq;
        // What is stored is what is read back.
        let text = serde_json::to_string(event).expect("an event is JSON");
        let read: Event = serde_json::from_str(&text).expect("an event reads back");
        assert_eq!(*event, read, "an event changed on its way through the journal");
        showrunner_engine::apply(&mut self.replayed, now, &read);
        assert_eq!(self.replayed.seq, seq + 1);
        for (key, from) in former {
            let to = self.status(&key);
            assert!(is_declared(from, to, event), "{key}: {from:?} → {to:?} by {}", event.name());
        }
        let (token, calls) = match event {
            Event::CallRecorded { token, call, .. } => (Some(*token), std::slice::from_ref(call)),
            Event::AttemptFailed { token, calls, .. }
            | Event::AttemptSettled { token, calls, .. } => (Some(*token), calls.as_slice()),
            Event::StepSucceeded { token, calls, .. } => (*token, calls.as_slice()),
            _ => (None, &[][..]),
        };
        for call in calls {
            let token = token.expect("calls belong to an attempt");
            let twice = self.paid.insert((token, call.no), call.spend());
            assert!(twice.is_none(), "call {} of attempt {token} was counted twice", call.no);
        }
        if let Event::DoubtResolved { cost, .. } = event {
            self.doubted = self.doubted.plus(Spend { cost: *cost, tokens: 0 });
        }
        if let Event::StepSucceeded { step, token: Some(token), .. } = event {
            let is_new = self.succeeded.insert((step.clone(), *token));
            assert!(is_new, "{step} succeeded twice by the same attempt");
        }
        assert!(self.replayed.reserved.cost.0 >= 0, "less than nothing is reserved");
    }

    fn statuses(&self, event: &Event) -> BTreeMap<StepKey, StepStatus> {
        let many = match event {
            Event::StepsReset { steps, .. } => steps.clone(),
            _ => Vec::new(),
        };
        let keys = event.step().cloned().into_iter().chain(many);
        keys.filter(|key| self.replayed.find(key).is_some())
            .map(|key| (key.clone(), self.status(&key)))
            .collect()
    }

    fn status(&self, key: &StepKey) -> StepStatus {
        let no = self.replayed.find(key).expect("it was there before");
        self.replayed.step(no).status
    }

    fn money(&self, run: &Run) {
        let paid = self.paid.values().fold(self.doubted, |sum, spend| sum.plus(*spend));
        assert_eq!(run.spent, paid, "the bill is not the sum of the calls");
        let by_step = run.index.values().fold(Spend::ZERO, |sum, &no| sum.plus(run.step(no).spent));
        assert_eq!(by_step, paid, "the steps' bills are not the run's");
        let held = run.steps.iter().flat_map(|step| step.attempt.iter().chain(&step.past));
        let held = held.fold(run.unknown, |sum, attempt| sum.plus(attempt.reserved));
        assert_eq!(run.reserved, held, "what is reserved is not what attempts hold");
    }
}

/// What was released by the events is what is newly due, nothing twice, nothing lost.
fn effects_are_released_once(before: &Before, run: &Run, events: &[Event]) {
    let whole = due(run);
    let now: BTreeSet<EffectId> = whole.iter().map(id).collect();
    assert_eq!(now.len(), whole.len(), "one effect is due twice: {whole:?}");
    assert_eq!(due::count(run), whole.len(), "the count of what is due is wrong");
    let released = due_after(run, events);
    let new: BTreeSet<EffectId> = released.iter().map(id).collect();
    assert_eq!(new.len(), released.len(), "one effect was released twice: {released:?}");
    assert!(new.is_subset(&now), "released but not due: {new:?} {now:?}");
    let again: Vec<_> = new.intersection(&before.due).collect();
    assert!(again.is_empty(), "released while it was due already: {again:?} {events:?}");
    let lost: Vec<_> =
        now.iter().filter(|id| !new.contains(*id) && !before.due.contains(*id)).collect();
    assert!(lost.is_empty(), "due but never released: {lost:?} after {events:?}");
}

/// An ended run stays ended, holds nothing and wants nothing.
fn an_end_is_an_end(before: &Before, run: &Run, events: &[Event]) {
    if matches!(before.state, RunState::Ended(_)) && before.state != run.state {
        let reopened = matches!(events.first(), Some(Event::RunReopened { .. }));
        assert!(reopened, "an ended run went on after {}", before.name);
    }
    if !run.is_ended() {
        return;
    }
    assert_eq!(run.reserved, run.unknown, "an ended run holds money back");
    assert!(run.by_agent.values().all(|spend| spend.cost.0 >= 0));
    assert!(run.open.is_empty(), "an ended run has open steps: {:?}", run.open);
    assert!(run.wake_at().is_none(), "an ended run wants to be woken");
    let parent = usize::from(run.parent.is_some() && !run.parent_notified);
    assert_eq!(due::count(run), parent, "an ended run wants something");
}

/// What holds for each step of any run.
fn steps_are_sane(run: &Run) {
    for (no, step) in (0..).zip(&run.steps) {
        let is_named = run.find(&step.key) == Some(no);
        let key = &step.key;
        if !is_named {
            assert!(step.status.is_terminal(), "{key}: a former round's instance is open");
            assert!(step.past.is_empty(), "{key}: a former round's instance holds attempts");
            assert!(!run.open.contains(&no), "{key}: a former round's instance is listed as open");
            continue;
        }
        let is_open = !step.status.is_terminal() || !step.past.is_empty();
        assert_eq!(run.open.contains(&no), is_open, "{key}: `open` is wrong ({:?})", step.status);
        assert_eq!(
            step.wait.is_some(),
            step.status == StepStatus::Waiting,
            "{key}: {:?} with wait {:?}",
            step.status,
            step.wait
        );
        let scope = run.scope(step.scope);
        if scope.closed && step.compensates.is_none() {
            assert!(step.status.is_terminal(), "{key}: {:?} in a block that is over", step.status);
        }
        if let Some(container) = scope.container.filter(|_| !scope.closed) {
            let status = run.step(container).status;
            assert_eq!(status, StepStatus::Running, "{key}: its container is {status:?}");
        }
    }
}

/// Whether a step may go from one status to another by this event.
fn is_declared(from: StepStatus, to: StepStatus, event: &Event) -> bool {
    use StepStatus::{Cancelled, Failed, Pending, Running, Skipped, Succeeded, Waiting};
    if matches!(event, Event::StepsReset { .. }) {
        return to == Pending;
    }
    if matches!(event, Event::StepStarted { compensates: Some(_), .. }) {
        return matches!((from, to), (Pending | Waiting, Running));
    }
    match (from, to) {
        (Pending, Running | Waiting | Succeeded | Failed | Skipped | Cancelled)
        | (Running, Waiting | Succeeded | Failed | Skipped | Cancelled)
        | (Waiting, Running | Succeeded | Failed | Skipped | Cancelled) => true,
        // A person goes on without it.
        (Failed, Skipped) => matches!(event, Event::StepSkipped { by: Some(_), .. }),
        (from, to) => from == to,
    }
}

/// A button that leads to a refusal for the state things are in is worse than none. What a person
/// gives with it (an output, say) may still not do.
fn what_is_offered_is_taken(run: &Run, at: At) {
    let by = || Principal { id: "user:offered".into(), roles: vec!["owner".into()] };
    let ask = |name: &str, command: Command| {
        let refused = decide(run, command, at).err();
        let is_state =
            refused.filter(|r| matches!(r, Refusal::RunState { .. } | Refusal::StepState { .. }));
        assert!(is_state.is_none(), "{name} is offered and refused: {is_state:?}");
    };
    for name in possible(run) {
        match name {
            "pause" => ask(name, Command::Pause { by: by() }),
            "resume" => ask(name, Command::Resume { by: by() }),
            "cancel" => ask(name, Command::Cancel { reason: None, compensate: false, by: by() }),
            "roll_back" => {
                let phase = run.definition.phases[0].clone();
                assert!(
                    decide(run, Command::RollBack { phase, reason: None, by: by() }, at).is_ok()
                );
            },
            _ => {},
        }
    }
    for no in 0..u32::try_from(run.steps.len()).unwrap_or(0) {
        for name in possible_on(run, no) {
            let step = run.step(no).key.clone();
            let command = match name {
                "retry_step" => Command::RetryStep { step, edits: None, feedback: None, by: by() },
                "skip_step" => {
                    Command::SkipStep { step, output: None, reason: "why".into(), by: by() }
                },
                "complete_by_hand" => {
                    Command::CompleteByHand { step, output: Value::Null, by: by() }
                },
                "resolve_doubt" => Command::ResolveDoubt {
                    step,
                    verdict: DoubtVerdict::Failed,
                    cost: MicroUsd::ZERO,
                    since: None,
                    by: by(),
                },
                _ => continue,
            };
            ask(name, command);
        }
    }
}
