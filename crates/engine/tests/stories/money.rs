//! Budgets: held back before, counted after, never overrun by what runs at the same time.

use expect_test::expect;

use crate::check;

#[test]
fn held_back_then_counted_and_the_rest_given_back() {
    check(
        r"
budget: { usd: 1, tokens: 1000 }
steps: [{ id: a, agent: x, estimate: { usd: 0.4, tokens: 300 } }]
",
        r#"
        start {}
        call a usd=0.1 tokens=100
        reserve a usd=0.5 tokens=200
        reserve a usd=0.5 tokens=200
        reserve a usd=2
        finish a "x" usd=0.05
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget=$1+1000t priority=0
              step.started a#1 reserved=$0.4+300t deadline=+10m
              ! call_agent a#1 x({})
              = running; reserved $0.4+300t
            > call a usd=0.1 tokens=100
              attempt.call_recorded a#1 call=0
              = running; spent $0.1+100t; reserved $0.3+200t
            > reserve a usd=0.5 tokens=200
              attempt.reserved a#1 reserved=$0.5+200t
              = running; spent $0.1+100t; reserved $0.5+200t
            > reserve a usd=0.5 tokens=200
              = running; spent $0.1+100t; reserved $0.5+200t
            > reserve a usd=2
              refused over_budget: the budget of the run does not allow it: $2.100000 of $1.000000, 300 of 1000 tokens
            > finish a "x" usd=0.05
              step.succeeded a#1 output=x calls=1
              run.completed output={}
              = completed; spent $0.15+100t
        "#]],
    );
}

#[test]
fn a_failed_attempt_gives_back_what_it_held() {
    check(
        r"
budget: { usd: 1 }
steps: [{ id: a, agent: x, estimate: { usd: 0.6 }, retry: { attempts: 2, initial: 1s, jitter: 0 } }]
",
        r"
        start {}
        fail a transient usd=0.1
        tick
        finish a 1 usd=0.6
        ",
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={cost: 1000000} priority=0
              step.started a#1 reserved=$0.6 deadline=+10m
              ! call_agent a#1 x({})
              = running; reserved $0.6
            > fail a transient usd=0.1
              attempt.failed a#1 failure=transient/story: it went wrong calls=1 retry_at=+1s
              = waiting; waits: a (retry until +1s); spent $0.1
            > tick
              at +1s
              step.started a#2 reserved=$0.6 deadline=+601s
              ! call_agent a#2 x({})
              = running; spent $0.1; reserved $0.6
            > finish a 1 usd=0.6
              step.succeeded a#2 output=1 calls=1
              run.completed output={}
              = completed; spent $0.7
        "#]],
    );
}

#[test]
fn no_second_attempt_without_the_money_for_it() {
    check(
        r"
budget: { usd: 1 }
steps: [{ id: a, agent: x, estimate: { usd: 0.6 }, retry: { attempts: 2, initial: 1s, jitter: 0 } }]
",
        r"
        start {}
        fail a transient usd=0.5
        tick
        ",
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={cost: 1000000} priority=0
              step.started a#1 reserved=$0.6 deadline=+10m
              ! call_agent a#1 x({})
              = running; reserved $0.6
            > fail a transient usd=0.5
              attempt.failed a#1 failure=transient/story: it went wrong calls=1 retry_at=+1s
              = waiting; waits: a (retry until +1s); spent $0.5
            > tick
              at +1s
              step.failed a failure=budget/over_budget: the budget of the run does not allow another attempt: $1.100000 of $1.000000
              run.closing ending=failed failure=budget/over_budget: the budget of the run does not allow another attempt: $1.100000 of $1.000000
              run.failed failure=budget/over_budget: the budget of the run does not allow another attempt: $1.100000 of $1.000000
              = failed; spent $0.5
        "#]],
    );
}

#[test]
fn side_by_side_steps_take_turns_when_the_money_is_not_enough_for_both() {
    check(
        r"
budget: { usd: 1 }
steps:
  - { id: a, agent: x, estimate: { usd: 0.6 } }
  - { id: b, agent: x, estimate: { usd: 0.6 } }
",
        r"
        start {}
        finish a 1 usd=0.3
        finish b 1 usd=0.6
        ",
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={cost: 1000000} priority=0
              step.started a#1 reserved=$0.6 deadline=+10m
              ! call_agent a#1 x({})
              = running; reserved $0.6
            > finish a 1 usd=0.3
              step.succeeded a#1 output=1 calls=1
              step.started b#1 reserved=$0.6 deadline=+10m
              ! call_agent b#1 x({})
              = running; spent $0.3; reserved $0.6
            > finish b 1 usd=0.6
              step.succeeded b#1 output=1 calls=1
              run.completed output={}
              = completed; spent $0.9
        "#]],
    );
}

