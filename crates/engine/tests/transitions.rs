//! Which command is taken in which state: exercised pair by pair, and written down in
//! `docs/reference/transitions.md`. `UPDATE=1` writes the page anew.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "support/harness.rs"]
#[expect(dead_code, reason = "the stories use the rest")]
mod harness;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use harness::story::tell;
use harness::words::Line;
use harness::world::{World, load};
use showrunner_engine::command::Command;
use showrunner_engine::run::{RunStatus, StepStatus, Wait};

/// A run in a named state, reached by a story. Commands are tried on the step named `s`.
struct Setup {
    name: &'static str,
    definition: &'static str,
    story: &'static str,
}

const RUNS: [Setup; 9] = [
    Setup { name: "pending", definition: PLAIN, story: "" },
    Setup { name: "running", definition: PLAIN, story: "start {}" },
    Setup {
        name: "waiting",
        definition: "phases: [one]\nsteps: [{ id: s, phase: one, checkpoint: { question: Go? } }]",
        story: "start {}",
    },
    Setup {
        name: "delivered",
        definition: "phases: [one]\nsteps: [{ id: s, phase: one, agent: x, background: true }]",
        story: "start {}",
    },
    Setup { name: "paused", definition: PLAIN, story: "start {}\npause" },
    Setup { name: "closing", definition: PLAIN, story: "start {}\ncancel" },
    Setup { name: "completed", definition: PLAIN, story: "start {} parent=up\nfinish s 1" },
    Setup { name: "failed", definition: PLAIN, story: "start {}\nfail s validation" },
    Setup {
        name: "cancelled",
        definition: PLAIN,
        story: "start {} parent=up\ncancel\nfail s#1 cancelled",
    },
];

const PLAIN: &str = "phases: [one]\nsteps: [{ id: s, phase: one, agent: x }]";

const STEPS: [Setup; 15] = [
    Setup {
        name: "pending",
        definition: "steps: [{ id: a, agent: x }, { id: s, agent: x, needs: a }]",
        story: "start {}",
    },
    Setup { name: "running", definition: PLAIN, story: "start {}" },
    Setup {
        name: "running (body)",
        definition: "steps: [{ id: s, loop: { max: 2, until: 'true', steps: [{ id: a, agent: x }] } }]",
        story: "start {}",
    },
    Setup {
        name: "waiting (person)",
        definition: "steps: [{ id: s, checkpoint: { question: Go? } }]",
        story: "start {}",
    },
    Setup { name: "waiting (retry)", definition: PLAIN, story: "start {}\nfail s transient" },
    Setup {
        name: "waiting (time)",
        definition: "steps: [{ id: s, wait: { for: 1h } }]",
        story: "start {}",
    },
    Setup {
        name: "waiting (callback)",
        definition: "steps: [{ id: s, wait: { callback: key } }]",
        story: "start {}",
    },
    Setup {
        name: "waiting (child)",
        definition: "steps: [{ id: s, orchestration: other }]",
        story: "start {}",
    },
    Setup { name: "waiting (job)", definition: PLAIN, story: "start {}\njob s j1" },
    Setup { name: "waiting (doubt)", definition: PLAIN, story: "start {}\ndoubt s 0 lost" },
    Setup {
        name: "waiting (fallback)",
        definition: "steps: [{ id: s, agent: x, retry: 1, on_failure: { fallback: b } }, { id: b, agent: x }]",
        story: "start {}\nfail s transient",
    },
    Setup {
        name: "succeeded",
        definition: "steps: [{ id: s, agent: x }, { id: b, agent: x }]",
        story: "start {}\nfinish s 1",
    },
    Setup {
        name: "failed",
        definition: "steps: [{ id: s, agent: x, retry: 1, on_failure: continue }, { id: b, agent: x }]",
        story: "start {}\nfail s transient",
    },
    Setup {
        name: "skipped",
        definition: "steps: [{ id: s, agent: x }, { id: b, agent: x }]",
        story: "start {}\nskip s",
    },
    Setup {
        name: "cancelled",
        definition: "steps: [{ id: a, agent: x, retry: 1, on_failure: { fallback: s } }, { id: s, agent: x }, { id: b, agent: x }]",
        story: "start {}\nfail a transient\nhand a 1",
    },
];

/// One line for each command, in the order of the page.
const COMMANDS: [&str; 24] = [
    "start {}",
    "finish s 1",
    "fail s transient",
    "progress s 40",
    "call s usd=0.01",
    "provider s runway",
    "job s j2",
    "giveup s runway",
    "dispatch s 0",
    "reserve s usd=0.5",
    "doubt s 0",
    "resolve s failed",
    "hand s 1",
    "answer s continue",
    "callback other 1",
    "tick +1s",
    "child s completed 1",
    "confirm",
    "retry s",
    "skip s",
    "rollback one",
    "cancel",
    "pause",
    "resume",
];

/// What became of a command in a state: `yes`, or the refusal's code.
fn outcome(setup: &Setup, line: &str) -> (&'static str, String) {
    let mut world = World::new(&load(setup.definition));
    tell(&mut world, setup.story);
    let command = world.command(&Line::read(line));
    let name = command.name();
    is_listed(&command);
    match world.submit(command) {
        Ok(_) => (name, "yes".into()),
        Err(refusal) => (name, refusal.code().into()),
    }
}

