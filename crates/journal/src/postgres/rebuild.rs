//! The projections made again, in one transaction on the writer's connection.

use showrunner_engine::id::RunId;

use super::batch::{Item, send_projections};
use super::fault::journal_error;
use super::read::row_of;
use super::writer::Session;
use crate::append::Spilled;
use crate::error::JournalError;
use crate::query::events::StoredBatch;
use crate::replay::{Rebuilt, Resolver, replay};
use crate::tables;

pub(super) async fn rebuild(
    session: &mut Session,
    resolve: &Resolver,
) -> Result<Rebuilt, JournalError> {
    session.client.batch_execute("BEGIN").await.map_err(journal_error)?;
    let rebuilt = in_transaction(session, resolve).await;
    let end = if rebuilt.is_ok() { "COMMIT" } else { "ROLLBACK" };
    session.client.batch_execute(end).await.map_err(journal_error)?;
    rebuilt
}

async fn in_transaction(
    session: &mut Session,
    resolve: &Resolver,
) -> Result<Rebuilt, JournalError> {
    let client = &session.client;
    for table in tables::projections() {
        let sql = format!("DELETE FROM {}", table.name);
        client.batch_execute(&sql).await.map_err(journal_error)?;
    }
    let read_run = client
        .prepare(
            "SELECT seq_first, seq_last, at_us, hash, body, object FROM journal
             WHERE run_id = $1 ORDER BY seq_first",
        )
        .await
        .map_err(journal_error)?;
    let mut rebuilt = Rebuilt::default();
    let runs = client
        .query("SELECT run_id FROM journal WHERE seq_first = 1 ORDER BY no", &[])
        .await
        .map_err(journal_error)?;
    for run in runs {
        let id = RunId::from(run.get::<_, String>(0));
        let rows = client.query(&read_run, &[&id.as_str()]).await.map_err(journal_error)?;
        let objects = session.objects.as_ref();
        let batches: Result<Vec<StoredBatch>, JournalError> =
            rows.iter().map(|row| StoredBatch::whole_from_row(row_of(row)?, objects)).collect();
        for (append, hash) in replay(&id, &batches?, resolve)? {
            rebuilt.events += append.seq_last - append.expected_seq;
            let spilled = Spilled::put_again(&append, objects)?;
            let item = Item { append: Box::new(append), spilled, hash };
            send_projections(client, &session.prepared, std::slice::from_ref(&item))
                .await
                .map_err(journal_error)?;
        }
        rebuilt.runs += 1;
    }
    Ok(rebuilt)
}
