//! How long the engine itself takes: decide, fold and due, nothing else.
//!
//! `cargo run --release -p showrunner-engine --example engine_speed`
#![expect(clippy::print_stdout, reason = "it is for reading")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]
#![expect(clippy::expect_used, reason = "an example ends where something is wrong")]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use showrunner_engine::at::{At, Timestamp};
use showrunner_engine::command::{Command, FinishAttempt, StartRun};
use showrunner_engine::definition::{Definition, load};
use showrunner_engine::due::{Effect, due_after};
use showrunner_engine::event::Event;
use showrunner_engine::run::Run;

const CHAINS: u32 = 20_000;
const STEPS: u32 = 10;
const ITEMS: u32 = 1_000;

fn main() {
    chain();
    fan_out();
}

/// Ten agents, each with what the one before wrote.
fn chain() {
    let mut yaml = String::from("showrunner: 1\nid: chain\nsteps:\n");
    for step in 0..STEPS {
        let before =
            step.checked_sub(1).map(|before| format!("{{{{ steps.s{before}.output.text }}}}"));
        let before = before.unwrap_or_else(|| "{{ input.topic }}".into());
        let _ = writeln!(yaml, "  - {{ id: s{step}, agent: x, input: {{ text: \"{before}\" }} }}");
    }
    let definition = definition(&yaml);
    let mut total = Measured::default();
    for no in 0..CHAINS {
        let mut run = Run::new(format!("run_{no}").into(), Arc::clone(&definition));
        let start = StartRun { input: json!({ "topic": "tea" }), ..StartRun::default() };
        let mut due = act(&mut run, Command::StartRun(Box::new(start)), &mut Measured::default());
        while let Some(Effect::CallAgent(call)) = due.pop() {
            let finish = FinishAttempt {
                step: call.step,
                token: call.token,
                output: Arc::new(json!({ "text": "a few words about it", "score": 7 })),
                calls: Vec::new(),
                assets: Vec::new(),
                cached: false,
            };
            due = act(&mut run, Command::FinishAttempt(Box::new(finish)), &mut total);
        }
        assert!(run.is_ended(), "a chain ends");
    }
    let count = CHAINS * STEPS;
    println!("chain of {STEPS}: {:.2} µs a finished attempt", micros(total.time, count));
    println!("  decide and fold {:.2} µs", micros(total.decide, count));
    println!("  due_after       {:.2} µs", micros(total.due, count));
    println!("  one replay of its events {:.2} µs an event", replay(&definition));
}

/// A thousand elements at once.
fn fan_out() {
    let definition = definition(
        "showrunner: 1\nid: fan\nsteps:\n  - id: each\n    for_each: { items: input.list, concurrency: 1000, steps: [{ id: one, agent: x, input: { i: \"{{ item }}\" } }] }\n",
    );
    let list: Vec<u32> = (0..ITEMS).collect();
    let mut run = Run::new("run_fan".into(), definition);
    let mut total = Measured::default();
    let start = StartRun { input: json!({ "list": list }), ..StartRun::default() };
    let due = act(&mut run, Command::StartRun(Box::new(start)), &mut total);
    let begun = total.time;
    for effect in due {
        let Effect::CallAgent(call) = effect else { continue };
        let finish = FinishAttempt {
            step: call.step,
            token: call.token,
            output: Arc::new(json!({ "n": 1 })),
            calls: Vec::new(),
            assets: Vec::new(),
            cached: false,
        };
        act(&mut run, Command::FinishAttempt(Box::new(finish)), &mut total);
    }
    assert!(run.is_ended(), "the fan-out ends");
    println!(
        "fan-out of {ITEMS}: {:.2} ms in all, {:.2} ms of it the start",
        millis(total.time),
        millis(begun)
    );
}

#[derive(Default)]
struct Measured {
    time: Duration,
    decide: Duration,
    due: Duration,
}

fn act(run: &mut Run, command: Command, total: &mut Measured) -> Vec<Effect> {
    let at = At { now: Timestamp(1_800_000_000_000_000), seed: run.seq };
    let begin = Instant::now();
    let events = showrunner_engine::advance(run, command, at).expect("nothing is refused here");
    let decided = Instant::now();
    let due = due_after(run, &events);
    let end = Instant::now();
    total.time += end.duration_since(begin);
    total.decide += decided.duration_since(begin);
    total.due += end.duration_since(decided);
    due
}

/// Microseconds that the fold of one event takes, on the way back from a journal.
fn replay(definition: &Arc<Definition>) -> f64 {
    let mut run = Run::new("run_replay".into(), Arc::clone(definition));
    let at = At { now: Timestamp(1_800_000_000_000_000), seed: 1 };
    let start = StartRun { input: json!({ "topic": "tea" }), ..StartRun::default() };
    let mut journal: Vec<Event> =
        showrunner_engine::advance(&mut run, Command::StartRun(Box::new(start)), at)
            .expect("nothing is refused here");
    let mut due = due_after(&run, &journal);
    while let Some(Effect::CallAgent(call)) = due.pop() {
        let finish = FinishAttempt {
            step: call.step,
            token: call.token,
            output: Arc::new(json!({ "text": "words" })),
            calls: Vec::new(),
            assets: Vec::new(),
            cached: false,
        };
        let at = At { seed: run.seq, ..at };
        let events =
            showrunner_engine::advance(&mut run, Command::FinishAttempt(Box::new(finish)), at)
                .expect("nothing is refused here");
        due = due_after(&run, &events);
        journal.extend(events);
    }
    let begin = Instant::now();
    for _ in 0..CHAINS {
        let mut run = Run::new("run_replay".into(), Arc::clone(definition));
        for event in &journal {
            showrunner_engine::apply(&mut run, at.now, event);
        }
    }
    let count = CHAINS * u32::try_from(journal.len()).unwrap_or(u32::MAX);
    micros(begin.elapsed(), count)
}

fn definition(yaml: &str) -> Arc<Definition> {
    let loaded = load(yaml, "speed.yaml", 1);
    Arc::new(loaded.expect("the definition is right"))
}

fn micros(time: Duration, count: u32) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(count)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
