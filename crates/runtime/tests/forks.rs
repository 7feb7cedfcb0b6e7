//! What a fork takes over from the run it is made of, and what it does not.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::sync::Arc;
use std::time::Duration;

use showrunner_engine::agent::AgentRecord;
use showrunner_engine::command::StartRun;
use showrunner_engine::failure::ErrorClass;
use showrunner_engine::id::{OrgId, RunId, StepKey};
use showrunner_engine::money::{Budget, MicroUsd};
use showrunner_engine::run::Run;
use showrunner_journal::{Journal as _, SqliteJournal, SqliteOptions};
use showrunner_providers::ledger::MemoryLedger;
use showrunner_providers::scripted::{
    Effect, Fault, FaultPlan, FaultRule, ScriptedConfig, ScriptedModel,
};
use showrunner_providers::{Profiles, Providers};
use showrunner_runtime::{
    Clock, Feed, ForkRequest, Options, Pace, Parts, Runtime, StartRequest, SubmitError, SystemClock,
};

/// `b` fails, so what `a` did is undone; `kept` cannot be undone, and nobody needs it to be.
const WORK: &str = "showrunner: 1
id: work
compensate_on_failure: true
timeout: 1h
steps:
  - { id: kept, agent: writer }
  - { id: a, agent: writer, needs: kept, compensate: { transform: { undone: true } } }
  - { id: after, agent: writer, input: { a: \"{{ steps.a.output }}\" } }
  - { id: b, agent: writer, needs: after, retry: { attempts: 1 } }
";

struct Stage {
    runtime: Runtime,
    _disk: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let disk = tempfile::tempdir().unwrap();
        let journal = SqliteJournal::open(SqliteOptions::in_directory(disk.path())).unwrap();
        let rule = FaultRule {
            agent: "*".into(),
            step: "b".into(),
            first: Some(1),
            per_step: false,
            share_permille: None,
            fault: Fault::Fail {
                class: ErrorClass::Provider,
                effect: Effect::Before,
                retry_after_ms: None,
            },
        };
        let faults = FaultPlan { rules: vec![rule] };
        let config = ScriptedConfig { faults, ..ScriptedConfig::default() };
        let ledger: Arc<MemoryLedger> = Arc::default();
        let mut providers = Providers::new(Profiles::shipped());
        let clock = Arc::new(SystemClock::new().unwrap());
        let sleeper = Pace::of(Arc::clone(&clock) as Arc<dyn Clock>).sleeper();
        let model = ScriptedModel::new("scripted", config, ledger, sleeper);
        providers.add_model(Arc::new(model), 8);
        let parts = Parts {
            objects: Arc::clone(journal.objects()),
            journal,
            clock,
            providers,
            feed: Feed::default(),
        };
        let runtime = Runtime::new(parts, Options::default());
        let writer = "---\nname: writer\n---\nWrite.";
        runtime.agents().put(AgentRecord::parse_markdown(writer, "test").unwrap());
        runtime.start_timers();
        Self { runtime, _disk: disk }
    }

    /// A run that failed, with `a` undone.
    async fn failed(&self) -> Arc<Run> {
        let library = self.runtime.library();
        let definition =
            library.publish(&OrgId::from("org_default"), WORK, "author").await.unwrap().definition;
        let start = StartRun {
            input: serde_json::json!({}),
            labels: [("campaign".to_owned(), "spring".to_owned())].into(),
            budget: Budget { cost: Some(MicroUsd(5_000_000)), tokens: Some(900_000) },
            priority: 7,
            ..StartRun::default()
        };
        let request = StartRequest { definition, start, id: None, idempotency: None };
        let run = self.runtime.start(request).await.unwrap().run;
        self.ended(&run).await
    }

    async fn ended(&self, run: &RunId) -> Arc<Run> {
        for _ in 0..6_000 {
            let now = self.runtime.load_shared(run).await.unwrap();
            if now.is_ended() {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{run} did not end within a minute");
    }
}

fn again_from(step: &str) -> ForkRequest {
    let from = Some(StepKey::from(step));
    ForkRequest { from, input_edits: None, by: "user:eve".into(), idempotency: None }
}

fn attempts(run: &Run, key: &str) -> u32 {
    run.step(run.find(&StepKey::from(key)).unwrap()).attempts
}

#[tokio::test]
async fn what_was_undone_is_done_again_with_all_that_depends_on_it() {
    let stage = Stage::new();
    let first = stage.failed().await;
    assert_eq!(first.compensated.len(), 1, "{:?}", first.failure);
    let fork = stage.runtime.fork(&first.id, again_from("b")).await.unwrap();
    let fork = stage.ended(&fork.run).await;
    assert_eq!(fork.failure, None);
    let done: Vec<u32> = ["kept", "a", "after", "b"].map(|key| attempts(&fork, key)).to_vec();
    assert_eq!(done, [0, 1, 1, 1]);
}

#[tokio::test]
async fn the_limits_and_facts_of_the_run_go_along() {
    let stage = Stage::new();
    let first = stage.failed().await;
    let fork = stage.runtime.fork(&first.id, again_from("b")).await.unwrap();
    let fork = stage.ended(&fork.run).await;
    assert_eq!(fork.budget, first.budget);
    assert_eq!(fork.budget.cost, Some(MicroUsd(5_000_000)));
    assert_eq!((fork.priority, &fork.labels), (7, &first.labels));
    let given = |run: &Run| run.deadline.unwrap().millis_since(run.started_at);
    assert_eq!(given(&fork), given(&first));
    assert_eq!(fork.forked_from.as_ref(), Some(&first.id));
}

#[tokio::test]
async fn a_fork_asked_for_twice_under_one_key_is_one_fork() {
    let stage = Stage::new();
    let first = stage.failed().await;
    let keyed = |digest: &str| ForkRequest {
        idempotency: Some(("eve".into(), "key-1".into(), digest.into())),
        ..again_from("b")
    };
    let one = stage.runtime.fork(&first.id, keyed("x")).await.unwrap();
    let two = stage.runtime.fork(&first.id, keyed("x")).await.unwrap();
    assert!(one.is_new && !two.is_new);
    assert_eq!(one.run, two.run);
    let other = stage.runtime.fork(&first.id, keyed("y")).await;
    assert!(matches!(other, Err(SubmitError::KeyReused { .. })), "{other:?}");
    stage.ended(&one.run).await;
}
