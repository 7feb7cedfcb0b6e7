//! The built program with a live vendor of pictures: against a fake that speaks its wire and keeps
//! books of its own. A picture is ordered once, whatever happens to the server; a vendor that
//! cannot is replaced by what is here.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "support/support.rs"]
mod support;

use std::time::Duration;

use serde_json::{Value, json};
use showrunner_testkit::vendors::{Fault, KEY, Step, Studio, StudioFake};
use support::client::Client;
use support::load::brand;
use support::server::{Address, Home};
use support::until;

/// A run ends in seconds; a slow machine with other work may take longer.
const PATIENCE: Duration = Duration::from_mins(3);

/// A home whose server orders from this fake, and may fetch its files.
fn home(fake: &StudioFake) -> Home {
    Home::new()
        .with_environment("FAL_KEY", KEY)
        .with_environment("SHOWRUNNER_FAL_BASE_URL", fake.url())
        .with_environment("SHOWRUNNER_EGRESS_ALLOW", fake.host())
}

/// Asks for a picture that nobody has to approve; the id of its run.
async fn order(client: &Client, preferred: &str) -> String {
    let body = json!({
        "brand_id": brand(client).await,
        "title": "Spring tea",
        "request_type": "image",
        "prompt": "A calm morning with green tea, warm light, no people",
        "aspect_ratio": "1:1",
        "preferred_provider": preferred,
        "auto_approve": true,
    });
    let answer = client.post_as("one-picture", "/api/v1/requests", &body).await.is(202);
    let data = &answer.json()["data"];
    assert!(data.get("without_effect").is_none(), "{data}");
    data["id"].as_str().unwrap().to_owned()
}

async fn run_of(client: &Client, id: &str) -> Value {
    client.read(&format!("/api/v1/runs/{id}")).await
}

async fn completed(client: &Client, id: &str) -> Value {
    until("the run to be completed", PATIENCE, async || {
        let run = run_of(client, id).await;
        assert!(run["status"] != "failed", "{run}");
        (run["status"] == "completed").then_some(run)
    })
    .await
}

/// The step that makes the picture.
async fn producer(client: &Client, id: &str) -> Value {
    client.read(&format!("/api/v1/runs/{id}/steps/producer")).await
}

/// Who made the picture.
async fn maker(client: &Client, id: &str) -> Value {
    producer(client, id).await["output"]["provider"].clone()
}

#[tokio::test]
async fn a_picture_is_ordered_from_fal_once_and_costs_what_fal_takes() {
    let fake = StudioFake::start(Studio::Fal).await;
    let home = home(&fake);
    let (server, address) = home.start().await;
    let client = Client::at(address);
    let listed = client.read("/api/v1/providers").await;
    let list = listed.as_array().or_else(|| listed["data"].as_array());
    let fal = list.unwrap().iter().find(|provider| provider["name"] == "fal").unwrap();
    assert_eq!(fal["mode"], "live", "{listed}");

    let id = order(&client, "stable_diffusion").await;
    let run = completed(&client, &id).await;
    assert_eq!(maker(&client, &id).await, "fal", "{run}");
    assert_eq!(fake.ordered().len(), 1);
    let step = producer(&client, &id).await;
    assert_eq!(step["cost_micros"], 25_000, "{step}");
    server.close();
    assert!(!home.log().contains(KEY), "the key is in no log");
}

#[tokio::test]
async fn what_fal_refuses_is_made_here() {
    let fake = StudioFake::start(Studio::Fal).await;
    fake.always(Step::Submit, Fault::Forbidden);
    let home = home(&fake);
    let (server, address) = home.start().await;
    let client = Client::at(address);
    let id = order(&client, "fal").await;
    let run = completed(&client, &id).await;
    assert_eq!(maker(&client, &id).await, "local", "{run}");
    assert_eq!((fake.heard(), fake.ordered().len()), (vec![Step::Submit], 0), "asked only once");
    server.close();
}

#[tokio::test]
async fn a_server_killed_between_an_order_and_its_answer_asks_a_person_and_pays_once() {
    let fake = StudioFake::start(Studio::Fal).await;
    fake.play(Step::Submit, Fault::SilentAfter);
    let home = home(&fake);
    let (server, address) = home.start().await;
    let client = Client::at(address);
    let id = order(&client, "fal").await;
    fake.has_taken(1).await;
    server.kill();

    let (server, Address { url, token }) = home.start().await;
    client.door.open(Address { url, token });
    let wait = until("the doubt", PATIENCE, async || {
        let run = run_of(&client, &id).await;
        assert!(run["status"] != "failed", "{run}");
        let doubt = run["waits"].as_array().unwrap().iter().find(|wait| wait["for"] == "doubt");
        doubt.cloned()
    })
    .await;
    assert_eq!(wait["step"], "producer", "{wait}");
    assert_eq!(fake.ordered().len(), 1, "it was not sent again");
    server.close();
}

#[tokio::test]
async fn a_server_killed_while_fal_works_takes_the_job_up_and_pays_once() {
    let fake = StudioFake::start(Studio::Fal).await;
    fake.takes(u32::MAX);
    let home = home(&fake);
    let (server, address) = home.start().await;
    let client = Client::at(address);
    let id = order(&client, "fal").await;
    until("fal to be asked how far it is", PATIENCE, async || {
        fake.heard().contains(&Step::Status).then_some(())
    })
    .await;
    server.kill();

    fake.takes(0);
    let (server, Address { url, token }) = home.start().await;
    client.door.open(Address { url, token });
    completed(&client, &id).await;
    assert_eq!(maker(&client, &id).await, "fal");
    assert_eq!(fake.ordered().len(), 1);
    server.close();
}
