//! Text to tree: CEL's grammar by recursive descent. It recurses only into brackets, whose depth
//! is limited, so the stack it needs is known beforehand.

use serde_json::Value;

use super::function::Function;
use super::path::constant_segment;
use super::syntax::{Ast, Each, EachKind, Op, Post};
use super::token::{Kind, Scanner, TEXT_MAX, Token, fault_at};
use super::types;
use super::{ParseFault, Reference};

/// Deepest nesting of brackets.
const NESTING_MAX: usize = 32;

/// Deepest nesting of comprehensions: a list inside a list is work enough for a mapping.
const COMPREHENSIONS_MAX: usize = 2;

/// Longest constant pattern of `matches` and largest automaton made of one, in bytes.
pub(super) const PATTERN_MAX: usize = 512;
pub(super) const AUTOMATON_MAX: usize = 256 * 1024;

/// A tree and everything it refers to.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) ast: Ast,
    pub(super) references: Vec<Reference>,
    /// Whether it divides by a zero that is written down.
    pub(super) divides_by_zero: bool,
}

/// Parses the whole of `text`.
pub(super) fn parse(text: &str) -> Result<Parsed, ParseFault> {
    if text.len() > TEXT_MAX {
        let message = format!("longer than {TEXT_MAX} bytes: such work belongs into an agent");
        return Err(ParseFault { message, offset: 0 });
    }
    let mut parser = Parser {
        text,
        scanner: Scanner::new(text, 0),
        token: Token { kind: Kind::End, at: 0 },
        nesting: 0,
        locals: Vec::new(),
        references: Vec::new(),
        divides_by_zero: false,
    };
    parser.advance()?;
    let ast = parser.expression()?;
    if parser.token.kind != Kind::End {
        return Err(parser.unexpected("an operator or the end"));
    }
    let Parser { references, divides_by_zero, .. } = parser;
    Ok(Parsed { ast, references, divides_by_zero })
}

struct Parser<'t> {
    text: &'t str,
    scanner: Scanner<'t>,
    token: Token,
    nesting: usize,
    locals: Vec<String>,
    references: Vec<Reference>,
    divides_by_zero: bool,
}

type Parse<T> = Result<T, ParseFault>;

