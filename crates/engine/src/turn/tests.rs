//! Transcripts: what the turn asks, what it is told, how it ends.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use serde_json::json;

use super::*;
use crate::money::MicroUsd;

/// A turn on a small task, fed with answers in order.
struct Story {
    agent: AgentRecord,
    input: Value,
    schema: Option<Schema>,
    feedback: Option<Value>,
    settings: Value,
    tools: Vec<ToolSpec>,
}

impl Story {
    fn new() -> Self {
        Self {
            agent: AgentRecord::parse_markdown("---\nname: writer\n---\nWrite.", "w.md").unwrap(),
            input: json!({"prompt": "tea"}),
            schema: None,
            feedback: None,
            settings: Value::Null,
            tools: vec![],
        }
    }
    fn wanting(mut self, schema: Value) -> Self {
        self.schema = Some(Schema::compile(schema).unwrap());
        self
    }
    fn with_tool(mut self, name: &str) -> Self {
        let parameters = json!({"type": "object"});
        self.tools.push(ToolSpec { name: name.into(), description: String::new(), parameters });
        self
    }
    fn start(&self) -> TurnStart<'_> {
        TurnStart {
            agent: &self.agent,
            input: &self.input,
            output_schema: self.schema.as_ref(),
            feedback: self.feedback.as_ref(),
            settings: &self.settings,
            tools: &self.tools,
        }
    }

    /// Plays the answers; returns the transcript and the records made.
    fn play(&self, answers: &[Answer]) -> (String, Vec<CallRecord>) {
        let mut turn = Turn::new(self.start());
        let mut told = String::new();
        let mut records = Vec::new();
        let mut answers = answers.iter();
        loop {
            match turn.next() {
                TurnStep::CallModel(call) => {
                    let last = call.messages.last().unwrap();
                    writeln!(told, "{}: model {}", call.no, said(last)).unwrap();
                    let Some(answer) = answers.next() else { break };
                    let made = record(CallKind::Model, call.no, &call.request_digest, answer);
                    turn.on_model(&made).unwrap();
                    records.push(made);
                },
                TurnStep::CallTools(calls) => {
                    let call = &calls[0];
                    writeln!(told, "{}: tool {}{}", call.no, call.name, call.arguments).unwrap();
                    let Some(answer) = answers.next() else { break };
                    let made = record(CallKind::Tool, call.no, &call.request_digest, answer);
                    turn.on_tools(std::slice::from_ref(&made)).unwrap();
                    records.push(made);
                },
                TurnStep::Done { output, spend } => {
                    writeln!(told, "done {output} for {} µ$", spend.cost.0).unwrap();
                    break;
                },
                TurnStep::Failed(failure) => {
                    writeln!(told, "failed {}: {}", failure.code, failure.message).unwrap();
                    break;
                },
            }
        }
        (told, records)
    }

    fn check(&self, answers: &[Answer], expected: &Expect) {
        expected.assert_eq(&self.play(answers).0);
    }
}

fn said(message: &Message) -> String {
    message.to_text().lines().collect::<Vec<_>>().join(" / ")
}

fn record(kind: CallKind, no: u16, digest: &crate::id::Digest, answer: &Answer) -> CallRecord {
    CallRecord {
        no,
        kind,
        request_digest: digest.clone(),
        provider: "fake".into(),
        model: None,
        answer: answer.clone(),
        usage: Usage { input_tokens: 1, output_tokens: 1, cached_tokens: 0 },
        cost: MicroUsd(10),
        duration_ms: 0,
        simulated: true,
        billed_key: String::new(),
        estimated: false,
    }
}

fn output(value: Value) -> Answer {
    Answer::Output(value)
}

fn tools(calls: &[(&str, &str)]) -> Answer {
    let calls = calls
        .iter()
        .map(|(id, name)| AskedTool {
            id: (*id).into(),
            name: (*name).into(),
            arguments: json!({"of": id}),
        })
        .collect();
    Answer::Tools { text: String::new(), calls }
}

fn headline() -> Value {
    json!({"type": "object", "required": ["headline"], "properties": {"headline": {"type": "string"}}})
}

