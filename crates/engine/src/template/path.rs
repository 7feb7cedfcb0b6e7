//! Following members into JSON, with messages that say what is there instead. A path with
//! constant members only is evaluated here alone, borrowing from the scope.

use std::borrow::Cow;

use serde_json::Value;

use super::meter::{Fault, fault};
use super::syntax::{Ast, Post};
use super::{Scope, nearest};

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Member(String),
    Index(usize),
}

/// A root and constant segments: what most expressions are.
#[derive(Debug)]
pub(super) struct Path {
    root: String,
    segments: Vec<Segment>,
}

impl Path {
    /// The path that `ast` is, if it is one.
    pub(super) fn of(ast: &Ast) -> Option<Self> {
        match ast {
            Ast::Root(root) => Some(Self { root: root.clone(), segments: Vec::new() }),
            Ast::Postfix(base, leading, posts) if leading.len() == posts.len() => {
                let Ast::Root(root) = base.as_ref() else { return None };
                Some(Self { root: root.clone(), segments: leading.clone() })
            },
            _ => None,
        }
    }

    /// Its value, borrowed where the scope lends it.
    pub(super) fn eval<'a>(&self, scope: &'a dyn Scope) -> Result<Cow<'a, Value>, Fault> {
        let (base, taken) = base(scope, &self.root, &self.segments)?;
        let rest = self.segments.get(taken..).unwrap_or_default();
        let mut value = base;
        for segment in rest {
            value = enter(value, segment)?;
        }
        Ok(value)
    }
}

/// The segment that a member or index is, when it is known before anything runs.
pub(super) fn constant_segment(post: &Post) -> Option<Segment> {
    match post {
        Post::Member(name) => Some(Segment::Member(name.clone())),
        Post::Index(Ast::Literal(Value::Number(number))) => {
            Some(Segment::Index(usize::try_from(number.as_u64()?).ok()?))
        },
        _ => None,
    }
}

/// The value at the beginning of a path, and how many segments that took: two for a step's
/// output, which the scope lends, so that nothing is copied to look into it.
pub(super) fn base<'a>(
    scope: &'a dyn Scope,
    root: &str,
    segments: &[Segment],
) -> Result<(Cow<'a, Value>, usize), Fault> {
    if root != "steps" {
        return match scope.root(root) {
            Some(value) => Ok((value, 0)),
            None => fault(format!("`{root}` does not exist here")),
        };
    }
    let (step, value, taken) = match segments {
        [Segment::Member(step), Segment::Member(what), ..] if what == "output" => {
            (step, scope.output(step), 2)
        },
        [Segment::Member(step), ..] => (step, scope.step(step).map(Cow::Owned), 1),
        _ => return fault("`steps` has to be followed by a step's id"),
    };
    match value {
        Some(value) => Ok((value, taken)),
        None => fault(format!("step `{step}` is not visible here")),
    }
}

/// The value one segment further in.
pub(super) fn enter<'a>(value: Cow<'a, Value>, segment: &Segment) -> Result<Cow<'a, Value>, Fault> {
    match (value, segment) {
        (Cow::Borrowed(value), segment) => peek(value, segment).map(Cow::Borrowed),
        (Cow::Owned(Value::Object(mut members)), Segment::Member(name)) => {
            match members.swap_remove(name) {
                Some(found) => Ok(Cow::Owned(found)),
                None => Err(no_member(&Value::Object(members), name)),
            }
        },
        (Cow::Owned(Value::Array(mut items)), Segment::Index(at)) if *at < items.len() => {
            Ok(Cow::Owned(items.swap_remove(*at)))
        },
        (Cow::Owned(value), segment) => match peek(&value, segment) {
            Ok(found) => Ok(Cow::Owned(found.clone())),
            Err(fault) => Err(fault),
        },
    }
}

/// The same without taking the value apart.
pub(super) fn peek<'v>(value: &'v Value, segment: &Segment) -> Result<&'v Value, Fault> {
    match (value, segment) {
        (Value::Object(members), Segment::Member(name)) => {
            members.get(name).ok_or_else(|| no_member(value, name))
        },
        (Value::Array(items), Segment::Index(at)) => items
            .get(*at)
            .ok_or_else(|| Fault::Value(format!("no element {at} in a list of {}", items.len()))),
        (other, Segment::Member(name)) => Err(no_member(other, name)),
        (other, Segment::Index(at)) => fault(format!("no element {at} in {}", type_name(other))),
    }
}

/// Says what is there instead of the member asked for.
fn no_member(value: &Value, name: &str) -> Fault {
    const SHOWN_MAX: usize = 12;
    let Value::Object(members) = value else {
        return Fault::Value(format!("no `{name}` in {}", type_name(value)));
    };
    if members.is_empty() {
        return Fault::Value(format!("no key `{name}` in an empty object"));
    }
    let mut shown: Vec<&str> = members.keys().take(SHOWN_MAX).map(String::as_str).collect();
    if members.len() > SHOWN_MAX {
        shown.push("…");
    }
    let hint = nearest(name, members.keys().map(String::as_str))
        .map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default();
    Fault::Value(format!("no key `{name}`; there is {}{hint}", shown.join(", ")))
}

/// The name of a value's type, as CEL calls it, with what is special about it.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
