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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started draft#1 deadline=+10m
              ! call_agent draft#1 writer({said: null})
              = running
            > finish draft {"n":6}
              step.succeeded draft#1 output={n: 6}
              gate.decided gate verdict=accept_with_revision reason="a little low"
              step.succeeded gate output={verdict: accept_with_revision, reason: "a little low", judgement: null}
              run.completed output={verdict: accept_with_revision}
              = completed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started draft#1 deadline=+10m
              ! call_agent draft#1 writer({said: null})
              = running
            > finish draft {"n":8}
              step.succeeded draft#1 output={n: 8}
              gate.decided gate verdict=accept
              step.succeeded gate output={verdict: accept, reason: null, judgement: null}
              run.completed output={verdict: accept}
              = completed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started draft#1 deadline=+10m
              ! call_agent draft#1 writer({said: null})
              = running
            > finish draft {"n":1}
              step.succeeded draft#1 output={n: 1}
              gate.decided gate verdict=retry reason="too low"
              steps.reset steps=[draft, gate] from=draft feedback={reason: "too low", judgement: null, by: gate} by=gate
              step.started draft#2 deadline=+10m
              ! call_agent draft#2 writer({said: {reason: "too low", judgement: null, by: gate}}) feedback={reason: "too low", judgement: null, by: gate}
              = running
            > finish draft {"n":2}
              step.succeeded draft#2 output={n: 2}
              gate.decided gate verdict=retry reason="too low"
              steps.reset steps=[draft, gate] from=draft feedback={reason: "too low", judgement: null, by: gate} by=gate
              step.started draft#3 deadline=+10m
              ! call_agent draft#3 writer({said: {reason: "too low", judgement: null, by: gate}}) feedback={reason: "too low", judgement: null, by: gate}
              = running
            > finish draft {"n":3}
              step.succeeded draft#3 output={n: 3}
              gate.decided gate verdict=reject reason="too low"
              step.failed gate failure=rejected/gate_rejected: too low
              run.closing ending=failed failure=rejected/gate_rejected: too low
              run.failed failure=rejected/gate_rejected: too low
              = failed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started draft#1 deadline=+10m
              ! call_agent draft#1 writer({said: null})
              = running
            > finish draft {"n":-1}
              step.succeeded draft#1 output={n: -1}
              gate.decided gate verdict=reject reason="-1 is below nothing"
              step.failed gate failure=rejected/gate_rejected: -1 is below nothing
              run.closing ending=failed failure=rejected/gate_rejected: -1 is below nothing
              run.failed failure=rejected/gate_rejected: -1 is below nothing
              = failed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started draft#1 deadline=+10m
              ! call_agent draft#1 writer({said: null})
              = running
            > finish draft 1
              step.succeeded draft#1 output=1
              step.failed gate failure=validation/expression_fault: `steps.draft.output.n < 0`: no `n` in a number
              run.closing ending=failed failure=validation/expression_fault: `steps.draft.output.n < 0`: no `n` in a number
              run.failed failure=validation/expression_fault: `steps.draft.output.n < 0`: no `n` in a number
              = failed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started draft#1 deadline=+10m
              ! call_agent draft#1 writer({said: null})
              = running
            > finish draft "a"
              step.succeeded draft#1 output=a
              step.started gate#1 reserved=$0.2 deadline=+10m
              ! call_agent gate#1 critic({text: a})
              = running; reserved $0.2
            > finish gate {"score":2} usd=0.1
              attempt.call_recorded gate#1 call=0
              gate.decided gate verdict=retry reason="only 2"
              steps.reset steps=[draft, gate] from=draft feedback={reason: "only 2", judgement: {score: 2}, by: gate} by=gate
              step.started draft#2 deadline=+10m
              ! call_agent draft#2 writer({said: {reason: "only 2", judgement: {score: 2}, by: gate}}) feedback={reason: "only 2", judgement: {score: 2}, by: gate}
              = running; spent $0.1
            > finish gate#1 {"score":9} usd=0.1
              refused stale_attempt: the attempt of step gate is over: a report on it changes nothing
            > finish draft "b"
              step.succeeded draft#2 output=b
              step.started gate#2 reserved=$0.2 deadline=+10m
              ! call_agent gate#2 critic({text: b})
              = running; spent $0.1; reserved $0.2
            > finish gate {"score":8} usd=0.1
              attempt.call_recorded gate#2 call=0
              gate.decided gate verdict=accept
              step.succeeded gate#2 output={verdict: accept, reason: null, judgement: {score: 8}}
              run.completed output={}
              = completed; spent $0.2
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started draft#1 deadline=+10m
              ! call_agent draft#1 writer({said: null})
              = running
            > finish draft "a"
              step.succeeded draft#1 output=a
              step.started gate#1 reserved=$0.2 deadline=+10m
              ! call_agent gate#1 critic({text: a})
              = running; reserved $0.2
            > finish gate {"score":2} usd=0.4
              attempt.call_recorded gate#1 call=0
              gate.decided gate verdict=retry reason="only 2"
              steps.reset steps=[draft, gate] from=draft feedback={reason: "only 2", judgement: {score: 2}, by: gate} by=gate
              step.started draft#2 deadline=+10m
              ! call_agent draft#2 writer({said: {reason: "only 2", judgement: {score: 2}, by: gate}}) feedback={reason: "only 2", judgement: {score: 2}, by: gate}
              = running; spent $0.4
            > finish draft "b"
              step.succeeded draft#2 output=b
              step.failed gate failure=budget/over_budget: the budget of agent critic does not allow another attempt: $0.600000 of $0.500000
              run.closing ending=failed failure=budget/over_budget: the budget of agent critic does not allow another attempt: $0.600000 of $0.500000
              run.failed failure=budget/over_budget: the budget of agent critic does not allow another attempt: $0.600000 of $0.500000
              = failed; spent $0.4
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started draft#1 deadline=+10m
              ! call_agent draft#1 writer({said: null})
              = running
            > finish draft "a"
              step.succeeded draft#1 output=a
              step.started gate#1 reserved=$0.2 deadline=+10m
              ! call_agent gate#1 critic({text: a})
              = running; reserved $0.2
            > fail gate transient
              attempt.failed gate#1 failure=transient/story: it went wrong retry_at=+845ms
              = waiting; waits: gate (retry until +845ms)
            > tick
              at +845ms
              step.started gate#2 reserved=$0.2 deadline=+600845ms
              ! call_agent gate#2 critic({text: a})
              = running; reserved $0.2
            > job gate j1
              attempt.accepted gate#2 job={provider: vendor, id: j1}
              ! follow_job gate#2 job=j1
              = waiting; waits: gate (job j1 until +600845ms); reserved $0.2
            > finish gate {"score":8}
              gate.decided gate verdict=accept
              step.succeeded gate#2 output={verdict: accept, reason: null, judgement: {score: 8}}
              run.completed output={}
              = completed
        "#]],
    );
}
