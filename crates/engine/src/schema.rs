//! JSON Schema, compiled once.

use std::sync::Arc;

use serde_json::Value;

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
    /// Compiles `source`. References to other documents are refused: nothing is fetched.
    ///
    /// # Errors
    /// The text says which keyword of the schema is wrong.
    pub fn compile(source: Value) -> Result<Self, String> {
        let compiled = jsonschema::options().build(&source).map_err(|error| error.to_string())?;
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
