//! Agents one after another and side by side; attempts, tokens, retries.

use expect_test::expect;

use crate::check;

const CHAIN: &str = r#"
steps:
  - { id: draft, agent: writer, input: { topic: "{{ input.topic }}" } }
  - { id: edit, agent: editor, input: { text: "{{ steps.draft.output.text }}" } }
outputs: { text: "{{ steps.edit.output }}" }
"#;

#[test]
fn one_after_another() {
    check(
        CHAIN,
        r#"
        start {"topic":"tea"}
        finish draft {"text":"leaves"} usd=0.02 tokens=100
        finish edit "Leaves."
        "#,
        expect![[""]],
    );
}

#[test]
fn side_by_side_and_joined_by_needs() {
    check(
        r#"
steps:
  - { id: a, agent: x }
  - { id: b, agent: x }
  - { id: c, agent: x, needs: [a, b] }
outputs: { all: "{{ [steps.a.output, steps.b.output, steps.c.output] }}" }
"#,
        r"
        start {}
        finish b 2
        finish a 1
        finish c 3
        ",
        expect![[""]],
    );
}

#[test]
fn a_condition_that_does_not_hold_skips_the_step() {
    check(
        r#"
steps:
  - { id: a, agent: x }
  - { id: b, agent: x, when: "steps.a.output > 1" }
  - { id: c, agent: x, needs: b, input: { b: "{{ steps.b.status }}" } }
"#,
        r"
        start {}
        finish a 1
        finish c 3
        ",
        expect![[""]],
    );
}

#[test]
fn a_condition_that_is_no_truth_value_fails_the_step() {
    check(
        r#"
steps:
  - { id: a, agent: x }
  - { id: b, agent: x, when: "steps.a.output" }
"#,
        r"
        start {}
        finish a 1
        ",
        expect![[""]],
    );
}

#[test]
fn the_input_must_fit() {
    check(
        r#"
input: { type: object, required: [topic], properties: { topic: { type: string } } }
steps: [{ id: a, agent: x }]
"#,
        r#"
        start {"topic":7}
        cancel
        start {"topic":"tea"}
        start {"topic":"tea"}
        "#,
        expect![[""]],
    );
}

#[test]
fn an_input_that_cannot_be_made_is_the_attempts_fault() {
    check(
        r#"
steps:
  - { id: a, agent: x }
  - { id: b, agent: x, input: { n: "{{ steps.a.output.deep.down }}" } }
"#,
        r#"
        start {}
        finish a "flat"
        fail b validation "bad input"
        "#,
        expect![[""]],
    );
}

#[test]
fn retried_by_class_until_the_attempts_are_used_up() {
    check(
        r"
steps:
  - { id: a, agent: x, retry: { attempts: 3, initial: 10s, jitter: 0 } }
",
        r#"
        start {}
        fail a transient "busy"
        finish a#1 1
        tick +9s
        tick +1s
        fail a rate_limited "slow down" after=5m
        tick
        fail a network "gone" usd=0.01
        "#,
        expect![[""]],
    );
}

#[test]
fn what_cannot_heal_is_not_retried() {
    check(
        r"
steps:
  - { id: a, agent: x, retry: 5 }
",
        r#"
        start {}
        fail a validation "bad input"
        "#,
        expect![[""]],
    );
}

#[test]
fn an_output_that_does_not_fit_fails_the_attempt() {
    check(
        r"
steps:
  - id: a
    agent: x
    output: { type: object, required: [title] }
",
        r#"
        start {}
        finish a {"name":"x"} usd=0.5
        "#,
        expect![[""]],
    );
}

#[test]
fn a_doubled_or_strange_report_changes_nothing() {
    check(
        CHAIN,
        r#"
        start {"topic":"tea"}
        finish draft#9 {"text":"forged"}
        finish draft {"text":"leaves"}
        finish draft {"text":"leaves"}
        fail draft transient "too late"
        finish nowhere 1
        "#,
        expect![[""]],
    );
}

#[test]
fn calls_are_recorded_once_and_given_to_whoever_resumes() {
    check(
        "steps: [{ id: a, agent: x }]",
        r#"
        start {}
        dispatch a 0
        dispatch a 0
        call a no=0 usd=0.01
        call a no=0 usd=0.01
        progress a 140 "nearly"
        call a no=1 usd=0.02
        finish a "done" no=1 usd=0.02
        "#,
        expect![[""]],
    );
}

#[test]
fn calls_out_of_order_are_all_counted() {
    check(
        "steps: [{ id: a, agent: x }]",
        r#"
        start {}
        call a no=1 usd=0.02
        call a no=0 usd=0.01
        call a no=1 usd=0.02
        finish a "done" no=0 usd=0.01
        "#,
        expect![[""]],
    );
}

#[test]
fn a_job_is_followed_until_it_reports() {
    check(
        "steps: [{ id: a, agent: x, timeout: 5m }]",
        r#"
        start {}
        job a j1
        job a j1
        finish a "film" usd=0.4
        "#,
        expect![[""]],
    );
}

#[test]
fn a_person_does_the_agents_work() {
    check(
        r"
steps:
  - id: a
    agent: x
    output: { type: string }
  - { id: b, agent: x, needs: a }
",
        r#"
        start {}
        hand a 7 by=user:ann
        hand b "b" by=user:ann
        hand a "mine" by=user:ann
        finish b "b"
        finish a#1 "too late" usd=0.03
        "#,
        expect![[""]],
    );
}

#[test]
fn a_person_does_it_while_it_waits_for_its_next_attempt() {
    check(
        "steps: [{ id: a, agent: x }]",
        r#"
        start {}
        fail a transient
        hand a "mine"
        "#,
        expect![[""]],
    );
}
