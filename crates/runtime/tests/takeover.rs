//! Attempts change hands: they are called back, their time is over, or a worker breaks down. Each
//! time the bill must say what the provider's own books say, or that nobody knows.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::{Value, json};
use showrunner_engine::agent::AgentRecord;
use showrunner_engine::at::Timestamp;
use showrunner_engine::command::{Command, Principal, StartRun};
use showrunner_engine::failure::ErrorClass;
use showrunner_engine::id::{OrgId, RunId};
use showrunner_engine::money::{MicroUsd, Spend};
use showrunner_engine::run::{Run, Wait};
use showrunner_engine::turn::{Answer, Usage};
use showrunner_journal::{Journal, SqliteJournal, SqliteOptions};
use showrunner_providers::{
    CallFailure, CallSafety, DeltaSink, LookUp, MediaKind, MediaProvider, MediaRequest,
    MediaStatus, Mode, ModelAnswer, ModelProvider, ModelRequest, Outcome, Profiles, Providers,
    Submitted, Unpriced,
};
use showrunner_runtime::{Clock, Feed, Options, Parts, Runtime, StartRequest, SystemClock};
use showrunner_testkit::sim::{CrashingJournal, SimClock};
use tokio::sync::Notify;

const PRICE: MicroUsd = MicroUsd(700);

/// What a vendor does with what it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// Keeps the thread for a while in the middle of the call, and bills after that.
    Busy,
    /// Takes the call, bills it, and never answers.
    Silent,
    /// Breaks down inside our process.
    Broken,
    /// Cannot be reached once it has taken a job.
    Unreachable,
    /// Bills, loses the answer, and cannot be asked about it.
    Forgetful,
}

/// A vendor with books of its own. `told` is what happened to it, in order.
#[derive(Debug)]
struct Vendor {
    manner: Manner,
    told: Mutex<Vec<&'static str>>,
    entered: Notify,
}

impl Vendor {
    fn new(manner: Manner) -> Arc<Self> {
        Arc::new(Self { manner, told: Mutex::default(), entered: Notify::new() })
    }

    fn told(&self) -> Vec<&'static str> {
        self.told.lock().clone()
    }

    fn note(&self, what: &'static str) {
        self.told.lock().push(what);
    }

    async fn take(&self) {
        self.entered.notify_one();
        match self.manner {
            Manner::Busy => {
                #[expect(clippy::disallowed_methods, reason = "a thread is kept on purpose")]
                std::thread::sleep(Duration::from_millis(300));
                self.note("billed");
            },
            Manner::Silent | Manner::Unreachable => {
                self.note("billed");
                pending::<()>().await;
            },
            Manner::Forgetful => self.note("billed"),
            Manner::Broken => panic!("this vendor's driver is broken"),
        }
    }

    fn is_billed(&self) -> bool {
        self.told.lock().contains(&"billed")
    }
}

#[async_trait]
impl ModelProvider for Vendor {
    fn name(&self) -> &'static str {
        "scripted"
    }
    fn mode(&self) -> Mode {
        Mode::Scripted
    }
    fn safety(&self) -> CallSafety {
        if self.manner == Manner::Forgetful { CallSafety::Neither } else { CallSafety::LookUp }
    }
    async fn complete(
        &self,
        _request: &ModelRequest,
        _deltas: &dyn DeltaSink,
    ) -> Result<ModelAnswer, CallFailure> {
        self.take().await;
        if self.manner == Manner::Forgetful {
            let message = "the line went dead";
            return Err(CallFailure::new(ErrorClass::Network, Outcome::Unknown, "dead", message));
        }
        Ok(answer())
    }
    async fn look_up(&self, _key: &str) -> Result<LookUp<ModelAnswer>, CallFailure> {
        if self.manner == Manner::Forgetful {
            return Ok(LookUp::CannotSay);
        }
        self.note("asked");
        Ok(if self.is_billed() { LookUp::Found(answer()) } else { LookUp::Denied })
    }
}

fn answer() -> ModelAnswer {
    ModelAnswer {
        answer: Answer::Output(json!({ "text": "done" })),
        usage: Usage::default(),
        cost: PRICE,
        model: "scripted-1".into(),
        simulated: true,
        estimated: false,
    }
}

