//! What follows a failure: the run fails, goes on without the step, or another takes its place.

use expect_test::expect;

use crate::check;

#[test]
fn a_failed_step_ends_the_run_and_calls_the_others_back() {
    check(
        r"
steps:
  - { id: a, agent: x, retry: 1 }
  - { id: b, agent: x }
  - { id: c, agent: x, needs: [a, b] }
",
        r#"
        start {}
        fail a provider "no"
        finish b "late" usd=0.1
        "#,
        expect![[""]],
    );
}

#[test]
fn continue_goes_on_with_nothing_in_its_place() {
    check(
        r#"
steps:
  - { id: a, agent: x, retry: 1, on_failure: continue }
  - { id: b, agent: x, needs: a, input: { a: "{{ steps.a.output }}", why: "{{ steps.a.failure.message }}" } }
"#,
        r#"
        start {}
        fail a provider "no"
        finish b 1
        "#,
        expect![[""]],
    );
}

const NET: &str = r#"
steps:
  - { id: a, agent: x, retry: 1, on_failure: { fallback: b } }
  - { id: b, agent: y, retry: 1, input: { why: "{{ steps.a.failure.message }}" } }
  - { id: c, agent: z, input: { a: "{{ steps.a.output }}" } }
"#;

#[test]
fn a_fallback_takes_the_place() {
    check(
        NET,
        r#"
        start {}
        fail a provider "no"
        finish b "second best"
        finish c 1
        "#,
        expect![[""]],
    );
}

#[test]
fn a_fallback_that_fails_too_fails_the_step() {
    check(
        NET,
        r#"
        start {}
        fail a provider "no"
        fail b provider "neither"
        "#,
        expect![[""]],
    );
}

#[test]
fn a_fallback_that_was_not_needed_is_skipped() {
    check(
        NET,
        r"
        start {}
        finish a 1
        finish c 1
        ",
        expect![[""]],
    );
}

#[test]
fn fallbacks_in_a_chain_hand_the_output_all_the_way_back() {
    check(
        r#"
steps:
  - { id: a, agent: x, retry: 1, on_failure: { fallback: b } }
  - { id: b, agent: x, retry: 1, on_failure: { fallback: c } }
  - { id: c, agent: x, retry: 1 }
  - { id: d, agent: x, input: { a: "{{ steps.a.output }}" } }
"#,
        r#"
        start {}
        fail a provider "1"
        fail b provider "2"
        finish c "third"
        finish d 1
        "#,
        expect![[""]],
    );
}

#[test]
fn fallbacks_in_a_chain_that_all_fail() {
    check(
        r#"
steps:
  - { id: a, agent: x, retry: 1, on_failure: { fallback: b } }
  - { id: b, agent: x, retry: 1, on_failure: { fallback: c } }
  - { id: c, agent: x, retry: 1 }
"#,
        r#"
        start {}
        fail a provider "1"
        fail b provider "2"
        fail c provider "3"
        "#,
        expect![[""]],
    );
}

#[test]
fn a_fallback_that_may_not_run_fails_the_step() {
    check(
        r#"
steps:
  - { id: a, agent: x, retry: 1, on_failure: { fallback: b } }
  - { id: b, agent: x, when: "false" }
"#,
        r#"
        start {}
        fail a provider "1"
        "#,
        expect![[""]],
    );
}

#[test]
fn a_fallback_waits_for_what_it_needs() {
    check(
        r#"
steps:
  - { id: slow, agent: x }
  - { id: a, agent: x, retry: 1, on_failure: { fallback: b } }
  - { id: b, agent: x, input: { slow: "{{ steps.slow.output }}" } }
"#,
        r#"
        start {}
        fail a provider "1"
        finish slow "at last"
        finish b "b"
        "#,
        expect![[""]],
    );
}

#[test]
fn a_fallback_does_not_start_while_the_run_is_held() {
    check(
        NET,
        r#"
        start {}
        pause
        fail a provider "no"
        resume
        finish b 1
        finish c 1
        "#,
        expect![[""]],
    );
}

#[test]
fn who_does_the_work_by_hand_sends_the_fallback_home() {
    check(
        NET,
        r#"
        start {}
        fail a provider "no"
        hand a "mine"
        fail b provider "neither" usd=0.1
        finish c 1
        "#,
        expect![[""]],
    );
}

#[test]
fn who_skips_a_step_sends_its_fallback_home() {
    check(
        NET,
        r#"
        start {}
        fail a provider "no"
        skip a output="nothing"
        fail b provider "neither"
        finish c 1
        "#,
        expect![[""]],
    );
}

#[test]
fn who_skips_a_fallback_skips_the_step_it_stands_in_for() {
    check(
        NET,
        r#"
        start {}
        fail a provider "no"
        skip b output="plain"
        fail b#1 provider "neither"
        finish c 1
        "#,
        expect![[""]],
    );
}

