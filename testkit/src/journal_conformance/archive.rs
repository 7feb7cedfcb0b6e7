//! Backups.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use showrunner_journal::{Hooks, JournalError};

use super::Places;
use super::fixture::{Story, chain};

pub(super) async fn a_backup_while_serving_holds_what_was_acknowledged(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let before = super::rebuild::fill(&journal).await;
    let stop = Arc::new(AtomicBool::new(false));
    let (writing, serving) = (Arc::clone(&journal), Arc::clone(&stop));
    let writer = tokio::spawn(async move {
        let mut number = 1000;
        while !serving.load(Ordering::Relaxed) {
            let mut story = Story::new(&chain(2), number);
            writing.append(story.start()).await.unwrap();
            writing.append(story.finish_plainly()).await.unwrap();
            number += 1;
        }
        number - 1000
    });
    let archive = place.scratch().join("backup");
    let report = journal.backup(&archive).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    let written = writer.await.unwrap();
    assert!(report.objects >= 2 && report.rows["journal"] > 0);

    let copy_place = places.fresh().await;
    let copy = copy_place.open(Hooks::default()).await;
    assert_eq!(copy.restore(&archive).await.unwrap(), report);
    for story in &before {
        let batches = copy.read(&story.id(), 0).await.unwrap();
        assert_eq!(batches, journal.read(&story.id(), 0).await.unwrap());
    }
    let verified = copy.verify().await.unwrap();
    assert_eq!(verified.breaks, [], "a prefix of each run, whole");
    assert_eq!(verified.appends, report.rows["journal"]);
    assert!(verified.runs <= before.len() as u64 + written);
    assert!(copy.objects().damaged().unwrap().is_empty());
    // It can be worked on.
    let mut story = before.into_iter().next_back().unwrap();
    copy.append(story.finish_plainly()).await.unwrap();
    copy.close().await;
    drop(copy);
    let copy = copy_place.open(Hooks::default()).await;
    assert_eq!(copy.run(&story.id()).await.unwrap().unwrap().seq, story.run.seq);
}

pub(super) async fn a_backup_is_restored_only_into_nothing(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    journal.append(Story::new(&chain(2), 1).start()).await.unwrap();
    let archive = place.scratch().join("backup");
    journal.backup(&archive).await.unwrap();
    let twice = journal.backup(&archive).await;
    assert!(matches!(twice, Err(JournalError::Unusable(_))), "a backup is not written over");
    let over = journal.restore(&archive).await;
    assert!(matches!(over, Err(JournalError::Unusable(_))), "nor is a journal");
    assert_eq!(journal.open_run_count().await.unwrap(), 1, "which is as before");

    std::fs::remove_file(archive.join("manifest.json")).unwrap();
    let copy_place = places.fresh().await;
    let copy = copy_place.open(Hooks::default()).await;
    let unfinished = copy.restore(&archive).await;
    assert!(matches!(unfinished, Err(JournalError::Unusable(_))), "without its manifest: no");
    copy.append(Story::new(&chain(2), 1).start()).await.unwrap();
}
