//! People: they approve, send back once, report from outside, and settle doubts by the
//! provider's own books.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::books::Books;
use super::client::{Answer, Client};

/// What people did and were told that it is done: it must be in the journal.
#[derive(Debug, Default)]
pub(crate) struct Deeds {
    /// Decisions with 2xx, by run.
    pub(crate) decisions: BTreeMap<String, u64>,
    /// Runs whose callback was accepted with 2xx.
    pub(crate) callbacks: BTreeSet<String>,
    /// Doubts settled, and those where the provider had billed the call.
    pub(crate) doubts: u64,
    pub(crate) doubts_billed: u64,
    /// Failed steps that were tried again by hand, after a doubt.
    pub(crate) retries: u64,
}

/// Looks after all runs until `is_over` is set.
pub(crate) async fn look_after(client: Client, data: PathBuf, is_over: Arc<AtomicBool>) -> Deeds {
    let mut deeds = Deeds::default();
    let mut sent_back = BTreeSet::new();
    while !is_over.load(Ordering::Relaxed) {
        for approval in client.all("/api/v1/approvals").await {
            decide(&client, &approval, &mut sent_back, &mut deeds).await;
        }
        let waiting = client.read("/api/v1/runs?status=waiting&limit=200").await;
        for run in waiting["data"].as_array().unwrap() {
            attend(&client, &data, run, &mut deeds).await;
        }
        let failed = client.read("/api/v1/runs?status=failed&limit=200").await;
        for run in failed["data"].as_array().unwrap() {
            // Paid for three times and never seen: somebody has it done once more.
            if run["failure"]["code"] == "doubt_failed" {
                retry_failed(&client, run["id"].as_str().unwrap(), &mut deeds).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    deeds
}

async fn decide(
    client: &Client,
    approval: &Value,
    sent_back: &mut BTreeSet<String>,
    deeds: &mut Deeds,
) {
    let text = |name: &str| approval[name].as_str().unwrap().to_owned();
    let (run, step) = (text("run"), text("step"));
    let title = approval["run_title"].as_str().unwrap_or_default();
    let is_first = title.ends_with("again") && sent_back.insert(run.clone());
    let body = if is_first {
        json!({ "verb": "retry", "comment": "もう少し明るく", "digest": text("digest") })
    } else {
        json!({ "verb": "continue", "digest": text("digest") })
    };
    let answer = client.post(&format!("/api/v1/runs/{run}/checkpoints/{step}/answer"), &body).await;
    if is_done(&answer) {
        *deeds.decisions.entry(run).or_default() += 1;
    }
}

/// Whether it was done now. When it is refused, it was done before: the answer had got lost.
fn is_done(answer: &Answer) -> bool {
    let is_settled_already = [404, 409, 412].contains(&answer.status);
    assert!((200..300).contains(&answer.status) || is_settled_already, "{answer:?}");
    !is_settled_already
}

async fn attend(client: &Client, data: &std::path::Path, run: &Value, deeds: &mut Deeds) {
    let id = run["id"].as_str().unwrap();
    for wait in run["waits"].as_array().unwrap() {
        match wait["for"].as_str().unwrap() {
            "callback" => {
                let whole = client.read(&format!("/api/v1/runs/{id}")).await;
                let order = whole["input"]["order"].as_str().unwrap().to_owned();
                let path = format!("/api/v1/runs/{id}/callbacks/printed-{order}");
                if is_done(&client.post(&path, &json!({ "copies": 500 })).await) {
                    deeds.callbacks.insert(id.to_owned());
                }
            },
            "doubt" => {
                let step = wait["step"].as_str().unwrap();
                let since = wait["since"].as_str().unwrap();
                settle(client, data, id, (step, since), deeds).await;
            },
            _ => {},
        }
    }
}

/// The vendor's books say whether the call was made; what was made is not bought again.
async fn settle(
    client: &Client,
    data: &std::path::Path,
    id: &str,
    (step, since): (&str, &str),
    deeds: &mut Deeds,
) {
    let events = client.events(id).await;
    let is_doubt = |event: &&Value| event["type"] == "attempt.in_doubt" && event["step"] == step;
    let Some(doubt) = events.iter().rfind(is_doubt) else { return };
    if doubt["at"] != since {
        return; // settled, and in doubt again, while we looked
    }
    let key = format!("{id}/{}/{}", doubt["token"].as_str().unwrap(), doubt["call"]);
    let cost = Books::of(data).cost(&key);
    let body = match cost {
        None => json!({ "verdict": "resend", "since": since }),
        Some(cost) => json!({ "verdict": "failed", "cost_micros": cost, "since": since }),
    };
    let path = format!("/api/v1/runs/{id}/steps/{}/resolve", escaped(step));
    if is_done(&client.post(&path, &body).await) {
        deeds.doubts += 1;
        deeds.doubts_billed += u64::from(cost.is_some());
    }
}

/// A step's key as a part of a path.
pub(crate) fn escaped(key: &str) -> String {
    key.replace('[', "%5B").replace(']', "%5D")
}

/// Tries failed steps again by hand, of runs that ought not to have failed.
async fn retry_failed(client: &Client, id: &str, deeds: &mut Deeds) {
    let steps = client.read(&format!("/api/v1/runs/{id}/steps")).await;
    for step in steps["data"].as_array().unwrap() {
        if step["status"] == "failed" {
            let key = escaped(step["key"].as_str().unwrap());
            let answer =
                client.post(&format!("/api/v1/runs/{id}/steps/{key}/retry"), &json!({})).await;
            deeds.retries += u64::from(is_done(&answer));
        }
    }
}
