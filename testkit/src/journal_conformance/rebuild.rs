//! The projections follow from the journal and from nothing else.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use serde_json::json;
use showrunner_engine::at::Millis;
use showrunner_engine::definition::Verb;
use showrunner_engine::failure::ErrorClass;
use showrunner_journal::{Append, Hooks, Journal, Resolver};

use super::Places;
use super::fixture::{Story, chain, resolve, review};

/// Runs of all kinds: done, sent back, failed and taken up, cancelled, at work, too long for a
/// row, and one of which several appends share a transaction.
pub(super) async fn fill(journal: &Arc<dyn Journal>) -> Vec<Story> {
    let mut stories: Vec<Story> = (0..6).map(|number| Story::new(&review(), number)).collect();
    stories.push(Story::new(&chain(6), 100));
    for (number, story) in stories.iter_mut().enumerate() {
        let appends: Vec<Append> = match number {
            0 => vec![story.start(), story.finish(), story.answer(Verb::Continue, None)],
            1 => vec![
                story.start(),
                story.finish(),
                story.answer(Verb::Retry, Some("again")),
                story.finish(),
                story.answer(Verb::Abort, Some("no")),
            ],
            2 => vec![
                story.start(),
                story.fail(ErrorClass::Transient),
                story.let_time_pass(),
                story.fail(ErrorClass::Validation),
            ],
            3 => vec![story.start(), story.finish(), story.cancel()],
            4 => vec![
                story.start(),
                story.finish_with(json!({ "headline": "long", "body": "長".repeat(90_000) })),
                story.answer(Verb::Continue, None),
            ],
            5 => vec![story.start(), story.finish(), story.let_time_pass()],
            _ => {
                let mut appends = vec![story.start(), story.finish_plainly()];
                story.wait(Millis::from_secs(700));
                appends.extend((0..3).map(|_| story.finish()));
                appends
            },
        };
        let waiting: Vec<_> = appends.into_iter().map(|append| journal.append(append)).collect();
        for appended in waiting {
            appended.await.unwrap();
        }
    }
    stories
}

fn resolver() -> Resolver {
    Arc::new(|_, definition| Ok(resolve(&definition.slug, 6)))
}

pub(super) async fn projections_made_again_are_the_same(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let stories = fill(&journal).await;
    let stored = journal.projection_rows().await.unwrap();
    for table in ["runs", "run_labels", "steps", "checkpoints", "checkpoint_answers", "assets"] {
        assert!(!stored[table].is_empty(), "{table} is exercised");
    }
    assert!(!stored["dead_letters"].is_empty() && !stored["spend"].is_empty());
    let rebuilt = journal.rebuild(resolver()).await.unwrap();
    assert_eq!(rebuilt.runs, stories.len() as u64);
    assert_eq!(rebuilt.events, stories.iter().map(|story| story.run.seq).sum::<u64>());
    let again = journal.projection_rows().await.unwrap();
    for (table, rows) in &stored {
        assert_eq!(rows, &again[table], "{table}");
    }
    // And the writer goes on from what was made again.
    let mut story = Story::new(&chain(6), 200);
    journal.append(story.start()).await.unwrap();
    let mut known = stories.into_iter().next_back().unwrap();
    journal.append(known.finish_plainly()).await.unwrap();
    assert!(journal.verify().await.unwrap().breaks.is_empty());

    let nothing_known: Resolver = Arc::new(|_, definition| {
        Err(showrunner_journal::JournalError::Unusable(definition.slug.clone()))
    });
    let before = journal.projection_rows().await.unwrap();
    assert!(journal.rebuild(nothing_known).await.is_err());
    assert_eq!(journal.projection_rows().await.unwrap(), before, "all or nothing");
}

pub(super) async fn a_whole_journal_verifies(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    assert_eq!(journal.verify().await.unwrap().runs, 0);
    let stories = fill(&journal).await;
    let verified = journal.verify().await.unwrap();
    assert_eq!(verified.breaks, []);
    assert_eq!(verified.runs, stories.len() as u64);
    assert_eq!(verified.events, stories.iter().map(|story| story.run.seq).sum::<u64>());
}
