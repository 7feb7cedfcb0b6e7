//! Finding the server, and what is told when it is not there or says no.

use serde_json::json;

use crate::fake::Fake;
use crate::program::{Desk, RUN};

#[test]
fn nobody_there_ends_with_three_and_says_how_to_start() {
    let desk = Desk::empty();
    let said = desk.run(&["runs", "list"]);
    said.ends(3).tells(&["no server is running here", "showrunner serve", "data/server.json"]);
    let said = desk.run(&["runs", "list", "--url", "http://127.0.0.1:1"]);
    said.ends(3).tells(&["no answer from http://127.0.0.1:1", "showrunner serve"]);
    desk.run(&["demo"]).ends(3).tells(&["in another terminal"]);
}

#[test]
fn under_json_a_fault_is_an_object_on_standard_output() {
    let fault = Desk::empty().run(&["runs", "list", "--json"]).ends(3).json();
    assert_eq!(fault["error"]["exit"], 3);
    assert_eq!(fault["error"]["what"], "no server is running here");
    assert!(fault["error"]["hints"][0].as_str().unwrap().contains("showrunner serve"));
}

#[test]
fn a_server_that_has_ended_is_known_by_its_process() {
    let desk = Desk::empty();
    // The process of a command that has ended and was waited for is nobody's any more.
    let mut gone = std::process::Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    desk.write_server("http://127.0.0.1:1", gone.id());
    desk.run(&["runs", "list"]).ends(3).tells(&["not running any more", "it goes on where it was"]);
}

#[test]
fn a_wrong_address_is_wrong_usage() {
    let desk = Desk::empty();
    for url in ["127.0.0.1:8787", "ftp://x", "nonsense"] {
        desk.run(&["runs", "list", "--url", url]).ends(2).tells(&["not a server's address"]);
    }
}

#[test]
fn a_wrong_or_missing_token_is_refused_and_says_where_to_get_one() {
    let (fake, desk) = (Fake::start(), Desk::empty());
    let said = desk.run(&["runs", "list", "--url", &fake.url, "--token", "hush"]);
    said.ends(1).tells(&["unauthenticated", "not accepted", "SHOWRUNNER_TOKEN"]);
    desk.run(&["runs", "list", "--url", &fake.url]).ends(1).tells(&["no token was sent"]);
    assert!(!said.err.contains("hush"), "the token itself is not repeated");
}

#[test]
fn the_environment_serves_as_well_as_the_flags() {
    let (fake, desk) = (Fake::start(), Desk::empty());
    fake.json("GET /api/v1/runs", 200, json!({"data": [], "next_cursor": null}));
    let mut command = desk.command(&["runs", "list", "--json"]);
    command.env("SHOWRUNNER_URL", &fake.url).env("SHOWRUNNER_TOKEN", crate::fake::TOKEN);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_local_address_uses_the_local_token_and_no_proxy() {
    let fake = Fake::start();
    let desk = Desk::beside(&fake);
    fake.json("GET /api/v1/runs", 200, json!({"data": [], "next_cursor": null}));
    desk.run(&["runs", "list", "--url", &fake.url]).ends(0).tells(&["No runs"]);
}

#[test]
fn something_else_at_the_address_is_not_taken_for_a_server() {
    let fake = Fake::start();
    fake.bytes("/api/v1/runs", "text/html", b"<h1>Welcome to nginx</h1>");
    let said = Desk::beside(&fake).run(&["runs", "list"]);
    said.ends(3).tells(&["something else answers", "text/html"]);
}

#[test]
fn a_full_disk_is_passed_on_with_the_advice_to_try_again() {
    let fake = Fake::start();
    fake.problem(
        &format!("POST /api/v1/runs/{RUN}/cancel"),
        503,
        "not_stored",
        json!({"retryable": true}),
    );
    let said = Desk::beside(&fake).run(&["cancel", RUN]);
    said.ends(1).tells(&["not stored", "try it again later", "nothing was changed", "req_1"]);
}
