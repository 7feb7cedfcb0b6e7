//! Forged callbacks: every way of signing that is not the right one, at the door of n8n's reports.
//! What they would have done if they had been believed is seen in the run, which must not change.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

use crate::callbacks::{N8N, SECRET, Stage, WHSEC, hex, sign};

/// One attempt: what it is, its headers, its body.
struct Case {
    name: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// The entry of `webhook-signature` under a key, by the standard's text.
fn standard(key: &[u8], id: &str, at: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(format!("{id}.{at}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

fn key() -> Vec<u8> {
    STANDARD.decode(WHSEC.strip_prefix("whsec_").unwrap()).unwrap()
}

/// The source's header.
fn hex_cases(body: &str) -> Vec<Case> {
    let right = sign(SECRET, body);
    let raw: Vec<u8> =
        (0..32).map(|n| u8::from_str_radix(&right[2 * n..2 * n + 2], 16).unwrap()).collect();
    let mut flipped = raw.clone();
    flipped[31] ^= 1;
    let texts = [
        ("empty", String::new()),
        ("blank", " ".into()),
        ("short", right[..62].into()),
        ("half", right[..32].into()),
        ("one letter", right[..1].into()),
        ("odd length", right[..63].into()),
        ("longer", format!("{right}00")),
        ("twice", format!("{right}{right}")),
        ("last bit", hex(&flipped)),
        (
            "first digit",
            format!("{}{}", if right.starts_with('0') { '1' } else { '0' }, &right[1..]),
        ),
        ("base64 of it", STANDARD.encode(&raw)),
        ("base64 of its text", STANDARD.encode(&right)),
        ("with its name", format!("sha256={right}")),
        ("with 0x", format!("0x{right}")),
        ("no hexadecimal", "z".repeat(64)),
        ("zeros", "0".repeat(64)),
        ("null", "null".into()),
        ("a list", format!("{right},{right}")),
        ("a list with a blank", format!("{right} {right}")),
        ("the secret itself", SECRET.into()),
        ("another secret", sign("other", body)),
        ("the empty secret", sign("", body)),
        ("another case of the secret", sign("N8N-HUSH", body)),
        ("a secret with a blank", sign("n8n-hush ", body)),
        ("another body", sign(SECRET, "{}")),
        ("no body", sign(SECRET, "")),
        ("the body with a newline", sign(SECRET, &format!("{body}\n"))),
        ("the body in other words", sign(SECRET, &body.replace(':', ": "))),
    ];
    let case = |(name, text): (&str, String)| Case {
        name: format!("x-n8n-signature: {name}"),
        headers: vec![("x-n8n-signature", text)],
        body: body.to_owned(),
    };
    texts.map(case).into()
}

/// The right signature, in a wrong place or over something else.
fn misplaced_cases(body: &str) -> Vec<Case> {
    let right = sign(SECRET, body);
    let changed = |name: &str, sent: String| Case {
        name: format!("right signature, {name}"),
        headers: vec![("x-n8n-signature", right.clone())],
        body: sent,
    };
    let mut cases = vec![
        changed("one byte more", format!("{body} ")),
        changed("one byte less", body[..body.len() - 1].to_owned()),
        changed("a byte in front", format!(" {body}")),
        changed("another status", body.replace("completed", "failed")),
        changed("another task", body.replace(":shoot", ":shoot2")),
        changed("written anew", serde_json::to_string_pretty(&json!({ "a": body })).unwrap()),
        changed("empty", String::new()),
        changed("something else", "[]".into()),
    ];
    cases.push(Case { name: "nothing".into(), headers: vec![], body: body.to_owned() });
    cases.push(Case {
        name: "there twice".into(),
        headers: vec![("x-n8n-signature", right.clone()), ("x-n8n-signature", right.clone())],
        body: body.to_owned(),
    });
    cases.push(Case {
        name: "right and wrong".into(),
        headers: vec![("x-n8n-signature", right.clone()), ("x-n8n-signature", "00".into())],
        body: body.to_owned(),
    });
    for other in ["x-hub-signature-256", "x-signature", "x-webhook-signature", "authorization"] {
        cases.push(Case {
            name: format!("under {other}"),
            headers: vec![(other, right.clone())],
            body: body.to_owned(),
        });
    }
    cases
}

/// The headers of Standard Webhooks.
fn standard_cases(body: &str, now: i64) -> Vec<Case> {
    let at = now.to_string();
    let right = standard(&key(), "m-1", &at, body);
    let with = |name: &str, id: &str, at: &str, signature: String| Case {
        name: format!("standard: {name}"),
        headers: vec![
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", at.to_owned()),
            ("webhook-signature", signature),
        ],
        body: body.to_owned(),
    };
    let timed = |name: &str, at: &str| with(name, "m-1", at, standard(&key(), "m-1", at, body));
    let bare = right.trim_start_matches("v1,").to_owned();
    let mut many: Vec<String> =
        (0..49).map(|n| standard(b"other", &n.to_string(), &at, body)).collect();
    many.push(right.clone());
    let mut cases = vec![
        timed("too old", &(now - 301 - 60).to_string()),
        timed("too far ahead", &(now + 301 + 60).to_string()),
        timed("long ago", "1"),
        timed("at zero", "0"),
        timed("negative", "-5"),
        timed("no number", "NaN"),
        timed("a fraction", &format!("{now}.5")),
        timed("2^63", "9223372036854775808"),
        timed("many digits", &"9".repeat(400)),
        timed("with a sign", &format!("+{now}")),
        timed("with a blank", &format!("{now} ")),
        timed("hexadecimal", &format!("0x{now:x}")),
        timed("in milliseconds", &(now * 1000).to_string()),
        timed("empty time", ""),
        with("another time than signed", "m-1", &(now - 1).to_string(), right.clone()),
        with("another id than signed", "m-2", &at, right.clone()),
        with("empty id", "", &at, standard(&key(), "", &at, body)),
        with("a dot in the id", "m.1", &at, standard(&key(), "m.1", &at, body)),
        with("a blank in the id", "m 1", &at, standard(&key(), "m 1", &at, body)),
        with("a long id", &"m".repeat(300), &at, standard(&key(), &"m".repeat(300), &at, body)),
        with("empty signature", "m-1", &at, String::new()),
        with("no version", "m-1", &at, bare.clone()),
        with("another version", "m-1", &at, format!("v1a,{bare}")),
        with("version 2", "m-1", &at, format!("v2,{bare}")),
        with("hexadecimal", "m-1", &at, format!("v1,{}", sign("x", body))),
        with("cut", "m-1", &at, right[..20].to_owned()),
        with("no base64", "m-1", &at, "v1,!!!!".into()),
        with("another secret", "m-1", &at, standard(b"other", "m-1", &at, body)),
        with("the secret as text", "m-1", &at, standard(WHSEC.as_bytes(), "m-1", &at, body)),
        with("the empty secret", "m-1", &at, standard(b"", "m-1", &at, body)),
        with("another body", "m-1", &at, standard(&key(), "m-1", &at, "{}")),
        with("behind fifty others", "m-1", &at, many.join(" ")),
        with("separated by commas", "m-1", &at, format!("v1,AAAA,{bare}")),
    ];
    for missing in 0..3 {
        let mut case = with("one is missing", "m-1", &at, right.clone());
        let (name, _) = case.headers.remove(missing);
        case.name = format!("standard: {name} is missing");
        cases.push(case);
    }
    for twice in 0..3 {
        let mut case = with("one is there twice", "m-1", &at, right.clone());
        case.headers.push(case.headers[twice].clone());
        cases.push(case);
    }
    let mut beside =
        with("wrong, beside a wrong one of the source's", "m-1", &at, "v1,AAAA".into());
    beside.headers.push(("x-n8n-signature", "00".into()));
    cases.push(beside);
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_forged_is_believed() {
    let stage = Stage::set().await;
    let run = stage.filming().await;
    let body = json!({
        "request_task_id": format!("{run}:shoot"), "status": "completed",
        "output_url": "http://evil.example/film.mp4",
    })
    .to_string();
    let now = stage.clock_secs();
    let mut cases = hex_cases(&body);
    cases.extend(misplaced_cases(&body));
    cases.extend(standard_cases(&body, now));
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let before = stage.events_of(&run).await;
    for case in &cases {
        let headers: Vec<(&str, &str)> =
            case.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = stage.call(N8N, &headers, &case.body).await;
        let verdict = answer.verdict();
        assert_eq!(verdict, "401 bad_signature", "{}: {}", case.name, answer.text);
        assert!(!answer.text.contains("hush") && !answer.text.contains("whsec_"), "{}", case.name);
    }
    assert_eq!(stage.events_of(&run).await, before);
    let kept = stage.server.runtime.journal().kept_callbacks("n8n", 10).await.unwrap();
    assert_eq!(kept, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_rightly_is_believed_once() {
    let stage = Stage::set().await;
    let body = json!({ "request_task_id": "run_x:shoot", "status": "completed" }).to_string();
    let at = stage.clock_secs().to_string();
    // Nobody knows the task; but that is said only to whom is believed.
    for secret in [SECRET, "being-replaced", WHSEC] {
        let answer = stage.call(N8N, &[("x-n8n-signature", &sign(secret, &body))], &body).await;
        assert_eq!(answer.verdict(), "404 unknown_task", "{secret}");
        let capital = sign(secret, &body).to_uppercase();
        let answer = stage.call(N8N, &[("x-n8n-signature", &capital)], &body).await;
        assert_eq!(answer.verdict(), "404 unknown_task", "{secret}, in capitals");
    }
    let run = stage.filming().await;
    let report = json!({ "request_task_id": format!("{run}:shoot"), "status": "failed" });
    let report = report.to_string();
    let right = standard(&key(), "m-1", &at, &report);
    let list = format!("v1,AAAA v2,BBBB {right}");
    let headers =
        [("webhook-id", "m-1"), ("webhook-timestamp", at.as_str()), ("webhook-signature", &list)];
    assert_eq!(stage.call(N8N, &headers, &report).await.status, 200);
    stage.server.until(&run, "attempt.failed").await;
    let before = stage.events_of(&run).await;
    // Caught and sent once more, within the time that a signature lives.
    let replayed = stage.call(N8N, &headers, &report).await;
    assert_eq!(replayed.json()["idempotent"], true, "{}", replayed.text);
    // Under the same id another message, rightly signed.
    let other = report.replace("failed", "completed");
    let signed = standard(&key(), "m-1", &at, &other);
    let headers =
        [("webhook-id", "m-1"), ("webhook-timestamp", at.as_str()), ("webhook-signature", &signed)];
    assert_eq!(stage.call(N8N, &headers, &other).await.verdict(), "409 replayed");
    assert_eq!(stage.events_of(&run).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_other_kinds_are_not_read() {
    let stage = Stage::set().await;
    let send = async |kind: &'static str, body: &str| {
        let signature = sign(SECRET, body);
        let headers = [("x-n8n-signature", signature.as_str())];
        stage.call_as(N8N, kind, &headers, body).await.verdict()
    };
    for kind in
        ["multipart/form-data; boundary=x", "text/plain", "application/x-www-form-urlencoded"]
    {
        assert_eq!(send(kind, "{}").await, "415 unsupported_media_type", "{kind}");
    }
    let json = "application/json";
    assert_eq!(send(json, "not json").await, "400 malformed_json");
    assert_eq!(send(json, "").await, "400 malformed_json");
    assert_eq!(send(json, &"[".repeat(10_000)).await, "400 too_deep");
    assert_eq!(send(json, &format!("\"{}\"", "x".repeat(300_000))).await, "413 too_large");
    let missing = send(json, "{}").await;
    assert_eq!(missing, "400 bad_callback");
    let path = json!({ "request_task_id": "../../etc/passwd:x", "status": "completed" });
    assert_eq!(send(json, &path.to_string()).await, "404 unknown_task");
}
