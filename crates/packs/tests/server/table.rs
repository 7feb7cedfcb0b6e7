//! The route table is the whole truth: what is described can be reached, and nothing else can.

use axum::body::Body;
use axum::http::Method;
use serde_json::Value;

use crate::support::{Server, as_owner};

/// Every method and path of the document, with something put into the places.
async fn described(server: &Server) -> Vec<(Method, String, Value)> {
    let document = server.get("/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            found.push((method, path.clone(), operation.clone()));
        }
    }
    found
}

fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_that_is_described_is_there_and_answers_as_described() {
    let server = Server::start().await;
    let routes = described(&server).await;
    assert!(routes.len() > 50, "{} routes", routes.len());
    for (method, path, operation) in routes {
        let stream = ["stream_all_events"].contains(&operation["operationId"].as_str().unwrap());
        if stream {
            continue; // never ends
        }
        let request = as_owner(method.clone(), &filled(&path)).body(Body::empty()).unwrap();
        let answer = server.send(request).await;
        let status = answer.status.as_u16();
        assert_ne!(status, 405, "{method} {path}");
        assert!(
            !answer.text.contains("\"code\":\"not_found\"") || path.contains('{'),
            "{method} {path}: {}",
            answer.text
        );
        assert!(status < 500, "{method} {path}: {status} {}", answer.text);
        let known = operation["responses"].as_object().unwrap();
        assert!(
            known.contains_key(&status.to_string()),
            "{method} {path}: {status} is not described"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_have_one_name_each_and_every_reference_resolves() {
    let server = Server::start().await;
    let document = server.get("/openapi.json").await.json();
    let mut names = std::collections::BTreeSet::new();
    for (_, path, operation) in described(&server).await {
        let name = operation["operationId"].as_str().unwrap().to_owned();
        assert!(names.insert(name.clone()), "{name} twice, at {path}");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{name} says nothing");
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer} does not resolve");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_changes_something_honours_a_key_or_says_what_repeating_does() {
    let server = Server::start().await;
    let mut keyed = Vec::new();
    for (method, path, operation) in described(&server).await {
        if method == Method::GET || !path.starts_with("/api/") {
            continue;
        }
        let parameters = operation["parameters"].as_array().unwrap();
        let says = operation["description"].as_str().is_some_and(|words| !words.is_empty());
        if parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key") {
            keyed.push(operation["operationId"].as_str().unwrap().to_owned());
        } else {
            assert!(says, "{method} {path} does not say what sending it again does");
        }
    }
    keyed.sort();
    assert_eq!(keyed, ["create_request", "fork_run", "start_run"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_the_table_is_not_there() {
    let server = Server::start().await;
    for path in
        ["/api/v1/nothing", "/api/v2/runs", "/runs/x/nothing", "/static", "/favicon.ico", "/api"]
    {
        assert_eq!(server.get(path).await.verdict(), "404 not_found", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_methods_are_refused_with_those_that_exist() {
    let server = Server::start().await;
    let send = async |method: Method, path: &str| {
        server.send(as_owner(method, path).body(Body::empty()).unwrap()).await
    };
    let refused = send(Method::DELETE, "/api/v1/runs").await;
    assert_eq!(refused.verdict(), "405 method_not_allowed");
    let mut allowed: Vec<&str> = refused.header("allow").split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
    let options = send(Method::OPTIONS, "/healthz").await;
    assert_eq!((options.status.as_u16(), options.header("allow")), (204, "GET,HEAD"));
    let head = send(Method::HEAD, "/healthz").await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_problem_code_has_its_page() {
    let server = Server::start().await;
    for code in showrunner_web::problem::CODES {
        let page = server.get(&format!("/problems/{}", code.code)).await;
        assert_eq!(page.status, 200, "{}", code.code);
        assert!(page.text.starts_with(&format!("# {}", code.title)));
    }
    assert_eq!(server.get("/problems/unheard_of").await.verdict(), "404 not_found");
}
