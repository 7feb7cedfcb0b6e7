//! What a function asks of the outside, and how that is made to happen once.
//!
//! Each request is a recorded call of the attempt. Answered ones are replayed after a crash, in
//! their order; the function, which gets the same clock and the same dice, asks for the same
//! again. A request that may change something (anything but GET, HEAD and OPTIONS) is journalled
//! as leaving before it leaves: if nobody knows whether it arrived, a person is asked.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use showrunner_engine::command::Command;
use showrunner_engine::event::Asset;
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_engine::id::{AssetId, Digest};
use showrunner_engine::money::MicroUsd;
use showrunner_engine::turn::{Answer, CallKind, CallRecord, Usage, digest_of};
use showrunner_providers::{CallFailure, CallSafety, LookUp, Outcome};
use showrunner_sandbox::{
    Bytes, Fetch, FetchAnswer, FetchFailure, FetchRequest, Host, Reply, SavedFile,
};

use super::call_key;
use super::pay::{Paid, Payer, Unpaid};
use crate::lease::SentCall;
use crate::{Functions, Runtime};

/// What is said of a request whose answer never came.
pub(crate) const FETCH_IN_DOUBT: &str =
    "a request of the function had left and its answer did not come; look at the other side";
/// A longer body of an answer is kept as an object, not in the journal.
const INLINE_BYTES_MAX: usize = 16 * 1024;
/// Longer names of files are cut.
const NAME_CHARS_MAX: usize = 120;

/// The outside of one function that runs.
pub(crate) struct Stage<'a> {
    runtime: &'a Runtime,
    payer: Payer<'a>,
    functions: &'a Functions,
    so_far: Mutex<Kept>,
    stopped: Mutex<Option<Unpaid>>,
    /// The request that may have left and is not recorded yet.
    outside: Mutex<Option<u16>>,
}

/// What is left when it has ended.
#[derive(Default)]
pub(crate) struct Kept {
    /// The number of the next call.
    pub next_no: u16,
    /// The files it kept.
    pub assets: Vec<Asset>,
}

/// An answer as it is recorded.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Recorded {
    Answered { status: u16, headers: Vec<(String, String)>, body: Body },
    Failed(FetchFailure),
}

/// The body of an answer as it is recorded.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Body {
    Text(String),
    Object(Digest),
}

impl<'a> Stage<'a> {
    pub(crate) fn new(runtime: &'a Runtime, payer: Payer<'a>, functions: &'a Functions) -> Self {
        let (so_far, stopped, outside) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { runtime, payer, functions, so_far, stopped, outside }
    }

    /// What it left behind, or why it was stopped from here.
    pub(crate) fn ended(self) -> Result<Kept, Unpaid> {
        match (self.stopped.into_inner(), self.outside.into_inner()) {
            (Some(unpaid), _) => Err(unpaid),
            // Whatever ended the function, a limit of its own or its death: this one is outside.
            (None, Some(no)) => Err(Unpaid::InDoubt { no, message: FETCH_IN_DOUBT.to_owned() }),
            (None, None) => Ok(self.so_far.into_inner()),
        }
    }

    fn stop<T, E>(&self, unpaid: Unpaid) -> Reply<T, E> {
        *self.stopped.lock() = Some(unpaid);
        Reply::Stop
    }

    fn next_no(&self) -> u16 {
        let mut so_far = self.so_far.lock();
        let no = so_far.next_no;
        so_far.next_no = no.saturating_add(1);
        no
    }

    /// The answer to a request that was made before a crash.
    async fn replayed(&self, record: &CallRecord, digest: &Digest) -> Result<Answered, Unpaid> {
        if record.request_digest != *digest || record.kind != CallKind::Tool {
            let message = format!(
                "request {} of the function is not the one that was made before the server was \
                 stopped; was its code changed meanwhile? Retry the step",
                record.no
            );
            let failure = Failure::new(ErrorClass::Internal, "function_diverged", message);
            return Err(Unpaid::Failed(failure, None));
        }
        let damaged = |what: String| {
            let message = format!("the recorded answer to request {}: {what}", record.no);
            Unpaid::Failed(Failure::new(ErrorClass::Internal, "function_record", message), None)
        };
        let Answer::Output(value) = &record.answer else {
            return Err(damaged("is no answer to a request".to_owned()));
        };
        let recorded: Recorded =
            serde_json::from_value(value.clone()).map_err(|error| damaged(error.to_string()))?;
        let (status, headers, body) = match recorded {
            Recorded::Failed(failure) => return Ok(Err(failure)),
            Recorded::Answered { status, headers, body } => (status, headers, body),
        };
        let body = match body {
            Body::Text(text) => text.into_bytes(),
            Body::Object(digest) => self.object(digest).await.map_err(damaged)?,
        };
        Ok(Ok(FetchAnswer { status, headers, body: Bytes(body), took_ms: record.duration_ms }))
    }

