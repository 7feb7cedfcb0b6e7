//! Definitions as authors write them: the shipped examples load and fit the published schema, and
//! nothing that anybody types makes the loader panic.
#![expect(clippy::unwrap_used, clippy::format_collect, reason = "tests")]

use std::path::PathBuf;

use serde_json::{Value, json};
use showrunner_engine::at::{At, Timestamp};
use showrunner_engine::definition::{Definition, StepKind, json_schema, load};

fn examples() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/definitions");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "yaml"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    found.sort();
    found
}

fn loaded(name: &str, source: &str) -> Definition {
    load(source, name, 1).unwrap_or_else(|problems| {
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", shown.join("\n"));
    })
}

#[test]
fn every_example_loads_and_together_they_show_every_kind() {
    let mut kinds: Vec<&str> = Vec::new();
    for (name, source) in examples() {
        let definition = loaded(&name, &source);
        kinds.extend(definition.steps.iter().map(|step| step.kind.name()));
        assert!(definition.title.ja.is_some(), "{name} has a Japanese title");
        assert!(definition.steps.iter().all(|step| step.label.ja.is_some()), "{name} is in both");
        let agents = definition.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Agent(agent) => Some(agent.agent.as_str()),
            _ => None,
        });
        let known = ["strategist", "copywriter", "critic", "illustrator", "editor", "researcher"];
        for agent in agents {
            assert!(known.contains(&agent), "{name}: {agent}");
        }
    }
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(
        kinds,
        ["agent", "checkpoint", "for_each", "gate", "loop", "orchestration", "transform", "wait"]
    );
}

fn as_json(source: &str) -> Value {
    serde_saphyr::from_str(source).unwrap()
}

/// Not by our own `Schema`: the language is recursive, which authors' schemas may not be.
fn published() -> jsonschema::Validator {
    jsonschema::validator_for(&json_schema()).unwrap()
}

#[test]
fn every_example_fits_the_published_schema() {
    let schema = published();
    for (name, source) in examples() {
        let breaches: Vec<String> =
            schema.iter_errors(&as_json(&source)).map(|breach| breach.to_string()).collect();
        assert!(breaches.is_empty(), "{name}: {breaches:#?}");
    }
}

#[test]
fn the_published_schema_refuses_what_is_wrong() {
    let schema = published();
    let with_step = |step: Value| json!({"showrunner": 1, "id": "x", "steps": [step]});
    assert!(schema.is_valid(&with_step(json!({"id": "a", "agent": "w"}))));
    for step in [
        json!({"id": "a"}),
        json!({"agent": "w"}),
        json!({"id": "A", "agent": "w"}),
        json!({"id": "a", "agent": "w", "transform": {}}),
        json!({"id": "a", "agnet": "w"}),
        json!({"id": "a", "agent": "w", "timeout": 5}),
        json!({"id": "a", "agent": "w", "timeout": "5 minutes"}),
        json!({"id": "a", "agent": "w", "retry": 0}),
        json!({"id": "a", "agent": "w", "retry": {"on": "typo"}}),
        json!({"id": "a", "checkpoint": {}}),
        json!({"id": "a", "loop": {"steps": [], "until": "true", "max": 1}}),
        json!({"id": "a", "loop": {"steps": [{"id": "b", "agent": "w"}], "until": "true"}}),
        json!({"id": "a", "wait": {"for": "5m", "callback": "x"}}),
        json!({"id": "a", "gate": {"rules": [{"when": "true", "verdict": "maybe"}]}}),
    ] {
        assert!(!schema.is_valid(&with_step(step.clone())), "{step}");
    }
    assert!(!schema.is_valid(&json!({"id": "x", "steps": [{"id": "a", "agent": "w"}]})));
    assert!(!schema.is_valid(&json!({"showrunner": 1, "id": "x", "steps": [], "titel": "x"})));
}

/// A dice of one seed, so that a failure comes again.
struct Dice {
    at: At,
    throws: u32,
}

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.throws += 1;
        let throw = self.at.bits(self.throws) >> 33;
        usize::try_from(throw).unwrap() % n.max(1)
    }
}

