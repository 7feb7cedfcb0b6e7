//! The whole runtime in one thread, on a clock that jumps: seeded, repeatable, crashed at will.
//!
//! A *world* outlives the server: the disk (a real SQLite journal), the provider with its own
//! books, and the people. A *life* is one run of the server from start to crash or to the end of
//! all work. After a crash the next life begins on what the world kept.

mod clock;
mod crash;
mod people;
mod check;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};
use showrunner_engine::agent::AgentRecord;
use showrunner_engine::at::Timestamp;
use showrunner_engine::command::StartRun;
use showrunner_engine::id::{OrgId, RunId, Token};
use showrunner_journal::query::runs::RunFilter;
use showrunner_journal::{AppendError, Journal, SqliteJournal, SqliteOptions};
use showrunner_providers::ledger::MemoryLedger;
use showrunner_providers::scripted::{FaultPlan, Latency, ScriptedConfig, ScriptedModel};
use showrunner_providers::{CallSafety, Profiles, Providers};
use showrunner_runtime::{Feed, Options, Parts, Runtime, StartRequest, SubmitError};

pub use check::{Findings, examine};
pub use clock::SimClock;
pub use crash::{CrashMode, CrashPlan, CrashingJournal};

/// The agents that the example definitions name.
const AGENTS: [&str; 6] =
    ["strategist", "copywriter", "critic", "illustrator", "editor", "researcher"];
/// More virtual time than any example needs; a world that is not done by then is stuck.
const PATIENCE: i64 = 40 * 24 * 3600 * 1_000_000;

/// What happens in a world.
#[derive(Clone, Debug)]
pub struct Story {
    /// A name for reports.
    pub name: String,
    /// Definitions to publish, in order.
    pub definitions: Vec<String>,
    /// Runs to start: definition and input.
    pub runs: Vec<(String, Value)>,
    /// Callbacks that come from outside, by run, once it runs.
    pub callbacks: Vec<(String, Value)>,
    /// What goes wrong at the provider.
    pub faults: FaultPlan,
    /// What can be done about a lost answer.
    pub safety: CallSafety,
    /// Everything random.
    pub seed: u64,
}

/// How it ended.
#[derive(Debug)]
pub struct Outcome {
    /// Appends that were asked for, over all lives: the number of crash points.
    pub boundaries: u64,
    /// How often the server was started.
    pub lives: u32,
    /// Everything that is in the journal, run by run, as text: equal worlds have equal ones.
    pub transcript: String,
    /// What is wrong; empty when all promises were kept.
    pub findings: Findings,
}

