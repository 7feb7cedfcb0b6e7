//! Opening the file: the library's version, the settings, the migrations.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::archive::{HALF_RESTORED, RESTORING};
use crate::error::JournalError;

/// The first SQLite without the race in resetting the write-ahead log that could corrupt a
/// database. The library is linked in; this guards against somebody linking another one.
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// Every migration in order. Forward only; a published one is never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_journal.sql"),
    include_str!("../../migrations/sqlite/0002_webhooks.sql"),
    include_str!("../../migrations/sqlite/0003_dead_letter_notes.sql"),
    include_str!("../../migrations/sqlite/0004_request_views.sql"),
];

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Writer { cache_kib: u32 },
    Checkpointer,
    Reader,
}

pub(super) fn check_version() -> Result<(), JournalError> {
    let version = rusqlite::version_number();
    if version < SQLITE_VERSION_MIN {
        return Err(JournalError::Unusable(format!(
            "SQLite {} is linked in; at least 3.51.3 is needed, older ones can corrupt the \
             write-ahead log",
            rusqlite::version(),
        )));
    }
    Ok(())
}

pub(super) fn open_connection(path: &Path, role: Role) -> Result<Connection, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX
        | match role {
            Role::Writer { .. } => {
                OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
            },
            Role::Checkpointer => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Role::Reader => OpenFlags::SQLITE_OPEN_READ_ONLY,
        };
    let conn = Connection::open_with_flags(path, flags).map_err(JournalError::storage)?;
    conn.execute_batch(&settings(role)).map_err(JournalError::storage)?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

fn settings(role: Role) -> String {
    let own = match role {
        // The log is moved by hand, see `checkpoint`; 64 MiB of it are kept so that commits
        // overwrite blocks that exist instead of making the file longer.
        Role::Writer { cache_kib } => format!(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA wal_autocheckpoint = 0;
             PRAGMA journal_size_limit = 67108864;
             PRAGMA cache_size = -{cache_kib};
             PRAGMA cache_spill = OFF;"
        ),
        Role::Checkpointer => "PRAGMA synchronous = FULL;
             PRAGMA wal_autocheckpoint = 0;
             PRAGMA journal_size_limit = 67108864;
             PRAGMA cache_size = -64;"
            .to_owned(),
        Role::Reader => "PRAGMA query_only = ON; PRAGMA cache_size = -1024;".to_owned(),
    };
    format!(
        "PRAGMA busy_timeout = 5000;
         PRAGMA foreign_keys = OFF;
         PRAGMA temp_store = MEMORY;
         {own}"
    )
}

/// Brings the schema up to date, one transaction a migration.
pub(super) fn migrate(conn: &Connection) -> Result<(), JournalError> {
    migrate_with(conn, MIGRATIONS)
}

/// A restore that did not come to its end left something that is not what was backed up.
pub(super) fn refuse_half_restored(conn: &Connection) -> Result<(), JournalError> {
    let found: u32 = conn
        .query_row("SELECT COUNT(*) FROM meta WHERE key = ?1", [RESTORING], |row| row.get(0))
        .map_err(JournalError::storage)?;
    if found > 0 {
        return Err(JournalError::Unusable(HALF_RESTORED.into()));
    }
    Ok(())
}

fn migrate_with(conn: &Connection, migrations: &[&str]) -> Result<(), JournalError> {
    let found: u32 = conn
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(JournalError::storage)?;
    let found = found as usize;
    if found > migrations.len() {
        return Err(JournalError::Unusable(format!(
            "the database has schema {found}, this program knows up to {}: use the newer program",
            migrations.len(),
        )));
    }
    for (number, sql) in (1..).zip(migrations).skip(found) {
        let script = format!("BEGIN IMMEDIATE; {sql}\nPRAGMA user_version = {number}; COMMIT;");
        if let Err(error) = conn.execute_batch(&script) {
            // The schema stays what it was: a migration is made whole or not at all.
            if !conn.is_autocommit() {
                conn.execute_batch("ROLLBACK").map_err(JournalError::storage)?;
            }
            let reason = format!("migrating the schema to {number}: {error}");
            return Err(JournalError::Storage(reason));
        }
        tracing::info!(schema = number, "migrated the journal");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(conn: &Connection) -> u32 {
        let sql = "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table'";
        conn.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn version(conn: &Connection) -> u32 {
        conn.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn the_linked_library_is_new_enough() {
        check_version().unwrap();
    }

    #[test]
    fn migrations_go_on_where_they_stopped_and_are_made_whole_or_not_at_all() {
        let conn = Connection::open_in_memory().unwrap();
        migrate(&conn).unwrap();
        let before = (version(&conn), tables(&conn));
        migrate(&conn).unwrap();
        assert_eq!((version(&conn), tables(&conn)), before, "nothing is made twice");

        let mut next = MIGRATIONS.to_vec();
        next.push("CREATE TABLE more (n INTEGER); CREATE TABLE wrong (");
        let failed = migrate_with(&conn, &next);
        assert!(matches!(failed, Err(JournalError::Storage(_))), "{failed:?}");
        assert_eq!((version(&conn), tables(&conn)), before, "nothing of it is left");

        next.pop();
        next.push("CREATE TABLE more (n INTEGER);");
        migrate_with(&conn, &next).unwrap();
        assert_eq!((version(&conn), tables(&conn)), (before.0 + 1, before.1 + 1));
        let older = migrate(&conn);
        assert!(matches!(older, Err(JournalError::Unusable(_))), "an older program refuses it");
    }
}
