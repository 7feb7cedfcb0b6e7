//! What went wrong in an attempt, as a typed class. Words inform; the class decides.

use serde::{Deserialize, Serialize};

/// Why an attempt failed. Decided from typed errors and status codes, never from a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The other side was busy or broken for a moment (HTTP 5xx).
    Transient,
    /// Too many calls; honours Retry-After (HTTP 429).
    RateLimited,
    /// No credit left at the provider: another one, or later (HTTP 402).
    QuotaExceeded,
    /// The input or output is wrong; trying again cannot help (HTTP 4xx, schema breach).
    Validation,
    /// The provider refused or failed this job; another provider may do it.
    Provider,
    /// Our own fault.
    Internal,
    /// The other side could not be reached.
    Network,
    /// The attempt took longer than its limit.
    Timeout,
    /// The reservation did not fit the budget.
    Budget,
    /// Somebody took the work away.
    Cancelled,
    /// A person or a gate said no.
    Rejected,
}

impl ErrorClass {
    /// All classes, in the order of their declaration.
    pub const ALL: [Self; 11] = [
        Self::Transient,
        Self::RateLimited,
        Self::QuotaExceeded,
        Self::Validation,
        Self::Provider,
        Self::Internal,
        Self::Network,
        Self::Timeout,
        Self::Budget,
        Self::Cancelled,
        Self::Rejected,
    ];

    /// The stable name, as written in definitions and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::RateLimited => "rate_limited",
            Self::QuotaExceeded => "quota_exceeded",
            Self::Validation => "validation",
            Self::Provider => "provider",
            Self::Internal => "internal",
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::Budget => "budget",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
        }
    }

    /// Whether another try may help when a definition does not say.
    pub fn is_retried_by_default(self) -> bool {
        matches!(
            self,
            Self::Transient
                | Self::RateLimited
                | Self::QuotaExceeded
                | Self::Provider
                | Self::Network
                | Self::Timeout
        )
    }
}

/// A failed attempt, step or run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure; decides retries.
    pub class: ErrorClass,
    /// A stable short code, `provider_refused`, `output_invalid` …
    pub code: String,
    /// What happened, for people. Never holds secrets.
    pub message: String,
    /// How long the other side asked us to wait, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// The code of a failure after which nobody is left who could be asked: trying again changes
/// nothing.
pub const NO_PROVIDER_LEFT: &str = "no_provider_left";

impl Failure {
    /// A failure without a wish to wait.
    pub fn new(class: ErrorClass, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { class, code: code.into(), message: message.into(), retry_after_ms: None }
    }
}
