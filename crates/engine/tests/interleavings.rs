//! Every interleaving of a few tiny runs: each report in each order and twice, every answer, with
//! two failures, a doubt, a cancellation and a hold, or with a failure, a cancellation and a step
//! done again or skipped. All promises hold in every state,
//! and from every state the run can end.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
#![expect(clippy::print_stdout, reason = "the counts belong into the test's output")]

#[path = "support/harness.rs"]
#[expect(dead_code, reason = "the stories use the rest")]
mod harness;
#[path = "support/play.rs"]
#[expect(dead_code, reason = "random streams use the rest")]
mod play;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use harness::story::tell;
use harness::words::Line;
use harness::world::{World, load};
use play::to_the_end;
use showrunner_engine::due::{Effect, due};
use showrunner_engine::run::{Run, Wait};

/// States that an exploration may find before it is not small any more.
const STATES_MAX: usize = 60_000;

/// What may still go wrong on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Trouble {
    failures: u8,
    doubts: u8,
    cancels: u8,
    holds: u8,
    /// A person does a step again or skips it.
    meddles: u8,
}

/// All of it at once makes a hundred thousand states and more; these two together cover each pair.
const TROUBLES: [Trouble; 2] = [
    Trouble { failures: 2, doubts: 1, cancels: 1, holds: 1, meddles: 0 },
    Trouble { failures: 1, doubts: 0, cancels: 1, holds: 0, meddles: 1 },
];

#[derive(Default)]
struct Tally {
    states: usize,
    moves: usize,
    refused: usize,
    endings: BTreeSet<&'static str>,
}

fn explore(name: &str, definition: &str, input: &str) -> Tally {
    let mut first = World::new(&load(definition));
    tell(&mut first, &format!("start {input}"));
    first.ledger.is_thorough = false;
    let mut waiting: Vec<(World, Trouble)> =
        TROUBLES.into_iter().map(|trouble| (first.clone(), trouble)).collect();
    let mut seen: BTreeSet<(String, Trouble)> =
        TROUBLES.into_iter().map(|trouble| (canonical(&first.run), trouble)).collect();
    let mut tally = Tally::default();
    while let Some((world, trouble)) = waiting.pop() {
        tally.states += 1;
        assert!(tally.states < STATES_MAX, "{name} is not small: {}", canonical(&world.run));
        if world.run.is_ended() {
            tally.endings.insert(world.run.status().name());
        }
        to_the_end(&mut world.clone(), 100);
        for (line, left) in moves(&world, trouble) {
            let mut next = world.clone();
            let command = next.command(&Line::read(&line));
            tally.moves += 1;
            match next.submit(command) {
                Ok(_) => {
                    let state = (canonical(&next.run), left);
                    if seen.insert(state) {
                        waiting.push((next, left));
                    }
                },
                Err(_) => tally.refused += 1,
            }
        }
    }
    println!(
        "{name}: {} states, {} moves of which {} were refused, endings: {:?}",
        tally.states, tally.moves, tally.refused, tally.endings
    );
    tally
}

/// Everything that can happen next, as lines of a story, with the trouble that is left then.
fn moves(world: &World, trouble: Trouble) -> Vec<(String, Trouble)> {
    let mut moves: Vec<(String, Trouble)> = Vec::new();
    let mut free = |line: String| moves.push((line, trouble));
    for (step, tokens) in &world.tokens {
        for no in 1..=tokens.len() {
            // The right report, the late one and the doubled one are all the same line.
            free(format!("finish {step}#{no} 9 usd=0.01 no=0"));
        }
    }
    for effect in due(&world.run) {
        match effect {
            Effect::AbortAttempt { step, token, .. } | Effect::CancelChild { step, token, .. } => {
                free(format!("fail {step}#{} cancelled", no_of(world, step.as_str(), token)));
            },
            Effect::NotifyParent { .. } => free("confirm".into()),
            Effect::CallAgent(_) | Effect::StartChild { .. } | Effect::FollowJob { .. } => {},
        }
    }
    for (step, wait) in world.run.waits() {
        let key = &step.key;
        match wait {
            Wait::Person { .. } => {
                free(format!("answer {key} continue by=user:ann"));
                free(format!("answer {key} retry by=user:ann \"again\""));
                free(format!("answer {key} abort by=user:ann"));
            },
            Wait::Doubt => {
                free(format!("resolve {key} failed"));
                free(format!("resolve {key} resend"));
            },
            Wait::Callback { key, .. } => free(format!("callback {key} 9")),
            Wait::Retry { .. }
            | Wait::Time { .. }
            | Wait::Child { .. }
            | Wait::Job { .. }
            | Wait::Fallback { .. } => {},
        }
    }
    if world.run.paused {
        free("resume".into());
    }
    if world.run.waits().any(|(_, wait)| matches!(wait, Wait::Retry { .. } | Wait::Time { .. })) {
        free("tick".into());
    }
    moves.extend(troubles(world, trouble));
    moves
}

