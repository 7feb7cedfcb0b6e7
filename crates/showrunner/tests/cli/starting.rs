//! Starting runs and publishing definitions.

use serde_json::json;

use crate::fake::Fake;
use crate::program::{Desk, RUN};

#[test]
fn run_prints_the_id_and_sends_inputs_in_the_types_of_the_schema() {
    let fake = Fake::start();
    let desk = Desk::beside(&fake);
    fake.json("GET /api/v1/definitions/brand-post", 200, json!({
        "slug": "brand-post",
        "input_schema": {"properties": {"brand": {"type": "string"}, "count": {"type": "integer"}}},
    }));
    fake.json("POST /api/v1/runs", 202, json!({"run": {"id": RUN, "status": "pending"}}));
    desk.write("input.json", "{\"language\": \"ja\", \"count\": 1}");
    let said = desk.run(&[
        "run",
        "brand-post",
        "-i",
        "brand=2026",
        "-i",
        "count=3",
        "--input",
        "input.json",
        "--title",
        "秋",
        "--idempotency-key",
        "k1",
        "--budget",
        "0.5",
    ]);
    assert_eq!(said.ends(0).out, format!("{RUN}\n"));
    said.tells(&["showrunner watch run_01k9zw7v5mqe8x"]);
    let asked = fake.asked("/api/v1/runs").pop().unwrap();
    assert_eq!(asked.headers["idempotency-key"], "k1");
    assert_eq!(
        asked.body,
        json!({
            "definition": "brand-post", "title": "秋", "budget": {"usd": 0.5},
            "input": {"language": "ja", "count": 3, "brand": "2026"},
        })
    );
}

#[test]
fn two_runs_without_a_key_have_two_keys() {
    let fake = Fake::start();
    let desk = Desk::beside(&fake);
    fake.json("POST /api/v1/runs", 202, json!({"run": {"id": RUN}}));
    desk.run(&["run", "x"]).ends(0);
    desk.run(&["run", "x"]).ends(0);
    let keys: Vec<String> =
        fake.asked("/api/v1/runs").iter().map(|a| a.headers["idempotency-key"].clone()).collect();
    assert_eq!(keys.len(), 2);
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn every_wrong_input_is_told_at_once() {
    let fake = Fake::start();
    fake.problem(
        "POST /api/v1/runs",
        422,
        "invalid",
        json!({"errors": [
            {"pointer": "/input/brand", "detail": "is required"},
            {"pointer": "/input/count", "detail": "is not an integer"},
        ]}),
    );
    let said = Desk::beside(&fake).run(&["run", "brand-post"]);
    said.ends(1).tells(&["/input/brand: is required", "/input/count: is not an integer"]);
}

#[test]
fn a_file_instead_of_a_name_is_recognised() {
    let fake = Fake::start();
    let desk = Desk::beside(&fake);
    desk.write("mine.yaml", "showrunner: 1\n");
    fake.problem("POST /api/v1/runs", 404, "unknown_definition", json!({}));
    desk.run(&["run", "mine.yaml"]).ends(1).tells(&["showrunner publish mine.yaml"]);
}

#[test]
fn a_refused_definition_is_shown_in_its_authors_lines() {
    let fake = Fake::start();
    let desk = Desk::beside(&fake);
    desk.write("mine.yaml", "showrunner: 1\nid: 秋 の 投稿\n");
    fake.problem(
        "POST /api/v1/definitions",
        422,
        "invalid_definition",
        json!({"errors": [{
            "file": "definition", "line": 2, "column": 5, "path": "id", "what": "not a name",
            "why": "blanks are not allowed", "hint": "write autumn-post",
        }]}),
    );
    let said = desk.run(&["publish", "mine.yaml"]);
    said.ends(1).tells(&[
        "mine.yaml:2:5: not a name",
        "2 | id: 秋 の 投稿",
        "    ^",
        "autumn-post",
    ]);
    fake.json("POST /api/v1/definitions", 201, json!({"slug": "p", "version": 2, "is_new": true}));
    assert_eq!(desk.run(&["publish", "mine.yaml"]).ends(0).out, "p version 2 published\n");
}

#[test]
fn run_and_wait_prints_the_output_and_nothing_else() {
    use crate::fake::{end, event};
    let fake = Fake::start();
    fake.json("POST /api/v1/runs", 202, json!({"run": {"id": RUN}}));
    fake.run(RUN, json!({"status": "completed", "output": {"headline": "朝"}}));
    let parts = vec![event(1, "run.started", json!({})), end("completed")];
    fake.stream(&format!("/api/v1/runs/{RUN}/events"), parts);
    let said = Desk::beside(&fake).run(&["run", "x", "--wait"]);
    assert_eq!(said.ends(0).json(), json!({"headline": "朝"}));
    assert_eq!(said.err, "");
}
