//! The functions that expressions may call, each as `f(x, y)` or `x.f(y)`. One table holds name,
//! number of arguments, meaning and code; the reference page is checked against it.

use std::borrow::Cow;

use serde_json::Value;

use super::meter::{Fault, Meter, fault};
use super::path::type_name;

mod lists;
mod numbers;
mod texts;

/// A function: an entry of the table.
#[derive(Clone, Copy)]
pub(super) struct Function(&'static Entry);

/// A row of the table.
struct Entry {
    name: &'static str,
    /// Fewest and most arguments, the target of a method included.
    arity: (usize, usize),
    run: fn(&mut Meter, &[Cow<'_, Value>]) -> Result<Value, Fault>,
}

/// Most arguments where any number goes.
const MANY: usize = 100;

const fn entry(
    name: &'static str,
    arity: (usize, usize),
    run: fn(&mut Meter, &[Cow<'_, Value>]) -> Result<Value, Fault>,
) -> Entry {
    Entry { name, arity, run }
}

/// All functions. `has`, `default`, `coalesce`, `matches` with a constant pattern and the
/// comprehensions are syntax and stand in the parser.
static TABLE: [Entry; 45] = [
    entry("size", (1, 1), lists::size),
    entry("type", (1, 1), texts::type_of),
    entry("string", (1, 1), texts::string),
    entry("int", (1, 1), numbers::int),
    entry("uint", (1, 1), numbers::int),
    entry("double", (1, 1), numbers::to_double),
    entry("bool", (1, 1), texts::boolean),
    // texts
    entry("contains", (2, 2), texts::contains),
    entry("startsWith", (2, 2), texts::starts_with),
    entry("endsWith", (2, 2), texts::ends_with),
    entry("matches", (2, 2), texts::matches),
    entry("lower", (1, 1), texts::lower),
    entry("upper", (1, 1), texts::upper),
    entry("lowerAscii", (1, 1), texts::lower),
    entry("upperAscii", (1, 1), texts::upper),
    entry("trim", (1, 1), texts::trim),
    entry("replace", (3, 3), texts::replace),
    entry("split", (2, 2), texts::split),
    entry("join", (1, 2), texts::join),
    entry("truncate", (2, 3), texts::truncate),
    entry("json", (1, 1), texts::json),
    entry("parse_json", (1, 1), texts::parse_json),
    // numbers
    entry("abs", (1, 1), numbers::abs),
    entry("round", (1, 2), numbers::round),
    entry("floor", (1, 1), numbers::floor),
    entry("ceil", (1, 1), numbers::ceil),
    entry("min", (1, MANY), numbers::min),
    entry("max", (1, MANY), numbers::max),
    entry("sum", (1, 1), numbers::sum),
    entry("average", (1, 1), numbers::average),
    entry("duration", (1, 1), numbers::duration),
    // lists and objects
    entry("slice", (2, 3), lists::slice),
    entry("substring", (2, 3), lists::slice),
    entry("first", (1, 1), lists::first),
    entry("last", (1, 1), lists::last),
    entry("reverse", (1, 1), lists::reverse),
    entry("sort", (1, 1), lists::sort),
    entry("sort_by", (2, 2), lists::sort_by),
    entry("distinct", (1, 1), lists::distinct),
    entry("flatten", (1, 1), lists::flatten),
    entry("range", (1, 1), lists::range),
    entry("index_of", (2, 2), lists::index_of),
    entry("keys", (1, 1), lists::keys),
    entry("values", (1, 1), lists::values),
    entry("merge", (2, 2), lists::merge),
];

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|entry| entry.name == name).map(Self)
    }

    /// Every name, those that are syntax included.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        let syntax = ["has", "default", "coalesce", "all", "exists", "exists_one", "filter", "map"];
        TABLE.iter().map(|entry| entry.name).chain(syntax)
    }

    pub(super) fn takes(self, count: usize) -> bool {
        (self.0.arity.0..=self.0.arity.1).contains(&count)
    }

    /// How many arguments it takes, for a message.
    pub(super) fn wants(self) -> String {
        match self.0.arity {
            (least, most) if least == most => least.to_string(),
            (least, MANY) => format!("{least} or more"),
            (least, most) => format!("{least} to {most}"),
        }
    }

    /// Its value for arguments, the target of a method first.
    pub(super) fn call(
        self,
        meter: &mut Meter,
        arguments: &[Cow<'_, Value>],
    ) -> Result<Value, Fault> {
        meter.work(1)?;
        match (self.0.run)(meter, arguments) {
            Err(Fault::Value(message)) => fault(format!("{}(): {message}", self.0.name)),
            result => result,
        }
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name)
    }
}

/// The argument at `at`; null where an optional one was not given.
fn argument<'v>(arguments: &'v [Cow<'_, Value>], at: usize) -> &'v Value {
    arguments.get(at).map_or(&Value::Null, Cow::as_ref)
}

/// The string at `at`.
fn text<'v>(arguments: &'v [Cow<'_, Value>], at: usize) -> Result<&'v str, Fault> {
    match argument(arguments, at) {
        Value::String(text) => Ok(text),
        other => fault(format!("needs a string, not {}", type_name(other))),
    }
}

/// The list at `at`.
fn list<'v>(arguments: &'v [Cow<'_, Value>], at: usize) -> Result<&'v [Value], Fault> {
    match argument(arguments, at) {
        Value::Array(items) => Ok(items),
        other => fault(format!("needs a list, not {}", type_name(other))),
    }
}

/// The whole number at `at`, or `absent` where none was given.
fn whole(arguments: &[Cow<'_, Value>], at: usize, absent: i64) -> Result<i64, Fault> {
    match argument(arguments, at) {
        Value::Null => Ok(absent),
        other => match other.as_i64() {
            Some(whole) => Ok(whole),
            None => fault(format!("needs a whole number, not {}", type_name(other))),
        },
    }
}

/// Makes a string of the size paid for.
fn made(meter: &mut Meter, text: String) -> Result<Value, Fault> {
    meter.bytes(text.len() + 16)?;
    Ok(Value::String(text))
}
