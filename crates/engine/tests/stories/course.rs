//! The course of a run: phases, delivery, done again, skipped, rolled back, forked, child runs.

use expect_test::expect;

use crate::check;

const PHASES: &str = r"
phases: [plan, make, check, ship]
steps:
  - { id: a, agent: x, phase: plan }
  - { id: b, agent: x, needs: a, phase: check }
  - { id: c, agent: x, needs: b }
";

#[test]
fn phases_are_entered_one_by_one() {
    check(
        PHASES,
        r"
        start {}
        finish a 1
        finish b 1
        finish c 1
        ",
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running in plan
            > finish a 1
              step.succeeded a#1 output=1
              run.phase_entered phase=make
              run.phase_entered phase=check
              step.started b#1 deadline=+10m
              ! call_agent b#1 x({})
              = running in check
            > finish b 1
              step.succeeded b#1 output=1
              step.started c#1 deadline=+10m
              ! call_agent c#1 x({})
              = running in check
            > finish c 1
              step.succeeded c#1 output=1
              run.phase_entered phase=ship
              run.completed output={}
              = completed in ship
        "#]],
    );
}

#[test]
fn rolled_back_to_a_phase() {
    check(
        PHASES,
        r#"
        start {}
        finish a 1
        finish b 1
        rollback ship
        rollback nowhere
        rollback check "not checked well" by=user:ann
        finish c#1 1
        rollback plan by=user:ann
        finish b#2 1
        finish a 2
        finish b 2
        finish c 2
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running in plan
            > finish a 1
              step.succeeded a#1 output=1
              run.phase_entered phase=make
              run.phase_entered phase=check
              step.started b#1 deadline=+10m
              ! call_agent b#1 x({})
              = running in check
            > finish b 1
              step.succeeded b#1 output=1
              step.started c#1 deadline=+10m
              ! call_agent c#1 x({})
              = running in check
            > rollback ship
              refused unknown_phase: there is no phase ship; there are: plan, make, check
            > rollback nowhere
              refused unknown_phase: there is no phase nowhere; there are: plan, make, check
            > rollback check "not checked well" by=user:ann
              run.rolled_back phase=check by=user:ann reason="not checked well"
              attempt.abandoned c#1
              steps.reset steps=[b, c] from=b feedback={reason: "not checked well", by: user:ann} by=user:ann
              step.started b#2 deadline=+10m
              ! call_agent b#2 x({}) feedback={reason: "not checked well", by: user:ann}
              ! abort_attempt c#1
              = running in check
            > finish c#1 1
              attempt.settled c#1 output=1
              = running in check
            > rollback plan by=user:ann
              run.rolled_back phase=plan by=user:ann
              attempt.abandoned b#2
              steps.reset steps=[a, b, c] from=a by=user:ann
              step.started a#2 deadline=+10m
              ! call_agent a#2 x({})
              ! abort_attempt b#2
              = running in plan
            > finish b#2 1
              attempt.settled b#2 output=1
              = running in plan
            > finish a 2
              step.succeeded a#2 output=2
              run.phase_entered phase=make
              run.phase_entered phase=check
              step.started b#3 deadline=+10m
              ! call_agent b#3 x({})
              = running in check
            > finish b 2
              step.succeeded b#3 output=2
              step.started c#2 deadline=+10m
              ! call_agent c#2 x({})
              = running in check
            > finish c 2
              step.succeeded c#2 output=2
              run.phase_entered phase=ship
              run.completed output={}
              = completed in ship
        "#]],
    );
}

#[test]
fn a_failed_run_is_rolled_back_and_nothing_stays_behind() {
    check(
        r"
phases: [plan, make]
steps:
  - { id: a, agent: x, phase: plan }
  - { id: b, agent: x, needs: a, phase: make }
  - { id: aside, agent: x, needs: a, retry: 1 }
",
        r#"
        start {}
        finish a 1
        fail aside provider "no"
        fail b#1 cancelled
        rollback make by=user:ann
        finish aside 1
        finish b 1
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running in plan
            > finish a 1
              step.succeeded a#1 output=1
              run.phase_entered phase=make
              step.started b#1 deadline=+10m
              step.started aside#1 deadline=+10m
              ! call_agent b#1 x({})
              ! call_agent aside#1 x({})
              = running in make
            > fail aside provider "no"
              attempt.failed aside#1 failure=provider/story: no
              step.failed aside failure=provider/story: no
              run.closing ending=failed failure=provider/story: no
              attempt.abandoned b#1
              step.cancelled b
              ! abort_attempt b#1
              = closing in make
            > fail b#1 cancelled
              attempt.settled b#1
              run.failed failure=provider/story: no
              = failed in make
            > rollback make by=user:ann
              run.reopened by=user:ann
              run.rolled_back phase=make by=user:ann
              steps.reset steps=[b, aside] from=b by=user:ann
              step.started b#2 deadline=+10m
              step.started aside#2 deadline=+10m
              ! call_agent b#2 x({})
              ! call_agent aside#2 x({})
              = running in make
            > finish aside 1
              step.succeeded aside#2 output=1
              = running in make
            > finish b 1
              step.succeeded b#2 output=1
              run.completed output={}
              = completed in make
        "#]],
    );
}

