//! Who is to do a piece of work.

use std::sync::Arc;

use serde_json::Value;
use showrunner_engine::agent::{AgentKind, AgentRecord};
use showrunner_engine::due::CallAgent;
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_providers::{MediaKind, MediaProvider, ModelProvider};

use crate::{Functions, Runtime};

/// Whoever is paid for a piece of work.
pub(crate) enum Payee {
    Model(Arc<dyn ModelProvider>),
    Media(Arc<dyn MediaProvider>),
    /// Nobody: code of an author's runs here. Whom it asks, it asks by itself.
    Function,
}

impl Runtime {
    /// Who works for an agent that was given this. `None`: nobody that is configured.
    pub(crate) fn payee(&self, agent: &str, input: &Value, settings: &Value) -> Option<Payee> {
        let agent = self.agents().get(agent)?;
        if agent.kind == AgentKind::Media {
            let (_, provider) = self.media_choice(&agent, input, settings).ok()?;
            return Some(Payee::Media(provider));
        }
        if agent.kind == AgentKind::Function {
            return Some(Payee::Function);
        }
        let model = settings.get("model").and_then(Value::as_str).unwrap_or(&agent.model);
        Some(Payee::Model(self.providers().resolve_model(model).ok()?.provider))
    }

    /// The bottleneck of whoever is to be called: its name, and how wide it is.
    pub(crate) fn provider_gate(&self, call: &CallAgent) -> Option<(Arc<str>, u32)> {
        let (input, settings) = (call.input.as_ref().ok()?, call.settings.as_ref().ok()?);
        match self.payee(&call.agent, input, settings)? {
            Payee::Model(provider) => self.providers().gate(provider.name()),
            Payee::Media(provider) => self.providers().gate(provider.name()),
            Payee::Function => self.options().functions.as_ref().map(Functions::gate),
        }
    }

    /// What is to be made, and by whom.
    pub(crate) fn media_choice(
        &self,
        agent: &AgentRecord,
        input: &Value,
        settings: &Value,
    ) -> Result<(MediaKind, Arc<dyn MediaProvider>), Failure> {
        let invalid =
            |code: &str, message: String| Failure::new(ErrorClass::Validation, code, message);
        let field = |name: &str| {
            settings.get(name).or_else(|| input.get(name)).filter(|value| !value.is_null())
        };
        let kind = field("kind").cloned().unwrap_or_else(|| "image".into());
        let kind: MediaKind = serde_json::from_value(kind.clone()).map_err(|_unknown| {
            invalid(
                "media_kind",
                format!("agent {} cannot make {kind}: image, video or voice", agent.name),
            )
        })?;
        let named = field("provider").and_then(Value::as_str);
        let provider = match named {
            Some(name) => self.providers().media_provider(name).filter(|p| p.makes(kind)).cloned(),
            None => self.providers().media_for(kind).next().cloned(),
        };
        let provider = provider.ok_or_else(|| {
            let known: Vec<&str> = self.providers().media_for(kind).map(|p| p.name()).collect();
            let wanted = named.unwrap_or("any provider");
            invalid(
                "media_provider",
                format!("{wanted} cannot make it; configured are: {}", known.join(", ")),
            )
        })?;
        Ok((kind, provider))
    }
}
