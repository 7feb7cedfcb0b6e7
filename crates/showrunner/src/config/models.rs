//! Which models there are: whose keys are in the environment, where the interfaces are, and which
//! model stands for `default`, `fast` and `best`.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use showrunner_providers::{Endpoint, Profiles, SecretString, Wire};

use super::terminal::said;
use crate::fault::{Fault, Outcome};

/// The name of a server of one's own.
const LOCAL: &str = "local";
/// What a server of one's own is taken to read and write where nobody says otherwise.
const LOCAL_CONTEXT: u64 = 32_768;
const LOCAL_OUTPUT: u32 = 8_192;

/// A vendor, and the names under which the environment speaks of it.
struct Vendor {
    name: &'static str,
    wire: Wire,
    keys: &'static [&'static str],
    base_url: &'static str,
    home: Option<&'static str>,
}

/// In the order in which they are preferred where several have a key.
const VENDORS: &[Vendor] = &[
    Vendor {
        name: "anthropic",
        wire: Wire::Anthropic,
        keys: &["ANTHROPIC_API_KEY"],
        base_url: "SHOWRUNNER_ANTHROPIC_BASE_URL",
        home: None,
    },
    Vendor {
        name: "openai",
        wire: Wire::OpenAi,
        keys: &["OPENAI_API_KEY"],
        base_url: "SHOWRUNNER_OPENAI_BASE_URL",
        home: None,
    },
    Vendor {
        name: "google",
        wire: Wire::Google,
        keys: &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
        base_url: "SHOWRUNNER_GEMINI_BASE_URL",
        home: None,
    },
    Vendor {
        name: "openrouter",
        wire: Wire::OpenAi,
        keys: &["OPENROUTER_API_KEY"],
        base_url: "SHOWRUNNER_OPENROUTER_BASE_URL",
        home: Some("https://openrouter.ai/api/v1"),
    },
];

/// Which models there are, as written. Keys come from the environment only: what stands on a
/// command line can be read by everybody on the machine.
#[derive(Debug, Args)]
#[command(next_help_heading = "Models (keys: ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY, \
                               OPENROUTER_API_KEY)")]
pub(crate) struct ModelsArgs {
    /// Ask no vendor, whatever keys there are: everything is simulated
    #[arg(long, env = "SHOWRUNNER_SIMULATE")]
    simulate: bool,
    /// The model of agents that do not say: a model, or a provider
    #[arg(long, env = "SHOWRUNNER_MODEL_DEFAULT", value_name = "NAME")]
    model_default: Option<String>,
    /// What stands for `fast`
    #[arg(long, env = "SHOWRUNNER_MODEL_FAST", value_name = "NAME")]
    model_fast: Option<String>,
    /// What stands for `best`
    #[arg(long, env = "SHOWRUNNER_MODEL_BEST", value_name = "NAME")]
    model_best: Option<String>,
    /// More models, prices and tiers, as JSON
    #[arg(long, env = "SHOWRUNNER_MODELS", value_name = "FILE")]
    models: Option<PathBuf>,
    /// A server of your own that speaks OpenAI's chat completions (Ollama, vLLM …); costs nothing
    #[arg(long, env = "SHOWRUNNER_LOCAL_BASE_URL", value_name = "URL", requires = "local_model")]
    local_base_url: Option<String>,
    /// Its model, in its own word: qwen3:8b
    #[arg(long, env = "SHOWRUNNER_LOCAL_MODEL", value_name = "NAME")]
    local_model: Option<String>,
}

/// Which models there are.
#[derive(Clone, Debug)]
pub(crate) struct Models {
    /// Who is called.
    pub(crate) endpoints: Vec<Endpoint>,
    /// What is known of the models, and which stand for the tiers.
    pub(crate) profiles: Profiles,
}

impl ModelsArgs {
    /// Whether no vendor is asked at all.
    pub(crate) fn is_simulated(&self) -> bool {
        self.simulate
    }

    pub(crate) fn resolve(&self) -> Outcome<Models> {
        self.resolve_with(&said)
    }

