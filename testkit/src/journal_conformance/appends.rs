//! What an append promises.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::json;
use showrunner_engine::at::Millis;
use showrunner_engine::id::RunId;
use showrunner_journal::{AppendError, Hooks, Idempotency, OutboxRow};

use super::Places;
use super::fixture::{EPOCH, Story, chain, review};

pub(super) async fn an_append_is_read_back_as_it_was(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let mut story = Story::new(&review(), 1);
    let begun = story.start();
    let body = Arc::clone(&begun.body);
    let first = journal.append(begun).await.unwrap();
    assert_eq!(first.seq_last, story.run.seq);
    let second = journal.append(story.finish()).await.unwrap();
    assert_ne!(first.hash, second.hash);

    let batches = journal.read(&story.id(), 0).await.unwrap();
    assert_eq!(batches.len(), 2);
    assert_eq!(batches[0].body, *body, "exactly as it was serialised");
    assert_eq!((batches[0].hash, batches[1].hash), (first.hash, second.hash));
    for (batch, (at, events)) in batches.iter().zip(&story.history) {
        assert_eq!((batch.at, &batch.events().unwrap()), (*at, events));
    }
    assert_eq!(batches[1].seq_first, batches[0].seq_last + 1, "no gap");

    let after_first = journal.read(&story.id(), batches[0].seq_last).await.unwrap();
    assert_eq!(after_first, batches[1..]);
    let from_within = journal.read(&story.id(), batches[0].seq_last - 1).await.unwrap();
    assert_eq!(from_within, batches, "a batch that holds a wanted event is whole");
    assert!(journal.read(&story.id(), story.run.seq).await.unwrap().is_empty());
    assert!(journal.read(&RunId::from("run_nobody"), 0).await.unwrap().is_empty());

    let events = journal.events(&story.id(), 1, 3).await.unwrap();
    let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, [2, 3, 4]);
}

pub(super) async fn an_append_that_does_not_fit_changes_nothing(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let (mut story, mut rival) = (Story::new(&review(), 2), Story::new(&review(), 2));
    journal.append(story.start()).await.unwrap();
    let at_start = story.run.seq;
    let twice = journal.append(rival.start()).await;
    assert_eq!(twice, Err(AppendError::Conflict { found_seq: at_start }));

    journal.append(story.finish()).await.unwrap();
    let late = journal.append(rival.finish()).await;
    assert_eq!(late, Err(AppendError::Conflict { found_seq: story.run.seq }));

    let mut early = Story::new(&review(), 3);
    drop(early.start());
    let without_start = journal.append(early.finish()).await;
    assert_eq!(without_start, Err(AppendError::Conflict { found_seq: 0 }));

    assert_eq!(journal.read(&story.id(), 0).await.unwrap().len(), 2);
    assert!(journal.run(&early.id()).await.unwrap().is_none());
    let run = journal.run(&story.id()).await.unwrap().unwrap();
    assert_eq!(run.seq, story.run.seq);
}

pub(super) async fn appends_are_made_in_the_order_of_the_calls(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let mut story = Story::new(&chain(8), 4);
    let mut appends = vec![story.start()];
    appends.extend((0..8).map(|_| story.finish_plainly()));
    // All are queued before the first is awaited, as a caller does that holds its run's lock.
    let waiting: Vec<_> = appends.into_iter().map(|append| journal.append(append)).collect();
    let mut seq = 0;
    for appended in waiting {
        let appended = appended.await.unwrap();
        assert!(appended.seq_last > seq);
        seq = appended.seq_last;
    }
    assert_eq!(journal.run(&story.id()).await.unwrap().unwrap().status, "completed");
}

pub(super) async fn many_runs_at_once_stay_whole_and_in_order(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let tasks: Vec<_> = (0..100u64)
        .map(|number| {
            let journal = Arc::clone(&journal);
            tokio::spawn(async move {
                let mut story = Story::new(&chain(5), number);
                journal.append(story.start()).await.unwrap();
                for _ in 0..5 {
                    journal.append(story.finish_plainly()).await.unwrap();
                }
                story
            })
        })
        .collect();
    for task in tasks {
        let story = task.await.unwrap();
        let batches = journal.read(&story.id(), 0).await.unwrap();
        let mut next = 1;
        for batch in &batches {
            assert_eq!(batch.seq_first, next);
            next = batch.seq_last + 1;
        }
        assert_eq!(next, story.run.seq + 1);
    }
    let verified = journal.verify().await.unwrap();
    assert_eq!((verified.runs, verified.appends, verified.breaks.len()), (100, 600, 0));
}

