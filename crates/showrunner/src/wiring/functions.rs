//! Functions of agents: the pool of this very program, and the one way out for their requests.

use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use futures_util::StreamExt as _;
use reqwest::{Method, Url};
use showrunner_runtime::Functions;
use showrunner_sandbox::{
    Bytes, Fetch, FetchAnswer, FetchFailure, FetchRequest, Pool, PoolOptions,
};
use tokio::time::Instant;

use crate::config::functions::{FunctionHost, FunctionSetup};

/// This program, also where its file was replaced since it started.
const THIS_PROGRAM: &str = "/proc/self/exe";
/// How long a request may take where its author does not say.
const REQUEST_MAX: Duration = Duration::from_mins(1);

/// Where functions run.
pub(super) fn functions(setup: &FunctionSetup) -> anyhow::Result<Functions> {
    let options = PoolOptions {
        places: setup.places,
        may_be_unfiltered: setup.may_be_unfiltered,
        ..PoolOptions::new(THIS_PROGRAM)
    };
    let pool = Pool::new(options);
    let allowed = Allowed::new(setup.hosts.clone())?;
    Ok(Functions::new(pool, std::sync::Arc::new(allowed), setup.env.clone()))
}

/// Whether functions could run here; otherwise why not.
pub(crate) async fn can_run() -> Result<(), String> {
    match Pool::new(PoolOptions::new(THIS_PROGRAM)).check().await {
        Ok(_) => Ok(()),
        Err(fault) => Err(fault.to_string()),
    }
}

/// Lets requests out to the hosts that the operator named, and follows no redirect.
#[derive(Debug)]
struct Allowed {
    hosts: Vec<FunctionHost>,
    http: reqwest::Client,
}

impl Allowed {
    fn new(hosts: Vec<FunctionHost>) -> anyhow::Result<Self> {
        // Another part of the program may have done so.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .context("the client for functions' requests")?;
        Ok(Self { hosts, http })
    }

    fn allows(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        self.hosts.iter().filter(|allowed| allowed.host == host).any(|allowed| match allowed.port {
            Some(port) => url.port_or_known_default() == Some(port),
            None => url.scheme() == "https" && url.port().is_none(),
        })
    }

    /// The address, where it may be asked.
    fn door(&self, request: &FetchRequest) -> Result<Url, FetchFailure> {
        let url = Url::parse(&request.url)
            .map_err(|error| FetchFailure::refused(format!("{}: {error}", request.url)))?;
        if self.allows(&url) {
            return Ok(url);
        }
        Err(FetchFailure::refused(format!(
            "functions may not ask {}; the operator can allow it: --function-hosts {}",
            url.host_str().unwrap_or_default(),
            match url.port_or_known_default() {
                Some(port) if url.scheme() != "https" || url.port().is_some() =>
                    format!("{}:{port}", url.host_str().unwrap_or_default()),
                _ => url.host_str().unwrap_or_default().to_owned(),
            }
        )))
    }

    async fn send(&self, url: Url, request: &FetchRequest) -> Result<FetchAnswer, FetchFailure> {
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|error| FetchFailure::refused(error.to_string()))?;
        let wanted = request.timeout_ms.map_or(REQUEST_MAX, Duration::from_millis);
        let mut sent = self.http.request(method, url).timeout(wanted.min(REQUEST_MAX));
        for (name, value) in &request.headers {
            sent = sent.header(name, value);
        }
        if let Some(body) = &request.body {
            sent = sent.body(body.0.clone());
        }
        let answer = sent.send().await.map_err(|error| failure(request, &error))?;
        let status = answer.status().as_u16();
        let headers = answer.headers().iter().filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        let headers = headers.collect();
        let mut body = Vec::new();
        let mut pieces = answer.bytes_stream();
        while let Some(piece) = pieces.next().await {
            body.extend_from_slice(&piece.map_err(|error| failure(request, &error))?);
            if body.len() > request.bytes_max {
                let message = format!(
                    "{} answered with over {} bytes; ask for less",
                    request.url, request.bytes_max
                );
                return Err(FetchFailure {
                    code: "ERR_TOO_LARGE".to_owned(),
                    message,
                    may_have_acted: !request.is_safe(),
                    took_ms: 0,
                });
            }
        }
        Ok(FetchAnswer { status, headers, body: Bytes(body), took_ms: 0 })
    }
}

#[async_trait]
impl Fetch for Allowed {
    async fn fetch(&self, request: &FetchRequest) -> Result<FetchAnswer, FetchFailure> {
        let url = self.door(request)?;
        let began = Instant::now();
        let answered = self.send(url, request).await;
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        match answered {
            Ok(answer) => Ok(FetchAnswer { took_ms, ..answer }),
            Err(failure) => Err(FetchFailure { took_ms, ..failure }),
        }
    }
}

/// What a connection's error means. Only what was never connected has certainly done nothing.
fn failure(request: &FetchRequest, error: &reqwest::Error) -> FetchFailure {
    let never_left = error.is_connect() || error.is_builder();
    let code = match error {
        error if error.is_connect() => "ECONNREFUSED",
        error if error.is_timeout() => "ECONNABORTED",
        error if error.is_builder() => "ERR_BAD_OPTION",
        _ => "ECONNRESET",
    };
    // Without its address: a key may stand in it.
    let host = Url::parse(&request.url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let what = match code {
        "ECONNREFUSED" => "cannot be reached",
        "ECONNABORTED" => "did not answer in time",
        "ERR_BAD_OPTION" => "cannot be asked like this",
        _ => "broke off",
    };
    FetchFailure {
        code: code.to_owned(),
        message: format!("{} {}: {what}", request.method, host.unwrap_or_default()),
        may_have_acted: !never_left && !request.is_safe(),
        took_ms: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(hosts: &[&str]) -> Allowed {
        Allowed::new(hosts.iter().map(|host| host.parse().unwrap()).collect()).unwrap()
    }

    fn request(url: &str) -> FetchRequest {
        FetchRequest {
            method: "POST".into(),
            url: url.into(),
            headers: Vec::new(),
            body: None,
            timeout_ms: None,
            bytes_max: 10,
        }
    }

    #[test]
    fn only_what_was_named_is_asked() {
        let gate = allowed(&["api.test", "127.0.0.1:9000"]);
        for url in [
            "https://api.test/v1",
            "https://API.test:443/",
            "http://127.0.0.1:9000/x",
            "http://2130706433:9000/",
        ] {
            assert!(gate.door(&request(url)).is_ok(), "{url}");
        }
        for url in [
            "http://api.test/",
            "https://api.test:8443/",
            "https://api.test.evil.test/",
            "https://api.test@evil.test/",
            "http://127.0.0.1/",
            "http://127.0.0.1:9001/",
            "http://localhost:9000/",
            "http://[::1]:9000/",
            "http://[::ffff:127.0.0.1]:9000/",
            "http://169.254.169.254/",
            "https://evil.test/?api.test",
            "https://sub.api.test/",
        ] {
            let refused = gate.door(&request(url)).unwrap_err();
            assert!(
                refused.message.contains("--function-hosts") && !refused.may_have_acted,
                "{url}"
            );
        }
        assert!(allowed(&[]).door(&request("https://api.test/")).is_err());
    }

    #[tokio::test]
    async fn what_never_connected_did_nothing() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = closed.local_addr().unwrap();
        drop(closed);
        let gate = allowed(&[&address.to_string()]);
        let failure = gate.fetch(&request(&format!("http://{address}/"))).await.unwrap_err();
        assert_eq!((failure.code.as_str(), failure.may_have_acted), ("ECONNREFUSED", false));
    }
}
