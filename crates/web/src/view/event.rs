//! Events as they are shown: the stored text, with number and instant put in front.

use std::fmt::Write as _;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use showrunner_engine::at::Timestamp;
use showrunner_journal::query::events::NumberedEvent;

/// One event: `{seq, at, type, …}`. Its own members are those of the journal, unchanged.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct EventJson(pub Box<RawValue>);

impl JsonSchema for EventJson {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Event".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "required": ["seq", "at", "type"],
            "properties": {
                "seq": { "type": "integer", "description": "Its number in the run; also the cursor." },
                "at": { "type": "string", "format": "date-time" },
                "type": { "type": "string", "description": "`run.started`, `step.succeeded` …" },
                "step": { "type": "string" }
            }
        })
    }
}

/// A page of events.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EventsJson {
    /// The events, oldest first.
    pub data: Vec<EventJson>,
    /// To be given as `after` for those that come later.
    pub next_after: u64,
}

impl EventJson {
    /// An event of the journal.
    pub fn of(event: &NumberedEvent) -> Self {
        let text = text(event.seq, event.at, event.json.get(), "");
        Self(RawValue::from_string(text).unwrap_or_else(|_| nothing()))
    }
}

fn nothing() -> Box<RawValue> {
    to_raw_value(&()).unwrap_or_default()
}

/// The JSON text of an event; `more` stands between instant and the event's own members and ends
/// with a comma unless it is empty.
pub(crate) fn text(seq: u64, at: Timestamp, json: &str, more: &str) -> String {
    let members = json.trim_start().strip_prefix('{').unwrap_or("}");
    let mut text = String::with_capacity(json.len() + more.len() + 64);
    // Writing to a String cannot fail.
    let _always_ok = write!(text, r#"{{"seq":{seq},"at":"{}",{more}{members}"#, at.to_rfc3339());
    text
}

/// The stable name of an event, read from its JSON text.
pub(crate) fn name(json: &str) -> String {
    #[derive(serde::Deserialize)]
    struct Named {
        #[serde(rename = "type")]
        name: String,
    }
    serde_json::from_str::<Named>(json).map(|named| named.name).unwrap_or_default()
}
