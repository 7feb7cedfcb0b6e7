//! The whole server in one thread, over the example definitions: seeded, crashed at every append,
//! held against the provider's own books.
#![expect(clippy::print_stdout, reason = "the counts are part of the result")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::path::{Path, PathBuf};

use showrunner_engine::failure::ErrorClass;
use showrunner_providers::CallSafety;
use showrunner_providers::scripted::{Effect, Fault, FaultPlan, FaultRule};
use showrunner_testkit::sim::{CrashMode, CrashPlan, Story, example, live};

const EXAMPLES: [&str; 9] = [
    "agent",
    "checkpoint",
    "for_each",
    "gate",
    "loop",
    "orchestration",
    "safety-nets",
    "transform",
    "wait",
];

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/definitions")
}

/// A world on a disk of its own.
fn play(story: &Story, plan: Option<CrashPlan>) -> showrunner_testkit::sim::Outcome {
    let disk =
        tempfile::tempdir_in(if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" });
    live(disk.unwrap().path(), story, plan)
}

fn kept(story: &Story, plan: Option<CrashPlan>) -> showrunner_testkit::sim::Outcome {
    let outcome = play(story, plan);
    let name = &story.name;
    assert!(
        outcome.findings.is_empty(),
        "{name} seed {} {plan:?}:\n{}\n{}",
        story.seed,
        outcome.findings.0.join("\n"),
        outcome.transcript
    );
    outcome
}

#[test]
fn every_example_ends_well_and_is_paid_once() {
    for name in EXAMPLES {
        for seed in [1, 2] {
            kept(&example(name, &examples(), seed), None);
        }
    }
}

#[test]
fn the_same_seed_is_the_same_world_to_the_byte() {
    for name in EXAMPLES {
        let story = example(name, &examples(), 7);
        let (first, second) = (kept(&story, None), kept(&story, None));
        assert_eq!(first.transcript, second.transcript, "{name}");
        assert!(!first.transcript.is_empty());
    }
}

#[test]
fn a_crash_at_any_append_loses_doubles_and_strands_nothing() {
    let mut crashes = 0;
    for name in EXAMPLES {
        for (safety, seed) in
            [(CallSafety::LookUp, 1), (CallSafety::Idempotent, 2), (CallSafety::Neither, 3)]
        {
            let story = Story { safety, ..example(name, &examples(), seed) };
            let boundaries = kept(&story, None).boundaries;
            for at in 0..boundaries {
                for mode in CrashMode::ALL {
                    let outcome = kept(&story, Some(CrashPlan { at, mode }));
                    assert_eq!(outcome.lives, 2, "{name}: the crash at {at} did not happen");
                    crashes += 1;
                }
            }
        }
    }
    println!(
        "crash points: {crashes} crashes over {} examples x 3 kinds of providers, 0 lost, 0 doubled, 0 stuck",
        EXAMPLES.len()
    );
}

#[test]
fn an_append_that_is_refused_anywhere_is_made_up_for() {
    let mut refusals = 0;
    for name in EXAMPLES {
        for (safety, seed) in [(CallSafety::LookUp, 4), (CallSafety::Neither, 5)] {
            let story = Story { safety, ..example(name, &examples(), seed) };
            let boundaries = kept(&story, None).boundaries;
            for at in 0..boundaries {
                let mode = CrashMode::Refused;
                assert_eq!(kept(&story, Some(CrashPlan { at, mode })).lives, 1, "{name}");
                refusals += 1;
            }
        }
    }
    println!("refused appends: {refusals}, 0 lost, 0 doubled, 0 stuck");
}

#[test]
fn faults_of_the_provider_are_survived_and_booked() {
    let rule = |fault, share| FaultRule {
        agent: "*".into(),
        step: "*".into(),
        first: None,
        per_step: false,
        share_permille: Some(share),
        fault,
    };
    let fail = |class, effect| Fault::Fail { class, effect, retry_after_ms: None };
    let mut worlds = 0;
    for safety in [CallSafety::LookUp, CallSafety::Idempotent, CallSafety::Neither] {
        let rules = vec![
            rule(fail(ErrorClass::Transient, Effect::Before), 100),
            rule(fail(ErrorClass::Network, Effect::After), 100),
            rule(fail(ErrorClass::Network, Effect::Unseen), 100),
            rule(Fault::SchemaBreach, 100),
            rule(Fault::InvalidJson, 50),
            rule(Fault::Slow { extra_ms: 200_000 }, 50),
        ];
        for name in EXAMPLES {
            for seed in 0..12 {
                let faults = FaultPlan { rules: rules.clone() };
                let story = Story { safety, faults, ..example(name, &examples(), seed) };
                kept(&story, None);
                worlds += 1;
            }
        }
    }
    println!("provider faults: {worlds} worlds, money conserved to the unit, none stuck");
}
