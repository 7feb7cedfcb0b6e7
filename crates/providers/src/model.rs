//! Language models: one call in, one answer out, streamed on the way.

use std::sync::Arc;

use async_trait::async_trait;
use showrunner_engine::id::{RunId, StepKey};
use showrunner_engine::money::{MicroUsd, Spend};
use showrunner_engine::turn::{Answer, CallKind, CallRecord, ModelCall, Usage};

use crate::error::CallFailure;
use crate::profiles::{ModelProfile, Unpriced};
use crate::{CallSafety, LookUp, Mode};

/// A model call on its way to a provider.
#[derive(Clone, Debug)]
pub struct ModelRequest {
    /// The idempotency key: journalled before the call leaves, the same whenever this very call
    /// is sent again, and never used for another.
    pub key: String,
    /// The run it is for.
    pub run: RunId,
    /// The step it is for.
    pub step: StepKey,
    /// Which of several tries at the same request this is, from 0: a vendor's model answers an
    /// equal request differently each time, a scripted one only where this differs.
    pub variation: u32,
    /// The facts about the model to be used.
    pub profile: Arc<ModelProfile>,
    /// What is asked.
    pub call: Arc<ModelCall>,
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelAnswer {
    /// What the model said.
    pub answer: Answer,
    /// Tokens used.
    pub usage: Usage,
    /// What it cost.
    pub cost: MicroUsd,
    /// The vendor's name of the model that answered.
    pub model: Arc<str>,
    /// Whether nobody real answered.
    pub simulated: bool,
    /// Whether the provider did not say what was used: usage and cost are then the most that the
    /// call can have taken.
    pub estimated: bool,
}

impl ModelAnswer {
    /// The answer as it is recorded.
    pub fn into_record(
        self,
        request: &ModelRequest,
        provider: Arc<str>,
        duration_ms: u64,
    ) -> CallRecord {
        CallRecord {
            no: request.call.no,
            kind: CallKind::Model,
            request_digest: request.call.request_digest.clone(),
            provider,
            model: Some(self.model),
            answer: self.answer,
            usage: self.usage,
            cost: self.cost,
            duration_ms,
            simulated: self.simulated,
            billed_key: request.key.clone(),
            estimated: self.estimated,
        }
    }
}

/// Takes the pieces of an answer while it is being written.
pub trait DeltaSink: Send + Sync {
    /// The next piece. Must not block: a slow reader loses pieces, not the writer time.
    fn delta(&self, text: &str);

    /// Whether anybody reads. A provider may spare itself the cutting where nobody does.
    fn is_read(&self) -> bool {
        true
    }
}

/// Nobody reads along.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDeltas;

impl DeltaSink for NoDeltas {
    fn delta(&self, _text: &str) {}
    fn is_read(&self) -> bool {
        false
    }
}

/// A provider of language models.
#[async_trait]
pub trait ModelProvider: Send + Sync + std::fmt::Debug {
    /// Its name: shown, recorded, and the key of its limits.
    fn name(&self) -> &str;

    /// How real it is.
    fn mode(&self) -> Mode;

    /// What can be done about a lost answer.
    fn safety(&self) -> CallSafety;

    /// Makes the call. The answer is streamed into `deltas` as it comes and returned whole; the
    /// pieces put together are the JSON text of a structured answer, or the text of a plain one.
    /// Dropping the future gives up waiting; it does not undo what was billed.
    async fn complete(
        &self,
        request: &ModelRequest,
        deltas: &dyn DeltaSink,
    ) -> Result<ModelAnswer, CallFailure>;

    /// What became of the call with this key.
    async fn look_up(&self, key: &str) -> Result<LookUp<ModelAnswer>, CallFailure>;

    /// The most that this call can cost; what is reserved before it leaves.
    fn ceiling(&self, request: &ModelRequest) -> Result<Spend, Unpriced> {
        request.profile.ceiling(&request.call)
    }
}
