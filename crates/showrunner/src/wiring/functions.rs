//! Functions of agents: the pool of this very program, and the one way out for their requests.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use showrunner_providers::egress::{
    Ask, Caps, Egress, EgressError, Excess, HeaderMap, HeaderName, HeaderValue, Method, Rules,
};
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

/// Lets requests out to the hosts that the operator named, by the guarded way out, and follows no
/// redirect.
#[derive(Debug)]
struct Allowed {
    hosts: Vec<FunctionHost>,
    egress: Egress,
}

impl Allowed {
    /// A host that is named with its port may be one of the operator's own network.
    fn new(hosts: Vec<FunctionHost>) -> anyhow::Result<Self> {
        let named = hosts.iter().filter_map(|host| Some(format!("{}:{}", host.host, host.port?)));
        let named: Vec<_> = named.map(|place| place.parse()).collect::<Result<_, _>>()?;
        Ok(Self { hosts, egress: Egress::new(Rules::allowing(named)) })
    }

    fn allows(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        self.hosts.iter().filter(|allowed| allowed.host == host).any(|allowed| match allowed.port {
            Some(port) => url.port_or_known_default() == Some(port),
            None => url.scheme() == "https" && url.port().is_none(),
        })
    }

    /// Whether the address may be asked.
    fn door(&self, request: &FetchRequest) -> Result<(), FetchFailure> {
        let url = Url::parse(&request.url)
            .map_err(|error| FetchFailure::refused(format!("{}: {error}", request.url)))?;
        if self.allows(&url) {
            return Ok(());
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

    async fn send(&self, request: &FetchRequest) -> Result<FetchAnswer, FetchFailure> {
        let reply =
            self.egress.fetch(ask(request)?).await.map_err(|error| failure(request, &error))?;
        let headers = reply.headers.iter().filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        let headers = headers.collect();
        let body = Bytes(reply.body.to_vec());
        Ok(FetchAnswer { status: reply.status, headers, body, took_ms: 0 })
    }
}

/// A function's request as the way out wants it.
fn ask(request: &FetchRequest) -> Result<Ask, FetchFailure> {
    let wrong = |what: String| FetchFailure::refused(what);
    let method = Method::from_bytes(request.method.as_bytes())
        .map_err(|error| wrong(format!("{}: {error}", request.method)))?;
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let read =
            HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
        let (name, value) =
            read.ok_or_else(|| wrong(format!("`{name}` is no header that can be sent")))?;
        headers.append(name, value);
    }
    let body = request.body.as_ref().map(|body| body.0.clone()).unwrap_or_default();
    let wanted = request.timeout_ms.map_or(REQUEST_MAX, Duration::from_millis);
    let caps = Caps {
        time_max: wanted.min(REQUEST_MAX),
        body_max: request.bytes_max,
        excess: Excess::Refuse,
        redirects_max: 0,
    };
    Ok(Ask { method, url: request.url.clone(), headers, body: body.into(), caps })
}

#[async_trait]
impl Fetch for Allowed {
    async fn fetch(&self, request: &FetchRequest) -> Result<FetchAnswer, FetchFailure> {
        self.door(request)?;
        let began = Instant::now();
        let answered = self.send(request).await;
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        match answered {
            Ok(answer) => Ok(FetchAnswer { took_ms, ..answer }),
            Err(failure) => Err(FetchFailure { took_ms, ..failure }),
        }
    }
}

/// What an error on the way out means. Only what was never connected has certainly done nothing.
fn failure(request: &FetchRequest, error: &EgressError) -> FetchFailure {
    let (code, never_left) = match error {
        EgressError::Refused(_) => return FetchFailure::refused(error.to_string()),
        EgressError::Unreachable { .. } | EgressError::NoTls { .. } => ("ECONNREFUSED", true),
        EgressError::TooSlow { .. } => ("ECONNABORTED", false),
        EgressError::TooLarge { .. } => ("ERR_TOO_LARGE", false),
        EgressError::Broken { .. } => ("ECONNRESET", false),
    };
    FetchFailure {
        code: code.to_owned(),
        message: format!("{} {error}", request.method),
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
