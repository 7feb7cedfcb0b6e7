//! The work: content requests, and runs of one definition a step kind, each started by a client
//! that keeps on until it has been told that its work is accepted.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::Client;
use super::dice::Dice;

/// How a run is expected to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Completed,
    Failed,
    Cancelled,
}

impl Expected {
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A piece of work, before anybody was asked for it.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// The idempotency key; also in the title, so that a doubled run is seen.
    pub(crate) key: String,
    path: &'static str,
    body: Value,
    pub(crate) expected: Expected,
    /// Sent once more after it was accepted.
    is_repeated: bool,
}

/// A piece of work that was accepted.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) is_request: bool,
    pub(crate) expected: Expected,
}

/// The definitions of the work.
const DEFINITIONS: [&str; 8] = [
    include_str!("definitions/chain.yaml"),
    include_str!("definitions/fan.yaml"),
    include_str!("definitions/rounds.yaml"),
    include_str!("definitions/asked.yaml"),
    include_str!("definitions/family.yaml"),
    include_str!("definitions/outside.yaml"),
    include_str!("definitions/refused.yaml"),
    include_str!("definitions/long.yaml"),
];

/// Publishes the definitions; doing it again changes nothing.
pub(crate) async fn publish(client: &Client) {
    for source in DEFINITIONS {
        let answer = client.post("/api/v1/definitions", &json!({ "source": source })).await;
        assert!([200, 201].contains(&answer.status), "{}", String::from_utf8_lossy(&answer.bytes));
    }
}

/// The seeded brand.
pub(crate) async fn brand(client: &Client) -> String {
    client.read("/api/v1/brands").await["data"][0]["id"].as_str().unwrap().to_owned()
}

/// So many content requests, half of which a person approves.
pub(crate) fn requests(brand: &str, count: usize) -> Vec<Order> {
    let aspects = ["1:1", "16:9", "9:16"];
    let order = |n: usize| {
        let is_sent_back = n % 8 == 3;
        let key = format!("request-{n:03}{}", if is_sent_back { "-again" } else { "" });
        let body = json!({
            "brand_id": brand,
            "title": key,
            "request_type": "image",
            "prompt": format!("A calm morning with coffee number {n}, warm light, no people"),
            "aspect_ratio": aspects[n % 3],
            "auto_approve": n.is_multiple_of(2),
        });
        let path = "/api/v1/requests";
        Order { key, path, body, expected: Expected::Completed, is_repeated: n.is_multiple_of(3) }
    };
    (0..count).map(order).collect()
}

/// So many rounds of one run of each definition.
pub(crate) fn runs(rounds: usize) -> Vec<Order> {
    let topics = |n: usize| (0..4 + n % 4).map(|item| format!("topic {n}.{item}")).collect();
    let kinds = |n: usize| -> Vec<(&'static str, Value, Expected)> {
        let topics: Vec<String> = topics(n);
        let topic = json!({ "topic": format!("autumn {n}") });
        vec![
            ("proof-chain", topic.clone(), Expected::Completed),
            ("proof-fan", json!({ "topics": topics }), Expected::Completed),
            ("proof-rounds", topic.clone(), Expected::Completed),
            ("proof-asked", topic.clone(), Expected::Completed),
            ("proof-family", topic.clone(), Expected::Completed),
            ("proof-outside", json!({ "order": format!("order-{n}") }), Expected::Completed),
            ("proof-refused", topic.clone(), Expected::Failed),
            ("proof-long", topic, Expected::Cancelled),
        ]
    };
    let order = |n: usize, (definition, input, expected): (&'static str, Value, Expected)| {
        let again = if n % 2 == 1 { "-again" } else { "" };
        let key = format!("{definition}-{n:03}{again}");
        let body = json!({ "definition": definition, "input": input, "title": key });
        Order { key, path: "/api/v1/runs", body, expected, is_repeated: n.is_multiple_of(2) }
    };
    (0..rounds).flat_map(|n| kinds(n).into_iter().map(move |kind| order(n, kind))).collect()
}

/// Waits its time, asks until it is told that the work is accepted, and sometimes asks again.
pub(crate) async fn place(client: Client, order: Order, wait: Duration) -> Accepted {
    tokio::time::sleep(wait).await;
    let answer = client.post_as(&order.key, order.path, &order.body).await.is(202);
    let id = id_of(&answer.json());
    if order.is_repeated {
        let again = client.post_as(&order.key, order.path, &order.body).await.is(202);
        assert_eq!(id_of(&again.json()), id, "the same key is the same work");
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
    }
    if order.expected == Expected::Cancelled {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let path = format!("/api/v1/runs/{id}/cancel");
        let answer = client.post(&path, &json!({ "reason": "enough" })).await;
        // Refused when the answer to the first try got lost.
        assert!([200, 409].contains(&answer.status), "{answer:?}");
    }
    let is_request = order.path == "/api/v1/requests";
    Accepted { id, title: order.key, is_request, expected: order.expected }
}

fn id_of(answer: &Value) -> String {
    let id = answer["run"]["id"].as_str().or_else(|| answer["data"]["id"].as_str());
    id.unwrap_or_else(|| panic!("no id in {answer}")).to_owned()
}

/// The moments at which the work arrives.
pub(crate) fn spread(dice: &mut Dice, over: Duration) -> Duration {
    Duration::from_millis(dice.between(0, u64::try_from(over.as_millis()).unwrap()))
}
