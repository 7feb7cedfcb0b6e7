//! Reading: a few connections that are shared, because each takes many questions at once.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::BytesMut;
use futures_util::{StreamExt, pin_mut};
use tokio::sync::{Mutex, mpsc};
use tokio_postgres::Client;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::arrays::storable;
use super::connect::connect;
use super::fault::journal_error;
use crate::Snapshot;
use crate::cell::{Cell, Row, Statement};
use crate::error::JournalError;

impl ToSql for Cell {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) if *ty == Type::INT4 => i32::try_from(*value)?.to_sql(ty, out),
            Self::Int(value) => value.to_sql(ty, out),
            Self::Text(text) => storable(text).as_ref().to_sql(ty, out),
            Self::Bytes(bytes) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Cell {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(match *ty {
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Int(i64::from(i32::from_sql(ty, raw)?)),
            Type::BOOL => Self::Int(i64::from(bool::from_sql(ty, raw)?)),
            Type::BYTEA => Self::Bytes(Vec::from_sql(ty, raw)?),
            _ => Self::Text(String::from_sql(ty, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(
            *ty,
            Type::INT8 | Type::INT4 | Type::BOOL | Type::BYTEA | Type::TEXT | Type::VARCHAR
        )
    }
}

pub(super) fn row_of(row: &tokio_postgres::Row) -> Result<Row, JournalError> {
    let cells: Result<Vec<Cell>, tokio_postgres::Error> =
        (0..row.len()).map(|column| row.try_get(column)).collect();
    cells.map(Row::new).map_err(journal_error)
}

/// A connection and the statements it knows already.
pub(super) struct Reader {
    client: Client,
    prepared: Mutex<HashMap<String, tokio_postgres::Statement>>,
}

impl Reader {
    pub(super) fn new(client: Client) -> Self {
        Self { client, prepared: Mutex::default() }
    }

    pub(super) async fn query(&self, question: &Statement) -> Result<Vec<Row>, JournalError> {
        let statement = self.prepare(&question.sql).await?;
        let params: Vec<&(dyn ToSql + Sync)> =
            question.values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let rows = self.client.query(&statement, &params).await.map_err(journal_error)?;
        rows.iter().map(row_of).collect()
    }

    async fn prepare(&self, sql: &str) -> Result<tokio_postgres::Statement, JournalError> {
        // As many as there are texts in this crate, times the lengths of their lists.
        const PREPARED_MAX: usize = 256;
        let mut prepared = self.prepared.lock().await;
        if let Some(statement) = prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await.map_err(journal_error)?;
        if prepared.len() >= PREPARED_MAX {
            prepared.clear();
        }
        prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// How many connections are read from.
const READERS: usize = 4;

/// Connections for reading, opened when needed, opened again when lost.
pub(super) struct Readers {
    url: String,
    places: [Mutex<Option<Arc<Reader>>>; READERS],
    next: AtomicUsize,
}

impl Readers {
    pub(super) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), places: Default::default(), next: AtomicUsize::new(0) }
    }

    pub(super) async fn fetch(&self, question: &Statement) -> Result<Vec<Row>, JournalError> {
        self.reader().await?.query(question).await
    }

    async fn reader(&self) -> Result<Arc<Reader>, JournalError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % READERS;
        #[expect(clippy::indexing_slicing, reason = "less than its length")]
        let mut place = self.places[turn].lock().await;
        if let Some(reader) = place.as_ref().filter(|reader| !reader.client.is_closed()) {
            return Ok(Arc::clone(reader));
        }
        let reader = Arc::new(Reader::new(connect(&self.url).await?));
        *place = Some(Arc::clone(&reader));
        Ok(reader)
    }

    pub(super) async fn snapshot(
        &self,
        questions: Vec<Statement>,
    ) -> Result<Snapshot, JournalError> {
        let client = connect(&self.url).await?;
        let (sender, receiver) = mpsc::channel(4);
        drop(tokio::spawn(async move {
            if let Err(error) = send_snapshot(&client, &questions, &sender).await {
                drop(sender.send(Err(error)).await);
            }
        }));
        Ok(receiver)
    }
}

async fn send_snapshot(
    client: &Client,
    questions: &[Statement],
    to: &mpsc::Sender<Result<(usize, Vec<Row>), JournalError>>,
) -> Result<(), JournalError> {
    const PORTION: usize = 200;
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    client.batch_execute(begin).await.map_err(journal_error)?;
    for (number, question) in questions.iter().enumerate() {
        let found = client
            .query_raw(question.sql.as_ref(), question.values.iter())
            .await
            .map_err(journal_error)?;
        pin_mut!(found);
        let mut portion = Vec::with_capacity(PORTION);
        while let Some(row) = found.next().await {
            portion.push(row_of(&row.map_err(journal_error)?)?);
            if portion.len() == PORTION {
                // Who has stopped listening gets no more.
                if to.send(Ok((number, std::mem::take(&mut portion)))).await.is_err() {
                    return Ok(());
                }
            }
        }
        drop(to.send(Ok((number, portion))).await);
    }
    client.batch_execute("COMMIT").await.map_err(journal_error)
}
