//! What the projections show.
#![expect(clippy::unwrap_used, reason = "tests")]

use showrunner_engine::at::{Millis, Timestamp};
use showrunner_engine::definition::Verb;
use showrunner_engine::failure::ErrorClass;
use showrunner_engine::id::{OrgId, StepKey};
use showrunner_journal::Hooks;
use showrunner_journal::query::dead_letters::{LetterFilter, LetterNote};
use showrunner_journal::query::runs::RunFilter;

use super::Places;
use super::fixture::{EPOCH, ORG, Story, chain, owner, review};

pub(super) async fn a_run_is_shown_as_it_stands(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let mut story = Story::new(&review(), 1);
    journal.append(story.start()).await.unwrap();
    let run = journal.run(&story.id()).await.unwrap().unwrap();
    assert_eq!((run.status.as_str(), run.phase.as_deref()), ("running", Some("draft")));
    assert_eq!((run.due, run.open, run.seq), (1, true, story.run.seq));
    assert_eq!(run.title.as_deref(), Some("Autumn campaign 100%"));
    assert_eq!(run.reserved, story.run.reserved);
    assert!(!run.reserved.is_zero(), "an attempt is under way");

    journal.append(story.finish()).await.unwrap();
    let run = journal.run(&story.id()).await.unwrap().unwrap();
    assert_eq!((run.status.as_str(), run.due), ("waiting", 0));
    assert_eq!((run.spent, run.reserved.is_zero()), (story.run.spent, true));
    assert_eq!(run.waits.len(), 1);
    assert_eq!((run.waits[0].what.as_str(), run.wake_at), ("person", story.run.wake_at()));

    let steps = journal.steps(&story.id()).await.unwrap();
    let shown: Vec<(&str, &str)> =
        steps.iter().map(|step| (step.key.as_str(), step.status.as_str())).collect();
    assert_eq!(shown, [("draft", "succeeded"), ("approval", "waiting")]);
    assert_eq!(steps[0].agent.as_deref(), Some("copywriter"));
    assert_eq!(steps[0].label_ja.as_deref(), Some("下書きを書く"));
    assert_eq!(steps[1].wait.as_ref().unwrap().what, "person");

    let assets = journal.assets_of(&story.id()).await.unwrap();
    assert_eq!(assets.len(), 1);
    assert_eq!(assets[0].step, StepKey::from("draft"));
    let by_id = journal.asset(&assets[0].asset.id).await.unwrap().unwrap();
    assert_eq!(by_id, assets[0]);
    let calls = journal.calls_of(&story.id()).await.unwrap();
    assert_eq!((calls.len(), calls[0].step.as_str()), (1, "draft"));
    assert_eq!(calls[0].call.spend(), story.run.spent);

    journal.append(story.answer(Verb::Continue, None)).await.unwrap();
    let run = journal.run(&story.id()).await.unwrap().unwrap();
    assert_eq!((run.status.as_str(), run.open), ("completed", false));
    assert_eq!(run.output.as_ref(), story.run.output.as_deref());
    assert!(run.ended_at.is_some() && run.wake_at.is_none() && run.waits.is_empty());
}

pub(super) async fn a_question_is_open_until_it_is_answered(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let org = OrgId::from(ORG);
    let mut story = Story::new(&review(), 2);
    journal.append(story.start()).await.unwrap();
    assert!(journal.open_checkpoints(&org, None, 50).await.unwrap().is_empty());
    journal.append(story.finish()).await.unwrap();
    let open = journal.open_checkpoints(&org, None, 50).await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].question, "Publish 秋の川?");
    assert_eq!(open[0].roles, ["brand_manager"]);
    assert_eq!(open[0].show["post"]["headline"], "秋の川");
    assert!(open[0].until.is_some() && open[0].answers.is_empty());
    assert!(journal.open_checkpoints(&"org_other".into(), None, 50).await.unwrap().is_empty());

    // It is sent back, made again and asked again: two questions, each with its own voices.
    journal.append(story.answer(Verb::Retry, Some("warmer, please"))).await.unwrap();
    assert!(journal.open_checkpoints(&org, None, 50).await.unwrap().is_empty());
    journal.append(story.finish()).await.unwrap();
    journal.append(story.answer(Verb::Continue, None)).await.unwrap();
    let all = journal.checkpoints_of(&story.id()).await.unwrap();
    let shown: Vec<(&str, Vec<Verb>)> = all
        .iter()
        .map(|asked| (asked.status.as_str(), asked.answers.iter().map(|a| a.verb).collect()))
        .collect();
    assert_eq!(shown, [("retry", vec![Verb::Retry]), ("continue", vec![Verb::Continue])]);
    assert_eq!(all[0].answers[0].comment.as_deref(), Some("warmer, please"));
    assert!(journal.open_checkpoints(&org, None, 50).await.unwrap().is_empty());
}

