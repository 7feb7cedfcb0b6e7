//! Walks the tree. Every node, copy and comparison is paid for on the [`Meter`], so an evaluation
//! ends after a known amount of work whatever the author wrote and the data holds.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::Scope;
use super::meter::{Fault, Meter, fault};
use super::operate::{Num, double, operate};
use super::path::{Segment, base, enter, peek, type_name};
use super::syntax::{Ast, Each, EachKind, Post};

/// An evaluation under way.
pub(super) struct Machine<'a> {
    scope: &'a dyn Scope,
    pub(super) meter: Meter,
    locals: Vec<Cow<'a, Value>>,
}

type Eval<'a> = Result<Cow<'a, Value>, Fault>;

impl<'a> Machine<'a> {
    pub(super) fn new(scope: &'a dyn Scope) -> Self {
        Self { scope, meter: Meter::new(), locals: Vec::new() }
    }

    /// The value of `ast`.
    pub(super) fn eval(&mut self, ast: &'a Ast) -> Eval<'a> {
        self.meter.work(1)?;
        match ast {
            Ast::Literal(value) => Ok(Cow::Borrowed(value)),
            Ast::Root(root) => Ok(base(self.scope, root, &[])?.0),
            Ast::Local(depth) => self.local(*depth, &[]),
            Ast::Postfix(target, leading, posts) => self.postfix(target, leading, posts),
            Ast::Not(count, operand) => {
                let truth = self.truth(operand)?;
                Ok(truth_value(truth ^ (count % 2 == 1)))
            },
            Ast::Negate(count, operand) => self.negate(*count, operand),
            Ast::Chain(first, rest) => {
                let mut value = self.eval(first)?;
                for (op, operand) in rest {
                    let right = self.eval(operand)?;
                    value = operate(&mut self.meter, *op, value, &right)?;
                }
                Ok(value)
            },
            Ast::All(parts) => self.connect(parts, false),
            Ast::Any(parts) => self.connect(parts, true),
            Ast::Choose(choices, otherwise) => {
                for (condition, value) in choices {
                    if self.truth(condition)? {
                        return self.eval(value);
                    }
                }
                self.eval(otherwise)
            },
            Ast::List(items) => self.list(items),
            Ast::Object(members) => self.object(members),
            Ast::Has(path) => self.has(path),
            Ast::First(options) => self.first(options),
            Ast::Call(function, arguments) => {
                let arguments = self.each_of(None, arguments)?;
                function.call(&mut self.meter, &arguments).map(Cow::Owned)
            },
            Ast::Matches(target, pattern) => {
                let target = self.eval(target)?;
                self.matches(&target, pattern)
            },
        }
    }

    /// The value of `ast`, which must be a truth value.
    fn truth(&mut self, ast: &'a Ast) -> Result<bool, Fault> {
        let value = self.eval(ast)?;
        truth_of(&value)
    }

    /// A comprehension's variable, or what `segments` lead to in it.
    fn local(&mut self, depth: usize, segments: &[Segment]) -> Eval<'a> {
        let Some(local) = self.locals.get(depth) else {
            return fault("a variable without a value");
        };
        match local {
            Cow::Borrowed(value) => {
                let found = segments.iter().try_fold(*value, |value, at| peek(value, at))?;
                Ok(Cow::Borrowed(found))
            },
            Cow::Owned(value) => {
                let found = segments.iter().try_fold(value, |value, at| peek(value, at))?;
                self.meter.copy(found).map(Cow::Owned)
            },
        }
    }

    /// A base with members, indices and methods after it. The leading constant ones are followed
    /// by reference, so that looking into a large value costs nothing.
    fn postfix(&mut self, target: &'a Ast, leading: &'a [Segment], posts: &'a [Post]) -> Eval<'a> {
        let (mut value, taken) = match target {
            Ast::Root(root) => base(self.scope, root, leading)?,
            Ast::Local(depth) => (self.local(*depth, leading)?, leading.len()),
            _ => (self.eval(target)?, 0),
        };
        for segment in leading.get(taken..).unwrap_or_default() {
            self.meter.work(1)?;
            value = enter(value, segment)?;
        }
        for post in posts.get(leading.len()..).unwrap_or_default() {
            self.meter.work(1)?;
            value = self.post(value, post)?;
        }
        Ok(value)
    }

    fn post(&mut self, value: Cow<'a, Value>, post: &'a Post) -> Eval<'a> {
        match post {
            Post::Member(name) => enter(value, &Segment::Member(name.clone())),
            Post::Index(index) => {
                let index = self.eval(index)?;
                enter(value, &index_segment(&index)?)
            },
            Post::Method(function, arguments) => {
                let arguments = self.each_of(Some(value), arguments)?;
                function.call(&mut self.meter, &arguments).map(Cow::Owned)
            },
            Post::Matches(pattern) => self.matches(&value, pattern),
            Post::Each(each) => self.comprehension(value, each),
        }
    }

