//! Which vendors of pictures, films and voices there are: whose keys are in the environment, and
//! where their interfaces are.

use clap::Args;
use showrunner_providers::SecretString;
use showrunner_providers::wire::media::{FalModels, OpenAiImages};

use super::terminal::said;
use crate::fault::{Fault, Outcome};

/// Which models of media are used, as written. Keys come from the environment only.
#[derive(Debug, Args)]
#[command(
    next_help_heading = "Pictures, films and voices (keys: FAL_KEY, ELEVENLABS_API_KEY, OPENAI_API_KEY)"
)]
pub(crate) struct MediaArgs {
    /// Models of fal to use, one for pictures and one for films, instead of the usual ones
    #[arg(long, env = "SHOWRUNNER_FAL_MODELS", value_delimiter = ',', value_name = "MODEL")]
    fal_models: Vec<String>,
    /// Order pictures of this model of OpenAI; without it OPENAI_API_KEY is for words only
    #[arg(long, env = "SHOWRUNNER_OPENAI_IMAGE_MODEL", value_name = "MODEL")]
    openai_image_model: Option<String>,
}

/// A vendor with a key.
#[derive(Clone, Debug)]
pub(crate) struct MediaVendor {
    /// Who.
    pub(crate) make: Make,
    /// The variable that may name another address.
    pub(crate) base_variable: &'static str,
    /// What it says.
    pub(crate) base: Option<String>,
    /// The key.
    pub(crate) key: SecretString,
}

/// Whose interface is spoken, and what of it is used.
#[derive(Clone, Debug)]
pub(crate) enum Make {
    /// fal's queue.
    Fal(FalModels),
    /// ElevenLabs' text to speech.
    ElevenLabs,
    /// OpenAI's images, by this model.
    OpenAi(String),
}

/// The variables of fal: key, address.
const FAL: (&str, &str) = ("FAL_KEY", "SHOWRUNNER_FAL_BASE_URL");
/// The variables of ElevenLabs.
const ELEVENLABS: (&str, &str) = ("ELEVENLABS_API_KEY", "SHOWRUNNER_ELEVENLABS_BASE_URL");
/// The variables of OpenAI, the same as for its models of words.
const OPENAI: (&str, &str) = ("OPENAI_API_KEY", "SHOWRUNNER_OPENAI_BASE_URL");

impl MediaArgs {
    /// All vendors with a key.
    pub(crate) fn resolve(&self) -> Outcome<Vec<MediaVendor>> {
        self.resolve_with(&said)
    }

    /// As [`Self::resolve`], with `said` for what the environment says.
    fn resolve_with(&self, said: &dyn Fn(&str) -> Option<String>) -> Outcome<Vec<MediaVendor>> {
        let mut models = FalModels::default();
        for path in &self.fal_models {
            models = models.with(path.trim()).map_err(|what| {
                Fault::usage(format!("--fal-models {path} cannot be used")).because(what)
            })?;
        }
        let vendor = |(key, base_variable): (&str, &'static str), make| {
            let key = SecretString::from(said(key)?.trim().to_owned());
            Some(MediaVendor { make, base_variable, base: said(base_variable), key })
        };
        let keyed = [vendor(FAL, Make::Fal(models)), vendor(ELEVENLABS, Make::ElevenLabs)];
        let mut vendors: Vec<MediaVendor> = keyed.into_iter().flatten().collect();
        if let Some(model) = &self.openai_image_model {
            let flag = format!("--openai-image-model {model}");
            OpenAiImages::check(model)
                .map_err(|what| Fault::usage(format!("{flag} cannot be used")).because(what))?;
            let openai = vendor(OPENAI, Make::OpenAi(model.clone())).ok_or_else(|| {
                Fault::usage(format!("{flag}: nobody here serves it"))
                    .because("there is no key of OpenAI")
                    .hint("set OPENAI_API_KEY, or leave the model out")
            })?;
            vendors.push(openai);
        }
        Ok(vendors)
    }
}

/// The names of the keys that are in the environment for media alone, and whose they are.
pub(crate) fn keys_found() -> Vec<(&'static str, &'static str)> {
    let all = [(FAL.0, "fal"), (ELEVENLABS.0, "elevenlabs")];
    all.into_iter().filter(|(key, _)| said(key).is_some()).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        media: MediaArgs,
    }

    fn resolved(words: &[&str], env: &[(&str, &str)]) -> Outcome<Vec<MediaVendor>> {
        let line = Line::parse_from(["serve"].iter().chain(words));
        let said = |name: &str| {
            let found = env.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        line.media.resolve_with(&said)
    }

    #[test]
    fn a_key_brings_its_vendor() {
        assert!(resolved(&[], &[]).unwrap().is_empty());
        let base = ("SHOWRUNNER_FAL_BASE_URL", "http://127.0.0.1:9");
        let vendors = resolved(&[], &[("FAL_KEY", "k-hush"), base]).unwrap();
        assert_eq!((vendors.len(), vendors[0].base.as_deref()), (1, Some(base.1)));
        assert!(!format!("{vendors:?}").contains("k-hush"));
    }

    #[test]
    fn a_model_without_a_price_is_told_before_the_server_starts() {
        resolved(&["--fal-models", "fal-ai/flux/schnell"], &[]).unwrap();
        let fault = resolved(&["--fal-models", "fal-ai/x/y"], &[]).unwrap_err();
        assert!(fault.why[0].contains("price"), "{fault:?}");
    }

    #[test]
    fn pictures_of_openai_are_ordered_only_where_somebody_says_so() {
        let key = [("OPENAI_API_KEY", "k")];
        assert!(resolved(&[], &key).unwrap().is_empty());
        let words = ["--openai-image-model", "gpt-image-1.5"];
        assert_eq!(resolved(&words, &key).unwrap().len(), 1);
        let fault = resolved(&words, &[]).unwrap_err();
        assert!(fault.hints[0].contains("OPENAI_API_KEY"), "{fault:?}");
        let fault = resolved(&["--openai-image-model", "dall-e-3"], &key).unwrap_err();
        assert!(fault.why[0].contains("price"), "{fault:?}");
    }
}
