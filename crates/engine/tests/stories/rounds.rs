//! Loops and `for_each`.

use expect_test::expect;

use crate::check;

const LOOP: &str = r#"
steps:
  - id: rounds
    loop:
      max: 3
      steps:
        - { id: write, agent: writer, input: { n: "{{ loop.iteration }}", before: "{{ loop.previous }}" } }
        - { id: score, agent: critic, input: { text: "{{ steps.write.output }}" } }
      until: "steps.score.output >= 8"
      result: { text: "{{ steps.write.output }}", score: "{{ steps.score.output }}" }
      keep: { best: steps.score.output }
outputs: { r: "{{ steps.rounds.output }}" }
"#;

#[test]
fn again_until_it_is_good() {
    check(
        LOOP,
        r#"
        start {}
        finish rounds[0].write "a"
        finish rounds[0].score 5
        finish rounds[1].write "b"
        finish rounds[1].score 9
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              loop.iteration_started rounds iteration=0
              step.started rounds[0].write#1 deadline=+10m
              ! call_agent rounds[0].write#1 writer({n: 1, before: null})
              = running
            > finish rounds[0].write "a"
              step.succeeded rounds[0].write#1 output=a
              step.started rounds[0].score#1 deadline=+10m
              ! call_agent rounds[0].score#1 critic({text: a})
              = running
            > finish rounds[0].score 5
              step.succeeded rounds[0].score#1 output=5
              loop.iteration_finished rounds iteration=0 result={text: a, score: 5} score=5.0 good=false
              loop.iteration_started rounds iteration=1
              step.started rounds[1].write#1 deadline=+10m
              ! call_agent rounds[1].write#1 writer({n: 2, before: {text: a, score: 5}})
              = running
            > finish rounds[1].write "b"
              step.succeeded rounds[1].write#1 output=b
              step.started rounds[1].score#1 deadline=+10m
              ! call_agent rounds[1].score#1 critic({text: b})
              = running
            > finish rounds[1].score 9
              step.succeeded rounds[1].score#1 output=9
              loop.iteration_finished rounds iteration=1 result={text: b, score: 9} score=9.0 good=true
              step.succeeded rounds output={text: b, score: 9}
              run.completed output={r: {text: b, score: 9}}
              = completed
        "#]],
    );
}

#[test]
fn never_good_enough_keeps_the_best_with_a_flag() {
    check(
        LOOP,
        r#"
        start {}
        finish rounds[0].write "a"
        finish rounds[0].score 5
        finish rounds[1].write "b"
        finish rounds[1].score 7
        finish rounds[2].write "c"
        finish rounds[2].score 6
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              loop.iteration_started rounds iteration=0
              step.started rounds[0].write#1 deadline=+10m
              ! call_agent rounds[0].write#1 writer({n: 1, before: null})
              = running
            > finish rounds[0].write "a"
              step.succeeded rounds[0].write#1 output=a
              step.started rounds[0].score#1 deadline=+10m
              ! call_agent rounds[0].score#1 critic({text: a})
              = running
            > finish rounds[0].score 5
              step.succeeded rounds[0].score#1 output=5
              loop.iteration_finished rounds iteration=0 result={text: a, score: 5} score=5.0 good=false
              loop.iteration_started rounds iteration=1
              step.started rounds[1].write#1 deadline=+10m
              ! call_agent rounds[1].write#1 writer({n: 2, before: {text: a, score: 5}})
              = running
            > finish rounds[1].write "b"
              step.succeeded rounds[1].write#1 output=b
              step.started rounds[1].score#1 deadline=+10m
              ! call_agent rounds[1].score#1 critic({text: b})
              = running
            > finish rounds[1].score 7
              step.succeeded rounds[1].score#1 output=7
              loop.iteration_finished rounds iteration=1 result={text: b, score: 7} score=7.0 good=false
              loop.iteration_started rounds iteration=2
              step.started rounds[2].write#1 deadline=+10m
              ! call_agent rounds[2].write#1 writer({n: 3, before: {text: b, score: 7}})
              = running
            > finish rounds[2].write "c"
              step.succeeded rounds[2].write#1 output=c
              step.started rounds[2].score#1 deadline=+10m
              ! call_agent rounds[2].score#1 critic({text: c})
              = running
            > finish rounds[2].score 6
              step.succeeded rounds[2].score#1 output=6
              loop.iteration_finished rounds iteration=2 result={text: c, score: 6} score=6.0 good=false
              step.succeeded rounds output={text: b, score: 7, flagged: true} failure=rejected/loop_exhausted: 3 iterations, none good enough
              run.completed output={r: {text: b, score: 7, flagged: true}}
              = completed
        "#]],
    );
}

#[test]
fn never_good_enough_fails() {
    check(
        r#"
steps:
  - id: rounds
    loop:
      max: 2
      steps: [{ id: write, agent: writer }]
      until: "steps.write.output > 8"
      on_exhausted: fail
"#,
        r"
        start {}
        finish rounds[0].write 1
        finish rounds[1].write 2
        ",
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              loop.iteration_started rounds iteration=0
              step.started rounds[0].write#1 deadline=+10m
              ! call_agent rounds[0].write#1 writer({})
              = running
            > finish rounds[0].write 1
              step.succeeded rounds[0].write#1 output=1
              loop.iteration_finished rounds iteration=0 result=1 good=false
              loop.iteration_started rounds iteration=1
              step.started rounds[1].write#1 deadline=+10m
              ! call_agent rounds[1].write#1 writer({})
              = running
            > finish rounds[1].write 2
              step.succeeded rounds[1].write#1 output=2
              loop.iteration_finished rounds iteration=1 result=2 good=false
              step.failed rounds failure=rejected/loop_exhausted: 2 iterations, none good enough
              run.closing ending=failed failure=rejected/loop_exhausted: 2 iterations, none good enough
              run.failed failure=rejected/loop_exhausted: 2 iterations, none good enough
              = failed
        "#]],
    );
}

