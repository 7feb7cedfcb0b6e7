//! Watching: the whole story, once, whatever happens to the connection.

use std::io::{BufRead, BufReader};
use std::sync::Arc;

use serde_json::json;
use tokio::sync::Notify;

use crate::fake::{Fake, Part, end, event};
use crate::program::{Desk, RUN};

fn events() -> String {
    format!("/api/v1/runs/{RUN}/events")
}

fn last_ids(fake: &Fake) -> Vec<String> {
    fake.asked(&events()).iter().map(|asked| asked.headers["last-event-id"].clone()).collect()
}

/// A run whose stream is cut in the middle; the second connection repeats what was seen.
fn cut_in_the_middle() -> Fake {
    let fake = Fake::start();
    fake.run(RUN, json!({}));
    let begin = [
        event(1, "run.started", json!({})),
        event(2, "step.started", json!({"step": "strategist", "attempt": 1})),
    ];
    fake.stream(&events(), begin.to_vec());
    fake.stream(
        &events(),
        vec![
            begin[1].clone(),
            event(3, "step.succeeded", json!({"step": "strategist"})),
            Part::Text("event: ping\ndata: {\"head\": 3}\n\n".to_owned()),
            event(4, "run.completed", json!({})),
            end("completed"),
        ],
    );
    fake
}

#[test]
fn a_cut_stream_is_taken_up_behind_the_last_event_and_nothing_is_told_twice() {
    let fake = cut_in_the_middle();
    let said = Desk::beside(&fake).run(&["watch", RUN]);
    said.ends(0).tells(&["connection lost", "connected again"]);
    let story: Vec<&str> = said.err.lines().filter(|line| line.starts_with("2026-")).collect();
    let line = |text: &str| format!("2026-11-20T02:00:05+00:00 {RUN} {text}");
    assert_eq!(
        story,
        [
            line("run started"),
            line("step strategist running (attempt 1)"),
            line("step strategist succeeded 4.0s"),
            line("run completed"),
        ]
    );
    assert_eq!(last_ids(&fake), ["0", "2"]);
    assert_eq!(said.out, "", "talk is not data");
}

#[test]
fn under_json_each_event_is_a_line_and_the_end_is_the_last() {
    let fake = cut_in_the_middle();
    let lines = Desk::beside(&fake).run(&["watch", RUN, "--json"]).ends(0).lines();
    let told: Vec<String> = lines
        .iter()
        .map(|line| format!("{} {}", line["seq"], line["type"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        ["1 run.started", "2 step.started", "3 step.succeeded", "4 run.completed", "null end",]
    );
    assert!(lines.iter().all(|line| line["run"] == RUN));
    assert_eq!(lines[4]["status"], "completed");
}

#[test]
fn a_server_that_comes_back_on_another_port_is_found_again() {
    let (first, second) = (Fake::start(), Fake::start());
    let killed = Arc::new(Notify::new());
    first.run(RUN, json!({}));
    let begin = vec![event(1, "run.started", json!({})), Part::Wait(Arc::clone(&killed))];
    first.stream(&events(), begin);
    second.run(RUN, json!({}));
    second.stream(&events(), vec![event(2, "run.completed", json!({})), end("completed")]);
    let desk = Desk::beside(&first);
    let mut child = desk.command(&["watch", RUN]).spawn().unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    err.read_line(&mut line).unwrap();
    assert!(line.contains("run started"), "{line}");
    desk.write_server(&second.url, std::process::id());
    killed.notify_one();
    let rest: Vec<String> = err.lines().map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("run completed")), "{rest:?}");
    assert_eq!(last_ids(&second), ["1"]);
}

#[test]
fn a_failed_run_ends_with_one_and_says_why() {
    let fake = Fake::start();
    fake.run(RUN, json!({"status": "failed"}));
    let failure = json!({"class": "validation", "message": "the brief is empty"});
    fake.stream(
        &events(),
        vec![event(1, "run.failed", json!({"failure": failure})), end("failed")],
    );
    let said = Desk::beside(&fake).run(&["watch", RUN]);
    said.ends(1).tells(&["run failed: the brief is empty", "showrunner runs show"]);
}

#[test]
fn a_question_says_what_to_type_and_an_old_one_does_not() {
    let fake = Fake::start();
    fake.run(RUN, json!({"seq": 3}));
    let asks =
        |seq| event(seq, "checkpoint.opened", json!({"step": "approval", "question": "公開?"}));
    let answer = json!({"step": "approval", "answer": {"verb": "retry", "by": "sato"}});
    fake.stream(
        &events(),
        vec![
            asks(1),
            event(2, "checkpoint.answered", answer),
            event(3, "step.started", json!({"step": "strategist", "attempt": 2})),
            asks(4),
            end("completed"),
        ],
    );
    let said = Desk::beside(&fake).run(&["watch", RUN]);
    said.ends(0).tells(&["waits for a decision: 公開?", "answered with retry by sato"]);
    assert_eq!(
        said.err.matches("showrunner approve run_01k9zw7v5mqe8x").count(),
        1,
        "{}",
        said.err
    );
}

#[test]
fn ctrl_c_detaches_and_says_how_to_come_back() {
    let fake = Fake::start();
    fake.run(RUN, json!({}));
    let never = Arc::new(Notify::new());
    fake.stream(&events(), vec![event(1, "run.started", json!({})), Part::Wait(never)]);
    let desk = Desk::beside(&fake);
    let mut child = desk.command(&["watch", RUN]).spawn().unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    err.read_line(&mut line).unwrap();
    assert!(line.contains("run started"), "{line}");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let rest: Vec<String> = err.lines().map(Result::unwrap).collect();
    let rest = rest.join("\n");
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest}");
    assert!(
        rest.contains("goes on") && rest.contains("showrunner watch run_01k9zw7v5mqe8x"),
        "{rest}"
    );
}

#[test]
fn an_unknown_run_is_told_at_once() {
    let fake = Fake::start();
    Desk::beside(&fake).run(&["watch", RUN]).ends(1).tells(&["not_found"]);
    let said = Desk::beside(&fake).run(&["watch", "../etc"]);
    said.ends(2).tells(&["not a run's id"]);
    assert!(fake.asked("/etc").is_empty());
}

#[test]
fn several_runs_are_watched_at_once_and_the_worst_decides() {
    let other = "run_01k9zw7v5mqe8x2r4t6y8p0abd";
    let fake = Fake::start();
    fake.run(RUN, json!({"status": "completed"})).run(other, json!({"status": "cancelled"}));
    fake.stream(&events(), vec![event(1, "run.completed", json!({})), end("completed")]);
    fake.stream(&format!("/api/v1/runs/{other}/events"), vec![end("cancelled")]);
    let said = Desk::beside(&fake).run(&["watch", RUN, other]);
    said.ends(1).tells(&[&format!("{other} cancelled"), "completed"]);
}
