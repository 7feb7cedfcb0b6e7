//! The disk is full: what cannot be stored is refused and has not happened, reading goes on, and
//! when there is space again everything goes on by itself.
#![expect(clippy::print_stdout, reason = "the counts are part of the result")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "support/support.rs"]
mod support;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use support::check::examine;
use support::client::Client;
use support::load::{Accepted, Expected, publish};
use support::people::look_after;
use support::server::{Home, Server};
use support::until;

/// How large the small disk is.
const DISK: &str = "24m";

/// Whether this machine lets us mount a disk that only our own processes see: as root, or as
/// somebody who is root in a world of his own.
fn way_to_mount() -> Option<Vec<&'static str>> {
    let ways = [vec!["--mount"], vec!["--user", "--map-root-user", "--mount"]];
    ways.into_iter().find(|way| {
        let mut command = Command::new("unshare");
        command.args(way).args(["mount", "-t", "tmpfs", "-o", "size=1m", "none", "/mnt"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}

/// A server whose data are on a small disk of its own, seen through its process.
struct Small {
    server: Server,
    data: PathBuf,
}

impl Small {
    /// The simulator's books are somebody else's: they are on another disk.
    fn spawn(home: &Home, way: &[&str]) -> Self {
        let (mine, books) = (home.data().to_owned(), home.beside("books"));
        std::fs::create_dir_all(&mine).unwrap();
        std::fs::create_dir_all(&books).unwrap();
        let script = format!(
            "mount -t tmpfs -o size={DISK},mode=700 none {mine} && ln -s {books} {mine}/ledger && exec \"$@\"",
            mine = mine.display(),
            books = books.display(),
        );
        let mut before = vec!["unshare".to_owned()];
        before.extend(way.iter().map(|arg| (*arg).to_owned()));
        before.extend(["sh", "-c", &script, "sh"].map(str::to_owned));
        let server = home.spawn_in(&before);
        let data = Path::new(&format!("/proc/{}/root", server.pid()))
            .join(mine.strip_prefix("/").unwrap());
        Self { server, data }
    }

    /// Leaves no space.
    fn fill(&self) {
        let mut file = File::create(self.data.join("filler")).unwrap();
        for piece in [vec![0_u8; 64 << 10], vec![0; 512]] {
            while file.write_all(&piece).is_ok() {}
        }
    }

    fn empty(&self) {
        std::fs::remove_file(self.data.join("filler")).unwrap();
    }
}

fn order(n: usize) -> (String, Value) {
    let title = format!("work-{n:04}");
    // Some weight, so that the log does not last for ever.
    let topic = format!("autumn {n} {}", "·".repeat(2_000));
    let body = json!({ "definition": "proof-chain", "input": { "topic": topic }, "title": title });
    (title, body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_recovers_by_itself() {
    let Some(way) = way_to_mount() else {
        let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!is_ci, "CI must let tests mount a tmpfs in a namespace of their own");
        println!("SKIPPED: a full disk: neither root nor a user namespace may mount a tmpfs here");
        return;
    };
    let home = Home::new();
    let mut small = Small::spawn(&home, &way);
    let client = Client::at(small.server.ready().await);
    publish(&client).await;
    let mut accepted = Vec::new();
    for n in 0..6 {
        let (title, body) = order(n);
        let answer = client.post_as(&title, "/api/v1/runs", &body).await.is(202).json();
        accepted.push(work(&answer, title));
    }

    small.fill();
    let refused = post_until_refused(&client, &mut accepted).await;
    // What is there can be read while nothing can be written.
    assert_eq!(client.read("/healthz").await["status"], "ok");
    assert!(client.all("/api/v1/runs").await.len() >= accepted.len());
    client.events(&accepted[0].id).await;
    for _ in 0..3 {
        let (title, body) = order(refused);
        let again = client.once(Method::POST, "/api/v1/runs", (Some(&body), Some(&title))).await;
        assert_eq!(again.unwrap().status, 503, "still full");
    }
    assert!(!small.server.has_ended(), "{}", home.log());

    small.empty();
    let (title, body) = order(refused);
    let answer = client.post_as(&title, "/api/v1/runs", &body).await.is(202);
    assert_eq!(answer.header("idempotent-replayed"), None, "what was refused had not happened");
    accepted.push(work(&answer.json(), title));
    println!("refused after {refused} runs, then accepted");
    let is_over = Arc::new(AtomicBool::new(false));
    let people = look_after(client.clone(), small.data.clone(), Arc::clone(&is_over));
    let people = tokio::spawn(people);
    until("the end of all runs", Duration::from_mins(1), async || {
        let rows = client.all("/api/v1/runs").await;
        rows.iter().all(|row| !row["ended_at"].is_null()).then_some(())
    })
    .await;
    is_over.store(true, Ordering::Relaxed);
    let deeds = people.await.unwrap();
    let verdict = examine(&client, &books(&home), &accepted, (&deeds, &[])).await;
    println!("{} runs, {} events, lost {}", verdict.runs, verdict.events, verdict.lost);
    verdict.must_be_clean();
    let verified = client.post("/api/v1/system/verify", &json!({})).await.is(200).json();
    assert_eq!(verified["broken"], json!([]));
    small.server.close();
}

/// The books are outside the small disk, in a folder that looks like a data folder.
fn books(home: &Home) -> PathBuf {
    let folder = home.beside("outside");
    std::fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink(home.beside("books"), folder.join("ledger")).unwrap();
    folder
}

/// Starts runs until one is refused; its number.
async fn post_until_refused(client: &Client, accepted: &mut Vec<Accepted>) -> usize {
    for n in 6..5_000 {
        let (title, body) = order(n);
        let what = (Some(&body), Some(title.as_str()));
        let answer = client.once(Method::POST, "/api/v1/runs", what).await.unwrap();
        if answer.status == 202 {
            accepted.push(work(&answer.json(), title));
            continue;
        }
        let answer = answer.is(503);
        let problem = answer.json();
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert!(answer.header("retry-after").is_some(), "{problem}");
        assert_eq!(
            (&problem["code"], &problem["retryable"]),
            (&json!("storage_full"), &json!(true))
        );
        return n;
    }
    panic!("the disk never was full");
}

fn work(answer: &Value, title: String) -> Accepted {
    let id = answer["run"]["id"].as_str().unwrap().to_owned();
    Accepted { id, title, is_request: false, expected: Expected::Completed }
}
