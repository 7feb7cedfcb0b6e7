//! Function agents on the built server: the example as it is in the repository, a site that keeps
//! books, and `kill -9` at every request the function makes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "support/support.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use support::client::Client;
use support::server::Home;
use support::until;
use tokio::sync::watch;

const PATIENCE: Duration = Duration::from_mins(1);
const EXAMPLE: &str = include_str!("../../../examples/functions/announce.yaml");

/// A site that writes down what it is asked, and answers when it is let.
struct Site {
    asked: std::sync::Mutex<Vec<String>>,
    references: std::sync::Mutex<Vec<Value>>,
    /// The request that gets no answer for now.
    held: watch::Sender<Option<&'static str>>,
}

impl Site {
    async fn open() -> (Arc<Self>, String) {
        let site = Arc::new(Self {
            asked: std::sync::Mutex::default(),
            references: std::sync::Mutex::default(),
            held: watch::Sender::new(None),
        });
        let routes = Router::new()
            .route("/channels", get(channels))
            .route("/drafts", post(draft))
            .route("/drafts/{id}/publish", post(publish))
            .with_state(Arc::clone(&site));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (site, address)
    }

    async fn takes(&self, what: &'static str, headers: &HeaderMap) {
        assert_eq!(headers.get("authorization").unwrap(), "Bearer canary-key-77");
        self.asked.lock().unwrap().push(what.to_owned());
        let mut held = self.held.subscribe();
        held.wait_for(|held| *held != Some(what)).await.unwrap();
    }

    fn count(&self, what: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == what).count()
    }
}

async fn channels(State(site): State<Arc<Site>>, headers: HeaderMap) -> Json<Value> {
    site.takes("channels", &headers).await;
    // Too long for a row of the journal: what is replayed is read from the objects.
    Json(json!(["general", "news", "x".repeat(20_000)]))
}

