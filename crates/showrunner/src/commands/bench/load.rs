//! Steps through the one door: one run at a time, 500 at once, and one step for 1 000 elements.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use showrunner_runtime::Clock;
use tokio::task::JoinSet;

use super::percentile;
use super::stage::{Raw, Stage, brief, chain};

/// Steps of a run.
const STEPS: usize = 10;
/// Runs at once.
const AT_ONCE: usize = 500;

/// W1: how long one step takes, from durable to durable, when nothing else happens.
pub(super) async fn one_at_a_time(stage: &Stage) -> anyhow::Result<Vec<Raw>> {
    let set = stage.set().await?;
    let definition = set.publish(&chain(STEPS)).await?;
    for _ in 0..stage.size(50) {
        set.whole_run(&definition, brief()).await?;
    }
    set.notes.is_timing.store(true, Ordering::Relaxed);
    for _ in 0..stage.size(500) {
        set.whole_run(&definition, brief()).await?;
    }
    let mut gaps: Vec<f64> =
        set.notes.gaps_us.lock().iter().map(|&us| f64::from(us) / 1000.0).collect();
    gaps.sort_by(f64::total_cmp);
    Ok(vec![
        ("w1_step_p50", percentile(&gaps, 0.5), "ms"),
        ("w1_step_p99", percentile(&gaps, 0.99), "ms"),
    ])
}

/// W2: durable steps a second with 500 runs at once; the median of three rounds.
pub(super) async fn many_at_once(stage: &Stage) -> anyhow::Result<Vec<Raw>> {
    let set = Arc::new(stage.set().await?);
    let definition = set.publish(&chain(STEPS)).await?;
    let runs = stage.size(10_000);
    let mut rates = Vec::new();
    for _ in 0..3 {
        let left = Arc::new(AtomicUsize::new(runs));
        let from = stage.clock().now();
        let mut workers = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (set, definition, left) =
                (Arc::clone(&set), Arc::clone(&definition), Arc::clone(&left));
            workers.spawn(async move {
                let take = |n: usize| n.checked_sub(1);
                while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                    set.whole_run(&definition, brief()).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(done) = workers.join_next().await {
            done??;
        }
        #[expect(clippy::cast_precision_loss, reason = "some ten thousand")]
        let steps = (runs * STEPS) as f64;
        rates.push(steps * 1000.0 / stage.millis_since(from));
    }
    rates.sort_by(f64::total_cmp);
    Ok(vec![("w2_steps_per_s", percentile(&rates, 0.5), "steps/s")])
}

/// One run with one agent step for each of 1 000 elements.
pub(super) async fn fan_out(stage: &Stage) -> anyhow::Result<Vec<Raw>> {
    let set = stage.set().await?;
    let source = "showrunner: 1\nid: bench-fan\ntitle: Fan\ninput: { type: object }\nsteps:\n  \
         - id: all\n    for_each:\n      items: input.items\n      concurrency: 1000\n      steps:\n        \
         - id: one\n          agent: worker\n          input: { brief: \"{{ item }}\" }\n          \
         output: { type: object, required: [text], properties: { text: { type: string, maxLength: 120 } } }\n";
    let definition = set.publish(source).await?;
    let items: Vec<String> = (0..stage.size(1000)).map(|n| format!("Scene {n}")).collect();
    let mut times = Vec::new();
    for _ in 0..3 {
        let from = stage.clock().now();
        set.whole_run(&definition, json!({ "items": items })).await?;
        times.push(stage.millis_since(from) / 1000.0);
    }
    times.sort_by(f64::total_cmp);
    Ok(vec![("fanout_1000_s", percentile(&times, 0.5), "s")])
}
