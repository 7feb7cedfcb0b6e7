//! Coming and going of a server, with a small one in its place.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use clap::Parser;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::announce::Announcer;
use super::attend;
use crate::config::{Cli, Desk};
use crate::fault::{Fault, Outcome};
use crate::wiring::{Notice, Started};

fn announcer(folder: &Path, address: std::net::SocketAddr) -> Announcer {
    let words = ["showrunner", "--quiet", "serve"];
    let desk = Desk::new(Cli::parse_from(words).connect);
    Announcer {
        talk: desk.talk,
        connect: desk.connect,
        data_dir: folder.to_owned(),
        ready_file: Some(folder.join("ready.json")),
        url: format!("http://{address}"),
        database: "SQLite".to_owned(),
        has_demo: false,
    }
}

fn started() -> Notice {
    Notice::Answering(Started {
        token: "t".to_owned(),
        login_path: "/login?token=once".to_owned(),
        simulated: vec!["scripted".to_owned()],
        models: Vec::new(),
        recovered: 2,
    })
}

fn listener() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
}

/// Answers `/healthz` with a status.
fn answer(listener: TcpListener, status: StatusCode) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let app = Router::new().route("/healthz", get(move || async move { (status, "{}") }));
    tokio::spawn(async move { axum::serve(listener, app).await });
}

async fn announced(announcer: &Announcer) -> Outcome {
    let mut errands = JoinSet::new();
    announcer.clone().hear(started(), &mut errands);
    errands.join_next().await.unwrap().unwrap()
}

#[tokio::test]
async fn once_it_answers_it_is_found_by_its_owner_and_forgotten_when_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let listener = listener();
    let announcer = announcer(folder.path(), listener.local_addr().unwrap());
    answer(listener, StatusCode::OK);
    announced(&announcer).await.unwrap();
    for name in ["ready.json", "server.json"] {
        let file = folder.path().join(name);
        let ready: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(ready["url"], announcer.url);
        assert_eq!((&ready["token"], &ready["pid"]), (&"t".into(), &std::process::id().into()));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    announcer.withdraw();
    assert!(!folder.path().join("server.json").exists());
}

#[tokio::test]
async fn a_server_that_does_not_answer_well_is_not_announced() {
    let folder = tempfile::tempdir().unwrap();
    let listener = listener();
    let announcer = announcer(folder.path(), listener.local_addr().unwrap());
    answer(listener, StatusCode::INTERNAL_SERVER_ERROR);
    announced(&announcer).await.unwrap_err();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_another_server_wrote_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let announcer = announcer(folder.path(), listener().local_addr().unwrap());
    let file = folder.path().join("server.json");
    fs::write(&file, r#"{"url": "http://127.0.0.1:1", "token": "x", "pid": 1}"#).unwrap();
    announcer.withdraw();
    assert!(file.exists());
}

#[tokio::test]
async fn a_ready_file_that_cannot_be_written_stops_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let listener = listener();
    let mut announcer = announcer(folder.path(), listener.local_addr().unwrap());
    announcer.ready_file = Some("/nonexistent/ready.json".into());
    answer(listener, StatusCode::OK);
    let (notices, heard) = mpsc::channel(1);
    let stop = CancellationToken::new();
    let told = stop.clone();
    let server = async move {
        notices.send(started()).await.unwrap();
        told.cancelled().await;
        Ok(())
    };
    let fault: Fault = attend(server, heard, &announcer, &stop).await.unwrap_err();
    assert!(fault.what.contains("/nonexistent/ready.json"), "{fault:?}");
}

#[tokio::test]
async fn what_ends_the_server_is_passed_on() {
    let folder = tempfile::tempdir().unwrap();
    let announcer = announcer(folder.path(), listener().local_addr().unwrap());
    let (_notices, heard) = mpsc::channel(1);
    let server = async { Err(anyhow::anyhow!("the disk is gone").context("the journal stopped")) };
    let fault = attend(server, heard, &announcer, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(
        (fault.what.as_str(), fault.why),
        ("the journal stopped", vec!["the disk is gone".to_owned()])
    );
}
