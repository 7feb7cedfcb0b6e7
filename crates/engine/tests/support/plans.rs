//! Definitions for random and exhaustive exploration. Together they hold every kind of step.

/// Name, definition, input.
pub(crate) const PLANS: [(&str, &str, &str); 14] = [
    (
        "chain",
        r#"
budget: { usd: 1 }
phases: [plan, make, ship]
steps:
  - { id: a, agent: x, phase: plan, estimate: { usd: 0.2 }, retry: { attempts: 2, initial: 1s } }
  - { id: b, agent: y, phase: make, needs: a, when: "steps.a.output != 0", estimate: { usd: 0.2 } }
  - { id: c, agent: x, phase: ship, needs: b, timeout: 1m }
outputs: { c: "{{ steps.c.output }}" }
"#,
        "{}",
    ),
    (
        "diamond",
        r"
agent_budgets: { x: { tokens: 500 } }
steps:
  - { id: a, agent: x, estimate: { tokens: 200 } }
  - { id: b, agent: x, needs: a, estimate: { tokens: 200 }, on_failure: continue }
  - { id: c, agent: x, needs: a, estimate: { tokens: 200 }, compensate: { agent: undo, retry: 2 } }
  - { id: d, agent: x, needs: [b, c] }
compensate_on_failure: true
",
        "{}",
    ),
    (
        "review",
        r#"
steps:
  - { id: draft, agent: x, retry: 2 }
  - id: ok
    checkpoint:
      question: "{{ steps.draft.output }}?"
      show: { d: "{{ steps.draft.output }}" }
      modifications: { type: object }
      quorum: 2
      retry_from: draft
      retries_max: 2
      allow_self: false
      deadline: { after: 1h, escalate_to: [head], default: abort }
      compensate_on_abort: true
  - { id: last, agent: x, needs: ok, compensate: { transform: { x: 1 } } }
"#,
        "{}",
    ),
    (
        "gate",
        r#"
steps:
  - { id: draft, agent: x, compensate: { agent: undo } }
  - id: gate
    gate:
      judge: { agent: critic, input: { d: "{{ steps.draft.output }}" } }
      rules:
        - { when: "steps.gate.output == 0", verdict: retry, reason: bad }
        - { when: "steps.gate.output == 1", verdict: reject }
      retry_from: draft
      retries_max: 2
    on_failure: { fallback: plain }
  - { id: plain, agent: x, needs: draft }
  - { id: rule, needs: gate, gate: { rules: [{ when: "steps.draft.output == 1", verdict: retry }], retry_from: draft, retries_max: 1 } }
"#,
        "{}",
    ),
    (
        "loop",
        r#"
steps:
  - id: rounds
    timeout: 2h
    loop:
      max: 3
      steps:
        - { id: write, agent: x, input: { n: "{{ loop.iteration }}" } }
        - { id: score, agent: y, needs: write, retry: 2 }
      until: "steps.score.output == 9"
      result: "{{ steps.write.output }}"
      keep: { best: steps.score.output }
  - { id: last, agent: x, needs: rounds }
"#,
        "{}",
    ),
    (
        "for_each",
        r#"
budget: { usd: 1 }
steps:
  - id: each
    for_each:
      items: input.list
      concurrency: 2
      steps:
        - { id: one, agent: x, estimate: { usd: 0.3 }, retry: 2, compensate: { agent: undo, input: { i: "{{ item }}" } } }
        - { id: two, agent: y, needs: one, on_failure: { fallback: other } }
        - { id: other, agent: y, needs: one }
  - { id: last, agent: x, needs: each }
"#,
        r#"{"list":[1,2,3]}"#,
    ),
    (
        "race",
        r#"
steps:
  - id: race
    for_each:
      items: input.list
      join: { at_least: 2 }
      steps:
        - { id: ask, agent: x, retry: 1 }
        - { id: ok, needs: ask, checkpoint: { question: "{{ item }}?", retry_from: ask, retries_max: 1 } }
  - { id: last, agent: x, needs: race }
"#,
        r#"{"list":[1,2,3]}"#,
    ),
    (
        "collect",
        r#"
steps:
  - id: each
    for_each:
      items: input.list
      on_item_failure: collect
      steps:
        - id: rounds
          loop: { max: 2, until: "steps.one.output == 9", steps: [{ id: one, agent: x, retry: 1 }] }
  - { id: last, agent: x, needs: each }
"#,
        r#"{"list":[1,2]}"#,
    ),
    (
        "child",
        r"
steps:
  - { id: sub, orchestration: other, timeout: 1h, retry: 2, on_failure: { fallback: own } }
  - { id: own, agent: x, retry: 1 }
  - { id: last, agent: x, needs: sub }
",
        "{}",
    ),
    (
        "waits",
        r"
timeout: 1d
steps:
  - { id: rest, wait: { for: 1m } }
  - { id: paid, wait: { callback: key1 }, timeout: 2h, needs: rest, on_failure: continue }
  - { id: sent, wait: { callback: key2 }, needs: rest, output: { type: number } }
  - { id: last, agent: x, needs: [paid, sent] }
",
        "{}",
    ),
    (
        "background",
        r#"
phases: [one, two]
steps:
  - { id: a, agent: x }
  - { id: b, agent: x, background: true, needs: a, retry: 2, on_failure: { fallback: c } }
  - { id: c, agent: y, retry: 1 }
  - { id: d, agent: x, background: true, needs: b }
  - { id: ok, phase: two, needs: a, checkpoint: { question: Go?, options: [continue, abort] } }
outputs: { a: "{{ steps.a.output }}" }
"#,
        "{}",
    ),
    (
        "fallbacks",
        r#"
steps:
  - { id: slow, agent: x }
  - { id: a, agent: x, retry: 1, on_failure: { fallback: b }, output: { type: number } }
  - { id: b, agent: x, retry: 1, when: "steps.slow.output != 0", on_failure: { fallback: c } }
  - { id: c, agent: x, retry: 1 }
  - { id: d, agent: x, needs: a }
"#,
        "{}",
    ),
    (
        "computed",
        r#"
steps:
  - { id: a, agent: x }
  - { id: t, transform: { n: "{{ steps.a.output + 1 }}" }, on_failure: continue }
  - { id: u, transform: { n: "{{ default(steps.t.output.n, 0) }}" } }
  - id: gate
    gate: { rules: [{ when: "steps.u.output.n < 5", verdict: retry }], retry_from: a, retries_max: 1 }
    on_failure: continue
outputs: { n: "{{ steps.u.output.n }}" }
"#,
        "{}",
    ),
    (
        "nested",
        r#"
phases: [make, ship]
compensate_on_failure: true
steps:
  - id: outer
    phase: make
    loop:
      max: 2
      until: "true"
      steps:
        - id: each
          for_each:
            items: input.list
            steps:
              - { id: one, agent: x, retry: 2, timeout: 5m, compensate: { agent: undo } }
              - { id: gate, gate: { rules: [{ when: "steps.one.output == 0", verdict: retry }], retry_from: one, retries_max: 1 } }
          on_failure: { fallback: plain }
        - { id: plain, agent: y, retry: 1 }
  - { id: ok, phase: ship, needs: outer, checkpoint: { question: Go?, retry_from: outer, retries_max: 1 } }
"#,
        r#"{"list":[1,2]}"#,
    ),
];
