//! fal: what is asked, what comes back, what it costs.

use serde_json::{Value, json};
use showrunner_engine::money::MicroUsd;
use showrunner_providers::egress::Rules;
use showrunner_providers::{
    CallSafety, LookUp, MediaKind, MediaResult, MediaStatus, Mode, Outcome,
};
use showrunner_testkit::vendors::{Step, Studio, StudioFake};

use super::support::*;

fn film(spec: Value) -> showrunner_providers::MediaRequest {
    order(MediaKind::Video, spec)
}

#[tokio::test]
async fn a_picture_is_ordered_awaited_and_fetched() {
    let fake = StudioFake::start(Studio::Fal).await;
    fake.takes(2);
    let driver = driver(Studio::Fal, &fake);
    assert_eq!((driver.name(), driver.mode()), ("fal", Mode::Live));
    assert_eq!(driver.safety(), CallSafety::Neither);
    let request = picture();
    let id = job(driver.submit(&request).await.unwrap());
    for _ in 0..2 {
        let status = driver.poll(&id).await.unwrap();
        assert_eq!(status, MediaStatus::Working { progress_permille: None });
    }
    let MediaStatus::Done(done) = driver.poll(&id).await.unwrap() else { panic!("not done") };
    let MediaResult::Bytes { mime, bytes } = &done.result else { panic!("no file") };
    assert_eq!((mime.as_str(), &bytes[..4]), ("image/png", &b"\x89PNG"[..]));
    assert_eq!(bytes[16..24], [0, 0, 3, 32, 0, 0, 4, 176], "800 x 1200");
    assert_eq!((done.cost, done.simulated), (MicroUsd(25_000), false));
    assert_eq!(driver.ceiling(&request).unwrap().cost, done.cost);
    let ordered = fake.ordered();
    assert_eq!((ordered.len(), ordered[0].model.as_str()), (1, "fal-ai/flux/dev"));
    assert_eq!(
        ordered[0].input["prompt"],
        "green tea at dawn\nStyle: film photo\nColours: #6b8e23"
    );
    assert_eq!(driver.look_up(&request.key).await.unwrap(), LookUp::CannotSay);
}

#[tokio::test]
async fn a_film_is_found_by_its_id_alone() {
    let fake = StudioFake::start(Studio::Fal).await;
    let spec = json!({ "prompt": "steam over a cup", "aspect_ratio": "9:16" });
    let id = job(driver(Studio::Fal, &fake).submit(&film(spec)).await.unwrap());
    // Another process, which knows no more than what is in the journal.
    let status = driver(Studio::Fal, &fake).poll(&id).await.unwrap();
    let MediaStatus::Done(done) = status else { panic!("{status:?}") };
    let MediaResult::Bytes { mime, .. } = &done.result else { panic!("no file") };
    assert_eq!((mime.as_str(), done.cost), ("video/mp4", MicroUsd(200_000)));
    let ordered = &fake.ordered()[0];
    assert_eq!(ordered.model, "fal-ai/pika/v2.2/text-to-video");
    assert_eq!(ordered.input["aspect_ratio"], "9:16");
}

#[tokio::test]
async fn what_it_cannot_make_is_not_sent() {
    let fake = StudioFake::start(Studio::Fal).await;
    let driver = driver(Studio::Fal, &fake);
    let spoken = film(json!({ "prompt": "tea", "with_voice": true }));
    assert!(driver.makes(MediaKind::Video) && !driver.makes(MediaKind::Voice));
    assert!(!driver.takes(spoken.kind, &spoken.spec));
    let failure = driver.submit(&spoken).await.unwrap_err();
    assert_eq!(failure.outcome, Outcome::NotSent, "{failure}");
    assert!(fake.heard().is_empty());
}

#[tokio::test]
async fn what_waits_is_stopped_for_nothing_and_what_runs_at_its_price() {
    for (questions, cost) in [(0, 0), (1, 25_000)] {
        let fake = StudioFake::start(Studio::Fal).await;
        fake.takes(9);
        let driver = driver(Studio::Fal, &fake);
        let id = job(driver.submit(&picture()).await.unwrap());
        for _ in 0..questions {
            driver.poll(&id).await.unwrap();
        }
        assert_eq!(driver.cancel(&id).await.unwrap(), MicroUsd(cost), "{questions}");
        assert!(fake.ordered()[0].is_cancelled);
    }
}

#[tokio::test]
async fn what_is_done_is_not_stopped_and_a_stranger_is_unknown() {
    let fake = StudioFake::start(Studio::Fal).await;
    let driver = driver(Studio::Fal, &fake);
    let id = job(driver.submit(&picture()).await.unwrap());
    let failure = driver.cancel(&id).await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.outcome), ("already_completed", Outcome::Refused));
    for failure in
        [driver.poll("nobody").await.unwrap_err(), driver.cancel("nobody").await.unwrap_err()]
    {
        assert_eq!(failure.outcome, Outcome::Refused, "{failure}");
    }
}

#[tokio::test]
async fn a_result_is_fetched_through_the_guard() {
    let fake = StudioFake::start(Studio::Fal).await;
    let driver = driver_with(Studio::Fal, &fake, impatient(), Rules::default());
    let id = job(driver.submit(&picture()).await.unwrap());
    let status = driver.poll(&id).await.unwrap();
    let MediaStatus::Failed(failure) = status else { panic!("{status:?}") };
    assert_eq!((failure.code.as_str(), failure.outcome), ("output_refused", Outcome::Done));
    assert!(!fake.heard().contains(&Step::File));
}
