#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use std::fmt::Write as _;

use expect_test::expect;
use serde_json::json;

use super::*;

/// 2026-11-20 12:00:00 UTC.
const NOW: Timestamp = Timestamp(1_795_176_000_000_000);

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

fn failure(status: Option<u16>, body: &Value, lines: &[(&'static str, &str)]) -> CallFailure {
    let problem = Problem::of_value(body).unwrap_or_default();
    let problem = match status {
        Some(status) => problem.with_head(status, &headers(lines), NOW),
        None => problem,
    };
    problem.into_failure("vendor", false)
}

#[test]
fn a_typed_code_says_more_than_its_status() {
    let anthropic =
        |kind: &str| json!({ "type": "error", "error": { "type": kind, "message": "m" } });
    let openai = |kind: &str, code: Value| json!({ "error": { "type": kind, "code": code, "message": "m" } });
    let google = |status: &str, details: Value| json!({ "error": { "code": 400, "status": status, "details": details } });
    let spent = json!({ "error": { "type": "rate_limit_error", "details": { "error_code": "enforced_spend_limit_reached" } } });
    let cases = [
        (Some(401), anthropic("authentication_error")),
        (Some(402), anthropic("billing_error")),
        (Some(404), anthropic("not_found_error")),
        (Some(413), anthropic("request_too_large")),
        (Some(429), anthropic("rate_limit_error")),
        (Some(429), spent),
        (Some(500), anthropic("api_error")),
        (Some(529), anthropic("overloaded_error")),
        (None, anthropic("overloaded_error")),
        (None, anthropic("invalid_request_error")),
        (Some(400), openai("invalid_request_error", Value::Null)),
        (Some(401), openai("invalid_request_error", json!("invalid_api_key"))),
        (Some(404), openai("invalid_request_error", json!("model_not_found"))),
        (Some(429), openai("insufficient_quota", json!("insufficient_quota"))),
        (Some(429), openai("requests", json!("rate_limit_exceeded"))),
        (Some(400), openai("invalid_request_error", json!("content_policy_violation"))),
        (None, json!({ "error": { "code": 402, "message": "more credits" } })),
        (None, json!({ "error": { "code": 502, "message": "upstream" } })),
        (Some(503), json!({ "error": "loading the model" })),
        (Some(400), google("INVALID_ARGUMENT", json!([]))),
        (Some(400), google("INVALID_ARGUMENT", json!([{ "reason": "API_KEY_INVALID" }]))),
        (Some(429), json!([{ "error": { "code": 429, "status": "RESOURCE_EXHAUSTED" } }])),
        (Some(418), json!({ "teapot": true })),
        (None, json!({ "error": {} })),
    ];
    let mut table = String::new();
    for (status, body) in cases {
        let failure = failure(status, &body, &[]);
        let status = status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        writeln!(table, "{status} {} {} {:?}", failure.code, failure.class.name(), failure.outcome)
            .unwrap();
    }
    expect![[r#"
        401 authentication_error provider Refused
        402 billing_error quota_exceeded Refused
        404 not_found_error provider Refused
        413 request_too_large validation Refused
        429 rate_limit_error rate_limited Refused
        429 enforced_spend_limit_reached quota_exceeded Refused
        500 api_error transient Unknown
        529 overloaded_error transient Refused
        - overloaded_error transient Refused
        - invalid_request_error validation Refused
        400 invalid_request_error validation Refused
        401 invalid_api_key provider Refused
        404 model_not_found provider Refused
        429 insufficient_quota quota_exceeded Refused
        429 rate_limit_exceeded rate_limited Refused
        400 content_policy_violation provider Refused
        - http_402 quota_exceeded Refused
        - http_502 transient Unknown
        503 http_503 transient Refused
        400 invalid_argument validation Refused
        400 api_key_invalid provider Refused
        429 resource_exhausted rate_limited Refused
        418 http_418 validation Refused
        - vendor_error transient Unknown
    "#]]
    .assert_eq(&table);
}

#[test]
fn what_had_begun_may_have_been_billed_whatever_is_said() {
    let body = json!({ "error": { "type": "overloaded_error" } });
    let begun = Problem::of_value(&body).unwrap().into_failure("vendor", true);
    assert_eq!(begun.outcome, Outcome::Unknown);
    assert_eq!(begun.class, ErrorClass::Transient);
}

#[test]
fn how_long_to_wait_is_read_from_wherever_a_vendor_says_it() {
    let body = json!({ "error": { "type": "rate_limit_error" } });
    let wait = |lines: &[(&'static str, &str)]| {
        failure(Some(429), &body, lines).retry_after.map(|wait| wait.0)
    };
    let day = Some(RETRY_AFTER_MAX.0);
    for (lines, expected) in [
        (&[("retry-after", "7")][..], Some(7_000)),
        (&[("retry-after-ms", "1500"), ("retry-after", "9")], Some(1_500)),
        (&[("retry-after-ms", "12.7")], Some(12)),
        (&[("retry-after-ms", "-4"), ("retry-after", "2")], Some(2_000)),
        (&[("retry-after", "-3")], None),
        (&[("retry-after", "999999999999")], day),
        (&[("retry-after-ms", "99999999999999")], day),
        (&[("retry-after", "Fri, 20 Nov 2026 12:00:30 GMT")], Some(30_000)),
        (&[("retry-after", "Fri, 20 Nov 2026 11:00:00 GMT")], Some(0)),
        (
            &[
                ("x-ratelimit-remaining-requests", "0"),
                ("x-ratelimit-reset-requests", "1m3s"),
                ("x-ratelimit-remaining-tokens", "12"),
                ("x-ratelimit-reset-tokens", "5h0m0s"),
            ],
            Some(63_000),
        ),
        (&[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "20ms")], Some(20)),
        (
            &[
                ("anthropic-ratelimit-input-tokens-remaining", "0"),
                ("anthropic-ratelimit-input-tokens-reset", "2026-11-20T12:01:00Z"),
                ("anthropic-ratelimit-requests-remaining", "3"),
                ("anthropic-ratelimit-requests-reset", "2026-11-20T13:00:00Z"),
            ],
            Some(60_000),
        ),
        (&[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "soon")], None),
        (&[], None),
    ] {
        assert_eq!(wait(lines), expected, "{lines:?}");
    }
    let google = json!({ "error": { "code": 429, "status": "RESOURCE_EXHAUSTED", "details": [
        { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.074824224s" },
    ] } });
    assert_eq!(failure(Some(429), &google, &[]).retry_after, Some(Millis(34_074)));
}

#[test]
fn a_request_is_named_and_a_strangers_words_are_made_harmless() {
    let long = "x".repeat(400);
    let body =
        json!({ "error": { "type": "api_error", "message": format!("no\n\u{1b}[31m {long}") } });
    let failure = failure(Some(500), &body, &[("request-id", "req_011"), ("x-evil", "a")]);
    assert_eq!(failure.request_id.as_deref(), Some("req_011"));
    assert!(failure.message.ends_with("… (request req_011)"), "{}", failure.message);
    assert!(failure.message.len() < 400 && !failure.message.contains('\u{1b}'));
    let nameless = Problem::default().with_head(500, &headers(&[("request-id", "a b")]), NOW);
    assert_eq!(nameless.request_id, None);
}
