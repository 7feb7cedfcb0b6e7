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
            > finish b "late" usd=0.1
              attempt.settled b#1 calls=1 output=late
              run.failed failure=provider/story: no
              = failed; spent $0.1
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > fail a provider "no"
              attempt.failed a#1 failure=provider/story: no
              step.failed a failure=provider/story: no
              step.started b#1 deadline=+10m
              ! call_agent b#1 x({a: null, why: no})
              = running
            > finish b 1
              step.succeeded b#1 output=1
              run.completed output={}
              = completed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > fail a provider "no"
              attempt.failed a#1 failure=provider/story: no
              step.fell_back a failure=provider/story: no to=b
              step.started b#1 deadline=+10m
              ! call_agent b#1 y({why: no})
              = running; waits: a (fallback b)
            > finish b "second best"
              step.succeeded b#1 output="second best"
              step.succeeded a output="second best" failure=provider/story: no
              step.started c#1 deadline=+10m
              ! call_agent c#1 z({a: "second best"})
              = running
            > finish c 1
              step.succeeded c#1 output=1
              run.completed output={}
              = completed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > fail a provider "no"
              attempt.failed a#1 failure=provider/story: no
              step.fell_back a failure=provider/story: no to=b
              step.started b#1 deadline=+10m
              ! call_agent b#1 y({why: no})
              = running; waits: a (fallback b)
            > fail b provider "neither"
              attempt.failed b#1 failure=provider/story: neither
              step.failed b failure=provider/story: neither
              step.failed a failure=provider/story: neither
              run.closing ending=failed failure=provider/story: neither
              step.cancelled c
              run.failed failure=provider/story: neither
              = failed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > finish a 1
              step.succeeded a#1 output=1
              step.started c#1 deadline=+10m
              ! call_agent c#1 z({a: 1})
              = running
            > finish c 1
              step.succeeded c#1 output=1
              step.skipped b reason=not_needed
              run.completed output={}
              = completed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > fail a provider "1"
              attempt.failed a#1 failure=provider/story: 1
              step.fell_back a failure=provider/story: 1 to=b
              step.started b#1 deadline=+10m
              ! call_agent b#1 x({})
              = running; waits: a (fallback b)
            > fail b provider "2"
              attempt.failed b#1 failure=provider/story: 2
              step.fell_back b failure=provider/story: 2 to=c
              step.started c#1 deadline=+10m
              ! call_agent c#1 x({})
              = running; waits: a (fallback b), b (fallback c)
            > finish c "third"
              step.succeeded c#1 output=third
              step.succeeded b output=third failure=provider/story: 2
              step.succeeded a output=third failure=provider/story: 1
              step.started d#1 deadline=+10m
              ! call_agent d#1 x({a: third})
              = running
            > finish d 1
              step.succeeded d#1 output=1
              run.completed output={}
              = completed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > fail a provider "1"
              attempt.failed a#1 failure=provider/story: 1
              step.fell_back a failure=provider/story: 1 to=b
              step.started b#1 deadline=+10m
              ! call_agent b#1 x({})
              = running; waits: a (fallback b)
            > fail b provider "2"
              attempt.failed b#1 failure=provider/story: 2
              step.fell_back b failure=provider/story: 2 to=c
              step.started c#1 deadline=+10m
              ! call_agent c#1 x({})
              = running; waits: a (fallback b), b (fallback c)
            > fail c provider "3"
              attempt.failed c#1 failure=provider/story: 3
              step.failed c failure=provider/story: 3
              step.failed b failure=provider/story: 3
              step.failed a failure=provider/story: 3
              run.closing ending=failed failure=provider/story: 3
              run.failed failure=provider/story: 3
              = failed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > fail a provider "1"
              attempt.failed a#1 failure=provider/story: 1
              step.fell_back a failure=provider/story: 1 to=b
              step.skipped b reason=condition
              step.failed a failure=provider/story: 1
              run.closing ending=failed failure=provider/story: 1
              run.failed failure=provider/story: 1
              = failed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started slow#1 deadline=+10m
              step.started a#1 deadline=+10m
              ! call_agent slow#1 x({})
              ! call_agent a#1 x({})
              = running
            > fail a provider "1"
              attempt.failed a#1 failure=provider/story: 1
              step.fell_back a failure=provider/story: 1 to=b
              = running; waits: a (fallback b)
            > finish slow "at last"
              step.succeeded slow#1 output="at last"
              step.started b#1 deadline=+10m
              ! call_agent b#1 x({slow: "at last"})
              = running; waits: a (fallback b)
            > finish b "b"
              step.succeeded b#1 output=b
              step.succeeded a output=b failure=provider/story: 1
              run.completed output={}
              = completed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > pause
              run.paused by=user:eve
              = paused
            > fail a provider "no"
              attempt.failed a#1 failure=provider/story: no
              step.fell_back a failure=provider/story: no to=b
              = paused; waits: a (fallback b)
            > resume
              run.resumed by=user:eve
              step.started b#1 deadline=+10m
              ! call_agent b#1 y({why: no})
              = running; waits: a (fallback b)
            > finish b 1
              step.succeeded b#1 output=1
              step.succeeded a output=1 failure=provider/story: no
              step.started c#1 deadline=+10m
              ! call_agent c#1 z({a: 1})
              = running
            > finish c 1
              step.succeeded c#1 output=1
              run.completed output={}
              = completed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > fail a provider "no"
              attempt.failed a#1 failure=provider/story: no
              step.fell_back a failure=provider/story: no to=b
              step.started b#1 deadline=+10m
              ! call_agent b#1 y({why: no})
              = running; waits: a (fallback b)
            > hand a "mine"
              attempt.abandoned b#1
              step.cancelled b
              step.succeeded a output=mine by=user:eve
              step.started c#1 deadline=+10m
              ! abort_attempt b#1
              ! call_agent c#1 z({a: mine})
              = running
            > fail b provider "neither" usd=0.1
              attempt.settled b#1 calls=1
              = running; spent $0.1
            > finish c 1
              step.succeeded c#1 output=1
              run.completed output={}
              = completed; spent $0.1
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > fail a provider "no"
              attempt.failed a#1 failure=provider/story: no
              step.fell_back a failure=provider/story: no to=b
              step.started b#1 deadline=+10m
              ! call_agent b#1 y({why: no})
              = running; waits: a (fallback b)
            > skip a output="nothing"
              attempt.abandoned b#1
              step.cancelled b
              step.skipped a reason="not needed" by=user:eve output=nothing
              step.started c#1 deadline=+10m
              ! abort_attempt b#1
              ! call_agent c#1 z({a: nothing})
              = running
            > fail b provider "neither"
              attempt.settled b#1
              = running
            > finish c 1
              step.succeeded c#1 output=1
              run.completed output={}
              = completed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > fail a provider "no"
              attempt.failed a#1 failure=provider/story: no
              step.fell_back a failure=provider/story: no to=b
              step.started b#1 deadline=+10m
              ! call_agent b#1 y({why: no})
              = running; waits: a (fallback b)
            > skip b output="plain"
              attempt.abandoned b#1
              step.skipped b reason="not needed" by=user:eve output=plain
              step.skipped a reason="not needed" by=user:eve output=plain
              step.started c#1 deadline=+10m
              ! abort_attempt b#1
              ! call_agent c#1 z({a: plain})
              = running
            > fail b#1 provider "neither"
              attempt.settled b#1
              = running
            > finish c 1
              step.succeeded c#1 output=1
              run.completed output={}
              = completed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > fail a provider "no"
              attempt.failed a#1 failure=provider/story: no
              step.fell_back a failure=provider/story: no to=b
              step.started b#1 deadline=+10m
              ! call_agent b#1 y({})
              = running; waits: a (fallback b)
            > finish b 7
              step.succeeded b#1 output=7
              step.failed a failure=validation/output_invalid: output: 7 is not of type "string"
              run.closing ending=failed failure=validation/output_invalid: output: 7 is not of type "string"
              run.failed failure=validation/output_invalid: output: 7 is not of type "string"
              = failed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              loop.iteration_started rounds iteration=0
              step.started rounds[0].one#1 deadline=+10m
              step.started rounds[0].other#1 deadline=+10m
              ! call_agent rounds[0].one#1 x({})
              ! call_agent rounds[0].other#1 x({})
              = running
            > fail rounds[0].one provider "no"
              attempt.failed rounds[0].one#1 failure=provider/story: no
              step.failed rounds[0].one failure=provider/story: no
              attempt.abandoned rounds[0].other#1
              step.cancelled rounds[0].other
              step.fell_back rounds failure=provider/story: no to=plain
              step.started plain#1 deadline=+10m
              ! call_agent plain#1 y({})
              ! abort_attempt rounds[0].other#1
              = running; waits: rounds (fallback plain)
            > finish rounds[0].other 1 usd=0.1
              attempt.settled rounds[0].other#1 calls=1 output=1
              = running; waits: rounds (fallback plain); spent $0.1
            > finish plain "plain"
              step.succeeded plain#1 output=plain
              step.succeeded rounds output=plain failure=provider/story: no
              run.completed output={}
              = completed; spent $0.1
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > fail a provider "no"
              attempt.failed a#1 failure=provider/story: no
              step.fell_back a failure=provider/story: no to=b
              step.started b#1 deadline=+10m
              ! call_agent b#1 y({why: no})
              = running; waits: a (fallback b)
            > retry a
              attempt.abandoned b#1
              steps.reset steps=[a, b, c] from=a by=user:eve
              step.started a#2 deadline=+10m
              ! call_agent a#2 x({})
              ! abort_attempt b#1
              = running
            > finish b#1 "late" usd=0.1
              attempt.settled b#1 calls=1 output=late
              = running; spent $0.1
            > finish a 1
              step.succeeded a#2 output=1
              step.started c#1 deadline=+10m
              ! call_agent c#1 z({a: 1})
              = running; spent $0.1
            > finish c 1
              step.succeeded c#1 output=1
              step.skipped b reason=not_needed
              run.completed output={}
              = completed; spent $0.1
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > fail a provider "no"
              attempt.failed a#1 failure=provider/story: no
              step.fell_back a failure=provider/story: no to=b
              step.started b#1 deadline=+10m
              ! call_agent b#1 y({why: no})
              = running; waits: a (fallback b)
            > fail b provider "neither"
              attempt.failed b#1 failure=provider/story: neither
              step.failed b failure=provider/story: neither
              step.failed a failure=provider/story: neither
              run.closing ending=failed failure=provider/story: neither
              step.cancelled c
              run.failed failure=provider/story: neither
              = failed
            > retry b
              run.reopened by=user:eve
              steps.reset steps=[a, b, c] from=a by=user:eve
              step.started a#2 deadline=+10m
              ! call_agent a#2 x({})
              = running
            > fail a provider "no"
              attempt.failed a#2 failure=provider/story: no
              step.fell_back a failure=provider/story: no to=b
              step.started b#2 deadline=+10m
              ! call_agent b#2 y({why: no})
              = running; waits: a (fallback b)
            > finish b 1
              step.succeeded b#2 output=1
              step.succeeded a output=1 failure=provider/story: no
              step.started c#1 deadline=+10m
              ! call_agent c#1 z({a: 1})
              = running
            > finish c 1
              step.succeeded c#1 output=1
              run.completed output={}
              = completed
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > finish a "A"
              step.succeeded a#1 output=A
              step.started b#1 deadline=+10m
              ! call_agent b#1 x({})
              = running
            > finish b "B"
              step.succeeded b#1 output=B
              step.started c#1 deadline=+10m
              ! call_agent c#1 x({})
              = running
            > fail c provider "no"
              attempt.failed c#1 failure=provider/story: no
              step.failed c failure=provider/story: no
              run.closing ending=failed failure=provider/story: no compensate=true
              step.started b!undo#1 deadline=+10m compensates=b
              ! call_agent b!undo#1 undo({what: B})
              = closing
            > finish b!undo null usd=0.01
              step.succeeded b!undo#1 output=null calls=1
              step.started a!undo#1 deadline=+10m compensates=a
              ! call_agent a!undo#1 undo({what: A})
              = closing; spent $0.01
            > finish a!undo null
              step.succeeded a!undo#1 output=null
              run.failed failure=provider/story: no
              = failed; spent $0.01
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > finish a "A"
              step.succeeded a#1 output=A
              step.started b#1 deadline=+10m
              ! call_agent b#1 x({})
              = running
            > finish b "B"
              step.succeeded b#1 output=B
              step.started c#1 deadline=+10m
              ! call_agent c#1 x({})
              = running
            > cancel undo "changed our minds" by=user:ann
              run.closing ending=cancelled reason="changed our minds" by=user:ann compensate=true
              attempt.abandoned c#1
              step.cancelled c
              ! abort_attempt c#1
              = closing
            > finish c#1 "late" usd=0.2
              attempt.settled c#1 calls=1 output=late
              step.started b!undo#1 deadline=+10m compensates=b
              ! call_agent b!undo#1 undo({})
              = closing; spent $0.2
            > fail b!undo transient "busy"
              attempt.failed b!undo#1 failure=transient/story: busy retry_at=+1s
              = closing; waits: b!undo (retry until +1s); spent $0.2
            > tick
              at +1s
              step.started b!undo#2 deadline=+601s compensates=b
              ! call_agent b!undo#2 undo({})
              = closing; spent $0.2
            > fail b!undo transient "busy"
              attempt.failed b!undo#2 failure=transient/story: busy
              step.failed b!undo failure=transient/story: busy
              step.started a!undo#1 deadline=+601s compensates=a
              ! call_agent a!undo#1 undo({})
              = closing; spent $0.2
            > finish a!undo null
              step.succeeded a!undo#1 output=null
              run.cancelled reason="changed our minds" by=user:ann
              = cancelled; spent $0.2
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > finish a "A"
              step.succeeded a#1 output=A
              step.started b#1 deadline=+10m
              ! call_agent b#1 x({})
              = running
            > cancel undo
              run.closing ending=cancelled by=user:eve compensate=true
              attempt.abandoned b#1
              step.cancelled b
              ! abort_attempt b#1
              = closing
            > fail b#1 cancelled "stopped"
              attempt.settled b#1
              step.started a!undo#1 deadline=+10m compensates=a
              ! call_agent a!undo#1 undo({})
              = closing
            > doubt a!undo 0 "no answer"
              attempt.in_doubt a!undo#1 call=0 message="no answer"
              = closing; waits: a!undo (doubt)
            > resolve a!undo failed by=user:ann
              attempt.doubt_resolved a!undo#1 verdict=failed call=0 by=user:ann
              attempt.failed a!undo#1 failure=provider/doubt_failed: user:ann says that the call in doubt failed retry_at=+1096ms
              = closing; waits: a!undo (retry until +1096ms)
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > finish a "A"
              step.succeeded a#1 output=A
              step.started b#1 deadline=+10m
              ! call_agent b#1 x({})
              = running
            > cancel undo
              run.closing ending=cancelled by=user:eve compensate=true
              attempt.abandoned b#1
              step.cancelled b
              ! abort_attempt b#1
              = closing
            > fail b#1 cancelled "stopped"
              attempt.settled b#1
              step.started a!undo#1 deadline=+10m compensates=a
              step.succeeded a!undo output={undone: A}
              run.cancelled by=user:eve
              = cancelled
        "#]],
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
        expect![[r#"
            > start {"list":["p","q"]}
              run.started input={list: [p, q]} started_by=user:starter budget={} priority=0
              for_each.expanded each items=[p, q]
              for_each.item_started each index=0
              for_each.item_started each index=1
              step.started each[0].book#1 deadline=+10m
              step.started each[1].book#1 deadline=+10m
              ! call_agent each[0].book#1 x({i: p})
              ! call_agent each[1].book#1 x({i: q})
              = running
            > finish each[0].book 0
              step.succeeded each[0].book#1 output=0
              for_each.item_finished each index=0 result=0
              = running
            > finish each[1].book 1
              step.succeeded each[1].book#1 output=1
              for_each.item_finished each index=1 result=1
              step.succeeded each output=[0, 1]
              step.started b#1 deadline=+10m
              ! call_agent b#1 x({})
              = running
            > cancel undo
              run.closing ending=cancelled by=user:eve compensate=true
              attempt.abandoned b#1
              step.cancelled b
              ! abort_attempt b#1
              = closing
            > fail b#1 cancelled "stopped"
              attempt.settled b#1
              step.started each[1].book!undo#1 deadline=+10m compensates=each[1].book
              ! call_agent each[1].book!undo#1 undo({i: q, n: 1})
              = closing
            > finish each[1].book!undo null
              step.succeeded each[1].book!undo#1 output=null
              step.started each[0].book!undo#1 deadline=+10m compensates=each[0].book
              ! call_agent each[0].book!undo#1 undo({i: p, n: 0})
              = closing
            > finish each[0].book!undo null
              step.succeeded each[0].book!undo#1 output=null
              run.cancelled by=user:eve
              = cancelled
        "#]],
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
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > finish a "A"
              step.succeeded a#1 output=A
              step.started b#1 deadline=+10m
              ! call_agent b#1 x({})
              = running
            > cancel "enough" by=user:ann
              run.closing ending=cancelled reason=enough by=user:ann
              attempt.abandoned b#1
              step.cancelled b
              ! abort_attempt b#1
              = closing
            > fail b#1 cancelled "stopped"
              attempt.settled b#1
              run.cancelled reason=enough by=user:ann
              = cancelled
        "#]],
    );
}

