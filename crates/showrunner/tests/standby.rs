//! Two processes on one database: the second waits, and takes over when the first is gone. Who
//! was the owner and does not know that it is over writes nothing any more.
#![expect(clippy::print_stdout, reason = "the times are part of the result")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "support/support.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use showrunner_testkit::throwaway_postgres::ThrowawayPostgres;
use support::check::examine;
use support::client::Client;
use support::load::{Accepted, place, publish, runs};
use support::people::look_after;
use support::server::{Address, Home, Server};
use support::until;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// A standby answers within so much of the owner's death.
const TAKE_OVER_MAX: Duration = Duration::from_secs(5);
/// How long it is watched that a standby keeps waiting.
const WATCHED: Duration = Duration::from_millis(1_500);

/// Work that is under way, accepted by the owner.
async fn work(client: &Client) -> Vec<Accepted> {
    publish(client).await;
    let mut clients = JoinSet::new();
    for order in runs(2) {
        clients.spawn(place(client.clone(), order, Duration::ZERO));
    }
    clients.join_all().await
}

/// A standby is there, and answers nobody.
async fn keeps_waiting(standby: &mut Server) {
    let began = Instant::now();
    while began.elapsed() < WATCHED {
        assert_eq!(standby.address(), None, "there is an owner");
        assert!(!standby.has_ended());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The standby's address, within the time for it.
async fn takes_over(standby: &mut Server, since: Instant) -> Address {
    let address = standby.ready().await;
    let took = since.elapsed();
    println!("took over after {took:.0?}");
    assert!(took < TAKE_OVER_MAX, "{took:?}");
    address
}

/// All that was accepted ends well under the new owner, and is paid once.
async fn ends_well(home: &Home, client: &Client, accepted: &[Accepted]) {
    let is_over = Arc::new(AtomicBool::new(false));
    let people =
        tokio::spawn(look_after(client.clone(), home.data().to_owned(), Arc::clone(&is_over)));
    until("the end of all runs", Duration::from_secs(40), async || {
        let rows = client.all("/api/v1/runs").await;
        let is_open = |row: &&serde_json::Value| row["ended_at"].is_null();
        rows.iter().find(is_open).is_none().then_some(())
    })
    .await;
    is_over.store(true, Ordering::Relaxed);
    let deeds = people.await.unwrap();
    let verdict = examine(client, home.data(), accepted, (&deeds, &[])).await;
    println!("{} runs, {} events, lost {}", verdict.runs, verdict.events, verdict.lost);
    verdict.must_be_clean();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_on_the_same_folder_takes_over_when_the_owner_is_killed() {
    let home = Home::new();
    let (owner, address) = home.start().await;
    let client = Client::at(address.clone());
    let accepted = work(&client).await;
    let mut standby = home.spawn_as("standby");
    keeps_waiting(&mut standby).await;
    // Standing still is not being gone: the file is still locked by whoever stands still.
    owner.stop();
    keeps_waiting(&mut standby).await;
    owner.go_on();
    client.read("/api/v1/system").await;
    let died = Instant::now();
    owner.kill();
    let new = takes_over(&mut standby, died).await;
    assert_eq!(new.token, address.token, "clients keep their token");
    client.door.open(new);
    assert_eq!(client.read("/readyz").await["role"], "owner");
    ends_well(&home, &client, &accepted).await;
    standby.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_leaves_at_once_when_it_is_told_to() {
    let home = Home::new();
    let (owner, _) = home.start().await;
    let mut standby = home.spawn_as("standby");
    keeps_waiting(&mut standby).await;
    standby.close();
    owner.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_on_the_same_postgres_takes_over_when_the_owner_is_killed() {
    let Some(cluster) = ThrowawayPostgres::start_or_skip("a standby on Postgres") else { return };
    let url = cluster.fresh_database("showrunner_standby").await.unwrap();
    let home = Home::new().with(&["--database-url", &url]);
    let (owner, address) = home.start().await;
    let client = Client::at(address);
    let accepted = work(&client).await;
    let mut standby = home.spawn_as("standby");
    keeps_waiting(&mut standby).await;
    let died = Instant::now();
    owner.kill();
    client.door.open(takes_over(&mut standby, died).await);
    ends_well(&home, &client, &accepted).await;
    standby.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_former_owner_that_wakes_up_writes_nothing() {
    let Some(cluster) = ThrowawayPostgres::start_or_skip("fencing on Postgres") else { return };
    let url = cluster.fresh_database("showrunner_fenced").await.unwrap();
    let home = Home::new().with(&["--database-url", &url]);
    let (mut owner, old) = home.start().await;
    let client = Client::at(old.clone());
    let accepted = work(&client).await;
    let mut standby = home.spawn_as("standby");
    keeps_waiting(&mut standby).await;
    // It stands still, and its line to the database is cut, as by a network that gave it up.
    owner.stop();
    let cut = Instant::now();
    assert!(cluster.cut_off_owner(&url).await.unwrap() > 0);
    let new = takes_over(&mut standby, cut).await;
    client.door.open(new);
    owner.go_on();
    let late = Client::at(old);
    let input = json!({ "topic": "evening" });
    let body = json!({ "definition": "proof-chain", "input": input, "title": "too late" });
    let answer = late.once(Method::POST, "/api/v1/runs", (Some(&body), Some("too-late"))).await;
    let is_refused = answer.as_ref().is_none_or(|answer| answer.status == 503);
    assert!(is_refused, "{answer:?}");
    let code = owner.ended(Duration::from_secs(20)).await;
    assert_eq!(code, Some(1), "it ends by itself, and says that something was wrong");
    ends_well(&home, &client, &accepted).await;
    let rows = client.all("/api/v1/runs").await;
    assert!(rows.iter().all(|row| row["title"] != "too late"), "nothing of it was written");
    standby.close();
}
