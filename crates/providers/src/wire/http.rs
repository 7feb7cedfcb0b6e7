//! One request over HTTP, never repeated, and its answer piece by piece, within limits.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, Response, Url};
use serde_json::Value;
use showrunner_engine::at::Timestamp;
use showrunner_engine::failure::ErrorClass;
use tokio::time::{Instant, timeout, timeout_at};

use super::problem::{Problem, request_id, shown};
use crate::error::{CallFailure, Outcome};

/// How much of an error body is read, in bytes.
const PROBLEM_MAX: usize = 64 << 10;

/// Limits of a call.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Until the connection stands, TLS included.
    pub connect_timeout: Duration,
    /// Without a sign of life, before the answer or within it.
    pub idle_timeout: Duration,
    /// For the whole answer, however lively.
    pub total_timeout: Duration,
    /// Bytes of an answer, unpacked. A stream repeats some 250 bytes around each token.
    pub body_max: usize,
    /// Certificates (PEM) to be trusted instead of the machine's own; empty trusts nobody.
    pub roots_pem: Option<Vec<u8>>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(3),
            total_timeout: Duration::from_mins(15),
            body_max: 32 << 20,
            roots_pem: None,
        }
    }
}

/// A client of vendors' interfaces. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client,
    options: HttpOptions,
}

/// An answer whose head has come.
#[derive(Debug)]
pub(super) struct Answering {
    provider: String,
    response: Response,
    request_id: Option<String>,
    idle: Duration,
    deadline: Instant,
    left: usize,
}

/// An answer that has been read.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Whole {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What it declares itself to be, without parameters, in small letters.
    pub(super) fn media(&self) -> String {
        let media = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media = media.and_then(|text| text.split(';').next()).unwrap_or_default();
        media.trim().to_ascii_lowercase()
    }
}

impl Http {
    /// A client within these limits.
    ///
    /// # Errors
    /// The text says what about the certificates is wrong.
    pub fn new(options: HttpOptions) -> Result<Self, String> {
        // Whoever was first has installed the same one.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut builder = Client::builder()
            .connect_timeout(options.connect_timeout)
            // A redirect would carry the key, and the prompt, to where nobody has agreed to.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            // A connection of its own for each call: a handshake is nothing beside a model's
            // seconds, and a kept one that the vendor closes just as we write leaves a paid call
            // in doubt.
            .pool_max_idle_per_host(0)
            // The environment is read in one place only, which is not here.
            .no_proxy();
        if let Some(pem) = &options.roots_pem {
            let roots = reqwest::Certificate::from_pem_bundle(pem);
            builder = builder.tls_certs_only(roots.map_err(|error| error.to_string())?);
        }
        let client = builder.build().map_err(|error| error.to_string())?;
        Ok(Self { client, options })
    }

    /// Sends `body`, once, and waits for the head of the answer.
    pub(super) async fn post(
        &self,
        provider: &str,
        url: Url,
        headers: HeaderMap,
        body: &Value,
    ) -> Result<Answering, CallFailure> {
        self.send(provider, self.client.post(url).headers(headers).json(body)).await
    }

    /// Sends a request of any method, once, and reads its answer to the end, whatever its status.
    pub(super) async fn ask(
        &self,
        provider: &str,
        (method, url): (Method, Url),
        headers: HeaderMap,
        body: Option<&Value>,
    ) -> Result<Whole, CallFailure> {
        let mut request = self.client.request(method, url).headers(headers);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.send(provider, request).await?.whole().await
    }

    async fn send(
        &self,
        provider: &str,
        request: reqwest::RequestBuilder,
    ) -> Result<Answering, CallFailure> {
        let deadline = Instant::now() + self.options.total_timeout;
        let request = request.send();
        // The connection has a shorter limit of its own: what is late here has left.
        let late = self.options.idle_timeout.max(self.options.connect_timeout);
        let response = match timeout(late, request).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(not_answered(provider, &error)),
            Err(_elapsed) => return Err(silent(provider, "no_answer_in_time")),
        };
        Ok(Answering {
            provider: provider.to_owned(),
            request_id: request_id(response.headers()),
            response,
            idle: self.options.idle_timeout,
            deadline,
            left: self.options.body_max,
        })
    }
}