pub(super) async fn a_withdrawn_question_is_not_shown_as_open(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let org = OrgId::from(ORG);
    let mut cancelled = Story::new(&review(), 3);
    let mut expired = Story::new(&review(), 4);
    for story in [&mut cancelled, &mut expired] {
        journal.append(story.start()).await.unwrap();
        journal.append(story.finish()).await.unwrap();
    }
    assert_eq!(journal.open_checkpoints(&org, None, 50).await.unwrap().len(), 2);
    journal.append(cancelled.cancel()).await.unwrap();
    journal.append(expired.let_time_pass()).await.unwrap();
    assert!(journal.open_checkpoints(&org, None, 50).await.unwrap().is_empty());
    let shown = journal.checkpoints_of(&cancelled.id()).await.unwrap();
    assert_eq!(shown[0].status, "withdrawn");
    let shown = journal.checkpoints_of(&expired.id()).await.unwrap();
    assert_eq!(shown[0].status, "expired");
}

pub(super) async fn runs_are_found_by_what_is_known_of_them(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let mut waiting = Story::new(&review(), 5);
    journal.append(waiting.start()).await.unwrap();
    journal.append(waiting.finish()).await.unwrap();
    let mut running = Story::new(&chain(3), 6);
    journal.append(running.start()).await.unwrap();
    let all = RunFilter { org: Some(ORG.into()), limit: 50, ..RunFilter::default() };
    let find = async |filter: RunFilter| {
        let found = journal.list_runs(&filter).await.unwrap();
        found.into_iter().map(|run| run.id).collect::<Vec<_>>()
    };
    assert_eq!(find(all.clone()).await, [running.id(), waiting.id()], "newest first");
    let statuses = vec!["waiting".to_owned(), "failed".to_owned()];
    assert_eq!(find(RunFilter { statuses, ..all.clone() }).await, [waiting.id()]);
    let slug = Some("chain".to_owned());
    assert_eq!(find(RunFilter { slug, ..all.clone() }).await, [running.id()]);
    let labels = vec![("brand".to_owned(), "kawa".to_owned())];
    assert_eq!(find(RunFilter { labels, ..all.clone() }).await.len(), 2);
    let labels = vec![("brand".to_owned(), "other".to_owned())];
    assert!(find(RunFilter { labels, ..all.clone() }).await.is_empty());
    for (text, count) in [("CAMPAIGN 100%", 2), ("1_0", 0), ("summer", 0)] {
        let filter = RunFilter { text: Some(text.to_owned()), ..all.clone() };
        assert_eq!(find(filter).await.len(), count, "{text}");
    }
    let org = Some("org_other".into());
    assert!(find(RunFilter { org, ..all }).await.is_empty());
    assert!(
        find(RunFilter { limit: 50, ..RunFilter::default() }).await.is_empty(),
        "no org, no runs"
    );
}

pub(super) async fn a_list_goes_on_where_the_page_before_ended(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    for number in 0..7 {
        journal.append(Story::new(&chain(2), number).start()).await.unwrap();
    }
    let mut filter = RunFilter { org: Some(ORG.into()), limit: 3, ..RunFilter::default() };
    let mut seen = Vec::new();
    loop {
        let page = journal.list_runs(&filter).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.after = Some((last.started_at, last.id.clone()));
        seen.extend(page.into_iter().map(|run| run.started_at));
    }
    assert_eq!(seen.len(), 7);
    assert!(seen.is_sorted_by(|a, b| a > b), "each once, newest first");
}

