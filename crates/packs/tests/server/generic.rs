//! The generic interface: definitions, runs of any of them, steps, assets, and the server itself.

use axum::body::Body;
use axum::http::Method;
use expect_test::expect;
use serde_json::{Value, json};

use crate::support::{Server, as_owner};

const GREETING: &str = r#"
showrunner: 1
id: greeting
title: { en: Greeting, ja: 挨拶 }
input:
  type: object
  required: [name]
  additionalProperties: false
  properties:
    name: { type: string, minLength: 1 }
steps:
  - id: greet
    transform:
      words: "Hello, {{ input.name }}"
  - id: reply
    needs: [greet]
    wait:
      callback: reply
    timeout: 1h
outputs:
  words: "{{ steps.greet.output.words }}"
  reply: "{{ steps.reply.output }}"
"#;

async fn publish(server: &Server, source: &str) -> crate::support::Answer {
    let request = as_owner(Method::POST, "/api/v1/definitions").header("content-type", "text/yaml");
    server.send(request.body(Body::from(source.to_owned())).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_is_checked_published_once_and_read_back() {
    let server = Server::start().await;
    let checked = server.post("/api/v1/definitions/validate", &json!({ "source": GREETING })).await;
    assert_eq!(checked.status, 200, "{}", checked.text);
    assert_eq!(checked.json(), json!({ "valid": true, "slug": "greeting", "steps": 2 }));
    assert_eq!(
        server.get("/api/v1/definitions/greeting").await.verdict(),
        "404 unknown_definition"
    );

    let first = publish(&server, GREETING).await;
    assert_eq!((first.status.as_u16(), first.json()["version"].clone()), (201, json!(1)));
    let again = publish(&server, GREETING).await;
    assert_eq!((again.status.as_u16(), again.json()["is_new"].clone()), (200, json!(false)));
    let changed = publish(&server, &GREETING.replace("Hello", "Good morning")).await;
    assert_eq!((changed.status.as_u16(), changed.json()["version"].clone()), (201, json!(2)));

    let one = server.get("/api/v1/definitions/greeting?version=1").await.json();
    assert_eq!(one["source"], GREETING);
    assert_eq!(one["steps"][1]["needs"], json!(["greet"]));
    assert_eq!(one["title"]["ja"], "挨拶");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_a_callback_and_hands_out_its_output() {
    let server = Server::start().await;
    publish(&server, GREETING).await;
    let body = json!({ "definition": "greeting", "input": { "name": "Aki" }, "title": "To Aki", "labels": { "team": "a" } });
    let started = server.post("/api/v1/runs", &body).await;
    assert_eq!(started.status, 202, "{}", started.text);
    let run = &started.json()["run"];
    let id = run["id"].as_str().unwrap();
    assert_eq!(started.header("location"), format!("/api/v1/runs/{id}"));
    server.until(id, "step.waiting").await;

    let run = server.get(&format!("/api/v1/runs/{id}")).await.json();
    assert_eq!(run["status"], "waiting");
    assert_eq!(
        (run["waits"][0]["for"].clone(), run["waits"][0]["detail"].clone()),
        (json!("callback"), json!("reply"))
    );
    assert!(run["waits"][0]["until"].is_string(), "it says until when");
    assert_eq!(run["allowed"], json!(["pause", "cancel", "retry", "skip", "fork"]));

    let told =
        server.post(&format!("/api/v1/runs/{id}/callbacks/reply"), &json!({ "text": "Hi" })).await;
    assert_eq!(told.status, 202, "{}", told.text);
    server.until(id, "run.completed").await;
    let run = server.get(&format!("/api/v1/runs/{id}")).await.json();
    assert_eq!(run["status"], "completed");
    assert_eq!(run["output"], json!({ "words": "Hello, Aki", "reply": { "text": "Hi" } }));
    assert_eq!(run["simulated"], false, "nobody was asked");

    let cancel = server.post(&format!("/api/v1/runs/{id}/cancel"), &json!({})).await;
    assert_eq!(cancel.verdict(), "409 run_state");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_narrowed_and_paged_without_loss() {
    let server = Server::start().await;
    publish(&server, GREETING).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        let body = json!({ "definition": "greeting", "input": { "name": "x" }, "title": format!("Run {n}"), "labels": { "n": n.to_string() } });
        let started = server.post("/api/v1/runs", &body).await.json();
        ids.push(started["run"]["id"].as_str().unwrap().to_owned());
    }
    ids.reverse();
    let mut found = Vec::new();
    let mut path = "/api/v1/runs?limit=2".to_owned();
    loop {
        let page = server.get(&path).await.json();
        found.extend(
            page["data"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/runs?limit=2&cursor={cursor}");
    }
    assert_eq!(found, ids);
    let one = server.get("/api/v1/runs?label=n:3").await.json();
    assert_eq!(one["data"][0]["title"], "Run 3");
    let text = server.get("/api/v1/runs?text=run%204").await.json();
    assert_eq!(text["data"].as_array().unwrap().len(), 1);
    let none = server.get("/api/v1/runs?status=failed,cancelled").await.json();
    assert_eq!(none["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_can_be_completed_by_hand_skipped_and_forked_from() {
    let server = Server::start().await;
    publish(&server, GREETING).await;
    let start = json!({ "definition": "greeting", "input": { "name": "Aki" } });
    let id =
        server.post("/api/v1/runs", &start).await.json()["run"]["id"].as_str().unwrap().to_owned();
    server.until(&id, "step.waiting").await;
    let unreasoned = server.post(&format!("/api/v1/runs/{id}/steps/reply/skip"), &json!({})).await;
    assert_eq!(unreasoned.verdict(), "422 invalid");
    let skipped = server
        .post(
            &format!("/api/v1/runs/{id}/steps/reply/skip"),
            &json!({ "reason": "Nobody answers." }),
        )
        .await;
    assert_eq!(skipped.status, 200, "{}", skipped.text);
    server.until(&id, "run.completed").await;
    let steps = server.get(&format!("/api/v1/runs/{id}/steps")).await.json();
    let line = |s: &Value| {
        format!(
            "{} {} {}",
            s["key"].as_str().unwrap(),
            s["kind"].as_str().unwrap(),
            s["status"].as_str().unwrap()
        )
    };
    let lines: Vec<String> = steps["data"].as_array().unwrap().iter().map(line).collect();
    expect![[r#"
        greet transform succeeded
        reply wait skipped"#]]
    .assert_eq(&lines.join("\n"));

    let forked = server.post(&format!("/api/v1/runs/{id}/fork"), &json!({ "from": "reply" })).await;
    assert_eq!(forked.status, 202, "{}", forked.text);
    assert_eq!(forked.json()["run"]["forked_from"], json!(id));
    let unknown =
        server.post(&format!("/api/v1/runs/{id}/fork"), &json!({ "from": "nobody" })).await;
    assert_eq!(unknown.verdict(), "404 unknown_step");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_whole_in_parts_or_not_again() {
    let server = Server::start().await;
    let id = server.waiting_request().await;
    let assets = server.get(&format!("/api/v1/runs/{id}/assets")).await.json();
    let asset = &assets["data"][0];
    let url = asset["url"].as_str().unwrap();
    let size = asset["bytes"].as_u64().unwrap();
    let ask = async |name: &str, value: &str| {
        let request = as_owner(Method::GET, url).header(name, value);
        server.send(request.body(Body::empty()).unwrap()).await
    };
    let part = ask("range", "bytes=1-3").await;
    assert_eq!((part.status.as_u16(), part.text.as_str()), (206, "PNG"));
    assert_eq!(part.header("content-range"), format!("bytes 1-3/{size}"));
    let outside = ask("range", &format!("bytes={size}-")).await;
    assert_eq!(outside.verdict(), "416 bad_range");
    assert_eq!(outside.header("content-range"), format!("bytes */{size}"));
    let known = ask("if-none-match", &format!("\"{}\"", asset["sha256"].as_str().unwrap())).await;
    assert_eq!((known.status.as_u16(), known.text.as_str()), (304, ""));
    let saved = server.get(&format!("{url}?download=1")).await;
    assert!(saved.header("content-disposition").starts_with("attachment; "));
    assert_eq!(
        server.get(&format!("/api/v1/assets/{}", asset["id"].as_str().unwrap())).await.json(),
        *asset
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_tells_about_itself() {
    let server = Server::start().await;
    assert_eq!(server.get("/healthz").await.json(), json!({ "status": "ok", "version": "test" }));
    assert_eq!(server.get("/readyz").await.json()["role"], "owner");
    let system = server.get("/api/v1/system").await.json();
    assert_eq!(system["database"], "sqlite");
    assert_eq!(system["simulated"], json!(["scripted"]));
    let providers = server.get("/api/v1/providers").await.json();
    let modes: Vec<(&str, &str)> = providers["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (p["name"].as_str().unwrap(), p["mode"].as_str().unwrap()))
        .collect();
    assert_eq!(modes, [("local", "local"), ("scripted", "scripted")]);
    let agents = server.get("/api/v1/agents").await.json();
    let names: Vec<&str> =
        agents["data"].as_array().unwrap().iter().map(|a| a["name"].as_str().unwrap()).collect();
    for name in ["executive", "task_planner", "strategist", "copywriter", "producer", "qa"] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    assert_eq!(server.get("/api/v1/dead-letters").await.json()["data"], json!([]));
    assert!(server.get("/schemas/definition.json").await.json().is_object());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_people_is_listed_with_its_picture() {
    let server = Server::start().await;
    let id = server.waiting_request().await;
    let open = server.get("/api/v1/approvals").await.json();
    let first = &open["data"][0];
    assert_eq!(
        (first["run"].clone(), first["step"].clone(), first["status"].clone()),
        (json!(id), json!("approval"), json!("open"))
    );
    assert_eq!(first["assets"].as_array().unwrap().len(), 1);
    let verbs: Vec<&str> =
        first["options"].as_array().unwrap().iter().map(|o| o["verb"].as_str().unwrap()).collect();
    assert_eq!(verbs, ["continue", "retry", "abort"]);
    assert_eq!(first["options"][0]["label"]["ja"], "承認して公開");
    let one = server.get(&format!("/api/v1/runs/{id}/checkpoints/approval")).await.json();
    assert_eq!(one["digest"], first["digest"]);
    assert_eq!(one["options"], first["options"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_definition_calls_has_to_be_there_before_it_is_published() {
    let server = Server::start().await;
    let stray = "showrunner: 1\nid: stray\nsteps:\n  - { id: a, agent: copywritter }\n  - { id: b, orchestration: not-there }\n";
    for path in ["/api/v1/definitions", "/api/v1/definitions/validate"] {
        let refused = server.post(path, &json!({ "source": stray })).await;
        assert_eq!(refused.verdict(), "422 invalid_definition", "{}", refused.text);
        let errors = &refused.json()["errors"];
        assert_eq!(errors[0]["what"], "there is no agent `copywritter`");
        assert_eq!((&errors[0]["line"], &errors[0]["column"]), (&json!(4), &json!(21)));
        assert_eq!(errors[0]["hint"], "did you mean `copywriter`?");
        assert_eq!(errors[1]["what"], "no definition `not-there` is published");
    }
    assert_eq!(server.get("/api/v1/definitions/stray").await.verdict(), "404 unknown_definition");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_limits_nothing_and_labels_without_end_are_refused() {
    let server = Server::start().await;
    publish(&server, GREETING).await;
    let body = |more: Value| {
        let mut body = json!({ "definition": "greeting", "input": { "name": "Aki" } });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let many =
        |n: usize| (0..n).map(|n| (format!("k{n}"), json!("v"))).collect::<serde_json::Map<_, _>>();
    for wrong in [
        json!({ "budget": {} }),
        json!({ "budget": { "usd": null } }),
        json!({ "budget": { "usd": -1 } }),
        json!({ "labels": many(65) }),
        json!({ "labels": { "k".repeat(65): "v" } }),
        json!({ "labels": { "k": "v".repeat(256) } }),
    ] {
        let refused = server.post("/api/v1/runs", &body(wrong.clone())).await;
        assert_eq!(refused.verdict(), "422 invalid", "{wrong}: {}", refused.text);
    }
    for right in [
        json!({ "budget": { "usd": 0 } }),
        json!({ "budget": { "tokens": 5 } }),
        json!({ "labels": many(64) }),
        json!({ "labels": { "k".repeat(64): "v".repeat(255) } }),
    ] {
        let started = server.post("/api/v1/runs", &body(right.clone())).await;
        assert_eq!(started.status, 202, "{right}: {}", started.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_asked_for_twice_under_one_key_is_one_fork() {
    let server = Server::start().await;
    publish(&server, GREETING).await;
    let body = json!({ "definition": "greeting", "input": { "name": "Aki" } });
    let started = server.post("/api/v1/runs", &body).await.json();
    let path = format!("/api/v1/runs/{}/fork", started["run"]["id"].as_str().unwrap());
    let ask = async |body: Value| {
        let request = as_owner(Method::POST, &path)
            .header("content-type", "application/json")
            .header("idempotency-key", "fork-1");
        server.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let (one, two) = (ask(json!({ "from": "reply" })).await, ask(json!({ "from": "reply" })).await);
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (202, 202), "{}", two.text);
    assert_eq!(one.json()["run"]["id"], two.json()["run"]["id"]);
    assert_eq!(two.header("idempotent-replayed"), "true");
    let other = ask(json!({ "from": "greet" })).await;
    assert_eq!(other.verdict(), "422 idempotency_key_reused", "{}", other.text);
}
