//! Rows on their way to Postgres: one array a column, so that a statement stores any number.

use std::borrow::Cow;

use tokio_postgres::types::ToSql;

use crate::cell::CellRef;
use crate::columns::{Kind, Table};

/// The values of one column.
#[derive(Debug)]
enum Column<'a> {
    Int(Vec<Option<i64>>),
    Text(Vec<Option<Cow<'a, str>>>),
    Bytes(Vec<Option<&'a [u8]>>),
}

/// Rows, column by column.
#[derive(Debug)]
pub(super) struct Arrays<'a> {
    columns: Vec<Column<'a>>,
    rows: usize,
}

impl<'a> Arrays<'a> {
    pub(super) fn of<'k>(kinds: impl IntoIterator<Item = &'k (&'static str, Kind)>) -> Self {
        let columns = kinds
            .into_iter()
            .map(|(_, kind)| match kind {
                Kind::Int => Column::Int(Vec::new()),
                Kind::Text => Column::Text(Vec::new()),
                Kind::Bytes => Column::Bytes(Vec::new()),
            })
            .collect();
        Self { columns, rows: 0 }
    }

    /// The arrays of these rows.
    pub(super) fn with<'k, R: IntoIterator<Item = CellRef<'a>>>(
        kinds: impl IntoIterator<Item = &'k (&'static str, Kind)>,
        rows: impl IntoIterator<Item = R>,
    ) -> Self {
        let mut arrays = Self::of(kinds);
        for row in rows {
            arrays.push(row);
        }
        arrays
    }

    pub(super) fn push(&mut self, cells: impl IntoIterator<Item = CellRef<'a>>) {
        self.rows += 1;
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            match (column, cell) {
                (Column::Int(values), CellRef::Int(value)) => values.push(Some(value)),
                (Column::Text(values), CellRef::Text(text)) => values.push(Some(storable(text))),
                (Column::Bytes(values), CellRef::Bytes(bytes)) => values.push(Some(bytes)),
                (Column::Int(values), _) => values.push(None),
                (Column::Text(values), _) => values.push(None),
                (Column::Bytes(values), _) => values.push(None),
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub(super) fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.columns
            .iter()
            .map(|column| match column {
                Column::Int(values) => values as &(dyn ToSql + Sync),
                Column::Text(values) => values,
                Column::Bytes(values) => values,
            })
            .collect()
    }
}

/// Postgres has no place for a zero byte in text; JSON writes it as an escape anyway.
pub(super) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

fn array_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Int => "BIGINT[]",
        Kind::Text => "TEXT[]",
        Kind::Bytes => "BYTEA[]",
    }
}

/// `UNNEST($1::TEXT[], $2::BIGINT[] …)`
fn unnest(columns: &[(&str, Kind)]) -> String {
    let places: Vec<String> =
        (1..).zip(columns).map(|(n, (_, kind))| format!("${n}::{}", array_type(*kind))).collect();
    format!("UNNEST({})", places.join(", "))
}

pub(super) fn insert_sql(table: &Table) -> String {
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    format!(
        "INSERT INTO {} ({}) SELECT * FROM {}",
        table.name,
        names.join(", "),
        unnest(table.columns),
    )
}

pub(super) fn upsert_sql(table: &Table) -> String {
    let changes: Vec<String> = table
        .columns
        .iter()
        .filter(|(name, _)| !table.key.contains(name))
        .map(|(name, _)| format!("{name} = excluded.{name}"))
        .collect();
    format!(
        "{} ON CONFLICT ({}) DO UPDATE SET {}",
        insert_sql(table),
        table.key.join(", "),
        changes.join(", "),
    )
}

/// Changes columns of rows that are found by the first of `columns`.
pub(super) fn update_sql(table: &str, columns: &[(&str, Kind)]) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let changes: Vec<String> =
        names.iter().skip(1).map(|name| format!("{name} = u.{name}")).collect();
    let key = names.first().copied().unwrap_or_default();
    format!(
        "UPDATE {table} SET {} FROM {} AS u ({}) WHERE {table}.{key} = u.{key}",
        changes.join(", "),
        unnest(columns),
        names.join(", "),
    )
}
