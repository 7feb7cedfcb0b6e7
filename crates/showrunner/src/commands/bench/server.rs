//! The whole way over HTTP: how soon the first step begins after the 202.

use std::sync::Arc;

use serde_json::{Value, json};
use showrunner_engine::id::{Digest, RunId};
use showrunner_journal::query::tokens::StoredToken;
use showrunner_runtime::Clock;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::percentile;
use super::stage::{Calls, Raw, Stage, brief, chain, org};

/// Clients at once.
const CLIENTS: usize = 100;
/// Requests of each.
const REQUESTS: usize = 20;

/// Milliseconds from the moment at which a client has its 202 to the first call of an agent, under
/// 100 concurrent clients; a step that begins before the client has its answer counts as 0.
pub(super) async fn first_step(stage: &Stage) -> anyhow::Result<Vec<Raw>> {
    let set = Arc::new(stage.set_with(Calls::Noted).await?);
    set.publish(&chain(10)).await?;
    set.journal
        .put_token(&StoredToken {
            id: "tok_bench".into(),
            org: org(),
            principal: "user:bench".into(),
            roles: vec!["owner".into()],
            digest: Digest::of(b"bench"),
            created_at: stage.clock().now(),
            revoked_at: None,
        })
        .await?;
    let facts = showrunner_web::Facts::default();
    let router = showrunner_web::serve(set.runtime.clone(), facts, Vec::new()).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/api/v1/runs", listener.local_addr()?);
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (url, clock) = (url.clone(), Arc::clone(&set));
        let requests = stage.size(REQUESTS);
        clients.spawn(async move { ask(&url, &clock.runtime, requests).await });
    }
    let mut accepted = Vec::new();
    while let Some(answers) = clients.join_next().await {
        accepted.extend(answers??);
    }
    while set.notes.ended.load(std::sync::atomic::Ordering::Relaxed) < accepted.len() as u64 {
        set.notes.moved.notified().await;
    }
    server.abort();
    let first = set.model.first.lock();
    #[expect(clippy::cast_precision_loss, reason = "milliseconds in microseconds")]
    let mut waits: Vec<f64> = accepted
        .iter()
        .filter_map(|(run, at)| Some((first.get(run)?.0 - at).max(0) as f64 / 1000.0))
        .collect();
    waits.sort_by(f64::total_cmp);
    Ok(vec![
        ("first_step_p50", percentile(&waits, 0.5), "ms"),
        ("first_step_p99", percentile(&waits, 0.99), "ms"),
    ])
}

async fn ask(
    url: &str,
    runtime: &showrunner_runtime::Runtime,
    requests: usize,
) -> anyhow::Result<Vec<(RunId, i64)>> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let client =
        reqwest::Client::builder().tls_certs_only(Vec::<reqwest::Certificate>::new()).build()?;
    let mut accepted = Vec::new();
    for _ in 0..requests {
        let body = json!({ "definition": "bench-chain", "input": brief() });
        let answer = client.post(url).bearer_auth("bench").json(&body).send().await?;
        let at = runtime.clock().now().0;
        let answer: Value = answer.error_for_status()?.json().await?;
        let id = answer.pointer("/run/id").and_then(Value::as_str);
        let id = id.ok_or_else(|| anyhow::anyhow!("no run in {answer}"))?;
        accepted.push((RunId::from(id), at));
    }
    Ok(accepted)
}
