//! Who can be called: providers by name, profiles of models, and how many calls each provider
//! takes at once. Filled once, where the program is wired.

use std::collections::BTreeMap;
use std::sync::Arc;

use showrunner_engine::failure::{ErrorClass, Failure};

use crate::callbacks::Callbacks;
use crate::egress::Egress;
use crate::media::{MediaKind, MediaProvider};
use crate::model::ModelProvider;
use crate::profiles::{ModelProfile, Profiles, Unpriced};
use crate::wire::media::alias;

/// Calls that a provider takes at once where nobody says otherwise.
pub const CONCURRENCY_USUAL: u32 = 16;

/// All providers and profiles.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    profiles: Profiles,
    models: BTreeMap<String, Arc<dyn ModelProvider>>,
    media: BTreeMap<String, Arc<dyn MediaProvider>>,
    /// Their bottlenecks: the name, and how many calls fit through.
    gates: BTreeMap<String, (Arc<str>, u32)>,
    egress: Egress,
    callbacks: Callbacks,
}

/// A model that can be called.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Who serves it.
    pub provider: Arc<dyn ModelProvider>,
    /// The facts about it.
    pub profile: Arc<ModelProfile>,
}

/// Why something cannot be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveFault {
    /// No such profile.
    #[error("there is no model `{model}`; known are {}", .known.join(", "))]
    UnknownModel {
        /// The name asked for.
        model: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// The profile names a provider that is not configured.
    #[error("model `{model}` is served by `{provider}`, which is not configured")]
    UnknownProvider {
        /// The profile's name.
        model: String,
        /// The provider's name.
        provider: String,
    },
    /// The profile has no price.
    #[error(transparent)]
    Unpriced(#[from] Unpriced),
}

impl ResolveFault {
    /// As the failure of an attempt.
    pub fn into_failure(self) -> Failure {
        let code = match self {
            Self::Unpriced(unpriced) => return unpriced.into_failure(),
            Self::UnknownModel { .. } => "model_unknown",
            Self::UnknownProvider { .. } => "provider_unknown",
        };
        Failure::new(ErrorClass::Validation, code, self.to_string())
    }
}

impl Providers {
    /// No providers yet, and these profiles.
    pub fn new(profiles: Profiles) -> Self {
        Self { profiles, ..Self::default() }
    }

    /// Goes out by this way instead of the usual one.
    pub fn with_egress(mut self, egress: Egress) -> Self {
        self.egress = egress;
        self
    }

    /// The way out, for URLs that others supplied.
    pub fn egress(&self) -> &Egress {
        &self.egress
    }

    /// Believes these senders of callbacks.
    pub fn with_callbacks(mut self, callbacks: Callbacks) -> Self {
        self.callbacks = callbacks;
        self
    }

    /// Whom to believe when they call back.
    pub fn callbacks(&self) -> &Callbacks {
        &self.callbacks
    }

    /// Adds a provider of models under its own name, with room for so many calls at once.
    pub fn add_model(&mut self, provider: Arc<dyn ModelProvider>, concurrency: u32) {
        let name = provider.name().to_owned();
        self.gates.insert(name.clone(), (format!("provider/{name}").into(), concurrency.max(1)));
        self.models.insert(name, provider);
    }

    /// Adds a provider of media under its own name, with room for so many jobs at once.
    pub fn add_media(&mut self, provider: Arc<dyn MediaProvider>, concurrency: u32) {
        let name = provider.name().to_owned();
        self.gates.insert(name.clone(), (format!("provider/{name}").into(), concurrency.max(1)));
        self.media.insert(name, provider);
    }

    /// The provider and facts of a model profile.
    pub fn resolve_model(&self, model: &str) -> Result<Resolved, ResolveFault> {
        let profile = self.profiles.get(model).ok_or_else(|| ResolveFault::UnknownModel {
            model: model.to_owned(),
            known: self.profiles.iter().map(|profile| profile.name.to_string()).collect(),
        })?;
        profile.price()?;
        let provider =
            self.models.get(&profile.provider).ok_or_else(|| ResolveFault::UnknownProvider {
                model: profile.name.to_string(),
                provider: profile.provider.clone(),
            })?;
        Ok(Resolved { provider: Arc::clone(provider), profile: Arc::clone(profile) })
    }

    /// The model provider of this name; recovery asks the one that was recorded.
    pub fn model_provider(&self, name: &str) -> Option<&Arc<dyn ModelProvider>> {
        self.models.get(name)
    }

    /// The media provider of this name.
    pub fn media_provider(&self, name: &str) -> Option<&Arc<dyn MediaProvider>> {
        self.media.get(name)
    }

    /// Whom a person means by this name: the provider itself, or whoever does that work today.
    pub fn media_meant(&self, name: &str) -> Option<&Arc<dyn MediaProvider>> {
        let meant = alias::stands_for(name).iter().find_map(|name| self.media.get(*name));
        self.media.get(name).or(meant)
    }

    /// All providers of models, in the order of their names.
    pub fn models(&self) -> impl Iterator<Item = &Arc<dyn ModelProvider>> {
        self.models.values()
    }

    /// All providers of media, in the order of their names.
    pub fn media(&self) -> impl Iterator<Item = &Arc<dyn MediaProvider>> {
        self.media.values()
    }

    /// Media providers that make this kind, in the order of their names.
    pub fn media_for(&self, kind: MediaKind) -> impl Iterator<Item = &Arc<dyn MediaProvider>> {
        self.media.values().filter(move |provider| provider.makes(kind))
    }

    /// How many calls this provider takes at once.
    pub fn concurrency(&self, provider: &str) -> u32 {
        self.gates.get(provider).map_or(CONCURRENCY_USUAL, |(_, room)| *room)
    }

    /// The bottleneck in front of this provider: its name, and how many calls fit through.
    pub fn gate(&self, provider: &str) -> Option<(Arc<str>, u32)> {
        self.gates.get(provider).cloned()
    }

    /// The profiles.
    pub fn profiles(&self) -> &Profiles {
        &self.profiles
    }
}