#[test]
fn a_phase_inside_a_body_counts() {
    check(
        r#"
phases: [plan, make]
steps:
  - { id: a, agent: x, phase: plan }
  - id: each
    for_each: { items: steps.a.output, steps: [{ id: draw, agent: x, phase: make }] }
  - { id: z, agent: x, needs: each }
"#,
        r#"
        start {}
        finish a [1]
        finish each[0].draw 1
        rollback make by=user:ann
        finish z#1 1
        finish each[0].draw 2
        finish z 1
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running in plan
            > finish a [1]
              step.succeeded a#1 output=[1]
              for_each.expanded each items=[1]
              for_each.item_started each index=0
              run.phase_entered phase=make
              step.started each[0].draw#1 deadline=+10m
              ! call_agent each[0].draw#1 x({})
              = running in make
            > finish each[0].draw 1
              step.succeeded each[0].draw#1 output=1
              for_each.item_finished each index=0 result=1
              step.succeeded each output=[1]
              step.started z#1 deadline=+10m
              ! call_agent z#1 x({})
              = running in make
            > rollback make by=user:ann
              run.rolled_back phase=make by=user:ann
              attempt.abandoned z#1
              steps.reset steps=[each, z] from=each by=user:ann
              for_each.expanded each items=[1]
              for_each.item_started each index=0
              step.started each[0].draw#2 deadline=+10m
              ! abort_attempt z#1
              ! call_agent each[0].draw#2 x({})
              = running in make
            > finish z#1 1
              attempt.settled z#1 output=1
              = running in make
            > finish each[0].draw 2
              step.succeeded each[0].draw#2 output=2
              for_each.item_finished each index=0 result=2
              step.succeeded each output=[2]
              step.started z#2 deadline=+10m
              ! call_agent z#2 x({})
              = running in make
            > finish z 1
              step.succeeded z#2 output=1
              run.completed output={}
              = completed in make
        "#]],
    );
}

#[test]
fn a_failed_body_comes_back_with_its_container_when_the_run_is_rolled_back() {
    check(
        r#"
phases: [make]
steps:
  - id: rounds
    phase: make
    loop: { max: 2, until: "true", steps: [{ id: one, agent: x, retry: 1 }, { id: two, agent: x }] }
"#,
        r#"
        start {}
        fail rounds[0].one provider "no"
        fail rounds[0].two#1 cancelled
        rollback make by=user:ann
        finish rounds[0].one 1
        finish rounds[0].two 1
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              loop.iteration_started rounds iteration=0
              step.started rounds[0].one#1 deadline=+10m
              step.started rounds[0].two#1 deadline=+10m
              ! call_agent rounds[0].one#1 x({})
              ! call_agent rounds[0].two#1 x({})
              = running in make
            > fail rounds[0].one provider "no"
              attempt.failed rounds[0].one#1 failure=provider/story: no
              step.failed rounds[0].one failure=provider/story: no
              attempt.abandoned rounds[0].two#1
              step.cancelled rounds[0].two
              step.failed rounds failure=provider/story: no
              run.closing ending=failed failure=provider/story: no
              ! abort_attempt rounds[0].two#1
              = closing in make
            > fail rounds[0].two#1 cancelled
              attempt.settled rounds[0].two#1
              run.failed failure=provider/story: no
              = failed in make
            > rollback make by=user:ann
              run.reopened by=user:ann
              run.rolled_back phase=make by=user:ann
              steps.reset steps=[rounds] from=rounds by=user:ann
              loop.iteration_started rounds iteration=0
              step.started rounds[0].one#2 deadline=+10m
              step.started rounds[0].two#2 deadline=+10m
              ! call_agent rounds[0].one#2 x({})
              ! call_agent rounds[0].two#2 x({})
              = running in make
            > finish rounds[0].one 1
              step.succeeded rounds[0].one#2 output=1
              = running in make
            > finish rounds[0].two 1
              step.succeeded rounds[0].two#2 output=1
              loop.iteration_finished rounds iteration=0 result=1 good=true
              step.succeeded rounds output=1
              run.completed output={}
              = completed in make
        "#]],
    );
}