impl Parser<'_> {
    fn advance(&mut self) -> Parse<Token> {
        let next = self.scanner.next_token()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn fault<T>(&self, at: usize, message: impl Into<String>) -> Parse<T> {
        Err(fault_at(self.text, at, message))
    }

    fn unexpected(&self, wanted: &str) -> ParseFault {
        let found = match &self.token.kind {
            Kind::End => "the end of the expression".to_owned(),
            Kind::Name(name) => format!("`{name}`"),
            Kind::Int(_) | Kind::Double(_) => "a number".to_owned(),
            Kind::Text(_) => "a text".to_owned(),
            Kind::Sign("=") => "`=` (CEL compares with `==`)".to_owned(),
            Kind::Sign(sign) => format!("`{sign}`"),
        };
        fault_at(self.text, self.token.at, format!("expected {wanted}, found {found}"))
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.token.kind, Kind::Sign(found) if found == sign)
    }

    /// Takes `sign` when it is next.
    fn accept(&mut self, sign: &str) -> Parse<bool> {
        let is_next = self.is_sign(sign);
        if is_next {
            self.advance()?;
        }
        Ok(is_next)
    }

    fn expect(&mut self, sign: &str) -> Parse<()> {
        if self.accept(sign)? { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    /// Runs `inner` one bracket deeper.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        self.nesting += 1;
        if self.nesting > NESTING_MAX {
            return self.fault(self.token.at, format!("nested deeper than {NESTING_MAX}"));
        }
        let done = inner(self);
        self.nesting -= 1;
        done
    }

    fn expression(&mut self) -> Parse<Ast> {
        let mut choices = Vec::new();
        loop {
            let condition = self.disjunction()?;
            if !self.accept("?")? {
                return Ok(if choices.is_empty() {
                    condition
                } else {
                    Ast::Choose(choices, Box::new(condition))
                });
            }
            let value = self.nested(Self::expression)?;
            self.expect(":")?;
            choices.push((condition, value));
        }
    }

    fn disjunction(&mut self) -> Parse<Ast> {
        let mut parts = vec![self.conjunction()?];
        while self.accept("||")? {
            parts.push(self.conjunction()?);
        }
        Ok(only(parts, Ast::Any))
    }

    fn conjunction(&mut self) -> Parse<Ast> {
        let mut parts = vec![self.relation()?];
        while self.accept("&&")? {
            parts.push(self.relation()?);
        }
        Ok(only(parts, Ast::All))
    }

    fn relation(&mut self) -> Parse<Ast> {
        self.chain(Self::sum, |kind| {
            Some(match kind {
                Kind::Sign("==") => Op::Equal,
                Kind::Sign("!=") => Op::NotEqual,
                Kind::Sign("<") => Op::Less,
                Kind::Sign("<=") => Op::LessOrEqual,
                Kind::Sign(">") => Op::Greater,
                Kind::Sign(">=") => Op::GreaterOrEqual,
                Kind::Name(name) if name == "in" => Op::In,
                _ => return None,
            })
        })
    }

    fn sum(&mut self) -> Parse<Ast> {
        self.chain(Self::product, |kind| match kind {
            Kind::Sign("+") => Some(Op::Plus),
            Kind::Sign("-") => Some(Op::Minus),
            _ => None,
        })
    }

    fn product(&mut self) -> Parse<Ast> {
        self.chain(Self::unary, |kind| match kind {
            Kind::Sign("*") => Some(Op::Times),
            Kind::Sign("/") => Some(Op::Divide),
            Kind::Sign("%") => Some(Op::Remainder),
            _ => None,
        })
    }

    fn chain(
        &mut self,
        operand: impl Fn(&mut Self) -> Parse<Ast>,
        operator: impl Fn(&Kind) -> Option<Op>,
    ) -> Parse<Ast> {
        let first = operand(self)?;
        let mut rest = Vec::new();
        while let Some(op) = operator(&self.token.kind) {
            self.advance()?;
            let right = operand(self)?;
            self.divides_by_zero |= types::is_by_zero(op, &right);
            rest.push((op, right));
        }
        Ok(if rest.is_empty() { first } else { Ast::Chain(Box::new(first), rest) })
    }

    fn unary(&mut self) -> Parse<Ast> {
        let mut count = 0;
        if self.is_sign("!") {
            while self.accept("!")? {
                count += 1;
            }
            return Ok(Ast::Not(count, Box::new(self.postfix()?)));
        }
        while self.accept("-")? {
            count += 1;
        }
        Ok(match (count, self.postfix()?) {
            (0, operand) => operand,
            (1, Ast::Literal(Value::Number(number))) => Ast::Literal(negated(&number)),
            (_, operand) => Ast::Negate(count, Box::new(operand)),
        })
    }

    fn postfix(&mut self) -> Parse<Ast> {
        let base = self.primary()?;
        let mut posts = Vec::new();
        loop {
            if self.accept(".")? {
                posts.push(self.member()?);
            } else if self.is_sign("[") {
                self.advance()?;
                let index = self.nested(Self::expression)?;
                self.expect("]")?;
                posts.push(match index {
                    Ast::Literal(Value::String(name)) => Post::Member(name),
                    other => Post::Index(other),
                });
            } else {
                break;
            }
        }
        if let Ast::Root(root) = &base {
            let mut reference = vec![root.clone()];
            reference.extend(posts.iter().map_while(fixed_member));
            self.references.push(reference);
        }
        if posts.is_empty() {
            return Ok(base);
        }
        let leading = posts.iter().map_while(constant_segment).collect();
        Ok(Ast::Postfix(Box::new(base), leading, posts))
    }

    /// What follows a dot: a member, a method or a comprehension.
    fn member(&mut self) -> Parse<Post> {
        let at = self.token.at;
        let Kind::Name(name) = self.token.kind.clone() else {
            return Err(self.unexpected("the name of a member"));
        };
        self.advance()?;
        if !self.is_sign("(") {
            return Ok(Post::Member(name));
        }
        self.advance()?;
        if let Some(kind) = EachKind::named(&name) {
            return self.nested(|parser| parser.comprehension(kind, at));
        }
        let arguments = self.nested(|parser| parser.arguments(")"))?;
        if name == "matches"
            && let [Ast::Literal(Value::String(pattern))] = arguments.as_slice()
        {
            return Ok(Post::Matches(self.pattern(at, pattern)?));
        }
        let function = self.function(at, &name, arguments.len() + 1)?;
        Ok(Post::Method(function, arguments))
    }

    fn comprehension(&mut self, kind: EachKind, at: usize) -> Parse<Post> {
        let Kind::Name(variable) = self.token.kind.clone() else {
            return Err(self.unexpected("the name of a variable"));
        };
        self.advance()?;
        self.expect(",")?;
        if self.locals.len() == COMPREHENSIONS_MAX {
            let message = format!("comprehensions nested deeper than {COMPREHENSIONS_MAX}");
            return self.fault(at, message);
        }
        self.locals.push(variable);
        let first = self.expression()?;
        let second = if kind == EachKind::Map && self.accept(",")? {
            Some(self.expression()?)
        } else {
            None
        };
        self.locals.pop();
        self.expect(")")?;
        let (test, value) = match (kind, second) {
            (EachKind::Map, None) => (None, Some(first)),
            (_, second) => (Some(first), second),
        };
        Ok(Post::Each(Box::new(Each { kind, test, value })))
    }

    /// Expressions up to `close`, which is taken; a comma may stand before it.
    fn arguments(&mut self, close: &str) -> Parse<Vec<Ast>> {
        let mut arguments = Vec::new();
        while !self.accept(close)? {
            arguments.push(self.expression()?);
            if !self.accept(",")? {
                self.expect(close)?;
                break;
            }
        }
        Ok(arguments)
    }

    fn primary(&mut self) -> Parse<Ast> {
        let token = match &self.token.kind {
            Kind::End | Kind::Sign(_) if !["(", "[", "{", "."].iter().any(|s| self.is_sign(s)) => {
                return Err(self.unexpected("a value"));
            },
            _ => self.advance()?,
        };
        match token.kind {
            Kind::Int(number) => Ok(Ast::Literal(number.into())),
            Kind::Double(number) => Ok(Ast::Literal(number.into())),
            Kind::Text(text) => Ok(Ast::Literal(text.into())),
            Kind::Name(name) => self.named(token.at, name),
            Kind::Sign("(") => self.nested(|parser| {
                let inner = parser.expression()?;
                parser.expect(")")?;
                Ok(inner)
            }),
            Kind::Sign("[") => Ok(Ast::List(self.nested(|parser| parser.arguments("]"))?)),
            Kind::Sign("{") => self.nested(Self::object),
            Kind::Sign(_) | Kind::End => Err(self.unexpected("a value")),
        }
    }

    fn object(&mut self) -> Parse<Ast> {
        let mut members = Vec::new();
        while !self.accept("}")? {
            let key = self.expression()?;
            self.expect(":")?;
            members.push((key, self.expression()?));
            if !self.accept(",")? {
                self.expect("}")?;
                break;
            }
        }
        Ok(Ast::Object(members))
    }

    /// A constant, a variable, a root or a call.
    fn named(&mut self, at: usize, name: String) -> Parse<Ast> {
        if self.is_sign("(") {
            self.advance()?;
            return self.call(at, &name);
        }
        Ok(match name.as_str() {
            "true" => Ast::Literal(Value::Bool(true)),
            "false" => Ast::Literal(Value::Bool(false)),
            "null" => Ast::Literal(Value::Null),
            "in" => return self.fault(at, "expected a value, found `in`"),
            _ => match self.locals.iter().rposition(|local| *local == name) {
                Some(depth) => Ast::Local(depth),
                None => Ast::Root(name),
            },
        })
    }

    fn call(&mut self, at: usize, name: &str) -> Parse<Ast> {
        let mut arguments = self.nested(|parser| parser.arguments(")"))?;
        match (name, arguments.len()) {
            ("has", 1) => {
                let path = arguments.remove(0);
                let is_path = matches!(&path, Ast::Postfix(_, _, posts)
                    if matches!(posts.last(), Some(Post::Member(_) | Post::Index(_))));
                if !is_path {
                    return self.fault(at, "has() takes a path, as in `has(input.title)`");
                }
                Ok(Ast::Has(Box::new(path)))
            },
            ("default", 2) | ("coalesce", 1..) => Ok(Ast::First(arguments)),
            ("has" | "default" | "coalesce", count) => {
                self.fault(at, format!("{name}() does not take {count} arguments"))
            },
            ("matches", 2) if matches!(arguments.get(1), Some(Ast::Literal(Value::String(_)))) => {
                let target = arguments.remove(0);
                let Some(Ast::Literal(Value::String(pattern))) = arguments.pop() else {
                    return Err(self.unexpected("a pattern"));
                };
                Ok(Ast::Matches(Box::new(target), self.pattern(at, &pattern)?))
            },
            (_, count) => Ok(Ast::Call(self.function(at, name, count)?, arguments)),
        }
    }

    fn function(&self, at: usize, name: &str, count: usize) -> Parse<Function> {
        let Some(function) = Function::named(name) else {
            let hint = super::nearest(name, Function::names())
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            return self.fault(at, format!("no function `{name}`{hint}"));
        };
        if !function.takes(count) {
            let wanted = function.wants();
            let message = format!("{name}() takes {wanted} arguments, given {count}");
            return self.fault(at, message);
        }
        Ok(function)
    }

    fn pattern(&self, at: usize, pattern: &str) -> Parse<regex::Regex> {
        compile_pattern(pattern).or_else(|message| self.fault(at, message))
    }
}