impl Answering {
    /// What the vendor says when this is no answer; `None` when it is a stream of events.
    pub(super) async fn refusal(&mut self, now: Timestamp) -> Option<Problem> {
        let status = self.response.status();
        let media = self.response.headers().get(CONTENT_TYPE);
        let media = media.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        if status.is_success() && media.starts_with("text/event-stream") {
            return None;
        }
        let body = self.start_of_body().await;
        let problem = Problem::of_body(&body);
        if status.is_success() {
            // The status says nothing, so only what is typed in the body can.
            let mut problem = problem.unwrap_or_else(|| {
                let media = shown(&media);
                Problem::of_words("not_a_stream", &format!("no stream of events came, but {media}"))
            });
            problem.request_id = self.request_id.clone().or(problem.request_id);
            return Some(problem);
        }
        let problem = problem.unwrap_or_default();
        Some(problem.with_head(status.as_u16(), self.response.headers(), now))
    }

    /// All of it: of a refusal as much as comes, of an answer everything or nothing.
    async fn whole(mut self) -> Result<Whole, CallFailure> {
        let status = self.response.status();
        let headers = self.response.headers().clone();
        let mut body = Vec::new();
        if status.is_success() {
            while let Some(bytes) = self.piece().await.map_err(|f| self.name_request(f))? {
                body.extend_from_slice(&bytes);
            }
        } else {
            body = self.start_of_body().await;
        }
        Ok(Whole { status: status.as_u16(), headers, body: body.into() })
    }

    /// The first bytes of a body that explains a refusal; as much of it as comes.
    async fn start_of_body(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        while let Ok(Some(bytes)) = self.piece().await {
            body.extend_from_slice(&bytes);
            if body.len() >= PROBLEM_MAX {
                break;
            }
        }
        body
    }

    /// The next piece of the body; `None` at its end.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, CallFailure> {
        let until = self.deadline.min(Instant::now() + self.idle);
        let piece = match timeout_at(until, self.response.chunk()).await {
            Ok(Ok(piece)) => piece,
            Ok(Err(error)) => {
                let message = format!("the answer of {} broke off: {}", self.provider, why(&error));
                return Err(CallFailure::new(
                    ErrorClass::Network,
                    Outcome::Unknown,
                    "answer_broken_off",
                    message,
                ));
            },
            Err(_elapsed) => return Err(silent(&self.provider, "answer_not_ended_in_time")),
        };
        let Some(piece) = piece else { return Ok(None) };
        match self.left.checked_sub(piece.len()) {
            Some(left) => self.left = left,
            None => {
                let message = format!("the answer of {} has no end that is wanted", self.provider);
                return Err(CallFailure::new(
                    ErrorClass::Provider,
                    Outcome::Unknown,
                    "answer_too_large",
                    message,
                ));
            },
        }
        Ok(Some(piece))
    }

    /// Says in a failure which request it was.
    pub(super) fn name_request(&self, mut failure: CallFailure) -> CallFailure {
        if let (Some(id), None) = (&self.request_id, &failure.request_id) {
            failure.message = format!("{} (request {id})", failure.message);
            failure.request_id = Some(id.clone());
        }
        failure
    }
}

/// A request that got no answer: refused before it left, or in doubt.
fn not_answered(provider: &str, error: &reqwest::Error) -> CallFailure {
    let why = why(error);
    let not_sent = |class, code: &str| {
        let message = format!("{provider} cannot be reached: {why}");
        CallFailure::new(class, Outcome::NotSent, code, message)
    };
    if error.is_builder() {
        return not_sent(ErrorClass::Internal, "request_not_built");
    }
    if error.is_connect() {
        let code = match () {
            () if error.is_dns() => "dns_failed",
            () if is_tls(error) => "tls_failed",
            () if error.is_timeout() => "connect_timeout",
            () => "connect_failed",
        };
        return not_sent(ErrorClass::Network, code);
    }
    if error.is_timeout() {
        return silent(provider, "no_answer_in_time");
    }
    let message = format!("the connection to {provider} broke before an answer came: {why}");
    CallFailure::new(ErrorClass::Network, Outcome::Unknown, "connection_lost", message)
}

fn silent(provider: &str, code: &str) -> CallFailure {
    let message = format!("{provider} did not answer in time");
    CallFailure::new(ErrorClass::Timeout, Outcome::Unknown, code, message)
}

/// Whether the connection failed in its TLS handshake. An error of I/O hides the one within it
/// from the chain of sources.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let within = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>()
        || within.is_some_and(|within| is_tls(within))
        || error.source().is_some_and(is_tls)
}

/// The innermost cause: the outer ones repeat the address.
fn why(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    shown(&cause.to_string())
}
