//! A hundred requests at once, with a provider at its worst: none is lost or made twice, no task
//! is done twice, and our books say what the provider's say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Body;
use axum::http::Method;
use futures_util::future::join_all;
use serde_json::{Value, json};
use showrunner_engine::failure::ErrorClass;
use showrunner_engine::id::RunId;
use showrunner_engine::money::{MicroUsd, Spend};
use showrunner_providers::ledger::MemoryLedger;
use showrunner_providers::scripted::{
    Effect, Fault, FaultPlan, FaultRule, ScriptedConfig, ScriptedModel,
};
use showrunner_runtime::{Clock, Pace, SystemClock};

use crate::support::{Answer, Server, as_owner};

const CROWD: usize = 100;
/// So many strategists are refused for good.
const REFUSED: u64 = 7;

/// What goes wrong, and with how many of a thousand calls. Nothing that leaves a call in doubt:
/// a person would have to say what became of it.
fn faults() -> FaultPlan {
    let fail = |class, effect, retry_after_ms| Fault::Fail { class, effect, retry_after_ms };
    let rule = |agent: &str, first, share_permille, fault| FaultRule {
        agent: agent.into(),
        step: "*".into(),
        first,
        per_step: false,
        share_permille,
        fault,
    };
    let share = |permille, fault| rule("*", None, Some(permille), fault);
    FaultPlan {
        rules: vec![
            rule(
                "strategist",
                Some(REFUSED),
                None,
                fail(ErrorClass::Validation, Effect::Before, None),
            ),
            share(80, fail(ErrorClass::Transient, Effect::Before, None)),
            share(40, fail(ErrorClass::RateLimited, Effect::Before, Some(5))),
            share(40, Fault::SchemaBreach),
            share(40, Fault::InvalidJson),
        ],
    }
}

async fn crowded() -> (Server, Arc<MemoryLedger>) {
    let ledger = Arc::new(MemoryLedger::default());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new().unwrap());
    let config = ScriptedConfig { faults: faults(), ..ScriptedConfig::default() };
    let books = Arc::clone(&ledger);
    let sleeper = Pace::of(Arc::clone(&clock)).sleeper();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder, ScriptedConfig::default(), clock, |mut providers| {
        // In the place of the one that never fails.
        let scripted = ScriptedModel::new("scripted", config, books, sleeper);
        providers.add_model(Arc::new(scripted), 64);
        providers
    })
    .await;
    (server, ledger)
}

/// Asks under a key.
async fn ask(server: &Server, brief: &Value, number: usize) -> Answer {
    let request = as_owner(Method::POST, "/api/v1/requests")
        .header("content-type", "application/json")
        .header("idempotency-key", format!("crowd-{number}"));
    server.send(request.body(Body::from(brief.to_string())).unwrap()).await
}

async fn until_the_end(server: &Server, id: &str) {
    let mut stream = server.stream(id, 0).await;
    while let Some(frame) = stream.next().await {
        if frame.event == "end" {
            return;
        }
    }
    panic!("the stream of {id} ended before its run");
}

async fn data(server: &Server, path: &str) -> Value {
    let answer = server.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()["data"].clone()
}

/// The tasks that requests' letters are about.
async fn letters(server: &Server) -> BTreeMap<String, usize> {
    let (mut found, mut path) = (BTreeMap::new(), "/api/v1/dlq?limit=10".to_owned());
    loop {
        let page = server.get(&path).await.json();
        for letter in page["data"].as_array().unwrap() {
            *found.entry(letter["task_id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        let Some(cursor) = page["next_cursor"].as_str() else { return found };
        path = format!("/api/v1/dlq?limit=10&cursor={cursor}");
    }
}

/// One request that is over: what is said of its tasks fits what is said of it.
async fn check(server: &Server, id: &str, letters: &BTreeMap<String, usize>) -> String {
    let request = data(server, &format!("/api/v1/requests/{id}")).await;
    let tasks = data(server, &format!("/api/v1/requests/{id}/tasks")).await;
    let events = data(server, &format!("/api/v1/requests/{id}/events")).await;
    let status = request["status"].as_str().unwrap().to_owned();
    let mut done: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, event) in (1_u64..).zip(events.as_array().unwrap()) {
        assert_eq!(event["seq"], json!(number), "{id} has a gap");
        if event["event_type"] == "task_completed" {
            *done.entry(event["metadata"]["task_id"].as_str().unwrap()).or_default() += 1;
        }
    }
    let tasks = tasks.as_array().unwrap();
    assert_eq!(tasks.len(), 4, "{id}");
    let mut failed = 0;
    for task in tasks {
        let task_id = task["id"].as_str().unwrap();
        let is = task["status"].as_str().unwrap();
        assert_eq!(done.get(task_id).copied().unwrap_or(0), usize::from(is == "completed"));
        assert_eq!(letters.get(task_id).copied().unwrap_or(0), usize::from(is == "failed"));
        failed += usize::from(is == "failed");
        assert!(["completed", "skipped", "failed"].contains(&is) || status == "failed", "{task}");
    }
    assert_eq!(failed, usize::from(status == "failed"), "{id}: {tasks:#?}");
    assert!(["published", "failed"].contains(&status.as_str()), "{id} is {status}");
    status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_requests_at_once_lose_and_double_nothing() {
    let (server, ledger) = crowded().await;
    let mut brief = server.brief().await;
    brief["auto_approve"] = json!(true);
    let mut answers = join_all((0..CROWD).map(|number| ask(&server, &brief, number))).await;
    // Everybody asks again, as somebody does whose answer was lost.
    answers.extend(join_all((0..CROWD).map(|number| ask(&server, &brief, number))).await);
    let mut ids = BTreeSet::new();
    for answer in &answers {
        assert_eq!(answer.status, 202, "{}", answer.text);
        ids.insert(answer.json()["data"]["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), CROWD, "each request is there once");
    join_all(ids.iter().map(|id| until_the_end(&server, id))).await;

    let letters = letters(&server).await;
    let mut ended: BTreeMap<String, u64> = BTreeMap::new();
    for id in &ids {
        *ended.entry(check(&server, id, &letters).await).or_default() += 1;
    }
    assert!(ended["failed"] >= REFUSED, "{ended:?}");
    assert!(ended.contains_key("published"), "{ended:?}");

    let mut billed: BTreeMap<String, i64> = BTreeMap::new();
    for entry in ledger.entries() {
        let run = entry.place.split('/').next().unwrap().to_owned();
        *billed.entry(run).or_default() += entry.billed_micro_usd;
    }
    for id in &ids {
        let run = server.runtime.journal().run(&RunId::from(id.as_str())).await.unwrap().unwrap();
        let theirs = MicroUsd(billed.remove(id).unwrap_or(0));
        assert_eq!(run.spent.cost, theirs, "{id}: our books and the provider's");
        assert_eq!(run.reserved, Spend::default(), "{id} holds nothing back any more");
    }
    assert_eq!(billed, BTreeMap::new(), "nobody else was billed for anything");
    let verified = server.runtime.journal().verify().await.unwrap();
    assert_eq!((verified.runs, verified.breaks), (CROWD as u64, vec![]));
}
