//! Doctor, backup, restore, verify.

use serde_json::json;

use crate::fake::Fake;
use crate::program::Desk;

#[test]
fn doctor_looks_at_everything_and_says_what_to_do() {
    let fake = Fake::start();
    let desk = Desk::beside(&fake);
    fake.json(
        "GET /api/v1/system",
        200,
        json!({"version": env!("CARGO_PKG_VERSION"), "database": "SQLite"}),
    );
    fake.json("GET /readyz", 200, json!({"role": "owner"}));
    fake.json("GET /api/v1/providers", 200, json!([{"name": "scripted", "mode": "scripted"}]));
    let said = desk.run(&["doctor", "--json", "--listen", "127.0.0.1:0"]);
    let report = said.json();
    let findings = report["findings"].as_array().unwrap();
    let grade = |name: &str| findings.iter().find(|f| f["name"] == name).unwrap()["grade"].clone();
    for name in
        ["data folder", "disk", "SQLite", "fonts", "clock", "port", "server", "role", "providers"]
    {
        assert!(["ok", "note", "bad"].contains(&grade(name).as_str().unwrap()), "{name}");
    }
    assert_eq!([grade("data folder"), grade("server"), grade("providers")], ["ok", "ok", "ok"]);
    assert!(findings.iter().all(|f| f["grade"] == "ok" || f["todo"].is_string()));
    assert!(findings.iter().any(|f| f["what"].as_str().unwrap().contains("scripted (simulated)")));
}

#[test]
fn doctor_fails_when_something_is_bad() {
    let desk = Desk::empty();
    desk.write("data", "a file where the folder should be");
    let said = desk.run(&["doctor", "--data-dir", "/proc/nowhere", "--listen", "127.0.0.1:0"]);
    said.ends(1).tells(&["checks are bad", "showrunner doctor"]);
    assert!(said.out.contains("✗ data folder") && said.out.contains("→"), "{}", said.out);
}

#[test]
fn a_running_server_makes_its_own_backup_into_an_empty_folder() {
    let fake = Fake::start();
    let desk = Desk::beside(&fake);
    fake.json("POST /api/v1/system/backup", 200, json!({"path": "/b", "bytes": 10, "runs": 2}));
    let said = desk.run(&["backup", "kept"]);
    assert!(said.ends(0).out.contains("2 runs, 10 bytes"), "{}", said.out);
    let to = fake.asked("/api/v1/system/backup")[0].body["to"].as_str().unwrap().to_owned();
    assert!(to.starts_with('/') && to.ends_with("/kept"), "{to}");
    desk.run(&["backup", "data"]).ends(1).tells(&["data is not empty"]);
}

#[test]
fn restore_never_writes_over_what_is_there() {
    let desk = Desk::empty();
    std::fs::create_dir_all(desk.path("kept")).unwrap();
    std::fs::create_dir_all(desk.path("mine")).unwrap();
    desk.write("mine/showrunner.db", "precious");
    desk.run(&["restore", "kept"]).ends(2).tells(&["--data-dir"]);
    desk.run(&["restore", "kept", "--data-dir", "mine"]).ends(1).tells(&["mine is not empty"]);
    assert_eq!(std::fs::read_to_string(desk.path("mine/showrunner.db")).unwrap(), "precious");
}

#[test]
fn a_broken_chain_is_a_failure_that_names_the_place() {
    let fake = Fake::start();
    let desk = Desk::beside(&fake);
    fake.json("POST /api/v1/system/verify", 200, json!({"runs": 3, "batches": 9, "broken": []}));
    assert_eq!(desk.run(&["verify"]).ends(0).out, "3 runs, 9 batches, 0 broken\n");
    let broken = json!([{"run": "run_x", "seq": 7, "what": "the hash does not follow"}]);
    fake.json(
        "POST /api/v1/system/verify",
        200,
        json!({"runs": 3, "batches": 9, "broken": broken}),
    );
    desk.run(&["verify"]).ends(1).tells(&["run_x event 7: the hash does not follow", "restore"]);
    desk.run(&["verify", "--data-dir", "empty"]).ends(3).tells(&["there is no data"]);
}
