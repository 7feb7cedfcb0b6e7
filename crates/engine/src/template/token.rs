//! Words of an expression: CEL's lexical grammar, with a limit on length and number before
//! anything looks at their meaning.

use super::ParseFault;

/// Longest expression, in bytes. An expression longer than a page is a program, and programs
/// belong into function agents.
pub(super) const TEXT_MAX: usize = 4 * 1024;

/// Most tokens in an expression.
pub(super) const TOKENS_MAX: usize = 1_000;

/// A word with its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Byte offset in the scanned text.
    pub(super) at: usize,
}

/// What a word is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Name(String),
    Int(i64),
    Double(f64),
    Text(String),
    /// Operator or bracket.
    Sign(&'static str),
    End,
}

/// Two-character signs stand first: the longest match wins.
const SIGNS: [&str; 25] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",",
    "(", ")", "[", "]", "{", "}", "=",
];

/// Reads tokens one by one from `text`, beginning at byte `at`.
#[derive(Debug)]
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
    count: usize,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str, at: usize) -> Self {
        Self { text, at, count: 0 }
    }

    /// Where the next token is looked for.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// A fault at byte `at`.
    fn fault(&self, at: usize, message: impl Into<String>) -> ParseFault {
        fault_at(self.text, at, message)
    }

    /// The next token; [`Kind::End`] for ever at the end.
    pub(super) fn next_token(&mut self) -> Result<Token, ParseFault> {
        self.skip_blank();
        let at = self.at;
        self.count += 1;
        if self.count > TOKENS_MAX {
            return Err(self.fault(at, format!("longer than {TOKENS_MAX} words and signs")));
        }
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(Token { kind: Kind::End, at });
        };
        let kind = if first.is_ascii_digit() || (first == '.' && starts_with_fraction(rest)) {
            self.number()?
        } else if first == '"' || first == '\'' {
            Kind::Text(self.text_literal(false)?)
        } else if is_raw_prefix(rest) {
            self.at += 1;
            Kind::Text(self.text_literal(true)?)
        } else if is_bytes_prefix(rest) {
            return Err(self.fault(at, "byte strings are not supported; write a text"));
        } else if first.is_ascii_alphabetic() || first == '_' {
            self.name()
        } else {
            self.sign()?
        };
        Ok(Token { kind, at })
    }

    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with("//") {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let len = rest.find(|c: char| !belongs(c)).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    fn name(&mut self) -> Kind {
        Kind::Name(self.take_while(|c| c.is_ascii_alphanumeric() || c == '_').to_owned())
    }

    fn sign(&mut self) -> Result<Kind, ParseFault> {
        let rest = self.rest();
        match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            Some(sign) => {
                self.at += sign.len();
                Ok(Kind::Sign(sign))
            },
            None => {
                let found = rest.chars().next().unwrap_or(' ');
                Err(self.fault(self.at, format!("unexpected `{found}`")))
            },
        }
    }

    fn number(&mut self) -> Result<Kind, ParseFault> {
        let start = self.at;
        if self.rest().starts_with("0x") || self.rest().starts_with("0X") {
            self.at += 2;
            let digits = self.take_while(|c| c.is_ascii_hexdigit());
            let parsed = i64::from_str_radix(digits, 16);
            return self.whole(start, parsed.ok());
        }
        self.take_while(|c| c.is_ascii_digit());
        let mut is_double = false;
        if starts_with_fraction(self.rest()) {
            is_double = true;
            self.at += 1;
            self.take_while(|c| c.is_ascii_digit());
        }
        if let Some(len) = exponent_len(self.rest()) {
            is_double = true;
            self.at += len;
            self.take_while(|c| c.is_ascii_digit());
        }
        let digits = self.text.get(start..self.at).unwrap_or_default();
        if !is_double {
            return self.whole(start, digits.parse().ok());
        }
        match digits.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Kind::Double(number)),
            _ => Err(self.fault(start, "number too large")),
        }
    }

    /// A whole number, with CEL's suffix `u` for unsigned, which JSON does not tell apart.
    fn whole(&mut self, start: usize, number: Option<i64>) -> Result<Kind, ParseFault> {
        if self.rest().starts_with(['u', 'U']) {
            self.at += 1;
        }
        number.map(Kind::Int).ok_or_else(|| self.fault(start, "whole number out of range"))
    }

    fn text_literal(&mut self, is_raw: bool) -> Result<String, ParseFault> {
        let start = self.at;
        let quote = if self.rest().starts_with('"') { "\"" } else { "'" };
        let triple = quote.repeat(3);
        let end = if self.rest().starts_with(&triple) { triple.as_str() } else { quote };
        self.at += end.len();
        let mut text = String::new();
        loop {
            let rest = self.rest();
            if rest.starts_with(end) {
                self.at += end.len();
                return Ok(text);
            }
            let Some(next) = rest.chars().next() else {
                return Err(self.fault(start, "a text that never ends: its quote is missing"));
            };
            if next == '\\' && !is_raw {
                text.push(self.escape()?);
            } else {
                self.at += next.len_utf8();
                text.push(next);
            }
        }
    }

    /// One escape sequence, the backslash included.
    fn escape(&mut self) -> Result<char, ParseFault> {
        let start = self.at;
        let Some(letter) = self.rest().chars().nth(1) else {
            return Err(self.fault(start, "a text that never ends: its quote is missing"));
        };
        self.at += 1 + letter.len_utf8();
        let simple = match letter {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            '\\' | '\'' | '"' | '`' | '?' => letter,
            'x' | 'X' => return self.code_point(start, 2, 16),
            'u' => return self.code_point(start, 4, 16),
            'U' => return self.code_point(start, 8, 16),
            '0'..='3' => {
                self.at -= 1;
                return self.code_point(start, 3, 8);
            },
            other => return Err(self.fault(start, format!("unknown escape `\\{other}`"))),
        };
        Ok(simple)
    }

    fn code_point(&mut self, start: usize, len: usize, radix: u32) -> Result<char, ParseFault> {
        let digits = self.rest().get(..len).unwrap_or_default();
        let found = u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
        self.at += digits.len();
        found.ok_or_else(|| self.fault(start, "not the code of a character"))
    }
}

/// A fault whose offset counts characters, as editors do.
pub(super) fn fault_at(text: &str, byte: usize, message: impl Into<String>) -> ParseFault {
    let offset = text.char_indices().take_while(|(at, _)| *at < byte).count();
    ParseFault { message: message.into(), offset }
}

fn starts_with_fraction(rest: &str) -> bool {
    let mut chars = rest.chars();
    chars.next() == Some('.') && chars.next().is_some_and(|c| c.is_ascii_digit())
}

/// Length of `e`, `e+` or `e-` when digits follow.
fn exponent_len(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix(['e', 'E'])?;
    let digits = after.strip_prefix(['+', '-']).unwrap_or(after);
    digits.starts_with(|c: char| c.is_ascii_digit()).then(|| rest.len() - digits.len())
}

fn is_raw_prefix(rest: &str) -> bool {
    rest.strip_prefix(['r', 'R']).is_some_and(|after| after.starts_with(['"', '\'']))
}

fn is_bytes_prefix(rest: &str) -> bool {
    let after = rest.strip_prefix(['b', 'B']).map(|a| a.strip_prefix(['r', 'R']).unwrap_or(a));
    after.is_some_and(|after| after.starts_with(['"', '\'']))
}
