//! OpenAI images: `POST {base}/images/generations`, answered with the picture itself in base64.
//!
//! Source: the reference of “Create image”, and the types of the Python SDK 3.51.0. DALL·E and
//! `gpt-image-1` are retired, so nothing of theirs (`response_format`, `style`) is sent.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use reqwest::Method;
use serde_json::{Value, json};
use showrunner_engine::failure::ErrorClass;
use showrunner_engine::money::{MicroUsd, Spend};

use super::super::endpoint::EndpointFault;
use super::super::unsendable;
use super::file::taken;
use super::line::{Habits, Line};
use super::order::{self, Aspect};
use super::{Access, Outside};
use crate::error::{CallFailure, Outcome};
use crate::media::{MediaJob, MediaKind, MediaProvider, MediaRequest, MediaStatus, Submitted};
use crate::profiles::{Price, Tokens, Unpriced};
use crate::{CallSafety, LookUp, Mode};

/// A model, and what a million of its tokens costs in micro-dollars.
#[derive(Clone, Copy, Debug)]
struct Model {
    name: &'static str,
    price: Price,
}

/// Text read at 5 $, pictures written at 32 $ a million tokens: a picture of medium quality has
/// 1 056 tokens, one of the two long formats 1 584, which come to the published 0.034 $ and
/// 0.051 $ (docs.apiyi.com and runware.ai, “GPT Image 1.5”, read on 2026-11-20).
const MODELS: &[Model] = &[Model {
    name: "gpt-image-1.5",
    price: Price {
        input: 5_000_000,
        output: 32_000_000,
        cached_input: 1_250_000,
        cache_write: None,
        long: None,
    },
}];

/// The most tokens that a picture of medium quality is written in, with room for a change.
const PICTURE_TOKENS_MAX: u64 = 2_048;
/// Tokens that are put around a prompt, at most.
const PROMPT_TOKENS: u64 = 256;

/// OpenAI's image models.
#[derive(Debug)]
pub struct OpenAiImages {
    line: Line,
    model: Model,
}

/// The request. `None`: it cannot make this.
fn body(model: &Model, spec: &Value) -> Option<Value> {
    let size = match order::aspect(spec, Aspect::Square)? {
        Aspect::Square => "1024x1024",
        Aspect::ThreeToTwo => "1536x1024",
        Aspect::TwoToThree => "1024x1536",
        // A picture of another format than was asked for is not what was asked for.
        Aspect::Wide | Aspect::Tall | Aspect::FourToFive => return None,
    };
    Some(json!({
        "model": model.name,
        "prompt": order::words(spec)?,
        "size": size,
        "quality": "medium",
        "output_format": "png",
        "n": 1,
    }))
}

impl OpenAiImages {
    /// The image model of this name, with a key.
    ///
    /// # Errors
    /// In words: the model has no price here, or the base address cannot be used.
    pub fn new(access: Access<'_>, model: &str, outside: &Outside) -> Result<Self, String> {
        let model = Self::known(model)?;
        let habits = Habits {
            name: "openai",
            home: "https://api.openai.com/v1",
            key_header: ("authorization", "Bearer "),
            fixed: &[],
        };
        let line = Line::new(&habits, access, outside);
        let line = line.map_err(|fault: EndpointFault| fault.to_string())?;
        Ok(Self { line, model })
    }

    fn known(model: &str) -> Result<Model, String> {
        MODELS.iter().find(|known| known.name == model).copied().ok_or_else(|| {
            let known: Vec<&str> = MODELS.iter().map(|model| model.name).collect();
            let known = known.join(", ");
            format!("the price of `{model}` is not known, so it is not called; known are {known}")
        })
    }

    /// Whether a model of this name can be called.
    ///
    /// # Errors
    /// In words: it has no price here.
    pub fn check(model: &str) -> Result<(), String> {
        Self::known(model).map(drop)
    }

    /// What an answer has cost; without a count, the most it can be.
    fn cost(&self, answer: &Value, request: &MediaRequest) -> MicroUsd {
        let count = |name: &str| answer.pointer(&format!("/usage/{name}")).and_then(Value::as_u64);
        match (count("input_tokens"), count("output_tokens")) {
            (Some(input), Some(output)) => {
                self.model.price.cost(Tokens { input, output, ..Tokens::default() })
            },
            _ => self.most(request).cost,
        }
    }

