//! Playing the world: at random, and fairly.

use std::sync::Arc;

use serde_json::{Value, json};
use showrunner_engine::command::{
    AnswerCheckpoint, ChildOutcome, Command, FinishAttempt, Principal, StartRun,
};
use showrunner_engine::definition::Verb;
use showrunner_engine::due::{Effect, due};
use showrunner_engine::event::{DoubtVerdict, Ending, FailedProvider, Job, ParentLink};
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_engine::id::{StepKey, Token};
use showrunner_engine::money::{MicroUsd, Spend};
use showrunner_engine::run::{Run, RunState, Wait};

use crate::harness::show;
use crate::harness::world::{World, record};

/// A choice made at random: what, on which, and how.
pub(crate) type Choice = (u8, u16, u16);

/// The command that a choice means in the present state. Whatever it is, it may be refused.
pub(crate) fn choose(world: &World, (what, which, how): Choice) -> Command {
    let which = usize::from(which);
    // A failed run is only interesting when somebody takes it up again.
    let what =
        if world.run.state == RunState::Ended(Ending::Failed) { 31 + what % 4 } else { what };
    match what % 40 {
        14 | 15 => fail_current(world, which, how),
        16 => about_past(world, which, how),
        17 => about_any(world, which, how),
        18 => in_flight(world, which, how),
        19 | 20 => money(world, which, how),
        21 => Command::ResolveDoubt {
            step: key(world, which),
            verdict: if how.is_multiple_of(2) {
                DoubtVerdict::Resend
            } else {
                DoubtVerdict::Failed
            },
            cost: MicroUsd(i64::from(how % 7) * 1_000),
            since: None,
            by: person(how),
        },
        22..=26 => answer(world, which, how),
        27 => Command::ReceiveCallback { key: format!("key{}", how % 3), payload: output(how) },
        28..=30 => Command::FireTimers,
        31 => Command::RetryStep {
            step: key(world, which),
            edits: (how.is_multiple_of(3)).then(|| json!({ "edited": how })),
            feedback: (how.is_multiple_of(2)).then(|| json!("again")),
            by: person(how),
        },
        32 if how.is_multiple_of(3) => Command::SkipStep {
            step: key(world, which),
            output: (how.is_multiple_of(2)).then(|| output(how)),
            reason: "not needed".into(),
            by: person(how),
        },
        33 if how.is_multiple_of(3) => roll_back(world, which, how),
        34 if how.is_multiple_of(8) => {
            Command::Cancel { reason: None, compensate: how.is_multiple_of(16), by: person(how) }
        },
        35 => Command::Pause { by: person(how) },
        36 => Command::Resume { by: person(how) },
        37 => Command::CompleteByHand {
            step: key(world, which),
            output: output(how),
            by: person(how),
        },
        38 => Command::ConfirmParent,
        _ => report(world, which, how),
    }
}

fn roll_back(world: &World, which: usize, how: u16) -> Command {
    let phases = &world.run.definition.phases;
    let phase = phases.get(which % phases.len().max(1)).cloned().unwrap_or_default();
    Command::RollBack { phase, reason: None, by: person(how) }
}

/// Outputs that go well, badly or not at all with the plans.
fn output(how: u16) -> Value {
    match how % 6 {
        0 => json!(0),
        1 => json!(1),
        2 => json!("text"),
        _ => json!(9),
    }
}

fn person(how: u16) -> Principal {
    let id = ["user:ann", "user:bob", "user:cem", "user:starter"][usize::from(how % 4)];
    Principal { id: id.into(), roles: vec!["owner".into()] }
}

fn key(world: &World, which: usize) -> StepKey {
    let keys = world.run.index.keys();
    keys.clone().nth(which % world.run.index.len().max(1)).cloned().unwrap_or_else(|| "none".into())
}

fn calls(how: u16) -> Vec<Arc<showrunner_engine::call::CallRecord>> {
    let call = |no: u16| {
        let cost = MicroUsd(i64::from(how % 100) * 1_000);
        Arc::new(record(no, Spend { cost, tokens: u64::from(how % 50) }))
    };
    (0..how % 3).map(call).collect()
}

fn failure(how: u16) -> Failure {
    let class = ErrorClass::ALL[usize::from(how) % ErrorClass::ALL.len()];
    Failure::new(class, "random", "it went wrong")
}

/// Something that is due is done.
fn report(world: &World, which: usize, how: u16) -> Command {
    let effects = due(&world.run);
    match effects.get(which % effects.len().max(1)) {
        Some(effect) => done(effect, output(how), calls(how)),
        None => Command::FireTimers,
    }
}

