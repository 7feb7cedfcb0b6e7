//! One process writes.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use showrunner_journal::{AppendError, Hooks, JournalError, Ownership};

use super::Places;
use super::fixture::{Story, chain};

pub(super) async fn one_process_writes_and_the_next_takes_over(places: &dyn Places) {
    let place = places.fresh().await;
    let owner = place.open(Hooks::default()).await;
    let Ownership::Owner { epoch } = owner.ownership() else { panic!("the first one owns it") };
    let mut story = Story::new(&chain(3), 1);
    owner.append(story.start()).await.unwrap();

    let standby = place.open(Hooks::default()).await;
    assert_eq!(standby.ownership(), Ownership::Standby);
    assert!(standby.run(&story.id()).await.unwrap().is_some(), "it may read");
    let refused = standby.append(Story::new(&chain(3), 2).start()).await;
    assert_eq!(refused, Err(AppendError::Fenced));
    assert_eq!(standby.set_meta("a", "b").await, Err(JournalError::Fenced));

    let waiting = tokio::spawn({
        let standby = Arc::clone(&standby);
        async move { standby.wait_for_ownership().await.unwrap() }
    });
    owner.append(story.finish_plainly()).await.unwrap();
    assert!(!waiting.is_finished(), "the owner is still there");
    owner.close().await;
    let taken = waiting.await.unwrap();
    assert_eq!(taken, Ownership::Owner { epoch: epoch + 1 });
    standby.append(story.finish_plainly()).await.unwrap();
    assert_eq!(owner.ownership(), Ownership::Standby);
    assert!(owner.append(Story::new(&chain(3), 3).start()).await.is_err(), "the former may not");
    assert!(standby.verify().await.unwrap().breaks.is_empty());
}