#[test]
fn what_no_longer_fits_fails() {
    check(
        r"
budget: { usd: 1 }
steps:
  - { id: a, agent: x, estimate: { usd: 0.6 } }
  - { id: b, agent: x, estimate: { usd: 0.6 } }
",
        r"
        start {}
        finish a 1 usd=0.5
        ",
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={cost: 1000000} priority=0
              step.started a#1 reserved=$0.6 deadline=+10m
              ! call_agent a#1 x({})
              = running; reserved $0.6
            > finish a 1 usd=0.5
              step.succeeded a#1 output=1 calls=1
              step.failed b failure=budget/over_budget: the budget of the run does not allow another attempt: $1.100000 of $1.000000
              run.closing ending=failed failure=budget/over_budget: the budget of the run does not allow another attempt: $1.100000 of $1.000000
              run.failed failure=budget/over_budget: the budget of the run does not allow another attempt: $1.100000 of $1.000000
              = failed; spent $0.5
        "#]],
    );
}

#[test]
fn a_called_back_attempt_keeps_its_money_until_it_has_reported() {
    check(
        r"
budget: { usd: 1 }
steps:
  - { id: a, agent: x, estimate: { usd: 0.6 } }
",
        r"
        start {}
        retry a by=user:ann
        finish a#1 1 usd=0.1
        finish a 2 usd=0.6
        ",
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={cost: 1000000} priority=0
              step.started a#1 reserved=$0.6 deadline=+10m
              ! call_agent a#1 x({})
              = running; reserved $0.6
            > retry a by=user:ann
              attempt.abandoned a#1
              steps.reset steps=[a] from=a by=user:ann
              ! abort_attempt a#1
              = running; reserved $0.6
            > finish a#1 1 usd=0.1
              attempt.settled a#1 calls=1 output=1
              step.started a#2 reserved=$0.6 deadline=+10m
              ! call_agent a#2 x({})
              = running; spent $0.1; reserved $0.6
            > finish a 2 usd=0.6
              step.succeeded a#2 output=2 calls=1
              run.completed output={}
              = completed; spent $0.7
        "#]],
    );
}

