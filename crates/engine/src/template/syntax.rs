//! What an expression is made of once it is understood. The tree is as deep as its brackets are:
//! chains (`a + b + c`, `a.b.c`, `!!a`, `a ? b : c ? d : e`) are lists, so no hostile text can
//! make a walk over it exhaust the stack.

use serde_json::Value;

use super::function::Function;
use super::path::Segment;

/// A node.
#[derive(Debug)]
pub(super) enum Ast {
    Literal(Value),
    /// A root of the scope: `input`, `steps` …
    Root(String),
    /// The variable of an enclosing comprehension, counted from the outermost.
    Local(usize),
    /// Members, indices and methods after a base; first those at its beginning that are constant,
    /// once more, in the form in which they are followed.
    Postfix(Box<Self>, Vec<Segment>, Vec<Post>),
    /// `!` so many times.
    Not(usize, Box<Self>),
    /// `-` so many times.
    Negate(usize, Box<Self>),
    /// Operators of one precedence, from left to right.
    Chain(Box<Self>, Vec<(Op, Self)>),
    All(Vec<Self>),
    Any(Vec<Self>),
    /// Conditions with their values, and the value when none holds.
    Choose(Vec<(Self, Self)>, Box<Self>),
    List(Vec<Self>),
    Object(Vec<(Self, Self)>),
    /// `has(a.b.c)`: whether the path leads to something.
    Has(Box<Self>),
    /// `default(a, b)`, `coalesce(a, b, …)`: the first that exists and is not null.
    First(Vec<Self>),
    Call(Function, Vec<Self>),
    /// `matches` with a constant pattern, compiled once.
    Matches(Box<Self>, regex::Regex),
}

/// What may follow a base.
#[derive(Debug)]
pub(super) enum Post {
    Member(String),
    Index(Ast),
    Method(Function, Vec<Ast>),
    Matches(regex::Regex),
    Each(Box<Each>),
}

/// A comprehension over a list, or over the keys of an object.
#[derive(Debug)]
pub(super) struct Each {
    pub(super) kind: EachKind,
    /// The predicate, or the value of the three-argument `map`.
    pub(super) test: Option<Ast>,
    pub(super) value: Option<Ast>,
}

/// CEL's macros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EachKind {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

impl EachKind {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "all" => Self::All,
            "exists" => Self::Exists,
            "exists_one" | "existsOne" => Self::ExistsOne,
            "filter" => Self::Filter,
            "map" => Self::Map,
            _ => return None,
        })
    }
}

/// Operators with two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Plus,
    Minus,
    Times,
    Divide,
    Remainder,
}

impl Op {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}
