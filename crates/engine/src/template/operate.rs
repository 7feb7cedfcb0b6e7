//! Operators over JSON values: CEL's, with whole and fractional numbers mixing freely, because
//! models write `3` and `3.0` as they like.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::meter::{Fault, Meter, fault, weight};
use super::path::type_name;
use super::syntax::Op;

/// A JSON number as CEL sees it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Num {
    Int(i64),
    Double(f64),
}

impl Num {
    pub(super) fn of(value: &Value) -> Option<Self> {
        let number = value.as_number()?;
        Some(match number.as_i64() {
            Some(whole) => Self::Int(whole),
            None => Self::Double(number.as_f64()?),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "CEL's own rule for mixed numbers")]
    pub(super) fn as_double(self) -> f64 {
        match self {
            Self::Int(whole) => whole as f64,
            Self::Double(double) => double,
        }
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(&b)),
            (a, b) => a.as_double().partial_cmp(&b.as_double()),
        }
    }
}

/// A double as JSON; JSON has no infinity and no NaN.
pub(super) fn double(number: f64) -> Result<Value, Fault> {
    match Number::from_f64(number) {
        Some(number) => Ok(Value::Number(number)),
        None => fault("the number is too large or not a number"),
    }
}

/// `left op right`.
pub(super) fn operate<'a>(
    meter: &mut Meter,
    op: Op,
    left: Cow<'a, Value>,
    right: &Value,
) -> Result<Cow<'a, Value>, Fault> {
    let truth = match op {
        Op::Equal => equal(meter, &left, right)?,
        Op::NotEqual => !equal(meter, &left, right)?,
        Op::Less => order(meter, op, &left, right)?.is_lt(),
        Op::LessOrEqual => order(meter, op, &left, right)?.is_le(),
        Op::Greater => order(meter, op, &left, right)?.is_gt(),
        Op::GreaterOrEqual => order(meter, op, &left, right)?.is_ge(),
        Op::In => contains(meter, &left, right)?,
        Op::Plus => return plus(meter, left, right).map(Cow::Owned),
        Op::Minus | Op::Times | Op::Divide | Op::Remainder => {
            return arithmetic(op, &left, right).map(Cow::Owned);
        },
    };
    Ok(Cow::Owned(Value::Bool(truth)))
}

/// Equal in the sense of CEL: numbers by value, objects without regard to order.
pub(super) fn equal(meter: &mut Meter, left: &Value, right: &Value) -> Result<bool, Fault> {
    meter.work(1)?;
    Ok(match (left, right) {
        (Value::Number(_), Value::Number(_)) => match (Num::of(left), Num::of(right)) {
            (Some(a), Some(b)) => a.compare(b) == Some(Ordering::Equal),
            _ => false,
        },
        (Value::String(a), Value::String(b)) => {
            meter.work(a.len().min(b.len()) / 64)?;
            a == b
        },
        (Value::Array(a), Value::Array(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b) {
                if !equal(meter, a, b)? {
                    return Ok(false);
                }
            }
            true
        },
        (Value::Object(a), Value::Object(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (key, a) in a {
                let Some(b) = b.get(key) else { return Ok(false) };
                if !equal(meter, a, b)? {
                    return Ok(false);
                }
            }
            true
        },
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        _ => false,
    })
}

/// How two values of one ordered type compare.
pub(super) fn compare(
    meter: &mut Meter,
    left: &Value,
    right: &Value,
) -> Result<Option<Ordering>, Fault> {
    meter.work(1)?;
    Ok(match (left, right) {
        (Value::String(a), Value::String(b)) => {
            meter.work(a.len().min(b.len()) / 64)?;
            Some(a.cmp(b))
        },
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        _ => match (Num::of(left), Num::of(right)) {
            (Some(a), Some(b)) => a.compare(b),
            _ => None,
        },
    })
}

fn order(meter: &mut Meter, op: Op, left: &Value, right: &Value) -> Result<Ordering, Fault> {
    match compare(meter, left, right)? {
        Some(ordering) => Ok(ordering),
        None => Err(unfit(op, left, right)),
    }
}

fn unfit(op: Op, left: &Value, right: &Value) -> Fault {
    let (left, right) = (type_name(left), type_name(right));
    Fault::Value(format!("`{}` does not work between {left} and {right}", op.sign()))
}

fn contains(meter: &mut Meter, needle: &Value, haystack: &Value) -> Result<bool, Fault> {
    match (needle, haystack) {
        (_, Value::Array(items)) => {
            for item in items {
                if equal(meter, needle, item)? {
                    return Ok(true);
                }
            }
            Ok(false)
        },
        (Value::String(key), Value::Object(members)) => Ok(members.contains_key(key)),
        (_, Value::Object(_)) => Ok(false),
        _ => Err(unfit(Op::In, needle, haystack)),
    }
}

/// The sum, or one text or list after the other; what is owned already is extended in place.
fn plus(meter: &mut Meter, left: Cow<'_, Value>, right: &Value) -> Result<Value, Fault> {
    let left_bytes = if matches!(left, Cow::Owned(_)) { 0 } else { weight(&left) };
    match (left.as_ref(), right) {
        (Value::String(_), Value::String(_)) | (Value::Array(_), Value::Array(_)) => {
            meter.bytes(left_bytes + weight(right))?;
        },
        _ => return arithmetic(Op::Plus, &left, right),
    }
    let mut sum = left.into_owned();
    match (&mut sum, right) {
        (Value::String(text), Value::String(more)) => text.push_str(more),
        (Value::Array(items), Value::Array(more)) => items.extend_from_slice(more),
        _ => {},
    }
    Ok(sum)
}

fn arithmetic(op: Op, left: &Value, right: &Value) -> Result<Value, Fault> {
    match (Num::of(left), Num::of(right)) {
        (Some(Num::Int(a)), Some(Num::Int(b))) => whole(op, a, b),
        (Some(a), Some(b)) => fractional(op, a.as_double(), b.as_double()),
        _ => Err(unfit(op, left, right)),
    }
}

fn whole(op: Op, a: i64, b: i64) -> Result<Value, Fault> {
    let result = match op {
        Op::Plus => a.checked_add(b),
        Op::Minus => a.checked_sub(b),
        Op::Times => a.checked_mul(b),
        Op::Divide | Op::Remainder if b == 0 => return fault("division by zero"),
        Op::Divide => a.checked_div(b),
        Op::Remainder => a.checked_rem(b),
        _ => None,
    };
    match result {
        Some(number) => Ok(Value::from(number)),
        None => fault(format!("`{a} {} {b}` does not fit into 64 bits", op.sign())),
    }
}

fn fractional(op: Op, a: f64, b: f64) -> Result<Value, Fault> {
    match op {
        Op::Plus => double(a + b),
        Op::Minus => double(a - b),
        Op::Times => double(a * b),
        Op::Divide => double(a / b),
        _ => fault("`%` works between whole numbers only"),
    }
}
