//! Who is to do a piece of work.

use std::iter;
use std::sync::Arc;

use serde_json::Value;
use showrunner_engine::agent::{AgentKind, AgentRecord};
use showrunner_engine::due::CallAgent;
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_providers::wire::media::alias;
use showrunner_providers::{MediaKind, MediaProvider, Mode, ModelProvider};

use crate::{Functions, Runtime};

/// Whoever is paid for a piece of work.
pub(crate) enum Payee {
    Model(Arc<dyn ModelProvider>),
    Media(Arc<dyn MediaProvider>),
    /// Nobody: code of an author's runs here. Whom it asks, it asks by itself.
    Function,
}

impl Runtime {
    /// Who works first for an agent that was given this, or was chosen to. `None`: nobody that is
    /// configured.
    pub(crate) fn payee(
        &self,
        agent: &str,
        (input, settings): (&Value, &Value),
        chosen: Option<&str>,
    ) -> Option<Payee> {
        let agent = self.agents().get(agent)?;
        if agent.kind == AgentKind::Media {
            let chosen = chosen.and_then(|name| self.providers().media_provider(name)).cloned();
            let first = || self.media_choice(&agent, input, settings).ok()?.1.into_iter().next();
            return Some(Payee::Media(chosen.or_else(first)?));
        }
        if let Some(provider) = chosen.and_then(|name| self.providers().model_provider(name)) {
            return Some(Payee::Model(Arc::clone(provider)));
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
        match self.payee(&call.agent, (input, settings), call.provider.as_deref())? {
            Payee::Model(provider) => self.providers().gate(provider.name()),
            Payee::Media(provider) => self.providers().gate(provider.name()),
            Payee::Function => self.options().functions.as_ref().map(Functions::gate),
        }
    }

    /// What is to be made, and who can make it: whoever is preferred, then all others in the order
    /// of the tier that is wanted. What is only simulated takes nobody's place.
    pub(crate) fn media_choice(
        &self,
        agent: &AgentRecord,
        input: &Value,
        settings: &Value,
    ) -> Result<(MediaKind, Vec<Arc<dyn MediaProvider>>), Failure> {
        let invalid =
            |code: &str, message: String| Failure::new(ErrorClass::Validation, code, message);
        let field = |name: &str| {
            let found = settings.get(name).or_else(|| input.get(name));
            found.filter(|value| !value.is_null() && *value != "")
        };
        let kind = field("kind").cloned().unwrap_or_else(|| "image".into());
        let kind: MediaKind = serde_json::from_value(kind.clone()).map_err(|_unknown| {
            invalid(
                "media_kind",
                format!("agent {} cannot make {kind}: image, video or voice", agent.name),
            )
        })?;
        let makers = self.providers().media_for(kind);
        let all: Vec<&Arc<dyn MediaProvider>> =
            makers.filter(|provider| provider.takes(kind, input)).collect();
        let (named, preferred) = (field("provider"), field("preferred_provider"));
        let first = named.or(preferred).and_then(Value::as_str);
        let first = first.and_then(|wanted| meant(wanted, &all));
        let known = || all.iter().map(|p| p.name()).collect::<Vec<_>>().join(", ");
        if let Some(name) = named.and_then(Value::as_str)
            && first.is_none()
        {
            let message = format!("{name} cannot make it; configured are: {}", known());
            return Err(invalid("media_provider", message));
        }
        // What the author of a definition names is no wish: nobody takes its place.
        let is_meant = |provider: &str| named.is_none() || first == Some(provider);
        let any = all.first().copied().cloned();
        let is_cheap = field("provider_tier").and_then(Value::as_str) == Some("economy");
        let mut ranked: Vec<Arc<dyn MediaProvider>> = all
            .into_iter()
            .filter(|provider| is_meant(provider.name()))
            .filter(|provider| provider.mode() != Mode::Scripted || first == Some(provider.name()))
            .cloned()
            .collect();
        ranked.sort_by_key(|provider| {
            (first != Some(provider.name()), (provider.mode() == Mode::Local) != is_cheap)
        });
        if ranked.is_empty() {
            ranked.extend(any);
        }
        if ranked.is_empty() {
            let message = "nobody is configured who can make it".to_owned();
            return Err(invalid("media_provider", message));
        }
        Ok((kind, ranked))
    }
}

/// Whoever has the name itself, else whoever does that work today.
fn meant<'n>(wanted: &'n str, all: &[&Arc<dyn MediaProvider>]) -> Option<&'n str> {
    let mut names = iter::once(wanted).chain(alias::stands_for(wanted).iter().copied());
    names.find(|name| all.iter().any(|provider| provider.name() == *name))
}
