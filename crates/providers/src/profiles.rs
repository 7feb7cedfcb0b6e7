//! Facts about models, as data: who serves them, under which name, at what price, with which
//! limits. A model without a price is refused, not free.

mod price;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_engine::money::Spend;
use showrunner_engine::turn::{ModelCall, Usage};

pub use price::{LongPrice, Price, Tokens};

/// The tier that agents are called with when they do not say.
const TIER_DEFAULT: &str = "default";
/// Tokens that a provider adds around each message, at most.
const TOKENS_PER_MESSAGE: u64 = 32;

/// What a model is called, costs and can take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelProfile {
    /// The name that agents use.
    #[serde(skip)]
    pub name: Arc<str>,
    /// The provider that serves it, by its registered name.
    pub provider: String,
    /// The provider's own name of the model.
    pub model: Arc<str>,
    /// Its price; a profile without one cannot be called.
    #[serde(default)]
    pub price: Option<Price>,
    /// Tokens it can read and write in one call.
    pub context_tokens: u64,
    /// Tokens it can write in one call.
    pub max_output_tokens: u32,
    /// How it is made to answer in a given form.
    #[serde(default)]
    pub structured: Structured,
    /// Whether it can be given tools beside that.
    #[serde(default = "yes")]
    pub tools: bool,
    /// Whether it lets itself be told a sampling temperature.
    #[serde(default = "yes")]
    pub temperature: bool,
    /// How hard it is told to think, in the vendor's word; left to the vendor when absent.
    #[serde(default)]
    pub effort: Option<String>,
    /// Tokens it may write on top of an agent's limit because it thinks before it answers. They
    /// are billed like the answer.
    #[serde(default)]
    pub thinking_tokens: u32,
    /// Where these facts are from, and of which day.
    #[serde(default)]
    pub source: String,
}

/// How a model is made to answer in a given form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Structured {
    /// The vendor takes a JSON Schema and holds the model to it.
    #[default]
    Schema,
    /// The model is forced to call a tool whose arguments are the answer.
    Tool,
    /// It is only told to, in words; for servers that know neither.
    Words,
}

fn yes() -> bool {
    true
}

/// A model cannot be called, because nobody knows what it costs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("model `{model}` has no price; give its profile one, zero if it is free")]
pub struct Unpriced {
    /// The profile's name.
    pub model: String,
}

impl Unpriced {
    /// As the failure of an attempt.
    pub fn into_failure(self) -> Failure {
        Failure::new(ErrorClass::Budget, "model_unpriced", self.to_string())
    }
}

impl ModelProfile {
    /// Its price, or the refusal.
    pub fn price(&self) -> Result<Price, Unpriced> {
        self.price.ok_or_else(|| Unpriced { model: self.name.to_string() })
    }

    /// How many tokens the answer to `call` may have.
    pub fn output_tokens_max(&self, call: &ModelCall) -> u32 {
        let asked = call.settings.max_output_tokens.saturating_add(self.thinking_tokens);
        asked.min(self.max_output_tokens)
    }

    /// The most that `call` can cost. No tokenizer in use makes more tokens than the text has
    /// bytes, so bytes are the bound; what is not used goes back when the call is settled.
    pub fn ceiling(&self, call: &ModelCall) -> Result<Spend, Unpriced> {
        let price = self.price()?;
        let mut bytes = call.system.len();
        for message in &call.messages {
            bytes += message.to_text().len();
        }
        for tool in call.tools.iter() {
            bytes += tool.name.len() + tool.description.len() + tool.parameters.to_string().len();
        }
        if let Some(form) = &call.output {
            bytes += form.schema.source().to_string().len();
        }
        let messages = u64::try_from(call.messages.len()).unwrap_or(u64::MAX).saturating_add(1);
        let input = u64::try_from(bytes)
            .unwrap_or(u64::MAX)
            .saturating_add(messages.saturating_mul(TOKENS_PER_MESSAGE));
        let usage = Usage {
            input_tokens: input.min(self.context_tokens),
            output_tokens: u64::from(self.output_tokens_max(call)),
            cached_tokens: 0,
        };
        Ok(Spend { cost: price.cost(usage), tokens: usage.total() })
    }
}