#[async_trait]
impl MediaProvider for Vendor {
    fn name(&self) -> &'static str {
        "studio"
    }
    fn mode(&self) -> Mode {
        Mode::Scripted
    }
    fn safety(&self) -> CallSafety {
        CallSafety::LookUp
    }
    fn makes(&self, _kind: MediaKind) -> bool {
        true
    }
    async fn submit(&self, _request: &MediaRequest) -> Result<Submitted, CallFailure> {
        self.take().await;
        Ok(Submitted::Accepted { job_id: "job-1".into() })
    }
    async fn poll(&self, _job: &str) -> Result<MediaStatus, CallFailure> {
        Ok(MediaStatus::Working { progress_permille: None })
    }
    async fn look_up(&self, _key: &str) -> Result<LookUp<Submitted>, CallFailure> {
        self.note("asked");
        let job = Submitted::Accepted { job_id: "job-1".into() };
        Ok(if self.is_billed() { LookUp::Found(job) } else { LookUp::Denied })
    }
    async fn cancel(&self, _job: &str) -> Result<MicroUsd, CallFailure> {
        self.note("cancelled");
        if self.manner == Manner::Unreachable {
            let message = "the line is dead";
            return Err(CallFailure::new(ErrorClass::Network, Outcome::Unknown, "dead", message));
        }
        Ok(PRICE)
    }
    fn ceiling(&self, _request: &MediaRequest) -> Result<Spend, Unpriced> {
        Ok(Spend { cost: PRICE, tokens: 0 })
    }
}

/// A server with one agent that writes and one that draws.
struct Stage {
    runtime: Runtime,
    _disk: tempfile::TempDir,
}

impl Stage {
    fn new(vendor: &Arc<Vendor>, room: u32, is_virtual: bool) -> Self {
        let disk = tempfile::tempdir().unwrap();
        let journal = SqliteJournal::open(SqliteOptions::in_directory(disk.path())).unwrap();
        let objects = Arc::clone(journal.objects());
        let mut providers = Providers::new(Profiles::shipped());
        providers.add_model(Arc::clone(vendor) as _, room);
        providers.add_media(Arc::clone(vendor) as _, room);
        let (journal, clock): (Arc<dyn Journal>, Arc<dyn Clock>) = if is_virtual {
            let clock = SimClock::new(Timestamp(1_767_225_600_000_000), 1);
            (Arc::new(CrashingJournal::new(journal, None)), Arc::new(clock))
        } else {
            (journal, Arc::new(SystemClock::new().unwrap()))
        };
        let parts = Parts { journal, objects, clock, providers, feed: Feed::default() };
        let runtime = Runtime::new(parts, Options::default());
        for head in ["name: writer", "name: drawer\nkind: media"] {
            let text = format!("---\n{head}\n---\nDo what the input asks for.");
            runtime.agents().put(AgentRecord::parse_markdown(&text, "test").unwrap());
        }
        runtime.start_timers();
        Self { runtime, _disk: disk }
    }

    async fn start(&self, agent: &str, timeout: &str) -> RunId {
        let source = format!(
            "showrunner: 1\nid: {agent}-work\nsteps:\n  - id: work\n    agent: {agent}\n    \
             input: {{ prompt: anything }}\n    timeout: {timeout}\n    retry: {{ attempts: 1 }}\n"
        );
        let org = OrgId::from("org_default");
        self.runtime.library().publish(&org, &source, "author").await.unwrap();
        let slug = format!("{agent}-work");
        let definition = self.runtime.library().get(&org, &slug, None).await.unwrap();
        let start = StartRun { input: Value::Null, ..StartRun::default() };
        let request = StartRequest { definition, start, id: None, idempotency: None };
        self.runtime.start(request).await.unwrap().run
    }

    async fn cancel(&self, run: &RunId) {
        let command = Command::Cancel { reason: None, compensate: false, by: Principal::system() };
        self.runtime.submit(run, command).await.unwrap();
    }

