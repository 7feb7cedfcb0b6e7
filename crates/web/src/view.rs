//! How things are shown to programs: the shapes of answers, made from the folded run.

pub mod run;
pub mod step;
pub mod checkpoint;
pub mod asset;
pub mod event;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use showrunner_engine::at::Timestamp;
use showrunner_engine::definition::Label;
use showrunner_engine::failure::Failure;
use showrunner_engine::money::{Budget, MicroUsd};

/// An instant as RFC 3339 text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub Timestamp);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0.to_rfc3339())
    }
}

impl JsonSchema for Instant {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Instant".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

impl From<Timestamp> for Instant {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

/// Text in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LabelView {
    /// English.
    pub en: String,
    /// Japanese; English again where the author gave none.
    pub ja: String,
}

impl From<&Label> for LabelView {
    fn from(label: &Label) -> Self {
        Self { en: label.en.clone(), ja: label.in_language("ja").to_owned() }
    }
}

/// What went wrong.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FailureView {
    /// Its class: `transient`, `validation` …
    pub class: String,
    /// A stable short code.
    pub code: String,
    /// For people.
    pub message: String,
    /// How long the other side asked to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl From<&Failure> for FailureView {
    fn from(failure: &Failure) -> Self {
        Self {
            class: failure.class.name().into(),
            code: failure.code.clone(),
            message: failure.message.clone(),
            retry_after_ms: failure.retry_after_ms,
        }
    }
}

/// A limit.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct BudgetView {
    /// Money at most; null does not limit.
    pub usd: Option<f64>,
    /// Model tokens at most; null does not limit.
    pub tokens: Option<u64>,
}

impl From<Budget> for BudgetView {
    fn from(budget: Budget) -> Self {
        Self { usd: budget.cost.map(MicroUsd::as_usd), tokens: budget.tokens }
    }
}