#[test]
fn a_provider_that_cannot_do_it_makes_room_for_the_next() {
    check(
        "steps: [{ id: film, agent: producer, retry: 2 }]",
        r#"
        start {}
        provider film runway
        job film j1
        provider film fal
        giveup film runway "no such style"
        giveup film runway "no such style"
        provider film kling
        provider film fal instead=kling
        provider film fal instead=kling
        dispatch film 0
        fail film provider
        tick +10s
        provider film local
        finish film 1
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started film#1 deadline=+10m
              ! call_agent film#1 producer({})
              = running
            > provider film runway
              attempt.provider_chosen film#1 provider=runway
              = running
            > job film j1
              attempt.accepted film#1 job={provider: vendor, id: j1}
              ! follow_job film#1 job=j1
              = waiting; waits: film (job j1 until +10m)
            > provider film fal
              refused step_state: choose_provider is not possible while step film is waiting; possible now: retry_step, skip_step, complete_by_hand
            > giveup film runway "no such style"
              attempt.job_given_up film#1 failed={provider: runway, failure: provider/story: no such style}
              ! call_agent film#1 producer({})
              = running
            > giveup film runway "no such style"
              refused step_state: give_up_job is not possible while step film is running; possible now: retry_step, skip_step, complete_by_hand
            > provider film kling
              attempt.provider_chosen film#1 provider=kling
              = running
            > provider film fal instead=kling
              attempt.provider_chosen film#1 provider=fal failed={provider: kling, failure: provider/story: it went wrong}
              = running
            > provider film fal instead=kling
              = running
            > dispatch film 0
              attempt.dispatched film#1 call=0
              = running
            > fail film provider
              attempt.failed film#1 failure=provider/story: it went wrong retry_at=+926ms
              = waiting; waits: film (retry until +926ms)
            > tick +10s
              at +10s
              step.started film#2 deadline=+610s
              ! call_agent film#2 producer({})
              = running
            > provider film local
              attempt.provider_chosen film#2 provider=local
              = running
            > finish film 1
              step.succeeded film#2 output=1
              run.completed output={}
              = completed
        "#]],
    );
}
