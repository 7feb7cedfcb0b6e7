//! Live streams: whatever happens to the connection, what was seen together is the journal.

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Frame, Server, as_owner};

/// What the journal says, as pages of events.
async fn journal(server: &Server, run: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut after = 0;
    loop {
        let page =
            server.get(&format!("/api/v1/runs/{run}/events?after={after}&limit=7")).await.json();
        let data = page["data"].as_array().unwrap().clone();
        if data.is_empty() {
            return all;
        }
        after = page["next_after"].as_u64().unwrap();
        all.extend(data);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_the_journal_in_order_and_ends_with_the_run() {
    let server = Server::start().await;
    let mut brief = server.brief().await;
    brief["auto_approve"] = json!(true);
    let created = server.post("/api/v1/requests", &brief).await.json();
    let id = created["data"]["id"].as_str().unwrap();
    let mut stream = server.stream(id, 0).await; // while it runs
    let mut frames = Vec::new();
    while let Some(frame) = stream.next().await {
        frames.push(frame);
    }
    let end = frames.pop().unwrap();
    assert_eq!(end.event, "end");
    assert_eq!(serde_json::from_str::<Value>(&end.data).unwrap()["status"], "completed");
    let told: Vec<Value> = frames.iter().map(|f| serde_json::from_str(&f.data).unwrap()).collect();
    assert_eq!(told, journal(&server, id).await);
    let ids: Vec<u64> = frames.iter().map(|f| f.id.unwrap()).collect();
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>(), "no gap");
    for frame in &frames {
        let data: Value = serde_json::from_str(&frame.data).unwrap();
        assert_eq!(data["type"], json!(frame.event));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn breaking_off_anywhere_loses_and_repeats_nothing() {
    let server = Server::start().await;
    for take in 1..=6 {
        let mut brief = server.brief().await;
        brief["auto_approve"] = json!(true);
        let created = server.post("/api/v1/requests", &brief).await.json();
        let id = created["data"]["id"].as_str().unwrap();
        let mut seen: Vec<Frame> = Vec::new();
        'connections: loop {
            let after = seen.last().and_then(|frame| frame.id).unwrap_or(0);
            let mut stream = server.stream(id, after).await;
            for _ in 0..take {
                match stream.next().await {
                    Some(frame) if frame.event == "end" => break 'connections,
                    Some(frame) => seen.push(frame),
                    None => break,
                }
            } // and the connection breaks
        }
        let told: Vec<Value> =
            seen.iter().map(|f| serde_json::from_str(&f.data).unwrap()).collect();
        assert_eq!(told, journal(&server, id).await, "breaking off after {take} events");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_falls_far_behind_reads_the_journal_and_misses_nothing() {
    let server = Server::start().await;
    let id = server.waiting_request().await;
    let mut slow = server.stream(&id, 0).await;
    assert!(slow.next().await.is_some(), "it has begun to read");
    // More appends than the feed keeps for anybody.
    for _ in 0..700 {
        for what in ["pause", "resume"] {
            let done = server.post(&format!("/api/v1/runs/{id}/{what}"), &json!({})).await;
            assert_eq!(done.status, 200, "{}", done.text);
        }
    }
    server.post(&format!("/api/v1/requests/{id}/cancel"), &json!({})).await;
    let mut ids = vec![1];
    while let Some(frame) = slow.next().await {
        ids.extend(frame.id);
    }
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>());
    assert!(ids.len() > 1_400, "{}", ids.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn last_event_id_wins_over_the_address_as_browsers_need_it() {
    let server = Server::start().await;
    let id = server.waiting_request().await;
    let request = as_owner(Method::GET, &format!("/api/v1/runs/{id}/events?after=0"))
        .header("last-event-id", "5");
    let page = server.send(request.body(Body::empty()).unwrap()).await.json();
    assert_eq!(page["data"][0]["seq"], 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_of_all_runs_tells_of_each_with_its_run() {
    use futures_util::StreamExt as _;
    use tower::ServiceExt as _;
    let server = Server::start().await;
    let request = as_owner(Method::GET, "/api/v1/events").body(Body::empty()).unwrap();
    let response = server.app.clone().oneshot(request).await.unwrap();
    let mut body = response.into_body().into_data_stream();
    let first = server.waiting_request().await;
    let second = server.waiting_request().await;
    let mut text = String::new();
    while !(text.contains(&first) && text.contains(&second)) {
        text.push_str(std::str::from_utf8(&body.next().await.unwrap().unwrap()).unwrap());
    }
    assert!(text.contains("event: run.started"), "{text}");
    assert!(text.contains("\"status\":\"running\""), "{text}");
}
