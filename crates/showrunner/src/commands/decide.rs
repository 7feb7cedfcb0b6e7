//! `approve`, `reject`, `abort`: a person's answer to what a run asks.

use clap::Args;
use serde_json::{Value, json};

use super::given;
use crate::client::Client;
use crate::client::shapes::{Checkpoint, Run};
use crate::client::which::escape;
use crate::config::Desk;
use crate::fault::{Fault, Outcome};
use crate::progress::short_id;
use crate::talk::Tone;

/// Which question.
#[derive(Debug, Args)]
struct Which {
    /// The run that asks
    run: String,
    /// The step that asks; needed only when a run asks several things at once
    #[arg(long)]
    step: Option<String>,
}

/// Yes.
#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    #[command(flatten)]
    which: Which,
    /// A word for the record
    #[arg(long)]
    comment: Option<String>,
    /// Changes to what is approved, as a JSON object
    #[arg(long, value_name = "JSON")]
    modifications: Option<String>,
}

/// Not yet.
#[derive(Debug, Args)]
pub(crate) struct RejectArgs {
    #[command(flatten)]
    which: Which,
    /// What to change; the agents read it
    #[arg(long)]
    feedback: String,
}

/// Not at all.
#[derive(Debug, Args)]
pub(crate) struct AbortArgs {
    #[command(flatten)]
    which: Which,
    /// Why
    #[arg(long)]
    comment: Option<String>,
}

/// Answers with yes.
pub(crate) async fn approve(desk: &Desk, args: ApproveArgs) -> Outcome {
    let modifications =
        args.modifications.map(|text| given::object("--modifications", &text)).transpose()?;
    let answer = Answer { verb: "continue", comment: args.comment, modifications };
    give(desk, &args.which, answer, "approved").await
}

/// Sends it back.
pub(crate) async fn reject(desk: &Desk, args: RejectArgs) -> Outcome {
    if args.feedback.trim().is_empty() {
        return Err(Fault::usage("--feedback is empty")
            .because("the agents need to know what to change")
            .hint("write --feedback \"warmer light, and the cup nearer to the camera\""));
    }
    let answer = Answer { verb: "retry", comment: Some(args.feedback), modifications: None };
    give(desk, &args.which, answer, "sent back").await
}

/// Ends it.
pub(crate) async fn abort(desk: &Desk, args: AbortArgs) -> Outcome {
    let answer = Answer { verb: "abort", comment: args.comment, modifications: None };
    give(desk, &args.which, answer, "aborted").await
}

/// What a person says.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) verb: &'static str,
    pub(super) comment: Option<String>,
    pub(super) modifications: Option<Value>,
}

async fn give(desk: &Desk, which: &Which, answer: Answer, done: &str) -> Outcome {
    let client = Client::find(&desk.connect)?;
    let run = client.run_id(&which.run).await?;
    let step = match &which.step {
        Some(step) => step.clone(),
        None => asking(&client, &run).await?,
    };
    let checkpoint = question(&client, &run, &step).await?;
    let value = post(&client, &run, &checkpoint, answer).await?;
    let status = value.get("status").and_then(Value::as_str).unwrap_or("running");
    desk.talk.answer(&value, &format!("{run} {done} ({step}); the run is {status}"))?;
    let talk = &desk.talk;
    talk.say(&talk.tint(Tone::Good, &format!("✓ {done}")));
    talk.next(&[
        (format!("showrunner watch {}", short_id(&run)), "see it go on"),
        (format!("showrunner assets get {}", short_id(&run)), "download its files"),
    ]);
    Ok(())
}

/// The one step of a run that waits for a person.
async fn asking(client: &Client, run: &str) -> Outcome<String> {
    let now: Run = client.read(&format!("/api/v1/runs/{}", escape(run))).await?;
    let steps: Vec<&str> = now
        .waits
        .iter()
        .filter(|wait| wait.is_for_a_person())
        .map(|wait| wait.step.as_str())
        .collect();
    match steps.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => Err(Fault::refused("nothing of this run waits for a decision")
            .because(format!("{run} is {}", now.status))
            .hint(format!("see where it stands: showrunner runs show {}", short_id(run)))
            .hint("see what does wait: showrunner approvals")),
        several => Err(Fault::usage("this run asks several things")
            .because(format!("steps that wait: {}", several.join(", ")))
            .hint("say which one with --step")),
    }
}

/// The question as it stands now.
pub(super) async fn question(client: &Client, run: &str, step: &str) -> Outcome<Checkpoint> {
    let path = format!("/api/v1/runs/{}/checkpoints/{}", escape(run), escape(step));
    client.read(&path).await
}

/// Answers a question that was looked at: if it has changed since, the server refuses.
pub(super) async fn post(
    client: &Client,
    run: &str,
    checkpoint: &Checkpoint,
    answer: Answer,
) -> Outcome<Value> {
    let mut body = json!({ "verb": answer.verb });
    if let Some(comment) = answer.comment {
        body["comment"] = json!(comment);
    }
    if let Some(modifications) = answer.modifications {
        body["modifications"] = modifications;
    }
    if let Some(digest) = &checkpoint.digest {
        body["digest"] = json!(digest);
    }
    let step = escape(&checkpoint.step);
    client.post(&format!("/api/v1/runs/{}/checkpoints/{step}/answer", escape(run)), &body).await
}
