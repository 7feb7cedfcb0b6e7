//! OpenAI images: what is asked, what comes back, what it costs.

use serde_json::json;
use showrunner_engine::money::MicroUsd;
use showrunner_providers::{CallSafety, LookUp, MediaKind, MediaResult, Mode, Outcome, Submitted};
use showrunner_testkit::vendors::{Studio, StudioFake};

use super::support::*;

#[tokio::test]
async fn a_picture_comes_at_once_and_costs_what_its_tokens_cost() {
    let fake = StudioFake::start(Studio::OpenAi).await;
    let driver = driver(Studio::OpenAi, &fake);
    assert_eq!((driver.name(), driver.mode()), ("openai", Mode::Live));
    assert_eq!(driver.safety(), CallSafety::Neither);
    let request = picture();
    let Submitted::Done(done) = driver.submit(&request).await.unwrap() else { panic!("a job") };
    let MediaResult::Bytes { mime, bytes } = &done.result else { panic!("no file") };
    assert_eq!((mime.as_str(), &bytes[..4]), ("image/png", &b"\x89PNG"[..]));
    assert_eq!(bytes[16..24], [0, 0, 4, 0, 0, 0, 6, 0], "1024 x 1536");
    // 52 bytes of prompt are 13 tokens at 5 $, 1 584 tokens at 32 $ a million.
    let prompt = fake.ordered()[0].input["prompt"].as_str().unwrap().len();
    assert_eq!(prompt.div_ceil(4), 13);
    assert_eq!((done.cost, done.simulated), (MicroUsd(13 * 5 + 1_584 * 32), false));
    assert!(driver.ceiling(&request).unwrap().cost >= done.cost);
    assert_eq!(fake.ordered()[0].model, "gpt-image-1.5");
    assert_eq!(driver.look_up(&request.key).await.unwrap(), LookUp::CannotSay);
    driver.poll("job").await.unwrap_err();
}

#[tokio::test]
async fn a_format_it_has_no_size_for_is_not_sent() {
    let fake = StudioFake::start(Studio::OpenAi).await;
    let driver = driver(Studio::OpenAi, &fake);
    let wide = order(MediaKind::Image, json!({ "prompt": "tea", "aspect_ratio": "16:9" }));
    assert!(!driver.takes(wide.kind, &wide.spec));
    assert_eq!(driver.submit(&wide).await.unwrap_err().outcome, Outcome::NotSent);
    let film = order(MediaKind::Video, json!({ "prompt": "tea" }));
    assert_eq!(driver.submit(&film).await.unwrap_err().outcome, Outcome::NotSent);
    assert!(fake.heard().is_empty());
}
