//! Lists, events, ids, files.

use serde_json::{Value, json};

use crate::fake::{Fake, TOKEN};
use crate::program::{Desk, RUN, Said};

fn listed(ids: &[&str]) -> Value {
    let runs: Vec<Value> = ids
        .iter()
        .map(|id| json!({
            "id": id, "status": "waiting", "phase": "qa", "title": "朝の一杯が、一日を変える。",
            "definition": {"slug": "content-request-image", "version": 1}, "cost_micros": 80_000,
            "progress": {"done": 5, "total": 8}, "started_at": "2026-11-20T02:00:00.000000Z",
            "simulated": true, "waits": [{"step": null, "for": "time"}],
        }))
        .collect();
    json!({"data": runs, "next_cursor": null})
}

#[test]
fn the_list_is_a_table_whose_columns_stand_under_each_other() {
    let fake = Fake::start();
    fake.json("GET /api/v1/runs", 200, listed(&[RUN, "run_01k9zw7v5mqe8x2r4t6y8p0abd"]));
    let said = Desk::beside(&fake).run(&["runs", "list", "--status", "waiting", "--text", "一 杯"]);
    let lines: Vec<&str> = said.ends(0).out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", said.out);
    assert!(lines[0].starts_with("RUN") && lines[1].contains("$0.08 sim"), "{}", said.out);
    let at = |line: &str, word: &str| line.find(word).unwrap();
    assert_eq!(at(lines[0], "STATUS"), at(lines[1], "waiting"));
    let query = &fake.asked("/api/v1/runs")[0].query;
    assert_eq!(query, "limit=20&status=waiting&text=%E4%B8%80%20%E6%9D%AF");
}

#[test]
fn a_run_may_be_named_by_its_beginning_or_as_the_newest() {
    let fake = Fake::start();
    let desk = Desk::beside(&fake);
    fake.json("GET /api/v1/runs", 200, listed(&[RUN, "run_01aaaaaaaaaaaaaaaaaaaaaaaa"]));
    fake.json(
        &format!("POST /api/v1/runs/{RUN}/pause"),
        202,
        json!({"run": {"id": RUN, "status": "paused"}}),
    );
    for name in ["run_01K9", "01k9zw", "-", "@last", RUN] {
        assert_eq!(desk.run(&["pause", name]).ends(0).out, format!("{RUN} paused\n"), "{name}");
    }
    desk.run(&["pause", "run_01"]).ends(2).tells(&[
        "2 runs begin with run_01",
        RUN,
        "more of the id",
    ]);
    desk.run(&["pause", "run_09"]).ends(1).tells(&["no run's id begins with run_09"]);
    fake.json("GET /api/v1/runs", 200, listed(&[]));
    desk.run(&["pause", "@last"]).ends(1).tells(&["there is no run yet", "showrunner demo"]);
}

