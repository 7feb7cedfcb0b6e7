//! Tasks that failed for good: listed, explained, retried, noted.

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};
use showrunner_engine::failure::ErrorClass;
use showrunner_providers::scripted::{Effect, Fault, FaultPlan, FaultRule, ScriptedConfig};

use crate::support::{STRANGER, Server, VIEWER, by};

/// A server whose strategist is refused so many times.
async fn refused(times: u64) -> Server {
    let fault =
        Fault::Fail { class: ErrorClass::Validation, effect: Effect::Before, retry_after_ms: None };
    let rule = FaultRule {
        agent: "strategist".into(),
        step: "*".into(),
        first: Some(times),
        per_step: false,
        share_permille: None,
        fault,
    };
    let faults = FaultPlan { rules: vec![rule] };
    Server::start_with(ScriptedConfig { faults, ..ScriptedConfig::default() }).await
}

/// A request that failed, and its letter.
async fn failed(server: &Server) -> (String, Value) {
    let created = server.post("/api/v1/requests", &server.brief().await).await;
    let id = created.json()["data"]["id"].as_str().unwrap().to_owned();
    server.until(&id, "run.failed").await;
    let listed = server.get(&format!("/api/v1/dlq?request_id={id}")).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{listed:#}");
    (id, listed["data"][0].clone())
}

fn path(letter: &Value, what: &str) -> String {
    format!("/api/v1/dlq/{}/{what}", letter["id"].as_str().unwrap())
}

async fn open_letters(server: &Server) -> usize {
    server.get("/api/v1/dlq").await.json()["data"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_task_is_listed_with_its_snapshot_and_an_explanation() {
    let server = refused(1).await;
    let (id, letter) = failed(&server).await;
    assert_eq!(letter["request_id"], json!(id));
    assert_eq!(letter["task_id"], json!(format!("{id}:strategist")));
    assert_eq!(
        (&letter["error_category"], &letter["failed_attempts"], &letter["resolved"]),
        (&json!("VALIDATION"), &json!(1), &json!(false))
    );
    assert_eq!(letter["resolved_at"], Value::Null);
    assert!(letter["last_attempt_at"].is_string() && letter["created_at"].is_string());
    let snapshot = &letter["task_snapshot"];
    assert_eq!(
        (&snapshot["agent_role"], &snapshot["status"], &snapshot["task_name"]),
        (&json!("strategist"), &json!("failed"), &json!("Visual Concept Generation"))
    );
    assert!(snapshot["input_data"]["prompt"].as_str().unwrap().contains("autumn coffee"));
    assert_eq!(snapshot["error"]["class"], "validation");
    let (en, ja) = (&letter["explanation"]["en"], &letter["explanation"]["ja"]);
    assert!(en.as_str().unwrap().starts_with("“Visual Concept Generation” stopped after one try"));
    assert!(ja.as_str().unwrap().contains("再実行してください"), "{ja}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_task_is_retried_once_however_often_it_is_asked_for() {
    let server = refused(1).await;
    let (id, letter) = failed(&server).await;
    let retry = path(&letter, "retry");
    let body = json!({});
    let (one, two, three) = tokio::join!(
        server.post(&retry, &body),
        server.post(&retry, &body),
        server.post(&retry, &body)
    );
    let mut repeated = 0;
    for answer in [one, two, three] {
        assert_eq!(answer.status, 200, "{}", answer.text);
        let data = &answer.json()["data"];
        assert_eq!(
            (&data["resolved"], &data["resolution_notes"]),
            (&json!(true), &json!("retried"))
        );
        repeated += usize::from(data["idempotent"] == json!(true));
    }
    assert_eq!(repeated, 2, "one of them acted");
    server.until(&id, "checkpoint.opened").await;
    let events = server.get(&format!("/api/v1/requests/{id}/events")).await.json();
    let retries = events["data"].as_array().unwrap().iter().filter(|e| e["event_type"] == "retry");
    assert_eq!(retries.filter(|e| e["actor"] == "user:owner@default").count(), 1);
    assert_eq!(open_letters(&server).await, 0);
    let note = server.post(&path(&letter, "resolve"), &json!({ "notes": "done" })).await;
    assert_eq!(note.verdict(), "409 dead_letter_state");
    assert_eq!(note.json()["resolution"], "retried");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_fails_again_leaves_a_new_letter() {
    let server = refused(2).await;
    let (id, letter) = failed(&server).await;
    assert_eq!(server.post(&path(&letter, "retry"), &json!({})).await.status, 200);
    let mut stream = server.stream(&id, 0).await;
    let mut failures = 0;
    while failures < 2 {
        failures += usize::from(stream.next().await.unwrap().event == "run.failed");
    }
    let listed = server.get("/api/v1/dlq").await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert_ne!(listed["data"][0]["id"], letter["id"]);
    let all = server.get("/api/v1/dlq?resolved=1").await.json();
    assert_eq!(all["data"].as_array().unwrap().len(), 2);
    let again = server.post(&path(&letter, "retry"), &json!({})).await;
    assert_eq!(again.json()["data"]["idempotent"], json!(true), "the first letter is done with");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_says_who_and_why_and_has_nothing_done_again() {
    let server = refused(1).await;
    let (id, letter) = failed(&server).await;
    let before = server.get(&format!("/api/v1/runs/{id}")).await.json()["seq"].clone();
    let resolve = path(&letter, "resolve");
    assert_eq!(server.post(&resolve, &json!({ "notes": " " })).await.verdict(), "422 invalid");
    let noted = server.post(&resolve, &json!({ "notes": "Ordered by phone." })).await;
    assert_eq!(noted.status, 200, "{}", noted.text);
    let again = server.post(&resolve, &json!({ "notes": "Something else." })).await;
    for (answer, idempotent) in [(&noted, false), (&again, true)] {
        let data = &answer.json()["data"];
        assert_eq!(
            (&data["resolution_notes"], &data["resolved_by"], &data["idempotent"]),
            (&json!("Ordered by phone."), &json!("user:owner@default"), &json!(idempotent))
        );
        assert!(data["resolved_at"].is_string());
    }
    assert_eq!(server.get(&format!("/api/v1/runs/{id}")).await.json()["seq"], before);
    assert_eq!(open_letters(&server).await, 0);
    assert_eq!(server.get("/api/v1/dead-letters").await.json()["data"], json!([]));

    let refused = server.post(&path(&letter, "retry"), &json!({})).await;
    assert_eq!(refused.verdict(), "409 dead_letter_state");
    let allowed = refused.json()["allowed"].clone();
    assert!(allowed.as_array().unwrap().contains(&json!("retry_step")), "{allowed}");
    let task = format!("/api/v1/tasks/{id}:strategist/retry");
    assert_eq!(server.post(&task, &json!({})).await.status, 200, "what is named is possible");
    server.until(&id, "checkpoint.opened").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_for_those_who_run_the_place_and_for_nobody_elses() {
    let server = refused(1).await;
    let (_, letter) = failed(&server).await;
    let send = async |token: &str, method: Method, path: &str, body: &'static str| {
        let request = by(token, method, path).header("content-type", "application/json");
        server.send(request.body(Body::from(body)).unwrap()).await
    };
    assert_eq!(send(VIEWER, Method::GET, "/api/v1/dlq", "").await.verdict(), "403 not_allowed");
    let foreign = send(STRANGER, Method::GET, "/api/v1/dlq?resolved=1", "").await;
    assert_eq!(foreign.json()["data"], json!([]));
    for (what, body) in [("retry", "{}"), ("resolve", "{\"notes\":\"mine\"}")] {
        let path = path(&letter, what);
        assert_eq!(send(VIEWER, Method::POST, &path, body).await.verdict(), "403 not_allowed");
        let foreign = send(STRANGER, Method::POST, &path, body).await;
        assert_eq!(foreign.verdict(), "404 unknown_dead_letter");
    }
    assert_eq!(open_letters(&server).await, 1);
}
