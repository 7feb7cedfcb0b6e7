//! The one way out for every URL that a person, a model or a vendor supplied: webhooks, results
//! to be fetched, keys to be looked up. Nothing else in the tree makes an HTTP client for such a
//! URL (`cargo test -p xtask` holds that), so that there is one place to be right.
//!
//! What is checked, for the first URL and again for every redirect: how it is written
//! ([`target`]), where its name leads at the very moment of connecting ([`names`]; so a name that
//! changes between check and use gains nothing), and the address of the connection that was made.
//! What is allowed in spite of this is a list that the operator writes ([`Rules`]).

pub mod address;
pub mod rules;
pub mod target;
mod names;
mod client;

use std::time::Duration;

use bytes::Bytes;

pub use client::Egress;
pub use names::{Names, SystemNames};
pub use reqwest::Method;
pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
pub use rules::{Allowed, BadRule, Rules};

/// What one request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Over all redirects, connecting and reading included.
    pub time_max: Duration,
    /// Bytes of the answer's body, after decompression.
    pub body_max: usize,
    /// What becomes of a longer one.
    pub excess: Excess,
    /// Redirects that are followed; a webhook follows none. Five at most, whatever stands here.
    pub redirects_max: u8,
}

/// What becomes of an answer that is longer than it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// It is an error: part of a file is none.
    Refuse,
    /// Its beginning is kept: it is only shown.
    Cut,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// How.
    pub method: Method,
    /// Of whom. Sent as it stands, query included.
    pub url: String,
    /// With these headers. A redirect to another host loses all of them but `accept`.
    pub headers: HeaderMap,
    /// With this body, exactly.
    pub body: Bytes,
    /// Within these bounds.
    pub caps: Caps,
}

impl Ask {
    /// Reads what is at `url`.
    pub fn get(url: impl Into<String>, caps: Caps) -> Self {
        let (headers, body) = (HeaderMap::new(), Bytes::new());
        Self { method: Method::GET, url: url.into(), headers, body, caps }
    }

    /// Sends a body to `url`.
    pub fn post(url: impl Into<String>, body: Bytes, caps: Caps) -> Self {
        Self { method: Method::POST, url: url.into(), headers: HeaderMap::new(), body, caps }
    }
}

/// What came back, whatever its status.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as far as it was kept.
    pub body: Bytes,
    /// Whether more of it would have come.
    pub is_cut: bool,
    /// Where it came from in the end.
    pub url: String,
}

/// Why a URL may not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {detail}")]
pub struct Refused {
    /// Which rule.
    pub rule: Rule,
    /// Scheme, host and port; never the path, query or credentials of the URL.
    pub place: String,
    /// What is wrong with it, and what would be right.
    pub detail: String,
}

/// The rules that a URL can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// It is no URL, or written so that two readers may read it differently.
    Syntax,
    /// Neither `http` nor `https`.
    Scheme,
    /// It carries a user name or password.
    Credentials,
    /// Its host is this machine, by name.
    Name,
    /// Its port is not one of those that are allowed.
    Port,
    /// It leads to an address that is not a public one.
    Address,
    /// A redirect from `https` to `http`.
    Downgrade,
    /// More redirects than are followed, or one that leads nowhere.
    Redirects,
}

/// Why there is no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// It was not asked.
    #[error("refused: {0}")]
    Refused(#[from] Refused),
    /// Nobody was there; nothing was sent.
    #[error("{host} cannot be reached: {why}")]
    Unreachable {
        /// Who.
        host: String,
        /// What the connection said.
        why: String,
    },
    /// The connection broke after it was made; what was sent may have been read.
    #[error("{host} did not answer: {why}")]
    Broken {
        /// Who.
        host: String,
        /// What the connection said.
        why: String,
    },
    /// It took too long; what was sent may have been read.
    #[error("{host} took longer than {} s", time_max.as_secs())]
    TooSlow {
        /// Who.
        host: String,
        /// How long it could have taken.
        time_max: Duration,
    },
    /// The answer is longer than it may be.
    #[error("the answer of {host} is longer than {body_max} bytes")]
    TooLarge {
        /// Who.
        host: String,
        /// How long it could have been.
        body_max: usize,
    },
    /// This machine cannot speak TLS: it has no certificates of authorities.
    #[error("no HTTPS on this machine: {why}")]
    NoTls {
        /// What is missing.
        why: String,
    },
}

impl EgressError {
    /// The rule that was broken, when one was.
    pub fn rule(&self) -> Option<Rule> {
        match self {
            Self::Refused(refused) => Some(refused.rule),
            Self::Unreachable { .. }
            | Self::Broken { .. }
            | Self::TooSlow { .. }
            | Self::TooLarge { .. }
            | Self::NoTls { .. } => None,
        }
    }
}
