//! A client as clients should be: it sends again what got no answer, under the same key.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::time::Instant;

use super::server::Address;

/// How long somebody keeps trying.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long an answer is waited for; a stopped process answers nobody.
const ANSWER_MAX: Duration = Duration::from_secs(8);

/// Where the server is just now, if anywhere.
#[derive(Debug, Default)]
pub(crate) struct Door(Mutex<Option<Address>>);

impl Door {
    pub(crate) fn open(&self, address: Address) {
        *self.0.lock().unwrap() = Some(address);
    }

    pub(crate) fn shut(&self) {
        *self.0.lock().unwrap() = None;
    }

    pub(crate) fn address(&self) -> Option<Address> {
        self.0.lock().unwrap().clone()
    }
}

/// Somebody with a token.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    pub(crate) door: Arc<Door>,
    /// How often something was sent again because no answer came.
    pub(crate) again: Arc<AtomicU64>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.bytes)))
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        let text = String::from_utf8_lossy(&self.bytes);
        assert_eq!(self.status, status, "{}", text.chars().take(2_000).collect::<String>());
        self
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Client {
    pub(crate) fn new() -> Self {
        // Twice is as good as once.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { http, door: Arc::default(), again: Arc::default() }
    }

    pub(crate) fn at(address: Address) -> Self {
        let client = Self::new();
        client.door.open(address);
        client
    }

    /// A request to where the server is now.
    pub(crate) fn request(&self, method: Method, path: &str) -> Option<RequestBuilder> {
        let Address { url, token } = self.door.address()?;
        Some(self.http.request(method, format!("{url}{path}")).bearer_auth(token))
    }

    /// Sends once.
    pub(crate) async fn once(
        &self,
        method: Method,
        path: &str,
        (body, key): (Option<&Value>, Option<&str>),
    ) -> Option<Answer> {
        let mut request = self.request(method, path)?.timeout(ANSWER_MAX);
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        read(request).await.ok()
    }

    /// Sends until an answer comes that is not "try again later".
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        what: (Option<&Value>, Option<&str>),
    ) -> Answer {
        let began = Instant::now();
        loop {
            match self.once(method.clone(), path, what).await {
                Some(answer) if answer.status != 503 => return answer,
                answer => {
                    let is_late = began.elapsed() > PATIENCE;
                    assert!(!is_late, "{method} {path}: no answer in time, the last {answer:?}");
                },
            }
            self.again.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, (None, None)).await
    }

    /// A GET that is answered with 200 and JSON.
    pub(crate) async fn read(&self, path: &str) -> Value {
        self.get(path).await.is(200).json()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, (Some(body), None)).await
    }

    /// A POST under an idempotency key.
    pub(crate) async fn post_as(&self, key: &str, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, (Some(body), Some(key))).await
    }

    /// All rows of a list, page by page.
    pub(crate) async fn all(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = None::<String>;
        loop {
            let more = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let page = self.read(&format!("{path}?limit=100{more}")).await;
            rows.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return rows,
            }
        }
    }

    /// All events of a run, page by page.
    pub(crate) async fn events(&self, run: &str) -> Vec<Value> {
        let mut events: Vec<Value> = Vec::new();
        loop {
            let after = events.last().map_or(0, |event| event["seq"].as_u64().unwrap());
            let path = format!("/api/v1/runs/{run}/events?after={after}&limit=1000");
            let page = self.read(&path).await;
            let page = page["data"].as_array().unwrap();
            if page.is_empty() {
                return events;
            }
            events.extend(page.iter().cloned());
        }
    }
}

/// Sends, and reads the whole answer.
pub(crate) async fn read(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await?.to_vec();
    Ok(Answer { status, headers, bytes })
}
