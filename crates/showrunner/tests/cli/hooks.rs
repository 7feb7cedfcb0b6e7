//! Webhooks from a terminal.

use serde_json::json;

use crate::fake::Fake;
use crate::program::Desk;

const ENDPOINTS: &str = "/api/v1/webhooks/endpoints";

#[test]
fn a_new_endpoints_secret_is_all_that_goes_to_standard_output() {
    let fake = Fake::start();
    let made = json!({ "endpoint": { "id": "whe_1" }, "secret": "whsec_abc" });
    fake.json(&format!("POST {ENDPOINTS}"), 201, made.clone());
    fake.json(&format!("POST {ENDPOINTS}/whe_1/rotate"), 200, made);
    let desk = Desk::beside(&fake);
    let said = desk.run(&["webhooks", "add", "https://example.com/h", "--event", "run.failed"]);
    said.ends(0).tells(&["whe_1", "not shown again", "showrunner webhooks test whe_1"]);
    assert_eq!(said.out, "whsec_abc\n");
    let expected =
        json!({ "url": "https://example.com/h", "events": ["run.failed"], "description": "" });
    assert_eq!(fake.asked(ENDPOINTS)[0].body, expected);
    desk.run(&["webhooks", "rotate", "whe_1", "--overlap", "2"]).ends(0);
    let rotated = fake.asked(&format!("{ENDPOINTS}/whe_1/rotate"));
    assert_eq!(rotated[0].body, json!({ "overlap_seconds": 7200 }));
}

#[test]
fn endpoints_and_deliveries_are_lists() {
    let fake = Fake::start();
    let endpoint = |id: &str, enabled: bool| {
        json!({
            "id": id, "url": "https://example.com/h", "events": [], "enabled": enabled,
            "disabled_reason": (!enabled).then_some("it answered 410 Gone"),
        })
    };
    let list = json!({ "data": [endpoint("whe_1", true), endpoint("whe_2", false)] });
    fake.json(&format!("GET {ENDPOINTS}"), 200, list);
    let delivery = json!({
        "id": "dlv_1", "event": "run.completed", "status": "failed", "attempts": 10,
        "created_at": "2026-11-20T12:00:00.000000Z", "last_status": 503,
    });
    fake.json("GET /api/v1/webhooks/deliveries", 200, json!({ "data": [delivery] }));
    let queued = json!({ "id": "dlv_2", "event": "run.completed", "endpoint": "whe_1" });
    fake.json("POST /api/v1/webhooks/deliveries/dlv_1/resend", 202, queued);
    let desk = Desk::beside(&fake);
    let said = desk.run(&["webhooks", "list"]);
    said.ends(0);
    assert!(said.out.contains("whe_1") && said.out.contains("410 Gone"), "{}", said.out);
    let said = desk.run(&["webhooks", "deliveries", "--status", "failed"]);
    said.ends(0);
    assert!(said.out.contains("dlv_1") && said.out.contains("503"), "{}", said.out);
    let said = desk.run(&["webhooks", "resend", "dlv_1"]);
    said.ends(0);
    assert_eq!(said.out, "dlv_2 is queued: run.completed\n");
}