pub(super) async fn the_feed_hears_of_an_append_before_its_caller(places: &dyn Places) {
    type Heard = (RunId, u64, u64, &'static str);
    let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
    let ear = Arc::clone(&heard);
    let hooks = Hooks {
        on_durable: Some(Arc::new(move |committed| {
            let heard = (
                committed.run_id.clone(),
                committed.seq_first,
                committed.seq_last,
                committed.status,
            );
            ear.lock().push(heard);
        })),
        ..Hooks::default()
    };
    let place = places.fresh().await;
    let journal = place.open(hooks).await;
    let mut story = Story::new(&review(), 5);
    journal.append(story.start()).await.unwrap();
    assert_eq!(heard.lock().len(), 1, "heard by the time the caller is answered");
    let start = story.run.seq;
    journal.append(story.finish()).await.unwrap();
    let expected =
        vec![(story.id(), 1, start, "running"), (story.id(), start + 1, story.run.seq, "waiting")];
    assert_eq!(*heard.lock(), expected);
    let refused = journal.append(Story::new(&review(), 5).start()).await;
    assert!(refused.is_err());
    assert_eq!(heard.lock().len(), 2, "what was refused was never heard of");
}

pub(super) async fn a_repeated_request_gets_the_first_answer(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let answer = |fingerprint: &str| Idempotency {
        scope: "org_test/start".into(),
        key: "abc".into(),
        fingerprint: fingerprint.into(),
        response: json!({ "id": "first" }).to_string(),
    };
    let mut first = Story::new(&review(), 6);
    let mut second = Story::new(&review(), 7);
    let both = [
        journal.append(first.start().answering(answer("one"))),
        journal.append(second.start().answering(answer("two"))),
    ];
    let [first_result, second_result] = both;
    first_result.await.unwrap();
    let Err(AppendError::DuplicateKey(stored)) = second_result.await else {
        panic!("the key was used twice");
    };
    assert_eq!((stored.run_id, stored.fingerprint.as_str()), (first.id(), "one"));
    assert!(journal.run(&second.id()).await.unwrap().is_none(), "the second run does not exist");
    let again = journal.append(Story::new(&review(), 8).start().answering(answer("one"))).await;
    assert!(matches!(again, Err(AppendError::DuplicateKey(_))), "also after it is durable");
    let stored = journal.stored_answer("org_test/start", "abc").await.unwrap().unwrap();
    assert_eq!(stored.response, r#"{"id":"first"}"#);
    assert!(journal.stored_answer("org_other/start", "abc").await.unwrap().is_none());
}

pub(super) async fn a_body_too_long_for_a_row_comes_back_whole(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let mut story = Story::new(&review(), 9);
    journal.append(story.start()).await.unwrap();
    let long = "長い".repeat(60_000);
    journal.append(story.finish_with(json!({ "headline": "long", "body": long }))).await.unwrap();
    let approved = story.answer(showrunner_engine::definition::Verb::Continue, None);
    journal.append(approved).await.unwrap();

    let batches = journal.read(&story.id(), 0).await.unwrap();
    for (batch, (_, events)) in batches.iter().zip(&story.history) {
        assert_eq!(&batch.events().unwrap(), events);
    }
    let run = journal.run(&story.id()).await.unwrap().unwrap();
    assert_eq!(run.output.as_ref(), story.run.output.as_deref(), "outputs as well");
    assert!(journal.objects().list().unwrap().len() >= 2, "they are in object storage");
    assert!(journal.objects().damaged().unwrap().is_empty());
    assert!(journal.verify().await.unwrap().breaks.is_empty());
}

pub(super) async fn one_bad_append_takes_no_other_along(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let message = |id: &str| {
        vec![OutboxRow {
            id: id.into(),
            topic: "test".into(),
            payload: "{}".into(),
            due_at: EPOCH.plus(Millis(1)),
        }]
    };
    let mut stories: Vec<Story> = (20..30).map(|number| Story::new(&review(), number)).collect();
    let waiting: Vec<_> = stories
        .iter_mut()
        .enumerate()
        .map(|(at, story)| {
            // The database itself refuses a second message with an id that is taken.
            let id = if at == 4 { "message-0".to_owned() } else { format!("message-{at}") };
            journal.append(story.start().sending(message(&id)))
        })
        .collect();
    for (at, (appended, story)) in waiting.into_iter().zip(&stories).enumerate() {
        assert_eq!(appended.await.is_ok(), at != 4, "append {at}");
        let is_stored = journal.run(&story.id()).await.unwrap().is_some();
        assert_eq!(is_stored, at != 4, "run {at}");
    }
    let next = stories[5].finish();
    journal.append(next).await.unwrap();
    assert!(journal.verify().await.unwrap().breaks.is_empty());
}

pub(super) async fn what_was_acknowledged_is_there_after_a_new_start(places: &dyn Places) {
    let place = places.fresh().await;
    let mut story = Story::new(&review(), 10);
    let journal = place.open(Hooks::default()).await;
    let begun = journal.append(story.start()).await.unwrap();
    journal.close().await;
    let refused = journal.append(Story::new(&review(), 11).start()).await;
    assert!(refused.is_err(), "a closed journal takes nothing");
    drop(journal);

    let journal = place.open(Hooks::default()).await;
    let batches = journal.read(&story.id(), 0).await.unwrap();
    assert_eq!(batches.last().unwrap().hash, begun.hash);
    // The writer has forgotten everything and goes on from what is stored.
    journal.append(story.finish()).await.unwrap();
    assert!(journal.verify().await.unwrap().breaks.is_empty());
}