    fn each_of(
        &mut self,
        target: Option<Cow<'a, Value>>,
        arguments: &'a [Ast],
    ) -> Result<Vec<Cow<'a, Value>>, Fault> {
        let mut values = Vec::with_capacity(arguments.len() + 1);
        values.extend(target);
        for argument in arguments {
            values.push(self.eval(argument)?);
        }
        Ok(values)
    }

    fn negate(&mut self, count: usize, operand: &'a Ast) -> Eval<'a> {
        let value = self.eval(operand)?;
        let Some(number) = Num::of(&value) else {
            return fault(format!("`-` does not work on {}", type_name(&value)));
        };
        if count.is_multiple_of(2) {
            return Ok(value);
        }
        Ok(Cow::Owned(match number {
            Num::Int(whole) => match whole.checked_neg() {
                Some(negated) => negated.into(),
                None => return fault(format!("`-{whole}` does not fit into 64 bits")),
            },
            Num::Double(number) => double(-number)?,
        }))
    }

    /// `&&` (`decisive` false) and `||` (`decisive` true). As CEL has it, a part that cannot be
    /// evaluated does not matter when another part decides.
    fn connect(&mut self, parts: &'a [Ast], decisive: bool) -> Eval<'a> {
        let mut first_fault = None;
        for part in parts {
            match self.truth(part) {
                Ok(truth) if truth == decisive => return Ok(truth_value(decisive)),
                Ok(_) => {},
                Err(Fault::Value(message)) => {
                    first_fault.get_or_insert(message);
                },
                Err(limit) => return Err(limit),
            }
        }
        first_fault.map_or_else(|| Ok(truth_value(!decisive)), fault)
    }

    fn list(&mut self, items: &'a [Ast]) -> Eval<'a> {
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            let value = self.eval(item)?;
            values.push(self.own(value)?);
        }
        Ok(Cow::Owned(Value::Array(values)))
    }

    fn object(&mut self, members: &'a [(Ast, Ast)]) -> Eval<'a> {
        let mut object = Map::new();
        for (key, value) in members {
            let key = self.eval(key)?;
            let Value::String(key) = key.as_ref() else {
                return fault(format!("a key has to be a string, not {}", type_name(&key)));
            };
            let value = self.eval(value)?;
            let value = self.own(value)?;
            self.meter.bytes(key.len())?;
            if object.insert(key.clone(), value).is_some() {
                return fault(format!("key `{key}` twice in an object"));
            }
        }
        Ok(Cow::Owned(Value::Object(object)))
    }

    /// An owned value; a copy is paid for.
    fn own(&mut self, value: Cow<'a, Value>) -> Result<Value, Fault> {
        match value {
            Cow::Borrowed(value) => self.meter.copy(value),
            Cow::Owned(value) => {
                self.meter.bytes(16)?;
                Ok(value)
            },
        }
    }

    /// Whether a path leads to something. Wider than CEL, where only the last member may be
    /// missing: a step that was skipped has a null output, and asking about it is no mistake.
    fn has(&mut self, path: &'a Ast) -> Eval<'a> {
        match self.eval(path) {
            Ok(_) => Ok(truth_value(true)),
            Err(Fault::Value(_)) => Ok(truth_value(false)),
            Err(limit) => Err(limit),
        }
    }

    fn first(&mut self, options: &'a [Ast]) -> Eval<'a> {
        for option in options {
            match self.eval(option) {
                Ok(value) if value.is_null() => {},
                Err(Fault::Value(_)) => {},
                found => return found,
            }
        }
        Ok(Cow::Owned(Value::Null))
    }

    fn matches(&mut self, target: &Value, pattern: &regex::Regex) -> Eval<'a> {
        let Value::String(text) = target else {
            return fault(format!("matches() needs a string, not {}", type_name(target)));
        };
        // Linear in the text, with a factor that the size of the automaton bounds.
        self.meter.work(text.len() / 4 + 16)?;
        Ok(truth_value(pattern.is_match(text)))
    }

    /// A comprehension. Elements of a borrowed list are borrowed.
    fn comprehension(&mut self, list: Cow<'a, Value>, each: &'a Each) -> Eval<'a> {
        let mut tally = Tally::new(each.kind);
        match list {
            Cow::Borrowed(Value::Array(items)) => {
                self.walk(items.iter().map(Cow::Borrowed), each, &mut tally)?;
            },
            Cow::Owned(Value::Array(items)) => {
                self.walk(items.into_iter().map(Cow::Owned), each, &mut tally)?;
            },
            ref other => match other.as_ref() {
                Value::Object(members) => {
                    let keys: Vec<String> = members.keys().cloned().collect();
                    self.meter.bytes(keys.iter().map(|key| key.len() + 16).sum())?;
                    let keys = keys.into_iter().map(|key| Cow::Owned(Value::String(key)));
                    self.walk(keys, each, &mut tally)?;
                },
                other => {
                    let found = type_name(other);
                    return fault(format!("only lists and objects have elements, not {found}"));
                },
            },
        }
        tally.result()
    }

    fn walk(
        &mut self,
        items: impl Iterator<Item = Cow<'a, Value>>,
        each: &'a Each,
        tally: &mut Tally,
    ) -> Result<(), Fault> {
        for item in items {
            self.meter.work(1)?;
            self.locals.push(item);
            let done = self.element(each, tally);
            self.locals.pop();
            if done? {
                break;
            }
        }
        Ok(())
    }

    /// Looks at the element on top of the variables; true when the outcome is settled.
    fn element(&mut self, each: &'a Each, tally: &mut Tally) -> Result<bool, Fault> {
        let depth = self.locals.len() - 1;
        let holds = match &each.test {
            None => Ok(true),
            Some(test) => self.truth(test),
        };
        let holds = match (holds, each.kind) {
            (Err(Fault::Value(message)), EachKind::All | EachKind::Exists) => {
                tally.fault.get_or_insert(message);
                return Ok(false);
            },
            (holds, _) => holds?,
        };
        match each.kind {
            EachKind::All => tally.is_settled = !holds,
            EachKind::Exists => tally.is_settled = holds,
            EachKind::ExistsOne => tally.count += usize::from(holds),
            EachKind::Filter if holds => {
                let item = self.local(depth, &[])?;
                tally.items.push(self.own(item)?);
            },
            EachKind::Map if holds => {
                let value = match &each.value {
                    Some(value) => self.eval(value)?,
                    None => self.local(depth, &[])?,
                };
                tally.items.push(self.own(value)?);
            },
            EachKind::Filter | EachKind::Map => {},
        }
        Ok(tally.is_settled)
    }
}

/// What a comprehension has found so far.
struct Tally {
    kind: EachKind,
    /// For `all` a counter-example, for `exists` an example was found.
    is_settled: bool,
    count: usize,
    items: Vec<Value>,
    /// The first element that could not be judged.
    fault: Option<String>,
}

impl Tally {
    fn new(kind: EachKind) -> Self {
        Self { kind, is_settled: false, count: 0, items: Vec::new(), fault: None }
    }

    fn result<'a>(self) -> Eval<'a> {
        let value = match self.kind {
            EachKind::Filter | EachKind::Map => Value::Array(self.items),
            EachKind::ExistsOne => Value::Bool(self.count == 1),
            EachKind::All | EachKind::Exists => match self.fault {
                Some(message) if !self.is_settled => return fault(message),
                _ => Value::Bool(self.is_settled == (self.kind == EachKind::Exists)),
            },
        };
        Ok(Cow::Owned(value))
    }
}

fn truth_value<'a>(truth: bool) -> Cow<'a, Value> {
    Cow::Owned(Value::Bool(truth))
}

/// A truth value, or a fault that says what was found instead.
pub(super) fn truth_of(value: &Value) -> Result<bool, Fault> {
    match value {
        Value::Bool(truth) => Ok(*truth),
        other => fault(format!("expected true or false, found {}", type_name(other))),
    }
}

fn index_segment(index: &Value) -> Result<Segment, Fault> {
    match index {
        Value::String(name) => Ok(Segment::Member(name.clone())),
        other => match other.as_u64().map(usize::try_from) {
            Some(Ok(at)) => Ok(Segment::Index(at)),
            _ => fault(format!("{other} is not an index: use a key or a number from 0")),
        },
    }
}
