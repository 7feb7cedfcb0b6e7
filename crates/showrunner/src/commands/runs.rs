//! `runs list`, `runs show`: where things stand.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::table::{table, text};
use crate::client::Client;
use crate::client::shapes::{Page, Run, Step};
use crate::client::which::escape;
use crate::config::Desk;
use crate::fault::Outcome;
use crate::progress::{clip, money, short_id};

/// Columns of a title in the list.
const TITLE_WIDTH: usize = 36;

/// Which look.
#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// The newest runs
    List(ListArgs),
    /// One run: its steps, what it waits for, what is possible now
    Show(ShowArgs),
}

/// Which runs.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only with this status: pending, running, waiting, paused, completed, failed, cancelled
    #[arg(long)]
    status: Option<String>,
    /// Only of this definition
    #[arg(long)]
    definition: Option<String>,
    /// Only with this text in the title
    #[arg(long)]
    text: Option<String>,
    /// How many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200))]
    limit: u16,
    /// Where the page before ended
    #[arg(long)]
    cursor: Option<String>,
}

/// Which run.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The run
    run: String,
}

/// Lists or shows.
pub(crate) async fn perform(desk: &Desk, command: RunsCommand) -> Outcome {
    let client = Client::find(&desk.connect)?;
    match command {
        RunsCommand::List(args) => list(desk, &client, args).await,
        RunsCommand::Show(args) => show(desk, &client, args).await,
    }
}

async fn list(desk: &Desk, client: &Client, args: ListArgs) -> Outcome {
    let mut path = format!("/api/v1/runs?limit={}", args.limit);
    let filters = [
        ("status", args.status),
        ("definition", args.definition),
        ("text", args.text),
        ("cursor", args.cursor),
    ];
    for (name, value) in filters {
        if let Some(value) = value {
            path = format!("{path}&{name}={}", escape(&value));
        }
    }
    let value = client.get(&path).await?;
    if desk.talk.is_json() {
        return desk.talk.json(&value);
    }
    let page: Page<Run> = client.shape(value)?;
    if page.data.is_empty() {
        desk.talk.say("No runs.");
        desk.talk.next(&[("showrunner demo".to_owned(), "make the first one")]);
        return Ok(());
    }
    let mut rows = table(&["run", "status", "phase", "done", "cost", "started", "title"]);
    for run in &page.data {
        let started = run.started_at.as_deref().and_then(|at| at.get(..19)).unwrap_or_default();
        let cost = money(run.cost_micros) + if run.simulated { " sim" } else { "" };
        rows.add_row([
            run.id.clone(),
            run.status.clone(),
            run.phase.clone().unwrap_or_default(),
            done(run),
            cost,
            started.to_owned(),
            clip(run.title.as_deref().unwrap_or(&run.definition.slug), TITLE_WIDTH),
        ]);
    }
    desk.talk.data(&text(&rows))?;
    let mut next = vec![("showrunner runs show RUN".to_owned(), "one of them in detail")];
    if let Some(cursor) = page.next_cursor {
        next.push((format!("showrunner runs list --cursor {cursor}"), "the next page"));
    }
    desk.talk.next(&next);
    Ok(())
}

/// Steps that have ended of those there are; nothing where the list does not say.
fn done(run: &Run) -> String {
    match run.progress.total {
        0 => "–".to_owned(),
        total => format!("{}/{total}", run.progress.done),
    }
}

async fn show(desk: &Desk, client: &Client, args: ShowArgs) -> Outcome {
    let id = client.run_id(&args.run).await?;
    let value = client.get(&format!("/api/v1/runs/{}", escape(&id))).await?;
    let steps = client.get(&format!("/api/v1/runs/{}/steps", escape(&id))).await?;
    if desk.talk.is_json() {
        let mut whole = value;
        whole["steps"] = steps.get("data").cloned().unwrap_or(Value::Null);
        return desk.talk.json(&whole);
    }
    let allowed = value.get("allowed").cloned().unwrap_or(Value::Null);
    let run: Run = client.shape(value)?;
    let steps: Page<Step> = client.shape(steps)?;
    desk.talk.data(&facts(&run))?;
    let mut rows = table(&["step", "status", "phase", "started", "name"]);
    for step in &steps.data {
        let name = step.label.as_ref().map(|label| label.text(desk.talk.language()).to_owned());
        rows.add_row([
            step.key.clone(),
            step.status.clone(),
            step.phase.clone().unwrap_or_default(),
            step.started_at.as_deref().and_then(|at| at.get(11..19)).unwrap_or_default().to_owned(),
            name.unwrap_or_default(),
        ]);
    }
    desk.talk.data(&format!("\n{}", text(&rows)))?;
    if let Some(output) = &run.output {
        let pretty = serde_json::to_string_pretty(output).unwrap_or_default();
        desk.talk.data(&format!("\noutput\n{pretty}"))?;
    }
    desk.talk.next(&possible(&run, &allowed));
    Ok(())
}

fn facts(run: &Run) -> String {
    let mut lines = vec![
        format!("run         {}", run.id),
        format!("title       {}", run.title.as_deref().unwrap_or("–")),
        format!("definition  {} version {}", run.definition.slug, run.definition.version),
        format!("status      {}", run.status),
        format!("phase       {}", run.phase.as_deref().unwrap_or("–")),
        format!("started     {}", run.started_at.as_deref().unwrap_or("–")),
    ];
    lines.extend(run.ended_at.as_ref().map(|at| format!("ended       {at}")));
    let simulated = if run.simulated { " (simulated)" } else { "" };
    lines.push(format!("cost        {}{simulated}", money(run.cost_micros)));
    if run.unknown_calls > 0 {
        let (calls, most) = (run.unknown_calls, money(run.unknown_micros));
        lines.push(format!("not known   the price of {calls} calls, up to {most}"));
    }
    for wait in &run.waits {
        let until = wait.until.as_ref().map(|until| format!(", until {until}")).unwrap_or_default();
        lines.push(format!("waits       {} for {}{until}", wait.step, wait.what));
    }
    if let Some(failure) = &run.failure {
        let message = failure.get("message").and_then(Value::as_str);
        let text = message.map_or_else(|| failure.to_string(), str::to_owned);
        lines.push(format!("failure     {text}"));
    }
    lines.join("\n")
}

fn possible(run: &Run, allowed: &Value) -> Vec<(String, &'static str)> {
    let id = short_id(&run.id);
    let mut next = Vec::new();
    let is_allowed = |verb: &str| {
        allowed.as_array().is_some_and(|verbs| verbs.iter().any(|v| v.as_str() == Some(verb)))
    };
    if run.waits.iter().any(crate::client::shapes::Wait::is_for_a_person) {
        next.push((format!("showrunner approve {id}"), "say yes to what it asks"));
    }
    if let Some(wait) = run.waits.iter().find(|wait| wait.what == "doubt" && is_allowed("resolve"))
    {
        let step = &wait.step;
        next.push((
            format!("showrunner resolve {id} {step} resend"),
            "or failed: settle its doubt",
        ));
    }
    if run.status == "failed" && is_allowed("retry") {
        next.push((format!("showrunner retry {id} STEP"), "do a step again"));
    } else if run.ended_at.is_some() && is_allowed("fork") {
        next.push((format!("showrunner fork {id}"), "begin anew with what it left"));
    }
    if is_allowed("cancel") {
        next.push((format!("showrunner cancel {id}"), "end it"));
    }
    if run.ended_at.is_none() {
        next.push((format!("showrunner watch {id}"), "see it live"));
    }
    next.push((format!("showrunner events {id}"), "everything that happened"));
    next
}
