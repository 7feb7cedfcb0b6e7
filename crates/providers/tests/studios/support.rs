//! A driver, its vendor's fake, and orders to give.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use showrunner_engine::at::Timestamp;
use showrunner_providers::egress::{Egress, Rules};
use showrunner_providers::pace::JumpingClock;
use showrunner_providers::wire::media::{
    Access, ElevenLabs, Fal, FalModels, OpenAiImages, Outside,
};
use showrunner_providers::{
    Http, HttpOptions, MediaKind, MediaProvider, MediaRequest, SecretString, Submitted,
};
use showrunner_testkit::vendors::{KEY, Studio, StudioFake};

/// Nothing here takes a second, on however slow a machine; what takes this long hangs.
const HANGS: Duration = Duration::from_mins(2);
/// 2026-11-20 12:00:00 UTC.
const NOW: Timestamp = Timestamp(1_795_176_000_000_000);

/// Limits with which a silence is soon a silence.
pub(crate) fn impatient() -> HttpOptions {
    HttpOptions {
        connect_timeout: Duration::from_secs(20),
        idle_timeout: Duration::from_secs(20),
        total_timeout: Duration::from_mins(1),
        roots_pem: Some(Vec::new()),
        ..HttpOptions::default()
    }
}

/// A driver of this fake; results are fetched from hosts that these rules allow.
pub(crate) fn driver_with(
    studio: Studio,
    fake: &StudioFake,
    options: HttpOptions,
    rules: Rules,
) -> Box<dyn MediaProvider> {
    let outside = Outside {
        http: Http::new(options).unwrap(),
        egress: Egress::new(rules),
        clock: Arc::new(JumpingClock::at(NOW)),
    };
    let base = fake.base();
    let access = Access { base: Some(&base), key: SecretString::from(KEY) };
    match studio {
        Studio::Fal => Box::new(Fal::new(access, FalModels::default(), &outside).unwrap()),
        Studio::ElevenLabs => Box::new(ElevenLabs::new(access, &outside).unwrap()),
        Studio::OpenAi => Box::new(OpenAiImages::new(access, "gpt-image-1.5", &outside).unwrap()),
    }
}

/// The host of the fake is allowed.
pub(crate) fn trusting(fake: &StudioFake) -> Rules {
    Rules { allow: vec![fake.host().parse().unwrap()], ..Rules::default() }
}

pub(crate) fn driver(studio: Studio, fake: &StudioFake) -> Box<dyn MediaProvider> {
    driver_with(studio, fake, impatient(), trusting(fake))
}

pub(crate) fn order(kind: MediaKind, spec: Value) -> MediaRequest {
    MediaRequest {
        key: "run_1/tok_1/0".into(),
        run: "run_1".into(),
        step: "producer".into(),
        agent: "producer".into(),
        kind,
        spec,
    }
}

/// A picture as content requests order it.
pub(crate) fn picture() -> MediaRequest {
    let spec = json!({
        "kind": "image", "prompt": "green tea at dawn", "style": "film photo",
        "palette": ["#6b8e23"], "aspect_ratio": "2:3", "variation": 0,
    });
    order(MediaKind::Image, spec)
}

/// A sentence to be spoken.
pub(crate) fn spoken() -> MediaRequest {
    order(MediaKind::Voice, json!({ "kind": "voice", "text": "春の新茶、どうぞ。" }))
}

/// What this vendor is asked for.
pub(crate) fn usual(studio: Studio) -> MediaRequest {
    if studio == Studio::ElevenLabs { spoken() } else { picture() }
}

/// Waits, but not for ever.
pub(crate) async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANGS, work).await.unwrap_or_else(|_| panic!("{what} hangs"))
}

/// The id of a job that was taken.
pub(crate) fn job(submitted: Submitted) -> String {
    match submitted {
        Submitted::Accepted { job_id } => job_id,
        Submitted::Done(done) => panic!("it was done at once: {done:?}"),
    }
}
