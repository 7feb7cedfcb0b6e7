//! A content request, from the brief to the published file, and everything that can be asked of
//! it on the way.

use expect_test::expect;
use serde_json::{Value, json};

use crate::support::{Server, as_owner};
use axum::body::Body;
use axum::http::Method;

#[tokio::test(flavor = "multi_thread")]
async fn a_brief_becomes_a_published_picture() {
    let server = Server::start().await;
    let created = server.post("/api/v1/requests", &server.brief().await).await;
    assert_eq!(created.status, 202);
    let body = created.json();
    let id = body["data"]["id"].as_str().unwrap().to_owned();
    assert_eq!(created.header("location"), format!("/api/v1/requests/{id}"));
    assert_eq!(created.header("retry-after"), "2");
    assert_eq!(body["success"], true);
    assert_eq!(body["data"]["status"], "intake");
    assert_eq!(body["data"]["estimated_time_seconds"], 60);

    server.until(&id, "checkpoint.opened").await;
    let waiting = server.get(&format!("/api/v1/requests/{id}")).await.json();
    let data = &waiting["data"];
    assert_eq!(data["status"], "qa");
    assert_eq!(data["run_status"], "waiting");
    assert_eq!(data["waiting"][0]["for"], "person");
    assert!(data["waiting"][0]["question"].as_str().unwrap().contains("Daybreak Blend"));
    assert_eq!(data["simulated"], true, "the scripted model answered");

    let approved = server.post(&format!("/api/v1/requests/{id}/approve"), &json!({})).await;
    assert_eq!(approved.status, 200, "{}", approved.text);
    server.until(&id, "run.completed").await;
    let done = server.get(&format!("/api/v1/requests/{id}")).await.json();
    assert_eq!(done["data"]["status"], "published");
    assert_eq!(done["data"]["run_status"], "completed");
    assert!(done["data"]["actual_time_seconds"].is_number());

    let asset = &done["data"]["assets"][0];
    assert_eq!(asset["mime"], "image/png");
    assert_eq!(asset["width"], asset["height"], "1:1 is the default");
    let request = as_owner(Method::GET, asset["url"].as_str().unwrap());
    let file = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(file.status, 200);
    assert_eq!(file.header("content-type"), "image/png");
    assert_eq!(file.header("etag"), format!("\"{}\"", asset["sha256"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_have_the_names_and_order_that_clients_know() {
    let server = Server::start().await;
    let id = server.waiting_request().await;
    let tasks = server.get(&format!("/api/v1/requests/{id}/tasks")).await.json();
    let line = |task: &Value| {
        let depends = task["depends_on"].as_array().unwrap().iter().map(|d| d.as_str().unwrap());
        let depends: Vec<&str> = depends.filter_map(|d| d.split(':').nth(1)).collect();
        format!(
            "{} {} · {} · after {:?} · {} s · {}",
            task["sequence_order"],
            task["agent_role"].as_str().unwrap(),
            task["task_name"].as_str().unwrap(),
            depends,
            task["estimated_duration_seconds"],
            task["status"].as_str().unwrap(),
        )
    };
    let lines: Vec<String> = tasks["data"].as_array().unwrap().iter().map(line).collect();
    expect![[r#"
        1 executive · Intent Parsing & Validation · after [] · 5 s · completed
        2 strategist · Visual Concept Generation · after ["executive"] · 20 s · completed
        3 producer · Image Generation · after ["strategist"] · 30 s · completed
        4 qa · Quality Assurance Review · after ["producer"] · 5 s · completed"#]]
    .assert_eq(&lines.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_told_in_the_ten_types_without_a_gap() {
    let server = Server::start().await;
    let id = server.waiting_request().await;
    server.post(&format!("/api/v1/requests/{id}/approve"), &json!({"comment": "Lovely"})).await;
    server.until(&id, "run.completed").await;
    let events = server.get(&format!("/api/v1/requests/{id}/events")).await.json();
    let events = events["data"].as_array().unwrap();
    let seqs: Vec<u64> = events.iter().map(|e| e["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    let lines: Vec<String> = events
        .iter()
        .map(|e| {
            let actor = e["actor"].as_str().unwrap();
            format!(
                "{} · {} · {actor}",
                e["event_type"].as_str().unwrap(),
                e["description"].as_str().unwrap()
            )
        })
        .collect();
    expect![[r#"
        created · Request created · user:owner@default
        task_started · Intent Parsing & Validation started · executive
        task_completed · Intent Parsing & Validation completed · executive
        agent_log · Brand rules: accept · system
        status_change · Status changed from intake to draft · system
        task_started · Visual Concept Generation started · strategist
        task_completed · Visual Concept Generation completed · strategist
        status_change · Status changed from draft to production · system
        task_started · Image Generation started · producer
        task_completed · Image Generation completed · producer
        status_change · Status changed from production to qa · system
        task_started · Quality Assurance Review started · qa
        task_completed · Quality Assurance Review completed · qa
        agent_log · Technical check: accept · system
        agent_log · Approval: asked · system
        agent_log · Approval: continue · user:owner@default
        status_change · Status changed from qa to published · system"#]]
    .assert_eq(&lines.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_makes_a_new_picture_and_asks_again() {
    let server = Server::start().await;
    let id = server.waiting_request().await;
    let before = server.get(&format!("/api/v1/requests/{id}")).await.json();
    let silent = server.post(&format!("/api/v1/requests/{id}/reject"), &json!({})).await;
    assert_eq!(silent.verdict(), "422 invalid", "feedback is needed");
    let feedback = json!({ "feedback": "Warmer light, and a shorter headline." });
    let rejected = server.post(&format!("/api/v1/requests/{id}/reject"), &feedback).await;
    assert_eq!(rejected.status, 200, "{}", rejected.text);
    let seq = rejected.json()["data"]["seq"].as_u64().unwrap();
    let mut stream = server.stream(&id, seq).await;
    while stream.next().await.unwrap().event != "checkpoint.opened" {}
    let after = server.get(&format!("/api/v1/requests/{id}")).await.json();
    assert_ne!(before["data"]["assets"][0]["sha256"], after["data"]["assets"][0]["sha256"]);
    let events = server.get(&format!("/api/v1/requests/{id}/events")).await.json();
    let retry = events["data"].as_array().unwrap().iter().find(|e| e["event_type"] == "retry");
    let reason = &retry.unwrap()["metadata"]["reason"];
    assert_eq!(reason, "Warmer light, and a shorter headline.");
}

#[tokio::test(flavor = "multi_thread")]
async fn approving_twice_names_the_first_answer() {
    let server = Server::start().await;
    let id = server.waiting_request().await;
    let path = format!("/api/v1/runs/{id}/checkpoints/approval/answer");
    let first = server.post(&path, &json!({"verb": "continue", "comment": "Good"})).await;
    assert_eq!(first.status, 200);
    let second = server.post(&path, &json!({"verb": "abort"})).await;
    // The run may have ended meanwhile; either way nothing has changed and the answer says why.
    let known = ["409 already_answered", "409 run_state"];
    assert!(known.contains(&second.verdict().as_str()), "{}", second.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_saw_is_not_approved() {
    let server = Server::start().await;
    let id = server.waiting_request().await;
    let stale = json!({ "digest": "0".repeat(64) });
    let refused = server.post(&format!("/api/v1/requests/{id}/approve"), &stale).await;
    assert_eq!(refused.verdict(), "412 stale_content");
    let open = server.get(&format!("/api/v1/runs/{id}/checkpoints/approval")).await.json();
    assert_eq!(open["status"], "open");
    let seen = json!({ "digest": open["digest"] });
    let approved = server.post(&format!("/api/v1/requests/{id}/approve"), &seen).await;
    assert_eq!(approved.status, 200, "{}", approved.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_request_says_so_and_takes_nothing_more() {
    let server = Server::start().await;
    let id = server.waiting_request().await;
    let reason = json!({ "reason": "The launch was called off." });
    let cancelled = server.post(&format!("/api/v1/requests/{id}/cancel"), &reason).await;
    assert_eq!(cancelled.status, 200);
    server.until(&id, "run.cancelled").await;
    let data = server.get(&format!("/api/v1/requests/{id}")).await.json();
    assert_eq!(data["data"]["status"], "cancelled");
    let approve = server.post(&format!("/api/v1/requests/{id}/approve"), &json!({})).await;
    assert_eq!(approve.verdict(), "409 run_state");
    assert!(approve.json()["allowed"].is_array());
    let list = server.get("/api/v1/requests?status=cancelled").await.json();
    assert_eq!(list["data"][0]["id"], json!(id));
    let none = server.get("/api/v1/requests?status=published").await.json();
    assert_eq!(none["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_done_again_and_a_request_is_rolled_back() {
    let server = Server::start().await;
    let id = server.waiting_request().await;
    let task = format!("/api/v1/tasks/{id}:strategist/retry");
    let again = server.post(&task, &json!({ "feedback": "Think bigger." })).await;
    assert_eq!(again.status, 200, "{}", again.text);
    let seq = again.json()["data"]["seq"].as_u64().unwrap();
    let mut stream = server.stream(&id, seq).await;
    while stream.next().await.unwrap().event != "checkpoint.opened" {}
    let tasks = server.get(&format!("/api/v1/requests/{id}/tasks")).await.json();
    assert_eq!(tasks["data"][1]["retry_count"], 1);

    let back =
        server.post(&format!("/api/v1/requests/{id}/rollback"), &json!({"to": "draft"})).await;
    assert_eq!(back.status, 200, "{}", back.text);
    let unknown =
        server.post(&format!("/api/v1/requests/{id}/rollback"), &json!({"to": "nowhere"})).await;
    assert_eq!(unknown.verdict(), "422 unknown_phase");
    let wrong = server.post("/api/v1/tasks/nothing/retry", &json!({})).await;
    assert_eq!(wrong.verdict(), "404 unknown_step");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_wrong_with_a_brief_is_said_at_once() {
    let server = Server::start().await;
    let bad = json!({
        "brand_id": "not a uuid",
        "titel": "x",
        "request_type": "poem",
        "prompt": "",
        "duration_seconds": 4,
    });
    let refused = server.post("/api/v1/requests", &bad).await;
    assert_eq!(refused.verdict(), "422 invalid");
    let problem = refused.json();
    let errors: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["pointer"].as_str().unwrap())
        .collect();
    for pointer in ["/titel", "/brand_id", "/request_type", "/prompt", "/duration_seconds", ""] {
        assert!(errors.contains(&pointer), "{pointer} is missing in {errors:?}");
    }
    assert!(refused.text.contains("did you mean `title`?"), "{}", refused.text);
    assert_eq!(problem["error"], problem["title"], "older clients read `error`");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_effect_is_named_and_foreign_brands_are_not_there() {
    let server = Server::start().await;
    let mut silent = server.brief().await;
    silent["script_text"] = json!("Not for a picture.");
    silent["duration_seconds"] = json!(30);
    let taken = server.post("/api/v1/requests", &silent).await;
    let expected = json!(["duration_seconds", "script_text"]);
    assert_eq!(taken.json()["data"]["without_effect"], expected);
    let mut foreign = server.brief().await;
    foreign["brand_id"] = json!("00000000-0000-4000-8000-000000000000");
    assert_eq!(server.post("/api/v1/requests", &foreign).await.verdict(), "404 unknown_brand");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_is_the_same_request() {
    let server = Server::start().await;
    let brief = server.brief().await;
    let send = async |key: &str, body: &Value| {
        let request = as_owner(Method::POST, "/api/v1/requests")
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        server.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let first = send("k1", &brief).await;
    let again = send("k1", &brief).await;
    assert_eq!(first.json()["data"]["id"], again.json()["data"]["id"]);
    assert_eq!(first.header("idempotent-replayed"), "");
    assert_eq!(again.header("idempotent-replayed"), "true");
    let quoted = send("\"k1\"", &brief).await;
    assert_eq!(quoted.json()["data"]["id"], first.json()["data"]["id"]);
    let mut other = brief.clone();
    other["title"] = json!("Something else");
    assert_eq!(send("k1", &other).await.verdict(), "422 idempotency_key_reused");
    assert_ne!(send("k2", &brief).await.json()["data"]["id"], first.json()["data"]["id"]);
    assert_eq!(send("", &brief).await.verdict(), "400 bad_header");
    assert_eq!(send(&"k".repeat(300), &brief).await.verdict(), "400 bad_header");
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_approve_publishes_without_asking_and_skips_the_review() {
    let server = Server::start().await;
    let mut brief = server.brief().await;
    brief["auto_approve"] = json!(true);
    let created = server.post("/api/v1/requests", &brief).await.json();
    let id = created["data"]["id"].as_str().unwrap();
    server.until(id, "run.completed").await;
    let tasks = server.get(&format!("/api/v1/requests/{id}/tasks")).await.json();
    assert_eq!(tasks["data"][3]["status"], "skipped");
}
