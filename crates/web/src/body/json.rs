//! JSON with its faults said well: place, reason, and what was probably meant.

use serde_json::Value;
use showrunner_engine::schema::Schema;

use crate::problem::{FieldError, Problem, codes, shown};

/// Objects and lists may stand inside each other so many times.
const DEPTH_MAX: usize = 128;
/// A fault quotes at most so much of what was sent.
const QUOTED_MAX: usize = 200;

/// Reads JSON.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    if bytes.is_empty() {
        let problem = Problem::new(&codes::MALFORMED_JSON, "the body is empty");
        return Err(problem.with_hint("send at least `{}`"));
    }
    if depth(bytes) > DEPTH_MAX {
        let words = format!("more than {DEPTH_MAX} objects and lists inside each other");
        return Err(Problem::new(&codes::TOO_DEEP, words));
    }
    serde_json::from_slice(bytes).map_err(|fault| {
        let (line, column) = (fault.line(), fault.column());
        let words = fault.to_string();
        let what = words.split(" at line ").next().unwrap_or(&words);
        let problem =
            Problem::new(&codes::MALFORMED_JSON, format!("line {line}, column {column}: {what}"));
        problem.with("line", line).with("column", column)
    })
}

/// How deep the text is nested, without reading it any further.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let (mut in_text, mut escaped) = (false, false);
    for byte in bytes {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {},
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            },
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {},
        }
    }
    deepest
}

/// Everything in `value` that does not fit.
pub(super) fn check(schema: &Schema, value: &Value) -> Result<(), Problem> {
    let mut errors = unknown_members(schema.source(), value);
    for breach in schema.breaches(value) {
        let is_unknown = breach.message.starts_with("Additional properties are not allowed");
        if is_unknown && breach.pointer.is_empty() {
            continue; // said better already
        }
        let nothing = breach.message.trim();
        errors.push(FieldError::new(breach.pointer, shorter(nothing)));
    }
    if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
}

/// Members that the schema does not know, with what was probably meant.
fn unknown_members(schema: &Value, value: &Value) -> Vec<FieldError> {
    let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    let known = schema.get("properties").and_then(Value::as_object);
    let (Some(known), Some(given), true) = (known, value.as_object(), is_closed) else {
        return Vec::new();
    };
    let unknown = given.keys().filter(|name| !known.contains_key(*name));
    let fault = |name: &String| {
        let meant = nearest(name, known.keys().map(String::as_str));
        let detail = match meant {
            Some(meant) => format!("there is no `{}`; did you mean `{meant}`?", shown(name)),
            None => {
                let all: Vec<&str> = known.keys().map(String::as_str).collect();
                format!("there is no `{}`; there are: {}", shown(name), all.join(", "))
            },
        };
        let place = name.replace('~', "~0").replace('/', "~1");
        FieldError::new(format!("/{}", shown(&place)), detail)
    };
    unknown.take(20).map(fault).collect()
}

/// A long message with its middle taken out: validators repeat what was sent.
fn shorter(message: &str) -> String {
    let count = message.chars().count();
    if count <= QUOTED_MAX {
        return message.to_owned();
    }
    let head: String = message.chars().take(QUOTED_MAX / 2).collect();
    let tail: String = message.chars().skip(count - QUOTED_MAX / 2).collect();
    format!("{head} … {tail}")
}

/// The known name that is most like `name`, when one is like it at all.
pub(crate) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    const LENGTH_MAX: usize = 64;
    if name.len() > LENGTH_MAX {
        return None;
    }
    let far = name.chars().count() / 3 + 1;
    known
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= far)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be changed, added or left out.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, wanted) in row.iter_mut().skip(1).zip(&other) {
            let changed = diagonal + usize::from(letter != *wanted);
            diagonal = *cell;
            left = changed.min(*cell + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted() {
        assert_eq!(distance("prompt", "prompt"), 0);
        assert_eq!(distance("promt", "prompt"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("titel", "title"), 2);
    }

    #[test]
    fn the_name_that_was_meant_is_found_and_nothing_else() {
        let known = ["title", "prompt", "brand_id"];
        assert_eq!(nearest("titel", known.into_iter()), Some("title"));
        assert_eq!(nearest("brandid", known.into_iter()), Some("brand_id"));
        assert_eq!(nearest("zzz", known.into_iter()), None);
    }

    #[test]
    fn brackets_in_texts_are_no_depth() {
        assert_eq!(depth(br#"{"a":"[[[[\"[["}"#), 1);
        assert_eq!(depth(br#"[[{"a":[]}]]"#), 4);
    }

    #[test]
    fn ten_thousand_brackets_are_refused_before_they_are_read() {
        let deep = "[".repeat(10_000);
        assert_eq!(parse(deep.as_bytes()).unwrap_err().code(), "too_deep");
    }

    #[test]
    fn a_comma_too_many_is_said_with_its_place() {
        let problem = parse(b"{\n  \"a\": 1,\n}").unwrap_err();
        assert_eq!(problem.detail, "line 3, column 1: trailing comma");
    }
}
