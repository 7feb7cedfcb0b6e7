//! Expressions (CEL) and text with `{{ expression }}` in it, compiled once, evaluated against a
//! [`Scope`]. No loops without a bound, no side effects, a limit on everything.

use std::borrow::Cow;

use serde_json::Value;

/// What expressions can see. Roots are `input`, `steps`, `item`, `index`, `loop`, `run`,
/// `feedback`; a step is seen as `{output, status, failure}`.
pub trait Scope {
    /// The value of a root other than `steps`; `None` where it does not exist.
    fn root(&self, name: &str) -> Option<Cow<'_, Value>>;
    /// `steps.<id>.output` of a step visible from here, null until it has one; `None` when no
    /// such step is visible.
    fn output(&self, step: &str) -> Option<Cow<'_, Value>>;
    /// `steps.<id>` whole, as an object `{output, status, failure}`.
    fn step(&self, step: &str) -> Option<Value>;
}

/// An expression could not be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseFault {
    /// What is wrong.
    pub message: String,
    /// Offset in characters from the start of the expression or template text.
    pub offset: usize,
}

/// An expression could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{expression}`: {message}")]
pub struct EvalFault {
    /// The expression as written.
    pub expression: String,
    /// What is wrong.
    pub message: String,
}

/// A reference made by an expression: the root and the members after it as far as they are
/// fixed, `["steps", "draft", "output", "title"]`.
pub type Reference = Vec<String>;

/// A compiled CEL expression.
#[derive(Debug)]
pub struct Expression {}

impl Expression {
    /// Compiles `text`.
    pub fn parse(_text: &str) -> Result<Self, ParseFault> {
        Ok(Self {})
    }
    /// The expression as written.
    pub fn text(&self) -> &str {
        ""
    }
    /// Everything it refers to.
    pub fn references(&self) -> &[Reference] {
        &[]
    }
    /// Its value.
    pub fn eval(&self, _scope: &dyn Scope) -> Result<Value, EvalFault> {
        Ok(Value::Null)
    }
    /// Its value as a truth value; anything but a boolean is a fault.
    pub fn holds(&self, _scope: &dyn Scope) -> Result<bool, EvalFault> {
        Ok(true)
    }
}

/// Text with expressions in it. A text that is exactly one `{{ … }}` has that expression's value,
/// of whatever type; otherwise values are written into the text.
#[derive(Debug)]
pub struct Template {}

impl Template {
    /// Compiles `text`.
    pub fn parse(_text: &str) -> Result<Self, ParseFault> {
        Ok(Self {})
    }
    /// Everything it refers to.
    pub fn references(&self) -> Vec<&Reference> {
        vec![]
    }
    /// Its value.
    pub fn render(&self, _scope: &dyn Scope) -> Result<Value, EvalFault> {
        Ok(Value::Null)
    }
    /// Its value written as text.
    pub fn render_text(&self, _scope: &dyn Scope) -> Result<String, EvalFault> {
        Ok(String::new())
    }
}

/// A JSON value whose strings are templates.
#[derive(Debug)]
pub enum Mapping {
    /// A string.
    Text(Template),
    /// A number, truth value, null, or a string without expressions.
    Fixed(Value),
    /// A list.
    List(Vec<Mapping>),
    /// An object, in the author's order.
    Object(Vec<(String, Mapping)>),
}

impl Mapping {
    /// The mapping `{}`.
    pub fn empty() -> Self {
        Self::Object(Vec::new())
    }
    /// Compiles every string in `value`; the fault names where by JSON pointer.
    pub fn parse(_value: &Value) -> Result<Self, (String, ParseFault)> {
        Ok(Self::empty())
    }
    /// Everything it refers to.
    pub fn references(&self) -> Vec<&Reference> {
        vec![]
    }
    /// Its value.
    pub fn render(&self, _scope: &dyn Scope) -> Result<Value, EvalFault> {
        Ok(Value::Null)
    }
}
