//! What SQLite's journal does when things go wrong.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;
use serde_json::json;
use showrunner_journal::{AppendError, Hooks, Journal, SqliteJournal, SqliteOptions};
use showrunner_testkit::journal_conformance::fixture::{Story, chain, review};

fn open(directory: &Path) -> Arc<SqliteJournal> {
    SqliteJournal::open(SqliteOptions::in_directory(directory)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_what_does_not_fit_and_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    let fatal = Arc::new(AtomicU32::new(0));
    let told = Arc::clone(&fatal);
    let hooks = Hooks {
        on_durable: None,
        fatal: Arc::new(move |_| {
            told.fetch_add(1, Ordering::Relaxed);
        }),
    };
    let options = SqliteOptions { hooks, ..SqliteOptions::in_directory(place.path()) };
    let sqlite = SqliteJournal::open(options).unwrap();
    let journal: Arc<dyn Journal> = Arc::clone(&sqlite) as Arc<dyn Journal>;
    let mut known = Story::new(&review(), 1);
    journal.append(known.start()).await.unwrap();
    sqlite.limit_pages(80).await.unwrap();
    let padding = "x".repeat(20_000);
    let mut stored = 0;
    let refused = loop {
        let mut story = Story::new(&review(), 1000 + stored);
        let begun = story.start_with(json!({ "brief": padding }));
        match journal.append(begun).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 1000, "80 pages do not hold twenty megabytes");
    };
    assert_eq!(refused, AppendError::Full);
    // Several at once: those that fit are made, those that do not are told so, each on its own.
    let mut small = Story::new(&chain(2), 5000);
    let large = Story::new(&review(), 5001).start_with(json!({ "brief": padding.repeat(3) }));
    let both = [journal.append(large), journal.append(small.start())];
    let [large, small_start] = both;
    assert_eq!(large.await, Err(AppendError::Full));
    let fits = small_start.await;
    assert!(matches!(fits, Ok(_) | Err(AppendError::Full)), "{fits:?}");
    assert!(journal.run(&known.id()).await.unwrap().is_some(), "reading goes on");

    sqlite.limit_pages(1_000_000).await.unwrap();
    journal.append(known.finish()).await.unwrap();
    let verified = journal.verify().await.unwrap();
    assert_eq!(verified.breaks, []);
    assert_eq!(verified.runs, 1 + stored + u64::from(fits.is_ok()));
    assert_eq!(fatal.load(Ordering::Relaxed), 0, "a full disk is no reason to end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_is_found_in_its_run_and_in_no_other() {
    let place = tempfile::tempdir().unwrap();
    let journal: Arc<dyn Journal> = open(place.path());
    let mut stories: Vec<Story> = (0..4).map(|number| Story::new(&review(), number)).collect();
    for story in &mut stories {
        journal.append(story.start()).await.unwrap();
        journal.append(story.finish()).await.unwrap();
    }
    let conn = Connection::open(place.path().join("journal.db")).unwrap();
    let first = stories[0].id();
    let changed = conn
        .execute(
            "UPDATE journal SET body = replace(body, 'Leaves', 'Leavez')
             WHERE run_id = ?1 AND seq_first > 1",
            [first.as_str()],
        )
        .unwrap();
    assert_eq!(changed, 1);
    let second = stories[1].id();
    conn.execute(
        "UPDATE journal SET at_us = at_us + 1 WHERE run_id = ?1 AND seq_first = 1",
        [second.as_str()],
    )
    .unwrap();
    let third = stories[2].id();
    conn.execute("DELETE FROM journal WHERE run_id = ?1 AND seq_first > 1", [third.as_str()])
        .unwrap();
    let verified = journal.verify().await.unwrap();
    let mut found: Vec<_> =
        verified.breaks.iter().map(|found| (found.run_id.clone(), found.seq_first)).collect();
    found.sort();
    let body = journal.read(&first, 0).await.unwrap()[1].seq_first;
    let end = journal.read(&third, 0).await.unwrap()[0].seq_last;
    let mut expected = vec![(first, body), (second, 1), (third, end)];
    expected.sort();
    assert_eq!(found, expected, "{:?}", verified.breaks);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_moved_into_the_file_before_it_grows_large() {
    const MIB: u64 = 1 << 20;
    let place = tempfile::tempdir().unwrap();
    let journal: Arc<dyn Journal> = open(place.path());
    let brief = "y".repeat(50_000);
    let mut largest = 0;
    for lane in 0..40u64 {
        let waiting: Vec<_> = (0..40)
            .map(|number| {
                let mut story = Story::new(&review(), lane * 100 + number);
                journal.append(story.start_with(json!({ "brief": brief })))
            })
            .collect();
        for appended in waiting {
            appended.await.unwrap();
        }
        let log = std::fs::metadata(place.path().join("journal.db-wal")).unwrap().len();
        largest = largest.max(log);
    }
    let file = std::fs::metadata(place.path().join("journal.db")).unwrap().len();
    assert!(file > 40 * MIB, "{} MiB were written to the file itself", file / MIB);
    assert!(largest < 48 * MIB, "the log grew to {} MiB", largest / MIB);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_restored_journal_is_not_opened() {
    let place = tempfile::tempdir().unwrap();
    let journal: Arc<dyn Journal> = open(place.path());
    journal.set_meta(showrunner_journal::archive::RESTORING, "true").await.unwrap();
    journal.close().await;
    drop(journal);
    let opened = SqliteJournal::open(SqliteOptions::in_directory(place.path()));
    let said = opened.unwrap_err().to_string();
    assert!(said.contains("a restore was interrupted here"), "{said}");
}

/// Another program that writes to the file is in the way for a while; nothing is damaged by it.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_of_somebody_else_is_no_damage() {
    let place = tempfile::tempdir().unwrap();
    let journal: Arc<dyn Journal> = open(place.path());
    let mut first = Story::new(&chain(4), 1);
    journal.append(first.start()).await.unwrap();

    let other = Connection::open(place.path().join("journal.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = journal.append(Story::new(&chain(4), 2).start()).await;
    assert!(matches!(refused, Err(AppendError::Busy(_))), "{refused:?}");
    other.execute_batch("ROLLBACK").unwrap();

    let mut second = Story::new(&chain(4), 2);
    journal.append(second.start()).await.unwrap();
    journal.append(first.finish_plainly()).await.unwrap();
    assert_eq!(journal.run(&first.id()).await.unwrap().unwrap().seq, first.run.seq);
    let verified = journal.verify().await.unwrap();
    assert_eq!((verified.runs, verified.breaks), (2, vec![]));
}
