//! Schemas made of schemas, flattened: references followed, `allOf` merged, choices spelt out.

use serde_json::{Map, Value};

/// References followed in a row before giving up on a circle.
const HOPS_MAX: usize = 16;

/// The schema with its `$ref` and `allOf` merged into it.
pub(super) fn flattened(schema: &Map<String, Value>, document: &Value) -> Map<String, Value> {
    let mut flat = schema.clone();
    for _ in 0..HOPS_MAX {
        let mut parts = Vec::new();
        if let Some(Value::String(reference)) = flat.shift_remove("$ref") {
            parts.extend(target(&reference, document).cloned());
        }
        if let Some(Value::Array(all)) = flat.shift_remove("allOf") {
            parts.extend(all);
        }
        if parts.is_empty() {
            return flat;
        }
        for part in parts {
            match part {
                Value::Object(part) => flat = merged(flat, &part),
                Value::Bool(false) => {
                    flat.insert("enum".into(), Value::Array(Vec::new()));
                },
                _ => {},
            }
        }
    }
    flat
}

/// The choices that a schema offers, each merged with what holds for all of them; empty where it
/// offers none. Null comes last: an answer is better than none.
pub(super) fn branches(schema: &Map<String, Value>, document: &Value) -> Vec<Value> {
    let mut base = schema.clone();
    let choice = ["oneOf", "anyOf"].iter().find_map(|name| match base.shift_remove(*name) {
        Some(Value::Array(branches)) => Some(branches),
        _ => None,
    });
    if let Some(choice) = choice {
        let mut merged: Vec<Value> = choice.iter().map(|b| with(&base, b, document)).collect();
        merged.sort_by_key(|branch| branch.get("type") == Some(&Value::from("null")));
        return merged;
    }
    let Some(condition) = base.shift_remove("if") else { return Vec::new() };
    let always = Value::Bool(true);
    let then = base.shift_remove("then").unwrap_or_else(|| always.clone());
    let otherwise = base.shift_remove("else").unwrap_or(always);
    let when = with(&base, &condition, document);
    let holds = match &when {
        Value::Object(when) => with(when, &then, document),
        other => other.clone(),
    };
    vec![holds, with(&base, &otherwise, document)]
}

fn with(base: &Map<String, Value>, branch: &Value, document: &Value) -> Value {
    match branch {
        Value::Object(branch) => Value::Object(merged(base.clone(), &flattened(branch, document))),
        Value::Bool(false) => Value::Bool(false),
        _ => Value::Object(base.clone()),
    }
}

/// Both schemas at once.
fn merged(mut base: Map<String, Value>, other: &Map<String, Value>) -> Map<String, Value> {
    for (name, value) in other {
        let known = base.shift_remove(name);
        let both = match known {
            None => value.clone(),
            Some(known) => both(name, known, value),
        };
        base.insert(name.clone(), both);
    }
    base
}

/// What `name` says when two schemas say it.
fn both(name: &str, known: Value, other: &Value) -> Value {
    match (name, known, other) {
        ("properties" | "$defs", Value::Object(mut known), Value::Object(other)) => {
            for (member, schema) in other {
                let joined = match known.shift_remove(member) {
                    None => schema.clone(),
                    Some(before) => joined(before, schema),
                };
                known.insert(member.clone(), joined);
            }
            Value::Object(known)
        },
        ("items" | "additionalProperties", known, other) => joined(known, other),
        ("required", Value::Array(mut known), Value::Array(other)) => {
            for name in other {
                if !known.contains(name) {
                    known.push(name.clone());
                }
            }
            Value::Array(known)
        },
        ("enum", Value::Array(known), Value::Array(other)) => {
            Value::Array(known.into_iter().filter(|value| other.contains(value)).collect())
        },
        ("type", known, other) => common_type(&known, other),
        ("allOf", Value::Array(mut known), Value::Array(other)) => {
            known.extend(other.iter().cloned());
            Value::Array(known)
        },
        (name, known, other) if name.starts_with("min") || name == "exclusiveMinimum" => {
            if known.as_f64() >= other.as_f64() { known } else { other.clone() }
        },
        (name, known, other) if name.starts_with("max") || name == "exclusiveMaximum" => {
            if known.as_f64() <= other.as_f64() { known } else { other.clone() }
        },
        // Of two patterns or formats one is planned for; the validator knows both.
        (_, _, other) => other.clone(),
    }
}

/// Two schemas for one place.
fn joined(known: Value, other: &Value) -> Value {
    match (known, other) {
        (Value::Bool(true), other) => other.clone(),
        (known, Value::Bool(true)) => known,
        (known @ Value::Object(_), Value::Object(_)) => {
            serde_json::json!({ "allOf": [known, other] })
        },
        _ => Value::Bool(false),
    }
}

fn types(of: &Value) -> Vec<&str> {
    match of {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn common_type(known: &Value, other: &Value) -> Value {
    let (known, other) = (types(known), types(other));
    let mut common: Vec<Value> =
        known.iter().filter(|t| other.contains(t)).map(|t| Value::from(*t)).collect();
    // Every integer is a number.
    if common.is_empty() && [&known, &other].iter().any(|types| types.contains(&"integer")) {
        common.push("integer".into());
    }
    Value::Array(common)
}

/// What kind of value to make: the first named type that is not null, else what the other keywords
/// are about.
pub(super) fn main_type(schema: &Map<String, Value>) -> &'static str {
    const KINDS: [&str; 7] = ["object", "array", "string", "number", "integer", "boolean", "null"];
    const SIGNS: [(&str, &[&str]); 4] = [
        ("object", &["properties", "required", "additionalProperties", "minProperties"]),
        ("array", &["items", "prefixItems", "minItems", "maxItems", "contains", "uniqueItems"]),
        ("string", &["minLength", "maxLength", "pattern", "format"]),
        ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    ];
    if let Some(named) = schema.get("type") {
        let named = types(named);
        let wanted = named.iter().find(|kind| **kind != "null").or_else(|| named.first());
        return wanted.and_then(|w| KINDS.iter().find(|kind| *kind == w)).copied().unwrap_or("any");
    }
    let sign = SIGNS.iter().find(|(_, signs)| signs.iter().any(|sign| schema.contains_key(*sign)));
    sign.map_or("any", |(kind, _)| *kind)
}

/// Those of `values` that are of the named type.
pub(super) fn of_type(values: &[Value], named: Option<&Value>) -> Vec<Value> {
    let Some(named) = named.map(types).filter(|named| !named.is_empty()) else {
        return values.to_vec();
    };
    let is_of = |value: &Value| match value {
        Value::Null => named.contains(&"null"),
        Value::Bool(_) => named.contains(&"boolean"),
        Value::Number(_) => named.contains(&"number") || named.contains(&"integer"),
        Value::String(_) => named.contains(&"string"),
        Value::Array(_) => named.contains(&"array"),
        Value::Object(_) => named.contains(&"object"),
    };
    values.iter().filter(|value| is_of(value)).cloned().collect()
}

/// What a local reference points to.
fn target<'a>(reference: &str, document: &'a Value) -> Option<&'a Value> {
    if let Some(pointer) = reference.strip_prefix('#') {
        if pointer.is_empty() || pointer.starts_with('/') {
            return document.pointer(pointer);
        }
        let by_anchor =
            |schema: &&Value| schema.get("$anchor").and_then(Value::as_str) == Some(pointer);
        return document.get("$defs")?.as_object()?.values().find(by_anchor);
    }
    None
}