/// Lives through a story, crashing where `plan` says.
pub fn live(directory: &Path, story: &Story, plan: Option<CrashPlan>) -> Outcome {
    let world = World::new(directory, story.clone());
    let mut plan = plan;
    let mut boundaries = 0;
    let mut now = Timestamp(1_767_225_600_000_000); // 2026-01-01
    for life in 1.. {
        let journal = Arc::new(CrashingJournal::new(Arc::clone(&world.journal), plan.take()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime can be built");
        let ended = runtime.block_on(world.life(life, now, Arc::clone(&journal)));
        drop(runtime); // every task of this life is gone, wherever it was
        boundaries += journal.appends();
        now = ended.now;
        if ended.is_done || ended.is_stuck || life > 8 {
            let (transcript, mut findings) = examine(&world);
            if !ended.is_done {
                findings.stuck(&ended.open);
            }
            return Outcome { boundaries, lives: life, transcript, findings };
        }
    }
    unreachable!("the loop above only returns")
}

/// What outlives the server.
#[derive(Debug)]
pub struct World {
    pub(crate) story: Story,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) ledger: Arc<MemoryLedger>,
    resent: Mutex<BTreeMap<Token, u32>>,
}

/// How a life ended.
struct Ended {
    now: Timestamp,
    is_done: bool,
    is_stuck: bool,
    open: Vec<String>,
}

impl World {
    fn new(directory: &Path, story: Story) -> Self {
        let journal = SqliteJournal::open(SqliteOptions::in_directory(directory));
        Self {
            story,
            journal: journal.expect("a journal can be opened"),
            ledger: Arc::default(),
            resent: Mutex::default(),
        }
    }

    /// How often people have had this attempt's call sent again, this time included.
    pub(crate) fn resent(&self, token: Token) -> u32 {
        let mut resent = self.resent.lock();
        let count = resent.entry(token).or_insert(0);
        *count += 1;
        *count
    }

    async fn life(&self, life: u32, now: Timestamp, journal: Arc<CrashingJournal>) -> Ended {
        let seed = self.story.seed.wrapping_mul(1_000_003).wrapping_add(u64::from(life));
        let clock = Arc::new(SimClock::new(now, seed));
        let crashed = journal.crashed();
        let runtime = self.server(&clock, journal);
        let work = async {
            runtime.recover().await.expect("the journal can be read");
            runtime.start_timers();
            self.begin(&runtime).await;
            self.people(&runtime, now).await
        };
        tokio::select! {
            biased;
            () = crashed.cancelled() => {
                Ended { now: clock.instant(), is_done: false, is_stuck: false, open: Vec::new() }
            },
            open = work => {
                Ended { now: clock.instant(), is_done: open.is_empty(), is_stuck: !open.is_empty(), open }
            },
        }
    }

    fn server(&self, clock: &Arc<SimClock>, journal: Arc<CrashingJournal>) -> Runtime {
        let config = ScriptedConfig {
            seed: self.story.seed,
            latency: Latency { min_ms: 50, max_ms: 4_000 },
            safety: self.story.safety,
            faults: self.story.faults.clone(),
        };
        let ledger = Arc::clone(&self.ledger);
        let model = ScriptedModel::new("scripted", config, ledger, Arc::clone(clock) as _);
        let mut providers = Providers::new(Profiles::shipped());
        providers.add_model(Arc::new(model), 64);
        let objects = Arc::clone(self.journal.objects());
        let clock = Arc::clone(clock) as Arc<dyn showrunner_runtime::Clock>;
        let parts = Parts { journal, objects, clock, providers, feed: Feed::default() };
        let runtime = Runtime::new(parts, Options::default());
        for name in AGENTS {
            let text = format!("---\nname: {name}\n---\nDo what the input asks for.");
            let agent = AgentRecord::parse_markdown(&text, name).expect("the agent is well-formed");
            runtime.agents().put(agent);
        }
        runtime
    }

    /// Publishes and starts what was not before. Keys make it the same as having done it once.
    async fn begin(&self, runtime: &Runtime) {
        let org = OrgId::from("org_default");
        for source in &self.story.definitions {
            runtime.library().publish(&org, source, "author").await.expect("it publishes");
        }
        for (number, (slug, input)) in self.story.runs.iter().enumerate() {
            let definition =
                runtime.library().get(&org, slug, None).await.expect("it is published");
            let start = StartRun {
                input: input.clone(),
                started_by: "user:maker".into(),
                ..StartRun::default()
            };
            let key = ("maker".to_owned(), format!("start-{number}"), format!("{number}"));
            let request = StartRequest { definition, start, id: None, idempotency: Some(key) };
            loop {
                match runtime.start(request.clone()).await {
                    Err(SubmitError::NotStored(AppendError::Busy(_))) => {},
                    Ok(_) | Err(SubmitError::NotStored(_)) => break,
                    Err(error) => panic!("{slug} does not start: {error}"),
                }
            }
        }
    }

    pub(crate) async fn all_runs(&self) -> Vec<(RunId, bool)> {
        let org = Some(OrgId::from("org_default"));
        let filter = RunFilter { org, limit: 200, ..RunFilter::default() };
        let runs = self.journal.list_runs(&filter).await.expect("runs can be read");
        let mut runs: Vec<_> = runs.into_iter().map(|run| (run.id, run.open)).collect();
        runs.sort();
        runs
    }
}

/// A story around the example definitions of this repository.
pub fn example(name: &str, examples: &Path, seed: u64) -> Story {
    let read = |file: &str| {
        std::fs::read_to_string(examples.join(file)).expect("the example is in the repository")
    };
    let mut definitions = vec![read(&format!("{name}.yaml"))];
    if name == "orchestration" {
        definitions.insert(0, read("agent.yaml"));
    }
    let slug = |source: &str| {
        let line = source.lines().find(|line| line.starts_with("id: "));
        line.map(|line| line["id: ".len()..].trim().to_owned()).expect("a definition has an id")
    };
    let input = match name {
        "transform" => {
            json!({ "items": [{ "name": "紙", "yen": 1200 }, { "name": "ink", "yen": 300, "optional": true }], "rate": 150.0 })
        },
        "wait" => json!({ "order": "AB-2026", "text": "A poem about rain." }),
        "loop" => json!({ "text": "雨の日の本屋", "good_enough": 9.5 }),
        "gate" => json!({ "product": "A lamp that reads along", "forbidden_words": ["cheap"] }),
        "for_each" => json!({ "story": "Two children find a map in a library." }),
        "safety-nets" => json!({ "subject": "a lighthouse in winter" }),
        _ => json!({ "brand": "Aozora Coffee", "brief": "朝の一杯を楽しむ投稿" }),
    };
    let main = definitions.last().map(|source| slug(source)).unwrap_or_default();
    Story {
        name: name.to_owned(),
        runs: vec![(main, input)],
        definitions,
        callbacks: vec![("print-AB-2026".into(), json!({ "ok": true, "copies": 200 }))],
        faults: FaultPlan::default(),
        safety: CallSafety::LookUp,
        seed,
    }
}
