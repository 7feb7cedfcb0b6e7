//! How much work a schema may be. Validation follows references, and references can multiply:
//! thirty lines that each refer twice to the next are a thousand million checks of one value, and
//! one that refers to itself never ends. So the schema is written out here, references replaced by
//! what they refer to, and has to be of a modest size then.

use serde_json::Value;

/// Most objects of a schema that is written out.
const EXPANDED_MAX: usize = 3_000;

/// Most references one within the other, and levels of the whole.
const DEPTH_MAX: usize = 100;

/// Refuses what is too large, circular, or refers to anything outside.
pub(super) fn check(schema: &Value) -> Result<(), String> {
    let mut walk = Walk { schema, left: EXPANDED_MAX, within: Vec::new() };
    walk.visit(schema, 0)
}

struct Walk<'s> {
    schema: &'s Value,
    left: usize,
    /// The references being followed.
    within: Vec<&'s str>,
}

impl<'s> Walk<'s> {
    fn visit(&mut self, part: &'s Value, depth: usize) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err(format!("nested deeper than {DEPTH_MAX}, references included"));
        }
        match part {
            Value::Array(items) => items.iter().try_for_each(|item| self.visit(item, depth + 1)),
            Value::Object(members) => {
                self.left = self.left.checked_sub(1).ok_or_else(|| {
                    format!("larger than {EXPANDED_MAX} parts with its references written out")
                })?;
                for (key, member) in members {
                    match (key.as_str(), member) {
                        ("$ref", Value::String(target)) => self.follow(target, depth)?,
                        ("$dynamicRef" | "$recursiveRef", Value::String(_)) => {
                            return Err(format!("`{key}` is not supported; use `$ref`"));
                        },
                        ("$id", Value::String(_)) if depth > 0 => {
                            return Err("`$id` inside a schema is not supported".into());
                        },
                        _ => self.visit(member, depth + 1)?,
                    }
                }
                Ok(())
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    fn follow(&mut self, target: &'s str, depth: usize) -> Result<(), String> {
        let pointer =
            target.strip_prefix('#').filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let Some(found) = pointer.and_then(|pointer| self.schema.pointer(pointer)) else {
            return Err(format!(
                "`$ref: {target}` leads nowhere; only `#/…` within it is followed"
            ));
        };
        // A reference to a part that is being written out already comes back to itself.
        if self.within.contains(&target) || pointer == Some("") {
            return Err(format!("`$ref: {target}` leads back to itself"));
        }
        self.within.push(target);
        let done = self.visit(found, depth + 1);
        self.within.pop();
        done
    }
}
