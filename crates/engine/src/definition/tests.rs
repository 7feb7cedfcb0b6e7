//! What a loaded definition means, and that the published schema knows the loader's keys.

use serde_json::json;

use super::*;

fn load_steps(steps: &str) -> Definition {
    let source = format!("showrunner: 1\nid: x\nphases: [plan, make]\nsteps:\n{steps}");
    load(&source, "x.yaml", 3).unwrap_or_else(|problems| {
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", said.join("\n"))
    })
}

fn needs(definition: &Definition, id: &str) -> Vec<String> {
    let step = definition.find(id).unwrap();
    step.needs.iter().map(|ix| definition.step(*ix).id.clone()).collect()
}

#[test]
fn needs_are_written_or_follow_from_references_never_from_the_order() {
    let definition = load_steps(
        r#"
  - { id: a, agent: w }
  - { id: b, agent: w }
  - { id: c, agent: w, needs: a }
  - { id: d, agent: w, input: { x: "{{ steps.b.output }}", y: ["{{ steps.c.output.z }}"] } }
  - { id: e, agent: w, when: "{{ has(steps.a.output.ok) }}", needs: [a, d] }
  - id: f
    for_each:
      items: "{{ steps.d.output.list }}"
      steps:
        - { id: g, agent: w, input: "{{ steps.e.output }} {{ item }}" }
        - { id: h, agent: w, needs: g }
      result: "{{ steps.a.output }} {{ steps.h.output }}"
"#,
    );
    assert_eq!(needs(&definition, "b"), [""; 0]);
    assert_eq!(needs(&definition, "c"), ["a"]);
    assert_eq!(needs(&definition, "d"), ["b", "c"]);
    assert_eq!(needs(&definition, "e"), ["a", "d"]);
    // What a body looks at outside, its container waits for.
    assert_eq!(needs(&definition, "f"), ["a", "d", "e"]);
    assert_eq!(needs(&definition, "g"), [""; 0]);
    assert_eq!(needs(&definition, "h"), ["g"]);
}

#[test]
fn defaults_are_applied() {
    let definition = load_steps(
        r#"
  - { id: draft_copy, agent: w }
  - { id: sum, transform: {} }
  - { id: ask, checkpoint: { question: Good?, retry_from: draft_copy }, needs: draft_copy }
  - { id: tell, checkpoint: { question: { ja: 良い？ } } }
  - { id: again, loop: { steps: [{id: l1, agent: w}, {id: l2, agent: w}], until: true, max: 3 } }
  - { id: each, for_each: { items: "[1]", steps: [{id: f1, agent: w}] } }
  - { id: rest, wait: { for: 1m30s } }
  - { id: kid, orchestration: other-one@3 }
"#,
    );
    let step = |id: &str| definition.find(id).unwrap();
    assert_eq!(step("draft_copy").label.en, "Draft copy");
    assert_eq!(step("draft_copy").retry, RetryPolicy::usual());
    assert_eq!(step("sum").retry.attempts_max, 1);
    assert_eq!(step("draft_copy").on_failure, OnFailure::Stop);
    assert_eq!(definition.version, 3);
    assert_eq!((definition.title.en.as_str(), definition.root.len()), ("x", 8));
    let StepKind::Checkpoint(ask) = &step("ask").kind else { panic!() };
    assert_eq!(ask.options, [Verb::Continue, Verb::Retry, Verb::Abort]);
    assert_eq!((ask.quorum, ask.retries_max, ask.allow_self), (1, 3, true));
    let StepKind::Checkpoint(tell) = &step("tell").kind else { panic!() };
    assert_eq!(tell.options, [Verb::Continue, Verb::Abort]);
    assert_eq!(tell.question.constant(), Some("良い？"));
    let StepKind::Loop(again) = &step("again").kind else { panic!() };
    let result: Vec<_> = again.result.references().into_iter().cloned().collect();
    assert_eq!(result, [["steps", "l2", "output"]]);
    assert_eq!((again.on_exhausted, again.body.len()), (OnExhausted::Flag, 2));
    let StepKind::ForEach(each) = &step("each").kind else { panic!() };
    assert_eq!((each.concurrency, each.join), (8, Join::All));
    assert!(each.fail_on_item && each.allow_empty);
    let StepKind::Orchestration(kid) = &step("kid").kind else { panic!() };
    assert_eq!((kid.definition.as_str(), kid.version), ("other-one", Some(3)));
    let StepKind::Wait(WaitStep { until: WaitUntil::Duration(span) }) = &step("rest").kind else {
        panic!()
    };
    assert_eq!(span.single().unwrap().text(), "90000");
    assert_eq!(step("l2").parent, Some(step("again").ix));
    assert_eq!((step("l2").position, step("l2").written_at.0), (1, 10));
}

#[test]
fn fallbacks_and_compensations_stand_aside() {
    let definition = load_steps(
        r#"
  - id: a
    agent: w
    on_failure: { fallback: b }
    compensate: { agent: w, input: { of: "{{ steps.a.output }}" } }
  - { id: b, agent: w, input: "{{ steps.a.failure.message }}" }
  - { id: c, agent: w, input: "{{ steps.a.output }}" }
"#,
    );
    let [a, b, undo] = ["a", "b", "undo_a"].map(|id| definition.find(id).unwrap());
    assert_eq!(a.on_failure, OnFailure::Fallback(b.ix));
    assert!(b.is_fallback && b.needs.is_empty());
    assert_eq!(a.compensate, Some(undo.ix));
    assert!(undo.is_compensation && !definition.root.contains(&undo.ix));
    assert_eq!(definition.root, [a.ix, b.ix, definition.find("c").unwrap().ix]);
}

