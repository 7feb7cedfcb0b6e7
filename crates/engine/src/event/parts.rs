//! What events are made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::at::Timestamp;
use crate::definition::Verb;
use crate::failure::Failure;
use crate::id::{AssetId, Digest, OrgId, RunId, StepKey, Token};
use crate::money::Budget;

/// A value that is there is read as it is: null is a value too, and only its absence is nothing.
pub(super) fn present<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<Arc<Value>>, D::Error> {
    Value::deserialize(from).map(|value| Some(Arc::new(value)))
}

/// Which definition a run is pinned to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinitionRef {
    /// Its name.
    pub slug: String,
    /// Its version.
    pub version: u32,
    /// SHA-256 of its text.
    pub digest: Digest,
}

/// The run and step that wait for a child run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentLink {
    /// The waiting run.
    pub run: RunId,
    /// The waiting step.
    pub step: StepKey,
    /// The waiting attempt.
    pub token: Token,
}

/// A step result taken over from another run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reused {
    /// The step, same key in both runs.
    pub step: StepKey,
    /// Its output.
    pub output: Arc<Value>,
    /// Its assets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<Asset>,
    /// Whether the shipped double had a hand in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
}

/// Bytes that a step produced, stored by content before the event was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Its id.
    pub id: AssetId,
    /// `image`, `video`, `audio`, `document`.
    pub kind: String,
    /// Media type.
    pub mime: String,
    /// File name for a download.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Content digest; also its address in object storage.
    pub sha256: Digest,
    /// Pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Milliseconds, for what plays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// Description for readers who cannot see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt: Option<String>,
    /// Whether it was made by the shipped double rather than by a real renderer or vendor.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
}

/// An asynchronous job that a provider accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Whose.
    pub provider: String,
    /// The provider's own id.
    pub id: String,
}

/// A provider that somebody else now works in place of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedProvider {
    /// Who.
    pub provider: String,
    /// Why.
    pub failure: Failure,
}

/// A person's answer to a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// What was chosen.
    pub verb: Verb,
    /// Who chose it.
    pub by: String,
    /// Their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The content as they left it, when they changed it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub modified: Option<Arc<Value>>,
    /// When.
    pub at: Timestamp,
}

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Everything that had to succeed did.
    Completed,
    /// A required step failed for good.
    Failed,
    /// Somebody ended it.
    Cancelled,
}

/// How a doubt was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoubtVerdict {
    /// The call did not take effect: send it again.
    Resend,
    /// The call counts as failed.
    Failed,
}

/// What a run begins with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// Whose.
    pub org: OrgId,
    /// Of what.
    pub definition: DefinitionRef,
    /// What it was given.
    pub input: Arc<Value>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Facts the starter wants to find it by (`brand`, `campaign` …).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Who started it.
    pub started_by: String,
    /// The run that waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ParentLink>,
    /// The run it continues from a point of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<RunId>,
    /// Results taken over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reused: Vec<Reused>,
    /// The run's own limit.
    #[serde(default)]
    pub budget: Budget,
    /// When it must have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// Larger goes first in dispatch.
    #[serde(default)]
    pub priority: i8,
}
