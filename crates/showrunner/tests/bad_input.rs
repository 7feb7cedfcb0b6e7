//! Wrong, huge, deep and malicious input: each is refused within a second with what, where, why
//! and what to do; the server stays quick, small, and as it was.
#![expect(clippy::print_stdout, reason = "the times are part of the result")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "support/support.rs"]
mod support;

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use support::client::{Answer, Client, read};
use support::load::{brand, publish};
use support::server::{Home, Said, Server};
use support::until;
use tokio::time::Instant;

/// Everything wrong is told within so much: a second, and three for a build that is not optimised,
/// in which reading 700 KB of YAML alone takes one.
const REFUSAL_MAX: Duration = Duration::from_secs(if cfg!(debug_assertions) { 3 } else { 1 });
/// The server may grow by so much while it is attacked.
const GROWTH_MAX: u64 = 64 << 20;
/// What a server may hold at most, whatever it was asked to compute.
const MEMORY_MAX: u64 = 320 << 20;
/// Health checks answer within so much meanwhile, 99 of 100.
const HEALTH_P99_MAX: Duration = Duration::from_millis(250);

/// A definition of so many steps, one after another.
fn long_chain(steps: usize) -> String {
    let mut text = "showrunner: 1\nid: endless\nsteps:\n".to_owned();
    for n in 0..steps {
        let before = if n == 0 { "0".to_owned() } else { format!("steps.s{}.output.n", n - 1) };
        writeln!(text, "  - id: s{n}\n    transform: {{ n: \"{{{{ {before} + 1 }}}}\" }}").unwrap();
    }
    text
}

/// A definition of one computed step.
fn computing(expression: &str) -> String {
    let quoted = json!(format!("{{{{ {expression} }}}}"));
    format!("showrunner: 1\nid: costly\nsteps:\n  - id: sum\n    transform: {{ all: {quoted} }}\n")
}

/// Expressions that look as if they never ended, or filled the memory.
fn costly() -> Vec<(&'static str, String)> {
    let list = format!("[{}]", (0..60).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
    let nested = (0..8).fold("1".to_owned(), |inner, n| format!("{list}.map(x{n}, {inner})"));
    let texts =
        (0..40).fold("'ab'".to_owned(), |inner, n| format!("[{inner}].map(t{n}, t{n} + t{n})[0]"));
    let lists =
        (0..40).fold("[1]".to_owned(), |inner, n| format!("[{inner}].map(t{n}, t{n} + t{n})[0]"));
    let filters = (0..7)
        .fold("true".to_owned(), |inner, n| format!("size({list}.filter(x{n}, {inner})) >= 0"));
    let product = "sort_by(range(100000), 'x').map(a, range(100000).map(b, a * b))".to_owned();
    let joined =
        format!("join({list}.map(a, join({list}.map(b, json({list}.map(c, {list}))), '')), '')");
    let both = "range(10000).map(a, range(10000).map(b, a * b))".to_owned();
    let copies = "join(range(10000).map(a, join(range(10000).map(b, 'ten times ten'), '')), '')";
    let sorts = "range(10000).map(a, sort_by(reverse(range(10000)), 'x'))".to_owned();
    vec![
        ("a square of ranges", both),
        ("a hundred million copies", copies.to_owned()),
        ("ten thousand sorts", sorts),
        ("comprehensions in each other", nested),
        ("a text doubled forty times", texts),
        ("a list doubled forty times", lists),
        ("filters in each other", filters),
        ("a range of ranges", product),
        ("joins in each other", joined),
    ]
}

/// Forty steps, each of which makes twice of what the one before made.
fn doubling(first: &str, twice: &str) -> String {
    let mut text =
        format!("showrunner: 1\nid: costly\nsteps:\n  - id: s0\n    transform: {{ t: {first} }}\n");
    for n in 1..40 {
        let former = format!("steps.s{}.output.t", n - 1);
        let value = json!(format!("{{{{ {} }}}}", twice.replace('T', &former)));
        writeln!(text, "  - id: s{n}\n    transform: {{ t: {value} }}").unwrap();
    }
    text
}

/// Definitions that load well and would never end, or fill the memory, when they run.
fn endless() -> Vec<(&'static str, String)> {
    let mut all: Vec<_> =
        costly().into_iter().map(|(what, expression)| (what, computing(&expression))).collect();
    all.extend([
        ("a text twice as long with each step", doubling("[\"ab\"]", "[T[0] + T[0]]")),
        ("a list twice as long with each step", doubling("[1]", "T + T")),
        ("a tree twice as large with each step", doubling("[1]", "[T, T]")),
        ("a text in a text in a text", doubling("x", "json([T, T])")),
    ]);
    all
}

/// Expressions that are too much for a reader, before anything is computed.
fn deep() -> Vec<(&'static str, String)> {
    vec![
        ("brackets", format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000))),
        ("lists", format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000))),
        ("nots", format!("{}true", "!".repeat(10_000))),
        ("minuses", format!("{}1", "-".repeat(10_000))),
        ("sums", vec!["1"; 100_000].join("+")),
        ("ands", vec!["true"; 100_000].join("&&")),
        ("members", format!("input{}", ".a".repeat(100_000))),
        ("choices", format!("{}1", "true ? 1 : ".repeat(10_000))),
        ("calls", format!("{}1{}", "size(".repeat(10_000), ")".repeat(10_000))),
    ]
}

