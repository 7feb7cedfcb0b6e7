//! What an operator allows beside the public internet, written as `host:port`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::address::{never, special};

/// Ports that may be asked where nothing else is written.
pub const PORTS_USUAL: [u16; 2] = [80, 443];

/// A host and port of one's own that may be asked: `127.0.0.1:5678`, `n8n.lan:5678`, `[::1]:80`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    host: String,
    port: u16,
}

/// Why an entry of the list cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no host and port: write 127.0.0.1:5678, [::1]:5678 or n8n.lan:5678")]
pub struct BadRule {
    given: String,
}

impl FromStr for Allowed {
    type Err = BadRule;

    fn from_str(text: &str) -> Result<Self, BadRule> {
        let bad = || BadRule { given: text.to_owned() };
        let (host, port) = text.trim().rsplit_once(':').ok_or_else(bad)?;
        let port = port.parse().ok().filter(|&port| port > 0).ok_or_else(bad)?;
        let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let host = match (inner, host.parse::<IpAddr>()) {
            (Some(inner), _) => {
                let ip: std::net::Ipv6Addr = inner.parse().ok().ok_or_else(bad)?;
                ip.to_string()
            },
            (None, Ok(IpAddr::V4(ip))) => ip.to_string(),
            (None, Ok(IpAddr::V6(_))) => return Err(bad()),
            (None, Err(_)) => plain(host),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || !host.chars().all(is_name) {
            return Err(bad());
        }
        Ok(Self { host, port })
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A name as it is compared: small letters, no dot at the end.
pub(super) fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// Who may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Allowed in spite of their addresses and ports.
    pub allow: Vec<Allowed>,
    /// Ports of the public internet.
    pub ports: Vec<u16>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { allow: Vec::new(), ports: PORTS_USUAL.to_vec() }
    }
}

impl Rules {
    /// The public internet, and these.
    pub fn allowing(allow: impl IntoIterator<Item = Allowed>) -> Self {
        Self { allow: allow.into_iter().collect(), ..Self::default() }
    }

    /// Whether this very host and port is on the list.
    pub(super) fn trusts(&self, host: &str, port: u16) -> bool {
        let host = plain(host);
        self.allow.iter().any(|allowed| allowed.host == host && allowed.port == port)
    }

    /// The ports that a host is listed with. A listed host is asked on no other: its name may
    /// lead to an address of one's own network on all of them.
    pub(super) fn ports_of(&self, host: &str) -> Vec<u16> {
        let host = plain(host);
        self.allow.iter().filter(|allowed| allowed.host == host).map(|a| a.port).collect()
    }

    /// Why a name that leads to this address may not be asked.
    pub(super) fn objection(&self, name: &str, ip: IpAddr) -> Option<&'static str> {
        let is_listed = !self.ports_of(name).is_empty();
        if is_listed { never(ip) } else { special(ip) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_host_and_a_port() {
        for text in ["127.0.0.1:5678", "[::1]:80", "n8n.lan:5678", "localhost:1"] {
            assert_eq!(text.parse::<Allowed>().map(|allowed| allowed.to_string()), Ok(text.into()));
        }
        assert_eq!("N8N.Lan.:9".parse::<Allowed>().unwrap().to_string(), "n8n.lan:9");
        for text in ["", "host", "host:", ":80", "host:0", "host:70000", "::1:80", "a b:1", "a/b:1"]
        {
            assert!(text.parse::<Allowed>().is_err(), "{text}");
        }
    }
}