/// Compiles a pattern of `matches` within limits; regular expressions here have no backtracking.
pub(super) fn compile_pattern(pattern: &str) -> Result<regex::Regex, String> {
    if pattern.len() > PATTERN_MAX {
        return Err(format!("pattern longer than {PATTERN_MAX} bytes"));
    }
    regex::RegexBuilder::new(pattern)
        .size_limit(AUTOMATON_MAX)
        .dfa_size_limit(AUTOMATON_MAX)
        .build()
        .map_err(|error| format!("not a usable pattern: {error}"))
}

/// A member or index that is known before anything runs.
fn fixed_member(post: &Post) -> Option<String> {
    match post {
        Post::Member(name) => Some(name.clone()),
        Post::Index(Ast::Literal(Value::Number(number))) => Some(number.to_string()),
        _ => None,
    }
}

fn negated(number: &serde_json::Number) -> Value {
    match number.as_i64() {
        Some(whole) => whole.checked_neg().into(),
        None => number.as_f64().map(std::ops::Neg::neg).into(),
    }
}

/// The only part, or all of them together.
fn only(mut parts: Vec<Ast>, together: impl FnOnce(Vec<Ast>) -> Ast) -> Ast {
    match parts.pop() {
        Some(part) if parts.is_empty() => part,
        Some(part) => {
            parts.push(part);
            together(parts)
        },
        None => Ast::Literal(Value::Null),
    }
}
