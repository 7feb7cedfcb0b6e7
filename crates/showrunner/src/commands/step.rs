//! `retry`, `skip`, `complete`, `resolve`: what concerns one step of a run.

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::given;
use super::steer::tell;
use crate::client::Client;
use crate::client::shapes::{Run, Wait};
use crate::client::which::escape;
use crate::config::Desk;
use crate::fault::{Fault, Outcome};

/// Which step.
#[derive(Debug, Args)]
struct Which {
    /// The run
    run: String,
    /// The step, as `showrunner runs show RUN` names it
    step: String,
}

/// Do it again.
#[derive(Debug, Args)]
pub(crate) struct RetryArgs {
    #[command(flatten)]
    which: Which,
    /// Changes to the step's input, as a JSON object
    #[arg(long, value_name = "JSON")]
    edits: Option<String>,
    /// What to do better; the agent reads it
    #[arg(long)]
    feedback: Option<String>,
}

/// Go on without it.
#[derive(Debug, Args)]
pub(crate) struct SkipArgs {
    #[command(flatten)]
    which: Which,
    /// Why, for the record
    #[arg(long)]
    reason: String,
    /// The output that later steps see, as JSON
    #[arg(long, value_name = "JSON")]
    output: Option<String>,
}

/// Do it by hand.
#[derive(Debug, Args)]
pub(crate) struct CompleteArgs {
    #[command(flatten)]
    which: Which,
    /// The step's output, as JSON; it must fit the step's schema
    #[arg(long, value_name = "JSON")]
    output: String,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Verdict {
    /// It did not take effect: send it again.
    Resend,
    /// It counts as failed.
    Failed,
}

/// Settle a doubt.
#[derive(Debug, Args)]
pub(crate) struct ResolveArgs {
    #[command(flatten)]
    which: Which,
    /// What became of the call
    #[arg(value_enum)]
    verdict: Verdict,
    /// What the call has cost all the same, in millionths of a dollar, from the provider's own books
    #[arg(long, default_value_t = 0, value_name = "MICROS")]
    cost_micros: u64,
}

/// Does a step again, and what depends on it.
pub(crate) async fn retry(desk: &Desk, args: RetryArgs) -> Outcome {
    let mut body = Map::new();
    if let Some(edits) = args.edits {
        body.insert("edits".to_owned(), given::object("--edits", &edits)?);
    }
    body.extend(args.feedback.map(|feedback| ("feedback".to_owned(), json!(feedback))));
    ask(desk, &args.which, "retry", body).await
}

/// Goes on without a step.
pub(crate) async fn skip(desk: &Desk, args: SkipArgs) -> Outcome {
    let mut body = Map::new();
    body.insert("reason".to_owned(), json!(args.reason));
    if let Some(output) = args.output {
        body.insert("output".to_owned(), given::json("--output", &output)?);
    }
    ask(desk, &args.which, "skip", body).await
}

/// Gives a step its output by hand.
pub(crate) async fn complete(desk: &Desk, args: CompleteArgs) -> Outcome {
    let mut body = Map::new();
    body.insert("output".to_owned(), given::json("--output", &args.output)?);
    ask(desk, &args.which, "complete", body).await
}

/// Says what became of a call in doubt.
pub(crate) async fn resolve(desk: &Desk, args: ResolveArgs) -> Outcome {
    let verdict = match args.verdict {
        Verdict::Resend => "resend",
        Verdict::Failed => "failed",
    };
    let mut body = Map::new();
    body.insert("verdict".to_owned(), json!(verdict));
    if args.cost_micros > 0 {
        body.insert("cost_micros".to_owned(), json!(args.cost_micros));
    }
    let client = Client::find(&desk.connect)?;
    let run = client.run_id(&args.which.run).await?;
    body.insert("since".to_owned(), json!(doubted_since(&client, &run, &args.which.step).await?));
    send(desk, &client, (&run, &args.which.step, "resolve"), body).await
}

/// Since when the step is in doubt: the answer is about this doubt, and no later one.
async fn doubted_since(client: &Client, run: &str, step: &str) -> Outcome<String> {
    let now: Run = client.read(&format!("/api/v1/runs/{}", escape(run))).await?;
    let is_doubt = |wait: &&Wait| wait.what == "doubt";
    let of_step = now.waits.iter().filter(is_doubt).find(|wait| wait.step == step);
    if let Some(since) = of_step.and_then(|wait| wait.since.clone()) {
        return Ok(since);
    }
    let doubted: Vec<&str> =
        now.waits.iter().filter(is_doubt).map(|wait| wait.step.as_str()).collect();
    let fault = Fault::refused(format!("{step} of {run} is not in doubt"));
    Err(if doubted.is_empty() {
        fault.hint(format!("see where it stands: showrunner runs show {run}"))
    } else {
        fault.hint(format!("in doubt: {}", doubted.join(", ")))
    })
}

async fn ask(desk: &Desk, which: &Which, verb: &str, body: Map<String, Value>) -> Outcome {
    let client = Client::find(&desk.connect)?;
    let run = client.run_id(&which.run).await?;
    send(desk, &client, (&run, &which.step, verb), body).await
}

async fn send(
    desk: &Desk,
    client: &Client,
    (run, step, verb): (&str, &str, &str),
    body: Map<String, Value>,
) -> Outcome {
    let path = format!("/api/v1/runs/{}/steps/{}/{verb}", escape(run), escape(step));
    let value = client.post(&path, &Value::Object(body)).await?;
    tell(desk, run, &value)
}
