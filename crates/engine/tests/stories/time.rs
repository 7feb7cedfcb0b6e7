//! Time passes: waits, callbacks, limits, doubt, and runs that are held.

use expect_test::expect;

use crate::check;
use crate::harness::story::tell;
use crate::harness::world::{World, load};

#[test]
fn a_pause_of_known_length() {
    check(
        r"
steps:
  - { id: rest, wait: { for: 90s } }
  - { id: a, agent: x, needs: rest }
",
        r"
        start {}
        tick +89s
        tick +1s
        finish a 1
        ",
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.waiting rest until=+90s
              = waiting; waits: rest (time until +90s)
            > tick +89s
              at +89s
              = waiting; waits: rest (time until +90s)
            > tick +1s
              at +90s
              step.succeeded rest output=null
              step.started a#1 deadline=+690s
              ! call_agent a#1 x({})
              = running
            > finish a 1
              step.succeeded a#1 output=1
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn until_an_instant() {
    check(
        r#"
steps:
  - { id: then, wait: { until: "{{ input.at }}" } }
"#,
        r#"
        start {"at":"2027-01-15T09:00:00+00:00"}
        tick
        "#,
        expect![[r#"
            > start {"at":"2027-01-15T09:00:00+00:00"}
              run.started input={at: 2027-01-15T09:00:00+00:00} started_by=user:starter budget={} priority=0
              step.waiting then until=+1h
              = waiting; waits: then (time until +1h)
            > tick
              at +1h
              step.succeeded then output=null
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn an_instant_that_is_over() {
    check(
        r#"
steps:
  - { id: then, wait: { until: "{{ input.at }}" } }
"#,
        r#"
        start {"at":"2020-01-15T09:00:00+09:00"}
        "#,
        expect![[r#"
            > start {"at":"2020-01-15T09:00:00+09:00"}
              run.started input={at: 2020-01-15T09:00:00+09:00} started_by=user:starter budget={} priority=0
              step.waiting then until=+-61376h
              step.succeeded then output=null
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn no_instant_at_all() {
    check(
        r#"
steps:
  - { id: then, wait: { until: "{{ input.at }}" } }
"#,
        r#"
        start {"at":"tomorrow"}
        "#,
        expect![[r#"
            > start {"at":"tomorrow"}
              run.started input={at: tomorrow} started_by=user:starter budget={} priority=0
              step.failed then failure=validation/bad_time: the wait needs an instant such as 2026-11-20T09:00:00+09:00
              run.closing ending=failed failure=validation/bad_time: the wait needs an instant such as 2026-11-20T09:00:00+09:00
              run.failed failure=validation/bad_time: the wait needs an instant such as 2026-11-20T09:00:00+09:00
              = failed
        "#]],
    );
}

#[test]
fn a_computed_time_that_nobody_would_live_to_see() {
    for (wait, input) in [
        (r#"{ for: "{{ input.d }}" }"#, r#"{"d":"3651d"}"#),
        (r#"{ for: "{{ input.d }}" }"#, r#"{"d":18446744073709551615}"#),
        (r#"{ until: "{{ input.d }}" }"#, r#"{"d":"9999-01-01T00:00:00Z"}"#),
    ] {
        let plan = format!("steps:\n  - {{ id: rest, wait: {wait} }}\n");
        let mut world = World::new(&load(&plan));
        let told = tell(&mut world, &format!("start {input}"));
        let said = "validation/bad_time: the wait needs an end within 3650 days";
        assert!(told.contains(&format!("step.failed rest failure={said}")), "{told}");
    }
}

#[test]
fn a_computed_time_may_be_as_long_as_a_written_one() {
    let mut world = World::new(&load("steps: [{ id: rest, wait: { for: '{{ input.d }}' } }]"));
    let told = tell(&mut world, r#"start {"d":"3650d"}"#);
    assert!(told.contains("step.waiting rest until=+3650d"), "{told}");
}

const CALLBACK: &str = r#"
steps:
  - { id: a, agent: x }
  - { id: paid, needs: a, wait: { callback: "paid/{{ input.order }}" }, timeout: 1h }
  - { id: b, agent: x, input: { sum: "{{ steps.paid.output.sum }}" } }
"#;

#[test]
fn a_callback_that_is_waited_for() {
    check(
        CALLBACK,
        r#"
        start {"order":7}
        finish a 1
        callback paid/8 {"sum":1}
        callback paid/7 {"sum":2}
        callback paid/7 {"sum":3}
        finish b 1
        callback paid/7 {"sum":4}
        "#,
        expect![[r#"
            > start {"order":7}
              run.started input={order: 7} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > finish a 1
              step.succeeded a#1 output=1
              step.waiting paid callback=paid/7 until=+1h
              = waiting; waits: paid (callback paid/7 until +1h)
            > callback paid/8 {"sum":1}
              callback.received key=paid/8 payload={sum: 1}
              = waiting; waits: paid (callback paid/7 until +1h)
            > callback paid/7 {"sum":2}
              callback.received key=paid/7 payload={sum: 2}
              step.succeeded paid output={sum: 2}
              step.started b#1 deadline=+10m
              ! call_agent b#1 x({sum: 2})
              = running
            > callback paid/7 {"sum":3}
              callback.received key=paid/7 payload={sum: 3}
              = running
            > finish b 1
              step.succeeded b#1 output=1
              run.completed output={}
              = completed
            > callback paid/7 {"sum":4}
              refused run_state: receive_callback is not possible while the run is completed; possible now: fork
        "#]],
    );
}

#[test]
fn a_callback_that_comes_before_its_wait_is_kept_once() {
    check(
        CALLBACK,
        r#"
        start {"order":7}
        callback paid/7 {"sum":2}
        callback paid/7 {"sum":3}
        finish a 1
        finish b 1
        "#,
        expect![[r#"
            > start {"order":7}
              run.started input={order: 7} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > callback paid/7 {"sum":2}
              callback.received key=paid/7 payload={sum: 2}
              = running
            > callback paid/7 {"sum":3}
              = running
            > finish a 1
              step.succeeded a#1 output=1
              step.waiting paid callback=paid/7
              step.succeeded paid output={sum: 2}
              step.started b#1 deadline=+10m
              ! call_agent b#1 x({sum: 2})
              = running
            > finish b 1
              step.succeeded b#1 output=1
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn a_callback_that_never_comes() {
    check(
        CALLBACK,
        r#"
        start {"order":7}
        finish a 1
        tick
        callback paid/7 {"sum":2}
        "#,
        expect![[r#"
            > start {"order":7}
              run.started input={order: 7} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > finish a 1
              step.succeeded a#1 output=1
              step.waiting paid callback=paid/7 until=+1h
              = waiting; waits: paid (callback paid/7 until +1h)
            > tick
              at +1h
              step.failed paid failure=timeout/callback_timeout: no callback paid/7 came in time
              run.closing ending=failed failure=timeout/callback_timeout: no callback paid/7 came in time
              step.cancelled b
              run.failed failure=timeout/callback_timeout: no callback paid/7 came in time
              = failed
            > callback paid/7 {"sum":2}
              refused run_state: receive_callback is not possible while the run is failed; possible now: retry_step, skip_step, fork
        "#]],
    );
}

#[test]
fn a_callback_that_says_the_wrong_thing_can_come_again() {
    check(
        r#"
steps:
  - { id: paid, wait: { callback: paid }, output: { type: object, required: [sum] } }
"#,
        r#"
        start {}
        callback paid {"total":1}
        retry paid by=user:ann
        callback paid {"sum":1}
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.waiting paid callback=paid
              = waiting; waits: paid (callback paid)
            > callback paid {"total":1}
              callback.received key=paid payload={total: 1}
              step.failed paid failure=validation/output_invalid: output: "sum" is a required property
              run.closing ending=failed failure=validation/output_invalid: output: "sum" is a required property
              run.failed failure=validation/output_invalid: output: "sum" is a required property
              = failed
            > retry paid by=user:ann
              run.reopened by=user:ann
              steps.reset steps=[paid] from=paid by=user:ann
              step.waiting paid callback=paid
              = waiting; waits: paid (callback paid)
            > callback paid {"sum":1}
              callback.received key=paid payload={sum: 1}
              step.succeeded paid output={sum: 1}
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn callbacks_that_nobody_waits_for_are_not_kept_without_bound() {
    let definition = "steps: [{ id: a, agent: x }]";
    let mut world = World::new(&load(definition));
    world.ledger.is_thorough = false;
    tell(&mut world, "start {}");
    for no in 0..256 {
        tell(&mut world, &format!("callback key{no} {no}"));
    }
    let told = tell(&mut world, "callback one-more 1\ncallback key0 1");
    expect![[r#"
        > callback one-more 1
          refused invalid: the callback does not fit: /key: 256 callbacks are waiting to be taken already
        > callback key0 1
          = running
    "#]].assert_eq(&told);
}

#[test]
fn an_attempt_out_of_time_is_asked_after_then_doubted() {
    check(
        "steps: [{ id: a, agent: x, timeout: 5m }]",
        r#"
        start {}
        tick +5m
        tick +2m
        tick +1d
        resolve a resend by=user:ann
        tick +4m
        finish a "at last" usd=0.1
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+5m
              ! call_agent a#1 x({})
              = running
            > tick +5m
              at +5m
              attempt.timed_out a#1 until=+7m
              ! call_agent a#1 x({}) timed_out
              = running
            > tick +2m
              at +7m
              attempt.in_doubt a#1 call=0 message="its time is over, and nobody answered what became of it"
              = waiting; waits: a (doubt)
            > tick +1d
              at +1447m
              = waiting; waits: a (doubt)
            > resolve a resend by=user:ann
              attempt.doubt_resolved a#1 verdict=resend call=0 by=user:ann deadline=+1452m
              ! call_agent a#1 x({}) may_resend
              = running
            > tick +4m
              at +1451m
              = running
            > finish a "at last" usd=0.1
              step.succeeded a#1 output="at last" calls=1
              run.completed output={}
              = completed; spent $0.1
        "#]],
    );
}

#[test]
fn what_became_of_it_is_found_out_in_time() {
    check(
        "steps: [{ id: a, agent: x, timeout: 5m, retry: 1 }]",
        r#"
        start {}
        tick
        fail a timeout "nothing had left"
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+5m
              ! call_agent a#1 x({})
              = running
            > tick
              at +5m
              attempt.timed_out a#1 until=+7m
              ! call_agent a#1 x({}) timed_out
              = running
            > fail a timeout "nothing had left"
              attempt.failed a#1 failure=timeout/story: nothing had left
              step.failed a failure=timeout/story: nothing had left
              run.closing ending=failed failure=timeout/story: nothing had left
              run.failed failure=timeout/story: nothing had left
              = failed
        "#]],
    );
}

#[test]
fn a_result_that_comes_in_doubt_is_taken() {
    check(
        "steps: [{ id: a, agent: x }]",
        r#"
        start {}
        doubt a 0 "connection lost"
        doubt a 0 "connection lost"
        finish a "there it is" usd=0.1
        resolve a failed
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > doubt a 0 "connection lost"
              attempt.in_doubt a#1 call=0 message="connection lost"
              = waiting; waits: a (doubt)
            > doubt a 0 "connection lost"
              = waiting; waits: a (doubt)
            > finish a "there it is" usd=0.1
              step.succeeded a#1 output="there it is" calls=1
              run.completed output={}
              = completed; spent $0.1
            > resolve a failed
              refused run_state: resolve_doubt is not possible while the run is completed; possible now: fork
        "#]],
    );
}

#[test]
fn a_call_in_doubt_is_sent_again() {
    check(
        "steps: [{ id: a, agent: x }]",
        r#"
        start {}
        call a usd=0.01
        dispatch a 1
        job a j1
        doubt a 1 "the vendor does not know the job"
        resolve a resend by=user:ann usd=0.02
        job a j2
        finish a 1
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > call a usd=0.01
              attempt.call_recorded a#1 call=0
              = running; spent $0.01
            > dispatch a 1
              attempt.dispatched a#1 call=1
              = running; spent $0.01
            > job a j1
              attempt.accepted a#1 job={provider: vendor, id: j1}
              ! follow_job a#1 job=j1
              = waiting; waits: a (job j1 until +10m); spent $0.01
            > doubt a 1 "the vendor does not know the job"
              attempt.in_doubt a#1 call=1 message="the vendor does not know the job"
              = waiting; waits: a (doubt); spent $0.01
            > resolve a resend by=user:ann usd=0.02
              attempt.doubt_resolved a#1 verdict=resend call=1 cost=20000 by=user:ann deadline=+10m
              ! call_agent a#1 x({}) calls=1 may_resend
              = running; spent $0.03
            > job a j2
              attempt.accepted a#1 job={provider: vendor, id: j2}
              ! follow_job a#1 job=j2
              = waiting; waits: a (job j2 until +10m); spent $0.03
            > finish a 1
              step.succeeded a#1 output=1
              run.completed output={}
              = completed; spent $0.03
        "#]],
    );
}

#[test]
fn a_call_in_doubt_failed() {
    check(
        "steps: [{ id: a, agent: x, retry: 1 }]",
        r#"
        start {}
        doubt a 0 "connection lost"
        resolve a failed by=user:ann
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > doubt a 0 "connection lost"
              attempt.in_doubt a#1 call=0 message="connection lost"
              = waiting; waits: a (doubt)
            > resolve a failed by=user:ann
              attempt.doubt_resolved a#1 verdict=failed call=0 by=user:ann
              attempt.failed a#1 failure=provider/doubt_failed: user:ann says that the call in doubt failed
              step.failed a failure=provider/doubt_failed: user:ann says that the call in doubt failed
              run.closing ending=failed failure=provider/doubt_failed: user:ann says that the call in doubt failed
              run.failed failure=provider/doubt_failed: user:ann says that the call in doubt failed
              = failed
        "#]],
    );
}

#[test]
fn a_lost_job_is_found_again() {
    check(
        "steps: [{ id: a, agent: x }]",
        r#"
        start {}
        job a j1
        doubt a 0 "no answer"
        job a j1
        finish a 1
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > job a j1
              attempt.accepted a#1 job={provider: vendor, id: j1}
              ! follow_job a#1 job=j1
              = waiting; waits: a (job j1 until +10m)
            > doubt a 0 "no answer"
              attempt.in_doubt a#1 call=0 message="no answer"
              = waiting; waits: a (doubt)
            > job a j1
              attempt.accepted a#1 job={provider: vendor, id: j1}
              ! follow_job a#1 job=j1
              = waiting; waits: a (job j1 until +10m)
            > finish a 1
              step.succeeded a#1 output=1
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn a_job_out_of_time_is_aborted_but_its_result_is_welcome() {
    check(
        "steps: [{ id: a, agent: x, timeout: 5m }]",
        r#"
        start {}
        job a j1
        tick
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
            > tick
              at +5m
              attempt.timed_out a#1 until=+7m
              ! abort_attempt a#1 timed_out job=j1
              = waiting; waits: a (job j1 until +7m)
            > finish a "film" usd=0.4
              step.succeeded a#1 output=film calls=1
              run.completed output={}
              = completed; spent $0.4
        "#]],
    );
}

#[test]
fn a_run_with_a_doubt_is_cancelled() {
    check(
        "steps: [{ id: a, agent: x }]",
        r#"
        start {}
        doubt a 0 "connection lost"
        cancel "enough" by=user:ann
        resolve a failed
        doubt a#1 0 "still nobody knows"
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running
            > doubt a 0 "connection lost"
              attempt.in_doubt a#1 call=0 message="connection lost"
              = waiting; waits: a (doubt)
            > cancel "enough" by=user:ann
              run.closing ending=cancelled reason=enough by=user:ann
              attempt.abandoned a#1
              step.cancelled a
              ! abort_attempt a#1
              = closing
            > resolve a failed
              refused step_state: resolve_doubt is not possible while step a is cancelled; possible now: nothing
            > doubt a#1 0 "still nobody knows"
              attempt.settled a#1 unknown="still nobody knows"
              run.cancelled reason=enough by=user:ann
              = cancelled
        "#]],
    );
}

#[test]
fn a_run_that_waits_for_its_next_attempt_is_cancelled() {
    check(
        "steps: [{ id: a, agent: x }]",
        r#"
        start {}
        fail a transient
        cancel "enough" by=user:ann
        tick +1h
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
            > cancel "enough" by=user:ann
              run.closing ending=cancelled reason=enough by=user:ann
              step.cancelled a
              run.cancelled reason=enough by=user:ann
              = cancelled
            > tick +1h
              at +1h
              refused run_state: fire_timers is not possible while the run is cancelled; possible now: fork
        "#]],
    );
}

#[test]
fn nothing_starts_while_a_run_is_held() {
    check(
        r"
steps:
  - { id: a, agent: x, retry: { attempts: 2, initial: 10s, jitter: 0 } }
  - { id: b, agent: x }
  - { id: c, agent: x, needs: b }
",
        r#"
        start {}
        pause by=user:ann
        pause
        finish b 1
        fail a transient "busy"
        tick +1m
        resume by=user:ann
        tick
        resume
        finish a 1
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
            > pause by=user:ann
              run.paused by=user:ann
              = paused
            > pause
              refused run_state: pause is not possible while the run is paused; possible now: resume, cancel, retry_step, skip_step, complete_by_hand, receive_callback
            > finish b 1
              step.succeeded b#1 output=1
              = paused
            > fail a transient "busy"
              attempt.failed a#1 failure=transient/story: busy retry_at=+10s
              = paused; waits: a (retry until +10s)
            > tick +1m
              at +1m
              = paused; waits: a (retry until +10s)
            > resume by=user:ann
              run.resumed by=user:ann
              step.started c#1 deadline=+11m
              ! call_agent c#1 x({})
              = running; waits: a (retry until +10s)
            > tick
              at +1m
              step.started a#2 deadline=+11m
              ! call_agent a#2 x({})
              = running
            > resume
              refused run_state: resume is not possible while the run is running; possible now: pause, cancel, retry_step, skip_step, complete_by_hand, receive_callback
            > finish a 1
              step.succeeded a#2 output=1
              = running
            > finish c 1
              step.succeeded c#1 output=1
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn a_held_run_can_be_answered_and_cancelled() {
    check(
        r"
steps:
  - { id: ok, checkpoint: { question: Go? } }
  - { id: rest, needs: ok, wait: { for: 1m } }
  - { id: again, needs: rest, loop: { max: 2, until: 'steps.one.output > 1', steps: [{ id: one, agent: x }] } }
",
        r"
        start {}
        pause
        answer ok continue by=user:bob
        resume
        tick
        pause
        finish again[0].one 1
        resume
        pause
        cancel
        fail again[1].one#1 cancelled
        ",
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              checkpoint.opened ok question=Go? show={}
              = waiting; waits: ok (person)
            > pause
              run.paused by=user:eve
              = paused; waits: ok (person)
            > answer ok continue by=user:bob
              checkpoint.answered ok answer={verb: continue, by: user:bob, at: +0ms} decides=true
              step.succeeded ok output={decision: continue, by: user:bob, comment: null, content: {}}
              = paused
            > resume
              run.resumed by=user:eve
              step.waiting rest until=+1m
              = waiting; waits: rest (time until +1m)
            > tick
              at +1m
              step.succeeded rest output=null
              loop.iteration_started again iteration=0
              step.started again[0].one#1 deadline=+11m
              ! call_agent again[0].one#1 x({})
              = running
            > pause
              run.paused by=user:eve
              = paused
            > finish again[0].one 1
              step.succeeded again[0].one#1 output=1
              loop.iteration_finished again iteration=0 result=1 good=false
              loop.iteration_started again iteration=1
              = paused
            > resume
              run.resumed by=user:eve
              step.started again[1].one#1 deadline=+11m
              ! call_agent again[1].one#1 x({})
              = running
            > pause
              run.paused by=user:eve
              = paused
            > cancel
              run.closing ending=cancelled by=user:eve
              attempt.abandoned again[1].one#1
              step.cancelled again[1].one
              step.cancelled again
              ! abort_attempt again[1].one#1
              = closing
            > fail again[1].one#1 cancelled
              attempt.settled again[1].one#1
              run.cancelled by=user:eve
              = cancelled
        "#]],
    );
}

#[test]
fn a_timer_of_a_held_run_fires_but_starts_nothing() {
    check(
        r"
steps:
  - { id: rest, wait: { for: 1m } }
  - { id: a, agent: x, needs: rest }
",
        r"
        start {}
        pause
        tick
        resume
        ",
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.waiting rest until=+1m
              = waiting; waits: rest (time until +1m)
            > pause
              run.paused by=user:eve
              = paused; waits: rest (time until +1m)
            > tick
              at +1m
              step.succeeded rest output=null
              = paused
            > resume
              run.resumed by=user:eve
              step.started a#1 deadline=+11m
              ! call_agent a#1 x({})
              = running
        "#]],
    );
}

#[test]
fn a_run_out_of_time_fails_and_has_its_time_again_when_taken_up() {
    check(
        r"
timeout: 1h
steps:
  - { id: a, agent: x, timeout: 2h }
  - { id: ok, checkpoint: { question: Go? } }
",
        r#"
        start {} deadline=+2h
        tick +30m
        tick +30m
        fail a#1 cancelled "stopped"
        tick +1d
        retry a by=user:ann
        finish a 1
        answer ok continue by=user:ann
        "#,
        expect![[r#"
            > start {} deadline=+2h
              run.started input={} started_by=user:starter budget={} deadline=+1h priority=0
              step.started a#1 deadline=+2h
              checkpoint.opened ok question=Go? show={}
              ! call_agent a#1 x({})
              = running; waits: ok (person)
            > tick +30m
              at +30m
              = running; waits: ok (person)
            > tick +30m
              at +1h
              run.closing ending=failed failure=timeout/run_timeout: the run's time is over
              attempt.abandoned a#1
              step.cancelled a
              step.cancelled ok
              ! abort_attempt a#1
              = closing
            > fail a#1 cancelled "stopped"
              attempt.settled a#1
              run.failed failure=timeout/run_timeout: the run's time is over
              = failed
            > tick +1d
              at +25h
              refused run_state: fire_timers is not possible while the run is failed; possible now: retry_step, skip_step, fork
            > retry a by=user:ann
              run.reopened by=user:ann deadline=+26h
              steps.reset steps=[a, ok] from=a by=user:ann
              step.started a#2 deadline=+27h
              checkpoint.opened ok question=Go? show={}
              ! call_agent a#2 x({})
              = running; waits: ok (person)
            > finish a 1
              step.succeeded a#2 output=1
              = waiting; waits: ok (person)
            > answer ok continue by=user:ann
              checkpoint.answered ok answer={verb: continue, by: user:ann, at: +25h} decides=true
              step.succeeded ok output={decision: continue, by: user:ann, comment: null, content: {}}
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn the_tighter_of_two_deadlines_counts() {
    check(
        r"
timeout: 1h
steps: [{ id: ok, checkpoint: { question: Go? } }]
",
        r"
        start {} deadline=+10m
        tick
        ",
        expect![[r#"
            > start {} deadline=+10m
              run.started input={} started_by=user:starter budget={} deadline=+10m priority=0
              checkpoint.opened ok question=Go? show={}
              = waiting; waits: ok (person)
            > tick
              at +10m
              run.closing ending=failed failure=timeout/run_timeout: the run's time is over
              step.cancelled ok
              run.failed failure=timeout/run_timeout: the run's time is over
              = failed
        "#]],
    );
}

#[test]
fn a_doubled_callback_is_not_taken_for_the_next_one() {
    check(
        r#"
steps:
  - id: rounds
    loop:
      max: 2
      until: "false"
      steps:
        - { id: heard, wait: { callback: k } }
        - { id: ask, needs: [heard], checkpoint: { question: "Good?" } }
"#,
        r#"
        start {}
        callback k {"n":1}
        callback k {"n":1}
        answer rounds[0].ask continue by=user:ann
        callback k {"n":2}
        callback k {"n":2}
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              loop.iteration_started rounds iteration=0
              step.waiting rounds[0].heard callback=k
              = waiting; waits: rounds[0].heard (callback k)
            > callback k {"n":1}
              callback.received key=k payload={n: 1}
              step.succeeded rounds[0].heard output={n: 1}
              checkpoint.opened rounds[0].ask question=Good? show={}
              = waiting; waits: rounds[0].ask (person)
            > callback k {"n":1}
              = waiting; waits: rounds[0].ask (person)
            > answer rounds[0].ask continue by=user:ann
              checkpoint.answered rounds[0].ask answer={verb: continue, by: user:ann, at: +0ms} decides=true
              step.succeeded rounds[0].ask output={decision: continue, by: user:ann, comment: null, content: {}}
              loop.iteration_finished rounds iteration=0 result={decision: continue, by: user:ann, comment: null, content: {}} good=false
              loop.iteration_started rounds iteration=1
              step.waiting rounds[1].heard callback=k
              = waiting; waits: rounds[1].heard (callback k)
            > callback k {"n":2}
              callback.received key=k payload={n: 2}
              step.succeeded rounds[1].heard output={n: 2}
              checkpoint.opened rounds[1].ask question=Good? show={}
              = waiting; waits: rounds[1].ask (person)
            > callback k {"n":2}
              = waiting; waits: rounds[1].ask (person)
        "#]],
    );
}
