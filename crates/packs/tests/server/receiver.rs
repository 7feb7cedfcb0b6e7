//! Somebody on this machine who is sent webhooks, remembers them, and answers as told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use parking_lot::Mutex;
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long is waited for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// What somebody was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Bytes,
}

impl Sent {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn event(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    /// Which of the signatures fit this secret, by Standard Webhooks as it is written.
    pub(crate) fn fitting(&self, secret: &str) -> usize {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let (id, timestamp) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(&self.body);
        let right = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.header("webhook-signature").split(' ').filter(|given| *given == right).count()
    }

    /// The source's header, as its receiver computes it.
    pub(crate) fn fits_plainly(&self, secret: &str) -> bool {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(&self.body);
        let right = crate::callbacks::hex(&mac.finalize().into_bytes());
        self.header("x-webhook-signature") == right
    }
}

type Answers = dyn Fn(usize, &Sent) -> Reply + Send + Sync;

/// What the receiver answers.
pub(crate) enum Reply {
    Status(u16),
    /// With a header.
    With(u16, &'static str, String),
    /// Never.
    Silence,
}

#[derive(Clone)]
struct Desk {
    sent: Arc<Mutex<Vec<Sent>>>,
    count: watch::Sender<usize>,
    answers: Arc<Answers>,
}

pub(crate) struct Receiver {
    desk: Desk,
    address: String,
}

impl Receiver {
    /// Answers everything with 200.
    pub(crate) async fn start() -> Self {
        Self::answering(|_, _| Reply::Status(200)).await
    }

    /// Answers by the number of the message, from 0, and what it is.
    pub(crate) async fn answering(
        answers: impl Fn(usize, &Sent) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let desk =
            Desk { sent: Arc::default(), count: watch::Sender::new(0), answers: Arc::new(answers) };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new().fallback(receive).with_state(desk.clone());
        drop(tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }));
        Self { desk, address }
    }

    /// `127.0.0.1:port`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn all(&self) -> Vec<Sent> {
        self.desk.sent.lock().clone()
    }

    /// Everything, once there are so many.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Sent> {
        let mut seen = self.desk.count.subscribe();
        let enough = seen.wait_for(|seen| *seen >= count);
        let came = tokio::time::timeout(PATIENCE, enough).await;
        assert!(came.is_ok(), "{} of {count} messages came: {:#?}", self.all().len(), self.all());
        self.all()
    }
}

async fn receive(State(desk): State<Desk>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let headers = head.headers.iter();
    let sent = Sent {
        path: head.uri.to_string(),
        headers: headers.map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect(),
        body: axum::body::to_bytes(body, 1 << 20).await.unwrap(),
    };
    let number = {
        let mut all = desk.sent.lock();
        all.push(sent.clone());
        all.len() - 1
    };
    let reply = (desk.answers)(number, &sent);
    desk.count.send_modify(|count| *count += 1);
    match reply {
        Reply::Status(status) => {
            (axum::http::StatusCode::from_u16(status).unwrap(), "noted").into_response()
        },
        Reply::With(status, name, value) => {
            let status = axum::http::StatusCode::from_u16(status).unwrap();
            (status, [(name, value)], "noted").into_response()
        },
        Reply::Silence => std::future::pending().await,
    }
}

/// Waits until something is so.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    found.await.unwrap_or_else(|_| panic!("it never came about: {what}"))
}