fn done(
    effect: &Effect,
    output: Value,
    calls: Vec<Arc<showrunner_engine::call::CallRecord>>,
) -> Command {
    let finish = |step: &StepKey, token: Token, output, calls| {
        let step = step.clone();
        Command::FinishAttempt(Box::new(FinishAttempt {
            step,
            token,
            output,
            calls,
            assets: Vec::new(),
            cached: false,
        }))
    };
    match effect {
        Effect::CallAgent(call) => finish(&call.step, call.token, output.into(), calls),
        Effect::FollowJob { step, token, .. } => finish(step, *token, output.into(), calls),
        Effect::StartChild { step, token, .. } => {
            let outcome = ChildOutcome::Completed(Arc::new(output));
            Command::JoinChild { step: step.clone(), token: *token, outcome, calls }
        },
        Effect::AbortAttempt { step, token, .. } => {
            let failure = Failure::new(ErrorClass::Cancelled, "stopped", "stopped");
            Command::FailAttempt { step: step.clone(), token: *token, failure, calls }
        },
        Effect::CancelChild { step, token, .. } => {
            let failure = Failure::new(ErrorClass::Cancelled, "child_cancelled", "told to end");
            let outcome = ChildOutcome::Failed(failure);
            Command::JoinChild { step: step.clone(), token: *token, outcome, calls: Vec::new() }
        },
        Effect::NotifyParent { .. } => Command::ConfirmParent,
    }
}

fn current(world: &World, which: usize) -> (StepKey, Token) {
    let open: Vec<_> = world
        .run
        .open
        .iter()
        .filter_map(|&no| {
            let step = world.run.step(no);
            step.attempt.as_ref().map(|attempt| (step.key.clone(), attempt.token))
        })
        .collect();
    open.get(which % open.len().max(1)).cloned().unwrap_or_else(|| (key(world, which), Token(1)))
}

fn fail_current(world: &World, which: usize, how: u16) -> Command {
    let (step, token) = current(world, which);
    Command::FailAttempt { step, token, failure: failure(how), calls: calls(how) }
}

fn about_past(world: &World, which: usize, how: u16) -> Command {
    let past: Vec<_> = world
        .run
        .steps
        .iter()
        .flat_map(|step| step.past.iter().map(|past| (step.key.clone(), past.token)))
        .collect();
    let Some((step, token)) = past.get(which % past.len().max(1)).cloned() else {
        return Command::FireTimers;
    };
    match how % 3 {
        0 => Command::DoubtAttempt { step, token, call: 0, message: "?".into() },
        1 => Command::RecordCall { step, token, call: Arc::new(record(how % 4, Spend::ZERO)) },
        _ => Command::FailAttempt { step, token, failure: failure(how), calls: calls(how) },
    }
}

/// A report with any token that was ever given out: doubled, stale, or right.
fn about_any(world: &World, which: usize, how: u16) -> Command {
    let given: Vec<_> = world
        .tokens
        .iter()
        .flat_map(|(step, tokens)| tokens.iter().map(|token| (step.clone(), *token)))
        .collect();
    let Some((step, token)) = given.get(which % given.len().max(1)).cloned() else {
        return Command::FireTimers;
    };
    if how.is_multiple_of(2) {
        Command::FailAttempt { step, token, failure: failure(how), calls: calls(how) }
    } else {
        let output = output(how);
        let (calls, assets) = (calls(how), Vec::new());
        let cached = false;
        let output = output.into();
        let finish = FinishAttempt { step, token, output, calls, assets, cached };
        Command::FinishAttempt(Box::new(finish))
    }
}

fn in_flight(world: &World, which: usize, how: u16) -> Command {
    let (step, token) = current(world, which);
    match how % 6 {
        5 => {
            let failed = FailedProvider { provider: "vendor".into(), failure: failure(how) };
            Command::GiveUpJob { step, token, failed }
        },
        4 => {
            let name = |n: u16| format!("vendor{}", n % 3);
            let failed = how
                .is_multiple_of(2)
                .then(|| FailedProvider { provider: name(how / 5 + 1), failure: failure(how) });
            Command::ChooseProvider { step, token, provider: name(how / 5), failed }
        },
        0 => Command::DispatchCall { step, token, call: how % 3 },
        1 => {
            let job = Job { provider: "vendor".into(), id: format!("j{}", how % 3) };
            Command::AcceptJob { step, token, job }
        },
        2 => Command::DoubtAttempt { step, token, call: how % 3, message: "?".into() },
        _ => Command::ProgressAttempt { step, token, percent: Some(50), message: None },
    }
}