    async fn object(&self, digest: Digest) -> Result<Vec<u8>, String> {
        let objects = Arc::clone(self.runtime.objects());
        let read = tokio::task::spawn_blocking(move || objects.get(&digest)).await;
        let read = read.map_err(|fault| fault.to_string())?.map_err(|fault| fault.to_string())?;
        read.ok_or_else(|| "its body is not stored".to_owned())
    }

    /// Makes a request, at most once where it may change something.
    async fn made(&self, no: u16, request: &FetchRequest) -> Result<Answered, Unpaid> {
        let post = Post { fetch: self.functions.fetch(), request, failure: Mutex::default() };
        if request.is_safe() {
            return Ok(self.functions.fetch().fetch(request).await);
        }
        *self.outside.lock() = Some(no);
        let answered = match self.runtime.pay_once(Payer { no, ..self.payer }, &post).await {
            Ok(answer) => Ok(Ok(answer)),
            Err(Unpaid::Failed(failure, _)) => match post.failure.into_inner() {
                // It certainly did nothing: the author's code may handle that.
                Some(certain) => Ok(Err(certain)),
                None => Err(Unpaid::Failed(failure, None)),
            },
            Err(unpaid) => Err(unpaid),
        };
        if matches!(answered, Ok(Err(_))) {
            *self.outside.lock() = None;
        }
        answered
    }

    /// Journals an answer before the function hears it.
    async fn recorded(&self, record: CallRecord) -> Result<(), Unpaid> {
        let Payer { work, call, .. } = self.payer;
        let (step, token) = (call.step.clone(), call.token);
        let command = Command::RecordCall { step, token, call: Arc::new(record) };
        if self.runtime.tell(work, None, command).await { Ok(()) } else { Err(Unpaid::TakenOver) }
    }

    async fn as_recorded(&self, answered: &Answered) -> Result<Value, Unpaid> {
        let recorded = match answered {
            Err(failure) => Recorded::Failed(failure.clone()),
            Ok(answer) => {
                let text = std::str::from_utf8(&answer.body.0).ok();
                let body = match text.filter(|text| text.len() <= INLINE_BYTES_MAX) {
                    Some(text) => Body::Text(text.to_owned()),
                    None => {
                        let stored = self.runtime.store(answer.body.0.clone()).await;
                        Body::Object(stored.map_err(|_stopping| Unpaid::TakenOver)?)
                    },
                };
                Recorded::Answered { status: answer.status, headers: answer.headers.clone(), body }
            },
        };
        Ok(json!(recorded))
    }

    async fn fetched(&self, request: &FetchRequest) -> Result<Answered, Unpaid> {
        let no = self.next_no();
        let digest = digest_of(&json!({
            "method": request.method, "url": request.url, "headers": request.headers,
            "body": request.body.as_ref().map(|body| Digest::of(&body.0)),
        }));
        if let Some(record) = self.payer.call.calls.iter().find(|record| record.no == no) {
            return self.replayed(record, &digest).await;
        }
        let mut answered = self.made(no, request).await?;
        if let Ok(answer) = &mut answered {
            // Nobody here goes by them, and they are another's secret.
            answer.headers.retain(|(name, _)| name != "set-cookie");
        }
        let duration_ms = match &answered {
            Ok(answer) => answer.took_ms,
            Err(failure) => failure.took_ms,
        };
        let answer = Answer::Output(self.as_recorded(&answered).await?);
        self.recorded(CallRecord {
            no,
            kind: CallKind::Tool,
            request_digest: digest,
            provider: host_of(&request.url).into(),
            model: None,
            answer,
            usage: Usage::default(),
            cost: MicroUsd(0),
            duration_ms,
            simulated: false,
            billed_key: call_key(&self.payer.work.run, self.payer.call.token, no),
            estimated: false,
        })
        .await?;
        *self.outside.lock() = None;
        Ok(answered)
    }

