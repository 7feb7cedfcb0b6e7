//! The shipped double of a model vendor: a product feature, not a test helper.
//!
//! What it says depends on the seed and on the request alone; what it takes, costs and breaks is
//! configured. It keeps its own books: see [`crate::ledger`].

mod answer;
mod brief;
mod dice;
mod faults;
mod fields;
mod fill;
mod media;
mod plan;
mod prose;

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use showrunner_engine::at::Millis;
use showrunner_engine::failure::ErrorClass;
use showrunner_engine::id::Digest;
use showrunner_engine::turn::{Answer, Usage};

use crate::error::{CallFailure, Outcome};
use crate::ledger::{Ledger, LedgerEntry, LedgerFault, LedgerOutcome};
use crate::model::{DeltaSink, ModelAnswer, ModelProvider, ModelRequest};
use crate::pace::Sleeper;
use crate::{CallSafety, LookUp, Mode};
use answer::Writer;
use dice::{Dice, mixed};
use faults::{Strike, Striker};

pub use faults::{Effect, Fault, FaultPlan, FaultRule};
pub use media::{MediaPrices, ScriptedMedia};

/// Pieces that an answer is streamed in, at most.
const PIECES_MAX: usize = 24;

/// How a scripted provider behaves.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScriptedConfig {
    /// Other seeds give other answers.
    pub seed: u64,
    /// How long a call takes.
    pub latency: Latency,
    /// What can be done about a lost answer.
    pub safety: CallSafety,
    /// What goes wrong.
    pub faults: FaultPlan,
}

impl Default for ScriptedConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            latency: Latency::default(),
            safety: CallSafety::Idempotent,
            faults: FaultPlan::default(),
        }
    }
}

/// A range of time; each call takes its own from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// At least, in milliseconds.
    pub min_ms: u64,
    /// At most, in milliseconds.
    pub max_ms: u64,
}

impl Latency {
    fn of(self, dice: &mut Dice) -> Millis {
        Millis(dice.between(self.min_ms, self.max_ms.max(self.min_ms)))
    }
}

/// A scripted provider of language models.
#[derive(Debug)]
pub struct ScriptedModel {
    name: String,
    config: ScriptedConfig,
    ledger: Arc<dyn Ledger>,
    sleeper: Arc<dyn Sleeper>,
    writer: Writer,
    striker: Striker,
}

/// What the provider did with a call, before anybody is told.
struct Work {
    answer: ModelAnswer,
    text: String,
    latency: Millis,
    /// Why the answer does not get through, where it does not.
    lost: Option<CallFailure>,
}

impl ScriptedModel {
    /// A provider of this name, with these books and this clock.
    pub fn new(
        name: impl Into<String>,
        config: ScriptedConfig,
        ledger: Arc<dyn Ledger>,
        sleeper: Arc<dyn Sleeper>,
    ) -> Self {
        let striker = Striker::new(config.seed, config.faults.clone(), Arc::clone(&ledger));
        Self { name: name.into(), config, ledger, sleeper, writer: Writer::default(), striker }
    }

    /// Takes the call in: everything that happens before time passes.
    fn take(&self, request: &ModelRequest) -> Result<Work, (Millis, CallFailure)> {
        let mut dice = Dice::of(self.config.seed, &request.key);
        let latency = self.config.latency.of(&mut dice);
        let now = |failure| (Millis(0), failure);
        if self.config.safety == CallSafety::Idempotent
            && let Some(known) = self.ledger.find(&request.key).map_err(unwritable).map_err(now)?
        {
            return self.replay(request, known, latency).map_err(now);
        }
        let place = format!("{}/{}", request.run, request.step);
        let strike = self.striker.strike(&request.call.agent, &request.step, &place, &request.key);
        if let Some((rule, Strike::Fail(failure, pause))) = &strike
            && !failure.is_after_effect
        {
            self.enter(request, place, (LedgerOutcome::Refused, Some(*rule)), None).map_err(now)?;
            return Err((pause.unwrap_or(latency), failure.to_failure(&self.name)));
        }
        let (answer, text) = match self.write(request, strike.as_ref().map(|(_, strike)| strike)) {
            Ok(written) => written,
            Err(failure) => {
                self.enter(request, place, (LedgerOutcome::Refused, None), None).map_err(now)?;
                return Err((latency, failure));
            },
        };
        let (outcome, lost, latency) = match &strike {
            Some((_, Strike::Fail(failure, pause))) => {
                let pause = pause.unwrap_or(latency);
                (LedgerOutcome::Lost, Some(failure.to_failure(&self.name)), pause)
            },
            Some((_, Strike::Slow(extra))) => {
                (LedgerOutcome::Answered, None, Millis(latency.0.saturating_add(extra.0)))
            },
            _ => (LedgerOutcome::Answered, None, latency),
        };
        let rule = strike.map(|(rule, _)| rule);
        self.enter(request, place, (outcome, rule), Some((&answer, &text))).map_err(now)?;
        Ok(Work { answer, text, latency, lost })
    }

