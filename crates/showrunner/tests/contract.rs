//! What is promised to scripts: the ready file, every command with `--url --token --json` and by
//! the environment, exit codes, the fields of an answer; the demo by command and by HTTP; and the
//! same with a `kill -9` in the middle.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "support/support.rs"]
mod support;

use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use support::check::hex;
use support::client::{Answer, Client};
use support::load::{brand, publish};
use support::server::{Address, Home, Said, Server};
use support::until;
use tokio::time::Instant;

/// A server, and a script beside it.
struct World {
    home: Home,
    server: Server,
    address: Address,
    client: Client,
}

impl World {
    async fn new() -> Self {
        Self::at(Home::new()).await
    }

    async fn at(home: Home) -> Self {
        let (server, address) = home.start().await;
        let client = Client::at(address.clone());
        publish(&client).await;
        Self { home, server, address, client }
    }

    /// A command that is told where the server is.
    fn says(&self, args: &[&str]) -> Said {
        let mut all = args.to_vec();
        all.extend(["--url", &self.address.url, "--token", &self.address.token, "--json"]);
        self.home.run(&all)
    }

    async fn start(&self, definition: &str, input: Value) -> String {
        let body = json!({ "definition": definition, "input": input });
        let answer = self.client.post("/api/v1/runs", &body).await.is(202);
        let id = answer.json()["run"]["id"].as_str().unwrap().to_owned();
        assert_eq!(answer.header("location"), Some(format!("/api/v1/runs/{id}").as_str()));
        id
    }

    async fn request(&self, auto_approve: bool) -> String {
        let body = json!({
            "brand_id": brand(&self.client).await,
            "title": "Morning",
            "request_type": "image",
            "prompt": "A calm morning with coffee, warm light",
            "aspect_ratio": "16:9",
            "auto_approve": auto_approve,
        });
        let answer = self.client.post("/api/v1/requests", &body).await.is(202);
        let data = answer.json()["data"].clone();
        assert_eq!((&data["status"], &data["title"]), (&json!("intake"), &json!("Morning")));
        assert!(data["estimated_cost"].as_f64().is_some_and(|cost| cost > 0.0), "{data}");
        assert!(answer.header("retry-after").is_some() && answer.header("location").is_some());
        data["id"].as_str().unwrap().to_owned()
    }

    /// The request once it stands there.
    async fn request_at(&self, id: &str, status: &str) -> Value {
        until(status, Duration::from_secs(30), async || {
            let request = self.client.read(&format!("/api/v1/requests/{id}")).await["data"].clone();
            let is_there = request["status"] == status;
            let is_asked = status != "qa" || request["waiting"][0]["for"] == "person";
            (is_there && is_asked).then_some(request)
        })
        .await
    }

    /// Nothing is going on, so nothing is in memory.
    async fn is_empty_handed(&self) {
        until("an empty memory", Duration::from_secs(10), async || {
            let system = self.client.read("/api/v1/system").await;
            (system["residents"] == 0).then_some(())
        })
        .await;
    }

    async fn doubt(&self, id: &str) {
        until("a doubt", Duration::from_secs(20), async || {
            let run = self.client.read(&format!("/api/v1/runs/{id}")).await;
            (run["waits"][0]["for"] == "doubt").then_some(())
        })
        .await;
    }

    async fn run_at(&self, id: &str, status: &str) -> Value {
        until(&format!("{id} {status}"), Duration::from_secs(30), async || {
            let run = self.client.read(&format!("/api/v1/runs/{id}")).await;
            (run["status"] == status).then_some(run)
        })
        .await
    }
}

