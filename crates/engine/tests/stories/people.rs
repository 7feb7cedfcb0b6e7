//! Checkpoints: a person decides.

use expect_test::expect;

use crate::check;

const REVIEW: &str = r#"
steps:
  - { id: draft, agent: writer, input: { said: "{{ feedback }}" } }
  - id: ok
    checkpoint:
      question: "Publish {{ steps.draft.output.title }}?"
      show: { title: "{{ steps.draft.output.title }}" }
      modifications: { type: object, properties: { title: { type: string } } }
      roles: [editor]
      allow_self: false
      retry_from: draft
      retries_max: 1
  - { id: publish, agent: publisher, input: { content: "{{ steps.ok.output.content }}" } }
"#;

#[test]
fn go_on() {
    check(
        REVIEW,
        r#"
        start {}
        finish draft {"title":"Tea"}
        answer ok continue by=user:ann roles=editor "fine" seen=now
        answer ok abort by=user:bob roles=editor
        finish publish 1
        answer ok abort by=user:bob roles=editor
        "#,
        expect![[""]],
    );
}

#[test]
fn who_may_not_answer_is_told_why() {
    check(
        REVIEW,
        r#"
        start {} by=user:ann
        answer ok continue by=user:bob roles=editor
        finish draft {"title":"Tea"}
        answer ok continue by=user:bob roles=guest
        answer ok continue by=user:ann roles=editor
        answer ok continue by=user:bob roles=editor seen=yesterday
        answer draft continue by=user:bob roles=editor
        answer ok continue by=user:bob roles=owner
        "#,
        expect![[""]],
    );
}

#[test]
fn again_with_what_was_said_but_not_for_ever() {
    check(
        REVIEW,
        r#"
        start {}
        finish draft {"title":"Tea"}
        answer ok retry by=user:ann roles=editor
        answer ok retry by=user:ann roles=editor "shorter"
        answer ok retry by=user:ann roles=editor "shorter"
        finish draft {"title":"T"}
        answer ok retry by=user:ann roles=editor "longer"
        answer ok abort by=user:ann roles=editor "never mind"
        answer ok continue by=user:bob roles=editor
        "#,
        expect![[""]],
    );
}

#[test]
fn a_person_changes_what_was_shown() {
    check(
        REVIEW,
        r#"
        start {}
        finish draft {"title":"Tea"}
        answer ok continue by=user:ann roles=editor changes={"title":7}
        answer ok continue by=user:ann roles=editor changes={"title":"Green tea"}
        finish publish 1
        "#,
        expect![[""]],
    );
}

#[test]
fn no_changes_where_none_are_offered() {
    check(
        r"
steps:
  - id: ok
    checkpoint: { question: Go?, options: [continue] }
",
        r#"
        start {}
        answer ok continue by=user:ann changes={"a":1}
        answer ok retry by=user:ann "again"
        answer ok abort by=user:ann
        answer ok continue by=user:ann
        "#,
        expect![[""]],
    );
}

#[test]
fn a_quorum_counts_different_people() {
    check(
        r"
steps:
  - id: ok
    checkpoint: { question: Go?, quorum: 2 }
",
        r#"
        start {}
        answer ok continue by=user:ann
        answer ok continue by=user:ann
        answer ok continue by=user:bob
        "#,
        expect![[""]],
    );
}

#[test]
fn a_quorum_agrees_on_one_content() {
    check(
        r#"
steps:
  - { id: draft, agent: x }
  - id: ok
    checkpoint:
      question: Go?
      show: { title: "{{ steps.draft.output }}" }
      quorum: 2
      modifications: { type: object }
"#,
        r#"
        start {}
        finish draft "Tea"
        answer ok continue by=user:ann seen=now
        answer ok continue by=user:bob seen=now changes={"title":"Coffee"}
        answer ok continue by=user:ann seen=now
        "#,
        expect![[""]],
    );
}

#[test]
fn nobody_answers_more_are_asked_then_the_default_counts() {
    check(
        r"
steps:
  - id: ok
    checkpoint: { question: Go?, roles: [editor], deadline: { after: 2d, escalate_to: [head], default: continue } }
",
        r#"
        start {}
        answer ok continue by=user:hal roles=head
        tick +2d
        answer ok continue by=user:guy roles=guest
        tick +2d
        "#,
        expect![[""]],
    );
}

#[test]
fn nobody_answers_and_nothing_was_said_about_that() {
    check(
        r"
steps:
  - id: ok
    checkpoint: { question: Go?, deadline: { after: 1h } }
",
        r"
        start {}
        tick
        ",
        expect![[""]],
    );
}

#[test]
fn a_default_of_retry_ends_with_its_limit() {
    check(
        r#"
steps:
  - { id: draft, agent: x }
  - id: ok
    needs: draft
    checkpoint: { question: Go?, retry_from: draft, retries_max: 1, deadline: { after: 1h, default: retry } }
"#,
        r"
        start {}
        finish draft 1
        tick
        finish draft 2
        tick
        ",
        expect![[""]],
    );
}

#[test]
fn abort_undoes_when_the_checkpoint_says_so() {
    check(
        r#"
steps:
  - { id: a, agent: x, compensate: { agent: undo } }
  - id: ok
    needs: a
    checkpoint: { question: Go?, compensate_on_abort: true }
"#,
        r#"
        start {}
        finish a 1
        answer ok abort by=user:ann "no"
        finish a!undo null
        "#,
        expect![[""]],
    );
}

#[test]
fn one_question_for_each_element() {
    check(
        r#"
steps:
  - id: each
    for_each:
      items: input.list
      concurrency: 2
      steps:
        - { id: draft, agent: x, input: { item: "{{ item }}", said: "{{ feedback }}" } }
        - id: ok
          checkpoint: { question: "{{ item }}?", retry_from: draft, show: { d: "{{ steps.draft.output }}" } }
"#,
        r#"
        start {"list":["p","q"]}
        finish each[0].draft 0
        finish each[1].draft 1
        answer each[1].ok retry by=user:ann "again"
        answer each[0].ok continue by=user:ann
        finish each[1].draft 2
        answer each[1].ok continue by=user:ann
        "#,
        expect![[""]],
    );
}

#[test]
fn a_question_that_cannot_be_asked_fails_the_step() {
    check(
        r#"
steps:
  - { id: draft, agent: x }
  - id: ok
    checkpoint: { question: "{{ steps.draft.output.a.b }}?" }
"#,
        r"
        start {}
        finish draft 1
        ",
        expect![[""]],
    );
}

#[test]
fn feedback_is_about_one_round_only() {
    check(
        r#"
steps:
  - { id: plan, agent: x }
  - { id: draft, agent: x, needs: plan }
  - id: gate
    gate: { rules: [{ when: "steps.draft.output < 1", verdict: retry, reason: too low }], retry_from: draft }
  - id: ok
    needs: gate
    checkpoint: { question: Go?, retry_from: plan }
"#,
        r#"
        start {}
        finish plan 1
        finish draft 0
        finish draft 1
        answer ok retry by=user:ann "think again"
        finish plan 2
        "#,
        expect![[""]],
    );
}
