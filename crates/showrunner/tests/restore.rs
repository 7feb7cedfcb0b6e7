//! Backups made while the server works, what becomes of them elsewhere, and what happens when a
//! byte changes behind our back.
#![expect(clippy::print_stdout, reason = "the counts are part of the result")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "support/support.rs"]
mod support;

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use support::check::hex;
use support::client::Client;
use support::dice::Dice;
use support::load::{brand, place, publish, requests, runs};
use support::server::{Home, Said, program};
use support::until;
use tokio::task::JoinSet;

/// The program with these arguments, without keeping the clients of this test from their work.
async fn run(args: &[&str]) -> Said {
    let mut command = tokio::process::Command::from(program(args));
    Said::from(command.output().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_made_under_load_goes_on_elsewhere() {
    let home = Home::new();
    let (server, address) = home.start().await;
    let client = Client::at(address.clone());
    publish(&client).await;
    let mut orders = requests(&brand(&client).await, 6);
    orders.extend(runs(4));
    orders.retain(|order| order.expected.status() == "completed");
    let mut clients = JoinSet::new();
    for (n, order) in (0..).zip(orders) {
        clients.spawn(place(client.clone(), order, Duration::from_millis(n * 60)));
    }
    // Some are accepted, some even done, others come while the backup is being made.
    let mut before = Vec::new();
    while before.len() < 8 {
        before.push(clients.join_next().await.unwrap().unwrap());
    }
    let kept = home.beside("kept");
    let kept = kept.to_str().unwrap();
    let said =
        run(&["backup", kept, "--json", "--url", &address.url, "--token", &address.token]).await;
    let report = said.ends(0).json();
    assert!(report["runs"].as_u64().unwrap() >= 8, "{report}");
    clients.join_all().await;
    server.kill();

    let elsewhere = Home::over(&home.beside("elsewhere"));
    let data = elsewhere.data().to_str().unwrap().to_owned();
    run(&["restore", kept, "--data-dir", &data]).await.ends(0).tells(&["showrunner serve"]);
    let said = run(&["verify", "--json", "--data-dir", &data]).await;
    assert_eq!(said.ends(0).json()["broken"], json!([]));
    let (server, address) = elsewhere.start().await;
    let client = Client::at(address);
    for work in &before {
        approve_until_over(&client, &work.id).await;
    }
    let restored = client.all("/api/v1/runs").await.len();
    println!(
        "{} runs kept, {restored} there after going on, {} accepted before it began",
        report["runs"],
        before.len()
    );
    for work in before.iter().filter(|work| work.is_request) {
        let request = client.read(&format!("/api/v1/requests/{}", work.id)).await;
        let asset = &request["data"]["assets"][0];
        let picture = client.get(asset["url"].as_str().unwrap()).await.is(200);
        use sha2::Digest as _;
        assert_eq!(asset["sha256"], hex(&sha2::Sha256::digest(&picture.bytes)));
    }
    server.close();
}

/// What was accepted before the backup is in it, and ends.
async fn approve_until_over(client: &Client, id: &str) {
    until("the end of a restored run", Duration::from_secs(40), async || {
        let run = client.read(&format!("/api/v1/runs/{id}")).await;
        for wait in run["waits"].as_array().unwrap() {
            let (what, step) = (wait["for"].as_str().unwrap(), wait["step"].as_str().unwrap());
            let detail = wait["detail"].as_str().unwrap_or_default();
            let (path, body) = match what {
                "person" => (format!("checkpoints/{step}/answer"), json!({ "verb": "continue" })),
                "callback" => (format!("callbacks/{detail}"), json!({})),
                _ => continue,
            };
            client.post(&format!("/api/v1/runs/{id}/{path}"), &body).await;
        }
        (run["status"] == "completed").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_restore_never_mixes_with_what_is_there() {
    let home = Home::new();
    let (server, address) = home.start().await;
    let client = Client::at(address);
    publish(&client).await;
    let kept = home.beside("kept");
    let (kept, data) = (kept.to_str().unwrap(), home.data().to_str().unwrap());
    // The server is found by its data folder.
    run(&["backup", kept, "--data-dir", data]).await.ends(0);
    run(&["backup", kept, "--data-dir", data]).await.ends(1).tells(&["is not empty"]);
    run(&["restore", kept, "--data-dir", data]).await.ends(1).tells(&["is not empty"]);
    assert!(!client.read("/api/v1/definitions").await["data"].as_array().unwrap().is_empty());
    server.close();
    run(&["restore", kept, "--data-dir", data]).await.ends(1).tells(&["is not empty"]);
    run(&["verify", "--data-dir", data]).await.ends(0);
    run(&["restore", kept]).await.ends(2).tells(&["--data-dir"]);
    let nothing = home.beside("nothing");
    run(&["restore", nothing.to_str().unwrap(), "--data-dir", "x"]).await.ends(2);
    let half = home.beside("half");
    std::fs::create_dir_all(&half).unwrap();
    let new = home.beside("new");
    run(&["restore", half.to_str().unwrap(), "--data-dir", new.to_str().unwrap()]).await.ends(1);
}

/// A data folder with finished runs in it and no server; the id of the run that says `word`.
async fn finished(home: &Home, word: &str) -> String {
    let (server, address) = home.start().await;
    let client = Client::at(address);
    publish(&client).await;
    let mut marked = String::new();
    for topic in ["before", word, "after"] {
        let body = json!({ "definition": "proof-chain", "input": { "topic": topic } });
        let id = client.post("/api/v1/runs", &body).await.is(202).json()["run"]["id"].clone();
        let id = id.as_str().unwrap().to_owned();
        until("the run's end", Duration::from_secs(20), async || {
            let run = client.read(&format!("/api/v1/runs/{id}")).await;
            (run["status"] == "completed").then_some(())
        })
        .await;
        if topic == word {
            marked = id;
        }
    }
    server.close();
    marked
}

#[tokio::test]
async fn a_byte_changed_in_an_event_is_found_and_its_place_is_named() {
    let home = Home::new();
    let word = "quittance";
    let id = finished(&home, word).await;
    let data = home.data().to_str().unwrap();
    let verify = ["verify", "--json", "--data-dir", data];
    let clean = run(&verify).await;
    let clean = clean.ends(0).json();
    assert!(clean["runs"] == 3 && clean["broken"] == json!([]), "{clean}");

    let file = home.data().join("showrunner.db");
    let log = std::fs::metadata(home.data().join("showrunner.db-wal"));
    assert!(log.map_or(0, |log| log.len()) == 0, "a server that ended well leaves one file");
    let mut bytes = std::fs::read(&file).unwrap();
    let places: Vec<usize> = places_of(&bytes, br#""topic":"quittance""#);
    assert!(!places.is_empty(), "the input is in the journal");
    for place in places {
        bytes[place + 9] = b'Q';
    }
    std::fs::write(&file, bytes).unwrap();
    let said = run(&verify).await;
    let report = said.ends(1).json();
    let broken = &report["broken"][0];
    assert_eq!((&broken["run"], &broken["seq"]), (&json!(id), &json!(1)), "{report}");
    said.tells(&[&id, "event 1", "restore"]);
}

#[tokio::test]
async fn a_flipped_bit_anywhere_is_found_or_changes_nothing() {
    let home = Home::new();
    finished(&home, "anything").await;
    let whole = std::fs::read(home.data().join("showrunner.db")).unwrap();
    let events = events_of(home.data(), &home.beside("whole")).await;
    let events = events.expect("an untouched database can be backed up");
    let (mut dice, mut found, mut harmless) = (Dice::new(5), 0, 0);
    for n in 0..16 {
        let folder = home.beside(&format!("flipped-{n}"));
        std::fs::create_dir_all(&folder).unwrap();
        let mut bytes = whole.clone();
        let at = usize::try_from(dice.between(0, whole.len() as u64 - 1)).unwrap();
        bytes[at] ^= 1 << dice.between(0, 7);
        std::fs::write(folder.join("showrunner.db"), bytes).unwrap();
        let said = run(&["verify", "--data-dir", folder.to_str().unwrap()]).await;
        match said.code {
            0 => {
                // Nobody minds: then what happened must read as it did before.
                let now = events_of(&folder, &home.beside(&format!("kept-{n}"))).await;
                assert!(now.is_none_or(|now| now == events), "byte {at}: other events, unnoticed");
                harmless += 1;
            },
            1 => found += 1,
            code => panic!("byte {at}: verify ended with {code}: {said:?}"),
        }
    }
    println!("16 bits flipped: {found} found, {harmless} harmless");
}

/// The journal's events as a backup writes them; `None` when it refuses.
async fn events_of(data: &Path, to: &Path) -> Option<String> {
    let said = run(&["backup", to.to_str().unwrap(), "--data-dir", data.to_str().unwrap()]).await;
    assert!([0, 1].contains(&said.code), "{said:?}");
    (said.code == 0).then(|| std::fs::read_to_string(to.join("journal.jsonl")).unwrap())
}

fn places_of(bytes: &[u8], what: &[u8]) -> Vec<usize> {
    let is_there = |at: &usize| bytes[*at..].starts_with(what);
    (0..bytes.len() - what.len()).filter(is_there).collect()
}
