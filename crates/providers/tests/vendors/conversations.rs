//! Conversations of several messages: corrections and tools, as each vendor wants them told.

use std::sync::Arc;

use serde_json::{Value, json};
use showrunner_engine::agent::AgentRecord;
use showrunner_engine::schema::{Breach, Schema};
use showrunner_engine::turn::{Answer, AskedTool, Message, ToolResult, Turn, TurnStart, TurnStep};
use showrunner_providers::{ModelProvider, ModelRequest, Structured};
use showrunner_testkit::vendors::{Fake, Fault, Play, Vendor};

use super::support::*;

/// A model that can be given tools.
fn tooled(vendor: Vendor) -> showrunner_providers::ModelProfile {
    let mut profile = profile(usual_model(vendor));
    (profile.tools, profile.effort) = (true, Some("none".into()));
    profile.effort = profile.effort.filter(|_| vendor == Vendor::OpenAi);
    profile
}

#[tokio::test]
async fn an_answer_that_breaks_its_schema_goes_back_and_is_corrected() {
    let agent = "---\nname: strategist\ntitle: { en: Strategist, ja: S }\nrole: strategist\n---\nYou plan.\n";
    let agent = AgentRecord::parse_markdown(agent, "strategist.md").unwrap();
    let schema = Schema::compile(brief()).unwrap();
    let input = json!({ "title": "tea" });
    for vendor in Vendor::ALL {
        for structured in [Structured::Tool, Structured::Schema] {
            for spoilt in [Fault::WrongSchema, Fault::InvalidArguments] {
                let fake = Fake::start(vendor).await;
                let driver = driver_of(vendor, &fake);
                fake.play(Play::fault(spoilt));
                fake.play(Play::fault(spoilt));
                let mut profile = tooled(vendor);
                profile.structured = structured;
                let start = TurnStart {
                    agent: &agent,
                    input: &input,
                    output_schema: Some(&schema),
                    feedback: None,
                    settings: &Value::Null,
                    tools: &[],
                };
                let mut turn = Turn::new(start);
                let output = loop {
                    match turn.next() {
                        TurnStep::CallModel(asked) => {
                            let request =
                                ModelRequest { call: asked, ..request(profile.clone(), None) };
                            let answered = answer(&driver, &request).await;
                            let name = driver.name().into();
                            turn.on_model(&answered.into_record(&request, name, 1)).unwrap();
                        },
                        TurnStep::Done { output, .. } => break output,
                        other => panic!("{vendor:?} {structured:?} {spoilt:?}: {other:?}"),
                    }
                };
                assert!(schema.accepts(&output));
                assert_eq!(fake.billed().len(), 3, "{vendor:?} {structured:?} {spoilt:?}");
            }
        }
    }
}

#[tokio::test]
async fn tools_are_asked_for_and_their_results_are_taken() {
    for vendor in Vendor::ALL {
        let fake = Fake::start(vendor).await;
        let driver = driver_of(vendor, &fake);
        let first = with(&request(tooled(vendor), Some(brief())), |call| {
            call.tools = Arc::new([weather()]);
        });
        fake.play(Play::tool("weather", json!({ "city": "京都" })));
        let answered = answer(&driver, &first).await;
        let Answer::Tools { text, calls } = &answered.answer else {
            panic!("{vendor:?}: {:?}", answered.answer)
        };
        assert!(text.contains("look that up"), "{vendor:?}");
        assert_eq!((calls.len(), calls[0].name.as_str()), (1, "weather"), "{vendor:?}");
        assert_eq!(calls[0].arguments, json!({ "city": "京都" }), "{vendor:?}");
        assert!(!calls[0].id.is_empty());

        let result = ToolResult { id: calls[0].id.clone(), value: json!("rain") };
        let second = with(&first, |call| {
            call.messages.push(Message::Answered(Arc::new(answered.answer.clone())));
            call.messages.push(Message::ToolResults(vec![result]));
        });
        // The vendor has checked that the result belongs to the call.
        answer(&driver, &second).await;
        let heard = fake.heard();
        assert!(heard[1].to_string().contains("rain"), "{vendor:?}");
    }
}

#[tokio::test]
async fn arguments_that_are_no_json_are_shown_to_the_engine_as_they_are() {
    for vendor in [Vendor::Anthropic, Vendor::OpenAi] {
        let fake = Fake::start(vendor).await;
        let driver = driver_of(vendor, &fake);
        let request = with(&request(tooled(vendor), None), |call| {
            call.tools = Arc::new([weather()]);
        });
        let mut play = Play::tool("weather", json!({}));
        play.fault = Some(Fault::InvalidArguments);
        fake.play(play);
        let answered = answer(&driver, &request).await;
        let Answer::Tools { calls, .. } = &answered.answer else { panic!("{vendor:?}") };
        assert_eq!(calls[0].arguments, json!("{\"city\": \"Kyo"), "{vendor:?}");
        // And the conversation goes on.
        let result = ToolResult { id: calls[0].id.clone(), value: json!({ "error": "no JSON" }) };
        let next = with(&request, |call| {
            call.messages.push(Message::Answered(Arc::new(answered.answer.clone())));
            call.messages.push(Message::ToolResults(vec![result]));
        });
        answer(&driver, &next).await;
    }
}

#[tokio::test]
async fn anthropic_is_told_of_a_breach_as_the_result_of_its_tool() {
    let fake = Fake::start(Vendor::Anthropic).await;
    let driver = driver_of(Vendor::Anthropic, &fake);
    let breach = Breach { pointer: "/score".into(), message: "101 is over 100".into() };
    let request = with(&request(profile("claude-haiku-4-5"), Some(brief())), |call| {
        call.messages.push(Message::Answered(Arc::new(Answer::Output(json!({ "score": 101 })))));
        call.messages.push(Message::Correction(vec![breach]));
    });
    answer(&driver, &request).await;
    let body = &fake.heard()[0];
    assert_eq!(body["tool_choice"]["name"], "answer");
    assert_eq!(body["messages"][1]["content"][0]["input"], json!({ "score": 101 }));
    let result = &body["messages"][2]["content"][0];
    assert_eq!((result["type"].as_str(), &result["is_error"]), (Some("tool_result"), &json!(true)));
    assert_eq!(result["tool_use_id"], body["messages"][1]["content"][0]["id"]);
    assert!(result["content"].as_str().unwrap().contains("101 is over 100"));
}

#[tokio::test]
async fn a_tool_that_is_called_answer_is_not_taken_for_the_answer() {
    let fake = Fake::start(Vendor::Anthropic).await;
    let driver = driver_of(Vendor::Anthropic, &fake);
    let mut tool = weather();
    tool.name = "answer".into();
    let request = with(&request(profile("claude-haiku-4-5"), Some(brief())), |call| {
        call.tools = Arc::new([tool]);
    });
    fake.play(Play::tool("answer", json!({ "city": "Kyoto" })));
    let answered = answer(&driver, &request).await;
    let asked = AskedTool {
        id: "toolu_fake_0".into(),
        name: "answer".into(),
        arguments: json!({ "city": "Kyoto" }),
    };
    assert!(matches!(&answered.answer, Answer::Tools { calls, .. } if calls == &[asked]));
    assert!(output(&answer(&driver, &request).await).get("headline").is_some());
}
