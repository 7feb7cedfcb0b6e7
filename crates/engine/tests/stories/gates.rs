//! Gates: rules decide, on earlier outputs or on a judge's answer.

use expect_test::expect;

use crate::check;

const RULES: &str = r#"
steps:
  - { id: draft, agent: writer, input: { said: "{{ feedback }}" } }
  - id: gate
    gate:
      rules:
        - { when: "steps.draft.output.n < 0", verdict: reject, reason: "{{ steps.draft.output.n }} is below nothing" }
        - { when: "steps.draft.output.n < 5", verdict: retry, reason: too low }
        - { when: "steps.draft.output.n < 7", verdict: accept_with_revision, reason: a little low }
        - { when: "steps.draft.output.n > 9", verdict: exemplary }
      retry_from: draft
      retries_max: 2
outputs: { verdict: "{{ steps.gate.output.verdict }}" }
"#;

#[test]
fn the_first_rule_that_holds_decides() {
    check(
        RULES,
        r#"
        start {}
        finish draft {"n":6}
        "#,
        expect![[""]],
    );
}

#[test]
fn no_rule_holds() {
    check(
        RULES,
        r#"
        start {}
        finish draft {"n":8}
        "#,
        expect![[""]],
    );
}

#[test]
fn sent_back_with_the_reason_until_it_is_refused() {
    check(
        RULES,
        r#"
        start {}
        finish draft {"n":1}
        finish draft {"n":2}
        finish draft {"n":3}
        "#,
        expect![[""]],
    );
}

#[test]
fn refused_at_once() {
    check(
        RULES,
        r#"
        start {}
        finish draft {"n":-1}
        "#,
        expect![[""]],
    );
}

#[test]
fn a_rule_that_cannot_be_judged_fails_the_gate() {
    check(
        RULES,
        r"
        start {}
        finish draft 1
        ",
        expect![[""]],
    );
}

const JUDGE: &str = r#"
agent_budgets: { critic: { usd: 0.5 } }
steps:
  - { id: draft, agent: writer, input: { said: "{{ feedback }}" } }
  - id: gate
    estimate: { usd: 0.2 }
    gate:
      judge: { agent: critic, input: { text: "{{ steps.draft.output }}" } }
      rules:
        - { when: "steps.gate.output.score < 5", verdict: retry, reason: "only {{ steps.gate.output.score }}" }
      retry_from: draft
      retries_max: 5
"#;

#[test]
fn a_judge_scores_and_the_rules_decide() {
    check(
        JUDGE,
        r#"
        start {}
        finish draft "a"
        finish gate {"score":2} usd=0.1
        finish gate#1 {"score":9} usd=0.1
        finish draft "b"
        finish gate {"score":8} usd=0.1
        "#,
        expect![[""]],
    );
}

#[test]
fn a_judge_keeps_to_its_agents_budget() {
    check(
        JUDGE,
        r#"
        start {}
        finish draft "a"
        finish gate {"score":2} usd=0.4
        finish draft "b"
        "#,
        expect![[""]],
    );
}

#[test]
fn a_judges_attempt_fails_like_any_other() {
    check(
        JUDGE,
        r#"
        start {}
        finish draft "a"
        fail gate transient
        tick
        job gate j1
        finish gate {"score":8}
        "#,
        expect![[""]],
    );
}
