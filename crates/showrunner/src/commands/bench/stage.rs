//! What is measured on: a runtime with the shipped simulator at zero latency, on a database of its
//! own.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::{Value, json};
use showrunner_engine::agent::AgentRecord;
use showrunner_engine::at::Timestamp;
use showrunner_engine::command::StartRun;
use showrunner_engine::definition::Definition;
use showrunner_engine::id::{OrgId, RunId};
use showrunner_journal::{Committed, Hooks, Journal};
use showrunner_providers::ledger::{Durability, FileLedger};
use showrunner_providers::scripted::{Latency, ScriptedConfig, ScriptedModel};
use showrunner_providers::{
    CallFailure, CallSafety, DeltaSink, LookUp, Mode, ModelAnswer, ModelProvider, ModelRequest,
    Profiles, Providers,
};
use showrunner_runtime::{Clock, Feed, Options, Pace, Parts, Runtime, StartRequest, SystemClock};
use tokio::sync::Notify;

use super::{BenchArgs, BenchDatabase};
use crate::config::serve::{DataDir, Database};
use crate::wiring;

/// A figure before it is told where it was measured.
pub(super) type Raw = (&'static str, f64, &'static str);

/// The place and size of a measurement.
pub(super) struct Stage {
    database: Database,
    directory: PathBuf,
    is_quick: bool,
    clock: Arc<SystemClock>,
    schema: Option<(String, String)>,
}

/// What becomes of the calls of agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Calls {
    /// They are answered.
    Answered,
    /// They are answered, and the first of each run is noted.
    Noted,
    /// They stay open.
    Unanswered,
}

/// What is noticed while measuring.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// When each run's newest append became durable, and how long after the one before.
    pub(super) gaps_us: Mutex<Vec<u32>>,
    last: Mutex<HashMap<RunId, Timestamp>>,
    /// Runs that have ended.
    pub(super) ended: AtomicU64,
    /// Appends that have become durable.
    pub(super) appends: AtomicU64,
    /// Told whenever a run ends or parks.
    pub(super) moved: Notify,
    waiting: Mutex<HashMap<RunId, tokio::sync::oneshot::Sender<()>>>,
    /// Whether gaps are noted.
    pub(super) is_timing: std::sync::atomic::AtomicBool,
}

impl Notes {
    fn note(&self, committed: &Committed, now: Timestamp) {
        self.appends.fetch_add(1, Ordering::Relaxed);
        if self.is_timing.load(Ordering::Relaxed) {
            let before = self.last.lock().insert(committed.run_id.clone(), now);
            if let Some(before) = before {
                self.gaps_us.lock().push(u32::try_from(now.0 - before.0).unwrap_or(u32::MAX));
            }
        }
        if !committed.open {
            self.ended.fetch_add(1, Ordering::Relaxed);
            if let Some(waiter) = self.waiting.lock().remove(&committed.run_id) {
                let _told = waiter.send(());
            }
            self.moved.notify_one();
        }
    }

    /// Resolves when this run, which has not begun yet, has ended.
    pub(super) fn end_of(&self, run: &RunId) -> tokio::sync::oneshot::Receiver<()> {
        let (tell, told) = tokio::sync::oneshot::channel();
        self.waiting.lock().insert(run.clone(), tell);
        told
    }
}

/// A simulator that counts who was called when.
#[derive(Debug)]
pub(super) struct Counted {
    inner: ScriptedModel,
    clock: Arc<SystemClock>,
    /// Calls.
    pub(super) calls: AtomicU64,
    /// When each run was called for first.
    pub(super) first: Mutex<HashMap<RunId, Timestamp>>,
    /// Whether first calls are noted.
    pub(super) is_noting: bool,
    /// Whether calls stay unanswered.
    pub(super) hangs: bool,
}

#[async_trait]
impl ModelProvider for Counted {
    fn name(&self) -> &str {
        self.inner.name()
    }
    fn mode(&self) -> Mode {
        Mode::Scripted
    }
    fn safety(&self) -> CallSafety {
        self.inner.safety()
    }
    async fn complete(
        &self,
        request: &ModelRequest,
        deltas: &dyn DeltaSink,
    ) -> Result<ModelAnswer, CallFailure> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.is_noting {
            let now = self.clock.now();
            self.first.lock().entry(request.run.clone()).or_insert(now);
        }
        if self.hangs {
            std::future::pending::<()>().await;
        }
        self.inner.complete(request, deltas).await
    }
    async fn look_up(&self, key: &str) -> Result<LookUp<ModelAnswer>, CallFailure> {
        self.inner.look_up(key).await
    }
}

/// A runtime that is being measured.
pub(super) struct Set {
    pub(super) runtime: Runtime,
    pub(super) notes: Arc<Notes>,
    pub(super) model: Arc<Counted>,
    pub(super) journal: Arc<dyn Journal>,
}

impl Stage {
    pub(super) async fn new(args: &BenchArgs) -> anyhow::Result<Self> {
        let clock = Arc::new(SystemClock::new()?);
        let name = format!("bench-{}-{:x}", std::process::id(), clock.random());
        let directory = std::env::current_dir()?.join("data").join(name);
        std::fs::create_dir_all(&directory)?;
        let data = DataDir::new(&directory);
        let (database, schema) = match (args.database, &args.database_url) {
            (BenchDatabase::Postgres, Some(url)) => {
                let schema = format!("bench_{}", std::process::id());
                let own = showrunner_journal::postgres::scratch_schema(url, &schema).await?;
                (Database::Postgres(own), Some((url.clone(), schema)))
            },
            _ => (Database::Sqlite(data.database()), None),
        };
        Ok(Self { database, directory, is_quick: args.quick, clock, schema })
    }

