//! The built program with live models configured: against fakes that speak the vendors' wire and
//! keep books of their own. What a run says it cost is what was billed; what may have been billed
//! is asked about, and never paid for twice.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "support/support.rs"]
mod support;

use std::time::Duration;

use serde_json::{Value, json};
use showrunner_providers::Profiles;
use showrunner_testkit::vendors::{Billed, Fake, Fault, KEY, Play, Vendor};
use support::client::Client;
use support::load::brand;
use support::server::{Address, Home};
use support::until;

/// A run ends in seconds; a slow machine with other work may take longer.
const PATIENCE: Duration = Duration::from_mins(3);

/// A home whose server calls this fake.
fn home(vendor: Vendor, fake: &Fake) -> Home {
    let (key, base) = match vendor {
        Vendor::Anthropic => ("ANTHROPIC_API_KEY", "SHOWRUNNER_ANTHROPIC_BASE_URL"),
        Vendor::OpenAi => ("OPENAI_API_KEY", "SHOWRUNNER_OPENAI_BASE_URL"),
        Vendor::Google => ("GEMINI_API_KEY", "SHOWRUNNER_GEMINI_BASE_URL"),
    };
    Home::new().with_environment(key, KEY).with_environment(base, &fake.base())
}

/// Asks for a picture; the id of the request, which is its run's.
async fn order(client: &Client) -> String {
    order_of(client, "standard").await
}

/// The same, of a quality.
async fn order_of(client: &Client, tier: &str) -> String {
    let body = json!({
        "brand_id": brand(client).await,
        "title": "Spring tea",
        "request_type": "image",
        "prompt": "A calm morning with green tea, warm light, no people",
        "aspect_ratio": "1:1",
        "provider_tier": tier,
    });
    let answer = client.post_as("one-picture", "/api/v1/requests", &body).await.is(202);
    answer.json()["data"]["id"].as_str().unwrap().to_owned()
}

async fn run_of(client: &Client, id: &str) -> Value {
    client.read(&format!("/api/v1/runs/{id}")).await
}

/// Waits until the run is in this state.
async fn reaches(client: &Client, id: &str, status: &str) -> Value {
    until(&format!("the run to be {status}"), PATIENCE, async || {
        let run = run_of(client, id).await;
        assert!(run["status"] != "failed" || status == "failed", "{run}");
        (run["status"] == status).then_some(run)
    })
    .await
}

/// Approves what waits for a person, when it does.
async fn approve(client: &Client, id: &str) {
    let approval = until("the approval", PATIENCE, async || {
        let open = client.all("/api/v1/approvals").await;
        let run = run_of(client, id).await;
        assert!(run["status"] != "failed", "{run}");
        open.into_iter().find(|approval| approval["run"] == id)
    })
    .await;
    let step = approval["step"].as_str().unwrap();
    let body = json!({ "verb": "continue", "digest": approval["digest"] });
    client.post(&format!("/api/v1/runs/{id}/checkpoints/{step}/answer"), &body).await.is(200);
}

/// What a bill comes to at the shipped prices.
fn cost_of(billed: &[Billed]) -> i64 {
    let shipped = Profiles::shipped();
    let of = |billed: &Billed| {
        let profile = shipped.iter().find(|profile| *profile.model == *billed.model).unwrap();
        let price = profile.price.unwrap();
        let exact = u128::from(billed.input) * u128::from(price.input)
            + u128::from(billed.cached) * u128::from(price.cached_input)
            + u128::from(billed.output) * u128::from(price.output);
        i64::try_from(exact.div_ceil(1_000_000)).unwrap()
    };
    billed.iter().map(of).sum()
}

/// Waits until the run waits because a call of it is in doubt; the step, and its wait.
async fn in_doubt(client: &Client, id: &str) -> (String, Value) {
    until("the doubt", PATIENCE, async || {
        let run = run_of(client, id).await;
        assert!(run["status"] != "failed", "{run}");
        let doubt = run["waits"].as_array().unwrap().iter().find(|wait| wait["for"] == "doubt");
        doubt.map(|wait| (wait["step"].as_str().unwrap().to_owned(), wait.clone()))
    })
    .await
}

async fn picture_by(vendor: Vendor) {
    let fake = Fake::start(vendor).await;
    let home = home(vendor, &fake);
    let (server, address) = home.start().await;
    let client = Client::at(address);
    let system = client.read("/api/v1/system").await;
    assert_eq!(system["mode"], "live", "{system}");

    let id = order(&client).await;
    approve(&client, &id).await;
    let run = reaches(&client, &id, "completed").await;

    let billed = fake.billed();
    assert!(billed.len() >= 3, "{billed:?}");
    assert_eq!(run["cost_micros"].as_i64(), Some(cost_of(&billed)), "{run}");
    let heard = fake.heard();
    assert_eq!(heard.len(), billed.len(), "nothing was asked twice");
    assert_eq!(run["simulated"], false, "{run}");
    server.close();
    assert!(!home.log().contains(KEY), "the key is in no log");
}