#[test]
fn json_is_read_like_yaml() {
    let source = json!({
        "showrunner": 1, "id": "x",
        "steps": [{"id": "a", "agent": "w", "input": {"n": 1.5, "b": true, "z": null, "s": "no"}}],
    });
    let definition = load(&source.to_string(), "x.json", 1).unwrap();
    let StepKind::Agent(agent) = &definition.steps[0].kind else { panic!() };
    let Mapping::Object(members) = &agent.input else { panic!() };
    let fixed: Vec<_> = members
        .iter()
        .map(|(_, value)| match value {
            Mapping::Fixed(value) => value.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(json!(fixed), json!([1.5, true, null, "no"]));
}

#[test]
fn an_effort_is_read_in_its_units() {
    let definition = load_steps(
        r#"
  - id: a
    agent: w
    budget: { usd: 0.25, tokens: 100 }
    estimate: { seconds: 1.5, usd: 0.000001, tokens: 7 }
    timeout: 90s
    retry: { attempts: 4, backoff: fibonacci, initial: 2m, jitter: 0.25, on: rate_limited }
    concurrency: { key: "gpu-{{ input.region }}", limit: 2 }
    phase: make
"#,
    );
    let step = &definition.steps[0];
    assert_eq!(step.budget.cost, Some(crate::money::MicroUsd(250_000)));
    assert_eq!(step.estimate.duration, Millis(1_500));
    assert_eq!(step.estimate.spend.cost, crate::money::MicroUsd(1));
    assert_eq!((step.timeout, step.phase), (Some(Millis(90_000)), Some(1)));
    // The longest pause is never shorter than the first.
    assert_eq!((step.retry.initial, step.retry.longest), (Millis(120_000), Millis(120_000)));
    assert_eq!(step.retry.jitter_permille, 250);
    assert_eq!(step.retry.on, [crate::failure::ErrorClass::RateLimited]);
    assert_eq!(step.concurrency.as_ref().unwrap().limit, 2);
}

/// The keys that the published schema lists at a pointer, sorted.
fn published(pointer: &str) -> Vec<String> {
    let schema = json_schema();
    let properties = schema.pointer(pointer).unwrap().get("properties").unwrap();
    let mut keys: Vec<String> = properties.as_object().unwrap().keys().cloned().collect();
    keys.sort();
    keys
}

#[test]
fn the_published_schema_knows_the_keys_of_the_loader() {
    let check = |pointer: &str, keys: &[&str]| {
        let mut keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        keys.sort();
        assert_eq!(published(pointer), keys, "{pointer}");
    };
    check("", &resolve::TOP_KEYS);
    check("/$defs/step", &resolve::step::STEP_KEYS);
    check("/$defs/compensate", &resolve::step::UNDO_KEYS);
    check("/$defs/retry/anyOf/1", &resolve::policy::RETRY_KEYS);
    check("/$defs/loop", &resolve::blocks::LOOP_KEYS);
    check("/$defs/for_each", &resolve::blocks::FOR_EACH_KEYS);
    check("/$defs/checkpoint", &resolve::decisions::CHECKPOINT_KEYS);
    check("/$defs/gate", &resolve::decisions::GATE_KEYS);
}

#[test]
fn the_reference_page_knows_every_key_and_function() {
    let page = include_str!("../../../../docs/reference/definitions.md");
    let keys = resolve::TOP_KEYS
        .iter()
        .chain(&resolve::step::STEP_KEYS)
        .chain(&resolve::policy::RETRY_KEYS)
        .chain(&resolve::blocks::LOOP_KEYS)
        .chain(&resolve::blocks::FOR_EACH_KEYS)
        .chain(&resolve::decisions::CHECKPOINT_KEYS)
        .chain(&resolve::decisions::GATE_KEYS);
    let functions = crate::template::function_names().collect::<Vec<_>>();
    for word in keys.copied().chain(functions) {
        let is_told = [format!("`{word}`"), format!("`{word}("), format!(".{word}(")]
            .iter()
            .any(|written| page.contains(written));
        assert!(is_told, "docs/reference/definitions.md does not tell of `{word}`");
    }
}

#[test]
fn spans_of_time() {
    for (text, ms) in [("250ms", 250), ("90s", 90_000), ("1h30m", 5_400_000), ("3d", 259_200_000)] {
        assert_eq!(duration::parse(text), Ok(Millis(ms)));
    }
    for text in ["", "5", "s", "5 minutes", "-1s", "1.5h", "99999999999d", "5m!"] {
        assert!(duration::parse(text).is_err(), "{text}");
    }
}

#[test]
fn what_was_published_before_a_rule_still_runs() {
    let source =
        "showrunner: 1\nid: x\nsteps:\n  - { id: a, retry: 2, transform: \"{{ 1 / 0 }}\" }\n";
    let problems = load(source, "x.yaml", 1).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(load_published(source, "x", 1).is_ok());
    assert!(load_published("showrunner: 1\nid: x\nsteps: []", "x", 1).is_err());
}
