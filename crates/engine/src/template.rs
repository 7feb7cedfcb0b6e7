//! Expressions (CEL) and text with `{{ expression }}` in it, compiled once, evaluated against a
//! [`Scope`]. No loops without a bound, no side effects, a limit on everything.
//!
//! The language is CEL; the evaluator is ours, over JSON. An evaluator that cannot be told to
//! stop has no place in a server where authors are strangers: `[s].map(x, x + x)` forty times in
//! a row is one line of CEL and a terabyte. Here every node, copy and comparison is counted
//! (`template/meter.rs`), the tree is only as deep as its brackets (`template/syntax.rs`), and
//! a plain path borrows from the scope without any conversion (`template/path.rs`). A test holds
//! the meaning equal to the `cel` crate's.

use std::borrow::Cow;

use serde_json::Value;

mod eval;
mod function;
mod meter;
mod operate;
mod parse;
mod path;
mod syntax;
mod text;
mod token;
mod types;

use eval::{Machine, truth_of};
use meter::{check_result, weight};
use path::Path;
use syntax::Ast;
use text::{Piece, pieces, written};
pub use types::Types;

/// Longest text that a template may make, in bytes.
const RENDERED_MAX: usize = 256 * 1024;

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
/// fixed, `["steps", "draft", "output", "title"]`. A constant index is written as a number.
pub type Reference = Vec<String>;

/// A compiled CEL expression.
#[derive(Debug)]
pub struct Expression {
    text: String,
    ast: Ast,
    /// The same as a plain path, where it is one.
    path: Option<Path>,
    references: Vec<Reference>,
    divides_by_zero: bool,
}

impl Expression {
    /// Compiles `text`.
    pub fn parse(text: &str) -> Result<Self, ParseFault> {
        let parsed = parse::parse(text)?;
        let path = Path::of(&parsed.ast);
        let parse::Parsed { ast, references, divides_by_zero } = parsed;
        Ok(Self { text: text.to_owned(), ast, path, references, divides_by_zero })
    }

    /// The expression as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Everything it refers to.
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// Its value.
    pub fn eval(&self, scope: &dyn Scope) -> Result<Value, EvalFault> {
        let value = self.lend(scope)?;
        check_result(&value).map_err(|message| self.fault(message))?;
        Ok(value.into_owned())
    }

    /// Its value as a truth value; anything but a boolean is a fault.
    pub fn holds(&self, scope: &dyn Scope) -> Result<bool, EvalFault> {
        truth_of(&*self.lend(scope)?).map_err(|fault| self.fault(fault.message()))
    }

    /// Its value, borrowed from the scope or from the expression where it stands there already.
    fn lend<'a>(&'a self, scope: &'a dyn Scope) -> Result<Cow<'a, Value>, EvalFault> {
        let value = match (&self.path, &self.ast) {
            (Some(path), _) => path.eval(scope),
            (None, Ast::Literal(value)) => Ok(Cow::Borrowed(value)),
            (None, ast) => Machine::new(scope).eval(ast),
        };
        value.map_err(|fault| self.fault(fault.message()))
    }

    fn fault(&self, message: String) -> EvalFault {
        EvalFault { expression: self.text.clone(), message }
    }
}

/// Text with expressions in it. A text that is exactly one `{{ … }}` (blanks around it do not
/// count) has that expression's value, of whatever type; otherwise values are written into the
/// text: strings as they are, null as nothing, lists and objects as compact JSON. `\{{` is a
/// literal `{{`. A value that was written in is data: it is never looked at for expressions.
#[derive(Debug)]
pub struct Template {
    pieces: Vec<Piece>,
}

impl Template {
    /// Compiles `text`.
    pub fn parse(text: &str) -> Result<Self, ParseFault> {
        Ok(Self { pieces: pieces(text)? })
    }

    /// Everything it refers to.
    pub fn references(&self) -> Vec<&Reference> {
        self.expressions().flat_map(Expression::references).collect()
    }

    /// The one expression that the whole text is, if it is.
    pub fn single(&self) -> Option<&Expression> {
        let mut expressions = self.expressions();
        let only = expressions.next()?;
        let is_single = expressions.next().is_none()
            && self.pieces.iter().all(|piece| match piece {
                Piece::Fixed(text) => text.trim().is_empty(),
                Piece::Expression(_) => true,
            });
        is_single.then_some(only)
    }

    /// The text, when there is no expression in it.
    pub fn constant(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Fixed(text)] => Some(text),
            _ => None,
        }
    }

    /// Its value.
    pub fn render(&self, scope: &dyn Scope) -> Result<Value, EvalFault> {
        match self.single() {
            Some(expression) => expression.eval(scope),
            None => self.render_text(scope).map(Value::String),
        }
    }

    /// Its value written as text.
    pub fn render_text(&self, scope: &dyn Scope) -> Result<String, EvalFault> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Fixed(fixed) => text.push_str(fixed),
                Piece::Expression(expression) => {
                    let value = expression.lend(scope)?;
                    match value.as_ref() {
                        Value::String(inserted) if inserted.len() <= RENDERED_MAX => {
                            text.push_str(inserted);
                        },
                        other if weight(other) <= RENDERED_MAX => text.push_str(&written(other)),
                        _ => return Err(expression.fault(too_long())),
                    }
                    if text.len() > RENDERED_MAX {
                        return Err(expression.fault(too_long()));
                    }
                },
            }
        }
        Ok(text)
    }

    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Fixed(_) => None,
            Piece::Expression(expression) => Some(expression),
        })
    }
}