fn money(world: &World, which: usize, how: u16) -> Command {
    let (step, token) = current(world, which);
    let spend =
        Spend { cost: MicroUsd(i64::from(how % 100) * 5_000), tokens: u64::from(how % 100) };
    if how.is_multiple_of(2) {
        Command::RaiseReservation { step, token, spend }
    } else {
        Command::RecordCall { step, token, call: Arc::new(record(how % 4, spend)) }
    }
}

fn answer(world: &World, which: usize, how: u16) -> Command {
    let asked: Vec<StepKey> = world
        .run
        .waits()
        .filter(|(_, wait)| matches!(wait, Wait::Person { .. }))
        .map(|(step, _)| step.key.clone())
        .collect();
    let step = asked.get(which % asked.len().max(1)).cloned();
    Command::AnswerCheckpoint(Box::new(AnswerCheckpoint {
        step: step.unwrap_or_else(|| key(world, which)),
        verb: [Verb::Continue, Verb::Continue, Verb::Retry, Verb::Abort][usize::from(how % 4)],
        by: person(how / 4),
        comment: Some("said".into()),
        modifications: (how.is_multiple_of(11)).then(|| json!({ "d": how })),
        digest: None,
    }))
}

/// Begins the plan; with a parent that waits, or with a limit, when `how` says so.
pub(crate) fn begin(world: &mut World, input: &str, how: u16) {
    let start = StartRun {
        input: serde_json::from_str(input).expect("a plan's input is JSON"),
        started_by: "user:starter".into(),
        parent: (how.is_multiple_of(5)).then(|| ParentLink {
            run: "run_parent".into(),
            step: "sub".into(),
            token: Token(7),
        }),
        ..StartRun::default()
    };
    world.submit(Command::StartRun(Box::new(start))).expect("a plan starts");
}

/// What anybody fair would do next: resume, do what is due, answer, settle doubts, let time pass.
/// `None` when nothing can be done.
pub(crate) fn fair(world: &mut World) -> Option<Command> {
    let run = &world.run;
    if run.paused {
        return Some(Command::Resume { by: person(0) });
    }
    if let Some(effect) = due(run).first() {
        return Some(done(effect, json!(9), Vec::new()));
    }
    if let Some(command) = fair_answer(run) {
        return Some(command);
    }
    let next = world.next_timer()?;
    world.now = next.max(world.now);
    Some(Command::FireTimers)
}

fn fair_answer(run: &Run) -> Option<Command> {
    run.waits().find_map(|(step, wait)| match wait {
        Wait::Person { .. } => {
            let open = step.checkpoint.as_ref()?;
            let said = |by: &Principal| open.voices().iter().any(|voice| voice.by == by.id);
            let by = (0..3).map(person).find(|by| !said(by))?;
            Some(Command::AnswerCheckpoint(Box::new(AnswerCheckpoint {
                step: step.key.clone(),
                verb: Verb::Continue,
                by,
                comment: None,
                modifications: None,
                digest: Some(open.digest.clone()),
            })))
        },
        Wait::Doubt => Some(Command::ResolveDoubt {
            step: step.key.clone(),
            verdict: DoubtVerdict::Failed,
            cost: MicroUsd::ZERO,
            since: None,
            by: person(0),
        }),
        Wait::Callback { key, .. } => {
            Some(Command::ReceiveCallback { key: key.clone(), payload: json!(9) })
        },
        Wait::Retry { .. }
        | Wait::Time { .. }
        | Wait::Child { .. }
        | Wait::Job { .. }
        | Wait::Fallback { .. } => None,
    })
}

/// In a fair world every run ends. Returns how many commands that took.
pub(crate) fn to_the_end(world: &mut World, steps_max: usize) -> usize {
    for taken in 0..steps_max {
        if world.run.is_ended() && due(&world.run).is_empty() {
            return taken;
        }
        let Some(command) = fair(world) else {
            panic!("nothing can be done and the run has not ended:\n{}", stuck(world));
        };
        let name = command.name();
        match world.submit(command) {
            Ok(_) => {},
            Err(refusal) => panic!("a fair {name} was refused: {refusal}\n{}", stuck(world)),
        }
    }
    panic!("{steps_max} fair commands, and the run has not ended:\n{}", stuck(world));
}

fn stuck(world: &World) -> String {
    let last = world.journal.iter().rev().take(40).rev();
    let events: Vec<String> = last.map(|(_, event)| show::event(world, event)).collect();
    format!("{}\n{}", events.join("\n"), show::standing(&world.run))
}
