//! What goes on after a start, and what time does.
#![expect(clippy::unwrap_used, reason = "tests")]

use showrunner_engine::at::Timestamp;
use showrunner_journal::{Hooks, Journal};

use super::Places;
use super::fixture::{EPOCH, Story, chain, review};

const LATER: Timestamp = Timestamp(i64::MAX / 2);

async fn recovered(journal: &std::sync::Arc<dyn Journal>, now: Timestamp) -> Vec<String> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = journal.runs_to_recover(now, after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { return found };
        after = Some(last.id.clone());
        found.extend(page.into_iter().map(|run| run.id.to_string()));
    }
}

pub(super) async fn a_run_with_something_due_is_recovered(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let mut working: Vec<Story> = (1..=5).map(|number| Story::new(&chain(2), number)).collect();
    for story in &mut working {
        journal.append(story.start()).await.unwrap();
    }
    let mut waiting = Story::new(&review(), 6);
    journal.append(waiting.start()).await.unwrap();
    journal.append(waiting.finish()).await.unwrap();
    let mut ended = Story::new(&chain(1), 7);
    journal.append(ended.start()).await.unwrap();
    journal.append(ended.finish_plainly()).await.unwrap();
    assert!(ended.run.is_ended());

    let mut expected: Vec<String> = working.iter().map(|story| story.id().to_string()).collect();
    expected.sort();
    assert_eq!(recovered(&journal, EPOCH).await, expected);
    assert_eq!(journal.open_run_count().await.unwrap(), 6);
    expected.push(waiting.id().to_string());
    expected.sort();
    assert_eq!(recovered(&journal, LATER).await, expected, "its time has come as well");
}

pub(super) async fn a_run_is_woken_when_its_time_comes(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    assert_eq!(journal.next_wake_at(EPOCH).await.unwrap(), None);
    let mut waiting = Story::new(&review(), 2);
    journal.append(waiting.start()).await.unwrap();
    journal.append(waiting.finish()).await.unwrap();
    let until = waiting.run.wake_at().unwrap();
    assert_eq!(journal.next_wake_at(EPOCH).await.unwrap(), Some(until));
    assert_eq!(journal.next_wake_at(until).await.unwrap(), None, "later ones only");
    let before = Timestamp(until.0 - 1);
    assert!(journal.runs_to_wake(before, 10).await.unwrap().is_empty());
    let due = journal.runs_to_wake(until, 10).await.unwrap();
    assert_eq!((due.len(), &due[0].id, due[0].wake_at), (1, &waiting.id(), Some(until)));
    journal.append(waiting.cancel()).await.unwrap();
    assert_eq!(journal.next_wake_at(EPOCH).await.unwrap(), None);
    assert!(journal.runs_to_wake(until, 10).await.unwrap().is_empty(), "nothing to wake");
}

pub(super) async fn several_runs_are_read_at_once(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let mut ids = Vec::new();
    for number in 0..150 {
        let mut story = Story::new(&chain(2), number);
        journal.append(story.start()).await.unwrap();
        ids.push(story.id());
    }
    let found = journal.read_many(&ids).await.unwrap();
    assert_eq!(found.len(), 150);
    for (id, batches) in found {
        assert_eq!(batches, journal.read(&id, 0).await.unwrap());
    }
}
