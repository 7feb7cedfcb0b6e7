//! Who may what: nothing is open that is not said to be, foreign things are missing things, and
//! forms belong to their session.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;

use crate::support::{OWNER, STRANGER, Server, VIEWER, by};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_only_the_open_routes_answer() {
    let server = Server::start().await;
    let document = server.get("/openapi.json").await.json();
    let mut open = Vec::new();
    let mut closed_bodies = std::collections::BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let parts = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
            let filled = parts.collect::<Vec<_>>().join("/");
            let method = method.to_uppercase();
            let request = Request::builder()
                .method(method.as_str())
                .uri(&filled)
                .header("x-request-id", "fixed");
            let answer = server.send(request.body(Body::empty()).unwrap()).await;
            if answer.status == 401 {
                closed_bodies.insert(answer.text.replace(&filled, "PATH"));
            } else {
                open.push(format!("{method} {path}"));
            }
        }
    }
    open.sort();
    let expected = [
        "GET /",
        "GET /api/v1/webhooks/n8n-callback",
        "GET /api/v1/webhooks/provider-callback",
        "GET /healthz",
        "GET /login",
        "GET /openapi.json",
        "GET /problems/{code}",
        "GET /readyz",
        "GET /schemas/definition.json",
        "GET /static/{hash}/{name}",
        // Whoever calls back has no token: signatures decide.
        "POST /api/v1/webhooks/n8n-callback",
        "POST /api/v1/webhooks/provider-callback",
        "POST /login",
        "POST /look",
    ];
    assert_eq!(open, expected);
    assert_eq!(closed_bodies.len(), 1, "every refusal is the same: {closed_bodies:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_and_a_revoked_token_are_refused_alike() {
    let server = Server::start().await;
    let ask = async |token: &str| {
        let request = by(token, Method::GET, "/api/v1/runs").header("x-request-id", "same");
        server.send(request.body(Body::empty()).unwrap()).await
    };
    let wrong = ask("wrong").await;
    assert_eq!(wrong.verdict(), "401 unauthenticated");
    let now = server.runtime.clock().now();
    let org = "default".into();
    let revoked = server.runtime.journal().revoke_token(&org, &format!("tok_{VIEWER}"), now).await;
    assert!(revoked.unwrap());
    assert_eq!(ask(VIEWER).await.text, wrong.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_and_changes_nothing() {
    let server = Server::start().await;
    let id = server.waiting_request().await;
    let see = by(VIEWER, Method::GET, &format!("/api/v1/runs/{id}")).body(Body::empty()).unwrap();
    assert_eq!(server.send(see).await.status, 200);
    for path in [format!("/api/v1/runs/{id}/cancel"), format!("/api/v1/requests/{id}/approve")] {
        let change = by(VIEWER, Method::POST, &path).header("content-type", "application/json");
        let answer = server.send(change.body(Body::from("{}")).unwrap()).await;
        assert_eq!(answer.verdict(), "403 not_allowed", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_others_looks_like_what_is_missing() {
    let server = Server::start().await;
    let id = server.waiting_request().await;
    let asset = server.get(&format!("/api/v1/requests/{id}")).await.json();
    let asset = asset["data"]["assets"][0]["id"].as_str().unwrap().to_owned();
    let paths = [
        format!("/api/v1/runs/{id}"),
        format!("/api/v1/runs/{id}/steps"),
        format!("/api/v1/runs/{id}/events"),
        format!("/api/v1/runs/{id}/events/stream"),
        format!("/api/v1/runs/{id}/assets"),
        format!("/api/v1/runs/{id}/checkpoints/approval"),
        format!("/api/v1/requests/{id}"),
        format!("/api/v1/requests/{id}/tasks"),
        format!("/api/v1/requests/{id}/events"),
        format!("/api/v1/assets/{asset}"),
        format!("/api/v1/assets/{asset}/content"),
        format!("/runs/{id}"),
    ];
    for path in paths {
        let missing = path.replace(&id, "run_x").replace(&asset, "ast_x");
        let ask = async |path: &str| {
            let request = by(STRANGER, Method::GET, path).header("x-request-id", "same");
            let answer = server.send(request.body(Body::empty()).unwrap()).await;
            (
                answer.status,
                answer
                    .text
                    .replace(&id, "ID")
                    .replace("run_x", "ID")
                    .replace(&asset, "ID")
                    .replace("ast_x", "ID"),
            )
        };
        let foreign = ask(&path).await;
        assert_eq!(foreign.0, 404, "{path}");
        assert_eq!(foreign, ask(&missing).await, "{path}");
    }
    for path in [
        "/api/v1/runs",
        "/api/v1/requests",
        "/api/v1/approvals",
        "/api/v1/brands",
        "/api/v1/definitions",
    ] {
        let request = by(STRANGER, Method::GET, path).body(Body::empty()).unwrap();
        assert_eq!(server.send(request).await.json()["data"], json!([]), "{path}");
    }
}

/// Signs in and gives the cookie.
async fn session(server: &Server) -> String {
    let request = Request::get(format!("/login?token={OWNER}")).body(Body::empty()).unwrap();
    let answer = server.send(request).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/"));
    let cookie = answer.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    assert!(!cookie.contains(OWNER), "the token itself stays out of the cookie");
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_signs_in_acts_and_signs_out() {
    let server = Server::start().await;
    let id = server.waiting_request().await;
    let cookie = session(&server).await;
    let page =
        Request::get(format!("/runs/{id}")).header("cookie", &cookie).body(Body::empty()).unwrap();
    let page = server.send(page).await;
    assert_eq!(page.status, 200);
    let key = page
        .text
        .split("name=\"csrf\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let press = async |body: String| {
        let request = Request::post(format!("/runs/{id}/answer/approval"))
            .header("cookie", &cookie)
            .header("content-type", "application/x-www-form-urlencoded");
        server.send(request.body(Body::from(body)).unwrap()).await
    };
    assert_eq!(press("verb=continue".into()).await.verdict(), "403 forged_form");
    assert_eq!(press("verb=continue&csrf=AAAA".into()).await.verdict(), "403 forged_form");
    let done = press(format!("verb=continue&csrf={key}")).await;
    assert_eq!(
        (done.status.as_u16(), done.header("location")),
        (303, format!("/runs/{id}").as_str())
    );
    server.until(&id, "run.completed").await;

    let api = Request::post(format!("/api/v1/runs/{id}/cancel")).header("cookie", &cookie);
    let forged = server.send(api.body(Body::empty()).unwrap()).await;
    assert_eq!(forged.verdict(), "403 forged_form", "a cookie alone changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_does_not_sign_in_and_home_asks_to() {
    let server = Server::start().await;
    let wrong = Request::get("/login?token=wrong").body(Body::empty()).unwrap();
    let wrong = server.send(wrong).await;
    assert_eq!(wrong.status, 403);
    assert_eq!(wrong.header("set-cookie"), "");
    let home = server.send(Request::get("/").body(Body::empty()).unwrap()).await;
    assert_eq!((home.status.as_u16(), home.header("location")), (303, "/login"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_an_id_and_the_headers_that_browsers_obey() {
    let server = Server::start().await;
    for path in ["/healthz", "/api/v1/runs", "/login", "/nothing"] {
        let answer = server.get(path).await;
        assert!(answer.header("x-request-id").starts_with("req_"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(
            answer.header("content-security-policy").contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(!answer.header("content-security-policy").contains("unsafe"), "{path}");
    }
    let given = by(OWNER, Method::GET, "/nothing").header("x-request-id", "mine-7");
    let answer = server.send(given.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.header("x-request-id"), "mine-7");
    assert_eq!(answer.json()["request_id"], "mine-7");
    let odd = by(OWNER, Method::GET, "/nothing").header("x-request-id", "a b<script>");
    let answer = server.send(odd.body(Body::empty()).unwrap()).await;
    assert!(answer.header("x-request-id").starts_with("req_"), "only plain ids are repeated");
}
