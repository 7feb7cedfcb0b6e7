//! JSON Schema, compiled once. Authors are strangers: a schema fetches nothing, and checking a
//! value against it ends soon.

use std::sync::Arc;

use serde_json::Value;

mod bounds;

/// Largest automaton of a `pattern`, in bytes.
const PATTERN_MAX: usize = 1024 * 1024;

/// A compiled JSON Schema (draft 2020-12). Cheap to clone.
#[derive(Clone)]
pub struct Schema {
    source: Arc<Value>,
    compiled: Arc<jsonschema::Validator>,
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Schema({})", self.source)
    }
}

/// One way in which a value breaks its schema.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Breach {
    /// JSON pointer to the offending place; empty for the whole value.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

impl Schema {
    /// Compiles `source`. References to other documents are refused, nothing is fetched; so are
    /// schemas that refer to themselves or grow too large through references. A `pattern` is a
    /// regular expression without backtracking (no look-around, no back-references).
    ///
    /// # Errors
    /// The text says which keyword of the schema is wrong.
    pub fn compile(source: Value) -> Result<Self, String> {
        bounds::check(&source)?;
        let patterns = jsonschema::PatternOptions::regex().size_limit(PATTERN_MAX);
        let compiled = jsonschema::options()
            .with_pattern_options(patterns)
            .build(&source)
            .map_err(|error| error.to_string())?;
        Ok(Self { source: Arc::new(source), compiled: Arc::new(compiled) })
    }

    /// The schema that accepts everything.
    pub fn anything() -> Self {
        let source = Value::Bool(true);
        let compiled = jsonschema::Validator::new(&source);
        #[expect(clippy::expect_used, reason = "the schema `true` is valid in every draft")]
        let compiled = compiled.expect("`true` compiles");
        Self { source: Arc::new(source), compiled: Arc::new(compiled) }
    }

    /// The schema as written.
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// Whether `value` fits.
    pub fn accepts(&self, value: &Value) -> bool {
        self.compiled.is_valid(value)
    }

    /// The first few breaches; empty when `value` fits.
    pub fn breaches(&self, value: &Value) -> Vec<Breach> {
        const SHOWN_MAX: usize = 20;
        self.compiled
            .iter_errors(value)
            .take(SHOWN_MAX)
            .map(|error| Breach {
                pointer: error.instance_path().to_string(),
                message: error.to_string(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(source: Value) -> String {
        Schema::compile(source).unwrap_err()
    }

    #[test]
    fn a_breach_says_where_and_what() {
        let schema = Schema::compile(json!({
            "type": "object", "required": ["a"],
            "properties": {"a": {"$ref": "#/$defs/n"}, "b": {"pattern": "^x+$"}},
            "$defs": {"n": {"type": "number"}},
        }));
        let schema = schema.unwrap();
        assert!(schema.accepts(&json!({"a": 1, "b": "xx"})));
        let breaches = schema.breaches(&json!({"a": "one"}));
        assert_eq!(breaches[0].pointer, "/a");
        assert_eq!(breaches[0].message, "\"one\" is not of type \"number\"");
        assert!(!schema.accepts(&json!({"a": 1, "b": "y"})));
        assert!(Schema::anything().accepts(&json!([1])));
    }

    #[test]
    fn nothing_is_fetched() {
        for target in ["https://example.com/x.json", "file:///etc/passwd", "other.json", "#name"] {
            assert!(refused(json!({"$ref": target})).contains("leads nowhere"), "{target}");
        }
        assert!(refused(json!({"items": {"$id": "x", "$ref": "#/a"}})).contains("$id"));
    }

    #[test]
    fn a_schema_that_never_ends_is_refused() {
        assert!(refused(json!({"$ref": "#"})).contains("itself"));
        let circle = json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"},
            "b": {"anyOf": [{"$ref": "#/$defs/a"}]}}});
        assert!(refused(circle).contains("itself"));
        assert!(refused(json!({"$dynamicRef": "#x"})).contains("not supported"));
    }

    #[test]
    fn a_schema_that_multiplies_is_refused() {
        let mut defs = serde_json::Map::new();
        for n in 0..20 {
            let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
            defs.insert(format!("d{n}"), json!({"anyOf": [next.clone(), next]}));
        }
        defs.insert("d20".into(), json!(false));
        let bomb = json!({"$ref": "#/$defs/d0", "$defs": defs});
        assert!(refused(bomb).contains("larger than"));
    }

    #[test]
    fn a_pattern_that_backtracks_for_ever_does_not() {
        let schema = Schema::compile(json!({"pattern": "^(a+)+$"})).unwrap();
        assert!(!schema.accepts(&json!(format!("{}b", "a".repeat(100_000)))));
        assert!(Schema::compile(json!({"pattern": "(a)\\1"})).is_err());
        assert!(Schema::compile(json!({"pattern": "((a{1000}){1000}){1000}"})).is_err());
    }
}
