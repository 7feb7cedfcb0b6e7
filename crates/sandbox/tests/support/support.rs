//! A pool of the built worker, and a host with books of its own.
#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::{Value, json};
use showrunner_sandbox::{
    Denied, FetchAnswer, FetchFailure, FetchRequest, Function, Host, Job, Limits, Outcome, Pool,
    PoolOptions, Reply, SavedFile, Template, Unattended,
};

/// The built worker.
pub fn options() -> PoolOptions {
    PoolOptions::new(env!("CARGO_BIN_EXE_sandbox-probe"))
}

/// A pool of one place without spare processes: a test starts what it needs.
pub fn pool() -> Pool {
    Pool::new(PoolOptions { spare: 0, ..options() })
}

/// A function with usual limits.
pub fn function(code: &str) -> Function {
    Function {
        code: code.to_owned(),
        line: 1,
        file: "agents/test.md".to_owned(),
        // A machine that is busy with other things is no reason to fail.
        limits: Limits { busy_ms: 30_000, ..Limits::default() },
        ..Function::default()
    }
}

/// Runs it where nothing is allowed out.
pub async fn run(job: Function) -> Outcome {
    run_with(&pool(), job, &Unattended(&Denied)).await
}

/// Runs it for this host.
pub async fn run_with(pool: &Pool, job: Function, host: &dyn Host) -> Outcome {
    pool.run("tenant", &Job::Function(Box::new(job)), host).await
}

/// Renders a template.
pub async fn render(pool: &Pool, source: &str, context: Value, limits: Limits) -> Outcome {
    let template = Template { source: source.to_owned(), context, limits };
    pool.run("tenant", &Job::Template(Box::new(template)), &Unattended(&Denied)).await
}

type Answering = dyn Fn(u32, &FetchRequest) -> Result<FetchAnswer, FetchFailure> + Send + Sync;

/// A host that writes down what it is asked for.
pub struct Books {
    asked: Mutex<Vec<FetchRequest>>,
    kept: Mutex<Vec<SavedFile>>,
    answer: Box<Answering>,
}

impl Books {
    pub fn answering(
        answer: impl Fn(u32, &FetchRequest) -> Result<FetchAnswer, FetchFailure> + Send + Sync + 'static,
    ) -> Self {
        Self { asked: Mutex::default(), kept: Mutex::default(), answer: Box::new(answer) }
    }

    pub fn asked(&self) -> Vec<FetchRequest> {
        self.asked.lock().clone()
    }

    pub fn kept(&self) -> Vec<SavedFile> {
        self.kept.lock().clone()
    }
}

#[async_trait]
impl Host for Books {
    async fn fetch(&self, no: u32, request: FetchRequest) -> Reply<FetchAnswer, FetchFailure> {
        let answer = (self.answer)(no, &request);
        self.asked.lock().push(request);
        match answer {
            Ok(answer) => Reply::Done(answer),
            Err(failure) => Reply::Failed(failure),
        }
    }

    async fn save(&self, _no: u32, file: SavedFile) -> Reply<Value, String> {
        let said = json!({ "name": file.name, "bytes": file.bytes.0.len() });
        self.kept.lock().push(file);
        Reply::Done(said)
    }
}