pub(super) async fn a_failed_agent_leaves_a_dead_letter_until_it_is_retried(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let org = OrgId::from(ORG);
    let mut story = Story::new(&review(), 8);
    journal.append(story.start()).await.unwrap();
    journal.append(story.fail(ErrorClass::Validation)).await.unwrap();
    let run = journal.run(&story.id()).await.unwrap().unwrap();
    assert_eq!(run.status, "failed");
    assert_eq!(run.failure.unwrap().code, "model_refused");
    let letters = journal.dead_letters(&LetterFilter::of(&org)).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].agent.as_str(), letters[0].attempts), ("copywriter", 1));
    assert_eq!(letters[0].class, "validation");
    assert!(letters[0].snapshot["input"]["brief"].is_string(), "what it was given is there");

    let step = StepKey::from("draft");
    let retry = showrunner_engine::command::Command::RetryStep {
        step,
        edits: None,
        feedback: None,
        by: owner(),
    };
    journal.append(story.tell(retry)).await.unwrap();
    assert!(journal.dead_letters(&LetterFilter::of(&org)).await.unwrap().is_empty());
    let everything = LetterFilter { with_resolved: true, ..LetterFilter::of(&org) };
    let all = journal.dead_letters(&everything).await.unwrap();
    assert_eq!(all[0].resolution.as_deref(), Some("retried"));
    let note = note_of(&all[0].id, "too late");
    journal.note_dead_letter(&note).await.unwrap();
    let late = journal.dead_letter(&note.letter).await.unwrap().unwrap();
    assert_eq!((late.resolution.as_deref(), late.notes), (Some("retried"), None), "not noted");
    let run = journal.run(&story.id()).await.unwrap().unwrap();
    assert_eq!((run.status.as_str(), run.failure, run.ended_at), ("running", None, None));
}

fn note_of(letter: &str, notes: &str) -> LetterNote {
    let (letter, notes) = (letter.to_owned(), notes.to_owned());
    LetterNote { letter, at: Timestamp(77), by: "user:ann".into(), notes }
}

pub(super) async fn a_dead_letter_is_noted_once_and_stays_noted(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let org = OrgId::from(ORG);
    for number in [8, 9] {
        let mut story = Story::new(&review(), number);
        journal.append(story.start()).await.unwrap();
        journal.append(story.fail(ErrorClass::Validation)).await.unwrap();
    }
    let filter = LetterFilter { limit: 1, ..LetterFilter::of(&org) };
    let first = journal.dead_letters(&filter).await.unwrap().remove(0);
    let after = Some((first.created_at, first.id.clone()));
    let second = journal.dead_letters(&LetterFilter { after, ..filter.clone() }).await.unwrap();
    assert_eq!(second.len(), 1);
    assert_ne!(second[0].id, first.id, "pages do not overlap");

    journal.note_dead_letter(&note_of(&first.id, "done by phone")).await.unwrap();
    journal.note_dead_letter(&note_of(&first.id, "again")).await.unwrap();
    let noted = journal.dead_letter(&first.id).await.unwrap().unwrap();
    assert_eq!(noted.resolution.as_deref(), Some("noted"));
    assert_eq!(noted.resolved_at, Some(Timestamp(77)));
    assert_eq!(
        (noted.noted_by.as_deref(), noted.notes.as_deref()),
        (Some("user:ann"), Some("done by phone"))
    );
    let open = journal.dead_letters(&LetterFilter::of(&org)).await.unwrap();
    assert_eq!(open.iter().map(|letter| &letter.id).collect::<Vec<_>>(), [&second[0].id]);
    let slugs = vec!["somebody-elses".to_owned()];
    let none = LetterFilter { slugs, with_resolved: true, ..LetterFilter::of(&org) };
    assert!(journal.dead_letters(&none).await.unwrap().is_empty());
}

pub(super) async fn home_counts_what_is_there(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let org = OrgId::from(ORG);
    let mut waiting = Story::new(&review(), 1);
    journal.append(waiting.start()).await.unwrap();
    journal.append(waiting.finish()).await.unwrap();
    let mut failed = Story::new(&review(), 2);
    journal.append(failed.start()).await.unwrap();
    journal.append(failed.fail(ErrorClass::Validation)).await.unwrap();
    journal.append(Story::new(&chain(2), 3).start()).await.unwrap();
    let home = journal.home(&org, EPOCH.plus(Millis::from_secs(60))).await.unwrap();
    assert_eq!((home.running, home.waiting, home.checkpoints_open), (1, 1, 1));
    assert_eq!((home.failed_24h, home.completed_24h), (1, 0));
    assert_eq!(home.spent_today, waiting.run.spent.plus(failed.run.spent));
    let next_week = EPOCH.plus(Millis::from_secs(7 * 86_400));
    let home = journal.home(&org, next_week).await.unwrap();
    assert_eq!((home.failed_24h, home.spent_today.is_zero()), (0, true));
}
