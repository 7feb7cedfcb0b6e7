//! Functions over texts.

use std::borrow::Cow;

use serde_json::Value;

use super::super::meter::{Fault, Meter, fault, weight};
use super::super::parse::compile_pattern;
use super::super::path::type_name;
use super::{argument, list, made, text, whole};

type Given<'s, 'a> = &'s [Cow<'a, Value>];

/// The name of the value's type, as CEL spells it.
#[expect(clippy::unnecessary_wraps, reason = "the shape of all functions in the table")]
pub(super) fn type_of(_: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    Ok(Value::from(match argument(given, 0) {
        Value::Null => "null_type",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "double",
        Value::Number(_) => "int",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    }))
}

/// A value as text, as a template writes it.
pub(super) fn string(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let value = argument(given, 0);
    meter.bytes(weight(value))?;
    made(meter, super::super::text::written(value))
}

pub(super) fn boolean(_: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    match argument(given, 0) {
        Value::Bool(truth) => Ok(Value::Bool(*truth)),
        Value::String(text) if text == "true" => Ok(Value::Bool(true)),
        Value::String(text) if text == "false" => Ok(Value::Bool(false)),
        other => fault(format!("{} is neither true nor false", type_name(other))),
    }
}

pub(super) fn contains(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let (text, part) = (text(given, 0)?, text(given, 1)?);
    meter.work(text.len() / 16)?;
    Ok(Value::Bool(text.contains(part)))
}

pub(super) fn starts_with(_: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    Ok(Value::Bool(text(given, 0)?.starts_with(text(given, 1)?)))
}

pub(super) fn ends_with(_: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    Ok(Value::Bool(text(given, 0)?.ends_with(text(given, 1)?)))
}

/// `matches` with a pattern that is known only now. Compiling it is the dear part.
pub(super) fn matches(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    const COMPILE: usize = 20_000;
    meter.work(COMPILE)?;
    let (text, pattern) = (text(given, 0)?, text(given, 1)?);
    meter.work(text.len() / 4)?;
    match compile_pattern(pattern) {
        Ok(pattern) => Ok(Value::Bool(pattern.is_match(text))),
        Err(message) => fault(message),
    }
}

pub(super) fn lower(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    made(meter, text(given, 0)?.to_lowercase())
}

pub(super) fn upper(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    made(meter, text(given, 0)?.to_uppercase())
}

pub(super) fn trim(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    made(meter, text(given, 0)?.trim().to_owned())
}

/// Every occurrence replaced; the size is known, and paid for, before anything is made.
pub(super) fn replace(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let (whole, part, by) = (text(given, 0)?, text(given, 1)?, text(given, 2)?);
    meter.work(whole.len() / 16)?;
    let count = whole.matches(part).count();
    meter.bytes(whole.len().saturating_add(count.saturating_mul(by.len())))?;
    made(meter, whole.replace(part, by))
}

pub(super) fn split(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let (whole, separator) = (text(given, 0)?, text(given, 1)?);
    meter.work(whole.len() / 16)?;
    let parts = if separator.is_empty() {
        meter.bytes(whole.len().saturating_mul(17))?;
        whole.chars().map(|c| Value::String(c.to_string())).collect()
    } else {
        meter.bytes(whole.len() + 16 * (whole.matches(separator).count() + 1))?;
        whole.split(separator).map(Value::from).collect()
    };
    Ok(Value::Array(parts))
}

pub(super) fn join(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let items = list(given, 0)?;
    let separator = if given.len() > 1 { text(given, 1)? } else { "" };
    meter.bytes(weight(argument(given, 0)) + separator.len().saturating_mul(items.len()))?;
    let parts: Vec<String> = items.iter().map(super::super::text::written).collect();
    made(meter, parts.join(separator))
}

/// At most so many characters; what was cut is replaced by `…` or the third argument, which
/// counts.
pub(super) fn truncate(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let whole_text = text(given, 0)?;
    let mark = if given.len() > 2 { text(given, 2)? } else { "…" };
    let Ok(most) = usize::try_from(whole(given, 1, 0)?) else {
        return fault("needs a length from 0");
    };
    meter.work(whole_text.len() / 16)?;
    if whole_text.chars().count() <= most {
        return made(meter, whole_text.to_owned());
    }
    let kept = most.saturating_sub(mark.chars().count());
    let cut: String = whole_text.chars().take(kept).chain(mark.chars().take(most)).collect();
    made(meter, cut)
}

pub(super) fn json(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let value = argument(given, 0);
    meter.bytes(weight(value))?;
    made(meter, value.to_string())
}

/// JSON in a text. serde_json refuses what is nested deeper than 128.
pub(super) fn parse_json(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let source = text(given, 0)?;
    // A one-digit element with its comma is two bytes of text and sixteen of value.
    meter.bytes(source.len().saturating_mul(8))?;
    match serde_json::from_str(source) {
        Ok(value) => Ok(value),
        Err(error) => fault(format!("not JSON: {error}")),
    }
}
