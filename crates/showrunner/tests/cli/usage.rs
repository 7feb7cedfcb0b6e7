//! What is typed wrongly is told so, with exit code 2, and nothing is asked of any server.

use crate::fake::Fake;
use crate::program::{Desk, RUN};

#[test]
fn wrong_words_end_with_two_and_say_what_is_possible() {
    let desk = Desk::empty();
    for (args, word) in [
        (vec![], "Usage"),
        (vec!["dance"], "unrecognized subcommand"),
        (vec!["aprove", "x"], "approve"),
        (vec!["runs"], "list"),
        (vec!["watch"], "<RUN>"),
        (vec!["reject", RUN], "--feedback"),
        (vec!["demo", "--aspect", "3:1"], "16:9"),
        (vec!["demo", "--prompt", " "], "--prompt is empty"),
        (vec!["runs", "list", "--limit", "0"], "1..=200"),
        (vec!["run", "x", "--input", "nowhere.json"], "nowhere.json cannot be read"),
        (vec!["retry", RUN, "step", "--edits", "{"], "--edits is not JSON"),
        (vec!["approve", RUN, "--modifications", "[1]"], "must be a JSON object"),
        (vec!["restore", "nowhere", "--data-dir", "new"], "not a folder"),
        (vec!["bench", "--database", "postgres"], "--database-url"),
        (vec!["completions", "tcsh"], "bash"),
        (vec!["run", "x", "--budget", "nan"], "such as --budget 0.50"),
        (vec!["run", "x", "--budget", "inf"], "such as --budget 0.50"),
        (vec!["run", "x", "--budget=-1"], "such as --budget 0.50"),
        (vec!["run", "x", "--budget", "much"], "such as --budget 0.50"),
        (vec!["watch", RUN, "--after", "x"], "or 0 for all"),
        (vec!["events", RUN, "--after", "x"], "or 0 for all"),
        (vec!["serve", "--listen", "foo"], "such as 127.0.0.1:8787"),
    ] {
        let said = desk.run(&args);
        said.ends(2).tells(&[word]);
        assert_eq!(said.out, "", "{args:?}");
    }
}

#[test]
fn help_and_version_are_answers_and_not_mistakes() {
    let desk = Desk::empty();
    assert!(desk.run(&["--help"]).ends(0).out.contains("showrunner demo"));
    assert!(desk.run(&["serve", "--help"]).ends(0).out.contains("--ready-file"));
    assert!(desk.run(&["--version"]).ends(0).out.starts_with("showrunner "));
    assert_eq!(desk.run(&["version", "--json"]).ends(0).json()["name"], "showrunner");
    assert!(desk.run(&["completions", "bash"]).ends(0).out.contains("_showrunner"));
}

#[test]
fn a_server_is_not_opened_to_the_world_by_accident() {
    let desk = Desk::empty();
    let said = desk.run(&["serve", "--listen", "0.0.0.0:0"]);
    said.ends(2).tells(&["other machines", "plain HTTP", "--allow-remote", "127.0.0.1"]);
    assert!(!desk.path("data").exists(), "nothing was made");
}

#[test]
fn serve_refuses_what_it_cannot_mean() {
    let desk = Desk::empty();
    desk.write("faults.json", "{\n  \"a\": oops\n}");
    for (args, word) in [
        (vec!["--scripted-latency-ms", "9..1"], "smaller number first"),
        (vec!["--scripted-faults", "faults.json"], "faults.json:2:8: not JSON"),
        (vec!["--scripted-faults", "none.json"], "none.json cannot be read"),
        (vec!["--database-url", "mysql://x"], "postgres://"),
        (vec!["--listen", "here"], "invalid socket address"),
        (vec!["--scripted-safety", "maybe"], "look-up"),
        (vec!["--limit", "0"], "--limit"),
        (vec!["--log", "showrunner=loud"], "not a log filter"),
    ] {
        let mut whole = vec!["serve"];
        whole.extend(args);
        desk.run(&whole).ends(2).tells(&[word]);
    }
}

#[test]
fn a_taken_port_is_told_before_anything_starts() {
    let (fake, desk) = (Fake::start(), Desk::empty());
    let address = fake.url.trim_start_matches("http://");
    let said = desk.run(&["serve", "--listen", address, "--ready-file", "ready.json"]);
    said.ends(1).tells(&["cannot listen on", "--listen 127.0.0.1:0"]);
    assert!(!desk.path("ready.json").exists());
}

#[test]
fn a_data_folder_that_everybody_may_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::empty();
    std::fs::create_dir(desk.path("open")).unwrap();
    std::fs::set_permissions(desk.path("open"), std::fs::Permissions::from_mode(0o777)).unwrap();
    let said = desk.run(&["serve", "--listen", "127.0.0.1:0", "--data-dir", "open"]);
    said.ends(1).tells(&["everybody may write", "chmod o-w open"]);
}
