//! Functions over numbers.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::super::meter::{Fault, Meter, fault};
use super::super::operate::{Num, compare, double};
use super::super::path::type_name;
use super::{argument, list, text, whole};

type Given<'s, 'a> = &'s [Cow<'a, Value>];

fn number(value: &Value) -> Result<Num, Fault> {
    match Num::of(value) {
        Some(number) => Ok(number),
        None => fault(format!("needs a number, not {}", type_name(value))),
    }
}

/// A double without a fraction as a whole number.
fn whole_of(number: f64) -> Result<Value, Fault> {
    const EDGE: f64 = 9_007_199_254_740_992.0;
    if number.abs() > EDGE {
        return fault("the number is too large to be whole exactly");
    }
    #[expect(clippy::cast_possible_truncation, reason = "within 2^53, and without a fraction")]
    let whole = number.trunc() as i64;
    Ok(Value::from(whole))
}

/// Towards zero, as CEL does.
pub(super) fn int(_: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    match argument(given, 0) {
        Value::Bool(truth) => Ok(Value::from(i64::from(*truth))),
        Value::String(text) => match text.trim().parse::<i64>() {
            Ok(whole) => Ok(Value::from(whole)),
            Err(_) => fault(format!("`{}` is not a whole number", shortened(text))),
        },
        other => match number(other)? {
            Num::Int(whole) => Ok(Value::from(whole)),
            Num::Double(number) => whole_of(number),
        },
    }
}

pub(super) fn to_double(_: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    match argument(given, 0) {
        Value::String(text) => match text.trim().parse::<f64>() {
            Ok(number) => double(number),
            Err(_) => fault(format!("`{}` is not a number", shortened(text))),
        },
        other => double(number(other)?.as_double()),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

pub(super) fn abs(_: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    match number(argument(given, 0))? {
        Num::Int(whole) => match whole.checked_abs() {
            Some(whole) => Ok(Value::from(whole)),
            None => fault("does not fit into 64 bits"),
        },
        Num::Double(number) => double(number.abs()),
    }
}

/// To so many digits after the point; without digits to a whole number, half away from zero.
pub(super) fn round(_: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    const DIGITS_MAX: i64 = 12;
    let digits = whole(given, 1, 0)?;
    let Some(power) = i32::try_from(digits).ok().filter(|_| (0..=DIGITS_MAX).contains(&digits))
    else {
        return fault(format!("needs digits from 0 to {DIGITS_MAX}"));
    };
    match number(argument(given, 0))? {
        Num::Int(whole) => Ok(Value::from(whole)),
        Num::Double(number) if power == 0 => whole_of(number.round()),
        Num::Double(number) => {
            let scale = 10f64.powi(power);
            double((number * scale).round() / scale)
        },
    }
}

pub(super) fn floor(_: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    match number(argument(given, 0))? {
        Num::Int(whole) => Ok(Value::from(whole)),
        Num::Double(number) => whole_of(number.floor()),
    }
}

pub(super) fn ceil(_: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    match number(argument(given, 0))? {
        Num::Int(whole) => Ok(Value::from(whole)),
        Num::Double(number) => whole_of(number.ceil()),
    }
}

/// The least of the arguments, or of the elements of the only one.
pub(super) fn min(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    extreme(meter, given, Ordering::Less)
}

pub(super) fn max(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    extreme(meter, given, Ordering::Greater)
}

fn extreme(meter: &mut Meter, given: Given<'_, '_>, wanted: Ordering) -> Result<Value, Fault> {
    let values: Vec<&Value> = match given {
        [only] => match only.as_ref() {
            Value::Array(items) => items.iter().collect(),
            other => vec![other],
        },
        several => several.iter().map(Cow::as_ref).collect(),
    };
    let mut values = values.into_iter();
    let Some(mut best) = values.next() else {
        return fault("an empty list has none");
    };
    for value in values {
        match compare(meter, value, best)? {
            Some(ordering) if ordering == wanted => best = value,
            Some(_) => {},
            None => {
                let (a, b) = (type_name(value), type_name(best));
                return fault(format!("{a} and {b} cannot be compared"));
            },
        }
    }
    meter.copy(best)
}

pub(super) fn sum(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let items = list(given, 0)?;
    meter.work(items.len())?;
    let mut whole_sum: Option<i64> = Some(0);
    let mut double_sum = 0.0;
    for item in items {
        let number = number(item)?;
        double_sum += number.as_double();
        whole_sum = match (whole_sum, number) {
            (Some(sum), Num::Int(whole)) => sum.checked_add(whole),
            _ => None,
        };
    }
    whole_sum.map_or_else(|| double(double_sum), |sum| Ok(Value::from(sum)))
}

#[expect(clippy::cast_precision_loss, reason = "the length of a list is far below 2^53")]
pub(super) fn average(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let items = list(given, 0)?;
    if items.is_empty() {
        return fault("an empty list has none");
    }
    let total = number(&sum(meter, given)?)?;
    double(total.as_double() / items.len() as f64)
}

/// `"5m"` as milliseconds.
pub(super) fn duration(_: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    match crate::definition::duration::parse(text(given, 0)?) {
        Ok(span) => Ok(Value::from(span.0)),
        Err(message) => fault(message),
    }
}
