//! The form of a structured answer, in the words of each vendor.
//!
//! Vendors take a part of JSON Schema each. What one does not take is left out of what it is told
//! (in words, where words may help); the answer is checked against the whole schema by the engine
//! all the same.

use serde_json::{Map, Value, json};
use showrunner_engine::turn::OutputForm;

/// Under which name an answer that is no object is put into one.
const WRAP: &str = "answer";

/// What a vendor takes of JSON Schema.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    /// Keywords that are taken as they are, beside those of structure.
    keywords: &'static [&'static str],
    /// Every object must say that it takes nothing else.
    is_closed: bool,
}

/// Anthropic's `output_config.format` (source: “Structured outputs”, and `transform_schema` of
/// the Python SDK 2.10.0): no numeric bounds, no lengths, closed objects.
pub(super) const ANTHROPIC: Dialect = Dialect { keywords: &["format"], is_closed: true };
/// OpenAI's `response_format` in strict mode (source: “Structured outputs”, supported schemas).
pub(super) const OPENAI: Dialect = Dialect {
    keywords: &[
        "format",
        "pattern",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minItems",
        "maxItems",
    ],
    is_closed: true,
};
/// Gemini's `responseJsonSchema` (source: `GenerationConfig` of the reference).
pub(super) const GOOGLE: Dialect = Dialect {
    keywords: &["format", "minimum", "maximum", "minItems", "maxItems", "prefixItems"],
    is_closed: false,
};

/// A forced form, ready for a wire.
#[derive(Clone, Debug)]
pub(super) struct Form {
    schema: Value,
    /// Whether the answer comes within an object of our own, because vendors take objects only.
    pub(super) is_wrapped: bool,
}

impl Form {
    pub(super) fn of(form: &OutputForm) -> Self {
        let source = form.schema.source();
        let is_object = source.get("type").and_then(Value::as_str) == Some("object");
        let schema = if is_object {
            source.clone()
        } else {
            json!({
                "type": "object",
                "properties": { WRAP: inner(source) },
                "required": [WRAP],
                "additionalProperties": false,
            })
        };
        Self { schema, is_wrapped: !is_object }
    }

    /// The schema as written, for tools and for words.
    pub(super) fn whole(&self) -> &Value {
        &self.schema
    }

    /// The schema in a vendor's dialect.
    pub(super) fn narrowed(&self, dialect: Dialect) -> Value {
        narrowed(&self.schema, dialect)
    }

    /// Whether strict decoding can be asked of OpenAI: every object names all its members as
    /// required, and nothing else may be in it.
    pub(super) fn is_strict(&self) -> bool {
        is_strict(&self.schema)
    }

    /// What the model is told where the wire has no place for a schema.
    pub(super) fn in_words(&self) -> String {
        format!(
            "Answer with one JSON value and nothing else, no code fence. It must fit this JSON \
             Schema:\n{}",
            self.schema
        )
    }

    /// The answer within what came.
    pub(super) fn unwrap(&self, value: Value) -> Value {
        match value {
            Value::Object(mut members) if self.is_wrapped && members.len() == 1 => {
                members.remove(WRAP).unwrap_or(Value::Object(members))
            },
            other => other,
        }
    }

    /// An earlier answer as the model gave it.
    pub(super) fn wrap(&self, value: &Value) -> Value {
        if self.is_wrapped { json!({ WRAP: value }) } else { value.clone() }
    }
}

/// A schema that stands within another. `true` accepts everything.
fn inner(schema: &Value) -> Value {
    match schema {
        Value::Bool(_) => json!({}),
        other => other.clone(),
    }
}

/// Keywords that hold structure: taken everywhere.
const STRUCTURE: &[&str] = &["type", "enum", "const", "title", "description", "required", "$ref"];
/// Keywords under which a schema lies, under which a list of them, and under which a map.
const SCHEMA: &[&str] = &["items", "additionalProperties"];
const SCHEMAS: &[&str] = &["anyOf", "oneOf", "allOf", "prefixItems"];
const SCHEMA_MAP: &[&str] = &["properties", "$defs", "definitions"];

