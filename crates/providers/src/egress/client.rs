//! Asking: one client for all, redirects by hand, every hop judged.

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, HeaderMap, LOCATION};
use reqwest::{Client, Method, Response, Url};

use super::names::{LookUpFault, Names, SystemNames, Vetted};
use super::rules::Rules;
use super::target::{Target, host, place};
use super::{Ask, EgressError, Excess, Refused, Reply, Rule};

/// Redirects that are followed, whatever is asked for.
const REDIRECTS_MAX: u8 = 5;
/// Connecting takes no longer.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Connections that wait for another request to the same host.
const IDLE_MAX: usize = 2;
/// How long they wait.
const IDLE_SPAN: Duration = Duration::from_secs(30);
/// How we call ourselves.
const USER_AGENT: &str = concat!("showrunner/", env!("CARGO_PKG_VERSION"));

/// The way out. Cheap to clone; every clone shares its connections.
#[derive(Clone)]
pub struct Egress {
    inner: Arc<Inner>,
}

struct Inner {
    vetted: Vetted,
    /// Made when first needed: a machine without certificates of authorities can still do http.
    plain: OnceLock<Client>,
    secure: OnceLock<Client>,
}

impl std::fmt::Debug for Egress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Egress").field("rules", self.rules()).finish_non_exhaustive()
    }
}

impl Default for Egress {
    fn default() -> Self {
        Self::new(Rules::default())
    }
}

impl Egress {
    /// The public internet, and what the rules allow beside it.
    pub fn new(rules: Rules) -> Self {
        Self::with_names(rules, Arc::new(SystemNames))
    }

    /// Likewise, with somebody else to ask where names lead.
    pub fn with_names(rules: Rules, names: Arc<dyn Names>) -> Self {
        let vetted = Vetted { names, rules: Arc::new(rules) };
        Self { inner: Arc::new(Inner { vetted, plain: OnceLock::new(), secure: OnceLock::new() }) }
    }

    /// Who may be asked.
    pub fn rules(&self) -> &Rules {
        &self.inner.vetted.rules
    }

    /// Whether a URL may be asked, as far as its text tells.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn read(&self, url: &str) -> Result<Target, Refused> {
        Target::read(url, self.rules())
    }

    /// Whether a URL may be asked as its name leads now. A name that leads nowhere passes: it may
    /// lead somewhere later, and is looked at again then.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub async fn vet(&self, url: &str) -> Result<Target, Refused> {
        let target = self.read(url)?;
        let Some(name) = host(&target.url) else { return Ok(target) };
        if name.parse::<std::net::IpAddr>().is_ok() {
            return Ok(target);
        }
        match self.inner.vetted.look_up(&name).await {
            Err(LookUpFault::Refused(refused)) => Err(refused),
            Ok(_) | Err(LookUpFault::Io(_)) => Ok(target),
        }
    }

    /// Asks, and reads the answer within the caps.
    ///
    /// # Errors
    /// As [`EgressError`] says. An answer with any status is a reply, not an error.
    pub async fn fetch(&self, ask: Ask) -> Result<Reply, EgressError> {
        let target = self.read(&ask.url)?;
        let (place, time_max) = (target.place(), ask.caps.time_max);
        // Boxed: what is under way in the client is large, and callers keep many of these.
        match tokio::time::timeout(time_max, Box::pin(self.follow(target, ask))).await {
            Ok(reply) => reply,
            Err(_elapsed) => Err(EgressError::TooSlow { host: place, time_max }),
        }
    }

    async fn follow(&self, mut target: Target, ask: Ask) -> Result<Reply, EgressError> {
        let Ask { method, mut headers, body, caps, url: _ } = ask;
        let follows = matches!(method, Method::GET | Method::HEAD);
        let most = if follows { caps.redirects_max.min(REDIRECTS_MAX) } else { 0 };
        let mut left = most;
        loop {
            let response = self.send(&target, &method, headers.clone(), body.clone()).await?;
            let next = if most > 0 { next(&response, &target, self.rules())? } else { None };
            let Some(next) = next else {
                return read(response, &target, caps.body_max, caps.excess).await;
            };
            if left == 0 {
                let detail = format!("more than {most} redirects");
                let refused = Refused { rule: Rule::Redirects, place: next.place(), detail };
                return Err(refused.into());
            }
            left -= 1;
            if next.url.origin() != target.url.origin() {
                headers = only_accept(&headers);
            }
            target = next;
        }
    }

    async fn send(
        &self,
        target: &Target,
        method: &Method,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response, EgressError> {
        let client = self.client(target.url.scheme() == "https")?;
        let mut request = client.request(method.clone(), target.url.clone()).headers(headers);
        if !body.is_empty() || *method == Method::POST {
            request = request.body(body);
        }
        let response = request.send().await.map_err(|fault| told(&fault, target))?;
        // The last word: the address that the connection really has.
        if let Some(peer) = response.remote_addr() {
            let name = host(&target.url).unwrap_or_default();
            let objection = self.rules().objection(&name, peer.ip());
            if let Some(what) = objection.filter(|_| !target.is_trusted) {
                let detail = format!("connected to {}, which is {what}", peer.ip());
                let refused = Refused { rule: Rule::Address, place: target.place(), detail };
                return Err(refused.into());
            }
        }
        Ok(response)
    }

    fn client(&self, is_secure: bool) -> Result<&Client, EgressError> {
        let place = if is_secure { &self.inner.secure } else { &self.inner.plain };
        if let Some(client) = place.get() {
            return Ok(client);
        }
        // The provider of cryptography is chosen once for the process; a second choice is the same.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // A proxy from the environment would connect for us, to addresses nobody judged.
            .no_proxy()
            .dns_resolver(self.inner.vetted.clone())
            .connect_timeout(CONNECT_MAX)
            .pool_max_idle_per_host(IDLE_MAX)
            .pool_idle_timeout(IDLE_SPAN)
            .user_agent(USER_AGENT);
        if !is_secure {
            builder = builder.tls_certs_only(Vec::<reqwest::Certificate>::new());
        }
        let made = builder.build().map_err(|fault| EgressError::NoTls { why: words(&fault) })?;
        Ok(place.get_or_init(|| made))
    }
}