    /// As [`Self::resolve`], with `said` for what the environment says.
    fn resolve_with(&self, said: &dyn Fn(&str) -> Option<String>) -> Outcome<Models> {
        let mut models = Models { endpoints: Vec::new(), profiles: Profiles::shipped() };
        if let Some(file) = &self.models {
            let shown = file.display();
            let text = fs::read_to_string(file).map_err(|error| {
                Fault::usage(format!("--models {shown} cannot be read")).because(error.to_string())
            })?;
            models.profiles.add_json(&text).map_err(|what| {
                Fault::usage(format!("{shown} does not describe models"))
                    .because(what)
                    .hint("docs/operations/models.md shows such a file")
            })?;
        }
        if !self.simulate {
            for vendor in VENDORS {
                models.endpoints.extend(vendor.endpoint(said)?);
            }
            if let (Some(base), Some(model)) = (&self.local_base_url, &self.local_model) {
                models.add_local(base, model, said("SHOWRUNNER_LOCAL_API_KEY"))?;
            }
        }
        // What costs nothing first, then the vendors in their order.
        let preferred = models.endpoints.iter().find(|endpoint| endpoint.is_free());
        if let Some(endpoint) = preferred.or_else(|| models.endpoints.first()) {
            models.profiles.choose_provider(endpoint.name());
        }
        let tiers = [
            ("default", "--model-default", &self.model_default),
            ("fast", "--model-fast", &self.model_fast),
            ("best", "--model-best", &self.model_best),
        ];
        for (tier, flag, name) in tiers {
            if let Some(name) = name {
                models.choose(tier, flag, name)?;
            }
        }
        Ok(models)
    }
}

impl Vendor {
    /// Its interface, when there is a key for it.
    fn endpoint(&self, said: &dyn Fn(&str) -> Option<String>) -> Outcome<Option<Endpoint>> {
        let Some(key) = self.keys.iter().find_map(|name| said(name)) else { return Ok(None) };
        let base = said(self.base_url);
        let base = base.as_deref().or(self.home).unwrap_or_else(|| self.wire.home());
        let key = SecretString::from(key.trim().to_owned());
        let endpoint = Endpoint::new(self.name, self.wire, base, Some(key)).map_err(|fault| {
            Fault::usage(format!("{} is no address to send a key to", self.base_url))
                .because(fault.to_string())
        })?;
        Ok(Some(endpoint))
    }
}

impl Models {
    fn add_local(&mut self, base: &str, model: &str, key: Option<String>) -> Outcome {
        let key = key.map(SecretString::from);
        let endpoint = Endpoint::new(LOCAL, Wire::OpenAi, base, key).map_err(|fault| {
            Fault::usage("--local-base-url cannot be used").because(fault.to_string())
        })?;
        self.endpoints.push(endpoint.free());
        let profile = json!({
            "provider": LOCAL,
            "model": model,
            "price": { "input": 0, "output": 0 },
            "context_tokens": LOCAL_CONTEXT,
            "max_output_tokens": LOCAL_OUTPUT,
            "source": "a server of one's own",
        });
        let tiers = json!({ "fast": LOCAL, "default": LOCAL, "best": LOCAL });
        let text = json!({ "models": { LOCAL: profile }, "tiers": { LOCAL: tiers } }).to_string();
        self.profiles.add_json(&text).map_err(Fault::refused)
    }

    /// Lets a model, or a provider's model for it, stand for a tier.
    fn choose(&mut self, tier: &str, flag: &str, name: &str) -> Outcome {
        if tier == "default" && self.profiles.choose_provider(name) {
            return self.check_default(flag, name);
        }
        self.profiles
            .choose(tier, name)
            .map_err(|what| Fault::usage(format!("{flag} {name} names no model")).because(what))?;
        self.check_default(flag, name)
    }

    /// What stands for a tier can be called.
    fn check_default(&self, flag: &str, name: &str) -> Outcome {
        for (tier, profile) in self.profiles.chosen() {
            let provider = profile.provider.as_str();
            let is_there = provider == "scripted"
                || self.endpoints.iter().any(|endpoint| endpoint.name() == provider);
            if !is_there {
                let keys = VENDORS.iter().find(|vendor| vendor.name == provider);
                let keys = keys.map_or("", |vendor| vendor.keys.first().copied().unwrap_or(""));
                return Err(Fault::usage(format!("{flag} {name}: nobody here serves it"))
                    .because(format!("`{tier}` would be {}, of {provider}", profile.name))
                    .hint(format!("set {keys}, or choose a model of a provider with a key")));
            }
            if let Err(unpriced) = profile.price() {
                return Err(Fault::usage(format!("{flag} {name}: it has no price"))
                    .because(unpriced.to_string())
                    .hint("give it one in the file of --models"));
            }
        }
        Ok(())
    }
}