    fn write(
        &self,
        request: &ModelRequest,
        strike: Option<&Strike>,
    ) -> Result<(ModelAnswer, String), CallFailure> {
        let seed = mixed(self.config.seed, request.call.request_digest.as_str());
        let seed = seed.wrapping_add(u64::from(request.variation));
        let written = self.writer.write(request, self.config.seed, seed)?;
        let (answer, text) = match strike {
            Some(Strike::InvalidJson) => faults::invalid_json(&written.text),
            Some(Strike::SchemaBreach) => faults::schema_breach(written.answer),
            _ => (written.answer, written.text),
        };
        let max = u64::from(request.profile.output_tokens_max(&request.call));
        let (answer, text, output_tokens) = answer::cut_off(answer, text, max);
        let usage = Usage { input_tokens: written.input_tokens, output_tokens, cached_tokens: 0 };
        let price = request.profile.price().map_err(|unpriced| {
            let failure = unpriced.into_failure();
            CallFailure::new(failure.class, Outcome::NotSent, failure.code, failure.message)
        })?;
        let model = Arc::clone(&request.profile.model);
        let cost = price.cost(usage);
        let answer = ModelAnswer { answer, usage, cost, model, simulated: true, estimated: false };
        Ok((answer, text))
    }

    fn replay(
        &self,
        request: &ModelRequest,
        known: LedgerEntry,
        latency: Millis,
    ) -> Result<Work, CallFailure> {
        if known.request_digest != request.call.request_digest {
            return Err(CallFailure::new(
                ErrorClass::Validation,
                Outcome::Refused,
                "key_reused",
                format!("{} got this key before, with another request", self.name),
            ));
        }
        let answer = stored(&known).ok_or_else(|| {
            CallFailure::new(
                ErrorClass::Internal,
                Outcome::Unknown,
                "ledger_unreadable",
                format!("{} has lost the answer to a call it has billed", self.name),
            )
        })?;
        let text = answer::text_of(&answer.answer);
        self.enter(request, known.place, (LedgerOutcome::Replayed, None), None)?;
        Ok(Work { answer, text, latency, lost: None })
    }

    /// Enters the call into the books: what became of it, by which rule, and what was written.
    fn enter(
        &self,
        request: &ModelRequest,
        place: String,
        (outcome, fault): (LedgerOutcome, Option<u32>),
        written: Option<(&ModelAnswer, &str)>,
    ) -> Result<(), CallFailure> {
        let is_kept = self.config.safety != CallSafety::Neither;
        let entry = LedgerEntry {
            at_us: self.sleeper.now().0,
            key: request.key.clone(),
            agent: request.call.agent.to_string(),
            place,
            request_digest: request.call.request_digest.clone(),
            billed_micro_usd: written.map_or(0, |(answer, _)| answer.cost.0),
            outcome,
            answer_digest: written.map(|(_, text)| Digest::of(text.as_bytes())),
            answer: written.filter(|_| is_kept).map(|(answer, _)| to_store(answer)),
            fault,
        };
        self.ledger.write(&entry).map_err(unwritable)
    }

    /// Streams the text while its time passes.
    async fn stream(&self, text: &str, latency: Millis, deltas: &dyn DeltaSink) {
        if !deltas.is_read() {
            if latency.0 > 0 {
                self.sleeper.sleep(latency).await;
            }
            return;
        }
        let pieces = answer::pieces(text, PIECES_MAX);
        let pause = Millis(latency.0 / u64::try_from(pieces.len() + 1).unwrap_or(1));
        let mut left = latency;
        for piece in pieces {
            if pause.0 > 0 {
                self.sleeper.sleep(pause).await;
                left = Millis(left.0.saturating_sub(pause.0));
            }
            deltas.delta(piece);
        }
        if left.0 > 0 {
            self.sleeper.sleep(left).await;
        }
    }
}

#[async_trait]
impl ModelProvider for ScriptedModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn mode(&self) -> Mode {
        Mode::Scripted
    }

    fn safety(&self) -> CallSafety {
        self.config.safety
    }

    async fn complete(
        &self,
        request: &ModelRequest,
        deltas: &dyn DeltaSink,
    ) -> Result<ModelAnswer, CallFailure> {
        let work = match self.take(request) {
            Ok(work) => work,
            Err((pause, failure)) => {
                if pause.0 > 0 {
                    self.sleeper.sleep(pause).await;
                }
                return Err(failure);
            },
        };
        if let Some(lost) = work.lost {
            self.sleeper.sleep(work.latency).await;
            return Err(lost);
        }
        self.stream(&work.text, work.latency, deltas).await;
        Ok(work.answer)
    }

    async fn look_up(&self, key: &str) -> Result<LookUp<ModelAnswer>, CallFailure> {
        if self.config.safety != CallSafety::LookUp {
            return Ok(LookUp::CannotSay);
        }
        let known = self.ledger.find(key).map_err(unwritable)?;
        Ok(match known {
            None => LookUp::Denied,
            Some(entry) => stored(&entry).map_or(LookUp::CannotSay, LookUp::Found),
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn unwritable(fault: LedgerFault) -> CallFailure {
    let code = "ledger_unavailable";
    CallFailure::new(ErrorClass::Internal, Outcome::NotSent, code, fault.to_string())
}

/// An answer as it is kept in the books; what it cost stands beside it.
fn to_store(answer: &ModelAnswer) -> Value {
    json!({ "answer": answer.answer, "usage": answer.usage, "model": answer.model })
}

fn stored(entry: &LedgerEntry) -> Option<ModelAnswer> {
    #[derive(Deserialize)]
    struct Kept {
        answer: Answer,
        usage: Usage,
        model: Arc<str>,
    }
    let kept = Kept::deserialize(entry.answer.as_ref()?).ok()?;
    Some(ModelAnswer {
        answer: kept.answer,
        usage: kept.usage,
        cost: showrunner_engine::money::MicroUsd(entry.billed_micro_usd),
        model: kept.model,
        simulated: true,
        estimated: false,
    })
}

#[cfg(test)]
mod tests;
