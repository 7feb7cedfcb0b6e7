//! Journals as they were written must fold to the state that they folded to then. Each file holds
//! its definition, its input, its events as stored; beside it stands the state. `UPDATE=1` writes
//! them anew, which is only right when an event is new or a field was added.
#![expect(clippy::expect_used, reason = "tests")]

#[path = "support/harness.rs"]
#[expect(dead_code, reason = "the stories use the rest")]
mod harness;
#[path = "support/plans.rs"]
mod plans;

use std::path::PathBuf;
use std::sync::Arc;

use harness::show::dump;
use harness::story::tell;
use harness::world::{World, load};
use plans::PLANS;
use serde_json::{Value, json};
use showrunner_engine::at::Timestamp;
use showrunner_engine::event::Event;
use showrunner_engine::run::Run;

/// Name of the journal, the plan, and what happened to it.
const STORIES: [(&str, &str, &str); 4] = [
    (
        "review",
        "review",
        r#"
        start {} by=user:starter
        fail draft transient "busy" usd=0.01
        tick
        finish draft "Tea" usd=0.02 tokens=120
        answer ok continue by=user:ann roles=owner
        answer ok retry by=user:bob roles=owner "shorter"
        finish draft "T" usd=0.02 tokens=80
        tick
        answer ok continue by=user:ann roles=head changes={"d":"Te"}
        answer ok continue by=user:bob roles=head
        finish last null
        "#,
    ),
    (
        "nested",
        "nested",
        r#"
        start {"list":[1,2]}
        dispatch outer[0].each[0].one 0
        call outer[0].each[0].one usd=0.03 tokens=10
        finish outer[0].each[0].one 0
        finish outer[0].each[0].one 9
        tick +5m
        fail outer[0].each[1].one timeout "gone"
        tick
        fail outer[0].each[1].one validation "no"
        pause
        resume
        finish outer[0].plain null
        answer ok retry by=user:ann "again"
        finish outer[0].each[0].one 9
        cancel undo "enough" by=user:ann
        fail outer[0].each[1].one#3 cancelled
        finish outer[0].each[0].one!undo null
        "#,
    ),
    (
        "reopened",
        "for_each",
        r#"
        start {"list":[1,2,3]} usd=0.9
        finish each[0].one 1 usd=0.2
        finish each[0].two 1
        fail each[1].one validation "no"
        fail each[2].one#1 cancelled usd=0.05
        retry each[1].one edits={"hint":"x"} {"why":"once more"} by=user:ann
        finish each[1].one 2
        fail each[1].two validation "no"
        finish each[1].other null
        skip each[2].one output=3 by=user:ann
        finish each[2].two 3
        hand last "by hand" by=user:ann
        fail last#1 cancelled
        "#,
    ),
    (
        "background",
        "background",
        r#"
        start {} parent=sub
        reserve a usd=0.4
        progress a 50 "half"
        job a j1
        doubt a 0 "lost"
        resolve a resend by=user:ann
        finish a 1
        answer ok continue by=user:ann
        callback early {"n":1}
        rollback two "again" by=user:ann
        answer ok continue by=user:ann
        fail b network "gone"
        tick
        fail b network "gone"
        finish c 1
        finish d 1
        confirm
        "#,
    ),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/journals")
}

fn plan(name: &str) -> &'static str {
    PLANS.iter().find(|plan| plan.0 == name).expect("the plan exists").1
}

/// Tells the story and writes its journal and its last state.
fn write(name: &str, plan_name: &str, story: &str) {
    let mut world = World::new(&load(plan(plan_name)));
    let told = tell(&mut world, story);
    assert!(!told.contains("refused"), "{name}: {told}");
    let head = json!({ "definition": plan(plan_name), "run": world.run.id });
    let mut lines = vec![head.to_string()];
    for (at, event) in &world.journal {
        lines.push(json!({ "at": at, "event": event }).to_string());
    }
    std::fs::create_dir_all(folder()).expect("a folder");
    let journal = folder().join(format!("{name}.jsonl"));
    std::fs::write(journal, lines.join("\n") + "\n").expect("the journal is written");
    std::fs::write(folder().join(format!("{name}.state")), dump(&world.run)).expect("the state");
}

#[test]
fn old_journals_fold_to_what_they_were() {
    if std::env::var_os("UPDATE").is_some() {
        for (name, plan_name, story) in STORIES {
            write(name, plan_name, story);
        }
    }
    let mut found = 0;
    for entry in std::fs::read_dir(folder()).expect("the journals are there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        found += 1;
        let text = std::fs::read_to_string(&path).expect("a journal");
        let mut lines = text.lines().map(|line| {
            serde_json::from_str::<Value>(line).expect("each line of a journal is JSON")
        });
        let head = lines.next().expect("a journal has a head");
        let definition = load(head["definition"].as_str().expect("a definition"));
        let id = head["run"].as_str().expect("an id").into();
        let mut run = Run::new(id, Arc::clone(&definition));
        for line in lines {
            let at: Timestamp = serde_json::from_value(line["at"].clone()).expect("an instant");
            let event: Event = serde_json::from_value(line["event"].clone()).expect("an event");
            run = showrunner_engine::fold(run, at, &event);
        }
        let state = std::fs::read_to_string(path.with_extension("state")).expect("its state");
        assert!(
            dump(&run) == state,
            "{} folds to another state now:\n{}",
            path.display(),
            dump(&run)
        );
    }
    assert!(found >= STORIES.len(), "{found} journals");
}