const BACKGROUND: &str = r#"
steps:
  - { id: a, agent: x }
  - { id: b, agent: x, needs: a, background: true, retry: 1 }
  - { id: c, agent: x, input: { b: "{{ steps.b.output }}" }, background: true }
outputs: { a: "{{ steps.a.output }}" }
"#;

#[test]
fn delivered_before_the_background_is_done() {
    check(
        BACKGROUND,
        r"
        start {}
        finish a 1
        finish b 1
        finish c 1
        ",
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > finish a 1
              step.succeeded a#1 output=1
              step.started b#1 deadline=+10m
              run.delivered output={a: 1}
              ! call_agent b#1 x({})
              = delivered
            > finish b 1
              step.succeeded b#1 output=1
              step.started c#1 deadline=+10m
              ! call_agent c#1 x({b: 1})
              = delivered
            > finish c 1
              step.succeeded c#1 output=1
              run.completed output={a: 1}
              = completed
        "#]],
    );
}

#[test]
fn a_failure_in_the_background_fails_nothing_and_nobody_works_on_nothing() {
    check(
        BACKGROUND,
        r#"
        start {}
        finish a 1
        fail b provider "no"
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > finish a 1
              step.succeeded a#1 output=1
              step.started b#1 deadline=+10m
              run.delivered output={a: 1}
              ! call_agent b#1 x({})
              = delivered
            > fail b provider "no"
              attempt.failed b#1 failure=provider/story: no
              step.failed b failure=provider/story: no
              step.skipped c reason="b failed"
              run.completed output={a: 1}
              = completed
        "#]],
    );
}

#[test]
fn delivered_again_after_something_is_done_again() {
    check(
        BACKGROUND,
        r"
        start {}
        finish a 1
        retry a by=user:ann
        fail b#1 cancelled
        finish a 2
        cancel
        fail b#2 cancelled
        ",
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > finish a 1
              step.succeeded a#1 output=1
              step.started b#1 deadline=+10m
              run.delivered output={a: 1}
              ! call_agent b#1 x({})
              = delivered
            > retry a by=user:ann
              attempt.abandoned b#1
              steps.reset steps=[a, b, c] from=a by=user:ann
              step.started a#2 deadline=+10m
              ! call_agent a#2 x({})
              ! abort_attempt b#1
              = running
            > fail b#1 cancelled
              attempt.settled b#1
              = running
            > finish a 2
              step.succeeded a#2 output=2
              step.started b#2 deadline=+10m
              run.delivered output={a: 2}
              ! call_agent b#2 x({})
              = delivered
            > cancel
              run.closing ending=cancelled by=user:eve
              attempt.abandoned b#2
              step.cancelled b
              step.cancelled c
              ! abort_attempt b#2
              = closing
            > fail b#2 cancelled
              attempt.settled b#2
              run.cancelled by=user:eve
              = cancelled
        "#]],
    );
}

#[test]
fn a_background_fallback_does_not_hold_the_delivery_up() {
    check(
        r"
steps:
  - { id: a, agent: x }
  - { id: b, agent: x, background: true, retry: 1, on_failure: { fallback: c } }
  - { id: c, agent: x, retry: 1 }
",
        r#"
        start {}
        fail b provider "no"
        finish a 1
        fail c provider "neither"
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              step.started b#1 deadline=+10m
              ! call_agent a#1 x({})
              ! call_agent b#1 x({})
              = running
            > fail b provider "no"
              attempt.failed b#1 failure=provider/story: no
              step.fell_back b failure=provider/story: no to=c
              step.started c#1 deadline=+10m
              ! call_agent c#1 x({})
              = running; waits: b (fallback c)
            > finish a 1
              step.succeeded a#1 output=1
              run.delivered output={}
              = delivered; waits: b (fallback c)
            > fail c provider "neither"
              attempt.failed c#1 failure=provider/story: neither
              step.failed c failure=provider/story: neither
              step.failed b failure=provider/story: neither
              run.completed output={}
              = completed
        "#]],
    );
}

