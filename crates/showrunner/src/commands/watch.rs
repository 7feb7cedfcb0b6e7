//! `watch`: follows runs until they are over or the watcher has seen enough.

use clap::Args;
use serde_json::Value;

use super::given;
use crate::client::Client;
use crate::client::follow::{is_well, verdict};
use crate::client::which::escape;
use crate::config::Desk;
use crate::fault::{Fault, Outcome};
use crate::progress::{Moment, Viewer, money, short_id, span};
use crate::talk::{Talk, Tone};

/// Which runs.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The runs
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<String>,
    /// Begin behind this event; the whole story comes first otherwise
    #[arg(long, default_value_t = 0, value_name = "SEQ", value_parser = given::seq)]
    after: u64,
}

/// Watches runs.
pub(crate) async fn perform(desk: &Desk, args: WatchArgs) -> Outcome {
    let client = Client::find(&desk.connect)?;
    let mut runs: Vec<String> = Vec::new();
    for given in &args.runs {
        let run = client.run_id(given).await?;
        if !runs.contains(&run) {
            runs.push(run);
        }
    }
    until_over(desk, &client, &runs, args.after).await
}

/// Shows runs live until all of them are over.
pub(super) async fn until_over(
    desk: &Desk,
    client: &Client,
    runs: &[String],
    after: u64,
) -> Outcome {
    let mut viewer = Viewer::new(client, &desk.talk);
    for run in runs {
        viewer.add(run, after).await?;
    }
    let mut open = runs.len();
    let mut outcome = Ok(());
    while open > 0 {
        match viewer.next().await? {
            Moment::Waiting { run, step } => viewer.say(&how_to_answer(&desk.talk, &run, &step)),
            Moment::Over { run, status } => {
                open -= 1;
                sum_up(&mut viewer, &desk.talk, &run, &status);
                if outcome.is_ok() {
                    outcome = verdict(client, &run, &status).await.map_err(Fault::told);
                }
            },
            Moment::Lost { fault } => {
                open -= 1;
                outcome = outcome.and(Err(*fault));
            },
            Moment::Detached => {
                detached(&desk.talk, runs);
                return Ok(());
            },
        }
    }
    outcome
}

/// Waits for the end of a run and prints what it hands out.
pub(super) async fn wait(desk: &Desk, client: &Client, run: &str) -> Outcome {
    let mut viewer = Viewer::new(client, &desk.talk).silently();
    viewer.add(run, 0).await?;
    loop {
        match viewer.next().await? {
            Moment::Waiting { run, step } => viewer.say(&how_to_answer(&desk.talk, &run, &step)),
            Moment::Over { run, status } => {
                let value = client.get(&format!("/api/v1/runs/{}", escape(&run))).await?;
                let output = value.get("output").unwrap_or(&Value::Null);
                let pretty = serde_json::to_string_pretty(output).unwrap_or_default();
                desk.talk.answer(&value, &pretty)?;
                return verdict(client, &run, &status).await.map_err(Fault::told);
            },
            Moment::Lost { fault } => return Err(*fault),
            Moment::Detached => {
                detached(&desk.talk, &[run.to_owned()]);
                return Ok(());
            },
        }
    }
}

/// What to type when a run asks.
pub(super) fn how_to_answer(talk: &Talk, run: &str, step: &str) -> String {
    let short = short_id(run);
    format!(
        "{} {step} of {run} waits for a decision:\n  showrunner approve {short}\n  \
         showrunner reject {short} --feedback \"…\"",
        talk.tint(Tone::Warn, "✋")
    )
}

fn sum_up(viewer: &mut Viewer<'_>, talk: &Talk, run: &str, status: &str) {
    let facts = viewer.story(run).map(|story| {
        let time = story.elapsed(jiff::Timestamp::now()).map(span).unwrap_or_default();
        let simulated = if story.run.simulated { " (simulated)" } else { "" };
        format!("{}   {time}   {}{simulated}", story.title(), money(story.run.cost_micros))
    });
    let is_well = is_well(status);
    let (sign, tone) = if is_well { ("✓", Tone::Good) } else { ("✗", Tone::Bad) };
    let line = talk.tint(tone, &format!("{sign} {status}"));
    viewer.say(&format!("{line}  {run}  {}", facts.unwrap_or_default()));
    if is_well {
        talk.next(&[
            (format!("showrunner assets get {}", short_id(run)), "download its files"),
            (
                format!("showrunner fork {} --edits '{{…}}'", short_id(run)),
                "the same with a change",
            ),
        ]);
    }
}

/// Says that nothing was ended and how to come back.
pub(super) fn detached(talk: &Talk, runs: &[String]) {
    talk.say("Detached; what you watched goes on.");
    let shorts: Vec<String> = runs.iter().map(|run| short_id(run)).collect();
    let mut next = vec![(format!("showrunner watch {}", shorts.join(" ")), "come back")];
    next.extend(shorts.iter().map(|run| (format!("showrunner cancel {run}"), "end it")));
    talk.next(&next);
}
