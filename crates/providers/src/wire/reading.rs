//! An answer while it is read, and what has become of it at its end.

use std::sync::Arc;

use serde_json::Value;
use showrunner_engine::failure::ErrorClass;
use showrunner_engine::money::{MicroUsd, Spend};
use showrunner_engine::turn::{Answer, AskedTool, Usage};

use super::form::Form;
use super::problem::shown;
use crate::error::{CallFailure, Outcome};
use crate::model::{DeltaSink, ModelAnswer, ModelRequest};
use crate::profiles::Tokens;

/// How much of an answer that is no use is kept, in characters.
const REMNANT_MAX: usize = 2_000;

/// Why a model stopped writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It was done.
    Done,
    /// At the limit of tokens, its agent's or the model's own.
    Cut,
    /// It would not.
    Refused,
    /// The vendor's filter would not.
    Filtered,
    /// For another reason, in the vendor's word.
    Other(String),
}

/// A tool call being written.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// The vendor's number of it within the answer.
    pub(super) index: u64,
    pub(super) id: String,
    pub(super) name: String,
    /// The arguments, as JSON text.
    pub(super) arguments: String,
}

/// An answer while it is read.
pub(super) struct Reading<'a> {
    request: &'a ModelRequest,
    form: Option<&'a Form>,
    deltas: &'a dyn DeltaSink,
    /// What the model says.
    text: String,
    /// The arguments of the tool that stands for the answer.
    emitted: Option<String>,
    /// Calls of real tools.
    pub(super) tools: Vec<Asked>,
    /// Why it refused.
    pub(super) refusal: String,
    /// What was used, once the vendor has said so.
    pub(super) tokens: Option<Tokens>,
    /// The model that answered.
    pub(super) model: Option<String>,
    /// Why it stopped; the answer is whole when this is known.
    pub(super) stop: Option<Stop>,
    begun: bool,
    /// Whatever one protocol has to remember from event to event.
    pub(super) memo: Tokens,
    pub(super) answer_at: Option<u64>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        request: &'a ModelRequest,
        form: Option<&'a Form>,
        deltas: &'a dyn DeltaSink,
    ) -> Self {
        Self {
            request,
            form,
            deltas,
            text: String::new(),
            emitted: None,
            tools: Vec::new(),
            refusal: String::new(),
            tokens: None,
            model: None,
            stop: None,
            begun: false,
            memo: Tokens::default(),
            answer_at: None,
        }
    }

    /// The call that is answered.
    pub(super) fn request(&self) -> &ModelRequest {
        self.request
    }

    /// The vendor works on it: from here on it may be billed.
    pub(super) fn begin(&mut self) {
        self.begun = true;
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether nothing of the answer is missing.
    pub(super) fn is_whole(&self) -> bool {
        self.stop.is_some()
    }

    /// Takes the next words.
    pub(super) fn say(&mut self, words: &str) {
        self.text.push_str(words);
        let is_answer = super::form_is_said(self.request, self.form);
        if is_answer {
            self.pass_on(words);
        }
    }

    /// Takes the next piece of the answer as the arguments of the tool that stands for it.
    pub(super) fn emit(&mut self, json: &str) {
        self.emitted.get_or_insert_default().push_str(json);
        self.pass_on(json);
    }

    /// Passes a piece to whoever reads along; what stands in a wrapper of ours is not for them.
    fn pass_on(&self, piece: &str) {
        if !piece.is_empty() && self.deltas.is_read() && self.form.is_none_or(|f| !f.is_wrapped) {
            self.deltas.delta(piece);
        }
    }

    /// The tool call with the vendor's number `index`, begun when it is new.
    pub(super) fn tool(&mut self, index: u64) -> &mut Asked {
        let at = self.tools.iter().position(|asked| asked.index == index);
        let at = at.unwrap_or_else(|| {
            self.tools.push(Asked { index, ..Asked::default() });
            self.tools.len() - 1
        });
        &mut self.tools[at]
    }

    /// The whole answer, or why it is no use. What was used is priced by `price`; where the
    /// vendor did not say, it is taken to be `most`.
    pub(super) fn finish(
        mut self,
        provider: &str,
        most: Spend,
        price: impl Fn(Tokens) -> MicroUsd,
    ) -> Result<ModelAnswer, CallFailure> {
        let Some(stop) = self.stop.take() else {
            let message = format!("the answer of {provider} ends before its end");
            let code = "answer_broken_off";
            return Err(CallFailure::new(ErrorClass::Network, Outcome::Unknown, code, message));
        };
        let (usage, cost, estimated) = match self.tokens {
            Some(tokens) => (tokens.usage(), price(tokens), false),
            None => (Usage { input_tokens: most.tokens, ..Usage::default() }, most.cost, true),
        };
        let model = self.model.as_deref().map(shown).filter(|name| !name.is_empty());
        let model = model.map_or_else(|| Arc::clone(&self.request.profile.model), Into::into);
        let answered =
            |answer| ModelAnswer { answer, usage, cost, model, simulated: false, estimated };
        let (class, code, why) = match stop {
            Stop::Done if self.refusal.is_empty() => return Ok(answered(self.answer())),
            Stop::Done | Stop::Refused => {
                (ErrorClass::Provider, "model_refused".to_owned(), "would not answer".to_owned())
            },
            Stop::Filtered => (
                ErrorClass::Provider,
                "content_filtered".to_owned(),
                "withheld its answer: its filter objects to it".to_owned(),
            ),
            Stop::Cut => {
                let max = self.request.profile.output_tokens_max(&self.request.call);
                (
                    ErrorClass::Validation,
                    "answer_cut_off".to_owned(),
                    format!("was cut off at {max} tokens; raise max_output_tokens of the agent"),
                )
            },
            Stop::Other(reason) => {
                let reason = shown(&reason);
                let code = format!("stopped_{}", reason.to_ascii_lowercase().replace(' ', "_"));
                (ErrorClass::Provider, code, format!("stopped without an answer ({reason})"))
            },
        };
        let said = if self.refusal.is_empty() { &self.text } else { &self.refusal };
        let mut message = format!("{provider} {why}");
        let words = shown(&self.refusal);
        if !words.is_empty() {
            message = format!("{message}: {words}");
        }
        let remnant = said.chars().take(REMNANT_MAX).collect();
        let mut failure = CallFailure::new(class, Outcome::Done, code, message);
        failure.billed = Some(Box::new(answered(Answer::Text(remnant))));
        Err(failure)
    }

    fn answer(&mut self) -> Answer {
        let text = std::mem::take(&mut self.text);
        if !self.tools.is_empty() {
            let calls = std::mem::take(&mut self.tools);
            return Answer::Tools { text, calls: calls.into_iter().map(asked).collect() };
        }
        let Some(form) = self.form else { return Answer::Text(text) };
        let json = self.emitted.take().unwrap_or(text);
        match serde_json::from_str(&json) {
            Ok(value) => {
                let value: Value = form.unwrap(value);
                if form.is_wrapped && self.deltas.is_read() {
                    self.deltas.delta(&value.to_string());
                }
                Answer::Output(value)
            },
            // The engine tells the model what is wrong with it.
            Err(_error) => Answer::Text(json),
        }
    }
}

/// A tool call as it was asked for. Arguments that are no JSON stay the text that they are: the
/// tool's schema refuses them, and the model is told.
fn asked(asked: Asked) -> AskedTool {
    let arguments = match asked.arguments.trim() {
        "" => Value::Object(serde_json::Map::new()),
        text => serde_json::from_str(text).unwrap_or_else(|_error| Value::String(text.to_owned())),
    };
    AskedTool { id: asked.id, name: asked.name, arguments }
}