/// What a good refusal by HTTP looks like.
#[track_caller]
fn is_told(what: &str, answer: &Answer, took: Duration) {
    assert!(took < REFUSAL_MAX, "{what}: refused after {took:?}");
    let status = answer.status;
    assert!((400..500).contains(&status), "{what}: {status}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
    assert!(answer.bytes.len() < 200_000, "{what}: a refusal of {} bytes", answer.bytes.len());
    let problem = answer.json();
    for member in ["type", "title", "detail", "code", "request_id"] {
        let is_there = problem[member].as_str().is_some_and(|text| !text.is_empty());
        assert!(is_there, "{what}: no {member} in {problem}");
    }
    assert_eq!(problem["status"], status, "{what}");
}

/// Asks for `/healthz` all the time; what the slowest of a hundred takes.
async fn health(client: Client, is_over: Arc<AtomicBool>) -> (usize, Duration) {
    let mut times = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let began = Instant::now();
        let answer = client.once(Method::GET, "/healthz", (None, None)).await;
        assert_eq!(answer.map(|answer| answer.status), Some(200));
        times.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    times.sort();
    (times.len(), times[times.len() * 99 / 100])
}

/// By how much a server is larger than it was, once it has given back what it needed in between.
async fn growth(server: &Server, before: u64) -> u64 {
    let grown = || server.memory().saturating_sub(before);
    until(&format!("memory after {} MiB more", grown() >> 20), Duration::from_secs(4), async || {
        (grown() < GROWTH_MAX).then(grown)
    })
    .await
}

/// A world in which something is there to be harmed.
struct World {
    home: Home,
    server: Server,
    client: Client,
    run: String,
}

impl World {
    async fn new() -> Self {
        let home = Home::new();
        let (server, address) = home.start().await;
        let client = Client::at(address);
        publish(&client).await;
        let body = json!({ "definition": "proof-asked", "input": { "topic": "calm" } });
        let run = client.post("/api/v1/runs", &body).await.is(202).json()["run"]["id"].clone();
        let run = run.as_str().unwrap().to_owned();
        until("the question", Duration::from_secs(20), async || {
            let run = client.read(&format!("/api/v1/runs/{run}")).await;
            (run["waits"][0]["for"] == "person").then_some(())
        })
        .await;
        Self { home, server, client, run }
    }

    /// All that can be read of runs and definitions.
    async fn all(&self) -> Value {
        json!([
            self.client.all("/api/v1/runs").await,
            self.client.events(&self.run).await,
            self.client.read("/api/v1/definitions").await,
            self.client.all("/api/v1/approvals").await,
        ])
    }

    /// Does harm, and looks that there was none.
    async fn withstands(self, harm: impl AsyncFnOnce(&Client, &str)) {
        // The first of everything is not growth.
        self.client.post("/api/v1/definitions/validate", &json!({ "source": "x" })).await;
        let (before, memory) = (self.all().await, self.server.memory());
        let is_over = Arc::new(AtomicBool::new(false));
        let pulse = tokio::spawn(health(self.client.clone(), Arc::clone(&is_over)));
        harm(&self.client, &self.run).await;
        is_over.store(true, Ordering::Relaxed);
        let (count, p99) = pulse.await.unwrap();
        let grown = growth(&self.server, memory).await;
        println!("{count} health checks, p99 {p99:.1?}; grown by {} KiB", grown >> 10);
        assert!(p99 < HEALTH_P99_MAX, "health checks took {p99:?}");
        assert_eq!(self.all().await, before, "runs and definitions are as they were");
        self.server.close();
        assert!(!self.home.log().contains("panicked"), "{}", self.home.log());
    }
}

async fn validate(client: &Client, source: &str) -> (Answer, Duration) {
    let began = Instant::now();
    let request = client.request(Method::POST, "/api/v1/definitions/validate").unwrap();
    let request = request.header("content-type", "application/yaml").body(source.to_owned());
    let answer = read(request).await.unwrap();
    (answer, began.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn huge_and_deep_definitions_are_refused() {
    let sources = vec![
        ("10 000 steps", long_chain(10_000)),
        ("YAML nested deep", format!("showrunner: 1\nid: x\nsteps: {}", "[".repeat(10_000))),
        ("YAML maps nested deep", "{a: ".repeat(10_000)),
        ("JSON nested deep", format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))),
        ("aliases of aliases", aliases()),
        ("nothing", String::new()),
        ("not a definition", "42".to_owned()),
        ("no YAML", "a: [b\nc: }".to_owned()),
        ("an unknown agent's step", "showrunner: 1\nid: x\nsteps: [{id: a, agnt: b}]".to_owned()),
    ];
    World::new()
        .await
        .withstands(async |client, _| {
            for (what, source) in &sources {
                let (answer, took) = validate(client, source).await;
                is_told(what, &answer, took);
                let problem = answer.json();
                if problem["code"] == "invalid_definition" {
                    let error = &problem["errors"][0];
                    // Where something else is expected, why says what to do.
                    let is_kind = error["what"].as_str().unwrap().contains("is expected");
                    let members = ["line", "column", "what", "why", "hint"];
                    for member in members.into_iter().take(if is_kind { 4 } else { 5 }) {
                        assert!(!error[member].is_null(), "{what}: no {member} in {error}");
                    }
                }
                let began = Instant::now();
                let body = json!({ "source": source });
                let answer = client.post("/api/v1/definitions", &body).await;
                is_told(what, &answer, began.elapsed());
            }
        })
        .await;
}

/// Nine lists, each of nine times the one before.
fn aliases() -> String {
    let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for n in 1..12 {
        let list = vec![format!("*a{}", n - 1); 9].join(",");
        writeln!(text, "a{n}: &a{n} [{list}]").unwrap();
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn expressions_that_are_too_much_are_refused_or_fail_their_own_run() {
    World::new()
        .await
        .withstands(async |client, _| {
            for (what, expression) in deep() {
                let (answer, took) = validate(client, &computing(&expression)).await;
                is_told(what, &answer, took);
            }
            for (what, source) in endless() {
                let (answer, took) = validate(client, &source).await;
                assert!(took < REFUSAL_MAX, "{what}: {took:?}");
                if answer.status != 200 {
                    is_told(what, &answer, took);
                    println!("{what}: {}", answer.json()["errors"][0]["what"]);
                }
            }
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expression_that_costs_too_much_fails_its_step_and_nothing_else() {
    let home = Home::new();
    let (server, address) = home.start().await;
    let client = Client::at(address);
    let is_over = Arc::new(AtomicBool::new(false));
    let pulse = tokio::spawn(health(client.clone(), Arc::clone(&is_over)));
    suffer(&client).await;
    // What the first of everything needed is kept for the next one; a second round may not add.
    let memory = server.memory();
    suffer(&client).await;
    is_over.store(true, Ordering::Relaxed);
    let (count, p99) = pulse.await.unwrap();
    let grown = growth(&server, memory).await;
    println!("{count} health checks, p99 {p99:.1?}; grown by {} KiB", grown >> 10);
    assert!(p99 < HEALTH_P99_MAX, "health checks took {p99:?}");
    assert!(server.memory() < MEMORY_MAX, "{} MiB in memory", server.memory() >> 20);
    server.close();
}

/// Has every expression that is too much computed, each by a run of its own.
async fn suffer(client: &Client) {
    for (what, source) in endless() {
        let body = json!({ "source": source });
        let published = client.post("/api/v1/definitions", &body).await;
        if published.status != 201 {
            continue; // told when it was loaded, which is better
        }
        let began = Instant::now();
        let body = json!({ "definition": "costly", "input": {} });
        let answer = client.post("/api/v1/runs", &body).await;
        if answer.status != 202 {
            is_told(what, &answer, began.elapsed());
            continue;
        }
        let id = answer.json()["run"]["id"].as_str().unwrap().to_owned();
        let run = until("the end of a costly run", Duration::from_secs(5), async || {
            let run = client.read(&format!("/api/v1/runs/{id}")).await;
            (!run["ended_at"].is_null()).then_some(run)
        })
        .await;
        println!("{what}: {} after {:.0?}: {}", run["status"], began.elapsed(), run["failure"]);
        assert!(began.elapsed() < REFUSAL_MAX, "{what}: {:?}", began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn huge_and_deep_bodies_are_refused() {
    World::new()
        .await
        .withstands(async |client, run| {
            let paths = ["/api/v1/definitions", "/api/v1/runs", "/api/v1/requests"];
            let callback = format!("/api/v1/runs/{run}/callbacks/x");
            for path in paths.into_iter().chain([callback.as_str()]) {
                is_refused_while_it_is_sent(client, path).await;
                let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
                for (what, body) in [("deep", deep), ("cut off", "{\"a\": [1,".into())] {
                    let began = Instant::now();
                    let request = client.request(Method::POST, path).unwrap();
                    let request = request.header("content-type", "application/json").body(body);
                    let answer = read(request).await.unwrap();
                    is_told(&format!("{what} to {path}"), &answer, began.elapsed());
                }
            }
        })
        .await;
}

/// 100 MB: declared, and in pieces of which nobody has said how many there are.
async fn is_refused_while_it_is_sent(client: &Client, path: &str) {
    let began = Instant::now();
    let answer = raw(client, path, "content-length: 100000000", 64 << 10).await;
    let took = began.elapsed();
    assert!(answer.starts_with("HTTP/1.1 413"), "{path}: {answer}");
    assert!(answer.contains("application/problem+json"), "{path}: {answer}");
    assert!(took < REFUSAL_MAX, "{path}: {took:?}");
    let began = Instant::now();
    let answer = raw(client, path, "transfer-encoding: chunked", 100 << 20).await;
    let took = began.elapsed();
    assert!(answer.starts_with("HTTP/1.1 413"), "{path}: {answer}");
    assert!(took < REFUSAL_MAX, "{path}: {took:?}");
}

/// Sends up to so many bytes until the server answers; what it answers.
async fn raw(client: &Client, path: &str, header: &str, bytes: usize) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let address = client.door.address().unwrap();
    let host = address.url.strip_prefix("http://").unwrap();
    let line = tokio::net::TcpStream::connect(host).await.unwrap();
    let (mut from, mut to) = line.into_split();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\ncontent-type: \
         application/json\r\nconnection: close\r\n{header}\r\n\r\n",
        address.token
    );
    let is_chunked = header.contains("chunked");
    let sender = tokio::spawn(async move {
        if to.write_all(head.as_bytes()).await.is_err() {
            return;
        }
        let piece = vec![b'['; 64 << 10];
        let mut sent = 0;
        while sent < bytes {
            let written = async {
                if is_chunked {
                    to.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await?;
                }
                to.write_all(&piece).await?;
                if is_chunked { to.write_all(b"\r\n").await } else { Ok(()) }
            };
            if written.await.is_err() {
                return; // the server has hung up
            }
            sent += piece.len();
        }
        // Keeps the line open: the answer must not wait for the rest.
        std::future::pending::<()>().await;
    });
    let mut answer = Vec::new();
    let mut piece = vec![0; 4096];
    let listen = async {
        while let Ok(count @ 1..) = from.read(&mut piece).await {
            answer.extend_from_slice(&piece[..count]);
        }
    };
    drop(tokio::time::timeout(Duration::from_secs(5), listen).await);
    sender.abort();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_tokens_cursors_and_types_are_told() {
    World::new()
        .await
        .withstands(async |client, run| {
            let brand = brand(client).await;
            let brief = json!({
                "brand_id": brand, "title": "x", "request_type": "image", "prompt": "y",
            });
            let with = |name: &str, value: Value| {
                let mut brief = brief.clone();
                brief[name] = value;
                brief
            };
            let input = json!({ "definition": "proof-chain", "input": {} });
            let posts: Vec<(&str, Value, u16)> = vec![
                ("/api/v1/requests", json!({}), 422),
                ("/api/v1/requests", json!([]), 422),
                ("/api/v1/requests", with("brand_id", json!("x")), 422),
                ("/api/v1/requests", with("title", json!("")), 422),
                ("/api/v1/requests", with("title", json!("x".repeat(256))), 422),
                ("/api/v1/requests", with("prompt", json!("x".repeat(5_001))), 422),
                ("/api/v1/requests", with("request_type", json!("song")), 422),
                ("/api/v1/requests", with("request_type", json!("video_with_voice")), 422),
                ("/api/v1/requests", with("auto_approve", json!("yes")), 422),
                ("/api/v1/requests", with("aspect_ratio", json!("5:1")), 422),
                ("/api/v1/requests", with("pormpt", json!("typo")), 422),
                ("/api/v1/runs", input.clone(), 422),
                ("/api/v1/runs", json!({ "definition": "nothing" }), 404),
                ("/api/v1/runs", json!({ "definition": 7 }), 422),
                ("/api/v1/runs", json!({ "definition": "proof-chain", "version": 9 }), 404),
                ("/api/v1/runs/run_nothing/cancel", json!({}), 404),
                ("/api/v1/runs/../../etc/passwd/cancel", json!({}), 404),
                ("/api/v1/definitions", json!({ "source": 1 }), 422),
            ];
            for (path, body, status) in posts {
                let began = Instant::now();
                let answer = client.post_as("bad", path, &body).await;
                is_told(&format!("{path} {}", cut(&body)), &answer, began.elapsed());
                assert_eq!(answer.status, status, "{path} {}: {}", cut(&body), answer.json());
            }
            let gets = [
                ("/api/v1/runs?cursor=nonsense", 400),
                ("/api/v1/runs?limit=0", 400),
                ("/api/v1/runs?limit=many", 400),
                ("/api/v1/runs?stauts=failed", 400),
                ("/api/v1/runs?status=lost", 400),
                ("/api/v1/runs/nothing", 404),
                ("/api/v1/assets/nothing/content", 404),
                ("/api/v1/nothing", 404),
            ];
            for (path, status) in gets {
                let began = Instant::now();
                let answer = client.get(path).await;
                is_told(path, &answer, began.elapsed());
                assert_eq!(answer.status, status, "{path}");
            }
            wrong_headers(client, run).await;
        })
        .await;
}

fn cut(body: &Value) -> String {
    body.to_string().chars().take(80).collect()
}

async fn wrong_headers(client: &Client, run: &str) {
    let address = client.door.address().unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let tokens =
        [None, Some("Bearer wrong"), Some("Bearer "), Some("Basic eDp5"), Some("Bearer sr_x")];
    for token in tokens {
        let began = Instant::now();
        let mut request = http.get(format!("{}/api/v1/runs", address.url));
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        let answer = read(request).await.unwrap();
        is_told(&format!("token {token:?}"), &answer, began.elapsed());
        assert_eq!(answer.status, 401, "{token:?}");
    }
    let path = format!("/api/v1/runs/{run}/events/stream");
    for cursor in ["-1", "abc", "99999", "18446744073709551616", "1;2"] {
        let began = Instant::now();
        let request = client.request(Method::GET, &path).unwrap().header("last-event-id", cursor);
        let answer = read(request).await.unwrap();
        is_told(&format!("Last-Event-ID {cursor}"), &answer, began.elapsed());
        assert_eq!(answer.status, 400, "{cursor}");
    }
    for key in [" ", &"k".repeat(256)] {
        let began = Instant::now();
        let body = json!({ "definition": "proof-chain", "input": { "topic": "x" } });
        let answer = client.post_as(key, "/api/v1/runs", &body).await;
        is_told("Idempotency-Key", &answer, began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_says_what_is_wrong_and_what_to_do() {
    let home = Home::new();
    let (server, address) = home.start().await;
    std::fs::write(home.beside("long.yaml"), long_chain(10_000)).unwrap();
    std::fs::write(home.beside("deep.yaml"), format!("a: {}", "[".repeat(10_000))).unwrap();
    std::fs::write(home.beside("wrong.yaml"), "showrunner: 1\nid: x\nstep: []\n").unwrap();
    let online = ["--url", &address.url, "--token", &address.token];
    let cases: Vec<(Vec<&str>, i32)> = vec![
        (vec!["validate", "long.yaml"], 1),
        (vec!["validate", "deep.yaml"], 1),
        (vec!["validate", "wrong.yaml"], 1),
        (vec!["validate", "nothing.yaml"], 2),
        (vec!["publish", "long.yaml"], 1),
        (vec!["publish", "deep.yaml"], 1),
        (vec!["runs", "show", "run_nothing"], 1),
        (vec!["cancel", "run_nothing"], 1),
        (vec!["run", "nothing"], 1),
        (vec!["run", "x", "--inptu", "a=b"], 2),
        (vec!["rnu"], 2),
        (vec!["serve", "--listen", "nowhere"], 2),
        (vec!["serve", "--listen", "0.0.0.0:0"], 2),
        (vec!["serve", "--database-url", "mysql://x"], 2),
        (vec!["serve", "--scripted-latency-ms", "9..1"], 2),
        (vec!["serve", "--scripted-faults", "nothing.json"], 2),
    ];
    for (args, code) in cases {
        let began = Instant::now();
        let mut all = args.clone();
        if args[0] != "serve" && args[0] != "validate" && args[0] != "rnu" {
            all.extend(online);
        }
        let said: Said = home.run(&all);
        assert!(began.elapsed() < REFUSAL_MAX * 2, "{args:?}: {:?}", began.elapsed());
        said.ends(code);
        assert!(!said.err.is_empty() || !said.out.is_empty(), "{args:?} says nothing");
        assert!(!said.err.contains("panicked"), "{said:?}");
    }
    let wrong = home.run(&["runs", "list", "--url", &address.url, "--token", "wrong"]);
    wrong.ends(1).tells(&["token"]);
    server.close();
}
