//! Whom the server may ask beside the public internet.

use clap::Args;
use showrunner_providers::egress::{Allowed, Rules};

/// What was written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Outside")]
pub(crate) struct OutwardArgs {
    /// Hosts of your own network that webhooks may go to and files may come from
    #[arg(long, env = "SHOWRUNNER_EGRESS_ALLOW", value_delimiter = ',', value_name = "HOST:PORT")]
    egress_allow: Vec<Allowed>,
    /// Ports of the public internet that may be asked
    #[arg(
        long,
        env = "SHOWRUNNER_EGRESS_PORTS",
        value_delimiter = ',',
        default_value = "80,443",
        value_name = "PORT"
    )]
    egress_ports: Vec<u16>,
}

impl OutwardArgs {
    /// As the guard wants it.
    pub(crate) fn rules(&self) -> Rules {
        Rules { allow: self.egress_allow.clone(), ports: self.egress_ports.clone() }
    }

    /// For a person: what is allowed beside the public internet.
    pub(crate) fn shown(&self) -> Vec<String> {
        self.egress_allow.iter().map(ToString::to_string).collect()
    }

    /// The ports of the public internet.
    pub(crate) fn ports(&self) -> &[u16] {
        &self.egress_ports
    }
}