const DIAMOND: &str = r#"
steps:
  - { id: a, agent: x, input: { n: 1 } }
  - { id: b, agent: x, input: { a: "{{ steps.a.output }}" } }
  - { id: c, agent: x, input: { a: "{{ steps.a.output }}" } }
  - { id: d, agent: x, input: { b: "{{ steps.b.output }}", c: "{{ steps.c.output }}" } }
"#;

#[test]
fn a_step_is_done_again_with_everything_after_it() {
    check(
        DIAMOND,
        r#"
        start {}
        finish a 1
        finish b 1
        retry b edits={"a":null,"b":2} "too long" by=user:ann
        finish b#1 1 usd=0.1
        finish c 1
        finish b 2
        retry d by=user:ann
        finish d#1 1
        finish d 2
        retry d
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({n: 1})
              = running
            > finish a 1
              step.succeeded a#1 output=1
              step.started b#1 deadline=+10m
              step.started c#1 deadline=+10m
              ! call_agent b#1 x({a: 1})
              ! call_agent c#1 x({a: 1})
              = running
            > finish b 1
              step.succeeded b#1 output=1
              = running
            > retry b edits={"a":null,"b":2} "too long" by=user:ann
              steps.reset steps=[b, d] from=b feedback="too long" edits={a: null, b: 2} by=user:ann
              step.started b#2 deadline=+10m
              ! call_agent b#2 x({b: 2}) feedback="too long"
              = running
            > finish b#1 1 usd=0.1
              refused stale_attempt: the attempt of step b is over: a report on it changes nothing
            > finish c 1
              step.succeeded c#1 output=1
              = running
            > finish b 2
              step.succeeded b#2 output=2
              step.started d#1 deadline=+10m
              ! call_agent d#1 x({b: 2, c: 1})
              = running
            > retry d by=user:ann
              attempt.abandoned d#1
              steps.reset steps=[d] from=d by=user:ann
              step.started d#2 deadline=+10m
              ! abort_attempt d#1
              ! call_agent d#2 x({b: 2, c: 1})
              = running
            > finish d#1 1
              attempt.settled d#1 output=1
              = running
            > finish d 2
              step.succeeded d#2 output=2
              run.completed output={}
              = completed
            > retry d
              refused run_state: retry_step is not possible while the run is completed; possible now: fork
        "#]],
    );
}