#[test]
fn text_and_structured_answers_end_the_turn() {
    Story::new().check(
        &[Answer::Text("Green.".into())],
        &expect![[r#"
        0: model {"prompt":"tea"}
        done "Green." for 10 µ$
    "#]],
    );
    Story::new().wanting(headline()).check(
        &[output(json!({"headline": "Tea"}))],
        &expect![[r#"
        0: model {"prompt":"tea"}
        done {"headline":"Tea"} for 10 µ$
    "#]],
    );
    Story::new().wanting(headline()).check(
        &[Answer::Text("```json\n{\"headline\": \"Tea\"}\n```".into())],
        &expect![[r#"
            0: model {"prompt":"tea"}
            done {"headline":"Tea"} for 10 µ$
        "#]],
    );
}

#[test]
fn a_breach_goes_back_to_the_model_twice_and_no_more() {
    let story = Story::new().wanting(headline());
    story.check(&[output(json!({})), output(json!({"headline": "Tea"}))], &expect![[r#"
        0: model {"prompt":"tea"}
        1: model Your answer does not fit the required JSON Schema. Answer again, whole: / - the whole output: "headline" is a required property
        done {"headline":"Tea"} for 20 µ$
    "#]]);
    story.check(
        &[output(json!({})), Answer::Text("{\"headline\":".into()), output(json!({"headline": 7}))],
        &expect![[r#"
            0: model {"prompt":"tea"}
            1: model Your answer does not fit the required JSON Schema. Answer again, whole: / - the whole output: "headline" is a required property
            2: model Your answer does not fit the required JSON Schema. Answer again, whole: / - the whole output: the answer is not JSON: EOF while parsing a value at line 1 column 12
            failed output_invalid: after 2 corrections the output still breaks its schema: /headline: 7 is not of type "string"
        "#]],
    );
}

#[test]
fn tools_are_called_one_by_one_or_together_and_unknown_ones_are_answered_at_once() {
    Story::new().with_tool("search").check(
        &[
            tools(&[("a", "search"), ("b", "shell"), ("c", "search")]),
            output(json!("found a")),
            output(json!("found c")),
            Answer::Text("Both are green.".into()),
        ],
        &expect![[r#"
            0: model {"prompt":"tea"}
            1: tool search{"of":"a"}
            3: tool search{"of":"c"}
            4: model "found a" / {"error":"there is no such tool","tool":"shell"} / "found c"
            done "Both are green." for 40 µ$
        "#]],
    );
}

#[test]
fn a_turn_that_goes_in_circles_ends() {
    let story = Story::new().with_tool("search");
    let mut answers = Vec::new();
    for _ in 0..20 {
        answers.push(tools(&[("a", "search")]));
        answers.push(output(json!("nothing")));
    }
    let (told, records) = story.play(&answers);
    assert_eq!(records.len(), usize::from(CALLS_MAX));
    assert!(
        told.ends_with("failed too_many_calls: the turn asked for more than 16 calls\n"),
        "{told}"
    );
}

#[test]
fn an_answer_beyond_the_limit_fails() {
    let (told, _) = Story::new().play(&[Answer::Text("x".repeat(ANSWER_BYTES_MAX + 1))]);
    assert!(told.contains("failed answer_too_large"), "{told}");
}

#[test]
fn wrong_settings_and_agents_of_another_kind_fail_before_any_call() {
    let mut story = Story::new();
    story.settings = json!({"temperature": "hot"});
    story.check(&[], &expect![[r#"
        failed settings_invalid: the step's settings for agent `writer` are wrong: invalid type: string "hot", expected f64
    "#]]);
    let mut story = Story::new();
    story.agent =
        AgentRecord::parse_markdown("---\nname: w\nkind: remote\n---\nWrite.", "w.md").unwrap();
    story.check(
        &[],
        &expect![[r#"
        failed agent_kind_unsupported: agent `w` is of kind remote, which has no model turn
    "#]],
    );
}

#[test]
fn resumed_after_any_call_it_asks_only_for_what_is_missing() {
    let story = Story::new().wanting(headline()).with_tool("search");
    let answers = [
        tools(&[("a", "search"), ("b", "search")]),
        output(json!("found a")),
        output(json!("found b")),
        output(json!({})),
        output(json!({"headline": "Tea"})),
    ];
    let (_, records) = story.play(&answers);
    assert_eq!(records.len(), 5);
    for done in 0..records.len() {
        let turn = Turn::resume(story.start(), &records[..done]).unwrap();
        let asked = match turn.next() {
            TurnStep::CallModel(call) => vec![(call.no, call.request_digest.clone())],
            TurnStep::CallTools(calls) => {
                calls.iter().map(|call| (call.no, call.request_digest.clone())).collect()
            },
            step => panic!("ended early: {step:?}"),
        };
        let next = &records[done];
        assert_eq!(asked[0], (next.no, next.request_digest.clone()), "after {done} calls");
        assert_eq!(turn.spend().cost, MicroUsd(10 * i64::try_from(done).unwrap()));
    }
    let turn = Turn::resume(story.start(), &records).unwrap();
    assert!(matches!(turn.next(), TurnStep::Done { spend, .. } if spend.cost == MicroUsd(50)));
}

#[test]
fn a_record_of_another_request_is_reported_not_used() {
    let story = Story::new();
    let (_, records) = story.play(&[Answer::Text("Green.".into())]);
    let mut changed = Story::new();
    changed.input = json!({"prompt": "coffee"});
    let divergence = Turn::resume(changed.start(), &records).unwrap_err();
    assert!(matches!(divergence, Divergence::Request { no: 0, .. }), "{divergence}");

    let mut wrong_kind = records.clone();
    wrong_kind[0].kind = CallKind::Tool;
    let divergence = Turn::resume(story.start(), &wrong_kind).unwrap_err();
    assert!(matches!(divergence, Divergence::Kind { no: 0, .. }), "{divergence}");

    let twice = [records[0].clone(), records[0].clone()];
    let divergence = Turn::resume(story.start(), &twice).unwrap_err();
    assert_eq!(divergence, Divergence::AfterEnd { recorded: 0 });

    let mut gap = records;
    gap[0].no = 1;
    let divergence = Turn::resume(story.start(), &gap).unwrap_err();
    assert_eq!(divergence, Divergence::Number { recorded: 1, asked: 0 });
}

#[test]
fn whatever_the_model_sees_is_in_the_digest() {
    let digest = |story: &Story| match Turn::new(story.start()).next() {
        TurnStep::CallModel(call) => call.request_digest.clone(),
        step => panic!("{step:?}"),
    };
    let usual = digest(&Story::new());
    assert_eq!(usual, digest(&Story::new()));
    let feedback = Story { feedback: Some(json!("shorter")), ..Story::new() };
    let warmer = Story { settings: json!({"temperature": 0.9}), ..Story::new() };
    let model = Story { settings: json!({"model": "other"}), ..Story::new() };
    for other in
        [feedback, warmer, model, Story::new().wanting(headline()), Story::new().with_tool("x")]
    {
        assert_ne!(usual, digest(&other));
    }
}
