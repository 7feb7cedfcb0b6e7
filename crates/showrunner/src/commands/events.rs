//! `events`: everything that happened in a run, numbered without a gap.

use clap::Args;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::mpsc::channel;

use super::given;
use crate::client::which::escape;
use crate::client::{Client, RunEvent, Seen, follow};
use crate::config::Desk;
use crate::fault::Outcome;
use crate::progress::{short_id, told};

/// Events asked for at once.
const PAGE: u64 = 200;

/// Which events.
#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// The run
    run: String,
    /// Go on with what happens until the run is over
    #[arg(long, short)]
    follow: bool,
    /// Begin behind this event
    #[arg(long, default_value_t = 0, value_name = "SEQ", value_parser = given::seq)]
    after: u64,
}

#[derive(Debug, Deserialize)]
struct Page {
    data: Vec<Value>,
    #[serde(default)]
    next_after: Option<u64>,
}

/// Prints events.
pub(crate) async fn perform(desk: &Desk, args: EventsArgs) -> Outcome {
    let client = Client::find(&desk.connect)?;
    let run = client.run_id(&args.run).await?;
    if args.follow {
        return live(desk, client, run, args.after).await;
    }
    let mut after = args.after;
    let mut count = 0_usize;
    loop {
        let path = format!("/api/v1/runs/{}/events?after={after}&limit={PAGE}", escape(&run));
        let page: Page = client.read(&path).await?;
        let before = after;
        for body in page.data {
            if let Some(event) = RunEvent::read(&run, body) {
                after = after.max(event.seq);
                count += 1;
                print(desk, &event)?;
            }
        }
        after = after.max(page.next_after.unwrap_or(after));
        if after == before {
            break;
        }
    }
    if count == 0 {
        desk.talk.say(&format!("{run} has no events behind {}", args.after));
    }
    desk.talk.next(&[(
        format!("showrunner watch {} --after {after}", short_id(&run)),
        "see what comes",
    )]);
    Ok(())
}

async fn live(desk: &Desk, client: Client, run: String, after: u64) -> Outcome {
    // Asked first, so that a wrong id is told at once.
    client.get(&format!("/api/v1/runs/{}", escape(&run))).await?;
    let (to, mut seen) = channel(64);
    tokio::spawn(follow(client, run.clone(), after, to));
    loop {
        let next = tokio::select! {
            next = seen.recv() => next,
            _ = tokio::signal::ctrl_c() => None,
        };
        match next {
            Some(Seen::Event(event)) => print(desk, &event)?,
            Some(Seen::Cut { why, .. }) => desk.talk.say(&format!("connection lost ({why}) …")),
            Some(Seen::Back { .. }) => desk.talk.say("connected again"),
            Some(Seen::Over { status, .. }) => {
                desk.talk.say(&format!("{run} {status}"));
                return Ok(());
            },
            Some(Seen::Lost { fault, .. }) => return Err(*fault),
            None => {
                super::watch::detached(&desk.talk, &[run]);
                return Ok(());
            },
        }
    }
}

fn print(desk: &Desk, event: &RunEvent) -> Outcome {
    if desk.talk.is_json() {
        return desk.talk.json(&event.body);
    }
    let told = told(event).or_else(|| event.step.as_ref().map(|step| format!("step {step}")));
    let told = told.unwrap_or_default();
    let line = format!("{:>5}  {}  {:<24} {told}", event.seq, event.at, event.kind);
    desk.talk.data(line.trim_end())
}