#[test]
fn losers_keep_their_money_until_they_have_reported() {
    check(
        r"
budget: { usd: 1 }
steps:
  - { id: race, for_each: { items: input.list, join: any, steps: [{ id: ask, agent: x, estimate: { usd: 0.3 } }] } }
  - { id: last, agent: x, needs: race, estimate: { usd: 0.3 } }
",
        r#"
        start {"list":[1,2,3]}
        finish race[0].ask 1 usd=0.3
        fail race[1].ask#1 cancelled
        fail race[2].ask#1 cancelled usd=0.1
        finish last 1 usd=0.2
        "#,
        expect![[r#"
            > start {"list":[1,2,3]}
              run.started input={list: [1, 2, 3]} started_by=user:starter budget={cost: 1000000} priority=0
              for_each.expanded race items=[1, 2, 3]
              for_each.item_started race index=0
              for_each.item_started race index=1
              for_each.item_started race index=2
              step.started race[0].ask#1 reserved=$0.3 deadline=+10m
              step.started race[1].ask#1 reserved=$0.3 deadline=+10m
              step.started race[2].ask#1 reserved=$0.3 deadline=+10m
              ! call_agent race[0].ask#1 x({})
              ! call_agent race[1].ask#1 x({})
              ! call_agent race[2].ask#1 x({})
              = running; reserved $0.9
            > finish race[0].ask 1 usd=0.3
              step.succeeded race[0].ask#1 output=1 calls=1
              for_each.item_finished race index=0 result=1
              attempt.abandoned race[1].ask#1
              step.cancelled race[1].ask
              attempt.abandoned race[2].ask#1
              step.cancelled race[2].ask
              step.succeeded race output=[1, null, null]
              ! abort_attempt race[1].ask#1
              ! abort_attempt race[2].ask#1
              = running; spent $0.3; reserved $0.6
            > fail race[1].ask#1 cancelled
              attempt.settled race[1].ask#1
              step.started last#1 reserved=$0.3 deadline=+10m
              ! call_agent last#1 x({})
              = running; spent $0.3; reserved $0.6
            > fail race[2].ask#1 cancelled usd=0.1
              attempt.settled race[2].ask#1 calls=1
              = running; spent $0.4; reserved $0.3
            > finish last 1 usd=0.2
              step.succeeded last#1 output=1 calls=1
              run.completed output={}
              = completed; spent $0.6
        "#]],
    );
}

#[test]
fn a_steps_own_limit() {
    check(
        r"
steps:
  - { id: a, agent: x, budget: { tokens: 100 }, estimate: { tokens: 60 }, retry: { attempts: 3, initial: 1s, jitter: 0 } }
",
        r"
        start {}
        reserve a tokens=200
        fail a transient tokens=50
        tick
        ",
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 reserved=60t deadline=+10m
              ! call_agent a#1 x({})
              = running; reserved 60t
            > reserve a tokens=200
              refused over_budget: the budget of step a does not allow it: 200 of 100 tokens
            > fail a transient tokens=50
              attempt.failed a#1 failure=transient/story: it went wrong calls=1 retry_at=+1s
              = waiting; waits: a (retry until +1s); spent 50t
            > tick
              at +1s
              step.failed a failure=budget/over_budget: the budget of step a does not allow another attempt: 110 of 100 tokens
              run.closing ending=failed failure=budget/over_budget: the budget of step a does not allow another attempt: 110 of 100 tokens
              run.failed failure=budget/over_budget: the budget of step a does not allow another attempt: 110 of 100 tokens
              = failed; spent 50t
        "#]],
    );
}

#[test]
fn an_agents_share_of_the_run() {
    check(
        r"
agent_budgets: { painter: { usd: 1 } }
steps:
  - { id: a, agent: painter, estimate: { usd: 0.4 } }
  - { id: b, agent: painter, estimate: { usd: 0.4 } }
  - { id: c, agent: painter, estimate: { usd: 0.4 } }
  - { id: d, agent: writer, estimate: { usd: 5 } }
",
        r"
        start {}
        finish a 1 usd=0.1
        finish b 1 usd=0.4
        finish c 1 usd=0.4
        finish d 1 usd=5
        ",
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 reserved=$0.4 deadline=+10m
              step.started b#1 reserved=$0.4 deadline=+10m
              step.started d#1 reserved=$5 deadline=+10m
              ! call_agent a#1 painter({})
              ! call_agent b#1 painter({})
              ! call_agent d#1 writer({})
              = running; reserved $5.8
            > finish a 1 usd=0.1
              step.succeeded a#1 output=1 calls=1
              step.started c#1 reserved=$0.4 deadline=+10m
              ! call_agent c#1 painter({})
              = running; spent $0.1; reserved $5.8
            > finish b 1 usd=0.4
              step.succeeded b#1 output=1 calls=1
              = running; spent $0.5; reserved $5.4
            > finish c 1 usd=0.4
              step.succeeded c#1 output=1 calls=1
              = running; spent $0.9; reserved $5
            > finish d 1 usd=5
              step.succeeded d#1 output=1 calls=1
              run.completed output={}
              = completed; spent $5.9
        "#]],
    );
}

#[test]
fn who_starts_a_run_may_tighten_its_limit_but_not_loosen_it() {
    check(
        r"
budget: { usd: 1, tokens: 100 }
steps: [{ id: a, agent: x, estimate: { usd: 0.4 } }]
",
        r"
        start {} usd=0.3 tokens=500
        ",
        expect![[r#"
            > start {} usd=0.3 tokens=500
              run.started input={} started_by=user:starter budget=$0.3+100t priority=0
              step.failed a failure=budget/over_budget: the budget of the run does not allow another attempt: $0.400000 of $0.300000, 0 of 100 tokens
              run.closing ending=failed failure=budget/over_budget: the budget of the run does not allow another attempt: $0.400000 of $0.300000, 0 of 100 tokens
              run.failed failure=budget/over_budget: the budget of the run does not allow another attempt: $0.400000 of $0.300000, 0 of 100 tokens
              = failed
        "#]],
    );
}

#[test]
fn what_was_done_is_undone_at_any_price() {
    check(
        r"
budget: { usd: 1 }
steps:
  - { id: a, agent: x, compensate: { agent: undo, retry: { attempts: 2, initial: 1s, jitter: 0 } } }
  - { id: b, agent: x }
",
        r"
        start {}
        finish a 1 usd=3
        cancel undo
        fail b#1 cancelled
        fail a!undo transient usd=1
        tick
        finish a!undo 1
        ",
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={cost: 1000000} priority=0
              step.started a#1 deadline=+10m
              step.started b#1 deadline=+10m
              ! call_agent a#1 x({})
              ! call_agent b#1 x({})
              = running
            > finish a 1 usd=3
              step.succeeded a#1 output=1 calls=1
              = running; spent $3
            > cancel undo
              run.closing ending=cancelled by=user:eve compensate=true
              attempt.abandoned b#1
              step.cancelled b
              ! abort_attempt b#1
              = closing; spent $3
            > fail b#1 cancelled
              attempt.settled b#1
              step.started a!undo#1 deadline=+10m compensates=a
              ! call_agent a!undo#1 undo({})
              = closing; spent $3
            > fail a!undo transient usd=1
              attempt.failed a!undo#1 failure=transient/story: it went wrong calls=1 retry_at=+1s
              = closing; waits: a!undo (retry until +1s); spent $4
            > tick
              at +1s
              step.started a!undo#2 deadline=+601s compensates=a
              ! call_agent a!undo#2 undo({})
              = closing; spent $4
            > finish a!undo 1
              step.succeeded a!undo#2 output=1
              run.cancelled by=user:eve
              = cancelled; spent $4
        "#]],
    );
}

#[test]
fn a_child_takes_what_is_held_back_for_it_and_is_on_the_bill() {
    check(
        r"
budget: { usd: 0.10 }
steps:
  - { id: first, orchestration: other }
  - { id: second, orchestration: other }
",
        r"
        start {}
        child first completed 1 usd=0.06
        child second completed 2 usd=0.03
        ",
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={cost: 100000} priority=0
              step.started first#1 reserved=$0.1 child
              ! start_child first#1 other({})
              = waiting; waits: first (child); reserved $0.1
            > child first completed 1 usd=0.06
              step.succeeded first#1 output=1 calls=1
              step.started second#1 reserved=$0.04 child
              ! start_child second#1 other({})
              = waiting; waits: second (child); spent $0.06; reserved $0.04
            > child second completed 2 usd=0.03
              step.succeeded second#1 output=2 calls=1
              run.completed output={}
              = completed; spent $0.09
        "#]],
    );
}

#[test]
fn what_nobody_knows_the_price_of_stays_held_back() {
    check(
        r"
budget: { usd: 0.10 }
steps:
  - { id: a, agent: x, estimate: { usd: 0.08 } }
  - { id: b, agent: x, estimate: { usd: 0.05 }, needs: [a] }
",
        r#"
        start {}
        skip a
        doubt a 0 "nobody can say"
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={cost: 100000} priority=0
              step.started a#1 reserved=$0.08 deadline=+10m
              ! call_agent a#1 x({})
              = running; reserved $0.08
            > skip a
              attempt.abandoned a#1
              step.skipped a reason="not needed" by=user:eve
              ! abort_attempt a#1
              = running; reserved $0.08
            > doubt a 0 "nobody can say"
              attempt.settled a#1 unknown="nobody can say"
              step.failed b failure=budget/over_budget: the budget of the run does not allow another attempt: $0.130000 of $0.100000
              run.closing ending=failed failure=budget/over_budget: the budget of the run does not allow another attempt: $0.130000 of $0.100000
              run.failed failure=budget/over_budget: the budget of the run does not allow another attempt: $0.130000 of $0.100000
              = failed; reserved $0.08
        "#]],
    );
}

#[test]
fn nothing_that_may_have_been_paid_is_done_again_unasked() {
    check(
        r"
phases: [{ id: one }, { id: two }]
steps:
  - { id: a, agent: x, phase: one }
  - { id: b, agent: x, phase: two, needs: [a] }
",
        r#"
        start {}
        finish a 1
        doubt b 0 "lost"
        retry b
        retry a
        rollback one "again" by=user:ann
        resolve b resend
        retry a
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              step.started a#1 deadline=+10m
              ! call_agent a#1 x({})
              = running in one
            > finish a 1
              step.succeeded a#1 output=1
              run.phase_entered phase=two
              step.started b#1 deadline=+10m
              ! call_agent b#1 x({})
              = running in two
            > doubt b 0 "lost"
              attempt.in_doubt b#1 call=0 message=lost
              = waiting in two; waits: b (doubt)
            > retry b
              refused step_state: retry_step is not possible while step b is waiting; possible now: resolve_doubt, complete_by_hand, skip_step
            > retry a
              refused step_state: retry_step is not possible while step b is waiting; possible now: resolve_doubt, complete_by_hand, skip_step
            > rollback one "again" by=user:ann
              refused step_state: roll_back is not possible while step b is waiting; possible now: resolve_doubt, complete_by_hand, skip_step
            > resolve b resend
              attempt.doubt_resolved b#1 verdict=resend call=0 by=user:eve deadline=+10m
              ! call_agent b#1 x({}) may_resend
              = running in two
            > retry a
              attempt.abandoned b#1
              steps.reset steps=[a, b] from=a by=user:eve
              step.started a#2 deadline=+10m
              ! call_agent a#2 x({})
              ! abort_attempt b#1
              = running in two
        "#]],
    );
}