/// The names of the keys that are in the environment, and whose they are.
pub(crate) fn keys_found() -> Vec<(&'static str, &'static str)> {
    let found = |vendor: &Vendor| {
        let key = vendor.keys.iter().find(|name| said(name).is_some())?;
        Some((*key, vendor.name))
    };
    VENDORS.iter().filter_map(found).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        models: ModelsArgs,
    }

    fn resolved(words: &[&str], env: &[(&str, &str)]) -> Outcome<Models> {
        let line = Line::parse_from(["serve"].iter().chain(words));
        let said = |name: &str| {
            let found = env.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        line.models.resolve_with(&said)
    }

    fn tiers(models: &Models) -> Vec<String> {
        ["default", "fast", "best"]
            .map(|tier| models.profiles.get(tier).unwrap().name.to_string())
            .to_vec()
    }

    #[test]
    fn without_a_key_everything_is_simulated() {
        let models = resolved(&[], &[]).unwrap();
        assert!(models.endpoints.is_empty());
        assert_eq!(tiers(&models), ["scripted", "scripted-small", "scripted-large"]);
        let models = resolved(&["--simulate"], &[("OPENAI_API_KEY", "k")]).unwrap();
        assert!(models.endpoints.is_empty());
        assert_eq!(tiers(&models)[0], "scripted");
    }

    #[test]
    fn a_key_brings_its_vendors_models() {
        let models = resolved(&[], &[("GOOGLE_API_KEY", "k")]).unwrap();
        assert_eq!(models.profiles.get("default").unwrap().provider, "google");
        let both = [("OPENAI_API_KEY", "k"), ("ANTHROPIC_API_KEY", "k")];
        let models = resolved(&[], &both).unwrap();
        assert_eq!(models.endpoints.len(), 2);
        assert_eq!(models.profiles.get("default").unwrap().provider, "anthropic");
        let models = resolved(&["--model-default", "openai"], &both).unwrap();
        assert_eq!(models.profiles.get("fast").unwrap().provider, "openai");
        let models = resolved(&["--model-best", "gpt-6-luna"], &both).unwrap();
        assert_eq!(tiers(&models)[2], "gpt-6-luna");
        assert_eq!(models.profiles.get("default").unwrap().provider, "anthropic");
    }

    #[test]
    fn a_server_of_ones_own_is_free_and_preferred() {
        let words = ["--local-base-url", "http://127.0.0.1:11434/v1", "--local-model", "qwen3:8b"];
        let models = resolved(&words, &[("OPENAI_API_KEY", "k")]).unwrap();
        let profile = models.profiles.get("default").unwrap();
        assert_eq!((&*profile.model, profile.price().unwrap().output), ("qwen3:8b", 0));
        assert!(models.endpoints.iter().any(|e| e.name() == "local" && e.is_free()));
    }

    #[test]
    fn what_cannot_be_called_is_told_before_the_server_starts() {
        let fault = resolved(&["--model-default", "gpt-6-luna"], &[]).unwrap_err();
        assert!(fault.hints[0].contains("OPENAI_API_KEY"), "{fault:?}");
        let fault = resolved(&["--model-fast", "gpt-17"], &[]).unwrap_err();
        assert!(fault.why[0].contains("gpt-6-luna"), "{fault:?}");
        let base =
            [("OPENAI_API_KEY", "k-hush"), ("SHOWRUNNER_OPENAI_BASE_URL", "http://a.example")];
        let fault = resolved(&[], &base).unwrap_err();
        assert!(fault.why[0].contains("in the clear"), "{fault:?}");
        assert!(!format!("{fault:?}").contains("k-hush"));
        let fault = resolved(&["--models", "/nowhere/models.json"], &[]).unwrap_err();
        assert!(fault.what.contains("/nowhere/models.json"), "{fault:?}");
    }

    #[test]
    fn a_file_adds_models_with_prices() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("models.json");
        let text = r#"{"models": {"house": {"provider": "openai", "model": "gpt-6-luna-ft",
            "price": {"input": 200000, "output": 900000}, "context_tokens": 9, "max_output_tokens": 9},
            "free-ride": {"provider": "openai", "model": "x", "context_tokens": 9,
            "max_output_tokens": 9}}}"#;
        fs::write(&file, text).unwrap();
        let file = file.to_str().unwrap();
        let key = [("OPENAI_API_KEY", "k")];
        let models = resolved(&["--models", file, "--model-fast", "house"], &key).unwrap();
        assert_eq!(tiers(&models)[1], "house");
        let fault = resolved(&["--models", file, "--model-fast", "free-ride"], &key).unwrap_err();
        assert!(fault.what.contains("no price"), "{fault:?}");
        fs::write(file, "{\"modles\": {}}").unwrap();
        let fault = resolved(&["--models", file], &key).unwrap_err();
        assert!(fault.why[0].contains("modles"), "{fault:?}");
    }
}