async fn draft(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Json<Value> {
    site.references.lock().unwrap().push(body);
    site.takes("draft", &headers).await;
    Json(json!({ "id": "d 1" }))
}

async fn publish(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Json<Value> {
    assert_eq!(id, "d 1");
    site.takes("publish", &headers).await;
    Json(json!({ "id": "p-9" }))
}

fn home(address: &str) -> Home {
    let agents = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/functions/agents");
    Home::new()
        .with(&["--agents", agents, "--function-hosts", address, "--function-env", "ANNOUNCE_KEY"])
        .with_environment("ANNOUNCE_KEY", "canary-key-77")
}

async fn begin(client: &Client, site: &str) -> String {
    begin_as(client, EXAMPLE, site).await
}

async fn begin_as(client: &Client, source: &str, site: &str) -> String {
    let answer = client.post("/api/v1/definitions", &json!({ "source": source })).await;
    assert!([200, 201].contains(&answer.status), "{answer:?}");
    let body = json!({
        "definition": "announce",
        "input": { "headline": "Rain & <wind>", "site": format!("http://{site}") },
    });
    let run = client.post_as("announce-1", "/api/v1/runs", &body).await.is(202).json();
    run["run"]["id"].as_str().unwrap().to_owned()
}

async fn ends(client: &Client, run: &str) -> Value {
    let path = format!("/api/v1/runs/{run}");
    until("the run's end", PATIENCE, async || {
        let run = client.read(&path).await;
        let status = run["status"].as_str().unwrap().to_owned();
        ["completed", "failed", "cancelled"].contains(&status.as_str()).then_some(run)
    })
    .await
}

async fn asked(site: &Site, what: &str, times: usize) {
    until(what, PATIENCE, async || {
        tokio::time::sleep(Duration::from_millis(10)).await;
        (site.count(what) >= times).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_makes_a_card_and_announces_it() {
    let (site, address) = Site::open().await;
    let home = home(&address);
    let (server, door) = home.start().await;
    let client = Client::at(door);
    let run = begin(&client, &address).await;
    let ended = ends(&client, &run).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    assert_eq!(ended["output"]["post"], "p-9", "{ended}");
    assert_eq!(*site.asked.lock().unwrap(), ["channels", "draft", "publish"]);
    assert_eq!(site.references.lock().unwrap()[0]["channel"], "news");
    let assets = client.read(&format!("/api/v1/runs/{run}/assets")).await["data"].clone();
    let assets = assets.as_array().unwrap();
    assert_eq!(assets.len(), 2, "{assets:?}");
    let card = assets.iter().find(|asset| asset["name"] == "card.svg").unwrap();
    let path = format!("/api/v1/assets/{}/content", card["id"].as_str().unwrap());
    let file = client.get(&path).await.is(200);
    assert!(String::from_utf8_lossy(&file.bytes).contains("Rain &amp; &lt;wind&gt;"));
    // The key is nowhere in what is kept.
    let events = json!(client.events(&run).await).to_string();
    assert!(events.contains("draft") && !events.contains("canary-key-77"), "{events}");
    server.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_before_a_crash_is_not_asked_again() {
    let (site, address) = Site::open().await;
    let home = home(&address);
    let (server, door) = home.start().await;
    let client = Client::at(door);
    // Killed while a question that changes nothing is outside: it is asked again.
    site.held.send_replace(Some("channels"));
    let run = begin(&client, &address).await;
    asked(&site, "channels", 1).await;
    server.kill();
    client.door.shut();
    site.held.send_replace(Some("draft"));
    let (server, door) = home.start().await;
    client.door.open(door);
    // Killed while a request is outside that lays something down: nobody knows, so a person is asked.
    asked(&site, "draft", 1).await;
    server.kill();
    client.door.shut();
    site.held.send_replace(None);
    let (server, door) = home.start().await;
    client.door.open(door);
    let path = format!("/api/v1/runs/{run}");
    until("the doubt", PATIENCE, async || {
        let run = client.read(&path).await;
        run.to_string().contains("\"doubt\"").then_some(())
    })
    .await;
    assert_eq!((site.count("channels"), site.count("draft"), site.count("publish")), (2, 1, 0));
    // The person has looked: it did not arrive.
    let path = format!("/api/v1/runs/{run}/steps/announce/resolve");
    client.post(&path, &json!({ "verdict": "resend" })).await.is(200);
    let ended = ends(&client, &run).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    assert_eq!((site.count("channels"), site.count("draft"), site.count("publish")), (2, 2, 1));
    // The second time it is the same call: the same answers, the same dice, the same reference.
    let references = site.references.lock().unwrap().clone();
    assert!(references.iter().all(|draft| draft["channel"] == "news"), "{references:?}");
    assert_eq!(references[0], references[1]);
    server.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_was_outside_when_its_run_was_cancelled_is_owned_up_to() {
    let (site, address) = Site::open().await;
    let home = home(&address);
    let (server, door) = home.start().await;
    let client = Client::at(door);
    site.held.send_replace(Some("draft"));
    let run = begin(&client, &address).await;
    asked(&site, "draft", 1).await;
    client.post(&format!("/api/v1/runs/{run}/cancel"), &json!({})).await.is(200);
    assert_eq!(ends(&client, &run).await["status"], "cancelled");
    let settled = until("the settling", PATIENCE, async || {
        let events = client.events(&run).await;
        events.into_iter().find(|event| event["type"] == "attempt.settled")
    })
    .await;
    assert!(settled.to_string().contains("look at the other side"), "{settled}");
    assert_eq!((site.count("draft"), site.count("publish")), (1, 0));
    server.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_without_an_answer_in_time_leaves_the_step_in_doubt() {
    let (site, address) = Site::open().await;
    let home = home(&address);
    let (server, door) = home.start().await;
    let client = Client::at(door);
    site.held.send_replace(Some("publish"));
    let source = EXAMPLE.replace("timeout: 5m", "timeout: 10s\n    retry: { attempts: 1 }");
    let run = begin_as(&client, &source, &address).await;
    asked(&site, "publish", 1).await;
    let path = format!("/api/v1/runs/{run}");
    let waiting = until("the doubt", PATIENCE, async || {
        let run = client.read(&path).await;
        run["waits"].to_string().contains("\"doubt\"").then_some(run)
    })
    .await;
    assert_eq!(waiting["status"], "waiting", "{waiting}");
    let path = format!("/api/v1/runs/{run}/steps/announce/resolve");
    client.post(&path, &json!({ "verdict": "failed" })).await.is(200);
    assert_eq!(ends(&client, &run).await["status"], "failed");
    assert_eq!((site.count("draft"), site.count("publish")), (1, 1));
    server.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_that_was_changed_meanwhile_gets_no_answers_of_the_former() {
    let (site, address) = Site::open().await;
    let agents = tempfile::tempdir().unwrap();
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/functions/agents");
    for name in ["announcer.md", "card-maker.md"] {
        std::fs::copy(format!("{shipped}/{name}"), agents.path().join(name)).unwrap();
    }
    let folder = agents.path().to_str().unwrap();
    let home = Home::new()
        .with(&["--agents", folder, "--function-hosts", &address, "--function-env", "ANNOUNCE_KEY"])
        .with_environment("ANNOUNCE_KEY", "canary-key-77");
    let (server, door) = home.start().await;
    let client = Client::at(door);
    site.held.send_replace(Some("draft"));
    let run = begin(&client, &address).await;
    asked(&site, "draft", 1).await;
    server.kill();
    client.door.shut();
    site.held.send_replace(None);
    let file = agents.path().join("announcer.md");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"/channels\"", "\"/channels?all=1\"")).unwrap();
    let (server, door) = home.start().await;
    client.door.open(door);
    let path = format!("/api/v1/runs/{run}");
    until("the doubt", PATIENCE, async || {
        let run = client.read(&path).await;
        run["waits"].to_string().contains("\"doubt\"").then_some(())
    })
    .await;
    let path = format!("/api/v1/runs/{run}/steps/announce/resolve");
    client.post(&path, &json!({ "verdict": "resend" })).await.is(200);
    let ended = ends(&client, &run).await;
    assert_eq!(ended["failure"]["code"], "function_diverged", "{ended}");
    assert_eq!((site.count("channels"), site.count("draft")), (1, 1));
    server.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_leave_nothing_goes_out_and_the_run_says_why() {
    let (site, address) = Site::open().await;
    let home = home("allowed.test:1");
    let (server, door) = home.start().await;
    let client = Client::at(door);
    let run = begin(&client, &address).await;
    let ended = ends(&client, &run).await;
    assert_eq!(ended["status"], "failed", "{ended}");
    assert!(ended["failure"].to_string().contains("--function-hosts"), "{ended}");
    assert!(site.asked.lock().unwrap().is_empty());
    server.close();
}
