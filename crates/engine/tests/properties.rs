//! What holds whatever is asked, in whatever order: random commands over plans that hold every
//! kind of step, and every interleaving of a few tiny ones.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
#![expect(clippy::print_stdout, reason = "the counts belong into the test's output")]

#[path = "support/harness.rs"]
#[expect(dead_code, reason = "the stories use the rest")]
mod harness;
#[path = "support/plans.rs"]
mod plans;
#[path = "support/play.rs"]
mod play;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use harness::show::dump;
use harness::world::{BEGINNING, World, load};
use plans::PLANS;
use play::{Choice, begin, choose, to_the_end};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use showrunner_engine::at::Timestamp;
use showrunner_engine::command::Command;
use showrunner_engine::definition::Definition;
use showrunner_engine::event::Event;
use showrunner_engine::run::Run;

/// Random streams that are tried; each plan gets its share.
const CASES: u32 = 3_000;

/// Commands that a fair world needs at most to end any of the plans.
const FAIR_MAX: usize = 400;

#[test]
fn any_stream_of_commands_keeps_every_promise_and_every_run_can_end() {
    let definitions: Vec<Arc<Definition>> = PLANS.iter().map(|(_, yaml, _)| load(yaml)).collect();
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 3_000,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let strategy = (0..PLANS.len(), vec(any::<Choice>(), 0..120), any::<u16>());
    let seen: RefCell<BTreeMap<String, u32>> = RefCell::default();
    let outcome = runner.run(&strategy, |(plan, choices, how)| {
        let mut world = World::new(&definitions[plan]);
        world.ledger.is_thorough = how.is_multiple_of(8);
        begin(&mut world, PLANS[plan].2, how);
        for choice in choices {
            step(&mut world, choice);
        }
        to_the_end(&mut world, FAIR_MAX);
        let start = Run::new(world.run.id.clone(), Arc::clone(&definitions[plan]));
        let whole = replay_is_whole(&start, &world.journal, usize::from(how));
        assert_eq!(whole.seq, u64::try_from(world.journal.len()).unwrap_or(u64::MAX));
        let mut seen = seen.borrow_mut();
        for (_, event) in &world.journal {
            *seen.entry(event.name().to_owned()).or_default() += 1;
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    let seen = seen.into_inner();
    let total: u32 = seen.values().sum();
    println!("{CASES} streams, {total} events: {seen:?}");
    let never = ALL_EVENTS.iter().filter(|name| !seen.contains_key(**name)).collect::<Vec<_>>();
    assert!(never.is_empty(), "the streams never led to {never:?}");
}

/// Every event that random streams have to reach, so that none is proven by never happening.
const ALL_EVENTS: [&str; 41] = [
    "run.started",
    "run.phase_entered",
    "run.delivered",
    "run.closing",
    "run.completed",
    "run.failed",
    "run.cancelled",
    "run.paused",
    "run.resumed",
    "run.reopened",
    "run.rolled_back",
    "run.parent_notified",
    "step.started",
    "attempt.reserved",
    "attempt.dispatched",
    "attempt.call_recorded",
    "attempt.accepted",
    "attempt.progressed",
    "attempt.timed_out",
    "attempt.in_doubt",
    "attempt.doubt_resolved",
    "attempt.failed",
    "attempt.abandoned",
    "attempt.settled",
    "step.waiting",
    "step.succeeded",
    "step.failed",
    "step.fell_back",
    "step.skipped",
    "step.cancelled",
    "steps.reset",
    "checkpoint.opened",
    "checkpoint.answered",
    "checkpoint.escalated",
    "gate.decided",
    "loop.iteration_started",
    "loop.iteration_finished",
    "for_each.expanded",
    "for_each.item_started",
    "for_each.item_finished",
    "callback.received",
];

/// One random command. Time goes on to the next timer before timers are fired.
fn step(world: &mut World, choice: Choice) {
    let command = choose(world, choice);
    if command == Command::FireTimers
        && let Some(next) = world.next_timer()
    {
        world.now = next.max(world.now);
    }
    assert!(world.now >= BEGINNING);
    // Refused or not: the ledger has checked it.
    drop(world.submit(command));
}

/// Two folds of the same journal, one of them interrupted anywhere, end alike.
fn replay_is_whole(start: &Run, journal: &[(Timestamp, Event)], cut: usize) -> Run {
    let fold = |run: Run, part: &[(Timestamp, Event)]| {
        part.iter().fold(run, |run, (at, event)| showrunner_engine::fold(run, *at, event))
    };
    let whole = fold(start.clone(), journal);
    let (before, after) = journal.split_at(cut.min(journal.len()));
    let prefix = fold(start.clone(), before);
    // Whoever holds the prefix keeps it: folding on never writes into a shared state.
    let (kept, was) = (prefix.clone(), dump(&prefix));
    let resumed = fold(prefix, after);
    assert_eq!(dump(&kept), was, "folding on changed a state that somebody else holds");
    assert_eq!(dump(&whole), dump(&resumed), "a resumed fold ends elsewhere");
    whole
}