#[test]
fn a_flag_on_a_result_that_is_no_object_is_a_failure_beside_it() {
    check(
        r#"
steps:
  - id: rounds
    loop: { max: 1, steps: [{ id: write, agent: writer }], until: "false" }
outputs: { text: "{{ steps.rounds.output }}", flag: "{{ steps.rounds.failure.code }}" }
"#,
        r#"
        start {}
        finish rounds[0].write "text"
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              loop.iteration_started rounds iteration=0
              step.started rounds[0].write#1 deadline=+10m
              ! call_agent rounds[0].write#1 writer({})
              = running
            > finish rounds[0].write "text"
              step.succeeded rounds[0].write#1 output=text
              loop.iteration_finished rounds iteration=0 result=text good=false
              step.succeeded rounds output=text failure=rejected/loop_exhausted: 1 iterations, none good enough
              run.completed output={text: text, flag: loop_exhausted}
              = completed
        "#]],
    );
}

#[test]
fn a_person_is_the_judge() {
    check(
        r#"
steps:
  - id: rounds
    loop:
      max: 3
      steps:
        - { id: write, agent: writer }
        - id: ok
          checkpoint: { question: Good?, show: { text: "{{ steps.write.output }}" }, modifications: { type: object }, options: [continue] }
      until: "default(steps.ok.output.comment, '') != 'again'"
      result: "{{ steps.ok.output.content }}"
"#,
        r#"
        start {}
        finish rounds[0].write "a"
        answer rounds[0].ok continue by=user:ann "again"
        finish rounds[1].write "b"
        answer rounds[1].ok continue by=user:ann
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              loop.iteration_started rounds iteration=0
              step.started rounds[0].write#1 deadline=+10m
              ! call_agent rounds[0].write#1 writer({})
              = running
            > finish rounds[0].write "a"
              step.succeeded rounds[0].write#1 output=a
              checkpoint.opened rounds[0].ok question=Good? show={text: a}
              = waiting; waits: rounds[0].ok (person)
            > answer rounds[0].ok continue by=user:ann "again"
              checkpoint.answered rounds[0].ok answer={verb: continue, by: user:ann, comment: again, at: +0ms} decides=true
              step.succeeded rounds[0].ok output={decision: continue, by: user:ann, comment: again, content: {text: a}}
              loop.iteration_finished rounds iteration=0 result={text: a} good=false
              loop.iteration_started rounds iteration=1
              step.started rounds[1].write#1 deadline=+10m
              ! call_agent rounds[1].write#1 writer({})
              = running
            > finish rounds[1].write "b"
              step.succeeded rounds[1].write#1 output=b
              checkpoint.opened rounds[1].ok question=Good? show={text: b}
              = waiting; waits: rounds[1].ok (person)
            > answer rounds[1].ok continue by=user:ann
              checkpoint.answered rounds[1].ok answer={verb: continue, by: user:ann, at: +0ms} decides=true
              step.succeeded rounds[1].ok output={decision: continue, by: user:ann, comment: null, content: {text: b}}
              loop.iteration_finished rounds iteration=1 result={text: b} good=true
              step.succeeded rounds output={text: b}
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn a_failed_iteration_fails_the_loop_and_is_taken_up_where_it_failed() {
    check(
        LOOP,
        r#"
        start {}
        finish rounds[0].write "a"
        finish rounds[0].score 5
        finish rounds[1].write "b" usd=1
        fail rounds[1].score validation "no"
        retry rounds[1].score {"hint":"be kind"} by=user:ann
        finish rounds[1].score 9
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              loop.iteration_started rounds iteration=0
              step.started rounds[0].write#1 deadline=+10m
              ! call_agent rounds[0].write#1 writer({n: 1, before: null})
              = running
            > finish rounds[0].write "a"
              step.succeeded rounds[0].write#1 output=a
              step.started rounds[0].score#1 deadline=+10m
              ! call_agent rounds[0].score#1 critic({text: a})
              = running
            > finish rounds[0].score 5
              step.succeeded rounds[0].score#1 output=5
              loop.iteration_finished rounds iteration=0 result={text: a, score: 5} score=5.0 good=false
              loop.iteration_started rounds iteration=1
              step.started rounds[1].write#1 deadline=+10m
              ! call_agent rounds[1].write#1 writer({n: 2, before: {text: a, score: 5}})
              = running
            > finish rounds[1].write "b" usd=1
              step.succeeded rounds[1].write#1 output=b calls=1
              step.started rounds[1].score#1 deadline=+10m
              ! call_agent rounds[1].score#1 critic({text: b})
              = running; spent $1
            > fail rounds[1].score validation "no"
              attempt.failed rounds[1].score#1 failure=validation/story: no
              step.failed rounds[1].score failure=validation/story: no
              step.failed rounds failure=validation/story: no
              run.closing ending=failed failure=validation/story: no
              run.failed failure=validation/story: no
              = failed; spent $1
            > retry rounds[1].score {"hint":"be kind"} by=user:ann
              run.reopened by=user:ann
              steps.reset steps=[rounds[1].score] from=rounds[1].score feedback={hint: "be kind"} by=user:ann
              step.started rounds[1].score#2 deadline=+10m
              ! call_agent rounds[1].score#2 critic({text: b}) feedback={hint: "be kind"}
              = running; spent $1
            > finish rounds[1].score 9
              step.succeeded rounds[1].score#2 output=9
              loop.iteration_finished rounds iteration=1 result={text: b, score: 9} score=9.0 good=true
              step.succeeded rounds output={text: b, score: 9}
              run.completed output={r: {text: b, score: 9}}
              = completed; spent $1
        "#]],
    );
}

#[test]
fn an_earlier_iteration_is_not_done_again_alone() {
    check(
        LOOP,
        r#"
        start {}
        finish rounds[0].write "a"
        finish rounds[0].score 5
        retry rounds[0].write
        retry rounds
        finish rounds[0].write "b"
        finish rounds[1].write#1 "late" usd=1
        finish rounds[0].score 9
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              loop.iteration_started rounds iteration=0
              step.started rounds[0].write#1 deadline=+10m
              ! call_agent rounds[0].write#1 writer({n: 1, before: null})
              = running
            > finish rounds[0].write "a"
              step.succeeded rounds[0].write#1 output=a
              step.started rounds[0].score#1 deadline=+10m
              ! call_agent rounds[0].score#1 critic({text: a})
              = running
            > finish rounds[0].score 5
              step.succeeded rounds[0].score#1 output=5
              loop.iteration_finished rounds iteration=0 result={text: a, score: 5} score=5.0 good=false
              loop.iteration_started rounds iteration=1
              step.started rounds[1].write#1 deadline=+10m
              ! call_agent rounds[1].write#1 writer({n: 2, before: {text: a, score: 5}})
              = running
            > retry rounds[0].write
              refused step_state: retry_step is not possible while step rounds[0].write is succeeded; possible now: nothing
            > retry rounds
              attempt.abandoned rounds[1].write#1
              step.cancelled rounds[1].write
              step.cancelled rounds[1].score
              steps.reset steps=[rounds] from=rounds by=user:eve
              loop.iteration_started rounds iteration=0
              step.started rounds[0].write#2 deadline=+10m
              ! abort_attempt rounds[1].write#1
              ! call_agent rounds[0].write#2 writer({n: 1, before: null})
              = running
            > finish rounds[0].write "b"
              step.succeeded rounds[0].write#2 output=b
              step.started rounds[0].score#2 deadline=+10m
              ! call_agent rounds[0].score#2 critic({text: b})
              = running
            > finish rounds[1].write#1 "late" usd=1
              attempt.settled rounds[1].write#1 calls=1 output=late
              = running; spent $1
            > finish rounds[0].score 9
              step.succeeded rounds[0].score#2 output=9
              loop.iteration_finished rounds iteration=0 result={text: b, score: 9} score=9.0 good=true
              step.succeeded rounds output={text: b, score: 9}
              run.completed output={r: {text: b, score: 9}}
              = completed; spent $1
        "#]],
    );
}

#[test]
fn a_step_of_the_present_iteration_is_done_again() {
    check(
        LOOP,
        r#"
        start {}
        finish rounds[0].write "a"
        retry rounds[0].write edits={"n":7} by=user:ann
        finish rounds[0].write "b"
        finish rounds[0].score 9
        "#,
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              loop.iteration_started rounds iteration=0
              step.started rounds[0].write#1 deadline=+10m
              ! call_agent rounds[0].write#1 writer({n: 1, before: null})
              = running
            > finish rounds[0].write "a"
              step.succeeded rounds[0].write#1 output=a
              step.started rounds[0].score#1 deadline=+10m
              ! call_agent rounds[0].score#1 critic({text: a})
              = running
            > retry rounds[0].write edits={"n":7} by=user:ann
              attempt.abandoned rounds[0].score#1
              steps.reset steps=[rounds[0].write, rounds[0].score] from=rounds[0].write edits={n: 7} by=user:ann
              step.started rounds[0].write#2 deadline=+10m
              ! call_agent rounds[0].write#2 writer({n: 7, before: null})
              ! abort_attempt rounds[0].score#1
              = running
            > finish rounds[0].write "b"
              step.succeeded rounds[0].write#2 output=b
              step.started rounds[0].score#2 deadline=+10m
              ! call_agent rounds[0].score#2 critic({text: b})
              = running
            > finish rounds[0].score 9
              step.succeeded rounds[0].score#2 output=9
              loop.iteration_finished rounds iteration=0 result={text: b, score: 9} score=9.0 good=true
              step.succeeded rounds output={text: b, score: 9}
              = running
        "#]],
    );
}

#[test]
fn a_gate_in_a_loop_counts_from_the_beginning_in_each_round() {
    check(
        r#"
steps:
  - id: rounds
    loop:
      max: 2
      until: "steps.write.output > 8"
      steps:
        - { id: write, agent: writer }
        - id: gate
          gate: { rules: [{ when: "steps.write.output < 3", verdict: retry }], retry_from: write, retries_max: 1 }
"#,
        r"
        start {}
        finish rounds[0].write 1
        finish rounds[0].write 4
        finish rounds[1].write 1
        finish rounds[1].write 9
        ",
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              loop.iteration_started rounds iteration=0
              step.started rounds[0].write#1 deadline=+10m
              ! call_agent rounds[0].write#1 writer({})
              = running
            > finish rounds[0].write 1
              step.succeeded rounds[0].write#1 output=1
              gate.decided rounds[0].gate verdict=retry
              steps.reset steps=[rounds[0].write, rounds[0].gate] from=rounds[0].write feedback={reason: null, judgement: null, by: rounds[0].gate} by=rounds[0].gate
              step.started rounds[0].write#2 deadline=+10m
              ! call_agent rounds[0].write#2 writer({}) feedback={reason: null, judgement: null, by: rounds[0].gate}
              = running
            > finish rounds[0].write 4
              step.succeeded rounds[0].write#2 output=4
              gate.decided rounds[0].gate verdict=accept
              step.succeeded rounds[0].gate output={verdict: accept, reason: null, judgement: null}
              loop.iteration_finished rounds iteration=0 result={verdict: accept, reason: null, judgement: null} good=false
              loop.iteration_started rounds iteration=1
              step.started rounds[1].write#1 deadline=+10m
              ! call_agent rounds[1].write#1 writer({})
              = running
            > finish rounds[1].write 1
              step.succeeded rounds[1].write#1 output=1
              gate.decided rounds[1].gate verdict=retry
              steps.reset steps=[rounds[1].write, rounds[1].gate] from=rounds[1].write feedback={reason: null, judgement: null, by: rounds[1].gate} by=rounds[1].gate
              step.started rounds[1].write#2 deadline=+10m
              ! call_agent rounds[1].write#2 writer({}) feedback={reason: null, judgement: null, by: rounds[1].gate}
              = running
            > finish rounds[1].write 9
              step.succeeded rounds[1].write#2 output=9
              gate.decided rounds[1].gate verdict=accept
              step.succeeded rounds[1].gate output={verdict: accept, reason: null, judgement: null}
              loop.iteration_finished rounds iteration=1 result={verdict: accept, reason: null, judgement: null} good=true
              step.succeeded rounds output={verdict: accept, reason: null, judgement: null}
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn a_loop_out_of_time() {
    check(
        r#"
steps:
  - id: rounds
    timeout: 1h
    loop: { max: 5, steps: [{ id: write, agent: writer, timeout: 40m }], until: "false" }
"#,
        r"
        start {}
        tick +30m
        finish rounds[0].write 1
        tick +30m
        finish rounds[1].write#1 2 usd=0.5
        ",
        expect![[r#"
            > start {}
              run.started input={} started_by=user:starter budget={} priority=0
              loop.iteration_started rounds iteration=0
              step.started rounds[0].write#1 deadline=+40m
              ! call_agent rounds[0].write#1 writer({})
              = running
            > tick +30m
              at +30m
              = running
            > finish rounds[0].write 1
              step.succeeded rounds[0].write#1 output=1
              loop.iteration_finished rounds iteration=0 result=1 good=false
              loop.iteration_started rounds iteration=1
              step.started rounds[1].write#1 deadline=+70m
              ! call_agent rounds[1].write#1 writer({})
              = running
            > tick +30m
              at +1h
              attempt.abandoned rounds[1].write#1
              step.cancelled rounds[1].write
              step.failed rounds failure=timeout/step_timeout: it took longer than its limit
              run.closing ending=failed failure=timeout/step_timeout: it took longer than its limit
              ! abort_attempt rounds[1].write#1
              = closing
            > finish rounds[1].write#1 2 usd=0.5
              attempt.settled rounds[1].write#1 calls=1 output=2
              run.failed failure=timeout/step_timeout: it took longer than its limit
              = failed; spent $0.5
        "#]],
    );
}

const EACH: &str = r#"
steps:
  - id: each
    for_each:
      items: input.list
      concurrency: 2
      steps: [{ id: draw, agent: x, retry: 1, input: { what: "{{ item }}", n: "{{ index }}" } }]
  - { id: last, agent: y, input: { all: "{{ steps.each.output }}" } }
"#;

#[test]
fn so_many_at_a_time_in_the_order_of_the_list() {
    check(
        EACH,
        r#"
        start {"list":["p","q","r"]}
        finish each[1].draw "Q"
        finish each[2].draw "R"
        finish each[0].draw "P"
        finish last 1
        "#,
        expect![[r#"
            > start {"list":["p","q","r"]}
              run.started input={list: [p, q, r]} started_by=user:starter budget={} priority=0
              for_each.expanded each items=[p, q, r]
              for_each.item_started each index=0
              for_each.item_started each index=1
              step.started each[0].draw#1 deadline=+10m
              step.started each[1].draw#1 deadline=+10m
              ! call_agent each[0].draw#1 x({what: p, n: 0})
              ! call_agent each[1].draw#1 x({what: q, n: 1})
              = running
            > finish each[1].draw "Q"
              step.succeeded each[1].draw#1 output=Q
              for_each.item_finished each index=1 result=Q
              for_each.item_started each index=2
              step.started each[2].draw#1 deadline=+10m
              ! call_agent each[2].draw#1 x({what: r, n: 2})
              = running
            > finish each[2].draw "R"
              step.succeeded each[2].draw#1 output=R
              for_each.item_finished each index=2 result=R
              = running
            > finish each[0].draw "P"
              step.succeeded each[0].draw#1 output=P
              for_each.item_finished each index=0 result=P
              step.succeeded each output=[P, Q, R]
              step.started last#1 deadline=+10m
              ! call_agent last#1 y({all: [P, Q, R]})
              = running
            > finish last 1
              step.succeeded last#1 output=1
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn one_failed_element_fails_the_step_and_only_it_is_done_again() {
    check(
        EACH,
        r#"
        start {"list":["p","q","r","s"]}
        finish each[0].draw "P" usd=1
        fail each[1].draw validation "no"
        finish each[2].draw#1 "late" usd=1
        retry each[1].draw edits={"what":"Q!"} by=user:ann
        finish each[1].draw "Q"
        finish each[2].draw "R"
        finish each[3].draw "S"
        finish last 1
        "#,
        expect![[r#"
            > start {"list":["p","q","r","s"]}
              run.started input={list: [p, q, r, s]} started_by=user:starter budget={} priority=0
              for_each.expanded each items=[p, q, r, s]
              for_each.item_started each index=0
              for_each.item_started each index=1
              step.started each[0].draw#1 deadline=+10m
              step.started each[1].draw#1 deadline=+10m
              ! call_agent each[0].draw#1 x({what: p, n: 0})
              ! call_agent each[1].draw#1 x({what: q, n: 1})
              = running
            > finish each[0].draw "P" usd=1
              step.succeeded each[0].draw#1 output=P calls=1
              for_each.item_finished each index=0 result=P
              for_each.item_started each index=2
              step.started each[2].draw#1 deadline=+10m
              ! call_agent each[2].draw#1 x({what: r, n: 2})
              = running; spent $1
            > fail each[1].draw validation "no"
              attempt.failed each[1].draw#1 failure=validation/story: no
              step.failed each[1].draw failure=validation/story: no
              for_each.item_finished each index=1 failure=validation/story: no
              attempt.abandoned each[2].draw#1
              step.cancelled each[2].draw
              step.failed each failure=validation/story: element 1: no
              run.closing ending=failed failure=validation/story: element 1: no
              step.cancelled last
              ! abort_attempt each[2].draw#1
              = closing; spent $1
            > finish each[2].draw#1 "late" usd=1
              attempt.settled each[2].draw#1 calls=1 output=late
              run.failed failure=validation/story: element 1: no
              = failed; spent $2
            > retry each[1].draw edits={"what":"Q!"} by=user:ann
              run.reopened by=user:ann
              steps.reset steps=[last, each[1].draw, each[2].draw] from=each[1].draw edits={what: Q!} by=user:ann
              step.started each[1].draw#2 deadline=+10m
              step.started each[2].draw#2 deadline=+10m
              ! call_agent each[1].draw#2 x({what: Q!, n: 1})
              ! call_agent each[2].draw#2 x({what: r, n: 2})
              = running; spent $2
            > finish each[1].draw "Q"
              step.succeeded each[1].draw#2 output=Q
              for_each.item_finished each index=1 result=Q
              for_each.item_started each index=3
              step.started each[3].draw#1 deadline=+10m
              ! call_agent each[3].draw#1 x({what: s, n: 3})
              = running; spent $2
            > finish each[2].draw "R"
              step.succeeded each[2].draw#2 output=R
              for_each.item_finished each index=2 result=R
              = running; spent $2
            > finish each[3].draw "S"
              step.succeeded each[3].draw#1 output=S
              for_each.item_finished each index=3 result=S
              step.succeeded each output=[P, Q, R, S]
              step.started last#1 deadline=+10m
              ! call_agent last#1 y({all: [P, Q, R, S]})
              = running; spent $2
            > finish last 1
              step.succeeded last#1 output=1
              run.completed output={}
              = completed; spent $2
        "#]],
    );
}

#[test]
fn a_failed_element_is_skipped_with_something_in_its_place() {
    check(
        EACH,
        r#"
        start {"list":["p","q"]}
        finish each[0].draw "P"
        fail each[1].draw validation "no"
        skip each[1].draw output="plain" "good enough" by=user:ann
        finish last 1
        "#,
        expect![[r#"
            > start {"list":["p","q"]}
              run.started input={list: [p, q]} started_by=user:starter budget={} priority=0
              for_each.expanded each items=[p, q]
              for_each.item_started each index=0
              for_each.item_started each index=1
              step.started each[0].draw#1 deadline=+10m
              step.started each[1].draw#1 deadline=+10m
              ! call_agent each[0].draw#1 x({what: p, n: 0})
              ! call_agent each[1].draw#1 x({what: q, n: 1})
              = running
            > finish each[0].draw "P"
              step.succeeded each[0].draw#1 output=P
              for_each.item_finished each index=0 result=P
              = running
            > fail each[1].draw validation "no"
              attempt.failed each[1].draw#1 failure=validation/story: no
              step.failed each[1].draw failure=validation/story: no
              for_each.item_finished each index=1 failure=validation/story: no
              step.failed each failure=validation/story: element 1: no
              run.closing ending=failed failure=validation/story: element 1: no
              step.cancelled last
              run.failed failure=validation/story: element 1: no
              = failed
            > skip each[1].draw output="plain" "good enough" by=user:ann
              run.reopened by=user:ann
              steps.reset steps=[last, each[1].draw] from=each[1].draw by=user:ann
              step.skipped each[1].draw reason="good enough" by=user:ann output=plain
              for_each.item_finished each index=1 result=plain
              step.succeeded each output=[P, plain]
              step.started last#1 deadline=+10m
              ! call_agent last#1 y({all: [P, plain]})
              = running
            > finish last 1
              step.succeeded last#1 output=1
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn partial_results() {
    check(
        r#"
steps:
  - id: each
    for_each:
      items: input.list
      on_item_failure: collect
      steps: [{ id: draw, agent: x, retry: 1 }]
outputs: { all: "{{ steps.each.output }}", why: "{{ steps.each.failure.message }}" }
"#,
        r#"
        start {"list":["p","q"]}
        fail each[1].draw validation "no"
        finish each[0].draw "P"
        "#,
        expect![[r#"
            > start {"list":["p","q"]}
              run.started input={list: [p, q]} started_by=user:starter budget={} priority=0
              for_each.expanded each items=[p, q]
              for_each.item_started each index=0
              for_each.item_started each index=1
              step.started each[0].draw#1 deadline=+10m
              step.started each[1].draw#1 deadline=+10m
              ! call_agent each[0].draw#1 x({})
              ! call_agent each[1].draw#1 x({})
              = running
            > fail each[1].draw validation "no"
              attempt.failed each[1].draw#1 failure=validation/story: no
              step.failed each[1].draw failure=validation/story: no
              for_each.item_finished each index=1 failure=validation/story: no
              = running
            > finish each[0].draw "P"
              step.succeeded each[0].draw#1 output=P
              for_each.item_finished each index=0 result=P
              step.succeeded each output=[P, null] failure=validation/partial: elements 1 are missing: no
              run.completed output={all: [P, null], why: "elements 1 are missing: no"}
              = completed
        "#]],
    );
}

#[test]
fn a_missing_element_is_made_up_for_while_the_run_goes_on() {
    check(
        r#"
steps:
  - id: each
    for_each:
      items: input.list
      on_item_failure: collect
      steps: [{ id: draw, agent: x, retry: 1 }]
  - { id: last, agent: y, input: { all: "{{ steps.each.output }}" } }
"#,
        r#"
        start {"list":["p","q"]}
        fail each[1].draw validation "no"
        finish each[0].draw "P"
        retry each[1].draw by=user:ann
        finish last#1 "on half of it" usd=0.1
        finish each[1].draw "Q"
        finish last "on all of it"
        "#,
        expect![[r#"
            > start {"list":["p","q"]}
              run.started input={list: [p, q]} started_by=user:starter budget={} priority=0
              for_each.expanded each items=[p, q]
              for_each.item_started each index=0
              for_each.item_started each index=1
              step.started each[0].draw#1 deadline=+10m
              step.started each[1].draw#1 deadline=+10m
              ! call_agent each[0].draw#1 x({})
              ! call_agent each[1].draw#1 x({})
              = running
            > fail each[1].draw validation "no"
              attempt.failed each[1].draw#1 failure=validation/story: no
              step.failed each[1].draw failure=validation/story: no
              for_each.item_finished each index=1 failure=validation/story: no
              = running
            > finish each[0].draw "P"
              step.succeeded each[0].draw#1 output=P
              for_each.item_finished each index=0 result=P
              step.succeeded each output=[P, null] failure=validation/partial: elements 1 are missing: no
              step.started last#1 deadline=+10m
              ! call_agent last#1 y({all: [P, null]})
              = running
            > retry each[1].draw by=user:ann
              attempt.abandoned last#1
              steps.reset steps=[last, each[1].draw] from=each[1].draw by=user:ann
              step.started each[1].draw#2 deadline=+10m
              ! abort_attempt last#1
              ! call_agent each[1].draw#2 x({})
              = running
            > finish last#1 "on half of it" usd=0.1
              attempt.settled last#1 calls=1 output="on half of it"
              = running; spent $0.1
            > finish each[1].draw "Q"
              step.succeeded each[1].draw#2 output=Q
              for_each.item_finished each index=1 result=Q
              step.succeeded each output=[P, Q]
              step.started last#2 deadline=+10m
              ! call_agent last#2 y({all: [P, Q]})
              = running; spent $0.1
            > finish last "on all of it"
              step.succeeded last#2 output="on all of it"
              run.completed output={}
              = completed; spent $0.1
        "#]],
    );
}

#[test]
fn all_elements_failed() {
    check(
        r#"
steps:
  - id: each
    for_each:
      items: input.list
      on_item_failure: collect
      steps: [{ id: draw, agent: x, retry: 1 }]
"#,
        r#"
        start {"list":["p","q"]}
        fail each[1].draw validation "no"
        fail each[0].draw validation "neither"
        "#,
        expect![[r#"
            > start {"list":["p","q"]}
              run.started input={list: [p, q]} started_by=user:starter budget={} priority=0
              for_each.expanded each items=[p, q]
              for_each.item_started each index=0
              for_each.item_started each index=1
              step.started each[0].draw#1 deadline=+10m
              step.started each[1].draw#1 deadline=+10m
              ! call_agent each[0].draw#1 x({})
              ! call_agent each[1].draw#1 x({})
              = running
            > fail each[1].draw validation "no"
              attempt.failed each[1].draw#1 failure=validation/story: no
              step.failed each[1].draw failure=validation/story: no
              for_each.item_finished each index=1 failure=validation/story: no
              = running
            > fail each[0].draw validation "neither"
              attempt.failed each[0].draw#1 failure=validation/story: neither
              step.failed each[0].draw failure=validation/story: neither
              for_each.item_finished each index=0 failure=validation/story: neither
              step.failed each failure=provider/too_few_items: 0 elements succeeded, 2 are needed; first: no
              run.closing ending=failed failure=provider/too_few_items: 0 elements succeeded, 2 are needed; first: no
              run.failed failure=provider/too_few_items: 0 elements succeeded, 2 are needed; first: no
              = failed
        "#]],
    );
}

#[test]
fn the_first_to_succeed_is_enough() {
    check(
        r#"
steps:
  - id: race
    for_each:
      items: input.list
      join: any
      steps: [{ id: ask, agent: x, retry: 1 }]
outputs: { all: "{{ steps.race.output }}" }
"#,
        r#"
        start {"list":["p","q","r"]}
        fail race[0].ask validation "no"
        finish race[1].ask "Q"
        finish race[2].ask "too late" usd=0.3
        "#,
        expect![[r#"
            > start {"list":["p","q","r"]}
              run.started input={list: [p, q, r]} started_by=user:starter budget={} priority=0
              for_each.expanded race items=[p, q, r]
              for_each.item_started race index=0
              for_each.item_started race index=1
              for_each.item_started race index=2
              step.started race[0].ask#1 deadline=+10m
              step.started race[1].ask#1 deadline=+10m
              step.started race[2].ask#1 deadline=+10m
              ! call_agent race[0].ask#1 x({})
              ! call_agent race[1].ask#1 x({})
              ! call_agent race[2].ask#1 x({})
              = running
            > fail race[0].ask validation "no"
              attempt.failed race[0].ask#1 failure=validation/story: no
              step.failed race[0].ask failure=validation/story: no
              for_each.item_finished race index=0 failure=validation/story: no
              = running
            > finish race[1].ask "Q"
              step.succeeded race[1].ask#1 output=Q
              for_each.item_finished race index=1 result=Q
              attempt.abandoned race[2].ask#1
              step.cancelled race[2].ask
              step.succeeded race output=[null, Q, null] failure=validation/partial: elements 0 are missing: no
              ! abort_attempt race[2].ask#1
              = running
            > finish race[2].ask "too late" usd=0.3
              attempt.settled race[2].ask#1 calls=1 output="too late"
              run.completed output={all: [null, Q, null]}
              = completed; spent $0.3
        "#]],
    );
}

#[test]
fn two_of_three_can_no_longer_succeed() {
    check(
        r#"
steps:
  - id: race
    for_each:
      items: input.list
      join: { at_least: 2 }
      steps: [{ id: ask, agent: x, retry: 1 }]
"#,
        r#"
        start {"list":["p","q","r"]}
        fail race[0].ask validation "no"
        fail race[2].ask validation "no"
        fail race[1].ask#1 cancelled "stopped"
        "#,
        expect![[r#"
            > start {"list":["p","q","r"]}
              run.started input={list: [p, q, r]} started_by=user:starter budget={} priority=0
              for_each.expanded race items=[p, q, r]
              for_each.item_started race index=0
              for_each.item_started race index=1
              for_each.item_started race index=2
              step.started race[0].ask#1 deadline=+10m
              step.started race[1].ask#1 deadline=+10m
              step.started race[2].ask#1 deadline=+10m
              ! call_agent race[0].ask#1 x({})
              ! call_agent race[1].ask#1 x({})
              ! call_agent race[2].ask#1 x({})
              = running
            > fail race[0].ask validation "no"
              attempt.failed race[0].ask#1 failure=validation/story: no
              step.failed race[0].ask failure=validation/story: no
              for_each.item_finished race index=0 failure=validation/story: no
              = running
            > fail race[2].ask validation "no"
              attempt.failed race[2].ask#1 failure=validation/story: no
              step.failed race[2].ask failure=validation/story: no
              for_each.item_finished race index=2 failure=validation/story: no
              attempt.abandoned race[1].ask#1
              step.cancelled race[1].ask
              step.failed race failure=provider/too_few_items: 0 elements succeeded, 2 are needed; first: no
              run.closing ending=failed failure=provider/too_few_items: 0 elements succeeded, 2 are needed; first: no
              ! abort_attempt race[1].ask#1
              = closing
            > fail race[1].ask#1 cancelled "stopped"
              attempt.settled race[1].ask#1
              run.failed failure=provider/too_few_items: 0 elements succeeded, 2 are needed; first: no
              = failed
        "#]],
    );
}

#[test]
fn a_winner_done_again_that_fails_has_no_losers_to_wait_for() {
    check(
        r#"
steps:
  - id: race
    for_each:
      items: input.list
      join: any
      steps: [{ id: ask, agent: x, retry: 1 }]
  - { id: last, agent: y, needs: race }
"#,
        r#"
        start {"list":["p","q"]}
        finish race[0].ask "P"
        fail race[1].ask#1 cancelled "stopped"
        retry race[0].ask by=user:ann
        fail last#1 cancelled "stopped"
        fail race[0].ask validation "no"
        "#,
        expect![[r#"
            > start {"list":["p","q"]}
              run.started input={list: [p, q]} started_by=user:starter budget={} priority=0
              for_each.expanded race items=[p, q]
              for_each.item_started race index=0
              for_each.item_started race index=1
              step.started race[0].ask#1 deadline=+10m
              step.started race[1].ask#1 deadline=+10m
              ! call_agent race[0].ask#1 x({})
              ! call_agent race[1].ask#1 x({})
              = running
            > finish race[0].ask "P"
              step.succeeded race[0].ask#1 output=P
              for_each.item_finished race index=0 result=P
              attempt.abandoned race[1].ask#1
              step.cancelled race[1].ask
              step.succeeded race output=[P, null]
              step.started last#1 deadline=+10m
              ! call_agent last#1 y({})
              ! abort_attempt race[1].ask#1
              = running
            > fail race[1].ask#1 cancelled "stopped"
              attempt.settled race[1].ask#1
              = running
            > retry race[0].ask by=user:ann
              attempt.abandoned last#1
              steps.reset steps=[last, race[0].ask] from=race[0].ask by=user:ann
              step.started race[0].ask#2 deadline=+10m
              ! abort_attempt last#1
              ! call_agent race[0].ask#2 x({})
              = running
            > fail last#1 cancelled "stopped"
              attempt.settled last#1
              = running
            > fail race[0].ask validation "no"
              attempt.failed race[0].ask#2 failure=validation/story: no
              step.failed race[0].ask failure=validation/story: no
              for_each.item_finished race index=0 failure=validation/story: no
              step.failed race failure=provider/too_few_items: 0 elements succeeded, 1 are needed; first: no
              run.closing ending=failed failure=provider/too_few_items: 0 elements succeeded, 1 are needed; first: no
              step.cancelled last
              run.failed failure=provider/too_few_items: 0 elements succeeded, 1 are needed; first: no
              = failed
        "#]],
    );
}

#[test]
fn an_empty_list() {
    check(
        EACH,
        r#"
        start {"list":[]}
        finish last 1
        "#,
        expect![[r#"
            > start {"list":[]}
              run.started input={list: []} started_by=user:starter budget={} priority=0
              for_each.expanded each items=[]
              step.succeeded each output=[]
              step.started last#1 deadline=+10m
              ! call_agent last#1 y({all: []})
              = running
            > finish last 1
              step.succeeded last#1 output=1
              run.completed output={}
              = completed
        "#]],
    );
}

#[test]
fn an_empty_list_where_none_is_allowed() {
    check(
        r#"
steps:
  - id: each
    for_each: { items: input.list, allow_empty: false, steps: [{ id: draw, agent: x }] }
"#,
        r#"
        start {"list":[]}
        "#,
        expect![[r#"
            > start {"list":[]}
              run.started input={list: []} started_by=user:starter budget={} priority=0
              step.failed each failure=validation/items_count: the list is empty
              run.closing ending=failed failure=validation/items_count: the list is empty
              run.failed failure=validation/items_count: the list is empty
              = failed
        "#]],
    );
}

#[test]
fn no_list_at_all() {
    check(
        EACH,
        r#"
        start {"list":"p, q"}
        "#,
        expect![[r#"
            > start {"list":"p, q"}
              run.started input={list: "p, q"} started_by=user:starter budget={} priority=0
              step.failed each failure=validation/items_not_a_list: `input.list` is text, not a list
              run.closing ending=failed failure=validation/items_not_a_list: `input.list` is text, not a list
              step.cancelled last
              run.failed failure=validation/items_not_a_list: `input.list` is text, not a list
              = failed
        "#]],
    );
}

#[test]
fn a_body_of_several_steps_and_a_loop_inside() {
    check(
        r#"
steps:
  - id: scenes
    for_each:
      items: input.list
      concurrency: 1
      steps:
        - { id: plan, agent: x, input: { what: "{{ item }}" } }
        - id: rounds
          loop:
            max: 2
            until: "steps.take.output > 5"
            steps: [{ id: take, agent: y, input: { what: "{{ item }}", plan: "{{ steps.plan.output }}", n: "{{ loop.iteration }}" } }]
      result: { best: "{{ steps.rounds.output }}", of: "{{ item }}" }
outputs: { all: "{{ steps.scenes.output }}" }
"#,
        r#"
        start {"list":["p","q"]}
        finish scenes[0].plan "P"
        finish scenes[0].rounds[0].take 1
        finish scenes[0].rounds[1].take 9
        finish scenes[1].plan "Q"
        fail scenes[1].rounds[0].take validation "no"
        retry scenes[1].rounds[0].take
        finish scenes[1].rounds[0].take 8
        "#,
        expect![[r#"
            > start {"list":["p","q"]}
              run.started input={list: [p, q]} started_by=user:starter budget={} priority=0
              for_each.expanded scenes items=[p, q]
              for_each.item_started scenes index=0
              step.started scenes[0].plan#1 deadline=+10m
              ! call_agent scenes[0].plan#1 x({what: p})
              = running
            > finish scenes[0].plan "P"
              step.succeeded scenes[0].plan#1 output=P
              loop.iteration_started scenes[0].rounds iteration=0
              step.started scenes[0].rounds[0].take#1 deadline=+10m
              ! call_agent scenes[0].rounds[0].take#1 y({what: p, plan: P, n: 1})
              = running
            > finish scenes[0].rounds[0].take 1
              step.succeeded scenes[0].rounds[0].take#1 output=1
              loop.iteration_finished scenes[0].rounds iteration=0 result=1 good=false
              loop.iteration_started scenes[0].rounds iteration=1
              step.started scenes[0].rounds[1].take#1 deadline=+10m
              ! call_agent scenes[0].rounds[1].take#1 y({what: p, plan: P, n: 2})
              = running
            > finish scenes[0].rounds[1].take 9
              step.succeeded scenes[0].rounds[1].take#1 output=9
              loop.iteration_finished scenes[0].rounds iteration=1 result=9 good=true
              step.succeeded scenes[0].rounds output=9
              for_each.item_finished scenes index=0 result={best: 9, of: p}
              for_each.item_started scenes index=1
              step.started scenes[1].plan#1 deadline=+10m
              ! call_agent scenes[1].plan#1 x({what: q})
              = running
            > finish scenes[1].plan "Q"
              step.succeeded scenes[1].plan#1 output=Q
              loop.iteration_started scenes[1].rounds iteration=0
              step.started scenes[1].rounds[0].take#1 deadline=+10m
              ! call_agent scenes[1].rounds[0].take#1 y({what: q, plan: Q, n: 1})
              = running
            > fail scenes[1].rounds[0].take validation "no"
              attempt.failed scenes[1].rounds[0].take#1 failure=validation/story: no
              step.failed scenes[1].rounds[0].take failure=validation/story: no
              step.failed scenes[1].rounds failure=validation/story: no
              for_each.item_finished scenes index=1 failure=validation/story: no
              step.failed scenes failure=validation/story: element 1: no
              run.closing ending=failed failure=validation/story: element 1: no
              run.failed failure=validation/story: element 1: no
              = failed
            > retry scenes[1].rounds[0].take
              run.reopened by=user:eve
              steps.reset steps=[scenes[1].rounds[0].take] from=scenes[1].rounds[0].take by=user:eve
              step.started scenes[1].rounds[0].take#2 deadline=+10m
              ! call_agent scenes[1].rounds[0].take#2 y({what: q, plan: Q, n: 1})
              = running
            > finish scenes[1].rounds[0].take 8
              step.succeeded scenes[1].rounds[0].take#2 output=8
              loop.iteration_finished scenes[1].rounds iteration=0 result=8 good=true
              step.succeeded scenes[1].rounds output=8
              for_each.item_finished scenes index=1 result={best: 8, of: q}
              step.succeeded scenes output=[{best: 9, of: p}, {best: 8, of: q}]
              run.completed output={all: [{best: 9, of: p}, {best: 8, of: q}]}
              = completed
        "#]],
    );
}

#[test]
fn a_container_done_again_calls_back_what_is_at_work_inside() {
    check(
        EACH,
        r#"
        start {"list":["p","q","r"]}
        finish each[0].draw "P"
        retry each by=user:ann
        finish each[1].draw#1 "late" usd=0.1
        finish each[0].draw "P2"
        finish each[1].draw "Q2"
        finish each[2].draw "R2"
        finish each[2].draw#1 "late" usd=0.1
        finish last 1
        "#,
        expect![[r#"
            > start {"list":["p","q","r"]}
              run.started input={list: [p, q, r]} started_by=user:starter budget={} priority=0
              for_each.expanded each items=[p, q, r]
              for_each.item_started each index=0
              for_each.item_started each index=1
              step.started each[0].draw#1 deadline=+10m
              step.started each[1].draw#1 deadline=+10m
              ! call_agent each[0].draw#1 x({what: p, n: 0})
              ! call_agent each[1].draw#1 x({what: q, n: 1})
              = running
            > finish each[0].draw "P"
              step.succeeded each[0].draw#1 output=P
              for_each.item_finished each index=0 result=P
              for_each.item_started each index=2
              step.started each[2].draw#1 deadline=+10m
              ! call_agent each[2].draw#1 x({what: r, n: 2})
              = running
            > retry each by=user:ann
              attempt.abandoned each[1].draw#1
              step.cancelled each[1].draw
              attempt.abandoned each[2].draw#1
              step.cancelled each[2].draw
              steps.reset steps=[each, last] from=each by=user:ann
              for_each.expanded each items=[p, q, r]
              for_each.item_started each index=0
              for_each.item_started each index=1
              step.started each[0].draw#2 deadline=+10m
              step.started each[1].draw#2 deadline=+10m
              ! abort_attempt each[2].draw#1
              ! call_agent each[0].draw#2 x({what: p, n: 0})
              ! call_agent each[1].draw#2 x({what: q, n: 1})
              ! abort_attempt each[1].draw#1
              = running
            > finish each[1].draw#1 "late" usd=0.1
              attempt.settled each[1].draw#1 calls=1 output=late
              = running; spent $0.1
            > finish each[0].draw "P2"
              step.succeeded each[0].draw#2 output=P2
              for_each.item_finished each index=0 result=P2
              for_each.item_started each index=2
              step.started each[2].draw#2 deadline=+10m
              ! call_agent each[2].draw#2 x({what: r, n: 2})
              = running; spent $0.1
            > finish each[1].draw "Q2"
              step.succeeded each[1].draw#2 output=Q2
              for_each.item_finished each index=1 result=Q2
              = running; spent $0.1
            > finish each[2].draw "R2"
              step.succeeded each[2].draw#2 output=R2
              for_each.item_finished each index=2 result=R2
              step.succeeded each output=[P2, Q2, R2]
              step.started last#1 deadline=+10m
              ! call_agent last#1 y({all: [P2, Q2, R2]})
              = running; spent $0.1
            > finish each[2].draw#1 "late" usd=0.1
              attempt.settled each[2].draw#1 calls=1 output=late
              = running; spent $0.2
            > finish last 1
              step.succeeded last#1 output=1
              run.completed output={}
              = completed; spent $0.2
        "#]],
    );
}

#[test]
fn loops_of_computed_steps_have_an_end() {
    let definition = r#"
steps:
  - id: outer
    loop:
      max: 1000
      until: "false"
      steps:
        - id: inner
          loop: { max: 1000, until: "false", steps: [{ id: one, transform: { n: 1 } }] }
"#;
    let mut world = crate::harness::world::World::new(&crate::harness::world::load(definition));
    world.ledger.is_thorough = false;
    let told = crate::harness::story::tell(&mut world, "start {}");
    let last: Vec<&str> = told.lines().rev().take(2).collect();
    expect![[r#"
        [
            "  = failed",
            "  run.failed failure=validation/too_much_at_once: one command led to more than 100000 events",
        ]
    "#]].assert_debug_eq(&last);
}

#[test]
fn a_thousand_elements() {
    let definition = r#"
steps:
  - id: each
    for_each: { items: input.list, concurrency: 1000, steps: [{ id: draw, agent: x }] }
outputs: { count: "{{ size(steps.each.output) }}" }
"#;
    let mut world = crate::harness::world::World::new(&crate::harness::world::load(definition));
    world.ledger.is_thorough = false;
    let list: Vec<u32> = (0..1000).collect();
    crate::harness::story::tell(&mut world, &format!("start {{\"list\":{list:?}}}"));
    for index in (0..1000).rev() {
        crate::harness::story::tell(&mut world, &format!("finish each[{index}].draw {index}"));
    }
    expect![[r#"completed Some(Object {"count": Number(1000)})"#]].assert_eq(&format!(
        "{} {:?}",
        world.run.status().name(),
        world.run.output
    ));
}
