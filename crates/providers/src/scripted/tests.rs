//! The scripted provider as a caller sees it.

mod books;
mod samples;
mod schemas;

use parking_lot::Mutex;
use showrunner_engine::agent::AgentRecord;
use showrunner_engine::schema::Schema;
use showrunner_engine::turn::{ModelCall, Turn, TurnStart, TurnStep};

use super::*;
use crate::ledger::MemoryLedger;
use crate::pace::JumpingClock;
use crate::profiles::Profiles;

/// Waits for a future that never waits for anything but a jumping clock.
fn now<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(future)
}

/// What an agent asks on its first call.
fn call_of(
    agent: &str,
    input: &Value,
    schema: Option<&Value>,
    feedback: Option<&str>,
) -> Arc<ModelCall> {
    let text = format!("---\nname: {agent}\n---\nDo your part.");
    let agent = AgentRecord::parse_markdown(&text, "agent.md").unwrap();
    let schema = schema.map(|schema| Schema::compile(schema.clone()).unwrap());
    let feedback = feedback.map(Value::from);
    let turn = Turn::new(TurnStart {
        agent: &agent,
        input,
        output_schema: schema.as_ref(),
        feedback: feedback.as_ref(),
        settings: &json!({ "max_output_tokens": 100_000 }),
        tools: &[],
    });
    match turn.next() {
        TurnStep::CallModel(call) => call,
        step => panic!("no call: {step:?}"),
    }
}

fn request(key: &str, call: Arc<ModelCall>) -> ModelRequest {
    ModelRequest {
        key: key.into(),
        run: "run_1".into(),
        step: "draft".into(),
        variation: 0,
        profile: Arc::clone(Profiles::shipped().get("scripted-large").unwrap()),
        call,
    }
}

/// A provider, its books and its clock.
struct World {
    provider: ScriptedModel,
    ledger: Arc<MemoryLedger>,
    clock: Arc<JumpingClock>,
}

fn world(config: Value) -> World {
    let ledger = Arc::new(MemoryLedger::default());
    let clock = Arc::new(JumpingClock::default());
    let config = serde_json::from_value(config).unwrap();
    let provider =
        ScriptedModel::new("scripted", config, Arc::clone(&ledger) as _, Arc::clone(&clock) as _);
    World { provider, ledger, clock }
}

impl World {
    fn ask(&self, request: &ModelRequest) -> Result<ModelAnswer, CallFailure> {
        now(self.provider.complete(request, &crate::model::NoDeltas))
    }
}

fn answer(call: Arc<ModelCall>, seed: u64) -> Value {
    let made = world(json!({ "seed": seed })).ask(&request("k", call)).unwrap();
    assert!(made.simulated);
    made.answer.to_value()
}

/// Keeps the pieces it is told.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl DeltaSink for Heard {
    fn delta(&self, text: &str) {
        self.0.lock().push(text.to_owned());
    }
}
