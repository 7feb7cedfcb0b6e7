//! A server on a free port of this machine: canned answers, canned streams, and a memory.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::sync::Notify;

pub(crate) const TOKEN: &str = "test-token";

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Value,
}

/// A piece of a stream.
#[derive(Clone)]
pub(crate) enum Part {
    Text(String),
    /// Nothing more until the test says so.
    Wait(Arc<Notify>),
}

#[derive(Clone)]
enum Answer {
    Json(u16, Value),
    Bytes(&'static str, Vec<u8>),
}

#[derive(Default)]
struct Book {
    answers: HashMap<String, Answer>,
    streams: HashMap<String, VecDeque<Vec<Part>>>,
    asked: Vec<Asked>,
}

/// The server.
pub(crate) struct Fake {
    /// Answers until the test is over.
    _runtime: tokio::runtime::Runtime,
    book: Arc<Mutex<Book>>,
    pub(crate) url: String,
}

impl Fake {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let book: Arc<Mutex<Book>> = Arc::default();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&book));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { _runtime: runtime, book, url }
    }

    pub(crate) fn json(&self, call: &str, status: u16, body: Value) -> &Self {
        self.book.lock().unwrap().answers.insert(call.to_owned(), Answer::Json(status, body));
        self
    }

    pub(crate) fn bytes(&self, path: &str, mime: &'static str, body: &[u8]) -> &Self {
        let answer = Answer::Bytes(mime, body.to_vec());
        self.book.lock().unwrap().answers.insert(format!("GET {path}"), answer);
        self
    }

    /// The next connection to this stream gets these parts, then it is closed.
    pub(crate) fn stream(&self, path: &str, parts: Vec<Part>) -> &Self {
        let mut book = self.book.lock().unwrap();
        book.streams.entry(path.to_owned()).or_default().push_back(parts);
        drop(book);
        self
    }

    /// A refusal as the contract writes it.
    pub(crate) fn problem(&self, call: &str, status: u16, code: &str, more: Value) -> &Self {
        let mut body = json!({
            "type": format!("/problems/{code}"), "title": code.replace('_', " "), "status": status,
            "code": code, "detail": "what stands in the way", "instance": "/x",
            "request_id": "req_1", "retryable": false, "allowed": null, "hint": null,
        });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.json(call, status, body)
    }

    /// Everything that was asked at a path so far.
    pub(crate) fn asked(&self, path: &str) -> Vec<Asked> {
        let book = self.book.lock().unwrap();
        book.asked.iter().filter(|asked| asked.path == path).cloned().collect()
    }

    /// A run at rest, with the steps of a picture.
    pub(crate) fn run(&self, id: &str, run: Value) -> &Self {
        let mut body = json!({
            "id": id, "definition": {"slug": "content-request-image", "version": 1},
            "status": "running", "phase": "draft", "title": "朝の一杯", "seq": 0,
            "phases": [{"id": "draft", "label": {"en": "Draft", "ja": "企画"}}],
            "progress": {"done": 1, "total": 2}, "waits": [], "cost_micros": 30_000,
            "budget": {"usd": 2.0}, "simulated": true, "allowed": ["cancel", "pause"],
            "started_at": "2026-11-20T02:00:00.000000Z",
        });
        for (name, value) in run.as_object().unwrap() {
            body[name] = value.clone();
        }
        let step = |key: &str, status: &str| {
            json!({"key": key, "id": key, "label": {"en": key, "ja": key}, "phase": "draft",
                   "status": status, "started_at": "2026-11-20T02:00:01Z"})
        };
        let steps = json!({"data": [step("strategist", "running"), step("approval", "pending")]});
        self.json(&format!("GET /api/v1/runs/{id}"), 200, body);
        self.json(&format!("GET /api/v1/runs/{id}/steps"), 200, steps)
    }
}

/// An event as the stream carries it.
pub(crate) fn event(seq: u64, kind: &str, more: Value) -> Part {
    let mut body = json!({"seq": seq, "at": "2026-11-20T02:00:05.000000Z", "type": kind});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    Part::Text(format!("id: {seq}\nevent: {kind}\ndata: {body}\n\n"))
}

pub(crate) fn end(status: &str) -> Part {
    Part::Text(format!("event: end\ndata: {}\n\n", json!({ "status": status })))
}

async fn answer(State(book): State<Arc<Mutex<Book>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let text = |value: &axum::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let asked = Asked {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers.iter().map(|(k, v)| (k.to_string(), text(v))).collect(),
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    };
    let is_known = asked.headers.get("authorization") == Some(&format!("Bearer {TOKEN}"));
    let wants_stream = asked.headers.get("accept").is_some_and(|a| a == "text/event-stream");
    let (call, path) = (format!("{} {}", asked.method, asked.path), asked.path.clone());
    let mut book = book.lock().unwrap();
    book.asked.push(asked);
    if path.starts_with("/api/") && !is_known {
        return problem(401, "unauthenticated", "who are you?");
    }
    if wants_stream {
        let parts = book.streams.get_mut(&path).and_then(VecDeque::pop_front);
        return parts.map_or_else(|| problem(404, "unknown_run", "no such stream"), streamed);
    }
    match book.answers.get(&call).cloned() {
        None => problem(404, "not_found", &format!("nothing is canned for {call}")),
        Some(Answer::Json(status, body)) => {
            let kind = if status < 400 { "application/json" } else { "application/problem+json" };
            let status = StatusCode::from_u16(status).unwrap();
            (status, [("content-type", kind)], body.to_string()).into_response()
        },
        Some(Answer::Bytes(mime, bytes)) => ([("content-type", mime)], bytes).into_response(),
    }
}

fn streamed(parts: Vec<Part>) -> Response {
    let pieces = futures_util::stream::iter(parts).then(|part| async move {
        match part {
            Part::Text(text) => Ok::<_, std::io::Error>(Bytes::from(text)),
            Part::Wait(signal) => {
                signal.notified().await;
                Ok(Bytes::from_static(b": waited\n\n"))
            },
        }
    });
    ([("content-type", "text/event-stream")], Body::from_stream(pieces)).into_response()
}

fn problem(status: u16, code: &str, detail: &str) -> Response {
    let body = json!({
        "type": format!("/problems/{code}"), "title": code, "status": status, "detail": detail,
        "code": code, "request_id": "req_0", "retryable": false,
    });
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("content-type", "application/problem+json")], body.to_string()).into_response()
}
