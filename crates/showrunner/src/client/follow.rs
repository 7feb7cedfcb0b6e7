//! Following a run's events. The stream may be cut, the server may be killed and started again on
//! another port: it goes on behind the last event seen, with nothing lost and nothing twice.

use std::time::Duration;

use eventsource_stream::Eventsource as _;
use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep, timeout};

use super::Client;
use super::shapes::Run;
use super::which::escape;
use crate::fault::{Exit, Fault, Outcome};

/// The server says something at least every 15 s; three times that is silence.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// How long a server that has gone is waited for.
const PATIENCE: Duration = Duration::from_mins(2);
/// The first pause before trying again; doubled up to [`PAUSE_MAX`].
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// An event of a run, as it came.
#[derive(Clone, Debug)]
pub(crate) struct RunEvent {
    /// Whose.
    pub(crate) run: String,
    /// Counted from 1 without a gap.
    pub(crate) seq: u64,
    /// RFC 3339.
    pub(crate) at: String,
    /// `step.started` and so on.
    pub(crate) kind: String,
    /// The step it is about.
    pub(crate) step: Option<String>,
    /// All of it.
    pub(crate) body: Value,
}

impl RunEvent {
    /// Reads an event as the API writes it; `None` when it is none.
    pub(crate) fn read(run: &str, body: Value) -> Option<Self> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            run: run.to_owned(),
            seq: body.get("seq")?.as_u64()?,
            at: text("at").unwrap_or_default(),
            kind: text("type")?,
            step: text("step"),
            body,
        })
    }

    /// A text among its fields.
    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        self.body.pointer(pointer).and_then(Value::as_str)
    }
}

/// What is seen of a run.
#[derive(Debug)]
pub(crate) enum Seen {
    /// Something happened.
    Event(Box<RunEvent>),
    /// The stream was cut; it is being taken up again.
    Cut {
        /// Of which run.
        run: String,
        /// Why.
        why: String,
    },
    /// It was taken up again.
    Back {
        /// Of which run.
        run: String,
    },
    /// The run is over and all of it has been seen.
    Over {
        /// Which run.
        run: String,
        /// How it ended.
        status: String,
    },
    /// It cannot be followed any longer.
    Lost {
        /// Which run.
        run: String,
        /// Why.
        fault: Box<Fault>,
    },
}

/// Why one connection came to its end.
enum Cause {
    Over(String),
    Cut(String),
    NobodyListens,
}

/// Follows `run` behind event `after` until it is over, telling `to` what is seen.
pub(crate) async fn follow(mut client: Client, run: String, after: u64, to: Sender<Seen>) {
    let mut last = after;
    let mut is_cut = false;
    let mut alone_since: Option<Instant> = None;
    let mut pause = PAUSE_FIRST;
    loop {
        let path = format!("/api/v1/runs/{run}/events");
        let why = match client.stream(&path, last).await {
            Ok(response) => {
                alone_since = None;
                if is_cut && to.send(Seen::Back { run: run.clone() }).await.is_err() {
                    return;
                }
                is_cut = false;
                let seen_before = last;
                let cause = listen(&run, response, &mut last, &to).await;
                if last > seen_before {
                    pause = PAUSE_FIRST;
                }
                match cause {
                    Cause::NobodyListens => return,
                    Cause::Over(status) => {
                        drop(to.send(Seen::Over { run, status }).await);
                        return;
                    },
                    Cause::Cut(why) => why,
                }
            },
            Err(fault) if fault.exit != Exit::Unreachable && !is_passing(&fault) => {
                drop(to.send(Seen::Lost { run, fault: Box::new(fault) }).await);
                return;
            },
            Err(fault) => fault.why.first().cloned().unwrap_or(fault.what),
        };
        let since = *alone_since.get_or_insert_with(Instant::now);
        if since.elapsed() > PATIENCE {
            drop(to.send(Seen::Lost { run, fault: Box::new(gone(&client, &why)) }).await);
            return;
        }
        if !is_cut && to.send(Seen::Cut { run: run.clone(), why }).await.is_err() {
            return;
        }
        is_cut = true;
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
        client = client.find_again();
    }
}

/// Whether the server itself says that it will be able to in a while.
fn is_passing(fault: &Fault) -> bool {
    fault.problem.as_ref().and_then(|p| p.get("retryable")).and_then(Value::as_bool) == Some(true)
}

fn gone(client: &Client, why: &str) -> Fault {
    Fault::unreachable(format!("no answer from {} for two minutes", client.base()))
        .because(why)
        .hint("start the server again: the run goes on where it was")
}

/// Passes on what one connection brings.
async fn listen(
    run: &str,
    response: reqwest::Response,
    last: &mut u64,
    to: &Sender<Seen>,
) -> Cause {
    let mut events = response.bytes_stream().eventsource();
    loop {
        let message = match timeout(SILENCE_MAX, events.next()).await {
            Err(_silence) => return Cause::Cut("the server fell silent".to_owned()),
            Ok(None) => return Cause::Cut("the stream was closed".to_owned()),
            Ok(Some(Err(error))) => return Cause::Cut(error.to_string()),
            Ok(Some(Ok(message))) => message,
        };
        let body: Value = serde_json::from_str(&message.data).unwrap_or(Value::Null);
        match message.event.as_str() {
            "ping" => {},
            "end" => {
                let status = body.get("status").and_then(Value::as_str).unwrap_or("completed");
                return Cause::Over(status.to_owned());
            },
            _ => {
                let Some(event) = RunEvent::read(run, body) else { continue };
                if event.seq <= *last {
                    continue;
                }
                *last = event.seq;
                if to.send(Seen::Event(Box::new(event))).await.is_err() {
                    return Cause::NobodyListens;
                }
            },
        }
    }
}

/// Whether it ended as it should.
pub(crate) fn is_well(status: &str) -> bool {
    matches!(status, "completed" | "delivered")
}

/// The status of a run as one exit: `Ok` when it went well. Otherwise it says what can be done
/// about it, which the server knows.
pub(crate) async fn verdict(client: &Client, run: &str, status: &str) -> Outcome {
    if is_well(status) {
        return Ok(());
    }
    let fault = Fault::refused(format!("{run} {status}"))
        .hint(format!("see why: showrunner runs show {run}"));
    // Without an answer nothing is offered.
    let now: Run = client.read(&format!("/api/v1/runs/{}", escape(run))).await.unwrap_or_default();
    Err(if now.allows("retry") {
        fault.hint(format!("try a step again: showrunner retry {run} STEP"))
    } else if now.allows("fork") {
        fault.hint(format!("begin anew with what it left: showrunner fork {run}"))
    } else {
        fault
    })
}