/// All profiles known, by name, and which of them stands for `default`, `fast`, `best`.
#[derive(Clone, Debug, Default)]
pub struct Profiles {
    by_name: BTreeMap<String, Arc<ModelProfile>>,
    /// By provider: tier → profile.
    tiers: BTreeMap<String, BTreeMap<String, String>>,
    /// Tier → profile, as the operator has chosen.
    chosen: BTreeMap<String, String>,
}

/// The profiles as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfilesFile {
    #[serde(default)]
    default: Option<String>,
    #[serde(default)]
    tiers: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    models: BTreeMap<String, ModelProfile>,
}

impl Profiles {
    /// The profiles that come with the program; those of the scripted provider are chosen.
    pub fn shipped() -> Self {
        #[expect(clippy::expect_used, reason = "a test reads the shipped file")]
        Self::from_json(include_str!("profiles/shipped.json")).expect("the shipped profiles")
    }

    /// Reads profiles from JSON:
    /// `{"default": name, "tiers": {provider: {tier: name}}, "models": {name: {…}}}`.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let mut profiles = Self::default();
        profiles.add_json(text)?;
        if !profiles.chosen.contains_key(TIER_DEFAULT) {
            return Err("it does not say which model is the `default`".into());
        }
        Ok(profiles)
    }

    /// Adds what another file says; a name that is there already is replaced.
    pub fn add_json(&mut self, text: &str) -> Result<(), String> {
        let file: ProfilesFile = serde_json::from_str(text).map_err(|error| error.to_string())?;
        for (name, profile) in file.models {
            self.insert(&name, profile);
        }
        for (provider, tiers) in file.tiers {
            for (tier, name) in &tiers {
                self.check(name)
                    .map_err(|what| format!("tier `{tier}` of `{provider}`: {what}"))?;
            }
            self.tiers.insert(provider, tiers);
        }
        match file.default {
            Some(name) => self.choose(TIER_DEFAULT, &name),
            None => Ok(()),
        }
    }

    /// Adds a profile or replaces it.
    pub fn insert(&mut self, name: &str, mut profile: ModelProfile) {
        profile.name = name.into();
        self.by_name.insert(name.to_owned(), Arc::new(profile));
    }

    /// Lets the models of this provider stand for the tiers. `false` when it has none.
    pub fn choose_provider(&mut self, provider: &str) -> bool {
        let Some(tiers) = self.tiers.get(provider) else { return false };
        self.chosen.extend(tiers.clone());
        true
    }

    /// Lets `name` stand for a tier. The first that is chosen as `default` brings the other tiers
    /// of its provider along.
    pub fn choose(&mut self, tier: &str, name: &str) -> Result<(), String> {
        let provider = self.check(name)?.provider.clone();
        if tier == TIER_DEFAULT && self.chosen.is_empty() {
            self.choose_provider(&provider);
        }
        self.chosen.insert(tier.to_owned(), name.to_owned());
        Ok(())
    }

    fn check(&self, name: &str) -> Result<&Arc<ModelProfile>, String> {
        self.by_name.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.by_name.keys().map(String::as_str).collect();
            format!("the model `{name}` is not among the models: {}", known.join(", "))
        })
    }

    /// The profile of this name; `default`, `fast` and `best` are the operator's choice.
    pub fn get(&self, name: &str) -> Option<&Arc<ModelProfile>> {
        let name = self.chosen.get(name).map_or(name, String::as_str);
        self.by_name.get(name)
    }

    /// Which profile stands for which tier.
    pub fn chosen(&self) -> impl Iterator<Item = (&str, &Arc<ModelProfile>)> {
        self.chosen.iter().filter_map(|(tier, name)| Some((tier.as_str(), self.by_name.get(name)?)))
    }

    /// All of them, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<ModelProfile>> {
        self.by_name.values()
    }
}

#[cfg(test)]
mod tests;
