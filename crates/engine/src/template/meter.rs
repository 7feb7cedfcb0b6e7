//! What an evaluation may cost. Work and memory are counted, not timed, so that the same
//! expression over the same values always ends in the same way.

use serde_json::Value;

/// Most units of work: one a node evaluated, an element looked at, 64 bytes copied or compared.
/// A million units take some tens of milliseconds.
const WORK_MAX: u64 = 1_000_000;

/// Most bytes of new values over the whole evaluation, those already dropped included.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// Largest result, in bytes as [`weight`] counts them.
pub(super) const RESULT_MAX: usize = 1024 * 1024;

/// Deepest result: what serde_json reads back, with room for the events around it.
pub(super) const DEPTH_MAX: usize = 64;

/// Why an evaluation ended without a value.
#[derive(Debug)]
pub(super) enum Fault {
    /// The values do not fit the expression. `&&`, `||` and `default` may do without.
    Value(String),
    /// A limit was reached; nothing absorbs it.
    Limit(String),
}

impl Fault {
    pub(super) fn message(self) -> String {
        match self {
            Self::Value(message) | Self::Limit(message) => message,
        }
    }
}

/// A value fault.
pub(super) fn fault<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Value(message.into()))
}

/// Counts down.
#[derive(Debug)]
pub(super) struct Meter {
    work_left: u64,
    bytes_left: usize,
}

impl Meter {
    pub(super) fn new() -> Self {
        Self { work_left: WORK_MAX, bytes_left: BYTES_MAX }
    }

    /// Units of work used so far.
    #[cfg(test)]
    pub(super) fn used(&self) -> u64 {
        WORK_MAX - self.work_left
    }

    /// Pays for `units` of work before they are done.
    pub(super) fn work(&mut self, units: usize) -> Result<(), Fault> {
        match self.work_left.checked_sub(units as u64) {
            Some(left) => {
                self.work_left = left;
                Ok(())
            },
            None => Err(Fault::Limit(format!(
                "too much work: stopped after {WORK_MAX} units; do it in an agent or in smaller \
                 steps"
            ))),
        }
    }

    /// Pays for a new value of `bytes` before it is made.
    pub(super) fn bytes(&mut self, bytes: usize) -> Result<(), Fault> {
        self.work(bytes / 64 + 1)?;
        match self.bytes_left.checked_sub(bytes) {
            Some(left) => {
                self.bytes_left = left;
                Ok(())
            },
            None => Err(Fault::Limit(format!(
                "the values made on the way are larger than {BYTES_MAX} bytes together"
            ))),
        }
    }

    /// Pays for a copy of `value` and makes it.
    pub(super) fn copy(&mut self, value: &Value) -> Result<Value, Fault> {
        self.bytes(weight(value))?;
        Ok(value.clone())
    }
}

/// Bytes that a value takes, about: sixteen a node and its texts.
pub(super) fn weight(value: &Value) -> usize {
    const NODE: usize = 16;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => NODE,
        Value::String(text) => NODE + text.len(),
        Value::Array(items) => NODE + items.iter().map(weight).sum::<usize>(),
        Value::Object(members) => {
            NODE + members.iter().map(|(key, value)| key.len() + weight(value)).sum::<usize>()
        },
    }
}

/// Levels of lists and objects in a value.
pub(super) fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Refuses what is too large or too deep to be handed on.
pub(super) fn check_result(value: &Value) -> Result<(), String> {
    if weight(value) > RESULT_MAX {
        return Err(format!("the result is larger than {RESULT_MAX} bytes; store it as an asset"));
    }
    if depth(value) > DEPTH_MAX {
        return Err(format!("the result is nested deeper than {DEPTH_MAX}"));
    }
    Ok(())
}