#[test]
fn two_failed_and_one_is_done_again() {
    check(
        r"
steps:
  - { id: a, agent: x, retry: 1 }
  - { id: b, agent: x, retry: 1 }
  - { id: c, agent: x, needs: [a, b] }
",
        r#"
        start {}
        fail a provider "no"
        fail b#1 provider "neither"
        retry b by=user:ann
        finish a 1
        finish b 1
        finish c 1
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              step.started b#1 deadline=+10m
              ! call_agent a#1 x({})
              ! call_agent b#1 x({})
              = running
            > fail a provider "no"
              attempt.failed a#1 failure=provider/story: no
              step.failed a failure=provider/story: no
              run.closing ending=failed failure=provider/story: no
              attempt.abandoned b#1
              step.cancelled b
              step.cancelled c
              ! abort_attempt b#1
              = closing
            > fail b#1 provider "neither"
              attempt.settled b#1
              run.failed failure=provider/story: no
              = failed
            > retry b by=user:ann
              run.reopened by=user:ann
              steps.reset steps=[a, b, c] from=b by=user:ann
              step.started a#2 deadline=+10m
              step.started b#2 deadline=+10m
              ! call_agent a#2 x({})
              ! call_agent b#2 x({})
              = running
            > finish a 1
              step.succeeded a#2 output=1
              = running
            > finish b 1
              step.succeeded b#2 output=1
              step.started c#1 deadline=+10m
              ! call_agent c#1 x({})
              = running
            > finish c 1
              step.succeeded c#1 output=1
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn edits_that_could_not_reach_an_input_are_refused() {
    check(
        r#"
steps:
  - { id: t, transform: { n: 1 } }
  - id: rounds
    loop: { max: 2, until: "true", steps: [{ id: one, agent: x }] }
  - { id: z, agent: x, needs: rounds }
"#,
        r#"
        start {}
        retry t edits={"n":2}
        finish rounds[0].one 1
        retry rounds[0].one edits={"n":2}
        retry rounds[0].one
        finish z#1 1
        finish rounds[0].one 2
        finish z 1
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.succeeded t output={n: 1}
              loop.iteration_started rounds iteration=0
              step.started rounds[0].one#1 deadline=+10m
              ! call_agent rounds[0].one#1 x({})
              = running
            > retry t edits={"n":2}
              refused invalid: the retry of t does not fit: /edits: a transform step has no input
            > finish rounds[0].one 1
              step.succeeded rounds[0].one#1 output=1
              loop.iteration_finished rounds iteration=0 result=1 good=true
              step.succeeded rounds output=1
              step.started z#1 deadline=+10m
              ! call_agent z#1 x({})
              = running
            > retry rounds[0].one edits={"n":2}
              refused invalid: the retry of rounds[0].one does not fit: /edits: it is over, and only the whole of rounds can be done again
            > retry rounds[0].one
              attempt.abandoned z#1
              steps.reset steps=[rounds, z] from=rounds by=user:eve
              loop.iteration_started rounds iteration=0
              step.started rounds[0].one#2 deadline=+10m
              ! abort_attempt z#1
              ! call_agent rounds[0].one#2 x({})
              = running
            > finish z#1 1
              attempt.settled z#1 output=1
              = running
            > finish rounds[0].one 2
              step.succeeded rounds[0].one#2 output=2
              loop.iteration_finished rounds iteration=0 result=2 good=true
              step.succeeded rounds output=2
              step.started z#2 deadline=+10m
              ! call_agent z#2 x({})
              = running
            > finish z 1
              step.succeeded z#2 output=1
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn edits_stay_when_the_work_is_sent_back_later() {
    check(
        r#"
steps:
  - { id: a, agent: x, input: { tone: plain } }
  - id: gate
    gate: { rules: [{ when: "steps.a.output < 1", verdict: retry }], retry_from: a }
"#,
        r#"
        start {}
        retry a edits={"tone":"warm"} by=user:ann
        finish a#1 1
        finish a 0
        finish a 1
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({tone: plain})
              = running
            > retry a edits={"tone":"warm"} by=user:ann
              attempt.abandoned a#1
              steps.reset steps=[a, gate] from=a edits={tone: warm} by=user:ann
              step.started a#2 deadline=+10m
              ! abort_attempt a#1
              ! call_agent a#2 x({tone: warm})
              = running
            > finish a#1 1
              attempt.settled a#1 output=1
              = running
            > finish a 0
              step.succeeded a#2 output=0
              gate.decided gate verdict=retry
              steps.reset steps=[a, gate] from=a feedback={reason: null, judgement: null, by: gate} by=gate
              step.started a#3 deadline=+10m
              ! call_agent a#3 x({tone: warm}) feedback={reason: null, judgement: null, by: gate}
              = running
            > finish a 1
              step.succeeded a#3 output=1
              gate.decided gate verdict=accept
              step.succeeded gate output={verdict: accept, reason: null, judgement: null}
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn a_step_is_skipped_whatever_it_is_doing() {
    check(
        r#"
steps:
  - { id: a, agent: x }
  - { id: ok, checkpoint: { question: Go? } }
  - { id: rest, wait: { for: 1h } }
  - { id: rounds, loop: { max: 2, until: "false", steps: [{ id: one, agent: x }] } }
  - { id: later, agent: x, needs: [a, ok, rest, rounds] }
"#,
        r#"
        start {}
        skip later "no need"
        skip a output={"n":1} "known already" by=user:ann
        skip ok "no time"
        skip rest "no time"
        skip rounds "no time"
        skip a
        finish a#1 1
        finish rounds[0].one#1 1
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              checkpoint.opened ok question=Go? show={}
              step.waiting rest until=+1h
              loop.iteration_started rounds iteration=0
              step.started rounds[0].one#1 deadline=+10m
              ! call_agent a#1 x({})
              ! call_agent rounds[0].one#1 x({})
              = running; waits: ok (person), rest (time until +1h)
            > skip later "no need"
              step.skipped later reason="no need" by=user:eve
              = running; waits: ok (person), rest (time until +1h)
            > skip a output={"n":1} "known already" by=user:ann
              attempt.abandoned a#1
              step.skipped a reason="known already" by=user:ann output={n: 1}
              ! abort_attempt a#1
              = running; waits: ok (person), rest (time until +1h)
            > skip ok "no time"
              step.skipped ok reason="no time" by=user:eve
              = running; waits: rest (time until +1h)
            > skip rest "no time"
              step.skipped rest reason="no time" by=user:eve
              = running
            > skip rounds "no time"
              attempt.abandoned rounds[0].one#1
              step.cancelled rounds[0].one
              step.skipped rounds reason="no time" by=user:eve
              ! abort_attempt rounds[0].one#1
              = running
            > skip a
              refused step_state: skip_step is not possible while step a is skipped; possible now: retry_step
            > finish a#1 1
              attempt.settled a#1 output=1
              = running
            > finish rounds[0].one#1 1
              attempt.settled rounds[0].one#1 output=1
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn the_output_of_a_skipped_step_is_held_to_its_schema() {
    check(
        r#"
steps:
  - { id: a, agent: x, output: { type: object, required: [n], properties: { n: { type: integer } } } }
  - { id: b, agent: x, input: { n: "{{ steps.a.output.n }}" } }
"#,
        r#"
        start {}
        skip a output={"n":"one"} "known already"
        skip a output=1 "known already"
        skip a output={"n":1} "known already"
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > skip a output={"n":"one"} "known already"
              refused invalid: the output does not fit: /n: "one" is not of type "integer"
            > skip a output=1 "known already"
              refused invalid: the output does not fit: 1 is not of type "object"
            > skip a output={"n":1} "known already"
              attempt.abandoned a#1
              step.skipped a reason="known already" by=user:eve output={n: 1}
              step.started b#1 deadline=+10m
              ! abort_attempt a#1
              ! call_agent b#1 x({n: 1})
              = running
        "#]],
    );
}

#[test]
fn a_failed_run_goes_on_without_the_step() {
    check(
        r#"
steps:
  - { id: a, agent: x, retry: 1 }
  - { id: b, agent: x, input: { a: "{{ steps.a.output }}" } }
"#,
        r#"
        start {}
        fail a provider "no"
        skip a output="by hand" "the vendor is gone" by=user:ann
        finish b 1
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > fail a provider "no"
              attempt.failed a#1 failure=provider/story: no
              step.failed a failure=provider/story: no
              run.closing ending=failed failure=provider/story: no
              step.cancelled b
              run.failed failure=provider/story: no
              = failed
            > skip a output="by hand" "the vendor is gone" by=user:ann
              run.reopened by=user:ann
              steps.reset steps=[a, b] from=a by=user:ann
              step.skipped a reason="the vendor is gone" by=user:ann output="by hand"
              step.started b#1 deadline=+10m
              ! call_agent b#1 x({a: "by hand"})
              = running
            > finish b 1
              step.succeeded b#1 output=1
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn a_cancelled_or_completed_run_does_not_go_on() {
    check(
        "steps: [{ id: a, agent: x }]",
        r"
        start {}
        finish a 1
        retry a
        skip a
        cancel
        pause
        tick
        confirm
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
              run.completed output={}
              = completed
            > retry a
              refused run_state: retry_step is not possible while the run is completed; possible now: fork
            > skip a
              refused run_state: skip_step is not possible while the run is completed; possible now: fork
            > cancel
              refused run_state: cancel is not possible while the run is completed; possible now: fork
            > pause
              refused run_state: pause is not possible while the run is completed; possible now: fork
            > tick
              at +0ms
              refused run_state: fire_timers is not possible while the run is completed; possible now: fork
            > confirm
              refused run_state: confirm_parent is not possible while the run is completed; possible now: fork
            > finish a 1
              refused stale_attempt: the attempt of step a is over: a report on it changes nothing
        "#]],
    );
}

#[test]
fn a_fork_starts_with_what_is_known() {
    check(
        DIAMOND,
        r#"
        start {} reuse={"zzz":1}
        start {} reuse={"a":1,"b":2}
        finish c 1
        finish d 1
        "#,
        expect![[r#"
            > start {} reuse={"zzz":1}
              refused unknown_step: there is no step zzz in this run; there are: a, b, c, d
            > start {} reuse={"a":1,"b":2}
              run.started input={} started_by=user:starter reused=[{output: 1}, {output: 2}] budget={} priority=0
              step.started c#1 deadline=+10m
              ! call_agent c#1 x({a: 1})
              = running
            > finish c 1
              step.succeeded c#1 output=1
              step.started d#1 deadline=+10m
              ! call_agent d#1 x({b: 2, c: 1})
              = running
            > finish d 1
              step.succeeded d#1 output=1
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn a_fork_that_knows_everything_is_done() {
    check(
        "steps: [{ id: a, agent: x }]\noutputs: { a: '{{ steps.a.output }}' }",
        r#"
        start {} reuse={"a":1}
        "#,
        expect![[r#"
            > start {} reuse={"a":1}
              run.started input={} started_by=user:starter reused=[{output: 1}] budget={} priority=0
              run.completed output={a: 1}
              = completed
        "#]],
    );
}

#[test]
fn outputs_that_cannot_be_made_fail_the_run() {
    check(
        "steps: [{ id: a, agent: x }]\noutputs: { a: '{{ steps.a.output.b.c }}' }",
        r#"
        start {}
        finish a 1
        retry a by=user:ann
        finish a {"b":{"c":1}}
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > finish a 1
              step.succeeded a#1 output=1
              run.closing ending=failed failure=validation/outputs_fault: `steps.a.output.b.c`: no `b` in a number
              run.failed failure=validation/outputs_fault: `steps.a.output.b.c`: no `b` in a number
              = failed
            > retry a by=user:ann
              run.reopened by=user:ann
              steps.reset steps=[a] from=a by=user:ann
              step.started a#2 deadline=+10m
              ! call_agent a#2 x({})
              = running
            > finish a {"b":{"c":1}}
              step.succeeded a#2 output={b: {c: 1}}
              run.completed output={a: 1}
              = completed
        "#]],
    );
}

const CHILD: &str = r#"
steps:
  - { id: sub, orchestration: other@2, input: { n: "{{ input.n }}" }, timeout: 1h, retry: 2 }
  - { id: last, agent: x, input: { sub: "{{ steps.sub.output }}" } }
"#;

#[test]
fn a_child_run_hands_its_output_up() {
    check(
        CHILD,
        r#"
        start {"n":1}
        child sub completed {"r":2}
        child sub completed {"r":2}
        finish last 1
        "#,
        expect![[r#"
            > start {"n":1}
              run.started input={n: 1} started_by=user:starter budget={} priority=0
              step.started sub#1 deadline=+1h child
              ! start_child sub#1 other({n: 1})
              = waiting; waits: sub (child)
            > child sub completed {"r":2}
              step.succeeded sub#1 output={r: 2}
              step.started last#1 deadline=+10m
              ! call_agent last#1 x({sub: {r: 2}})
              = running
            > child sub completed {"r":2}
              refused stale_attempt: the attempt of step sub is over: a report on it changes nothing
            > finish last 1
              step.succeeded last#1 output=1
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn a_child_run_that_failed_is_started_anew() {
    check(
        CHILD,
        r#"
        start {"n":1}
        child sub transient "no"
        tick
        child sub validation "no"
        "#,
        expect![[r#"
            > start {"n":1}
              run.started input={n: 1} started_by=user:starter budget={} priority=0
              step.started sub#1 deadline=+1h child
              ! start_child sub#1 other({n: 1})
              = waiting; waits: sub (child)
            > child sub transient "no"
              attempt.failed sub#1 failure=transient/story: no retry_at=+1037ms
              = waiting; waits: sub (retry until +1037ms)
            > tick
              at +1037ms
              step.started sub#2 deadline=+3601037ms child
              ! start_child sub#2 other({n: 1})
              = waiting; waits: sub (child)
            > child sub validation "no"
              attempt.failed sub#2 failure=validation/story: no
              step.failed sub failure=validation/story: no
              run.closing ending=failed failure=validation/story: no
              step.cancelled last
              run.failed failure=validation/story: no
              = failed
        "#]],
    );
}

#[test]
fn a_child_run_out_of_time_is_cancelled() {
    check(
        CHILD,
        r#"
        start {"n":1}
        tick +1h
        tick +1d
        child sub cancelled "told to end"
        "#,
        expect![[r#"
            > start {"n":1}
              run.started input={n: 1} started_by=user:starter budget={} priority=0
              step.started sub#1 deadline=+1h child
              ! start_child sub#1 other({n: 1})
              = waiting; waits: sub (child)
            > tick +1h
              at +1h
              attempt.timed_out sub#1 until=+62m
              ! cancel_child sub#1
              = waiting; waits: sub (child)
            > tick +1d
              at +25h
              = waiting; waits: sub (child)
            > child sub cancelled "told to end"
              attempt.failed sub#1 failure=timeout/story: told to end retry_at=+90000973ms
              = waiting; waits: sub (retry until +90000973ms)
        "#]],
    );
}

#[test]
fn cancelling_reaches_the_child_run() {
    check(
        CHILD,
        r#"
        start {"n":1}
        cancel "enough" by=user:ann
        child sub#1 cancelled "told to end"
        "#,
        expect![[r#"
            > start {"n":1}
              run.started input={n: 1} started_by=user:starter budget={} priority=0
              step.started sub#1 deadline=+1h child
              ! start_child sub#1 other({n: 1})
              = waiting; waits: sub (child)
            > cancel "enough" by=user:ann
              run.closing ending=cancelled reason=enough by=user:ann
              attempt.abandoned sub#1
              step.cancelled sub
              step.cancelled last
              ! cancel_child sub#1
              = closing
            > child sub#1 cancelled "told to end"
              attempt.settled sub#1
              run.cancelled reason=enough by=user:ann
              = cancelled
        "#]],
    );
}

#[test]
fn a_child_run_tells_its_parent_once() {
    check(
        "steps: [{ id: a, agent: x, retry: 1 }]",
        r#"
        start {} parent=sub
        fail a provider "no"
        retry a
        confirm
        confirm
        "#,
        expect![[r#"
            > start {} parent=sub
              run.started input={} started_by=user:starter parent={run: run_parent, token: 0000000000000007} budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > fail a provider "no"
              attempt.failed a#1 failure=provider/story: no
              step.failed a failure=provider/story: no
              run.closing ending=failed failure=provider/story: no
              run.failed failure=provider/story: no
              ! notify_parent Failed(Failure { class: Provider, code: "story", message: "no", retry_after_ms: None })
              = failed
            > retry a
              refused run_state: retry_step is not possible while the run is failed; possible now: fork
            > confirm
              run.parent_notified
              = failed
            > confirm
              refused run_state: confirm_parent is not possible while the run is failed; possible now: fork
        "#]],
    );
}

#[test]
fn a_cancelled_child_run_says_so() {
    check(
        "steps: [{ id: a, agent: x }]",
        r#"
        start {} parent=sub
        cancel "enough" by=user:ann
        fail a#1 cancelled
        confirm
        "#,
        expect![[r#"
            > start {} parent=sub
              run.started input={} started_by=user:starter parent={run: run_parent, token: 0000000000000007} budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > cancel "enough" by=user:ann
              run.closing ending=cancelled reason=enough by=user:ann
              attempt.abandoned a#1
              step.cancelled a
              ! abort_attempt a#1
              = closing
            > fail a#1 cancelled
              attempt.settled a#1
              run.cancelled reason=enough by=user:ann
              ! notify_parent Failed(Failure { class: Cancelled, code: "child_cancelled", message: "the child run run_story was cancelled: enough", retry_after_ms: None })
              = cancelled
            > confirm
              run.parent_notified
              = cancelled
        "#]],
    );
}

#[test]
fn values_are_computed_from_values() {
    check(
        r#"
steps:
  - { id: a, agent: x }
  - { id: t, transform: { double: "{{ steps.a.output * 2 }}", text: "n={{ steps.a.output }}" } }
  - { id: bad, transform: { n: "{{ steps.t.output.text + 1 }}" }, on_failure: continue }
outputs: { t: "{{ steps.t.output }}", why: "{{ steps.bad.failure.code }}" }
"#,
        r"
        start {}
        finish a 4
        ",
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > finish a 4
              step.succeeded a#1 output=4
              step.succeeded t output={double: 8, text: n=4}
              step.failed bad failure=validation/expression_fault: `steps.t.output.text + 1`: `+` does not work between a string and a number
              run.completed output={t: {double: 8, text: n=4}, why: expression_fault}
              = completed
        "#]],
    );
}

#[test]
fn a_bottleneck_and_a_cache_are_named_to_the_outside() {
    check(
        r#"
steps:
  - { id: a, agent: x, cache: true, concurrency: { key: "gpu/{{ input.kind }}", limit: 2 } }
"#,
        r#"
        start {"kind":"big"}
        finish a 1 cached=true
        "#,
        expect![[r#"
            > start {"kind":"big"}
              run.started input={kind: big} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({}) cache bottleneck=org_default/gpu/big:2
              = running
            > finish a 1 cached=true
              step.succeeded a#1 output=1 cached=true
              run.completed output={}
              = completed
        "#]],
    );
}
