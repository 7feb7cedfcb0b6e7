//! Definitions that are refused, with the words that their authors read.
#![expect(
    clippy::needless_raw_string_hashes,
    clippy::format_collect,
    reason = "written by expect_test; texts are made in passing"
)]

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use showrunner_engine::definition::{Problem, load};

fn problems(source: &str) -> Vec<Problem> {
    load(source, "x.yaml", 0).err().unwrap_or_default()
}

/// Loads a whole source and compares what is said.
fn check(source: &str, expected: &Expect) {
    let said: Vec<String> = problems(source).iter().map(ToString::to_string).collect();
    expected.assert_eq(&said.join("\n"));
}

/// The same for steps under the usual head; the first of them stands in line 8.
fn check_steps(steps: &str, expected: &Expect) {
    check(&with_steps(steps), expected);
}

fn with_steps(steps: &str) -> String {
    let head = "showrunner: 1\nid: x\ninput:\n  type: object\n  properties: {topic: {type: string}}\n\
                phases: [plan, make]\nsteps:\n";
    let indented: Vec<String> =
        steps.trim_matches('\n').lines().map(|line| format!("  {line}")).collect();
    format!("{head}{}\n", indented.join("\n"))
}

#[test]
fn what_is_not_yaml() {
    check(
        "steps: [",
        &expect![
            "x.yaml:1:8: not readable: unclosed bracket '[' — it has to be YAML or JSON; hint: look for a bracket, a quote or an indentation that is not closed before it"
        ],
    );
    check(
        "a: b: c",
        &expect![
            "x.yaml:1:5: not readable: mapping values are not allowed in this context — it has to be YAML or JSON; hint: look for a bracket, a quote or an indentation that is not closed before it"
        ],
    );
    check(
        "\tid: x",
        &expect![[r#"
        x.yaml:1:2: no `showrunner` — the version of the language says how the rest is read; hint: add `showrunner: 1` as the first line
        x.yaml:1:2: no `steps` — a definition is made of steps; hint: add `steps:` with at least one step"#]],
    );
    check(
        "",
        &expect!["x.yaml:1:1: nothing where an object is expected — a definition takes an object"],
    );
    check(
        "just a text",
        &expect!["x.yaml:1:1: a text where an object is expected — a definition takes an object"],
    );
    check(
        "showrunner: 1\n---\nid: two",
        &expect![
            "x.yaml:2:1: more than one document — a file holds one definition; hint: remove the `---` in the middle"
        ],
    );
    check(
        "id: x\nid: y\nsteps: []\n",
        &expect![[r#"
        x.yaml:1:1: no `showrunner` — the version of the language says how the rest is read; hint: add `showrunner: 1` as the first line
        x.yaml:2:1: key `id` twice — only one of them could count; hint: remove or rename one
        x.yaml:3:8: an empty list — a block needs at least one step"#]],
    );
}

#[test]
fn what_every_definition_needs() {
    check(
        "{}",
        &expect![[r#"
        x.yaml:1:1: no `showrunner` — the version of the language says how the rest is read; hint: add `showrunner: 1` as the first line
        x.yaml:1:1: no `id` — a definition is published and started by its id; hint: add `id: some-name`
        x.yaml:1:1: no `steps` — a definition is made of steps; hint: add `steps:` with at least one step"#]],
    );
    check(
        "showrunner: 2\nid: Not A Slug\nsteps: []\n",
        &expect![[r#"
        x.yaml:1:13: version 2 of the language — this server reads version 1; hint: write `showrunner: 1`
        x.yaml:2:5: `Not A Slug` cannot be the id of a definition — it is a small letter, then small letters, digits, `-` and `_`, 64 at most
        x.yaml:3:8: an empty list — a block needs at least one step"#]],
    );
    check(
        "showrunner: 1\nid: x\nsteps: 3\n",
        &expect!["x.yaml:3:8: no list — `steps` takes a list of steps"],
    );
    check(
        "showrunner: 1\nid: x\ntitel: x\nphases: [plan, plan, \"No!\"]\ntimeout: 5\nbudget: {usd: -1, yen: 3}\n\
         input: {type: objekt}\nsteps: [{id: a, transform: {}}]\n",
        &expect![[r#"
            x.yaml:3:1: unknown key `titel` — a key nobody reads is a mistake that nobody notices; hint: did you mean `title`?
            x.yaml:4:16: phase `plan` twice — phases have an order
            x.yaml:4:22: `No!` cannot be a phase — a phase is named like a step: small letters, digits and `_`
            x.yaml:5:10: 5 where a time such as "90s", "5m", "2h" or "3d" is expected — `timeout` takes a time such as "90s", "5m", "2h" or "3d"
            x.yaml:6:15: -1 where a number from 0 to 1000000000 is expected — `budget.usd` takes a number from 0 to 1000000000
            x.yaml:6:19: unknown key `yen` — a key nobody reads is a mistake that nobody notices; hint: known here: usd, tokens
            x.yaml:7:8: not a JSON Schema: "objekt" is not valid under any of the schemas listed in the 'anyOf' keyword — values are checked against it while the run goes on"#]],
    );
}

#[test]
fn ids() {
    check_steps(
        r#"
- agent: writer
- id: Draft Copy
  agent: writer
- id: a
  agent: writer
- id: a
  agent: writer
- id: l
  loop:
    steps: [{id: a, agent: writer}]
    until: "true"
    max: 2
- not a step
"#,
        &expect![[r#"
            x.yaml:8:5: a step without `id` — others refer to a step by its id; hint: add `id: some_name`
            x.yaml:9:9: `Draft Copy` cannot be an id — an id is a small letter, then small letters, digits and `_`, 64 at most; hint: for example `draft_copy`
            x.yaml:13:9: step id `a` is used twice — outputs are found by id; the first is in line 11; hint: rename one, for example `a_2`
            x.yaml:17:20: step id `a` is used twice — outputs are found by id; the first is in line 11; hint: rename one, for example `a_2`
            x.yaml:20:5: a text where a step is expected — a step is an object with an id and a kind"#]],
    );
}

#[test]
fn kinds() {
    check_steps(
        r#"
- id: nothing
- id: both
  agent: writer
  transform: {}
- id: odd
  agnet: writer
- id: misplaced
  transform: {}
  input: {}
- id: bad_agent
  agent: "Big Writer"
- id: bad_child
  orchestration: x@zero
- id: bad_wait
  wait: {for: 5m, until: "2026-01-01T00:00:00Z"}
- id: worse_wait
  wait: {for: 5 minutes}
"#,
        &expect![[r#"
            x.yaml:8:5: a step without a kind — the kind says what the step does; hint: add one of agent, checkpoint, gate, loop, for_each, orchestration, transform, wait
            x.yaml:9:5: a step of 2 kinds: agent, transform — a step does one thing; hint: make a step of each; a reference between them keeps the order
            x.yaml:12:5: a step without a kind — the kind says what the step does; hint: add one of agent, checkpoint, gate, loop, for_each, orchestration, transform, wait
            x.yaml:13:5: unknown key `agnet` — a key nobody reads is a mistake that nobody notices; hint: did you mean `agent`?
            x.yaml:16:12: `input` on a transform step — a transform step would not look at it; hint: only agent and orchestration steps take it
            x.yaml:18:12: `Big Writer` cannot be the name of an agent — names are small letters, digits, `-` and `_`
            x.yaml:20:20: `zero` is no version — a version is counted from 1; hint: for example `x@1`
            x.yaml:22:11: a wait for nothing clear — it waits for one thing; hint: give one of `for`, `until` or `callback`
            x.yaml:24:17: `5 minutes` is not a time such as "90s", "5m", "1h30m" or "3d" — times need a number and a unit; hint: units are ms, s, m, h and d"#]],
    );
}

#[test]
fn references_to_what_does_not_exist() {
    check_steps(
        r#"
- id: draft
  agent: writer
  output: {type: object, properties: {title: {type: string}, lines: {type: array, items: {type: object, properties: {text: {}}}}}}
- id: b
  transform:
    no_step: "{{ steps.darft.output }}"
    no_root: "{{ inputs.topic }}"
    no_output: "{{ steps.draft.title }}"
    bare: "{{ draft.title }}"
    no_property: "{{ steps.draft.output.titel }}"
    no_deeper: "{{ steps.draft.output.lines[0].txt }}"
    fine: "{{ steps.draft.output.lines[0].text }}"
    no_input: "{{ input.topik }}"
    no_item: "{{ item.x }}"
    no_loop: "{{ loop.iteration }}"
    no_run: "{{ run.ident }}"
    dynamic: "{{ steps[input.topic].output }}"
    undone: "{{ steps.b.output }}"
  when: "{{ 1 + }}"
  phase: maek
  needs: [draft, nobody]
"#,
        &expect![[r#"
            x.yaml:13:16: unknown step `darft` — no step has this id; hint: did you mean `draft`?
            x.yaml:14:16: `inputs` does not exist — expressions see input, steps, item, index, loop, run, feedback; hint: did you mean `input`?
            x.yaml:15:18: a step has no `title` — a step is seen as output, status, failure, attempts; hint: write `steps.draft.output.title`
            x.yaml:16:13: `draft` is a step, not a root — steps are found under `steps`; hint: write `steps.draft.output`
            x.yaml:17:20: `steps.draft.output` has no `titel` — its schema lists title, lines; hint: did you mean `title`?
            x.yaml:18:18: `steps.draft.output.lines.0` has no `txt` — its schema lists text; hint: did you mean `text`?
            x.yaml:20:17: `input` has no `topik` — its schema lists topic; hint: did you mean `topic`?
            x.yaml:21:16: `item` does not exist here — it belongs to a for_each, and none is around this; hint: use it in the body of a for_each only
            x.yaml:22:16: `loop` does not exist here — it belongs to a loop, and none is around this; hint: use it in the body of a loop only
            x.yaml:23:15: `run` has no `ident` — it has id, title, labels, started_by, started_at, phase
            x.yaml:24:16: `steps` without the id of a step — which step is meant has to be known before the run; hint: write `steps.some_id.output`
            x.yaml:25:15: step `b` looks at itself — it has no output yet; hint: look at an earlier step, or at `feedback` after a retry
            x.yaml:26:11: an expression cannot be read: expected a value, found the end of the expression — at character 4 of the text, near `1 +`
            x.yaml:27:12: unknown phase `maek` — the phases are plan, make; hint: did you mean `make`?
            x.yaml:28:20: unknown step `nobody` — no step has this id"#]],
    );
}

#[test]
fn bodies_are_closed() {
    check_steps(
        r#"
- id: scenes
  for_each:
    items: "{{ [1, 2] }}"
    steps:
      - id: image
        agent: illustrator
        input: { n: "{{ item }}", loop: "{{ loop.iteration }}", self: "{{ steps.scenes.output }}" }
      - id: rounds
        loop:
          steps:
            - { id: polish, agent: editor, input: "{{ steps.image.output }} {{ item }} {{ loop.previous }}" }
          until: "{{ steps.polish.output.good && steps.image.output.good }}"
          max: 2
          keep: { best: "{{ steps.pollish.output.score }}" }
- id: after
  transform: { a: "{{ steps.image.output }}", b: "{{ steps.scenes.output }}" }
  needs: image
"#,
        &expect![[r#"
            x.yaml:14:43: `loop` does not exist here — it belongs to a loop, and none is around this; hint: use it in the body of a loop only
            x.yaml:14:73: `scenes` is the container around this — its output is known only when its body has ended; hint: look at a step of the body, or at `loop`
            x.yaml:21:27: unknown step `pollish` — no step has this id; hint: did you mean `polish`?
            x.yaml:23:21: step `image` cannot be seen from here — it runs in the body of `scenes`, perhaps many times; hint: use `steps.scenes.output`, and its `result:` to say what that is
            x.yaml:24:12: step `image` stands in another block — only steps of the same block can be named here; hint: to wait for it, name it at the loop or for_each around this step"#]],
    );
    check(
        &(with_steps("- {id: l, loop: {steps: [{id: a, agent: w}], until: \"true\", max: 2}}")
            + "outputs: {a: \"{{ steps.a.output }}\", l: \"{{ steps.l.output }}\"}\n"),
        &expect![
            "x.yaml:9:14: step `a` cannot be seen from here — it runs in the body of `l`, perhaps many times; hint: use `steps.l.output`, and its `result:` to say what that is"
        ],
    );
}

#[test]
fn cycles_are_named() {
    check_steps(
        r#"
- id: a
  transform: { x: "{{ steps.c.output }}" }
- id: b
  transform: { x: "{{ steps.a.output }}" }
- id: c
  needs: b
  agent: writer
- id: behind
  needs: [a]
  agent: writer
- id: d
  needs: e
  agent: writer
- id: e
  agent: writer
  when: "{{ steps.d.output != null }}"
- id: itself
  needs: itself
  agent: writer
"#,
        &expect![[r#"
            x.yaml:8:5: steps wait for each other: a → c → b → a — none of them could ever start (`a → b` says that a needs b); hint: remove one of the references or needs; to repeat work use `loop`
            x.yaml:19:12: steps wait for each other: d → e → d — none of them could ever start (`a → b` says that a needs b); hint: remove one of the references or needs; to repeat work use `loop`
            x.yaml:25:12: step `itself` names itself — a step cannot come before itself"#]],
    );
    // Through a body: the container waits for what its body looks at.
    check_steps(
        r#"
- id: l
  loop: { steps: [{id: in, agent: w, input: "{{ steps.out.output }}"}], until: "true", max: 2 }
- id: out
  transform: { x: "{{ steps.l.output }}" }
"#,
        &expect![
            "x.yaml:8:5: steps wait for each other: l → out → l — none of them could ever start (`a → b` says that a needs b); hint: remove one of the references or needs; to repeat work use `loop`"
        ],
    );
}

#[test]
fn checkpoints() {
    check_steps(
        r#"
- id: draft
  agent: writer
- id: aside
  agent: writer
- id: no_question
  checkpoint: { show: {} }
- id: lost
  checkpoint: { question: Good?, options: [continue, retry, no], show: "{{ steps.draft.output }}" }
- id: sideways
  checkpoint: { question: Good?, retry_from: aside, show: "{{ steps.draft.output }}" }
- id: unlabelled
  checkpoint:
    question: { en: Good?, fr: Bon? }
    options: [continue]
    option_labels: { abort: No }
    quorum: 0
    deadline: { after: soon, default: abort }
    modifications: { type: 7 }
- id: reads
  transform: "{{ steps.sideways.output.answer }}"
"#,
        &expect![[r#"
            x.yaml:13:17: no `question` — a person has to know what is asked; hint: add `question: Is this ready?`
            x.yaml:15:56: option `retry` without `retry_from` — it has to go back to some step; hint: add `retry_from:` with an earlier step
            x.yaml:15:63: `no` is not a choice here — `steps[3].checkpoint.options[2]` is one of continue, retry, abort
            x.yaml:17:48: `retry_from: aside` does not come before `sideways` — work goes back along the way that it came; hint: add `needs: [aside]`, or show something of it here
            x.yaml:20:30: unknown key `fr` — a key nobody reads is a mistake that nobody notices; hint: known here: en, ja
            x.yaml:22:24: unknown key `abort` — a key nobody reads is a mistake that nobody notices; hint: known here: continue
            x.yaml:23:15: 0 where a whole number from 1 to 100 is expected — `steps[5].checkpoint.quorum` takes a whole number from 1 to 100
            x.yaml:24:26: `soon` is not a time such as "90s", "5m", "1h30m" or "3d" — times need a number and a unit; hint: units are ms, s, m, h and d
            x.yaml:24:41: `abort` is not offered — what nobody may choose cannot be chosen in nobody's name; hint: add it to `options`, or take another
            x.yaml:25:22: not a JSON Schema: 7 is not valid under any of the schemas listed in the 'anyOf' keyword — values are checked against it while the run goes on
            x.yaml:27:16: `steps.sideways.output` has no `answer` — it has decision, by, comment, content"#]],
    );
}

#[test]
fn gates() {
    check_steps(
        r#"
- id: draft
  agent: writer
- id: empty
  gate: { rules: [] }
- id: odd
  gate:
    rules:
      - { when: "{{ steps.odd.output.score < 3 }}", verdict: retry }
      - { when: "true", verdict: acept }
      - { verdict: accept }
- id: judged
  gate:
    judge: { agent: critic, input: { text: "{{ steps.draft.output }}" } }
    retry_from: draft
    rules: [{ when: "{{ steps.judged.output.score < 3 }}", verdict: retry, reason: "{{ steps.judged.output.why }}" }]
- id: reads
  transform: "{{ steps.judged.output.score }}"
"#,
        &expect![[r#"
            x.yaml:11:20: 0 rules — from 1 to 50 fit
            x.yaml:15:19: gate `odd` looks at itself — without a judge it has no output of its own; hint: add `judge:`, or look at an earlier step
            x.yaml:15:64: verdict `retry` without `retry_from` — it has to go back to some step; hint: add `retry_from:` to the gate
            x.yaml:16:36: `acept` is not a choice here — `steps[2].gate.rules[1].verdict` is one of reject, retry, accept_with_revision, accept, exemplary; hint: did you mean `accept`?
            x.yaml:17:11: a rule without `when` or `verdict` — it needs both
            x.yaml:24:16: `steps.judged.output` has no `score` — it has verdict, reason, judgement"#]],
    );
}

#[test]
fn loops_and_for_each() {
    check_steps(
        r#"
- id: endless
  loop: { steps: [{id: a, agent: w}], until: "false" }
- id: too_often
  loop: { steps: [{id: b, agent: w}], until: "false", max: 1001, on_exhausted: shrug, keep: first }
- id: no_body
  loop: { until: "true", max: 1 }
- id: empty
  loop: { until: "true", max: 1, steps: [] }
- id: many
  for_each: { items: "{{ [1] }}", steps: [{id: c, agent: w}], concurrency: 5000, join: {at_least: 0}, on_item_failure: cry }
- id: no_items
  for_each: { steps: [{id: d, agent: w, background: true}] }
"#,
        &expect![[r#"
            x.yaml:9:11: no `max` — a loop without a limit may never end
            x.yaml:11:62: 1001 where a whole number from 1 to 1000 is expected — `steps[1].loop.max` takes a whole number from 1 to 1000
            x.yaml:11:82: `shrug` is not a choice here — `steps[1].loop.on_exhausted` is one of flag, fail
            x.yaml:11:95: `first` is not a choice here — `steps[1].loop.keep` is one of last
            x.yaml:13:11: no `steps` — a loop without a body would do nothing
            x.yaml:15:43: an empty list — a block needs at least one step
            x.yaml:17:78: 5000 where a whole number from 1 to 1000 is expected — `steps[4].for_each.concurrency` takes a whole number from 1 to 1000
            x.yaml:17:101: 0 where a whole number from 1 to 100000 is expected — `steps[4].for_each.join.at_least` takes a whole number from 1 to 100000
            x.yaml:17:122: `cry` is not a choice here — `steps[4].for_each.on_item_failure` is one of fail, collect
            x.yaml:19:15: no `items` — it says which list is worked on
            x.yaml:19:55: a background step inside a body — an iteration is over only when all of its steps are; hint: put `background: true` on the loop or for_each"#]],
    );
}

#[test]
fn what_is_certain_to_fail_after_it_was_paid_for() {
    check_steps(
        r#"
- id: a
  agent: w
  output: {type: object, properties: {headline: {type: string}, tags: {type: [array, "null"]}}}
- id: e
  for_each: { items: "steps.a.output.headline", steps: [{id: x, transform: {y: 1}}] }
- id: f
  loop: { max: 2, until: "'yes'", steps: [{id: y, transform: {z: 1}}] }
- id: g
  when: "input.topic"
  transform: { z: "{{ 1 / 0 }}", t: "{{ input.n % 0.0 }}" }
- id: h
  gate: { rules: [{when: "size(input.topic) + 1", verdict: reject}] }
- id: i
  when: "input.topic == '' ? 'a' : steps.a.output.headline"
  agent: w
- id: j
  for_each: { items: "steps.a.output", steps: [{id: k, transform: {y: 1}}] }
"#,
        &expect![[r#"
            x.yaml:12:24: `steps.a.output.headline` is a text, not a list — for_each works on the elements of a list; anything else fails the step; hint: name a field whose schema says `type: array`, or write `[…]`
            x.yaml:14:28: `'yes'` is a text, not true or false — a condition holds or does not hold; anything else fails the step; hint: compare it with something: `==`, `!=`, `<`, `size(…) > 0`
            x.yaml:16:11: `input.topic` is a text, not true or false — a condition holds or does not hold; anything else fails the step; hint: compare it with something: `==`, `!=`, `<`, `size(…) > 0`
            x.yaml:17:21: a division by zero — it fails whenever the run comes here; hint: divide by something else
            x.yaml:17:39: a division by zero — it fails whenever the run comes here; hint: divide by something else
            x.yaml:17:39: `input` has no `n` — its schema lists topic; hint: add it to the schema's properties, or allow additionalProperties
            x.yaml:19:28: `size(input.topic) + 1` is a number or a text or a list, not true or false — a condition holds or does not hold; anything else fails the step; hint: compare it with something: `==`, `!=`, `<`, `size(…) > 0`
            x.yaml:21:11: `input.topic == '' ? 'a' : steps.a.output.headline` is a text, not true or false — a condition holds or does not hold; anything else fails the step; hint: compare it with something: `==`, `!=`, `<`, `size(…) > 0`
            x.yaml:24:24: `steps.a.output` is an object, not a list — for_each works on the elements of a list; anything else fails the step; hint: name a field whose schema says `type: array`, or write `[…]`"#]],
    );
}

#[test]
fn what_may_go_well_is_not_refused() {
    check_steps(
        r#"
- id: a
  agent: w
  output: {type: object, properties: {tags: {type: [array, "null"]}, open: {}, ok: {type: boolean}}}
- id: e
  for_each: { items: "default(steps.a.output.tags, [])", steps: [{id: x, when: "item", transform: {}}] }
- id: f
  for_each: { items: "steps.a.output.open", steps: [{id: y, when: "index > 0", transform: {}}] }
- id: g
  when: "steps.a.output.ok && !(input.topic in ['x']) || has(input.topic)"
  transform: { z: "{{ 0 / 1 }}" }
- id: h
  for_each: { items: "[1] + [2]", steps: [{id: z, when: true, transform: {}}] }
"#,
        &expect![[""]],
    );
}

#[test]
fn retries_and_fallbacks() {
    check_steps(
        r#"
- id: a
  agent: writer
  retry: { attempts: 0, backoff: cubic, initial: 2m, longest: 1m, jitter: 2, on: [transient, typo] }
- id: b
  agent: writer
  retry: 500
  on_failure: { fallback: nobody }
- id: c
  agent: writer
  on_failure: { fallback: spare }
- id: d
  agent: writer
  on_failure: { fallback: spare }
- id: spare
  agent: writer
  needs: c
- id: e
  transform: "{{ steps.spare.output }}"
- id: f
  agent: writer
  on_failure: { fallback: g }
- id: g
  agent: writer
  on_failure: { fallback: f }
- id: h
  agent: writer
  on_failure: ignore
"#,
        &expect![[r#"
            x.yaml:10:24: 0 where a whole number from 1 to 100 is expected — `steps[0].retry.attempts` takes a whole number from 1 to 100
            x.yaml:10:36: `cubic` is not a choice here — `steps[0].retry.backoff` is one of linear, exponential, fibonacci
            x.yaml:10:65: the longest pause is shorter than the first (120000 ms) — pauses grow from `initial` to `longest`
            x.yaml:10:77: 2 where a number from 0 to 1 is expected — `steps[0].retry.jitter` takes a number from 0 to 1
            x.yaml:10:96: `typo` is not a choice here — `steps[0].retry.on[1]` is one of transient, rate_limited, quota_exceeded, validation, provider, internal, network, timeout, budget, cancelled, rejected
            x.yaml:13:12: 500 where a whole number from 1 to 100 is expected — `steps[1].retry` takes a whole number from 1 to 100
            x.yaml:14:29: unknown step `nobody` — no step has this id
            x.yaml:20:17: `spare` is the fallback of two steps — it takes the place of `c` already; hint: give each its own
            x.yaml:23:12: fallback `spare` needs the step it replaces — it starts by itself when that has failed; hint: remove that need
            x.yaml:25:16: `spare` is a fallback — it runs only when `c` has failed; hint: look at `steps.c.output`: it is the fallback's when that has run
            x.yaml:28:17: fallbacks lead back to `g` — somewhere there has to be a last one
            x.yaml:31:17: fallbacks lead back to `f` — somewhere there has to be a last one
            x.yaml:34:17: `ignore` is not a choice here — `steps[8].on_failure` is one of stop, continue"#]],
    );
}

#[test]
fn keys_that_nothing_reads_and_fallbacks_that_wait_for_each_other() {
    check_steps(
        r#"
- id: rounds
  retry: 3
  loop: { max: 2, until: "true", steps: [{ id: inner, agent: writer }] }
- id: ask
  timeout: 1h
  checkpoint: { question: "Good?" }
- id: sum
  retry: 2
  transform: "{{ 1 }}"
- id: a
  agent: writer
  on_failure: { fallback: spare }
- id: b
  agent: writer
  needs: [a]
- id: spare
  agent: writer
  needs: [b]
"#,
        &expect![[r#"
            x.yaml:9:12: `retry` has no effect on a loop step — nothing reads it; hint: put `retry` on the steps of its body
            x.yaml:12:14: `timeout` has no effect on a checkpoint step — nothing reads it; hint: how long people have is `checkpoint.deadline`
            x.yaml:15:12: `retry` has no effect on a transform step — nothing reads it; hint: remove it: it is computed at once, always with the same result
            x.yaml:25:12: fallback `spare` waits for `b`, which waits for `a` — the fallback runs when that has failed, so each would wait for the other; hint: let `spare` need only what comes before `a`"#]],
    );
}

#[test]
fn phases_and_background() {
    check_steps(
        r#"
- id: later
  agent: writer
  phase: make
- id: earlier
  agent: writer
  phase: plan
  needs: later
- id: video
  agent: filmer
  background: true
- id: cut
  transform: "{{ steps.video.output }}"
"#,
        &expect![[r#"
            x.yaml:13:12: `earlier` goes back to phase `plan` — it comes after `later` in phase `make`; hint: put it into `make` or later, or change the order
            x.yaml:18:5: `cut` waits for `video`, a background step — a run is delivered without waiting for background steps; hint: add `background: true` here, or remove it from `video`"#]],
    );
}

#[test]
fn compensations() {
    check_steps(
        r#"
- id: publish
  agent: publisher
  compensate: { agent: publisher, input: { remove: "{{ steps.publish.output.url }}", why: "{{ steps.nobody.output }}" } }
- id: book
  agent: booker
  compensate: { agent: booker, when: "true" }
- id: reads
  transform: "{{ steps.undo_publish.output }}"
- id: both
  agent: x
  compensate: { input: {} }
"#,
        &expect![[r#"
            x.yaml:10:93: unknown step `nobody` — no step has this id
            x.yaml:13:34: unknown key `when` — a key nobody reads is a mistake that nobody notices; hint: known here: agent, transform, input, settings, timeout, retry, label
            x.yaml:15:16: `undo_publish` is a compensation — it runs only when all is over; hint: look at the step that it undoes
            x.yaml:18:17: a step without a kind — the kind says what the step does; hint: add one of agent, checkpoint, gate, loop, for_each, orchestration, transform, wait"#]],
    );
}

#[test]
fn limits() {
    let many: String = (0..10_000).map(|n| format!("- id: s{n}\n  agent: writer\n")).collect();
    check_steps(
        &many,
        &expect![
            "x.yaml:8:3: the definition has 10000 steps — the limit is 500, bodies included; hint: let `for_each` repeat a step, or move parts into child orchestrations"
        ],
    );
    check(
        &"x".repeat(2_000_000),
        &expect![
            "x.yaml:1:1: the definition is 2000000 bytes long — the limit is 1048576 bytes; hint: move long texts into assets or agents, and parts into child orchestrations"
        ],
    );
    check_steps(
        "- id: a\n  loop: {until: true, max: 1, steps: [{id: b, loop: {until: true, max: 1, steps: [{id: c, \
         loop: {until: true, max: 1, steps: [{id: d, loop: {until: true, max: 1, steps: [{id: e, agent: w}]}}]}}]}}]}",
        &expect![
            "x.yaml:9:172: bodies nested deeper than 4 — nobody can follow it on a screen; hint: move the inner part into a child orchestration"
        ],
    );
}

#[test]
fn nesting_ten_thousand_deep_is_refused() {
    check(
        &"[".repeat(10_000),
        &expect![
            "x.yaml:1:256: nested deeper than 36 — nobody can read it, and reading it takes memory for every level; hint: close the brackets, or move inner parts into steps or child orchestrations"
        ],
    );
    check(
        &"{a: ".repeat(10_000),
        &expect![
            "x.yaml:1:1021: nested deeper than 36 — nobody can read it, and reading it takes memory for every level; hint: close the brackets, or move inner parts into steps or child orchestrations"
        ],
    );
    let indented: String = (0..1_200).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    check(
        &indented,
        &expect![
            "x.yaml:37:37: nested deeper than 36 — nobody can read it, and reading it takes memory for every level; hint: close the brackets, or move inner parts into steps or child orchestrations"
        ],
    );
    check(
        &"- ".repeat(10_000),
        &expect![
            "x.yaml:1:73: nested deeper than 36 — nobody can read it, and reading it takes memory for every level; hint: close the brackets, or move inner parts into steps or child orchestrations"
        ],
    );
    let mut aliases = "shared:\n  a0: &a0 [x]\n".to_owned();
    for n in 1..1_000 {
        writeln!(aliases, "  a{n}: &a{n} [*a{}]", n - 1).unwrap();
    }
    check(
        &aliases,
        &expect![
            "x.yaml:36:14: nested deeper than 36 — nobody can read it, and reading it takes memory for every level; hint: close the brackets, or move inner parts into steps or child orchestrations"
        ],
    );
    let steps = format!("- id: a\n  agent: w\n  input: {}1{}", "[".repeat(100), "]".repeat(100));
    check_steps(
        &steps,
        &expect![
            "x.yaml:10:45: nested deeper than 36 — nobody can read it, and reading it takes memory for every level; hint: close the brackets, or move inner parts into steps or child orchestrations"
        ],
    );
}

#[test]
fn alias_bombs_are_refused() {
    let mut bomb =
        String::from("showrunner: 1\nid: x\nshared:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let refs = vec![format!("*a{}", n - 1); 10].join(", ");
        writeln!(bomb, "  a{n}: &a{n} [{refs}]").unwrap();
    }
    check(
        &bomb,
        &expect![
            "x.yaml:8:12: aliases repeat more than 20000 values — a small text may not grow into a huge one; hint: write out what differs, and let `for_each` repeat what does not"
        ],
    );
}

#[test]
fn at_most_fifty_problems() {
    let steps: String = (0..100).map(|n| format!("- id: s{n}\n  agnet: writer\n")).collect();
    assert_eq!(problems(&with_steps(&steps)).len(), 50);
}

#[test]
fn a_problem_is_data_too() {
    let problem = &problems("showrunner: 1\nid: x\nsteps: [{id: a, transform: {}, labl: A}]")[0];
    expect![[r#"
        {
          "file": "x.yaml",
          "line": 3,
          "column": 32,
          "path": "steps[0].labl",
          "what": "unknown key `labl`",
          "why": "a key nobody reads is a mistake that nobody notices",
          "hint": "did you mean `label`?"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(problem).unwrap());
}
