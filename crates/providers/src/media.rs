//! Pictures, films and voices: jobs that are submitted now and done now or later.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use showrunner_engine::id::{Digest, RunId, StepKey};
use showrunner_engine::money::{MicroUsd, Spend};

use crate::error::CallFailure;
use crate::profiles::Unpriced;
use crate::{CallSafety, LookUp, Mode};

/// What is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A still picture.
    Image,
    /// A film.
    Video,
    /// Spoken words.
    Voice,
}

/// A media job on its way to a provider.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaRequest {
    /// The idempotency key, as of [`crate::ModelRequest::key`].
    pub key: String,
    /// The run it is for.
    pub run: RunId,
    /// The step it is for.
    pub step: StepKey,
    /// Who asks.
    pub agent: String,
    /// What is to be made.
    pub kind: MediaKind,
    /// How it is to look or sound; providers read the members they know.
    pub spec: Value,
}

impl MediaRequest {
    /// SHA-256 of what is asked, without key and place.
    pub fn digest(&self) -> Digest {
        let request = serde_json::json!({ "kind": self.kind, "spec": self.spec });
        showrunner_engine::turn::digest_of(&request)
    }
}

/// What became of a submission.
#[derive(Clone, Debug, PartialEq)]
pub enum Submitted {
    /// Done at once.
    Done(MediaJob),
    /// Taken; it is to be polled, or calls back.
    Accepted {
        /// The provider's id of the job.
        job_id: String,
    },
}

/// A finished job.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaJob {
    /// What was made.
    pub result: MediaResult,
    /// What it cost.
    pub cost: MicroUsd,
    /// Whether nobody real made it.
    pub simulated: bool,
}

/// What a job made.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaResult {
    /// The file itself.
    Bytes {
        /// Its media type.
        mime: String,
        /// Its content.
        bytes: bytes::Bytes,
    },
    /// An order for the media crate, which renders it on this machine.
    Render(Value),
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaStatus {
    /// Under way.
    Working {
        /// Thousandths done, as far as the provider says.
        progress_permille: Option<u16>,
    },
    /// Done.
    Done(MediaJob),
    /// It came to nothing; [`CallFailure::outcome`] says whether it was paid for.
    Failed(CallFailure),
}

/// A provider of media.
#[async_trait]
pub trait MediaProvider: Send + Sync + std::fmt::Debug {
    /// Its name: shown, recorded, and the key of its limits.
    fn name(&self) -> &str;

    /// How real it is.
    fn mode(&self) -> Mode;

    /// What can be done about a submission whose answer was lost.
    fn safety(&self) -> CallSafety;

    /// What it can make.
    fn makes(&self, kind: MediaKind) -> bool;

    /// Whether it can make just this. Who cannot is not asked, and has not failed.
    fn takes(&self, kind: MediaKind, _spec: &Value) -> bool {
        self.makes(kind)
    }

    /// Hands a job over.
    async fn submit(&self, request: &MediaRequest) -> Result<Submitted, CallFailure>;

    /// How far a job is.
    async fn poll(&self, job_id: &str) -> Result<MediaStatus, CallFailure>;

    /// What became of the submission with this key.
    async fn look_up(&self, key: &str) -> Result<LookUp<Submitted>, CallFailure>;

    /// Stops a job; what it has cost until then is returned. A job that has ended stays as it is.
    async fn cancel(&self, job_id: &str) -> Result<MicroUsd, CallFailure>;

    /// The most that this job can cost.
    fn ceiling(&self, request: &MediaRequest) -> Result<Spend, Unpriced>;
}
