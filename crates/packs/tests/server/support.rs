//! A server to talk to, and what its answers are.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, BodyDataStream, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use futures_util::StreamExt as _;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use showrunner_engine::at::{Millis, Timestamp};
use showrunner_engine::id::{Digest, OrgId};
use showrunner_journal::query::tokens::StoredToken;
use showrunner_journal::{Hooks, Journal, SqliteJournal, SqliteOptions};
use showrunner_providers::ledger::MemoryLedger;
use showrunner_providers::scripted::{ScriptedConfig, ScriptedModel};
use showrunner_providers::{Profiles, Providers};
use showrunner_runtime::{Clock, Feed, LocalPictures, Options, Pace, Parts, Runtime, SystemClock};
use showrunner_web::Facts;
use tower::ServiceExt as _;

/// The owner's token.
pub(crate) const OWNER: &str = "owner-token";
/// Somebody who may only look.
pub(crate) const VIEWER: &str = "viewer-token";
/// The owner of another organisation.
pub(crate) const STRANGER: &str = "stranger-token";

pub(crate) struct Server {
    pub(crate) app: Router,
    pub(crate) runtime: Runtime,
    folder: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The status and, of a problem, its code: what most tests are about.
    pub(crate) fn verdict(&self) -> String {
        let body: Value = serde_json::from_str(&self.text).unwrap_or_default();
        let code = body["code"].as_str().unwrap_or_default();
        format!("{} {code}", self.status.as_u16()).trim().to_owned()
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(ScriptedConfig::default()).await
    }

    pub(crate) async fn start_with(config: ScriptedConfig) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new().unwrap());
        Self::start_in(tempfile::tempdir().unwrap(), config, clock, |providers| providers).await
    }

    /// Starts on what a folder holds, by another clock, and with further providers.
    pub(crate) async fn start_in(
        folder: tempfile::TempDir,
        config: ScriptedConfig,
        clock: Arc<dyn Clock>,
        adapt: impl FnOnce(Providers) -> Providers,
    ) -> Self {
        let feed = Feed::default();
        let told = feed.clone();
        let mut options = SqliteOptions::in_directory(folder.path());
        options.hooks = Hooks {
            on_durable: Some(Arc::new(move |committed| told.publish(committed))),
            ..Hooks::default()
        };
        let journal: Arc<dyn Journal> = SqliteJournal::open(options).unwrap();
        let sleeper = Pace::of(Arc::clone(&clock)).sleeper();
        let mut providers = Providers::new(Profiles::shipped());
        let ledger = Arc::new(MemoryLedger::default());
        let scripted = ScriptedModel::new("scripted", config, ledger, sleeper);
        providers.add_model(Arc::new(scripted), 64);
        providers.add_media(Arc::new(LocalPictures), 4);
        let providers = adapt(providers);
        let objects = Arc::clone(journal.objects());
        let runtime =
            Runtime::new(Parts { journal, objects, clock, providers, feed }, Options::default());
        let org = OrgId::from("default");
        for (token, org, role) in [
            (OWNER, "default", "owner"),
            (VIEWER, "default", "viewer"),
            (STRANGER, "other", "owner"),
        ] {
            let stored = stored(token, org, role);
            if runtime.journal().token(&stored.digest).await.unwrap().is_none() {
                runtime.journal().put_token(&stored).await.unwrap();
            }
        }
        let packs = showrunner_packs::install(&runtime, &org).await.unwrap();
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let facts = Facts { version: "test".into(), metrics: Some(metrics), ..Facts::default() };
        let app = showrunner_web::serve(runtime.clone(), facts, packs).await.unwrap();
        runtime.recover().await.unwrap();
        runtime.start_timers();
        Self { app, runtime, folder }
    }

    /// Ends at once, whatever is under way, and leaves what it kept.
    pub(crate) async fn end(self) -> tempfile::TempDir {
        self.runtime.shut_down(Millis(0)).await;
        self.runtime.journal().close().await;
        self.folder
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, 64 << 20).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: head.status, headers: head.headers, text }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(as_owner(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = as_owner(Method::POST, path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// The sample brand.
    pub(crate) async fn brand(&self) -> String {
        self.get("/api/v1/brands").await.json()["data"][0]["id"].as_str().unwrap().to_owned()
    }

    /// A good request for an image.
    pub(crate) async fn brief(&self) -> Value {
        json!({
            "brand_id": self.brand().await,
            "title": "Daybreak Blend",
            "request_type": "image",
            "prompt": "Key visual for our autumn coffee: a kitchen at sunrise, one steaming cup.",
        })
    }

    /// A request that has got as far as waiting for approval.
    pub(crate) async fn waiting_request(&self) -> String {
        let created = self.post("/api/v1/requests", &self.brief().await).await;
        assert_eq!(created.status, 202, "{}", created.text);
        let id = created.json()["data"]["id"].as_str().unwrap().to_owned();
        self.until(&id, "checkpoint.opened").await;
        id
    }

    /// Follows a run's stream until an event of this name has come.
    pub(crate) async fn until(&self, run: &str, name: &str) -> Vec<Frame> {
        let mut stream = self.stream(run, 0).await;
        let mut seen = Vec::new();
        while let Some(frame) = stream.next().await {
            let is_it = frame.event == name;
            assert!(is_it || frame.event != "end", "the run ended before {name}: {seen:#?}");
            seen.push(frame);
            if is_it {
                return seen;
            }
        }
        panic!("the stream ended before {name}: {seen:#?}");
    }

    /// A run's stream after a number.
    pub(crate) async fn stream(&self, run: &str, after: u64) -> Frames {
        let path = format!("/api/v1/runs/{run}/events/stream?after={after}");
        let request = as_owner(Method::GET, &path).body(Body::empty()).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Frames { body: response.into_body().into_data_stream(), text: String::new() }
    }
}

fn stored(token: &str, org: &str, role: &str) -> StoredToken {
    StoredToken {
        id: format!("tok_{token}"),
        org: org.into(),
        principal: format!("user:{role}@{org}"),
        roles: vec![role.to_owned()],
        digest: Digest::of(token.as_bytes()),
        created_at: Timestamp(1),
        revoked_at: None,
    }
}

/// A request by the owner.
pub(crate) fn as_owner(method: Method, path: &str) -> axum::http::request::Builder {
    by(OWNER, method, path)
}

/// A request by whoever has this token.
pub(crate) fn by(token: &str, method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"))
}

/// One frame of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) id: Option<u64>,
    pub(crate) event: String,
    pub(crate) data: String,
}

pub(crate) struct Frames {
    body: BodyDataStream,
    text: String,
}

impl Frames {
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let frame: String = self.text.drain(..end + 2).collect();
                let frame = read(&frame);
                if !frame.event.is_empty() {
                    return Some(frame);
                }
                continue;
            }
            let bytes = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }
}

fn read(text: &str) -> Frame {
    let mut frame = Frame::default();
    for line in text.lines() {
        match line.split_once(": ").or_else(|| line.split_once(':')) {
            Some(("id", value)) => frame.id = Some(value.parse().unwrap()),
            Some(("event", value)) => value.clone_into(&mut frame.event),
            Some(("data", value)) => frame.data.push_str(value),
            _ => {},
        }
    }
    frame
}
