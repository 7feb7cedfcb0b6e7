//! The checker: reads everything from outside when all is over, and holds it against what clients
//! were told, what watchers saw, and what the provider billed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::books::Books;
use super::client::Client;
use super::load::Accepted;
use super::people::Deeds;
use super::stream::Seen;

/// How many child runs a run has that has any: see `definitions/family.yaml`.
const CHILDREN: u64 = 2;

/// What was counted, and what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) runs: u64,
    pub(crate) steps: u64,
    pub(crate) events: u64,
    pub(crate) assets: u64,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) stuck: u64,
    pub(crate) calls_billed: u64,
    pub(crate) billed_micros: i64,
    pub(crate) calls_unknown: u64,
    pub(crate) wrong: Vec<String>,
}

impl Verdict {
    fn expect(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(what());
        }
    }

    /// Fails with everything that is wrong.
    #[track_caller]
    pub(crate) fn must_be_clean(&self) {
        assert!(self.wrong.is_empty(), "{} wrong:\n{}", self.wrong.len(), self.wrong.join("\n"));
        assert_eq!((self.lost, self.doubled, self.stuck), (0, 0, 0));
    }
}

/// What our journal says was billed.
#[derive(Default)]
struct Bill {
    by_key: BTreeMap<String, i64>,
    /// Attempts of which the journal says that nobody knows: `run/token`.
    unknown: BTreeSet<String>,
    of_runs: i64,
    /// What of that is the price of child runs.
    of_children: i64,
}

/// Everything that must hold when all is over.
pub(crate) async fn examine(
    client: &Client,
    data: &Path,
    accepted: &[Accepted],
    (deeds, watched): (&Deeds, &[Seen]),
) -> Verdict {
    let mut verdict = Verdict::default();
    let mut bill = Bill::default();
    let rows = client.all("/api/v1/runs").await;
    let by_id: BTreeMap<&str, &Value> =
        rows.iter().map(|row| (row["id"].as_str().unwrap(), row)).collect();
    verdict.expect(by_id.len() == rows.len(), || "a run is listed twice".into());
    for work in accepted {
        let Some(row) = by_id.get(work.id.as_str()) else {
            verdict.lost += 1;
            verdict.wrong.push(format!("{} was accepted as {} and is lost", work.title, work.id));
            continue;
        };
        let status = row["status"].as_str().unwrap();
        verdict.expect(status == work.expected.status(), || {
            format!("{} {} is {status}: {row}", work.title, work.id)
        });
        if work.is_request {
            examine_request(client, work, &mut verdict).await;
        }
    }
    let (mut titles, mut children) = (BTreeMap::new(), BTreeMap::<String, u64>::new());
    for row in &rows {
        let id = row["id"].as_str().unwrap();
        let run = client.read(&format!("/api/v1/runs/{id}")).await;
        match run["parent"].as_str() {
            None => *titles.entry(run["title"].as_str().unwrap().to_owned()).or_default() += 1,
            Some(parent) => *children.entry(parent.to_owned()).or_default() += 1,
        }
        let events = examine_run(client, &run, &mut bill, &mut verdict).await;
        examine_deeds(id, &events, deeds, &mut verdict);
        for seen in watched.iter().filter(|seen| seen.run == id) {
            verdict.expect(seen.events == events, || {
                let numbers: Vec<_> = seen.events.iter().map(|e| e["seq"].to_string()).collect();
                format!("{id}: a watcher saw {} of {} events", numbers.join(" "), events.len())
            });
        }
    }
    examine_titles(titles, accepted, &mut verdict);
    for (parent, count) in children {
        verdict.doubled += count.saturating_sub(CHILDREN);
        verdict.expect(count == CHILDREN, || format!("{parent} has {count} children"));
    }
    examine_money(&Books::of(data), &bill, &mut verdict);
    verdict
}

/// Each title is one run: a client that asked again under its key got no second one.
fn examine_titles(mut titles: BTreeMap<String, u64>, accepted: &[Accepted], verdict: &mut Verdict) {
    for work in accepted {
        let count = titles.remove(&work.title).unwrap_or(0);
        verdict.doubled += count.saturating_sub(1);
        verdict.expect(count == 1, || format!("{}: {count} runs", work.title));
    }
    verdict.expect(titles.is_empty(), || format!("runs nobody asked for: {titles:?}"));
}

async fn examine_run(
    client: &Client,
    run: &Value,
    bill: &mut Bill,
    verdict: &mut Verdict,
) -> Vec<Value> {
    let id = run["id"].as_str().unwrap();
    let steps = client.read(&format!("/api/v1/runs/{id}/steps")).await;
    let steps = steps["data"].as_array().unwrap();
    let events = client.events(id).await;
    verdict.runs += 1;
    verdict.steps += steps.len() as u64;
    verdict.events += events.len() as u64;
    let is_over = ["completed", "failed", "cancelled"].contains(&run["status"].as_str().unwrap());
    verdict.stuck += u64::from(!is_over);
    verdict.expect(is_over, || format!("{id} is stuck: {}, {}", run["status"], run["waits"]));
    verdict.expect(run["reserved_micros"] == 0, || format!("{id} still holds money"));
    verdict.expect(run["seq"] == events.len(), || format!("{id}: {} events", events.len()));
    for (seq, event) in (1_u64..).zip(&events) {
        verdict.expect(event["seq"] == seq, || format!("{id}: event {seq} is {}", event["seq"]));
    }
    examine_steps(id, steps, &events, verdict);
    let cost: i64 = events.iter().map(|event| note_money(id, event, bill)).sum();
    verdict.expect(run["cost_micros"] == cost, || {
        format!("{id}: its bill says {}, its events {cost}", run["cost_micros"])
    });
    bill.of_runs += cost;
    events
}

