//! `approvals`: what waits for a decision.

use clap::{Args, ValueEnum};

use super::table::{table, text};
use crate::client::Client;
use crate::client::shapes::{Checkpoint, Page};
use crate::config::Desk;
use crate::fault::Outcome;
use crate::progress::{clip, short_id};

/// Columns of a question in the list.
const QUESTION_WIDTH: usize = 60;

/// Open or answered.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Status {
    /// Waiting.
    Open,
    /// Decided.
    Answered,
}

/// Which questions.
#[derive(Debug, Args)]
pub(crate) struct ApprovalsArgs {
    /// Open or answered
    #[arg(long, value_enum, default_value_t = Status::Open)]
    status: Status,
    /// How many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
    limit: u16,
}

/// Lists questions.
pub(crate) async fn perform(desk: &Desk, args: ApprovalsArgs) -> Outcome {
    let client = Client::find(&desk.connect)?;
    // What is open is what the server lists by itself.
    let status = match args.status {
        Status::Open => "",
        Status::Answered => "&status=answered",
    };
    let path = format!("/api/v1/approvals?limit={}{status}", args.limit);
    let value = client.get(&path).await?;
    if desk.talk.is_json() {
        return desk.talk.json(&value);
    }
    let page: Page<Checkpoint> = client.shape(value)?;
    let Some(first) = page.data.first() else {
        desk.talk.say("Nothing waits for a decision.");
        return Ok(());
    };
    let mut rows = table(&["run", "step", "since", "until", "question"]);
    for asked in &page.data {
        let minute = |at: &Option<String>| {
            at.as_deref().and_then(|at| at.get(..16)).unwrap_or("–").to_owned()
        };
        rows.add_row([
            asked.run.clone(),
            asked.step.clone(),
            minute(&asked.opened_at),
            minute(&asked.until),
            clip(asked.question(desk.talk.language()), QUESTION_WIDTH),
        ]);
    }
    desk.talk.data(&text(&rows))?;
    let run = short_id(&first.run);
    desk.talk.next(&[
        (format!("showrunner assets get {run}"), "look at what the first one made"),
        (format!("showrunner approve {run}"), "say yes"),
        (format!("showrunner reject {run} --feedback \"…\""), "send it back"),
    ]);
    Ok(())
}
