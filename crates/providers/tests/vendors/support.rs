//! A driver, its vendor's fake, and calls to make.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use secrecy::SecretString;
use serde_json::{Value, json};
use showrunner_engine::at::Timestamp;
use showrunner_engine::schema::Schema;
use showrunner_engine::turn::{
    Answer, Message, ModelCall, ModelSettings, OutputForm, ToolSpec, digest_of,
};
use showrunner_providers::pace::JumpingClock;
use showrunner_providers::{
    CallFailure, DeltaSink, Endpoint, Http, HttpOptions, LiveModel, ModelAnswer, ModelProfile,
    ModelProvider, ModelRequest, Profiles, Wire,
};
use showrunner_testkit::vendors::{Billed, Fake, KEY, Vendor};

/// Nothing here takes a second, on however slow a machine; what takes this long hangs.
pub(crate) const HANGS: Duration = Duration::from_mins(2);
/// 2026-11-20 12:00:00 UTC.
pub(crate) const NOW: Timestamp = Timestamp(1_795_176_000_000_000);

pub(crate) fn wire(vendor: Vendor) -> Wire {
    match vendor {
        Vendor::Anthropic => Wire::Anthropic,
        Vendor::OpenAi => Wire::OpenAi,
        Vendor::Google => Wire::Google,
    }
}

/// A model of this vendor that is made to answer as in production.
pub(crate) fn usual_model(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Anthropic => "claude-haiku-4-5",
        Vendor::OpenAi => "gpt-6.1-sol",
        Vendor::Google => "gemini-3.8-flash",
    }
}

pub(crate) fn profile(name: &str) -> ModelProfile {
    ModelProfile::clone(Profiles::shipped().get(name).expect("a shipped profile"))
}

/// Limits with which a silence is soon a silence.
pub(crate) fn impatient() -> HttpOptions {
    HttpOptions {
        connect_timeout: Duration::from_secs(20),
        idle_timeout: Duration::from_secs(20),
        total_timeout: Duration::from_mins(1),
        roots_pem: Some(Vec::new()),
        ..HttpOptions::default()
    }
}

pub(crate) fn driver(wire: Wire, base: &str, options: HttpOptions) -> LiveModel {
    let key = SecretString::from(KEY);
    let endpoint = Endpoint::new("vendor", wire, base, Some(key)).unwrap();
    let clock = Arc::new(JumpingClock::at(NOW));
    LiveModel::new(endpoint, Http::new(options).unwrap(), clock)
}

pub(crate) fn driver_of(vendor: Vendor, fake: &Fake) -> LiveModel {
    driver(wire(vendor), &fake.base(), impatient())
}

/// A schema as definitions have it: lengths, bounds, an optional member.
pub(crate) fn brief() -> Value {
    json!({
        "type": "object",
        "required": ["headline", "score", "valid"],
        "additionalProperties": false,
        "properties": {
            "headline": { "type": "string", "minLength": 1, "maxLength": 40 },
            "score": { "type": "integer", "minimum": 0, "maximum": 100 },
            "valid": { "type": "boolean" },
            "notes": { "type": "array", "items": { "type": "string" }, "maxItems": 5 },
        },
    })
}

/// A call of `model`, for an answer in the form of `schema`.
pub(crate) fn request(profile: ModelProfile, schema: Option<Value>) -> ModelRequest {
    let output = schema.map(|schema| OutputForm {
        digest: digest_of(&schema),
        schema: Schema::compile(schema).unwrap(),
    });
    let input = json!({ "title": "春の新茶", "brief": "Make tea look like spring. ".repeat(20) });
    let call = ModelCall {
        no: 0,
        request_digest: "d".into(),
        agent: "strategist".into(),
        model: "default".into(),
        system: "You are the strategist of a studio.".into(),
        messages: vec![Message::Task { input: Arc::new(input), feedback: None }],
        tools: Arc::new([]),
        output,
        settings: ModelSettings { temperature: Some(0.5), max_output_tokens: 900 },
    };
    ModelRequest {
        key: "run_1/tok_1/0".into(),
        run: "run_1".into(),
        step: "draft".into(),
        variation: 0,
        profile: Arc::new(profile),
        call: Arc::new(call),
    }
}

pub(crate) fn weather() -> ToolSpec {
    ToolSpec {
        name: "weather".into(),
        description: "The weather somewhere.".into(),
        parameters: json!({
            "type": "object",
            "required": ["city"],
            "properties": { "city": { "type": "string" } },
        }),
    }
}

/// The same call, changed.
pub(crate) fn with(request: &ModelRequest, change: impl FnOnce(&mut ModelCall)) -> ModelRequest {
    let mut request = request.clone();
    change(Arc::make_mut(&mut request.call));
    request
}

/// Keeps what is streamed.
#[derive(Debug, Default)]
pub(crate) struct Heard(Mutex<Vec<String>>);

impl DeltaSink for Heard {
    fn delta(&self, text: &str) {
        self.0.lock().push(text.to_owned());
    }
}

impl Heard {
    pub(crate) fn whole(&self) -> String {
        self.0.lock().concat()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().len()
    }
}

/// Calls, and does not hang.
pub(crate) async fn call(
    driver: &LiveModel,
    request: &ModelRequest,
) -> (Result<ModelAnswer, CallFailure>, Heard) {
    let heard = Heard::default();
    let answered = tokio::time::timeout(HANGS, driver.complete(request, &heard)).await;
    (answered.expect("the call hangs"), heard)
}

pub(crate) async fn answer(driver: &LiveModel, request: &ModelRequest) -> ModelAnswer {
    call(driver, request).await.0.unwrap()
}

/// The structured answer.
pub(crate) fn output(answer: &ModelAnswer) -> &Value {
    match &answer.answer {
        Answer::Output(value) => value,
        other => panic!("not a structured answer: {other:?}"),
    }
}

/// What a bill comes to at the prices of `profile`, computed here once more.
pub(crate) fn cost_of(billed: &[Billed], profile: &ModelProfile) -> i64 {
    let price = profile.price.unwrap();
    let of = |billed: &Billed| {
        let exact = u128::from(billed.input) * u128::from(price.input)
            + u128::from(billed.cached) * u128::from(price.cached_input)
            + u128::from(billed.output) * u128::from(price.output);
        i64::try_from(exact.div_ceil(1_000_000)).unwrap()
    };
    billed.iter().map(of).sum()
}
