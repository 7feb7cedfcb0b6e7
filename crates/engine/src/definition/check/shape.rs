//! Whether a path can lead to something in values of a schema.

use serde_json::Value;

use crate::definition::problem::{Complaint, complaint};
use crate::template::Types;

/// Most local references followed on one path; schemas may refer in circles.
const REFS_MAX: usize = 8;

/// Keywords beside which `properties` does not say everything.
const OPENERS: [&str; 9] = [
    "patternProperties",
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "$ref",
    "$dynamicRef",
    "dependentSchemas",
    "unevaluatedProperties",
];

/// Follows `members` into `schema`. A schema that lists its properties means them: what is not
/// among them is a mistake, unless it says that there may be others.
pub(super) fn check(schema: &Value, at: &str, members: &[String]) -> Result<(), Complaint> {
    let mut here = schema;
    let mut path = at.to_owned();
    for member in members {
        let resolved = deref(schema, here);
        let next = if is_list(resolved) {
            resolved.get("items")
        } else {
            property(resolved, &path, member)?
        };
        let Some(next) = next else { return Ok(()) };
        here = next;
        path = format!("{path}.{member}");
    }
    Ok(())
}

/// The types that a value of `schema` can have where `members` lead; any where that is not said.
pub(super) fn types(schema: &Value, members: &[String]) -> Types {
    let mut here = deref(schema, schema);
    for member in members {
        let next = if is_list(here) {
            here.get("items").filter(|_| here.get("prefixItems").is_none())
        } else {
            here.get("properties").and_then(|properties| properties.get(member))
        };
        match next {
            Some(next) => here = deref(schema, next),
            None => return Types::ANY,
        }
    }
    Types::of_schema(here)
}

fn is_list(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("array")
}

/// The schema of a property; `None` where anything may be.
fn property<'s>(
    schema: &'s Value,
    path: &str,
    member: &str,
) -> Result<Option<&'s Value>, Complaint> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Ok(None);
    };
    if let Some(found) = properties.get(member) {
        return Ok(Some(found));
    }
    let is_open = OPENERS.iter().any(|key| schema.get(key).is_some())
        || schema.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false));
    if is_open {
        return Ok(None);
    }
    let names: Vec<&str> = properties.keys().map(String::as_str).collect();
    let wrong = complaint(
        format!("`{path}` has no `{member}`"),
        format!("its schema lists {}", names.join(", ")),
    );
    Err(wrong
        .hint("add it to the schema's properties, or allow additionalProperties")
        .meant(member, names.iter().copied()))
}

/// Follows `$ref: "#/…"` within the schema.
fn deref<'s>(whole: &'s Value, schema: &'s Value) -> &'s Value {
    let mut here = schema;
    for _ in 0..REFS_MAX {
        let target = here.get("$ref").and_then(Value::as_str);
        let pointer = target.and_then(|target| target.strip_prefix('#'));
        match pointer.and_then(|pointer| whole.pointer(pointer)) {
            Some(next) => here = next,
            None => return here,
        }
    }
    here
}
