//! Memory: idle, and with many runs that wait; and how soon they go on after a crash.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use showrunner_runtime::Clock;
use tokio::task::JoinSet;

use super::stage::{Calls, Raw, Set, Stage, brief, chain};

/// Clients that start runs at once.
const STARTERS: usize = 200;

/// Memory of a server that has nothing to do.
pub(super) async fn idle(stage: &Stage) -> anyhow::Result<Vec<Raw>> {
    let set = stage.set().await?;
    set.publish(&chain(10)).await?;
    set.whole_run(&set.publish(&chain(10)).await?, brief()).await?;
    Ok(vec![("idle_rss", resident_mib()?, "MiB")])
}

/// Memory with 10 000 and with 100 000 runs that wait for a person.
pub(super) async fn parked(stage: &Stage) -> anyhow::Result<Vec<Raw>> {
    let set = Arc::new(stage.set().await?);
    let source = "showrunner: 1\nid: bench-park\ntitle: Park\n\
         input: { type: object, properties: { brief: { type: string } } }\nsteps:\n  \
         - id: draft\n    agent: worker\n    input: { brief: \"{{ input.brief }}\" }\n    \
         output: { type: object, required: [text], properties: { text: { type: string, maxLength: 120 } } }\n  \
         - id: approval\n    checkpoint: { question: \"Publish?\", show: { text: \"{{ steps.draft.output.text }}\" } }\n";
    let definition = set.publish(source).await?;
    let (few, many) = (stage.size(10_000), stage.size(100_000));
    start(&set, &definition, few).await?;
    let at_few = settled(&set, few).await?;
    start(&set, &definition, many - few).await?;
    let at_many = settled(&set, many).await?;
    #[expect(clippy::cast_precision_loss, reason = "some hundred thousand")]
    let per_run = (at_many - at_few).max(0.0) * 1024.0 / (many - few) as f64;
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    let resident = set.runtime.resident_count() as f64;
    Ok(vec![
        ("parked_10k_rss", at_few, "MiB"),
        ("parked_100k_rss", at_many, "MiB"),
        ("parked_per_run", per_run, "KiB"),
        ("parked_resident", resident, "runs"),
    ])
}

/// Waits until all runs have left memory, then looks at what the process holds.
async fn settled(set: &Set, runs: usize) -> anyhow::Result<f64> {
    // Two appends a run: its beginning, and the checkpoint after the draft.
    let appends = u64::try_from(runs * 2)?;
    while set.notes.appends.load(Ordering::Relaxed) < appends || set.runtime.resident_count() > 0 {
        set.runtime.clock().sleep(showrunner_engine::at::Millis(20)).await;
    }
    resident_mib()
}

async fn start(
    set: &Arc<Set>,
    definition: &Arc<showrunner_engine::definition::Definition>,
    runs: usize,
) -> anyhow::Result<()> {
    let left = Arc::new(AtomicUsize::new(runs));
    let mut starters = JoinSet::new();
    for _ in 0..STARTERS {
        let (set, definition, left) = (Arc::clone(set), Arc::clone(definition), Arc::clone(&left));
        starters.spawn(async move {
            let take = |n: usize| n.checked_sub(1);
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                let input = json!({ "brief": "A poster for the harbour festival" });
                set.runtime.start(set.request(&definition, input)).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = starters.join_next().await {
        done??;
    }
    Ok(())
}

/// From opening the database with 10 000 open runs until the last of them is worked on again.
pub(super) async fn recovery(stage: &Stage) -> anyhow::Result<Vec<Raw>> {
    let runs = stage.size(10_000);
    let before = Arc::new(stage.set_with(Calls::Unanswered).await?);
    let definition = before.publish(&chain(10)).await?;
    start(&before, &definition, runs).await?;
    before.journal.close().await;
    drop(before);
    let from = stage.clock().now();
    // Nobody answers: what counts is that every run has somebody working on it again.
    let after = stage.set_with(Calls::Unanswered).await?;
    let recovered = after.runtime.recover().await?;
    anyhow::ensure!(recovered.runs == runs, "{} of {runs} runs were found", recovered.runs);
    let expected = u64::try_from(runs)?;
    while after.model.calls.load(Ordering::Relaxed) < expected {
        after.runtime.clock().sleep(showrunner_engine::at::Millis(2)).await;
    }
    Ok(vec![("recovery_10k", stage.millis_since(from) / 1000.0, "s")])
}

/// What this process holds in memory.
fn resident_mib() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    let kib: f64 = kib.ok_or_else(|| anyhow::anyhow!("VmRSS is not told here"))?.parse()?;
    Ok(kib / 1024.0)
}
