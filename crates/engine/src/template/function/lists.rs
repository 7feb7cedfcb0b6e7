//! Functions over lists and objects.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::super::meter::{Fault, Meter, fault, weight};
use super::super::operate::{Num, equal};
use super::super::path::type_name;
use super::{argument, list, made, text, whole};

type Given<'s, 'a> = &'s [Cow<'a, Value>];

/// Longest list that `range` makes.
const RANGE_MAX: i64 = 10_000;

/// Characters of a text, elements of a list, keys of an object.
pub(super) fn size(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let size = match argument(given, 0) {
        Value::String(text) => {
            meter.work(text.len() / 64)?;
            text.chars().count()
        },
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        other => return fault(format!("{} has no size", type_name(other))),
    };
    Ok(Value::from(size))
}

/// Elements or characters from one position up to, not including, another. Negative positions
/// count from the end; positions outside are moved to the edge.
pub(super) fn slice(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let target = argument(given, 0);
    meter.work(weight(target) / 64)?;
    let len = match target {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        other => return fault(format!("needs a list or a string, not {}", type_name(other))),
    };
    let edge = i64::try_from(len).unwrap_or(i64::MAX);
    let place = |position: i64| {
        let from_start = if position < 0 { position.saturating_add(edge) } else { position };
        usize::try_from(from_start.clamp(0, edge)).unwrap_or(0)
    };
    let start = place(whole(given, 1, 0)?);
    let count = place(whole(given, 2, edge)?).saturating_sub(start);
    match target {
        Value::String(text) => made(meter, text.chars().skip(start).take(count).collect()),
        Value::Array(items) => {
            let kept: Vec<&Value> = items.iter().skip(start).take(count).collect();
            copied(meter, kept)
        },
        _ => Ok(Value::Null),
    }
}

/// A list of copies, paid for.
fn copied(meter: &mut Meter, items: Vec<&Value>) -> Result<Value, Fault> {
    let mut copies = Vec::with_capacity(items.len());
    for item in items {
        copies.push(meter.copy(item)?);
    }
    Ok(Value::Array(copies))
}

/// The first element; null of an empty list.
pub(super) fn first(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    list(given, 0)?.first().map_or(Ok(Value::Null), |item| meter.copy(item))
}

/// The last element; null of an empty list.
pub(super) fn last(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    list(given, 0)?.last().map_or(Ok(Value::Null), |item| meter.copy(item))
}

pub(super) fn reverse(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    copied(meter, list(given, 0)?.iter().rev().collect())
}

/// In ascending order; all numbers or all texts.
pub(super) fn sort(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let items = list(given, 0)?;
    let pairs = items.iter().map(|item| (item, item)).collect();
    sorted(meter, pairs)
}

/// Objects in the ascending order of one member.
pub(super) fn sort_by(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let key = text(given, 1)?;
    let mut pairs = Vec::new();
    for item in list(given, 0)? {
        match item.get(key) {
            Some(by) => pairs.push((by, item)),
            None => return fault(format!("an element without `{key}`")),
        }
    }
    sorted(meter, pairs)
}

/// What elements are sorted by. A total order even between whole and fractional numbers, which
/// the standard sort insists on: by value as a double, then as a whole number.
enum SortKey<'v> {
    Text(&'v str),
    Number(f64, i64),
}

impl<'v> SortKey<'v> {
    fn of(value: &'v Value) -> Option<Self> {
        if let Value::String(text) = value {
            return Some(Self::Text(text));
        }
        Some(match Num::of(value)? {
            Num::Int(whole) => Self::Number(Num::Int(whole).as_double(), whole),
            // Adding zero makes -0.0 and 0.0 the same.
            Num::Double(number) => Self::Number(number + 0.0, 0),
        })
    }

    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(a, i), Self::Number(b, j)) => a.total_cmp(b).then(i.cmp(j)),
            (Self::Number(..), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(..)) => Ordering::Greater,
        }
    }
}