#[test]
fn a_fallbacks_output_must_fit_the_step_it_stands_in_for() {
    check(
        r#"
steps:
  - { id: a, agent: x, retry: 1, on_failure: { fallback: b }, output: { type: string } }
  - { id: b, agent: y, retry: 1 }
"#,
        r#"
        start {}
        fail a provider "no"
        finish b 7
        "#,
        expect![[""]],
    );
}

#[test]
fn a_loop_with_a_fallback_stops_its_body_first() {
    check(
        r#"
steps:
  - id: rounds
    loop:
      max: 3
      until: "steps.one.output > 5"
      steps:
        - { id: one, agent: x, retry: 1 }
        - { id: other, agent: x }
    on_failure: { fallback: plain }
  - { id: plain, agent: y }
"#,
        r#"
        start {}
        fail rounds[0].one provider "no"
        finish rounds[0].other 1 usd=0.1
        finish plain "plain"
        "#,
        expect![[""]],
    );
}

#[test]
fn a_retry_of_a_step_takes_its_fallback_back_too() {
    check(
        NET,
        r#"
        start {}
        fail a provider "no"
        retry a
        finish b#1 "late" usd=0.1
        finish a 1
        finish c 1
        "#,
        expect![[""]],
    );
}

#[test]
fn a_retry_of_a_fallback_is_a_retry_of_the_step_it_stands_in_for() {
    check(
        NET,
        r#"
        start {}
        fail a provider "no"
        fail b provider "neither"
        retry b
        fail a provider "no"
        finish b 1
        finish c 1
        "#,
        expect![[""]],
    );
}

#[test]
fn compensations_run_in_reverse_order_when_the_run_fails() {
    check(
        r#"
compensate_on_failure: true
steps:
  - { id: a, agent: x, compensate: { agent: undo, input: { what: "{{ steps.a.output }}" } } }
  - { id: b, agent: x, needs: a, compensate: { agent: undo, input: { what: "{{ steps.b.output }}" } } }
  - { id: c, agent: x, needs: b, retry: 1, compensate: { agent: undo } }
"#,
        r#"
        start {}
        finish a "A"
        finish b "B"
        fail c provider "no"
        finish b!undo null usd=0.01
        finish a!undo null
        "#,
        expect![[""]],
    );
}

#[test]
fn a_compensation_is_retried_and_its_failure_does_not_stop_the_next() {
    check(
        r#"
steps:
  - { id: a, agent: x, compensate: { agent: undo } }
  - { id: b, agent: x, needs: a, compensate: { agent: undo, retry: { attempts: 2, initial: 1s, jitter: 0 } } }
  - { id: c, agent: x, needs: b }
"#,
        r#"
        start {}
        finish a "A"
        finish b "B"
        cancel undo "changed our minds" by=user:ann
        finish c#1 "late" usd=0.2
        fail b!undo transient "busy"
        tick
        fail b!undo transient "busy"
        finish a!undo null
        "#,
        expect![[""]],
    );
}

#[test]
fn a_doubtful_compensation_is_settled_by_a_person() {
    check(
        r#"
steps:
  - { id: a, agent: x, compensate: { agent: undo } }
  - { id: b, agent: x, needs: a }
"#,
        r#"
        start {}
        finish a "A"
        cancel undo
        fail b#1 cancelled "stopped"
        doubt a!undo 0 "no answer"
        resolve a!undo failed by=user:ann
        "#,
        expect![[""]],
    );
}

#[test]
fn a_computed_compensation_runs_too() {
    check(
        r#"
steps:
  - { id: a, agent: x, compensate: { transform: { undone: "{{ steps.a.output }}" } } }
  - { id: b, agent: x, needs: a }
"#,
        r#"
        start {}
        finish a "A"
        cancel undo
        fail b#1 cancelled "stopped"
        "#,
        expect![[""]],
    );
}

#[test]
fn each_element_is_undone_with_its_own_item() {
    check(
        r#"
steps:
  - id: each
    for_each:
      items: input.list
      steps:
        - { id: book, agent: x, input: { i: "{{ item }}" }, compensate: { agent: undo, input: { i: "{{ item }}", n: "{{ index }}" } } }
  - { id: b, agent: x, needs: each }
"#,
        r#"
        start {"list":["p","q"]}
        finish each[0].book 0
        finish each[1].book 1
        cancel undo
        fail b#1 cancelled "stopped"
        finish each[1].book!undo null
        finish each[0].book!undo null
        "#,
        expect![[""]],
    );
}

#[test]
fn nothing_is_undone_when_nobody_asks_for_it() {
    check(
        r#"
steps:
  - { id: a, agent: x, compensate: { agent: undo } }
  - { id: b, agent: x, needs: a }
"#,
        r#"
        start {}
        finish a "A"
        cancel "enough" by=user:ann
        fail b#1 cancelled "stopped"
        "#,
        expect![[""]],
    );
}
