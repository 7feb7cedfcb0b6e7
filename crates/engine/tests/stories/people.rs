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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started draft#1 deadline=+10m
              ! call_agent draft#1 writer({said: null})
              = running
            > finish draft {"title":"Tea"}
              step.succeeded draft#1 output={title: Tea}
              checkpoint.opened ok question="Publish Tea?" show={title: Tea}
              = waiting; waits: ok (person)
            > answer ok continue by=user:ann roles=editor "fine" seen=now
              checkpoint.answered ok answer={verb: continue, by: user:ann, comment: fine, at: +0ms} decides=true
              step.succeeded ok output={decision: continue, by: user:ann, comment: fine, content: {title: Tea}}
              step.started publish#1 deadline=+10m
              ! call_agent publish#1 publisher({content: {title: Tea}})
              = running
            > answer ok abort by=user:bob roles=editor
              refused already_answered: ok was already answered with continue by user:ann
            > finish publish 1
              step.succeeded publish#1 output=1
              run.completed output={}
              = completed
            > answer ok abort by=user:bob roles=editor
              refused already_answered: ok was already answered with continue by user:ann
        "#]],
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
        expect![[r#"
            > start {} by=user:ann
              run.started input={} started_by=user:ann budget={} priority=0
              step.started draft#1 deadline=+10m
              ! call_agent draft#1 writer({said: null})
              = running
            > answer ok continue by=user:bob roles=editor
              refused step_state: answer_checkpoint is not possible while step ok is pending; possible now: skip_step
            > finish draft {"title":"Tea"}
              step.succeeded draft#1 output={title: Tea}
              checkpoint.opened ok question="Publish Tea?" show={title: Tea}
              = waiting; waits: ok (person)
            > answer ok continue by=user:bob roles=guest
              refused not_allowed: user:bob may not answer ok: it needs one of the roles editor
            > answer ok continue by=user:ann roles=editor
              refused not_allowed: user:ann may not answer ok: whoever started the run may not approve it
            > answer ok continue by=user:bob roles=editor seen=yesterday
              refused stale_content: what ok shows has changed since it was looked at; look again and decide then
            > answer draft continue by=user:bob roles=editor
              refused step_state: answer_checkpoint is not possible while step draft is succeeded; possible now: retry_step
            > answer ok continue by=user:bob roles=owner
              checkpoint.answered ok answer={verb: continue, by: user:bob, at: +0ms} decides=true
              step.succeeded ok output={decision: continue, by: user:bob, comment: null, content: {title: Tea}}
              step.started publish#1 deadline=+10m
              ! call_agent publish#1 publisher({content: {title: Tea}})
              = running
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started draft#1 deadline=+10m
              ! call_agent draft#1 writer({said: null})
              = running
            > finish draft {"title":"Tea"}
              step.succeeded draft#1 output={title: Tea}
              checkpoint.opened ok question="Publish Tea?" show={title: Tea}
              = waiting; waits: ok (person)
            > answer ok retry by=user:ann roles=editor
              refused invalid: the answer does not fit: /comment: say what should change
            > answer ok retry by=user:ann roles=editor "shorter"
              checkpoint.answered ok answer={verb: retry, by: user:ann, comment: shorter, at: +0ms} decides=true
              steps.reset steps=[draft, ok, publish] from=draft feedback={comment: shorter, by: user:ann, modified: null} by=user:ann
              step.started draft#2 deadline=+10m
              ! call_agent draft#2 writer({said: {comment: shorter, by: user:ann, modified: null}}) feedback={comment: shorter, by: user:ann, modified: null}
              = running
            > answer ok retry by=user:ann roles=editor "shorter"
              refused already_answered: ok was already answered with retry by user:ann
            > finish draft {"title":"T"}
              step.succeeded draft#2 output={title: T}
              checkpoint.opened ok question="Publish T?" show={title: T}
              = waiting; waits: ok (person)
            > answer ok retry by=user:ann roles=editor "longer"
              refused not_offered: ok does not offer retry; it offers: continue, abort
            > answer ok abort by=user:ann roles=editor "never mind"
              checkpoint.answered ok answer={verb: abort, by: user:ann, comment: "never mind", at: +0ms} decides=true
              run.closing ending=cancelled reason="never mind" by=user:ann
              step.cancelled ok
              step.cancelled publish
              run.cancelled reason="never mind" by=user:ann
              = cancelled
            > answer ok continue by=user:bob roles=editor
              refused already_answered: ok was already answered with abort by user:ann
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started draft#1 deadline=+10m
              ! call_agent draft#1 writer({said: null})
              = running
            > finish draft {"title":"Tea"}
              step.succeeded draft#1 output={title: Tea}
              checkpoint.opened ok question="Publish Tea?" show={title: Tea}
              = waiting; waits: ok (person)
            > answer ok continue by=user:ann roles=editor changes={"title":7}
              refused invalid: the modified content does not fit: /title: 7 is not of type "string"
            > answer ok continue by=user:ann roles=editor changes={"title":"Green tea"}
              checkpoint.answered ok answer={verb: continue, by: user:ann, modified: {title: "Green tea"}, at: +0ms} decides=true
              step.succeeded ok output={decision: continue, by: user:ann, comment: null, content: {title: "Green tea"}}
              step.started publish#1 deadline=+10m
              ! call_agent publish#1 publisher({content: {title: "Green tea"}})
              = running
            > finish publish 1
              step.succeeded publish#1 output=1
              run.completed output={}
              = completed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              checkpoint.opened ok question=Go? show={}
              = waiting; waits: ok (person)
            > answer ok continue by=user:ann changes={"a":1}
              refused invalid: the answer does not fit: /modifications: this checkpoint does not allow modifications
            > answer ok retry by=user:ann "again"
              refused not_offered: ok does not offer retry; it offers: continue
            > answer ok abort by=user:ann
              refused not_offered: ok does not offer abort; it offers: continue
            > answer ok continue by=user:ann
              checkpoint.answered ok answer={verb: continue, by: user:ann, at: +0ms} decides=true
              step.succeeded ok output={decision: continue, by: user:ann, comment: null, content: {}}
              run.completed output={}
              = completed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              checkpoint.opened ok question=Go? show={}
              = waiting; waits: ok (person)
            > answer ok continue by=user:ann
              checkpoint.answered ok answer={verb: continue, by: user:ann, at: +0ms} decides=false
              = waiting; waits: ok (person)
            > answer ok continue by=user:ann
              refused already_voted: user:ann has already answered ok; 1 more voices are needed
            > answer ok continue by=user:bob
              checkpoint.answered ok answer={verb: continue, by: user:bob, at: +0ms} decides=true
              step.succeeded ok output={decision: continue, by: user:bob, comment: null, content: {}}
              run.completed output={}
              = completed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started draft#1 deadline=+10m
              ! call_agent draft#1 x({})
              = running
            > finish draft "Tea"
              step.succeeded draft#1 output=Tea
              checkpoint.opened ok question=Go? show={title: Tea}
              = waiting; waits: ok (person)
            > answer ok continue by=user:ann seen=now
              checkpoint.answered ok answer={verb: continue, by: user:ann, at: +0ms} decides=false
              = waiting; waits: ok (person)
            > answer ok continue by=user:bob seen=now changes={"title":"Coffee"}
              checkpoint.answered ok answer={verb: continue, by: user:bob, modified: {title: Coffee}, at: +0ms} decides=false
              = waiting; waits: ok (person)
            > answer ok continue by=user:ann seen=now
              checkpoint.answered ok answer={verb: continue, by: user:ann, at: +0ms} decides=true
              step.succeeded ok output={decision: continue, by: user:ann, comment: null, content: {title: Coffee}}
              run.completed output={}
              = completed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              checkpoint.opened ok question=Go? show={} until=+2d
              = waiting; waits: ok (person until +2d)
            > answer ok continue by=user:hal roles=head
              refused not_allowed: user:hal may not answer ok: it needs one of the roles editor
            > tick +2d
              at +2d
              checkpoint.escalated ok to=[head] until=+4d
              = waiting; waits: ok (person until +4d)
            > answer ok continue by=user:guy roles=guest
              refused not_allowed: user:guy may not answer ok: it needs one of the roles editor
            > tick +2d
              at +4d
              checkpoint.answered ok answer={verb: continue, by: deadline, comment: "nobody answered in time", at: +4d} decides=true
              step.succeeded ok output={decision: continue, by: deadline, comment: "nobody answered in time", content: {}}
              run.completed output={}
              = completed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              checkpoint.opened ok question=Go? show={} until=+1h
              = waiting; waits: ok (person until +1h)
            > tick
              at +1h
              step.failed ok failure=timeout/unanswered: nobody answered in time
              run.closing ending=failed failure=timeout/unanswered: nobody answered in time
              run.failed failure=timeout/unanswered: nobody answered in time
              = failed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started draft#1 deadline=+10m
              ! call_agent draft#1 x({})
              = running
            > finish draft 1
              step.succeeded draft#1 output=1
              checkpoint.opened ok question=Go? show={} until=+1h
              = waiting; waits: ok (person until +1h)
            > tick
              at +1h
              checkpoint.answered ok answer={verb: retry, by: deadline, comment: "nobody answered in time", at: +1h} decides=true
              steps.reset steps=[draft, ok] from=draft feedback={comment: "nobody answered in time", by: deadline, modified: null} by=deadline
              step.started draft#2 deadline=+70m
              ! call_agent draft#2 x({}) feedback={comment: "nobody answered in time", by: deadline, modified: null}
              = running
            > finish draft 2
              step.succeeded draft#2 output=2
              checkpoint.opened ok question=Go? show={} until=+2h
              = waiting; waits: ok (person until +2h)
            > tick
              at +2h
              step.failed ok failure=timeout/unanswered: nobody answered in time
              run.closing ending=failed failure=timeout/unanswered: nobody answered in time
              run.failed failure=timeout/unanswered: nobody answered in time
              = failed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > finish a 1
              step.succeeded a#1 output=1
              checkpoint.opened ok question=Go? show={}
              = waiting; waits: ok (person)
            > answer ok abort by=user:ann "no"
              checkpoint.answered ok answer={verb: abort, by: user:ann, comment: no, at: +0ms} decides=true
              run.closing ending=cancelled reason=no by=user:ann compensate=true
              step.cancelled ok
              step.started a!undo#1 deadline=+10m compensates=a
              ! call_agent a!undo#1 undo({})
              = closing
            > finish a!undo null
              step.succeeded a!undo#1 output=null
              run.cancelled reason=no by=user:ann
              = cancelled
        "#]],
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
        expect![[r#"
            > start {"list":["p","q"]}
              run.started input={list: [p, q]} started_by=user:starter budget={} priority=0
              for_each.expanded each items=[p, q]
              for_each.item_started each index=0
              for_each.item_started each index=1
              step.started each[0].draft#1 deadline=+10m
              step.started each[1].draft#1 deadline=+10m
              ! call_agent each[0].draft#1 x({item: p, said: null})
              ! call_agent each[1].draft#1 x({item: q, said: null})
              = running
            > finish each[0].draft 0
              step.succeeded each[0].draft#1 output=0
              checkpoint.opened each[0].ok question=p? show={d: 0}
              = running; waits: each[0].ok (person)
            > finish each[1].draft 1
              step.succeeded each[1].draft#1 output=1
              checkpoint.opened each[1].ok question=q? show={d: 1}
              = waiting; waits: each[0].ok (person), each[1].ok (person)
            > answer each[1].ok retry by=user:ann "again"
              checkpoint.answered each[1].ok answer={verb: retry, by: user:ann, comment: again, at: +0ms} decides=true
              steps.reset steps=[each[1].draft, each[1].ok] from=each[1].draft feedback={comment: again, by: user:ann, modified: null} by=user:ann
              step.started each[1].draft#2 deadline=+10m
              ! call_agent each[1].draft#2 x({item: q, said: {comment: again, by: user:ann, modified: null}}) feedback={comment: again, by: user:ann, modified: null}
              = running; waits: each[0].ok (person)
            > answer each[0].ok continue by=user:ann
              checkpoint.answered each[0].ok answer={verb: continue, by: user:ann, at: +0ms} decides=true
              step.succeeded each[0].ok output={decision: continue, by: user:ann, comment: null, content: {d: 0}}
              for_each.item_finished each index=0 result={decision: continue, by: user:ann, comment: null, content: {d: 0}}
              = running
            > finish each[1].draft 2
              step.succeeded each[1].draft#2 output=2
              checkpoint.opened each[1].ok question=q? show={d: 2}
              = waiting; waits: each[1].ok (person)
            > answer each[1].ok continue by=user:ann
              checkpoint.answered each[1].ok answer={verb: continue, by: user:ann, at: +0ms} decides=true
              step.succeeded each[1].ok output={decision: continue, by: user:ann, comment: null, content: {d: 2}}
              for_each.item_finished each index=1 result={decision: continue, by: user:ann, comment: null, content: {d: 2}}
              step.succeeded each output=[{decision: continue, by: user:ann, comment: null, content: {d: 0}}, {decision: continue, by: user:ann, comment: null, content: {d: 2}}]
              run.completed output={}
              = completed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started draft#1 deadline=+10m
              ! call_agent draft#1 x({})
              = running
            > finish draft 1
              step.succeeded draft#1 output=1
              step.failed ok failure=validation/expression_fault: `steps.draft.output.a.b`: no `a` in a number
              run.closing ending=failed failure=validation/expression_fault: `steps.draft.output.a.b`: no `a` in a number
              run.failed failure=validation/expression_fault: `steps.draft.output.a.b`: no `a` in a number
              = failed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started plan#1 deadline=+10m
              ! call_agent plan#1 x({})
              = running
            > finish plan 1
              step.succeeded plan#1 output=1
              step.started draft#1 deadline=+10m
              ! call_agent draft#1 x({})
              = running
            > finish draft 0
              step.succeeded draft#1 output=0
              gate.decided gate verdict=retry reason="too low"
              steps.reset steps=[draft, gate, ok] from=draft feedback={reason: "too low", judgement: null, by: gate} by=gate
              step.started draft#2 deadline=+10m
              ! call_agent draft#2 x({}) feedback={reason: "too low", judgement: null, by: gate}
              = running
            > finish draft 1
              step.succeeded draft#2 output=1
              gate.decided gate verdict=accept
              step.succeeded gate output={verdict: accept, reason: null, judgement: null}
              checkpoint.opened ok question=Go? show={}
              = waiting; waits: ok (person)
            > answer ok retry by=user:ann "think again"
              checkpoint.answered ok answer={verb: retry, by: user:ann, comment: "think again", at: +0ms} decides=true
              steps.reset steps=[plan, draft, gate, ok] from=plan feedback={comment: "think again", by: user:ann, modified: null} by=user:ann
              step.started plan#2 deadline=+10m
              ! call_agent plan#2 x({}) feedback={comment: "think again", by: user:ann, modified: null}
              = running
            > finish plan 2
              step.succeeded plan#2 output=2
              step.started draft#3 deadline=+10m
              ! call_agent draft#3 x({})
              = running
        "#]],
    );
}
