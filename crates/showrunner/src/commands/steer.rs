//! `cancel`, `pause`, `resume`, `rollback`, `fork`: what concerns a whole run.

use clap::Args;
use serde_json::{Map, Value, json};

use super::given;
use crate::client::Client;
use crate::client::which::escape;
use crate::config::Desk;
use crate::fault::Outcome;
use crate::progress::short_id;

/// A run and nothing else.
#[derive(Debug, Args)]
pub(crate) struct OneRun {
    /// The run
    run: String,
}

/// End a run.
#[derive(Debug, Args)]
pub(crate) struct CancelArgs {
    /// The run
    run: String,
    /// Why, for the record
    #[arg(long)]
    reason: Option<String>,
    /// Undo first what can be undone
    #[arg(long)]
    compensate: bool,
}

/// Take a run back.
#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// The run
    run: String,
    /// The phase to stand in again
    phase: String,
    /// Why, for the record
    #[arg(long)]
    reason: Option<String>,
}

/// A new run out of another.
#[derive(Debug, Args)]
pub(crate) struct ForkArgs {
    /// The run whose results are taken over
    run: String,
    /// The first step that is done anew [default: what the edits change]
    #[arg(long, value_name = "STEP")]
    from: Option<String>,
    /// Changes to the run's input, as a JSON object
    #[arg(long, value_name = "JSON")]
    edits: Option<String>,
}

/// Ends a run.
pub(crate) async fn cancel(desk: &Desk, args: CancelArgs) -> Outcome {
    let mut body = Map::new();
    body.extend(args.reason.map(|reason| ("reason".to_owned(), json!(reason))));
    if args.compensate {
        body.insert("compensate".to_owned(), json!(true));
    }
    ask(desk, &args.run, "cancel", body).await
}

/// Lets nothing new start.
pub(crate) async fn pause(desk: &Desk, args: OneRun) -> Outcome {
    ask(desk, &args.run, "pause", Map::new()).await
}

/// Lets it go on.
pub(crate) async fn resume(desk: &Desk, args: OneRun) -> Outcome {
    ask(desk, &args.run, "resume", Map::new()).await
}

/// Takes it back to an earlier phase.
pub(crate) async fn rollback(desk: &Desk, args: RollbackArgs) -> Outcome {
    let mut body = Map::new();
    body.insert("phase".to_owned(), json!(args.phase));
    body.extend(args.reason.map(|reason| ("reason".to_owned(), json!(reason))));
    ask(desk, &args.run, "rollback", body).await
}

/// Makes a new run that takes over results.
pub(crate) async fn fork(desk: &Desk, args: ForkArgs) -> Outcome {
    let mut body = Map::new();
    body.extend(args.from.map(|from| ("from".to_owned(), json!(from))));
    if let Some(edits) = args.edits {
        body.insert("input_edits".to_owned(), given::object("--edits", &edits)?);
    }
    ask(desk, &args.run, "fork", body).await
}

async fn ask(desk: &Desk, given: &str, verb: &str, body: Map<String, Value>) -> Outcome {
    let client = Client::find(&desk.connect)?;
    let run = client.run_id(given).await?;
    let path = format!("/api/v1/runs/{}/{verb}", escape(&run));
    let value = client.post(&path, &Value::Object(body)).await?;
    tell(desk, &run, &value)
}

/// Tells how the run stands after a command was accepted.
pub(super) fn tell(desk: &Desk, asked: &str, value: &Value) -> Outcome {
    // `{run: {…}}` by contract; the bare run is understood as well.
    let run = value.get("run").filter(|run| run.is_object()).unwrap_or(value);
    let text = |name: &str| run.get(name).and_then(Value::as_str);
    let id = text("id").unwrap_or(asked);
    desk.talk.answer(value, &format!("{id} {}", text("status").unwrap_or("accepted")))?;
    desk.talk.next(&[
        (format!("showrunner watch {}", short_id(id)), "see it go on"),
        (format!("showrunner runs show {}", short_id(id)), "see where it stands"),
    ]);
    Ok(())
}
