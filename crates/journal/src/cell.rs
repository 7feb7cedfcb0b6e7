//! Values on their way into and out of a database: four kinds, the same in both.

use std::borrow::Cow;

use crate::error::JournalError;

/// A value that is read from or bound to a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A number: counts, instants in microseconds, money in millionths, booleans as 0 and 1.
    Int(i64),
    /// Text; JSON is text too.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A borrowed [`Cell`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellRef<'a> {
    /// Nothing.
    Null,
    /// A number.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl Cell {
    /// The value, borrowed.
    pub fn as_ref(&self) -> CellRef<'_> {
        match self {
            Self::Null => CellRef::Null,
            Self::Int(value) => CellRef::Int(*value),
            Self::Text(value) => CellRef::Text(value),
            Self::Bytes(value) => CellRef::Bytes(value),
        }
    }
}

impl CellRef<'_> {
    /// The value, owned.
    pub fn to_cell(self) -> Cell {
        match self {
            Self::Null => Cell::Null,
            Self::Int(value) => Cell::Int(value),
            Self::Text(value) => Cell::Text(value.to_owned()),
            Self::Bytes(value) => Cell::Bytes(value.to_owned()),
        }
    }
}

macro_rules! cell_from {
    ($($from:ty => $make:expr),+ $(,)?) => {
        $(impl From<$from> for Cell {
            fn from(value: $from) -> Self {
                ($make)(value)
            }
        })+
    };
}
cell_from! {
    i64 => Self::Int,
    u32 => |value| Self::Int(i64::from(value)),
    bool => |value| Self::Int(i64::from(value)),
    String => Self::Text,
    &str => |value: &str| Self::Text(value.to_owned()),
    Vec<u8> => Self::Bytes,
    u64 => |value| Self::Int(signed(value)),
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<'a> From<&'a str> for CellRef<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}
impl<'a> From<&'a String> for CellRef<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}
impl From<i64> for CellRef<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl<T: Into<Self>> From<Option<T>> for CellRef<'_> {
    fn from(value: Option<T>) -> Self {
        value.map_or(CellRef::Null, Into::into)
    }
}

/// Databases count in signed 64 bits; what does not fit is shown as the largest they know.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A row of an answer, read from the left to the right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    cells: Vec<Cell>,
    next: usize,
}

impl Row {
    /// A row of these values.
    pub fn new(cells: Vec<Cell>) -> Self {
        Self { cells, next: 0 }
    }

    /// The next value, whatever it is.
    pub fn cell(&mut self) -> Result<Cell, JournalError> {
        let cell = self.cells.get_mut(self.next).map(|cell| std::mem::replace(cell, Cell::Null));
        self.next += 1;
        cell.ok_or_else(|| corrupt(self.next, "a value", None))
    }

    /// The next value, a count, without going on.
    pub(crate) fn peek_count(&self) -> Result<u64, JournalError> {
        self.clone_at(self.next).count()
    }

    fn clone_at(&self, next: usize) -> Self {
        Self { cells: self.cells.get(next).cloned().into_iter().collect(), next: 0 }
    }

    pub(crate) fn into_cells(self) -> Vec<Cell> {
        self.cells
    }

    /// The next value: text.
    pub fn text(&mut self) -> Result<String, JournalError> {
        match self.cell()? {
            Cell::Text(text) => Ok(text),
            other => Err(corrupt(self.next, "text", Some(&other))),
        }
    }

    /// The next value: text or nothing.
    pub fn text_or_none(&mut self) -> Result<Option<String>, JournalError> {
        match self.cell()? {
            Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text)),
            other => Err(corrupt(self.next, "text", Some(&other))),
        }
    }

    /// The next value: a number.
    pub fn int(&mut self) -> Result<i64, JournalError> {
        match self.cell()? {
            Cell::Int(value) => Ok(value),
            other => Err(corrupt(self.next, "a number", Some(&other))),
        }
    }

    /// The next value: a number or nothing.
    pub fn int_or_none(&mut self) -> Result<Option<i64>, JournalError> {
        match self.cell()? {
            Cell::Null => Ok(None),
            Cell::Int(value) => Ok(Some(value)),
            other => Err(corrupt(self.next, "a number", Some(&other))),
        }
    }

    /// The next value: a number that is not negative.
    pub fn count(&mut self) -> Result<u64, JournalError> {
        let value = self.int()?;
        u64::try_from(value).ok().ok_or_else(|| corrupt(self.next, "a count", None))
    }

    /// The next value: yes or no.
    pub fn flag(&mut self) -> Result<bool, JournalError> {
        Ok(self.int()? != 0)
    }

    /// The next value: bytes.
    pub fn bytes(&mut self) -> Result<Vec<u8>, JournalError> {
        match self.cell()? {
            Cell::Bytes(bytes) => Ok(bytes),
            other => Err(corrupt(self.next, "bytes", Some(&other))),
        }
    }

    /// The next value: JSON text, parsed.
    pub fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, JournalError> {
        let text = self.text()?;
        parse(&text)
    }

    /// The next value: JSON text or nothing, parsed.
    pub fn json_or_none<T: serde::de::DeserializeOwned>(
        &mut self,
    ) -> Result<Option<T>, JournalError> {
        self.text_or_none()?.as_deref().map(parse).transpose()
    }
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, JournalError> {
    serde_json::from_str(text)
        .map_err(|fault| JournalError::Corrupt(format!("stored JSON cannot be read: {fault}")))
}

fn corrupt(column: usize, wanted: &str, found: Option<&Cell>) -> JournalError {
    let found = match found {
        None => "none",
        Some(Cell::Null) => "nothing",
        Some(Cell::Int(_)) => "a number",
        Some(Cell::Text(_)) => "text",
        Some(Cell::Bytes(_)) => "bytes",
    };
    JournalError::Corrupt(format!("column {column} should hold {wanted} and holds {found}"))
}

/// SQL text with `$1`, `$2` … and its values. Text never comes from outside this crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub(crate) sql: Cow<'static, str>,
    pub(crate) values: Vec<Cell>,
}

impl Statement {
    pub(crate) fn new(sql: impl Into<Cow<'static, str>>) -> Self {
        Self { sql: sql.into(), values: Vec::new() }
    }

    /// Adds the value of the next `$n`.
    pub(crate) fn bind(mut self, value: impl Into<Cell>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Adds a value and returns its placeholder, for text that is put together from conditions.
    pub(crate) fn place(&mut self, value: impl Into<Cell>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    pub(crate) fn push(&mut self, sql: &str) {
        self.sql.to_mut().push_str(sql);
    }
}
