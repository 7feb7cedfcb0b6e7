//! Live streams: what is durable, in order, nothing lost and nothing twice. A stream subscribes
//! to the feed first and reads the journal then; where the two meet, numbers decide. Whoever
//! falls behind reads the journal again.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::num::ParseIntError;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::sse::{Event as Frame, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::json;
use showrunner_engine::id::{OrgId, RunId};
use showrunner_journal::query::events::{NumberedEvent, numbered};
use showrunner_runtime::Committed;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Interval, MissedTickBehavior, interval_at};

use crate::App;
use crate::problem::{Problem, codes, shown};
use crate::view::event::{name, text};

/// Between two signs of life.
const PING: Duration = Duration::from_secs(15);
/// What browsers wait before they come back.
const RETRY: Duration = Duration::from_secs(2);
/// Events read from the journal at once.
const PAGE: usize = 500;

/// The events of one run from a number on.
struct RunStream {
    app: App,
    run: RunId,
    feed: Receiver<Arc<Committed>>,
    /// The last number that was handed out.
    cursor: u64,
    /// Known to be there and not handed out.
    ready: VecDeque<NumberedEvent>,
    /// Whether the journal may know more than `ready` does.
    is_behind: bool,
    /// Where the run stands, once nothing more is expected.
    over: Option<String>,
    ping: Interval,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Begin,
    Going,
    Ended,
}

/// Streams the events of a run after number `after`, until the run is over.
pub async fn run_stream(app: App, run: RunId, after: u64) -> Result<Response, Problem> {
    let feed = app.runtime().feed().subscribe(); // before anything is read
    let now = app.runtime().load_shared(&run).await?;
    if after > now.seq {
        let words = format!("the run has no event {after}; its newest is {}", now.seq);
        return Err(Problem::new(&codes::BAD_CURSOR, words));
    }
    let over = now.status().is_terminal().then(|| now.status().name().to_owned());
    let stream = RunStream {
        app,
        run,
        feed,
        cursor: after,
        ready: VecDeque::new(),
        is_behind: true,
        over,
        ping: ping(),
        state: State::Begin,
    };
    let frames = stream::unfold(stream, |mut stream| async move {
        let frame = stream.next().await?;
        Some((Ok::<_, Infallible>(frame), stream))
    });
    Ok(unbuffered(Sse::new(frames).into_response()))
}

impl RunStream {
    async fn next(&mut self) -> Option<Frame> {
        match self.state {
            State::Begin => {
                self.state = State::Going;
                return Some(Frame::default().retry(RETRY).comment("showrunner"));
            },
            State::Going => {},
            State::Ended => return None,
        }
        loop {
            if let Some(event) = self.ready.pop_front() {
                if event.seq <= self.cursor {
                    continue; // seen
                }
                if event.seq == self.cursor + 1 {
                    self.cursor = event.seq;
                    return Some(frame(&event));
                }
                self.ready.clear(); // a gap: the journal has what is missing
                self.is_behind = true;
            }
            if self.is_behind {
                match self.read().await {
                    Ok(()) => continue,
                    Err(problem) => {
                        self.state = State::Ended; // the client comes back with its cursor
                        tracing::warn!(run.id = %self.run, problem = problem.detail, "a stream broke off");
                        return None;
                    },
                }
            }
            if let Some(status) = self.over.take() {
                self.state = State::Ended;
                let data = json!({ "status": status, "seq": self.cursor });
                return Some(Frame::default().event("end").data(data.to_string()));
            }
            let stop = self.app.facts().stop.clone();
            tokio::select! {
                told = self.feed.recv() => self.hear(told),
                () = stop.cancelled() => {
                    self.state = State::Ended; // readers come back with their cursor
                    return None;
                },
                _ = self.ping.tick() => return Some(self.sign_of_life()),
            }
        }
    }

    /// Reads what the journal has after the cursor.
    async fn read(&mut self) -> Result<(), Problem> {
        let journal = self.app.runtime().journal();
        let page = journal.events(&self.run, self.cursor, PAGE).await?;
        self.is_behind = page.len() == PAGE;
        self.ready.extend(page);
        Ok(())
    }

