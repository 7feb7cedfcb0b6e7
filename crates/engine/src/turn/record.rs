//! Calls as they are recorded. Stored in events by the ten thousand a second: short names,
//! defaults left out. The names are stable for ever.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::Digest;
use crate::money::{MicroUsd, Spend};

/// One call of the outside that was made and answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Its number in the attempt, from 0.
    #[serde(rename = "n")]
    pub no: u16,
    /// What was called.
    #[serde(rename = "k")]
    pub kind: CallKind,
    /// SHA-256 of the canonical request.
    #[serde(rename = "q")]
    pub request_digest: Digest,
    /// Who answered.
    #[serde(rename = "p")]
    pub provider: Arc<str>,
    /// The vendor's name of the model that answered.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Arc<str>>,
    /// What came back.
    #[serde(rename = "a")]
    pub answer: Answer,
    /// Tokens used.
    #[serde(rename = "u", default, skip_serializing_if = "Usage::is_zero")]
    pub usage: Usage,
    /// What it cost.
    #[serde(rename = "c", default, skip_serializing_if = "is_zero")]
    pub cost: MicroUsd,
    /// How long it took, in milliseconds.
    #[serde(rename = "d", default, skip_serializing_if = "is_zero")]
    pub duration_ms: u64,
    /// Whether nobody real answered.
    #[serde(rename = "s", default, skip_serializing_if = "is_zero")]
    pub simulated: bool,
    /// The idempotency key under which the provider was asked.
    #[serde(rename = "b", default, skip_serializing_if = "String::is_empty")]
    pub billed_key: String,
    /// Whether the provider did not say what was used, and usage and cost are the most it can
    /// have been.
    #[serde(rename = "e", default, skip_serializing_if = "is_zero")]
    pub estimated: bool,
}

impl CallRecord {
    /// What this call adds to the spend of its attempt.
    pub fn spend(&self) -> Spend {
        Spend { cost: self.cost, tokens: self.usage.total() }
    }

    /// Whether this record answers call `no` with this digest.
    pub(super) fn check(&self, kind: CallKind, no: u16, digest: &Digest) -> Result<(), Divergence> {
        if self.no != no {
            return Err(Divergence::Number { recorded: self.no, asked: no });
        }
        if self.kind != kind {
            return Err(Divergence::Kind { no, recorded: self.kind, asked: kind });
        }
        if self.request_digest != *digest {
            return Err(Divergence::Request {
                no,
                recorded: self.request_digest.clone(),
                asked: digest.clone(),
            });
        }
        Ok(())
    }
}

/// What was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallKind {
    /// A language model.
    #[serde(rename = "m")]
    Model,
    /// A tool.
    #[serde(rename = "t")]
    Tool,
    /// Something that makes pictures, films or voices.
    #[serde(rename = "d")]
    Media,
    /// A child run; its price is what it has cost in all.
    #[serde(rename = "r")]
    Run,
    /// Nobody: an equal call's result was at hand.
    #[serde(rename = "c")]
    Cache,
}

impl CallKind {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Tool => "tool",
            Self::Media => "media",
            Self::Run => "run",
            Self::Cache => "cache",
        }
    }
}

/// What came back from a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// A structured answer; of a tool or a media call, its result.
    #[serde(rename = "o")]
    Output(Value),
    /// The output of the step, word for word; not written twice. Only the last call of an
    /// attempt has it, and a finished attempt is not resumed.
    #[serde(rename = "=")]
    AsOutput,
    /// Plain text.
    #[serde(rename = "x")]
    Text(String),
    /// The model wants tools called before it goes on.
    #[serde(rename = "t")]
    Tools {
        /// What it said beside that.
        #[serde(rename = "x", default, skip_serializing_if = "String::is_empty")]
        text: String,
        /// The calls, in its order.
        #[serde(rename = "c")]
        calls: Vec<AskedTool>,
    },
}