    async fn kept(&self, no: u32, file: SavedFile) -> Result<Value, Unpaid> {
        let Payer { work, call, .. } = self.payer;
        let bytes = u64::try_from(file.bytes.0.len()).unwrap_or(u64::MAX);
        let (mime, name) = (media_type(&file.mime), file_name(&file.name));
        let facts =
            mime.starts_with("image/").then(|| showrunner_media::probe_image(&file.bytes.0).ok());
        let facts = facts.flatten();
        let stored = self.runtime.store(file.bytes.0).await;
        let sha256 = stored.map_err(|_stopping| Unpaid::TakenOver)?;
        let kind = mime.split('/').next().filter(|kind| ["image", "video", "audio"].contains(kind));
        let asset = Asset {
            id: AssetId::of(&work.run, call.token, no),
            kind: kind.unwrap_or("document").to_owned(),
            name,
            mime,
            bytes,
            sha256,
            width: facts.as_ref().map(|facts| facts.width),
            height: facts.as_ref().map(|facts| facts.height),
            duration_ms: None,
            alt: file.alt,
            simulated: false,
        };
        let said = json!({
            "id": asset.id, "name": asset.name, "mime": asset.mime, "bytes": asset.bytes,
            "sha256": asset.sha256, "kind": asset.kind,
        });
        self.so_far.lock().assets.push(asset);
        Ok(said)
    }
}

/// What came of a request.
type Answered = Result<FetchAnswer, FetchFailure>;

#[async_trait]
impl Host for Stage<'_> {
    async fn fetch(&self, _no: u32, request: FetchRequest) -> Reply<FetchAnswer, FetchFailure> {
        match self.fetched(&request).await {
            Ok(Ok(answer)) => Reply::Done(answer),
            Ok(Err(failure)) => Reply::Failed(failure),
            Err(unpaid) => self.stop(unpaid),
        }
    }

    async fn save(&self, no: u32, file: SavedFile) -> Reply<Value, String> {
        match self.kept(no, file).await {
            Ok(said) => Reply::Done(said),
            Err(unpaid) => self.stop(unpaid),
        }
    }
}

/// A request that may change something, with whoever carries it out. Nobody can be asked later
/// what became of it.
struct Post<'a> {
    fetch: &'a dyn Fetch,
    request: &'a FetchRequest,
    /// How it failed, where it certainly did nothing.
    failure: Mutex<Option<FetchFailure>>,
}

#[async_trait]
impl Paid for Post<'_> {
    type Answer = FetchAnswer;

    fn provider(&self) -> &str {
        host_of(&self.request.url)
    }
    fn safety(&self) -> CallSafety {
        CallSafety::Neither
    }
    fn is_free(&self) -> bool {
        false
    }
    fn as_sent(&self) -> SentCall {
        SentCall::Request
    }
    async fn send(&self) -> Result<FetchAnswer, CallFailure> {
        let failure = match self.fetch.fetch(self.request).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        let outcome = if failure.may_have_acted { Outcome::Unknown } else { Outcome::NotSent };
        let (code, message) = (failure.code.clone(), failure.message.clone());
        if outcome == Outcome::NotSent {
            *self.failure.lock() = Some(failure);
        }
        Err(CallFailure::new(ErrorClass::Network, outcome, code, message))
    }
    async fn look_up(&self) -> Result<LookUp<FetchAnswer>, CallFailure> {
        Ok(LookUp::CannotSay)
    }
}

/// Host and port of an address.
fn host_of(url: &str) -> &str {
    let after = url.split_once("://").map_or(url, |(_, after)| after);
    let authority = after.split(['/', '?', '#']).next().unwrap_or(after);
    authority.rsplit('@').next().unwrap_or(authority)
}

/// A media type without parameters, or what says nothing.
fn media_type(given: &str) -> String {
    let bare = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric() || b"+-._".contains(&c))
    };
    let is_type = bare.len() <= 100
        && bare.split_once('/').is_some_and(|(kind, detail)| is_part(kind) && is_part(detail));
    if is_type { bare } else { "application/octet-stream".to_owned() }
}

/// A name for a download: no path, nothing that does not print.
fn file_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect();
    let kept = kept.trim().trim_start_matches('.');
    if kept.is_empty() { "file".to_owned() } else { kept.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_types_of_authors_are_made_harmless() {
        assert_eq!(file_name("../../etc/passwd"), "passwd");
        assert_eq!(file_name("C:\\a\\b.png"), "b.png");
        assert_eq!(file_name(" \u{0}..\n "), "file");
        assert_eq!(file_name("報告.md"), "報告.md");
        assert_eq!(media_type("Text/HTML; charset=utf-8"), "text/html");
        assert_eq!(media_type("text/html\r\nX: y"), "application/octet-stream");
        assert_eq!(media_type("no type"), "application/octet-stream");
        assert_eq!(host_of("https://me:pw@api.test:8443/x?y=@z"), "api.test:8443");
    }
}