/// Sorts by the first of each pair. The comparisons, n·(log₂n + 1) at most, are paid for before.
fn sorted(meter: &mut Meter, pairs: Vec<(&Value, &Value)>) -> Result<Value, Fault> {
    let mut keyed = Vec::with_capacity(pairs.len());
    let mut longest = 0;
    for (by, item) in pairs {
        let Some(key) = SortKey::of(by) else {
            return fault(format!("only strings and numbers have an order, not {}", type_name(by)));
        };
        longest = longest.max(by.as_str().map_or(0, str::len));
        keyed.push((key, item));
    }
    if keyed.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if is_mixed(a, b))) {
        return fault("strings and numbers cannot be compared");
    }
    let levels = usize::try_from(keyed.len().max(1).ilog2() + 1).unwrap_or(usize::MAX);
    meter.work(keyed.len().saturating_mul(levels).saturating_mul(1 + longest / 64))?;
    keyed.sort_by(|(a, _), (b, _)| a.order(b));
    copied(meter, keyed.into_iter().map(|(_, item)| item).collect())
}

fn is_mixed(a: &SortKey<'_>, b: &SortKey<'_>) -> bool {
    matches!(
        (a, b),
        (SortKey::Text(_), SortKey::Number(..)) | (SortKey::Number(..), SortKey::Text(_))
    )
}

/// Each element once, where it stood first.
pub(super) fn distinct(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let mut kept: Vec<&Value> = Vec::new();
    for item in list(given, 0)? {
        let mut is_new = true;
        for other in &kept {
            if equal(meter, item, other)? {
                is_new = false;
                break;
            }
        }
        if is_new {
            kept.push(item);
        }
    }
    copied(meter, kept)
}

/// One level of lists in a list taken away.
pub(super) fn flatten(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let mut items = Vec::new();
    for item in list(given, 0)? {
        match item {
            Value::Array(inner) => items.extend(inner),
            other => items.push(other),
        }
    }
    copied(meter, items)
}

/// 0, 1, 2 … before the argument.
pub(super) fn range(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let end = whole(given, 0, 0)?;
    let Some(len) = usize::try_from(end).ok().filter(|_| end <= RANGE_MAX) else {
        return fault(format!("needs a number from 0 to {RANGE_MAX}"));
    };
    meter.bytes(len * 16)?;
    Ok(Value::Array((0..len).map(Value::from).collect()))
}

/// The position of an element in a list or of a part in a text; -1 when it is not there.
pub(super) fn index_of(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let found = match argument(given, 0) {
        Value::String(whole) => {
            let part = text(given, 1)?;
            meter.work(whole.len() / 16)?;
            whole.split_once(part).map(|(before, _)| before.chars().count())
        },
        _ => {
            let mut found = None;
            for (at, item) in list(given, 0)?.iter().enumerate() {
                if equal(meter, item, argument(given, 1))? {
                    found = Some(at);
                    break;
                }
            }
            found
        },
    };
    Ok(found.map_or_else(|| Value::from(-1), Value::from))
}

fn members<'v>(given: &'v [Cow<'_, Value>], at: usize) -> Result<&'v Map<String, Value>, Fault> {
    match argument(given, at) {
        Value::Object(members) => Ok(members),
        other => fault(format!("needs an object, not {}", type_name(other))),
    }
}

pub(super) fn keys(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let members = members(given, 0)?;
    meter.bytes(members.keys().map(|key| key.len() + 16).sum())?;
    Ok(Value::Array(members.keys().cloned().map(Value::String).collect()))
}

pub(super) fn values(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    copied(meter, members(given, 0)?.values().collect())
}

/// The members of both objects; the second wins.
pub(super) fn merge(meter: &mut Meter, given: Given<'_, '_>) -> Result<Value, Fault> {
    let (base, over) = (members(given, 0)?, members(given, 1)?);
    meter.bytes(weight(argument(given, 0)) + weight(argument(given, 1)))?;
    let mut merged = base.clone();
    merged.extend(over.iter().map(|(key, value)| (key.clone(), value.clone())));
    Ok(Value::Object(merged))
}
