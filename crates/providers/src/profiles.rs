//! Facts about models, as data: who serves them, under which name, at what price, with which
//! limits. A model without a price is refused, not free.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_engine::money::{MicroUsd, Spend};
use showrunner_engine::turn::{ModelCall, Usage};

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
}

/// Micro-dollars per million tokens, which is the same number as dollars per million million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// For a million tokens read.
    pub input: u64,
    /// For a million tokens written.
    pub output: u64,
    /// For a million tokens read from the vendor's cache.
    #[serde(default)]
    pub cached_input: u64,
}

impl Price {
    /// What this usage costs, rounded up to a whole micro-dollar.
    pub fn cost(&self, usage: Usage) -> MicroUsd {
        let part = |tokens: u64, price: u64| u128::from(tokens) * u128::from(price);
        let total = part(usage.input_tokens, self.input)
            + part(usage.output_tokens, self.output)
            + part(usage.cached_tokens, self.cached_input);
        MicroUsd(i64::try_from(total.div_ceil(1_000_000)).unwrap_or(i64::MAX))
    }
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
        call.settings.max_output_tokens.min(self.max_output_tokens)
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

/// All profiles known, by name.
#[derive(Clone, Debug, Default)]
pub struct Profiles {
    by_name: BTreeMap<String, Arc<ModelProfile>>,
    default: String,
}

/// The profiles as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfilesFile {
    default: String,
    models: BTreeMap<String, ModelProfile>,
}

impl Profiles {
    /// The profiles that come with the program: those of the scripted provider.
    pub fn shipped() -> Self {
        #[expect(clippy::expect_used, reason = "a test reads the shipped file")]
        Self::from_json(include_str!("profiles/shipped.json")).expect("the shipped profiles")
    }

    /// Reads profiles from JSON: `{"default": name, "models": {name: {…}}}`.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let file: ProfilesFile = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if !file.models.contains_key(&file.default) {
            return Err(format!("the default model `{}` is not among the models", file.default));
        }
        let mut profiles = Self { by_name: BTreeMap::new(), default: file.default };
        for (name, profile) in file.models {
            profiles.insert(&name, profile);
        }
        Ok(profiles)
    }

    /// Adds a profile or replaces it.
    pub fn insert(&mut self, name: &str, mut profile: ModelProfile) {
        profile.name = name.into();
        self.by_name.insert(name.to_owned(), Arc::new(profile));
    }

    /// The profile of this name; `default` is the operator's choice.
    pub fn get(&self, name: &str) -> Option<&Arc<ModelProfile>> {
        let name = if name == "default" { &self.default } else { name };
        self.by_name.get(name)
    }

    /// All of them, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<ModelProfile>> {
        self.by_name.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input_tokens: u64, output_tokens: u64, cached_tokens: u64) -> Usage {
        Usage { input_tokens, output_tokens, cached_tokens }
    }

    #[test]
    fn cost_is_whole_micro_dollars_rounded_up() {
        let price = Price { input: 3_000_000, output: 15_000_000, cached_input: 300_000 };
        assert_eq!(price.cost(usage(0, 0, 0)), MicroUsd(0));
        assert_eq!(price.cost(usage(1_000, 200, 0)), MicroUsd(6_000));
        assert_eq!(price.cost(usage(0, 0, 1)), MicroUsd(1));
        assert_eq!(price.cost(usage(u64::MAX, 0, 0)), MicroUsd(i64::MAX));
    }

    #[test]
    fn shipped_profiles_are_priced_and_default_is_one_of_them() {
        let shipped = Profiles::shipped();
        assert!(shipped.iter().count() >= 3);
        assert!(shipped.iter().all(|profile| profile.price().is_ok()));
        assert_eq!(&*shipped.get("default").unwrap().name, "scripted");
        assert!(shipped.get("gpt-17").is_none());
    }

    #[test]
    fn a_model_without_a_price_is_refused() {
        let text = r#"{"default": "m", "models": {"m":
            {"provider": "p", "model": "x", "context_tokens": 9, "max_output_tokens": 9}}}"#;
        let profiles = Profiles::from_json(text).unwrap();
        let refused = profiles.get("m").unwrap().price().unwrap_err().into_failure();
        assert_eq!((refused.class, refused.code.as_str()), (ErrorClass::Budget, "model_unpriced"));
        assert!(refused.message.contains("`m`"));
    }

    #[test]
    fn wrong_profile_files_say_what_is_wrong() {
        let unknown = Profiles::from_json(r#"{"default": "m", "models": {}}"#).unwrap_err();
        assert!(unknown.contains("`m` is not among"), "{unknown}");
        let typo = Profiles::from_json(r#"{"default": "m", "modles": {}}"#).unwrap_err();
        assert!(typo.contains("modles"), "{typo}");
    }
}
