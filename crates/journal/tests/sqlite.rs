//! The journal's promises on SQLite.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use showrunner_journal::{Hooks, Journal, SqliteJournal, SqliteOptions};
use showrunner_testkit::journal_conformance::{Place, Places, exercise};
use tempfile::TempDir;

struct Directories;

#[async_trait]
impl Places for Directories {
    async fn fresh(&self) -> Box<dyn Place> {
        Box::new(Directory(tempfile::tempdir().unwrap()))
    }
}

struct Directory(TempDir);

#[async_trait]
impl Place for Directory {
    async fn open(&self, hooks: Hooks) -> Arc<dyn Journal> {
        let options = SqliteOptions::in_directory(&self.0.path().join("data"));
        SqliteJournal::open(SqliteOptions { hooks, ..options }).unwrap()
    }

    fn scratch(&self) -> &Path {
        self.0.path()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_every_promise() {
    exercise(&Directories).await;
}
