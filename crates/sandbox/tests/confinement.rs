//! What is left to somebody who has taken over the process of a function: nothing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "support/support.rs"]
mod support;

use std::io::Read as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::json;
use showrunner_sandbox::{Denied, Fault, Job, Pool, PoolOptions, Unattended};
use support::{function, options, pool, run};

#[test]
fn a_process_that_is_locked_in_gets_nothing_of_what_it_tries() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("canary"), "canary-4711").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut child = Command::new(env!("CARGO_BIN_EXE_sandbox-probe"))
        .arg("probe")
        .arg(folder.path())
        .arg(port.to_string())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "it died: {said}");
    let mut lines = said.lines();
    assert_eq!(lines.next(), Some("confined true"), "this kernel takes no filter");
    let tried: Vec<&str> = lines.collect();
    let done: Vec<&&str> = tried.iter().filter(|line| !line.ends_with("refused")).collect();
    assert!(done.is_empty(), "{done:?}");
    assert!(tried.len() >= 60, "only {} were tried", tried.len());
    assert_eq!(std::fs::read_to_string(folder.path().join("canary")).unwrap(), "canary-4711");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(listener.accept().is_err(), "somebody connected");
}

#[tokio::test]
async fn a_worker_says_that_it_is_locked_in() {
    let confinement = pool().check().await.unwrap();
    assert!(confinement.is_limited && confinement.is_filtered, "{confinement:?}");
}

#[tokio::test]
async fn without_a_worker_nothing_is_run() {
    let nobody = Pool::new(PoolOptions::new("/nonexistent/worker"));
    let job = Job::Function(Box::new(function("export default () => 1")));
    let fault = nobody.run("t", &job, &Unattended(&Denied)).await.result.unwrap_err();
    assert!(
        matches!(&fault, Fault::Unavailable { why } if why.contains("/nonexistent/worker")),
        "{fault}"
    );
    // A program that says something else is no worker.
    let other = Pool::new(PoolOptions { args: vec![], ..PoolOptions::new("/bin/echo") });
    let fault = other.run("t", &job, &Unattended(&Denied)).await.result.unwrap_err();
    assert!(matches!(fault, Fault::Unavailable { .. }), "{fault}");
}

#[tokio::test]
async fn too_many_at_once_are_sent_away_and_who_gives_up_makes_room() {
    let pool = Pool::new(PoolOptions { places: 1, waiting_max: 1, spare: 0, ..options() });
    let slow = Job::Function(Box::new(function(
        "export default () => new Promise((d) => setTimeout(d, 60000))",
    )));
    let quick = Job::Function(Box::new(function("export default () => 7")));
    let mut first = Box::pin(pool.run("a", &slow, &Unattended(&Denied)));
    let mut second = Box::pin(pool.run("a", &quick, &Unattended(&Denied)));
    tokio::select! {
        biased;
        _ = &mut first => panic!("it waits"),
        _ = &mut second => panic!("there is no place"),
        third = pool.run("b", &quick, &Unattended(&Denied)) => {
            assert_eq!(third.result.unwrap_err(), Fault::Crowded { waiting: 1 });
        },
    }
    drop(first);
    assert_eq!(second.await.result.unwrap(), 7);
}

#[tokio::test]
async fn a_call_that_nobody_wants_any_more_leaves_no_process() {
    let pool = pool();
    let marker = format!("{}", std::process::id());
    let forever =
        Job::Function(Box::new(function("export default () => { console.log('x'); for (;;); }")));
    let call = tokio::time::timeout(
        std::time::Duration::from_millis(300),
        pool.run(&marker, &forever, &Unattended(&Denied)),
    );
    assert!(call.await.is_err());
    // The next one gets the place, and nothing is left of the first.
    assert_eq!(run_on(&pool, "export default () => 1").await, json!(1));
}

async fn run_on(pool: &Pool, code: &str) -> serde_json::Value {
    let job = Job::Function(Box::new(function(code)));
    pool.run("t", &job, &Unattended(&Denied)).await.result.unwrap()
}

#[tokio::test]
async fn nothing_of_one_call_is_there_in_the_next() {
    let pool = Pool::new(PoolOptions { places: 1, spare: 2, ..options() });
    let pollute = "Object.prototype.polluted = 'yes'; globalThis.left = 'here'; Array.prototype.map = () => 'broken';
      JSON.stringify = () => '\"forged\"'; Promise.prototype.then = null;
      export default () => ({ done: true })";
    let job = Job::Function(Box::new(function(pollute)));
    for _ in 0..3 {
        // Whatever comes of the polluted call itself.
        let _outcome = pool.run("hostile", &job, &Unattended(&Denied)).await;
        let look = "export default () => [({}).polluted ?? null, typeof left, [1].map((x) => x + 1), JSON.stringify({ a: 1 })]";
        assert_eq!(run_on(&pool, look).await, json!([null, "undefined", [2], "{\"a\":1}"]));
    }
}

#[tokio::test]
async fn the_engine_is_one_without_the_known_holes() {
    // quickjs-ng before 0.16.0 has CVE-2026-120438 and -120439.
    let version = run(function("export default () => 1")).await;
    assert!(version.result.is_ok());
    let lock = include_str!("../../../Cargo.lock");
    let at = lock.find("name = \"rquickjs-sys\"").unwrap();
    let line = lock[at..].lines().nth(1).unwrap();
    let minor: u32 = line.split('.').nth(1).unwrap().parse().unwrap();
    assert!(minor >= 14, "rquickjs-sys 0.14 brings quickjs-ng 0.16.2: {line}");
}