/// A finished request's file is what it is said to be.
async fn has_a_picture(client: &Client, request: &Value) {
    let assets = request["assets"].as_array().unwrap();
    assert_eq!(assets.len(), 1, "{request}");
    let asset = &assets[0];
    assert!(asset["id"].as_str().is_some_and(|id| !id.is_empty()), "{asset}");
    assert_eq!((&asset["kind"], &asset["mime"]), (&json!("image"), &json!("image/png")));
    let (width, height) = (asset["width"].as_f64().unwrap(), asset["height"].as_f64().unwrap());
    assert!((width / height - 16.0 / 9.0).abs() < 0.01, "{asset}");
    assert!(asset.get("duration_seconds").is_some_and(Value::is_null), "{asset}");
    let picture = client.get(asset["url"].as_str().unwrap()).await.is(200);
    assert_eq!(asset["bytes"], picture.bytes.len());
    assert_eq!(asset["sha256"], hex(&Sha256::digest(&picture.bytes)));
    let says = |at: usize| u32::from_be_bytes(picture.bytes[at..at + 4].try_into().unwrap());
    assert_eq!(
        (asset["width"].clone(), asset["height"].clone()),
        (json!(says(16)), json!(says(20)))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ready_file_says_where_once_it_answers() {
    let home = Home::new();
    let mut server = home.spawn();
    let address = server.ready().await;
    let text = std::fs::read_to_string(home.beside("server.ready")).unwrap();
    let ready: Value = serde_json::from_str(&text).unwrap();
    let mut names: Vec<&str> = ready.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["pid", "token", "url"]);
    assert!(address.url.starts_with("http://127.0.0.1:") && !address.url.ends_with(":0"));
    let client = Client::at(address.clone());
    assert_eq!(client.read("/healthz").await["status"], "ok");
    assert_eq!(client.read("/readyz").await["role"], "owner");
    server.close();
    let (server, again) = home.start().await;
    assert_eq!(again.token, address.token, "a token outlives the process");
    server.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_that_was_asked_for_is_time_that_passes() {
    let world = World::new().await;
    let source = "showrunner: 1\nid: pause\nsteps:\n  - { id: a, wait: { for: 80ms } }\n  \
                  - { id: b, needs: a, wait: { for: 80ms } }\n";
    world.client.post("/api/v1/definitions", &json!({ "source": source })).await.is(201);
    for _ in 0..5 {
        let began = Instant::now();
        let id = world.start("pause", json!({})).await;
        world.run_at(&id, "completed").await;
        let took = began.elapsed();
        assert!(took > Duration::from_millis(160), "{took:?}");
        assert!(took < Duration::from_secs(2), "two pauses of 80 ms took {took:?}");
    }
    world.server.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_by_http_from_brief_to_file() {
    let world = World::new().await;
    let client = &world.client;
    let id = world.request(false).await;
    let asked = world.request_at(&id, "qa").await;
    assert!(asked["waiting"][0]["question"].as_str().is_some_and(|q| q.contains("Morning")));
    assert_eq!(asked["simulated"], true);
    // Sent back once; the revision is another picture.
    let before = asked["assets"][0]["sha256"].clone();
    let path = format!("/api/v1/requests/{id}");
    client.post(&format!("{path}/reject"), &json!({})).await.is(422);
    let feedback = json!({ "feedback": "Brighter, please" });
    client.post(&format!("{path}/reject"), &feedback).await.is(200);
    let again = until("the revision", Duration::from_secs(30), async || {
        let request = client.read(&path).await["data"].clone();
        let is_new = !request["assets"][0].is_null() && request["assets"][0]["sha256"] != before;
        (is_new && request["waiting"][0]["for"] == "person").then_some(request)
    })
    .await;
    assert_ne!(again["assets"][0]["sha256"], before);
    client.post(&format!("{path}/approve"), &json!({ "comment": "good" })).await.is(200);
    let published = world.request_at(&id, "published").await;
    has_a_picture(client, &published).await;
    assert!(published["actual_cost"].as_f64().is_some_and(|cost| cost > 0.0), "{published}");
    let late = client.post(&format!("{path}/approve"), &json!({})).await.is(409).json();
    assert_eq!(late["code"], "already_answered", "{late}");
    assert_eq!(late["first"]["verb"], "continue");
    let tasks = client.read(&format!("{path}/tasks")).await;
    let roles: Vec<_> =
        tasks["data"].as_array().unwrap().iter().map(|task| task["agent_role"].clone()).collect();
    assert_eq!(roles, ["executive", "strategist", "producer", "qa"]);
    assert!(tasks["data"].as_array().unwrap().iter().all(|task| task["status"] == "completed"));
    let events = client.read(&format!("{path}/events")).await;
    assert!(!events["data"].as_array().unwrap().is_empty());
    world.server.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_can_be_cancelled_rolled_back_and_a_task_done_again() {
    let world = World::new().await;
    let client = &world.client;
    let cancelled = world.request(false).await;
    let path = format!("/api/v1/requests/{cancelled}");
    client.post(&format!("{path}/cancel"), &json!({ "reason": "no more" })).await.is(200);
    world.request_at(&cancelled, "cancelled").await;
    client.post(&format!("{path}/cancel"), &json!({})).await.is(409);

    let id = world.request(false).await;
    world.request_at(&id, "qa").await;
    let path = format!("/api/v1/requests/{id}");
    client.post(&format!("{path}/rollback"), &json!({ "to": "nowhere" })).await.is(422);
    client.post(&format!("{path}/rollback"), &json!({ "to": "draft" })).await.is(200);
    let events = client.events(&id).await;
    assert!(events.iter().any(|event| event["type"] == "run.rolled_back"));
    world.request_at(&id, "qa").await;
    let task = format!("/api/v1/tasks/{id}:strategist/retry");
    let feedback = json!({ "feedback": "quieter" });
    client.post(&task, &feedback).await.is(200);
    world.request_at(&id, "qa").await;
    let tasks = client.read(&format!("{path}/tasks")).await;
    assert!(tasks["data"][1]["retry_count"].as_u64().unwrap() >= 2, "{tasks}");
    client.post(&format!("{path}/approve"), &json!({})).await.is(200);
    has_a_picture(client, &world.request_at(&id, "published").await).await;
    world.server.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_to_a_former_doubt_settles_no_other() {
    let home = Home::new();
    let faults = home.beside("faults.json");
    let plan = json!([{ "first": 2, "fault": { "fail": {
        "class": "network", "effect": "unseen" } } }]);
    std::fs::write(&faults, plan.to_string()).unwrap();
    let flags = ["--scripted-safety", "neither", "--scripted-faults", faults.to_str().unwrap()];
    let world = World::at(home.with(&flags)).await;
    let id = world.start("proof-chain", json!({ "topic": "calm" })).await;
    let doubt = async |other: &str| {
        until("a doubt", Duration::from_secs(20), async || {
            let run = world.client.read(&format!("/api/v1/runs/{id}")).await;
            let wait = &run["waits"][0];
            let since = wait["since"].as_str().unwrap_or_default().to_owned();
            (wait["for"] == "doubt" && since != other).then_some(since)
        })
        .await
    };
    let path = format!("/api/v1/runs/{id}/steps/intent/resolve");
    let first = doubt("").await;
    let answer = json!({ "verdict": "resend", "since": first });
    world.client.post(&path, &answer).await.is(200);
    let second = doubt(&first).await;
    // The receipt of the first got lost, and it is sent again.
    let stale = world.client.post(&path, &answer).await.is(409).json();
    assert_eq!(stale["code"], "stale_attempt", "{stale}");
    assert_eq!(doubt("").await, second, "still in doubt");
    world.client.post(&path, &json!({ "verdict": "resend", "since": second })).await.is(200);
    world.run_at(&id, "completed").await;
    world.server.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leave_to_send_again_is_for_once() {
    let home = Home::new();
    let faults = home.beside("faults.json");
    let plan = json!([
        { "first": 1, "fault": { "fail": { "class": "network", "effect": "unseen" } } },
        { "first": 1, "fault": { "slow": { "extra_ms": 600_000 } } },
    ]);
    std::fs::write(&faults, plan.to_string()).unwrap();
    let flags = ["--scripted-safety", "neither", "--scripted-faults", faults.to_str().unwrap()];
    let mut world = World::at(home.with(&flags)).await;
    let id = world.start("proof-chain", json!({ "topic": "calm" })).await;
    let path = format!("/api/v1/runs/{id}/steps/intent/resolve");
    world.doubt(&id).await;
    world.client.post(&path, &json!({ "verdict": "resend" })).await.is(200);
    // It has left again, is billed, and no answer comes before the process dies.
    let books = until("the second call", Duration::from_secs(20), async || {
        let books = support::books::Books::of(world.home.data());
        (!books.billed.is_empty()).then_some(books)
    })
    .await;
    world.server.kill();
    let (server, address) = world.home.start().await;
    world.client.door.open(address.clone());
    (world.server, world.address) = (server, address);
    world.doubt(&id).await;
    let body = json!({ "verdict": "failed", "cost_micros": books.total() });
    world.client.post(&path, &body).await.is(200);
    world.run_at(&id, "completed").await;
    let books = support::books::Books::of(world.home.data());
    assert!(books.billed.values().all(|(_, times)| *times == 1), "{books:?}");
    let run = world.client.read(&format!("/api/v1/runs/{id}")).await;
    assert_eq!(run["cost_micros"], books.total());
    world.server.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_goes_on_when_the_client_hangs_up() {
    use tokio::io::AsyncWriteExt as _;
    let world = World::new().await;
    let host = world.address.url.strip_prefix("http://").unwrap();
    let body = json!({ "definition": "proof-chain", "input": { "topic": "calm" } }).to_string();
    let request = format!(
        "POST /api/v1/runs HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        world.address.token,
        body.len(),
    );
    for n in 0..120 {
        let mut line = tokio::net::TcpStream::connect(host).await.unwrap();
        line.write_all(request.as_bytes()).await.unwrap();
        // Before it is read, while it is looked at, while it is being stored, or later.
        tokio::time::sleep(Duration::from_micros(n * 100)).await;
        drop(line);
    }
    // Whatever of it was stored ends; nobody has to start the server again for it.
    until("the end of all runs", Duration::from_secs(20), async || {
        let rows = world.client.all("/api/v1/runs").await;
        rows.iter().all(|row| row["status"] == "completed").then_some(())
    })
    .await;
    assert!(!world.client.all("/api/v1/runs").await.is_empty());
    world.is_empty_handed().await;
    world.server.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_sent_again_leave_nothing_in_memory() {
    let world = World::new().await;
    let body = json!({ "definition": "proof-chain", "input": { "topic": "calm" } });
    let first = world.client.post_as("once", "/api/v1/runs", &body).await.is(202).json();
    for _ in 0..20 {
        let again = world.client.post_as("once", "/api/v1/runs", &body).await.is(202).json();
        assert_eq!(again["run"]["id"], first["run"]["id"]);
    }
    world.run_at(first["run"]["id"].as_str().unwrap(), "completed").await;
    world.is_empty_handed().await;
    world.server.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_with_one_key_at_the_same_moment_are_one() {
    let world = World::new().await;
    let body = json!({ "definition": "proof-chain", "input": { "topic": "calm" } });
    for round in 0..40 {
        let key = format!("at-once-{round}");
        let ask = || world.client.post_as(&key, "/api/v1/runs", &body);
        let answers = tokio::join!(ask(), ask(), ask(), ask());
        let id = |answer: Answer| answer.is(202).json()["run"]["id"].clone();
        let first = id(answers.0);
        for other in [answers.1, answers.2, answers.3] {
            assert_eq!(id(other), first);
        }
    }
    world.server.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn children_go_on_when_they_are_recovered_beside_their_parents() {
    let home = Home::new().with(&["--scripted-latency-ms", "400..600"]);
    let mut world = World::at(home).await;
    for n in 0..12 {
        world.start("proof-family", json!({ "topic": format!("calm {n}") })).await;
    }
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(250)).await;
        world.server.kill();
        let (server, address) = world.home.start().await;
        world.client.door.open(address.clone());
        (world.server, world.address) = (server, address);
    }
    until("the end of all runs", Duration::from_secs(30), async || {
        let rows = world.client.all("/api/v1/runs").await;
        rows.iter().all(|row| row["status"] == "completed").then_some(())
    })
    .await;
    world.is_empty_handed().await;
    world.server.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_by_command_from_brief_to_file() {
    let world = World::new().await;
    let out = world.home.beside("pictures");
    let out = out.to_str().unwrap();
    let said = world.says(&["demo", "--auto-approve", "--aspect", "16:9", "--out", out]);
    let last = said.ends(0).out.lines().last().unwrap().to_owned();
    let last: Value = serde_json::from_str(&last).unwrap();
    let files: Vec<_> = std::fs::read_dir(out).unwrap().flatten().collect();
    assert_eq!(files.len(), 1, "{last}");
    let bytes = std::fs::read(files[0].path()).unwrap();
    assert!(bytes.starts_with(b"\x89PNG"));
    world.server.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_speaks_json_and_says_how_it_ended() {
    let world = World::new().await;
    let asked = world.start("proof-asked", json!({ "topic": "calm" })).await;
    let ended = world.start("proof-chain", json!({ "topic": "calm" })).await;
    let failed = world.start("proof-refused", json!({ "topic": "calm" })).await;
    let long = world.start("proof-long", json!({ "topic": "calm" })).await;
    world.run_at(&ended, "completed").await;
    world.run_at(&failed, "failed").await;
    world.run_at(&asked, "waiting").await;
    std::fs::write(world.home.beside("good.yaml"), PAUSE).unwrap();
    let kept = world.home.beside("kept");
    let cases: Vec<(Vec<&str>, i32)> = vec![
        (vec!["version"], 0),
        (vec!["validate", "good.yaml"], 0),
        (vec!["publish", "good.yaml"], 0),
        (vec!["runs", "list"], 0),
        (vec!["runs", "show", &ended], 0),
        (vec!["events", &ended], 0),
        (vec!["watch", &ended], 0),
        (vec!["watch", &failed], 1),
        (vec!["approvals"], 0),
        (vec!["approve", &ended], 1),
        (vec!["approve", &asked, "--comment", "good"], 0),
        (vec!["assets", "list", &ended], 0),
        (vec!["run", "proof-chain", "-i", "topic=tea", "--wait"], 0),
        (vec!["run", "proof-refused", "-i", "topic=tea", "--wait"], 1),
        (vec!["run", "proof-chain"], 1),
        (vec!["pause", &long], 0),
        (vec!["resume", &long], 0),
        (vec!["cancel", &long, "--reason", "enough"], 0),
        (vec!["cancel", &ended], 1),
        (vec!["retry", &failed, "intent"], 0),
        (vec!["fork", &ended, "--from", "check"], 0),
        (vec!["rollback", &asked, "nowhere"], 1),
        (vec!["verify"], 0),
        (vec!["backup", kept.to_str().unwrap()], 0),
        (vec!["doctor", "--listen", "127.0.0.1:0"], 0),
        (vec!["runs"], 2),
        (vec!["approve"], 2),
        (vec!["runs", "list", "--limit", "many"], 2),
    ];
    for (args, code) in &cases {
        let said = world.says(args);
        assert_eq!(said.code, *code, "{args:?}: {said:?}");
        assert!(code == &2 || !said.out.is_empty(), "{args:?} wrote nothing: {said:?}");
        for line in json_values(&said.out) {
            assert!(line.is_object() || line.is_array(), "{args:?}: {line}");
        }
        if *code == 1 {
            assert!(said.err.lines().count() + said.out.lines().count() > 0, "{args:?}");
        }
    }
    world.server.close();
}

/// One JSON value after another.
fn json_values(text: &str) -> Vec<Value> {
    let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    values.map(|value| value.unwrap_or_else(|error| panic!("{error} in {text}"))).collect()
}

const PAUSE: &str = "showrunner: 1\nid: good\nsteps:\n  - { id: a, wait: { for: 1ms } }\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_environment_says_where_and_nobody_there_is_exit_three() {
    let world = World::new().await;
    let Address { url, token } = &world.address;
    let by_environment = |args: &[&str], url: &str, token: &str| {
        let mut command = world.home.program(args);
        command.env("SHOWRUNNER_URL", url).env("SHOWRUNNER_TOKEN", token);
        Said::from(command.output().unwrap())
    };
    let list = ["runs", "list", "--json"];
    by_environment(&list, url, token).ends(0).json();
    by_environment(&list, url, "wrong").ends(1);
    // A flag counts more than the environment.
    let said = by_environment(&["runs", "list", "--json", "--token", token], url, "wrong");
    said.ends(0);
    // By its data folder, where nobody says anything.
    let data = world.home.data().to_str().unwrap();
    world.home.run(&["runs", "list", "--data-dir", data, "--json"]).ends(0).json();
    let url = url.clone();
    world.server.close();
    by_environment(&list, &url, token).ends(3);
    let said = world.home.run(&["runs", "list", "--data-dir", data, "--json"]);
    said.ends(3);
    assert!(said.err.contains("showrunner serve") || said.out.contains("showrunner serve"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_in_the_middle_of_the_demo_changes_nothing() {
    let mut world = World::new().await;
    let id = world.request(false).await;
    // Once in each phase: nothing is done twice, nothing is lost.
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(60)).await;
        world.server.kill();
        let (server, address) = world.home.start().await;
        world.client.door.open(address.clone());
        (world.server, world.address) = (server, address);
    }
    world.request_at(&id, "qa").await;
    let said = world.says(&["approve", &id]);
    said.ends(0);
    let published = world.request_at(&id, "published").await;
    has_a_picture(&world.client, &published).await;
    let books = support::books::Books::of(world.home.data());
    let cost = world.client.read(&format!("/api/v1/runs/{id}")).await["cost_micros"].clone();
    assert_eq!(cost, books.total(), "what they billed is what we say");
    assert!(books.billed.values().all(|(_, times)| *times == 1));
    let events = world.client.events(&id).await;
    let count = |step: &str| {
        let is_it = |e: &&Value| e["type"] == "step.succeeded" && e["step"] == step;
        events.iter().filter(is_it).count()
    };
    assert_eq!(["executive", "strategist", "producer", "qa"].map(count), [1; 4]);
    world.server.close();
}
