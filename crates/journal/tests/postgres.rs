//! The journal's promises on Postgres, on a cluster that is started for the test.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use showrunner_journal::{
    AppendError, Hooks, Journal, Ownership, PostgresJournal, PostgresOptions,
};
use showrunner_testkit::journal_conformance::fixture::{Story, chain};
use showrunner_testkit::journal_conformance::{Place, Places, exercise};
use showrunner_testkit::throwaway_postgres::ThrowawayPostgres;
use tempfile::TempDir;

struct Cluster {
    server: ThrowawayPostgres,
    /// What its databases are called: tests that run at the same time may share the server.
    name: &'static str,
    made: AtomicU32,
}

impl Cluster {
    fn new(server: ThrowawayPostgres, name: &'static str) -> Self {
        Self { server, name, made: AtomicU32::new(0) }
    }
}

#[async_trait]
impl Places for Cluster {
    async fn fresh(&self) -> Box<dyn Place> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let url = self.server.fresh_database(&format!("{}_{number}", self.name)).await.unwrap();
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
    exercise(&Cluster::new(server, "promises")).await;
}

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    drop(tokio::spawn(connection));
    client
}

fn counted(fatal: &Arc<AtomicU32>) -> Hooks {
    let told = Arc::clone(fatal);
    Hooks {
        on_durable: None,
        fatal: Arc::new(move |_| {
            told.fetch_add(1, Ordering::Relaxed);
        }),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_the_session_loses_the_journal() {
    let Some(server) = ThrowawayPostgres::start_or_skip("fencing on Postgres") else { return };
    let cluster = Cluster::new(server, "lost_session");
    let place = cluster.fresh().await;
    let fatal = Arc::new(AtomicU32::new(0));
    let journal = place.open(counted(&fatal)).await;
    let mut story = Story::new(&chain(4), 1);
    journal.append(story.start()).await.unwrap();

    let other = connect(&cluster.server.fresh_url("lost_session_0")).await;
    let ended = other
        .query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name = 'showrunner journal writer'
               AND datname = current_database()",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(ended.len(), 1);
    let refused = journal.append(story.finish_plainly()).await;
    let seq = story.run.seq;
    assert!(
        matches!(refused, Err(AppendError::Fenced | AppendError::Unavailable(_))),
        "{refused:?}"
    );
    let later = journal.append(Story::new(&chain(4), 2).start()).await;
    assert_eq!(later, Err(AppendError::Fenced));
    assert_eq!(journal.ownership(), Ownership::Standby);
    assert_eq!(fatal.load(Ordering::Relaxed), 1, "told once");

    // Another process owns it at once, and finds everything that was acknowledged.
    let next = place.open(Hooks::default()).await;
    assert!(matches!(next.ownership(), Ownership::Owner { epoch: 2 }));
    assert!(next.run(&story.id()).await.unwrap().unwrap().seq < seq);
    assert_eq!(next.verify().await.unwrap().breaks, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_of_an_old_owner_changes_nothing() {
    let Some(server) = ThrowawayPostgres::start_or_skip("fencing on Postgres") else { return };
    let cluster = Cluster::new(server, "old_owner");
    let place = cluster.fresh().await;
    let fatal = Arc::new(AtomicU32::new(0));
    let journal = place.open(counted(&fatal)).await;
    let mut story = Story::new(&chain(4), 1);
    journal.append(story.start()).await.unwrap();
    let seq = story.run.seq;
    // Its lock was taken for lost, as behind a connection pool that hands sessions around.
    let other = connect(&cluster.server.fresh_url("old_owner_0")).await;
    other.batch_execute("UPDATE owner SET epoch = epoch + 1").await.unwrap();
    let waiting =
        [journal.append(story.finish_plainly()), journal.append(Story::new(&chain(4), 2).start())];
    for refused in waiting {
        assert_eq!(refused.await, Err(AppendError::Fenced));
    }
    assert_eq!(journal.run(&story.id()).await.unwrap().unwrap().seq, seq);
    assert_eq!(journal.verify().await.unwrap().runs, 1);
    assert_eq!(fatal.load(Ordering::Relaxed), 1, "told once");
}
