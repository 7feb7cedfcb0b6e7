//! Providers that cannot do it make room for the next one; whoever is down is left alone by all
//! runs. What was chosen, and why, stands in the journal.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::{Value, json};
use showrunner_engine::agent::AgentRecord;
use showrunner_engine::at::{Millis, Timestamp};
use showrunner_engine::command::StartRun;
use showrunner_engine::failure::ErrorClass;
use showrunner_engine::id::{OrgId, RunId};
use showrunner_engine::money::{MicroUsd, Spend};
use showrunner_engine::run::{Run, RunStatus};
use showrunner_journal::{SqliteJournal, SqliteOptions};
use showrunner_providers::{
    CallFailure, CallSafety, Circuit, LookUp, MediaJob, MediaKind, MediaProvider, MediaRequest,
    MediaResult, MediaStatus, Mode, Outcome, Profiles, Providers, Submitted, Unpriced,
};
use showrunner_runtime::{Feed, Options, Parts, Runtime, StartRequest};
use showrunner_testkit::sim::{CrashingJournal, SimClock};

/// What a studio does with an order.
#[derive(Clone, Copy, Debug)]
enum Manner {
    Makes,
    /// Answers so, at once.
    Refuses(ErrorClass),
    /// Takes it, and says so when it is asked.
    FailsLater(ErrorClass),
}

#[derive(Debug)]
struct Studio {
    name: &'static str,
    mode: Mode,
    manner: Mutex<Manner>,
    orders: Mutex<Vec<String>>,
}

impl Studio {
    fn new(name: &'static str, mode: Mode, manner: Manner) -> Arc<Self> {
        Arc::new(Self { name, mode, manner: Mutex::new(manner), orders: Mutex::default() })
    }

    fn orders(&self) -> usize {
        self.orders.lock().len()
    }

    fn failure(&self, class: ErrorClass) -> CallFailure {
        let message = format!("{} says no", self.name);
        CallFailure::new(class, Outcome::Refused, "said_no", message)
    }
}

fn file() -> MediaJob {
    let bytes = bytes::Bytes::from_static(b"a file");
    let result = MediaResult::Bytes { mime: "image/png".into(), bytes };
    MediaJob { result, cost: MicroUsd(500), simulated: false }
}

#[async_trait]
impl MediaProvider for Studio {
    fn name(&self) -> &str {
        self.name
    }
    fn mode(&self) -> Mode {
        self.mode
    }
    fn safety(&self) -> CallSafety {
        CallSafety::LookUp
    }
    fn makes(&self, _kind: MediaKind) -> bool {
        true
    }
    async fn submit(&self, request: &MediaRequest) -> Result<Submitted, CallFailure> {
        self.orders.lock().push(request.key.clone());
        match *self.manner.lock() {
            Manner::Makes => Ok(Submitted::Done(file())),
            Manner::Refuses(class) => Err(self.failure(class)),
            Manner::FailsLater(_) => Ok(Submitted::Accepted { job_id: "job-1".into() }),
        }
    }
    async fn poll(&self, _job: &str) -> Result<MediaStatus, CallFailure> {
        let Manner::FailsLater(class) = *self.manner.lock() else {
            return Ok(MediaStatus::Done(file()));
        };
        Ok(MediaStatus::Failed(self.failure(class)))
    }
    async fn look_up(&self, _key: &str) -> Result<LookUp<Submitted>, CallFailure> {
        Ok(LookUp::Denied)
    }
    async fn cancel(&self, _job: &str) -> Result<MicroUsd, CallFailure> {
        Ok(MicroUsd::ZERO)
    }
    fn ceiling(&self, _request: &MediaRequest) -> Result<Spend, Unpriced> {
        Ok(Spend::ZERO)
    }
}

struct Stage {
    runtime: Runtime,
    journal: Arc<SqliteJournal>,
    _disk: tempfile::TempDir,
}

impl Stage {
    async fn with(studios: &[Arc<Studio>]) -> Self {
        let disk = tempfile::tempdir().unwrap();
        let journal = SqliteJournal::open(SqliteOptions::in_directory(disk.path())).unwrap();
        let runtime = Self::server(&journal, studios, 0).await;
        Self { runtime, journal, _disk: disk }
    }

