//! Approving, rejecting, aborting; and the commands on runs and steps.

use serde_json::{Value, json};

use crate::fake::Fake;
use crate::program::{Desk, RUN};

fn asking() -> Fake {
    let fake = Fake::start();
    let wait = json!({"step": "approval", "for": "person", "since": "2026-11-20T02:00:09Z"});
    fake.run(RUN, json!({"status": "waiting", "waits": [wait]}));
    fake.json(&format!("GET /api/v1/runs/{RUN}/checkpoints/approval"), 200, json!({
        "run": RUN, "step": "approval", "question": "Publish?", "digest": "abc123", "assets": [],
        "options": [{"verb": "continue", "label": {"en": "Approve"}}],
    }));
    fake
}

fn answer_path() -> String {
    format!("/api/v1/runs/{RUN}/checkpoints/approval/answer")
}

#[test]
fn approve_finds_the_question_and_binds_the_answer_to_what_was_seen() {
    let fake = asking();
    fake.json(
        &format!("POST {}", answer_path()),
        200,
        json!({"run": RUN, "status": "running", "seq": 12}),
    );
    let said = Desk::beside(&fake).run(&["approve", RUN, "--comment", "いいですね"]);
    said.ends(0).tells(&["showrunner watch run_01k9zw7v5mqe8x"]);
    assert_eq!(said.out, format!("{RUN} approved (approval); the run is running\n"));
    let asked = fake.asked(&answer_path());
    let expected = json!({"verb": "continue", "comment": "いいですね", "digest": "abc123"});
    assert_eq!(asked.iter().map(|a| &a.body).collect::<Vec<_>>(), [&expected]);
}

#[test]
fn reject_and_abort_are_the_other_two_verbs() {
    let fake = asking();
    fake.json(
        &format!("POST {}", answer_path()),
        200,
        json!({"run": RUN, "status": "running", "seq": 12}),
    );
    let desk = Desk::beside(&fake);
    desk.run(&["reject", RUN, "--feedback", "warmer"]).ends(0);
    desk.run(&["abort", RUN, "--step", "approval"]).ends(0);
    let verbs: Vec<Value> = fake
        .asked(&answer_path())
        .iter()
        .map(|a| json!([a.body["verb"], a.body["comment"]]))
        .collect();
    assert_eq!(verbs, [json!(["retry", "warmer"]), json!(["abort", null])]);
}

#[test]
fn who_comes_second_is_told_who_came_first() {
    let fake = asking();
    fake.problem(
        &format!("POST {}", answer_path()),
        409,
        "already_answered",
        json!({
            "first": {"verb": "continue", "by": "sato", "at": "2026-11-20T02:01:00Z"},
            "allowed": ["cancel"], "hint": "look at the run",
        }),
    );
    let desk = Desk::beside(&fake);
    let said = desk.run(&["approve", RUN]);
    said.ends(1).tells(&[
        "already answered (already_answered)",
        "continue by sato at 2026-11-20T02:01:00Z",
        "possible now: cancel",
        "look at the run",
    ]);
    let fault = desk.run(&["approve", RUN, "--json"]).ends(1).json();
    assert_eq!(fault["error"]["code"], "already_answered");
    assert_eq!(fault["error"]["problem"]["first"]["by"], "sato");
}

#[test]
fn nothing_to_decide_is_a_refusal_and_too_much_a_question_back() {
    let fake = Fake::start();
    let desk = Desk::beside(&fake);
    fake.run(RUN, json!({"status": "completed"}));
    desk.run(&["approve", RUN]).ends(1).tells(&["nothing of this run waits", "is completed"]);
    let wait = |step: &str| json!({"step": step, "for": "person"});
    fake.run(RUN, json!({"status": "waiting", "waits": [wait("a"), wait("b")]}));
    desk.run(&["approve", RUN]).ends(2).tells(&["a, b", "--step"]);
}

/// Since when a step of these tests is in doubt.
const DOUBTED: &str = "2026-11-20T02:03:04.000005Z";

#[test]
fn a_doubt_is_settled_as_the_one_that_was_seen() {
    let fake = Fake::start();
    let desk = Desk::beside(&fake);
    fake.run(RUN, json!({"waits": [{"step": "draft", "for": "doubt", "since": DOUBTED}]}));
    let said = desk.run(&["resolve", RUN, "qa", "failed"]);
    said.ends(1).tells(&["qa of", "is not in doubt", "in doubt: draft"]);
    let path = format!("/api/v1/runs/{RUN}/steps/qa/resolve");
    assert!(fake.asked(&path).is_empty(), "nothing was settled");
}

#[test]
fn every_command_says_what_the_contract_says() {
    let fake = Fake::start();
    let desk = Desk::beside(&fake);
    let cases: [(&[&str], &str, Value); 9] = [
        (
            &["cancel", RUN, "--reason", "late", "--compensate"],
            "cancel",
            json!({"reason": "late", "compensate": true}),
        ),
        (&["pause", RUN], "pause", json!({})),
        (&["resume", RUN], "resume", json!({})),
        (&["rollback", RUN, "draft"], "rollback", json!({"phase": "draft"})),
        (
            &["fork", RUN, "--from", "producer", "--edits", "{\"title\":\"次\"}"],
            "fork",
            json!({"from": "producer", "input_edits": {"title": "次"}}),
        ),
        (
            &["retry", RUN, "loop[1]/draft", "--feedback", "brighter"],
            "steps/loop%5B1%5D%2Fdraft/retry",
            json!({"feedback": "brighter"}),
        ),
        (
            &["skip", RUN, "qa", "--reason", "known", "--output", "{\"score\":90}"],
            "steps/qa/skip",
            json!({"reason": "known", "output": {"score": 90}}),
        ),
        (&["complete", RUN, "qa", "--output", "3"], "steps/qa/complete", json!({"output": 3})),
        (
            &["resolve", RUN, "qa", "resend"],
            "steps/qa/resolve",
            json!({"verdict": "resend", "since": DOUBTED}),
        ),
    ];
    fake.run(RUN, json!({"waits": [{"step": "qa", "for": "doubt", "since": DOUBTED}]}));
    for (args, verb, body) in cases {
        let path = format!("/api/v1/runs/{RUN}/{verb}");
        fake.json(&format!("POST {path}"), 202, json!({"run": {"id": RUN, "status": "running"}}));
        let said = desk.run(args);
        assert_eq!((said.ends(0).out.as_str()), format!("{RUN} running\n"));
        assert_eq!(
            fake.asked(&path).first().map(|asked| asked.body.clone()),
            Some(body),
            "{args:?}"
        );
    }
}