impl Answer {
    /// The answer as one JSON value.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Output(value) => value.clone(),
            Self::AsOutput => Value::Null,
            Self::Text(text) => Value::String(text.clone()),
            Self::Tools { .. } => serde_json::to_value(self).unwrap_or_default(),
        }
    }

    /// About how many bytes of JSON text it is, without writing it.
    pub fn weight(&self) -> usize {
        match self {
            Self::Output(value) => weight(value),
            Self::AsOutput => 0,
            Self::Text(text) => text.len(),
            Self::Tools { text, calls } => {
                text.len()
                    + calls.iter().map(|c| c.name.len() + weight(&c.arguments)).sum::<usize>()
            },
        }
    }
}

/// A tool call as the model asked for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AskedTool {
    /// The vendor's id, to be repeated in the result.
    #[serde(rename = "i")]
    pub id: String,
    /// The tool's name.
    #[serde(rename = "n")]
    pub name: String,
    /// Its arguments.
    #[serde(rename = "a", default)]
    pub arguments: Value,
}

/// Tokens of one call.
#[expect(clippy::struct_field_names, reason = "the unit is part of the name")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Read at full price.
    #[serde(rename = "i", default, skip_serializing_if = "is_zero")]
    pub input_tokens: u64,
    /// Written.
    #[serde(rename = "o", default, skip_serializing_if = "is_zero")]
    pub output_tokens: u64,
    /// Read from the vendor's cache at a lower price.
    #[serde(rename = "c", default, skip_serializing_if = "is_zero")]
    pub cached_tokens: u64,
}

impl Usage {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens).saturating_add(self.cached_tokens)
    }

    /// Whether nothing was used.
    pub fn is_zero(&self) -> bool {
        self.total() == 0
    }
}

/// A recorded call is not what the turn asks for: the agent, its input or the code has changed
/// since. Nothing of the record was used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Divergence {
    /// Same place, another request.
    #[error("call {no} was recorded for request {recorded}, the turn now asks {asked}")]
    Request {
        /// The call's number.
        no: u16,
        /// The digest in the record.
        recorded: Digest,
        /// The digest of what would be asked now.
        asked: Digest,
    },
    /// Same place, another kind of call.
    #[error("call {no} was recorded as a {} call, the turn now asks for a {} call",
        .recorded.name(), .asked.name())]
    Kind {
        /// The call's number.
        no: u16,
        /// The kind in the record.
        recorded: CallKind,
        /// The kind that would be asked now.
        asked: CallKind,
    },
    /// A record is missing, doubled or out of order.
    #[error("call {recorded} is recorded where the turn asks for call {asked}")]
    Number {
        /// The number in the record.
        recorded: u16,
        /// The number that would be asked now.
        asked: u16,
    },
    /// The turn has ended before this record.
    #[error("call {recorded} is recorded after the end of the turn")]
    AfterEnd {
        /// The number in the record.
        recorded: u16,
    },
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 4,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| weight(item) + 1).sum::<usize>() + 2,
        Value::Object(members) => {
            members.iter().map(|(name, item)| name.len() + 4 + weight(item)).sum::<usize>() + 2
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_is_short_and_reads_back() {
        let record = CallRecord {
            no: 0,
            kind: CallKind::Model,
            request_digest: "d0".into(),
            provider: "scripted".into(),
            model: None,
            answer: Answer::Output(json!({"hook": "おはよう"})),
            usage: Usage { input_tokens: 12, output_tokens: 3, cached_tokens: 0 },
            cost: MicroUsd(7),
            duration_ms: 0,
            simulated: true,
            billed_key: String::new(),
            estimated: false,
        };
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(
            text,
            r#"{"n":0,"k":"m","q":"d0","p":"scripted","a":{"o":{"hook":"おはよう"}},"u":{"i":12,"o":3},"c":7,"s":true}"#
        );
        assert_eq!(serde_json::from_str::<CallRecord>(&text).unwrap(), record);
    }
}