#[tokio::test]
async fn a_picture_by_way_of_anthropic_costs_what_anthropic_billed() {
    picture_by(Vendor::Anthropic).await;
}

#[tokio::test]
async fn a_request_says_how_good_a_model_it_is_worth() {
    for (tier, models) in [
        ("economy", ["claude-haiku-4-5"; 3]),
        ("premium", ["claude-sonnet-5-5", "claude-opus-5-5", "claude-sonnet-5-5"]),
    ] {
        let fake = Fake::start(Vendor::Anthropic).await;
        let home = home(Vendor::Anthropic, &fake);
        let (server, address) = home.start().await;
        let client = Client::at(address);
        let id = order_of(&client, tier).await;
        approve(&client, &id).await;
        reaches(&client, &id, "completed").await;
        let asked: Vec<String> = fake.billed().into_iter().map(|billed| billed.model).collect();
        assert_eq!(asked, models, "{tier}");
        server.close();
    }
}

#[tokio::test]
async fn a_picture_by_way_of_openai_costs_what_openai_billed() {
    picture_by(Vendor::OpenAi).await;
}

#[tokio::test]
async fn a_picture_by_way_of_google_costs_what_google_billed() {
    picture_by(Vendor::Google).await;
}

/// Says of a doubt that the call took effect and its answer is lost: it counts as failed, at this
/// price, and the step is tried again.
async fn settle(client: &Client, id: &str, (step, wait): (String, Value), cost_micros: i64) {
    let body = json!({ "verdict": "failed", "cost_micros": cost_micros, "since": wait["since"] });
    client.post(&format!("/api/v1/runs/{id}/steps/{step}/resolve"), &body).await.is(200);
}

#[tokio::test]
async fn a_server_killed_between_a_call_and_its_answer_asks_a_person_and_pays_once() {
    let fake = Fake::start(Vendor::Anthropic).await;
    fake.play(Play::fault(Fault::SilentAfter));
    let home = home(Vendor::Anthropic, &fake);
    let (server, address) = home.start().await;
    let client = Client::at(address);
    let id = order(&client).await;
    fake.has_billed(1).await;
    server.kill();

    let (server, Address { url, token }) = home.start().await;
    client.door.open(Address { url, token });
    let doubt = in_doubt(&client, &id).await;
    assert_eq!(fake.billed().len(), 1, "it was not sent again");
    assert_eq!(run_of(&client, &id).await["status"], "waiting");

    settle(&client, &id, doubt, cost_of(&fake.billed())).await;
    approve(&client, &id).await;
    let run = reaches(&client, &id, "completed").await;
    assert_eq!(run["cost_micros"].as_i64(), Some(cost_of(&fake.billed())));
    server.close();
}

#[tokio::test]
async fn an_answer_that_is_lost_on_the_way_is_in_doubt_and_not_asked_for_again() {
    for fault in [Fault::LostAnswer, Fault::ResetMidBody] {
        let fake = Fake::start(Vendor::OpenAi).await;
        fake.play(Play::fault(fault));
        let home = home(Vendor::OpenAi, &fake);
        let (server, address) = home.start().await;
        let client = Client::at(address);
        let id = order(&client).await;
        let doubt = in_doubt(&client, &id).await;
        assert_eq!(fake.billed().len(), 1, "{fault:?}: it was not sent again");
        settle(&client, &id, doubt, cost_of(&fake.billed())).await;
        approve(&client, &id).await;
        let run = reaches(&client, &id, "completed").await;
        assert_eq!(run["cost_micros"].as_i64(), Some(cost_of(&fake.billed())));
        server.close();
    }
}

#[tokio::test]
async fn a_call_that_left_is_in_doubt_even_when_the_next_server_has_no_key() {
    let fake = Fake::start(Vendor::Anthropic).await;
    fake.play(Play::fault(Fault::SilentAfter));
    let live = home(Vendor::Anthropic, &fake);
    let (server, address) = live.start().await;
    let client = Client::at(address);
    let id = order(&client).await;
    fake.has_billed(1).await;
    server.kill();

    let keyless = Home::over(live.data());
    let (server, address) = keyless.start().await;
    client.door.open(address);
    in_doubt(&client, &id).await;
    server.close();
}

#[tokio::test]
async fn what_was_paid_for_in_vain_is_on_the_bill() {
    let fake = Fake::start(Vendor::OpenAi).await;
    fake.play(Play::fault(Fault::Refusal));
    let home = home(Vendor::OpenAi, &fake);
    let (server, address) = home.start().await;
    let client = Client::at(address);
    let id = order(&client).await;
    let run = until("the end", PATIENCE, async || {
        let run = run_of(&client, &id).await;
        let is_over = run["status"] == "failed" || run["status"] == "waiting";
        (is_over && run["cost_micros"].as_i64() > Some(0)).then_some(run)
    })
    .await;
    assert_eq!(run["cost_micros"].as_i64(), Some(cost_of(&fake.billed())), "{run}");
    server.close();
}
