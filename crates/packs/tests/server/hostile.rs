//! What nobody should send: each is refused within a second, in words, and nothing has changed.

use std::fmt::Write as _;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use crate::support::{Answer, Server, as_owner};

/// What is installed, in the order in which it is listed.
const DEFINITIONS: [&str; 3] =
    ["content-request-image", "content-request-video-no-vo", "content-request-video-with-vo"];

async fn post(server: &Server, path: &str, media: &str, body: Body) -> Answer {
    let request: Request<Body> =
        as_owner(Method::POST, path).header("content-type", media).body(body).unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(1), server.send(request)).await;
    let answer = answer.unwrap(); // within a second
    let runs = server.get("/api/v1/runs").await.json();
    assert_eq!(runs["data"], json!([]), "nothing was started");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_json_are_refused_with_their_place() {
    let server = Server::start().await;
    let json = "application/json";
    let cut = post(&server, "/api/v1/requests", json, "{\n  \"title\": ".into()).await;
    assert_eq!(cut.verdict(), "400 malformed_json");
    assert_eq!((cut.json()["line"].clone(), cut.json()["column"].clone()), (json!(2), json!(11)));
    let empty = post(&server, "/api/v1/requests", json, Body::empty()).await;
    assert_eq!(empty.verdict(), "400 malformed_json");
    let list = post(&server, "/api/v1/requests", json, "[1, 2]".into()).await;
    assert_eq!(list.verdict(), "422 invalid");
    let plain = post(&server, "/api/v1/requests", "text/plain", "{}".into()).await;
    assert_eq!(plain.verdict(), "415 unsupported_media_type");
    let bytes =
        post(&server, "/api/v1/definitions", "text/yaml", Body::from(vec![0xff, 0xfe])).await;
    assert_eq!(bytes.verdict(), "422 invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_brackets_and_a_hundred_megabytes_cost_nothing() {
    let server = Server::start().await;
    let json = "application/json";
    let deep = post(&server, "/api/v1/runs", json, "[".repeat(10_000).into()).await;
    assert_eq!(deep.verdict(), "400 too_deep");
    let chunk = bytes::Bytes::from(vec![b' '; 1 << 20]);
    let endless =
        futures_util::stream::iter((0..100).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
    let large = post(&server, "/api/v1/runs", json, Body::from_stream(endless)).await;
    assert_eq!(large.verdict(), "413 too_large");
    let declared = as_owner(Method::POST, "/api/v1/runs")
        .header("content-type", json)
        .header("content-length", "104857600");
    let refused = server.send(declared.body(Body::empty()).unwrap()).await;
    assert_eq!(refused.verdict(), "413 too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_that_are_wrong_or_huge_are_refused_with_places() {
    let server = Server::start().await;
    let path = "/api/v1/definitions";
    let wrong =
        post(&server, path, "text/yaml", "showrunner: 1\nid: x\nsteps:\n  - id: a\n".into()).await;
    assert_eq!(wrong.verdict(), "422 invalid_definition");
    let first = &wrong.json()["errors"][0];
    assert!(first["line"].is_number() && first["what"].is_string() && first["why"].is_string());
    let mut steps = String::new();
    for n in 0..10_000 {
        writeln!(steps, "  - id: s{n}\n    transform: {{ a: 1 }}").unwrap();
    }
    let many = format!("showrunner: 1\nid: many\ntitle: Many\nsteps:\n{steps}");
    let refused = post(&server, path, "text/yaml", many.into()).await;
    assert_eq!(refused.verdict(), "422 invalid_definition");
    let known = server.get("/api/v1/definitions").await.json();
    assert_eq!(known["data"].as_array().unwrap().len(), DEFINITIONS.len(), "only the shipped ones");
}

#[tokio::test(flavor = "multi_thread")]
async fn cursors_limits_and_parameters_that_are_wrong_are_named() {
    let server = Server::start().await;
    let id = server.waiting_request().await;
    let cases = [
        ("/api/v1/runs?cursor=nonsense".to_owned(), "400 bad_cursor"),
        ("/api/v1/runs?limit=0".to_owned(), "400 bad_query"),
        ("/api/v1/runs?limit=many".to_owned(), "400 bad_query"),
        ("/api/v1/runs?statsu=failed".to_owned(), "400 bad_query"),
        ("/api/v1/runs?status=happy".to_owned(), "400 bad_query"),
        (format!("/api/v1/runs/{id}/events?after=-1"), "400 bad_cursor"),
        (format!("/api/v1/runs/{id}/events?limit=0"), "400 bad_query"),
        (format!("/api/v1/runs/{id}/events/stream?after=99999"), "400 bad_cursor"),
        (format!("/api/v1/runs/{id}/steps/nobody"), "404 unknown_step"),
        (format!("/api/v1/runs/{id}/checkpoints/executive"), "404 unknown_checkpoint"),
        ("/api/v1/runs/run_00000000000000000000000000".to_owned(), "404 unknown_run"),
        ("/api/v1/assets/ast_nothing".to_owned(), "404 unknown_asset"),
        ("/api/v1/definitions/nothing".to_owned(), "404 unknown_definition"),
    ];
    for (path, expected) in cases {
        assert_eq!(server.get(&path).await.verdict(), expected, "{path}");
    }
    let misspelt = server.get("/api/v1/runs?statsu=failed").await.json();
    assert_eq!(misspelt["hint"], "did you mean `status`?");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_input_does_not_fit_says_where() {
    let server = Server::start().await;
    let body = json!({ "definition": "content-request-image", "input": { "title": 7 } });
    let refused = server.post("/api/v1/runs", &body).await;
    assert_eq!(refused.verdict(), "422 invalid");
    let errors: Vec<Value> = refused.json()["errors"].as_array().unwrap().clone();
    assert!(errors.iter().any(|e| e["pointer"] == "/input/title"), "{errors:?}");
    let unknown = server.post("/api/v1/runs", &json!({ "definition": "nothing" })).await;
    assert_eq!(unknown.verdict(), "404 unknown_definition");
    assert_eq!(unknown.json()["allowed"], json!(DEFINITIONS));
}
