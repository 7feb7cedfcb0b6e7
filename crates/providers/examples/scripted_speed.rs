//! How long one scripted answer takes at zero latency.
//! `cargo run --release -p showrunner-providers --example scripted_speed`
#![expect(clippy::print_stdout, reason = "a measurement for people")]
#![expect(clippy::disallowed_methods, reason = "it measures real time")]

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use showrunner_engine::agent::AgentRecord;
use showrunner_engine::schema::Schema;
use showrunner_engine::turn::{Turn, TurnStart, TurnStep};
use showrunner_providers::ledger::{Durability, FileLedger, Ledger, MemoryLedger};
use showrunner_providers::pace::JumpingClock;
use showrunner_providers::scripted::{ScriptedConfig, ScriptedModel};
use showrunner_providers::{ModelProvider, ModelRequest, NoDeltas, Profiles};

const CALLS: u32 = 100_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let small = json!({"type": "object", "required": ["text", "score"], "properties": {
        "text": {"type": "string", "maxLength": 200}, "score": {"type": "number", "minimum": 0, "maximum": 1}}});
    let strategy = json!({"type": "object", "required": ["creative_direction", "hook_concept", "key_messages"],
        "properties": {"creative_direction": {"type": "string"}, "hook_concept": {"type": "string"},
            "target_emotion": {"type": "string"}, "call_to_action": {"type": "string"},
            "key_messages": {"type": "array", "items": {"type": "string"}, "minItems": 3}}});
    let directory = std::env::temp_dir().join(format!("scripted_speed_{}", std::process::id()));
    for (name, schema) in [("small schema", small), ("strategist", strategy)] {
        measure(&format!("{name}, memory ledger"), &schema, Arc::new(MemoryLedger::default()))
            .await?;
        let file = FileLedger::open(&directory, Durability::Process)?;
        measure(&format!("{name}, file ledger"), &schema, Arc::new(file)).await?;
        std::fs::remove_dir_all(&directory)?;
    }
    Ok(())
}

async fn measure(
    what: &str,
    schema: &Value,
    ledger: Arc<dyn Ledger>,
) -> Result<(), Box<dyn std::error::Error>> {
    let agent = AgentRecord::parse_markdown("---\nname: writer\n---\nWrite one line.", "writer.md")
        .map_err(|problems| format!("{problems:?}"))?;
    let schema = Schema::compile(schema.clone())?;
    let profiles = Profiles::shipped();
    let profile = profiles.get("default").ok_or("no profile")?;
    let clock = Arc::new(JumpingClock::default());
    let provider = ScriptedModel::new("scripted", ScriptedConfig::default(), ledger, clock);
    let (mut asking, mut answering) = (0, 0);
    for n in 0..CALLS {
        let input = json!({"prompt": "A line for our new green tea, for commuters.", "n": n});
        let begun = Instant::now();
        let turn = Turn::new(TurnStart {
            agent: &agent,
            input: &input,
            output_schema: Some(&schema),
            feedback: None,
            settings: &Value::Null,
            tools: &[],
        });
        let TurnStep::CallModel(call) = turn.next() else { return Err("no call".into()) };
        asking += begun.elapsed().as_nanos();
        let request = ModelRequest {
            key: format!("run_{n}/step/1/0"),
            run: "run".into(),
            step: "step".into(),
            variation: 0,
            profile: Arc::clone(profile),
            call,
        };
        let begun = Instant::now();
        let answer = provider.complete(&request, &NoDeltas).await?;
        answering += begun.elapsed().as_nanos();
        drop(answer);
    }
    let per_call = |nanos: u128| nanos / u128::from(CALLS);
    println!("{what}: turn {} ns, answer {} ns", per_call(asking), per_call(answering));
    Ok(())
}
