//! `validate`: an author's mistakes in the author's own lines.

use std::path::Path;

use serde_json::json;

use crate::program::Desk;

const WRONG: &str = "showrunner: 1
id: 朝の投稿
title: { en: Morning post }
input: { type: object }
steps:
  - id: write
    agent: copywriter
    input:
      brief: \"{{ input.breif }}\"
    colour: red
";

#[test]
fn the_examples_of_this_repository_are_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/definitions");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().display().to_string())
        .filter(|name| Path::new(name).extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let mut args = vec!["validate"];
    args.extend(files.iter().map(String::as_str));
    let said = Desk::empty().run(&args);
    assert_eq!(said.ends(0).out.lines().count(), files.len());
    assert!(said.out.lines().all(|line| line.contains(": valid, ")), "{}", said.out);
}

#[test]
fn a_mistake_has_its_place_its_line_a_caret_a_reason_and_a_way_out() {
    let desk = Desk::empty();
    desk.write("post.yaml", WRONG);
    let said = desk.run(&["validate", "post.yaml"]);
    said.ends(1).tells(&["1 of 1 files cannot be accepted"]);
    assert!(said.out.contains("post.yaml:10:5: "), "{}", said.out);
    assert!(said.out.contains(" 10 |     colour: red\n    |     ^\n"), "{}", said.out);
    assert!(said.out.contains("   why  "), "{}", said.out);
}

#[test]
fn under_json_all_problems_of_all_files_are_one_object() {
    let desk = Desk::empty();
    desk.write("post.yaml", WRONG);
    desk.write("broken.yaml", "steps: [");
    let report = desk.run(&["validate", "post.yaml", "broken.yaml", "--json"]).ends(1).json();
    assert_eq!(report["valid"], json!(false));
    let problem = &report["files"][0]["problems"][0];
    assert_eq!(problem["file"], "post.yaml");
    assert!(problem["line"].as_u64().unwrap() > 0 && problem["column"].as_u64().unwrap() > 0);
    assert!(!report["files"][1]["problems"].as_array().unwrap().is_empty());
}

#[test]
fn what_cannot_be_read_is_told_as_such() {
    let desk = Desk::empty();
    desk.run(&["validate", "none.yaml"]).ends(2).tells(&["none.yaml cannot be read"]);
    std::fs::write(desk.path("latin.yaml"), b"id: caf\xe9\n").unwrap();
    desk.run(&["validate", "latin.yaml"]).ends(1).tells(&["not UTF-8", "byte 8"]);
    desk.write("huge.yaml", &"#".repeat(2_000_000));
    desk.run(&["validate", "huge.yaml"]).ends(1).tells(&["larger than 1048576 bytes"]);
    desk.run(&["validate", "-"]).ends(1);
}

#[test]
fn whom_nobody_here_knows_is_said_and_is_no_mistake() {
    let desk = Desk::empty();
    let child = "showrunner: 1\nid: child\nsteps: [{ id: a, agent: copywriter }]\n";
    let parent = "showrunner: 1\nid: parent\nsteps:\n  - { id: a, agent: copywritter }\n  \
                  - { id: b, orchestration: child }\n  - { id: c, orchestration: parent }\n  \
                  - { id: d, orchestration: elsewhere }\n";
    desk.write("child.yaml", child);
    desk.write("parent.yaml", parent);
    let said = desk.run(&["validate", "parent.yaml", "child.yaml"]);
    said.ends(0).tells(&[
        "parent.yaml:4:21: no shipped agent is called `copywritter`",
        "shows when you publish this; did you mean `copywriter`?",
        "parent.yaml:7:29: none of these files has the definition `elsewhere`",
    ]);
    let report = desk.run(&["validate", "parent.yaml", "child.yaml", "--json"]).ends(0).json();
    assert_eq!(report["valid"], json!(true));
    let notes = report["files"][0]["notes"].as_array().unwrap();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert_eq!(report["files"][1]["notes"], json!([]));
}