    /// Removes what was made.
    pub(super) async fn strike(&self) -> anyhow::Result<()> {
        if let Some((url, schema)) = &self.schema {
            showrunner_journal::postgres::drop_schema(url, schema).await?;
        }
        std::fs::remove_dir_all(&self.directory)?;
        Ok(())
    }

    pub(super) fn database_name(&self) -> &'static str {
        match self.database {
            Database::Sqlite(_) => "sqlite",
            Database::Postgres(_) => "postgres",
        }
    }

    pub(super) fn directory(&self) -> &std::path::Path {
        &self.directory
    }

    pub(super) fn clock(&self) -> &SystemClock {
        &self.clock
    }

    /// So many, or a tenth of it for a first look.
    pub(super) fn size(&self, full: usize) -> usize {
        if self.is_quick { full.div_ceil(10) } else { full }
    }

    /// Milliseconds since `from`.
    pub(super) fn millis_since(&self, from: Timestamp) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "spans of minutes in microseconds")]
        let micros = (self.clock.now().0 - from.0) as f64;
        micros / 1000.0
    }

    pub(super) async fn set(&self) -> anyhow::Result<Set> {
        self.set_with(Calls::Answered).await
    }

    pub(super) async fn set_with(&self, calls: Calls) -> anyhow::Result<Set> {
        let notes = Arc::new(Notes::default());
        let (ears, clock) = (Arc::clone(&notes), Arc::clone(&self.clock));
        let hooks = Hooks {
            on_durable: Some(Arc::new(move |committed| ears.note(committed, clock.now()))),
            fatal: Arc::new(|why| tracing::error!(why, "the journal has stopped")),
        };
        let data = DataDir::new(&self.directory);
        let journal = wiring::open_journal(&self.database, &data, hooks).await?;
        let ledger = Arc::new(FileLedger::open(&data.ledger(), Durability::Process)?);
        let config = ScriptedConfig {
            latency: Latency { min_ms: 0, max_ms: 0 },
            safety: CallSafety::Idempotent,
            ..ScriptedConfig::default()
        };
        let pace = Pace::of(Arc::clone(&self.clock) as _);
        let model = Arc::new(Counted {
            inner: ScriptedModel::new("scripted", config, ledger, pace.sleeper()),
            clock: Arc::clone(&self.clock),
            calls: AtomicU64::new(0),
            first: Mutex::default(),
            is_noting: calls == Calls::Noted,
            hangs: calls == Calls::Unanswered,
        });
        let mut providers = Providers::new(Profiles::shipped());
        providers.add_model(Arc::clone(&model) as _, 100_000);
        let mut limits = showrunner_runtime::Limits::default();
        limits.all = 100_000;
        let parts = Parts {
            objects: Arc::clone(journal.objects()),
            journal: Arc::clone(&journal),
            clock: Arc::clone(&self.clock) as _,
            providers,
            feed: Feed::default(),
        };
        let runtime = Runtime::new(parts, Options { limits, ..Options::default() });
        let worker = AgentRecord::parse_markdown("---\nname: worker\n---\nWrite it.", "worker");
        runtime.agents().put(worker.map_err(|problems| anyhow::anyhow!("{problems:?}"))?);
        Ok(Set { runtime, notes, model, journal })
    }
}

impl Set {
    pub(super) async fn publish(&self, source: &str) -> anyhow::Result<Arc<Definition>> {
        let published = self.runtime.library().publish(&org(), source, "bench").await?;
        Ok(published.definition)
    }

    pub(super) fn request(&self, definition: &Arc<Definition>, input: Value) -> StartRequest {
        let clock = self.runtime.clock();
        StartRequest {
            definition: Arc::clone(definition),
            start: StartRun { input, started_by: "bench".into(), ..StartRun::default() },
            id: Some(RunId::at(clock.now(), [clock.random(), clock.random()])),
            idempotency: None,
        }
    }

    /// Starts a run and waits for its end.
    pub(super) async fn whole_run(
        &self,
        definition: &Arc<Definition>,
        input: Value,
    ) -> anyhow::Result<()> {
        let request = self.request(definition, input);
        let Some(id) = request.id.clone() else { return Ok(()) };
        let end = self.notes.end_of(&id);
        self.runtime.start(request).await?;
        end.await?;
        Ok(())
    }
}

pub(super) fn org() -> OrgId {
    OrgId::from("org_default")
}

/// A brief for the first step.
pub(super) fn brief() -> Value {
    json!({ "brief": "朝の一杯を楽しむ、秋の新しいブレンドの紹介" })
}

/// A chain of agents, each working on what the one before wrote.
pub(super) fn chain(steps: usize) -> String {
    let mut text = String::from(
        "showrunner: 1\nid: bench-chain\ntitle: Chain\n\
         input: { type: object, properties: { brief: { type: string } } }\nsteps:\n",
    );
    for step in 0..steps {
        let source = match step.checked_sub(1) {
            None => "input.brief".to_owned(),
            Some(before) => format!("steps.s{before}.output.text"),
        };
        let _written = write!(
            text,
            "  - id: s{step}\n    agent: worker\n    input: {{ brief: \"{{{{ {source} }}}}\" }}\n    \
             output: {{ type: object, required: [text], properties: {{ text: {{ type: string, maxLength: 120 }} }} }}\n"
        );
    }
    text
}
