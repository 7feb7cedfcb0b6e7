//! Somebody who watches a run live, and after every break goes on where the stream broke off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use eventsource_stream::Eventsource;
use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::Value;

use super::client::Client;

/// What a watcher has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) run: String,
    /// Every event, in the order in which it came.
    pub(crate) events: Vec<Value>,
    /// How often the stream broke off and was taken up again.
    pub(crate) breaks: u64,
}

/// Watches until `is_over` is set and the run has said that it ended.
pub(crate) async fn watch(client: Client, run: String, is_over: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen { run, ..Seen::default() };
    loop {
        let was_over = is_over.load(Ordering::Relaxed);
        if follow(&client, &mut seen).await {
            if was_over {
                return seen;
            }
            // A failed run may be taken up again: looked at once more when all is over.
            while !is_over.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// One connection; whether it was told the end.
async fn follow(client: &Client, seen: &mut Seen) -> bool {
    let path = format!("/api/v1/runs/{}/events/stream", seen.run);
    let Some(request) = client.request(Method::GET, &path) else { return false };
    let last = seen.events.last().map(|event| event["seq"].to_string());
    let request = match &last {
        Some(last) => request.header("last-event-id", last),
        None => request,
    };
    let Ok(response) = request.send().await else { return false };
    assert_eq!(response.status(), 200, "{path} after {last:?}");
    let mut frames = response.bytes_stream().eventsource();
    while let Some(Ok(frame)) = frames.next().await {
        match frame.event.as_str() {
            "end" => return true,
            "ping" => {},
            name => {
                let event: Value = serde_json::from_str(&frame.data).unwrap();
                assert_eq!(event["type"], name);
                assert_eq!(event["seq"].to_string(), frame.id);
                seen.events.push(event);
            },
        }
    }
    seen.breaks += 1;
    false
}