fn narrowed(schema: &Value, dialect: Dialect) -> Value {
    let Value::Object(members) = schema else { return schema.clone() };
    let mut kept = Map::new();
    let mut left_out = Vec::new();
    for (name, value) in members {
        let word = name.as_str();
        if SCHEMA_MAP.contains(&word) {
            let each = value.as_object().into_iter().flatten();
            let each = each.map(|(key, schema)| (key.clone(), narrowed(schema, dialect)));
            kept.insert(name.clone(), Value::Object(each.collect()));
        } else if SCHEMAS.contains(&word) {
            let each = value.as_array().into_iter().flatten();
            let each = each.map(|schema| narrowed(schema, dialect)).collect();
            // One of several is taken as any of several; the engine knows the difference.
            let word = if word == "oneOf" { "anyOf" } else { word };
            kept.insert(word.to_owned(), Value::Array(each));
        } else if SCHEMA.contains(&word) {
            kept.insert(name.clone(), narrowed(value, dialect));
        } else if STRUCTURE.contains(&word) || dialect.keywords.contains(&word) {
            kept.insert(name.clone(), value.clone());
        } else if word != "$schema" && word != "$id" {
            left_out.push(format!("{word}: {value}"));
        }
    }
    if dialect.is_closed && is_object(&kept) {
        kept.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    if !left_out.is_empty() {
        let said = kept.get("description").and_then(Value::as_str).unwrap_or_default();
        let said = format!("{said} ({})", left_out.join(", "));
        kept.insert("description".to_owned(), Value::String(said.trim_start().to_owned()));
    }
    Value::Object(kept)
}

fn is_object(members: &Map<String, Value>) -> bool {
    members.get("type").and_then(Value::as_str) == Some("object")
}

fn is_strict(schema: &Value) -> bool {
    let Value::Object(members) = schema else { return false };
    let closed = !is_object(members) || {
        let properties = members.get("properties").and_then(Value::as_object);
        let names = properties.into_iter().flat_map(Map::keys);
        let required = members.get("required").and_then(Value::as_array);
        let is_required = |name: &String| {
            required.is_some_and(|list| list.iter().any(|item| item.as_str() == Some(name)))
        };
        members.get("additionalProperties") == Some(&Value::Bool(false))
            && names.into_iter().all(is_required)
    };
    let within = |word: &&str| members.get(*word);
    closed
        && (is_object(members)
            || members
                .keys()
                .any(|name| STRUCTURE.contains(&name.as_str()) || SCHEMAS.contains(&name.as_str())))
        && SCHEMA.iter().filter_map(within).filter(|schema| !schema.is_boolean()).all(is_strict)
        && SCHEMAS.iter().filter_map(within).filter_map(Value::as_array).flatten().all(is_strict)
        && SCHEMA_MAP
            .iter()
            .filter_map(within)
            .filter_map(Value::as_object)
            .flat_map(Map::values)
            .all(is_strict)
}

#[cfg(test)]
mod tests {
    use showrunner_engine::schema::Schema;

    use super::*;

    fn form(schema: Value) -> Form {
        let schema = Schema::compile(schema).unwrap();
        Form::of(&OutputForm { schema, digest: "d".into() })
    }

    fn brief() -> Value {
        json!({
            "type": "object",
            "required": ["headline"],
            "properties": {
                "headline": { "type": "string", "minLength": 1, "maxLength": 40 },
                "score": { "type": "integer", "minimum": 0, "description": "how good" },
                "notes": { "type": "array", "maxItems": 5, "items": { "type": "string", "maxLength": 9 } },
            },
        })
    }

    #[test]
    fn each_vendor_gets_what_it_takes_and_is_told_the_rest_in_words() {
        let form = form(brief());
        let anthropic = form.narrowed(ANTHROPIC);
        assert_eq!(anthropic["additionalProperties"], json!(false));
        assert_eq!(
            anthropic["properties"]["headline"],
            json!({ "type": "string", "description": "(minLength: 1, maxLength: 40)" })
        );
        assert_eq!(anthropic["properties"]["score"]["description"], "how good (minimum: 0)");
        let openai = form.narrowed(OPENAI);
        assert_eq!(openai["properties"]["score"]["minimum"], json!(0));
        assert_eq!(openai["properties"]["notes"]["maxItems"], json!(5));
        let google = form.narrowed(GOOGLE);
        assert_eq!(google.get("additionalProperties"), None);
        assert_eq!(google["properties"]["notes"]["items"]["description"], "(maxLength: 9)");
        assert_eq!(form.whole(), &brief());
    }

    #[test]
    fn strict_is_what_names_every_member() {
        assert!(!form(brief()).is_strict());
        let closed = json!({
            "type": "object", "required": ["a"], "additionalProperties": false,
            "properties": { "a": { "type": "array", "items": { "enum": ["x"] } } },
        });
        assert!(form(closed).is_strict());
        let anything = json!({
            "type": "object", "required": ["a"], "additionalProperties": false,
            "properties": { "a": {} },
        });
        assert!(!form(anything).is_strict());
    }

    #[test]
    fn what_is_no_object_travels_in_one() {
        let list = form(json!({ "type": "array", "items": { "type": "string" } }));
        assert!(list.is_wrapped && list.is_strict());
        assert_eq!(list.unwrap(json!({ "answer": ["a"] })), json!(["a"]));
        assert_eq!(list.wrap(&json!(["a"])), json!({ "answer": ["a"] }));
        // What did not keep to it is left as it is, for the engine to refuse.
        assert_eq!(list.unwrap(json!({ "answers": 1 })), json!({ "answers": 1 }));
        let object = form(brief());
        assert_eq!(object.unwrap(json!({ "answer": 1 })), json!({ "answer": 1 }));
    }
}
