//! The journal's promises on Postgres, on a cluster that is started for the test.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use showrunner_journal::{Hooks, Journal, PostgresJournal, PostgresOptions};
use showrunner_testkit::journal_conformance::{Place, Places, exercise};
use showrunner_testkit::throwaway_postgres::ThrowawayPostgres;
use tempfile::TempDir;

struct Cluster {
    server: ThrowawayPostgres,
    made: AtomicU32,
}

#[async_trait]
impl Places for Cluster {
    async fn fresh(&self) -> Box<dyn Place> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let url = self.server.fresh_database(&format!("journal_{number}")).await.unwrap();
        Box::new(Database { url, directory: tempfile::tempdir().unwrap() })
    }
}

struct Database {
    url: String,
    directory: TempDir,
}

#[async_trait]
impl Place for Database {
    async fn open(&self, hooks: Hooks) -> Arc<dyn Journal> {
        let objects = self.directory.path().join("objects");
        let options = PostgresOptions { url: self.url.clone(), objects, hooks };
        PostgresJournal::open(options).await.unwrap()
    }

    fn scratch(&self) -> &Path {
        self.directory.path()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_every_promise() {
    let Some(server) = ThrowawayPostgres::start_or_skip("the journal on Postgres") else { return };
    exercise(&Cluster { server, made: AtomicU32::new(0) }).await;
}
