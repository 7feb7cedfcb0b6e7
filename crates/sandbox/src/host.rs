//! What a job can ask of the world: everything goes through here, in the parent.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::function::hex;
use crate::wire::Bytes;

/// An HTTP request that an author's code wants made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchRequest {
    /// In capitals.
    pub method: String,
    /// Absolute.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Option<Bytes>,
    /// How long the author wants to wait, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// The longest body that is taken.
    #[serde(default)]
    pub bytes_max: usize,
}

impl FetchRequest {
    /// Whether asking twice does no more than asking once: GET, HEAD and OPTIONS, by RFC 9110
    /// section 9.2.1.
    pub fn is_safe(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }

    /// Refuses what is no request to an interface, and drops the headers that are not the
    /// author's to write. Checked here, in the parent: the process may say anything.
    pub(crate) fn check(&mut self) -> Result<(), FetchFailure> {
        const METHODS: [&str; 7] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];
        let no = |what: String| Err(FetchFailure::refused(what));
        if !METHODS.contains(&self.method.as_str()) {
            return no(format!("{:?} is no method; {} are", self.method, METHODS.join(", ")));
        }
        let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        match Url::parse(&self.url).ok().filter(is_web) {
            Some(url) => self.url = url.into(),
            None => return no(format!("{:?} is no http or https address", self.url)),
        }
        // RFC 9110, sections 5.1 and 5.5.
        let is_name = |name: &str| {
            let ok = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
            !name.is_empty() && name.bytes().all(ok)
        };
        let is_value = |value: &str| !value.chars().any(|c| c.is_control() && c != '\t');
        for (name, value) in &self.headers {
            if !is_name(name) || !is_value(value) {
                return no(format!("{name:?} is no header, or its value holds control characters"));
            }
        }
        let ours = ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te"];
        self.headers.retain(|(name, _)| !ours.contains(&name.to_ascii_lowercase().as_str()));
        Ok(())
    }
}

/// What came back, whatever its status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchAnswer {
    /// 200.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// What was sent back.
    pub body: Bytes,
    /// How long it took: the author's clock goes on by so much.
    pub took_ms: u64,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message} ({code})")]
pub struct FetchFailure {
    /// As axios calls it: `ECONNREFUSED`, `ECONNABORTED`; ours: `ERR_REFUSED`, `ERR_TOO_MANY`.
    pub code: String,
    /// What, where, why, and what to do.
    pub message: String,
    /// Whether the other side may have acted on it all the same.
    pub may_have_acted: bool,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

impl FetchFailure {
    /// A request that never left.
    pub fn refused(message: impl Into<String>) -> Self {
        Self {
            code: "ERR_REFUSED".to_owned(),
            message: message.into(),
            may_have_acted: false,
            took_ms: 0,
        }
    }
}

/// A file that an author's code wants kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedFile {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub mime: String,
    /// What it shows, for those who cannot see it.
    pub alt: Option<String>,
    /// `ctx.deliverables.create` rather than `ctx.assets.saveBuffer`.
    pub is_deliverable: bool,
    /// Its content.
    pub bytes: Bytes,
}

/// What becomes of something that was asked for.
#[derive(Debug)]
pub enum Reply<T, E> {
    /// It is done.
    Done(T),
    /// It is not; the author's code may handle that.
    Failed(E),
    /// The job ends here and now: whoever hosts it knows why.
    Stop,
}

/// Who makes requests for authors' code. The one way out; what it does not allow does not happen.
#[async_trait]
pub trait Fetch: Send + Sync + fmt::Debug {
    /// Makes a request, or says why not.
    async fn fetch(&self, request: &FetchRequest) -> Result<FetchAnswer, FetchFailure>;
}

/// Lets nothing out.
#[derive(Clone, Copy, Debug)]
pub struct Denied;

#[async_trait]
impl Fetch for Denied {
    async fn fetch(&self, request: &FetchRequest) -> Result<FetchAnswer, FetchFailure> {
        Err(FetchFailure::refused(format!(
            "{} {}: this server lets functions make no requests; its operator can allow hosts",
            request.method, request.url
        )))
    }
}

/// Whoever a job works for.
#[async_trait]
pub trait Host: Send + Sync {
    /// The job's request number `no`, from 0. One at a time, in the order in which they were asked
    /// for.
    async fn fetch(&self, no: u32, request: FetchRequest) -> Reply<FetchAnswer, FetchFailure>;

    /// The job's file number `no`, from 0. What is said of it goes to the author's code.
    async fn save(&self, no: u32, file: SavedFile) -> Reply<Value, String>;
}

/// Hosts a job whose requests go to a [`Fetch`] and whose files are kept by nobody.
#[derive(Debug)]
pub struct Unattended<'a>(pub &'a dyn Fetch);

#[async_trait]
impl Host for Unattended<'_> {
    async fn fetch(&self, _no: u32, request: FetchRequest) -> Reply<FetchAnswer, FetchFailure> {
        match self.0.fetch(&request).await {
            Ok(answer) => Reply::Done(answer),
            Err(failure) => Reply::Failed(failure),
        }
    }

    async fn save(&self, no: u32, file: SavedFile) -> Reply<Value, String> {
        let sha256 = hex(&Sha256::digest(&file.bytes.0));
        Reply::Done(json!({
            "no": no, "name": file.name, "mime": file.mime, "bytes": file.bytes.0.len(),
            "sha256": sha256,
        }))
    }
}
