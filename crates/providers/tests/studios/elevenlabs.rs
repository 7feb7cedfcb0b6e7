//! ElevenLabs: what is said, what comes back, what it costs.

use serde_json::json;
use showrunner_engine::money::MicroUsd;
use showrunner_providers::{CallSafety, MediaKind, MediaResult, Mode, Outcome, Submitted};
use showrunner_testkit::vendors::{Studio, StudioFake};

use super::support::*;

#[tokio::test]
async fn a_voice_comes_at_once_and_costs_by_the_character() {
    let fake = StudioFake::start(Studio::ElevenLabs).await;
    let driver = driver(Studio::ElevenLabs, &fake);
    assert_eq!((driver.name(), driver.mode()), ("elevenlabs", Mode::Live));
    assert_eq!(driver.safety(), CallSafety::Neither);
    let request = spoken();
    let Submitted::Done(done) = driver.submit(&request).await.unwrap() else { panic!("a job") };
    let MediaResult::Bytes { mime, bytes } = &done.result else { panic!("no file") };
    assert_eq!((mime.as_str(), bytes.len()), ("audio/mpeg", 834));
    assert_eq!((done.cost, done.simulated), (MicroUsd(9 * 100), false));
    assert_eq!(driver.ceiling(&request).unwrap().cost, done.cost);
    let ordered = fake.ordered();
    assert_eq!(ordered[0].model, "eleven_multilingual_v2");
    assert_eq!(ordered[0].input["text"], "春の新茶、どうぞ。");
}

#[tokio::test]
async fn it_only_speaks() {
    let fake = StudioFake::start(Studio::ElevenLabs).await;
    let driver = driver(Studio::ElevenLabs, &fake);
    let picture = picture();
    assert!(!driver.takes(picture.kind, &picture.spec));
    assert_eq!(driver.submit(&picture).await.unwrap_err().outcome, Outcome::NotSent);
    let silent = order(MediaKind::Voice, json!({ "text": "" }));
    assert_eq!(driver.submit(&silent).await.unwrap_err().outcome, Outcome::NotSent);
    assert!(fake.heard().is_empty());
}
