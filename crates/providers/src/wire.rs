//! Live models: three wire protocols, each spoken to any endpoint that understands it.
//!
//! What differs between vendors is in one file each ([`Wire`]); what is the same is here and
//! below: one request, never repeated; the answer streamed; usage and cost from its end; failures
//! by status and typed code. A call is billed by the vendor, so whatever is not certain says so
//! ([`Outcome::Unknown`]).

mod anthropic;
mod endpoint;
mod form;
mod google;
mod http;
pub mod media;
mod openai;
mod problem;
mod reading;
mod sse;

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use showrunner_engine::failure::ErrorClass;
use showrunner_engine::money::{MicroUsd, Spend};
use showrunner_engine::turn::ModelCall;

use crate::error::{CallFailure, Outcome};
use crate::model::{DeltaSink, ModelAnswer, ModelProvider, ModelRequest};
use crate::pace::Sleeper;
use crate::profiles::{Structured, Tokens, Unpriced};
use crate::{CallSafety, LookUp, Mode};
use form::Form;
use http::Answering;
use problem::Problem;
use reading::Reading;

pub use endpoint::{Endpoint, EndpointFault, Wire};
pub use http::{Http, HttpOptions};

/// Tokens that a vendor adds to a prompt on its own account, at most: instructions about tools and
/// forms. Anthropic's table of tool use has 700 at the highest; the others publish none.
const VENDOR_TOKENS: u64 = 2_048;

/// Models behind an endpoint.
#[derive(Debug)]
pub struct LiveModel {
    endpoint: Endpoint,
    http: Http,
    clock: Arc<dyn Sleeper>,
}

/// A request as it leaves.
struct Letter {
    url: reqwest::Url,
    headers: HeaderMap,
    body: Value,
    form: Option<Form>,
}

/// What an event of the stream means for the reading of it.
enum Flow {
    /// There is more to come.
    More,
    /// The vendor has said that this is all.
    End,
}

impl LiveModel {
    /// Models behind `endpoint`. The clock only reads dates in answers.
    pub fn new(endpoint: Endpoint, http: Http, clock: Arc<dyn Sleeper>) -> Self {
        Self { endpoint, http, clock }
    }

    fn write(&self, request: &ModelRequest) -> Result<Letter, CallFailure> {
        if !request.profile.tools && !request.call.tools.is_empty() {
            return Err(unsendable(
                "tools_unsupported",
                format!("the model `{}` cannot be given tools here", request.profile.name),
            ));
        }
        let form = request.call.output.as_ref().map(Form::of);
        let (url, key_header) = self.endpoint.address(&request.profile.model);
        let mut headers = HeaderMap::new();
        if self.endpoint.wire() == Wire::Anthropic {
            headers.insert("anthropic-version", HeaderValue::from_static(anthropic::VERSION));
        }
        if let (Some(key), (name, prefix)) = (self.endpoint.key(), key_header) {
            let value = HeaderValue::try_from(format!("{prefix}{}", key.expose_secret()));
            let mut value = value.map_err(|_error| {
                // The error would show what the value is.
                let name = self.endpoint.name();
                unsendable("key_malformed", format!("the key for {name} is no HTTP header value"))
            })?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
        }
        let body = match self.endpoint.wire() {
            Wire::Anthropic => anthropic::body(request, form.as_ref()),
            Wire::OpenAi => openai::body(request, form.as_ref(), self.endpoint.is_own()),
            Wire::Google => google::body(request, form.as_ref()),
        };
        Ok(Letter { url, headers, body, form })
    }

    async fn ask(
        &self,
        request: &ModelRequest,
        deltas: &dyn DeltaSink,
    ) -> Result<ModelAnswer, CallFailure> {
        let letter = self.write(request)?;
        let provider = self.endpoint.name();
        let mut answering =
            self.http.post(provider, letter.url, letter.headers, &letter.body).await?;
        if let Some(problem) = answering.refusal(self.clock.now()).await {
            return Err(problem.into_failure(provider, false));
        }
        let mut reading = Reading::new(request, letter.form.as_ref(), deltas);
        match self.read(&mut answering, &mut reading).await {
            // Once the vendor has said why it stopped, the answer is whole: what goes wrong with
            // the connection afterwards can only lose the count of tokens.
            Err(failure) if !reading.is_whole() => return Err(answering.name_request(failure)),
            _ => {},
        }
        let most = self.ceiling(request).unwrap_or(Spend::ZERO);
        let read = reading.finish(provider, most, |tokens| self.price(request, tokens));
        read.map_err(|failure| answering.name_request(failure))
    }