/// A result is recorded once, after its intent, and never changes unless somebody sends it back.
fn examine_steps(id: &str, steps: &[Value], events: &[Value], verdict: &mut Verdict) {
    let (mut done, mut begun) = (BTreeSet::new(), BTreeSet::new());
    for event in events {
        let step = event["step"].as_str().unwrap_or_default();
        match event["type"].as_str().unwrap() {
            "step.started" => {
                begun.insert(event["token"].as_str().unwrap());
            },
            "step.succeeded" => {
                let token = event["token"].as_str();
                verdict.expect(done.insert(step), || format!("{id}: {step} succeeded twice"));
                verdict.expect(token.is_none_or(|token| begun.contains(token)), || {
                    format!("{id}: {step} succeeded without having begun")
                });
            },
            "steps.reset" => {
                for step in event["steps"].as_array().unwrap() {
                    done.remove(step.as_str().unwrap());
                }
            },
            _ => {},
        }
    }
    for step in steps.iter().filter(|step| step["status"] == "succeeded") {
        let key = step["key"].as_str().unwrap();
        verdict.expect(done.contains(key), || format!("{id}: {key} succeeded without an event"));
    }
}

/// What an event adds to the bill.
fn note_money(id: &str, event: &Value, bill: &mut Bill) -> i64 {
    let mut sum = 0;
    if event["type"] == "attempt.doubt_resolved" {
        let cost = event["cost"].as_i64().unwrap_or(0);
        if cost > 0 {
            let call = event["call"].as_u64().unwrap_or(0);
            let key = format!("{id}/{}/{call}", event["token"].as_str().unwrap());
            *bill.by_key.entry(key).or_default() += cost;
        }
        sum += cost;
    }
    if event["type"] == "attempt.settled" && event["unknown"].is_string() {
        bill.unknown.insert(format!("{id}/{}", event["token"].as_str().unwrap()));
    }
    let several = event["calls"].as_array().into_iter().flatten();
    for call in several.chain(event.get("call").filter(|call| call.is_object())) {
        let cost = call["c"].as_i64().unwrap_or(0);
        if call["k"] == "r" {
            bill.of_children += cost; // on the child's own bill already
        } else if cost > 0 {
            let key = call["b"].as_str().expect("a call that cost something has a key");
            *bill.by_key.entry(key.to_owned()).or_default() += cost;
        }
        sum += cost;
    }
    sum
}

/// What a person was told is done is in the journal.
fn examine_deeds(id: &str, events: &[Value], deeds: &Deeds, verdict: &mut Verdict) {
    let count = |name: &str| events.iter().filter(|event| event["type"] == name).count() as u64;
    let promised = deeds.decisions.get(id).copied().unwrap_or(0);
    let decided = count("checkpoint.answered");
    verdict.expect(decided >= promised, || format!("{id}: {promised} decisions, kept {decided}"));
    let is_reported = deeds.callbacks.contains(id);
    verdict.expect(!is_reported || count("callback.received") > 0, || {
        format!("{id}: its callback is lost")
    });
}

/// A published request has a picture that can be fetched and is what it is said to be.
async fn examine_request(client: &Client, work: &Accepted, verdict: &mut Verdict) {
    let request = client.read(&format!("/api/v1/requests/{}", work.id)).await["data"].clone();
    verdict.expect(request["status"] == "published", || {
        format!("{} {} is {}", work.title, work.id, request["status"])
    });
    let assets = request["assets"].as_array().unwrap();
    verdict.expect(assets.len() == 1, || format!("{}: {} assets", work.id, assets.len()));
    for asset in assets {
        let picture = client.get(asset["url"].as_str().unwrap()).await.is(200);
        let sha256 = hex(&Sha256::digest(&picture.bytes));
        let is_png = picture.bytes.starts_with(b"\x89PNG\r\n\x1a\n");
        verdict.expect(is_png && asset["mime"] == "image/png", || format!("{asset}: no PNG"));
        verdict.expect(asset["sha256"] == sha256, || format!("{asset}: really {sha256}"));
        verdict.expect(asset["bytes"] == picture.bytes.len(), || format!("{asset}: its length"));
        verdict.assets += 1;
    }
}

/// Their books against ours: nothing twice, nothing lost, to the unit.
fn examine_money(books: &Books, bill: &Bill, verdict: &mut Verdict) {
    let mut unknown = 0;
    for (key, &(cost, times)) in &books.billed {
        verdict.expect(times == 1, || format!("{key} was billed {times} times"));
        verdict.doubled += u64::from(times) - 1;
        let attempt = key.rsplit_once('/').unwrap().0;
        match bill.by_key.get(key) {
            Some(ours) => verdict.expect(*ours == cost, || format!("{key}: {ours}, not {cost}")),
            None if bill.unknown.contains(attempt) => {
                unknown += cost;
                verdict.calls_unknown += 1;
            },
            None => verdict.wrong.push(format!("{key} cost {cost}, which is on no bill of ours")),
        }
    }
    for key in bill.by_key.keys() {
        verdict.expect(books.billed.contains_key(key), || format!("{key} was never billed"));
    }
    let own = bill.of_runs - bill.of_children;
    verdict.expect(own + unknown == books.total(), || {
        format!("our runs cost {own}, they billed {}", books.total())
    });
    verdict.calls_billed = books.billed.len() as u64;
    verdict.billed_micros = books.total();
}

/// Small hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
