//! `publish`: makes a definition file a version that can be run.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::given::read_text;
use super::validate::{problems_in, shown};
use crate::client::Client;
use crate::config::Desk;
use crate::fault::{Fault, Outcome};

/// Which file.
#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    /// The definition, YAML or JSON; - for standard input
    file: PathBuf,
}

/// Publishes a definition.
pub(crate) async fn perform(desk: &Desk, args: PublishArgs) -> Outcome {
    let source = read_text(&args.file)?;
    let client = Client::find(&desk.connect)?;
    let name = args.file.display().to_string();
    let answer = client.post("/api/v1/definitions", &json!({ "source": source })).await;
    let value = answer.map_err(|fault| with_lines(desk, fault, &source, &name))?;
    let slug = value.get("slug").and_then(Value::as_str).unwrap_or("?");
    let version = value.get("version").and_then(Value::as_u64).unwrap_or(0);
    let is_new = value.get("is_new").and_then(Value::as_bool).unwrap_or(true);
    let news = if is_new { "published" } else { "was published already" };
    desk.talk.answer(&value, &format!("{slug} version {version} {news}"))?;
    desk.talk
        .next(&[(format!("showrunner run {slug} -i NAME=VALUE --watch"), "start a run of it")]);
    Ok(())
}

/// Shows the server's complaints in the author's own lines.
fn with_lines(desk: &Desk, mut fault: Fault, source: &str, name: &str) -> Fault {
    let errors = fault.problem.as_ref().and_then(|problem| problem.get("errors"));
    let mut problems = errors.map(problems_in).unwrap_or_default();
    if problems.is_empty() {
        return fault;
    }
    for problem in &mut problems {
        name.clone_into(&mut problem.file);
    }
    fault.why = vec![shown(&problems, source, &desk.talk).replace('\n', "\n  ")];
    fault.hint("mend what is marked; nothing was published")
}