fn too_long() -> String {
    format!("the text becomes longer than {RENDERED_MAX} bytes")
}

/// A JSON value whose strings are templates.
#[derive(Debug)]
pub enum Mapping {
    /// A string.
    Text(Template),
    /// A number, truth value, null, or a string without expressions.
    Fixed(Value),
    /// A list.
    List(Vec<Self>),
    /// An object, in the author's order.
    Object(Vec<(String, Self)>),
}

impl Mapping {
    /// The mapping `{}`.
    pub fn empty() -> Self {
        Self::Object(Vec::new())
    }

    /// Compiles every string in `value`; the fault names where by JSON pointer.
    pub fn parse(value: &Value) -> Result<Self, (String, ParseFault)> {
        Self::parse_at(value, String::new(), 0)
    }

    fn parse_at(
        value: &Value,
        pointer: String,
        depth: usize,
    ) -> Result<Self, (String, ParseFault)> {
        if depth > meter::DEPTH_MAX {
            let message = format!("nested deeper than {}", meter::DEPTH_MAX);
            return Err((pointer, ParseFault { message, offset: 0 }));
        }
        Ok(match value {
            Value::String(text) => match Template::parse(text) {
                Ok(template) => match template.constant() {
                    Some(constant) => Self::Fixed(Value::from(constant)),
                    None => Self::Text(template),
                },
                Err(fault) => return Err((pointer, fault)),
            },
            Value::Array(items) => Self::List(
                items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| Self::parse_at(item, format!("{pointer}/{at}"), depth + 1))
                    .collect::<Result<_, _>>()?,
            ),
            Value::Object(members) => Self::Object(
                members
                    .iter()
                    .map(|(key, member)| {
                        let escaped = key.replace('~', "~0").replace('/', "~1");
                        let member =
                            Self::parse_at(member, format!("{pointer}/{escaped}"), depth + 1)?;
                        Ok((key.clone(), member))
                    })
                    .collect::<Result<_, _>>()?,
            ),
            fixed => Self::Fixed(fixed.clone()),
        })
    }

    /// Everything it refers to.
    pub fn references(&self) -> Vec<&Reference> {
        match self {
            Self::Text(template) => template.references(),
            Self::Fixed(_) => Vec::new(),
            Self::List(items) => items.iter().flat_map(Self::references).collect(),
            Self::Object(members) => {
                members.iter().flat_map(|(_, member)| member.references()).collect()
            },
        }
    }

    /// Its value. All of it together is held to the limit of one result.
    pub fn render(&self, scope: &dyn Scope) -> Result<Value, EvalFault> {
        let mut left = meter::RESULT_MAX;
        self.render_within(scope, &mut left)
    }

    fn render_within(&self, scope: &dyn Scope, left: &mut usize) -> Result<Value, EvalFault> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::Text(template) => {
                let value = template.render(scope)?;
                *left = left.checked_sub(weight(&value)).ok_or_else(|| EvalFault {
                    expression: template
                        .expressions()
                        .next()
                        .map(|e| e.text.clone())
                        .unwrap_or_default(),
                    message: format!(
                        "the whole becomes larger than {} bytes here; store it as an asset",
                        meter::RESULT_MAX
                    ),
                })?;
                Ok(value)
            },
            Self::List(items) => items.iter().map(|item| item.render_within(scope, left)).collect(),
            Self::Object(members) => members
                .iter()
                .map(|(key, member)| Ok((key.clone(), member.render_within(scope, left)?)))
                .collect::<Result<_, _>>()
                .map(Value::Object),
        }
    }
}

/// Every function that expressions know.
#[cfg(test)]
pub(crate) fn function_names() -> impl Iterator<Item = &'static str> {
    function::Function::names()
}

/// The candidate nearest to `word` by edit distance, if it is near enough to have been meant.
pub(crate) fn nearest<'c>(
    word: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    let limit = (word.chars().count() / 3).max(1);
    candidates
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edits (insert, delete, replace, swap neighbours) that make one word of the other; words over
/// 64 characters are not compared.
fn distance(a: &str, b: &str) -> usize {
    const LONGEST: usize = 64;
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len() > LONGEST || b.len() > LONGEST {
        return usize::MAX;
    }
    // Rows of the table of distances between beginnings; row i is for the first i letters of a.
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    let cell = |rows: &[Vec<usize>], i: usize, j: usize| -> usize {
        rows.get(i).and_then(|row| row.get(j)).copied().unwrap_or(usize::MAX / 2)
    };
    for i in 1..=a.len() {
        rows.push(vec![i]);
        for j in 1..=b.len() {
            let letters = (a.get(i - 1), b.get(j - 1));
            let replace = cell(&rows, i - 1, j - 1) + usize::from(letters.0 != letters.1);
            let mut best = replace.min(cell(&rows, i - 1, j) + 1).min(cell(&rows, i, j - 1) + 1);
            let is_swapped =
                i > 1 && j > 1 && (a.get(i - 1), a.get(i - 2)) == (b.get(j - 2), b.get(j - 1));
            if is_swapped {
                best = best.min(cell(&rows, i - 2, j - 2) + 1);
            }
            rows.last_mut().into_iter().for_each(|row| row.push(best));
        }
    }
    cell(&rows, a.len(), b.len())
}

#[cfg(test)]
mod tests;
