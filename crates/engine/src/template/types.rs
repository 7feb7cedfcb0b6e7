//! Which types the value of an expression can have, as far as that is certain before it runs.

use serde_json::Value;

use super::path::Segment;
use super::syntax::{Ast, Op};
use super::{Expression, Reference, Template};

/// A set of JSON types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Types(u8);

impl Types {
    /// None at all: the beginning of a union.
    const NONE: Self = Self(0);
    /// `null`.
    pub const NULL: Self = Self(1);
    /// `true` and `false`.
    pub const TRUTH: Self = Self(1 << 1);
    /// Numbers, whole or not.
    pub const NUMBER: Self = Self(1 << 2);
    /// Texts.
    pub const TEXT: Self = Self(1 << 3);
    /// Lists.
    pub const LIST: Self = Self(1 << 4);
    /// Objects.
    pub const OBJECT: Self = Self(1 << 5);
    /// Nothing is known.
    pub const ANY: Self = Self(0b11_1111);

    /// Types of the one or of the other.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a value can be of one of these.
    pub const fn may_be(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// What it is in words, without what is only there when something failed or was skipped.
    pub fn words(self) -> String {
        let all = [
            (Self::TRUTH, "true or false"),
            (Self::NUMBER, "a number"),
            (Self::TEXT, "a text"),
            (Self::LIST, "a list"),
            (Self::OBJECT, "an object"),
        ];
        let names: Vec<&str> =
            all.into_iter().filter(|(kind, _)| self.may_be(*kind)).map(|(_, name)| name).collect();
        if names.is_empty() { "null".to_owned() } else { names.join(" or ") }
    }

    /// The types that a JSON Schema allows by its `type`; without one, any.
    pub fn of_schema(schema: &Value) -> Self {
        let one = |name: &Value| match name.as_str() {
            Some("null") => Self::NULL,
            Some("boolean") => Self::TRUTH,
            Some("integer" | "number") => Self::NUMBER,
            Some("string") => Self::TEXT,
            Some("array") => Self::LIST,
            Some("object") => Self::OBJECT,
            _ => Self::ANY,
        };
        match schema.get("type") {
            Some(Value::Array(names)) => names.iter().map(one).fold(Self::NONE, Self::or),
            Some(name) => one(name),
            None => Self::ANY,
        }
    }

    fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::TRUTH,
            Value::Number(_) => Self::NUMBER,
            Value::String(_) => Self::TEXT,
            Value::Array(_) => Self::LIST,
            Value::Object(_) => Self::OBJECT,
        }
    }
}

impl Expression {
    /// The types that its value can have when it has one. `looked_up` knows those of what a path
    /// leads to.
    pub fn types(&self, looked_up: &dyn Fn(&Reference) -> Types) -> Types {
        of(&self.ast, looked_up)
    }

    /// Whether it divides by a zero that is written down: whenever that is reached, it fails.
    pub fn divides_by_zero(&self) -> bool {
        self.divides_by_zero
    }
}

impl Template {
    /// As for [`Expression`].
    pub fn divides_by_zero(&self) -> bool {
        self.expressions().any(Expression::divides_by_zero)
    }
}

fn of(ast: &Ast, looked_up: &dyn Fn(&Reference) -> Types) -> Types {
    let union = |parts: &mut dyn Iterator<Item = &Ast>| {
        parts.map(|part| of(part, looked_up)).fold(Types::NONE, Types::or)
    };
    match ast {
        Ast::Literal(value) => Types::of_value(value),
        Ast::Root(root) => looked_up(&vec![root.clone()]),
        Ast::Postfix(base, leading, posts) => match base.as_ref() {
            Ast::Root(root) if leading.len() == posts.len() => looked_up(&written(root, leading)),
            _ => Types::ANY,
        },
        Ast::Not(..) | Ast::All(_) | Ast::Any(_) | Ast::Has(_) | Ast::Matches(..) => Types::TRUTH,
        Ast::Negate(..) => Types::NUMBER,
        Ast::Chain(_, rest) => rest.last().map_or(Types::ANY, |(op, _)| of_operator(*op)),
        Ast::Choose(choices, otherwise) => {
            union(&mut choices.iter().map(|(_, value)| value).chain([otherwise.as_ref()]))
        },
        Ast::First(parts) => union(&mut parts.iter()),
        Ast::List(_) => Types::LIST,
        Ast::Object(_) => Types::OBJECT,
        Ast::Local(_) | Ast::Call(..) => Types::ANY,
    }
}

fn written(root: &str, segments: &[Segment]) -> Reference {
    let segment = |segment: &Segment| match segment {
        Segment::Member(name) => name.clone(),
        Segment::Index(at) => at.to_string(),
    };
    std::iter::once(root.to_owned()).chain(segments.iter().map(segment)).collect()
}

fn of_operator(op: Op) -> Types {
    match op {
        Op::Equal
        | Op::NotEqual
        | Op::Less
        | Op::LessOrEqual
        | Op::Greater
        | Op::GreaterOrEqual
        | Op::In => Types::TRUTH,
        Op::Plus => Types::NUMBER.or(Types::TEXT).or(Types::LIST),
        Op::Minus | Op::Times | Op::Divide | Op::Remainder => Types::NUMBER,
    }
}

/// Whether this operator with this on its right fails whatever is on its left.
pub(super) fn is_by_zero(op: Op, right: &Ast) -> bool {
    let is_zero = |value: &Value| value.as_f64().is_some_and(|number| number.abs() == 0.0);
    matches!(op, Op::Divide | Op::Remainder)
        && matches!(right, Ast::Literal(value) if is_zero(value))
}
