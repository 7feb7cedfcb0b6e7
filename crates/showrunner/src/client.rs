//! The HTTP client of every command that talks to a server: one place for the token, the time
//! limits and the reading of refusals.

pub(crate) mod place;
mod refusal;
pub(crate) mod shapes;
pub(crate) mod follow;
pub(crate) mod which;

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::config::Connect;
use crate::fault::{Fault, Outcome};

pub(crate) use follow::{RunEvent, Seen, follow};
use place::Place;

/// A local server answers the connection at once, a far one within this.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// An ordinary question is answered in milliseconds; this only ends a hung connection.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// A backup or a check of everything reads the whole database.
const LONG_ANSWER_WITHIN: Duration = Duration::from_hours(1);

/// A server that can be asked. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    place: Arc<Place>,
    connect: Connect,
}

impl Client {
    /// Finds the server that the command line, the environment or the data folder names.
    pub(crate) fn find(connect: &Connect) -> Outcome<Self> {
        let place = Place::find(connect)?;
        Self::at(place, connect)
    }

    /// A client of the server at `place`.
    pub(crate) fn at(place: Place, connect: &Connect) -> Outcome<Self> {
        // The provider of cryptography is chosen once for the process; a second choice is the same.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("showrunner-cli/", env!("CARGO_PKG_VERSION")));
        if place.url.scheme() == "http" {
            // Without TLS no certificates are needed, and a machine without any must not stop us.
            builder = builder.tls_certs_only(Vec::<reqwest::Certificate>::new());
        }
        if place.is_local() {
            // A proxy cannot reach this machine's own loopback.
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| {
            Fault::refused("the HTTP client could not be made").because(causes(&error))
        })?;
        Ok(Self { http, place: Arc::new(place), connect: connect.clone() })
    }

    /// Looks again: a restarted server may have another port and token.
    pub(crate) fn find_again(&self) -> Self {
        Self::find(&self.connect).unwrap_or_else(|_| self.clone())
    }

    /// The server's address without a slash at the end.
    pub(crate) fn base(&self) -> &str {
        self.place.url.as_str().trim_end_matches('/')
    }

    /// The address of a path or of a URL as the server wrote it.
    pub(crate) fn address(&self, path: &str) -> Outcome<Url> {
        let joined =
            if path.starts_with('/') { format!("{}{path}", self.base()) } else { path.to_owned() };
        Url::parse(&joined)
            .map_err(|error| Fault::refused(format!("{joined} is no address: {error}")))
    }

    /// GET, read as JSON.
    pub(crate) async fn get(&self, path: &str) -> Outcome<Value> {
        let request = self.request(Method::GET, path)?.timeout(ANSWER_WITHIN);
        self.json(request).await
    }

    /// GET, read into a shape.
    pub(crate) async fn read<T: DeserializeOwned>(&self, path: &str) -> Outcome<T> {
        self.shape(self.get(path).await?)
    }

    /// POST of JSON, answered with JSON.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Outcome<Value> {
        let request = self.request(Method::POST, path)?.timeout(ANSWER_WITHIN).json(body);
        self.json(request).await
    }

    /// POST under a key that makes a repetition harmless.
    pub(crate) async fn post_once(&self, path: &str, body: &Value, key: &str) -> Outcome<Value> {
        let request = self
            .request(Method::POST, path)?
            .timeout(ANSWER_WITHIN)
            .header("idempotency-key", key)
            .json(body);
        self.json(request).await
    }

    /// DELETE.
    pub(crate) async fn delete(&self, path: &str) -> Outcome<Value> {
        let request = self.request(Method::DELETE, path)?.timeout(ANSWER_WITHIN);
        self.json(request).await
    }

    /// POST of something that takes its time.
    pub(crate) async fn post_long(&self, path: &str, body: &Value) -> Outcome<Value> {
        let request = self.request(Method::POST, path)?.timeout(LONG_ANSWER_WITHIN).json(body);
        self.json(request).await
    }

    /// GET of bytes; `path` may be a whole URL.
    pub(crate) async fn bytes(&self, path: &str) -> Outcome<Response> {
        let request = self.request(Method::GET, path)?;
        self.checked(request).await
    }

    /// GET of an event stream behind `after`.
    async fn stream(&self, path: &str, after: u64) -> Outcome<Response> {
        let request = self
            .request(Method::GET, path)?
            .header(ACCEPT, "text/event-stream")
            .header("last-event-id", after);
        self.checked(request).await
    }

    /// Reads an answer's JSON into a shape.
    pub(crate) fn shape<T: DeserializeOwned>(&self, value: Value) -> Outcome<T> {
        serde_json::from_value(value).map_err(|error| {
            Fault::refused(format!("{} answers in a shape that I do not know", self.base()))
                .because(error.to_string())
                .hint("compare `showrunner version` with the server's: the two may not fit")
        })
    }

    fn request(&self, method: Method, path: &str) -> Outcome<RequestBuilder> {
        let url = self.address(path)?;
        // The token goes to the server it belongs to and to nobody else.
        let is_ours = url.origin() == self.place.url.origin();
        let request = self.http.request(method, url);
        Ok(match &self.place.token {
            Some(token) if is_ours => request.header(AUTHORIZATION, format!("Bearer {token}")),
            _ => request,
        })
    }

    async fn json(&self, request: RequestBuilder) -> Outcome<Value> {
        let response = self.checked(request).await?;
        let status = response.status();
        let kind = content_type(&response);
        let bytes = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|_not_json| {
            Fault::unreachable(format!("something else answers at {}", self.base()))
                .because(format!("HTTP {} with {kind}, where JSON was expected", status.as_u16()))
                .hint("check --url: it must be the address that `showrunner serve` printed")
        })
    }

    /// Sends, and turns everything but success into a fault.
    async fn checked(&self, request: RequestBuilder) -> Outcome<Response> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal::read(&self.place, response).await)
    }

    fn unreachable(&self, error: &reqwest::Error) -> Fault {
        let fault = Fault::unreachable(format!("no answer from {}", self.base()))
            .because(causes(error))
            .because(self.place.found_by());
        if error.is_timeout() {
            return fault.hint("the server may be busy: look at its log, or try again");
        }
        fault.hint("start one with: showrunner serve").hint("or name another with --url")
    }
}

fn content_type(response: &Response) -> String {
    let header = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    header.unwrap_or("no content type").to_owned()
}

/// An error with what lies behind it; the outermost words of an HTTP client say little.
fn causes(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        source = cause.source();
    }
    if texts.is_empty() { error.to_string() } else { texts.join(": ") }
}
