//! One recorded call of a model, tool or media provider: what was asked (by digest), what came
//! back, what it cost. A recorded call is never made again.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::Digest;
use crate::money::{MicroUsd, Spend};

/// What was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// A language model.
    Model,
    /// A tool.
    Tool,
    /// A renderer or media vendor.
    Media,
}

/// Tokens a model counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read.
    #[serde(default)]
    pub input_tokens: u64,
    /// Tokens written.
    #[serde(default)]
    pub output_tokens: u64,
    /// Tokens of `input_tokens` that came from the vendor's cache.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cached_tokens: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A call and its answer, as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Position within its attempt, from 0.
    pub no: u16,
    /// What was called.
    pub kind: CallKind,
    /// SHA-256 of the canonical request.
    pub request_digest: Digest,
    /// Who answered.
    pub provider: String,
    /// Which model answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The answer as the turn needs it to go on.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub answer: Value,
    /// Tokens.
    #[serde(default)]
    pub usage: Usage,
    /// Price.
    pub cost: MicroUsd,
    /// How long it took, milliseconds.
    pub duration_ms: u64,
    /// Whether the shipped double answered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
    /// The idempotency key it was sent with; the vendor's ledger knows it by this.
    pub billed_key: String,
}

impl CallRecord {
    /// What this call adds to the bill.
    pub fn spend(&self) -> Spend {
        Spend {
            cost: self.cost,
            tokens: self.usage.input_tokens.saturating_add(self.usage.output_tokens),
        }
    }
}

/// What some calls cost together.
pub fn total<'a>(calls: impl IntoIterator<Item = &'a CallRecord>) -> Spend {
    calls.into_iter().fold(Spend::ZERO, |sum, call| sum.plus(call.spend()))
}