/// A command that is added has to be added here and to [`COMMANDS`]: this does not compile before.
fn is_listed(command: &Command) {
    match command {
        Command::StartRun(_)
        | Command::FinishAttempt(_)
        | Command::FailAttempt { .. }
        | Command::ProgressAttempt { .. }
        | Command::RecordCall { .. }
        | Command::ChooseProvider { .. }
        | Command::AcceptJob { .. }
        | Command::GiveUpJob { .. }
        | Command::DispatchCall { .. }
        | Command::RaiseReservation { .. }
        | Command::DoubtAttempt { .. }
        | Command::ResolveDoubt { .. }
        | Command::CompleteByHand { .. }
        | Command::AnswerCheckpoint(_)
        | Command::ReceiveCallback { .. }
        | Command::FireTimers
        | Command::JoinChild { .. }
        | Command::ConfirmParent
        | Command::RetryStep { .. }
        | Command::SkipStep { .. }
        | Command::RollBack { .. }
        | Command::Cancel { .. }
        | Command::Pause { .. }
        | Command::Resume { .. } => {},
    }
}

fn table(text: &mut String, setups: &[Setup], lines: &[&str]) {
    let names: Vec<&str> = setups.iter().map(|setup| setup.name).collect();
    let _ = writeln!(text, "| command | {} |", names.join(" | "));
    let _ = writeln!(text, "|---|{}", "---|".repeat(setups.len()));
    for line in lines {
        let outcomes: Vec<(&str, String)> =
            setups.iter().map(|setup| outcome(setup, line)).collect();
        let cells: Vec<&str> = outcomes.iter().map(|(_, outcome)| outcome.as_str()).collect();
        let _ = writeln!(text, "| `{}` | {} |", outcomes[0].0, cells.join(" | "));
    }
}

fn page() -> String {
    let mut text = String::from(
        "# Transitions\n\n\
         Written by `crates/engine/tests/transitions.rs`, which tries every pair; do not edit.\n\
         `yes`: the command is taken. Anything else is the code of the refusal; the refusal itself\n\
         says what is possible instead.\n\n\
         ## A run's state and a command\n\n\
         The command is meant for a step that is as far as the run lets it be: at work in a running\n\
         run, ended in an ended one.\n\n",
    );
    table(&mut text, &RUNS, &COMMANDS);
    text.push_str("\n## A step's status and a command, in a run that is running\n\n");
    let about_steps: Vec<&str> =
        COMMANDS.into_iter().filter(|line| line.split(' ').nth(1) == Some("s")).collect();
    table(&mut text, &STEPS, &about_steps);
    text
}

#[test]
fn the_page_is_what_the_engine_does() {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/transitions.md");
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
        std::fs::write(&path, &page).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/reference/transitions.md is stale; UPDATE=1 writes it anew");
}

#[test]
fn every_state_is_the_one_it_is_called() {
    for setup in &RUNS {
        let mut world = World::new(&load(setup.definition));
        tell(&mut world, setup.story);
        assert_eq!(world.run.status().name(), setup.name);
    }
    for setup in &STEPS {
        let mut world = World::new(&load(setup.definition));
        tell(&mut world, setup.story);
        let no = world.run.find(&"s".into()).expect("the step is there");
        let step = world.run.step(no);
        let more = step.wait.as_ref().map(|wait| format!(" ({})", wait.name()));
        let body = step.body.as_ref().filter(|_| !step.status.is_terminal());
        let more = more.or_else(|| body.map(|_| " (body)".to_owned())).unwrap_or_default();
        assert_eq!(format!("{}{more}", step.status.name()), setup.name);
    }
}

#[test]
fn no_state_and_no_command_is_left_out() {
    use RunStatus as R;
    let states = [
        R::Pending,
        R::Running,
        R::Waiting,
        R::Delivered,
        R::Paused,
        R::Closing,
        R::Completed,
        R::Failed,
        R::Cancelled,
    ];
    for state in states {
        // A state that is added does not compile here before it is listed.
        match state {
            R::Pending
            | R::Running
            | R::Waiting
            | R::Delivered
            | R::Paused
            | R::Closing
            | R::Completed
            | R::Failed
            | R::Cancelled => {},
        }
        assert!(RUNS.iter().any(|setup| setup.name == state.name()), "{state:?}");
    }
    use StepStatus as S;
    for status in
        [S::Pending, S::Running, S::Waiting, S::Succeeded, S::Failed, S::Skipped, S::Cancelled]
    {
        match status {
            S::Pending
            | S::Running
            | S::Waiting
            | S::Succeeded
            | S::Failed
            | S::Skipped
            | S::Cancelled => {},
        }
        assert!(STEPS.iter().any(|setup| setup.name.starts_with(status.name())), "{status:?}");
    }
    let names: BTreeSet<&str> = COMMANDS.iter().map(|line| outcome(&RUNS[0], line).0).collect();
    assert_eq!(names.len(), COMMANDS.len(), "each command once");
    let waits = STEPS.iter().filter(|setup| setup.name.starts_with("waiting")).count();
    assert_eq!(waits, WAITS, "every kind of wait has its column");
}

/// How many kinds of wait there are.
const WAITS: usize = {
    const fn is_listed(wait: &Wait) {
        match wait {
            Wait::Person { .. }
            | Wait::Retry { .. }
            | Wait::Time { .. }
            | Wait::Callback { .. }
            | Wait::Child { .. }
            | Wait::Job { .. }
            | Wait::Doubt
            | Wait::Fallback { .. } => {},
        }
    }
    is_listed(&Wait::Doubt);
    8
};
