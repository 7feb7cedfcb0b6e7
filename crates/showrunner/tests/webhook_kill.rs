//! Webhooks while the server is killed again and again: whatever ended is told, at least once,
//! always under the same id and in the same words, with a signature that fits.
#![expect(clippy::print_stdout, reason = "the counts are part of the result")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "support/support.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::{Value, json};
use showrunner_providers::signing::{StandardHeaders, believe};
use showrunner_testkit::throwaway_postgres::ThrowawayPostgres;
use support::client::Client;
use support::dice::Dice;
use support::load::{place, publish, runs};
use support::server::Home;
use support::until;

/// How often the server is killed.
const KILLS: u64 = 6;
/// How long is waited for what must come.
const PATIENCE: Duration = Duration::from_mins(2);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    id: String,
    body: String,
}

#[derive(Clone, Default)]
struct Desk {
    told: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

/// Takes its time now and then, so that the end of the server finds messages under way.
async fn receive(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> &'static str {
    let number = {
        let mut told = desk.told.lock().unwrap();
        told.push((headers, body));
        told.len()
    };
    if number.is_multiple_of(3) {
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    "noted"
}

impl Desk {
    fn told(&self) -> Vec<Told> {
        let told = self.told.lock().unwrap();
        let id = |headers: &HeaderMap| headers["webhook-id"].to_str().unwrap().to_owned();
        let text = |body: &Bytes| String::from_utf8(body.to_vec()).unwrap();
        told.iter().map(|(headers, body)| Told { id: id(headers), body: text(body) }).collect()
    }

    /// The runs whose end was told.
    fn ended(&self) -> BTreeSet<String> {
        let bodies = self.told().into_iter();
        let bodies = bodies.map(|told| serde_json::from_str::<Value>(&told.body).unwrap());
        bodies.map(|body| body["data"]["run_id"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_ended_is_told_however_often_the_server_is_killed() {
    tell_through_kills(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_ended_is_told_on_postgres_too() {
    let what = "webhooks through kills on Postgres";
    let Some(server) = ThrowawayPostgres::start_or_skip(what) else { return };
    let url = server.fresh_database("hooks").await.unwrap();
    tell_through_kills(&["--database-url", &url]).await;
}

async fn tell_through_kills(flags: &[&str]) {
    let desk = Desk::default();
    let router = axum::Router::new().fallback(receive).with_state(desk.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap().to_string();
    drop(tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }));

    let home = Home::new().with(&["--egress-allow", &at]).with(flags);
    let (mut server, address) = home.start().await;
    let client = Client::at(address);
    publish(&client).await;
    let events = ["run.completed", "run.failed", "run.canceled"];
    let endpoint = json!({ "url": format!("http://{at}/hook"), "events": events });
    let made = client.post("/api/v1/webhooks/endpoints", &endpoint).await.is(201).json();
    let secret = made["secret"].as_str().unwrap().to_owned();

    let orders = runs(3).into_iter().filter(|order| {
        // Those that end without a person and without anything from outside.
        ["proof-chain", "proof-fan", "proof-rounds", "proof-refused"]
            .iter()
            .any(|name| order.key.starts_with(name))
    });
    let mut accepted = Vec::new();
    for order in orders {
        accepted.push(place(client.clone(), order, Duration::ZERO).await.id);
    }
    let mut dice = Dice::new(7);
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(dice.between(20, 400))).await;
        server.kill();
        (server, _) = home.start().await;
    }
    until("the end of every run is told", PATIENCE, async || {
        let ended = desk.ended();
        accepted.iter().all(|run| ended.contains(run)).then_some(())
    })
    .await;
    server.kill();

    let mut words: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for told in desk.told() {
        let body: Value = serde_json::from_str(&told.body).unwrap();
        let about = format!("{} {}", body["data"]["run_id"], body["data"]["seq"]);
        words.entry(told.id.clone()).or_default().insert(told.body);
        ids.entry(about).or_default().insert(told.id);
    }
    assert!(words.values().all(|words| words.len() == 1), "one id, one message: {words:#?}");
    assert!(ids.values().all(|ids| ids.len() == 1), "one event, one id: {ids:#?}");
    let all = desk.told.lock().unwrap().clone();
    let key = key_of(&secret);
    for (headers, body) in &all {
        let get = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let given = StandardHeaders {
            id: get("webhook-id"),
            timestamp: get("webhook-timestamp"),
            signature: get("webhook-signature"),
        };
        let seconds: i64 = given.timestamp.unwrap().parse().unwrap();
        let then = showrunner_engine::at::Timestamp(seconds * 1_000_000);
        assert!(believe(given, body, &[&key], then).is_ok(), "{headers:?}");
    }
    println!("{KILLS} kills, {} ends, {} messages", ids.len(), all.len());
    assert_eq!(home.log().matches("whsec_").count(), 0, "no secret in the log");
}

fn key_of(secret: &str) -> Vec<u8> {
    use base64::Engine as _;
    let text = secret.strip_prefix("whsec_").unwrap();
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}