fn troubles(world: &World, left: Trouble) -> Vec<(String, Trouble)> {
    let mut moves = Vec::new();
    for effect in due(&world.run) {
        let (step, token) = match effect {
            Effect::CallAgent(call) => (call.step, call.token),
            Effect::StartChild { step, token, .. } | Effect::FollowJob { step, token, .. } => {
                (step, token)
            },
            Effect::AbortAttempt { .. }
            | Effect::CancelChild { .. }
            | Effect::NotifyParent { .. } => continue,
        };
        let attempt = format!("{step}#{}", no_of(world, step.as_str(), token));
        if left.failures > 0 {
            let less = Trouble { failures: left.failures - 1, ..left };
            moves.push((format!("fail {attempt} transient"), less));
            moves.push((format!("finish {attempt} 0"), less));
        }
        if left.doubts > 0 {
            let less = Trouble { doubts: left.doubts - 1, ..left };
            moves.push((format!("doubt {attempt} 0 \"lost\""), less));
        }
    }
    if left.meddles > 0 {
        let less = Trouble { meddles: left.meddles - 1, ..left };
        for key in world.run.index.keys() {
            moves.push((format!("retry {key}"), less));
            moves.push((format!("skip {key} output=9"), less));
        }
    }
    if left.cancels > 0 {
        moves.push(("cancel undo".into(), Trouble { cancels: left.cancels - 1, ..left }));
    }
    if left.holds > 0 && !world.run.paused {
        moves.push(("pause".into(), Trouble { holds: left.holds - 1, ..left }));
    }
    moves
}

fn no_of(world: &World, step: &str, token: showrunner_engine::id::Token) -> usize {
    let given = &world.tokens[step];
    given.iter().position(|other| *other == token).map_or(0, |at| at + 1)
}

/// The state without what only tells paths apart: numbers, instants, tokens.
fn canonical(run: &Run) -> String {
    let mut text = format!(
        "{:?} {} {:?} {} {:?} {:?} {:?} {:?}",
        run.state,
        run.paused,
        run.phase,
        run.delivered_at.is_some(),
        run.spent,
        run.reserved,
        run.inbox,
        run.compensated,
    );
    for scope in &run.scopes {
        let _ = write!(text, "|{:?}.{}.{}", scope.container, scope.index, scope.closed);
    }
    for step in &run.steps {
        let _ = write!(
            text,
            "\n{} {:?} {} {} {:?} {} {:?}",
            step.key,
            step.status,
            step.attempts,
            step.attempts_before_reset,
            step.wait.as_ref().map(Wait::name),
            step.sent_back,
            step.output,
        );
        for attempt in step.attempt.iter().chain(&step.past) {
            let flags = (attempt.timed_out, attempt.may_resend, attempt.doubt.is_some());
            let _ = write!(text, " {}:{}{flags:?}", attempt.no, attempt.calls.len());
        }
        if let Some(body) = &step.body {
            let _ = write!(text, " {:?} {:?} {}", body.results, body.failures, body.active);
        }
        if let Some(checkpoint) = &step.checkpoint {
            let decided = checkpoint.decided.as_ref().map(|answer| answer.verb);
            let _ = write!(text, " {decided:?} {}", checkpoint.answers.len());
        }
    }
    text
}

#[test]
fn two_side_by_side_and_joined() {
    let tally = explore(
        "side by side",
        r"
steps:
  - { id: a, agent: x, retry: 2 }
  - { id: b, agent: x, retry: 1, compensate: { agent: undo, retry: 1 } }
  - { id: c, agent: x, needs: [a, b], retry: 1 }
",
        "{}",
    );
    assert!(tally.states > 100 && tally.refused > 100);
}

#[test]
fn a_review_sent_back_once() {
    let tally = explore(
        "review",
        r"
steps:
  - { id: draft, agent: x, retry: 1 }
  - id: ok
    needs: draft
    checkpoint: { question: Go?, retry_from: draft, retries_max: 1 }
  - { id: last, agent: x, needs: ok, retry: 1 }
",
        "{}",
    );
    assert_eq!(tally.endings, BTreeSet::from(["completed", "failed", "cancelled"]));
}

#[test]
fn a_fallback_and_who_needs_it() {
    let tally = explore(
        "fallback",
        r"
steps:
  - { id: a, agent: x, retry: 1, on_failure: { fallback: b } }
  - { id: b, agent: x, retry: 1 }
  - { id: c, agent: x, needs: a, retry: 1 }
",
        "{}",
    );
    assert!(tally.states > 50);
}

#[test]
fn the_first_of_two() {
    let tally = explore(
        "race",
        r"
budget: { usd: 0.05 }
steps:
  - id: race
    for_each: { items: input.list, join: any, steps: [{ id: ask, agent: x, retry: 1, estimate: { usd: 0.02 } }] }
  - { id: last, agent: x, needs: race, retry: 1, estimate: { usd: 0.02 } }
",
        r#"{"list":[1,2]}"#,
    );
    assert!(tally.states > 50);
}

#[test]
fn a_loop_with_a_gate() {
    let tally = explore(
        "loop",
        r#"
steps:
  - id: rounds
    loop:
      max: 2
      until: "loop.iteration == 2"
      steps:
        - { id: a, agent: x, retry: 2 }
        - { id: gate, gate: { judge: { agent: y }, rules: [{ when: "steps.gate.output == 0", verdict: retry }], retry_from: a, retries_max: 1 }, needs: a }
"#,
        "{}",
    );
    assert!(tally.states > 50);
}

#[test]
fn a_child_beside_something_in_the_background() {
    let tally = explore(
        "child",
        r"
steps:
  - { id: sub, orchestration: other, retry: 2 }
  - { id: back, agent: x, background: true, retry: 1 }
  - { id: paid, wait: { callback: paid } }
",
        "{}",
    );
    assert!(tally.states > 100);
}