    /// No tokenizer in use makes more tokens than a text has bytes.
    fn most(&self, request: &MediaRequest) -> Spend {
        let bytes = order::words(&request.spec).map_or(0, |words| words.len());
        let input = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(PROMPT_TOKENS);
        let cost = self.model.price.ceiling(input, PICTURE_TOKENS_MAX);
        Spend { cost, tokens: input.saturating_add(PICTURE_TOKENS_MAX) }
    }
}

/// It is answered at once, so there is no job to be asked about.
fn no_jobs() -> CallFailure {
    let message = "openai makes pictures at once; it has no jobs".to_owned();
    CallFailure::new(ErrorClass::Provider, Outcome::Refused, "job_unknown", message)
}

#[async_trait]
impl MediaProvider for OpenAiImages {
    fn name(&self) -> &str {
        self.line.name()
    }

    fn mode(&self) -> Mode {
        Mode::Live
    }

    /// As with its models of words: no key of ours is taken, and no picture can be asked for
    /// later. See [`crate::LiveModel`].
    fn safety(&self) -> CallSafety {
        CallSafety::Neither
    }

    fn makes(&self, kind: MediaKind) -> bool {
        kind == MediaKind::Image
    }

    fn takes(&self, kind: MediaKind, spec: &Value) -> bool {
        kind == MediaKind::Image && body(&self.model, spec).is_some()
    }

    async fn submit(&self, request: &MediaRequest) -> Result<Submitted, CallFailure> {
        let body = body(&self.model, &request.spec).filter(|_| self.makes(request.kind));
        let body = body.ok_or_else(|| {
            let message = "openai's image models cannot make this format".to_owned();
            unsendable("not_makeable", message)
        })?;
        let answer = self.line.ask(Method::POST, &["images", "generations"], Some(&body)).await?;
        let said = self.line.json(&answer)?;
        let Some(text) = said.pointer("/data/0/b64_json").and_then(Value::as_str) else {
            return Err(self.line.strange(&said, "b64_json"));
        };
        let bytes = STANDARD.decode(text).map_err(|error| {
            let message = format!("the picture of openai is no base64: {error}");
            let code = "answer_garbled";
            CallFailure::new(ErrorClass::Transient, Outcome::Unknown, code, message)
        })?;
        // Billed, and of no use: nobody but a person can say what to do with that.
        let result = taken(self.name(), request.kind, Bytes::from(bytes))
            .map_err(|failure| CallFailure { outcome: Outcome::Unknown, ..failure })?;
        let cost = self.cost(&said, request);
        Ok(Submitted::Done(MediaJob { result, cost, simulated: false }))
    }

    async fn poll(&self, _job_id: &str) -> Result<MediaStatus, CallFailure> {
        Err(no_jobs())
    }

    async fn look_up(&self, _key: &str) -> Result<LookUp<Submitted>, CallFailure> {
        Ok(LookUp::CannotSay)
    }

    async fn cancel(&self, _job_id: &str) -> Result<MicroUsd, CallFailure> {
        Err(no_jobs())
    }

    fn ceiling(&self, request: &MediaRequest) -> Result<Spend, Unpriced> {
        Ok(self.most(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_has_a_size_or_is_not_taken() {
        for (name, size) in [
            ("1:1", Some("1024x1024")),
            ("3:2", Some("1536x1024")),
            ("2:3", Some("1024x1536")),
            ("16:9", None),
            ("9:16", None),
            ("4:5", None),
        ] {
            let spec = json!({ "prompt": "tea", "aspect_ratio": name });
            let body = body(&MODELS[0], &spec);
            assert_eq!(body.as_ref().and_then(|body| body["size"].as_str()), size, "{name}");
        }
        assert!(body(&MODELS[0], &json!({ "aspect_ratio": "1:1" })).is_none());
    }

    #[test]
    fn a_retired_model_is_refused() {
        for name in ["dall-e-3", "gpt-image-1"] {
            let what = OpenAiImages::check(name).unwrap_err();
            assert!(what.contains("gpt-image-1.5"), "{what}");
        }
    }
}
