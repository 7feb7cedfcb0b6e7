//! What is asked arrives, what is answered is read, and what it costs is what was billed.

use serde_json::json;
use showrunner_engine::schema::Schema;
use showrunner_engine::turn::Answer;
use showrunner_providers::{CallSafety, Mode, ModelProvider, Structured};
use showrunner_testkit::vendors::{Fake, Play, Vendor};

use super::support::*;

#[tokio::test]
async fn a_structured_answer_fits_its_schema_and_costs_what_was_billed() {
    for vendor in Vendor::ALL {
        let fake = Fake::start(vendor).await;
        let driver = driver_of(vendor, &fake);
        for structured in [Structured::Schema, Structured::Tool] {
            let mut profile = profile(usual_model(vendor));
            profile.structured = structured;
            if vendor == Vendor::OpenAi {
                // Tools are taken only without thinking.
                profile.effort = Some("none".into());
            }
            let request = request(profile.clone(), Some(brief()));
            let (answered, heard) = call(&driver, &request).await;
            let answered = answered.unwrap_or_else(|failure| panic!("{vendor:?}: {failure}"));
            let output = output(&answered);
            assert!(Schema::compile(brief()).unwrap().accepts(output), "{vendor:?}: {output}");
            assert_eq!(heard.whole(), output.to_string(), "{vendor:?} {structured:?}");
            assert!(vendor == Vendor::Google || heard.count() > 2, "{vendor:?} {structured:?}");
            let billed = fake.billed();
            let last = billed.last().unwrap();
            let usage = answered.usage;
            assert_eq!(
                (usage.input_tokens, usage.cached_tokens, usage.output_tokens),
                (last.input, last.cached, last.output),
                "{vendor:?}"
            );
            assert!(last.cached > 0);
            assert_eq!(answered.cost.0, cost_of(std::slice::from_ref(last), &profile));
            assert!(answered.cost <= driver.ceiling(&request).unwrap().cost);
            assert!(!answered.simulated && !answered.estimated);
            assert_eq!(*answered.model, *profile.model);
        }
        assert_eq!(fake.billed().len(), 2, "{vendor:?}");
    }
}

#[tokio::test]
async fn every_shipped_model_is_asked_as_its_vendor_takes_it() {
    let shipped = showrunner_providers::Profiles::shipped();
    for vendor in Vendor::ALL {
        let fake = Fake::start(vendor).await;
        let driver = driver_of(vendor, &fake);
        let name = format!("{vendor:?}").to_lowercase();
        let ours = shipped.iter().filter(|profile| profile.provider == name);
        let mut count = 0;
        for profile in ours {
            let request = request((**profile).clone(), Some(brief()));
            let (answered, _) = call(&driver, &request).await;
            let answered = answered.unwrap_or_else(|failure| panic!("{}: {failure}", profile.name));
            assert!(answered.cost.0 > 0, "{}", profile.name);
            count += 1;
        }
        assert!(count >= 3, "{vendor:?} has {count} models");
    }
}

#[tokio::test]
async fn plain_words_are_streamed_piece_by_piece() {
    for vendor in Vendor::ALL {
        let fake = Fake::start(vendor).await;
        let driver = driver_of(vendor, &fake);
        let words = "春はあけぼの。Spring, at dawn.";
        fake.play(Play::say(words));
        let request = request(profile(usual_model(vendor)), None);
        let (answered, heard) = call(&driver, &request).await;
        let Answer::Text(text) = answered.unwrap().answer else { panic!("{vendor:?}") };
        assert_eq!(text, words, "{vendor:?}");
        assert_eq!(heard.whole(), text, "{vendor:?}");
        assert!(heard.count() > 2, "{vendor:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_object_is_taken_out_of_the_one_it_travels_in() {
    let list = json!({ "type": "array", "minItems": 2, "items": { "type": "string" } });
    for vendor in Vendor::ALL {
        let fake = Fake::start(vendor).await;
        let driver = driver_of(vendor, &fake);
        let request = request(profile(usual_model(vendor)), Some(list.clone()));
        let (answered, heard) = call(&driver, &request).await;
        let answered = answered.unwrap();
        let items = output(&answered).as_array().unwrap().len();
        assert!(items >= 1, "{vendor:?}");
        assert_eq!(heard.whole(), output(&answered).to_string(), "{vendor:?}");
    }
}

#[tokio::test]
async fn a_server_of_ones_own_costs_nothing_and_may_be_asked_again() {
    let fake = Fake::start(Vendor::OpenAi).await;
    let key = secrecy::SecretString::from(showrunner_testkit::vendors::KEY);
    let endpoint = showrunner_providers::Endpoint::new(
        "local",
        showrunner_providers::Wire::OpenAi,
        &fake.base(),
        Some(key),
    );
    let clock = std::sync::Arc::new(showrunner_providers::pace::JumpingClock::at(NOW));
    let http = showrunner_providers::Http::new(impatient()).unwrap();
    let driver = showrunner_providers::LiveModel::new(endpoint.unwrap().free(), http, clock);
    let mut profile = profile("gpt-6-luna");
    (profile.model, profile.structured) = ("qwen3:8b".into(), Structured::Words);
    assert_eq!((driver.mode(), driver.safety()), (Mode::Local, CallSafety::Idempotent));
    fake.play(Play::say("{\"headline\":\"h\",\"score\":1,\"valid\":true}"));
    let request = request(profile, Some(brief()));
    let answered = answer(&driver, &request).await;
    assert_eq!(output(&answered)["headline"], "h");
    assert_eq!((answered.cost.0, driver.ceiling(&request).unwrap().cost.0), (0, 0));
    let heard = fake.heard();
    assert_eq!(heard[0]["max_tokens"], json!(900));
    assert!(heard[0]["messages"][0]["content"].as_str().unwrap().contains("JSON Schema"));
}