    /// Reads the stream to its end.
    async fn read(
        &self,
        answering: &mut Answering,
        reading: &mut Reading<'_>,
    ) -> Result<(), CallFailure> {
        let mut reader = sse::Reader::default();
        while let Some(bytes) = answering.piece().await? {
            let events = reader.take(&bytes).map_err(|garbled| {
                let message = format!("the answer of {} is garbled: {garbled}", self.name());
                CallFailure::new(ErrorClass::Transient, Outcome::Unknown, "answer_garbled", message)
            })?;
            for event in events {
                if matches!(self.read_event(&event, reading)?, Flow::End) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn read_event(
        &self,
        event: &sse::Event,
        reading: &mut Reading<'_>,
    ) -> Result<Flow, CallFailure> {
        if event.data == "[DONE]" {
            return Ok(Flow::End);
        }
        let data: Value = serde_json::from_str(&event.data).map_err(|error| {
            let message = format!("an event of {} is no JSON: {error}", self.name());
            CallFailure::new(ErrorClass::Transient, Outcome::Unknown, "answer_garbled", message)
        })?;
        if let Some(problem) = Problem::of_value(&data) {
            return Err(problem.into_failure(self.name(), reading.has_begun()));
        }
        Ok(match self.endpoint.wire() {
            Wire::Anthropic => anthropic::read(&data, reading),
            Wire::OpenAi => openai::read(&data, reading),
            Wire::Google => google::read(&data, reading),
        })
    }

    fn price(&self, request: &ModelRequest, tokens: Tokens) -> MicroUsd {
        match request.profile.price {
            Some(price) if !self.endpoint.is_free() => price.cost(tokens),
            // A call without a price was refused before it left: see `ceiling`.
            _ => MicroUsd::ZERO,
        }
    }
}

#[async_trait]
impl ModelProvider for LiveModel {
    fn name(&self) -> &str {
        self.endpoint.name()
    }

    fn mode(&self) -> Mode {
        if self.endpoint.is_own() { Mode::Local } else { Mode::Live }
    }

    /// None of the three vendors takes an idempotency key for a model call, and none can be asked
    /// what became of one: their Python SDKs (anthropic 2.10.0, openai 3.51.0, google-genai 3.3.0)
    /// know a header for it and leave it unset, their references have no such parameter. Where a
    /// call costs nothing, sending it again cannot cost twice.
    fn safety(&self) -> CallSafety {
        if self.endpoint.is_free() { CallSafety::Idempotent } else { CallSafety::Neither }
    }

    async fn complete(
        &self,
        request: &ModelRequest,
        deltas: &dyn DeltaSink,
    ) -> Result<ModelAnswer, CallFailure> {
        self.ceiling(request).map_err(|unpriced| {
            let failure = unpriced.into_failure();
            CallFailure::new(failure.class, Outcome::NotSent, failure.code, failure.message)
        })?;
        let asked = self.ask(request, deltas).await;
        asked.map_err(|mut failure| {
            if self.endpoint.is_free() && failure.outcome == Outcome::Unknown {
                // Whatever became of it, nobody was billed.
                failure.outcome = Outcome::Refused;
            }
            if let Some(key) = self.endpoint.key() {
                failure.message = failure.message.replace(key.expose_secret(), "[key]");
            }
            failure
        })
    }

    async fn look_up(&self, _key: &str) -> Result<LookUp<ModelAnswer>, CallFailure> {
        Ok(LookUp::CannotSay)
    }

    /// No tokenizer in use makes more tokens than a text has bytes: the body in bytes is the
    /// bound for what is read.
    fn ceiling(&self, request: &ModelRequest) -> Result<Spend, Unpriced> {
        let price = request.profile.price()?;
        // What cannot be written is not sent either: `complete` says why.
        let bytes = self.write(request).map_or(0, |letter| letter.body.to_string().len());
        let input = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(VENDOR_TOKENS);
        let input = input.min(request.profile.context_tokens);
        let output = u64::from(request.profile.output_tokens_max(&request.call));
        let is_free = self.endpoint.is_free();
        let cost = if is_free { MicroUsd::ZERO } else { price.ceiling(input, output) };
        Ok(Spend { cost, tokens: input.saturating_add(output) })
    }
}

/// A call that cannot leave.
fn unsendable(code: &str, message: String) -> CallFailure {
    CallFailure::new(ErrorClass::Validation, Outcome::NotSent, code, message)
}

/// The name of the tool whose arguments are the answer; never that of a real one.
fn answer_tool(call: &ModelCall) -> &'static str {
    let is_taken = call.tools.iter().any(|tool| tool.name == "answer");
    if is_taken { "answer_the_task" } else { "answer" }
}

/// Whether what the model says in words is the answer itself: not where it has a tool for that.
fn form_is_said(request: &ModelRequest, form: Option<&Form>) -> bool {
    form.is_none() || request.profile.structured != Structured::Tool
}
