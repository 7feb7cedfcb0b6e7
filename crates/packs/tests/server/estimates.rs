//! What a request is expected to take, before and after others like it were published.

use serde_json::{Value, json};

use crate::support::Server;

async fn asked(server: &Server) -> Value {
    let mut brief = server.brief().await;
    brief["auto_approve"] = json!(true);
    let created = server.post("/api/v1/requests", &brief).await;
    assert_eq!(created.status, 202, "{}", created.text);
    created.json()["data"].clone()
}

async fn published(server: &Server) -> Value {
    let accepted = asked(server).await;
    let id = accepted["id"].as_str().unwrap();
    server.until(id, "run.completed").await;
    server.get(&format!("/api/v1/requests/{id}")).await.json()["data"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn estimates_are_the_authors_until_enough_requests_were_published() {
    let server = Server::start().await;
    let first = asked(&server).await;
    let estimate = &first["estimate"];
    assert_eq!((&estimate["based_on"], &estimate["requests"]), (&json!("priors"), &json!(0)));
    assert_eq!(
        (&first["estimated_cost"], &first["estimated_time_seconds"]),
        (&json!(0.08), &json!(55))
    );
    assert_eq!(estimate["cost"], json!({ "low": 0.04, "median": 0.08, "high": 0.16 }));
    let id = first["id"].as_str().unwrap();
    server.until(id, "run.completed").await;
    let request = server.get(&format!("/api/v1/requests/{id}")).await.json();

    let mut costs = vec![request["data"]["actual_cost"].as_f64().unwrap()];
    for _ in 0..5 {
        let request = published(&server).await;
        let (actual, expected) = (&request["actual_cost"], &request["estimated_cost"]);
        costs.push(actual.as_f64().unwrap());
        let difference = request["cost_difference"].as_f64().unwrap();
        let exact = actual.as_f64().unwrap() - expected.as_f64().unwrap();
        assert!((difference - exact).abs() < 1e-9, "{request:#}");
        let time = ["working_time_seconds", "estimated_time_seconds", "time_difference_seconds"];
        let [worked, expected, difference] = time.map(|name| request[name].as_f64().unwrap());
        assert!(worked <= request["actual_time_seconds"].as_f64().unwrap());
        // The number in the answer is rounded up to whole seconds.
        assert!((worked - expected - difference).abs() <= 1.0, "{request:#}");
    }
    let next = asked(&server).await;
    let estimate = &next["estimate"];
    assert_eq!(estimate["based_on"], "actuals");
    assert!(estimate["requests"].as_u64().unwrap() >= 5);
    let [low, median, high] =
        ["low", "median", "high"].map(|name| estimate["cost"][name].as_f64().unwrap());
    assert!(low <= median && median <= high, "{estimate}");
    assert!(costs.contains(&median), "{median} is not among {costs:?}");
    assert_eq!(next["estimated_cost"], json!(median));
    let kept = server.get(&format!("/api/v1/requests/{}", next["id"].as_str().unwrap())).await;
    assert_eq!(&kept.json()["data"]["estimate"], estimate, "it stays what was said");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_in_which_a_person_is_asked_is_no_work() {
    let server = Server::start().await;
    let id = server.waiting_request().await;
    let waiting = server.get(&format!("/api/v1/requests/{id}")).await.json()["data"].clone();
    assert_eq!(
        (&waiting["cost_difference"], &waiting["working_time_seconds"]),
        (&Value::Null, &Value::Null)
    );
    let approved = server.post(&format!("/api/v1/requests/{id}/approve"), &json!({})).await;
    assert_eq!(approved.status, 200, "{}", approved.text);
    server.until(&id, "run.completed").await;
    let request = server.get(&format!("/api/v1/requests/{id}")).await.json()["data"].clone();
    let [worked, whole] =
        ["working_time_seconds", "actual_time_seconds"].map(|name| request[name].as_f64().unwrap());
    let asked = server.get(&format!("/api/v1/runs/{id}/checkpoints/approval")).await.json();
    assert!(asked["closed_at"].is_string() || asked["status"] != "open", "{asked}");
    assert!(worked < whole, "{worked} s of {whole} s");
}