    async fn once(&self, run: &RunId, is_so: impl Fn(&Run) -> bool) -> Arc<Run> {
        for _ in 0..3_000 {
            let run = self.runtime.load_shared(run).await.unwrap();
            if is_so(&run) {
                return run;
            }
            self.runtime.clock().sleep(showrunner_engine::at::Millis(100)).await;
        }
        panic!("it never was so: {:?}", self.runtime.load_shared(run).await.unwrap().status());
    }

    /// Everything that is in the run's journal, as text.
    async fn transcript(&self, run: &RunId) -> String {
        let mut text = String::new();
        for batch in self.runtime.journal().read(run, 0).await.unwrap() {
            for event in batch.events().unwrap() {
                text += &serde_json::to_string(&event).unwrap();
                text.push('\n');
            }
        }
        text
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_provider_is_asked_when_the_call_has_let_go() {
    for agent in ["writer", "drawer"] {
        let vendor = Vendor::new(Manner::Busy);
        let stage = Stage::new(&vendor, 4, false);
        let run = stage.start(agent, "10m").await;
        vendor.entered.notified().await;
        stage.cancel(&run).await;
        let ended = stage.once(&run, Run::is_ended).await;
        assert_eq!(vendor.told().first(), Some(&"billed"), "{agent}: {:?}", vendor.told());
        assert_eq!(ended.spent.cost, PRICE, "{agent}: {}", stage.transcript(&run).await);
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_that_got_no_answer_is_stopped_where_it_was_placed() {
    let vendor = Vendor::new(Manner::Silent);
    let stage = Stage::new(&vendor, 4, true);
    let run = stage.start("drawer", "10m").await;
    vendor.entered.notified().await;
    stage.cancel(&run).await;
    let ended = stage.once(&run, Run::is_ended).await;
    assert_eq!(vendor.told(), ["billed", "asked", "cancelled"]);
    assert_eq!(ended.spent.cost, PRICE);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_cannot_be_stopped_is_not_called_free() {
    let vendor = Vendor::new(Manner::Unreachable);
    let stage = Stage::new(&vendor, 4, true);
    let run = stage.start("drawer", "10m").await;
    vendor.entered.notified().await;
    stage.cancel(&run).await;
    stage.once(&run, Run::is_ended).await;
    let transcript = stage.transcript(&run).await;
    assert!(transcript.contains("studio could not be told to stop job job-1"), "{transcript}");
}

#[tokio::test(start_paused = true)]
async fn time_passes_for_a_call_that_waits_for_room() {
    let vendor = Vendor::new(Manner::Silent);
    let stage = Stage::new(&vendor, 1, true);
    let first = stage.start("writer", "10m").await;
    vendor.entered.notified().await;
    let second = stage.start("writer", "30s").await;
    let ended = stage.once(&second, Run::is_ended).await;
    assert_eq!(ended.failure.as_ref().unwrap().code, "attempt_timeout");
    assert_eq!(vendor.told(), ["billed"], "nobody was asked about a call that never left");
    assert!(ended.duration().0 < 60_000, "{:?}", ended.duration());
    assert!(!stage.runtime.load_shared(&first).await.unwrap().is_ended());
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_breaks_down_asks_a_person() {
    let vendor = Vendor::new(Manner::Broken);
    let stage = Stage::new(&vendor, 1, true);
    let run = stage.start("writer", "10m").await;
    let asked = stage.once(&run, |run| run.waits().any(|(_, wait)| *wait == Wait::Doubt)).await;
    assert!(!asked.is_ended());
    stage.once(&run, |_| stage.runtime.resident_count() == 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_doubt_that_is_called_back_is_not_called_free() {
    let vendor = Vendor::new(Manner::Forgetful);
    let stage = Stage::new(&vendor, 4, true);
    let run = stage.start("writer", "10m").await;
    stage.once(&run, |run| run.waits().any(|(_, wait)| *wait == Wait::Doubt)).await;
    stage.cancel(&run).await;
    let ended = stage.once(&run, Run::is_ended).await;
    assert_eq!(ended.unknown_calls, 1, "{}", stage.transcript(&run).await);
}
