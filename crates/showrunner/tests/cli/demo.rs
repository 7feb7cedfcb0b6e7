//! The demo, from the brief to the file.

use serde_json::{Value, json};

use crate::fake::{Fake, Part, end, event};
use crate::program::{Desk, RUN};

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const BRAND: &str = "7b0c2c1e-52a1-4d0e-9a55-0d9a1f6b1c11";

fn picture() -> Value {
    json!({"id": "ast_1", "kind": "image", "mime": "image/png", "width": 1080, "height": 1080,
           "bytes": 3, "sha256": ABC, "url": "/api/v1/assets/ast_1/content"})
}

fn studio(parts: Vec<Part>) -> Fake {
    let fake = Fake::start();
    fake.json(
        "GET /api/v1/brands",
        200,
        json!({"success": true, "data": [
        {"id": BRAND, "name": "あおぞら珈琲", "language": "ja"}]}),
    );
    fake.json(
        "POST /api/v1/requests",
        202,
        json!({"success": true, "data": {
        "id": RUN, "status": "intake", "estimated_cost": 0.09, "estimated_time_seconds": 60}}),
    );
    fake.run(RUN, json!({}));
    fake.stream(&format!("/api/v1/runs/{RUN}/events"), parts);
    fake.json(
        &format!("GET /api/v1/requests/{RUN}"),
        200,
        json!({"success": true, "data": {
        "id": RUN, "status": "published", "actual_cost": 0.08, "actual_time_seconds": 4.2,
        "simulated": true, "assets": [picture()]}}),
    );
    fake.json(
        &format!("GET /api/v1/runs/{RUN}/checkpoints/approval"),
        200,
        json!({
        "run": RUN, "step": "approval", "question": "Publish?", "question_ja": "公開しますか?",
        "digest": "d", "assets": [picture()]}),
    );
    fake.bytes("/api/v1/assets/ast_1/content", "image/png", b"abc");
    fake
}

fn asks() -> Part {
    event(2, "checkpoint.opened", json!({"step": "approval", "question": "Publish?"}))
}

#[test]
fn without_a_terminal_it_ends_with_the_line_to_type_and_a_preview() {
    let fake = studio(vec![event(1, "run.started", json!({})), asks()]);
    let desk = Desk::beside(&fake);
    let said = desk.run(&["demo", "--lang", "ja"]);
    said.ends(0).tells(&[
        "公開しますか?",
        "showrunner approve run_01k9zw7v5mqe8x",
        "estimate $0.09, 60 s",
    ]);
    let preview = "showrunner-demo/preview-run_01k9zw7v5mqe8x-1x1.png";
    said.tells(&[preview, &format!("{}/runs/{RUN}", fake.url)]);
    assert_eq!(std::fs::read(desk.path(preview)).unwrap(), b"abc");
    let body = &fake.asked("/api/v1/requests")[0].body;
    assert_eq!(
        [&body["brand_id"], &body["request_type"], &body["aspect_ratio"], &body["language"]],
        [BRAND, "image", "1:1", "ja"]
    );
    assert!(body["prompt"].as_str().unwrap().chars().count() > 100);
}

#[test]
fn waited_for_it_brings_the_picture_home_and_compares_with_the_estimate() {
    let fake = studio(vec![asks(), event(3, "run.completed", json!({})), end("completed")]);
    let desk = Desk::beside(&fake);
    let said = desk.run(&["demo", "--wait", "--out", "pictures", "--aspect", "16:9"]);
    assert_eq!(said.ends(0).out, "pictures/run_01k9zw7v5mqe8x-16x9.png\n");
    said.tells(&[
        "1080×1080, 3 bytes",
        ABC,
        "$0.08  (estimate $0.09)  (simulated: nothing was paid)",
        "4.2 s",
    ]);
    said.tells(&["Next:", "showrunner fork"]);
    assert_eq!(std::fs::read(desk.path("pictures/run_01k9zw7v5mqe8x-16x9.png")).unwrap(), b"abc");
}

#[test]
fn under_json_each_thing_is_a_line() {
    let fake = studio(vec![asks(), event(3, "run.completed", json!({})), end("completed")]);
    let lines = Desk::beside(&fake).run(&["demo", "--wait", "--json"]).ends(0).lines();
    let kinds: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["checkpoint.opened", "demo.waiting", "run.completed", "end", "demo.delivered"]
    );
    assert_eq!(lines[4]["files"][0]["sha256"], ABC);
    assert_eq!(lines[1]["approve"], format!("showrunner approve {RUN}"));
}

#[test]
fn all_shapes_are_three_requests_with_three_keys() {
    let fake = studio(vec![event(1, "run.completed", json!({})), end("completed")]);
    // The canned server gives all three the same id: enough to see what was asked.
    Desk::beside(&fake).run(&["demo", "--aspect", "all", "--auto-approve", "--prompt", "A fox"]);
    let asked = fake.asked("/api/v1/requests");
    let shapes: Vec<&Value> = asked.iter().map(|a| &a.body["aspect_ratio"]).collect();
    assert_eq!(shapes, ["1:1", "16:9", "9:16"]);
    let mut keys: Vec<&String> = asked.iter().map(|a| &a.headers["idempotency-key"]).collect();
    keys.dedup();
    assert_eq!(keys.len(), 3);
    assert!(asked.iter().all(|a| a.body["auto_approve"] == true && a.body["title"] == "A fox"));
}

#[test]
fn a_request_that_fails_says_why() {
    let fake =
        studio(vec![event(1, "run.failed", json!({"failure": {"message": "no"}})), end("failed")]);
    fake.json(
        &format!("GET /api/v1/requests/{RUN}"),
        200,
        json!({"success": true, "data": {
        "id": RUN, "failure": {"message": "the brand forbids it"}}}),
    );
    let said = Desk::beside(&fake).run(&["demo", "--wait"]);
    said.ends(1).tells(&["the brand forbids it", "made no file"]);
}

#[test]
fn a_request_that_is_published_without_a_file_is_not_called_a_success() {
    let fake = studio(vec![event(1, "run.completed", json!({})), end("completed")]);
    fake.json(
        &format!("GET /api/v1/requests/{RUN}"),
        200,
        json!({"success": true, "data": {
        "id": RUN, "assets": []}}),
    );
    Desk::beside(&fake).run(&["demo", "--wait"]).ends(1).tells(&["published without a file"]);
}
