//! One call of a model.

use std::sync::Arc;

use async_trait::async_trait;
use showrunner_engine::due::CallAgent;
use showrunner_engine::money::Spend;
use showrunner_engine::turn::{CallRecord, ModelCall};
use showrunner_providers::{
    CallFailure, CallSafety, LookUp, Mode, ModelAnswer, ModelProvider, ModelRequest, NoDeltas,
    Resolved, Unpriced,
};

use super::call_key;
use super::pay::{Paid, Payer, Unpaid};
use crate::Runtime;
use crate::dispatch::Work;
use crate::lease::SentCall;

/// A call with whoever is to answer it.
struct Question {
    provider: Arc<dyn ModelProvider>,
    request: Arc<ModelRequest>,
}

#[async_trait]
impl Paid for Question {
    type Answer = ModelAnswer;

    fn provider(&self) -> &str {
        self.provider.name()
    }
    fn safety(&self) -> CallSafety {
        self.provider.safety()
    }
    fn is_free(&self) -> bool {
        self.provider.mode() == Mode::Local
    }
    fn ceiling(&self) -> Result<Spend, Unpriced> {
        self.provider.ceiling(&self.request)
    }
    fn bill(&self, failure: &mut CallFailure) -> Option<CallRecord> {
        let billed = failure.billed.take()?;
        Some(billed.into_record(&self.request, self.provider.name().into(), 0))
    }
    fn as_sent(&self) -> SentCall {
        SentCall::Model(Arc::clone(&self.provider), Arc::clone(&self.request))
    }
    async fn send(&self) -> Result<ModelAnswer, CallFailure> {
        self.provider.complete(&self.request, &NoDeltas).await
    }
    async fn look_up(&self) -> Result<LookUp<ModelAnswer>, CallFailure> {
        self.provider.look_up(&self.request.key).await
    }
}

impl Runtime {
    pub(crate) async fn call_model(
        &self,
        work: &Work,
        call: &CallAgent,
        asked: Arc<ModelCall>,
    ) -> Result<CallRecord, Unpaid> {
        let payer = Payer { work, call, no: asked.no };
        let Resolved { provider, profile } = self
            .providers()
            .resolve_model(&asked.model)
            .map_err(|fault| Unpaid::Failed(fault.into_failure(), None))?;
        let request = Arc::new(ModelRequest {
            key: call_key(&work.run, call.token, asked.no),
            run: work.run.clone(),
            step: call.step.clone(),
            variation: call.attempt.saturating_sub(1),
            profile,
            call: asked,
        });
        let began = self.clock().now();
        let questions =
            [Question { provider: Arc::clone(&provider), request: Arc::clone(&request) }];
        let (_, answer) = self.pay_first(payer, &questions).await?;
        let duration_ms = self.clock().now().millis_since(began).0;
        Ok(answer.into_record(&request, provider.name().into(), duration_ms))
    }
}
