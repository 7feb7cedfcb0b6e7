//! Callbacks in: who is believed, and what becomes of what they say, whenever it comes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Method, Request};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use showrunner_engine::at::Millis;
use showrunner_engine::money::{MicroUsd, Spend};
use showrunner_providers::callbacks::Callbacks;
use showrunner_providers::egress::{Egress, Rules};
use showrunner_providers::scripted::ScriptedConfig;
use showrunner_providers::{
    CallFailure, CallSafety, LookUp, MediaJob, MediaKind, MediaProvider, MediaRequest, MediaResult,
    MediaStatus, Mode, Providers, Submitted, Unpriced,
};
use showrunner_runtime::Clock;

use crate::clock::MovedClock;
use crate::receiver::eventually;
use crate::support::{Answer, OWNER, Server};

pub(crate) const N8N: &str = "/api/v1/webhooks/n8n-callback";
const VENDOR: &str = "/api/v1/webhooks/provider-callback";
pub(crate) const SECRET: &str = "n8n-hush";
/// 24 bytes at least, so that it is one of the standard's too.
pub(crate) const WHSEC: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A step whose job a vendor takes and a step that waits for a report.
const FILM: &str = "showrunner: 1\nid: film\ntitle: { en: Film }\nsteps:\n  - id: shoot\n    \
    label: { en: Shoot }\n    agent: producer\n    settings: { kind: video, provider: fal }\n    \
    input: { prompt: a cup }\n    timeout: 10h\n    retry: { attempts: 2 }\noutputs: \
    \"{{ steps.shoot.output }}\"\n";
const WAIT: &str = "showrunner: 1\nid: wait\ntitle: { en: Wait }\nsteps:\n  - id: report\n    \
    label: { en: Report }\n    wait: { callback: from-n8n }\noutputs: \
    \"{{ steps.report.output }}\"\n";

/// A vendor with books of its own, on this machine: it takes jobs, and is done when it is told.
#[derive(Debug)]
struct Vendor {
    name: &'static str,
    submitted: AtomicUsize,
    polled: AtomicUsize,
    is_done: AtomicBool,
    /// Submitting takes until this is set.
    is_slow: AtomicBool,
}

impl Vendor {
    fn named(name: &'static str) -> Arc<Self> {
        Arc::new(Self {
            name,
            submitted: AtomicUsize::new(0),
            polled: AtomicUsize::new(0),
            is_done: AtomicBool::new(false),
            is_slow: AtomicBool::new(false),
        })
    }
}

#[async_trait]
impl MediaProvider for Vendor {
    fn name(&self) -> &str {
        self.name
    }
    fn mode(&self) -> Mode {
        Mode::Live
    }
    fn safety(&self) -> CallSafety {
        CallSafety::Idempotent
    }
    fn makes(&self, kind: MediaKind) -> bool {
        kind == MediaKind::Video
    }
    async fn submit(&self, _request: &MediaRequest) -> Result<Submitted, CallFailure> {
        let no = self.submitted.fetch_add(1, Ordering::SeqCst) + 1;
        while self.is_slow.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(Submitted::Accepted { job_id: format!("job-{no}") })
    }
    async fn poll(&self, _job: &str) -> Result<MediaStatus, CallFailure> {
        self.polled.fetch_add(1, Ordering::SeqCst);
        if !self.is_done.load(Ordering::SeqCst) {
            return Ok(MediaStatus::Working { progress_permille: None });
        }
        let result = MediaResult::Bytes { mime: "video/mp4".into(), bytes: "film".into() };
        Ok(MediaStatus::Done(MediaJob { result, cost: MicroUsd(500_000), simulated: false }))
    }
    async fn look_up(&self, _key: &str) -> Result<LookUp<Submitted>, CallFailure> {
        Ok(LookUp::CannotSay)
    }
    async fn cancel(&self, _job: &str) -> Result<MicroUsd, CallFailure> {
        Ok(MicroUsd(500_000))
    }
    fn ceiling(&self, _request: &MediaRequest) -> Result<Spend, Unpriced> {
        Ok(Spend { cost: MicroUsd(500_000), tokens: 0 })
    }
}

