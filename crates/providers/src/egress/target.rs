//! How a URL must be written, before anybody is asked where it leads.

use std::net::IpAddr;

use reqwest::Url;

use super::address::special;
use super::rules::{Rules, plain};
use super::{Refused, Rule};

/// URLs are at most so long; callers' own limits may be tighter.
const URL_MAX: usize = 4096;

/// A URL that may be asked as far as its text tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub(super) url: Url,
    /// Whether its host and port are on the operator's list.
    pub(super) is_trusted: bool,
}

impl Target {
    /// Reads a URL and holds it against the rules.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn read(text: &str, rules: &Rules) -> Result<Self, Refused> {
        let url = parse(text)?;
        Self::of(url, rules)
    }

    /// Holds a URL, as a redirect gives one, against the rules.
    pub(super) fn of(url: Url, rules: &Rules) -> Result<Self, Refused> {
        let refuse = |rule, detail: String| Refused { rule, place: place(&url), detail };
        if !matches!(url.scheme(), "http" | "https") {
            let words = format!("`{}` is neither http nor https", url.scheme());
            return Err(refuse(Rule::Scheme, words));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let words = "a URL must not carry a user name or password; use a header";
            return Err(refuse(Rule::Credentials, words.into()));
        }
        let Some(host) = host(&url) else {
            return Err(refuse(Rule::Syntax, "the URL has no host".into()));
        };
        let port = url.port_or_known_default().unwrap_or(0);
        if rules.trusts(&host, port) {
            return Ok(Self { url, is_trusted: true });
        }
        let listed = rules.ports_of(&host);
        let ports = if listed.is_empty() { &rules.ports } else { &listed };
        if !ports.contains(&port) {
            let known: Vec<String> = ports.iter().map(ToString::to_string).collect();
            let words = format!("port {port} is not allowed; allowed: {}", known.join(", "));
            return Err(refuse(Rule::Port, words));
        }
        match host.parse::<IpAddr>() {
            Ok(ip) => {
                if let Some(what) = special(ip) {
                    let words = format!("{ip} is not a public address: {what}");
                    return Err(refuse(Rule::Address, words));
                }
            },
            // No address: a name, and where it leads is asked when it is connected to.
            Err(_name) => {
                if host == "localhost" || host.ends_with(".localhost") {
                    return Err(refuse(Rule::Name, "localhost is this machine".into()));
                }
            },
        }
        Ok(Self { url, is_trusted: false })
    }

    /// The URL, as it will be asked.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Scheme, host and port, for people.
    pub fn place(&self) -> String {
        place(&self.url)
    }
}

/// The host as text that an address can be read from: IPv6 without brackets, no dot at the end.
pub(super) fn host(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host = plain(inner.unwrap_or(host));
    (!host.is_empty()).then_some(host)
}

/// Scheme, host and port: what of a URL may stand in a log.
pub(super) fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    }
}

/// Reads a URL strictly: what browsers forgive (spaces, backslashes, one slash) is how two
/// readers come to see two hosts.
fn parse(text: &str) -> Result<Url, Refused> {
    let syntax = |detail: String| Refused { rule: Rule::Syntax, place: "the URL".into(), detail };
    if text.len() > URL_MAX {
        return Err(syntax(format!("longer than {URL_MAX} bytes")));
    }
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
    if let Some(odd) = text.chars().find(|&c| is_odd(c)) {
        return Err(syntax(format!("{odd:?} has no place in a URL; encode it")));
    }
    let Some((scheme, rest)) = text.split_once(':') else {
        return Err(syntax("no scheme; write https://…".into()));
    };
    if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
        let is_scheme = scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        let words = "neither http nor https".to_owned();
        let rule = if is_scheme { Rule::Scheme } else { Rule::Syntax };
        return Err(Refused { rule, place: "the URL".into(), detail: words });
    }
    let authority = rest.strip_prefix("//").unwrap_or_default();
    if authority.is_empty() || authority.starts_with(['/', '?', '#']) {
        return Err(syntax("two slashes and a host come after the colon".into()));
    }
    Url::parse(text).map_err(|fault| syntax(fault.to_string()))
}
