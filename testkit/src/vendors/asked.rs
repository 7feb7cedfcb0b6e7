//! What is asked of a model and what it says, before either is in a vendor's words.

use serde_json::{Map, Value, json};

use super::{Fault, Play};

/// A request that a vendor takes.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) model: String,
    pub(super) streams: bool,
    /// The form that is asked for.
    pub(super) schema: Option<Value>,
    /// The tool whose arguments are that form.
    pub(super) answer_tool: Option<String>,
    /// Whether the usage is wanted in a stream.
    pub(super) wants_usage: bool,
    /// How long the request is.
    pub(super) bytes: usize,
}

/// A request that a vendor does not take.
#[derive(Clone, Debug)]
pub(super) struct Denied {
    pub(super) status: u16,
    /// In Anthropic's words; the others have theirs made from it.
    pub(super) code: &'static str,
    pub(super) words: String,
}

impl Denied {
    pub(super) fn new(status: u16, code: &'static str, words: impl Into<String>) -> Self {
        Self { status, code, words: words.into() }
    }

    pub(super) fn overloaded() -> Self {
        Self::new(529, "overloaded_error", "Overloaded")
    }

    /// The request is wrong.
    pub(super) fn wrong(words: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", words)
    }
}

/// What is wrong, unless `holds`.
pub(super) fn demand(holds: bool, words: &str) -> Result<(), Denied> {
    if holds { Ok(()) } else { Err(Denied::wrong(words)) }
}

/// Why the model stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Done,
    Cut,
    Refused,
    Filtered,
}

/// Tokens that are billed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    pub(super) input: u64,
    pub(super) cached: u64,
    pub(super) output: u64,
}

/// What the model says.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) words: String,
    /// Tools with their arguments, as JSON text.
    pub(super) tools: Vec<(String, String)>,
    pub(super) end: End,
    pub(super) used: Used,
    pub(super) tells_usage: bool,
    /// The connection goes once the reason for the end is out.
    pub(super) ends_early: bool,
}

impl Said {
    pub(super) fn of(asked: &Asked, play: Play) -> Self {
        let fault = play.fault;
        let mut words = String::new();
        let mut tools: Vec<(String, String)> = Vec::new();
        for (name, arguments) in play.tools {
            let arguments = match fault {
                Some(Fault::InvalidArguments) => "{\"city\": \"Kyo".to_owned(),
                _ => arguments.to_string(),
            };
            tools.push((name, arguments));
        }
        let told = play.say.clone();
        let form = asked.schema.as_ref().map(|schema| match (fault, play.say) {
            (Some(Fault::WrongSchema), _) => json!({ "wrong": true }).to_string(),
            (Some(Fault::InvalidArguments), _) => "{\"headline\": \"unclo".to_owned(),
            (_, Some(words)) => words,
            (_, None) => filled(schema, "answer").to_string(),
        });
        match (form, &asked.answer_tool) {
            _ if !tools.is_empty() => words.push_str("I will look that up."),
            (Some(form), Some(tool)) => tools.push((tool.clone(), form)),
            (Some(form), None) => words = form,
            (None, _) => {
                words = told.unwrap_or_else(|| "Good morning. おはようございます。".to_owned());
            },
        }
        let end = match fault {
            Some(Fault::Refusal) => End::Refused,
            Some(Fault::Filtered) => End::Filtered,
            Some(Fault::CutOff) => End::Cut,
            _ => End::Done,
        };
        let read = u64::try_from(asked.bytes / 4).unwrap_or(u64::MAX);
        let written: usize = words.len() + tools.iter().map(|(_, json)| json.len()).sum::<usize>();
        let used = Used {
            input: read - read / 8,
            cached: read / 8,
            output: u64::try_from(written / 4 + 5).unwrap_or(u64::MAX),
        };
        Self {
            words,
            tools,
            end,
            used,
            tells_usage: !matches!(fault, Some(Fault::NoUsage | Fault::CutBeforeUsage)),
            ends_early: fault == Some(Fault::CutBeforeUsage),
        }
    }
}

/// A value that fits `schema`: the same for the same schema, plausible where its names help.
fn filled(schema: &Value, name: &str) -> Value {
    let get = |word: &str| schema.get(word);
    if let Some(first) = get("enum").and_then(Value::as_array).and_then(|list| list.first()) {
        return first.clone();
    }
    if let Some(value) = get("const") {
        return value.clone();
    }
    if let Some(first) = get("anyOf").and_then(Value::as_array).and_then(|list| list.first()) {
        return filled(first, name);
    }
    let whole = |word: &str| get(word).and_then(Value::as_i64);
    match get("type").and_then(Value::as_str) {
        Some("object") => {
            let members = get("properties").and_then(Value::as_object).into_iter().flatten();
            let members = members.map(|(name, schema)| (name.clone(), filled(schema, name)));
            Value::Object(members.collect::<Map<_, _>>())
        },
        Some("array") => {
            let count = whole("minItems").unwrap_or(1).max(1);
            let items = get("items").cloned().unwrap_or_else(|| json!({ "type": "string" }));
            Value::Array((0..count).map(|_| filled(&items, name)).collect())
        },
        Some("integer" | "number") => {
            let (low, high) = (whole("minimum").unwrap_or(0), whole("maximum").unwrap_or(100));
            json!(i64::midpoint(low, high))
        },
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        _ => Value::String(name.replace('_', " ")),
    }
}

/// Text in a few pieces, cut between characters.
pub(super) fn pieces(text: &str) -> Vec<&str> {
    let size = (text.len() / 4).max(1);
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let cut = (size..=rest.len()).find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(cut);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// One frame of a stream.
pub(super) fn frame(name: &str, data: &Value) -> Vec<u8> {
    match name {
        "" => format!("data: {data}\n\n").into_bytes(),
        name => format!("event: {name}\ndata: {data}\n\n").into_bytes(),
    }
}
