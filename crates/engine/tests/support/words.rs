//! One line of a transcript, cut into words: bare words, JSON values and `name=value`.

use std::collections::BTreeMap;

use serde_json::Value;

/// A line in its parts.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// Bare words in order; the first is the verb.
    pub(crate) words: Vec<String>,
    /// JSON values in order: objects, lists, numbers and quoted texts.
    pub(crate) values: Vec<Value>,
    /// `name=value`; a value that is no JSON is a text.
    pub(crate) options: BTreeMap<String, Value>,
}

impl Line {
    pub(crate) fn read(line: &str) -> Self {
        let mut read = Self::default();
        let mut rest = line.trim_start();
        while !rest.is_empty() {
            if let Some((value, after)) = json_at(rest) {
                read.values.push(value);
                rest = after;
            } else {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                let word = &rest[..end];
                match word.split_once('=') {
                    Some((name, _)) if !name.is_empty() => {
                        let text = &rest[name.len() + 1..];
                        let (value, after) = json_at(text).unwrap_or_else(|| {
                            let end = text.find(char::is_whitespace).unwrap_or(text.len());
                            (Value::String(text[..end].to_owned()), &text[end..])
                        });
                        read.options.insert(name.to_owned(), value);
                        rest = after;
                    },
                    _ => {
                        read.words.push(word.to_owned());
                        rest = &rest[end..];
                    },
                }
            }
            rest = rest.trim_start();
        }
        read
    }

    pub(crate) fn word(&self, at: usize) -> &str {
        let what = || panic!("word {at} is missing in {self:?}");
        self.words.get(at).map_or_else(what, String::as_str)
    }

    pub(crate) fn value(&self) -> Value {
        self.values.first().cloned().unwrap_or(Value::Null)
    }

    pub(crate) fn text(&self) -> Option<String> {
        self.values.iter().find_map(|value| value.as_str().map(str::to_owned))
    }

    pub(crate) fn option(&self, name: &str) -> Option<String> {
        self.options.get(name).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.options.get(name).and_then(Value::as_f64)
    }
}

/// A JSON value at the beginning of `text`, when one stands there and ends with a word.
fn json_at(text: &str) -> Option<(Value, &str)> {
    if !text
        .starts_with(|c: char| c == '{' || c == '[' || c == '"' || c == '-' || c.is_ascii_digit())
    {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let value = values.next()?.ok()?;
    let after = &text[values.byte_offset()..];
    (after.is_empty() || after.starts_with(char::is_whitespace)).then_some((value, after))
}

/// `+90s`, `5m`, `2h`, `3d`, `250ms` in microseconds.
pub(crate) fn span_micros(text: &str) -> i64 {
    let text = text.trim_start_matches('+');
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: i64 = text[..digits].parse().unwrap_or_else(|_| panic!("no time: {text}"));
    let factor = match &text[digits..] {
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        other => panic!("no unit of time: {other}"),
    };
    number * factor
}

/// The opposite: the largest unit that fits.
pub(crate) fn span_text(micros: i64) -> String {
    let units = [(86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s")];
    let unit = units.iter().find(|(size, _)| micros != 0 && micros % size == 0);
    let (size, name) = unit.copied().unwrap_or((1_000, "ms"));
    format!("{}{name}", micros / size)
}
