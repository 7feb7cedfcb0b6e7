//! Where the server's own log goes: standard error, as text or as JSON lines.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::fault::{Fault, Outcome};

/// What is logged when nobody says otherwise.
pub(crate) const FILTER_DEFAULT: &str = "warn,showrunner=info";

/// How the log is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// One JSON object a line.
    Json,
    /// Text, for a person.
    Text {
        /// Coloured.
        has_colour: bool,
    },
}

/// Starts the log for the rest of the process.
pub(crate) fn start(filter: &str, form: Form) -> Outcome {
    let parsed = EnvFilter::try_new(filter).map_err(|error| {
        Fault::usage(format!("--log {filter} is not a log filter"))
            .because(error.to_string())
            .hint("write for example --log info, or --log warn,showrunner=debug")
    })?;
    let registry = tracing_subscriber::registry().with(parsed);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let started = match form {
        Form::Json => registry.with(layer.json().flatten_event(true)).try_init(),
        Form::Text { has_colour } => {
            registry.with(layer.with_ansi(has_colour).with_target(false)).try_init()
        },
    };
    started
        .map_err(|error| Fault::refused("the log could not be started").because(error.to_string()))
}