/// The server, and everybody outside it.
pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) clock: Arc<MovedClock>,
    vendor: Arc<Vendor>,
    keys: Keys,
}

/// fal's keys, published on this machine, and its files.
struct Keys {
    pair: Ed25519KeyPair,
    address: String,
}

impl Keys {
    async fn publish() -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let set = json!({ "keys": [
            { "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode([1; 32]) },
            { "kty": "OKP", "crv": "Ed25519", "x": x },
        ] });
        let router = axum::Router::new()
            .route("/jwks.json", axum::routing::get(async move || axum::Json(set)))
            .route(
                "/film.mp4",
                axum::routing::get(async || ([("content-type", "video/mp4")], "moving")),
            );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }));
        Self { pair, address }
    }
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let (keys, clock) = (Keys::publish().await, Arc::new(MovedClock::new()));
        let folder = tempfile::tempdir().unwrap();
        Self::open(folder, clock, Vendor::named("fal"), keys, true).await
    }

    async fn open(
        folder: tempfile::TempDir,
        clock: Arc<MovedClock>,
        vendor: Arc<Vendor>,
        keys: Keys,
        with_secrets: bool,
    ) -> Self {
        let rules = Rules::allowing([keys.address.parse().unwrap()]);
        let egress = Egress::new(rules);
        let one = |sender: &str, secrets: &[&str]| {
            (sender.to_owned(), secrets.iter().map(ToString::to_string).collect())
        };
        let secrets: BTreeMap<String, Vec<String>> = if with_secrets {
            [
                one("n8n", &["being-replaced", SECRET, WHSEC]),
                one("pollo", &[&STANDARD.encode("pollo-hush")]),
                one("elevenlabs", &["eleven-hush"]),
                one("openai", &[WHSEC]),
            ]
            .into()
        } else {
            BTreeMap::new()
        };
        let callbacks = Callbacks::new(secrets, egress.clone())
            .with_fal_keys_at(egress.clone(), &format!("http://{}/jwks.json", keys.address));
        let fal = Arc::clone(&vendor);
        let adapt = |mut providers: Providers| {
            providers.add_media(fal, 4);
            providers.with_egress(egress).with_callbacks(callbacks)
        };
        let own_clock = Arc::clone(&clock) as Arc<dyn Clock>;
        let server = Server::start_in(folder, ScriptedConfig::default(), own_clock, adapt).await;
        server.runtime.start_webhooks("http://localhost");
        Self { server, clock, vendor, keys }
    }

    /// The process goes away and another one comes.
    async fn again(self) -> Self {
        let Self { server, clock, vendor, keys } = self;
        Self::open(server.end().await, clock, vendor, keys, true).await
    }

    async fn start(&self, definition: &str) -> String {
        let definition =
            &definition.replace("provider: fal", &format!("provider: {}", self.vendor.name));
        let publish = Request::builder()
            .method(Method::POST)
            .uri("/api/v1/definitions")
            .header("authorization", format!("Bearer {OWNER}"))
            .header("content-type", "application/yaml");
        let published = self.server.send(publish.body(Body::from(definition.clone())).unwrap());
        let published = published.await;
        assert!(published.status.is_success(), "{}", published.text);
        let name = if definition.contains("id: film") { "film" } else { "wait" };
        let run = json!({ "definition": name, "input": {} });
        let started = self.server.post("/api/v1/runs", &run).await;
        assert_eq!(started.status, 202, "{}", started.text);
        started.json()["run"]["id"].as_str().unwrap().to_owned()
    }

    /// A run whose film is being made by the vendor.
    pub(crate) async fn filming(&self) -> String {
        let run = self.start(FILM).await;
        self.server.until(&run, "attempt.accepted").await;
        run
    }

    async fn step(&self, run: &str) -> Value {
        self.server.get(&format!("/api/v1/runs/{run}/steps/shoot")).await.json()
    }

    pub(crate) fn clock_secs(&self) -> i64 {
        self.clock.now().0 / 1_000_000
    }

    pub(crate) async fn events_of(&self, run: &str) -> Vec<String> {
        self.events(run).await
    }

    pub(crate) async fn call(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.call_as(path, "application/json", headers, body).await
    }

    pub(crate) async fn call_as(
        &self,
        path: &str,
        kind: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder().method(Method::POST).uri(path);
        request = request.header("content-type", kind);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.server.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// n8n reports, signed as the source signs.
    async fn report(&self, body: &Value) -> Answer {
        let body = body.to_string();
        self.call(N8N, &[("x-n8n-signature", &sign(SECRET, &body))], &body).await
    }

    /// fal calls back, signed as fal signs.
    async fn fal(&self, id: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let at = (self.clock.now().0 / 1_000_000).to_string();
        let digest = hex(&Sha256::digest(body.as_bytes()));
        let signed = format!("{id}\nuser\n{at}\n{digest}");
        let signature = hex(self.keys.pair.sign(signed.as_bytes()).as_ref());
        let headers = [
            ("x-fal-webhook-request-id", id),
            ("x-fal-webhook-user-id", "user"),
            ("x-fal-webhook-timestamp", at.as_str()),
            ("x-fal-webhook-signature", signature.as_str()),
        ];
        self.call(&format!("{VENDOR}?provider=fal"), &headers, &body).await
    }

    async fn events(&self, run: &str) -> Vec<String> {
        let events = self.server.get(&format!("/api/v1/runs/{run}/events?limit=1000")).await.json();
        let events = events["data"].as_array().unwrap().iter();
        events.map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

pub(crate) fn sign(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn done(run: &str, url: &str) -> Value {
    json!({
        "request_task_id": format!("{run}:shoot"), "status": "completed", "output_url": url,
        "provider_name": "runway", "external_job_id": "job-1", "cost_incurred": 0.25,
        "execution_time_ms": 1200, "metadata": { "execution_id": "7" },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendors_callback_makes_its_job_be_asked_about_at_once() {
    let stage = Stage::set().await;
    let run = stage.filming().await;
    let polled = || stage.vendor.polled.load(Ordering::SeqCst);
    eventually("it is asked about a first time", async || (polled() > 0).then_some(())).await;
    stage.vendor.is_done.store(true, Ordering::SeqCst);
    // By itself it would be asked again when time passes, and here none does.
    let body = json!({ "request_id": "job-1", "status": "OK", "payload": {} });
    let heard = stage.fal("m-1", &body).await;
    assert_eq!(heard.status, 200, "{}", heard.text);
    assert_eq!(
        heard.json(),
        json!({ "success": true, "task_id": format!("{run}:shoot"), "status": "completed" }),
    );
    stage.server.until(&run, "run.completed").await;
    let output = stage.step(&run).await["output"].clone();
    assert_eq!(output["provider"], "fal");
    assert_eq!(stage.step(&run).await["cost_micros"], 500_000);
    // Duplicates, and later ones, change nothing.
    let before = stage.events(&run).await;
    let again = stage.fal("m-1", &body).await;
    assert_eq!((again.status.as_u16(), &again.json()["idempotent"]), (200, &json!(true)));
    assert_eq!(stage.fal("m-2", &body).await.status, 200);
    let other = json!({ "request_id": "job-1", "status": "ERROR" });
    assert_eq!(stage.fal("m-1", &other).await.verdict(), "409 replayed");
    assert_eq!(stage.events(&run).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_callback_says_is_never_believed_before_the_provider_says_so() {
    let stage = Stage::set().await;
    let run = stage.filming().await;
    for body in [
        json!({ "request_id": "job-1", "status": "OK", "payload": { "video": "evil" } }),
        json!({ "request_id": "job-1", "status": "ERROR", "error": "it failed" }),
    ] {
        let id = format!("m-{}", body["status"]);
        assert_eq!(stage.fal(&id, &body).await.status, 200);
        stage.clock.advance(Millis(3_000));
    }
    let polled = || stage.vendor.polled.load(Ordering::SeqCst);
    eventually("it is asked about", async || (polled() >= 2).then_some(())).await;
    assert_eq!(stage.step(&run).await["status"], "waiting", "the vendor is still at work");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsigned_hint_is_only_a_reason_to_ask() {
    let stage = Stage::set().await;
    let known = stage.filming().await;
    let path = |vendor: &str| format!("{VENDOR}?provider={vendor}");
    let body = json!({ "id": "job-1", "status": "SUCCEEDED" }).to_string();
    // Runway's word about a job that is fal's, or nobody's: answered alike.
    for job in ["job-1", "job-9"] {
        let body = json!({ "id": job, "status": "SUCCEEDED" }).to_string();
        let heard = stage.call(&path("runway"), &[], &body).await;
        assert_eq!(heard.json(), json!({ "success": true, "status": "completed" }), "{job}");
    }
    let kling = json!({ "data": { "task_id": "job-1", "task_status": "failed" } }).to_string();
    assert_eq!(stage.call(&path("kling"), &[], &kling).await.status, 200);
    assert_eq!(stage.step(&known).await["status"], "waiting");
    // A vendor that signs is not believed without.
    assert_eq!(stage.call(&path("fal"), &[], &body).await.verdict(), "401 bad_signature");
    assert_eq!(stage.call(&path("nobody"), &[], &body).await.verdict(), "400 bad_callback");
    assert_eq!(stage.call(VENDOR, &[], &body).await.verdict(), "400 bad_callback");
    let nameless = stage.call(&path("runway"), &[], "{}").await;
    assert_eq!(nameless.verdict(), "400 bad_callback");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_makes_the_provider_be_asked_and_its_answer_counts() {
    let (keys, clock) = (Keys::publish().await, Arc::new(MovedClock::new()));
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::open(folder, clock, Vendor::named("kling"), keys, true).await;
    let run = stage.filming().await;
    let polled = || stage.vendor.polled.load(Ordering::SeqCst);
    eventually("it is asked about a first time", async || (polled() > 0).then_some(())).await;
    stage.vendor.is_done.store(true, Ordering::SeqCst);
    stage.server.runtime.endpoints_changed(); // what the follower would do within a second
    let journal = stage.server.runtime.journal();
    eventually("the job is known", async || journal.job("kling", "job-1").await.unwrap()).await;
    // It says that it failed; Kling says that it is done.
    let hint = json!({ "data": { "task_id": "job-1", "task_status": "failed" } }).to_string();
    let heard = stage.call(&format!("{VENDOR}?provider=kling"), &[], &hint).await;
    assert_eq!(heard.json(), json!({ "success": true, "status": "failed" }));
    stage.server.until(&run, "run.completed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_comes_before_its_job_is_known_is_kept() {
    let stage = Stage::set().await;
    stage.vendor.is_slow.store(true, Ordering::SeqCst);
    let run = stage.start(FILM).await;
    let submitted = || stage.vendor.submitted.load(Ordering::SeqCst);
    eventually("the vendor has it", async || (submitted() == 1).then_some(())).await;
    let body = json!({ "request_id": "job-1", "status": "OK" });
    let early = stage.fal("m-1", &body).await;
    assert_eq!(
        (early.verdict().as_str(), &early.json()["kept"]),
        ("404 unknown_task", &json!(true))
    );
    // The vendor answers, is not done when it is first asked, and calls no second time.
    stage.vendor.is_slow.store(false, Ordering::SeqCst);
    stage.server.until(&run, "attempt.accepted").await;
    let polled = || stage.vendor.polled.load(Ordering::SeqCst);
    eventually("it is asked about a first time", async || (polled() > 0).then_some(())).await;
    stage.vendor.is_done.store(true, Ordering::SeqCst);
    stage.server.runtime.endpoints_changed(); // what the follower would do within a second
    stage.server.until(&run, "run.completed").await;
    let kept = stage.server.runtime.journal().early_callbacks("fal", "job-1").await.unwrap();
    assert_eq!(kept, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn n8n_reports_a_task_and_its_file_is_copied_here() {
    let stage = Stage::set().await;
    let run = stage.filming().await;
    let url = format!("http://{}/film.mp4", stage.keys.address);
    let taken = stage.report(&done(&run, &url)).await;
    assert_eq!(taken.status, 200, "{}", taken.text);
    assert_eq!(taken.json()["message"], format!("Task {run}:shoot updated to completed"));
    stage.server.until(&run, "run.completed").await;
    let step = stage.step(&run).await;
    assert_eq!(step["output"]["output_url"], url);
    assert_eq!(step["output"]["metadata"]["execution_id"], "7");
    let asset = step["output"]["asset"]["id"].as_str().unwrap().to_owned();
    let file = stage.server.get(&format!("/api/v1/assets/{asset}/content")).await;
    assert_eq!(file.text, "moving");
    assert_eq!(step["cost_micros"], 250_000, "what the report says it cost");
    // Again, the same and another: the source's answer, and nothing happens.
    let before = stage.events(&run).await;
    let already = json!({ "success": true, "message": "Already processed", "idempotent": true });
    assert_eq!(stage.report(&done(&run, &url)).await.json(), already);
    let mut other = done(&run, &url);
    other["cost_incurred"] = json!(9.0);
    assert_eq!(stage.report(&other).await.json(), already);
    let failed = json!({ "request_task_id": format!("{run}:shoot"), "status": "failed" });
    assert_eq!(stage.report(&failed).await.json(), already);
    assert_eq!(stage.events(&run).await, before);
    assert_eq!(stage.step(&run).await["cost_micros"], 250_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn n8n_reports_a_failure_and_a_report_about_an_earlier_job_is_too_late() {
    let stage = Stage::set().await;
    let run = stage.filming().await;
    let failed = json!({
        "request_task_id": format!("{run}:shoot"), "status": "failed", "external_job_id": "job-1",
        "error_message": "the model refused",
    });
    assert_eq!(stage.report(&failed).await.status, 200);
    let failure = stage.server.until(&run, "attempt.failed").await;
    assert!(failure.last().unwrap().data.contains("the model refused"));
    stage.clock.advance(Millis::from_secs(3600));
    let submitted = || stage.vendor.submitted.load(Ordering::SeqCst);
    eventually("it is tried again", async || (submitted() == 2).then_some(())).await;
    eventually("the second job is known", async || {
        let accepted = stage.events(&run).await;
        (accepted.iter().filter(|name| *name == "attempt.accepted").count() == 2).then_some(())
    })
    .await;
    let url = format!("http://{}/film.mp4", stage.keys.address);
    let late = stage.report(&done(&run, &url)).await.json();
    assert_eq!((&late["success"], &late["idempotent"]), (&json!(true), &json!(true)), "{late}");
    assert_eq!(stage.step(&run).await["status"], "waiting", "job-2 is still at work");
    let mut second = done(&run, &url);
    second["external_job_id"] = json!("job-2");
    assert_eq!(stage.report(&second).await.status, 200);
    stage.server.until(&run, "run.completed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_after_the_end_changes_nothing() {
    let stage = Stage::set().await;
    let run = stage.filming().await;
    let cancelled = stage.server.post(&format!("/api/v1/runs/{run}/cancel"), &json!({})).await;
    assert_eq!(cancelled.status, 200);
    stage.server.until(&run, "run.cancelled").await;
    let before = stage.events(&run).await;
    let url = format!("http://{}/film.mp4", stage.keys.address);
    let late = stage.report(&done(&run, &url)).await;
    assert_eq!(late.status, 200, "{}", late.text);
    assert_eq!(late.json()["idempotent"], true);
    assert_eq!(
        stage.fal("m-1", &json!({ "request_id": "job-1", "status": "OK" })).await.status,
        200
    );
    assert_eq!(stage.events(&run).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_not_be_fetched_fails_the_attempt() {
    let stage = Stage::set().await;
    let run = stage.filming().await;
    let taken = stage.report(&done(&run, "http://169.254.169.254/latest/meta-data")).await;
    assert_eq!(taken.status, 200);
    let failed = stage.server.until(&run, "attempt.failed").await;
    assert!(failed.last().unwrap().data.contains("output_refused"), "{failed:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_was_answered_survives_the_end_of_the_process() {
    let stage = Stage::set().await;
    stage.vendor.is_slow.store(true, Ordering::SeqCst);
    let run = stage.start(FILM).await;
    let submitted = || stage.vendor.submitted.load(Ordering::SeqCst);
    eventually("the vendor has it", async || (submitted() == 1).then_some(())).await;
    let mut report = done(&run, &format!("http://{}/film.mp4", stage.keys.address));
    report["external_job_id"] = Value::Null;
    let kept = stage.report(&report).await;
    assert_eq!(kept.status, 200, "{}", kept.text);
    stage.vendor.is_slow.store(false, Ordering::SeqCst);
    let stage = stage.again().await;
    stage.server.runtime.endpoints_changed();
    eventually("the report is taken", async || {
        stage.server.runtime.endpoints_changed();
        stage.events(&run).await.contains(&"run.completed".to_owned()).then_some(())
    })
    .await;
    let file = stage.step(&run).await["output"]["asset"]["id"].as_str().unwrap().to_owned();
    assert_eq!(stage.server.get(&format!("/api/v1/assets/{file}/content")).await.text, "moving");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_step_takes_a_report_and_others_say_what_they_wait_for() {
    let stage = Stage::set().await;
    let run = stage.start(WAIT).await;
    stage.server.until(&run, "step.waiting").await;
    let report = json!({
        "request_task_id": format!("{run}:report"), "status": "completed", "metadata": { "n": 1 },
    });
    assert_eq!(stage.report(&report).await.status, 200);
    stage.server.until(&run, "run.completed").await;
    let request = stage.server.waiting_request().await;
    let report = json!({ "request_task_id": format!("{request}:approval"), "status": "completed" });
    assert_eq!(stage.report(&report).await.verdict(), "409 step_state");
    for task in ["run_unheard:shoot", "nothing", "run_x:", ":shoot", &format!("{run}:none")] {
        let report = json!({ "request_task_id": task, "status": "completed" });
        assert_eq!(stage.report(&report).await.verdict(), "404 unknown_task", "{task}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_secret_nobody_is_believed_and_health_is_told() {
    let (keys, clock) = (Keys::publish().await, Arc::new(MovedClock::new()));
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::open(folder, clock, Vendor::named("fal"), keys, false).await;
    let body = json!({ "request_task_id": "a:b", "status": "completed" }).to_string();
    for headers in [&[][..], &[("x-n8n-signature", "00")], &[("x-n8n-signature", "")]] {
        assert_eq!(stage.call(N8N, headers, &body).await.verdict(), "503 no_secret");
    }
    // Not even with the empty text as secret.
    let empty = sign("", &body);
    let refused = stage.call(N8N, &[("x-n8n-signature", &empty)], &body).await;
    assert_eq!(refused.verdict(), "503 no_secret");
    for vendor in ["pollo", "elevenlabs", "openai"] {
        let path = format!("{VENDOR}?provider={vendor}");
        assert_eq!(stage.call(&path, &[], &body).await.verdict(), "503 no_secret", "{vendor}");
    }
    let health = stage.server.get(N8N).await.json();
    assert_eq!(
        (&health["status"], &health["service"]),
        (&json!("ok"), &json!("n8n-callback-webhook"))
    );
    let health = stage.server.get(VENDOR).await.json();
    assert!(health["supported_providers"].as_array().unwrap().contains(&json!("runway")));
}