/// Where a redirect leads, when it may.
fn next(response: &Response, from: &Target, rules: &Rules) -> Result<Option<Target>, Refused> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = response.headers().get(LOCATION) else { return Ok(None) };
    // What is no text is no URL either; the empty one would be the same place again.
    redirected(from, location.to_str().unwrap_or("\\"), rules).map(Some)
}

fn redirected(from: &Target, location: &str, rules: &Rules) -> Result<Target, Refused> {
    let nowhere = || {
        let detail = "a redirect to no URL".to_owned();
        Refused { rule: Rule::Redirects, place: from.place(), detail }
    };
    if location.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(nowhere());
    }
    let url: Url = from.url.join(location).map_err(|_odd| nowhere())?;
    if from.url.scheme() == "https" && url.scheme() == "http" {
        let detail = "a redirect from https to http".to_owned();
        return Err(Refused { rule: Rule::Downgrade, place: place(&url), detail });
    }
    Target::of(url, rules)
}

/// Headers may carry keys of the host they were meant for.
fn only_accept(headers: &HeaderMap) -> HeaderMap {
    let accept = headers.get(ACCEPT).map(|value| (ACCEPT, value.clone()));
    accept.into_iter().collect()
}

async fn read(
    mut response: Response,
    from: &Target,
    body_max: usize,
    excess: Excess,
) -> Result<Reply, EgressError> {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let (mut body, mut is_cut) = (BytesMut::new(), false);
    loop {
        let chunk = response.chunk().await.map_err(|fault| told(&fault, from))?;
        let Some(chunk) = chunk else { break };
        let room = body_max - body.len();
        if chunk.len() > room {
            if excess == Excess::Refuse {
                return Err(EgressError::TooLarge { host: from.place(), body_max });
            }
            body.extend_from_slice(chunk.get(..room).unwrap_or_default());
            is_cut = true;
            break;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, headers, body: body.freeze(), is_cut, url: from.url.to_string() })
}

/// An error of the connection, with what our resolver said when it was its doing.
fn told(fault: &reqwest::Error, target: &Target) -> EgressError {
    let mut cause: Option<&(dyn Error + 'static)> = fault.source();
    while let Some(inner) = cause {
        if let Some(refused) = inner.downcast_ref::<Refused>() {
            return EgressError::Refused(refused.clone());
        }
        cause = inner.source();
    }
    let (host, why) = (target.place(), words(fault));
    if fault.is_connect() {
        EgressError::Unreachable { host, why }
    } else {
        EgressError::Broken { host, why }
    }
}

/// The innermost cause: the outer ones repeat the URL, which may carry a key.
fn words(fault: &reqwest::Error) -> String {
    let mut cause: &dyn Error = fault;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if std::ptr::addr_eq(cause, std::ptr::from_ref(fault)) {
        return "the request failed".into();
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(from: &str, location: &str) -> Result<String, Rule> {
        let rules = Rules::default();
        let from = Target::read(from, &rules).unwrap();
        let next = redirected(&from, location, &rules);
        next.map(|target| target.as_str().to_owned()).map_err(|refused| refused.rule)
    }

    #[test]
    fn every_redirect_is_judged_like_a_first_url() {
        let from = "https://example.com/a/b?c";
        assert_eq!(follow(from, "/d"), Ok("https://example.com/d".into()));
        assert_eq!(follow(from, "//other.org/"), Ok("https://other.org/".into()));
        assert_eq!(follow("http://example.com/", "https://b.c/"), Ok("https://b.c/".into()));
        for (location, rule) in [
            ("http://example.com/", Rule::Downgrade),
            ("http://127.0.0.1/", Rule::Downgrade),
            ("//127.0.0.1/", Rule::Address),
            ("//0x7f000001/", Rule::Address),
            ("//[::ffff:a9fe:a9fe]/latest", Rule::Address),
            ("//localhost/", Rule::Name),
            ("//user:word@example.com/", Rule::Credentials),
            ("//example.com:22/", Rule::Port),
            ("file:///etc/passwd", Rule::Scheme),
            ("gopher://example.com/", Rule::Scheme),
            ("data:text/html,hello", Rule::Scheme),
            ("javascript:alert(1)", Rule::Scheme),
            ("/\\127.0.0.1/", Rule::Redirects),
            ("https://", Rule::Redirects),
            ("https://exa mple.com/", Rule::Redirects),
        ] {
            assert_eq!(follow(from, location), Err(rule), "{location}");
        }
    }
}