    async fn server(journal: &Arc<SqliteJournal>, studios: &[Arc<Studio>], later: i64) -> Runtime {
        let objects = Arc::clone(showrunner_journal::Journal::objects(&**journal));
        let mut providers = Providers::new(Profiles::shipped());
        for studio in studios {
            providers.add_media(Arc::clone(studio) as _, 8);
        }
        let clock = SimClock::new(Timestamp(1_767_225_600_000_000 + later), 1);
        let journal = Arc::new(CrashingJournal::new(Arc::clone(journal) as _, None));
        let clock = Arc::new(clock);
        let parts = Parts { journal, objects, clock, providers, feed: Feed::default() };
        let runtime = Runtime::new(parts, Options::default());
        let text = "---\nname: drawer\nkind: media\n---\nDraws.";
        runtime.agents().put(AgentRecord::parse_markdown(text, "test").unwrap());
        runtime.recover().await.unwrap();
        runtime.start_timers();
        runtime
    }

    async fn run(&self, input: &Value) -> Arc<Run> {
        run(&self.runtime, input).await
    }
}

async fn start(runtime: &Runtime, input: &Value) -> RunId {
    let source = format!(
        "showrunner: 1\nid: work\nsteps:\n  - id: work\n    agent: drawer\n    input: {input}\n    \
         retry: {{ attempts: 2, initial: 1s }}\n"
    );
    let org = OrgId::from("org_default");
    runtime.library().publish(&org, &source, "author").await.unwrap();
    let definition = runtime.library().get(&org, "work", None).await.unwrap();
    let start = StartRun { input: Value::Null, ..StartRun::default() };
    let request = StartRequest { definition, start, id: None, idempotency: None };
    runtime.start(request).await.unwrap().run
}

async fn run(runtime: &Runtime, input: &Value) -> Arc<Run> {
    let id = start(runtime, input).await;
    for _ in 0..100_000 {
        let run = runtime.load_shared(&id).await.unwrap();
        if run.is_ended() {
            return run;
        }
        runtime.clock().sleep(Millis(100)).await;
    }
    panic!("it did not end");
}

