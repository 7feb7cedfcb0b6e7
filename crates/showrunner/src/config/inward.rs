//! Who may report from outside, and where people reach the server.

use std::collections::BTreeMap;

use clap::Args;
use showrunner_providers::callbacks::Callbacks;
use showrunner_providers::egress::Egress;

use crate::fault::{Fault, Outcome};

/// What was written. Secrets belong into the environment: a command line can be read by everybody
/// on the machine.
#[derive(Args)]
#[command(next_help_heading = "Callbacks and webhooks")]
pub(crate) struct InwardArgs {
    /// Where people reach this server; links in webhooks begin with it [default: --listen]
    #[arg(long, env = "SHOWRUNNER_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// What n8n signs its callbacks with; two with a comma while it is being replaced
    #[arg(
        long,
        env = "SHOWRUNNER_N8N_WEBHOOK_SECRET",
        hide_env_values = true,
        value_delimiter = ',',
        value_name = "SECRET"
    )]
    n8n_webhook_secret: Vec<String>,
    /// What Pollo signs its callbacks with
    #[arg(
        long,
        env = "SHOWRUNNER_POLLO_WEBHOOK_SECRET",
        hide_env_values = true,
        value_delimiter = ',',
        value_name = "SECRET"
    )]
    pollo_webhook_secret: Vec<String>,
    /// What ElevenLabs signs its callbacks with
    #[arg(
        long,
        env = "SHOWRUNNER_ELEVENLABS_WEBHOOK_SECRET",
        hide_env_values = true,
        value_delimiter = ',',
        value_name = "SECRET"
    )]
    elevenlabs_webhook_secret: Vec<String>,
    /// What OpenAI signs its webhooks with
    #[arg(
        long,
        env = "SHOWRUNNER_OPENAI_WEBHOOK_SECRET",
        hide_env_values = true,
        value_delimiter = ',',
        value_name = "SECRET"
    )]
    openai_webhook_secret: Vec<String>,
    /// For trying things out: believe callbacks of senders without a secret
    #[arg(long)]
    callbacks_unsigned: bool,
}

impl std::fmt::Debug for InwardArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InwardArgs").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

/// What it means.
#[derive(Debug)]
pub(crate) struct Inward {
    /// Where people reach this server, when somebody says so.
    pub(crate) public_url: Option<String>,
    secrets: BTreeMap<String, Vec<String>>,
    is_unsigned: bool,
}

impl InwardArgs {
    /// What was written, checked.
    pub(crate) fn resolve(&self) -> Outcome<Inward> {
        if let Some(url) = &self.public_url {
            let is_url =
                reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            if !is_url {
                return Err(Fault::usage(format!(
                    "--public-url {url} is no http or https address"
                ))
                .hint("write https://showrunner.example.com"));
            }
        }
        let given = [
            ("n8n", &self.n8n_webhook_secret),
            ("pollo", &self.pollo_webhook_secret),
            ("elevenlabs", &self.elevenlabs_webhook_secret),
            ("openai", &self.openai_webhook_secret),
        ];
        let kept = |secrets: &Vec<String>| -> Vec<String> {
            secrets.iter().filter(|secret| !secret.is_empty()).cloned().collect()
        };
        let secrets = given
            .into_iter()
            .map(|(sender, secrets)| (sender.to_owned(), kept(secrets)))
            .filter(|(_, secrets)| !secrets.is_empty())
            .collect();
        let public_url = self.public_url.clone();
        Ok(Inward { public_url, secrets, is_unsigned: self.callbacks_unsigned })
    }
}

impl Inward {
    /// Whom to believe, with keys fetched by this way.
    pub(crate) fn callbacks(&self, egress: &Egress) -> Callbacks {
        let callbacks = Callbacks::new(self.secrets.clone(), egress.clone());
        if self.is_unsigned {
            tracing::warn!(
                "--callbacks-unsigned: whoever reaches this server can report results of senders \
                 without a secret; for trying things out only"
            );
            return callbacks.open();
        }
        callbacks
    }
}