#[test]
fn one_run_in_detail_says_what_is_possible() {
    let fake = Fake::start();
    let wait = json!({"step": "approval", "for": "person", "until": "2026-11-21T00:00:00Z"});
    fake.run(RUN, json!({"status": "waiting", "waits": [wait]}));
    let desk = Desk::beside(&fake);
    let said = desk.run(&["runs", "show", RUN, "--lang", "ja"]);
    said.ends(0).tells(&["showrunner approve run_01k9zw7v5mqe8x", "showrunner cancel"]);
    for word in
        ["朝の一杯", "waiting", "$0.03 (simulated)", "approval for person, until 2026-11-21"]
    {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
    let whole = desk.run(&["runs", "show", RUN, "--json"]).ends(0).json();
    assert_eq!(
        (whole["id"].as_str(), whole["steps"][0]["key"].as_str()),
        (Some(RUN), Some("strategist"))
    );
}

fn with_events(count: u64) -> Fake {
    let fake = Fake::start();
    let data: Vec<Value> = (1..=count)
        .map(|seq| {
            json!({"seq": seq, "at": "2026-11-20T02:00:05.000000Z", "type": "step.started",
                          "step": "strategist", "attempt": seq})
        })
        .collect();
    fake.json(
        &format!("GET /api/v1/runs/{RUN}/events"),
        200,
        json!({"data": data, "next_after": count}),
    );
    fake
}

#[test]
fn events_are_lines_and_under_json_the_events_themselves() {
    let fake = with_events(3);
    let desk = Desk::beside(&fake);
    let said = desk.run(&["events", RUN]);
    let first = "    1  2026-11-20T02:00:05.000000Z  step.started             step strategist running (attempt 1)";
    assert_eq!(said.ends(0).out.lines().next(), Some(first));
    let asked: Vec<String> =
        fake.asked(&format!("/api/v1/runs/{RUN}/events")).iter().map(|a| a.query.clone()).collect();
    assert_eq!(asked, ["after=0&limit=200", "after=3&limit=200"]);
    let lines = desk.run(&["events", RUN, "--json"]).lines();
    assert_eq!(lines[2]["attempt"], 3);
}

#[test]
fn a_reader_who_goes_away_ends_it_quietly() {
    let fake = with_events(5_000);
    let desk = Desk::beside(&fake);
    let mut child = desk.command(&["events", RUN]).spawn().unwrap();
    drop(child.stdout.take());
    let said = Said::from(child.wait_with_output().unwrap());
    said.ends(0);
    assert_eq!(said.err, "");
}

#[test]
fn approvals_are_listed_with_their_question() {
    let fake = Fake::start();
    fake.json(
        "GET /api/v1/approvals",
        200,
        json!({"data": [{
        "run": RUN, "step": "approval", "question": "Publish?", "question_ja": "公開しますか?",
        "opened_at": "2026-11-20T02:00:05Z",
    }], "next_cursor": null}),
    );
    let said = Desk::beside(&fake).run(&["approvals", "--lang", "ja"]);
    assert!(said.ends(0).out.contains("公開しますか?"), "{}", said.out);
    said.tells(&["showrunner approve run_01k9zw7v5mqe8x"]);
}

#[test]
fn files_are_downloaded_whole_and_checked_or_not_at_all() {
    let fake = Fake::start();
    let desk = Desk::beside(&fake);
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let asset = |sha256: &str| {
        json!({"data": [{
            "id": "ast_1", "kind": "image", "mime": "image/png", "width": 2, "height": 1, "bytes": 3,
            "sha256": sha256, "url": "/api/v1/assets/ast_1/content",
        }]})
    };
    fake.json(&format!("GET /api/v1/runs/{RUN}/assets"), 200, asset(abc));
    fake.bytes("/api/v1/assets/ast_1/content", "image/png", b"abc");
    let said = desk.run(&["assets", "get", RUN, "--out", "files"]);
    assert!(
        said.ends(0).out.contains(&format!("files/run_01k9zw7v5mqe8x-1.png  2×1  3 bytes  {abc}"))
    );
    assert_eq!(std::fs::read(desk.path("files/run_01k9zw7v5mqe8x-1.png")).unwrap(), b"abc");

    let other = abc.replace('b', "c");
    fake.json(&format!("GET /api/v1/runs/{RUN}/assets"), 200, asset(&other));
    let said = desk.run(&["assets", "get", RUN, "--out", "bad"]);
    said.ends(1).tells(&["does not have the promised content", abc, &other]);
    assert_eq!(std::fs::read_dir(desk.path("bad")).unwrap().count(), 0, "nothing half is left");
}

#[test]
fn the_token_is_not_sent_to_another_server() {
    let (fake, elsewhere) = (Fake::start(), Fake::start());
    elsewhere.bytes("/picture.png", "image/png", b"abc");
    fake.json(
        &format!("GET /api/v1/runs/{RUN}/assets"),
        200,
        json!({"data": [{
            "id": "ast_1", "mime": "image/png", "bytes": 3, "sha256": "",
            "url": format!("{}/picture.png", elsewhere.url),
        }]}),
    );
    Desk::beside(&fake).run(&["assets", "get", RUN]).ends(0);
    let asked = elsewhere.asked("/picture.png").pop().unwrap();
    assert!(!asked.headers.values().any(|value| value.contains(TOKEN)), "{asked:?}");
}