fn maker(run: &Run) -> String {
    let step = run.find(&"work".into()).unwrap();
    let output = run.step(step).output.as_ref();
    output.and_then(|output| output["provider"].as_str()).unwrap_or("nobody").to_owned()
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_do_it_makes_room_for_the_next() {
    for class in [ErrorClass::Provider, ErrorClass::QuotaExceeded, ErrorClass::RateLimited] {
        let alpha = Studio::new("alpha", Mode::Live, Manner::Refuses(class));
        let beta = Studio::new("beta", Mode::Live, Manner::Makes);
        let stage = Stage::with(&[Arc::clone(&alpha), Arc::clone(&beta)]).await;
        let ended = stage.run(&json!({ "prompt": "tea" })).await;
        assert_eq!((ended.status(), maker(&ended).as_str()), (RunStatus::Completed, "beta"));
        assert_eq!((alpha.orders(), beta.orders()), (1, 1), "{class:?}");
        assert_eq!(ended.step(ended.find(&"work".into()).unwrap()).attempts, 1, "within one try");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_later_goes_to_the_next() {
    let alpha = Studio::new("alpha", Mode::Live, Manner::FailsLater(ErrorClass::Provider));
    let beta = Studio::new("beta", Mode::Live, Manner::Makes);
    let stage = Stage::with(&[Arc::clone(&alpha), Arc::clone(&beta)]).await;
    let ended = stage.run(&json!({ "prompt": "tea" })).await;
    assert_eq!((ended.status(), maker(&ended).as_str()), (RunStatus::Completed, "beta"));
    assert_eq!((alpha.orders(), beta.orders()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn when_nobody_is_left_it_says_what_everybody_said() {
    let studios = ["alpha", "beta", "gamma"]
        .map(|name| Studio::new(name, Mode::Live, Manner::Refuses(ErrorClass::Provider)));
    let stage = Stage::with(&studios).await;
    let ended = stage.run(&json!({ "prompt": "tea", "preferred_provider": "beta" })).await;
    let failure = ended.failure.as_ref().unwrap();
    assert_eq!(
        failure.message,
        "nobody is left who could do it (beta: beta says no; alpha: alpha says no; gamma: gamma says no)"
    );
    assert_eq!(studios.each_ref().map(|studio| studio.orders()), [1, 1, 1], "nobody twice");
}

#[tokio::test(start_paused = true)]
async fn the_cloud_fails_and_this_machine_does_it() {
    let cloud = Studio::new("cloud", Mode::Live, Manner::Refuses(ErrorClass::Provider));
    let local = Studio::new("local", Mode::Local, Manner::Makes);
    let pretender = Studio::new("a-double", Mode::Scripted, Manner::Makes);
    let stage = Stage::with(&[Arc::clone(&cloud), local, Arc::clone(&pretender)]).await;
    assert_eq!(maker(&*stage.run(&json!({ "prompt": "tea" })).await), "local");
    assert_eq!(cloud.orders(), 1);
    let cheap = stage.run(&json!({ "prompt": "tea", "provider_tier": "economy" })).await;
    assert_eq!((maker(&cheap).as_str(), cloud.orders()), ("local", 1));
    assert_eq!(pretender.orders(), 0, "what is only simulated takes nobody's place");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_is_left_alone_even_after_a_restart() {
    let alpha = Studio::new("alpha", Mode::Live, Manner::Refuses(ErrorClass::Transient));
    let beta = Studio::new("beta", Mode::Live, Manner::Makes);
    let studios = [Arc::clone(&alpha), Arc::clone(&beta)];
    let stage = Stage::with(&studios).await;
    for _ in 0..4 {
        stage.run(&json!({ "prompt": "tea" })).await;
    }
    let circuit = |runtime: &Runtime| runtime.circuits().of("alpha").circuit(runtime.clock().now());
    assert_eq!(circuit(&stage.runtime), Circuit::Open);
    let asked = alpha.orders();
    assert_eq!(asked, 5, "five failures in a row are enough");
    assert_eq!(maker(&*stage.run(&json!({ "prompt": "tea" })).await), "beta");
    assert_eq!(alpha.orders(), asked);

    let elapsed = stage.runtime.clock().now().0 - 1_767_225_600_000_000;
    stage.runtime.shut_down(Millis(0)).await;
    let again = Stage::server(&stage.journal, &studios, elapsed).await;
    assert_eq!(circuit(&again), Circuit::Open, "it is known after a restart");
    assert_eq!(maker(&*run(&again, &json!({ "prompt": "tea" })).await), "beta");
    assert_eq!(alpha.orders(), asked);

    again.clock().sleep(Millis(20_000)).await;
    *alpha.manner.lock() = Manner::Makes;
    assert_eq!(maker(&*run(&again, &json!({ "prompt": "tea" })).await), "alpha");
    assert_eq!(circuit(&again), Circuit::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_only_one_is_waited_for() {
    let alpha = Studio::new("alpha", Mode::Live, Manner::Refuses(ErrorClass::QuotaExceeded));
    let stage = Stage::with(&[Arc::clone(&alpha)]).await;
    let id = start(&stage.runtime, &json!({ "prompt": "tea" })).await;
    stage.runtime.clock().sleep(Millis(5_000)).await;
    *alpha.manner.lock() = Manner::Makes;
    let began = stage.runtime.clock().now();
    while !stage.runtime.load_shared(&id).await.unwrap().is_ended() {
        stage.runtime.clock().sleep(Millis(1_000)).await;
    }
    let ended = stage.runtime.load_shared(&id).await.unwrap();
    assert_eq!((ended.status(), maker(&ended).as_str()), (RunStatus::Completed, "alpha"));
    assert_eq!(alpha.orders(), 2);
    let waited = stage.runtime.clock().now().millis_since(began).0;
    assert!((800_000..1_000_000).contains(&waited), "a quota comes back in a quarter of an hour");
}

#[tokio::test(start_paused = true)]
async fn nobody_takes_the_place_of_one_that_the_definition_names() {
    let alpha = Studio::new("alpha", Mode::Live, Manner::Refuses(ErrorClass::Provider));
    let beta = Studio::new("beta", Mode::Live, Manner::Makes);
    let stage = Stage::with(&[Arc::clone(&alpha), Arc::clone(&beta)]).await;
    let ended = stage.run(&json!({ "prompt": "tea", "provider": "alpha" })).await;
    assert_eq!((ended.status(), alpha.orders(), beta.orders()), (RunStatus::Failed, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn the_only_one_is_tried_again_as_the_step_says() {
    for manner in [Manner::Refuses(ErrorClass::Provider), Manner::FailsLater(ErrorClass::Provider)]
    {
        let alpha = Studio::new("alpha", Mode::Live, manner);
        let stage = Stage::with(&[Arc::clone(&alpha)]).await;
        let ended = stage.run(&json!({ "prompt": "tea" })).await;
        assert_eq!(ended.failure.as_ref().unwrap().message, "alpha says no");
        assert_eq!(alpha.orders(), 2, "two attempts, one order each: {manner:?}");
    }
}