fn dice() -> Dice {
    Dice { at: At { now: Timestamp(0), seed: 7 }, throws: 0 }
}

#[test]
fn mutated_examples_never_panic() {
    const WORDS: [&str; 24] = [
        "{{",
        "}}",
        "steps.",
        "loop",
        "for_each:",
        "- ",
        ": ",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'",
        "&a ",
        "*a ",
        "<<: ",
        "null",
        "1e999",
        "-1",
        "\n",
        "  ",
        "春",
        "|\n",
        "\u{0}",
    ];
    let examples = examples();
    let mut dice = dice();
    for round in 0..400 {
        let (name, source) = &examples[round % examples.len()];
        let mut text: Vec<char> = source.chars().collect();
        for _ in 0..=dice.below(4) {
            let at = dice.below(text.len());
            match dice.below(4) {
                0 => {
                    let end = (at + dice.below(30)).min(text.len());
                    text.drain(at..end);
                },
                1 => {
                    let from = dice.below(text.len());
                    let end = (from + dice.below(200)).min(text.len());
                    let copy: Vec<char> = text[from..end].to_vec();
                    text.splice(at..at, copy);
                },
                2 => text[at] = char::from(u8::try_from(32 + dice.below(95)).unwrap()),
                _ => {
                    text.splice(at..at, WORDS[dice.below(WORDS.len())].chars());
                },
            }
        }
        let text: String = text.into_iter().collect();
        if let Err(problems) = load(&text, name, 1) {
            // Refused, and it says why.
            assert!(!problems.is_empty(), "{text}");
            assert!(problems.iter().all(|problem| problem.line > 0 && !problem.what.is_empty()));
        }
    }
}

#[test]
fn random_bytes_never_panic() {
    let mut dice = dice();
    for _ in 0..500 {
        let len = dice.below(400);
        let bytes: Vec<u8> = (0..len).map(|_| u8::try_from(dice.below(256)).unwrap()).collect();
        let text = String::from_utf8_lossy(&bytes);
        assert!(load(&text, "random", 1).is_err());
    }
}

/// Five hundred steps, each looking at the ones before it, with templates and schemas.
fn large() -> String {
    use std::fmt::Write as _;
    let mut source = String::from("showrunner: 1\nid: large\nsteps:\n");
    for n in 0..500 {
        let before = n.max(1) - 1;
        let reference = if n == 0 { "input".into() } else { format!("steps.s{before}.output") };
        write!(
            source,
            "  - id: s{n}\n    agent: writer\n    input:\n      a: \"{{{{ {reference}.text }}}}\"\n      \
             b: \"Number {n}: {{{{ default({reference}.text, 'nothing').upper() }}}}\"\n    \
             when: size(run.id) > 0 && {reference} != null\n    output:\n      type: object\n      \
             required: [text]\n      properties: {{text: {{type: string, minLength: 1}}}}\n"
        )
        .unwrap();
    }
    source
}

#[test]
#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "the claim is about time")]
fn a_definition_of_five_hundred_steps_loads_soon() {
    let source = large();
    let started = std::time::Instant::now();
    let definition = loaded("large", &source);
    let took = started.elapsed();
    println!("500 steps, {} bytes: {took:?}", source.len());
    assert_eq!(definition.steps.len(), 500);
    // Two hundred milliseconds are the aim of a release build.
    let limit_ms = if cfg!(debug_assertions) { 5_000 } else { 200 };
    assert!(took.as_millis() < limit_ms, "{took:?}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the claim is about time")]
fn ten_thousand_steps_are_refused_within_a_second() {
    let steps: String = (0..10_000).map(|n| format!("  - {{id: s{n}, agent: w}}\n")).collect();
    let source = format!("showrunner: 1\nid: x\nsteps:\n{steps}");
    let started = std::time::Instant::now();
    let problems = load(&source, "x", 0).unwrap_err();
    let took = started.elapsed();
    assert_eq!(problems[0].what, "the definition has 10000 steps");
    let limit_ms = if cfg!(debug_assertions) { 5_000 } else { 1_000 };
    assert!(took.as_millis() < limit_ms, "{took:?}");
}
