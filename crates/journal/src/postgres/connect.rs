//! Connections and the schema.

use tokio_postgres::{Client, NoTls};

use super::fault::journal_error;
use crate::error::JournalError;

/// Every migration in order. Forward only; a published one is never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/postgres/0001_journal.sql"),
    include_str!("../../migrations/postgres/0002_webhooks.sql"),
    include_str!("../../migrations/postgres/0003_dead_letter_notes.sql"),
    include_str!("../../migrations/postgres/0004_request_views.sql"),
];

/// Held while migrating, and as long as a process owns the journal. Any number will do as long
/// as it stays the same: "showrun" and a digit, in ASCII.
const MIGRATION_LOCK: i64 = 0x7368_6f77_7275_6e30;
const OWNER_LOCK: i64 = 0x7368_6f77_7275_6e31;

/// Opens a connection whose commits are durable when they return.
pub(super) async fn connect(url: &str) -> Result<Client, JournalError> {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .map_err(|error| JournalError::Storage(format!("connecting to Postgres: {error}")))?;
    // It ends when its client is dropped or the server goes away.
    drop(tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(%error, "a connection to Postgres ended");
        }
    }));
    client.batch_execute("SET synchronous_commit = on").await.map_err(journal_error)?;
    Ok(client)
}

/// Brings the schema up to date, one transaction a migration; one process at a time.
pub(super) async fn migrate(client: &Client) -> Result<(), JournalError> {
    migrate_with(client, MIGRATIONS).await
}

async fn migrate_with(client: &Client, migrations: &[&str]) -> Result<(), JournalError> {
    let lock = format!("SELECT pg_advisory_lock({MIGRATION_LOCK})");
    client.batch_execute(&lock).await.map_err(journal_error)?;
    let migrated = migrate_locked(client, migrations).await;
    let unlock = format!("SELECT pg_advisory_unlock({MIGRATION_LOCK})");
    client.batch_execute(&unlock).await.map_err(journal_error)?;
    migrated
}

async fn migrate_locked(client: &Client, migrations: &[&str]) -> Result<(), JournalError> {
    client
        .batch_execute(
            "CREATE TABLE IF NOT EXISTS showrunner_schema (
               version BIGINT NOT NULL PRIMARY KEY, applied_at TIMESTAMPTZ NOT NULL DEFAULT now())",
        )
        .await
        .map_err(journal_error)?;
    let row = client
        .query_one("SELECT COALESCE(MAX(version), 0) FROM showrunner_schema", &[])
        .await
        .map_err(journal_error)?;
    let found = usize::try_from(row.get::<_, i64>(0)).unwrap_or(0);
    if found > migrations.len() {
        return Err(JournalError::Unusable(format!(
            "the database has schema {found}, this program knows up to {}: use the newer program",
            migrations.len(),
        )));
    }
    for (number, sql) in (1..).zip(migrations).skip(found) {
        let script = format!(
            "BEGIN; {sql}; INSERT INTO showrunner_schema (version) VALUES ({number}); COMMIT;"
        );
        if let Err(error) = client.batch_execute(&script).await {
            // The schema stays what it was: a migration is made whole or not at all.
            client.batch_execute("ROLLBACK").await.map_err(journal_error)?;
            let reason = format!("migrating the schema to {number}: {error}");
            return Err(JournalError::Storage(reason));
        }
        tracing::info!(schema = number, "migrated the journal");
    }
    Ok(())
}

/// Takes the owner's lock when nobody has it.
pub(super) async fn try_own(client: &Client) -> Result<bool, JournalError> {
    let question = format!("SELECT pg_try_advisory_lock({OWNER_LOCK})");
    let row = client.query_one(question.as_str(), &[]).await.map_err(journal_error)?;
    Ok(row.get(0))
}

/// Waits for the owner's lock.
pub(super) async fn wait_to_own(client: &Client) -> Result<(), JournalError> {
    let question = format!("SELECT pg_advisory_lock({OWNER_LOCK})");
    client.batch_execute(&question).await.map_err(journal_error)
}

/// Gives the owner's lock up.
pub(super) async fn give_up(client: &Client) -> Result<(), JournalError> {
    let statement = format!("SELECT pg_advisory_unlock({OWNER_LOCK})");
    client.batch_execute(&statement).await.map_err(journal_error)
}

/// Counts owners, and begins to count this one's transactions.
pub(super) async fn next_epoch(client: &Client) -> Result<i64, JournalError> {
    let row = client
        .query_one("UPDATE owner SET epoch = epoch + 1, commits = 0 RETURNING epoch", &[])
        .await
        .map_err(journal_error)?;
    Ok(row.get(0))
}
