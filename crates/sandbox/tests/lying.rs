//! A process that has been taken over says what it likes. The parent believes none of it. Here the
//! process is a shell that plays what a test wrote down.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "support/support.rs"]
mod support;

use std::path::Path;

use serde_json::{Value, json};
use showrunner_sandbox::{Fault, FetchAnswer, Function, Job, Limits, Outcome, Pool, PoolOptions};
use support::{Books, function};

fn frame(message: &Value) -> Vec<u8> {
    let text = message.to_string().into_bytes();
    let length = u32::try_from(text.len()).unwrap();
    [length.to_be_bytes().to_vec(), text].concat()
}

fn ready() -> Vec<u8> {
    frame(&json!({ "ready": { "is_limited": true, "is_filtered": true, "why": null } }))
}

/// A process that says `first`, and then `again` for ever.
async fn played(first: &[u8], again: &[u8], books: &Books) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let once = write("once", &[ready(), first.to_vec()].concat());
    let over = write("over", &again.repeat(50));
    let script = if again.is_empty() {
        format!("/bin/cat {once}; /bin/cat > /dev/null; :")
    } else {
        format!("/bin/cat {once}; while /bin/cat {over}; do :; done")
    };
    let options = PoolOptions {
        args: vec!["-c".into(), script.into()],
        spare: 0,
        ..PoolOptions::new("/bin/sh")
    };
    assert!(Path::new("/bin/sh").exists());
    let limits = Limits {
        busy_ms: 700,
        wall_ms: 10_000,
        log_bytes: 1_000,
        fetches: 2,
        files: 1,
        file_bytes: 10,
        ..Limits::default()
    };
    let job = Job::Function(Box::new(Function { limits, ..function("export default () => 1") }));
    Pool::new(options).run("t", &job, books).await
}

fn books() -> Books {
    Books::answering(|_, _| Ok(FetchAnswer { status: 200, ..FetchAnswer::default() }))
}

#[tokio::test]
async fn what_is_no_message_ends_it() {
    let wrong: [Vec<u8>; 6] = [
        vec![0xff, 0xff, 0xff, 0xff],
        vec![0, 0, 0, 0],
        vec![0, 0, 0, 2, b'{', b'x'],
        ready(),
        frame(&json!({ "ask": { "exec": "sh" } })),
        frame(&json!({ "done": { "Ok": 1, "Err": 2 } })),
    ];
    for bytes in wrong {
        let outcome = played(&bytes, b"", &books()).await;
        assert!(matches!(outcome.result, Err(Fault::Garbled { .. })), "{bytes:?}: {outcome:?}");
    }
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let text = format!("{{\"done\":{{\"Ok\":{deep}}}}}").into_bytes();
    let bytes = [u32::try_from(text.len()).unwrap().to_be_bytes().to_vec(), text].concat();
    let outcome = played(&bytes, b"", &books()).await;
    assert!(matches!(outcome.result, Err(Fault::Garbled { .. })), "{outcome:?}");
}

#[tokio::test]
async fn what_never_ends_is_ended_and_only_so_much_of_it_is_kept() {
    let line = frame(&json!({ "log": { "level": "info", "text": "x".repeat(100) } }));
    let outcome = played(&line, &line, &books()).await;
    assert_eq!(outcome.result, Err(Fault::Busy { limit_ms: 700 }));
    assert!(outcome.log.len() <= 10, "{}", outcome.log.len());
    let silent = played(&[0, 0, 1, 0, b'{'], b"", &books()).await;
    assert_eq!(silent.result, Err(Fault::Busy { limit_ms: 700 }));
}

#[tokio::test]
async fn it_gets_no_more_than_a_job_may_have() {
    let fetch = |url: &str| {
        frame(&json!({ "ask": { "fetch": {
            "method": "GET", "url": url, "headers": [], "body": null, "timeout_ms": null, "bytes_max": u32::MAX,
        }}}))
    };
    let save = |bytes: &str| {
        frame(&json!({ "ask": { "save": {
            "name": "../../x", "mime": "x", "alt": null, "is_deliverable": false, "bytes": bytes,
        }}}))
    };
    let all = [
        fetch("file:///etc/passwd"),
        fetch("http://a.test/1"),
        fetch("http://a.test/2"),
        fetch("http://a.test/3"),
        save("AAAAAAAAAAAAAAAAAAAAAAAA"),
        save("QUJD"),
        save("QUJD"),
        frame(&json!({ "done": { "Ok": "end" } })),
    ];
    let books = books();
    let outcome = played(&all.concat(), b"", &books).await;
    assert_eq!(outcome.result, Ok(json!("end")));
    let asked: Vec<String> = books.asked().into_iter().map(|request| request.url).collect();
    assert_eq!(asked, ["http://a.test/1"]);
    assert!(books.asked().iter().all(|request| request.bytes_max == Limits::default().fetch_bytes));
    assert_eq!(books.kept().len(), 1);
}
