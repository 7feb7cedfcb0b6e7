//! The screens, as they are without any script.

use axum::body::Body;
use axum::http::Method;

use serde_json::json;
use showrunner_engine::failure::ErrorClass;
use showrunner_providers::CallSafety;
use showrunner_providers::scripted::{Effect, Fault, FaultPlan, FaultRule, ScriptedConfig};

use crate::support::{Server, as_owner};

/// A page in a language.
async fn page(server: &Server, path: &str, language: &str) -> String {
    let request = as_owner(Method::GET, path)
        .header("accept", "text/html")
        .header("cookie", format!("sr_lang={language}"));
    let answer = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.text
}

/// What every page must have for those who do not see it.
fn check(path: &str, page: &str, language: &str) {
    assert!(page.contains(&format!("<html lang=\"{language}\"")), "{path}: lang");
    assert_eq!(page.matches("<h1").count(), 1, "{path}: one h1");
    assert_eq!(page.matches("<main").count(), 1, "{path}: one main");
    assert!(!page.contains(" style=\""), "{path}: the policy forbids inline styles");
    assert!(!page.contains("<script>"), "{path}: the policy forbids inline scripts");
    for image in page.split("<img ").skip(1) {
        let tag = image.split('>').next().unwrap();
        assert!(tag.contains(" alt=\"") && !tag.contains(" alt=\"\""), "{path}: {tag}");
    }
    let mut ids: Vec<&str> =
        page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "{path}: an id stands twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_screen_is_whole_in_both_languages() {
    let server = Server::start().await;
    let empty = page(&server, "/", "en").await;
    assert!(
        empty.contains("Run the demo") && empty.contains("showrunner demo"),
        "the empty state helps"
    );
    let id = server.waiting_request().await;
    let run = format!("/runs/{id}");
    for language in ["en", "ja"] {
        for path in [
            "/",
            "/runs",
            &run,
            "/new",
            "/new?sample=1",
            "/new?type=video_with_vo",
            "/new?type=video_no_vo&sample=1",
            "/definitions",
            "/definitions/content-request-image",
            "/definitions/content-request-video-with-vo",
            "/webhooks",
            "/login",
        ] {
            let shown = page(&server, path, language).await;
            check(path, &shown, language);
        }
    }
    let english = page(&server, &run, "en").await;
    for words in [
        "Approval waits for a decision.",
        "Approve and publish",
        "Request revision",
        "Simulated",
        "Publish “Daybreak Blend”",
    ] {
        assert!(english.contains(words), "{words}");
    }
    let japanese = page(&server, &run, "ja").await;
    for words in ["「承認」が判断を待っています。", "承認して公開", "差し戻し", "シミュレーション"]
    {
        assert!(japanese.contains(words), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_makes_a_request_and_says_what_is_wrong() {
    let server = Server::start().await;
    let send = async |body: &str| {
        let request = as_owner(Method::POST, "/new")
            .header("content-type", "application/x-www-form-urlencoded");
        server.send(request.body(Body::from(body.to_owned())).unwrap()).await
    };
    let brand = server.brand().await;
    let wrong = send(&format!("brand_id={brand}&title=&prompt=A+quiet+kitchen")).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains("A quiet kitchen"), "what was typed is still there");
    assert!(wrong.text.contains("role=\"alert\""));
    let right =
        send(&format!("brand_id={brand}&title=Launch&prompt=A+quiet+kitchen&aspect_ratio=16%3A9"))
            .await;
    assert_eq!(right.status, 303, "{}", right.text);
    let run = right.header("location").to_owned();
    let id = run.strip_prefix("/runs/").unwrap();
    server.until(id, "checkpoint.opened").await;
    let data = server.get(&format!("/api/v1/requests/{id}")).await.json();
    let asset = &data["data"]["assets"][0];
    assert!(asset["width"].as_u64() > asset["height"].as_u64());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_button_really_starts_something() {
    let server = Server::start().await;
    let request =
        as_owner(Method::POST, "/demo").header("content-type", "application/x-www-form-urlencoded");
    let started = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(started.status, 303, "{}", started.text);
    let id = started.header("location").strip_prefix("/runs/").unwrap().to_owned();
    server.until(&id, "checkpoint.opened").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_of_films_asks_what_films_need() {
    let server = Server::start().await;
    let form = page(&server, "/new?type=video_with_vo", "en").await;
    for field in ["duration_seconds", "voice_id", "script_text"] {
        assert!(form.contains(&format!("name=\"{field}\"")), "{field}");
    }
    let silent = page(&server, "/new?type=video_no_vo", "en").await;
    assert!(silent.contains("duration_seconds") && !silent.contains("script_text"));
    assert!(!page(&server, "/new", "en").await.contains("duration_seconds"));
    let brand = server.brand().await;
    let send = async |seconds: &str| {
        let request = as_owner(Method::POST, "/new")
            .header("content-type", "application/x-www-form-urlencoded");
        let body = format!(
            "brand_id={brand}&request_type=video_with_vo&title=Launch&prompt=A+quiet+kitchen\
             &duration_seconds={seconds}&script_text=One.%0D%0A%0D%0ATwo.&voice_id=male"
        );
        server.send(request.body(Body::from(body)).unwrap()).await
    };
    let wrong = send("4").await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains("value=\"4\"") && wrong.text.contains("One."), "kept as typed");
    let right = send("6").await;
    assert_eq!(right.status, 303, "{}", right.text);
    let id = right.header("location").strip_prefix("/runs/").unwrap().to_owned();
    server.until(&id, "checkpoint.opened").await;
    let data = server.get(&format!("/api/v1/requests/{id}")).await.json();
    assert_eq!(data["data"]["assets"][0]["duration_seconds"], 6.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_errs_gets_a_page_that_helps() {
    let server = Server::start().await;
    let request = as_owner(Method::GET, "/runs/run_nothing").header("accept", "text/html");
    let answer = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 404);
    assert!(answer.header("content-type").starts_with("text/html"));
    assert!(answer.text.contains("/problems/unknown_run") && answer.text.contains("req_"));
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_words_stay_words() {
    let server = Server::start().await;
    let mut brief = server.brief().await;
    brief["title"] = serde_json::json!("<script>alert(1)</script>\" onload=\"x");
    brief["prompt"] = serde_json::json!("</textarea><img src=x onerror=alert(1)>");
    let created = server.post("/api/v1/requests", &brief).await.json();
    let id = created["data"]["id"].as_str().unwrap();
    server.until(id, "checkpoint.opened").await;
    for path in ["/", "/runs", &format!("/runs/{id}")] {
        let shown = page(&server, path, "en").await;
        assert!(!shown.contains("<script>alert") && !shown.contains("<img src=x"), "{path}");
    }
}

/// A call whose answer was lost, at a provider that nobody can ask.
fn losing_one_answer() -> ScriptedConfig {
    let fault =
        Fault::Fail { class: ErrorClass::Network, effect: Effect::After, retry_after_ms: None };
    let rule = FaultRule {
        agent: "*".into(),
        step: "*".into(),
        first: Some(1),
        per_step: false,
        share_permille: None,
        fault,
    };
    let faults = FaultPlan { rules: vec![rule] };
    ScriptedConfig { faults, safety: CallSafety::Neither, ..ScriptedConfig::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doubt_that_counts_as_failed_says_what_it_cost() {
    let server = Server::start_with(losing_one_answer()).await;
    let source = "showrunner: 1\nid: doubted\nsteps:\n  - { id: a, agent: copywriter, retry: { attempts: 1 } }\n";
    let published = server.post("/api/v1/definitions", &json!({ "source": source })).await;
    assert_eq!(published.status, 201, "{}", published.text);
    let started = server.post("/api/v1/runs", &json!({ "definition": "doubted" })).await.json();
    let id = started["run"]["id"].as_str().unwrap();
    server.until(id, "attempt.in_doubt").await;
    let run = server.get(&format!("/api/v1/runs/{id}")).await.json();
    assert!(run["allowed"].as_array().unwrap().contains(&json!("resolve")), "{run}");

    let path = format!("/runs/{id}");
    for (language, label) in
        [("en", "What it cost all the same, in US dollars"), ("ja", "実際にかかった費用(米ドル)")]
    {
        let shown = page(&server, &path, language).await;
        check(&path, &shown, language);
        assert!(shown.contains(label) && shown.contains("name=\"cost_usd\""), "{shown}");
    }
    let settle = async |cost: &str| {
        let csrf = field(&page(&server, &path, "en").await, "csrf");
        let request = as_owner(Method::POST, &format!("/runs/{id}/resolve/a"))
            .header("content-type", "application/x-www-form-urlencoded");
        let form = format!("csrf={csrf}&verdict=failed&cost_usd={cost}");
        server.send(request.body(Body::from(form)).unwrap()).await
    };
    for wrong in ["NaN", "-1", "much", "inf"] {
        assert_eq!(settle(wrong).await.status, 422, "{wrong}");
    }
    let settled = settle("0.25").await;
    assert_eq!(settled.status, 303, "{}", settled.text);
    server.until(id, "run.failed").await;
    let run = server.get(&format!("/api/v1/runs/{id}")).await.json();
    assert_eq!(run["cost_micros"], 250_000);
}

/// The value of a hidden field.
fn field(page: &str, name: &str) -> String {
    let rest = page.split(&format!("name=\"{name}\" value=\"")).nth(1);
    rest.and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
}
