//! The schema that migrations make is written down, and so is that of each release: what is
//! written down can be looked at, and migrated from.
//!
//! `UPDATE=1 cargo test -p showrunner-journal --test schema` writes the present one down. When a
//! release is made, `schema/<database>.sql` is copied to `schema/<database>_<number>.sql` and
//! added to the list of releases below.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use showrunner_journal::{Hooks, Journal, PostgresJournal, PostgresOptions};
use showrunner_journal::{SqliteJournal, SqliteOptions};
use showrunner_testkit::throwaway_postgres::ThrowawayPostgres;

/// Schemas of releases on SQLite, oldest first, with their numbers.
const SQLITE_RELEASES: &[(&str, u32)] = &[(include_str!("schema/sqlite_0001.sql"), 1)];

fn written_down(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema").join(name)
}

fn compare(name: &str, found: &str) {
    let path = written_down(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "the schema is not what {} says", path.display());
}

fn sqlite_schema(database: &Path) -> String {
    let conn = Connection::open(database).unwrap();
    let mut question = conn
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC, name")
        .unwrap();
    let lines = question.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let lines: Vec<String> = lines.map(|sql| sql.unwrap() + ";\n").collect();
    lines.concat()
}

#[tokio::test]
async fn the_schema_on_sqlite_is_what_is_written_down() {
    let place = tempfile::tempdir().unwrap();
    let journal = SqliteJournal::open(SqliteOptions::in_directory(place.path())).unwrap();
    compare("sqlite.sql", &sqlite_schema(&place.path().join("journal.db")));
    journal.close().await;
}

#[tokio::test]
async fn every_release_on_sqlite_becomes_the_present_one() {
    for (schema, number) in SQLITE_RELEASES {
        let place = tempfile::tempdir().unwrap();
        let database = place.path().join("journal.db");
        let old = Connection::open(&database).unwrap();
        old.execute_batch(&format!("{schema} PRAGMA user_version = {number};")).unwrap();
        drop(old);
        let journal = SqliteJournal::open(SqliteOptions::in_directory(place.path())).unwrap();
        compare("sqlite.sql", &sqlite_schema(&database));
        journal.close().await;
    }
}

#[tokio::test]
async fn the_schema_on_postgres_is_what_is_written_down() {
    let Some(server) = ThrowawayPostgres::start_or_skip("the schema on Postgres") else { return };
    let place = tempfile::tempdir().unwrap();
    let url = server.fresh_database("schema").await.unwrap();
    let objects = place.path().join("objects");
    let options = PostgresOptions { url: url.clone(), objects, hooks: Hooks::default() };
    let journal = PostgresJournal::open(options).await.unwrap();
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let columns = "SELECT table_name || '.' || column_name || ' ' || data_type ||
           CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
         FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name <> 'showrunner_schema'
         ORDER BY table_name, ordinal_position";
    let indexes = "SELECT indexdef FROM pg_indexes
         WHERE schemaname = 'public' AND tablename <> 'showrunner_schema' ORDER BY indexname";
    let mut found = String::new();
    for question in [columns, indexes] {
        for row in client.query(question, &[]).await.unwrap() {
            found.push_str(row.get(0));
            found.push('\n');
        }
    }
    compare("postgres.txt", &found);
    journal.close().await;
    drop(client);
    connection.await.unwrap().unwrap();
}
