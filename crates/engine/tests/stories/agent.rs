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
        expect![[r#"
            > start {"topic":"tea"}
              run.started input={topic: tea} started_by=user:starter budget={} priority=0
              step.started draft#1 deadline=+10m
              ! call_agent draft#1 writer({topic: tea})
              = running
            > finish draft {"text":"leaves"} usd=0.02 tokens=100
              step.succeeded draft#1 output={text: leaves} calls=1
              step.started edit#1 deadline=+10m
              ! call_agent edit#1 editor({text: leaves})
              = running; spent $0.02+100t
            > finish edit "Leaves."
              step.succeeded edit#1 output=Leaves.
              run.completed output={text: Leaves.}
              = completed; spent $0.02+100t
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              step.started b#1 deadline=+10m
              ! call_agent a#1 x({})
              ! call_agent b#1 x({})
              = running
            > finish b 2
              step.succeeded b#1 output=2
              = running
            > finish a 1
              step.succeeded a#1 output=1
              step.started c#1 deadline=+10m
              ! call_agent c#1 x({})
              = running
            > finish c 3
              step.succeeded c#1 output=3
              run.completed output={all: [1, 2, 3]}
              = completed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > finish a 1
              step.succeeded a#1 output=1
              step.skipped b reason=condition
              step.started c#1 deadline=+10m
              ! call_agent c#1 x({b: skipped})
              = running
            > finish c 3
              step.succeeded c#1 output=3
              run.completed output={}
              = completed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > finish a 1
              step.succeeded a#1 output=1
              step.failed b failure=validation/expression_fault: `steps.a.output`: expected true or false, found a number
              run.closing ending=failed failure=validation/expression_fault: `steps.a.output`: expected true or false, found a number
              run.failed failure=validation/expression_fault: `steps.a.output`: expected true or false, found a number
              = failed
        "#]],
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
        expect![[r#"
            > start {"topic":7}
              refused invalid: the input does not fit: /topic: 7 is not of type "string"
            > cancel
              refused run_state: cancel is not possible while the run is pending; possible now: start_run
            > start {"topic":"tea"}
              run.started input={topic: tea} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > start {"topic":"tea"}
              refused run_state: start_run is not possible while the run is running; possible now: pause, cancel, retry_step, skip_step, complete_by_hand, receive_callback
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > finish a "flat"
              step.succeeded a#1 output=flat
              step.started b#1 deadline=+10m
              ! call_agent b#1 fault: `steps.a.output.deep.down`: no `deep` in a string
              = running
            > fail b validation "bad input"
              attempt.failed b#1 failure=validation/story: bad input
              step.failed b failure=validation/story: bad input
              run.closing ending=failed failure=validation/story: bad input
              run.failed failure=validation/story: bad input
              = failed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > fail a transient "busy"
              attempt.failed a#1 failure=transient/story: busy retry_at=+10s
              = waiting; waits: a (retry until +10s)
            > finish a#1 1
              refused stale_attempt: the attempt of step a is over: a report on it changes nothing
            > tick +9s
              at +9s
              = waiting; waits: a (retry until +10s)
            > tick +1s
              at +10s
              step.started a#2 deadline=+610s
              ! call_agent a#2 x({})
              = running
            > fail a rate_limited "slow down" after=5m
              attempt.failed a#2 failure=rate_limited/story: slow down retry_at=+310s
              = waiting; waits: a (retry until +310s)
            > tick
              at +310s
              step.started a#3 deadline=+910s
              ! call_agent a#3 x({})
              = running
            > fail a network "gone" usd=0.01
              attempt.failed a#3 failure=network/story: gone calls=1
              step.failed a failure=network/story: gone
              run.closing ending=failed failure=network/story: gone
              run.failed failure=network/story: gone
              = failed; spent $0.01
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > fail a validation "bad input"
              attempt.failed a#1 failure=validation/story: bad input
              step.failed a failure=validation/story: bad input
              run.closing ending=failed failure=validation/story: bad input
              run.failed failure=validation/story: bad input
              = failed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > finish a {"name":"x"} usd=0.5
              attempt.failed a#1 failure=validation/output_invalid: output: "title" is a required property calls=1
              step.failed a failure=validation/output_invalid: output: "title" is a required property
              run.closing ending=failed failure=validation/output_invalid: output: "title" is a required property
              run.failed failure=validation/output_invalid: output: "title" is a required property
              = failed; spent $0.5
        "#]],
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
        expect![[r#"
            > start {"topic":"tea"}
              run.started input={topic: tea} started_by=user:starter budget={} priority=0
              step.started draft#1 deadline=+10m
              ! call_agent draft#1 writer({topic: tea})
              = running
            > finish draft#9 {"text":"forged"}
              refused stale_attempt: the attempt of step draft is over: a report on it changes nothing
            > finish draft {"text":"leaves"}
              step.succeeded draft#1 output={text: leaves}
              step.started edit#1 deadline=+10m
              ! call_agent edit#1 editor({text: leaves})
              = running
            > finish draft {"text":"leaves"}
              refused stale_attempt: the attempt of step draft is over: a report on it changes nothing
            > fail draft transient "too late"
              refused stale_attempt: the attempt of step draft is over: a report on it changes nothing
            > finish nowhere 1
              refused unknown_step: there is no step nowhere in this run; there are: draft, edit
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > dispatch a 0
              attempt.dispatched a#1 call=0
              = running
            > dispatch a 0
              = running
            > call a no=0 usd=0.01
              attempt.call_recorded a#1 call=0
              = running; spent $0.01
            > call a no=0 usd=0.01
              = running; spent $0.01
            > progress a 140 "nearly"
              attempt.progressed a#1 percent=100 message=nearly
              = running; spent $0.01
            > call a no=1 usd=0.02
              attempt.call_recorded a#1 call=1
              = running; spent $0.03
            > finish a "done" no=1 usd=0.02
              step.succeeded a#1 output=done
              run.completed output={}
              = completed; spent $0.03
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > call a no=1 usd=0.02
              attempt.call_recorded a#1 call=1
              = running; spent $0.02
            > call a no=0 usd=0.01
              attempt.call_recorded a#1 call=0
              = running; spent $0.03
            > call a no=1 usd=0.02
              = running; spent $0.03
            > finish a "done" no=0 usd=0.01
              step.succeeded a#1 output=done
              run.completed output={}
              = completed; spent $0.03
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+5m
              ! call_agent a#1 x({})
              = running
            > job a j1
              attempt.accepted a#1 job={provider: vendor, id: j1}
              ! follow_job a#1 job=j1
              = waiting; waits: a (job j1 until +5m)
            > job a j1
              = waiting; waits: a (job j1 until +5m)
            > finish a "film" usd=0.4
              step.succeeded a#1 output=film calls=1
              run.completed output={}
              = completed; spent $0.4
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > hand a 7 by=user:ann
              refused invalid: the output does not fit: 7 is not of type "string"
            > hand b "b" by=user:ann
              refused step_state: complete_by_hand is not possible while step b is pending; possible now: skip_step
            > hand a "mine" by=user:ann
              attempt.abandoned a#1
              step.succeeded a output=mine by=user:ann
              step.started b#1 deadline=+10m
              ! abort_attempt a#1
              ! call_agent b#1 x({})
              = running
            > finish b "b"
              step.succeeded b#1 output=b
              = running
            > finish a#1 "too late" usd=0.03
              attempt.settled a#1 calls=1 output="too late"
              run.completed output={}
              = completed; spent $0.03
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > fail a transient
              attempt.failed a#1 failure=transient/story: it went wrong retry_at=+1037ms
              = waiting; waits: a (retry until +1037ms)
            > hand a "mine"
              step.succeeded a output=mine by=user:eve
              run.completed output={}
              = completed
        "#]],
    );
}