    fn hear(&mut self, told: Result<Arc<Committed>, RecvError>) {
        match told {
            Ok(committed) if committed.run_id == self.run => {
                match numbered(committed.seq_first, committed.at, &committed.body) {
                    Ok(events) => self.ready.extend(events),
                    Err(_) => self.is_behind = true,
                }
                let is_over = matches!(committed.status, "completed" | "failed" | "cancelled");
                self.over = is_over.then(|| committed.status.to_owned());
            },
            Ok(_) => {},
            Err(RecvError::Lagged(_)) => self.is_behind = true,
            Err(RecvError::Closed) => self.state = State::Ended,
        }
    }

    fn sign_of_life(&self) -> Frame {
        sign_of_life(&self.app, Some(self.cursor))
    }
}

fn frame(event: &NumberedEvent) -> Frame {
    let json = event.json.get();
    Frame::default()
        .id(event.seq.to_string())
        .event(name(json))
        .data(text(event.seq, event.at, json, ""))
}

/// Streams what becomes durable in any run of an organisation, from now on.
pub fn all_stream(app: App, org: OrgId) -> Response {
    let feed = app.runtime().feed().subscribe();
    let start = (
        app,
        org,
        feed,
        VecDeque::<Frame>::from([Frame::default().retry(RETRY).comment("showrunner")]),
        ping(),
    );
    let frames = stream::unfold(start, |(app, org, mut feed, mut ready, mut ping)| async move {
        loop {
            if let Some(frame) = ready.pop_front() {
                return Some((Ok::<_, Infallible>(frame), (app, org, feed, ready, ping)));
            }
            tokio::select! {
                told = feed.recv() => match told {
                    Ok(committed) if committed.org == org => ready.extend(frames_of(&committed)),
                    Ok(_) => {},
                    Err(RecvError::Lagged(missed)) => {
                        let data = json!({ "missed": missed });
                        ready.push_back(Frame::default().event("reset").data(data.to_string()));
                    },
                    Err(RecvError::Closed) => return None,
                },
                () = app.facts().stop.cancelled() => return None,
                _ = ping.tick() => ready.push_back(sign_of_life(&app, None)),
            }
        }
    });
    unbuffered(Sse::new(frames).into_response())
}

fn frames_of(committed: &Committed) -> Vec<Frame> {
    let more = format!(r#""run":{},"status":"{}","#, json!(committed.run_id), committed.status);
    let events = numbered(committed.seq_first, committed.at, &committed.body).unwrap_or_default();
    let frame = |event: NumberedEvent| {
        let json = event.json.get();
        Frame::default().event(name(json)).data(text(event.seq, event.at, json, &more))
    };
    events.into_iter().map(frame).collect()
}

fn sign_of_life(app: &App, head: Option<u64>) -> Frame {
    let now = app.runtime().clock().now().to_rfc3339();
    let data = json!({ "head": head, "boot_id": app.boot_id(), "now": now });
    Frame::default().event("ping").data(data.to_string())
}

fn ping() -> Interval {
    let mut ping = interval_at(tokio::time::Instant::now() + PING, PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ping
}

/// Tells proxies to pass every event on at once.
fn unbuffered(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert("x-accel-buffering", axum::http::HeaderValue::from_static("no"));
    headers.insert("cache-control", axum::http::HeaderValue::from_static("no-cache"));
    response
}

/// Where a stream goes on: after the last event that its reader has seen.
pub fn cursor(headers: &HeaderMap, after: Option<&str>) -> Result<u64, Problem> {
    let header = headers.get("last-event-id").map(|value| value.to_str().unwrap_or("?"));
    let Some(text) = header.filter(|text| !text.is_empty()).or(after) else { return Ok(0) };
    text.trim().parse().map_err(|fault: ParseIntError| {
        let words = format!("`{}` is not the number of an event: {fault}", shown(text));
        Problem::new(&codes::BAD_CURSOR, words)
    })
}
