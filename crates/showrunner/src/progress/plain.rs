//! One line a change, for a log file, a pipe and a reader who cannot see lines being rewritten.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use tokio::time::Instant;

use super::lines::{money, span};
use super::story::{Stand, Story};
use crate::client::RunEvent;

/// Silence is broken this often, so that nobody takes patience for a hang.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The line of an event; `None` for what only an engineer wants to see (`events` shows all).
pub(super) fn line(event: &RunEvent, story: &Story) -> Option<String> {
    let what = told(event)?;
    let took = match event.kind.as_str() {
        "step.succeeded" | "step.failed" => took(event, story),
        _ => None,
    };
    let took = took.map(|took| format!(" {took}")).unwrap_or_default();
    Some(format!("{} {} {what}{took}", local(&event.at), event.run))
}

/// What an event says to a person.
pub(crate) fn told(event: &RunEvent) -> Option<String> {
    let step = event.step.as_deref().unwrap_or_default();
    let reason = event.text("/reason").or_else(|| event.text("/failure/message"));
    let because = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    Some(match event.kind.as_str() {
        "run.started" => "run started".to_owned(),
        "run.phase_entered" => format!("phase {}", event.text("/phase")?),
        "run.delivered" => "run delivered".to_owned(),
        "run.completed" => "run completed".to_owned(),
        "run.failed" => format!("run failed{because}"),
        "run.closing" => format!("run is being ended{because}"),
        "run.cancelled" => format!("run cancelled{because}"),
        "run.paused" => "run paused".to_owned(),
        "run.resumed" => "run resumed".to_owned(),
        "run.reopened" => "run goes on after a failure".to_owned(),
        "run.rolled_back" => format!("run rolled back to {}", event.text("/phase")?),
        "step.started" => format!("step {step} running (attempt {})", number(event, "/attempt")),
        "step.waiting" => format!("step {step} waiting"),
        "step.succeeded" => format!("step {step} succeeded"),
        "step.failed" => format!("step {step} failed{because}"),
        "step.fell_back" => format!("step {step} fell back to {}{because}", event.text("/to")?),
        "step.skipped" => format!("step {step} skipped{because}"),
        "step.cancelled" => format!("step {step} cancelled"),
        "steps.reset" => format!("steps from {} begin again", event.text("/from")?),
        "attempt.failed" => {
            let again = event.text("/retry_at").map(|at| format!(", again at {}", local(at)));
            format!("step {step} attempt failed{because}{}", again.unwrap_or_default())
        },
        "attempt.in_doubt" => {
            format!("step {step} in doubt: nobody knows whether the call took effect")
        },
        "attempt.timed_out" => format!("step {step} attempt timed out"),
        "attempt.progressed" => progressed(event, step),
        "checkpoint.opened" => {
            format!("step {step} waits for a decision: {}", event.text("/question").unwrap_or("?"))
        },
        "checkpoint.answered" => format!(
            "step {step} answered with {} by {}",
            event.text("/answer/verb").unwrap_or("?"),
            event.text("/answer/by").unwrap_or("?")
        ),
        "checkpoint.escalated" => format!("step {step} escalated"),
        "gate.decided" => {
            format!("step {step} decided {}{because}", event.text("/verdict").unwrap_or("?"))
        },
        "loop.iteration_started" => {
            format!("step {step} iteration {} started", number(event, "/iteration"))
        },
        "for_each.item_finished" => {
            format!("step {step} item {} finished", number(event, "/index"))
        },
        _ => return None,
    })
}

fn progressed(event: &RunEvent, step: &str) -> String {
    let percent = event.body.get("percent").and_then(Value::as_u64);
    let percent = percent.map(|percent| format!(" {percent} %")).unwrap_or_default();
    let message = event.text("/message").map(|m| format!(" {m}")).unwrap_or_default();
    format!("step {step}{percent}{message}")
}

fn number(event: &RunEvent, pointer: &str) -> String {
    let number = event.body.pointer(pointer).and_then(Value::as_u64);
    number.map_or_else(|| "?".to_owned(), |number| number.to_string())
}

fn took(event: &RunEvent, story: &Story) -> Option<String> {
    let line = story.lines.iter().find(|line| Some(&line.key) == event.step.as_ref())?;
    let until: Timestamp = event.at.parse().ok()?;
    let took = until.duration_since(line.started_at?);
    let seconds = took.as_millis().max(0) / 100;
    Some(format!("{}.{}s", seconds / 10, seconds % 10))
}

/// An instant in the reader's time zone, to the second, with its offset.
pub(super) fn local(at: &str) -> String {
    let Ok(instant) = at.parse::<Timestamp>() else { return at.to_owned() };
    let zoned = instant.to_zoned(TimeZone::system());
    zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// Says from time to time that nothing hangs.
#[derive(Debug)]
pub(super) struct Heartbeat {
    last: Instant,
}

impl Heartbeat {
    /// Counts from now.
    pub(super) fn new() -> Self {
        Self { last: Instant::now() }
    }

    /// Something was said.
    pub(super) fn beat(&mut self) {
        self.last = Instant::now();
    }

    /// What to say after a long silence: one line a run that goes on.
    pub(super) fn due(&mut self, stories: &[Story], now: Timestamp) -> Option<Vec<String>> {
        if self.last.elapsed() < HEARTBEAT {
            return None;
        }
        self.beat();
        let open = stories.iter().filter(|story| story.run.ended_at.is_none());
        Some(open.map(|story| still(story, now)).collect())
    }
}

fn still(story: &Story, now: Timestamp) -> String {
    let busy: Vec<String> = story
        .lines
        .iter()
        .filter(|line| matches!(line.stand, Stand::Busy | Stand::Waits | Stand::Asks))
        .map(|line| match line.started_at {
            Some(from) => format!("{} {}", line.key, span(now.duration_since(from))),
            None => line.key.clone(),
        })
        .collect();
    let busy = if busy.is_empty() { String::new() } else { format!(" ({})", busy.join(", ")) };
    let cost = money(story.run.cost_micros);
    format!("{} {} still {}{busy} {cost}", local(&now.to_string()), story.run.id, story.run.status)
}
