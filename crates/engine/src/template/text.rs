//! Text with `{{ expression }}` in it, cut into pieces.

use serde_json::Value;

use super::token::{Kind, Scanner, fault_at};
use super::{Expression, ParseFault};

/// Longest template, in bytes. Prompts longer than this are rendered in the sandbox.
const TEMPLATE_MAX: usize = 64 * 1024;

/// Most expressions in one template.
const EXPRESSIONS_MAX: usize = 200;

/// A piece of a template.
#[derive(Debug)]
pub(super) enum Piece {
    Fixed(String),
    Expression(Expression),
}

/// Cuts `text` at `{{ … }}`. `\{{` is a literal `{{`. Where an expression ends is decided by
/// its own words, so that `}}` inside a text or closing two objects does not end it.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, ParseFault> {
    if text.len() > TEMPLATE_MAX {
        return Err(fault_at(text, 0, format!("longer than {TEMPLATE_MAX} bytes")));
    }
    let mut pieces = Vec::new();
    let mut fixed = String::new();
    let mut at = 0;
    let mut count = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find("{{")).map(|len| at + len) {
        let before = text.get(at..open).unwrap_or_default();
        if let Some(kept) = before.strip_suffix('\\') {
            fixed.push_str(kept);
            fixed.push_str("{{");
            at = open + 2;
            continue;
        }
        fixed.push_str(before);
        let end = end_of(text, open)?;
        let inner = text.get(open + 2..end).unwrap_or_default();
        count += 1;
        if count > EXPRESSIONS_MAX {
            let message = format!("more than {EXPRESSIONS_MAX} expressions in one text");
            return Err(fault_at(text, open, message));
        }
        let expression = Expression::parse(inner.trim()).map_err(|fault| {
            let skipped = inner.chars().take_while(|c| c.is_whitespace()).count();
            let opened = text.get(..open + 2).unwrap_or_default().chars().count();
            ParseFault { message: fault.message, offset: opened + skipped + fault.offset }
        })?;
        if !fixed.is_empty() {
            pieces.push(Piece::Fixed(std::mem::take(&mut fixed)));
        }
        pieces.push(Piece::Expression(expression));
        at = end + 2;
    }
    fixed.push_str(text.get(at..).unwrap_or_default());
    if !fixed.is_empty() {
        pieces.push(Piece::Fixed(fixed));
    }
    Ok(pieces)
}

/// Where the `}}` stands that ends the expression opened at byte `open`.
fn end_of(text: &str, open: usize) -> Result<usize, ParseFault> {
    let mut scanner = Scanner::new(text, open + 2);
    let mut braces = 0usize;
    loop {
        let token = scanner.next_token()?;
        match token.kind {
            Kind::Sign("{") => braces += 1,
            Kind::Sign("}") if braces > 0 => braces -= 1,
            Kind::Sign("}")
                if text.get(scanner.position()..).is_some_and(|r| r.starts_with('}')) =>
            {
                return Ok(token.at);
            },
            Kind::End => {
                return Err(fault_at(text, open, "`{{` without its `}}`"));
            },
            _ => {},
        }
    }
}

/// A value as it stands in a text: strings as they are, null as nothing, lists and objects as
/// compact JSON.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
